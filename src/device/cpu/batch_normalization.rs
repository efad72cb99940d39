//! Batch normalization of each channel (Ioffe & Szegedy, ICML 2015), with PyTorch's constants.
//!
//! In training, with mean m and biased variance v over rows and positions, y = scale · (x − m) ·
//! (v + eps)^−½ + shift; running statistics become 0.9 of themselves plus 0.1 of the batch's,
//! with the unbiased variance. PyTorch refuses a batch with one value per channel, which has no
//! unbiased variance; here the biased one, 0, takes its place.
//!
//! Mean and centred squares of a few images are found in two passes while they are in the cache,
//! and joined by the formula of Chan, Golub & LeVeque (1979): as exact as two passes over the
//! batch, for one reading of memory. Groups of images and the order in which they are joined are
//! fixed.

use std::ops::Range;

use rayon::prelude::*;

use crate::cpu::images::images_of_group;
use crate::cpu::slab::{Slab, SlabMut};
use shatter_exact::Element;
use shatter_matrix::vectors::vectorised;
use shatter_network::architecture::EPSILON;

/// Share of the batch in the running statistics.
const MOMENTUM: f64 = 0.1;

/// Positions that are enough to work on at a time.
const POSITIONS: usize = 256;

/// Number, mean and sum of centred squares of values, channel by channel.
struct Moments<E> {
    count: usize,
    mean: Vec<E>,
    squares: Vec<E>,
}

impl<E: Element> Moments<E> {
    fn none(channels: usize) -> Moments<E> {
        Moments { count: 0, mean: vec![E::zero(); channels], squares: vec![E::zero(); channels] }
    }

    /// Those of some images.
    #[inline(always)]
    fn take(&mut self, images: Slab<E>) {
        self.count = images.positions();
        self.mean.fill(E::zero());
        self.squares.fill(E::zero());
        for position in 0..self.count {
            let row = images.at(position);
            self.mean.iter_mut().zip(row).for_each(|(sum, &x)| *sum += x);
        }
        let share = E::of((self.count as f64).recip());
        self.mean.iter_mut().for_each(|sum| *sum *= share);
        for position in 0..self.count {
            let row = images.at(position).iter().zip(&self.mean);
            self.squares.iter_mut().zip(row).for_each(|(sum, (&x, &mean))| {
                let centred = x - mean;
                *sum += centred * centred;
            });
        }
    }

    /// Those of both sets of values.
    #[inline(always)]
    fn join(&mut self, other: &Moments<E>) {
        let (ours, theirs) = (self.count as f64, other.count as f64);
        self.count += other.count;
        let all = (self.count as f64).max(1.0);
        let (share, cross) = (E::of(theirs / all), E::of(ours * theirs / all));
        let ours = self.mean.iter_mut().zip(&mut self.squares);
        let pairs = ours.zip(other.mean.iter().zip(&other.squares));
        pairs.for_each(|((mean, squares), (&their_mean, &their_squares))| {
            let apart = their_mean - *mean;
            *mean += apart * share;
            *squares += their_squares + apart * apart * cross;
        });
    }
}

/// Mean and sum of centred squares of a batch.
fn moments<E: Element>(input: Slab<E>) -> Moments<E> {
    let channels = input.shape.channels;
    let images = (POSITIONS / input.shape.area().max(1)).max(1);
    let groups = input.par_groups(images_of_group(input.rows)).map(|group| {
        let (mut all, mut part) = (Moments::none(channels), Moments::none(channels));
        vectorised(
            #[inline(always)]
            || {
                for images in group.groups(images) {
                    part.take(images);
                    all.join(&part);
                }
            },
        );
        all
    });
    let groups: Vec<Moments<E>> = groups.collect();
    let mut all = Moments::none(channels);
    groups.iter().for_each(|group| all.join(group));
    all
}

/// output = scale · (input − mean)/√(variance + eps) + shift, then ReLU if asked for. With `saved`
/// this is training: mean and variance are the batch's, `saved` gets mean and 1/√(variance + eps),
/// and the `running` mean and variance are updated. Without, they are the running ones.
pub fn forward<E: Element>(
    input: Slab<E>,
    output: SlabMut<E>,
    scale: &[E],
    shift: &[E],
    running: (&mut [E], &mut [E]),
    saved: Option<(&mut [E], &mut [E])>,
    relu: bool,
) {
    let channels = input.shape.channels;
    let (mut factors, mut means) = (vec![E::zero(); channels], vec![E::zero(); channels]);
    if let Some((mean, inverse)) = saved {
        let batch = moments(input);
        let count = batch.count.max(1);
        let (biased, unbiased) = (count as f64, count.saturating_sub(1).max(1) as f64);
        let (kept, new) = (E::of(1.0 - MOMENTUM), E::of(MOMENTUM));
        for c in 0..channels {
            mean[c] = batch.mean[c];
            inverse[c] = (batch.squares[c] / E::of(biased) + E::of(EPSILON)).sqrt().recip();
            running.0[c] = kept * running.0[c] + new * mean[c];
            running.1[c] = kept * running.1[c] + new * (batch.squares[c] / E::of(unbiased));
            factors[c] = scale[c] * inverse[c];
        }
        means.copy_from_slice(mean);
    } else {
        for c in 0..channels {
            factors[c] = scale[c] * (running.1[c] + E::of(EPSILON)).sqrt().recip();
        }
        means.copy_from_slice(running.0);
    }
    input.par_groups(1).zip(output.par_groups(1)).for_each(|(input, mut output)| {
        vectorised(
            #[inline(always)]
            || {
                for position in 0..input.positions() {
                    let constants = factors.iter().zip(&means).zip(shift);
                    let pairs = output.at(position).iter_mut().zip(input.at(position));
                    pairs.zip(constants).for_each(|((y, &x), ((&factor, &mean), &shift))| {
                        let value = (x - mean) * factor + shift;
                        *y = if relu & (value < E::zero()) { E::zero() } else { value };
                    });
                }
            },
        );
    });
}

/// The gradients of [`forward`] in training; `saved` is its mean and 1/√(variance + eps). With
/// `output`, that of its ReLU too.
///
/// With z = (x − mean)/√(variance + eps) and g the gradient before the ReLU, over n values:
/// gradient of scale = Σ g·z, of shift = Σ g, of x = scale/√(variance + eps) · (g − Σ g/n −
/// z · Σ g·z/n).
#[allow(clippy::too_many_arguments)]
pub fn gradient<E: Element>(
    input: Slab<E>,
    output: Option<Slab<E>>,
    output_gradient: Slab<E>,
    scale: &[E],
    (mean, inverse): (&[E], &[E]),
    (of_scale, of_shift): (&mut [E], &mut [E]),
    input_gradient: SlabMut<E>,
    accumulate: bool,
) {
    let channels = input.shape.channels;
    let (rows, of_group) = (input.rows, images_of_group(input.rows));
    let masked = Masked { input, output, gradient: output_gradient };
    let images = (POSITIONS / input.shape.area().max(1)).max(1);
    let groups = (0..rows.div_ceil(of_group)).into_par_iter().map(|group| {
        let (mut all, mut part) = (Sums::none(channels), Sums::none(channels));
        let end = ((group + 1) * of_group).min(rows);
        vectorised(
            #[inline(always)]
            || {
                for first in (group * of_group..end).step_by(images) {
                    part.take(masked.images(first..(first + images).min(end)), mean);
                    all.join(&part);
                }
            },
        );
        all
    });
    let groups: Vec<Sums<E>> = groups.collect();
    let mut all = Sums::none(channels);
    groups.iter().for_each(|group| all.join(group));
    let share = E::of((input.positions().max(1) as f64).recip());
    let (mut factors, mut slopes) = (vec![E::zero(); channels], vec![E::zero(); channels]);
    for c in 0..channels {
        of_scale[c] = all.centred[c] * inverse[c];
        of_shift[c] = all.plain[c];
        factors[c] = scale[c] * inverse[c];
        slopes[c] = of_scale[c] * inverse[c] * share;
        all.plain[c] *= share;
    }
    let Sums { plain, .. } = all;
    let kept = || vec![E::zero(); channels];
    input_gradient.par_groups(1).enumerate().for_each_init(kept, |kept, (image, mut result)| {
        let masked = masked.images(image..image + 1);
        vectorised(
            #[inline(always)]
            || {
                for position in 0..masked.input.positions() {
                    masked.gradient(position, kept);
                    let row = masked.input.at(position).iter().zip(mean);
                    let constants = factors.iter().zip(&plain).zip(&slopes);
                    let each = kept.iter_mut().zip(row).zip(constants);
                    each.for_each(|((g, (&x, &mean)), ((&factor, &plain), &slope))| {
                        *g = factor * (*g - plain - (x - mean) * slope);
                    });
                    let to = result.at(position);
                    if accumulate {
                        to.iter_mut().zip(&*kept).for_each(|(to, &own)| *to += own);
                    } else {
                        to.copy_from_slice(kept);
                    }
                }
            },
        );
    });
}

/// Input, and gradient of the output. The gradient counts where `output`, if given, is positive.
#[derive(Clone, Copy)]
struct Masked<'a, E> {
    input: Slab<'a, E>,
    output: Option<Slab<'a, E>>,
    gradient: Slab<'a, E>,
}

impl<E: Element> Masked<'_, E> {
    fn images(&self, range: Range<usize>) -> Self {
        Masked {
            input: self.input.images(range.clone()),
            output: self.output.map(|output| output.images(range.clone())),
            gradient: self.gradient.images(range),
        }
    }

    /// The gradient at a position. Loops that write one row at a time become vectors.
    #[inline(always)]
    fn gradient(&self, position: usize, kept: &mut [E]) {
        let gradient = self.gradient.at(position);
        if let Some(output) = self.output {
            let pairs = gradient.iter().zip(output.at(position));
            kept.iter_mut().zip(pairs).for_each(|(kept, (&g, &y))| {
                *kept = if y > E::zero() { g } else { E::zero() };
            });
        } else {
            kept.copy_from_slice(gradient);
        }
    }
}

/// Σ g · (x − mean) and Σ g, channel by channel.
struct Sums<E> {
    centred: Vec<E>,
    plain: Vec<E>,
    /// Room for the g of one position.
    kept: Vec<E>,
}

impl<E: Element> Sums<E> {
    fn none(channels: usize) -> Sums<E> {
        let [centred, plain, kept] = [(); 3].map(|()| vec![E::zero(); channels]);
        Sums { centred, plain, kept }
    }

    /// Those of some images.
    #[inline(always)]
    fn take(&mut self, images: Masked<E>, mean: &[E]) {
        self.centred.fill(E::zero());
        self.plain.fill(E::zero());
        for position in 0..images.input.positions() {
            images.gradient(position, &mut self.kept);
            self.plain.iter_mut().zip(&self.kept).for_each(|(sum, &g)| *sum += g);
            let row = images.input.at(position).iter().zip(mean);
            let pairs = self.centred.iter_mut().zip(&self.kept);
            pairs.zip(row).for_each(|((sum, &g), (&x, &mean))| *sum += g * (x - mean));
        }
    }

    /// Those of both.
    #[inline(always)]
    fn join(&mut self, other: &Sums<E>) {
        self.centred.iter_mut().zip(&other.centred).for_each(|(sum, &x)| *sum += x);
        self.plain.iter_mut().zip(&other.plain).for_each(|(sum, &x)| *sum += x);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::cpu::testing::{
        Case, Field, assert_gradient, assert_near, assert_same_with_all_threads, cases, numbers,
    };
    use shatter_network::architecture::Shape;

    /// The values of one channel.
    fn channel(field: &Field<f64>, c: usize) -> Vec<f64> {
        field
            .places()
            .into_iter()
            .skip(c)
            .step_by(field.shape.channels)
            .map(|at| field.data[at])
            .collect()
    }

    /// Mean, biased and unbiased variance.
    fn statistics(values: &[f64]) -> (f64, f64, f64) {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let squares: f64 = values.iter().map(|x| (x - mean).powi(2)).sum();
        (mean, squares / n, if n > 1.0 { squares / (n - 1.0) } else { 0.0 })
    }

    fn check_forward(case: Case, training: bool) {
        let Case { input: shape, rows, around, seed, flag: relu, .. } = case;
        let channels = shape.channels;
        let input = Field::new(shape, rows, around[0], seed);
        let mut output = Field::new(shape, rows, around[1], seed + 1);
        let (scale, shift): (Vec<f64>, Vec<f64>) = (numbers(channels, 2), numbers(channels, 3));
        let mut running = (numbers::<f64>(channels, 4), vec![1.7; channels]);
        let (old, mut expected) = (running.clone(), output.clone());
        let mut updated = running.clone();
        for c in 0..channels {
            let (mean, biased, unbiased) = statistics(&channel(&input, c));
            let (mut m, mut v) = (old.0[c], old.1[c]);
            if training {
                updated.0[c] = 0.9 * m + 0.1 * mean;
                updated.1[c] = 0.9 * v + 0.1 * unbiased;
                (m, v) = (mean, biased);
            }
            let places = output.places().into_iter().skip(c).step_by(channels);
            for (at, x) in places.zip(channel(&input, c)) {
                let y = (x - m) / (v + 1e-5_f64).sqrt() * scale[c] + shift[c];
                expected.data[at] = if relu { y.max(0.0) } else { y };
            }
        }
        let mut saved = (vec![0.0; channels], vec![0.0; channels]);
        let save = training.then_some((&mut saved.0[..], &mut saved.1[..]));
        let statistics = (&mut running.0[..], &mut running.1[..]);
        forward(input.slab(), output.slab_mut(), &scale, &shift, statistics, save, relu);
        // A variance near 0 costs digits: the scale is then 1/√eps.
        let factor = 1e-3;
        let small = |data: &[f64]| data.iter().map(|x| x * factor).collect::<Vec<_>>();
        assert_near(&small(&output.data), &small(&expected.data));
        assert_near(&running.0, &updated.0);
        assert_near(&running.1, &updated.1);
    }

    fn check_gradient(case: Case) {
        let Case { input: shape, rows, around, seed, flag: accumulate, .. } = case;
        let channels = shape.channels;
        let mut input = Field::new(shape, rows, around[0], seed);
        let mut output = Field::new(shape, rows, around[1], seed + 1);
        let weights = Field::new(shape, rows, around[1], 9);
        let (mut scale, mut shift) = (numbers(channels, 2), numbers(channels, 3));
        let mut saved = (vec![0.0; channels], vec![0.0; channels]);
        let mut run = |input: &Field<f64>, scale: &[f64], shift: &[f64]| {
            let mut running = (vec![0.0; channels], vec![0.0; channels]);
            let statistics = (&mut running.0[..], &mut running.1[..]);
            let save = Some((&mut saved.0[..], &mut saved.1[..]));
            forward(input.slab(), output.slab_mut(), scale, shift, statistics, save, false);
            output.dot(&weights)
        };
        run(&input, &scale, &shift);
        let kept = saved.clone();
        let mut result = Field::new(shape, rows, around[1], 8);
        let before = result.clone();
        let (mut of_scale, mut of_shift) = (vec![5.0; channels], vec![5.0; channels]);
        let parameters = (&mut of_scale[..], &mut of_shift[..]);
        let (gradients, to) = (weights.slab(), result.slab_mut());
        let statistics = (&kept.0[..], &kept.1[..]);
        gradient(input.slab(), None, gradients, &scale, statistics, parameters, to, accumulate);
        let old = |at: usize| if accumulate { before.data[at] } else { 0.0 };
        let seen = result.places();
        let found: Vec<f64> = seen.iter().map(|&at| result.data[at] - old(at)).collect();
        for at in (0..result.data.len()).filter(|at| seen.binary_search(at).is_err()) {
            assert_eq!(result.data[at], before.data[at]);
        }
        let mut saved = (vec![0.0; channels], vec![0.0; channels]);
        let mut run = |input: &Field<f64>, scale: &[f64], shift: &[f64]| {
            let mut running = (vec![0.0; channels], vec![0.0; channels]);
            let statistics = (&mut running.0[..], &mut running.1[..]);
            let save = Some((&mut saved.0[..], &mut saved.1[..]));
            forward(input.slab(), output.slab_mut(), scale, shift, statistics, save, false);
            output.dot(&weights)
        };
        let all: Vec<usize> = (0..channels).collect();
        let (fixed_scale, fixed_shift) = (scale.clone(), shift.clone());
        assert_gradient(&mut scale, &all, &of_scale, 0.5, |scale| run(&input, scale, &fixed_shift));
        assert_gradient(&mut shift, &all, &of_shift, 0.5, |shift| run(&input, &fixed_scale, shift));
        // With very few values a channel the variance may be close to 0, where differences are
        // far from derivatives.
        if rows * shape.area() >= 8 {
            let mut moved = input.clone();
            let own = input.places();
            assert_gradient(&mut input.data, &own, &found, 1e-5, |data| {
                moved.data.copy_from_slice(data);
                run(&moved, &fixed_scale, &fixed_shift)
            });
        }
    }

    /// With the output of a ReLU, the gradients are those of a gradient that is 0 where that is.
    fn check_mask(case: Case) {
        let Case { input: shape, rows, around, seed, flag: accumulate, .. } = case;
        let channels = shape.channels;
        let input: Field<f64> = Field::new(shape, rows, around[0], seed);
        let output = Field::new(shape, rows, around[1], seed + 1);
        let weights = Field::new(shape, rows, around[1], seed + 2);
        let mut masked = weights.clone();
        for at in output.places().into_iter().filter(|&at| output.data[at] <= 0.0) {
            masked.data[at] = 0.0;
        }
        let run = |output: Option<Slab<f64>>, weights: &Field<f64>| {
            let mut result = Field::new(shape, rows, around[0], 8);
            let (mut of_scale, mut of_shift) = (vec![5.0; channels], vec![5.0; channels]);
            let parameters = (&mut of_scale[..], &mut of_shift[..]);
            let (scale, saved) =
                (numbers(channels, 1), (numbers(channels, 2), numbers(channels, 3)));
            let (to, saved) = (result.slab_mut(), (&saved.0[..], &saved.1[..]));
            gradient(
                input.slab(),
                output,
                weights.slab(),
                &scale,
                saved,
                parameters,
                to,
                accumulate,
            );
            (result, of_scale, of_shift)
        };
        assert_eq!(run(Some(output.slab()), &weights), run(None, &masked));
    }

    proptest! {
        #[test]
        fn forward_is_the_definition(case in cases(), training in any::<bool>()) {
            check_forward(case, training);
        }

        #[test]
        fn gradients_are_derivatives(case in cases()) {
            check_gradient(case);
            check_mask(case);
        }
    }

    #[test]
    fn many_images() {
        for (side, rows) in [(3, 50), (20, 20), (1, 300)] {
            let input = Shape { channels: 3, height: side, width: side };
            let window = shatter_network::architecture::Window { size: 1, stride: 1, padding: 0 };
            let around = [(1, 2), (0, 1)];
            let case = Case { input, window, rows, outputs: 1, around, seed: 5, flag: true };
            check_forward(case, true);
            check_gradient(case);
        }
    }

    #[test]
    fn a_large_mean_costs_no_digits_of_the_variance() {
        let shape = Shape { channels: 1, height: 20, width: 20 };
        let numbers: Vec<f32> = (0..400 * 20).map(|i| 4096.0 + (i % 2) as f32).collect();
        let (mut out, mut mean, mut inverse) = (vec![0.0_f32; 8000], [0.0], [0.0]);
        let input = Slab { data: &numbers, stride: 1, first: 0, shape, rows: 20 };
        let output = SlabMut { data: &mut out, stride: 1, first: 0, shape, rows: 20 };
        let running = (&mut [0.0_f32][..], &mut [0.0_f32][..]);
        forward(input, output, &[1.0], &[0.0], running, Some((&mut mean, &mut inverse)), false);
        assert!((mean[0] - 4096.5).abs() < 1e-2, "{mean:?}");
        assert!((inverse[0] - 2.0).abs() < 1e-2, "{inverse:?}");
    }

    #[test]
    fn the_number_of_threads_changes_nothing() {
        let shape = Shape { channels: 6, height: 5, width: 7 };
        let input: Field<f32> = Field::new(shape, 37, (1, 0), 1);
        assert_same_with_all_threads(|| {
            let (mut output, mut result) = (input.clone(), input.clone());
            let mut held = [(); 6].map(|()| vec![0.5; 6]);
            let [mean, variance, m, inverse, of_scale, of_shift] = &mut held;
            let (running, saved) =
                ((&mut mean[..], &mut variance[..]), (&mut m[..], &mut inverse[..]));
            let (scale, shift): (Vec<f32>, Vec<f32>) = (numbers(6, 2), numbers(6, 3));
            forward(input.slab(), output.slab_mut(), &scale, &shift, running, Some(saved), true);
            let (saved, parameters) =
                ((&m[..], &inverse[..]), (&mut of_scale[..], &mut of_shift[..]));
            let (y, to) = (output.slab(), result.slab_mut());
            gradient(input.slab(), Some(y), input.slab(), &scale, saved, parameters, to, true);
            [vec![output.data, result.data], held.to_vec()].concat().concat()
        });
    }
}
