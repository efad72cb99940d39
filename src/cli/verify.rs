//! `shatter verify`: Lemma 1 and Theorem 1, numerically.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use crate::manifest::{self, Manifest};
use shatter_figure::{
    Emphasis, FittedFunction, FittedPanel, ResidualFigure, ResidualSeries, ResidualValue,
};
use shatter_verify::{
    self as verify, Deviation, Grid, TheoremArithmetic, TheoremRow, Verification,
};

use super::json::{self, Record};
use super::output::{self, print};
use super::{Answer, CliError, CommonOptions, write, write_figure};

#[derive(Args, Debug, Clone)]
#[command(after_help = "Example:\n  shatter verify --out out/verify\n\n\
    Prints tables; writes verify.json, a CSV file per table, and two figures (SVG and PNG).\n\
    Exit status: 0 if verified, 1 if not.")]
pub struct Arguments {
    /// A small grid that takes a second
    #[arg(long)]
    quick: bool,
    #[command(flatten)]
    pub common: CommonOptions,
}

/// The threshold rules in the order of their colours.
const RULES: [(&str, &str); 3] = [
    ("zigzag", "zigzag: slopes ±S, the labels live in the thresholds"),
    ("data", "data: straight lines between neighbours"),
    ("midpoint", "midpoint: thresholds halfway between neighbours"),
];

pub fn run(arguments: &Arguments) -> Result<Answer, CliError> {
    let grid = if arguments.quick { Grid::quick() } else { Grid::default() };
    let options = Grid { seed: arguments.common.seed(), ..grid };
    let progress = output::Progress::start();
    let report = verify::run(&options, &mut |at| {
        progress.say(format!("{}, n = {} ({} of {})", at.stage, at.n, at.done + 1, at.of));
    })?;
    progress.say("drawing");
    let manifest = Manifest::new(&options);
    // A figure names the command and the commit that drew it.
    let caption = format!(
        "shatter {} · version {} · commit {}",
        command(arguments),
        manifest.version,
        manifest.commit
    );
    let residual = residual_figure(&report, &caption).render()?;
    let fitted = fitted_figure(&report, &caption).render()?;
    let out = arguments.common.out.clone().unwrap_or_else(|| PathBuf::from("out/verify"));
    let out = out.as_path();
    write(out, "lemma.csv", report.lemma_csv()?)?;
    write(out, "even.csv", report.even_csv()?)?;
    write(out, "theorem.csv", report.theorem_csv()?)?;
    write(out, "statements.csv", report.statements_csv()?)?;
    let verdict = report.verdict();
    let statements = report.instances();
    let record = VerifyRecord { verdict: &verdict, statements, report: &report };
    write(out, "verify.json", json::text(&record)?)?;
    write_figure(out, "residual", residual)?;
    write_figure(out, "fitted-function", fitted)?;
    let place = manifest::place(out, "verify");
    manifest.write(&out.join(&place))?;
    drop(progress);
    if arguments.common.json {
        json::print(&record)?;
    } else {
        let files = format!(
            "Written to {}: residual.png and fitted-function.png (and .svg), lemma.csv, even.csv, \
             theorem.csv,\nstatements.csv, verify.json, {place}.\n",
            out.display()
        );
        print(&format!("{}\n{files}", report.table()))?;
    }
    Ok(if verdict.verified { Answer::Yes } else { Answer::No })
}

/// What `--json` prints and `verify.json` holds.
#[derive(Serialize)]
struct VerifyRecord<'a> {
    verdict: &'a verify::Decision,
    statements: Vec<verify::Instances>,
    #[serde(flatten)]
    report: &'a Verification,
}

impl Record for VerifyRecord<'_> {
    const FORMAT: &'static str = "shatter verify 1";
}

/// The command that gives the same report.
fn command(arguments: &Arguments) -> String {
    let quick = if arguments.quick { " --quick" } else { "" };
    format!("verify{quick} --seed {}", arguments.common.seed())
}

fn residual_figure(report: &Verification, caption: &str) -> ResidualFigure {
    let lines = [
        ("gaussian", "structured", TheoremArithmetic::F32, Emphasis::Light, "f32, Gaussian"),
        ("gaussian", "structured", TheoremArithmetic::F64, Emphasis::Heavy, "f64, Gaussian"),
        ("gaussian", "exact", TheoremArithmetic::Exact, Emphasis::Light, "exact, Gaussian"),
        ("lattice", "structured", TheoremArithmetic::F64, Emphasis::Heavy, "f64, integers"),
    ];
    let mut series = Vec::new();
    for (points, solver, arithmetic, weight, words) in lines {
        // On integers only zigzag promises anything in floating point.
        let rules =
            RULES.iter().enumerate().filter(|(_, rule)| points == "gaussian" || rule.0 == "zigzag");
        for (kind, (rule, _)) in rules {
            let wanted = |row: &&TheoremRow| {
                row.points == points
                    && row.solver == solver
                    && row.arithmetic == arithmetic
                    && row.rule == *rule
            };
            let values = report.theorem.iter().filter(wanted).filter_map(value).collect();
            series.push(ResidualSeries { name: format!("{rule}, {words}"), kind, weight, values });
        }
    }
    ResidualFigure {
        title: format!(
            "Theorem 1: residual of the explicit network, d = {}",
            report.options.dimension
        ),
        caption: caption.to_owned(),
        series,
    }
}

fn value(row: &TheoremRow) -> Option<(f64, ResidualValue)> {
    let value = match &row.outcome {
        Deviation::Zero => ResidualValue::Zero,
        Deviation::Deviates => ResidualValue::Positive(row.residual?),
        Deviation::NotFinite => ResidualValue::NotFinite,
        Deviation::Refused(_) => return None,
    };
    Some((row.n as f64, value))
}

fn fitted_figure(report: &Verification, caption: &str) -> FittedFunction {
    let panels = report.fitted.iter().map(|fitted| {
        let kind = RULES.iter().position(|rule| rule.0 == fitted.rule).unwrap_or(0);
        FittedPanel {
            name: RULES[kind].1.to_owned(),
            kind,
            curve: fitted.curve.clone(),
            points: fitted.points.clone(),
        }
    });
    FittedFunction {
        title: format!(
            "Theorem 1: the fitted function on {} Gaussian points",
            report.options.fitted_points
        ),
        caption: caption.to_owned(),
        panels: panels.collect(),
    }
}
