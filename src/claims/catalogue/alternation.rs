//! Labels that alternate along a line: claims 2, 4, 8 and 25. The proofs are in
//! [`obstruct`](shatter_obstruct); here they meet generated points and networks.

use proptest::collection::vec;
use proptest::prelude::*;

use shatter_construct::ThresholdRule;
use shatter_construct::depth_two::DepthTwo;
use shatter_exact::{Dyadic, Rational};
use shatter_network::{Layered, Mlp};
use shatter_obstruct::alternation::{self, AlternationBound, HiddenLayer, most_points};
use shatter_obstruct::pieces::most_pieces;
use shatter_obstruct::{LabelledLine, NotMonotone, ObstructError, PieceBound};
use shatter_sample::{Labels, Points, Sample, Values};

use super::super::claim::{Claim, Evidence, Stated, Trial};
use super::super::describe::describe;
use super::super::harness::{Failure, keeps_its_promise};
use super::super::strategy::{
    LabelKind, PointKind, architecture, interleaving, into_sample, network, sample,
};

pub(super) const CLAIMS: [Claim; 4] = [
    Claim {
        number: 2,
        name: "one-unit-less-fits",
        statement: "n - 1 ReLU units in the form of Theorem 1 (one direction, no output bias) fit any \
                    real labels on any n distinct points.",
        verdict: Stated::False,
        source: "obstruct::alternation, HiddenLayer::Shared",
        test: one_unit_less,
    },
    Claim {
        number: 4,
        name: "most-alternating-points",
        statement: "One hidden layer of m ReLU units and an output bias has outputs of alternating \
                    sign at n given points of a line, for some weights, if and only if n <= 2, 3, \
                    m + 2 for m = 1, m = 2, m >= 3.",
        verdict: Stated::True,
        source: "obstruct::alternation, HiddenLayer::Free",
        test: most_alternating,
    },
    Claim {
        number: 8,
        name: "width-one-fits",
        statement: "A ReLU network of width 1 fits any real labels on any n distinct points, if it is \
                    deep enough.",
        verdict: Stated::False,
        source: "obstruct::width_one; proofs/theories/Width1.v",
        test: width_one,
    },
    Claim {
        number: 25,
        name: "pieces-bound-alternation",
        statement: "If n > 1 + (k_1 + 1) ... (k_L + 1), a ReLU network of hidden widths k_1, ..., k_L \
                    and one output has no outputs of alternating sign at n points of a line.",
        verdict: Stated::True,
        source: "folklore; obstruct::pieces",
        test: too_few_pieces,
    },
];

fn text(error: ObstructError) -> String {
    error.to_string()
}

/// Signs that alternate, the first of them positive.
fn signs(n: usize) -> Vec<i64> {
    (0..n as i64).map(|i| 1 - 2 * (i % 2)).collect()
}

/// Points of R^1, and these labels.
fn on_a_line(x: &[Rational], labels: &[i64]) -> Result<LabelledLine, ObstructError> {
    let points = x.iter().map(|x| vec![x.clone()]).collect();
    LabelledLine::sorted(points, labels.iter().map(|&y| Rational::from(y)).collect())
}

fn one_unit_less(_: &Trial) -> Evidence {
    // The certificate shown is of five points; the same is checked for others, two at least.
    let others = (2..=16).try_for_each(|n| shared_form(n, &signs(n)).map(drop));
    let found = others.and_then(|()| shared_form(5, &signs(5)));
    let checked = "n units of Theorem 1 were built and fit exactly; both were checked for all n from \
                   2 to 16";
    let witness =
        found.as_ref().map_or_else(|_| "alternating signs".to_owned(), |(s, _)| describe(s));
    Evidence::certified(witness, checked, found.map(|(_, proof)| (15, proof.into())))
}

/// The points 0, …, n − 1 with these labels.
fn on_whole_numbers(n: usize, labels: &[i64]) -> Result<Sample, String> {
    let build = || {
        let points = Points::new(Values::I64((0..n as i64).collect()), vec![1])?;
        let labels = Labels::real(labels.iter().map(|&y| y as f64).collect(), 1)?;
        into_sample(points, labels)
    };
    build().map_err(|error| error.to_string())
}

/// On 0, …, n − 1 with these labels n − 1 units in the form of Theorem 1 do not fit, and n do.
fn shared_form(n: usize, labels: &[i64]) -> Result<(Sample, AlternationBound), String> {
    let sample = on_whole_numbers(n, labels)?;
    let line = LabelledLine::of_sample(&sample.points, &sample.labels).map_err(text)?;
    let less = n as u64 - 1;
    let proof =
        AlternationBound::new(HiddenLayer::Shared, less, &line, Rational::ZERO).map_err(text)?;
    // `keeps_its_promise` compares the number of units with n.
    keeps_its_promise(&sample, &DepthTwo { threshold: ThresholdRule::Data }, 0)
        .map_err(|failure| failure.to_string())?;
    Ok((sample, proof))
}

fn most_alternating(trial: &Trial) -> Evidence {
    // One point more than m units reach.
    let values = (1u64..=10).prop_flat_map(|m| {
        let n = most_points(HiddenLayer::Free, m) as usize + 1;
        let rational = |z: &Dyadic| z.to_rational();
        let points = interleaving(n..=n)
            .prop_map(move |both| both.points.iter().map(rational).collect::<Vec<_>>());
        (Just(m), points)
    });
    let words = |(m, z): &(u64, Vec<Rational>)| format!("m = {m}, z = {z:?}");
    trial.every(values, words, |(m, z)| exactly(*m, z).map_err(Failure::Other))
}

/// m units alternate at all points of z but the last, and at fewer; not at all of them.
fn exactly(m: u64, z: &[Rational]) -> Result<(), String> {
    for reached in (1..z.len()).map(|n| &z[..n]) {
        let network = alternation::witness(reached).map_err(text)?;
        let units = network.sizes().units;
        if units > m || network.hidden.len() != 1 {
            return Err(format!("{units} units for {} points", reached.len()));
        }
        if let Some(i) = alternation::first_out_of_turn(&network, reached) {
            return Err(format!("at {} points, point {i} has the wrong sign", reached.len()));
        }
    }
    let line = on_a_line(z, &signs(z.len())).map_err(text)?;
    AlternationBound::new(HiddenLayer::Free, m, &line, Rational::ZERO).map(drop).map_err(text)
}

/// Hidden layers up to which width 1 is tried; the proof is for all.
const DEEPEST: usize = 64;

fn width_one(trial: &Trial) -> Evidence {
    let samples = sample(PointKind::Collinear, LabelKind::Binary, 3..=8, 1..=3);
    trial.refuted_by_sample(samples, |sample| {
        // The same three points for every depth; the certificate shown is that of depth 4.
        (1..=DEEPEST).try_for_each(|hidden| not_monotone(sample, &vec![1; hidden]).map(drop))?;
        let checked = format!(
            "the same for every depth from 2 to {}; the proof does not depend on the depth",
            DEEPEST + 1
        );
        Ok((checked, not_monotone(sample, &[1; 3])?))
    })
}

/// These hidden widths, all 1, do not fit the sample.
fn not_monotone(sample: &Sample, hidden: &[usize]) -> Result<NotMonotone, String> {
    let line = LabelledLine::of_sample(&sample.points, &sample.labels).map_err(text)?;
    let architecture = Mlp::new(sample.points.d(), hidden.to_vec(), 1);
    NotMonotone::new(&architecture.map_err(|error| error.to_string())?, &line).map_err(text)
}

/// A network, and points of a line: base + t · direction for increasing t.
#[derive(Clone, Debug)]
struct Crossing {
    architecture: Mlp,
    network: Layered,
    points: Vec<Vec<Rational>>,
}

fn too_few_pieces(trial: &Trial) -> Evidence {
    let widths = architecture(1..=3, 0..=3, 1..=3, 1..=1);
    let values = widths
        .prop_flat_map(|widths| {
            let inputs = widths.0;
            let n = 2 + widths.1.iter().map(|width| width + 1).product::<usize>();
            let line = (vec(-9i64..=9, inputs), vec(-3i64..=3, inputs), vec(1i64..=9, n));
            (Just(widths.clone()), network(Just(widths)), line)
        })
        .prop_filter_map("no direction", |(widths, network, (base, direction, gaps))| {
            let mut t = -gaps.iter().sum::<i64>() / 2;
            let points = gaps.iter().map(|gap| {
                t += gap;
                base.iter().zip(&direction).map(|(b, q)| Rational::from(b + t * q)).collect()
            });
            let points = points.collect();
            let (inputs, hidden, outputs) = widths;
            let architecture = Mlp::new(inputs, hidden, outputs).ok()?;
            let moves = direction.iter().any(|&q| q != 0);
            moves.then_some(Crossing { architecture, network, points })
        });
    let words = |crossing: &Crossing| format!("{crossing:?}");
    trial.every(values, words, |crossing| crossing.check().map_err(Failure::Other))
}

impl Crossing {
    /// The certificate holds, and the network does not alternate about any level at more points
    /// than it allows.
    fn check(&self) -> Result<(), String> {
        let n = self.points.len();
        let labels = signs(n).into_iter().map(Rational::from).collect();
        let line = LabelledLine::sorted(self.points.clone(), labels).map_err(text)?;
        PieceBound::new(&self.architecture, &line, Rational::ZERO).map_err(text)?;
        let most = most_pieces(&self.architecture) + 1;
        let longest = longest_alternation(&self.network, &self.points);
        match most >= longest.into() {
            true => Ok(()),
            false => Err(format!("alternates at {longest} of {n} points")),
        }
    }
}

/// The most points, among these of a line, at which the output lies above and below 0, or above and
/// below some other level, in turn.
fn longest_alternation(network: &Layered, points: &[Vec<Rational>]) -> usize {
    let labels: Vec<Rational> = points.iter().flat_map(|x| network.evaluate(x)).collect();
    let mut values = labels.clone();
    values.sort();
    values.dedup();
    let between = values.windows(2).map(|pair| (&pair[0] + &pair[1]) / Rational::from(2));
    let levels: Vec<Rational> = between.chain([Rational::ZERO]).collect();
    let outputs = LabelledLine { points: points.to_vec(), labels };
    levels.iter().map(|level| outputs.alternating(level).points.len()).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(x: std::ops::Range<i64>) -> Vec<Rational> {
        x.map(Rational::from).collect()
    }

    #[test]
    fn signs_that_do_not_alternate_are_no_witness_against_a_unit_less() {
        let (sample, proof) = shared_form(5, &[1, -1, 1, -1, 1]).unwrap();
        assert_eq!((proof.units, proof.most_points, sample.points.n()), (4, 4, 5));
        for labels in [[1, -1, 1, 1, -1], [1, -1, 0, -1, 1], [2, 1, 2, 1, 2]] {
            assert!(shared_form(5, &labels).unwrap_err().starts_with("not excluded"));
        }
    }

    #[test]
    fn a_point_less_is_not_excluded_and_one_more_is_not_reached() {
        for (m, n) in [(1, 2), (2, 3), (3, 5), (7, 9)] {
            assert_eq!(exactly(m, &whole(0..n + 1)), Ok(()));
            assert!(exactly(m, &whole(0..n)).unwrap_err().starts_with("not excluded"));
            assert!(exactly(m, &whole(0..n + 2)).unwrap_err().contains("units for"));
        }
        assert!(exactly(3, &[0, 1, 1, 2, 3, 4].map(Rational::from)).is_err());
    }

    #[test]
    fn monotone_labels_and_width_two_are_no_witness_against_width_one() {
        let sample = on_whole_numbers(4, &[0, 0, 1, 0]).unwrap();
        assert!(not_monotone(&sample, &[1, 1]).is_ok());
        assert!(not_monotone(&sample, &[1, 2]).is_err());
        assert!(not_monotone(&sample, &[]).is_err());
        let sample = on_whole_numbers(4, &[0, 0, 1, 1]).unwrap();
        assert!(not_monotone(&sample, &[1, 1]).unwrap_err().contains("monotone"));
    }

    /// A network that alternates at 1 + Π (k_l + 1) points, the most there are.
    #[test]
    fn the_bound_on_pieces_is_reached_and_not_passed() {
        let z = whole(0..6);
        let network = alternation::witness(&z).unwrap();
        let points: Vec<Vec<Rational>> = z.iter().map(|z| vec![z.clone()]).collect();
        assert_eq!(longest_alternation(&network, &points), 6);
        let crossing = |architecture: &str, points: &[Vec<Rational>]| {
            let architecture = architecture.parse().unwrap();
            Crossing { architecture, network: network.clone(), points: points.to_vec() }.check()
        };
        // Four units: five pieces, six points. With three of them the certificate is wrong.
        assert!(crossing("1-4-1", &points).unwrap_err().starts_with("not excluded"));
        assert_eq!(crossing("1-3-1", &points), Err("alternates at 6 of 6 points".to_owned()));
    }
}
