//! Promise: the reader of network files and certificates, which shares no code with the checker, takes what the
//! checker takes, as the same numbers, and refuses everything else; no file makes either panic.

use crate::common::cases;
use crate::common::lines::{line, resealed, with_line};
use proptest::prelude::*;
use proptest::sample::Index;
use shatter_certify::integers::{IntegersError, write_integers};
use shatter_certify::{ReadError, read, write_certificate};
use shatter_check::{Rejection, bind, check};
use shatter_construct::{
    Construction, Task, ThresholdRule, catalogue, depth_k::DepthK, depth_two::DepthTwo,
};
use shatter_exact::{Dyadic, IBig, Rational};
use shatter_network::{ExactNetwork, Network, Unit};
use shatter_sample::{self as sample, LabelRule, Labels, Points, RawSample, Target, Values};

const SAMPLE: &str = "lattice:n=5,d=2,range=20,classes=3";

fn raw() -> RawSample {
    sample::load(SAMPLE, 1).unwrap()
}

fn name(labels: &mut Labels, classes: &[String]) {
    let Labels::Classes { names, .. } = labels else { panic!("classes") };
    *names = classes.to_vec();
}

/// A certificate of either form, with fractions, names of classes and every kind of line.
fn certificates() -> Vec<String> {
    let mut named = raw();
    name(&mut named.labels, &["x", "y \"'", "3.0"].map(str::to_owned));
    let mut texts = Vec::new();
    for (raw, rule) in [(raw(), LabelRule::Corrupted(0.5)), (named, LabelRule::True)] {
        let sample = raw.distinct(rule, 1).unwrap();
        let task = Task::new(&sample.points, &sample.labels, 1);
        let data = DepthTwo { threshold: ThresholdRule::Data };
        let Network::Layered(mut deep) = DepthK { depth: 4 }.build(&task).unwrap() else {
            panic!("layered")
        };
        // A third that nothing reads.
        let third = Rational::from_parts(1.into(), 3u8.into());
        deep.hidden[0].push(Unit::relu([(1, third.clone())], -third));
        let mut networks = vec![
            (data.build(&task).unwrap(), Target::Value),
            (Network::Layered(deep), Target::Value),
        ];
        for construction in catalogue::all() {
            let target = construction.target();
            if networks.iter().all(|(_, other)| *other != target)
                && let Ok(network) = construction.build(&task)
            {
                networks.push((network, target));
            }
        }
        assert_eq!(networks.len(), 4, "every target");
        for (network, target) in networks {
            let mut bytes = Vec::new();
            write_certificate(&mut bytes, &network, "test", &sample, target).unwrap();
            texts.push(String::from_utf8(bytes).unwrap());
        }
    }
    texts
}

/// Whether the checker's own reader takes the file: it then says nothing of lines.
fn checker_reads(bytes: &[u8]) -> bool {
    !matches!(
        check(bytes, raw()),
        Err(Rejection::Truncated { .. }
            | Rejection::LongLine { .. }
            | Rejection::Version { .. }
            | Rejection::Line { .. }
            | Rejection::Trailing { .. }
            | Rejection::Digest
            | Rejection::Count { .. }
            | Rejection::Wiring { .. })
    )
}

/// Whether both take the file; they must agree.
fn both_read(bytes: &[u8]) -> bool {
    let ours = read(bytes);
    let text = String::from_utf8_lossy(bytes);
    assert_eq!(ours.is_ok(), checker_reads(bytes), "{:?}\n{text}", ours.err());
    ours.is_ok()
}

/// The file with true counts, as far as it can be read.
fn recounted(text: &str) -> String {
    let mut text = resealed(text);
    while let Err(ReadError::Count { name, claimed, actual }) = read(text.as_bytes()) {
        let (old, new) = (format!(" {name}={claimed}"), format!(" {name}={actual}"));
        text = resealed(&text.replacen(&old, &new, 1));
    }
    text
}

#[test]
fn certificates_are_read_as_what_was_written() {
    for text in certificates() {
        let file = read(text.as_bytes()).unwrap();
        let claim = file.statement.as_ref().unwrap();
        let (rule, seed) = (claim.recipe.rule, claim.recipe.seed);
        let mut raw = raw();
        if let Some(reading) = &file.reading
            && !reading.classes.is_empty()
        {
            name(&mut raw.labels, &reading.classes);
        }
        assert!(check(text.as_bytes(), raw.clone()).is_ok());
        let sample = raw.distinct(rule, seed).unwrap();
        let mut again = Vec::new();
        write_certificate(&mut again, &file.network, &file.construction, &sample, claim.target)
            .unwrap();
        assert_eq!(String::from_utf8(again).unwrap(), text);
        assert!(text.ends_with(&format!("digest {}\n", file.digest)));
    }
}

/// Every spelling of a bias that might be taken for a number, in the reader and in the checker.
#[test]
fn every_number_has_one_spelling() {
    let text = &certificates()[1];
    let at = line(text, "layer ") + 1;
    let spelled = |number: &str| {
        let bias = |line: &str| {
            let words: Vec<&str> = line.split(' ').collect();
            format!("{} {number} {}", words[0], words[2..].join(" "))
        };
        recounted(&with_line(text, at, bias))
    };
    let good =
        "0 1 -1 b -3p-1 1p4 ffp1048576 1p-1048576 -2/3 1/6 fffffffffffffffffffffffffffffffff";
    for number in good.split(' ') {
        assert!(both_read(spelled(number).as_bytes()), "{number}");
    }
    let bad = "-0 00 01 +1 2 -2 10 A 1p0 1p+4 1p04 1p-0 1p 1pp1 p1 - 1p1048577 1p-1048577 0p1 1/0 1/1 \
               1p99999999999999999999 1/2 -1/4 2/6 0/3 1/-3 1/03 01/3 /3 1/ 1/3/5 1p1/3 nan 0x1 _1";
    for number in bad.split(' ') {
        assert!(!both_read(spelled(number).as_bytes()), "{number}");
    }
}

#[test]
fn truncations_and_flipped_bits_are_refused_by_both() {
    for text in certificates() {
        for length in 0..text.len() {
            assert!(!both_read(&text.as_bytes()[..length]), "{length} bytes");
        }
        for at in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[at] ^= 1 << (at % 8);
            assert!(!both_read(&bytes), "byte {at}");
        }
        assert!(!both_read(format!("{text}x").as_bytes()));
    }
}

#[test]
fn refusals_name_the_line() {
    let text = &certificates()[0];
    let refusal = |altered: &str| read(altered.as_bytes()).unwrap_err().to_string();
    let bias = line(text, "bias ");
    assert_eq!(
        refusal(&with_line(text, bias, |_| "bias 2".to_owned())),
        format!("line {}: expected 'bias' and a number, found 'bias 2'", bias + 1)
    );
    assert_eq!(
        refusal(&text[..text.find("bias").unwrap()]),
        format!("line {}: expected 'bias …', found the end of the file", bias + 1)
    );
    assert_eq!(
        refusal(&text.replacen("certificate 1", "certificate 2", 1)),
        "line 1: 'shatter certificate 2' is not a version of the format that is read here; expected \
         'shatter certificate 1'"
    );
    assert!(refusal(&text.replacen("test", "Test", 1)).contains("altered"));
}

/// The stream for the proved checker: over the integers it makes the certificate's claim, point by point.
#[test]
fn the_integers_make_the_claim_of_the_certificate() {
    for text in ["lattice:n=9,d=2,classes=3", "gaussian:n=7,d=3,target=number"] {
        let raw = sample::load(text, 1).unwrap();
        let sample = raw.clone().distinct(LabelRule::Random, 1).unwrap();
        for threshold in [ThresholdRule::Zigzag, ThresholdRule::Data, ThresholdRule::Midpoint] {
            let task = Task::new(&sample.points, &sample.labels, 1);
            let network = DepthTwo { threshold }.build(&task).unwrap();
            let mut bytes = Vec::new();
            write_certificate(&mut bytes, &network, "test", &sample, Target::Value).unwrap();
            let (file, bound) = (read(&bytes[..]).unwrap(), bind(&bytes[..], raw.clone()).unwrap());
            let mut stream = Vec::new();
            write_integers(&mut stream, &file, &bound).unwrap();
            let stream = String::from_utf8(stream).unwrap();
            let mut numbers = stream.split_whitespace().map(|word| word.parse::<IBig>().unwrap());
            let mut take = |count: usize| numbers.by_ref().take(count).collect::<Vec<IBig>>();
            let (n, d) = (sample.points.n(), sample.points.d());
            let (head, scales) = (take(4), take(3));
            assert_eq!((&head[1], &head[3]), (&IBig::from(d), &IBig::from(n)));
            let m = usize::try_from(head[2].clone()).unwrap();
            let (a, units, c) = (take(d), take(2 * m), take(1));
            let mut before = None;
            for _ in 0..n {
                let row = take(d + 1);
                let z: IBig = a.iter().zip(&row).map(|(a, x)| a * x).sum();
                let relu = |unit: &[IBig]| (&z - &unit[0]).max(IBig::ZERO) * &unit[1];
                assert_eq!(units.chunks(2).map(relu).sum::<IBig>() + &c[0], row[d]);
                assert!(before.is_none_or(|before| before <= z), "rows in order");
                before = Some(z);
            }
            assert!(units.chunks(2).is_sorted_by(|one, two| one[0] <= two[0]));
            assert!(scales.iter().all(|scale| *scale > IBig::ZERO) && take(1).is_empty());
        }
        let mut other = sample.clone();
        other.points = other.points.select(&[0, 1]).unwrap();
        let network = DepthTwo { threshold: ThresholdRule::Zigzag };
        let network = network.build(&Task::new(&sample.points, &sample.labels, 1)).unwrap();
        let mut bytes = Vec::new();
        write_certificate(&mut bytes, &network, "test", &sample, Target::Value).unwrap();
        let refused = write_integers(&mut Vec::new(), &read(&bytes[..]).unwrap(), &other);
        assert!(matches!(refused, Err(IntegersError::Sample { n: 2, .. })), "{refused:?}");
    }
}

/// One number with a million bits behind its point would make each of the others as long: refused before the first byte.
#[test]
fn integers_that_would_fill_the_memory_are_refused() {
    let raw = sample::load("lattice:n=20000,d=2", 1).unwrap();
    let sample = raw.distinct(LabelRule::Random, 1).unwrap();
    let far = || Dyadic::power_of_two(-(1 << 20));
    let plain = ExactNetwork {
        a: vec![Dyadic::ONE, Dyadic::ZERO],
        b: vec![Dyadic::ZERO, Dyadic::ONE],
        w: vec![Rational::ONE, Rational::ONE / Rational::from(3)],
        c: Dyadic::ONE,
    };
    let stream = |network: &ExactNetwork| {
        let (mut bytes, mut stream) = (Vec::new(), Vec::new());
        let network = Network::TwoLayer(network.clone());
        write_certificate(&mut bytes, &network, "test", &sample, Target::Value).unwrap();
        let written = write_integers(&mut stream, &read(&bytes[..]).unwrap(), &sample);
        (written, stream.len())
    };
    let (written, length) = stream(&plain);
    assert!(written.is_ok() && length > 0, "{written:?}");
    let mut hostile = vec![plain; 6];
    hostile[0].a[1] = far();
    hostile[1].b[1] = far();
    hostile[2].w[0] = far().to_rational();
    hostile[3].w[0] = Dyadic::power_of_two(1 << 20).to_rational();
    hostile[4].c = far();
    hostile[5].c = Dyadic::power_of_two(-(1 << 19));
    hostile[5].w[0] = Dyadic::power_of_two(-(1 << 19)).to_rational();
    for (k, network) in hostile.iter().enumerate() {
        let (written, length) = stream(network);
        assert!(matches!(written, Err(IntegersError::TooWide { .. })), "{k}: {written:?}");
        assert_eq!(length, 0, "{k}");
    }
    // A direction is as long as its point has coordinates.
    let points = Points::new(Values::U8(vec![0; 10_000]), vec![10_000]).unwrap();
    let labels = Labels::classes(vec![0], 2).unwrap();
    let raw = RawSample { text: "black".into(), points, labels };
    let sample = raw.distinct(LabelRule::True, 0).unwrap();
    let mut wide =
        ExactNetwork { a: vec![Dyadic::ONE; 10_000], b: vec![], w: vec![], c: Dyadic::ZERO };
    wide.a[0] = far();
    let mut bytes = Vec::new();
    let wide = Network::TwoLayer(wide);
    write_certificate(&mut bytes, &wide, "test", &sample, Target::Value).unwrap();
    let written = write_integers(&mut Vec::new(), &read(&bytes[..]).unwrap(), &sample);
    assert!(matches!(written, Err(IntegersError::TooWide { .. })), "{written:?}");
}

/// Few bytes that ask for much: refused before memory or hours are spent.
#[test]
fn hostile_files_are_refused() {
    let endless = std::io::BufReader::new(std::io::repeat(b'1'));
    assert!(matches!(read(endless), Err(ReadError::LongLine { line: 1, .. })));
    let huge = u64::MAX;
    let counts = "counts depth=2 units=0 width=0 nonzero=0 bits=0 max-bits=0";
    let head =
        format!("shatter layered network 1\nconstruction x\n{counts}\ninputs 1\nlayers {huge}\n");
    let refused = read(format!("{head}layer {huge}\n").as_bytes());
    assert!(matches!(refused, Err(ReadError::Truncated { line: 7, .. })), "{refused:?}");
    // Each of these numbers has a million bits.
    let unit = "relu 1p1048576\n".repeat(10_000);
    let refused = read(format!("{head}layer 10000\n{unit}").as_bytes());
    assert!(matches!(refused, Err(ReadError::TooManyBits { .. })), "{refused:?}");
    // The lowest terms of this fraction would take minutes.
    let digits = "f".repeat(8_000_000);
    let refused = read(format!("{head}layer 1\nrelu {digits}/{digits}1\n").as_bytes());
    assert!(matches!(refused, Err(ReadError::TooManySteps { .. })), "{refused:?}");
}

/// A change of a text file.
#[derive(Clone, Debug)]
enum Change {
    Byte(Index, u8),
    Word(Index, &'static str),
    DropLine(Index),
    DoubleLine(Index),
    SwapLines(Index, Index),
}

const WORDS: [&str; 24] = [
    "0",
    "1",
    "-1",
    "2",
    "3",
    "1p1",
    "-1p-1",
    "1/3",
    "2/6",
    "-0",
    "01",
    "+1",
    "",
    "1:1",
    "0:1/3",
    "relu",
    "sine",
    "layer",
    "value",
    "bits",
    "18446744073709551615",
    "seed=2",
    "corrupted:0.50",
    "x",
];

fn change() -> impl Strategy<Value = Change> {
    let index = any::<Index>;
    prop_oneof![
        2 => (index(), 9u8..128).prop_map(|(at, byte)| Change::Byte(at, byte)),
        6 => (index(), prop::sample::select(WORDS.to_vec())).prop_map(|(at, word)| Change::Word(at, word)),
        1 => index().prop_map(Change::DropLine),
        1 => index().prop_map(Change::DoubleLine),
        1 => (index(), index()).prop_map(|(one, two)| Change::SwapLines(one, two)),
    ]
}

impl Change {
    fn of(&self, text: &str) -> String {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        match self {
            Change::Byte(at, byte) => {
                let mut bytes = text.as_bytes().to_vec();
                bytes[at.index(text.len())] = *byte;
                return String::from_utf8(bytes).unwrap();
            }
            Change::Word(at, word) => {
                let places = lines
                    .iter()
                    .enumerate()
                    .flat_map(|(l, line)| (0..line.split(' ').count()).map(move |w| (l, w)));
                let places: Vec<(usize, usize)> = places.collect();
                let &(l, w) = at.get(&places);
                let mut words: Vec<&str> = lines[l].split(' ').collect();
                words[w] = word;
                lines[l] = words.join(" ");
            }
            Change::DropLine(at) => drop(lines.remove(at.index(lines.len()))),
            Change::DoubleLine(at) => {
                let at = at.index(lines.len());
                lines.insert(at, lines[at].clone());
            }
            Change::SwapLines(one, two) => {
                let (one, two) = (one.index(lines.len()), two.index(lines.len()));
                lines.swap(one, two);
            }
        }
        lines.join("\n") + "\n"
    }
}

proptest! {
    #![proptest_config(cases(512))]

    /// Certificates altered by somebody who wants to be believed.
    #[test]
    fn the_reader_and_the_checker_agree_on_altered_files(
        which in any::<Index>(),
        changes in prop::collection::vec(change(), 1..3),
    ) {
        let texts = certificates();
        let altered = changes.iter().fold(which.get(&texts).clone(), |text, change| change.of(&text));
        both_read(altered.as_bytes());
        both_read(resealed(&altered).as_bytes());
        let honest = recounted(&altered);
        if both_read(honest.as_bytes()) {
            // As the same network: its certificate says what this one says.
            let file = read(honest.as_bytes()).expect("as before");
            if check(honest.as_bytes(), raw()).is_ok() {
                let claim = file.statement.expect("a certificate");
                let sample = raw().distinct(claim.recipe.rule, claim.recipe.seed).expect("accepted");
                let mut again = Vec::new();
                write_certificate(&mut again, &file.network, &file.construction, &sample, claim.target)
                    .expect("memory");
                let body = |text: &str| text[text.find("counts").unwrap()..].to_owned();
                let again = String::from_utf8(again).expect("ASCII");
                let ours = body(&again);
                let digest = ours.rfind("digest").unwrap();
                prop_assert_eq!(&ours[..digest], &body(&honest)[..digest]);
            }
        }
    }
}
