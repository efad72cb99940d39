//! Plans on the CPU: every operation against its definition, written down once more in canonical
//! order; gradients against central differences; the same bytes from any number of threads; and
//! plans that make no sense.

use shatter_device::cpu::Cpu;
use shatter_device::{
    Array, ArrayId, ArrayKind, Control, Device, DeviceError, LabelArrays, Memory, Operation,
    Outcome, Plan, Sequence, SequenceId, View,
};
use shatter_exact::Element;
use shatter_prepare::Augmentation;
use shatter_random::philox::{Domain, key, philox};
use shatter_sample::Shape;

const SEEDS: [u64; 2] = [5, 0x1234_5678_9abc];
const CONTROL: Control = Control { position: 3, step: 7, epoch: 2, learning_rate: 0.25 };

fn shape(channels: usize, height: usize, width: usize) -> Shape {
    Shape { channels, height, width }
}

fn view(array: usize, first: usize, shape: Shape) -> View {
    View { array: ArrayId(array), first, shape }
}

fn of(array: usize, shape: Shape) -> View {
    view(array, 0, shape)
}

/// Two replicas of one sequence.
fn plan(batch: usize, rows: usize, kinds: &[ArrayKind], operations: Vec<Operation>) -> Plan {
    let array = |(at, &kind)| Array { name: format!("a{at}"), kind, shared: false };
    let arrays = kinds.iter().enumerate().map(array).collect();
    let sequences = vec![Sequence { name: "only".into(), rows, operations }];
    Plan { replicas: 2, batch, arrays, sequences }
}

/// Numbers between −1 and 1 with a few bits, different for each array and replica.
fn number(array: usize, replica: usize, at: usize) -> f64 {
    let [word, ..] = philox([at as u32, array as u32, replica as u32, 99], [1, 2]);
    f64::from(word >> 20) / 2048.0 - 1.0
}

/// A plan in memory, with what its arrays of numbers held at first: `first[replica][array]`.
struct Run<E> {
    memory: Box<dyn Memory<E>>,
    plan: Plan,
    first: Vec<Vec<Vec<E>>>,
}

fn setup<E: Element>(plan: &Plan) -> Run<E>
where
    Cpu: Device<E>,
{
    let mut memory = Cpu.prepare(plan.clone(), &SEEDS).expect("a plan that makes sense");
    let mut first = Vec::new();
    for replica in 0..plan.replicas {
        let mut arrays = Vec::new();
        for (at, array) in plan.arrays.iter().enumerate() {
            let mut values = Vec::new();
            if !matches!(array.kind, ArrayKind::Indices(_)) {
                let len = plan.len(ArrayId(at));
                values = (0..len).map(|i| E::of(number(at, replica, i))).collect();
                memory.write(ArrayId(at), replica, &values).expect("numbers");
            }
            arrays.push(values);
        }
        first.push(arrays);
    }
    memory.control(CONTROL);
    Run { memory, plan: plan.clone(), first }
}

impl<E: Element> Run<E> {
    fn indices(mut self, array: usize, values: &[u32]) -> Self {
        for replica in 0..self.plan.replicas {
            self.memory.write_indices(ArrayId(array), replica, values).expect("indices");
        }
        self
    }

    fn go(mut self) -> Self {
        self.memory.run(SequenceId(0)).expect("a sequence");
        self
    }

    fn read(&mut self, array: usize, replica: usize) -> Vec<E> {
        let mut values = vec![E::zero(); self.plan.len(ArrayId(array))];
        self.memory.read(ArrayId(array), replica, &mut values).expect("an array");
        values
    }

    /// All numbers of all arrays.
    fn everything(&mut self) -> Vec<Vec<E>> {
        let mut all = Vec::new();
        for replica in 0..self.plan.replicas {
            for at in 0..self.plan.arrays.len() {
                if !matches!(self.plan.arrays[at].kind, ArrayKind::Indices(_)) {
                    all.push(self.read(at, replica));
                }
            }
        }
        all
    }
}

/// Where an entry of a view lies in its array, in canonical order.
fn place(plan: &Plan, view: View, row: usize, (c, y, x): (usize, usize, usize)) -> usize {
    let ArrayKind::Activation(whole) = plan.arrays[view.array.0].kind else { panic!("no view") };
    ((row * whole.channels + view.first + c) * whole.height + y) * whole.width + x
}

fn entries(shape: Shape) -> impl Iterator<Item = (usize, usize, usize)> {
    let Shape { channels, height, width } = shape;
    (0..channels)
        .flat_map(move |c| (0..height).flat_map(move |y| (0..width).map(move |x| (c, y, x))))
}

/// An operation that takes each number of `from` by itself to the same place of `to`: what
/// `meaning` (of the number, of what stood in its place, of its canonical place, of the replica)
/// says, and nothing elsewhere.
fn elementwise(
    kinds: &[ArrayKind],
    (from, to): (View, View),
    operation: Operation,
    meaning: impl Fn(f64, f64, usize, usize) -> f64,
) {
    let (batch, rows) = (5, 4);
    let mut run = setup::<f64>(&plan(batch, rows, kinds, vec![operation])).go();
    for replica in 0..2 {
        let mut expected = run.first[replica][to.array.0].clone();
        for row in 0..rows {
            for (at, entry) in entries(from.shape).enumerate() {
                let source = place(&run.plan, from, row, entry);
                let target = place(&run.plan, to, row, entry);
                let value = run.first[replica][from.array.0][source];
                let canonical = row * from.shape.len() + at;
                expected[target] = meaning(value, expected[target], canonical, replica);
            }
        }
        assert_eq!(run.read(to.array.0, replica), expected);
    }
}

/// Arrays of activations, and views of all and of some of their channels.
fn views() -> Vec<([ArrayKind; 2], View, View)> {
    let kinds = |a, b| [ArrayKind::Activation(a), ArrayKind::Activation(b)];
    vec![
        (kinds(shape(3, 2, 5), shape(3, 2, 5)), of(0, shape(3, 2, 5)), of(1, shape(3, 2, 5))),
        (
            kinds(shape(4, 3, 2), shape(7, 3, 2)),
            view(0, 1, shape(2, 3, 2)),
            view(1, 4, shape(2, 3, 2)),
        ),
        (kinds(shape(9, 1, 1), shape(6, 1, 1)), view(0, 3, shape(6, 1, 1)), of(1, shape(6, 1, 1))),
        (
            kinds(shape(1, 40, 40), shape(2, 40, 40)),
            of(0, shape(1, 40, 40)),
            view(1, 1, shape(1, 40, 40)),
        ),
        (
            kinds(shape(8192, 1, 1), shape(8192, 1, 1)),
            of(0, shape(8192, 1, 1)),
            of(1, shape(8192, 1, 1)),
        ),
    ]
}

#[test]
fn relu_copy_and_pass_are_what_they_say() {
    for (kinds, from, to) in views() {
        let relu = Operation::Relu { input: from, output: to };
        elementwise(&kinds, (from, to), relu, |x, _, _, _| x.max(0.0));
        let gradient = Operation::ReluGradient { output: from, gradient: to };
        elementwise(&kinds, (from, to), gradient, |x, g, _, _| if x > 0.0 { g } else { 0.0 });
        let copy = Operation::Copy { input: from, output: to };
        elementwise(&kinds, (from, to), copy, |x, _, _, _| x);
        for accumulate in [false, true] {
            let pass = Operation::Pass { gradient: from, input_gradient: to, accumulate };
            let meaning = |x, old, _, _| if accumulate { old + x } else { x };
            elementwise(&kinds, (from, to), pass, meaning);
        }
    }
}

#[test]
fn dropout_draws_by_place() {
    let (rate, layer) = (0.375, 6);
    let dropped = |place: usize, replica: usize| {
        let counter = [(place / 4) as u32, layer, CONTROL.step, Domain::Dropout as u32];
        f64::from(philox(counter, key(SEEDS[replica]))[place % 4]) < rate * 4_294_967_296.0
    };
    for (kinds, from, to) in views() {
        let kept = |x: f64, place, replica| if dropped(place, replica) { 0.0 } else { x / 0.625 };
        let forward = Operation::Dropout { input: from, output: to, rate, layer };
        elementwise(&kinds, (from, to), forward, |x, _, place, r| kept(x, place, r));
        for accumulate in [false, true] {
            let (output_gradient, input_gradient) = (from, to);
            let back = Operation::DropoutGradient {
                output_gradient,
                input_gradient,
                rate,
                layer,
                accumulate,
            };
            elementwise(&kinds, (from, to), back, |x, old, place, r| {
                if accumulate { old + kept(x, place, r) } else { kept(x, place, r) }
            });
        }
    }
    let count = (0..100_000).filter(|&place| dropped(place, 0)).count();
    assert!((36_500..38_500).contains(&count), "{count} of 100,000");
}

#[test]
fn flattening_is_channel_by_channel() {
    let (batch, rows) = (4, 3);
    for (whole, first, seen, long, at) in [
        (shape(3, 2, 4), 0, shape(3, 2, 4), 24, 0),
        (shape(5, 3, 3), 1, shape(3, 3, 3), 30, 2),
        (shape(1, 3, 3), 0, shape(1, 3, 3), 9, 0),
    ] {
        let kinds = [ArrayKind::Activation(whole), ArrayKind::Activation(Shape::vector(long))];
        let (image, vector) = (view(0, first, seen), view(1, at, Shape::vector(seen.len())));
        let flatten = Operation::Flatten { input: image, output: vector };
        let mut run = setup::<f64>(&plan(batch, rows, &kinds, vec![flatten])).go();
        for replica in 0..2 {
            let mut expected = run.first[replica][1].clone();
            for row in 0..rows {
                for (i, entry) in entries(seen).enumerate() {
                    let source = place(&run.plan, image, row, entry);
                    expected[row * long + at + i] = run.first[replica][0][source];
                }
            }
            assert_eq!(run.read(1, replica), expected);
        }
        for accumulate in [false, true] {
            let (output_gradient, input_gradient) = (vector, image);
            let back = Operation::FlattenGradient { output_gradient, input_gradient, accumulate };
            let mut run = setup::<f64>(&plan(batch, rows, &kinds, vec![back])).go();
            for replica in 0..2 {
                let mut expected = run.first[replica][0].clone();
                for row in 0..rows {
                    for (i, entry) in entries(seen).enumerate() {
                        let target = &mut expected[place(&run.plan, image, row, entry)];
                        let value = run.first[replica][1][row * long + at + i];
                        *target = value + if accumulate { *target } else { 0.0 };
                    }
                }
                assert_eq!(run.read(0, replica), expected);
            }
        }
    }
}

/// Numbers have 12 bits, so sums of products are exact and any order gives the same bytes.
#[test]
fn dense_layers_are_their_sums() {
    for (rows, inputs, outputs) in [(1, 1, 1), (3, 5, 40), (6, 33, 7), (2, 70, 129), (5, 8, 515)] {
        let (wide, tall) = (Shape::vector(inputs + 3), Shape::vector(outputs + 2));
        let (x, y) = (view(0, 2, Shape::vector(inputs)), view(1, 1, Shape::vector(outputs)));
        let (weight, bias) = (ArrayId(2), ArrayId(3));
        let kinds = [
            ArrayKind::Activation(wide),
            ArrayKind::Activation(tall),
            ArrayKind::Vector(inputs * outputs),
            ArrayKind::Vector(outputs),
        ];
        let go = |operation| setup::<f64>(&plan(rows + 1, rows, &kinds, vec![operation])).go();
        let xs = |first: &[Vec<f64>], r: usize, i: usize| first[0][r * (inputs + 3) + 2 + i];
        let ys = |first: &[Vec<f64>], r: usize, o: usize| first[1][r * (outputs + 2) + 1 + o];
        for relu in [false, true] {
            let mut run = go(Operation::Dense { input: x, weight, bias, output: y, relu });
            for replica in 0..2 {
                let first = &run.first[replica];
                let mut expected = first[1].clone();
                for (r, o) in (0..rows).flat_map(|r| (0..outputs).map(move |o| (r, o))) {
                    let term = |i| xs(first, r, i) * first[2][o * inputs + i];
                    let sum = (0..inputs).map(term).sum::<f64>() + first[3][o];
                    let value = if relu { sum.max(0.0) } else { sum };
                    expected[r * (outputs + 2) + 1 + o] = value;
                }
                assert_eq!(run.read(1, replica), expected, "{rows} {inputs} {outputs}");
            }
        }
        for accumulate in [false, true] {
            let (output_gradient, input_gradient) = (y, x);
            let mut run = go(Operation::DenseInputGradient {
                output_gradient,
                weight,
                input_gradient,
                accumulate,
            });
            for replica in 0..2 {
                let first = &run.first[replica];
                let mut expected = first[0].clone();
                for (r, i) in (0..rows).flat_map(|r| (0..inputs).map(move |i| (r, i))) {
                    let term = |o| ys(first, r, o) * first[2][o * inputs + i];
                    let target = &mut expected[r * (inputs + 3) + 2 + i];
                    let old = if accumulate { *target } else { 0.0 };
                    *target = old + (0..outputs).map(term).sum::<f64>();
                }
                assert_eq!(run.read(0, replica), expected);
            }
        }
        let mut run = go(Operation::DenseWeightGradient {
            input: x,
            output_gradient: y,
            weight_gradient: weight,
            bias_gradient: bias,
        });
        for replica in 0..2 {
            let first = &run.first[replica];
            let entry = |o, i| (0..rows).map(|r| ys(first, r, o) * xs(first, r, i)).sum::<f64>();
            let expected: Vec<f64> =
                (0..inputs * outputs).map(|at| entry(at / inputs, at % inputs)).collect();
            let sums: Vec<f64> =
                (0..outputs).map(|o| (0..rows).map(|r| ys(first, r, o)).sum()).collect();
            assert_eq!(run.read(2, replica), expected);
            assert_eq!(run.read(3, replica), sums);
        }
    }
}

#[test]
fn samples_are_chosen_and_gathered_in_order() {
    let (count, rows, seen) = (9, 4, shape(2, 3, 2));
    for first in [0, 3] {
        let kinds = [
            ArrayKind::Images { count, shape: seen },
            ArrayKind::Indices(count),
            ArrayKind::Indices(rows),
            ArrayKind::Activation(shape(2 + first, 3, 2)),
        ];
        let (images, chosen) = (ArrayId(0), ArrayId(2));
        let order: Vec<u32> = (0..count as u32).map(|i| i * 4 % 9).collect();
        for with in [None, Some(ArrayId(1))] {
            let output = view(3, first, seen);
            let operations = vec![
                Operation::Select { order: with, chosen },
                Operation::Gather { images, chosen, output, augmentation: None },
            ];
            let mut run = setup::<f64>(&plan(5, rows, &kinds, operations)).indices(1, &order);
            // Twice: the second batch begins at 7 and leaves the nine samples after two.
            for start in [3, 7] {
                run = run.go();
                for replica in 0..2 {
                    let values = run.read(3, replica);
                    for row in 0..rows {
                        let index = start + row;
                        let image = order.get(index).map(|&i| with.map_or(index, |_| i as usize));
                        for (i, entry) in entries(seen).enumerate() {
                            let value = values[place(&run.plan, output, row, entry)];
                            match image {
                                Some(image) => {
                                    assert_eq!(value, run.first[replica][0][image * 12 + i]);
                                }
                                None => assert!(value.is_nan()),
                            }
                        }
                    }
                    let untouched = values.iter().skip(rows * output_len(&run.plan, 3));
                    let before = run.first[replica][3].iter().skip(rows * output_len(&run.plan, 3));
                    assert!(untouched.eq(before));
                }
            }
        }
    }
}

fn output_len(plan: &Plan, array: usize) -> usize {
    plan.len(ArrayId(array)) / plan.batch
}

#[test]
fn augmented_images_are_those_of_the_draws() {
    let (count, rows, raw, seen) = (5, 5, shape(3, 7, 6), shape(3, 4, 5));
    let sides = |s: Shape| Shape { channels: s.channels, height: s.height, width: s.width };
    let augmentation = Augmentation { crop: true, flip: true, rotation: 25.0 };
    for whiten in [false, true] {
        let kinds = [
            ArrayKind::Images { count, shape: raw },
            ArrayKind::Indices(rows),
            ArrayKind::Activation(shape(4, 4, 5)),
        ];
        let output = view(2, 1, seen);
        let gather = Operation::Gather {
            images: ArrayId(0),
            chosen: ArrayId(1),
            output,
            augmentation: Some((augmentation, whiten)),
        };
        let chosen = [4, 0, 2, 9, 1];
        let mut run =
            setup::<f64>(&plan(rows, rows, &kinds, vec![gather])).indices(1, &chosen).go();
        for (replica, seed) in SEEDS.into_iter().enumerate() {
            let values = run.read(2, replica);
            for (row, &index) in chosen.iter().enumerate() {
                let start = index as usize * raw.len();
                let mut expected = vec![f64::NAN; seen.len()];
                if let Some(source) = run.first[replica][0].get(start..start + raw.len()) {
                    let draw = augmentation.draw(seed, CONTROL.epoch, index, (3, 1));
                    draw.apply(source, sides(raw), &mut expected, sides(seen), whiten);
                }
                for (entry, expected) in entries(seen).zip(expected) {
                    let value = values[place(&run.plan, output, row, entry)];
                    assert_eq!(value.to_bits(), expected.to_bits(), "{row} {entry:?}");
                }
            }
        }
    }
}

/// A plan with one loss on `outputs` numbers, for three of seven samples.
fn loss_plan(outputs: usize, labels: ArrayKind, squared: bool, gradient: bool) -> Plan {
    let seen = Shape::vector(outputs);
    let kinds = [
        ArrayKind::Activation(Shape::vector(outputs + 2)),
        ArrayKind::Activation(Shape::vector(outputs + 1)),
        labels,
        ArrayKind::Indices(3),
        ArrayKind::Indices(7),
    ];
    let (output, gradient) = (view(0, 2, seen), gradient.then(|| view(1, 1, seen)));
    let labels = LabelArrays { labels: ArrayId(2), chosen: ArrayId(3), changed: ArrayId(4) };
    let operation = if squared {
        Operation::SquaredLoss { output, gradient, labels }
    } else {
        Operation::CrossEntropy { logits: output, gradient, labels }
    };
    plan(4, 3, &kinds, vec![operation])
}

fn close(a: f64, b: f64, what: &str) {
    assert!((a - b).abs() <= 1e-13 * (1.0 + b.abs()), "{what}: {a}, {b} expected");
}

#[test]
fn losses_are_their_definitions() {
    let (k, chosen, changed) = (4, [5, 0, 6], [0, 0, 0, 0, 0, 1, 0]);
    let classes = [1, 0, 0, 0, 0, 3, 2];
    for (squared, real) in [(false, false), (true, false), (true, true)] {
        for gradient in [false, true] {
            let labels = if real {
                ArrayKind::Images { count: 7, shape: Shape::vector(k) }
            } else {
                ArrayKind::Indices(7)
            };
            let mut run = setup::<f64>(&loss_plan(k, labels, squared, gradient));
            run = run.indices(3, &chosen).indices(4, &changed);
            if !real {
                run = run.indices(2, &classes);
            }
            run = run.go().go();
            for replica in 0..2 {
                let first = run.first[replica].clone();
                let (mut loss, mut expected) = (0.0, first[1].clone());
                let mut counts = [(0, 0); 2];
                for (row, &sample) in chosen.iter().enumerate() {
                    let sample = sample as usize;
                    let z = &first[0][row * (k + 2) + 2..][..k];
                    let class = classes[sample] as usize;
                    let hot = |j: usize| f64::from(j == class);
                    let target = |j: usize| if real { first[2][sample * k + j] } else { hot(j) };
                    let sum: f64 = z.iter().map(|z| z.exp()).sum();
                    loss += if squared {
                        (0..k).map(|j| (z[j] - target(j)).powi(2) / 2.0).sum::<f64>()
                    } else {
                        -(z[class].exp() / sum).ln()
                    };
                    let best = z.iter().fold(f64::MIN, |a, &b| a.max(b));
                    let right = !real && z.iter().position(|&z| z == best) == Some(class);
                    let count = &mut counts[changed[sample] as usize];
                    *count = (count.0 + u32::from(right), count.1 + 1);
                    for j in 0..k {
                        let value =
                            if squared { z[j] - target(j) } else { z[j].exp() / sum - hot(j) };
                        if gradient {
                            expected[row * (k + 1) + 1 + j] = value / 3.0;
                        }
                    }
                }
                for (value, expected) in run.read(1, replica).into_iter().zip(expected) {
                    close(value, expected, "gradient");
                }
                let outcomes = run.memory.read_outcomes(replica).unwrap();
                assert_eq!(outcomes.len(), 2);
                assert_eq!(outcomes[0], outcomes[1]);
                close(outcomes[0].loss, loss, "loss");
                let found =
                    Outcome { loss: outcomes[0].loss, clean: counts[0], changed: counts[1] };
                assert_eq!(outcomes[0], found);
                assert!(run.memory.read_outcomes(replica).unwrap().is_empty());
            }
            assert!(run.memory.read_outcomes(2).unwrap().is_empty());
        }
    }
}

#[test]
fn losses_show_what_is_not_finite_or_not_there() {
    for (value, class, sample) in [
        (f64::NAN, 1, 0),
        (f64::INFINITY, 1, 0),
        (f64::NEG_INFINITY, 0, 0),
        (0.5, 3, 0),
        (0.5, u32::MAX, 0),
        (0.5, 1, 7),
        (0.5, 1, u32::MAX),
    ] {
        for squared in [false, true] {
            let plan = loss_plan(3, ArrayKind::Indices(7), squared, true);
            let mut run = setup::<f64>(&plan).indices(2, &[class; 7]).indices(3, &[sample; 3]);
            run.memory.write(ArrayId(0), 0, &[value; 20]).unwrap();
            run = run.go();
            let outcome = run.memory.read_outcomes(0).unwrap()[0];
            assert!(outcome.loss.is_nan() && outcome.clean.1 + outcome.changed.1 == 3);
        }
    }
    // Large logits do not overflow, and of equal logits the first is the answer.
    let plan = loss_plan(3, ArrayKind::Indices(7), false, true);
    let mut run = setup::<f64>(&plan);
    run.memory.write(ArrayId(0), 0, &[1e300; 20]).unwrap();
    let outcome = run.go().memory.read_outcomes(0).unwrap()[0];
    close(outcome.loss, 3.0 * 3f64.ln(), "loss");
    assert_eq!(outcome.clean, (3, 3));
}

#[test]
fn updates_are_momentum_and_decay() {
    for kind in [ArrayKind::Vector(70_000), ArrayKind::Kernel { outputs: 3, inputs: 2, size: 3 }] {
        let update = Operation::Update {
            parameters: vec![[ArrayId(0), ArrayId(1), ArrayId(2)]],
            momentum: 0.5,
            decay: 0.125,
        };
        let mut run = setup::<f64>(&plan(1, 1, &[kind; 3], vec![update])).go().go();
        for replica in 0..2 {
            let first = run.first[replica].clone();
            let (weight, velocity) = (run.read(0, replica), run.read(2, replica));
            for at in 0..weight.len() {
                let (mut w, g, mut v) = (first[0][at], first[1][at], first[2][at]);
                for _ in 0..2 {
                    v = 0.5 * v + (g + 0.125 * w);
                    w -= 0.25 * v;
                }
                assert_eq!((weight[at], velocity[at]), (w, v));
            }
        }
    }
}

/// A network with all of the layers that are tested here, and its gradients: images 2×3×2 → ReLU →
/// flatten → dropout → 7 units with ReLU → 4 outputs → loss. Arrays 0: input; 1–3: after ReLU,
/// flattened, dropped; 4–5: hidden, outputs; 6–10: gradients of 5, 4, 3, 2 and 0; 11–14:
/// parameters; 15–18: their gradients; 19–22: velocities; 23–25: chosen, labels, changed.
fn network(rows: usize, squared: bool, update: bool) -> Plan {
    let (image, flat, hidden, outputs) =
        (shape(2, 3, 2), Shape::vector(12), Shape::vector(7), Shape::vector(4));
    let shapes = [image, image, flat, flat, hidden, outputs, outputs, hidden, flat, flat, image];
    let lens = [84, 7, 28, 4].into_iter().cycle().take(12).map(ArrayKind::Vector);
    let mut kinds: Vec<ArrayKind> =
        shapes.into_iter().map(ArrayKind::Activation).chain(lens).collect();
    kinds.extend([ArrayKind::Indices(rows); 3]);
    let at = |array: usize| of(array, shapes[array]);
    let id = ArrayId;
    let labels = LabelArrays { chosen: id(23), labels: id(24), changed: id(25) };
    let (rate, layer, accumulate) = (0.3, 1, false);
    let loss = if squared {
        Operation::SquaredLoss { output: at(5), gradient: Some(at(6)), labels }
    } else {
        Operation::CrossEntropy { logits: at(5), gradient: Some(at(6)), labels }
    };
    let dense = |input, weight, output, relu| Operation::Dense {
        input: at(input),
        weight: id(weight),
        bias: id(weight + 1),
        output: at(output),
        relu,
    };
    let back = |input, gradient, weight| Operation::DenseWeightGradient {
        input: at(input),
        output_gradient: at(gradient),
        weight_gradient: id(weight),
        bias_gradient: id(weight + 1),
    };
    let further = |gradient, weight, input| Operation::DenseInputGradient {
        output_gradient: at(gradient),
        weight: id(weight),
        input_gradient: at(input),
        accumulate,
    };
    let mut operations = vec![
        Operation::Select { order: None, chosen: id(23) },
        Operation::Relu { input: at(0), output: at(1) },
        Operation::Flatten { input: at(1), output: at(2) },
        Operation::Dropout { input: at(2), output: at(3), rate, layer },
        dense(3, 11, 4, true),
        dense(4, 13, 5, false),
        loss,
        back(4, 6, 17),
        further(6, 13, 7),
        Operation::ReluGradient { output: at(4), gradient: at(7) },
        back(3, 7, 15),
        further(7, 11, 8),
        Operation::DropoutGradient {
            output_gradient: at(8),
            input_gradient: at(9),
            rate,
            layer,
            accumulate,
        },
        Operation::FlattenGradient { output_gradient: at(9), input_gradient: at(10), accumulate },
        Operation::ReluGradient { output: at(1), gradient: at(10) },
    ];
    if update {
        let parameters = (11..15).map(|at| [id(at), id(at + 4), id(at + 8)]).collect();
        operations.push(Operation::Update { parameters, momentum: 0.9, decay: 0.01 });
    }
    plan(rows, rows, &kinds, operations)
}

fn with_labels(plan: &Plan) -> Run<f64> {
    let classes: Vec<u32> = (0..plan.batch as u32).map(|i| i * 3 % 4).collect();
    let mut run = setup::<f64>(plan).indices(24, &classes);
    run.memory.control(Control { position: 0, ..CONTROL });
    run
}

#[test]
fn gradients_are_central_differences() {
    for (rows, squared) in [(1, false), (5, false), (4, true)] {
        let plan = network(rows, squared, false);
        let mut run = with_labels(&plan).go();
        run.memory.read_outcomes(0).unwrap();
        let pairs = [(0, 10), (11, 15), (12, 16), (13, 17), (14, 18)];
        for (array, gradient) in pairs.map(|(array, gradient)| (array, run.read(gradient, 0))) {
            let most = gradient.iter().fold(0f64, |most, g| most.max(g.abs()));
            assert!(most > 0.0);
            for at in 0..gradient.len() {
                let mut loss = |step: f64| {
                    let mut values = run.first[0][array].clone();
                    values[at] += step;
                    run.memory.write(ArrayId(array), 0, &values).unwrap();
                    run.memory.control(Control { position: 0, ..CONTROL });
                    run.memory.run(SequenceId(0)).unwrap();
                    run.memory.read_outcomes(0).unwrap()[0].loss / rows as f64
                };
                let step = 2f64.powi(-17);
                let difference = (loss(step) - loss(-step)) / (2.0 * step);
                let error = (difference - gradient[at]).abs();
                assert!(error <= 1e-6 * most, "array {array}, {at}: {difference} {}", gradient[at]);
            }
            run.memory.write(ArrayId(array), 0, &run.first[0][array]).unwrap();
        }
    }
}

/// An operation that reads an array of the network, so that the gradient in it must be kept.
fn reading(plan: &Plan, gradients: [usize; 2]) -> Plan {
    let mut plan = plan.clone();
    let velocity = plan.arrays.len();
    for gradient in gradients {
        for name in ["weight", "velocity"] {
            let Array { kind, .. } = plan.arrays[gradient];
            plan.arrays.push(Array { name: format!("{name} {gradient}"), kind, shared: false });
        }
    }
    let triple = |(at, &gradient): (usize, &usize)| {
        [velocity + 2 * at, gradient, velocity + 2 * at + 1].map(ArrayId)
    };
    let parameters = gradients.iter().enumerate().map(triple).collect();
    let reading = Operation::Update { parameters, momentum: 0.0, decay: 0.0 };
    plan.sequences[0].operations.push(reading);
    plan
}

#[test]
fn fused_updates_are_the_same_bytes() {
    for rows in [1, 6] {
        let mut plans = vec![network(rows, false, true)];
        plans.push(reading(&plans[0], [15, 17]));
        let mut runs: Vec<Run<f64>> = plans.iter().map(with_labels).collect();
        for _ in 0..3 {
            for run in &mut runs {
                run.memory.run(SequenceId(0)).unwrap();
                // Both count as many updates of the network.
                run.memory.control(Control { position: 0, ..CONTROL });
            }
        }
        for replica in 0..2 {
            for array in (11..15).chain(19..23) {
                assert_eq!(runs[0].read(array, replica), runs[1].read(array, replica));
                assert_ne!(runs[0].read(array, replica), runs[0].first[replica][array]);
            }
            // This is what makes the comparison one: only the second keeps the gradients.
            for array in [15, 17] {
                assert_eq!(runs[0].read(array, replica), runs[0].first[replica][array]);
                assert_ne!(runs[1].read(array, replica), runs[1].first[replica][array]);
            }
            let outcomes = [0, 1].map(|at: usize| runs[at].memory.read_outcomes(replica).unwrap());
            assert_eq!(outcomes[0], outcomes[1]);
        }
    }
}

/// Dense layers large enough for many tiles, with an update behind: everything after three steps.
fn large(threads: usize) -> (Vec<Vec<f32>>, Vec<Outcome>) {
    let (rows, inputs, outputs) = (30, 700, 300);
    let (x, y) = (Shape::vector(inputs), Shape::vector(outputs));
    let weight = ArrayKind::Vector(inputs * outputs);
    let bias = ArrayKind::Vector(outputs);
    let kinds = [
        [ArrayKind::Activation(x), ArrayKind::Activation(y), ArrayKind::Activation(y)].as_slice(),
        &[weight, bias, weight, bias, weight, bias],
        &[ArrayKind::Indices(rows), ArrayKind::Indices(rows), ArrayKind::Indices(rows)],
        &[ArrayKind::Activation(x)],
    ]
    .concat();
    let id = ArrayId;
    let labels = LabelArrays { chosen: id(9), labels: id(10), changed: id(11) };
    let operations = vec![
        Operation::Dense {
            input: of(0, x),
            weight: id(3),
            bias: id(4),
            output: of(1, y),
            relu: true,
        },
        Operation::CrossEntropy { logits: of(1, y), gradient: Some(of(2, y)), labels },
        Operation::ReluGradient { output: of(1, y), gradient: of(2, y) },
        Operation::DenseWeightGradient {
            input: of(0, x),
            output_gradient: of(2, y),
            weight_gradient: id(5),
            bias_gradient: id(6),
        },
        Operation::DenseInputGradient {
            output_gradient: of(2, y),
            weight: id(3),
            input_gradient: of(12, x),
            accumulate: true,
        },
        Operation::Update {
            parameters: vec![[id(3), id(5), id(7)], [id(4), id(6), id(8)]],
            momentum: 0.9,
            decay: 1e-3,
        },
    ];
    let plan = plan(rows, rows, &kinds, operations);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    pool.install(|| {
        let mut run = setup::<f32>(&plan).go().go().go();
        (run.everything(), run.memory.read_outcomes(1).unwrap())
    })
}

#[test]
fn threads_change_no_byte() {
    let bits = |(all, outcomes): (Vec<Vec<f32>>, Vec<Outcome>)| {
        let all: Vec<u32> = all.into_iter().flatten().map(f32::to_bits).collect();
        let losses: Vec<u64> = outcomes.iter().map(|outcome| outcome.loss.to_bits()).collect();
        (all, losses)
    };
    let one = bits(large(1));
    assert_eq!(one, bits(large(2)));
    assert_eq!(one, bits(large(5)));
}

#[test]
fn arrays_are_read_as_they_were_written() {
    let kinds = [
        ArrayKind::Activation(shape(3, 4, 5)),
        ArrayKind::Activation(shape(1, 4, 5)),
        ArrayKind::Activation(shape(6, 1, 1)),
        ArrayKind::Vector(11),
        ArrayKind::Kernel { outputs: 4, inputs: 3, size: 5 },
        ArrayKind::Kernel { outputs: 1, inputs: 2, size: 1 },
        ArrayKind::Images { count: 7, shape: shape(3, 2, 4) },
    ];
    let mut plan = plan(3, 1, &kinds, vec![]);
    plan.arrays[3].shared = true;
    let mut memory = Device::<f64>::prepare(&Cpu, plan.clone(), &SEEDS).unwrap();
    for replica in 0..2 {
        for at in (0..kinds.len()).filter(|&at| replica == 0 || at != 3) {
            let len = plan.len(ArrayId(at));
            let mut values = vec![1.0; len];
            memory.read(ArrayId(at), replica, &mut values).unwrap();
            assert_eq!(values, vec![0.0; len]);
            let numbers: Vec<f64> = (0..len).map(|i| number(at, replica, i)).collect();
            memory.write(ArrayId(at), replica, &numbers).unwrap();
            memory.read(ArrayId(at), replica, &mut values).unwrap();
            assert_eq!(values, numbers);
        }
    }
    let (mut few, missing) = ([0.0; 2], |what: &str| DeviceError::Missing(what.into()));
    let length = DeviceError::Length { array: "a3".into(), held: 11, given: 2 };
    assert_eq!(memory.write(ArrayId(3), 0, &few), Err(length.clone()));
    assert_eq!(memory.read(ArrayId(3), 0, &mut few), Err(length));
    assert_eq!(memory.read(ArrayId(9), 0, &mut few), Err(missing("array 9")));
    assert_eq!(memory.read(ArrayId(0), 2, &mut few), Err(missing("replica 2 of 'a0'")));
    let shared = missing("replica 1 of 'a3', which is shared");
    assert_eq!(memory.write(ArrayId(3), 1, &[0.0; 11]), Err(shared));
    assert_eq!(memory.write_indices(ArrayId(0), 0, &[1]), Err(missing("indices in 'a0'")));
    assert_eq!(memory.run(SequenceId(1)), Err(missing("sequence 1")));
}

fn refused(plan: &Plan) -> DeviceError {
    Device::<f64>::prepare(&Cpu, plan.clone(), &SEEDS).err().expect("a plan that is refused")
}

/// Whatever single thing of a good plan is made wrong, it is refused.
#[test]
fn plans_that_make_no_sense_are_refused() {
    let good = network(3, false, true);
    let id = ArrayId;
    assert!(Device::<f64>::prepare(&Cpu, good.clone(), &SEEDS).is_ok());
    assert!(Device::<f64>::prepare(&Cpu, good.clone(), &SEEDS[..1]).is_err());
    // An array of another kind or length, each by itself.
    for at in 0..good.arrays.len() {
        let others =
            [ArrayKind::Vector(2), ArrayKind::Indices(2), ArrayKind::Activation(shape(1, 9, 9))];
        for kind in others {
            let mut plan = good.clone();
            plan.arrays[at].kind = kind;
            // Whether labels were changed may be said of fewer samples than there are, and no
            // label may be known: both are found when they are looked up.
            if kind != ArrayKind::Indices(2) || at < 24 {
                refused(&plan);
            }
        }
    }
    let mut plan = good.clone();
    plan.arrays.pop();
    let text = refused(&plan).to_string();
    assert_eq!(text, "the plan has no array 25, which operation 6 of 'only' needs");
    for rows in [0, 4] {
        let mut plan = good.clone();
        plan.sequences[0].rows = rows;
        assert!(matches!(refused(&plan), DeviceError::Missing(_)));
    }
    let with = |operation: Operation| {
        let mut plan = good.clone();
        plan.sequences[0].operations.push(operation);
        refused(&plan)
    };
    let image = of(0, shape(2, 3, 2));
    for output in [
        of(0, shape(2, 3, 2)),
        of(1, shape(1, 3, 2)),
        view(1, 1, shape(2, 3, 2)),
        view(1, usize::MAX, shape(2, 3, 2)),
        of(1, shape(2, 2, 3)),
        of(11, shape(2, 3, 2)),
        of(usize::MAX, shape(2, 3, 2)),
    ] {
        assert!(matches!(with(Operation::Relu { input: image, output }), DeviceError::Missing(_)));
    }
    assert!(matches!(
        with(Operation::Relu { input: of(0, shape(0, 3, 2)), output: of(1, shape(0, 3, 2)) }),
        DeviceError::Missing(_)
    ));
    for rate in [1.0, -0.5, f64::NAN] {
        let output = of(1, shape(2, 3, 2));
        with(Operation::Dropout { input: image, output, rate, layer: 0 });
    }
    for triple in [[11, 15, 20], [11, 12, 19], [11, 11, 19], [11, 15, 11], [11, 15, 23]] {
        let parameters = vec![triple.map(id)];
        with(Operation::Update { parameters, momentum: 0.0, decay: 0.0 });
    }
    let twice = vec![[11, 15, 19].map(id), [11, 15, 19].map(id)];
    with(Operation::Update { parameters: twice, momentum: 0.0, decay: 0.0 });
}

#[test]
fn memory_that_is_not_there_is_an_error() {
    for len in [usize::MAX, usize::MAX / 16, 1 << 55] {
        let error = refused(&plan(1, 1, &[ArrayKind::Vector(len)], vec![]));
        assert!(matches!(error, DeviceError::Memory { .. }), "{error}");
    }
    let images = ArrayKind::Images { count: usize::MAX, shape: shape(3, 1 << 30, 1 << 30) };
    assert!(matches!(refused(&plan(1, 1, &[images], vec![])), DeviceError::Memory { .. }));
    // Each would fit by itself; together they take more than addresses reach.
    let error = refused(&plan(1, 1, &vec![ArrayKind::Vector(1 << 26); 1 << 18], vec![]));
    assert!(matches!(error, DeviceError::Memory { .. }), "{error}");
}
