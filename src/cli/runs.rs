//! One run of a command that has many, each in a folder of its own.

use std::path::Path;

use crate::device::Element;
use crate::train::randomize::{Case, summary};
use crate::train::run::{Left, RunError};
use crate::train::{Summary, TrainError};

use super::CliError;
use super::device::Chosen;
use super::output::{print, seconds};
use super::train::ended_text;
use super::training::{Options, Task, Watch};

/// What a run is called: in the terminal's bar and in the lines that are printed.
pub struct Name<'a> {
    /// Its place among the others, for example `3 of 19`.
    pub place: String,
    /// The name of its folder.
    pub name: &'a str,
    /// Whether nothing is printed.
    pub quiet: bool,
}

/// Runs a case in a folder, or takes the summary of the run that has ended there.
pub fn one<E: Element>(
    options: &Options,
    (task, device): (&Task, &Chosen<E>),
    case: Case,
    path: &Path,
    called: &Name,
) -> Result<Summary, CliError> {
    let shared = task.common(options);
    let line = |text: &str| {
        if called.quiet { Ok(()) } else { print(&format!("{:<24} {text}\n", called.name)) }
    };
    if let Some(ended) = summary(path)?
        && shared.describes::<E>(case, &ended)?
    {
        line(&format!("{} (kept)", ended_text(&ended)))?;
        return Ok(ended);
    }
    let name = format!("{}, {}", called.place, called.name);
    let mut held = options.folder(path)?.hold()?;
    let mut watch = Watch::start(&name, task.train.labels.len(), task.settings.epochs);
    let mut trainer = shared.begin(device.device.as_ref(), case, &held)?;
    let mut manifest = options.manifest::<E>(task, case, &device.describe())?;
    manifest.configuration["changed_labels"] = trainer.changed_labels().into();
    let file = path.join("manifest.json");
    manifest.write(&file).map_err(CliError::at(&file))?;
    let left = held.run(&mut trainer, &mut |progress| watch.see(progress));
    let took = seconds(watch.took());
    drop(watch);
    let ended = match left {
        Ok(Left::Ended(summary)) => Some(*summary),
        // The others may not diverge, and a run that did is a row of the table.
        Err(RunError::Train(TrainError::Diverged { .. })) => summary(path)?,
        Ok(Left::Stopped) => None,
        Err(error) => return Err(error.into()),
    };
    let ended = ended.ok_or_else(|| {
        let path = path.display();
        CliError::Interrupted(format!("stopped in {path}; the same command goes on from there"))
    })?;
    line(&format!("{}, {took}", ended_text(&ended)))?;
    Ok(ended)
}
