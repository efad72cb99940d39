(* The converse: alternating labels on a line need n - 2 hidden units.

   A two-layer network on R^d with m hidden units, each with a direction of its own,
   and with an affine skip connection and an output bias,

       f(z) = sum_(j < m) w_j max (<A_j, z> - b_j, 0) + <c, z> + e,

   whose values at n points in order on a line alternate in sign has m >= n - 2.
   (A result of this project; Theorem 1 of the paper says that n units suffice in
   its own, narrower form.)

   Idea.  Alternating values make the second differences of f at consecutive
   triples alternate in sign.  The affine part has none, and a unit has a second
   difference of one sign that is not zero only if its kink is strictly inside the
   triple (D3_unit_kink).  So each of the n - 2 triples is served by a unit, and no
   unit serves two: triples that do not overlap by one_kink, overlapping ones as
   they need opposite signs of w_j. *)
From mathcomp Require Import all_ssreflect all_algebra.
From mathcomp Require Import ring.
From Shatter Require Import Relu Network.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Section Converse.
Variable R : realFieldType.

(* the second difference of f at x < y < z, multiplied by the two gaps *)
Definition D3 (f : R -> R) x y z := (f z - f y) * (y - x) - (f y - f x) * (z - y).

Definition unit1 (a b t : R) := relu (a * t - b).

(* a two-layer network on the line: m units with any inner weights, plus any
   affine part (a skip connection and an output bias) *)
Definition net1 m (a b w : 'I_m -> R) (c e t : R) :=
  \sum_(j < m) w j * unit1 (a j) (b j) t + (c * t + e).

Lemma D3_net1 m (a b w : 'I_m -> R) c e x y z :
  D3 (net1 a b w c e) x y z = \sum_j w j * D3 (unit1 (a j) (b j)) x y z.
Proof.
have E f u : \sum_j w j * D3 (f j) x y z = D3 (fun t => \sum_j w j * f j t + u t) x y z
      - D3 u x y z.
  have -> : \sum_j w j * D3 (f j) x y z =
     (\sum_j w j * f j z - \sum_j w j * f j y) * (y - x)
     - (\sum_j w j * f j y - \sum_j w j * f j x) * (z - y).
    rewrite -!sumrB !mulr_suml -sumrB; apply: eq_bigr => j _; rewrite /D3; ring.
  rewrite /D3; ring.
rewrite (E _ (fun t => c * t + e)) (_ : D3 (fun t => c * t + e) x y z = 0) ?subr0 //.
by rewrite /D3; ring.
Qed.

Lemma D3_unit_ge0 a b x y z : x < y -> y < z -> 0 <= D3 (unit1 a b) x y z.
Proof.
move=> xy yz; have h1 : 0 <= y - x by rewrite subr_ge0 ltW.
have h2 : 0 <= z - y by rewrite subr_ge0 ltW.
rewrite /D3 /unit1; case: (leP (a * y - b) 0) => hy.
  rewrite (relu_0 hy) subr0 sub0r mulNr opprK.
  by apply: addr_ge0; apply: mulr_ge0 => //; apply: relu_ge0.
rewrite (relu_id (ltW hy)).
have -> : (relu (a * z - b) - (a * y - b)) * (y - x) -
   (a * y - b - relu (a * x - b)) * (z - y)
   = (relu (a * z - b) - (a * z - b)) * (y - x)
     + (relu (a * x - b) - (a * x - b)) * (z - y) by ring.
by apply: addr_ge0; apply: mulr_ge0 => //; rewrite subr_ge0 /relu le_maxr lexx.
Qed.

(* the unit is affine on [x,z] unless its kink is strictly inside *)
Lemma D3_unit_kink a b x y z : x < y -> y < z -> D3 (unit1 a b) x y z != 0 ->
  (a * x - b) * (a * z - b) < 0.
Proof.
move=> xy yz; apply: contraNT; rewrite -leNgt => h.
have h1 : 0 < y - x by rewrite subr_gt0.
have h2 : 0 < z - y by rewrite subr_gt0.
have h3 : 0 < z - x by rewrite subr_gt0 (lt_trans xy).
have E : (a * y - b) * (z - x) = (a * x - b) * (z - y) + (a * z - b) * (y - x) by ring.
have [/andP[hx hz]|/andP[hx hz]] : (0 <= a * x - b) && (0 <= a * z - b) \/
   (a * x - b <= 0) && (a * z - b <= 0).
- case: (ltrgtP (a * x - b) 0) h => [hx|hx|->].
  + by rewrite nmulr_rge0 // => hz; right; rewrite hz.
  + by rewrite pmulr_rge0 // => hz; left; rewrite hz.
  + by move=> _; case: (lerP 0 (a * z - b)) => [hz|/ltW hz]; [left|right]; rewrite ?hz ?lexx.
- have hy : 0 <= a * y - b.
    by rewrite -(pmulr_lge0 _ h3) E addr_ge0 // mulr_ge0 // ltW.
  by rewrite /D3 /unit1 !relu_id //; apply/eqP; ring.
- have hy : a * y - b <= 0.
    by rewrite -(pmulr_lle0 _ h3) E -[0]addr0 ler_add // mulr_le0_ge0 // ltW.
  by rewrite /D3 /unit1 !relu_0 // !subrr !mul0r subrr.
Qed.

(* a unit cannot bend inside two disjoint intervals *)
Lemma one_kink (a b x z x' z' : R) : x < z -> z <= x' -> x' < z' ->
  (a * x - b) * (a * z - b) < 0 -> (a * x' - b) * (a * z' - b) < 0 -> False.
Proof.
move=> xz zx' xz' h h'.
have mono s t : s <= t -> 0 <= a -> a * s - b <= a * t - b.
  by move=> st a0; rewrite ler_add2r ler_wpmul2l.
have anti s t : s <= t -> a <= 0 -> a * t - b <= a * s - b.
  by move=> st a0; rewrite ler_add2r ler_wnmul2l.
have Hx s t : (a * s - b) * (a * t - b) < 0 -> a * s - b <= a * t - b ->
   a * s - b < 0 < a * t - b.
  move=> st; case: (ltrgtP (a * s - b) 0) st => [hs|hs|->]; last by rewrite mul0r ltxx.
    by rewrite nmulr_rlt0 // => ->.
  by rewrite pmulr_rlt0 // => ht /(lt_le_trans hs)/(lt_trans ht); rewrite ltxx.
have [a0|/ltW a0] := leP 0 a.
  have /andP[_ h1] := Hx _ _ h (mono _ _ (ltW xz) a0).
  have /andP[h2 _] := Hx _ _ h' (mono _ _ (ltW xz') a0).
  by have := lt_le_trans h1 (mono _ _ zx' a0); rewrite ltNge (ltW h2).
rewrite mulrC in h; rewrite mulrC in h'.
have /andP[h1 _] := Hx _ _ h (anti _ _ (ltW xz) a0).
have /andP[_ h2] := Hx _ _ h' (anti _ _ (ltW xz') a0).
by have := le_lt_trans (anti _ _ zx' a0) h1; rewrite ltNge (ltW h2).
Qed.

(* k alternating second differences need k hidden units *)
Theorem alternation m (a b w : 'I_m -> R) c e k (x : nat -> R) :
  (forall i j, (i < j)%N -> (j < k.+2)%N -> x i < x j) ->
  (forall i, (i < k)%N ->
     0 < (-1) ^+ i * D3 (net1 a b w c e) (x i) (x i.+1) (x i.+2)) ->
  (k <= m)%N.
Proof.
move=> xlt alt.
have served (i : 'I_k) : exists j : 'I_m,
   0 < (-1) ^+ i * w j * D3 (unit1 (a j) (b j)) (x i) (x i.+1) (x i.+2).
  have := alt i (ltn_ord i); rewrite D3_net1 mulr_sumr => pos.
  case: (pickP (fun j => 0 < (-1) ^+ i * w j *
      D3 (unit1 (a j) (b j)) (x i) (x i.+1) (x i.+2))) => [j hj|none]; first by exists j.
  move: pos; rewrite ltNge => /negP[]; rewrite -oppr_ge0 -sumrN.
  by apply: sumr_ge0 => j _; rewrite oppr_ge0 mulrA leNgt none.
have [f hf] := fin_all_exists served.
have ge0 (i : 'I_k) : 0 <= D3 (unit1 (a (f i)) (b (f i))) (x i) (x i.+1) (x i.+2).
  by apply: D3_unit_ge0; apply: xlt; rewrite ?ltnS // ltnW // ltn_ord.
have sgw (i : 'I_k) : 0 < (-1) ^+ i * w (f i).
  have := hf i; have := ge0 i; rewrite le_eqVlt => /orP[/eqP <-|h].
    by rewrite mulr0 ltxx.
  by rewrite pmulr_lgt0.
have bend (i : 'I_k) : (a (f i) * x i - b (f i)) * (a (f i) * x i.+2 - b (f i)) < 0.
  apply: (@D3_unit_kink _ _ _ (x i.+1)).
  - by apply: xlt => //; rewrite !ltnS ltnW.
  - by apply: xlt => //; rewrite !ltnS.
  - by apply/eqP=> h; have := hf i; rewrite h mulr0 ltxx.
have noteq (i i' : 'I_k) : (i < i')%N -> f i = f i' -> False.
  move=> ii' e'; case: (ltngtP i.+1 i') => [far| |near].
  - have := bend i'; rewrite -e'; apply: (one_kink _ _ _ (bend i)).
    + by apply: xlt; rewrite ?ltnS // ltn_ord.
    + move: far; rewrite leq_eqVlt => /orP[/eqP <-//|far].
      by apply/ltW/xlt => //; exact: leq_trans (ltn_ord i') (leqW (leqnSn k)).
    + by apply: xlt; rewrite ?ltnS // ltn_ord.
  - by rewrite ltnS leqNgt ii'.
  - have := sgw i'; rewrite -near exprS mulN1r mulNr -e' oppr_gt0.
    by rewrite ltNge (ltW (sgw i)).
have finj : injective f.
  move=> i i' e'; apply: val_inj; case: (ltngtP i i') => // h.
    by case: (noteq _ _ h e').
  by case: (noteq _ _ h (esym e')).
by have := leq_card f finj; rewrite !card_ord.
Qed.

(* values of alternating sign have second differences of alternating sign *)
Lemma alternating_D3 (f : R -> R) (x : nat -> R) n i :
  (forall i j, (i < j)%N -> (j < n)%N -> x i < x j) ->
  (forall i, (i < n)%N -> 0 < (-1) ^+ i * f (x i)) -> (i.+2 < n)%N ->
  0 < (-1) ^+ i * D3 f (x i) (x i.+1) (x i.+2).
Proof.
move=> xlt alt i2; have i1 := ltnW i2.
have h1 : 0 < x i.+1 - x i by rewrite subr_gt0 xlt.
have h2 : 0 < x i.+2 - x i.+1 by rewrite subr_gt0 xlt.
have := alt _ i2; have := alt _ i1; have := alt _ (ltnW i1).
rewrite !exprS; set s := (-1) ^+ i; move=> a0 a1 a2.
rewrite (_ : s * _ = (-1 * (-1 * s) * f (x i.+2) + -1 * s * f (x i.+1)) * (x i.+1 - x i)
   + (s * f (x i) + -1 * s * f (x i.+1)) * (x i.+2 - x i.+1)); last by rewrite /D3; ring.
by rewrite addr_gt0 // mulr_gt0 // addr_gt0.
Qed.

(* on the line *)
Theorem converse m (a b w : 'I_m -> R) c e n (x : nat -> R) :
  (forall i j, (i < j)%N -> (j < n)%N -> x i < x j) ->
  (forall i, (i < n)%N -> 0 < (-1) ^+ i * net1 a b w c e (x i)) ->
  (n - 2 <= m)%N.
Proof.
case: n => [|[|k]] // xlt alt; rewrite subn2 /=.
apply: (@alternation _ a b w c e _ _ xlt) => i ik.
exact: (alternating_D3 xlt alt).
Qed.

(* a two-layer network on R^d with a direction for each unit and an affine part *)
Definition net2 m d (A : 'I_m -> 'rV[R]_d) (b w : 'I_m -> R) (c : 'rV[R]_d) e z : R :=
  \sum_(j < m) w j * relu (dot (A j) z - b j) + (dot c z + e).

(* on the points u + x_i v of any line in R^d *)
Theorem converse_collinear m d (A : 'I_m -> 'rV[R]_d) (b w : 'I_m -> R) (c : 'rV[R]_d) e
    (u v : 'rV[R]_d) n (x : nat -> R) :
  (forall i j, (i < j)%N -> (j < n)%N -> x i < x j) ->
  (forall i, (i < n)%N -> 0 < (-1) ^+ i * net2 A b w c e (u + x i *: v)) ->
  (n - 2 <= m)%N.
Proof.
move=> xlt alt.
pose a j := dot (A j) v; pose b' j := b j - dot (A j) u.
apply: (@converse m a b' w (dot c v) (dot c u + e) n x xlt) => i hi.
rewrite (_ : net1 _ _ _ _ _ _ = net2 A b w c e (u + x i *: v)); first exact: alt.
rewrite /net1 /net2 dot_line !addrA; congr (_ + _ + _ + _).
  by apply: eq_bigr => j _; rewrite /unit1 /b' dot_line opprB addrA.
Qed.

(* the same of layered networks: depth 2 needs n - 2 hidden units *)
Theorem converse_depth2 d (N : mlp R d) (u v : 'rV[R]_d) n (x : nat -> R) :
  depth N = 2%N -> (forall i j, (i < j)%N -> (j < n)%N -> x i < x j) ->
  (forall i, (i < n)%N -> 0 < (-1) ^+ i * eval N (u + x i *: v)) ->
  (n - 2 <= units N)%N.
Proof.
case: N u v => // {d} d m A b N u v; case: N A b => [p w e|p q A' b' N] A b dN xlt alt; last first.
  by have := depth_gt0 N; case: dN => ->.
rewrite /= addn0.
apply: (@converse_collinear p d (fun j => (col j A)^T) (fun j => - b 0 j) (fun j => w j 0)
  0 e u v n x xlt) => i hi.
rewrite (_ : net2 _ _ _ _ _ _ = eval (Hid A b (Out w e)) (u + x i *: v)); first exact: alt.
rewrite /= mxE /net2 (_ : dot 0 _ = 0) ?add0r; last first.
  by rewrite /dot big1 // => k _; rewrite mxE mul0r.
congr (_ + _); apply: eq_bigr => j _; rewrite !mxE opprK mulrC; congr (relu (_ + _) * _).
by apply: eq_bigr => k _; rewrite !mxE mulrC.
Qed.

End Converse.
