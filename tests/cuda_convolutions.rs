//! Convolutions and their gradients on the GPU (the emulator's) against the processor: windows of
//! any size, stride and padding, odd numbers of channels, tiles of both kinds, sums in parts.
#![cfg(feature = "cuda")]

mod common {
    pub mod emulator;
    pub mod gpu;
    pub mod mutant;
    pub mod small_plans;
    pub mod windows;
}

use common::gpu::{gpu, gpu_with};
use common::mutant::{needs_every, orders_do_not_matter};
use common::small_plans::{agree, equal_on_coarse, plan, view};
use common::windows::{Case, cases, shape, times};
use proptest::prelude::*;
use shatter::device::{Arithmetic, ArrayId, ArrayKind, Operation, View};
use shatter::network::architecture::Window;
use shatter::sample::Shape;

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

/// In binary32 to what rounding allows. On tensor cores numbers that the factors' types hold must
/// give exactly the sums of the processor, which are exact, too.
fn check(case: Case, operation: impl Fn(View, View) -> Operation, terms: usize) {
    let Some(cuda) = gpu() else { return };
    let (kinds, input, output) = arrays(case);
    let make = |n| plan(n, (case.rows + 1, case.rows), &kinds, vec![operation(input, output)]);
    agree(&cuda, make, &[], 1, of_sums(terms));
    assert!(terms < 1 << 10, "sums of so many products need not be exact");
    for arithmetic in [Arithmetic::Tf32, Arithmetic::Bf16] {
        equal_on_coarse(&gpu_with(arithmetic).expect("a GPU, as before"), &make(1));
    }
}

/// Other numbers on tensor cores, to what rounding of factors allows; replicas and second runs.
#[test]
fn forward_on_tensor_cores() {
    for (arithmetic, unit) in [(Arithmetic::Tf32, 11), (Arithmetic::Bf16, 8)] {
        let Some(cuda) = gpu_with(arithmetic) else { return };
        for case in large().into_iter().take(2) {
            let Case { input, window, relu, .. } = case;
            let (kinds, from, output) = arrays(case);
            let (weight, bias) = (ArrayId(4), ArrayId(5));
            let operation =
                Operation::Convolution { input: from, weight, bias, output, window, relu };
            let make = |n| plan(n, (case.rows + 1, case.rows), &kinds, vec![operation.clone()]);
            let terms = input.channels * window.size * window.size;
            agree(&cuda, make, &[], 1, 2.1 * 2f64.powi(-unit) * terms as f64);
        }
    }
}

fn forward(case: Case) {
    let Case { input, window, relu, .. } = case;
    let (weight, bias) = (ArrayId(4), ArrayId(5));
    let operation =
        |input, output| Operation::Convolution { input, weight, bias, output, window, relu };
    check(case, operation, input.channels * window.size * window.size);
}

fn input_gradient(case: Case) {
    let Case { window, accumulate, outputs, .. } = case;
    let operation = |input, output| Operation::ConvolutionInputGradient {
        output_gradient: View { array: ArrayId(3), ..output },
        weight: ArrayId(4),
        input_gradient: View { array: ArrayId(2), ..input },
        window,
        accumulate,
    };
    check(case, operation, outputs * window.size * window.size);
}

fn weight_gradient(case: Case) {
    let operation = |input, output| Operation::ConvolutionWeightGradient {
        input,
        output_gradient: View { array: ArrayId(3), ..output },
        weight_gradient: ArrayId(6),
        bias_gradient: ArrayId(7),
        window: case.window,
    };
    check(case, operation, case.rows * case.output(1).area());
}

/// More than a tile along every direction, in both kinds of tiles; sums in several parts.
fn large() -> Vec<Case> {
    let window = |size, stride, padding| Window { size, stride, padding };
    let case = |input, outputs, window, rows| Case {
        input,
        outputs,
        window,
        rows,
        first: 1,
        accumulate: true,
        relu: true,
    };
    vec![
        case(shape(70, 5, 5), 65, window(3, 1, 1), 3),
        case(shape(17, 7, 9), 33, window(5, 1, 2), 3),
        case(shape(33, 9, 9), 70, window(3, 2, 1), 4),
        case(shape(130, 4, 4), 40, window(1, 1, 0), 9),
        case(shape(3, 12, 12), 96, window(3, 1, 1), 2),
        case(shape(5, 6, 6), 7, window(1, 3, 0), 2),
        case(shape(2, 3, 3), 2, window(2, 5, 1), 2),
    ]
}

proptest! {
    #![proptest_config(times(12))]

    #[test]
    fn forward_of_any_window(case in cases(9)) {
        forward(case);
    }

    #[test]
    fn input_gradient_of_any_window(case in cases(9)) {
        input_gradient(case);
    }

    #[test]
    fn weight_gradient_of_any_window(case in cases(9)) {
        weight_gradient(case);
    }
}

#[test]
fn forward_of_many_channels() {
    large().into_iter().for_each(forward);
}

#[test]
fn input_gradient_of_many_channels() {
    large().into_iter().for_each(input_gradient);
}

#[test]
fn weight_gradient_of_many_channels() {
    large().into_iter().for_each(weight_gradient);
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
    needs_every("__syncthreads();", "tensor_tile.h", 2, &ALL);
}
