//! A fitted kernel machine, and what it predicts.

use shatter_exact::Rational;
use shatter_sample::Labels;

use super::blocks::Blocks;
use super::features::{Features, FeaturesError};
use super::kernel::{Kernel, KernelError};
use super::watch::{Counter, Phase, Stopped, Watch};

/// What outputs mean.
#[derive(Clone, Debug, PartialEq)]
pub enum Meaning {
    /// One output a class: the largest says the class. Names of the classes, in the order of outputs.
    Classes(Vec<String>),
    /// Real labels of so many numbers.
    Real(usize),
}

impl Meaning {
    /// Of labels.
    #[must_use]
    pub fn of(labels: &Labels) -> Meaning {
        match labels {
            Labels::Classes { count, .. } => {
                Meaning::Classes((0..*count).map(|class| labels.name(class).into_owned()).collect())
            }
            Labels::Real { outputs, .. } => Meaning::Real(*outputs),
        }
    }

    /// Numbers that a point gets.
    #[must_use]
    pub fn outputs(&self) -> usize {
        match self {
            Meaning::Classes(names) => names.len(),
            Meaning::Real(outputs) => *outputs,
        }
    }

    /// The output of each label: that of its class, by name. Empty for real labels.
    ///
    /// ```
    /// use shatter_kernel::Meaning;
    /// use shatter_sample::Labels;
    /// let meaning = Meaning::Classes(vec!["1".into(), "0".into()]);
    /// assert_eq!(meaning.columns(3, &Labels::classes(vec![0, 0, 1], 2)?)?, [1, 1, 0]);
    /// assert!(meaning.columns(1, &Labels::real(vec![0.5], 1)?).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`ModelError::Labels`], [`ModelError::Class`], [`ModelError::Kind`].
    pub fn columns(&self, points: usize, labels: &Labels) -> Result<Vec<usize>, ModelError> {
        if labels.len() != points {
            return Err(ModelError::Labels { points, labels: labels.len() });
        }
        let found = Meaning::of(labels);
        let (names, of) = match (self, labels) {
            (Meaning::Classes(names), Labels::Classes { of, .. }) => (names, of),
            (Meaning::Real(outputs), Labels::Real { outputs: found, .. }) if outputs == found => {
                return Ok(Vec::new());
            }
            _ => {
                let words = |meaning: &Meaning| match meaning {
                    Meaning::Classes(names) => format!("{} classes", names.len()),
                    Meaning::Real(outputs) => format!("{outputs} real numbers"),
                };
                let (model, labels) = (words(self), words(&found));
                return Err(ModelError::Kind { model, labels });
            }
        };
        let Meaning::Classes(theirs) = found else { return Ok(Vec::new()) };
        let place = |name: &String| names.iter().position(|own| own == name);
        let places: Vec<Option<usize>> = theirs.iter().map(place).collect();
        let column = |(point, &class): (usize, &u32)| {
            places[class as usize].ok_or_else(|| ModelError::Class {
                point,
                class: theirs[class as usize].clone(),
                outputs: names.len(),
            })
        };
        of.iter().enumerate().map(column).collect()
    }
}

/// Where a model comes from, in texts that its file keeps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The SAMPLE text of the training set.
    pub sample: String,
    /// SHA-256 of the distinct points and the labels that were fitted (`fingerprint_labelled` of `shatter-sample`).
    pub sample_digest: String,
    /// The rule that gave the labels, such as `corrupted:0.5 seed=1`.
    pub labels: String,
    /// How features were made of points, such as `pixels` or `gabor:scales=4`.
    pub features: String,
    /// What was done to points before.
    pub preprocess: String,
}

/// f(x) = Σ_j α_j k(x, x_j), with one column of α an output.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// The kernel.
    pub kernel: Kernel,
    /// The centres x_j: m distinct points.
    pub centres: Features,
    /// α, m × outputs, row-major.
    pub coefficients: Vec<f64>,
    /// What outputs mean.
    pub meaning: Meaning,
    /// Where it comes from.
    pub origin: Origin,
}

/// A model that does not suit points or labels.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ModelError {
    /// Points of another shape.
    #[error(transparent)]
    Features(#[from] FeaturesError),
    /// A parameter of the kernel.
    #[error(transparent)]
    Kernel(#[from] KernelError),
    /// The watcher stopped the computation.
    #[error(transparent)]
    Stopped(#[from] Stopped),
    /// Not one label a point.
    #[error("{labels} labels for {points} points; expected one a point")]
    Labels {
        /// How many points.
        points: usize,
        /// How many labels.
        labels: usize,
    },
    /// The model has no output for a class.
    #[error("class '{class}' of point {point} is not one of the {outputs} classes of the model")]
    Class {
        /// The point.
        point: usize,
        /// Its class.
        class: String,
        /// Classes of the model.
        outputs: usize,
    },
    /// Classes where the model has real outputs, or the other way round, or another number of outputs.
    #[error("the model gives {model}, and the labels are {labels}")]
    Kind {
        /// What the model gives.
        model: String,
        /// What the labels are.
        labels: String,
    },
    /// Not one row of coefficients a centre.
    #[error("{coefficients} coefficients for {centres} centres of {outputs} outputs")]
    Coefficients {
        /// How many there are.
        coefficients: usize,
        /// Centres.
        centres: usize,
        /// Outputs.
        outputs: usize,
    },
}

/// Outputs at points.
#[derive(Clone, Debug, PartialEq)]
pub struct Outputs {
    /// n × outputs, row-major.
    pub values: Vec<f64>,
    /// Bounds on |value − f(x)|, n × outputs; empty where they were not asked for. NaN or infinite where nothing is known.
    pub bounds: Vec<f64>,
}

impl Model {
    /// Number of outputs.
    #[must_use]
    pub fn outputs(&self) -> usize {
        self.meaning.outputs()
    }

    /// Refuses a kernel with parameters for which nothing is proved, and coefficients that are not one row a centre.
    pub(crate) fn checked(&self) -> Result<(), ModelError> {
        self.kernel.checked()?;
        let (centres, outputs) = (self.centres.rows(), self.outputs());
        if outputs == 0 || centres.checked_mul(outputs) != Some(self.coefficients.len()) {
            let coefficients = self.coefficients.len();
            return Err(ModelError::Coefficients { coefficients, centres, outputs });
        }
        Ok(())
    }

    /// Outputs at points; with bounds on their errors in real arithmetic if they are asked for ([`certify`](crate::certify)).
    ///
    /// ```
    /// use shatter_kernel::{Features, Kernel, Meaning, Model, Numbers, Origin, unwatched};
    /// let centres = Features::new(Numbers::F64(vec![0.0, 1.0]), 1, 1.0)?;
    /// let model = Model {
    ///     kernel: Kernel::Rational { gamma: 1.0 },
    ///     centres: centres.clone(),
    ///     coefficients: vec![1.0, 2.0],
    ///     meaning: Meaning::Real(1),
    ///     origin: Origin::default(),
    /// };
    /// let outputs = model.predict(&centres, true, &mut unwatched)?;
    /// assert_eq!(outputs.values, [2.0, 2.5]);
    /// assert!(outputs.bounds.iter().all(|&bound| bound < 1e-14));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`ModelError::Kernel`], [`ModelError::Features`], [`ModelError::Coefficients`], [`ModelError::Stopped`].
    pub fn predict(
        &self,
        points: &Features,
        bounded: bool,
        watch: &mut Watch,
    ) -> Result<Outputs, ModelError> {
        let phase = if bounded { Phase::Certify } else { Phase::Predict };
        self.checked()?;
        // Half of the work where the points are the centres.
        let points = if points.is(&self.centres) { &self.centres } else { points };
        let blocks = Blocks::new(self.kernel, points, &self.centres)?;
        let mut done = Counter::new(watch, phase, blocks.work());
        let times = blocks.times(&self.coefficients, self.outputs(), bounded, &mut done)?;
        Ok(Outputs { values: times.values, bounds: times.bounds })
    }

    /// The output of each label.
    pub(crate) fn columns(&self, points: usize, labels: &Labels) -> Result<Vec<usize>, ModelError> {
        self.meaning.columns(points, labels)
    }

    /// How many points get another class than their label; `None` for real labels.
    ///
    /// # Errors
    /// [`ModelError::Labels`], [`ModelError::Class`], [`ModelError::Kind`].
    pub fn mistakes(
        &self,
        outputs: &Outputs,
        labels: &Labels,
    ) -> Result<Option<usize>, ModelError> {
        let width = self.outputs();
        let columns = self.columns(outputs.values.len() / width, labels)?;
        if matches!(self.meaning, Meaning::Real(_)) {
            return Ok(None);
        }
        let wrong = columns.iter().zip(outputs.values.chunks(width));
        Ok(Some(wrong.filter(|(column, row)| largest(row) != **column).count()))
    }

    /// The mean of |f(x) − y|² over the points; `None` for classes.
    ///
    /// # Errors
    /// [`ModelError::Labels`], [`ModelError::Kind`].
    pub fn mean_square_error(
        &self,
        outputs: &Outputs,
        labels: &Labels,
    ) -> Result<Option<f64>, ModelError> {
        let n = outputs.values.len() / self.outputs();
        self.columns(n, labels)?;
        let Labels::Real { values, .. } = labels else { return Ok(None) };
        let sum: f64 = outputs.values.iter().zip(values).map(|(f, y)| (f - y) * (f - y)).sum();
        Ok(Some(sum / n as f64))
    }
}

/// The first of the largest numbers.
fn largest(row: &[f64]) -> usize {
    let better = |best: usize, at: usize| if row[at] > row[best] { at } else { best };
    (0..row.len()).fold(0, better)
}

/// The number of a class or label that a model is to give: 1 for the class and 0 for the others, or the numbers of a real label.
pub(crate) fn targets(labels: &Labels) -> Vec<f64> {
    match labels {
        Labels::Classes { of, count, .. } => {
            let count = *count as usize;
            let mut targets = vec![0.0; of.len() * count];
            of.iter().enumerate().for_each(|(i, &class)| targets[i * count + class as usize] = 1.0);
            targets
        }
        Labels::Real { values, .. } => values.clone(),
    }
}

/// The same, exactly.
pub(crate) fn exact_targets(labels: &Labels) -> Vec<Rational> {
    // Labels are finite.
    let exact = |x: f64| shatter_exact::Dyadic::try_from(x).map(|x| x.to_rational());
    targets(labels).into_iter().map(|x| exact(x).unwrap_or(Rational::ZERO)).collect()
}
