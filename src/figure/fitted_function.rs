//! Figure 2: the fitted function over the projection z = <a, x>, one panel a threshold rule, with
//! the sample on it. The panels share the horizontal axis; each has its own vertical one, because
//! between the points the rules swing by very different amounts.

use plotters::coord::Shift;
use plotters::prelude::*;

use super::style::{self, Axis, INK};
use super::{Drawing, FigureError, Rendered, failed};

/// A panel: the function of one threshold rule.
#[derive(Clone, Debug, PartialEq)]
pub struct FittedPanel {
    /// Heading of the panel.
    pub name: String,
    /// Colour, as in the other figures.
    pub kind: usize,
    /// Corners of the piecewise linear function, z increasing.
    pub curve: Vec<(f64, f64)>,
    /// The sample: (z_i, y_i).
    pub points: Vec<(f64, f64)>,
}

/// The figure of fitted functions.
#[derive(Clone, Debug, PartialEq)]
pub struct FittedFunction {
    /// Heading.
    pub title: String,
    /// The command that drew it.
    pub caption: String,
    /// The panels, from top to bottom.
    pub panels: Vec<FittedPanel>,
}

/// Label of the horizontal axis.
pub const X_LABEL: &str = "projection z = ⟨a, x⟩ (units of the coordinates)";
/// Label of the vertical axes.
pub const Y_LABEL: &str = "f (units of the labels)";

const WIDTH: u32 = 1200;
const PANEL: u32 = 250;
const LEFT: u32 = 120;
const BELOW: u32 = 64;

impl FittedFunction {
    /// Draws it.
    ///
    /// ```
    /// use shatter_figure::{FittedFunction, FittedPanel};
    /// let (curve, points) = (vec![(0.0, 0.0), (1.0, 1.0), (2.0, 0.0)], vec![(1.0, 1.0)]);
    /// let panel = FittedPanel { name: "data".into(), kind: 1, curve, points };
    /// let figure = FittedFunction { title: "f".into(), caption: "shatter verify".into(), panels: vec![panel] };
    /// assert!(figure.render()?.svg.contains("projection"));
    /// # Ok::<(), shatter_figure::FigureError>(())
    /// ```
    ///
    /// # Errors
    /// [`FigureError`] if the backend fails.
    pub fn render(&self) -> Result<Rendered, FigureError> {
        super::render(self)
    }
}

/// An interval around the numbers with 5 % of room on each side; 0..1 for no numbers.
fn range(numbers: impl Iterator<Item = f64>) -> (f64, f64) {
    let (low, high) = style::ends(numbers);
    if low > high {
        return (0.0, 1.0);
    }
    let room = if high > low { (high - low) / 20.0 } else { low.abs().max(1.0) };
    (low - room, high + room)
}

impl Drawing for FittedFunction {
    fn size(&self) -> (u32, u32) {
        (WIDTH, 60 + PANEL * self.panels.len().max(1) as u32 + BELOW + 40)
    }

    fn draw<DB: DrawingBackend>(&self, sheet: &DrawingArea<DB, Shift>) -> Result<(), FigureError> {
        let mut rest = style::frame(sheet, &self.title, &self.caption)?;
        draw_legend(sheet)?;
        let x = range(self.panels.iter().flat_map(|panel| &panel.curve).map(|point| point.0));
        for (i, panel) in self.panels.iter().enumerate() {
            let last = i + 1 == self.panels.len();
            let (top, below) = rest.split_vertically((PANEL + if last { BELOW } else { 0 }) as i32);
            panel.draw(&top, x, last)?;
            rest = below;
        }
        Ok(())
    }
}

/// To the right of the title.
fn draw_legend<DB: DrawingBackend>(sheet: &DrawingArea<DB, Shift>) -> Result<(), FigureError> {
    let (x, y) = (WIDTH as i32 - 400, 32);
    let text = style::text(style::NUMBER, INK);
    sheet.draw(&Circle::new((x, y), 5, INK.filled())).map_err(failed)?;
    sheet.draw_text("sample (zᵢ, yᵢ)", &text, (x + 14, y)).map_err(failed)?;
    let band = Rectangle::new([(x + 160, y - 8), (x + 190, y + 8)], style::BAND.filled());
    sheet.draw(&band).map_err(failed)?;
    sheet.draw_text("range of the labels", &text, (x + 200, y)).map_err(failed)
}

impl FittedPanel {
    fn draw<DB: DrawingBackend>(
        &self,
        area: &DrawingArea<DB, Shift>,
        (x0, x1): (f64, f64),
        last: bool,
    ) -> Result<(), FigureError> {
        let (y0, y1) = range(self.curve.iter().chain(&self.points).map(|point| point.1));
        let heading = style::text(style::LABEL, style::colour(self.kind));
        area.draw_text(&self.name, &heading, (LEFT as i32, 20)).map_err(failed)?;
        let area = area.margin(36, 8, 0, 24);
        let x_axis = Axis::new((x0, x1), style::ticks(x0, x1, 12, false));
        let y_axis = Axis::new((y0, y1), style::ticks(y0, y1, 5, false));
        let mut chart = ChartBuilder::on(&area)
            .margin_left(style::EDGE)
            .y_label_area_size(LEFT - style::EDGE)
            .x_label_area_size(if last { BELOW } else { 0 })
            .build_cartesian_2d(x_axis, y_axis)
            .map_err(failed)?;
        // The band first, so that grid and lines lie on it.
        let (low, high) = style::ends(self.points.iter().map(|point| point.1));
        if low <= high {
            let band = Rectangle::new([(x0, low), (x1, high)], style::BAND.filled());
            chart.draw_series(std::iter::once(band)).map_err(failed)?;
        }
        let mut mesh = chart.configure_mesh();
        mesh.bold_line_style(style::GRID)
            .light_line_style(TRANSPARENT)
            .axis_style(INK)
            .y_desc(Y_LABEL)
            .axis_desc_style(style::axis_text(style::NUMBER))
            .label_style(style::axis_text(style::NUMBER))
            .x_label_formatter(&|x| style::plain(*x))
            .y_label_formatter(&|y| style::plain(*y));
        if last {
            mesh.x_desc(X_LABEL);
        }
        mesh.draw().map_err(failed)?;
        let colour = style::colour(self.kind);
        if !self.curve.is_empty() {
            let line = PathElement::new(self.curve.clone(), colour.stroke_width(2));
            chart.draw_series(std::iter::once(line)).map_err(failed)?;
        }
        let dots = self.points.iter().map(|&point| Circle::new(point, 5, INK.filled()));
        chart.draw_series(dots).map_err(failed)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{colours, polylines};
    use super::*;

    fn figure(panels: Vec<FittedPanel>) -> FittedFunction {
        FittedFunction { title: "Fitted".into(), caption: "shatter verify".into(), panels }
    }

    fn panel(kind: usize, curve: Vec<(f64, f64)>, points: Vec<(f64, f64)>) -> FittedPanel {
        FittedPanel { name: format!("rule {kind}"), kind, curve, points }
    }

    #[test]
    fn one_line_a_panel_with_labelled_axes() {
        let curve = vec![(0.0, 0.0), (1.0, 2.0), (2.0, -2.0)];
        let panels = (0..3).map(|kind| panel(kind, curve.clone(), vec![(1.0, 2.0)])).collect();
        let Rendered { svg, png } = figure(panels).render().unwrap();
        for text in ["Fitted", "shatter verify", X_LABEL, Y_LABEL, "rule 2", "range of the labels"]
        {
            assert!(svg.contains(text), "{text}");
        }
        (0..3).for_each(|kind| assert_eq!(polylines(&svg, style::colour(kind)), 1));
        assert!(colours(&png) > 20);
    }

    #[test]
    fn empty_single_and_constant_panels_are_drawn() {
        let constant = panel(0, vec![(0.0, 0.0), (1.0, 0.0)], vec![(0.5, 0.0)]);
        let single = panel(1, vec![(3.0, 1e300)], vec![(3.0, 1e300)]);
        let huge =
            panel(1, vec![(-1e308, -1e308), (1e308, 1e308)], vec![(f64::NAN, f64::INFINITY)]);
        for panels in
            [vec![], vec![panel(0, vec![], vec![])], vec![constant], vec![single], vec![huge]]
        {
            assert!(figure(panels).render().unwrap().svg.contains("Fitted"));
        }
    }
}
