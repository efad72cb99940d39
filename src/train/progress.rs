//! How far a run is: what its checkpoint has as its text `progress`.

use serde::{Deserialize, Serialize};

use super::outcome::{Ended, Tally};

/// How far a run is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Complete epochs.
    pub epoch: u32,
    /// Samples of the next epoch that are done.
    pub position: u32,
    /// Steps.
    pub step: u32,
    /// Lines of the record.
    pub lines: u64,
    /// Over the batches of this epoch.
    pub epoch_tally: Tally,
    /// Over the batches since the last line.
    pub line_tally: Tally,
    /// The best test accuracy of any epoch, and the epoch.
    pub best_test: Option<(f64, u32)>,
    /// Why the run ended, if it did.
    pub ended: Option<Ended>,
}
