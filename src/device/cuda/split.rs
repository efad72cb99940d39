//! Splits a product along the direction that it sums over, where its result has too few tiles
//! for a large device. It depends on the shape alone, so results do not depend on the device or on
//! how many replicas there are.

/// Side of a tile, and numbers of a step along k: those of `kernels/product.cu`.
pub const TILE: usize = 64;
const STEP: usize = 16;
/// Blocks that one replica should have at least: as many as the largest devices have multiprocessors.
const BLOCKS: usize = 132;
/// Numbers that a part sums at least, so that its sums cost less to write than to compute.
const LEAST: usize = 128;

/// The parts of a product, and numbers of each along k.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Split {
    pub parts: usize,
    pub len: usize,
}

/// Returns the parts of an m × n product over k.
pub fn split(m: usize, n: usize, k: usize) -> Split {
    let tiles = m.div_ceil(TILE).saturating_mul(n.div_ceil(TILE));
    in_parts(BLOCKS.div_ceil(tiles.max(1)), k)
}

/// Splits k into `parts` parts, or fewer if these were too short.
pub fn in_parts(parts: usize, k: usize) -> Split {
    let most = parts.min(k / LEAST).max(1);
    let len = k.div_ceil(most).checked_next_multiple_of(STEP).unwrap_or(usize::MAX).max(STEP);
    Split { parts: k.div_ceil(len).max(1), len }
}

/// Numbers that the parts leave: each a product and the sums of its rows; none if there is one part.
pub fn scratch(m: usize, n: usize, k: usize) -> usize {
    match split(m, n, k).parts {
        1 => 0,
        parts => m.saturating_mul(n).saturating_add(m).saturating_mul(parts),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_cover_k_and_are_not_short() {
        assert_eq!(split(128, 512, 3072), Split { parts: 9, len: 352 });
        assert_eq!(split(512, 3072, 128), Split { parts: 1, len: 128 });
        assert_eq!(split(1, 1, 1), Split { parts: 1, len: 16 });
        for k in 1..3000 {
            let Split { parts, len } = split(5, 7, k);
            assert!(len % STEP == 0 && parts * len >= k && (parts - 1) * len < k);
            assert!(parts == 1 || len >= LEAST);
        }
    }
}
