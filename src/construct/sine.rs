//! One parameter shatters a set of any size: the sine.
//!
//! **Statement.** For distinct whole numbers k_1, …, k_n >= 1, points x_i = 2^{−k_i} and labels
//! y_i ∈ {0, 1} there is ω with sin(ωx_i) > 0 if y_i = 1 and sin(ωx_i) < 0 if y_i = 0.
//!
//! **Source.** Vapnik, The Nature of Statistical Learning Theory (1995), with powers of 1/10.
//!
//! **Construction.** ω/π = 1 + Σ_i (1 − y_i) 2^{k_i}.
//!
//! **Proof.** (ω/π) 2^{−k} for k = k_j is 2^{−k} + Σ_i (1 − y_i) 2^{k_i − k}. Terms with k_i > k are even
//! whole numbers; that of j is 1 − y_j; those with 1 <= k_i < k add to at most 1 − 2^{1−k}. So modulo 2
//! the number is 1 − y_j plus something from 2^{−k} to 1 − 2^{−k}: in (0, 1) if y_j = 1, in (1, 2) if
//! y_j = 0. ∎
//!
//! **Counts.** Depth 1: one output unit, no hidden units, one number. **Bits.** max k_i + 1 in all: with that
//! many points as many bits as labels. The network's unit takes sin(πt), see
//! [`Activation::Sine`]. **Cost.** O(n).

use shatter_exact::{Dyadic, Rational};
use shatter_network::ExactPoints;
use shatter_network::{Activation, Layered, Network, Unit};

use super::ConstructError;
use super::construction::{Assumption, Bound, Construction, Promise, Task};

/// The construction; it has no parameters.
///
/// ```
/// use shatter_construct::{Construction, Task, sine::Sine};
/// use shatter_sample::{Labels, Points, Values};
/// let points = Points::new(Values::F64(vec![0.5, 0.125, 0.25]), vec![1])?;
/// let labels = Labels::classes(vec![0, 1, 0], 2)?;
/// let network = Sine.build(&Task::new(&points, &labels, 1))?; // ω/π = 1 + 2 + 4
/// assert_eq!((network.sizes().nonzero, network.sizes().units), (1, 0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Sine;

impl Construction for Sine {
    fn name(&self) -> String {
        "sine".to_owned()
    }

    fn source(&self) -> &'static str {
        "Vapnik 1995"
    }

    fn statement(&self) -> &'static str {
        "sin(ωx) with one parameter ω fits any two classes on points 2^-k"
    }

    fn assumptions(&self) -> &'static [Assumption] {
        &[Assumption::PowersOfHalf, Assumption::Classes]
    }

    fn promise(&self, task: &Task) -> Result<Promise, ConstructError> {
        let (_, count) = task.classes()?;
        if count > 2 {
            return Err(ConstructError::TooManyClasses { classes: count, most: 2 });
        }
        exponents(task)?;
        Ok(Promise {
            depth: Bound::Exactly(1),
            units: Bound::Exactly(0),
            width: Bound::Exactly(0),
            nonzero: Bound::Exactly(1),
            free: 1,
        })
    }

    fn build(&self, task: &Task) -> Result<Network, ConstructError> {
        self.promise(task)?;
        let (classes, _) = task.classes()?;
        let negative = exponents(task)?.into_iter().zip(classes).filter(|(_, class)| **class == 0);
        let terms = negative.map(|(k, _)| Dyadic::power_of_two(k));
        let omega = terms.fold(Dyadic::ONE, |sum, term| &sum + &term);
        let unit = Unit::new(Activation::Sine, [(0, omega.to_rational())], Rational::ZERO);
        Ok(Network::Layered(Layered { inputs: 1, hidden: Vec::new(), output: vec![unit] }))
    }
}

/// k_i with x_i = 2^{−k_i}.
fn exponents(task: &Task) -> Result<Vec<i64>, ConstructError> {
    let d = task.points.d();
    if d != 1 {
        return Err(ConstructError::NotOnALine { d });
    }
    let exponent = |index: usize| {
        let x = task.points.exact_at(index, 0);
        let k = x.log2_floor().map(|top| -top).filter(|&k| k >= 1);
        k.filter(|&k| x == Dyadic::power_of_two(-k)).ok_or(ConstructError::NotPowerOfHalf { index })
    };
    (0..task.points.n()).map(exponent).collect()
}
