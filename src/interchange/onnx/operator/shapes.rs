//! Operators on whole numbers: sides, and what exporters compute of them.

use std::rc::Rc;

use super::super::call::Call;
use super::super::message::data_type;
use super::super::named::{Named, Numbers};
use super::super::read::Reading;
use super::super::tensor::{is_float, type_name};
use super::super::whole::{Size, Whole, bounded};
use super::super::wire;
use super::layout::Held;
use crate::InterchangeError;

type Result<T> = std::result::Result<T, InterchangeError>;

/// The sides of an array, or some of them.
pub fn shape<'a>(reading: &mut Reading<'a>, call: &Call<'_, 'a>) -> Result<Named<'a>> {
    let sides = Held::of(reading, call, 0)?.sides();
    let count = sides.len() as i64;
    let clamped = |at: i64| (if at < 0 { at.saturating_add(count) } else { at }).clamp(0, count);
    let start = clamped(call.int("start", 0)?) as usize;
    let end = clamped(call.int("end", count)?) as usize;
    let sizes = sides.get(start..end).unwrap_or(&[]).iter().map(|side| side.size()).collect();
    made(reading, Whole::vector(sizes))
}

/// How many numbers an array has.
pub fn size<'a>(reading: &mut Reading<'a>, call: &Call<'_, 'a>) -> Result<Named<'a>> {
    let sides = Held::of(reading, call, 0)?.sides();
    let mut product = Whole { sides: Vec::new(), numbers: vec![Size::known(1)] };
    for side in sides {
        let side = Whole { sides: Vec::new(), numbers: vec![side.size()] };
        product = call.take(product.with("Mul", &side))?;
    }
    made(reading, product)
}

/// One number, repeated.
pub fn constant_of_shape<'a>(reading: &mut Reading<'a>, call: &Call<'_, 'a>) -> Result<Named<'a>> {
    let sides = call.take(call.whole(reading, 0)?.known())?;
    let sides: Option<Vec<usize>> =
        sides.into_iter().map(|side| usize::try_from(side).ok()).collect();
    let counted = sides.and_then(|sides| Some((super::super::read::product(&sides)?, sides)));
    let Some((count, sides)) = counted.filter(|(_, sides)| sides.len() <= wire::SIDES) else {
        return call.refuse("its shape is not valid");
    };
    bounded(count)?;
    let value = call.node.attributes.iter().find(|attribute| attribute.name == "value");
    let number = match value.and_then(|attribute| attribute.tensor) {
        None => return floats(reading, call, sides, vec![0.0; count]),
        Some(tensor) => match constant(reading, tensor)? {
            Named::Whole(whole) if whole.numbers.len() == 1 => whole.numbers[0],
            Named::Numbers(numbers) if numbers.values.len() == 1 => {
                let values = vec![numbers.values[0]; count];
                return Ok(Named::Numbers(Numbers { sides, values: Rc::new(values), ..numbers }));
            }
            _ => return call.refuse("its value is not one number"),
        },
    };
    made(reading, Whole { sides, numbers: vec![number; count] })
}

/// Numbers of type float, which is what stands there where no type does.
fn floats<'a>(
    reading: &mut Reading<'a>,
    call: &Call<'_, 'a>,
    sides: Vec<usize>,
    values: Vec<f64>,
) -> Result<Named<'a>> {
    if values.iter().any(|x| !x.is_finite()) {
        return call.refuse("its numbers are not all finite");
    }
    reading.decode(values.len())?;
    let data_type = i64::from(data_type::FLOAT);
    Ok(Named::Numbers(Numbers { data_type, sides, values: Rc::new(values) }))
}

/// A tensor, decoded.
fn constant<'a>(reading: &mut Reading<'a>, bytes: &'a [u8]) -> Result<Named<'a>> {
    match is_float(wire::tensor(bytes)?.data_type) {
        true => reading.decoded(bytes).map(Named::Numbers),
        false => reading.counted(bytes).map(Named::Whole),
    }
}

/// Constants that stand in a node.
pub fn literal<'a>(reading: &mut Reading<'a>, call: &Call<'_, 'a>) -> Result<Named<'a>> {
    let named = |name: &str| call.node.attributes.iter().find(|found| found.name == name);
    if let Some(bytes) = named("value").and_then(|attribute| attribute.tensor) {
        return Ok(Named::Constant(bytes));
    }
    let whole = |sides: Vec<usize>, numbers: &[i64]| Whole {
        sides,
        numbers: numbers.iter().map(|&x| Size::known(x)).collect(),
    };
    if let Some(found) = named("value_int") {
        return made(reading, whole(Vec::new(), &[found.int.unwrap_or(0)]));
    }
    if let Some(found) = named("value_ints") {
        return made(reading, whole(vec![found.ints.len()], &found.ints));
    }
    if let Some(found) = named("value_float") {
        let value = f64::from(found.float.unwrap_or(0.0));
        return floats(reading, call, Vec::new(), vec![value]);
    }
    if let Some(found) = named("value_floats") {
        let values: Vec<f64> = found.floats.iter().map(|&x| f64::from(x)).collect();
        return floats(reading, call, vec![values.len()], values);
    }
    call.refuse("it is not a tensor, a number or a list of numbers")
}

/// Whole numbers of the reading.
pub fn made<'a>(reading: &mut Reading<'a>, whole: Whole) -> Result<Named<'a>> {
    reading.count(whole.numbers.len())?;
    Ok(Named::Whole(Rc::new(whole)))
}

/// Lists of whole numbers, one after the other.
pub fn concatenate<'a>(
    reading: &mut Reading<'a>,
    call: &Call<'_, 'a>,
    parts: &[Rc<Whole>],
) -> Result<Named<'a>> {
    if parts.iter().any(|part| part.sides.len() != 1) {
        return call.refuse("whole numbers are joined where each part is a list");
    }
    let numbers = parts.iter().flat_map(|part| part.numbers.iter().copied()).collect();
    made(reading, Whole::vector(numbers))
}

/// The product of a list of whole numbers.
pub fn product<'a>(reading: &mut Reading<'a>, call: &Call<'_, 'a>) -> Result<Named<'a>> {
    let whole = call.whole(reading, 0)?;
    let keeps = call.int("keepdims", 1)? != 0;
    if whole.sides.len() != 1 {
        return call.refuse("it is read of a list of whole numbers");
    }
    let mut product = Whole { sides: Vec::new(), numbers: vec![Size::known(1)] };
    for &size in &whole.numbers {
        let one = Whole { sides: Vec::new(), numbers: vec![size] };
        product = call.take(product.with("Mul", &one))?;
    }
    product.sides = if keeps { vec![1] } else { Vec::new() };
    made(reading, product)
}

/// Another type: of constants, where nothing is rounded but by the definition of the type; of values, the same.
pub fn cast<'a>(
    reading: &mut Reading<'a>,
    call: &Call<'_, 'a>,
    named: Named<'a>,
    to: i64,
) -> Result<Named<'a>> {
    let float = is_float(to);
    match (Held::from(call, named, 0)?, float) {
        (Held::Value(value), _) if to == reading.data_type() => Ok(Named::Value(value)),
        (Held::Value(_), _) => call.refuse(format!(
            "numbers become {}, and the network computes in {}: export it in one type",
            type_name(to),
            type_name(reading.data_type())
        )),
        (Held::Whole(whole), false) => Ok(Named::Whole(whole)),
        (Held::Whole(whole), true) => {
            let known = call.take(whole.known())?;
            let format = super::super::read::format(to);
            let exact = |&x: &i64| {
                let wide = x as f64;
                Some(wide).filter(|_| wide as i64 == x && format.is_some_and(|it| it.has(wide)))
            };
            match known.iter().map(exact).collect::<Option<Vec<f64>>>() {
                Some(values) => {
                    let Named::Numbers(numbers) =
                        floats(reading, call, whole.sides.clone(), values)?
                    else {
                        return call.refuse("it makes no numbers");
                    };
                    Ok(Named::Numbers(Numbers { data_type: to, ..numbers }))
                }
                None => call.refuse("it rounds whole numbers"),
            }
        }
        (Held::Numbers(numbers), true) => {
            reading.decode(numbers.values.len())?;
            let Some(format) = super::super::read::format(to) else {
                return call.refuse(format!("{} is not read", type_name(to)));
            };
            let values: Vec<f64> = numbers.values.iter().map(|&x| format.nearest(x)).collect();
            if values.iter().any(|x| !x.is_finite()) {
                return call.refuse(format!("a number is too large for {}", type_name(to)));
            }
            Ok(Named::Numbers(Numbers { data_type: to, values: Rc::new(values), ..numbers }))
        }
        (Held::Numbers(numbers), false) => {
            let whole =
                |&x: &f64| Some(x as i64).filter(|_| x.fract() == 0.0 && x.abs() < 2f64.powi(53));
            match numbers.values.iter().map(whole).collect::<Option<Vec<i64>>>() {
                Some(values) => {
                    let numbers_of = values.into_iter().map(Size::known).collect();
                    made(reading, Whole { sides: numbers.sides, numbers: numbers_of })
                }
                None => call.refuse("it cuts numbers to whole ones"),
            }
        }
    }
}
