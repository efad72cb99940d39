//! Convolutions and their gradients on the GPU (the emulator's) against the processor: windows of
//! any size, stride and padding, odd numbers of channels, tiles of every height, sums in parts.
#![cfg(feature = "cuda")]

#[path = "../common"]
#[allow(dead_code, unused_imports)] // what is shared is used in parts
mod common {
    pub mod cases;
    pub mod emulator;
    pub mod gpu;
    pub mod mutant;
    pub mod place;
    pub mod skipped;
    pub mod small_plans;
    pub mod windows;
}

use crate::common::gpu::{gpu, gpu_with};
use crate::common::mutant::{needs_every, orders_do_not_matter};
use crate::common::small_plans::{
    Left, agree, agree_on_views, equal_on_coarse, number, plan, rounded, run, run_in_f64, view,
};
use crate::common::windows::{Case, cases, shape};
use proptest::prelude::*;
use shatter_device::{Arithmetic, ArrayId, ArrayKind, Device, Operation, Plan, View};
use shatter_network::architecture::Window;
use shatter_sample::Shape;

/// Rounding of a sum of so many products, whichever its order.
fn of_sums(terms: usize) -> f64 {
    f64::from(f32::EPSILON) * (8 + terms) as f64
}

/// Arrays and views of a case: input, output, their gradients, weight, bias, and their gradients.
fn arrays(case: Case) -> (Vec<ArrayKind>, View, View) {
    let Case { input, window, outputs, first, .. } = case;
    let to = case.output(outputs);
    let whole = |shape: Shape, first| {
        ArrayKind::Activation(Shape { channels: shape.channels + 2 * first, ..shape })
    };
    let (a, b) = (whole(input, first), whole(to, first));
    let kernel = ArrayKind::Kernel { outputs, inputs: input.channels, size: window.size };
    let kinds =
        vec![a, b, a, b, kernel, ArrayKind::Vector(outputs), kernel, ArrayKind::Vector(outputs)];
    (kinds, view(0, first, input), view(1, first, to))
}

/// Whether a number of an array is of another sample than those of the sequence, or of channels that no
/// view sees.
fn apart(case: Case, array: usize, at: usize) -> bool {
    let shape = match array {
        0 | 2 => case.input,
        1 | 3 => case.output(case.outputs),
        _ => return false,
    };
    let whole = shape.len() + 2 * case.first * shape.area();
    let channel = at % whole / shape.area();
    at >= case.rows * whole || !(case.first..case.first + shape.channels).contains(&channel)
}

/// An operation with what of it is summed.
struct Summed {
    operation: Operation,
    /// Products in a sum, at most.
    terms: usize,
    /// Arrays whose numbers are factors.
    factors: [usize; 2],
    /// The array of sums of products, and one of sums of numbers that are not rounded.
    sums: (usize, Option<usize>),
}

fn plan_of(case: Case, operation: &Operation, replicas: usize) -> Plan {
    plan(replicas, (case.rows + 1, case.rows), &arrays(case).0, vec![operation.clone()])
}

/// In binary32 to what rounding allows. On tensor cores numbers that the factors' types hold must
/// give exactly the sums of the processor, which are exact, too, and other numbers the sums of
/// products of their factors, rounded here.
fn check(case: Case, summed: &Summed) {
    let Some(cuda) = gpu() else { return };
    let make = |n| plan_of(case, &summed.operation, n);
    agree(&cuda, make, &[], 1, of_sums(summed.terms));
    agree_on_views(&cuda, &make(1), &|array, at| apart(case, array, at), of_sums(summed.terms));
    assert!(summed.terms < 1 << 10, "sums of so many products need not be exact");
    for arithmetic in [Arithmetic::Tf32, Arithmetic::Bf16] {
        let cuda = gpu_with(arithmetic).expect("a GPU, as before");
        equal_on_coarse(&cuda, &make(1));
        let left = run(&cuda, &make(1), 0, &[], 1);
        assert!(are_sums(&left.arrays[0], case, summed, arithmetic), "{arithmetic:?}, {case:?}");
        if case.replicas {
            // Each replica's own bytes, alone and beside others.
            let three = run(&cuda, &make(3), 0, &[], 1);
            assert_eq!(three.bits(), run(&cuda, &make(3), 0, &[], 1).bits(), "a second run");
            for (replica, arrays) in three.arrays.into_iter().enumerate() {
                let part = Left { arrays: vec![arrays], outcomes: vec![Vec::new()] };
                let alone = run(&cuda, &make(1), replica, &[], 1);
                assert_eq!(
                    part.bits(),
                    alone.bits(),
                    "replica {replica}, {arithmetic:?}, {case:?}"
                );
            }
        }
    }
}

/// Whether what is left are sums, in binary32 and any order, of products of factors that were
/// rounded in this arithmetic: each addition off by a unit in the last place of its sum at most.
fn are_sums(left: &[Vec<f32>], case: Case, summed: &Summed, arithmetic: Arithmetic) -> bool {
    let plan = plan_of(case, &summed.operation, 1);
    let factor = |at: usize| summed.factors.contains(&at);
    let fill = |at: usize, i: usize| {
        rounded(if factor(at) { arithmetic } else { Arithmetic::Own }, number(at, 0, i))
    };
    let exact = |fill: &dyn Fn(usize, usize) -> f64| run_in_f64(&plan, fill);
    let of_products = (exact(&fill), exact(&|at, i| fill(at, i).abs()), summed.sums.0);
    let raw = |at: usize, i: usize| f64::from(number(at, 0, i));
    let of_numbers =
        summed.sums.1.map(|array| (exact(&raw), exact(&|at, i| raw(at, i).abs()), array));
    [Some(of_products), of_numbers].into_iter().flatten().all(|(expected, sizes, array)| {
        let bound = (summed.terms + 4) as f64 * 2f64.powi(-22);
        let expected = expected[array].iter().zip(&sizes[array]);
        left[array].iter().zip(expected).all(|(&found, (expected, size))| {
            (f64::from(found) - expected).abs() <= bound * size.abs()
        })
    })
}

fn forward(case: Case) -> Summed {
    let Case { input: Shape { channels, .. }, window, relu, .. } = case;
    let (_, input, output) = arrays(case);
    let (weight, bias) = (ArrayId(4), ArrayId(5));
    Summed {
        operation: Operation::Convolution { input, weight, bias, output, window, relu },
        terms: channels * window.size * window.size,
        factors: [0, 4],
        sums: (1, None),
    }
}

fn input_gradient(case: Case) -> Summed {
    let Case { window, accumulate, outputs, .. } = case;
    let (_, input, output) = arrays(case);
    Summed {
        operation: Operation::ConvolutionInputGradient {
            output_gradient: View { array: ArrayId(3), ..output },
            weight: ArrayId(4),
            input_gradient: View { array: ArrayId(2), ..input },
            window,
            accumulate,
        },
        terms: outputs * window.size * window.size,
        factors: [3, 4],
        sums: (2, None),
    }
}

fn weight_gradient(case: Case) -> Summed {
    let (_, input, output) = arrays(case);
    Summed {
        operation: Operation::ConvolutionWeightGradient {
            input,
            output_gradient: View { array: ArrayId(3), ..output },
            weight_gradient: ArrayId(6),
            bias_gradient: ArrayId(7),
            window: case.window,
        },
        terms: case.rows * case.output(1).area(),
        factors: [0, 3],
        sums: (6, Some(7)),
    }
}

/// Rounding to fewer bits than asked for, or to more, is told apart.
#[test]
fn another_arithmetic_shows() {
    const TWO: [Arithmetic; 2] = [Arithmetic::Tf32, Arithmetic::Bf16];
    let case = Case {
        input: shape(2, 5, 5),
        window: Window { size: 2, stride: 1, padding: 1 },
        rows: 2,
        outputs: 3,
        ..Case::default()
    };
    for summed in [forward(case), input_gradient(case), weight_gradient(case)] {
        for arithmetic in TWO {
            let Some(cuda) = gpu_with(arithmetic) else { return };
            let plan = plan_of(case, &summed.operation, 1);
            let left = run(&cuda, &plan, 0, &[], 1).arrays.swap_remove(0);
            for other in TWO {
                assert_eq!(are_sums(&left, case, &summed, other), arithmetic == other);
            }
        }
    }
}

/// More than a tile along every direction, in tiles of every height; sums in several parts, longer than what
/// a block finds of taps at once, and twice.
fn large() -> Vec<Case> {
    let window = |size, stride, padding| Window { size, stride, padding };
    let case = |input: Shape, outputs, window, rows| Case {
        input,
        outputs,
        window,
        rows,
        first: 1,
        accumulate: true,
        relu: true,
        // Small tiles, and large ones.
        replicas: [5, 17].contains(&input.channels),
    };
    vec![
        case(shape(70, 5, 5), 65, window(3, 1, 1), 3),
        case(shape(100, 3, 3), 112, window(3, 1, 1), 2),
        case(shape(17, 7, 9), 33, window(5, 1, 2), 3),
        case(shape(33, 9, 9), 70, window(3, 2, 1), 4),
        case(shape(130, 4, 4), 40, window(1, 1, 0), 9),
        case(shape(3, 12, 12), 96, window(3, 1, 1), 2),
        case(shape(5, 6, 6), 7, window(1, 3, 0), 2),
        case(shape(2, 3, 3), 2, window(2, 5, 1), 2),
        // High tiles in one part, with places that are moved by four, by two and singly.
        case(shape(5, 8, 8), 80, window(3, 1, 1), 2),
        case(shape(80, 3, 2), 6, window(1, 1, 0), 5),
        case(shape(60, 3, 3), 64, window(1, 1, 0), 3),
        // Weights in parts, with runs; input gradients in runs that are added to, and strided over tiles.
        case(shape(16, 8, 8), 64, window(3, 1, 1), 5),
        case(shape(64, 4, 4), 48, window(1, 1, 0), 9),
        case(shape(4, 9, 9), 80, window(1, 2, 0), 12),
    ]
}

proptest! {
    #![proptest_config(crate::common::cases::cases(12))]

    #[test]
    fn forward_of_any_window(case in cases(9)) {
        check(case, &forward(case));
    }

    #[test]
    fn input_gradient_of_any_window(case in cases(9)) {
        check(case, &input_gradient(case));
    }

    #[test]
    fn weight_gradient_of_any_window(case in cases(9)) {
        check(case, &weight_gradient(case));
    }
}

#[test]
fn forward_of_many_channels() {
    large().into_iter().for_each(|case| check(case, &forward(case)));
}

#[test]
fn input_gradient_of_many_channels() {
    large().into_iter().for_each(|case| check(case, &input_gradient(case)));
}

#[test]
fn weight_gradient_of_many_channels() {
    large().into_iter().for_each(|case| check(case, &weight_gradient(case)));
}

/// Borders as far apart as they can be, and one further.
#[test]
fn sides_up_to_the_longest() {
    let Some(cuda) = gpu() else { return };
    let window = Window { size: 3, stride: 1, padding: 2 };
    for (height, width) in [(16379, 1), (1, 16379)] {
        let case = |height, width| Case {
            input: shape(1, height, width),
            window,
            outputs: 2,
            ..Case::default()
        };
        check(case(height, width), &forward(case(height, width)));
        check(case(height, width), &input_gradient(case(height, width)));
        let longer = case(height + height / 16379, width + width / 16379);
        for summed in [forward(longer), input_gradient(longer), weight_gradient(longer)] {
            let refused = cuda.prepare(plan_of(longer, &summed.operation, 1), &[5]).err();
            let text = refused.expect("a side that is too long").to_string();
            assert!(text.contains("16384"), "{text}");
        }
    }
}

const ALL: [&str; 2] = ["forward", "gradient"];

#[test]
fn emulated_orders_do_not_matter() {
    orders_do_not_matter();
}

/// Without any one barrier, some test fails.
#[test]
fn emulated_every_barrier_is_needed() {
    needs_every("__syncthreads();", "tile.h", 2, &ALL);
}
