//! The emitter of network files and certificates. Streams: nothing is held but the numbers.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, Write};

use sha2::{Digest, Sha256};

use shatter_exact::{Dyadic, Rational};
use shatter_network::reading::How;
use shatter_network::{Counts, ExactLabels, ExactNetwork, Layered, Network, Reading, Sizes, Unit};
use shatter_sample::fingerprint::{fingerprint, header, hex};
use shatter_sample::{Labels, Recipe, Sample, Target, class_name};

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

/// Writes a certificate that `network` maps each point of `sample` to the outputs that say its
/// label; returns its digest. The checker decides whether it does. A two-layer network whose
/// output is the label is written in the two-layer form, every other one layer by layer.
///
/// ```
/// use shatter_certify::write_certificate;
/// use shatter_check::check;
/// use shatter_construct::{Construction, Task, width_two::WidthTwo};
/// use shatter_sample::LabelRule;
///
/// let raw = shatter_sample::load("lattice:n=20,d=3", 1)?;
/// let sample = raw.clone().distinct(LabelRule::Random, 1)?;
/// let network = WidthTwo.build(&Task::new(&sample.points, &sample.labels, 1))?;
/// let mut certificate = Vec::new();
/// write_certificate(&mut certificate, &network, "width-two", &sample, WidthTwo.target())?;
/// assert_eq!(check(&certificate[..], raw.clone())?.points, sample.points.n());
///
/// let last = certificate.len() - 80;
/// certificate[last] ^= 1;
/// assert!(check(&certificate[..], raw).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// Errors of the writer.
pub fn write_certificate(
    out: impl Write,
    network: &Network,
    construction: &str,
    sample: &Sample,
    target: Target,
) -> io::Result<String> {
    let mut out = Hashed::new(out);
    // Real numbers have no encoding but their values.
    let target = match sample.labels {
        Labels::Classes { .. } => target,
        Labels::Real { .. } => Target::Value,
    };
    let form = match network {
        Network::TwoLayer(two) if target == Target::Value => Form::TwoLayer(two),
        Network::TwoLayer(two) => Form::Layered(Cow::Owned(two.to_layered())),
        Network::Layered(layered) => Form::Layered(canonical(layered)),
    };
    writeln!(out, "shatter {}certificate 1", form.prefix())?;
    // Printable ASCII, whatever the names of files are.
    writeln!(out, "sample {}", sample.text.escape_default())?;
    writeln!(out, "points {}", header(&sample.points))?;
    writeln!(out, "points-sha256 {}", fingerprint(&sample.points))?;
    writeln!(out, "labels {}", recipe_text(&sample.recipe))?;
    writeln!(out, "construction {construction}")?;
    write_classes(&mut out, sample.labels.class_names())?;
    form.write_numbers(&mut out)?;
    match form {
        Form::TwoLayer(_) => {
            writeln!(out, "targets {}", sample.labels.len())?;
            for i in 0..sample.labels.len() {
                writeln!(out, "{}", number(&sample.labels.exact_at(i)))?;
            }
        }
        Form::Layered(_) => {
            writeln!(out, "targets {} {target}", sample.labels.len())?;
            for i in 0..sample.labels.len() {
                let row: Vec<String> =
                    sample.labels.exact_target(target, i).iter().map(weight).collect();
                writeln!(out, "{}", row.join(" "))?;
            }
        }
    }
    out.finish()
}

/// Writes a network file, with how its outputs say labels and the names of the classes; returns its digest. Readings
/// that are not those of constructions (`value`, `one-hot`, `bits`) are left out, and of a network in the two-layer
/// form every one but `value`.
///
/// # Errors
/// Errors of the writer.
pub fn write_network(
    out: impl Write,
    network: &Network,
    construction: &str,
    reading: Option<&Reading>,
) -> io::Result<String> {
    let mut out = Hashed::new(out);
    let form = match network {
        Network::TwoLayer(two) => Form::TwoLayer(two),
        Network::Layered(layered) => Form::Layered(canonical(layered)),
    };
    writeln!(out, "shatter {}network 1", form.prefix())?;
    writeln!(out, "construction {construction}")?;
    let said = |reading: &&Reading| match form {
        Form::TwoLayer(_) => reading.how == How::Value,
        Form::Layered(_) => reading.how.target().is_some(),
    };
    if let Some(reading) = reading.filter(said) {
        writeln!(out, "reading {}", reading.how)?;
        write_classes(&mut out, &reading.classes)?;
    }
    form.write_numbers(&mut out)?;
    out.finish()
}

/// The form in which a network is written.
enum Form<'a> {
    TwoLayer(&'a ExactNetwork),
    Layered(Cow<'a, Layered>),
}

impl Form<'_> {
    fn prefix(&self) -> &'static str {
        match self {
            Form::TwoLayer(_) => "",
            Form::Layered(_) => "layered ",
        }
    }

    fn write_numbers(&self, out: &mut impl Write) -> io::Result<()> {
        match self {
            Form::TwoLayer(network) => write_two_layer(out, network),
            Form::Layered(network) => write_layers(out, network),
        }
    }
}

/// The names of the classes in the order of their numbers, if they have any.
fn write_classes(out: &mut impl Write, names: &[String]) -> io::Result<()> {
    if !names.is_empty() {
        writeln!(out, "classes {}", names.len())?;
    }
    names.iter().try_for_each(|name| writeln!(out, "{}", class_name::escaped(name)))
}

fn write_two_layer(out: &mut impl Write, network: &ExactNetwork) -> io::Result<()> {
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

fn write_layers(out: &mut impl Write, network: &Layered) -> io::Result<()> {
    let Sizes { depth, units, width, nonzero, bits, max_bits } = network.sizes();
    writeln!(
        out,
        "counts depth={depth} units={units} width={width} nonzero={nonzero} bits={bits} \
         max-bits={max_bits}"
    )?;
    writeln!(out, "inputs {}", network.inputs)?;
    writeln!(out, "layers {depth}")?;
    for layer in network.layers() {
        writeln!(out, "layer {}", layer.len())?;
        for unit in layer {
            write!(out, "{} {}", unit.activation, weight(&unit.bias))?;
            for (from, number) in &unit.weights {
                write!(out, " {from}:{}", weight(number))?;
            }
            writeln!(out)?;
        }
    }
    Ok(())
}

/// Returns the same network with the weights of each unit in the order of their indices, equal indices
/// summed up, zeros left out.
fn canonical(network: &Layered) -> Cow<'_, Layered> {
    let is_canonical = |unit: &Unit| {
        unit.weights.is_sorted_by(|one, two| one.0 < two.0)
            && unit.weights.iter().all(|(_, weight)| !weight.is_zero())
    };
    if network.layers().flatten().all(is_canonical) {
        return Cow::Borrowed(network);
    }
    let unit = |unit: &Unit| {
        let mut sums: BTreeMap<usize, Rational> = BTreeMap::new();
        for (from, weight) in &unit.weights {
            *sums.entry(*from).or_insert(Rational::ZERO) += weight;
        }
        Unit::new(unit.activation, sums, unit.bias.clone())
    };
    let layer = |layer: &Vec<Unit>| layer.iter().map(unit).collect();
    Cow::Owned(Layered {
        inputs: network.inputs,
        hidden: network.hidden.iter().map(layer).collect(),
        output: layer(&network.output),
    })
}

/// `RULE seed=S classes=C`.
#[must_use]
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
#[must_use]
pub fn number(x: &Dyadic) -> String {
    match x.grain() {
        None => "0".to_owned(),
        Some(0) => format!("{:x}", x.mantissa()),
        Some(exponent) => format!("{:x}p{exponent}", x.mantissa()),
    }
}

/// The one spelling of a fraction.
#[must_use]
pub fn weight(x: &Rational) -> String {
    match Dyadic::from_rational(x) {
        Some(dyadic) => number(&dyadic),
        None => format!("{:x}/{:x}", x.numerator(), x.denominator()),
    }
}
