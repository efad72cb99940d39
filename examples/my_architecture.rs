//! An architecture of your own: which samples can no choice of its weights fit?
//!
//! `cargo run --example my_architecture`
//!
//! A failed search for weights proves nothing; a certificate does. Here it is a count: on a line, a
//! ReLU network with hidden widths k_1, …, k_L has at most Π(k_l + 1) linear pieces, and each piece
//! crosses a level at most once, so that n labels that alternate need n − 1 pieces.

use shatter::claims::strategy::{LabelKind, PointKind, sample};
use shatter::claims::{Certificate, Harness, HarnessError, Outcome, describe};
use shatter::exact::Dyadic;
use shatter::sample::Sample;

const HIDDEN: [usize; 2] = [2, 1];

/// Points in increasing order whose labels lie on alternating sides of `level`.
struct TooFewPieces {
    points: Vec<usize>,
    level: Dyadic,
}

impl Certificate for TooFewPieces {
    fn check(&self, sample: &Sample) -> Result<(), String> {
        let pieces: usize = HIDDEN.iter().map(|width| width + 1).product();
        let (x, y) = (|i| sample.points.exact_at(i, 0), |i| sample.labels.exact_at(i));
        if sample.points.d() != 1 || self.points.iter().any(|&i| i >= sample.points.n()) {
            return Err("not points of this line".to_owned());
        }
        let neighbours = || self.points.windows(2).map(|pair| (pair[0], pair[1]));
        if !neighbours().all(|(i, j)| x(i) < x(j)) {
            return Err("not in increasing order".to_owned());
        }
        let on_a_side = self.points.iter().all(|&i| y(i) != self.level);
        if !on_a_side || !neighbours().all(|(i, j)| (y(i) < self.level) != (y(j) < self.level)) {
            return Err("the labels do not alternate".to_owned());
        }
        match self.points.len() > pieces + 1 {
            true => Ok(()),
            false => Err(format!("{pieces} pieces may be enough")),
        }
    }
}

/// All points in order, if they are more than the pieces allow.
fn find(sample: &Sample) -> Option<TooFewPieces> {
    let mut points: Vec<usize> = (0..sample.points.n()).collect();
    points.sort_by_cached_key(|&i| sample.points.exact_at(i, 0));
    let certificate = TooFewPieces { points, level: Dyadic::new(1, -1) };
    certificate.check(sample).ok().map(|()| certificate)
}

fn main() -> Result<(), HarnessError> {
    let harness = Harness::default();
    for least in [8, 7] {
        let samples = sample(PointKind::Collinear, LabelKind::Alternating, least..=12, 1..=1);
        match harness.fits_none(samples, find)? {
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
