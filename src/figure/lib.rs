//! Figures, drawn with plotters from plain records: one file a figure. A figure computes nothing
//! but positions on paper, and mean, smallest and largest over seeds.
//!
//! Every figure is drawn by one function onto two backends, so that its SVG and its PNG show the
//! same. [`Rendered`] holds both in memory; who asked for them writes the files.

mod curves;
mod fitted_function;
mod growth;
pub mod kernel_corruption;
pub mod kernel_growth;
pub mod kernel_spectrum;
mod legend;
pub mod linear;
mod marker;
pub mod paper;
mod png;
pub mod randomization;
mod residual;
pub mod rows;
mod spread;
mod strokes;
mod style;
pub mod table1;
pub mod table3;

use plotters::coord::Shift;
use plotters::prelude::*;

pub use curves::{AxisScale, Curve, CurveStyle, Plot, draw};
pub use fitted_function::{FittedFunction, FittedPanel};
pub use growth::Y_LABELS as GROWTH_LABELS;
pub use growth::{GrowthFigure, GrowthLimit, GrowthSeries};
pub use residual::{Emphasis, ResidualFigure, ResidualSeries, ResidualValue};
pub use spread::SeedRun;

/// A figure in both formats.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Rendered {
    /// Scalable.
    pub svg: String,
    /// Pixels.
    pub png: Vec<u8>,
}

/// A figure could not be drawn.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FigureError {
    /// The backend refused.
    #[error("the figure cannot be drawn: {0}")]
    Backend(String),
    /// The font was not accepted; without one, figures would be blank.
    #[error("the font of the figures cannot be read")]
    Font,
    /// No curve has a finite point.
    #[error("there is nothing to draw: no curve has a finite point")]
    Empty,
    /// A number that has no place on its axis: not finite, or not above 0 on a logarithmic axis.
    #[error(
        "{what}: {value} cannot be drawn; the axis takes finite numbers, a logarithmic one positive numbers"
    )]
    NoPlace {
        /// Curve, run and point, counted from 0, or the level.
        what: String,
        /// The number.
        value: f64,
    },
    /// Points are not in the order of x.
    #[error("{what}: x must increase from point to point")]
    Order {
        /// Curve, run and point, counted from 0.
        what: String,
    },
}

/// What can be drawn onto any backend.
pub(crate) trait Drawing {
    /// Width and height in pixels.
    fn size(&self) -> (u32, u32);
    /// Draws onto a white sheet of that size.
    fn draw<DB: DrawingBackend>(&self, sheet: &DrawingArea<DB, Shift>) -> Result<(), FigureError>;
}

/// Any error of a backend.
pub(crate) fn failed(error: impl std::fmt::Display) -> FigureError {
    FigureError::Backend(error.to_string())
}

/// Draws onto both backends.
pub(crate) fn render(drawing: &impl Drawing) -> Result<Rendered, FigureError> {
    style::register_font()?;
    let (width, height) = drawing.size();
    let mut svg = String::new();
    {
        let sheet = SVGBackend::with_string(&mut svg, (width, height)).into_drawing_area();
        sheet.fill(&WHITE).map_err(failed)?;
        drawing.draw(&sheet)?;
        sheet.present().map_err(failed)?;
    }
    let mut pixels = vec![0; width as usize * height as usize * 3];
    {
        let sheet = BitMapBackend::with_buffer(&mut pixels, (width, height)).into_drawing_area();
        sheet.fill(&WHITE).map_err(failed)?;
        drawing.draw(&sheet)?;
        sheet.present().map_err(failed)?;
    }
    let png = png::encode(&pixels, width, height).map_err(failed)?;
    Ok(Rendered { svg, png })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// How many colours a PNG written by [`png::encode`] shows.
    pub(crate) fn colours(png: &[u8]) -> usize {
        let (pixels, _, _) = png::decode(png);
        let set: std::collections::HashSet<&[u8]> = pixels.chunks(3).collect();
        set.len()
    }

    /// Polylines of an SVG in a colour.
    pub(crate) fn polylines(svg: &str, colour: RGBColor) -> usize {
        let RGBColor(red, green, blue) = colour;
        let stroke = format!("stroke=\"#{red:02X}{green:02X}{blue:02X}\"");
        svg.split("<polyline")
            .skip(1)
            .filter(|element| {
                element.split('>').next().is_some_and(|element| element.contains(&stroke))
            })
            .count()
    }
}
