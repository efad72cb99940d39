//! The objects that `--json` prints and `NAME.json` holds. Each begins with its format; FORMAT.md lists the fields.

use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::thread;
use std::time::{Duration, Instant};

use serde::{Serialize, Serializer};

use shatter_exact::Rational;

use super::CliError;
use super::output::print_bytes;
use super::visible;

/// A record that is printed, or stands in a file.
pub trait Record: Serialize {
    /// Name and number of the format, such as `shatter fit 1`: the first field.
    const FORMAT: &'static str;
}

#[derive(Serialize)]
struct Document<'a, R> {
    format: &'static str,
    #[serde(flatten)]
    record: &'a R,
}

/// Returns the record as the text of a file.
pub fn text<R: Record>(record: &R) -> Result<String, CliError> {
    let document = Document { format: R::FORMAT, record };
    Ok(serde_json::to_string_pretty(&document)? + "\n")
}

/// Whether an object is printed: a process prints one. Held while that is being done.
static PRINTED: Mutex<bool> = Mutex::new(false);

/// Set once the process is about to be ended by an interrupt.
static ENDING: AtomicBool = AtomicBool::new(false);

/// How long an interrupt lets an object be printed to its end: nobody may be reading it.
const PATIENCE: Duration = Duration::from_secs(2);

/// Prints the record, unless this process has printed one.
pub fn print<R: Record>(record: &R) -> Result<(), CliError> {
    let text = text(record)?;
    let result = print_once(&text, &mut PRINTED.lock().unwrap_or_else(PoisonError::into_inner));
    while ENDING.load(Ordering::SeqCst) {
        thread::park(); // the interrupt says the status
    }
    result
}

/// For the handler of an interrupt: from now on the status is its own. It [prints](print_last) and exits.
pub fn end() {
    ENDING.store(true, Ordering::SeqCst);
}

/// Prints the record, unless this process has printed one, and keeps it from printing another: whoever does waits for
/// the end of the process. For the handler of an interrupt, just before it exits. An object that is being printed
/// has some time to end.
pub fn print_last<R: Record>(record: &R) {
    let Ok(text) = text(record) else { return };
    let begun = Instant::now();
    let mut printed: MutexGuard<'_, bool> = loop {
        match PRINTED.try_lock() {
            Ok(printed) => break printed,
            Err(TryLockError::Poisoned(error)) => break error.into_inner(),
            Err(TryLockError::WouldBlock) if begun.elapsed() > PATIENCE => return,
            Err(TryLockError::WouldBlock) => thread::sleep(Duration::from_millis(5)),
        }
    };
    let _ = print_once(&text, &mut printed); // the status says the rest
    std::mem::forget(printed); // the lock is never released
}

fn print_once(text: &str, printed: &mut bool) -> Result<(), CliError> {
    if std::mem::replace(printed, true) {
        return Ok(());
    }
    print_bytes(visible::json(text).as_bytes())
}

/// A path in a record: as text, in which what is not UTF-8 is replaced by U+FFFD.
#[derive(Debug, Clone, PartialEq)]
pub struct FilePath(PathBuf);

impl From<PathBuf> for FilePath {
    fn from(path: PathBuf) -> FilePath {
        FilePath(path)
    }
}

impl From<&Path> for FilePath {
    fn from(path: &Path) -> FilePath {
        FilePath(path.to_owned())
    }
}

impl Deref for FilePath {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.0
    }
}

impl Serialize for FilePath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.to_string_lossy().serialize(serializer)
    }
}

/// A number: as such where binary64 holds it to rounding, and as text where not: `inf`, `-inf`, `NaN`, or a fraction
/// that is too large or too small.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Number {
    Float(f64),
    Text(String),
}

impl From<f64> for Number {
    fn from(x: f64) -> Number {
        if x.is_finite() { Number::Float(x) } else { Number::Text(x.to_string()) }
    }
}

impl From<&Rational> for Number {
    fn from(x: &Rational) -> Number {
        let nearest = x.to_f64().value();
        let lost = !nearest.is_finite() || (nearest == 0.0 && *x != Rational::ZERO);
        if lost { Number::Text(x.to_string()) } else { Number::Float(nearest) }
    }
}

/// Why a command could not answer.
#[derive(Debug, Serialize)]
pub struct Failure {
    /// What is at fault: `sample`, `network`, `usage`, ….
    pub kind: &'static str,
    pub message: String,
    /// The exit status.
    pub status: u8,
    #[serde(skip_serializing_if = "Place::is_unknown")]
    pub place: Place,
}

impl Record for Failure {
    const FORMAT: &'static str = "shatter error 1";
}

/// Where something is wrong, as far as that is known. Rows and lines count from 1, points from 0.
#[derive(Debug, Default, PartialEq, Serialize)]
pub struct Place {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<FilePath>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub row: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub index: Vec<usize>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub points: Vec<usize>,
}

impl Place {
    /// In a file.
    pub fn file(file: &Path) -> Place {
        Place { file: Some(file.into()), ..Place::default() }
    }

    /// At points of the sample.
    pub fn points(points: &[usize]) -> Place {
        Place { points: points.to_vec(), ..Place::default() }
    }

    /// Whether nothing is known.
    pub fn is_unknown(&self) -> bool {
        *self == Place::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_numbers_where_binary64_holds_them() {
        let text = |number: Number| serde_json::to_string(&number).unwrap();
        assert_eq!(text(0.25.into()), "0.25");
        assert_eq!(text(f64::NAN.into()), "\"NaN\"");
        assert_eq!(text(f64::NEG_INFINITY.into()), "\"-inf\"");
        assert_eq!(text((&Rational::ZERO).into()), "0.0");
        let third = Rational::from(1) / Rational::from(3);
        assert_eq!(text((&third).into()), (1.0f64 / 3.0).to_string());
        let large = (0..1100).fold(Rational::from(1), |x, _| x * Rational::from(2));
        assert!(text((&large).into()).starts_with("\"1358"));
        let small = Rational::from(1) / large;
        assert!(text((&small).into()).starts_with("\"1/1358"));
    }

    #[test]
    fn a_place_is_left_out_where_it_is_unknown() {
        let failure = |place| Failure { kind: "usage", message: "no".into(), status: 2, place };
        let text = text(&failure(Place::default())).unwrap();
        assert!(text.starts_with("{\n  \"format\": \"shatter error 1\",\n  \"kind\": \"usage\""));
        assert!(!text.contains("place"));
        let text = super::text(&failure(Place::points(&[2, 7]))).unwrap();
        assert!(text.contains("\"place\": {\n    \"points\": [\n      2,"), "{text}");
    }
}
