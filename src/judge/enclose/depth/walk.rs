//! Walks back from a value to the point: what functionals of the value cost on the way.
//!
//! A batch of cotangents stands at each value as an array: functional, row, column, channel, over the
//! rectangle of pixels that the functionals depend on.

use super::super::bounds::{gamma, up};
use super::layout::Rect;
use super::prepared::{Back, Prepared};
use super::trace::Known;
use shatter_exact::Element;
use shatter_matrix::vectors::vectorised;
use shatter_network::graph::{Operator, SlidingWindow};

/// Lanes in which sums are added.
const LANES: usize = 32;

/// A functional of a value: numbers in the plain order, and coefficients.
pub type Functional = Vec<(usize, f64)>;

/// Cotangents of a value.
pub struct Patch<E> {
    pub rect: Rect,
    pub numbers: Vec<E>,
}

/// A batch on its way.
pub struct Walk<'a, E> {
    pub prepared: &'a Prepared<'a, E>,
    pub known: &'a [Known<E>],
    /// Of every value that the functionals depend on: where.
    pub rects: Vec<Option<Rect>>,
    patches: Vec<Option<Patch<E>>>,
    /// What every functional has cost so far.
    pub costs: Vec<f64>,
}

/// The rectangles of all values that functionals of a value with this rectangle depend on, and the products
/// of the walk of one of them.
pub fn plan<E: Element>(
    prepared: &Prepared<E>,
    known: &[Known<E>],
    value: usize,
    rect: Rect,
) -> (Vec<Option<Rect>>, u64) {
    let mut rects: Vec<Option<Rect>> = vec![None; value + 1];
    rects[value] = Some(rect);
    let mut products = 0u64;
    for index in (0..value).rev() {
        let Some(rect) = rects[index + 1].clone() else { continue };
        let step = &prepared.network.steps[index];
        let read = |of: usize| {
            let (x, y) = (&prepared.layouts[of], &prepared.layouts[index + 1]);
            match (&step.operation, &prepared.backs[index]) {
                (_, Back::Cut) => None,
                (Operator::Convolution(_, window), _)
                | (Operator::MaxPool(window), _)
                | (Operator::MeanPool(window, _), _) => Some(rect.read_by(window, x)),
                (_, Back::Point | Back::Channels(_) | Back::Sum { .. }) => Some(rect.clone()),
                (_, Back::Same | Back::Parts) if (x.height, x.width) == (y.height, y.width) => {
                    Some(rect.clone())
                }
                _ => Some(x.whole()),
            }
        };
        for of in step.reads().filter(|&of| !known[of].exact) {
            let Some(read) = read(of) else { continue };
            rects[of] = Some(rects[of].as_ref().map_or(read.clone(), |rect| rect.with(&read)));
        }
        let each = match &step.operation {
            Operator::Dense(affine) => affine.weights.len(),
            Operator::Convolution(affine, _) => rect.area().saturating_mul(affine.weights.len()),
            _ => rect.area().saturating_mul(prepared.layouts[index + 1].channels),
        };
        products = products.saturating_add(each as u64);
    }
    (rects, products)
}

/// At least what each functional of a value costs: |Σ coefficient · (what is off at the number)|, what a
/// runtime rounds where it holds the value left out.
pub fn costs<E: Element>(
    prepared: &Prepared<E>,
    known: &[Known<E>],
    rects: Vec<Option<Rect>>,
    value: usize,
    functionals: &[Functional],
) -> Vec<f64> {
    let layout = &prepared.layouts[value];
    let Some(rect) = rects[value].clone() else { return vec![f64::INFINITY; functionals.len()] };
    let size = rect.area() * layout.channels;
    let mut numbers = vec![E::zero(); size * functionals.len()];
    for (functional, numbers) in functionals.iter().zip(numbers.chunks_mut(size)) {
        for &(plain, coefficient) in functional {
            let (row, column, channel) = layout.position(plain);
            let pixel = (row - rect.rows.start) * rect.columns.len() + column - rect.columns.start;
            numbers[pixel * layout.channels + channel] += E::of(coefficient);
        }
    }
    let mut patches: Vec<Option<Patch<E>>> = (0..=value).map(|_| None).collect();
    patches[value] = Some(Patch { rect, numbers });
    let costs = vec![0.0; functionals.len()];
    let mut walk = Walk { prepared, known, rects, patches, costs };
    for at in (0..=value).rev() {
        if let Some(patch) = walk.patches[at].take() {
            walk.charge(at, &patch, &known[at].charge);
            if at > 0 {
                walk.back(at - 1, patch);
            }
        }
    }
    // Every charge was added once; none of the sums has more terms than this.
    walk.costs.into_iter().map(|cost| up(cost, 1 << 20)).collect()
}

impl<E: Element> Walk<'_, E> {
    /// Adds Σ |cotangent| · charge to what each functional costs.
    pub fn charge(&mut self, value: usize, patch: &Patch<E>, charge: &[E]) {
        if charge.is_empty() {
            return;
        }
        let layout = &self.prepared.layouts[value];
        let size = (patch.rect.area() * layout.channels).max(1);
        let run = patch.rect.columns.len() * layout.channels;
        // Products, lanes, and the lanes together.
        let spare = 1.0 + 2.0 * gamma(run / LANES + LANES + 4, E::FORMAT.bits());
        let costs = &mut self.costs;
        vectorised(
            #[inline(always)]
            || {
                for (cost, numbers) in costs.iter_mut().zip(patch.numbers.chunks(size)) {
                    patch.rect.runs(
                        layout,
                        #[inline(always)]
                        |start, range| {
                            let charge = &charge[start..start + range.len()];
                            *cost += charged(&numbers[range], charge) * spare;
                        },
                    );
                }
            },
        );
    }

    /// The patch of a value that is read, filled with zeros if nothing has come to it yet.
    pub fn patch(&mut self, value: usize) -> Option<&mut Patch<E>> {
        let rect = self.rects[value].as_ref()?;
        let (channels, count) = (self.prepared.layouts[value].channels, self.costs.len());
        Some(self.patches[value].get_or_insert_with(|| Patch {
            rect: rect.clone(),
            numbers: vec![E::zero(); rect.area() * channels * count],
        }))
    }

    /// Adds a patch to that of a value that is read: the same pixels, fewer of them.
    pub fn add(&mut self, value: usize, patch: Patch<E>) {
        let Some(rect) = self.rects[value].clone() else { return };
        if self.patches[value].is_none() && rect == patch.rect {
            self.patches[value] = Some(patch);
            return;
        }
        let channels = self.prepared.layouts[value].channels;
        let size = patch.rect.area() * channels;
        let Some(into) = self.patch(value) else { return };
        let (whole, run) = (rect.area() * channels, patch.rect.columns.len() * channels);
        let pairs = into.numbers.chunks_mut(whole.max(1)).zip(patch.numbers.chunks(size.max(1)));
        for (into, from) in pairs {
            for (index, row) in patch.rect.rows.clone().enumerate() {
                let pixel = (row - rect.rows.start) * rect.columns.len();
                let start = (pixel + patch.rect.columns.start - rect.columns.start) * channels;
                let from = &from[index * run..(index + 1) * run];
                into[start..start + run].iter_mut().zip(from).for_each(|(x, &y)| *x += y);
            }
        }
    }

    /// Takes a patch of what a step makes back to what it reads.
    fn back(&mut self, index: usize, patch: Patch<E>) {
        let prepared = self.prepared;
        let step = &prepared.network.steps[index];
        let on = step.on;
        match (&prepared.backs[index], &step.operation) {
            (Back::Cut, _) => {}
            (Back::Matrix(matrix), Operator::Convolution(affine, window)) => {
                self.windows(on, &patch, matrix, affine.outputs, window);
            }
            (Back::Matrix(matrix), _) => self.matrix(on, &patch, matrix),
            (Back::Channels(factors), _) => {
                let mut patch = patch;
                for pixel in patch.numbers.chunks_mut(factors.len().max(1)) {
                    pixel.iter_mut().zip(factors).for_each(|(x, &by)| *x *= by);
                }
                self.add(on, patch);
            }
            (Back::Spread { to, times }, _) => self.spread(on, index + 1, &patch, to, times),
            (Back::Mean(shares), operation) => {
                let window = match operation {
                    Operator::MeanPool(window, _) => *window,
                    _ => SlidingWindow::whole(
                        prepared.layouts[on].height,
                        prepared.layouts[on].width,
                    ),
                };
                self.means(on, index + 1, &patch, shares, &window);
            }
            (Back::Sum { minus }, Operator::Sum { other, .. }) => {
                let other = *other;
                if self.rects[other].is_some() {
                    let numbers = match minus {
                        true => patch.numbers.iter().map(|&x| -x).collect(),
                        false => patch.numbers.clone(),
                    };
                    self.add(other, Patch { rect: patch.rect.clone(), numbers });
                }
                self.add(on, patch);
            }
            (Back::Parts, Operator::Concatenate(others)) => {
                let values: Vec<usize> = [on].iter().chain(others).copied().collect();
                self.parts(&values, index + 1, &patch);
            }
            (Back::Point, Operator::MaxPool(_)) => {
                let known = &self.known[index + 1];
                self.spread(on, index + 1, &patch, &known.winners, &[]);
            }
            (Back::Point, _) => {
                let known = self.known;
                let mut patch = patch;
                let layout = &prepared.layouts[index + 1];
                let size = (patch.rect.area() * layout.channels).max(1);
                for numbers in patch.numbers.chunks_mut(size) {
                    patch.rect.runs(layout, |start, range| {
                        let slopes = &known[index + 1].slopes[start..start + range.len()];
                        numbers[range].iter_mut().zip(slopes).for_each(|(x, &by)| *x *= by);
                    });
                }
                self.add(on, patch);
            }
            _ => self.same(on, prepared.layouts[index + 1], patch),
        }
    }
}

/// Σ |x| · y in lanes.
#[inline(always)]
fn charged<E: Element>(x: &[E], y: &[E]) -> f64 {
    let mut lanes = [E::zero(); LANES];
    let (runs, rest) = (x.chunks_exact(LANES), x.chunks_exact(LANES).remainder());
    for (x, y) in runs.zip(y.chunks_exact(LANES)) {
        for ((lane, x), &y) in lanes.iter_mut().zip(x).zip(y) {
            *lane += x.abs() * y;
        }
    }
    let tail = &y[y.len() - rest.len()..];
    let mut sum: f64 = rest.iter().zip(tail).map(|(x, y)| Element::to_f64(x.abs() * *y)).sum();
    sum += lanes.iter().map(|&lane| Element::to_f64(lane)).sum::<f64>();
    sum
}
