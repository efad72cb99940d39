//! Largest entries and means of windows, enclosed.

use super::Enclosure;
use super::affine::radius;
use super::bounds::up;
use super::chain::{BESIDES, Chain};
use crate::judge::runtime::Rounding;
use crate::network::graph::Window;

/// The largest entries of windows: `numbers` a point.
pub fn max_pool(x: &Enclosure, shape: &[usize], window: &Window, numbers: usize) -> Enclosure {
    let (channels, height, width) = (shape[0], shape[1], shape[2]);
    let places = numbers / channels;
    let pooled = |values: &[f64], start: f64| -> Vec<f64> {
        if values.is_empty() {
            return Vec::new();
        }
        let mut result = vec![start; x.points * numbers];
        for (plane, into) in values.chunks(height * width).zip(result.chunks_mut(places)) {
            window.each((height, width), |place, _, at| into[place] = into[place].max(plane[at]));
        }
        result
    };
    Enclosure {
        points: x.points,
        centre: pooled(&x.centre, f64::NEG_INFINITY),
        radius: pooled(&x.radius, 0.0),
        runtime: pooled(&x.runtime, 0.0),
        back: None,
        forward: None,
    }
}

/// The means of windows: `numbers` a point; padding counts as zeros, or not at all.
pub fn mean_pool(
    x: &Enclosure,
    shape: &[usize],
    window: &Window,
    padded: bool,
    numbers: usize,
    rounding: Rounding,
) -> Enclosure {
    let (channels, height, width) = (shape[0], shape[1], shape[2]);
    let places = numbers / channels;
    let area = window.size.0 * window.size.1;
    let added = |values: &[f64]| -> Vec<f64> {
        if values.is_empty() {
            return Vec::new();
        }
        let mut result = vec![0.0; x.points * numbers];
        for (plane, into) in values.chunks(height * width).zip(result.chunks_mut(places)) {
            window.each((height, width), |place, _, at| into[place] += plane[at]);
        }
        result
    };
    let mut inside = vec![0.0; places];
    window.each((height, width), |place, _, _| inside[place] += 1.0);
    let divisor = |at: usize| if padded { area as f64 } else { inside[at % places] };
    // By powers of two, division is exact in the normal range.
    let bits = |at: usize| Some(divisor(at).log2()).filter(|bits| bits.fract() == 0.0);
    let bits = (0..places).map(bits).collect::<Option<Vec<f64>>>();
    let most_bits = bits.map(|bits| bits.into_iter().fold(0.0, f64::max) as i64);
    let divided = |grain: i64| most_bits.map(|bits| grain.saturating_sub(bits));
    let bounds = |values: &[f64]| -> Vec<f64> {
        let sums = added(values);
        sums.iter().enumerate().map(|(at, sum)| up(sum / divisor(at), area + 1)).collect()
    };
    let folded = x.forward(rounding);
    let chain = Chain {
        base: bounds(&folded.base),
        size: bounds(&folded.size),
        terms: folded.terms.saturating_add(area + BESIDES),
        products: folded.products,
        grain: folded.grain.iter().map(|own| own.and_then(divided)).collect(),
        least: folded.least / area as f64 / 2.0,
        most: folded.most.iter().map(|most| up(area as f64 * most, area)).collect(),
    };
    // Sums are exact where means are: both are scaled by powers of two, sums by the larger ones.
    let own = x.known(divided);
    let centre: Vec<f64> =
        added(&x.centre).iter().enumerate().map(|(at, sum)| sum / divisor(at)).collect();
    let radius = radius(&bounds(&x.radius), &chain.size, area + 2, &own);
    Enclosure::folded(centre, radius, x.points, chain, None, rounding)
}
