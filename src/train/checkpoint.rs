//! Checkpoints: weights, running statistics and velocities of a network, with the state needed to
//! resume training, in one safetensors file that PyTorch reads too.
//!
//! Tensors are named and shaped as in the `state_dict` of the `nn.Sequential` of the same layers;
//! `momentum/NAME` is the velocity of the trained tensor NAME. The texts beside them are `format`
//! (`pt`), `shatter` (the version that wrote it), `architecture` (the text of all layers), `input`
//! (`3x28x28`), `outputs`, `version` (of the records), `settings` and `progress` (JSON of [`Identity`] and
//! [`Progress`]).
//!
//! Equal checkpoints are equal bytes. A file is read tensor by tensor, after its header was found
//! to agree with its length and with the network; numbers that are not finite are neither written nor read.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use shatter_exact::{Element, Format};
use shatter_network::architecture::text::refused;
use shatter_network::architecture::{
    Architecture, ArchitectureError, Parameter, ParameterKind, Shape,
};
use shatter_record::AtomicFile;

use shatter_record::safetensors::{Entry, Header, LONGEST, Tensor, header, parse};

use super::identity::{Identity, VERSION, later_version};
use super::progress::Progress;

/// The state needed to resume training.
///
/// ```
/// use shatter_network::architecture::{Architecture, Shape};
/// use shatter_train::{Checkpoint, DataIdentity, Identity, Initialization, Progress, Settings, load_weights};
/// let network = Architecture::named("mlp:8", Shape::vector(5), 3)?;
/// let draw = |(array, index)| {
///     let values = Initialization::HeNormal.draw(&array, index, 1);
///     (array, values)
/// };
/// let checkpoint = Checkpoint::<f64> {
///     architecture: network.to_string(),
///     input: network.input,
///     outputs: 3,
///     identity: Identity { data: DataIdentity::named("mine"), settings: Settings::paper(0.1) },
///     progress: Progress::default(),
///     arrays: network.arrays()?.into_iter().zip(0..).map(draw).collect(),
///     velocities: Vec::new(),
/// };
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("start.safetensors");
/// checkpoint.save(&path, 0)?;
/// assert_eq!(Checkpoint::load(&path)?, checkpoint);
/// assert_eq!(load_weights::<f64>(&path, &network)?, checkpoint.arrays);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint<E> {
    /// The text of all layers, the last dense one included, as [`Architecture`] displays it.
    pub architecture: String,
    /// Shape of the input.
    pub input: Shape,
    /// Number of outputs.
    pub outputs: usize,
    /// Data and settings of the run.
    pub identity: Identity,
    /// Progress of the run.
    pub progress: Progress,
    /// The arrays of the network, in the order of [`Architecture::arrays`].
    pub arrays: Vec<(Parameter, Vec<E>)>,
    /// Velocities of the trained arrays, in their order; empty where only weights are stored.
    pub velocities: Vec<Vec<E>>,
}

/// Error of reading or writing a checkpoint.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The operating system reported an error.
    #[error("{file}: {source}", file = .file.display())]
    Io {
        /// The file.
        file: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// The file is not a safetensors file, or is damaged.
    #[error("{file} is not a complete safetensors file: {reason}", file = .file.display())]
    Format {
        /// The file.
        file: PathBuf,
        /// Description of the error.
        reason: String,
    },
    /// A text of the file that a checkpoint must have is missing or wrong.
    #[error("{file} is not a checkpoint of a run: its '{key}' {reason}", file = .file.display())]
    Metadata {
        /// The file.
        file: PathBuf,
        /// Name of the text.
        key: &'static str,
        /// Description of the error.
        reason: String,
    },
    /// The layers do not fit each other or the input.
    #[error("{file}: {source}", file = .file.display())]
    Architecture {
        /// The file.
        file: PathBuf,
        /// Error of the architecture.
        source: ArchitectureError,
    },
    /// A tensor of the network is missing.
    #[error(
        "{file} is a checkpoint of another architecture: expected a tensor '{tensor}' of \
         shape {expected:?}; found none", file = .file.display()
    )]
    Missing {
        /// The file.
        file: PathBuf,
        /// The tensor.
        tensor: String,
        /// Its shape in the network.
        expected: Vec<usize>,
    },
    /// A tensor has another shape than in the network.
    #[error(
        "{file} is a checkpoint of another architecture: expected a tensor '{tensor}' of \
         shape {expected:?}; found shape {found:?}", file = .file.display()
    )]
    Shape {
        /// The file.
        file: PathBuf,
        /// The tensor.
        tensor: String,
        /// Its shape in the file.
        found: Vec<usize>,
        /// Its shape in the network.
        expected: Vec<usize>,
    },
    /// The network does not have a tensor of the file.
    #[error(
        "{file} is a checkpoint of another architecture: the network has no tensor '{tensor}' (of \
         shape {found:?})", file = .file.display()
    )]
    Unknown {
        /// The file.
        file: PathBuf,
        /// The tensor.
        tensor: String,
        /// Its shape in the file.
        found: Vec<usize>,
    },
    /// The numbers of a tensor are of a type that cannot be used.
    #[error("{file}: tensor '{tensor}' is of type {found}; expected {expected}", file = .file.display())]
    Type {
        /// The file.
        file: PathBuf,
        /// The tensor.
        tensor: String,
        /// Its type.
        found: String,
        /// The type, or types, that can be used.
        expected: &'static str,
    },
    /// A number is not finite in the type of the checkpoint.
    #[error(
        "{file}: number {index} of tensor '{tensor}' is {value}, which is not a finite {expected}",
        file = .file.display()
    )]
    NotFinite {
        /// The file.
        file: PathBuf,
        /// The tensor.
        tensor: String,
        /// Place of the number in it, from 0.
        index: usize,
        /// The number.
        value: f64,
        /// The type: `f32`, `f64`.
        expected: &'static str,
    },
    /// The arrays to be written are not those of the layers.
    #[error("{file} is not written: {reason}", file = .file.display())]
    Arrays {
        /// The file.
        file: PathBuf,
        /// Description of the error.
        reason: String,
    },
}

/// Name of the velocity of an array.
fn velocity(parameter: &Parameter) -> String {
    format!("{VELOCITY}{}", parameter.name)
}

/// Prefix of the names of velocities.
pub const VELOCITY: &str = "momentum/";

/// PyTorch's counter of batches beside a running variance: how many were averaged.
fn batches(parameter: &Parameter) -> Option<String> {
    let layer = parameter.name.strip_suffix(".running_var")?;
    (parameter.kind == ParameterKind::RunningVariance)
        .then(|| format!("{layer}.num_batches_tracked"))
}

/// The format's name for this type.
fn dtype<E: Element>() -> &'static str {
    match E::FORMAT {
        Format::F32 => "F32",
        _ => "F64", // the two that implement the trait
    }
}

/// Numbers that are turned into bytes, or bytes into numbers, at a time.
const CHUNK: usize = 4096;

impl<E: Element> Checkpoint<E> {
    /// Returns the network.
    ///
    /// # Errors
    /// [`ArchitectureError`], if the text is not that of a network from `input` to `outputs`
    /// numbers.
    pub fn network(&self) -> Result<Architecture, ArchitectureError> {
        network(&self.architecture, self.input, self.outputs)
    }

    /// Writes `path`, whole or not at all; `steps` is how many batches went into the running
    /// statistics of batch normalization, which PyTorch counts there.
    ///
    /// Streams the arrays: no copy of them is made.
    ///
    /// # Errors
    /// [`CheckpointError::Architecture`], [`CheckpointError::Arrays`] and
    /// [`CheckpointError::NotFinite`] for what could not be loaded again;
    /// [`CheckpointError::Io`]. A file that was at `path` is then left as it was.
    pub fn save(&self, path: &Path, steps: u64) -> Result<(), CheckpointError> {
        let network = self
            .network()
            .map_err(|source| CheckpointError::Architecture { file: path.to_owned(), source })?;
        let tensors = self.tensors(path, &network)?;
        for (tensor, values) in &tensors {
            if let Some(index) = values.iter().position(|value| !value.is_finite()) {
                return Err(not_finite::<E>(path, &tensor.name, index, values[index].to_f64()));
            }
        }
        self.write(path, &tensors, steps)
            .map_err(|source| CheckpointError::Io { file: path.to_owned(), source })
    }

    /// The tensors with their numbers, after comparing them with what the network has.
    fn tensors(
        &self,
        path: &Path,
        network: &Architecture,
    ) -> Result<Vec<(Tensor<'_>, &[E])>, CheckpointError> {
        let refuse = |reason| CheckpointError::Arrays { file: path.to_owned(), reason };
        let expected = network
            .arrays()
            .map_err(|source| CheckpointError::Architecture { file: path.to_owned(), source })?;
        if !self.arrays.iter().map(|(parameter, _)| parameter).eq(&expected) {
            return Err(refuse("the arrays are not those of the architecture".to_owned()));
        }
        let trained = || self.arrays.iter().filter(|(parameter, _)| parameter.kind.trained());
        let velocities = self.velocities.len();
        if velocities != 0 && velocities != trained().count() {
            let count = trained().count();
            return Err(refuse(format!(
                "expected {count} velocities, one per trained array; found {velocities}"
            )));
        }
        let arrays = self.arrays.iter().map(|(array, values)| (array.name.clone(), array, values));
        let velocities = trained()
            .zip(&self.velocities)
            .map(|((array, _), values)| (velocity(array), array, values));
        let mut tensors = Vec::new();
        for (name, array, values) in arrays.chain(velocities) {
            if values.len() as u64 != array.len() {
                let (given, held) = (values.len(), array.len());
                return Err(refuse(format!("expected {held} numbers in '{name}'; found {given}")));
            }
            let tensor = Tensor { name, dtype: dtype::<E>(), shape: &array.shape };
            tensors.push((tensor, values.as_slice()));
        }
        Ok(tensors)
    }

    fn write(&self, path: &Path, tensors: &[(Tensor, &[E])], steps: u64) -> io::Result<()> {
        let Shape { channels, height, width } = self.input;
        let metadata = BTreeMap::from([
            ("format", "pt".to_owned()),
            ("shatter", env!("CARGO_PKG_VERSION").to_owned()),
            ("architecture", self.architecture.clone()),
            ("input", format!("{channels}x{height}x{width}")),
            ("outputs", self.outputs.to_string()),
            ("version", VERSION.to_string()),
            ("settings", serde_json::to_string(&self.identity)?),
            ("progress", serde_json::to_string(&self.progress)?),
        ]);
        // The counters come first: PyTorch wants their 8 bytes aligned, and F32 has 4.
        let counters = self.arrays.iter().filter_map(|(array, _)| batches(array));
        let mut described: Vec<Tensor> =
            counters.map(|name| Tensor { name, dtype: "I64", shape: &[] }).collect();
        let counters = described.len();
        described.extend(
            tensors.iter().map(|(tensor, _)| Tensor { name: tensor.name.clone(), ..*tensor }),
        );
        let mut file = AtomicFile::create(path)?;
        file.write_all(&header(&metadata, &described))?;
        for _ in 0..counters {
            file.write_all(&i64::try_from(steps).unwrap_or(i64::MAX).to_le_bytes())?;
        }
        let mut bytes = Vec::new();
        for values in tensors.iter().flat_map(|(_, values)| values.chunks(CHUNK)) {
            bytes.clear();
            for &value in values {
                let value = value.to_f64();
                match E::FORMAT {
                    Format::F32 => bytes.extend((value as f32).to_le_bytes()),
                    _ => bytes.extend(value.to_le_bytes()),
                }
            }
            file.write_all(&bytes)?;
        }
        file.commit()
    }

    /// Reads a checkpoint that [`Checkpoint::save`] wrote, of numbers of this type.
    ///
    /// # Errors
    /// [`CheckpointError`], if the file is not such a checkpoint.
    pub fn load(path: &Path) -> Result<Checkpoint<E>, CheckpointError> {
        Checkpoint::of(Reader::open(path)?)
    }

    /// Reads a checkpoint from the contents of `file`. Errors name the file `name`.
    ///
    /// # Errors
    /// Those of [`Checkpoint::load`].
    pub fn read(name: &Path, file: impl Read + Seek) -> Result<Checkpoint<E>, CheckpointError> {
        Checkpoint::of(Reader::new(name, file)?)
    }

    fn of(mut reader: Reader<'_, impl Read + Seek>) -> Result<Checkpoint<E>, CheckpointError> {
        let path = reader.path;
        let refuse = |key, reason: &str| CheckpointError::Metadata {
            file: path.to_owned(),
            key,
            reason: reason.to_owned(),
        };
        // Before anything else: a later version may spell the rest in another way.
        if let Some(version) = reader.header.metadata.get("version") {
            let version = version.parse().map_err(|_| refuse("version", "is not a number"))?;
            if version > VERSION {
                return Err(refuse(
                    "version",
                    &format!("is not supported: {}", later_version(version)),
                ));
            }
        }
        let architecture = reader.text("architecture")?.to_owned();
        let input = sides(reader.text("input")?)
            .ok_or_else(|| refuse("input", "is not written as CHANNELSxHEIGHTxWIDTH"))?;
        let outputs =
            reader.text("outputs")?.parse().map_err(|_| refuse("outputs", "is not a number"))?;
        let identity = record(&reader, "settings")?;
        let progress = record(&reader, "progress")?;
        let network = network(&architecture, input, outputs)
            .map_err(|source| CheckpointError::Architecture { file: path.to_owned(), source })?;
        let arrays = reader.check(&network, &[dtype::<E>()], dtype::<E>())?;
        let arrays = reader.arrays(arrays)?;
        let mut velocities = Vec::new();
        if reader.header.tensors.keys().any(|name| name.starts_with(VELOCITY)) {
            for (array, _) in arrays.iter().filter(|(array, _)| array.kind.trained()) {
                velocities.push(reader.values(&velocity(array), &array.shape)?);
            }
        }
        Ok(Checkpoint { architecture, input, outputs, identity, progress, arrays, velocities })
    }
}

/// Reads a text that is a record in JSON.
fn record<T: DeserializeOwned>(
    reader: &Reader<'_, impl Read + Seek>,
    key: &'static str,
) -> Result<T, CheckpointError> {
    serde_json::from_str(reader.text(key)?).map_err(|error| CheckpointError::Metadata {
        file: reader.path.to_owned(),
        key,
        reason: format!("cannot be read: {error}"),
    })
}

/// Reads the arrays of `architecture` from any safetensors file that has them under PyTorch's
/// names, in the order of [`Architecture::arrays`]; velocities and PyTorch's counters of batches
/// are passed over. Numbers of type F32 and F64 are rounded to `E`.
///
/// # Errors
/// [`CheckpointError::Missing`], [`CheckpointError::Shape`] and [`CheckpointError::Unknown`] for a
/// checkpoint of another architecture; the others for a file that cannot be used at all.
pub fn load_weights<E: Element>(
    path: &Path,
    architecture: &Architecture,
) -> Result<Vec<(Parameter, Vec<E>)>, CheckpointError> {
    let mut reader = Reader::open(path)?;
    let arrays = reader.check(architecture, &["F32", "F64"], "F32 or F64")?;
    reader.arrays(arrays)
}

/// Returns the network whose layers have this text, the last dense one included.
///
/// # Errors
/// [`ArchitectureError`], if the text is not that of a network from `input` to `outputs` numbers in normal form.
pub fn network(
    text: &str,
    input: Shape,
    outputs: usize,
) -> Result<Architecture, ArchitectureError> {
    let last = format!(" dense({outputs})");
    let before = text.strip_suffix(&last).unwrap_or(text);
    let network = Architecture::named(before, input, outputs)?;
    if network.to_string() == text {
        return Ok(network);
    }
    Err(refused(text, format!("expected its normal form, '{network}'")))
}

/// Reads a shape as files spell it: `3x28x28`.
#[must_use]
pub fn sides(text: &str) -> Option<Shape> {
    let sides: Vec<usize> = text.split('x').map(str::parse).collect::<Result<_, _>>().ok()?;
    let [channels, height, width] = sides[..] else { return None };
    Some(Shape { channels, height, width })
}

fn not_finite<E: Element>(path: &Path, tensor: &str, index: usize, value: f64) -> CheckpointError {
    let (file, tensor) = (path.to_owned(), tensor.to_owned());
    CheckpointError::NotFinite { file, tensor, index, value, expected: E::NAME }
}

/// A file whose header agrees with its length.
struct Reader<'a, R> {
    path: &'a Path,
    file: R,
    header: Header,
    /// Offset of the first byte of numbers.
    begin: u64,
}

impl<'a> Reader<'a, BufReader<File>> {
    fn open(path: &'a Path) -> Result<Self, CheckpointError> {
        let system = |source| CheckpointError::Io { file: path.to_owned(), source };
        // Before opening: to open a pipe is to wait for whoever writes.
        if !std::fs::metadata(path).map_err(system)?.is_file() {
            let reason = "it is not a regular file".to_owned();
            return Err(CheckpointError::Format { file: path.to_owned(), reason });
        }
        Reader::new(path, BufReader::new(File::open(path).map_err(system)?))
    }
}

impl<'a, R: Read + Seek> Reader<'a, R> {
    fn new(path: &'a Path, mut file: R) -> Result<Self, CheckpointError> {
        let system = |source| CheckpointError::Io { file: path.to_owned(), source };
        let refuse = |reason| CheckpointError::Format { file: path.to_owned(), reason };
        let bytes = file.seek(SeekFrom::End(0)).map_err(system)?;
        file.rewind().map_err(system)?;
        let mut length = [0; 8];
        let after = bytes.checked_sub(8);
        let after =
            after.ok_or_else(|| refuse(format!("it has {bytes} bytes; expected at least 8")))?;
        file.read_exact(&mut length).map_err(system)?;
        let length = u64::from_le_bytes(length);
        let data = after.checked_sub(length).filter(|_| length <= LONGEST).ok_or_else(|| {
            let most = after.min(LONGEST);
            refuse(format!("its header claims {length} bytes; expected at most {most}"))
        })?;
        let mut text = vec![0; length as usize];
        file.read_exact(&mut text).map_err(system)?;
        let header = parse(&text, data).map_err(refuse)?;
        Ok(Reader { path, file, header, begin: 8 + length })
    }

    fn text(&self, key: &'static str) -> Result<&str, CheckpointError> {
        let text = self.header.metadata.get(key);
        text.map(String::as_str).ok_or_else(|| CheckpointError::Metadata {
            file: self.path.to_owned(),
            key,
            reason: "is missing".to_owned(),
        })
    }

    /// The arrays of the network, after finding that the tensors are these, of types among
    /// `types`, and nothing but velocities and counters of batches besides.
    fn check(
        &self,
        network: &Architecture,
        types: &[&str],
        expected: &'static str,
    ) -> Result<Vec<Parameter>, CheckpointError> {
        let file = || self.path.to_owned();
        let arrays = network
            .arrays()
            .map_err(|source| CheckpointError::Architecture { file: file(), source })?;
        for array in &arrays {
            self.entry(&array.name, &array.shape)?;
        }
        let trained = arrays.iter().filter(|array| array.kind.trained());
        let names = arrays.iter().map(|array| array.name.clone());
        let known: BTreeSet<String> = names.chain(trained.map(velocity)).collect();
        let counters: BTreeSet<String> = arrays.iter().filter_map(batches).collect();
        for (name, Entry { dtype, shape, .. }) in &self.header.tensors {
            if counters.contains(name) {
                continue;
            }
            if !known.contains(name) {
                let (tensor, found) = (name.clone(), shape.clone());
                return Err(CheckpointError::Unknown { file: file(), tensor, found });
            }
            if !types.contains(&dtype.as_str()) {
                let (tensor, found) = (name.clone(), dtype.clone());
                return Err(CheckpointError::Type { file: file(), tensor, found, expected });
            }
        }
        Ok(arrays)
    }

    /// The tensor of this name, which must be of this shape.
    fn entry(&self, name: &str, shape: &[usize]) -> Result<&Entry, CheckpointError> {
        let (file, tensor, expected) = (self.path.to_owned(), name.to_owned(), shape.to_vec());
        match self.header.tensors.get(name) {
            None => Err(CheckpointError::Missing { file, tensor, expected }),
            Some(entry) if entry.shape != shape => {
                Err(CheckpointError::Shape { file, tensor, found: entry.shape.clone(), expected })
            }
            Some(entry) => Ok(entry),
        }
    }

    fn arrays<E: Element>(
        &mut self,
        arrays: Vec<Parameter>,
    ) -> Result<Vec<(Parameter, Vec<E>)>, CheckpointError> {
        let mut read = Vec::with_capacity(arrays.len());
        for array in arrays {
            let values = self.values(&array.name, &array.shape)?;
            read.push((array, values));
        }
        Ok(read)
    }

    /// The numbers of a tensor of type F32 or F64.
    fn values<E: Element>(
        &mut self,
        name: &str,
        shape: &[usize],
    ) -> Result<Vec<E>, CheckpointError> {
        let &Entry { data_offsets: (begin, end), ref dtype, .. } = self.entry(name, shape)?;
        let width = if dtype == "F32" { 4 } else { 8 };
        let system = |source| CheckpointError::Io { file: self.path.to_owned(), source };
        let mut left = ((end - begin) / width as u64) as usize;
        let mut values: Vec<E> = Vec::new();
        values.try_reserve_exact(left).map_err(|error| system(io::Error::other(error)))?;
        self.file.seek(SeekFrom::Start(self.begin + begin)).map_err(system)?;
        let mut bytes = [0; 8 * CHUNK];
        while left > 0 {
            let count = left.min(CHUNK);
            let bytes = &mut bytes[..count * width];
            self.file.read_exact(bytes).map_err(system)?;
            for number in bytes.chunks_exact(width) {
                let value = match *number {
                    [a, b, c, d] => f64::from(f32::from_le_bytes([a, b, c, d])),
                    [a, b, c, d, e, f, g, h] => f64::from_le_bytes([a, b, c, d, e, f, g, h]),
                    _ => f64::NAN, // chunks have `width` bytes
                };
                let rounded = E::of(value);
                if !rounded.is_finite() {
                    return Err(not_finite::<E>(self.path, name, values.len(), value));
                }
                values.push(rounded);
            }
            left -= count;
        }
        Ok(values)
    }
}
