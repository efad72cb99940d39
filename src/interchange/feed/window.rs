//! Windows that slide over images.

/// A window: size, stride, and padding above, left, below and right, in rows and columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Rows and columns of the window.
    pub size: (usize, usize),
    /// Rows and columns from one place to the next.
    pub stride: (usize, usize),
    /// Rows above and columns left of the image.
    pub before: (usize, usize),
    /// Rows below and columns right of it.
    pub after: (usize, usize),
}

impl Window {
    /// The window that is the whole image.
    pub fn whole(height: usize, width: usize) -> Window {
        Window { size: (height, width), stride: (1, 1), before: (0, 0), after: (0, 0) }
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
    /// that lies in the image.
    pub fn each(&self, (height, width): (usize, usize), mut each: impl FnMut(usize, usize, usize)) {
        let Some((rows, columns)) = self.places(height, width) else { return };
        for row in 0..rows {
            for column in 0..columns {
                for y in 0..self.size.0 {
                    let at_y = (row * self.stride.0 + y).checked_sub(self.before.0);
                    let Some(at_y) = at_y.filter(|&at| at < height) else { continue };
                    for x in 0..self.size.1 {
                        let at_x = (column * self.stride.1 + x).checked_sub(self.before.1);
                        let Some(at_x) = at_x.filter(|&at| at < width) else { continue };
                        each(row * columns + column, y * self.size.1 + x, at_y * width + at_x);
                    }
                }
            }
        }
    }
}
