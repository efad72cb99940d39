(* Float-exactness: rounded evaluation without any error.

   A network f(x) = sum_j w_j max (<a, x> - b_j, 0) + c is evaluated in rounded
   arithmetic.  Let P be 2^53 (binary64; 2^24 for binary32).  If there are grains u,
   v, g such that

     (i)   every a_k x_k is a multiple of u,
     (ii)  u and every b_j are multiples of v, and |b_j| + sum_k |a_k x_k| <= P v,
     (iii) every w_j max (<a, x> - b_j, 0) and c are multiples of g, and
           |c| + sum_j |w_j| max (<a, x> - b_j, 0) <= P g,

   and rounding leaves multiples of v and of g up to P grains as they are, then
   every product, sum, threshold and ReLU is computed exactly, in any order and any
   association, with fused or separate multiplication and addition, the threshold
   and the constant first, last or in between.  (The bound sum_k |a_k x_k| <= P u,
   which the program also reports under (i), follows from (ii).)

   This is a result of this project; rounding may be any function, as nothing but
   the identity on those multiples is used of it.

   Idea: each partial sum of a list of multiples of g is a multiple of g, and in
   absolute value at most the sum of the absolute values (tree_exact). *)
From mathcomp Require Import all_ssreflect all_algebra.
From mathcomp Require Import ring.
From Shatter Require Import Relu.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

(* How a sum of products is computed: an expression tree over the terms i in I,
   each of which is a product.  Zero is an accumulator before its first term; Fma
   is a fused multiply-add, which rounds once. *)
Inductive tree (I : Type) :=
| Zero
| Term (i : I)
| Add (l r : tree I)
| Fma (i : I) (r : tree I).
Arguments Zero {I}.

Fixpoint leaves I (t : tree I) : seq I :=
  match t with
  | Zero => [::]
  | Term i => [:: i]
  | Add l r => leaves l ++ leaves r
  | Fma i r => i :: leaves r
  end.

(* every term is used exactly once, in some order *)
Definition once (I : finType) (t : tree I) : Prop := perm_eq (leaves t) (index_enum I).

Section FloatExact.
Variables (R : realFieldType) (fl : R -> R) (P : R).

Fixpoint rounded I (p : I -> R * R) (t : tree I) : R :=
  match t with
  | Zero => 0
  | Term i => fl ((p i).1 * (p i).2)
  | Add l r => fl (rounded p l + rounded p r)
  | Fma i r => fl ((p i).1 * (p i).2 + rounded p r)
  end.

Definition multiple (u t : R) : Prop := exists m : int, t = m%:~R * u.

(* rounding is the identity on the multiples of u up to P u *)
Definition exact_on (u : R) : Prop :=
  forall t, multiple u t -> `|t| <= P * u -> fl t = t.

Lemma multiple0 u : multiple u 0. Proof. by exists 0; rewrite mul0r. Qed.
Lemma multipleD u s t : multiple u s -> multiple u t -> multiple u (s + t).
Proof. by move=> [m ->] [k ->]; exists (m + k); rewrite rmorphD mulrDl. Qed.
Lemma multipleN u t : multiple u t -> multiple u (- t).
Proof. by move=> [m ->]; exists (- m); rewrite rmorphN mulNr. Qed.
Lemma multiple_trans u v t : multiple v u -> multiple u t -> multiple v t.
Proof. by move=> [m ->] [k ->]; exists (k * m); rewrite rmorphM mulrA. Qed.
Lemma multiple_sum u I (r : seq I) (F : I -> R) :
  (forall i, multiple u (F i)) -> multiple u (\sum_(i <- r) F i).
Proof. by move=> h; elim/big_ind: _ => //; [exact: multiple0|exact: multipleD]. Qed.

Lemma norm_sum_le I (r : seq I) (F : I -> R) :
  `|\sum_(i <- r) F i| <= \sum_(i <- r) `|F i|.
Proof.
elim: r => [|i r IH]; first by rewrite !big_nil normr0.
by rewrite !big_cons (le_trans (ler_norm_add _ _)) // ler_add2l.
Qed.

Lemma sum_norm_ge0 I (r : seq I) (F : I -> R) : 0 <= \sum_(i <- r) `|F i|.
Proof. exact: sumr_ge0. Qed.

(* a tree over multiples of a grain, bounded in sum, is computed exactly *)
Lemma tree_exact I (p : I -> R * R) u t : exact_on u ->
  (forall i, multiple u ((p i).1 * (p i).2)) ->
  \sum_(i <- leaves t) `|(p i).1 * (p i).2| <= P * u ->
  rounded p t = \sum_(i <- leaves t) (p i).1 * (p i).2.
Proof.
move=> ex mult.
have stay s : \sum_(i <- s) `|(p i).1 * (p i).2| <= P * u ->
    fl (\sum_(i <- s) (p i).1 * (p i).2) = \sum_(i <- s) (p i).1 * (p i).2.
  by move=> h; apply: ex; [exact: multiple_sum|exact: le_trans (norm_sum_le _ _) h].
elim: t => [|i|l IHl r IHr|i r IHr] /= h.
- by rewrite big_nil.
- by have := stay _ h; rewrite big_seq1.
- have := h; rewrite big_cat /= => hlr; rewrite IHl ?IHr; first by rewrite -big_cat stay.
    by apply: le_trans hlr; rewrite ler_addr sum_norm_ge0.
  by apply: le_trans hlr; rewrite ler_addl sum_norm_ge0.
- have := h; rewrite big_cons => hr; rewrite IHr; first by have := stay _ h; rewrite big_cons.
  by apply: le_trans hr; rewrite ler_addr normr_ge0.
Qed.

Lemma once_exact (I : finType) (p : I -> R * R) u t : once t -> exact_on u ->
  (forall i, multiple u ((p i).1 * (p i).2)) ->
  \sum_i `|(p i).1 * (p i).2| <= P * u ->
  rounded p t = \sum_i (p i).1 * (p i).2.
Proof.
move=> perm ex mult h; rewrite (@tree_exact _ p u) //; first exact: perm_big.
by rewrite (perm_big _ perm).
Qed.

Lemma big_option n (F : option 'I_n -> R) : \sum_i F i = F None + \sum_(k < n) F (Some k).
Proof.
rewrite (bigD1 None) //=; congr (_ + _).
rewrite (reindex_omap Some id) => [|[i|] //].
by apply: eq_bigl => j; rewrite /= eqxx.
Qed.

(* The evaluation of a network at x: `pre j` computes <a, x> - b_j for unit j and
   `out` the output; None stands for the threshold and for the constant. *)
Definition pre_term n d (a x : 'rV[R]_d) (b : 'rV[R]_n) (j : 'I_n) (k : option 'I_d) : R * R :=
  if k is Some k then (a 0 k, x 0 k) else (- b 0 j, 1).
Definition hidden n d (a x : 'rV[R]_d) (b : 'rV[R]_n) (pre : 'I_n -> tree (option 'I_d)) j : R :=
  fl (relu (rounded (pre_term a x b j) (pre j))).
Definition out_term n (w : 'rV[R]_n) (c : R) (r : 'I_n -> R) (j : option 'I_n) : R * R :=
  if j is Some j then (w 0 j, r j) else (c, 1).
Definition rounded_net n d (p : params R n d) (c : R) (x : 'rV[R]_d) pre out : R :=
  rounded (out_term (par_w p) c (hidden (par_a p) x (par_b p) pre)) out.

(* the three bounds *)
Definition bound_i d (a x : 'rV[R]_d) u : Prop := forall k, multiple u (a 0 k * x 0 k).
Definition bound_ii n d (a x : 'rV[R]_d) (b : 'rV[R]_n) u v : Prop :=
  multiple v u /\
  forall j, multiple v (b 0 j) /\ `|b 0 j| + \sum_k `|a 0 k * x 0 k| <= P * v.
Definition bound_iii n d (p : params R n d) (c : R) (x : 'rV[R]_d) g : Prop :=
  let r j := relu (dot (par_a p) x - par_b p 0 j) in
  [/\ forall j, multiple g (par_w p 0 j * r j), multiple g c
    & `|c| + \sum_j `|par_w p 0 j| * r j <= P * g].

Lemma relu_multiple v t : multiple v t -> multiple v (relu t).
Proof. by rewrite /relu; case: leP => // _ _; exact: multiple0. Qed.

(* each hidden unit is exact *)
Lemma hidden_exact n d (a x : 'rV[R]_d) (b : 'rV[R]_n) u v pre :
  bound_i a x u -> bound_ii a x b u v -> exact_on v -> (forall j, once (pre j)) ->
  forall j, hidden a x b pre j = relu (dot a x - b 0 j).
Proof.
move=> bi [vu bii] ex perm j; have [bj bound] := bii j.
have mult k : multiple v ((pre_term a x b j k).1 * (pre_term a x b j k).2).
  case: k => [k|] /=; first exact: multiple_trans vu (bi k).
  by rewrite mulr1; exact: multipleN.
have sum_bound : \sum_k `|(pre_term a x b j k).1 * (pre_term a x b j k).2| <= P * v.
  by rewrite big_option /= mulr1 normrN.
have E : rounded (pre_term a x b j) (pre j) = dot a x - b 0 j.
  by rewrite (once_exact (perm j) ex mult sum_bound) big_option /= mulr1 addrC.
have E2 := once_exact (perm j) ex mult sum_bound; rewrite E in E2.
rewrite /hidden E; apply: ex; first by apply: relu_multiple; rewrite E2; exact: multiple_sum.
apply: le_trans sum_bound; rewrite ger0_norm ?relu_ge0 //.
apply: (@le_trans _ _ `|dot a x - b 0 j|).
  by rewrite /relu le_maxl ler_norm normr_ge0.
by rewrite E2 norm_sum_le.
Qed.

(* the whole evaluation is exact, in any order *)
Theorem float_exact n d (p : params R n d) (c : R) (x : 'rV[R]_d) u v g pre out :
  bound_i (par_a p) x u -> bound_ii (par_a p) x (par_b p) u v -> bound_iii p c x g ->
  exact_on v -> exact_on g -> (forall j, once (pre j)) -> once out ->
  rounded_net p c x pre out = net p x + c.
Proof.
move=> bi bii [bw bc bg] exv exg perm perm'.
have H := hidden_exact bi bii exv perm.
rewrite /rounded_net (once_exact perm' exg); first 1 last.
- case=> [j|] /=; last by rewrite mulr1.
  by rewrite H.
- rewrite big_option /= mulr1; apply: le_trans bg; rewrite ler_add2l.
  by apply: ler_sum => j _; rewrite H normrM (ger0_norm (relu_ge0 _)).
rewrite big_option /= mulr1 addrC; congr (_ + _).
by apply: eq_bigr => j _; rewrite H.
Qed.

(* a network that fits exactly returns the exact labels in rounded arithmetic *)
Theorem float_exact_labels n d m (p : params R n d) (c : R) (z : 'I_m -> 'rV[R]_d)
    (y : 'I_m -> R) u v g pre out :
  (forall i, net p (z i) + c = y i) ->
  (forall i, [/\ bound_i (par_a p) (z i) u, bound_ii (par_a p) (z i) (par_b p) u v
                & bound_iii p c (z i) g]) ->
  exact_on v -> exact_on g -> (forall j, once (pre j)) -> once out ->
  forall i, rounded_net p c (z i) pre out = y i.
Proof.
move=> fit bounds exv exg perm perm' i; have [b1 b2 b3] := bounds i.
by rewrite (float_exact b1 b2 b3).
Qed.

End FloatExact.

(* The hypothesis on rounding holds of every rounding that leaves binary floating
   point numbers as they are: with precision prec and exponents from emin to emax
   these include m 2^e for |m| <= 2^prec and emin <= e <= emax.  For binary64 take
   prec = 53, emin = -1074, emax = 970, for binary32 24, -149 and 103. *)
Section Binary.
Variables (R : realFieldType) (fl : R -> R) (prec : nat) (emin emax : int).

Definition float_number (t : R) : Prop := exists m e : int,
  [/\ `|m| <= 2%:R ^+ prec, emin <= e <= emax & t = m%:~R * 2%:R ^ e].

Theorem exact_on_binary (e : int) : (forall t, float_number t -> fl t = t) ->
  emin <= e <= emax -> exact_on fl (2%:R ^+ prec) (2%:R ^ e).
Proof.
move=> id he t [m ->] bound; apply: id; exists m, e; split=> //.
have p0 : 0 < 2%:R ^ e :> R by rewrite exprz_gt0 // ltr0n.
move: bound; rewrite normrM (gtr0_norm p0) ler_pmul2r // -intr_norm.
by rewrite -(ler_int R) rmorphX.
Qed.
End Binary.
