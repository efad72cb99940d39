//! `shatter show`: what a network file or a certificate holds.

use std::path::PathBuf;

use clap::Args;

use crate::certify::write::{number, weight};
use crate::network::ExactNetwork;

use super::output::{Facts, grouped, print, print_json};
use super::{CliError, Common, Verdict, eval};

/// Numbers of each kind that are printed.
const SHOWN: usize = 5;

#[derive(Args, Debug, Clone)]
#[command(after_help = "Example:\n  shatter show out/fit/certificate.txt")]
pub struct Arguments {
    /// A network file or a certificate
    network: PathBuf,
    #[command(flatten)]
    pub common: Common,
}

pub fn run(arguments: &Arguments) -> Result<Verdict, CliError> {
    let (contents, network) = eval::open(&arguments.network)?;
    let counts = network.counts();
    let is_certificate = !contents.points.is_empty();
    let found = serde_json::json!({
        "certificate": is_certificate,
        "construction": contents.construction,
        "sample": contents.sample,
        "points": contents.points,
        "counts": counts,
        "sha256": contents.digest,
    });
    let configuration = serde_json::json!({ "network": arguments.network });
    arguments.common.write("show", &found, configuration, None)?;
    if arguments.common.json {
        print_json(&found)?;
        return Ok(Verdict::Yes);
    }
    let mut facts = Facts::default();
    facts.add(
        "file",
        if is_certificate {
            "certificate (not checked here: shatter check does)"
        } else {
            "network"
        },
    );
    facts.add("construction", &contents.construction);
    if is_certificate {
        facts.add("sample", &contents.sample);
        facts.add("points", format!("{}, SHA-256 {}", contents.points, contents.points_sha256));
        facts.add("labels", format!("{} seed={}", contents.rule, contents.seed));
    }
    facts.add("function", "f(x) = Σ_j w_j ReLU(<a, x> − b_j) + c");
    let sign = if counts.signs == 1 { " and one sign" } else { "" };
    facts.add(
        "counts",
        format!(
            "depth {}, {} units on R^{}, {} free numbers{sign}",
            counts.depth,
            grouped(counts.units),
            network.d(),
            grouped(counts.free)
        ),
    );
    facts.add(
        "",
        format!(
            "{} nonzero of {} slots, {} dense; {} bits, {} in the largest",
            grouped(counts.nonzero),
            grouped(counts.slots),
            grouped(counts.dense),
            grouped(counts.bits),
            counts.max_bits
        ),
    );
    let list = |numbers: Vec<String>, total: usize| {
        let more = if total > numbers.len() { ", …" } else { "" };
        numbers.join(", ") + more
    };
    let ExactNetwork { a, b, w, c } = &network;
    facts.add("a", list(a.iter().take(SHOWN).map(readable).collect(), a.len()));
    facts.add("b", list(b.iter().take(SHOWN).map(readable).collect(), b.len()));
    facts.add(
        "w",
        list(w.iter().take(SHOWN).map(|w| short(w.to_string(), weight(w))).collect(), w.len()),
    );
    facts.add("c", readable(c));
    facts.add("SHA-256", &contents.digest);
    print(facts.text())?;
    Ok(Verdict::Yes)
}

/// In decimal where that is short, as in the file where not.
fn readable(x: &crate::exact::Dyadic) -> String {
    short(x.to_string(), number(x))
}

fn short(decimal: String, hexadecimal: String) -> String {
    match (decimal.len(), hexadecimal.len()) {
        (0..=24, _) => decimal,
        (_, 0..=40) => hexadecimal,
        _ => hexadecimal.chars().take(39).chain(['…']).collect(),
    }
}
