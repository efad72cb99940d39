//! How curves over seeds are drawn: lines, dashes, markers and bands.

use plotters::coord::CoordTranslate;
use plotters::element::DashedPathElement;
use plotters::prelude::*;

use super::curves::{Curve, CurveStyle};
use super::marker::{Shape, mark};
use super::spread::Spread;
use super::style::{self, SOFT};
use super::{FigureError, failed};

/// A line has about this many markers.
const MARKERS: usize = 8;
/// A line of at most this many points has a marker on each.
const FEW: usize = 24;
/// Opacity of bands.
pub(super) const SHADE: f64 = 0.2;

/// Dash, gap and width in pixels, and colour.
pub(super) type Dashes = (u32, u32, u32, RGBColor);
/// Of a level.
pub(super) const LEVEL: Dashes = (14, 6, 2, SOFT);

/// A dashed line.
pub(super) fn dashes<DB: DrawingBackend, CT: CoordTranslate>(
    area: &DrawingArea<DB, CT>,
    points: Vec<CT::From>,
    (dash, gap, width, colour): Dashes,
) -> Result<(), FigureError>
where
    CT::From: Clone,
{
    let line = DashedPathElement::new(points, dash, gap, colour.stroke_width(width));
    area.draw(&line).map_err(failed)
}

/// The line of a curve: solid, dashed, none; the paper's thin.
pub(super) fn draw_path<DB: DrawingBackend, CT: CoordTranslate>(
    area: &DrawingArea<DB, CT>,
    curve: &Curve,
    paper: bool,
    points: Vec<CT::From>,
) -> Result<(), FigureError>
where
    CT::From: Clone,
{
    let colour = style::colour(curve.kind);
    match curve.line {
        CurveStyle::Points => Ok(()),
        _ if paper => dashes(area, points, (4, 5, 1, colour)),
        CurveStyle::Dashed => dashes(area, points, (10, 5, 2, colour)),
        CurveStyle::Solid => {
            area.draw(&PathElement::new(points, colour.stroke_width(2))).map_err(failed)
        }
    }
}

/// Ours are filled, the paper's open.
pub(super) fn shape(curve: &Curve, paper: bool) -> Option<Shape> {
    (curve.line != CurveStyle::Dashed || paper).then_some(Shape::Kind(curve.kind, !paper))
}

/// A curve with its markers.
pub(super) fn draw_line<DB: DrawingBackend, CT: CoordTranslate<From = (f64, f64)>>(
    area: &DrawingArea<DB, CT>,
    curve: &Curve,
    paper: bool,
    points: &[Spread],
) -> Result<(), FigureError> {
    let points: Vec<(f64, f64)> = points.iter().map(|s| (s.x, s.mean)).collect();
    if points.is_empty() {
        return Ok(());
    }
    draw_path(area, curve, paper, points.clone())?;
    // On long lines some points are marked, those of other kinds elsewhere.
    let every = if points.len() <= FEW || curve.line == CurveStyle::Points {
        1
    } else {
        points.len() / MARKERS
    };
    let first = (every / 2 + curve.kind * every / style::PALETTE.len()) % every;
    // A line of one point would not be seen without.
    let shape = match shape(curve, paper) {
        None if points.len() == 1 => Some(Shape::Kind(curve.kind, true)),
        shape => shape,
    };
    for &point in points.iter().skip(first).step_by(every) {
        if let Some(shape) = shape {
            mark(area, point, shape, style::colour(curve.kind))?;
        }
    }
    Ok(())
}

/// One polygon for each stretch where several runs count.
pub(super) fn draw_band<DB: DrawingBackend, CT: CoordTranslate<From = (f64, f64)>>(
    area: &DrawingArea<DB, CT>,
    colour: RGBColor,
    points: &[Spread],
) -> Result<(), FigureError> {
    for piece in points.split(|s| s.runs < 2).filter(|piece| !piece.is_empty()) {
        let above = piece.iter().map(|s| (s.x, s.high));
        let outline: Vec<(f64, f64)> =
            above.chain(piece.iter().rev().map(|s| (s.x, s.low))).collect();
        let shade = colour.mix(SHADE);
        if piece.len() == 1 {
            // A band of no width: a bar.
            area.draw(&PathElement::new(outline, shade.stroke_width(6))).map_err(failed)?;
        } else {
            area.draw(&Polygon::new(outline, shade.filled())).map_err(failed)?;
        }
    }
    Ok(())
}
