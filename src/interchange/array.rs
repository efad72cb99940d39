//! The numbers of an explicit network as named arrays, and named arrays as files hold them.
//!
//! The two-layer form has `a` (d), `b` (m), `w` (m) and `c` (1). Layers of ReLU units below affine outputs
//! have PyTorch's names, as the `nn.Sequential` of the same layers: `0.weight` (units × inputs, dense) and
//! `0.bias` (units), `2.weight`, … Any other layered network has `layerL.weight` and `layerL.bias` for
//! L = 0, 1, …, the output layer last, and the activation of each unit beside them.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use shatter_exact::{Dyadic, Format, Rational};
use shatter_network::layered::{Layered, Unit};
use shatter_network::{Activation, ExactNetwork, Network};

use super::InterchangeError;
use super::number::{Converter, Floats};

/// Numbers that a network may have in all, as dense matrices: 512 MiB in binary64.
pub const MOST_NUMBERS: usize = 1 << 26;
/// Those that it may have as texts, and bits of them together, 40 million digits.
pub(super) const MOST_TEXTS: usize = 1 << 23;
const MOST_BITS: u64 = 1 << 27;
/// Characters that numbers may have as texts: all of those bits, with signs and fraction bars.
pub(super) const MOST_DIGITS: usize = 1 << 26;
/// Floating-point numbers that a file may have: 2 GiB in binary64.
pub(super) const MOST_READ: usize = 1 << 28;

/// What a dense matrix holds where there is no weight.
static ZERO: Rational = Rational::ZERO;

/// A named array.
pub struct ExactArray<'a> {
    /// Its name.
    pub name: String,
    /// Its shape.
    pub shape: Vec<usize>,
    /// Its numbers, the last index fastest, one by one: a dense matrix of fractions would be many times
    /// the size of what is written.
    pub values: Box<dyn Iterator<Item = Cow<'a, Rational>> + 'a>,
}

impl std::fmt::Debug for ExactArray<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ExactArray")
            .field("name", &self.name)
            .field("shape", &self.shape)
            .finish_non_exhaustive()
    }
}

/// A named array in a floating-point type.
#[derive(Clone, Debug)]
pub struct NamedArray {
    /// Its name.
    pub name: String,
    /// Its shape.
    pub shape: Vec<usize>,
    /// Its numbers, the last index fastest.
    pub numbers: Floats,
}

impl NamedArray {
    /// The arrays of an explicit network in a type.
    ///
    /// # Errors
    /// Those of [`Converter::numbers`] and [`arrays`].
    pub fn all(network: &Network, to: &mut Converter) -> Result<Vec<NamedArray>, InterchangeError> {
        let array = |ExactArray { name, shape, values }: ExactArray| {
            let numbers = to.numbers(&name, values)?;
            Ok(NamedArray { name, shape, numbers })
        };
        arrays(network)?.into_iter().map(array).collect()
    }
}

/// The content of a file of named arrays.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Arrays {
    /// Texts by their names.
    pub metadata: BTreeMap<String, String>,
    /// Arrays by their names.
    pub entries: BTreeMap<String, StoredArray>,
}

/// An array that was read: as many values as its shape says.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredArray {
    /// Its shape.
    pub shape: Vec<usize>,
    /// Its numbers, the last index fastest.
    pub values: StoredNumbers,
}

/// The numbers of an array.
#[derive(Clone, Debug, PartialEq)]
pub enum StoredNumbers {
    /// Finite numbers of a format, in binary64, which has all of them.
    Floats(Format, Vec<f64>),
    /// Exact numbers.
    Exact(Vec<Rational>),
    /// Whole numbers, such as PyTorch's counters of batches: no weight is one.
    Whole,
}

impl StoredNumbers {
    /// Floating-point numbers, each of which must be finite.
    ///
    /// # Errors
    /// [`InterchangeError::Entry`].
    pub fn floats(
        array: &str,
        of: Format,
        values: Vec<f64>,
    ) -> Result<StoredNumbers, InterchangeError> {
        match values.iter().position(|x| !x.is_finite()) {
            None => Ok(StoredNumbers::Floats(of, values)),
            Some(index) => Err(InterchangeError::Entry {
                array: array.to_owned(),
                index,
                value: values[index].to_string(),
                reason: "is not finite".to_owned(),
            }),
        }
    }
}

/// Refuses a network that is too large as dense matrices; `texts`: as texts, which take more.
///
/// # Errors
/// [`InterchangeError::TooManyInAll`], [`InterchangeError::TooManyTexts`].
pub fn fits(network: &Network, texts: bool) -> Result<(), InterchangeError> {
    let numbers = match network {
        Network::TwoLayer(two) => two.d().saturating_add(two.units().saturating_mul(2)),
        Network::Layered(layered) => {
            let mut inputs = layered.inputs;
            layered.layers().fold(0_usize, |sum, units| {
                let layer = units.len().saturating_mul(inputs.saturating_add(1));
                inputs = units.len();
                sum.saturating_add(layer)
            })
        }
    };
    if texts && (numbers > MOST_TEXTS || network.sizes().bits > MOST_BITS) {
        return Err(InterchangeError::TooManyTexts { most: MOST_TEXTS, bits: MOST_BITS });
    }
    if numbers > MOST_NUMBERS {
        return Err(InterchangeError::TooManyInAll { most: MOST_NUMBERS });
    }
    Ok(())
}

/// The arrays of any network.
///
/// # Errors
/// [`InterchangeError::TooManyInAll`] for what is too large as dense matrices.
pub fn arrays(network: &Network) -> Result<Vec<ExactArray<'_>>, InterchangeError> {
    fits(network, false)?;
    Ok(match network {
        Network::TwoLayer(two) => two_layer(two),
        Network::Layered(layered) => layers(layered),
    })
}

/// Returns the arrays of the two-layer form.
pub fn two_layer(network: &ExactNetwork) -> Vec<ExactArray<'_>> {
    fn dyadics<'a>(name: &str, numbers: &'a [Dyadic]) -> ExactArray<'a> {
        ExactArray {
            name: name.to_owned(),
            shape: vec![numbers.len()],
            values: Box::new(numbers.iter().map(|x| Cow::Owned(x.to_rational()))),
        }
    }
    let w = ExactArray {
        name: "w".to_owned(),
        shape: vec![network.w.len()],
        values: Box::new(network.w.iter().map(Cow::Borrowed)),
    };
    let c = std::slice::from_ref(&network.c);
    vec![dyadics("a", &network.a), dyadics("b", &network.b), w, dyadics("c", c)]
}

/// Returns true if the layers are dense with ReLU between them, as in PyTorch.
pub fn is_perceptron(network: &Layered) -> bool {
    let all =
        |units: &[Unit], of| !units.is_empty() && units.iter().all(|unit| unit.activation == of);
    network.hidden.iter().all(|units| all(units, Activation::Relu))
        && all(&network.output, Activation::Identity)
}

/// The layers of such a network in words, the last dense one included.
pub fn words(network: &Layered) -> String {
    let hidden = network.hidden.iter().map(|units| format!("dense({}) relu ", units.len()));
    hidden.collect::<String>() + &format!("dense({})", network.output.len())
}

fn layers(network: &Layered) -> Vec<ExactArray<'_>> {
    let mut inputs = network.inputs;
    let mut parts = Vec::new();
    let perceptron = is_perceptron(network);
    for (layer, units) in network.layers().enumerate() {
        let layer = if perceptron { (2 * layer).to_string() } else { format!("layer{layer}") };
        parts.push(ExactArray {
            name: format!("{layer}.weight"),
            shape: vec![units.len(), inputs],
            values: dense(units, inputs),
        });
        parts.push(ExactArray {
            name: format!("{layer}.bias"),
            shape: vec![units.len()],
            values: Box::new(units.iter().map(|unit| Cow::Borrowed(&unit.bias))),
        });
        inputs = units.len();
    }
    parts
}

/// The weights of a layer, units × inputs.
fn dense(units: &[Unit], inputs: usize) -> Box<dyn Iterator<Item = Cow<'_, Rational>> + '_> {
    Box::new(units.iter().flat_map(move |unit| {
        let mut row = Sparse::default();
        unit.weights.iter().for_each(|(from, weight)| row.add(*from, weight));
        row.dense(inputs)
    }))
}

/// Entries of a matrix that are not zero, by their place. Those that are added at one place are added
/// up.
#[derive(Default)]
pub(crate) struct Sparse<'a>(HashMap<usize, Cow<'a, Rational>>);

impl<'a> Sparse<'a> {
    /// Adds a weight at a place.
    pub fn add(&mut self, at: usize, weight: &'a Rational) {
        let entry = self.0.entry(at).or_insert(Cow::Borrowed(&ZERO));
        *entry = match entry.is_zero() {
            true => Cow::Borrowed(weight),
            false => Cow::Owned(entry.as_ref() + weight),
        };
    }

    /// All `size` entries.
    pub fn dense(mut self, size: usize) -> impl Iterator<Item = Cow<'a, Rational>> {
        (0..size).map(move |at| self.0.remove(&at).unwrap_or(Cow::Borrowed(&ZERO)))
    }
}
