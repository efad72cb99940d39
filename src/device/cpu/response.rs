//! Local response normalization (Krizhevsky, Sutskever & Hinton, NIPS 2012, section 3.3), with
//! PyTorch's window and constants.
//!
//! With s_c = k + alpha/size · Σ x_i² over i from c − ⌊size/2⌋ to c + ⌊(size−1)/2⌋,
//! y_c = x_c · s_c^−beta, and the gradient g of y becomes
//! g_c · s_c^−beta − 2 · alpha · beta/size · x_c · Σ g_i · x_i · s_i^−(beta+1), summed over the i
//! whose windows contain c: from c − ⌊(size−1)/2⌋ to c + ⌊size/2⌋.
//! Cost: size operations a number.

use rayon::prelude::*;

use crate::cpu::slab::{Slab, SlabMut};
use shatter_exact::Element;
use shatter_matrix::vectors::vectorised;

/// Size, alpha, beta and k.
pub type Constants = (usize, f64, f64, f64);

/// output = input · sums^−beta, and `sums` (rows × positions × channels) as above.
pub fn forward<E: Element>(
    input: Slab<E>,
    output: SlabMut<E>,
    sums: &mut [E],
    (size, alpha, beta, k): Constants,
) {
    let channels = input.shape.channels;
    let (weight, k) = (E::of(alpha / size as f64), E::of(k));
    let images = input.par_groups(1).zip(output.par_groups(1));
    images.zip(sums.par_chunks_mut(input.shape.len().max(1))).for_each(
        |((input, mut output), sums)| {
            vectorised(
                #[inline(always)]
                || {
                    for (position, sums) in sums.chunks_exact_mut(channels).enumerate() {
                        let (row, result) = (input.at(position), output.at(position));
                        sums.fill(E::zero());
                        add_shifted(sums, row, (size / 2, (size - 1) / 2), |x| x * x);
                        sums.iter_mut().for_each(|sum| *sum = k + weight * *sum);
                        let triples = result.iter_mut().zip(row).zip(&*sums);
                        if beta == 0.75 {
                            triples.for_each(|((y, &x), &sum)| *y = x * three_quarters(sum));
                        } else {
                            let power = E::of(-beta);
                            triples.for_each(|((y, &x), &sum)| *y = x * sum.powf(power));
                        }
                    }
                },
            );
        },
    );
}

/// The gradient of [`forward`].
pub fn gradient<E: Element>(
    input: Slab<E>,
    output_gradient: Slab<E>,
    sums: &[E],
    input_gradient: SlabMut<E>,
    (size, alpha, beta, _): Constants,
    accumulate: bool,
) {
    let channels = input.shape.channels;
    let factor = E::of(-2.0 * alpha * beta / size as f64);
    let images = input.par_groups(1).zip(output_gradient.par_groups(1));
    let images = images.zip(input_gradient.par_groups(1));
    let images = images.zip(sums.par_chunks(input.shape.len().max(1)));
    images.for_each_init(
        || (vec![E::zero(); channels], vec![E::zero(); channels], vec![E::zero(); channels]),
        |(powers, terms, summed), (((input, gradient), mut result), sums)| {
            vectorised(
                #[inline(always)]
                || {
                    for (position, sums) in sums.chunks_exact(channels).enumerate() {
                        let (row, gradient) = (input.at(position), gradient.at(position));
                        let pairs = powers.iter_mut().zip(sums);
                        if beta == 0.75 {
                            pairs.for_each(|(power, &sum)| *power = three_quarters(sum));
                        } else {
                            pairs.for_each(|(power, &sum)| *power = sum.powf(E::of(-beta)));
                        }
                        for c in 0..channels {
                            terms[c] = gradient[c] * row[c] * powers[c] / sums[c];
                        }
                        summed.fill(E::zero());
                        add_shifted(summed, terms, ((size - 1) / 2, size / 2), |x| x);
                        for (c, to) in result.at(position).iter_mut().enumerate() {
                            let own = gradient[c] * powers[c] + factor * row[c] * summed[c];
                            *to = if accumulate { *to + own } else { own };
                        }
                    }
                },
            );
        },
    );
}

/// x^(−3/4).
#[inline(always)]
fn three_quarters<E: Element>(x: E) -> E {
    let root = x.sqrt();
    (root * root.sqrt()).recip()
}

/// sums_c += Σ f(x_i) over i from c − before to c + after.
#[inline(always)]
fn add_shifted<E: Element>(
    sums: &mut [E],
    numbers: &[E],
    (before, after): (usize, usize),
    f: impl Fn(E) -> E,
) {
    let channels = sums.len();
    for shift in (1..=before.min(channels)).rev() {
        sums[shift..].iter_mut().zip(numbers).for_each(|(sum, &x)| *sum += f(x));
    }
    for shift in 0..=after.min(channels) {
        sums.iter_mut().zip(&numbers[shift..]).for_each(|(sum, &x)| *sum += f(x));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::cpu::testing::{Field, assert_gradient, assert_near, assert_same_with_all_threads};
    use shatter_network::architecture::Shape;

    #[test]
    fn equals_pytorch() {
        // torch.nn.LocalResponseNorm(size, 0.5, 0.75, 2.0) of 1, -2, 3, -4, 5 in binary64.
        let cases: [(usize, [f64; 5]); 2] = [
            (
                3,
                [
                    0.45790643500456496,
                    -0.6659067581404804,
                    0.7098176595685814,
                    -0.6940322667063952,
                    0.9758353351300502,
                ],
            ),
            (
                4,
                [
                    0.4849009323851106,
                    -0.7421753823236642,
                    0.807923742960645,
                    -0.786237857885804,
                    1.027139764930362,
                ],
            ),
        ];
        for (size, expected) in cases {
            let shape = Shape { channels: 5, height: 1, width: 1 };
            let numbers = [1.0, -2.0, 3.0, -4.0, 5.0];
            let (mut found, mut sums) = ([0.0; 5], [0.0; 5]);
            let input = Slab { data: &numbers, stride: 5, first: 0, shape, rows: 1 };
            let output = SlabMut { data: &mut found, stride: 5, first: 0, shape, rows: 1 };
            forward(input, output, &mut sums, (size, 0.5, 0.75, 2.0));
            assert_near(&found, &expected);
        }
    }

    proptest! {
        #[test]
        fn is_the_definition(
            size in 1_usize..=6,
            (channels, height, width, rows) in (1_usize..=9, 1_usize..=4, 1_usize..=4, 1_usize..=5),
            around in [(0_usize..3, 0_usize..3), (0_usize..3, 0_usize..3)],
            beta in prop_oneof![Just(0.75), Just(0.5), Just(1.25)],
            accumulate in any::<bool>(),
            seed in 0_u64..1000,
        ) {
            let (alpha, k) = (0.7, 1.5);
            let shape = Shape { channels, height, width };
            let mut input: Field<f64> = Field::new(shape, rows, around[0], seed);
            let mut output = Field::new(shape, rows, around[1], seed + 1);
            let mut expected = output.clone();
            for (&from, &to) in input.places().iter().zip(&output.places()) {
                let stride = channels + around[0].0 + around[0].1;
                let (start, c) = (from / stride * stride + around[0].0, from % stride - around[0].0);
                let sum: f64 = (c.saturating_sub(size / 2)..channels.min(c + size.div_ceil(2)))
                    .map(|i| input.data[start + i].powi(2))
                    .sum();
                let base: f64 = k + alpha / size as f64 * sum;
                expected.data[to] = input.data[from] / base.powf(beta);
            }
            let mut sums = vec![0.0; rows * shape.len()];
            let constants = (size, alpha, beta, k);
            forward(input.slab(), output.slab_mut(), &mut sums, constants);
            assert_near(&output.data, &expected.data);

            let weights = Field::new(shape, rows, around[1], 9);
            let mut result = Field::new(shape, rows, around[1], 8);
            let before = result.clone();
            let to = result.slab_mut();
            gradient(input.slab(), weights.slab(), &sums, to, constants, accumulate);
            let old = |at: usize| if accumulate { before.data[at] } else { 0.0 };
            let seen = result.places();
            let found: Vec<f64> = seen.iter().map(|&at| result.data[at] - old(at)).collect();
            for at in (0..result.data.len()).filter(|at| seen.binary_search(at).is_err()) {
                prop_assert_eq!(result.data[at], before.data[at]);
            }
            let mut moved = input.clone();
            let own = input.places();
            assert_gradient(&mut input.data, &own, &found, 1e-5, |data| {
                moved.data.copy_from_slice(data);
                forward(moved.slab(), output.slab_mut(), &mut sums, constants);
                output.dot(&weights)
            });
        }
    }

    #[test]
    fn the_number_of_threads_changes_nothing() {
        let shape = Shape { channels: 12, height: 3, width: 3 };
        let input: Field<f32> = Field::new(shape, 19, (0, 0), 1);
        assert_same_with_all_threads(|| {
            let (mut output, mut result) = (input.clone(), input.clone());
            let mut sums = vec![0.0; input.data.len()];
            let constants = (9, 0.001, 0.75, 1.0);
            forward(input.slab(), output.slab_mut(), &mut sums, constants);
            gradient(input.slab(), output.slab(), &sums, result.slab_mut(), constants, true);
            [output.data, result.data].concat()
        });
    }
}
