//! A feature map, and its features in blocks.
//!
//! Each feature of an image is computed by one thread, from that image alone, in an order that the shapes and the
//! filters of the block say. So its bytes do not depend on the number of threads, nor on the rows of a block.

use std::ops::Range;

use rayon::prelude::*;

use shatter_exact::Element;
use shatter_sample::Shape;

use crate::gabor::Gabor;
use crate::random_conv::RandomConv;
use crate::{FeatureChoice, FeatureError, Images};

/// A map from images of one shape to vectors.
#[derive(Clone, Debug)]
pub struct FeatureMap {
    choice: FeatureChoice,
    shape: Shape,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    Pixels,
    Gabor(Gabor),
    RandomConv(Box<RandomConv>),
}

impl FeatureMap {
    /// Learns a map from training images; random filters are drawn with `seed`.
    ///
    /// # Errors
    /// [`FeatureError::SmallImage`], [`FeatureError::Plain`], [`FeatureError::Eigenvalues`].
    pub fn learn(
        choice: FeatureChoice,
        images: &Images<'_>,
        seed: u64,
    ) -> Result<FeatureMap, FeatureError> {
        let kind = match choice {
            FeatureChoice::None => Kind::Pixels,
            // They would be as many images of one position.
            FeatureChoice::Gabor(_) if images.points().shape().len() == 1 => {
                return Err(FeatureError::Plain(images.points().d()));
            }
            FeatureChoice::Gabor(settings) => Kind::Gabor(Gabor::new(settings, images.shape())),
            FeatureChoice::RandomConv(settings) => {
                Kind::RandomConv(Box::new(RandomConv::learn(settings, images, seed)?))
            }
        };
        Ok(FeatureMap { choice, shape: images.shape(), kind })
    }

    /// The choice that it was learned for.
    #[must_use]
    pub fn choice(&self) -> FeatureChoice {
        self.choice
    }

    /// Shape of the images that it takes.
    #[must_use]
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// Random convolutional features, if it is made of them.
    #[must_use]
    pub fn random_conv(&self) -> Option<&RandomConv> {
        match &self.kind {
            Kind::RandomConv(map) => Some(map),
            Kind::Pixels | Kind::Gabor(_) => None,
        }
    }

    /// Number of features of an image.
    #[must_use]
    pub fn columns(&self) -> usize {
        let groups = match &self.kind {
            Kind::Pixels => self.shape.len(),
            Kind::Gabor(bank) => bank.groups(),
            Kind::RandomConv(map) => map.groups(),
        };
        groups * self.group()
    }

    /// Columns that are computed together: those of one filter.
    #[must_use]
    pub fn group(&self) -> usize {
        match &self.kind {
            Kind::Pixels => 1,
            Kind::Gabor(bank) => bank.group(),
            Kind::RandomConv(map) => map.group(),
        }
    }

    /// All columns, in blocks of at most `most` columns, but of one group at least.
    ///
    /// ```
    /// use shatter_feature::{FeatureChoice, FeatureMap, Images};
    /// use shatter_sample::{Points, Values};
    /// let points = Points::new(Values::U8(vec![1; 10]), vec![10])?;
    /// let map = FeatureMap::learn(FeatureChoice::None, &Images::new(&points)?, 0)?;
    /// assert_eq!(map.blocks(4).collect::<Vec<_>>(), [0..4, 4..8, 8..10]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn blocks(&self, most: usize) -> impl Iterator<Item = Range<usize>> + use<> {
        let (columns, group) = (self.columns(), self.group());
        let width = (most / group).max(1) * group;
        (0..columns).step_by(width).map(move |first| first..(first + width).min(columns))
    }

    /// Bytes that a block of so many columns takes on one thread, beside its own numbers.
    #[must_use]
    pub fn bytes<E: Element>(&self, columns: usize) -> u64 {
        match &self.kind {
            Kind::Pixels => 0,
            Kind::Gabor(bank) => bank.bench_bytes::<E>(),
            Kind::RandomConv(map) => {
                map.bench_bytes::<E>(self.shape, columns.div_ceil(map.group()))
            }
        }
    }

    /// Writes the features `columns` of the images `rows`, row by row, on all threads. Columns begin and end at
    /// multiples of [`group`](FeatureMap::group). The bytes of a feature depend neither on the rows nor on threads, but a
    /// block of other columns may add in another order.
    ///
    /// # Errors
    /// [`FeatureError::Shape`], [`FeatureError::Rows`], [`FeatureError::Columns`] and [`FeatureError::Room`] if they
    /// do not fit each other; [`FeatureError::NotFinite`] if a feature overflows.
    pub fn block<E: Element>(
        &self,
        images: &Images<'_>,
        rows: Range<usize>,
        columns: Range<usize>,
        features: &mut [E],
    ) -> Result<(), FeatureError> {
        self.check(images, &rows, &columns, features.len())?;
        if features.is_empty() {
            return Ok(());
        }
        let (group, width, shape) = (self.group(), columns.len(), self.shape);
        let groups = columns.start / group..columns.end / group;
        let lines = features.par_chunks_exact_mut(width).zip(rows.clone());
        match &self.kind {
            Kind::Pixels => lines.for_each_init(
                || vec![E::zero(); shape.len()],
                |image, (line, i)| {
                    images.load(i, image);
                    line.copy_from_slice(&image[columns.clone()]);
                },
            ),
            Kind::Gabor(bank) => lines.for_each_init(
                || bank.bench(),
                |bench, (line, i)| bench.features(images, i, groups.clone(), line),
            ),
            Kind::RandomConv(map) => lines.for_each_init(
                || map.bench(shape, groups.clone()),
                |bench, (line, i)| bench.features(images, i, line),
            ),
        }
        match features.par_iter().position_first(|value| !value.is_finite()) {
            None => Ok(()),
            Some(at) => Err(FeatureError::NotFinite {
                row: rows.start + at / width,
                column: columns.start + at % width,
            }),
        }
    }

    fn check(
        &self,
        images: &Images<'_>,
        rows: &Range<usize>,
        columns: &Range<usize>,
        room: usize,
    ) -> Result<(), FeatureError> {
        let (expected, found) = (self.shape, images.shape());
        if expected != found {
            return Err(FeatureError::Shape { expected, found });
        }
        if rows.start > rows.end || rows.end > images.n() {
            return Err(FeatureError::Rows { first: rows.start, end: rows.end, n: images.n() });
        }
        let (group, all) = (self.group(), self.columns());
        let aligned = columns.start.is_multiple_of(group) && columns.end.is_multiple_of(group);
        if columns.start > columns.end || columns.end > all || !aligned {
            return Err(FeatureError::Columns {
                first: columns.start,
                end: columns.end,
                group,
                columns: all,
            });
        }
        if rows.len().checked_mul(columns.len()) != Some(room) {
            return Err(FeatureError::Room {
                rows: rows.len(),
                columns: columns.len(),
                found: room,
            });
        }
        Ok(())
    }
}
