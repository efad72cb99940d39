//! Promise: all ways of solving come to the same interpolant, with the same bytes from any number of threads.

use std::sync::Mutex;
use std::time::Duration;

use shatter_kernel::certify::certify;
use shatter_kernel::{
    Arithmetic, Checkpointing, Features, FitError, Fitted, Kernel, Numbers, Phase, Progress,
    Settings, Solver, Stopped, fit, unwatched,
};
use shatter_linear::packed::Packed;
use shatter_sample::{self as sample, LabelRule, Labels};

/// Points in a cube, with classes at random.
fn random(n: usize, d: usize, classes: u32) -> (Features, Labels) {
    let text = format!("gaussian:n={n},d={d},classes={classes}");
    let sample = sample::load(&text, 1).unwrap().distinct(LabelRule::Random, 2).unwrap();
    (Features::of_points(&sample.points, 255.0).unwrap(), sample.labels)
}

fn largest_difference(x: &[f64], y: &[f64]) -> f64 {
    x.iter().zip(y).map(|(x, y)| (x - y).abs()).fold(0.0, f64::max)
}

fn size(x: &[f64]) -> f64 {
    x.iter().map(|x| x.abs()).fold(0.0, f64::max)
}

/// y − K α, where K is computed entry by entry from the formula.
fn residual(fitted: &Fitted, points: &Features, labels: &Labels) -> f64 {
    let Kernel::Gaussian { gamma } = fitted.models[0].kernel else { panic!("a Gaussian kernel") };
    let model = &fitted.models[0];
    let (n, d, width) = (points.rows(), points.columns(), model.outputs());
    let entry = |i: usize, j: usize| {
        let square = |k| (points.number(i, k) - points.number(j, k)).powi(2);
        (-gamma * (0..d).map(square).sum::<f64>() / points.divisor().powi(2)).exp()
    };
    let mut most: f64 = 0.0;
    for i in 0..n {
        for c in 0..width {
            let f: f64 = (0..n).map(|j| entry(i, j) * model.coefficients[j * width + c]).sum();
            let y = if labels.f64_at(i) == c as f64 { 1.0 } else { 0.0 };
            most = most.max((f - y).abs());
        }
    }
    most
}

#[test]
fn every_solver_finds_the_same_interpolant() {
    let (points, labels) = random(350, 6, 3);
    let settings = Settings::new(Kernel::Gaussian { gamma: 0.3 });
    let double = fit(&points, &[&labels], &settings, &mut unwatched).unwrap();
    let single = Settings { arithmetic: Arithmetic::F32, ..settings.clone() };
    let single = fit(&points, &[&labels], &single, &mut unwatched).unwrap();
    assert!(single.report.converged && single.report.products > 0);
    let solver = Solver::ConjugateGradients { centres: 100, tolerance: 0.0, most: 1000, seed: 1 };
    let iterated = Settings { solver, ..settings };
    let iterated = fit(&points, &[&labels], &iterated, &mut unwatched).unwrap();
    assert!(iterated.report.converged, "{:?}", iterated.report);
    let alpha = &double.models[0].coefficients;
    for (name, other) in [("f32", &single), ("iterated", &iterated)] {
        let off = largest_difference(alpha, &other.models[0].coefficients);
        assert!(off < 1e-7 * size(alpha), "{name}: {off}");
        let (own, of_double) =
            (residual(other, &points, &labels), residual(&double, &points, &labels));
        // The residual that rounding leaves is that of the norm of the coefficients.
        assert!(own < 1e-12 * size(alpha) * 350.0, "{name}: residual {own}, {of_double} in f64");
        let decided = certify(&other.models[0], &points, &labels, 0.0, &mut unwatched).unwrap();
        assert_eq!(decided.counts.margin, 350, "{name}");
        let (norm, other) = (&double.report.norms[0], &other.report.norms[0]);
        assert!((norm.total / other.total - 1.0).abs() < 1e-6);
    }
}

/// A factor of a nearly singular matrix in binary32 needs jitter, which the refinement takes away again.
#[test]
fn jitter_changes_the_factor_and_not_the_system() {
    let (points, labels) = random(400, 3, 2);
    let settings = Settings {
        arithmetic: Arithmetic::F32,
        refine: Some(2000),
        ..Settings::new(Kernel::Gaussian { gamma: 1.0 })
    };
    let refused = fit(&points, &[&labels], &settings, &mut unwatched).unwrap_err().to_string();
    assert!(refused.contains("not positive definite") && refused.contains("jitter"), "{refused}");
    let settings = Settings { jitter: Some(1e-7), ..settings };
    let fitted = fit(&points, &[&labels], &settings, &mut unwatched).unwrap();
    assert!(fitted.report.jitter >= 1e-7 && fitted.report.products > 0);
    let decided = certify(&fitted.models[0], &points, &labels, 0.0, &mut unwatched).unwrap();
    assert_eq!(decided.counts.margin, 400, "{:?}", fitted.report);
}

#[test]
fn a_ridge_is_part_of_the_system() {
    let (points, labels) = random(50, 4, 2);
    let ridge = 0.5;
    let settings = Settings { ridge, ..Settings::new(Kernel::Gaussian { gamma: 0.1 }) };
    for arithmetic in [Arithmetic::F32, Arithmetic::F64] {
        let settings = Settings { arithmetic, ..settings.clone() };
        let fitted = fit(&points, &[&labels], &settings, &mut unwatched).unwrap();
        let model = &fitted.models[0];
        let f = model.predict(&points, false, &mut unwatched).unwrap().values;
        for i in 0..50 {
            let y = if labels.f64_at(i) == 1.0 { 1.0 } else { 0.0 };
            let off = f[2 * i + 1] + ridge * model.coefficients[2 * i + 1] - y;
            assert!(off.abs() < 1e-12, "{off}");
        }
        // αᵀ K α, by the formula and as reported.
        let norm: f64 = f.iter().zip(&model.coefficients).map(|(f, a)| f * a).sum();
        assert!((fitted.report.norms[0].total - norm.sqrt()).abs() < 1e-12);
    }
}

/// Labellings side by side have the coefficients that each has by itself, up to the order of sums.
#[test]
fn several_labellings_share_one_factor() {
    let (points, labels) = random(300, 5, 4);
    let reals = Labels::real((0..600).map(|i| (i % 17) as f64 - 8.0).collect(), 2).unwrap();
    let settings = Settings::new(Kernel::Laplacian { gamma: 0.5 });
    let both = fit(&points, &[&labels, &reals], &settings, &mut unwatched).unwrap();
    assert_eq!((both.models.len(), both.report.norms.len()), (2, 2));
    for (model, labels) in both.models.iter().zip([&labels, &reals]) {
        let alone = fit(&points, &[labels], &settings, &mut unwatched).unwrap();
        let off = largest_difference(&model.coefficients, &alone.models[0].coefficients);
        assert!(off < 1e-11 * size(&model.coefficients), "{off}");
        let decided = certify(model, &points, labels, 1e-9, &mut unwatched).unwrap();
        assert_eq!(decided.counts.margin, 300);
    }
}

/// Factor, solution, refinement, predictions and bounds: the same bytes whatever the number of threads.
#[test]
fn bytes_do_not_depend_on_threads() {
    let (points, labels) = random(900, 7, 3);
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let of = |settings: &Settings| {
                let fitted = fit(&points, &[&labels], settings, &mut unwatched).unwrap();
                let outputs = fitted.models[0].predict(&points, true, &mut unwatched).unwrap();
                let numbers = [&fitted.models[0].coefficients, &outputs.values, &outputs.bounds];
                numbers.map(|numbers| numbers.iter().map(|x| x.to_bits()).collect::<Vec<_>>())
            };
            let settings = Settings::new(Kernel::Gaussian { gamma: 0.3 });
            let single = Settings { arithmetic: Arithmetic::F32, ..settings.clone() };
            let solver =
                Solver::ConjugateGradients { centres: 50, tolerance: 1e-3, most: 50, seed: 1 };
            [of(&settings), of(&single), of(&Settings { solver, ..settings })]
        })
    };
    let one = run(1);
    for threads in 2..=4 {
        assert!(run(threads) == one, "{threads} threads");
    }
}

#[test]
fn progress_is_told_and_obeyed() {
    let (points, labels) = random(600, 4, 2);
    let settings = Settings::new(Kernel::Laplacian { gamma: 0.5 });
    let heard = Mutex::new(Vec::new());
    let mut watch = |progress| {
        heard.lock().unwrap().push(progress);
        std::ops::ControlFlow::Continue(())
    };
    fit(&points, &[&labels], &settings, &mut watch).unwrap();
    let heard = heard.into_inner().unwrap();
    for phase in [Phase::Matrix, Phase::Factor, Phase::Solve] {
        let last = heard.iter().rfind(|progress| progress.phase == phase).unwrap();
        assert_eq!(last.done, last.total, "{phase:?}");
    }
    for phase in [Phase::Matrix, Phase::Factor, Phase::Solve] {
        let mut watch = |progress: Progress| match progress.phase == phase {
            true => std::ops::ControlFlow::Break(()),
            false => std::ops::ControlFlow::Continue(()),
        };
        let stopped = fit(&points, &[&labels], &settings, &mut watch).unwrap_err();
        assert_eq!(stopped.to_string(), "stopped", "{phase:?}");
    }
}

/// A product with blocks at the edges, several of them, against sums in order.
#[test]
fn products_by_blocks_are_sums() {
    let (points, _) = random(530, 3, 2);
    let few = points.select(&(0..270).collect::<Vec<_>>()).unwrap();
    let kernel = Kernel::Gaussian { gamma: 0.7 };
    let coefficients: Vec<f64> = (0..530 * 2).map(|i| ((i * 37) % 101) as f64 - 50.0).collect();
    let model = shatter_kernel::Model {
        kernel,
        centres: points.clone(),
        coefficients,
        meaning: shatter_kernel::Meaning::Real(2),
        origin: Default::default(),
    };
    for at in [&points, &few] {
        let found = model.predict(at, true, &mut unwatched).unwrap();
        for i in 0..at.rows() {
            for c in 0..2 {
                let entry = |j: usize| {
                    let square = |k| (at.number(i, k) - points.number(j, k)).powi(2);
                    (-0.7 * (0..3).map(square).sum::<f64>()).exp()
                };
                let f: f64 = (0..530).map(|j| entry(j) * model.coefficients[2 * j + c]).sum();
                assert!((found.values[2 * i + c] - f).abs() < 1e-9, "row {i}");
                assert!(found.bounds[2 * i + c] < 1e-8);
            }
        }
    }
}

#[test]
fn features_of_samples() {
    let sample = sample::load("lattice:n=9,d=2,range=5", 1).unwrap();
    let features = Features::of_points(&sample.points, 255.0).unwrap();
    assert!(features.products_are_exact());
    assert_eq!(features.divisor(), 1.0);
    let near = Features::new(Numbers::F64(vec![0.1, 0.2, 0.3]), 1, 1.0).unwrap();
    assert!(!near.products_are_exact());
}

/// A run that stops in the middle of a factorisation goes on to the bytes of one that does not; another matrix is refused.
#[test]
fn a_stopped_factorisation_goes_on() {
    let (points, labels) = random(1300, 5, 2);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("factor.bin");
    let whole = Settings::new(Kernel::Laplacian { gamma: 0.5 });
    let checkpoint = Some(Checkpointing { path: path.clone(), every: Duration::from_secs(3600) });
    let kept = Settings { checkpoint, ..whole.clone() };
    let expected = fit(&points, &[&labels], &whole, &mut unwatched).unwrap();
    let mut watch = |progress: Progress| match progress.phase {
        Phase::Factor => std::ops::ControlFlow::Break(()),
        _ => std::ops::ControlFlow::Continue(()),
    };
    // Two runs that are stopped after a block column each, and one that ends.
    for _ in 0..2 {
        assert_eq!(
            fit(&points, &[&labels], &kept, &mut watch).unwrap_err(),
            FitError::Stopped(Stopped)
        );
    }
    let mut entries = Vec::new();
    let mut watch = |progress: Progress| {
        entries.extend((progress.phase == Phase::Matrix).then_some(progress.total));
        std::ops::ControlFlow::Continue(())
    };
    let found = fit(&points, &[&labels], &kept, &mut watch).unwrap();
    // The two block columns that were kept were not computed again.
    let matrix = Packed::<f64>::zeros(1300).unwrap();
    let rest: usize = (2..matrix.blocks()).map(|k| matrix.column(k).len()).sum();
    assert!(rest > 0 && entries.iter().all(|&total| total == rest as u64), "{entries:?}");
    let bits = |fitted: &Fitted| -> Vec<u64> {
        fitted.models[0].coefficients.iter().map(|x| x.to_bits()).collect()
    };
    assert!(bits(&found) == bits(&expected));
    let other = Settings { kernel: Kernel::Laplacian { gamma: 0.25 }, ..kept };
    let refused = fit(&points, &[&labels], &other, &mut unwatched).unwrap_err().to_string();
    assert!(refused.contains("another factorisation"), "{refused}");
}
