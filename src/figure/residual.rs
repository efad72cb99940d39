//! Figure 1: the residual of Theorem 1 against n, both axes logarithmic.
//!
//! Zeros have no logarithm: they stand on a strip below the axis, one lane a series, labelled
//! "exactly 0". Infinities and NaN stand as crosses on the upper edge.

use plotters::coord::Shift;
use plotters::prelude::*;

use super::marker::{Shape, mark};
use super::style::{self, Axis, INK, SOFT};
use super::{Drawing, FigureError, Rendered, failed};

/// A residual, as it is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ResidualValue {
    /// Exactly 0.
    Zero,
    /// Above 0.
    Positive(f64),
    /// Infinite or not a number.
    NotFinite,
}

/// The emphasis of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Emphasis {
    /// Thick, with filled markers.
    Heavy,
    /// Thin, with open markers.
    Light,
}

/// A line of the figure of residuals.
#[derive(Clone, Debug, PartialEq)]
pub struct ResidualSeries {
    /// As the legend names it.
    pub name: String,
    /// Colour and marker: series of one kind share them.
    pub kind: usize,
    /// Thick or thin.
    pub weight: Emphasis,
    /// (n, residual), n increasing.
    pub values: Vec<(f64, ResidualValue)>,
}

/// The figure of residuals.
#[derive(Clone, Debug, PartialEq)]
pub struct ResidualFigure {
    /// Heading.
    pub title: String,
    /// The command that drew it.
    pub caption: String,
    /// The lines.
    pub series: Vec<ResidualSeries>,
}

/// Label of the horizontal axis.
pub const X_LABEL: &str = "n (points, and hidden units)";
/// Label of the vertical axis.
pub const Y_LABEL: &str = "largest |f(xᵢ) − yᵢ| (units of the labels)";
/// Label of the strip.
pub const ZERO_LABEL: &str = "exactly 0";

const WIDTH: u32 = 1200;
const PLOT_HEIGHT: u32 = 560;
const LANE: u32 = 26;
const LEFT: u32 = 110;
const RIGHT: u32 = 330;
const BELOW: u32 = 64;

impl ResidualSeries {
    fn shape(&self) -> Shape {
        Shape::Kind(self.kind, self.weight == Emphasis::Heavy)
    }

    fn line_width(&self) -> u32 {
        match self.weight {
            Emphasis::Heavy => 3,
            Emphasis::Light => 1,
        }
    }
}

impl ResidualFigure {
    /// Draws it.
    ///
    /// ```
    /// use shatter_figure::{ResidualFigure, ResidualSeries, ResidualValue, Emphasis};
    /// let values = vec![(10.0, ResidualValue::Positive(1e-13)), (100.0, ResidualValue::Zero)];
    /// let series = ResidualSeries { name: "data, f64".into(), kind: 1, weight: Emphasis::Heavy, values };
    /// let figure = ResidualFigure { title: "Residual".into(), caption: "shatter verify".into(), series: vec![series] };
    /// assert!(figure.render()?.svg.contains("exactly 0"));
    /// # Ok::<(), shatter_figure::FigureError>(())
    /// ```
    ///
    /// # Errors
    /// [`FigureError`] if the backend fails.
    pub fn render(&self) -> Result<Rendered, FigureError> {
        super::render(self)
    }

    fn with_zeros(&self) -> Vec<&ResidualSeries> {
        let zero =
            |series: &&ResidualSeries| series.values.iter().any(|v| v.1 == ResidualValue::Zero);
        self.series.iter().filter(zero).collect()
    }

    fn strip_height(&self) -> u32 {
        LANE * self.with_zeros().len().max(1) as u32 + 8
    }

    /// Decades around all n.
    fn x_range(&self) -> (f64, f64) {
        let n = self.series.iter().flat_map(|series| &series.values).map(|value| value.0.log10());
        let (low, high) = range(n).unwrap_or((0.0, 6.0));
        let margin = 0.06 * (high - low).max(1.0);
        (low - margin, high + margin)
    }

    /// Decades around all positive residuals, with room for the crosses above.
    fn y_range(&self) -> (f64, f64) {
        let log = |value: &(f64, ResidualValue)| match value.1 {
            ResidualValue::Positive(x) => Some(x.log10()),
            _ => None,
        };
        let all = self.series.iter().flat_map(|series| &series.values);
        let (low, high) = range(all.filter_map(log)).unwrap_or((-16.0, 0.0));
        ((low - 0.3).floor(), (high + 0.3).ceil())
    }
}

fn range(numbers: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    numbers.filter(|x| x.is_finite()).fold(None, |range, x| match range {
        None => Some((x, x)),
        Some((low, high)) => Some((low.min(x), high.max(x))),
    })
}

impl Drawing for ResidualFigure {
    fn size(&self) -> (u32, u32) {
        (WIDTH, 60 + PLOT_HEIGHT + self.strip_height() + BELOW + 40)
    }

    fn draw<DB: DrawingBackend>(&self, sheet: &DrawingArea<DB, Shift>) -> Result<(), FigureError> {
        let body = style::frame(sheet, &self.title, &self.caption)?;
        let (body, legend) = body.split_horizontally((WIDTH - RIGHT) as i32);
        let (plot, strip) = body.split_vertically(PLOT_HEIGHT as i32);
        self.draw_lines(&plot)?;
        self.draw_strip(&strip)?;
        self.draw_legend(&legend)
    }
}

impl ResidualFigure {
    fn draw_lines<DB: DrawingBackend>(
        &self,
        area: &DrawingArea<DB, Shift>,
    ) -> Result<(), FigureError> {
        let ((x0, x1), (y0, y1)) = (self.x_range(), self.y_range());
        let x_axis = Axis::new((x0, x1), style::ticks(x0, x1, 8, true));
        let y_axis = Axis::new((y0, y1), style::ticks(y0, y1, 10, true));
        let mut chart = ChartBuilder::on(area)
            .margin_left(style::EDGE)
            .y_label_area_size(LEFT - style::EDGE)
            .build_cartesian_2d(x_axis, y_axis)
            .map_err(failed)?;
        chart
            .configure_mesh()
            .bold_line_style(style::GRID)
            .light_line_style(TRANSPARENT)
            .axis_style(INK)
            .y_desc(Y_LABEL)
            .axis_desc_style(style::axis_text(style::LABEL))
            .y_label_style(style::axis_text(style::NUMBER))
            .y_label_formatter(&|k| style::power_of_ten(k.round() as i64))
            .draw()
            .map_err(failed)?;
        for series in &self.series {
            let colour = style::colour(series.kind);
            let line = colour.stroke_width(series.line_width());
            // A zero or an infinity interrupts the line.
            let pieces =
                series.values.split(|value| !matches!(value.1, ResidualValue::Positive(_)));
            for piece in pieces.filter(|piece| !piece.is_empty()) {
                let at = |value: &(f64, ResidualValue)| match value.1 {
                    ResidualValue::Positive(x) => (value.0.log10(), x.log10()),
                    _ => (value.0.log10(), y1),
                };
                let points: Vec<(f64, f64)> = piece.iter().map(at).collect();
                chart
                    .draw_series(std::iter::once(PathElement::new(points.clone(), line)))
                    .map_err(failed)?;
                for point in points {
                    mark(chart.plotting_area(), point, series.shape(), colour)?;
                }
            }
            let lost = series.values.iter().filter(|value| value.1 == ResidualValue::NotFinite);
            for value in lost {
                mark(chart.plotting_area(), (value.0.log10(), y1), Shape::Cross, colour)?;
            }
        }
        Ok(())
    }

    fn draw_strip<DB: DrawingBackend>(
        &self,
        area: &DrawingArea<DB, Shift>,
    ) -> Result<(), FigureError> {
        let (x0, x1) = self.x_range();
        let lanes = self.with_zeros();
        let height = lanes.len().max(1) as f64;
        let x_axis = Axis::new((x0, x1), style::ticks(x0, x1, 8, true));
        let mut chart = ChartBuilder::on(area)
            .margin_top(8)
            .margin_left(style::EDGE)
            .y_label_area_size(LEFT - style::EDGE)
            .x_label_area_size(BELOW)
            .build_cartesian_2d(x_axis, 0.0..height)
            .map_err(failed)?;
        chart.plotting_area().fill(&style::STRIP).map_err(failed)?;
        chart
            .configure_mesh()
            .disable_y_mesh()
            .bold_line_style(style::GRID)
            .light_line_style(TRANSPARENT)
            .axis_style(INK)
            .y_labels(0)
            .x_desc(X_LABEL)
            .axis_desc_style(style::axis_text(style::LABEL))
            .x_label_style(style::axis_text(style::NUMBER))
            .x_label_formatter(&|k| style::power_of_ten(k.round() as i64))
            .draw()
            .map_err(failed)?;
        for (lane, series) in lanes.iter().enumerate() {
            let (colour, y) = (style::colour(series.kind), height - lane as f64 - 0.5);
            let zeros = series.values.iter().filter(|value| value.1 == ResidualValue::Zero);
            for value in zeros {
                mark(chart.plotting_area(), (value.0.log10(), y), series.shape(), colour)?;
            }
        }
        let middle = 8 + (self.strip_height() as i32 - 8) / 2;
        area.draw_text(ZERO_LABEL, &style::text(style::NUMBER, INK), (LEFT as i32 - 88, middle))
            .map_err(failed)
    }

    /// Lines beside the plot, each lane of zeros beside its own name.
    fn draw_legend<DB: DrawingBackend>(
        &self,
        area: &DrawingArea<DB, Shift>,
    ) -> Result<(), FigureError> {
        let entry = |series: &ResidualSeries, y: i32, with_line: bool| {
            let colour = style::colour(series.kind);
            if with_line {
                let line = colour.stroke_width(series.line_width());
                area.draw(&PathElement::new(vec![(16, y), (56, y)], line)).map_err(failed)?;
            }
            mark(area, (36, y), series.shape(), colour)?;
            area.draw_text(&series.name, &style::text(style::NUMBER, INK), (68, y)).map_err(failed)
        };
        let positive = |series: &&ResidualSeries| {
            series.values.iter().any(|value| value.1 != ResidualValue::Zero)
        };
        for (i, series) in self.series.iter().filter(positive).enumerate() {
            entry(series, 20 + 28 * i as i32, true)?;
        }
        let lost =
            |series: &ResidualSeries| series.values.iter().any(|v| v.1 == ResidualValue::NotFinite);
        if self.series.iter().any(lost) {
            let y = 28 + 28 * self.series.iter().filter(positive).count() as i32;
            let note = "cross on the upper edge: infinite or NaN";
            area.draw_text(note, &style::text(style::CAPTION, SOFT), (16, y)).map_err(failed)?;
        }
        for (lane, series) in self.with_zeros().iter().enumerate() {
            let y = PLOT_HEIGHT + 8 + LANE * lane as u32 + LANE / 2;
            entry(series, y as i32, false)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{colours, polylines};
    use super::*;

    fn series(kind: usize, values: &[(f64, ResidualValue)]) -> ResidualSeries {
        let name = format!("series {kind}");
        ResidualSeries { name, kind, weight: Emphasis::Heavy, values: values.to_vec() }
    }

    fn figure(series: Vec<ResidualSeries>) -> ResidualFigure {
        ResidualFigure { title: "Residuals".into(), caption: "shatter verify".into(), series }
    }

    #[test]
    fn one_line_a_series_with_labelled_axes_and_a_strip_of_zeros() {
        let line = [(10.0, ResidualValue::Positive(1e-13)), (1e6, ResidualValue::Positive(0.3))];
        let zeros = [(10.0, ResidualValue::Zero), (1e6, ResidualValue::Zero)];
        let all = vec![series(0, &line), series(1, &line), series(2, &zeros)];
        let Rendered { svg, png } = figure(all).render().unwrap();
        for text in
            ["Residuals", "shatter verify", X_LABEL, Y_LABEL, ZERO_LABEL, "series 2", "10⁻¹⁰"]
        {
            assert!(svg.contains(text), "{text}");
        }
        // Each line in the plot, and once more in the legend; zeros have none.
        assert_eq!([0, 1, 2].map(|kind| polylines(&svg, style::colour(kind))), [2, 2, 0]);
        assert!(colours(&png) > 20);
    }

    #[test]
    fn zeros_interrupt_a_line_and_infinities_are_named() {
        let values = [1e-3, 1e-2, 0.0, 1e-1, 1.0].map(|x| match x {
            0.0 => ResidualValue::Zero,
            x => ResidualValue::Positive(x),
        });
        let broken: Vec<_> = [1.0, 2.0, 3.0, 4.0, 5.0].into_iter().zip(values).collect();
        let svg = figure(vec![series(0, &broken)]).render().unwrap().svg;
        assert_eq!(polylines(&svg, style::colour(0)), 3);
        let svg =
            figure(vec![series(0, &[(10.0, ResidualValue::NotFinite)])]).render().unwrap().svg;
        assert!(svg.contains("infinite or NaN"));
    }

    #[test]
    fn empty_single_and_all_zero_series_are_drawn() {
        let single = series(0, &[(10.0, ResidualValue::Positive(1e-300))]);
        for all in [
            vec![],
            vec![series(0, &[])],
            vec![single],
            vec![series(1, &[(1.0, ResidualValue::Zero)])],
        ] {
            assert!(figure(all).render().unwrap().svg.contains(ZERO_LABEL));
        }
    }
}
