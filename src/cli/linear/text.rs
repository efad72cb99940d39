//! What `linear` prints.

use std::path::Path;

use shatter_train::Measured;

use super::super::output::{Facts, error_size, grouped, percent_of_errors};
use super::data::Data;
use super::measure::Found;
use super::record::LinearRecord;

fn count(n: usize) -> String {
    grouped(n as u64)
}

/// "error 3.00 %, loss 0.0123"; real labels have a loss alone.
fn measured_text(measured: &Measured) -> String {
    let error = |accuracy: f64| format!("error {}, ", percent_of_errors(1.0 - accuracy));
    format!("{}loss {:.4e}", measured.accuracy.map_or(String::new(), error), measured.loss)
}

/// The last columns of a table.
fn errors(train: &Measured, test: Option<&Measured>) -> String {
    let share = |measured: &Measured| match measured.accuracy {
        Some(accuracy) => percent_of_errors(1.0 - accuracy),
        None => format!("{:.4e}", measured.loss),
    };
    format!("{:>11} {:>11}", share(train), test.map_or("-".to_owned(), share))
}

pub fn text(data: &Data, found: &Found, out: &Path, place: &str) -> String {
    let record = &found.record;
    let mut facts = Facts::default();
    facts.add("sample", format!("{}, {}", record.sample, data.raw.points.describe()));
    facts.add(
        "condition",
        format!(
            "{} (seed {}); {} of {} labels differ from the sample's own",
            record.condition,
            record.seed,
            count(record.changed_labels),
            count(record.points)
        ),
    );
    facts.add("test sample", record.test_sample.as_deref().unwrap_or("none"));
    let bias = if record.bias { ", and a constant 1 for the bias" } else { ", no bias" };
    let constant = match record.constant_coordinates {
        0 => String::new(),
        constant => format!("; {} of them constant", count(constant)),
    };
    let coordinates = count(record.coordinates);
    facts.add("coordinates", format!("{coordinates}{bias}{constant}; {} outputs", record.outputs));
    if let Some(duplicates) = duplicates_text(record) {
        facts.add("duplicates", duplicates);
    }
    let condition = record.condition_number.map_or("-".to_owned(), |x| format!("{x:.4e}"));
    let resolved = format!("singular values below {:.1e} count as 0", record.resolution);
    facts.add("rank", format!("{}; condition {condition} ({resolved})", count(record.rank)));
    let largest = error_size(record.largest_residual);
    facts.add(
        "fit",
        match record.fits {
            true => format!("all {} labels to rounding, largest residual {largest}", count(record.points)),
            false => {
                let none = match &record.exact {
                    Some(exact) if exact.fits => {
                        "a linear model fits, exactly, but none at this resolution (scale the coordinates)"
                    }
                    Some(_) => "no linear model fits",
                    None => "no linear model of this rank fits",
                };
                format!(
                    "{none}: {} labels are missed by the least squares, by at most {largest} ({})",
                    count(record.misfits),
                    misfits_text(record)
                )
            }
        },
    );
    facts.add("norm", format!("{:.6}", record.norm));
    facts.add("training set", measured_text(&record.train));
    if let Some(test) = &record.test {
        facts.add("test set", measured_text(test));
    }
    for descent in &record.descents {
        let last = &descent.last;
        facts.add(
            "descent",
            format!(
                "momentum {}, rate {:.3e}: after {} epochs at distance {} of the closed form, at most {} of the span",
                descent.momentum,
                descent.learning_rate,
                last.epoch,
                error_size(last.distance),
                error_size(last.off_span)
            ),
        );
    }
    if let Some(exact) = &record.exact {
        let descents: Vec<String> = exact.descent_errors.iter().map(|e| error_size(*e)).collect();
        let descents = match descents.as_slice() {
            [] => String::new(),
            several => format!(", of descent {}", several.join(" and ")),
        };
        let fits = if exact.fits { "fits" } else { "does not fit" };
        facts.add(
            "exact",
            format!(
                "rank {}, {fits}; error of the closed form at most {}{descents}",
                count(exact.rank),
                error_size(exact.closed_form_error)
            ),
        );
    }
    let mut text = facts.text().to_owned();
    let of = if record.train.accuracy.is_some() { "error" } else { "loss" };
    let shares = format!("{:>11} {:>11}", format!("train {of}"), format!("test {of}"));
    if !record.interpolants.is_empty() {
        text += &format!(
            "\n{:>10} {:>12} {:>12} {:>12} {:>12} {:>7} {shares}\n",
            "null part", "norm", "Pythagoras", "curvature", "differs by", "flat"
        );
        for one in &record.interpolants {
            text += &format!(
                "{:>10} {:>12.6} {:>12} {:>12.6} {:>12} {:>7} {}\n",
                one.null_share,
                one.norm,
                error_size(one.pythagoras),
                one.curvature.1,
                error_size(one.curvature_difference),
                one.flat_directions,
                errors(&one.train, one.test.as_ref())
            );
        }
    }
    if !record.decay.is_empty() {
        text += &format!("\n{:>10} {:>12} {:>12} {shares}\n", "decay", "norm", "distance");
        for one in &record.decay {
            text += &format!(
                "{:>10.1e} {:>12.6} {:>12} {}\n",
                one.decay,
                one.norm,
                error_size(one.distance),
                errors(&one.train, one.test.as_ref())
            );
        }
    }
    let files = "checkpoint.safetensors, linear.json, descent.csv, decay.csv, descent.png and decay.png (and .svg)";
    text + &format!("\nWritten to {}: {files}, {place}.\n", out.display())
}

fn duplicates_text(record: &LinearRecord) -> Option<String> {
    let of = &record.duplicates;
    let all = of.equal_labels + of.different_labels;
    let conflict = of.first.map_or(String::new(), |(first, second)| {
        format!(
            "; {} of them have another label, point {second} than point {first}: no function fits both",
            count(of.different_labels)
        )
    });
    (all > 0).then(|| format!("{} points equal an earlier one{conflict}", count(all)))
}

/// "points 0, 3, 7, …".
fn misfits_text(record: &LinearRecord) -> String {
    let listed: Vec<String> = record.first_misfits.iter().map(usize::to_string).collect();
    let more = if record.misfits > listed.len() { ", …" } else { "" };
    let s = if record.misfits == 1 { "" } else { "s" };
    format!("point{s} {}{more}", listed.join(", "))
}
