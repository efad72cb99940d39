//! Promise: a network with one unit, one weight or one sign changed is caught wherever the change
//! shows on the sample: by the exact residual and by the checker of certificates. A mutant that no
//! sample point can tell from the network is listed with the reason (`-- --nocapture`).
//!
//! A part of all mutants is tried; TEST_MULTIPLIER enlarges it.

use std::collections::BTreeMap;

use crate::common::longer;
use rand::SeedableRng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;
use shatter_certify::write_certificate;
use shatter_check::{Rejection, check};
use shatter_construct::{Construction, Task, catalogue};
use shatter_exact::Rational;
use shatter_network::{ExactPoints, Layered, Network, Unit, first_misfit};
use shatter_sample::{self as sample, LabelRule, RawSample, Sample};

/// Mutants of one construction that are tried.
const TRIED: u32 = 40;

/// Samples of which each construction takes the first that meets its assumptions. A construction that
/// takes none of them is left out, in a line: add a sample for it.
const SAMPLES: [&str; 4] = [
    "lattice:n=9,d=3,range=1000,classes=3",
    "lattice:n=3,d=4,range=1000",
    "moment:n=9,d=2,classes=2",
    "csv:HERE/tests/data/powers_of_half.csv,target=class",
];

/// Where a network is changed. Layer and unit count from 0; the output layer is the last.
#[derive(Clone, Copy, Debug)]
enum Mutant {
    /// The unit says 0.
    UnitLeftOut(usize, usize),
    /// The weight of this rank is negated.
    SignFlipped(usize, usize, usize),
    /// The weight of this rank is doubled.
    WeightDoubled(usize, usize, usize),
    /// The bias is one more.
    BiasRaised(usize, usize),
    /// The bias is negated.
    BiasFlipped(usize, usize),
}

/// Why a mutant cannot be told from the network on the sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Reason {
    /// It changes nothing: the number was 0.
    NoChange,
    /// Nothing reads the unit: its weights further on are 0.
    Unread,
    /// What the weight multiplies is 0 at every point.
    ReadsZero,
    /// The unit has the same values: its activation, or a product that cancels, hides the change.
    SameValues,
    /// The unit changes, and a later layer has the same values all the same.
    Absorbed,
}

fn layers(network: &mut Layered) -> Vec<&mut Vec<Unit>> {
    network.hidden.iter_mut().chain([&mut network.output]).collect()
}

fn all_mutants(network: &Layered) -> Vec<Mutant> {
    let mut mutants = Vec::new();
    for (l, layer) in network.layers().enumerate() {
        for (u, unit) in layer.iter().enumerate() {
            mutants.push(Mutant::UnitLeftOut(l, u));
            mutants.extend([Mutant::BiasRaised(l, u), Mutant::BiasFlipped(l, u)]);
            for w in 0..unit.weights.len() {
                mutants.extend([Mutant::SignFlipped(l, u, w), Mutant::WeightDoubled(l, u, w)]);
            }
        }
    }
    mutants
}

/// The mutant, and the layer in which it differs. A unit that is left out is one that nothing reads;
/// an output that is left out says 0.
fn mutate(network: &Layered, mutant: Mutant) -> (Layered, usize) {
    let mut changed = network.clone();
    let outputs = network.hidden.len();
    let mut layers = layers(&mut changed);
    let zero = || Rational::ZERO;
    let at = match mutant {
        Mutant::UnitLeftOut(l, u) if l == outputs => {
            layers[l][u] = Unit::affine([], zero());
            l
        }
        Mutant::UnitLeftOut(l, u) => {
            layers[l + 1].iter_mut().for_each(|unit| unit.weights.retain(|(from, _)| *from != u));
            l + 1
        }
        Mutant::SignFlipped(l, u, w) => {
            let weight = &mut layers[l][u].weights[w].1;
            *weight = -weight.clone();
            l
        }
        Mutant::WeightDoubled(l, u, w) => {
            let weight = &mut layers[l][u].weights[w].1;
            *weight = &*weight + &*weight;
            l
        }
        Mutant::BiasRaised(l, u) => {
            layers[l][u].bias += Rational::ONE;
            l
        }
        Mutant::BiasFlipped(l, u) => {
            layers[l][u].bias = -layers[l][u].bias.clone();
            l
        }
    };
    (changed, at)
}

/// The values of every layer at every point, by the definition.
fn values(network: &Layered, sample: &Sample) -> Vec<Vec<Vec<Rational>>> {
    let mut before: Vec<Vec<Rational>> =
        (0..sample.points.n()).map(|i| sample.points.exact_row(i)).collect();
    let mut all = Vec::new();
    for layer in network.layers() {
        let alone = |h: &Vec<Rational>| {
            Layered { inputs: h.len(), hidden: Vec::new(), output: layer.clone() }.evaluate(h)
        };
        before = before.iter().map(alone).collect();
        all.push(before.clone());
    }
    all
}

/// The reason for which a mutant with the same outputs has them.
fn reason(
    network: &Layered,
    changed: &Layered,
    at: usize,
    mutant: Mutant,
    sample: &Sample,
) -> Reason {
    if network == changed {
        return Reason::NoChange;
    }
    let (old, new) = (values(network, sample), values(changed, sample));
    let reads = |l: usize, from: usize| match l {
        0 => (0..sample.points.n()).all(|i| sample.points.exact_at(i, from).is_zero()),
        l => old[l - 1].iter().all(|values| values[from].is_zero()),
    };
    let from = |l: usize, u: usize, w: usize| {
        network.layers().nth(l).map(|layer| layer[u].weights[w].0).expect("a weight of the network")
    };
    let zero = match mutant {
        Mutant::SignFlipped(l, u, w) | Mutant::WeightDoubled(l, u, w) => reads(l, from(l, u, w)),
        Mutant::UnitLeftOut(l, u) if l < network.hidden.len() => reads(l + 1, u),
        _ => false,
    };
    if zero {
        assert_eq!(old[at], new[at], "a factor of 0 hides {mutant:?}");
        return Reason::ReadsZero;
    }
    if old[at] == new[at] {
        return Reason::SameValues;
    }
    let unread = |l: usize, u: usize| {
        let reader = network.layers().nth(l + 1);
        reader.is_some_and(|layer| {
            layer.iter().all(|unit| unit.weights.iter().all(|(from, _)| *from != u))
        })
    };
    match mutant {
        Mutant::SignFlipped(l, u, _)
        | Mutant::WeightDoubled(l, u, _)
        | Mutant::BiasRaised(l, u)
        | Mutant::BiasFlipped(l, u)
            if unread(l, u) =>
        {
            return Reason::Unread;
        }
        _ => {}
    }
    let later = (at + 1..old.len()).find(|&l| old[l] == new[l]);
    assert!(later.is_some(), "no layer absorbs {mutant:?}, and the outputs are the same");
    Reason::Absorbed
}

fn load(text: &str) -> (RawSample, Sample) {
    let raw = sample::load(text, 1).unwrap();
    let rule = if text.starts_with("csv") { LabelRule::True } else { LabelRule::Random };
    (raw.clone(), raw.distinct(rule, 1).unwrap())
}

fn layered(network: Network) -> Layered {
    match network {
        Network::TwoLayer(two) => two.to_layered(),
        Network::Layered(layered) => layered,
    }
}

/// Tries mutants of one construction; what became of them. `None` if no sample suits it.
fn hunt(construction: &dyn Construction) -> Option<(usize, BTreeMap<Reason, usize>)> {
    let name = construction.name();
    let found = SAMPLES.iter().find_map(|text| {
        let text = &text.replace("HERE", &crate::common::repository().to_string_lossy());
        let (raw, sample) = load(text);
        let network = construction.build(&Task::new(&sample.points, &sample.labels, 1)).ok()?;
        Some((raw, sample, layered(network)))
    });
    let Some((raw, sample, network)) = found else {
        println!("skipped: no sample here suits {name}, see `SAMPLES`");
        return None;
    };
    let before = values(&network, &sample).pop().unwrap();
    let tried = longer(TRIED) as usize;
    let all = all_mutants(&network);
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let (mut caught, mut equivalent) = (0, BTreeMap::new());
    for &mutant in all.sample(&mut rng, tried) {
        let (changed, at) = mutate(&network, mutant);
        let after = values(&changed, &sample).pop().unwrap();
        let target = construction.target();
        let emitted = Network::Layered(changed.clone());
        let misfit = first_misfit(&emitted, &sample.points, &sample.labels, target);
        let misfit = misfit.map(|misfit| misfit.index);
        let mut certificate = Vec::new();
        write_certificate(&mut certificate, &emitted, &name, &sample, target).unwrap();
        let verdict = check(&certificate[..], raw.clone());
        if before == after {
            assert_eq!(misfit, None, "{name}: {mutant:?} changes nothing");
            assert!(verdict.is_ok(), "{name}: {mutant:?}: {verdict:?}");
            let reason = reason(&network, &changed, at, mutant, &sample);
            println!("{name}: {mutant:?} is equivalent on {}: {reason:?}", sample.text);
            *equivalent.entry(reason).or_insert(0) += 1;
        } else {
            let first = (0..before.len()).find(|&i| before[i] != after[i]);
            assert_eq!(misfit, first, "{name}: {mutant:?} is not seen");
            let seen = matches!(verdict, Err(Rejection::Misfit { point }) if Some(point) == first);
            assert!(seen, "{name}: {mutant:?}: {verdict:?}");
            caught += 1;
        }
    }
    println!(
        "{name}: {caught} of {} mutants caught, equivalent: {equivalent:?}",
        all.len().min(tried)
    );
    Some((caught, equivalent))
}

#[test]
fn mutants_are_caught_or_equivalent() {
    let mut hunted = 0;
    for construction in catalogue::all() {
        let Some((caught, equivalent)) = hunt(&*construction) else { continue };
        hunted += 1;
        let missed: usize = equivalent.values().sum();
        assert!(caught > 0, "{}: nothing was caught", construction.name());
        // Most numbers of a construction matter on its sample.
        assert!(caught * 2 > missed, "{}: {caught} caught, {missed} not", construction.name());
    }
    assert!(hunted >= 22, "{hunted} constructions");
}
