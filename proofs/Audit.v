(* Every public theorem, restated, with the axioms that it uses.

   gate.sh compiles this file and demands that every Theorem of theories/ appears
   here, once in a Check with its statement written out (a weaker statement does
   not have this type) and once in a Print Assumptions whose answer is "Closed
   under the global context".  The definitions that the statements use are pinned
   as well: each Example below holds by computation only while the definition says
   what is written here. *)
From Coq Require Import ZArith List Sorted.
From mathcomp Require Import all_ssreflect all_algebra all_fingroup.
From Shatter Require Import Relu Lemma1 Projection Theorem1 Zigzag Network Corollary1.
From Shatter Require Import Converse Tight Width1 Width2 FloatExact LeastNorm.
From Shatter Require Import CheckerDef CheckerScan CheckerProof CheckerExample.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

(* ---- definitions ---- *)

Example pin_relu (R : realFieldType) (t : R) : relu t = Num.max t 0.
Proof. reflexivity. Qed.
Example pin_dot (R : realFieldType) d (a z : 'rV[R]_d) : dot a z = \sum_k a 0 k * z 0 k.
Proof. reflexivity. Qed.
Example pin_net (R : realFieldType) n d (p : 'rV[R]_(d + (n + n))) (z : 'rV[R]_d) :
  net p z = \sum_(j < n) (rsubmx (rsubmx p)) 0 j *
    relu (dot (lsubmx p) z - (lsubmx (rsubmx p)) 0 j).
Proof. reflexivity. Qed.
Example pin_net2nd (R : realFieldType) n d (q : 'rV[R]_(2 * n + d)) (z : 'rV[R]_d) :
  net2nd q z = net (castmx (erefl, esym (params_count n d)) q) z.
Proof. reflexivity. Qed.
Example pin_mk_params (R : realFieldType) n d (a : 'rV[R]_d) (b w : 'rV[R]_n) :
  mk_params a b w = row_mx a (row_mx b w).
Proof. reflexivity. Qed.
Example pin_interleaving (R : realFieldType) n (b x : 'I_n -> R) :
  interleaving b x = ((forall i, b i < x i) /\
    (forall i j : 'I_n, j = i.+1 :> nat -> x i < b j)).
Proof. reflexivity. Qed.
Example pin_weak_interleaving (R : realFieldType) n (b x : 'I_n -> R) :
  weak_interleaving b x = ((forall i, b i < x i) /\
    (forall i j : 'I_n, j = i.+1 :> nat -> x i <= b j)).
Proof. reflexivity. Qed.
Example pin_reluM (R : realFieldType) n (b x : 'I_n -> R) :
  reluM b x = \matrix_(i, j) Num.max (x i - b j) 0.
Proof. reflexivity. Qed.
Example pin_min_gap (R : realFieldType) n (b x : 'I_n -> R) i0 :
  min_gap b x i0 = \big[Num.min/x i0 - b i0]_(i < n) (x i - b i).
Proof. reflexivity. Qed.
Example pin_lemma1 (R : realFieldType) n (b x : 'I_n -> R) : lemma1_conclusion b x =
  [/\ is_trig_mx (reluM b x),
      [/\ \det (reluM b x) = \prod_i (x i - b i), reluM b x \in unitmx & \rank (reluM b x) = n],
      char_poly (reluM b x) = \prod_i ('X - (x i - b i)%:P),
      forall l, eigenvalue (reluM b x) l <-> exists i, l = x i - b i
    & forall i0, [/\ eigenvalue (reluM b x) (min_gap b x i0),
                     forall l, eigenvalue (reluM b x) l -> min_gap b x i0 <= l
                   & 0 < min_gap b x i0]].
Proof. reflexivity. Qed.
Example pin_moment (R : realFieldType) d (t : R) : moment d t = \row_k t ^+ k.
Proof. reflexivity. Qed.

Example pin_zz_weight0 (R : realFieldType) (s : bool) : zz_weight R s 0 = (-1) ^+ (s + 0).
Proof. reflexivity. Qed.
Example pin_zz_weightS (R : realFieldType) (s : bool) j :
  zz_weight R s j.+1 = - 2%:R * (-1) ^+ (s + j).
Proof. reflexivity. Qed.
Example pin_zz_threshold0 (R : realFieldType) (x y : nat -> R) s :
  zz_threshold x y s 0 = x 0%N - `|y 0%N|.
Proof. reflexivity. Qed.
Example pin_zz_thresholdS (R : realFieldType) (x y : nat -> R) s i :
  zz_threshold x y s i.+1 =
    (x i + x i.+1) / 2%:R + (-1) ^+ (s + i) * (y i.+1 - y i) / 2%:R.
Proof. reflexivity. Qed.
Example pin_steep (R : realFieldType) n (x y : nat -> R) : steep n x y =
  (forall i, (i.+1 < n)%N -> `|y i.+1 - y i| < x i.+1 - x i).
Proof. reflexivity. Qed.
Example pin_zz_net (R : realFieldType) n d (p : 'rV[R]_(n + d)) s z :
  zz_net p s z = net (row_mx (rsubmx p) (row_mx (lsubmx p) (\row_(j < n) zz_weight R s j))) z.
Proof. reflexivity. Qed.
Example pin_zz_a (R : realFieldType) n d (p : 'rV[R]_(n + d)) : zz_a p = rsubmx p.
Proof. reflexivity. Qed.
Example pin_zz_b (R : realFieldType) n d (p : 'rV[R]_(n + d)) : zz_b p = lsubmx p.
Proof. reflexivity. Qed.
Example pin_dyadic (R : realFieldType) q (t : R) :
  dyadic q t = exists m : int, t = m%:~R / 2%:R ^+ q.
Proof. reflexivity. Qed.

Example pin_accepts ts : accepts ts = finish (fold_left step ts start).
Proof. reflexivity. Qed.
Example pin_encode sa sx sw a bw k rows : encode (Cert sa sx sw a bw k rows) =
  ([:: Zpos xH; Z.of_nat (length a); Z.of_nat (length bw); Z.of_nat (length rows); sa; sx; sw]
  ++ a ++ flat_map (fun p => [:: fst p; snd p]) bw ++ [:: k]
  ++ flat_map (fun r => fst r ++ [:: snd r]) rows)%list.
Proof. reflexivity. Qed.
Example pin_plain s b w bw :
  plain s ((b, w) :: bw) = Z.add (Z.mul w (Z.max (Z.sub s b) Z0)) (plain s bw) /\
  plain s nil = Z0.
Proof. split; reflexivity. Qed.
Example pin_dotZ a0 a x0 x :
  dotZ (a0 :: a) (x0 :: x) = Z.add (Z.mul a0 x0) (dotZ a x) /\ dotZ nil nil = Z0.
Proof. split; reflexivity. Qed.
Example pin_valid c : valid c =
  ((Z.lt 0 (c_sa c) /\ Z.lt 0 (c_sx c) /\ Z.lt 0 (c_sw c)) /\
   (c_a c <> nil /\ c_bw c <> nil /\ c_rows c <> nil) /\
   Forall (fun r => length (fst r) = length (c_a c) /\
     Z.add (plain (dotZ (c_a c) (fst r)) (c_bw c)) (c_c c) = snd r) (c_rows c)).
Proof. reflexivity. Qed.
Example pin_sorted c : CheckerScan.sorted c =
  (StronglySorted (fun p q => Z.le (fst p) (fst q)) (c_bw c) /\
   StronglySorted (fun r q => Z.le (dotZ (c_a c) (fst r)) (dotZ (c_a c) (fst q))) (c_rows c)).
Proof. reflexivity. Qed.

Section CheckerPins.
Variable R : realFieldType.
Let q (z : Z) : R := (ssrZ.int_of_Z z)%:~R.

Example pin_cert_params c : cert_params R c =
  row_mx (\row_k (q (nth Z0 (c_a c) k) / q (c_sa c)))
    (row_mx (\row_k (q (nth Z0 (List.map fst (c_bw c)) k) / (q (c_sa c) * q (c_sx c))))
            (\row_k (q (nth Z0 (List.map snd (c_bw c)) k) / q (c_sw c)))).
Proof. reflexivity. Qed.
Example pin_cert_const c :
  cert_const R c = q (c_c c) / (q (c_sa c) * q (c_sx c) * q (c_sw c)).
Proof. reflexivity. Qed.
Example pin_cert_point c i : cert_point R c i =
  \row_k (q (nth Z0 (nth (nil, Z0) (c_rows c) i).1 k) / q (c_sx c)).
Proof. reflexivity. Qed.
Example pin_cert_label c i : cert_label R c i =
  q (nth (nil, Z0) (c_rows c) i).2 / (q (c_sa c) * q (c_sx c) * q (c_sw c)).
Proof. reflexivity. Qed.
End CheckerPins.

Section NetworkPins.
Variables (R : realFieldType) (p q : nat).
Implicit Types (w : 'cV[R]_p) (c : R) (A : 'M[R]_(p, q)) (b : 'rV[R]_q) (N : mlp R q).

Example pin_eval w c A b N h :
  eval (Out w c) h = (h *m w) 0 0 + c /\
  eval (Hid A b N) h = eval N (map_mx (@relu R) (h *m A + b)).
Proof. split; reflexivity. Qed.
Example pin_depth w c A b N :
  depth (Out w c) = 1%N /\ depth (Hid A b N) = (depth N).+1.
Proof. split; reflexivity. Qed.
Example pin_units w c A b N :
  units (Out w c) = 0%N /\ units (Hid A b N) = (q + units N)%N.
Proof. split; reflexivity. Qed.
Example pin_width w c A b N :
  width (Out w c) = 0%N /\ width (Hid A b N) = maxn q (width N).
Proof. split; reflexivity. Qed.
Example pin_nnz A : nnz A = (\sum_i \sum_j (A i j != 0%R))%N.
Proof. reflexivity. Qed.
Example pin_weights w c A b N :
  weights (Out w c) = (nnz w + (c != 0%R))%N /\
  weights (Hid A b N) = (nnz A + nnz b + weights N)%N.
Proof. split; reflexivity. Qed.
Example pin_ceil_div n L : ceil_div n L = (n %/ L + ~~ (L %| n))%N.
Proof. reflexivity. Qed.
Example pin_net1 m (a b w : 'I_m -> R) (c e t : R) :
  net1 a b w c e t = \sum_(j < m) w j * relu (a j * t - b j) + (c * t + e).
Proof. reflexivity. Qed.
Example pin_D3 (f : R -> R) x y z :
  D3 f x y z = (f z - f y) * (y - x) - (f y - f x) * (z - y).
Proof. reflexivity. Qed.
Example pin_net2 m d (A : 'I_m -> 'rV[R]_d) (b w : 'I_m -> R) (c : 'rV[R]_d) :
  forall e z, net2 A b w c e z = \sum_(j < m) w j * relu (dot (A j) z - b j) + (dot c z + e).
Proof. reflexivity. Qed.
Example pin_monotone (f : R -> R) : monotone f =
  ((forall s t, s <= t -> f s <= f t) \/ (forall s t, s <= t -> f t <= f s)).
Proof. reflexivity. Qed.
End NetworkPins.

(* the network of Corollary 1 is built from its 2n + d numbers by these formulas *)
Section DeepPins.
Variables (R : realFieldType) (n d : nat) (p : params R n d).

Example pin_knots : knots p = [seq (par_b p 0 j, par_w p 0 j) | j <- enum 'I_n].
Proof. reflexivity. Qed.
Example pin_first_b : first_b p = (head (0, 0) (knots p)).1.
Proof. reflexivity. Qed.
Example pin_deep k : deep k p =
  Hid (par_a p)^T (const_mx (- first_b p))
    (knot_layers (chunks (k - 2) (ceil_div n (k - 2))
      [seq (t.1 - first_b p, t.2) | t <- knots p])).
Proof. reflexivity. Qed.
Example pin_chunks L m (s : seq (R * R)) :
  chunks L.+1 m s = take m s :: chunks L m (drop m s) /\ chunks 0 m s = [::].
Proof. split; reflexivity. Qed.
Example pin_knot_layers (g : seq (R * R)) gs : knot_layers (g :: gs) =
  Hid (row_mx (const_mx 1) (row_mx (const_mx 1) 0) : 'M_(1, size g + (~~ nilp gs + 0)))
      (row_mx (- \row_j (nth (0, 0) g j).1) 0) (tail gs g 0).
Proof. reflexivity. Qed.
Example pin_tail (g g' : seq (R * R)) gs pc :
  tail [::] g pc = Out (col_mx (\col_j (nth (0, 0) g j).2)
                               (\col_i (if i == 0%N :> nat then 1 else -1))) 0 /\
  tail (g' :: gs) g pc =
    Hid (col_mx (row_mx 0 (row_mx 0 (\matrix_(j, c) (if c == 0
                   then relu (nth (0, 0) g j).2 else relu (- (nth (0, 0) g j).2)))))
          (col_mx (row_mx (const_mx 1) (row_mx (const_mx 1) 0))
                  (row_mx 0 (row_mx 0 (pid_mx pc)))))
        (row_mx (- \row_j (nth (0, 0) g' j).1) (0 : 'rV_(~~ nilp gs + 2))) (tail gs g' 2).
Proof. split; reflexivity. Qed.
Example pin_shallow :
  shallow p = Hid ((par_a p)^T *m const_mx 1) (- par_b p) (Out (par_w p)^T 0).
Proof. reflexivity. Qed.
End DeepPins.

Section FloatPins.
Variables (R : realFieldType) (fl : R -> R) (P : R).

Example pin_rounded I (t : I -> R * R) i l r :
  [/\ rounded fl t Zero = 0, rounded fl t (Term i) = fl ((t i).1 * (t i).2),
      rounded fl t (Add l r) = fl (rounded fl t l + rounded fl t r)
    & rounded fl t (Fma i r) = fl ((t i).1 * (t i).2 + rounded fl t r)].
Proof. split; reflexivity. Qed.
Example pin_leaves I (i : I) l r :
  [/\ leaves (@Zero I) = [::], leaves (Term i) = [:: i],
      leaves (Add l r) = leaves l ++ leaves r & leaves (Fma i r) = i :: leaves r].
Proof. split; reflexivity. Qed.
Example pin_once (I : finType) (t : tree I) : once t = perm_eq (leaves t) (index_enum I).
Proof. reflexivity. Qed.
Example pin_multiple (u t : R) : multiple u t = exists m : int, t = m%:~R * u.
Proof. reflexivity. Qed.
Example pin_exact_on u : exact_on fl P u =
  (forall t, multiple u t -> `|t| <= P * u -> fl t = t).
Proof. reflexivity. Qed.
Example pin_bound_i d (a x : 'rV[R]_d) u :
  bound_i a x u = forall k, multiple u (a 0 k * x 0 k).
Proof. reflexivity. Qed.
Example pin_bound_ii n d (a x : 'rV[R]_d) (b : 'rV[R]_n) u v : bound_ii P a x b u v =
  (multiple v u /\
   forall j, multiple v (b 0 j) /\ `|b 0 j| + \sum_k `|a 0 k * x 0 k| <= P * v).
Proof. reflexivity. Qed.
Example pin_bound_iii n d (p : params R n d) c (x : 'rV[R]_d) g : bound_iii P p c x g =
  [/\ forall j, multiple g (par_w p 0 j * relu (dot (par_a p) x - par_b p 0 j)),
      multiple g c
    & `|c| + \sum_j `|par_w p 0 j| * relu (dot (par_a p) x - par_b p 0 j) <= P * g].
Proof. reflexivity. Qed.
Example pin_rounded_net n d (p : params R n d) c (x : 'rV[R]_d) pre out :
  rounded_net fl p c x pre out =
  rounded fl (fun j : option 'I_n => if j is Some j then
      (par_w p 0 j, fl (relu (rounded fl (fun k : option 'I_d =>
         if k is Some k then (par_a p 0 k, x 0 k) else (- par_b p 0 j, 1)) (pre j))))
    else (c, 1)) out.
Proof. reflexivity. Qed.
Example pin_float_number prec (emin emax : int) (t : R) :
  float_number prec emin emax t = exists m e : int,
  [/\ `|m| <= 2%:R ^+ prec, emin <= e <= emax & t = m%:~R * 2%:R ^ e].
Proof. reflexivity. Qed.
End FloatPins.

Section LeastNormPins.
Variables (R : realFieldType) (n d : nat) (X : 'M[R]_(n, d)).

Example pin_in_span (w : 'rV[R]_d) : in_span X w = exists a : 'rV[R]_n, w = a *m X.
Proof. reflexivity. Qed.
Example pin_fits y (w : 'rV[R]_d) : fits X y w = forall i, dot w (matrix.row i X) = y i.
Proof. reflexivity. Qed.
Example pin_take_step (w v : 'rV[R]_d) (b : 'I_n -> nat) (l : 'I_n -> R -> R) (r m q : R) :
  take_step X (w, v) (GradientStep b l r m q) =
  let v' := m *: v + \sum_i (l i (dot w (matrix.row i X)) *+ b i) *: matrix.row i X in
  ((1 - q) *: w - r *: v', v').
Proof. reflexivity. Qed.
Example pin_descent ts : descent X ts = foldl (take_step X) (0, 0) ts.
Proof. reflexivity. Qed.
Example pin_loss_along (l : 'I_n -> {poly R}) (w v : 'rV[R]_d) : loss_along X l w v =
  n%:R^-1 *: \sum_i (l i \Po ((dot w (matrix.row i X))%:P + dot v (matrix.row i X) *: 'X)).
Proof. reflexivity. Qed.
Example pin_hessian (b : 'I_n -> R) :
  hessian X b = n%:R^-1 *: (X^T *m diag_mx (\row_i b i) *m X).
Proof. reflexivity. Qed.
End LeastNormPins.

(* ---- Lemma 1 ---- *)

Check (@lemma1 : forall (R : realFieldType) n (b x : 'I_n -> R),
  interleaving b x -> lemma1_conclusion b x).
Print Assumptions lemma1.
Check (@lemma1_weak : forall (R : realFieldType) n (b x : 'I_n -> R),
  weak_interleaving b x -> lemma1_conclusion b x).
Print Assumptions lemma1_weak.

(* ---- Theorem 1 ---- *)

Check (@separating : forall (R : realFieldType) (I : finType) d (z : I -> 'rV[R]_d),
  injective z -> exists k : nat, injective (fun i => dot (moment d k%:R) (z i))).
Print Assumptions separating.
Check (@theorem1_thresholds : forall (R : realFieldType) n d (z : 'I_n -> 'rV[R]_d)
  (a : 'rV[R]_d) (s : 'S_n) (b : 'I_n -> R) (y : 'I_n -> R),
  weak_interleaving b (fun i => dot a (z (s i))) ->
  exists! w : 'rV[R]_n, forall i, net (mk_params a (\row_j b j) w) (z i) = y i).
Print Assumptions theorem1_thresholds.
Check (@interleave_midpoint : forall (R : realFieldType) n (x : 'I_n.+1 -> R),
  (forall i j : 'I_n.+1, (i < j)%N -> x i < x j) ->
  interleaving (fun j => if j == 0 then x 0 - 1 else (x (inord j.-1) + x j) / 2%:R) x).
Print Assumptions interleave_midpoint.
Check (@interleave_data : forall (R : realFieldType) n (x : 'I_n.+1 -> R),
  (forall i j : 'I_n.+1, (i < j)%N -> x i < x j) ->
  weak_interleaving (fun j => if j == 0 then x 0 - 1 else x (inord j.-1)) x).
Print Assumptions interleave_data.
Check (@expressivity : forall (R : realFieldType) n d (z : 'I_n -> 'rV[R]_d),
  injective z -> forall y : 'I_n -> R,
  exists p : 'rV[R]_(d + (n + n)), forall i, net p (z i) = y i).
Print Assumptions expressivity.
Check (@theorem1 : forall (R : realFieldType) n d (z : 'I_n -> 'rV[R]_d),
  injective z -> forall y : 'I_n -> R,
  exists q : 'rV[R]_(2 * n + d), forall i, net2nd q (z i) = y i).
Print Assumptions theorem1.
Check (@theorem1_rat : forall n d (z : 'I_n -> 'rV[rat]_d),
  injective z -> forall y : 'I_n -> rat,
  exists q : 'rV[rat]_(2 * n + d), forall i, net2nd q (z i) = y i).
Print Assumptions theorem1_rat.

(* ---- zigzag ---- *)

Check (@zigzag_fit : forall (R : realFieldType) n (x y : nat -> R), steep n x y ->
  let s := y 0%N < 0 in forall i, (i < n)%N ->
  \sum_(j < n) zz_weight R s j * relu (x i - zz_threshold x y s j) = y i).
Print Assumptions zigzag_fit.
Check (@zigzag_interleaving : forall (R : realFieldType) n (x y : nat -> R) (s : bool),
  steep n x y -> y 0%N != 0 ->
  interleaving (fun i : 'I_n => zz_threshold x y s i) (fun i : 'I_n => x i)).
Print Assumptions zigzag_interleaving.
Check (@zz_weightE : forall (R : realFieldType) (s : bool),
  zz_weight R s 0 = (-1) ^+ s /\ forall j, zz_weight R s j.+1 = (-1) ^+ (s + j).+1 * 2%:R).
Print Assumptions zz_weightE.
Check (@zigzag_direction : forall (R : realFieldType) n d (z : 'I_n.+1 -> 'rV[R]_d)
    (y : 'I_n.+1 -> R) (a : 'rV[R]_d) (pi : 'S_n.+1),
  let x i := dot a (z (pi (inord i))) in let yy i := y (pi (inord i)) in
  steep n.+1 x yy ->
  let s := yy 0%N < 0 in
  let b := \row_(j < n.+1) zz_threshold x yy s j in
  [/\ forall i, zz_net (row_mx b a) s (z i) = y i,
      forall i j : 'I_n.+1, (i < j)%N -> dot a (z (pi i)) < dot a (z (pi j))
    & y (pi 0) != 0 -> interleaving (b 0) (fun i => dot a (z (pi i)))]).
Print Assumptions zigzag_direction.
Check (@zigzag : forall (R : realFieldType) n d (z : 'I_n -> 'rV[R]_d), injective z ->
  forall y : 'I_n -> R, exists (p : 'rV[R]_(n + d)) (s : bool), forall i, zz_net p s (z i) = y i).
Print Assumptions zigzag.
Check (@zigzag_full : forall (R : realFieldType) n d (z : 'I_n -> 'rV[R]_d), injective z ->
  forall y : 'I_n -> R, exists (p : 'rV[R]_(n + d)) (s : bool) (pi : 'S_n),
  [/\ forall i, zz_net p s (z i) = y i,
      forall i j : 'I_n, (i < j)%N -> dot (zz_a p) (z (pi i)) < dot (zz_a p) (z (pi j))
    & (forall i : 'I_n, i = 0%N :> nat -> y (pi i) != 0) ->
      interleaving (zz_b p 0) (fun i => dot (zz_a p) (z (pi i)))]).
Print Assumptions zigzag_full.
Check (@zz_threshold_dyadic : forall (R : realFieldType) (x y : nat -> R) (s : bool) q r,
  (forall i, dyadic q (x i)) -> (forall i, dyadic r (y i)) ->
  forall j, dyadic (maxn q r).+1 (zz_threshold x y s j)).
Print Assumptions zz_threshold_dyadic.
Check (@zigzag_lattice : forall (R : realFieldType) n d (z : 'I_n -> 'rV[R]_d)
  (y : 'I_n -> R) q r,
  injective z -> (forall i k, dyadic q (z i 0 k)) -> (forall i, dyadic r (y i)) ->
  exists (p : 'rV[R]_(n + d)) (s : bool),
  [/\ forall i, zz_net p s (z i) = y i,
      forall k, exists m : int, zz_a p 0 k = m%:~R
    & forall j, dyadic (maxn q r).+1 (zz_b p 0 j)]).
Print Assumptions zigzag_lattice.

(* ---- Corollary 1 ---- *)

Check (@shallow_eval : forall (R : realFieldType) n d (p : params R n d),
  [/\ depth (shallow p) = 2%N, units (shallow p) = n & forall z, eval (shallow p) z = net p z]).
Print Assumptions shallow_eval.
Check (@deep_eval : forall (R : realFieldType) n d k (p : params R n d) (z : 'rV[R]_d),
  (2 < k)%N -> first_b p <= dot (par_a p) z -> eval (deep k p) z = net p z).
Print Assumptions deep_eval.
Check (@corollary1 : forall (R : realFieldType) n d k (z : 'I_n -> 'rV[R]_d),
  (0 < n)%N -> (2 < k)%N -> injective z -> forall y : 'I_n -> R,
  exists p : 'rV[R]_(d + (n + n)),
  [/\ depth (deep k p) = k,
      units (deep k p) = (n + 1 + 3 * (k - 3))%N,
      (weights (deep k p) <= 3 * n + d + 3 * (k - 3))%N,
      [/\ k = 3%N -> width (deep k p) = n,
          k = 4%N -> (width (deep k p) <= ceil_div n 2 + 2)%N
        & (width (deep k p) <= ceil_div n (k - 2) + 3)%N]
    & forall i, eval (deep k p) (z i) = y i]).
Print Assumptions corollary1.
Check (@corollary1_bounds : forall (R : realFieldType) n d k (z : 'I_n -> 'rV[R]_d),
  (2 < k)%N -> (k <= n + 2)%N -> injective z -> forall y : 'I_n -> R,
  exists p : 'rV[R]_(d + (n + n)),
  [/\ depth (deep k p) = k, (k * width (deep k p) <= 7 * n + 8)%N,
      (weights (deep k p) <= 6 * n + d)%N & forall i, eval (deep k p) (z i) = y i]).
Print Assumptions corollary1_bounds.

(* ---- lower bounds ---- *)

Check (@alternation : forall (R : realFieldType) m (a b w : 'I_m -> R) c e k (x : nat -> R),
  (forall i j, (i < j)%N -> (j < k.+2)%N -> x i < x j) ->
  (forall i, (i < k)%N ->
     0 < (-1) ^+ i * D3 (net1 a b w c e) (x i) (x i.+1) (x i.+2)) -> (k <= m)%N).
Print Assumptions alternation.
Check (@converse : forall (R : realFieldType) m (a b w : 'I_m -> R) c e n (x : nat -> R),
  (forall i j, (i < j)%N -> (j < n)%N -> x i < x j) ->
  (forall i, (i < n)%N -> 0 < (-1) ^+ i * net1 a b w c e (x i)) -> (n - 2 <= m)%N).
Print Assumptions converse.
Check (@converse_collinear : forall (R : realFieldType) m d (A : 'I_m -> 'rV[R]_d)
  (b w : 'I_m -> R) (c : 'rV[R]_d) e (u v : 'rV[R]_d) n (x : nat -> R),
  (forall i j, (i < j)%N -> (j < n)%N -> x i < x j) ->
  (forall i, (i < n)%N -> 0 < (-1) ^+ i * net2 A b w c e (u + x i *: v)) -> (n - 2 <= m)%N).
Print Assumptions converse_collinear.
Check (@converse_depth2 : forall (R : realFieldType) d (N : mlp R d) (u v : 'rV[R]_d) n
  (x : nat -> R), depth N = 2%N -> (forall i j, (i < j)%N -> (j < n)%N -> x i < x j) ->
  (forall i, (i < n)%N -> 0 < (-1) ^+ i * eval N (u + x i *: v)) -> (n - 2 <= units N)%N).
Print Assumptions converse_depth2.
Check (@tight : forall (R : realFieldType) m d (p : params R m d) (u v : 'rV[R]_d) n
  (x : nat -> R), (forall i j, (i < j)%N -> (j < n)%N -> x i < x j) ->
  (forall i, (i < n)%N -> 0 < (-1) ^+ i * net p (u + x i *: v)) -> (n <= m)%N).
Print Assumptions tight.

(* ---- width ---- *)

Check (@width1_monotone : forall (R : realFieldType) d (N : mlp R d) (u v : 'rV[R]_d),
  (width N <= 1)%N -> monotone (fun t => eval N (u + t *: v))).
Print Assumptions width1_monotone.
Check (@width1_fails : forall (R : realFieldType) d (N : mlp R d) (u v : 'rV[R]_d) x0 x1 x2,
  (width N <= 1)%N -> x0 < x1 -> x1 < x2 ->
  ~ [/\ eval N (u + x0 *: v) = 0, eval N (u + x1 *: v) = 1 & eval N (u + x2 *: v) = 0]).
Print Assumptions width1_fails.
Check (@width2 : forall (R : realFieldType) n d (z : 'I_n -> 'rV[R]_d), (0 < n)%N ->
  injective z -> forall y : 'I_n -> R, exists N : mlp R d,
  [/\ depth N = n.+1, units N = (2 * n - 1)%N, (width N <= 2)%N,
      (weights N <= 4 * n + d - 1)%N & forall i, eval N (z i) = y i]).
Print Assumptions width2.

(* ---- float-exactness ---- *)

Check (@float_exact : forall (R : realFieldType) (fl : R -> R) (P : R) n d
  (p : params R n d) (c : R) (x : 'rV[R]_d) u v g pre out,
  bound_i (par_a p) x u -> bound_ii P (par_a p) x (par_b p) u v -> bound_iii P p c x g ->
  exact_on fl P v -> exact_on fl P g -> (forall j, once (pre j)) -> once out ->
  rounded_net fl p c x pre out = net p x + c).
Print Assumptions float_exact.
Check (@float_exact_labels : forall (R : realFieldType) (fl : R -> R) (P : R) n d m
  (p : params R n d) (c : R) (z : 'I_m -> 'rV[R]_d) (y : 'I_m -> R) u v g pre out,
  (forall i, net p (z i) + c = y i) ->
  (forall i, [/\ bound_i (par_a p) (z i) u, bound_ii P (par_a p) (z i) (par_b p) u v
                & bound_iii P p c (z i) g]) ->
  exact_on fl P v -> exact_on fl P g -> (forall j, once (pre j)) -> once out ->
  forall i, rounded_net fl p c (z i) pre out = y i).
Print Assumptions float_exact_labels.
Check (@exact_on_binary : forall (R : realFieldType) (fl : R -> R) (prec : nat)
  (emin emax e : int), (forall t, float_number prec emin emax t -> fl t = t) ->
  emin <= e <= emax -> exact_on fl (2%:R ^+ prec) (2%:R ^ e)).
Print Assumptions exact_on_binary.

(* ---- linear functions ---- *)

Check (@least_norm : forall (R : realFieldType) n d (X : 'M[R]_(n, d)) y (w : 'rV[R]_d),
  in_span X w -> fits X y w -> forall u, fits X y u ->
  [/\ dot u u = dot w w + dot (u - w) (u - w), dot w w <= dot u u
    & dot u u = dot w w -> u = w]).
Print Assumptions least_norm.
Check (@least_norm_formula : forall (R : realFieldType) n d (X : 'M[R]_(n, d)) (y : 'I_n -> R),
  row_free X -> let w := (\row_i y i) *m invmx (X *m X^T) *m X in
  [/\ X *m X^T \in unitmx, in_span X w & fits X y w]).
Print Assumptions least_norm_formula.
Check (@least_norm_unique : forall (R : realFieldType) n d (X : 'M[R]_(n, d)) y (u : 'rV[R]_d),
  fits X y u -> exists! w, in_span X w /\ fits X y w).
Print Assumptions least_norm_unique.
Check (@descent_span : forall (R : realFieldType) n d (X : 'M[R]_(n, d))
  (ts : seq (gradient_step R n)),
  in_span X (descent X ts).1 /\ in_span X (descent X ts).2).
Print Assumptions descent_span.
Check (@descent_least_norm : forall (R : realFieldType) n d (X : 'M[R]_(n, d)) (y : 'I_n -> R)
  (ts : seq (gradient_step R n)), let w := (descent X ts).1 in fits X y w ->
  forall u, fits X y u -> dot w w <= dot u u /\ (dot u u = dot w w -> u = w)).
Print Assumptions descent_least_norm.
Check (@equal_curvature : forall (R : realFieldType) n d (X : 'M[R]_(n, d)) (y : 'I_n -> R)
  (l : 'I_n -> {poly R}) (w : 'rV[R]_d), fits X y w ->
  forall v, (loss_along X l w v)^`(2).[0] =
    (v *m hessian X (fun i => (l i)^`(2).[y i]) *m v^T) 0 0).
Print Assumptions equal_curvature.
Check (@hessian_singular : forall (R : realFieldType) n d (X : 'M[R]_(n, d)) (b : 'I_n -> R),
  (n < d)%N -> exists v : 'rV[R]_d,
  [/\ v != 0, v *m X^T = 0 & hessian X b *m v^T = 0]).
Print Assumptions hessian_singular.

(* ---- the checker ---- *)

Check (@accepts_valid : forall ts, accepts ts = true ->
  exists c, ts = encode c /\ valid c /\ CheckerScan.sorted c).
Print Assumptions accepts_valid.
Check (@accepts_complete : forall c, valid c -> CheckerScan.sorted c -> accepts (encode c) = true).
Print Assumptions accepts_complete.
Check (@accepts_iff : forall ts, accepts ts = true <->
  exists c, ts = encode c /\ valid c /\ CheckerScan.sorted c).
Print Assumptions accepts_iff.
Check (@valid_fits : forall (R : realFieldType) (c : cert), valid c ->
  forall i, (i < length (c_rows c))%N ->
  net (cert_params R c) (cert_point R c i) + cert_const R c = cert_label R c i).
Print Assumptions valid_fits.
Check (@accepts_sound : forall (R : realFieldType) (ts : list Z), accepts ts ->
  exists c : cert,
  [/\ ts = encode c,
      [/\ Z.lt 0 (c_sa c), Z.lt 0 (c_sx c) & Z.lt 0 (c_sw c)],
      (0 < length (c_rows c))%N,
      forall i, (i < length (c_rows c))%N -> length (cert_row c i).1 = length (c_a c)
    & forall i, (i < length (c_rows c))%N ->
        net (cert_params R c) (cert_point R c i) + cert_const R c = cert_label R c i]).
Print Assumptions accepts_sound.
Check (example_accepted : accepts example_stream = true).
Print Assumptions example_accepted.
Check (example_altered : accepts altered_stream = false).
Print Assumptions example_altered.
Check (example_fits : exists c : cert, example_stream = encode c /\
  length (c_rows c) = 8%N /\
  forall i, (i < 8)%N ->
    net (cert_params rat_realFieldType c) (cert_point rat_realFieldType c i) + cert_const rat_realFieldType c
    = cert_label rat_realFieldType c i).
Print Assumptions example_fits.
