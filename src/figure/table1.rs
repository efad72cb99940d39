//! Tables 1 and 4: accuracies of each row, with the paper's beside ours.

use super::curves::{AxisScale, Curve, CurveStyle, Plot};
use super::spread::SeedRun;

/// A row: its number, and accuracies in per cent where there are any.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Accuracies {
    /// Its number, from 1.
    pub row: u32,
    /// Training accuracy: ours, the paper's.
    pub train: [Option<f64>; 2],
    /// Test accuracy: ours, the paper's.
    pub test: [Option<f64>; 2],
}

/// Training and test accuracy against the number of the row, which must increase; chance at ten
/// per cent.
///
/// ```
/// use shatter_figure::{draw, table1::{Accuracies, accuracies}};
/// let row = Accuracies { row: 4, train: [Some(99.0), Some(100.0)], test: [Some(80.0), Some(85.75)] };
/// let drawn = draw(&accuracies(&[row], "note"))?;
/// assert!(drawn.svg.contains("test accuracy, paper"));
/// # Ok::<(), shatter_figure::FigureError>(())
/// ```
#[must_use]
pub fn accuracies(rows: &[Accuracies], note: &str) -> Plot {
    let curves = |whose: usize| {
        let named = [("test accuracy", 0), ("training accuracy", 1)];
        let curve = named.map(|(name, kind)| {
            let value = |row: &Accuracies| if kind == 0 { row.test } else { row.train }[whose];
            let point = |row: &Accuracies| Some((f64::from(row.row), value(row)?));
            let points: Vec<_> = rows.iter().filter_map(point).collect();
            Curve {
                name: name.into(),
                kind,
                line: CurveStyle::Points,
                runs: vec![SeedRun { points }],
            }
        });
        curve.into_iter().filter(|curve| !curve.runs[0].points.is_empty()).collect()
    };
    Plot {
        title: "Accuracies of the rows of Tables 1 and 4".into(),
        x: "row (1 to 19: Table 1; from 20 on: Table 4)".into(),
        y: "accuracy (per cent)".into(),
        scale: AxisScale::Linear,
        curves: curves(0),
        reference: curves(1),
        level: Some((10.0, "chance among ten classes".into())),
        note: note.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_is_no_point() {
        let row = |row, test| Accuracies { row, train: [Some(99.0), None], test };
        let plot = accuracies(&[row(1, [Some(1.0), Some(2.0)]), row(3, [None, Some(4.0)])], "");
        let points = |curves: &[Curve]| -> Vec<Vec<(f64, f64)>> {
            curves.iter().map(|curve| curve.runs[0].points.clone()).collect()
        };
        assert_eq!(points(&plot.curves), [vec![(1.0, 1.0)], vec![(1.0, 99.0), (3.0, 99.0)]]);
        assert_eq!(points(&plot.reference), [vec![(1.0, 2.0), (3.0, 4.0)]]);
    }
}
