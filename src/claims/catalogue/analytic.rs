//! Random features that are analytic: claim 21.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use shatter_network::ExactPoints;

use shatter_exact::{Dyadic, Rational, matrix};
use shatter_sample::Points;

use super::super::claim::{Claim, Evidence, Stated, Trial};
use super::super::enclosure::{Enclosure, tanh};
use super::super::harness::Failure;
use super::super::strategy::{PointKind, points};

pub(super) const CLAIMS: [Claim; 1] = [Claim {
    number: 21,
    name: "tanh-features-interpolate",
    statement: "If n pairs of a weight vector and a bias have a joint density, then with probability \
                1 some combination of the n features tanh(w x + b) fits any real labels of n \
                distinct points.",
    verdict: Stated::True,
    source: "the determinant of the features is analytic in (w, b), so if it is not 0 everywhere \
             it is 0 with probability 0. Tested: for every generated sample it is not 0 \
             somewhere, shown by intervals with rational ends around tanh",
    test: tanh_features,
}];

const MOST_N: usize = 8;
const MOST_D: usize = 3;

/// Bits of the intervals: more are tried where less do not decide.
const PRECISIONS: [usize; 4] = [128, 256, 1024, 4096];

/// Points whose coordinates differ in size by some millions at most: the determinant of others is
/// not 0 either, but so small that it takes many more bits to see it.
const KINDS: [PointKind; 4] = [
    PointKind::GeneralPosition,
    PointKind::Collinear,
    PointKind::MomentCurve,
    PointKind::Clustered,
];

/// A bias and weights.
type Feature = Vec<f64>;

fn tanh_features(trial: &Trial) -> Evidence {
    let points = select(&KINDS[..]).prop_flat_map(|kind| points(kind, 1..=MOST_N, 1..=MOST_D));
    let features = vec(vec(-4.0..4.0, MOST_D + 1), MOST_N);
    let words = |(points, features): &(Points, Vec<Feature>)| {
        let rows: Vec<Vec<String>> = (0..points.n())
            .map(|i| points.exact_row(i).iter().map(Rational::to_string).collect())
            .collect();
        format!("points {rows:?}, biases and weights {:?}", &features[..points.n()])
    };
    trial.every((points, features), words, |(points, features)| {
        interpolate(points, &features[..points.n()]).map_err(Failure::Other)
    })
}

/// Checks that the n × n matrix tanh(w_j x_i / s + b_j) is nonsingular, s >= 1 the largest coordinate.
fn interpolate(points: &Points, features: &[Feature]) -> Result<(), String> {
    let number = |x: &f64| Dyadic::try_from(*x).map(|x| x.to_rational());
    let features: Result<Vec<Vec<Rational>>, _> =
        features.iter().map(|feature| feature.iter().map(number).collect()).collect();
    let features = features.map_err(|error| error.to_string())?;
    let rows: Vec<Vec<Rational>> = (0..points.n()).map(|i| points.exact_row(i)).collect();
    let sizes = rows.iter().flatten().map(magnitude);
    let scale = sizes.fold(Rational::ONE, Rational::max);
    let argument = |x: &[Rational], feature: &[Rational]| {
        let terms = x.iter().zip(&feature[1..]).map(|(x, w)| x * w / &scale);
        terms.fold(feature[0].clone(), |sum, term| sum + term)
    };
    let arguments: Vec<Vec<Rational>> = rows
        .iter()
        .map(|x| features.iter().map(|feature| argument(x, feature)).collect())
        .collect();
    let decided = PRECISIONS.into_iter().any(|precision| {
        let entries = |row: &Vec<Rational>| row.iter().map(|t| tanh(t, precision)).collect();
        nonsingular(&arguments.iter().map(entries).collect::<Vec<Vec<Enclosure>>>())
    });
    match decided {
        true => Ok(()),
        false => Err("the features may be dependent".to_owned()),
    }
}

/// Returns true if no matrix with entries in these intervals is singular. With middles M and radii at
/// most r, such a matrix is M(I + M⁻¹E), |E| <= r, and the row sums of |M⁻¹E| are at most nr times
/// those of |M⁻¹|: below 1 suffices. In rational numbers, without rounding.
fn nonsingular(entries: &[Vec<Enclosure>]) -> bool {
    let n = entries.len();
    let middles: Vec<Vec<Rational>> =
        entries.iter().map(|row| row.iter().map(Enclosure::middle).collect()).collect();
    let radius =
        entries.iter().flatten().map(Enclosure::radius).fold(Rational::ZERO, Rational::max);
    let unit = |k: usize| (0..n).map(|i| Rational::from(u8::from(i == k))).collect();
    let units: Vec<Vec<Rational>> = (0..n).map(unit).collect();
    // Columns of the inverse.
    let Some(columns) = matrix::solve_all(&middles, &units) else { return false };
    let row_sum = |i: usize| {
        let sizes = columns.iter().map(|column| magnitude(&column[i]));
        sizes.fold(Rational::ZERO, |sum, x| sum + x)
    };
    (0..n).all(|i| row_sum(i) * &radius * Rational::from(n) < Rational::ONE)
}

fn magnitude(x: &Rational) -> Rational {
    if *x < Rational::ZERO { -x } else { x.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shatter_sample::{Values, load};

    #[test]
    fn equal_features_and_equal_points_are_not_said_to_interpolate() {
        let line = load("collinear:n=3,d=1", 1).unwrap().points;
        let features = [[0.5, 1.0], [-1.0, 2.0], [0.25, -3.0]].map(|feature| feature.to_vec());
        assert_eq!(interpolate(&line, &features), Ok(()));
        let dependent = Err("the features may be dependent".to_owned());
        // The third is the first again, its opposite, or a constant beside another constant.
        for altered in [[0.5, 1.0], [-0.5, -1.0]] {
            let features = [&features[..2], &[altered.to_vec()]].concat();
            assert_eq!(interpolate(&line, &features), dependent);
        }
        let constants = [[1.0, 0.0], [2.0, 0.0], [0.25, -3.0]].map(|feature| feature.to_vec());
        assert_eq!(interpolate(&line, &constants), dependent);
        let twice = Points::new(Values::I64(vec![1, 2, 1]), vec![1]).unwrap();
        assert_eq!(interpolate(&twice, &features), dependent);
    }

    /// Features that agree to 2^-40 are told apart by more bits, and by too few they are not.
    #[test]
    fn more_bits_decide_what_fewer_do_not() {
        let one = Rational::ONE;
        let close = &one + Dyadic::power_of_two(-40).to_rational();
        let arguments = [[one.clone(), close.clone()], [one.clone() + &one, close + &one]];
        let entries = |precision| {
            let row = |row: &[Rational; 2]| row.iter().map(|t| tanh(t, precision)).collect();
            arguments.iter().map(row).collect::<Vec<Vec<Enclosure>>>()
        };
        assert!(!nonsingular(&entries(32)) && nonsingular(&entries(128)));
    }
}
