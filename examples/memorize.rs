//! Memorize a sample, say what the network counts, write a certificate, check it.
//!
//! `cargo run --release --example memorize -- gaussian:n=1000,d=10`

use shatter::certify::write_certificate;
use shatter::check::check;
use shatter::construct::{DepthTwo, Task};
use shatter::network::Network;
use shatter::sample::{self, LabelRule, Target};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let text = std::env::args().nth(1).unwrap_or_else(|| "gaussian:n=1000,d=10".to_owned());
    let raw = sample::load(&text, 1)?;
    let sample = raw.clone().distinct(LabelRule::Random, 1)?;

    let fit = DepthTwo::default().fit_exact(&Task::new(&sample.points, &sample.labels, 1))?;
    let counts = fit.network.counts();
    println!("{} units, {} numbers and {} sign", counts.units, counts.free, counts.signs);

    let mut certificate = Vec::new();
    let network = Network::TwoLayer(fit.network);
    write_certificate(&mut certificate, &network, "depth-two zigzag", &sample, Target::Value)?;
    let accepted = check(&certificate[..], raw)?;
    println!("fits all {} points exactly: {}", accepted.points, accepted.digest);
    Ok(())
}
