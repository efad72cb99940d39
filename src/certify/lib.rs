//! Certificates: files from which anyone can check that a network fits a sample.
//!
//! # Format
//!
//! Lines of ASCII, each ended by one newline. A *network file* has the lines marked N, a
//! *certificate* all of them.
//!
//! ```text
//!   shatter certificate 1                      N: shatter network 1
//!   sample TEXT                                the SAMPLE text as it was given (not a claim)
//!   points TYPE N SHAPE                        for example: points u8 60000 28x28
//!   points-sha256 HEX                          of the canonical points (sample::fingerprint)
//!   labels RULE seed=S classes=C               RULE: true, random, corrupted:P, alternating
//! N construction TEXT                          how it was built (not a claim)
//! N reading ENCODING                           optional, of network files: how outputs say labels
//! N classes C                                  optional: then C lines, the name of each class
//! N counts depth=2 units=M free=F signs=G nonzero=Z slots=L dense=E bits=B max-bits=A
//! N direction D                                then D lines, one number each: a
//! N units M                                    then M lines, two numbers each: b_j w_j
//! N bias NUMBER                                c
//!   targets N                                  then N lines, one number each: y_i
//! N digest HEX                                 SHA-256 of all bytes before this line
//! ```
//!
//! Networks of any other shape, and outputs that say a class in another way than by its number, have
//! the *layered* form: the first line is `shatter layered certificate 1` (`shatter layered network
//! 1`), and the lines from the counts to the targets are
//!
//! ```text
//! N counts depth=K units=U width=W nonzero=Z bits=B max-bits=A      see network::layered::Sizes
//! N inputs D                                   coordinates of a point
//! N layers K                                   then K times, the output layer last:
//! N   layer M                                  then M lines, one a unit:
//! N     ACTIVATION BIAS I:W I:W …              activation(Σ W · number I of the layer before + BIAS)
//!   targets N ENCODING                         then N lines, the outputs at each point
//! ```
//!
//! Activations are those of [`network::activation`](shatter_network::activation); indices count from
//! 0 and increase in a unit; weights are not 0. ENCODING is `value` (the numbers of the label, or the
//! number of its class), `one-hot` or `bits` (see [`Target`](shatter_sample::Target)); real labels are
//! always values. Numbers of outputs are separated by one blank.
//!
//! `classes` names the classes by their numbers: the value k, the one-hot output k, or the bits of k say the class
//! on line k, from 0. They are written as Rust escapes them (`char::escape_default`), where the sample has names;
//! the checker compares them with the sample's, numbers by value. Both optional lines are new: files without them
//! are read as before, whose numbers are the sample's own.
//!
//! The claim: the labels are those that the recipe draws for the distinct points, and
//! Σ_j w_j ReLU(<a, x_i> − b_j) + c = y_i (in the layered form: the outputs of the network are the
//! targets, which say the labels) for every point, exactly. Points of type `i64/10^k`
//! enter as the integers.
//!
//! Numbers are exact and have one spelling each: `0`; or a sign where negative, the odd mantissa
//! in lower-case hexadecimal and, unless it is 0, `p` and the exponent of two in decimal (`-3p-1`
//! is −3/2, `1p4` is 16); or, for numbers that are not dyadic (output weights
//! of the two-layer form, all weights and biases of the layered form), numerator and denominator of
//! the fraction in lowest terms in hexadecimal (`-2/3`).
//!
//! [`mod@write`] writes both files, [`mod@read`] reads networks back, and [`integers`] prints a two-layer certificate
//! and its sample as the integers that the checker in `proofs/` reads. The independent checker, `shatter_check`, has a
//! reader of its own.

pub mod integers;
mod lines;
mod numbers;
pub mod read;
pub mod write;

pub use read::{File, ReadError, Statement, read};
pub use write::{write_certificate, write_network};
