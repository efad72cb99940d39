//! Convolutions by tiles in the manner of Winograd, and what their rounding is relative to.
//!
//! F(m, r) computes m neighbouring outputs of a kernel of r numbers from t = m + r − 1 inputs d by t products:
//!
//! ```text
//! y = Aᵀ [(G g) ⊙ (Bᵀ d)],   y_p = Σ_k g_k d_(p + k)
//! ```
//!
//! With interpolation points p_0, …, p_(t−2) and infinity, Aᵀ has the powers p_j^i, G has p_j^k / Π_(l≠j) (p_j − p_l), and the
//! rows of Bᵀ are the coefficients of Π_(l≠j) (x − p_l) and of Π_l (x − p_l): all are rational, and are computed here from
//! the points. Images are convolved by F(m, r) in both directions, one within the other, and products are summed over
//! channels before Aᵀ (Lavin and Gray, Fast algorithms for convolutional neural networks, 2016).
//!
//! **Bound.** In real arithmetic every y is the convolution. As it is computed it is a sum of monomials
//! A_pj G_jk B_jl g_k d_l, in two directions and over channels, which go through at most R roundings each: of constants,
//! products and sums of six passes ([`ROUNDINGS`] in all), a product, and the sum over channels. So it is off by at most
//!
//! ```text
//! γ_R Σ_channels Σ_(k, k') |g_kk'| Σ_(l, l') S_pkl S_p'k'l' |d_ll'|,   S_pkl = Σ_j |A_pj| |G_jk| |B_jl|
//! ```
//!
//! (the componentwise analysis of Barabasz, Anderson, Soodhalter and Gregg, Error analysis and improving the accuracy of
//! Winograd convolution for deep neural networks, 2020, for any order of the sums). S does not change where rows of the
//! transforms are scaled against each other. As S_pkl >= 1 for l = p + k, the bound covers direct convolutions.
//!
//! Tiles may lie anywhere: an output may be any of the m of its tile, and the largest over all of them is taken, of rows
//! for every column, and then of columns.
//!
//! **Covered** are convolutions with stride 1, not dilated, whose kernel has 1 to 7 numbers in each direction, and there r = 2 to 7, t <= 8
//! and these points beside infinity: the first t − 1 of 0, 1, −1, 2, −2, 1/2, −1/2 (NNPACK's 8 × 8 tiles;
//! F(2 × 2, 3 × 3) and F(4 × 4, 3 × 3) as they are published; the 5 × 5 and 7 × 7 kernels of Arm's library), and for t = 6
//! also 0, ±1, ±1/2 and 0, ±5/8, ±3/2 (oneDNN's F(4 × 4, 3 × 3)). Either direction may be direct, and other convolutions
//! are. Transforms are evaluated row by row from the monomials above, common factors taken out or not; rows may
//! be scaled against each other by at most 2^[`SCALED`].

use shatter_exact::Rational;
use shatter_network::graph::SlidingWindow;

/// Largest t.
pub const TILE: usize = 8;
/// Roundings of a monomial in the six passes of the transforms: of a constant, a product, at most t − 1 sums, and as many
/// to spare.
pub const ROUNDINGS: usize = 6 * 2 * TILE;
/// Bits by which a runtime may scale a row of a transform.
pub const SCALED: i32 = 8;

/// Interpolation points beside infinity, as numerators and denominators: by number, and others for t = 6.
const POINTS: [(i64, i64); TILE - 1] = [(0, 1), (1, 1), (-1, 1), (2, 1), (-2, 1), (1, 2), (-1, 2)];
const OF_SIX: [[(i64, i64); 5]; 2] =
    [[(0, 1), (1, 1), (-1, 1), (1, 2), (-1, 2)], [(0, 1), (5, 8), (-5, 8), (3, 2), (-3, 2)]];

/// The matrices of F(m, r), exactly, row by row.
#[derive(Clone, Debug)]
pub struct Transform {
    /// Aᵀ, m × t.
    pub output: Vec<Vec<Rational>>,
    /// G, t × r.
    pub kernel: Vec<Vec<Rational>>,
    /// Bᵀ, t × t.
    pub input: Vec<Vec<Rational>>,
}

impl Transform {
    /// The transform of a kernel of `r` numbers with these points and infinity.
    pub fn new(r: usize, points: &[Rational]) -> Transform {
        let t = points.len() + 1;
        let m = t + 1 - r;
        let indicator = |yes: bool| if yes { Rational::ONE } else { Rational::ZERO };
        let powers = |x: &Rational, count: usize| -> Vec<Rational> {
            let next = |power: &Rational| Some(power * x);
            std::iter::successors(Some(Rational::ONE), next).take(count).collect()
        };
        let others = |j: usize| (0..t - 1).filter(move |&l| l != j);
        let columns: Vec<Vec<Rational>> = points.iter().map(|x| powers(x, m)).collect();
        let output = (0..m)
            .map(|i| {
                let finite = columns.iter().map(|powers| powers[i].clone());
                finite.chain([indicator(i + 1 == m)]).collect()
            })
            .collect();
        let of_point = |j: usize| -> Vec<Rational> {
            let apart =
                others(j).fold(Rational::ONE, |product, l| product * (&points[j] - &points[l]));
            powers(&points[j], r).into_iter().map(|power| power / &apart).collect()
        };
        let infinity = (0..r).map(|k| indicator(k + 1 == r)).collect();
        let kernel = (0..t - 1).map(of_point).chain([infinity]).collect();
        // Coefficients of Π (x − p_l), the constant first.
        let polynomial = |which: &mut dyn Iterator<Item = usize>| -> Vec<Rational> {
            let mut coefficients = vec![Rational::ZERO; t];
            coefficients[0] = Rational::ONE;
            for l in which {
                for k in (0..t).rev() {
                    let below = if k > 0 { coefficients[k - 1].clone() } else { Rational::ZERO };
                    coefficients[k] = below - &coefficients[k] * &points[l];
                }
            }
            coefficients
        };
        let finite = (0..t - 1).map(|j| polynomial(&mut others(j)));
        let input = finite.chain([polynomial(&mut (0..t - 1))]).collect();
        Transform { output, kernel, input }
    }

    /// All that are covered for kernels of `r` numbers.
    pub fn all(r: usize) -> Vec<Transform> {
        if r < 2 {
            return Vec::new();
        }
        let rational = |&(p, q): &(i64, i64)| Rational::from(p) / Rational::from(q);
        let of = |points: &[(i64, i64)]| {
            Transform::new(r, &points.iter().map(rational).collect::<Vec<_>>())
        };
        let by_number = (r + 1..=TILE).map(|t| of(&POINTS[..t - 1]));
        let others = OF_SIX.iter().filter(|points| points.len() >= r).map(|points| of(points));
        by_number.chain(others).collect()
    }

    /// At least Σ_j |A_pj| |G_jk| |B_jl| for one p: r × t.
    fn sizes(&self, p: usize) -> Vec<f64> {
        let (t, r) = (self.input.len(), self.kernel[0].len());
        let size = |k: usize, l: usize| {
            let product = |j: usize| {
                magnitude(&self.output[p][j])
                    * magnitude(&self.kernel[j][k])
                    * magnitude(&self.input[j][l])
            };
            upper(&(0..t).fold(Rational::ZERO, |sum, j| sum + product(j)))
        };
        (0..r).flat_map(|k| (0..t).map(move |l| (k, l))).map(|(k, l)| size(k, l)).collect()
    }

    /// At least Σ Π max(1, |factor|) over the monomials of any y, rows scaled or not.
    fn growth(&self) -> f64 {
        let one = |x: &Rational| magnitude(x).max(Rational::ONE);
        let row = |row: &Vec<Rational>| row.iter().map(one).fold(Rational::ZERO, |sum, x| sum + x);
        let of = |p: &Vec<Rational>| {
            let product = |(j, a)| one(a) * row(&self.kernel[j]) * row(&self.input[j]);
            p.iter().enumerate().map(product).fold(Rational::ZERO, |sum, x| sum + x)
        };
        let largest = self.output.iter().map(of).max().unwrap_or(Rational::ONE);
        upper(&largest) * 2f64.powi(SCALED)
    }
}

fn magnitude(x: &Rational) -> Rational {
    if *x < Rational::ZERO { -x.clone() } else { x.clone() }
}

fn upper(x: &Rational) -> f64 {
    let nearest = x.to_f64().value();
    if Rational::try_from(nearest).is_ok_and(|held| held >= *x) {
        nearest
    } else {
        nearest.next_up()
    }
}

/// The inputs that one output of a direction reads, in one place of its tile.
#[derive(Clone, Debug, PartialEq)]
pub struct Reach {
    /// Inputs that the tile begins before the output's own window.
    pub before: usize,
    /// Inputs of the tile.
    pub inputs: usize,
    /// S of each number of the kernel and each input: r × inputs.
    pub sizes: Vec<f64>,
}

impl Reach {
    /// S at an offset from the beginning of the output's own window.
    fn at(&self, k: usize, offset: isize) -> f64 {
        let l = usize::try_from(offset + self.before as isize).ok().filter(|&l| l < self.inputs);
        l.map_or(0.0, |l| self.sizes[k * self.inputs + l])
    }

    fn at_most(&self, other: &Reach, r: usize) -> bool {
        let offsets = -(self.before as isize)..(self.inputs - self.before) as isize;
        (0..r).all(|k| offsets.clone().all(|offset| self.at(k, offset) <= other.at(k, offset)))
    }
}

/// One direction of convolutions: everything that an output may read.
#[derive(Clone, Debug)]
pub struct Direction {
    /// Places of an output in a tile, without those that others are never below.
    pub reaches: Vec<Reach>,
    /// At least the factor by which transforms raise Σ Π max(1, |factor|).
    pub growth: f64,
}

/// Both directions of a convolution that may be tiled; `None` for others.
pub fn tiled(window: &SlidingWindow) -> Option<[Direction; 2]> {
    let (tall, wide) = window.size;
    let short = tall.max(wide) < TILE && tall.max(wide) > 1;
    (window.stride == (1, 1) && short).then(|| [tall, wide].map(Direction::new))
}

impl Direction {
    /// Makes the direction of a kernel of `r` numbers, fewer than [`TILE`].
    pub fn new(r: usize) -> Direction {
        let transforms = Transform::all(r);
        let mut reaches: Vec<Reach> = Vec::new();
        let each = transforms.iter().flat_map(|transform| {
            let reach = |before| Reach {
                before,
                inputs: transform.input.len(),
                sizes: transform.sizes(before),
            };
            (0..transform.output.len()).map(reach)
        });
        for reach in each.chain([Direction::direct(r)]) {
            if !reaches.iter().any(|other| reach.at_most(other, r)) {
                reaches.retain(|other| !other.at_most(&reach, r));
                reaches.push(reach);
            }
        }
        let growth = transforms.iter().map(Transform::growth).fold(1.0, f64::max);
        Direction { reaches, growth }
    }

    /// The window itself.
    fn direct(r: usize) -> Reach {
        let sizes = (0..r * r).map(|at| if at % r == at / r { 1.0 } else { 0.0 }).collect();
        Reach { before: 0, inputs: r, sizes }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// y is the convolution: Σ_j A_pj G_jk B_jl is 1 for l = p + k, else 0.
    #[test]
    fn transforms_convolve() {
        for r in 2..TILE {
            let all = Transform::all(r);
            assert_eq!(all.len(), TILE - r + if r < 5 { 2 } else { 2 * usize::from(r == 5) });
            for transform in all {
                let (m, t) = (transform.output.len(), transform.input.len());
                assert_eq!(m + r - 1, t);
                for (p, k, l) in (0..m * r * t).map(|at| (at / (r * t), at / t % r, at % t)) {
                    let product = |j: usize| {
                        &transform.output[p][j] * &transform.kernel[j][k] * &transform.input[j][l]
                    };
                    let sum = (0..t).fold(Rational::ZERO, |sum, j| sum + product(j));
                    assert_eq!(sum, Rational::from(i32::from(l == p + k)), "{r} {p} {k} {l}");
                }
            }
        }
    }

    /// F(2, 3) and F(6, 3) as they are published.
    #[test]
    fn transforms_are_the_published_ones_up_to_scaling() {
        let all = Transform::all(3);
        let halves = |row: &[Rational]| -> Vec<f64> {
            row.iter().map(|x| x.to_f64().value() * 2.0).collect()
        };
        assert_eq!(halves(&all[0].kernel[1]), [1.0, 1.0, 1.0]);
        assert_eq!(halves(&all[0].kernel[2]), [1.0, -1.0, 1.0]);
        let largest = &all[4];
        let row: Vec<f64> = largest.input[7].iter().map(|x| x.to_f64().value()).collect();
        assert_eq!(row, [0.0, -1.0, 0.0, 5.25, 0.0, -5.25, 0.0, 1.0]);
        let sizes = largest.sizes(5);
        assert!(sizes.iter().all(|&size| size < 40.0) && sizes[2 * 8 + 7] >= 1.0, "{sizes:?}");
    }

    /// What is left out is never above what is kept, and windows are within all.
    #[test]
    fn directions_keep_the_largest() {
        for r in 1..TILE {
            let direction = Direction::new(r);
            assert_eq!(direction.growth == 1.0, r == 1);
            let within =
                |reach: &Reach| direction.reaches.iter().any(|other| reach.at_most(other, r));
            assert!(within(&Direction::direct(r)));
            println!("{r}: {} places, growth {:e}", direction.reaches.len(), direction.growth);
        }
        let square = |size: usize, stride: usize| {
            tiled(&SlidingWindow { stride: (stride, stride), ..SlidingWindow::whole(size, size) })
                .is_some()
        };
        assert!(square(3, 1) && square(7, 1) && !square(8, 1) && !square(3, 2) && !square(1, 1));
        assert!(tiled(&SlidingWindow::whole(1, 3)).is_some());
    }
}
