//! What a run found, and the verdict.

use serde::Serialize;

use super::columns::{self, Columns};
use super::{CheckedStatement, EvenRow, Fitted, Grid, LemmaRow, TheoremRow, VerifyError};

/// All rows of a run over a grid.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[must_use]
pub struct Verification {
    /// The grid.
    pub options: Grid,
    /// Lemma 1 over the grid.
    pub lemma: Vec<LemmaRow>,
    /// Lemma 1 on evenly spaced points.
    pub even: Vec<EvenRow>,
    /// Residuals of Theorem 1.
    pub theorem: Vec<TheoremRow>,
    /// Fitted functions on a small sample.
    pub fitted: Vec<Fitted>,
}

/// The decision on all rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[must_use]
pub struct Decision {
    /// No row contradicts its statement, and some row was decided.
    pub verified: bool,
    /// Rows that contradict their statement, each with what is wrong.
    pub failures: Vec<String>,
}

/// Counts of the instances of one statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Instances {
    /// The statement; it is written as the name of its proof.
    pub statement: CheckedStatement,
    /// What it says.
    pub says: &'static str,
    /// Instances in which it holds.
    pub hold: usize,
    /// Instances in which it does not.
    pub fail: usize,
    /// Instances reported without being judged: rounded numbers, or refusals.
    pub reported: usize,
}

impl Verification {
    /// Decides all rows.
    pub fn verdict(&self) -> Decision {
        let because = |fault: &Option<String>| fault.clone().unwrap_or_default();
        let lemma = self.lemma.iter().filter(|row| row.fails());
        let theorem = self.theorem.iter().filter(|row| row.fails());
        let failures: Vec<String> = lemma
            .map(|row| format!("{}: {}", row.name(), because(&row.fault)))
            .chain(theorem.map(|row| {
                let proof = row.statement.proof();
                let why = match (&row.outcome, row.residual) {
                    (super::Deviation::Refused(reason), _) => reason.clone(),
                    (_, Some(residual)) => format!("residual {residual:e}"),
                    (_, None) => "an output is not finite".to_owned(),
                };
                format!("{}: {proof} fails, {why}", row.name())
            }))
            .collect();
        // Fails closed: a statement that was never decided is not verified. (Whether binary64 promises
        // anything depends on the sample.)
        let undecided = self.instances().into_iter().filter(|instances| {
            instances.hold == 0 && instances.statement != CheckedStatement::FloatExact
        });
        let undecided = undecided.map(|i| format!("{} was never decided", i.statement.proof()));
        let failures: Vec<String> = failures.into_iter().chain(undecided).collect();
        Decision { verified: failures.is_empty(), failures }
    }

    /// Returns every statement with the number of its instances.
    #[must_use]
    pub fn instances(&self) -> Vec<Instances> {
        let mut all: Vec<Instances> = CheckedStatement::all()
            .map(|statement| Instances {
                statement,
                says: statement.says(),
                hold: 0,
                fail: 0,
                reported: 0,
            })
            .collect();
        let lemma = self.lemma.iter().flat_map(|row| row.checks.iter().copied());
        let even = self.even.iter().map(|row| (row.statement, None));
        let theorem = self.theorem.iter().map(|row| (row.statement, row.holds));
        for (statement, holds) in lemma.chain(even).chain(theorem) {
            let instances = &mut all[statement as usize];
            match holds {
                Some(true) => instances.hold += 1,
                Some(false) => instances.fail += 1,
                None => instances.reported += 1,
            }
        }
        all
    }

    /// Plain-text tables, at most 100 columns wide.
    #[must_use]
    pub fn table(&self) -> String {
        super::table::report(self)
    }

    /// Lemma 1, one row a matrix, as CSV.
    ///
    /// # Errors
    /// [`VerifyError::Csv`].
    pub fn lemma_csv(&self) -> Result<String, VerifyError> {
        columns::csv(&self.lemma)
    }

    /// Evenly spaced points as CSV.
    ///
    /// # Errors
    /// [`VerifyError::Csv`].
    pub fn even_csv(&self) -> Result<String, VerifyError> {
        columns::csv(&self.even)
    }

    /// Theorem 1, one row a path, as CSV.
    ///
    /// # Errors
    /// [`VerifyError::Csv`].
    pub fn theorem_csv(&self) -> Result<String, VerifyError> {
        columns::csv(&self.theorem)
    }

    /// The statements and their instances as CSV.
    ///
    /// # Errors
    /// [`VerifyError::Csv`].
    pub fn statements_csv(&self) -> Result<String, VerifyError> {
        columns::csv(&self.instances())
    }
}

impl Columns for Instances {
    fn columns(&self) -> Vec<(String, String)> {
        columns::list([
            ("proof", self.statement.proof().to_owned()),
            ("says", self.says.to_owned()),
            ("hold", self.hold.to_string()),
            ("fail", self.fail.to_string()),
            ("reported", self.reported.to_string()),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Deviation, VerifyError, lemma, run};
    use shatter_exact::{Dyadic, Lattice};

    fn quick() -> Verification {
        run(&Grid::quick(), &mut |_| {}).unwrap()
    }

    fn with_threads(threads: usize) -> String {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| serde_json::to_string(&quick()).unwrap())
    }

    #[test]
    fn a_small_grid_is_verified() {
        let report = quick();
        assert_eq!(report.verdict(), Decision { verified: true, failures: vec![] });
        let judged = |statement: CheckedStatement| report.instances()[statement as usize].hold;
        for statement in [
            CheckedStatement::FullRank,
            CheckedStatement::Theorem1,
            CheckedStatement::Zigzag,
            CheckedStatement::FloatExact,
        ] {
            assert!(judged(statement) > 0, "{}", statement.proof());
        }
    }

    #[test]
    fn a_threshold_past_its_point_makes_the_verdict_negative_and_is_named() {
        let mut report = quick();
        let number = |x: i64| Dyadic::from(x);
        let z = Lattice::from_dyadics(&[number(1), number(3), number(5)]);
        let row =
            report.lemma[2].clone().with(lemma::examine(&z, &[number(0), number(4), number(4)]));
        report.lemma[2] = row;
        let verdict = report.verdict();
        assert!(!verdict.verified);
        let name = report.lemma[2].name();
        assert_eq!(
            verdict.failures,
            [format!("{name}: A[1][1] is 0: threshold 1 is not below its point")]
        );
        assert!(report.table().contains("Verdict: not verified. 1 rows fail"));
    }

    #[test]
    fn a_residual_where_none_may_be_makes_the_verdict_negative() {
        let mut report = quick();
        let row = report.theorem.iter_mut().find(|row| row.holds == Some(true)).unwrap();
        (row.holds, row.outcome, row.residual) = (Some(false), Deviation::Deviates, Some(0.5));
        let name = row.name();
        let [failure] = &report.verdict().failures[..] else { panic!() };
        assert!(failure.starts_with(&name) && failure.ends_with("residual 5e-1"));
    }

    #[test]
    fn the_report_does_not_depend_on_the_number_of_threads() {
        assert_eq!(with_threads(1), with_threads(2));
    }

    #[test]
    fn csv_headers_name_the_proofs() {
        let report = quick();
        let lemma = report.lemma_csv().unwrap();
        assert!(lemma.starts_with(
            "sample,n,d,seed,rule,lemma1_triangular,lemma1_full_rank,lemma1_min_eigenvalue,lemma1_det,"
        ));
        assert_eq!(lemma.lines().count(), report.lemma.len() + 1);
        assert!(report.theorem_csv().unwrap().starts_with(
            "sample,points,n,d,rule,solver,arithmetic,statement,outcome,residual,compensated,evaluated,\
             promised,holds,reason\n"
        ));
        assert!(
            report
                .even_csv()
                .unwrap()
                .starts_with("n,statement,lambda_min,sigma_min,ratio,condition\n")
        );
        assert!(report.statements_csv().unwrap().starts_with("proof,says,hold,fail,reported\n"));
    }

    #[test]
    fn tables_are_at_most_100_columns_wide() {
        let mut report = quick();
        report.theorem[0].outcome = Deviation::Refused("a long reason, again and again ".repeat(9));
        let table = report.table();
        let widest = table.lines().max_by_key(|line| line.chars().count()).unwrap();
        assert!(widest.chars().count() <= 100, "{widest}");
    }

    #[test]
    fn a_refusal_is_a_row_with_its_reason() {
        // The first label of this sample is 0, so zigzag's A is singular, as its rule says.
        let report = quick();
        let refused = |row: &&TheoremRow| matches!(row.outcome, Deviation::Refused(_));
        let row = report.theorem.iter().find(refused).unwrap();
        assert_eq!((row.solver.as_str(), row.residual, row.holds), ("nalgebra", None, None));
        let reason = "the nalgebra solver met a zero pivot at row 0";
        assert!(report.table().contains(reason) && report.theorem_csv().unwrap().contains(reason));
    }

    #[test]
    fn impossible_grids_are_refused() {
        let options = Grid { lemma_sizes: vec![], ..Grid::quick() };
        assert!(matches!(
            run(&options, &mut |_| {}),
            Err(VerifyError::EmptyGrid { what: "lemma_sizes" })
        ));
        let options = Grid { dimension: 0, ..Grid::quick() };
        assert!(matches!(run(&options, &mut |_| {}), Err(VerifyError::Zero { what: "dimension" })));
    }
}
