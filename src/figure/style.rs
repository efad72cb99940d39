//! What all figures have in common: font, sizes, colours, and how numbers are written on axes.
//!
//! The colours are those of Okabe and Ito (Color Universal Design, 2008), which people with every
//! common kind of colour vision tell apart. Markers differ too, so that no figure rests on colour.

use std::sync::OnceLock;

use plotters::coord::Shift;
use plotters::coord::ranged1d::{DefaultFormatting, KeyPointHint, Ranged};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{FontFamily, FontStyle, TextStyle};

use super::{FigureError, failed};

/// The family under which the font is known: an SVG viewer takes its own sans-serif.
pub const FAMILY: FontFamily<'static> = FontFamily::SansSerif;
/// Space to the left of the label of a vertical axis, which would otherwise touch the edge.
pub const EDGE: u32 = 20;
/// Text sizes in pixels.
pub const TITLE: u32 = 24;
/// Axis labels and legends.
pub const LABEL: u32 = 18;
/// Numbers on axes.
pub const NUMBER: u32 = 16;
/// The caption below a figure.
pub const CAPTION: u32 = 14;
/// Text and axes.
pub const INK: RGBColor = RGBColor(34, 34, 34);
/// Captions and second lines.
pub const SOFT: RGBColor = RGBColor(96, 96, 96);
/// Grid lines.
pub const GRID: RGBColor = RGBColor(224, 224, 224);
/// Bands behind lines.
pub const BAND: RGBColor = RGBColor(253, 236, 208);
/// Ground of strips that stand outside an axis.
pub const STRIP: RGBColor = RGBColor(245, 245, 245);

/// Blue, vermilion, green, purple, sky, orange, black.
pub const PALETTE: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(230, 159, 0),
    RGBColor(0, 0, 0),
];

/// The colour of the k-th kind of thing.
pub fn colour(k: usize) -> RGBColor {
    PALETTE[k % PALETTE.len()]
}

/// Registers the font with plotters, once a process; without it pages stay blank.
pub(super) fn register_font() -> Result<(), FigureError> {
    static DONE: OnceLock<bool> = OnceLock::new();
    let name = FAMILY.as_str();
    let all = || {
        plotters::style::register_font(name, FontStyle::Normal, dejavu::sans::regular()).is_ok()
            && plotters::style::register_font(name, FontStyle::Bold, dejavu::sans::bold()).is_ok()
    };
    if *DONE.get_or_init(all) { Ok(()) } else { Err(FigureError::Font) }
}

/// Text of a size and colour, anchored at its left end, halfway up.
pub fn text(size: u32, colour: RGBColor) -> TextStyle<'static> {
    (FAMILY, size).into_font().color(&colour).pos(Pos::new(HPos::Left, VPos::Center))
}

/// Text of an axis: plotters places and turns it itself.
pub fn axis_text(size: u32) -> TextStyle<'static> {
    (FAMILY, size).into_font().color(&INK)
}

/// 10^k with a raised exponent.
pub fn power_of_ten(k: i64) -> String {
    const RAISED: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    let digits = k.unsigned_abs().to_string();
    let raised = digits.bytes().map(|digit| RAISED[usize::from(digit - b'0')]);
    let sign = if k < 0 { "⁻" } else { "" };
    format!("10{sign}{}", raised.collect::<String>())
}

/// Multiples of the step that divides `low..high` into at most `most` parts, the step being a
/// power of ten times 1, 2 or 5 (a whole number if `whole`).
pub fn ticks(low: f64, high: f64, most: usize, whole: bool) -> Vec<f64> {
    let raw = (high - low) / most.max(1) as f64;
    let base = 10f64.powf(raw.log10().floor());
    // Ends that are equal, too far apart, or so near each other that the power of ten is 0.
    if !(raw.is_finite() && raw > 0.0 && base > 0.0) {
        return vec![low];
    }
    let step = [1.0, 2.0, 5.0, 10.0].iter().map(|m| m * base).find(|step| *step >= raw);
    let step = step.unwrap_or(10.0 * base).max(if whole { 1.0 } else { 0.0 });
    let (first, last) = ((low / step).ceil() as i64, (high / step).floor() as i64);
    (first..=last).map(|k| k as f64 * step).collect()
}

/// Smallest and largest finite number; infinity and minus infinity for none.
pub(super) fn ends(numbers: impl Iterator<Item = f64>) -> (f64, f64) {
    let wider = |(low, high): (f64, f64), x: f64| (low.min(x), high.max(x));
    numbers.filter(|x| x.is_finite()).fold((f64::INFINITY, f64::NEG_INFINITY), wider)
}

/// A tick of a linear axis, without the digits that rounding leaves; in powers of ten if it is
/// large or small.
pub(super) fn plain(x: f64) -> String {
    if x.abs() >= 1e7 || (x != 0.0 && x.abs() < 1e-5) {
        return format!("{:e}", format!("{x:.6e}").parse().unwrap_or(x));
    }
    let text = format!("{x:.6}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

/// A linear axis with its ticks at given places.
pub struct Axis {
    low: f64,
    high: f64,
    ticks: Vec<f64>,
}

impl Axis {
    /// From `low` to `high`.
    pub fn new((low, high): (f64, f64), ticks: Vec<f64>) -> Axis {
        Axis { low, high, ticks }
    }
}

impl Ranged for Axis {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    fn map(&self, x: &f64, (from, to): (i32, i32)) -> i32 {
        // Halves, so that no difference of finite numbers overflows.
        let (x, low, high) = (x / 2.0, self.low / 2.0, self.high / 2.0);
        let share = (x - low) / (high - low);
        from + (share * f64::from(to - from)).round() as i32
    }

    fn key_points<H: KeyPointHint>(&self, hint: H) -> Vec<f64> {
        // Light lines are asked for too; there are none between the ticks.
        if hint.weight().allow_light_points() { Vec::new() } else { self.ticks.clone() }
    }

    fn range(&self) -> std::ops::Range<f64> {
        self.low..self.high
    }
}

/// Title above, caption below; what is left between them.
pub fn frame<DB: DrawingBackend>(
    sheet: &DrawingArea<DB, Shift>,
    title: &str,
    caption: &str,
) -> Result<DrawingArea<DB, Shift>, FigureError> {
    let (_, height) = sheet.dim_in_pixel();
    let bold: TextStyle = (FAMILY, TITLE, FontStyle::Bold).into_font().color(&INK);
    sheet.draw_text(title, &bold, (24, 20)).map_err(failed)?;
    let caption_at = (24, height as i32 - 20);
    sheet.draw_text(caption, &text(CAPTION, SOFT), caption_at).map_err(failed)?;
    Ok(sheet.margin(60, 40, 0, 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponents_are_raised() {
        assert_eq!(power_of_ten(-12), "10⁻¹²");
    }

    #[test]
    fn numbers_are_written_without_rounding_digits() {
        let numbers = [0.6000000000000001, -0.0, 2.0, 1.5e6, 2e300, 3.0000000000000004e-9];
        assert_eq!(numbers.map(plain), ["0.6", "0", "2", "1500000", "2e300", "3e-9"]);
    }

    #[test]
    fn the_ends_of_any_axis_are_the_ends_of_its_pixels() {
        for (low, high) in [(0.0, 1.0), (f64::MIN, f64::MAX), (-3.0, 1e300)] {
            let axis = Axis::new((low, high), Vec::new());
            assert_eq!([low, high].map(|x| axis.map(&x, (10, 90))), [10, 90]);
        }
    }

    #[test]
    fn ticks_are_round_and_few() {
        assert_eq!(
            ticks(-16.0, 4.0, 10, true),
            (-8..=2).map(|k| f64::from(2 * k)).collect::<Vec<_>>()
        );
        assert_eq!(ticks(1.0, 3.0, 10, true), [1.0, 2.0, 3.0]);
        assert_eq!(ticks(0.0, 1.0, 5, false), [0.0, 0.2, 0.4, 0.6000000000000001, 0.8, 1.0]);
        assert_eq!(ticks(2.0, 2.0, 5, false), [2.0]);
        assert_eq!(ticks(0.0, 5e-324, 1, false), [0.0]);
        assert_eq!(ticks(f64::MIN, f64::MAX, 5, false), [f64::MIN]);
    }
}
