//! SHA-256 of the canonical points: what ties a certificate to a sample.
//!
//! Hashed are the line `shatter points 1 TYPE N SHAPE\n` (for example
//! `shatter points 1 u8 60000 28x28`), then every coordinate in little-endian order, row by row,
//! after merging. So the same images hash alike from .gz files and plain ones.

use sha2::{Digest, Sha256};

use super::{Labels, Points, RawSample, Values};

/// The first line of what is hashed, without its newline.
pub fn header(points: &Points) -> String {
    let shape: Vec<String> = points.shape().iter().map(usize::to_string).collect();
    format!("{} {} {}", points.values().type_name(), points.n(), shape.join("x"))
}

/// SHA-256 of the canonical points, in hexadecimal.
///
/// ```
/// use shatter_sample::{Points, Values, fingerprint::fingerprint};
/// let narrow = Points::new(Values::U8(vec![1, 2]), vec![1])?;
/// let wide = Points::new(Values::I64(vec![1, 2]), vec![1])?;
/// assert_ne!(fingerprint(&narrow), fingerprint(&wide)); // the type counts
/// # Ok::<(), shatter_sample::SampleError>(())
/// ```
#[must_use]
pub fn fingerprint(points: &Points) -> String {
    let mut hasher = Sha256::new();
    hasher.update(format!("shatter points 1 {}\n", header(points)));
    match points.values() {
        Values::U8(v) => hasher.update(v),
        Values::I64(v) | Values::Scaled { values: v, .. } => {
            update_chunked(&mut hasher, v, |x| x.to_le_bytes());
        }
        Values::F32(v) => update_chunked(&mut hasher, v, |x| x.to_le_bytes()),
        Values::F64(v) => update_chunked(&mut hasher, v, |x| x.to_le_bytes()),
    }
    hex(&hasher.finalize())
}

/// SHA-256 of points and labels, as they were read, in hexadecimal: hashed are the digest of the
/// points, the line `shatter classes C` or `shatter real K`, and every label in little-endian order.
///
/// ```
/// use shatter_sample::{self as sample, fingerprint::fingerprint_labelled};
/// let digest = |text| Ok::<_, sample::SampleError>(fingerprint_labelled(&sample::load(text, 1)?));
/// assert_eq!(digest("gaussian:n=5,d=2,classes=3")?, digest("gaussian:n=5,d=2,classes=3")?);
/// assert_ne!(digest("gaussian:n=5,d=2,classes=3")?, digest("gaussian:n=5,d=2,classes=4")?);
/// # Ok::<(), sample::SampleError>(())
/// ```
#[must_use]
pub fn fingerprint_labelled(raw: &RawSample) -> String {
    let mut hasher = Sha256::new();
    hasher.update(fingerprint(&raw.points));
    match &raw.labels {
        Labels::Classes { of, count, .. } => {
            hasher.update(format!("shatter classes {count}\n"));
            update_chunked(&mut hasher, of, |x| x.to_le_bytes());
        }
        Labels::Real { values, outputs } => {
            hasher.update(format!("shatter real {outputs}\n"));
            update_chunked(&mut hasher, values, |x| x.to_le_bytes());
        }
    }
    hex(&hasher.finalize())
}

/// Feeds numbers to the hash in pieces of a few pages, so that points are never held twice.
fn update_chunked<T: Copy, const B: usize>(
    hasher: &mut Sha256,
    values: &[T],
    bytes: impl Fn(T) -> [u8; B],
) {
    let mut buffer = Vec::with_capacity(B * 8192);
    for chunk in values.chunks(8192) {
        buffer.clear();
        chunk.iter().for_each(|&x| buffer.extend_from_slice(&bytes(x)));
        hasher.update(&buffer);
    }
}

/// Bytes in lower-case hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
