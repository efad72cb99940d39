//! The findings of one network.

use clap::Args;
use serde::Serialize;

use shatter_measure::posterior::Search;
use shatter_measure::sharpness::{self, Noise};
use shatter_measure::stability::{self, Descent, Steps};
use shatter_measure::survey::rounded;
use shatter_measure::{Finding, PointSizes, noise, survey};
use shatter_network::graph::count;
use shatter_network::reading::{BoundLabels, How, Reading};
use shatter_sample::Labels;
use shatter_train::Loss;

use crate::CliError;

use super::Owned;

/// Most points on which sharpness is measured.
const SHARPNESS_POINTS: usize = 2000;

/// Options of what is measured.
#[derive(Args, Debug, Clone, Serialize)]
pub struct Theories {
    /// Each bound holds with probability at least 1 - DELTA
    #[arg(long, default_value_t = 0.05, value_name = "DELTA")]
    pub delta: f64,
    /// Epochs of the search for a PAC-Bayes posterior; 0 leaves the bound out [default: 0, of rethink 20]
    #[arg(long, value_name = "EPOCHS")]
    pub pac_bayes: Option<u32>,
    /// Draws of its noise at each training point
    #[arg(long, default_value_t = 10, value_name = "N")]
    pub rounds: u32,
    /// Draws of noise for sharpness, on the first 2,000 points; 0 leaves it out [default: 0, of rethink 5]
    #[arg(long, value_name = "N")]
    pub sharpness: Option<u32>,
}

impl Theories {
    /// With other defaults.
    pub fn or(&self, pac_bayes: u32, sharpness: u32) -> Theories {
        Theories {
            pac_bayes: self.pac_bayes.or(Some(pac_bayes)),
            sharpness: self.sharpness.or(Some(sharpness)),
            ..self.clone()
        }
    }

    /// Checks what would be refused after the network is read.
    pub fn check(&self) -> Result<(), CliError> {
        let refused = |what: &str| Err(CliError::Usage(what.to_owned()));
        if !(self.delta > 0.0 && self.delta < 1.0) {
            return refused(&format!("--delta {}: expected a number between 0 and 1", self.delta));
        }
        if self.rounds == 0 {
            return refused("--rounds 0: expected at least 1");
        }
        Ok(())
    }
}

/// Everything that is measured.
pub fn findings(owned: &Owned, theories: &Theories, seed: u64) -> Result<Vec<Finding>, CliError> {
    let subject = owned.subject(theories.delta);
    let mut found = survey(&subject)?;
    found.push(rounded(&subject)?);
    if let Some(epochs) = theories.pac_bayes.filter(|epochs| *epochs > 0) {
        let search = Search { epochs, seed, ..Search::default() };
        match noise::pac_bayes(&subject, &search, theories.rounds)? {
            Ok((_, bound)) => found.extend(bound.findings()),
            Err(refused) => found.push(refused),
        }
    }
    if let Some((steps, settings)) = &owned.stages {
        let loss = match settings.loss {
            Loss::CrossEntropy => stability::Loss::CrossEntropy,
            Loss::Squared => stability::Loss::Squared,
        };
        let descent = Descent {
            loss,
            steps: Steps::of(steps)?,
            momentum: settings.momentum,
            weight_decay: settings.weight_decay,
        };
        let sizes = PointSizes::of(&owned.points, count(&owned.graph.input))?;
        let radius = stability::radius(&sizes);
        found.push(stability::of(&owned.graph, sizes.n as u64, radius, &descent)?);
    }
    let classes = matches!(owned.labels.labels(), Labels::Classes { .. });
    if let Some(draws) = theories.sharpness.filter(|draws| *draws > 0 && classes) {
        let (points, labels) = first(owned)?;
        for noise in [Noise::Magnitude, Noise::Isotropic] {
            let search = sharpness::Search { draws, seed, ..sharpness::Search::new(noise) };
            found.extend(sharpness::of(&owned.graph, points, &labels, &search)?.findings());
        }
    }
    Ok(found)
}

/// The points on which sharpness is measured: the first, as each of its trials evaluates all of them.
fn first(owned: &Owned) -> Result<(&[f64], BoundLabels), CliError> {
    let n = owned.labels.labels().len().min(SHARPNESS_POINTS);
    let rows: Vec<u32> = (0..n as u32).collect();
    // Bound labels are in the numbers of the outputs already.
    let labels = owned.labels.labels().select(&rows);
    let bound = match owned.labels.how() {
        // With the names that the file gives them, where targets depend on them.
        How::Value | How::OneHot | How::Bits => {
            owned.reading.reading.bind(&owned.own.select(&rows), owned.graph.outputs())
        }
        how => Reading::new(how).bind(&labels, owned.graph.outputs()),
    };
    let labels = bound.map_err(|error| CliError::Usage(error.to_string()))?;
    Ok((&owned.points[..n * count(&owned.graph.input)], labels))
}
