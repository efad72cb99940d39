//! What memorizing costs against n: weights on the left, bits on the right (or two other costs), all axes logarithmic,
//! lower bounds as dashed lines.

use plotters::coord::Shift;
use plotters::prelude::*;

use super::marker::{Shape, mark};
use super::style::{self, Axis, INK};
use super::{Drawing, FigureError, Rendered, failed};

/// A construction: how many weights and bits its networks have.
#[derive(Clone, Debug, PartialEq)]
pub struct GrowthSeries {
    /// As the legend names it.
    pub name: String,
    /// Colour and marker: three neighbours share a colour.
    pub kind: usize,
    /// (n, weights, bits), n increasing, all positive.
    pub values: Vec<(f64, f64, f64)>,
}

/// A dashed line in one of the panels.
#[derive(Clone, Debug, PartialEq)]
pub struct GrowthLimit {
    /// As written under the panel.
    pub name: String,
    /// (n, least number), positive.
    pub values: Vec<(f64, f64)>,
}

/// The figure of growth.
#[derive(Clone, Debug, PartialEq)]
pub struct GrowthFigure {
    /// Heading.
    pub title: String,
    /// The command that drew it.
    pub caption: String,
    /// The lines.
    pub series: Vec<GrowthSeries>,
    /// The bound on weights.
    pub weights: Option<GrowthLimit>,
    /// The bound on bits.
    pub bits: Option<GrowthLimit>,
    /// Labels of the vertical axes: [`Y_LABELS`], or those of what stands in place of weights and bits.
    pub labels: [&'static str; 2],
}

/// Label of the horizontal axes.
pub const X_LABEL: &str = "n (points)";
/// Labels of the vertical axes.
pub const Y_LABELS: [&str; 2] =
    ["weights and biases that are not 0", "bits of all weights and biases"];

const PANEL: u32 = 600;
const LEGEND: u32 = 270;
const HEIGHT: u32 = 720;

/// Decades.
type Point = (f64, f64);

impl GrowthFigure {
    /// Draws it.
    ///
    /// ```
    /// use shatter_figure::{GrowthFigure, GrowthSeries};
    /// let values = vec![(10.0, 40.0, 900.0), (100.0, 400.0, 12000.0)];
    /// let figure = GrowthFigure {
    ///     title: "Growth".into(),
    ///     caption: "shatter compare".into(),
    ///     series: vec![GrowthSeries { name: "width-two".into(), kind: 5, values }],
    ///     weights: None,
    ///     bits: None,
    ///     labels: shatter_figure::GROWTH_LABELS,
    /// };
    /// assert!(figure.render()?.svg.contains("width-two"));
    /// # Ok::<(), shatter_figure::FigureError>(())
    /// ```
    ///
    /// # Errors
    /// [`FigureError`] if the backend fails.
    pub fn render(&self) -> Result<Rendered, FigureError> {
        super::render(self)
    }

    /// The lines of a panel in decades.
    fn lines(&self, panel: usize) -> Vec<Vec<Point>> {
        let at = |&(n, weights, bits): &(f64, f64, f64)| {
            (n.log10(), if panel == 0 { weights } else { bits }.log10())
        };
        // A network without any weight, for labels that are all 0, has no logarithm.
        let shown = |series: &GrowthSeries| {
            series.values.iter().map(at).filter(|point| point.1.is_finite()).collect()
        };
        self.series.iter().map(shown).collect()
    }

    fn bound(&self, panel: usize) -> Option<(&str, Vec<Point>)> {
        let bound = if panel == 0 { &self.weights } else { &self.bits };
        let at = |&(n, y): &(f64, f64)| (n.log10(), y.log10());
        bound.as_ref().map(|b| (b.name.as_str(), b.values.iter().map(at).collect()))
    }
}

impl Drawing for GrowthFigure {
    fn size(&self) -> (u32, u32) {
        (2 * PANEL + LEGEND, HEIGHT)
    }

    fn draw<DB: DrawingBackend>(&self, sheet: &DrawingArea<DB, Shift>) -> Result<(), FigureError> {
        let body = style::frame(sheet, &self.title, &self.caption)?;
        let (panels, legend) = body.split_horizontally(2 * PANEL as i32);
        let (left, right) = panels.split_horizontally(PANEL as i32);
        self.draw_panel(&left, 0)?;
        self.draw_panel(&right, 1)?;
        for (i, series) in self.series.iter().enumerate() {
            let (colour, y) = (colour(series.kind), 16 + 26 * i as i32);
            let line = colour.stroke_width(2);
            legend.draw(&PathElement::new(vec![(16, y), (56, y)], line)).map_err(failed)?;
            mark(&legend, (36, y), shape(series.kind), colour)?;
            let text = style::text(style::NUMBER, INK);
            legend.draw_text(&series.name, &text, (68, y)).map_err(failed)?;
        }
        Ok(())
    }
}

impl GrowthFigure {
    fn draw_panel<DB: DrawingBackend>(
        &self,
        area: &DrawingArea<DB, Shift>,
        panel: usize,
    ) -> Result<(), FigureError> {
        let lines = self.lines(panel);
        let bound = self.bound(panel);
        let all = || lines.iter().chain(bound.iter().map(|bound| &bound.1)).flatten();
        let (x0, x1) = around(all().map(|point| point.0));
        let (y0, y1) = decades(all().map(|point| point.1));
        let mut chart = ChartBuilder::on(area)
            .margin_left(style::EDGE)
            .margin_right(16)
            .y_label_area_size(80)
            .x_label_area_size(64)
            .build_cartesian_2d(
                Axis::new((x0, x1), style::ticks(x0, x1, 6, true)),
                Axis::new((y0, y1), style::ticks(y0, y1, 10, true)),
            )
            .map_err(failed)?;
        chart
            .configure_mesh()
            .bold_line_style(style::GRID)
            .light_line_style(TRANSPARENT)
            .axis_style(INK)
            .x_desc(X_LABEL)
            .y_desc(self.labels[panel])
            .axis_desc_style(style::axis_text(style::LABEL))
            .x_label_style(style::axis_text(style::NUMBER))
            .y_label_style(style::axis_text(style::NUMBER))
            .x_label_formatter(&|k| style::power_of_ten(k.round() as i64))
            .y_label_formatter(&|k| style::power_of_ten(k.round() as i64))
            .draw()
            .map_err(failed)?;
        let lines = self.series.iter().zip(&lines).filter(|(_, points)| !points.is_empty());
        for (series, points) in lines {
            let colour = colour(series.kind);
            let path = PathElement::new(points.clone(), colour.stroke_width(2));
            chart.draw_series(std::iter::once(path)).map_err(failed)?;
            for &point in points {
                mark(chart.plotting_area(), point, shape(series.kind), colour)?;
            }
        }
        if let Some((name, points)) = bound {
            let dashes = DashedLineSeries::new(points, 10, 8, INK.stroke_width(3));
            chart.draw_series(dashes).map_err(failed)?;
            // Below the lines, where no network can be.
            let at = chart.plotting_area().map_coordinate(&(x1, y0));
            let (left, top) = area.get_base_pixel();
            let text = style::text(style::NUMBER, INK);
            let text = text.pos(plotters::style::text_anchor::Pos::new(
                plotters::style::text_anchor::HPos::Right,
                plotters::style::text_anchor::VPos::Bottom,
            ));
            let name = format!("dashed: {name}");
            area.draw_text(&name, &text, (at.0 - left - 8, at.1 - top - 8)).map_err(failed)?;
        }
        Ok(())
    }
}

fn colour(kind: usize) -> RGBColor {
    style::colour(kind / 3)
}

/// Markers are open from where the colours begin again.
fn shape(kind: usize) -> Shape {
    Shape::Kind(kind, kind < 3 * style::PALETTE.len())
}

/// A little more than finite numbers span, and something where there are none.
fn around(numbers: impl Iterator<Item = f64>) -> (f64, f64) {
    let finite = numbers.filter(|x| x.is_finite());
    let (low, high) = finite.fold((f64::MAX, f64::MIN), |(l, h), x| (l.min(x), h.max(x)));
    if low > high {
        return (0.0, 1.0);
    }
    let margin = 0.05 * (high - low).max(1.0);
    (low - margin, high + margin)
}

/// Whole decades around finite numbers, at least one.
fn decades(numbers: impl Iterator<Item = f64>) -> (f64, f64) {
    let (low, high) = around(numbers);
    (low.floor(), high.ceil())
}

#[cfg(test)]
mod tests {
    use super::super::tests::{colours, polylines};
    use super::*;

    fn figure(series: Vec<GrowthSeries>) -> GrowthFigure {
        let bound = GrowthLimit { name: "n".into(), values: vec![(10.0, 10.0), (100.0, 100.0)] };
        let caption = "shatter compare".into();
        GrowthFigure {
            title: "Weights".into(),
            caption,
            series,
            weights: Some(bound),
            bits: None,
            labels: Y_LABELS,
        }
    }

    fn series(name: &str, kind: usize, values: &[(f64, f64, f64)]) -> GrowthSeries {
        GrowthSeries { name: name.into(), kind, values: values.to_vec() }
    }

    #[test]
    fn one_line_a_panel_and_series_with_labelled_axes() {
        let values = [(10.0, 30.0, 300.0), (100.0, 300.0, 4000.0)];
        let all =
            ["a", "b", "c", "d"].iter().zip(0..).map(|(name, kind)| series(name, kind, &values));
        let all = all.collect();
        let Rendered { svg, png } = figure(all).render().unwrap();
        for text in ["Weights", "shatter compare", X_LABEL, Y_LABELS[0], Y_LABELS[1], "dashed: n"] {
            assert!(svg.contains(text), "{text}");
        }
        // Two panels and the legend; the fourth series has the second colour.
        assert_eq!([0, 1].map(|kind| polylines(&svg, style::colour(kind))), [9, 3]);
        assert!(colours(&png) > 20);
    }

    #[test]
    fn empty_and_single_series_are_drawn() {
        for all in [vec![], vec![series("a", 0, &[])], vec![series("a", 21, &[(1.0, 1.0, 1.0)])]] {
            assert!(figure(all).render().unwrap().svg.contains(X_LABEL));
        }
    }
}
