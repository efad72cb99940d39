//! What tiles of convolutions read, in place of windows: S d of [`winograd`](crate::runtime::winograd).

use std::ops::Range;

use crate::runtime::winograd::{Direction, TILE};
use shatter_network::graph::SlidingWindow;

use super::bounds::{larger, up};

/// Roundings of one of these numbers: two passes of at most [`TILE`] products.
const PASSES: usize = 4 * TILE;

/// Windows of images of sizes as rows, each channels × kernel: in place of the size that a number of the kernel
/// meets stands at least Σ S S |d| over any tile that the output may lie in. `range` counts rows of
/// places, image by image.
pub fn windows(
    sizes: &[f64],
    shape: &[usize],
    window: &SlidingWindow,
    [down, across]: &[Direction; 2],
    range: Range<usize>,
) -> Vec<f64> {
    let (channels, height, width) = (shape[0], shape[1], shape[2]);
    let Some((rows, columns)) = window.places(height, width) else { return Vec::new() };
    let (tall, wide) = window.size;
    let row = channels * tall * wide;
    let mut laid = vec![0.0; range.len() * columns * row];
    // A row of the image with zeros on both sides, as far as any tile reaches.
    let margin = 2 * TILE;
    let mut line = vec![0.0; width + 2 * margin];
    let mut sums = vec![0.0; width.max(columns)];
    let mut most = vec![0.0; columns];
    for (index, into) in range.zip(laid.chunks_mut(columns * row)) {
        let (point, place) = (index / rows, index % rows);
        for channel in 0..channels {
            let image = (point * channels + channel) * height;
            for k in 0..tall {
                let within = &mut line[margin..margin + width];
                within.fill(0.0);
                for reach in &down.reaches {
                    let sums = &mut sums[..width];
                    sums.fill(0.0);
                    for l in 0..reach.inputs {
                        let size = reach.sizes[k * reach.inputs + l];
                        let y = (place + l).checked_sub(reach.before + window.before.0);
                        let Some(y) = y.filter(|&y| y < height && size != 0.0) else { continue };
                        let from = &sizes[(image + y) * width..][..width];
                        sums.iter_mut().zip(from).for_each(|(sum, x)| *sum += size * x);
                    }
                    within
                        .iter_mut()
                        .zip(&*sums)
                        .for_each(|(most, &sum)| *most = larger(*most, sum));
                }
                for k_across in 0..wide {
                    most.fill(0.0);
                    for reach in &across.reaches {
                        let sums = &mut sums[..columns];
                        sums.fill(0.0);
                        for l in 0..reach.inputs {
                            let size = reach.sizes[k_across * reach.inputs + l];
                            // Padding and what lies before a window are fewer than `margin`.
                            let from = &line[margin + l - reach.before - window.before.1..];
                            sums.iter_mut().zip(from).for_each(|(sum, x)| *sum += size * x);
                        }
                        most.iter_mut()
                            .zip(&*sums)
                            .for_each(|(most, &sum)| *most = larger(*most, sum));
                    }
                    let at = (channel * tall + k) * wide + k_across;
                    for (column, &most) in most.iter().enumerate() {
                        into[column * row + at] = up(most, PASSES);
                    }
                }
            }
        }
    }
    laid
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::winograd::{Reach, tiled};
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]

        /// Of every place of an output in every tile, and at least the window.
        #[test]
        fn no_tile_reads_more(
            (height, width, channels) in (1usize..10, 1usize..10, 1usize..3),
            size in (1usize..6, 2usize..5),
            (before, after) in (0usize..3, 0usize..3),
            values in prop::collection::vec(0.0f64..9.0, 12 * 12 * 4),
        ) {
            let least = |side: usize| side.min(size.0 - 1).min(size.1 - 1);
            let (before, after) = (least(before), least(after));
            let window =
                SlidingWindow { size, stride: (1, 1), before: (before, before), after: (after, after) };
            let Some((rows, columns)) = window.places(height, width) else { return Ok(()) };
            let directions = tiled(&window).unwrap();
            let shape = [channels, height, width];
            let values = &values[..2 * channels * height * width];
            let laid = windows(values, &shape, &window, &directions, 0..2 * rows);
            prop_assert_eq!(laid.len(), 2 * rows * columns * channels * size.0 * size.1);
            for (at, &found) in laid.iter().enumerate().step_by(laid.len() / 16 + 1) {
                let (y, x) = (at / size.1 % size.0, at % size.1);
                let at = at / (size.0 * size.1);
                let (channel, at) = (at % channels, at / channels);
                let (column, at) = (at % columns, at / columns);
                let (row, point) = (at % rows, at / rows);
                let of = |down: &Reach, across: &Reach| {
                    let mut sum = 0.0;
                    for (l, m) in
                        (0..down.inputs).flat_map(|l| (0..across.inputs).map(move |m| (l, m)))
                    {
                        let at = |place: usize, l: usize, reach: &Reach, side: usize| {
                            (place + l).checked_sub(reach.before + before).filter(|&y| y < side)
                        };
                        let there = at(row, l, down, height).zip(at(column, m, across, width));
                        let Some((i, j)) = there else { continue };
                        let value = values[((point * channels + channel) * height + i) * width + j];
                        sum += down.sizes[y * down.inputs + l] * across.sizes[x * across.inputs + m] * value;
                    }
                    sum
                };
                for down in &directions[0].reaches {
                    for across in &directions[1].reaches {
                        prop_assert!(of(down, across) <= found);
                    }
                }
            }
        }
    }
}
