//! Promise: what has no fit is refused in words before hours are spent, and what has one is fitted.

use shatter_kernel::certify::certify;
use shatter_kernel::plan::{Speed, plan};
use shatter_kernel::{
    Arithmetic, Features, FeaturesError, FitError, Kernel, KernelError, Numbers, Settings, fit,
    unwatched,
};
use shatter_sample::Labels;

fn bytes(v: Vec<u8>, d: usize) -> Features {
    Features::new(Numbers::U8(v), d, 255.0).unwrap()
}

fn reals(v: Vec<f64>, d: usize) -> Features {
    Features::new(Numbers::F64(v), d, 1.0).unwrap()
}

fn gaussian(gamma: f64) -> Settings {
    Settings::new(Kernel::Gaussian { gamma })
}

fn refusal(points: &Features, labels: &Labels, settings: &Settings) -> FitError {
    fit(points, &[labels], settings, &mut unwatched).expect_err("no fit")
}

#[test]
fn equal_points_with_equal_labels_are_merged() {
    let points = bytes(vec![1, 2, 3, 4, 1, 2], 2);
    let labels = Labels::classes(vec![0, 1, 0], 2).unwrap();
    let fitted = fit(&points, &[&labels], &gaussian(1.0), &mut unwatched).unwrap();
    assert_eq!(fitted.report.merged, [(2, 0)]);
    assert_eq!(fitted.models[0].centres.rows(), 2);
    let decided = certify(&fitted.models[0], &points, &labels, 0.0, &mut unwatched).unwrap();
    assert_eq!(decided.counts.margin, 3);
}

#[test]
fn equal_points_with_different_labels_are_named() {
    let points = bytes(vec![1, 2, 3, 4, 1, 2], 2);
    let labels = Labels::classes(vec![0, 1, 0], 2).unwrap();
    let others = Labels::classes(vec![0, 1, 1], 2).unwrap();
    let refused = fit(&points, &[&labels, &others], &gaussian(1.0), &mut unwatched).unwrap_err();
    let FitError::Inconsistent { first: 0, second: 2, labelling: 1, .. } = refused else {
        panic!("{refused}")
    };
}

#[test]
fn constant_features_are_one_point() {
    let points = bytes(vec![7; 12], 3);
    let same = Labels::classes(vec![1; 4], 2).unwrap();
    let fitted = fit(&points, &[&same], &gaussian(1.0), &mut unwatched).unwrap();
    assert_eq!(fitted.models[0].centres.rows(), 1);
    let labels = Labels::classes(vec![1, 1, 0, 1], 2).unwrap();
    let refused = refusal(&points, &labels, &gaussian(1.0)).to_string();
    assert!(refused.contains("points 0 and 2"), "{refused}");
}

#[test]
fn one_class_is_no_question() {
    let labels = Labels::classes(vec![0; 3], 1).unwrap();
    let refused = refusal(&bytes(vec![1, 2, 3], 1), &labels, &gaussian(1.0)).to_string();
    assert!(refused.contains("one class only, '0'"), "{refused}");
}

#[test]
fn widths_that_say_nothing_are_refused_before_the_matrix() {
    let points = bytes((0..200).collect(), 2);
    let labels = Labels::classes((0..100).map(|i| i % 2).collect(), 2).unwrap();
    for (gamma, words) in [(1e-30, "larger gamma"), (1e12, "smaller gamma")] {
        let mut heard = false;
        let mut watch = |_| {
            heard = true;
            std::ops::ControlFlow::Continue(())
        };
        let refused = fit(&points, &[&labels], &gaussian(gamma), &mut watch).unwrap_err();
        assert!(refused.to_string().contains(words), "{refused}");
        assert!(!heard, "no entry of the matrix was computed");
    }
    // The identity is an interpolant, for those who ask for it.
    let settings = Settings { degenerate: true, ..gaussian(1e12) };
    let fitted = fit(&points, &[&labels], &settings, &mut unwatched).unwrap();
    let decided = certify(&fitted.models[0], &points, &labels, 0.0, &mut unwatched).unwrap();
    assert_eq!(decided.counts.margin, 100);
}

#[test]
fn a_nearly_singular_matrix_is_named_by_its_pivot() {
    let points = bytes((0..100).collect(), 1);
    let labels = Labels::classes((0..100).map(|i| i % 2).collect(), 2).unwrap();
    let refused = refusal(&points, &labels, &gaussian(0.5));
    let FitError::Singular { error, .. } = &refused else { panic!("{refused}") };
    assert!(error.to_string().contains("pivot"), "{error}");
    // The Laplacian of the same points is far from singular.
    let settings = Settings::new(Kernel::Laplacian { gamma: 0.5 });
    let fitted = fit(&points, &[&labels], &settings, &mut unwatched).unwrap();
    let decided = certify(&fitted.models[0], &points, &labels, 0.0, &mut unwatched).unwrap();
    assert_eq!(decided.counts.margin, 100);
}

#[test]
fn kernels_of_too_small_rank_are_refused() {
    let points = bytes((0..200).collect(), 2);
    let labels = Labels::classes((0..100).map(|i| i % 2).collect(), 2).unwrap();
    for (kernel, rank) in [
        (Kernel::Linear, 2),
        (Kernel::Polynomial { degree: 2, offset: 1.0, scale: 1.0 }, 6),
        (Kernel::Polynomial { degree: 3, offset: 0.0, scale: 1.0 }, 4),
    ] {
        let refused = refusal(&points, &labels, &Settings::new(kernel));
        let FitError::Rank { n: 100, d: 2, rank: found, .. } = refused else { panic!("{refused}") };
        assert_eq!(found, rank, "{kernel}");
        let settings = Settings { ridge: 0.1, ..Settings::new(kernel) };
        assert!(fit(&points, &[&labels], &settings, &mut unwatched).is_ok(), "{kernel}");
    }
    assert_eq!(
        Kernel::Polynomial { degree: 64, offset: 1.0, scale: 1.0 }.largest_rank(3072),
        Some(u64::MAX)
    );
}

#[test]
fn more_memory_than_there_is_is_refused_first() {
    let points = bytes((0..200).collect(), 2);
    let labels = Labels::classes((0..100).map(|i| i % 2).collect(), 2).unwrap();
    let settings =
        Settings { memory: Some(1000), ..Settings::new(Kernel::Laplacian { gamma: 1.0 }) };
    let refused = refusal(&points, &labels, &settings).to_string();
    assert!(refused.contains("1000 may be taken"), "{refused}");
    let speed = Speed { single: 1e11, double: 5e10 };
    for arithmetic in [Arithmetic::F32, Arithmetic::F64] {
        let settings = Settings { arithmetic, ..settings.clone() };
        let small = plan(1000, 784, 10, &settings, speed);
        let large = plan(60_000, 784, 10, &settings, speed);
        assert!(large.bytes < 16_000_000_000 && large.bytes > 1000 * small.bytes);
        assert!(large.seconds() > 1000.0 * small.seconds());
    }
}

#[test]
fn settings_and_labels_that_do_not_suit() {
    let points = bytes(vec![1, 2, 3], 1);
    let labels = Labels::classes(vec![0, 1, 0], 2).unwrap();
    for ridge in [-1.0, f64::NAN, f64::INFINITY] {
        let settings = Settings { ridge, ..gaussian(1.0) };
        assert!(matches!(refusal(&points, &labels, &settings), FitError::Setting { .. }));
    }
    assert!(matches!(refusal(&points, &labels, &gaussian(f64::NAN)), FitError::Kernel(_)));
    let short = Labels::classes(vec![0, 1], 2).unwrap();
    let refused = refusal(&points, &short, &gaussian(1.0));
    assert!(matches!(refused, FitError::Labels { labels: 2, points: 3, .. }), "{refused}");
    let refused = fit(&points, &[], &gaussian(1.0), &mut unwatched).unwrap_err();
    assert_eq!(refused, FitError::NoLabels);
}

#[test]
fn numbers_that_are_not_features() {
    let refused = |numbers, d, divisor| Features::new(numbers, d, divisor).unwrap_err();
    assert!(matches!(refused(Numbers::U8(vec![1; 5]), 2, 1.0), FeaturesError::Shape { .. }));
    assert!(matches!(refused(Numbers::U8(Vec::new()), 2, 1.0), FeaturesError::Shape { .. }));
    for divisor in [0.0, -1.0, 0.5, f64::NAN, f64::INFINITY, 1e300] {
        let refused = refused(Numbers::U8(vec![1]), 1, divisor);
        assert!(matches!(refused, FeaturesError::Divisor(_)), "{refused}");
    }
    for x in [f64::NAN, f64::INFINITY, -1e200] {
        let refused = refused(Numbers::F64(vec![0.0, 1.0, 2.0, x]), 2, 1.0);
        assert!(matches!(refused, FeaturesError::TooLarge { row: 1, column: 1, .. }), "{refused}");
    }
    let (three, two) = (reals(vec![0.0; 3], 3), reals(vec![0.0; 2], 2));
    let labels = Labels::real(vec![1.0], 1).unwrap();
    let model = &fit(&three, &[&labels], &gaussian(1.0), &mut unwatched).unwrap().models[0];
    let refused = model.predict(&two, false, &mut unwatched).unwrap_err().to_string();
    assert_eq!(refused, "points of 2 coordinates, where the centres have 3");
    let refused = model.predict(&bytes(vec![0; 3], 3), false, &mut unwatched).unwrap_err();
    assert!(refused.to_string().contains("divided by 255"), "{refused}");
}

#[test]
fn labels_that_a_model_does_not_know() {
    let points = bytes(vec![1, 2, 3], 1);
    let labels = Labels::classes(vec![0, 1, 0], 2).unwrap();
    let model = &fit(&points, &[&labels], &gaussian(1.0), &mut unwatched).unwrap().models[0];
    let certified = |labels: &Labels| certify(model, &points, labels, 0.0, &mut unwatched);
    let third = Labels::classes(vec![0, 1, 2], 3).unwrap();
    let refused = certified(&third).unwrap_err().to_string();
    assert!(refused.contains("class '2' of point 2"), "{refused}");
    let real = Labels::real(vec![1.0; 3], 1).unwrap();
    let refused = certified(&real).unwrap_err().to_string();
    assert!(refused.contains("2 classes") && refused.contains("1 real"), "{refused}");
    assert!(certified(&Labels::classes(vec![0], 2).unwrap()).is_err());
    // Classes meet by their names, not by their numbers.
    let names = |names: [&str; 2]| names.map(String::from).to_vec();
    let named = |of: Vec<u32>, order| Labels::Classes {
        of,
        count: 2,
        names: names(order),
        numbered: false,
    };
    let one = named(vec![0, 1, 0], ["cat", "dog"]);
    let model = &fit(&points, &[&one], &gaussian(1.0), &mut unwatched).unwrap().models[0];
    let other = named(vec![1, 0, 1], ["dog", "cat"]);
    assert_eq!(certify(model, &points, &other, 0.0, &mut unwatched).unwrap().counts.margin, 3);
}

#[test]
fn kernels_are_read_as_they_are_written() {
    for text in [
        "gaussian:gamma=0.02",
        "laplacian:gamma=3",
        "rational:gamma=1",
        "polynomial:degree=3,offset=0,scale=0.5",
        "arc-cosine-0",
        "arc-cosine-1",
        "linear",
    ] {
        assert_eq!(text.parse::<Kernel>().unwrap().to_string(), text);
    }
    assert_eq!("rational".parse(), Ok(Kernel::Rational { gamma: 1.0 }));
    let refused = |text: &str| text.parse::<Kernel>().unwrap_err();
    assert!(matches!(refused("gausian"), KernelError::Name(_)));
    assert!(matches!(refused("gaussian"), KernelError::Missing { .. }));
    assert!(matches!(refused("gaussian:sigma=1"), KernelError::Parameter { .. }));
    assert!(matches!(refused("linear:gamma=1"), KernelError::Parameter { .. }));
    assert!(matches!(refused("gaussian:gamma=1,gamma=2"), KernelError::Twice("gamma")));
    for text in [
        "gaussian:gamma=0",
        "gaussian:gamma=-1",
        "gaussian:gamma=nan",
        "gaussian:gamma=inf",
        "gaussian:gamma=one",
        "polynomial:degree=0",
        "polynomial:degree=2.5",
        "polynomial:degree=65",
        "polynomial:degree=2,scale=0",
        "polynomial:degree=2,offset=-1",
    ] {
        assert!(matches!(refused(text), KernelError::Range { .. }), "{text}");
    }
}
