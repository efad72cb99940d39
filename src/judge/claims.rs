//! What a certificate of somebody else's network claims, read back and held against what is decided again.
//!
//! Claims that do not follow from what was decided are decided in exact arithmetic before they are rejected: a
//! certificate may have been made with `--exact`, or by a version that does more of it unasked. So
//! that a false one costs little, points are decided some at a time, up to the first claim that does not
//! follow then.

use super::JudgeError;
use super::certificate::{Subject, VerdictCounts, digest, head, spelled};
use super::exactly::Exactly;
use super::runtime::Runtime;
use super::verdict::{Judged, Verdict};
use shatter_exact::{Dyadic, IBig};
use shatter_network::Graph;
use shatter_network::exactly::Inexact;

/// Points that are decided exactly before claims are looked at again.
const TURN: usize = 64;

/// A claim about a point.
#[derive(Clone, Copy, Debug)]
enum Claim {
    Exact { rounding: f64 },
    Margin { low: f64, rounding: f64 },
    Undecided { low: f64, high: f64, rounding: f64 },
    Misfit { high: f64, rounding: f64 },
}

impl Claim {
    /// A line of a certificate.
    fn read(line: &str) -> Option<Claim> {
        let mut words = line.split(' ');
        let name = words.next()?;
        let numbers: Vec<f64> = words.map(parsed).collect::<Option<_>>()?;
        match (name, numbers.as_slice()) {
            ("exact", &[rounding]) => Some(Claim::Exact { rounding }),
            ("margin", &[low, rounding]) => Some(Claim::Margin { low, rounding }),
            ("undecided", &[low, high, rounding]) => Some(Claim::Undecided { low, high, rounding }),
            ("misfit", &[high, rounding]) => Some(Claim::Misfit { high, rounding }),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Claim::Exact { .. } => "exact",
            Claim::Margin { .. } => "margin",
            Claim::Undecided { .. } => "undecided",
            Claim::Misfit { .. } => "misfit",
        }
    }

    /// Whether what was decided contradicts it, so that nothing further can help.
    fn contradicts(self, one: &Judged) -> bool {
        match self {
            Claim::Exact { .. } => one.fits == Some(false),
            Claim::Margin { low, .. } => one.fits == Some(false) || one.high < low,
            Claim::Undecided { low, high, .. } => one.high < low || one.low > high,
            Claim::Misfit { high, .. } => one.fits == Some(true) || one.low > high,
        }
    }

    /// Whether it follows from what was decided.
    fn follows(self, one: &Judged) -> bool {
        match self {
            Claim::Exact { rounding } => {
                one.verdict == Verdict::Exact && one.rounding <= rounding && rounding.is_finite()
            }
            Claim::Margin { low, rounding } => {
                low > rounding && one.low >= low && one.rounding <= rounding
            }
            Claim::Undecided { low, high, rounding } => {
                one.low >= low && one.high <= high && one.rounding <= rounding
            }
            Claim::Misfit { high, rounding } => {
                // Real labels have no margin, and 0 stands for it.
                let real = one.low == f64::NEG_INFINITY && one.high == 0.0;
                one.verdict == Verdict::Misfit
                    && (real || high < -rounding)
                    && one.high <= high
                    && one.rounding <= rounding
            }
        }
    }
}

/// Reads the claims about every point.
fn read(text: &str, subject: &Subject) -> Result<(Vec<Claim>, VerdictCounts), String> {
    let (body, last) = text
        .trim_end_matches('\n')
        .rsplit_once('\n')
        .map(|(body, last)| (&text[..body.len() + 1], last))
        .ok_or("it has no lines")?;
    if last.strip_prefix("digest ") != Some(&digest(body.as_bytes())) || !text.ends_with('\n') {
        return Err("its digest does not match: it has been altered".to_owned());
    }
    let said = |line: &&str| !line.starts_with("network ") && !line.starts_with("sample ");
    let mut lines = body.split('\n').peekable();
    // The counts are those of the certificate's own lines, which may claim less than is known.
    let wanted = head(subject, VerdictCounts::default(), true);
    let mut counts = "";
    for wanted in wanted.lines() {
        // Older certificates name no runtime model.
        let named = wanted.strip_prefix("runtime ");
        if named == Some(Runtime::Ieee.name())
            && lines.peek().is_some_and(|line| !line.starts_with("runtime "))
        {
            continue;
        }
        let line =
            lines.find(said).ok_or_else(|| format!("it ends where '{wanted}' is expected"))?;
        if wanted.starts_with("counts ") {
            counts = line;
        } else if line != wanted {
            let found: String = line.chars().take(120).flat_map(char::escape_default).collect();
            return Err(format!("expected '{wanted}', found '{found}'"));
        }
    }
    let n = subject.sample.points.n();
    let mut claims = Vec::with_capacity(n);
    let mut tally = VerdictCounts::default();
    for i in 0..n {
        let line = lines.next().ok_or_else(|| format!("it has no verdict on point {i}"))?;
        let claim =
            Claim::read(line).ok_or_else(|| format!("point {i}: its verdict cannot be read"))?;
        match claim {
            Claim::Exact { .. } => tally.exact += 1,
            Claim::Margin { .. } => tally.margin += 1,
            Claim::Undecided { .. } => tally.undecided += 1,
            Claim::Misfit { .. } => tally.misfit += 1,
        }
        claims.push(claim);
    }
    if counts != tally.line() {
        return Err("its counts are not those of its verdicts".to_owned());
    }
    match (lines.next(), lines.next()) {
        (Some(""), None) => Ok((claims, tally)),
        _ => Err("it has more verdicts than points".to_owned()),
    }
}

/// Returns what a certificate claims if every claim follows, and otherwise the first reason why not. `judged` is what was
/// decided, `everywhere_exact` if it was in exact arithmetic; points that are decided exactly here take
/// their place there.
///
/// # Errors
/// [`JudgeError::TooMuchWork`], [`JudgeError::Inexact`] where a claim does not follow from
/// enclosures, and exact arithmetic would take more than may be asked for: neither yes nor no.
pub fn confirm(
    text: &str,
    subject: &Subject,
    network: &Graph,
    judged: &mut [Judged],
    everywhere_exact: bool,
) -> Result<Result<VerdictCounts, String>, JudgeError> {
    let (claims, tally) = match read(text, subject) {
        Ok(read) => read,
        Err(reason) => return Ok(Err(reason)),
    };
    let unmet: Vec<usize> = (0..claims.len()).filter(|&i| !claims[i].follows(&judged[i])).collect();
    let Some(&first) = unmet.first() else { return Ok(Ok(tally)) };
    let reject = |i: usize, how: &str| {
        Ok(Err(format!("point {i}: '{}' does not follow {how}", claims[i].name())))
    };
    if everywhere_exact {
        return reject(first, "in exact arithmetic");
    }
    if let Some(&i) = unmet.iter().find(|&&i| claims[i].contradicts(&judged[i])) {
        return reject(i, "from enclosures, which contradict it");
    }
    let points = &subject.sample.points;
    let exactly = match Exactly::asked(network, points, subject.said, unmet.len()) {
        Ok(exactly) => exactly,
        Err(JudgeError::Inexact(root @ (Inexact::SquareRoot | Inexact::Power))) => {
            return reject(first, &format!("from enclosures, and nothing else is there: {root}"));
        }
        Err(error) => return Err(error),
    };
    for turn in unmet.chunks(TURN) {
        exactly.decide(turn, judged);
        if let Some(&i) = turn.iter().find(|&&i| !claims[i].follows(&judged[i])) {
            return reject(i, "from enclosures, nor in exact arithmetic");
        }
    }
    Ok(Ok(tally))
}

/// A number as certificates spell it, which is in one way only.
fn parsed(word: &str) -> Option<f64> {
    read_number(word).filter(|&x| spelled(x) == word)
}

fn read_number(word: &str) -> Option<f64> {
    match word {
        "inf" => return Some(f64::INFINITY),
        "-inf" => return Some(f64::NEG_INFINITY),
        _ => {}
    }
    let (negative, digits) = word.strip_prefix('-').map_or((false, word), |digits| (true, digits));
    let (mantissa, exponent) = digits.split_once('p').unwrap_or((digits, "0"));
    if mantissa.len() > 14 || mantissa.starts_with(['+', '-']) {
        return None;
    }
    let mantissa = u64::from_str_radix(mantissa, 16).ok()?;
    let exponent: i16 = exponent.parse().ok()?;
    let size = Dyadic::new(IBig::from(mantissa), i64::from(exponent)).to_f64()?;
    Some(if negative { -size } else { size })
}
