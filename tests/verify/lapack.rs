//! Promise: LAPACK's answers and nalgebra's agree (feature `lapack`).

#[cfg(not(feature = "lapack"))]
#[test]
fn lapack() {
    crate::common::skipped::skipped("the feature lapack");
}

#[cfg(feature = "lapack")]
mod with_lapack {
    use shatter_construct::{DepthTwo, Task, ThresholdRule};
    use shatter_linear::{Square, lapack, nalgebra};
    use shatter_sample::{self as sample, LabelRule};
    use shatter_verify::solver::{FloatSolver, fit_float, relu_matrix};

    /// Lemma 1's matrix on Gaussian points: thresholds where the data are.
    fn matrix(n: usize, seed: u64) -> (Square<f64>, Vec<f64>) {
        let text = format!("gaussian:n={n},d=5,target=number");
        let sample = sample::load(&text, seed).unwrap().distinct(LabelRule::True, seed).unwrap();
        let task = Task::new(&sample.points, &sample.labels, seed);
        let fit = DepthTwo { threshold: ThresholdRule::Data }.fit_float::<f64>(&task).unwrap();
        let y = fit.order.iter().map(|&i| sample.labels.f64_at(i as usize)).collect();
        (relu_matrix(&fit.z, &fit.network.b), y)
    }

    /// n·ε times the size of what is compared: the backward error of both routines.
    fn close(x: f64, y: f64, n: usize, size: f64) -> bool {
        (x - y).abs() <= 10.0 * n as f64 * f64::EPSILON * size
    }

    #[test]
    fn singular_values_agree() {
        for n in [1, 2, 17, 60] {
            let (a, _) = matrix(n, 1);
            let (ours, theirs) =
                (nalgebra::singular_values(&a).unwrap(), lapack::singular_values(&a).unwrap());
            let norm = ours[0];
            assert!(ours.iter().zip(&theirs).all(|(x, y)| close(*x, *y, n, norm)), "n = {n}");
        }
    }

    #[test]
    fn determinants_agree() {
        for n in [1, 2, 17, 60] {
            let (a, _) = matrix(n, 2);
            let (ours, theirs) =
                (nalgebra::log_determinant(&a), lapack::log_determinant(&a).unwrap());
            assert_eq!(ours.sign, theirs.sign);
            // Each is within this bound of the true value, which takes the conditioning in.
            let bound = 2.0 * shatter_verify::determinant::bound(&a);
            assert!((ours.log - theirs.log).abs() <= bound, "n = {n}: {ours:?} {theirs:?}");
        }
    }

    /// Both substitutions are backward stable row by row: |Aw − y|_i <= n ε Σ_j |A_ij||w_j|.
    #[test]
    fn solutions_have_small_residuals() {
        for n in [1, 2, 17, 200] {
            let (a, y) = matrix(n, 3);
            for w in [nalgebra::solve_lower(&a, &y).unwrap(), lapack::solve_lower(&a, &y).unwrap()]
            {
                for (i, y) in y.iter().enumerate() {
                    let (mut sum, mut size) = (-y, y.abs());
                    for (j, w) in w.iter().enumerate() {
                        sum += a.at(i, j) * w;
                        size += (a.at(i, j) * w).abs();
                    }
                    assert!(close(sum, 0.0, n, size), "n = {n}, row {i}: {sum}");
                }
            }
        }
    }

    /// Of symmetric matrices both find the same eigenvalues, and vectors that are theirs.
    #[test]
    fn symmetric_matrices_are_decomposed_alike() {
        use shatter_linear::decomposition::symmetric_by_nalgebra;
        for n in [1, 2, 17, 100] {
            let (a, _) = matrix(n, 5);
            let a = Square::from_fn(n, |i, j| a.at(i, j) + a.at(j, i));
            let size = a.entries.iter().map(|x| x * x).sum::<f64>().sqrt();
            let (one, other) = (symmetric_by_nalgebra(&a).unwrap(), lapack::symmetric(&a).unwrap());
            for (j, (x, y)) in one.values.iter().zip(&other.values).enumerate() {
                assert!(close(*x, *y, n, size), "n = {n}: {x} and {y}");
                for i in 0..n {
                    let image: f64 = (0..n).map(|k| a.at(i, k) * other.vectors.at(j, k)).sum();
                    assert!(close(image, y * other.vectors.at(j, i), n, size), "n = {n}, {j}");
                }
            }
        }
    }

    #[test]
    fn fits_through_both_solvers() {
        let sample =
            sample::load("lattice:n=100,d=3", 1).unwrap().distinct(LabelRule::Random, 1).unwrap();
        for solver in [FloatSolver::Nalgebra, FloatSolver::Lapack] {
            let task = Task::new(&sample.points, &sample.labels, 0);
            let data = DepthTwo { threshold: ThresholdRule::Data };
            let fit = fit_float::<f64>(data, &task, solver).unwrap();
            let f = shatter_network::evaluate::brute_force(&fit.network, &sample.points);
            for (at, &i) in fit.order.iter().enumerate() {
                // Substitution and evaluation each round at most n times what they add up.
                let terms = fit.network.b.iter().zip(&fit.network.w);
                let size: f64 = terms.map(|(b, w)| (w * (fit.z[at] - b).max(0.0)).abs()).sum();
                let y = sample.labels.f64_at(i as usize);
                assert!(close(f[i as usize], y, 100, size + y), "{solver}, point {i}");
            }
        }
    }
}
