//! Figures of `shatter kernel`, from its record.

use std::path::Path;

use shatter_figure::{self as figure, kernel_corruption, kernel_spectrum};

use crate::{CliError, write_figure};

use super::record::KernelRecord;

/// Shares of corrupted labels that make a curve.
const SHARES: usize = 3;

/// The share of labels that a rule redraws.
fn share(rule: &str) -> Option<f64> {
    match rule {
        "true" => Some(0.0),
        "random" => Some(1.0),
        _ => rule.strip_prefix("corrupted:")?.parse().ok(),
    }
}

/// Draws what the record gives; the names of the files.
pub fn draw(record: &KernelRecord, out: &Path, command: &str) -> Result<Vec<String>, CliError> {
    let mut drawn = Vec::new();
    let mut write = |name: &str, plot: &figure::Plot| -> Result<(), CliError> {
        write_figure(out, name, figure::draw(plot)?)?;
        drawn.push(format!("{name}.png"));
        Ok(())
    };
    let data = record.sample.split(':').next().unwrap_or_default();
    let seen = match record.features.split(':').next() {
        None | Some("none") => "pixels",
        Some(name) => name,
    };
    let what = format!("{data}, n = {}, {} on {seen}", record.n, record.kernel);
    let of_shares = |value: &dyn Fn(&super::Labelling) -> Option<f64>| {
        let point = |one: &super::Labelling| Some((share(&one.labels)?, value(one)?));
        let mut points: Vec<(f64, f64)> = record.labellings.iter().filter_map(point).collect();
        points.sort_by(|x, y| x.0.total_cmp(&y.0));
        points.dedup_by(|x, y| x.0 == y.0);
        points
    };
    let errors = of_shares(&|one| one.test_error);
    let norms = of_shares(&|one| Some(one.norm));
    let classes = record.labellings.first().map_or(1, |one| one.outputs);
    if errors.len() >= SHARES {
        write("test_error", &kernel_corruption::test_error(&what, errors, classes, command))?;
    }
    if norms.len() >= SHARES {
        write("norm", &kernel_corruption::norm(&what, norms, command))?;
    }
    if record.spectrum.iter().any(|&value| value > 0.0) {
        write("spectrum", &kernel_spectrum::spectrum(&what, &record.spectrum, command))?;
    }
    Ok(drawn)
}
