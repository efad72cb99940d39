//! Windows that slide over images.

use std::ops::Range;

/// Positions that a window may have, and in ONNX files all places of one together: means divide by them,
/// and bounds count them.
pub const MOST_POSITIONS: usize = 1 << 27;

/// A window: size, stride, and padding above, left, below and right, in rows and columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlidingWindow {
    /// Rows and columns of the window.
    pub size: (usize, usize),
    /// Rows and columns from one place to the next.
    pub stride: (usize, usize),
    /// Rows above and columns left of the image.
    pub before: (usize, usize),
    /// Rows below and columns right of it.
    pub after: (usize, usize),
}

impl SlidingWindow {
    /// The window that is the whole image.
    pub fn whole(height: usize, width: usize) -> SlidingWindow {
        SlidingWindow { size: (height, width), stride: (1, 1), before: (0, 0), after: (0, 0) }
    }

    /// Places along both sides of an image; `None` if there are none, or the window is senseless.
    pub fn places(&self, height: usize, width: usize) -> Option<(usize, usize)> {
        let along = |side: usize, size: usize, stride: usize, before: usize, after: usize| {
            let padded = side.checked_add(before)?.checked_add(after)?;
            let sensible = size > 0 && before < size && after < size;
            Some(padded.checked_sub(size)?.checked_div(stride)? + 1).filter(|_| sensible)
        };
        let rows = along(height, self.size.0, self.stride.0, self.before.0, self.after.0)?;
        let columns = along(width, self.size.1, self.stride.1, self.before.1, self.after.1)?;
        Some((rows, columns))
    }

    /// Calls `each` with (place, position in the window, position in the image) for every position
    /// that lies in the image, row by row. Positions outside cost nothing.
    pub fn each(&self, (height, width): (usize, usize), mut each: impl FnMut(usize, usize, usize)) {
        let Some((rows, columns)) = self.places(height, width) else { return };
        for row in 0..rows {
            let down = self.rows_inside(row, height);
            for column in 0..columns {
                let across = self.columns_inside(column, width);
                for y in down.clone() {
                    let at_y = row * self.stride.0 + y - self.before.0;
                    for x in across.clone() {
                        let at_x = column * self.stride.1 + x - self.before.1;
                        each(row * columns + column, y * self.size.1 + x, at_y * width + at_x);
                    }
                }
            }
        }
    }

    /// The rows of the window that lie in an image of this height, at places of this row.
    pub fn rows_inside(&self, row: usize, height: usize) -> Range<usize> {
        inside(row * self.stride.0, self.size.0, self.before.0, height)
    }

    /// The columns of the window that lie in an image of this width, at places of this column.
    pub fn columns_inside(&self, column: usize, width: usize) -> Range<usize> {
        inside(column * self.stride.1, self.size.1, self.before.1, width)
    }

    /// Returns the number of positions that [`each`](Self::each) visits.
    pub fn positions(&self, height: usize, width: usize) -> u64 {
        let Some((rows, columns)) = self.places(height, width) else { return 0 };
        let down: u64 = (0..rows).map(|row| self.rows_inside(row, height).len() as u64).sum();
        let across = (0..columns).map(|column| self.columns_inside(column, width).len() as u64);
        down.saturating_mul(across.sum())
    }
}

/// Of a window that begins `start` after the beginning of the padding: what lies on a side.
fn inside(start: usize, size: usize, before: usize, side: usize) -> Range<usize> {
    before.saturating_sub(start)..size.min((side + before).saturating_sub(start))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// All positions of all windows, those outside the image left out one by one.
    fn naive(
        window: &SlidingWindow,
        (height, width): (usize, usize),
    ) -> Vec<(usize, usize, usize)> {
        let Some((rows, columns)) = window.places(height, width) else { return Vec::new() };
        let mut found = Vec::new();
        for (row, column) in (0..rows).flat_map(|row| (0..columns).map(move |c| (row, c))) {
            for y in 0..window.size.0 {
                for x in 0..window.size.1 {
                    let at_y = (row * window.stride.0 + y).wrapping_sub(window.before.0);
                    let at_x = (column * window.stride.1 + x).wrapping_sub(window.before.1);
                    if at_y < height && at_x < width {
                        let at = at_y * width + at_x;
                        found.push((row * columns + column, y * window.size.1 + x, at));
                    }
                }
            }
        }
        found
    }

    proptest! {
        #[test]
        fn positions_are_those_of_the_naive_walk_in_its_order(
            image in (1usize..7, 1usize..7),
            size in (1usize..9, 1usize..9),
            stride in (1usize..5, 1usize..5),
            before in (0usize..9, 0usize..9),
            after in (0usize..9, 0usize..9),
        ) {
            // Padding of the size or more, and windows that do not fit: no places, and no positions.
            let window = SlidingWindow { size, stride, before, after };
            let mut found = Vec::new();
            window.each(image, |place, inside, at| found.push((place, inside, at)));
            prop_assert_eq!(&found, &naive(&window, image));
            prop_assert_eq!(window.positions(image.0, image.1), found.len() as u64);
        }
    }

    /// The naive walk would take 10^16 steps.
    #[test]
    fn what_lies_outside_costs_nothing() {
        let huge = 100_000_000;
        let padding = (huge - 1, huge - 1);
        let window = SlidingWindow {
            size: (huge, huge),
            stride: (huge, huge),
            before: padding,
            after: padding,
        };
        assert_eq!(window.places(3, 1), Some((2, 1)));
        let mut found = Vec::new();
        window.each((3, 1), |place, _, at| found.push((place, at)));
        assert_eq!(found, [(0, 0), (1, 1), (1, 2)]);
        assert_eq!(window.positions(3, 1), 3);
    }
}
