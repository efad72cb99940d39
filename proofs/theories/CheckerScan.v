(* The checker accepts exactly the streams of certificates that fit.

   accepts_iff: a stream is accepted if and only if it is the encoding of a
   certificate with positive scales and counts, sorted thresholds, sorted rows of
   length d, and sum_j W_j max (<A, X_i> - B_j, 0) + C = Y_i in every row.

   Idea.  Reading backwards from the verdict, each state of the reader that leads
   to acceptance has consumed a prefix of the right length (one lemma a state).
   The invariant of the scan (scan_ok) says that the thresholds passed are a
   prefix, all below the last s, and that the two sums run over it; the plain sum
   is s (sum W) - (sum W B) on that prefix (plain_passed) and 0 on the rest
   (plain_ahead).

   Everything here is about integers; CheckerProof.v carries it to the network. *)
From Coq Require Import ZArith List Bool Lia Sorted.
From Shatter Require Import CheckerDef.
Import ListNotations.
Local Open Scope Z_scope.

(* a certificate and its sample, over common denominators *)
Record cert := Cert {
  c_sa : Z; c_sx : Z; c_sw : Z;          (* the scales *)
  c_a : list Z;                          (* A *)
  c_bw : list (Z * Z);                   (* the pairs (B_j, W_j) *)
  c_c : Z;                               (* C *)
  c_rows : list (list Z * Z)             (* the pairs (X_i, Y_i) *)
}.

Definition zlen {T} (l : list T) : Z := Z.of_nat (length l).
Definition flat_bw (l : list (Z * Z)) : list Z := flat_map (fun p => [fst p; snd p]) l.
Definition flat_rows (l : list (list Z * Z)) : list Z :=
  flat_map (fun r => fst r ++ [snd r]) l.

(* the documented stream *)
Definition encode (c : cert) : list Z :=
  [1; zlen (c_a c); zlen (c_bw c); zlen (c_rows c); c_sa c; c_sx c; c_sw c]
  ++ c_a c ++ flat_bw (c_bw c) ++ [c_c c] ++ flat_rows (c_rows c).

Fixpoint dotZ (a x : list Z) : Z :=
  match a, x with
  | a0 :: a', x0 :: x' => a0 * x0 + dotZ a' x'
  | _, _ => 0
  end.

(* sum_j W_j max (s - B_j, 0), as written *)
Fixpoint plain (s : Z) (bw : list (Z * Z)) : Z :=
  match bw with
  | (b, w) :: bw' => w * Z.max (s - b) 0 + plain s bw'
  | [] => 0
  end.

Definition fits_row (c : cert) (r : list Z * Z) : Prop :=
  length (fst r) = length (c_a c) /\
  plain (dotZ (c_a c) (fst r)) (c_bw c) + c_c c = snd r.

(* what acceptance means, over the integers *)
Definition valid (c : cert) : Prop :=
  (0 < c_sa c /\ 0 < c_sx c /\ 0 < c_sw c) /\
  (c_a c <> [] /\ c_bw c <> [] /\ c_rows c <> []) /\
  Forall (fits_row c) (c_rows c).

Definition le_fst (p q : Z * Z) := fst p <= fst q.
Definition sorted (c : cert) : Prop :=
  StronglySorted le_fst (c_bw c) /\
  StronglySorted (fun r q => dotZ (c_a c) (fst r) <= dotZ (c_a c) (fst q)) (c_rows c).

(* ---- lists ---- *)

Lemma rev'E {T} (l : list T) : rev' l = rev l.
Proof. unfold rev'. now rewrite <- rev_alt. Qed.
#[local] Arguments rev' : simpl never.

Lemma ss_snoc {T} (R : T -> T -> Prop) l p :
  StronglySorted R l -> Forall (fun q => R q p) l -> StronglySorted R (l ++ [p]).
Proof.
  induction 1 as [|q l Hs IH Hq]; intro H; cbn.
  - repeat constructor.
  - inversion H; subst. constructor; [now apply IH|].
    apply Forall_app; split; [assumption|now constructor].
Qed.

Lemma ss_app {T} (R : T -> T -> Prop) l1 l2 :
  StronglySorted R (l1 ++ l2) ->
  StronglySorted R l1 /\ StronglySorted R l2 /\
  (forall p q, In p l1 -> In q l2 -> R p q).
Proof.
  induction l1 as [|r l1 IH]; cbn; intro H.
  - split; [constructor|split; [assumption|tauto]].
  - inversion H as [|? ? H1 H2]; subst. destruct (IH H1) as (S1 & S2 & S3).
    rewrite Forall_forall in H2.
    split; [|split; [assumption|]].
    + constructor; [assumption|]. apply Forall_forall. intros; apply H2, in_or_app; auto.
    + intros p q [->|Hp] Hq; [apply H2, in_or_app; auto|now apply S3].
Qed.

(* ---- the plain sum and the prefix sums ---- *)

Fixpoint total_w (l : list (Z * Z)) : Z :=
  match l with (_, w) :: l' => w + total_w l' | [] => 0 end.
Fixpoint total_wb (l : list (Z * Z)) : Z :=
  match l with (b, w) :: l' => w * b + total_wb l' | [] => 0 end.

Lemma total_w_app l1 l2 : total_w (l1 ++ l2) = total_w l1 + total_w l2.
Proof. induction l1 as [|[b w] l1 IH]; cbn; [|rewrite IH]; lia. Qed.
Lemma total_wb_app l1 l2 : total_wb (l1 ++ l2) = total_wb l1 + total_wb l2.
Proof. induction l1 as [|[b w] l1 IH]; cbn; [|rewrite IH]; lia. Qed.
Lemma plain_app s l1 l2 : plain s (l1 ++ l2) = plain s l1 + plain s l2.
Proof. induction l1 as [|[b w] l1 IH]; cbn; [|rewrite IH]; lia. Qed.

Lemma plain_passed s l : Forall (fun p => fst p <= s) l ->
  plain s l = total_w l * s - total_wb l.
Proof.
  induction 1 as [|[b w] l Hb Hl IH]; cbn in *; [lia|].
  rewrite IH, Z.max_l by lia. ring.
Qed.

Lemma plain_ahead s l : Forall (fun p => s <= fst p) l -> plain s l = 0.
Proof.
  induction 1 as [|[b w] l Hb Hl IH]; cbn in *; [lia|].
  rewrite IH, Z.max_r by lia. ring.
Qed.

Lemma advance_spec s knots sw swb p : exists pass,
  knots = pass ++ ahead (advance s knots sw swb p) /\
  Forall (fun q => fst q <= s) pass /\
  sum_w (advance s knots sw swb p) = sw + total_w pass /\
  sum_wb (advance s knots sw swb p) = swb + total_wb pass /\
  prev (advance s knots sw swb p) = p /\
  (forall q, hd_error (ahead (advance s knots sw swb p)) = Some q -> s <= fst q).
Proof.
  revert sw swb; induction knots as [|[b w] knots IH]; intros sw swb; cbn [advance].
  - exists []; cbn. repeat split; try lia; [constructor|discriminate].
  - destruct (Z.ltb_spec b s) as [lt|ge].
    + destruct (IH (sw + w) (swb + w * b)) as (pass & E & F & W & WB & P & H).
      exists ((b, w) :: pass). cbn [app total_w total_wb].
      repeat split; auto.
      * now f_equal.
      * constructor; [cbn; lia|assumption].
      * rewrite W. lia.
      * rewrite WB. lia.
    + exists []; cbn. repeat split; try lia; [constructor|].
      intros q [= <-]; cbn; lia.
Qed.

(* the invariant of the scan, for the thresholds bw *)
Definition scan_ok (bw : list (Z * Z)) (sc : scan) : Prop :=
  exists passed, bw = passed ++ ahead sc /\
    sum_w sc = total_w passed /\ sum_wb sc = total_wb passed /\
    match prev sc with
    | Some s => Forall (fun q => fst q <= s) passed
    | None => passed = []
    end.

Lemma scan_ok0 bw : scan_ok bw (Scan bw 0 0 None).
Proof. exists []. repeat split. Qed.

(* one row: the invariant is kept and the value is the plain sum *)
Lemma scan_step bw sc s : StronglySorted le_fst bw -> scan_ok bw sc ->
  in_order (prev sc) s = true ->
  let sc' := advance s (ahead sc) (sum_w sc) (sum_wb sc) (Some s) in
  scan_ok bw sc' /\ prev sc' = Some s /\ sum_w sc' * s - sum_wb sc' = plain s bw.
Proof.
  intros Hs (passed & E & W & WB & P) ord sc'.
  destruct (advance_spec s (ahead sc) (sum_w sc) (sum_wb sc) (Some s))
    as (pass & E' & F & W' & WB' & P' & H).
  fold sc' in E', W', WB', P', H.
  assert (Fall : Forall (fun q => fst q <= s) (passed ++ pass)).
  { apply Forall_app; split; [|assumption].
    destruct (prev sc) as [q|]; [|subst; constructor].
    apply Z.leb_le in ord. eapply Forall_impl; [|exact P]. cbn; intros; lia. }
  assert (Eall : bw = (passed ++ pass) ++ ahead sc').
  { now rewrite <- app_assoc, <- E'. }
  assert (T1 : sum_w sc' = total_w (passed ++ pass)) by (rewrite total_w_app; lia).
  assert (T2 : sum_wb sc' = total_wb (passed ++ pass)) by (rewrite total_wb_app; lia).
  split; [|split; [assumption|]].
  - exists (passed ++ pass). rewrite P'. auto.
  - rewrite Eall, plain_app, plain_passed, T1, T2 by assumption.
    rewrite plain_ahead; [lia|].
    rewrite Eall in Hs. apply ss_app in Hs. destruct Hs as (_ & Hs & _).
    destruct (ahead sc') as [|q l]; [constructor|].
    specialize (H q eq_refl). inversion Hs as [|? ? _ Hq]; subst.
    constructor; [assumption|]. eapply Forall_impl; [|exact Hq].
    unfold le_fst; intros; lia.
Qed.

(* ---- acceptance, state by state ---- *)

Definition accepted (st : state) (ts : list Z) : Prop := finish (fold_left step ts st) = true.

Lemma accepted_fault w ts : ~ accepted (Fault w) ts.
Proof. unfold accepted; induction ts; cbn; [discriminate|assumption]. Qed.

Lemma accepted_done ts : accepted Done ts -> ts = [].
Proof.
  destruct ts as [|t ts]; [reflexivity|]. intro H; exfalso.
  exact (accepted_fault TrailingData ts H).
Qed.

(* a state that is not Done has to read on *)
Lemma accepted_cons st ts : finish st = false -> accepted st ts ->
  exists t ts', ts = t :: ts' /\ accepted (step st t) ts'.
Proof.
  destruct ts as [|t ts]; unfold accepted; cbn; [congruence|]. eauto.
Qed.

Lemma accepted_row k sc rest acc ts : accepted (Row k sc rest acc) ts ->
  exists X y ts', ts = X ++ y :: ts' /\ length X = length rest /\
    accepted (end_row k sc (acc + dotZ rest X) y) ts'.
Proof.
  revert acc ts; induction rest as [|a rest IH]; intros acc ts H;
    apply accepted_cons in H; try reflexivity; destruct H as (t & ts' & -> & H); cbn in H.
  - exists [], t, ts'. cbn. rewrite Z.add_0_r. auto.
  - destruct (IH _ _ H) as (X & y & ts2 & -> & L & H2).
    exists (t :: X), y, ts2. cbn. rewrite L. repeat split.
    now replace (acc + (a * t + dotZ rest X)) with (acc + a * t + dotZ rest X) by ring.
Qed.

Definition after (sc : scan) (A : list Z) (rows : list (list Z * Z)) : Prop :=
  match prev sc with
  | Some s => Forall (fun r => s <= dotZ A (fst r)) rows
  | None => True
  end.

Lemma accepted_rows A c n bw N : StronglySorted le_fst bw ->
  forall ts i sc, (length ts <= N)%nat -> scan_ok bw sc ->
  accepted (Row (Sheet A c n i) sc A 0) ts ->
  exists rows, ts = flat_rows rows /\ i + zlen rows = n /\ rows <> [] /\
    Forall (fun r => length (fst r) = length A /\ plain (dotZ A (fst r)) bw + c = snd r) rows /\
    StronglySorted (fun r q => dotZ A (fst r) <= dotZ A (fst q)) rows /\
    after sc A rows.
Proof.
  intro Hs. induction N as [|N IH]; intros ts i sc HN ok H;
    apply accepted_row in H; destruct H as (X & y & ts' & -> & LX & H).
  { rewrite app_length in HN; cbn in HN; lia. }
  unfold end_row in H; cbn [dir const count CheckerDef.row] in H. rewrite Z.add_0_l in H.
  destruct (in_order (prev sc) (dotZ A X)) eqn:ord; [|now apply accepted_fault in H].
  destruct (scan_step _ _ _ Hs ok ord) as (ok' & P & V).
  cbv zeta in H. rewrite V in H.
  destruct (Z.eqb_spec (plain (dotZ A X) bw + c) y) as [fit|];
    [|now apply accepted_fault in H].
  assert (first : forall rows, Forall (fun r => dotZ A X <= dotZ A (fst r)) rows ->
     after sc A ((X, y) :: rows)).
  { intros rows F. unfold after, in_order in *. destruct (prev sc) as [q|]; [|exact I].
    apply Z.leb_le in ord. constructor; [exact ord|].
    eapply Forall_impl; [|exact F]. cbn; intros; lia. }
  destruct (Z.eqb_spec (i + 1) n) as [last|more].
  - apply accepted_done in H; subst ts'.
    exists [(X, y)]. unfold zlen; cbn. split; [now rewrite <- app_assoc|].
    split; [exact last|]. split; [discriminate|].
    split; [repeat constructor; assumption|]. split; [repeat constructor|].
    apply first; constructor.
  - destruct (IH ts' (i + 1) _ ltac:(rewrite app_length in HN; cbn in HN; lia) ok' H)
      as (rows & -> & L & _ & F & S & Af).
    unfold after in Af. rewrite P in Af.
    exists ((X, y) :: rows). unfold zlen in *. cbn [length flat_rows flat_map fst snd].
    split; [now rewrite <- app_assoc|]. split; [lia|]. split; [discriminate|].
    split; [constructor; auto|]. split; [constructor; assumption|].
    now apply first.
Qed.

Lemma accepted_direction m n N : forall ts todo seen, (length ts <= N)%nat -> 0 < todo ->
  accepted (Direction m n todo seen) ts ->
  exists A ts', ts = A ++ ts' /\ zlen A = todo /\
    accepted (ThresholdB n m (rev seen ++ A) []) ts'.
Proof.
  induction N as [|N IH]; intros ts todo seen HN pos H;
    apply accepted_cons in H; try reflexivity; destruct H as (t & ts' & -> & H);
    cbn in HN; [lia|].
  cbn in H. destruct (Z.eqb_spec todo 1) as [->|ne].
  - exists [t], ts'. rewrite rev'E in H. cbn in H. auto.
  - destruct (IH ts' (todo - 1) (t :: seen) ltac:(lia) ltac:(lia) H) as (A & ts2 & -> & L & H2).
    exists (t :: A), ts2. unfold zlen in *. cbn [length app]. cbn in H2.
    rewrite <- app_assoc in H2. repeat split; [lia|exact H2].
Qed.

Definition ge_fst (p q : Z * Z) := fst q <= fst p.

Lemma rev_sorted l : StronglySorted ge_fst l -> StronglySorted le_fst (rev l).
Proof.
  induction 1 as [|p l Hs IH Hp]; cbn; [constructor|].
  apply ss_snoc; [assumption|]. apply Forall_rev. exact Hp.
Qed.

Lemma sorted_pushP b w seen : sorted_push b seen = true ->
  StronglySorted ge_fst seen -> StronglySorted ge_fst ((b, w) :: seen).
Proof.
  intros H Hs. constructor; [assumption|].
  destruct seen as [|[b' w'] seen]; [constructor|].
  cbn in H. apply Z.leb_le in H. inversion Hs as [|? ? _ F]; subst.
  constructor; [exact H|]. eapply Forall_impl; [|exact F].
  unfold ge_fst; cbn; intros; lia.
Qed.

Lemma accepted_thresholds n A N : forall ts todo seen, (length ts <= N)%nat -> 0 < todo ->
  StronglySorted ge_fst seen ->
  accepted (ThresholdB n todo A seen) ts ->
  exists bw ts', ts = flat_bw bw ++ ts' /\ zlen bw = todo /\
    StronglySorted le_fst (rev seen ++ bw) /\
    accepted (Constant n A (rev seen ++ bw)) ts'.
Proof.
  induction N as [|N IH]; intros ts todo seen HN pos Hs H;
    apply accepted_cons in H; try reflexivity; destruct H as (b & ts' & -> & H);
    cbn in HN; [lia|].
  cbn in H. destruct (sorted_push b seen) eqn:sp; [|now apply accepted_fault in H].
  apply accepted_cons in H; try reflexivity; destruct H as (w & ts2 & -> & H).
  cbn in H, HN. pose proof (sorted_pushP _ w _ sp Hs) as Hs'.
  destruct (Z.eqb_spec todo 1) as [->|ne].
  - exists [(b, w)], ts2. rewrite rev'E in H. cbn in H. repeat split; auto.
    exact (rev_sorted _ Hs').
  - destruct (IH ts2 (todo - 1) ((b, w) :: seen) ltac:(lia) ltac:(lia) Hs' H)
      as (bw & ts3 & -> & L & S & H2).
    exists ((b, w) :: bw), ts3. unfold zlen in *. cbn [length app].
    cbn in H2, S. rewrite <- app_assoc in H2, S. repeat split; [lia|exact S|exact H2].
Qed.

Lemma accepted_head ts : accepted start ts -> exists d m n sa sx sw ts',
  ts = [1; d; m; n; sa; sx; sw] ++ ts' /\
  (0 < d /\ 0 < m /\ 0 < n /\ 0 < sa /\ 0 < sx /\ 0 < sw) /\
  accepted (Direction m n d []) ts'.
Proof.
  intro H. unfold start in H.
  apply accepted_cons in H; try reflexivity; destruct H as (v & ts1 & -> & H); cbn in H.
  destruct (Z.eqb_spec v 1) as [->|]; [|now apply accepted_fault in H].
  do 5 (apply accepted_cons in H; try reflexivity; destruct H as (? & ? & -> & H); cbn in H).
  apply accepted_cons in H; try reflexivity; destruct H as (sw & ts' & -> & H); cbn [step] in H.
  match type of H with accepted (if ?b then _ else _) _ => destruct b eqn:E end;
    [|now apply accepted_fault in H].
  repeat (apply andb_prop in E; destruct E as [E ?]).
  repeat match goal with h : (0 <? _) = true |- _ => apply Z.ltb_lt in h end.
  do 7 eexists. split; [reflexivity|]. split; [|exact H]. auto 10.
Qed.

(* soundness, over the integers *)
Theorem accepts_valid ts : accepts ts = true ->
  exists c, ts = encode c /\ valid c /\ sorted c.
Proof.
  intro H. destruct (accepted_head ts H) as (d & m & n & sa & sx & sw & t1 & -> & P & H1).
  destruct P as (d0 & m0 & n0 & sa0 & sx0 & sw0).
  destruct (accepted_direction m n _ t1 d [] (le_n _) d0 H1) as (A & t2 & -> & LA & H2).
  cbn in H2.
  destruct (accepted_thresholds n A _ t2 m [] (le_n _) m0 ltac:(constructor) H2)
    as (bw & t3 & -> & LB & S & H3).
  cbn in S, H3.
  apply accepted_cons in H3; [|reflexivity]. destruct H3 as (c & t4 & -> & H4). cbn in H4.
  destruct (accepted_rows A c n bw _ S t4 0 _ (le_n _) (scan_ok0 bw) H4) as (rows & -> & LR & ne & F & SR & _).
  exists (Cert sa sx sw A bw c rows). unfold encode, valid, sorted; cbn [c_sa c_sx c_sw c_a c_bw c_c c_rows].
  rewrite LA, LB. replace (zlen rows) with n by lia.
  repeat split; auto; intros ->; unfold zlen in *; cbn in *; lia.
Qed.

(* ---- the other direction: nothing that fits is refused ---- *)

Lemma run_app st l1 l2 : fold_left step (l1 ++ l2) st = fold_left step l2 (fold_left step l1 st).
Proof. apply fold_left_app. Qed.

Lemma run_row k sc y : forall rest X acc, length X = length rest ->
  fold_left step (X ++ [y]) (Row k sc rest acc) = end_row k sc (acc + dotZ rest X) y.
Proof.
  induction rest as [|a rest IH]; intros [|x X] acc L; try discriminate L; cbn.
  - now rewrite Z.add_0_r.
  - rewrite IH by (cbn in L; lia). f_equal. ring.
Qed.

Lemma run_rows A c n bw : StronglySorted le_fst bw ->
  forall rows i sc, scan_ok bw sc -> rows <> [] -> i + zlen rows = n ->
  Forall (fun r => length (fst r) = length A /\ plain (dotZ A (fst r)) bw + c = snd r) rows ->
  StronglySorted (fun r q => dotZ A (fst r) <= dotZ A (fst q)) rows -> after sc A rows ->
  fold_left step (flat_rows rows) (Row (Sheet A c n i) sc A 0) = Done.
Proof.
  intros Hs. induction rows as [|[X y] rows IH]; intros i sc ok ne L F SR Af; [congruence|].
  destruct (proj1 (Forall_cons_iff _ _ _) F) as [[LX fit] F'].
  destruct (StronglySorted_inv SR) as [SR' SX]. cbn [fst snd] in LX, fit.
  cbn [flat_rows flat_map fst snd] in *. rewrite run_app, run_row by assumption.
  rewrite Z.add_0_l. unfold end_row. cbn [dir const count CheckerDef.row].
  assert (ord : in_order (prev sc) (dotZ A X) = true).
  { unfold after, in_order in *. destruct (prev sc); [|reflexivity].
    apply Z.leb_le. exact (Forall_inv Af). }
  rewrite ord. destruct (scan_step _ _ _ Hs ok ord) as (ok' & P & V).
  cbv zeta. rewrite V, fit, Z.eqb_refl. unfold zlen in L; cbn [length] in L.
  destruct (Z.eqb_spec (i + 1) n) as [last|more].
  - destruct rows; [reflexivity|cbn in L; lia].
  - apply IH; auto.
    + intros ->; cbn in L; lia.
    + unfold zlen; lia.
    + unfold after. rewrite P. exact SX.
Qed.

Lemma run_direction m n : forall A todo seen, A <> [] -> zlen A = todo ->
  fold_left step A (Direction m n todo seen) = ThresholdB n m (rev seen ++ A) [].
Proof.
  induction A as [|a A IH]; intros todo seen ne L; [congruence|].
  unfold zlen in L; cbn [length] in L. cbn [fold_left step].
  destruct (Z.eqb_spec todo 1).
  - destruct A; [|cbn in L; lia]. rewrite rev'E. reflexivity.
  - rewrite IH; [|intros ->; cbn in L; lia|unfold zlen; lia].
    cbn. now rewrite <- app_assoc.
Qed.

Lemma run_thresholds n A : forall bw todo seen, bw <> [] -> zlen bw = todo ->
  StronglySorted le_fst (rev seen ++ bw) ->
  fold_left step (flat_bw bw) (ThresholdB n todo A seen) = Constant n A (rev seen ++ bw).
Proof.
  induction bw as [|[b w] bw IH]; intros todo seen ne L S; [congruence|].
  unfold zlen in L; cbn [length] in L. cbn [flat_bw flat_map fst snd app fold_left step].
  assert (sp : sorted_push b seen = true).
  { destruct seen as [|[b' w'] seen]; [reflexivity|]. cbn. apply Z.leb_le.
    apply ss_app in S. destruct S as (_ & _ & S).
    exact (S (b', w') (b, w) ltac:(cbn; apply in_or_app; cbn; auto) ltac:(cbn; auto)). }
  rewrite sp. cbn [step].
  destruct (Z.eqb_spec todo 1).
  - destruct bw; [|cbn in L; lia]. rewrite rev'E. reflexivity.
  - change (flat_map _ bw) with (flat_bw bw).
    rewrite IH; [|intros ->; cbn in L; lia|unfold zlen; lia|].
    + cbn. now rewrite <- app_assoc.
    + cbn. now rewrite <- app_assoc.
Qed.

Theorem accepts_complete c : valid c -> sorted c -> accepts (encode c) = true.
Proof.
  intros ((sa0 & sx0 & sw0) & (ea & eb & er) & F) (SB & SR).
  unfold accepts, encode. rewrite run_app.
  assert (pos : forall T (l : list T), l <> [] -> (0 <? zlen l) = true).
  { intros T [|x l] h; [congruence|reflexivity]. }
  cbn [fold_left step start Z.eqb Pos.eqb].
  rewrite !pos by assumption. apply Z.ltb_lt in sa0, sx0, sw0. rewrite sa0, sx0, sw0.
  cbn [andb]. rewrite run_app, run_direction, run_app, run_thresholds, run_app by auto.
  cbn [rev app fold_left step].
  rewrite (run_rows _ _ _ (c_bw c)); auto; try lia.
  - apply scan_ok0.
  - exact I.
Qed.

Theorem accepts_iff ts : accepts ts = true <->
  exists c, ts = encode c /\ valid c /\ sorted c.
Proof.
  split; [apply accepts_valid|]. intros (c & -> & V & S). now apply accepts_complete.
Qed.
