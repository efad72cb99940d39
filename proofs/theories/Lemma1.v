(* Lemma 1 (Zhang et al. 2017): the interleaving ReLU matrix.

   If b_1 < x_1 < b_2 < x_2 < ... < b_n < x_n, the n by n matrix
   A_ij = max (x_i - b_j, 0) is lower triangular with the diagonal x_i - b_i > 0.
   So its determinant is prod (x_i - b_i), it is invertible, its characteristic
   polynomial is prod (X - (x_i - b_i)), its eigenvalues are exactly the numbers
   x_i - b_i, and the smallest is min_i (x_i - b_i) > 0.

   The same holds under the weaker b_i < x_i and x_i <= b_(i+1), which allows
   b_(i+1) = x_i (the rule `data`: every threshold is the point before it).

   Idea: entry (i, j) with i < j is max (x_i - b_j, 0) = 0 as x_i <= b_j; for a
   triangular matrix everything is read off the diagonal. *)
From mathcomp Require Import all_ssreflect all_algebra.
From Shatter Require Import Relu.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Section Definitions.
Variables (R : realFieldType) (n : nat) (b x : 'I_n -> R).

(* b_1 < x_1 < b_2 < x_2 < ... < b_n < x_n *)
Definition interleaving : Prop :=
  (forall i, b i < x i) /\ (forall i j : 'I_n, j = i.+1 :> nat -> x i < b j).

(* b_1 < x_1 <= b_2 < x_2 <= ... <= b_n < x_n *)
Definition weak_interleaving : Prop :=
  (forall i, b i < x i) /\ (forall i j : 'I_n, j = i.+1 :> nat -> x i <= b j).

Definition reluM : 'M[R]_n := \matrix_(i, j) Num.max (x i - b j) 0.

(* min_i (x_i - b_i); i0 only witnesses that n > 0 *)
Definition min_gap (i0 : 'I_n) : R := \big[Num.min/x i0 - b i0]_(i < n) (x i - b i).

(* everything that Lemma 1 says of A *)
Definition lemma1_conclusion : Prop :=
  [/\ is_trig_mx reluM,
      [/\ \det reluM = \prod_i (x i - b i), reluM \in unitmx & \rank reluM = n],
      char_poly reluM = \prod_i ('X - (x i - b i)%:P),
      forall l, eigenvalue reluM l <-> exists i, l = x i - b i
    & forall i0, [/\ eigenvalue reluM (min_gap i0),
                     forall l, eigenvalue reluM l -> min_gap i0 <= l
                   & 0 < min_gap i0]].
End Definitions.

Lemma interleavingW (R : realFieldType) n (b x : 'I_n -> R) :
  interleaving b x -> weak_interleaving b x.
Proof. by case=> h1 h2; split=> // i j /h2/ltW. Qed.

Lemma bigmin_le (R : realFieldType) (I : eqType) (a : R) (F : I -> R) (s : seq I) i :
  i \in s -> \big[Num.min/a]_(j <- s) F j <= F i.
Proof.
elim: s => // j s IH; rewrite inE big_cons le_minl => /orP[/eqP->|/IH ->].
  by rewrite lexx.
by rewrite orbT.
Qed.

Section Weak.
Variables (R : realFieldType) (n : nat) (b x : 'I_n -> R).
Hypothesis Hint : weak_interleaving b x.
Local Notation A := (reluM b x).

(* not only the next threshold but every later one is at least x_i *)
Lemma weak_inter_le (i j : 'I_n) : (i < j)%N -> x i <= b j.
Proof.
case: Hint => hbx hxb; case: j => j /=.
elim: j => // j IH hj; rewrite ltnS leq_eqVlt => /orP[/eqP e|hij].
  by apply: hxb; rewrite /= e.
have hj' : (j < n)%N by apply: ltnW.
apply: le_trans (IH hj' hij) _; apply: le_trans (ltW (hbx _)) _.
exact: hxb.
Qed.

Lemma lemma1_triangular : is_trig_mx A.
Proof.
by apply/is_trig_mxP=> i j hij; rewrite mxE max_r // subr_le0 weak_inter_le.
Qed.

Lemma weak_reluM_diag i : A i i = x i - b i.
Proof. by rewrite mxE max_l // subr_ge0 ltW //; case: Hint. Qed.

Lemma weak_diag_gt0 i : 0 < x i - b i.
Proof. by rewrite subr_gt0; case: Hint. Qed.

Lemma lemma1_det : \det A = \prod_i (x i - b i).
Proof.
rewrite (det_trig lemma1_triangular); apply: eq_bigr => i _; exact: weak_reluM_diag.
Qed.

Lemma weak_reluM_unit : A \in unitmx.
Proof.
rewrite unitmxE unitfE lemma1_det; apply/prodf_neq0 => i _.
by rewrite gt_eqF // weak_diag_gt0.
Qed.

Lemma lemma1_full_rank : \rank A = n.
Proof. exact: mxrank_unit weak_reluM_unit. Qed.

Lemma weak_reluM_char_poly : char_poly A = \prod_i ('X - (x i - b i)%:P).
Proof.
rewrite (char_poly_trig lemma1_triangular); apply: eq_bigr => i _.
by rewrite weak_reluM_diag.
Qed.

Lemma lemma1_eigenvalues l : eigenvalue A l <-> exists i, l = x i - b i.
Proof.
suff H : reflect (exists i, l = x i - b i) (eigenvalue A l) by split=> /H.
rewrite eigenvalue_root_char weak_reluM_char_poly.
rewrite -(big_map (fun i => x i - b i) xpredT (fun c => 'X - c%:P)) root_prod_XsubC.
apply: (iffP mapP) => [[i _ ->]|[i ->]]; exists i => //; exact: mem_index_enum.
Qed.

(* the smallest eigenvalue is min_i (x_i - b_i), and it is positive *)
Lemma lemma1_min_eigenvalue (i0 : 'I_n) :
  [/\ eigenvalue A (min_gap b x i0),
      forall l, eigenvalue A l -> min_gap b x i0 <= l & 0 < min_gap b x i0].
Proof.
have hm : exists i, min_gap b x i0 = x i - b i.
  rewrite /min_gap; elim/big_ind: _ => [|u v [i ->] [j ->]|i _]; first by exists i0.
    by case: leP => _; [exists i|exists j].
  by exists i.
split; first exact/lemma1_eigenvalues.
  by move=> l /lemma1_eigenvalues[i ->]; rewrite /min_gap bigmin_le ?mem_index_enum.
by case: hm => i ->; exact: weak_diag_gt0.
Qed.

Theorem lemma1_weak : lemma1_conclusion b x.
Proof.
split; first exact: lemma1_triangular.
- split; [exact: lemma1_det|exact: weak_reluM_unit|exact: lemma1_full_rank].
- exact: weak_reluM_char_poly.
- exact: lemma1_eigenvalues.
- exact: lemma1_min_eigenvalue.
Qed.

End Weak.

(* the form of the paper *)
Theorem lemma1 (R : realFieldType) n (b x : 'I_n -> R) :
  interleaving b x -> lemma1_conclusion b x.
Proof. by move/interleavingW/lemma1_weak. Qed.
