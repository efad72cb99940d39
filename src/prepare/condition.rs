//! The six conditions under which the paper trains (Zhang et al. 2017, section 2 and figure 1):
//! what is done to the labels or to the pixels of a sample, once, before training.
//!
//! With n training images, C classes and h × w positions after the crop:
//!
//! * `true`: nothing.
//! * `corrupted:P`: each label is redrawn with probability P among all C classes, so that about
//!   (1 − 1/C)·P of them change; a larger P changes a superset, to the same classes.
//! * `random`: all labels are redrawn, by other draws than those of `corrupted:1`.
//! * `shuffled-pixels`: one permutation of the h·w positions for all images, train and test.
//! * `random-pixels`: a permutation of its own for each image.
//! * `gaussian`: every value is drawn from the normal distribution with the mean and the variance
//!   of its channel over the training images (the paper leaves open whether the moments are those
//!   of a channel, and whether whitening comes before or after: here after).
//!
//! Channels of one position stay together. Test image i has number n + i where each image has a
//! random stream of its own, so it shares none with a training image.

use std::fmt;
use std::str::FromStr;

use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;

use shatter_random::stream::{Purpose, permutation, stream, stream_at};

use crate::window::Window;
use shatter_sample::{LabelRule, Points, SampleError, Shape};

/// Condition of a randomization test: a change of labels or pixels before training, a pure function of the sample
/// and a seed.
///
/// ```
/// use shatter_prepare::Condition;
/// use shatter_sample::LabelRule;
/// assert_eq!("corrupted:0.25".parse(), Ok(Condition::Labels(LabelRule::Corrupted(0.25))));
/// assert_eq!(Condition::ShuffledPixels.to_string(), "shuffled-pixels");
/// assert!("corrupted:2".parse::<Condition>().is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Condition {
    /// The pixels as they are, with labels by this rule.
    Labels(LabelRule),
    /// One permutation of the pixels for all images.
    ShuffledPixels,
    /// A permutation of the pixels for each image.
    RandomPixels,
    /// Normal numbers with the mean and variance of the training images, channel by channel.
    Gaussian,
}

impl Condition {
    /// Returns the rule for labels. Conditions on pixels leave labels true.
    ///
    /// ```
    /// use shatter_prepare::Condition;
    /// use shatter_sample::LabelRule;
    /// assert_eq!(Condition::Labels(LabelRule::Random).label_rule(), LabelRule::Random);
    /// assert_eq!(Condition::Gaussian.label_rule(), LabelRule::True);
    /// ```
    #[must_use]
    pub fn label_rule(self) -> LabelRule {
        match self {
            Condition::Labels(rule) => rule,
            Condition::ShuffledPixels | Condition::RandomPixels | Condition::Gaussian => {
                LabelRule::True
            }
        }
    }

    /// Returns true if it changes pixels.
    ///
    /// ```
    /// use shatter_prepare::Condition;
    /// use shatter_sample::LabelRule;
    /// assert!(Condition::RandomPixels.changes_pixels());
    /// assert!(!Condition::Labels(LabelRule::Corrupted(0.5)).changes_pixels());
    /// ```
    #[must_use]
    pub fn changes_pixels(self) -> bool {
        !matches!(self, Condition::Labels(_))
    }

    /// Checks that it applies to points of this shape.
    ///
    /// ```
    /// use shatter_prepare::Condition;
    /// use shatter_sample::Shape;
    /// let image = Shape { channels: 3, height: 28, width: 28 };
    /// assert!(Condition::Gaussian.check(image).is_ok());
    /// assert!(Condition::Gaussian.check(Shape::vector(7)).is_err());
    /// ```
    ///
    /// # Errors
    /// [`SampleError::Condition`], for conditions on pixels where there are none.
    pub fn check(self, shape: Shape) -> Result<(), SampleError> {
        if self.changes_pixels() && !shape.is_image() {
            let reason = format!("points of shape {shape} have one position and no pixels");
            return Err(SampleError::Condition { condition: self.to_string(), reason });
        }
        Ok(())
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Condition::ShuffledPixels => f.write_str("shuffled-pixels"),
            Condition::RandomPixels => f.write_str("random-pixels"),
            Condition::Gaussian => f.write_str("gaussian"),
            Condition::Labels(rule) => rule.fmt(f),
        }
    }
}

impl FromStr for Condition {
    type Err = String;

    fn from_str(text: &str) -> Result<Condition, String> {
        match text {
            "shuffled-pixels" => return Ok(Condition::ShuffledPixels),
            "random-pixels" => return Ok(Condition::RandomPixels),
            "gaussian" => return Ok(Condition::Gaussian),
            _ => {}
        }
        let rule: Result<LabelRule, _> = text.parse();
        rule.ok().and_then(|rule| rule.try_into().ok()).ok_or_else(|| {
            format!(
                "'{text}' is not a condition; expected true, corrupted:P (0 <= P <= 1), random, \
                 shuffled-pixels, random-pixels or gaussian"
            )
        })
    }
}

/// The rule is one that networks are not trained under: alternating labels, which are not the paper's.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("networks are not trained on {0} labels; expected true, random or corrupted:P")]
pub struct NotTrained(pub LabelRule);

impl TryFrom<LabelRule> for Condition {
    type Error = NotTrained;

    fn try_from(rule: LabelRule) -> Result<Condition, NotTrained> {
        match rule {
            LabelRule::Alternating => Err(NotTrained(rule)),
            LabelRule::True | LabelRule::Random | LabelRule::Corrupted(_) => {
                Ok(Condition::Labels(rule))
            }
        }
    }
}

/// Source of the values of images under a condition.
pub(super) struct Pixels {
    window: Window,
    seed: u64,
    rule: PixelRule,
}

enum PixelRule {
    /// From these positions of the image itself, the same for all images.
    Places(Vec<usize>),
    /// From the window, in an order of its own for each image.
    OrderEach(u32),
    /// From a normal distribution for each channel.
    Noise(Vec<Moments>),
}

struct Moments {
    mean: f64,
    deviation: f64,
}

impl Pixels {
    /// The pixels of a window into the training points under `condition`.
    pub(super) fn new(
        condition: Condition,
        window: Window,
        train: &Points,
        seed: u64,
    ) -> Result<Pixels, SampleError> {
        let refuse = |reason| SampleError::Condition { condition: condition.to_string(), reason };
        condition.check(window.shape)?;
        let positions = || {
            let positions = window.places.len();
            let most = u32::MAX;
            u32::try_from(positions)
                .map_err(|_| refuse(format!("expected at most {most} pixels; found {positions}")))
        };
        let rule = match condition {
            Condition::Labels(_) => PixelRule::Places(window.places.clone()),
            Condition::ShuffledPixels => {
                let order = permutation(&mut stream(seed, Purpose::Pixels), positions()?);
                PixelRule::Places(permuted(&window, &order))
            }
            Condition::RandomPixels => PixelRule::OrderEach(positions()?),
            Condition::Gaussian => PixelRule::Noise(moments(&window, train)),
        };
        Ok(Pixels { window, seed, rule })
    }

    /// Writes the image of point `i` of `points`, which is number `number` of all images.
    pub(super) fn fill(&self, points: &Points, i: usize, number: u32, image: &mut [f64]) {
        match &self.rule {
            PixelRule::Places(places) => self.window.load(points, i, places, image),
            PixelRule::OrderEach(positions) => {
                let mut rng = stream_at(self.seed, Purpose::Pixels, number);
                let places = permuted(&self.window, &permutation(&mut rng, *positions));
                self.window.load(points, i, &places, image);
            }
            PixelRule::Noise(channels) => {
                let mut rng = stream_at(self.seed, Purpose::Noise, number);
                let planes = image.chunks_exact_mut(self.window.places.len());
                for (plane, Moments { mean, deviation }) in planes.zip(channels) {
                    for value in plane {
                        let z: f64 = StandardNormal.sample(&mut rng);
                        *value = mean + deviation * z;
                    }
                }
            }
        }
    }
}

/// Position q takes what stands at position `order[q]` of the window.
fn permuted(window: &Window, order: &[u32]) -> Vec<usize> {
    order.iter().map(|&q| window.places[q as usize]).collect()
}

/// Mean and standard deviation (of the population) of each channel over all points, in two passes.
/// Each image is summed by itself and the sums are added in order, so that the number of threads
/// changes nothing; deviations from the first value make those of a constant channel exactly 0.
fn moments(window: &Window, points: &Points) -> Vec<Moments> {
    let (channels, positions) = (window.shape.channels, window.places.len());
    let sums = |term: &(dyn Fn(usize, f64) -> f64 + Sync)| {
        let mut of_images = vec![0.0; points.n() * channels];
        of_images.par_chunks_exact_mut(channels).enumerate().for_each_init(
            || vec![0.0; window.shape.len()],
            |image, (i, sums)| {
                window.load(points, i, &window.places, image);
                for (c, plane) in image.chunks_exact(positions).enumerate() {
                    sums[c] = plane.iter().map(|&x| term(c, x)).sum();
                }
            },
        );
        let mut totals = vec![0.0; channels];
        for sums in of_images.chunks_exact(channels) {
            for (total, sum) in totals.iter_mut().zip(sums) {
                *total += sum;
            }
        }
        totals
    };
    let mut first = vec![0.0; window.shape.len()];
    window.load(points, 0, &window.places, &mut first);
    let count = points.n() as f64 * positions as f64;
    let offsets = sums(&|c, x| x - first[c * positions]);
    let means: Vec<f64> =
        offsets.iter().enumerate().map(|(c, sum)| first[c * positions] + sum / count).collect();
    let squares = sums(&|c, x| (x - means[c]).powi(2));
    means
        .iter()
        .zip(squares)
        .map(|(&mean, sum)| Moments { mean, deviation: (sum / count).sqrt() })
        .collect()
}
