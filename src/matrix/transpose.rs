//! The transpose of a matrix.

/// Rows of the result that are written side by side: a line of the cache holds as many numbers.
const BLOCK: usize = 16;

/// Writes the transpose of a matrix of contiguous rows of length `columns`, by blocks that fit into the cache.
///
/// # Panics
/// If `to` is shorter than `from`, or `columns` is 0 and there are numbers: a defect of the caller.
pub fn transpose<E: Copy>(from: &[E], to: &mut [E], columns: usize) {
    let rows = from.len() / columns.max(1);
    for first in (0..columns).step_by(BLOCK) {
        let here = first..(first + BLOCK).min(columns);
        for (row, numbers) in from.chunks_exact(columns).enumerate() {
            for column in here.clone() {
                to[column * rows + row] = numbers[column];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_become_columns() {
        for (rows, columns) in [(1, 1), (1, 40), (3, 5), (17, 16), (16, 33), (40, 2)] {
            let from: Vec<usize> = (0..rows * columns).collect();
            let mut to = vec![0; from.len()];
            transpose(&from, &mut to, columns);
            for (at, &x) in to.iter().enumerate() {
                assert_eq!(x, at % rows * columns + at / rows, "{rows} × {columns}");
            }
        }
    }
}
