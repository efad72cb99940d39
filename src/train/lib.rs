//! The trainer: networks of the paper on true and randomized data, on any device.
//!
//! [`compile`](mod@compile) turns an architecture into a plan, a [`Trainer`] runs it on a device, [`run`](mod@run)
//! keeps record and checkpoints, [`randomize`] does so for several conditions and seeds.

pub mod capacity;
pub mod checkpoint;
pub mod compile;
pub mod error;
pub mod evaluate;
pub mod identity;
pub mod initial;
pub mod outcome;
pub mod progress;
pub mod randomize;
pub mod run;
pub mod settings;
pub mod table1;
pub mod trainer;

pub use checkpoint::{Checkpoint, CheckpointError, load_weights};
pub use compile::Loss;
pub use error::TrainError;
pub use evaluate::measured;
pub use identity::{DataIdentity, Identity};
pub use initial::Initialization;
pub use outcome::{Ended, Line, Measured, Summary};
pub use progress::Progress;
pub use settings::{Order, Settings};
pub use trainer::{Data, Trainer};
