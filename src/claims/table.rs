//! The report as plain text.

use shatter_record::text::{line, wrapped};

use super::catalogue::{FALSE_FORMS, TRUE_FORMS};
use super::claim::{Evidence, Stated};
use super::report::{Finding, Findings};

pub(super) fn report(report: &Findings) -> String {
    let mut out = String::new();
    headline(&mut out, report);
    rows(&mut out, report);
    refutations(&mut out, report);
    verdict(&mut out, report);
    out
}

/// The sentence that the paper is remembered by, in the forms that were tested.
fn headline(out: &mut String, report: &Findings) {
    let of = |forms: &[u32]| -> Vec<&Finding> {
        let row = |number: &u32| report.claims.iter().find(|row| row.number == *number);
        forms.iter().filter_map(row).collect()
    };
    let (yes, no) = (of(TRUE_FORMS), of(FALSE_FORMS));
    if yes.is_empty() && no.is_empty() {
        return;
    }
    line(out, "\"Perfect fit whenever parameters exceed samples\"");
    for (words, rows) in [("true in these forms", yes), ("false in these forms", no)] {
        if rows.is_empty() {
            continue;
        }
        line(out, &format!("  {words}"));
        for row in rows {
            wrapped(out, &format!("    {:>2}  ", row.number), row.statement);
        }
    }
    line(out, "");
}

fn rows(out: &mut String, report: &Findings) {
    let width = report.claims.iter().map(|row| row.name.len()).max().unwrap_or(0);
    line(out, &format!(" no  {:width$}  verdict  evidence     cases  seconds", "claim"));
    for row in &report.claims {
        let evidence = match &row.evidence {
            Evidence::Held { .. } => "held",
            Evidence::Refuted { .. } => "refuted",
            Evidence::Quoted { .. } => "quoted",
            Evidence::Failed { .. } => "FAILED",
        };
        let cases = row.evidence.cases().map_or_else(|| "-".to_owned(), |cases| cases.to_string());
        let seconds = row.time.as_secs_f64();
        line(
            out,
            &format!(
                "{:>3}  {:width$}  {:7}  {evidence:9} {cases:>8} {seconds:>8.2}",
                row.number, row.name, row.verdict
            ),
        );
    }
    line(out, "");
}

fn refutations(out: &mut String, report: &Findings) {
    for row in report.claims.iter().filter(|row| row.verdict != Stated::True) {
        wrapped(out, &format!("{:>3}  ", row.number), row.statement);
        match &row.evidence {
            Evidence::Refuted { witness, checked, certificate, .. } => {
                wrapped(out, "     false: ", witness);
                let proof = certificate
                    .as_ref()
                    .map(|proof| format!("{} (re-checked); ", proof.statement()))
                    .unwrap_or_default();
                wrapped(out, "     checked: ", &format!("{proof}{checked}"));
            }
            Evidence::Quoted { says } => wrapped(out, "     quoted, not tested: ", says),
            Evidence::Held { .. } | Evidence::Failed { .. } => {}
        }
        line(out, "");
    }
}

fn verdict(out: &mut String, report: &Findings) {
    let failed: Vec<&Finding> = report.claims.iter().filter(|row| !row.as_stated).collect();
    if failed.is_empty() {
        line(out, "Verdict: every claim is as stated.");
        return;
    }
    line(out, &format!("Verdict: {} of {} claims fail:", failed.len(), report.claims.len()));
    for row in failed {
        let reason = match &row.evidence {
            Evidence::Failed { reason } => reason.clone(),
            Evidence::Held { cases } => {
                format!("stated as {}, held in {cases} cases", row.verdict)
            }
            Evidence::Refuted { witness, .. } => {
                format!("stated as {}, refuted by {witness}", row.verdict)
            }
            Evidence::Quoted { .. } => format!("stated as {}, not tested", row.verdict),
        };
        wrapped(out, &format!("{:>3}  {}: ", row.number, row.name), &reason);
    }
}
