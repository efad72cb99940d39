(* Linear functions of least norm (Zhang et al. 2017, section 5).

   X is the n by d matrix of the points x_1, ..., x_n, its rows, y the labels; w fits if
   <w, x_i> = y_i for all i.

   1. If w fits and is in the span of the points, any u that fits has
      <u, u> = <w, w> + <u - w, u - w>: w is the one solution of least norm.  If anything
      fits, there is such a w; if the points are independent it is y (X X^T)^-1 X.
   2. Gradient descent from 0 stays in the span of the points, whatever the batches, the
      losses, the rates, the momentum and the weight decay of its steps; so where it fits,
      it has found the solution of least norm.
   3. For losses that are polynomials in the output, the Hessian of the mean loss is the
      same at all w that fit, (1/n) X^T diag(b) X with b_i = l_i''(y_i); if n < d it is
      singular.

   Idea.  (1) u - w is orthogonal to every point, hence to w.  (2) A step adds multiples of
   points, since the gradient of l(<w, x>) is l'(<w, x>) x.  (3) By the chain rule the
   Hessian depends on w through the outputs <w, x_i> alone. *)
From mathcomp Require Import all_ssreflect all_algebra.
From Shatter Require Import Relu.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Section Definitions.
Variables (R : realFieldType) (n d : nat).

Definition in_span (X : 'M[R]_(n, d)) (w : 'rV[R]_d) : Prop := exists a : 'rV[R]_n, w = a *m X.

Definition fits (X : 'M[R]_(n, d)) (y : 'I_n -> R) (w : 'rV[R]_d) : Prop :=
  forall i, dot w (row i X) = y i.

(* A step of descent: how often the batch has point i, the derivative of the loss of
   point i in the output, the rate, the momentum and the weight decay. *)
Record gradient_step : Type := GradientStep {
  batch : 'I_n -> nat;
  slope : 'I_n -> R -> R;
  rate : R;
  momentum : R;
  decay : R }.

(* from the weights and the velocity to the next ones *)
Definition take_step (X : 'M[R]_(n, d)) (s : 'rV[R]_d * 'rV[R]_d) (t : gradient_step) :=
  let v := momentum t *: s.2 +
    \sum_i (slope t i (dot s.1 (row i X)) *+ batch t i) *: row i X in
  ((1 - decay t) *: s.1 - rate t *: v, v).

Definition descent (X : 'M[R]_(n, d)) (ts : seq gradient_step) : 'rV[R]_d * 'rV[R]_d :=
  foldl (take_step X) (0, 0) ts.

(* the mean loss at w + t v, as a polynomial in t *)
Definition loss_along (X : 'M[R]_(n, d)) (l : 'I_n -> {poly R}) (w v : 'rV[R]_d) : {poly R} :=
  n%:R^-1 *: \sum_i (l i \Po ((dot w (row i X))%:P + dot v (row i X) *: 'X)).

Definition hessian (X : 'M[R]_(n, d)) (b : 'I_n -> R) : 'M[R]_d :=
  n%:R^-1 *: (X^T *m diag_mx (\row_i b i) *m X).

End Definitions.

Section Norm.
Variable R : realFieldType.

Lemma dotE d (a z : 'rV[R]_d) : dot a z = (a *m z^T) 0 0.
Proof. by rewrite mxE; apply: eq_bigr => k _; rewrite mxE. Qed.

Lemma dotC d (a z : 'rV[R]_d) : dot a z = dot z a.
Proof. by apply: eq_bigr => k _; rewrite mulrC. Qed.

Lemma dot_ge0 d (v : 'rV[R]_d) : 0 <= dot v v.
Proof. by apply: sumr_ge0 => k _; rewrite -expr2 sqr_ge0. Qed.

Lemma dot_eq0 d (v : 'rV[R]_d) : dot v v = 0 -> v = 0.
Proof.
move=> h; apply/rowP => k; rewrite mxE; apply/eqP; rewrite -sqrf_eq0 expr2.
by apply/eqP; apply: (psumr_eq0P _ h) => // j _; rewrite -expr2 sqr_ge0.
Qed.

Lemma fitsE n d (X : 'M[R]_(n, d)) y w : fits X y w <-> w *m X^T = \row_i y i.
Proof.
have E i : dot w (row i X) = (w *m X^T) 0 i.
  by rewrite mxE; apply: eq_bigr => k _; rewrite !mxE.
split=> [h|h i]; last by rewrite E h mxE.
by apply/rowP => i; rewrite -E h mxE.
Qed.

(* what is orthogonal to every point is orthogonal to the span *)
Lemma span_orth n d (X : 'M[R]_(n, d)) (w v : 'rV[R]_d) :
  in_span X w -> v *m X^T = 0 -> dot w v = 0.
Proof. by case=> a -> h; rewrite dotC dotE trmx_mul mulmxA h mul0mx mxE. Qed.

Theorem least_norm n d (X : 'M[R]_(n, d)) y (w : 'rV[R]_d) : in_span X w -> fits X y w ->
  forall u, fits X y u ->
  [/\ dot u u = dot w w + dot (u - w) (u - w), dot w w <= dot u u
    & dot u u = dot w w -> u = w].
Proof.
move=> sw /fitsE fw u /fitsE fu.
have o : dot w (u - w) = 0 by apply: span_orth sw _; rewrite mulmxBl fu fw subrr.
have P : dot u u = dot w w + dot (u - w) (u - w).
  have F : dot u w = dot w w by apply/eqP; rewrite dotC -subr_eq0 -dotB o.
  by rewrite dotB [dot (u - w) u]dotC [dot (u - w) w]dotC o subr0 dotB F addrC subrK.
split=> //; first by rewrite P ler_addl dot_ge0.
move=> e; apply/eqP; rewrite -subr_eq0; apply/eqP/dot_eq0.
by apply: (@addrI _ (dot w w)); rewrite -P e addr0.
Qed.

(* the Gram matrix of independent points *)
Lemma gram_unit n d (X : 'M[R]_(n, d)) : row_free X -> X *m X^T \in unitmx.
Proof.
move=> f; rewrite -row_free_unit -kermx_eq0; apply/rowV0P => a /sub_kermxP h.
have e : a *m X = 0.
  by apply: dot_eq0; rewrite dotE trmx_mul !mulmxA -[a *m X *m _]mulmxA h mul0mx mxE.
by apply: (row_free_inj f); rewrite e mul0mx.
Qed.

Theorem least_norm_formula n d (X : 'M[R]_(n, d)) (y : 'I_n -> R) : row_free X ->
  let w := (\row_i y i) *m invmx (X *m X^T) *m X in
  [/\ X *m X^T \in unitmx, in_span X w & fits X y w].
Proof.
move=> /gram_unit u w; split=> //; first by exists ((\row_i y i) *m invmx (X *m X^T)).
by apply/fitsE; rewrite /w -mulmxA mulmxKV.
Qed.

Theorem least_norm_unique n d (X : 'M[R]_(n, d)) y (u : 'rV[R]_d) : fits X y u ->
  exists! w, in_span X w /\ fits X y w.
Proof.
move=> /fitsE fu; pose B := row_base X; pose w := u *m B^T *m invmx (B *m B^T) *m B.
have wB : w *m B^T = u *m B^T by rewrite /w -mulmxA mulmxKV // gram_unit ?row_base_free.
have sw : in_span X w.
  suff /submxP[a ->] : (w <= X)%MS by exists a.
  by rewrite (submx_trans (submxMl _ _)) // eq_row_base.
have fw : fits X y w.
  apply/fitsE; rewrite -fu; have /submxP[C XE] : (X <= B)%MS by rewrite eq_row_base.
  by rewrite XE trmx_mul !mulmxA wB.
exists w; split=> // w' [sw' fw'].
have [_ le _] := least_norm sw' fw' fw; have [_ ge eq] := least_norm sw fw fw'.
by rewrite eq //; apply: le_anti; rewrite le ge.
Qed.

End Norm.

Section Descent.
Variables (R : realFieldType) (n d : nat) (X : 'M[R]_(n, d)).

Lemma span0 : in_span X 0. Proof. by exists 0; rewrite mul0mx. Qed.

Lemma spanD u v : in_span X u -> in_span X v -> in_span X (u + v).
Proof. by case=> a -> [b ->]; exists (a + b); rewrite mulmxDl. Qed.

Lemma spanZ c u : in_span X u -> in_span X (c *: u).
Proof. by case=> a ->; exists (c *: a); rewrite scalemxAl. Qed.

Lemma span_row i : in_span X (row i X).
Proof. by exists (delta_mx 0 i); rewrite -rowE. Qed.

Theorem descent_span (ts : seq (gradient_step R n)) :
  in_span X (descent X ts).1 /\ in_span X (descent X ts).2.
Proof.
rewrite /descent; have : in_span X (0, 0 : 'rV[R]_d).1 /\ in_span X (0 : 'rV[R]_d, 0).2.
  by split; apply: span0.
elim: ts (0, 0) => //= t ts IH [w v] /= [sw sv]; apply: IH => /=.
have sv' : in_span X (momentum t *: v +
    \sum_i (slope t i (dot w (row i X)) *+ batch t i) *: row i X).
  apply: spanD; first exact: spanZ.
  apply: big_ind => [||i _]; [exact: span0 | exact: spanD | exact/spanZ/span_row].
split=> //; apply: spanD; first exact: spanZ.
by rewrite -scaleNr; apply: spanZ.
Qed.

Theorem descent_least_norm (y : 'I_n -> R) (ts : seq (gradient_step R n)) :
  let w := (descent X ts).1 in fits X y w -> forall u, fits X y u ->
  dot w w <= dot u u /\ (dot u u = dot w w -> u = w).
Proof.
by move=> w fw u fu; have [sw _] := descent_span ts; have [_ h1 h2] := least_norm sw fw fu.
Qed.

End Descent.

Section Curvature.
Variables (R : realFieldType) (n d : nat) (X : 'M[R]_(n, d)).

Theorem equal_curvature (y : 'I_n -> R) (l : 'I_n -> {poly R}) (w : 'rV[R]_d) : fits X y w ->
  forall v, (loss_along X l w v)^`(2).[0] =
    (v *m hessian X (fun i => (l i)^`(2).[y i]) *m v^T) 0 0.
Proof.
move=> f v; rewrite /loss_along /hessian.
have line c b : ((c%:P + b *: 'X : {poly R})^`() = b%:P) /\ (c%:P + b *: 'X).[0] = c.
  rewrite derivD derivC derivZ derivX add0r -mul_polyC mulr1; split=> //.
  by rewrite hornerD hornerC hornerZ hornerX mulr0 addr0.
have second (p : {poly R}) c b :
    (p \Po (c%:P + b *: 'X))^`(2).[0] = b ^+ 2 * p^`(2).[c].
  have [D E] := line c b; rewrite !derivnS !derivn0 deriv_comp D derivM derivC mulr0 addr0.
  by rewrite deriv_comp D !hornerM !hornerC horner_comp E expr2 -mulrA mulrC.

rewrite derivnZ hornerZ -scalemxAr -scalemxAl mxE; congr (_ * _).
have a i : dot v (row i X) = (v *m X^T) 0 i.
  by rewrite mxE; apply: eq_bigr => k _; rewrite !mxE.
have -> : v *m (X^T *m diag_mx (\row_i (l i)^`(2).[y i]) *m X) *m v^T =
    v *m X^T *m diag_mx (\row_i (l i)^`(2).[y i]) *m (v *m X^T)^T.
  by rewrite trmx_mul trmxK !mulmxA.
rewrite raddf_sum horner_sum mxE /=; apply: eq_bigr => i _.
by rewrite second f a mul_mx_diag !mxE expr2 mulrAC.
Qed.

(* in a direction of the kernel of X the solutions go on, and the loss is flat *)
Theorem hessian_singular (b : 'I_n -> R) : (n < d)%N ->
  exists v : 'rV[R]_d, [/\ v != 0, v *m X^T = 0 & hessian X b *m v^T = 0].
Proof.
move=> nd; have : kermx X^T != 0.
  rewrite kermx_eq0 /row_free; apply: contraTneq nd => r.
  by rewrite -leqNgt -r; apply: rank_leq_col.
case/rowV0Pn => v /sub_kermxP vX v0; exists v; split=> //.
by rewrite /hessian -scalemxAl -!mulmxA -[X]trmxK -trmx_mul trmxK vX trmx0 !mulmx0 scaler0.
Qed.

End Curvature.
