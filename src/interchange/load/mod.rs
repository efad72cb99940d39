//! One loader for every file that holds a network.
//!
//! | file | holds |
//! |---|---|
//! | network file, certificate | an explicit network, exactly; a certificate also names the sample |
//! | checkpoint | a trained architecture, with its settings and progress |
//! | safetensors, NPZ, JSON | an explicit network, or a trained architecture: our own files say which, others need their layers in words |
//! | ONNX | a graph |
//!
//! The kind is decided by the first bytes of the file, and by its name only where they say nothing. A file is
//! read once: what is hashed is what is loaded, whatever becomes of the file meanwhile.

mod error;
mod explicit;
mod kind;
mod trained;
mod weights;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Cursor, Read};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::array::Arrays;
use crate::onnx::External;
use crate::{InterchangeError, json, npz, onnx, tensors};
use shatter_certify::{Statement, read};
use shatter_judge::certificate::digest_of_files;
use shatter_network::architecture::Shape;
use shatter_network::reading::ReadingError;
use shatter_network::{Graph, Network, Reading, graph};
use shatter_sample::fingerprint::hex;
use shatter_sample::{LabelRule, Target};
use shatter_train::{Checkpoint, CheckpointError};

pub use error::{LoadError, MissingFact};
pub use kind::FileKind;
pub use trained::{Trained, TrainingRun};
pub use weights::{Weights, weights};

use kind::{Container, Form, HEAD};

/// The largest file that is read into memory: protobuf has room for no more.
const LARGEST: u64 = 1 << 31;

/// Facts that a file of plain arrays may not hold.
#[derive(Clone, Copy, Debug, Default)]
pub struct LoadOptions<'a> {
    /// The layers in words ([`architecture::text`](shatter_network::architecture::text)), the last dense one left out,
    /// for arrays under PyTorch's names.
    pub architecture: Option<&'a str>,
    /// Outputs of the last layer; those of its array otherwise.
    pub outputs: Option<usize>,
    /// Shape of the input; where it is a vector, the first array gives it otherwise.
    pub input: Option<Shape>,
}

/// A network that was loaded.
#[derive(Clone, Debug)]
#[must_use]
pub struct Loaded {
    /// The file.
    pub file: PathBuf,
    /// The kind of file.
    pub kind: FileKind,
    /// Bytes of the file.
    pub bytes: u64,
    /// SHA-256 of these bytes, in hexadecimal; where numbers lie in files beside it, of all of them
    /// ([`digest_of_files`]).
    pub sha256: String,
    /// The network.
    pub body: LoadedNetwork,
    /// The sample that it fits, where the file says so.
    pub origin: Option<Origin>,
    /// The encoding of labels, with the names of classes, where the file holds it; an error where these names were
    /// lost or cannot be read.
    pub reading: Result<Option<Reading>, ReadingError>,
    /// Texts of the file, by their names.
    pub metadata: BTreeMap<String, String>,
}

/// A network in the form that its file has.
#[derive(Clone, Debug)]
pub enum LoadedNetwork {
    /// Exact numbers.
    Explicit(Explicit),
    /// Layers with their arrays.
    Trained(Trained),
    /// Operations.
    Graph(Graph),
}

/// An explicit network.
#[derive(Clone, Debug)]
pub struct Explicit {
    /// The network.
    pub network: Network,
    /// The name of the construction.
    pub construction: String,
    /// The digest in the last line of a network file or a certificate, or that of the file from which it was
    /// exported.
    pub digest: Option<String>,
}

/// The sample that a network was built for, and how its outputs say the labels.
#[derive(Clone, Debug, PartialEq)]
pub struct Origin {
    /// The SAMPLE text.
    pub sample: String,
    /// Type, number and shape of the points.
    pub points: String,
    /// SHA-256 of the points.
    pub points_sha256: String,
    /// The rule that drew the labels.
    pub rule: LabelRule,
    /// Its seed.
    pub seed: u64,
    /// The outputs that say a label.
    pub target: Target,
}

impl Loaded {
    /// The network as a graph.
    ///
    /// # Errors
    /// [`LoadError::Graph`].
    pub fn graph(&self) -> Result<Cow<'_, Graph>, LoadError> {
        let refuse = |source| LoadError::Graph { file: self.file.clone(), source };
        match &self.body {
            LoadedNetwork::Graph(graph) => Ok(Cow::Borrowed(graph)),
            LoadedNetwork::Trained(Trained { architecture, arrays, precision, .. }) => {
                graph::trained::graph(architecture, arrays, *precision)
                    .map(Cow::Owned)
                    .map_err(refuse)
            }
            LoadedNetwork::Explicit(explicit) => Ok(Cow::Owned(Graph::from(&explicit.network))),
        }
    }

    /// Numbers that come out.
    pub fn outputs(&self) -> usize {
        match &self.body {
            LoadedNetwork::Explicit(explicit) => explicit.network.outputs(),
            LoadedNetwork::Trained(trained) => trained.outputs(),
            LoadedNetwork::Graph(graph) => graph.outputs(),
        }
    }

    /// The explicit network, where it is one.
    pub fn explicit(&self) -> Option<&Network> {
        match &self.body {
            LoadedNetwork::Explicit(explicit) => Some(&explicit.network),
            _ => None,
        }
    }
}

/// Loads a network.
///
/// ```
/// use shatter_interchange::{NamedArray, Floats, tensors};
/// use shatter_interchange::load::{self, LoadOptions};
/// let array = |name: &str, shape: &[usize], numbers: &[f64]| NamedArray {
///     name: name.to_owned(),
///     shape: shape.to_vec(),
///     numbers: Floats::Double(numbers.to_vec()),
/// };
/// let arrays = [
///     array("0.weight", &[2, 1], &[1.0, -1.0]),
///     array("0.bias", &[2], &[0.0, 0.0]),
///     array("2.weight", &[1, 2], &[1.0, 1.0]),
///     array("2.bias", &[1], &[0.0]),
/// ];
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("absolute-value.safetensors");
/// std::fs::write(&path, tensors::file(&arrays, &[]))?;
/// let words = LoadOptions { architecture: Some("dense(2) relu"), ..LoadOptions::default() };
/// let loaded = load::load(&path, &words)?;
/// assert_eq!((loaded.kind.name(), loaded.outputs()), ("safetensors", 1));
/// assert_eq!(loaded.graph()?.steps.len(), 3);
/// assert!(load::load(&path, &LoadOptions::default()).is_err()); // the file does not say its layers
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`LoadError`]: every way in which the file holds no network, or not all of one.
pub fn load(path: &Path, options: &LoadOptions) -> Result<Loaded, LoadError> {
    let (content, about) = contents(path, options)?;
    let said = |kind: FileKind| match options.architecture {
        Some(_) => Err(LoadError::Said { file: path.to_owned(), kind: kind.name() }),
        None => Ok(()),
    };
    let refuse = |source| LoadError::Content { file: path.to_owned(), source: Box::new(source) };
    let loaded = |kind, body, origin, reading, metadata| {
        let About { bytes, sha256 } = about;
        let file = path.to_owned();
        Ok(Loaded { file, kind, bytes, sha256, body, origin, reading, metadata })
    };
    match content {
        Content::Text(file) => {
            let kind =
                if file.statement.is_some() { FileKind::Certificate } else { FileKind::Network };
            said(kind)?;
            let reading = file.reading();
            let origin = file.statement.map(Origin::from);
            let (network, construction) = (file.network, file.construction);
            let body = Explicit { network, construction, digest: Some(file.digest) };
            loaded(kind, LoadedNetwork::Explicit(body), origin, reading, BTreeMap::new())
        }
        Content::Checkpoint(trained, metadata) => {
            let reading = trained.run.as_ref().map_or(Ok(None), |run| run.identity.reading());
            loaded(FileKind::Checkpoint, LoadedNetwork::Trained(trained), None, reading, metadata)
        }
        Content::Graph(graph, texts) => {
            said(FileKind::Onnx)?;
            let reading = Reading::from_metadata(&texts);
            let metadata: BTreeMap<String, String> = texts.into_iter().collect();
            let origin = Origin::of(&metadata);
            loaded(FileKind::Onnx, LoadedNetwork::Graph(graph), origin, reading, metadata)
        }
        Content::Arrays(kind, arrays) => {
            let origin = Origin::of(&arrays.metadata);
            let reading = reading(&arrays.metadata);
            if options.architecture.is_none()
                && let Some(network) = explicit::network(&arrays, about.bytes).map_err(refuse)?
            {
                let metadata = arrays.metadata;
                let text = |key: &str| metadata.get(key).cloned();
                let construction = text("construction").unwrap_or_else(|| "unknown".to_owned());
                let body = Explicit { network, construction, digest: text("source_sha256") };
                return loaded(kind, LoadedNetwork::Explicit(body), origin, reading, metadata);
            }
            let (trained, metadata) = trained::trained(path, arrays, options)?;
            loaded(kind, LoadedNetwork::Trained(trained), origin, reading, metadata)
        }
    }
}

impl From<Statement> for Origin {
    fn from(statement: Statement) -> Origin {
        let Statement { sample, points, points_sha256, recipe, target, .. } = statement;
        Origin { sample, points, points_sha256, rule: recipe.rule, seed: recipe.seed, target }
    }
}

impl Origin {
    /// What the texts of an exported certificate say.
    fn of(metadata: &BTreeMap<String, String>) -> Option<Origin> {
        let text = |key: &str| metadata.get(key).cloned();
        let labels = text("labels")?;
        let (rule, seed) = labels.split_once(" seed=")?;
        Some(Origin {
            sample: text("sample")?,
            points: text("points")?,
            points_sha256: text("points_sha256")?,
            rule: rule.parse().ok()?,
            seed: seed.parse().ok()?,
            target: text("target")?.parse().ok()?,
        })
    }
}

/// What a file holds, before it is known to be a network.
enum Content {
    Text(Box<read::File>),
    Checkpoint(Trained, BTreeMap<String, String>),
    Arrays(FileKind, Arrays),
    Graph(Graph, Vec<(String, String)>),
}

/// The reading that texts say.
fn reading(metadata: &BTreeMap<String, String>) -> Result<Option<Reading>, ReadingError> {
    let entry = |key: &str| Some((key.to_owned(), metadata.get(key)?.clone()));
    let texts: Vec<_> = ["reading", "classes"].into_iter().filter_map(entry).collect();
    Reading::from_metadata(&texts)
}

/// What is known of any file.
struct About {
    bytes: u64,
    sha256: String,
}

/// Reads a file, once.
fn contents(path: &Path, options: &LoadOptions) -> Result<(Content, About), LoadError> {
    let system = |source| LoadError::Io { file: path.to_owned(), source };
    let (mut file, bytes) = open(path)?;
    let mut head = Vec::with_capacity(HEAD);
    file.by_ref().take(HEAD as u64).read_to_end(&mut head).map_err(system)?;
    let form = kind::form(path, &head, bytes.unwrap_or(u64::MAX))
        .map_err(|reason| LoadError::Unknown { file: path.to_owned(), reason })?;
    let whole = Cursor::new(head).chain(file);
    let container = match form {
        Form::Lines => return lines(path, whole),
        Form::Whole(container) => container,
    };
    let mut held = Vec::new();
    whole.take(LARGEST + 1).read_to_end(&mut held).map_err(system)?;
    let bytes = held.len() as u64;
    if bytes > LARGEST {
        return Err(LoadError::TooLarge { file: path.to_owned(), bytes, most: LARGEST });
    }
    let mut about = About { bytes, sha256: hex(&Sha256::digest(&held)) };
    let refuse = |source: InterchangeError| LoadError::Content {
        file: path.to_owned(),
        source: Box::new(source),
    };
    let content = match container {
        Container::Safetensors => safetensors_file(path, &held, options)?,
        Container::Npz => Content::Arrays(FileKind::Npz, npz::read(&held).map_err(refuse)?),
        Container::Json => Content::Arrays(FileKind::Json, json::read(&held).map_err(refuse)?),
        Container::Onnx => {
            // Numbers may lie in files beside it, of which the digest is, too.
            let folder = path.parent().unwrap_or(Path::new(""));
            let beside = External::read(&held, folder).map_err(refuse)?;
            let graph = onnx::network_with(&held, &beside).map_err(refuse)?;
            about.sha256 = digest_of_files(&held, beside.files().map(|(_, bytes)| bytes));
            Content::Graph(graph, onnx::metadata(&held).map_err(refuse)?)
        }
    };
    Ok((content, about))
}

/// A network file or a certificate, hashed as its lines are read.
fn lines(path: &Path, whole: impl Read) -> Result<(Content, About), LoadError> {
    let mut hashed = BufReader::with_capacity(1 << 16, Hashed::new(whole));
    let read = read::read(&mut hashed);
    // Up to the end, though the reader has seen to it that nothing follows.
    io::copy(&mut hashed, &mut io::sink())
        .map_err(|source| LoadError::Io { file: path.to_owned(), source })?;
    let about = hashed.into_inner().about();
    let refuse = |source| LoadError::Text { file: path.to_owned(), source: Box::new(source) };
    Ok((Content::Text(Box::new(read.map_err(refuse)?)), about))
}

/// A checkpoint, unless layers are given in words; arrays otherwise.
fn safetensors_file(path: &Path, held: &[u8], options: &LoadOptions) -> Result<Content, LoadError> {
    let metadata = tensors::metadata(held);
    let written = |key: &str| metadata.as_ref().is_some_and(|texts| texts.contains_key(key));
    if options.architecture.is_some() || !written("settings") || !written("progress") {
        let read = tensors::read(held).map_err(|source| LoadError::Content {
            file: path.to_owned(),
            source: Box::new(source),
        });
        return Ok(Content::Arrays(FileKind::Safetensors, read?));
    }
    let trained = match Checkpoint::<f32>::read(path, Cursor::new(held)) {
        Ok(checkpoint) => trained::of_checkpoint(path, checkpoint)?,
        Err(CheckpointError::Type { found, .. }) if found == "F64" => {
            trained::of_checkpoint(path, Checkpoint::<f64>::read(path, Cursor::new(held))?)?
        }
        Err(error) => return Err(error.into()),
    };
    Ok(Content::Checkpoint(trained, metadata.unwrap_or_default()))
}

/// Opens a file, and says how many bytes it has; of a pipe nobody knows.
fn open(path: &Path) -> Result<(File, Option<u64>), LoadError> {
    let system = |source| LoadError::Io { file: path.to_owned(), source };
    let status = std::fs::metadata(path).map_err(system)?;
    // To open a pipe is to wait for whoever writes, unless it is one that the shell has opened.
    let opened = path.starts_with("/dev") || path.starts_with("/proc");
    if status.is_dir() || !(status.is_file() || opened) {
        let what = if status.is_dir() { "a folder" } else { "a pipe or a device" };
        return Err(LoadError::NotAFile { file: path.to_owned(), what });
    }
    let bytes = status.is_file().then_some(status.len());
    Ok((File::open(path).map_err(system)?, bytes))
}

/// Hashes what is read of it.
struct Hashed<R> {
    inner: R,
    hasher: Sha256,
    bytes: u64,
}

impl<R> Hashed<R> {
    fn new(inner: R) -> Hashed<R> {
        Hashed { inner, hasher: Sha256::new(), bytes: 0 }
    }

    fn about(self) -> About {
        About { bytes: self.bytes, sha256: hex(&self.hasher.finalize()) }
    }
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.hasher.update(&buffer[..read]);
        self.bytes += read as u64;
        Ok(read)
    }
}
