(* The reader around the verified checker: bytes on standard input to integers,
   each handed to Checker.step.  What is proved is about the sequence of integers
   (theories/CheckerProof.v, accepts_sound); what is trusted here is that the
   decimal numbers of the input are handed over, all of them, in order.

   Exit status: 0 accepted, 1 rejected, 2 not a stream of the documented format. *)

let bad fmt = Printf.ksprintf (fun s -> prerr_endline ("malformed: " ^ s); exit 2) fmt
let reject fmt = Printf.ksprintf (fun s -> print_endline ("REJECT: " ^ s); exit 1) fmt

(* a fault of the verified part; tokens and rows are counted from 1 for people *)
let explain count (why : Checker.fault) =
  let row i = Z.to_string (Z.succ i) in
  match why with
  | Checker.BadVersion ->
      bad "token 1: the version is not 1 (only two-layer certificates have a stream)"
  | Checker.BadHeader ->
      bad "header: d, m, n, SA, SX and SW must all be positive"
  | Checker.TrailingData -> bad "token %d: data after the last row" count
  | Checker.ThresholdOrder -> reject "token %d: the thresholds are not sorted" count
  | Checker.RowOrder i -> reject "row %s: <A, X> is smaller than in the row before" (row i)
  | Checker.WrongLabel i -> reject "row %s: the network differs from the label" (row i)

let state = ref Checker.start
let count = ref 0

let feed z =
  incr count;
  match Checker.step !state z with
  | Checker.Fault why -> explain !count why
  | st -> state := st

(* The tokenizer.  A token of at most 18 digits is accumulated in an OCaml
   integer (63 bits); a longer one is collected and converted by zarith. *)
let chunk = Bytes.create 65536
let long = Buffer.create 64
let negative = ref false       (* the token began with a minus sign *)
let digits = ref (-1)          (* digits read so far; -1: between tokens *)
let small = ref 0              (* value of the first 18 digits *)

let end_token () =
  if !digits >= 0 then begin
    if !digits = 0 then bad "token %d: a minus sign without digits" (!count + 1);
    let z =
      if !digits <= 18 then Z.of_int (if !negative then - !small else !small)
      else
        let m = Z.of_string_base 10 (Buffer.contents long) in
        if !negative then Z.neg m else m
    in
    digits := -1;
    feed z
  end

let digit v =
  if !digits < 0 then begin digits := 0; small := 0; negative := false end;
  if !digits < 18 then small := !small * 10 + v
  else begin
    if !digits = 18 then begin
      Buffer.clear long;
      Buffer.add_string long (Printf.sprintf "%018d" !small)
    end;
    Buffer.add_char long (Char.unsafe_chr (48 + v))
  end;
  incr digits

let byte c =
  match c with
  | '0' .. '9' -> digit (Char.code c - 48)
  | ' ' | '\n' | '\t' | '\r' -> end_token ()
  | '-' when !digits < 0 -> digits := 0; small := 0; negative := true
  | c -> bad "token %d: the byte %C is not part of a decimal integer" (!count + 1) c

let rec read_all () =
  let got = input stdin chunk 0 (Bytes.length chunk) in
  if got > 0 then begin
    for i = 0 to got - 1 do byte (Bytes.unsafe_get chunk i) done;
    read_all ()
  end

let () =
  set_binary_mode_in stdin true;
  if Array.length Sys.argv > 1 then bad "usage: check < STREAM (no arguments)";
  (try read_all () with
   | Sys_error e -> bad "cannot read standard input: %s" e
   | Out_of_memory -> bad "token %d: out of memory" (!count + 1));
  end_token ();
  if Checker.finish !state then print_endline "ACCEPT"
  else bad "token %d: the stream ends before the last row is complete" (!count + 1)
