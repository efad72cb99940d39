//! Images as feature maps read them: the points of a sample, in the unit in which they are meant.
//!
//! Bytes are divided by 255, integers that stand for decimals by their scale; other numbers are taken as they are.
//! Nothing is copied: 60,000 images of bytes stay 47 MB, and are rounded to floating point one at a time.

use shatter_exact::Element;
use shatter_sample::{Points, Shape, Values};

use crate::FeatureError;

/// n images of one shape, borrowed from a sample.
#[derive(Clone, Copy, Debug)]
pub struct Images<'a> {
    points: &'a Points,
    shape: Shape,
    unit: f64,
}

impl<'a> Images<'a> {
    /// The images of a sample.
    ///
    /// ```
    /// use shatter_feature::Images;
    /// use shatter_sample::{Points, Values};
    /// let points = Points::new(Values::U8(vec![0, 51, 102, 255]), vec![2, 2])?;
    /// let mut image = [0.0f64; 4];
    /// Images::new(&points)?.load(0, &mut image);
    /// assert_eq!(image, [0.0, 0.2, 0.4, 1.0]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`FeatureError::NoImage`] if a point has neither one, two nor three sides.
    pub fn new(points: &'a Points) -> Result<Images<'a>, FeatureError> {
        let shape = Shape::from_shape(points.shape())
            .ok_or_else(|| FeatureError::NoImage { sides: points.shape().to_vec() })?;
        let unit = match points.values() {
            Values::U8(_) => 255.0,
            Values::Scaled { scale, .. } => scale.as_f64(),
            Values::I64(_) | Values::F32(_) | Values::F64(_) => 1.0,
        };
        Ok(Images { points, shape, unit })
    }

    /// Number of images.
    #[must_use]
    pub fn n(&self) -> usize {
        self.points.n()
    }

    /// Channels, height and width of one.
    #[must_use]
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// Number by which coordinates are divided: 255 for bytes.
    #[must_use]
    pub fn unit(&self) -> f64 {
        self.unit
    }

    /// The points themselves.
    #[must_use]
    pub fn points(&self) -> &'a Points {
        self.points
    }

    /// Writes image `i`, channels × height × width numbers, each rounded twice at most: the quotient to binary64, and
    /// that to `E`.
    ///
    /// # Panics
    /// If `i` is not below n, or `image` has another length: defects of the caller.
    pub fn load<E: Element>(&self, i: usize, image: &mut [E]) {
        assert_eq!(image.len(), self.shape.len(), "room for an image");
        for (k, value) in image.iter_mut().enumerate() {
            *value = E::of(self.points.f64_at(i, k) / self.unit);
        }
    }
}
