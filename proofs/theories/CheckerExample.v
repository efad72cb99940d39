(* One certificate checked inside Coq's kernel.

   A zigzag network with 8 units on 8 integer points of R^3 with labels -5 .. 9
   (checker/streams.py random 8 3 7).  vm_compute runs the same checker that is
   extracted to OCaml, and the soundness theorem turns the answer into the fit of
   a network over the rational numbers, with no program outside Coq involved.
   The same stream with one label changed is refused. *)
From Coq Require Import ZArith List Bool.
From Shatter Require Import CheckerDef.
Import ListNotations.
Local Open Scope Z_scope.

Definition example_stream : list Z := [
  1; 3; 8; 8; 1; 2; 1;
  -789108; 615222; -840584;
  -416267646; 1;
  112196789; -2;
  887196290; 2;
  1287034299; -2;
  1729918163; 2;
  2124333967; -2;
  2308731495; 2;
  2620684497; -2;
  0;
  -1016; -1630; 256; 10;
  -1616; -504; 386; 8;
  -1122; -1848; -1648; -4;
  -224; -288; -1714; 10;
  -1704; 1362; 194; 16;
  -384; 666; -1804; -10;
  -1764; 1726; 78; -8;
  -674; 1882; -1384; 2].

Definition altered_stream : list Z := removelast example_stream ++ [0].

From mathcomp Require Import all_ssreflect all_algebra.
From Shatter Require Import Relu CheckerScan CheckerProof.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.

Theorem example_accepted : accepts example_stream = true.
Proof. by vm_compute. Qed.

Theorem example_altered : accepts altered_stream = false.
Proof. by vm_compute. Qed.

Local Open Scope ring_scope.

Theorem example_fits : exists c : cert, example_stream = encode c /\
  length (c_rows c) = 8%N /\
  forall i, (i < 8)%N ->
    net (cert_params rat_realFieldType c) (cert_point _ c i) + cert_const _ c
    = cert_label rat_realFieldType c i.
Proof.
have [c [E _ _ _ fit]] := accepts_sound rat_realFieldType example_accepted.
have n8 : length (c_rows c) = 8%N.
  apply: Znat.Nat2Z.inj; rewrite -/(zlen (c_rows c)).
  by have := f_equal (fun l => nth Z0 l 3) E => /= <-.
by exists c; split=> //; split=> // i; rewrite -{1}n8; exact: fit.
Qed.
