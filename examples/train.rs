//! Trains a perceptron on random labels until it has memorized them: what `shatter train` does.
//!
//! `cargo run --release --example train`

use shatter::device::Cpu;
use shatter::network::Architecture;
use shatter::prepare::{Condition, Preprocess, prepare};
use shatter::sample::{self, LabelRule};
use shatter::train::{Data, DataIdentity, Settings, Trainer};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let raw = sample::load("gaussian:n=512,d=64,classes=10", 1)?;
    let preprocess = Preprocess { scale: false, crop: None, whiten: false };
    let condition = Condition::Labels(LabelRule::Random);
    let (train, _) = prepare::<f32>(&raw, None, condition, &preprocess, 1, false)?;
    let network = Architecture::named("mlp:256", train.shape, 10)?;
    println!("{network}: {} parameters", network.parameters()?);
    let settings = Settings { batch: 32, ..Settings::paper(0.05) };
    let data = Data {
        train: &train,
        test: None,
        whiten: false,
        identity: DataIdentity::named("512 random labels"),
    };
    let mut trainer = Trainer::new(&Cpu, network, data, settings)?;
    let steps = 512 / 32;
    for epoch in 1..=40 {
        trainer.steps(steps)?;
        trainer.end_epoch();
        let fit = trainer.evaluate_training()?[0];
        let accuracy = fit.accuracy.unwrap_or(0.0); // real labels have none
        println!("epoch {epoch:2}: loss {:.4}, accuracy {accuracy:.4}", fit.loss);
        if accuracy == 1.0 {
            return Ok(());
        }
    }
    Err("not memorized within 40 epochs".into())
}
