//! Points that are drawn, or laid out on purpose, each kind with what makes it worth trying.

use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

use shatter_random::stream::{Purpose, below, stream};

use super::{Labels, Points, SampleError, Values};

/// Kinds of synthetic points. All have n points of d coordinates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Independent standard normal coordinates.
    Gaussian,
    /// Independent uniform integers in `0..range`. Small ranges give ties and duplicates.
    Lattice {
        /// Values a coordinate can take.
        range: u64,
    },
    /// Integer points in order along one line: the hardest position for every lower bound.
    Collinear,
    /// `(t, t², …, t^d)` for t = 0, …, n − 1: no hyperplane holds more than d of them.
    Moment,
    /// Normal clusters of standard deviation 1/1000 around standard normal centres.
    Clustered {
        /// Number of clusters.
        clusters: u64,
    },
    /// Gaussian points in pairs that differ by one unit in the last place of one coordinate.
    Close,
}

impl Kind {
    /// `n` points of `d` coordinates.
    ///
    /// # Errors
    /// [`SampleError::Empty`], [`SampleError::NoCoordinates`]; [`SampleError::Text`] if a
    /// coordinate of the moment curve exceeds 64 bits or the sizes exceed memory addresses.
    pub fn points(self, n: usize, d: usize, seed: u64) -> Result<Points, SampleError> {
        if n == 0 {
            return Err(SampleError::Empty);
        }
        if d == 0 {
            return Err(SampleError::NoCoordinates);
        }
        let refuse = |reason: String| SampleError::Text { text: format!("{self:?}"), reason };
        if u32::try_from(n).is_err() {
            return Err(SampleError::TooMany(n));
        }
        let too_large = || refuse(format!("{n} × {d} coordinates do not fit into memory"));
        let size = n.checked_mul(d).filter(|&size| size <= 1 << 32).ok_or_else(too_large)?;
        // Asked for once before anything is drawn: a refusal, not an abort.
        Vec::<f64>::new().try_reserve_exact(size).map_err(|_| too_large())?;
        let rng = &mut stream(seed, Purpose::Points);
        let values = match self {
            Kind::Gaussian => Values::F64(normals(rng, size)),
            Kind::Lattice { range } => {
                Values::I64((0..size).map(|_| below(rng, range) as i64).collect())
            }
            Kind::Collinear => {
                let origin: Vec<i64> = (0..d).map(|_| below(rng, 201) as i64 - 100).collect();
                let step: Vec<i64> = (0..d).map(|_| below(rng, 9) as i64 + 1).collect();
                let row = |t: i64| origin.iter().zip(&step).map(move |(o, s)| o + t * s);
                Values::I64((0..n as i64).flat_map(row).collect())
            }
            Kind::Moment => Values::I64(moment_curve(n, d).ok_or_else(|| {
                refuse(format!("{}^{d} does not fit into 64 bits: choose a smaller n or d", n - 1))
            })?),
            Kind::Clustered { clusters } => {
                let clusters = clusters.clamp(1, n as u64);
                let centres = normals(rng, clusters as usize * d);
                let mut values = Vec::with_capacity(size);
                for _ in 0..n {
                    let first = below(rng, clusters) as usize * d;
                    for centre in &centres[first..first + d] {
                        let noise: f64 = StandardNormal.sample(rng);
                        values.push(centre + 1e-3 * noise);
                    }
                }
                Values::F64(values)
            }
            Kind::Close => {
                let mut values = normals(rng, size);
                for pair in values.chunks_exact_mut(2 * d) {
                    let (first, second) = pair.split_at_mut(d);
                    second.copy_from_slice(first);
                    let k = below(rng, d as u64) as usize;
                    second[k] = second[k].next_up();
                }
                Values::F64(values)
            }
        };
        Points::new(values, vec![d])
    }
}

/// Labels for drawn points, which have none of their own: uniform classes, or (for 0 classes)
/// standard normal numbers.
///
/// # Errors
/// None for the numbers drawn here; the type is that of the checked constructors.
pub fn labels(n: usize, classes: u32, seed: u64) -> Result<Labels, SampleError> {
    let rng = &mut stream(seed, Purpose::SyntheticLabels);
    if classes == 0 {
        return Labels::real(normals(rng, n), 1);
    }
    Labels::classes((0..n).map(|_| below(rng, u64::from(classes)) as u32).collect(), classes)
}

fn normals(rng: &mut impl Rng, count: usize) -> Vec<f64> {
    (0..count).map(|_| StandardNormal.sample(rng)).collect()
}

fn moment_curve(n: usize, d: usize) -> Option<Vec<i64>> {
    let d = u32::try_from(d).ok()?;
    let last = i64::try_from(n - 1).ok()?;
    last.checked_pow(d)?;
    Some((0..=last).flat_map(|t| (1..=d).map(move |power| t.pow(power))).collect())
}
