//! Conjugate gradients for several right sides at once, with a preconditioner.
//!
//! Solves A x_c = b_c for columns c = 1, …, C, A symmetric positive definite and known by its products (one pass over its
//! blocks serves all columns), with M ≈ A symmetric positive definite and known by its inverse. Source: Saad, *Iterative Methods for
//! Sparse Linear Systems*, algorithm 9.1. With M = L Lᵀ, a Cholesky factor of A in lower precision, a first step is one of
//! iterative refinement, and where plain refinement would diverge the directions still converge.
//!
//! **Stopping.** A column is done when ‖r‖ <= tolerance · ‖b‖, or when ‖r‖ <= √n u ‖A‖ ‖x‖, u = 2^-53: x is then the exact solution of a
//! system whose matrix differs by √n u ‖A‖ (Rigal and Gaches 1967), which is what sums of n terms are usually off by, so that a
//! computed residual could hardly show more. ‖A‖ is the larger of an estimate and of what the products show. Residuals of the recurrence
//! drift, so the true ones are computed at the end, and iteration restarts from them if they are larger. It gives up when a restart has not
//! halved the residual.

use super::watch::Stopped;

/// When to stop.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stop {
    /// Relative residual that is enough; 0 for as far as rounding lets it go.
    pub tolerance: f64,
    /// Products with A, at most.
    pub most: usize,
    /// An estimate of ‖A‖.
    pub size: f64,
}

/// The solution.
#[derive(Clone, Debug)]
pub(crate) struct Iterated {
    /// x, n × C.
    pub solution: Vec<f64>,
    /// b − A x as computed, n × C.
    pub residual: Vec<f64>,
    /// Products with A.
    pub products: usize,
    /// Every column is done.
    pub converged: bool,
}

const U: f64 = f64::EPSILON / 2.0;

/// Σ_i x_ic y_ic of each column.
fn dots(x: &[f64], y: &[f64], columns: usize) -> Vec<f64> {
    let mut sums = vec![0.0; columns];
    for (x, y) in x.chunks_exact(columns).zip(y.chunks_exact(columns)) {
        sums.iter_mut().zip(x).zip(y).for_each(|((sum, x), y)| *sum += x * y);
    }
    sums
}

/// x_ic += by_c y_ic.
fn add(x: &mut [f64], by: &[f64], y: &[f64]) {
    let columns = by.len();
    for (x, y) in x.chunks_exact_mut(columns).zip(y.chunks_exact(columns)) {
        x.iter_mut().zip(by).zip(y).for_each(|((x, by), y)| *x += by * y);
    }
}

/// Solves from the start `x`; `multiplied` computes A p, `preconditioned` M⁻¹ r.
pub(crate) fn conjugate_gradients(
    mut multiplied: impl FnMut(&[f64]) -> Result<Vec<f64>, Stopped>,
    preconditioned: impl Fn(&[f64]) -> Vec<f64>,
    right: &[f64],
    mut x: Vec<f64>,
    columns: usize,
    stop: Stop,
) -> Result<Iterated, Stopped> {
    // √n u.
    let unit = U * ((right.len() / columns) as f64).sqrt();
    let norms =
        |v: &[f64]| -> Vec<f64> { dots(v, v, columns).into_iter().map(f64::sqrt).collect() };
    let of_right = norms(right);
    let mut size = stop.size;
    let mut products = 0;
    let mut last: Option<Vec<f64>> = None;
    loop {
        // The true residual.
        let mut residual = right.to_vec();
        if x.iter().any(|&x| x != 0.0) {
            let product = multiplied(&x)?;
            products += 1;
            size = norms(&product)
                .iter()
                .zip(norms(&x))
                .fold(size, |size, (of, x)| f64::max(size, of / f64::max(x, f64::MIN_POSITIVE)));
            residual.iter_mut().zip(&product).for_each(|(r, product)| *r -= product);
        }
        let done = |size: f64, residual: &[f64], x: &[f64]| -> Vec<bool> {
            let (of_x, of_residual) = (norms(x), norms(residual));
            let one = |c: usize| {
                of_residual[c] <= f64::max(stop.tolerance * of_right[c], unit * size * of_x[c])
            };
            (0..columns).map(one).collect()
        };
        let finished = done(size, &residual, &x);
        let converged = finished.iter().all(|&done| done);
        let now = norms(&residual);
        // NaN is not below anything.
        let halved = |last: &Vec<f64>| (0..columns).any(|c| !finished[c] && now[c] < 0.5 * last[c]);
        let stuck = last.as_ref().is_some_and(|last| !halved(last));
        if converged || stuck || products >= stop.most {
            return Ok(Iterated { solution: x, residual, products, converged });
        }
        last = Some(now);
        let mut z = preconditioned(&residual);
        let mut rz = dots(&residual, &z, columns);
        let mut p = z;
        // Columns that have converged or broken down rest.
        let mut rests = finished;
        while products < stop.most {
            let q = multiplied(&p)?;
            products += 1;
            let pq = dots(&p, &q, columns);
            let of_p = norms(&p);
            for (of, p) in norms(&q).into_iter().zip(&of_p) {
                if *p > 0.0 && of.is_finite() {
                    size = f64::max(size, of / p);
                }
            }
            let mut step = vec![0.0; columns];
            for c in 0..columns {
                let length = rz[c] / pq[c];
                rests[c] |= !(pq[c] > 0.0 && rz[c] > 0.0 && length.is_finite());
                if !rests[c] {
                    step[c] = length;
                }
            }
            add(&mut x, &step, &p);
            step.iter_mut().for_each(|step| *step = -*step);
            add(&mut residual, &step, &q);
            for (rests, done) in rests.iter_mut().zip(done(size, &residual, &x)) {
                *rests |= done;
            }
            if rests.iter().all(|&rests| rests) {
                break;
            }
            z = preconditioned(&residual);
            let next = dots(&residual, &z, columns);
            let turn: Vec<f64> =
                (0..columns).map(|c| if rests[c] { 0.0 } else { next[c] / rz[c] }).collect();
            // p = z + turn p
            for (p, z) in p.chunks_exact_mut(columns).zip(z.chunks_exact(columns)) {
                for c in 0..columns {
                    p[c] = z[c] + turn[c] * p[c];
                }
            }
            rz = next;
        }
    }
}
