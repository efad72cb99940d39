//! Reading JSON: one pass over the text, in which nothing is held that is no array.
//!
//! Numbers are counted as they come, so that a text of many short ones cannot take many times its own
//! size; nesting is as deep as the form and no deeper.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::InterchangeError;
use crate::array::{Arrays, MOST_DIGITS, MOST_NUMBERS, MOST_TEXTS, StoredArray, StoredNumbers};
use shatter_exact::{Format, IBig, Rational};
use shatter_record::safetensors::Texts;

/// The longest name of an array, in bytes, and the most sides.
const NAME: usize = 1024;
const SIDES: usize = 8;

/// Digits of numerators times digits of denominators, in all: reducing a fraction takes about as many steps, seconds
/// for so many.
const MOST_PRODUCTS: usize = 1 << 41;

/// Reads a file of [`construction`](super::construction) or [`trained`](super::trained).
///
/// ```
/// use shatter_exact::Rational;
/// use shatter_interchange::{array::StoredNumbers, json};
/// let text = r#"{"metadata": {}, "arrays": {"w": {"shape": [2], "values": ["1/3", "-2"]}}}"#;
/// let read = json::read(text.as_bytes())?;
/// let third = Rational::from_parts(1.into(), 3u8.into());
/// assert_eq!(read.entries["w"].values, StoredNumbers::Exact(vec![third, Rational::from(-2)]));
/// # Ok::<(), shatter_interchange::InterchangeError>(())
/// ```
///
/// # Errors
/// [`InterchangeError::Malformed`], with array, line and column of what is wrong.
pub fn read(text: &[u8]) -> Result<Arrays, InterchangeError> {
    let budget = Budget::default();
    let mut reader = serde_json::Deserializer::from_slice(text);
    let read = Part::<File>::new(&budget).deserialize(&mut reader);
    read.and_then(|arrays| reader.end().map(|()| arrays)).map_err(|error| {
        let place = budget.place.borrow();
        let array = place.as_ref().map_or(String::new(), |name| format!("array '{name}': "));
        InterchangeError::Malformed(format!("{array}{error}"))
    })
}

/// What was read so far, and where.
#[derive(Default)]
struct Budget {
    numbers: Cell<usize>,
    texts: Cell<usize>,
    digits: Cell<usize>,
    products: Cell<usize>,
    /// The array that is being read.
    place: RefCell<Option<String>>,
}

impl Budget {
    fn take<E: Error>(of: &Cell<usize>, more: usize, most: usize, what: &str) -> Result<(), E> {
        of.set(of.get().saturating_add(more));
        match of.get() <= most {
            true => Ok(()),
            false => Err(E::custom(format!("more than {most} {what} are not read"))),
        }
    }
}

/// A part of the file that is read within a budget.
struct Part<'a, T> {
    budget: &'a Budget,
    what: PhantomData<T>,
}

impl<'a, T> Part<'a, T> {
    fn new(budget: &'a Budget) -> Part<'a, T> {
        Part { budget, what: PhantomData }
    }
}

struct File;
struct AllArrays;
struct OneArray;
struct Numbers;

impl<'de> DeserializeSeed<'de> for Part<'_, File> {
    type Value = Arrays;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Arrays, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Part<'_, File> {
    type Value = Arrays;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("an object of metadata and arrays")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Arrays, A::Error> {
        let (mut metadata, mut entries) = (None, None);
        while let Some(key) = map.next_key::<String>()? {
            let fresh = match key.as_str() {
                "metadata" => metadata.replace(map.next_value::<Texts>()?.0).is_none(),
                "arrays" => {
                    let arrays = Part::<AllArrays>::new(self.budget);
                    entries.replace(map.next_value_seed(arrays)?).is_none()
                }
                _ => {
                    return Err(A::Error::unknown_field(&shortened(&key), &["metadata", "arrays"]));
                }
            };
            if !fresh {
                return Err(A::Error::custom(format!("'{key}' appears twice")));
            }
        }
        let entries = entries.ok_or_else(|| A::Error::missing_field("arrays"))?;
        Ok(Arrays { metadata: metadata.unwrap_or_default(), entries })
    }
}

impl<'de> DeserializeSeed<'de> for Part<'_, AllArrays> {
    type Value = BTreeMap<String, StoredArray>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Part<'_, AllArrays> {
    type Value = BTreeMap<String, StoredArray>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("arrays by their names")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = BTreeMap::new();
        while let Some(name) = map.next_key::<String>()? {
            if name.len() > NAME || name.chars().any(char::is_control) {
                let most = format!("names have at most {NAME} bytes and no control characters");
                return Err(A::Error::custom(most));
            }
            self.budget.place.replace(Some(name.clone()));
            let entry = map.next_value_seed(Part::<OneArray>::new(self.budget))?;
            if entries.insert(name, entry).is_some() {
                return Err(A::Error::custom("it stands there twice"));
            }
            self.budget.place.replace(None);
        }
        Ok(entries)
    }
}

impl<'de> DeserializeSeed<'de> for Part<'_, OneArray> {
    type Value = StoredArray;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<StoredArray, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Part<'_, OneArray> {
    type Value = StoredArray;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("an object of shape and values")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<StoredArray, A::Error> {
        let (mut shape, mut values) = (None::<Vec<usize>>, None);
        while let Some(key) = map.next_key::<String>()? {
            let fresh = match key.as_str() {
                "shape" => shape.replace(map.next_value_seed(Sides)?).is_none(),
                "values" => {
                    let numbers = Part::<Numbers>::new(self.budget);
                    values.replace(map.next_value_seed(numbers)?).is_none()
                }
                _ => return Err(A::Error::unknown_field(&shortened(&key), &["shape", "values"])),
            };
            if !fresh {
                return Err(A::Error::custom(format!("'{key}' appears twice")));
            }
        }
        let shape = shape.ok_or_else(|| A::Error::missing_field("shape"))?;
        let (values, there) = values.ok_or_else(|| A::Error::missing_field("values"))?;
        let product = |product: usize, &side: &usize| product.checked_mul(side);
        match shape.iter().try_fold(1, product) {
            Some(wanted) if wanted == there => Ok(StoredArray { shape, values }),
            _ => Err(A::Error::custom(format!(
                "its shape is {shape:?}, and {there} values are there"
            ))),
        }
    }
}

/// The sides of an array.
struct Sides;

impl<'de> DeserializeSeed<'de> for Sides {
    type Value = Vec<usize>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<usize>, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Sides {
    type Value = Vec<usize>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("the sides of an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sides: A) -> Result<Vec<usize>, A::Error> {
        let mut shape = Vec::new();
        while let Some(side) = sides.next_element()? {
            if shape.len() == SIDES {
                return Err(A::Error::custom(format!("shapes have at most {SIDES} sides")));
            }
            shape.push(side);
        }
        Ok(shape)
    }
}

impl<'de> DeserializeSeed<'de> for Part<'_, Numbers> {
    type Value = (StoredNumbers, usize);
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Part<'_, Numbers> {
    type Value = (StoredNumbers, usize);

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("an array of numbers, or of texts that are fractions")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut numbers: A) -> Result<Self::Value, A::Error> {
        let (mut floats, mut exact) = (Vec::new(), Vec::new());
        let at =
            |error: A::Error, index: usize| A::Error::custom(format!("number {index}: {error}"));
        loop {
            let index = floats.len() + exact.len();
            match numbers.next_element_seed(Part::<One>::new(self.budget)) {
                Err(error) => return Err(at(error, index)),
                Ok(None) => break,
                Ok(Some(Number::Float(x))) if exact.is_empty() => floats.push(x),
                Ok(Some(Number::Exact(x))) if floats.is_empty() => exact.push(x),
                Ok(Some(_)) => {
                    let mixed = A::Error::custom("numbers and texts are mixed");
                    return Err(at(mixed, index));
                }
            }
        }
        let there = floats.len() + exact.len();
        let values = match exact.is_empty() {
            true => StoredNumbers::Floats(Format::F64, floats),
            false => StoredNumbers::Exact(exact),
        };
        Ok((values, there))
    }
}

/// One number.
struct One;

enum Number {
    Float(f64),
    Exact(Rational),
}

impl<'de> DeserializeSeed<'de> for Part<'_, One> {
    type Value = Number;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Number, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Part<'_, One> {
    fn whole<E: Error>(self, x: i128) -> Result<Number, E> {
        if x as f64 as i128 != x {
            return Err(E::custom(format!("{x} is not a binary64 number: write it as a string")));
        }
        self.float(x as f64)
    }

    fn float<E: Error>(self, x: f64) -> Result<Number, E> {
        Budget::take(&self.budget.numbers, 1, MOST_NUMBERS, "numbers")?;
        match x.is_finite() {
            true => Ok(Number::Float(x)),
            false => Err(E::custom("it is not finite")),
        }
    }
}

impl<'de> Visitor<'de> for Part<'_, One> {
    type Value = Number;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a number, or a text such as \"-3/4\"")
    }

    fn visit_f64<E: Error>(self, x: f64) -> Result<Number, E> {
        self.float(x)
    }

    fn visit_i64<E: Error>(self, x: i64) -> Result<Number, E> {
        self.whole(x.into())
    }

    fn visit_u64<E: Error>(self, x: u64) -> Result<Number, E> {
        self.whole(x.into())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Number, E> {
        Budget::take(&self.budget.texts, 1, MOST_TEXTS, "texts")?;
        Budget::take(&self.budget.digits, text.len(), MOST_DIGITS, "characters of numbers")?;
        let (numerator, denominator) = text.split_once('/').unwrap_or((text, ""));
        let products = numerator.len().saturating_mul(denominator.len());
        let what = "products of digits, which reduce fractions,";
        Budget::take(&self.budget.products, products, MOST_PRODUCTS, what)?;
        let refuse = || E::custom(format!("'{}' is not a fraction such as -3/4", shortened(text)));
        fraction(text).map(Number::Exact).ok_or_else(refuse)
    }
}

/// `-3/4`, `5`: digits alone, so that one text has one meaning in every language.
fn fraction(text: &str) -> Option<Rational> {
    let (negative, size) = text.strip_prefix('-').map_or((false, text), |size| (true, size));
    let (numerator, denominator) = size.split_once('/').unwrap_or((size, "1"));
    let digits = |text: &str| -> Option<IBig> {
        let all = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        all.then(|| text.parse().ok()).flatten()
    };
    let (numerator, denominator) = (digits(numerator)?, digits(denominator)?);
    let (_, denominator) = denominator.into_parts();
    if denominator.is_zero() {
        return None;
    }
    let size = Rational::from_parts(numerator, denominator);
    Some(if negative { -size } else { size })
}

/// The beginning of a text, fit for a line.
fn shortened(text: &str) -> String {
    text.chars().take(40).flat_map(char::escape_debug).collect()
}
