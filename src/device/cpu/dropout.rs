//! Dropout, forwards and backwards: both draw the same words of Philox, so no mask is kept. A
//! number costs a quarter of a call of Philox where its neighbours in memory follow one another in
//! canonical order (vectors), and a whole call in images.

use shatter_exact::Element;
use shatter_network::architecture::Shape;
use shatter_random::philox::{Domain, key, philox, uniform};

use super::elementwise::{each, put};
use super::slab::{Slab, SlabMut};

/// The draw that decides which numbers are dropped.
#[derive(Clone, Copy)]
pub struct Mask {
    pub rate: f64,
    pub layer: u32,
    pub step: u32,
    pub seed: u64,
}

/// output (+)= input / (1 − rate) where it is kept, and 0 elsewhere.
pub fn dropout<E: Element>(input: Slab<E>, output: SlabMut<E>, mask: Mask, accumulate: bool) {
    let Shape { channels, .. } = input.shape;
    let area = input.shape.area();
    let kept = E::of(1.0 - mask.rate);
    let key = key(mask.seed);
    each(input, output, |first, source, target| {
        let (mut drawn, mut words) = (None, [0; 4]);
        let numbers = target.iter_mut().zip(source).enumerate();
        for (at, (target, &source)) in numbers {
            let (position, channel) = (first + at / channels, at % channels);
            let place = ((position / area) * channels + channel) * area + position % area;
            let block = place / 4;
            if drawn != Some(block) {
                words = philox([block as u32, mask.layer, mask.step, Domain::Dropout as u32], key);
                drawn = Some(block);
            }
            let dropped = uniform(words[place % 4]) < mask.rate;
            put(accumulate, target, if dropped { E::zero() } else { source / kept });
        }
    });
}
