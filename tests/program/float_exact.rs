//! Promise: `fit` and `eval` claim that nothing rounds only where it does not.

use crate::common::program::{npy, read_json, shatter, status, stderr, stdout};

/// The sample by which `fit` once claimed float-exactness of such points: k · 2^-1040, labels m · 2^-30.
#[test]
fn a_fit_of_points_below_the_normal_range_is_not_called_float_exact() {
    let folder = tempfile::tempdir().unwrap();
    // Below the normal range the bits are multiples of 2^-1074.
    let points: Vec<f64> = (1..=6u64).map(|k| f64::from_bits(k << (1074 - 1040))).collect();
    assert!(points.iter().all(|x| x.is_subnormal()));
    let labels = [5.0, -3.0, 2.0, 7.0, -1.0, 4.0].map(|m| m / f64::from(1 << 30));
    let bytes = |numbers: &[f64]| numbers.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>();
    npy(&folder, "x.npy", "<f8", "(6, 1)", &bytes(&points));
    npy(&folder, "y.npy", "<f8", "(6,)", &bytes(&labels));
    // The same sample in the normal range is float-exact: it is this alone that is refused.
    let scaled: Vec<f64> = (1..=6).map(f64::from).collect();
    npy(&folder, "k.npy", "<f8", "(6, 1)", &bytes(&scaled));
    let fit = |points: &str, out: &str| {
        let output = shatter(&folder, &["fit", &format!("npy:{points},y.npy"), "--out", out]);
        assert_eq!(status(&output), 0, "{}", stderr(&output));
        (stdout(&output), read_json(&folder, &format!("{out}/fit.json")))
    };
    let (text, found) = fit("k.npy", "normal");
    assert!(text.contains("float-exact under ieee"), "{text}");
    assert_eq!(found["float_exactness"]["binary64"], true, "{found}");
    let (text, found) = fit("x.npy", "flushed");
    assert!(!text.contains("float-exact under"), "{text}");
    assert!(text.contains("a coordinate is not a normal number of binary64"), "{text}");
    assert_eq!(found["float_exactness"]["binary64"], false, "{found}");
    // Nor does `eval` of what was built.
    let eval = shatter(&folder, &["eval", "flushed/network.txt", "npy:x.npy,y.npy"]);
    assert_eq!(status(&eval), 0, "{}", stderr(&eval));
    assert!(!stdout(&eval).contains("float-exact under"), "{}", stdout(&eval));
}
