//! Random convolutional features (Coates and Ng, *Learning feature representations with k-means*, 2012, with random
//! filters in place of learned ones, as Zhang et al. 2017, section 4, and Sparks et al., *KeystoneML*, 2016).
//!
//! With patches of s × s positions and c channels, d = c s² numbers each, N filters, and an image with q patches:
//!
//! 1. Every patch p is normalised: n = (p − mean) / √(variance + 10/255²), which removes brightness and contrast.
//! 2. Normalised patches are whitened, W(n − μ), by [`Whitening`] with ε = 0.1, learned from [`PATCHES`] patches that
//!    are drawn from the training images.
//! 3. Filter j, of unit length, is a whitened patch that is drawn (`filters=patches`) or a Gaussian vector. Its
//!    response is z_j = ⟨f_j, W(n − μ)⟩ = ⟨g_j, n⟩ − ⟨g_j, μ⟩ with g_j = W f_j, so no patch is whitened but by its
//!    filters.
//! 4. Each response has two features, max(z − t, 0) and max(−z − t, 0) with the threshold t, which are averaged over
//!    each of the `pool` × `pool` cells of the image: four quadrants by default.
//!
//! 5. Each feature is centred and divided by its deviation over [`SCALED_BY`] training images and by √columns: the
//!    mean squared distance of two images is about 2, whatever N is, so that a kernel's width means the same for all.
//!
//! Column (2j + sign) · cells + cell is a feature of filter j, so there are 2 N cells columns: 256,000 for N = 32,000,
//! 51 GB in binary32 for 50,000 images. They are computed a few filters at a time ([`FeatureMap::block`]): a
//! [`sum of products`](crate::FeatureMap::blocks) over blocks needs no more than one of them.
//!
//! Filter j depends on the seed, the training images and j alone, not on N; so do its features, but for the factor √N. The cost is q (2 d + 8) N operations per
//! image: 0.16 · 10^9 for N = 1,000 on images of 3×32×32.
//!
//! [`FeatureMap::block`]: crate::FeatureMap::block

use std::fmt;
use std::ops::Range;

use rand_distr::{Distribution, StandardNormal};

use rayon::prelude::*;

use shatter_exact::Element;
use shatter_matrix::product::{Matrix, MatrixMut, product};
use shatter_matrix::vectors::vectorised;
use shatter_random::stream::{Purpose, below, stream, stream_at};
use shatter_sample::Shape;

use crate::windows::{Cells, Windows};
use crate::{FeatureError, Images, Whitening};

/// Patches from which whitening is learned.
pub const PATCHES: usize = 40_000;

/// Training images by which features are centred and scaled, at equal steps; all of them where there are fewer.
pub const SCALED_BY: usize = 1000;

/// Added to the variance of a patch: 10 on bytes, as Coates and Ng have it.
const CONTRAST_FLOOR: f64 = 10.0 / (255.0 * 255.0);

/// Filters whose features are computed together where columns are scaled.
const TOGETHER: usize = 256;

/// Floor of whitening, for patches of unit variance.
const WHITENING_FLOOR: f64 = 0.1;

/// Settings of random convolutional features.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RandomConvSettings {
    /// Number of filters, N.
    pub count: usize,
    /// Side of a patch, s.
    pub patch: usize,
    /// Source of the filters.
    pub filters: Filters,
    /// The threshold t.
    pub threshold: f64,
    /// Cells along each side of the image.
    pub pool: usize,
}

impl RandomConvSettings {
    /// `count` filters on patches of 6 × 6, which are patches of the training images, threshold 0.25, and pooling over quadrants.
    #[must_use]
    pub fn new(count: usize) -> RandomConvSettings {
        RandomConvSettings { count, patch: 6, filters: Filters::Patches, threshold: 0.25, pool: 2 }
    }
}

/// Source of filters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filters {
    /// Patches of training images, normalised and whitened.
    Patches,
    /// Gaussian vectors.
    Gaussian,
}

impl fmt::Display for Filters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Filters::Patches => "patches",
            Filters::Gaussian => "gaussian",
        })
    }
}

/// Random convolutional features, learned from training images.
#[derive(Clone, Debug)]
pub struct RandomConv {
    settings: RandomConvSettings,
    windows: Windows,
    cells: Cells,
    whitening: Whitening,
    /// g_j, N rows of d numbers.
    filters: Vec<f64>,
    /// ⟨g_j, μ⟩, N numbers.
    offsets: Vec<f64>,
    /// Mean of each column before it is centred, and what it is multiplied with then.
    scaling: Vec<(f64, f64)>,
}

impl RandomConv {
    pub(crate) fn learn(
        settings: RandomConvSettings,
        images: &Images<'_>,
        seed: u64,
    ) -> Result<RandomConv, FeatureError> {
        let (shape, patch) = (images.shape(), settings.patch);
        let windows =
            Windows::new(shape, patch, 0).ok_or(FeatureError::SmallImage { shape, patch })?;
        let d = windows.len();
        let mut image = vec![0.0; shape.len()];
        let mut drawn = |rng: &mut _, patch: &mut [f64]| {
            images.load(below(rng, images.n() as u64) as usize, &mut image);
            windows.load(&image, below(rng, windows.count() as u64) as usize, patch);
            normalise(patch);
        };
        let mut patches = vec![0.0; PATCHES * d];
        let mut rng = stream(seed, Purpose::Patches);
        patches.chunks_exact_mut(d).for_each(|patch| drawn(&mut rng, patch));
        let whitening = Whitening::learn(&patches, d, WHITENING_FLOOR)?;
        drop(patches);
        let (mut filters, mut offsets) = (vec![0.0; settings.count * d], Vec::new());
        let (mut patch, mut filter) = (vec![0.0; d], vec![0.0; d]);
        for (j, row) in filters.chunks_exact_mut(d).enumerate() {
            let mut rng = stream_at(seed, Purpose::Filters, j as u32);
            match settings.filters {
                Filters::Patches => {
                    drawn(&mut rng, &mut patch);
                    whitening.apply(&patch, &mut filter);
                }
                Filters::Gaussian => {
                    filter.fill_with(|| StandardNormal.sample(&mut rng));
                }
            }
            let length = filter.iter().map(|x| x * x).sum::<f64>().sqrt();
            for (i, g) in row.iter_mut().enumerate() {
                let product: f64 = (0..d).map(|k| whitening.matrix.at(i, k) * filter[k]).sum();
                // A patch that is the mean of all has no direction: its filter is 0.
                *g = if length > 0.0 { product / length } else { 0.0 };
            }
            offsets.push(row.iter().zip(&whitening.mean).map(|(g, mean)| g * mean).sum());
        }
        let cells = Cells::new(windows.across(), settings.pool, settings.pool);
        let scaling = vec![(0.0, 1.0); settings.count * 2 * cells.count()];
        let mut map = RandomConv { settings, windows, cells, whitening, filters, offsets, scaling };
        map.scaling = map.scaled_by(images);
        Ok(map)
    }

    /// Mean and factor of every column.
    fn scaled_by(&self, images: &Images<'_>) -> Vec<(f64, f64)> {
        let (m, group, all) = (images.n().min(SCALED_BY), self.group(), self.scaling.len());
        let mut scaling = Vec::with_capacity(all);
        for first in (0..self.groups()).step_by(TOGETHER) {
            let filters = first..(first + TOGETHER).min(self.groups());
            let width = filters.len() * group;
            let mut features = vec![0.0f64; m * width];
            features.par_chunks_exact_mut(width).enumerate().for_each_init(
                || self.bench(images.shape(), filters.clone()),
                |bench, (k, row)| bench.features(images, k * images.n() / m, row),
            );
            for column in 0..width {
                let values = || features.iter().skip(column).step_by(width);
                let mean = values().sum::<f64>() / m as f64;
                let variance = values().map(|x| (x - mean).powi(2)).sum::<f64>() / m as f64;
                // A constant column: its mean is off by m roundings of the largest at most.
                let largest = values().fold(0.0f64, |most, x| most.max(x.abs()));
                let constant = variance.sqrt() <= 2.0 * m as f64 * f64::EPSILON * largest;
                let factor = if constant { 0.0 } else { (variance * all as f64).sqrt().recip() };
                scaling.push((mean, factor));
            }
        }
        scaling
    }

    /// Mean of column k before it is centred, and the factor that it is multiplied with then; 0 for columns that are
    /// constant.
    ///
    /// # Panics
    /// If there is no column k.
    #[must_use]
    pub fn scaling(&self, k: usize) -> (f64, f64) {
        self.scaling[k]
    }

    /// The whitening of normalised patches.
    #[must_use]
    pub fn whitening(&self) -> &Whitening {
        &self.whitening
    }

    /// g_j and ⟨g_j, μ⟩: the response of filter j to a normalised patch n is ⟨g_j, n⟩ − ⟨g_j, μ⟩.
    ///
    /// # Panics
    /// If there is no filter j.
    #[must_use]
    pub fn filter(&self, j: usize) -> (&[f64], f64) {
        let d = self.windows.len();
        (&self.filters[j * d..][..d], self.offsets[j])
    }

    /// Settings with which it was learned.
    #[must_use]
    pub fn settings(&self) -> RandomConvSettings {
        self.settings
    }

    /// Columns of one filter.
    pub(crate) fn group(&self) -> usize {
        2 * self.cells.count()
    }

    /// Number of filters.
    pub(crate) fn groups(&self) -> usize {
        self.settings.count
    }

    /// What the features of one image after another need.
    pub(crate) fn bench<E: Element>(&self, shape: Shape, filters: Range<usize>) -> Bench<'_, E> {
        let (d, q, b) = (self.windows.len(), self.windows.count(), filters.len());
        Bench {
            map: self,
            image: vec![E::zero(); shape.len()],
            patches: vec![E::zero(); q * d],
            filters: self.filters[filters.start * d..filters.end * d]
                .iter()
                .map(|&x| E::of(x))
                .collect(),
            offsets: self.offsets[filters.clone()].iter().map(|&x| E::of(x)).collect(),
            scaling: self.scaling[filters.start * self.group()..filters.end * self.group()]
                .iter()
                .map(|&(mean, factor)| (E::of(mean), E::of(factor)))
                .collect(),
            responses: vec![E::zero(); q * b],
            sums: vec![E::zero(); self.group() * b],
        }
    }

    /// Bytes of a bench for `filters` filters.
    pub(crate) fn bench_bytes<E>(&self, shape: Shape, filters: usize) -> u64 {
        let (d, q) = (self.windows.len(), self.windows.count());
        let numbers = shape.len() + q * d + filters * (d + 1 + q + 3 * self.group());
        (numbers * size_of::<E>()) as u64
    }
}

/// Takes brightness and contrast out of a patch.
pub(crate) fn normalise<E: Element>(patch: &mut [E]) {
    let count = E::of(patch.len() as f64);
    let mean = patch.iter().fold(E::zero(), |sum, &x| sum + x) / count;
    let square = |sum: E, x: &E| sum + (*x - mean) * (*x - mean);
    let variance = patch.iter().fold(E::zero(), square) / count;
    let scale = (variance + E::of(CONTRAST_FLOOR)).sqrt().recip();
    patch.iter_mut().for_each(|x| *x = (*x - mean) * scale);
}

/// Room for the features of one image, and the filters of a block in the numbers of the block.
pub(crate) struct Bench<'a, E> {
    map: &'a RandomConv,
    image: Vec<E>,
    patches: Vec<E>,
    filters: Vec<E>,
    offsets: Vec<E>,
    scaling: Vec<(E, E)>,
    responses: Vec<E>,
    /// By sign, cell and filter.
    sums: Vec<E>,
}

impl<E: Element> Bench<'_, E> {
    /// Writes the features of image `i`.
    pub fn features(&mut self, images: &Images<'_>, i: usize, features: &mut [E]) {
        let RandomConv { windows, cells, settings, .. } = self.map;
        let (d, q, b) = (windows.len(), windows.count(), self.offsets.len());
        images.load(i, &mut self.image);
        windows.fill(&self.image, &mut self.patches);
        self.patches.chunks_exact_mut(d).for_each(normalise);
        product(
            MatrixMut::of_rows(&mut self.responses, q, b),
            false,
            Matrix::of_rows(&self.patches, q, d),
            Matrix::of_rows(&self.filters, b, d).transposed(),
        );
        self.sums.fill(E::zero());
        let (positive, negative) = self.sums.split_at_mut(cells.count() * b);
        let (threshold, zero) = (E::of(settings.threshold), E::zero());
        vectorised(
            #[inline(always)]
            || {
                for (responses, &cell) in self.responses.chunks_exact(b).zip(&cells.of) {
                    let above = &mut positive[cell * b..][..b];
                    let below = &mut negative[cell * b..][..b];
                    let sums = above.iter_mut().zip(below);
                    for ((z, offset), (above, below)) in
                        responses.iter().zip(&self.offsets).zip(sums)
                    {
                        let z = *z - *offset;
                        *above += (z - threshold).max(zero);
                        *below += (-z - threshold).max(zero);
                    }
                }
            },
        );
        let signs = [&*positive, &*negative];
        for (j, columns) in features.chunks_exact_mut(2 * cells.count()).enumerate() {
            for (sums, columns) in signs.iter().zip(columns.chunks_exact_mut(cells.count())) {
                for (cell, value) in columns.iter_mut().enumerate() {
                    *value = sums[cell * b + j] / E::of(cells.sizes[cell] as f64);
                }
            }
        }
        for (value, &(mean, factor)) in features.iter_mut().zip(&self.scaling) {
            *value = (*value - mean) * factor;
        }
    }
}
