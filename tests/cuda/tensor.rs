//! Products on tensor cores (the emulator's): each number against a sum, in binary64, of products of
//! factors that were rounded here, at odd sizes; replicas and second runs to the byte.
#![cfg(feature = "cuda")]

#[path = "../common"]
#[allow(dead_code, unused_imports)] // what is shared is used in parts
mod common {
    pub mod emulator;
    pub mod gpu;
    pub mod mutant;
    pub mod place;
    pub mod skipped;
    pub mod small_plans;
}

use crate::common::gpu::gpu_with;
use crate::common::mutant::{needs_every, orders_do_not_matter};
use crate::common::small_plans::{Left, agree, number, plan, rounded, run, vectors};
use shatter_device::{
    Arithmetic, ArrayId, ArrayKind, Control, Device, Memory, Operation, Plan, SequenceId,
};
use shatter_sample::Shape;

/// rows, inputs, outputs: one, primes, a step, a tile and one more, and sums in several parts.
const SIZES: [(usize, usize, usize); 7] =
    [(1, 1, 1), (3, 17, 5), (65, 16, 2), (2, 65, 67), (13, 300, 10), (4, 520, 65), (64, 64, 64)];

const BOTH: [Arithmetic; 2] = [Arithmetic::Tf32, Arithmetic::Bf16];

/// The unit in which factors are rounded, at most, of numbers below 1.
fn unit(arithmetic: Arithmetic) -> f64 {
    if arithmetic == Arithmetic::Tf32 { 2f64.powi(-11) } else { 2f64.powi(-8) }
}

fn arrays((_, inputs, outputs): (usize, usize, usize), first: usize) -> Vec<ArrayKind> {
    vec![
        ArrayKind::Activation(Shape::vector(inputs + first)),
        ArrayKind::Activation(Shape::vector(outputs + first)),
        ArrayKind::Vector(inputs * outputs),
        ArrayKind::Vector(outputs),
    ]
}

/// One plan: its shape, and where its views begin.
#[derive(Clone, Copy)]
struct Case {
    size: (usize, usize, usize),
    first: usize,
    arithmetic: Arithmetic,
}

impl Case {
    /// What array `array` was filled with.
    fn held(&self, array: usize, row: usize, column: usize) -> f32 {
        let (_, inputs, outputs) = self.size;
        let (width, first) = match array {
            0 => (inputs + self.first, self.first),
            1 => (outputs + self.first, self.first),
            2 => (inputs, 0),
            _ => (0, 0),
        };
        number(array, 0, row * width + first + column)
    }

    /// Σ over products of rounded factors, and the sum of their sizes.
    fn sum(&self, factors: impl Iterator<Item = (f32, f32)>) -> (f64, f64, usize) {
        factors.fold((0.0, 0.0, 0), |(sum, size, count), (x, y)| {
            let product = rounded(self.arithmetic, x) * rounded(self.arithmetic, y);
            (sum + product, size + product.abs(), count + 1)
        })
    }
}

/// Holds every number of an array against `expected`, which says what is added to a sum of products
/// in binary32, in any order, each addition off by a unit in the last place of its sum at most.
fn holds(
    found: &[f32],
    (width, first): (usize, usize),
    (rows, columns): (usize, usize),
    expected: impl Fn(usize, usize) -> ((f64, f64, usize), f64, bool),
) {
    for row in 0..rows {
        for column in 0..columns {
            let ((sum, size, count), added, relu) = expected(row, column);
            let expected = if relu { (sum + added).max(0.0) } else { sum + added };
            let bound = (count + 4) as f64 * 2f64.powi(-22) * (size + added.abs());
            let found = f64::from(found[row * width + first + column]);
            assert!((found - expected).abs() <= bound, "{row}, {column}: {found}, {expected}");
        }
    }
}

/// Every size and alignment: the operation's own numbers, then replicas, second runs, and the
/// processor's to what rounding of factors allows.
fn with(
    operation: impl Fn(Case) -> Operation,
    summed: impl Fn((usize, usize, usize)) -> usize,
    check: impl Fn(Case, &Left),
) {
    for arithmetic in BOTH {
        let Some(cuda) = gpu_with(arithmetic) else { return };
        for size in SIZES {
            for first in [0, 1] {
                let case = Case { size, first, arithmetic };
                let (rows, ..) = size;
                let make = |replicas| -> Plan {
                    plan(replicas, (rows + 1, rows), &arrays(size, first), vec![operation(case)])
                };
                check(case, &run(&cuda, &make(1), 0, &[], 1));
                // Roundings of factors go this way and that.
                let roundings = (summed(size) as f64).sqrt();
                agree(&cuda, make, &[], 1, 4.0 * unit(arithmetic) * roundings);
            }
        }
    }
}

#[test]
fn forward() {
    for relu in [false, true] {
        with(
            |Case { size: (_, inputs, outputs), first, .. }| Operation::Dense {
                input: vectors(0, first, inputs),
                weight: ArrayId(2),
                bias: ArrayId(3),
                output: vectors(1, first, outputs),
                relu,
            },
            |(_, inputs, _)| inputs,
            |case, left| {
                let (rows, inputs, outputs) = case.size;
                let width = (outputs + case.first, case.first);
                holds(&left.arrays[0][1], width, (rows, outputs), |row, out| {
                    let factors = (0..inputs).map(|k| (case.held(0, row, k), case.held(2, out, k)));
                    (case.sum(factors), f64::from(number(3, 0, out)), relu)
                });
            },
        );
    }
}

#[test]
fn input_gradient() {
    for accumulate in [false, true] {
        with(
            |Case { size: (_, inputs, outputs), first, .. }| Operation::DenseInputGradient {
                output_gradient: vectors(1, first, outputs),
                weight: ArrayId(2),
                input_gradient: vectors(0, first, inputs),
                accumulate,
            },
            |(_, _, outputs)| outputs,
            |case, left| {
                let (rows, inputs, outputs) = case.size;
                let width = (inputs + case.first, case.first);
                holds(&left.arrays[0][0], width, (rows, inputs), |row, at| {
                    let factors = (0..outputs).map(|k| (case.held(1, row, k), case.held(2, k, at)));
                    let old = f64::from(case.held(0, row, at));
                    (case.sum(factors), if accumulate { old } else { 0.0 }, false)
                });
            },
        );
    }
}

#[test]
fn weight_and_bias_gradient() {
    with(
        |Case { size: (_, inputs, outputs), first, .. }| Operation::DenseWeightGradient {
            input: vectors(0, first, inputs),
            output_gradient: vectors(1, first, outputs),
            weight_gradient: ArrayId(2),
            bias_gradient: ArrayId(3),
        },
        |(rows, ..)| rows,
        |case, left| {
            let (rows, inputs, outputs) = case.size;
            holds(&left.arrays[0][2], (inputs, 0), (outputs, inputs), |out, at| {
                let factors = (0..rows).map(|k| (case.held(1, k, out), case.held(0, k, at)));
                (case.sum(factors), 0.0, false)
            });
            // Its numbers are not rounded.
            holds(&left.arrays[0][3], (outputs, 0), (1, outputs), |_, out| {
                let held = (0..rows).map(|k| f64::from(case.held(1, k, out)));
                let (sum, size) = held.fold((0.0, 0.0), |(sum, size), x| (sum + x, size + x.abs()));
                ((sum, size, rows), 0.0, false)
            });
        },
    );
}

/// Numbers that are not finite, and the largest ones, are not made other ones by rounding.
#[test]
fn rounding_keeps_what_is_not_finite() {
    for arithmetic in BOTH {
        let Some(cuda) = gpu_with(arithmetic) else { return };
        let operation = Operation::Dense {
            input: vectors(0, 0, 1),
            weight: ArrayId(2),
            bias: ArrayId(3),
            output: vectors(1, 0, 1),
            relu: false,
        };
        let plan = plan(1, (3, 3), &arrays((3, 1, 1), 0), vec![operation]);
        let mut memory: Box<dyn Memory<f32>> = cuda.prepare(plan, &[1]).expect("a plan");
        memory.write(ArrayId(0), 0, &[f32::INFINITY, f32::NAN, 2f32.powi(100)]).unwrap();
        memory.write(ArrayId(2), 0, &[-1.0]).unwrap();
        memory.control(Control { position: 0, step: 0, epoch: 0, learning_rate: 0.0 });
        memory.run(SequenceId(0)).unwrap();
        let mut out = [0.0; 3];
        memory.read(ArrayId(1), 0, &mut out).unwrap();
        assert_eq!(out[0], f32::NEG_INFINITY);
        assert!(out[1].is_nan());
        assert_eq!(out[2], -(2f32.powi(100)));
    }
}

/// Those tests whose products are held against sums made here.
const PRODUCTS: [&str; 2] = ["gradient", "forward"];

/// Among them copies when they begin rather than when they are waited for.
#[test]
fn emulated_orders_do_not_matter() {
    orders_do_not_matter();
}

/// Without the barrier, or without the wait for copies, some test fails.
#[test]
fn emulated_every_barrier_and_wait_is_needed() {
    needs_every("__syncthreads();", "tensor_product.cu", 1, &PRODUCTS);
    needs_every("copies_wait<STAGES - 2>();", "tensor_product.cu", 1, &PRODUCTS);
}
