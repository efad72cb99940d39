//! `shatter randomize`: the randomization tests of the paper, run by run.

use std::fmt::Write as _;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use shatter_device::Device;
use shatter_device::cpu::Cpu;
use shatter_exact::Element;
use shatter_prepare::Condition;
use shatter_sample::LabelRule;
use shatter_train::randomize::{Case, CaseRow, place, table};
use shatter_train::{Ended, Summary};

use super::figures::{self, Recorded};
use super::json::{self, Record};
use super::manifest;
use super::output::{grouped, percent, percent_of_errors, print};
use super::runs::{One, Runs};
use super::training::{Precision, Setup, TrainingOptions};
use super::{Answer, CliError, CommonOptions, write};

#[derive(Args, Debug, Clone)]
#[command(after_help = "Examples:\n  \
    shatter randomize digits --seeds 0,1\n  \
    shatter randomize cifar10:DIR --seeds 0,1,2\n  \
    shatter randomize cifar10:DIR --corruption 0,0.1,0.2,0.3,0.4,0.5,0.6,0.7,0.8,0.9,1\n  \
    shatter randomize fashion-mnist:DIR,first=1000 --model inception --conditions true,random\n\n\
    Trains the network under each condition with each seed, each in a folder of its own; runs that \
    have ended are kept, and one that was interrupted resumes.\n\
    Prints changed labels, steps to fit, their ratio to the steps with true labels, and test errors; \
    writes table.json, loss.png (Fig. 1a of the paper) and, for three or more shares of corrupted \
    labels, time.png and test_error.png (1b, 1c).\n\
    Exit status: 0 if every run that had a goal reached it, 1 if not, 2 for bad input, 3 if one \
    diverged, 4 if there is no such device, 130 if interrupted.")]
pub struct Arguments {
    /// The training sample, for example cifar10:DIR
    sample: String,
    /// Conditions [default: all six, with half of the labels corrupted]
    #[arg(
        long,
        value_delimiter = ',',
        value_name = "CONDITION,...",
        conflicts_with = "corruption"
    )]
    conditions: Vec<Condition>,
    /// Shares of corrupted labels, in place of conditions: 0 for true labels, 1 for random ones
    #[arg(long, value_delimiter = ',', value_name = "P,...")]
    corruption: Vec<f64>,
    /// Seeds, in place of --seed
    #[arg(long, value_delimiter = ',', value_name = "N,...", conflicts_with = "seed")]
    seeds: Vec<u64>,
    /// Runs trained side by side, in one sequence of operations; results do not depend on it. Images
    /// are held once if the conditions change labels only
    #[arg(long, default_value_t = NonZeroUsize::MIN, value_name = "R")]
    replicas: NonZeroUsize,
    #[command(flatten)]
    pub options: TrainingOptions,
    #[command(flatten)]
    pub common: CommonOptions,
}

impl Arguments {
    /// The conditions, each once.
    fn conditions(&self) -> Result<Vec<Condition>, CliError> {
        let share = |&p: &f64| match p {
            0.0 => Ok(Condition::Labels(LabelRule::True)),
            1.0 => Ok(Condition::Labels(LabelRule::Random)),
            _ if (0.0..=1.0).contains(&p) => Ok(Condition::Labels(LabelRule::Corrupted(p))),
            _ => Err(CliError::Usage(format!("--corruption {p}: expected a share from 0 to 1"))),
        };
        if !self.corruption.is_empty() {
            Ok(each_once(self.corruption.iter().map(share).collect::<Result<_, _>>()?))
        } else if !self.conditions.is_empty() {
            Ok(each_once(self.conditions.clone()))
        } else {
            Ok(vec![
                Condition::Labels(LabelRule::True),
                Condition::Labels(LabelRule::Corrupted(0.5)),
                Condition::Labels(LabelRule::Random),
                Condition::ShuffledPixels,
                Condition::RandomPixels,
                Condition::Gaussian,
            ])
        }
    }

    fn seeds(&self) -> Vec<u64> {
        if self.seeds.is_empty() { vec![self.common.seed()] } else { each_once(self.seeds.clone()) }
    }
}

/// The first of equals, in their order: a run has one folder.
fn each_once<T: PartialEq + Copy>(all: Vec<T>) -> Vec<T> {
    let mut kept = Vec::new();
    for one in all {
        if !kept.contains(&one) {
            kept.push(one);
        }
    }
    kept
}

/// What `--json` prints and `table.json` holds.
#[derive(Serialize)]
struct RandomizeRecord<'a> {
    runs: &'a [CaseRow],
}

impl Record for RandomizeRecord<'_> {
    const FORMAT: &'static str = "shatter randomize 1";
}

pub fn run(arguments: &Arguments) -> Result<Answer, CliError> {
    match arguments.options.precision {
        Precision::F32 | Precision::Tf32 | Precision::Bf16 => randomize::<f32>(arguments),
        Precision::F64 => randomize::<f64>(arguments),
    }
}

fn randomize<E: Element>(arguments: &Arguments) -> Result<Answer, CliError>
where
    Cpu: Device<E>,
{
    let Arguments { sample, options, common, .. } = arguments;
    let out = common.out.clone().unwrap_or_else(|| PathBuf::from("out/randomize"));
    let setup = options.setup(sample, common.seed())?;
    let device = options.device::<E>(&setup)?;
    let cases = cases(arguments, &setup)?;
    let runs = Runs { options, setup: &setup, device: &device, quiet: common.json };
    let runs = Sweep { runs, most: arguments.replicas.get(), out: &out }.run(&cases)?;
    let rows = table(&runs.iter().map(|(case, summary)| (*case, summary)).collect::<Vec<_>>());
    let record = RandomizeRecord { runs: &rows };
    write(&out, "table.json", json::text(&record)?)?;
    let folders = cases.iter().map(|case| out.join(case.name()));
    let recorded = folders.map(|folder| Recorded::read(&folder)).collect::<Result<Vec<_>, _>>()?;
    let command = format!("shatter randomize {sample} --model {}", options.model());
    let drawn = figures::draw(&recorded, &out, &command)?;
    let names = cases.iter().map(Case::name).collect();
    let manifest = options.sweep_manifest::<E>(&setup, cases[0], &device.describe(), names)?;
    let place = manifest::place(&out, "randomize");
    manifest.write(&out.join(&place))?;
    if common.json {
        json::print(&record)?;
    } else {
        let drawn: String = drawn.iter().map(|name| format!("{name} (and .svg), ")).collect();
        let files = format!(
            "Written to {}: {drawn}table.json, {place}, and one folder a run.\n",
            out.display()
        );
        print(&format!("\n{}\n{files}", text(&rows)))?;
    }
    let fitted = runs.iter().all(|(_, run)| run.ended == Ended::Fitted || !run.asked());
    let diverged = rows.iter().any(|row| row.ended == Ended::Diverged);
    Ok(match (diverged, fitted) {
        (true, _) => Answer::Diverged,
        (_, true) => Answer::Yes,
        _ => Answer::No,
    })
}

/// All runs, seed by seed. Of the conditions that nobody asked for, those that mean something.
fn cases(arguments: &Arguments, setup: &Setup) -> Result<Vec<Case>, CliError> {
    let shared = setup.common(&arguments.options);
    let chosen = !arguments.corruption.is_empty() || !arguments.conditions.is_empty();
    let mut cases = Vec::new();
    for seed in arguments.seeds() {
        for condition in arguments.conditions()? {
            let case = Case { condition, seed };
            match shared.check(case) {
                Ok(()) => cases.push(case),
                Err(error) if chosen => return Err(error.into()),
                Err(_) => {}
            }
        }
    }
    Ok(cases)
}

/// All cases of a command.
struct Sweep<'a, E: Element> {
    runs: Runs<'a, E>,
    /// So many side by side at most.
    most: usize,
    out: &'a Path,
}

impl<E: Element> Sweep<'_, E> {
    /// Runs all cases, some at a time; each with its summary, in their order.
    fn run(&self, cases: &[Case]) -> Result<Vec<(Case, Summary)>, CliError> {
        let mut ended: Vec<Option<Summary>> = vec![None; cases.len()];
        let mut most = self.most;
        loop {
            let group = self.next(cases, &mut ended, most)?;
            if group.is_empty() {
                break;
            }
            let ones: Vec<One> = group.iter().map(|&at| self.one(cases[at])).collect();
            let place = match &ones[..] {
                [one] => {
                    let done = ended.iter().flatten().count();
                    format!("{} of {}, {}", done + 1, cases.len(), one.name)
                }
                several => format!("{} of {} at once", several.len(), cases.len()),
            };
            match self.runs.together(&ones, &place) {
                Err(error) if error.wants_memory() && ones.len() > 1 => {
                    most = ones.len().div_ceil(2);
                    eprintln!("{}; {most} at once from here on", error.text());
                }
                found => {
                    for (at, summary) in group.into_iter().zip(found?) {
                        ended[at] = summary;
                    }
                }
            }
        }
        Ok(cases.iter().copied().zip(ended).filter_map(|(c, s)| s.map(|s| (c, s))).collect())
    }

    fn one(&self, case: Case) -> One {
        One { case, path: self.out.join(case.name()), name: case.name() }
    }

    /// Which cases to run next, side by side: the first that has not ended, and others that can
    /// stand beside it, which begin at the same place and see images of the same kind. Takes the
    /// summaries of those that have ended before, on its way. `most` at most.
    fn next(
        &self,
        cases: &[Case],
        ended: &mut [Option<Summary>],
        most: usize,
    ) -> Result<Vec<usize>, CliError> {
        let (mut group, mut first) = (Vec::new(), None);
        for (at, &case) in cases.iter().enumerate() {
            let one = self.one(case);
            if ended[at].is_some() {
                continue;
            }
            ended[at] = self.runs.kept(&one)?;
            if ended[at].is_some() {
                continue;
            }
            if most > 1 {
                // What cannot be read runs by itself, and says why not.
                let at = place::<E>(&one.path).map(|at| (at, case.condition.changes_pixels()));
                if !group.is_empty() && (at.is_none() || at != first) {
                    continue;
                }
                first = at;
            }
            group.push(at);
            if group.len() == most {
                break;
            }
        }
        Ok(group)
    }
}

/// The table, aligned.
fn text(rows: &[CaseRow]) -> String {
    let mut text = format!(
        "{:<16} {:>5} {:>8} {:>9} {:>7} {:>7} {:>10} {:>10} {:>10}\n",
        "condition",
        "seed",
        "changed",
        "steps",
        "epochs",
        "ratio",
        "train loss",
        "train acc.",
        "test error"
    );
    for row in rows {
        let or_dash = |value: Option<String>| value.unwrap_or_else(|| "–".into());
        let _ = writeln!(
            text,
            "{:<16} {:>5} {:>8} {:>9} {:>7} {:>7} {:>10.4} {:>10} {:>10}",
            row.condition,
            row.seed,
            or_dash(row.changed_labels.map(grouped)),
            or_dash(row.steps_to_fit.map(grouped)),
            or_dash(row.epochs_to_fit.map(|epochs| epochs.to_string())),
            or_dash(row.ratio.map(|ratio| format!("{ratio:.2}"))),
            row.train_loss,
            or_dash(row.train_accuracy.map(percent)),
            or_dash(row.test_error.map(percent_of_errors)),
        );
    }
    text
}
