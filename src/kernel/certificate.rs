//! Certificates that a model fits a sample.
//!
//! ```text
//! shatter kernel certificate 1
//! kernel TEXT
//! centres TYPE/DIVISOR M x D HEX       what the centres are, and the SHA-256 of their numbers
//! coefficients M x C HEX               the SHA-256 of α
//! outputs classes NAME,NAME            names in Rust's escapes, a comma as \u{2c}; or "outputs real C"
//! points TYPE/DIVISOR N x D HEX        features of the judged points
//! labels HEX                           SHA-256 of their labels
//! sample TEXT                          the SAMPLE text of the model's training set, in Rust's escapes (not a claim)
//! features TEXT                        how features were made (not a claim)
//! arithmetic enclosures                or "exact"
//! tolerance X                          how far outputs may be from real labels; 0 for classes
//! counts exact=A margin=B undecided=C misfit=D    of points that are proved to fit, and not to, at least so many are found
//! least-margin X                       all margins are at least X
//! largest-bound X                      outputs were known to within X
//! digest HEX                           SHA-256 of all bytes before this line
//! ```
//!
//! A certificate is checked by deciding again, from the model and the sample: the lines that say which they are must be the same, and what is
//! found must be at least what is claimed. X is shorter than what was found, and claims less, so that a claim does not hang on the last bit.

use sha2::{Digest, Sha256};

use shatter_sample::Labels;
use shatter_sample::fingerprint::hex;

use super::certify::{self, Counts, Decided};
use super::exact::{self, ExactError};
use super::features::{Features, in_pieces};
use super::model::{Meaning, Model, ModelError};
use super::watch::Watch;

/// First line of a certificate.
pub const HEADER: &str = "shatter kernel certificate 1";

/// Most bytes of a certificate: names of classes take the room.
pub const LONGEST: usize = 1 << 24;

/// How points were decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arithmetic {
    /// Binary64 with proved bounds ([`certify`]).
    Enclosures,
    /// Fractions ([`exact`]).
    Exact,
}

impl Arithmetic {
    fn name(self) -> &'static str {
        match self {
            Arithmetic::Enclosures => "enclosures",
            Arithmetic::Exact => "exact",
        }
    }
}

/// A certificate that was read: lines by their keys.
#[derive(Clone, Debug, PartialEq)]
pub struct Certificate {
    /// The lines that say which model and points are meant.
    subject: Vec<String>,
    /// How points were decided.
    pub arithmetic: Arithmetic,
    /// How far outputs may be from real labels.
    pub tolerance: f64,
    /// Claimed counts.
    pub counts: Counts,
    /// Claimed least margin.
    pub least_margin: f64,
    /// Claimed largest bound.
    pub largest_bound: f64,
}

/// A text that is not a certificate, or one that does not hold.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum CertificateError {
    /// Another format, or a later version.
    #[error("not a kernel certificate: its first line is '{0}'; expected '{HEADER}'")]
    Header(String),
    /// A line that is missing, out of place or wrong.
    #[error("line {line} is '{found}'; expected {expected}")]
    Line {
        /// From 1.
        line: usize,
        /// What stands there.
        found: String,
        /// What was expected.
        expected: &'static str,
    },
    /// Too long to be one.
    #[error("{0} bytes are too many for a kernel certificate; expected at most {LONGEST}")]
    Length(usize),
    /// The text was changed.
    #[error("the digest is {found}, and that of the text is {expected}")]
    Digest {
        /// Of the text.
        expected: String,
        /// In the text.
        found: String,
    },
    /// It speaks of another model or other points.
    #[error("the certificate says '{claimed}', and the files '{found}'")]
    Subject {
        /// Line of the certificate.
        claimed: String,
        /// Of the model and points that were given.
        found: String,
    },
    /// A claim that does not follow.
    #[error("the certificate claims {what} {claimed}; found was {found}")]
    Claim {
        /// What is claimed.
        what: &'static str,
        /// The claim.
        claimed: String,
        /// What was found.
        found: String,
    },
    /// The model does not suit the points.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// Exact arithmetic does not reach.
    #[error(transparent)]
    Exact(#[from] ExactError),
}

/// SHA-256 of coefficients, little-endian, in hexadecimal.
#[must_use]
pub fn coefficients_digest(coefficients: &[f64]) -> String {
    let mut hasher = Sha256::new();
    in_pieces(&mut hasher, coefficients, |x| x.to_le_bytes());
    hex(&hasher.finalize())
}

fn labels_digest(labels: &Labels) -> String {
    let mut hasher = Sha256::new();
    match labels {
        Labels::Classes { of, count, .. } => {
            hasher.update(format!("shatter classes {count}\n"));
            in_pieces(&mut hasher, of, |x| x.to_le_bytes());
        }
        Labels::Real { values, outputs } => {
            hasher.update(format!("shatter real {outputs}\n"));
            in_pieces(&mut hasher, values, |x| x.to_le_bytes());
        }
    }
    hex(&hasher.finalize())
}

/// The lines that say which model and points are meant.
fn subject(model: &Model, points: &Features, labels: &Labels) -> Vec<String> {
    let outputs = match &model.meaning {
        Meaning::Classes(names) => {
            let escaped = |name: &String| name.escape_default().to_string().replace(',', "\\u{2c}");
            format!("outputs classes {}", names.iter().map(escaped).collect::<Vec<_>>().join(","))
        }
        Meaning::Real(outputs) => format!("outputs real {outputs}"),
    };
    let (m, c) = (model.centres.rows(), model.outputs());
    vec![
        format!("kernel {}", model.kernel),
        format!("centres {} {}", model.centres.describe(), model.centres.digest()),
        format!("coefficients {m} x {c} {}", coefficients_digest(&model.coefficients)),
        outputs,
        format!("points {} {}", points.describe(), points.digest()),
        format!("labels {}", labels_digest(labels)),
    ]
}

/// x with 16 bits of its mantissa and two units less in the last of them, or more.
fn shorter(x: f64, up: bool) -> f64 {
    let unit = 1u64 << 37;
    if !x.is_finite() || x == 0.0 || x.abs() < 1e-290 || x.abs() > 1e290 {
        return x;
    }
    let cut = x.to_bits() & !(unit - 1);
    let away = (x > 0.0) == up;
    f64::from_bits(if away { cut + 3 * unit } else { cut - 2 * unit })
}

fn counts_line(counts: Counts) -> String {
    let Counts { exact, margin, undecided, misfit } = counts;
    format!("counts exact={exact} margin={margin} undecided={undecided} misfit={misfit}")
}

/// The certificate of what was decided.
#[must_use]
pub fn write(
    model: &Model,
    points: &Features,
    labels: &Labels,
    tolerance: f64,
    arithmetic: Arithmetic,
    decided: &Decided,
) -> String {
    let mut lines = vec![HEADER.to_owned()];
    lines.extend(subject(model, points, labels));
    lines.push(format!("sample {}", model.origin.sample.escape_default()));
    lines.push(format!("features {}", model.origin.features.escape_default()));
    lines.push(format!("arithmetic {}", arithmetic.name()));
    lines.push(format!("tolerance {tolerance:e}"));
    lines.push(counts_line(decided.counts));
    lines.push(format!("least-margin {:e}", shorter(decided.least_margin, false)));
    lines.push(format!("largest-bound {:e}", shorter(decided.largest_bound, true)));
    let text = lines.join("\n") + "\n";
    let digest = hex(&Sha256::digest(&text));
    text + &format!("digest {digest}\n")
}

/// Reads a certificate.
///
/// # Errors
/// [`CertificateError::Header`], [`CertificateError::Line`], [`CertificateError::Length`], [`CertificateError::Digest`].
pub fn read(text: &str) -> Result<Certificate, CertificateError> {
    if text.len() > LONGEST {
        return Err(CertificateError::Length(text.len()));
    }
    let lines: Vec<&str> = text.split('\n').collect();
    if lines[0] != HEADER {
        return Err(CertificateError::Header(cut(lines[0])));
    }
    let at = |line: usize| lines.get(line).copied().unwrap_or("");
    let wrong = |line: usize, expected| CertificateError::Line {
        line: line + 1,
        found: cut(at(line)),
        expected,
    };
    let after = |line: usize, key: &str, expected| {
        at(line).strip_prefix(key).ok_or_else(|| wrong(line, expected))
    };
    const SUBJECT: [(&str, &str); 6] = [
        ("kernel ", "'kernel TEXT'"),
        ("centres ", "'centres TYPE/DIVISOR M x D HEX'"),
        ("coefficients ", "'coefficients M x C HEX'"),
        ("outputs ", "'outputs classes NAMES' or 'outputs real C'"),
        ("points ", "'points TYPE/DIVISOR N x D HEX'"),
        ("labels ", "'labels HEX'"),
    ];
    for (line, (key, expected)) in SUBJECT.into_iter().enumerate() {
        after(line + 1, key, expected)?;
    }
    after(7, "sample ", "'sample TEXT'")?;
    after(8, "features ", "'features TEXT'")?;
    let expected = "'arithmetic enclosures' or 'arithmetic exact'";
    let arithmetic = match after(9, "arithmetic ", expected)? {
        "enclosures" => Arithmetic::Enclosures,
        "exact" => Arithmetic::Exact,
        _ => return Err(wrong(9, expected)),
    };
    let number = |line, key, expected| {
        let number: Result<f64, _> = after(line, key, expected)?.parse();
        number.ok().filter(|x| !x.is_nan()).ok_or_else(|| wrong(line, expected))
    };
    let tolerance = number(10, "tolerance ", "'tolerance X'")?;
    let expected = "'counts exact=A margin=B undecided=C misfit=D'";
    let mut numbers = [0; 4];
    let mut parts = after(11, "counts ", expected)?.split(' ');
    for (number, key) in numbers.iter_mut().zip(["exact=", "margin=", "undecided=", "misfit="]) {
        let part = parts.next().and_then(|part| part.strip_prefix(key));
        *number = part.and_then(|part| part.parse().ok()).ok_or_else(|| wrong(11, expected))?;
    }
    if parts.next().is_some() {
        return Err(wrong(11, expected));
    }
    let [exact, margin, undecided, misfit] = numbers;
    let least_margin = number(12, "least-margin ", "'least-margin X'")?;
    let largest_bound = number(13, "largest-bound ", "'largest-bound X'")?;
    let found = after(14, "digest ", "'digest HEX'")?;
    if lines.len() != 16 || !lines[15].is_empty() {
        return Err(wrong(15, "the end of the file, after one newline"));
    }
    let before = text.len() - 1 - lines[14].len();
    let expected = hex(&Sha256::digest(&text[..before]));
    if found != expected {
        return Err(CertificateError::Digest { expected, found: cut(found) });
    }
    Ok(Certificate {
        subject: lines[1..7].iter().map(|&line| line.to_owned()).collect(),
        arithmetic,
        tolerance,
        counts: Counts { exact, margin, undecided, misfit },
        least_margin,
        largest_bound,
    })
}

impl Certificate {
    /// Decides again, and returns what was found if it is as claimed.
    ///
    /// # Errors
    /// [`CertificateError::Subject`], [`CertificateError::Claim`], [`CertificateError::Model`], [`CertificateError::Exact`].
    pub fn check(
        &self,
        model: &Model,
        points: &Features,
        labels: &Labels,
        watch: &mut Watch,
    ) -> Result<Decided, CertificateError> {
        for (claimed, found) in self.subject.iter().zip(subject(model, points, labels)) {
            if *claimed != found {
                return Err(CertificateError::Subject { claimed: claimed.clone(), found });
            }
        }
        let decided = match self.arithmetic {
            Arithmetic::Enclosures => {
                certify::certify(model, points, labels, self.tolerance, watch)?
            }
            Arithmetic::Exact => exact::judge(model, points, labels, self.tolerance)?,
        };
        let refused = |what, claimed: String, found: String| {
            Err(CertificateError::Claim { what, claimed, found })
        };
        if !decided.counts.confirm(self.counts) {
            return refused("the line", counts_line(self.counts), counts_line(decided.counts));
        }
        if decided.least_margin < self.least_margin {
            let (claimed, found) = (self.least_margin, decided.least_margin);
            return refused("a least margin of", format!("{claimed:e}"), format!("{found:e}"));
        }
        if decided.largest_bound > self.largest_bound {
            let (claimed, found) = (self.largest_bound, decided.largest_bound);
            return refused("a largest bound of", format!("{claimed:e}"), format!("{found:e}"));
        }
        Ok(decided)
    }
}

/// The first characters of a text, for an error.
fn cut(text: &str) -> String {
    text.chars().take(80).flat_map(char::escape_default).collect()
}
