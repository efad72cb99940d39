//! Layout of values in memory: channels side by side.
//!
//! An array of shape c × (the other sides) is held place by place, the c numbers of a place together; that
//! of one side as it is. Windows then meet whole rows of channels, which are copied and reduced as vectors.

use shatter_exact::Element;
use shatter_matrix::transpose::transpose;
use shatter_network::graph::count;

/// Channels, and places: the first side, and all others; a vector is one place.
pub fn sides(shape: &[usize]) -> (usize, usize) {
    match shape {
        [channels, others @ ..] if !others.is_empty() => (*channels, count(others)),
        _ => (count(shape), 1),
    }
}

/// Position of number `k` of the graph's order.
pub fn position(shape: &[usize], k: usize) -> usize {
    let (channels, places) = sides(shape);
    k % places * channels + k / places
}

/// Number, in the graph's order, that lies at a position.
pub fn number(shape: &[usize], position: usize) -> usize {
    let (channels, places) = sides(shape);
    position % channels * places + position / channels
}

/// Values in the graph's order as they are held.
pub fn held<E: Element>(x: Vec<E>, shape: &[usize]) -> Vec<E> {
    transposed(x, sides(shape))
}

/// Values in the graph's order, from what is held.
pub fn canonical<E: Element>(x: Vec<E>, shape: &[usize]) -> Vec<E> {
    let (channels, places) = sides(shape);
    transposed(x, (places, channels))
}

/// The transposes of matrices that follow one another.
fn transposed<E: Element>(x: Vec<E>, (rows, columns): (usize, usize)) -> Vec<E> {
    if rows <= 1 || columns <= 1 {
        return x;
    }
    let mut y = vec![E::zero(); x.len()];
    let matrices = x.chunks_exact(rows * columns).zip(y.chunks_exact_mut(rows * columns));
    matrices.for_each(|(from, to)| transpose(from, to, columns));
    y
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_is_found_where_it_lies() {
        let shapes: [&[usize]; 7] =
            [&[], &[1], &[7], &[3, 5], &[1, 4, 4], &[20, 1, 1], &[18, 3, 17]];
        for shape in shapes {
            let d = count(shape);
            let x: Vec<f64> = (0..2 * d).map(|k| k as f64).collect();
            let lies = held(x.clone(), shape);
            for k in 0..d {
                assert_eq!(number(shape, position(shape, k)), k);
                for point in [0, d] {
                    assert_eq!(lies[point + position(shape, k)], x[point + k], "{shape:?}");
                }
            }
            assert_eq!(canonical(lies, shape), x);
        }
    }
}
