//! Where randomness comes from: streams of a seed, one a purpose, that draw the same numbers for ever.

pub mod philox;
pub mod stream;
