//! Promise: rows, slices and arrays of a program become points and labels, or an error that names the row.

use proptest::prelude::*;
use shatter_sample::{Labels, Points, RawSample, SampleError, Values};

/// Each type of coordinates, as vectors, slices and arrays.
#[test]
fn every_type_of_coordinates_keeps_its_numbers() {
    let integers = |points: Points| match points.values() {
        Values::I64(values) => values.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(integers(Points::try_from([[1i64, -2], [3, 4]]).unwrap()), [1, -2, 3, 4]);
    assert_eq!(
        integers(Points::try_from(vec![vec![1i32, -2], vec![3, 4]]).unwrap()),
        [1, -2, 3, 4]
    );
    assert_eq!(integers(Points::try_from([[1i16], [-2]]).unwrap()), [1, -2]);
    assert_eq!(integers(Points::try_from([[1i8], [-2]]).unwrap()), [1, -2]);
    assert_eq!(integers(Points::try_from([[u32::MAX], [2]]).unwrap()), [i64::from(u32::MAX), 2]);
    assert_eq!(integers(Points::try_from([[u16::MAX], [2]]).unwrap()), [65535, 2]);
    let rows: Vec<[u8; 2]> = vec![[1, 2], [3, 255]];
    let slices: Vec<&[u8]> = rows.iter().map(|row| &row[..]).collect();
    let bytes = Points::try_from(&slices[..]).unwrap();
    assert_eq!((bytes.values(), bytes.n(), bytes.d()), (&Values::U8(vec![1, 2, 3, 255]), 2, 2));
    let single = Points::try_from(vec![[0.5f32], [0.1]]).unwrap();
    assert_eq!(*single.values(), Values::F32(vec![0.5, 0.1]));
}

/// Whole numbers and truth values are classes, other numbers real labels.
#[test]
fn every_type_of_labels_says_what_it_is() {
    let expected = Labels::classes(vec![2, 0, 1], 3).unwrap();
    assert_eq!(Labels::try_from([2i64, 0, 1]).unwrap(), expected);
    assert_eq!(Labels::try_from(vec![2i32, 0, 1]).unwrap(), expected);
    assert_eq!(Labels::try_from(&[2i16, 0, 1][..]).unwrap(), expected);
    assert_eq!(Labels::try_from([2i8, 0, 1]).unwrap(), expected);
    assert_eq!(Labels::try_from([2u64, 0, 1]).unwrap(), expected);
    assert_eq!(Labels::try_from([2u32, 0, 1]).unwrap(), expected);
    assert_eq!(Labels::try_from([2u16, 0, 1]).unwrap(), expected);
    assert_eq!(Labels::try_from([2u8, 0, 1]).unwrap(), expected);
    assert_eq!(Labels::try_from([2usize, 0, 1]).unwrap(), expected);
    // Two classes, also where one does not occur.
    let truths = Labels::try_from([false, false]).unwrap();
    assert_eq!(truths, Labels::classes(vec![0, 0], 2).unwrap());
    let real = Labels::real(vec![0.5, -1.0], 1).unwrap();
    assert_eq!(Labels::try_from([0.5f64, -1.0]).unwrap(), real);
    assert_eq!(Labels::try_from([0.5f32, -1.0]).unwrap(), real);
    let vectors = Labels::real(vec![0.5, 1.0, 0.0, 2.0], 2).unwrap();
    let rows = [[0.5, 1.0], [0.0, 2.0]];
    assert_eq!(Labels::try_from(rows).unwrap(), vectors);
    assert_eq!(Labels::try_from(rows.map(Vec::from)).unwrap(), vectors);
    assert_eq!(Labels::try_from([&rows[0][..], &rows[1][..]]).unwrap(), vectors);
}

/// Expected failures.
#[test]
fn refusals_name_the_row_and_the_value() {
    let none: [[f64; 2]; 0] = [];
    assert!(matches!(Points::try_from(none), Err(SampleError::Empty)));
    let ragged = Points::try_from(vec![vec![1, 2], vec![3, 4], vec![5]]).unwrap_err();
    assert!(matches!(ragged, SampleError::RowLength { row: 2, found: 1, expected: 2 }), "{ragged}");
    let ragged = Labels::try_from([vec![1.0], vec![]]).unwrap_err();
    assert!(matches!(ragged, SampleError::RowLength { row: 1, found: 0, expected: 1 }), "{ragged}");
    for error in [
        Labels::try_from([0, 1, -1]).unwrap_err(),
        Labels::try_from([0, 1, u64::from(u32::MAX)]).unwrap_err(),
        Labels::try_from([0, 1, usize::MAX]).unwrap_err(),
    ] {
        assert!(matches!(error, SampleError::NotAClass { index: 2, .. }), "{error}");
    }
    assert!(Points::try_from([[f32::NAN]]).is_err() && Labels::try_from([f64::INFINITY]).is_err());
    let points = Points::try_from([[1], [2]]).unwrap();
    assert!(RawSample::new("two points", points, Labels::try_from([1]).unwrap()).is_err());
}

proptest! {
    /// One row after the other.
    #[test]
    fn rows_are_joined_in_order(rows in prop::collection::vec(prop::array::uniform3(-9i64..9), 1..9)) {
        let points = Points::try_from(&rows[..]).expect("rows of three");
        prop_assert_eq!((points.n(), points.d()), (rows.len(), 3));
        prop_assert_eq!(points.values(), &Values::I64(rows.concat()));
    }
}
