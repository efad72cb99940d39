//! The readers of samples: every format as it should be, and as it should not be.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::common::skipped::{CIFAR, DATA, or_skipped};
use proptest::prelude::*;
use shatter_sample::files::Split;
use shatter_sample::npy::{self, ArrayOptions};
use shatter_sample::table::{self, LabelType, TableOptions};
use shatter_sample::{Base, Labels, Points, SampleError, Scale, Values, cifar, idx, npz};
use tempfile::TempDir;

type Read = Result<(Points, Labels), SampleError>;

const TENTHS: Scale = Scale { base: Base::Ten, exponent: 1 };
const HALVES: Scale = Scale { base: Base::Two, exponent: 1 };

/// A folder that goes away at the end of the test.
struct Folder(TempDir);

impl Folder {
    fn new() -> Folder {
        Folder(TempDir::new().unwrap())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

/// The refusal, which has to say all of `words`.
fn refusal(outcome: Read, words: &[&str]) -> SampleError {
    let error = outcome.expect_err("it should have been refused");
    let text = error.to_string();
    for word in words {
        assert!(text.contains(word), "'{word}' is not in: {text}");
    }
    error
}

fn classes(labels: &Labels) -> (&[u32], u32, &[String]) {
    match labels {
        Labels::Classes { of, count, names, .. } => (of, *count, names),
        Labels::Real { .. } => panic!("classes expected"),
    }
}

fn counts(labels: &Labels) -> Vec<usize> {
    let (of, count, _) = classes(labels);
    (0..count).map(|class| of.iter().filter(|&&c| c == class).count()).collect()
}

// IDX

fn idx_bytes(sides: &[u32], data: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, sides.len() as u8];
    for side in sides {
        bytes.extend(side.to_be_bytes());
    }
    bytes.extend(data);
    bytes
}

fn read_idx(images: impl AsRef<[u8]>, labels: impl AsRef<[u8]>) -> Read {
    let folder = Folder::new();
    idx::read(&folder.file("images", images), &folder.file("labels", labels))
}

fn images() -> Vec<u8> {
    idx_bytes(&[2, 2, 3], &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
}

fn two_labels() -> Vec<u8> {
    idx_bytes(&[2], &[3, 0])
}

#[test]
fn idx_is_read_plain_and_packed() {
    for (images, labels) in [(images(), two_labels()), (gzip(&images()), gzip(&two_labels()))] {
        let (points, labels) = read_idx(images, labels).unwrap();
        assert_eq!((points.n(), points.shape()), (2, &[2, 3][..]));
        assert_eq!(points.values(), &Values::U8((1..=12).collect()));
        assert_eq!(classes(&labels), (&[3, 0][..], 4, &[][..]));
    }
}

#[test]
fn idx_gzip_of_several_members_is_read() {
    let bytes = images();
    let packed = [gzip(&bytes[..9]), gzip(&bytes[9..])].concat();
    assert_eq!(read_idx(packed, two_labels()).unwrap(), read_idx(bytes, two_labels()).unwrap());
}

#[test]
fn idx_folder_is_searched() {
    let places = [
        "train-images-idx3-ubyte|train-labels-idx1-ubyte.gz",
        "raw/train-images.idx3-ubyte|raw/train-labels.idx1-ubyte",
        "MNIST/raw/train-images-idx3-ubyte|MNIST/raw/train-labels-idx1-ubyte",
    ];
    for (images_name, labels_name) in places.map(|place| place.split_once('|').unwrap()) {
        let folder = Folder::new();
        folder.file(images_name, gzip(&images()));
        folder.file(labels_name, two_labels());
        let (points, labels) = idx::read_folder(folder.path(), Split::Train).unwrap();
        assert_eq!((points.n(), classes(&labels).1), (2, 10));
        refusal(idx::read_folder(folder.path(), Split::Test), &["t10k-images"]);
    }
}

#[test]
fn idx_folder_of_both_sets_is_refused() {
    let folder = Folder::new();
    for set in ["MNIST", "FashionMNIST"] {
        folder.file(&format!("{set}/raw/train-images-idx3-ubyte"), images());
    }
    refusal(idx::read_folder(folder.path(), Split::Train), &["both", "FashionMNIST"]);
}

#[test]
fn idx_swapped_files_are_refused() {
    refusal(
        read_idx(two_labels(), images()),
        &["2049", "found 2051", "an image file, not a label"],
    );
    refusal(read_idx(two_labels(), two_labels()), &["2051", "this is a label file, not an image"]);
}

#[test]
fn idx_wrong_magic_is_refused() {
    refusal(read_idx(b"\x89PNG....", two_labels()), &["2051", "0x89504e47", "not an IDX file"]);
    let floats = [&[0, 0, 0x0d, 3][..], &images()[4..]].concat();
    refusal(read_idx(floats, two_labels()), &["0x0d", "32-bit floating-point"]);
    refusal(read_idx([0, 0, 8, 5], two_labels()), &["5 dimensions"]);
}

/// Nothing is allocated or read for a length that is only announced: a loop over these would not end.
#[test]
fn idx_lying_lengths_are_refused() {
    let most = u32::MAX;
    let lie = idx_bytes(&[most; 4], &[]);
    assert_eq!(lie.len(), 20);
    refusal(read_idx(&lie, two_labels()), &["more than any file can hold"]);
    let found = refusal(read_idx(idx_bytes(&[most, most], &[1, 2]), two_labels()), &["truncated"]);
    let expected = u64::from(most) * u64::from(most);
    assert!(matches!(found, SampleError::Truncated { expected: e, found: 2, .. } if e == expected));
    refusal(read_idx(gzip(&idx_bytes(&[most, most], &[1])), two_labels()), &["holds 1"]);
}

#[test]
fn idx_truncated_and_trailing_bytes_are_refused() {
    let images = images();
    refusal(read_idx(&images[..images.len() - 1], two_labels()), &["announces 12", "holds 11"]);
    refusal(read_idx(&images[..7], two_labels()), &["ends within the dimensions", "found 3"]);
    let longer = [&images[..], &[0, 0]].concat();
    refusal(read_idx(longer, two_labels()), &["announces 12", "2 more"]);
    refusal(read_idx([], two_labels()), &["magic number", "found 0"]);
    refusal(read_idx(&images, []), &["labels", "found 0"]);
}

#[test]
fn idx_label_count_that_differs_is_refused() {
    let found = refusal(read_idx(images(), idx_bytes(&[3], &[1, 2, 3])), &["2 points", "3 labels"]);
    assert!(matches!(found, SampleError::LabelCount { points: 2, labels: 3 }));
}

#[test]
fn idx_without_points_or_coordinates_is_refused() {
    assert!(matches!(read_idx(idx_bytes(&[0, 2, 2], &[]), two_labels()), Err(SampleError::Empty)));
    let flat = read_idx(idx_bytes(&[2, 0, 2], &[]), two_labels());
    assert!(matches!(flat, Err(SampleError::NoCoordinates)));
}

#[test]
fn gzip_truncated_or_altered_is_refused() {
    let data: Vec<u8> = (0..20000u32).map(|i| (i * i % 251) as u8).collect();
    let packed = gzip(&idx_bytes(&[20, 1000], &data));
    for cut in [5, 12, packed.len() / 2, packed.len() - 3] {
        refusal(read_idx(&packed[..cut], two_labels()), &["images"]);
    }
    let mut altered = packed.clone();
    let crc = altered.len() - 6;
    altered[crc] ^= 1;
    refusal(read_idx(altered, two_labels()), &["images", "cannot unpack"]);
    refusal(read_idx([&packed[..], b"garbage"].concat(), two_labels()), &["images"]);
}

#[test]
fn gzip_bomb_is_bounded() {
    let folder = Folder::new();
    let path = folder.path().join("bomb");
    let mut packer = flate2::write::GzEncoder::new(
        fs::File::create(&path).unwrap(),
        flate2::Compression::fast(),
    );
    packer.write_all(&idx_bytes(&[2000, 1 << 20], &[])).unwrap();
    let zeros = vec![0; 1 << 20];
    for _ in 0..1100 {
        packer.write_all(&zeros).unwrap();
    }
    packer.finish().unwrap();
    let labels = folder.file("labels", two_labels());
    let words = ["unpacks to more than"];
    refusal(idx::read(&path, &labels), &words);
    refusal(table::read(&path, &TableOptions::default()), &words);
}

#[test]
fn folders_missing_files_and_xz_are_refused() {
    let folder = Folder::new();
    let labels = folder.file("labels", two_labels());
    let (here, nowhere) = (folder.path(), folder.path().join("nowhere"));
    let is_folder = |outcome: Read| assert!(matches!(outcome, Err(SampleError::IsFolder(_))));
    is_folder(idx::read(here, &labels));
    is_folder(table::read(here, &TableOptions::default()));
    is_folder(npy::read(here, &labels, &ArrayOptions::default()));
    is_folder(npz::read(here, "x", "y", &ArrayOptions::default()));
    for missing in [
        idx::read(&nowhere, &labels),
        idx::read_folder(&nowhere, Split::Train),
        cifar::read(&nowhere, Split::Train),
        table::read(&nowhere, &TableOptions::default()),
        npy::read(&nowhere, &labels, &ArrayOptions::default()),
        npz::read(&nowhere, "x", "y", &ArrayOptions::default()),
    ] {
        assert!(matches!(refusal(missing, &["nowhere"]), SampleError::Io { .. }));
    }
    refusal(idx::read_folder(&labels, Split::Train), &["is a file"]);
    let xz = folder.file("cifar.tar.xz", b"\xfd7zXZ\0\0\0\0\0");
    refusal(cifar::read(&xz, Split::Train), &["tar -xJf"]);
}

// CIFAR-10

/// Two records, whose bytes say which batch they are of.
fn batch(number: u8) -> Vec<u8> {
    [9, number].iter().flat_map(|&label| [vec![label], vec![number; 3072]].concat()).collect()
}

fn cifar_files() -> Vec<(String, Vec<u8>)> {
    let order = [3, 1, 5, 2, 4];
    let mut files: Vec<_> =
        order.iter().map(|&i| (format!("data_batch_{i}.bin"), batch(i))).collect();
    files.push(("test_batch.bin".into(), batch(0)));
    files
}

fn tar(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        let path = format!("cifar-10-batches-bin/{name}");
        builder.append_data(&mut header, path, &bytes[..]).unwrap();
    }
    builder.into_inner().unwrap()
}

#[test]
fn cifar_is_read_from_folders_and_archives() {
    let folder = Folder::new();
    for (name, bytes) in cifar_files() {
        folder.file(&name, &bytes);
        folder.file(&format!("above/cifar-10-batches-bin/{name}"), &bytes);
    }
    let packed = folder.file("cifar.tar.gz", gzip(&tar(&cifar_files())));
    let plain = folder.file("cifar.tar", tar(&cifar_files()));
    for path in [folder.path(), &folder.path().join("above"), &packed, &plain] {
        let (points, labels) = cifar::read(path, Split::Train).unwrap();
        assert_eq!((points.n(), points.shape()), (10, &[3, 32, 32][..]));
        let (of, count, names) = classes(&labels);
        assert_eq!((of, count), (&[9, 1, 9, 2, 9, 3, 9, 4, 9, 5][..], 10));
        assert_eq!((names[0].as_str(), names[9].as_str()), ("airplane", "truck"));
        let firsts: Vec<f64> = (0..10).map(|i| points.f64_at(i, 3071)).collect();
        assert_eq!(firsts, [1.0, 1.0, 2.0, 2.0, 3.0, 3.0, 4.0, 4.0, 5.0, 5.0]);
        let (points, labels) = cifar::read(path, Split::Test).unwrap();
        assert_eq!((points.n(), classes(&labels).0), (2, &[9, 0][..]));
    }
}

#[test]
fn cifar_names_are_kept() {
    let mut files = cifar_files();
    files.push(("batches.meta.txt".into(), b"a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n\n".to_vec()));
    let folder = Folder::new();
    let path = folder.file("cifar.tar", tar(&files));
    let (_, labels) = cifar::read(&path, Split::Test).unwrap();
    assert_eq!(labels.describe(0), "j");
    files.push(("batches.meta.txt".into(), b"a\nb\n".to_vec()));
    let path = folder.file("wrong.tar", tar(&files));
    refusal(cifar::read(&path, Split::Test), &["batches.meta.txt", "ten names", "found 2"]);
}

#[test]
fn cifar_bad_records_are_refused() {
    let folder = Folder::new();
    let mut bytes = batch(7);
    folder.file("test_batch.bin", &bytes[..bytes.len() - 1]);
    let words = ["test_batch.bin", "record 2", "found 3071"];
    refusal(cifar::read(folder.path(), Split::Test), &words);
    bytes[3073] = 10;
    folder.file("test_batch.bin", &bytes);
    refusal(cifar::read(folder.path(), Split::Test), &["record 2", "label 10"]);
    folder.file("test_batch.bin", []);
    refusal(cifar::read(folder.path(), Split::Test), &["no record"]);
}

#[test]
fn cifar_missing_and_doubled_batches_are_refused() {
    let folder = Folder::new();
    let mut files = cifar_files();
    files.retain(|(name, _)| name != "data_batch_4.bin");
    for (name, bytes) in &files {
        folder.file(name, bytes);
    }
    refusal(cifar::read(folder.path(), Split::Train), &["data_batch_4.bin"]);
    let archive = folder.file("cifar.tar", tar(&files));
    refusal(cifar::read(&archive, Split::Train), &["cifar.tar", "data_batch_4.bin"]);
    files.push(files[0].clone());
    let archive = folder.file("cifar.tar", tar(&files));
    refusal(cifar::read(&archive, Split::Train), &["data_batch_3.bin", "twice"]);
    let garbage = folder.file("garbage.tar", [7; 2000]);
    refusal(cifar::read(&garbage, Split::Train), &["garbage.tar", "archive"]);
    let packed = gzip(&tar(&cifar_files()));
    let truncated = folder.file("short.tar.gz", &packed[..packed.len() - 60]);
    refusal(cifar::read(&truncated, Split::Train), &["short.tar.gz"]);
}

// CSV

fn read_csv(text: impl AsRef<[u8]>, options: &TableOptions) -> Read {
    table::read(&Folder::new().file("table.csv", text), options)
}

fn csv(text: &str) -> Read {
    read_csv(text, &TableOptions::default())
}

fn labelled(label: &str) -> TableOptions {
    TableOptions { label: Some(label.into()), ..TableOptions::default() }
}

fn scaled(scale: Scale) -> TableOptions {
    TableOptions { scale: Some(scale), ..TableOptions::default() }
}

#[test]
fn csv_is_read_with_and_without_a_header() {
    let with = "a,b,kind\n1.5,2,x\n3,4,y\n";
    for text in [
        with,
        "1.5,2,x\n3,4,y",
        "\u{feff}a;b;kind\r\n1.5;2;x\r\n3;4;y\r\n",
        "1.5\t2\tx\n\n3\t 4\ty",
    ] {
        let (points, labels) = csv(text).unwrap();
        assert_eq!(points.values(), &Values::F64(vec![1.5, 2.0, 3.0, 4.0]), "{text:?}");
        assert_eq!(classes(&labels), (&[0, 1][..], 2, &["x".into(), "y".into()][..]));
    }
    let (points, labels) = read_csv(gzip(with.as_bytes()), &TableOptions::default()).unwrap();
    assert_eq!((points.n(), labels.len()), (2, 2));
}

#[test]
fn csv_label_column_is_chosen() {
    let text = "a,b,c\n1,20,300\n2,10,400\n";
    for (label, features, names) in [
        ("b", [1.0, 300.0, 2.0, 400.0], ["10", "20"]),
        ("2", [1.0, 300.0, 2.0, 400.0], ["10", "20"]),
        ("-3", [20.0, 300.0, 10.0, 400.0], ["1", "2"]),
    ] {
        let (points, labels) = read_csv(text, &labelled(label)).unwrap();
        assert_eq!(points.values(), &Values::F64(features.to_vec()));
        assert_eq!(classes(&labels).2, names);
    }
    // A name makes the first row a header even if numbers stand in it.
    assert_eq!(read_csv("1,2,kind\n3,4,x\n", &labelled("kind")).unwrap().0.n(), 1);
    for label in ["0", "4", "-4", "9223372036854775807", "-9223372036854775808", "d"] {
        refusal(read_csv(text, &labelled(label)), &["no column", label]);
    }
    refusal(read_csv("a,a,b\n1,2,3\n", &labelled("a")), &["columns 1 and 2"]);
    let without = TableOptions { header: Some(false), ..labelled("b") };
    refusal(read_csv(text, &without), &["without a header"]);
}

#[test]
fn csv_header_can_be_said() {
    let yes = TableOptions { header: Some(true), ..TableOptions::default() };
    assert_eq!(read_csv("1,2,a\n3,4,b\n", &yes).unwrap().0.n(), 1);
    let no = TableOptions { header: Some(false), ..TableOptions::default() };
    refusal(read_csv("x,y,kind\n3,4,b\n", &no), &["row 1", "column 1", "'x' is not a number"]);
}

#[test]
fn csv_labels_are_classes_or_numbers() {
    let (_, labels) = csv("1,10\n1,9\n1,+10\n").unwrap();
    assert_eq!(classes(&labels), (&[1, 0, 1][..], 2, &["9".into(), "10".into()][..]));
    let (_, labels) = csv("1,1.5\n1,2\n").unwrap();
    assert_eq!(labels, Labels::Real { values: vec![1.5, 2.0], outputs: 1 });
    let number = TableOptions { target: Some(LabelType::Number), ..TableOptions::default() };
    let (_, labels) = read_csv("1,10\n1,9\n", &number).unwrap();
    assert_eq!(labels, Labels::Real { values: vec![10.0, 9.0], outputs: 1 });
    refusal(read_csv("1,10\n1,x\n", &number), &["row 2", "column 2", "'x' is not a number"]);
    let class = TableOptions { target: Some(LabelType::Class), ..TableOptions::default() };
    assert_eq!(classes(&read_csv("1,1.5\n1,.5\n", &class).unwrap().1).0, &[1, 0]);
    // By value, whatever they are written like, and each value once.
    let text = "1,10.0\n1,-2.5\n1,9.50\n1,9.5\n1,1e1\n1,+2\n1,1e400\n1,-0.0\n";
    let (_, labels) = read_csv(text, &class).unwrap();
    let names = ["-2.5", "0", "2", "9.5", "10", "1e400"].map(String::from);
    assert_eq!(classes(&labels), (&[4, 0, 3, 3, 4, 2, 5, 1][..], 6, &names[..]));
}

#[test]
fn csv_missing_values_are_refused_with_row_and_column() {
    for mark in ["?", "", "NA", "n/a", "NaN", "null", " "] {
        let text = format!("size,weight,kind\r\n1,2,x\r\n\r\n3,{mark},y\r\n");
        refusal(csv(&text), &["row 4", "column 2 (weight)", "missing value"]);
        let label = format!("1,2,x\n3,4,{mark}\n");
        refusal(csv(&label), &["row 2", "column 3:", "missing value"]);
    }
}

#[test]
fn csv_not_finite_is_refused() {
    refusal(csv("1,2,x\n1,inf,x\n"), &["row 2, column 2", "'inf' is not a finite number"]);
    refusal(csv("1,2,x\n1e400,1,x\n"), &["row 2, column 1", "largest binary64"]);
    refusal(csv("1,1.5\n1,-Infinity\n"), &["row 2, column 2", "finite"]);
    assert_eq!(csv("1e308,5e-324,x\n").unwrap().0.f64_at(0, 1), 5e-324);
}

#[test]
fn csv_ragged_empty_and_wrong_text_are_refused() {
    refusal(csv("1,2,x\n1,2\n"), &["row 2 has 2 cells", "expected 3"]);
    refusal(csv("1,2,\"a\nb\"\n1,2,3\n1,2,3,4\n"), &["row 4 has 4 cells"]);
    for empty in ["", "\n\n", "\u{feff}", "a,b\n"] {
        assert!(matches!(csv(empty), Err(SampleError::Empty)), "{empty:?}");
    }
    assert!(matches!(csv("1\n2\n"), Err(SampleError::NoCoordinates)));
    refusal(read_csv(b"1,2,x\n1,2,\xff\n", &TableOptions::default()), &["row 2", "UTF-8"]);
}

#[test]
fn csv_scale_is_exact() {
    let (points, _) = read_csv("1.5,-2,x\n.1,1e2,y\n-0.0,00.10e0,y", &scaled(TENTHS)).unwrap();
    let values = vec![15, -20, 1, 1000, 0, 1];
    assert_eq!(points.values(), &Values::Scaled { values, scale: TENTHS });
    let (points, _) = read_csv("1.5,-2,x\n0.5,9e0,y\n", &scaled(HALVES)).unwrap();
    assert_eq!(points.values(), &Values::Scaled { values: vec![3, -4, 1, 18], scale: HALVES });
    let one = Scale { base: Base::Ten, exponent: 0 };
    assert_eq!(read_csv("7,8,x\n", &scaled(one)).unwrap().0.values(), &Values::I64(vec![7, 8]));
    let edge = "-9223372036854775808,9223372036854775807,x\n";
    let (points, _) = read_csv(edge, &scaled(one)).unwrap();
    assert_eq!(points.values(), &Values::I64(vec![i64::MIN, i64::MAX]));
    let tiny = Scale { base: Base::Two, exponent: 60 };
    let power = "8.67361737988403547205962240695953369140625e-19,1,x\n"; // 2^-60
    let (points, _) = read_csv(power, &scaled(tiny)).unwrap();
    assert_eq!(points.values(), &Values::Scaled { values: vec![1, 1 << 60], scale: tiny });
}

#[test]
fn csv_scale_that_is_not_exact_is_refused() {
    let words = ["row 2, column 1", "'0.25'", "not a multiple of 10^-1", "scale=10^2"];
    refusal(read_csv("1,x\n0.25,x\n", &scaled(TENTHS)), &words);
    refusal(read_csv("0.25,x\n", &scaled(HALVES)), &["multiple of 2^-1", "scale=2^2"]);
    refusal(read_csv("0.1,x\n", &scaled(HALVES)), &["'0.1' is not a multiple of 2^-1"]);
}

/// Exponents of billions are not written out: their digits would fill the memory.
#[test]
fn csv_huge_decimals_are_refused() {
    let long = format!("0,x\n{}.5,x\n", "9".repeat(100_000));
    for scale in [TENTHS, HALVES, Scale { base: Base::Two, exponent: u32::MAX }] {
        refusal(read_csv(&long, &scaled(scale)), &["row 2, column 1"]);
        for cell in ["1e19", "9223372036854775808", "1e99999999999999999999", "-1e4000000000"] {
            let text = format!("0,x\n\n{cell},x\n");
            refusal(read_csv(&text, &scaled(scale)), &["row 3, column 1", "64-bit"]);
        }
        let below = ["1e-99999999999999999999", "1e-4000000000", "5e-1000000"];
        for cell in below {
            refusal(read_csv(format!("{cell},x\n"), &scaled(scale)), &["row 1, column 1"]);
        }
    }
    for cell in ["0x10", "1_0", "1e", "e5", ".", "+-1", "1.2.3", "١"] {
        refusal(read_csv(format!("1,x\n{cell},x\n"), &scaled(TENTHS)), &["is not a number"]);
    }
}

// NPY and NPZ

fn npy_bytes(descr: &str, fortran: bool, shape: &str, data: &[u8]) -> Vec<u8> {
    let fortran = if fortran { "True" } else { "False" };
    let mut header = String::new();
    write!(header, "{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}")
        .unwrap();
    while !(header.len() + 11).is_multiple_of(64) {
        header.push(' ');
    }
    header.push('\n');
    let length = (header.len() as u16).to_le_bytes();
    [b"\x93NUMPY\x01\x00", &length[..], header.as_bytes(), data].concat()
}

fn doubles(values: &[f64]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

fn read_npy_with(points: &[u8], labels: &[u8], options: &ArrayOptions) -> Read {
    let folder = Folder::new();
    npy::read(&folder.file("x.npy", points), &folder.file("y.npy", labels), options)
}

fn read_npy(points: &[u8], labels: &[u8]) -> Read {
    read_npy_with(points, labels, &ArrayOptions::default())
}

fn two_classes() -> Vec<u8> {
    npy_bytes("|u1", false, "(2,)", &[1, 0])
}

#[test]
fn npy_types_are_read() {
    let cases: [(&str, &[u8], Values); 10] = [
        ("|u1", &[1, 255], Values::U8(vec![1, 255])),
        ("|b1", &[1, 0], Values::U8(vec![1, 0])),
        ("|i1", &[1, 255], Values::I64(vec![1, -1])),
        ("<i2", &[1, 0, 255, 255], Values::I64(vec![1, -1])),
        (">i2", &[0, 1, 255, 254], Values::I64(vec![1, -2])),
        ("<u4", &[1, 0, 0, 0, 255, 255, 255, 255], Values::I64(vec![1, 0xffff_ffff])),
        (">u2", &[1, 0, 0, 1], Values::I64(vec![256, 1])),
        ("<f4", &[0, 0, 128, 63, 0, 0, 0, 128], Values::F32(vec![1.0, 0.0])),
        (">f4", &[63, 128, 0, 0, 0, 0, 0, 0], Values::F32(vec![1.0, 0.0])),
        ("<f8", &doubles(&[0.5, -2.0]), Values::F64(vec![0.5, -2.0])),
    ];
    for (descr, data, expected) in cases {
        let (points, labels) =
            read_npy(&npy_bytes(descr, false, "(2,)", data), &two_classes()).unwrap();
        assert_eq!((points.values(), points.shape()), (&expected, &[1][..]), "{descr}");
        assert_eq!(classes(&labels).0, &[1, 0]);
        let (points, _) = read_npy(
            &npy_bytes(descr, true, "(1, 2)", data),
            &npy_bytes("<i8", false, "(1,)", &[0; 8]),
        )
        .unwrap();
        assert_eq!((points.values(), points.shape()), (&expected, &[2][..]), "{descr}");
    }
}

#[test]
fn npy_fortran_order_is_turned() {
    // x[i, j, k] = 100 i + 10 j + k of shape (2, 3, 2).
    let (mut c, mut fortran) = (Vec::new(), Vec::new());
    for at in 0..12u8 {
        c.push(100 * (at / 6) + 10 * (at / 2 % 3) + at % 2);
        fortran.push(100 * (at % 2) + 10 * (at / 2 % 3) + at / 6);
    }
    let read =
        |order, data: &[u8]| read_npy(&npy_bytes("|u1", order, "(2, 3, 2)", data), &two_classes());
    let (points, _) = read(true, &fortran).unwrap();
    assert_eq!((points.values(), points.shape()), (&Values::U8(c.clone()), &[3, 2][..]));
    assert_eq!(points, read(false, &c).unwrap().0);
}

#[test]
fn npy_labels_are_read() {
    let points = npy_bytes("|u1", false, "(2, 1)", &[1, 2]);
    let floats = npy_bytes("<f8", false, "(2, 2)", &doubles(&[1.0, 2.0, 3.0, 4.0]));
    let read = |labels: &[u8], label, target| {
        read_npy_with(&points, labels, &ArrayOptions { label, target, scale: None })
    };
    let labels = read(&floats, None, None).unwrap().1;
    assert_eq!(labels, Labels::Real { values: vec![1.0, 2.0, 3.0, 4.0], outputs: 2 });
    let labels = read(&floats, Some(2), None).unwrap().1;
    assert_eq!(labels, Labels::Real { values: vec![2.0, 4.0], outputs: 1 });
    let labels = read(&floats, Some(2), Some(LabelType::Class)).unwrap().1;
    assert_eq!((classes(&labels).0, classes(&labels).1), (&[2, 4][..], 5));
    for label in [0, 3, usize::MAX] {
        refusal(read(&floats, Some(label), None), &["no column"]);
    }
    refusal(read(&floats, None, Some(LabelType::Class)), &["2 columns", "label=COLUMN"]);
    let negative = npy_bytes("|i1", false, "(2,)", &[0, 255]);
    refusal(read(&negative, None, None), &["entry [1]: -1", "negative", "target=number"]);
    let labels = read(&negative, None, Some(LabelType::Number)).unwrap().1;
    assert_eq!(labels, Labels::Real { values: vec![0.0, -1.0], outputs: 1 });
    let many = npy_bytes("<i4", false, "(2,)", &[0, 0, 0, 0, 1, 0, 0, 1]);
    refusal(read(&many, None, None), &["16777217", "2^24", "target=number"]);
    let huge = npy_bytes("<i8", false, "(2,)", &[255, 255, 255, 255, 255, 255, 255, 127].repeat(2));
    refusal(read(&huge, None, None), &["entry [0]", "2^24"]);
    refusal(read(&huge, None, Some(LabelType::Number)), &["not exact in binary64"]);
    let nan = npy_bytes("<f8", false, "(2,)", &doubles(&[0.0, f64::NAN]));
    assert!(matches!(read(&nan, None, None), Err(SampleError::LabelNotFinite { index: 1, .. })));
    refusal(read(&npy_bytes("|u1", false, "(3,)", &[0; 3]), None, None), &["2 points", "3 labels"]);
}

#[test]
fn npy_scale_is_exact() {
    let read = |values: &[f64], scale| {
        let points = npy_bytes("<f8", false, "(1, 2)", &doubles(values));
        let options = ArrayOptions { scale: Some(scale), ..ArrayOptions::default() };
        read_npy_with(&points, &npy_bytes("|u1", false, "(1,)", &[0]), &options)
    };
    let (points, _) = read(&[1.5, -2.0], HALVES).unwrap();
    assert_eq!(points.values(), &Values::Scaled { values: vec![3, -4], scale: HALVES });
    let power = |exponent| Scale { base: Base::Two, exponent };
    assert_eq!(read(&[7.0, 0.0], power(0)).unwrap().0.values(), &Values::I64(vec![7, 0]));
    let (points, _) = read(&[5e-324, 0.0], power(1074)).unwrap();
    assert_eq!(points.values(), &Values::Scaled { values: vec![1, 0], scale: power(1074) });
    assert!(read(&[0.0, 0.0], power(u32::MAX)).is_ok());
    refusal(read(&[0.0, 5e-324], power(u32::MAX)), &["entry [0, 1]", "64-bit"]);
    refusal(read(&[0.0, 9.3e18], power(0)), &["64-bit"]);
    refusal(read(&[0.5, 0.25], HALVES), &["entry [0, 1]: 0.25", "2^1", "not an integer"]);
    refusal(read(&[0.5, f64::NAN], HALVES), &["finite"]);
    refusal(read(&[0.5, 0.1], TENTHS), &["10^k", "2^k"]);
}

#[test]
fn npy_not_finite_is_refused() {
    for value in [f64::NAN, f64::INFINITY] {
        let points = npy_bytes("<f8", false, "(2, 2)", &doubles(&[0.0, 1.0, 2.0, value]));
        let found = refusal(read_npy(&points, &two_classes()), &["point 1, coordinate 1"]);
        assert!(matches!(found, SampleError::NotFinite { .. }));
    }
}

#[test]
fn npy_other_types_are_refused() {
    for (descr, word) in [
        ("|O", "Python objects"),
        ("<c16", "complex"),
        ("<f2", "half"),
        ("<U5", "text"),
        ("<M8[ns]", "dates"),
        ("", "not of a type"),
        ("é", "not of a type"),
    ] {
        refusal(read_npy(&npy_bytes(descr, false, "(2,)", &[0; 32]), &two_classes()), &[word]);
    }
    let bad =
        |descr, data: &[u8]| read_npy(&npy_bytes(descr, false, "(2, 1)", data), &two_classes());
    refusal(bad("|b1", &[1, 2]), &["entry [1, 0]: 0x02"]);
    refusal(bad("<u8", &[255; 16]), &["entry [0, 0]", "2^63"]);
}

#[test]
fn npy_lying_headers_are_refused() {
    let lie = |shape: &str| read_npy(&npy_bytes("<f8", false, shape, &[0; 16]), &two_classes());
    refusal(lie("(4294967295, 4294967295, 4294967295)"), &["more than any file"]);
    refusal(lie("(18446744073709551615, 2)"), &["more than any file"]);
    refusal(lie("(18446744073709551616,)"), &["a side of the shape"]);
    refusal(lie("(1000000000000, 3)"), &["announces 24000000000000", "holds 16"]);
    refusal(lie("(3,)"), &["announces 24", "holds 16"]);
    refusal(lie("(1,)"), &["8 more"]);
    refusal(lie("()"), &["8 more"]);
    assert!(matches!(lie("(0, 3)"), Err(SampleError::Format { .. })));
    let empty = |shape| read_npy(&npy_bytes("<f8", false, shape, &[]), &two_classes());
    assert!(matches!(empty("(0, 3)"), Err(SampleError::Empty)));
    assert!(matches!(empty("(2, 0)"), Err(SampleError::NoCoordinates)));
    refusal(read_npy(b"\x93NUMPY\x02\x00\xff\xff\xff\xff", &two_classes()), &["4294967295"]);
    refusal(read_npy(b"\x93NUMPY\x09\x00\xff\xff", &two_classes()), &["version 9.0"]);
    refusal(read_npy(b"", &two_classes()), &["magic", "found 0"]);
    refusal(read_npy(b"PK\x03\x04..", &two_classes()), &["NPZ"]);
}

fn npz(members: &[(&str, Vec<u8>)], packed: bool) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let method =
        if packed { zip::CompressionMethod::Deflated } else { zip::CompressionMethod::Stored };
    let options = zip::write::SimpleFileOptions::default().compression_method(method);
    for (name, bytes) in members {
        writer.start_file(*name, options).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn read_npz(bytes: &[u8]) -> Read {
    let folder = Folder::new();
    npz::read(&folder.file("data.npz", bytes), "x", "y", &ArrayOptions::default())
}

#[test]
fn npz_is_read() {
    let points = npy_bytes("<f8", false, "(2, 2)", &doubles(&[1.0, 2.0, 3.0, 4.0]));
    let members = [("y.npy", two_classes()), ("x.npy", points.clone())];
    for packed in [false, true] {
        assert_eq!(
            read_npz(&npz(&members, packed)).unwrap(),
            read_npy(&points, &two_classes()).unwrap()
        );
    }
    refusal(read_npz(&npz(&members[..1], true)), &["x.npy", "y.npy"]);
    refusal(read_npz(b"not a zip"), &["data.npz", "NPZ"]);
    refusal(read_npz(b""), &["data.npz", "NPZ"]);
    let whole = npz(&members, true);
    refusal(read_npz(&whole[..whole.len() / 2]), &["data.npz"]);
    let mut altered = npz(&members, false);
    let place = altered.windows(8).position(|w| w == 4f64.to_le_bytes()).unwrap();
    altered[place] ^= 1;
    refusal(read_npz(&altered), &["x.npy", "checksum"]);
}

#[test]
fn npz_bomb_is_bounded() {
    let side = 1100 << 20;
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default()
        .compression_method(zip::CompressionMethod::Deflated)
        .compression_level(Some(1));
    writer.start_file("x.npy", options).unwrap();
    writer.write_all(&npy_bytes("|u1", false, &format!("({side},)"), &[])).unwrap();
    let zeros = vec![0; 1 << 20];
    for _ in 0..1100 {
        writer.write_all(&zeros).unwrap();
    }
    refusal(read_npz(&writer.finish().unwrap().into_inner()), &["x.npy", "more than a file"]);
}

// Garbage

/// Every reader on the same bytes; what they say does not matter.
fn read_by_all(bytes: &[u8]) {
    let folder = Folder::new();
    let path = folder.file("test_batch.bin", bytes);
    let _ = idx::read(&path, &path);
    let _ = cifar::read(&path, Split::Train);
    let _ = cifar::read(folder.path(), Split::Test);
    let _ = table::read(&path, &TableOptions::default());
    let _ = table::read(&path, &TableOptions { label: Some("a".into()), ..scaled(TENTHS) });
    let _ = table::read(&path, &TableOptions { label: Some("-1".into()), ..scaled(HALVES) });
    let _ = npy::read(&path, &path, &ArrayOptions::default());
    let _ = npz::read(&path, "x", "y", &ArrayOptions::default());
    let _ = npz::read(&path, "y", "y", &ArrayOptions { label: Some(1), ..Default::default() });
}

/// Valid files of every kind.
fn valid_files() -> Vec<Vec<u8>> {
    let array = npy_bytes("<f8", true, "(2, 2)", &doubles(&[1.0, 2.0, 3.0, 4.0]));
    let members = [("x.npy", array.clone()), ("y.npy", two_classes())];
    let small = [("test_batch.bin".to_string(), batch(1)), ("batches.meta.txt".into(), vec![b'a'])];
    vec![
        images(),
        gzip(&images()),
        two_labels(),
        b"a,b,kind\r\n1.5,2e1,\"x\"\r\n3,4,y\r\n".to_vec(),
        array,
        npz(&members, true),
        npz(&members, false),
        tar(&small),
        gzip(&tar(&small)),
    ]
}

proptest! {
    #![proptest_config(crate::common::cases(64))]

    #[test]
    fn garbage_never_panics(head in 0usize..7, tail in prop::collection::vec(any::<u8>(), 0..400)) {
        let heads: [&[u8]; 7] =
            [b"", &[0, 0, 8, 3], &[0, 0, 8, 1], &[0x1f, 0x8b, 8], b"\x93NUMPY\x01\x00", b"PK\x03\x04", b"1,2\n"];
        read_by_all(&[heads[head], &tail].concat());
    }

    #[test]
    fn text_never_panics(text in "[-+0-9.eE,;\t\"\r\n ?ax]{0,80}") {
        read_by_all(text.as_bytes());
    }

    #[test]
    fn altered_files_never_panic(which in 0usize..9, place in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>()) {
        let mut bytes = valid_files().swap_remove(which);
        let place = place.index(bytes.len());
        bytes[place] = byte;
        if cut {
            bytes.truncate(place);
        }
        read_by_all(&bytes);
    }

    #[test]
    fn decimals_are_exact(units in any::<i64>(), exponent in 0u32..30) {
        let scale = Scale { base: Base::Ten, exponent };
        let text = format!("{units}e-{exponent},x\n");
        let (points, _) = read_csv(&text, &scaled(scale)).unwrap();
        match points.values() {
            Values::Scaled { values, .. } | Values::I64(values) => prop_assert_eq!(values, &[units]),
            other => prop_assert!(false, "{:?}", other),
        }
    }

    #[test]
    fn binary_fractions_are_exact(units in -(1i64 << 53)..1 << 53, exponent in 0u32..60) {
        let scale = Scale { base: Base::Two, exponent };
        // Display of f64 may round; with 60 digits it is exact.
        let text = format!("{:.60},x\n", units as f64 / (1u64 << exponent) as f64);
        let (points, _) = read_csv(&text, &scaled(scale)).unwrap();
        match points.values() {
            Values::Scaled { values, .. } | Values::I64(values) => prop_assert_eq!(values, &[units]),
            other => prop_assert!(false, "{:?}", other),
        }
    }
}

// Real data

/// A file of the real data; without them the test is skipped.
fn data(name: &str) -> Option<PathBuf> {
    let folder = or_skipped(std::env::var_os("SHATTER_DATA"), DATA)?;
    Some(Path::new(&folder).join(name))
}

#[test]
fn real_mnist() {
    let Some(path) = data("mnist") else { return };
    let (points, labels) = idx::read_folder(&path, Split::Train).unwrap();
    assert_eq!(points.describe(), "u8 60000 × 28×28");
    assert_eq!(counts(&labels), [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]);
    let (points, labels) = idx::read_folder(&path, Split::Test).unwrap();
    assert_eq!(points.describe(), "u8 10000 × 28×28");
    assert_eq!(counts(&labels), [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]);
}

#[test]
fn real_fashion_mnist() {
    let Some(path) = data("fashion-mnist") else { return };
    let (points, labels) = idx::read_folder(&path, Split::Train).unwrap();
    assert_eq!((points.describe(), counts(&labels)), ("u8 60000 × 28×28".into(), vec![6000; 10]));
    let (_, labels) = idx::read_folder(&path, Split::Test).unwrap();
    assert_eq!(counts(&labels), vec![1000; 10]);
}

#[test]
fn real_tables() {
    let Some(path) = data("tabular") else { return };
    let read = |name, options: &TableOptions| table::read(&path.join(name), options);
    let (points, labels) = read("iris.csv", &scaled(TENTHS)).unwrap();
    assert_eq!((points.describe(), counts(&labels)), ("i64/10^1 150 × 4".into(), vec![50; 3]));
    assert_eq!(labels.describe(149), "Iris-virginica");
    let (points, labels) = read("wine.csv", &TableOptions::default()).unwrap();
    assert_eq!((points.describe(), counts(&labels)), ("f64 178 × 13".into(), vec![59, 71, 48]));
    let scale = |exponent| scaled(Scale { base: Base::Ten, exponent });
    refusal(read("wine.csv", &scale(2)), &["row 71, column 11", "'.906'", "scale=10^3"]);
    assert_eq!(read("wine.csv", &scale(6)).unwrap().0.describe(), "i64/10^6 178 × 13");
    let (points, labels) = read("optdigits-train.csv", &TableOptions::default()).unwrap();
    assert_eq!(points.describe(), "f64 3823 × 64");
    assert_eq!(counts(&labels), [376, 389, 380, 389, 387, 376, 377, 387, 380, 382]);
    // The sample that is built in.
    for (name, text) in
        [("optdigits-train.csv", "digits"), ("optdigits-test.csv", "digits:split=test")]
    {
        let (points, labels) = read(name, &TableOptions::default()).unwrap();
        let built_in = shatter_sample::load(text, 0).unwrap();
        let all = |points: &Points, by: f64| -> Vec<f64> {
            let row = |i| (0..64).map(move |k| by * points.f64_at(i, k));
            (0..points.n()).flat_map(row).collect()
        };
        assert_eq!(
            (all(&points, 15.0), counts(&labels)),
            (all(&built_in.points, 1.0), counts(&built_in.labels))
        );
        let same = (0..points.n()).all(|i| labels.describe(i) == built_in.labels.describe(i));
        assert!(same, "{text}: labels");
    }
    let (_, labels) = read("optdigits-test.csv", &TableOptions::default()).unwrap();
    assert_eq!(counts(&labels), [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]);
}

#[test]
fn real_breast_cancer_is_refused_at_its_first_question_mark() {
    let Some(path) = data("tabular/breast-cancer-wisconsin.csv") else { return };
    let text = fs::read_to_string(&path).unwrap();
    let (row, line) = (1u64..).zip(text.lines()).find(|(_, line)| line.contains('?')).unwrap();
    let place = line.split(',').position(|cell| cell == "?").unwrap() + 1;
    let words = [format!("row {row}, column {place}: '?'"), "missing value".into()];
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    refusal(table::read(&path, &TableOptions::default()), &words);
}

#[test]
fn real_cifar() {
    let Some(path) = or_skipped(std::env::var_os("SHATTER_CIFAR"), CIFAR) else { return };
    let path = PathBuf::from(path);
    let (points, labels) = cifar::read(&path, Split::Train).unwrap();
    assert_eq!((points.describe(), counts(&labels)), ("u8 50000 × 3×32×32".into(), vec![5000; 10]));
    let (_, labels) = cifar::read(&path, Split::Test).unwrap();
    assert_eq!(counts(&labels), vec![1000; 10]);
}

/// Numbers among names come first, in their order: no number is ordered as text.
#[test]
fn classes_of_numbers_and_words_are_in_their_order() {
    let table = "x,label\n1,b\n2,10\n3,9\n4,a\n5,9.0\n";
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.csv");
    std::fs::write(&path, table).unwrap();
    let sample = shatter_sample::load(&format!("csv:{},target=class", path.display()), 0).unwrap();
    let shatter_sample::Labels::Classes { of, names, .. } = &sample.labels else {
        panic!("{:?}", sample.labels)
    };
    assert_eq!(
        (&names[..], &of[..]),
        (&["9", "9.0", "10", "a", "b"].map(String::from)[..], &[4, 2, 0, 3, 1][..])
    );
}
