//! Promise: models and certificates are read as they were written, and every other file is refused in words.

use shatter_kernel::certificate::{self, Arithmetic, CertificateError};
use shatter_kernel::certify::certify;
use shatter_kernel::file::{self, FileError};
use shatter_kernel::{Features, Kernel, Meaning, Model, Numbers, Origin, Settings, fit, unwatched};
use shatter_sample::Labels;

fn fitted() -> (Model, Features, Labels) {
    let points = Features::new(Numbers::U8(vec![1, 9, 200, 4, 77, 30]), 2, 255.0).unwrap();
    let names = ["a, b", "c"].map(String::from).to_vec();
    let labels = Labels::Classes { of: vec![0, 1, 1], count: 2, names, numbered: false };
    let origin = Origin {
        sample: "three points\n".into(),
        sample_digest: "00".into(),
        labels: "true".into(),
        features: "pixels".into(),
        preprocess: "none".into(),
    };
    let settings = Settings { origin, ..Settings::new(Kernel::Gaussian { gamma: 3.0 }) };
    let mut fitted = fit(&points, &[&labels], &settings, &mut unwatched).unwrap();
    (fitted.models.remove(0), points, labels)
}

fn written(model: &Model, centres: bool) -> Vec<u8> {
    let mut bytes = Vec::new();
    file::write(model, centres, &mut bytes).unwrap();
    bytes
}

fn read(bytes: &[u8]) -> Result<file::Stored, FileError> {
    file::read(&mut &bytes[..], bytes.len() as u64)
}

#[test]
fn models_come_back() {
    let (model, points, _) = fitted();
    assert_eq!(read(&written(&model, true)).unwrap().model().unwrap(), model);
    let stored = read(&written(&model, false)).unwrap();
    assert_eq!(stored.clone().with(points.clone()).unwrap(), model);
    let refused = stored.clone().model().unwrap_err().to_string();
    assert!(refused.contains("no centres"), "{refused}");
    let other = points.select(&[1, 0, 2]).unwrap();
    let refused = stored.with(other).unwrap_err();
    assert!(matches!(refused, FileError::Centres { .. }), "{refused}");
    // Each type of numbers.
    for numbers in [Numbers::F32(vec![0.5, 1e-40]), Numbers::F64(vec![0.1, -3e60])] {
        let model = Model {
            kernel: Kernel::ArcCosine1,
            centres: Features::new(numbers, 1, 1.0).unwrap(),
            coefficients: vec![1.5, f64::MIN_POSITIVE / 4.0],
            meaning: Meaning::Real(1),
            origin: Origin::default(),
        };
        assert_eq!(read(&written(&model, true)).unwrap().model().unwrap(), model);
    }
}

#[test]
fn damaged_models_are_refused() {
    let (model, ..) = fitted();
    let bytes = written(&model, true);
    for end in 0..bytes.len() {
        assert!(read(&bytes[..end]).is_err(), "cut at {end}");
    }
    // Lengths that a file announces are not believed.
    let mut huge = bytes.clone();
    huge[..8].copy_from_slice(&u64::MAX.to_le_bytes());
    assert!(read(&huge).is_err());
    assert!(file::read(&mut &bytes[..], u64::MAX).is_err());
    // Whatever bit is wrong: an error, or a model that is well formed and has the centres of its digest.
    for at in 0..bytes.len() {
        for bit in [0, 3, 7] {
            let mut wrong = bytes.clone();
            wrong[at] ^= 1 << bit;
            if let Ok(stored) = read(&wrong) {
                assert!(stored.coefficients.iter().all(|x| x.is_finite()));
                assert_eq!(
                    stored.clone().model().map(|model| model.centres.digest()).unwrap(),
                    stored.centres_sha256
                );
            }
        }
    }
}

/// The header with one text replaced by another, and its length.
fn replaced(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    let size = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let text = String::from_utf8(bytes[8..8 + size].to_vec()).unwrap();
    assert!(text.contains(from), "{text}");
    let text = text.replacen(from, to, 1);
    [&(text.len() as u64).to_le_bytes(), text.as_bytes(), &bytes[8 + size..]].concat()
}

#[test]
fn headers_that_say_something_else() {
    let (model, ..) = fitted();
    let bytes = written(&model, true);
    let refused = |from: &str, to: &str| read(&replaced(&bytes, from, to)).expect_err(to);
    assert!(matches!(refused("shatter kernel model", "other"), FileError::Format(_)));
    assert!(matches!(refused("\"version\":\"1\"", "\"version\":\"2\""), FileError::Version(_)));
    assert!(matches!(refused("gaussian:gamma=3", "gaussian:gamma=-3"), FileError::Kernel(_)));
    assert!(matches!(
        refused("\"outputs\":\"classes\"", "\"outputs\":\"x\""),
        FileError::Text { .. }
    ));
    assert!(matches!(refused("\\\"c\\\"", "\\\"a, b\\\""), FileError::Text { .. }));
    assert!(matches!(
        refused("\"divisor\":\"255\"", "\"divisor\":\"0.5\""),
        FileError::Features(_)
    ));
    assert!(matches!(
        refused("\"divisor\":\"255\"", "\"divisor\":\"254\""),
        FileError::Centres { .. }
    ));
    assert!(matches!(refused("\"U8\"", "\"I8\""), FileError::Tensor { name: "centres", .. }));
    assert!(matches!(refused("\"coefficients\":{", "\"others\":{"), FileError::Header(_)));
    // Another number of outputs than of names.
    let one = refused("\"F64\",\"shape\":[3,2]", "\"F64\",\"shape\":[6,1]");
    assert!(matches!(one, FileError::Text { name: "classes", .. }));
}

#[test]
fn a_coefficient_that_is_not_a_number() {
    let (mut model, ..) = fitted();
    model.coefficients[3] = f64::NAN;
    let refused = read(&written(&model, true)).unwrap_err();
    assert!(matches!(refused, FileError::NotFinite { row: 1, column: 1, .. }), "{refused}");
}

fn certified() -> (Model, Features, Labels, String) {
    let (model, points, labels) = fitted();
    let decided = certify(&model, &points, &labels, 0.0, &mut unwatched).unwrap();
    let text = certificate::write(&model, &points, &labels, 0.0, Arithmetic::Enclosures, &decided);
    (model, points, labels, text)
}

#[test]
fn certificates_are_checked_by_deciding_again() {
    let (model, points, labels, text) = certified();
    let read = certificate::read(&text).unwrap();
    assert_eq!((read.counts.margin, read.counts.fit()), (3, 3));
    assert!(read.least_margin > 0.99 && read.largest_bound < 1e-14);
    let decided = read.check(&model, &points, &labels, &mut unwatched).unwrap();
    assert!(
        decided.least_margin >= read.least_margin && decided.largest_bound <= read.largest_bound
    );
    // Another model, other points, other labels.
    let mut other = model.clone();
    other.coefficients[0] = other.coefficients[0].next_up();
    let of = |model: &Model, points: &Features, labels: &Labels| {
        read.check(model, points, labels, &mut unwatched).unwrap_err()
    };
    assert!(matches!(of(&other, &points, &labels), CertificateError::Subject { .. }));
    let reversed = points.select(&[2, 1, 0]).unwrap();
    assert!(matches!(of(&model, &reversed, &labels), CertificateError::Subject { .. }));
    let Labels::Classes { count, names, .. } = labels.clone() else { unreachable!() };
    let wrong = Labels::Classes { of: vec![1, 1, 1], count, names, numbered: false };
    assert!(matches!(of(&model, &points, &wrong), CertificateError::Subject { .. }));
}

/// The digest of a text that was changed, made right again.
fn signed(text: &str) -> String {
    use sha2::{Digest, Sha256};
    let end = text.rfind("digest ").unwrap();
    let digest: String =
        Sha256::digest(&text[..end]).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}digest {digest}\n", &text[..end])
}

#[test]
fn claims_that_do_not_follow() {
    let (model, points, labels, text) = certified();
    let margin = text.lines().find(|line| line.starts_with("least-margin")).unwrap();
    let bound = text.lines().find(|line| line.starts_with("largest-bound")).unwrap();
    for (from, to) in [
        (
            "counts exact=0 margin=3 undecided=0 misfit=0",
            "counts exact=1 margin=2 undecided=0 misfit=0",
        ),
        (margin, "least-margin 1.1e0"),
        (bound, "largest-bound 1e-30"),
        ("kernel gaussian:gamma=3", "kernel gaussian:gamma=2"),
    ] {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text);
        assert!(matches!(certificate::read(&changed), Err(CertificateError::Digest { .. })));
        let read = certificate::read(&signed(&changed)).unwrap();
        let refused = read.check(&model, &points, &labels, &mut unwatched).unwrap_err();
        let fits =
            matches!(refused, CertificateError::Claim { .. } | CertificateError::Subject { .. });
        assert!(fits, "{refused}");
    }
}

#[test]
fn other_texts_are_not_certificates() {
    let (.., text) = certified();
    for end in 0..text.len() {
        assert!(certificate::read(&text[..end]).is_err(), "cut at {end}");
    }
    assert!(certificate::read(&format!("{text}\n")).is_err());
    for line in text.lines().filter(|line| !line.starts_with("digest")) {
        let without = text.replacen(&format!("{line}\n"), "", 1);
        assert!(certificate::read(&signed(&without)).is_err(), "without {line}");
    }
    let twice = text.replacen("tolerance 0e0", "tolerance NaN", 1);
    assert!(matches!(
        certificate::read(&signed(&twice)),
        Err(CertificateError::Line { line: 11, .. })
    ));
}

#[test]
fn exact_certificates() {
    let points = Features::new(Numbers::F64(vec![1.0, 0.0, 0.0, 2.0]), 2, 1.0).unwrap();
    let labels = Labels::real(vec![0.5, 3.0], 1).unwrap();
    let settings = Settings::new(Kernel::Linear);
    let model = &fit(&points, &[&labels], &settings, &mut unwatched).unwrap().models[0];
    let decided = shatter_kernel::exact::judge(model, &points, &labels, 0.0).unwrap();
    assert_eq!(decided.counts.exact, 2);
    let text = certificate::write(model, &points, &labels, 0.0, Arithmetic::Exact, &decided);
    let read = certificate::read(&text).unwrap();
    assert!(read.check(model, &points, &labels, &mut unwatched).is_ok());
}
