//! Rank correlation of a measure with the gap, over a set of runs.
//!
//! **Statement.** Of n runs with a measure x_i and a gap y_i, a pair {i, j} is concordant if x and y order it in
//! the same way, discordant if they order it in opposite ways, and otherwise tied in x, in y or in both. With C
//! and D the numbers of concordant and discordant pairs, N = n(n − 1)/2, and T_x and T_y those tied in x and in y
//! (both counted twice)
//!
//! ```text
//! τ_b = (C − D)/√((N − T_x)(N − T_y)),
//! ```
//!
//! from −1 to 1; undefined where all pairs are tied in x or all in y. It does not change under increasing
//! functions of x or of y.
//!
//! **Source.** Kendall, 1945; as a test of measures Jiang et al., ICLR 2020. **Value.** Counts are exact; τ_b is
//! rounded to nearest. Of the interval see below: an *estimate*.
//!
//! **Method.** Knight's, 1966: sort by x and then y; D is the number of inversions that a merge sort of y removes,
//! where pairs tied in x are in order by y; ties are runs of equal keys; C = N − D − T_x − T_y + T_xy.
//!
//! **Interval.** Percentiles of τ_b over resampled sets of n runs, drawn with replacement
//! ([`Purpose::Bootstrap`]). A resampled set has the same run several times, tied with itself. Those sets for
//! which τ_b is undefined are left out and counted. Runs that differ in settings are no sample of anything; the
//! interval then says how much τ_b depends on a few of them.
//!
//! **Cost.** n log n operations, for each of the resampled sets.

use rand::Rng;
use serde::Serialize;

use shatter_random::stream::{Purpose, below, stream};

use crate::{Assumption, Finding, MeasureError};

/// Most runs.
pub const MOST_RUNS: usize = 1 << 24;

/// Numbers of pairs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Pairs {
    /// N.
    pub all: u64,
    /// C.
    pub concordant: u64,
    /// D.
    pub discordant: u64,
    /// T_x.
    pub tied_x: u64,
    /// T_y.
    pub tied_y: u64,
    /// Pairs tied in both, counted in `tied_x` and in `tied_y` too.
    pub tied_both: u64,
}

/// Which sets are resampled, and the interval that they make.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bootstrap {
    /// Seed of the resampled sets.
    pub seed: u64,
    /// Their number; 0 for no interval.
    pub draws: u32,
    /// Share of them that the interval contains, between 0 and 1.
    pub level: f64,
}

impl Default for Bootstrap {
    /// 1000 draws, 95 %.
    fn default() -> Bootstrap {
        Bootstrap { seed: 0, draws: 1000, level: 0.95 }
    }
}

/// τ_b, and its interval.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Kendall {
    /// τ_b; `None` where it is undefined.
    pub tau: Option<f64>,
    /// The interval; `None` without draws for which τ_b is defined.
    pub interval: Option<(f64, f64)>,
    /// Runs that were compared.
    pub runs: usize,
    /// Runs that were left out because the measure or the gap is NaN.
    pub left_out: usize,
    /// Their pairs.
    pub pairs: Pairs,
    /// Resampled sets.
    pub draws: u32,
    /// Resampled sets for which τ_b is undefined.
    pub undefined: u32,
}

/// Pairs of equal numbers among runs of equal items: Σ t(t − 1)/2.
fn tied<T>(sorted: &[T], same: impl FnMut(&T, &T) -> bool) -> u64 {
    sorted.chunk_by(same).map(|run| pairs_of(run.len())).sum()
}

fn pairs_of(n: usize) -> u64 {
    let n = n as u64;
    n * n.saturating_sub(1) / 2
}

/// Sorts by merging, and returns the number of inversions: pairs whose first is above the second.
fn inversions(numbers: &mut [u32], spare: &mut [u32]) -> u64 {
    let half = numbers.len() / 2;
    if half == 0 {
        return 0;
    }
    let (low, high) = numbers.split_at_mut(half);
    let (spare_low, spare_high) = spare.split_at_mut(half);
    let mut count = inversions(low, spare_low) + inversions(high, spare_high);
    let (mut i, mut j) = (0, 0);
    for place in spare.iter_mut() {
        if j == high.len() || (i < low.len() && low[i] <= high[j]) {
            *place = low[i];
            i += 1;
        } else {
            *place = high[j];
            j += 1;
            count += (low.len() - i) as u64;
        }
    }
    numbers.copy_from_slice(spare);
    count
}

impl Pairs {
    /// Sorts ranks (x, y), and counts their pairs.
    fn of_ranks(ranks: &mut [(u32, u32)]) -> Pairs {
        ranks.sort_unstable();
        let all = pairs_of(ranks.len());
        let tied_x = tied(ranks, |a, b| a.0 == b.0);
        let tied_both = tied(ranks, |a, b| a == b);
        let mut y: Vec<u32> = ranks.iter().map(|rank| rank.1).collect();
        let mut spare = vec![0; y.len()];
        let discordant = inversions(&mut y, &mut spare);
        let tied_y = tied(&y, |a, b| a == b);
        let concordant = all + tied_both - tied_x - tied_y - discordant;
        Pairs { all, concordant, discordant, tied_x, tied_y, tied_both }
    }

    /// τ_b; `None` where it is undefined.
    ///
    /// ```
    /// use shatter_measure::kendall::Pairs;
    /// let pairs = Pairs { all: 6, concordant: 4, discordant: 2, ..Pairs::default() };
    /// assert_eq!(pairs.tau(), Some(1.0 / 3.0));
    /// assert_eq!(Pairs { all: 6, tied_x: 6, ..Pairs::default() }.tau(), None);
    /// ```
    #[must_use]
    pub fn tau(&self) -> Option<f64> {
        let (by_x, by_y) = (self.all - self.tied_x, self.all - self.tied_y);
        if by_x == 0 || by_y == 0 {
            return None;
        }
        let difference = self.concordant as f64 - self.discordant as f64;
        // The root of a rounded square is the number itself, so that perfect order is exactly 1.
        let scale = (by_x as f64 * by_y as f64).sqrt();
        Some((difference / scale).clamp(-1.0, 1.0))
    }
}

/// Ranks: equal numbers have the same one.
fn ranks(numbers: &[f64]) -> Vec<u32> {
    let mut order: Vec<usize> = (0..numbers.len()).collect();
    order.sort_by(|&a, &b| numbers[a].total_cmp(&numbers[b]));
    let mut ranks = vec![0; numbers.len()];
    // total_cmp puts −0 before 0, which are equal and stand side by side.
    let groups = order.chunk_by(|&a, &b| numbers[a] == numbers[b]);
    for (rank, group) in (0..).zip(groups) {
        group.iter().for_each(|&index| ranks[index] = rank);
    }
    ranks
}

/// Resamples as many runs, with replacement.
fn resampled(ranks: &[(u32, u32)], rng: &mut impl Rng) -> Vec<(u32, u32)> {
    let one = |_| ranks[below(rng, ranks.len() as u64) as usize];
    (0..ranks.len()).map(one).collect()
}

/// The interval that contains a share of `level` of the numbers: from the (k + 1)-th smallest to the (k + 1)-th
/// largest of m, k = ⌊m(1 − level)/2⌋.
fn percentiles(mut taus: Vec<f64>, level: f64) -> Option<(f64, f64)> {
    taus.sort_by(f64::total_cmp);
    let last = taus.len().checked_sub(1)?;
    let outside = (taus.len() as f64 * (1.0 - level) / 2.0) as usize;
    let outside = outside.min(last / 2);
    Some((taus[outside], taus[last - outside]))
}

impl Kendall {
    /// Compares a measure with the gap: number i of each is that of run i.
    ///
    /// ```
    /// use shatter_measure::kendall::{Bootstrap, Kendall};
    /// let found = Kendall::of(&[1.0, 2.0, 3.0, f64::NAN], &[0.1, 0.3, 0.2, 0.5], &Bootstrap::default())?;
    /// assert_eq!((found.tau, found.runs, found.left_out), (Some(1.0 / 3.0), 3, 1));
    /// # Ok::<(), shatter_measure::MeasureError>(())
    /// ```
    ///
    /// # Errors
    /// [`MeasureError::Length`] for numbers of different runs, [`MeasureError::TooLarge`] beyond [`MOST_RUNS`],
    /// [`MeasureError::Parameter`] for a level that is not between 0 and 1.
    pub fn of(
        measure: &[f64],
        gap: &[f64],
        bootstrap: &Bootstrap,
    ) -> Result<Kendall, MeasureError> {
        let Bootstrap { seed, draws, level } = *bootstrap;
        if measure.len() != gap.len() {
            let (found, expected) = (gap.len(), measure.len());
            return Err(MeasureError::Length { what: "gaps of runs", found, expected });
        }
        if measure.len() > MOST_RUNS {
            let (have, limit) = (measure.len() as u64, MOST_RUNS as u64);
            return Err(MeasureError::TooLarge { what: "runs", have, limit });
        }
        if !(level > 0.0 && level < 1.0) {
            let (what, expected) = ("the level of the interval", "a number between 0 and 1");
            return Err(MeasureError::Parameter { what, value: level, expected });
        }
        let both = measure.iter().zip(gap).filter(|(x, y)| !x.is_nan() && !y.is_nan());
        let (x, y): (Vec<f64>, Vec<f64>) = both.unzip();
        let mut together: Vec<(u32, u32)> = ranks(&x).into_iter().zip(ranks(&y)).collect();
        // This sorts them: neither τ_b nor the interval depends on the order of the runs.
        let pairs = Pairs::of_ranks(&mut together);
        let mut rng = stream(seed, Purpose::Bootstrap);
        let mut taus = Vec::with_capacity(draws as usize);
        if !together.is_empty() {
            let mut draw = || Pairs::of_ranks(&mut resampled(&together, &mut rng)).tau();
            taus.extend((0..draws).filter_map(|_| draw()));
        }
        Ok(Kendall {
            tau: pairs.tau(),
            undefined: draws - taus.len() as u32,
            interval: percentiles(taus, level),
            runs: x.len(),
            left_out: measure.len() - x.len(),
            pairs,
            draws,
        })
    }

    /// τ_b as a finding; refused where it is undefined.
    #[must_use]
    pub fn finding(&self, name: impl Into<String>) -> Finding {
        match self.tau {
            Some(tau) => Finding::estimate(name, tau, Vec::new()),
            None => {
                let what = "some runs differ in the measure, and some in the gap";
                let reason = format!("all pairs of {} runs are tied", self.runs);
                Finding::refused(name, vec![Assumption::fails(what, reason)])
            }
        }
    }
}
