//! Vectors of dyadic rationals with one exponent in common: integers times
//! `2^exponent`. 128-bit integers carry them where a bound on the bits, taken
//! before the arithmetic starts, shows that nothing can overflow; big integers
//! carry the rest.

use dashu_int::IBig;

use super::{Dyadic, bit_length};

/// The numbers `values[i] · 2^exponent`.
#[derive(Clone, Debug)]
pub struct Lattice {
    /// The common exponent.
    pub exponent: i64,
    /// The integers.
    pub values: Integers,
}

/// Integers of one width.
#[derive(Clone, Debug)]
pub enum Integers {
    /// 128 bits are enough.
    Narrow(Vec<i128>),
    /// They are not.
    Wide(Vec<IBig>),
}

impl Lattice {
    /// The given numbers over the largest common exponent (0 if all of them are 0).
    ///
    /// ```
    /// use shatter_exact::{Dyadic, Lattice};
    /// let lattice = Lattice::from_dyadics(&[Dyadic::new(3, -2), Dyadic::from(5)]);
    /// assert_eq!(lattice.exponent, -2);
    /// assert_eq!(lattice.get(1), Dyadic::from(5));
    /// ```
    pub fn from_dyadics(numbers: &[Dyadic]) -> Lattice {
        let exponent = numbers.iter().filter_map(Dyadic::grain).min().unwrap_or(0);
        let top = numbers.iter().filter_map(Dyadic::log2_floor).max().unwrap_or(0);
        let values = if top - exponent < 126 {
            let narrow = |x: &Dyadic| i128::try_from(x.in_units_of(exponent)).unwrap_or(0);
            Integers::Narrow(numbers.iter().map(narrow).collect())
        } else {
            Integers::Wide(numbers.iter().map(|x| x.in_units_of(exponent)).collect())
        };
        Lattice { exponent, values }
    }

    /// Number of numbers.
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.values {
            Integers::Narrow(values) => values.len(),
            Integers::Wide(values) => values.len(),
        }
    }

    /// Returns whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The `i`-th number.
    ///
    /// # Panics
    /// If `i` is not below [`len`](Self::len).
    #[must_use]
    pub fn get(&self, i: usize) -> Dyadic {
        match &self.values {
            Integers::Narrow(values) => Dyadic::new(values[i], self.exponent),
            Integers::Wide(values) => Dyadic::new(values[i].clone(), self.exponent),
        }
    }

    /// Bits of the widest integer.
    pub fn bits(&self) -> u64 {
        match &self.values {
            Integers::Narrow(values) => {
                values.iter().map(|x| 128 - u64::from(x.unsigned_abs().leading_zeros())).max()
            }
            Integers::Wide(values) => values.iter().map(bit_length).max(),
        }
        .unwrap_or(0)
    }

    /// The same numbers in the order that `order` lists.
    ///
    /// # Panics
    /// If an entry of `order` is not below [`len`](Self::len).
    #[must_use]
    pub fn permuted(&self, order: &[u32]) -> Lattice {
        let values = match &self.values {
            Integers::Narrow(v) => Integers::Narrow(order.iter().map(|&i| v[i as usize]).collect()),
            Integers::Wide(v) => {
                Integers::Wide(order.iter().map(|&i| v[i as usize].clone()).collect())
            }
        };
        Lattice { exponent: self.exponent, values }
    }
}
