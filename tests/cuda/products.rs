//! Products of dense layers on the GPU (the emulator's): against the processor at odd sizes, with
//! one replica and several, with fused bias and ReLU, in parts and whole; in any order of threads.
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

use crate::common::gpu::gpu;
use crate::common::mutant::{needs_every, orders_do_not_matter};
use crate::common::small_plans::{agree, plan, vectors};
use shatter_device::{ArrayId, ArrayKind, Operation, Plan};
use shatter_sample::Shape;

/// rows, inputs, outputs: one, primes, a tile and a step and one more, and sums in several parts.
const SIZES: [(usize, usize, usize); 9] = [
    (1, 1, 1),
    (3, 17, 5),
    (7, 16, 64),
    (65, 15, 2),
    (2, 65, 129),
    (13, 300, 10),
    (4, 520, 65),
    (300, 3, 7),
    (64, 64, 64),
];

/// Rounding of sums of so many products of numbers below 1.
const TOLERANCE: f64 = 1e-5;

/// Views that begin inside their arrays, so that rows are not aligned, and whole ones.
fn arrays(inputs: usize, outputs: usize, first: usize) -> Vec<ArrayKind> {
    vec![
        ArrayKind::Activation(Shape::vector(inputs + first)),
        ArrayKind::Activation(Shape::vector(outputs + first)),
        ArrayKind::Vector(inputs * outputs),
        ArrayKind::Vector(outputs),
    ]
}

fn with(operation: impl Fn(usize, (usize, usize)) -> Operation) {
    let Some(cuda) = gpu() else { return };
    for (rows, inputs, outputs) in SIZES {
        for first in [0, 1] {
            let make = |replicas| -> Plan {
                let operations = vec![operation(first, (inputs, outputs))];
                plan(replicas, (rows + 1, rows), &arrays(inputs, outputs, first), operations)
            };
            agree(&cuda, make, &[], 1, TOLERANCE);
        }
    }
}

#[test]
fn forward() {
    for relu in [false, true] {
        with(|first, (inputs, outputs)| Operation::Dense {
            input: vectors(0, first, inputs),
            weight: ArrayId(2),
            bias: ArrayId(3),
            output: vectors(1, first, outputs),
            relu,
        });
    }
}

#[test]
fn input_gradient() {
    for accumulate in [false, true] {
        with(|first, (inputs, outputs)| Operation::DenseInputGradient {
            output_gradient: vectors(1, first, outputs),
            weight: ArrayId(2),
            input_gradient: vectors(0, first, inputs),
            accumulate,
        });
    }
}

#[test]
fn weight_and_bias_gradient() {
    with(|first, (inputs, outputs)| Operation::DenseWeightGradient {
        input: vectors(0, first, inputs),
        output_gradient: vectors(1, first, outputs),
        weight_gradient: ArrayId(2),
        bias_gradient: ArrayId(3),
    });
}

/// Those tests whose products are held against the processor's.
const PRODUCTS: [&str; 2] = ["gradient", "forward"];

#[test]
fn emulated_orders_do_not_matter() {
    orders_do_not_matter();
}

/// Without any one barrier, some test fails: the emulator would not let one be forgotten.
#[test]
fn emulated_every_barrier_is_needed() {
    needs_every("__syncthreads();", "product.cu", 2, &PRODUCTS);
}
