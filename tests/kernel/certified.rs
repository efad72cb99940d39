//! Promise: enclosures hold the values of 1400-bit arithmetic, and no verdict says more than these.

use proptest::prelude::*;
use shatter_kernel::certify::certify;
use shatter_kernel::{
    Features, Kernel, Meaning, Model, ModelError, Numbers, Origin, Settings, Verdict, fit,
    unwatched,
};
use shatter_sample::Labels;

use crate::common::cases;
use crate::oracle;

fn any_kernel() -> impl Strategy<Value = Kernel> {
    let gamma = (-12i32..8, 1.0..10.0f64).prop_map(|(e, m)| m * 10f64.powi(e));
    let polynomial = (1u32..6, prop_oneof![Just(0.0), 0.1..4.0f64], 0.01..2.0f64);
    prop_oneof![
        gamma.clone().prop_map(|gamma| Kernel::Gaussian { gamma }),
        gamma.clone().prop_map(|gamma| Kernel::Laplacian { gamma }),
        gamma.prop_map(|gamma| Kernel::Rational { gamma }),
        polynomial.prop_map(|(degree, offset, scale)| Kernel::Polynomial { degree, offset, scale }),
        Just(Kernel::ArcCosine0),
        Just(Kernel::ArcCosine1),
        Just(Kernel::Linear),
    ]
}

/// Usual numbers, and those at which something cancels, underflows or dominates.
fn coordinate() -> impl Strategy<Value = f64> {
    prop_oneof![
        6 => -2.0..2.0f64,
        1 => Just(0.0),
        1 => Just(1.0),
        1 => (0i32..40).prop_map(|e| 1.0 + 2f64.powi(-e)),
        1 => Just(1e-310),
        1 => -1e8..1e8f64,
        1 => Just(-3e30),
    ]
}

/// Rows of d numbers, some of them twice or almost.
fn features(rows: usize, d: usize) -> impl Strategy<Value = Features> {
    let bytes = proptest::collection::vec(any::<u8>(), rows * d)
        .prop_map(move |v| Features::new(Numbers::U8(v), d, 255.0).unwrap());
    let reals = proptest::collection::vec(coordinate(), rows * d)
        .prop_map(move |v| Features::new(Numbers::F64(v), d, 1.0).unwrap());
    let near = (proptest::collection::vec(-1.0..1.0f64, d), 0i32..60).prop_map(move |(x, e)| {
        let row = |i: usize| x.iter().map(move |x| x * (1.0 + i as f64 * 2f64.powi(-e)));
        Features::new(Numbers::F64((0..rows).flat_map(row).collect()), d, 1.0).unwrap()
    });
    prop_oneof![2 => bytes, 3 => reals, 1 => near]
}

fn model(kernel: Kernel, centres: Features, coefficients: Vec<f64>, outputs: usize) -> Model {
    let meaning = Meaning::Real(outputs);
    Model { kernel, centres, coefficients, meaning, origin: Origin::default() }
}

/// Every output within its bound of the formula; the largest bound.
fn enclosed(model: &Model, points: &Features) -> Result<f64, TestCaseError> {
    let found = model.predict(points, true, &mut unwatched).unwrap();
    let mut largest: f64 = 0.0;
    for i in 0..points.rows() {
        let exact = oracle::outputs(model, points, i);
        for (c, exact) in exact.iter().enumerate() {
            let at = i * model.outputs() + c;
            let (value, bound) = (found.values[at], found.bounds[at]);
            if !value.is_finite() || !bound.is_finite() {
                prop_assert!(!bound.is_finite(), "{value} within {bound}");
                largest = f64::INFINITY;
                continue;
            }
            let off = oracle::fixed(value) - exact;
            let off = if off < 0.into() { -off } else { off };
            prop_assert!(
                off <= oracle::fixed(bound) + oracle::slack(),
                "point {i}, output {c}: {value} within {bound}"
            );
            largest = largest.max(bound);
        }
    }
    Ok(largest)
}

proptest! {
    #![proptest_config(cases(300))]

    /// One entry at a time, so that no sum hides an error.
    #[test]
    fn every_entry_is_within_its_bound(
        (kernel, points) in (any_kernel(), (2usize..5, 1usize..6).prop_flat_map(|(n, d)| features(n, d))),
    ) {
        for j in 0..points.rows() {
            let centre = points.select(&[j as u32]).unwrap();
            enclosed(&model(kernel, centre, vec![1.0], 1), &points)?;
        }
    }

    #[test]
    fn sums_are_within_their_bounds(
        (kernel, points) in (any_kernel(), (1usize..7, 1usize..6).prop_flat_map(|(n, d)| features(n, d))),
        coefficients in proptest::collection::vec(prop_oneof![-1e3..1e3f64, Just(0.0), Just(1e-300), -1e12..1e12f64], 14),
    ) {
        // Among themselves, where the diagonal is known, and as other points.
        let n = points.rows();
        let model = model(kernel, points.clone(), coefficients[..2 * n].to_vec(), 2);
        enclosed(&model, &points)?;
        let reversed: Vec<u32> = (0..n as u32).rev().collect();
        if n > 1 {
            enclosed(&model, &points.select(&reversed).unwrap())?;
        }
    }

    /// Bounds that are always infinite would pass the properties above.
    #[test]
    fn bounds_of_images_are_small(
        kernel in any_kernel(),
        pixels in proptest::collection::vec(any::<u8>(), 6 * 20),
        coefficients in proptest::collection::vec(-1.0..1.0f64, 6),
    ) {
        let points = Features::new(Numbers::U8(pixels), 20, 255.0).unwrap();
        let model = model(kernel, points.clone(), coefficients, 1);
        let largest = enclosed(&model, &points)?;
        let scale = model.predict(&points, false, &mut unwatched).unwrap();
        let most = match kernel {
            Kernel::Polynomial { .. } => f64::INFINITY,
            Kernel::Linear | Kernel::ArcCosine1 => 1e-12,
            _ => 2e-14,
        };
        prop_assert!(largest < most, "{kernel}: {largest}, of outputs such as {}", scale.values[0]);
    }

    /// Whatever is done to coefficients, a point that is called fitted is, and one that is called a misfit is not.
    #[test]
    fn wrong_coefficients_are_not_called_right(
        points in features(8, 3),
        classes in proptest::collection::vec(0u32..3, 8),
        gamma in 0.01..10.0f64,
        (row, column, bit, other) in (0usize..8, 0usize..3, 0u32..64, 0usize..8),
    ) {
        let labels = Labels::classes(classes, 3).unwrap();
        let settings = Settings { degenerate: true, ..Settings::new(Kernel::Laplacian { gamma }) };
        // Equal points with different labels have no fit, and matrices of near points none either.
        let Ok(fitted) = fit(&points, &[&labels], &settings, &mut unwatched) else { return Ok(()) };
        let whole = &fitted.models[0];
        let mut flipped = whole.clone();
        let at = (row % whole.centres.rows()) * 3 + column;
        let changed = f64::from_bits(flipped.coefficients[at].to_bits() ^ 1 << bit);
        flipped.coefficients[at] = if changed.abs() < 1e12 { changed } else { -7.0 };
        let mut swapped = whole.clone();
        let (one, two) = (row % whole.centres.rows(), other % whole.centres.rows());
        (0..3).for_each(|c| swapped.coefficients.swap(one * 3 + c, two * 3 + c));
        for model in [whole, &flipped, &swapped] {
            let decided = certify(model, &points, &labels, 0.0, &mut unwatched).unwrap();
            let Labels::Classes { of, .. } = &labels else { unreachable!() };
            for (i, judged) in decided.judged.iter().enumerate() {
                let f = oracle::outputs(model, &points, i);
                let own = &f[of[i] as usize];
                let most = (0..3).filter(|&c| c != of[i] as usize).map(|c| &f[c]).max().unwrap();
                match judged.verdict {
                    Verdict::Margin => prop_assert!(own + oracle::slack() > *most),
                    Verdict::Misfit => prop_assert!(*own < most + oracle::slack()),
                    Verdict::Undecided => {}
                    Verdict::Exact => prop_assert!(false, "enclosures find no equality"),
                }
            }
        }
    }
}

/// Sixty points with random labels: all are proved to fit, and with two rows of coefficients swapped, some are proved not to.
#[test]
fn a_fit_is_proved_and_a_wrong_one_refuted() {
    let number = |i: usize| ((i * i + 7 * i) as f64 * 0.618_034).fract();
    let points = Features::new(Numbers::F64((0..180).map(number).collect()), 3, 1.0).unwrap();
    let labels = Labels::classes((0..60).map(|i| (i * i % 7 % 3) as u32).collect(), 3).unwrap();
    let settings = Settings::new(Kernel::Gaussian { gamma: 20.0 });
    let mut fitted = fit(&points, &[&labels], &settings, &mut unwatched).unwrap();
    let model = &mut fitted.models[0];
    let decided = certify(model, &points, &labels, 0.0, &mut unwatched).unwrap();
    assert_eq!(decided.counts.margin, 60);
    assert!(decided.least_margin > 0.9 && decided.largest_bound < 1e-9);
    (0..3).for_each(|c| model.coefficients.swap(c, 3 + c));
    let decided = certify(model, &points, &labels, 0.0, &mut unwatched).unwrap();
    assert!(decided.counts.misfit > 0 && decided.counts.undecided == 0);
}

#[test]
fn real_labels_are_met_within_a_tolerance_or_not() {
    let points = Features::new(Numbers::F64(vec![0.0, 1.0, 5.0]), 1, 1.0).unwrap();
    let labels = Labels::real(vec![1.0, -2.0, 1e6], 1).unwrap();
    let settings = Settings::new(Kernel::Rational { gamma: 1.0 });
    let model = &fit(&points, &[&labels], &settings, &mut unwatched).unwrap().models[0];
    let counts = |tolerance, labels: &Labels| {
        certify(model, &points, labels, tolerance, &mut unwatched).unwrap().counts
    };
    assert_eq!(counts(1e-6, &labels).margin, 3);
    assert_eq!(counts(0.0, &labels).undecided, 3);
    let others = Labels::real(vec![1.0, -2.0, 1e6 + 1.0], 1).unwrap();
    assert_eq!((counts(1e-6, &others).margin, counts(1e-6, &others).misfit), (2, 1));
}

/// Parameters for which no bound is proved: a negative gamma makes entries that the bounds do not hold.
#[test]
fn models_of_kernels_without_bounds_are_refused() {
    let points = Features::new(Numbers::F64(vec![0.0, 1.0]), 1, 1.0).unwrap();
    for kernel in [
        Kernel::Gaussian { gamma: -1000.0 },
        Kernel::Laplacian { gamma: f64::NAN },
        Kernel::Polynomial { degree: 0, offset: 1.0, scale: 1.0 },
    ] {
        let model = model(kernel, points.clone(), vec![1.0, -1.0], 1);
        assert!(matches!(model.predict(&points, true, &mut unwatched), Err(ModelError::Kernel(_))));
        let labels = Labels::real(vec![0.0, 0.0], 1).unwrap();
        let refused = certify(&model, &points, &labels, 1.0, &mut unwatched);
        assert!(matches!(refused, Err(ModelError::Kernel(_))), "{kernel:?}");
    }
}
