//! The polynomial of degree n − 1 through the sample on a line, as a network of squares.
//!
//! **Statement.** Any n distinct points of R^d with any real labels are fitted by a network of depth n
//! with 2(n − 2) units of the activation t² (none if n <= 2) that computes a polynomial of degree at
//! most n − 1 in one projection.
//!
//! **Source.** Interpolation of Lagrange 1795 in the form of Newton 1687; products from squares.
//!
//! **Construction.** With z_i = <a, x_i> and divided differences c_j = [z_1, …, z_j] y,
//! P = c_1 + (z − z_1)(c_2 + (z − z_2)(c_3 + …)). Evaluated from the inside (Horner),
//! acc <- c_j + (z − z_j) · acc, where the first step from c_n to c_{n−1} + (z − z_{n−1}) c_n is affine
//! and each further one takes a layer of (u + v)², (u − v)² and z, for 4uv = (u + v)² − (u − v)². So
//! that nothing is a fraction but the output weights, z_i are integer keys, every c_j is multiplied by
//! D, the least common multiple of Π_{k ≠ i} (z_i − z_k) over all i, and a factor of 4 is left in at
//! each product and divided out at the end.
//!
//! **Counts.** Depth n; 2(n − 2) units; width min(n − 1, 3), with the identity that carries z; at most
//! 9n + d − 19 weights and biases that are not 0 (n >= 3): d + 1 for z, 5 for the first product, 9 for
//! each other but 8 for the last, 3 for the output; d + 3 if n = 2 and 1 if n = 1. Numbers chosen: n
//! coefficients, n − 1 nodes, the direction.
//! **Bits.** D has up to about n²B/2 bits for keys of B bits, and so have the biases: n³ B bits
//! altogether, where Theorem 1 takes nB. Small primes are shared: with random keys of 16 bits the widest
//! number has 25,189 bits for n = 128 and 41,778 for n = 200 (16 million bits altogether); with keys
//! 0, …, 511 it has 4,889. An exact evaluation multiplies such numbers 2n² times, which is why n is
//! limited to 512 and D to 2^18 bits.
//! **Cost.** O(n²) operations on such numbers.

use dashu_int::ops::Gcd;

use shatter_exact::{Dyadic, IBig, Lattice, Rational, bit_length};
use shatter_network::{Activation, Layered, Network, Unit};

use super::ConstructError;
use super::construction::{Assumption, Bound, Construction, Promise, Task};
use super::line::{Keys, Line};

/// Points, at most.
const MOST_POINTS: usize = 512;
/// Bits of D, at most.
const MOST_BITS: u64 = 1 << 18;

/// The construction; it has no parameters.
///
/// ```
/// use shatter_construct::{Construction, Task, lagrange::Lagrange};
/// use shatter_sample::{self as sample, LabelRule};
/// let sample = sample::load("lattice:n=20,d=3", 1)?.distinct(LabelRule::Random, 1)?;
/// let network = Lagrange.build(&Task::new(&sample.points, &sample.labels, 1))?;
/// assert_eq!((network.sizes().depth, network.sizes().units, network.sizes().width), (20, 36, 3));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Lagrange;

/// The sample on integer keys, and what makes the coefficients integers.
struct Plan {
    line: Line,
    keys: Keys,
    /// D.
    multiple: IBig,
}

impl Lagrange {
    fn plan(&self, task: &Task) -> Result<Plan, ConstructError> {
        task.scalar()?;
        let n = task.points.n();
        let too_large = |why| ConstructError::TooLarge { construction: self.name(), n, why };
        if n > MOST_POINTS {
            return Err(too_large(format!("the limit is {MOST_POINTS} points")));
        }
        let line = Line::of(task)?;
        let keys = line.keys(task);
        let wide = |x: &IBig| bit_length(x) > MOST_BITS;
        let mut multiple = IBig::ONE;
        for (i, key) in keys.keys.iter().enumerate() {
            let mut product = IBig::ONE;
            for other in keys.keys[..i].iter().chain(&keys.keys[i + 1..]) {
                product *= key - other;
                if wide(&product) {
                    break;
                }
            }
            multiple *= &product / IBig::from((&multiple).gcd(&product));
            if wide(&multiple) {
                return Err(too_large(format!(
                    "the coefficients have a common denominator of more than {MOST_BITS} bits"
                )));
            }
        }
        Ok(Plan { line, keys, multiple })
    }
}

impl Construction for Lagrange {
    fn name(&self) -> String {
        "lagrange".to_owned()
    }

    fn source(&self) -> &'static str {
        "Lagrange 1795, in Newton's form"
    }

    fn statement(&self) -> &'static str {
        "one polynomial of degree n − 1, by 2(n − 2) squaring units, fits any real labels on any n distinct points"
    }

    fn assumptions(&self) -> &'static [Assumption] {
        &[Assumption::ScalarLabels]
    }

    fn promise(&self, task: &Task) -> Result<Promise, ConstructError> {
        self.plan(task)?; // there is room
        let (n, d) = (task.points.n() as u64, task.points.d() as u64);
        let (nonzero, free) = match n {
            1 => (1, 1),
            2 => (d + 3, d + 3),
            _ => (9 * n + d - 19, d + 2 * n - 1),
        };
        Ok(Promise {
            depth: Bound::Exactly(n),
            units: Bound::Exactly(2 * n.saturating_sub(2)),
            width: Bound::Exactly((n - 1).min(3)),
            nonzero: Bound::AtMost(nonzero),
            free,
        })
    }

    fn build(&self, task: &Task) -> Result<Network, ConstructError> {
        let Plan { line, keys: Keys { keys, weights, bias }, multiple } = self.plan(task)?;
        let n = keys.len();
        let labels = Lattice::from_dyadics(&line.y);
        let c = coefficients(&keys, &line.y, labels.exponent, &multiple);
        // acc as an affine function of the last layer, whose last unit is z.
        let (mut acc, mut constant) = (Vec::new(), c[n - 1].clone());
        let mut hidden = Vec::new();
        if n > 1 {
            hidden.push(vec![Unit::affine(weights.into_iter().enumerate(), bias)]);
            constant = &c[n - 2] - &c[n - 1] * &keys[n - 2];
            acc.push(c[n - 1].clone());
        }
        for j in (0..n.saturating_sub(2)).rev() {
            let z = acc.len() - 1;
            let square = |sign: IBig| {
                let weight = |(i, w)| (i, Rational::from(&sign * w + IBig::from(i == z)));
                let bias = Rational::from(&sign * &constant - &keys[j]);
                Unit::new(Activation::Square, acc.iter().enumerate().map(weight), bias)
            };
            let carried = Unit::affine([(z, Rational::ONE)], Rational::ZERO);
            let layer = [square(IBig::ONE), square(IBig::NEG_ONE), carried];
            hidden.push(layer.into_iter().take(if j > 0 { 3 } else { 2 }).collect());
            acc = vec![IBig::ONE, IBig::NEG_ONE, IBig::ZERO];
            constant = &c[j] << (2 * (n - 2 - j));
        }
        let factors = 2 * n.saturating_sub(2) as i64;
        let scale = Dyadic::power_of_two(labels.exponent - factors).to_rational() / multiple;
        let scaled = |x: &IBig| Rational::from(x.clone()) * &scale;
        let output = Unit::affine(acc.iter().map(scaled).enumerate(), scaled(&constant));
        Ok(Network::Layered(Layered { inputs: task.points.d(), hidden, output: vec![output] }))
    }
}

/// D c_1, …, D c_n for labels in units of 2^`exponent`. All divisions are exact: the denominators that
/// a divided difference has before reduction divide D.
fn coefficients(keys: &[IBig], y: &[Dyadic], exponent: i64, multiple: &IBig) -> Vec<IBig> {
    let mut table: Vec<IBig> = y.iter().map(|y| y.in_units_of(exponent) * multiple).collect();
    for order in 1..keys.len() {
        for i in (order..keys.len()).rev() {
            table[i] = (&table[i] - &table[i - 1]) / (&keys[i] - &keys[i - order]);
        }
    }
    table
}
