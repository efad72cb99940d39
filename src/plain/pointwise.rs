//! Functions of one number, normalizations, picked and joined numbers.

use shatter_exact::Element;
use shatter_matrix::vectors::vectorised;
use shatter_network::Activation;
use shatter_network::graph::{Normalization, Response};

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

/// x where x > 0, slope · x elsewhere; one slope, or one a channel.
pub fn leaky<E: Element>(x: &mut [E], slopes: &[E]) {
    if let [slope] = slopes {
        return x.iter_mut().for_each(|t| *t = if *t > E::zero() { *t } else { *slope * *t });
    }
    for place in x.chunks_mut(slopes.len().max(1)) {
        for (t, &slope) in place.iter_mut().zip(slopes) {
            *t = if *t > E::zero() { *t } else { slope * *t };
        }
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

/// (x − mean) · factor + shift, of each channel its own.
pub fn normalize<E: Element>(x: &mut [E], by: &[(E, E, E)]) {
    vectorised(
        #[inline(always)]
        || {
            for place in x.chunks_exact_mut(by.len().max(1)) {
                for (t, &(mean, factor, shift)) in place.iter_mut().zip(by) {
                    *t = (*t - mean) * factor + shift;
                }
            }
        },
    );
}

/// exp(x_i)/Σ exp(x_j) of each point, of `width` numbers, or its logarithm.
pub fn softmax<E: Element>(x: &mut [E], width: usize, logarithm: bool) {
    for point in x.chunks_exact_mut(width.max(1)) {
        let largest =
            point.iter().fold(E::neg_infinity(), |most, &x| if most > x { most } else { x });
        point.iter_mut().for_each(|x| *x -= largest);
        let sum = point.iter().fold(E::zero(), |sum, x| sum + x.exp());
        match logarithm {
            true => point.iter_mut().for_each(|x| *x -= sum.ln()),
            false => point.iter_mut().for_each(|x| *x = x.exp() / sum),
        }
    }
}

/// x ± y.
pub fn sum<E: Element>(x: &mut [E], y: &[E], minus: bool) {
    let sign = if minus { -E::one() } else { E::one() };
    vectorised(
        #[inline(always)]
        || x.iter_mut().zip(y).for_each(|(x, &y)| *x += sign * y),
    );
}

/// Picks numbers of each point, which has `width`: number k of the result is `of(k, x[from[k]])`.
pub fn picked<E: Element>(
    x: &[E],
    from: &[u32],
    width: usize,
    of: impl Fn(usize, E) -> E + Copy,
) -> Vec<E> {
    let picked = |x: &[E]| -> Vec<E> {
        from.iter().enumerate().map(|(k, &from)| of(k, x[from as usize])).collect()
    };
    x.chunks_exact(width.max(1)).flat_map(picked).collect()
}

/// Values side by side, each with so many channels, at every place.
pub fn concatenate<E: Element>(parts: &[(&Vec<E>, usize)], places: usize) -> Vec<E> {
    let channels: usize = parts.iter().map(|(_, channels)| channels).sum();
    let mut y = Vec::with_capacity(places * channels);
    for place in 0..places {
        for (x, channels) in parts {
            y.extend_from_slice(&x[place * channels..(place + 1) * channels]);
        }
    }
    y
}

/// x/(k + alpha/size · Σ x²)^β.
pub fn response<E: Element>(x: &[E], channels: usize, by: &Response) -> Vec<E> {
    let (size, alpha, beta, k) = by.constants();
    let (quarters, power_of) = (by.quarters(), E::of(beta));
    let (weight, k) = (E::of(alpha / size as f64), E::of(k));
    let (below, above) = by.reach();
    let mut y = vec![E::zero(); x.len()];
    vectorised(
        #[inline(always)]
        || {
            let places = x.chunks_exact(channels.max(1)).zip(y.chunks_exact_mut(channels.max(1)));
            for (x, sums) in places {
                // From the lowest channel of each sum to its highest.
                for shift in (1..=below.min(channels)).rev() {
                    sums[shift..].iter_mut().zip(x).for_each(|(sum, &x)| *sum += x * x);
                }
                for shift in 0..=above.min(channels) {
                    sums.iter_mut().zip(&x[shift..]).for_each(|(sum, &x)| *sum += x * x);
                }
                let pairs = sums.iter_mut().zip(x);
                match quarters {
                    Some(quarters) => pairs.for_each(|(sum, &x)| {
                        *sum = x / power(k + weight * *sum, quarters);
                    }),
                    None => pairs.for_each(|(sum, &x)| {
                        *sum = x / (k + weight * *sum).powf(power_of);
                    }),
                }
            }
        },
    );
    y
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
