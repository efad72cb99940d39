//! More trainings of the same network: on samples that differ in one example, and on random signs.

use shatter_device::Device;
use shatter_exact::Element;
use shatter_measure::stability::Swap;
use shatter_measure::{Finding, rademacher};
use shatter_network::Graph;
use shatter_network::graph::trained::graph;
use shatter_network::reading::How;
use shatter_prepare::Condition;
use shatter_sample::{LabelRule, Labels, RawSample};
use shatter_train::Trainer;
use shatter_train::capacity::fits;
use shatter_train::randomize::{Case, Common, PreparedPair};

use crate::{CliError, training};

/// Most points at which outputs are compared.
const POINTS: usize = 2000;

/// What all trainings share.
pub struct Again<'a, E: Element> {
    pub common: &'a Common<'a>,
    pub device: &'a dyn Device<E>,
}

impl<E: Element> Again<'_, E> {
    /// Trains on a sample until it is fitted or the epochs are over.
    fn trained(
        &self,
        train: &RawSample,
        case: Case,
    ) -> Result<(Trainer<E>, PreparedPair<E>), CliError> {
        let common = Common {
            train,
            test: None,
            digests: (String::new(), None), // nothing is written that could be resumed
            settings: self.common.settings.clone(),
            ..*self.common
        };
        let prepared = common.prepare::<E>(case)?;
        let mut trainer = common.trainer(self.device, &[(case, &prepared)])?;
        training::begin();
        let fitted = fits(&mut trainer, &training::stopped);
        training::end();
        match fitted? {
            Some(_) => Ok((trainer, prepared)),
            None => Err(CliError::Interrupted("stopped; runs that have ended are kept".into())),
        }
    }

    /// Two trainings on n − 1 points that differ in the first: it is the last of the sample in the second.
    pub fn swapped(&self, case: Case) -> Result<Vec<Finding>, CliError> {
        let sample = self.common.train;
        let n = sample.points.n() as u32;
        if n < 2 {
            return Err(CliError::Usage("--swap: expected at least 2 points".into()));
        }
        let rows: Vec<u32> = (0..n - 1).collect();
        let mut others = rows.clone();
        others[0] = n - 1;
        let of = |rows: &[u32]| -> Result<(Graph, PreparedPair<E>), CliError> {
            let points = sample.points.select(rows);
            let points = points.map_err(|error| CliError::sample(&sample.text, error))?;
            let labels = sample.labels.select(rows);
            let train = RawSample { text: sample.text.clone(), points, labels };
            let (mut trainer, prepared) = self.trained(&train, case)?;
            let weights = trainer.weights(0)?;
            let network = graph(trainer.architecture(), &weights, E::FORMAT);
            let network = network.map_err(|error| CliError::Usage(error.to_string()))?;
            Ok((network, prepared))
        };
        let (network, (train, _)) = of(&rows)?;
        let (other, _) = of(&others)?;
        let compared = train.shape.len() * train.labels.len().min(POINTS);
        let values = train.values[..compared].iter();
        let points: Vec<f64> = values.map(|&x| Element::to_f64(x)).collect();
        Ok(Swap::of(&network, &other, &points, How::Largest)?.findings().into())
    }

    /// The same network on random signs in place of labels.
    pub fn signs(&self, draws: u32, seed: u64, delta: f64) -> Result<Finding, CliError> {
        let sample = self.common.train;
        let own = Condition::Labels(LabelRule::True);
        let mut draw = 0;
        let best = |signs: &[i8]| -> Result<f64, CliError> {
            let of = signs.iter().map(|&sign| u32::from(sign > 0)).collect();
            let labels = Labels::classes(of, 2);
            let labels = labels.map_err(|error| CliError::sample(&sample.text, error))?;
            let train =
                RawSample { text: sample.text.clone(), points: sample.points.clone(), labels };
            let case = Case { condition: own, seed: seed.wrapping_add(draw) };
            draw += 1;
            let (mut trainer, _) = self.trained(&train, case)?;
            let measured = trainer.evaluate_training()?;
            let accuracy = measured.first().and_then(|found| found.accuracy).unwrap_or(0.0);
            Ok(2.0 * accuracy - 1.0)
        };
        let n = sample.points.n();
        Ok(rademacher::lower_estimate(n, draws, seed, delta, best)?.finding())
    }
}
