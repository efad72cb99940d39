//! The contents of certificates. Every count is compared with what follows it;
//! nothing is allocated before it has been read.

use std::io::BufRead;

use shatter_sample::{LabelRule, Target, class_name};

use super::Rejection;
use super::layered::Layered;
use super::lines::{Lines, excerpt};
use super::number::{Binary, Number};
use super::two_layer::TwoLayer;
use super::work::Work;

/// The part of a certificate that speaks of the sample.
#[derive(Clone, Debug)]
pub struct Claim {
    /// The SAMPLE text.
    pub sample: String,
    /// Type, number and shape of the points.
    pub points: String,
    /// Their SHA-256.
    pub points_sha256: String,
    /// The labels' rule.
    pub rule: LabelRule,
    /// Its seed.
    pub seed: u64,
    /// Its classes.
    pub classes: u32,
    /// Encoding of labels as outputs.
    pub target: Target,
    /// The outputs claimed, point by point.
    pub targets: Vec<Binary>,
}

/// A network in one of the forms.
#[derive(Clone, Debug)]
pub enum Body {
    /// Σ_j w_j ReLU(<a, x> − b_j) + c.
    TwoLayer(TwoLayer),
    /// Layer by layer.
    Layered(Layered),
}

impl Body {
    /// Coordinates of a point.
    pub fn inputs(&self) -> usize {
        match self {
            Body::TwoLayer(network) => network.direction.len(),
            Body::Layered(network) => network.inputs,
        }
    }

    /// Numbers an output has.
    pub fn outputs(&self) -> usize {
        match self {
            Body::TwoLayer(_) => 1,
            Body::Layered(network) => network.outputs(),
        }
    }
}

/// The network of a certificate, and what is said of it.
#[derive(Clone, Debug)]
pub struct Contents {
    /// The names of the classes, in the order of their numbers.
    pub classes: Option<Vec<String>>,
    /// The network; its counts have been compared.
    pub body: Body,
    /// SHA-256 of the file.
    pub digest: String,
}

#[derive(Clone, Copy)]
enum Form {
    TwoLayer,
    Layered,
}

const CERTIFICATES: [(&str, Form); 2] =
    [("shatter certificate 1", Form::TwoLayer), ("shatter layered certificate 1", Form::Layered)];

/// Reads a certificate.
///
/// # Errors
/// The first [`Rejection`] met.
pub fn certificate(reader: impl BufRead, work: &Work) -> Result<(Claim, Contents), Rejection> {
    let mut lines = Lines::new(reader);
    let expected = "'shatter certificate 1' or 'shatter layered certificate 1'";
    let first = lines.next(expected)?;
    for (known, form) in CERTIFICATES {
        if first == known {
            return body(lines, form, work);
        }
        let version = first.strip_prefix(known.trim_end_matches('1'));
        if version.and_then(whole).is_some() {
            return Err(Rejection::Version { found: excerpt(first), known });
        }
    }
    Err(lines.refuse(expected))
}

fn body(
    mut lines: Lines<impl BufRead>,
    form: Form,
    work: &Work,
) -> Result<(Claim, Contents), Rejection> {
    let sample = lines.keyword("sample")?;
    let points = lines.keyword("points")?;
    let points_sha256 = lines.keyword("points-sha256")?;
    let labels = lines.keyword("labels")?;
    let (rule, seed, drawn) =
        recipe(&labels).ok_or_else(|| lines.refuse("'labels RULE seed=S classes=C'"))?;
    lines.keyword("construction")?;
    let classes = classes(&mut lines)?;
    let body = match form {
        Form::TwoLayer => Body::TwoLayer(TwoLayer::parse(&mut lines, work)?),
        Form::Layered => Body::Layered(Layered::parse(&mut lines, work)?),
    };
    let (count, target) = match form {
        Form::TwoLayer => (counted(&mut lines, "targets")?, Target::Value),
        Form::Layered => encoded(&mut lines)?,
    };
    let outputs = body.outputs();
    let mut targets = Vec::new();
    for _ in 0..count {
        let words = lines.next("the outputs at a point")?.split(' ').take(outputs + 1);
        let row: Option<Vec<Binary>> = words.map(Binary::parse).collect();
        match row.filter(|row| row.len() == outputs) {
            Some(row) => targets.extend(row),
            None => return Err(lines.refuse(format!("{outputs} numbers m or mpE"))),
        }
    }
    let claim =
        Claim { sample, points, points_sha256, rule, seed, classes: drawn, target, targets };
    Ok((claim, Contents { classes, body, digest: lines.finish()? }))
}

/// The names of the classes, if the file has them.
fn classes(lines: &mut Lines<impl BufRead>) -> Result<Option<Vec<String>>, Rejection> {
    let Some(count) = lines.optional("classes")? else { return Ok(None) };
    let count = whole(&count).ok_or_else(|| lines.refuse("'classes' and a count"))?;
    let mut names = Vec::new();
    for _ in 0..count {
        let name = class_name::unescaped(lines.next("the name of a class")?);
        names.push(name.ok_or_else(|| lines.refuse("the name of a class"))?);
    }
    Ok(Some(names))
}

fn recipe(text: &str) -> Option<(LabelRule, u64, u32)> {
    let mut words = text.split(' ');
    let rule_text = words.next()?;
    let rule: LabelRule = rule_text.parse().ok()?;
    let seed_text = words.next()?.strip_prefix("seed=")?;
    let classes_text = words.next()?.strip_prefix("classes=")?;
    let (seed, classes): (u64, u32) = (seed_text.parse().ok()?, classes_text.parse().ok()?);
    let again = format!("{rule} seed={seed} classes={classes}");
    (again == text).then_some((rule, seed, classes))
}

/// A whole number without needless digits or signs.
pub fn whole(text: &str) -> Option<u64> {
    let canonical = text == "0" || !text.starts_with(['0', '+']);
    text.parse().ok().filter(|_| canonical)
}

/// The number on the next line, which starts with `keyword`.
///
/// # Errors
/// A [`Rejection`] if there is none.
pub fn counted(lines: &mut Lines<impl BufRead>, keyword: &str) -> Result<u64, Rejection> {
    let count = whole(&lines.keyword(keyword)?);
    count.ok_or_else(|| lines.refuse(format!("'{keyword}' and a count")))
}

fn encoded(lines: &mut Lines<impl BufRead>) -> Result<(u64, Target), Rejection> {
    let text = lines.keyword("targets")?;
    let parsed =
        text.split_once(' ').and_then(|(n, target)| Some((whole(n)?, target.parse().ok()?)));
    parsed.ok_or_else(|| lines.refuse("'targets N' and value, one-hot or bits"))
}

/// The number that `text` spells, within the budget: the lowest terms of a fraction take a gcd.
///
/// # Errors
/// [`Rejection::TooMuchWork`].
pub fn number(text: &str, work: &Work) -> Result<Option<Number>, Rejection> {
    if text.contains('/') {
        let bits = 4 * text.len() as u64;
        work.announce(1, bits, bits)?;
    }
    Ok(Number::parse(text))
}

/// The counts line: each name with its number.
///
/// # Errors
/// A [`Rejection`] if it is not one.
pub fn counts<const K: usize>(
    lines: &mut Lines<impl BufRead>,
    names: &[&'static str; K],
) -> Result<[u64; K], Rejection> {
    let text = lines.keyword("counts")?;
    let mut words = text.split(' ');
    let mut claimed = [0; K];
    for (name, claimed) in names.iter().zip(&mut claimed) {
        let value = words.next().and_then(|word| word.strip_prefix(name)?.strip_prefix('='));
        match value.and_then(whole) {
            Some(value) => *claimed = value,
            None => return Err(refused_counts(lines, names)),
        }
    }
    match words.next() {
        None => Ok(claimed),
        Some(_) => Err(refused_counts(lines, names)),
    }
}

fn refused_counts<R: BufRead>(lines: &Lines<R>, names: &[&'static str]) -> Rejection {
    let names: Vec<String> = names.iter().map(|name| format!("{name}=N")).collect();
    lines.refuse(format!("'counts {}'", names.join(" ")))
}

/// Compares counts with the network that follows them.
///
/// # Errors
/// [`Rejection::Count`] with the first that differs.
pub fn compare<const K: usize>(
    names: &[&'static str; K],
    claimed: &[u64; K],
    actual: &[u64; K],
) -> Result<(), Rejection> {
    for ((&name, &claimed), &actual) in names.iter().zip(claimed).zip(actual) {
        if claimed != actual {
            return Err(Rejection::Count { name, claimed, actual });
        }
    }
    Ok(())
}
