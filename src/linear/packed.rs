//! The lower triangle of a symmetric matrix, packed in tiles.
//!
//! Symbols: n rows; block b; block column k has the columns k b to min((k + 1) b, n), and the
//! rows from k b on; tile (i, j), j <= i, is where block row i and block column j meet. A block
//! column is one row-major matrix of n − k b contiguous rows, so that its tiles, which are row-major
//! too, follow one another, and a product takes as many of them at once as it likes.
//!
//! Memory: n²/2 entries and half a tile for each block, at most n (n + b)/2 in all. n = 60,000 takes 14.5 GB in
//! binary64. Entries above the diagonal exist inside the tiles on it; nothing here reads them, and the
//! factorisation sets them to 0.

use std::ops::Range;

use rayon::prelude::*;
use shatter_exact::Element;

/// Rows and columns of a tile, but for the last ones.
pub const BLOCK: usize = 256;

/// Memory that could not be allocated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot allocate {bytes} bytes for half of a symmetric {n} × {n} matrix")]
pub struct OutOfMemory {
    /// Rows of the matrix.
    pub n: usize,
    /// Bytes that were asked for.
    pub bytes: u64,
}

/// The lower triangle of a symmetric n × n matrix (or a lower triangular matrix), in tiles.
///
/// ```
/// use shatter_linear::packed::Packed;
/// let mut a = Packed::<f64>::with_block(5, 2)?;
/// a.fill(|i, j| (10 * i + j) as f64);
/// assert_eq!(a.at(4, 3), 43.0);
/// assert_eq!(a.blocks(), 3);
/// // Block column 1 has the columns 2 and 3, and the rows 2 to 4.
/// assert_eq!(a.column(1), [22.0, 23.0, 32.0, 33.0, 42.0, 43.0]);
/// # Ok::<(), shatter_linear::packed::OutOfMemory>(())
/// ```
#[derive(Clone, PartialEq)]
pub struct Packed<E> {
    n: usize,
    block: usize,
    entries: Vec<E>,
}

/// Size alone: there are too many entries to print.
impl<E> std::fmt::Debug for Packed<E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Packed").field("n", &self.n).field("block", &self.block).finish()
    }
}

/// A tile to be written.
#[derive(Debug)]
pub struct Tile<'a, E> {
    /// Rows of the matrix that it covers.
    pub rows: Range<usize>,
    /// Columns of the matrix that it covers: they begin where the rows do, or before.
    pub columns: Range<usize>,
    /// Its entries, row-major: `rows.len()` times `columns.len()`.
    pub entries: &'a mut [E],
}

/// Entries of a packed matrix of n rows; `None` beyond 2^64.
fn entries(n: usize, block: usize) -> Option<u64> {
    let (n, block) = (n as u128, block as u128);
    let (whole, rest) = (n / block, n % block);
    // Whole block columns k = 0, 1, …: n − k b rows of b entries; then a square.
    let rows = whole * n - block * (whole * whole.saturating_sub(1) / 2);
    u64::try_from(rows * block + rest * rest).ok()
}

impl<E: Element> Packed<E> {
    /// A matrix of zeros, in tiles of [`BLOCK`] rows.
    ///
    /// # Errors
    /// [`OutOfMemory`].
    pub fn zeros(n: usize) -> Result<Packed<E>, OutOfMemory> {
        Packed::with_block(n, BLOCK)
    }

    /// A matrix of zeros, in tiles of `block` rows.
    ///
    /// # Errors
    /// [`OutOfMemory`].
    ///
    /// # Panics
    /// If `block` is 0: a defect of the caller.
    pub fn with_block(n: usize, block: usize) -> Result<Packed<E>, OutOfMemory> {
        assert!(block > 0, "a block of no rows");
        let bytes = || entries(n, block).and_then(|count| count.checked_mul(size_of::<E>() as u64));
        let refused = || OutOfMemory { n, bytes: bytes().unwrap_or(u64::MAX) };
        let count = entries(n, block).and_then(|count| usize::try_from(count).ok());
        let count = count.ok_or_else(refused)?;
        let mut zeros = Vec::new();
        zeros.try_reserve_exact(count).map_err(|_| refused())?;
        // On all threads: the first touch of new memory is what takes the time.
        zeros.par_extend(rayon::iter::repeat_n(E::zero(), count));
        Ok(Packed { n, block, entries: zeros })
    }

    /// Bytes of a matrix of n rows in tiles of [`BLOCK`] rows (2^64 − 1 for more).
    #[must_use]
    pub fn bytes(n: usize) -> u64 {
        entries(n, BLOCK).map_or(u64::MAX, |count| count.saturating_mul(size_of::<E>() as u64))
    }

    /// Sets entry (i, j) to `entry(i, j)` on all threads, for all j <= i and above the diagonal in the tiles on it.
    pub fn fill(&mut self, entry: impl Fn(usize, usize) -> E + Sync) {
        self.fill_from(0, entry);
    }

    /// [`fill`](Packed::fill) of the block columns from k on alone.
    pub fn fill_from(&mut self, k: usize, entry: impl Fn(usize, usize) -> E + Sync) {
        self.tiles_from_mut(k).for_each(|tile| {
            let rows = tile.entries.chunks_exact_mut(tile.columns.len());
            for (i, row) in tile.rows.zip(rows) {
                for (j, place) in tile.columns.clone().zip(row) {
                    *place = entry(i, j);
                }
            }
        });
    }
}

impl<E> Packed<E> {
    /// Rows.
    #[must_use]
    pub fn n(&self) -> usize {
        self.n
    }

    /// Rows and columns of a tile, but for the last ones.
    #[must_use]
    pub fn block(&self) -> usize {
        self.block
    }

    /// Number of block columns.
    #[must_use]
    pub fn blocks(&self) -> usize {
        self.n.div_ceil(self.block)
    }

    /// Columns of block column k.
    #[must_use]
    pub fn columns(&self, k: usize) -> Range<usize> {
        let end = |blocks: usize| blocks.saturating_mul(self.block).min(self.n);
        end(k)..end(k.saturating_add(1))
    }

    /// Where block column k begins among the entries.
    fn start(&self, k: usize) -> usize {
        let k = k.min(self.blocks());
        // All block columns before it have b columns, unless k is the number of all.
        let end = k * self.block;
        if end > self.n {
            return self.entries.len();
        }
        self.block * (k * self.n - self.block * (k * k.saturating_sub(1) / 2))
    }

    /// Block column k: row-major, the rows from the first of [`columns`](Packed::columns) to n, each of as many entries
    /// as it has columns.
    #[must_use]
    pub fn column(&self, k: usize) -> &[E] {
        &self.entries[self.start(k)..self.start(k + 1)]
    }

    /// Block column k to be written.
    pub fn column_mut(&mut self, k: usize) -> &mut [E] {
        let range = self.start(k)..self.start(k + 1);
        &mut self.entries[range]
    }

    /// The block columns before k, to be read through [`Done::column`], and block column k to be written.
    pub(crate) fn split(&mut self, k: usize) -> (Done<'_, E>, &mut [E]) {
        let (start, end) = (self.start(k), self.start(k + 1));
        let (n, block) = (self.n, self.block);
        let (before, here) = self.entries.split_at_mut(start);
        (Done { n, block, entries: before }, &mut here[..end - start])
    }
}

impl<E: Copy> Packed<E> {
    /// Entry (i, j) of the lower triangle, j <= i (or of the tile on the diagonal).
    ///
    /// # Panics
    /// If there is no such entry: a defect of the caller.
    #[must_use]
    pub fn at(&self, i: usize, j: usize) -> E {
        let columns = self.columns(j / self.block);
        assert!(i < self.n && j < self.n && i >= columns.start, "entry ({i}, {j}) is not stored");
        self.column(j / self.block)[(i - columns.start) * columns.len() + j - columns.start]
    }
}

impl<E: Send> Packed<E> {
    /// All tiles, to be written on all threads.
    ///
    /// ```
    /// use rayon::prelude::*;
    /// use shatter_linear::packed::Packed;
    /// let mut a = Packed::<f32>::with_block(3, 2)?;
    /// a.tiles_mut().for_each(|tile| tile.entries.fill(tile.rows.end as f32));
    /// assert_eq!((a.at(1, 0), a.at(2, 0), a.at(2, 2)), (2.0, 3.0, 3.0));
    /// # Ok::<(), shatter_linear::packed::OutOfMemory>(())
    /// ```
    pub fn tiles_mut(&mut self) -> impl IndexedParallelIterator<Item = Tile<'_, E>> {
        self.tiles_from_mut(0)
    }

    /// The tiles of the block columns from k on, to be written on all threads.
    pub fn tiles_from_mut(&mut self, k: usize) -> impl IndexedParallelIterator<Item = Tile<'_, E>> {
        let (n, block, blocks) = (self.n, self.block, self.blocks());
        let ends: Vec<_> = (k..blocks).map(|k| (self.columns(k), self.start(k + 1))).collect();
        let mut at = self.start(k);
        let mut rest = &mut self.entries[at..];
        let mut tiles = Vec::new();
        for (columns, end) in ends {
            let (column, later) = std::mem::take(&mut rest).split_at_mut(end - at);
            (rest, at) = (later, end);
            let parts = column.chunks_mut(block * columns.len());
            tiles.extend(parts.enumerate().map(|(part, entries)| {
                let first = columns.start + part * block;
                Tile { rows: first..(first + block).min(n), columns: columns.clone(), entries }
            }));
        }
        tiles.into_par_iter()
    }
}

/// Block columns that are done.
#[derive(Clone, Copy)]
pub(crate) struct Done<'a, E> {
    n: usize,
    block: usize,
    entries: &'a [E],
}

impl<'a, E> Done<'a, E> {
    /// The rows of block column k from `row` on, and its columns.
    pub(crate) fn below(&self, k: usize, row: usize) -> (&'a [E], usize) {
        let first = k * self.block;
        let width = self.block.min(self.n - first);
        let start = self.block * (k * self.n - self.block * (k * k.saturating_sub(1) / 2));
        let end = start + (self.n - first) * width;
        (&self.entries[start + (row - first) * width..end], width)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_has_its_place() {
        for (n, block) in
            [(0, 3), (1, 1), (1, 3), (2, 3), (3, 3), (4, 3), (9, 3), (10, 3), (11, 4), (7, 1)]
        {
            let mut a = Packed::<f64>::with_block(n, block).unwrap();
            assert_eq!(a.entries.len() as u64, entries(n, block).unwrap());
            assert!(a.entries.len() <= n * (n + block) / 2, "{n} in blocks of {block}");
            a.fill(|i, j| (100 * i + j) as f64);
            for i in 0..n {
                assert!(
                    (0..=i).all(|j| a.at(i, j) == (100 * i + j) as f64),
                    "{n}, {block}, row {i}"
                );
            }
            let count: usize = (0..a.blocks()).map(|k| a.column(k).len()).sum();
            assert_eq!(count, a.entries.len());
            assert!(a.column(a.blocks()).is_empty());
        }
    }

    #[test]
    fn sixty_thousand_rows_take_less_than_sixteen_gigabytes() {
        assert!(Packed::<f64>::bytes(60_000) < 14_600_000_000);
        assert!(Packed::<f32>::bytes(60_000) < 7_300_000_000);
    }

    #[test]
    fn what_memory_does_not_hold_is_refused() {
        let refused = Packed::<f64>::zeros(1 << 33).unwrap_err();
        assert_eq!(refused, OutOfMemory { n: 1 << 33, bytes: u64::MAX });
        let refused = Packed::<f64>::zeros(1 << 28).unwrap_err();
        assert!(refused.to_string().contains("268435456 × 268435456"), "{refused}");
    }
}
