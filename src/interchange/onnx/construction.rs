//! Constructions as ONNX graphs that keep the order of operations of which the float-exactness
//! bounds speak ([`float_exact`](shatter_network::float_exact)).
//!
//! A two-layer network is *project, subtract thresholds, ReLU, weigh*:
//!
//! ```text
//! x (batch × d) → MatMul a (d × 1) → Sub b (1 × m) → Relu → MatMul w (m × 1) → Add c → y (batch × 1)
//! ```
//!
//! A layered network is, a layer, MatMul W (inputs × units), Add v, and the activation; units of
//! different activations in one layer are computed apart and concatenated. Where all units of a group
//! read the layer before with the same weights (a direction), it is projected on once, as above.
//!
//! The bounds hold for every order of a sum, fused or not, bias first or last. A runtime may therefore
//! block its products and fuse MatMul with Add; nothing here can be refactored as (Σw)·x − Σwb by a
//! runtime that only fuses and folds constants, since a ReLU stands between.
//!
//! ONNX Runtime leaves out an Add or Sub of a constant of one number that binary32 takes for zero,
//! whatever its type (NoopElimination). Such a constant is added by Sum, which does the same and is not left out.
//!
//! | activation | nodes |
//! |---|---|
//! | identity, ReLU | –, Relu |
//! | threshold | Greater 0, Cast |
//! | square | Mul |
//! | reciprocal | Equal 0, Div 1 by, Where |
//! | softsign | Abs, Add 1, Div |
//! | sine | Floor; positive where t is no integer and its floor is even |

use crate::array::{MOST_NUMBERS, Sparse, fits, two_layer as parts};
use crate::number::{Converter, Floats};
use crate::{ExactArray, InterchangeError};
use shatter_exact::Format;
use shatter_network::layered::{Layered, Unit};
use shatter_network::{Activation, ExactNetwork, Network};

use super::graph::{Builder, Value, element_type};
use super::left_out;
use super::message::data_type;

/// Adds the graph of `network`, from `x` to `y`.
pub fn build(
    network: &Network,
    precision: Format,
    numbers: &mut Converter,
) -> Result<Builder, InterchangeError> {
    let mut graph = Builder::new("construction");
    let element = element_type(precision);
    graph.input("x", element, &[network.inputs()]);
    match network {
        Network::TwoLayer(two) => {
            fits(network, false)?;
            two_layer(&mut graph, two, numbers)?;
        }
        Network::Layered(layered) => {
            Layers { graph: &mut graph, precision, numbers, held: 0 }.all(layered)?;
        }
    }
    graph.output("y", element, &[network.outputs()]);
    Ok(graph)
}

fn two_layer(
    graph: &mut Builder,
    network: &ExactNetwork,
    numbers: &mut Converter,
) -> Result<(), InterchangeError> {
    let (d, m) = (network.d(), network.units());
    let (mut threshold, mut minus, mut offset) = ("b", "Sub", "Add");
    for ExactArray { name, shape, values } in parts(network) {
        let sides = match (name.as_str(), shape.as_slice()) {
            ("a", _) => vec![d, 1],
            ("b", _) => vec![1, m],
            ("w", _) => vec![m, 1],
            _ => vec![1],
        };
        let held = numbers.numbers(&name, values)?;
        match (name.as_str(), vanish(&held)) {
            ("b", true) => {
                (threshold, minus) = ("minus_b", "Sum");
                graph.constant(threshold, &sides, &negated(held));
                continue;
            }
            ("c", true) => offset = "Sum",
            _ => {}
        }
        graph.constant(&name, &sides, &held);
    }
    graph.node("MatMul", &["x", "a"], "projection");
    graph.node(minus, &["projection", threshold], "argument");
    graph.node("Relu", &["argument"], "unit");
    graph.node("MatMul", &["unit", "w"], "sum");
    graph.node(offset, &["sum", "c"], "y");
    Ok(())
}

/// Whether a runtime may leave out the addition of these numbers.
fn vanish(numbers: &Floats) -> bool {
    match numbers {
        Floats::Single(numbers) => matches!(numbers[..], [x] if left_out(f64::from(x))),
        Floats::Double(numbers) => matches!(numbers[..], [x] if left_out(x)),
    }
}

fn negated(numbers: Floats) -> Floats {
    match numbers {
        Floats::Single(numbers) => Floats::Single(numbers.into_iter().map(|x| -x).collect()),
        Floats::Double(numbers) => Floats::Double(numbers.into_iter().map(|x| -x).collect()),
    }
}

/// The layers of a network as they are added.
struct Layers<'a> {
    graph: &'a mut Builder,
    precision: Format,
    numbers: &'a mut Converter,
    /// Numbers of weights so far.
    held: usize,
}

impl Layers<'_> {
    fn all(&mut self, network: &Layered) -> Result<(), InterchangeError> {
        let mut before = "x".to_owned();
        // Where the graph has number k of the layer before.
        let mut place: Vec<usize> = (0..network.inputs).collect();
        let depth = network.hidden.len();
        for (layer, units) in network.layers().enumerate() {
            let last = layer == depth;
            let groups = grouped(units, last);
            let mut parts = Vec::new();
            let mut next = vec![0; units.len()];
            let mut filled = 0;
            for (activation, members) in &groups {
                let name = format!("layer{layer}_{activation}{}", parts.len());
                parts.push(self.group(&name, &before, units, members, &place, *activation)?);
                for &unit in members {
                    next[unit] = filled;
                    filled += 1;
                }
            }
            let names: Vec<&str> = parts.iter().map(String::as_str).collect();
            let output = if last { "y".to_owned() } else { format!("layer{layer}") };
            before = match names.as_slice() {
                [] => return Err(InterchangeError::EmptyLayer { layer }),
                [one] if last => self.graph.node("Identity", &[one], &output),
                [one] => (*one).to_owned(),
                several => {
                    let axis = [("axis", Value::Int(1))];
                    self.graph.node_with("Concat", several, &output, &axis)
                }
            };
            place = next;
        }
        Ok(())
    }

    /// Units of one activation; the name of their values.
    fn group(
        &mut self,
        name: &str,
        before: &str,
        units: &[Unit],
        members: &[usize],
        place: &[usize],
        activation: Activation,
    ) -> Result<String, InterchangeError> {
        let (inputs, width) = (place.len(), members.len());
        let first = &units[members[0]].weights;
        let shared = width > 1 && members.iter().all(|&unit| units[unit].weights == *first);
        let columns = if shared { 1 } else { width };
        let size = inputs.saturating_mul(columns);
        self.held = self.held.saturating_add(size);
        if self.held > MOST_NUMBERS {
            return Err(InterchangeError::TooManyInAll { most: MOST_NUMBERS });
        }
        let mut weights = Sparse::default();
        for (column, &unit) in members.iter().take(columns).enumerate() {
            for (from, weight) in &units[unit].weights {
                weights.add(place[*from] * columns + column, weight);
            }
        }
        let weight = format!("{name}_weight");
        let held = self.numbers.numbers(&weight, weights.dense(size))?;
        self.graph.constant(&weight, &[inputs, columns], &held);
        let bias = format!("{name}_bias");
        let held = self.numbers.numbers(&bias, members.iter().map(|&unit| &units[unit].bias))?;
        self.graph.constant(&bias, &[1, width], &held);
        self.graph.node("MatMul", &[before, &weight], &format!("{name}_product"));
        let argument = format!("{name}_argument");
        let add = if vanish(&held) { "Sum" } else { "Add" };
        self.graph.node(add, &[&format!("{name}_product"), &bias], &argument);
        Ok(self.activate(name, &argument, activation))
    }

    /// The activation of `t`; the name of the values.
    fn activate(&mut self, name: &str, t: &str, activation: Activation) -> String {
        let of = |part: &str| format!("{name}_{part}");
        let output = of("value");
        let cast = [("to", Value::Int(i64::from(element_type(self.precision))))];
        match activation {
            Activation::Identity => t.to_owned(),
            Activation::Relu => self.graph.node("Relu", &[t], &output),
            Activation::Threshold => {
                let zero = self.scalar(&of("zero"), 0.0);
                let above = self.graph.node("Greater", &[t, &zero], &of("above"));
                self.graph.node_with("Cast", &[&above], &output, &cast)
            }
            Activation::Square => self.graph.node("Mul", &[t, t], &output),
            Activation::Reciprocal => {
                let (zero, one) = (self.scalar(&of("zero"), 0.0), self.scalar(&of("one"), 1.0));
                let none = self.graph.node("Equal", &[t, &zero], &of("none"));
                let nonzero = self.graph.node("Where", &[&none, &one, t], &of("nonzero"));
                let inverse = self.graph.node("Div", &[&one, &nonzero], &of("inverse"));
                self.graph.node("Where", &[&none, &zero, &inverse], &output)
            }
            Activation::Softsign => {
                let one = self.scalar(&of("one"), 1.0);
                let size = self.graph.node("Abs", &[t], &of("size"));
                let below = self.graph.node("Add", &[&size, &one], &of("denominator"));
                self.graph.node("Div", &[t, &below], &output)
            }
            Activation::Sine => {
                let half = self.scalar(&of("half"), 0.5);
                let floor = self.graph.node("Floor", &[t], &of("floor"));
                let inside = self.graph.node("Greater", &[t, &floor], &of("inside"));
                let halved = self.graph.node("Mul", &[&floor, &half], &of("halved"));
                let down = self.graph.node("Floor", &[&halved], &of("halved_down"));
                let even = self.graph.node("Equal", &[&halved, &down], &of("even"));
                let positive = self.graph.node("And", &[&inside, &even], &of("positive"));
                self.graph.node_with("Cast", &[&positive], &output, &cast)
            }
        }
    }

    fn scalar(&mut self, name: &str, x: f32) -> String {
        let numbers = match self.precision {
            Format::F64 => Floats::Double(vec![f64::from(x)]),
            _ => Floats::Single(vec![x]),
        };
        self.graph.constant(name, &[1], &numbers)
    }
}

/// The units of a layer by activation, in the order in which activations first appear. Outputs stay
/// in their order: runs of one activation.
fn grouped(units: &[Unit], in_order: bool) -> Vec<(Activation, Vec<usize>)> {
    let mut groups: Vec<(Activation, Vec<usize>)> = Vec::new();
    for (unit, Unit { activation, .. }) in units.iter().enumerate() {
        let at = groups.iter().rposition(|(of, _)| of == activation);
        match at.filter(|&at| !in_order || at + 1 == groups.len()) {
            Some(at) => groups[at].1.push(unit),
            None => groups.push((*activation, vec![unit])),
        }
    }
    groups
}

/// Numbers of type uint8, for inputs.
pub const BYTES: i32 = data_type::UINT8;
