//! Checkpoints: what is written is read again, by us, by the reference implementation of the
//! format and by PyTorch; and every other file is refused, with what is wrong with it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use proptest::prelude::*;
use safetensors::SafeTensors;
use serde_json::{Value, json};
use shatter_exact::Element;
use shatter_network::architecture::{Architecture, Parameter, Shape, named};
use shatter_train::{
    Checkpoint, CheckpointError, DataIdentity, Identity, Initialization, Progress, Settings,
    load_weights,
};
use tempfile::TempDir;

const IMAGE: Shape = Shape { channels: 1, height: 4, width: 4 };
const SMALL: &str = "conv(2,3,pad=1) batchnorm relu";

/// A checkpoint of drawn weights; the velocity of an array is drawn as if it stood 100 further on.
fn checkpoint<E: Element>(network: &Architecture, outputs: usize) -> Checkpoint<E> {
    let draw = |array: &Parameter, index| {
        let values = Initialization::PyTorch.draw(array, index, 1);
        values.into_iter().map(E::of).collect::<Vec<E>>()
    };
    let arrays = network.arrays().unwrap();
    let trained = arrays.iter().filter(|array| array.kind.trained());
    let velocities = trained.zip(100..).map(|(array, index)| draw(array, index)).collect();
    let arrays: Vec<_> = arrays
        .into_iter()
        .zip(0..)
        .map(|(array, index)| (array.clone(), draw(&array, index)))
        .collect();
    Checkpoint {
        architecture: network.to_string(),
        input: network.input,
        outputs,
        identity: Identity {
            data: DataIdentity {
                classes: vec!["".into(), "\n".into()],
                ..DataIdentity::named("a\"b\u{e9}")
            },
            settings: Settings {
                until_loss: Some(0.1 + 0.2),
                seed: u64::MAX,
                ..Settings::paper(0.1 * 0.95f64.powi(17))
            },
        },
        progress: Progress { epoch: 17, lines: u64::MAX, ..Progress::default() },
        arrays,
        velocities,
    }
}

fn small<E: Element>() -> Checkpoint<E> {
    checkpoint(&Architecture::named(SMALL, IMAGE, 3).unwrap(), 3)
}

fn place() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.safetensors");
    (folder, path)
}

/// The bytes of the small checkpoint.
fn written() -> Vec<u8> {
    static BYTES: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let (_folder, path) = place();
        small::<f32>().save(&path, 5).unwrap();
        std::fs::read(&path).unwrap()
    });
    BYTES.clone()
}

/// The header of a file, and its numbers.
fn split(bytes: &[u8]) -> (Value, Vec<u8>) {
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    (serde_json::from_slice(&bytes[8..8 + length]).unwrap(), bytes[8 + length..].to_vec())
}

fn join(header: &str, data: &[u8]) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes(), header.as_bytes(), data].concat()
}

/// A file of these tensors, by name, type and shape, filled with zeros.
fn file_of(tensors: &[(&str, &str, &[usize])]) -> Vec<u8> {
    let mut header = serde_json::Map::new();
    let mut end = 0;
    for (name, dtype, shape) in tensors {
        let begin = end;
        let bytes =
            if dtype.ends_with("16") { 2 } else { dtype[1..].parse::<usize>().unwrap() / 8 };
        end += shape.iter().product::<usize>() * bytes;
        let entry = json!({ "dtype": dtype, "shape": shape, "data_offsets": [begin, end] });
        header.insert((*name).to_owned(), entry);
    }
    join(&Value::Object(header).to_string(), &vec![0; end])
}

fn load_bytes(bytes: &[u8]) -> Result<Checkpoint<f32>, CheckpointError> {
    let (_folder, path) = place();
    std::fs::write(&path, bytes).unwrap();
    Checkpoint::load(&path)
}

fn weights_of(text: &str, bytes: &[u8]) -> Result<Vec<Vec<f32>>, CheckpointError> {
    let (_folder, path) = place();
    std::fs::write(&path, bytes).unwrap();
    let network = Architecture::named(text, Shape::vector(2), 1).unwrap();
    let arrays = load_weights(&path, &network)?;
    Ok(arrays.into_iter().map(|(_, values)| values).collect())
}

/// Writes, reads, and writes again: the same numbers, bit by bit, and the same bytes.
fn there_and_back<E: Element + std::fmt::Debug>(checkpoint: &Checkpoint<E>) {
    let (_folder, path) = place();
    checkpoint.save(&path, 5).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    let read = Checkpoint::<E>::load(&path).unwrap();
    assert_eq!(read, *checkpoint);
    let bits = |checkpoint: &Checkpoint<E>| {
        let numbers = checkpoint.arrays.iter().flat_map(|(_, values)| values.clone());
        numbers.map(|number| number.to_f64().to_bits()).collect::<Vec<u64>>()
    };
    assert_eq!(bits(&read), bits(checkpoint));
    read.save(&path, 5).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
}

#[test]
fn checkpoints_are_read_as_they_were_written() {
    there_and_back(&small::<f32>());
    there_and_back(&small::<f64>());
    there_and_back(&Checkpoint { velocities: Vec::new(), ..small::<f64>() });
    // Numbers whose bits equality does not see, and the smallest and largest.
    let mut odd = small::<f64>();
    let values = &mut odd.arrays[0].1;
    values[..4].copy_from_slice(&[-0.0, f64::from_bits(1), f64::MAX, f64::MIN_POSITIVE]);
    there_and_back(&odd);
    let image = Shape { channels: 3, height: 28, width: 28 };
    for name in named::NAMES.into_iter().chain(["mlp:5", "dense(4) relu"]) {
        let input = if name.starts_with("dense") { Shape::vector(7) } else { image };
        let network = Architecture::named(name, input, 10).unwrap();
        there_and_back(&checkpoint::<f32>(&network, 10));
    }
}

#[test]
fn the_reference_implementation_reads_what_was_written() {
    let bytes = written();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let checkpoint = small::<f32>();
    let data = |values: &[f32]| values.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>();
    for (array, values) in &checkpoint.arrays {
        let tensor = tensors.tensor(&array.name).unwrap();
        assert_eq!((tensor.shape(), tensor.data()), (&array.shape[..], &data(values)[..]));
    }
    let trained = checkpoint.arrays.iter().filter(|(array, _)| array.kind.trained());
    for ((array, _), values) in trained.zip(&checkpoint.velocities) {
        let tensor = tensors.tensor(&format!("momentum/{}", array.name)).unwrap();
        assert_eq!((tensor.shape(), tensor.data()), (&array.shape[..], &data(values)[..]));
    }
    let counter = tensors.tensor("1.num_batches_tracked").unwrap();
    assert_eq!((counter.shape(), counter.data()), (&[][..], &5i64.to_le_bytes()[..]));
    // 2 + 4 + 2 arrays, 2 + 2 + 2 velocities, the counter
    assert_eq!(tensors.len(), 15);
    let (_, metadata) = SafeTensors::read_metadata(&bytes).unwrap();
    let texts = metadata.metadata().as_ref().unwrap();
    assert_eq!(texts["format"], "pt");
    assert_eq!(texts["input"], "1x4x4");
    assert_eq!(texts["architecture"], "conv(2,3,stride=1,pad=1) batchnorm relu flatten dense(3)");
}

#[test]
fn weights_that_pytorch_wrote_are_read() {
    let path = crate::common::repository().join("tests/data/pytorch_weights.safetensors");
    let network = Architecture::named(SMALL, IMAGE, 3).unwrap();
    let mut k = 0;
    for (array, values) in load_weights::<f64>(&path, &network).unwrap() {
        // Numbers as tests/data/pytorch_weights.py has them.
        let numbers = (k..).take(values.len()).map(|k| f64::from(k - 64) / 16.0);
        if array.name == "1.running_var" {
            assert_eq!(values, [1.0, 2.0]);
        } else {
            assert_eq!(values, numbers.collect::<Vec<f64>>(), "{}", array.name);
        }
        k += values.len() as i32;
    }
    assert_eq!(k, 127);
    // It has weights and no progress.
    let error = Checkpoint::<f32>::load(&path).unwrap_err();
    assert!(matches!(error, CheckpointError::Metadata { key: "architecture", .. }), "{error}");
}

const PYTORCH: &str = "
import sys, torch
from torch import nn
from safetensors.torch import load_file
for path, dtype in zip(sys.argv[1:], (torch.float32, torch.float64)):
    network = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.BatchNorm2d(2), nn.ReLU(),
                            nn.Flatten(), nn.Linear(32, 3)).to(dtype)
    state = load_file(path)
    state = {name: state[name] for name in state if not name.startswith('momentum/')}
    assert all(tensor.dtype == dtype for tensor in state.values() if tensor.dim())
    network.load_state_dict(state, strict=True)
    assert network[1].num_batches_tracked == 5
    for tensor in network.state_dict().values():
        print(*(float(x).hex() for x in tensor.flatten() if tensor.dim()))
";

#[test]
fn pytorch_reads_what_was_written() {
    let Some(python) = crate::common::python::python("torch, safetensors.torch") else { return };
    let folder = tempfile::tempdir().unwrap();
    let paths = ["f32", "f64"].map(|name| folder.path().join(name));
    small::<f32>().save(&paths[0], 5).unwrap();
    small::<f64>().save(&paths[1], 5).unwrap();
    let output = Command::new(&python).arg("-c").arg(PYTORCH).args(&paths).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let printed = String::from_utf8(output.stdout).unwrap();
    let numbers: Vec<f64> = printed.split_whitespace().map(hexadecimal).collect();
    let short = small::<f32>().arrays.into_iter().flat_map(|(_, values)| values);
    let long = small::<f64>().arrays.into_iter().flat_map(|(_, values)| values);
    assert_eq!(numbers, short.map(f64::from).chain(long).collect::<Vec<f64>>());
}

/// Python's float.hex: a sign, 0x, one digit, up to 13 digits after the point, p and an exponent.
fn hexadecimal(text: &str) -> f64 {
    let (sign, text) = text.strip_prefix('-').map_or((1.0, text), |text| (-1.0, text));
    let (digits, exponent) = text.strip_prefix("0x").unwrap().split_once('p').unwrap();
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let scale = 16f64.powi(-(fraction.len() as i32));
    let number = |text| u64::from_str_radix(text, 16).unwrap() as f64;
    let mantissa = number(whole) + number(fraction) * scale;
    sign * mantissa * 2f64.powi(exponent.parse().unwrap())
}

#[test]
fn a_checkpoint_of_another_architecture_is_named() {
    let dense: &[(&str, &str, &[usize])] = &[("1.weight", "F32", &[1, 2]), ("1.bias", "F64", &[1])];
    let with =
        |more: &[(&'static str, &'static str, &'static [usize])]| file_of(&[dense, more].concat());
    let weights = |bytes: &[u8]| weights_of("flatten", bytes);
    assert_eq!(weights(&file_of(dense)).unwrap(), [vec![0.0; 2], vec![0.0; 1]]);
    assert!(weights(&with(&[("momentum/1.bias", "F32", &[1])])).is_ok());

    let error = weights(&file_of(&dense[..1])).unwrap_err();
    assert!(matches!(&error, CheckpointError::Missing { tensor, expected, .. }
        if tensor == "1.bias" && expected == &[1]));
    assert!(error.to_string().contains("another architecture"), "{error}");

    let error = weights(&file_of(&[("1.weight", "F32", &[2, 1]), dense[1]])).unwrap_err();
    assert!(matches!(&error, CheckpointError::Shape { tensor, found, expected, .. }
        if tensor == "1.weight" && found == &[2, 1] && expected == &[1, 2]));

    for extra in ["1.more", "1.num_batches_tracked", "momentum/7.bias"] {
        let bytes = file_of(&[dense, &[(extra, "I64", &[4])]].concat());
        let error = weights(&bytes).unwrap_err();
        assert!(matches!(&error, CheckpointError::Unknown { tensor, found, .. }
            if tensor == extra && found == &[4]));
    }
    for half in ["F16", "BF16", "I32"] {
        let error = weights(&file_of(&[("1.weight", half, &[1, 2]), dense[1]])).unwrap_err();
        assert!(matches!(&error, CheckpointError::Type { tensor, found, .. }
            if tensor == "1.weight" && found == half));
    }
    let velocity: &[(&str, &str, &[usize])] = &[("momentum/0.running_var", "F32", &[2])];
    // A counter is tolerated where there is batch normalization, and when it is absent.
    let normalized: &[(&str, &str, &[usize])] = &[
        ("0.weight", "F32", &[2]),
        ("0.bias", "F32", &[2]),
        ("0.running_mean", "F32", &[2]),
        ("0.running_var", "F32", &[2]),
        ("2.weight", "F32", &[1, 2]),
        ("2.bias", "F32", &[1]),
    ];
    assert!(weights_of("batchnorm", &file_of(normalized)).is_ok());
    let counter: &[(&str, &str, &[usize])] = &[("0.num_batches_tracked", "I64", &[])];
    assert!(weights_of("batchnorm", &file_of(&[normalized, counter].concat())).is_ok());
    // What is not trained has no velocity.
    let error = weights_of("batchnorm", &file_of(&[normalized, velocity].concat())).unwrap_err();
    assert!(matches!(error, CheckpointError::Unknown { .. }), "{error}");
}

#[test]
fn a_checkpoint_of_other_numbers_is_refused() {
    let (_folder, path) = place();
    small::<f64>().save(&path, 5).unwrap();
    let error = Checkpoint::<f32>::load(&path).unwrap_err();
    assert!(
        matches!(&error, CheckpointError::Type { found, expected: "F32", .. } if found == "F64")
    );
    // Weights alone are rounded.
    let network = small::<f64>().network().unwrap();
    let weights = load_weights::<f32>(&path, &network).unwrap();
    assert_eq!(weights, small::<f32>().arrays);
}

#[test]
fn numbers_that_are_not_finite_are_neither_written_nor_read() {
    let (folder, path) = place();
    for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let mut bad = small::<f32>();
        bad.velocities[5][2] = value;
        let error = bad.save(&path, 5).unwrap_err();
        assert!(matches!(&error, CheckpointError::NotFinite { tensor, index: 2, .. }
            if tensor == "momentum/4.bias"));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);

        let mut bytes = written();
        let end = bytes.len();
        bytes[end - 4..].copy_from_slice(&value.to_le_bytes()); // the last number of that array
        let error = load_bytes(&bytes).unwrap_err();
        assert!(matches!(&error, CheckpointError::NotFinite { tensor, index: 2, .. }
            if tensor == "momentum/4.bias"));
    }
    // Finite in 64 bits, not in 32.
    let mut large = small::<f64>();
    large.arrays[0].1[7] = -1e300;
    large.save(&path, 5).unwrap();
    let error = load_weights::<f32>(&path, &large.network().unwrap()).unwrap_err();
    assert!(matches!(&error, CheckpointError::NotFinite { index: 7, expected: "f32", value, .. }
        if *value == -1e300));
}

#[test]
fn what_could_not_be_read_is_not_written() {
    let (folder, path) = place();
    let good = small::<f32>();
    let architecture = |text: &str| Checkpoint { architecture: text.to_owned(), ..good.clone() };
    for text in ["", "dense(3)", "inception", "nonsense", "flatten dense(4)"] {
        let error = architecture(text).save(&path, 5).unwrap_err();
        assert!(matches!(error, CheckpointError::Architecture { .. }), "{text}: {error}");
    }
    let mut short = good.clone();
    short.arrays[3].1.pop();
    let mut fewer = good.clone();
    fewer.velocities.pop();
    let mut shorter = good.clone();
    shorter.velocities[1].clear();
    let other = architecture("flatten dense(3)");
    for bad in [short, fewer, shorter, other] {
        let error = bad.save(&path, 5).unwrap_err();
        assert!(matches!(error, CheckpointError::Arrays { .. }), "{error}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn texts_that_are_missing_or_wrong_are_named() {
    let (header, data) = split(&written());
    for key in ["architecture", "input", "outputs", "settings", "progress"] {
        for text in [None, Some("~")] {
            let mut header = header.clone();
            let texts = header["__metadata__"].as_object_mut().unwrap();
            match text {
                None => drop(texts.remove(key)),
                Some(text) => texts[key] = json!(text),
            }
            let error = load_bytes(&join(&header.to_string(), &data)).unwrap_err();
            match &error {
                CheckpointError::Metadata { key: named, .. } => assert_eq!(*named, key),
                CheckpointError::Architecture { .. } => {
                    assert_eq!((key, text), ("architecture", Some("~")))
                }
                _ => panic!("{error}"),
            }
        }
    }
    // Of another version: the first had no number; of later ones nothing is known.
    for (version, read) in [(None, true), (Some("1"), true), (Some("2"), false), (Some("x"), false)]
    {
        let mut header = header.clone();
        let texts = header["__metadata__"].as_object_mut().unwrap();
        drop(texts.remove("version"));
        texts.extend(version.map(|version| ("version".to_owned(), json!(version))));
        match load_bytes(&join(&header.to_string(), &data)) {
            Ok(checkpoint) => assert!(read && checkpoint == small()),
            Err(CheckpointError::Metadata { key: "version", .. }) => assert!(!read),
            Err(other) => panic!("{other}"),
        }
    }
    // A text of half a megabyte is refused, and the error quotes its beginning.
    let mut long = header.clone();
    let branches = format!("flatten [ {} ] flatten", vec!["dense(1)"; 40_000].join(" | "));
    long["__metadata__"]["architecture"] = json!(branches);
    let message = load_bytes(&join(&long.to_string(), &data)).unwrap_err().to_string();
    assert!(message.contains("bytes; at most 65536 are read") && message.len() < 1000, "{message}");
    // One velocity is gone, of all that are needed to go on.
    let mut header = header;
    let tensors = header.as_object_mut().unwrap();
    let mut gone = tensors.remove("momentum/4.bias").unwrap();
    let end = gone["data_offsets"][0].take().as_u64().unwrap() as usize;
    let error = load_bytes(&join(&header.to_string(), &data[..end])).unwrap_err();
    assert!(
        matches!(&error, CheckpointError::Missing { tensor, .. } if tensor == "momentum/4.bias")
    );
}

/// The reason why these bytes are no safetensors file.
fn format_error(bytes: &[u8]) -> String {
    match load_bytes(bytes) {
        Err(CheckpointError::Format { reason, .. }) => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn files_that_are_not_whole_are_refused() {
    let bytes = written();
    for length in 0..bytes.len() {
        format_error(&bytes[..length]);
    }
    format_error(&[&bytes[..], &[0]].concat());
    for length in [u64::MAX, u64::MAX - 7, 1 << 40, 100_000_001, bytes.len() as u64 - 7] {
        let mut lying = bytes.clone();
        lying[..8].copy_from_slice(&length.to_le_bytes());
        let reason = format_error(&lying);
        assert!(reason.contains(&format!("{length} bytes")), "{reason}");
    }
    let tensor = |begin: u64, end: u64| {
        format!(r#"{{"dtype":"U8","shape":[{}],"data_offsets":[{begin},{end}]}}"#, end - begin)
    };
    for (header, data, wanted) in [
        ("".to_owned(), 0, "EOF"),
        ("[]".to_owned(), 0, "tensors by their names"),
        ("{} x".to_owned(), 0, "trailing"),
        ("\u{1}".to_owned(), 0, "header is wrong"),
        (r#"{"__metadata__":{"a":1}}"#.to_owned(), 0, "expected a string"),
        (r#"{"__metadata__":{},"__metadata__":{}}"#.to_owned(), 0, "duplicate"),
        (r#"{"__metadata__":{"a":"","a":""}}"#.to_owned(), 0, "'a' appears twice"),
        (format!(r#"{{"a":{0},"a":{0}}}"#, tensor(0, 1)), 1, "'a' appears twice"),
        (format!(r#"{{"a":{0},"b":{0}}}"#, tensor(0, 1)), 1, "'b' begins at byte 0; expected 1"),
        (format!(r#"{{"a":{},"b":{}}}"#, tensor(0, 2), tensor(3, 4)), 4, "'b' begins at byte 3"),
        (format!(r#"{{"a":{},"b":{}}}"#, tensor(0, 2), tensor(1, 3)), 3, "'b' begins at byte 1"),
        (
            format!(r#"{{"a":{}}}"#, tensor(0, 1 << 60)),
            8,
            "1152921504606846976 bytes, and the file has 8",
        ),
        (r#"{"a":{"dtype":"U8","shape":[2],"data_offsets":[2,0]}}"#.to_owned(), 2, "bytes 2 to 0"),
        (
            r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#.to_owned(),
            4,
            "expected 8 bytes",
        ),
        (
            r#"{"a":{"dtype":"U8","shape":[-1],"data_offsets":[0,4]}}"#.to_owned(),
            4,
            "invalid value",
        ),
        (r#"{"a":{"dtype":"F7","shape":[1],"data_offsets":[0,4]}}"#.to_owned(), 4, "unknown size"),
        (
            r#"{"a":{"dtype":"F64","shape":[4611686018427387904,4],"data_offsets":[0,0]}}"#
                .to_owned(),
            0,
            "unknown size",
        ),
        (
            r#"{"\u001b[31mred":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}"#.to_owned(),
            1,
            "no control",
        ),
        (format!(r#"{{"{}":{}}}"#, "a".repeat(2000), tensor(0, 1)), 1, "at most 1024 bytes"),
        (
            format!(
                r#"{{"a":{{"dtype":"U8","shape":[1{}],"data_offsets":[0,1]}}}}"#,
                ",1".repeat(9)
            ),
            1,
            "at most 8 sides",
        ),
        ("[".repeat(10_000), 0, "tensors by their names"),
        (format!(r#"{{"a":{}"#, r#"{"b":"#.repeat(10_000)), 0, "EOF"),
    ] {
        let reason = format_error(&join(&header, &vec![0; data]));
        assert!(reason.contains(wanted), "{header:.60}: {reason}");
    }
    // Sizes whose sum wraps around 64 bits: eight tensors of 2^61 − 1 bytes.
    let size = (1u64 << 61) - 1;
    let tensors = (0..8).map(|k| format!(r#""{k}":{}"#, tensor(k * size, (k + 1) * size)));
    let header = format!("{{{}}}", tensors.collect::<Vec<_>>().join(","));
    let reason = format_error(&join(&header, &[]));
    assert!(reason.contains("18446744073709551608 bytes, and the file has 0"), "{reason}");
}

#[test]
fn the_system_is_quoted_and_the_old_file_kept() {
    let (folder, path) = place();
    let system = |error| match error {
        CheckpointError::Io { file, source } => (file, source),
        other => panic!("{other}"),
    };
    let (file, source) = system(Checkpoint::<f32>::load(&path).unwrap_err());
    assert_eq!((file, source.kind()), (path.clone(), std::io::ErrorKind::NotFound));
    let folder_error = Checkpoint::<f32>::load(folder.path()).unwrap_err();
    assert!(matches!(folder_error, CheckpointError::Format { .. }), "{folder_error}");
    // A file where the folder should be.
    std::fs::write(&path, "a file").unwrap();
    let (file, _) = system(small::<f32>().save(&path.join("below"), 5).unwrap_err());
    assert_eq!(file, path.join("below"));
    assert_eq!(std::fs::read(&path).unwrap(), b"a file");
}

/// A limit on the size of files stands in for a full disk: writing fails in the middle. The limit
/// holds for a whole process, so the test runs itself in another one.
#[cfg(unix)]
#[test]
fn a_full_disk_keeps_the_old_file() {
    const INSIDE: &str = "SHATTER_TEST_FULL_DISK";
    if let Some(path) = std::env::var_os(INSIDE) {
        let network = Architecture::named("mlp:500", IMAGE, 3).unwrap();
        let error = checkpoint::<f32>(&network, 3).save(Path::new(&path), 6).unwrap_err();
        assert!(matches!(error, CheckpointError::Io { .. }), "{error}");
        println!("refused");
        return;
    }
    let (folder, path) = place();
    small::<f32>().save(&path, 5).unwrap();
    let output = Command::new("sh")
        .arg("-c")
        .arg("trap '' XFSZ; ulimit -f 16; exec \"$0\" --exact checkpoints::a_full_disk_keeps_the_old_file --nocapture")
        .arg(std::env::current_exe().unwrap())
        .env(INSIDE, &path)
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && printed.contains("refused"), "{output:?}");
    assert_eq!(Checkpoint::<f32>::load(&path).unwrap(), small());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

proptest! {
    #![proptest_config(crate::common::cases(500))]

    /// Whatever happens to a file, reading it ends; what is read has the network's arrays.
    #[test]
    fn damaged_files_are_read_or_refused(
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        in_header in any::<bool>(),
        kept in prop_oneof![4 => Just(None), 1 => any::<prop::sample::Index>().prop_map(Some)],
    ) {
        let mut bytes = written();
        let (_, data) = split(&bytes);
        let range = if in_header { bytes.len() - data.len() } else { bytes.len() };
        for (place, value) in flips {
            let place = place.index(range);
            bytes[place] ^= value;
        }
        if let Some(kept) = kept {
            bytes.truncate(kept.index(bytes.len()));
        }
        if let Ok(read) = load_bytes(&bytes) {
            let network = read.network().unwrap();
            let arrays = read.arrays.iter().map(|(array, _)| array.clone());
            prop_assert_eq!(arrays.collect::<Vec<_>>(), network.arrays().unwrap());
            for (array, values) in &read.arrays {
                prop_assert_eq!(values.len() as u64, array.len());
                prop_assert!(values.iter().all(|value| value.is_finite()));
            }
        }
    }
}
