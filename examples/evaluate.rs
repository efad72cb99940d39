//! A network of your own, evaluated exactly and in binary64, and whether binary64 may be trusted.
//!
//! `cargo run --release --example evaluate`

use shatter::exact::Lattice;
use shatter::network::{ExactNetwork, FloatExactness, FloatNetwork};
use shatter::network::{brute_force, exact_residual, project};
use shatter::sample::{Labels, Points};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // f(x) = ReLU(x_1 + x_2) − 2 ReLU(x_1 + x_2 − 1): exclusive or.
    let network = FloatNetwork { a: vec![1.0, 1.0], b: vec![0.0, 1.0], w: vec![1.0, -2.0], c: 0.0 };
    let points = Points::try_from([[0, 0], [0, 1], [1, 0], [1, 1]])?;
    let labels = Labels::try_from([0, 1, 1, 0])?;

    println!("in binary64: {:?}", brute_force(&network, &points));
    let exact = ExactNetwork::try_from(&network)?;
    let z = project(&points, &Lattice::from_dyadics(&exact.a));
    let residual = exact_residual(&exact, &z, &labels);
    println!("exactly: {} of {} points equal their labels", residual.fits, points.n());
    let bounds = FloatExactness::of(&exact, &points, &z);
    println!("binary64 rounds nothing in any order of evaluation: {}", bounds.binary64);
    Ok(())
}
