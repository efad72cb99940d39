//! Small plans on two devices: the same numbers in, and what comes out side by side.
#![allow(dead_code)] // each test file uses a part

use shatter_device::cpu::Cpu;
use shatter_device::cuda::Cuda;
use shatter_device::{
    Arithmetic, Array, ArrayId, ArrayKind, Control, Device, Memory, Operation, Outcome, Plan,
    Sequence, SequenceId, View,
};
use shatter_random::philox::philox;
use shatter_sample::Shape;

const CONTROL: Control = Control { position: 3, step: 7, epoch: 2, learning_rate: 0.1 };

pub fn view(array: usize, first: usize, shape: Shape) -> View {
    View { array: ArrayId(array), first, shape }
}

pub fn vectors(array: usize, first: usize, len: usize) -> View {
    view(array, first, Shape::vector(len))
}

/// One sequence on `rows` of `batch` samples.
pub fn plan(
    replicas: usize,
    (batch, rows): (usize, usize),
    kinds: &[ArrayKind],
    operations: Vec<Operation>,
) -> Plan {
    let array = |(at, &kind)| Array { name: format!("a{at}"), kind, shared: false };
    let arrays = kinds.iter().enumerate().map(array).collect();
    let sequences = vec![Sequence { name: "only".into(), rows, operations }];
    Plan { replicas, batch, arrays, sequences }
}

/// A number between −1 and 1.
pub fn number(array: usize, replica: usize, at: usize) -> f32 {
    let [word, ..] = philox([at as u32, array as u32, replica as u32, 77], [3, 4]);
    (f64::from(word) / 2_147_483_648.0 - 1.0) as f32
}

/// The same to 7 bits after the point, so that TF32 and BF16 hold it, and sums of up to 2^10 products
/// of two of them are exact in binary32.
fn coarse(array: usize, replica: usize, at: usize) -> f32 {
    (number(array, replica, at) * 128.0).trunc() / 128.0
}

/// To the nearest number with this many bits after the point; ties away from zero for TF32, to even
/// for BF16.
pub fn rounded(arithmetic: Arithmetic, value: f32) -> f64 {
    let bits = match arithmetic {
        Arithmetic::Own => return f64::from(value),
        Arithmetic::Tf32 => 10,
        Arithmetic::Bf16 => 7,
    };
    if value == 0.0 {
        return 0.0;
    }
    let unit = (f64::from(value).abs().log2().floor() - f64::from(bits)).exp2();
    let scaled = f64::from(value) / unit;
    let nearest =
        if arithmetic == Arithmetic::Tf32 { scaled.round() } else { scaled.round_ties_even() };
    nearest * unit
}

/// The number that an array of a replica begins with at a place.
type Fill<'a> = &'a dyn Fn(usize, usize, usize) -> f32;

/// What a plan left: arrays of numbers of each replica, and outcomes.
#[derive(Clone, Debug, PartialEq)]
pub struct Left {
    pub arrays: Vec<Vec<Vec<f32>>>,
    pub outcomes: Vec<Vec<Outcome>>,
}

impl Left {
    /// Everything as bits, so that NaN equals itself.
    pub fn bits(&self) -> (Vec<u32>, Vec<(u64, [u32; 4])>) {
        let numbers = self.arrays.iter().flatten().flatten().map(|x| x.to_bits()).collect();
        let outcome =
            |o: &Outcome| (o.loss.to_bits(), [o.clean.0, o.clean.1, o.changed.0, o.changed.1]);
        (numbers, self.outcomes.iter().flatten().map(outcome).collect())
    }
}

/// Runs the only sequence of a plan `times` times. Replica r is filled as replica `first + r`.
pub fn run(
    device: &dyn Device<f32>,
    plan: &Plan,
    first: usize,
    indices: &[(usize, Vec<u32>)],
    times: usize,
) -> Left {
    run_filled(device, plan, (first, &number), indices, times)
}

/// The same with other numbers to begin with.
fn run_filled(
    device: &dyn Device<f32>,
    plan: &Plan,
    (first, fill): (usize, Fill<'_>),
    indices: &[(usize, Vec<u32>)],
    times: usize,
) -> Left {
    let seeds: Vec<u64> =
        (0..plan.replicas).map(|r| 5 + ((first + r) as u64) * 0x1_0000_0001).collect();
    let mut memory: Box<dyn Memory<f32>> =
        device.prepare(plan.clone(), &seeds).expect("a plan that makes sense");
    let is_numbers = |at: usize| !matches!(plan.arrays[at].kind, ArrayKind::Indices(_));
    for replica in 0..plan.replicas {
        for at in (0..plan.arrays.len()).filter(|&at| is_numbers(at)) {
            let len = plan.len(ArrayId(at));
            let values: Vec<f32> = (0..len).map(|i| fill(at, first + replica, i)).collect();
            memory.write(ArrayId(at), replica, &values).expect("numbers");
        }
        for (at, values) in indices {
            memory.write_indices(ArrayId(*at), replica, values).expect("indices");
        }
    }
    memory.control(CONTROL);
    for _ in 0..times {
        memory.run(SequenceId(0)).expect("a sequence");
    }
    let mut left = Left { arrays: Vec::new(), outcomes: Vec::new() };
    for replica in 0..plan.replicas {
        let read = |at: usize| {
            let mut values = vec![0.0; plan.len(ArrayId(at))];
            memory.read(ArrayId(at), replica, &mut values).expect("an array");
            values
        };
        let numbers = (0..plan.arrays.len()).filter(|&at| is_numbers(at));
        left.arrays.push(numbers.map(read).collect());
        left.outcomes.push(memory.read_outcomes(replica).expect("outcomes"));
    }
    left
}

/// The arrays that one replica of a plan of numbers alone leaves on the processor, in binary64.
pub fn run_in_f64(plan: &Plan, fill: impl Fn(usize, usize) -> f64) -> Vec<Vec<f64>> {
    let mut memory: Box<dyn Memory<f64>> = Cpu.prepare(plan.clone(), &[5]).expect("a plan");
    let arrays = 0..plan.arrays.len();
    for at in arrays.clone() {
        let values: Vec<f64> = (0..plan.len(ArrayId(at))).map(|i| fill(at, i)).collect();
        memory.write(ArrayId(at), 0, &values).expect("numbers");
    }
    memory.control(CONTROL);
    memory.run(SequenceId(0)).expect("a sequence");
    let read = |at: usize| {
        let mut values = vec![0.0; plan.len(ArrayId(at))];
        memory.read(ArrayId(at), 0, &mut values).expect("an array");
        values
    };
    arrays.map(read).collect()
}

/// What one and three replicas leave on the GPU, after it was held against the processor: every
/// number to within `tolerance` times what the array's numbers are at most, and 1. Replicas
/// together must leave the bytes that they leave one by one, and a second run those of the first.
pub fn agree(
    cuda: &Cuda,
    make: impl Fn(usize) -> Plan,
    indices: &[(usize, Vec<u32>)],
    times: usize,
    tolerance: f64,
) {
    let three = make(3);
    let found = run(cuda, &three, 0, indices, times);
    assert_eq!(found.bits(), run(cuda, &three, 0, indices, times).bits(), "a second run");
    for replica in 0..3 {
        let alone = run(cuda, &make(1), replica, indices, times);
        let part = Left {
            arrays: vec![found.arrays[replica].clone()],
            outcomes: vec![found.outcomes[replica].clone()],
        };
        assert_eq!(part.bits(), alone.bits(), "replica {replica} by itself");
    }
    let expected = run(&Cpu, &three, 0, indices, times);
    for (found, expected) in found.arrays.iter().flatten().zip(expected.arrays.iter().flatten()) {
        near(found, expected, tolerance);
    }
    for (found, expected) in found.outcomes.iter().flatten().zip(expected.outcomes.iter().flatten())
    {
        assert_eq!((found.clean, found.changed), (expected.clean, expected.changed));
        near(&[found.loss as f32], &[expected.loss as f32], tolerance.max(1e-7));
    }
    let counts = |left: &Left| left.outcomes.iter().map(Vec::len).collect::<Vec<_>>();
    assert_eq!(counts(&found), counts(&expected));
}

/// One run with numbers of which sums of products are exact must leave the processor's.
pub fn equal_on_coarse(cuda: &Cuda, plan: &Plan) {
    let run = |device: &dyn Device<f32>| run_filled(device, plan, (0, &coarse), &[], 1).arrays;
    for (found, expected) in run(cuda).iter().flatten().zip(run(&Cpu).iter().flatten()) {
        near(found, expected, 0.0);
    }
}

/// One run where what no operation may read, which `apart` says of array and place, is not a number must
/// leave the processor's to within `tolerance`, as `agree` has it.
pub fn agree_on_views(
    cuda: &Cuda,
    plan: &Plan,
    apart: &dyn Fn(usize, usize) -> bool,
    tolerance: f64,
) {
    let fill = |array: usize, replica: usize, at: usize| {
        if apart(array, at) { f32::NAN } else { number(array, replica, at) }
    };
    let run = |device: &dyn Device<f32>| run_filled(device, plan, (0, &fill), &[], 1).arrays;
    for (found, expected) in run(cuda).iter().flatten().zip(run(&Cpu).iter().flatten()) {
        near(found, expected, tolerance);
    }
}

fn near(found: &[f32], expected: &[f32], tolerance: f64) {
    assert_eq!(found.len(), expected.len());
    let finite = expected.iter().filter(|x| x.is_finite());
    let most = finite.fold(1f64, |most, x| most.max(f64::from(x.abs())));
    for (at, (&a, &b)) in found.iter().zip(expected).enumerate() {
        let equal = a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan());
        let close = (f64::from(a) - f64::from(b)).abs() <= tolerance * most;
        assert!(equal || close, "at {at}: {a}, {b} expected, of at most {most}");
    }
}
