//! Too few bits.
//!
//! **Statement.** A family of at most 2^B functions realises at most 2^B labellings of n points. If
//! C^n > 2^B, that is B < n log2 C, some labelling by C classes is realised by none of them.
//!
//! **Source.** Counting.
//!
//! **For networks.** [`Sizes::bits`](shatter_network::Sizes) adds numerator, denominator and sign bits
//! of the stored numbers. The networks that are wired alike and whose numbers are, place by place, no
//! longer than these are at most 2^bits. So a construction that fits all C^n labellings with one wiring
//! and numbers of fixed lengths stores at least [`least_bits`] bits. (Wirings and lengths that vary
//! with the labels carry information themselves, which `Sizes` does not count.)
//!
//! **Checked.** C^n against 2^B, in integers. **Cost.** One power of n log2 C bits.

use std::fmt;

use serde::Serialize;

use shatter_exact::{IBig, bit_length};

use super::error::{as_stated, more_than};
use super::{Impossibility, ObstructError};

/// Most bits of C^n.
pub const MOST_BITS: u64 = 1 << 26;

/// The smallest B with C^n <= 2^B: n log2 C, rounded up.
///
/// ```
/// use shatter_obstruct::bits::least_bits;
/// assert_eq!(least_bits(3, 10)?, 10); // 10^3 <= 2^10
/// assert_eq!(least_bits(60_000, 10)?, 199_316);
/// assert_eq!(least_bits(5, 1)?, 0);
/// # Ok::<(), shatter_obstruct::ObstructError>(())
/// ```
///
/// # Errors
/// [`ObstructError::Empty`] without classes, [`ObstructError::TooLarge`] beyond [`MOST_BITS`].
pub fn least_bits(n: u64, classes: u64) -> Result<u64, ObstructError> {
    if classes == 0 {
        return Err(ObstructError::Empty("classes"));
    }
    let have = n.saturating_mul(bit_length(&IBig::from(classes)));
    if have > MOST_BITS {
        return Err(ObstructError::TooLarge { what: "bits of C^n", have, limit: MOST_BITS });
    }
    Ok(bit_length(&(IBig::from(classes).pow(n as usize) - IBig::ONE)))
}

/// No family of 2^B functions realises all labellings of n points by C classes.
///
/// ```
/// use shatter_obstruct::{BitBound, Impossibility};
/// assert!(BitBound::new(3, 10, 9)?.check().is_ok());
/// assert!(BitBound::new(3, 10, 10).is_err());
/// # Ok::<(), shatter_obstruct::ObstructError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BitBound {
    /// n.
    pub n: u64,
    /// C.
    pub classes: u64,
    /// B.
    pub bits: u64,
    /// n log2 C, rounded up.
    pub least: u64,
}

impl BitBound {
    /// The certificate.
    ///
    /// # Errors
    /// [`ObstructError::NotExcluded`] if C^n <= 2^B, and as [`least_bits`].
    pub fn new(n: u64, classes: u64, bits: u64) -> Result<BitBound, ObstructError> {
        let certificate = BitBound { n, classes, bits, least: least_bits(n, classes)? };
        certificate.check()?;
        Ok(certificate)
    }
}

impl Impossibility for BitBound {
    fn check(&self) -> Result<(), ObstructError> {
        let least = least_bits(self.n, self.classes)?;
        as_stated("the least number of bits", &self.least, &least)?;
        more_than("bits of information in a labelling", &least, &self.bits)
    }
}

impl fmt::Display for BitBound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "no family of 2^{} networks fits all {}^{} labellings of {} points by {} classes: that \
             takes {} bits",
            self.bits, self.classes, self.n, self.n, self.classes, self.least
        )
    }
}
