//! Classes as bits: one threshold network for each bit of the label, side by side in one layer.

use shatter_exact::Rational;
use shatter_network::{Layered, Network, Unit};
use shatter_sample::target::class_bits;

use super::{ConstructError, Task};

/// A threshold network of one hidden layer that says 1 where base + Σ ±unit is 1, and 0 where it is 0.
#[derive(Debug, Default)]
pub(super) struct Copy {
    /// The hidden units, and whether each counts +1 (else −1).
    pub units: Vec<(Unit, bool)>,
    /// What it says where all units are 0.
    pub base: bool,
}

/// For each bit of the label, lowest first, what it is at the points.
///
/// # Errors
/// [`ConstructError::NeedsClasses`].
pub(super) fn of(task: &Task) -> Result<Vec<Vec<bool>>, ConstructError> {
    let (of, count) = task.classes()?;
    let bit = |place: u32| of.iter().map(|class| class >> place & 1 == 1).collect();
    Ok((0..class_bits(count)).map(bit).collect())
}

/// The network whose outputs are H(base + Σ ±unit − 1/2), a copy each. Without any unit there is no
/// hidden layer.
pub(super) fn side_by_side(inputs: usize, copies: Vec<Copy>) -> Network {
    let half = Rational::from_parts_signed(1.into(), 2.into());
    let signed = |plus: bool| if plus { Rational::ONE } else { -Rational::ONE };
    let (mut layer, mut output) = (Vec::new(), Vec::new());
    for Copy { units, base } in copies {
        let bias = if base { half.clone() } else { -half.clone() };
        let weights = units.iter().enumerate();
        let weights = weights.map(|(j, (_, plus))| (layer.len() + j, signed(*plus)));
        output.push(Unit::threshold(weights, bias));
        layer.extend(units.into_iter().map(|(unit, _)| unit));
    }
    let hidden = if layer.is_empty() { Vec::new() } else { vec![layer] };
    Network::Layered(Layered { inputs, hidden, output })
}
