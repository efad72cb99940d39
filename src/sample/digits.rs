//! The sample that is built in: 5,620 handwritten digits of 8 × 8 pixels.
//!
//! *Optical Recognition of Handwritten Digits*, E. Alpaydin and C. Kaynak, UCI Machine Learning Repository, 1998
//! (doi 10.24432/C50P49), under [CC BY 4.0](https://creativecommons.org/licenses/by/4.0/). Each pixel is the number of
//! dark pixels, 0 to 16, in a block of 4 × 4 of a bitmap of 32 × 32. The training part is by 30 writers, the test part by
//! 13 others. Points and their order are those of `optdigits.tra` and `optdigits.tes`. Here a pixel is 15 times that
//! number, 0 to 240, since preprocessing takes bytes for pixels of 0 to 255. `digits/digits.gz` has the numbers themselves:
//! it unpacks to the 3,823 · 64 pixels and the 3,823 classes of the training part, then to 1,797 · 64 pixels and
//! 1,797 classes of the test part, a byte each.

use std::io::Read;
use std::path::PathBuf;

use flate2::read::GzDecoder;

use super::files::Split;
use super::{Labels, Points, SampleError, Values};

/// Points of the two parts.
const TRAIN: usize = 3823;
const TEST: usize = 1797;
/// The byte of a dark pixel of the bitmap: 16 of them make nearly 255.
const DARK: u8 = 15;
/// Pixels of a point.
const PIXELS: usize = 64;

const PACKED: &[u8] = include_bytes!("digits/digits.gz");

/// Points of shape 8 × 8 and their classes.
///
/// # Errors
/// [`SampleError::Format`] if the program's own bytes are damaged.
pub fn read(split: Split) -> Result<(Points, Labels), SampleError> {
    let damaged = |reason: String| SampleError::Format { file: PathBuf::from("digits"), reason };
    let expected = (TRAIN + TEST) * (PIXELS + 1);
    let mut bytes = Vec::with_capacity(expected);
    // One byte more than expected would be too many.
    let unpacked = GzDecoder::new(PACKED).take(expected as u64 + 1).read_to_end(&mut bytes);
    unpacked.map_err(|error| damaged(format!("the sample that is built in: {error}")))?;
    if bytes.len() != expected {
        let found = bytes.len();
        return Err(damaged(format!("expected {expected} bytes built in, found {found}")));
    }
    let (train, test) = bytes.split_at(TRAIN * (PIXELS + 1));
    let part = match split {
        Split::Train => train,
        Split::Test => test,
    };
    let (pixels, classes) = part.split_at(part.len() / (PIXELS + 1) * PIXELS);
    let shades = pixels.iter().map(|&dark| dark.saturating_mul(DARK)).collect();
    let points = Points::new(Values::U8(shades), vec![8, 8])?;
    let labels = Labels::classes(classes.iter().map(|&class| u32::from(class)).collect(), 10)?;
    Ok((points, labels))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(split: Split) -> Vec<usize> {
        let (points, labels) = read(split).unwrap();
        let Labels::Classes { of, .. } = labels else { panic!("classes") };
        assert_eq!((points.n(), points.d(), points.shape()), (of.len(), 64, &[8, 8][..]));
        (0..10).map(|class| of.iter().filter(|&&of| of == class).count()).collect()
    }

    /// As the data set's own description counts them.
    #[test]
    fn classes_are_as_many_as_the_source_says() {
        let train = [376, 389, 380, 389, 387, 376, 377, 387, 380, 382];
        let test = [178, 182, 177, 183, 181, 182, 181, 179, 174, 180];
        assert_eq!(counts(Split::Train), train);
        assert_eq!(counts(Split::Test), test);
    }
}
