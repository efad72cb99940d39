//! Largest entries and means of windows.

use crate::exact::Element;
use crate::network::graph::Window;

/// Reduces rows, whose numbers lie side by side, and then columns.
fn reduced<E: Element>(
    x: &[E],
    y: &mut [E],
    shape: &[usize],
    window: &Window,
    start: E,
    join: impl Fn(E, E) -> E + Copy,
) {
    let (height, width) = (shape[1], shape[2]);
    let Some((rows, columns)) = window.places(height, width) else { return };
    let across: Vec<_> = (0..columns).map(|column| window.columns_inside(column, width)).collect();
    let first = |column: usize| column * window.stride.1 + across[column].start - window.before.1;
    let mut line = vec![start; width];
    let planes = x.chunks_exact((height * width).max(1));
    for (plane, result) in planes.zip(y.chunks_exact_mut((rows * columns).max(1))) {
        for (row, result) in result.chunks_exact_mut(columns).enumerate() {
            let down = window.rows_inside(row, height);
            line.fill(start);
            for inside in down {
                let at = row * window.stride.0 + inside - window.before.0;
                let from = &plane[at * width..(at + 1) * width];
                line.iter_mut().zip(from).for_each(|(to, &x)| *to = join(*to, x));
            }
            for (column, to) in result.iter_mut().enumerate() {
                let from = first(column);
                let met = &line[from..from + across[column].len()];
                *to = met.iter().fold(start, |all, &x| join(all, x));
            }
        }
    }
}

/// The largest entry of each window; padding never wins.
pub fn largest<E: Element>(x: &[E], y: &mut [E], shape: &[usize], window: &Window) {
    // What is no number wins, and is not hidden.
    let join = |held: E, x: E| if held >= x || held.is_nan() { held } else { x };
    reduced(x, y, shape, window, E::neg_infinity(), join);
}

/// The mean of each window, padding counted as zeros or not at all.
pub fn mean<E: Element>(x: &[E], y: &mut [E], shape: &[usize], window: &Window, padded: bool) {
    reduced(x, y, shape, window, E::zero(), |sum, x| sum + x);
    let (height, width) = (shape[1], shape[2]);
    let Some((rows, columns)) = window.places(height, width) else { return };
    let area = window.size.0 as f64 * window.size.1 as f64;
    let divisor = |place: usize| match padded {
        true => E::of(area),
        false => {
            let down = window.rows_inside(place / columns, height).len();
            let across = window.columns_inside(place % columns, width).len();
            E::of((down * across).max(1) as f64)
        }
    };
    let divisors: Vec<E> = (0..rows * columns).map(divisor).collect();
    for plane in y.chunks_exact_mut((rows * columns).max(1)) {
        plane.iter_mut().zip(&divisors).for_each(|(y, &divisor)| *y /= divisor);
    }
}
