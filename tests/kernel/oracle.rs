//! Kernels as their formulas say them, in fixed point of 1400 bits.

use dashu_int::IBig;
use shatter_exact::Dyadic;
use shatter_kernel::{Features, Kernel, Model};

/// Bits behind the point.
const BITS: usize = 1400;

/// Results are off by less than this many units: roundings of some thousand operations, and factors up to 2^40.
pub fn slack() -> IBig {
    IBig::ONE << 120
}

pub fn one() -> IBig {
    IBig::ONE << BITS
}

/// A number that is a multiple of 2^-1400, as binary64 numbers are but for a few bits of the smallest products.
pub fn fixed(x: f64) -> IBig {
    Dyadic::try_from(x).expect("finite").in_units_of(-(BITS as i64))
}

fn times(x: &IBig, y: &IBig) -> IBig {
    (x * y) >> BITS
}

fn over(x: &IBig, y: &IBig) -> IBig {
    (x << BITS) / y
}

/// ⌊√x⌋ of a whole number, by Newton's method from above.
fn whole_root(x: &IBig) -> IBig {
    if *x <= IBig::ZERO {
        return IBig::ZERO;
    }
    let mut root = IBig::ONE << (shatter_exact::bit_length(x) as usize / 2 + 1);
    loop {
        let next: IBig = (&root + x / &root) >> 1;
        if next >= root {
            return root;
        }
        root = next;
    }
}

fn root(x: &IBig) -> IBig {
    whole_root(&(x << BITS))
}

/// e^−t: (e^{−t/2^20})^{2^20}.
fn exp_of_minus(t: &IBig) -> IBig {
    if *t > fixed(1000.0) {
        return IBig::ZERO;
    }
    let t = t >> 20;
    let (mut term, mut sum, mut m) = (one(), one(), 0i64);
    while term != IBig::ZERO && term != -IBig::ONE {
        m += 1;
        term = -times(&term, &t) / m;
        sum += &term;
    }
    (0..20).fold(sum, |sum, _| times(&sum, &sum))
}

/// atan x for 0 <= x <= 1.
fn atan(x: &IBig) -> IBig {
    const HALVINGS: usize = 12;
    let mut x = x.clone();
    for _ in 0..HALVINGS {
        // atan x = 2 atan(x/(1 + √(1 + x²)))
        x = over(&x, &(one() + root(&(one() + times(&x, &x)))));
    }
    let square = times(&x, &x);
    let (mut power, mut sum, mut k) = (x.clone(), x, 1i64);
    while power != IBig::ZERO && power != -IBig::ONE {
        k += 2;
        power = -times(&power, &square);
        sum += &power / k;
    }
    sum << HALVINGS
}

fn pi() -> IBig {
    atan(&one()) << 2
}

/// The angle whose cosine is c.
fn acos(c: &IBig) -> IBig {
    let (below, above) = (root(&(one() - c)), root(&(one() + c)));
    if below <= above {
        atan(&over(&below, &above)) << 1
    } else {
        pi() - (atan(&over(&above, &below)) << 1)
    }
}

/// k(x, x') of row i of `points` and row j of `centres`.
pub fn kernel(kernel: Kernel, points: &Features, i: usize, centres: &Features, j: usize) -> IBig {
    let divisor = fixed(points.divisor());
    // Numbers first: divisions round.
    let of = |features: &Features, row| -> Vec<IBig> {
        (0..features.columns()).map(|k| fixed(features.number(row, k))).collect()
    };
    let (x, y) = (of(points, i), of(centres, j));
    let unit = times(&divisor, &divisor);
    // Products keep all of their bits until they are divided.
    let inner = |x: &[IBig], y: &[IBig]| -> IBig { x.iter().zip(y).map(|(x, y)| x * y).sum() };
    let scaled = |sum: &IBig| sum / &unit;
    let square = || {
        let difference: Vec<IBig> = x.iter().zip(&y).map(|(x, y)| x - y).collect();
        scaled(&inner(&difference, &difference))
    };
    match kernel {
        Kernel::Gaussian { gamma } => exp_of_minus(&times(&fixed(gamma), &square())),
        Kernel::Laplacian { gamma } => exp_of_minus(&times(&fixed(gamma), &root(&square()))),
        Kernel::Rational { gamma } => over(&one(), &(one() + times(&fixed(gamma), &square()))),
        Kernel::Linear => scaled(&inner(&x, &y)),
        Kernel::Polynomial { degree, offset, scale } => {
            let base = times(&fixed(scale), &scaled(&inner(&x, &y))) + fixed(offset);
            (0..degree).fold(one(), |power, _| times(&power, &base))
        }
        Kernel::ArcCosine0 | Kernel::ArcCosine1 => {
            let (p, q, g) = (inner(&x, &x), inner(&y, &y), inner(&x, &y));
            // |x||x'|: all of these have twice the bits behind the point.
            let size = whole_root(&(&p * &q));
            let cosine = match size == IBig::ZERO {
                true => IBig::ZERO,
                false => ((&g << BITS) / &size).clamp(-one(), one()),
            };
            let theta = acos(&cosine);
            if kernel == Kernel::ArcCosine0 {
                return one() - over(&theta, &pi());
            }
            let sine = root(&(one() - times(&cosine, &cosine)));
            let angles = over(&(sine + times(&(pi() - theta), &cosine)), &pi());
            times(&scaled(&size), &angles)
        }
    }
}

/// f(x_i) of each output, in real arithmetic.
pub fn outputs(model: &Model, points: &Features, i: usize) -> Vec<IBig> {
    let width = model.outputs();
    let mut f = vec![IBig::ZERO; width];
    for j in 0..model.centres.rows() {
        let k = kernel(model.kernel, points, i, &model.centres, j);
        for (c, f) in f.iter_mut().enumerate() {
            *f += times(&fixed(model.coefficients[j * width + c]), &k);
        }
    }
    f
}
