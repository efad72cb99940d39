//! Weights for an architecture, from any file whose layers are its own.

use std::path::Path;

use crate::InterchangeError;
use crate::array::{fits, is_perceptron};
use shatter_exact::{Dyadic, Element, Rational};
use shatter_network::architecture::{Architecture, Layer, Parameter};
use shatter_network::graph::{self, Affine, Operator};
use shatter_network::reading::ReadingError;
use shatter_network::{ExactNetwork, Graph, Layered, Network, Reading};
use shatter_train::Identity;

use super::{Content, LoadError, LoadOptions, contents, explicit, reading, trained};

/// The arrays of an architecture, from a file.
#[derive(Clone, Debug)]
pub struct Weights<E> {
    /// The arrays in the order of [`Architecture::arrays`], rounded to `E`.
    pub arrays: Vec<(Parameter, Vec<E>)>,
    /// The encoding of labels that the file names; an error where names of classes were lost or cannot be read.
    pub reading: Result<Option<Reading>, ReadingError>,
}

/// The arrays of `architecture`.
///
/// Arrays must have PyTorch's names and shapes. The layers of a graph or of an explicit network must be those of
/// the architecture, one after the other: where a normalization was folded into a convolution, they are not.
///
/// # Errors
/// [`LoadError`]; [`LoadError::Layers`], [`LoadError::Missing`], [`LoadError::Shape`] and [`LoadError::Excess`]
/// for a network of another architecture.
pub fn weights<E: Element>(
    path: &Path,
    architecture: &Architecture,
) -> Result<Weights<E>, LoadError> {
    let (arrays, reading) = wide(path, architecture)?;
    let mut rounded = Vec::with_capacity(arrays.len());
    for (array, values) in arrays {
        let numbers: Vec<E> = values.iter().map(|&x| E::of(x)).collect();
        if let Some(index) = numbers.iter().position(|x| !x.is_finite()) {
            let source = InterchangeError::Entry {
                array: array.name,
                index,
                value: values[index].to_string(),
                reason: format!("is not finite in {}", E::NAME),
            };
            return Err(LoadError::Content { file: path.to_owned(), source: Box::new(source) });
        }
        rounded.push((array, numbers));
    }
    Ok(Weights { arrays: rounded, reading })
}

/// The arrays in binary64, and the reading of the file.
type Wide = (Vec<(Parameter, Vec<f64>)>, Result<Option<Reading>, ReadingError>);

fn wide(path: &Path, architecture: &Architecture) -> Result<Wide, LoadError> {
    let refuse = |source| LoadError::Content { file: path.to_owned(), source: Box::new(source) };
    let wanted = architecture
        .arrays()
        .map_err(|source| LoadError::Architecture { file: path.to_owned(), source })?;
    let layers = |reason: String| LoadError::Layers {
        file: path.to_owned(),
        wanted: architecture.to_string(),
        reason,
    };
    // The words keep checkpoints from being read as such: their arrays alone are of interest.
    let words = LoadOptions { architecture: Some(""), ..LoadOptions::default() };
    let (content, about) = contents(path, &words)?;
    Ok(match content {
        Content::Arrays(_, mut arrays) => {
            let reading =
                match arrays.metadata.get("settings").and_then(|text| Identity::parse(text).ok()) {
                    Some(identity) => identity.reading(),
                    None => reading(&arrays.metadata),
                };
            let filled = match explicit::network(&arrays, about.bytes).map_err(refuse)? {
                Some(network) => of_explicit(&network, architecture, wanted).map_err(layers)?,
                None => trained::take(path, &mut arrays, architecture)?.0,
            };
            (filled, reading)
        }
        Content::Text(file) => {
            (of_explicit(&file.network, architecture, wanted).map_err(layers)?, file.reading())
        }
        Content::Graph(graph, texts) => {
            let filled = of_graph(&graph, architecture, wanted).map_err(layers)?;
            (filled, Reading::from_metadata(&texts))
        }
        Content::Checkpoint(held, _) => (held.arrays, Ok(None)), // not with words
    })
}

/// The arrays of dense layers with ReLU between them; the reason, if the network is something else.
fn of_explicit(
    network: &Network,
    architecture: &Architecture,
    wanted: Vec<Parameter>,
) -> Result<Vec<(Parameter, Vec<f64>)>, String> {
    fits(network, false).map_err(|error| error.to_string())?;
    let layered;
    let network = match network {
        Network::TwoLayer(two) => {
            layered = ExactNetwork::to_layered(two);
            &layered
        }
        Network::Layered(layered) => layered,
    };
    if !is_perceptron(network) {
        return Err("its units are not ReLU below affine outputs".to_owned());
    }
    let passes = |layer: &&Layer| !matches!(layer, Layer::Flatten | Layer::Dropout { .. });
    let layers: Vec<&Layer> = architecture.layers.iter().filter(passes).collect();
    let dense = layers.iter().step_by(2).all(|layer| matches!(layer, Layer::Dense { .. }));
    let relu = layers.iter().skip(1).step_by(2).all(|layer| matches!(layer, Layer::Relu));
    if !dense || !relu || layers.len() != 2 * network.hidden.len() + 1 {
        return Err(format!("it is {}", described(network)));
    }
    if architecture.input.len() != network.inputs {
        return Err(format!(
            "it takes {} numbers, not {}",
            network.inputs,
            architecture.input.len()
        ));
    }
    let (mut inputs, mut filled) = (network.inputs, Vec::new());
    let mut parameters = wanted.into_iter();
    for units in network.layers() {
        let (Some(weight), Some(bias)) = (parameters.next(), parameters.next()) else {
            return Err("arrays are missing".to_owned());
        };
        if weight.shape != [units.len(), inputs] {
            return Err(format!("it is {}", described(network)));
        }
        let mut values = vec![0.0; units.len() * inputs];
        for (row, unit) in units.iter().enumerate() {
            for (from, number) in &unit.weights {
                values[row * inputs + from] += nearest(number);
            }
        }
        filled.push((weight, values));
        filled.push((bias, units.iter().map(|unit| nearest(&unit.bias)).collect()));
        inputs = units.len();
    }
    Ok(filled)
}

fn nearest(x: &Rational) -> f64 {
    match Dyadic::from_rational(x) {
        Some(x) => x.round_f64(),
        None => x.to_f64().value(),
    }
}

/// Widths from inputs to outputs.
fn described(network: &Layered) -> String {
    let widths = network.layers().take(8).map(|units| format!("-{}", units.len()));
    let more = if network.hidden.len() >= 8 { "-…" } else { "" };
    format!(
        "dense layers {}{}{more} with ReLU between them",
        network.inputs,
        widths.collect::<String>()
    )
}

/// The arrays of the graph's layers; the reason, if they are not those of the architecture.
///
/// The graph is walked beside that of the architecture, from the outputs backwards.
fn of_graph(
    graph: &Graph,
    architecture: &Architecture,
    wanted: Vec<Parameter>,
) -> Result<Vec<(Parameter, Vec<f64>)>, String> {
    let empty = |array: Parameter| {
        let zeros = vec![0.0; array.len() as usize];
        (array, zeros)
    };
    let mut filled: Vec<(Parameter, Vec<f64>)> = wanted.into_iter().map(empty).collect();
    let model = graph::trained::graph(architecture, &filled, graph.precision)
        .map_err(|error| error.to_string())?;
    if graph::count(&graph.input) != graph::count(&model.input) {
        let sides = graph::sides;
        return Err(format!("it takes {}, not {}", sides(&graph.input), sides(&model.input)));
    }
    // The first array of each step of the model.
    let mut next = 0;
    let first: Vec<usize> = model
        .steps
        .iter()
        .map(|step| {
            let at = next;
            next += match step.operation {
                Operator::Dense(_) | Operator::Convolution(..) => 2,
                Operator::Normalize(_) => 4,
                _ => 0,
            };
            at
        })
        .collect();
    let mut met: Vec<Option<usize>> = vec![None; model.steps.len() + 1];
    let mut pairs = vec![(model.steps.len(), graph.steps.len())];
    while let Some((own, other)) = pairs.pop() {
        let (own, other) = (past(&model, own), past(graph, other));
        match met[own] {
            Some(seen) if seen == other => continue,
            Some(_) => return Err("a value that is read twice is two values there".to_owned()),
            None => met[own] = Some(other),
        }
        let (Some(step), Some(at)) = (own.checked_sub(1), other.checked_sub(1)) else {
            if own == other {
                continue;
            }
            return Err("it has more or fewer layers".to_owned());
        };
        let (ours, theirs) = (&model.steps[step], &graph.steps[at]);
        let differs = || {
            format!(
                "operation {at} is {}, {} is expected",
                name(&theirs.operation),
                name(&ours.operation)
            )
        };
        let arrays = first[step];
        match (&ours.operation, &theirs.operation) {
            (Operator::Dense(own), Operator::Shift { negated: false, by, .. }) => {
                // A product, and the bias added.
                let product = past(graph, theirs.on).checked_sub(1).map(|at| &graph.steps[at]);
                let Some(Operator::Dense(affine)) = product.map(|step| &step.operation) else {
                    return Err(differs());
                };
                if !affine.bias.is_empty() || by.len() != own.outputs {
                    return Err(differs());
                }
                fill(&mut filled[arrays..], own, affine, by).ok_or_else(differs)?;
                pairs.push((ours.on, product.map_or(0, |step| step.on)));
                continue;
            }
            (Operator::Dense(own), Operator::Dense(affine)) => {
                fill(&mut filled[arrays..], own, affine, &affine.bias).ok_or_else(differs)?;
            }
            (Operator::Convolution(own, window), Operator::Convolution(affine, theirs))
                if window == theirs =>
            {
                fill(&mut filled[arrays..], own, affine, &affine.bias).ok_or_else(differs)?;
            }
            (Operator::Normalize(own), Operator::Normalize(there)) => {
                if own.epsilon as f32 != there.epsilon as f32
                    || own.scale.len() != there.scale.len()
                {
                    return Err(differs());
                }
                let values = [&there.scale, &there.shift, &there.mean, &there.variance];
                for (array, values) in filled[arrays..].iter_mut().zip(values) {
                    array.1.clone_from(values);
                }
            }
            (Operator::Concatenate(own), Operator::Concatenate(there))
                if own.len() == there.len() =>
            {
                pairs.extend(own.iter().copied().zip(there.iter().copied()));
            }
            (own, there) if same(own, there) => {}
            _ => return Err(differs()),
        }
        pairs.push((ours.on, theirs.on));
    }
    Ok(filled)
}

/// The value, or the one that it is in another shape.
fn past(graph: &Graph, mut value: usize) -> usize {
    while let Some(step) = value.checked_sub(1).map(|at| &graph.steps[at])
        && matches!(step.operation, Operator::Same)
    {
        value = step.on;
    }
    value
}

/// Weight and bias in PyTorch's order; `None` if they are of another shape.
fn fill(
    arrays: &mut [(Parameter, Vec<f64>)],
    own: &Affine,
    there: &Affine,
    bias: &[f64],
) -> Option<()> {
    let (inputs, outputs) = (own.inputs, own.outputs);
    let [(_, weight), (_, biases), ..] = arrays else { return None };
    if (there.inputs, there.outputs) != (inputs, outputs) {
        return None;
    }
    let at = |k: usize| there.weights[k % inputs * outputs + k / inputs];
    *weight = (0..inputs * outputs).map(at).collect();
    *biases = if bias.is_empty() { vec![0.0; outputs] } else { bias.to_vec() };
    Some(())
}

/// Whether two operations without parameters are the same. ONNX holds constants in binary32.
fn same(own: &Operator, there: &Operator) -> bool {
    match (own, there) {
        (Operator::Activate(own), Operator::Activate(there)) => own == there,
        (Operator::MaxPool(own), Operator::MaxPool(there)) => own == there,
        (Operator::MeanPool(own, counts), Operator::MeanPool(there, also)) => {
            let padded = own.before != (0, 0) || own.after != (0, 0);
            own == there && (!padded || counts == also)
        }
        (Operator::GlobalMean, Operator::GlobalMean) => true,
        (Operator::Response(own), Operator::Response(there)) => {
            let of = |by: &graph::Response| {
                let (size, alpha, beta, k) = by.constants();
                (size, alpha as f32, beta as f32, k as f32)
            };
            of(own) == of(there) && own.near(1 << 20, 1 << 21) == there.near(1 << 20, 1 << 21)
        }
        _ => false,
    }
}

/// An operation, in a word.
fn name(operation: &Operator) -> &'static str {
    match operation {
        Operator::Dense(_) => "a dense layer",
        Operator::Units(_) => "a layer of exact units",
        Operator::Convolution(..) => "a convolution",
        Operator::Activate(_) => "an activation",
        Operator::Leaky(_) => "a leaky ReLU",
        Operator::Clip { .. } => "a clip",
        Operator::MaxPool(_) => "max-pooling",
        Operator::MeanPool(..) => "mean-pooling",
        Operator::GlobalMean => "global mean-pooling",
        Operator::Shift { .. } => "an addition of constants",
        Operator::Scale { .. } => "a product with constants",
        Operator::Gather { .. } => "a rearrangement",
        Operator::Normalize(_) => "a batch normalization",
        Operator::Response(_) => "a response normalization",
        Operator::Sum { .. } => "a sum of values",
        Operator::Concatenate(_) => "a concatenation",
        Operator::Softmax { .. } => "a softmax",
        Operator::Same => "nothing",
    }
}
