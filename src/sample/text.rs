//! The SAMPLE text: `KIND:ARGUMENTS`, arguments separated by commas, files first, then `key=value`.
//!
//! ```text
//! gaussian:n=1000,d=10              lattice:n=1000,d=10,range=256     collinear:n=20,d=3
//! moment:n=50,d=4                   clustered:n=1000,d=10,clusters=5  close:n=1000,d=10
//! digits     digits:split=test     (built in)
//! mnist:DIR  fashion-mnist:DIR      cifar10:DIR-or-tar.gz             idx:IMAGES,LABELS
//! csv:FILE                          npy:POINTS.npy,LABELS.npy         npz:FILE,points=x,labels=y
//! ```
//!
//! Options of every kind: `first=N` (in file order), `draw=N` (at random, without replacement),
//! `seed=S` (instead of the command's), `groups=A+B/C+D` (classes joined to groups, points of others left out; before
//! `first` and `draw`). Of data sets: `split=train|test`. Of tables and arrays:
//! `label=COLUMN`, `target=class|number`, `scale=10^k` or `2^k`; of tables `header=yes|no`. Of
//! synthetic samples: `classes=C` (their labels are uniform classes, 10 unless told) or
//! `target=number` (standard normal labels). A comma always ends an argument, and `key=` always
//! begins an option: files with such names must be renamed or linked.

use std::collections::BTreeMap;
use std::path::PathBuf;

use shatter_random::stream::{Purpose, stream, subset};

use super::files::Split;
use super::groups::Groups;
use super::npy::ArrayOptions;
use super::synthetic::{self, Kind};
use super::table::{LabelType, TableOptions};
use super::{Base, Labels, Points, SampleError, Scale, cifar, digits, idx, npy, table};

/// A parsed SAMPLE text.
#[derive(Clone, Debug, PartialEq)]
pub struct Spec {
    text: String,
    source: Source,
    groups: Option<Groups>,
    first: Option<usize>,
    draw: Option<usize>,
    seed: Option<u64>,
}

#[derive(Clone, Debug, PartialEq)]
enum Source {
    Synthetic { kind: Kind, n: usize, d: usize, classes: u32 },
    Digits { split: Split },
    Mnist { folder: PathBuf, split: Split },
    Cifar { path: PathBuf, split: Split },
    Idx { images: PathBuf, labels: PathBuf },
    Table { file: PathBuf, options: TableOptions },
    Arrays { points: PathBuf, labels: PathBuf, options: ArrayOptions },
    Archive { file: PathBuf, points: String, labels: String, options: ArrayOptions },
}

/// Points and labels as read or drawn: duplicates are still there.
#[derive(Clone, Debug)]
pub struct RawSample {
    /// The SAMPLE text, with the seed where one was used.
    pub text: String,
    /// The points.
    pub points: Points,
    /// One label each.
    pub labels: Labels,
}

/// Reads or draws the sample that `text` describes; `seed` serves where the text names none.
///
/// # Errors
/// Every [`SampleError`] of the readers, and [`SampleError::Text`].
pub fn load(text: &str, seed: u64) -> Result<RawSample, SampleError> {
    Spec::parse(text)?.load(seed)
}

const KINDS: &str = "digits, gaussian, lattice, collinear, moment, clustered, close, mnist, \
                     fashion-mnist, cifar10, idx, csv, npy, npz";

/// The arguments of one SAMPLE text, taken out one by one; what is left over is refused.
struct Arguments<'a> {
    text: &'a str,
    kind: &'a str,
    files: Vec<&'a str>,
    options: BTreeMap<&'a str, &'a str>,
    known: Vec<&'static str>,
}

impl<'a> Arguments<'a> {
    fn split(text: &'a str) -> Result<Arguments<'a>, SampleError> {
        if text.chars().any(char::is_control) {
            let reason = "it contains control characters".to_owned();
            return Err(SampleError::Text { text: text.escape_debug().to_string(), reason });
        }
        let (kind, rest) = text.split_once(':').unwrap_or((text, ""));
        let mut arguments =
            Arguments { text, kind, files: vec![], options: BTreeMap::new(), known: vec![] };
        for part in rest.split(',').filter(|part| !part.is_empty()) {
            match part.split_once('=') {
                Some((key, value)) if key.chars().all(|c| c.is_ascii_lowercase()) => {
                    if arguments.options.insert(key, value).is_some() {
                        return Err(arguments.refuse(format!("'{key}' is given twice")));
                    }
                }
                _ => arguments.files.push(part),
            }
        }
        Ok(arguments)
    }

    fn refuse(&self, reason: impl Into<String>) -> SampleError {
        SampleError::Text { text: self.text.to_owned(), reason: reason.into() }
    }

    fn files<const N: usize>(&self, wanted: &str) -> Result<[PathBuf; N], SampleError> {
        let files: Vec<PathBuf> = self.files.iter().map(PathBuf::from).collect();
        files.try_into().map_err(|files: Vec<PathBuf>| {
            self.refuse(format!("expected {}:{wanted}, found {} files", self.kind, files.len()))
        })
    }

    fn take(&mut self, key: &'static str) -> Option<&'a str> {
        self.known.push(key);
        self.options.remove(key)
    }

    fn parsed<T: std::str::FromStr>(
        &mut self,
        key: &'static str,
        wanted: &str,
    ) -> Result<Option<T>, SampleError> {
        let Some(value) = self.take(key) else { return Ok(None) };
        let refused = self.refuse(format!("{key}={value}: expected {wanted}"));
        value.parse().map(Some).map_err(|_| refused)
    }

    fn count(&mut self, key: &'static str) -> Result<Option<usize>, SampleError> {
        self.parsed(key, "a whole number")
    }

    fn one_of<T: Copy>(
        &mut self,
        key: &'static str,
        choices: &[(&str, T)],
    ) -> Result<Option<T>, SampleError> {
        let Some(value) = self.take(key) else { return Ok(None) };
        let names: Vec<&str> = choices.iter().map(|choice| choice.0).collect();
        let found = choices.iter().find(|choice| choice.0 == value);
        found.map(|choice| Some(choice.1)).ok_or_else(|| {
            self.refuse(format!("{key}={value}: expected one of {}", names.join(", ")))
        })
    }

    fn split_option(&mut self) -> Result<Split, SampleError> {
        let choices = [("train", Split::Train), ("test", Split::Test)];
        Ok(self.one_of("split", &choices)?.unwrap_or(Split::Train))
    }

    fn target(&mut self) -> Result<Option<LabelType>, SampleError> {
        self.one_of("target", &[("class", LabelType::Class), ("number", LabelType::Number)])
    }

    fn scale(&mut self) -> Result<Option<Scale>, SampleError> {
        let Some(value) = self.take("scale") else { return Ok(None) };
        let refused =
            self.refuse(format!("scale={value}: expected 10^k (k <= 18) or 2^k (k <= 62)"));
        let (base, exponent) = match value.split_once('^') {
            Some(("10", exponent)) => (Base::Ten, exponent),
            Some(("2", exponent)) => (Base::Two, exponent),
            _ => return Err(refused),
        };
        match (base, exponent.parse()) {
            (Base::Ten, Ok(exponent @ 0..=18)) | (Base::Two, Ok(exponent @ 0..=62)) => {
                Ok(Some(Scale { base, exponent }))
            }
            _ => Err(refused),
        }
    }

    fn synthetic(&mut self, kind: Kind) -> Result<Source, SampleError> {
        let n = self.count("n")?.ok_or_else(|| self.refuse("n=N is missing"))?;
        let d = self.count("d")?.ok_or_else(|| self.refuse("d=D is missing"))?;
        let classes: Option<u32> = self.parsed("classes", "a whole number")?;
        let classes = match (self.target()?, classes) {
            (Some(LabelType::Number), Some(_)) => {
                return Err(self.refuse("classes=C and target=number cannot be given together"));
            }
            (Some(LabelType::Number), None) => 0,
            (_, Some(0)) => return Err(self.refuse("classes=0: expected at least 1")),
            (_, classes) => classes.unwrap_or(10),
        };
        self.files::<0>("n=N,d=D (no files)")?;
        Ok(Source::Synthetic { kind, n, d, classes })
    }

    fn source(&mut self) -> Result<Source, SampleError> {
        match self.kind {
            "gaussian" => self.synthetic(Kind::Gaussian),
            "lattice" => {
                let range = self.parsed("range", "a whole number")?.unwrap_or(1 << 10);
                if !(1..=1 << 62).contains(&range) {
                    return Err(self.refuse("range: expected 1 to 2^62"));
                }
                self.synthetic(Kind::Lattice { range })
            }
            "collinear" => self.synthetic(Kind::Collinear),
            "moment" => self.synthetic(Kind::Moment),
            "clustered" => {
                let clusters = self.parsed("clusters", "a whole number")?.unwrap_or(10);
                if clusters == 0 {
                    return Err(self.refuse("clusters=0: expected at least 1"));
                }
                self.synthetic(Kind::Clustered { clusters })
            }
            "close" => self.synthetic(Kind::Close),
            "digits" => {
                self.files::<0>("OPTION=VALUE,... (it is built in)")?;
                Ok(Source::Digits { split: self.split_option()? })
            }
            "mnist" | "fashion-mnist" => {
                let [folder] = self.files("DIR")?;
                Ok(Source::Mnist { folder, split: self.split_option()? })
            }
            "cifar10" => {
                let [path] = self.files("DIR-or-tar.gz")?;
                Ok(Source::Cifar { path, split: self.split_option()? })
            }
            "idx" => {
                let [images, labels] = self.files("IMAGES,LABELS")?;
                Ok(Source::Idx { images, labels })
            }
            "csv" => {
                let [file] = self.files("FILE")?;
                let options = TableOptions {
                    label: self.take("label").map(str::to_owned),
                    header: self.one_of("header", &[("yes", true), ("no", false)])?,
                    scale: self.scale()?,
                    target: self.target()?,
                };
                Ok(Source::Table { file, options })
            }
            "npy" => {
                let [points, labels] = self.files("POINTS.npy,LABELS.npy")?;
                Ok(Source::Arrays { points, labels, options: self.array_options()? })
            }
            "npz" => {
                let [file] = self.files("FILE,points=NAME,labels=NAME")?;
                let points = self.take("points").unwrap_or("points").to_owned();
                let labels = self.take("labels").unwrap_or("labels").to_owned();
                Ok(Source::Archive { file, points, labels, options: self.array_options()? })
            }
            other => {
                Err(self
                    .refuse(format!("'{other}' is not a kind of sample; expected one of: {KINDS}")))
            }
        }
    }

    fn array_options(&mut self) -> Result<ArrayOptions, SampleError> {
        Ok(ArrayOptions {
            label: self.count("label")?,
            target: self.target()?,
            scale: self.scale()?,
        })
    }
}

impl Spec {
    /// Parses a SAMPLE text; nothing is read yet.
    ///
    /// ```
    /// use shatter_sample::Spec;
    /// assert!(Spec::parse("csv:iris.csv,scale=10^1,first=100").is_ok());
    /// let error = Spec::parse("gausian:n=5,d=2").unwrap_err().to_string();
    /// assert!(error.contains("expected one of: digits, gaussian"));
    /// ```
    ///
    /// # Errors
    /// [`SampleError::Text`].
    pub fn parse(text: &str) -> Result<Spec, SampleError> {
        let mut arguments = Arguments::split(text)?;
        let source = arguments.source()?;
        let groups = match arguments.take("groups") {
            None => None,
            Some(text) => Some(
                Groups::parse(text)
                    .map_err(|reason| arguments.refuse(format!("groups={text}: {reason}")))?,
            ),
        };
        let first = arguments.count("first")?;
        let draw = arguments.count("draw")?;
        let seed = arguments.parsed("seed", "a whole number below 2^64")?;
        if let Some(key) = arguments.options.keys().next() {
            let known = arguments.known.join(", ");
            return Err(arguments
                .refuse(format!("'{key}' is not an option of it; expected one of: {known}")));
        }
        Ok(Spec { text: text.to_owned(), source, groups, first, draw, seed })
    }

    /// Points that are drawn, those of them that are kept, and coordinates of each; `None` for a sample that is read.
    ///
    /// ```
    /// use shatter_sample::Spec;
    /// assert_eq!(Spec::parse("gaussian:n=100,d=2,first=9")?.drawn(), Some((100, 9, 2)));
    /// assert_eq!(Spec::parse("csv:iris.csv,first=9")?.drawn(), None);
    /// # Ok::<(), shatter_sample::SampleError>(())
    /// ```
    pub fn drawn(&self) -> Option<(usize, usize, usize)> {
        match self.source {
            Source::Synthetic { n, d, .. } => {
                let kept = n.min(self.first.unwrap_or(n)).min(self.draw.unwrap_or(n));
                Some((n, kept, d))
            }
            _ => None,
        }
    }

    /// Reads or draws the sample; `seed` serves where the text names none.
    ///
    /// # Errors
    /// Every [`SampleError`] of the readers.
    pub fn load(&self, seed: u64) -> Result<RawSample, SampleError> {
        let seed = self.seed.unwrap_or(seed);
        let (points, labels) = match &self.source {
            Source::Synthetic { kind, n, d, classes } => (
                self.synthetic_points(*kind, *n, *d, seed)?,
                synthetic::labels(*n, *classes, seed)?,
            ),
            Source::Digits { split } => digits::read(*split)?,
            Source::Mnist { folder, split } => idx::read_folder(folder, *split)?,
            Source::Cifar { path, split } => cifar::read(path, *split)?,
            Source::Idx { images, labels } => idx::read(images, labels)?,
            Source::Table { file, options } => table::read(file, options)?,
            Source::Arrays { points, labels, options } => npy::read(points, labels, options)?,
            #[cfg(feature = "npz")]
            Source::Archive { file, points, labels, options } => {
                super::npz::read(file, points, labels, options)?
            }
            #[cfg(not(feature = "npz"))]
            Source::Archive { file, .. } => {
                let reason = "this build cannot read NPZ: it was compiled without the feature npz of shatter-sample";
                return Err(SampleError::Format { file: file.into(), reason: reason.to_owned() });
            }
        };
        if points.n() != labels.len() {
            return Err(SampleError::LabelCount { points: points.n(), labels: labels.len() });
        }
        let (points, labels) = match &self.groups {
            None => (points, labels),
            Some(groups) => {
                let (rows, labels) = groups.apply(&labels).map_err(|reason| SampleError::Text {
                    text: self.text.clone(),
                    reason: format!("groups: {reason}"),
                })?;
                if rows.is_empty() {
                    return Err(SampleError::Empty);
                }
                (points.select(&rows)?, labels)
            }
        };
        let rows = self.rows(points.n(), seed)?;
        let drawn = matches!(self.source, Source::Synthetic { .. }) || self.draw.is_some();
        let text = if drawn && self.seed.is_none() {
            format!("{},seed={seed}", self.text)
        } else {
            self.text.clone()
        };
        Ok(match rows {
            None => RawSample { text, points, labels },
            Some(rows) => {
                RawSample { text, points: points.select(&rows)?, labels: labels.select(&rows) }
            }
        })
    }

    fn synthetic_points(
        &self,
        kind: Kind,
        n: usize,
        d: usize,
        seed: u64,
    ) -> Result<Points, SampleError> {
        kind.points(n, d, seed).map_err(|error| match error {
            SampleError::Text { reason, .. } => {
                SampleError::Text { text: self.text.clone(), reason }
            }
            other => other,
        })
    }

    /// The rows that `first` and `draw` leave; `None` for all.
    fn rows(&self, n: usize, seed: u64) -> Result<Option<Vec<u32>>, SampleError> {
        let refuse = |key: &str, wanted: usize, held: usize| SampleError::Text {
            text: self.text.clone(),
            reason: format!("{key}={wanted}, but there are only {held} points"),
        };
        let held = match self.first {
            Some(0) => return Err(SampleError::Empty),
            Some(first) if first > n => return Err(refuse("first", first, n)),
            Some(first) => first,
            None => n,
        };
        match self.draw {
            Some(0) => Err(SampleError::Empty),
            Some(draw) if draw > held => Err(refuse("draw", draw, held)),
            Some(draw) => {
                Ok(Some(subset(&mut stream(seed, Purpose::Subsample), held as u32, draw)))
            }
            None => Ok(self.first.map(|_| (0..held as u32).collect())),
        }
    }
}
