//! Every construction on one sample: what it needs, what it costs, how far it goes.
//!
//! Each construction takes the first n points for n = 10, 20, 50, 100, … as long as building and
//! evaluating the network is expected to stay within the time given. Returns records; nothing is
//! drawn or printed here.

mod table;

use std::time::{Duration, Instant};

use serde::Serialize;

use shatter_construct::{ConstructError, Construction, DirectionRule, Task, catalogue};
use shatter_network::{Sizes, first_misfit};
use shatter_sample::{Labels, Points, Sample, SampleError};

/// Settings of a comparison.
#[derive(Clone, Debug)]
pub struct CompareOptions {
    /// Time that building and evaluating one network may be expected to take.
    pub limit: Duration,
    /// Seed of directions and everything else that is drawn.
    pub seed: u64,
    /// How directions are chosen.
    pub direction: DirectionRule,
    /// Names of the constructions; all of them if empty.
    pub only: Vec<String>,
}

impl Default for CompareOptions {
    fn default() -> CompareOptions {
        CompareOptions {
            limit: Duration::from_secs(60),
            seed: 0,
            direction: DirectionRule::Auto,
            only: Vec::new(),
        }
    }
}

/// A construction, with the networks that it built.
#[derive(Clone, Debug, Serialize)]
pub struct Compared {
    /// Its name.
    pub name: String,
    /// Who found it.
    pub source: String,
    /// What it says.
    pub statement: String,
    /// What it assumes beside distinct points.
    pub assumptions: Vec<String>,
    /// Networks, n increasing.
    pub built: Vec<BuiltNetwork>,
    /// Why it went no further.
    pub stopped: Stopped,
}

/// A network that was built, with its sizes.
#[derive(Clone, Debug, Serialize)]
pub struct BuiltNetwork {
    /// Points.
    pub n: usize,
    /// Its sizes.
    pub sizes: Sizes,
    /// Real numbers chosen, at most.
    pub free: u64,
    /// Whether its sizes are those promised before it was built.
    pub as_promised: bool,
    /// The first point that it does not fit exactly.
    pub misfit: Option<usize>,
    /// Seconds to build it.
    pub build_seconds: f64,
    /// Seconds to evaluate it at all points, exactly.
    pub evaluate_seconds: f64,
}

/// The reason for which a construction went no further.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stopped {
    /// All points of the sample were taken.
    AllPoints,
    /// The next network was expected to take longer than the limit.
    Time {
        /// Its points.
        n: usize,
        /// Seconds expected.
        expected: f64,
    },
    /// The sample does not meet an assumption, or numbers grow too long.
    Refused {
        /// The points for which it was refused.
        n: usize,
        /// The reason.
        reason: String,
    },
}

/// Lower bound that no network goes below, for the labels that the statement names. (Networks for
/// classes may have fewer weights than points: the labels then stand in their bits.)
#[derive(Clone, Debug, Serialize)]
pub struct LowerBound {
    /// The statement.
    pub statement: String,
    /// (n, least number), n increasing.
    pub values: Vec<(f64, f64)>,
}

/// Constructions on one sample.
#[derive(Clone, Debug, Serialize)]
#[must_use]
pub struct Comparison {
    /// The SAMPLE text.
    pub sample: String,
    /// Type, number and shape of the points.
    pub points: String,
    /// Points.
    pub n: usize,
    /// Coordinates.
    pub d: usize,
    /// Classes; absent for real labels.
    pub classes: Option<u32>,
    /// The constructions.
    pub entries: Vec<Compared>,
    /// Least weights and biases for generic real labels.
    pub least_weights: LowerBound,
    /// Least bits for all labellings by classes, on average.
    pub least_bits: Option<LowerBound>,
}

impl Comparison {
    /// Returns true if every network that was built fits, with the sizes promised.
    #[must_use]
    pub fn holds(&self) -> bool {
        let mut rows = self.entries.iter().flat_map(|entry| &entry.built);
        rows.all(|row| row.misfit.is_none() && row.as_promised)
    }

    /// Returns the table, at most 100 columns wide.
    #[must_use]
    pub fn table(&self) -> String {
        table::render(self)
    }
}

/// The network that is about to be built.
#[derive(Clone, Debug)]
pub struct Building<'a> {
    /// The construction.
    pub name: &'a str,
    /// Points.
    pub n: usize,
    /// Constructions done.
    pub done: usize,
    /// All of them.
    pub of: usize,
}

/// The reason for which nothing was compared.
#[derive(Debug, thiserror::Error)]
pub enum CompareError {
    /// A name is not in the catalogue.
    #[error("'{name}' is not a construction; expected one of: {known}")]
    Unknown {
        /// As given.
        name: String,
        /// The names there are.
        known: String,
    },
    /// A part of the sample could not be taken.
    #[error(transparent)]
    Sample(#[from] SampleError),
}

/// Compares the constructions on a sample.
///
/// ```
/// use std::time::Duration;
/// use shatter_compare::{self as compare, CompareOptions};
/// use shatter_sample::{self as sample, LabelRule};
/// let sample = sample::load("lattice:n=20,d=2", 1)?.distinct(LabelRule::Random, 1)?;
/// let options = CompareOptions { limit: Duration::from_secs(1), ..CompareOptions::default() };
/// let comparison = compare::run(&sample, &options, &mut |_| {})?;
/// assert!(comparison.holds());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`CompareError::Unknown`] for a name that is not in the catalogue.
pub fn run(
    sample: &Sample,
    options: &CompareOptions,
    progress: &mut dyn FnMut(Building),
) -> Result<Comparison, CompareError> {
    let constructions = chosen(&options.only)?;
    let parts = parts(sample)?;
    let mut entries = Vec::with_capacity(constructions.len());
    for (done, construction) in constructions.iter().enumerate() {
        let name = construction.name();
        let mut at = |n| progress(Building { name: &name, n, done, of: constructions.len() });
        entries.push(entry(&**construction, &parts, options, &mut at));
    }
    let (n, d) = (sample.points.n(), sample.points.d());
    let classes = match &sample.labels {
        Labels::Classes { count, .. } => Some(*count),
        Labels::Real { .. } => None,
    };
    // Straight between the smallest and the largest n, on any scale.
    let ends = [parts.first(), parts.last()];
    let line = |slope: f64| -> Vec<(f64, f64)> {
        let sizes = ends.iter().flatten().map(|(points, _)| points.n() as f64);
        sizes.map(|n| (n, slope * n)).collect()
    };
    let most = classes.unwrap_or(0);
    Ok(Comparison {
        sample: sample.text.clone(),
        points: sample.points.describe(),
        n,
        d,
        classes,
        entries,
        // P − U >= n (obstruct::dimension), so at least n weights and biases.
        least_weights: LowerBound {
            statement: "n: least for generic real labels".to_owned(),
            values: line(sample.labels.outputs() as f64),
        },
        least_bits: (most > 1).then(|| LowerBound {
            statement: format!("n·log2 {most}: least for {most} classes, on average"),
            values: line(f64::from(most).log2()),
        }),
    })
}

fn chosen(only: &[String]) -> Result<Vec<Box<dyn Construction>>, CompareError> {
    if only.is_empty() {
        return Ok(catalogue::all());
    }
    let known = || catalogue::all().iter().map(|c| c.name()).collect::<Vec<_>>().join(", ");
    let find = |name: &String| {
        catalogue::find(name)
            .ok_or_else(|| CompareError::Unknown { name: name.clone(), known: known() })
    };
    only.iter().map(find).collect()
}

/// The first 10, 20, 50, 100, … points, and all of them.
fn parts(sample: &Sample) -> Result<Vec<(Points, Labels)>, SampleError> {
    let n = sample.points.n();
    let decades = (1..).map(|k| 10usize.saturating_pow(k)).take_while(|&ten| ten < n);
    let mut sizes: Vec<usize> = decades.flat_map(|ten| [ten, 2 * ten, 5 * ten]).collect();
    sizes.retain(|&size| size < n);
    sizes.push(n);
    let part = |size: usize| {
        let rows: Vec<u32> = (0..size as u32).collect();
        Ok((sample.points.select(&rows)?, sample.labels.select(&rows)))
    };
    sizes.into_iter().map(part).collect()
}

fn entry(
    construction: &dyn Construction,
    parts: &[(Points, Labels)],
    options: &CompareOptions,
    progress: &mut dyn FnMut(usize),
) -> Compared {
    let mut built: Vec<BuiltNetwork> = Vec::new();
    let mut stopped = Stopped::AllPoints;
    for (points, labels) in parts {
        let n = points.n();
        let expected = expected_seconds(&built, n);
        // The first network is always built, and with no time no other.
        if !built.is_empty() && expected >= options.limit.as_secs_f64() {
            stopped = Stopped::Time { n, expected };
            break;
        }
        progress(n);
        let task = Task { points, labels, direction: options.direction, seed: options.seed };
        match row(construction, &task) {
            Ok(row) => {
                built.push(row);
                stopped = Stopped::AllPoints;
            }
            Err(error) => {
                stopped = Stopped::Refused { n, reason: error.to_string() };
                // More points may allow the depth; nothing else gets better with more points.
                if !matches!(error, ConstructError::Depth { .. }) {
                    break;
                }
            }
        }
    }
    Compared {
        name: construction.name(),
        source: construction.source().to_owned(),
        statement: construction.statement().to_owned(),
        assumptions: construction.assumptions().iter().map(ToString::to_string).collect(),
        built,
        stopped,
    }
}

fn row(construction: &dyn Construction, task: &Task) -> Result<BuiltNetwork, ConstructError> {
    let promise = construction.promise(task)?;
    let start = Instant::now();
    let network = construction.build(task)?;
    let build_seconds = start.elapsed().as_secs_f64();
    let start = Instant::now();
    let misfit = first_misfit(&network, task.points, task.labels, construction.target());
    let misfit = misfit.map(|misfit| misfit.index);
    let evaluate_seconds = start.elapsed().as_secs_f64();
    let sizes = network.sizes();
    Ok(BuiltNetwork {
        n: task.points.n(),
        sizes,
        free: promise.free,
        as_promised: promise.broken_by(&sizes).is_none(),
        misfit,
        build_seconds,
        evaluate_seconds,
    })
}

/// Seconds that the next network may take, from the growth between the last two: a power of n, at
/// least n² and at most n⁴, because times of milliseconds say little.
fn expected_seconds(built: &[BuiltNetwork], n: usize) -> f64 {
    let seconds = |row: &BuiltNetwork| row.build_seconds + row.evaluate_seconds;
    let Some(last) = built.last() else { return 0.0 };
    let power = match built {
        [.., before, last] if seconds(before) > 0.0 => {
            let growth = (seconds(last) / seconds(before)).ln();
            (growth / (last.n as f64 / before.n as f64).ln()).clamp(2.0, 4.0)
        }
        _ => 3.0,
    };
    seconds(last) * (n as f64 / last.n as f64).powf(power)
}
