//! Promise: on one fixed sample the constructions have the sizes that their formulas say, number for
//! number, and a residual of exactly 0.
//!
//! The sample is 60 points of 4 integer coordinates up to 1000 in absolute value with labels 0, …, 9,
//! as an independent implementation in Python drew it; the sizes are those that it found. Bits are not
//! compared: ours count a sign a number, and scale planes and slopes to powers of two and whole numbers.

use shatter_construct::{DirectionRule, Task, catalogue};
use shatter_network::first_misfit;
use shatter_sample::{Labels, Points, Values};

/// Four coordinates and a label in each row.
const ROWS: &str = include_str!("../data/section_six.csv");

fn sample() -> (Points, Labels) {
    let rows = ROWS.lines().map(|row| row.split(',').map(|cell| cell.parse::<i64>().unwrap()));
    let (mut x, mut y) = (Vec::new(), Vec::new());
    for row in rows {
        let row: Vec<i64> = row.collect();
        x.extend_from_slice(&row[..4]);
        y.push(row[4] as u32);
    }
    (Points::new(Values::I64(x), vec![4]).unwrap(), Labels::classes(y, 10).unwrap())
}

#[test]
fn sizes_number_for_number() {
    // Name; depth, units, widest layer, weights and biases that are not 0.
    let table = [
        ("depth-two-data", [2, 60, 60, 360]),
        ("bubeck-4", [2, 60, 60, 360]),
        ("bubeck-3", [2, 45, 45, 270]),
        ("hull-peeling", [2, 22, 22, 130]),
        ("width-two", [61, 119, 2, 243]),
        ("two-hidden", [3, 20, 11, 171]),
        ("bit-extraction", [80, 349, 6, 766]),
    ];
    let (points, labels) = sample();
    assert_eq!((points.n(), points.d()), (60, 4));
    let task = Task { direction: DirectionRule::Moment, ..Task::new(&points, &labels, 1) };
    for (name, expected) in table {
        let construction = catalogue::find(name).unwrap();
        let network = construction.build(&task).unwrap();
        let sizes = network.sizes();
        assert_eq!([sizes.depth, sizes.units, sizes.width, sizes.nonzero], expected, "{name}");
        assert_eq!(construction.promise(&task).unwrap().broken_by(&sizes), None, "{name}");
        assert_eq!(first_misfit(&network, &points, &labels, construction.target()), None, "{name}");
        println!("{name}: {sizes:?}");
    }
}
