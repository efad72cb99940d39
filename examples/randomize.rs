//! A randomization test: one network on true, half redrawn and random labels, each run with its record and checkpoint
//! in a folder of its own. What `shatter randomize` does.
//!
//! `cargo run --release --example randomize`

use std::time::Duration;

use shatter::device::{Arithmetic, Cpu};
use shatter::prepare::Preprocess;
use shatter::sample::{self, fingerprint_labelled};
use shatter::train::randomize::{Case, Common, table};
use shatter::train::{Flow, Folder, Left, Settings};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let raw = sample::load("gaussian:n=256,d=32,classes=4", 1)?;
    let common = Common {
        train: &raw,
        test: None,
        sample_seed: 1,
        digests: (fingerprint_labelled(&raw), None),
        preprocess: Preprocess { scale: false, crop: None, whiten: false },
        randomize_test: false,
        model: "mlp:128",
        arithmetic: Arithmetic::Own,
        settings: Settings { batch: 32, ..Settings::paper(0.05) },
    };
    let mut ended = Vec::new();
    for condition in ["true", "corrupted:0.5", "random"] {
        let case = Case { condition: condition.parse()?, seed: 0 };
        let prepared = common.prepare::<f32>(case)?;
        let mut trainer = common.trainer(&Cpu, &[(case, &prepared)])?;
        let folder = Folder {
            path: std::env::temp_dir().join("shatter-randomize").join(case.name()),
            checkpoint_every: Duration::from_secs(30),
            log_every: None,
            evaluate_training: false,
        };
        let mut held = folder.hold()?;
        held.clear()?;
        if let Left::Ended(summary) = held.run(&mut trainer, &mut |_| Flow::Continue)? {
            ended.push((case, summary));
        }
    }
    let runs: Vec<_> = ended.iter().map(|(case, summary)| (*case, &**summary)).collect();
    for row in table(&runs) {
        println!(
            "{}: {:?} epochs to fit, {:?} times as many steps",
            row.condition, row.epochs_to_fit, row.ratio
        );
    }
    Ok(())
}
