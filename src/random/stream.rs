//! Random streams: ChaCha with eight rounds, whose output is the same on every
//! machine, and one stream for each purpose, so that drawing more of one thing
//! never moves another.

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// Purpose of a stream. The numbers are part of the format: a seed written in a
/// certificate must draw the same labels for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum Purpose {
    /// Coordinates of synthetic points.
    Points = 1,
    /// Labels of synthetic samples.
    SyntheticLabels = 2,
    /// Randomized and corrupted labels.
    Labels = 3,
    /// The choice of a subsample.
    Subsample = 4,
    /// Directions to project on.
    Direction = 5,
    /// Points at which an expensive evaluation is tried.
    Probe = 6,
    /// The order in which points are grouped, and where a hull is touched first.
    Groups = 7,
    /// Weights and biases of random features.
    Features = 8,
    /// Generated cases of claims.
    Claims = 9,
    /// Permutations of pixels.
    Pixels = 10,
    /// Gaussian images.
    Noise = 11,
    /// Randomized labels of a test set.
    TestLabels = 12,
    /// Initial weights.
    Initial = 13,
    /// The order of the samples in an epoch.
    Order = 14,
    /// Patches from which whitening is learned.
    Patches = 16,
    /// Filters of convolutional features.
    Filters = 17,
    /// Noise on weights, to measure sharpness.
    Sharpness = 19,
    /// Resampled runs of an interval.
    Bootstrap = 20,
    /// Sign vectors of Rademacher complexities.
    Rademacher = 18,
    /// The order of points in the search for a posterior.
    Posterior = 21,
    /// Noise on weights in that search.
    PosteriorNoise = 22,
    /// Networks drawn from a posterior.
    PosteriorDraws = 23,
}

/// The generator of `seed` for one purpose.
///
/// ```
/// use rand::Rng;
/// use shatter_random::stream::{Purpose, stream};
/// let first = stream(1, Purpose::Labels).next_u64();
/// assert_eq!(first, stream(1, Purpose::Labels).next_u64());
/// assert_ne!(first, stream(1, Purpose::Direction).next_u64());
/// ```
#[must_use]
pub fn stream(seed: u64, purpose: Purpose) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(purpose as u64);
    rng
}

/// The generator of `seed` for one purpose and one index: an epoch, an image, a parameter.
///
/// Its number among the 2^64 streams of the seed is the purpose plus (index + 1)·2^32. So it meets
/// neither that of [`stream`] nor that of another index; only the index 2^32 − 1, which no sample
/// reaches, would wrap around to [`stream`]'s.
///
/// ```
/// use rand::Rng;
/// use shatter_random::stream::{Purpose, stream, stream_at};
/// let word = |index| stream_at(1, Purpose::Pixels, index).next_u64();
/// assert_eq!(word(5), word(5));
/// assert_ne!(word(5), word(6));
/// assert_ne!(word(0), stream(1, Purpose::Pixels).next_u64());
/// ```
#[must_use]
pub fn stream_at(seed: u64, purpose: Purpose, index: u32) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(purpose as u64 | (u64::from(index) + 1) << 32);
    rng
}

/// A number of `0..bound`, each equally likely (0 if `bound` is 0).
///
/// Written out here, not taken from a library, because recorded seeds must draw the same numbers
/// after every upgrade: the high half of a 128-bit product, with the few values rejected that
/// would make some results likelier (Lemire, ACM TOMACS 29(1), 2019).
///
/// ```
/// use shatter_random::stream::{Purpose, below, stream};
/// let mut rng = stream(0, Purpose::Labels);
/// assert!((0..100).all(|_| below(&mut rng, 10) < 10));
/// ```
pub fn below(rng: &mut impl Rng, bound: u64) -> u64 {
    let threshold = bound.wrapping_neg().checked_rem(bound).unwrap_or(0);
    loop {
        let product = u128::from(rng.next_u64()) * u128::from(bound);
        if product as u64 >= threshold {
            return (product >> 64) as u64;
        }
    }
}

/// `true` with probability `p`, to within 2^-53.
pub fn chance(rng: &mut impl Rng, p: f64) -> bool {
    ((rng.next_u64() >> 11) as f64) * 2f64.powi(-53) < p
}

/// `count` different numbers of `0..n` in increasing order (all of them if `count` exceeds n).
pub fn subset(rng: &mut impl Rng, n: u32, count: usize) -> Vec<u32> {
    let mut all: Vec<u32> = (0..n).collect();
    let count = count.min(all.len());
    for i in 0..count {
        let other = i + below(rng, (all.len() - i) as u64) as usize;
        all.swap(i, other);
    }
    all.truncate(count);
    all.sort_unstable();
    all
}

/// The numbers of `0..n` in an order of which each is equally likely (Fisher and Yates, from the
/// last place down).
///
/// ```
/// use shatter_random::stream::{Purpose, permutation, stream};
/// let mut order = permutation(&mut stream(1, Purpose::Order), 5);
/// order.sort();
/// assert_eq!(order, [0, 1, 2, 3, 4]);
/// ```
pub fn permutation(rng: &mut impl Rng, n: u32) -> Vec<u32> {
    let mut all: Vec<u32> = (0..n).collect();
    for last in (1..all.len()).rev() {
        let other = below(rng, last as u64 + 1) as usize;
        all.swap(last, other);
    }
    all
}
