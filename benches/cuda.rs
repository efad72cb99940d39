//! Milliseconds a training step on the first NVIDIA GPU, batches of 128 of 3 × 28 × 28, momentum 0.9:
//!
//! ```text
//! cargo bench --features cuda --bench cuda -- [MODEL [STEPS [f32|tf32|bf16]]]
//! ```
//!
//! Steps go in blocks of 50, an epoch each, in shuffled order; the host waits at the end of a block
//! alone, when it reads what the losses found. Prints one line: a block's mean, the median, least
//! and most of all blocks. Choosing and gathering samples are part of a step.

use std::time::Instant;

use shatter_device::cuda::Cuda;
use shatter_device::{Arithmetic, Device};
use shatter_network::Architecture;
use shatter_network::architecture::Shape;
use shatter_prepare::Prepared;
use shatter_sample::Labels;
use shatter_train::{Data, DataIdentity, Settings, Trainer};

const INPUT: Shape = Shape { channels: 3, height: 28, width: 28 };
const CLASSES: u32 = 10;
const BATCH: usize = 128;
const BLOCK: usize = 50;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let given: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let word = |at: usize, otherwise: &'static str| -> &str {
        given.get(at).map_or(otherwise, String::as_str)
    };
    let (model, steps) = (word(0, "mlp1x512"), word(1, "1000").parse::<usize>()?);
    let arithmetic = match word(2, "f32") {
        "f32" => Arithmetic::Own,
        "tf32" => Arithmetic::Tf32,
        "bf16" => Arithmetic::Bf16,
        other => return Err(format!("'{other}' is none of f32, tf32, bf16").into()),
    };
    let gpu = match Cuda::with(arithmetic) {
        Ok(gpu) => gpu,
        Err(error) => {
            println!("skipped: {error}");
            return Ok(());
        }
    };
    let samples = BLOCK * BATCH;
    let classes = (0..samples as u32).map(|i| i * 7 % CLASSES).collect();
    let train = Prepared {
        shape: INPUT,
        values: (0..samples * INPUT.len())
            .map(|i| (i % 613) as f32 / 306.0 - 1.0)
            .collect::<Vec<f32>>()
            .into(),
        labels: Labels::classes(classes, CLASSES)?,
        changed: vec![false; samples],
    };
    let network = Architecture::named(model, INPUT, CLASSES as usize)?;
    let data =
        Data { train: &train, test: None, whiten: false, identity: DataIdentity::named("bench") };
    let mut trainer = Trainer::new(&gpu, network, data, Settings::paper(0.001))?;
    let mut block = || -> Result<f64, Box<dyn std::error::Error>> {
        let start = Instant::now();
        trainer.steps(BLOCK as u32)?;
        trainer.end_epoch();
        Ok(start.elapsed().as_secs_f64() * 1e3 / BLOCK as f64)
    };
    block()?; // memory is touched, clocks are up
    let mut times = (0..(steps / BLOCK).max(1)).map(|_| block()).collect::<Result<Vec<_>, _>>()?;
    times.sort_by(f64::total_cmp);
    let median = f64::midpoint(times[(times.len() - 1) / 2], times[times.len() / 2]);
    println!(
        "{model} {}: ms/step median {median:.4} min {:.4} max {:.4} of {} blocks of {BLOCK}",
        gpu.describe(),
        times[0],
        times[times.len() - 1],
        times.len()
    );
    Ok(())
}
