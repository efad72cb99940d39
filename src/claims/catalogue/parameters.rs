//! More parameters than points: claims 5, 9 and 10. P counts weights and biases, U hidden units.

use proptest::collection::vec;
use proptest::prelude::*;

use shatter_exact::Rational;
use shatter_network::{Activation, Layered, Mlp};
use shatter_obstruct::alternation::{AlternationBound, HiddenLayer};
use shatter_obstruct::dimension::{jacobian_rank, most_dimensions};
use shatter_obstruct::{DimensionBound, LabelledLine, ObstructError, PieceBound};
use shatter_sample::Sample;

use super::super::claim::{Claim, Evidence, Stated, Trial};
use super::super::harness::Failure;
use super::super::strategy::{LabelKind, PointKind, architecture, network, sample};

pub(super) const CLAIMS: [Claim; 3] = [
    Claim {
        number: 5,
        name: "n-parameters-fit",
        statement: "Any architecture with at least n parameters fits any labels on any n distinct \
                    points.",
        verdict: Stated::False,
        source: "one ReLU unit; obstruct::alternation",
        test: n_parameters,
    },
    Claim {
        number: 9,
        name: "few-dimensions-block",
        statement: "If P - U < n, a ReLU network with P weights and biases, U hidden units and one \
                    output fits almost no real labels of n points.",
        verdict: Stated::True,
        source: "dimension counting; obstruct::dimension",
        test: few_dimensions,
    },
    Claim {
        number: 10,
        name: "enough-dimensions-fit",
        statement: "If P - U >= n, a ReLU network with P weights and biases, U hidden units and one \
                    output fits almost all real labels of any n distinct points.",
        verdict: Stated::False,
        source: "an open set around 0, 1, 0; obstruct::alternation",
        test: enough_dimensions,
    },
];

fn text(error: ObstructError) -> String {
    error.to_string()
}

fn half() -> Rational {
    Rational::ONE / Rational::from(2)
}

/// d-m-1, one hidden layer of ReLU units.
fn one_layer(d: usize, m: usize) -> Result<Mlp, String> {
    Mlp::new(d, vec![m], 1).map_err(|error| error.to_string())
}

fn n_parameters(trial: &Trial) -> Evidence {
    // Deep linear networks, whatever they count of parameters, are affine.
    let linear = network(architecture(1..=1, 1..=4, 1..=4, 1..=1)).prop_map(without_relu);
    let affine = trial.every(linear, |network| format!("{network:?}"), is_affine);
    let Evidence::Held { cases } = affine else { return affine };
    let samples = sample(PointKind::Collinear, LabelKind::Binary, 3..=8, 1..=1);
    trial.refuted_by_sample(samples, |sample| {
        let (checked, proof) = one_unit(sample, 1)?;
        not_affine(sample)?;
        let linear = "deep linear networks do not fit either, with any number of parameters: they are \
                      affine";
        Ok((format!("{checked}; {linear} (checked on {cases} generated ones)"), proof))
    })
}

/// One hidden layer of m units has at least n parameters, and does not fit.
fn one_unit(sample: &Sample, m: usize) -> Result<(String, AlternationBound), String> {
    let (n, d) = (sample.points.n() as u64, sample.points.d());
    let mlp = one_layer(d, m)?;
    if mlp.parameters() < n {
        return Err(format!("{} parameters for {n} points", mlp.parameters()));
    }
    let line = LabelledLine::of_sample(&sample.points, &sample.labels).map_err(text)?;
    let proof = AlternationBound::new(HiddenLayer::Free, m as u64, &line, half()).map_err(text)?;
    Ok((format!("the network {mlp} has {} >= n = {n} parameters", mlp.parameters()), proof))
}

/// One piece is not enough for the labels.
fn not_affine(sample: &Sample) -> Result<(), String> {
    let affine = Mlp::new(sample.points.d(), Vec::new(), 1).map_err(|error| error.to_string())?;
    let line = LabelledLine::of_sample(&sample.points, &sample.labels).map_err(text)?;
    PieceBound::new(&affine, &line, half()).map(drop).map_err(text)
}

fn without_relu(mut network: Layered) -> Layered {
    let units = network.hidden.iter_mut().flatten();
    units.for_each(|unit| unit.activation = Activation::Identity);
    network
}

/// Equal steps at equal distances.
fn is_affine(network: &Layered) -> Result<(), Failure> {
    let at = |x: i64| network.evaluate(&[Rational::from(x)])[0].clone();
    match (-4..4).all(|x| at(x + 1) - at(x) == at(1) - at(0)) {
        true => Ok(()),
        false => Err(Failure::Other("not affine".to_owned())),
    }
}

/// A network, P − U + 1 points, and the rank of the derivative of its outputs there.
#[derive(Clone, Debug)]
struct Ranked {
    architecture: Mlp,
    n: usize,
    rank: Result<usize, ObstructError>,
}

fn few_dimensions(trial: &Trial) -> Evidence {
    let values = architecture(1..=3, 0..=2, 1..=3, 1..=1)
        .prop_filter_map("no architecture", |(inputs, hidden, outputs)| {
            Mlp::new(inputs, hidden, outputs).ok()
        })
        .prop_flat_map(|mlp| {
            let number = || -999i64..=999;
            let n = most_dimensions(&mlp) as usize + 1;
            let points = vec(vec(number(), mlp.inputs()), n);
            let parameters = vec(number(), mlp.parameters() as usize);
            (Just(mlp), parameters, points)
        })
        // Where a unit is at its kink there may be no derivative.
        .prop_filter_map("a kink", |(architecture, parameters, points)| {
            let mut parameters = parameters.into_iter().map(Rational::from);
            let network = architecture.network(|| parameters.next().unwrap_or(Rational::ZERO));
            let row = |x: &Vec<i64>| x.iter().map(|&x| Rational::from(x)).collect();
            let points: Vec<Vec<Rational>> = points.iter().map(row).collect();
            let rank = jacobian_rank(&network, &points);
            let kink = matches!(rank, Err(ObstructError::Kink { .. }));
            (!kink).then_some(Ranked { architecture, n: points.len(), rank })
        });
    let words = |ranked: &Ranked| format!("{ranked:?}");
    trial.every(values, words, |ranked| ranked.check().map_err(Failure::Other))
}

impl Ranked {
    /// The certificate holds, and the rank, a lower estimate, does not contradict it.
    fn check(&self) -> Result<(), String> {
        let bound = DimensionBound::new(&self.architecture, self.n as u64).map_err(text)?;
        let rank = self.rank.clone().map_err(text)?;
        match rank as u64 <= bound.dimension && rank < self.n {
            true => Ok(()),
            false => Err(format!("rank {rank}, P - U = {}, n = {}", bound.dimension, self.n)),
        }
    }
}

fn enough_dimensions(_: &Trial) -> Evidence {
    open_box(&[0, 1, 0], &(half() * half()), 1)
}

/// The evidence that no labels at distance below `radius` of `centre` in each coordinate are fitted
/// at 0, 1, …, n − 1 by one hidden layer of m units.
///
/// To be above 1/2, or below, is a condition on one label, and holds for an interval of labels if it
/// holds at its ends. So what is shown for the corners of the box holds in all of it.
fn open_box(centre: &[i64], radius: &Rational, m: usize) -> Evidence {
    let n = centre.len();
    let line = |labels: Vec<Rational>| {
        let points = (0..n as i64).map(|x| vec![Rational::from(x)]).collect();
        LabelledLine::sorted(points, labels)
    };
    let corner = |bits: u32| -> Vec<Rational> {
        let moved = |(i, &y): (usize, &i64)| {
            if bits >> i & 1 == 1 { Rational::from(y) + radius } else { Rational::from(y) - radius }
        };
        centre.iter().enumerate().map(moved).collect()
    };
    let blocked = |labels: Vec<Rational>| {
        let line = line(labels).map_err(text)?;
        let proof =
            AlternationBound::new(HiddenLayer::Free, m as u64, &line, half()).map_err(text)?;
        // All points have to be in it: then each label is on its side of the level.
        match proof.line.points.len() == n {
            true => Ok(proof),
            false => Err("not all labels alternate".to_owned()),
        }
    };
    let dimensions = one_layer(1, m).map(|mlp| most_dimensions(&mlp));
    let check = || {
        if dimensions.clone()? < n as u64 {
            return Err(format!("P - U is below n = {n}"));
        }
        (0..1u32 << n).try_for_each(|bits| blocked(corner(bits)).map(drop))?;
        let proof = blocked(centre.iter().map(|&y| Rational::from(y)).collect())?;
        Ok((1 << n, proof.into()))
    };
    let labels: Vec<String> = centre.iter().map(i64::to_string).collect();
    Evidence::certified(
        format!(
            "the network 1-{m}-1, x = 0, ..., {}, and all y that differ from ({}) by less than \
             {radius} in each coordinate: an open set",
            n.saturating_sub(1),
            labels.join(", ")
        ),
        format!(
            "P - U = {} >= n = {n}; the same at all {} corners of the set",
            dimensions.clone().unwrap_or_default(),
            1u64 << n
        ),
        check(),
    )
}

#[cfg(test)]
mod tests {
    use super::super::super::strategy::into_sample;
    use super::*;
    use shatter_sample::{Labels, Points, Values};

    #[test]
    fn altered_witnesses_against_counting_parameters_do_not_stand() {
        let with = |labels: Vec<u32>| {
            let points = Points::new(Values::I64((0..labels.len() as i64).collect()), vec![1]);
            into_sample(points.unwrap(), Labels::classes(labels, 2).unwrap()).unwrap()
        };
        let (checked, proof) = one_unit(&with(vec![0, 1, 0]), 1).unwrap();
        assert!(proof.level == half() && checked.contains("4 >= n = 3"));
        assert!(one_unit(&with(vec![0, 1, 1]), 1).unwrap_err().starts_with("not excluded"));
        assert!(one_unit(&with(vec![0, 1, 0]), 2).is_err()); // two units fit
        assert!(one_unit(&with(vec![0, 1, 0, 1, 0]), 1).unwrap_err().contains("4 parameters"));
        assert!(not_affine(&with(vec![0, 1, 0])).is_ok() && not_affine(&with(vec![0, 1])).is_err());
        // A ReLU that is left makes a kink.
        let relu = one_layer(1, 1).unwrap().network(|| Rational::ONE);
        assert!(is_affine(&relu).is_err() && is_affine(&without_relu(relu)).is_ok());
    }

    #[test]
    fn p_minus_u_points_are_not_blocked_and_ranks_reach_p_minus_u() {
        let architecture: Mlp = "1-2-1".parse().unwrap();
        let mut numbers = [1, 0, 1, -5, 2, 3, 1].into_iter().map(Rational::from);
        let network = architecture.network(|| numbers.next().unwrap());
        // Kinks at 0 and 5, and points on both sides of each.
        let points: Vec<_> = [-2, -1, 2, 3, 7, 8].map(|x| vec![Rational::from(x)]).into();
        let rank = jacobian_rank(&network, &points);
        assert_eq!(rank, Ok(5));
        let ranked = |n, rank| Ranked { architecture: architecture.clone(), n, rank };
        assert!(ranked(6, rank).check().is_ok());
        assert!(ranked(5, Ok(5)).check().unwrap_err().starts_with("not excluded"));
        assert!(ranked(8, Ok(6)).check().unwrap_err().starts_with("rank 6"));
    }

    #[test]
    fn larger_boxes_and_fewer_dimensions_do_not_stand() {
        let quarter = half() * half();
        let stands = |evidence| matches!(evidence, Evidence::Refuted { cases: 8, .. });
        assert!(stands(open_box(&[0, 1, 0], &quarter, 1)));
        let fails = |evidence, part: &str| matches!(evidence, Evidence::Failed { reason } if reason.contains(part));
        assert!(fails(open_box(&[0, 1, 0], &half(), 1), "not excluded"));
        assert!(fails(open_box(&[0, 1, 1], &quarter, 1), "not excluded"));
        assert!(fails(open_box(&[0, 1, 0], &quarter, 2), "not excluded"));
        assert!(fails(open_box(&[0, 1, 0, 1], &quarter, 1), "P - U is below n = 4"));
    }
}
