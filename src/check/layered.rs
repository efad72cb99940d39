//! The body of the layered form: for each layer the numbers of its units, one list after another.
//! Wiring and counts are compared here; nothing is allocated before it has been read.

use std::io::BufRead;

use super::Rejection;
use super::activation::Activation;
use super::lines::Lines;
use super::number::Number;
use super::parse::{compare, counted, counts, number, whole};
use super::room::Room;
use super::work::Work;

/// Bits that the numbers of a network may take as they are read: 256 MiB, for three million of them.
const MOST_BITS: u64 = 1 << 31;

/// φ(W h + v), row by row.
#[derive(Clone, Debug, Default)]
pub struct Layer {
    /// φ of each unit.
    pub activations: Vec<Activation>,
    /// v.
    pub biases: Vec<Number>,
    /// End of the weights of each unit.
    pub ends: Vec<usize>,
    /// Which number of the layer before a weight is for; below its width, increasing in a unit.
    pub from: Vec<u32>,
    /// The weights, not 0.
    pub weights: Vec<Number>,
}

impl Layer {
    /// Number of units.
    pub fn units(&self) -> usize {
        self.ends.len()
    }

    /// Range of the weights of unit `j`.
    pub fn row(&self, j: usize) -> std::ops::Range<usize> {
        let start = if j == 0 { 0 } else { self.ends[j - 1] };
        start..self.ends[j]
    }

    /// Its numbers that are not 0.
    fn numbers(&self) -> impl Iterator<Item = &Number> {
        self.weights.iter().chain(self.biases.iter().filter(|bias| !bias.is_zero()))
    }
}

/// Layers from the first hidden one to the output.
#[derive(Clone, Debug)]
pub struct Layered {
    /// Coordinates of a point.
    pub inputs: usize,
    /// At least one.
    pub layers: Vec<Layer>,
}

/// The counts in the order of their line; their meaning is in `network::layered::Sizes`.
const NAMES: [&str; 6] = ["depth", "units", "width", "nonzero", "bits", "max-bits"];

impl Layered {
    /// Reads the lines from the counts to the last layer.
    ///
    /// # Errors
    /// The first [`Rejection`] met.
    pub fn parse(lines: &mut Lines<impl BufRead>, work: &Work) -> Result<Layered, Rejection> {
        let claimed = counts(lines, &NAMES)?;
        let inputs = u32::try_from(counted(lines, "inputs")?);
        let inputs = inputs.map_err(|_| lines.refuse("'inputs' and a count below 2^32"))? as usize;
        let depth = counted(lines, "layers")?;
        if depth == 0 {
            return Err(lines.refuse("'layers' and a count of at least 1"));
        }
        let mut room = Room::new(MOST_BITS);
        let mut layers = Vec::new();
        let mut width = inputs;
        for _ in 0..depth {
            let mut layer = Layer::default();
            for _ in 0..counted(lines, "layer")? {
                lines.next("ACTIVATION BIAS I:W …")?;
                unit(&mut layer, lines, width, &mut room, work)?;
            }
            width = layer.units();
            layers.push(layer);
        }
        let network = Layered { inputs, layers };
        compare(&NAMES, &claimed, &network.counts())?;
        Ok(network)
    }

    /// Numbers an output has.
    pub fn outputs(&self) -> usize {
        self.layers.last().map_or(0, Layer::units)
    }

    /// The counts of the network that was read.
    pub fn counts(&self) -> [u64; 6] {
        let hidden = || self.layers.iter().rev().skip(1);
        let units = hidden().flat_map(|layer| &layer.activations);
        let bits = || self.layers.iter().flat_map(Layer::numbers).map(Number::bits);
        [
            self.layers.len() as u64,
            units.filter(|activation| **activation != Activation::Identity).count() as u64,
            hidden().map(|layer| layer.units() as u64).max().unwrap_or(0),
            bits().count() as u64,
            bits().sum(),
            bits().max().unwrap_or(0),
        ]
    }
}

/// Adds the unit on the line read last to `layer`, whose units read `width` numbers.
fn unit<R: BufRead>(
    layer: &mut Layer,
    lines: &Lines<R>,
    width: usize,
    room: &mut Room,
    work: &Work,
) -> Result<(), Rejection> {
    let refuse = |expected: &str| Err(lines.refuse(expected));
    let mut words = lines.text().split(' ');
    let Some(activation) = words.next().and_then(Activation::parse) else {
        return refuse("an activation");
    };
    // Four bits a digit, for numerator and denominator or exponent.
    let mut take = |digits: &str| room.take(4 * digits.len() as u64, 2);
    let bias = words.next().unwrap_or("");
    take(bias)?;
    let Some(bias) = number(bias, work)? else {
        return refuse("a bias after the activation");
    };
    let mut before: Option<u64> = None;
    for word in words {
        let Some((from, weight)) = word.split_once(':') else { return refuse("I:W") };
        let Some(from) = whole(from).filter(|&from| before.is_none_or(|before| before < from))
        else {
            return refuse("increasing indices");
        };
        let narrow = u32::try_from(from).ok().filter(|&from| (from as usize) < width);
        let Some(narrow) = narrow else {
            return Err(Rejection::Wiring { line: lines.number(), from, width });
        };
        take(weight)?;
        let Some(weight) = number(weight, work)?.filter(|weight| !weight.is_zero()) else {
            return refuse("weights that are numbers and not 0");
        };
        before = Some(from);
        layer.from.push(narrow);
        layer.weights.push(weight);
    }
    layer.activations.push(activation);
    layer.biases.push(bias);
    layer.ends.push(layer.weights.len());
    Ok(())
}
