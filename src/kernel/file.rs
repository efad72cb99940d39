//! Files of models: safetensors, with the coefficients and, if wanted, the centres.
//!
//! | name | type | shape | what |
//! |---|---|---|---|
//! | `coefficients` | F64 | m × C | α |
//! | `centres` | U8, F32 or F64 | m × d | numbers of the centres; left out where the file says only which they are |
//!
//! Texts (`__metadata__`): `format` (`shatter kernel model`), `version` (1), `kernel`, `outputs` (`classes` or `real`), `classes` (JSON list of
//! names), `divisor`, `centres` (what they are, and `centres-sha256`), and of the origin `sample`, `sample-sha256`, `labels`,
//! `features`, `preprocess`. A model without centres predicts once [`Stored::with`] is given points with that digest: the features of the
//! training set, made again.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};

use shatter_record::safetensors::{self, Tensor};

use super::features::{Features, FeaturesError, Numbers};
use super::kernel::{Kernel, KernelError};
use super::model::{Meaning, Model, ModelError, Origin};

const FORMAT: &str = "shatter kernel model";
const VERSION: &str = "1";

/// Classes that a file may have, at most.
const MOST_CLASSES: usize = 1 << 16;

/// A file that is not a model.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// Reading failed.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The file is shorter than it says, or its header is not one.
    #[error("not a kernel model: {0}")]
    Header(String),
    /// A safetensors file of something else.
    #[error("not a kernel model: its format is '{0}'; expected '{FORMAT}'")]
    Format(String),
    /// A file of a later version.
    #[error("kernel model of version {0}; this program reads version {VERSION}")]
    Version(String),
    /// A text that is missing or wrong.
    #[error("the kernel model's text '{name}' is {found}; expected {expected}")]
    Text {
        /// Its name.
        name: &'static str,
        /// What stands there.
        found: String,
        /// What was expected.
        expected: &'static str,
    },
    /// The kernel.
    #[error(transparent)]
    Kernel(#[from] KernelError),
    /// A tensor that is missing or of another type or shape.
    #[error("tensor '{name}' is {found}; expected {expected}")]
    Tensor {
        /// Its name.
        name: &'static str,
        /// Type and shape that were found.
        found: String,
        /// What was expected.
        expected: String,
    },
    /// A coefficient that is infinite or NaN.
    #[error("coefficient {column} of centre {row} is {value}; expected a finite number")]
    NotFinite {
        /// The centre.
        row: usize,
        /// The output.
        column: usize,
        /// What stands there.
        value: f64,
    },
    /// Centres that are not features.
    #[error(transparent)]
    Features(#[from] FeaturesError),
    /// Coefficients that do not suit the centres.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// Other centres than the model was fitted with.
    #[error(
        "centres {found_what} with SHA-256 {found}; the model was fitted with {expected_what}, SHA-256 {expected}"
    )]
    Centres {
        /// Digest in the file.
        expected: String,
        /// What the file says they are.
        expected_what: String,
        /// Digest of those given.
        found: String,
        /// What those given are.
        found_what: String,
    },
    /// The file has no centres.
    #[error(
        "the model has no centres in its file, only their SHA-256 {0}: give the features of its training set"
    )]
    NoCentres(String),
}

/// A model as its file has it.
#[derive(Clone, Debug, PartialEq)]
pub struct Stored {
    /// The kernel.
    pub kernel: Kernel,
    /// α, m × outputs.
    pub coefficients: Vec<f64>,
    /// What outputs mean.
    pub meaning: Meaning,
    /// Where it comes from.
    pub origin: Origin,
    /// The centres, if the file has them.
    pub centres: Option<Features>,
    /// What the centres are, such as `u8/255 60000 x 784`.
    pub described: String,
    /// SHA-256 of the centres ([`Features::digest`]).
    pub centres_sha256: String,
}

impl Stored {
    /// The model, with the centres of the file.
    ///
    /// # Errors
    /// [`FileError::NoCentres`], [`FileError::Centres`], [`FileError::Model`].
    pub fn model(mut self) -> Result<Model, FileError> {
        match self.centres.take() {
            Some(centres) => self.with(centres),
            None => Err(FileError::NoCentres(self.centres_sha256)),
        }
    }

    /// The model, with centres that have the digest of the file.
    ///
    /// # Errors
    /// [`FileError::Centres`], [`FileError::Model`].
    pub fn with(self, centres: Features) -> Result<Model, FileError> {
        let found = centres.digest();
        if found != self.centres_sha256 {
            return Err(FileError::Centres {
                expected: self.centres_sha256,
                expected_what: self.described,
                found,
                found_what: centres.describe(),
            });
        }
        let Stored { kernel, coefficients, meaning, origin, .. } = self;
        let model = Model { kernel, centres, coefficients, meaning, origin };
        model.checked()?;
        Ok(model)
    }
}

/// Writes a model, with its centres or only their digest.
///
/// ```
/// use shatter_kernel::{Features, Kernel, Meaning, Model, Numbers, Origin, file};
/// let model = Model {
///     kernel: Kernel::Gaussian { gamma: 0.02 },
///     centres: Features::new(Numbers::U8(vec![3, 250]), 1, 255.0)?,
///     coefficients: vec![1.5, -0.5],
///     meaning: Meaning::Real(1),
///     origin: Origin::default(),
/// };
/// for centres in [true, false] {
///     let mut bytes = Vec::new();
///     file::write(&model, centres, &mut bytes)?;
///     let stored = file::read(&mut bytes.as_slice(), bytes.len() as u64)?;
///     assert_eq!(stored.centres.is_some(), centres);
///     assert_eq!(stored.with(model.centres.clone())?, model);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`io::Error`].
pub fn write(model: &Model, centres: bool, to: &mut impl Write) -> io::Result<()> {
    let (outputs, classes) = match &model.meaning {
        Meaning::Classes(names) => ("classes", serde_json::json!(names).to_string()),
        Meaning::Real(_) => ("real", "[]".to_owned()),
    };
    let Origin { sample, sample_digest, labels, features, preprocess } = model.origin.clone();
    let metadata = BTreeMap::from([
        ("format", FORMAT.to_owned()),
        ("version", VERSION.to_owned()),
        ("kernel", model.kernel.to_string()),
        ("outputs", outputs.to_owned()),
        ("classes", classes),
        ("divisor", model.centres.divisor().to_string()),
        ("centres", model.centres.describe()),
        ("centres-sha256", model.centres.digest()),
        ("sample", sample),
        ("sample-sha256", sample_digest),
        ("labels", labels),
        ("features", features),
        ("preprocess", preprocess),
    ]);
    let m = model.centres.rows();
    let of_coefficients = [m, model.outputs()];
    let of_centres = [m, model.centres.columns()];
    let mut tensors =
        vec![Tensor { name: "coefficients".to_owned(), dtype: "F64", shape: &of_coefficients }];
    if centres {
        let dtype = match model.centres.numbers() {
            Numbers::U8(_) => "U8",
            Numbers::F32(_) => "F32",
            Numbers::F64(_) => "F64",
        };
        tensors.push(Tensor { name: "centres".to_owned(), dtype, shape: &of_centres });
    }
    to.write_all(&safetensors::header(&metadata, &tensors))?;
    in_pieces(to, &model.coefficients, |x| x.to_le_bytes())?;
    if centres {
        match model.centres.numbers() {
            Numbers::U8(v) => to.write_all(v)?,
            Numbers::F32(v) => in_pieces(to, v, |x| x.to_le_bytes())?,
            Numbers::F64(v) => in_pieces(to, v, |x| x.to_le_bytes())?,
        }
    }
    Ok(())
}

fn in_pieces<T: Copy, const B: usize>(
    to: &mut impl Write,
    values: &[T],
    bytes: impl Fn(T) -> [u8; B],
) -> io::Result<()> {
    for piece in values.chunks(8192) {
        to.write_all(&piece.iter().flat_map(|&x| bytes(x)).collect::<Vec<u8>>())?;
    }
    Ok(())
}

/// Reads a file of `length` bytes. Memory is taken as bytes arrive.
///
/// # Errors
/// [`FileError`].
pub fn read(from: &mut impl Read, length: u64) -> Result<Stored, FileError> {
    let mut size = [0; 8];
    from.read_exact(&mut size).map_err(|_| short("the length of its header"))?;
    let size = u64::from_le_bytes(size);
    let data = length.checked_sub(8).and_then(|rest| rest.checked_sub(size));
    let data = data.filter(|_| size <= safetensors::LONGEST).ok_or_else(|| {
        FileError::Header(format!("its header would have {size} bytes, and the file has {length}"))
    })?;
    let text = bytes(from, size)?;
    let header = safetensors::parse(&text, data).map_err(FileError::Header)?;
    let texts = &header.metadata;
    let shown = |name: &str| {
        texts.get(name).map_or("missing".to_owned(), |text| format!("'{}'", cut(text)))
    };
    if texts.get("format").map(String::as_str) != Some(FORMAT) {
        return Err(FileError::Format(cut(texts.get("format").map_or("", String::as_str))));
    }
    match texts.get("version").map_or("", String::as_str) {
        VERSION => {}
        other => return Err(FileError::Version(cut(other))),
    }
    let needed = |name: &'static str, expected: &'static str| {
        let missing = || FileError::Text { name, found: shown(name), expected };
        texts.get(name).ok_or_else(missing)
    };
    let kernel: Kernel = needed("kernel", "a kernel")?.parse()?;
    let wrong = |name, expected| FileError::Text { name, found: shown(name), expected };
    let divisor = needed("divisor", "a number")?;
    let divisor: f64 = divisor.parse().map_err(|_| wrong("divisor", "a number"))?;

    let mut places: Vec<_> = header.tensors.iter().collect();
    places.sort_by_key(|(_, entry)| entry.data_offsets.0);
    let (mut coefficients, mut centres, mut width) = (None, None, 0);
    for (name, entry) in places {
        let found = || format!("of type {} and shape {:?}", entry.dtype, entry.shape);
        let size = entry.data_offsets.1 - entry.data_offsets.0;
        match (name.as_str(), entry.dtype.as_str(), &entry.shape[..]) {
            ("coefficients", "F64", &[m, c]) if m > 0 && c > 0 => {
                let numbers = numbers(&bytes(from, size)?, f64::from_le_bytes);
                if let Some(at) = numbers.iter().position(|x| !x.is_finite()) {
                    let (row, column, value) = (at / c, at % c, numbers[at]);
                    return Err(FileError::NotFinite { row, column, value });
                }
                width = c;
                coefficients = Some(numbers);
            }
            ("coefficients", ..) => {
                let expected = "of type F64 and of two sides, neither 0".to_owned();
                return Err(FileError::Tensor { name: "coefficients", found: found(), expected });
            }
            ("centres", dtype @ ("U8" | "F32" | "F64"), &[m, d]) if m > 0 && d > 0 => {
                let bytes = bytes(from, size)?;
                let numbers = match dtype {
                    "U8" => Numbers::U8(bytes),
                    "F32" => Numbers::F32(numbers(&bytes, f32::from_le_bytes)),
                    _ => Numbers::F64(numbers(&bytes, f64::from_le_bytes)),
                };
                centres = Some(Features::new(numbers, d, divisor)?);
            }
            ("centres", ..) => {
                let expected = "of type U8, F32 or F64 and of two sides, neither 0".to_owned();
                return Err(FileError::Tensor { name: "centres", found: found(), expected });
            }
            _ => {
                return Err(FileError::Header(format!(
                    "it has a tensor '{name}', which is not known"
                )));
            }
        }
    }
    let missing = || FileError::Tensor {
        name: "coefficients",
        found: "missing".to_owned(),
        expected: "of type F64".to_owned(),
    };
    let coefficients = coefficients.ok_or_else(missing)?;
    let meaning = match needed("outputs", "classes or real")?.as_str() {
        "real" => Meaning::Real(width),
        "classes" => {
            let expected = "a JSON list of as many names as there are outputs, none of them twice";
            let names: Result<Vec<String>, _> = serde_json::from_str(needed("classes", expected)?);
            let names = names.ok().filter(|names| {
                let mut sorted: Vec<&String> = names.iter().collect();
                sorted.sort_unstable();
                sorted.dedup();
                names.len() == width && names.len() <= MOST_CLASSES && sorted.len() == names.len()
            });
            Meaning::Classes(names.ok_or_else(|| wrong("classes", expected))?)
        }
        _ => return Err(wrong("outputs", "classes or real")),
    };
    let optional = |name: &str| texts.get(name).cloned().unwrap_or_default();
    let stored = Stored {
        kernel,
        coefficients,
        meaning,
        origin: Origin {
            sample: optional("sample"),
            sample_digest: optional("sample-sha256"),
            labels: optional("labels"),
            features: optional("features"),
            preprocess: optional("preprocess"),
        },
        centres,
        described: needed("centres", "what the centres are")?.clone(),
        centres_sha256: needed("centres-sha256", "64 hexadecimal digits")?.clone(),
    };
    if let Some(centres) = &stored.centres {
        let expected = stored.centres_sha256.clone();
        let found = centres.digest();
        if found != expected {
            let (expected_what, found_what) = (stored.described, centres.describe());
            return Err(FileError::Centres { expected, expected_what, found, found_what });
        }
    }
    Ok(stored)
}

fn short(what: &str) -> FileError {
    FileError::Header(format!("the file ends within {what}"))
}

/// The next `size` bytes.
fn bytes(from: &mut impl Read, size: u64) -> Result<Vec<u8>, FileError> {
    let mut bytes = Vec::new();
    from.take(size).read_to_end(&mut bytes)?;
    match bytes.len() as u64 == size {
        true => Ok(bytes),
        false => Err(short("its numbers")),
    }
}

fn numbers<T, const B: usize>(bytes: &[u8], of: impl Fn([u8; B]) -> T) -> Vec<T> {
    let mut number = [0; B];
    let mut next = |bytes: &[u8]| {
        number.copy_from_slice(bytes);
        of(number)
    };
    bytes.chunks_exact(B).map(&mut next).collect()
}

/// The first characters of a text, for an error.
fn cut(text: &str) -> String {
    text.chars().take(80).flat_map(char::escape_default).collect()
}
