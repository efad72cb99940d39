//! Kinds of points.

use std::ops::RangeInclusive;

use proptest::collection::vec;
use proptest::prelude::*;

use shatter_sample::{Points, Values};

use super::position;

/// A kind of position of points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PointKind {
    /// Distinct, of every number type; small ranges make ties after projection.
    Distinct,
    /// No d + 1 of them on a hyperplane, decided exactly: small sets, since the strategy examines all
    /// sets of d points.
    GeneralPosition,
    /// On one line.
    Collinear,
    /// (t, t², …, t^d).
    MomentCurve,
    /// A few tight clusters far apart.
    Clustered,
    /// Neighbours that differ in the last bits of binary64.
    NearDuplicate,
}

/// Rows of all `most_d` coordinates, of which the first d count, and a number each.
#[derive(Clone, Debug)]
pub(super) struct Rows {
    d: usize,
    rows: Typed,
}

#[derive(Clone, Debug)]
enum Typed {
    U8(Vec<(Vec<u8>, f64)>),
    I64(Vec<(Vec<i64>, f64)>),
    F32(Vec<(Vec<f32>, f64)>),
    F64(Vec<(Vec<f64>, f64)>),
}

/// A finite binary64 number, awkward ones included: small integers, fractions, the neighbours of 1
/// and of 0, and both ends of the range.
pub fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        3 => (-8i32..=8).prop_map(f64::from),
        3 => -4.0..4.0,
        1 => (0u64..4).prop_map(|ulps| f64::from_bits(1.0f64.to_bits() + ulps)),
        1 => (0u64..4).prop_map(f64::from_bits),
        1 => prop::sample::select(&[1e308, -1e308, 1e-308][..]),
    ]
}

impl PointKind {
    /// All of them.
    pub const ALL: [PointKind; 6] = [
        PointKind::Distinct,
        PointKind::GeneralPosition,
        PointKind::Collinear,
        PointKind::MomentCurve,
        PointKind::Clustered,
        PointKind::NearDuplicate,
    ];

    /// Rows for points of this kind.
    pub(super) fn rows(
        self,
        label: BoxedStrategy<f64>,
        n: RangeInclusive<usize>,
        d: RangeInclusive<usize>,
    ) -> BoxedStrategy<Rows> {
        let most = *d.end();
        match self {
            PointKind::Distinct => {
                fn of<T: std::fmt::Debug + Clone + 'static>(
                    coordinate: impl Strategy<Value = T> + 'static,
                    rows: fn(Vec<(Vec<T>, f64)>) -> Typed,
                    (most, label, n): (usize, BoxedStrategy<f64>, RangeInclusive<usize>),
                ) -> BoxedStrategy<Typed> {
                    vec((vec(coordinate, most), label), n).prop_map(rows).boxed()
                }
                let shape = || (most, label.clone(), n.clone());
                let typed = prop_oneof![
                    of(-9i64..=9, Typed::I64, shape()),
                    of(any::<i64>(), Typed::I64, shape()),
                    of(any::<u8>(), Typed::U8, shape()),
                    of(number(), Typed::F64, shape()),
                    of(-4.0f32..4.0, Typed::F32, shape()),
                ];
                (d, typed).prop_map(|(d, rows)| Rows { d, rows }).boxed()
            }
            PointKind::GeneralPosition => {
                let row = (vec(-30i64..=30, most), label);
                // A few more than are asked for, since some are left out.
                let rows = vec(row, *n.start()..=n.end() + 2);
                (d, rows)
                    .prop_map(move |(d, rows)| Rows { d, rows: Typed::I64(general(rows, d, &n)) })
                    .boxed()
            }
            PointKind::Collinear => {
                let line = (vec(-9i64..=9, most), vec(-3i64..=3, most));
                let rows = vec((-60i64..=60, label), n);
                (d, line, rows)
                    .prop_map(|(d, (base, mut direction), rows)| {
                        if direction[..d].iter().all(|&x| x == 0) {
                            direction[0] = 1;
                        }
                        let at = |t: i64| base.iter().zip(&direction).map(move |(b, x)| b + t * x);
                        let rows = rows.into_iter().map(|(t, y)| (at(t).collect(), y));
                        Rows { d, rows: Typed::I64(rows.collect()) }
                    })
                    .boxed()
            }
            PointKind::MomentCurve => {
                let range = moment_range(most);
                let rows = vec((-range..=range, label), n);
                (d, rows)
                    .prop_map(|(d, rows)| {
                        let at = |t: i64| (1..=d as u32).map(|k| t.pow(k)).collect();
                        let rows = rows.into_iter().map(|(t, y)| (at(t), y));
                        Rows { d, rows: Typed::I64(rows.collect()) }
                    })
                    .boxed()
            }
            PointKind::Clustered => {
                let centre = vec(-1_000_000i64..=1_000_000, most);
                let rows = vec(((0usize..3, vec(-2i64..=2, most)), label), n);
                (d, vec(centre, 3), rows)
                    .prop_map(|(d, centres, rows)| {
                        let at = |(which, offset): (usize, Vec<i64>)| {
                            offset.iter().zip(&centres[which]).map(|(x, c)| x + c).collect()
                        };
                        let rows = rows.into_iter().map(|(x, y)| (at(x), y));
                        Rows { d, rows: Typed::I64(rows.collect()) }
                    })
                    .boxed()
            }
            PointKind::NearDuplicate => {
                let base = prop::sample::select(&[0.0, 1.0, 0.1, 9007199254740992.0, 1e-300][..]);
                let ulps = |base: f64, ulps: u64| f64::from_bits(base.to_bits() + ulps);
                let rows = vec((vec(0u64..6, most), label), n);
                (d, vec(base, most), rows)
                    .prop_map(move |(d, base, rows)| {
                        let at = |x: Vec<u64>| {
                            base.iter().zip(x).map(|(&b, x)| ulps(b, x)).collect::<Vec<f64>>()
                        };
                        let rows = rows.into_iter().map(|(x, y)| (at(x), y));
                        Rows { d, rows: Typed::F64(rows.collect()) }
                    })
                    .boxed()
            }
        }
    }
}

/// Most sets of points to examine for one more point beyond the least number asked for.
const MOST_SETS: u64 = 5_000;

/// The rows that keep their first d coordinates in general position, at most as many as `n` says.
fn general(
    rows: Vec<(Vec<i64>, f64)>,
    d: usize,
    n: &RangeInclusive<usize>,
) -> Vec<(Vec<i64>, f64)> {
    let mut kept: Vec<(Vec<i64>, f64)> = Vec::new();
    for row in rows {
        let costly = kept.len() >= *n.start() && position::sets(kept.len(), d) > MOST_SETS;
        if costly || kept.len() == *n.end() {
            break;
        }
        let before: Vec<&[i64]> = kept.iter().map(|(x, _)| &x[..d]).collect();
        if position::stays_general(&before, &row.0[..d]) {
            kept.push(row);
        }
    }
    kept
}

/// The largest t <= 40 with t^d below 2^62.
fn moment_range(d: usize) -> i64 {
    let fits = |t: &i64| t.checked_pow(d as u32).is_some_and(|power| power < 1 << 62);
    (1..=40i64).rev().find(fits).unwrap_or(1)
}

impl Rows {
    /// The points, each once, and the number of each; `None` if there are none.
    pub(super) fn distinct(self) -> Option<(Points, Vec<f64>)> {
        let d = self.d;
        let (values, numbers) = match self.rows {
            Typed::U8(rows) => once(rows, d, Values::U8),
            Typed::I64(rows) => once(rows, d, Values::I64),
            Typed::F32(rows) => once(rows, d, Values::F32),
            Typed::F64(rows) => once(rows, d, Values::F64),
        };
        Some((Points::new(values, vec![d]).ok()?, numbers))
    }
}

/// The first d coordinates of the rows, equal ones once.
fn once<T: PartialEq + Copy>(
    rows: Vec<(Vec<T>, f64)>,
    d: usize,
    typed: fn(Vec<T>) -> Values,
) -> (Values, Vec<f64>) {
    let (mut values, mut numbers): (Vec<T>, Vec<f64>) = (Vec::new(), Vec::new());
    for (row, number) in rows {
        if !values.chunks(d).any(|seen| *seen == row[..d]) {
            values.extend_from_slice(&row[..d]);
            numbers.push(number);
        }
    }
    (typed(values), numbers)
}
