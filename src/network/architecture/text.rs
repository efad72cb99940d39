//! The text of an architecture: layers separated by spaces, the last dense one left out.
//!
//! ```text
//! flatten   relu   globalmeanpool   batchnorm(eps=1e-5)
//! dense(UNITS)                      conv(CHANNELS,SIZE,stride=1,pad=0)
//! maxpool(SIZE,stride=SIZE,pad=0)   meanpool(SIZE,stride=SIZE,pad=0)
//! lrn(SIZE,alpha=0.001,beta=0.75,k=1)                dropout(RATE)
//! [ LAYERS | LAYERS ]               branches side by side, joined along the channels
//! ```
//!
//! A dense layer with as many units as there are classes is added at the end, after a `flatten`
//! if the text has none since the last image. A decimal number stands for the binary64 number nearest to
//! it (ties to even), as in Python. `batchnorm` without `eps` is written where it is 1e-5.

use std::fmt;

use super::{Architecture, ArchitectureError, EPSILON, Layer, Pool, Window, named};

/// How deep branches may nest, so that no text exhausts the stack.
const DEEPEST: usize = 16;

/// The longest text that is read, in bytes.
const LONGEST: usize = 1 << 16;

/// Characters of a text that an error quotes.
const QUOTED: usize = 200;

/// The beginning of a text, fit for a line on a terminal.
fn shortened(text: &str) -> String {
    let mut characters = text.chars();
    let mut beginning = String::new();
    for character in characters.by_ref().take(QUOTED) {
        match character.is_control() {
            true => beginning.extend(character.escape_default()),
            false => beginning.push(character),
        }
    }
    let rest = if characters.next().is_some() { "…" } else { "" };
    beginning + rest
}

/// That `text` is no network.
pub fn refused(text: &str, reason: String) -> ArchitectureError {
    ArchitectureError::Network { text: shortened(text), reason }
}

/// The layers of `text`, and the dense layer to `outputs` numbers.
pub(super) fn parse(text: &str, outputs: usize) -> Result<Vec<Layer>, ArchitectureError> {
    let refuse = |reason: String| refused(text, shortened(&reason));
    if text.len() > LONGEST {
        return Err(refuse(format!("it has {} bytes; at most {LONGEST} are read", text.len())));
    }
    let spaced = text.replace('[', " [ ").replace(']', " ] ").replace('|', " | ");
    let mut words = spaced.split_whitespace();
    let (mut layers, end) = sequence(&mut words, 0).map_err(refuse)?;
    if end != End::Text {
        return Err(refuse("a ']' or '|' closes no branch".into()));
    }
    if layers.is_empty() {
        return Err(refuse("it has no layers".into()));
    }
    let vector = layers.iter().rev().find_map(|layer| match layer {
        Layer::Flatten | Layer::Dense { .. } => Some(true),
        Layer::Convolution { .. } | Layer::Pool { .. } | Layer::Concatenate(_) => Some(false),
        Layer::GlobalMeanPool => Some(false),
        _ => None,
    });
    if vector != Some(true) {
        layers.push(Layer::Flatten);
    }
    layers.push(Layer::Dense { units: outputs });
    Ok(layers)
}

/// Units of the last dense layer of a network whose text has all of its layers, as [`Architecture`] displays it.
///
/// ```
/// use shatter_network::architecture::text::outputs;
/// assert_eq!(outputs("flatten dense(8) relu dense(3)"), Some(3));
/// assert_eq!(outputs("flatten dense(8) relu"), None);
/// ```
pub fn outputs(text: &str) -> Option<usize> {
    match parse(text, 0).ok()?[..] {
        [.., Layer::Dense { units }, Layer::Dense { .. }] => Some(units),
        _ => None,
    }
}

/// What ended a sequence of layers.
#[derive(PartialEq)]
enum End {
    Text,
    Branch,
    Branches,
}

fn sequence<'a>(
    words: &mut impl Iterator<Item = &'a str>,
    depth: usize,
) -> Result<(Vec<Layer>, End), String> {
    let mut layers = Vec::new();
    loop {
        match words.next() {
            None => return Ok((layers, End::Text)),
            Some("|") => return Ok((layers, End::Branch)),
            Some("]") => return Ok((layers, End::Branches)),
            Some("[") if depth == DEEPEST => {
                return Err(format!("branches nest more than {DEEPEST} deep"));
            }
            Some("[") => layers.push(branches(words, depth + 1)?),
            Some(word) => layers.push(layer(word)?),
        }
    }
}

fn branches<'a>(words: &mut impl Iterator<Item = &'a str>, depth: usize) -> Result<Layer, String> {
    let mut found = Vec::new();
    loop {
        // A trait object, so that the depth of the text is not the depth of a type.
        let words: &mut dyn Iterator<Item = &'a str> = words;
        let (branch, end) = sequence(&mut { words }, depth)?;
        found.push(branch);
        match end {
            End::Branch => {}
            End::Branches => return Ok(Layer::Concatenate(found)),
            End::Text => return Err("a '[' is never closed".into()),
        }
    }
}

/// The arguments of one layer: first those without names, then `name=value`.
struct Arguments<'a> {
    word: &'a str,
    plain: Vec<&'a str>,
    named: Vec<(&'a str, &'a str)>,
}

impl<'a> Arguments<'a> {
    fn number<T: std::str::FromStr>(&self, value: &str) -> Result<T, String> {
        value.parse().map_err(|_| format!("'{}': '{value}' is not a number in range", self.word))
    }

    fn first<T: std::str::FromStr>(&mut self, what: &str) -> Result<T, String> {
        if self.plain.is_empty() {
            return Err(format!("'{}': {what} is missing", self.word));
        }
        let value = self.plain.remove(0);
        self.number(value)
    }

    fn named<T: std::str::FromStr>(&mut self, name: &str, otherwise: T) -> Result<T, String> {
        match self.named.iter().position(|(key, _)| *key == name) {
            None => Ok(otherwise),
            Some(index) => {
                let value = self.named.remove(index).1;
                self.number(value)
            }
        }
    }

    /// Refuses what nobody asked for.
    fn end(self) -> Result<(), String> {
        let left = self.plain.first().map(|value| (*value).to_owned());
        let left = left.or(self.named.first().map(|(key, value)| format!("{key}={value}")));
        left.map_or(Ok(()), |left| Err(format!("'{}': '{left}' is not understood", self.word)))
    }
}

fn layer(word: &str) -> Result<Layer, String> {
    let (name, inner) = match word.split_once('(') {
        None => (word, ""),
        Some((name, rest)) => {
            let inner = rest.strip_suffix(')');
            (
                name,
                inner.ok_or_else(|| {
                    format!("'{word}': a ')' is missing, or there is a space too many")
                })?,
            )
        }
    };
    let parts = || inner.split(',').filter(|part| !part.is_empty());
    let mut arguments = Arguments {
        word,
        plain: parts().filter(|part| !part.contains('=')).collect(),
        named: parts().filter_map(|part| part.split_once('=')).collect(),
    };
    let a = &mut arguments;
    let layer = match name {
        "flatten" => Layer::Flatten,
        "relu" => Layer::Relu,
        "globalmeanpool" => Layer::GlobalMeanPool,
        "batchnorm" => Layer::BatchNormalization { epsilon: a.named("eps", EPSILON)? },
        "dense" => Layer::Dense { units: a.first("the number of units")? },
        "conv" => {
            let channels = a.first("the number of channels")?;
            Layer::Convolution { channels, window: window(a, Some(1))? }
        }
        "maxpool" => Layer::Pool { pool: Pool::Max, window: window(a, None)? },
        "meanpool" => Layer::Pool { pool: Pool::Mean, window: window(a, None)? },
        "lrn" => Layer::LocalResponseNormalization {
            size: a.first("the number of channels in its sum")?,
            alpha: a.named("alpha", 1e-3)?,
            beta: a.named("beta", 0.75)?,
            k: a.named("k", 1.0)?,
        },
        "dropout" => Layer::Dropout { rate: a.first("the rate")? },
        _ => {
            return Err(format!(
                "'{word}' is neither a layer (flatten, relu, globalmeanpool, batchnorm, dense, conv, \
                 maxpool, meanpool, lrn, dropout, [ … | … ]) nor a name ({}, mlp:W1,W2,...)",
                named::NAMES.join(", ")
            ));
        }
    };
    arguments.end()?;
    Ok(layer)
}

fn window(arguments: &mut Arguments, stride: Option<usize>) -> Result<Window, String> {
    let size = arguments.first("the size")?;
    let stride = arguments.named("stride", stride.unwrap_or(size))?;
    Ok(Window { size, stride, padding: arguments.named("pad", 0)? })
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Layer::Dense { units } => write!(f, "dense({units})"),
            Layer::Convolution { channels, window: Window { size, stride, padding } } => {
                write!(f, "conv({channels},{size},stride={stride},pad={padding})")
            }
            Layer::Relu => f.write_str("relu"),
            Layer::Pool { pool, window: Window { size, stride, padding } } => {
                let name = if *pool == Pool::Max { "maxpool" } else { "meanpool" };
                write!(f, "{name}({size},stride={stride},pad={padding})")
            }
            Layer::GlobalMeanPool => f.write_str("globalmeanpool"),
            Layer::Flatten => f.write_str("flatten"),
            Layer::BatchNormalization { epsilon } if *epsilon == EPSILON => {
                f.write_str("batchnorm")
            }
            Layer::BatchNormalization { epsilon } => write!(f, "batchnorm(eps={epsilon:e})"),
            Layer::LocalResponseNormalization { size, alpha, beta, k } => {
                write!(f, "lrn({size},alpha={alpha},beta={beta},k={k})")
            }
            Layer::Dropout { rate } => write!(f, "dropout({rate})"),
            Layer::Concatenate(branches) => {
                let texts: Vec<String> = branches.iter().map(|branch| join(branch)).collect();
                write!(f, "[ {} ]", texts.join(" | "))
            }
        }
    }
}

fn join(layers: &[Layer]) -> String {
    layers.iter().map(Layer::to_string).collect::<Vec<_>>().join(" ")
}

/// All layers, the last dense one included, as text.
///
/// ```
/// use shatter_network::architecture::{Architecture, Shape};
/// let image = Shape { channels: 3, height: 28, width: 28 };
/// let text = "conv(8,3,pad=1) relu [ conv(4,1) | maxpool(3,stride=1,pad=1) ] globalmeanpool";
/// let network = Architecture::named(text, image, 10)?;
/// assert_eq!(
///     network.to_string(),
///     "conv(8,3,stride=1,pad=1) relu [ conv(4,1,stride=1,pad=0) | maxpool(3,stride=1,pad=1) ] \
///      globalmeanpool flatten dense(10)"
/// );
/// # Ok::<(), shatter_network::architecture::ArchitectureError>(())
/// ```
impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&join(&self.layers))
    }
}
