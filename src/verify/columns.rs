//! Rows as CSV: empty cells where there is no number, numbers in the shortest form that reads back
//! as the same binary64 number, checks in columns that bear the names of their proofs.

use super::lemma::Answers;
use super::{CheckedStatement, Deviation, EvenRow, LemmaRow, TheoremRow, VerifyError};

/// A row of a CSV table.
pub(super) trait Columns {
    /// Header and cell of each column.
    fn columns(&self) -> Vec<(String, String)>;
}

/// A table with a header; empty for no rows.
pub(super) fn csv<R: Columns>(rows: &[R]) -> Result<String, VerifyError> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for (i, row) in rows.iter().enumerate() {
        let (header, cells): (Vec<String>, Vec<String>) = row.columns().into_iter().unzip();
        if i == 0 {
            writer.write_record(&header)?;
        }
        writer.write_record(&cells)?;
    }
    let bytes = writer.into_inner().map_err(|error| csv::Error::from(error.into_error()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

pub(super) fn list<const N: usize>(columns: [(&str, String); N]) -> Vec<(String, String)> {
    columns.into_iter().map(|(header, cell)| (header.to_owned(), cell)).collect()
}

fn number(x: Option<f64>) -> String {
    x.map_or_else(String::new, |x| format!("{x:e}"))
}

fn optional<T: ToString>(x: Option<T>) -> String {
    x.map_or_else(String::new, |x| x.to_string())
}

/// The statements that a row of Lemma 1 decides, in the order of the columns.
const CHECKS: [CheckedStatement; 4] = [
    CheckedStatement::Triangular,
    CheckedStatement::FullRank,
    CheckedStatement::MinEigenvalue,
    CheckedStatement::Determinant,
];

impl Columns for LemmaRow {
    fn columns(&self) -> Vec<(String, String)> {
        let holds = |statement: CheckedStatement| {
            self.checks.iter().find(|check| check.0 == statement).and_then(|check| check.1)
        };
        let mut columns = list([
            ("sample", self.sample.clone()),
            ("n", self.n.to_string()),
            ("d", self.d.to_string()),
            ("seed", self.seed.to_string()),
            ("rule", self.rule.clone()),
        ]);
        columns.extend(CHECKS.map(|check| (check.proof().to_owned(), optional(holds(check)))));
        columns.extend(list([
            ("fault", optional(self.fault.as_ref())),
            ("rank_modulo_prime", optional(self.rank)),
            ("lambda_min", number(self.lambda_min)),
            ("log_diagonal", number(self.log_diagonal)),
            ("log_det_bound", number(self.log_det_bound)),
        ]));
        columns.extend(answers("nalgebra", &self.nalgebra));
        columns.extend(answers("lapack", &self.lapack.unwrap_or_default()));
        columns
    }
}

fn answers(library: &str, answers: &Answers) -> Vec<(String, String)> {
    let Answers { det_sign, log_det, log_det_error, sigma_max, sigma_min, .. } = *answers;
    let condition = sigma_max.zip(sigma_min).map(|(max, min)| max / min).filter(|x| x.is_finite());
    [
        ("det_sign", optional(det_sign)),
        ("log_det", number(log_det)),
        ("log_det_error", number(log_det_error)),
        ("sigma_max", number(sigma_max)),
        ("sigma_min", number(sigma_min)),
        ("sigma_rank", optional(answers.sigma_rank)),
        ("condition", number(condition)),
        ("eigenvalue_error", number(answers.eigenvalue_error)),
    ]
    .map(|(header, cell)| (format!("{library}_{header}"), cell))
    .into()
}

impl Columns for EvenRow {
    fn columns(&self) -> Vec<(String, String)> {
        list([
            ("n", self.n.to_string()),
            ("statement", self.statement.proof().to_owned()),
            ("lambda_min", number(Some(self.lambda_min))),
            ("sigma_min", number(self.sigma_min)),
            ("ratio", number(self.ratio)),
            ("condition", number(self.condition)),
        ])
    }
}

impl Columns for TheoremRow {
    fn columns(&self) -> Vec<(String, String)> {
        let (outcome, reason) = match &self.outcome {
            Deviation::Zero => ("zero", ""),
            Deviation::Deviates => ("deviates", ""),
            Deviation::NotFinite => ("not finite", ""),
            Deviation::Refused(reason) => ("refused", reason.as_str()),
        };
        list([
            ("sample", self.sample.clone()),
            ("points", self.points.to_owned()),
            ("n", self.n.to_string()),
            ("d", self.d.to_string()),
            ("rule", self.rule.clone()),
            ("solver", self.solver.clone()),
            ("arithmetic", self.arithmetic.name().to_owned()),
            ("statement", self.statement.proof().to_owned()),
            ("outcome", outcome.to_owned()),
            ("residual", number(self.residual)),
            ("compensated", number(self.compensated)),
            ("evaluated", self.evaluated.to_string()),
            ("promised", optional(self.promised)),
            ("holds", optional(self.holds)),
            ("reason", reason.to_owned()),
        ])
    }
}
