//! Windows of images, enclosed.

use crate::interchange::number::Precision;

use super::super::Window;
use super::{Enclosure, Sums, gamma, smallest, up};

/// The windows of images as rows: (points · places) × (channels · size).
pub fn columns(x: &Enclosure, shape: &[usize], window: &Window, points: usize) -> Enclosure {
    let (channels, height, width) = (shape[0], shape[1], shape[2]);
    let area = window.size.0 * window.size.1;
    let (rows, columns) = window.places(height, width).unwrap_or((0, 0));
    let places = rows * columns;
    let mut order = Vec::new();
    window.each((height, width), |place, inside, at| order.push((place, inside, at)));
    let laid = |values: &[f64]| -> Vec<f64> {
        if values.is_empty() {
            return Vec::new();
        }
        let mut result = vec![0.0; points * places * channels * area];
        for i in 0..points {
            for c in 0..channels {
                let from = &values[(i * channels + c) * height * width..];
                for &(place, inside, at) in &order {
                    result[((i * places + place) * channels + c) * area + inside] = from[at];
                }
            }
        }
        result
    };
    Enclosure { centre: laid(&x.centre), radius: laid(&x.radius), runtime: laid(&x.runtime) }
}

/// From (points · places) × channels to points × channels × places.
pub fn channels_first(x: &Enclosure, points: usize, places: usize, channels: usize) -> Enclosure {
    let from = (0..points).flat_map(move |i| {
        (0..channels).flat_map(move |c| (0..places).map(move |p| (i * places + p) * channels + c))
    });
    x.picked(from)
}

/// The largest entries of windows: `numbers` a point.
pub fn max_pool(
    x: &Enclosure,
    shape: &[usize],
    window: &Window,
    points: usize,
    numbers: usize,
) -> Enclosure {
    let (channels, height, width) = (shape[0], shape[1], shape[2]);
    let places = numbers / channels;
    let pooled = |values: &[f64], start: f64| -> Vec<f64> {
        if values.is_empty() {
            return Vec::new();
        }
        let mut result = vec![start; points * numbers];
        for (plane, into) in values.chunks(height * width).zip(result.chunks_mut(places)) {
            window.each((height, width), |place, _, at| into[place] = into[place].max(plane[at]));
        }
        result
    };
    Enclosure {
        centre: pooled(&x.centre, f64::NEG_INFINITY),
        radius: pooled(&x.radius, 0.0),
        runtime: pooled(&x.runtime, 0.0),
    }
}

/// Sums of windows that are still to be divided.
pub struct Means {
    sums: Sums,
    /// By what, a number each.
    divisor: Vec<f64>,
}

/// The sums of windows, and what they are to be divided by.
pub fn mean_pool(
    x: &Enclosure,
    shape: &[usize],
    window: &Window,
    padded: bool,
    points: usize,
    numbers: usize,
) -> Means {
    let (channels, height, width) = (shape[0], shape[1], shape[2]);
    let places = numbers / channels;
    let area = window.size.0 * window.size.1;
    let added = |values: &[f64]| -> Vec<f64> {
        if values.is_empty() {
            return Vec::new();
        }
        let mut result = vec![0.0; points * numbers];
        for (plane, into) in values.chunks(height * width).zip(result.chunks_mut(places)) {
            window.each((height, width), |place, _, at| into[place] += plane[at]);
        }
        result
    };
    let mut inside = vec![0.0; places];
    window.each((height, width), |place, _, _| inside[place] += 1.0);
    let divisor = |place: usize| if padded { area as f64 } else { inside[place % places] };
    let size = added(&x.sizes()).iter().map(|&size| up(size, area)).collect();
    let sums = Sums {
        centre: added(&x.centre),
        size,
        radius: added(&x.radius),
        runtime: added(&x.runtime),
        terms: area,
        grain: x.grain(),
    };
    Means { divisor: (0..points * numbers).map(divisor).collect(), sums }
}

impl Means {
    /// Divides: exactly by powers of two, with one more rounding by others.
    pub fn close_mean(self, precision: Precision) -> Enclosure {
        let Means { sums, divisor } = self;
        let size = sums.size.clone();
        let mut x = sums.close(precision);
        // Quotients of powers of two are exact where they stay in the normal range of the runtime.
        let whole = divisor.iter().all(|d| d.log2().fract() == 0.0)
            && x.centre
                .iter()
                .zip(&divisor)
                .all(|(x, d)| *x == 0.0 || (x / d).abs() >= smallest(precision));
        if !whole {
            x.radius.resize(size.len(), 0.0);
            x.runtime.resize(size.len(), 0.0);
        }
        for at in 0..size.len() {
            x.centre[at] /= divisor[at];
            if let Some(radius) = x.radius.get_mut(at) {
                *radius =
                    up((*radius + gamma(2, 53) * size[at]) / divisor[at] + f64::MIN_POSITIVE, 2);
            }
            if let Some(runtime) = x.runtime.get_mut(at) {
                let more = gamma(2, precision.bits()) * size[at];
                *runtime = up((*runtime + more) / divisor[at] + smallest(precision), 2);
            }
        }
        x
    }
}
