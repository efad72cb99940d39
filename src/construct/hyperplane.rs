//! Hyperplanes through given points, and tilts so small that they change sides on those points only.
//!
//! A function is affine: s(x) = <u, x> + c, d + 1 numbers. The constructions that need general
//! position repeat one step. For a group G of at most d points,
//!
//! ```text
//! s = 0 on G,   gap = min |s| elsewhere;     t = prescribed values on G,   M = max |t| elsewhere
//! ```
//!
//! and with 0 < δ <= gap/(M + 1) the sign of s + δt is that of t on G and that of s elsewhere. Any
//! smaller δ does as well: δ is a power of two, which takes fewest bits.
//!
//! General position is never checked for all d + 1 points out of n. What is checked is what is used:
//! the points of G are affinely independent, and gap > 0. Where that fails the points are grouped in
//! another order, a few times, and then the points of the first failure are named.
//!
//! **Arithmetic.** Points are integers over one power of two in common, planes have coprime integers:
//! all values of a plane are integer dot products, O(nd), after an elimination of O(d³).

use std::cmp::Ordering;

use dashu_int::ops::Gcd;
use rand_chacha::ChaCha8Rng;

use shatter_exact::{IBig, Rational, bit_length, matrix};
use shatter_network::{Activation, ExactPoints, Unit};
use shatter_random::stream::{Purpose, below, stream};
use shatter_sample::Points;

use super::ConstructError;

/// Orders in which the points are grouped before a sample is refused.
const ATTEMPTS: u32 = 8;

/// Operations on words of 64 bits that a construction may need: minutes.
const LIMIT: u64 = 1 << 33;

/// An affine function: d weights and a constant.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Affine(Vec<Rational>);

impl Affine {
    /// <a, x>.
    pub fn linear(a: &[i64]) -> Affine {
        Affine(a.iter().chain(&[0]).map(|&x| Rational::from(x)).collect())
    }

    /// self + factor · other.
    pub fn plus(&self, factor: &Rational, other: &Affine) -> Affine {
        Affine(self.0.iter().zip(&other.0).map(|(x, y)| x + factor * y).collect())
    }

    /// self + constant.
    pub fn raised(mut self, constant: &Rational) -> Affine {
        if let Some(last) = self.0.last_mut() {
            *last += constant;
        }
        self
    }

    /// −self.
    pub fn negated(&self) -> Affine {
        Affine(self.0.iter().map(|x| -x).collect())
    }

    /// The function with coprime integers, and the factor > 0 that it was multiplied by to get self.
    pub fn primitive(&self) -> (Affine, Rational) {
        let one = || IBig::ONE;
        let common = self.0.iter().fold(one(), |common, x| {
            let denominator = x.denominator().as_ibig();
            &common / IBig::from((&common).gcd(denominator)) * denominator
        });
        let integers: Vec<IBig> =
            self.0.iter().map(|x| x.numerator() * (&common / x.denominator().as_ibig())).collect();
        let divisor = integers.iter().fold(IBig::ZERO, |divisor, x| match divisor == IBig::ZERO {
            true if x < &IBig::ZERO => -x,
            true => x.clone(),
            false => IBig::from(divisor.gcd(x)),
        });
        let divisor = if divisor == IBig::ZERO { one() } else { divisor };
        let numbers = integers.iter().map(|x| Rational::from(x / &divisor)).collect();
        (Affine(numbers), Rational::from_parts_signed(divisor, common))
    }

    /// H(self), with coprime integers: a threshold does not feel a factor.
    pub fn threshold(&self) -> Unit {
        self.primitive().0.unit(Activation::Threshold)
    }

    /// weight · ReLU(self): the unit with coprime integers, and its output weight.
    pub fn relu(&self, weight: &Rational) -> (Unit, Rational) {
        let (integers, factor) = self.primitive();
        (integers.unit(Activation::Relu), factor * weight)
    }

    fn unit(self, activation: Activation) -> Unit {
        let mut weights = self.0;
        let bias = weights.pop().unwrap_or(Rational::ZERO);
        Unit::new(activation, weights.into_iter().enumerate(), bias)
    }
}

/// The points as integers (X, q) with x = X/q and one q for all of them.
pub(super) struct Cloud {
    rows: Vec<Vec<IBig>>,
    unit: IBig,
}

impl Cloud {
    /// The points, if this many planes through d of them are within reach.
    ///
    /// # Errors
    /// [`ConstructError::TooLarge`].
    pub fn for_planes(name: &str, points: &Points, planes: usize) -> Result<Cloud, ConstructError> {
        let (n, d) = (points.n() as u64, points.d() as u64);
        let rows = n.min(d);
        // Two eliminations, for s and t, and their values.
        let each = 2 * d.saturating_mul(rows.saturating_mul(rows).saturating_add(n));
        Cloud::of(name, points, each.saturating_mul(planes as u64), rows)
    }

    /// The points, if so many operations on numbers as long as this many coordinates are within reach.
    ///
    /// # Errors
    /// [`ConstructError::TooLarge`].
    pub fn of(
        name: &str,
        points: &Points,
        operations: u64,
        coordinates: u64,
    ) -> Result<Cloud, ConstructError> {
        let (n, d) = (points.n(), points.d());
        let (mut exponent, mut top) = (0, 0);
        for x in (0..n).flat_map(|i| (0..d).map(move |k| points.exact_at(i, k))) {
            exponent = x.grain().unwrap_or(0).min(exponent);
            top = x.log2_floor().unwrap_or(0).max(top);
        }
        let bits = coordinates.saturating_mul((top + 1 - exponent).unsigned_abs());
        // An operation on short numbers takes as long as about 16 words of a long one.
        if operations.saturating_mul(bits / 64 + 16) > LIMIT {
            let why = format!("about {operations} exact operations on numbers of {bits} bits");
            return Err(ConstructError::TooLarge { construction: name.to_owned(), n, why });
        }
        let unit = IBig::ONE << exponent.unsigned_abs() as usize;
        let row = |i| {
            let integers = (0..d).map(|k| points.exact_at(i, k).in_units_of(exponent));
            integers.chain([unit.clone()]).collect()
        };
        Ok(Cloud { rows: (0..n).map(row).collect(), unit })
    }

    /// Number of points.
    pub fn n(&self) -> usize {
        self.rows.len()
    }

    /// Number of coordinates of a point.
    pub fn d(&self) -> usize {
        self.rows[0].len() - 1
    }

    /// The linear system whose unknowns are the d + 1 numbers of an affine function.
    fn system(&self, group: &[usize]) -> Vec<Vec<Rational>> {
        group.iter().map(|&i| self.rows[i].iter().cloned().map(Rational::from).collect()).collect()
    }

    /// A basis of the functions that are 0 on the points of `group`, with coprime integers: first the
    /// weights, which vanish on the differences of the points, then the constants.
    pub fn vanishing(&self, group: &[usize]) -> Vec<Affine> {
        let d = self.d();
        let Some((&first, rest)) = group.split_first() else { return Vec::new() };
        let origin = &self.rows[first];
        let difference = |&i: &usize| -> Vec<Rational> {
            let pairs = self.rows[i].iter().zip(origin).take(d);
            pairs.map(|(x, x0)| Rational::from(x - x0)).collect()
        };
        let differences: Vec<Vec<Rational>> = rest.iter().map(difference).collect();
        let through_origin = |mut weights: Vec<Rational>| {
            let value = weights
                .iter()
                .zip(origin)
                .fold(Rational::ZERO, |sum, (weight, x)| sum + weight * Rational::from(x.clone()));
            weights.push(-value / Rational::from(self.unit.clone()));
            Affine(weights).primitive().0
        };
        matrix::null_space(&differences, d).into_iter().map(through_origin).collect()
    }

    /// A function with these values on the points of `group`.
    ///
    /// # Errors
    /// [`ConstructError::Dependent`] if there is none.
    pub fn interpolate(
        &self,
        group: &[usize],
        values: &[Rational],
    ) -> Result<Affine, ConstructError> {
        let unit = Rational::from(self.unit.clone());
        let values: Vec<Rational> = values.iter().map(|value| value * &unit).collect();
        let found = matrix::solve(&self.system(group), &values).map(Affine);
        found.ok_or_else(|| ConstructError::Dependent { points: group.to_vec() })
    }

    /// The values at all points.
    pub fn values(&self, f: &Affine) -> Values {
        let (integers, factor) = f.primitive();
        let integers: Vec<&IBig> = integers.0.iter().map(Rational::numerator).collect();
        let value = |row: &Vec<IBig>| {
            row.iter().zip(&integers).fold(IBig::ZERO, |sum, (x, u)| sum + x * *u)
        };
        let factor = factor / Rational::from(self.unit.clone());
        Values { integers: self.rows.iter().map(value).collect(), factor }
    }
}

/// The values of a function at all points: integers, and a factor > 0 that all have in common.
pub(super) struct Values {
    integers: Vec<IBig>,
    factor: Rational,
}

impl Values {
    /// The value at point i.
    pub fn at(&self, i: usize) -> Rational {
        Rational::from(self.integers[i].clone()) * &self.factor
    }

    /// How the value at point i compares with 0.
    pub fn sign(&self, i: usize) -> Ordering {
        self.integers[i].cmp(&IBig::ZERO)
    }

    /// The magnitude at point i, in units of the factor.
    fn magnitude(&self, i: usize) -> IBig {
        let x = &self.integers[i];
        if *x < IBig::ZERO { -x } else { x.clone() }
    }

    /// The largest value at these points, if there are any.
    pub fn largest(&self, points: &[usize]) -> Option<Rational> {
        points.iter().max_by_key(|&&i| &self.integers[i]).map(|&i| self.at(i))
    }

    /// The smallest magnitude at these points, if there are any.
    fn least(&self, points: &[usize]) -> Option<Rational> {
        points.iter().map(|&i| self.magnitude(i)).min().map(|x| Rational::from(x) * &self.factor)
    }

    /// The largest magnitude at these points, 0 if there are none.
    fn most(&self, points: &[usize]) -> Rational {
        let most = points.iter().map(|&i| self.magnitude(i)).max().unwrap_or(IBig::ZERO);
        Rational::from(most) * &self.factor
    }
}

/// A hyperplane s = 0 through a group of points that meets none of the others.
pub(super) struct Plane<'a> {
    cloud: &'a Cloud,
    /// The points on it.
    pub group: Vec<usize>,
    /// The points that it is to keep away from.
    pub others: Vec<usize>,
    /// s.
    pub s: Affine,
    /// s at all points.
    pub values: Values,
    /// The smallest |s| at the others; 1 if there are none.
    pub gap: Rational,
}

impl<'a> Plane<'a> {
    /// A hyperplane through the points of `group`: the only one through d points; of the many through
    /// fewer, one that nothing but the group decides.
    ///
    /// # Errors
    /// [`ConstructError::Dependent`], [`ConstructError::NotGeneral`].
    pub fn through(cloud: &'a Cloud, group: Vec<usize>) -> Result<Plane<'a>, ConstructError> {
        let mut basis = cloud.vanishing(&group);
        if basis.len() + group.len() > cloud.d() + 1 {
            return Err(ConstructError::Dependent { points: group });
        }
        let others = (0..cloud.n()).filter(|i| !group.contains(i)).collect();
        Plane::new(cloud, basis.swap_remove(0), group, others)
    }

    /// The hyperplane s = 0, where s is 0 on the `group`.
    ///
    /// # Errors
    /// [`ConstructError::NotGeneral`] if s is 0 at one of the `others`.
    pub fn new(
        cloud: &'a Cloud,
        s: Affine,
        group: Vec<usize>,
        others: Vec<usize>,
    ) -> Result<Plane<'a>, ConstructError> {
        let values = cloud.values(&s);
        if let Some(&extra) = others.iter().find(|&&i| values.sign(i).is_eq()) {
            return Err(ConstructError::NotGeneral { hyperplane: group, extra });
        }
        let gap = values.least(&others).unwrap_or(Rational::ONE);
        Ok(Plane { cloud, group, others, s, values, gap })
    }

    /// A function t with these values on the group, and M, its largest magnitude at the others.
    ///
    /// # Errors
    /// [`ConstructError::Dependent`].
    pub fn tilt(&self, values: &[Rational]) -> Result<(Affine, Rational), ConstructError> {
        let t = self.cloud.interpolate(&self.group, values)?;
        let most = self.cloud.values(&t).most(&self.others);
        Ok((t, most))
    }

    /// A power of two δ <= gap/(M + 1): then |δt| < |s| at the others.
    pub fn step(&self, most: &Rational) -> Rational {
        power_of_two_below(&(&self.gap / (most + Rational::ONE)))
    }
}

/// A power of two that is at most x, and more than x/4, for x > 0.
pub(super) fn power_of_two_below(x: &Rational) -> Rational {
    // 2^(p − 1) <= numerator and denominator < 2^q.
    let p = bit_length(x.numerator()) as i64;
    let q = bit_length(x.denominator().as_ibig()) as i64;
    let power = IBig::ONE << (p - 1 - q).unsigned_abs() as usize;
    if p > q { Rational::from(power) } else { Rational::from_parts_signed(IBig::ONE, power) }
}

/// Points that one hyperplane goes through: those that it is for, and after them filler.
pub(super) struct Group {
    /// The points, d of them if there are so many.
    pub points: Vec<usize>,
    /// How many of them it is for.
    pub own: usize,
}

/// `chosen` in groups of d; the last one is filled up with the first points of `order` that are not in
/// it.
pub(super) fn groups(chosen: &[usize], order: &[usize], d: usize) -> Vec<Group> {
    let group = |own: &[usize]| {
        let filler = order.iter().filter(|i| !own.contains(i)).take(d - own.len());
        Group { points: own.iter().chain(filler).copied().collect(), own: own.len() }
    };
    chosen.chunks(d).map(group).collect()
}

/// Builds with the points in the given order, and where they are not in general position, in other
/// orders.
///
/// # Errors
/// As [`with_some_choice`].
pub(super) fn in_some_order<T>(
    n: usize,
    seed: u64,
    build: impl Fn(&[usize]) -> Result<T, ConstructError>,
) -> Result<T, ConstructError> {
    let shuffle = |rng: &mut ChaCha8Rng, order: &mut Vec<usize>| {
        for i in (1..n).rev() {
            order.swap(i, below(rng, i as u64 + 1) as usize);
        }
    };
    with_some_choice((0..n).collect(), seed, shuffle, |order: &Vec<usize>| build(order))
}

/// Builds with the choice given, and where the points turn out not to be in general position, with
/// others, drawn one after the other.
///
/// # Errors
/// The error of the first attempt if all fail, and at once any that no choice mends.
pub(super) fn with_some_choice<C, T>(
    mut choice: C,
    seed: u64,
    redraw: impl Fn(&mut ChaCha8Rng, &mut C),
    build: impl Fn(&C) -> Result<T, ConstructError>,
) -> Result<T, ConstructError> {
    let first = match build(&choice) {
        Err(error) if is_position(&error) => error,
        done => return done,
    };
    let mut rng = stream(seed, Purpose::Groups);
    for _ in 1..ATTEMPTS {
        redraw(&mut rng, &mut choice);
        match build(&choice) {
            Err(error) if is_position(&error) => {}
            done => return done,
        }
    }
    Err(first)
}

/// Whether other hyperplanes through the same points could do.
fn is_position(error: &ConstructError) -> bool {
    matches!(error, ConstructError::NotGeneral { .. } | ConstructError::Dependent { .. })
}
