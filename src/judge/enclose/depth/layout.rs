//! Where the numbers of a value stand: images pixel by pixel, and rectangles of them.
//!
//! Here numbers are in the order (row, column, channel), so that the channels of neighbouring pixels
//! are one run; values elsewhere are in the order (channel, row, column), *plain* below. What is no
//! image is an image of one pixel.

use std::ops::Range;

use shatter_network::graph::{SlidingWindow, count};

/// Sides of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    pub channels: usize,
    pub height: usize,
    pub width: usize,
}

/// A rectangle of pixels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rect {
    pub rows: Range<usize>,
    pub columns: Range<usize>,
}

impl Layout {
    pub fn of(shape: &[usize]) -> Layout {
        match *shape {
            [channels, height, width] => Layout { channels, height, width },
            _ => Layout { channels: count(shape), height: 1, width: 1 },
        }
    }

    /// Numbers of the value.
    pub fn len(&self) -> usize {
        self.channels * self.height * self.width
    }

    /// Where number `plain` of the plain order stands here.
    pub fn here(&self, plain: usize) -> usize {
        let area = self.height * self.width;
        plain % area * self.channels + plain / area
    }

    /// Row, column and channel of a number of the plain order.
    pub fn position(&self, plain: usize) -> (usize, usize, usize) {
        let pixel = plain % (self.height * self.width);
        (pixel / self.width, pixel % self.width, plain / (self.height * self.width))
    }

    /// A list of the plain order in the order of here.
    pub fn reordered<T: Copy + Default, U: Copy>(
        &self,
        plain: &[U],
        of: impl Fn(U) -> T,
    ) -> Vec<T> {
        let mut here = vec![T::default(); plain.len()];
        plain.iter().enumerate().for_each(|(at, &x)| here[self.here(at)] = of(x));
        here
    }

    /// All pixels.
    pub fn whole(&self) -> Rect {
        Rect { rows: 0..self.height, columns: 0..self.width }
    }
}

impl Rect {
    /// The pixel that holds a number.
    pub fn pixel((row, column): (usize, usize)) -> Rect {
        Rect { rows: row..row + 1, columns: column..column + 1 }
    }

    /// How many pixels.
    pub fn area(&self) -> usize {
        self.rows.len() * self.columns.len()
    }

    /// The smallest rectangle that holds both.
    pub fn with(&self, other: &Rect) -> Rect {
        let both = |a: &Range<usize>, b: &Range<usize>| a.start.min(b.start)..a.end.max(b.end);
        Rect { rows: both(&self.rows, &other.rows), columns: both(&self.columns, &other.columns) }
    }

    /// The pixels of an image that windows at these places read.
    pub fn read_by(&self, window: &SlidingWindow, image: &Layout) -> Rect {
        let along =
            |places: &Range<usize>, stride: usize, before: usize, size: usize, side: usize| {
                let start = (places.start * stride).saturating_sub(before).min(side);
                let last = places.end.saturating_sub(1) * stride + size;
                start..last.saturating_sub(before).clamp(start, side)
            };
        let (size, stride, before) = (window.size, window.stride, window.before);
        Rect {
            rows: along(&self.rows, stride.0, before.0, size.0, image.height),
            columns: along(&self.columns, stride.1, before.1, size.1, image.width),
        }
    }

    /// Calls `each` with every row of the rectangle in turn: where its numbers start in an array of the
    /// whole image, and in one of the rectangle, which is the range given.
    #[inline(always)]
    pub fn runs(&self, image: &Layout, mut each: impl FnMut(usize, Range<usize>)) {
        let run = self.columns.len() * image.channels;
        for (index, row) in self.rows.clone().enumerate() {
            let start = (row * image.width + self.columns.start) * image.channels;
            each(start, index * run..(index + 1) * run);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Every pixel that a window at these places reads lies in the rectangle, which is no larger than needed.
        #[test]
        fn windows_read_their_rectangle(
            (height, width) in (1usize..8, 1usize..8),
            size in (1usize..4, 1usize..4),
            stride in (1usize..4, 1usize..4),
            before in (0usize..3, 0usize..3),
            (first, second) in ((0usize..8, 0usize..8), (0usize..8, 0usize..8)),
        ) {
            let window = SlidingWindow { size, stride, before, after: before };
            let Some((rows, columns)) = window.places(height, width) else { return Ok(()) };
            let sorted = |a: usize, b: usize, side: usize| {
                let (a, b) = (a % side, b % side);
                a.min(b)..a.max(b) + 1
            };
            let places = Rect {
                rows: sorted(first.0, second.0, rows),
                columns: sorted(first.1, second.1, columns),
            };
            let image = Layout { channels: 1, height, width };
            let found = places.read_by(&window, &image);
            prop_assert!(found.rows.end <= height && found.columns.end <= width);
            let mut read = Vec::new();
            window.each((height, width), |place, _, at| {
                let place = (place / columns, place % columns);
                if places.rows.contains(&place.0) && places.columns.contains(&place.1) {
                    read.push((at / width, at % width));
                }
            });
            let inside = |&(y, x): &(usize, usize)| {
                found.rows.contains(&y) && found.columns.contains(&x)
            };
            prop_assert!(read.iter().all(inside));
            let area = places.rows.len() * places.columns.len();
            if let (Some(_), 1) = (read.first(), area) {
                prop_assert_eq!(found.area(), read.len());
            }
        }
    }

    #[test]
    fn orders_are_each_others_inverse() {
        let layout = Layout::of(&[3, 2, 4]);
        let mut seen = vec![false; layout.len()];
        for plain in 0..layout.len() {
            let (row, column, channel) = layout.position(plain);
            assert_eq!(layout.here(plain), (row * 4 + column) * 3 + channel);
            assert_eq!(plain, (channel * 2 + row) * 4 + column);
            seen[layout.here(plain)] = true;
        }
        assert!(seen.into_iter().all(|seen| seen));
        assert_eq!(Layout::of(&[7]).here(5), 5);
    }
}
