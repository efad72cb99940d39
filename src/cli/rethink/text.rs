//! What `shatter rethink` prints.

use std::fmt::Write as _;

use shatter_measure::contrast::{Apart, median};
use shatter_measure::{Finding, Vacuity};

use crate::measure::text::{NAMES, kind, number, vacuity};
use crate::output::{Facts, percent_of_errors};
use crate::visible;

use super::{Shown, test_error};

impl Shown<'_> {
    /// The errors, the table, and a sentence each.
    pub fn text(&self, groups: &[Vec<Vec<Finding>>]) -> String {
        let Shown { all, conditions, contrasts, classes, setup } = *self;
        let mut facts = Facts::default();
        facts.add("sample", format!("{}, {}", setup.train.text, setup.train.points.describe()));
        facts.add("test sample", setup.test.as_ref().map_or("none", |test| &test.text));
        for twin in all {
            let error =
                |error: Option<f64>| error.map_or_else(|| "–".to_owned(), percent_of_errors);
            let train = twin.summary.train.accuracy.map(|accuracy| 1.0 - accuracy);
            facts.add(
                "",
                format!(
                    "{:<16} seed {:<4} training error {:>8}, test error {:>8}",
                    twin.case.condition.to_string(),
                    twin.case.seed,
                    error(train),
                    error(test_error(&twin.summary))
                ),
            );
        }
        let mut text =
            format!("{}\n{:<NAMES$} {:<8}", facts.text(), "measure (median over seeds)", "kind");
        for condition in conditions {
            let _ = write!(text, " {:>12}", condition.to_string());
        }
        text += "  apart     as a bound\n";
        for one in contrasts {
            let _ = write!(text, "{:<NAMES$} {:<8}", visible::line(&one.name), kind(one.kind));
            for group in groups {
                let value = |run: &Vec<Finding>| {
                    run.iter()
                        .find(|found| found.name == one.name)
                        .map_or(f64::NAN, |found| found.value)
                };
                let values: Vec<f64> = group.iter().map(value).collect();
                let _ = write!(text, " {:>12}", number(median(&values)));
            }
            let apart = match one.apart {
                Apart::Larger => "larger",
                Apart::Smaller => "smaller",
                Apart::Equal => "equal",
                Apart::Mixed => "no",
                Apart::Unknown => "–",
            };
            let bound = match one.vacuous {
                Some(Vacuity { against_one: true, .. }) => "vacuous for both".to_owned(),
                Some(Vacuity { against_chance: true, .. }) => "a guess for both".to_owned(),
                Some(_) => {
                    // Which of them it says something of.
                    let said = one.says.unwrap_or([f64::NAN; 2]);
                    let of = said.map(|says| vacuity(Some(Vacuity::of(says, classes))));
                    format!("true: {}; random: {}", of[0], of[1])
                }
                None => String::new(),
            };
            let _ = writeln!(text, "  {apart:<9} {bound}");
        }
        if let Some(one) = contrasts.iter().find(|one| one.tells_apart()) {
            let _ = writeln!(
                text,
                "\nValues that mean nothing would lie apart with probability at most {}.",
                number(one.by_chance())
            );
        }
        text.push('\n');
        for one in contrasts.iter().filter(|one| one.says.is_some() || one.fails.is_some()) {
            let _ = writeln!(text, "{}", visible::line(&one.sentence()));
        }
        text
    }
}
