//! The shape of an image, channels × height × width, in the order in which its values lie in
//! memory; and the window of it that is used.

use std::fmt;

use serde::Serialize;

use super::{Points, SampleError, Values};

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
    /// use shatter::sample::Shape;
    /// let shape = |sides: &[usize]| Shape::from_shape(sides).map(|s| s.to_string());
    /// assert_eq!(shape(&[3, 32, 32]), Some("3×32×32".into()));
    /// assert_eq!(shape(&[28, 28]), Some("1×28×28".into()));
    /// assert_eq!(shape(&[10]), Some("10×1×1".into()));
    /// assert_eq!(shape(&[2, 3, 4, 5]), None);
    /// assert_eq!(shape(&[3, 0, 4]), None);
    /// ```
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
    pub fn vector(channels: usize) -> Shape {
        Shape { channels, height: 1, width: 1 }
    }

    /// Values of one image; saturates.
    ///
    /// ```
    /// use shatter::sample::Shape;
    /// assert_eq!(Shape { channels: 3, height: 28, width: 28 }.len(), 2352);
    /// ```
    pub fn len(&self) -> usize {
        self.channels.saturating_mul(self.area())
    }

    /// Whether it has no value.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Positions: height × width; saturates.
    pub fn area(&self) -> usize {
        self.height.saturating_mul(self.width)
    }

    /// Whether there is more than one position, so that moving pixels means something.
    ///
    /// ```
    /// use shatter::sample::Shape;
    /// let shape = Shape { channels: 3, height: 1, width: 1 };
    /// assert_eq!((shape.len(), shape.area(), shape.is_image()), (3, 1, false));
    /// ```
    pub fn is_image(&self) -> bool {
        self.area() > 1
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}×{}×{}", self.channels, self.height, self.width)
    }
}

/// The part of every image that is used, and the unit of its values.
pub(super) struct Window {
    /// Shape of the part.
    pub(super) shape: Shape,
    /// Its positions in the whole image, row by row.
    pub(super) places: Vec<usize>,
    /// Positions of the whole image.
    whole: usize,
    /// What values are divided by.
    unit: f64,
}

impl Window {
    /// The middle `crop` × `crop` positions of points of shape `raw`, or all of them; bytes are
    /// divided by 255 if `scale`, and integers that stand for decimals by their unit.
    pub(super) fn new(
        points: &Points,
        crop: Option<usize>,
        scale: bool,
    ) -> Result<Window, SampleError> {
        let raw = shape_of(points)?;
        let shape = match crop {
            Some(side) if side == 0 || side > raw.height || side > raw.width => {
                return Err(SampleError::Crop { side, shape: raw });
            }
            Some(side) => Shape { channels: raw.channels, height: side, width: side },
            None => raw,
        };
        let (dy, dx) = centre(raw, shape);
        let row = |y: usize| (0..shape.width).map(move |x| (y + dy) * raw.width + x + dx);
        let unit = match points.values() {
            Values::U8(_) if scale => 255.0,
            Values::Scaled { scale, .. } => scale.as_f64(),
            _ => 1.0,
        };
        let places = (0..shape.height).flat_map(row).collect();
        Ok(Window { shape, places, whole: raw.area(), unit })
    }

    /// The values of point `i` at the positions `places` of the whole image, channel by channel.
    pub(super) fn load(&self, points: &Points, i: usize, places: &[usize], image: &mut [f64]) {
        for (c, plane) in image.chunks_exact_mut(places.len()).enumerate() {
            for (value, &place) in plane.iter_mut().zip(places) {
                *value = points.f64_at(i, c * self.whole + place) / self.unit;
            }
        }
    }
}

/// The shape of one point.
pub(super) fn shape_of(points: &Points) -> Result<Shape, SampleError> {
    let shape = points.shape();
    Shape::from_shape(shape).ok_or_else(|| SampleError::NoImage(shape.to_vec()))
}

/// Rows above and columns left of a centred window; the odd one out is below, or right.
pub(super) fn centre(raw: Shape, shape: Shape) -> (usize, usize) {
    ((raw.height - shape.height) / 2, (raw.width - shape.width) / 2)
}
