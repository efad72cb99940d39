//! What `shatter kernel` finds.

use serde::{Deserialize, Serialize};

use crate::json::Record;

/// What `--json` prints and `kernel.json` holds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct KernelRecord {
    /// SAMPLE text of the training sample.
    pub sample: String,
    pub points: String,
    pub points_sha256: String,
    /// Distinct points.
    pub n: usize,
    /// Points that equal an earlier one, in their coordinates or in their features.
    pub merged_points: usize,
    pub test_sample: Option<String>,
    pub test_points: usize,
    pub kernel: String,
    pub features: String,
    /// Numbers of a point as the kernel sees it.
    pub columns: usize,
    pub arithmetic: String,
    pub ridge: f64,
    /// That was needed for a factor.
    pub jitter: f64,
    /// Of the preconditioner, where no matrix was held; 0 for a factorisation.
    #[serde(default)]
    pub centres: usize,
    /// Products with the matrix that refined the solution, or found it.
    pub products: usize,
    pub converged: bool,
    pub residual: Option<f64>,
    pub condition: Option<f64>,
    pub plan: PlanRecord,
    pub phases: Vec<PhaseRecord>,
    /// All phases, features and tests included.
    pub seconds: f64,
    /// Bytes of the matrix.
    pub matrix_bytes: u64,
    /// Columns of the factor that were there, of a run that did not end.
    #[serde(default)]
    pub restored_columns: usize,
    /// Why the checkpoint of the factorisation was given up, if it was.
    #[serde(default)]
    pub unkept: Option<String>,
    /// The most memory that the process held; null where the system does not say.
    pub peak_bytes: Option<u64>,
    pub threads: usize,
    pub labellings: Vec<Labelling>,
    /// Kernels that were tried on held-out points.
    pub validated: Vec<Validated>,
    /// Eigenvalues, largest first, of the matrix of the first points.
    pub spectrum: Vec<f64>,
    pub paper: Option<PaperRecord>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PlanRecord {
    pub bytes: u64,
    pub seconds: f64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PhaseRecord {
    pub phase: String,
    pub seconds: f64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Verdicts {
    pub exact: usize,
    pub margin: usize,
    pub undecided: usize,
    pub misfit: usize,
}

/// What was found of one labelling.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Labelling {
    pub labels: String,
    pub changed_labels: usize,
    pub outputs: usize,
    pub verdicts: Verdicts,
    pub least_margin: Option<f64>,
    pub largest_bound: Option<f64>,
    pub test_mistakes: Option<usize>,
    pub test_error: Option<f64>,
    /// Of real labels: mean of the squared distances on the test sample.
    pub test_squared: Option<f64>,
    /// √(Σ α_cᵀ K α_c), all outputs together.
    pub norm: f64,
    pub norm_of_outputs: Vec<f64>,
    /// The same of outputs less their mean over the outputs.
    pub norm_centred: f64,
    /// √(Σ |α_c|²).
    pub coefficients: f64,
    /// Beside the solution in fractions, where it was asked for.
    #[serde(default)]
    pub exact: Option<ExactRecord>,
    pub model: String,
    pub certificate: String,
}

/// A model beside the exact solution of its system.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ExactRecord {
    /// √(Σ α_cᵀ K α_c) of the exact α, to the nearest number but for the root.
    pub norm: Option<f64>,
    /// The largest |α̂ − α|, over the largest |α|; 0 if all are 0.
    pub coefficient_error: Option<f64>,
    /// Why there is no exact solution.
    pub reason: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Validated {
    pub kernel: String,
    pub fitted: usize,
    pub held_out: usize,
    /// null where there was no fit.
    pub error: Option<f64>,
    pub reason: Option<String>,
}

/// A row of the paper's Table 3.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PaperRecord {
    pub test_error: f64,
    pub norm: Option<f64>,
}

impl Record for KernelRecord {
    const FORMAT: &'static str = "shatter kernel 1";
}

impl KernelRecord {
    /// Every point of every labelling is proved to fit.
    pub fn fitted(&self) -> bool {
        self.labellings.iter().all(|one| one.verdicts.undecided + one.verdicts.misfit == 0)
    }
}
