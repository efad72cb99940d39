//! The networks of the paper (its appendix A), for 28 × 28 images of three channels and ten classes:
//!
//! | name | parameters |
//! |---|---|
//! | `mlp1x512` | 1,209,866 |
//! | `mlp3x512` | 1,735,178 |
//! | `alexnet` | 1,387,786 |
//! | `inception` | 1,649,402 and 3,424 of batch normalization |
//! | `inception-nobn` | 1,649,402 |
//!
//! The paper leaves AlexNet's channels and the constants of its local response normalization open:
//! 64 and 64 channels, padding 2 and pooling with stride 2 give its number of parameters.

use super::{EPSILON, Layer, Pool, Window};

/// The names, besides `mlp:W1,W2,...`.
pub const NAMES: [&str; 5] = ["mlp1x512", "mlp3x512", "alexnet", "inception", "inception-nobn"];

/// The layers of the network of this name; `None` if there is none.
pub(super) fn layers(name: &str, outputs: usize) -> Option<Vec<Layer>> {
    match name {
        "mlp1x512" => Some(mlp(&[512], outputs)),
        "mlp3x512" => Some(mlp(&[512; 3], outputs)),
        "alexnet" => Some(alexnet(outputs)),
        "inception" => Some(inception(true, outputs)),
        "inception-nobn" => Some(inception(false, outputs)),
        _ => {
            let widths = name.strip_prefix("mlp:")?.split(',').map(|width| width.parse().ok());
            Some(mlp(&widths.collect::<Option<Vec<usize>>>()?, outputs))
        }
    }
}

fn mlp(widths: &[usize], outputs: usize) -> Vec<Layer> {
    let hidden = widths.iter().flat_map(|&units| [Layer::Dense { units }, Layer::Relu]);
    [Layer::Flatten].into_iter().chain(hidden).chain([Layer::Dense { units: outputs }]).collect()
}

/// Two modules of convolution 5 × 5, max-pooling and local response normalization, then dense
/// layers of 384 and 192 units.
fn alexnet(outputs: usize) -> Vec<Layer> {
    let module = || {
        [
            Layer::Convolution { channels: 64, window: Window { size: 5, stride: 1, padding: 2 } },
            Layer::Relu,
            Layer::Pool { pool: Pool::Max, window: Window { size: 3, stride: 2, padding: 1 } },
            Layer::LocalResponseNormalization { size: 9, alpha: 1e-3, beta: 0.75, k: 1.0 },
        ]
    };
    module().into_iter().chain(module()).chain(mlp(&[384, 192], outputs)).collect()
}

/// Convolution, batch normalization if asked for, and ReLU: the paper's "conv module".
fn module(channels: usize, size: usize, stride: usize, normalize: bool) -> Vec<Layer> {
    let window = Window { size, stride, padding: size / 2 };
    let mut layers = vec![Layer::Convolution { channels, window }];
    layers.extend(normalize.then_some(Layer::BatchNormalization { epsilon: EPSILON }));
    layers.push(Layer::Relu);
    layers
}

/// The paper's small Inception (its figure 3).
fn inception(normalize: bool, outputs: usize) -> Vec<Layer> {
    let inception = |ones: usize, threes: usize| {
        Layer::Concatenate(vec![module(ones, 1, 1, normalize), module(threes, 3, 1, normalize)])
    };
    let downsample = |channels: usize| {
        let window = Window { size: 3, stride: 2, padding: 1 };
        let pool = vec![Layer::Pool { pool: Pool::Max, window }];
        Layer::Concatenate(vec![module(channels, 3, 2, normalize), pool])
    };
    let mut layers = module(96, 3, 1, normalize);
    layers.extend([
        inception(32, 32),
        inception(32, 48),
        downsample(80),
        inception(112, 48),
        inception(96, 64),
        inception(80, 80),
        inception(48, 96),
        downsample(96),
        inception(176, 160),
        inception(176, 160),
        Layer::GlobalMeanPool,
        Layer::Flatten,
        Layer::Dense { units: outputs },
    ]);
    layers
}
