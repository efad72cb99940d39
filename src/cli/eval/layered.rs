//! The layered form, exactly.

use std::io::Write;
use std::path::Path;

use crate::cli::CliError;
use crate::cli::words::{residual_text, sizes_text};
use crate::exact::Rational;
use crate::judge::Runtime;
use crate::network::{Layered, LayeredExactness, forward};
use crate::record::AtomicFile;
use crate::sample::fingerprint::fingerprint;
use crate::sample::{Sample, Target};

use super::{Findings, exact_text};

/// Evaluates the network, and with `out` writes `outputs.csv`. Without a `target`, as for a network
/// file, outputs say labels in the way that fits most points, of those that take as many of them.
pub fn evaluate(
    network: &Layered,
    sample: &Sample,
    target: Option<Target>,
    out: Option<&Path>,
) -> Result<Findings, CliError> {
    let count = network.output.len();
    let fitting = |target: &Target| target.outputs(&sample.labels) == count;
    let candidates = match target {
        Some(target) => vec![target],
        None => vec![Target::Value, Target::OneHot, Target::Bits],
    };
    let outputs = forward::outputs(network, &sample.points);
    let judged = candidates.iter().copied().filter(fitting).map(|target| {
        let residual = forward::residual(&outputs, &sample.labels, target);
        (target, residual)
    });
    // The first of those that fit equally many.
    let best = judged.reduce(|best, next| if next.1.fits > best.1.fits { next } else { best });
    let (target, residual) = best.ok_or_else(|| {
        let each = |target: &Target| format!("{} as {target}", target.outputs(&sample.labels));
        let each: Vec<String> = candidates.iter().map(each).collect();
        CliError::Usage(format!(
            "the network has {count} outputs, the labels take {}",
            each.join(", ")
        ))
    })?;
    if let Some(out) = out {
        write_outputs(out, sample, target, &outputs)?;
    }
    let n = sample.points.n();
    let floats = LayeredExactness::of(network, &sample.points);
    let found = serde_json::json!({
        "points": n,
        "points_sha256": fingerprint(&sample.points),
        "labels": sample.recipe.rule.to_string(),
        "target": target.to_string(),
        "outputs": count,
        "fits_exactly": residual.fits,
        "largest_residual": residual_text(&residual),
        "float_exactness": floats,
        "float_exactness_runtime": Runtime::Ieee.name(),
        "sizes": network.sizes(),
    });
    let s = if count == 1 { "" } else { "s" };
    let facts = vec![
        ("network", sizes_text(&network.sizes())),
        ("outputs", format!("{count} number{s} a point, labels as {target}")),
        ("exact", exact_text(&residual_text(&residual), residual.fits, sample)),
        ("binary64", floats_text(&floats)),
    ];
    Ok(Findings { fits: residual.fits == n, found, facts })
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

/// The targets and the outputs of every point, as fractions.
fn write_outputs(
    out: &Path,
    sample: &Sample,
    target: Target,
    outputs: &[Vec<Rational>],
) -> Result<(), CliError> {
    let path = out.join("outputs.csv");
    let write = || -> std::io::Result<()> {
        let mut file = AtomicFile::create(&path)?;
        let names = |name: &str| -> String {
            (0..target.outputs(&sample.labels)).map(|k| format!(",{name}_{k}")).collect()
        };
        writeln!(file, "point{}{}", names("target"), names("output"))?;
        for (i, row) in outputs.iter().enumerate() {
            write!(file, "{i}")?;
            for number in target.of(&sample.labels, i).iter().chain(row) {
                write!(file, ",{number}")?;
            }
            writeln!(file)?;
        }
        file.commit()
    };
    write().map_err(CliError::at(&path))
}
