//! How many units and weights are needed: claims 17, 23 and 30.

use proptest::prelude::*;

use shatter_exact::{Rational, matrix};
use shatter_network::Layered;

use super::super::claim::{Claim, Evidence, Stated, Trial};
use super::super::harness::Failure;
use super::super::strategy::{architecture, network};

pub(super) const CLAIMS: [Claim; 3] = [
    Claim {
        number: 17,
        name: "sandwich-meets-baum",
        statement: "A sandwich of two planes around each d of the m points of the rarer class, \
                    2 ceil(m/d) units in all, never takes more than ceil(n/d) units.",
        verdict: Stated::False,
        source: "after Baum 1988",
        test: sandwich,
    },
    Claim {
        number: 23,
        name: "every-depth-with-few-weights",
        statement: "There is a C such that for every k >= 2 a network of depth k with at most \
                    C (n + d) weights fits any labels on n distinct points of R^d.",
        verdict: Stated::False,
        source: "Zhang et al. 2017, Corollary 1, read literally",
        test: every_depth,
    },
    Claim {
        number: 30,
        name: "narrow-last-layer-fits-vectors",
        statement: "A network whose last hidden layer has h < min(C, n - 1) units can fit any labels \
                    in R^C of n points.",
        verdict: Stated::False,
        source: "outputs lie in an affine plane of dimension h",
        test: narrow_last_layer,
    },
];

/// The smallest witness, and one that is not about rounding up a single point.
fn sandwich(_: &Trial) -> Evidence {
    let all = (1..=12).flat_map(|n| (1..=n).flat_map(move |d| (0..=n / 2).map(move |m| (n, d, m))));
    let smallest = all.into_iter().find(|&(n, d, m)| exceeds(n, d, m).is_ok());
    smallest.map_or_else(
        || Evidence::Failed { reason: "no witness with n <= 12".to_owned() },
        |smallest| too_many_planes(&[smallest, (6, 2, 3)]),
    )
}

/// The evidence of some (n, d, m).
fn too_many_planes(witnesses: &[(u64, u64, u64)]) -> Evidence {
    let words = |(n, d, m): &(u64, u64, u64)| format!("n = {n}, d = {d}, m = {m}");
    let words: Vec<String> = witnesses.iter().map(words).collect();
    let found: Result<Vec<String>, String> =
        witnesses.iter().map(|&(n, d, m)| exceeds(n, d, m)).collect();
    let checked = found.as_ref().map(|found| found.join(", and ")).unwrap_or_default();
    Evidence::witness(words.join("; also "), checked, found.map(|found| found.len() as u64))
}

fn exceeds(n: u64, d: u64, m: u64) -> Result<String, String> {
    let (sandwich, bound) = (2 * m.div_ceil(d), n.div_ceil(d));
    match 2 * m <= n && sandwich > bound {
        true => Ok(format!("{sandwich} > {bound} units")),
        false => Err(format!("{sandwich} units, bound {bound}")),
    }
}

/// A layer without weights gives every point the same numbers, and so does all that follows it.
fn every_depth(trial: &Trial) -> Evidence {
    let networks = network(architecture(1..=2, 0..=6, 1..=3, 1..=1));
    let values = (networks, any::<prop::sample::Index>());
    let words = |(network, at): &(Layered, prop::sample::Index)| {
        format!("layer {} without weights, {network:?}", at.index(network.hidden.len() + 1))
    };
    let constant = trial.every(values, words, |(network, at)| {
        let mut network = network.clone();
        let at = at.index(network.hidden.len() + 1);
        remove_weights(&mut network, at);
        is_constant(&network).map_err(Failure::Other)
    });
    match constant {
        Evidence::Held { cases } => Evidence::witness(
            "n = 2, d = 1, x = 0, 1, y = 0, 1, and for any C the depth k = 3C + 1",
            "a network with a layer without weights is constant (checked on generated networks), and a \
             constant does not fit: every one of the k layers has a weight, and k = 3C + 1 > C (n + d) \
             = 3C (the chain of k units with one weight each fits: k is enough)",
            (1..=64).try_for_each(chain_needs_all).map(|()| cases),
        ),
        other => other,
    }
}

fn remove_weights(network: &mut Layered, layer: usize) {
    let units = network.hidden.get_mut(layer).unwrap_or(&mut network.output);
    units.iter_mut().for_each(|unit| unit.weights.clear());
}

fn is_constant(network: &Layered) -> Result<(), String> {
    let at = |x: i64| network.evaluate(&vec![Rational::from(x); network.inputs]);
    match [1, -1, 7, -100].into_iter().all(|x| at(x) == at(0)) {
        true => Ok(()),
        false => Err("not constant".to_owned()),
    }
}

/// x through k − 1 ReLU units: fits 0 ↦ 0, 1 ↦ 1 with k weights, and no more without any one of them.
fn chain_needs_all(c: usize) -> Result<(), String> {
    use shatter_network::Unit;
    let k = 3 * c + 1;
    let one = || [(0, Rational::ONE)];
    let hidden = vec![vec![Unit::relu(one(), Rational::ZERO)]; k - 1];
    let chain = Layered { inputs: 1, hidden, output: vec![Unit::affine(one(), Rational::ZERO)] };
    let fits = |network: &Layered| (0..2i64).all(|x| network.evaluate(&[x.into()]) == [x.into()]);
    let sizes = chain.sizes();
    if !fits(&chain) || (sizes.depth, sizes.nonzero) != (k as u64, k as u64) {
        return Err(format!("the chain of depth {k} does not fit with {k} weights"));
    }
    for layer in [0, k / 2, k - 1] {
        let mut shorter = chain.clone();
        remove_weights(&mut shorter, layer);
        is_constant(&shorter)?;
        if fits(&shorter) {
            return Err(format!("fits without the weight of layer {layer}"));
        }
    }
    Ok(())
}

fn narrow_last_layer(trial: &Trial) -> Evidence {
    const H: usize = 1;
    // Whatever the network, its outputs span at most h dimensions.
    let networks =
        network((1..=2usize, 1..=4usize).prop_map(|(inputs, w)| (inputs, vec![w, H], 2)));
    let words = |network: &Layered| format!("{network:?}");
    let flat = trial.every(networks, words, |network| {
        let points = (-3i64..=3).map(|x| vec![Rational::from(x); network.inputs]);
        let outputs: Vec<Vec<Rational>> = points.map(|x| network.evaluate(&x)).collect();
        match affine_rank(&outputs) {
            rank if rank <= H => Ok(()),
            rank => Err(Failure::Other(format!("outputs span {rank} dimensions"))),
        }
    });
    let number = Rational::from;
    let labels = [[0, 0], [1, 0], [0, 1]].map(|row| row.map(number).to_vec());
    match flat {
        Evidence::Held { cases } => beyond_plane(&labels, H, cases),
        other => other,
    }
}

/// The evidence that labels do not lie in an affine plane of dimension h.
fn beyond_plane(labels: &[Vec<Rational>], h: usize, cases: u64) -> Evidence {
    let c = labels.first().map_or(0, Vec::len);
    let check = match affine_rank(labels) {
        rank if rank > h && h < c.min(labels.len() - 1) => Ok(cases),
        rank => Err(format!("rank {rank}, h = {h}")),
    };
    let rows: Vec<String> = labels
        .iter()
        .map(|row| {
            format!("({})", row.iter().map(Rational::to_string).collect::<Vec<_>>().join(", "))
        })
        .collect();
    Evidence::witness(
        format!("h = {h}, C = {c}, n = {}, labels {}", labels.len(), rows.join(", ")),
        format!(
            "the outputs W h(x_i) + b lie in an affine plane of dimension h = {h} (checked on \
             generated networks); the labels do not: their differences have a larger rank"
        ),
        check,
    )
}

/// The dimension of the affine plane through the rows.
fn affine_rank(rows: &[Vec<Rational>]) -> usize {
    let Some((first, others)) = rows.split_first() else { return 0 };
    let minus = |row: &Vec<Rational>| row.iter().zip(first).map(|(x, y)| x - y).collect();
    matrix::rank(&others.iter().map(minus).collect::<Vec<Vec<Rational>>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn altered_witnesses_do_not_stand() {
        assert!(exceeds(6, 2, 3).is_ok() && exceeds(2, 2, 1).is_ok());
        assert!(exceeds(6, 2, 2).is_err() && exceeds(4, 1, 2).is_err());
        assert!(exceeds(4, 2, 3).is_err()); // m is not the rarer class
        assert!(matches!(too_many_planes(&[(2, 2, 1), (6, 2, 2)]), Evidence::Failed { .. }));
        let rows = |rows: [[i32; 2]; 3]| rows.map(|row| row.map(Rational::from).to_vec());
        let stands =
            |labels: [_; 3]| matches!(beyond_plane(&labels, 1, 1), Evidence::Refuted { .. });
        assert!(stands(rows([[0, 0], [1, 0], [0, 1]])));
        assert!(!stands(rows([[0, 0], [1, 1], [2, 2]])));
    }

    #[test]
    fn a_chain_with_all_its_weights_is_not_constant() {
        let one = [(0, Rational::ONE)];
        let output = vec![shatter_network::Unit::affine(one, Rational::ZERO)];
        let mut network = Layered { inputs: 1, hidden: Vec::new(), output };
        assert!(is_constant(&network).is_err());
        remove_weights(&mut network, 0);
        assert!(is_constant(&network).is_ok());
    }
}
