//! What `shatter kernel` prints.

use std::fmt::Write as _;

use shatter_kernel::plan::Plan;
use shatter_sample::Points;

use crate::memory::size;
use crate::output::{Facts, grouped, percent_of_errors};
use crate::visible;

use super::Job;
use super::record::KernelRecord;

/// "2 h 03 min", "5 min 10 s", "3.2 s".
pub fn duration(seconds: f64) -> String {
    let whole = seconds.round() as u64;
    match whole {
        0..60 => format!("{seconds:.1} s"),
        60..3600 => format!("{} min {:02} s", whole / 60, whole % 60),
        _ => format!("{} h {:02} min", whole / 3600, whole % 3600 / 60),
    }
}

/// What a fit will take.
pub fn plan(job: &Job<'_>, points: &Points, planned: &Plan, bytes: u64) -> String {
    let phases: Vec<String> = planned
        .phases
        .iter()
        .map(|phase| format!("{} {}", phase.phase.name(), duration(phase.seconds)))
        .collect();
    let mut facts = Facts::default();
    facts.add("sample", points.describe());
    facts.add("features", job.features.to_string());
    facts.add(
        "plan",
        format!(
            "{} of memory, about {} ({})",
            size(bytes),
            duration(planned.seconds()),
            phases.join(", ")
        ),
    );
    facts.text().to_owned()
}

fn number(x: Option<f64>) -> String {
    match x {
        None => "–".to_owned(),
        Some(x) if x != 0.0 && !(1e-3..1e5).contains(&x.abs()) => format!("{x:.2e}"),
        Some(x) => format!("{x:.3}"),
    }
}

/// What was found, and the paper's beside it.
pub fn table(record: &KernelRecord) -> String {
    let mut facts = Facts::default();
    facts.add(
        "kernel",
        format!("{}, {} numbers a point", record.kernel, grouped(record.columns as u64)),
    );
    for tried in &record.validated {
        let error = tried.error.map_or_else(
            || format!("no fit: {}", tried.reason.as_deref().unwrap_or_default()),
            percent_of_errors,
        );
        let (fitted, held) = (grouped(tried.fitted as u64), grouped(tried.held_out as u64));
        facts.add(
            "held out",
            format!("{}: {error} of {held} points, fitted to {fitted}", tried.kernel),
        );
    }
    if record.merged_points > 0 {
        let merged = match record.merged_points {
            1 => "1 point that equals an earlier one".to_owned(),
            points => format!("{} points that equal an earlier one", grouped(points as u64)),
        };
        facts.add("merged", merged);
    }
    let ridge =
        if record.ridge > 0.0 { format!(", ridge {}", record.ridge) } else { String::new() };
    let jitter = match record.jitter {
        0.0 => String::new(),
        jitter => format!(", jitter {jitter:e} in the factor"),
    };
    let residual = || number(record.residual);
    let products = match (record.centres, record.products) {
        (0, 0) => String::new(),
        (0, products) => format!(", refined by {products} products in f64"),
        (_, products) => format!("; {products} products, largest residual {}", residual()),
    };
    let way = match record.centres {
        0 => format!("Cholesky in {}", record.arithmetic),
        centres => format!("conjugate gradients, {} centres", grouped(centres as u64)),
    };
    facts.add("solver", format!("{way}{ridge}{jitter}{products}"));
    if !record.converged {
        facts.add("not solved", format!("no convergence; largest residual {}", residual()));
    }
    if record.restored_columns > 0 {
        let there = grouped(record.restored_columns as u64);
        facts.add("continued", format!("{there} columns of the factor were there"));
    }
    if let Some(reason) = &record.unkept {
        facts.add("checkpoint", format!("given up: {}", visible::line(reason)));
    }
    let condition = record.condition.map_or_else(|| "–".to_owned(), |x| format!("{x:.2e} or more"));
    facts.add("condition", condition);
    let peak = record.peak_bytes.map_or_else(|| "–".to_owned(), size);
    facts.add(
        "took",
        format!(
            "{}, {peak} at the peak (planned: {}, {})",
            duration(record.seconds),
            duration(record.plan.seconds),
            size(record.plan.bytes)
        ),
    );
    let mut text = facts.text().to_owned();
    let _ = writeln!(
        text,
        "\n{:<16} {:>9} {:>19} {:>12} {:>12} {:>12} {:>10} {:>10}",
        "labels", "changed", "proved to fit", "margin >=", "bound", "test error", "norm", "|alpha|"
    );
    for one in &record.labellings {
        let fit = one.verdicts.exact + one.verdicts.margin;
        let test = match (one.test_error, one.test_squared) {
            (Some(error), _) => percent_of_errors(error),
            (None, squared) => number(squared),
        };
        let _ = writeln!(
            text,
            "{:<16} {:>9} {:>19} {:>12} {:>12} {:>12} {:>10} {:>10}",
            one.labels,
            grouped(one.changed_labels as u64),
            format!("{} of {}", grouped(fit as u64), grouped(record.n as u64)),
            number(one.least_margin),
            number(one.largest_bound),
            test,
            number(Some(one.norm)),
            number(Some(one.coefficients)),
        );
    }
    if let Some(paper) = &record.paper {
        let _ = writeln!(
            text,
            "{:<16} {:>9} {:>19} {:>12} {:>12} {:>12} {:>10} {:>10}",
            "true, paper",
            "",
            "",
            "",
            "",
            percent_of_errors(paper.test_error),
            paper.norm.map_or_else(|| "–".into(), |norm| format!("{norm:.0}")),
            ""
        );
    }
    for (one, exact) in record.labellings.iter().filter_map(|one| Some((one, one.exact.as_ref()?)))
    {
        let _ = match (exact.norm, exact.coefficient_error) {
            (Some(norm), Some(error)) => writeln!(
                text,
                "{}: in fractions the norm is {}, and no coefficient is off by more than {error:.1e} of the largest",
                one.labels,
                number(Some(norm))
            ),
            _ => writeln!(
                text,
                "{}: no exact solution: {}",
                one.labels,
                exact.reason.as_deref().unwrap_or_default()
            ),
        };
    }
    text += "norm: of the function in the kernel's space, sqrt(sum over outputs of alpha_c' K alpha_c). The paper does \
             not say which norm is its own.\n";
    text
}

#[cfg(test)]
mod tests {
    use super::duration;

    #[test]
    fn durations_have_two_units() {
        let cases = [
            (0.04, "0.0 s"),
            (59.2, "59.2 s"),
            (60.0, "1 min 00 s"),
            (310.4, "5 min 10 s"),
            (7380.0, "2 h 03 min"),
        ];
        assert!(cases.iter().all(|(seconds, text)| duration(*seconds) == *text));
    }
}
