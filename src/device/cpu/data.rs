//! The samples of a batch: which, and their images.

use rayon::prelude::*;

use crate::plan::Augmentation;
use shatter_exact::Element;
use shatter_sample::Shape;

use super::slab::SlabMut;
use shatter_matrix::transpose::transpose;

/// chosen[r] = order[position + r]; beyond the order, an index that no sample has.
pub fn select(order: Option<&[u32]>, chosen: &mut [u32], position: u32) {
    for (chosen, at) in chosen.iter_mut().zip(u64::from(position)..) {
        let index = u32::try_from(at).unwrap_or(u32::MAX);
        *chosen = order.map_or(index, |order| *order.get(index as usize).unwrap_or(&u32::MAX));
    }
}

/// Parameters of the draws of an augmentation.
pub struct Drawn<'a, E> {
    pub augmentation: Augmentation,
    pub whiten: bool,
    pub seed: u64,
    pub epoch: u32,
    /// Room for a source and a result in canonical order, for each row.
    pub scratch: &'a mut [E],
}

/// output[r] = images[chosen[r]]; not a number where there is no such image, so that the loss
/// shows it. `shape` is that of an image.
pub fn gather<E: Element>(
    images: &[E],
    shape: Shape,
    chosen: &[u32],
    output: SlabMut<E>,
    drawn: Option<Drawn<E>>,
) {
    let (stride, first, seen) = (output.stride, output.first, output.shape);
    let targets = output.data.par_chunks_mut(seen.area() * stride).zip(chosen);
    let source = |index: u32| images.chunks_exact(shape.len()).nth(index as usize);
    let none = |target: &mut [E]| {
        for place in target.chunks_exact_mut(stride) {
            place[first..][..seen.channels].fill(E::nan());
        }
    };
    let Some(Drawn { augmentation, whiten, seed, epoch, scratch }) = drawn else {
        return targets.for_each(|(target, &index)| match source(index) {
            None => none(target),
            Some(source) if stride == seen.channels => target.copy_from_slice(source),
            Some(source) => {
                let places = target.chunks_exact_mut(stride);
                for (place, source) in places.zip(source.chunks_exact(seen.channels)) {
                    place[first..][..seen.channels].copy_from_slice(source);
                }
            }
        });
    };
    let image_shape =
        |shape: Shape| Shape { channels: shape.channels, height: shape.height, width: shape.width };
    let room = (shape.height - seen.height, shape.width - seen.width);
    let scratch = scratch.par_chunks_exact_mut(shape.len() + seen.len());
    targets.zip(scratch).for_each(|((target, &index), scratch)| {
        let Some(source) = source(index) else { return none(target) };
        let (canonical, result) = scratch.split_at_mut(shape.len());
        transpose(source, canonical, shape.channels);
        let draw = augmentation.draw(seed, epoch, index, room);
        draw.apply(canonical, image_shape(shape), result, image_shape(seen), whiten);
        for (position, place) in target.chunks_exact_mut(stride).enumerate() {
            let values = result[position..].iter().step_by(seen.area());
            let place = &mut place[first..][..seen.channels];
            place.iter_mut().zip(values).for_each(|(entry, value)| *entry = *value);
        }
    });
}
