//! Networks that memorize, built exactly, certified and verified.
//!
//! A class of functions *shatters* a sample when it realises every labelling of it. Zhang, Bengio,
//! Hardt, Recht and Vinyals (ICLR 2017, Theorem 1) proved that two-layer ReLU networks with 2n + d
//! weights shatter every sample of n distinct points in R^d. This library builds those networks:
//!
//! ```
//! use shatter::{certify, check, construct, sample};
//! use construct::{Construction, DepthTwo, Task, ThresholdRule};
//!
//! let raw = sample::load("gaussian:n=50,d=3", 1)?;
//! let sample = raw.clone().distinct(sample::LabelRule::Random, 1)?;
//! let theorem = DepthTwo { threshold: ThresholdRule::Zigzag };
//! let network = theorem.build(&Task::new(&sample.points, &sample.labels, 1))?;
//!
//! let mut certificate = Vec::new();
//! certify::write_certificate(&mut certificate, &network, "mine", &sample, theorem.target())?;
//! assert_eq!(check::check(&certificate[..], raw)?.points, 50);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! * Data: [`sample`], [`prepare`], in numbers of [`exact`].
//! * Networks: [`network`], [`load`] and [`interchange`] for their files, [`plain`] to evaluate them.
//! * Fits: [`construct`], [`compare`], [`verify`]; [`certify`] writes proofs of them, [`check`] verifies
//!   these, [`judge`] decides for any network.
//! * Linear models: [`regression`].
//! * What does not fit: [`obstruct`], and `claims` (feature `claims`).
//! * What theories say of a network: [`measure`].
//! * Linear and kernel models: [`regression`], [`kernel`] on [`feature`] maps.
//! * Training: [`train`], on a [`device`].
//! * [`figure`] draws the records of all of these.
//!
//! Each module gathers the items of a package (`shatter-sample` and so on) that are meant to be called from outside.
//! The packages have more public items, for each other; those may change with every version.

pub mod sample {
    //! Points and labels: read from files, drawn, or made of rows and slices.
    #[doc(inline)]
    pub use shatter_sample::fingerprint::{fingerprint, fingerprint_labelled};
    #[doc(inline)]
    pub use shatter_sample::{
        Base, LabelRule, Labels, Merged, Points, RawSample, Recipe, Sample, SampleError, Scale,
        Shape, Target, Values, load,
    };
}

pub mod exact {
    //! Exact numbers: integers, fractions, dyadic numbers and lattices of them.
    #[doc(inline)]
    pub use shatter_exact::{Dyadic, Element, Format, Integers, Lattice, NotFinite};
    /// Integers and fractions of the crates dashu-int and dashu-ratio.
    #[doc(no_inline)]
    pub use shatter_exact::{IBig, Rational};
}

pub mod network {
    //! Networks: explicit ones in exact numbers, architectures, and the graph that every network becomes.
    //!
    //! ```
    //! use shatter::network::{Architecture, Layer};
    //! use shatter::sample::Shape;
    //!
    //! let input = Shape { channels: 3, height: 28, width: 28 };
    //! let network = Architecture::named("mlp1x512", input, 10)?;
    //! assert_eq!(network.parameters()?, 1_209_866);
    //! assert!(network.layers.contains(&Layer::Relu));
    //! # Ok::<(), Box<dyn std::error::Error>>(())
    //! ```

    #[doc(inline)]
    pub use shatter_network::architecture::{
        Architecture, ArchitectureError, Layer, Mlp, Parameter, ParameterKind, Pool, Window,
    };
    #[doc(inline)]
    pub use shatter_network::evaluate::{ExactResidual, brute_force, exact_residual};
    #[doc(inline)]
    pub use shatter_network::exactly::{outputs, residual};
    #[doc(inline)]
    pub use shatter_network::graph::{Affine, Graph, GraphError, Operator, SlidingWindow, Step};
    #[doc(inline)]
    pub use shatter_network::projection::{project, project_float};
    #[doc(inline)]
    pub use shatter_network::reading::{How, ReadingError};
    #[doc(inline)]
    pub use shatter_network::{
        Activation, Counts, ExactLabels, ExactNetwork, ExactPoints, FloatExactness, FloatNetwork,
        Layered, LayeredExactness, Misfit, Network, Predictor, Reading, Sizes, TwoLayer, Unit,
        first_misfit,
    };
}

pub mod plain {
    //! The plain forward pass of a graph, in binary32 or binary64.
    #[doc(inline)]
    pub use shatter_plain::*;
}

pub mod regression {
    //! Linear models: the one of least norm, what gradient descent finds, and what tells interpolants apart.
    //!
    //! ```
    //! use shatter::regression::{Design, Factor, Targets, exact};
    //!
    //! // Three points of the plane, and labels of which no linear function meets more than two.
    //! let points = Design::new(vec![1.0, 0.0, 0.0, 1.0, 1.0, 1.0], 2, false)?;
    //! let labels = Targets::new(vec![1.0, 1.0, 5.0], 1)?;
    //! let found = Factor::new(&points)?.minimum_norm(&labels)?;
    //! assert!(!found.fits && found.misfits == [0, 1, 2]);
    //!
    //! // The same without rounding: the least squares solution is (2, 2).
    //! let two = exact::minimum_norm(&exact::points(&points), &exact::targets(&labels, 0))?;
    //! assert_eq!(two.weights, exact::row(&[2.0, 2.0]));
    //! # Ok::<(), shatter::regression::RegressionError>(())
    //! ```

    #[doc(inline)]
    pub use shatter_regression::*;
}

pub mod construct {
    //! Constructions: from a sample to a network that fits it, in exact arithmetic. [`all`] lists them, [`find`] takes
    //! a name.
    #[doc(inline)]
    pub use shatter_construct::catalogue::{all, find};
    #[doc(inline)]
    pub use shatter_construct::{
        Assumption, Bound, ChosenDirection, ConstructError, Construction, DepthTwo, DirectionRule,
        Fit, Promise, Task, ThresholdRule,
    };
}

pub mod certify {
    //! Certificates: written, and read back as networks. [`check`](super::check) verifies them.
    #[doc(inline)]
    pub use shatter_certify::integers::{IntegersError, write_integers};
    #[doc(inline)]
    pub use shatter_certify::read::read;
    #[doc(inline)]
    pub use shatter_certify::{File, ReadError, Statement, write_certificate, write_network};
}

pub mod check {
    //! The independent checker of certificates.
    #[doc(inline)]
    pub use shatter_check::{Accepted, Rejection, bind, check, check_within};
}

pub mod judge {
    //! Decides whether a network fits each point, in real arithmetic and at every runtime of a named model.
    //!
    //! ```
    //! use shatter::judge::{Effort, Runtime, Verdict, judge};
    //! use shatter::network::{Affine, Graph, Operator, Step};
    //! use shatter::{exact::Format, sample};
    //!
    //! // f(x) = x on the points 3 and -2 with the real labels 3 and -1: the first is fitted, the second is not.
    //! let points = sample::Points::try_from(vec![vec![3.0], vec![-2.0]])?;
    //! let labels = sample::Labels::try_from(vec![3.0, -1.0])?;
    //! let affine = Affine { weights: vec![1.0], inputs: 1, outputs: 1, bias: vec![0.0] };
    //! let step = Step::new(Operator::Dense(affine), 0, vec![1]);
    //! let graph = Graph { precision: Format::F32, input: vec![1], steps: vec![step] };
    //! let (_, judged) = judge(&graph, &points, &labels, Runtime::Ieee, Effort::default())?;
    //! let verdicts: Vec<Verdict> = judged.iter().map(|one| one.verdict).collect();
    //! assert_eq!(verdicts, [Verdict::Exact, Verdict::Misfit]);
    //! # Ok::<(), Box<dyn std::error::Error>>(())
    //! ```

    #[doc(inline)]
    pub use shatter_judge::{
        Decided, Effort, JudgeError, Judged, Runtime, Verdict, Walks, decide, judge,
    };
}

pub mod load {
    //! One loader for every file that holds a network.
    #[doc(inline)]
    pub use shatter_interchange::load::{
        Explicit, FileKind, LoadError, LoadOptions, Loaded, LoadedNetwork, Origin, Trained,
        TrainingRun, Weights, load, weights,
    };
}

pub mod interchange {
    //! ONNX, safetensors, NPZ and JSON files, written and read.
    #[doc(inline)]
    pub use shatter_interchange::{
        Converter, ExactArray, Floats, InterchangeError, NamedArray, Rounded, json, npz, onnx,
        tensors,
    };
}

pub mod obstruct {
    //! What cannot be fitted, each with a certificate that is checked again.
    //!
    //! ```
    //! use shatter::obstruct::{DimensionBound, Obstruction};
    //!
    //! let obstruction = Obstruction::from(DimensionBound::new(&"2-3-1".parse()?, 11)?);
    //! assert!(obstruction.check().is_ok());
    //! assert!(obstruction.statement().starts_with("almost no real labels of any 11 points"));
    //! # Ok::<(), Box<dyn std::error::Error>>(())
    //! ```

    #[doc(inline)]
    pub use shatter_obstruct::{
        AlternationBound, BitBound, CoverBound, DimensionBound, GrowthBound, Impossibility,
        Inseparable, LabelledLine, NotMonotone, ObstructError, Obstruction, PieceBound,
        TooFewThresholds,
    };
}

pub mod measure {
    //! What the theories say of a network: norms, margins, counts, and bounds of the test error with the assumptions
    //! that they check.
    //!
    //! ```
    //! use shatter::measure::occam;
    //!
    //! // A network of 800 bits that makes no mistakes on 10,000 training points.
    //! let bound = occam::bound(800, 0, 10_000, 0.05)?;
    //! assert!(bound.says.is_some_and(|error| error < 0.06));
    //! # Ok::<(), Box<dyn std::error::Error>>(())
    //! ```

    #[doc(inline)]
    pub use shatter_measure::{
        Assumption, Enclosure, Finding, Kind, Margins, MeasureError, Norms, Perceptron, Subject,
        Vacuity, bartlett, capacity, contrast, counts, golowich, kendall, kl, neyshabur, occam,
        pac_bayes, path, posterior, rademacher, sharpness, stability, survey, vc,
    };
}

#[cfg(feature = "claims")]
pub mod claims {
    //! Claims about what networks fit, tested on generated samples; and a harness for claims of one's own.
    //!
    //! ```
    //! use shatter::claims::{catalogue, run};
    //!
    //! let theorem = catalogue::find("1").into_iter().collect::<Vec<_>>();
    //! let report = run(&theorem, 4, 1, &mut |_| {});
    //! assert!(report.as_stated);
    //! ```

    #[doc(inline)]
    pub use shatter_claims::*;
}

pub mod compare {
    //! Every construction on one sample, as far as each goes in the time given.
    //!
    //! ```
    //! use shatter::{compare, sample};
    //!
    //! let sample = sample::load("lattice:n=20,d=2", 1)?.distinct(sample::LabelRule::Random, 1)?;
    //! let few = compare::CompareOptions { only: vec!["depth-two-zigzag".into(), "width-two".into()], ..Default::default() };
    //! let comparison = compare::run(&sample, &few, &mut |_| {})?;
    //! assert!(comparison.holds());
    //! println!("{}", comparison.table());
    //! # Ok::<(), Box<dyn std::error::Error>>(())
    //! ```

    #[doc(inline)]
    pub use shatter_compare::*;
}

pub mod verify {
    //! Lemma 1 and Theorem 1 over grids.
    //!
    //! ```
    //! use shatter::verify;
    //!
    //! let report = verify::run(&verify::Grid::quick(), &mut |_| {})?;
    //! assert!(report.verdict().verified);
    //! # Ok::<(), Box<dyn std::error::Error>>(())
    //! ```

    #[doc(inline)]
    pub use shatter_verify::{
        Answers, CheckedStatement, Decision, Deviation, EvenRow, Fitted, Grid, GridProgress,
        Instances, LemmaRow, Limits, TheoremArithmetic, TheoremRow, Verification, VerifyError, run,
    };
}

pub mod prepare {
    //! From a sample to a training set: the conditions of the paper, preprocessing, augmentation.
    //!
    //! ```
    //! use shatter::prepare::{Condition, Preprocess, prepare};
    //! use shatter::sample;
    //!
    //! let raw = sample::load("gaussian:n=60,d=8,classes=3", 1)?;
    //! let plain = Preprocess { scale: false, crop: None, whiten: false };
    //! let random: Condition = "random".parse()?;
    //! let (train, _) = prepare::<f32>(&raw, None, random, &plain, 1, false)?;
    //! assert_eq!(train.values.len(), 60 * 8);
    //! assert!(train.changed.iter().any(|&changed| changed));
    //! # Ok::<(), Box<dyn std::error::Error>>(())
    //! ```

    #[doc(inline)]
    pub use shatter_prepare::preprocess::relabel;
    #[doc(inline)]
    pub use shatter_prepare::{Augmentation, Condition, NotTrained, Prepared, Preprocess, prepare};
}

pub mod feature {
    //! Feature maps of images: a Gabor filter bank, random convolutions with whitened patches; in blocks.
    //!
    //! ```
    //! use shatter::feature::{FeatureMap, Images};
    //! use shatter::sample::{Points, Values};
    //!
    //! let points = Points::new(Values::U8((0..200).collect()), vec![10, 10])?;
    //! let images = Images::new(&points)?;
    //! let bank = FeatureMap::learn("gabor:cell=5".parse()?, &images, 0)?;
    //! let mut features = vec![0.0f64; 2 * bank.columns()];
    //! bank.block(&images, 0..2, 0..bank.columns(), &mut features)?;
    //! assert_eq!(bank.columns(), 8 * 2 * 2);
    //! # Ok::<(), Box<dyn std::error::Error>>(())
    //! ```

    #[doc(inline)]
    pub use shatter_feature::gabor::{Gabor, GaborSettings};
    #[doc(inline)]
    pub use shatter_feature::random_conv::{Filters, RandomConv, RandomConvSettings};
    #[doc(inline)]
    pub use shatter_feature::{FeatureChoice, FeatureError, FeatureMap, Images, Whitening};
}

pub mod kernel {
    //! Kernel interpolation, f(x) = Σ_j α_j k(x, x_j), with a proof that every training point is fitted.
    //!
    //! ```
    //! use shatter::kernel::{Features, Settings, certify, fit, unwatched};
    //! use shatter::sample;
    //!
    //! let sample = sample::load("gaussian:n=60,d=3,classes=3", 1)?;
    //! let sample = sample.distinct(sample::LabelRule::Random, 1)?;
    //! let points = Features::of_points(&sample.points, 1.0)?;
    //! let settings = Settings::new("gaussian:gamma=0.5".parse()?);
    //! let fitted = fit(&points, &[&sample.labels], &settings, &mut unwatched)?;
    //! let decided = certify(&fitted.models[0], &points, &sample.labels, 0.0, &mut unwatched)?;
    //! assert_eq!(decided.counts.fit(), 60);
    //! # Ok::<(), Box<dyn std::error::Error>>(())
    //! ```

    #[doc(inline)]
    pub use shatter_kernel::certify::certify;
    #[doc(inline)]
    pub use shatter_kernel::{
        Arithmetic, Counts, Decided, Features, FeaturesError, FitError, Fitted, Judged, Kernel,
        KernelError, Meaning, Model, ModelError, Norms, Numbers, Origin, Outputs, Phase, Progress,
        Report, Settings, Solver, Stopped, Verdict, certificate, exact, file, fit, unwatched,
    };
}

pub mod device {
    //! Where networks are trained: a processor, or (feature `cuda`) a GPU.
    #[doc(inline)]
    pub use shatter_device::cpu::Cpu;
    #[cfg(feature = "cuda")]
    #[doc(inline)]
    pub use shatter_device::cuda::Cuda;
    #[doc(inline)]
    pub use shatter_device::{Arithmetic, Device, DeviceError};
}

pub mod train {
    //! Training on true and randomized data, with records, checkpoints and exact resumption.
    //!
    //! ```
    //! use shatter::device::Cpu;
    //! use shatter::network::Architecture;
    //! use shatter::prepare::{Condition, Preprocess, prepare};
    //! use shatter::train::{Data, DataIdentity, Settings, Trainer};
    //! use shatter::{load, sample};
    //!
    //! // Sixteen points with random labels, memorized by 32 hidden units.
    //! let raw = sample::load("gaussian:n=16,d=8,classes=2", 1)?;
    //! let plain = Preprocess { scale: false, crop: None, whiten: false };
    //! let (train, _) = prepare::<f32>(&raw, None, "random".parse::<Condition>()?, &plain, 1, false)?;
    //! let network = Architecture::named("mlp:32", train.shape, 2)?;
    //! let identity = DataIdentity::named("sixteen points");
    //! let data = Data { train: &train, test: None, whiten: false, identity };
    //! let settings = Settings { batch: 16, ..Settings::paper(0.1) };
    //! let mut trainer = Trainer::new(&Cpu, network, data, settings)?;
    //! while trainer.evaluate_training()?[0].accuracy != Some(1.0) {
    //!     trainer.steps(1)?;
    //!     trainer.end_epoch();
    //! }
    //!
    //! // Its checkpoint is a file of a network like any other.
    //! let folder = tempfile::tempdir()?;
    //! let path = folder.path().join("checkpoint.safetensors");
    //! trainer.checkpoint(0)?.save(&path, 0)?;
    //! let loaded = load::load(&path, &load::LoadOptions::default())?;
    //! assert_eq!(loaded.graph()?.outputs(), 2);
    //! # Ok::<(), Box<dyn std::error::Error>>(())
    //! ```
    //!
    //! `examples/randomize.rs` runs a randomization test, each run in a folder of its own.

    #[doc(inline)]
    pub use shatter_train::randomize;
    #[doc(inline)]
    pub use shatter_train::run::{Flow, Folder, Held, Left, RunError, run_together};
    #[doc(inline)]
    pub use shatter_train::table1;
    #[doc(inline)]
    pub use shatter_train::{
        Checkpoint, CheckpointError, Data, DataIdentity, Ended, Identity, Initialization, Line,
        Loss, Measured, Order, Progress, Settings, Summary, TrainError, Trainer, load_weights,
        measured,
    };
}

pub mod figure {
    //! Figures, drawn from records as SVG and PNG.
    #[doc(inline)]
    pub use shatter_figure::{
        AxisScale, Curve, CurveStyle, Emphasis, FigureError, FittedFunction, FittedPanel,
        GROWTH_LABELS, GrowthFigure, GrowthLimit, GrowthSeries, Plot, Rendered, ResidualFigure,
        ResidualSeries, ResidualValue, SeedRun, draw, randomization,
    };
}

/// The examples of the README and of the page for contributors are compiled and run.
#[cfg(doctest)]
mod pages {
    #[doc = include_str!("../README.md")]
    struct Readme;

    #[doc = include_str!("../CONTRIBUTING.md")]
    struct Contributing;
}
