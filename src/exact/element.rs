//! The two types of numbers that are computed with at speed.

use super::Format;

mod sealed {
    pub trait Sealed {}
}

/// A floating-point number, `f32` or `f64` and no other.
pub trait Element:
    sealed::Sealed
    + num_traits::Float
    + num_traits::NumAssign
    + std::fmt::Debug
    + Default
    + Send
    + Sync
    + 'static
{
    /// Name of the type in records: `f32`, `f64`.
    const NAME: &'static str;

    /// The format.
    const FORMAT: Format;

    /// The nearest number of this type.
    fn of(value: f64) -> Self;

    /// The nearest number of this type.
    fn of_integer(value: i64) -> Self;

    /// Converts the number to binary64, exactly.
    fn to_f64(self) -> f64;
}

macro_rules! element {
    ($type:ident, $format:ident) => {
        impl sealed::Sealed for $type {}

        impl Element for $type {
            const NAME: &'static str = stringify!($type);
            const FORMAT: Format = Format::$format;

            fn of(value: f64) -> Self {
                value as $type
            }

            fn of_integer(value: i64) -> Self {
                value as $type
            }

            fn to_f64(self) -> f64 {
                f64::from(self)
            }
        }
    };
}

element!(f32, F32);
element!(f64, F64);
