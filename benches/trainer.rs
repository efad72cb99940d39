//! One training step of `mlp1x512` (2352–512–10, batch 128, momentum 0.9) on the CPU:
//! `cargo bench --bench trainer`. RAYON_NUM_THREADS sets the threads.

use divan::Bencher;
use shatter::device::cpu::Cpu;
use shatter::device::{
    Array, ArrayId, ArrayKind, Control, Device, LabelArrays, Operation, Plan, Sequence, SequenceId,
    View,
};
use shatter::network::architecture::Shape;

const SAMPLES: usize = 5_000;
const BATCH: usize = 128;
const INPUTS: usize = 2352;
const HIDDEN: usize = 512;
const CLASSES: usize = 10;

fn main() {
    divan::main();
}

/// Arrays by the order in which they are added.
#[derive(Default)]
struct Arrays(Vec<Array>);

impl Arrays {
    fn add(&mut self, name: &str, kind: ArrayKind) -> ArrayId {
        self.0.push(Array { name: name.into(), kind, shared: false });
        ArrayId(self.0.len() - 1)
    }

    fn activation(&mut self, name: &str, len: usize) -> View {
        let shape = Shape::vector(len);
        View { array: self.add(name, ArrayKind::Activation(shape)), first: 0, shape }
    }

    /// Weight, gradient and velocity.
    fn parameter(&mut self, name: &str, len: usize) -> [ArrayId; 3] {
        ["", ".gradient", ".velocity"]
            .map(|part| self.add(&format!("{name}{part}"), ArrayKind::Vector(len)))
    }
}

/// Numbers of [−½, ½), by a linear congruence.
fn numbers(len: usize, scale: f32) -> Vec<f32> {
    let mut state = 1u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / 16_777_216.0 - 0.5
    };
    (0..len).map(|_| scale * next()).collect()
}

#[divan::bench]
fn step_mlp1x512(bencher: Bencher) {
    let mut arrays = Arrays::default();
    let images =
        arrays.add("images", ArrayKind::Images { count: SAMPLES, shape: Shape::vector(INPUTS) });
    let labels = arrays.add("labels", ArrayKind::Indices(SAMPLES));
    let changed = arrays.add("changed", ArrayKind::Indices(SAMPLES));
    let chosen = arrays.add("chosen", ArrayKind::Indices(BATCH));
    let [input, hidden, logits] = [("input", INPUTS), ("hidden", HIDDEN), ("logits", CLASSES)]
        .map(|(name, len)| arrays.activation(name, len));
    let [to_hidden, to_logits] = [("hidden.gradient", HIDDEN), ("logits.gradient", CLASSES)]
        .map(|(name, len)| arrays.activation(name, len));
    let [w1, b1, w2, b2] =
        [("1.weight", HIDDEN * INPUTS), ("1.bias", HIDDEN), ("3.weight", CLASSES * HIDDEN)]
            .into_iter()
            .chain([("3.bias", CLASSES)])
            .map(|(name, len)| arrays.parameter(name, len))
            .collect::<Vec<_>>()[..]
    else {
        unreachable!("four parameters")
    };
    let gradient = |input, output_gradient, weight: [ArrayId; 3], bias: [ArrayId; 3]| {
        let (weight_gradient, bias_gradient) = (weight[1], bias[1]);
        Operation::DenseWeightGradient { input, output_gradient, weight_gradient, bias_gradient }
    };
    let operations = vec![
        Operation::Select { order: None, chosen },
        Operation::Gather { images, chosen, output: input, augmentation: None },
        Operation::Dense { input, weight: w1[0], bias: b1[0], output: hidden, relu: true },
        Operation::Dense { input: hidden, weight: w2[0], bias: b2[0], output: logits, relu: false },
        Operation::CrossEntropy {
            logits,
            gradient: Some(to_logits),
            labels: LabelArrays { chosen, labels, changed },
        },
        gradient(hidden, to_logits, w2, b2),
        Operation::DenseInputGradient {
            output_gradient: to_logits,
            weight: w2[0],
            input_gradient: to_hidden,
            accumulate: false,
        },
        Operation::ReluGradient { output: hidden, gradient: to_hidden },
        gradient(input, to_hidden, w1, b1),
        Operation::Update { parameters: vec![w1, b1, w2, b2], momentum: 0.9, decay: 0.0 },
    ];
    let sequences = vec![Sequence { name: "train".into(), rows: BATCH, operations }];
    let plan = Plan { replicas: 1, batch: BATCH, arrays: arrays.0, sequences };
    let mut memory = Device::<f32>::prepare(&Cpu, plan, &[1]).expect("a plan that fits");
    memory.write(images, 0, &numbers(SAMPLES * INPUTS, 2.0)).expect("images");
    memory.write(w1[0], 0, &numbers(HIDDEN * INPUTS, 0.04)).expect("weight");
    memory.write(w2[0], 0, &numbers(CLASSES * HIDDEN, 0.08)).expect("weight");
    let classes: Vec<u32> = (0..SAMPLES as u32).map(|i| i % CLASSES as u32).collect();
    memory.write_indices(labels, 0, &classes).expect("labels");
    let mut step = 0;
    bencher.bench_local(|| {
        let position = step * BATCH as u32 % (SAMPLES - BATCH) as u32;
        memory.control(Control { position, step, epoch: 0, learning_rate: 0.01 });
        memory.run(SequenceId(0)).expect("a sequence");
        step += 1;
    });
    let losses = memory.read_outcomes(0).unwrap();
    assert!(losses.iter().all(|outcome| outcome.loss.is_finite()), "a finite loss");
}
