//! The window of every image that is used.

use shatter_sample::{Points, SampleError, Shape, Values};

/// The part of every image that is used, and the unit of its values.
pub(crate) struct Window {
    /// Shape of the part.
    pub(crate) shape: Shape,
    /// Its positions in the whole image, row by row.
    pub(crate) places: Vec<usize>,
    /// Positions of the whole image.
    whole: usize,
    /// Divisor of the values.
    unit: f64,
}

impl Window {
    /// The middle `crop` × `crop` positions of points of shape `raw`, or all of them; bytes are
    /// divided by 255 if `scale`, and integers that stand for decimals by their unit.
    pub(crate) fn new(
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
    pub(crate) fn load(&self, points: &Points, i: usize, places: &[usize], image: &mut [f64]) {
        for (c, plane) in image.chunks_exact_mut(places.len()).enumerate() {
            for (value, &place) in plane.iter_mut().zip(places) {
                *value = points.f64_at(i, c * self.whole + place) / self.unit;
            }
        }
    }
}

/// The shape of one point.
pub(crate) fn shape_of(points: &Points) -> Result<Shape, SampleError> {
    let shape = points.shape();
    Shape::from_shape(shape).ok_or_else(|| SampleError::NoImage(shape.to_vec()))
}

/// Rows above and columns left of a centred window; the odd one out is below, or right.
pub(crate) fn centre(raw: Shape, shape: Shape) -> (usize, usize) {
    ((raw.height - shape.height) / 2, (raw.width - shape.width) / 2)
}
