//! The report as plain text, at most 100 columns wide.

use std::fmt::Write;

use shatter_record::text::{line, wrapped};

use super::lemma::Answers;
use super::{
    CheckedStatement, Deviation, EvenRow, LemmaRow, TheoremArithmetic, TheoremRow, Verification,
};

/// All tables and the verdict.
pub(super) fn report(report: &Verification) -> String {
    let mut out = String::new();
    lemma(&mut out, report);
    even(&mut out, &report.even);
    for points in ["gaussian", "lattice"] {
        theorem(&mut out, report, points);
    }
    statements(&mut out, report);
    verdict(&mut out, report);
    out
}

/// Two digits, or "-".
fn short(x: Option<f64>) -> String {
    x.map_or_else(|| "-".to_owned(), |x| if x == 0.0 { "0".to_owned() } else { format!("{x:.1e}") })
}

fn condition(answers: &Answers) -> Option<f64> {
    Some(answers.sigma_max? / answers.sigma_min?)
}

/// The libraries whose answers can stand in a row of Lemma 1.
type Library = (&'static str, fn(&LemmaRow) -> Option<&Answers>);

fn lemma(out: &mut String, report: &Verification) {
    line(
        out,
        "Lemma 1: A_ij = ReLU(z_i - b_j) for projections z and thresholds b of n Gaussian points",
    );
    line(out, "");
    line(
        out,
        "rule         n  triangular   rank  min eig    det  lambda   sigma  lambda    cond     det     eig",
    );
    line(
        out,
        "                                                      min     min  /sigma           error   error",
    );
    let libraries: [Library; 2] =
        [("nalgebra", |row| Some(&row.nalgebra)), ("LAPACK", |row| row.lapack.as_ref())];
    for (library, answers) in libraries {
        if report.lemma.iter().all(|row| answers(row).is_none()) {
            continue;
        }
        line(out, &format!("-- {library}"));
        let mut groups: Vec<(&str, usize)> = Vec::new();
        for row in &report.lemma {
            let group = (row.rule.as_str(), row.n);
            if !groups.contains(&group) {
                groups.push(group);
            }
        }
        groups.sort_by_key(|group| report.lemma.iter().position(|row| row.rule == group.0));
        for (rule, n) in groups {
            let rows: Vec<&LemmaRow> =
                report.lemma.iter().filter(|row| row.rule == rule && row.n == n).collect();
            line(out, &lemma_group(rule, n, &rows, answers));
        }
    }
    if report.lemma.iter().all(|row| row.lapack.is_none()) {
        line(out, "-- LAPACK: not in this build (--features lapack)");
    }
    line(out, "");
    line(
        out,
        "triangular, rank, min eig, det: samples in which lemma1_triangular, lemma1_full_rank,",
    );
    line(
        out,
        "lemma1_min_eigenvalue (decided exactly) and lemma1_det (pivoted LU, within its rounding",
    );
    line(
        out,
        "bound) hold. The other columns show the sample with the largest condition number: smallest",
    );
    line(
        out,
        "eigenvalue, smallest singular value, their ratio, condition number, |log det by LU - sum of",
    );
    line(
        out,
        "log a_ii|, and the largest relative error of the eigenvalues by a general routine, which shows",
    );
    line(
        out,
        "how badly they are conditioned (lemma1_eigenvalues; \"-\": no convergence; nalgebra's routine",
    );
    line(out, "does not see the triangle, LAPACK's finds it by permuting rows and columns first).");
    line(out, "");
}

fn lemma_group(
    rule: &str,
    n: usize,
    rows: &[&LemmaRow],
    answers: fn(&LemmaRow) -> Option<&Answers>,
) -> String {
    let tally = |statement: CheckedStatement| {
        let of = |row: &&&LemmaRow| row.checks.contains(&(statement, Some(true)));
        format!("{}/{}", rows.iter().filter(of).count(), rows.len())
    };
    let worst = rows
        .iter()
        .filter_map(|row| Some((row, answers(row)?)))
        .max_by(|x, y| condition(x.1).unwrap_or(0.0).total_cmp(&condition(y.1).unwrap_or(0.0)));
    let (lambda, of) = worst.map_or((None, Answers::default()), |(row, of)| (row.lambda_min, *of));
    let ratio = lambda.zip(of.sigma_min).map(|(lambda, sigma)| lambda / sigma);
    format!(
        "{rule:9}{n:>5}  {:>10} {:>6}  {:>7} {:>6}{:>8}{:>8}{:>8}{:>8}{:>8}{:>8}",
        tally(CheckedStatement::Triangular),
        tally(CheckedStatement::FullRank),
        tally(CheckedStatement::MinEigenvalue),
        tally(CheckedStatement::Determinant),
        short(lambda),
        short(of.sigma_min),
        short(ratio),
        short(condition(&of)),
        short(of.log_det_error),
        short(of.eigenvalue_error),
    )
}

fn even(out: &mut String, rows: &[EvenRow]) {
    line(out, "Lemma 1, evenly spaced points, midpoint thresholds: A is not normal");
    line(out, "");
    line(out, "      n   lambda min    sigma min   lambda/sigma    condition");
    for row in rows {
        let fixed = |x: Option<f64>| x.map_or_else(|| "-".to_owned(), |x| format!("{x:.1}"));
        let sigma = row.sigma_min.map_or_else(|| "-".to_owned(), |x| format!("{x:.3e}"));
        line(
            out,
            &format!(
                "{:>7}   {:>10} {sigma:>12}   {:>12} {:>12}",
                row.n,
                row.lambda_min,
                fixed(row.ratio),
                short(row.condition)
            ),
        );
    }
    line(out, "");
    line(
        out,
        "The smallest eigenvalue (lemma1_min_eigenvalue) does not depend on n. The smallest singular",
    );
    line(out, "value, which bounds the weights by |w| <= |y|/sigma, falls like 1/n.");
    line(out, "");
}

/// A column of the residual table: two header lines, and which row stands in it.
struct Path {
    solver: &'static str,
    shown: &'static str,
    arithmetic: TheoremArithmetic,
    compensated: bool,
}

const fn path(
    solver: &'static str,
    shown: &'static str,
    arithmetic: TheoremArithmetic,
    compensated: bool,
) -> Path {
    Path { solver, shown, arithmetic, compensated }
}

const PATHS: [Path; 8] = [
    path("nalgebra", "nalgebra", TheoremArithmetic::F64, false),
    path("lapack", "lapack", TheoremArithmetic::F64, false),
    path("structured", "struct.", TheoremArithmetic::F64, false),
    path("structured", "compens.", TheoremArithmetic::F64, true),
    path("exact", "exact", TheoremArithmetic::F64, false),
    path("nalgebra", "nalgebra", TheoremArithmetic::F32, false),
    path("structured", "struct.", TheoremArithmetic::F32, false),
    path("exact", "exact", TheoremArithmetic::Exact, false),
];

fn theorem(out: &mut String, report: &Verification, points: &str) {
    let rows: Vec<&TheoremRow> = report.theorem.iter().filter(|row| row.points == points).collect();
    let of = |path: &Path, row: &TheoremRow| {
        row.solver == path.solver && row.arithmetic == path.arithmetic
    };
    let paths: Vec<&Path> =
        PATHS.iter().filter(|path| rows.iter().any(|row| of(path, row))).collect();
    let title = match points {
        "gaussian" => "Gaussian points, standard normal labels".to_owned(),
        _ => format!("integer points 0..{}, random classes as labels", report.options.range),
    };
    let d = report.options.dimension;
    line(out, &format!("Theorem 1: largest |f(x_i) - y_i|, {title}, d = {d}"));
    line(out, "");
    let headers = |cell: &dyn Fn(&Path) -> String| {
        paths.iter().map(|path| format!("{:>9}", cell(path))).collect::<String>()
    };
    line(out, &format!("rule            n{}  points", headers(&|path| path.shown.to_owned())));
    line(
        out,
        &format!(
            "                 {}  evaluated",
            headers(&|path| path.arithmetic.name().to_owned())
        ),
    );
    let mut notes: Vec<String> = Vec::new();
    let mut keys: Vec<(&str, usize)> = rows.iter().map(|row| (row.rule.as_str(), row.n)).collect();
    keys.dedup();
    let first = |rule: &str| rows.iter().position(|row| row.rule == rule);
    keys.sort_by_key(|key| first(key.0));
    for (rule, n) in keys {
        let group: Vec<&&TheoremRow> =
            rows.iter().filter(|row| row.rule == rule && row.n == n).collect();
        let mut text = format!("{rule:9}{n:>8}");
        for path in &paths {
            let cell = match group.iter().find(|row| of(path, row)) {
                Some(row) => residual(row, path.compensated, &mut notes),
                None => "-".to_owned(),
            };
            let _ = write!(text, "{cell:>9}");
        }
        let evaluated = group.iter().filter(|row| row.arithmetic != TheoremArithmetic::Exact);
        let evaluated = evaluated.map(|row| row.evaluated).max().unwrap_or(0);
        line(
            out,
            &format!(
                "{text}  {}",
                if evaluated == n { "all".to_owned() } else { evaluated.to_string() }
            ),
        );
    }
    line(out, "");
    line(
        out,
        "Columns: how Aw = y was solved, and the arithmetic in which f was evaluated, every unit at",
    );
    line(
        out,
        "every point. 0 is exactly 0. compens.: the structured network, summed in twice the precision.",
    );
    line(
        out,
        "exact f64: exact weights rounded once. exact: no tolerance, all points (theorem1, zigzag).",
    );
    if points == "lattice" {
        line(out, "*: the bounds of float_exact hold, so the residual must be 0, and is judged.");
    }
    let limits = report.options.limits;
    line(
        out,
        &format!(
            "-: not run; dense solvers to n = {}, f32 to {}, exact midpoint to {}, exact data to {}.",
            limits.dense, limits.single, limits.exact_midpoint, limits.exact_data
        ),
    );
    for (i, note) in notes.iter().enumerate() {
        wrapped(out, &format!("({}) ", i + 1), note);
    }
    line(out, "");
}

/// A cell; refusals become notes.
fn residual(row: &TheoremRow, compensated: bool, notes: &mut Vec<String>) -> String {
    let star = if row.promised == Some(true) && !compensated { "*" } else { "" };
    match &row.outcome {
        Deviation::Refused(reason) => {
            let note = format!("n = {}: {reason}", row.n);
            let at = notes.iter().position(|known| *known == note).unwrap_or_else(|| {
                notes.push(note);
                notes.len() - 1
            });
            format!("({})", at + 1)
        }
        Deviation::NotFinite => "inf/NaN".to_owned(),
        _ if compensated => short(row.compensated),
        _ => format!("{}{star}", short(row.residual)),
    }
}

fn statements(out: &mut String, report: &Verification) {
    line(out, "Statements, by the names of their proofs in proofs/");
    line(out, "");
    line(out, "proof                   hold  fail  reported  says");
    for instances in report.instances() {
        line(
            out,
            &format!(
                "{:22} {:>5} {:>5} {:>9}  {}",
                instances.statement.proof(),
                instances.hold,
                instances.fail,
                instances.reported,
                instances.says
            ),
        );
    }
    line(out, "");
    line(out, "reported: numbers of floating point for which nothing is promised, and refusals.");
    line(out, "");
}

fn verdict(out: &mut String, report: &Verification) {
    let verdict = report.verdict();
    match (verdict.verified, verdict.failures.is_empty()) {
        (true, _) => line(out, "Verdict: verified. Every exact statement holds in every row."),
        (false, true) => line(out, "Verdict: not verified. No statement could be decided."),
        (false, false) => {
            line(out, &format!("Verdict: not verified. {} rows fail:", verdict.failures.len()));
            verdict.failures.iter().for_each(|failure| wrapped(out, "  ", failure));
        }
    }
}
