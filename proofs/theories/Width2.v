(* Width 2 suffices at depth n + 1.

   For n >= 1 distinct points of R^d and any real labels there is a network of
   depth n + 1 whose hidden layers have at most 2 units, 2n - 1 units in all, with
   at most 4n + d - 1 weights and biases that are not zero, that fits.

   The construction (max-min strings, after Hanin and Sellke 2017).  The first layer
   computes z, the shifted projection.  With the points sorted by z, F_1 = y_1 and

       F_j = max (F_(j-1), l_j) or min (F_(j-1), l_j),  l_j(z) = y_j + s_j M (z - z_j),

   s_j = + (max) if F_(j-1)(z_j) < y_j, else - (min).  Both are
   l_j + s_j max (s_j (F_(j-1) - l_j), 0): one hidden layer with the two units z and
   r_j, where F_(j-1) is affine in the units of the layer before.

   Idea of the proof: at z_j the new line passes through y_j and wins; at the
   earlier points it loses, as its slope M is at least every slope between two of
   the points (string_exists). *)
From mathcomp Require Import all_ssreflect all_algebra all_fingroup.
From mathcomp Require Import zify ring.
From Shatter Require Import Relu Projection Network.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Section Width2.
Variable R : realFieldType.

(* a step: the sign s and the line l(z) = al z + be *)
Record step := Step { sg : R; al : R; be : R }.
Implicit Types (q : step) (qs : seq step).

Definition line q z := al q * z + be q.
Definition move q z F := line q z + sg q * relu (sg q * (F - line q z)).
Fixpoint string qs z F := if qs is q :: qs' then string qs' z (move q z F) else F.

Lemma string_rcons qs q z F : string (rcons qs q) z F = move q z (string qs z F).
Proof. by elim: qs F => //= q' qs IH F. Qed.

(* the layers: units (z, r); the current F is fz z + fr r + f0 *)
Definition two (s t : R) : 'rV[R]_2 := \row_j (if j == 0 then s else t).
Definition chain_w q (fz fr : R) : 'M[R]_2 :=
  \matrix_(i, j) (if j == 0 then (if i == 0 then 1 else 0)
                  else (if i == 0 then sg q * (fz - al q) else sg q * fr)).
Fixpoint chain qs fz fr f0 : mlp R 2 :=
  if qs is q :: qs' then
    Hid (chain_w q fz fr) (two 0 (sg q * (f0 - be q))) (chain qs' (al q) (sg q) (be q))
  else Out (two fz fr)^T f0.

(* from the single unit z *)
Definition chain1 qs f0 : mlp R 1 :=
  if qs is q :: qs' then
    Hid (two 1 (- (sg q * al q))) (two 0 (sg q * (f0 - be q))) (chain qs' (al q) (sg q) (be q))
  else Out 0 f0.

Definition string_net d (a : 'rV[R]_d) c qs f0 : mlp R d :=
  Hid a^T (const_mx c) (chain1 qs f0).

Lemma relu_two s t : relu_mx (two s t) = two (relu s) (relu t).
Proof. by apply/rowP=> j; rewrite !mxE; case: ifP. Qed.

Lemma chain_eval qs fz fr f0 z r : 0 <= z ->
  eval (chain qs fz fr f0) (two z r) = string qs z (fz * z + fr * r + f0).
Proof.
move=> z0; elim: qs fz fr f0 r => [|q qs IH] fz fr f0 r /=.
  by rewrite mxE 2!big_ord_recl big_ord0 !mxE /= addr0 [z * _]mulrC [r * _]mulrC.
have -> : two z r *m chain_w q fz fr + two 0 (sg q * (f0 - be q)) =
   two z (sg q * (fz * z + fr * r + f0 - line q z)).
  apply/rowP=> j; rewrite !mxE 2!big_ord_recl big_ord0 !mxE /=.
  by case: ifP => _; rewrite /line; ring.
rewrite relu_two (relu_id z0) IH; congr string.
by rewrite /move; set r' := relu _; rewrite /line; ring.
Qed.

Lemma chain1_eval qs f0 z : 0 <= z ->
  eval (chain1 qs f0) (const_mx z) = string qs z f0.
Proof.
move=> z0; case: qs => [|q qs] /=; first by rewrite mulmx0 mxE add0r.
have -> : const_mx z *m two 1 (- (sg q * al q)) + two 0 (sg q * (f0 - be q)) =
   two z (sg q * (f0 - line q z)).
  apply/rowP=> j; rewrite !mxE big_ord1 !mxE /=.
  by case: ifP => _; rewrite /line; ring.
rewrite relu_two (relu_id z0) chain_eval //; congr string.
by rewrite /move; set r' := relu _; rewrite /line; ring.
Qed.

(* a step does not move F where its line is on the losing side *)
Lemma move_keep q z F : sg q = 1 \/ sg q = -1 -> 0 <= sg q * (F - line q z) ->
  move q z F = F.
Proof.
by move=> [e|e] h; rewrite /move relu_id // e; ring.
Qed.
Lemma move_take q z F : sg q * (F - line q z) <= 0 -> move q z F = line q z.
Proof. by move=> h; rewrite /move relu_0 // mulr0 addr0. Qed.

(* the string through the points x_0 < x_1 < ... with slopes at most M *)
Lemma string_exists n (x y : nat -> R) M :
  (forall i j, (i < j)%N -> (j < n)%N -> `|y j - y i| <= M * (x j - x i)) ->
  forall j, (j < n)%N -> exists qs, size qs = j /\
    forall i, (i <= j)%N -> string qs (x i) (y 0%N) = y i.
Proof.
move=> slope; elim=> [|j IH] jn.
  by exists [::]; split=> // i; rewrite leqn0 => /eqP->.
have [qs [sz fit]] := IH (ltnW jn).
pose F := string qs (x j.+1) (y 0%N).
pose s : R := if F < y j.+1 then 1 else -1.
pose q := Step s (s * M) (y j.+1 - s * M * x j.+1).
have lineE z : line q z = y j.+1 - s * (M * (x j.+1 - z)) by rewrite /line /=; ring.
have s1 : sg q = 1 \/ sg q = -1 by rewrite /= /s; case: ifP => _; [left|right].
have ss : s * s = 1 by case: s1 => /= ->; rewrite ?mulr1 // mulrNN mulr1.
exists (rcons qs q); split=> [|i]; first by rewrite size_rcons sz.
rewrite leq_eqVlt => /orP[/eqP->|ij]; rewrite string_rcons.
  rewrite -/F move_take lineE subrr !mulr0 subr0 // /= /s.
  by case: (ltP F (y j.+1)) => h; rewrite ?mul1r ?mulN1r ?oppr_le0 ?subr_le0 ?subr_ge0 // ltW.
rewrite fit // move_keep // lineE /=.
have -> : s * (y i - (y j.+1 - s * (M * (x j.+1 - x i)))) =
   s * s * (M * (x j.+1 - x i)) - s * (y j.+1 - y i) by ring.
rewrite ss mul1r subr_ge0 (le_trans _ (slope _ _ ij jn)) //.
by apply: le_trans (ler_norm _) _; rewrite normrM; case: s1 => /= ->; rewrite ?normrN normr1 mul1r.
Qed.

(* ---- the counts ---- *)

Lemma depth_string d (a : 'rV[R]_d) c qs f0 :
  depth (string_net a c qs f0) = (size qs).+2.
Proof.
have h l fz fr g0 : depth (chain l fz fr g0) = (size l).+1.
  by elim: l fz fr g0 => //= q' l IH fz fr g0; rewrite IH.
by case: qs => //= q qs; rewrite h.
Qed.

Lemma units_string d (a : 'rV[R]_d) c qs f0 :
  units (string_net a c qs f0) = (2 * size qs + 1)%N.
Proof.
have h l fz fr g0 : units (chain l fz fr g0) = (2 * size l)%N.
  by elim: l fz fr g0 => //= q' l IH fz fr g0; rewrite IH; lia.
by case: qs => //= q qs; rewrite h; lia.
Qed.

Lemma width_string d (a : 'rV[R]_d) c qs f0 : (width (string_net a c qs f0) <= 2)%N.
Proof.
have h l fz fr g0 : (width (chain l fz fr g0) <= 2)%N.
  by elim: l fz fr g0 => //= q' l IH fz fr g0; rewrite geq_max IH.
by case: qs => //= q qs; rewrite !geq_max h.
Qed.

Lemma nnz_two s t : (nnz (two s t) <= (s != 0%R) + (t != 0%R))%N.
Proof.
rewrite /nnz big_ord1 2!big_ord_recl big_ord0 !mxE /= addn0; exact: leqnn.
Qed.

Lemma nnz_chain_w q fz fr : (nnz (chain_w q fz fr) <= 3)%N.
Proof.
rewrite /nnz 2!big_ord_recl big_ord0 !(big_ord_recl, big_ord0) !mxE /= eqxx.
by do 3 case: (_ != _).
Qed.

Lemma weights_string d (a : 'rV[R]_d) c qs f0 :
  (weights (string_net a c qs f0) <= d + 4 * size qs + 3)%N.
Proof.
have h l fz fr g0 : (weights (chain l fz fr g0) <= 4 * size l + 3)%N.
  elim: l fz fr g0 => [|q' l IH] fz fr g0 /=.
    have : (nnz (two fz fr)^T <= 2)%N by rewrite (leq_trans (nnz_le _)).
    by case: (g0 != 0) => /=; lia.
  have h1 := nnz_chain_w q' fz fr; have h2 := nnz_two 0 (sg q' * (g0 - be q')).
  have h3 := IH (al q') (sg q') (be q'); move: h2; rewrite eqxx /=.
  by case: (_ != _) => /=; lia.
have ha : (nnz a^T <= d)%N by rewrite (leq_trans (nnz_le _)) ?muln1.
have hc : (nnz (const_mx c : 'rV[R]_1) <= 1)%N by exact: (leq_trans (nnz_le _)).
case: qs => [|q qs] /=.
  by rewrite nnz0; case: (f0 != 0) => /=; lia.
have h1 : (nnz (two 1%R (- (sg q * al q))%R) <= 2)%N by rewrite (leq_trans (nnz_le _)).
have h2 := nnz_two 0 (sg q * (f0 - be q)); move: h2; rewrite eqxx /=.
by have := h qs (al q) (sg q) (be q); case: (_ != _) => /=; lia.
Qed.

(* ---- the theorem ---- *)

Theorem width2 n d (z : 'I_n -> 'rV[R]_d) : (0 < n)%N -> injective z ->
  forall y : 'I_n -> R, exists N : mlp R d,
  [/\ depth N = n.+1, units N = (2 * n - 1)%N, (width N <= 2)%N,
      (weights N <= 4 * n + d - 1)%N & forall i, eval N (z i) = y i].
Proof.
case: n z => // n z _ /separating[t ainj] y; have [pi xlt] := sort_inj ainj.
set a := moment d t%:R in ainj xlt.
pose c := \sum_i `|dot a (z i)|.
have x0 i : 0 <= dot a (z i) + c.
  rewrite -ler_subl_addl sub0r (le_trans (ler_norm _)) // normrN /c.
  by rewrite (bigD1 i) //= ler_addl sumr_ge0.
pose x i := dot a (z (pi (inord i))) + c; pose yy i := y (pi (inord i)).
pose slope (ij : 'I_n.+1 * 'I_n.+1) := `|yy ij.2 - yy ij.1| / `|x ij.2 - x ij.1|.
pose M := \sum_ij slope ij.
have [|qs [sz fit]] := @string_exists n.+1 x yy M _ n (ltnSn n).
  move=> i j ij jn; have iN := ltn_trans ij jn.
  have gap : 0 < x j - x i.
    by rewrite /x opprD addrACA subrr addr0 subr_gt0 xlt // !inordK.
  rewrite -ler_pdivr_mulr // -{1}(gtr0_norm gap).
  have -> : `|yy j - yy i| / `|x j - x i| = slope (Ordinal iN, Ordinal jn) by [].
  rewrite /M (bigD1 (Ordinal iN, Ordinal jn)) //= ler_addl sumr_ge0 // => k _.
  by rewrite mulr_ge0 // invr_ge0.
exists (string_net a c qs (yy 0%N)); split.
- by rewrite depth_string sz.
- by rewrite units_string sz; lia.
- exact: width_string.
- by apply: leq_trans (weights_string _ _ _ _) _; rewrite sz; lia.
move=> i; rewrite /string_net /=.
have -> : relu_mx (z i *m a^T + const_mx c) = const_mx (dot a (z i) + c).
  apply/rowP=> j; rewrite mxE [X in relu X]mxE [X in relu (X + _)]mxE !mxE ord1 -[RHS]relu_id //.
  by congr (relu (_ + _)); apply: eq_bigr => k _; rewrite !mxE mulrC.
rewrite chain1_eval //.
have := fit ((pi^-1)%g i) (ltn_ord ((pi^-1)%g i)).
by rewrite /x /yy inord_val permKV.
Qed.

End Width2.
