//! The order in which nodes are computed.

use std::collections::HashMap;

use super::wire::{self, Node, malformed};
use crate::InterchangeError;

type Result<T> = std::result::Result<T, InterchangeError>;

/// How far a node is.
#[derive(Clone, Copy, PartialEq)]
enum State {
    Unseen,
    /// What it reads is being ordered.
    Open,
    Done,
}

/// The nodes that `output` needs, each after those whose outputs it reads; by their place in the file. Their order
/// in the file does not matter, and what the output does not need is left out.
pub fn order(nodes: &[&[u8]], is_given: impl Fn(&str) -> bool, output: &str) -> Result<Vec<usize>> {
    let mut makers: HashMap<&str, usize> = HashMap::new();
    for (index, bytes) in nodes.iter().enumerate() {
        for made in wire::node(bytes)?.outputs.into_iter().filter(|name| !name.is_empty()) {
            if makers.insert(made, index).is_some() || is_given(made) {
                return malformed(format!("'{made}' is defined twice"));
            }
        }
    }
    let mut order = Vec::new();
    let mut state = vec![State::Unseen; nodes.len()];
    // Nodes with the inputs that are still to be ordered.
    let mut open: Vec<(usize, Vec<&str>)> = Vec::new();
    let mut wanted = Some(output);
    loop {
        if let Some(name) = wanted.filter(|name| !name.is_empty() && !is_given(name)) {
            let Some(&index) = makers.get(name) else {
                return malformed(match open.last() {
                    Some(_) => format!("'{name}' is read, but no node makes it"),
                    None => format!("no node makes its output '{name}'"),
                });
            };
            match state[index] {
                State::Done => {}
                State::Open => {
                    return malformed(format!(
                        "'{name}' depends on itself: its nodes form a cycle"
                    ));
                }
                State::Unseen => {
                    state[index] = State::Open;
                    let Node { mut inputs, .. } = wire::node(nodes[index])?;
                    inputs.reverse();
                    open.push((index, inputs));
                }
            }
        }
        let Some((index, inputs)) = open.last_mut() else { return Ok(order) };
        wanted = inputs.pop();
        if wanted.is_none() {
            state[*index] = State::Done;
            order.push(*index);
            open.pop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
        [&[number << 3 | 2, bytes.len() as u8], bytes].concat()
    }

    /// Nodes 1 to n, each of which makes "k" from some of "0" to "k − 1", stand in any order.
    fn nodes() -> impl Strategy<Value = Vec<(usize, Vec<usize>)>> {
        let node = |k: usize| prop::collection::vec(0..k, 1..4).prop_map(move |reads| (k, reads));
        (2usize..12).prop_flat_map(move |n| (1..n).map(node).collect::<Vec<_>>()).prop_shuffle()
    }

    proptest! {
        #[test]
        fn what_a_node_reads_comes_before_it(nodes in nodes(), output in 1usize..12) {
            let output = output.min(nodes.len());
            let bytes: Vec<Vec<u8>> = nodes
                .iter()
                .map(|(makes, reads)| {
                    let name = |k: &usize| k.to_string();
                    let mut node: Vec<u8> =
                        reads.iter().flat_map(|k| field(1, name(k).as_bytes())).collect();
                    node.extend(field(2, name(makes).as_bytes()));
                    node
                })
                .collect();
            let slices: Vec<&[u8]> = bytes.iter().map(Vec::as_slice).collect();
            let found = order(&slices, |name| name == "0", &output.to_string()).unwrap();
            // Naively: what is needed, and nothing twice.
            let mut needed = vec![false; nodes.len() + 1];
            needed[output] = true;
            for k in (1..=nodes.len()).rev().filter(|&k| k <= output) {
                if needed[k] {
                    let (_, reads) = nodes.iter().find(|(makes, _)| *makes == k).unwrap();
                    reads.iter().for_each(|&read| needed[read] = true);
                }
            }
            let mut known = vec![false; nodes.len() + 1];
            known[0] = true;
            for index in found {
                let (makes, reads) = &nodes[index];
                prop_assert!(reads.iter().all(|&read| known[read]) && !known[*makes]);
                known[*makes] = true;
            }
            prop_assert_eq!(&known[1..], &needed[1..]);
        }
    }
}
