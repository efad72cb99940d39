//! Certificates of what was decided about a network of other people's.
//!
//! ```text
//! shatter network certificate 1
//! network-sha256 HEX           of the file of the network
//! network TEXT                 what was read, and how (not a claim)
//! layers TEXT                  "of the file", or those of --architecture, which the file does not say, with the
//!                              epsilon of a batchnorm where it is not 1e-5
//! takes SHAPE gives N          shape of a point as the network takes it, and how many outputs it has
//! precision f32                of its numbers
//! runtime ieee                 the runtimes of which verdicts and rounding bounds speak (judge::runtime); certificates
//!                              that were written before there were others lack the line, and are of ieee
//! reading largest              how outputs say labels: see network::reading
//! classes NAME=K,NAME=K        the class K of the outputs (output K, value K, …) that each class of the sample is
//!                              which a point has; names in Rust's escapes, and a comma as \u{2c}. The line is left
//!                              out where every name is its K, and of real labels that are not read as classes
//! inputs TEXT                  how points become inputs: "points", rounded to the precision, or
//!                              "prepared CONDITION seed=S", as in training
//! sample TEXT                  the SAMPLE text as it was given (not a claim)
//! points TYPE N SHAPE          of the points that go in
//! points-sha256 HEX
//! labels HEX                   SHA-256 of points and labels together (sample::fingerprint)
//! counts exact=A margin=B undecided=C misfit=D
//! verdicts N                   then N lines, one a point:
//!   exact ROUNDING               the outputs equal the target; ROUNDING is finite
//!   margin LOW ROUNDING          the margin is at least LOW, and LOW > ROUNDING
//!   undecided LOW HIGH ROUNDING
//!   misfit HIGH ROUNDING         the margin is at most HIGH, and HIGH < −ROUNDING; or the labels are
//!                                real numbers and the outputs are others
//! digest HEX                   SHA-256 of all bytes before this line
//! ```
//!
//! The claim is about the function that the file's numbers define in real arithmetic, at these inputs:
//! `margin` says that it says the label, by at least LOW, and that no runtime of the model can round
//! that away. A certificate is checked by deciding again, from the file and the sample: every claim must
//! follow, from enclosures or in exact arithmetic, whichever it was made with ([`claims`](super::claims)).

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use shatter_certify::write::number;
use shatter_exact::{Dyadic, Format};
use shatter_network::Reading;
use shatter_network::graph::sides;
use shatter_network::reading::BoundLabels;
use shatter_sample::fingerprint::{fingerprint, fingerprint_labelled, header, hex};
use shatter_sample::{Labels, RawSample, class_name};

use super::runtime::Runtime;
use super::verdict::{Judged, Verdict};

/// The longest certificate that is read, in bytes a point, and besides.
const BYTES: u64 = 256;
const BESIDES: u64 = 1 << 16;
/// First line of a certificate.
pub const HEADER: &str = "shatter network certificate 1\n";
/// Numbers of classes that are read by name, at most.
const MOST_CLASSES: usize = 1 << 16;
/// Lines before the verdicts, at most.
const HEAD: usize = 32;

/// The network and the sample of a certificate.
#[derive(Debug)]
pub struct Subject<'a> {
    /// SHA-256 of the file.
    pub network_sha256: String,
    /// Description of the file that was read.
    pub description: String,
    /// The layers that the file does not say.
    pub layers: Option<String>,
    /// Shape of a point as the network takes it.
    pub takes: Vec<usize>,
    /// Number of outputs.
    pub gives: usize,
    /// The type of its numbers.
    pub precision: Format,
    /// The runtimes of which is spoken.
    pub runtime: Runtime,
    /// The labels as outputs say them.
    pub said: &'a BoundLabels,
    /// The preprocessing that makes inputs of points.
    pub inputs: String,
    /// The inputs and their labels.
    pub sample: &'a RawSample,
}

/// The number of points with each verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[must_use]
pub struct VerdictCounts {
    /// The outputs equal the target.
    pub exact: usize,
    /// The label is said, and no runtime of the model can round that away.
    pub margin: usize,
    /// Neither is decided.
    pub undecided: usize,
    /// Another label is said.
    pub misfit: usize,
}

impl VerdictCounts {
    /// Counts.
    pub fn of(judged: &[Judged]) -> VerdictCounts {
        let count = |verdict| judged.iter().filter(|one| one.verdict == verdict).count();
        VerdictCounts {
            exact: count(Verdict::Exact),
            margin: count(Verdict::Margin),
            undecided: count(Verdict::Undecided),
            misfit: count(Verdict::Misfit),
        }
    }

    /// The line of a certificate.
    pub(super) fn line(self) -> String {
        let VerdictCounts { exact, margin, undecided, misfit } = self;
        format!("counts exact={exact} margin={margin} undecided={undecided} misfit={misfit}")
    }
}

/// SHA-256 of bytes, in hexadecimal.
pub fn digest(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// The digest of a network whose numbers lie in files beside it: of the digests of all files, the network's first and
/// the others in the order of their names, a line each. A network that is one file has that file's.
pub fn digest_of_files<'a>(network: &[u8], beside: impl Iterator<Item = &'a [u8]>) -> String {
    let own = digest(network);
    let others: Vec<String> = beside.map(|bytes| digest(bytes) + "\n").collect();
    if others.is_empty() { own } else { digest(format!("{own}\n{}", others.concat()).as_bytes()) }
}

/// Everything before the verdicts; `claims` leaves out the lines that are none.
pub(super) fn head(subject: &Subject, tally: VerdictCounts, claims: bool) -> String {
    let Subject { network_sha256, description, precision, said, inputs, sample, .. } = subject;
    let kind = match &sample.labels {
        Labels::Classes { count, .. } => format!("classes={count}"),
        Labels::Real { outputs, .. } => format!("real={outputs}"),
    };
    let mut text = format!("{HEADER}network-sha256 {network_sha256}\n");
    if !claims {
        text += &format!("network {}\n", description.escape_default());
    }
    let layers = subject.layers.as_deref().unwrap_or("of the file");
    text += &format!("layers {}\n", layers.escape_default());
    text += &format!("takes {} gives {}\n", sides(&subject.takes), subject.gives);
    text += &format!("precision {}\nruntime {}\n", precision.name(), subject.runtime);
    text += &format!("reading {}\n", said.how());
    if let Some(classes) = classes(said, &sample.labels) {
        text += &format!("classes {classes}\n");
    }
    text += &format!("inputs {}\n", inputs.escape_default());
    if !claims {
        text += &format!("sample {}\n", sample.text.escape_default());
    }
    text += &format!(
        "points {}\npoints-sha256 {}\n",
        header(&sample.points),
        fingerprint(&sample.points)
    );
    text += &format!("labels {} {kind}\n", fingerprint_labelled(sample));
    text + &format!("{}\nverdicts {}\n", tally.line(), sample.points.n())
}

/// Which class of the outputs each class of the sample is, in the order of the sample's; `None` where their names
/// say it.
fn classes(said: &BoundLabels, labels: &Labels) -> Option<String> {
    let mut found: BTreeMap<(u64, String), u32> = BTreeMap::new();
    for i in 0..labels.len() {
        let class = said.class(i)?;
        // In the order of the sample's classes, each once: a class is one of the outputs', whatever the point.
        let own = match labels {
            Labels::Classes { of, .. } => u64::from(of[i]),
            Labels::Real { outputs: 1, values } => values[i].to_bits(),
            Labels::Real { .. } => u64::from(class),
        };
        let name = || match labels {
            Labels::Classes { of, numbered: false, .. } => labels.name(of[i]).into_owned(),
            Labels::Real { outputs: 1, .. } => labels.describe(i),
            _ => own.to_string(),
        };
        if found.range((own, String::new())..).next().is_none_or(|((next, _), _)| *next != own) {
            found.insert((own, name()), class);
        }
    }
    if found.iter().all(|((_, name), class)| *name == class.to_string()) {
        return None;
    }
    let one = |((_, name), class): (&(u64, String), &u32)| {
        format!("{}={class}", class_name::escaped(name).replace(',', "\\u{2c}"))
    };
    Some(found.iter().map(one).collect::<Vec<_>>().join(","))
}

/// A number, in hexadecimal.
pub(super) fn spelled(x: f64) -> String {
    match Dyadic::try_from(x) {
        Ok(x) => number(&x),
        Err(_) if x == f64::INFINITY => "inf".to_owned(),
        Err(_) if x == f64::NEG_INFINITY => "-inf".to_owned(),
        Err(_) => "unknown".to_owned(),
    }
}

/// The certificate.
pub fn write(subject: &Subject, judged: &[Judged]) -> String {
    let mut text = head(subject, VerdictCounts::of(judged), false);
    for one in judged {
        let Judged { verdict, low, high, rounding, .. } = one.claimed();
        let (low, high, rounding) = (spelled(low), spelled(high), spelled(rounding));
        text += &match verdict {
            Verdict::Exact => format!("exact {rounding}\n"),
            Verdict::Margin => format!("margin {low} {rounding}\n"),
            Verdict::Undecided => format!("undecided {low} {high} {rounding}\n"),
            Verdict::Misfit => format!("misfit {high} {rounding}\n"),
        };
    }
    let digest = digest(text.as_bytes());
    text + &format!("digest {digest}\n")
}

/// The runtime model under which to decide what a certificate claims: the one that it names; `ieee` where it names none,
/// or none that there is, and is then rejected.
pub fn runtime(text: &str) -> Runtime {
    let named = text.lines().take(HEAD).find_map(|line| line.strip_prefix("runtime "));
    named.and_then(|name| name.parse().ok()).unwrap_or_default()
}

/// The reading that a certificate says: the rule, and the names of the classes that its points have, each at the number
/// of the outputs that it says it is; `None` where it says none.
pub fn reading(text: &str) -> Option<Reading> {
    let head = |key: &str| text.lines().take(HEAD).find_map(|line| line.strip_prefix(key));
    let how = head("reading ")?.parse().ok()?;
    let mut classes = Vec::new();
    for pair in head("classes ").into_iter().flat_map(|pairs| pairs.split(',')) {
        let (name, class) = pair.rsplit_once('=')?;
        let class = class.parse().ok().filter(|&class| class < MOST_CLASSES)?;
        // No point has the classes between.
        (classes.len()..=class).for_each(|k| classes.push(format!("(class {k})")));
        classes[class] = class_name::unescaped(&with_commas(name))?;
    }
    Some(Reading { how, classes })
}

/// An escaped name with its commas, which stand there as escapes.
fn with_commas(name: &str) -> String {
    let mut text = String::new();
    let mut rest = name;
    while let Some(at) = rest.find('\\') {
        let (before, from) = rest.split_at(at);
        text += before;
        rest = match from.strip_prefix("\\u{2c}") {
            Some(rest) => {
                text.push(',');
                rest
            }
            // A backslash goes with the character behind it.
            None => {
                let two = from.char_indices().nth(2).map_or(from.len(), |(at, _)| at);
                text += &from[..two];
                &from[two..]
            }
        };
    }
    text + rest
}

/// The most bytes that a certificate of these points and labels has.
pub fn longest(labels: &Labels) -> u64 {
    // An escaped character has ten bytes at most, a class some more; real labels have no names.
    let names = labels.class_names().iter().map(|name| 16 + 10 * name.len() as u64);
    BESIDES + BYTES * labels.len() as u64 + names.sum::<u64>()
}
