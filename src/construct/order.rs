//! Sorting projections, and finding ties among them.

use rayon::prelude::*;

use shatter_exact::Element;
use shatter_exact::{Integers, Lattice};
use shatter_network::evaluate::ascending;

/// Two points with equal projections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tie(pub u32, pub u32);

/// The order of exact projections, or a tie.
pub(crate) fn order_exact(z: &Lattice) -> Result<Vec<u32>, Tie> {
    let narrow = match &z.values {
        Integers::Narrow(values) => {
            let short = values.iter().map(|&x| i64::try_from(x).ok());
            short.enumerate().map(|(i, x)| Some((x?, i as u32))).collect::<Option<Vec<_>>>()
        }
        Integers::Wide(_) => None,
    };
    if let Some(mut pairs) = narrow {
        pairs.par_sort_unstable();
        return match pairs.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            Some(pair) => Err(Tie(pair[0].1, pair[1].1)),
            None => Ok(pairs.into_iter().map(|pair| pair.1).collect()),
        };
    }
    let order = ascending(z);
    let same = |i: u32, j: u32| match &z.values {
        Integers::Narrow(v) => v[i as usize] == v[j as usize],
        Integers::Wide(v) => v[i as usize] == v[j as usize],
    };
    match order.windows(2).find(|pair| same(pair[0], pair[1])) {
        Some(pair) => Err(Tie(pair[0], pair[1])),
        None => Ok(order),
    }
}

/// Points that a task sorts by itself rather than share.
const SMALL: usize = 1 << 14;
/// Buckets of the first pass: few enough that each has its own cache line.
const BUCKET_BITS: u32 = 11;
/// Bits of a quantized projection.
const KEY_BITS: u32 = 32;

/// The order of floating-point projections and the sorted values, or a tie. Values are finite.
///
/// 1. Each z becomes a 64-bit word: 32 bits of (z − min)/(max − min), which never decrease with z,
///    above the 32 bits of its index.
/// 2. Words are scattered into 2^11 buckets by their highest bits, and each bucket is sorted. A task
///    owns a range of buckets and passes over all words: nothing is shared, and the result does not
///    depend on the number of tasks.
/// 3. Runs of equal 32 bits are sorted by z itself. On spread-out data these are a few pairs; on
///    data with outliers they may be everything, and this is then the sort.
///
/// Moves 8 + 8 + 8 bytes a point in the first two steps, against 16 a level for sorting pairs.
pub fn order_float<F: Element>(z: &[F]) -> Result<(Vec<u32>, Vec<F>), Tie> {
    let mut words = quantized(z);
    if words.len() <= SMALL {
        words.sort_unstable();
    } else {
        words = sort_by_buckets(&words);
    }
    let mut order: Vec<u32> = words.par_iter().map(|&word| word as u32).collect();
    sort_equal_keys(&words, &mut order, z);
    drop(words);
    let values: Vec<F> = order.par_iter().map(|&i| z[i as usize]).collect();
    match first_pair(&values, |x, y| x == y) {
        Some(at) => Err(Tie(order[at].min(order[at + 1]), order[at].max(order[at + 1]))),
        None => Ok((order, values)),
    }
}

/// 32 bits that never decrease with z, then the index.
fn quantized<F: Element>(z: &[F]) -> Vec<u64> {
    // Comparisons rather than `f64::min`, which has NaN to think of and is slower.
    let wider = |x: (f64, f64), y: (f64, f64)| {
        (if y.0 < x.0 { y.0 } else { x.0 }, if y.1 > x.1 { y.1 } else { x.1 })
    };
    let widest = |z: &[F]| {
        z.iter().map(|&z| (z.to_f64(), z.to_f64())).fold((f64::INFINITY, f64::NEG_INFINITY), wider)
    };
    let (low, high) =
        z.par_chunks(SMALL).map(widest).reduce(|| (f64::INFINITY, f64::NEG_INFINITY), wider);
    // Halves, so that the range of finite numbers is finite. Each step (subtraction, product,
    // truncation) is monotone, rounding included; a cast saturates.
    let scale = (2f64.powi(KEY_BITS as i32) - 1.0) / (0.5 * high - 0.5 * low);
    let scale = if scale.is_finite() { scale } else { 0.0 };
    let word = |(i, z): (usize, &F)| {
        let key = (0.5 * (*z).to_f64() - 0.5 * low) * scale;
        u64::from(key as u32) << 32 | i as u64
    };
    z.par_iter().with_min_len(SMALL).enumerate().map(word).collect()
}

fn sort_by_buckets(words: &[u64]) -> Vec<u64> {
    let bucket = |word: u64| (word >> (64 - BUCKET_BITS)) as usize;
    let counts = words
        .par_chunks(words.len().div_ceil(rayon::current_num_threads()))
        .map(|chunk| {
            let mut counts = vec![0usize; 1 << BUCKET_BITS];
            chunk.iter().for_each(|&word| counts[bucket(word)] += 1);
            counts
        })
        .reduce_with(|x, y| x.into_iter().zip(y).map(|(x, y)| x + y).collect())
        .unwrap_or_default();
    // Ranges of buckets of about equal size, one a task.
    let tasks_wanted = rayon::current_num_threads();
    let mut sorted = vec![0u64; words.len()];
    let mut tasks = Vec::new();
    let mut rest = sorted.as_mut_slice();
    let (mut last, mut before) = (0, 0);
    for task in 1..=tasks_wanted {
        let (first, start) = (last, before);
        while last < counts.len() && before < words.len() * task / tasks_wanted {
            before += counts[last];
            last += 1;
        }
        let (part, others) = rest.split_at_mut(before - start);
        tasks.push((first..last, part));
        rest = others;
    }
    tasks.into_par_iter().for_each(|(range, part)| {
        let mut starts: Vec<usize> = counts[range.clone()]
            .iter()
            .scan(0, |start, count| Some(std::mem::replace(start, *start + count)))
            .collect();
        for &word in words {
            if let Some(start) =
                bucket(word).checked_sub(range.start).and_then(|b| starts.get_mut(b))
            {
                part[*start] = word;
                *start += 1;
            }
        }
        let mut rest = part;
        for &count in &counts[range] {
            let (bucket, others) = rest.split_at_mut(count);
            bucket.sort_unstable();
            rest = others;
        }
    });
    sorted
}

/// Sorts the indices of each run of equal keys by z, then by index.
fn sort_equal_keys<F: Element>(words: &[u64], order: &mut [u32], z: &[F]) {
    let key = |word: u64| word >> 32;
    let equal = |x: &u64, y: &u64| key(*x) == key(*y);
    let starts: Vec<usize> = overlapping(words)
        .flat_map_iter(|(start, part)| {
            let pairs = part.windows(2).enumerate();
            pairs.filter(|(_, pair)| equal(&pair[0], &pair[1])).map(move |(at, _)| start + at)
        })
        .collect();
    let mut sorted_to = 0;
    for at in starts {
        if at < sorted_to {
            continue; // inside a run that has been sorted
        }
        let end = at + words[at..].iter().take_while(|word| equal(word, &words[at])).count();
        order[at..end].par_sort_unstable_by(|&i, &j| {
            let (x, y) = (z[i as usize].to_f64(), z[j as usize].to_f64());
            x.total_cmp(&y).then(i.cmp(&j))
        });
        sorted_to = end;
    }
}

/// Parts of a slice with their starts; each holds the first element of the next, too.
fn overlapping<T: Sync>(values: &[T]) -> impl ParallelIterator<Item = (usize, &[T])> {
    (0..values.len().div_ceil(SMALL)).into_par_iter().map(move |part| {
        let start = part * SMALL;
        (start, &values[start..values.len().min(start + SMALL + 1)])
    })
}

/// The first i for which `holds` of values i and i + 1. (Whole parts are searched: rayon's own
/// searches ask a shared flag for every element.)
fn first_pair<T: Sync>(values: &[T], holds: impl Fn(&T, &T) -> bool + Sync) -> Option<usize> {
    let parts = overlapping(values).map(|(start, part)| {
        part.windows(2).position(|pair| holds(&pair[0], &pair[1])).map(|at| start + at)
    });
    parts.flatten().min()
}

/// The first value of which `holds`.
pub(crate) fn first<T: Sync>(values: &[T], holds: impl Fn(&T) -> bool + Sync) -> Option<usize> {
    let parts = values.par_chunks(SMALL).enumerate();
    let found =
        parts.map(|(part, values)| values.iter().position(&holds).map(|at| part * SMALL + at));
    found.flatten().min()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Sorting as one would write it.
    fn naive(z: &[f64]) -> Vec<u32> {
        let mut order: Vec<u32> = (0..z.len() as u32).collect();
        order.sort_by(|&i, &j| z[i as usize].total_cmp(&z[j as usize]));
        order
    }

    fn agrees_with_naive(z: &[f64]) -> bool {
        let order = naive(z);
        let tie = order.windows(2).any(|pair| z[pair[0] as usize] == z[pair[1] as usize]);
        match order_float(z) {
            Ok((found, values)) => {
                !tie && found == order
                    && values.iter().zip(&order).all(|(v, &i)| *v == z[i as usize])
            }
            Err(Tie(i, j)) => tie && i != j && z[i as usize] == z[j as usize],
        }
    }

    /// Numbers of every magnitude, close neighbours and outliers, as points would have them.
    fn number() -> impl Strategy<Value = f64> {
        prop_oneof![
            -1.0..1.0,
            any::<f64>().prop_filter("finite", |x| x.is_finite()),
            (0u64..1000).prop_map(|k| f64::from_bits(1.0f64.to_bits() + k)),
        ]
        .prop_map(|x| x + 0.0)
    }

    proptest! {
        #[test]
        fn any_numbers_are_sorted(z in prop::collection::vec(number(), 1..200)) {
            prop_assert!(agrees_with_naive(&z));
        }
    }

    #[test]
    fn many_numbers_are_sorted() {
        use rand_distr::{Distribution, StandardNormal};
        use shatter_random::stream::{Purpose, stream};
        let mut rng = stream(0, Purpose::Probe);
        let mut z: Vec<f64> = (0..3 * SMALL).map(|_| StandardNormal.sample(&mut rng)).collect();
        assert!(agrees_with_naive(&z));
        z[17] = 1e300; // one outlier: all other keys are equal
        assert!(agrees_with_naive(&z));
        z[18] = z[19];
        assert!(agrees_with_naive(&z));
    }
}
