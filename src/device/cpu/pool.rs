//! Pooling: maxima and means over windows, and means over whole images.
//!
//! Gradients are gathered: each position of the input sums, in row-major order, over the windows
//! that contain it. Cost: size² / stride² operations a number of the input.

use std::ops::Range;

use rayon::prelude::*;

use crate::cpu::slab::{Slab, SlabMut};
use shatter_exact::Element;
use shatter_matrix::vectors::vectorised;
use shatter_network::architecture::{Pool, Shape, Window};

/// Maximum or mean of each window. Padding never is a maximum, and counts as zeros in a mean. Of
/// equal maxima the first in row-major order wins, and a NaN wins over all that stood before it,
/// as in PyTorch. `places` (rows × positions × channels) gets the place of the maximum in its
/// window: y · size + x.
pub fn forward<E: Element>(
    input: Slab<E>,
    output: SlabMut<E>,
    places: Option<&mut [u32]>,
    pool: Pool,
    window: Window,
) {
    let len = output.shape.len().max(1);
    let images = input.par_groups(1).zip(output.par_groups(1));
    match (pool, places) {
        (Pool::Mean, _) => images.for_each(|(input, output)| {
            vectorised(
                #[inline(always)]
                || means(input, output, window),
            );
        }),
        (Pool::Max, None) => images.for_each(|(input, output)| {
            vectorised(
                #[inline(always)]
                || maxima(input, output, window),
            );
        }),
        (Pool::Max, Some(places)) => {
            images.zip(places.par_chunks_mut(len)).for_each(|((input, output), places)| {
                vectorised(
                    #[inline(always)]
                    || maxima_and_places(input, output, places, window),
                );
            });
        }
    }
}

/// Means of one image.
#[inline(always)]
fn means<E: Element>(input: Slab<E>, mut output: SlabMut<E>, window: Window) {
    let factor = E::of(((window.size * window.size) as f64).recip());
    for position in 0..output.positions() {
        let inside = Inside::new(position, input.shape, output.shape, window);
        let row = output.at(position);
        row.fill(E::zero());
        for (_, from) in inside.taps() {
            row.iter_mut().zip(input.at(from)).for_each(|(sum, &x)| *sum += x);
        }
        row.iter_mut().for_each(|sum| *sum *= factor);
    }
}

/// Maxima of one image.
#[inline(always)]
fn maxima<E: Element>(input: Slab<E>, mut output: SlabMut<E>, window: Window) {
    for position in 0..output.positions() {
        let inside = Inside::new(position, input.shape, output.shape, window);
        let row = output.at(position);
        row.fill(E::neg_infinity());
        for (_, from) in inside.taps() {
            let pairs = row.iter_mut().zip(input.at(from));
            pairs.for_each(|(best, &x)| *best = if wins(x, *best) { x } else { *best });
        }
    }
}

/// Maxima of one image, and their places.
#[inline(always)]
fn maxima_and_places<E: Element>(
    input: Slab<E>,
    mut output: SlabMut<E>,
    places: &mut [u32],
    window: Window,
) {
    for (position, places) in places.chunks_exact_mut(input.shape.channels).enumerate() {
        let inside = Inside::new(position, input.shape, output.shape, window);
        let row = output.at(position);
        row.fill(E::neg_infinity());
        // Where nothing exceeds minus infinity, the first place is the answer.
        places.fill(inside.taps().next().map_or(0, |(tap, _)| tap));
        for (tap, from) in inside.taps() {
            let rows = row.iter_mut().zip(&mut *places).zip(input.at(from));
            rows.for_each(|((best, place), &x)| {
                let taken = wins(x, *best);
                *best = if taken { x } else { *best };
                *place = if taken { tap } else { *place };
            });
        }
    }
}

/// Returns true if x is larger than `best`, or NaN.
#[inline(always)]
fn wins<E: Element>(x: E, best: E) -> bool {
    (x > best) | x.is_nan()
}

/// The part of a window that lies inside of an image.
struct Inside {
    rows: Range<usize>,
    columns: Range<usize>,
    size: usize,
    /// Position in the image of the window's first place, wrapped around where it is outside.
    origin: usize,
    width: usize,
}

impl Inside {
    /// Returns the part of the window at a position of the output that lies inside the image.
    fn new(position: usize, from: Shape, to: Shape, window: Window) -> Inside {
        let Window { size, stride, padding } = window;
        let (top, left) = (position / to.width * stride, position % to.width * stride);
        let range = |start: usize, side: usize| {
            padding.saturating_sub(start)..(side + padding).saturating_sub(start).min(size)
        };
        let padded = top.wrapping_sub(padding).wrapping_mul(from.width);
        let origin = padded.wrapping_add(left).wrapping_sub(padding);
        let (rows, columns) = (range(top, from.height), range(left, from.width));
        Inside { rows, columns, size, origin, width: from.width }
    }

    /// Places in the window and their positions in the image, row by row.
    fn taps(&self) -> impl Iterator<Item = (u32, usize)> + use<'_> {
        self.rows.clone().flat_map(move |i| {
            let start = self.origin.wrapping_add(i * self.width);
            let tap = move |j: usize| ((i * self.size + j) as u32, start.wrapping_add(j));
            self.columns.clone().map(tap)
        })
    }
}

/// The gradient of [`forward`]: a maximum hands it to its place, a mean to all alike.
///
/// # Panics
/// If `pool` is a maximum without `places`: a defect of the caller.
pub fn gradient<E: Element>(
    output_gradient: Slab<E>,
    places: Option<&[u32]>,
    input_gradient: SlabMut<E>,
    pool: Pool,
    window: Window,
    accumulate: bool,
) {
    let len = output_gradient.shape.len().max(1);
    let channels = output_gradient.shape.channels;
    let factor = E::of(((window.size * window.size) as f64).recip());
    let images = output_gradient.par_groups(1).zip(input_gradient.par_groups(1));
    images.enumerate().for_each(|(image, (from, mut to))| {
        let places = match pool {
            Pool::Mean => None,
            Pool::Max => {
                let places = places.expect("a checked plan has places for the gradient of maxima");
                Some(&places[image * len..][..len])
            }
        };
        vectorised(
            #[inline(always)]
            || {
                if !accumulate {
                    (0..to.positions()).for_each(|position| to.at(position).fill(E::zero()));
                }
                containing(to.shape, from.shape, window, |position, tap, seen| {
                    let pairs = to.at(position).iter_mut().zip(from.at(seen));
                    match places {
                        None => pairs.for_each(|(sum, &x)| *sum += x * factor),
                        Some(places) => {
                            let places = &places[seen * channels..][..channels];
                            pairs.zip(places).for_each(|((sum, &x), &place)| {
                                *sum += if place == tap { x } else { E::zero() };
                            });
                        }
                    }
                });
            },
        );
    });
}

/// Calls `see` for each position of an image, its place in each window that contains it, and the
/// window's position.
#[inline(always)]
fn containing(from: Shape, to: Shape, window: Window, mut see: impl FnMut(usize, u32, usize)) {
    let Window { size, stride, padding } = window;
    // The windows along one axis that contain a coordinate: the first one, and beyond the last.
    let range = |at: usize, count: usize| {
        let at = at + padding;
        ((at + 1).saturating_sub(size).div_ceil(stride), (at / stride + 1).min(count))
    };
    for position in 0..from.area() {
        let (y, x) = (position / from.width, position % from.width);
        let ((top, bottom), (left, right)) = (range(y, to.height), range(x, to.width));
        for i in top..bottom {
            for j in left..right {
                let tap = (y + padding - i * stride) * size + (x + padding - j * stride);
                see(position, tap as u32, i * to.width + j);
            }
        }
    }
}

/// The mean over all positions of each channel.
pub fn global_mean<E: Element>(input: Slab<E>, output: SlabMut<E>) {
    let factor = E::of((input.shape.area() as f64).recip());
    input.par_groups(1).zip(output.par_groups(1)).for_each(|(input, mut output)| {
        vectorised(
            #[inline(always)]
            || {
                let means = output.at(0);
                means.fill(E::zero());
                for position in 0..input.positions() {
                    let row = input.at(position);
                    means.iter_mut().zip(row).for_each(|(sum, &x)| *sum += x);
                }
                means.iter_mut().for_each(|sum| *sum *= factor);
            },
        );
    });
}

/// The gradient of [`global_mean`].
pub fn global_mean_gradient<E: Element>(
    output_gradient: Slab<E>,
    input_gradient: SlabMut<E>,
    accumulate: bool,
) {
    let factor = E::of((input_gradient.shape.area() as f64).recip());
    output_gradient.par_groups(1).zip(input_gradient.par_groups(1)).for_each(|(from, mut to)| {
        vectorised(
            #[inline(always)]
            || {
                for position in 0..to.positions() {
                    let pairs = to.at(position).iter_mut().zip(from.at(0));
                    if accumulate {
                        pairs.for_each(|(sum, &x)| *sum += x * factor);
                    } else {
                        pairs.for_each(|(sum, &x)| *sum = x * factor);
                    }
                }
            },
        );
    });
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::cpu::testing::{
        Case, Field, assert_gradient, assert_near, assert_same_with_all_threads, cases,
    };

    /// Numbers of a window by the definition, `None` in the padding.
    fn seen(
        input: &Field<f64>,
        window: Window,
        (r, c, y, x): (usize, usize, usize, usize),
    ) -> Vec<Option<f64>> {
        let Window { size, stride, padding } = window;
        let taps = (0..size * size).map(|tap| {
            let (v, u) = (y * stride + tap / size, x * stride + tap % size);
            let v = v.checked_sub(padding).filter(|&v| v < input.shape.height)?;
            let u = u.checked_sub(padding).filter(|&u| u < input.shape.width)?;
            Some(input.data[input.place(r, c, v, u)])
        });
        taps.collect()
    }

    /// The input, with multiples of a step in an order without ties, and the output.
    fn fields(case: Case) -> (Field<f64>, Field<f64>) {
        let Case { input: shape, rows, around, seed, .. } = case;
        let mut input: Field<f64> = Field::new(shape, rows, around[0], seed);
        let mut order: Vec<usize> = (0..input.data.len()).collect();
        order.sort_by(|&a, &b| input.data[a].total_cmp(&input.data[b]));
        let middle = order.len() as f64 / 2.0;
        order.iter().enumerate().for_each(|(i, &at)| input.data[at] = (i as f64 - middle) / 64.0);
        (input, Field::new(case.output(shape.channels), rows, around[1], seed + 1))
    }

    fn check(case: Case, pool: Pool, kept: bool) {
        let (mut input, mut output) = fields(case);
        let (window, shape) = (case.window, output.shape);
        let mut expected = output.clone();
        let mut taps = vec![0; case.rows * shape.len()];
        let mut at = 0;
        for r in 0..case.rows {
            for (y, x) in (0..shape.area()).map(|at| (at / shape.width, at % shape.width)) {
                for c in 0..shape.channels {
                    let seen = seen(&input, window, (r, c, y, x));
                    let best = seen.iter().flatten().fold(f64::NEG_INFINITY, |a, &b| a.max(b));
                    let mean = seen.iter().flatten().sum::<f64>() / seen.len() as f64;
                    let place = expected.place(r, c, y, x);
                    expected.data[place] = if pool == Pool::Max { best } else { mean };
                    let first = seen.iter().position(|&x| x == Some(best));
                    taps[at] = first.unwrap_or(0) as u32;
                    at += 1;
                }
            }
        }
        let mut places = vec![77; taps.len()];
        let keep = kept.then_some(&mut places[..]);
        forward(input.slab(), output.slab_mut(), keep, pool, window);
        assert_near(&output.data, &expected.data);
        if !kept {
            return;
        }
        let places = (pool == Pool::Max).then(|| {
            assert_eq!(places, taps);
            &places[..]
        });
        let weights = Field::new(shape, case.rows, case.around[0], 9);
        let mut result = Field::new(case.input, case.rows, case.around[1], 8);
        let before = result.clone();
        gradient(weights.slab(), places, result.slab_mut(), pool, window, case.flag);
        let seen = result.places();
        let old = |at: usize| if case.flag { before.data[at] } else { 0.0 };
        let found: Vec<f64> = seen.iter().map(|&at| result.data[at] - old(at)).collect();
        for at in (0..result.data.len()).filter(|at| seen.binary_search(at).is_err()) {
            assert_eq!(result.data[at], before.data[at]);
        }
        let mut moved = input.clone();
        let own = input.places();
        // Maxima stay where they are under steps below half of that between numbers.
        assert_gradient(&mut input.data, &own, &found, 1.0 / 256.0, |data| {
            moved.data.copy_from_slice(data);
            forward(moved.slab(), output.slab_mut(), None, pool, window);
            output.dot(&weights)
        });
    }

    proptest! {
        #[test]
        fn maxima_are_the_definition(case in cases()) {
            check(case, Pool::Max, true);
            check(case, Pool::Max, false);
        }

        #[test]
        fn means_are_the_definition(case in cases()) {
            check(case, Pool::Mean, true);
        }

        #[test]
        fn means_of_images_are_the_definition(case in cases()) {
            let (mut input, _) = fields(case);
            let shape = Shape { height: 1, width: 1, ..case.input };
            let mut output = Field::new(shape, case.rows, case.around[1], 1);
            let mut expected = output.clone();
            for (r, c) in (0..case.rows).flat_map(|r| (0..shape.channels).map(move |c| (r, c))) {
                let all = (0..case.input.area()).map(|at| {
                    let (y, x) = (at / case.input.width, at % case.input.width);
                    input.data[input.place(r, c, y, x)]
                });
                let place = expected.place(r, c, 0, 0);
                expected.data[place] = all.sum::<f64>() / case.input.area() as f64;
            }
            global_mean(input.slab(), output.slab_mut());
            assert_near(&output.data, &expected.data);
            let weights = Field::new(shape, case.rows, case.around[0], 9);
            let mut result = Field::new(case.input, case.rows, case.around[1], 8);
            let before = result.clone();
            global_mean_gradient(weights.slab(), result.slab_mut(), case.flag);
            let old = |at: usize| if case.flag { before.data[at] } else { 0.0 };
            let seen = result.places();
            let found: Vec<f64> = seen.iter().map(|&at| result.data[at] - old(at)).collect();
            let mut moved = input.clone();
            let own = input.places();
            assert_gradient(&mut input.data, &own, &found, 0.5, |data| {
                moved.data.copy_from_slice(data);
                global_mean(moved.slab(), output.slab_mut());
                output.dot(&weights)
            });
        }
    }

    /// The maxima of an image of one row of five numbers, and their places.
    fn row(numbers: [f64; 5], window: (usize, usize, usize)) -> (Vec<f64>, Vec<u32>) {
        let shape = Shape { channels: 1, height: 1, width: 5 };
        let (size, stride, padding) = window;
        let window = Window { size, stride, padding };
        let width = (5 + 2 * padding - size) / stride + 1;
        let height = (1 + 2 * padding - size) / stride + 1;
        let shape_out = Shape { channels: 1, height, width };
        let (mut out, mut places) = (vec![0.0; height * width], vec![0; height * width]);
        let input = Slab { data: &numbers, stride: 1, first: 0, shape, rows: 1 };
        let output = SlabMut { data: &mut out, stride: 1, first: 0, shape: shape_out, rows: 1 };
        forward(input, output, Some(&mut places), Pool::Max, window);
        (out, places)
    }

    #[test]
    fn ties_infinities_and_nan() {
        let (out, places) = row([2.0, 2.0, -7.0, -7.0, -7.0], (3, 1, 1));
        // Padding would be 0 if it could win.
        assert_eq!((out, places), (vec![2.0, 2.0, 2.0, -7.0, -7.0], vec![4, 3, 3, 3, 3]));
        let (out, places) = row([f64::NEG_INFINITY; 5], (3, 1, 1));
        assert_eq!((out, places), (vec![f64::NEG_INFINITY; 5], vec![4, 3, 3, 3, 3]));
        let (out, places) = row([1.0, f64::NAN, 9.0, 3.0, 4.0], (3, 2, 1));
        assert!(out[0].is_nan() && out[1].is_nan() && out[2] == 4.0);
        assert_eq!(places, [5, 3, 4]);
    }

    #[test]
    fn the_number_of_threads_changes_nothing() {
        let shape = Shape { channels: 5, height: 11, width: 9 };
        let window = Window { size: 3, stride: 2, padding: 1 };
        let input: Field<f32> = Field::new(shape, 19, (0, 0), 1);
        let small = Shape { channels: 5, height: 6, width: 5 };
        assert_same_with_all_threads(|| {
            let (mut output, mut result) = (Field::new(small, 19, (1, 0), 2), input.clone());
            let mut places = vec![0; 19 * small.len()];
            forward(input.slab(), output.slab_mut(), Some(&mut places), Pool::Max, window);
            gradient(output.slab(), Some(&places), result.slab_mut(), Pool::Max, window, true);
            [output.data, result.data].concat()
        });
    }
}
