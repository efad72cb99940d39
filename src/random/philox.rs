//! Philox4x32-10, a counter-based generator (Salmon, Moraes, Dror and Shaw, *Parallel random
//! numbers: as easy as 1, 2, 3*, SC 2011): 128 random bits as a pure function of a 128-bit counter
//! and a 64-bit key.
//!
//! There is no state to carry: what is drawn for one weight, image or epoch is addressed directly,
//! in any order and on any device. Dropout and augmentation draw from it; everything that is drawn
//! once, in order, draws from [`super::stream`].
//!
//! One of the ten rounds takes (c₀, c₁, c₂, c₃) and the key (k₀, k₁) to
//! (hi(M₁c₂) ⊕ c₁ ⊕ k₀, lo(M₁c₂), hi(M₀c₀) ⊕ c₃ ⊕ k₁, lo(M₀c₀)), hi and lo being the halves of
//! the 64-bit product; between rounds W₀ and W₁ are added to the halves of the key. The cost is 20
//! multiplications of 32-bit words.

const MULTIPLIERS: [u32; 2] = [0xD251_1F53, 0xCD9E_8D57];
/// The golden ratio and √3 − 1, as 32-bit fractions.
const WEYL: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];
const ROUNDS: usize = 10;

/// Purpose of drawn numbers: the last word of the counter, so that different uses of one seed
/// never meet. The numbers are part of the format of checkpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Domain {
    /// Crop, flip and angle of an image in an epoch.
    Augmentation = 1,
    /// Units that dropout sets to zero.
    Dropout = 2,
}

/// The four random words that `key` assigns to `counter`.
///
/// ```
/// use shatter_random::philox::philox;
/// // The first known answer of Random123, the authors' library.
/// assert_eq!(philox([0; 4], [0; 2]), [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]);
/// ```
#[must_use]
pub fn philox(counter: [u32; 4], key: [u32; 2]) -> [u32; 4] {
    let (mut c, mut k) = (counter, key);
    for _ in 0..ROUNDS {
        let [p0, p1] = [0, 1].map(|i| u64::from(MULTIPLIERS[i]) * u64::from(c[2 * i]));
        c = [
            (p1 >> 32) as u32 ^ c[1] ^ k[0],
            p1 as u32,
            (p0 >> 32) as u32 ^ c[3] ^ k[1],
            p0 as u32,
        ];
        k = [0, 1].map(|i| k[i].wrapping_add(WEYL[i]));
    }
    c
}

/// The key of a seed: its low half, then its high half.
///
/// ```
/// assert_eq!(shatter_random::philox::key(5 << 32 | 7), [7, 5]);
/// ```
#[must_use]
pub fn key(seed: u64) -> [u32; 2] {
    [seed as u32, (seed >> 32) as u32]
}

/// The word as a number of [0, 1), exactly: word / 2^32.
///
/// ```
/// use shatter_random::philox::uniform;
/// assert_eq!((uniform(0), uniform(1 << 31)), (0.0, 0.5));
/// assert!(uniform(u32::MAX) < 1.0);
/// ```
#[must_use]
pub fn uniform(word: u32) -> f64 {
    f64::from(word) / 4_294_967_296.0
}

#[cfg(test)]
mod tests {
    use super::{key, philox};

    /// `kat_vectors` of Random123, lines `philox4x32 10`.
    #[test]
    fn known_answers() {
        assert_eq!(philox([0; 4], [0; 2]), [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]);
        let ones = u32::MAX;
        assert_eq!(philox([ones; 4], [ones; 2]), [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd]);
        // The digits of pi.
        let counter = [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344];
        let answer = [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1];
        assert_eq!(philox(counter, [0xa4093822, 0x299f31d0]), answer);
    }

    #[test]
    fn halves_of_a_seed() {
        assert_eq!(key(0x0123_4567_89ab_cdef), [0x89ab_cdef, 0x0123_4567]);
    }
}
