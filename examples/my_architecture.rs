//! An architecture of your own: which samples can no choice of its weights fit?
//!
//! `cargo run --example my_architecture`
//!
//! A failed search for weights proves nothing; a certificate does. Here it is a count: on a line, a
//! ReLU network with hidden widths k_1, …, k_L has at most Π(k_l + 1) linear pieces, and each piece
//! crosses a level at most once, so that n labels that alternate need n − 1 pieces. The harness checks
//! every certificate that it is given, and that it is about the sample at hand.

use shatter::claims::strategy::{LabelKind, PointKind, sample};
use shatter::claims::{Harness, Outcome, describe};
use shatter::exact::Rational;
use shatter::network::Mlp;
use shatter::obstruct::{LabelledLine, Obstruction, PieceBound};
use shatter::sample::Sample;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mine: Mlp = "1-2-1-1".parse()?; // 3 · 2 pieces
    let half = Rational::ONE / Rational::from(2);
    let find = |sample: &Sample| {
        let line = LabelledLine::of_sample(&sample.points, &sample.labels).ok()?;
        PieceBound::new(&mine, &line, half.clone()).ok().map(Obstruction::from)
    };
    for least in [8, 7] {
        let samples = sample(PointKind::Collinear, LabelKind::Alternating, least..=12, 1..=1);
        match Harness::default().fits_none(samples, find)? {
            Outcome::Held { cases } => {
                println!("{least} points or more: a certificate for each of {cases} samples");
            }
            Outcome::Fails(found) => {
                println!("{least} points or more: none for {}", describe(&found.value));
            }
        }
    }
    Ok(())
}
