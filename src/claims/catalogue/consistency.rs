//! Equal points with different labels: claim 31.

use proptest::collection::vec;

use shatter_exact::Rational;
use shatter_network::Layered;
use shatter_sample::{LabelRule, Labels, Points, RawSample, SampleError, Values};

use super::super::claim::{Claim, Evidence, Stated, Trial};
use super::super::strategy::{architecture, network};

pub(super) const CLAIMS: [Claim; 1] = [Claim {
    number: 31,
    name: "conflicting-duplicates-can-be-fitted",
    statement: "A network that is large enough fits equal points with different labels.",
    verdict: Stated::False,
    source: "a function has one value at a point",
    test: conflicting,
}];

fn conflicting(trial: &Trial) -> Evidence {
    let point = vec(-9i64..=9, 2);
    let networks = network(architecture(2..=2, 0..=3, 1..=4, 1..=1));
    let values = (point, -9i32..=9, -9i32..=9, networks);
    let words = |(x, first, second, _): &(Vec<i64>, i32, i32, Layered)| {
        format!("x_1 = x_2 = {x:?}, y_1 = {first}, y_2 = {second}")
    };
    trial.refuted_by(values, words, |(x, first, second, network)| {
        refused(x, *first, *second)?;
        let x: Vec<Rational> = x.iter().map(|&x| Rational::from(x)).collect();
        let fits = |y: i32| network.evaluate(&x) == [Rational::from(y)];
        match fits(*first) && fits(*second) {
            true => Err("a network with two values at one point".to_owned()),
            false => Ok("the sample is refused with the indices of both points, and a generated \
                         network gives the point one value, which is not both labels"
                .to_owned()),
        }
    })
}

/// Checks that the two points are refused as inconsistent, by their indices.
fn refused(x: &[i64], first: i32, second: i32) -> Result<(), String> {
    let wrong = |error: SampleError| error.to_string();
    let points = Points::new(Values::I64([x, x].concat()), vec![x.len()]).map_err(wrong)?;
    let labels = Labels::real(vec![first.into(), second.into()], 1).map_err(wrong)?;
    match (RawSample { text: "generated".to_owned(), points, labels }).distinct(LabelRule::True, 0)
    {
        Err(SampleError::Inconsistent { first: 0, second: 1, .. }) => Ok(()),
        Err(error) => Err(error.to_string()),
        Ok(_) => Err("the sample is consistent".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::refused;

    #[test]
    fn equal_labels_are_no_conflict() {
        assert_eq!(refused(&[1, 2], 3, 3), Err("the sample is consistent".to_owned()));
        assert_eq!(refused(&[1, 2], 3, 4), Ok(()));
    }
}
