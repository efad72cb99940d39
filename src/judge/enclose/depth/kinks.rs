//! Functions that are linear but for kinks, linearized at a point.
//!
//! For a function φ of one number, a centre c and |δ| <= B,
//!
//! ```text
//! φ(c + δ) − φ(c) = s δ + ρ,      |ρ| <= rest
//! ```
//!
//! with any slope s; where no kink lies within B of c, s is the slope there and the rest is what its
//! rounding makes; elsewhere s is the slope of the chord over [c − B, c + B], and the rest is largest at an
//! end or at a kink. For a maximum over numbers c_k that are each off by at most B_k, c_j the largest,
//!
//! ```text
//! max (c_k + δ_k) − c_j = δ_j + ρ,      0 <= ρ <= max (c_k − c_j + B_k + B_j, 0)
//! ```

use super::super::bounds::up;
use shatter_network::Activation;
use shatter_network::graph::Operator;

/// A function of one number that is linear between its kinks.
#[derive(Clone, Copy, Debug)]
pub enum Bent {
    /// x where x > 0, and slope · x elsewhere.
    AtZero(f64),
    /// min(max(x, low), high).
    Between(f64, f64),
}

impl Bent {
    /// That of an operation at a channel; `None` where it is another.
    pub fn of(operation: &Operator, channel: usize) -> Option<Bent> {
        match operation {
            Operator::Activate(Activation::Relu) => Some(Bent::AtZero(0.0)),
            Operator::Leaky(slopes) => {
                Some(Bent::AtZero(if slopes.len() == 1 { slopes[0] } else { slopes[channel] }))
            }
            Operator::Clip { low, high } => Some(Bent::Between(*low, *high)),
            _ => None,
        }
    }

    /// φ(x).
    pub fn at(self, x: f64) -> f64 {
        match self {
            Bent::AtZero(slope) => {
                if x > 0.0 {
                    x
                } else {
                    slope * x
                }
            }
            Bent::Between(low, high) => x.max(low).min(high),
        }
    }

    fn kinks(self) -> [f64; 2] {
        match self {
            Bent::AtZero(_) => [0.0, 0.0],
            Bent::Between(low, high) => [low, high],
        }
    }

    /// At least the size of every slope.
    pub fn steepest(self) -> f64 {
        match self {
            Bent::AtZero(slope) => slope.abs().max(1.0),
            Bent::Between(..) => 1.0,
        }
    }

    /// Whether a kink lies within `off` of `centre`.
    pub fn is_near(self, centre: f64, off: f64) -> bool {
        self.kinks().iter().any(|kink| (kink - centre).abs() <= off)
    }

    /// A slope, and at least the rest for |δ| <= `off`; `round` makes the slope a number that is held.
    pub fn linearized(self, centre: f64, off: f64, round: impl Fn(f64) -> f64) -> (f64, f64) {
        let near = self.is_near(centre, off);
        let straight = match self {
            Bent::AtZero(slope) => {
                if centre > 0.0 {
                    1.0
                } else {
                    slope
                }
            }
            Bent::Between(low, high) => {
                if centre > low && centre < high {
                    1.0
                } else {
                    0.0
                }
            }
        };
        let wanted = match near && off > 0.0 {
            true => (self.at(centre + off) - self.at(centre - off)) / (2.0 * off),
            false => straight,
        };
        let slope = round(wanted);
        if !near && slope == straight {
            return (slope, 0.0);
        }
        let steepest = self.steepest();
        let here = self.at(centre);
        let rest = |delta: f64| (self.at(centre + delta) - here - slope * delta).abs();
        let kinks = self.kinks();
        let inside = kinks.iter().map(|kink| kink - centre).filter(|delta| delta.abs() <= off);
        let most = inside.chain([-off, off]).map(rest).fold(0.0, f64::max);
        // Each of a few operations above rounds at most this.
        let rounded = 16.0 * f64::EPSILON * (centre.abs() + off) * steepest.max(slope.abs());
        (slope, up(most + rounded + f64::MIN_POSITIVE, 4))
    }
}

/// The largest of some numbers, given with what they are off by, and at least the rest; 0 for the largest of
/// none.
pub fn largest(numbers: impl Iterator<Item = (usize, f64, f64)> + Clone) -> (usize, f64) {
    let mut first = (0, f64::NEG_INFINITY, 0.0);
    for number in numbers.clone() {
        if number.1 > first.1 {
            first = number;
        }
    }
    let (winner, centre, off) = first;
    let rest = |(at, c, b): (usize, f64, f64)| {
        if at == winner { 0.0 } else { reach((centre, off), (c, b)).max(0.0) }
    };
    (winner, numbers.map(rest).fold(0.0, f64::max))
}

/// At least by how much the second number, with what it is off by, may surpass the first.
pub fn reach((centre, off): (f64, f64), (c, b): (f64, f64)) -> f64 {
    let apart = (c - centre).next_up();
    (apart + up(b + off, 1)).next_up()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bent() -> impl Strategy<Value = Bent> {
        prop_oneof![
            Just(Bent::AtZero(0.0)),
            (-1.5f64..1.5).prop_map(Bent::AtZero),
            (-1.0f64..0.5, 0.0f64..1.0).prop_map(|(low, width)| Bent::Between(low, low + width)),
            Just(Bent::Between(f64::NEG_INFINITY, 0.5)),
        ]
    }

    proptest! {
        #[test]
        fn rests_are_not_broken(
            bent in bent(),
            centre in -1.5f64..1.5,
            off in prop_oneof![Just(0.0), 0.0f64..1.0, 0.0f64..1e-6],
            deltas in prop::collection::vec(-1.0f64..=1.0, 8),
        ) {
            let (slope, rest) = bent.linearized(centre, off, |s| f64::from(s as f32));
            let steepest = bent.steepest();
            // At least what a few operations on values of this size round.
            let rounded = 32.0 * f64::EPSILON * (centre.abs() + off) * steepest + f64::MIN_POSITIVE;
            for delta in deltas.into_iter().chain([-1.0, 1.0]) {
                let delta = delta * off;
                let found = bent.at(centre + delta) - bent.at(centre) - slope * delta;
                prop_assert!(found.abs() <= rest + rounded, "{found:e} {rest:e}");
            }
            // Not above what two lines of these slopes come apart by.
            let most = off * (steepest + slope.abs());
            prop_assert!(rest <= most * (1.0 + 8.0 * f64::EPSILON) + rounded, "{rest:e} {most:e}");
        }

        #[test]
        fn the_largest_moves_with_the_winner(
            numbers in prop::collection::vec((-1.0f64..1.0, 0.0f64..0.3, -1.0f64..=1.0), 1..6),
        ) {
            let listed = numbers.iter().enumerate().map(|(at, &(c, b, _))| (at, c, b));
            let (winner, rest) = largest(listed);
            let moved = |&(c, b, t): &(f64, f64, f64)| c + b * t;
            let most = numbers.iter().map(moved).fold(f64::NEG_INFINITY, f64::max);
            let over = most - moved(&numbers[winner]);
            prop_assert!(over >= 0.0 && over <= rest + 1e-15);
        }
    }

    /// Ties at 0 of numbers that no runtime moves leave no rest; near ties do.
    #[test]
    fn ties_of_what_is_certain_are_harmless() {
        let of = |off: f64| largest([(0, 0.0, 0.0), (1, 0.0, off), (2, -1.0, 0.5)].into_iter());
        assert!(of(0.0).1 < 1e-300);
        assert!(of(0.25).1 >= 0.25);
    }
}
