//! Helpers of the tests of operations: arrays with views of some channels, central differences,
//! and pools of several numbers of threads.

use proptest::prelude::*;

use crate::cpu::slab::{Slab, SlabMut};
use shatter_exact::Element;
use shatter_network::architecture::{Shape, Window};

/// A number in [−1, 1), by the bits of a hash of its place.
pub fn number(seed: u64, at: usize) -> f64 {
    let mut x = (seed << 32 ^ at as u64).wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    x = (x ^ x >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ x >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    (x >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
}

/// Numbers in [−1, 1).
pub fn numbers<E: Element>(len: usize, seed: u64) -> Vec<E> {
    (0..len).map(|at| E::of(number(seed, at))).collect()
}

/// An array and a view of some of its channels.
#[derive(Clone, Debug, PartialEq)]
pub struct Field<E> {
    pub data: Vec<E>,
    stride: usize,
    first: usize,
    pub shape: Shape,
    pub rows: usize,
}

impl<E: Element> Field<E> {
    /// Numbers in [−1, 1), with `first` channels before the view and `after` behind it.
    pub fn new(shape: Shape, rows: usize, (first, after): (usize, usize), seed: u64) -> Field<E> {
        let stride = first + shape.channels + after;
        let data = numbers(rows * shape.area() * stride, seed);
        Field { data, stride, first, shape, rows }
    }

    pub fn slab(&self) -> Slab<'_, E> {
        let Field { ref data, stride, first, shape, rows } = *self;
        Slab { data, stride, first, shape, rows }
    }

    pub fn slab_mut(&mut self) -> SlabMut<'_, E> {
        let Field { ref mut data, stride, first, shape, rows } = *self;
        SlabMut { data, stride, first, shape, rows }
    }

    /// Index of channel c of row r at (y, x).
    pub fn place(&self, r: usize, c: usize, y: usize, x: usize) -> usize {
        let position = (r * self.shape.height + y) * self.shape.width + x;
        position * self.stride + self.first + c
    }

    /// The places that are seen.
    pub fn places(&self) -> Vec<usize> {
        let inside = |at: &usize| (self.first..self.first + self.shape.channels).contains(at);
        (0..self.data.len()).filter(|at| inside(&(at % self.stride))).collect()
    }

    /// Σ of the products with the numbers that another view of the same shape sees.
    pub fn dot(&self, other: &Field<E>) -> f64 {
        let pairs = self.places().into_iter().zip(other.places());
        pairs.map(|(a, b)| self.data[a].to_f64() * other.data[b].to_f64()).sum()
    }
}

/// Asserts that every number of `found` is `expected` to within 10^-12 of the largest and 1.
pub fn assert_near(found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    let scale = expected.iter().fold(1.0, |scale: f64, x| scale.max(x.abs()));
    for (at, (a, b)) in found.iter().zip(expected).enumerate() {
        assert!((a - b).abs() <= 1e-12 * scale, "at {at}: {a} for {b}, scale {scale}");
    }
}

/// Asserts that `gradient` is that of `loss` at some of these places of `data`, to within 10^-6 of
/// its largest entry, by central differences with steps of `step`.
pub fn assert_gradient(
    data: &mut [f64],
    places: &[usize],
    gradient: &[f64],
    step: f64,
    mut loss: impl FnMut(&[f64]) -> f64,
) {
    assert_eq!(places.len(), gradient.len());
    let scale = gradient.iter().fold(0.0, |scale: f64, x| scale.max(x.abs()));
    let every = places.len().div_ceil(20).max(1);
    for (&place, &found) in places.iter().zip(gradient).step_by(every) {
        let kept = data[place];
        data[place] = kept + step;
        let above = loss(data);
        data[place] = kept - step;
        let below = loss(data);
        data[place] = kept;
        let expected = (above - below) / (2.0 * step);
        // The difference itself is only known to the precision of the loss.
        let known = 4.0 * f64::EPSILON * above.abs().max(below.abs()).max(1.0) / step;
        let error = (found - expected).abs();
        assert!(error <= 1e-6 * scale + known, "at {place}: {found} for {expected}, of {scale}");
    }
}

/// Asserts that `work` has the same bytes with 1, 2 and 5 threads.
pub fn assert_same_with_all_threads(work: impl Fn() -> Vec<f32> + Sync) {
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| work().into_iter().map(f32::to_bits).collect::<Vec<_>>())
    };
    let one = with(1);
    assert!(one.iter().any(|&bits| bits != 0));
    assert!(one == with(2) && one == with(5));
}

/// A window on some images.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    pub input: Shape,
    pub window: Window,
    pub rows: usize,
    pub outputs: usize,
    /// Channels before and behind the views of inputs, and of outputs.
    pub around: [(usize, usize); 2],
    pub seed: u64,
    pub flag: bool,
}

impl Case {
    /// The shape of what comes out, with these channels.
    pub fn output(&self, channels: usize) -> Shape {
        let Window { size, stride, padding } = self.window;
        let places = |side: usize| (side + 2 * padding - size) / stride + 1;
        Shape { channels, height: places(self.input.height), width: places(self.input.width) }
    }
}

/// Cases of every awkward kind.
pub fn cases() -> impl Strategy<Value = Case> {
    let around = || (0_usize..3, 0_usize..3);
    let window = (1_usize..=5).prop_flat_map(|size| (Just(size), 1_usize..=3, 0..size));
    let shape = (1_usize..=4, 1_usize..=9, 1_usize..=9);
    (window, shape, 1_usize..=5, 1_usize..=4, [around(), around()], 0_u64..1000, any::<bool>())
        .prop_map(
            |(
                (size, stride, padding),
                (channels, height, width),
                rows,
                outputs,
                around,
                seed,
                flag,
            )| {
                // A window larger than the padded image has no place.
                let least = size.saturating_sub(2 * padding);
                Case {
                    input: Shape { channels, height: height.max(least), width: width.max(least) },
                    window: Window { size, stride, padding },
                    rows,
                    outputs,
                    around,
                    seed,
                    flag,
                }
            },
        )
}
