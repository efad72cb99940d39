//! Stochastic gradient descent with momentum and weight decay.

use rayon::prelude::*;

use shatter_exact::Element;

/// Numbers that one task takes.
const BLOCK: usize = 1 << 15;

/// Factors of an update.
#[derive(Clone, Copy)]
pub struct Rule<E> {
    pub momentum: E,
    pub decay: E,
    pub rate: E,
}

impl<E: Element> Rule<E> {
    /// v = momentum · v + (g + decay · w); w = w − rate · v, on the calling thread.
    pub fn apply(self, weight: &mut [E], gradient: &[E], velocity: &mut [E]) {
        for ((w, &g), v) in weight.iter_mut().zip(gradient).zip(velocity) {
            *v = self.momentum * *v + (g + self.decay * *w);
            *w -= self.rate * *v;
        }
    }
}

/// The update of a whole array: reads three numbers for each and writes two.
pub fn update<E: Element>(rule: Rule<E>, weight: &mut [E], gradient: &[E], velocity: &mut [E]) {
    let blocks = weight.par_chunks_mut(BLOCK).zip(gradient.par_chunks(BLOCK));
    blocks
        .zip(velocity.par_chunks_mut(BLOCK))
        .for_each(|((weight, gradient), velocity)| rule.apply(weight, gradient, velocity));
}
