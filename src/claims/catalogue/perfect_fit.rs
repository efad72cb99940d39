//! Networks that fit every sample: claims 1, 6, 7, 22 and 33.

use proptest::prelude::*;
use proptest::sample::{Index, select};

use shatter_construct::depth_k::DepthK;
use shatter_construct::depth_two::DepthTwo;
use shatter_construct::width_two::WidthTwo;
use shatter_construct::{Construction, Task, ThresholdRule};
use shatter_network::first_misfit;
use shatter_sample::{Sample, Target};

use super::super::claim::{Claim, Evidence, Stated, Trial};
use super::super::describe::describe;
use super::super::harness::{Failure, fits, keeps_its_promise};
use super::super::strategy::{LabelKind, PointKind, any_sample, sample};

pub(super) const CLAIMS: [Claim; 5] = [
    Claim {
        number: 1,
        name: "zhang-fits",
        statement: "Depth 2, n ReLU units that share one direction, 2n + d numbers: fits any real \
                    labels on any n distinct points of R^d.",
        verdict: Stated::True,
        source: "Zhang et al. 2017, Theorem 1; proofs/theories/Theorem1.v",
        test: zhang,
    },
    Claim {
        number: 6,
        name: "width-below-d-blocks",
        statement: "A network whose hidden layers are narrower than d cannot fit every sample of R^d.",
        verdict: Stated::False,
        source: "construct::width_two; proofs/theories/Width2.v",
        test: width_below_d,
    },
    Claim {
        number: 7,
        name: "width-two-fits",
        statement: "Width 2 and depth n + 1 fit any real labels on any n distinct points.",
        verdict: Stated::True,
        source: "after Hanin and Sellke 2017; proofs/theories/Width2.v",
        test: width_two,
    },
    Claim {
        number: 22,
        name: "depth-k-fits",
        statement: "Depth k, 3 <= k <= n + 2, with n + 1 + 3(k - 3) units fits any real labels on \
                    any n distinct points.",
        verdict: Stated::True,
        source: "Zhang et al. 2017, Corollary 1; proofs/theories/Corollary1.v",
        test: depth_k,
    },
    Claim {
        number: 33,
        name: "n-plus-d-numbers-and-a-sign",
        statement: "Depth 2, n ReLU units with output weights s, -2s, 2s, ..., n + d numbers and the \
                    sign s: fits any real labels on any n distinct points.",
        verdict: Stated::True,
        source: "this project; proofs/theories/Zigzag.v",
        test: zigzag,
    },
];

fn zhang(trial: &Trial) -> Evidence {
    let rules = [ThresholdRule::Zigzag, ThresholdRule::Data, ThresholdRule::Midpoint];
    let values = (any_sample(1..=30, 1..=6), select(rules.to_vec()));
    trial.every(values, named, |(sample, threshold)| {
        let (n, d) = (sample.points.n() as u64, sample.points.d() as u64);
        let construction = DepthTwo { threshold: *threshold };
        keeps_its_promise(sample, &construction, trial.harness.seed)?;
        let promise = construction.promise(&Task::new(&sample.points, &sample.labels, 0));
        let free = promise.map_err(|error| Failure::Refused(error.to_string()))?.free;
        match free <= 2 * n + d {
            true => Ok(()),
            false => Err(Failure::Other(format!("{free} numbers, n = {n}, d = {d}"))),
        }
    })
}

fn named((sample, threshold): &(Sample, ThresholdRule)) -> String {
    format!("{threshold} thresholds, {}", describe(sample))
}

fn zigzag(trial: &Trial) -> Evidence {
    trial.every_sample(any_sample(1..=30, 1..=6), |sample| {
        let task = Task::new(&sample.points, &sample.labels, trial.harness.seed);
        let network = DepthTwo { threshold: ThresholdRule::Zigzag }
            .fit_exact(&task)
            .map_err(|error| Failure::Refused(error.to_string()))?
            .network;
        let counts = network.counts();
        let numbers = (sample.points.n() + sample.points.d()) as u64;
        if (counts.free, counts.signs) != (numbers, 1) {
            let found = format!("{} numbers and {} signs", counts.free, counts.signs);
            return Err(Failure::Other(format!("{found}, promised {numbers} and 1")));
        }
        fits(&network, sample, Target::Value)
    })
}

fn width_two(trial: &Trial) -> Evidence {
    trial.every_sample(any_sample(1..=24, 1..=6), |sample| {
        keeps_its_promise(sample, &WidthTwo, trial.harness.seed)
    })
}

fn depth_k(trial: &Trial) -> Evidence {
    let words = |(sample, k): &(Sample, Index)| {
        format!("depth {}, {}", 3 + k.index(sample.points.n()), describe(sample))
    };
    let values = (any_sample(1..=14, 1..=4), any::<Index>());
    trial.every(values, words, |(sample, k)| {
        let depth = 3 + k.index(sample.points.n());
        keeps_its_promise(sample, &DepthK { depth }, trial.harness.seed)
    })
}

/// The points are in general position and at least d + 1, so that they span R^d: the width is below
/// the dimension that they need.
fn width_below_d(trial: &Trial) -> Evidence {
    let samples = sample(PointKind::GeneralPosition, LabelKind::Binary, 4..=8, 3..=3);
    trial.refuted_by_sample(samples, below_d)
}

fn below_d(sample: &Sample) -> Result<String, String> {
    let (n, d) = (sample.points.n(), sample.points.d());
    if n <= d || (1..n).all(|i| sample.labels.agree(0, i)) {
        return Err("does not span the space, or has one label".to_owned());
    }
    let task = Task::new(&sample.points, &sample.labels, 0);
    let network = WidthTwo.build(&task).map_err(|error| error.to_string())?;
    let sizes = network.sizes();
    if sizes.width >= d as u64 {
        return Err(format!("width {} is not below d = {d}", sizes.width));
    }
    match first_misfit(&network, &sample.points, &sample.labels, Target::Value) {
        None => Ok(format!(
            "a network of width {} < d = {d} and depth {} was built and fits all {n} points, which \
             span R^{d}",
            sizes.width, sizes.depth
        )),
        Some(misfit) => Err(misfit.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shatter_sample::{LabelRule, load};

    #[test]
    fn a_plane_is_no_witness_against_width_two() {
        let sample =
            load("lattice:n=6,d=2", 1).unwrap().distinct(LabelRule::Alternating, 1).unwrap();
        assert_eq!(below_d(&sample), Err("width 2 is not below d = 2".to_owned()));
        let sample =
            load("lattice:n=6,d=3", 1).unwrap().distinct(LabelRule::Alternating, 1).unwrap();
        assert!(below_d(&sample).is_ok());
    }
}
