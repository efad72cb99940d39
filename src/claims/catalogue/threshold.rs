//! Threshold units in one hidden layer: claims 14 and 16.

use proptest::collection::vec;
use shatter_network::ExactPoints;

use shatter_construct::baum::Baum;
use shatter_construct::moment_curve::MomentCurve;
use shatter_construct::{Bound, Construction, Task};
use shatter_exact::Rational;
use shatter_sample::{Labels, Points, Sample};

use super::super::claim::{Claim, Evidence, Stated, Trial};
use super::super::harness::{Failure, fits, keeps_its_promise};
use super::super::strategy::{LabelKind, PointKind, into_sample, points, sample};
use super::sine::labellings;

pub(super) const CLAIMS: [Claim; 2] = [
    Claim {
        number: 14,
        name: "baum-fits-general-position",
        statement: "ceil(n/d) threshold units and a threshold output fit any labels 0 and 1 on any n \
                    points of R^d in general position.",
        verdict: Stated::True,
        source: "Baum 1988; construct::baum",
        test: baum,
    },
    Claim {
        number: 16,
        name: "moment-curve-takes-n-minus-1-over-d",
        statement: "On n points (t, t^2, ..., t^d), one hidden layer of threshold units fits every \
                    labelling by 0 and 1 if and only if it has ceil((n - 1)/d) units or more.",
        verdict: Stated::True,
        source: "after Baum 1988; construct::moment_curve; fewer units change on the curve d times \
                 each, less often than alternating labels",
        test: moment_curve,
    },
];

fn baum(trial: &Trial) -> Evidence {
    let samples = sample(PointKind::GeneralPosition, LabelKind::Binary, 1..=14, 1..=4);
    trial.every_sample(samples, |sample| {
        keeps_its_promise(sample, &Baum, trial.harness.seed)?;
        let promise = Baum.promise(&Task::new(&sample.points, &sample.labels, trial.harness.seed));
        let units = promise.map_err(|error| Failure::Refused(error.to_string()))?.units;
        let least = sample.points.n().div_ceil(sample.points.d()) as u64;
        match units == Bound::AtMost(least) {
            true => Ok(()),
            false => Err(Failure::Other(format!("{units} units, and ceil(n/d) = {least}"))),
        }
    })
}

/// w and b of a hyperplane in R^4; in R^d, the first d numbers and the last.
type Hyperplane = Vec<i64>;

const MOST_D: usize = 4;

/// All labellings of the points are built; so are, by any hyperplanes, those that fewer units reach.
fn moment_curve(trial: &Trial) -> Evidence {
    let hyperplanes = vec(vec(-99i64..=99, MOST_D + 1), 8);
    let values = (points(PointKind::MomentCurve, 1..=8, 1..=MOST_D), hyperplanes);
    let words = |(points, _): &(Points, _)| {
        let t: Vec<String> = (0..points.n()).map(|i| points.exact_row(i)[0].to_string()).collect();
        format!("d = {}, t = {}", points.d(), t.join(", "))
    };
    trial.every(values, words, |(points, hyperplanes)| {
        let least = (points.n() - 1).div_ceil(points.d());
        most_units(points, least as u64)?;
        match least.checked_sub(1) {
            Some(fewer) => Ok(cannot_alternate(points, &hyperplanes[..fewer])?),
            None => Ok(()),
        }
    })
}

/// Checks that at most `most` units fit every labelling, and that some labelling takes so many.
fn most_units(points: &Points, most: u64) -> Result<(), Failure> {
    let mut reached = 0;
    for labels in labellings(points.n()) {
        let sample = labelled(points, &labels).map_err(Failure::Refused)?;
        let task = Task::new(&sample.points, &sample.labels, 0);
        let refused =
            |error: shatter_construct::ConstructError| Failure::Refused(error.to_string());
        let network = MomentCurve.build(&task).map_err(refused)?;
        fits(&network, &sample, MomentCurve.target())?;
        let units = network.sizes().units;
        if units > most {
            return Err(Failure::Other(format!("{units} units for {labels:?}")));
        }
        reached = reached.max(units);
    }
    match reached == most {
        true => Ok(()),
        false => Err(Failure::Other(format!("at most {reached} units, and not {most}"))),
    }
}

fn labelled(points: &Points, labels: &[bool]) -> Result<Sample, String> {
    let labels = Labels::classes(labels.iter().map(|&label| label.into()).collect(), 2);
    labels.and_then(|labels| into_sample(points.clone(), labels)).map_err(|error| error.to_string())
}

/// Checks that these units are too few for labels that alternate along the curve: w · (t, …, t^d) + b is a
/// polynomial of degree at most d in t, so each of them changes d times at most, and all of them
/// together, and whatever is computed from them, no more often than the sum.
fn cannot_alternate(points: &Points, hyperplanes: &[Hyperplane]) -> Result<(), String> {
    let (n, d) = (points.n(), points.d());
    let mut curve: Vec<Vec<Rational>> = (0..n).map(|i| points.exact_row(i)).collect();
    curve.sort_by(|x, y| x[0].cmp(&y[0]));
    let side = |plane: &Hyperplane, x: &[Rational]| {
        let bias = Rational::from(plane[MOST_D]);
        let terms = plane.iter().zip(x).map(|(w, x)| Rational::from(*w) * x);
        terms.fold(bias, |sum, term| sum + term) > Rational::ZERO
    };
    let seen = |x: &Vec<Rational>| hyperplanes.iter().map(|plane| side(plane, x)).collect();
    let seen: Vec<Vec<bool>> = curve.iter().map(seen).collect();
    let changes =
        |differs: &dyn Fn(&[Vec<bool>]) -> bool| seen.windows(2).filter(|p| differs(p)).count();
    for unit in 0..hyperplanes.len() {
        let found = changes(&|pair| pair[0][unit] != pair[1][unit]);
        if found > d {
            return Err(format!("unit {unit} changes {found} times along a curve of degree {d}"));
        }
    }
    let most = hyperplanes.len() * d;
    let found = changes(&|pair| pair[0] != pair[1]);
    match found <= most && most < n - 1 {
        true => Ok(()),
        false => Err(format!("{found} changes, at most {most}, and labels change {} times", n - 1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shatter_sample::{Values, load};

    fn curve(n: usize, d: usize) -> Points {
        load(&format!("moment:n={n},d={d}"), 1).unwrap().points
    }

    #[test]
    fn a_unit_more_or_less_than_the_bound_is_seen() {
        for (n, d, units) in [(1, 2, 0), (2, 2, 1), (5, 2, 2), (6, 2, 3), (7, 3, 2), (8, 1, 7)] {
            assert!(most_units(&curve(n, d), units).is_ok(), "n = {n}, d = {d}");
            let more = most_units(&curve(n, d), units + 1);
            assert!(matches!(more, Err(Failure::Other(reason)) if reason.contains("and not")));
            if units > 0 {
                let less = most_units(&curve(n, d), units - 1);
                assert!(
                    matches!(less, Err(Failure::Other(reason)) if reason.contains("units for"))
                );
            }
        }
        let off = Points::new(Values::I64(vec![0, 0, 1, 1, 2, 5]), vec![2]).unwrap();
        assert!(matches!(most_units(&off, 1), Err(Failure::Refused(_))));
    }

    /// (t − 1/2)(t − 3/2) > 0 changes twice: enough to alternate on 3 points, not on 4.
    #[test]
    fn as_many_units_as_needed_are_not_too_few() {
        let parabola = [vec![-8, 4, 0, 0, 3]];
        assert_eq!(cannot_alternate(&curve(4, 2), &parabola), Ok(()));
        let enough = cannot_alternate(&curve(3, 2), &parabola).unwrap_err();
        assert!(enough.starts_with("2 changes, at most 2"), "{enough}");
        // Points that are not on the curve: a plane may change more often than d times.
        let zigzag = Points::new(Values::I64(vec![0, 1, 1, -1, 2, 1, 3, -1]), vec![2]).unwrap();
        let found = cannot_alternate(&zigzag, &[vec![0, 1, 0, 0, 0]]).unwrap_err();
        assert_eq!(found, "unit 0 changes 3 times along a curve of degree 2");
    }
}
