//! The coordinates of a sample as integers over one power of two.

use dashu_int::IBig;

use shatter_sample::Values;

use super::number::Binary;

/// Coordinates over 2^`grain`, of at most `bits` bits each.
pub struct Coordinates<'a> {
    values: &'a Values,
    /// Exponent of two.
    pub grain: i64,
    /// Bits of the largest.
    pub bits: u64,
}

impl<'a> Coordinates<'a> {
    /// Finds grain and bits.
    pub fn of(values: &'a Values) -> Coordinates<'a> {
        let (grain, bits) = match values {
            Values::U8(_) => (0, 8),
            Values::I64(_) | Values::Scaled { .. } => (0, 64),
            Values::F32(v) => float_grid(v.iter().map(|&x| f64::from(x))),
            Values::F64(v) => float_grid(v.iter().copied()),
        };
        Coordinates { values, grain, bits }
    }

    /// A coordinate, if it fits 128 bits.
    pub fn narrow(&self, at: usize) -> Option<i128> {
        let float = |x: f64| {
            if x == 0.0 {
                return Some(0);
            }
            let (m, e) = float_parts(x);
            let shift = u32::try_from(e - self.grain).ok().filter(|&shift| shift < 127)?;
            i128::from(m).checked_mul(1 << shift)
        };
        match self.values {
            Values::U8(v) => Some(i128::from(v[at])),
            Values::I64(v) | Values::Scaled { values: v, .. } => Some(i128::from(v[at])),
            Values::F32(v) => float(f64::from(v[at])),
            Values::F64(v) => float(v[at]),
        }
    }

    /// A coordinate of any size.
    pub fn wide(&self, at: usize) -> IBig {
        let float = |x: f64| Binary::from_f64(x).over(self.grain);
        match self.values {
            Values::U8(v) => IBig::from(v[at]),
            Values::I64(v) | Values::Scaled { values: v, .. } => IBig::from(v[at]),
            Values::F32(v) => float(f64::from(v[at])),
            Values::F64(v) => float(v[at]),
        }
    }
}

/// Grain of finite numbers, and the bits of the largest over it.
fn float_grid(numbers: impl Iterator<Item = f64>) -> (i64, u64) {
    let mut grid: Option<(i64, i64)> = None;
    for x in numbers.filter(|x| *x != 0.0) {
        let (m, e) = float_parts(x);
        let top = e + 64 - i64::from(m.unsigned_abs().leading_zeros());
        let (low, high) = grid.unwrap_or((e, top));
        grid = Some((low.min(e), high.max(top)));
    }
    grid.map_or((0, 0), |(low, high)| (low, (high - low).unsigned_abs()))
}

/// x = m · 2^e with odd m, for a finite nonzero x.
fn float_parts(x: f64) -> (i64, i64) {
    let bits = x.to_bits();
    let field = ((bits >> 52) & 0x7ff) as i64;
    let fraction = (bits & 0x000f_ffff_ffff_ffff) as i64;
    let (m, e) = if field == 0 { (fraction, -1074) } else { (fraction + (1 << 52), field - 1075) };
    let zeros = m.trailing_zeros();
    let m = m >> zeros;
    (if bits >> 63 == 1 { -m } else { m }, e + i64::from(zeros))
}
