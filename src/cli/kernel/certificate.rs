//! `shatter check` of certificates of kernels.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde::Serialize;

use shatter_kernel::certificate::{self, CertificateError, HEADER, LONGEST};
use shatter_kernel::{Features, Model, file, unwatched};
use shatter_sample::LabelRule;

use crate::json::{self, Record};
use crate::output::{Facts, Progress, grouped, print, seconds, timed};
use crate::{CliError, input, raw_sample, visible};

use super::points::Seen;
use super::record::Verdicts;

/// Whether a file begins as certificates of kernels do.
pub fn is_certificate(path: &Path) -> bool {
    let regular = std::fs::metadata(path).is_ok_and(|status| status.is_file());
    let mut first = [0; HEADER.len()];
    let read = |mut file: File| file.read_exact(&mut first);
    regular && File::open(path).and_then(read).is_ok() && first == *HEADER.as_bytes()
}

/// What `--json` prints and `check.json` holds.
#[derive(Serialize)]
pub struct Checked {
    accepted: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    points: Option<usize>,
    kernel: String,
    features: String,
    labels: String,
    tolerance: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    verdicts: Option<Verdicts>,
    #[serde(skip_serializing_if = "Option::is_none")]
    least_margin: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    largest_bound: Option<f64>,
}

impl Record for Checked {
    const FORMAT: &'static str = "shatter check 1";
}

/// Decides again what a certificate claims; `written` takes what was found.
pub fn check(
    model: &Path,
    certificate: &Path,
    sample: &str,
    seed: u64,
    as_json: bool,
    written: &dyn Fn(&Checked) -> Result<(), CliError>,
) -> Result<bool, CliError> {
    let progress = Progress::start();
    progress.say("reading");
    let undecided = |reason: String| CliError::Undecided(reason);
    let mut text = String::new();
    let mut bounded = input::open(certificate)?.take(LONGEST as u64 + 1);
    bounded.read_to_string(&mut text).map_err(CliError::at(certificate))?;
    let claimed = match certificate::read(&text) {
        Ok(claimed) => claimed,
        Err(error) => return Err(undecided(format!("{}: {error}", certificate.display()))),
    };
    let length = std::fs::metadata(model).map_err(CliError::at(model))?.len();
    let stored = file::read(&mut input::open(model)?, length)
        .map_err(|error| undecided(format!("{}: {error}", model.display())))?;
    let origin = stored.origin.clone();
    let wrong = |what: &str| {
        undecided(format!("{}: '{what}' is not what a model says of its origin", model.display()))
    };
    let (choice, feature_seed) =
        Seen::parse(&origin.features).ok_or_else(|| wrong(&origin.features))?;
    let (rule, label_seed) = labels(&origin.labels).ok_or_else(|| wrong(&origin.labels))?;
    let raw = raw_sample(sample, seed)?;
    let labelled =
        raw.distinct(rule, label_seed).map_err(|error| CliError::sample(sample, error))?;
    progress.say("features");
    let seen = Seen::learn(sample, choice, &labelled.points, feature_seed)?;
    let points = seen.of(&labelled.points, &|message| progress.say(message))?;
    let kernel = stored.kernel.to_string();
    progress.say("deciding every point");
    let refused = |reason: String| Checked {
        accepted: false,
        reason: Some(reason),
        points: None,
        kernel: kernel.clone(),
        features: origin.features.clone(),
        labels: origin.labels.clone(),
        tolerance: claimed.tolerance,
        verdicts: None,
        least_margin: None,
        largest_bound: None,
    };
    let bound = stored.with(distinct(&points)?);
    let decide = |model: &Model| claimed.check(model, &points, &labelled.labels, &mut unwatched);
    let (found, took) = timed(|| bound.map(|model| decide(&model)));
    drop(progress);
    let checked = match found {
        Ok(Ok(decided)) => Checked {
            accepted: true,
            reason: None,
            points: Some(decided.judged.len()),
            verdicts: Some(Verdicts {
                exact: decided.counts.exact,
                margin: decided.counts.margin,
                undecided: decided.counts.undecided,
                misfit: decided.counts.misfit,
            }),
            least_margin: Some(decided.least_margin).filter(|x| x.is_finite()),
            largest_bound: Some(decided.largest_bound).filter(|x| x.is_finite()),
            ..refused(String::new())
        },
        Ok(Err(CertificateError::Exact(error))) => return Err(undecided(error.to_string())),
        Ok(Err(error)) => refused(error.to_string()),
        Err(error) => refused(error.to_string()),
    };
    written(&checked)?;
    if as_json {
        json::print(&checked)?;
        return Ok(checked.accepted);
    }
    let Some(verdicts) = &checked.verdicts else {
        let reason = checked.reason.as_deref().unwrap_or_default();
        print(&format!("rejected: {}\n", visible::line(reason)))?;
        return Ok(false);
    };
    let fit = grouped((verdicts.exact + verdicts.margin) as u64);
    let all = grouped(checked.points.unwrap_or(0) as u64);
    let mut facts = Facts::default();
    let within = match checked.tolerance {
        0.0 => String::new(),
        tolerance => format!(", real labels within {tolerance:e}"),
    };
    facts.add("accepted", format!("{fit} of {all} points are proved to fit{within}"));
    facts.add("kernel", &checked.kernel);
    facts.add("features", &checked.features);
    facts.add("labels", &checked.labels);
    facts.add("times", format!("checking {}", seconds(took)));
    print(facts.text())?;
    Ok(true)
}

/// Rule and seed as a model has them: `random seed=1`.
fn labels(words: &str) -> Option<(LabelRule, u64)> {
    let (rule, seed) = words.split_once(" seed=")?;
    Some((rule.parse().ok()?, seed.parse().ok()?))
}

/// The centres of a model that was fitted to the points: the first of equal ones.
fn distinct(points: &Features) -> Result<Features, CliError> {
    let equal = points.equal_rows();
    if equal.is_empty() {
        return Ok(points.clone());
    }
    let mut dropped = equal.iter().map(|pair| pair.0).peekable();
    let kept: Vec<u32> =
        (0..points.rows() as u32).filter(|i| dropped.next_if_eq(i).is_none()).collect();
    Ok(points.select(&kept)?)
}
