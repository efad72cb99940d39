//! Table 3: test errors of kernels, a row each, with the paper's beside ours.

use plotters::coord::Shift;
use plotters::prelude::*;

use super::legend::{LINE, wrap};
use super::marker::{Shape, mark};
use super::strokes::{LEVEL, dashes};
use super::style::{self, Axis, INK, SOFT};
use super::{Drawing, FigureError, Rendered, failed};

/// A row: its name, and test errors as shares where there are any.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Errors {
    /// As it stands on the left.
    pub name: String,
    /// Ours.
    pub ours: Option<f64>,
    /// The paper's.
    pub paper: Option<f64>,
}

const WIDTH: u32 = 1200;
/// Height of a row.
const ROW: u32 = 40;
/// Above the first row and below the last: title, legend, numbers, label and footnote.
const AROUND: u32 = 230;
/// Room for names.
const NAMES: u32 = 330;
/// Characters that fit into a line of the footnote.
const NOTE_CHARS: usize = 140;
/// Chance among ten classes, in per cent.
const CHANCE: f64 = 90.0;

/// Draws the rows below each other, errors to the right, and chance among ten classes as a dashed line.
///
/// ```
/// use shatter_figure::table3::{Errors, errors};
/// let row = Errors { name: "pixels".into(), ours: Some(0.0122), paper: Some(0.012) };
/// let drawn = errors(&[row], "note")?;
/// assert!(drawn.svg.contains("pixels") && drawn.svg.contains("1.22 %"));
/// # Ok::<(), shatter_figure::FigureError>(())
/// ```
///
/// # Errors
/// [`FigureError::Empty`] if no row has an error of ours; [`FigureError::NoPlace`] for one that is not finite.
pub fn errors(rows: &[Errors], note: &str) -> Result<Rendered, FigureError> {
    let places = rows.iter().flat_map(|row| [row.ours, row.paper].map(|value| (row, value)));
    let lost = places.filter_map(|(row, value)| Some((row, value.filter(|x| !x.is_finite())?)));
    if let Some((row, value)) = lost.into_iter().next() {
        return Err(FigureError::NoPlace { what: format!("row '{}'", row.name), value });
    }
    match rows.iter().any(|row| row.ours.is_some()) {
        true => super::render(&Rows { rows, note: wrap(note, NOTE_CHARS) }),
        false => Err(FigureError::Empty),
    }
}

struct Rows<'a> {
    rows: &'a [Errors],
    note: Vec<String>,
}

impl Rows<'_> {
    /// Height of the lines of the footnote above the last.
    fn more_note(&self) -> u32 {
        self.note.len().saturating_sub(1) as u32 * LINE as u32
    }

    fn legend<DB: DrawingBackend>(&self, area: &DrawingArea<DB, Shift>) -> Result<(), FigureError> {
        let y = 10;
        let say = |x: i32, text: &str| {
            area.draw_text(text, &style::text(style::NUMBER, INK), (x, y)).map_err(failed)
        };
        mark(area, (40, y), Shape::Kind(0, true), style::colour(0))?;
        say(56, "test error")?;
        mark(area, (180, y), Shape::Kind(0, false), style::colour(1))?;
        say(196, "test error, paper")?;
        dashes(area, vec![(376, y), (420, y)], LEVEL)?;
        say(432, "chance among ten classes")
    }
}

impl Drawing for Rows<'_> {
    fn size(&self) -> (u32, u32) {
        (WIDTH, AROUND + ROW * self.rows.len() as u32 + self.more_note())
    }

    fn draw<DB: DrawingBackend>(&self, sheet: &DrawingArea<DB, Shift>) -> Result<(), FigureError> {
        let (last, above) = match self.note.split_last() {
            Some((last, above)) => (last.as_str(), above),
            None => ("", [].as_slice()),
        };
        let title = "Test errors of kernels (Table 3)";
        let body = style::frame(sheet, title, last)?;
        let bottom = self.size().1 as i32 - 20;
        for (i, line) in above.iter().rev().enumerate() {
            let at = (24, bottom - LINE * (i as i32 + 1));
            sheet.draw_text(line, &style::text(style::CAPTION, SOFT), at).map_err(failed)?;
        }
        let (top, body) = body.margin(0, self.more_note(), 0, 0).split_vertically(30);
        self.legend(&top)?;
        // Row k, from 0, stands at −k, so that the first is at the top.
        let count = self.rows.len();
        let places = (0..count).map(|k| -(k as f64)).collect();
        let mut chart = ChartBuilder::on(&body)
            .margin_left(style::EDGE)
            .margin_right(40)
            .y_label_area_size(NAMES)
            .x_label_area_size(64)
            .build_cartesian_2d(
                Axis::new((-2.0, 104.0), style::ticks(0.0, 100.0, 10, true)),
                Axis::new((0.5 - count as f64, 0.5), places),
            )
            .map_err(failed)?;
        let name = |y: &f64| {
            self.rows.get((-y).round() as usize).map_or_else(String::new, |row| row.name.clone())
        };
        chart
            .configure_mesh()
            .bold_line_style(style::GRID)
            .light_line_style(TRANSPARENT)
            .axis_style(INK)
            .x_desc("test error (per cent)")
            .axis_desc_style(style::axis_text(style::LABEL))
            .label_style(style::axis_text(style::NUMBER))
            .x_label_formatter(&|x| style::plain(*x))
            .y_label_formatter(&name)
            .draw()
            .map_err(failed)?;
        let area = chart.plotting_area();
        dashes(area, vec![(CHANCE, 0.5 - count as f64), (CHANCE, 0.5)], LEVEL)?;
        for (k, row) in self.rows.iter().enumerate() {
            let y = -(k as f64);
            let per_cent = |share: f64| 100.0 * share;
            if let Some(paper) = row.paper {
                mark(area, (per_cent(paper), y), Shape::Kind(0, false), style::colour(1))?;
            }
            let Some(ours) = row.ours else { continue };
            mark(area, (per_cent(ours), y), Shape::Kind(0, true), style::colour(0))?;
            let paper =
                row.paper.map_or(String::new(), |x| format!(" (paper {:.1} %)", per_cent(x)));
            let text = format!("{:.2} %{paper}", per_cent(ours));
            // To the left of what is far to the right.
            let left = ours > 0.6;
            let shift = if left { -(10 + 9 * text.chars().count() as i32) } else { 14 };
            let far = f64::max(per_cent(ours), row.paper.map_or(0.0, per_cent));
            let from = if left { per_cent(ours) } else { far };
            area.draw(
                &(EmptyElement::at((from, y))
                    + Text::new(text, (shift, 0), style::text(style::CAPTION, INK))),
            )
            .map_err(failed)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_have_names_and_what_is_not_there_is_left_out() {
        let row = |name: &str, ours, paper| Errors { name: name.into(), ours, paper };
        let rows = [
            row("one", Some(0.46), Some(0.45)),
            row("two", None, Some(0.17)),
            row("three", Some(0.9), None),
        ];
        let drawn = errors(&rows, "the command").unwrap();
        for text in ["one", "two", "three", "46.00 % (paper 45.0 %)", "90.00 %", "the command"] {
            assert!(drawn.svg.contains(text), "{text}");
        }
        assert_eq!(drawn.svg.matches(" (paper ").count(), 1);
        assert_eq!(errors(&rows[1..2], ""), Err(FigureError::Empty));
        let wrong = errors(&[row("nan", Some(f64::NAN), None)], "");
        assert!(matches!(wrong, Err(FigureError::NoPlace { what, .. }) if what.contains("nan")));
    }
}
