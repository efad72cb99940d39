//! Time and memory of kernel fits against n, from their records.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use shatter_figure::{GrowthSeries, kernel_growth};

use super::super::kernel::KernelRecord;
use super::super::{CliError, write_figure};

/// Fits that make a curve.
const FITS: usize = 3;

/// The record of a fit, in a folder and right below it.
pub fn below(folder: &Path) -> Result<Vec<KernelRecord>, CliError> {
    let mut folders: Vec<PathBuf> = vec![folder.to_owned()];
    for entry in std::fs::read_dir(folder).map_err(CliError::at(folder))? {
        folders.push(entry.map_err(CliError::at(folder))?.path());
    }
    folders.sort();
    let mut records = Vec::new();
    for path in folders.iter().map(|folder| folder.join("kernel.json")) {
        let Ok(text) = std::fs::read(&path) else { continue }; // no fit there
        let wrong = |error: serde_json::Error| CliError::at(&path)(error.into());
        records.push(serde_json::from_slice(&text).map_err(wrong)?);
    }
    Ok(records)
}

/// Draws what the fits give; the names of the files.
pub fn draw(records: &[KernelRecord], out: &Path, command: &str) -> Result<Vec<String>, CliError> {
    let mut series: BTreeMap<String, BTreeMap<usize, (f64, f64)>> = BTreeMap::new();
    for record in records {
        let Some(bytes) = record.peak_bytes else { continue };
        let data = record.sample.split(':').next().unwrap_or_default();
        let seen = match record.features.split(':').next() {
            None | Some("none") => "pixels",
            Some(name) => name,
        };
        let kernel = record.kernel.split(':').next().unwrap_or_default();
        let name = format!("{data}, {kernel} on {seen}, {}", record.arithmetic);
        series.entry(name).or_default().insert(record.n, (record.seconds, bytes as f64));
    }
    series.retain(|_, fits| fits.len() >= FITS);
    if series.is_empty() {
        return Ok(Vec::new());
    }
    let series = series.into_iter().zip(0..).map(|((name, fits), kind)| {
        let values =
            fits.iter().map(|(&n, &(seconds, bytes))| (n as f64, seconds, bytes)).collect();
        GrowthSeries { name, kind: 3 * kind, values }
    });
    let threads: Vec<usize> = records.iter().map(|record| record.threads).collect();
    let threads = threads.iter().max().copied().unwrap_or(0);
    let note = format!("{threads} threads · {command}");
    write_figure(out, "growth", kernel_growth::growth(series.collect(), note).render()?)?;
    Ok(vec!["growth.png".to_owned()])
}
