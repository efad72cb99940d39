(* Definitions that every statement of this folder shares.

   relu t = max (t, 0).

   The two-layer network of Theorem 1 (Zhang, Bengio, Hardt, Recht and Vinyals,
   ICLR 2017) with n hidden units on R^d is

       c(z) = sum_(j < n) w_j max (<a, z> - b_j, 0).

   All its numbers form one vector: d entries of a, then n of b, then n of w. *)
From mathcomp Require Import all_ssreflect all_algebra.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Section Relu.
Variable R : realDomainType.

Definition relu (t : R) : R := Num.max t 0.

Lemma relu_ge0 t : 0 <= relu t. Proof. by rewrite /relu le_maxr lexx orbT. Qed.
Lemma relu_ge t : t <= relu t. Proof. by rewrite /relu le_maxr lexx. Qed.
Lemma relu_id t : 0 <= t -> relu t = t. Proof. by move=> h; rewrite /relu max_l. Qed.
Lemma relu_0 t : t <= 0 -> relu t = 0. Proof. by move=> h; rewrite /relu max_r. Qed.
Lemma relu_le s t : s <= t -> relu s <= relu t.
Proof. by move=> st; rewrite /relu le_maxl !le_maxr st lexx orbT. Qed.

(* the inner product <a, z> *)
Definition dot d (a z : 'rV[R]_d) : R := \sum_k a 0 k * z 0 k.

Lemma dotB d (a u v : 'rV[R]_d) : dot a (u - v) = dot a u - dot a v.
Proof. by rewrite /dot -sumrB; apply: eq_bigr => k _; rewrite !mxE mulrBr. Qed.

Lemma dotZl d t (a u : 'rV[R]_d) : dot (t *: a) u = t * dot a u.
Proof. by rewrite /dot mulr_sumr; apply: eq_bigr => k _; rewrite mxE mulrA. Qed.

(* the inner product along the line t |-> u + t v *)
Lemma dot_line d (a u v : 'rV[R]_d) t : dot a (u + t *: v) = dot a v * t + dot a u.
Proof.
rewrite /dot mulr_suml -big_split; apply: eq_bigr => k _ /=.
by rewrite !mxE mulrDr addrC -mulrA [v 0 k * t]mulrC.
Qed.

(* the numbers of a two-layer network, as one vector *)
Definition params n d := 'rV[R]_(d + (n + n)).
Definition par_a n d (p : params n d) : 'rV[R]_d := lsubmx p.
Definition par_b n d (p : params n d) : 'rV[R]_n := lsubmx (rsubmx p).
Definition par_w n d (p : params n d) : 'rV[R]_n := rsubmx (rsubmx p).

Definition mk_params n d (a : 'rV[R]_d) (b w : 'rV[R]_n) : params n d :=
  row_mx a (row_mx b w).

Lemma par_aE n d a (b w : 'rV[R]_n) : par_a (@mk_params n d a b w) = a.
Proof. exact: row_mxKl. Qed.
Lemma par_bE n d a (b w : 'rV[R]_n) : par_b (@mk_params n d a b w) = b.
Proof. by rewrite /par_b row_mxKr row_mxKl. Qed.
Lemma par_wE n d a (b w : 'rV[R]_n) : par_w (@mk_params n d a b w) = w.
Proof. by rewrite /par_w row_mxKr row_mxKr. Qed.

(* the network of Theorem 1 *)
Definition net n d (p : params n d) (z : 'rV[R]_d) : R :=
  \sum_(j < n) par_w p 0 j * relu (dot (par_a p) z - par_b p 0 j).

Lemma params_count n d : (d + (n + n) = 2 * n + d)%N.
Proof. by rewrite mul2n addnn addnC. Qed.

(* the same network, read from a vector whose length is written 2n + d *)
Definition net2nd n d (q : 'rV[R]_(2 * n + d)) : 'rV[R]_d -> R :=
  net (castmx (erefl, esym (params_count n d)) q).

End Relu.
