//! The numbers of an explicit network as named arrays.
//!
//! The two-layer form has `a` (d), `b` (m), `w` (m) and `c` (1); a layered network `layerL.weight`
//! (units × inputs, dense) and `layerL.bias` (units) for L = 0, 1, …, the output layer last.

use std::borrow::Cow;

use crate::exact::{Dyadic, Rational};
use crate::network::layered::{Layered, Unit};
use crate::network::{ExactNetwork, Network};

use super::InterchangeError;
use super::number::{Converter, Numbers};

/// Numbers that a dense matrix may have.
pub const MOST_NUMBERS: usize = 1 << 28;

/// What a dense matrix holds where there is no weight.
pub static ZERO: Rational = Rational::ZERO;

/// A named array.
#[derive(Clone, Debug)]
pub struct Part<'a> {
    /// Its name.
    pub name: String,
    /// Its shape.
    pub shape: Vec<usize>,
    /// Its numbers, the last index fastest.
    pub values: Vec<Cow<'a, Rational>>,
}

/// A named array in a floating-point type.
#[derive(Clone, Debug)]
pub struct Array {
    /// Its name.
    pub name: String,
    /// Its shape.
    pub shape: Vec<usize>,
    /// Its numbers, the last index fastest.
    pub numbers: Numbers,
}

impl Array {
    /// The arrays of an explicit network in a type.
    ///
    /// # Errors
    /// Those of [`Converter::numbers`] and [`arrays`].
    pub fn all(network: &Network, to: &mut Converter) -> Result<Vec<Array>, InterchangeError> {
        let array = |Part { name, shape, values }: Part| {
            let numbers = to.numbers(&name, values.into_iter())?;
            Ok(Array { name, shape, numbers })
        };
        arrays(network)?.into_iter().map(array).collect()
    }
}

/// The arrays of any network.
///
/// # Errors
/// [`InterchangeError::TooManyNumbers`] for a layer that is too large as a dense matrix.
pub fn arrays(network: &Network) -> Result<Vec<Part<'_>>, InterchangeError> {
    match network {
        Network::TwoLayer(two) => Ok(two_layer(two)),
        Network::Layered(layered) => layers(layered),
    }
}

/// Those of the two-layer form.
pub fn two_layer(network: &ExactNetwork) -> Vec<Part<'_>> {
    let dyadics = |name: &str, numbers: &[Dyadic]| Part {
        name: name.to_owned(),
        shape: vec![numbers.len()],
        values: numbers.iter().map(|x| Cow::Owned(x.to_rational())).collect(),
    };
    let w = Part {
        name: "w".to_owned(),
        shape: vec![network.w.len()],
        values: network.w.iter().map(Cow::Borrowed).collect(),
    };
    let c = std::slice::from_ref(&network.c);
    vec![dyadics("a", &network.a), dyadics("b", &network.b), w, dyadics("c", c)]
}

fn layers(network: &Layered) -> Result<Vec<Part<'_>>, InterchangeError> {
    let mut inputs = network.inputs;
    let mut parts = Vec::new();
    for (layer, units) in network.layers().enumerate() {
        parts.push(Part {
            name: format!("layer{layer}.weight"),
            shape: vec![units.len(), inputs],
            values: dense(units, inputs)?,
        });
        parts.push(Part {
            name: format!("layer{layer}.bias"),
            shape: vec![units.len()],
            values: units.iter().map(|unit| Cow::Borrowed(&unit.bias)).collect(),
        });
        inputs = units.len();
    }
    Ok(parts)
}

/// The weights of a layer, units × inputs; weights of one unit that read the same number are added up.
fn dense(units: &[Unit], inputs: usize) -> Result<Vec<Cow<'_, Rational>>, InterchangeError> {
    let size = units.len().checked_mul(inputs).filter(|&size| size <= MOST_NUMBERS);
    let size = size.ok_or(InterchangeError::TooManyNumbers { inputs, units: units.len() })?;
    let mut dense = vec![Cow::Borrowed(&ZERO); size];
    for (j, unit) in units.iter().enumerate() {
        for (from, weight) in &unit.weights {
            add(&mut dense[j * inputs + from], weight);
        }
    }
    Ok(dense)
}

/// Adds a weight to an entry of a dense matrix.
pub fn add<'a>(entry: &mut Cow<'a, Rational>, weight: &'a Rational) {
    *entry = match entry.is_zero() {
        true => Cow::Borrowed(weight),
        false => Cow::Owned(entry.as_ref() + weight),
    };
}
