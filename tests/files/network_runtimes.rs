//! Promise: what is certified of a network is what PyTorch and ONNX Runtime find, whatever they fold, and
//! what 200-bit arithmetic finds. Needs a Python that has them (PYTHON); without, says so and passes.

use std::fs;

use crate::common::program::refused;
use crate::common::python::{python, run};
use crate::common::verdicts::{decided, redigested, verdicts};
use shatter_interchange::onnx;
use shatter_judge::Runtime;
use shatter_judge::enclose::Evaluator;
use shatter_sample::{self as sample, Labels};
use tempfile::TempDir;

/// Wherever something was decided, PyTorch found the same.
fn agrees_with_pytorch(folder: &TempDir, certificate: &str) {
    let fits: Vec<u8> =
        serde_json::from_slice(&fs::read(folder.path().join("fits.json")).unwrap()).unwrap();
    let found = verdicts(folder, certificate);
    assert_eq!(found.len(), fits.len());
    let mut decided = [0, 0];
    for (i, (verdict, fits)) in found.iter().zip(fits).enumerate() {
        match verdict.as_str() {
            "margin" | "exact" => assert_eq!(fits, 1, "point {i}"),
            "misfit" => assert_eq!(fits, 0, "point {i}"),
            _ => continue,
        }
        decided[usize::from(fits)] += 1;
    }
    println!("{decided:?} of {} points decided", found.len());
    assert!(decided.iter().all(|&count| count > 0), "some fit, some do not");
}

const PYTORCH: &str = "torch, onnx, onnxscript, numpy, safetensors.torch, mpmath";

#[test]
fn a_network_that_pytorch_trained_is_certified() {
    let Some(python) = python(PYTORCH) else { return };
    let folder = tempfile::tempdir().unwrap();
    run(&python, folder.path(), "pytorch_network.py", &["mlp", "."]);
    let sample = "npy:x.npy,y.npy";
    let exact = ["--network", "network.onnx", sample, "--exact", "--out", "exact"];
    let found = decided(&folder, &exact);
    assert_eq!(found["open_in_real_arithmetic"], 0, "exact arithmetic decides everything: {found}");
    assert!(found["least_margin_beyond_rounding"].as_f64().unwrap() > 0.0);
    agrees_with_pytorch(&folder, "exact/certificate.txt");
    // The same weights with their layers in words.
    let layers = ["--architecture", "dense(48) relu dense(24) relu", sample, "--out", "words"];
    decided(&folder, &[&["--network", "network.safetensors"], layers.as_slice()].concat());
    agrees_with_pytorch(&folder, "words/certificate.txt");
    assert_eq!(
        verdicts(&folder, "exact/certificate.txt"),
        verdicts(&folder, "words/certificate.txt")
    );
    for certificate in ["exact/certificate.txt", "words/certificate.txt"] {
        let files = ["network.safetensors", "x.npy", "y.npy", certificate];
        let output = run(&python, folder.path(), "margins.py", &files);
        println!("{certificate}: {}", String::from_utf8_lossy(&output.stdout).trim());
    }
    // Its certificate is accepted, and any other claim is not.
    let check = ["--network", "network.onnx", "exact/certificate.txt", sample];
    assert_eq!(decided(&folder, &check)["accepted"], true);
    let text = fs::read_to_string(folder.path().join("exact/certificate.txt")).unwrap();
    let line = text.lines().find(|line| line.starts_with("margin ")).unwrap();
    let rounding = line.split(' ').nth(2).unwrap();
    for (from, to) in [
        (line.to_owned(), format!("margin 1p40 {rounding}")),
        (line.to_owned(), "exact 0".to_owned()),
        (line.to_owned(), "misfit -1p40 0".to_owned()),
        ("precision f32".to_owned(), "precision f64".to_owned()),
        ("takes 20 gives 4".to_owned(), "takes 20 gives 5".to_owned()),
        ("layers of the file".to_owned(), "layers dense(4)".to_owned()),
    ] {
        assert!(text.contains(&from), "{from}");
        let forged = redigested(&text.replacen(&from, &to, 1));
        fs::write(folder.path().join("forged.txt"), forged).unwrap();
        let check = ["--network", "network.onnx", "forged.txt", sample];
        assert_eq!(decided(&folder, &check)["accepted"], false, "{to}");
    }
    fs::write(folder.path().join("forged.txt"), text.replacen("margin", "margim", 1)).unwrap();
    let found = decided(&folder, &["--network", "network.onnx", "forged.txt", sample]);
    assert!(found["reason"].as_str().unwrap().contains("digest"));
}

#[test]
fn a_convolutional_network_that_pytorch_trained_is_certified() {
    let Some(python) = python(PYTORCH) else { return };
    let folder = tempfile::tempdir().unwrap();
    run(&python, folder.path(), "pytorch_network.py", &["convolution", "."]);
    let sample = "npy:x.npy,y.npy";
    // torch.onnx folds batch normalization into the weights: all is rational there.
    let found = decided(&folder, &["--network", "network.onnx", sample, "--out", "onnx"]);
    assert_eq!(found["open_in_real_arithmetic"], 0, "{found}");
    agrees_with_pytorch(&folder, "onnx/certificate.txt");
    let layers = "conv(6,3,pad=1) batchnorm relu maxpool(3,stride=2,pad=1) conv(8,3,pad=1) batchnorm(eps=0.001) relu \
                  globalmeanpool";
    let words =
        ["--network", "network.safetensors", "--architecture", layers, sample, "--out", "words"];
    decided(&folder, &words);
    agrees_with_pytorch(&folder, "words/certificate.txt");
    let words = [&["check"], words.as_slice(), &["--exact"]].concat();
    refused(&folder, &words, &["square roots"]);
}

/// What ONNX Runtime makes of networks at every level of its optimizations, which fold additions and
/// normalizations, lies within the rounding bound of the certified margins.
#[test]
fn no_bound_is_contradicted_by_what_onnx_runtime_folds() {
    let Some(python) = python("numpy, onnx, onnxruntime") else { return };
    let folder = tempfile::tempdir().unwrap();
    let count = 30;
    run(&python, folder.path(), "folds.py", &["make", ".", &count.to_string()]);
    for k in 0..count {
        decided(
            &folder,
            &["--network", &format!("network{k}.onnx"), "npy:x.npy,y.npy", "--out", "out"],
        );
        let at = |name: &str| folder.path().join(name);
        fs::rename(at("out/certificate.txt"), at(&format!("certificate{k}.txt"))).unwrap();
    }
    let output = run(&python, folder.path(), "folds.py", &["hold", ".", &count.to_string()]);
    println!("{}", String::from_utf8_lossy(&output.stdout).trim());
}

/// Neither product nor addition rounds; folded into the product, as ONNX Runtime does, the addition is
/// lost, and the other class is the larger.
#[test]
fn a_margin_that_onnx_runtime_loses_by_folding_is_not_certified() {
    let Some(python) = python("numpy, onnx, onnxruntime") else { return };
    let folder = tempfile::tempdir().unwrap();
    let output = run(&python, folder.path(), "folds.py", &["lost", "."]);
    println!("by level: {}", String::from_utf8_lossy(&output.stdout).trim());
    let check = ["--network", "lost.onnx", "npy:x.npy,y.npy", "--out", "out"];
    let found = decided(&folder, &check);
    assert_eq!(found["fits_in_real_arithmetic"], 1);
    assert_eq!(verdicts(&folder, "out/certificate.txt"), ["undecided", "undecided"]);
}

/// A convolution of whole numbers, which PyTorch computes by Winograd tiles where oneDNN is off (NNPACK): some labels are
/// wrong there. Under `ieee` all fit; under `winograd` none is claimed, and what PyTorch finds is within the bound.
#[test]
fn what_pytorch_loses_by_tiles_is_not_claimed_under_winograd() {
    let Some(python) = python("torch, onnx, numpy") else { return };
    let folder = tempfile::tempdir().unwrap();
    let output = run(&python, folder.path(), "winograd.py", &["."]);
    println!("{}", String::from_utf8_lossy(&output.stdout).trim());
    let check = |runtime: &str| {
        let check = ["--network", "network.onnx", "npy:x.npy,y.npy", "--runtime", runtime];
        let found = decided(&folder, &[check.as_slice(), &["--out", runtime]].concat());
        assert_eq!(found["runtime"], runtime);
        found["verdicts"].clone()
    };
    assert_eq!(check("ieee")["exact"], 32);
    let tiles = check("winograd");
    assert_eq!(
        (&tiles["exact"], &tiles["margin"], &tiles["misfit"]),
        (&0.into(), &0.into(), &0.into())
    );
    let network = onnx::network(&fs::read(folder.path().join("network.onnx")).unwrap()).unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let raw = sample::load(&format!("npy:{},{}", path("x.npy"), path("y.npy")), 0).unwrap();
    let points = (0..raw.points.n()).flat_map(|i| (0..raw.points.d()).map(move |k| (i, k)));
    let points = points.map(|(i, k)| raw.points.f64_at(i, k)).collect();
    let enclosed = Evaluator::new(&network, Runtime::Winograd).outputs(points, raw.points.n());
    let found: Vec<[f64; 2]> =
        serde_json::from_slice(&fs::read(folder.path().join("outputs.json")).unwrap()).unwrap();
    let Labels::Classes { of, .. } = &raw.labels else { panic!("classes") };
    let mut wrong = 0;
    for (i, outputs) in found.iter().enumerate() {
        for (k, found) in outputs.iter().enumerate() {
            let at = 2 * i + k;
            let apart = (found - enclosed.centre[at]).abs();
            assert!(apart <= enclosed.radius(at) + enclosed.runtime(at), "point {i}: {found}");
        }
        wrong += usize::from((outputs[1] > outputs[0]) != (of[i] == 1));
    }
    // Where this PyTorch has no NNPACK, nothing was tried.
    println!("{wrong} of 32 labels are wrong by tiles");
}
