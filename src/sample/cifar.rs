//! The binary version of CIFAR-10 (<https://www.cs.toronto.edu/~kriz/cifar.html>): a folder, or
//! the .tar.gz (or plain .tar) as it is, which is streamed and never unpacked to disk.
//!
//! `data_batch_1.bin` to `data_batch_5.bin` and `test_batch.bin` are records of 3073 bytes: the
//! class, 0 to 9, then 1024 red, 1024 green and 1024 blue bytes. `batches.meta.txt` holds the ten
//! names. Refused: a record cut short, a label above 9 (both with the number of the record), a
//! missing batch, a batch that is there twice.

use std::fs;
use std::io::{BufReader, Read};
use std::path::Path;

use super::files::{self, Source, Split};
use super::{Labels, Points, SampleError, Values};

const PIXELS: usize = 3 * 32 * 32;
const TRAIN: [&str; 5] = [
    "data_batch_1.bin",
    "data_batch_2.bin",
    "data_batch_3.bin",
    "data_batch_4.bin",
    "data_batch_5.bin",
];
const TEST: [&str; 1] = ["test_batch.bin"];
const META: &str = "batches.meta.txt";
const SUBFOLDER: &str = "cifar-10-batches-bin";
const NAMES: [&str; 10] =
    ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

/// Classes and pixels of the records of one file, or of several.
#[derive(Default)]
struct Batch {
    classes: Vec<u32>,
    pixels: Vec<u8>,
}

/// The images, of shape 3 × 32 × 32, and their classes, in the order of the batches 1 to 5.
///
/// `path` is a folder that holds the files, or holds them in `cifar-10-batches-bin`, or the
/// archive.
///
/// # Errors
/// [`SampleError::Io`], [`SampleError::NoSuchFile`] if a batch is missing,
/// [`SampleError::Format`] for a record cut short, a label above 9, names that are not ten, an
/// archive that is not a tar or is packed with xz.
pub fn read(path: &Path, split: Split) -> Result<(Points, Labels), SampleError> {
    let files: &[&str] = match split {
        Split::Train => &TRAIN,
        Split::Test => &TEST,
    };
    let about =
        fs::metadata(path).map_err(|source| SampleError::Io { file: path.into(), source })?;
    let (batch, names) =
        if about.is_dir() { read_folder(path, files)? } else { read_archive(path, files)? };
    let points = Points::new(Values::U8(batch.pixels), vec![3, 32, 32])?;
    let mut labels = Labels::classes(batch.classes, 10)?;
    if let Labels::Classes { names: unnamed, .. } = &mut labels {
        *unnamed = names.unwrap_or_else(|| NAMES.map(String::from).to_vec());
    }
    Ok((points, labels))
}

fn read_folder(folder: &Path, files: &[&str]) -> Result<(Batch, Option<Vec<String>>), SampleError> {
    let below = folder.join(SUBFOLDER);
    let is_here = |place: &Path| files.iter().any(|file| place.join(file).is_file());
    let folder = if !is_here(folder) && is_here(&below) { &below } else { folder };
    missing(folder, files, |file| folder.join(file).is_file())?;
    let mut all = Batch::default();
    for file in files {
        read_batch(Source::open(&folder.join(file))?, &mut all)?;
    }
    let meta = folder.join(META);
    let names = if meta.is_file() { Some(read_names(Source::open(&meta)?)?) } else { None };
    Ok((all, names))
}

fn read_archive(path: &Path, files: &[&str]) -> Result<(Batch, Option<Vec<String>>), SampleError> {
    let (_, limit) = files::open_plain(path)?;
    let source = Source::open(path)?;
    let not_tar = |e: std::io::Error| SampleError::Format {
        file: path.into(),
        reason: format!("cannot be read as a .tar or .tar.gz archive: {e}"),
    };
    let mut archive = tar::Archive::new(BufReader::with_capacity(1 << 18, source));
    let mut batches: Vec<Option<Batch>> = files.iter().map(|_| None).collect();
    let mut names = None;
    for entry in archive.entries().map_err(not_tar)? {
        let entry = entry.map_err(not_tar)?;
        // A sparse member would unpack to more than it holds.
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let Ok(inside) = entry.path().map(|inside| inside.into_owned()) else { continue };
        let Some(file) = inside.file_name().and_then(|name| name.to_str()) else { continue };
        let position = files.iter().position(|wanted| *wanted == file);
        if position.is_none() && file != META {
            continue;
        }
        let member = Source::member(path.join(file), entry, limit);
        let Some(slot) = position.and_then(|position| batches.get_mut(position)) else {
            names = Some(read_names(member)?);
            continue;
        };
        if slot.is_some() {
            return Err(member.format("the archive contains it twice"));
        }
        let mut batch = Batch::default();
        read_batch(member, &mut batch)?;
        *slot = Some(batch);
    }
    missing(path, files, |file| {
        files.iter().zip(&batches).any(|(name, batch)| *name == file && batch.is_some())
    })?;
    let mut all = Batch::default();
    for mut batch in batches.into_iter().flatten() {
        let size = batch.pixels.len();
        files::reserve(&mut all.pixels, size, (files.len() * size) as u64, path)?;
        all.pixels.append(&mut batch.pixels);
        all.classes.append(&mut batch.classes);
    }
    Ok((all, names))
}

/// Names the files that are not there.
fn missing(place: &Path, files: &[&str], there: impl Fn(&str) -> bool) -> Result<(), SampleError> {
    let missing: Vec<&str> = files.iter().copied().filter(|file| !there(file)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let wanted = format!("{} (of the binary version of CIFAR-10)", missing.join(", "));
    Err(SampleError::NoSuchFile { folder: place.into(), wanted })
}

fn read_batch(source: Source<'_>, all: &mut Batch) -> Result<(), SampleError> {
    let name = source.name().to_path_buf();
    let mut source = BufReader::with_capacity(1 << 18, source);
    let (mut class, mut image) = (Vec::with_capacity(1), Vec::with_capacity(PIXELS));
    for record in 1u64.. {
        read_up_to(&mut source, 1, &mut class)?;
        let wrong = match class.first() {
            Some(0..=9) => None,
            Some(label) => {
                Some(format!("record {record}: label {label} is not a class; expected 0 to 9"))
            }
            None if record == 1 => Some("it contains no record".into()),
            None => break,
        };
        if let Some(reason) = wrong {
            return Err(source.get_ref().format(reason));
        }
        read_up_to(&mut source, PIXELS, &mut image)?;
        if image.len() < PIXELS {
            let reason = format!(
                "record {record} is truncated: expected {PIXELS} bytes of pixels, found {}",
                image.len()
            );
            return Err(source.get_ref().format(reason));
        }
        files::reserve(&mut all.pixels, PIXELS, u64::MAX, &name)?;
        all.pixels.extend_from_slice(&image);
        all.classes.extend(class.iter().map(|&class| u32::from(class)));
    }
    Ok(())
}

/// Replaces what `into` holds by the next `size` bytes, fewer at the end.
fn read_up_to(
    source: &mut BufReader<Source<'_>>,
    size: usize,
    into: &mut Vec<u8>,
) -> Result<(), SampleError> {
    into.clear();
    let outcome = source.by_ref().take(size as u64).read_to_end(into);
    outcome.map(|_| ()).map_err(|e| source.get_ref().io(e))
}

fn read_names(mut source: Source<'_>) -> Result<Vec<String>, SampleError> {
    let mut text = Vec::new();
    if let Err(e) = (&mut source).take(1 << 16).read_to_end(&mut text) {
        return Err(source.io(e));
    }
    let text = String::from_utf8(text).map_err(|_| source.format("it is not UTF-8"))?;
    let names: Vec<String> =
        text.lines().map(str::trim).filter(|name| !name.is_empty()).map(String::from).collect();
    if names.len() != NAMES.len() {
        let reason = format!("expected ten names of classes, found {}", names.len());
        return Err(source.format(reason));
    }
    Ok(names)
}
