(* Layered ReLU networks with one real output, and what is counted of them.

   A network on R^p is an affine output h |-> h w + c, or a hidden layer
   h |-> max (h A + b, 0) with q units followed by a network on R^q.

       depth    the number of affine maps (a network with one hidden layer has 2)
       units    the number of hidden units
       width    the largest number of units in a hidden layer (0 without one)
       weights  the number of weights and biases that are not zero *)
From mathcomp Require Import all_ssreflect all_algebra.
From Shatter Require Import Relu.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Section Network.
Variable R : realFieldType.

Inductive mlp : nat -> Type :=
| Out p (w : 'cV[R]_p) (c : R) : mlp p
| Hid p q (A : 'M[R]_(p, q)) (b : 'rV[R]_q) (N : mlp q) : mlp p.

Definition relu_mx p q (A : 'M[R]_(p, q)) : 'M[R]_(p, q) := map_mx (@relu R) A.

Fixpoint eval p (N : mlp p) : 'rV[R]_p -> R :=
  match N with
  | Out _ w c => fun h => (h *m w) 0 0 + c
  | Hid _ _ A b N' => fun h => eval N' (relu_mx (h *m A + b))
  end.

Fixpoint depth p (N : mlp p) : nat :=
  match N with Out _ _ _ => 1%N | Hid _ _ _ _ N' => (depth N').+1 end.
Fixpoint units p (N : mlp p) : nat :=
  match N with Out _ _ _ => 0%N | Hid _ q _ _ N' => (q + units N')%N end.
Fixpoint width p (N : mlp p) : nat :=
  match N with Out _ _ _ => 0%N | Hid _ q _ _ N' => maxn q (width N') end.

Lemma depth_gt0 p (N : mlp p) : (0 < depth N)%N. Proof. by case: N. Qed.

Definition nnz p q (A : 'M[R]_(p, q)) : nat := (\sum_i \sum_j (A i j != 0%R))%N.
Fixpoint weights p (N : mlp p) : nat :=
  match N with
  | Out _ w c => (nnz w + (c != 0%R))%N
  | Hid _ _ A b N' => (nnz A + nnz b + weights N')%N
  end.

Lemma nnz_le p q (A : 'M[R]_(p, q)) : (nnz A <= p * q)%N.
Proof.
rewrite /nnz -[X in (_ <= X * _)%N]card_ord -sum_nat_const leq_sum // => i _.
rewrite -[X in (_ <= X)%N]card_ord -sum1_card leq_sum // => j _; exact: leq_b1.
Qed.
Lemma nnz0 p q : nnz (0 : 'M[R]_(p, q)) = 0%N.
Proof. by rewrite /nnz big1 // => i _; rewrite big1 // => j _; rewrite mxE eqxx. Qed.
Lemma nnz_row p q1 q2 (A : 'M[R]_(p, q1)) (B : 'M[R]_(p, q2)) :
  nnz (row_mx A B) = (nnz A + nnz B)%N.
Proof.
rewrite /nnz -big_split; apply: eq_bigr => i _; rewrite big_split_ord /=.
by congr (_ + _)%N; apply: eq_bigr => j _; rewrite (row_mxEl, row_mxEr).
Qed.
Lemma nnz_col p1 p2 q (A : 'M[R]_(p1, q)) (B : 'M[R]_(p2, q)) :
  nnz (col_mx A B) = (nnz A + nnz B)%N.
Proof.
rewrite /nnz big_split_ord /=; congr (_ + _)%N; apply: eq_bigr => i _;
by apply: eq_bigr => j _; rewrite (col_mxEu, col_mxEd).
Qed.

(* a matrix with at most one non-zero entry in each row *)
Lemma nnz_rows p q (A : 'M[R]_(p, q)) :
  (forall i j k, A i j != 0 -> A i k != 0 -> j = k) -> (nnz A <= p)%N.
Proof.
move=> one; rewrite /nnz -[X in (_ <= X)%N]card_ord -sum1_card leq_sum // => i _.
case: (pickP (fun j => A i j != 0)) => [j hj|none]; last by rewrite big1 // => j _; rewrite none.
rewrite (bigD1 j) //= big1 => [|k kj]; first by rewrite addn0 leq_b1.
by case: (boolP (A i k != 0)) => // hk; rewrite (one _ _ _ hk hj) eqxx in kj.
Qed.

Lemma relu_mx_id p q (A : 'M[R]_(p, q)) : (forall i j, 0 <= A i j) -> relu_mx A = A.
Proof. by move=> h; apply/matrixP=> i j; rewrite mxE relu_id. Qed.

End Network.
Arguments Out {R p}.
Arguments Hid {R p q}.
