//! What `linear` found: the object that `--json` prints, and `linear.json` holds.

use serde::Serialize;

use shatter_regression::Epoch;
use shatter_train::Measured;

use super::super::json::{FilePath, Record};

#[derive(Serialize)]
pub struct LinearRecord {
    /// SAMPLE text, with the seed.
    pub sample: String,
    pub test_sample: Option<String>,
    pub condition: String,
    pub seed: u64,
    /// Labels that differ from the sample's own.
    pub changed_labels: usize,
    pub points: usize,
    /// Without the appended 1.
    pub coordinates: usize,
    pub outputs: usize,
    pub bias: bool,
    pub duplicates: DuplicatesRecord,
    /// Coordinates that are the same in all points.
    pub constant_coordinates: usize,
    pub rank: usize,
    /// Singular values at most this count as 0.
    pub resolution: f64,
    pub largest_singular_value: Option<f64>,
    pub smallest_singular_value: Option<f64>,
    pub condition_number: Option<f64>,
    /// All labels are met to rounding.
    pub fits: bool,
    pub misfits: usize,
    /// The first of them.
    pub first_misfits: Vec<usize>,
    pub largest_residual: f64,
    pub norm: f64,
    pub train: Measured,
    pub test: Option<Measured>,
    pub descents: Vec<DescentRecord>,
    pub decay: Vec<DecayRecord>,
    pub interpolants: Vec<InterpolantRecord>,
    /// Errors against rational numbers, where the sample is small.
    pub exact: Option<ExactRecord>,
    pub network: FilePath,
}

impl Record for LinearRecord {
    const FORMAT: &'static str = "shatter linear 1";
}

#[derive(Serialize)]
pub struct DuplicatesRecord {
    pub equal_labels: usize,
    pub different_labels: usize,
    /// The first pair with different labels.
    pub first: Option<(usize, usize)>,
}

/// A descent from zero.
#[derive(Serialize)]
pub struct DescentRecord {
    pub momentum: f64,
    pub learning_rate: f64,
    /// The state after the last epoch.
    #[serde(flatten)]
    pub last: Epoch,
    pub train: Measured,
    pub test: Option<Measured>,
}

/// A point of the path of weight decay.
#[derive(Serialize)]
pub struct DecayRecord {
    pub decay: f64,
    pub norm: f64,
    pub distance: f64,
    pub train: Measured,
    pub test: Option<Measured>,
}

/// Weights that fit as well.
#[derive(Serialize)]
pub struct InterpolantRecord {
    /// ‖V‖/‖W‖: 0 for the minimum norm.
    pub null_share: f64,
    pub norm: f64,
    /// |‖W + V‖² − ‖W‖² − ‖V‖²|/‖W + V‖², of the parts found again.
    pub pythagoras: f64,
    pub largest_residual: f64,
    /// Bounds of the largest eigenvalue of the Hessian of the quartic loss.
    pub curvature: (f64, f64),
    /// Bound of the relative difference of this Hessian to that at the minimum norm.
    pub curvature_difference: f64,
    /// Eigenvalues 0 of the Hessian, of each output.
    pub flat_directions: usize,
    pub train: Measured,
    pub test: Option<Measured>,
}

#[derive(Serialize)]
pub struct ExactRecord {
    pub rank: usize,
    pub fits: bool,
    /// Upper bound of ‖W − exact‖/‖exact‖ of the closed form.
    pub closed_form_error: f64,
    /// The same of each descent.
    pub descent_errors: Vec<f64>,
}
