//! Numbers on their way into a format: exactly, or counted where they are rounded.

use std::borrow::Borrow;

use shatter_exact::{Dyadic, Element, Format, Rational};
use shatter_network::layered::Unit;
use shatter_network::{ExactNetwork, Layered, Network};

use super::InterchangeError;

/// Numbers of one floating-point type.
#[derive(Clone, Debug, PartialEq)]
pub enum Floats {
    /// binary32.
    Single(Vec<f32>),
    /// binary64.
    Double(Vec<f64>),
}

impl Floats {
    /// Returns the number of entries.
    pub fn len(&self) -> usize {
        match self {
            Floats::Single(numbers) => numbers.len(),
            Floats::Double(numbers) => numbers.len(),
        }
    }

    /// Returns true if there are no entries.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Their type.
    pub fn precision(&self) -> Format {
        match self {
            Floats::Single(_) => Format::F32,
            Floats::Double(_) => Format::F64,
        }
    }

    /// Returns the numbers as little-endian bytes.
    pub fn bytes(&self) -> Vec<u8> {
        match self {
            Floats::Single(numbers) => numbers.iter().flat_map(|x| x.to_le_bytes()).collect(),
            Floats::Double(numbers) => numbers.iter().flat_map(|x| x.to_le_bytes()).collect(),
        }
    }
}

/// The number of rounded numbers, and the largest error.
#[derive(Clone, Debug, Default, PartialEq)]
#[must_use]
pub struct Rounded {
    /// Numbers.
    pub numbers: u64,
    /// Numbers that were rounded.
    pub rounded: u64,
    /// The largest |rounded − exact|.
    pub absolute: f64,
    /// The largest |rounded − exact| / |exact|.
    pub relative: f64,
    /// The first of them: the tensor, its place there, and the number.
    pub first: Option<(String, usize, String)>,
}

/// Takes exact numbers to a type.
#[derive(Debug)]
pub struct Converter {
    precision: Format,
    /// Whether numbers may be rounded.
    round: bool,
    /// The numbers rounded so far.
    pub rounded: Rounded,
}

impl Converter {
    /// Converts to binary64, or to binary32 (which has all numbers of the shorter formats), rounding to nearest if `round`.
    pub fn new(precision: Format, round: bool) -> Converter {
        Converter { precision, round, rounded: Rounded::default() }
    }

    /// The type.
    pub fn precision(&self) -> Format {
        self.precision
    }

    /// The numbers of a tensor, of any exact kind.
    ///
    /// # Errors
    /// [`InterchangeError::TooLarge`] for a number beyond the type.
    pub fn numbers(
        &mut self,
        tensor: &str,
        exact: impl Iterator<Item = impl Borrow<Rational>>,
    ) -> Result<Floats, InterchangeError> {
        let mut wide = Vec::new();
        for (index, x) in exact.enumerate() {
            wide.push(self.number(tensor, index, x.borrow())?);
        }
        Ok(self.narrowed(wide))
    }

    /// The finite floating-point numbers of a tensor.
    ///
    /// # Errors
    /// [`InterchangeError::TooLarge`] for a number beyond the type, or not finite.
    pub fn floats<E: Element>(
        &mut self,
        tensor: &str,
        values: &[E],
    ) -> Result<Floats, InterchangeError> {
        let mut wide = Vec::with_capacity(values.len());
        for (index, &x) in values.iter().enumerate() {
            let exact = Dyadic::try_from(x.to_f64()).map_err(|_| InterchangeError::TooLarge {
                tensor: tensor.to_owned(),
                index,
                value: x.to_f64().to_string(),
                precision: self.precision.name(),
            })?;
            wide.push(self.number(tensor, index, &exact.to_rational())?);
        }
        Ok(self.narrowed(wide))
    }

    /// A number that the format holds in binary32 whatever the type of the network.
    ///
    /// # Errors
    /// [`InterchangeError::TooLarge`].
    pub fn attribute(&mut self, name: &str, x: f64) -> Result<f32, InterchangeError> {
        let own = std::mem::replace(&mut self.precision, Format::F32);
        let numbers = self.floats(name, &[x]);
        self.precision = own;
        match numbers? {
            Floats::Single(numbers) => Ok(numbers[0]),
            Floats::Double(numbers) => Ok(numbers[0] as f32),
        }
    }

    fn narrowed(&self, wide: Vec<f64>) -> Floats {
        match self.precision {
            Format::F64 => Floats::Double(wide),
            _ => Floats::Single(wide.into_iter().map(|x| x as f32).collect()),
        }
    }

    /// One number, representable in the type.
    fn number(
        &mut self,
        tensor: &str,
        index: usize,
        x: &Rational,
    ) -> Result<f64, InterchangeError> {
        self.rounded.numbers += 1;
        let dyadic = Dyadic::from_rational(x);
        let equal = dyadic.as_ref().and_then(|x| match self.precision {
            Format::F64 => x.to_f64(),
            _ => x.to_f32().map(f64::from),
        });
        if let Some(equal) = equal {
            return Ok(equal);
        }
        // Fractions are rounded by the library, dyadic numbers by ours: both to nearest.
        let nearest = match (&dyadic, self.precision) {
            (Some(x), Format::F64) => x.round_f64(),
            (None, Format::F64) => x.to_f64().value(),
            _ => f64::from(x.to_f32().value()),
        };
        let Ok(held) = Dyadic::try_from(nearest) else {
            let (tensor, value) = (tensor.to_owned(), shortened(x));
            let precision = self.precision.name();
            return Err(InterchangeError::TooLarge { tensor, index, value, precision });
        };
        let error = held.to_rational() - x;
        let error = if error < Rational::ZERO { -error } else { error };
        let size = if *x < Rational::ZERO { -x } else { x.clone() };
        self.rounded.rounded += 1;
        self.rounded.absolute = self.rounded.absolute.max(error.to_f64().value());
        self.rounded.relative = self.rounded.relative.max((error / size).to_f64().value());
        let place = || (tensor.to_owned(), index, shortened(x));
        self.rounded.first.get_or_insert_with(place);
        Ok(nearest)
    }

    /// The end: everything was exact, or rounding was allowed.
    ///
    /// # Errors
    /// [`InterchangeError::Rounds`] otherwise.
    pub fn finish(self) -> Result<Rounded, InterchangeError> {
        match &self.rounded.first {
            Some((tensor, index, value)) if !self.round => Err(InterchangeError::Rounds {
                rounded: self.rounded.rounded,
                numbers: self.rounded.numbers,
                precision: self.precision.name(),
                tensor: tensor.clone(),
                index: *index,
                value: value.clone(),
                absolute: self.rounded.absolute,
                relative: self.rounded.relative,
            }),
            _ => Ok(self.rounded),
        }
    }
}

/// An explicit network with each number rounded to a type, to nearest.
///
/// # Errors
/// [`InterchangeError::TooLarge`] for a number beyond the type.
pub fn rounded(network: &Network, precision: Format) -> Result<Network, InterchangeError> {
    let mut to = Converter::new(precision, true);
    let mut nearest = |x: &Rational| -> Result<Dyadic, InterchangeError> {
        let held = to.number("the network", 0, x)?;
        Ok(Dyadic::try_from(held).unwrap_or(Dyadic::ZERO)) // `number` gives finite ones
    };
    Ok(match network {
        Network::TwoLayer(ExactNetwork { a, b, w, c }) => {
            let mut all = |numbers: &[Dyadic]| -> Result<Vec<Dyadic>, InterchangeError> {
                numbers.iter().map(|x| nearest(&x.to_rational())).collect()
            };
            let (a, b) = (all(a)?, all(b)?);
            let w: Result<Vec<Rational>, InterchangeError> =
                w.iter().map(|x| Ok(nearest(x)?.to_rational())).collect();
            Network::TwoLayer(ExactNetwork { a, b, w: w?, c: nearest(&c.to_rational())? })
        }
        Network::Layered(layered) => {
            let mut layer = |units: &Vec<Unit>| -> Result<Vec<Unit>, InterchangeError> {
                let unit = |unit: &Unit| {
                    let mut weights = Vec::with_capacity(unit.weights.len());
                    for (from, weight) in &unit.weights {
                        weights.push((*from, nearest(weight)?.to_rational()));
                    }
                    let bias = nearest(&unit.bias)?.to_rational();
                    Ok(Unit::new(unit.activation, weights, bias))
                };
                units.iter().map(unit).collect()
            };
            let hidden = layered.hidden.iter().map(&mut layer).collect::<Result<_, _>>()?;
            let output = layer(&layered.output)?;
            Network::Layered(Layered { inputs: layered.inputs, hidden, output })
        }
    })
}

/// A number, fit for a line.
fn shortened(x: &Rational) -> String {
    let bits = shatter_network::counts::rational_bits(x);
    if bits <= 128 { x.to_string() } else { format!("{:e}, of {bits} bits", x.to_f64().value()) }
}
