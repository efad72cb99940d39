//! IDX, the format of MNIST and Fashion-MNIST (<http://yann.lecun.com/exdb/mnist>), plain or
//! packed with gzip.
//!
//! A file is two zero bytes, the type (0x08, unsigned bytes), the number of dimensions, each
//! dimension as a big-endian 32-bit number, and the bytes. Images have 2 to 4 dimensions (the
//! first counts them), labels have 1. Refused: other types and dimensions (by name, if the two
//! files are swapped), fewer or more bytes than announced, label counts that differ.

use std::path::{Path, PathBuf};

use super::files::{self, Source, Split};
use super::{Labels, Points, SampleError, Values};

const UNSIGNED_BYTE: u8 = 0x08;

/// The expected contents of a file.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Images,
    Labels,
}

/// Images and their labels from two IDX files; there are as many classes as the largest label
/// says.
///
/// ```
/// use shatter_sample::idx;
/// let folder = tempfile::tempdir()?;
/// let (images, labels) = (folder.path().join("images"), folder.path().join("labels"));
/// std::fs::write(&images, [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 10, 20, 30, 40])?;
/// std::fs::write(&labels, [0, 0, 8, 1, 0, 0, 0, 2, 7, 1])?;
/// let (points, labels) = idx::read(&images, &labels)?;
/// assert_eq!((points.n(), points.shape(), labels.describe(0)), (2, &[1, 2][..], "7".into()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`SampleError::Io`], [`SampleError::IsFolder`], [`SampleError::Format`] for another format or
/// bytes left over, [`SampleError::Truncated`], [`SampleError::LabelCount`], and those of
/// [`Points::new`].
pub fn read(images: &Path, labels: &Path) -> Result<(Points, Labels), SampleError> {
    read_classes(images, labels, 1)
}

/// Reads a folder of MNIST or Fashion-MNIST, which have ten classes: from
/// `train-images-idx3-ubyte` and `train-labels-idx1-ubyte`, or `t10k-…` for [`Split::Test`], with
/// or without `.gz`, or with a dot before `idx`; in the folder itself, or in `raw`, `MNIST/raw` or
/// `FashionMNIST/raw`, where torchvision leaves them.
///
/// # Errors
/// Those of [`read`]; [`SampleError::NoSuchFile`] if the folder holds no such file;
/// [`SampleError::Format`] if it holds both MNIST and Fashion-MNIST.
pub fn read_folder(folder: &Path, split: Split) -> Result<(Points, Labels), SampleError> {
    let wanted = "a folder that holds the files of MNIST or Fashion-MNIST";
    files::expect_folder(folder, wanted)?;
    let prefix = match split {
        Split::Train => "train",
        Split::Test => "t10k",
    };
    let images = format!("{prefix}-images");
    let both = ["MNIST/raw", "FashionMNIST/raw"].map(|sub| folder.join(sub));
    let nested: Vec<&PathBuf> =
        both.iter().filter(|sub| find(sub, &images, "idx3").is_some()).collect();
    let place = [folder.to_path_buf(), folder.join("raw")]
        .into_iter()
        .find(|place| find(place, &images, "idx3").is_some());
    let place = match (place, nested.as_slice()) {
        (Some(place), _) => place,
        (None, [only]) => only.to_path_buf(),
        (None, [_, ..]) => {
            let reason = "it contains both MNIST/raw and FashionMNIST/raw: name one of them".into();
            return Err(SampleError::Format { file: folder.into(), reason });
        }
        (None, []) => folder.to_path_buf(),
    };
    let file = |stem: &str, kind: &str| {
        find(&place, stem, kind).ok_or_else(|| SampleError::NoSuchFile {
            folder: place.clone(),
            wanted: format!("{stem}-{kind}-ubyte, {stem}.{kind}-ubyte, with or without .gz"),
        })
    };
    let labels = format!("{prefix}-labels");
    read_classes(&file(&images, "idx3")?, &file(&labels, "idx1")?, 10)
}

/// The file of that name, in whichever spelling it is there.
fn find(folder: &Path, stem: &str, kind: &str) -> Option<PathBuf> {
    ["-", "."]
        .iter()
        .flat_map(|dot| ["", ".gz"].map(|gz| folder.join(format!("{stem}{dot}{kind}-ubyte{gz}"))))
        .find(|path| path.is_file())
}

fn read_classes(images: &Path, labels: &Path, least: u32) -> Result<(Points, Labels), SampleError> {
    let (_, classes) = read_bytes(labels, Kind::Labels)?;
    let (shape, pixels) = read_bytes(images, Kind::Images)?;
    let points = Points::new(Values::U8(pixels), shape)?;
    if points.n() != classes.len() {
        return Err(SampleError::LabelCount { points: points.n(), labels: classes.len() });
    }
    let of: Vec<u32> = classes.into_iter().map(u32::from).collect();
    let count = of.iter().max().map_or(least, |&most| least.max(most + 1));
    Ok((points, Labels::classes(of, count)?))
}

/// The shape of one element, and the bytes.
fn read_bytes(path: &Path, wanted: Kind) -> Result<(Vec<usize>, Vec<u8>), SampleError> {
    let mut source = Source::open(path)?;
    let magic: [u8; 4] = source.header("the four bytes of the magic number")?;
    let dimensions = check_magic(magic, wanted).map_err(|reason| source.format(reason))?;
    let mut sides = Vec::new();
    for _ in 0..dimensions {
        sides.push(u32::from_be_bytes(source.header("the dimensions of its header")?));
    }
    let bytes = sides.iter().try_fold(1u64, |product, &side| product.checked_mul(side.into()));
    let bytes = bytes.ok_or_else(|| {
        source.format(format!("its header announces {sides:?} bytes, more than any file can hold"))
    })?;
    let data = source.exactly(bytes)?;
    source.end(bytes)?;
    Ok((sides.iter().skip(1).map(|&side| side as usize).collect(), data))
}

/// The number of dimensions, or what is wrong with the magic number.
fn check_magic(magic: [u8; 4], wanted: Kind) -> Result<u8, String> {
    let found = u32::from_be_bytes(magic);
    let [zero, zero_too, kind, dimensions] = magic;
    let expected = match wanted {
        Kind::Images => "an IDX image file has magic number 2051 (0x00000803)",
        Kind::Labels => "an IDX label file has magic number 2049 (0x00000801)",
    };
    if (zero, zero_too) != (0, 0) {
        return Err(format!("{expected}; found 0x{found:08x}: it is not an IDX file"));
    }
    if kind != UNSIGNED_BYTE {
        let name = match kind {
            0x09 => "signed bytes",
            0x0b => "16-bit integers",
            0x0c => "32-bit integers",
            0x0d => "32-bit floating-point numbers",
            0x0e => "64-bit floating-point numbers",
            _ => "not a type of IDX",
        };
        return Err(format!(
            "{expected}; found 0x{found:08x}: its type 0x{kind:02x} is {name}, not unsigned bytes"
        ));
    }
    let why = match (wanted, dimensions) {
        (Kind::Images, 2..=4) | (Kind::Labels, 1) => return Ok(dimensions),
        (Kind::Images, 1) => "this is a label file, not an image file".to_string(),
        (Kind::Labels, 3) => "this is an image file, not a label file".to_string(),
        (_, other) => format!("it has {other} dimensions"),
    };
    Err(format!("{expected}; found {found} (0x{found:08x}): {why}"))
}
