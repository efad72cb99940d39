//! Networks read back from network files and certificates.

use std::io::BufRead;

use shatter_exact::{Dyadic, Rational};
use shatter_network::reading::ReadingError;
use shatter_network::{Activation, ExactNetwork, Layered, Network, Reading, Unit};
use shatter_sample::{LabelRule, Target};

use shatter_check::activation::Activation as Read;
use shatter_check::layered::Layer;
use shatter_check::number::{Binary, Number};
use shatter_check::parse::either;
use shatter_check::{Body, Claim, Rejection};

/// What a network file or a certificate holds.
#[derive(Clone, Debug)]
pub struct File {
    /// What a certificate says beside its network; `None` for a network file.
    pub claim: Option<Claim>,
    /// How the network was built.
    pub construction: String,
    /// How its outputs say labels, with the names of classes; `None` for a layered network file that does not say
    /// it, as none did once.
    pub reading: Option<Reading>,
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
    let said = contents.said;
    let target = match (&claim, &network) {
        (Some(claim), _) => Some(claim.target),
        (None, Network::TwoLayer(_)) => Some(Target::Value),
        (None, Network::Layered(_)) => said.target,
    };
    let classes = said.classes.unwrap_or_default();
    let reading = target.map(|target| Reading { how: target.into(), classes });
    let construction = contents.construction;
    Ok(File { claim, construction, reading, network, digest: contents.digest })
}

impl File {
    /// How its outputs say labels, if it says so and is to be believed.
    ///
    /// # Errors
    /// [`ReadingError::Lost`] of a certificate for classes of a table that does not name them: its numbers are ranks
    /// of names that it does not have.
    pub fn reading(&self) -> Result<Option<Reading>, ReadingError> {
        let of_table = |claim: &Claim| {
            let drawn = claim.rule == LabelRule::Alternating || claim.classes == 0;
            !drawn && claim.sample.starts_with("csv:")
        };
        let unnamed = self.reading.as_ref().is_some_and(|reading| reading.classes.is_empty());
        match &self.claim {
            Some(claim) if unnamed && of_table(claim) => Err(ReadingError::Lost),
            _ => Ok(self.reading.clone()),
        }
    }
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
