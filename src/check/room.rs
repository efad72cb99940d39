//! How much memory a file may ask for: what is stored is taken before it is stored.

use super::Rejection;

/// Bits of memory that numbers may take, and have taken.
#[derive(Debug)]
pub struct Room {
    taken: u64,
    limit: u64,
}

/// Bits of memory of an integer of `bits` bits: three words and a copy in 128 bits, and for more
/// than two words an allocation with its slack.
fn held(bits: u64) -> u64 {
    if bits <= 128 { 320 } else { bits.saturating_add(bits / 8).saturating_add(640) }
}

impl Room {
    /// Room for `limit` bits.
    pub fn new(limit: u64) -> Room {
        Room { taken: 0, limit }
    }

    /// Takes the memory of `numbers` integers of `bits` bits each.
    ///
    /// # Errors
    /// [`Rejection::TooMuchSpace`] if there is not so much left.
    pub fn take(&mut self, bits: u64, numbers: u64) -> Result<(), Rejection> {
        self.taken = self.with(bits, numbers)?;
        Ok(())
    }

    /// Sees that the memory is there, for numbers that soon go away.
    ///
    /// # Errors
    /// [`Rejection::TooMuchSpace`] if there is not so much left.
    pub fn lend(&self, bits: u64, numbers: u64) -> Result<(), Rejection> {
        self.with(bits, numbers).map(|_| ())
    }

    fn with(&self, bits: u64, numbers: u64) -> Result<u64, Rejection> {
        let taken = self.taken.saturating_add(held(bits).saturating_mul(numbers));
        if taken > self.limit {
            return Err(Rejection::TooMuchSpace { limit: self.limit });
        }
        Ok(taken)
    }
}
