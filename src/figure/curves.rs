//! Curves over seeds: the mean of the seeds as a line, a band from the smallest to the largest
//! behind it, and the paper's values with open markers beside them.
//!
//! Where the runs of a curve have different lengths, each x shows those that still run there.
//! A run that diverged ends before its first value that is not finite, a cross marks the place,
//! and the legend counts such runs. One seed has no band. The legend stands beside the plot.

use std::ops::Range;

use plotters::coord::Shift;
use plotters::prelude::*;

use super::legend::{self, Entry, wrap};
use super::marker::{Shape, mark};
use super::spread::{SeedRun, Spread, spread};
use super::strokes::{LEVEL, dashes, draw_band, draw_line};
use super::style::{self, Axis, INK, SOFT};
use super::{Drawing, FigureError, Rendered, failed};

/// The style of a curve.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CurveStyle {
    /// A solid line with some markers.
    #[default]
    Solid,
    /// A dashed line without markers.
    Dashed,
    /// Markers without a line.
    Points,
}

/// A quantity in all seeds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Curve {
    /// As the legend names it.
    pub name: String,
    /// Colour and marker; curves of one kind share them, and share them with the paper's.
    pub kind: usize,
    /// How it is drawn. The paper's lines are thin and dashed, whether solid or dashed.
    pub line: CurveStyle,
    /// One a seed.
    pub runs: Vec<SeedRun>,
}

/// The scale of the vertical axis.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AxisScale {
    /// Equal steps.
    #[default]
    Linear,
    /// Equal factors; numbers must be above 0.
    Log,
}

/// A figure of curves over seeds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plot {
    /// Heading.
    pub title: String,
    /// Label of the horizontal axis.
    pub x: String,
    /// Label of the vertical axis.
    pub y: String,
    /// The vertical axis.
    pub scale: AxisScale,
    /// Ours.
    pub curves: Vec<Curve>,
    /// The paper's.
    pub reference: Vec<Curve>,
    /// A dashed horizontal line and its name.
    pub level: Option<(f64, String)>,
    /// Footnote: the command and the commit that made the records.
    pub note: String,
}

/// Draws curves over seeds.
///
/// ```
/// use shatter_figure::{Curve, Plot, SeedRun, draw};
/// let runs = [0.9, 0.8].map(|y| SeedRun { points: vec![(0.0, 2.3), (1.0, y)] }).to_vec();
/// let curve = Curve { name: "random labels".into(), runs, ..Curve::default() };
/// let plot = Plot { x: "thousand steps".into(), curves: vec![curve], ..Plot::default() };
/// assert!(draw(&plot)?.svg.contains("random labels"));
/// # Ok::<(), shatter_figure::FigureError>(())
/// ```
///
/// # Errors
/// [`FigureError::Empty`] if no curve has a finite point; [`FigureError::NoPlace`] for an x, a value
/// of the paper or a level that is not finite, and on a logarithmic axis for numbers that are not
/// above 0; [`FigureError::Order`] if the x of a run do not increase.
pub fn draw(plot: &Plot) -> Result<Rendered, FigureError> {
    plot.check()?;
    super::render(&Laid::new(plot))
}

impl Plot {
    fn check(&self) -> Result<(), FigureError> {
        for (curves, paper) in [(&self.curves, false), (&self.reference, true)] {
            for curve in curves {
                self.check_curve(curve, paper)?;
            }
        }
        if let Some((level, name)) = &self.level {
            self.place(*level, || format!("level '{name}'"))?;
        }
        let drawn = |curve: &Curve| curve.runs.iter().any(|run| !run.finite().is_empty());
        if self.curves.iter().any(drawn) { Ok(()) } else { Err(FigureError::Empty) }
    }

    fn check_curve(&self, curve: &Curve, paper: bool) -> Result<(), FigureError> {
        for (k, run) in curve.runs.iter().enumerate() {
            let what = |i: usize| {
                let whose = if paper { "the paper's curve" } else { "curve" };
                format!("{whose} '{}', run {k}, point {i}", curve.name)
            };
            if let Some(i) = run.points.iter().position(|point| !point.0.is_finite()) {
                return Err(FigureError::NoPlace { what: what(i), value: run.points[i].0 });
            }
            if let Some(i) = run.points.windows(2).position(|pair| pair[0].0 >= pair[1].0) {
                return Err(FigureError::Order { what: what(i + 1) });
            }
            let shown = if paper { &run.points } else { run.finite() };
            for (i, point) in shown.iter().enumerate() {
                self.place(point.1, || what(i))?;
            }
        }
        Ok(())
    }

    fn place(&self, value: f64, what: impl Fn() -> String) -> Result<(), FigureError> {
        let possible = value.is_finite() && (self.scale == AxisScale::Linear || value > 0.0);
        if possible { Ok(()) } else { Err(FigureError::NoPlace { what: what(), value }) }
    }

    /// Where a number stands on the vertical axis.
    fn height(&self, y: f64) -> f64 {
        match self.scale {
            AxisScale::Linear => y,
            AxisScale::Log => y.log10(),
        }
    }
}

const WIDTH: u32 = 1200;
const HEIGHT: u32 = 660;
const RIGHT: u32 = 350;
/// Characters that fit into a line of the footnote.
const NOTE_CHARS: usize = 140;

/// A plot with what is to be drawn of it.
struct Laid<'a> {
    plot: &'a Plot,
    /// As in the plot, y on the axis.
    curves: Vec<Vec<Spread>>,
    reference: Vec<Vec<Spread>>,
    legend: Vec<Entry<'a>>,
    note: Vec<String>,
}

impl<'a> Laid<'a> {
    fn new(plot: &'a Plot) -> Laid<'a> {
        let on_axis = |curve: &Curve| {
            let all = spread(&curve.runs).into_iter();
            let height = |y| plot.height(y);
            all.map(|s| Spread {
                mean: height(s.mean),
                low: height(s.low),
                high: height(s.high),
                ..s
            })
            .collect()
        };
        let curves = plot.curves.iter().map(on_axis).collect();
        let reference = plot.reference.iter().map(on_axis).collect();
        let note = wrap(&plot.note, NOTE_CHARS);
        Laid { plot, curves, reference, legend: legend::legend(plot), note }
    }

    fn all(&self) -> impl Iterator<Item = &Spread> {
        self.curves.iter().chain(&self.reference).flatten()
    }

    fn ranges(&self) -> (Range<f64>, Range<f64>) {
        let (x0, x1) = style::ends(self.all().map(|s| s.x));
        let level = self.plot.level.iter().map(|level| self.plot.height(level.0));
        let (mut y0, mut y1) = style::ends(self.all().flat_map(|s| [s.low, s.high]).chain(level));
        match self.plot.scale {
            // 0 is shown where it is near.
            AxisScale::Linear if y0 > 0.0 && y0 < y1 / 4.0 => y0 = 0.0,
            AxisScale::Linear => {}
            AxisScale::Log => (y0, y1) = (y0.floor(), y1.ceil()),
        }
        (with_room(x0, x1, 50.0), with_room(y0, y1, 20.0))
    }
}

/// `low..high` with a share of its length on both sides, of a length above 0.
fn with_room(low: f64, high: f64, share: f64) -> Range<f64> {
    let room = match high / share - low / share {
        room if room > 0.0 => room,
        _ => low.abs().max(1.0) / 2.0,
    };
    (low - room).max(f64::MIN)..(high + room).min(f64::MAX)
}

impl Drawing for Laid<'_> {
    fn size(&self) -> (u32, u32) {
        let legend: i32 = self.legend.iter().map(Entry::height).sum();
        (WIDTH, HEIGHT.max(legend as u32 + 100) + self.more_note())
    }

    fn draw<DB: DrawingBackend>(&self, sheet: &DrawingArea<DB, Shift>) -> Result<(), FigureError> {
        let (last, above) = match self.note.split_last() {
            Some((last, above)) => (last.as_str(), above),
            None => ("", [].as_slice()),
        };
        let body = style::frame(sheet, &self.plot.title, last)?;
        let bottom = self.size().1 as i32 - 20;
        for (i, line) in above.iter().rev().enumerate() {
            let at = (24, bottom - legend::LINE * (i as i32 + 1));
            sheet.draw_text(line, &style::text(style::CAPTION, SOFT), at).map_err(failed)?;
        }
        let body = body.margin(0, self.more_note(), 0, 0);
        let (chart, legend) = body.split_horizontally((WIDTH - RIGHT) as i32);
        self.draw_chart(&chart)?;
        let mut y = 20;
        for entry in &self.legend {
            entry.draw(&legend, y)?;
            y += entry.height();
        }
        Ok(())
    }
}

impl Laid<'_> {
    /// Height of the lines of the footnote above the last.
    fn more_note(&self) -> u32 {
        self.note.len().saturating_sub(1) as u32 * legend::LINE as u32
    }

    fn draw_chart<DB: DrawingBackend>(
        &self,
        area: &DrawingArea<DB, Shift>,
    ) -> Result<(), FigureError> {
        let (x, y) = self.ranges();
        let log = self.plot.scale == AxisScale::Log;
        let x_axis = Axis::new((x.start, x.end), style::ticks(x.start, x.end, 11, false));
        let y_axis = Axis::new((y.start, y.end), style::ticks(y.start, y.end, 10, log));
        let mut chart = ChartBuilder::on(area)
            .margin_left(style::EDGE)
            .y_label_area_size(90)
            .x_label_area_size(64)
            .build_cartesian_2d(x_axis, y_axis)
            .map_err(failed)?;
        let number = |y: &f64| match log {
            true => style::power_of_ten(y.round() as i64),
            false => style::plain(*y),
        };
        chart
            .configure_mesh()
            .bold_line_style(style::GRID)
            .light_line_style(TRANSPARENT)
            .axis_style(INK)
            .x_desc(&self.plot.x)
            .y_desc(&self.plot.y)
            .axis_desc_style(style::axis_text(style::LABEL))
            .label_style(style::axis_text(style::NUMBER))
            .x_label_formatter(&|x| style::plain(*x))
            .y_label_formatter(&number)
            .draw()
            .map_err(failed)?;
        let area = chart.plotting_area();
        for (curve, points) in self.plot.curves.iter().zip(&self.curves) {
            draw_band(area, style::colour(curve.kind), points)?;
        }
        if let Some((level, _)) = self.plot.level {
            let level = self.plot.height(level);
            dashes(area, vec![(x.start, level), (x.end, level)], LEVEL)?;
        }
        for (curve, points) in self.plot.reference.iter().zip(&self.reference) {
            draw_line(area, curve, true, points)?;
        }
        for (curve, points) in self.plot.curves.iter().zip(&self.curves) {
            draw_line(area, curve, false, points)?;
            for run in curve.runs.iter().filter(|run| run.diverged()) {
                if let Some(&(x, y)) = run.finite().last() {
                    let at = (x, self.plot.height(y));
                    mark(area, at, Shape::Cross, style::colour(curve.kind))?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{colours, polylines};
    use super::*;

    fn curve(name: &str, kind: usize, line: CurveStyle, runs: &[&[(f64, f64)]]) -> Curve {
        let runs = runs.iter().map(|points| SeedRun { points: points.to_vec() }).collect();
        Curve { name: name.into(), kind, line, runs }
    }

    fn plot(curves: Vec<Curve>) -> Plot {
        let [title, x, y] = ["Title", "thousand steps", "loss"].map(String::from);
        Plot { title, x, y, curves, note: "shatter randomize".into(), ..Plot::default() }
    }

    const DOWN: &[(f64, f64)] = &[(0.0, 2.3), (1.0, 1.0), (2.0, 0.1)];
    const SLOW: &[(f64, f64)] = &[(0.0, 2.4), (1.0, 1.4), (2.0, 0.3)];

    #[test]
    fn lines_bands_axes_and_legend_are_there() {
        let two = curve("random labels <p & q>", 0, CurveStyle::Solid, &[DOWN, SLOW]);
        let mut plot = plot(vec![two, curve("true labels", 3, CurveStyle::Solid, &[DOWN])]);
        plot.reference =
            vec![curve("random labels", 0, CurveStyle::Points, &[&[(0.4, 2.3), (3.0, 0.1)]])];
        plot.level = Some((2.0, "chance".into()));
        let Rendered { svg, png } = draw(&plot).unwrap();
        for text in [
            "Title",
            "thousand steps",
            "loss",
            "shatter randomize",
            "random labels &lt;p &amp; q",
            "true labels",
            "random labels, paper",
            "chance",
            "smallest to largest",
        ] {
            assert!(svg.contains(text), "{text}");
        }
        // Each line in the plot and in the legend; markers of kinds 0 and 3 are circles.
        assert_eq!([0, 3].map(|kind| polylines(&svg, style::colour(kind))), [2, 2]);
        // Three points and one in the legend for each of ours, two and one for the paper's.
        assert_eq!(svg.matches("<circle").count(), 4 + 4 + 3);
        assert_eq!(svg.matches("<polygon opacity=\"0.2\"").count(), 1);
        assert!(polylines(&svg, SOFT) > 20, "the level is dashed");
        assert!(colours(&png) > 20);
    }

    #[test]
    fn one_seed_has_no_band_and_several_have_one_where_several_run() {
        let svg = |runs: &[&[(f64, f64)]]| {
            draw(&plot(vec![curve("a", 0, CurveStyle::Solid, runs)])).unwrap().svg
        };
        assert!(!svg(&[DOWN]).contains("opacity=\"0.2\""));
        assert!(!svg(&[DOWN]).contains("smallest to largest"));
        assert_eq!(svg(&[DOWN, SLOW]).matches("<polygon opacity=\"0.2\"").count(), 1);
        // Together only before 1 and after 3.
        let broken: [&[(f64, f64)]; 3] =
            [&[(0.0, 1.0), (4.0, 1.0)], &[(0.0, 2.0), (1.0, 2.0)], &[(3.0, 2.0), (4.0, 3.0)]];
        let between: [&[(f64, f64)]; 4] = [broken[0], broken[1], broken[2], &[(2.0, 1.0)]];
        assert_eq!(svg(&broken).matches("<polygon opacity=\"0.2\"").count(), 1);
        assert_eq!(svg(&between).matches("<polygon opacity=\"0.2\"").count(), 1);
        // One point in several seeds: a bar.
        let bar = svg(&[&[(1.0, 1.0)], &[(1.0, 2.0)]]);
        assert_eq!(bar.matches("opacity=\"0.2\" stroke").count(), 1);
    }

    #[test]
    fn a_run_that_diverged_is_cut_off_and_counted() {
        let lost = &[(0.0, 2.3), (1.0, 50.0), (2.0, f64::INFINITY), (3.0, 1e9)];
        let svg = |runs: &[&[(f64, f64)]]| {
            draw(&plot(vec![curve("a", 0, CurveStyle::Solid, runs)])).unwrap().svg
        };
        assert!(svg(&[DOWN, lost]).contains("a (1 of 2 diverged)"));
        assert!(svg(&[lost]).contains("a (diverged)"));
        assert!(svg(&[lost]).contains("last finite value"));
        assert!(!svg(&[DOWN]).contains("diverged"));
        // What is cut off widens no axis.
        let ranges = |points: &[(f64, f64)]| {
            Laid::new(&plot(vec![curve("a", 0, CurveStyle::Solid, &[points])])).ranges()
        };
        assert_eq!(ranges(lost), ranges(&lost[..2]));
    }

    #[test]
    fn awkward_numbers_are_drawn() {
        let max = f64::MAX;
        let cases: [&[(f64, f64)]; 9] = [
            &[(3.0, 7.0)],
            &[(0.0, 0.0), (1.0, 0.0)],
            &[(0.0, 0.1), (1e-320, 0.1)],
            &[(0.0, 5e-324), (1.0, 0.0)],
            &[(-max, -max), (max, max)],
            &[(0.0, max)],
            &[(1e300, 1e-300), (1.1e300, 1.0)],
            &[(0.0, 1.0), (1.0, f64::NAN)],
            &[(-0.0, 1.0), (1e17, 1.0 + f64::EPSILON)],
        ];
        for points in cases {
            for line in [CurveStyle::Solid, CurveStyle::Dashed, CurveStyle::Points] {
                for runs in [vec![points], vec![points; 3], vec![points, DOWN]] {
                    let plot = plot(vec![curve("a", 2, line, &runs)]);
                    assert!(draw(&plot).unwrap().svg.contains("thousand steps"), "{points:?}");
                }
            }
        }
        let log = |y: f64| {
            let plot = plot(vec![curve("a", 0, CurveStyle::Solid, &[&[(0.0, 1.0), (1.0, y)]])]);
            draw(&Plot { scale: AxisScale::Log, ..plot })
        };
        assert!([max, 5e-324, 1.0, 0.999].into_iter().all(|y| log(y).is_ok()));
        assert!(log(1e-4).unwrap().svg.contains("10⁻⁴"));
    }

    #[test]
    fn what_has_no_place_is_named() {
        let nan = curve("a", 0, CurveStyle::Solid, &[&[(0.0, f64::NAN)]]);
        for empty in [vec![], vec![curve("a", 0, CurveStyle::Solid, &[&[]])], vec![nan.clone()]] {
            assert_eq!(draw(&plot(empty)), Err(FigureError::Empty));
        }
        let message = |plot: &Plot| draw(plot).unwrap_err().to_string();
        let ours = |points| plot(vec![curve("a", 0, CurveStyle::Solid, &[DOWN, points])]);
        assert_eq!(
            message(&ours(&[(0.0, 1.0), (f64::INFINITY, 1.0)])),
            "curve 'a', run 1, point 1: inf cannot be drawn; the axis takes finite numbers, a logarithmic one positive numbers"
        );
        assert_eq!(
            message(&ours(&[(0.0, 1.0), (2.0, 1.0), (2.0, 1.0)])),
            "curve 'a', run 1, point 2: x must increase from point to point"
        );
        let log = Plot { scale: AxisScale::Log, ..ours(&[(0.0, 1.0), (1.0, 0.0)]) };
        assert!(message(&log).starts_with("curve 'a', run 1, point 1: 0 cannot be drawn; "));
        let level = Plot { level: Some((f64::NAN, "chance".into())), ..ours(DOWN) };
        assert!(message(&level).starts_with("level 'chance': NaN cannot be drawn; "));
        let paper = Plot { reference: vec![nan], ..ours(DOWN) };
        assert!(message(&paper).starts_with("the paper's curve 'a', run 0, point 0: NaN"));
    }

    #[test]
    fn the_same_plot_gives_the_same_bytes() {
        let plot = plot(vec![curve("a", 1, CurveStyle::Dashed, &[DOWN, SLOW])]);
        assert_eq!(draw(&plot), draw(&plot));
    }

    #[test]
    fn long_texts_are_broken_and_make_the_sheet_higher() {
        assert_eq!(wrap("aa bb  cc", 5), ["aa bb", "cc"]);
        assert_eq!(wrap("abcdefgh i", 5), ["abcdefgh", "i"]);
        assert!(wrap("", 5).is_empty());
        let mut plot = plot(vec![curve("a", 0, CurveStyle::Solid, &[DOWN])]);
        let height = |plot: &Plot| Laid::new(plot).size().1;
        assert_eq!(height(&plot), HEIGHT);
        plot.note = "word ".repeat(NOTE_CHARS / 5 + 1);
        assert_eq!(height(&plot), HEIGHT + legend::LINE as u32);
        plot.curves = vec![plot.curves[0].clone(); 40];
        assert!(height(&plot) > 40 * legend::ENTRY as u32);
        assert!(draw(&plot).is_ok());
    }
}
