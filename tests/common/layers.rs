//! Layers of all kinds.

use proptest::prelude::*;
use shatter_network::architecture::{EPSILON, Layer, Pool, Window};

/// Layers that make images smaller.
pub fn smaller() -> impl Strategy<Value = Layer> {
    let windows = (1usize..5, 2usize..4, 0usize..3)
        .prop_filter("padding is less than size", |&(size, _, padding)| padding < size)
        .prop_map(|(size, stride, padding)| Window { size, stride, padding });
    (windows, 1usize..4, 0..3).prop_map(|(window, channels, kind)| match kind {
        0 => Layer::Pool { pool: Pool::Max, window },
        1 => Layer::Pool { pool: Pool::Mean, window },
        _ => Layer::Convolution { channels, window },
    })
}

/// Layers that keep height and width, so that any of them may be joined; smooth but for ReLU and
/// maxima.
pub fn layer() -> impl Strategy<Value = Layer> {
    let same = Window { size: 3, stride: 1, padding: 1 };
    let convolution = |(channels, half): (usize, usize)| Layer::Convolution {
        channels,
        window: Window { size: 2 * half + 1, stride: 1, padding: half },
    };
    let leaf = prop_oneof![
        (1usize..4, 0usize..3).prop_map(convolution),
        Just(Layer::Pool { pool: Pool::Max, window: same }),
        Just(Layer::Pool { pool: Pool::Mean, window: same }),
        Just(Layer::Relu),
        Just(Layer::BatchNormalization { epsilon: EPSILON }),
        Just(Layer::Dropout { rate: 0.3 }),
        Just(Layer::LocalResponseNormalization { size: 3, alpha: 0.5, beta: 0.75, k: 1.0 }),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        let branch = prop::collection::vec(inner, 0..3);
        prop::collection::vec(branch, 1..4).prop_map(Layer::Concatenate)
    })
}
