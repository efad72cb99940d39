//! From a sample to the numbers that networks train on (Zhang et al. 2017, appendix A): centre
//! crop, the condition on the pixels, division by 255, and per-image whitening.
//!
//! Whitening takes the N = channels·height·width values of one image jointly to
//! (x − mean) / max(std, 1/√N), std being that of the population. The floor keeps images that are
//! almost constant from being blown up; a constant image becomes exactly zero. All is computed in
//! f64, image by image in parallel, and rounded once, to the numbers of the network. The cost is a
//! few operations a value, and memory for the result alone.

use std::sync::Arc;

use num_traits::Float;
use rand::Rng;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use shatter_random::stream::{Purpose, stream};

use super::condition::Pixels;
use crate::Condition;
use crate::window::{Window, shape_of};
use shatter_sample::{LabelRule, Labels, RawSample, Recipe, SampleError, Shape};

/// The preparation of every image, besides the [`Condition`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preprocess {
    /// Bytes are divided by 255. Integers that stand for decimals (`scale=10^k`) always become
    /// those again; other values are taken as they are.
    pub scale: bool,
    /// Side of the square that is cut out of the middle.
    pub crop: Option<usize>,
    /// Per-image whitening.
    pub whiten: bool,
}

impl Preprocess {
    /// The paper's, for images of this shape: scaled, cropped to 28 × 28 if both sides are longer,
    /// and whitened if it is an image at all.
    ///
    /// ```
    /// use shatter_sample::Shape;
    /// use shatter_prepare::Preprocess;
    /// let paper = |sides: &[usize]| Shape::from_shape(sides).map(Preprocess::paper).unwrap();
    /// assert_eq!(paper(&[3, 32, 32]), Preprocess { scale: true, crop: Some(28), whiten: true });
    /// assert_eq!(paper(&[28, 28]), Preprocess { scale: true, crop: None, whiten: true });
    /// assert_eq!(paper(&[10]), Preprocess { scale: true, crop: None, whiten: false });
    /// ```
    #[must_use]
    pub fn paper(shape: Shape) -> Preprocess {
        let larger = shape.height > 28 && shape.width > 28;
        Preprocess { scale: true, crop: larger.then_some(28), whiten: shape.is_image() }
    }
}

/// Images and labels to train on, or to test with.
#[derive(Clone, Debug, PartialEq)]
pub struct Prepared<T> {
    /// Shape of one image.
    pub shape: Shape,
    /// The images one after the other: n × channels × height × width numbers, which several with
    /// other labels may hold ([`relabel`]).
    pub values: Arc<Vec<T>>,
    /// One label each.
    pub labels: Labels,
    /// For each image, true if its label differs from the sample's own.
    pub changed: Vec<bool>,
}

/// Prepares a training sample, and a test sample with it: crop, `condition`, division by 255,
/// whitening. The result depends on the arguments alone, not on the number of threads.
///
/// Labels of the test sample stay its own unless `randomize_test`; they are then drawn as those of
/// the training sample, with the first word of the stream [`Purpose::TestLabels`] as their seed.
///
/// ```
/// use shatter_prepare::{Condition, Preprocess};
/// use shatter_sample::{LabelRule, Labels, Points, RawSample, Shape, Values};
/// use shatter_prepare::prepare;
/// let points = Points::new(Values::U8(vec![0, 51, 102, 255, 7, 7, 7, 7]), vec![2, 2])?;
/// let raw = RawSample { text: "two".into(), points, labels: Labels::classes(vec![0, 1], 2)? };
/// let plain = Preprocess { scale: true, crop: None, whiten: false };
/// let own = Condition::Labels(LabelRule::True);
/// let (train, test) = prepare::<f64>(&raw, None, own, &plain, 1, false)?;
/// assert_eq!(train.shape, Shape { channels: 1, height: 2, width: 2 });
/// assert_eq!(train.values[..4], [0.0, 0.2, 0.4, 1.0]);
/// assert!(test.is_none());
/// let white = Preprocess { whiten: true, ..plain };
/// let (train, _) = prepare::<f32>(&raw, None, own, &white, 1, false)?;
/// assert_eq!(train.values[4..], [0.0; 4]); // the constant image
/// # Ok::<(), shatter_sample::SampleError>(())
/// ```
///
/// # Errors
/// [`SampleError::NoImage`], [`SampleError::Crop`], [`SampleError::Condition`];
/// [`SampleError::Rule`] for corruption of real labels; [`SampleError::TestDiffers`] if shape, type
/// of values or classes of the two samples differ; [`SampleError::LabelCount`];
/// [`SampleError::TooMany`] if the samples together have more points than 32-bit indices name;
/// [`SampleError::OutOfRange`] if a value does not fit `T`.
pub fn prepare<T: Float + Send + Sync>(
    train: &RawSample,
    test: Option<&RawSample>,
    condition: Condition,
    preprocess: &Preprocess,
    seed: u64,
    randomize_test: bool,
) -> Result<(Prepared<T>, Option<Prepared<T>>), SampleError> {
    if let Some(test) = test {
        check_alike(train, test)?;
    }
    let window = Window::new(&train.points, preprocess.crop, preprocess.scale)?;
    let shape = window.shape;
    let pixels = Pixels::new(condition, window, &train.points, seed)?;
    let all = train.points.n().saturating_add(test.map_or(0, |test| test.points.n()));
    if u32::try_from(all).is_err() {
        return Err(SampleError::TooMany(all));
    }
    let one = |raw: &RawSample, before: usize, recipe: Recipe| {
        let (points, own) = (raw.points.n(), &raw.labels);
        if points != own.len() {
            return Err(SampleError::LabelCount { points, labels: own.len() });
        }
        let labels = recipe.apply(own);
        let changed = (0..points).map(|i| !own.agrees_with(&labels, i)).collect();
        let values = images(raw, before, &pixels, shape, preprocess.whiten)?.into();
        Ok(Prepared { shape, values, labels, changed })
    };
    let rule = condition.label_rule();
    let trained = one(train, 0, Recipe::new(rule, &train.labels, seed)?)?;
    let tested = match test {
        None => None,
        Some(test) => {
            let recipe = test_recipe(condition, &test.labels, seed, randomize_test)?;
            Some(one(test, train.points.n(), recipe)?)
        }
    };
    Ok((trained, tested))
}

/// Gives prepared images the labels of another condition, one that changes labels alone: what
/// [`prepare`] makes of the same samples under that condition and seed, if it made `images` under
/// another such condition, without the room and the time for them.
///
/// ```
/// use shatter_prepare::{Condition, Preprocess};
/// use shatter_sample::{LabelRule, Labels, Points, RawSample, Values};
/// use shatter_prepare::preprocess::{prepare, relabel};
/// let points = Points::new(Values::U8((0..200).collect()), vec![2])?;
/// let labels = Labels::classes(vec![0; 100], 2)?;
/// let raw = RawSample { text: "hundred".into(), points, labels };
/// let plain = Preprocess { scale: true, crop: None, whiten: false };
/// let of = |condition| prepare::<f32>(&raw, None, condition, &plain, 7, false);
/// let (own, random) = (Condition::Labels(LabelRule::True), Condition::Labels(LabelRule::Random));
/// assert_eq!(relabel(&of(own)?, &raw, None, random, 7, false)?, of(random)?);
/// # Ok::<(), shatter_sample::SampleError>(())
/// ```
///
/// # Errors
/// [`SampleError::Condition`], if the condition changes pixels; as [`prepare`] for the labels.
pub fn relabel<T>(
    images: &(Prepared<T>, Option<Prepared<T>>),
    train: &RawSample,
    test: Option<&RawSample>,
    condition: Condition,
    seed: u64,
    randomize_test: bool,
) -> Result<(Prepared<T>, Option<Prepared<T>>), SampleError> {
    if condition.changes_pixels() {
        let reason = "it changes pixels".to_owned();
        return Err(SampleError::Condition { condition: condition.to_string(), reason });
    }
    let one = |of: &Prepared<T>, own: &Labels, recipe: Recipe| {
        let labels = recipe.apply(own);
        let changed = (0..own.len()).map(|i| !own.agrees_with(&labels, i)).collect();
        Prepared { shape: of.shape, values: Arc::clone(&of.values), labels, changed }
    };
    let rule = condition.label_rule();
    let trained = one(&images.0, &train.labels, Recipe::new(rule, &train.labels, seed)?);
    let (Some(of), Some(test)) = (&images.1, test) else { return Ok((trained, None)) };
    let tested = one(of, &test.labels, test_recipe(condition, &test.labels, seed, randomize_test)?);
    Ok((trained, Some(tested)))
}

/// The recipe for the labels of a test sample.
fn test_recipe(
    condition: Condition,
    labels: &Labels,
    seed: u64,
    randomize_test: bool,
) -> Result<Recipe, SampleError> {
    let rule = if randomize_test { condition.label_rule() } else { LabelRule::True };
    Recipe::new(rule, labels, stream(seed, Purpose::TestLabels).next_u64())
}

/// All images of `raw`, the first of which is number `before` of all.
fn images<T: Float + Send + Sync>(
    raw: &RawSample,
    before: usize,
    pixels: &Pixels,
    shape: Shape,
    whiten: bool,
) -> Result<Vec<T>, SampleError> {
    let mut values = vec![T::zero(); raw.points.n() * shape.len()];
    values.par_chunks_exact_mut(shape.len()).enumerate().for_each_init(
        || vec![0.0; shape.len()],
        |image, (i, output)| {
            // The caller has checked that all numbers fit.
            pixels.fill(&raw.points, i, (before + i) as u32, image);
            let whitening = whiten.then(|| Whitening::of(image.iter().copied()));
            for (out, &x) in output.iter_mut().zip(image.iter()) {
                *out = round(whitening.as_ref().map_or(x, |whitening| whitening.apply(x)));
            }
        },
    );
    match values.par_iter().position_first(|value| !value.is_finite()) {
        None => Ok(values),
        Some(at) => {
            Err(SampleError::OutOfRange { index: at / shape.len(), coordinate: at % shape.len() })
        }
    }
}

/// Shape, type of values and classes of both samples must be the same.
fn check_alike(train: &RawSample, test: &RawSample) -> Result<(), SampleError> {
    let differ = |property, train: String, test: String| {
        if train == test { Ok(()) } else { Err(SampleError::TestDiffers { property, train, test }) }
    };
    let shape = |raw: &RawSample| shape_of(&raw.points).map(|shape| shape.to_string());
    differ("images of shape", shape(train)?, shape(test)?)?;
    let type_name = |raw: &RawSample| raw.points.values().type_name();
    differ("values of type", type_name(train), type_name(test))?;
    let labels = |raw: &RawSample| match &raw.labels {
        Labels::Classes { count, names, .. } if names.is_empty() => format!("{count} classes"),
        Labels::Classes { count, names, .. } => format!("{count} classes ({})", names.join(", ")),
        Labels::Real { outputs, .. } => format!("{outputs} real outputs"),
    };
    differ("labels of", labels(train), labels(test))
}

/// The mean and deviation that per-image whitening removes.
pub(super) struct Whitening {
    mean: f64,
    deviation: f64,
}

impl Whitening {
    /// Measures one image, in two passes. Deviations from the first value make the mean of a
    /// constant image exact.
    pub(super) fn of(values: impl ExactSizeIterator<Item = f64> + Clone) -> Whitening {
        let count = values.len() as f64;
        let first = values.clone().next().unwrap_or(0.0);
        let mean = first + values.clone().map(|x| x - first).sum::<f64>() / count;
        let variance = values.map(|x| (x - mean).powi(2)).sum::<f64>() / count;
        // Dividing by infinity would pass for a constant image; NaN is noticed.
        let deviation = if variance.is_finite() { variance.sqrt() } else { f64::NAN };
        let floor = count.sqrt().recip();
        Whitening { mean, deviation: if deviation < floor { floor } else { deviation } }
    }

    pub(super) fn apply(&self, x: f64) -> f64 {
        (x - self.mean) / self.deviation
    }
}

/// To the nearest `T`; what no `T` can be near is not finite.
pub(super) fn round<T: Float>(x: f64) -> T {
    T::from(x).unwrap_or_else(T::nan)
}
