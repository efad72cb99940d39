//! The two-layer form: exactly, and in binary64.

use std::io::Write;
use std::path::Path;

use crate::CliError;
use crate::output::error_size;
use crate::words::{floats_text, residual_text};
use shatter_exact::Lattice;
use shatter_judge::Runtime;
use shatter_network::evaluate::{brute_force, compensated, exact_residual, largest_error};
use shatter_network::projection::{project, project_float};
use shatter_network::reading::BoundLabels;
use shatter_network::{ExactNetwork, FloatExactness};
use shatter_record::AtomicFile;
use shatter_sample::fingerprint::fingerprint;
use shatter_sample::{Sample, Target};

use super::{ExactFound, Exactness, Findings, Fit, PlainResiduals, exact_text};

/// Points evaluated with all n² terms; beyond it the exact evaluation stands alone.
const BRUTE_FORCE_LIMIT: usize = 100_000;

/// Evaluates the network, and with `out` writes `outputs.csv`.
pub fn evaluate(
    network: &ExactNetwork,
    sample: &Sample,
    said: &BoundLabels,
    out: Option<&Path>,
) -> Result<Findings, CliError> {
    let z = project(&sample.points, &Lattice::from_dyadics(&network.a));
    let residual = exact_residual(network, &z, said.labels());
    let floats = FloatExactness::of(network, &sample.points, &z);
    let n = sample.points.n();
    let plain = (n <= BRUTE_FORCE_LIMIT).then(|| Outputs::of(network, sample));
    if let Some(out) = out {
        write_outputs(out, said, plain.as_ref())?;
    }
    let errors = plain.as_ref().map(|outputs| {
        let error = |outputs: &[f64]| largest_error(outputs, said.labels());
        (error(&outputs.plain), error(&outputs.compensated))
    });
    let exactness = floats_text(&floats);
    let found = ExactFound {
        points_sha256: fingerprint(&sample.points),
        labels: sample.recipe.rule.to_string(),
        fit: Fit::Equal {
            target: Target::Value.to_string(),
            fits_exactly: residual.fits,
            largest_residual: (&residual.largest).into(),
            largest_residual_at: residual.at,
        },
        float_exactness_runtime: Runtime::Ieee.name(),
        sizes: None,
        plain: Some(PlainResiduals {
            residual_f64: errors.map(|errors| errors.0.into()),
            residual_compensated: errors.map(|errors| errors.1.into()),
        }),
        float_exactness: Exactness::TwoLayer(floats),
    };
    let in_f64 = match errors {
        Some((plain, compensated)) => {
            format!("residual {} plain, {} compensated", error_size(plain), error_size(compensated))
        }
        None => format!("not run beyond {BRUTE_FORCE_LIMIT} points"),
    };
    let facts = vec![
        ("exact", exact_text(&residual_text(&residual), residual.fits, sample)),
        ("binary64", exactness),
        ("in f64", in_f64),
    ];
    Ok(Findings { fits: residual.fits == n, found, facts })
}

struct Outputs {
    plain: Vec<f64>,
    compensated: Vec<f64>,
}

impl Outputs {
    fn of(network: &ExactNetwork, sample: &Sample) -> Outputs {
        let rounded = network.round_f64();
        let z = project_float(&sample.points, &rounded.a);
        Outputs {
            plain: brute_force(&rounded, &sample.points),
            compensated: compensated(&rounded, &z),
        }
    }
}

/// The number that says the label, and outputs, of every point.
fn write_outputs(
    out: &Path,
    said: &BoundLabels,
    outputs: Option<&Outputs>,
) -> Result<(), CliError> {
    let Some(outputs) = outputs else {
        return Err(CliError::Usage(format!(
            "outputs.csv is written for at most {BRUTE_FORCE_LIMIT} points"
        )));
    };
    let path = out.join("outputs.csv");
    let write = || -> std::io::Result<()> {
        let mut file = AtomicFile::create(&path)?;
        writeln!(file, "point,label,output_f64,output_compensated")?;
        for (i, (plain, compensated)) in outputs.plain.iter().zip(&outputs.compensated).enumerate()
        {
            writeln!(file, "{i},{},{plain},{compensated}", said.labels().f64_at(i))?;
        }
        file.commit()
    };
    write().map_err(CliError::at(&path))
}
