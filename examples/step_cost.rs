//! What a training step of a network should cost at least: operations and bytes of each kind of
//! operation of its plan, and the time that they take on a device of given speed, each operation at
//! the slower of both limits. An estimate from shapes alone; nothing is run.
//!
//! ```sh
//! cargo run --example step_cost -- inception 128
//! ```
//!
//! Bytes are those of `kernels/`: every array that an operation reads or writes passes once for
//! each pass of its kernels (the gradient of a batch normalization reads its input twice), and the
//! parts of products that are cut are left out (at most 4 MB each). Launches count as kernels do.

use shatter_device::{Operation, Plan, View};
use shatter_network::Architecture;
use shatter_network::architecture::{Pool, Shape, Window};
use shatter_train::Loss;
use shatter_train::compile::{Goal, compile};

/// Operations in binary32 and bytes a second: an H100's.
const SPEED: [f64; 2] = [67e12, 3.35e12];

/// A kind of operation with what it cost so far.
struct Cost {
    kind: &'static str,
    launches: usize,
    /// Multiplications and additions; those that fill tiles as well.
    operations: f64,
    in_tiles: f64,
    bytes: f64,
    seconds: f64,
}

/// Numbers of m × n results computed in tiles: of a convolution M × 128 with one of four M, where finding
/// what is multiplied costs as much as 24 rows; of others 64 × 64.
fn tiled(m: f64, n: f64, convolution: bool) -> f64 {
    let up = |x: f64, by: f64| (x / by).ceil() * by;
    if !convolution {
        return up(m, 64.0) * up(n, 64.0);
    }
    let cost = |height: &f64| (m / height).ceil() * (height + 24.0);
    let heights = [32.0, 48.0, 64.0, 80.0];
    let height = heights.into_iter().min_by(|a, b| cost(a).total_cmp(&cost(b))).unwrap_or(64.0);
    up(m, height) * up(n, 128.0)
}

/// Kind, launches, m × n × k of a product or operations without one, and numbers that pass.
type Counted = (&'static str, usize, Option<[f64; 3]>, f64, f64);

fn count(operation: &Operation, plan: &Plan, rows: f64) -> Counted {
    let numbers = |view: &View| rows * view.shape.len() as f64;
    let channels = |view: &View| view.shape.channels as f64;
    let taps = |window: &Window| (window.size * window.size) as f64;
    let twice = |accumulate: bool| if accumulate { 2.0 } else { 1.0 };
    match operation {
        Operation::Convolution { input, output, window, .. } => {
            let k = channels(input) * taps(window);
            let n = rows * output.shape.area() as f64;
            let bytes = numbers(input) + numbers(output) + k * channels(output);
            ("convolution_forward", 1, Some([channels(output), n, k]), 0.0, bytes)
        }
        Operation::ConvolutionInputGradient {
            output_gradient,
            input_gradient,
            window,
            accumulate,
            ..
        } => {
            // Of a stride, only the taps that meet something.
            let met = taps(window) / (window.stride * window.stride) as f64;
            let n = rows * input_gradient.shape.area() as f64;
            let bytes = numbers(output_gradient)
                + twice(*accumulate) * numbers(input_gradient)
                + channels(output_gradient) * channels(input_gradient) * taps(window);
            let k = channels(output_gradient) * met;
            let launches = window.stride * window.stride;
            let product = Some([channels(input_gradient), n, k]);
            ("convolution_input_gradient", launches, product, 0.0, bytes)
        }
        Operation::ConvolutionWeightGradient { input, output_gradient, window, .. } => {
            let n = channels(input) * taps(window);
            let k = rows * output_gradient.shape.area() as f64;
            let bytes = numbers(input) + numbers(output_gradient) + n * channels(output_gradient);
            let product = Some([channels(output_gradient), n, k]);
            ("convolution_weight_gradient", 2, product, 0.0, bytes)
        }
        Operation::Dense { input, output, .. } => {
            let (k, m) = (channels(input), channels(output));
            ("product_forward", 2, Some([rows, m, k]), 0.0, rows * (k + m) + k * m)
        }
        Operation::DenseInputGradient { output_gradient, input_gradient, .. } => {
            let (k, n) = (channels(output_gradient), channels(input_gradient));
            ("product_input_gradient", 1, Some([rows, n, k]), 0.0, rows * (k + n) + k * n)
        }
        Operation::DenseWeightGradient { input, output_gradient, .. } => {
            let (m, n) = (channels(output_gradient), channels(input));
            ("product_weight_gradient", 1, Some([m, n, rows]), 0.0, rows * (m + n) + m * n)
        }
        Operation::BatchNormalization { input, saved, .. } => {
            let passes = if saved.is_some() { 3.0 } else { 2.0 };
            ("normalize, and moments", 3, None, 6.0 * numbers(input), passes * numbers(input))
        }
        Operation::BatchNormalizationGradient { input, output, accumulate, .. } => {
            let read = if output.is_some() { 3.0 } else { 2.0 };
            let passes = 2.0 * read + twice(*accumulate);
            (
                "normalization_gradient, and sums",
                3,
                None,
                9.0 * numbers(input),
                passes * numbers(input),
            )
        }
        Operation::LocalResponseNormalization { input, constants, .. } => {
            let each = (2 * constants.0 + 20) as f64;
            ("response", 1, None, each * numbers(input), 3.0 * numbers(input))
        }
        Operation::LocalResponseNormalizationGradient { input, constants, accumulate, .. } => {
            let each = (30 * constants.0) as f64;
            let passes = 3.0 + twice(*accumulate);
            ("response_gradient", 1, None, each * numbers(input), passes * numbers(input))
        }
        Operation::Pool { input, output, pool, window, .. } => {
            let kept = if *pool == Pool::Max { 2.0 } else { 1.0 };
            let bytes = numbers(input) + kept * numbers(output);
            ("pool", 1, None, taps(window) * numbers(output), bytes)
        }
        Operation::PoolGradient { output_gradient, input_gradient, pool, accumulate, .. } => {
            let kept = if *pool == Pool::Max { 2.0 } else { 1.0 };
            let bytes =
                kept * numbers(output_gradient) + twice(*accumulate) * numbers(input_gradient);
            ("pool_gradient", 1, None, numbers(input_gradient), bytes)
        }
        Operation::GlobalMeanPool { input, .. } => {
            ("global_mean", 1, None, numbers(input), numbers(input))
        }
        Operation::GlobalMeanPoolGradient { input_gradient, accumulate, .. } => {
            let passes = twice(*accumulate);
            ("global_mean_gradient", 1, None, 0.0, passes * numbers(input_gradient))
        }
        Operation::Relu { input, .. } | Operation::Flatten { input, .. } => {
            ("relu, pass", 1, None, 0.0, 2.0 * numbers(input))
        }
        Operation::Copy { input, .. } => ("relu, pass", 1, None, 0.0, 2.0 * numbers(input)),
        Operation::ReluGradient { gradient, .. } => {
            ("relu_gradient", 1, None, 0.0, 3.0 * numbers(gradient))
        }
        Operation::Pass { gradient: from, accumulate, .. }
        | Operation::FlattenGradient { output_gradient: from, accumulate, .. } => {
            ("relu, pass", 1, None, 0.0, (1.0 + twice(*accumulate)) * numbers(from))
        }
        Operation::Gather { output, .. } => ("gather", 1, None, 0.0, 2.0 * numbers(output)),
        Operation::Update { parameters, .. } => {
            let all: usize = parameters.iter().map(|triple| plan.len(triple[0])).sum();
            ("update", 1, None, 4.0 * all as f64, 5.0 * all as f64)
        }
        Operation::CrossEntropy { logits, .. } | Operation::SquaredLoss { output: logits, .. } => {
            ("loss_and_gradient", 1, None, 0.0, 3.0 * numbers(logits))
        }
        _ => ("others", 1, None, 0.0, 0.0),
    }
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let model = words.first().map_or("inception", String::as_str);
    let batch: usize = words.get(1).and_then(|text| text.parse().ok()).unwrap_or(128);
    let input = Shape { channels: 3, height: 28, width: 28 };
    let goal = Goal {
        replicas: 1,
        shared_images: false,
        batch,
        train: batch,
        test: 0,
        stored: input,
        real: None,
        loss: Loss::CrossEntropy,
        augmentation: None,
        momentum: 0.9,
        decay: 0.0,
    };
    let program = Architecture::named(model, input, 10)
        .and_then(|architecture| compile(&architecture, &goal))
        .unwrap_or_else(|error| panic!("{model}: {error}"));
    let plan = &program.plan;
    let mut costs: Vec<Cost> = Vec::new();
    let operations = &plan.sequences[program.step.0].operations;
    for (at, operation) in operations.iter().enumerate() {
        let (mut kind, mut launches, product, plain, mut numbers) =
            count(operation, plan, batch as f64);
        let before = at.checked_sub(1).map(|before| &operations[before]);
        if before.is_some_and(|before| before.relu_below_pool(Some(operation)).is_some()) {
            // It comes along: what came out of the ReLU is read, and nothing else.
            (kind, launches, numbers) = ("pool_gradient", 0, numbers / 3.0);
        }
        let operations = product.map_or(plain, |[m, n, k]| 2.0 * m * n * k);
        let in_tiles = product
            .map_or(plain, |[m, n, k]| 2.0 * tiled(m, n, kind.starts_with("convolution")) * k);
        let bytes = 4.0 * numbers;
        let seconds = (in_tiles / SPEED[0]).max(bytes / SPEED[1]);
        let at = costs.iter().position(|cost| cost.kind == kind).unwrap_or_else(|| {
            let (launches, operations) = (0, 0.0);
            costs.push(Cost {
                kind,
                launches,
                operations,
                in_tiles: 0.0,
                bytes: 0.0,
                seconds: 0.0,
            });
            costs.len() - 1
        });
        let cost = &mut costs[at];
        cost.launches += launches;
        cost.operations += operations;
        cost.in_tiles += in_tiles;
        cost.bytes += bytes;
        cost.seconds += seconds;
    }
    println!(
        "| {model}, batch {batch} | launches | 10^6 operations | in tiles | 10^6 bytes | µs |"
    );
    println!("|---|---|---|---|---|---|");
    let mut sum = [0.0; 5];
    for cost in &costs {
        let values = [
            cost.launches as f64,
            cost.operations / 1e6,
            cost.in_tiles / 1e6,
            cost.bytes / 1e6,
            cost.seconds * 1e6,
        ];
        sum.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
        let [launches, operations, in_tiles, bytes, micros] = values;
        let kind = cost.kind;
        println!(
            "| `{kind}` | {launches} | {operations:.0} | {in_tiles:.0} | {bytes:.1} | {micros:.1} |"
        );
    }
    let [launches, operations, in_tiles, bytes, micros] = sum;
    println!("| all | {launches} | {operations:.0} | {in_tiles:.0} | {bytes:.1} | {micros:.1} |");
}
