#!/bin/sh
# The gate of the proofs: run it from anywhere as `sh proofs/gate.sh`.
#
#   1. the tools are there (installed with apt-get when missing and run as root)
#   2. no escape hatch in the sources
#   3. everything builds, every theorem is restated in Audit.v and closed
#   4. coqchk agrees
#   5. the extracted checker accepts good streams and refuses altered ones (also of
#      full size, if GATE_IMAGES names a file of images)
#   6. if SHATTER_BIN names the Rust program: the same of its certificates, and
#      both checkers give the same verdicts
#
# GATE_QUICK=1 keeps what is already built and leaves out 1, 4 and 5 (for
# gate-test.sh).  GATE_JOBS is the number of parallel jobs (2).
set -eu
cd "$(dirname "$0")"
quick=${GATE_QUICK:-}
fail() { echo "gate: FAILED: $*" >&2; exit 1; }
say() { echo "gate: $*"; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT INT TERM

# ---- 1. tools ----

packages="make coq libcoq-mathcomp-algebra libcoq-mathcomp-zify libcoq-mathcomp-algebra-tactics libzarith-ocaml-dev ocaml-findlib python3-minimal"
have_tools() {
  for tool in coqc coqchk coq_makefile make ocamlfind python3; do
    command -v "$tool" >/dev/null 2>&1 || return 1
  done
  ocamlfind query zarith >/dev/null 2>&1 || return 1
  printf 'From mathcomp Require Import all_ssreflect all_algebra zify ring.\n' > "$tmp/probe.v"
  coqc -q "$tmp/probe.v" >/dev/null 2>&1
}
if [ -z "$quick" ] && ! have_tools; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    say "installing: $packages"
    apt-get update -qq || fail "apt-get update"
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
      $packages >"$tmp/apt" 2>&1 || { tail -5 "$tmp/apt" >&2; fail "apt-get install"; }
    have_tools || fail "the tools are installed and still do not work"
  else
    fail "Coq is missing; as root: apt-get install --no-install-recommends $packages"
  fi
fi

# ---- 2. sources ----

# Every file of theories/ is in _CoqProject, which has no options but these.
printf '%s\n' '-Q theories Shatter' > "$tmp/options"
printf '%s\n' '-arg -w -arg -notation-overridden,-ambiguous-paths,-redundant-canonical-projection,-duplicate-clear' >> "$tmp/options"
grep -v '^theories/[A-Za-z0-9]*\.v$' _CoqProject | cmp -s - "$tmp/options" ||
  fail "_CoqProject has options that the gate does not know"
ls theories/*.v | sort > "$tmp/there"
grep '^theories/' _CoqProject | sort | cmp -s - "$tmp/there" ||
  fail "_CoqProject does not list the files of theories/"

# Words that can hide a missing proof, outside comments and strings.
words='Admitted|admit|Admit|give_up|Axiom|Axioms|Parameter|Parameters|Conjecture|Conjectures|Abort|Guard|Positivity|Universe|Universes|bypass_check|type_in_type|native_cast_no_check|vm_cast_no_check|exact_no_check|change_no_check|Load|Declare|Extract|Redirect|Register|Primitive|Drop'
mkdir "$tmp/plain"
for f in theories/*.v checker/*.v Audit.v; do
  awk -f strip.awk "$f" > "$tmp/plain/$(basename "$f")"
  if grep -nEw "$words" "$tmp/plain/$(basename "$f")" > "$tmp/found"; then
    fail "$f: forbidden word: $(head -1 "$tmp/found")"
  fi
done

# Every Theorem and Corollary is checked with its statement and its axioms.
for f in theories/*.v; do
  sed -nE "s/^ *(#\[[^]]*\] *)?((Local|Global) +)?(Theorem|Corollary) +([A-Za-z0-9_']+).*/\5/p" \
    "$tmp/plain/$(basename "$f")"
done > "$tmp/theorems"
[ -s "$tmp/theorems" ] || fail "no theorem found"
for t in $(cat "$tmp/theorems"); do
  grep -qE "^Check \(@?$t :" "$tmp/plain/Audit.v" || fail "Audit.v does not restate the theorem $t"
  grep -qx "Print Assumptions $t\. *" "$tmp/plain/Audit.v" || fail "Audit.v does not audit the theorem $t"
done

grep -nE '(^|[ (,:])_([ ).,]|$)' "$tmp/plain/Audit.v" && fail "Audit.v: a hole in a statement"
# A theorem that became a lemma would leave the list above without a word.
[ "$(wc -l < "$tmp/theorems")" -ge 47 ] || fail "fewer theorems than there were"

# ---- 3. build and audit ----

coq_makefile -f _CoqProject -o Makefile.coq >/dev/null || fail "coq_makefile"
[ -n "$quick" ] || make -s -f Makefile.coq clean >/dev/null 2>&1 || true
make -s -f Makefile.coq -j"${GATE_JOBS:-2}" > "$tmp/build" 2>&1 ||
  { cat "$tmp/build" >&2; fail "a proof does not build"; }
coqc -q -w -notation-overridden,-ambiguous-paths -Q theories Shatter -o "$tmp/Audit.vo" Audit.v > "$tmp/audit" 2>&1 ||
  { tail -20 "$tmp/audit" >&2; fail "Audit.v: a theorem or a definition does not say what it should"; }
asked=$(grep -ow 'Print Assumptions' "$tmp/plain/Audit.v" | wc -l | tr -d ' ')
closed=$(grep -c '^Closed under the global context' "$tmp/audit" || true)
[ "$asked" = "$closed" ] ||
  { grep -A5 '^Axioms:' "$tmp/audit" >&2 || true
    fail "$asked theorems audited, $closed closed under the global context"; }
grep -q '^Axioms:' "$tmp/audit" && fail "a theorem uses axioms"
say "$asked theorems restated and closed under the global context"
[ -z "$quick" ] || { say "ok (quick)"; exit 0; }

# ---- 4. the kernel's own checker ----

# Its list of axioms may name only the machine integers and floats that Coq's own
# tactics load; the audit above shows that no theorem uses them.
modules=$(sed -n 's|^theories/\(.*\)\.v$|Shatter.\1|p' _CoqProject)
coqchk -silent -o -Q theories Shatter $modules > "$tmp/coqchk" 2>&1 ||
  { tail -5 "$tmp/coqchk" >&2; fail "coqchk"; }
sed -n '/^\* Axioms:/,/^\* Constants/p' "$tmp/coqchk" | grep -E '^ +[A-Za-z]' |
  grep -vE '^ +Coq\.(Numbers\.Cyclic\.Int63\.PrimInt63|Floats\.PrimFloat)\.' > "$tmp/axioms" || true
[ ! -s "$tmp/axioms" ] || { cat "$tmp/axioms" >&2; fail "coqchk found axioms"; }
for what in 'relying on type-in-type' 'relying on unsafe (co)fixpoints' 'positivity is assumed'; do
  grep -F "$what" "$tmp/coqchk" | grep -qF ': <none>' || fail "coqchk: $what"
done
say "coqchk agrees"

# ---- 5. the extracted checker ----

cp checker/Extract.v checker/main.ml "$tmp"
(cd "$tmp" && coqc -q -Q "$OLDPWD/theories" Shatter Extract.v &&
  ocamlfind ocamlopt -package zarith -linkpkg checker.mli checker.ml main.ml -o check) \
  > "$tmp/extract" 2>&1 || { cat "$tmp/extract" >&2; fail "the checker does not build"; }
cp "$tmp/check" checker/check

# verdict STREAM: the exit status of the verified checker
verdict() { status=0; checker/check < "$1" > "$tmp/said" 2>&1 || status=$?; }
expect() {  # expect STATUS STREAM WHAT
  verdict "$2"
  [ "$status" = "$1" ] || fail "the checker says '$(cat "$tmp/said")' ($status) of $3"
}
try_stream() {  # try_stream STREAM WHAT: accepted, and refused when altered
  expect 0 "$1" "$2"
  for what in label threshold weight direction constant point; do
    python3 checker/streams.py alter $what < "$1" > "$tmp/altered"
    expect 1 "$tmp/altered" "$2 with an altered $what"
  done
  for what in count extra short; do
    python3 checker/streams.py alter $what < "$1" > "$tmp/altered"
    expect 2 "$tmp/altered" "$2 with an altered $what"
  done
}
for sample in 'random 1 1 1' 'random 2 1 2' 'random 7 3 3' 'random 100 5 4' \
    'random 3000 20 5' 'data 1 1 6' 'data 9 2 7' 'data 80 4 8'; do
  python3 checker/streams.py $sample > "$tmp/stream"
  try_stream "$tmp/stream" "a random sample ($sample)"
done
for broken in '' '2' '1 x' '1 -' '1 1 1 0 1 1 1' '1 1 1 1 0 1 1' '1 1 1 1 1 1 1 5-'; do
  printf '%s' "$broken" > "$tmp/stream"
  expect 2 "$tmp/stream" "the broken stream '$broken'"
done
say "the extracted checker accepts good streams and refuses altered ones"

# A sample of full size: GATE_IMAGES names a gzipped IDX file of images, such as
# train-images-idx3-ubyte.gz of Fashion-MNIST (60,000 rows of 784 numbers).
if [ -n "${GATE_IMAGES:-}" ]; then
  python3 checker/streams.py idx "$GATE_IMAGES" 60000 > "$tmp/stream"
  # at most 120 seconds of processor time and 8 GiB
  limited() { (ulimit -t 120; ulimit -v 8388608; expect "$@"); }
  before=$(date +%s)
  limited 0 "$tmp/stream" "the images"
  say "the images: accepted in $(($(date +%s) - before)) s"
  for what in label threshold; do
    python3 checker/streams.py alter $what < "$tmp/stream" > "$tmp/altered"
    limited 1 "$tmp/altered" "the images with an altered $what"
    say "the images with an altered $what: $(cat "$tmp/said")"
  done
fi

# ---- 6. certificates of the Rust program ----

# The command lines of the Rust side stand in these three functions only.
rust_fit() { "$SHATTER_BIN" fit "$1" --out "$2"; }               # writes $2/certificate.txt
rust_stream() { "$SHATTER_BIN" check --integers "$1" "$2"; }     # prints the stream
rust_check() { "$SHATTER_BIN" check "$1" "$2"; }                 # exit 0 yes, 1 no, 2 bad input

if [ -n "${SHATTER_BIN:-}" ]; then
  number=0
  for sample in 'gaussian:n=30,d=3' 'gaussian:n=400,d=10' 'lattice:n=300,d=4'; do
    number=$((number + 1)); dir=$tmp/rust$number
    rust_fit "$sample" "$dir" > "$tmp/log" 2>&1 || { cat "$tmp/log" >&2; fail "fit $sample"; }
    rust_check "$dir/certificate.txt" "$sample" > "$tmp/log" 2>&1 ||
      { cat "$tmp/log" >&2; fail "the Rust checker refuses its own certificate of $sample"; }
    rust_stream "$dir/certificate.txt" "$sample" > "$tmp/stream" || fail "check --integers $sample"
    try_stream "$tmp/stream" "the certificate of $sample"
    # one digit of the certificate changed, at five places, or two thresholds exchanged,
    # each with a fresh digest: both checkers agree
    semantic=0
    for place in 1 2 3 4 5 exchange; do
      python3 checker/streams.py spoil $place < "$dir/certificate.txt" > "$dir/altered.txt"
      rust=0; rust_check "$dir/altered.txt" "$sample" > "$tmp/log" 2>&1 || rust=$?
      if rust_stream "$dir/altered.txt" "$sample" > "$tmp/stream" 2> "$tmp/log"; then
        verdict "$tmp/stream"
      else
        status=2
      fi
      # 1 2: the Rust reader refused before there was a stream to hand over
      case "$rust $status" in
        '0 0'|'1 2') ;;
        '1 1') semantic=$((semantic + 1)) ;;
        *) fail "of an altered certificate of $sample ($place) the Rust checker says $rust, the verified one $status" ;;
      esac
    done
    [ "$semantic" -gt 0 ] || fail "no altered certificate of $sample reaches the verified checker"
  done
  say "the Rust checker and the verified checker agree"
else
  say "SHATTER_BIN is not set: certificates of the Rust program are not tried"
fi
say "ok"
