//! Largest entries and means of windows, enclosed.

use super::Enclosure;
use super::affine::radius;
use super::bounds::{larger, up};
use super::chain::{BESIDES, Chain};
use crate::runtime::Rounding;
use shatter_network::graph::SlidingWindow;

/// The largest entries of windows: `numbers` a point. Entries that are below another one wherever both lie, in real
/// arithmetic and at every runtime, have no part in what is off.
pub fn max_pool(
    x: &Enclosure,
    shape: &[usize],
    window: &SlidingWindow,
    numbers: usize,
) -> Enclosure {
    let (channels, height, width) = (shape[0], shape[1], shape[2]);
    let (places, area) = (numbers / channels, height * width);
    let all = x.points * numbers;
    let (mut centre, mut floor) = (vec![f64::NEG_INFINITY; all], vec![f64::NEG_INFINITY; all]);
    let off = |at: usize| up(x.radius(at) + x.runtime(at), 1);
    let planes = || (0..x.points * channels).map(|plane| (plane * places, plane * area));
    let rounds = !x.radius.is_empty() || !x.runtime.is_empty();
    for (into, from) in planes() {
        window.each((height, width), |place, _, at| {
            let (place, at) = (into + place, from + at);
            centre[place] = centre[place].max(x.centre[at]);
            if rounds {
                floor[place] = floor[place].max((x.centre[at] - off(at)).next_down());
            }
        });
    }
    let (mut radius, mut runtime) = (vec![0.0; all], vec![0.0; all]);
    for (into, from) in planes().filter(|_| rounds) {
        window.each((height, width), |place, _, at| {
            let (place, at) = (into + place, from + at);
            let below = (x.centre[at] + off(at)).next_up() < floor[place];
            if !below {
                radius[place] = larger(radius[place], x.radius(at));
                runtime[place] = larger(runtime[place], x.runtime(at));
            }
        });
    }
    let zeros = |list: Vec<f64>| if list.iter().all(|&x| x == 0.0) { Vec::new() } else { list };
    let (radius, runtime) = (zeros(radius), zeros(runtime));
    Enclosure { points: x.points, centre, radius, runtime, back: None, forward: None }
}

/// The means of windows: `numbers` a point; padding counts as zeros, or not at all.
pub fn mean_pool(
    x: &Enclosure,
    shape: &[usize],
    window: &SlidingWindow,
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
