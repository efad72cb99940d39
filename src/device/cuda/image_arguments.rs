//! Arguments of kernels of images: the structures of `kernels/{image.h,windows.h,pool.cu,
//! response.cu,normalization.cu,augment.cu,convolution.cu}`, field by field.

use super::arguments::{Array, View};

/// Division of numbers below 2^31 by a number that is known, as a multiplication and a shift.
///
/// With l = ⌈log₂ d⌉ and factor = ⌊2^(31+l)/d⌋ + 1, the excess of factor · d over 2^(31+l) is at
/// most d ≤ 2^l, so ⌊n · factor / 2^(31+l)⌋ = ⌊n/d⌋ for all n < 2^31 (Granlund & Montgomery, PLDI
/// 1994, theorem 4.2).
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct Divisor {
    pub by: u32,
    pub factor: u32,
    pub shift: u32,
    pub unused: u32,
}

impl Divisor {
    /// Division by `by`, from 1 to 2^30.
    pub fn new(by: u32) -> Divisor {
        let shift = 31 + by.max(1).next_power_of_two().trailing_zeros();
        // Below 2^32, since d > 2^(l−1) and, but for powers of two, 2^(31+l)/d is no whole number.
        let factor = ((1_u64 << shift) / u64::from(by.max(1)) + 1) as u32;
        Divisor { by, factor, shift, unused: 0 }
    }
}

/// Sides of images: numbers of a sample, of a plane and of a row.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct Sides {
    pub len: Divisor,
    pub plane: Divisor,
    pub width: Divisor,
}

#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct Pool {
    pub input: View,
    pub output: View,
    pub places: Array,
    pub positive: View,
    pub sides: Sides,
    pub count: u32,
    pub height: u32,
    pub width: u32,
    pub down: u32,
    pub across: u32,
    pub size: u32,
    pub stride: u32,
    pub padding: u32,
    pub share: f32,
    pub maximum: u32,
    pub accumulate: u32,
    pub channels: u32,
    pub strides: Divisor,
}

#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct Response {
    pub input: View,
    pub output: View,
    pub input_gradient: View,
    pub sums: Array,
    pub len: Divisor,
    pub plane: Divisor,
    pub count: u32,
    pub channels: u32,
    pub before: u32,
    pub after: u32,
    pub weight: f32,
    pub k: f32,
    pub beta: f32,
    pub factor: f32,
    pub three_quarters: u32,
    pub accumulate: u32,
    pub unused: [u32; 2],
}

#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct Normalization {
    pub input: View,
    pub output: View,
    pub output_gradient: View,
    pub input_gradient: View,
    pub scale: Array,
    pub shift: Array,
    pub mean: Array,
    pub inverse: Array,
    pub running_mean: Array,
    pub running_variance: Array,
    pub scale_gradient: Array,
    pub shift_gradient: Array,
    pub partial: Array,
    pub plane: Divisor,
    pub rows: u32,
    pub channels: u32,
    pub parts: u32,
    pub chunks: u32,
    pub training: u32,
    pub relu: u32,
    pub accumulate: u32,
    pub unused: u32,
}

#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct Augment {
    pub control: u64,
    pub images: Array,
    pub samples: u64,
    pub chosen: Array,
    pub output: View,
    pub down: u32,
    pub across: u32,
    pub height: u32,
    pub width: u32,
    pub plane: Divisor,
    pub wide: Divisor,
    pub len: u32,
    pub crop: u32,
    pub flip: u32,
    pub whiten: u32,
    pub rotation: f64,
}

/// Windows of a convolution or a pool.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct Windows {
    pub images: View,
    pub places: Divisor,
    pub across: Divisor,
    pub taps: Divisor,
    pub wide: Divisor,
    pub height: u32,
    pub width: u32,
    pub step: u32,
    pub direction: u32,
    pub top: u32,
    pub left: u32,
}

#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct Convolution {
    pub windows: Windows,
    pub gradient: View,
    pub weight: Array,
    pub target: View,
    pub bias: Array,
    pub sums: Array,
    pub partial: Array,
    pub m: u32,
    pub n: u32,
    pub k: u32,
    pub splits: u32,
    pub split_len: u32,
    pub relu: u32,
    pub accumulate: u32,
    pub weight_out: u32,
    pub weight_in: u32,
    pub weight_first: u32,
    pub weight_down: u32,
    pub weight_right: u32,
    pub plane: u32,
    pub width: u32,
    pub step: u32,
    pub top: u32,
    pub left: u32,
    pub contiguous: u32,
}

// The sizes that the static assertions of the kernels name.
const _: () = {
    assert!(size_of::<Divisor>() == 16 && size_of::<Pool>() == 200);
    assert!(size_of::<Response>() == 168 && size_of::<Normalization>() == 288);
    assert!(size_of::<Augment>() == 144 && size_of::<Windows>() == 112);
    assert!(size_of::<Convolution>() == 296);
};

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Divisor;

    fn quotient(n: u32, divisor: Divisor) -> u32 {
        ((u64::from(n) * u64::from(divisor.factor)) >> divisor.shift) as u32
    }

    #[test]
    fn small_numbers_and_those_beside_multiples() {
        let most = i32::MAX as u32;
        for by in (1..3000).chain((0..=30).map(|bit| 1 << bit)).chain([(1 << 30) - 1]) {
            let divisor = Divisor::new(by);
            let last = most / by * by;
            for n in [0, 1, by - 1, by, by + 1, last - 1, last, most] {
                assert_eq!(quotient(n, divisor), n / by, "{n} / {by}");
            }
        }
    }

    proptest! {
        #[test]
        fn quotients_are_exact(n in 0..=i32::MAX as u32, by in 1_u32..=1 << 30) {
            prop_assert_eq!(quotient(n, Divisor::new(by)), n / by);
        }
    }
}
