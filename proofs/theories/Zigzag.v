(* Zigzag: n + d numbers and one sign fit any labels.

   For n distinct points z_1, ..., z_n of R^d and any real labels y_i there are
   a in R^d, b in R^n and a sign s such that

       sum_(j < n) w_j max (<a, z_i> - b_j, 0) = y_i   for every i,

   where the output weights are constants: w_1 = s0 and w_(j+1) = -2 s_(j-1)
   with the alternating signs s_i = (-1)^i s0, that is +-1, -+2, +-2, -+2, ...
   A vector of length n + d and one boolean are all the numbers of the network.
   (Theorem 1 of the paper has 2n + d; this form is a result of this project.)

   The construction.  Let x_1 < ... < x_n be the sorted numbers <a, z_i>, with a
   scaled so that |y_(i+1) - y_i| < x_(i+1) - x_i.  Take s0 = + if y_1 >= 0 else -,

       b_1 = x_1 - |y_1|,
       b_(i+1) = (x_i + x_(i+1)) / 2 + s_(i-1) (y_(i+1) - y_i) / 2.

   Idea: the slope of the network alternates between +1 and -1.  Right of b_1,
   ..., b_i the first i units add up to y_i + s_i (t - x_i) (piece_eq; by induction, one
   threshold at a time).  The scaling puts b_(i+1) strictly between x_i and
   x_(i+1), so at t = x_i exactly the first i units are active.

   The thresholds interleave strictly with the points if y_1 is not 0 (if y_1 = 0
   then b_1 = x_1 and only the first inequality fails), and there is no division
   by a gap: projections on 2^-q Z and labels on 2^-r Z give thresholds on
   2^-(max (q, r) + 1) Z (zz_threshold_dyadic), and for points on 2^-q Z there is an
   integer direction (zigzag_lattice). *)
From mathcomp Require Import all_ssreflect all_algebra all_fingroup.
From mathcomp Require Import ring.
From Shatter Require Import Relu Lemma1 Projection Theorem1.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Section Formula.
Variable R : realFieldType.
Implicit Types (x y : nat -> R) (s : bool).

(* the alternating sign (-1)^i s0, where the boolean s says that s0 = -1 *)
Definition zz_sign s (i : nat) : R := (-1) ^+ (s + i).

(* the constant output weights *)
Definition zz_weight s (j : nat) : R :=
  if j is i.+1 then - 2%:R * zz_sign s i else zz_sign s 0.

(* the thresholds *)
Definition zz_threshold x y s (j : nat) : R :=
  if j is i.+1 then (x i + x i.+1) / 2%:R + zz_sign s i * (y i.+1 - y i) / 2%:R
  else x 0%N - `|y 0%N|.

Lemma zz_signS s i : zz_sign s i.+1 = - zz_sign s i.
Proof. by rewrite /zz_sign addnS exprS mulN1r. Qed.

Lemma zz_sign_sq s i : zz_sign s i * zz_sign s i = 1.
Proof. by rewrite -expr2 /zz_sign sqrr_sign. Qed.

Lemma zz_sign_norm s i t : `|zz_sign s i * t| = `|t|.
Proof. by rewrite normrMsign. Qed.

Lemma zz_sign0 y : zz_sign (y 0%N < 0) 0 * `|y 0%N| = y 0%N.
Proof. by rewrite /zz_sign addn0 -numEsign. Qed.

Lemma half (t : R) : t / 2%:R + t / 2%:R = t.
Proof. by rewrite -mulrDl -mulr2n -mulr_natr mulfK // pnatr_eq0. Qed.

(* the sum of the first i + 1 units, all active, is a line of slope +-1 through
   (x_i, y_i) *)
Lemma piece_eq x y i t : let s := y 0%N < 0 in
  \sum_(j < i.+1) zz_weight s j * (t - zz_threshold x y s j)
  = y i + zz_sign s i * (t - x i).
Proof.
move=> s; elim: i => [|i IH]; rewrite big_ord_recr /=.
  by rewrite big_ord0 add0r opprB addrA mulrBr mulrDr -/s zz_sign0; ring.
rewrite IH zz_signS; set sg := zz_sign s i; set dy := y i.+1 - y i.
have -> : - 2%:R * sg * (t - ((x i + x i.+1) / 2%:R + sg * dy / 2%:R)) =
   - sg * (t + t - ((x i + x i.+1) / 2%:R + (x i + x i.+1) / 2%:R))
   + sg * sg * (dy / 2%:R + dy / 2%:R) by ring.
by rewrite !half zz_sign_sq /dy; ring.
Qed.

(* the label differences are smaller than the gaps *)
Definition steep n x y : Prop :=
  forall i, (i.+1 < n)%N -> `|y i.+1 - y i| < x i.+1 - x i.

Lemma steep_lt n x y i j : steep n x y -> (i < j)%N -> (j < n)%N -> x i < x j.
Proof.
move=> st; elim: j => // j IH; rewrite ltnS leq_eqVlt => /orP[/eqP->|ij] jn.
  by rewrite -subr_gt0 (le_lt_trans _ (st _ jn)).
by apply: lt_trans (IH ij (ltnW jn)) _; rewrite -subr_gt0 (le_lt_trans _ (st _ jn)).
Qed.

Lemma steep_le n x y i j : steep n x y -> (i <= j)%N -> (j < n)%N -> x i <= x j.
Proof.
by move=> st; rewrite leq_eqVlt => /orP[/eqP->//|ij] jn; apply/ltW/(steep_lt st).
Qed.

(* b_(i+1) is strictly between x_i and x_(i+1) *)
Lemma threshold_inside n x y s i : steep n x y -> (i.+1 < n)%N ->
  x i < zz_threshold x y s i.+1 < x i.+1.
Proof.
move=> st /st; rewrite -(zz_sign_norm s i) ltr_norml => /andP[lo hi] /=.
set e := zz_sign s i * _ in lo hi *; rewrite -mulrDl ltr_pdivl_mulr ?ltr0n // ltr_pdivr_mulr ?ltr0n //.
rewrite !mulr_natr !mulr2n; apply/andP; split.
  by rewrite -addrA ltr_add2l -ltr_subl_addl -opprB.
by rewrite addrAC ltr_add2r -ltr_subr_addl.
Qed.

Lemma threshold_le n x y s j : steep n x y -> (j < n)%N -> zz_threshold x y s j <= x j.
Proof.
move=> st; case: j => [|j] jn; first by rewrite /= ler_subl_addr ler_addl.
by have /andP[_ /ltW] := threshold_inside s st jn.
Qed.

(* The network with these formulas fits: the statement about the numbers that
   the program writes, for sorted projections x and labels y. *)
Theorem zigzag_fit n x y : steep n x y ->
  let s := y 0%N < 0 in forall i, (i < n)%N ->
  \sum_(j < n) zz_weight s j * relu (x i - zz_threshold x y s j) = y i.
Proof.
move=> st s i ni.
rewrite -(subnKC ni) big_split_ord /= [X in _ + X]big1 ?addr0; last first.
  move=> j _; rewrite relu_0 ?mulr0 // subr_le0.
  have jn : ((i + j).+1 < n)%N by rewrite -addSn -ltn_subRL.
  have /andP[/ltW h _] := threshold_inside s st jn.
  by apply: le_trans h; apply: steep_le st (leq_addr _ _) (ltnW jn).
have := piece_eq x y i (x i); rewrite /= subrr mulr0 addr0 => <-.
apply: eq_bigr => j _; rewrite relu_id // subr_ge0.
have ji : (j <= i)%N by rewrite -ltnS.
apply: le_trans (threshold_le s st (leq_ltn_trans ji ni)) _.
exact: steep_le st ji ni.
Qed.

(* strict interleaving, unless the first label is 0 *)
Theorem zigzag_interleaving n x y s : steep n x y -> y 0%N != 0 ->
  interleaving (fun i : 'I_n => zz_threshold x y s i) (fun i : 'I_n => x i).
Proof.
move=> st y0; split=> [[[|i] hi]|i j e].
- by rewrite /= ltr_subl_addr ltr_addl normr_gt0.
- by have /andP[_] := threshold_inside s st hi.
- have := ltn_ord j; rewrite e => hj; by have /andP[] := threshold_inside s st hj.
Qed.

(* the weights once more, in words: +-1, then -+2, +-2, ... *)
Theorem zz_weightE s : zz_weight s 0 = (-1) ^+ s /\
  forall j, zz_weight s j.+1 = (-1) ^+ (s + j).+1 * 2%:R.
Proof.
split=> [|j]; first by rewrite /= /zz_sign addn0.
by rewrite /= /zz_sign exprS; ring.
Qed.

End Formula.

Section Zigzag.
Variable R : realFieldType.

(* the numbers of a zigzag network: n thresholds, then the direction *)
Definition zz_b n d (p : 'rV[R]_(n + d)) : 'rV[R]_n := lsubmx p.
Definition zz_a n d (p : 'rV[R]_(n + d)) : 'rV[R]_d := rsubmx p.

(* it is the network of Theorem 1 with the constant output weights *)
Definition zz_net n d (p : 'rV[R]_(n + d)) (s : bool) : 'rV[R]_d -> R :=
  net (mk_params (zz_a p) (zz_b p) (\row_(j < n) zz_weight R s j)).

Lemma zz_netE n d (p : 'rV[R]_(n + d)) s z :
  zz_net p s z = \sum_(j < n) zz_weight R s j * relu (dot (zz_a p) z - zz_b p 0 j).
Proof.
by rewrite /zz_net /net par_aE par_bE par_wE; apply: eq_bigr => j _; rewrite mxE.
Qed.

(* The construction on points: for any direction a whose projections, listed in the
   order pi, are increasing and steep, the thresholds of the formulas fit. *)
Theorem zigzag_direction n d (z : 'I_n.+1 -> 'rV[R]_d) (y : 'I_n.+1 -> R)
    (a : 'rV[R]_d) (pi : 'S_n.+1) :
  let x i := dot a (z (pi (inord i))) in let yy i := y (pi (inord i)) in
  steep n.+1 x yy ->
  let s := yy 0%N < 0 in
  let b := \row_(j < n.+1) zz_threshold x yy s j in
  [/\ forall i, zz_net (row_mx b a) s (z i) = y i,
      forall i j : 'I_n.+1, (i < j)%N -> dot a (z (pi i)) < dot a (z (pi j))
    & y (pi 0) != 0 -> interleaving (b 0) (fun i => dot a (z (pi i)))].
Proof.
move=> x yy st s b; split=> [i|i j ij|y0].
- rewrite zz_netE /zz_a /zz_b row_mxKl row_mxKr.
  rewrite -[i](permKV pi) -[(pi^-1)%g i]inord_val -/(yy _) -(zigzag_fit st) //.
  by apply: eq_bigr => j _; rewrite mxE.
- by have := steep_lt st ij (ltn_ord j); rewrite /x !inord_val.
- have y0' : yy 0%N != 0 by rewrite /yy (_ : inord 0 = 0) //; apply: val_inj; rewrite /= inordK.
  have [h1 h2] := zigzag_interleaving s st y0'.
  split=> [i|i j ij]; first by have := h1 i; rewrite mxE /x inord_val.
  by have := h2 i j ij; rewrite mxE /x inord_val.
Qed.

(* n + d numbers and one sign, with everything said about them *)
Theorem zigzag_full n d (z : 'I_n -> 'rV[R]_d) : injective z -> forall y : 'I_n -> R,
  exists (p : 'rV[R]_(n + d)) (s : bool) (pi : 'S_n),
  [/\ forall i, zz_net p s (z i) = y i,
      forall i j : 'I_n, (i < j)%N -> dot (zz_a p) (z (pi i)) < dot (zz_a p) (z (pi j))
    & (forall i : 'I_n, i = 0%N :> nat -> y (pi i) != 0) ->
      interleaving (zz_b p 0) (fun i => dot (zz_a p) (z (pi i)))].
Proof.
case: n z => [|n] z zinj y.
  by exists 0, false, 1%g; split=> [[]|[]|_] //; split=> [[]|[]].
have [k ainj] := separating zinj; have [pi xlt] := sort_inj ainj.
set a := moment d k%:R in xlt.
(* a scale S that beats every quotient |dy| / gap *)
pose q i := `|y (pi (inord i.+1)) - y (pi (inord i))| /
   (dot a (z (pi (inord i.+1))) - dot a (z (pi (inord i)))).
pose S := 1 + \sum_(i < n) `|q i|.
have qS (i : 'I_n) : q i < S.
  rewrite /S (le_lt_trans (ler_norm _)) // (bigD1 i) //= addrCA ltr_addl.
  by rewrite ltr_spaddl ?ltr01 // sumr_ge0.
have gap0 i : (i.+1 < n.+1)%N ->
   0 < dot a (z (pi (inord i.+1))) - dot a (z (pi (inord i))).
  by move=> hi; rewrite subr_gt0 xlt // !inordK ?ltnSn // ltnW.
have [|h1 h2 h3] := @zigzag_direction n d z y (S *: a) pi.
  move=> i hi; rewrite !dotZl -mulrBr -ltr_pdivr_mulr ?gap0 //.
  exact: (qS (Ordinal (hi : (i < n)%N))).
eexists (row_mx _ (S *: a)), _, pi; rewrite /zz_a /zz_b row_mxKl row_mxKr.
split=> [i|//|y0]; [exact: h1|exact/h3/y0].
Qed.

(* the statement with nothing else *)
Theorem zigzag n d (z : 'I_n -> 'rV[R]_d) : injective z -> forall y : 'I_n -> R,
  exists (p : 'rV[R]_(n + d)) (s : bool), forall i, zz_net p s (z i) = y i.
Proof. by move=> zinj y; have [p [s [_ [fit _ _]]]] := zigzag_full zinj y; exists p, s. Qed.

(* t lies on the lattice 2^-q Z *)
Definition dyadic (q : nat) (t : R) : Prop := exists m : int, t = m%:~R / 2%:R ^+ q.

Lemma pow2_gt0 q : 0 < 2%:R ^+ q :> R. Proof. by rewrite exprn_gt0 // ltr0n. Qed.
Lemma pow2_neq0 q : 2%:R ^+ q != 0 :> R. Proof. by rewrite gt_eqF // pow2_gt0. Qed.

Lemma dyadicD q s t : dyadic q s -> dyadic q t -> dyadic q (s + t).
Proof. by move=> [m ->] [k ->]; exists (m + k); rewrite rmorphD mulrDl. Qed.
Lemma dyadicN q t : dyadic q t -> dyadic q (- t).
Proof. by move=> [m ->]; exists (- m); rewrite rmorphN mulNr. Qed.
Lemma dyadicB q s t : dyadic q s -> dyadic q t -> dyadic q (s - t).
Proof. by move=> hs /dyadicN; exact: dyadicD. Qed.
Lemma dyadic_sign q s i t : dyadic q t -> dyadic q (zz_sign R s i * t).
Proof.
by rewrite /zz_sign -signr_odd; case: odd => h; rewrite ?mul1r // mulN1r; exact: dyadicN.
Qed.
Lemma dyadic_norm q t : dyadic q t -> dyadic q `|t|.
Proof.
by case: (leP 0 t) => [/ger0_norm->|/ltW/ler0_norm->] // h; exact: dyadicN.
Qed.
(* an integer multiple stays on the lattice *)
Lemma dyadicM q s t : dyadic 0 s -> dyadic q t -> dyadic q (s * t).
Proof. by move=> [m ->] [k ->]; exists (m * k); rewrite expr0 divr1 mulrA rmorphM. Qed.
Lemma dyadic_half q t : dyadic q t -> dyadic q.+1 (t / 2%:R).
Proof. by move=> [m ->]; exists m; rewrite exprSr invfM mulrA. Qed.
Lemma dyadic0 (m : int) : dyadic 0 m%:~R.
Proof. by exists m; rewrite expr0 divr1. Qed.
Lemma dyadicW q r t : (q <= r)%N -> dyadic q t -> dyadic r t.
Proof.
move=> /subnK <- [m ->]; exists (m * 2 ^+ (r - q)).
by rewrite rmorphM rmorphX exprD invfM mulrA mulfK // pow2_neq0.
Qed.
Lemma dyadic_sum q (I : finType) (F : I -> R) :
  (forall i, dyadic q (F i)) -> dyadic q (\sum_i F i).
Proof. by move=> h; elim/big_ind: _ => //; [exists 0; rewrite mul0r|exact: dyadicD]. Qed.

(* a positive number of the lattice is at least one grain *)
Lemma dyadic_ge q t : dyadic q t -> 0 < t -> (2%:R ^+ q)^-1 <= t.
Proof.
move=> [m ->]; rewrite pmulr_lgt0 ?invr_gt0 ?pow2_gt0 // => m0.
rewrite -[X in X <= _]mul1r ler_pmul2r ?invr_gt0 ?pow2_gt0 //.
by move: m0; rewrite ltr0z -[1]/(1%:~R) ler_int.
Qed.

(* a number of the lattice is below some power of two *)
Lemma dyadic_bound q t : dyadic q t -> exists k : nat, `|t| < 2%:R ^+ k.
Proof.
move=> [m ->]; exists `|m|%N; rewrite normrM normfV (gtr0_norm (pow2_gt0 _)).
rewrite ltr_pdivr_mulr ?pow2_gt0 // -intr_norm -abszE -exprD.
apply: (@lt_le_trans _ _ (2%:R ^+ `|m|%N)).
  by rewrite -natrX -pmulrn ltr_nat ltn_expl.
by rewrite ler_eexpn2l ?leq_addr // ltr1n.
Qed.

(* The thresholds of any projections and labels on lattices are dyadic: the
   formulas divide by 2 only. *)
Theorem zz_threshold_dyadic (x y : nat -> R) (s : bool) q r :
  (forall i, dyadic q (x i)) -> (forall i, dyadic r (y i)) ->
  forall j, dyadic (maxn q r).+1 (zz_threshold x y s j).
Proof.
move=> xq yr; have {}xq i := dyadicW (leq_maxl q r) (xq i).
have {}yr i := dyadicW (leq_maxr q r) (yr i).
case=> [|i] /=.
  by apply: (@dyadicW (maxn q r)) => //; apply: dyadicB => //; exact: dyadic_norm.
by apply: dyadicD; apply: dyadic_half; [exact: dyadicD|apply/dyadic_sign/dyadicB].
Qed.

(* Lattice points and labels: an integer direction and dyadic thresholds.  With
   q = r = 0 (integer points and labels) all thresholds are half integers. *)
Theorem zigzag_lattice n d (z : 'I_n -> 'rV[R]_d) (y : 'I_n -> R) q r :
  injective z -> (forall i k, dyadic q (z i 0 k)) -> (forall i, dyadic r (y i)) ->
  exists (p : 'rV[R]_(n + d)) (s : bool),
  [/\ forall i, zz_net p s (z i) = y i,
      forall k, exists m : int, zz_a p 0 k = m%:~R
    & forall j, dyadic (maxn q r).+1 (zz_b p 0 j)].
Proof.
case: n z y => [|n] z y zinj zq yr.
  by exists 0, false; split=> [[]|k|[]] //; exists 0; rewrite !mxE.
have [k ainj] := separating zinj; have [pi xlt] := sort_inj ainj.
set a := moment d k%:R in xlt.
have aint j : dyadic 0 (a 0 j) by rewrite mxE -natrX; exact: (dyadic0 (Posz _)).
pose dy i := y (pi (inord i.+1)) - y (pi (inord i)).
(* a power of two that beats every quotient |dy| / gap, as a gap is at least 2^-q *)
have [K hK] : exists K : nat, forall i : 'I_n, `|dy i| < 2%:R ^+ K.
  have h (i : 'I_n) : exists K : nat, `|dy i| < 2%:R ^+ K.
    by apply: (@dyadic_bound r); apply: dyadicB.
  have [f hf] := fin_all_exists h.
  exists (\max_i f i) => i; apply: lt_le_trans (hf i) _.
  by rewrite ler_eexpn2l ?ltr1n // leq_bigmax.
pose S : R := 2%:R ^+ (q + K).
have Sint : dyadic 0 S by rewrite /S -natrX; exact: (dyadic0 (Posz _)).
have Sa_int j : dyadic 0 ((S *: a) 0 j) by rewrite mxE; apply: dyadicM.
have xq i : dyadic q (dot (S *: a) (z i)).
  by apply: dyadic_sum => j; apply: dyadicM.
have [|h1 _ _] := @zigzag_direction n d z y (S *: a) pi.
  move=> i hi; have hin : (i < n)%N by [].
  apply: lt_le_trans (hK (Ordinal hin)) _; rewrite !dotZl -mulrBr /S exprD -mulrA mulrCA.
  rewrite ler_pmulr ?pow2_gt0 // -ler_pdivr_mull ?pow2_gt0 // mulr1.
  apply: dyadic_ge; last by rewrite subr_gt0 xlt // !inordK ?ltnSn // ltnW.
  have aq l : dyadic q (dot a (z l)).
    by apply: dyadic_sum => j; apply: dyadicM.
  exact: dyadicB.
eexists (row_mx _ (S *: a)), _; rewrite /zz_a /zz_b row_mxKl row_mxKr.
split=> [i|j|j]; first exact: h1.
  by have [m ->] := Sa_int j; exists m; rewrite expr0 divr1.
by rewrite mxE; apply: zz_threshold_dyadic => i; [exact: xq|exact: yr].
Qed.

End Zigzag.
