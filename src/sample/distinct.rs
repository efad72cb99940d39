//! From points as they were read to n *distinct* points with labels.
//!
//! Every theorem here speaks of distinct points. Equal points with equal labels are merged, and
//! counted; equal points with different labels are refused, because no function fits them.
//! Labels that are drawn anew are drawn for each distinct point, after merging.

use std::hash::{DefaultHasher, Hash, Hasher};

use rayon::prelude::*;

use super::{LabelRule, Labels, Points, RawSample, Recipe, SampleError, Values};

/// n distinct points with one label each.
#[derive(Clone, Debug)]
pub struct Sample {
    /// The SAMPLE text that draws or reads it.
    pub text: String,
    /// The distinct points, in the order in which they first appeared.
    pub points: Points,
    /// Their labels.
    pub labels: Labels,
    /// The recipe that gave the labels.
    pub recipe: Recipe,
    /// Points that were merged.
    pub merged: Merged,
    /// Number of labels that differ from the sample's own.
    pub changed: usize,
}

/// Equal points that were merged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Merged {
    /// For each point that was dropped: its index, and that of the equal point that was kept.
    pub dropped: Vec<(u32, u32)>,
    /// Number of those whose label differed from that of the point that was kept
    /// (possible only where labels are drawn anew).
    pub conflicts: usize,
}

impl RawSample {
    /// Merges equal points, then labels the distinct ones by `rule` (drawn with `seed`).
    ///
    /// # Errors
    /// [`SampleError::Inconsistent`] if equal points have different labels and the rule uses them;
    /// [`SampleError::Rule`] if the rule does not apply to labels of this kind.
    pub fn distinct(self, rule: LabelRule, seed: u64) -> Result<Sample, SampleError> {
        let recipe = Recipe::new(rule, &self.labels, seed)?;
        let mut merged = Merged { dropped: equal_points(&self.points), conflicts: 0 };
        for &(dropped, kept) in &merged.dropped {
            let (first, second) = (kept as usize, dropped as usize);
            if self.labels.agree(first, second) {
                continue;
            }
            if recipe.uses_own_labels() {
                return Err(SampleError::Inconsistent {
                    first,
                    second,
                    first_label: self.labels.describe(first),
                    second_label: self.labels.describe(second),
                });
            }
            merged.conflicts += 1;
        }
        let (points, own) = if merged.dropped.is_empty() {
            (self.points, self.labels)
        } else {
            let kept = remaining(self.points.n(), &merged.dropped);
            (self.points.select(&kept)?, self.labels.select(&kept))
        };
        let labels = recipe.apply(&own);
        let changed = (0..points.n()).filter(|&i| !own.agrees_with(&labels, i)).count();
        Ok(Sample { text: self.text, points, labels, recipe, merged, changed })
    }
}

/// Pairs (later, first) of equal points, ordered by the later one.
fn equal_points(points: &Points) -> Vec<(u32, u32)> {
    let mut keys: Vec<(u64, u32)> =
        (0..points.n() as u32).into_par_iter().map(|i| (row_hash(points, i), i)).collect();
    keys.par_sort_unstable();
    let mut pairs = Vec::new();
    // Within a run of equal hashes, indices increase; almost every run has length 1.
    for run in keys.chunk_by(|x, y| x.0 == y.0) {
        let mut firsts: Vec<u32> = Vec::new();
        for &(_, i) in run {
            match firsts.iter().find(|&&first| rows_equal(points, first, i)) {
                Some(&first) => pairs.push((i, first)),
                None => firsts.push(i),
            }
        }
    }
    pairs.sort_unstable();
    pairs
}

fn remaining(n: usize, dropped: &[(u32, u32)]) -> Vec<u32> {
    let mut gone = dropped.iter().map(|pair| pair.0).peekable();
    (0..n as u32).filter(|i| gone.next_if_eq(i).is_none()).collect()
}

fn row_hash(points: &Points, i: u32) -> u64 {
    let row = i as usize * points.d()..(i as usize + 1) * points.d();
    let mut hasher = DefaultHasher::new();
    match points.values() {
        Values::U8(v) => v[row].hash(&mut hasher),
        Values::I64(v) | Values::Scaled { values: v, .. } => v[row].hash(&mut hasher),
        // No minus zero and no NaN among points: equal numbers have equal bits.
        Values::F32(v) => v[row].iter().for_each(|x| x.to_bits().hash(&mut hasher)),
        Values::F64(v) => v[row].iter().for_each(|x| x.to_bits().hash(&mut hasher)),
    }
    hasher.finish()
}

fn rows_equal(points: &Points, i: u32, j: u32) -> bool {
    fn same<T: PartialEq>(v: &[T], i: usize, j: usize, d: usize) -> bool {
        v[i * d..(i + 1) * d] == v[j * d..(j + 1) * d]
    }
    let (i, j, d) = (i as usize, j as usize, points.d());
    match points.values() {
        Values::U8(v) => same(v, i, j, d),
        Values::I64(v) | Values::Scaled { values: v, .. } => same(v, i, j, d),
        Values::F32(v) => same(v, i, j, d),
        Values::F64(v) => same(v, i, j, d),
    }
}
