(* Theorem 1 (Zhang et al. 2017): 2n + d numbers fit any labels.

   For n distinct points z_1, ..., z_n of R^d and any real labels y_1, ..., y_n
   there are a in R^d and b, w in R^n with sum_j w_j max (<a, z_i> - b_j, 0) = y_i
   for every i: one vector of 2n + d numbers.

   Idea: choose a so that the numbers <a, z_i> are distinct (Projection.v), sort
   them, interleave the thresholds b, and solve A w = y: A is invertible by
   Lemma 1.  Any thresholds that interleave, also weakly, do, and each choice
   has exactly one w. *)
From mathcomp Require Import all_ssreflect all_algebra all_fingroup.
From Shatter Require Import Relu Lemma1 Projection.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Section Theorem1.
Variable R : realFieldType.

(* thresholds of the rule `midpoint`: halfway between neighbours *)
Theorem interleave_midpoint n (x : 'I_n.+1 -> R) :
  (forall i j : 'I_n.+1, (i < j)%N -> x i < x j) ->
  interleaving (fun j => if j == 0 then x 0 - 1 else (x (inord j.-1) + x j) / 2%:R) x.
Proof.
move=> xlt; have two0 : 0 < 2%:R :> R by rewrite ltr0n.
split=> [i|i j ij] /=.
  case: eqP => [->|/eqP i0]; first by rewrite ltr_subl_addr ltr_addl ltr01.
  rewrite ltr_pdivr_mulr // mulr_natr mulr2n ltr_add2r; move: i0.
  by case: i => -[|i] hi // _; apply: xlt; rewrite /= inordK ?ltnSn // ltnW.
have -> : (j == 0) = false by apply/eqP=> j0; move: ij; rewrite j0.
rewrite ij /= inord_val ltr_pdivl_mulr // mulr_natr mulr2n ltr_add2l.
by apply: xlt; rewrite ij.
Qed.

(* thresholds of the rule `data`: every threshold is the point before it *)
Theorem interleave_data n (x : 'I_n.+1 -> R) :
  (forall i j : 'I_n.+1, (i < j)%N -> x i < x j) ->
  weak_interleaving (fun j => if j == 0 then x 0 - 1 else x (inord j.-1)) x.
Proof.
move=> xlt; split=> [i|i j ij] /=.
  case: eqP => [->|/eqP i0]; first by rewrite ltr_subl_addr ltr_addl ltr01.
  move: i0; case: i => -[|i] hi // _; apply: xlt.
  by rewrite /= inordK ?ltnSn // ltnW.
have -> : (j == 0) = false by apply/eqP=> j0; move: ij; rewrite j0.
by rewrite ij /= inord_val.
Qed.

(* so some thresholds interleave any increasing sequence *)
Lemma interleave n (x : 'I_n -> R) :
  (forall i j : 'I_n, (i < j)%N -> x i < x j) -> exists b, interleaving b x.
Proof.
case: n x => [|n] x xlt; last by eexists; exact: interleave_midpoint xlt.
by exists x; split=> [[]|[]].
Qed.

(* Whatever a sorts the points (in the order s) and whatever thresholds
   interleave the sorted projections, one and only one w fits the labels. *)
Theorem theorem1_thresholds n d (z : 'I_n -> 'rV[R]_d) (a : 'rV[R]_d) (s : 'S_n)
  (b : 'I_n -> R) (y : 'I_n -> R) :
  weak_interleaving b (fun i => dot a (z (s i))) ->
  exists! w : 'rV[R]_n, forall i, net (mk_params a (\row_j b j) w) (z i) = y i.
Proof.
move=> Hint; set x := fun i => dot a (z (s i)) in Hint.
have netE w i : net (mk_params a (\row_j b j) w) (z (s i)) = (reluM b x *m w^T) i 0.
  rewrite /net par_aE par_bE par_wE mxE.
  by apply: eq_bigr => j _; rewrite !mxE mulrC.
have U := weak_reluM_unit Hint.
exists (invmx (reluM b x) *m \col_i y (s i))^T; split=> [i|w' fit].
  by rewrite -[i](permKV s) netE trmxK mulKVmx // mxE.
apply: trmx_inj; rewrite trmxK -[w'^T](mulKmx U); congr (_ *m _).
by apply/colP=> i; rewrite mxE -netE fit.
Qed.

(* Theorem 1, with the vector in three parts *)
Theorem expressivity n d (z : 'I_n -> 'rV[R]_d) : injective z ->
  forall y : 'I_n -> R, exists p : params R n d, forall i, net p (z i) = y i.
Proof.
move=> /separating[k ainj] y.
have [s xlt] := sort_inj ainj.
have [b /interleavingW Hint] := interleave xlt.
have [w [fit _]] := theorem1_thresholds y Hint.
by exists (mk_params (moment d k%:R) (\row_j b j) w).
Qed.

(* Theorem 1: a vector of 2n + d numbers *)
Theorem theorem1 n d (z : 'I_n -> 'rV[R]_d) : injective z ->
  forall y : 'I_n -> R, exists q : 'rV[R]_(2 * n + d), forall i, net2nd q (z i) = y i.
Proof.
move=> zinj y; have [p fit] := expressivity zinj y.
exists (castmx (erefl, params_count n d) p) => i.
by rewrite /net2nd castmx_comp castmx_id fit.
Qed.

End Theorem1.

(* the instance over the rational numbers, where certificates live *)
Theorem theorem1_rat n d (z : 'I_n -> 'rV[rat]_d) : injective z ->
  forall y : 'I_n -> rat, exists q : 'rV[rat]_(2 * n + d), forall i, net2nd q (z i) = y i.
Proof. exact: theorem1. Qed.
