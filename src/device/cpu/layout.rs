//! From the canonical order to the order in memory and back.
//!
//! Images and activations are samples × channels × positions outside and samples × positions ×
//! channels inside; kernels of convolutions out × in × positions outside and positions × in × out
//! inside. Everything else is the same on both sides.

use rayon::prelude::*;

use crate::ArrayKind;
use shatter_matrix::transpose::transpose;

/// Takes an array from one order to the other; `inwards`: from canonical order.
pub fn reorder<E: Copy + Send + Sync>(kind: ArrayKind, from: &[E], to: &mut [E], inwards: bool) {
    match kind {
        ArrayKind::Activation(shape) | ArrayKind::Images { shape, .. }
            if shape.area() > 1 && shape.channels > 1 =>
        {
            let columns = if inwards { shape.area() } else { shape.channels };
            let samples = from.par_chunks_exact(shape.len());
            let samples = samples.zip(to.par_chunks_exact_mut(shape.len()));
            samples.for_each(|(from, to)| transpose(from, to, columns));
        }
        ArrayKind::Kernel { outputs, inputs, size } => {
            let area = size * size;
            for at in 0..from.len() {
                // `at` is canonical: (output · inputs + input) · area + position.
                let (output, input, position) = (at / area / inputs, at / area % inputs, at % area);
                let inside = (position * inputs + input) * outputs + output;
                if inwards { to[inside] = from[at] } else { to[at] = from[inside] }
            }
        }
        _ => to.copy_from_slice(from),
    }
}
