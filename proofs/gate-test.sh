#!/bin/sh
# Shows that the gate fails when it should: each change below is made in a copy of
# this folder, and gate.sh must then fail with the message that is expected.
# Needs the tools of the gate.  GATE_QUICK leaves out installation, coqchk and the
# trial of streams; `proof` changes must still build, so that only the audit can
# catch them.
set -eu
cd "$(dirname "$0")"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT INT TERM
base=$tmp/base
cp -Rp . "$base"
failures=0

say() { echo "gate-test: $*"; }

(cd "$base" && GATE_QUICK=1 sh gate.sh) > "$tmp/out" 2>&1 ||
  { cat "$tmp/out"; say "the gate fails on the unchanged copy"; exit 1; }
say "the unchanged copy passes"

# replace FILE: the text before a line ==== on standard input, which must occur
# exactly once in FILE, becomes the text after it; a line ++++ begins another change
replace() {
  python3 -c '
import sys
name = sys.argv[1]
text = open(name).read()
for change in sys.stdin.read().split("\n++++\n"):
    old, new = change.split("\n====\n")
    if text.count(old) != 1:
        sys.exit("%s: %d places for the change, not one:\n%s" % (name, text.count(old), old))
    text = text.replace(old, new.rstrip("\n"))
open(name, "w").write(text)
' "$1"
}

# expect NAME FILE MESSAGE: makes the change on standard input in FILE of a copy
expect() {
  rm -rf "$tmp/copy"
  cp -Rp "$base" "$tmp/copy"
  if ! (cd "$tmp/copy" && replace "$2"); then
    say "NOT MADE: $1"; failures=$((failures + 1)); return
  fi
  if (cd "$tmp/copy" && GATE_QUICK=1 sh gate.sh) > "$tmp/out" 2>&1; then
    say "NOT CAUGHT: $1"; failures=$((failures + 1))
  elif grep -F 'gate: FAILED' "$tmp/out" | grep -qF "$3"; then
    say "caught: $1"
  else
    say "FAILED FOR ANOTHER REASON: $1"; tail -8 "$tmp/out"; failures=$((failures + 1))
  fi
}

audit='Audit.v: a theorem or a definition does not say what it should'

# ---- a statement is weakened, and its proof still passes ----

expect 'n units become n - 1 in the tightness theorem' theories/Tight.v "$audit" <<'X'
net p (u + x i *: v)) -> (n <= m)%N.
Proof.
move=> xlt fit.
====
net p (u + x i *: v)) -> (n <= m.+1)%N.
Proof.
move=> xlt fit; apply: leqW.
X
expect 'Theorem 1 over the rationals is an inequality' theories/Theorem1.v "$audit" <<'X'
  forall y : 'I_n -> rat, exists q : 'rV[rat]_(2 * n + d), forall i, net2nd q (z i) = y i.
Proof. exact: theorem1. Qed.
====
  forall y : 'I_n -> rat, exists q : 'rV[rat]_(2 * n + d), forall i, net2nd q (z i) <= y i.
Proof. by move=> h y; have [q e] := theorem1 h y; exists q => i; rewrite e. Qed.
X
expect 'the smallest eigenvalue of Lemma 1 is not negative, instead of positive' theories/Lemma1.v "$audit" <<'X'
                   & 0 < min_gap i0]].
====
                   & 0 <= min_gap i0]].
++++
- exact: lemma1_min_eigenvalue.
====
- by move=> i0; have [? ? /ltW ?] := lemma1_min_eigenvalue i0.
X
expect 'the width bound of Corollary 1 is looser' theories/Corollary1.v "$audit" <<'X'
  [/\ depth (deep k p) = k, (k * width (deep k p) <= 7 * n + 8)%N,
====
  [/\ depth (deep k p) = k, (k * width (deep k p) <= 7 * n + 9)%N,
X
expect 'a count leaves out the biases' theories/Network.v "$audit" <<'X'
  | Hid _ _ A b N' => (nnz A + nnz b + weights N')%N
====
  | Hid _ _ A b N' => (nnz A + weights N')%N
X
expect 'a step of descent without its weight decay' theories/LeastNorm.v "$audit" <<'X'
  ((1 - decay t) *: s.1 - rate t *: v, v).
====
  (s.1 - rate t *: v, v).
++++
split=> //; apply: spanD; first exact: spanZ.
====
split=> //; apply: spanD; first by [].
X
expect 'a solution in the span, perhaps one of several' theories/LeastNorm.v "$audit" <<'X'
  exists! w, in_span X w /\ fits X y w.
====
  exists w, in_span X w /\ fits X y w.
++++
exists w; split=> // w' [sw' fw'].
have [_ le _] := least_norm sw' fw' fw; have [_ ge eq] := least_norm sw fw fw'.
by rewrite eq //; apply: le_anti; rewrite le ge.
====
by exists w.
X

# ---- a proof is missing ----

expect 'Qed becomes Admitted (tightness)' theories/Tight.v 'forbidden word' <<'X'
by rewrite /unit1 /b dot_line opprB addrA.
Qed.
====
by rewrite /unit1 /b dot_line opprB addrA.
Admitted.
X
expect 'Qed becomes Admitted (a lemma of the checker)' theories/CheckerScan.v 'forbidden word' <<'X'
  induction 1 as [|[b w] l Hb Hl IH]; cbn in *; [lia|].
  rewrite IH, Z.max_l by lia. ring.
Qed.
====
  induction 1 as [|[b w] l Hb Hl IH]; cbn in *; [lia|].
Admitted.
X
expect 'Qed becomes Admitted, between comments' theories/Width2.v 'forbidden word' <<'X'
by rewrite /x /yy inord_val permKV.
Qed.
====
by rewrite /x /yy inord_val permKV.
(* a comment with a quotation "(*" inside *) Admitted. (* and another *)
X
expect 'an axiom' theories/Theorem1.v 'forbidden word' <<'X'
(* the instance over the rational numbers, where certificates live *)
====
Axiom cheat : forall P : Prop, P.
X
expect 'an axiom in disguise' theories/Theorem1.v 'closed under the global context' <<'X'
(* the instance over the rational numbers, where certificates live *)
Theorem theorem1_rat n d (z : 'I_n -> 'rV[rat]_d) : injective z ->
  forall y : 'I_n -> rat, exists q : 'rV[rat]_(2 * n + d), forall i, net2nd q (z i) = y i.
Proof. exact: theorem1. Qed.
====
Hypothesis cheat : forall P : Prop, P.
Theorem theorem1_rat n d (z : 'I_n -> 'rV[rat]_d) : injective z ->
  forall y : 'I_n -> rat, exists q : 'rV[rat]_(2 * n + d), forall i, net2nd q (z i) = y i.
Proof. exact: cheat. Qed.
X

# ---- a hypothesis is added or narrowed ----

expect 'Theorem 1 over the rationals needs a point' theories/Theorem1.v "$audit" <<'X'
Theorem theorem1_rat n d (z : 'I_n -> 'rV[rat]_d) : injective z ->
  forall y : 'I_n -> rat, exists q : 'rV[rat]_(2 * n + d), forall i, net2nd q (z i) = y i.
Proof. exact: theorem1. Qed.
====
Theorem theorem1_rat n d (z : 'I_n -> 'rV[rat]_d) : injective z -> (0 < n)%N ->
  forall y : 'I_n -> rat, exists q : 'rV[rat]_(2 * n + d), forall i, net2nd q (z i) = y i.
Proof. by move=> h _; exact: theorem1. Qed.
X
expect 'width 1 fails in positive dimension only' theories/Width1.v "$audit" <<'X'
  x0 < x1 -> x1 < x2 ->
  ~ [/\
====
  (0 < d)%N -> x0 < x1 -> x1 < x2 ->
  ~ [/\
++++
mono /ltW x01 /ltW x12 [e0 e1 e2].
====
mono _ /ltW x01 /ltW x12 [e0 e1 e2].
X
expect 'Corollary 1 up to depth n + 1' theories/Corollary1.v "$audit" <<'X'
Theorem corollary1_bounds n d k (z : 'I_n -> 'rV[R]_d) : (2 < k)%N -> (k <= n + 2)%N ->
====
Theorem corollary1_bounds n d k (z : 'I_n -> 'rV[R]_d) : (2 < k)%N -> (k <= n + 1)%N ->
X

# ---- the checker, the audit, the build ----

expect 'the checker takes any constant in the last row' theories/CheckerDef.v 'a proof does not build' <<'X'
    if sum_w sc' * s - sum_wb sc' + const k =? y then
====
    if (sum_w sc' * s - sum_wb sc' + const k =? y) || (row k =? count k) then
X
expect 'a theorem is left out of the audit' Audit.v 'does not audit the theorem zigzag' <<'X'
Print Assumptions zigzag.
====

X
expect 'a theorem is not restated' Audit.v 'does not restate the theorem converse' <<'X'
Check (@converse :
====
Check (@Converse.converse :
X
expect 'a new theorem that nobody audits' theories/Network.v 'does not restate the theorem news' <<'X'
Arguments Out {R p}.
====
Theorem news : True. Proof. exact I. Qed.
Arguments Out {R p}.
X
expect 'a build option' _CoqProject '_CoqProject has options' <<'X'
-Q theories Shatter
====
-Q theories Shatter
-arg -type-in-type
X

[ "$failures" = 0 ] || { say "$failures changes were not caught as they should be"; exit 1; }
say "every change was caught"
