(* Corollary 1 (Zhang et al. 2017): depth k, width O(n/k), O(n + d) weights.

   For n >= 1 distinct points of R^d, any real labels and every k >= 3 there is a
   network of depth exactly k, built from 2n + d numbers (the a, b, w of Theorem
   1), that fits, with

       hidden units              n + 1 + 3 (k - 3),
       non-zero weights, biases  at most 3n + d + 3 (k - 3),
       width                     n for k = 3, at most g + 2 for k = 4 and
                                 at most g + 3 for k >= 5, g = ceil (n / (k - 2)).

   For k <= n + 2 these are O(n + d) weights and width O(n/k) (corollary1_bounds);
   k = 2 is Theorem 1 (shallow_eval).  (For every k, as the paper has it, it cannot be: a network
   of depth k that is not constant has at least k weights.)

   The construction.  The first layer computes z = max (<a, x> - b_1, 0), which is
   <a, x> - b_1 at the sample.  The n units of Theorem 1 are cut into k - 2 groups
   of g, one group a layer: u_j = max (z - (b_j - b_1), 0).  Each of these layers but
   the last carries z along, and from the second on two running sums: P of the terms
   with w_j > 0 and Q of |w_j| u_j for w_j < 0.  Both are never negative, so that
   ReLU does not change them.  The output is P - Q and the terms of the last group.

   Idea of the proof: by induction over the groups, tail_eval. *)
From mathcomp Require Import all_ssreflect all_algebra all_fingroup.
From mathcomp Require Import zify.
From Shatter Require Import Relu Lemma1 Projection Theorem1 Network.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Section Corollary1.
Variable R : realFieldType.

(* a unit of Theorem 1: its threshold (shifted by b_1) and its output weight *)
Definition knot := (R * R)%type.
Definition group := seq knot.
Implicit Types (gs : seq group).

Definition g_bias (g : group) : 'rV[R]_(size g) := \row_j (nth (0, 0) g j).1.
Definition g_out (g : group) : 'cV[R]_(size g) := \col_j (nth (0, 0) g j).2.
(* contributions to P (column 0) and Q (column 1) *)
Definition g_split (g : group) : 'M[R]_(size g, 2) :=
  \matrix_(j, c) (if c == 0 then relu (nth (0, 0) g j).2 else relu (- (nth (0, 0) g j).2)).
(* output weights of P and Q: 1 and -1; pc of them are there, 0 or 2 *)
Definition pm pc : 'cV[R]_pc := \col_i (if i == 0%N :> nat then 1 else -1).

(* From a layer with group g (and pc running sums) to the layer with g', which
   carries z if zc is 1.  Rows: units of g, z, sums; columns: units of g', z, sums. *)
Definition next_w (g : group) pc (g' : group) zc : 'M[R]_(size g + (1 + pc), size g' + (zc + 2)) :=
  col_mx (row_mx 0 (row_mx 0 (g_split g)))
    (col_mx (row_mx (const_mx 1) (row_mx (const_mx 1) 0))
            (row_mx 0 (row_mx 0 (pid_mx pc)))).

(* the layers after the one with group g *)
Fixpoint tail gs : forall (g : group) pc, mlp R (size g + (~~ nilp gs + pc)) :=
  match gs return forall (g : group) pc, mlp R (size g + (~~ nilp gs + pc)) with
  | [::] => fun g pc => Out (col_mx (g_out g) (pm pc)) 0
  | g' :: gs' => fun g pc =>
      Hid (next_w g pc g' (~~ nilp gs')) (row_mx (- g_bias g') 0) (tail gs' g' 2)
  end.

(* all layers after the first unit z *)
Definition knot_layers gs : mlp R 1 :=
  match gs with
  | [::] => Out 0 0
  | g :: gs' =>
      Hid (row_mx (const_mx 1) (row_mx (const_mx 1) 0) : 'M_(1, size g + (~~ nilp gs' + 0)))
          (row_mx (- g_bias g) 0) (tail gs' g 0)
  end.

(* L consecutive groups of g knots (the last ones may be shorter, or empty) *)
Fixpoint chunks L g (s : group) : seq group :=
  if L is L'.+1 then take g s :: chunks L' g (drop g s) else [::].

Definition ceil_div n L := (n %/ L + ~~ (L %| n))%N.

(* the knots of Theorem 1's parameters, and the network of depth k *)
Definition knots n d (p : params R n d) : group :=
  [seq (par_b p 0 j, par_w p 0 j) | j <- enum 'I_n].
Definition first_b n d (p : params R n d) : R := (head (0, 0) (knots p)).1.
Definition shifted n d (p : params R n d) : group :=
  [seq (k.1 - first_b p, k.2) | k <- knots p].
Definition deep n d k (p : params R n d) : mlp R d :=
  Hid (par_a p)^T (const_mx (- first_b p))
    (knot_layers (chunks (k - 2) (ceil_div n (k - 2)) (shifted p))).

(* ---- the values ---- *)

Section Eval.
Variable x : R.
Hypothesis x0 : 0 <= x.

Definition value (s : group) : R := \sum_(k <- s) k.2 * relu (x - k.1).
Definition g_units (g : group) : 'rV[R]_(size g) := \row_j relu (x - (nth (0, 0) g j).1).

Lemma g_unitsE g : relu_mx (const_mx x - g_bias g) = g_units g.
Proof. by apply/rowP=> j; rewrite !mxE. Qed.

Lemma g_outE g : (g_units g *m g_out g) 0 0 = value g.
Proof.
rewrite mxE /value (big_nth (0, 0)) big_mkord.
by apply: eq_bigr => j _; rewrite !mxE mulrC.
Qed.

Lemma reluB (t : R) : relu t - relu (- t) = t.
Proof.
case: (leP 0 t) => h; first by rewrite relu_id // relu_0 ?subr0 // oppr_le0.
by rewrite relu_0 ?(ltW h) // relu_id ?sub0r ?opprK // oppr_ge0 ltW.
Qed.

Lemma g_splitE g : g_split g *m pm 2 = g_out g.
Proof.
apply/matrixP=> j c; rewrite !mxE 2!big_ord_recl big_ord0 addr0 !mxE /= mulr1 mulrN1.
exact: reluB.
Qed.

Lemma pidE pc : (pc <= 2)%N -> (pid_mx pc : 'M[R]_(pc, 2)) *m pm 2 = pm pc.
Proof.
case: pc => [|[|[|pc]]] // _; apply/matrixP=> i j; rewrite !mxE 2!big_ord_recl big_ord0;
  rewrite addr0 !mxE /=; first by case: i.
- by case: i => -[|i] //= _; rewrite mul1r mul0r addr0.
- by case: i => -[|[|i]] //= _; rewrite ?mul1r ?mul0r ?addr0 ?add0r.
Qed.

Lemma value_cat s t : value (s ++ t) = value s + value t.
Proof. by rewrite /value big_cat. Qed.

Lemma const_mul q : (const_mx x : 'rV[R]_1) *m (const_mx 1 : 'M_(1, q)) = const_mx x.
Proof. by apply/rowP=> j; rewrite !mxE big_ord1 !mxE mulr1. Qed.

Lemma relu_const q : relu_mx (const_mx x : 'rV[R]_q) = const_mx x.
Proof. by apply: relu_mx_id => i j; rewrite mxE. Qed.

(* the running sums after one more group *)
Definition sums g pc (s : 'rV[R]_pc) : 'rV[R]_2 := g_units g *m g_split g + s *m pid_mx pc.

Lemma sums_ge0 g pc (s : 'rV[R]_pc) : (forall i, 0 <= s 0 i) -> forall i, 0 <= sums g s 0 i.
Proof.
move=> s0 i; rewrite mxE addr_ge0 // !mxE; apply: sumr_ge0 => k _; rewrite mulr_ge0 //.
- by rewrite mxE relu_ge0.
- by rewrite mxE; case: ifP => _; exact: relu_ge0.
- by rewrite mxE ler0n.
Qed.

Lemma next_eval g pc g' zc (s : 'rV[R]_pc) : (forall i, 0 <= s 0 i) ->
  relu_mx (row_mx (g_units g) (row_mx (const_mx x : 'rV_1) s) *m next_w g pc g' zc
           + row_mx (- g_bias g') 0)
  = row_mx (g_units g') (row_mx (const_mx x) (sums g s)).
Proof.
move=> s0; rewrite /next_w !mul_row_col !mul_mx_row !mulmx0 !const_mul !add_row_mx.
rewrite !add0r !addr0 /relu_mx !map_row_mx.
congr (row_mx _ (row_mx _ _)); [exact: g_unitsE|exact: relu_const|].
by apply: relu_mx_id => i j; rewrite ord1; exact: sums_ge0.
Qed.

Lemma tail_eval gs g pc (s : 'rV[R]_pc) : (pc <= 2)%N -> (forall i, 0 <= s 0 i) ->
  eval (tail gs g pc) (row_mx (g_units g) (row_mx (const_mx x) s))
  = (s *m pm pc) 0 0 + value (flatten (g :: gs)).
Proof.
elim: gs g pc s => [|g' gs IH] g pc s pc2 s0.
  rewrite /= cats0 mul_row_col addr0 mxE g_outE addrC; congr (_ + _).
  by rewrite row_thin_mx.
transitivity (eval (tail gs g' 2) (row_mx (g_units g') (row_mx (const_mx x) (sums g s)))).
  by rewrite /=; congr (eval _ _); exact: next_eval.
rewrite IH //; last exact: sums_ge0.
rewrite /sums mulmxDl -!mulmxA g_splitE pidE // mxE g_outE [flatten (g :: _)]/= value_cat.
by rewrite -addrA addrCA.
Qed.

Lemma knot_layers_eval gs : eval (knot_layers gs) (const_mx x) = value (flatten gs).
Proof.
case: gs => [|g gs]; first by rewrite /= mulmx0 mxE addr0 /value big_nil.
rewrite [eval _ _]/= mul_mx_row mul_mx_row mulmx0 !const_mul.
rewrite !add_row_mx !addr0 /relu_mx !map_row_mx.
rewrite -[map_mx _ (const_mx x - _)]/(relu_mx _) -[map_mx _ (const_mx x)]/(relu_mx _).
rewrite g_unitsE relu_const tail_eval //; last by case.
by rewrite mxE big_ord0 add0r.
Qed.
End Eval.

Lemma flatten_chunks L g (s : group) : (size s <= L * g)%N -> flatten (chunks L g s) = s.
Proof.
elim: L s => [|L IH] s /=; first by rewrite mul0n leqn0 size_eq0 => /eqP->.
by move=> h; rewrite IH ?cat_take_drop // size_drop leq_subLR -mulSn.
Qed.

Lemma ceil_divP n L : (0 < L)%N -> (n <= L * ceil_div n L)%N.
Proof.
move=> L0; rewrite /ceil_div {1}(divn_eq n L) mulnDr mulnC leq_add2l.
case: (boolP (L %| n)%N) => [/eqP->|_]; first by rewrite muln0.
by rewrite muln1 ltnW // ltn_mod.
Qed.

Lemma size_shifted n d (p : params R n d) : size (shifted p) = n.
Proof. by rewrite /shifted /knots 2!size_map size_enum_ord. Qed.

Lemma dot_mul d (a z : 'rV[R]_d) : z *m a^T = const_mx (dot a z).
Proof. by apply/rowP=> j; rewrite !mxE; apply: eq_bigr => i _; rewrite !mxE ord1 mulrC. Qed.

(* right of the first threshold the deep network is the network of Theorem 1 *)
Theorem deep_eval n d k (p : params R n d) (z : 'rV[R]_d) : (2 < k)%N ->
  first_b p <= dot (par_a p) z -> eval (deep k p) z = net p z.
Proof.
move=> k2 hz; rewrite /deep [eval _ _]/=.
have -> : relu_mx (z *m (par_a p)^T + const_mx (- first_b p))
    = const_mx (dot (par_a p) z - first_b p).
  by rewrite dot_mul; apply/rowP=> j; rewrite !mxE relu_id // subr_ge0.
rewrite knot_layers_eval ?subr_ge0 // flatten_chunks; last first.
  by rewrite size_shifted ceil_divP // subn_gt0.
rewrite /value big_map big_map big_enum /=; apply: eq_bigr => j _ /=.
by congr (_ * relu _); rewrite opprB addrA subrK.
Qed.

(* ---- the counts ---- *)

Lemma depth_tail gs g pc : depth (tail gs g pc) = (size gs).+1.
Proof. by elim: gs g pc => //= g' gs IH g pc; rewrite IH. Qed.

Lemma units_tail gs g pc :
  units (tail gs g pc) = (size (flatten gs) + 2 * size gs + (size gs).-1)%N.
Proof.
elim: gs g pc => //= g' gs IH g pc; rewrite IH size_cat.
by case: gs {IH} => [|g'' gs] /=; lia.
Qed.

Lemma width_tail gs g pc m : all (fun g => size g <= m)%N gs ->
  (width (tail gs g pc) <= m + 2 + (1 < size gs))%N.
Proof.
elim: gs g pc => //= g' gs IH g pc /andP[g'm gsm].
rewrite geq_max; have := IH g' 2%N gsm.
by case: gs {IH gsm} => [|g'' gs] /=; lia.
Qed.

Lemma nnz_next g pc g' zc : (pc <= 2)%N ->
  (nnz (next_w g pc g' zc) <= size g + size g' + zc + pc)%N.
Proof.
move=> pc2; rewrite /next_w !nnz_col !nnz_row !nnz0.
have h1 : (nnz (g_split g) <= size g)%N.
  apply: nnz_rows => i j k; rewrite !mxE; set w := (nth _ _ _).2.
  have both : relu w != 0 -> relu (- w) != 0 -> False.
    case: (leP 0 w) => h; first by rewrite (relu_0 (t := - w)) ?oppr_le0 // eqxx.
    by rewrite relu_0 ?(ltW h) // eqxx.
  case: j k => -[|[|j]] // hj [[|[|k]] //] hk /= n1 n2;
    first [exact: val_inj|by case: (both n1 n2)|by case: (both n2 n1)].
have h2 : (nnz (const_mx 1%R : 'M[R]_(1, size g')) <= size g')%N.
  by rewrite (leq_trans (nnz_le _)) ?mul1n.
have h3 : (nnz (const_mx 1%R : 'M[R]_(1, zc)) <= zc)%N by rewrite (leq_trans (nnz_le _)) ?mul1n.
have h4 : (nnz (pid_mx pc : 'M[R]_(pc, 2)) <= pc)%N.
  apply: nnz_rows => i j k; rewrite !mxE.
  by case: (boolP (i == j :> nat)) => [/eqP ij|_]; rewrite ?andbF ?eqxx // => _;
     case: (boolP (i == k :> nat)) => [/eqP ik|_]; rewrite ?andbF ?eqxx // => _;
     apply: val_inj; rewrite /= -ij.
by move: h1 h2 h3 h4; lia.
Qed.

Lemma weights_tail gs g pc : (pc <= 2)%N -> (weights (tail gs g pc)
  <= size g + pc + 3 * size (flatten gs) + 2 * size gs + (size gs).-1)%N.
Proof.
elim: gs g pc => [|g' gs IH] g pc pc2 /=.
  rewrite nnz_col eqxx addn0 !addn0; apply: leq_add; apply: leq_trans (nnz_le _) _;
  by rewrite muln1.
have h1 := @nnz_next g pc g' (~~ nilp gs) pc2; have h2 := IH g' 2%N isT.
have h3 : (nnz (row_mx (- g_bias g')%R (0%R : 'rV[R]_(~~ nilp gs + 2))) <= size g')%N.
  by rewrite nnz_row nnz0 addn0 (leq_trans (nnz_le _)) ?mul1n.
by rewrite size_cat; case: gs {IH} h1 h2 h3 => [|g'' gs] /=; lia.
Qed.

Lemma size_chunks L g s : size (chunks L g s) = L.
Proof. by elim: L s => //= L IH s; rewrite IH. Qed.

Lemma all_chunks L g s : all (fun c => size c <= g)%N (chunks L g s).
Proof. by elim: L s => //= L IH s; rewrite IH andbT size_take; case: ltnP. Qed.

Lemma depth_deep n d k (p : params R n d) : (2 < k)%N -> depth (deep k p) = k.
Proof.
case: k => [|[|[|L]]] // _; rewrite /deep /= subSS subSS subn0 /=.
by rewrite depth_tail size_chunks.
Qed.

Lemma units_deep n d k (p : params R n d) : (2 < k)%N ->
  units (deep k p) = (n + 1 + 3 * (k - 3))%N.
Proof.
move=> k2; have k20 : (0 < k - 2)%N by rewrite subn_gt0.
have := ceil_divP n k20; rewrite -{1}(size_shifted p) => /flatten_chunks.
rewrite /deep; move: (ceil_div _ _) => g E.
have {E} : size (flatten (chunks (k - 2) g (shifted p))) = n by rewrite E size_shifted.
have := size_chunks (k - 2) g (shifted p).
case: chunks => [|c cs] /=; first by lia.
by rewrite size_cat units_tail; case: cs => [|c' cs] /=; lia.
Qed.

Lemma width_deep n d k (p : params R n d) : (0 < n)%N -> (2 < k)%N ->
  (width (deep k p) <= ceil_div n (k - 2) + minn 3 (k - 3 + (3 < k)))%N.
Proof.
move=> n0 k2; have k20 : (0 < k - 2)%N by rewrite subn_gt0.
rewrite /deep; have := ceil_divP n k20; move: (ceil_div _ _) => g ng.
have g0 : (0 < g)%N by case: g ng => //; rewrite muln0 leqNgt n0.
have := all_chunks (k - 2) g (shifted p); have := size_chunks (k - 2) g (shifted p).
case: chunks => [|c cs] /=; first by lia.
move=> sz /andP[cg /(@width_tail _ c 0) wt].
by move: wt; case: cs sz => [|c' [|c'' cs]] /=; rewrite !geq_max; lia.
Qed.

Lemma weights_deep n d k (p : params R n d) : (0 < n)%N -> (2 < k)%N ->
  (weights (deep k p) <= 3 * n + d + 3 * (k - 3))%N.
Proof.
move=> n0 k2; have k20 : (0 < k - 2)%N by rewrite subn_gt0.
rewrite /deep; have := ceil_divP n k20; move: (ceil_div _ _) => g ng.
have g0 : (0 < g)%N by case: g ng => //; rewrite muln0 leqNgt n0.
have fl : flatten (chunks (k - 2) g (shifted p)) = shifted p.
  by apply: flatten_chunks; rewrite size_shifted.
have := size_chunks (k - 2) g (shifted p).
(* the first chunk begins with the first knot, whose shifted threshold is 0 *)
have : head (1, 0) (head [::] (chunks (k - 2) g (shifted p))) = (0, (nth (0, 0) (shifted p) 0).2).
  case: (k - 2)%N k20 => // L _ /=; case: g g0 {ng fl} => // g _.
  have := size_shifted p; rewrite /shifted /first_b; case: (knots p) => [|[b w] s] /=.
    by move=> n00; move: n0; rewrite -n00.
  by rewrite subrr.
move: fl; case: chunks => [|c cs] /= fl hd sz; first by move: sz k20; lia.
have szc : (size c + size (flatten cs) = n)%N by rewrite -size_cat fl size_shifted.
have h1 : (nnz (par_a p)^T <= d)%N by rewrite (leq_trans (nnz_le _)) ?muln1.
have h2 : (nnz (const_mx (- first_b p)%R : 'rV[R]_1) <= 1)%N by exact: (leq_trans (nnz_le _)).
have h3 : (nnz (const_mx 1%R : 'M[R]_(1, size c)) <= size c)%N by rewrite (leq_trans (nnz_le _)) ?mul1n.
have h4 : (nnz (const_mx 1%R : 'M[R]_(1, ~~ nilp cs)) <= ~~ nilp cs)%N.
  by rewrite (leq_trans (nnz_le _)) ?mul1n.
have h5 : (nnz (- g_bias c)%R < size c)%N.
  case: c hd {fl sz szc h3} => [|[b w] c] /= => [[] /eqP|[b0 _]]; first by rewrite oner_eq0.
  rewrite /nnz big_ord1 big_ord_recl !mxE /= b0 oppr0 eqxx add0n ltnS.
  rewrite -[X in (_ <= X)%N]card_ord -sum1_card leq_sum // => j _; exact: leq_b1.
have := @weights_tail cs c 0%N isT; rewrite !nnz_row !nnz0.
by move: h1 h2 h3 h4 h5 szc sz; case: cs {fl} => [|c' cs] /=; lia.
Qed.

(* ---- the corollary ---- *)

Lemma first_bE n d (a : 'rV[R]_d) (b : 'I_n.+1 -> R) w :
  first_b (mk_params a (\row_j b j) w) = b 0.
Proof. by rewrite /first_b /knots enum_ordSl /= par_bE mxE. Qed.

Theorem corollary1 n d k (z : 'I_n -> 'rV[R]_d) : (0 < n)%N -> (2 < k)%N ->
  injective z -> forall y : 'I_n -> R,
  exists p : params R n d,
  [/\ depth (deep k p) = k,
      units (deep k p) = (n + 1 + 3 * (k - 3))%N,
      (weights (deep k p) <= 3 * n + d + 3 * (k - 3))%N,
      [/\ k = 3%N -> width (deep k p) = n,
          k = 4%N -> (width (deep k p) <= ceil_div n 2 + 2)%N
        & (width (deep k p) <= ceil_div n (k - 2) + 3)%N]
    & forall i, eval (deep k p) (z i) = y i].
Proof.
case: n z => // n z n0 k2 /separating[t ainj] y; have [s xlt] := sort_inj ainj.
have [b Hint] := interleave xlt.
have [w [fit _]] := theorem1_thresholds y (interleavingW Hint).
set p := mk_params _ _ _ in fit; exists p; split.
- exact: depth_deep.
- exact: units_deep.
- exact: weights_deep.
- have W := width_deep p n0 k2; split=> [k3|k4|]; last by move: W; lia.
    have cd1 : ceil_div n.+1 (3 - 2) = n.+1 by rewrite /ceil_div divn1 dvd1n addn0.
    rewrite k3 in W *; apply/eqP; rewrite eqn_leq; apply/andP; split.
      by move: W; rewrite cd1 (_ : minn _ _ = 0%N) ?addn0.
    by rewrite /deep /= cd1 take_oversize ?size_shifted // addn0; lia.
  by move: W; rewrite k4.
move=> i; rewrite -fit deep_eval // /p par_aE first_bE -[i](permKV s).
set j := (s^-1)%g i; apply/ltW; case: Hint => h1 _; apply: lt_le_trans (h1 0) _.
case: (posnP j) => [j0|j0]; last exact/ltW/xlt.
by rewrite (_ : j = 0) //; apply: val_inj.
Qed.

(* k = 2: the network of Theorem 1 as a layered network *)
Definition shallow n d (p : params R n d) : mlp R d :=
  Hid ((par_a p)^T *m const_mx 1) (- par_b p) (Out (par_w p)^T 0).

Theorem shallow_eval n d (p : params R n d) :
  [/\ depth (shallow p) = 2%N, units (shallow p) = n & forall z, eval (shallow p) z = net p z].
Proof.
split=> [||z]; rewrite /= ?addn0 // addr0 mulmxA /net.
move: (par_a p) (par_b p) (par_w p) => a b w; rewrite mxE; apply: eq_bigr => j _.
rewrite !mxE big_ord1 !mxE mulr1 mulrC; congr (_ * relu (_ - _)).
by apply: eq_bigr => k _; rewrite !mxE mulrC.
Qed.

(* the orders of magnitude, for k up to n + 2 *)
Theorem corollary1_bounds n d k (z : 'I_n -> 'rV[R]_d) : (2 < k)%N -> (k <= n + 2)%N ->
  injective z -> forall y : 'I_n -> R,
  exists p : params R n d,
  [/\ depth (deep k p) = k, (k * width (deep k p) <= 7 * n + 8)%N,
      (weights (deep k p) <= 6 * n + d)%N & forall i, eval (deep k p) (z i) = y i].
Proof.
move=> k2 kn zinj y; have n0 : (0 < n)%N by lia.
have [p [h1 _ h3 [_ _ h4] h5]] := corollary1 n0 k2 zinj y.
exists p; split=> //; last by lia.
move: h4; rewrite /ceil_div; set W := width _; have L0 : (0 < k - 2)%N by lia.
have := leq_trunc_div n (k - 2); move: (n %/ (k - 2))%N => Q hQ hW.
have {}hW : (W <= Q + 4)%N by move: hW; case: (_ %| _)%N => /=; lia.
apply: (@leq_trans (k * (Q + 4))%N); first by rewrite leq_mul2l hW orbT.
nia.
Qed.

End Corollary1.
