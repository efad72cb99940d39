//! `shatter eval` of a graph, or of layers without the settings of a checkpoint: points go in as they are. What comes
//! out is computed plainly, in the type of the network; whether it fits is decided as `check --network` does.

use serde::Serialize;
use shatter_exact::{Dyadic, Element, Format, Rational};
use shatter_interchange::load::{Loaded, LoadedNetwork};
use shatter_judge::certificate::VerdictCounts;
use shatter_judge::{Effort, Runtime, Walks, verdict};
use shatter_network::reading::{BoundLabels, How};
use shatter_network::{Graph, Reading};
use shatter_plain as plain;
use shatter_sample::RawSample;
use shatter_sample::fingerprint::fingerprint;

use super::super::json::{self, FilePath};
use super::super::output::{Facts, Progress, grouped, operations, print};
use super::super::{Answer, CliError, input, raw_sample, write};
use super::{Arguments, Configuration, EvalRecord, checkpoint};

/// Of a graph, or of layers.
#[derive(Serialize)]
struct GraphFound<'a> {
    points_sha256: String,
    network_sha256: &'a str,
    precision: &'static str,
    /// Points whose label the outputs say as they are computed in this precision.
    as_labelled: usize,
    verdicts: VerdictCounts,
    fits_in_real_arithmetic: usize,
    open_in_real_arithmetic: usize,
}

pub fn run(arguments: &Arguments, loaded: &Loaded) -> Result<Answer, CliError> {
    let progress = Progress::start();
    progress.say("evaluating");
    let (file, text) = (&arguments.network, arguments.sample.as_str());
    let raw = raw_sample(text, arguments.common.seed())?;
    let sample = input::labelled(arguments.labels, &arguments.common, loaded, raw)?;
    let graph = loaded.graph()?;
    let outputs = graph.outputs();
    let otherwise = || Reading::by_outputs(outputs, &sample.labels);
    let chosen = arguments.said.choose(file, loaded.reading.clone(), otherwise)?;
    let said = chosen.bind(file, &sample.labels, outputs)?;
    let undecided = |source| CliError::Judge { file: file.clone(), source: Box::new(source) };
    // Evaluation takes seconds; walks may take minutes.
    let effort = Effort { exact: false, walks: Walks::AtMost(0) };
    let decided = verdict::decide(&graph, &sample.points, &said, Runtime::default(), effort)
        .map_err(undecided)?;
    let plainly = match graph.precision {
        Format::F64 => computed::<f64>(arguments, &graph, &sample, &said)?,
        _ => computed::<f32>(arguments, &graph, &sample, &said)?,
    };
    let n = sample.points.n();
    let judged = &decided.judged;
    let tally = VerdictCounts::of(judged);
    let fits = judged.iter().filter(|one| one.fits == Some(true)).count();
    let open = judged.iter().filter(|one| one.fits.is_none()).count();
    let found = EvalRecord {
        sample: sample.text.clone(),
        points: n,
        found: GraphFound {
            points_sha256: fingerprint(&sample.points),
            network_sha256: &loaded.sha256,
            precision: graph.precision.name(),
            as_labelled: plainly,
            verdicts: tally,
            fits_in_real_arithmetic: fits,
            open_in_real_arithmetic: open,
        },
        reading: chosen.record(outputs),
    };
    let configuration = Configuration {
        network: FilePath::from(file.as_path()),
        labels: arguments.labels.map(|rule| rule.to_string()),
        seed: arguments.common.seed(),
        reading: chosen.reading.how.name(),
        classes: &chosen.reading.classes,
    };
    arguments.common.write("eval", &found, configuration, Some(&sample.text))?;
    drop(progress);
    if arguments.common.json {
        json::print(&found)?;
    } else {
        let number = |n: usize| grouped(n as u64);
        let mut facts = Facts::default();
        facts.add("sample", format!("{}, {}", sample.text, sample.points.describe()));
        facts.add("network", described(loaded, &graph));
        facts.add("reading", chosen.text(&sample.labels, outputs));
        facts.add(
            "computed",
            format!(
                "in {}, {} of {} points as labelled",
                if graph.precision == Format::F64 { "f64" } else { "f32" },
                number(plainly),
                number(n)
            ),
        );
        facts.add(
            "decided",
            format!(
                "{} fit exactly, {} with margin, {} undecided, {} do not fit (shatter check --network \
                 {})",
                number(tally.exact),
                number(tally.margin),
                number(tally.undecided),
                number(tally.misfit),
                if decided.left > 0 {
                    "may decide more, and writes a certificate"
                } else {
                    "writes a certificate"
                }
            ),
        );
        facts.add(
            "",
            format!(
                "in real arithmetic {} of {} fit, {} open",
                number(fits),
                number(n),
                number(open)
            ),
        );
        print(facts.text())?;
    }
    let fitted = match said.how() {
        How::Largest | How::Sign | How::Half => plainly == n,
        How::Value | How::OneHot | How::Bits => tally.exact + tally.margin == n,
    };
    Ok(if fitted { Answer::Yes } else { Answer::No })
}

/// What the network is.
fn described(loaded: &Loaded, graph: &Graph) -> String {
    let (kind, precision) = (loaded.kind.name(), graph.precision);
    match &loaded.body {
        LoadedNetwork::Trained(trained) => format!("{kind}, {precision}, {}", trained.architecture),
        _ => format!("{kind}, {precision}, {}", operations(graph)),
    }
}

/// Points whose label the outputs say, as they are computed in `E`; with `--out`, writes the outputs.
fn computed<E: Element>(
    arguments: &Arguments,
    graph: &Graph,
    sample: &RawSample,
    said: &BoundLabels,
) -> Result<usize, CliError> {
    let n = sample.points.n();
    let points = verdict::inputs(&sample.points, graph.precision, 0..n);
    let points: Vec<E> = points.into_iter().map(E::of).collect();
    let outputs = plain::outputs(graph, &points, n);
    if let Some(out) = &arguments.common.out {
        write(out, "outputs.csv", checkpoint::csv(&sample.labels, &outputs))?;
    }
    let width = graph.outputs().max(1);
    // An output that is not finite says nothing.
    let says = |(i, row): &(usize, &[E])| {
        let exact =
            row.iter().map(|&x| Dyadic::try_from(Element::to_f64(x)).map(|x| x.to_rational()));
        exact.collect::<Result<Vec<Rational>, _>>().is_ok_and(|row| said.says(&row, *i))
    };
    Ok(outputs.chunks(width).enumerate().filter(says).count())
}
