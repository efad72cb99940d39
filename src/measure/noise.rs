//! What is measured of one network by adding noise to its parameters: the PAC-Bayes bound.
//!
//! As [`survey()`](crate::survey()), with random numbers of a seed: a network that a theory does not speak of becomes a
//! finding that says which assumption fails.

use shatter_sample::Labels;

use crate::layers::{Outputs, Perceptron};
use crate::pac_bayes::{self, Draws, PacBayes, Posterior};
use crate::posterior::{self, Search};
use crate::ramp::refused;
use crate::survey::without_softmax;
use crate::{Assumption, Finding, MeasureError, Subject};

/// The posterior and its bound; the outer error is that of arguments that do not fit, the inner finding says which
/// assumption fails.
///
/// # Errors
/// [`MeasureError`] for points, labels, δ and start that do not fit.
pub fn pac_bayes(
    subject: &Subject,
    search: &Search,
    rounds: u32,
) -> Result<Result<(Posterior, PacBayes), Finding>, MeasureError> {
    let fails = |what: &str, reason: String| {
        Ok(Err(Finding::refused(pac_bayes::NAME, vec![Assumption::fails(what, reason)])))
    };
    if matches!(subject.labels.labels(), Labels::Real { .. }) {
        return fails("labels are classes", MeasureError::NoMargins.to_string());
    }
    let of = |graph| Perceptron::of(&without_softmax(graph), Outputs::All);
    let perceptron = match of(subject.graph) {
        Ok(perceptron) => perceptron,
        Err(error) => return Ok(Err(refused(pac_bayes::NAME, &error))),
    };
    let start = subject.start.map(of).transpose()?;
    let sample = (subject.points, subject.labels);
    let search = Search { delta: subject.delta, ..*search };
    let posterior = match posterior::search(&perceptron, start.as_ref(), sample, &search) {
        Ok(posterior) => posterior,
        Err(error @ MeasureError::Surrogate { .. }) => {
            return fails("a loss bounds the error", error.to_string());
        }
        Err(error) => return Err(error),
    };
    let draws = Draws { rounds, seed: search.seed, delta: subject.delta };
    let bound = pac_bayes::bound(&posterior, start.as_ref(), sample, draws)?;
    Ok(Ok((posterior, bound)))
}
