//! One training step of the paper's networks on the CPU (batch 128 of 3 × 28 × 28, momentum 0.9,
//! f32): `cargo bench --bench trainer`. RAYON_NUM_THREADS sets the threads.

use divan::Bencher;
use shatter_device::cpu::Cpu;
use shatter_network::Architecture;
use shatter_network::architecture::Shape;
use shatter_prepare::Prepared;
use shatter_sample::Labels;
use shatter_train::{Data, DataIdentity, Settings, Trainer};

const INPUT: Shape = Shape { channels: 3, height: 28, width: 28 };
const CLASSES: u32 = 10;
/// Eight batches, as the peer has them.
const SAMPLES: usize = 8 * 128;

fn main() {
    divan::main();
}

/// Numbers of [−√3, √3), whose variance is 1, by a linear congruence.
fn numbers(len: usize) -> Vec<f32> {
    let mut state = 1u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / 16_777_216.0 - 0.5
    };
    (0..len).map(|_| 12f32.sqrt() * next()).collect()
}

fn trainer(model: &str) -> Trainer<f32> {
    let classes = (0..SAMPLES as u32).map(|i| i % CLASSES).collect();
    let train = Prepared {
        shape: INPUT,
        values: numbers(SAMPLES * INPUT.len()).into(),
        labels: Labels::classes(classes, CLASSES).expect("classes"),
        changed: vec![false; SAMPLES],
    };
    let network = Architecture::named(model, INPUT, CLASSES as usize).expect("a network");
    let data =
        Data { train: &train, test: None, whiten: false, identity: DataIdentity::named("bench") };
    Trainer::new(&Cpu, network, data, Settings::paper(0.01)).expect("a trainer")
}

fn steps(bencher: Bencher, model: &str) {
    let mut trainer = trainer(model);
    let mut step = || {
        trainer.steps(1).expect("a step with a finite loss");
        if trainer.progress(0).position as usize == SAMPLES {
            trainer.end_epoch();
        }
    };
    // Memory is touched and caches are warm, as in the peer's script.
    (0..3).for_each(|_| step());
    bencher.bench_local(step);
}

/// Steps of each network: as many as take some seconds.
macro_rules! benches {
    ($($name:ident, $model:literal, $steps:literal;)*) => {$(
        #[divan::bench(sample_count = $steps, sample_size = 1)]
        fn $name(bencher: Bencher) {
            steps(bencher, $model);
        }
    )*};
}

benches! {
    mlp1x512, "mlp1x512", 1000;
    mlp3x512, "mlp3x512", 1000;
    alexnet, "alexnet", 50;
    inception, "inception", 10;
    inception_nobn, "inception-nobn", 10;
}
