//! The comparison as plain text, at most 100 columns wide.

use std::fmt::Write;

use shatter_record::text::wrapped;

use super::{BuiltNetwork, Compared, Comparison, Stopped};

pub(super) fn render(comparison: &Comparison) -> String {
    let Comparison { sample, points, d, .. } = comparison;
    let mut out = format!("{sample}: {points}, d = {d}\n\n");
    let head = "construction             n  depth   units  width   nonzero     free   bits  \
                total bits  build check";
    let _ = writeln!(out, "{head}");
    for entry in &comparison.entries {
        if let Some(row) = entry.built.last() {
            let _ = writeln!(out, "{}", line(&entry.name, row));
        }
    }
    out.push('\n');
    let legend = format!(
        "nonzero: weights and biases that are not 0; free: at most so many numbers are chosen, \
         shared ones once; bits: of the largest number; build, check: seconds to build the network \
         and to evaluate it at all n points in exact arithmetic. Every network above {}.",
        verdict(comparison)
    );
    wrapped(&mut out, "", &legend);
    let short: Vec<&Compared> =
        comparison.entries.iter().filter(|e| !matches!(e.stopped, Stopped::AllPoints)).collect();
    if !short.is_empty() {
        let _ = writeln!(out, "\nWhat stopped the others:");
        for entry in short {
            wrapped(&mut out, &format!("  {}: ", entry.name), &reason(entry));
        }
    }
    out
}

fn line(name: &str, row: &BuiltNetwork) -> String {
    let sizes = &row.sizes;
    let text = format!(
        "{name:<18} {:>7} {:>6} {:>7} {:>6} {:>9} {:>8} {:>6} {:>11} {:>6} {:>5}",
        row.n,
        sizes.depth,
        sizes.units,
        sizes.width,
        sizes.nonzero,
        row.free,
        sizes.max_bits,
        sizes.bits,
        seconds(row.build_seconds),
        seconds(row.evaluate_seconds),
    );
    match (row.misfit, row.as_promised) {
        (Some(point), _) => format!("{text}  DOES NOT FIT point {point}"),
        (None, false) => format!("{text}  NOT AS PROMISED"),
        (None, true) => text,
    }
}

fn verdict(comparison: &Comparison) -> &'static str {
    if comparison.holds() {
        "equals its labels exactly and has the sizes promised"
    } else {
        "that is not marked equals its labels exactly"
    }
}

fn seconds(seconds: f64) -> String {
    if seconds < 9.995 { format!("{seconds:.2}") } else { format!("{seconds:.1}") }
}

fn reason(entry: &Compared) -> String {
    let assumes = match &entry.assumptions[..] {
        [] => String::new(),
        all => format!(" (assumes {})", all.join(", ")),
    };
    match &entry.stopped {
        Stopped::AllPoints => String::new(),
        Stopped::Time { n, expected } => {
            format!("n = {n} was expected to take {} s", seconds(*expected))
        }
        Stopped::Refused { n, reason } => format!("n = {n} refused{assumes}: {reason}"),
    }
}
