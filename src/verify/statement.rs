//! The statements that the numbers instantiate, and the names of their proofs in `proofs/`.
//!
//! This table is the only place where the names stand.

use serde::Serialize;

/// One machine-checked statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CheckedStatement {
    /// Lemma 1: the shape of A.
    Triangular,
    /// Lemma 1: full rank.
    FullRank,
    /// Lemma 1: the determinant.
    Determinant,
    /// Lemma 1: all eigenvalues.
    Eigenvalues,
    /// Lemma 1: the smallest eigenvalue.
    MinEigenvalue,
    /// Theorem 1.
    Theorem1,
    /// Theorem 1 with zigzag thresholds.
    Zigzag,
    /// When floating point makes no error.
    FloatExact,
}

/// Statement, name of the proof, what it says.
const TABLE: [(CheckedStatement, &str, &str); 8] = [
    (
        CheckedStatement::Triangular,
        "lemma1_triangular",
        "A is lower triangular, its diagonal positive",
    ),
    (CheckedStatement::FullRank, "lemma1_full_rank", "A has rank n"),
    (CheckedStatement::Determinant, "lemma1_det", "det A is the product of the diagonal"),
    (CheckedStatement::Eigenvalues, "lemma1_eigenvalues", "the eigenvalues of A are its diagonal"),
    (
        CheckedStatement::MinEigenvalue,
        "lemma1_min_eigenvalue",
        "the smallest eigenvalue of A is min (z_i - b_i)",
    ),
    (CheckedStatement::Theorem1, "theorem1", "f(x_i) = y_i for all i"),
    (CheckedStatement::Zigzag, "zigzag", "f(x_i) = y_i with weights 1, -2, 2, ..., up to sign"),
    (
        CheckedStatement::FloatExact,
        "float_exact",
        "within its bounds floating point rounds nothing",
    ),
];

impl CheckedStatement {
    /// Every statement, in the order of the table.
    pub fn all() -> impl Iterator<Item = CheckedStatement> {
        TABLE.iter().map(|row| row.0)
    }

    /// The name of the proof.
    ///
    /// ```
    /// use shatter_verify::CheckedStatement;
    /// assert_eq!(CheckedStatement::FullRank.proof(), "lemma1_full_rank");
    /// ```
    #[must_use]
    pub fn proof(self) -> &'static str {
        TABLE[self as usize].1
    }

    /// What it says.
    #[must_use]
    pub fn says(self) -> &'static str {
        TABLE[self as usize].2
    }
}

impl Serialize for CheckedStatement {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.proof())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_variants() {
        for (i, statement) in CheckedStatement::all().enumerate() {
            assert_eq!(statement as usize, i);
        }
    }
}
