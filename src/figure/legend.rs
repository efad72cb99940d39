//! The legend of curves over seeds: what each line, marker and band is.

use plotters::coord::Shift;
use plotters::prelude::*;

use super::curves::{Curve, Plot};
use super::marker::{Shape, mark};
use super::spread::SeedRun;
use super::strokes::{self, dashes, draw_path, shape};
use super::style::{self, INK};
use super::{FigureError, failed};

/// Distance of entries.
pub(super) const ENTRY: i32 = 30;
/// Distance of further lines of an entry, and of a footnote.
pub(super) const LINE: i32 = 20;
/// Characters that fit beside an entry's sign.
const NAME_CHARS: usize = 27;

/// What stands beside the text of a legend entry.
enum Sign<'a> {
    /// A curve, and whether it is the paper's.
    Curve(&'a Curve, bool),
    Level,
    Band,
    Cross,
}

pub(super) struct Entry<'a> {
    sign: Sign<'a>,
    text: Vec<String>,
}

/// The entries for everything that a plot shows.
pub(super) fn legend(plot: &Plot) -> Vec<Entry<'_>> {
    let entry = |sign, text: &str| Entry { sign, text: wrap(text, NAME_CHARS) };
    let mut all = Vec::new();
    for curve in &plot.curves {
        let (lost, runs) =
            (curve.runs.iter().filter(|run| run.diverged()).count(), curve.runs.len());
        let name = match lost {
            0 => curve.name.clone(),
            _ if runs == 1 => format!("{} (diverged)", curve.name),
            _ => format!("{} ({lost} of {runs} diverged)", curve.name),
        };
        all.push(entry(Sign::Curve(curve, false), &name));
    }
    for curve in &plot.reference {
        all.push(entry(Sign::Curve(curve, true), &format!("{}, paper", curve.name)));
    }
    if let Some((_, name)) = &plot.level {
        all.push(entry(Sign::Level, name));
    }
    if plot.curves.iter().any(|curve| curve.runs.len() > 1) {
        all.push(entry(Sign::Band, "smallest to largest over seeds; line: mean"));
    }
    if plot.curves.iter().flat_map(|curve| &curve.runs).any(SeedRun::diverged) {
        all.push(entry(Sign::Cross, "last finite value of a run that diverged"));
    }
    all
}

impl Entry<'_> {
    pub(super) fn height(&self) -> i32 {
        ENTRY + LINE * (self.text.len().max(1) as i32 - 1)
    }

    pub(super) fn draw<DB: DrawingBackend>(
        &self,
        area: &DrawingArea<DB, Shift>,
        y: i32,
    ) -> Result<(), FigureError> {
        let (from, middle, to) = ((20, y), (42, y), (64, y));
        match self.sign {
            Sign::Curve(curve, paper) => {
                draw_path(area, curve, paper, vec![from, to])?;
                if let Some(shape) = shape(curve, paper) {
                    mark(area, middle, shape, style::colour(curve.kind))?;
                }
            }
            Sign::Level => dashes(area, vec![from, to], strokes::LEVEL)?,
            Sign::Band => {
                let band =
                    Rectangle::new([(20, y - 8), (64, y + 8)], INK.mix(strokes::SHADE).filled());
                area.draw(&band).map_err(failed)?;
            }
            Sign::Cross => mark(area, middle, Shape::Cross, INK)?,
        }
        for (i, line) in self.text.iter().enumerate() {
            let at = (76, y + LINE * i as i32);
            area.draw_text(line, &style::text(style::NUMBER, INK), at).map_err(failed)?;
        }
        Ok(())
    }
}

/// Lines of at most so many characters, broken between words; a longer word stays whole.
pub(super) fn wrap(text: &str, most: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= most => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}
