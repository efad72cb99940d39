//! Promise: certificates are as FORMAT.md says.

use crate::common::lines::resealed;
use crate::common::program::{shatter, status, stderr};

/// A checker in another language, from FORMAT.md alone in what it needs: samples, drawn labels, fingerprints, digests.
#[test]
fn certificates_are_as_the_page_on_formats_says() {
    let Some(python) = crate::common::python::python("hashlib") else { return };
    let folder = tempfile::tempdir().unwrap();
    for (sample, labels, construction) in [
        ("lattice:n=20,d=3,range=50,classes=3", "random", "depth-two-zigzag"),
        ("lattice:n=20,d=3,range=50", "corrupted:0.5", "depth-3"),
        ("collinear:n=9,d=2", "alternating", "depth-two-midpoint"),
        ("moment:n=7,d=3", "true", "width-two"),
        ("gaussian:n=200,d=4", "random", "depth-two-data"),
        ("gaussian:n=8,d=2,target=number", "random", "depth-two-zigzag"),
        ("clustered:n=12,d=2,clusters=3,target=number", "true", "depth-3"),
        ("close:n=9,d=3,classes=4", "corrupted:0.25", "width-two"),
    ] {
        let fit =
            ["fit", sample, "--labels", labels, "--construction", construction, "--seed", "3"];
        let made = shatter(&folder, &[&fit[..], &["--out", "out"]].concat());
        assert_eq!(status(&made), 0, "{sample}: {}", stderr(&made));
        let certificate = folder.path().join("out/certificate.txt");
        let text = std::fs::read_to_string(&certificate).unwrap();
        let found = crate::common::python::run(
            &python,
            folder.path(),
            "format.py",
            &["out/certificate.txt"],
        );
        let found: serde_json::Value = serde_json::from_slice(&found.stdout).unwrap();
        assert!(found.is_object(), "{found}");
        // And it does not accept what says something else.
        let other = text.replacen("seed=3", "seed=4", 1);
        assert_ne!(other, text, "{text}");
        std::fs::write(&certificate, resealed(&other)).unwrap();
        let refused = std::process::Command::new(&python)
            .arg(crate::common::python::script("format.py"))
            .arg(&certificate)
            .output()
            .unwrap();
        assert!(!refused.status.success(), "{sample} {labels}");
    }
}
