//! Promise: the way back through any network is the gradient of the way forward: central
//! differences of the loss, with respect to input and weights, over generated layers and branches.

use crate::common::layers::{layer, smaller};
use proptest::prelude::*;
use shatter_device::cpu::Cpu;
use shatter_device::{ArrayId, Control, Device, Memory};
use shatter_network::Architecture;
use shatter_network::architecture::{Layer, Shape};
use shatter_train::compile::{Goal, Program, compile};
use shatter_train::{Initialization, Loss};

const INPUT: Shape = Shape { channels: 2, height: 5, width: 4 };
const ROWS: usize = 4;

struct Network {
    program: Program,
    memory: Box<dyn Memory<f64>>,
}

impl Network {
    fn new(architecture: &Architecture, loss: Loss) -> Network {
        let goal = Goal {
            replicas: 1,
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
        let program = compile(architecture, &goal).unwrap();
        let mut memory = Device::<f64>::prepare(&Cpu, program.plan.clone(), &[7]).unwrap();
        for (index, stored) in program.arrays.iter().enumerate() {
            let values = Initialization::PyTorch.draw(&stored.parameter, index as u32, 3);
            memory.write(stored.value, 0, &values).unwrap();
        }
        memory.write_indices(program.order, 0, &[2, 0, 3, 1]).unwrap();
        memory.write_indices(program.train.labels.labels, 0, &[0, 2, 1, 1]).unwrap();
        Network { program, memory }
    }

    /// The mean loss, leaving gradients behind.
    fn loss(&mut self) -> f64 {
        self.memory.control(Control { position: 0, step: 5, epoch: 0, learning_rate: 0.0 });
        self.memory.run(self.program.gradients).unwrap();
        self.memory.read_outcomes(0).unwrap()[0].loss / ROWS as f64
    }

    fn read(&mut self, array: ArrayId) -> Vec<f64> {
        let mut values = vec![0.0; self.program.plan.len(array)];
        self.memory.read(array, 0, &mut values).unwrap();
        values
    }

    /// The loss with number `i` of an array moved by `by`.
    fn moved(&mut self, array: ArrayId, i: usize, by: f64) -> f64 {
        let values = self.read(array);
        let mut other = values.clone();
        other[i] += by;
        self.memory.write(array, 0, &other).unwrap();
        let loss = self.loss();
        self.memory.write(array, 0, &values).unwrap();
        loss
    }
}

fn agrees(architecture: &Architecture, loss: Loss) -> Result<(), TestCaseError> {
    let mut network = Network::new(architecture, loss);
    let images = network.program.train.images;
    let pixel = |i: usize| ((i * i + 3 * i) as f64 * 0.618_033_988_749_895).fract() * 2.0 - 1.0;
    let pixels: Vec<f64> = (0..ROWS * INPUT.len()).map(pixel).collect();
    network.memory.write(images, 0, &pixels).unwrap();
    let at = network.loss();
    // Sample `order[r]` was gathered into row r.
    let rows = network.read(network.program.input_gradient.array);
    let mut of_images = vec![0.0; rows.len()];
    for (row, sample) in [2, 0, 3, 1].into_iter().enumerate() {
        let len = INPUT.len();
        of_images[sample * len..][..len].copy_from_slice(&rows[row * len..][..len]);
    }
    let trained = network.program.arrays.clone().into_iter();
    let trained = trained.filter_map(|stored| Some((stored.value, stored.trained?[0])));
    let mut arrays: Vec<(ArrayId, Vec<f64>)> =
        trained.map(|(value, gradient)| (value, network.read(gradient))).collect();
    arrays.push((images, of_images));
    let (mut tried, mut compared) = (0, 0);
    for (array, gradient) in arrays {
        let scale = gradient.iter().fold(1e-3f64, |largest, g| largest.max(g.abs()));
        for i in (0..gradient.len()).step_by(1 + gradient.len() / 9) {
            tried += 1;
            let difference = |step: f64, network: &mut Network| {
                let ends = [step, -step].map(|by| network.moved(array, i, by));
                let one_sided = [(ends[0] - at) / step, (at - ends[1]) / step];
                ((ends[0] - ends[1]) / (2.0 * step), one_sided[0] - one_sided[1])
            };
            let [(widest, _), (wide, wide_bend), (narrow, bend)] =
                [4e-4, 2e-4, 1e-4].map(|step| difference(step, &mut network));
            // Of two steps, so that the error is of fourth order.
            let of_two = |narrow: f64, wide: f64| (4.0 * narrow - wide) / 3.0;
            let slope = of_two(narrow, wide);
            // Where a ReLU bends by J within the step, at τ narrow steps from here, there is no slope. Extrapolations
            // from other steps are then 7/24 Jτ apart, and bends are not as the steps: by J(1 - 3/2 τ). Together what
            // is let through has an error of at most 3.1 times this.
            let smooth = 2e-7 * scale;
            let apart = (slope - of_two(wide, widest)).abs();
            if apart > smooth || (wide_bend - 2.0 * bend).abs() > smooth {
                continue;
            }
            compared += 1;
            let name = &network.program.plan.arrays[array.0].name;
            let off = (slope - gradient[i]).abs();
            prop_assert!(
                off <= 1e-6 * scale,
                "{architecture}: {name}[{i}] has {}, differences say {slope}",
                gradient[i]
            );
        }
    }
    prop_assert!(2 * compared > tried, "{architecture}: {compared} of {tried} could be compared");
    Ok(())
}

proptest! {
    #![proptest_config(crate::common::cases(12))]

    #[test]
    fn of_any_network(
        before in prop::option::of(smaller()),
        layers in prop::collection::vec(layer(), 1..5),
        squared in any::<bool>(),
    ) {
        let last = [Layer::Flatten, Layer::Dense { units: 3 }];
        let layers = before.into_iter().chain(layers).chain(last).collect();
        let loss = if squared { Loss::Squared } else { Loss::CrossEntropy };
        agrees(&Architecture { input: INPUT, layers }, loss)?;
    }
}
