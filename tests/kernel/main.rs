//! Tests of `src/kernel`; tests/README.md says what each file promises.
