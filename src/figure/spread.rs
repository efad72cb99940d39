//! What several seeds show together at each x: mean, smallest and largest.
//!
//! A run is a polygonal line through its points and counts at an x between its first point and its
//! last. At every x of any run the spread is over the runs that count there, so where a run ends
//! before the others (it has fitted, or it was stopped) the mean continues over those that remain,
//! and may jump. A run ends before its first value that is not finite: from there it has diverged.
//! For k runs with m points together: O(k m + m log m) operations.

/// The curve of one seed: (x, y), x strictly increasing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SeedRun {
    /// (x, y); a y that is not finite says that training diverged there.
    pub points: Vec<(f64, f64)>,
}

impl SeedRun {
    /// The points before the first y that is not finite.
    pub(super) fn finite(&self) -> &[(f64, f64)] {
        let end = self.points.iter().position(|point| !point.1.is_finite());
        &self.points[..end.unwrap_or(self.points.len())]
    }

    /// Whether it has such a y.
    pub(super) fn diverged(&self) -> bool {
        self.finite().len() < self.points.len()
    }
}

/// The runs at one x.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Spread {
    pub x: f64,
    pub mean: f64,
    pub low: f64,
    pub high: f64,
    /// How many runs count here, at least 1.
    pub runs: usize,
}

/// The spread at every x of any run, x increasing.
pub(super) fn spread(runs: &[SeedRun]) -> Vec<Spread> {
    let lines: Vec<&[(f64, f64)]> = runs.iter().map(SeedRun::finite).collect();
    let mut xs: Vec<f64> = lines.iter().copied().flatten().map(|point| point.0).collect();
    xs.sort_by(f64::total_cmp);
    xs.dedup();
    let mut next = vec![0; lines.len()];
    xs.into_iter().map(|x| at(&lines, &mut next, x)).collect()
}

/// `next[k]` is the first point of line k that is not to the left of the x asked for before.
fn at(lines: &[&[(f64, f64)]], next: &mut [usize], x: f64) -> Spread {
    let values = lines.iter().zip(next).filter_map(|(line, next)| {
        while line.get(*next).is_some_and(|point| point.0 < x) {
            *next += 1;
        }
        let &right = line.get(*next)?;
        if right.0 == x {
            return Some(right.1);
        }
        Some(between(line[next.checked_sub(1)?], right, x))
    });
    let values: Vec<f64> = values.collect();
    let (low, high) = values
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), y| (low.min(*y), high.max(*y)));
    // Divided first, so that the sum of huge values is finite; rounding stays within the values.
    let mean: f64 = values.iter().map(|y| y / values.len() as f64).sum();
    Spread { x, mean: mean.max(low).min(high), low, high, runs: values.len() }
}

/// On the line from `left` to `right`; halves, so that no difference overflows.
fn between(left: (f64, f64), right: (f64, f64), x: f64) -> f64 {
    let share = (x / 2.0 - left.0 / 2.0) / (right.0 / 2.0 - left.0 / 2.0);
    left.1 * (1.0 - share) + right.1 * share
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(points: &[(f64, f64)]) -> SeedRun {
        SeedRun { points: points.to_vec() }
    }

    #[test]
    fn one_run_is_its_own_mean() {
        let points = [(0.0, 2.0), (1.0, 1.0), (5.0, 0.1)];
        for (s, point) in spread(&[run(&points)]).iter().zip(points) {
            assert_eq!(
                (s.x, s.mean, s.low, s.high, s.runs),
                (point.0, point.1, point.1, point.1, 1)
            );
        }
    }

    #[test]
    fn runs_of_other_steps_and_lengths_meet() {
        let all = [run(&[(0.0, 0.0), (2.0, 4.0)]), run(&[(0.0, 2.0), (1.0, 4.0), (3.0, 8.0)])];
        let seen: Vec<_> =
            spread(&all).iter().map(|s| (s.x, s.low, s.mean, s.high, s.runs)).collect();
        let expected = [
            (0.0, 0.0, 1.0, 2.0, 2),
            (1.0, 2.0, 3.0, 4.0, 2),
            (2.0, 4.0, 5.0, 6.0, 2),
            (3.0, 8.0, 8.0, 8.0, 1),
        ];
        assert_eq!(seen, expected);
    }

    #[test]
    fn a_run_ends_where_it_diverges() {
        let lost = run(&[(0.0, 1.0), (1.0, f64::NAN), (2.0, 1.0)]);
        assert!(lost.diverged());
        let seen = spread(&[lost, run(&[(0.0, 3.0), (2.0, 3.0)])]);
        assert_eq!(seen.iter().map(|s| (s.mean, s.runs)).collect::<Vec<_>>(), [(2.0, 2), (3.0, 1)]);
        assert!(spread(&[run(&[(0.0, f64::INFINITY)]), run(&[])]).is_empty());
    }

    #[test]
    fn huge_and_equal_values_stay_within_the_band() {
        for y in [f64::MAX, -f64::MAX, 0.1, 5e-324] {
            let all = vec![run(&[(-f64::MAX, y), (0.0, y), (f64::MAX, y)]); 3];
            let seen = spread(&all);
            assert_eq!(seen.len(), 3);
            assert!(seen.iter().all(|s| (s.low, s.mean, s.high) == (y, y, y)), "{seen:?}");
        }
        assert!(between((-f64::MAX, -f64::MAX), (f64::MAX, f64::MAX), 1.0).is_finite());
    }
}
