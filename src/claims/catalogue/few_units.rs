//! Fewer units than points, whatever the labels: claims 3 and 24.

use proptest::prelude::*;
use proptest::sample::Index;

use shatter_construct::hull_peeling::HullPeeling;
use shatter_construct::two_hidden::TwoHidden;
use shatter_construct::{Construction, Task};
use shatter_network::{Network, first_misfit};
use shatter_sample::synthetic::{self, Kind};
use shatter_sample::{Sample, SampleError, Target};

use super::super::claim::{Claim, Evidence, Stated, Trial};
use super::super::describe::describe;
use super::super::harness::{Failure, fits};
use super::super::strategy::{LabelKind, PointKind, any_sample, into_sample, sample};

pub(super) const CLAIMS: [Claim; 2] = [
    Claim {
        number: 3,
        name: "depth-two-needs-n-units",
        statement: "A ReLU network of depth 2 that fits n points with n different labels has at \
                    least n units.",
        verdict: Stated::False,
        source: "construct::hull_peeling: 2 ceil((n - 1)/d) units in general position",
        test: needs_n_units,
    },
    Claim {
        number: 24,
        name: "two-hidden-layers-fit",
        statement: "Depth 3 and hidden widths 2p - 1 and 2 ceil(q/2) - 1 with pq >= n fit any real \
                    labels on any n distinct points.",
        verdict: Stated::True,
        source: "after Yun, Sra and Jadbabaie 2019; construct::two_hidden, for p = ceil(n/q) (a \
                 larger p: units that nothing reads)",
        test: two_hidden,
    },
];

/// The simplest witness that is found, and one with less than half as many units as points.
fn needs_n_units(trial: &Trial) -> Evidence {
    let samples = sample(PointKind::GeneralPosition, LabelKind::Classes(1000), 4..=8, 2..=3);
    match trial.refuted_by_sample(samples, fewer_units) {
        Evidence::Refuted { witness, checked, cases, .. } => {
            let many =
                many_points().map_err(|error| error.to_string()).and_then(|s| fewer_units(&s));
            let also = many.as_deref().unwrap_or_default();
            Evidence::witness(
                format!(
                    "{witness}; also 60 integer points of R^5 with real labels, drawn from seed 1"
                ),
                format!("{checked}; also {also}"),
                many.as_ref().map(|_| cases + 1).map_err(String::clone),
            )
        }
        other => other,
    }
}

fn many_points() -> Result<Sample, SampleError> {
    let points = Kind::Lattice { range: 2001 }.points(60, 5, 1)?;
    into_sample(points, synthetic::labels(60, 0, 1)?)
}

/// Checks that the sample has different labels, more points than an affine function can fit, and yet a
/// network of fewer units than points.
fn fewer_units(sample: &Sample) -> Result<String, String> {
    let (n, d) = (sample.points.n(), sample.points.d());
    if (0..n).any(|i| (0..i).any(|j| sample.labels.agree(i, j))) {
        return Err("two labels are equal".to_owned());
    }
    if n <= d + 1 {
        return Err(format!("n = {n}, d = {d}: an affine function may fit"));
    }
    let task = Task::new(&sample.points, &sample.labels, 0);
    let network = HullPeeling.build(&task).map_err(|error| error.to_string())?;
    let sizes = network.sizes();
    if sizes.depth != 2 || sizes.units >= n as u64 {
        return Err(format!("depth {} and {} units for {n} points", sizes.depth, sizes.units));
    }
    match first_misfit(&network, &sample.points, &sample.labels, Target::Value) {
        None => Ok(format!(
            "a network of depth 2 with {} < n = {n} ReLU units was built and fits all {n} points, \
             whose labels all differ",
            sizes.units
        )),
        Some(misfit) => Err(misfit.to_string()),
    }
}

/// Groups of every size, from one point each to one group with room to spare.
fn two_hidden(trial: &Trial) -> Evidence {
    let size = |sample: &Sample, q: &Index| 1 + q.index(sample.points.n() + 1);
    let words =
        |(sample, q): &(Sample, Index)| format!("q = {}, {}", size(sample, q), describe(sample));
    trial.every((any_sample(1..=20, 1..=4), any::<Index>()), words, |(sample, q)| {
        let (n, q) = (sample.points.n(), size(sample, q));
        let construction = TwoHidden { group: Some(q), classes: false };
        let network = construction
            .build(&Task::new(&sample.points, &sample.labels, trial.harness.seed))
            .map_err(|error| Failure::Refused(error.to_string()))?;
        has_widths(&network, [2 * n.div_ceil(q) - 1, 2 * q.div_ceil(2) - 1])?;
        fits(&network, sample, Target::Value)
    })
}

/// Checks that the hidden layers have these widths.
fn has_widths(network: &Network, widths: [usize; 2]) -> Result<(), Failure> {
    let found: Vec<usize> = match network {
        Network::Layered(network) => network.hidden.iter().map(Vec::len).collect(),
        Network::TwoLayer(network) => vec![network.w.len()],
    };
    match found == widths {
        true => Ok(()),
        false => Err(Failure::Other(format!("hidden widths {found:?}, promised {widths:?}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shatter_sample::{LabelRule, Labels, load};

    #[test]
    fn equal_labels_few_points_and_a_line_are_no_witnesses() {
        let real = |values: &[f64]| Labels::real(values.to_vec(), 1).unwrap();
        let of = |text: &str, labels: Labels| {
            into_sample(load(text, 1).unwrap().points, labels).unwrap()
        };
        let different = real(&[3.0, 1.0, 4.0, 2.0, 9.0]);
        assert!(fewer_units(&of("moment:n=5,d=2", different.clone())).is_ok());
        let altered = [
            (of("moment:n=5,d=2", real(&[3.0, 1.0, 4.0, 1.0, 9.0])), "two labels are equal"),
            (of("moment:n=3,d=2", real(&[3.0, 1.0, 4.0])), "an affine function may fit"),
            (of("moment:n=4,d=2", real(&[3.0, 1.0, 4.0, 2.0])), "4 units for 4 points"),
            (of("collinear:n=5,d=1", different), "units for 5 points"),
        ];
        for (sample, reason) in altered {
            let found = fewer_units(&sample).unwrap_err();
            assert!(found.contains(reason), "{found}");
        }
    }

    #[test]
    fn other_widths_are_seen() {
        let sample = load("gaussian:n=10,d=2", 1).unwrap().distinct(LabelRule::Random, 1).unwrap();
        let task = Task::new(&sample.points, &sample.labels, 1);
        let network = TwoHidden { group: Some(4), classes: false }.build(&task).unwrap();
        assert!(has_widths(&network, [5, 3]).is_ok());
        assert!(has_widths(&network, [3, 5]).is_err() && has_widths(&network, [5, 5]).is_err());
    }
}
