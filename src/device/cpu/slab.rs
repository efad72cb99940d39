//! Views of activations as they lie in this device's memory: samples × positions × channels, the
//! channels of a position side by side. A view of some channels is then a stride, and branches are
//! joined without copies.

use shatter_network::architecture::Shape;

/// Some channels of the first `rows` samples of an array, to be read.
#[derive(Clone, Copy, Debug)]
pub struct Slab<'a, E> {
    /// rows × area × stride numbers.
    pub data: &'a [E],
    /// Channels of the whole array.
    pub stride: usize,
    /// The first channel that is seen.
    pub first: usize,
    /// The shape that is seen.
    pub shape: Shape,
    /// Samples.
    pub rows: usize,
}

/// Some channels of the first `rows` samples of an array, to be written.
#[derive(Debug)]
pub struct SlabMut<'a, E> {
    /// rows × area × stride numbers.
    pub data: &'a mut [E],
    /// Channels of the whole array.
    pub stride: usize,
    /// The first channel that is seen.
    pub first: usize,
    /// The shape that is seen.
    pub shape: Shape,
    /// Samples.
    pub rows: usize,
}

impl<'a, E> Slab<'a, E> {
    /// Rows × positions.
    pub fn positions(&self) -> usize {
        self.rows * self.shape.area()
    }

    /// The channels of one position.
    pub fn at(&self, position: usize) -> &'a [E] {
        let start = position * self.stride + self.first;
        &self.data[start..start + self.shape.channels]
    }
}

impl<E> SlabMut<'_, E> {
    /// Rows × positions.
    pub fn positions(&self) -> usize {
        self.rows * self.shape.area()
    }

    /// The channels of one position.
    pub fn at(&mut self, position: usize) -> &mut [E] {
        let start = position * self.stride + self.first;
        &mut self.data[start..start + self.shape.channels]
    }
}
