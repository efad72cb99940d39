(* One direction separates finitely many distinct points.

   If z_1, ..., z_n in R^d are distinct, there is a natural number t for which
   a = (1, t, t^2, ..., t^(d-1)) makes the numbers <a, z_i> distinct.  (The
   first step of the proof of Theorem 1, where the paper takes a generic a.)

   Idea: <a, u> is the polynomial with the coefficients u, taken at t.  The
   product over all pairs of the polynomials of z_i - z_j is not zero, so among
   more naturals than its degree one is not a root of it. *)
From mathcomp Require Import all_ssreflect all_algebra all_fingroup.
From Shatter Require Import Relu.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Section Projection.
Variable R : realFieldType.

(* a non-zero polynomial is non-zero at some natural number below its size *)
Lemma poly_nonroot (p : {poly R}) : p != 0 ->
  exists2 k : nat, (k < size p)%N & p.[k%:R] != 0.
Proof.
move=> p0; pose rs := [seq (k%:R : R) | k <- iota 0 (size p)].
have urs : uniq rs.
  by rewrite map_inj_uniq ?iota_uniq // => i j /eqP; rewrite eqr_nat => /eqP.
case: (boolP (all (root p) rs)) => [allr|].
  by have := max_poly_roots p0 allr urs; rewrite size_map size_iota ltnn.
case/allPn=> _ /mapP[k hk ->] nr; exists k => //.
by move: hk; rewrite mem_iota.
Qed.

Definition moment d (t : R) : 'rV[R]_d := \row_k t ^+ k.

Lemma dot_moment d (t : R) (v : 'rV[R]_d) : dot (moment d t) v = (rVpoly v).[t].
Proof.
rewrite /dot /rVpoly horner_poly; apply: eq_bigr => k _.
by rewrite mxE valK mulrC.
Qed.

Theorem separating (I : finType) d (z : I -> 'rV[R]_d) : injective z ->
  exists k : nat, injective (fun i => dot (moment d k%:R) (z i)).
Proof.
move=> zinj.
pose p := \prod_(ij : I * I | ij.1 != ij.2) rVpoly (z ij.1 - z ij.2).
have p0 : p != 0.
  apply/prodf_neq0 => -[i j] /= nij; apply: contra nij => /eqP e.
  apply/eqP/zinj/eqP; rewrite -subr_eq0; apply/eqP.
  by rewrite -[LHS]rVpolyK e linear0.
have [k _ hk] := poly_nonroot p0.
exists k => i j /= e; apply/eqP; apply: contraT => nij.
case/negP: hk; rewrite horner_prod; apply/prodf_eq0; exists (i, j) => //=.
by rewrite -dot_moment dotB e subrr.
Qed.

(* distinct values can be listed in increasing order *)
Lemma sort_inj n (u : 'I_n -> R) : injective u ->
  exists s : 'S_n, forall i j : 'I_n, (i < j)%N -> u (s i) < u (s j).
Proof.
move=> uinj; pose t := [tuple u i | i < n].
have /tuple_permP[s hs] : perm_eq (sort_tuple <=%O t) t.
  by rewrite /= perm_sort.
exists s => i j hij.
have E k : u (s k) = nth 0 (sort <=%O t) k.
  rewrite [sort _ _]hs -[nth _ _ _]/(nth 0 (val [tuple tnth t (s i) | i < n]) k).
  by rewrite -tnth_nth !tnth_mktuple.
have st : sorted <%O (sort <=%O t).
  by rewrite sort_lt_sorted map_inj_uniq ?enum_uniq.
rewrite !E; apply: (sorted_ltn_nth lt_trans) => //.
  by rewrite inE size_sort size_tuple.
by rewrite inE size_sort size_tuple.
Qed.

End Projection.
