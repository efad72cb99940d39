//! The same in rational numbers: nothing here rounds.
//!
//! Matrices are slices of rows, vectors are columns of one output. For samples of a few dozen points:
//! numbers grow with every elimination, and with every step of a descent.

use shatter_exact::{Dyadic, Rational, matrix};

use super::{Design, RegressionError, Targets};

/// A row of numbers.
pub type Row = Vec<Rational>;

/// X⁺y, and whether it fits.
#[derive(Clone, Debug, PartialEq)]
pub struct ExactMinimum {
    /// w, d numbers.
    pub weights: Row,
    /// Rank of X.
    pub rank: usize,
    /// Points whose label is not met; empty if w fits all of them.
    pub misfits: Vec<usize>,
}

/// w = span + null.
#[derive(Clone, Debug, PartialEq)]
pub struct ExactParts {
    /// The part in the span of the points.
    pub span: Row,
    /// The part in the null space of X.
    pub null: Row,
}

/// The points of X, exactly.
#[must_use]
pub fn points(design: &Design) -> Vec<Row> {
    (0..design.rows()).map(|i| row(design.row(i))).collect()
}

/// The targets of output o, exactly.
#[must_use]
pub fn targets(targets: &Targets, output: usize) -> Row {
    row(&targets
        .values()
        .iter()
        .skip(output)
        .step_by(targets.outputs())
        .copied()
        .collect::<Vec<_>>())
}

/// Numbers, exactly.
///
/// Those that are not finite become 0; designs and targets have none.
#[must_use]
pub fn row(numbers: &[f64]) -> Row {
    numbers.iter().map(|&x| Dyadic::try_from(x).unwrap_or(Dyadic::ZERO).to_rational()).collect()
}

/// w = X⁺y: of the w that minimise ‖Xw − y‖, the one of least norm ([`factor`](super::factor)).
///
/// Rows R of X that are a basis of the span give X = CR; then X⁺ = Rᵀ(RRᵀ)⁻¹(CᵀC)⁻¹Cᵀ (MacDuffee).
///
/// ```
/// use shatter_exact::Rational;
/// use shatter_regression::exact::{minimum_norm, row};
/// let x = [row(&[1.0, 2.0]), row(&[1.0, 2.0])];
/// let fits = minimum_norm(&x, &row(&[5.0, 5.0]))?;
/// assert_eq!((fits.weights, fits.rank, fits.misfits.len()), (row(&[1.0, 2.0]), 1, 0));
/// // Equal points with the labels 4 and 6: the mean is fitted, and both are missed.
/// let missed = minimum_norm(&x, &row(&[4.0, 6.0]))?;
/// assert_eq!((missed.weights, missed.misfits), (row(&[1.0, 2.0]), vec![0, 1]));
/// # Ok::<(), shatter_regression::RegressionError>(())
/// ```
///
/// # Errors
/// [`RegressionError::Empty`], [`RegressionError::TargetCount`].
pub fn minimum_norm(x: &[Row], y: &[Rational]) -> Result<ExactMinimum, RegressionError> {
    let columns = x.first().map_or(0, Vec::len);
    if columns == 0 {
        return Err(RegressionError::Empty { rows: x.len(), columns });
    }
    if y.len() != x.len() {
        return Err(RegressionError::TargetCount { targets: y.len(), rows: x.len() });
    }
    let basis = matrix::independent_columns(&transposed(x));
    let rank = basis.len();
    let r: Vec<Row> = basis.iter().map(|&i| x[i].clone()).collect();
    let weights = if rank == 0 {
        vec![Rational::ZERO; columns]
    } else {
        // Both systems are of full rank, so that there is a solution.
        let gram = gram(&r);
        let sides: Vec<Row> =
            x.iter().map(|point| r.iter().map(|b| dot(b, point)).collect()).collect();
        let c = matrix::solve_all(&gram, &sides).unwrap_or_default(); // n × rank
        let columns_of_c = transposed(&c);
        let right: Row = columns_of_c.iter().map(|column| dot(column, y)).collect();
        let b = solved(&self::gram(&columns_of_c), &right, rank);
        combination(&r, &solved(&gram, &b, rank))
    };
    let misfits = (0..x.len()).filter(|&i| dot(&x[i], &weights) != y[i]).collect();
    Ok(ExactMinimum { weights, rank, misfits })
}

/// The two parts of w.
///
/// # Errors
/// Those of [`minimum_norm`].
pub fn split(x: &[Row], w: &[Rational]) -> Result<ExactParts, RegressionError> {
    let outputs: Row = x.iter().map(|point| dot(point, w)).collect();
    let span = minimum_norm(x, &outputs)?.weights;
    let null = w.iter().zip(&span).map(|(w, s)| w - s).collect();
    Ok(ExactParts { span, null })
}

/// Returns whether v is a combination of the points.
#[must_use]
pub fn is_in_span(x: &[Row], v: &[Rational]) -> bool {
    matrix::solve(&transposed(x), v).is_some()
}

/// w_λ = Xᵀ(XXᵀ + nλI)⁻¹y for λ > 0 ([`ridge`](super::ridge)).
///
/// # Errors
/// [`RegressionError::Decay`] for λ ≤ 0, [`RegressionError::TargetCount`].
pub fn decayed(x: &[Row], y: &[Rational], decay: &Rational) -> Result<Row, RegressionError> {
    if *decay <= Rational::ZERO {
        return Err(RegressionError::Decay(decay.to_f64().value()));
    }
    if y.len() != x.len() {
        return Err(RegressionError::TargetCount { targets: y.len(), rows: x.len() });
    }
    let mut gram = gram(x);
    let shift = decay * Rational::from(x.len());
    gram.iter_mut().enumerate().for_each(|(i, row)| row[i] += &shift);
    Ok(combination(x, &solved(&gram, y, x.len())))
}

/// A descent in rational numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct ExactDescent {
    /// w.
    pub weights: Row,
    /// α: w = w_0 + Xᵀα.
    pub coefficients: Row,
}

/// Descends from `start`, visiting the points in this order, with momentum: v ← μv + η e x_i, w ← w − v
/// ([`descent`](super::descent)). α is carried along, not computed from w.
///
/// ```
/// use shatter_exact::Rational;
/// use shatter_regression::exact::{combination, descend, is_in_span, row};
/// let x = [row(&[1.0, 2.0, 0.0]), row(&[0.0, 1.0, 1.0])];
/// let (zero, half) = (row(&[0.0; 3]), row(&[0.5]));
/// let found = descend(&x, &row(&[1.0, -1.0]), &zero, &[0, 1, 0, 1], (&row(&[0.25])[0], &half[0]));
/// assert_eq!(found.weights, combination(&x, &found.coefficients));
/// assert!(is_in_span(&x, &found.weights));
/// ```
///
/// # Panics
/// If an entry of `order` is no point, or lengths differ: a defect of the caller.
#[must_use]
pub fn descend(
    x: &[Row],
    y: &[Rational],
    start: &[Rational],
    order: &[usize],
    (step, momentum): (&Rational, &Rational),
) -> ExactDescent {
    assert_eq!((y.len(), start.len()), (x.len(), x[0].len()), "shapes of a descent");
    let (mut weights, mut velocity) = (start.to_vec(), vec![Rational::ZERO; start.len()]);
    let (mut coefficients, mut shares) =
        (vec![Rational::ZERO; x.len()], vec![Rational::ZERO; x.len()]);
    for &i in order {
        let gradient = step * (dot(&weights, &x[i]) - &y[i]);
        for ((w, v), x) in weights.iter_mut().zip(&mut velocity).zip(&x[i]) {
            *v = momentum * &*v + &gradient * x;
            *w -= &*v;
        }
        for (j, (a, share)) in coefficients.iter_mut().zip(&mut shares).enumerate() {
            *share *= momentum;
            if j == i {
                *share += &gradient;
            }
            *a -= &*share;
        }
    }
    ExactDescent { weights, coefficients }
}

/// The Hessian (1/n) Xᵀ diag(β) X of the quartic loss r²/2 + r⁴/12 at w, β_i = 1 + r_i²
/// ([`curvature`](super::curvature)).
///
/// # Panics
/// If there are no points, or lengths differ: a defect of the caller.
#[must_use]
pub fn hessian(x: &[Row], y: &[Rational], w: &[Rational]) -> Vec<Row> {
    assert_eq!((y.len(), w.len()), (x.len(), x[0].len()), "shapes of a Hessian");
    let n = Rational::from(x.len());
    let beta: Row = x
        .iter()
        .zip(y)
        .map(|(point, y)| {
            let residual = dot(point, w) - y;
            (Rational::ONE + &residual * &residual) / &n
        })
        .collect();
    let entry = |j: usize, k: usize| {
        let terms = x.iter().zip(&beta).map(|(point, beta)| &point[j] * &point[k] * beta);
        terms.fold(Rational::ZERO, |sum, term| sum + term)
    };
    (0..w.len()).map(|j| (0..w.len()).map(|k| entry(j, k)).collect()).collect()
}

/// Upper bound of the distance of weights to exact ones: rounded up.
///
/// # Panics
/// If the lengths differ: a defect of the caller.
#[must_use]
pub fn distance(weights: &[f64], exact: &[Rational]) -> f64 {
    assert_eq!(weights.len(), exact.len(), "vectors of different lengths");
    let difference: Row = row(weights).iter().zip(exact).map(|(w, e)| w - e).collect();
    root_above(&dot(&difference, &difference))
}

/// Upper bound of the norm.
#[must_use]
pub fn norm(values: &[Rational]) -> f64 {
    root_above(&dot(values, values))
}

/// The square root, rounded up: conversion and root are each off by less than one place.
fn root_above(square: &Rational) -> f64 {
    if square.is_zero() { 0.0 } else { square.to_f64().value().next_up().sqrt().next_up() }
}

/// ⟨x, y⟩.
#[must_use]
pub fn dot(x: &[Rational], y: &[Rational]) -> Rational {
    x.iter().zip(y).fold(Rational::ZERO, |sum, (x, y)| sum + x * y)
}

/// Σ_i α_i x_i, for at least one point.
#[must_use]
pub fn combination(x: &[Row], coefficients: &[Rational]) -> Row {
    let columns = x.first().map_or(0, Vec::len);
    let entry = |k: usize| {
        let terms = x.iter().zip(coefficients).map(|(point, a)| &point[k] * a);
        terms.fold(Rational::ZERO, |sum, term| sum + term)
    };
    (0..columns).map(entry).collect()
}

fn gram(x: &[Row]) -> Vec<Row> {
    x.iter().map(|a| x.iter().map(|b| dot(a, b)).collect()).collect()
}

fn transposed(x: &[Row]) -> Vec<Row> {
    let columns = x.first().map_or(0, Vec::len);
    (0..columns).map(|k| x.iter().map(|row| row[k].clone()).collect()).collect()
}

/// The solution of a system of full rank.
fn solved(a: &[Row], b: &[Rational], size: usize) -> Row {
    matrix::solve(a, b).unwrap_or_else(|| vec![Rational::ZERO; size])
}
