//! Findings as a table.

use std::fmt::Write as _;

use shatter_measure::{Finding, Kind, Vacuity};

use crate::visible;

/// Width of the names.
pub const NAMES: usize = 50;

/// A number in a few digits.
pub fn number(x: f64) -> String {
    match x {
        x if x.is_nan() => "–".to_owned(),
        x if x.is_infinite() => if x > 0.0 { "∞" } else { "-∞" }.to_owned(),
        x if x != 0.0 && !(1e-3..1e6).contains(&x.abs()) => format!("{x:.2e}"),
        x if x.fract() == 0.0 => format!("{x:.0}"),
        x if x.abs() >= 100.0 => format!("{x:.1}"),
        x => format!("{x:.4}"),
    }
}

/// What kind of number it is.
pub fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Bound => "bound",
        Kind::Estimate => "estimate",
        Kind::Measure => "measure",
    }
}

/// Whether a bound says anything.
pub fn vacuity(vacuity: Option<Vacuity>) -> &'static str {
    match vacuity {
        None => "",
        Some(Vacuity { against_one: true, .. }) => "vacuous",
        Some(Vacuity { against_chance: true, .. }) => "no better than a guess",
        Some(_) => "below a guess",
    }
}

/// A line each, and why a theory says nothing under those of which an assumption fails.
pub fn table(findings: &[Finding], classes: u32) -> String {
    let head = ["measure", "kind", "value", "test error"];
    let mut text = format!(
        "{:<NAMES$} {:<8} {:>11} {:>11}  {}\n",
        head[0], head[1], head[2], head[3], "which is"
    );
    let mut before = None;
    for finding in findings {
        let line = format!(
            "{:<NAMES$} {:<8} {:>11} {:>11}  {}",
            visible::line(&finding.name),
            kind(finding.kind),
            number(finding.value),
            finding.says.map_or_else(String::new, |says| format!("<= {}", number(says))),
            vacuity(finding.vacuity(classes)),
        );
        let _ = writeln!(text, "{}", line.trim_end());
        let failing = finding.failing();
        match failing {
            None => {}
            Some(_) if failing == before => text += "    fails: as above\n",
            Some(fails) => {
                let _ =
                    writeln!(text, "    fails: {}: {}", fails.what, visible::line(&fails.reason));
            }
        }
        before = failing;
    }
    text
}
