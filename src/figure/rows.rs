//! Numbers of several things, a row each, on a logarithmic axis: what theories promise beside what was measured, and
//! how many points are fitted beside how many can be.

use plotters::coord::Shift;
use plotters::prelude::*;

use super::legend::{LINE, wrap};
use super::marker::{Shape, mark};
use super::strokes::{LEVEL, dashes};
use super::style::{self, Axis, INK, SOFT};
use super::{Drawing, FigureError, Rendered, failed};

/// A row.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Row {
    /// As it stands on the left.
    pub name: String,
    /// The numbers of each kind; none below 0.
    pub values: Vec<Vec<f64>>,
}

/// A figure of rows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RowsFigure {
    /// Heading.
    pub title: String,
    /// Kinds of numbers, as the legend names them.
    pub kinds: Vec<String>,
    /// The rows, from the top.
    pub rows: Vec<Row>,
    /// Dashed lines, if any: where, and what the legend says of all of them.
    pub levels: (Vec<f64>, String),
    /// Label of the axis.
    pub x: String,
    /// Smaller numbers are drawn here; above 0.
    pub least: f64,
    /// Footnote: the command and the commit.
    pub note: String,
}

const WIDTH: u32 = 1200;
/// Height of a row.
const HEIGHT: u32 = 44;
/// Above the first row and below the last: title, legend, numbers, label and footnote.
const AROUND: u32 = 230;
/// Room for names.
const NAMES: u32 = 420;
/// Characters that fit into a line of the footnote.
const NOTE_CHARS: usize = 140;

/// Draws the rows below each other. Numbers at infinity are left out.
///
/// ```
/// use shatter_figure::rows::{Row, RowsFigure, rows};
/// let row = |name: &str, values| Row { name: name.into(), values };
/// let figure = RowsFigure {
///     title: "two theories".into(),
///     kinds: vec!["true".into(), "random".into()],
///     rows: vec![row("measured", vec![vec![0.02], vec![0.9]]), row("norms", vec![vec![40.0], vec![900.0]])],
///     levels: (vec![0.9, 1.0], "1, and a guess".into()),
///     x: "test error".into(),
///     least: 1e-4,
///     note: String::new(),
/// };
/// assert!(rows(&figure)?.svg.contains("norms"));
/// # Ok::<(), shatter_figure::FigureError>(())
/// ```
///
/// # Errors
/// [`FigureError::Empty`] if no row has a number; [`FigureError::NoPlace`] for NaN and numbers below 0, and for a least
/// number that is not above 0.
pub fn rows(figure: &RowsFigure) -> Result<Rendered, FigureError> {
    if !(figure.least > 0.0 && figure.least.is_finite()) {
        return Err(FigureError::NoPlace { what: "the least number".into(), value: figure.least });
    }
    let all =
        || figure.rows.iter().flat_map(|row| row.values.iter().flatten().map(move |x| (row, *x)));
    if let Some((row, value)) = all().find(|(_, x)| x.is_nan() || *x < 0.0) {
        return Err(FigureError::NoPlace { what: format!("row '{}'", row.name), value });
    }
    let most = all().map(|(_, x)| x).filter(|x| x.is_finite()).fold(0.0, f64::max);
    match all().any(|(_, x)| x.is_finite()) {
        true => {
            let note = wrap(&figure.note, NOTE_CHARS);
            let least = figure.least.log10();
            let highest = most.max(figure.least).log10().ceil().max(least + 1.0) + 0.5;
            super::render(&Rows { figure, note, range: (least - 0.2, highest) })
        }
        false => Err(FigureError::Empty),
    }
}

struct Rows<'a> {
    figure: &'a RowsFigure,
    note: Vec<String>,
    /// log10 of the axis' ends.
    range: (f64, f64),
}

impl Rows<'_> {
    /// Height of the lines of the footnote above the last.
    fn more_note(&self) -> u32 {
        self.note.len().saturating_sub(1) as u32 * LINE as u32
    }

    fn legend<DB: DrawingBackend>(&self, area: &DrawingArea<DB, Shift>) -> Result<(), FigureError> {
        let (mut x, y) = (40, 10);
        for (k, name) in self.figure.kinds.iter().enumerate() {
            mark(area, (x, y), Shape::Kind(k, k % 2 == 0), style::colour(k))?;
            let text = style::text(style::NUMBER, INK);
            area.draw_text(name, &text, (x + 16, y)).map_err(failed)?;
            x += 50 + 10 * name.chars().count() as i32;
        }
        let (levels, name) = &self.figure.levels;
        if levels.is_empty() {
            return Ok(());
        }
        dashes(area, vec![(x, y), (x + 44, y)], LEVEL)?;
        area.draw_text(name, &style::text(style::NUMBER, INK), (x + 56, y)).map_err(failed)
    }
}

impl Drawing for Rows<'_> {
    fn size(&self) -> (u32, u32) {
        (WIDTH, AROUND + HEIGHT * self.figure.rows.len() as u32 + self.more_note())
    }

    fn draw<DB: DrawingBackend>(&self, sheet: &DrawingArea<DB, Shift>) -> Result<(), FigureError> {
        let (last, above) = match self.note.split_last() {
            Some((last, above)) => (last.as_str(), above),
            None => ("", [].as_slice()),
        };
        let body = style::frame(sheet, &self.figure.title, last)?;
        let bottom = self.size().1 as i32 - 20;
        for (i, line) in above.iter().rev().enumerate() {
            let at = (24, bottom - LINE * (i as i32 + 1));
            sheet.draw_text(line, &style::text(style::CAPTION, SOFT), at).map_err(failed)?;
        }
        let (top, body) = body.margin(0, self.more_note(), 0, 0).split_vertically(30);
        self.legend(&top)?;
        let rows = &self.figure.rows;
        let count = rows.len();
        let places = (0..count).map(|k| -(k as f64)).collect();
        let powers = style::ticks(self.range.0.ceil(), self.range.1, 10, true);
        let mut chart = ChartBuilder::on(&body)
            .margin_left(style::EDGE)
            .margin_right(40)
            .y_label_area_size(NAMES)
            .x_label_area_size(64)
            .build_cartesian_2d(
                Axis::new(self.range, powers),
                Axis::new((0.5 - count as f64, 0.5), places),
            )
            .map_err(failed)?;
        let name = |y: &f64| {
            rows.get((-y).round() as usize).map_or_else(String::new, |row| row.name.clone())
        };
        chart
            .configure_mesh()
            .bold_line_style(style::GRID)
            .light_line_style(TRANSPARENT)
            .axis_style(INK)
            .x_desc(&self.figure.x)
            .axis_desc_style(style::axis_text(style::LABEL))
            .label_style(style::axis_text(style::NUMBER))
            .x_label_formatter(&|x| style::power_of_ten(x.round() as i64))
            .y_label_formatter(&name)
            .draw()
            .map_err(failed)?;
        let area = chart.plotting_area();
        let low = 0.5 - count as f64;
        let shown = |level: &&f64| **level > self.figure.least && level.log10() < self.range.1;
        for level in self.figure.levels.0.iter().filter(shown) {
            dashes(area, vec![(level.log10(), low), (level.log10(), 0.5)], LEVEL)?;
        }
        for (index, row) in rows.iter().enumerate() {
            let kinds = row.values.len().max(1) as f64;
            for (k, values) in row.values.iter().enumerate() {
                // Conditions below each other, so that equal errors do not hide one another.
                let y = -(index as f64) + 0.36 * ((kinds - 1.0) / 2.0 - k as f64) / kinds;
                for &value in values.iter().filter(|x| x.is_finite()) {
                    let x = value.max(self.figure.least).log10();
                    mark(area, (x, y), Shape::Kind(k, k % 2 == 0), style::colour(k))?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn infinite_and_tiny_numbers_have_a_place_or_none() {
        let row = |name: &str, values| Row { name: name.into(), values };
        let figure = |rows| RowsFigure {
            title: "title".into(),
            kinds: vec!["true labels".into(), "random labels".into()],
            rows,
            levels: (vec![0.9, 1.0], "a guess".into()),
            x: "error".into(),
            least: 1e-4,
            note: "the command".into(),
        };
        let drawn = rows(&figure(vec![
            row("measured", vec![vec![0.0, 0.1], vec![0.9]]),
            row("norms", vec![vec![1e30], vec![f64::INFINITY]]),
            row("nothing", vec![vec![], vec![]]),
        ]))
        .unwrap();
        for text in
            ["measured", "norms", "nothing", "true labels", "the command", "10³⁰", "a guess"]
        {
            assert!(drawn.svg.contains(text), "{text}");
        }
        let empty = figure(vec![row("none", vec![vec![f64::INFINITY]])]);
        assert_eq!(rows(&empty), Err(FigureError::Empty));
        let wrong = rows(&figure(vec![row("nan", vec![vec![f64::NAN]])]));
        assert!(matches!(wrong, Err(FigureError::NoPlace { what, .. }) if what.contains("nan")));
    }
}
