//! Half-spaces, one or many: claims 15 and 18.

use shatter_exact::{IBig, Rational};
use shatter_network::ExactPoints;
use shatter_obstruct::cover::{self, CoverBound, Dichotomies};
use shatter_obstruct::{LabelledLine, ObstructError, TooFewThresholds};
use shatter_sample::{Points, Sample};

use super::super::claim::{Claim, Evidence, Stated, Trial};
use super::super::harness::Failure;
use super::super::strategy::{LabelKind, PointKind, points, sample};

pub(super) const CLAIMS: [Claim; 2] = [
    Claim {
        number: 15,
        name: "baum-for-any-points",
        statement: "One hidden layer of ceil(n/d) threshold units gives any two labels to any n \
                    distinct points of R^d.",
        verdict: Stated::False,
        source: "Baum 1988 assumes general position; obstruct::collinear_threshold",
        test: any_points,
    },
    Claim {
        number: 18,
        name: "half-spaces-shatter-d-plus-one",
        statement: "Half-spaces realise every labelling by two classes of n points of R^d in general \
                    position if and only if n <= d + 1.",
        verdict: Stated::True,
        source: "Cover 1965; obstruct::cover",
        test: shatter_d_plus_one,
    },
];

fn any_points(trial: &Trial) -> Evidence {
    let samples = sample(PointKind::Collinear, LabelKind::Binary, 2..=9, 2..=2);
    trial.refuted_by_sample(samples, too_few)
}

fn too_few(sample: &Sample) -> Result<(String, TooFewThresholds), String> {
    let (n, d) = (sample.points.n(), sample.points.d());
    let line = LabelledLine::of_sample(&sample.points, &sample.labels);
    let units = n.div_ceil(d);
    let proof = line.and_then(|line| TooFewThresholds::new(units as u64, &line));
    let proof = proof.map_err(|error| error.to_string())?;
    let needed = proof.line.points.len() - 1;
    Ok((format!("{needed} units are needed, and ceil(n/d) = ceil({n}/{d}) = {units}"), proof))
}

fn shatter_d_plus_one(trial: &Trial) -> Evidence {
    let words = |points: &Points| {
        format!("{:?}", (0..points.n()).map(|i| points.exact_row(i)).collect::<Vec<_>>())
    };
    trial.every(points(PointKind::GeneralPosition, 1..=6, 1..=4), words, |points| {
        let rows: Vec<Vec<Rational>> = (0..points.n()).map(|i| points.exact_row(i)).collect();
        counted(&rows).map_err(Failure::Other)
    })
}

/// Every labelling is decided, with evidence; as many are realised as Cover counts; that is all of
/// them exactly if n <= d + 1.
fn counted(points: &[Vec<Rational>]) -> Result<(), String> {
    let (n, d) = (points.len() as u64, points.first().map_or(0, Vec::len) as u64);
    let check = || {
        let all = Dichotomies::enumerate(points, true)?;
        all.check()?;
        Ok((all.separable(), cover::count(n, d + 1)?))
    };
    let (separable, cover) = check().map_err(|error: ObstructError| error.to_string())?;
    if IBig::from(separable) != cover {
        return Err(format!("{separable} labellings are realised, Cover counts {cover}"));
    }
    let (all, few) = (separable == 1 << n, n <= d + 1);
    if all != few || CoverBound::new(n, d + 1).is_ok() == few {
        return Err(format!("{separable} labellings of n = {n} points, d = {d}"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::super::strategy::into_sample;
    use super::*;
    use shatter_sample::{Labels, Values};

    #[test]
    fn the_witness_of_five_points_and_altered_ones() {
        let plane = |x: Vec<i64>, labels: &[u32]| {
            let points = Points::new(Values::I64(x), vec![2]).unwrap();
            into_sample(points, Labels::classes(labels.to_vec(), 2).unwrap()).unwrap()
        };
        let line = |labels: &[u32]| {
            plane((0..labels.len() as i64).flat_map(|x| [x, 3 * x]).collect(), labels)
        };
        let (checked, proof) = too_few(&line(&[0, 1, 0, 1, 0])).unwrap();
        assert_eq!(proof.units, 3);
        assert_eq!(checked, "4 units are needed, and ceil(n/d) = ceil(5/2) = 3");
        assert!(too_few(&line(&[0, 1, 0, 1, 1])).is_err()); // 3 units are enough
        assert!(too_few(&line(&[0, 1, 0])).is_err());
        let bent = plane(vec![0, 0, 1, 3, 2, 6, 3, 9, 4, 13], &[0, 1, 0, 1, 0]);
        assert!(too_few(&bent).unwrap_err().contains("not on the line"));
    }

    #[test]
    fn points_on_a_line_of_the_plane_are_not_counted_so() {
        let rows = |rows: [[i32; 2]; 3]| rows.map(|row| row.map(Rational::from).to_vec());
        assert_eq!(counted(&rows([[0, 0], [1, 0], [0, 1]])), Ok(()));
        let found = counted(&rows([[0, 0], [1, 1], [2, 2]]));
        assert_eq!(found, Err("6 labellings are realised, Cover counts 8".to_owned()));
    }
}
