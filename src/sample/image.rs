//! The shape of an image, channels × height × width, in the order in which its values lie in
//! memory.

use std::fmt;

use serde::Serialize;

/// Channels, height and width, all at least 1 when they come from
/// [`from_shape`](Shape::from_shape).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Shape {
    /// Values at one position: 3 for colours.
    pub channels: usize,
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
}

impl Shape {
    /// The shape of points as [`Points::shape`](super::Points::shape) has it: `[c, h, w]`;
    /// `[h, w]`, of one channel; `[d]`, plain numbers, as d channels of 1 × 1. `None` for other
    /// numbers of dimensions, for a side of 0, and for more values than memory can address.
    ///
    /// ```
    /// use shatter_sample::Shape;
    /// let shape = |sides: &[usize]| Shape::from_shape(sides).map(|s| s.to_string());
    /// assert_eq!(shape(&[3, 32, 32]), Some("3×32×32".into()));
    /// assert_eq!(shape(&[28, 28]), Some("1×28×28".into()));
    /// assert_eq!(shape(&[10]), Some("10×1×1".into()));
    /// assert_eq!(shape(&[2, 3, 4, 5]), None);
    /// assert_eq!(shape(&[3, 0, 4]), None);
    /// ```
    #[must_use]
    pub fn from_shape(shape: &[usize]) -> Option<Shape> {
        let (channels, height, width) = match *shape {
            [channels, height, width] => (channels, height, width),
            [height, width] => (1, height, width),
            [d] => (d, 1, 1),
            _ => return None,
        };
        let len = channels.checked_mul(height)?.checked_mul(width)?;
        (len > 0).then_some(Shape { channels, height, width })
    }

    /// A vector, as an image of 1 × 1.
    #[must_use]
    pub fn vector(channels: usize) -> Shape {
        Shape { channels, height: 1, width: 1 }
    }

    /// Values of one image; saturates.
    ///
    /// ```
    /// use shatter_sample::Shape;
    /// assert_eq!(Shape { channels: 3, height: 28, width: 28 }.len(), 2352);
    /// ```
    #[must_use]
    pub fn len(&self) -> usize {
        self.channels.saturating_mul(self.area())
    }

    /// Returns whether it has no value.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Positions: height × width; saturates.
    #[must_use]
    pub fn area(&self) -> usize {
        self.height.saturating_mul(self.width)
    }

    /// Returns whether there is more than one position, so that moving pixels means something.
    ///
    /// ```
    /// use shatter_sample::Shape;
    /// let shape = Shape { channels: 3, height: 1, width: 1 };
    /// assert_eq!((shape.len(), shape.area(), shape.is_image()), (3, 1, false));
    /// ```
    #[must_use]
    pub fn is_image(&self) -> bool {
        self.area() > 1
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}×{}×{}", self.channels, self.height, self.width)
    }
}
