//! Operations that take each number by itself, or only move it. They read and write every number
//! once: 2 numbers of traffic each, 3 where a gradient is added to.

use rayon::prelude::*;

use shatter_exact::Element;

use super::slab::{Slab, SlabMut};
use shatter_matrix::transpose::transpose;

/// Numbers that one task takes.
const BLOCK: usize = 1 << 14;

/// Hands runs of `output`, and the same runs of `input`, to `act`, with the position at which they
/// begin: several whole positions where both views see all channels, and one otherwise.
pub fn each<E: Element>(
    input: Slab<E>,
    output: SlabMut<E>,
    act: impl Fn(usize, &[E], &mut [E]) + Sync,
) {
    let (channels, first) = (output.shape.channels, output.first);
    let all = input.stride == channels && output.stride == channels;
    let block = (BLOCK / channels).max(1);
    let targets = output.data.par_chunks_mut(block * output.stride);
    let sources = input.data.par_chunks(block * input.stride);
    targets.zip(sources).enumerate().for_each(|(index, (target, source))| {
        let position = index * block;
        if all {
            return act(position, source, target);
        }
        let targets = target.chunks_exact_mut(output.stride);
        let sources = source.chunks_exact(input.stride);
        for (index, (target, source)) in targets.zip(sources).enumerate() {
            let source = &source[input.first..][..channels];
            act(position + index, source, &mut target[first..][..channels]);
        }
    });
}

/// Adds `value` to a gradient, or replaces the gradient by it.
pub fn put<E: Element>(accumulate: bool, target: &mut E, value: E) {
    if accumulate {
        *target += value;
    } else {
        *target = value;
    }
}

pub fn relu<E: Element>(input: Slab<E>, output: SlabMut<E>) {
    each(input, output, |_, source, target| {
        for (target, &source) in target.iter_mut().zip(source) {
            *target = positive(source);
        }
    });
}

/// max(x, 0); NaN stays NaN, so that the loss shows it.
pub fn positive<E: Element>(x: E) -> E {
    if x < E::zero() { E::zero() } else { x }
}

pub fn relu_gradient<E: Element>(output: Slab<E>, gradient: SlabMut<E>) {
    each(output, gradient, |_, output, gradient| {
        for (gradient, &output) in gradient.iter_mut().zip(output) {
            *gradient = if output <= E::zero() { E::zero() } else { *gradient };
        }
    });
}

/// Adds or copies.
pub fn pass<E: Element>(input: Slab<E>, output: SlabMut<E>, accumulate: bool) {
    each(input, output, |_, source, target| {
        if accumulate {
            target.iter_mut().zip(source).for_each(|(target, &source)| *target += source);
        } else {
            target.copy_from_slice(source);
        }
    });
}

/// Images as vectors, channel by channel.
pub fn flatten<E: Element>(input: Slab<E>, output: SlabMut<E>) {
    let (area, len) = (input.shape.area(), output.shape.channels);
    let targets = output.data.par_chunks_mut(output.stride);
    targets.zip(input.data.par_chunks(area * input.stride)).for_each(|(target, source)| {
        let target = &mut target[output.first..][..len];
        if input.stride == input.shape.channels {
            return transpose(source, target, input.stride);
        }
        for (channel, plane) in target.chunks_exact_mut(area).enumerate() {
            let values = source[input.first + channel..].iter().step_by(input.stride);
            plane.iter_mut().zip(values).for_each(|(entry, value)| *entry = *value);
        }
    });
}

/// Vectors as images.
pub fn flatten_gradient<E: Element>(gradient: Slab<E>, input: SlabMut<E>, accumulate: bool) {
    let (area, channels) = (input.shape.area(), input.shape.channels);
    let targets = input.data.par_chunks_mut(area * input.stride);
    targets.zip(gradient.data.par_chunks(gradient.stride)).for_each(|(target, source)| {
        let source = &source[gradient.first..][..area * channels];
        for (position, place) in target.chunks_exact_mut(input.stride).enumerate() {
            let place = &mut place[input.first..][..channels];
            for (target, &value) in place.iter_mut().zip(source[position..].iter().step_by(area)) {
                put(accumulate, target, value);
            }
        }
    });
}
