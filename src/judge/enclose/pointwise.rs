//! Functions of one number, enclosed; multiplications by constants; and gathered numbers.
//!
//! A function φ of one number sends centre ± radius to an interval that holds φ of every number in it, and
//! a runtime, which holds x̂ with |x̂ − x| <= ρ, to one that holds φ(x̂) with what it rounds there:
//!
//! | φ | Lipschitz constant | roundings of a runtime |
//! |---|---|---|
//! | identity, ReLU, clip | 1 | 0 |
//! | leaky | max(1, |slope|) | 1 |
//! | square | 2 (|x| + ρ) | 1 |
//! | threshold, sine's sign | none: 1 where the sign is open, else 0 | 0 |
//! | reciprocal, softsign | the interval's own | 2, 4 |
//!
//! Nothing is folded into them, or them into anything, but multiplications and gathered numbers, which pass
//! monomials on (`chain.rs`).

use crate::runtime::Rounding;
use shatter_exact::format::common_grain as grain;
use shatter_network::Activation;

use super::Enclosure;
use super::affine;
use super::bounds::{larger, up};

/// An interval, and a function's values on it.
type Interval = (f64, f64);

/// φ on every number: `real` and `held` are what it makes of an interval of numbers in real arithmetic and at
/// a runtime, `exact` what it makes of a number where that rounds nothing, here or at a runtime.
fn mapped(
    x: &Enclosure,
    exact: impl Fn(usize, f64) -> Option<f64>,
    image: impl Fn(usize, Interval) -> Interval,
    roundings: usize,
    rounding: Rounding,
) -> Enclosure {
    let mut y = Enclosure { back: None, forward: None, ..x.clone() };
    y.radius = vec![0.0; x.centre.len()];
    y.runtime = vec![0.0; x.centre.len()];
    let relative = rounding.gamma(roundings);
    let smallest = rounding.smallest();
    for at in 0..x.centre.len() {
        let (c, radius, runtime) = (x.centre[at], x.radius(at), x.runtime(at));
        if radius == 0.0
            && runtime == 0.0
            && (c == 0.0 || c.abs() >= smallest)
            && let Some(value) = exact(at, c)
        {
            y.centre[at] = value;
            continue;
        }
        let around = |off: f64| ((c - off).next_down(), (c + off).next_up());
        let (low, high) = if radius == 0.0 { image(at, (c, c)) } else { image(at, around(radius)) };
        if !(low.is_finite() && high.is_finite()) {
            // Nothing is known.
            (y.centre[at], y.radius[at], y.runtime[at]) = (0.0, f64::INFINITY, f64::INFINITY);
            continue;
        }
        let centre = (low / 2.0 + high / 2.0).clamp(low, high);
        let off = |low: f64, high: f64| up((high - centre).max(centre - low), 2).max(0.0);
        let own = if low == high { 0.0 } else { off(low, high) };
        // Against every real value, wherever in its interval it lies.
        let both = up(radius + runtime, 1);
        let (mut least, mut most) = if both == 0.0 { (c, c) } else { around(both) };
        if least < smallest && most > -smallest {
            // Numbers below the normal range may be taken for zero when they are read.
            (least, most) = (least.min(0.0), most.max(0.0));
        }
        let reach = larger(1.0, least.abs().max(most.abs()));
        let (least, most) = image(at, (least, most));
        let apart = up((most - low).max(high - least), 2).max(0.0);
        let size = least.abs().max(most.abs());
        let rounded = match roundings {
            0 => 0.0,
            _ if larger(size, reach) >= rounding.highest() => f64::INFINITY, // it may overflow
            // A constant below the normal range may be taken for zero, too.
            _ => up(relative * size + roundings as f64 * smallest * reach, 4),
        };
        y.centre[at] = centre;
        y.radius[at] = own;
        y.runtime[at] = if !runtime.is_finite() {
            f64::INFINITY // it may be no number, which functions pass on
        } else if runtime == 0.0 && rounded == 0.0 {
            0.0
        } else {
            up(apart + rounded, 2)
        };
    }
    let zeros = |list: &mut Vec<f64>| {
        if list.iter().all(|&x| x == 0.0) {
            list.clear();
        }
    };
    zeros(&mut y.radius);
    zeros(&mut y.runtime);
    y
}

/// An activation other than ReLU and identity.
pub fn activate(x: &Enclosure, activation: Activation, rounding: Rounding) -> Enclosure {
    let held = |value: f64| rounding.format.has(value).then_some(value);
    let indicator = |yes: bool| if yes { 1.0 } else { 0.0 };
    let sine = |t: f64| {
        let floor = t.floor();
        indicator(floor != t && (floor / 2.0).floor() == floor / 2.0)
    };
    let outward = |(low, high): Interval| (low.next_down(), high.next_up());
    match activation {
        Activation::Identity => x.clone(),
        Activation::Relu => mapped(
            x,
            |_, t| Some(t.max(0.0)),
            |_, (low, high)| (low.max(0.0), high.max(0.0)),
            0,
            rounding,
        ),
        Activation::Threshold => mapped(
            x,
            |_, t| Some(indicator(t > 0.0)),
            |_, (low, high)| (indicator(low > 0.0), indicator(high > 0.0)),
            0,
            rounding,
        ),
        Activation::Sine => mapped(
            x,
            |_, t| Some(sine(t)),
            |_, (low, high)| {
                // Between two whole numbers nothing changes.
                let open = low.floor() != high.floor() || low.floor() == low;
                if open && low != high { (0.0, 1.0) } else { (sine(low), sine(low)) }
            },
            0,
            rounding,
        ),
        Activation::Square => mapped(
            x,
            |_, t| {
                // Exact where the product is: an error of 0 in a fused multiplication, in the normal range.
                let square = t * t;
                let exact = t == 0.0 || (square > 1e-290 && t.mul_add(t, -square) == 0.0);
                held(square)
                    .filter(|&square| exact && (square == 0.0 || square >= rounding.smallest()))
            },
            |_, (low, high)| {
                let (least, most) = (low.abs().min(high.abs()), low.abs().max(high.abs()));
                let least = if low <= 0.0 && high >= 0.0 { 0.0 } else { least };
                let (low, high) = outward((least * least, most * most));
                (low.max(0.0), high)
            },
            1,
            rounding,
        ),
        Activation::Reciprocal => mapped(
            x,
            |_, t| {
                let inverse = 1.0 / t;
                let power = t.abs().log2().fract() == 0.0;
                match t == 0.0 {
                    true => Some(0.0),
                    false => held(inverse)
                        .filter(|&inverse| power && inverse.abs() >= rounding.smallest()),
                }
            },
            |_, (low, high)| match low > 0.0 || high < 0.0 {
                true => outward((1.0 / high, 1.0 / low)),
                false if low == 0.0 && high == 0.0 => (0.0, 0.0),
                false => (f64::NEG_INFINITY, f64::INFINITY),
            },
            2,
            rounding,
        ),
        Activation::Softsign => mapped(
            x,
            |_, t| (t == 0.0).then_some(0.0),
            |_, (low, high)| {
                let of = |t: f64| t / (1.0 + t.abs());
                let widened = |t: f64| 4.0 * f64::EPSILON * of(t).abs() + f64::MIN_POSITIVE;
                let (low, high) = (of(low) - widened(low), of(high) + widened(high));
                (low.next_down(), high.next_up())
            },
            4,
            rounding,
        ),
    }
}

/// x where x > 0, slope · x elsewhere; `slope` says which one number has.
pub fn leaky(x: &Enclosure, slope: impl Fn(usize) -> f64, rounding: Rounding) -> Enclosure {
    let of = |at: usize, t: f64| if t > 0.0 { t } else { slope(at) * t };
    let exact = |at: usize, t: f64| {
        let (slope, value) = (slope(at), of(at, t));
        let slope_held = slope == 0.0 || slope.abs() >= rounding.smallest();
        let known = t >= 0.0
            || slope.abs() == 1.0
            || slope == 0.0
            || (value.abs() > 1e-290 && slope.mul_add(t, -value) == 0.0);
        let normal = value == 0.0 || value.abs() >= rounding.smallest();
        Some(value).filter(|&value| known && slope_held && normal && rounding.format.has(value))
    };
    let image = |at: usize, (low, high): Interval| {
        let (left, right) = (of(at, low), of(at, high));
        let (mut least, mut most) = (left.min(right), left.max(right));
        if low <= 0.0 && high >= 0.0 {
            (least, most) = (least.min(0.0), most.max(0.0));
        }
        (least.next_down(), most.next_up())
    };
    mapped(x, exact, image, 2, rounding)
}

/// min(max(x, low), high).
pub fn clip(x: &Enclosure, (low, high): Interval, rounding: Rounding) -> Enclosure {
    let of = |t: f64| t.max(low).min(high);
    // A runtime may take a bound below the normal range for 0: off by less than what a rounding is counted as.
    let lost = |bound: f64| bound != 0.0 && bound.abs() < rounding.smallest();
    let exact = |_, t: f64| Some(of(t)).filter(|&value| !lost(value));
    let roundings = usize::from(lost(low) || lost(high));
    mapped(x, exact, |_, (least, most)| (of(least), of(most)), roundings, rounding)
}

/// Numbers picked from each point's.
pub fn gather(x: &Enclosure, from: &[u32], inputs: usize) -> Enclosure {
    let pick = |list: &Vec<f64>| -> Vec<f64> {
        if list.is_empty() {
            return Vec::new();
        }
        let of_point =
            |numbers: &[f64]| from.iter().map(|&k| numbers[k as usize]).collect::<Vec<_>>();
        list.chunks(inputs).flat_map(of_point).collect()
    };
    Enclosure {
        points: x.points,
        centre: pick(&x.centre),
        radius: pick(&x.radius),
        runtime: pick(&x.runtime),
        back: x.back.as_ref().map(|chain| chain.picked(pick)),
        forward: x.forward.as_ref().map(|chain| chain.picked(pick)),
    }
}

/// x · c or x / c.
pub fn scale(
    x: &Enclosure,
    (from, by, divides): (&[u32], &[f64], bool),
    inputs: usize,
    rounding: Rounding,
) -> Enclosure {
    let x = gather(x, from, inputs);
    let constants = by;
    let by: Vec<f64> = (0..x.points).flat_map(|_| by.iter().copied()).collect();
    let of = |(x, c): (&f64, &f64)| if divides { x / c } else { x * c };
    let centre: Vec<f64> = x.centre.iter().zip(&by).map(of).collect();
    // Of powers of two both are exact in the normal range.
    let powers = constants.iter().all(|c| c.abs().log2().fract() == 0.0);
    let least = grain(constants);
    let most = constants.iter().map(|c| c.abs().log2() as i64).max().unwrap_or(0);
    let shifted = |own: i64| match divides {
        false => Some(own.saturating_add(least)),
        true if powers => Some(own.saturating_sub(most)),
        true => None,
    };
    let known = x.known(shifted);
    let sized = |list: Vec<f64>| -> Vec<f64> {
        let size = |(x, c): (&f64, &f64)| up(of((x, &c.abs())), 2);
        list.iter().zip(&by).map(size).collect()
    };
    let radius = affine::radius(&sized(x.radius.clone()), &sized(x.own_sizes()), 2, &known);
    // Folded into a weight, other factors may leave it more bits than operands have.
    let kept = rounding.keeps(constants) && (powers || rounding.operand_bits.is_none());
    // What a runtime multiplies with instead may be below the normal range, and be taken for 0.
    let inverses: Vec<f64> = constants.iter().filter(|_| divides).map(|c| 1.0 / c).collect();
    let kept = kept && rounding.keeps(&inverses);
    x.followed(centre, radius, rounding, |chain| {
        let grain = |own| if kept { shifted(own) } else { None };
        chain.scaled((&by, divides), grain, rounding)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Runtime;
    use proptest::prelude::*;
    use shatter_exact::Format;

    fn around(centre: f64, radius: f64, runtime: f64) -> Enclosure {
        let list = |x: f64| if x == 0.0 { Vec::new() } else { vec![x] };
        Enclosure {
            points: 1,
            centre: vec![centre],
            radius: list(radius),
            runtime: list(runtime),
            back: None,
            forward: None,
        }
    }

    proptest! {
        /// Any real value in the interval, and any number that a runtime may hold for it.
        #[test]
        fn images_hold_what_functions_make(
            centre in -4.0f64..4.0,
            whole in any::<bool>(),
            radius in prop_oneof![Just(0.0), 0.0f64..0.5],
            off in prop_oneof![Just(0.0), 0.0f64..0.5],
            (real, held) in (-1.0f64..1.0, -1.0f64..1.0),
            which in 0usize..9,
            slope in -1.5f64..1.5,
        ) {
            let centre = if whole { centre.round() } else { f64::from(centre as f32) };
            let x = around(centre, radius, off);
            let precision = Format::F32;
            let rounding = Runtime::Ieee.rounding(precision);
            let real = centre + real * radius * 0.999_999;
            let runtime = precision.nearest(real + held * off * 0.999);
            prop_assume!((runtime - real).abs() <= off);
            let function = |t: f64| match which {
                0..=6 => match Activation::ALL[which] {
                    Activation::Identity => t,
                    Activation::Relu => t.max(0.0),
                    Activation::Threshold => f64::from(u8::from(t > 0.0)),
                    Activation::Softsign => t / (1.0 + t.abs()),
                    Activation::Sine => f64::from(u8::from(
                        t.floor() != t && t.floor().rem_euclid(2.0) == 0.0)),
                    Activation::Square => t * t,
                    Activation::Reciprocal => if t == 0.0 { 0.0 } else { 1.0 / t },
                },
                7 => if t > 0.0 { t } else { slope * t },
                _ => t.clamp(-0.75, 1.5),
            };
            let y = match which {
                0..=6 => activate(&x, Activation::ALL[which], rounding),
                7 => leaky(&x, |_| slope, rounding),
                _ => clip(&x, (-0.75, 1.5), rounding),
            };
            let spare = 1e-15 * (1.0 + function(real).abs());
            prop_assert!((function(real) - y.centre[0]).abs() <= y.radius(0) + spare);
            let made = precision.nearest(function(runtime));
            prop_assert!((made - function(real)).abs() <= y.runtime(0) + spare,
                "{made} {} {}", function(real), y.runtime(0));
        }
    }
}
