//! The Nyström preconditioner: M = K_ns K_ss⁻¹ K_sn + σ I, from the columns of K at s sampled centres.
//!
//! Symbols: C = K_ns, n × s; W = K_ss, s × s; σ > 0 the mean of the diagonal that C W⁻¹ Cᵀ leaves of K. By Woodbury
//!
//! ```text
//! M⁻¹ r = (r − C (σ W + CᵀC)⁻¹ Cᵀ r)/σ
//! ```
//!
//! To σW + CᵀC, E = s u trace · I is added, as much as its factorisation may be off by: with any E >= 0 the inverse stays positive
//! definite, since C (CᵀC + …)⁻¹ Cᵀ <= I, and conjugate gradients need no more; what is solved does not change. Source: Williams and Seeger
//! 2001; Rudi, Carratino and Rosasco 2017.
//!
//! **Cost.** n s numbers; n s (d + s) operations and s³/3 once; 4 n s for each column of each product.

use rayon::prelude::*;

use shatter_linear::cholesky;
use shatter_linear::packed::Packed;
use shatter_matrix::product::{Matrix, MatrixMut, product, product_by_columns};
use shatter_random::stream::{Purpose, stream, subset};

use super::blocks::{Blocks, Scratch};
use super::fit::FitError;
use super::kernel::Kernel;

/// Columns of a part of CᵀC.
const WIDTH: usize = 256;

/// M⁻¹, ready.
pub(crate) struct Nystrom {
    /// C, n × s.
    columns: Vec<f64>,
    s: usize,
    sigma: f64,
    /// An estimate of ‖K‖.
    size: f64,
    /// The factor of σW + CᵀC + E.
    inner: Packed<f64>,
}

impl Nystrom {
    /// From `s` centres drawn with `seed`, of the `n` points of `blocks`.
    pub fn new(
        blocks: &Blocks,
        n: usize,
        s: usize,
        ridge: f64,
        seed: u64,
    ) -> Result<Nystrom, FitError> {
        let s = s.clamp(1, n);
        let chosen = subset(&mut stream(seed, Purpose::Probe), n as u32, s);
        let bytes = (n as u64).saturating_mul(s as u64).saturating_mul(8);
        let mut columns = Vec::new();
        columns
            .try_reserve_exact(n * s)
            .map_err(|_| FitError::Memory { bytes, available: None })?;
        columns.resize(n * s, 0.0);
        let centres = blocks.centres().select(&chosen)?;
        let against = Blocks::new(blocks.kernel(), blocks.points(), &centres)?;
        columns.par_chunks_mut(WIDTH * s).enumerate().for_each_init(
            Scratch::default,
            |scratch, (part, rows)| {
                let first = part * WIDTH;
                against.fill(first..first + rows.len() / s, 0..s, false, scratch);
                rows.copy_from_slice(&scratch.values[..rows.len()]);
            },
        );
        let w: Vec<f64> = chosen
            .iter()
            .flat_map(|&i| &columns[i as usize * s..(i as usize + 1) * s])
            .copied()
            .collect();
        // What the approximation leaves of the diagonal, on the sampled rows of a first factor of W.
        let u = f64::EPSILON / 2.0;
        let trace: f64 = (0..s).map(|a| w[a * s + a]).sum();
        let sigma = remainder(blocks, &columns, &w, s, n, trace * u * s as f64)? + ridge;
        let sigma = if sigma > 0.0 { sigma } else { trace * u };
        let mut square = vec![0.0; s * s];
        let c = Matrix::of_rows(&columns, n, s);
        product_by_columns(MatrixMut::of_rows(&mut square, s, s), false, c.transposed(), c, WIDTH);
        square.iter_mut().zip(&w).for_each(|(square, w)| *square += sigma * w);
        let trace: f64 = (0..s).map(|a| square[a * s + a]).sum();
        let inner = factored(blocks.kernel(), &square, s, u * s as f64 * trace)?;
        let size = largest(&w, s) * n as f64 / s as f64;
        Ok(Nystrom { columns, s, sigma, size, inner })
    }

    /// An estimate of ‖K‖: the largest eigenvalue of W, n/s times.
    pub fn size(&self) -> f64 {
        self.size
    }

    /// M⁻¹ r, n × `outputs`.
    pub fn inverse(&self, r: &[f64], outputs: usize) -> Vec<f64> {
        let n = r.len() / outputs;
        let c = Matrix::of_rows(&self.columns, n, self.s);
        let mut small = vec![0.0; self.s * outputs];
        let right = Matrix::of_rows(r, n, outputs);
        product(MatrixMut::of_rows(&mut small, self.s, outputs), false, c.transposed(), right);
        cholesky::solve(&self.inner, &mut small, outputs);
        let mut z = vec![0.0; r.len()];
        z.par_chunks_mut(WIDTH * outputs).enumerate().for_each(|(part, z)| {
            let rows = z.len() / outputs;
            let c = &self.columns[part * WIDTH * self.s..][..rows * self.s];
            let small = Matrix::of_rows(&small, self.s, outputs);
            product(
                MatrixMut::of_rows(z, rows, outputs),
                false,
                Matrix::of_rows(c, rows, self.s),
                small,
            );
        });
        z.iter_mut().zip(r).for_each(|(z, r)| *z = (r - *z) / self.sigma);
        z
    }
}

/// The largest eigenvalue of a symmetric matrix, from below, by a few rounds of power iteration.
fn largest(w: &[f64], s: usize) -> f64 {
    let (mut v, mut found) = (vec![1.0 / (s as f64).sqrt(); s], 0.0);
    for _ in 0..10 {
        let next: Vec<f64> =
            w.chunks_exact(s).map(|row| row.iter().zip(&v).map(|(w, v)| w * v).sum()).collect();
        found = next.iter().map(|x| x * x).sum::<f64>().sqrt();
        if found == 0.0 || !found.is_finite() {
            return 0.0;
        }
        v = next.into_iter().map(|x| x / found).collect();
    }
    found
}

/// The factor of a full matrix with `shift` added to its diagonal.
fn factored(kernel: Kernel, full: &[f64], s: usize, shift: f64) -> Result<Packed<f64>, FitError> {
    let mut shift = shift;
    loop {
        let mut packed = Packed::zeros(s)?;
        packed.fill(|i, j| full[i * s + j] + if i == j { shift } else { 0.0 });
        match cholesky::factor(&mut packed, 0, |_, _| std::ops::ControlFlow::Continue(())) {
            Ok(_) => return Ok(packed),
            // It only has to be near: a few times more than rounding is enough.
            Err(error) if !shift.is_finite() || shift > full[0].abs().max(1.0) => {
                return Err(FitError::of(error, kernel, "f64"));
            }
            Err(_) => shift = 16.0 * f64::max(shift, f64::MIN_POSITIVE),
        }
    }
}

/// The mean of what C W⁻¹ Cᵀ leaves of the diagonal of K, over some rows.
fn remainder(
    blocks: &Blocks,
    columns: &[f64],
    w: &[f64],
    s: usize,
    n: usize,
    shift: f64,
) -> Result<f64, FitError> {
    let factor = factored(blocks.kernel(), w, s, shift)?;
    let rows: Vec<usize> = (0..n.min(WIDTH)).map(|k| k * n / n.min(WIDTH)).collect();
    // W⁻¹ c of each row c, in columns.
    let mut solved = vec![0.0; s * rows.len()];
    for (k, &i) in rows.iter().enumerate() {
        (0..s).for_each(|a| solved[a * rows.len() + k] = columns[i * s + a]);
    }
    cholesky::solve(&factor, &mut solved, rows.len());
    let left = |(k, &i): (usize, &usize)| {
        let of: f64 = (0..s).map(|a| columns[i * s + a] * solved[a * rows.len() + k]).sum();
        f64::max(blocks.diagonal(i) - of, 0.0)
    };
    Ok(rows.iter().enumerate().map(left).sum::<f64>() / rows.len() as f64)
}
