//! The network of any theorem of the catalogue.

use serde::Serialize;

use crate::json::{self, FilePath, Record};
use crate::manifest::Manifest;
use crate::output::{Facts, Progress, grouped, print, seconds, timed};
use crate::words::{labels_text, merged_text, sizes_text};
use crate::{Answer, CliError, labelled_sample, memory};
use shatter_construct::{
    Assumption, Bound, Construction, DepthTwo, Promise, ThresholdRule, catalogue,
};
use shatter_network::{Reading, Sizes, first_misfit};
use shatter_sample::fingerprint::fingerprint;

use super::Arguments;
use super::files::{CERTIFICATE, Files, REPLACED};

/// What `--json` prints and `fit.json` holds.
#[derive(Serialize)]
struct FitRecord {
    sample: String,
    /// Distinct points.
    n: usize,
    points: String,
    points_sha256: String,
    labels: String,
    changed_labels: usize,
    merged_points: usize,
    construction: String,
    source: &'static str,
    statement: &'static str,
    assumptions: Vec<String>,
    target: String,
    reading: String,
    outputs: usize,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    classes: Vec<String>,
    promised: Promised,
    sizes: Sizes,
    /// The first count that is not as promised.
    broken: Option<&'static str>,
    /// The first point whose outputs are not its label.
    first_misfit: Option<usize>,
    /// Whether files of an earlier fit were there.
    replaced: bool,
    certificate: Option<FilePath>,
    certificate_sha256: Option<String>,
}

impl Record for FitRecord {
    const FORMAT: &'static str = "shatter fit 1";
}

/// The promised counts.
#[derive(Serialize)]
struct Promised {
    depth: PromisedCount,
    units: PromisedCount,
    width: PromisedCount,
    nonzero: PromisedCount,
    free: PromisedCount,
}

/// A count: this many, or at most this many.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum PromisedCount {
    Exactly(u64),
    AtMost(u64),
}

impl From<Bound> for PromisedCount {
    fn from(bound: Bound) -> PromisedCount {
        match bound {
            Bound::Exactly(count) => PromisedCount::Exactly(count),
            Bound::AtMost(count) => PromisedCount::AtMost(count),
        }
    }
}

impl Promised {
    fn of(promise: &Promise) -> Promised {
        Promised {
            depth: promise.depth.into(),
            units: promise.units.into(),
            width: promise.width.into(),
            nonzero: promise.nonzero.into(),
            free: PromisedCount::AtMost(promise.free),
        }
    }
}

#[derive(Serialize)]
struct Configuration<'a> {
    seed: u64,
    labels: String,
    construction: &'a str,
    direction: String,
    classes: &'a [String],
}

/// The construction of this name.
fn find(name: &str) -> Result<Box<dyn Construction>, CliError> {
    catalogue::find(name).ok_or_else(|| {
        let names: Vec<String> = catalogue::all().iter().map(|one| one.name()).collect();
        CliError::Usage(format!(
            "'{name}' is not a construction; expected one of {}, depth-K for K >= 3, random-features-M for M features",
            names.join(", ")
        ))
    })
}

/// Builds, evaluates and writes the network of the construction `name`.
pub fn run(arguments: &Arguments, name: &str) -> Result<Answer, CliError> {
    let construction = find(name)?;
    let progress = Progress::start();
    let seed = arguments.common.seed();
    progress.say("reading the sample");
    memory::fit(&arguments.sample)?;
    let (sample, loading) =
        timed(|| labelled_sample(&arguments.sample, seed, arguments.labels, seed));
    let sample = sample?;
    let n = sample.points.n();
    memory::fit_read(&arguments.sample, n)?;
    let task = arguments.task(&sample);

    let refused = |source| {
        let each = construction.assumptions().iter().map(Assumption::to_string);
        let assumptions = ["distinct points".to_owned()].into_iter().chain(each);
        let assumptions = assumptions.collect::<Vec<_>>().join(", ");
        CliError::Refused { construction: construction.name(), assumptions, source }
    };
    let promise = construction.promise(&task).map_err(refused)?;
    // The directions of a two-layer network are one, held once.
    let two_layer = [ThresholdRule::Zigzag, ThresholdRule::Data, ThresholdRule::Midpoint]
        .map(|threshold| DepthTwo { threshold }.name());
    if !two_layer.contains(&construction.name()) {
        memory::network(&arguments.sample, &construction.name(), &promise)?;
    }
    progress.say(format!("building a network for {} points", grouped(n as u64)));
    let (network, building) = timed(|| construction.build(&task));
    let network = network.map_err(refused)?;
    progress.say("evaluating it exactly");
    let target = construction.target();
    let (misfit, evaluating) =
        timed(|| first_misfit(&network, &sample.points, &sample.labels, target));
    let sizes = network.sizes();
    let broken = promise.broken_by(&sizes);

    progress.say("writing");
    let (out, fits) = (arguments.folder(), misfit.is_none());
    let name = construction.name();
    let reading = Reading::built_on(target.into(), &sample.labels);
    let (files, writing) =
        timed(|| Files::write(&out, fits, &network, &name, &sample, target, &reading));
    let files = files?;
    let report = FitRecord {
        sample: sample.text.clone(),
        n,
        points: sample.points.describe(),
        points_sha256: fingerprint(&sample.points),
        labels: sample.recipe.rule.to_string(),
        changed_labels: sample.changed,
        merged_points: sample.merged.dropped.len(),
        construction: name.clone(),
        source: construction.source(),
        statement: construction.statement(),
        assumptions: construction.assumptions().iter().map(Assumption::to_string).collect(),
        target: target.to_string(),
        reading: reading.how.name().to_owned(),
        outputs: network.outputs(),
        classes: reading.classes.clone(),
        promised: Promised::of(&promise),
        sizes,
        broken: broken.map(|(count, ..)| count),
        first_misfit: misfit.map(|misfit| misfit.index),
        replaced: files.replaced,
        certificate: fits.then(|| out.join(CERTIFICATE).into()),
        certificate_sha256: files.digest.clone(),
    };
    let mut manifest = Manifest::new(Configuration {
        seed,
        labels: arguments.labels.to_string(),
        construction: &name,
        direction: task.direction.to_string(),
        classes: &report.classes,
    });
    manifest.sample = Some(sample.text.clone());
    manifest.points_sha256 = Some(report.points_sha256.clone());
    let place = files.manifest.clone();
    files.commit(&out, &json::text(&report)?, &manifest)?;
    drop(progress);

    if arguments.common.json {
        json::print(&report)?;
    } else {
        let mut facts = Facts::default();
        facts.add("sample", format!("{}, {}", report.points, merged_text(&sample)));
        facts.add("labels", labels_text(&sample));
        report.add_to(&mut facts, &promise, &reading);
        facts.add("also in", format!("{}: network.txt, fit.json, {place}", out.display()));
        if report.replaced {
            facts.add("", REPLACED);
        }
        facts.add(
            "times",
            format!(
                "loading {}; construction {}, exact evaluation {}, files {}",
                seconds(loading),
                seconds(building),
                seconds(evaluating),
                seconds(writing)
            ),
        );
        print(facts.text())?;
    }
    Ok(if fits && broken.is_none() { Answer::Yes } else { Answer::No })
}

impl FitRecord {
    /// What was promised, built and found.
    fn add_to(&self, facts: &mut Facts, promise: &Promise, reading: &Reading) {
        facts.add("construction", format!("{} ({})", self.construction, self.source));
        facts.add("", self.statement);
        let mut assumptions = vec!["distinct points".to_owned()];
        assumptions.extend_from_slice(&self.assumptions);
        facts.add("assumes", assumptions.join(", "));
        let Promise { depth, units, width, nonzero, free } = promise;
        facts.add(
            "promised",
            format!(
                "depth {depth}, units {units}, width {width}, nonzero {nonzero}, free <= {free}"
            ),
        );
        facts.add("built", sizes_text(&self.sizes));
        if let Some(count) = self.broken {
            facts.add("", format!("the promise is broken: {count}"));
        }
        facts.add("reading", reading.describe(self.outputs));
        facts.add(
            "exact",
            match self.first_misfit {
                None => {
                    format!("residual 0 (all {} points equal their labels)", grouped(self.n as u64))
                }
                Some(point) => format!("point {point} is the first that differs from its label"),
            },
        );
        match &self.certificate {
            Some(path) => facts.add("certificate", path.display().to_string()),
            None => facts.add("certificate", "none: the network does not equal the labels"),
        }
    }
}
