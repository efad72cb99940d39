//! Progress of a run, which its checkpoint has as its text `progress`.

use serde::{Deserialize, Serialize};

use super::outcome::{Ended, Tally};

/// Progress of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Complete epochs.
    pub epoch: u32,
    /// Samples of the current epoch that are done.
    pub position: u32,
    /// Steps.
    pub step: u32,
    /// Lines of the record.
    pub lines: u64,
    /// Tally over the batches of this epoch.
    pub epoch_tally: Tally,
    /// Tally over the batches since the last line.
    pub line_tally: Tally,
    /// The best test accuracy of any epoch, and the epoch.
    pub best_test: Option<(f64, u32)>,
    /// Reason why the run ended, if it did.
    pub ended: Option<Ended>,
}
