//! Networks read back from network files and certificates.

use std::io::BufRead;

use crate::exact::{Dyadic, Rational};
use crate::network::ExactNetwork;

use super::check::Rejection;
use super::check::number::{Binary, Weight};
use super::check::parse::{Contents, either};

/// Reads a network file or a certificate: what it holds, and its network.
///
/// # Errors
/// The first [`Rejection`] met; the digest and the counts have been compared.
pub fn read(reader: impl BufRead) -> Result<(Contents, ExactNetwork), Rejection> {
    let contents = either(reader)?;
    let dyadic = |x: &Binary| Dyadic::new(x.mantissa.clone(), x.exponent);
    let weight = |w: &Weight| match w {
        Weight::Binary(binary) => dyadic(binary).to_rational(),
        Weight::Fraction(fraction) => fraction.clone() as Rational,
    };
    let network = ExactNetwork {
        a: contents.direction.iter().map(dyadic).collect(),
        b: contents.units.iter().map(|unit| dyadic(&unit.0)).collect(),
        w: contents.units.iter().map(|unit| weight(&unit.1)).collect(),
        c: dyadic(&contents.bias),
    };
    Ok((contents, network))
}
