//! Networks read back from network files and certificates.
//!
//! This reader serves programs that use networks. The checker has its own; the two share the names of labellings,
//! encodings and classes, which are the sample's.

use std::io::{self, BufRead};

use shatter_exact::{Dyadic, Rational};
use shatter_network::reading::ReadingError;
use shatter_network::{Activation, Counts, ExactNetwork, Layered, Network, Reading, Sizes, Unit};
use shatter_sample::{LabelRule, Recipe, Target, class_name};

use crate::lines::{Line, Lines, excerpt};
use crate::numbers;

/// Bits that all weights and biases of a file may have as fractions: 1 GiB. A word such as `1p1048576` has a
/// million.
const MOST_BITS: u64 = 1 << 33;

/// Steps on machine words that bringing fractions to lowest terms may take: minutes.
const MOST_STEPS: u64 = 1 << 37;

/// The contents of a network file or a certificate.
#[derive(Clone, Debug)]
pub struct File {
    /// The part of a certificate that speaks of a sample; `None` for a network file.
    pub statement: Option<Statement>,
    /// The construction of the network, in words.
    pub construction: String,
    /// The reading of its outputs, with the names of classes; `None` for a layered network file that does not say
    /// it, as none did once.
    pub reading: Option<Reading>,
    /// The network.
    pub network: Network,
    /// SHA-256 of the file.
    pub digest: String,
}

/// The part of a certificate that speaks of a sample.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    /// The SAMPLE text.
    pub sample: String,
    /// Type, number and shape of the points.
    pub points: String,
    /// SHA-256 of the points.
    pub points_sha256: String,
    /// The recipe that draws the labels.
    pub recipe: Recipe,
    /// Encoding of labels as outputs.
    pub target: Target,
    /// The outputs claimed, point by point.
    pub targets: Vec<Dyadic>,
}

/// The first reason why a file is not a network file or a certificate. Lines count from 1.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The file could not be read.
    #[error("line {line}: {source}")]
    Io {
        /// The line.
        line: u64,
        /// The system's error.
        source: io::Error,
    },
    /// The file ends too early.
    #[error("line {line}: expected {expected}, found the end of the file")]
    Truncated {
        /// The line.
        line: u64,
        /// The expected contents.
        expected: String,
    },
    /// A line is longer than any line of the format can be.
    #[error("line {line} is longer than {limit} bytes")]
    LongLine {
        /// The line.
        line: u64,
        /// The limit.
        limit: u64,
    },
    /// A newer version of the format.
    #[error(
        "line 1: '{found}' is not a version of the format that is read here; expected '{known}'"
    )]
    Version {
        /// The first line.
        found: String,
        /// The first line of the version that is read.
        known: &'static str,
    },
    /// A line does not have the form that the format gives it.
    #[error("line {line}: expected {expected}, found '{found}'")]
    Line {
        /// The line.
        line: u64,
        /// The expected contents.
        expected: String,
        /// The beginning of what does.
        found: String,
    },
    /// Something follows the last line.
    #[error("line {line}: bytes after the digest")]
    Trailing {
        /// The line.
        line: u64,
    },
    /// The bytes are not those that were written.
    #[error("the digest does not match the file, which has been altered")]
    Digest,
    /// A count differs from the network in the same file.
    #[error("the file says {name}={claimed}, but its network has {actual}")]
    Count {
        /// The count.
        name: &'static str,
        /// As claimed.
        claimed: u64,
        /// As counted.
        actual: u64,
    },
    /// A unit reads a number that the layer before does not have.
    #[error("line {line}: the unit reads number {from}, but the layer before has {width} numbers")]
    Wiring {
        /// The line.
        line: u64,
        /// The index that it reads, from 0.
        from: u64,
        /// Numbers in the layer before.
        width: usize,
    },
    /// The numbers would take too much memory.
    #[error("line {line}: the weights up to here have more than {limit} bits")]
    TooManyBits {
        /// The line.
        line: u64,
        /// The limit.
        limit: u64,
    },
    /// The fractions would take too long to read.
    #[error("line {line}: the fractions up to here take more than {limit} steps to read")]
    TooManySteps {
        /// The line.
        line: u64,
        /// The limit.
        limit: u64,
    },
}

/// Reads a network file or a certificate. Nothing is allocated before it has been read, and time and memory are
/// bounded whatever the file says.
///
/// ```
/// use shatter_certify::{read, write_network};
/// use shatter_exact::{Dyadic, Rational};
/// use shatter_network::{ExactNetwork, Network};
/// let network = Network::TwoLayer(ExactNetwork {
///     a: vec![Dyadic::ONE],
///     b: vec![Dyadic::ZERO],
///     w: vec![Rational::from(-1)],
///     c: Dyadic::from(3),
/// });
/// let mut bytes = Vec::new();
/// write_network(&mut bytes, &network, "by hand", None)?;
/// assert_eq!(read(&bytes[..])?.network, network);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// The first [`ReadError`] met; the digest, the wiring and the counts have been compared.
pub fn read(reader: impl BufRead) -> Result<File, ReadError> {
    let mut lines = Lines::new(reader);
    let first = lines.next("'shatter [layered] certificate 1' or 'shatter [layered] network 1'")?;
    let kind = Kind::of(first)?;
    let head = if kind.certificate { Some(head(&mut lines)?) } else { None };
    let construction = lines.keyword("construction")?.1.to_owned();
    let said = if kind.certificate { None } else { reading(&mut lines, kind)? };
    let classes = classes(&mut lines)?.unwrap_or_default();
    let mut limits = Limits::default();
    let network = if kind.layered {
        Network::Layered(layered(&mut lines, &mut limits)?)
    } else {
        Network::TwoLayer(two_layer(&mut lines, &mut limits)?)
    };
    let statement = match head {
        Some(head) => Some(head.with_targets(&mut lines, &network)?),
        None => None,
    };
    let target = match (&statement, &network) {
        (Some(statement), _) => Some(statement.target),
        (None, Network::TwoLayer(_)) => Some(Target::Value),
        (None, Network::Layered(_)) => said,
    };
    let reading = target.map(|target| Reading { how: target.into(), classes });
    Ok(File { statement, construction, reading, network, digest: lines.finish()? })
}

impl File {
    /// Returns the reading of its outputs, if the file says it and can be believed.
    ///
    /// # Errors
    /// [`ReadingError::Lost`] of a certificate for classes of a table that does not name them: its numbers are ranks
    /// of names that it does not have.
    pub fn reading(&self) -> Result<Option<Reading>, ReadingError> {
        // Certificates that do not name classes are of two kinds: of samples whose classes are numbers, and of tables,
        // from the time before names were kept. No claim tells them apart, for a table and an array may have the same
        // points; SAMPLE, which is none, is all there is. Nothing is accepted by it: whoever writes another text there
        // is refused here, or has ranks taken for numbers, as the networks of such certificates always had.
        let of_table = |statement: &Statement| {
            let drawn =
                statement.recipe.rule == LabelRule::Alternating || statement.recipe.classes == 0;
            !drawn && statement.sample.starts_with("csv:")
        };
        let unnamed = self.reading.as_ref().is_some_and(|reading| reading.classes.is_empty());
        match &self.statement {
            Some(statement) if unnamed && of_table(statement) => Err(ReadingError::Lost),
            _ => Ok(self.reading.clone()),
        }
    }
}

/// The kind of file that the first line names.
#[derive(Clone, Copy)]
struct Kind {
    certificate: bool,
    layered: bool,
}

impl Kind {
    fn of(first: Line) -> Result<Kind, ReadError> {
        let kinds = [
            ("shatter network 1", false, false),
            ("shatter layered network 1", false, true),
            ("shatter certificate 1", true, false),
            ("shatter layered certificate 1", true, true),
        ];
        for (known, certificate, layered) in kinds {
            if first.text == known {
                return Ok(Kind { certificate, layered });
            }
            let version = first.text.strip_prefix(known.trim_end_matches('1'));
            if version.and_then(numbers::count).is_some() {
                return Err(ReadError::Version { found: excerpt(first.text), known });
            }
        }
        Err(first.refuse("'shatter [layered] certificate 1' or 'shatter [layered] network 1'"))
    }
}

/// The lines of a certificate before its network.
struct Head {
    sample: String,
    points: String,
    points_sha256: String,
    recipe: Recipe,
}

fn head(lines: &mut Lines<impl BufRead>) -> Result<Head, ReadError> {
    let sample = lines.keyword("sample")?.1.to_owned();
    let points = lines.keyword("points")?.1.to_owned();
    let points_sha256 = lines.keyword("points-sha256")?.1.to_owned();
    let (line, text) = lines.keyword("labels")?;
    let recipe = recipe(text).ok_or_else(|| line.refuse("'labels RULE seed=S classes=C'"))?;
    Ok(Head { sample, points, points_sha256, recipe })
}

fn recipe(text: &str) -> Option<Recipe> {
    let mut words = text.split(' ');
    let rule: LabelRule = words.next()?.parse().ok()?;
    let seed = numbers::count(words.next()?.strip_prefix("seed=")?)?;
    let classes = numbers::count(words.next()?.strip_prefix("classes=")?)?;
    let recipe = Recipe { rule, seed, classes: classes.try_into().ok()? };
    // Probabilities, too, have one spelling.
    (super::write::recipe_text(&recipe) == text).then_some(recipe)
}

impl Head {
    /// Reads the outputs at each point.
    fn with_targets(
        self,
        lines: &mut Lines<impl BufRead>,
        network: &Network,
    ) -> Result<Statement, ReadError> {
        let (line, text) = lines.keyword("targets")?;
        let (count, target, outputs) = match network {
            Network::TwoLayer(_) => (numbers::count(text), Some(Target::Value), 1),
            Network::Layered(network) => {
                let (count, target) = text.split_once(' ').unwrap_or((text, ""));
                (numbers::count(count), target.parse().ok(), network.output.len())
            }
        };
        let (Some(count), Some(target)) = (count, target) else {
            return Err(line.refuse(match network {
                Network::TwoLayer(_) => "'targets N'",
                Network::Layered(_) => "'targets N' and value, one-hot or bits",
            }));
        };
        let mut targets = Vec::new();
        for _ in 0..count {
            let line = lines.next("the outputs at a point")?;
            // One word too many is enough to refuse.
            let words = line.text.split(' ').take(outputs + 1).map(numbers::dyadic);
            match words.collect::<Option<Vec<Dyadic>>>() {
                Some(row) if row.len() == outputs => targets.extend(row),
                _ => return Err(line.refuse(format!("{outputs} numbers such as 1 or -3p-1"))),
            }
        }
        let Head { sample, points, points_sha256, recipe } = self;
        Ok(Statement { sample, points, points_sha256, recipe, target, targets })
    }
}

/// The encoding of labels in a network file, where it says so.
fn reading(lines: &mut Lines<impl BufRead>, kind: Kind) -> Result<Option<Target>, ReadError> {
    let Some((line, text)) = lines.optional("reading")? else { return Ok(None) };
    let target = text.parse().ok().filter(|target| kind.layered || *target == Target::Value);
    let expected = if kind.layered { "value, one-hot or bits" } else { "value" };
    target.map(Some).ok_or_else(|| line.refuse(format!("'reading' and {expected}")))
}

fn classes(lines: &mut Lines<impl BufRead>) -> Result<Option<Vec<String>>, ReadError> {
    let Some((line, text)) = lines.optional("classes")? else { return Ok(None) };
    let count = numbers::count(text).ok_or_else(|| line.refuse("'classes' and a count"))?;
    let mut names = Vec::new();
    for _ in 0..count {
        let line = lines.next("the name of a class")?;
        let name = class_name::unescaped(line.text);
        names.push(name.ok_or_else(|| line.refuse("the name of a class, in Rust's escapes"))?);
    }
    Ok(Some(names))
}

fn two_layer(
    lines: &mut Lines<impl BufRead>,
    limits: &mut Limits,
) -> Result<ExactNetwork, ReadError> {
    let names =
        ["depth", "units", "free", "signs", "nonzero", "slots", "dense", "bits", "max-bits"];
    let claimed = counts(lines, &names)?;
    let (mut a, mut b, mut w) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..counted(lines, "direction")? {
        let line = lines.next("a coordinate of the direction")?;
        a.push(numbers::dyadic(line.text).ok_or_else(|| line.refuse("a number such as -3p-1"))?);
    }
    for _ in 0..counted(lines, "units")? {
        let line = lines.next("a threshold and a weight")?;
        let refuse = || line.refuse("a threshold and a weight");
        let (threshold, weight) = line.text.split_once(' ').ok_or_else(refuse)?;
        b.push(numbers::dyadic(threshold).ok_or_else(refuse)?);
        w.push(limits.number(line, weight)?.ok_or_else(refuse)?);
    }
    let (line, text) = lines.keyword("bias")?;
    let c = numbers::dyadic(text).ok_or_else(|| line.refuse("'bias' and a number"))?;
    let network = ExactNetwork { a, b, w, c };
    let Counts { depth, units, free, signs, nonzero, slots, dense, bits, max_bits } =
        network.counts();
    let actual = [depth, units, free, signs, nonzero, slots, dense, bits, max_bits];
    compare(&names, &claimed, &actual)?;
    Ok(network)
}

fn layered(lines: &mut Lines<impl BufRead>, limits: &mut Limits) -> Result<Layered, ReadError> {
    let names = ["depth", "units", "width", "nonzero", "bits", "max-bits"];
    let claimed = counts(lines, &names)?;
    let (line, text) = lines.keyword("inputs")?;
    let inputs = numbers::count(text).and_then(|count| u32::try_from(count).ok());
    let inputs = inputs.ok_or_else(|| line.refuse("'inputs' and a count below 2^32"))? as usize;
    let (line, text) = lines.keyword("layers")?;
    let depth = numbers::count(text).filter(|depth| *depth > 0);
    let depth = depth.ok_or_else(|| line.refuse("'layers' and a count of at least 1"))?;
    let mut hidden = Vec::new();
    let mut output: Vec<Unit> = Vec::new();
    for l in 0..depth {
        let width = if l == 0 { inputs } else { output.len() };
        let mut layer = Vec::new();
        for _ in 0..counted(lines, "layer")? {
            layer.push(unit(lines.next("ACTIVATION BIAS I:W …")?, width, limits)?);
        }
        let before = std::mem::replace(&mut output, layer);
        if l > 0 {
            hidden.push(before);
        }
    }
    let network = Layered { inputs, hidden, output };
    let Sizes { depth, units, width, nonzero, bits, max_bits } = network.sizes();
    compare(&names, &claimed, &[depth, units, width, nonzero, bits, max_bits])?;
    Ok(network)
}

/// The unit on `line`, which reads numbers of a layer of `width`.
fn unit(line: Line, width: usize, limits: &mut Limits) -> Result<Unit, ReadError> {
    let mut words = line.text.split(' ');
    let name = words.next().unwrap_or_default();
    let activation = Activation::ALL.into_iter().find(|activation| activation.name() == name);
    let activation = activation.ok_or_else(|| line.refuse("an activation"))?;
    let bias = limits.number(line, words.next().unwrap_or_default())?;
    let bias = bias.ok_or_else(|| line.refuse("a bias after the activation"))?;
    let mut weights: Vec<(usize, Rational)> = Vec::new();
    for word in words {
        let (from, weight) = word.split_once(':').ok_or_else(|| line.refuse("I:W"))?;
        let above = |from: &u64| weights.last().is_none_or(|last| (last.0 as u64) < *from);
        let from = numbers::count(from).filter(above);
        let from = from.ok_or_else(|| line.refuse("increasing indices"))?;
        let Some(index) = usize::try_from(from).ok().filter(|index| *index < width) else {
            return Err(ReadError::Wiring { line: line.number, from, width });
        };
        let weight = limits.number(line, weight)?.filter(|weight| !weight.is_zero());
        let weight = weight.ok_or_else(|| line.refuse("weights that are numbers and not 0"))?;
        weights.push((index, weight));
    }
    Ok(Unit { weights, bias, activation })
}

/// The cost of the weights and biases read so far.
#[derive(Default)]
struct Limits {
    bits: u64,
    steps: u64,
}

impl Limits {
    /// The number that `text`, a word of `line`, spells.
    fn number(&mut self, line: Line, text: &str) -> Result<Option<Rational>, ReadError> {
        let digits = 4 * text.len() as u64;
        if text.contains('/') {
            // The gcd of numbers of b bits takes (b/64)² steps.
            let words = digits / 64 + 1;
            self.steps = self.steps.saturating_add(words.saturating_mul(words));
            if self.steps > MOST_STEPS {
                return Err(ReadError::TooManySteps { line: line.number, limit: MOST_STEPS });
            }
            self.bits(line, digits)?;
            return Ok(numbers::fraction(text));
        }
        let Some(number) = numbers::dyadic(text) else { return Ok(None) };
        self.bits(line, digits + number.grain().unwrap_or(0).unsigned_abs())?;
        Ok(Some(number.to_rational()))
    }

    fn bits(&mut self, line: Line, bits: u64) -> Result<(), ReadError> {
        self.bits = self.bits.saturating_add(bits);
        if self.bits > MOST_BITS {
            return Err(ReadError::TooManyBits { line: line.number, limit: MOST_BITS });
        }
        Ok(())
    }
}

/// The count on the next line, which starts with `keyword`.
fn counted(lines: &mut Lines<impl BufRead>, keyword: &str) -> Result<u64, ReadError> {
    let (line, text) = lines.keyword(keyword)?;
    numbers::count(text).ok_or_else(|| line.refuse(format!("'{keyword}' and a count")))
}

/// The counts line: each name with its number.
fn counts<const K: usize>(
    lines: &mut Lines<impl BufRead>,
    names: &[&'static str; K],
) -> Result<[u64; K], ReadError> {
    let (line, text) = lines.keyword("counts")?;
    let mut words = text.split(' ');
    let mut claimed = [0; K];
    let mut read =
        |name: &str| numbers::count(words.next()?.strip_prefix(name)?.strip_prefix('=')?);
    let all = names
        .iter()
        .zip(&mut claimed)
        .all(|(name, claimed)| read(name).map(|count| *claimed = count).is_some());
    if !all || words.next().is_some() {
        let names: Vec<String> = names.iter().map(|name| format!("{name}=N")).collect();
        return Err(line.refuse(format!("'counts {}'", names.join(" "))));
    }
    Ok(claimed)
}

/// Compares counts with those of the network that follows them.
fn compare(names: &[&'static str], claimed: &[u64], actual: &[u64]) -> Result<(), ReadError> {
    for ((&name, &claimed), &actual) in names.iter().zip(claimed).zip(actual) {
        if claimed != actual {
            return Err(ReadError::Count { name, claimed, actual });
        }
    }
    Ok(())
}
