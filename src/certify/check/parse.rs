//! The contents of certificates and network files. Every count is compared with what follows it;
//! nothing is allocated before it has been read.

use std::io::BufRead;

use crate::sample::LabelRule;

use super::Rejection;
use super::lines::Lines;
use super::number::{Binary, Weight};
use super::work::Work;

/// The counts line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimed {
    /// d + 2m, or d + m when the output weights are ±1, ∓2, ±2, …; one more with a bias.
    pub free: u64,
    /// 1 in that case.
    pub signs: u64,
}

/// A certificate, or a network file (then the fields about the sample are empty).
#[derive(Clone, Debug)]
pub struct Contents {
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
    /// How the network was built.
    pub construction: String,
    /// The counts that have been compared with the network.
    pub counts: Claimed,
    /// a.
    pub direction: Vec<Binary>,
    /// (b_j, w_j).
    pub units: Vec<(Binary, Weight)>,
    /// c.
    pub bias: Binary,
    /// y.
    pub targets: Vec<Binary>,
    /// SHA-256 of the file.
    pub digest: String,
}

/// Reads a certificate.
///
/// # Errors
/// The first [`Rejection`] met.
pub fn certificate(reader: impl BufRead) -> Result<Contents, Rejection> {
    let mut lines = Lines::new(reader);
    if lines.next("'shatter certificate 1'")? != "shatter certificate 1" {
        return Err(lines.refuse("'shatter certificate 1'"));
    }
    certificate_body(lines)
}

/// Reads a certificate or a network file, whichever it is.
///
/// # Errors
/// The first [`Rejection`] met.
pub fn either(reader: impl BufRead) -> Result<Contents, Rejection> {
    let mut lines = Lines::new(reader);
    let expected = "'shatter certificate 1' or 'shatter network 1'";
    match lines.next(expected)? {
        "shatter certificate 1" => certificate_body(lines),
        "shatter network 1" => {
            let mut contents = network(&mut lines)?;
            contents.digest = lines.finish()?;
            Ok(contents)
        }
        _ => Err(lines.refuse(expected)),
    }
}

fn certificate_body(mut lines: Lines<impl BufRead>) -> Result<Contents, Rejection> {
    let sample = lines.keyword("sample")?;
    let points = lines.keyword("points")?;
    let points_sha256 = lines.keyword("points-sha256")?;
    let labels = lines.keyword("labels")?;
    let (rule, seed, classes) =
        recipe(&labels).ok_or_else(|| lines.refuse("'labels RULE seed=S classes=C'"))?;
    let mut contents =
        Contents { sample, points, points_sha256, rule, seed, classes, ..network(&mut lines)? };
    let count = counted(&mut lines, "targets")?;
    for _ in 0..count {
        let target = Binary::parse(lines.next("a label")?);
        contents.targets.push(target.ok_or_else(|| lines.refuse("a number m or mpE"))?);
    }
    contents.digest = lines.finish()?;
    Ok(contents)
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

fn counted(lines: &mut Lines<impl BufRead>, keyword: &str) -> Result<u64, Rejection> {
    let text = lines.keyword(keyword)?;
    let count = text.parse::<u64>().ok().filter(|count| count.to_string() == text);
    count.ok_or_else(|| lines.refuse(format!("'{keyword}' and a count")))
}

fn network(lines: &mut Lines<impl BufRead>) -> Result<Contents, Rejection> {
    let construction = lines.keyword("construction")?;
    let counts = lines.keyword("counts")?;
    let claimed = claimed(&counts).ok_or_else(|| {
        let names = NAMES.map(|name| format!("{name}=N")).join(" ");
        lines.refuse(format!("'counts {names}'"))
    })?;
    let mut direction = Vec::new();
    for _ in 0..counted(lines, "direction")? {
        let a = Binary::parse(lines.next("a coordinate of the direction")?);
        direction.push(a.ok_or_else(|| lines.refuse("a number m or mpE"))?);
    }
    let mut units = Vec::new();
    let mut work = Work::default();
    for _ in 0..counted(lines, "units")? {
        let line = lines.next("a threshold and a weight")?;
        if line.contains('/') {
            let bits = 4 * line.len() as u64;
            work.announce(1, bits, bits)?; // the gcd that lowest terms take
        }
        let unit =
            line.split_once(' ').and_then(|(b, w)| Some((Binary::parse(b)?, Weight::parse(w)?)));
        units.push(unit.ok_or_else(|| lines.refuse("a threshold and a weight"))?);
    }
    let bias = Binary::parse(&lines.keyword("bias")?);
    let bias = bias.ok_or_else(|| lines.refuse("'bias' and a number"))?;
    let actual = count(&direction, &units, &bias);
    for ((name, claimed), actual) in NAMES.into_iter().zip(claimed).zip(actual) {
        if claimed != actual {
            return Err(Rejection::Count { name, claimed, actual });
        }
    }
    Ok(Contents {
        sample: String::new(),
        points: String::new(),
        points_sha256: String::new(),
        rule: LabelRule::True,
        seed: 0,
        classes: 0,
        construction,
        counts: Claimed { free: actual[2], signs: actual[3] },
        direction,
        units,
        bias,
        targets: Vec::new(),
        digest: String::new(),
    })
}

/// The counts in the order of their line.
const NAMES: [&str; 9] =
    ["depth", "units", "free", "signs", "nonzero", "slots", "dense", "bits", "max-bits"];

fn claimed(text: &str) -> Option<[u64; 9]> {
    let mut claimed = [0; 9];
    let mut words = text.split(' ');
    for (name, claimed) in NAMES.iter().zip(&mut claimed) {
        let value = words.next()?.strip_prefix(name)?.strip_prefix('=')?;
        *claimed = value.parse::<u64>().ok().filter(|n| n.to_string() == value)?;
    }
    words.next().is_none().then_some(claimed)
}

/// The counts of the network that was read; their meaning is in `network::counts`.
fn count(direction: &[Binary], units: &[(Binary, Weight)], bias: &Binary) -> [u64; 9] {
    let (d, m) = (direction.len() as u64, units.len() as u64);
    let has_bias = u64::from(*bias != Binary::ZERO);
    let constant = constant_weights(units);
    let nonzero_a = direction.iter().filter(|a| **a != Binary::ZERO).count() as u64;
    let nonzero_b = units.iter().filter(|unit| unit.0 != Binary::ZERO).count() as u64;
    let nonzero_w = units.iter().filter(|unit| !unit.1.is_zero()).count() as u64;
    let each = || {
        let thresholds = units.iter().map(|unit| unit.0.bits());
        let weights = units.iter().map(|unit| unit.1.bits());
        let bias = (has_bias == 1).then(|| bias.bits());
        direction.iter().map(Binary::bits).chain(thresholds).chain(weights).chain(bias)
    };
    [
        2,
        m,
        d + has_bias + if constant { m } else { 2 * m },
        u64::from(constant),
        // Counts of files cannot overflow: each coordinate and unit was a line of it.
        m.saturating_mul(nonzero_a).saturating_add(nonzero_b + nonzero_w + has_bias),
        m.saturating_mul(d + 2).saturating_add(has_bias),
        m.saturating_mul(d + 2).saturating_add(1),
        each().sum(),
        each().max().unwrap_or(0),
    ]
}

/// Whether the output weights are σ, −2σ, 2σ, −2σ, … with σ = ±1.
fn constant_weights(units: &[(Binary, Weight)]) -> bool {
    let parts = |weight: &Weight| match weight {
        Weight::Binary(binary) => {
            Some((i64::try_from(binary.mantissa.clone()).ok()?, binary.exponent))
        }
        Weight::Fraction(_) => None,
    };
    let Some(Some((sigma @ (1 | -1), 0))) = units.first().map(|unit| parts(&unit.1)) else {
        return false;
    };
    let expected = |j: usize| (if j.is_multiple_of(2) { sigma } else { -sigma }, 1);
    units.iter().enumerate().skip(1).all(|(j, unit)| parts(&unit.1) == Some(expected(j)))
}
