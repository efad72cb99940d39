//! The emitter of network files and certificates. Streams: nothing is held but the numbers.

use std::io::{self, Write};

use sha2::{Digest, Sha256};

use crate::exact::{Dyadic, Rational};
use crate::network::{Counts, ExactNetwork};
use crate::sample::fingerprint::{fingerprint, header, hex};
use crate::sample::{Recipe, Sample};

/// Writes and hashes what it writes.
struct Hashed<W> {
    inner: W,
    hasher: Sha256,
}

impl<W: Write> Write for Hashed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        Ok(written)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl<W: Write> Hashed<W> {
    fn new(inner: W) -> Hashed<W> {
        Hashed { inner, hasher: Sha256::new() }
    }

    /// Writes the last line and returns the digest.
    fn finish(mut self) -> io::Result<String> {
        let digest = hex(&self.hasher.finalize());
        writeln!(self.inner, "digest {digest}")?;
        self.inner.flush()?;
        Ok(digest)
    }
}

/// Writes a certificate that `network` maps each point of `sample` to its label; returns its digest.
/// Whether it does is for the checker to say.
///
/// # Errors
/// Those of the writer.
pub fn write_certificate(
    out: impl Write,
    network: &ExactNetwork,
    construction: &str,
    sample: &Sample,
) -> io::Result<String> {
    let mut out = Hashed::new(out);
    writeln!(out, "shatter certificate 1")?;
    // Printable ASCII, whatever the names of files are.
    writeln!(out, "sample {}", sample.text.escape_default())?;
    writeln!(out, "points {}", header(&sample.points))?;
    writeln!(out, "points-sha256 {}", fingerprint(&sample.points))?;
    writeln!(out, "labels {}", recipe_text(&sample.recipe))?;
    write_numbers(&mut out, network, construction)?;
    writeln!(out, "targets {}", sample.labels.len())?;
    for i in 0..sample.labels.len() {
        writeln!(out, "{}", number(&sample.labels.exact_at(i)))?;
    }
    out.finish()
}

/// Writes a network file; returns its digest.
///
/// # Errors
/// Those of the writer.
pub fn write_network(
    out: impl Write,
    network: &ExactNetwork,
    construction: &str,
) -> io::Result<String> {
    let mut out = Hashed::new(out);
    writeln!(out, "shatter network 1")?;
    write_numbers(&mut out, network, construction)?;
    out.finish()
}

fn write_numbers(
    out: &mut impl Write,
    network: &ExactNetwork,
    construction: &str,
) -> io::Result<()> {
    writeln!(out, "construction {construction}")?;
    writeln!(out, "counts {}", counts_text(&network.counts()))?;
    writeln!(out, "direction {}", network.d())?;
    for a in &network.a {
        writeln!(out, "{}", number(a))?;
    }
    writeln!(out, "units {}", network.units())?;
    for (b, w) in network.b.iter().zip(&network.w) {
        writeln!(out, "{} {}", number(b), weight(w))?;
    }
    writeln!(out, "bias {}", number(&network.c))
}

/// `RULE seed=S classes=C`.
pub fn recipe_text(recipe: &Recipe) -> String {
    format!("{} seed={} classes={}", recipe.rule, recipe.seed, recipe.classes)
}

fn counts_text(counts: &Counts) -> String {
    let Counts { depth, units, free, signs, nonzero, slots, dense, bits, max_bits } = counts;
    format!(
        "depth={depth} units={units} free={free} signs={signs} nonzero={nonzero} slots={slots} \
         dense={dense} bits={bits} max-bits={max_bits}"
    )
}

/// The one spelling of a dyadic number.
pub fn number(x: &Dyadic) -> String {
    match x.grain() {
        None => "0".to_owned(),
        Some(0) => format!("{:x}", x.mantissa()),
        Some(exponent) => format!("{:x}p{exponent}", x.mantissa()),
    }
}

/// The one spelling of a fraction.
pub fn weight(x: &Rational) -> String {
    match Dyadic::from_rational(x) {
        Some(dyadic) => number(&dyadic),
        None => format!("{:x}/{:x}", x.numerator(), x.denominator()),
    }
}
