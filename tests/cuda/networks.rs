//! Whole networks on the GPU (the emulator's): five steps of the paper's architectures have the
//! losses of the processor, gradients of any network those of the processor in binary64, replicas
//! the bytes of runs by themselves.
#![cfg(feature = "cuda")]

#[path = "../common"]
#[allow(dead_code, unused_imports)] // what is shared is used in parts
mod common {
    pub mod cases;
    pub mod emulator;
    pub mod gpu;
    pub mod layers;
    pub mod place;
    pub mod skipped;
    pub mod windows;
}

use crate::common::gpu::gpu;
use crate::common::layers::{layer, smaller};
use proptest::prelude::*;
use shatter_device::cpu::Cpu;
use shatter_device::{ArrayId, Control, Device, Memory};
use shatter_exact::Element;
use shatter_network::Architecture;
use shatter_network::architecture::{Layer, Shape};
use shatter_prepare::preprocess::Prepared;
use shatter_random::philox::philox;
use shatter_sample::Labels;
use shatter_train::compile::{Goal, Program, compile};
use shatter_train::{Data, DataIdentity, Initialization, Loss, Settings, Trainer};

/// A number between −1 and 1.
fn number(at: usize, what: u32) -> f64 {
    let [word, ..] = philox([at as u32, what, 0, 78], [3, 4]);
    f64::from(word >> 8) / f64::from(1 << 23) - 1.0
}

/// Five batches of images, and what is tested on.
fn samples<E: Element>(shape: Shape, n: usize) -> Prepared<E> {
    let class = |i: usize| (7 * i + 3) as u32 % 10;
    Prepared {
        shape,
        values: (0..n * shape.len()).map(|at| E::of(number(at, 1))).collect::<Vec<E>>().into(),
        labels: Labels::classes((0..n).map(class).collect(), 10).expect("labels"),
        changed: vec![false; n],
    }
}

/// Mean losses of five steps, and the loss of the test set after them.
fn losses<E: Element>(
    device: &dyn Device<E>,
    model: &str,
    (stored, side): (Shape, usize),
    settings: &Settings,
) -> Vec<f64> {
    let batch = settings.batch;
    let (train, test) = (samples::<E>(stored, 5 * batch - 1), samples::<E>(stored, batch + 1));
    let input = Shape { height: side, width: side, ..stored };
    let architecture = Architecture::named(model, input, 10).expect("an architecture");
    let data = Data {
        train: &train,
        test: Some(&test),
        whiten: true,
        identity: DataIdentity::named("images"),
    };
    let mut trainer =
        Trainer::new(device, architecture, data, settings.clone()).expect("a network");
    let (mut losses, mut before) = (vec![], 0.0);
    for _ in 0..5 {
        trainer.steps(1).expect("a step");
        let sum = trainer.progress(0).epoch_tally.loss;
        losses.push((sum - before) / batch as f64);
        before = sum;
    }
    losses.push(trainer.evaluate_test().expect("a test").expect("a test set")[0].loss);
    losses
}

/// The issue of the trainer asks for 1e-4.
fn five_steps(model: &str, rate: f64, augmentation: &str) {
    let Some(cuda) = gpu() else { return };
    let augmented = !augmentation.is_empty();
    let settings = Settings {
        batch: 6,
        weight_decay: 1e-3,
        augmentation: augmented.then(|| augmentation.parse().unwrap()),
        ..Settings::paper(rate)
    };
    let side = if augmented { 10 } else { 8 };
    let images = (Shape { channels: 3, height: side, width: side }, 8);
    let found = losses(&cuda, model, images, &settings);
    let expected = losses::<f32>(&Cpu, model, images, &settings);
    for (step, (a, b)) in found.iter().zip(&expected).enumerate() {
        // Of the test set, where running statistics of five batches leave large losses, relative.
        let most = if step < 5 { 1e-4 } else { 1e-4 * b.max(1.0) };
        assert!((a - b).abs() <= most, "{model}, {step}: {found:?} but {expected:?}");
    }
    assert!(expected[..5].iter().all(|loss| loss.is_finite()));
    assert_eq!(found, losses(&cuda, model, images, &settings), "a second run");
}

#[test]
fn alexnet() {
    five_steps("alexnet", 0.01, "");
}

#[test]
fn inception() {
    five_steps("inception", 0.1, "");
}

#[test]
fn inception_without_batch_normalization() {
    five_steps("inception-nobn", 0.1, "");
}

#[test]
fn augmented() {
    five_steps("conv(8,3,stride=2,pad=1) relu flatten dense(16) relu", 0.01, "crop,flip,rotate:25");
}

const INPUT: Shape = Shape { channels: 2, height: 5, width: 4 };
const ROWS: usize = 4;

/// What `gradients` leaves: the loss, and the gradients of all trained arrays and of the input.
fn gradients<E: Element>(
    device: &dyn Device<E>,
    program: &Program,
    replicas: std::ops::Range<usize>,
) -> Vec<(f64, Vec<Vec<f64>>)> {
    let seeds: Vec<u64> = replicas.clone().map(|replica| 7 + replica as u64).collect();
    let mut memory: Box<dyn Memory<E>> =
        device.prepare(program.plan.clone(), &seeds).expect("a plan");
    for (at, replica) in replicas.clone().enumerate() {
        for (index, stored) in program.arrays.iter().enumerate() {
            let drawn =
                Initialization::PyTorch.draw(&stored.parameter, index as u32, replica as u64);
            let drawn: Vec<E> = drawn.into_iter().map(E::of).collect();
            memory.write(stored.value, at, &drawn).expect("weights");
        }
        let pixels: Vec<E> =
            (0..ROWS * INPUT.len()).map(|i| E::of(number(i, replica as u32))).collect();
        memory.write(program.train.images, at, &pixels).expect("images");
        memory.write_indices(program.order, at, &[2, 0, 3, 1]).expect("an order");
        let labels = program.train.labels.labels;
        memory.write_indices(labels, at, &[0, 2, 1, 1]).expect("labels");
    }
    memory.control(Control { position: 0, step: 5, epoch: 0, learning_rate: 0.0 });
    memory.run(program.gradients).expect("gradients");
    let trained = program.arrays.iter().filter_map(|stored| Some(stored.trained?[0]));
    let arrays: Vec<ArrayId> = trained.chain([program.input_gradient.array]).collect();
    let mut left = vec![];
    for at in 0..replicas.len() {
        let loss = memory.read_outcomes(at).expect("an outcome")[0].loss;
        let read = |&id: &ArrayId| {
            let mut values = vec![E::zero(); program.plan.len(id)];
            memory.read(id, at, &mut values).expect("an array");
            values.into_iter().map(Element::to_f64).collect()
        };
        left.push((loss, arrays.iter().map(read).collect()));
    }
    left
}

/// How far the farthest numbers of two lists are apart.
fn apart(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).fold(0.0, |most, (a, b)| most.max((a - b).abs()))
}

fn compare(architecture: &Architecture, loss: Loss) -> Result<(), TestCaseError> {
    let Some(cuda) = gpu() else { return Ok(()) };
    let program = |replicas| {
        let goal = Goal {
            replicas,
            shared_images: false,
            batch: ROWS,
            train: ROWS,
            test: 0,
            stored: INPUT,
            real: None,
            loss,
            augmentation: None,
            momentum: 0.9,
            decay: 0.0,
        };
        compile(architecture, &goal).expect("a program")
    };
    let two = gradients(&cuda, &program(2), 0..2);
    for (replica, together) in two.into_iter().enumerate() {
        let one = program(1);
        let alone = gradients(&cuda, &one, replica..replica + 1);
        prop_assert_eq!(&together, &alone[0], "{}: replica {}", architecture, replica);
        let exact = gradients::<f64>(&Cpu, &one, replica..replica + 1);
        let single = gradients::<f32>(&Cpu, &one, replica..replica + 1);
        // Layers amplify rounding, on the processor as well: as far off as it, in another order of
        // sums, and some last bits of the largest gradient, since one that is zero in exact
        // arithmetic comes out as rounding of its terms.
        let all = exact[0].1.iter().flatten();
        let largest = all.fold(0f64, |most, x| most.max(x.abs()));
        for ((found, exact), single) in together.1.iter().zip(&exact[0].1).zip(&single[0].1) {
            let bound = 16.0 * apart(single, exact) + 64.0 * f64::from(f32::EPSILON) * largest;
            let off = apart(found, exact);
            prop_assert!(off <= bound, "{architecture}: {off:e} off, {bound:e} allowed");
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(crate::common::cases::cases(24))]

    #[test]
    fn gradients_of_any_network(
        before in prop::option::of(smaller()),
        layers in prop::collection::vec(layer(), 1..5),
        squared in any::<bool>(),
    ) {
        let last = [Layer::Flatten, Layer::Dense { units: 3 }];
        let layers = before.into_iter().chain(layers).chain(last).collect();
        let loss = if squared { Loss::Squared } else { Loss::CrossEntropy };
        compare(&Architecture { input: INPUT, layers }, loss)?;
    }
}
