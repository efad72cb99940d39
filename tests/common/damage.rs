//! Small valid files that hold networks as arrays, and ways to damage them.

use std::fs;

use proptest::prelude::*;
use proptest::sample::Index;
use tempfile::TempDir;

use super::program::{csv, shatter, status, stderr};

/// A file, and the layers in words that it needs.
#[derive(Clone, Debug)]
pub struct Seed {
    pub name: String,
    pub bytes: Vec<u8>,
    pub words: Option<&'static str>,
}

/// The layers of [`plain_arrays`].
pub const WORDS: &str = "dense(2) relu";

/// A file of safetensors: arrays under their names, each a type, a shape and its bytes.
pub fn safetensors(arrays: &[(&str, &str, &[usize], Vec<u8>)]) -> Vec<u8> {
    let mut at = 0;
    let entry = |(name, kind, shape, bytes): &(&str, &str, &[usize], Vec<u8>)| {
        let begin = at;
        at += bytes.len();
        format!(r#""{name}":{{"dtype":"{kind}","shape":{shape:?},"data_offsets":[{begin},{at}]}}"#)
    };
    let header = format!("{{{}}}", arrays.iter().map(entry).collect::<Vec<_>>().join(","));
    let data = arrays.iter().flat_map(|(_, _, _, bytes)| bytes.iter().copied());
    let length = (header.len() as u64).to_le_bytes();
    length.into_iter().chain(header.bytes()).chain(data).collect()
}

/// Two layers under PyTorch's names, two numbers in and two out, of a type whose number 1 has these bytes.
pub fn plain_arrays(kind: &str, one: &[u8]) -> Vec<u8> {
    safetensors(&[
        ("0.weight", kind, &[2, 2], one.repeat(4)),
        ("0.bias", kind, &[2], one.repeat(2)),
        ("2.weight", kind, &[2, 2], one.repeat(4)),
        ("2.bias", kind, &[2], one.repeat(2)),
    ])
}

/// An archive of these members.
pub fn archive(members: &[(&str, Vec<u8>)], method: zip::CompressionMethod) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default().compression_method(method);
    for (name, bytes) in members {
        writer.start_file(*name, options).unwrap();
        std::io::Write::write_all(&mut writer, bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// The same archive, its members packed.
fn packed(file: &[u8]) -> Vec<u8> {
    let mut read = zip::ZipArchive::new(std::io::Cursor::new(file)).unwrap();
    let names: Vec<String> = read.file_names().map(|name| name.unwrap().to_string()).collect();
    let members: Vec<(&str, Vec<u8>)> = names
        .iter()
        .map(|name| {
            let mut bytes = Vec::new();
            std::io::Read::read_to_end(&mut read.by_name(name).unwrap(), &mut bytes).unwrap();
            (name.as_str(), bytes)
        })
        .collect();
    archive(&members, zip::CompressionMethod::Deflated)
}

/// Constructions of every form of arrays, and a trained architecture, in all three formats; a checkpoint; plain
/// arrays of every type.
pub fn seeds(folder: &TempDir) -> Vec<Seed> {
    let works = |arguments: &[&str]| {
        let output = shatter(folder, arguments);
        assert!(status(&output) < 2, "{arguments:?}: {}", stderr(&output));
    };
    let row = |k: u32| format!("{},{},{}", k, k * k % 5, k % 2);
    csv(folder, "x.csv", (0..4).map(row));
    let sample = "csv:x.csv,header=no";
    let mut from = Vec::new();
    for name in ["depth-two-zigzag", "depth-3", "softsign"] {
        works(&["fit", sample, "--construction", name, "--out", name]);
        from.push((name, format!("{name}/certificate.txt")));
    }
    let train = ["train", sample, "--model", "dense(3) batchnorm relu", "--epochs", "1"];
    works(&[&train[..], &["--batch", "2", "--device", "cpu", "--out", "trained"]].concat());
    from.push(("trained", "trained/checkpoint.safetensors".to_owned()));
    let read = |file: &str| fs::read(folder.path().join(file)).unwrap();
    let mut seeds = Vec::new();
    let mut add = |name: String, bytes, words| seeds.push(Seed { name, bytes, words });
    for (name, file) in from {
        for to in ["json", "npz", "safetensors"] {
            works(&["export", &file, "--to", to, "--round", "--out", name]);
            let bytes = read(&format!("{name}/network.{to}"));
            if to == "npz" {
                add(format!("packed-{name}.npz"), packed(&bytes), None);
            }
            add(format!("{name}.{to}"), bytes, None);
        }
    }
    add("checkpoint.safetensors".to_owned(), read("trained/checkpoint.safetensors"), None);
    let ones: [(&str, &[u8]); 4] = [
        ("F16", &[0x00, 0x3c]),
        ("BF16", &[0x80, 0x3f]),
        ("F32", &[0, 0, 0x80, 0x3f]),
        ("F64", &[0, 0, 0, 0, 0, 0, 0xf0, 0x3f]),
    ];
    for (kind, one) in ones {
        add(format!("{kind}.safetensors"), plain_arrays(kind, one), Some(WORDS));
    }
    seeds
}

/// One change of a file.
#[derive(Clone, Debug)]
pub enum Damage {
    /// Bits of one byte.
    Flip(Index, u8),
    /// The file ends here.
    Cut(Index),
    /// Bytes left out, from here on.
    Drop(Index, usize),
    /// Bytes of another place, of this or another file, put here: in between, or in place of others.
    Splice { of: Index, from: Index, length: usize, to: Index, replace: bool },
    /// A number in digits, somewhere in the file, becomes another.
    Number(Index, &'static str),
    /// Eight bytes become this number: lengths of headers, and of members of archives.
    Length(Index, u64),
}

/// Numbers that lie.
const NUMBERS: [&str; 10] = [
    "0",
    "1",
    "3",
    "4294967296",
    "1152921504606846976",
    "18446744073709551615",
    "99999999999999999999999",
    "-1",
    "1e999",
    "NaN",
];

pub fn damage() -> impl Strategy<Value = Damage> {
    let index = any::<Index>;
    let length =
        prop_oneof![Just(0u64), 1u64..400, Just(u64::MAX), Just(1 << 40), Just(0xffff_ffff)];
    prop_oneof![
        3 => (index(), 1u8..=255).prop_map(|(at, bits)| Damage::Flip(at, bits)),
        1 => index().prop_map(Damage::Cut),
        1 => (index(), 1usize..40).prop_map(|(at, length)| Damage::Drop(at, length)),
        2 => (index(), index(), 1usize..80, index(), any::<bool>()).prop_map(
            |(of, from, length, to, replace)| Damage::Splice { of, from, length, to, replace }
        ),
        4 => (index(), prop::sample::select(NUMBERS.to_vec()))
            .prop_map(|(at, number)| Damage::Number(at, number)),
        1 => (index(), length).prop_map(|(at, length)| Damage::Length(at, length)),
    ]
}

impl Damage {
    /// The file with the change.
    pub fn of(&self, file: &[u8], seeds: &[Seed]) -> Vec<u8> {
        let mut bytes = file.to_vec();
        if bytes.is_empty() {
            return bytes;
        }
        match self {
            Damage::Flip(at, bits) => bytes[at.index(file.len())] ^= bits,
            Damage::Cut(at) => bytes.truncate(at.index(file.len())),
            Damage::Drop(at, length) => {
                let at = at.index(file.len());
                drop(bytes.drain(at..(at + length).min(file.len())));
            }
            Damage::Splice { of, from, length, to, replace } => {
                let other = &of.get(seeds).bytes;
                let (from, to) = (from.index(other.len()), to.index(file.len()));
                let part = other[from..(from + length).min(other.len())].to_vec();
                let end = if *replace { (to + length).min(file.len()) } else { to };
                bytes.splice(to..end, part);
            }
            Damage::Number(at, number) => {
                let begins = |&k: &usize| {
                    file[k].is_ascii_digit() && (k == 0 || !file[k - 1].is_ascii_digit())
                };
                let places: Vec<usize> = (0..file.len()).filter(begins).collect();
                if !places.is_empty() {
                    let begin = *at.get(&places);
                    let digits = file[begin..].iter().take_while(|byte| byte.is_ascii_digit());
                    bytes.splice(begin..begin + digits.count(), number.bytes());
                }
            }
            Damage::Length(at, length) => {
                let at = at.index(file.len());
                let end = (at + 8).min(file.len());
                bytes.splice(at..end, length.to_le_bytes());
            }
        }
        bytes
    }
}
