//! ONNX: graphs of what is built and trained here, and of what others bring.

mod call;
mod construction;
mod external;
mod graph;
mod message;
mod named;
mod operator;
mod order;
mod pattern;
mod read;
mod tensor;
mod trained;
mod whole;
mod wire;

pub use external::External;
pub use read::{network, network_at, network_with};
pub use trained::Raw;
pub use wire::metadata;

use super::number::{Floats, Rounded};
use super::{Converter, InterchangeError};
use shatter_exact::Format;
use shatter_network::Network;
use shatter_network::architecture::{Architecture, Parameter};

/// Whether ONNX Runtime leaves out an Add or Sub of this constant where it has no other number, whatever its
/// type: it is not 0, and binary32 may take it for 0 (NoopElimination).
fn left_out(x: f64) -> bool {
    x != 0.0 && x.abs() < f64::from(f32::MIN_POSITIVE)
}

const LIMIT: InterchangeError = InterchangeError::FileTooLarge("the 2 GiB of protobuf");

/// An explicit network as an ONNX file from `x` (batch × inputs) to `y` (batch × outputs), and what was
/// rounded; the metadata are pairs of key and text.
///
/// ```
/// use shatter_construct::{DepthTwo, Task};
/// use shatter_exact::Format;
/// use shatter_interchange::onnx;
/// use shatter_judge::{Effort, Runtime, verdict as judge};
/// use shatter_network::Network;
/// use shatter_sample::{self as sample, LabelRule};
/// let sample = sample::load("lattice:n=50,d=3", 1)?.distinct(LabelRule::Random, 1)?;
/// let fit = DepthTwo::default().fit_exact(&Task::new(&sample.points, &sample.labels, 1))?;
/// let network = Network::TwoLayer(fit.network);
/// let (file, rounded) = onnx::construction(&network, Format::F64, false, "zigzag", &[])?;
/// assert_eq!(rounded.rounded, 0);
/// // Read back, every point is found to equal its label, whatever the order of a runtime's sums.
/// let read = onnx::network(&file)?;
/// let (_, judged) = judge::judge(&read, &sample.points, &sample.labels, Runtime::Ieee, Effort::default())?;
/// assert!(judged.iter().all(|one| one.verdict == judge::Verdict::Exact && one.rounding == 0.0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`InterchangeError::Rounds`] where numbers are rounded and `round` does not allow it; what does
/// not fit.
pub fn construction(
    network: &Network,
    precision: Format,
    round: bool,
    description: &str,
    metadata: &[(String, String)],
) -> Result<(Vec<u8>, Rounded), InterchangeError> {
    let mut numbers = Converter::new(precision, round);
    let graph = construction::build(network, precision, &mut numbers)?;
    let rounded = numbers.finish()?;
    Ok((graph.finish(description, metadata).ok_or(LIMIT)?, rounded))
}

/// A trained network, with its arrays in the order of [`Architecture::arrays`], as an ONNX file from
/// `x` (batch × channels × height × width) to `logits` (batch × outputs).
///
/// `numbers`, which made the arrays, counts what is rounded besides: the epsilon of batch normalization
/// in binary64.
///
/// # Errors
/// [`InterchangeError::Architecture`] where the layers do not fit; a file that would be too large.
pub fn trained(
    architecture: &Architecture,
    arrays: &[(Parameter, Floats)],
    numbers: &mut Converter,
    raw: Option<Raw>,
    description: &str,
    metadata: &[(String, String)],
) -> Result<Vec<u8>, InterchangeError> {
    let precision = numbers.precision();
    let graph = trained::build(architecture, arrays, precision, raw, numbers)?;
    graph.finish(description, metadata).ok_or(LIMIT)
}
