//! Which figures some runs give: figures 1a, 1b, 1c and 2b of the paper, from their records.

use std::collections::BTreeSet;

use shatter_figure::{Plot, SeedRun, randomization};
use shatter_prepare::Condition;
use shatter_sample::LabelRule;
use shatter_train::randomize::table;
use shatter_train::{Ended, Line, Measured};

use super::super::CliError;
use super::recorded::Recorded;

/// Characters of a network's name in the name of a file.
const LONGEST: usize = 40;

/// Shares of corrupted labels that make a curve.
const SHARES: usize = 3;

/// A figure and the name of its file.
pub struct Named {
    pub name: String,
    pub plot: Plot,
}

/// All figures that the runs give; the footnote of each is `command` and what built the runs.
pub fn plots(runs: &[Recorded], command: &str) -> Result<Vec<Named>, CliError> {
    let mut models: Vec<(&str, Vec<&Recorded>)> = Vec::new();
    for run in runs {
        match models.iter_mut().find(|(model, _)| *model == run.model) {
            Some((_, held)) => held.push(run),
            None => models.push((&run.model, vec![run])),
        }
    }
    for (model, runs) in &models {
        check(model, runs)?;
    }
    let mut all = Vec::new();
    for (model, runs) in &models {
        let name = match models.len() {
            1 => "loss".to_owned(),
            _ => format!("loss-{}", file(model, &models)),
        };
        let curves = losses(runs);
        if curves.is_empty() {
            continue;
        }
        let plot =
            randomization::learning_curves(model, curves, &note(command, runs.iter().copied()));
        all.push(Named { name, plot });
    }
    let all_runs = || note(command, runs.iter());
    let times = over_corruption(&models, |runs| {
        let runs: Vec<_> = runs.iter().map(|run| (run.case, &run.summary)).collect();
        table(&runs).iter().map(|row| row.ratio).collect()
    });
    if !times.is_empty() {
        let plot = randomization::relative_time(times, &all_runs());
        all.push(Named { name: "time".into(), plot });
    }
    let errors = over_corruption(&models, |runs| {
        let error = |run: &&Recorded| Some(1.0 - run.summary.test?.accuracy?);
        runs.iter().map(error).collect()
    });
    if let (false, Some(classes)) = (errors.is_empty(), runs.iter().find_map(Recorded::classes)) {
        let plot = randomization::test_error(errors, classes, &all_runs());
        all.push(Named { name: "test_error".into(), plot });
    }
    let accuracies = accuracies(&models);
    if !accuracies.is_empty() {
        let plot = randomization::accuracy(accuracies, &all_runs());
        all.push(Named { name: "accuracy".into(), plot });
    }
    Ok(all)
}

/// Runs in one curve must be of one sample, each case once.
fn check(model: &str, runs: &[&Recorded]) -> Result<(), CliError> {
    for (at, run) in runs.iter().enumerate() {
        if run.sample != runs[0].sample {
            return Err(CliError::Usage(format!(
                "runs of {model} were trained on {} and on {}; expected one sample per network",
                runs[0].sample, run.sample
            )));
        }
        if let Some((key, [a, b])) = run.difference(runs[0]) {
            return Err(CliError::Usage(format!("runs of {model} differ in {key}: {b} and {a}")));
        }
        if runs[..at].iter().any(|other| other.case == run.case) {
            let (condition, seed) = (run.case.condition, run.case.seed);
            return Err(CliError::Usage(format!(
                "two runs of {model} have the condition {condition} and the seed {seed}"
            )));
        }
    }
    Ok(())
}

/// The name of a network as a part of the name of a file, with its number among `models` where
/// the name is long or another one looks alike.
fn file(model: &str, models: &[(&str, Vec<&Recorded>)]) -> String {
    let plain = |model: &str| -> String {
        let all = model.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' });
        all.take(LONGEST).collect()
    };
    let name = plain(model);
    let alike = models.iter().filter(|(other, _)| plain(other) == name).count();
    match models.iter().position(|(other, _)| *other == model) {
        Some(at) if alike > 1 || name.len() == LONGEST => format!("{name}-{at}"),
        _ => name,
    }
}

fn note<'a>(command: &str, runs: impl Iterator<Item = &'a Recorded>) -> String {
    let (mut commits, mut trained) = (BTreeSet::new(), BTreeSet::new());
    for run in runs {
        commits.insert(run.commit.clone());
        trained.insert(format!("{} on {}{}", run.model, run.sample, run.goal()));
    }
    let join = |set: BTreeSet<String>| set.into_iter().collect::<Vec<_>>().join(", ");
    format!("{command} · {} · trained by commit {}", join(trained), join(commits))
}

/// (condition, one curve a seed): online loss against thousand steps. Conditions on labels come
/// first, by their share of redrawn ones.
fn losses(runs: &[&Recorded]) -> Vec<(String, Vec<SeedRun>)> {
    let mut runs = runs.to_vec();
    let place = |run: &Recorded| match run.case.condition {
        Condition::ShuffledPixels => 2.0,
        Condition::RandomPixels => 3.0,
        Condition::Gaussian => 4.0,
        _ => run.corruption().unwrap_or(1.0),
    };
    runs.sort_by(|a, b| place(a).total_cmp(&place(b)));
    let mut conditions: Vec<(String, Vec<SeedRun>)> = Vec::new();
    for run in runs {
        let points = run.epochs().map(|line| (f64::from(line.step) / 1000.0, line.online.loss));
        let mut curve = SeedRun { points: points.collect() };
        if curve.points.is_empty() {
            continue; // it diverged before, or was to take no step
        }
        if run.summary.ended == Ended::Diverged {
            curve.points.push((f64::from(run.summary.steps) / 1000.0, f64::NAN));
        }
        let name = run.case.condition.to_string();
        match conditions.iter_mut().find(|(held, _)| *held == name) {
            Some((_, held)) => held.push(curve),
            None => conditions.push((name, vec![curve])),
        }
    }
    conditions
}

/// (model, one curve a seed): a number of each run, where it has one, against the share of
/// corrupted labels, for networks with enough shares.
fn over_corruption(
    models: &[(&str, Vec<&Recorded>)],
    values: impl Fn(&[&Recorded]) -> Vec<Option<f64>>,
) -> Vec<(String, Vec<SeedRun>)> {
    let curves = |(model, runs): &(&str, Vec<&Recorded>)| {
        let seeds: BTreeSet<u64> = runs.iter().map(|run| run.case.seed).collect();
        let values = values(runs);
        let mut shares: Vec<f64> = runs.iter().filter_map(|run| run.corruption()).collect();
        shares.sort_by(f64::total_cmp);
        shares.dedup();
        let found = |seed: u64, share: f64| {
            let same = |run: &&Recorded| run.case.seed == seed && run.corruption() == Some(share);
            // True and random labels come before corruption by none and by all.
            let named = |run: &&Recorded| {
                same(run)
                    && !matches!(run.case.condition, Condition::Labels(LabelRule::Corrupted(_)))
            };
            values[runs.iter().position(named).or_else(|| runs.iter().position(same))?]
        };
        // A seed that lacks shares is in pieces: nothing is said where nothing was run.
        let mut curves = Vec::new();
        for seed in seeds {
            let points: Vec<Option<(f64, f64)>> =
                shares.iter().map(|&share| Some((share, found(seed, share)?))).collect();
            let pieces = points.split(Option::is_none).filter(|piece| !piece.is_empty());
            curves.extend(
                pieces.map(|piece| SeedRun { points: piece.iter().copied().flatten().collect() }),
            );
        }
        let enough = curves.iter().any(|curve| curve.points.len() >= SHARES);
        enough.then(|| ((*model).to_owned(), curves))
    };
    models.iter().filter_map(curves).collect()
}

/// Accuracies of networks on true labels, where there are at least two to compare.
fn accuracies(models: &[(&str, Vec<&Recorded>)]) -> Vec<randomization::Accuracy> {
    let of = |(model, runs): &(&str, Vec<&Recorded>)| {
        let of_true = || runs.iter().filter(|run| run.corruption() == Some(0.0));
        let curve = |value: &dyn Fn(&Line) -> Option<Measured>| {
            let run = |run: &&Recorded| {
                let point = |line: &Line| Some((f64::from(line.epoch), value(line)?.accuracy?));
                SeedRun { points: run.epochs().filter_map(point).collect() }
            };
            of_true().map(run).collect::<Vec<SeedRun>>()
        };
        // One kind of training accuracy in all epochs.
        let whole = of_true().flat_map(|run| run.epochs()).all(|line| line.train.is_some());
        let train = curve(&|line| if whole { line.train } else { Some(line.online) });
        let test = curve(&|line| line.test);
        let model = (*model).to_owned();
        test.iter().any(|run| !run.points.is_empty()).then_some(randomization::Accuracy {
            model,
            train,
            test,
        })
    };
    let all: Vec<_> = models.iter().filter_map(of).collect();
    if all.len() < 2 { Vec::new() } else { all }
}
