//! Promise: exact coefficients solve exactly, and exact verdicts agree with enclosures wherever these decide.

use proptest::prelude::*;
use shatter_exact::Rational;
use shatter_kernel::certify::certify;
use shatter_kernel::exact::{self, ExactError};
use shatter_kernel::{
    Features, Kernel, Meaning, Model, Numbers, Origin, Settings, Verdict, fit, unwatched,
};
use shatter_sample::Labels;

use crate::common::cases;

/// The kernel of whole numbers over one divisor, by its formula.
fn entry(kernel: Kernel, points: &Features, i: usize, j: usize) -> Rational {
    let whole = |i, k| Rational::from(points.number(i, k) as i64);
    let square = Rational::from(points.divisor() as i64) * Rational::from(points.divisor() as i64);
    let sum = |term: &dyn Fn(usize) -> Rational| {
        (0..points.columns()).fold(Rational::ZERO, |sum, k| sum + term(k))
    };
    match kernel {
        Kernel::Linear => sum(&|k| whole(i, k) * whole(j, k)) / square,
        Kernel::Rational { .. } => {
            let difference = |k| whole(i, k) - whole(j, k);
            let distance = sum(&|k| difference(k) * difference(k)) / square;
            Rational::ONE / (Rational::ONE + Rational::from(2) * distance)
        }
        _ => panic!("{kernel}"),
    }
}

proptest! {
    #![proptest_config(cases(40))]

    #[test]
    fn solutions_solve(
        pixels in proptest::collection::vec(any::<u8>(), 12),
        classes in proptest::collection::vec(0u32..3, 4),
        rational in any::<bool>(),
    ) {
        let points = Features::new(Numbers::U8(pixels), 3, 255.0).unwrap();
        prop_assume!(points.equal_rows().is_empty());
        let labels = Labels::classes(classes.clone(), 3).unwrap();
        // Four points of three coordinates: the linear kernel has rank 3 at most.
        let kernel = if rational { Kernel::Rational { gamma: 2.0 } } else { Kernel::Linear };
        let alpha = match exact::solve(kernel, &points, &labels) {
            Ok(alpha) => alpha,
            Err(ExactError::Singular { n: 4, rank }) if !rational => {
                prop_assert!(rank <= 3);
                return Ok(());
            }
            Err(other) => return Err(TestCaseError::fail(other.to_string())),
        };
        for (c, alpha) in alpha.iter().enumerate() {
            for (i, &class) in classes.iter().enumerate() {
                let f = (0..4).fold(Rational::ZERO, |sum, j| sum + entry(kernel, &points, i, j) * &alpha[j]);
                prop_assert_eq!(f, Rational::from(u8::from(class == c as u32)));
            }
        }
    }

    /// Enclosures may leave points undecided; what they decide is so.
    #[test]
    fn enclosures_and_fractions_agree(
        numbers in proptest::collection::vec(-4i8..4, 15),
        coefficients in proptest::collection::vec(prop_oneof![Just(1.0), Just(-1.0), -3.0..3.0f64], 10),
        classes in proptest::collection::vec(0u32..2, 5),
        kernel in prop_oneof![
            Just(Kernel::Linear),
            Just(Kernel::Rational { gamma: 0.3 }),
            Just(Kernel::Polynomial { degree: 2, offset: 0.1, scale: 1.0 })
        ],
        divisor in prop_oneof![Just(1.0), Just(10.0)],
    ) {
        let numbers = numbers.into_iter().map(f64::from).collect();
        let centres = Features::new(Numbers::F64(numbers), 3, divisor).unwrap();
        let labels = Labels::classes(classes, 2).unwrap();
        let meaning = Meaning::of(&labels);
        let model = Model { kernel, centres, coefficients, meaning, origin: Origin::default() };
        let near = certify(&model, &model.centres, &labels, 0.0, &mut unwatched).unwrap();
        let known = exact::judge(&model, &model.centres, &labels, 0.0).unwrap();
        for (near, known) in near.judged.iter().zip(&known.judged) {
            prop_assert!(near.low <= known.high && known.low <= near.high);
            match (near.verdict, known.verdict) {
                (Verdict::Margin, Verdict::Margin | Verdict::Exact)
                | (Verdict::Misfit, Verdict::Misfit)
                | (Verdict::Undecided, _) => {}
                (near, known) => prop_assert!(false, "{near:?}, and {known:?}"),
            }
        }
    }
}

/// α = y where K is the identity: outputs equal targets.
#[test]
fn equality_is_found_where_there_is_one() {
    let points = Features::new(Numbers::F64(vec![1.0, 0.0, 0.0, 1.0]), 2, 1.0).unwrap();
    let labels = Labels::classes(vec![0, 1], 2).unwrap();
    let settings = Settings::new(Kernel::Linear);
    let model = &fit(&points, &[&labels], &settings, &mut unwatched).unwrap().models[0];
    let decided = exact::judge(model, &points, &labels, 0.0).unwrap();
    assert_eq!((decided.counts.exact, decided.counts.fit()), (2, 2));
    // A tie says nothing.
    let tied = Model { coefficients: vec![1.0; 4], ..model.clone() };
    assert_eq!(exact::judge(&tied, &points, &labels, 0.0).unwrap().counts.misfit, 2);
    let refused = exact::solve(Kernel::ArcCosine0, &points, &labels).unwrap_err();
    assert_eq!(refused, ExactError::Kernel(Kernel::ArcCosine0));
}

#[test]
fn what_would_take_hours_is_refused() {
    let numbers = (0..2000).map(|i| f64::from(i) * 1e9 + 1.0).collect();
    let points = Features::new(Numbers::F64(numbers), 1, 1.0).unwrap();
    let labels = Labels::real(vec![1.0; 2000], 1).unwrap();
    let kernel = Kernel::Rational { gamma: 1.0 };
    let refused = exact::solve(kernel, &points, &labels).unwrap_err();
    assert!(matches!(refused, ExactError::Points { n: 2000, .. }), "{refused}");
    let few = points.select(&(0..500).collect::<Vec<_>>()).unwrap();
    let labels = Labels::real(vec![1.0; 500], 1).unwrap();
    let refused = exact::solve(kernel, &few, &labels).unwrap_err();
    assert!(matches!(refused, ExactError::Bits { n: 500, .. }), "{refused}");
    // Nor are sums of as many different denominators taken.
    let model = Model {
        kernel,
        centres: few.clone(),
        coefficients: vec![0.1; 500],
        meaning: Meaning::Real(1),
        origin: Origin::default(),
    };
    let refused = exact::judge(&model, &few, &labels, 0.0).unwrap_err();
    assert!(matches!(refused, ExactError::Work { n: 500, .. }), "{refused}");
}
