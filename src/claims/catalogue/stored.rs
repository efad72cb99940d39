//! Labels that are stored in the numbers of a network: the second witness of claim 11, and claim 34.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::sample::select;

use shatter_construct::bit_extraction::BitExtraction;
use shatter_construct::two_hidden::TwoHidden;
use shatter_construct::width_two::WidthTwo;
use shatter_construct::{Construction, Task};
use shatter_exact::{IBig, Rational, bit_length};
use shatter_network::{Activation, Layered, Network, Unit, first_misfit};
use shatter_obstruct::bits::least_bits;
use shatter_obstruct::{BitBound, ObstructError};
use shatter_random::stream::{Purpose, below, stream};
use shatter_sample::{Labels, Points, SampleError, Values};

use super::super::claim::{Claim, Evidence, Stated, Trial};
use super::super::harness::{Failure, fits};
use super::super::strategy::{PointKind, into_sample, points};

pub(super) const CLAIMS: [Claim; 1] = [Claim {
    number: 34,
    name: "labels-take-n-log-c-bits",
    statement: "If networks that are wired alike fit all C^n labellings of the same n points, the \
                longest numbers at the places that depend on the labels have together at least n \
                log2 C bits.",
    verdict: Stated::True,
    source: "counting; obstruct::bits",
    test: enough_bits,
}];

/// n keys 0, …, n − 1 with two classes, drawn: a ReLU network of fewer weights and biases than labels,
/// evaluated at every point, and not of fewer bits.
///
/// # Errors
/// Reason for which it is not a witness that fewer than n numbers can fit n labels.
pub(super) fn fewer_numbers_than_labels(n: u32, seed: u64) -> Result<String, String> {
    let refused = |error: SampleError| error.to_string();
    let points = Points::new(Values::I64((0..i64::from(n)).collect()), vec![1]).map_err(refused)?;
    let rng = &mut stream(seed, Purpose::Labels);
    let labels = Labels::classes((0..n).map(|_| below(rng, 2) as u32).collect(), 2);
    let labels = labels.map_err(refused)?;
    let construction = BitExtraction::default();
    let task = Task::new(&points, &labels, seed);
    let network = construction.build(&task).map_err(|error| error.to_string())?;
    let sizes = network.sizes();
    if sizes.nonzero >= u64::from(n) {
        return Err(format!("{} weights and biases for {n} labels", sizes.nonzero));
    }
    if let Some(misfit) = first_misfit(&network, &points, &labels, construction.target()) {
        return Err(format!("does not fit point {}", misfit.index));
    }
    let least = enough(u64::from(n), 2, sizes.bits)?;
    Ok(format!(
        "it has {} < n weights and biases that are not 0, all of them counted, and fits every one of \
         the {n} points; its numbers have {} bits, and all labellings take {least}: fewer weights, \
         not fewer bits",
        sizes.nonzero, sizes.bits
    ))
}

/// The least bits for all labellings, if `bits` are as many.
fn enough(n: u64, classes: u64, bits: u64) -> Result<u64, String> {
    match BitBound::new(n, classes, bits) {
        Err(ObstructError::NotExcluded { .. }) => {
            least_bits(n, classes).map_err(|error| error.to_string())
        }
        Err(error) => Err(error.to_string()),
        Ok(bound) => Err(bound.to_string()),
    }
}

/// Constructions whose wiring does not depend on the labels.
#[derive(Clone, Copy, Debug)]
enum Wired {
    WidthTwo,
    TwoHidden,
    BitExtraction,
}

impl Wired {
    fn construction(self) -> Box<dyn Construction> {
        match self {
            Wired::WidthTwo => Box::new(WidthTwo),
            Wired::TwoHidden => Box::new(TwoHidden { group: Some(2), classes: false }),
            Wired::BitExtraction => Box::new(BitExtraction::default()),
        }
    }
}

fn enough_bits(trial: &Trial) -> Evidence {
    let kinds = select(&[PointKind::Collinear, PointKind::GeneralPosition][..]);
    let points = kinds.prop_flat_map(|kind| points(kind, 1..=5, 1..=3));
    let wired = select(&[Wired::WidthTwo, Wired::TwoHidden, Wired::BitExtraction][..]);
    let words = |(points, classes, wired): &(Points, u32, Wired)| {
        format!("{wired:?}, {}, {classes} classes", points.describe())
    };
    trial.every((points, 1u32..=3, wired), words, |(points, classes, wired)| {
        let networks = all_labellings(points, *classes, &*wired.construction())?;
        let bits = varying_bits(&networks)?;
        enough(points.n() as u64, u64::from(*classes), bits)?;
        Ok(())
    })
}

/// Networks for all C^n labellings, each of which fits.
fn all_labellings(
    points: &Points,
    classes: u32,
    construction: &dyn Construction,
) -> Result<Vec<Layered>, Failure> {
    let refused = |error: SampleError| Failure::Refused(error.to_string());
    let labelling = |number: u32| {
        let digit = |i: u32| number / classes.pow(i) % classes;
        let labels = Labels::classes((0..points.n() as u32).map(digit).collect(), classes);
        let sample =
            labels.and_then(|labels| into_sample(points.clone(), labels)).map_err(refused)?;
        let network = construction.build(&Task::new(&sample.points, &sample.labels, 0));
        let network = network.map_err(|error| Failure::Refused(error.to_string()))?;
        fits(&network, &sample, construction.target())?;
        Ok(match network {
            Network::Layered(network) => network,
            Network::TwoLayer(network) => network.to_layered(),
        })
    };
    (0..classes.pow(points.n() as u32)).map(labelling).collect()
}

/// The layer, the unit, and what the number is multiplied with; `None` is the bias.
type Place = (usize, usize, Option<usize>);

fn numbers(network: &Layered) -> BTreeMap<Place, Rational> {
    let mut numbers = BTreeMap::new();
    for (layer, units) in network.layers().enumerate() {
        for (j, unit) in units.iter().enumerate() {
            numbers.insert((layer, j, None), unit.bias.clone());
            let weights = unit.weights.iter();
            numbers.extend(weights.map(|(from, w)| ((layer, j, Some(*from)), w.clone())));
        }
    }
    numbers
}

/// Inputs, and the activations of all layers.
fn wiring(network: &Layered) -> (usize, Vec<Vec<Activation>>) {
    let layer = |units: &Vec<Unit>| units.iter().map(|unit| unit.activation).collect();
    (network.inputs, network.layers().map(layer).collect())
}

/// B such that at most 2^B networks are wired as these are, agree with them where they all agree, and
/// have no longer numbers elsewhere: at a place where numerators are below 2^p and denominators at
/// most 2^q, 1 + p + q bits. A weight that is not there is 0.
fn varying_bits(networks: &[Layered]) -> Result<u64, String> {
    let Some((first, others)) = networks.split_first() else { return Ok(0) };
    if others.iter().any(|other| wiring(other) != wiring(first)) {
        return Err("the networks are not wired alike".to_owned());
    }
    let all: Vec<BTreeMap<Place, Rational>> = networks.iter().map(numbers).collect();
    let mut places: Vec<Place> = all.iter().flat_map(|numbers| numbers.keys().copied()).collect();
    places.sort_unstable();
    places.dedup();
    let bits_at = |place: &Place| {
        let at = |numbers: &BTreeMap<Place, Rational>| {
            numbers.get(place).cloned().unwrap_or(Rational::ZERO)
        };
        let values: Vec<Rational> = all.iter().map(at).collect();
        if values.iter().all(|x| *x == values[0]) {
            return 0;
        }
        let numerator = values.iter().map(|x| bit_length(x.numerator())).max().unwrap_or(0);
        // Denominators from 1 to 2^q, as numbers from 0.
        let denominator = |x: &Rational| bit_length(&(x.denominator().as_ibig() - IBig::ONE));
        1 + numerator + values.iter().map(denominator).max().unwrap_or(0)
    };
    Ok(places.iter().map(bits_at).sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_points_take_more_numbers_than_labels() {
        let found = fewer_numbers_than_labels(256, 0).unwrap_err();
        assert!(found.ends_with(" weights and biases for 256 labels"), "{found}");
    }

    #[test]
    fn too_few_bits_are_seen() {
        assert_eq!(enough(3, 10, 10), Ok(10));
        let reason = enough(3, 10, 9).unwrap_err();
        assert!(reason.starts_with("no family of 2^9 networks"), "{reason}");
        assert!(enough(3, 0, 9).is_err());
    }

    /// A network with the one number `bias`.
    fn constant(bias: Rational) -> Layered {
        Layered { inputs: 1, hidden: Vec::new(), output: vec![Unit::affine([], bias)] }
    }

    #[test]
    fn places_count_once_if_they_vary_and_not_if_they_do_not() {
        let number = |x: i32| constant(Rational::from(x));
        assert_eq!(varying_bits(&[number(5), number(5)]), Ok(0));
        // 0 and 1 are two of the 3 numbers -1, 0, 1, which take 2 bits.
        assert_eq!(varying_bits(&[number(0), number(1)]), Ok(2));
        let quarter = Rational::from_parts(5.into(), 4u8.into());
        assert_eq!(varying_bits(&[number(0), constant(quarter)]), Ok(1 + 3 + 2));
        // A weight that is not there is 0.
        let mut sloped = number(0);
        sloped.output[0] = Unit::affine([(0, Rational::ONE)], Rational::ZERO);
        assert_eq!(varying_bits(&[number(0), sloped]), Ok(2));
        let mut wired = number(0);
        wired.output[0].activation = Activation::Relu;
        assert!(varying_bits(&[number(0), wired]).is_err());
    }

    /// Without the networks of some labellings, the others do not take the bits of all.
    #[test]
    fn the_networks_of_one_labelling_have_no_bits() {
        let points = Points::new(Values::I64(vec![0, 2, 5]), vec![1]).unwrap();
        for wired in [Wired::WidthTwo, Wired::TwoHidden, Wired::BitExtraction] {
            let networks = all_labellings(&points, 3, &*wired.construction()).unwrap();
            assert_eq!(networks.len(), 27);
            let all = varying_bits(&networks).unwrap();
            assert!(enough(3, 3, all).is_ok() && all >= 5, "{wired:?}: {all}");
            assert!(enough(3, 3, varying_bits(&networks[..1]).unwrap()).is_err());
        }
    }
}
