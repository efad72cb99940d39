(* The checker as OCaml: the step function, with Z as zarith integers. *)
From Coq Require Import Extraction ExtrOcamlBasic ExtrOcamlZBigInt.
From Shatter Require Import CheckerDef.
Extraction "checker.ml" start step finish.
