//! Time and memory of kernel fits against n, from their records.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use shatter_figure::{GrowthSeries, kernel_growth};

use super::super::kernel::{KernelRecord, RECORD};
use super::super::{CliError, write_figure};

/// Fits that make a curve.
const FITS: usize = 3;

/// A fit that was read.
pub struct Fit {
    record: KernelRecord,
    /// The commit that fitted, as its manifest says.
    commit: Option<String>,
}

/// The fits in a folder and right below it.
pub fn below(folder: &Path) -> Result<Vec<Fit>, CliError> {
    let mut folders: Vec<PathBuf> = vec![folder.to_owned()];
    for entry in std::fs::read_dir(folder).map_err(CliError::at(folder))? {
        folders.push(entry.map_err(CliError::at(folder))?.path());
    }
    folders.sort();
    let mut fits = Vec::new();
    for folder in folders {
        let path = folder.join(RECORD);
        let Ok(text) = std::fs::read(&path) else { continue }; // no fit there
        let wrong = |error: serde_json::Error| CliError::at(&path)(error.into());
        let record = serde_json::from_slice(&text).map_err(wrong)?;
        fits.push(Fit { record, commit: commit(&folder) });
    }
    Ok(fits)
}

fn commit(folder: &Path) -> Option<String> {
    #[derive(Deserialize)]
    struct Manifest {
        commit: String,
    }
    let text = std::fs::read(folder.join("manifest.json")).ok()?;
    serde_json::from_slice(&text).ok().map(|Manifest { commit }| commit)
}

/// Draws what the fits give; the names of the files.
pub fn draw(fits: &[Fit], out: &Path, command: &str) -> Result<Vec<String>, CliError> {
    let mut series: BTreeMap<String, BTreeMap<usize, (&Fit, f64)>> = BTreeMap::new();
    for fit in fits {
        let record = &fit.record;
        let Some(bytes) = record.peak_bytes else { continue };
        let data = record.sample.split(':').next().unwrap_or_default();
        let seen = match record.features.split(':').next() {
            None | Some("none") => "pixels",
            Some(name) => name,
        };
        let kernel = record.kernel.split(':').next().unwrap_or_default();
        let name = format!("{data} {seen}, {kernel}, {}", record.arithmetic);
        series.entry(name).or_default().insert(record.n, (fit, bytes as f64));
    }
    series.retain(|_, fits| fits.len() >= FITS);
    if series.is_empty() {
        return Ok(Vec::new());
    }
    let drawn = || series.values().flat_map(BTreeMap::values).map(|(fit, _)| *fit);
    let threads = drawn().map(|fit| fit.record.threads).max().unwrap_or(0);
    let commits: BTreeSet<&str> = drawn().filter_map(|fit| fit.commit.as_deref()).collect();
    let commits = commits.into_iter().collect::<Vec<_>>().join(", ");
    let note = format!("{threads} threads · {command} · fitted by commit {commits}");
    let series = series.into_iter().zip(0..).map(|((name, fits), kind)| {
        let point =
            |(&n, &(fit, bytes)): (&usize, &(&Fit, f64))| (n as f64, fit.record.seconds, bytes);
        GrowthSeries { name, kind: 3 * kind, values: fits.iter().map(point).collect() }
    });
    write_figure(out, "growth", kernel_growth::growth(series.collect(), note).render()?)?;
    Ok(vec!["growth.png".to_owned()])
}
