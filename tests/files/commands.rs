//! Promise: every command takes every kind of file that holds a network, or says in one line why not and what to do;
//! and whatever `export` writes is read back as the same network.

use std::fs;
use std::path::Path;

use crate::common::damage::safetensors;
use crate::common::longer;
use crate::common::program::{csv, refused, shatter, status, stderr, stdout};
use crate::common::python::{python_for_a_part, run};
use proptest::prelude::*;
use shatter_construct::catalogue;
use shatter_exact::{Element, Format, Rational};
use shatter_interchange::load::{self, LoadError, LoadOptions, Loaded, LoadedNetwork, Trained};
use shatter_interchange::{InterchangeError, number};
use shatter_judge::{Effort, Runtime, Verdict, judge};
use shatter_network::architecture::{Architecture, ParameterKind, Shape};
use shatter_network::exactly::outputs_of;
use shatter_network::{Activation, ExactPoints, Graph, Network};
use shatter_sample::{self as sample, LabelRule, Labels, Points, Values};
use shatter_train::{Checkpoint, DataIdentity, Identity, Initialization, Progress, Settings};
use tempfile::TempDir;

fn loaded(file: &Path) -> Loaded {
    load::load(file, &LoadOptions::default()).unwrap_or_else(|error| panic!("{error}"))
}

/// Runs the program, which must not find anything wrong with what it is given.
fn works(folder: &TempDir, arguments: &[&str]) -> String {
    let output = shatter(folder, arguments);
    assert!(status(&output) < 2, "{arguments:?}: {}", stderr(&output));
    stdout(&output)
}

/// Exports, with numbers rounded where they have to be; `false` where the type does not reach so far.
fn export(folder: &TempDir, file: &str, to: &str, of: Format) -> bool {
    let out = format!("{to}-{of}");
    let words = ["export", file, "--to", to, "--type", of.name(), "--round", "--out", &out];
    let output = shatter(folder, &words);
    if status(&output) == 2 && stderr(&output).contains("too large for") {
        return false;
    }
    assert_eq!(status(&output), 0, "{file}: {}", stderr(&output));
    true
}

/// Samples of which each construction takes the first that it can; one that takes none is left out, in a line.
fn samples(folder: &TempDir) -> Vec<&'static str> {
    let unit = |i: usize| {
        let row = (0..9).map(|k| if k == i { "1," } else { "0," });
        row.chain([["0", "1", "2"][i % 3]]).collect::<String>()
    };
    csv(folder, "units.csv", (0..9).map(unit));
    csv(folder, "halves.csv", (1..9).map(|k| format!("{},{}", 0.5f64.powi(k), k % 2)));
    vec![
        "lattice:n=9,d=3,range=1000,classes=2",
        "moment:n=9,d=3,classes=2",
        "collinear:n=9,d=2",
        "csv:units.csv,header=no",
        "csv:halves.csv,header=no",
    ]
}

/// The outputs at all points, exactly.
fn outputs(graph: &Graph, points: &sample::Points) -> Vec<Vec<Rational>> {
    outputs_of(graph, points).expect("no roots")
}

fn by_definition(network: &Network, points: &sample::Points) -> Vec<Vec<Rational>> {
    let layered = match network {
        Network::TwoLayer(two) => two.to_layered(),
        Network::Layered(layered) => layered.clone(),
    };
    (0..points.n()).map(|i| layered.evaluate(&points.exact_row(i))).collect()
}

/// Whether every unit is the identity or a ReLU, which ONNX files are read with.
fn is_plain(network: &Network) -> bool {
    let plain = |of| matches!(of, Activation::Identity | Activation::Relu);
    match network {
        Network::TwoLayer(_) => true,
        Network::Layered(layered) => layered.layers().flatten().all(|unit| plain(unit.activation)),
    }
}

#[test]
fn exported_constructions_are_read_back() {
    let folder = TempDir::new().unwrap();
    let samples = samples(&folder);
    let mut formats = 0;
    for construction in catalogue::all() {
        let name = construction.name();
        let fit = |text: &&&str| {
            let fit = ["fit", text, "--labels", "true", "--construction", &name, "--out", "fit"];
            status(&shatter(&folder, &fit)) == 0
        };
        let Some(text) = samples.iter().find(fit) else {
            println!("skipped: {name} is built on none of the samples here, see `samples`");
            continue;
        };
        let text = text.replace("csv:", &format!("csv:{}/", folder.path().display()));
        let raw = sample::load(&text, 0).unwrap();
        let points = raw.distinct(LabelRule::True, 0).unwrap().points;
        let certificate = loaded(&folder.path().join("fit/certificate.txt"));
        let network = certificate.explicit().expect("a certificate is explicit");
        for of in [Format::F64, Format::F32] {
            for to in ["safetensors", "npz", "json", "onnx"] {
                if !export(&folder, "fit/certificate.txt", to, of) {
                    continue;
                }
                formats += 1;
                let file = folder.path().join(format!("{to}-{of}/network.{to}"));
                let expected = match to {
                    "json" => network.clone(), // whatever the type
                    _ => number::rounded(network, of).unwrap(),
                };
                if to == "onnx" && !is_plain(network) {
                    // Thresholds and the like are written as nodes that may not be read back.
                    if let Err(error) = load::load(&file, &LoadOptions::default()) {
                        assert!(error.to_string().contains("not read"), "{name}: {error}");
                        continue;
                    }
                }
                let read = loaded(&file);
                assert_eq!(read.reading, certificate.reading, "{name} in {to}");
                assert_eq!(read.origin, certificate.origin, "{name} in {to}");
                if let LoadedNetwork::Graph(graph) = &read.body {
                    let wanted = by_definition(&expected, &points);
                    assert_eq!(outputs(graph, &points), wanted, "{name} in {to} of {of}");
                } else {
                    assert_eq!(read.explicit(), Some(&expected), "{name} in {to} of {of}");
                }
            }
        }
    }
    assert!(formats >= 8 * 18, "{formats} files");
}

/// A checkpoint of drawn weights, for whatever is written of it.
fn checkpoint<E: Element>(folder: &TempDir, words: &str, input: Shape, outputs: usize) -> Trained {
    let architecture = Architecture::named(words, input, outputs).unwrap();
    let draw = |(array, index): (shatter_network::architecture::Parameter, u32)| {
        let positive = array.kind == ParameterKind::RunningVariance;
        let values = Initialization::PyTorch
            .draw(&array, index, 7)
            .into_iter()
            .map(|x| E::of(if positive { x.abs() + 0.5 } else { x }));
        let values: Vec<E> = values.collect();
        (array, values)
    };
    let held = Checkpoint::<E> {
        architecture: architecture.to_string(),
        input,
        outputs,
        identity: Identity { data: DataIdentity::named("drawn"), settings: Settings::paper(0.1) },
        progress: Progress::default(),
        arrays: architecture.arrays().unwrap().into_iter().zip(0..).map(draw).collect(),
        velocities: Vec::new(),
    };
    let path = folder.path().join("checkpoint.safetensors");
    held.save(&path, 0).unwrap();
    match loaded(&path).body {
        LoadedNetwork::Trained(trained) => trained,
        other => panic!("{other:?}"),
    }
}

/// Whether a response normalization leaves as an operator of its own.
fn whole_responses(words: &str, of: Format) -> bool {
    !words.contains("lrn(") && words != "alexnet" || of == Format::F32 && !words.contains("lrn(4")
}

fn reads_back<E: Element>(words: &str, input: Shape, types: &[Format]) {
    let folder = TempDir::new().unwrap();
    let trained = checkpoint::<E>(&folder, words, input, 3);
    for &of in types {
        for to in ["safetensors", "npz", "json", "onnx"] {
            assert!(export(&folder, "checkpoint.safetensors", to, of), "{words}");
            let file = folder.path().join(format!("{to}-{of}/network.{to}"));
            let rounded =
                |values: &Vec<f64>| -> Vec<f64> { values.iter().map(|&x| of.nearest(x)).collect() };
            let wanted: Vec<_> = trained
                .arrays
                .iter()
                .map(|(array, values)| (array.clone(), rounded(values)))
                .collect();
            if to != "onnx" || whole_responses(words, of) {
                // By any file, the weights of another run.
                let weights = load::weights::<f64>(&file, &trained.architecture);
                assert!(weights.unwrap().arrays == wanted, "{words} in {to} of {of}");
            }
            if to == "onnx" {
                continue;
            }
            let read = loaded(&file);
            let LoadedNetwork::Trained(read) = &read.body else { panic!("{words} in {to}") };
            assert_eq!(read.architecture, trained.architecture);
            assert!(read.arrays == wanted, "{words} in {to} of {of}");
            assert_eq!(read.precision, of, "{words} in {to}");
        }
    }
}

#[test]
fn exported_architectures_are_read_back() {
    let image = |channels, side| Shape { channels, height: side, width: side };
    let every = "conv(3,3,pad=1) batchnorm relu [ conv(2,1) | maxpool(3,stride=1,pad=1) ] lrn(3) \
                 meanpool(2) dropout(0.5) conv(4,2,stride=2) globalmeanpool";
    for (words, input) in [
        ("mlp:5,4", image(2, 3)),
        ("dense(4) batchnorm relu", Shape::vector(5)),
        ("lrn(4) flatten dense(5) relu", Shape::vector(6)),
        (every, image(2, 6)),
    ] {
        let both = [Format::F32, Format::F64];
        reads_back::<f32>(words, input, &both);
        reads_back::<f64>(words, input, &both);
    }
    let named =
        if longer(1) > 1 { &["alexnet", "inception", "inception-nobn"][..] } else { &["alexnet"] };
    for words in named {
        reads_back::<f32>(words, image(1, 8), &[Format::F32]);
    }
}

/// What the commands say of a file: it is taken, or refused in one line.
fn row(folder: &TempDir, file: &str, more: &[&str], units: usize) -> String {
    let sample = "csv:real.csv,header=no";
    let model = format!("mlp:{units}");
    let commands: [(&str, Vec<&str>); 5] = [
        ("eval", [&["eval", file, sample], more].concat()),
        ("show", [&["show", file], more].concat()),
        ("export", [&["export", file, "--to", "npz", "--round", "--out", "table"], more].concat()),
        ("check", [&["check", "--network", file, sample, "--out", "table"], more].concat()),
        (
            "init",
            vec![
                "train",
                sample,
                "--model",
                &model,
                "--init",
                file,
                "--epochs",
                "0",
                "--batch",
                "2",
                "--device",
                "cpu",
                "--overwrite",
                "--out",
                "run",
            ],
        ),
    ];
    let answer = |(command, words): (&str, Vec<&str>)| {
        let output = shatter(folder, &words);
        match status(&output) {
            0 | 1 => format!(" {command}"),
            2 => {
                let message = stderr(&output);
                assert_eq!(message.trim_end().lines().count(), 1, "{message}");
                assert!(message.contains(file), "{message}");
                println!("{command} {file}: {}", message.trim_end());
                String::new()
            }
            other => panic!("{words:?}: {other}: {}", stderr(&output)),
        }
    };
    format!("{file}:{}", commands.into_iter().map(answer).collect::<String>())
}

/// Files × commands: what is missing is refused in one line that names the file.
#[test]
fn every_command_takes_every_kind_of_file_or_says_why_not() {
    let folder = TempDir::new().unwrap();
    csv(&folder, "real.csv", (0..6).map(|k| format!("{k},{},{}.5", k * k % 4, k % 3)));
    let sample = "csv:real.csv,header=no";
    works(&folder, &["fit", sample, "--out", "fit"]);
    works(&folder, &["fit", sample, "--construction", "depth-3", "--out", "deep"]);
    fs::rename(folder.path().join("deep/certificate.txt"), folder.path().join("deep.txt")).unwrap();
    works(
        &folder,
        &[
            "train", sample, "--model", "mlp:4", "--epochs", "2", "--batch", "2", "--device",
            "cpu", "--out", "train",
        ],
    );
    let mut rows = Vec::new();
    for (file, to, units) in [
        ("fit/network.txt", None, 6),
        ("fit/certificate.txt", Some("built"), 6),
        ("train/checkpoint.safetensors", Some("trained"), 4),
    ] {
        rows.push(row(&folder, file, &[], units));
        let Some(name) = to else { continue };
        for to in ["safetensors", "npz", "json", "onnx"] {
            works(&folder, &["export", file, "--to", to, "--out", "exported"]);
            let moved = format!("{name}.{to}");
            fs::rename(
                folder.path().join(format!("exported/network.{to}")),
                folder.path().join(&moved),
            )
            .unwrap();
            rows.push(row(&folder, &moved, &[], units));
        }
    }
    rows.push(row(&folder, "deep.txt", &[], 6));
    let all = " eval show export check init";
    let expected = [
        ("fit/network.txt", all),
        ("fit/certificate.txt", all),
        ("built.safetensors", all),
        ("built.npz", all),
        ("built.json", all),
        ("built.onnx", " eval show check"), // its units share a direction, which no layer does
        ("train/checkpoint.safetensors", all),
        ("trained.safetensors", all),
        ("trained.npz", all),
        ("trained.json", all),
        ("trained.onnx", " eval show check init"), // exported already
        ("deep.txt", " eval show export check"),   // another architecture
    ];
    for (row, (file, commands)) in rows.iter().zip(expected) {
        assert_eq!(*row, format!("{file}:{commands}"));
    }
    assert_eq!(rows.len(), expected.len());

    let Some(python) = python_for_a_part("numpy, onnx, onnxscript, safetensors.torch, torch")
    else {
        return;
    };
    run(&python, folder.path(), "plain_files.py", &["."]);
    let words = ["--architecture", "flatten dense(4) relu"];
    for (file, more, commands) in [
        ("plain.safetensors", &words[..], all),
        ("half.safetensors", &words[..], all),
        ("plain.npz", &words[..], all),
        ("plain.safetensors", &[], " init"), // its layers are not said
        ("plain.npz", &[], " init"),
        ("dynamo.onnx", &[], " eval show check init"),
        ("script.onnx", &[], " eval show check init"),
    ] {
        assert_eq!(row(&folder, file, more, 4), format!("{file}:{commands}"), "{more:?}");
    }
    // Numbers of half precision are kept, and the runtime is one of half precision.
    let found = works(
        &folder,
        &[&["check", "--network", "half.safetensors", sample, "--json"][..], &words].concat(),
    );
    assert!(found.contains("\"precision\": \"f16\""), "{found}");
}

/// Layers in words are for files that say none.
#[test]
fn layers_in_words_are_refused_where_the_file_has_its_own() {
    let folder = TempDir::new().unwrap();
    works(&folder, &["fit", "lattice:n=5,d=2", "--out", "fit"]);
    works(&folder, &["export", "fit/network.txt", "--to", "onnx", "--out", "fit"]);
    for file in ["fit/network.txt", "fit/network.onnx"] {
        refused(
            &folder,
            &["show", file, "--architecture", "dense(2) relu"],
            &[file, "--architecture"],
        );
    }
}

/// The kind is in the bytes, whatever the name says.
#[test]
fn names_do_not_decide() {
    let folder = TempDir::new().unwrap();
    works(&folder, &["fit", "lattice:n=5,d=2", "--out", "fit"]);
    for to in ["onnx", "safetensors", "npz", "json"] {
        works(&folder, &["export", "fit/certificate.txt", "--to", to, "--out", "fit"]);
        let (from, other) = (format!("fit/network.{to}"), folder.path().join("net.dat"));
        fs::rename(folder.path().join(from), &other).unwrap();
        works(&folder, &["show", "net.dat"]);
        fs::rename(other, folder.path().join("net.txt")).unwrap();
        if to != "onnx" {
            works(&folder, &["show", "net.txt"]);
        }
    }
    for (bytes, words) in [
        (&b""[..], &["empty"][..]),
        (b"\x80\x02}q\x00.", &["pickled"]),
        (b"hello, world", &["no known format"]),
        (b"shatter network certificate 1\n", &["in another file"]),
        (b"shatter nonsense 1\n", &["line 1"]),
        (b"PK\x03\x04 and no more", &["zip"]),
        (b"{\"arrays\": {}", &["EOF"]),
        (b"\x08\x09", &["no graph"]),
    ] {
        fs::write(folder.path().join("wrong"), bytes).unwrap();
        refused(&folder, &["show", "wrong"], &[&["wrong"], words].concat());
    }
    refused(&folder, &["show", "fit"], &["fit is a folder"]);
    refused(&folder, &["show", "nowhere"], &["nowhere"]);
}

/// bit-extraction keeps many labels in one number, and rounding loses them.
#[test]
fn rounding_says_how_many_points_still_fit() {
    let folder = TempDir::new().unwrap();
    let sample = "lattice:n=1000,d=4,range=2001";
    let fit =
        ["fit", sample, "--labels", "random", "--construction", "bit-extraction", "--out", "fit"];
    works(&folder, &fit);
    let export = ["export", "fit/certificate.txt", "--to", "onnx", "--round", "--out", "out"];
    let text = works(&folder, &export);
    let line = "after rounding 98 of 1,000 points still equal their labels (evaluated exactly)";
    assert!(text.contains(line), "{text}");
    let found: serde_json::Value =
        serde_json::from_str(&works(&folder, &[&export[..], &["--json"]].concat())).unwrap();
    assert_eq!(found["after_rounding"]["fits_exactly"], 98, "{found}");
    assert_eq!(found["after_rounding"]["tried"], true, "{found}");
    // What it finds is what the rounded network does.
    let eval = shatter(&folder, &["eval", "fit/certificate.txt", sample]);
    assert_eq!(status(&eval), 0, "{}", stderr(&eval));
    let other = ["export", "fit/network.txt", "--to", "npz", "--round", "--out", "out"];
    let text = works(&folder, &other);
    assert!(text.contains("not tried") && text.contains("not a certificate"), "{text}");
    // Fractions are what they are.
    let text = works(&folder, &["export", "fit/certificate.txt", "--to", "json", "--out", "out"]);
    assert!(
        !text.contains("numbers       0 ") && text.contains("as fractions: every one exact"),
        "{text}"
    );
}

/// A finite number of binary16 (10 bits of fraction) or bfloat16 (7), by the definition of both.
fn of_bits(bits: u16, fraction: u32) -> Rational {
    let bias = (1 << (14 - fraction)) - 1;
    let exponent = i32::from((bits & 0x7fff) >> fraction);
    let size = i64::from(bits & ((1 << fraction) - 1));
    // Subnormal numbers have the exponent of the smallest normal ones, and no leading 1.
    let size = if exponent == 0 { size } else { size + (1 << fraction) };
    let power = exponent.max(1) - bias - fraction as i32;
    let two = |count: i32| (0..count).fold(Rational::from(1), |x, _| x * Rational::from(2));
    let size = Rational::from(if bits >> 15 == 0 { size } else { -size });
    if power < 0 { size / two(-power) } else { size * two(power) }
}

/// A layer's outputs, by their definition; weights a row a unit.
fn layer(weights: &[Rational], bias: &[Rational], x: &[Rational]) -> Vec<Rational> {
    let sum = |(k, bias): (usize, &Rational)| {
        let row = &weights[k * x.len()..][..x.len()];
        row.iter().zip(x).fold(bias.clone(), |sum, (w, x)| sum + w * x)
    };
    bias.iter().enumerate().map(sum).collect()
}

/// The arrays of two inputs, three units and two outputs, under PyTorch's names: 17 numbers.
const HALVES: [(&str, &[usize]); 4] =
    [("0.weight", &[3, 2]), ("0.bias", &[3]), ("2.weight", &[2, 3]), ("2.bias", &[2])];

/// A file of them in a type of two bytes.
fn halves(kind: &str, bits: &[u16]) -> Vec<u8> {
    let mut rest = bits;
    let arrays = HALVES.map(|(name, shape)| {
        let (own, after) = rest.split_at(shape.iter().product());
        rest = after;
        (name, kind, shape, own.iter().flat_map(|bits| bits.to_le_bytes()).collect())
    });
    safetensors(&arrays)
}

const WORDS: LoadOptions =
    LoadOptions { architecture: Some("dense(3) relu"), outputs: None, input: None };

/// Numbers of two bytes, whose first infinity has these bits: of any size, or near 1; with subnormal ones.
fn finite(infinity: u16) -> impl Strategy<Value = Vec<u16>> {
    let numbers = |size: BoxedStrategy<u16>| {
        let size = prop_oneof![1 => 1u16..40, 4 => size];
        let number = (size, any::<bool>());
        let number = number.prop_map(|(size, negative)| size | u16::from(negative) << 15);
        prop::collection::vec(number, 17)
    };
    let near_one = infinity / 2;
    let all = prop_oneof![0..infinity, infinity - 40..infinity];
    let some = near_one - 300..near_one + 300;
    prop_oneof![1 => numbers(all.boxed()), 2 => numbers(some.boxed())]
}

/// Files in half precision are judged as the numbers that they hold, subnormal ones among them.
#[test]
fn half_precision_is_widened_exactly_and_judged_so() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("half.safetensors");
    for (kind, fraction, infinity, format) in
        [("F16", 10, 0x7c00, Format::F16), ("BF16", 7, 0x7f80, Format::Bf16)]
    {
        let (judged, subnormal) = (std::cell::Cell::new([0; 4]), std::cell::Cell::new(0));
        let points = prop::collection::vec(-9i64..10, 2 * 4);
        let strategy = (finite(infinity), points, prop::collection::vec(0u32..2, 4));
        let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
            source_file: Some(file!()),
            ..crate::common::cases(75)
        });
        let run = |(bits, values, classes): (Vec<u16>, Vec<i64>, Vec<u32>)| {
            let own: Vec<Rational> = bits.iter().map(|&bits| of_bits(bits, fraction)).collect();
            let by_definition = |x: &[i64]| {
                let x: Vec<Rational> = x.iter().map(|&x| Rational::from(x)).collect();
                let relu = |y: Rational| if y > Rational::ZERO { y } else { Rational::ZERO };
                let hidden = layer(&own[..6], &own[6..9], &x).into_iter().map(relu);
                layer(&own[9..15], &own[15..], &hidden.collect::<Vec<_>>())
            };
            let expected: Vec<Vec<Rational>> = values.chunks(2).map(by_definition).collect();
            fs::write(&path, halves(kind, &bits)).unwrap();
            let loaded = load::load(&path, &WORDS);
            let loaded = loaded.map_err(|error| TestCaseError::fail(error.to_string()))?;
            let graph = loaded.graph().unwrap();
            prop_assert_eq!(graph.precision, format);
            let points = Points::new(Values::I64(values), vec![2]).unwrap();
            prop_assert_eq!(&outputs(&graph, &points), &expected);
            let labels = Labels::classes(classes.clone(), 2).unwrap();
            let effort = Effort { exact: true, ..Effort::default() };
            let (_, found) = judge(&graph, &points, &labels, Runtime::Ieee, effort).unwrap();
            let mut counts = judged.get();
            for ((one, outputs), &class) in found.iter().zip(&expected).zip(&classes) {
                let says = outputs[class as usize] > outputs[1 - class as usize];
                prop_assert_eq!(one.fits, Some(says), "{:?}", outputs);
                let at = match one.verdict {
                    Verdict::Exact => 0,
                    Verdict::Margin => 1,
                    Verdict::Misfit => 2,
                    Verdict::Undecided => 3,
                };
                // What any runtime says is what the numbers say.
                prop_assert!(at == 3 || says == (at < 2), "{:?} {:?}", one, outputs);
                counts[at] += 1;
            }
            judged.set(counts);
            let small = |&&bits: &&u16| bits & 0x7fff != 0 && (bits & 0x7fff) >> fraction == 0;
            subnormal.set(subnormal.get() + bits.iter().filter(small).count());
            Ok(())
        };
        runner.run(&strategy, run).unwrap_or_else(|error| panic!("{kind}: {error}"));
        let [exact, margin, misfit, undecided] = judged.get();
        println!(
            "{kind}: {exact} exact, {margin} with margin, {misfit} misfits, {undecided} undecided"
        );
        assert!(subnormal.get() > 100, "{} subnormal numbers", subnormal.get());
        assert!(exact + margin > 25 && misfit > 25, "{kind}: {:?}", judged.get());
    }
}

/// What is no number is refused by the array and its place there.
#[test]
fn halves_that_are_not_finite_are_refused_by_name() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("half.safetensors");
    for (kind, patterns) in [
        ("F16", [0x7c00u16, 0xfc00, 0x7e00, 0x7c01, 0xffff]),
        ("BF16", [0x7f80, 0xff80, 0x7fc0, 0x7f81, 0xffff]),
    ] {
        for bits in patterns {
            for (at, name, place) in [(0, "0.weight", 0), (7, "0.bias", 1), (12, "2.weight", 3)] {
                let mut all = [0x0001u16; 17];
                all[at] = bits;
                fs::write(&path, halves(kind, &all)).unwrap();
                let error = load::load(&path, &WORDS).unwrap_err();
                let LoadError::Content { source, .. } = &error else { panic!("{error}") };
                let InterchangeError::Entry { array, index, .. } = source.as_ref() else {
                    panic!("{error}")
                };
                assert_eq!((array.as_str(), *index), (name, place), "{error}");
                let words = format!("number {place} of array '{name}'");
                let show = ["show", "half.safetensors", "--architecture", "dense(3) relu"];
                refused(&folder, &show, &[&words, "is not finite"]);
            }
        }
    }
}

/// Training takes any power of a response normalization; evaluation does as well, and verdicts are left open.
#[test]
fn a_response_of_any_power_is_evaluated_as_it_was_trained() {
    let folder = tempfile::tempdir().unwrap();
    let sample = "gaussian:n=40,d=5,classes=2";
    let model = "dense(6) lrn(3,beta=0.6) relu dense(8) relu";
    let train = ["train", sample, "--model", model, "--epochs", "2", "--batch", "8"];
    let trained = shatter(&folder, &[&train[..], &["--json", "--out", "out"]].concat());
    assert!(status(&trained) < 2, "{}", stderr(&trained));
    let json = |text: String| -> serde_json::Value { serde_json::from_str(&text).unwrap() };
    let accuracy = |found: &serde_json::Value| found["accuracy"].as_f64();
    let file = "out/checkpoint.safetensors";
    let eval = shatter(&folder, &["eval", file, sample, "--json"]);
    assert!(status(&eval) < 2, "{}", stderr(&eval));
    let (said, found) = (json(stdout(&trained)), json(stdout(&eval)));
    assert!(accuracy(&found).is_some(), "{found}");
    assert_eq!(accuracy(&found), accuracy(&said["train"]), "{said}");
    let check = shatter(&folder, &["check", "--network", file, sample, "--json"]);
    assert_eq!(json(stdout(&check))["verdicts"]["undecided"], 40, "{}", stdout(&check));
}
