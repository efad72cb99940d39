//! Promise: a seed draws the same numbers for ever. A certificate names only a seed for its labels;
//! a change of any of these values would invalidate every certificate that exists.

use rand::Rng;
use shatter_random::stream::{Purpose, below, permutation, stream, stream_at, subset};
use shatter_sample::fingerprint::fingerprint;
use shatter_sample::{self as sample, LabelRule, Labels};

#[test]
fn words_of_each_purpose() {
    let purposes = [
        Purpose::Points,
        Purpose::SyntheticLabels,
        Purpose::Labels,
        Purpose::Subsample,
        Purpose::Direction,
        Purpose::Probe,
        Purpose::Groups,
        Purpose::Features,
        Purpose::Claims,
        Purpose::Pixels,
        Purpose::Noise,
        Purpose::TestLabels,
        Purpose::Initial,
        Purpose::Order,
    ];
    let words: Vec<u64> = purposes.into_iter().map(|p| stream(1, p).next_u64()).collect();
    assert_eq!(words, GOLDEN_WORDS);
}

#[test]
fn numbers_below_a_bound() {
    let mut rng = stream(7, Purpose::Labels);
    let drawn: Vec<u64> = (0..12).map(|_| below(&mut rng, 10)).collect();
    assert_eq!(drawn, GOLDEN_BELOW);
    assert_eq!(subset(&mut stream(7, Purpose::Subsample), 100, 6), GOLDEN_SUBSET);
}

#[test]
fn words_of_each_index_and_permutations() {
    let words: Vec<u64> = [0, 1, 49_999, u32::MAX - 1]
        .into_iter()
        .map(|index| stream_at(1, Purpose::Pixels, index).next_u64())
        .collect();
    assert_eq!(words, GOLDEN_INDEXED);
    assert_eq!(permutation(&mut stream(7, Purpose::Order), 10), GOLDEN_PERMUTATION);
}

/// Streams of all purposes and indices are different ones.
#[test]
fn streams_never_meet() {
    let purposes = [Purpose::Pixels, Purpose::Noise, Purpose::Initial, Purpose::Order];
    let mut words = std::collections::BTreeSet::new();
    for purpose in purposes {
        words.insert(stream(1, purpose).next_u64());
        for index in (0..500).chain(u32::MAX - 500..u32::MAX) {
            words.insert(stream_at(1, purpose, index).next_u64());
        }
    }
    assert_eq!(words.len(), 4 * 1001);
}

/// All 24 orders of four numbers, equally often; and sizes at which nothing can move.
#[test]
fn permutations_are_uniform() {
    let mut counts = std::collections::BTreeMap::new();
    let mut rng = stream(5, Purpose::Probe);
    for _ in 0..24_000 {
        *counts.entry(permutation(&mut rng, 4)).or_insert(0u32) += 1;
    }
    assert_eq!(counts.len(), 24);
    for (order, count) in counts {
        assert!((845..=1155).contains(&count), "{order:?}: {count}"); // 5 standard deviations of 31
        let mut sorted = order.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, [0, 1, 2, 3], "{order:?}");
    }
    assert!(permutation(&mut rng, 0).is_empty());
    assert_eq!(permutation(&mut rng, 1), [0]);
}

/// Each value is equally likely: with 2^63 + 1 values, a biased method would show at once.
#[test]
fn below_is_unbiased() {
    let bound = (1u64 << 63) + 1;
    let mut rng = stream(3, Purpose::Probe);
    let low = (0..4000).filter(|_| below(&mut rng, bound) < bound / 2).count();
    assert!((1850..2150).contains(&low), "{low}"); // 4.7 standard deviations
}

#[test]
fn samples_and_labels() {
    let hashes: Vec<String> = [
        "gaussian:n=20,d=3",
        "lattice:n=20,d=3",
        "collinear:n=20,d=3",
        "moment:n=20,d=3",
        "clustered:n=20,d=3",
        "close:n=20,d=3",
        "gaussian:n=20,d=3,draw=5",
    ]
    .iter()
    .map(|text| fingerprint(&sample::load(text, 1).unwrap().points)[..16].to_owned())
    .collect();
    assert_eq!(hashes, GOLDEN_HASHES);

    let own = Labels::classes(vec![0; 16], 10).unwrap();
    let drawn = |rule| {
        let recipe = sample::Recipe::new(rule, &own, 1).unwrap();
        match recipe.apply(&own) {
            Labels::Classes { of, .. } => of,
            Labels::Real { .. } => unreachable!("classes stay classes"),
        }
    };
    assert_eq!(drawn(LabelRule::Random), GOLDEN_RANDOM);
    assert_eq!(drawn(LabelRule::Corrupted(0.5)), GOLDEN_CORRUPTED);
}

/// Corruption with a larger p changes a superset of the labels, to the same classes.
#[test]
fn corruption_grows_with_p() {
    let own = Labels::classes(vec![0; 400], 10).unwrap();
    let drawn = |p| sample::Recipe::new(LabelRule::Corrupted(p), &own, 5).unwrap().apply(&own);
    let (less, more, all) = (drawn(0.2), drawn(0.6), drawn(1.0));
    for i in 0..400 {
        assert!(less.f64_at(i) == 0.0 || less.f64_at(i) == more.f64_at(i));
        assert!(more.f64_at(i) == 0.0 || more.f64_at(i) == all.f64_at(i));
    }
    let changed = (0..400).filter(|&i| all.f64_at(i) != 0.0).count();
    assert!((330..=390).contains(&changed), "{changed}"); // 0.9 · 400 = 360, sd 6
}

const GOLDEN_WORDS: [u64; 14] = [
    15715005604373573095,
    16166618085559792950,
    10481881765394875549,
    12212852551396965246,
    7176808644310061755,
    9345421689931614251,
    8577810123518004597,
    1083826540474460233,
    6626128883197891811,
    12284025616082982918,
    10776164205255725789,
    13107475824323408534,
    9490313554398969710,
    10712375336186752502,
];
const GOLDEN_INDEXED: [u64; 4] =
    [12240115862755575752, 14325372922903310259, 4996407510803257525, 17059872831699626520];
const GOLDEN_PERMUTATION: [u32; 10] = [5, 0, 2, 1, 7, 6, 8, 3, 4, 9];
const GOLDEN_BELOW: [u64; 12] = [1, 0, 9, 3, 3, 3, 9, 3, 0, 4, 9, 3];
const GOLDEN_SUBSET: [u32; 6] = [46, 55, 60, 84, 87, 98];
const GOLDEN_HASHES: [&str; 7] = [
    "eb95a92f8c5b5db4",
    "01c5da1c818a83cb",
    "c9f89ff5f4d9e258",
    "fa79f8ac91e1f799",
    "34786efd69126abb",
    "a4ba2b9b01ec612e",
    "2abf2440bd281024",
];
const GOLDEN_RANDOM: [u32; 16] = [5, 6, 1, 3, 2, 0, 9, 3, 2, 3, 8, 5, 0, 8, 5, 6];
const GOLDEN_CORRUPTED: [u32; 16] = [0, 3, 0, 0, 3, 0, 8, 0, 0, 3, 0, 0, 0, 0, 1, 0];
