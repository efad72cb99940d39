(* Tightness: in the form of Theorem 1, n points on a line can need n units.

   If c(z) = sum_(j < m) w_j max (<a, z> - b_j, 0) takes values of alternating sign,
   the first positive, at n points in order on a line in R^d, then m >= n.  So the
   n hidden units of Theorem 1 cannot be fewer, on any n collinear points.

   Idea.  All units face the same way, so the network is 0 on a half line to one
   side.  Two points there in front of the n points make n second differences
   that alternate, and each needs a unit of its own (alternation in Converse.v).
   If the direction is reversed along the line, read the line backwards. *)
From mathcomp Require Import all_ssreflect all_algebra.
From mathcomp Require Import ring.
From Shatter Require Import Relu Converse.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Section Tight.
Variable R : realFieldType.

Lemma tight_pos m (al : R) (b w : 'I_m -> R) n (x : nat -> R) : 0 < al ->
  (forall i j, (i < j)%N -> (j < n)%N -> x i < x j) ->
  (forall i, (i < n)%N -> 0 < (-1) ^+ i * net1 (fun=> al) b w 0 0 (x i)) -> (n <= m)%N.
Proof.
move=> al0; case: n => // n xlt fit; set f := net1 _ _ _ _ _ in fit.
pose B := - \sum_j `|b j|.
have hB j : B <= b j.
  rewrite /B ler_oppl (le_trans (ler_norm _)) // normrN (bigD1 j) //=.
  by rewrite ler_addl sumr_ge0.
pose X1 := Num.min (x 0%N - 1) (B / al); pose X0 := X1 - 1.
have X01 : X0 < X1 by rewrite ltr_subl_addr ltr_addl ltr01.
have X1x : X1 < x 0%N by rewrite /X1 lt_minl ltr_subl_addr ltr_addl ltr01.
have X1B : al * X1 <= B by rewrite mulrC -ler_pdivl_mulr // /X1 le_minl lexx orbT.
have f0 t : t <= X1 -> f t = 0.
  move=> tX; rewrite /f /net1 mul0r !addr0 big1 // => j _.
  rewrite /unit1 relu_0 ?mulr0 // subr_le0 (le_trans _ (hB j)) // (le_trans _ X1B) //.
  by rewrite ler_pmul2l.
pose x' i := if i is i'.+1 then (if i' is i''.+1 then x i'' else X1) else X0.
have xx j : (j < n.+1)%N -> X1 < x j.
  by case: j => // j hj; apply: lt_trans X1x _; apply: xlt.
apply: (@alternation _ _ (fun=> al) b w 0 0 _ x').
  case=> [|[|i]] [|[|j]] //= ij hj; first exact: lt_trans X01 (xx _ _).
    exact: xx.
  exact: xlt.
rewrite -/f /x' {x'}; case=> [|[|i]] hi /=.
- rewrite mul1r /D3 (f0 X0) ?(ltW X01) // (f0 X1) // !subr0 mul0r subr0.
  by rewrite mulr_gt0 ?subr_gt0 //; have := fit 0%N isT; rewrite mul1r.
- have := fit 0%N isT; have := fit 1%N hi; rewrite mul1r expr1 => f1 g0.
  rewrite /D3 (f0 X1) // subr0 (_ : _ * _ = (-1 * f (x 1%N) + f (x 0%N)) * (x 0%N - X1)
    + f (x 0%N) * (x 1%N - x 0%N)); last by ring.
  have h0 : 0 < x 0%N - X1 by rewrite subr_gt0.
  have h1 : 0 < x 1%N - x 0%N by rewrite subr_gt0 xlt.
  exact: addr_gt0 (mulr_gt0 (addr_gt0 f1 g0) h0) (mulr_gt0 g0 h1).
- rewrite !exprS !mulN1r opprK; apply: (alternating_D3 xlt fit); exact: hi.
Qed.

Lemma tight1 m (al : R) (b w : 'I_m -> R) n (x : nat -> R) :
  (forall i j, (i < j)%N -> (j < n)%N -> x i < x j) ->
  (forall i, (i < n)%N -> 0 < (-1) ^+ i * net1 (fun=> al) b w 0 0 (x i)) -> (n <= m)%N.
Proof.
move=> xlt fit; case: (ltrgtP al 0) => [al0|al0|al0]; last 1 first.
- move: fit; rewrite al0; case: n xlt => [|[|n]] // xlt fit.
    case: m b w fit => // b w /(_ 0%N isT).
    by rewrite /net1 big_ord0 mul0r !addr0 mulr0 ltxx.
  have := fit 1%N isT; have := fit 0%N isT; rewrite /net1 /unit1 !mul0r mul1r expr1 mulN1r.
  by rewrite oppr_gt0 => h1 h2; have := lt_trans h1 h2; rewrite ltxx.
- pose s : R := (-1) ^+ n.-1.
  apply: (@tight_pos m (- al) b (fun j => s * w j) n (fun i => - x (n.-1 - i)%N)).
  + by rewrite oppr_gt0.
  + move=> i j ij jn; rewrite ltr_opp2; case: n xlt {fit s} jn => // n xlt jn /=.
    by apply: xlt; rewrite ?ltn_sub2l // ?ltnS ?leq_subr // (leq_trans ij).
  + move=> i ni; have {fit}fit := fit (n.-1 - i)%N.
    have hin : (i <= n.-1)%N by case: n {xlt s fit} ni.
    have -> : net1 (fun=> - al) b (fun j => s * w j) 0 0 (- x (n.-1 - i)%N)
      = s * net1 (fun=> al) b w 0 0 (x (n.-1 - i)%N).
      rewrite /net1 !mul0r !addr0 mulr_sumr; apply: eq_bigr => j _.
      by rewrite /unit1 mulrNN mulrA.
    rewrite mulrA (_ : (-1) ^+ i * s = (-1) ^+ (n.-1 - i)).
      by apply: fit; case: n {xlt s} ni hin => // n _ _; rewrite ltnS leq_subr.
    by rewrite /s -{1}(subnK hin) exprD mulrCA -expr2 sqrr_sign mulr1.
- exact: tight_pos al0 xlt fit.
Qed.

Theorem tight m d (p : params R m d) (u v : 'rV[R]_d) n (x : nat -> R) :
  (forall i j, (i < j)%N -> (j < n)%N -> x i < x j) ->
  (forall i, (i < n)%N -> 0 < (-1) ^+ i * net p (u + x i *: v)) -> (n <= m)%N.
Proof.
move=> xlt fit.
pose b j := par_b p 0 j - dot (par_a p) u.
apply: (@tight1 m (dot (par_a p) v) b (par_w p 0) n x xlt) => i hi.
rewrite (_ : net1 _ _ _ _ _ _ = net p (u + x i *: v)); first exact: fit.
rewrite /net1 /net mul0r !addr0; apply: eq_bigr => j _.
by rewrite /unit1 /b dot_line opprB addrA.
Qed.

End Tight.
