//! Operations on the GPU (the emulator's) against the processor: gathering, elementwise operations,
//! dropout, losses, updates; what is refused; all of it again in other orders of threads and blocks;
//! and that no barrier can be left out.
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
    pub use place::repository;
}

use crate::common::emulator;
use crate::common::gpu::gpu;
use crate::common::mutant::{needs_every, orders_do_not_matter};
use crate::common::small_plans::{agree, plan, run, vectors, view};
use shatter_device::cpu::Cpu;
use shatter_device::{
    ArrayId, ArrayKind, Control, Device, DeviceError, LabelArrays, Operation, Plan, SequenceId,
    View,
};
use shatter_sample::Shape;

fn shape(channels: usize, height: usize, width: usize) -> Shape {
    Shape { channels, height, width }
}

/// Arrays of activations, and views of all and of some of their channels.
fn views() -> Vec<([ArrayKind; 2], View, View)> {
    let kinds = |a, b| [ArrayKind::Activation(a), ArrayKind::Activation(b)];
    let whole = |a: Shape| (kinds(a, a), view(0, 0, a), view(1, 0, a));
    vec![
        whole(shape(1, 1, 1)),
        whole(shape(3, 2, 5)),
        whole(shape(1025, 1, 1)),
        (
            kinds(shape(4, 3, 2), shape(7, 3, 2)),
            view(0, 1, shape(2, 3, 2)),
            view(1, 4, shape(2, 3, 2)),
        ),
        (kinds(shape(16, 1, 1), shape(8, 1, 1)), vectors(0, 4, 8), vectors(1, 0, 8)),
        (kinds(shape(2001, 1, 1), shape(1999, 1, 1)), vectors(0, 3, 1997), vectors(1, 1, 1997)),
    ]
}

/// An operation from one view to the other, the same bytes as on the processor.
fn same_bytes(operation: impl Fn(View, View) -> Operation) {
    let Some(cuda) = gpu() else { return };
    for (kinds, from, to) in views() {
        let make = |replicas| plan(replicas, (4, 3), &kinds, vec![operation(from, to)]);
        agree(&cuda, make, &[], 1, 0.0);
    }
}

#[test]
fn elementwise_operations() {
    same_bytes(|input, output| Operation::Relu { input, output });
    same_bytes(|output, gradient| Operation::ReluGradient { output, gradient });
    same_bytes(|input, output| Operation::Copy { input, output });
    for accumulate in [false, true] {
        same_bytes(|gradient, input_gradient| Operation::Pass {
            gradient,
            input_gradient,
            accumulate,
        });
    }
}

/// Images to vectors and back.
#[test]
fn flattening() {
    let Some(cuda) = gpu() else { return };
    let kinds = [ArrayKind::Activation(shape(5, 3, 3)), ArrayKind::Activation(shape(30, 1, 1))];
    let (image, vector) = (view(0, 1, shape(3, 3, 3)), vectors(1, 2, 27));
    let mut operations = vec![Operation::Flatten { input: image, output: vector }];
    operations.extend([false, true].map(|accumulate| Operation::FlattenGradient {
        output_gradient: vector,
        input_gradient: image,
        accumulate,
    }));
    for operation in operations {
        agree(&cuda, |n| plan(n, (4, 3), &kinds, vec![operation.clone()]), &[], 1, 0.0);
    }
}

/// The processor's bytes: the same words, compared and divided alike.
#[test]
fn dropout_drops_what_the_processor_drops() {
    for rate in [0.0, 0.25, 0.3, 0.999] {
        same_bytes(|input, output| Operation::Dropout { input, output, rate, layer: 6 });
        for accumulate in [false, true] {
            same_bytes(|output_gradient, input_gradient| Operation::DropoutGradient {
                output_gradient,
                input_gradient,
                rate,
                layer: 6,
                accumulate,
            });
        }
    }
}

#[test]
fn samples_are_chosen_and_gathered() {
    let Some(cuda) = gpu() else { return };
    for (seen, first) in [(shape(2, 3, 2), 0), (shape(2, 3, 2), 1), (shape(1031, 1, 1), 0)] {
        let (count, rows) = (9, 4);
        let kinds = [
            ArrayKind::Images { count, shape: seen },
            ArrayKind::Indices(count),
            ArrayKind::Indices(rows),
            ArrayKind::Activation(Shape { channels: seen.channels + first, ..seen }),
        ];
        let order: Vec<u32> = (0..count as u32).map(|i| i * 4 % 9).collect();
        for with in [None, Some(ArrayId(1))] {
            let chosen = ArrayId(2);
            let operations = vec![
                Operation::Select { order: with, chosen },
                Operation::Gather {
                    images: ArrayId(0),
                    chosen,
                    output: view(3, first, seen),
                    augmentation: None,
                },
            ];
            // From 3 on; twice, so that the second batch leaves the nine samples after two.
            for times in [1, 2] {
                let make = |n| plan(n, (5, rows), &kinds, operations.clone());
                agree(&cuda, make, &[(1, order.clone())], times, 0.0);
            }
        }
    }
}

/// A loss on `rows` of 40 samples.
fn loss_plan(replicas: usize, rows: usize, outputs: usize, (squared, real): (bool, bool)) -> Plan {
    let labels = match real {
        true => ArrayKind::Images { count: 40, shape: Shape::vector(outputs) },
        false => ArrayKind::Indices(40),
    };
    let kinds = [
        ArrayKind::Activation(Shape::vector(outputs + 2)),
        ArrayKind::Activation(Shape::vector(outputs + 1)),
        labels,
        ArrayKind::Indices(rows),
        ArrayKind::Indices(39),
    ];
    let (output, gradient) = (vectors(0, 2, outputs), Some(vectors(1, 1, outputs)));
    let labels = LabelArrays { labels: ArrayId(2), chosen: ArrayId(3), changed: ArrayId(4) };
    let operation = if squared {
        Operation::SquaredLoss { output, gradient, labels }
    } else {
        Operation::CrossEntropy { logits: output, gradient, labels }
    };
    plan(replicas, (rows + 1, rows), &kinds, vec![operation])
}

#[test]
fn losses_and_their_gradients() {
    let Some(cuda) = gpu() else { return };
    for (rows, outputs) in [(1, 1), (3, 4), (8, 10), (9, 33), (67, 65)] {
        for kind in [(false, false), (true, false), (true, true)] {
            // Some labels that no output stands for, and samples that are not there.
            let classes: Vec<u32> = (0..40).map(|i| i * 7 % (outputs as u32)).collect();
            let chosen: Vec<u32> = (0..rows as u32).map(|i| i * 11 % 40).collect();
            let changed: Vec<u32> = (0..39).map(|i| u32::from(i % 3 == 0)).collect();
            let mut indices = vec![(3, chosen), (4, changed)];
            if !kind.1 {
                indices.push((2, classes));
            }
            let make = |n| loss_plan(n, rows, outputs, kind);
            agree(&cuda, make, &indices, 2, 1e-7);
            let missing: Vec<u32> = (0..rows as u32).map(|i| if i == 0 { 40 } else { i }).collect();
            indices[0].1 = missing;
            let left = run(&cuda, &make(1), 0, &indices, 1);
            assert!(left.outcomes[0][0].loss.is_nan());
            assert_eq!(left.bits().0, run(&Cpu, &make(1), 0, &indices, 1).bits().0);
        }
    }
}

/// The ring of outcomes is emptied in time, whoever reads how late.
#[test]
fn outcomes_of_thousands_of_steps() {
    let Some(cuda) = gpu() else { return };
    let make = |n| loss_plan(n, 1, 2, (false, false));
    let left = run(&cuda, &make(2), 0, &[(2, vec![1; 40])], 2500);
    for outcomes in &left.outcomes {
        assert_eq!(outcomes.len(), 2500);
        assert!(outcomes.iter().all(|outcome| outcome == &outcomes[0]));
    }
}

#[test]
fn updates_are_the_processors() {
    let Some(cuda) = gpu() else { return };
    let kinds: Vec<ArrayKind> =
        [1, 7, 4096, 4097, 9001].into_iter().flat_map(|len| [ArrayKind::Vector(len); 3]).collect();
    let parameters = (0..5).map(|at| [3 * at, 3 * at + 1, 3 * at + 2].map(ArrayId)).collect();
    let update = Operation::Update { parameters, momentum: 0.9, decay: 0.01 };
    agree(&cuda, |n| plan(n, (1, 1), &kinds, vec![update.clone()]), &[], 2, 0.0);
    // Without parameters the step counts all the same: dropout draws anew.
    let kinds = [ArrayKind::Activation(shape(9, 1, 1)); 2];
    let operations = vec![
        Operation::Dropout {
            input: vectors(0, 0, 9),
            output: vectors(1, 0, 9),
            rate: 0.5,
            layer: 0,
        },
        Operation::Update { parameters: vec![], momentum: 0.0, decay: 0.0 },
    ];
    agree(&cuda, |n| plan(n, (2, 2), &kinds, operations.clone()), &[], 3, 0.0);
}

#[test]
fn what_is_not_there_is_refused_by_name() {
    let Some(cuda) = gpu() else { return };
    let refused = |plan: Plan| cuda.prepare(plan, &[1, 2]).err().expect("a plan that is refused");
    let image = shape(1, 2, 2);
    let kinds = [
        ArrayKind::Images { count: 3, shape: image },
        ArrayKind::Indices(2),
        ArrayKind::Activation(image),
        ArrayKind::Activation(Shape::vector(1)),
    ];
    // An array that both replicas would write at once.
    let relu = Operation::Relu { input: view(2, 0, image), output: view(4, 0, image) };
    let mut shared = plan(2, (2, 2), &[&kinds[..], &[kinds[2]]].concat(), vec![relu]);
    shared.arrays[4].shared = true;
    assert!(matches!(refused(shared), DeviceError::Unsupported(_)));
    // Memory that is not there, arrays that are not there, seeds that are missing.
    let large = plan(1, (1, 1), &[ArrayKind::Vector(usize::MAX / 8)], vec![]);
    assert!(matches!(refused(large), DeviceError::Memory { .. }));
    assert!(matches!(refused(plan(3, (1, 1), &kinds, vec![])), DeviceError::Missing(_)));
    let mut memory = cuda.prepare(plan(1, (2, 2), &kinds, vec![]), &[1]).expect("a plan");
    assert!(matches!(memory.write(ArrayId(0), 0, &[0.0; 5]), Err(DeviceError::Length { .. })));
    assert!(matches!(memory.write(ArrayId(9), 0, &[]), Err(DeviceError::Missing(_))));
    assert!(matches!(memory.run(SequenceId(1)), Err(DeviceError::Missing(_))));
    memory.control(Control { position: 0, step: 0, epoch: 0, learning_rate: 0.1 });
    assert_eq!(memory.run(SequenceId(0)), Ok(()));
    assert_eq!(memory.read_outcomes(7), Ok(vec![]));
}

#[test]
fn emulated_orders_do_not_matter() {
    orders_do_not_matter();
}

#[test]
fn emulated_every_barrier_is_needed() {
    needs_every("__syncthreads();", "gather.cu", 1, &["samples_are_chosen"]);
    needs_every("__syncthreads();", "loss.cu", 2, &["losses"]);
}

/// Each kernel with barriers is named by a test that removes them.
#[test]
fn emulated_no_kernel_is_left_out() {
    let tests = crate::common::repository().join("tests/cuda");
    let read = |folder: std::path::PathBuf| {
        let entries = std::fs::read_dir(folder).expect("a folder");
        let paths = entries.map(|entry| entry.expect("an entry").path());
        let files = paths.filter(|path| path.is_file());
        files.filter_map(|path| Some((std::fs::read_to_string(&path).ok()?, path)))
    };
    let tested: String = read(tests).map(|(text, _)| text).collect();
    for (text, path) in read(emulator::kernels()) {
        let name = path.file_name().and_then(|name| name.to_str()).expect("a name");
        let named = tested.contains(&format!("needs_every(\"__syncthreads();\", \"{name}\""));
        assert!(named || !text.contains("__syncthreads();"), "{name}");
    }
}

/// Threads with devices of their own disturb each other neither while they capture nor while they
/// copy: nothing goes through the stream that all of them share.
#[test]
fn threads_do_not_disturb_each_other() {
    let Some(cuda) = gpu() else { return };
    let kinds = [ArrayKind::Activation(shape(9, 1, 1)), ArrayKind::Activation(shape(9, 1, 1))];
    let relu = Operation::Relu { input: vectors(0, 0, 9), output: vectors(1, 0, 9) };
    let plan = plan(1, (4, 3), &kinds, vec![relu; 20]);
    let alone = run(&cuda, &plan, 0, &[], 3).bits();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let cuda = gpu().expect("a GPU, as before");
                for _ in 0..25 {
                    assert_eq!(run(&cuda, &plan, 0, &[], 3).bits(), alone);
                }
            });
        }
    });
}
