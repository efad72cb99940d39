//! Operations on images on the GPU (the emulator's) against the processor, at odd shapes: views of
//! some channels, windows of any size, stride and padding, one replica and several.
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

use crate::common::gpu::gpu;
use crate::common::mutant::{needs_every, orders_do_not_matter};
use crate::common::small_plans::{agree, plan, run, vectors, view};
use crate::common::windows::{Case, cases, shape};
use proptest::prelude::*;
use shatter_device::{ArrayId, ArrayKind, Device, Operation, SequenceId, View};
use shatter_network::architecture::{Pool, Window};
use shatter_prepare::Augmentation;
use shatter_sample::Shape;

/// Twice the distance of neighbouring numbers about 1, a relative error of one operation.
const ROUNDING: f64 = f32::EPSILON as f64;

/// Rounding of a sum of so many numbers, whichever its order.
fn of_sums(terms: usize) -> f64 {
    ROUNDING * (8 + terms) as f64
}

/// An array whose channels a view sees from `first` on, and the view.
fn seen(array: usize, shape: Shape, first: usize) -> (ArrayKind, View) {
    let whole = Shape { channels: shape.channels + 2 * first, ..shape };
    (ArrayKind::Activation(whole), view(array, first, shape))
}

fn pooling(case: Case, pool: Pool) {
    let Some(cuda) = gpu() else { return };
    let Case { input, window, rows, first, accumulate, .. } = case;
    let to = case.output(input.channels);
    let [(a, from), (b, output)] = [seen(0, input, first), seen(1, to, first)];
    let kinds = [a, b, a, b, ArrayKind::Indices(rows * to.len())];
    let places = (pool == Pool::Max).then_some(ArrayId(4));
    let operations = vec![
        Operation::Pool { input: from, output, places: None, pool, window },
        Operation::Pool { input: from, output, places, pool, window },
        Operation::PoolGradient {
            output_gradient: View { array: ArrayId(3), ..output },
            places,
            input_gradient: View { array: ArrayId(2), ..from },
            pool,
            window,
            accumulate,
        },
    ];
    agree(&cuda, |n| plan(n, (rows + 1, rows), &kinds, operations.clone()), &[], 1, 0.0);
    // The gradient of a ReLU comes along; one of other channels does not.
    for gradient in
        [View { array: ArrayId(2), ..from }, view(2, 0, shape(1, input.height, input.width))]
    {
        let output = View { array: ArrayId(0), ..gradient };
        let mut operations = operations.clone();
        operations.push(Operation::ReluGradient { output, gradient });
        agree(&cuda, |n| plan(n, (rows + 1, rows), &kinds, operations.clone()), &[], 1, 0.0);
    }
}

fn normalization(case: Case) {
    normalization_in(case, [(case.first, case.first); 4]);
}

/// With so many channels before and after those that are seen, in input, output and their gradients.
fn normalization_in(case: Case, around: [(usize, usize); 4]) {
    let Some(cuda) = gpu() else { return };
    let Case { input: shape, rows, accumulate, relu, .. } = case;
    let channels = shape.channels;
    let whole = |(before, after)| {
        ArrayKind::Activation(Shape { channels: before + channels + after, ..shape })
    };
    let of = |array: usize| view(array, around[array].0, shape);
    let [input, output, output_gradient, input_gradient] = [of(0), of(1), of(2), of(3)];
    let kinds = [around.map(whole).as_slice(), &[ArrayKind::Vector(channels); 8]].concat();
    let values = rows * shape.area();
    let make = |operation: Operation| {
        move |n: usize| plan(n, (rows + 1, rows), &kinds.clone(), vec![operation.clone()])
    };
    let parameters = [4, 5, 6, 7].map(ArrayId);
    let saved = [8, 9].map(ArrayId);
    let forward = |saved| Operation::BatchNormalization { input, output, parameters, saved, relu };
    // The inverse deviation of few numbers magnifies their rounding: at most 1/√eps, 316 times.
    let tolerance = 316.0 * of_sums(values.min(64));
    agree(&cuda, make.clone()(forward(Some(saved))), &[], 2, tolerance);
    // By the running statistics, whose variances may be negative here: not numbers on both sides.
    agree(&cuda, make.clone()(forward(None)), &[], 1, tolerance);
    let gradient = Operation::BatchNormalizationGradient {
        input,
        output: relu.then_some(output),
        output_gradient,
        scale: ArrayId(4),
        saved,
        parameter_gradients: [10, 11].map(ArrayId),
        input_gradient,
        accumulate,
    };
    agree(&cuda, make(gradient), &[], 1, of_sums(values));
}

fn response(case: Case, size: usize, beta: f64) {
    let Some(cuda) = gpu() else { return };
    let Case { input: shape, rows, first, accumulate, .. } = case;
    let [(a, input), (_, output)] = [seen(0, shape, first), seen(1, shape, first)];
    let kinds = [a, a, ArrayKind::Activation(shape), a, a];
    let (sums, constants) = (ArrayId(2), (size, 0.7, beta, 1.5));
    let operations = vec![
        Operation::LocalResponseNormalization { input, output, sums, constants },
        Operation::LocalResponseNormalizationGradient {
            input,
            output_gradient: View { array: ArrayId(3), ..input },
            sums,
            input_gradient: View { array: ArrayId(4), ..input },
            constants,
            accumulate,
        },
    ];
    let make = |n| plan(n, (rows + 1, rows), &kinds, operations.clone());
    agree(&cuda, make, &[], 1, of_sums(size));
}

fn global_means(case: Case) {
    let Some(cuda) = gpu() else { return };
    let Case { input: shape, rows, first, accumulate, .. } = case;
    let (a, input) = seen(0, shape, first);
    let kinds = [a, ArrayKind::Activation(Shape::vector(shape.channels + first)), a];
    let output = vectors(1, first, shape.channels);
    let operations = vec![
        Operation::GlobalMeanPool { input, output },
        Operation::GlobalMeanPoolGradient {
            output_gradient: output,
            input_gradient: View { array: ArrayId(2), ..input },
            accumulate,
        },
    ];
    let make = |n| plan(n, (rows + 1, rows), &kinds, operations.clone());
    agree(&cuda, make, &[], 1, of_sums(shape.area()));
}

proptest! {
    #![proptest_config(crate::common::cases::cases(12))]

    #[test]
    fn maxima_and_means_of_windows(case in cases(9), maxima in any::<bool>()) {
        pooling(case, if maxima { Pool::Max } else { Pool::Mean });
    }

    #[test]
    fn means_of_images(case in cases(40)) {
        global_means(case);
    }

    #[test]
    fn batch_normalization(case in cases(9)) {
        normalization(case);
    }

    #[test]
    fn response_normalization(
        case in cases(12),
        size in 1_usize..8,
        beta in prop_oneof![Just(0.75), Just(0.5)],
    ) {
        response(case, size, beta);
    }
}

/// Parts of a channel that are whole, and one that is not; and one value a channel.
#[test]
fn batch_normalization_of_many_images() {
    for (channels, side, rows) in [(2, 29, 10), (3, 1, 1), (1, 64, 2)] {
        let window = Window { size: 1, stride: 1, padding: 0 };
        let input = shape(channels, side, side);
        let case = Case {
            input,
            window,
            rows,
            outputs: 1,
            first: 1,
            accumulate: true,
            relu: true,
            ..Case::default()
        };
        normalization(case);
    }
}

/// Four numbers are moved at once only where all arrays allow it; and channels change within four.
#[test]
fn batch_normalization_of_rows_side_by_side() {
    let case = |(channels, height, width), relu, accumulate| Case {
        input: shape(channels, height, width),
        rows: 3,
        relu,
        accumulate,
        ..Case::default()
    };
    for (relu, accumulate) in [(true, false), (true, true), (false, true)] {
        let one = case((4, 1, 1), relu, accumulate);
        normalization_in(one, [(0, 4); 4]);
        for odd in 0..4 {
            // Rows of eight numbers all over, which begin one further in one of the arrays.
            let mut around = [(0, 4); 4];
            around[odd] = (1, 3);
            normalization_in(one, around);
            around[odd] = (0, 5);
            normalization_in(one, around);
        }
        normalization_in(case((3, 1, 1), relu, accumulate), [(0, 1); 4]);
        normalization_in(case((4, 1, 3), relu, accumulate), [(0, 0); 4]);
        normalization_in(case((2, 1, 2), relu, accumulate), [(0, 0); 4]);
        normalization_in(case((8, 5, 29), relu, accumulate), [(0, 0); 4]);
    }
}

/// Zeros after a ReLU are equal maxima, and an image that is not there has no numbers at all.
#[test]
fn maxima_that_are_equal_or_no_numbers() {
    let Some(cuda) = gpu() else { return };
    let (from, window) = (shape(1, 3, 7), Window { size: 2, stride: 2, padding: 1 });
    let to = Case { input: from, window, ..Case::default() }.output(1);
    let kinds = [
        ArrayKind::Images { count: 3, shape: from },
        ArrayKind::Indices(2),
        ArrayKind::Activation(from),
        ArrayKind::Activation(from),
        ArrayKind::Activation(to),
        ArrayKind::Indices(2 * to.len()),
        ArrayKind::Activation(from),
    ];
    let (pool, places, output) = (Pool::Max, Some(ArrayId(5)), view(4, 0, to));
    let chosen = ArrayId(1);
    let [gathered, positive, input_gradient] = [2, 3, 6].map(|array| view(array, 0, from));
    let (images, augmentation) = (ArrayId(0), None);
    let operations = vec![
        Operation::Gather { images, chosen, output: gathered, augmentation },
        Operation::Relu { input: gathered, output: positive },
        Operation::Pool { input: positive, output, places, pool, window },
        Operation::PoolGradient {
            output_gradient: output,
            places,
            input_gradient,
            pool,
            window,
            accumulate: false,
        },
    ];
    let indices = [(1, vec![2, 3])];
    agree(&cuda, |n| plan(n, (2, 2), &kinds, operations.clone()), &indices, 1, 0.0);
    let left = run(&cuda, &plan(1, (2, 2), &kinds, operations), 0, &indices, 1);
    assert!(left.arrays[0][2].iter().any(|x| x.is_nan()) && left.arrays[0][2].contains(&0.0));
}

#[test]
fn augmented_images_are_those_of_the_draws() {
    let Some(cuda) = gpu() else { return };
    let augmentation = |crop, flip, rotation| Augmentation { crop, flip, rotation };
    for (raw, to) in [
        (shape(3, 7, 6), shape(3, 4, 5)),
        (shape(1, 9, 9), shape(1, 9, 9)),
        (shape(2, 20, 19), shape(2, 17, 12)),
    ] {
        for how in [
            augmentation(false, false, 0.0),
            augmentation(true, false, 0.0),
            augmentation(true, true, 25.0),
            augmentation(false, true, 180.0),
        ] {
            for whiten in [false, true] {
                let rows = 5;
                let kinds = [
                    ArrayKind::Images { count: 5, shape: raw },
                    ArrayKind::Indices(rows),
                    ArrayKind::Activation(Shape { channels: to.channels + 1, ..to }),
                ];
                let gather = Operation::Gather {
                    images: ArrayId(0),
                    chosen: ArrayId(1),
                    output: view(2, 1, to),
                    augmentation: Some((how, whiten)),
                };
                // One sample is not there.
                let chosen = vec![(1, vec![4, 0, 2, 9, 1])];
                let make = |n| plan(n, (rows, rows), &kinds, vec![gather.clone()]);
                // Cut out and flipped: the same bytes.
                let exact = how.rotation == 0.0 && !whiten;
                agree(&cuda, make, &chosen, 1, if exact { 0.0 } else { 2.0 * ROUNDING });
            }
        }
    }
}

/// A constant image is exactly zero when it is whitened, and one of what is not a number stays so.
#[test]
fn constant_images_become_zero() {
    let Some(cuda) = gpu() else { return };
    let to = shape(3, 15, 14);
    let kinds = [
        ArrayKind::Images { count: 2, shape: to },
        ArrayKind::Indices(2),
        ArrayKind::Activation(to),
    ];
    let gather = Operation::Gather {
        images: ArrayId(0),
        chosen: ArrayId(1),
        output: view(2, 0, to),
        augmentation: Some((Augmentation::default(), true)),
    };
    let mut memory = cuda.prepare(plan(1, (2, 2), &kinds, vec![gather]), &[1]).expect("a plan");
    let mut images = vec![0.1; 2 * to.len()];
    images[2 * to.len() - 1] = f32::INFINITY;
    memory.write(ArrayId(0), 0, &images).expect("images");
    memory.write_indices(ArrayId(1), 0, &[0, 1]).expect("indices");
    memory.run(SequenceId(0)).expect("a sequence");
    let mut whitened = vec![1.0; 2 * to.len()];
    memory.read(ArrayId(2), 0, &mut whitened).expect("an array");
    let (constant, infinite) = whitened.split_at(to.len());
    assert!(constant.iter().all(|&x| x == 0.0));
    assert!(infinite.iter().all(|x| x.is_nan()));
}

const ALL: [&str; 8] = [
    "maxima",
    "means",
    "batch_normalization",
    "response_normalization",
    "augmented",
    "constant",
    "of_many",
    "equal",
];

#[test]
fn emulated_orders_do_not_matter() {
    orders_do_not_matter();
}

/// Without any one barrier, some test fails.
#[test]
fn emulated_every_barrier_is_needed() {
    needs_every("__syncthreads();", "image.h", 1, &ALL);
    needs_every("__syncthreads();", "augment.cu", 1, &ALL);
}
