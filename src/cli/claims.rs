//! `shatter claims`: the catalogue of claims, tested.

use clap::Args;
use serde::Serialize;

use shatter_claims::{self as claims, Claim, catalogue};

use super::json::{self, Record};
use super::output::{self, print};
use super::{Answer, CliError, CommonOptions};

#[derive(Args, Debug, Clone)]
#[command(after_help = "Example:\n  shatter claims --claim zhang-fits --cases 1000\n\n\
    Prints a table and, for every false claim, the witness that refutes it. With --out, writes\n\
    claims.json and claims.manifest.json. Exit status: 0 if every claim is as stated, 1 if not.")]
pub struct Arguments {
    /// Generated cases per property
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..))]
    cases: u32,
    /// Test only this claim, by name or number; may be repeated [default: all]
    #[arg(long, value_name = "NAME")]
    claim: Vec<String>,
    #[command(flatten)]
    pub common: CommonOptions,
}

/// The object that `--json` prints and `claims.json` holds.
impl Record for claims::Findings {
    const FORMAT: &'static str = "shatter claims 1";
}

#[derive(Serialize)]
struct Configuration<'a> {
    cases: u32,
    claims: Vec<&'a str>,
    seed: u64,
}

pub fn run(arguments: &Arguments) -> Result<Answer, CliError> {
    let claims = chosen(&arguments.claim)?;
    let seed = arguments.common.seed();
    let progress = output::Progress::start();
    let report = claims::run(&claims, arguments.cases, seed, &mut |at| {
        progress.say(format!("{} {} ({} of {})", at.number, at.name, at.done + 1, at.of));
    });
    drop(progress);
    let names: Vec<&str> = claims.iter().map(|claim| claim.name).collect();
    let configuration = Configuration { cases: arguments.cases, claims: names, seed };
    arguments.common.write("claims", &report, configuration, None)?;
    if arguments.common.json {
        json::print(&report)?;
    } else {
        print(&report.table())?;
    }
    Ok(if report.as_stated { Answer::Yes } else { Answer::No })
}

/// The claims of these names or numbers, each once, in the order of the catalogue; all if there
/// are none.
fn chosen(names: &[String]) -> Result<Vec<Claim>, CliError> {
    let all = catalogue::all();
    if names.is_empty() {
        return Ok(all);
    }
    let numbers = names.iter().map(|name| {
        catalogue::find(name).map(|claim| claim.number).ok_or_else(|| {
            let list = all.iter().map(|claim| format!("{} {}", claim.number, claim.name));
            let list = list.collect::<Vec<_>>().join("\n  ");
            let name = super::visible::line(name);
            CliError::Listed(format!("no claim is called '{name}'; there are:\n  {list}"))
        })
    });
    let numbers = numbers.collect::<Result<Vec<u32>, CliError>>()?;
    Ok(all.into_iter().filter(|claim| numbers.contains(&claim.number)).collect())
}
