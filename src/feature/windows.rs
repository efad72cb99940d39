//! Square windows into images, and the cells in which what they show is gathered.

use std::ops::Range;

use shatter_exact::Element;
use shatter_sample::Shape;

/// All windows of `side` × `side` positions into an image, one for each position of its upper left corner. The image
/// is continued by zeros, `padding` on every side.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Windows {
    shape: Shape,
    side: usize,
    padding: usize,
}

impl Windows {
    /// The windows into images of this shape; `None` where not a single one fits.
    pub fn new(shape: Shape, side: usize, padding: usize) -> Option<Windows> {
        let fits = |length: usize| length + 2 * padding >= side;
        (side > 0 && fits(shape.height) && fits(shape.width)).then_some(Windows {
            shape,
            side,
            padding,
        })
    }

    /// Windows below each other, and beside each other.
    pub fn across(&self) -> (usize, usize) {
        let along = |length: usize| length + 2 * self.padding - self.side + 1;
        (along(self.shape.height), along(self.shape.width))
    }

    /// Number of windows.
    pub fn count(&self) -> usize {
        let (rows, columns) = self.across();
        rows * columns
    }

    /// Numbers of one: channels × side × side.
    pub fn len(&self) -> usize {
        self.shape.channels * self.side * self.side
    }

    /// Writes window `number`, counted row by row.
    pub fn load<E: Element>(&self, image: &[E], number: usize, window: &mut [E]) {
        let Shape { height, width, .. } = self.shape;
        let (_, columns) = self.across();
        let (top, left) = (number / columns, number % columns);
        // Positions of the window that lie within the image; the image begins at `padding`.
        let inside = |from: usize, length: usize| -> Range<usize> {
            let first = self.padding.saturating_sub(from).min(self.side);
            first..(length + self.padding).saturating_sub(from).min(self.side).max(first)
        };
        let (rows, inner) = (inside(top, height), inside(left, width));
        let planes = image.chunks_exact(height * width);
        for (plane, square) in planes.zip(window.chunks_exact_mut(self.side * self.side)) {
            for (row, line) in square.chunks_exact_mut(self.side).enumerate() {
                if !rows.contains(&row) || inner.is_empty() {
                    line.fill(E::zero());
                    continue;
                }
                line[..inner.start].fill(E::zero());
                line[inner.end..].fill(E::zero());
                let start = (top + row - self.padding) * width + left + inner.start - self.padding;
                line[inner.clone()].copy_from_slice(&plane[start..start + inner.len()]);
            }
        }
    }

    /// Writes all windows, one after the other.
    pub fn fill<E: Element>(&self, image: &[E], windows: &mut [E]) {
        for (number, window) in windows.chunks_exact_mut(self.len()).enumerate() {
            self.load(image, number, window);
        }
    }
}

/// Cells that divide positions, row by row: position (y, x) of h × w lies in cell (⌊y k/h⌋, ⌊x l/w⌋) of k × l, so that
/// no cell is empty and sides differ by at most one.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Cells {
    /// Cell of each position.
    pub of: Vec<usize>,
    /// Positions in each cell.
    pub sizes: Vec<usize>,
}

impl Cells {
    /// At most `rows` × `columns` cells: no more than positions along each side.
    pub fn new((height, width): (usize, usize), rows: usize, columns: usize) -> Cells {
        let (rows, columns) = (rows.clamp(1, height), columns.clamp(1, width));
        let cell = |y: usize, x: usize| y * rows / height * columns + x * columns / width;
        let of: Vec<usize> = (0..height * width).map(|at| cell(at / width, at % width)).collect();
        let mut sizes = vec![0; rows * columns];
        of.iter().for_each(|&cell| sizes[cell] += 1);
        Cells { of, sizes }
    }

    /// Number of cells.
    pub fn count(&self) -> usize {
        self.sizes.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What stands at a position of the padded image.
    fn at(image: &[f64], shape: Shape, channel: usize, y: isize, x: isize) -> f64 {
        let inside = |at: isize, length: usize| usize::try_from(at).ok().filter(|&at| at < length);
        match (inside(y, shape.height), inside(x, shape.width)) {
            (Some(y), Some(x)) => image[(channel * shape.height + y) * shape.width + x],
            _ => 0.0,
        }
    }

    #[test]
    fn windows_show_the_padded_image() {
        for (shape, side, padding) in [
            ([1, 1, 1], 1, 0),
            ([1, 1, 1], 5, 2),
            ([2, 3, 5], 2, 0),
            ([3, 4, 2], 3, 1),
            ([1, 2, 9], 7, 3),
        ] {
            let shape = Shape::from_shape(&shape).unwrap();
            let image: Vec<f64> = (1..=shape.len()).map(|i| i as f64).collect();
            let windows = Windows::new(shape, side, padding).unwrap();
            let mut all = vec![9.0; windows.count() * windows.len()];
            windows.fill(&image, &mut all);
            let columns = windows.across().1;
            for (i, &value) in all.iter().enumerate() {
                let (number, k) = (i / windows.len(), i % windows.len());
                let (channel, row, column) = (k / (side * side), k / side % side, k % side);
                let y = (number / columns + row) as isize - padding as isize;
                let x = (number % columns + column) as isize - padding as isize;
                assert_eq!(value, at(&image, shape, channel, y, x), "{shape} {side} {padding}");
            }
        }
        assert_eq!(Windows::new(Shape { channels: 1, height: 3, width: 9 }, 4, 0), None);
    }

    #[test]
    fn cells_are_even_and_never_empty() {
        for (positions, rows, columns) in [((1, 1), 2, 2), ((27, 27), 2, 2), ((3, 7), 5, 2)] {
            let cells = Cells::new(positions, rows, columns);
            assert_eq!(cells.sizes.iter().sum::<usize>(), positions.0 * positions.1);
            assert!(cells.sizes.iter().all(|&size| size > 0), "{cells:?}");
        }
        assert_eq!(Cells::new((3, 3), 2, 2).of, [0, 0, 1, 0, 0, 1, 2, 2, 3]);
    }
}
