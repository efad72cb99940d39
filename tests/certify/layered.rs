//! Promise: the checker accepts the layered certificates that the constructions emit, and nothing
//! else; what it computes is what the definition says; small files cannot make it work for hours.

use crate::common::lines::{line, resealed, with_line};
use crate::common::{cases, longer, points};
use proptest::prelude::*;
use shatter_certify::{ReadError, read, write_certificate, write_network};
use shatter_check::{Rejection, check, check_within};
use shatter_construct::{
    Construction, Task, catalogue, depth_k::DepthK, two_hidden::TwoHidden, width_two::WidthTwo,
};
use shatter_exact::{Dyadic, Rational};
use shatter_network::{Activation, ExactPoints, Layered, Network, Unit, first_misfit};
use shatter_sample::{
    self as sample, LabelRule, Labels, Points, RawSample, Sample, Target, Values,
};

fn written(network: &Network, sample: &Sample, target: Target) -> String {
    let mut bytes = Vec::new();
    write_certificate(&mut bytes, network, "test", sample, target).unwrap();
    String::from_utf8(bytes).unwrap()
}

fn raw(values: Values, d: usize, labels: Labels) -> RawSample {
    RawSample { text: "test".into(), points: Points::new(values, vec![d]).unwrap(), labels }
}

fn own(raw: &RawSample) -> Sample {
    raw.clone().distinct(LabelRule::True, 1).unwrap()
}

fn number(m: i64, q: u64) -> Rational {
    Rational::from_parts(m.into(), q.into())
}

/// x_1 ∈ {0, …, n − 1} with real labels.
fn on_a_line(y: &[f64]) -> RawSample {
    let x = (0..y.len() as i64).collect();
    raw(Values::I64(x), 1, Labels::real(y.to_vec(), 1).unwrap())
}

/// A network on R whose layers hold one unit each, all of them reading the one before.
fn chain(units: &[(Activation, Rational, Rational)]) -> Network {
    let unit = |(activation, weight, bias): &(Activation, Rational, Rational)| {
        vec![Unit::new(*activation, [(0, weight.clone())], bias.clone())]
    };
    let mut hidden: Vec<Vec<Unit>> = units.iter().map(unit).collect();
    let output = hidden.pop().unwrap();
    Network::Layered(Layered { inputs: 1, hidden, output })
}

/// Samples of every kind that a theorem asks for.
fn samples() -> Vec<RawSample> {
    let texts = [
        "lattice:n=12,d=3,range=50",
        "lattice:n=12,d=3,range=50,classes=2",
        "lattice:n=7,d=2,target=number",
        "gaussian:n=9,d=2,classes=5",
        "gaussian:n=6,d=8,target=number", // independent points
        "moment:n=10,d=3,classes=2",
        "moment:n=5,d=5,target=number",
        "gaussian:n=1,d=2",
        "lattice:n=2,d=1,range=9,classes=1",
    ];
    let mut samples: Vec<RawSample> =
        texts.into_iter().map(|text| sample::load(text, 1).unwrap()).collect();
    let halves: Vec<f64> = (1..=8).map(|k| 0.5f64.powi(k)).collect();
    let classes = Labels::classes(vec![1, 0, 0, 1, 1, 0, 1, 0], 2).unwrap();
    samples.push(raw(Values::F64(halves), 1, classes));
    let thirds: Vec<i64> = vec![1, 2, 4, 7, 3, 6, 9, 12];
    let vectors = vec![1.0, 0.5, -2.25, 1e-3, 0.0, 0.0, 1e9, -1.0];
    samples.push(raw(Values::I64(thirds), 2, Labels::real(vectors, 2).unwrap()));
    samples
}

/// Every construction, on every sample that it takes: accepted, read back, and written again with
/// the same bytes.
#[test]
fn every_construction_is_certified() {
    let mut certified = 0;
    for construction in catalogue::all() {
        let (name, target) = (construction.name(), construction.target());
        let mut built = 0;
        for raw in samples() {
            for rule in [LabelRule::True, LabelRule::Random] {
                let sample = raw.clone().distinct(rule, 1).unwrap();
                let task = Task::new(&sample.points, &sample.labels, 1);
                if construction.promise(&task).is_err() {
                    continue;
                }
                let Ok(network) = construction.build(&task) else { continue };
                built += 1;
                let text = written(&network, &sample, target);
                let accepted = check(text.as_bytes(), raw.clone());
                let accepted = accepted.unwrap_or_else(|error| {
                    panic!("{name} on {} ({rule}): {error}", sample.text);
                });
                let sizes = network.sizes();
                assert_eq!(accepted.points, sample.points.n());
                assert_eq!((accepted.depth, accepted.width), (sizes.depth, sizes.width), "{name}");
                let file = read(text.as_bytes()).unwrap();
                assert_eq!(file.statement.as_ref().unwrap().sample, sample.text);
                let misfit = first_misfit(&file.network, &sample.points, &sample.labels, target);
                assert_eq!(misfit, None, "{name}");
                assert_eq!(written(&file.network, &sample, target), text, "{name}");
                let mut bytes = Vec::new();
                write_network(&mut bytes, &network, &name, None).unwrap();
                let again = read(&bytes[..]).unwrap();
                assert_eq!((&again.network, again.construction), (&file.network, name.clone()));
                assert!(again.statement.is_none() && check(&bytes[..], raw.clone()).is_err());
            }
        }
        if built == 0 {
            println!("skipped: no sample here meets the assumptions of {name}, see `samples`");
        }
        certified += usize::from(built > 0);
    }
    assert!(certified >= 22, "{certified} constructions");
}

fn activation() -> impl Strategy<Value = Activation> {
    prop::sample::select(Activation::ALL.to_vec())
}

fn rational() -> impl Strategy<Value = Rational> {
    prop_oneof![
        3 => (-4i64..5).prop_map(Rational::from),
        2 => (-9i64..10, 0u32..5).prop_map(|(m, k)| number(m, 1 << k)),
        2 => (-9i64..10, 1u64..8).prop_map(|(m, q)| number(m, q)),
        1 => (any::<i64>(), 1u64..=u64::MAX).prop_map(|(m, q)| number(m, q)),
        1 => (-3i64..4).prop_map(|m| Rational::from(dashu_int::IBig::from(m) << 200)),
    ]
}

fn layer(before: usize, units: usize) -> impl Strategy<Value = Vec<Unit>> {
    // Indices as they come: repeated, in any order.
    let weights = prop::collection::vec((0..before.max(1), rational()), 0..5);
    let weights = weights.prop_map(move |weights| if before == 0 { Vec::new() } else { weights });
    let unit = (activation(), weights, rational());
    prop::collection::vec(unit.prop_map(|(phi, w, b)| Unit::new(phi, w, b)), units)
}

fn network(inputs: usize) -> impl Strategy<Value = Layered> {
    prop::collection::vec(0usize..4, 0..4).prop_flat_map(move |widths| {
        let before = [&[inputs], &widths[..]].concat();
        let after = [&widths[..], &[2]].concat();
        let layers: Vec<_> =
            before.into_iter().zip(after).map(|(before, units)| layer(before, units)).collect();
        layers.prop_map(move |mut hidden| {
            let output = hidden.pop().unwrap();
            Layered { inputs, hidden, output }
        })
    })
}

fn binary64(x: &Rational) -> Option<f64> {
    Dyadic::from_rational(x)?.to_f64()
}

proptest! {
    #![proptest_config(cases(128))]

    /// Networks of anything: labels that the definition gives are accepted, others are not.
    #[test]
    fn the_checker_computes_the_definition(
        (points, network) in points(6, 3)
            .prop_flat_map(|points| { let d = points.d(); (Just(points), network(d)) }),
        indicator in prop::bool::weighted(0.7),
    ) {
        let mut network = network;
        if indicator {
            // Outputs that binary64 labels can say, whatever comes before.
            for unit in &mut network.output {
                unit.activation = match unit.activation {
                    Activation::Sine | Activation::Softsign => Activation::Sine,
                    _ => Activation::Threshold,
                };
            }
        }
        let outputs = (0..points.n()).flat_map(|i| network.evaluate(&points.exact_row(i)));
        let outputs: Option<Vec<f64>> = outputs.map(|x| binary64(&x)).collect();
        let Some(outputs) = outputs else { return Ok(()) };
        let raw = RawSample {
            text: "test".into(),
            points,
            labels: Labels::real(outputs, 2).expect("finite"),
        };
        let sample = raw.clone().distinct(LabelRule::True, 1).expect("a function of the point");
        let network = Network::Layered(network);
        let text = written(&network, &sample, Target::Value);
        let verdict = check(text.as_bytes(), raw.clone());
        prop_assert!(verdict.is_ok(), "{verdict:?}");
        // Another label at one point.
        let (mut other, at) = (raw.clone(), 2 * raw.points.n() - 1);
        let Labels::Real { values, .. } = &mut other.labels else { unreachable!() };
        values[at] = if values[at] == 0.0 { 1.0 } else { 0.0 };
        let Ok(sample) = other.clone().distinct(LabelRule::True, 1) else { return Ok(()) };
        let text = written(&network, &sample, Target::Value);
        let verdict = check(text.as_bytes(), other);
        prop_assert!(matches!(verdict, Err(Rejection::Misfit { .. })), "{verdict:?}");
    }

    /// Any bytes after a first line: an error, never a panic.
    #[test]
    fn garbage_is_refused(
        first in prop::sample::select(vec!["certificate", "network"]),
        bytes in prop::collection::vec(prop::sample::select(b"0123456789ap/:- \n".to_vec()), 0..200),
    ) {
        let text = format!("shatter layered {first} 1\n{}", String::from_utf8_lossy(&bytes));
        prop_assert!(check(text.as_bytes(), on_a_line(&[0.0, 1.0])).is_err());
        prop_assert!(read(text.as_bytes()).is_err());
    }
}

const SAMPLE: &str = "lattice:n=6,d=2,range=20,classes=3";

fn six() -> RawSample {
    sample::load(SAMPLE, 1).unwrap()
}

/// Depth 4 on six points: relu, identity, weights of both signs, a fraction, and thresholds.
fn certificate() -> String {
    let sample = six().distinct(LabelRule::Random, 1).unwrap();
    let network = DepthK { depth: 4 }.build(&Task::new(&sample.points, &sample.labels, 1)).unwrap();
    let Network::Layered(mut network) = network else { panic!("layered") };
    // A unit that is always 1, a third of it, and the third taken off again.
    let last = network.hidden.last_mut().unwrap();
    last.push(Unit::threshold([], number(1, 1)));
    let one = last.len() - 1;
    network.output[0].weights.push((one, number(1, 3)));
    network.output[0].bias -= number(1, 3);
    written(&Network::Layered(network), &sample, Target::Value)
}

fn accepted(text: &str) -> bool {
    check(text.as_bytes(), six()).is_ok()
}

/// The counts line made true again, as far as the file can be read.
fn recounted(text: &str) -> String {
    let Ok(Network::Layered(network)) = uncounted(text) else { return text.to_owned() };
    let sizes = network.sizes();
    with_line(text, line(text, "counts "), |_| {
        format!(
            "counts depth={} units={} width={} nonzero={} bits={} max-bits={}",
            sizes.depth, sizes.units, sizes.width, sizes.nonzero, sizes.bits, sizes.max_bits
        )
    })
}

/// The network of a file whose counts may be wrong: they are put right one by one.
fn uncounted(text: &str) -> Result<Network, ReadError> {
    let mut text = text.to_owned();
    loop {
        match read(resealed(&text).as_bytes()) {
            Err(ReadError::Count { name, claimed, actual }) => {
                let (old, new) = (format!(" {name}={claimed}"), format!(" {name}={actual}"));
                text = text.replacen(&old, &new, 1);
            }
            other => return other.map(|file| file.network),
        }
    }
}

/// Every number, index and activation changed in every way, with a fresh digest and true counts:
/// accepted exactly if the definition says that the altered network still fits.
#[test]
fn every_altered_number_is_judged_by_the_definition() {
    let text = certificate();
    assert!(accepted(&text));
    let sample = six().distinct(LabelRule::Random, 1).unwrap();
    let (from, to) = (line(&text, "layers "), line(&text, "targets "));
    let (mut rejected, mut harmless) = (0, 0);
    for at in from..to {
        let words: Vec<&str> = text.lines().nth(at).unwrap().split(' ').collect();
        if words[0] == "layer" || words[0] == "layers" {
            continue;
        }
        for place in 0..words.len() {
            for new in replacements(place, words[place]) {
                let mut words = words.clone();
                words[place] = &new;
                let altered = with_line(&text, at, |_| words.join(" "));
                assert!(!accepted(&altered), "the digest tells");
                let plain = resealed(&altered);
                let altered = resealed(&recounted(&altered));
                let fits = match read(altered.as_bytes()) {
                    Ok(file) => {
                        let (points, labels) = (&sample.points, &sample.labels);
                        first_misfit(&file.network, points, labels, Target::Value).is_none()
                    }
                    Err(_) => false,
                };
                assert_eq!(accepted(&altered), fits, "line {at}: {}", words.join(" "));
                if fits {
                    harmless += 1
                } else {
                    rejected += 1
                }
                assert!(plain == altered || !accepted(&plain), "the counts tell");
            }
        }
    }
    assert!(rejected > 150 && rejected > 4 * harmless, "{rejected} rejected, {harmless} harmless");
}

fn replacements(place: usize, word: &str) -> Vec<String> {
    let negated = |x: &str| match x.strip_prefix('-') {
        Some(rest) => rest.to_owned(),
        None => format!("-{x}"),
    };
    let numbers = |x: &str| {
        let all = [&negated(x), "0", "1", "7", "-1p3", "1p-9", "1/3", "1p200", "-5/7"];
        all.iter().filter(|new| **new != x && **new != "-0").map(|new| (*new).to_owned()).collect()
    };
    match (place, word.split_once(':')) {
        (0, _) => {
            let names = Activation::ALL.iter().map(|activation| activation.name().to_owned());
            names.filter(|name| name != word).collect()
        }
        (_, None) => numbers(word),
        (_, Some((from, weight))) => {
            let weights: Vec<String> = numbers(weight);
            let indices = (0..12).map(|from| from.to_string()).filter(|new| new != from);
            let moved = indices.map(|new| format!("{new}:{weight}"));
            weights.iter().map(|new| format!("{from}:{new}")).chain(moved).collect()
        }
    }
}

/// What no certificate may say, each with a fresh digest.
#[test]
fn every_altered_claim_is_rejected() {
    let text = certificate();
    let first = line(&text, "layer ") + 1;
    let unit = text.lines().nth(first).unwrap().to_owned(); // relu BIAS 0:W 1:W
    let words: Vec<&str> = unit.split(' ').collect();
    let [phi, bias, zero, one] = words[..] else { panic!("{unit}") };
    let targets = line(&text, "targets ");
    let label = text.lines().nth(targets + 1).unwrap();
    let other = text.lines().skip(targets + 1).position(|y| y != label).unwrap();
    let mut found: Vec<(String, String)> = Vec::new();
    for (start, new) in [
        ("shatter", "shatter layered certificate 2"),
        ("shatter", "shatter layered network 1"),
        ("shatter", "shatter certificate 1"),
        ("points ", "points i64 7 2"),
        ("points ", "points i64 6 1x2"),
        ("points ", "points u8 6 2"),
        ("points-sha256 ", "points-sha256 00"),
        ("labels ", "labels random seed=2 classes=3"),
        ("labels ", "labels true seed=0 classes=3"),
        ("labels ", "labels random seed=1 classes=4"),
        ("labels ", "labels alternating seed=0 classes=2"),
        ("inputs ", "inputs 1"),
        ("inputs ", "inputs 3"),
        ("inputs ", "inputs 02"),
        ("inputs ", "inputs 4294967296"),
        ("layers ", "layers 0"),
        ("layers ", "layers 3"),
        ("layers ", "layers 5"),
        ("layers ", "layers +4"),
        ("layers ", "layers 1000000000000"),
        ("layers ", "layers 18446744073709551616"),
        ("layer ", "layer 0"),
        ("layer ", "layer 2"),
        ("layer ", "layer 01"),
        ("layer ", "layer 1000000000000"),
        ("targets ", "targets 6"),
        ("targets ", "targets 6 one-hot"),
        ("targets ", "targets 6 bits"),
        ("targets ", "targets 6 Value"),
        ("targets ", "targets 6  value"),
        ("targets ", "targets 5 value"),
        ("targets ", "targets 7 value"),
        ("targets ", "targets 0 value"),
        ("targets ", "targets 1000000000000 value"),
    ] {
        let at = line(&text, start);
        found.push((new.to_owned(), with_line(&text, at, |_| new.to_owned())));
    }
    for new in [
        "Relu 1 0:1 1:1".to_owned(),
        "tanh 1 0:1 1:1".to_owned(),
        phi.to_owned(),
        format!("{phi} "),
        format!("{unit} "),
        format!(" {unit}"),
        format!("{phi}  {bias} {zero} {one}"),
        format!("{phi} {bias} {one} {zero}"),
        format!("{phi} {bias} {zero} {zero} {one}"),
        format!("{phi} {bias} {zero} {one} 2:1"),
        format!("{phi} {bias} {zero} 4294967297:1"),
        format!("{phi} {bias} {zero} 18446744073709551617:1"),
        format!("{phi} {bias} {zero} 01{}", &one[1..]),
        format!("{phi} {bias} {zero} +1{}", &one[1..]),
        format!("{phi} {bias} {zero} -1{}", &one[1..]),
        format!("{phi} {bias} {zero} 1:0"),
        format!("{phi} {bias} {zero} 1:"),
        format!("{phi} {bias} {zero} 1"),
        format!("{phi} {bias} {zero} :1"),
        format!("{phi} {bias} {zero} 1:1:1"),
        format!("{phi} {bias} {zero}{one}"),
    ] {
        found.push((new.clone(), with_line(&text, first, |_| new.clone())));
    }
    // Numbers in a spelling that is not theirs, or of no size at all.
    for new in [
        "2",
        "1p0",
        "01",
        "-0",
        "A",
        "+1",
        "nan",
        "",
        "1/1",
        "2/6",
        "1/2",
        "1/-3",
        "-1/-3",
        "0/3",
        "1/0",
        "1/03",
        "1p1048577",
        "1p-1048577",
        "1p9223372036854775808",
        "1p+1",
        "1p01",
        "1e3",
        "1.5",
        "3/9p1",
    ] {
        let with_bias = format!("{phi} {new} {zero} {one}");
        found.push((with_bias.clone(), with_line(&text, first, |_| with_bias.clone())));
        let with_weight = format!("{phi} {bias} {zero} 1:{new}");
        found.push((with_weight.clone(), with_line(&text, first, |_| with_weight.clone())));
        found.push((format!("label {new}"), with_line(&text, targets + 1, |_| new.to_owned())));
    }
    let mut add = |name: &str, text: String| found.push((name.to_owned(), text));
    let without = |at: usize| {
        let lines = text.lines().enumerate().filter(|(i, _)| *i != at);
        lines.map(|(_, line)| line.to_owned() + "\n").collect::<String>()
    };
    let doubled = |at: usize| with_line(&text, at, |line| format!("{line}\n{line}"));
    let swapped = |one: usize, other: usize| {
        let mut lines: Vec<&str> = text.lines().collect();
        lines.swap(one, other);
        lines.join("\n") + "\n"
    };
    for (at, l) in text.lines().enumerate().filter(|(_, l)| !l.starts_with("digest")) {
        add(&format!("without {l}"), without(at));
        add(&format!("twice {l}"), doubled(at));
    }
    add("two labels swapped", swapped(targets + 1, targets + 1 + other));
    add("a label with two numbers", with_line(&text, targets + 1, |l| format!("{l} {l}")));
    add("a label with a blank", with_line(&text, targets + 1, |l| format!("{l} ")));
    add("a label of 9 million numbers", with_line(&text, targets + 1, |_| "0 ".repeat(8_000_000)));
    add("two sections swapped", swapped(line(&text, "inputs "), line(&text, "layers ")));
    add("carriage returns", text.replace('\n', "\r\n"));
    let counts = text.lines().nth(line(&text, "counts ")).unwrap();
    for word in counts.split(' ').skip(1) {
        let (name, value) = word.split_once('=').unwrap();
        let value: u64 = value.parse().unwrap();
        for new in [value + 1, value - 1, u64::MAX] {
            add(word, text.replacen(word, &format!("{name}={new}"), 1));
        }
        add(word, text.replacen(word, &format!("{name}=0{value}"), 1));
        add(word, text.replacen(&format!(" {word}"), "", 1));
    }
    for (name, altered) in &found {
        assert_ne!(*altered, text, "{name} changed nothing");
        let altered = resealed(altered);
        assert!(!accepted(&altered), "{name}");
    }
    assert!(found.len() > 200, "{}", found.len());
    let miswired = with_line(&text, first, |_| format!("{phi} {bias} {zero} 5:1"));
    let verdict = check(resealed(&miswired).as_bytes(), six());
    assert!(matches!(verdict, Err(Rejection::Wiring { from: 5, width: 2, .. })), "{verdict:?}");
}

#[test]
fn every_truncation_and_every_flipped_bit_is_rejected() {
    let text = certificate();
    for length in 0..text.len() {
        assert!(!accepted(&text[..length]), "{length} bytes");
        // A fresh digest makes a truncated file whole only if nothing was cut but the digest.
        let cut = resealed(&(text[..length].to_owned() + "\n"));
        assert!(cut == text || !accepted(&cut), "{length} bytes, with a fresh digest");
    }
    for at in 0..text.len() {
        for bit in 0..8 {
            let mut bytes = text.clone().into_bytes();
            bytes[at] ^= 1 << bit;
            assert!(check(&bytes[..], six()).is_err(), "byte {at}, bit {bit}");
        }
    }
    let longer = format!("{text}x");
    assert!(matches!(check(longer.as_bytes(), six()), Err(Rejection::Trailing { .. })));
}

#[test]
fn another_sample_is_rejected() {
    let text = certificate();
    let other = |sample: &str, seed| check(text.as_bytes(), sample::load(sample, seed).unwrap());
    assert!(matches!(other(SAMPLE, 2), Err(Rejection::Points { .. })));
    assert!(matches!(other("gaussian:n=6,d=2", 1), Err(Rejection::Shape { .. })));
    let more = "lattice:n=6,d=2,range=20,classes=4";
    assert!(matches!(other(more, 1), Err(Rejection::Classes { .. })));
}

/// x ∈ {0, 1, 2} is its own class; outputs say it in three ways.
#[test]
fn encodings_are_those_of_the_labels() {
    let classes = raw(Values::I64(vec![2, 0, 1]), 1, Labels::classes(vec![2, 0, 1], 3).unwrap());
    let sample = own(&classes);
    let one = || Rational::ONE;
    let above = |bias: Rational| Unit::threshold([(0, one())], bias);
    let (zero, two) = (Unit::threshold([(0, -one())], one()), above(number(-3, 2)));
    let hidden = vec![vec![zero, two.clone()]];
    let middle = Unit::affine([(1, -one()), (0, -one())], one()); // unsorted on purpose
    let rest = |k: usize| Unit::affine([(k, one())], Rational::ZERO);
    let one_hot = Network::Layered(Layered {
        inputs: 1,
        hidden: hidden.clone(),
        output: vec![rest(0), middle.clone(), rest(1)],
    });
    let bits = Network::Layered(Layered { inputs: 1, hidden, output: vec![middle, rest(1)] });
    let value = chain(&[(Activation::Identity, one(), Rational::ZERO)]);
    let all = [(&value, Target::Value), (&one_hot, Target::OneHot), (&bits, Target::Bits)];
    for (network, own) in all {
        for (_, target) in all {
            let text = written(network, &sample, target);
            let verdict = check(text.as_bytes(), classes.clone());
            assert_eq!(verdict.is_ok(), target == own, "{own} as {target}: {verdict:?}");
        }
        let text = written(network, &sample, own);
        assert_eq!(check(text.as_bytes(), classes.clone()).unwrap().target, own);
        // Each number of each output counts.
        let targets = line(&text, "targets ");
        for at in targets + 1..targets + 4 {
            let words: Vec<&str> = text.lines().nth(at).unwrap().split(' ').collect();
            for place in 0..words.len() {
                let mut words = words.clone();
                words[place] = if words[place] == "0" { "1" } else { "0" };
                let altered = resealed(&with_line(&text, at, |_| words.join(" ")));
                let verdict = check(altered.as_bytes(), classes.clone());
                assert!(matches!(verdict, Err(Rejection::Label { .. })), "{verdict:?}");
            }
        }
    }
    // Fewer numbers than the encoding takes, consistently.
    let text = written(&value, &sample, Target::Value);
    let text = resealed(&text.replacen("targets 3 value", "targets 3 one-hot", 1));
    let verdict = check(text.as_bytes(), classes);
    let Err(Rejection::Encoding { expected: 3, actual: 1, .. }) = verdict else {
        panic!("{verdict:?}");
    };
    // Real numbers are their own targets, whatever the writer is told.
    let real = on_a_line(&[0.0, 1.0, 2.0]);
    let text = written(&value, &own(&real), Target::Bits);
    assert!(check(text.as_bytes(), real.clone()).is_ok());
    let text = resealed(&text.replacen("targets 3 value", "targets 3 bits", 1));
    assert!(matches!(check(text.as_bytes(), real), Err(Rejection::NotClasses { .. })));
}

/// Vector labels: all numbers count.
#[test]
fn vector_labels_are_compared_whole() {
    let vectors =
        |y: [f64; 4]| raw(Values::I64(vec![0, 1]), 1, Labels::real(y.to_vec(), 2).unwrap());
    let unit = |w: i64| Unit::affine([(0, Rational::from(w))], Rational::ZERO);
    let network =
        Network::Layered(Layered { inputs: 1, hidden: vec![], output: vec![unit(1), unit(2)] });
    for (y, fits) in [([0.0, 0.0, 1.0, 2.0], true), ([0.0, 0.0, 1.0, 3.0], false)] {
        let raw = vectors(y);
        let text = written(&network, &own(&raw), Target::Value);
        assert_eq!(check(text.as_bytes(), raw).is_ok(), fits);
    }
    // A certificate for the first numbers is none for the vectors.
    let scalar = on_a_line(&[0.0, 1.0]);
    let first = Network::Layered(Layered { inputs: 1, hidden: vec![], output: vec![unit(1)] });
    let text = written(&first, &own(&scalar), Target::Value);
    assert!(check(text.as_bytes(), scalar).is_ok());
    let verdict = check(text.as_bytes(), vectors([0.0, 0.0, 1.0, 2.0]));
    assert!(matches!(verdict, Err(Rejection::Encoding { expected: 2, .. })), "{verdict:?}");
}

/// Repeated indices are summed, zeros left out, indices sorted: f(x) = 2x + 1.
#[test]
fn units_are_written_in_order() {
    let raw = raw(Values::I64(vec![1, 9, 2, 8]), 2, Labels::real(vec![3.0, 5.0], 1).unwrap());
    let weights = [(1, 3), (0, 1), (1, -3), (0, 1)].map(|(from, w)| (from, Rational::from(w)));
    let mut output = vec![Unit::affine(weights, Rational::ONE)];
    output[0].weights.push((1, Rational::ZERO));
    let network = Network::Layered(Layered { inputs: 2, hidden: vec![], output });
    let text = written(&network, &own(&raw), Target::Value);
    assert!(text.contains("\nlayer 1\nidentity 1 0:1p1\n"), "{text}");
    assert!(text.contains("nonzero=2 "), "{text}");
    assert!(check(text.as_bytes(), raw).is_ok());
}

/// The definition: 1/0 is 0; the threshold is strict; sin(πt) is 0 at whole numbers, however long.
#[test]
fn activations_at_their_edges() {
    let at = |activation, x: Rational| {
        chain(&[
            (Activation::Identity, Rational::ZERO, x),
            (activation, Rational::ONE, Rational::ZERO),
        ])
    };
    let power = |k: i64| Dyadic::power_of_two(k).to_rational();
    let huge = || power(1 << 20);
    let tiny = || power(-(1 << 20));
    let third = || number(1, 3);
    for (network, y) in [
        (at(Activation::Reciprocal, Rational::ZERO), 0.0),
        (at(Activation::Reciprocal, number(-1, 4)), -4.0),
        (at(Activation::Reciprocal, third()), 3.0),
        (at(Activation::Softsign, number(-1, 1)), -0.5),
        (at(Activation::Threshold, Rational::ZERO), 0.0),
        (at(Activation::Threshold, tiny()), 1.0),
        (at(Activation::Threshold, -tiny()), 0.0),
        (at(Activation::Relu, -huge()), 0.0),
        (at(Activation::Square, number(-3, 2)), 2.25),
        (at(Activation::Sine, huge()), 0.0),
        (at(Activation::Sine, huge() + number(1, 2)), 1.0),
        (at(Activation::Sine, huge() + number(3, 2)), 0.0),
        (at(Activation::Sine, huge() + third()), 1.0),
        (at(Activation::Sine, -huge() - third()), 0.0),
        (at(Activation::Sine, huge() * third()), 0.0), // (4^k − 1)/3 is odd
        (at(Activation::Sine, huge() * number(2, 3)), 1.0),
        (at(Activation::Sine, tiny()), 1.0),
        (at(Activation::Sine, -tiny()), 0.0),
        (at(Activation::Sine, tiny() * third()), 1.0),
        (at(Activation::Sine, number(-1, 1)), 0.0),
        (at(Activation::Sine, number(-3, 2)), 1.0),
    ] {
        let Network::Layered(layered) = &network else { unreachable!() };
        assert_eq!(binary64(&layered.evaluate(&[Rational::ONE])[0]), Some(y));
        for (claimed, fits) in [(y, true), (y + 1.0, false)] {
            let raw = on_a_line(&[claimed]);
            let text = written(&network, &own(&raw), Target::Value);
            let verdict = check(text.as_bytes(), raw);
            assert_eq!(verdict.is_ok(), fits, "{text}: {verdict:?}");
        }
    }
}

/// Steps of the checker, seconds of one thread: a sixteenth of what [`check`] allows.
const SECONDS: u64 = 1 << 33;

/// Why the certificate is rejected within [`SECONDS`], be it for want of steps.
fn rejection(text: &str, raw: RawSample) -> Rejection {
    check_within(text.as_bytes(), raw, SECONDS).unwrap_err()
}

fn too_much(rejection: &Rejection) -> bool {
    matches!(rejection, Rejection::TooMuchSpace { .. } | Rejection::TooMuchWork { .. })
}

/// Files of a few lines whose numbers would fill the memory.
#[test]
fn numbers_that_explode_are_refused() {
    let raw = on_a_line(&[0.0, 1.0, 2.0]);
    let sample = own(&raw);
    let tower = |activation, weight: Rational, height: usize| {
        chain(&vec![(activation, weight, Rational::ONE); height])
    };
    let power = |k: i64| Dyadic::power_of_two(k).to_rational();
    let ends_in_threshold = |network: &Network| {
        let Network::Layered(mut network) = network.clone() else { unreachable!() };
        network.output[0].activation = Activation::Threshold;
        Network::Layered(network)
    };
    let three_halves = tower(Activation::Square, number(3, 2), 40);
    for network in [
        ends_in_threshold(&three_halves),
        three_halves,
        tower(Activation::Square, number(2, 3), 40),
        tower(Activation::Square, number(1 << 40, 1), 60),
        tower(Activation::Square, power(1 << 20), 40),
        tower(Activation::Square, power(-(1 << 20)), 40),
        tower(Activation::Identity, power(-(1 << 20)), 4000),
        tower(Activation::Relu, power(1 << 20), 4000),
        tower(Activation::Identity, number(1, 3), 50_000),
    ] {
        let rejection = self::rejection(&written(&network, &sample, Target::Value), raw.clone());
        assert!(too_much(&rejection), "{rejection}");
    }
    // Twenty squares make a number of two million bits, and a layer copies it ten thousand times.
    let mut hidden: Vec<Vec<Unit>> =
        vec![vec![Unit::new(Activation::Square, [(0, Rational::ONE)], number(3, 1))]; 20];
    hidden.push(vec![Unit::affine([(0, Rational::ONE)], Rational::ZERO); 10_000]);
    let output = vec![Unit::threshold([(0, Rational::ONE)], Rational::ZERO)];
    let mut copies = Layered { inputs: 1, hidden, output };
    for activation in [Activation::Square, Activation::Reciprocal] {
        // With a reciprocal, the copies are fractions.
        copies.hidden[19][0].activation = activation;
        let text = written(&Network::Layered(copies.clone()), &sample, Target::Value);
        let rejection = self::rejection(&text, raw.clone());
        assert!(matches!(rejection, Rejection::TooMuchSpace { .. }), "{rejection}");
    }
    // Weights far apart in one unit: each is as long as all of them span.
    let far = |k: usize| (k, power(if k.is_multiple_of(2) { 1 << 20 } else { -(1 << 20) }));
    for activation in [Activation::Identity, Activation::Reciprocal] {
        let unit = Unit::new(activation, [(0, Rational::ONE)], Rational::ZERO);
        let spread = Network::Layered(Layered {
            inputs: 1,
            hidden: vec![vec![unit; 2000]],
            output: vec![Unit::threshold((0..2000).map(far), Rational::ZERO)],
        });
        let rejection = self::rejection(&written(&spread, &sample, Target::Value), raw.clone());
        assert!(matches!(rejection, Rejection::TooMuchSpace { .. }), "{rejection}");
    }
}

/// Denominators that have little in common: their sum has all of them. As weights they are refused;
/// as the values of reciprocals at three points they are judged.
#[test]
fn coprime_denominators_take_no_hours() {
    let raw = on_a_line(&[0.0, 1.0, 2.0]);
    let sample = own(&raw);
    let odd =
        |k: usize| Rational::from_parts(1.into(), ((1u128 << 100) + 2 * k as u128 + 1).into());
    let m = 30_000;
    let one = || Rational::ONE;
    let copies = vec![Unit::affine([(0, one())], Rational::ZERO); m];
    let ratios: Vec<Unit> = (0..m).map(|k| Unit::affine([(0, odd(k))], Rational::ZERO)).collect();
    let inverse: Vec<Unit> =
        (0..m).map(|k| Unit::new(Activation::Reciprocal, [(0, one())], one() / odd(k))).collect();
    let weighted = vec![Unit::threshold((0..m).map(|k| (k, odd(k))), Rational::ZERO)];
    let summed = vec![Unit::threshold((0..m).map(|k| (k, one())), Rational::ZERO)];
    for (hidden, output, refused) in
        [(copies, weighted, true), (ratios, summed.clone(), true), (inverse, summed, false)]
    {
        let network = Network::Layered(Layered { inputs: 1, hidden: vec![hidden], output });
        let text = written(&network, &sample, Target::Value);
        // Half of what a checker has.
        let rejection = check_within(text.as_bytes(), raw.clone(), 8 * SECONDS).unwrap_err();
        assert_eq!(too_much(&rejection), refused, "{rejection}");
    }
}

/// What the definition gives on random networks whose first layer has one direction.
#[derive(Clone, Debug)]
struct RidgeCase {
    points: Points,
    first: Vec<Unit>,
    second: Vec<Unit>,
    sum: Unit,
}

fn ridge_case() -> impl Strategy<Value = RidgeCase> {
    let knot = prop_oneof![rational().prop_map(Err), (0usize..6).prop_map(Ok), Just(Ok(0))];
    (points(6, 3), prop::collection::vec(knot, 8..14)).prop_flat_map(|(points, knots)| {
        let (d, m) = (points.d(), knots.len());
        let second = (layer(m, 3), prop::collection::vec((0..m, rational()), m));
        let sum = prop::collection::vec(rational(), 4);
        (prop::collection::vec(rational(), d), second, sum).prop_map(
            move |(a, (mut second, wide), sum)| {
                let knot = |knot: &Result<usize, Rational>| match knot {
                    Err(bias) => bias.clone(),
                    // Exactly at a point.
                    Ok(i) => {
                        let row = points.exact_row(i % points.n());
                        -row.iter().zip(&a).fold(Rational::ZERO, |sum, (x, a)| sum + x * a)
                    }
                };
                let unit = |bias| Unit::relu(a.iter().cloned().enumerate(), bias);
                let first = knots.iter().map(|x| unit(knot(x))).collect();
                second.push(Unit::relu(wide.into_iter().chain([(0, number(1, 3))]), number(1, 7)));
                let sum = Unit::affine(sum.into_iter().enumerate(), number(1, 5));
                RidgeCase { points: points.clone(), first, second, sum }
            },
        )
    })
}

impl RidgeCase {
    /// h at every point.
    fn values(&self) -> Vec<Rational> {
        let hidden = vec![self.first.clone(), self.second.clone()];
        let output = vec![self.sum.clone()];
        let network = Layered { inputs: self.points.d(), hidden, output };
        let value = |i| network.evaluate(&self.points.exact_row(i)).swap_remove(0);
        (0..self.points.n()).map(value).collect()
    }

    /// How many of `values` are below and above h: for any other h their sum is another.
    fn network(&self, values: &[Rational]) -> Network {
        let minus = || -Rational::ONE;
        let below = values.iter().map(|v| Unit::threshold([(0, Rational::ONE)], -v.clone()));
        let above = values.iter().map(|v| Unit::threshold([(0, minus())], v.clone()));
        let m = values.len();
        let count =
            |from| Unit::affine((from..from + m).map(|k| (k, Rational::ONE)), Rational::ZERO);
        Network::Layered(Layered {
            inputs: self.points.d(),
            hidden: vec![
                self.first.clone(),
                self.second.clone(),
                vec![self.sum.clone()],
                below.chain(above).collect(),
            ],
            output: vec![count(0), count(m)],
        })
    }
}

proptest! {
    #![proptest_config(cases(128))]

    /// Layers over one direction, with knots between points, at points, and repeated: exactly the
    /// values of the definition; another weight is another network.
    #[test]
    fn ridges_are_what_the_definition_says(
        case in ridge_case(),
        (unit, weight) in (0usize..4, any::<prop::sample::Index>()),
        change in rational(),
    ) {
        let values = case.values();
        let mut distinct = values.clone();
        distinct.sort();
        distinct.dedup();
        let labels = values.iter().flat_map(|v| {
            let below = distinct.iter().filter(|u| *u < v).count();
            [below as f64, (distinct.len() - 1 - below) as f64]
        });
        let labels = Labels::real(labels.collect(), 2).expect("finite");
        let raw = RawSample { text: "test".into(), points: case.points.clone(), labels };
        let sample = raw.clone().distinct(LabelRule::True, 1).expect("a function of the point");
        let text = written(&case.network(&distinct), &sample, Target::Value);
        let verdict = check(text.as_bytes(), raw.clone());
        prop_assert!(verdict.is_ok(), "{verdict:?}");
        // Without points that are repeated.
        let case = RidgeCase { points: sample.points.clone(), ..case };
        let values = case.values();
        let mut other = case;
        let weights = &mut other.second[unit].weights;
        if weights.is_empty() {
            return Ok(());
        }
        let at = weight.index(weights.len());
        weights[at].1 += change;
        let text = written(&other.network(&distinct), &sample, Target::Value);
        let verdict = check(text.as_bytes(), raw);
        let first = other.values().iter().zip(&values).position(|(new, old)| new != old);
        match (first, verdict) {
            (None, Ok(_)) => {}
            (Some(first), Err(Rejection::Misfit { point })) => prop_assert_eq!(first, point),
            (first, verdict) => prop_assert!(false, "{first:?}: {verdict:?}"),
        }
    }
}

/// Weights that are fractions with unrelated denominators, whose sums between knots are short.
#[test]
fn two_hidden_layers_are_checked_in_few_steps() {
    let raw = sample::load("lattice:n=4000,d=3,range=1000000000", 1).unwrap();
    let sample = raw.clone().distinct(LabelRule::Random, 1).unwrap();
    let task = Task::new(&sample.points, &sample.labels, 1);
    let network = TwoHidden::default().build(&task).unwrap();
    let text = written(&network, &sample, Target::Value);
    check_within(text.as_bytes(), raw.clone(), SECONDS).unwrap();
    // Every weight and bias of the second layer matters somewhere, by however little.
    let Network::Layered(network) = network else { panic!("layered") };
    let tiny = || Dyadic::power_of_two(-300).to_rational();
    for unit in [0, 20] {
        for bias in [false, true] {
            let mut other = network.clone();
            let altered = &mut other.hidden[1][unit];
            match bias {
                true => altered.bias += tiny(),
                false => altered.weights[0].1 += tiny(),
            }
            let text = written(&Network::Layered(other), &sample, Target::Value);
            assert!(matches!(rejection(&text, raw.clone()), Rejection::Misfit { .. }), "{unit}");
        }
    }
}

/// Denominators between knots that have nothing in common.
#[test]
fn hostile_ridges_are_refused_or_judged() {
    let raw = on_a_line(&[0.0, 1.0, 2.0]);
    let sample = own(&raw);
    let odd = |k: usize| Rational::from(((1i128 << 100) + 2 * k as i128 + 1) as u128);
    let ridges = [(40, 40, true, false), (150, 400, false, true), (150, 400, true, true)];
    // The two large ones take long to write.
    let tried = if longer(1) > 1 { &ridges[..] } else { &ridges[..1] };
    for &(m, units, long, refused) in tried {
        let bias = |j: usize| match long {
            true => Rational::ONE / odd(m * units + j),
            false => Rational::from(j as i64),
        };
        let first = (0..m).map(|j| Unit::relu([(0, Rational::ONE)], bias(j)));
        let row = |u: usize| (0..m).map(move |j| (j, Rational::ONE / odd(u * m + j)));
        let second = (0..units).map(|u| Unit::relu(row(u), Rational::ZERO));
        let network = Network::Layered(Layered {
            inputs: 1,
            hidden: vec![first.collect(), second.collect()],
            output: vec![Unit::threshold((0..units).map(|k| (k, Rational::ONE)), Rational::ZERO)],
        });
        let rejection = self::rejection(&written(&network, &sample, Target::Value), raw.clone());
        assert_eq!(too_much(&rejection), refused, "{m} {long}: {rejection}");
    }
    // A knot so close to 0, and one so far, that its bits would fill the memory many times.
    let power = |k: i64| Dyadic::power_of_two(k).to_rational();
    let first = (0..2000).map(|j: i64| {
        let far = if j % 2 == 0 { 1 << 20 } else { -(1 << 20) };
        Unit::relu([(0, Rational::ONE)], power(far) * number(1, 3 + 2 * j as u64))
    });
    let second = Unit::relu((0..2000).map(|j| (j, number(1, 3))), Rational::ZERO);
    let output = vec![Unit::threshold([(0, Rational::ONE)], Rational::ZERO)];
    let far = Layered { inputs: 1, hidden: vec![first.collect(), vec![second]], output };
    let rejection = self::rejection(&written(&Network::Layered(far), &sample, Target::Value), raw);
    assert!(too_much(&rejection), "{rejection}");
}

/// Millions of one-digit weights are refused while they are read: each takes more memory than text.
#[test]
fn many_short_numbers_are_refused() {
    let raw = on_a_line(&[0.0, 1.0]);
    let one = chain(&[(Activation::Identity, Rational::ONE, Rational::ZERO)]);
    let text = written(&one, &own(&raw), Target::Value);
    let row: String = (0..2000).map(|k| format!(" {k}:1")).collect();
    let wide = format!(
        "layers 2\nlayer 2000\n{}layer 1800\n{}",
        "identity 0 0:1\n".repeat(2000),
        format!("identity 0{row}\n").repeat(1800),
    );
    let text = text.replacen("layers 1\nlayer 1\n", &wide, 1);
    assert!(text.len() > 1 << 20);
    assert!(matches!(rejection(&text, raw), Rejection::TooMuchSpace { .. }));
}

/// However small the budget, nothing is accepted beyond it, on any number of threads.
#[test]
fn a_budget_is_kept() {
    let raw = sample::load("lattice:n=300,d=2", 1).unwrap();
    let sample = raw.clone().distinct(LabelRule::Random, 1).unwrap();
    let task = Task::new(&sample.points, &sample.labels, 1);
    let text = written(&DepthK { depth: 3 }.build(&task).unwrap(), &sample, Target::Value);
    let within = |steps: u64| check_within(text.as_bytes(), raw.clone(), steps);
    let (mut few, mut enough) = (0, 1 << 26);
    assert!(within(enough).is_ok());
    while enough - few > 1 {
        let middle = (few + enough) / 2;
        *(if within(middle).is_ok() { &mut enough } else { &mut few }) = middle;
    }
    for steps in [0, 1, enough / 2, enough - 1] {
        let rejection = within(steps).unwrap_err();
        assert!(matches!(rejection, Rejection::TooMuchWork { limit } if limit == steps));
    }
    assert!((enough..enough + 10).all(|steps| within(steps).is_ok()), "{enough}");
}

/// Files that announce more than they hold, and one unit on a line without end.
#[test]
fn announcements_are_not_believed() {
    let raw = on_a_line(&[0.0, 1.0]);
    let text = written(
        &chain(&[(Activation::Identity, Rational::ONE, Rational::ZERO)]),
        &own(&raw),
        Target::Value,
    );
    assert!(check(text.as_bytes(), raw.clone()).is_ok());
    for (old, new) in [
        ("layers 1", "layers 1000000000000"),
        ("layer 1", "layer 1000000000000"),
        ("targets 2", "targets 1000000000000"),
        ("inputs 1", "inputs 4294967295"),
    ] {
        let altered = resealed(&text.replacen(old, new, 1));
        self::rejection(&altered, raw.clone());
    }
    self::rejection("shatter layered certificate 1\nlayers 999999999999\n", raw.clone());
    let endless = text.replacen("identity 0 0:1", &format!("identity {}", "f".repeat(1 << 25)), 1);
    assert!(matches!(rejection(&endless, raw.clone()), Rejection::LongLine { .. }));
    let digits = "f".repeat(8_000_000);
    let gcd = text.replacen("identity 0", &format!("identity {digits}/{digits}1"), 1);
    assert!(matches!(rejection(&gcd, raw), Rejection::TooMuchWork { .. }));
}

/// A few thousand layers and points take few of the steps that a checker has.
#[test]
fn deep_and_wide_networks_are_checked_in_few_steps() {
    for text in ["lattice:n=1500,d=5", "gaussian:n=1000,d=3"] {
        let raw = sample::load(text, 1).unwrap();
        let sample = raw.clone().distinct(LabelRule::Random, 1).unwrap();
        let task = Task::new(&sample.points, &sample.labels, 1);
        let constructions: [&dyn Construction; 2] = [&WidthTwo, &DepthK { depth: 3 }];
        for construction in constructions {
            let certificate = written(&construction.build(&task).unwrap(), &sample, Target::Value);
            let accepted = check_within(certificate.as_bytes(), raw.clone(), SECONDS).unwrap();
            assert_eq!(accepted.points, sample.points.n(), "{} on {text}", construction.name());
        }
    }
}
