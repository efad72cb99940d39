//! Kernel interpolation phase by phase, with the answers checked: `cargo bench --bench kernel`. Results: README.md here.
//!
//! Uniform points of 784 coordinates, a Gaussian kernel of gamma 0.02, ten classes: what the peer of README.md does in
//! Python. `cargo bench --bench kernel -- 2000` takes another number of points than 8,000; further words `f32` and
//! `f64` choose arithmetics.

use std::time::Instant;

use shatter_kernel::{Arithmetic, Features, Numbers, Settings, fit, unwatched};
use shatter_sample::Labels;

const D: usize = 784;
const CLASSES: u32 = 10;

/// SplitMix64: numbers in [0, 1) of 24 bits.
fn uniform(len: usize) -> Vec<f32> {
    let mut state = 0u64;
    let mut next = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) >> 40
    };
    (0..len).map(|_| next() as f32 / (1 << 24) as f32).collect()
}

fn main() {
    let words: Vec<String> =
        std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let n = words.iter().find_map(|word| word.parse().ok()).unwrap_or(8_000);
    let points = Features::new(Numbers::F32(uniform(n * D)), D, 1.0).expect("points");
    let classes = (0..n as u32).map(|i| i.wrapping_mul(0x9e37_79b1) >> 16).map(|c| c % CLASSES);
    let labels = Labels::classes(classes.collect(), CLASSES).expect("classes");
    for arithmetic in [Arithmetic::F64, Arithmetic::F32] {
        if words.iter().any(|word| word.starts_with('f'))
            && !words.iter().any(|w| w == arithmetic.name())
        {
            continue;
        }
        let kernel = "gaussian:gamma=0.02".parse().expect("a kernel");
        let settings = Settings { arithmetic, refine: Some(0), ..Settings::new(kernel) };
        let start = Instant::now();
        let fitted = fit(&points, &[&labels], &settings, &mut unwatched).expect("a fit");
        let total = start.elapsed().as_secs_f64();
        // The answer: every thousandth point has its label as the largest output, near 1.
        let some: Vec<u32> = (0..n as u32).step_by(1000).collect();
        let tried = points.select(&some).expect("points");
        let outputs = fitted.models[0].predict(&tried, false, &mut unwatched).expect("outputs");
        for (row, &i) in outputs.values.chunks_exact(CLASSES as usize).zip(&some) {
            for (class, value) in row.iter().enumerate() {
                let expected = f64::from(u8::from(class as f64 == labels.f64_at(i as usize)));
                assert!((value - expected).abs() < 1e-2, "point {i}, class {class}: {value}");
            }
        }
        let phases = fitted.report.seconds.iter();
        let phases: Vec<String> = phases.map(|(phase, s)| format!("{phase:?} {s:.3} s")).collect();
        println!("n {n} {}  {}  total {total:.3} s", arithmetic.name(), phases.join("  "));
    }
}
