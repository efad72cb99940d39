(* Width 1 does not suffice, at any depth.

   A network whose hidden layers all have at most one unit is monotone along every
   line t |-> u + t v (not decreasing or not increasing), so it cannot take the
   values 0, 1, 0 at three points in order on a line.

   Idea: the first layer makes one affine number of t; ReLU and affine maps of one
   number keep it monotone. *)
From mathcomp Require Import all_ssreflect all_algebra.
From mathcomp Require Import ring.
From Shatter Require Import Relu Network.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Section Width1.
Variable R : realFieldType.

Definition monotone (f : R -> R) : Prop :=
  (forall s t, s <= t -> f s <= f t) \/ (forall s t, s <= t -> f t <= f s).

Lemma monotone_ext (f g : R -> R) : f =1 g -> monotone f -> monotone g.
Proof. by move=> e [h|h]; [left|right] => s t st; rewrite -!e h. Qed.

Lemma monotone_affine (f : R -> R) w c : monotone f -> monotone (fun t => f t * w + c).
Proof.
case: (leP 0 w) => [w0|/ltW w0] [] h; [left|right|right|left] => s t st;
  by rewrite ler_add2r ?(ler_wpmul2r w0) ?(ler_wnmul2r w0) ?h.
Qed.

Lemma monotone_relu (f : R -> R) : monotone f -> monotone (fun t => relu (f t)).
Proof. by case=> h; [left|right] => s t st; apply/relu_le/h. Qed.

Lemma monotone_const (c : R) : monotone (fun=> c). Proof. by left. Qed.

(* an affine function of at most one monotone number *)
Lemma monotone_sum p (h : R -> 'rV[R]_p) (w : 'I_p -> R) c : (p <= 1)%N ->
  (forall i, monotone (fun t => h t 0 i)) ->
  monotone (fun t => \sum_i h t 0 i * w i + c).
Proof.
case: p h w => [|[|p]] // h w _ mono.
  by apply: monotone_ext (monotone_const c) => t; rewrite big_ord0 add0r.
by apply: monotone_ext (monotone_affine (w 0) c (mono 0)) => t; rewrite big_ord1.
Qed.

Lemma eval_monotone p (N : mlp R p) (h : R -> 'rV[R]_p) : (p <= 1)%N ->
  (width N <= 1)%N -> (forall i, monotone (fun t => h t 0 i)) ->
  monotone (fun t => eval N (h t)).
Proof.
elim: N h => {p} [p w c|p q A b N IH] h p1 /= wN mono.
  apply: monotone_ext (monotone_sum (fun i => w i 0) c p1 mono) => t.
  by rewrite mxE.
move: wN; rewrite geq_max => /andP[q1 wN]; apply: IH => // j.
apply: monotone_ext (monotone_relu (monotone_sum (fun i => A i j) (b 0 j) p1 mono)) => t.
by rewrite !mxE.
Qed.

Lemma monotone_line p q (A : 'M[R]_(p, q)) (u v : 'rV[R]_p) c j :
  monotone (fun t => ((u + t *: v) *m A) 0 j + c).
Proof.
have H : monotone (fun t : R => t) by left.
apply: monotone_ext (monotone_affine ((v *m A) 0 j) ((u *m A) 0 j + c) H) => t.
rewrite mulmxDl -scalemxAl; set X := u *m A; set Y := v *m A.
by rewrite !mxE addrCA addrA.
Qed.

Theorem width1_monotone d (N : mlp R d) (u v : 'rV[R]_d) : (width N <= 1)%N ->
  monotone (fun t => eval N (u + t *: v)).
Proof.
case: N u v => {d} [p w c|p q A b N] u v /=; first by move=> _; exact: monotone_line.
rewrite geq_max => /andP[q1 wN]; apply: eval_monotone => // j.
apply: monotone_ext (monotone_relu (monotone_line A u v (b 0 j) j)) => t.
by set X := (u + t *: v) *m A; rewrite !mxE.
Qed.

Theorem width1_fails d (N : mlp R d) (u v : 'rV[R]_d) x0 x1 x2 : (width N <= 1)%N ->
  x0 < x1 -> x1 < x2 ->
  ~ [/\ eval N (u + x0 *: v) = 0, eval N (u + x1 *: v) = 1 & eval N (u + x2 *: v) = 0].
Proof.
move=> /(width1_monotone u v) mono /ltW x01 /ltW x12 [e0 e1 e2].
by case: mono => mono; have := mono _ _ x01; have := mono _ _ x12;
   rewrite e0 e1 e2 ?ler10.
Qed.

End Width1.
