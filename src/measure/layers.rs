//! The layers of a perceptron, taken from the graph.
//!
//! ```text
//! h_0 = x,   h_l = φ_l(W_l h_{l−1} + b_l)   (l = 1, …, L),   f(x) = h_L
//! ```
//!
//! W_l is k_l × k_{l−1} with k_0 = d, and φ_l is one activation for the whole layer: the identity, ReLU, or a leaky
//! ReLU of slope at most 1 in absolute value. All of them are positively homogeneous and 1-Lipschitz with φ(0) = 0,
//! which is what the theorems on norms assume.
//!
//! **Rule.** A chain of steps is read as follows; every other graph is refused with the step that is not this.
//!
//! | step | becomes |
//! |---|---|
//! | dense | a layer without activation |
//! | exact units, all with the identity or all with ReLU | a layer |
//! | exact units of both kinds | a layer of ReLU units, an identity unit t as the two units ReLU(t) − ReLU(−t) |
//! | ReLU, leaky ReLU of one slope, clip from 0 to ∞ | the activation of the layer before |
//! | addition of a constant to a layer without bias and activation | its bias |
//! | change of shape; a softmax at the end (its order is that of what it takes) | nothing |
//!
//! **Biases.** The theorems speak of networks without biases. The constant 1 is appended to the point, each layer up
//! to the last one with a bias that is not 0 passes it on, and W̃_l = [W_l b_l; 0 1] has the same outputs: ReLU(1) =
//! 1. [`Perceptron::extended`] is W̃_l.
//!
//! **Fractions** are rounded to nearest, with a relative error of at most 2^-53 each: [`Layer::rounding`] says so,
//! and the norms account for it. A fraction that is no normal binary64 number after rounding is refused.

use shatter_exact::{Dyadic, Rational, bit_length};
use shatter_network::Activation;
use shatter_network::graph::{Affine, Graph, Operator, count};
use shatter_network::layered::Unit;

use crate::MeasureError;

/// Unit roundoff of binary64.
pub(crate) const ROUNDOFF: f64 = f64::EPSILON / 2.0;

/// Most numbers of the layers of a perceptron that are held in binary64, or as fractions.
pub const MOST_NUMBERS: u64 = 1 << 27;
/// Most numbers of a perceptron that are held as fractions.
pub const MOST_FRACTIONS: u64 = 1 << 23;

/// An activation that is positively homogeneous and 1-Lipschitz.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Homogeneous {
    /// t.
    Identity,
    /// max(t, 0).
    Relu,
    /// t where t > 0, and slope · t elsewhere, |slope| <= 1.
    Leaky(f64),
}

/// One layer.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    /// Columns of W.
    pub inputs: usize,
    /// Rows of W.
    pub outputs: usize,
    /// W, outputs × inputs, row by row.
    pub weights: Vec<f64>,
    /// b, one number an output.
    pub bias: Vec<f64>,
    /// φ.
    pub activation: Homogeneous,
    /// Bound on the relative error of each number: 0, or 2^-53 where fractions were rounded.
    pub rounding: f64,
}

impl Layer {
    /// Row j of W.
    pub fn row(&self, j: usize) -> &[f64] {
        &self.weights[j * self.inputs..(j + 1) * self.inputs]
    }

    fn shape(&self) -> String {
        format!("{}×{}", self.outputs, self.inputs)
    }
}

/// Which outputs a perceptron has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outputs {
    /// Those of the network.
    All,
    /// Of a network with two outputs their difference, output 1 minus output 0: its sign is what the largest of two
    /// outputs says. Other networks keep their outputs.
    Difference,
}

/// A perceptron in binary64.
///
/// Layers that are put together by hand must fit one another, which [`Perceptron::check`] decides; measures of others
/// panic.
///
/// ```
/// use shatter_measure::layers::{Outputs, Perceptron};
/// use shatter_network::graph::{Affine, Graph, Operator, Step};
/// let affine = Affine { weights: vec![2.0, -1.0], inputs: 2, outputs: 1, bias: vec![0.5] };
/// let graph = Graph {
///     precision: shatter_exact::Format::F64,
///     input: vec![2],
///     steps: vec![Step::new(Operator::Dense(affine), 0, vec![1])],
/// };
/// let perceptron = Perceptron::of(&graph, Outputs::All)?;
/// assert_eq!(perceptron.layers[0].weights, [2.0, -1.0]);
/// assert_eq!(perceptron.extended(0).entries, [2.0, -1.0, 0.5]);
/// # Ok::<(), shatter_measure::MeasureError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Perceptron {
    /// d.
    pub inputs: usize,
    /// The layers; at least one.
    pub layers: Vec<Layer>,
}

/// A matrix with the constant coordinate.
#[derive(Clone, Debug, PartialEq)]
pub struct Matrix {
    /// Rows.
    pub rows: usize,
    /// Columns.
    pub columns: usize,
    /// rows × columns, row by row.
    pub entries: Vec<f64>,
}

/// A perceptron in fractions: layer by layer and unit by unit, weights and bias. Activations are those of the layers
/// of [`Perceptron::of`].
#[derive(Clone, Debug, PartialEq)]
pub struct ExactPerceptron {
    /// d.
    pub inputs: usize,
    /// The units of each layer.
    pub layers: Vec<Vec<Unit>>,
}

/// A layer as the graph has it.
enum Source<'a> {
    Dense(&'a Affine, Vec<f64>),
    Units(Vec<Unit>),
}

impl Source<'_> {
    fn is_mixed(&self) -> bool {
        matches!(self, Source::Units(units) if mixed(units))
    }
}

struct Raw<'a> {
    /// The step that it is.
    step: usize,
    source: Source<'a>,
    activation: Homogeneous,
    /// True once an activation came, so that no bias may follow.
    closed: bool,
}

fn name(operation: &Operator) -> &'static str {
    match operation {
        Operator::Dense(_) => "dense",
        Operator::Units(_) => "exact units",
        Operator::Convolution(..) => "convolution",
        Operator::Activate(_) => "activation",
        Operator::Leaky(_) => "leaky ReLU",
        Operator::Clip { .. } => "clip",
        Operator::MaxPool(_) => "max pool",
        Operator::MeanPool(..) => "mean pool",
        Operator::GlobalMean => "global mean",
        Operator::Shift { .. } => "shift",
        Operator::Scale { .. } => "scale",
        Operator::Gather { .. } => "gather",
        Operator::Normalize(_) => "batch normalization",
        Operator::Response(_) => "local response normalization",
        Operator::Sum { .. } => "sum",
        Operator::Concatenate(_) => "concatenation",
        Operator::Same => "reshape",
        Operator::Softmax { .. } => "softmax",
    }
}

/// The chain of layers.
fn chain(graph: &Graph) -> Result<Vec<Raw<'_>>, MeasureError> {
    let mut layers: Vec<Raw> = Vec::new();
    let last = graph.steps.len().wrapping_sub(1);
    let mut numbers = 0u64;
    for (index, step) in graph.steps.iter().enumerate() {
        let operation = name(&step.operation);
        let refused = |reason| MeasureError::NotPerceptron { step: index, operation, reason };
        let refuse = |reason| Err(refused(reason));
        if step.on != index {
            return refuse("it reads an earlier value; a perceptron is a chain");
        }
        let mut activate = |activation: Homogeneous| match layers.last_mut() {
            None => Err(refused("an activation before the first affine map")),
            Some(layer) if layer.activation == Homogeneous::Identity && !layer.closed => {
                layer.activation = activation;
                layer.closed = true;
                Ok(())
            }
            // ReLU after ReLU changes nothing, but units of both kinds are not all ReLU units.
            Some(Raw { activation: Homogeneous::Relu, source, .. })
                if activation == Homogeneous::Relu && !source.is_mixed() =>
            {
                Ok(())
            }
            Some(_) => Err(refused("two activations after one affine map")),
        };
        match &step.operation {
            Operator::Dense(affine) => {
                numbers = numbers.saturating_add(affine.weights.len() as u64);
                let bias = match affine.bias.is_empty() {
                    true => vec![0.0; affine.outputs],
                    false => affine.bias.clone(),
                };
                let source = Source::Dense(affine, bias);
                let activation = Homogeneous::Identity;
                layers.push(Raw { step: index, source, activation, closed: false });
            }
            Operator::Units(units) => {
                let width = count(graph.shape(step.on)) as u64;
                numbers = numbers.saturating_add(width.saturating_mul(units.len() as u64));
                layers.push(of_units(units, index)?);
            }
            Operator::Activate(Activation::Identity) | Operator::Same => {}
            Operator::Activate(Activation::Relu) => activate(Homogeneous::Relu)?,
            Operator::Clip { low: 0.0, high: f64::INFINITY } => activate(Homogeneous::Relu)?,
            Operator::Leaky(slopes) => match slopes.split_first() {
                Some((&slope, rest)) if rest.iter().all(|&other| other == slope) => {
                    if slope.is_nan() || slope.abs() > 1.0 {
                        return refuse("a slope above 1; the activation must be 1-Lipschitz");
                    }
                    activate(Homogeneous::Leaky(slope))?;
                }
                _ => return refuse("slopes that differ; a layer has one activation"),
            },
            Operator::Activate(_) | Operator::Clip { .. } => {
                return refuse("it is not positively homogeneous");
            }
            Operator::Shift { negated: false, from, by } => match layers.last_mut() {
                Some(Raw { source: Source::Dense(_, bias), closed: false, .. })
                    if bias.len() == by.len()
                        && bias.iter().all(|&b| b == 0.0)
                        && from.iter().enumerate().all(|(k, &from)| from as usize == k) =>
                {
                    bias.clone_from(by);
                }
                _ => return refuse("only the bias of the affine map before it may be added"),
            },
            Operator::Softmax { .. } if index == last => {}
            Operator::Convolution(..) => {
                return refuse("convolutions share weights; these norms are of dense matrices");
            }
            _ => return refuse("a perceptron has affine maps and activations alone"),
        }
        if numbers > MOST_NUMBERS {
            let (have, limit) = (numbers, MOST_NUMBERS);
            return Err(MeasureError::TooLarge { what: "weights", have, limit });
        }
    }
    if layers.is_empty() { Err(MeasureError::NoLayers) } else { Ok(layers) }
}

fn of_units(units: &[Unit], step: usize) -> Result<Raw<'_>, MeasureError> {
    let has = |activation| units.iter().any(|unit| unit.activation == activation);
    let known = |unit: &Unit| matches!(unit.activation, Activation::Identity | Activation::Relu);
    if !units.iter().all(known) {
        let (operation, reason) = ("exact units", "an activation is not positively homogeneous");
        return Err(MeasureError::NotPerceptron { step, operation, reason });
    }
    let activation = if has(Activation::Relu) { Homogeneous::Relu } else { Homogeneous::Identity };
    // Mixed layers are split when the chain is complete: the next layer must know.
    let closed = has(Activation::Relu);
    Ok(Raw { step, source: Source::Units(units.to_vec()), activation, closed })
}

/// Returns true if some units have the identity and others ReLU.
fn mixed(units: &[Unit]) -> bool {
    let relu = units.iter().filter(|unit| unit.activation == Activation::Relu).count();
    relu > 0 && relu < units.len()
}

/// t = ReLU(t) − ReLU(−t): replaces the identity units of layers that have ReLU units too.
fn split_mixed(layers: &mut [Raw<'_>]) {
    // Which two numbers of the layer before stand for number k; none where it was not split.
    let mut before: Vec<(usize, Option<usize>)> = Vec::new();
    for layer in layers {
        if !before.is_empty() {
            // A dense layer after exact units does not occur in files, but would be legal.
            if let Source::Units(units) = &mut layer.source {
                for unit in units.iter_mut() {
                    let twice = |(from, weight): (usize, Rational)| {
                        let (plus, minus) = before.get(from).copied().unwrap_or((from, None));
                        let minus = minus.map(|minus| (minus, -weight.clone()));
                        [(plus, weight)].into_iter().chain(minus)
                    };
                    unit.weights =
                        std::mem::take(&mut unit.weights).into_iter().flat_map(twice).collect();
                }
            }
        }
        before.clear();
        let Source::Units(units) = &mut layer.source else { continue };
        if !mixed(units) {
            continue;
        }
        let mut split = Vec::with_capacity(units.len() + 1);
        for unit in units.drain(..) {
            let at = split.len();
            if unit.activation == Activation::Relu {
                before.push((at, None));
                split.push(unit);
                continue;
            }
            before.push((at, Some(at + 1)));
            let negated = unit.weights.iter().map(|(from, weight)| (*from, -weight.clone()));
            let minus = Unit::relu(negated, -unit.bias.clone());
            split.push(Unit { activation: Activation::Relu, ..unit });
            split.push(minus);
        }
        *units = split;
    }
}

/// The layers with mixed ones split. Where a split layer is the last, or stands before a dense layer, nothing can
/// undo the split.
fn prepared(graph: &Graph) -> Result<Vec<Raw<'_>>, MeasureError> {
    let mut layers = chain(graph)?;
    for index in 0..layers.len() {
        let undone = matches!(layers.get(index + 1), Some(Raw { source: Source::Units(_), .. }));
        if layers[index].source.is_mixed() && !undone {
            let (operation, reason) = ("exact units", "identity and ReLU units in one layer");
            let step = layers[index].step;
            return Err(MeasureError::NotPerceptron { step, operation, reason });
        }
    }
    split_mixed(&mut layers);
    Ok(layers)
}

/// unit 1 − unit 0.
fn difference(units: &[Unit]) -> Option<Unit> {
    let [zero, one] = units else { return None };
    if [zero, one].iter().any(|unit| unit.activation != Activation::Identity) {
        return None;
    }
    let mut weights = std::collections::BTreeMap::new();
    for (sign, unit) in [(-1, zero), (1, one)] {
        for (from, weight) in &unit.weights {
            let sum: &mut Rational = weights.entry(*from).or_insert(Rational::ZERO);
            *sum += Rational::from(sign) * weight;
        }
    }
    Some(Unit::affine(weights, &one.bias - &zero.bias))
}

impl Perceptron {
    /// The layers of a graph.
    ///
    /// # Errors
    /// [`MeasureError::NotPerceptron`] with the step that is not part of one, [`MeasureError::NoLayers`],
    /// [`MeasureError::NotFinite`], [`MeasureError::Magnitude`], [`MeasureError::TooLarge`].
    pub fn of(graph: &Graph, which: Outputs) -> Result<Perceptron, MeasureError> {
        let raw = prepared(graph)?;
        let inputs = count(&graph.input);
        let mut width = inputs;
        let mut layers = Vec::with_capacity(raw.len());
        let last = raw.len() - 1;
        for (index, Raw { source, activation, .. }) in raw.into_iter().enumerate() {
            let differs = which == Outputs::Difference
                && index == last
                && activation == Homogeneous::Identity;
            let layer = match source {
                Source::Dense(affine, bias) => dense(affine, bias, activation, differs),
                Source::Units(units) => {
                    let one = if differs { difference(&units) } else { None };
                    rounded(&one.map_or(units, |one| vec![one]), width, activation, index)?
                }
            };
            let numbers = || layer.weights.iter().chain(&layer.bias);
            if let Some((index_in, &value)) = numbers().enumerate().find(|(_, x)| !x.is_finite()) {
                return Err(MeasureError::NotFinite { layer: index, index: index_in, value });
            }
            width = layer.outputs;
            layers.push(layer);
        }
        Ok(Perceptron { inputs, layers })
    }

    /// Checks that layers made by hand fit one another.
    ///
    /// # Errors
    /// [`MeasureError::NoLayers`]; [`MeasureError::Length`] for numbers that are not those of the shapes.
    pub fn check(&self) -> Result<(), MeasureError> {
        let same = |what, found, expected| match found == expected {
            true => Ok(()),
            false => Err(MeasureError::Length { what, found, expected }),
        };
        let mut width = self.inputs;
        for layer in &self.layers {
            same("columns of a layer", layer.inputs, width)?;
            let expected = layer.inputs.saturating_mul(layer.outputs);
            same("weights of a layer", layer.weights.len(), expected)?;
            same("biases of a layer", layer.bias.len(), layer.outputs)?;
            width = layer.outputs;
        }
        if self.layers.is_empty() { Err(MeasureError::NoLayers) } else { Ok(()) }
    }

    /// L, the number of affine maps.
    pub fn depth(&self) -> usize {
        self.layers.len()
    }

    /// Number of outputs.
    pub fn outputs(&self) -> usize {
        self.layers.last().map_or(0, |layer| layer.outputs)
    }

    /// Returns true if layer `index` takes the constant: if it or a later layer has a bias that is not 0.
    pub fn takes_constant(&self, index: usize) -> bool {
        self.layers[index..].iter().any(|layer| layer.bias.iter().any(|&b| b != 0.0))
    }

    /// Returns true if layer `index` passes the constant on.
    pub fn passes_constant(&self, index: usize) -> bool {
        index + 1 < self.layers.len() && self.takes_constant(index + 1)
    }

    /// W̃ of layer `index`: the biases as a last column where the constant is taken, and the row (0, …, 0, 1) where
    /// it is passed on.
    ///
    /// # Panics
    /// If there is no such layer.
    pub fn extended(&self, index: usize) -> Matrix {
        self.extended_as(index, self.takes_constant(index), self.passes_constant(index))
    }

    /// The same, with the constant taken and passed on as said: to compare with another network's matrix.
    pub(crate) fn extended_as(&self, index: usize, takes: bool, passes: bool) -> Matrix {
        let layer = &self.layers[index];
        let columns = layer.inputs + usize::from(takes);
        let rows = layer.outputs + usize::from(passes);
        let mut entries = Vec::with_capacity(rows * columns);
        for (j, bias) in layer.bias.iter().enumerate() {
            entries.extend_from_slice(layer.row(j));
            entries.extend(takes.then_some(*bias));
        }
        if passes {
            entries.extend(std::iter::repeat_n(0.0, layer.inputs));
            entries.push(1.0);
        }
        Matrix { rows, columns, entries }
    }

    /// Checks that another perceptron has layers of the same shapes.
    ///
    /// # Errors
    /// [`MeasureError::Start`] with the first layer that differs.
    pub fn same_shape(&self, start: &Perceptron) -> Result<(), MeasureError> {
        let shape =
            |of: &Perceptron, index| of.layers.get(index).map_or("none".into(), Layer::shape);
        let most = self.layers.len().max(start.layers.len());
        match (0..most).find(|&index| shape(self, index) != shape(start, index)) {
            None => Ok(()),
            Some(layer) => Err(MeasureError::Start {
                layer,
                start: shape(start, layer),
                network: shape(self, layer),
            }),
        }
    }
}

fn dense(affine: &Affine, bias: Vec<f64>, activation: Homogeneous, differs: bool) -> Layer {
    let (inputs, outputs) = (affine.inputs, affine.outputs);
    if differs && outputs == 2 {
        // Rounded to nearest: a relative error of at most 2^-53, and none where the result is subnormal.
        let weights = (0..inputs).map(|k| affine.weights[2 * k + 1] - affine.weights[2 * k]);
        let (weights, bias) = (weights.collect(), vec![bias[1] - bias[0]]);
        return Layer { inputs, outputs: 1, weights, bias, activation, rounding: ROUNDOFF };
    }
    let at = |k: usize| affine.weights[k % inputs * outputs + k / inputs];
    let weights = (0..inputs * outputs).map(at).collect();
    Layer { inputs, outputs, weights, bias, activation, rounding: 0.0 }
}

/// Fractions to nearest.
fn rounded(
    units: &[Unit],
    inputs: usize,
    activation: Homogeneous,
    layer: usize,
) -> Result<Layer, MeasureError> {
    let mut rounding = 0.0;
    let mut nearest = |x: &Rational| {
        if x.is_zero() {
            return Ok(0.0);
        }
        let near = x.to_f64().value();
        if !near.is_normal() {
            let bits = |x| bit_length(x) as i64;
            let log2 = bits(x.numerator()) - bits(x.denominator().as_ibig());
            return Err(MeasureError::Magnitude { layer, log2 });
        }
        if Dyadic::try_from(near).is_ok_and(|near| near.to_rational() != *x) {
            rounding = ROUNDOFF;
        }
        Ok(near)
    };
    let mut weights = vec![0.0; units.len() * inputs];
    for (j, unit) in units.iter().enumerate() {
        for (from, weight) in &unit.weights {
            let at = j * inputs + from;
            let into = weights.get_mut(at).filter(|_| *from < inputs);
            *into.ok_or(MeasureError::Length {
                what: "a unit's inputs",
                found: from + 1,
                expected: inputs,
            })? = nearest(weight)?;
        }
    }
    let bias = units.iter().map(|unit| nearest(&unit.bias)).collect::<Result<_, _>>()?;
    Ok(Layer { inputs, outputs: units.len(), weights, bias, activation, rounding })
}

impl ExactPerceptron {
    /// The layers of a graph, in fractions.
    ///
    /// # Errors
    /// As [`Perceptron::of`]; [`MeasureError::TooLarge`] beyond [`MOST_FRACTIONS`] numbers that are not 0.
    pub fn of(graph: &Graph, which: Outputs) -> Result<ExactPerceptron, MeasureError> {
        let raw = prepared(graph)?;
        let last = raw.len() - 1;
        let mut numbers = 0u64;
        let mut layers = Vec::with_capacity(raw.len());
        for (index, Raw { source, activation, .. }) in raw.into_iter().enumerate() {
            let units = match source {
                Source::Units(units) => units,
                Source::Dense(affine, bias) => {
                    fractions(affine, &bias, activation, index, &mut numbers)?
                }
            };
            numbers += units.iter().map(|unit| unit.weights.len() as u64 + 1).sum::<u64>();
            limit(numbers)?;
            let differs = which == Outputs::Difference
                && index == last
                && activation == Homogeneous::Identity;
            let one = if differs { difference(&units) } else { None };
            layers.push(one.map_or(units, |one| vec![one]));
        }
        Ok(ExactPerceptron { inputs: count(&graph.input), layers })
    }
}

fn limit(have: u64) -> Result<(), MeasureError> {
    match have > MOST_FRACTIONS {
        true => Err(MeasureError::TooLarge { what: "fractions", have, limit: MOST_FRACTIONS }),
        false => Ok(()),
    }
}

fn fractions(
    affine: &Affine,
    bias: &[f64],
    activation: Homogeneous,
    layer: usize,
    numbers: &mut u64,
) -> Result<Vec<Unit>, MeasureError> {
    limit(*numbers + affine.weights.iter().filter(|&&w| w != 0.0).count() as u64)?;
    let activation = match activation {
        Homogeneous::Relu => Activation::Relu,
        // The norms of a layer do not depend on its activation.
        Homogeneous::Identity | Homogeneous::Leaky(_) => Activation::Identity,
    };
    let exact = |index: usize, value: f64| {
        let exact = Dyadic::try_from(value).map(|x| x.to_rational());
        exact.map_err(|_| MeasureError::NotFinite { layer, index, value })
    };
    let unit = |j: usize| {
        let mut weights = Vec::new();
        for from in 0..affine.inputs {
            let weight = affine.weights[from * affine.outputs + j];
            if weight != 0.0 {
                weights.push((from, exact(j * affine.inputs + from, weight)?));
            }
        }
        Ok(Unit { weights, bias: exact(affine.weights.len() + j, bias[j])?, activation })
    };
    (0..affine.outputs).map(unit).collect()
}
