//! Augmentation, drawn anew for every image in every epoch (Zhang et al. 2017, appendix E): a
//! random crop, a left–right flip, a rotation; then whitening, as without it.
//!
//! A [`Draw`] is a pure function of seed, epoch and image: the four words that Philox assigns to
//! the counter (image, epoch, 0, [`Domain::Augmentation`]) choose row and column of the crop, flip,
//! and angle. Labels stay as they are.
//!
//! The rotated window is read by bilinear interpolation: an output position at (y, x) from the
//! centre takes the value at (y cos t + x sin t, x cos t − y sin t), which turns the picture
//! counterclockwise by t; positions outside the window take the nearest one on its edge.

use std::fmt;
use std::str::FromStr;

use num_traits::Float;

use shatter_random::philox::{Domain, key, philox, uniform};

use super::preprocess::{Whitening, round};
use crate::window::centre;
use shatter_sample::Shape;

/// An augmentation of images: crop, flip and rotation.
///
/// ```
/// use shatter_prepare::Augmentation;
/// let all: Augmentation = "crop,flip,rotate:25".parse()?;
/// assert_eq!(all, Augmentation { crop: true, flip: true, rotation: 25.0 });
/// assert_eq!("none".parse(), Ok(Augmentation::default()));
/// assert_eq!(all.to_string(), "crop,flip,rotate:25");
/// assert!("rotate:200".parse::<Augmentation>().is_err());
/// # Ok::<(), String>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Augmentation {
    /// The window is cut out at a random place, not in the middle.
    pub crop: bool,
    /// Left and right are exchanged in half of the images.
    pub flip: bool,
    /// The largest angle in degrees, either way; 0 for no rotation.
    pub rotation: f64,
}

/// Draw of an augmentation for one image in one epoch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Draw {
    /// Rows above the window.
    pub dy: usize,
    /// Columns left of the window.
    pub dx: usize,
    /// Left and right are exchanged.
    pub flip: bool,
    /// The angle in degrees, counterclockwise.
    pub angle: f64,
}

impl Augmentation {
    /// Returns the draw for one image in one epoch. `room` is (H − h, W − w) for a window of h × w in
    /// images of H × W: a random crop takes each of 0, …, H − h rows and 0, …, W − w columns
    /// with the same probability, to within 2^-32; the centre crop takes half, rounded down.
    ///
    /// ```
    /// use shatter_prepare::Augmentation;
    /// let all = Augmentation { crop: true, flip: true, rotation: 25.0 };
    /// let draw = all.draw(1, 0, 7, (4, 4));
    /// assert_eq!(draw, all.draw(1, 0, 7, (4, 4)));
    /// assert_ne!(draw, all.draw(1, 1, 7, (4, 4)));
    /// assert!(draw.dy <= 4 && draw.dx <= 4 && draw.angle.abs() <= 25.0);
    /// let none = Augmentation::default().draw(1, 0, 7, (4, 3));
    /// assert_eq!((none.dy, none.dx, none.flip, none.angle), (2, 1, false, 0.0));
    /// ```
    #[must_use]
    pub fn draw(&self, seed: u64, epoch: u32, image: u32, room: (usize, usize)) -> Draw {
        let [y, x, flip, angle] = philox([image, epoch, 0, Domain::Augmentation as u32], key(seed));
        // At most 2^32 − 1 times 2^64: no overflow, and at most `room` after the shift.
        let place = |word: u32, room: usize| {
            if self.crop {
                ((u128::from(word) * (room as u128 + 1)) >> 32) as usize
            } else {
                room / 2
            }
        };
        Draw {
            dy: place(y, room.0),
            dx: place(x, room.1),
            flip: self.flip && flip >> 31 == 1,
            angle: if self.rotation > 0.0 {
                (2.0 * uniform(angle) - 1.0) * self.rotation
            } else {
                0.0
            },
        }
    }
}

impl Draw {
    /// Returns the centre crop of images of shape `raw` to `shape`, without flip or rotation.
    ///
    /// ```
    /// use shatter_prepare::Draw;
    /// use shatter_sample::Shape;
    /// let side = |side| Shape { channels: 1, height: side, width: side };
    /// assert_eq!(Draw::plain(side(4), side(2)).dx, 1);
    /// ```
    ///
    /// # Panics
    /// If `shape` is higher or wider than `raw`.
    #[must_use]
    pub fn plain(raw: Shape, shape: Shape) -> Draw {
        let (dy, dx) = centre(raw, shape);
        Draw { dy, dx, flip: false, angle: 0.0 }
    }

    /// Writes the window of `source` (c × H × W) to `output` (c × h × w): cut out, flipped, rotated,
    /// whitened if `whiten`. Allocates nothing; interpolation and whitening are computed in f64.
    ///
    /// ```
    /// use shatter_prepare::Draw;
    /// use shatter_sample::Shape;
    /// let raw = Shape { channels: 1, height: 2, width: 3 };
    /// let shape = Shape { channels: 1, height: 2, width: 2 };
    /// let mut output = [0.0; 4];
    /// let draw = Draw { dy: 0, dx: 1, flip: true, angle: 0.0 };
    /// draw.apply(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], raw, &mut output, shape, false);
    /// assert_eq!(output, [3.0, 2.0, 6.0, 5.0]);
    /// ```
    ///
    /// # Panics
    /// If a slice is not of its shape, the channels differ, or the window leaves the image.
    pub fn apply<T: Float>(
        &self,
        source: &[T],
        raw: Shape,
        output: &mut [T],
        shape: Shape,
        whiten: bool,
    ) {
        let Shape { channels, height, width } = shape;
        assert_eq!(
            (source.len(), output.len()),
            (raw.len(), shape.len()),
            "images must have the lengths of their shapes"
        );
        assert!(
            channels == raw.channels
                && self.dy + height <= raw.height
                && self.dx + width <= raw.width,
            "a window of {shape} at ({}, {}) does not fit an image of {raw}",
            self.dy,
            self.dx
        );
        // The value of the window at row y and column x, after the flip.
        let at = |c: usize, y: usize, x: usize| {
            let x = if self.flip { width - 1 - x } else { x };
            source[(c * raw.height + self.dy + y) * raw.width + self.dx + x]
        };
        let (bottom, right) = ((height - 1) as f64, (width - 1) as f64);
        let (sin, cos) = self.angle.to_radians().sin_cos();
        for y in 0..height {
            for x in 0..width {
                let to = |c: usize| (c * height + y) * width + x;
                if self.angle == 0.0 {
                    (0..channels).for_each(|c| output[to(c)] = at(c, y, x));
                    continue;
                }
                let (from_y, from_x) = (y as f64 - bottom / 2.0, x as f64 - right / 2.0);
                let (y0, y1, fy) = neighbours(bottom, from_y * cos + from_x * sin);
                let (x0, x1, fx) = neighbours(right, from_x * cos - from_y * sin);
                for c in 0..channels {
                    let row = |y| mix(number(at(c, y, x0)), number(at(c, y, x1)), fx);
                    output[to(c)] = round(mix(row(y0), row(y1), fy));
                }
            }
        }
        if whiten {
            let whitening = Whitening::of(output.iter().map(|&x| number(x)));
            for value in output {
                *value = round(whitening.apply(number(*value)));
            }
        }
    }
}

/// The two places between which an offset from the middle of 0, …, `last` lies, and how far it is
/// on the way from the one to the other.
fn neighbours(last: f64, offset: f64) -> (usize, usize, f64) {
    let at = (last / 2.0 + offset).clamp(0.0, last);
    let low = at.floor();
    (low as usize, (low + 1.0).min(last) as usize, at - low)
}

fn mix(a: f64, b: f64, part: f64) -> f64 {
    a + part * (b - a)
}

fn number<T: Float>(x: T) -> f64 {
    x.to_f64().unwrap_or(f64::NAN)
}

impl fmt::Display for Augmentation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        if self.crop {
            parts.push("crop".to_owned());
        }
        if self.flip {
            parts.push("flip".to_owned());
        }
        if self.rotation > 0.0 {
            parts.push(format!("rotate:{}", self.rotation));
        }
        f.write_str(if parts.is_empty() { "none".to_owned() } else { parts.join(",") }.as_str())
    }
}

impl FromStr for Augmentation {
    type Err = String;

    fn from_str(text: &str) -> Result<Augmentation, String> {
        let mut augmentation = Augmentation::default();
        if text == "none" {
            return Ok(augmentation);
        }
        for part in text.split(',') {
            let angle = part.strip_prefix("rotate:").and_then(|angle| angle.parse::<f64>().ok());
            match (part, angle) {
                ("crop", _) if !augmentation.crop => augmentation.crop = true,
                ("flip", _) if !augmentation.flip => augmentation.flip = true,
                (_, Some(angle))
                    if augmentation.rotation == 0.0 && angle > 0.0 && angle <= 180.0 =>
                {
                    augmentation.rotation = angle;
                }
                _ => {
                    return Err(format!(
                        "'{part}' in '{text}' is not valid; expected none, or crop, flip and \
                         rotate:DEGREES (0 < DEGREES <= 180), each at most once"
                    ));
                }
            }
        }
        Ok(augmentation)
    }
}
