//! Functions of one number, normalizations, picked and joined numbers.

use crate::exact::Element;
use crate::network::Activation;
use crate::network::graph::{Normalization, Response};

/// Runs a loop compiled for the widest vectors that this processor has; its numbers are independent,
/// so that its bytes do not depend on their width.
#[inline(always)]
fn vectorised(work: impl FnOnce()) {
    pulp::Arch::new().dispatch(work);
}

/// φ(t).
#[inline(always)]
pub fn of_one<E: Element>(activation: Activation, t: E) -> E {
    let indicator = |yes: bool| if yes { E::one() } else { E::zero() };
    match activation {
        Activation::Identity => t,
        Activation::Relu => {
            if t < E::zero() {
                E::zero()
            } else {
                t
            }
        }
        Activation::Threshold => indicator(t > E::zero()),
        Activation::Softsign => t / (E::one() + t.abs()),
        Activation::Sine => {
            let floor = t.floor();
            let half = floor * E::of(0.5);
            indicator(floor != t && half.floor() == half)
        }
        Activation::Square => t * t,
        Activation::Reciprocal => {
            if t == E::zero() {
                t
            } else {
                t.recip()
            }
        }
    }
}

/// φ of every number.
pub fn activate<E: Element>(x: &mut [E], activation: Activation) {
    match activation {
        Activation::Relu => vectorised(
            #[inline(always)]
            || x.iter_mut().for_each(|t| *t = of_one(Activation::Relu, *t)),
        ),
        _ => x.iter_mut().for_each(|t| *t = of_one(activation, *t)),
    }
}

/// x where x > 0, slope · x elsewhere; `area` numbers have one slope, if there are several.
pub fn leaky<E: Element>(x: &mut [E], slopes: &[E], area: usize) {
    for (channel, plane) in x.chunks_mut(area).enumerate() {
        let slope = slopes[channel % slopes.len()];
        plane.iter_mut().for_each(|t| *t = if *t > E::zero() { *t } else { slope * *t });
    }
}

/// min(max(x, low), high).
pub fn clip<E: Element>(x: &mut [E], low: E, high: E) {
    let of = |t: E| {
        if t < low {
            low
        } else if t > high {
            high
        } else {
            t
        }
    };
    x.iter_mut().for_each(|t| *t = of(*t));
}

/// Mean, factor and shift of each channel.
pub fn normalization<E: Element>(by: &Normalization) -> Vec<(E, E, E)> {
    let of = |c: usize| {
        let root = (E::of(by.variance[c]) + E::of(by.epsilon)).sqrt();
        (E::of(by.mean[c]), E::of(by.scale[c]) / root, E::of(by.shift[c]))
    };
    (0..by.scale.len()).map(of).collect()
}

/// (x − mean) · factor + shift, `area` numbers a channel.
pub fn normalize<E: Element>(x: &mut [E], by: &[(E, E, E)], area: usize) {
    vectorised(
        #[inline(always)]
        || {
            for (channel, plane) in x.chunks_exact_mut(area).enumerate() {
                let (mean, factor, shift) = by[channel % by.len()];
                plane.iter_mut().for_each(|t| *t = (*t - mean) * factor + shift);
            }
        },
    );
}

/// x ± y.
pub fn sum<E: Element>(x: &mut [E], y: &[E], minus: bool) {
    let sign = if minus { -E::one() } else { E::one() };
    vectorised(
        #[inline(always)]
        || x.iter_mut().zip(y).for_each(|(x, &y)| *x += sign * y),
    );
}

/// Of each point: number k of the result is `of(k, x[from[k]])`.
pub fn picked<E: Element>(
    x: &[E],
    y: &mut [E],
    from: &[u32],
    width: usize,
    of: impl Fn(usize, E) -> E,
) {
    for (x, y) in x.chunks_exact(width.max(1)).zip(y.chunks_exact_mut(from.len().max(1))) {
        for (k, (y, &from)) in y.iter_mut().zip(from).enumerate() {
            *y = of(k, x[from as usize]);
        }
    }
}

/// Values one after the other, each with so many numbers a point; `numbers` in all.
pub fn concatenate<E: Element>(parts: &[(&Vec<E>, usize)], y: &mut [E], numbers: usize) {
    for (point, y) in y.chunks_exact_mut(numbers.max(1)).enumerate() {
        let mut first = 0;
        for (x, width) in parts {
            y[first..first + width].copy_from_slice(&x[point * width..(point + 1) * width]);
            first += width;
        }
    }
}

/// x/(k + alpha/size · Σ x²)^β.
pub fn response<E: Element>(x: &[E], y: &mut [E], shape: &[usize], by: &Response) {
    let (size, alpha, quarters, k) = by.constants();
    let (channels, area) = (shape[0], shape[1..].iter().product::<usize>().max(1));
    let (weight, k) = (E::of(alpha / size as f64), E::of(k));
    let mut sums = vec![E::zero(); area];
    let images = x.chunks_exact(channels * area).zip(y.chunks_exact_mut(channels * area));
    vectorised(
        #[inline(always)]
        || {
            for (x, y) in images {
                for (channel, y) in y.chunks_exact_mut(area).enumerate() {
                    sums.fill(E::zero());
                    for near in by.near(channel, channels) {
                        let x = &x[near * area..(near + 1) * area];
                        sums.iter_mut().zip(x).for_each(|(sum, &x)| *sum += x * x);
                    }
                    let x = &x[channel * area..(channel + 1) * area];
                    for ((y, &x), &sum) in y.iter_mut().zip(x).zip(&sums) {
                        *y = x / power(k + weight * sum, quarters);
                    }
                }
            }
        },
    );
}

/// x^(quarters/4).
#[inline(always)]
fn power<E: Element>(x: E, quarters: u32) -> E {
    let root = x.sqrt();
    match quarters {
        2 => root,
        3 => root * root.sqrt(),
        4 => x,
        _ => {
            let part = match quarters % 4 {
                0 => E::one(),
                1 => root.sqrt(),
                2 => root,
                _ => root * root.sqrt(),
            };
            part * x.powi((quarters / 4) as i32)
        }
    }
}
