//! Networks read back from network files and certificates.

use std::io::BufRead;

use crate::exact::{Dyadic, Rational};
use crate::network::{Activation, ExactNetwork, Layered, Network, Unit};

use super::check::activation::Activation as Read;
use super::check::layered::Layer;
use super::check::number::{Binary, Number};
use super::check::parse::either;
use super::check::{Body, Claim, Rejection};

/// What a network file or a certificate holds.
#[derive(Clone, Debug)]
pub struct File {
    /// What a certificate says beside its network; `None` for a network file.
    pub claim: Option<Claim>,
    /// How the network was built.
    pub construction: String,
    /// The network.
    pub network: Network,
    /// SHA-256 of the file.
    pub digest: String,
}

/// Reads a network file or a certificate.
///
/// # Errors
/// The first [`Rejection`] met; the digest, the wiring and the counts have been compared.
pub fn read(reader: impl BufRead) -> Result<File, Rejection> {
    let (claim, contents) = either(reader)?;
    let network = match &contents.body {
        Body::TwoLayer(two) => Network::TwoLayer(ExactNetwork {
            a: two.direction.iter().map(dyadic).collect(),
            b: two.units.iter().map(|unit| dyadic(&unit.0)).collect(),
            w: two.units.iter().map(|unit| rational(&unit.1)).collect(),
            c: dyadic(&two.bias),
        }),
        Body::Layered(layered) => {
            let mut hidden: Vec<Vec<Unit>> = layered.layers.iter().map(units).collect();
            let output = hidden.pop().unwrap_or_default(); // there is at least one layer
            Network::Layered(Layered { inputs: layered.inputs, hidden, output })
        }
    };
    Ok(File { claim, construction: contents.construction, network, digest: contents.digest })
}

fn dyadic(x: &Binary) -> Dyadic {
    Dyadic::new(x.mantissa.clone(), x.exponent)
}

fn rational(x: &Number) -> Rational {
    match x {
        Number::Binary(binary) => dyadic(binary).to_rational(),
        Number::Fraction(fraction) => fraction.clone(),
    }
}

fn units(layer: &Layer) -> Vec<Unit> {
    let unit = |j: usize| Unit {
        weights: layer
            .row(j)
            .map(|k| (layer.from[k] as usize, rational(&layer.weights[k])))
            .collect(),
        bias: rational(&layer.biases[j]),
        activation: activation(layer.activations[j]),
    };
    (0..layer.units()).map(unit).collect()
}

fn activation(read: Read) -> Activation {
    match read {
        Read::Identity => Activation::Identity,
        Read::Relu => Activation::Relu,
        Read::Threshold => Activation::Threshold,
        Read::Softsign => Activation::Softsign,
        Read::Sine => Activation::Sine,
        Read::Square => Activation::Square,
        Read::Reciprocal => Activation::Reciprocal,
    }
}
