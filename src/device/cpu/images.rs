//! Views image by image.

use std::ops::Range;

use rayon::prelude::*;

use crate::cpu::slab::{Slab, SlabMut};

/// Groups of consecutive images that are worked on side by side. The number is fixed, so that sums
/// over groups have the same bytes with every number of threads.
pub const GROUPS: usize = 16;

/// Images of one group, of which there are `rows` in all; at least 1.
pub fn images_of_group(rows: usize) -> usize {
    rows.div_ceil(GROUPS).max(1)
}

impl<'a, E> Slab<'a, E> {
    /// These images.
    pub fn images(&self, range: Range<usize>) -> Slab<'a, E> {
        let len = self.shape.area() * self.stride;
        Slab { data: &self.data[range.start * len..range.end * len], rows: range.len(), ..*self }
    }

    /// Groups of `images` consecutive images; the last may be smaller.
    pub fn groups(self, images: usize) -> impl ExactSizeIterator<Item = Slab<'a, E>> {
        let Slab { rows, .. } = self;
        (0..rows.div_ceil(images))
            .map(move |at| self.images(at * images..((at + 1) * images).min(rows)))
    }

    /// As [`Slab::groups`], side by side.
    pub fn par_groups(self, images: usize) -> impl IndexedParallelIterator<Item = Slab<'a, E>>
    where
        E: Sync,
    {
        let Slab { rows, .. } = self;
        (0..rows.div_ceil(images))
            .into_par_iter()
            .map(move |at| self.images(at * images..((at + 1) * images).min(rows)))
    }
}

impl<'a, E> SlabMut<'a, E> {
    /// Groups of `images` consecutive images; the last may be smaller.
    pub fn groups(self, images: usize) -> impl ExactSizeIterator<Item = SlabMut<'a, E>> {
        let SlabMut { data, stride, first, shape, rows } = self;
        let len = shape.area() * stride;
        data[..rows * len].chunks_mut(images * len).map(move |data| {
            let rows = data.len() / len;
            SlabMut { data, stride, first, shape, rows }
        })
    }

    /// As [`SlabMut::groups`], side by side.
    pub fn par_groups(self, images: usize) -> impl IndexedParallelIterator<Item = SlabMut<'a, E>>
    where
        E: Send,
    {
        let SlabMut { data, stride, first, shape, rows } = self;
        let len = shape.area() * stride;
        data[..rows * len].par_chunks_mut(images * len).map(move |data| {
            let rows = data.len() / len;
            SlabMut { data, stride, first, shape, rows }
        })
    }
}
