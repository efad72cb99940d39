//! Promise: where `LayeredExactness` says that binary64 rounds nothing, every order of every sum gives
//! the exact outputs; and where something rounds, it does not say so.

use crate::common::{cases, labels, sample};
use proptest::prelude::*;
use shatter_construct::{Construction, Task, depth_k::DepthK, width_two::WidthTwo};
use shatter_exact::{Dyadic, Rational};
use shatter_network::ExactPoints;
use shatter_network::layered::{Layered, Unit};
use shatter_network::{Activation, LayeredExactness, Network};
use shatter_sample::{Points, RawSample, Values};

/// A layered network in binary64, terms of each sum and its bias in this order or the other.
fn outputs(network: &Layered, point: &[f64], backwards: bool) -> Vec<f64> {
    let float = |x: &Rational| Dyadic::from_rational(x).and_then(|x| x.to_f64()).expect("held");
    network.layers().fold(point.to_vec(), |before, layer| {
        let value = |unit: &Unit| {
            let products = unit.weights.iter().map(|(from, w)| float(w) * before[*from]);
            let mut terms: Vec<f64> = products.chain([float(&unit.bias)]).collect();
            if backwards {
                terms.reverse();
            }
            let t: f64 = terms.iter().sum();
            match unit.activation {
                Activation::Identity => t,
                Activation::Relu => t.max(0.0),
                Activation::Square => t * t,
                other => unreachable!("{other} is not built here"),
            }
        };
        layer.iter().map(value).collect()
    })
}

fn one(layer: Unit) -> Layered {
    Layered { inputs: 1, hidden: vec![], output: vec![layer] }
}

fn says(network: &Layered, coordinate: f64) -> bool {
    let points = Points::new(Values::F64(vec![coordinate]), vec![1]).unwrap();
    LayeredExactness::of(network, &points).binary64
}

#[test]
fn each_bound_is_needed() {
    let number = |x: i64| Rational::from(x);
    let bias = |weight: i64, bias: i64| one(Unit::affine([(0, number(weight))], number(bias)));
    let large = (1 << 53) - 1;
    assert!(says(&bias(1 << 52, 1), 1.0), "2^52 + 1 is a number of binary64");
    assert!(!says(&bias(large, 2), 1.0), "2^53 + 1 is none");
    assert!(!says(&bias(1, 1 << 53), 0.5), "nor is 2^53 + 1/2");
    assert!(!says(&bias(1, 0), f64::from_bits(1)), "a grain below the normal range");
    // The product is normal, and a runtime that takes the coordinate for 0 finds 0.
    let steep = one(Unit::affine([(0, Dyadic::power_of_two(60).to_rational())], number(0)));
    assert!(!says(&steep, 2f64.powi(-1040)), "a coordinate below the normal range");
    assert!(says(&steep, 2f64.powi(-1000)));
    let third =
        one(Unit::affine([(0, Rational::from_parts(1.into(), 3u8.into()))], Rational::ZERO));
    assert!(!says(&third, 3.0), "a weight that is not a binary number");
    let square = |x: f64| says(&one(Unit::new(Activation::Square, [(0, number(1))], number(0))), x);
    assert!(square(94_906_265.0), "the square is below 2^53");
    assert!(!square(94_906_267.0), "the square is odd and above 2^53");
    let inverse =
        |x: f64| says(&one(Unit::new(Activation::Reciprocal, [(0, number(1))], number(0))), x);
    assert!(inverse(0.0) && inverse(-8.0) && !inverse(3.0));
}

proptest! {
    #![proptest_config(cases(15))]

    #[test]
    fn no_order_rounds_where_none_should(
        values in prop::collection::vec(-1000i64..1000, 24),
        d in 1usize..4,
        labels in labels(24),
        depth in 3usize..6,
    ) {
        let points = Points::new(Values::I64(values), vec![d]).expect("whole numbers");
        let rows: Vec<u32> = (0..points.n() as u32).collect();
        let raw = RawSample { text: "generated".to_owned(), labels: labels.select(&rows), points };
        let sample = sample(raw)?;
        let depth = depth.min(sample.points.n() + 2);
        let built: [Box<dyn Construction>; 2] = [Box::new(WidthTwo), Box::new(DepthK { depth })];
        for construction in built {
            let task = Task::new(&sample.points, &sample.labels, 1);
            let Ok(Network::Layered(network)) = construction.build(&task) else { continue };
            if !LayeredExactness::of(&network, &sample.points).binary64 {
                continue;
            }
            for i in 0..sample.points.n() {
                let point: Vec<f64> = (0..d).map(|k| sample.points.f64_at(i, k)).collect();
                let exact = network.evaluate(&sample.points.exact_row(i));
                for backwards in [false, true] {
                    let found = outputs(&network, &point, backwards);
                    for (x, y) in exact.iter().zip(found) {
                        prop_assert_eq!(x, &Dyadic::try_from(y).unwrap().to_rational());
                    }
                }
            }
        }
    }
}
