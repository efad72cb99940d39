//! Markers: shapes of a few pixels around a point, so that lines differ without colour.

use plotters::coord::CoordTranslate;
use plotters::prelude::*;

use super::{FigureError, failed};

/// What a marker looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// Circle, square, triangle in turn; filled or open.
    Kind(usize, bool),
    /// Two strokes.
    Cross,
}

/// Draws a marker at a point of a chart, or of a sheet.
pub(super) fn mark<DB: DrawingBackend, CT: CoordTranslate<From = C>, C: Clone>(
    area: &DrawingArea<DB, CT>,
    at: C,
    shape: Shape,
    colour: RGBColor,
) -> Result<(), FigureError> {
    let line = colour.stroke_width(2);
    let (kind, filled) = match shape {
        Shape::Cross => return area.draw(&Cross::new(at, 6, line)).map_err(failed),
        Shape::Kind(kind, filled) => (kind % 3, filled),
    };
    if kind == 0 {
        let style = if filled { colour.filled() } else { line };
        return area.draw(&Circle::new(at, 5, style)).map_err(failed);
    }
    let outline = match kind {
        1 => vec![(-5, -5), (5, -5), (5, 5), (-5, 5), (-5, -5)],
        _ => vec![(0, -7), (6, 5), (-6, 5), (0, -7)],
    };
    if filled {
        area.draw(&(EmptyElement::at(at) + Polygon::new(outline, colour.filled())))
    } else {
        area.draw(&(EmptyElement::at(at) + PathElement::new(outline, line)))
    }
    .map_err(failed)
}
