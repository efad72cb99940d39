//! What was measured on the test sample, and what theories say of it.

use shatter_figure::rows::{Row, RowsFigure};

use crate::manifest::build;
use crate::output::grouped;

use super::{Shown, Twin, test_error};

impl Shown<'_> {
    /// What was measured and what theories say of it.
    pub fn figure(&self, model: &str, command: &str) -> RowsFigure {
        let Shown { all, conditions, contrasts, classes, setup } = *self;
        let of = |value: &dyn Fn(&Twin) -> Option<f64>| -> Vec<Vec<f64>> {
            let of = |condition| all.iter().filter(move |twin| twin.case.condition == condition);
            conditions.iter().map(|&condition| of(condition).filter_map(value).collect()).collect()
        };
        let measured = Row {
            name: "measured on the test sample".into(),
            values: of(&|twin| test_error(&twin.summary)),
        };
        let theories = contrasts.iter().filter(|one| one.says.is_some()).map(|one| Row {
            name: one.name.clone(),
            values: of(&|twin| twin.findings.iter().find(|found| found.name == one.name)?.says),
        });
        let chance = 1.0 - 1.0 / f64::from(classes.max(1));
        RowsFigure {
            title: format!(
                "What theories promise of {model} on {}, {} points",
                setup.train.text,
                grouped(setup.train.points.n() as u64)
            ),
            kinds: conditions.iter().map(|condition| format!("labels {condition}")).collect(),
            rows: std::iter::once(measured).chain(theories).collect(),
            levels: (vec![chance, 1.0], format!("1, and the error of a guess ({chance:.2})")),
            x: "test error, or what bounds it".into(),
            least: 1e-4,
            note: format!("{command} (commit {})", build().commit),
        }
    }
}
