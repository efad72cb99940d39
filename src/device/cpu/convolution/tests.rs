//! Convolutions against their definition.

use proptest::prelude::*;

use super::*;
use crate::cpu::testing::{
    Case, Field, assert_gradient, assert_near, assert_same_with_all_threads, cases, numbers,
};

/// Calls `see` for every product of the definition, with the places of input, weight and output.
fn products(
    input: &Field<f64>,
    output: &Field<f64>,
    window: Window,
    mut see: impl FnMut(usize, usize, usize),
) {
    let Window { size, stride, padding } = window;
    let (from, to) = (input.shape, output.shape);
    for (r, o, y, x) in entries(output.rows, to) {
        for i in 0..size {
            for j in 0..size {
                let (v, u) = (y * stride + i, x * stride + j);
                let inside = |at: usize, side: usize| at >= padding && at - padding < side;
                if inside(v, from.height) && inside(u, from.width) {
                    for c in 0..from.channels {
                        let weight = ((i * size + j) * from.channels + c) * to.channels + o;
                        let place = input.place(r, c, v - padding, u - padding);
                        see(place, weight, output.place(r, o, y, x));
                    }
                }
            }
        }
    }
}

/// All (row, channel, y, x).
fn entries(rows: usize, shape: Shape) -> impl Iterator<Item = (usize, usize, usize, usize)> {
    let Shape { channels, height, width } = shape;
    (0..rows * channels * height * width).map(move |at| {
        let (rest, x) = (at / width, at % width);
        let (rest, y) = (rest / height, rest % height);
        (rest / channels, rest % channels, y, x)
    })
}

/// Everything that a case needs: input, output, weight, bias and scratch.
struct Layer {
    input: Field<f64>,
    output: Field<f64>,
    weight: Vec<f64>,
    bias: Vec<f64>,
    window: Window,
    scratch: Scratch<f64>,
}

impl Layer {
    fn new(case: Case) -> Layer {
        let Case { input, window, rows, outputs, around, seed, .. } = case;
        let output = case.output(outputs);
        let mut scratch = Scratch::default();
        scratch.reserve(input, output, window, rows).unwrap();
        Layer {
            input: Field::new(input, rows, around[0], seed),
            output: Field::new(output, rows, around[1], seed + 1),
            weight: numbers(window.size.pow(2) * input.channels * outputs, seed + 2),
            bias: numbers(outputs, seed + 3),
            window,
            scratch,
        }
    }
}

fn check_forward(case: Case) {
    let Layer { input, mut output, weight, bias, window, mut scratch } = Layer::new(case);
    let mut expected = output.clone();
    for (r, o, y, x) in entries(case.rows, output.shape) {
        expected.data[output.place(r, o, y, x)] = bias[o];
    }
    products(&input, &output, window, |i, w, o| expected.data[o] += input.data[i] * weight[w]);
    if case.flag {
        expected.places().into_iter().for_each(|o| expected.data[o] = expected.data[o].max(0.0));
    }
    forward(input.slab(), &weight, &bias, output.slab_mut(), window, case.flag, &mut scratch);
    assert_near(&output.data, &expected.data);
}

fn check_gradients(case: Case) {
    let Layer { mut input, output, mut weight, mut bias, window, mut scratch } = Layer::new(case);
    let mut of_input = Field::new(case.input, case.rows, case.around[1], 5);
    let mut expected = of_input.clone();
    if !case.flag {
        of_input.places().into_iter().for_each(|at| expected.data[at] = 0.0);
    }
    let before = expected.clone();
    let (seen, to) = (input.places(), of_input.places());
    let (mut of_weight, mut of_bias) = (numbers(weight.len(), 6), numbers(bias.len(), 7));
    let (mut weights, mut biases) = (vec![0.0; weight.len()], vec![0.0; bias.len()]);
    products(&input, &output, window, |i, w, o| {
        expected.data[to[seen.binary_search(&i).unwrap()]] += output.data[o] * weight[w];
        weights[w] += output.data[o] * input.data[i];
    });
    for (r, o, y, x) in entries(case.rows, output.shape) {
        biases[o] += output.data[output.place(r, o, y, x)];
    }
    let gradient = output.slab();
    let result = of_input.slab_mut();
    input_gradient(gradient, &weight, result, window, case.flag, &mut scratch);
    assert_near(&of_input.data, &expected.data);
    let results = (&mut of_weight, &mut of_bias);
    weight_gradient(input.slab(), gradient, results.0, results.1, window, &mut scratch);
    assert_near(&of_weight, &weights);
    assert_near(&of_bias, &biases);

    let mut out = output.clone();
    let mut loss = |input: &Field<f64>, weight: &[f64], bias: &[f64]| {
        forward(input.slab(), weight, bias, out.slab_mut(), window, false, &mut scratch);
        out.dot(&output)
    };
    // Losses are linear in each, so large steps are exact.
    let found: Vec<f64> = to.iter().map(|&at| of_input.data[at] - before.data[at]).collect();
    let mut moved = input.clone();
    assert_gradient(&mut input.data, &seen, &found, 0.5, |data| {
        moved.data.copy_from_slice(data);
        loss(&moved, &weight, &bias)
    });
    let all: Vec<usize> = (0..weight.len()).collect();
    let fixed = weight.clone();
    assert_gradient(&mut weight, &all, &of_weight, 0.5, |weight| loss(&input, weight, &bias));
    let all = &all[..bias.len().min(all.len())];
    let part = &of_bias[..all.len()];
    assert_gradient(&mut bias, all, part, 0.5, |bias| loss(&input, &fixed, bias));
}

/// A case with square images and nothing around the views.
fn plain(
    channels: usize,
    side: usize,
    window: (usize, usize, usize),
    outputs: usize,
    rows: usize,
) -> Case {
    let (size, stride, padding) = window;
    Case {
        input: Shape { channels, height: side, width: side },
        window: Window { size, stride, padding },
        rows,
        outputs,
        around: [(0, 0), (1, 2)],
        seed: 3,
        flag: true,
    }
}

/// Wide channels, whole and odd groups of images, images that go together and that do not.
fn larger() -> [Case; 6] {
    [
        plain(24, 7, (3, 1, 1), 10, 37),
        plain(24, 7, (3, 2, 1), 10, 37),
        plain(70, 5, (1, 1, 0), 9, 33),
        plain(13, 5, (5, 1, 2), 33, 20),
        plain(22, 17, (3, 2, 1), 5, 17),
        plain(3, 9, (3, 1, 1), 20, 50),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn forward_is_the_definition(case in cases()) {
        check_forward(case);
    }

    #[test]
    fn gradients_are_the_definition(case in cases()) {
        check_gradients(case);
    }
}

#[test]
fn larger_layers_are_the_definition() {
    for case in larger() {
        check_forward(case);
        check_gradients(case);
    }
}

#[test]
fn the_number_of_threads_changes_nothing() {
    for Case { input, window, rows, outputs, around, .. } in larger() {
        let case = plain(
            input.channels,
            input.height,
            (window.size, window.stride, window.padding),
            outputs,
            rows,
        );
        let images: Field<f32> = Field::new(input, rows, around[0], 1);
        let gradient: Field<f32> = Field::new(case.output(outputs), rows, around[1], 2);
        let weight: Vec<f32> = numbers(window.size.pow(2) * input.channels * outputs, 3);
        assert_same_with_all_threads(|| {
            let mut scratch = Scratch::default();
            scratch.reserve(input, gradient.shape, window, rows).unwrap();
            let (mut out, mut of_images) = (gradient.clone(), images.clone());
            let (mut of_weight, mut bias) = (weight.clone(), vec![0.5; outputs]);
            forward(images.slab(), &weight, &bias, out.slab_mut(), window, true, &mut scratch);
            let (from, to) = (gradient.slab(), of_images.slab_mut());
            input_gradient(from, &weight, to, window, true, &mut scratch);
            weight_gradient(images.slab(), from, &mut of_weight, &mut bias, window, &mut scratch);
            [out.data, of_images.data, of_weight, bias].concat()
        });
    }
}

#[test]
fn scratch_beyond_memory_is_refused() {
    let shape = Shape { channels: 1 << 20, height: 1 << 12, width: 1 << 12 };
    let window = Window { size: 5, stride: 1, padding: 2 };
    let mut scratch = Scratch::<f32>::default();
    assert!(scratch.reserve(shape, shape, window, 128).is_err_and(|wanted| wanted > 1 << 40));
}
