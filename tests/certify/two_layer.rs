//! Promise: the checker accepts what the constructions emit, and nothing else.
//!
//! Every kind of alteration is tried twice: as it is, and with the digest computed anew, as
//! somebody would who wants to be believed.

use crate::common::lines::{line, resealed, with_line};
use crate::common::{cases, raw_sample};
use proptest::prelude::*;
use shatter_certify::{read, write_certificate, write_network};
use shatter_check::{Rejection, check, check_within};
use shatter_construct::{DepthTwo, Task, ThresholdRule};
use shatter_exact::{Dyadic, Rational};
use shatter_network::{ExactNetwork, Network};
use shatter_sample::{
    self as sample, LabelRule, Labels, Points, RawSample, Sample, Target, Values,
};

const SAMPLE: &str = "lattice:n=12,d=3,range=50";

fn raw() -> RawSample {
    sample::load(SAMPLE, 1).unwrap()
}

fn write_two_layer(
    bytes: &mut Vec<u8>,
    network: &ExactNetwork,
    construction: &str,
    sample: &Sample,
) -> std::io::Result<String> {
    let network = Network::TwoLayer(network.clone());
    write_certificate(bytes, &network, construction, sample, Target::Value)
}

fn certificate(raw: RawSample, rule: LabelRule, threshold: ThresholdRule) -> String {
    let sample = raw.distinct(rule, 1).unwrap();
    let task = Task::new(&sample.points, &sample.labels, 1);
    let fit = DepthTwo { threshold }.fit_exact(&task).unwrap();
    let mut bytes = Vec::new();
    write_two_layer(&mut bytes, &fit.network, "depth-two", &sample).unwrap();
    String::from_utf8(bytes).unwrap()
}

fn accepted(text: &str) -> bool {
    check(text.as_bytes(), raw()).is_ok()
}

/// Every kind of alteration that changes a claim: name and altered text.
fn alterations(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut add = |name: &str, altered: String| {
        assert_ne!(altered, text, "{name} changed nothing");
        found.push((name.to_owned(), altered));
    };
    let replace = |at: usize, new: &str| with_line(text, at, |_| new.to_owned());
    let swap = |at: usize, other: usize| {
        let mut lines: Vec<&str> = text.lines().collect();
        lines.swap(at, other);
        lines.join("\n") + "\n"
    };
    let without = |at: usize| {
        let lines = text.lines().enumerate().filter(|(i, _)| *i != at);
        lines.map(|(_, line)| line.to_owned() + "\n").collect::<String>()
    };
    let doubled = |at: usize| with_line(text, at, |line| format!("{line}\n{line}"));
    // A weight, a threshold and a direction moved by one unit, a sign flipped, a bit flipped.
    let (direction, units, targets) =
        (line(text, "direction "), line(text, "units "), line(text, "targets "));
    let bias = line(text, "bias ");
    for (at, name) in [(units + 1, "first"), (units + 6, "a middle"), (bias - 1, "the last")] {
        let negate = |number: &str| match number.strip_prefix('-') {
            Some(rest) => rest.to_owned(),
            None => format!("-{number}"),
        };
        let unit = text.lines().nth(at).unwrap();
        let (b, w) = unit.split_once(' ').unwrap();
        add(&format!("{name} weight negated"), replace(at, &format!("{b} {}", negate(w))));
        add(&format!("{name} weight zero"), replace(at, &format!("{b} 0")));
        add(&format!("{name} weight doubled"), replace(at, &format!("{b} 1p7")));
        add(&format!("{name} weight a fraction"), replace(at, &format!("{b} 1/3")));
        add(&format!("{name} threshold negated"), replace(at, &format!("{} {w}", negate(b))));
        add(&format!("{name} threshold zero"), replace(at, &format!("0 {w}")));
        let flipped = format!("{}{}", &b[..1], b[1..].replacen(['1', '2', '5', '9'], "d", 1));
        add(&format!("{name} threshold, a digit"), replace(at, &format!("{flipped}p1 {w}")));
        add(&format!("{name} unit gone"), without(at));
        add(&format!("{name} unit twice"), doubled(at));
        add(&format!("{name} unit with three numbers"), replace(at, &format!("{unit} 1")));
        add(&format!("{name} unit with one number"), replace(at, b));
    }
    // Swapped rows: two units change nothing by themselves (a sum), their halves do.
    let (one, two) = (text.lines().nth(units + 2).unwrap(), text.lines().nth(units + 3).unwrap());
    let weights = (one.split_once(' ').unwrap(), two.split_once(' ').unwrap());
    let crossed = with_line(text, units + 2, |_| format!("{} {}", weights.1.0, weights.0.1));
    let crossed = with_line(&crossed, units + 3, |_| format!("{} {}", weights.0.0, weights.1.1));
    add("two thresholds swapped", crossed);
    add("two coordinates of the direction swapped", swap(direction + 1, direction + 2));
    add("a coordinate of the direction zero", replace(direction + 2, "0"));
    add("a coordinate of the direction gone", without(direction + 1));
    add("a coordinate of the direction twice", doubled(direction + 1));
    let labels: Vec<&str> = text.lines().skip(targets + 1).collect();
    let other = (1..12).find(|&i| labels[i] != labels[0]).unwrap();
    add("two labels swapped", swap(targets + 1, targets + 1 + other));
    add("a label raised", replace(targets + 3, "b"));
    add("a label negative", replace(targets + 3, "-1"));
    add("a label a fraction", replace(targets + 3, "1p-1"));
    add("a label gone", without(targets + 3));
    add("a label twice", doubled(targets + 3));
    add("a bias", replace(bias, "bias 1"));
    add("an exponent beyond all bounds", replace(bias, "bias 1p1048577"));
    for exponent in
        ["-9223372036854775808", "9223372036854775807", "-1048577", "1048576", "-1048576"]
    {
        let (first, d1) = (units + 1, direction + 1);
        let (b, w) = text.lines().nth(first).unwrap().split_once(' ').unwrap();
        add(&format!("bias 1p{exponent}"), replace(bias, &format!("bias 1p{exponent}")));
        add(&format!("direction 1p{exponent}"), replace(d1, &format!("1p{exponent}")));
        add(&format!("threshold 1p{exponent}"), replace(first, &format!("1p{exponent} {w}")));
        add(&format!("weight 1p{exponent}"), replace(first, &format!("{b} 1p{exponent}")));
        add(&format!("label 1p{exponent}"), replace(targets + 2, &format!("1p{exponent}")));
    }
    add("a mantissa that is even", replace(bias, "bias 2"));
    add("an exponent of zero", replace(bias, "bias 1p0"));
    add("a leading zero", replace(bias, "bias 01"));
    add("minus zero", replace(bias, "bias -0"));
    add("capital digits", replace(bias, "bias A"));
    add("a number that is none", replace(bias, "bias nan"));
    // Fields.
    for (start, new) in [
        ("shatter certificate", "shatter certificate 2"),
        ("shatter certificate", "shatter network 1"),
        ("points ", "points u8 12 3"),
        ("points ", "points i64 13 3"),
        ("points ", "points i64 12 1x3"),
        ("labels ", "labels random seed=2 classes=10"),
        ("labels ", "labels true seed=0 classes=10"),
        ("labels ", "labels random seed=1 classes=11"),
        ("labels ", "labels corrupted:1.5 seed=1 classes=10"),
        ("labels ", "labels random seed=01 classes=10"),
        ("labels ", "labels alternating seed=0 classes=2"),
        ("direction ", "direction 2"),
        ("direction ", "direction 18446744073709551615"),
        ("units ", "units 11"),
        ("units ", "units 13"),
        ("units ", "units 99999999999999999999"),
        ("units ", "units 012"),
        ("targets ", "targets 0"),
        ("targets ", "targets 11"),
        ("targets ", "targets 4294967296"),
        ("digest ", "digest 0000"),
    ] {
        add(&format!("'{new}'"), replace(line(text, start), new));
    }
    let hash = line(text, "points-sha256");
    add(
        "another hash",
        with_line(text, hash, |l| {
            l[..l.len() - 1].to_owned() + if l.ends_with('0') { "1" } else { "0" }
        }),
    );
    add("no hash", without(hash));
    for name in ["depth", "units", "free", "signs", "nonzero", "slots", "dense", "bits", "max-bits"]
    {
        let counts = line(text, "counts ");
        let more = |l: &str| {
            let words = l.split(' ').map(|word| match word.split_once('=') {
                Some((key, value)) if key == name => {
                    format!("{key}={}", value.parse::<u64>().unwrap() + 1)
                }
                _ => word.to_owned(),
            });
            words.collect::<Vec<_>>().join(" ")
        };
        add(&format!("one more {name}"), with_line(text, counts, more));
    }
    add("sections in another order", swap(line(text, "direction "), line(text, "units ")));
    add("header lines in another order", swap(1, 2));
    add("an empty line", text.replacen("\nbias", "\n\nbias", 1));
    add("a space at the end of a line", text.replacen("\nbias 0", "\nbias 0 ", 1));
    add("carriage returns", text.replace('\n', "\r\n"));
    add("a byte beyond ASCII", text.replacen("construction ", "construction é", 1));
    add("a null byte", text.replacen("bias 0", "bias \0", 1));
    found
}

#[test]
fn what_was_emitted_is_accepted() {
    for rule in
        [LabelRule::True, LabelRule::Random, LabelRule::Corrupted(0.5), LabelRule::Alternating]
    {
        for threshold in [ThresholdRule::Zigzag, ThresholdRule::Data, ThresholdRule::Midpoint] {
            let text = certificate(raw(), rule, threshold);
            let accepted = check(text.as_bytes(), raw()).unwrap();
            assert_eq!((accepted.points, accepted.units, accepted.dimension), (12, 12, 3));
        }
    }
}

#[test]
fn every_alteration_is_rejected() {
    let text = certificate(raw(), LabelRule::Random, ThresholdRule::Zigzag);
    assert!(accepted(&text));
    let alterations = alterations(&text);
    assert!(alterations.len() >= 25, "{}", alterations.len());
    for (name, altered) in &alterations {
        assert!(!accepted(altered), "{name}");
        let resealed = resealed(altered);
        assert!(resealed == text || !accepted(&resealed), "{name}, with a fresh digest");
    }
    println!("{} kinds of alteration rejected, with and without a fresh digest", alterations.len());
}

/// Expected acceptance: a sum does not depend on the order of its terms, and the lines that say
/// where a network came from are no claims.
#[test]
fn alterations_that_change_no_claim_need_a_fresh_digest() {
    let text = certificate(raw(), LabelRule::Random, ThresholdRule::Data);
    let units = line(&text, "units ");
    let mut lines: Vec<&str> = text.lines().collect();
    lines.swap(units + 3, units + 4);
    let swapped = lines.join("\n") + "\n";
    assert!(matches!(check(swapped.as_bytes(), raw()), Err(Rejection::Digest)));
    assert!(accepted(&resealed(&swapped)));
    let renamed = text.replacen("construction depth-two", "construction by hand", 1);
    assert!(matches!(check(renamed.as_bytes(), raw()), Err(Rejection::Digest)));
    assert!(accepted(&resealed(&renamed)));
}

#[test]
fn every_truncation_and_every_flipped_bit_is_rejected() {
    let text = certificate(raw(), LabelRule::Random, ThresholdRule::Zigzag);
    for length in 0..text.len() {
        assert!(!accepted(&text[..length]), "{length} bytes");
    }
    for at in 0..text.len() {
        for bit in 0..8 {
            let mut bytes = text.clone().into_bytes();
            bytes[at] ^= 1 << bit;
            assert!(check(&bytes[..], raw()).is_err(), "byte {at}, bit {bit}");
        }
    }
    assert!(matches!(check(format!("{text}x").as_bytes(), raw()), Err(Rejection::Trailing { .. })));
}

#[test]
fn another_sample_is_rejected() {
    let text = certificate(raw(), LabelRule::Random, ThresholdRule::Zigzag);
    let other = |sample: &str, seed| check(text.as_bytes(), sample::load(sample, seed).unwrap());
    let Err(Rejection::Points { text: named, .. }) = other(SAMPLE, 2) else {
        panic!("other points of the same shape");
    };
    assert!(named.ends_with("seed=1"), "{named}");
    assert!(matches!(other("lattice:n=11,d=3,range=50", 1), Err(Rejection::Shape { .. })));
    assert!(matches!(other("lattice:n=12,d=4,range=50", 1), Err(Rejection::Shape { .. })));
    assert!(matches!(other("gaussian:n=12,d=3", 1), Err(Rejection::Shape { .. })));
    let classes = "lattice:n=12,d=3,range=50,classes=5";
    assert!(matches!(other(classes, 1), Err(Rejection::Classes { .. })));
    // The same points in another order are another sample.
    let mut reordered = raw();
    reordered.points = reordered.points.select(&[1, 0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]).unwrap();
    assert!(matches!(check(text.as_bytes(), reordered), Err(Rejection::Points { .. })));
}

/// Hostile files: refused at once, whatever they announce.
#[test]
fn hostile_files_are_refused() {
    let text = certificate(raw(), LabelRule::Random, ThresholdRule::Zigzag);
    let wide = text.replacen("\nbias 0", "\nbias 1p-1048576", 1);
    assert!(!accepted(&wide) && !accepted(&resealed(&wide)));
    let long = "f".repeat((1 << 24) + 1);
    let long = text.replacen("\nbias 0", &format!("\nbias {long}"), 1);
    assert!(matches!(check(long.as_bytes(), raw()), Err(Rejection::LongLine { .. })));
    // Thresholds far apart would make all the others wide: a few bytes a line, gigabytes in memory.
    let big = sample::load("lattice:n=10000,d=1,range=1000000000", 1).unwrap();
    let sample = big.clone().distinct(LabelRule::Random, 1).unwrap();
    let n = sample.points.n();
    let network = ExactNetwork {
        a: vec![Dyadic::ONE],
        b: (0..n)
            .map(|j| Dyadic::power_of_two(if j % 2 == 0 { 1 << 20 } else { -(1 << 20) }))
            .collect(),
        w: vec![Rational::ONE; n],
        c: Dyadic::ZERO,
    };
    let mut bytes = Vec::new();
    write_two_layer(&mut bytes, &network, "hostile", &sample).unwrap();
    assert!(bytes.len() < 400_000);
    assert!(matches!(check(&bytes[..], big), Err(Rejection::TooWide { .. })));
    assert!(!accepted(""));
    assert!(!accepted("shatter certificate 1\n"));
    let endless = std::io::BufReader::new(std::io::repeat(b'1'));
    assert!(matches!(check(endless, raw()), Err(Rejection::LongLine { .. })));
}

/// Exponents whose sums would wrap around in 64 bits: f(x) = x·2^(−2^64) is not the identity.
#[test]
fn exponents_beyond_the_limit_are_refused() {
    let points = Points::new(Values::I64(vec![1, 2, 5]), vec![1]).unwrap();
    let labels = Labels::real(vec![1.0, 2.0, 5.0], 1).unwrap();
    let raw = RawSample { text: "identity".into(), points, labels };
    let sample = raw.clone().distinct(LabelRule::True, 0).unwrap();
    let network = ExactNetwork {
        a: vec![Dyadic::ONE],
        b: vec![Dyadic::ZERO],
        w: vec![Rational::ONE],
        c: Dyadic::ZERO,
    };
    let mut honest = Vec::new();
    write_two_layer(&mut honest, &network, "identity", &sample).unwrap();
    assert_eq!(check(&honest[..], raw.clone()).unwrap().points, 3);
    let honest = String::from_utf8(honest).unwrap();
    let (direction, unit) = (line(&honest, "direction ") + 1, line(&honest, "units ") + 1);
    let forged = with_line(&honest, direction, |_| "1p-9223372036854775808".to_owned());
    let forged = with_line(&forged, unit, |_| "0 1p-9223372036854775808".to_owned());
    assert!(matches!(check(resealed(&forged).as_bytes(), raw), Err(Rejection::Line { .. })));
}

/// A network with one output does not fit vectors of which only the first number is right.
#[test]
fn vector_labels_are_rejected() {
    let points = Points::new(Values::I64(vec![1, 2, 3]), vec![1]).unwrap();
    let first = Labels::real(vec![1.0, 2.0, 3.0], 1).unwrap();
    let both = Labels::real(vec![1.0, 100.0, 2.0, 200.0, 3.0, 300.0], 2).unwrap();
    let raw = RawSample { text: "first".into(), points: points.clone(), labels: first };
    let sample = raw.clone().distinct(LabelRule::True, 0).unwrap();
    let task = Task::new(&sample.points, &sample.labels, 0);
    let fit = DepthTwo::default().fit_exact(&task).unwrap();
    let mut bytes = Vec::new();
    write_two_layer(&mut bytes, &fit.network, "depth-two", &sample).unwrap();
    assert!(check(&bytes[..], raw).is_ok());
    let vectors = RawSample { text: "both".into(), points, labels: both };
    assert!(matches!(check(&bytes[..], vectors), Err(Rejection::Outputs { outputs: 2 })));
}

/// A program that is older than a certificate has no verdict on it.
#[test]
fn other_versions_are_undecided() {
    let text = certificate(raw(), LabelRule::Random, ThresholdRule::Zigzag);
    let first = |line: &str| check(with_line(&text, 0, |_| line.to_owned()).as_bytes(), raw());
    for kind in ["shatter certificate", "shatter layered certificate"] {
        let rejection = first(&format!("{kind} 2")).unwrap_err();
        assert!(rejection.is_undecided());
        assert_eq!(
            rejection.to_string(),
            format!(
                "line 1: '{kind} 2' is not a version of the format that is read here; expected '{kind} 1'"
            )
        );
        for none in ["", " ", " 02", " 2.0", " two", " 2 "] {
            let rejection = first(&format!("{kind}{none}")).unwrap_err();
            assert!(matches!(rejection, Rejection::Line { line: 1, .. }), "{none}: {rejection}");
            assert!(!rejection.is_undecided());
        }
    }
}

/// However small the budget, nothing is accepted beyond it: there is one number of steps that is enough.
#[test]
fn a_budget_is_kept() {
    for (rule, threshold) in
        [(LabelRule::Random, ThresholdRule::Zigzag), (LabelRule::Random, ThresholdRule::Data)]
    {
        let text = certificate(raw(), rule, threshold);
        let within = |steps: u64| check_within(text.as_bytes(), raw(), steps);
        let (mut few, mut enough) = (0, 1 << 20);
        assert!(within(enough).is_ok());
        while enough - few > 1 {
            let middle = (few + enough) / 2;
            *(if within(middle).is_ok() { &mut enough } else { &mut few }) = middle;
        }
        assert!(enough > 12 * 16, "{enough} steps for the sums at 12 points");
        for steps in [0, 1, enough / 2, enough - 1] {
            let rejection = within(steps).unwrap_err();
            assert!(matches!(rejection, Rejection::TooMuchWork { limit } if limit == steps));
        }
    }
    // What the reader spends is of the same budget: here, before the sample is looked at.
    let text = certificate(raw(), LabelRule::Random, ThresholdRule::Data);
    let digits = "f".repeat(2000);
    let text = with_line(&text, line(&text, "units ") + 1, |_| format!("0 {digits}/{digits}1"));
    let verdict = check_within(text.as_bytes(), raw(), 1000);
    assert!(matches!(verdict, Err(Rejection::TooMuchWork { .. })), "{verdict:?}");
    let verdict = check_within(text.as_bytes(), raw(), 1 << 20);
    assert!(matches!(verdict, Err(Rejection::Count { .. })), "{verdict:?}");
}

/// Small files that ask for hours: refused by a budget on work, not by patience.
#[test]
fn laborious_files_are_refused() {
    // Weights whose denominators have little in common: some 64 bits each, 30,000 of them.
    let raw = sample::load("lattice:n=30000,d=1,range=1000000000", 1).unwrap();
    let sample = raw.clone().distinct(LabelRule::Random, 1).unwrap();
    let n = sample.points.n();
    let denominator = |j: usize| (12157665459056928801u128 + 2 * j as u128).into();
    let network = ExactNetwork {
        a: vec![Dyadic::ONE],
        b: (0..n).map(|_| Dyadic::new(-1, 0)).collect(),
        w: (0..n).map(|j| Rational::from_parts(1.into(), denominator(j))).collect(),
        c: Dyadic::ZERO,
    };
    let mut bytes = Vec::new();
    write_two_layer(&mut bytes, &network, "laborious", &sample).unwrap();
    let verdict = check(&bytes[..], raw);
    assert!(matches!(verdict, Err(Rejection::TooMuchWork { .. })), "{verdict:?}");
    // One fraction of millions of digits: its lowest terms alone would take minutes.
    let text = certificate(self::raw(), LabelRule::Random, ThresholdRule::Data);
    let unit = line(&text, "units ") + 1;
    let digits = "f".repeat(8_000_000);
    let long = with_line(&text, unit, |_| format!("0 {digits}/{digits}1"));
    assert!(matches!(check(long.as_bytes(), self::raw()), Err(Rejection::TooMuchWork { .. })));
}

/// Names of files are not ASCII everywhere, and messages do not repeat megabytes.
#[test]
fn texts_are_escaped_and_cut() {
    let mut raw = raw();
    raw.text = "csv:donn\u{e9}es\n.csv".to_owned();
    let text = certificate(raw.clone(), LabelRule::Random, ThresholdRule::Zigzag);
    assert!(text.is_ascii());
    assert!(check(text.as_bytes(), raw.clone()).is_ok());
    let long =
        with_line(&text, line(&text, "points "), |_| format!("points {}", "x".repeat(100_000)));
    let rejection = check(resealed(&long).as_bytes(), raw).unwrap_err().to_string();
    assert!(rejection.len() < 400, "{} bytes", rejection.len());
}

#[test]
fn networks_are_read_back_as_they_were() {
    let sample = raw().distinct(LabelRule::Random, 1).unwrap();
    for threshold in [ThresholdRule::Zigzag, ThresholdRule::Data, ThresholdRule::Midpoint] {
        let task = Task::new(&sample.points, &sample.labels, 0);
        let fit = DepthTwo { threshold }.fit_exact(&task).unwrap();
        let mut bytes = Vec::new();
        let network = Network::TwoLayer(fit.network);
        write_network(&mut bytes, &network, "depth-two", None).unwrap();
        let file = read(&bytes[..]).unwrap();
        assert_eq!(file.network, network);
        assert_eq!(file.construction, "depth-two");
        assert!(check(&bytes[..], raw()).is_err(), "a network file is no certificate");
    }
}

proptest! {
    #![proptest_config(cases(64))]

    /// Whatever the sample: the certificate of its fit is accepted, and not for other labels.
    #[test]
    fn certificates_of_any_sample(
        raw in raw_sample(16, 4),
        threshold in prop_oneof![Just(ThresholdRule::Zigzag), Just(ThresholdRule::Data)],
    ) {
        let sample = raw.clone().distinct(LabelRule::Random, 1)
            .map_err(|error| TestCaseError::fail(error.to_string()))?;
        let task = Task::new(&sample.points, &sample.labels, 0);
        let fit = DepthTwo { threshold }
            .fit_exact(&task)
            .map_err(|error| TestCaseError::fail(error.to_string()))?;
        let mut bytes = Vec::new();
        write_two_layer(&mut bytes, &fit.network, "depth-two", &sample).expect("memory");
        let checked = check(&bytes[..], raw.clone());
        prop_assert!(checked.is_ok(), "{:?}", checked);
        // The same network for a sample with one label changed.
        let mut other = sample.clone();
        let i = other.points.n() / 2;
        match &mut other.labels {
            sample::Labels::Classes { of, count, .. } if *count > 1 => of[i] = (of[i] + 1) % *count,
            sample::Labels::Real { values, .. } => values[i] += 1.0 + values[i].abs(),
            sample::Labels::Classes { .. } => return Ok(()),
        }
        let mut bytes = Vec::new();
        write_two_layer(&mut bytes, &fit.network, "depth-two", &other).expect("memory");
        prop_assert!(check(&bytes[..], raw).is_err());
    }

    /// Any bytes at all: an error, never a panic.
    #[test]
    fn garbage_is_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(check(&bytes[..], raw()).is_err());
    }
}
