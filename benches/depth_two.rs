//! Theorem 1 step by step, with the answers checked: `cargo bench`. Results: README.md here.
//!
//! `cargo bench -- 1000000` runs one size; SHATTER_BENCH_MAX=N leaves out larger ones.

use divan::{Bencher, black_box};
use shatter_certify::write_certificate;
use shatter_check::check;
use shatter_construct::order::order_float;
use shatter_construct::{DepthTwo, Task, ThresholdRule, depth_two, threshold};
use shatter_exact::Lattice;
use shatter_network::Network;
use shatter_network::evaluate::exact_residual;
use shatter_network::projection::{project, project_float};
use shatter_sample::{self as sample, LabelRule, RawSample, Sample, Target};

const SIZES: [usize; 5] = [1_000, 10_000, 100_000, 1_000_000, 10_000_000];
const D: usize = 10;

fn main() {
    divan::main();
}

fn sizes() -> impl Iterator<Item = usize> {
    let most = std::env::var("SHATTER_BENCH_MAX").ok().and_then(|text| text.parse().ok());
    SIZES.into_iter().filter(move |n| *n <= most.unwrap_or(usize::MAX))
}

fn raw(n: usize) -> RawSample {
    let text = format!("gaussian:n={n},d={D},target=number");
    sample::load(&text, 0).expect("a synthetic sample")
}

fn labelled(n: usize) -> Sample {
    raw(n).distinct(LabelRule::True, 0).expect("Gaussian points are distinct")
}

fn task(sample: &Sample) -> Task<'_> {
    Task::new(&sample.points, &sample.labels, 0)
}

/// The direction that the fit uses, and the projections on it.
fn projections(sample: &Sample) -> (Vec<f64>, Vec<f64>) {
    let a = depth_two::project_and_sort::<f64>(&task(sample)).expect("distinct").a;
    let z = project_float(&sample.points, &a);
    (a, z)
}

#[divan::bench(args = sizes(), sample_count = 5, sample_size = 1)]
fn a_projection(bencher: Bencher, n: usize) {
    let sample = labelled(n);
    let (a, expected) = projections(&sample);
    bencher.bench_local(|| assert_eq!(project_float(&sample.points, black_box(&a)).len(), n));
    assert_eq!(project_float(&sample.points, &a), expected);
}

#[divan::bench(args = sizes(), sample_count = 5, sample_size = 1)]
fn b_sort(bencher: Bencher, n: usize) {
    let (_, z) = projections(&labelled(n));
    bencher.bench_local(|| {
        let (_, sorted) = order_float(black_box(&z)).expect("distinct");
        assert!(sorted[0] < sorted[n - 1]);
    });
    assert!(order_float(&z).expect("distinct").1.is_sorted());
}

#[divan::bench(args = sizes(), sample_count = 5, sample_size = 1)]
fn c_structured_solve(bencher: Bencher, n: usize) {
    let sample = labelled(n);
    let (order, z) = order_float(&projections(&sample).1).expect("distinct");
    let y: Vec<f64> = order.iter().map(|&i| sample.labels.f64_at(i as usize)).collect();
    bencher.bench_local(|| {
        let fit = threshold::data::float(black_box(&z), &y);
        // The first weight is the first slope, over a distance of 1 (as rounded).
        assert_eq!(fit.w[0], y[0] / (z[0] - (z[0] - 1.0)));
    });
}

/// Project, sort, solve: what the NumPy rival of README.md does.
#[divan::bench(args = sizes(), sample_count = 9, sample_size = 1)]
fn d_fit_f64(bencher: Bencher, n: usize) {
    let sample = labelled(n);
    let data = DepthTwo { threshold: ThresholdRule::Data };
    bencher.bench_local(|| {
        let fit = data.fit_float::<f64>(&task(&sample));
        assert_eq!(fit.expect("a fit").network.units(), n);
    });
}

#[divan::bench(args = sizes(), sample_count = 3, sample_size = 1)]
fn e_fit_exact(bencher: Bencher, n: usize) {
    let sample = labelled(n);
    bencher.bench_local(|| {
        let fit = DepthTwo::default().fit_exact(&task(&sample));
        assert!(fit.expect("a fit").network.has_constant_weights());
    });
}

#[divan::bench(args = sizes(), sample_count = 3, sample_size = 1)]
fn f_exact_residual(bencher: Bencher, n: usize) {
    let sample = labelled(n);
    let fit = DepthTwo::default().fit_exact(&task(&sample));
    let network = fit.expect("a fit").network;
    bencher.bench_local(|| {
        let z = project(&sample.points, &Lattice::from_dyadics(&network.a));
        assert_eq!(exact_residual(&network, &z, &sample.labels).fits, n);
    });
}

#[divan::bench(args = sizes(), sample_count = 3, sample_size = 1)]
fn g_certificate_check(bencher: Bencher, n: usize) {
    let raw = raw(n);
    let sample = labelled(n);
    let fit = DepthTwo::default().fit_exact(&task(&sample));
    let mut certificate = Vec::new();
    let network = Network::TwoLayer(fit.expect("a fit").network);
    write_certificate(&mut certificate, &network, "depth-two zigzag", &sample, Target::Value)
        .expect("memory");
    bencher.with_inputs(|| raw.clone()).bench_local_values(|raw| {
        assert_eq!(check(&certificate[..], raw).expect("accepted").points, n);
    });
}
