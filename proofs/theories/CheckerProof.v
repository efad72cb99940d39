(* The verified checker: acceptance means that the network fits every point.

   If the checker accepts a stream of integers, then the stream is the encoding
   of a network and a sample (CheckerDef.v has the format) with at least one
   point, as many rows as the header says and d numbers in each, and over any
   ordered field the network of Theorem 1 with

       a = A/SA, b = B/(SA SX), w = W/SW and the output constant c = C/(SA SX SW)

   takes the value Y_i/(SA SX SW) at X_i/SX, exactly, for every row i.

   Idea: CheckerScan.v has the statement over the integers; multiplying through
   by the positive scale SA SX SW, and max (t/u, 0) = max (t, 0)/u for u > 0, give
   the statement over the field. *)
From Coq Require Import ZArith List Bool.
From mathcomp Require Import all_ssreflect all_algebra.
From mathcomp Require Import ssrZ zify ring.
From Shatter Require Import Relu CheckerDef CheckerScan.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Section Checker.
Variable R : realFieldType.

(* an integer of the standard library as an element of the field *)
Definition ZR (z : Z) : R := (int_of_Z z)%:~R.

Lemma ZRD x y : ZR (Z.add x y) = ZR x + ZR y.
Proof. by rewrite /ZR -rmorphD; congr (_%:~R); lia. Qed.
Lemma ZRB x y : ZR (Z.sub x y) = ZR x - ZR y.
Proof. by rewrite /ZR -rmorphB; congr (_%:~R); lia. Qed.
Lemma ZRM x y : ZR (Z.mul x y) = ZR x * ZR y.
Proof. by rewrite /ZR -intrM; congr (_%:~R); exact: (rmorphM [rmorphism of int_of_Z]). Qed.
Lemma ZR_lt0 x : Z.lt 0 x -> 0 < ZR x.
Proof. by move=> h; rewrite /ZR ltr0z; lia. Qed.
Lemma ZR_relu x y : ZR (Z.max (Z.sub x y) 0) = relu (ZR x - ZR y).
Proof.
rewrite -ZRB; set t := Z.sub x y; case: (Z.max_spec t 0) => -[h ->].
  by rewrite relu_0 // /ZR lerz0; lia.
by rewrite relu_id // /ZR ler0z; lia.
Qed.

Definition vec d (den : R) (l : list Z) : 'rV[R]_d := \row_k (ZR (nth Z0 l k) / den).

(* the scale of outputs and labels *)
Definition cert_scale (c : cert) : R := ZR (c_sa c) * ZR (c_sx c) * ZR (c_sw c).

(* the network of a certificate: the network of Theorem 1 and a constant *)
Definition cert_params (c : cert) : params R (length (c_bw c)) (length (c_a c)) :=
  mk_params (vec _ (ZR (c_sa c)) (c_a c))
    (vec _ (ZR (c_sa c) * ZR (c_sx c)) (List.map fst (c_bw c)))
    (vec _ (ZR (c_sw c)) (List.map snd (c_bw c))).
Definition cert_const (c : cert) : R := ZR (c_c c) / cert_scale c.

(* its sample: point i and label i *)
Definition cert_row (c : cert) (i : nat) : list Z * Z := nth (nil, Z0) (c_rows c) i.
Definition cert_point (c : cert) (i : nat) : 'rV[R]_(length (c_a c)) :=
  vec _ (ZR (c_sx c)) (cert_row c i).1.
Definition cert_label (c : cert) (i : nat) : R := ZR (cert_row c i).2 / cert_scale c.

Lemma dotZE (a z : list Z) d : length a = d -> length z = d ->
  ZR (dotZ a z) = \sum_(k < d) ZR (nth Z0 a k) * ZR (nth Z0 z k).
Proof.
elim: a z d => [|x a IH] [|y z] [|d] //=; first by rewrite big_ord0.
by move=> [ha] [hz]; rewrite big_ord_recl /= ZRD ZRM (IH _ d).
Qed.

Lemma plainE (s : Z) (bw : list (Z * Z)) :
  ZR (plain s bw) = \sum_(j < length bw)
    ZR (nth Z0 (List.map snd bw) j) * relu (ZR s - ZR (nth Z0 (List.map fst bw) j)).
Proof.
elim: bw => [|[b w] bw IH] /=; first by rewrite big_ord0.
by rewrite ZRD ZRM ZR_relu IH big_ord_recl.
Qed.

Lemma relu_div (t u : R) : 0 < u -> relu (t / u) = relu t / u.
Proof. by move=> u0; rewrite /relu maxr_pmull ?invr_ge0 ?ltW // mul0r. Qed.

(* the network over the field is the integer sum over the scale *)
Lemma cert_netE (c : cert) (x : list Z) : Z.lt 0 (c_sa c) -> Z.lt 0 (c_sx c) ->
  length x = length (c_a c) ->
  net (cert_params c) (vec (length (c_a c)) (ZR (c_sx c)) x)
  = ZR (plain (dotZ (c_a c) x) (c_bw c)) / cert_scale c.
Proof.
move=> /ZR_lt0 sa0 /ZR_lt0 sx0 hx.
rewrite /net /cert_params par_aE par_bE par_wE plainE mulr_suml.
apply: eq_bigr => j _; rewrite !mxE.
have -> : dot (vec _ (ZR (c_sa c)) (c_a c)) (vec (length (c_a c)) (ZR (c_sx c)) x) =
   ZR (dotZ (c_a c) x) / (ZR (c_sa c) * ZR (c_sx c)).
  rewrite (dotZE (erefl _) hx) mulr_suml /dot; apply: eq_bigr => k _.
  by rewrite !mxE invfM mulrACA.
rewrite -mulrBl relu_div ?mulr_gt0 // mulrACA; congr (_ * _).
by rewrite mulrC -invfM.
Qed.

Lemma valid_row (c : cert) i : valid c -> (i < length (c_rows c))%N ->
  fits_row c (cert_row c i).
Proof.
case=> _ [_ /Forall_forall fits] hi; apply: fits; rewrite /cert_row.
suff -> : nth (nil, Z0) (c_rows c) i = List.nth i (c_rows c) (nil, Z0).
  by apply: nth_In; apply/ssrnat.ltP.
by elim: (c_rows c) i {hi} => [|r l IH] [|i] //=.
Qed.

Theorem valid_fits (c : cert) : valid c -> forall i, (i < length (c_rows c))%N ->
  net (cert_params c) (cert_point c i) + cert_const c = cert_label c i.
Proof.
move=> V i hi; have [hx hy] := valid_row V hi; case: V => -[sa0 [sx0 sw0]] _.
by rewrite cert_netE // /cert_const -mulrDl -ZRD hy.
Qed.

(* soundness of the checker *)
Theorem accepts_sound (ts : list Z) : accepts ts -> exists c : cert,
  [/\ ts = encode c,
      [/\ Z.lt 0 (c_sa c), Z.lt 0 (c_sx c) & Z.lt 0 (c_sw c)],
      (0 < length (c_rows c))%N,
      forall i, (i < length (c_rows c))%N -> length (cert_row c i).1 = length (c_a c)
    & forall i, (i < length (c_rows c))%N ->
        net (cert_params c) (cert_point c i) + cert_const c = cert_label c i].
Proof.
move=> /accepts_valid[c [-> [V _]]]; exists c; split=> //.
- by case: V => -[? []].
- by case: V => _ [[_ []]]; case: (c_rows c).
- by move=> i /(valid_row V)[].
- exact: valid_fits V.
Qed.

End Checker.
