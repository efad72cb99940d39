(* The certificate checker, as a program.  Integers only; no tolerance.

   Input: a stream of integers, in this order:

       1, d, m, n, SA, SX, SW,
       A_1 ... A_d,
       m pairs B_j W_j, B nondecreasing,
       C,
       n rows X_i1 ... X_id Y_i, with <A, X_i> nondecreasing,

   and nothing after it; d, m, n, SA, SX, SW are positive.  It stands for the
   network a = A/SA, b = B/(SA SX), w = W/SW, c = C/(SA SX SW), the points
   x_i = X_i/SX and the labels y_i = Y_i/(SA SX SW).

   The checker is one function from a state and an integer to a state, so that
   a reader need not hold the stream in memory.  For each row it computes
   s = <A, X_i> and compares sum_j W_j max (s - B_j, 0) + C with Y_i.  As the rows
   and the thresholds are both sorted, the thresholds below s are a growing
   prefix; with the running sums of W_j and of W_j B_j over that prefix the value
   is s (sum W) - (sum W B) + C.  One pass over the thresholds serves all rows.

   CheckerProof.v proves that acceptance means an exact fit.  This file uses the
   standard library alone and is what Extract.v turns into OCaml. *)
From Coq Require Import ZArith List Bool.
Import ListNotations.
Local Open Scope Z_scope.

(* why a stream is not accepted; rows are counted from 0 *)
Inductive fault :=
| BadVersion             (* the first integer is not 1 *)
| BadHeader              (* a count or a scale is not positive *)
| ThresholdOrder         (* the thresholds decrease somewhere *)
| RowOrder (row : Z)     (* <A, X_i> is smaller than in the row before *)
| WrongLabel (row : Z)   (* the network differs from the label *)
| TrailingData.          (* something follows the last row *)

(* the merge scan: thresholds not passed yet, sums over those passed *)
Record scan := Scan {
  ahead : list (Z * Z);       (* pairs (B_j, W_j) *)
  sum_w : Z;                  (* sum of W_j over the passed ones *)
  sum_wb : Z;                 (* sum of W_j B_j over the passed ones *)
  prev : option Z             (* <A, X> of the row before *)
}.

(* what does not change within a row *)
Record sheet := Sheet { dir : list Z; const : Z; count : Z; row : Z }.

Inductive state :=
| Fault (why : fault)
| Head (seen : list Z)                     (* header so far, last first *)
| Direction (m n todo : Z) (seen : list Z)
| ThresholdB (n todo : Z) (A : list Z) (seen : list (Z * Z))
| ThresholdW (n todo : Z) (A : list Z) (seen : list (Z * Z)) (b : Z)
| Constant (n : Z) (A : list Z) (knots : list (Z * Z))
| Row (k : sheet) (sc : scan) (rest : list Z) (acc : Z)
| Done.

(* move past the thresholds below s *)
Fixpoint advance (s : Z) (knots : list (Z * Z)) (sw swb : Z) (p : option Z) : scan :=
  match knots with
  | (b, w) :: knots' =>
      if b <? s then advance s knots' (sw + w) (swb + w * b) p
      else Scan knots sw swb p
  | [] => Scan [] sw swb p
  end.

Definition in_order (p : option Z) (s : Z) : bool :=
  match p with Some q => q <=? s | None => true end.

(* a row is complete: s = <A, X>, y = Y *)
Definition end_row (k : sheet) (sc : scan) (s y : Z) : state :=
  if in_order (prev sc) s then
    let sc' := advance s (ahead sc) (sum_w sc) (sum_wb sc) (Some s) in
    if sum_w sc' * s - sum_wb sc' + const k =? y then
      if row k + 1 =? count k then Done
      else Row (Sheet (dir k) (const k) (count k) (row k + 1)) sc' (dir k) 0
    else Fault (WrongLabel (row k))
  else Fault (RowOrder (row k)).

Definition sorted_push (b : Z) (seen : list (Z * Z)) : bool :=
  match seen with [] => true | (b', _) :: _ => b' <=? b end.

Definition step (st : state) (t : Z) : state :=
  match st with
  | Row k sc rest acc =>
      match rest with
      | a :: rest' => Row k sc rest' (acc + a * t)
      | [] => end_row k sc acc t
      end
  | Head seen =>
      match seen with
      | [] => if t =? 1 then Head [t] else Fault BadVersion
      | [sx; sa; n; m; d; _] =>
          if (0 <? d) && (0 <? m) && (0 <? n) && (0 <? sa) && (0 <? sx) && (0 <? t)
          then Direction m n d [] else Fault BadHeader
      | _ => Head (t :: seen)
      end
  | Direction m n todo seen =>
      if todo =? 1 then ThresholdB n m (rev' (t :: seen)) []
      else Direction m n (todo - 1) (t :: seen)
  | ThresholdB n todo A seen =>
      if sorted_push t seen then ThresholdW n todo A seen t else Fault ThresholdOrder
  | ThresholdW n todo A seen b =>
      if todo =? 1 then Constant n A (rev' ((b, t) :: seen))
      else ThresholdB n (todo - 1) A ((b, t) :: seen)
  | Constant n A knots =>
      Row (Sheet A t n 0) (Scan knots 0 0 None) A 0
  | Done => Fault TrailingData
  | Fault why => Fault why
  end.

Definition start : state := Head [].
Definition finish (st : state) : bool := match st with Done => true | _ => false end.

(* the verdict on a whole stream *)
Definition accepts (stream : list Z) : bool := finish (fold_left step stream start).
