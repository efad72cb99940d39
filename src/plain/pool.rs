//! Largest entries and means of windows, all channels of a place at once.

use shatter_exact::Element;
use shatter_matrix::vectors::vectorised;
use shatter_network::graph::SlidingWindow;

/// Joins the rows of channels that each window meets, and finishes each place, of which it is told how many
/// positions of the window lie inside the image.
#[inline(always)]
fn reduced<E: Element>(
    x: &[E],
    shape: &[usize],
    window: &SlidingWindow,
    start: E,
    join: impl Fn(&mut E, E) + Copy,
    finish: impl Fn(&mut E, usize) + Copy,
) -> Vec<E> {
    let (channels, height, width) = (shape[0], shape[1], shape[2]);
    let Some((rows, columns)) = window.places(height, width) else { return Vec::new() };
    let image = channels * height * width;
    let n = x.len() / image.max(1);
    let mut y = vec![start; n * rows * columns * channels];
    let results = y.chunks_exact_mut((rows * columns * channels).max(1));
    for (x, y) in x.chunks_exact(image.max(1)).zip(results) {
        for (place, y) in y.chunks_exact_mut(channels).enumerate() {
            let (row, column) = (place / columns, place % columns);
            let down = window.rows_inside(row, height);
            let across = window.columns_inside(column, width);
            let inside = down.len() * across.len();
            for down in down {
                let line = (row * window.stride.0 + down - window.before.0) * width;
                for across in across.clone() {
                    let at = line + column * window.stride.1 + across - window.before.1;
                    let met = &x[at * channels..(at + 1) * channels];
                    y.iter_mut().zip(met).for_each(|(y, &x)| join(y, x));
                }
            }
            y.iter_mut().for_each(|y| finish(y, inside));
        }
    }
    y
}

/// The largest entry of each window; padding never wins, and NaN always does.
pub fn largest<E: Element>(x: &[E], shape: &[usize], window: &SlidingWindow) -> Vec<E> {
    vectorised(
        #[inline(always)]
        || {
            let join = |held: &mut E, x: E| {
                let taken = (x > *held) | x.is_nan();
                *held = if taken { x } else { *held };
            };
            reduced(x, shape, window, E::neg_infinity(), join, |_, _| ())
        },
    )
}

/// The mean of each window, padding counted as zeros or not at all.
pub fn mean<E: Element>(x: &[E], shape: &[usize], window: &SlidingWindow, padded: bool) -> Vec<E> {
    let area = window.size.0 as f64 * window.size.1 as f64;
    let divisor = |inside: usize| E::of(if padded { area } else { inside.max(1) as f64 });
    vectorised(
        #[inline(always)]
        || {
            let finish = |sum: &mut E, inside: usize| *sum /= divisor(inside);
            reduced(x, shape, window, E::zero(), |sum, x| *sum += x, finish)
        },
    )
}
