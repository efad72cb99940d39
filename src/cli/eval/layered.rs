//! The layered form, exactly.

use std::io::Write;
use std::path::Path;

use crate::CliError;
use crate::output::grouped;
use crate::words::{residual_text, sizes_text};
use shatter_exact::Rational;
use shatter_judge::Runtime;
use shatter_network::reading::BoundLabels;
use shatter_network::{Layered, LayeredExactness, exactly};
use shatter_record::AtomicFile;
use shatter_sample::Sample;
use shatter_sample::fingerprint::fingerprint;

use super::{ExactFound, Exactness, Findings, Fit, exact_text};

/// Evaluates the network, and with `out` writes `outputs.csv`.
pub fn evaluate(
    network: &Layered,
    sample: &Sample,
    said: &BoundLabels,
    out: Option<&Path>,
) -> Result<Findings, CliError> {
    let outputs = exactly::outputs(network, &sample.points);
    if let Some(out) = out {
        write_outputs(out, said, &outputs)?;
    }
    let n = sample.points.n();
    let floats = LayeredExactness::of(network, &sample.points);
    let sizes = network.sizes();
    // Equal to a target where there is one, and what the reading says otherwise.
    let (fits, fit, exact) = match said.how().target() {
        Some(target) => {
            let residual = exactly::residual(&outputs, said.labels(), target);
            let exact = exact_text(&residual_text(&residual), residual.fits, sample);
            let fit = Fit::Equal {
                target: target.to_string(),
                fits_exactly: residual.fits,
                largest_residual: (&residual.largest).into(),
                largest_residual_at: residual.at,
            };
            (residual.fits, fit, exact)
        }
        None => {
            let fits = (0..n).filter(|&i| said.says(&outputs[i], i)).count();
            (fits, Fit::Say { fits }, says_text(fits, n))
        }
    };
    let facts =
        vec![("network", sizes_text(&sizes)), ("exact", exact), ("binary64", floats_text(&floats))];
    let found = ExactFound {
        points_sha256: fingerprint(&sample.points),
        labels: sample.recipe.rule.to_string(),
        fit,
        float_exactness: Exactness::Layered(floats),
        float_exactness_runtime: Runtime::Ieee.name(),
        sizes: Some(sizes),
        plain: None,
    };
    Ok(Findings { fits: fits == n, found, facts })
}

/// "the outputs say the labels of 298 of 300 points".
fn says_text(fits: usize, n: usize) -> String {
    format!(
        "the outputs say the labels of {} of {} points",
        grouped(fits as u64),
        grouped(n as u64)
    )
}

/// Whether floating point rounds, in words.
fn floats_text(floats: &LayeredExactness) -> String {
    match &floats.obstacle {
        Some(obstacle) => format!("may round: {obstacle}"),
        None if floats.binary32 => format!("float-exact under {}, in binary32 too", Runtime::Ieee),
        None => {
            format!("float-exact under {}: no rounding in any order of evaluation", Runtime::Ieee)
        }
    }
}

/// The targets (the class, where a reading has none) and the outputs of every point, as fractions.
fn write_outputs(
    out: &Path,
    said: &BoundLabels,
    outputs: &[Vec<Rational>],
) -> Result<(), CliError> {
    let path = out.join("outputs.csv");
    let numbers = |i: usize| -> Vec<Rational> {
        let class = || said.class(i).map(Rational::from).into_iter().collect();
        said.target(i).unwrap_or_else(class)
    };
    let write = || -> std::io::Result<()> {
        let mut file = AtomicFile::create(&path)?;
        let names = |name: &str, count: usize| -> String {
            (0..count).map(|k| format!(",{name}_{k}")).collect()
        };
        let (targets, width) = match outputs.first() {
            Some(row) => (numbers(0).len(), row.len()),
            None => (0, 0),
        };
        let targets = match said.how().target() {
            Some(_) => names("target", targets),
            None => ",class".to_owned(),
        };
        writeln!(file, "point{targets}{}", names("output", width))?;
        for (i, row) in outputs.iter().enumerate() {
            write!(file, "{i}")?;
            for number in numbers(i).iter().chain(row) {
                write!(file, ",{number}")?;
            }
            writeln!(file)?;
        }
        file.commit()
    };
    write().map_err(CliError::at(&path))
}
