//! Records of runs: those of every version are read, those of later versions are refused, and FORMAT.md names every
//! field.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;
use shatter_prepare::{Condition, Preprocess};
use shatter_sample::LabelRule;
use shatter_train::identity::VERSION;
use shatter_train::randomize::summary;
use shatter_train::{
    DataIdentity, Ended, Identity, Line, Loss, Measured, Progress, Settings, Summary,
};

use crate::common::repository;

/// The folders below `folder` that hold a summary.
fn recorded(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            recorded(&path, found);
        } else if path.ends_with("summary.json") {
            found.push(folder.to_owned());
        }
    }
}

/// The runs behind the figures, of version 0: each is read, and says what its file says.
#[test]
fn records_of_version_0_are_read() {
    let mut folders = Vec::new();
    recorded(&repository().join("figures"), &mut folders);
    assert!(folders.len() >= 72, "{} records", folders.len());
    for folder in folders {
        let read = summary(&folder).unwrap().unwrap();
        let text = std::fs::read(folder.join("summary.json")).unwrap();
        let file: Value = serde_json::from_slice(&text).unwrap();
        let again = serde_json::to_value(&read).unwrap();
        for part in ["data", "settings"] {
            for (field, value) in file["identity"][part].as_object().unwrap() {
                assert_eq!(&again["identity"][part][field], value, "{field} of {folder:?}");
            }
        }
        assert_eq!(file["steps"], read.steps);
        let lines = std::fs::read_to_string(folder.join("train.jsonl")).unwrap();
        assert!(lines.lines().all(|line| serde_json::from_str::<Line>(line).is_ok()), "{folder:?}");
    }
}

fn measured() -> Measured {
    Measured { loss: 0.5, accuracy: Some(0.75), clean: Some(1.0), changed: Some(0.5) }
}

/// A summary in which no field is left out.
fn whole() -> Summary {
    let data = DataIdentity {
        classes: vec!["a".into(), "b".into()],
        condition: Condition::Labels(LabelRule::Corrupted(0.25)),
        condition_seed: u64::MAX,
        preprocess: Preprocess { scale: true, crop: Some(28), whiten: true },
        precision: "f32".into(),
        sample_seed: Some(3),
        sample_sha256: Some("00".into()),
        test: Some("t".into()),
        test_sha256: Some("11".into()),
        ..DataIdentity::named("s")
    };
    let settings = Settings {
        augmentation: Some("crop,flip,rotate:12.5".parse().unwrap()),
        patience: Some(4),
        until_loss: Some(0.1),
        loss: Loss::Squared,
        ..Settings::paper(0.1)
    };
    Summary {
        version: VERSION,
        architecture: "flatten dense(2)".into(),
        identity: Identity { data, settings },
        ended: Ended::Patience,
        steps: 10,
        epochs: 2,
        changed_labels: Some(1),
        train: measured(),
        test: Some(measured()),
        best_test: Some((0.5, 1)),
    }
}

#[test]
fn later_versions_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let write = |summary: &Summary| {
        let text = serde_json::to_vec(summary).unwrap();
        std::fs::write(folder.path().join("summary.json"), text).unwrap();
    };
    write(&whole());
    assert_eq!(summary(folder.path()).unwrap(), Some(whole()));
    write(&Summary { version: VERSION + 1, ..whole() });
    let error = || summary(folder.path()).unwrap_err().to_string();
    assert!(error().contains(&format!("version {}", VERSION + 1)), "{}", error());
    let later = format!("{{\"version\": {}, \"shape\": \"new\"}}", VERSION + 1);
    std::fs::write(folder.path().join("summary.json"), later).unwrap();
    assert!(error().contains(&format!("version {}", VERSION + 1)), "{}", error());
}

/// What a build does not know it cannot compare: a run with such settings or data is not taken for one of its own.
#[test]
fn unknown_settings_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    for part in ["data", "settings"] {
        let mut altered = serde_json::to_value(whole()).unwrap();
        altered["identity"][part]["smoothing"] = 0.1.into();
        std::fs::write(folder.path().join("summary.json"), altered.to_string()).unwrap();
        let error = summary(folder.path()).unwrap_err().to_string();
        assert!(error.contains("smoothing"), "{error}");
    }
}

/// Names of the fields of a record and of the records in it.
fn fields(record: &Value, found: &mut BTreeSet<String>) {
    for (field, value) in record.as_object().into_iter().flatten() {
        found.insert(field.clone());
        fields(value, found);
    }
}

/// The keys that tables of a subsection of FORMAT.md describe.
fn keys(page: &str, subsection: &str) -> BTreeSet<String> {
    let section = page.split(&format!("\n### {subsection}\n")).nth(1).unwrap();
    let rows = section.split("\n#").next().unwrap().lines().filter(|line| line.starts_with("| `"));
    let cells = rows.map(|row| row.split('|').nth(1).unwrap());
    cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).map(str::to_owned).collect()
}

/// FORMAT.md and the types agree on the names of all fields.
#[test]
fn every_field_is_described() {
    let page = std::fs::read_to_string(repository().join("FORMAT.md")).unwrap();
    let parts = ["train.jsonl", "summary.json", "identity", "progress"];
    let described: BTreeSet<String> = parts.iter().flat_map(|part| keys(&page, part)).collect();
    let line = Line {
        step: 1,
        epoch: 1,
        end_of_epoch: true,
        learning_rate: 0.1,
        online: measured(),
        train: Some(measured()),
        test: Some(measured()),
    };
    let progress = Progress { best_test: Some((0.5, 1)), ended: None, ..Progress::default() };
    let mut written = BTreeSet::new();
    for record in [
        serde_json::to_value(whole()).unwrap(),
        serde_json::to_value(line).unwrap(),
        serde_json::to_value(progress).unwrap(),
    ] {
        fields(&record, &mut written);
    }
    assert_eq!(described, written);
}
