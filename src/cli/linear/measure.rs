//! Everything that `linear` measures.

use shatter_regression::curvature::{self, Loss as CurvatureLoss};
use shatter_regression::descent::{self, largest_step};
use shatter_regression::exact::{self, minimum_norm};
use shatter_regression::{
    Descent, Epoch, Factor, MinimumNorm, Order, RegressionError, Settings, Step, interpolant, norm,
    ridge,
};
use shatter_train::{Loss, Measured, measured};

use super::super::CliError;
use super::data::{Data, Set};
use super::record::{
    DecayRecord, DescentRecord, DuplicatesRecord, ExactRecord, InterpolantRecord, LinearRecord,
};
use super::{Arguments, refused};

/// Products of fractions that the exact solution may take: some seconds.
const EXACT: usize = 300_000;

/// Misfits that are listed.
const LISTED: usize = 10;

/// Norms of the parts in the null space, in relation to the minimum norm.
const SCALES: [f64; 3] = [1.0, 3.0, 10.0];

/// What was found, with what goes into files of its own.
pub struct Found {
    pub record: LinearRecord,
    pub minimum: MinimumNorm,
    pub descents: Vec<(f64, Descent)>,
}

/// Loss and accuracies of a set under these weights.
fn measure(set: &Set, weights: &[f64]) -> Measured {
    let outputs = set.design.outputs(weights, set.targets.outputs());
    measured(&outputs, &set.prepared, Loss::Squared)
}

fn largest(values: impl IntoIterator<Item = f64>) -> f64 {
    values.into_iter().fold(0.0, |most, x| x.abs().max(most))
}

pub fn all(
    arguments: &Arguments,
    data: &Data,
    factor: &Factor,
    say: &dyn Fn(String),
) -> Result<Found, CliError> {
    let refused = || refused(arguments);
    let Set { prepared, design, targets } = &data.train;
    let outputs = targets.outputs();
    let on_test = |weights: &[f64]| data.test.as_ref().map(|test| measure(test, weights));
    let minimum = factor.minimum_norm(targets).map_err(refused())?;
    let weights = &minimum.weights;
    let duplicates = design.duplicates(targets).map_err(refused())?;

    let mut descents = Vec::new();
    for momentum in momenta(arguments) {
        let rate = arguments.learning_rate.unwrap_or_else(|| largest_step(design, momentum));
        let settings = Settings {
            step: Step::Constant(rate),
            momentum,
            order: Order::Shuffled,
            epochs: arguments.epochs,
            seed: arguments.common.seed(),
        };
        let watch = |epoch: &Epoch| {
            say(format!("descending, momentum {momentum}: epoch {}", epoch.epoch));
            true
        };
        let found = descent::descend(design, targets, None, &settings, weights, watch);
        descents.push((rate, momentum, found.map_err(refused())?));
    }

    say("following weight decay".into());
    let decays = match &arguments.decay {
        Some(decays) => decays.0.clone(),
        None => ridge::decades(factor).into_iter().rev().collect(),
    };
    let path = ridge::path(factor, targets, weights, &decays).map_err(refused())?;
    let decay = path.iter().map(|point| DecayRecord {
        decay: point.decay,
        norm: point.norm,
        distance: point.distance,
        train: measure(&data.train, &point.weights),
        test: on_test(&point.weights),
    });

    let mut others = Vec::new();
    if minimum.fits {
        say("comparing interpolants".into());
        others.push((0.0, weights.clone()));
        for scale in SCALES {
            let seed = arguments.common.seed();
            let other = interpolant::at_random(factor, weights, outputs, scale, seed);
            others.extend(other.map_err(refused())?.map(|other| (scale, other)));
        }
    }
    let factors = |weights: &[f64]| {
        curvature::factors(design, targets, weights, CurvatureLoss::Quartic).map_err(refused())
    };
    let mut interpolants = Vec::new();
    // By itself, the minimum-norm solution has nothing to be compared with.
    for (null_share, other) in others.iter().filter(|_| others.len() > 1) {
        let parts = factor.split(other, outputs).map_err(refused())?;
        let square = |w: &[f64]| norm(w).powi(2);
        let gap = square(other) - square(&parts.span) - square(&parts.null);
        let fitted = design.outputs(other, outputs);
        let residuals = fitted.iter().zip(targets.values()).map(|(z, y)| z - y);
        let factors_here = factors(other)?;
        let bounds = curvature::bounds(factor, &factors_here);
        interpolants.push(InterpolantRecord {
            null_share: *null_share,
            norm: norm(other),
            pythagoras: gap.abs() / square(other).max(f64::MIN_POSITIVE),
            largest_residual: largest(residuals),
            curvature: bounds.largest,
            curvature_difference: curvature::difference(&factors(weights)?, &factors_here),
            flat_directions: bounds.singular,
            train: measure(&data.train, other),
            test: on_test(other),
        });
    }

    let small = design.rows().saturating_mul(design.rows()).saturating_mul(design.columns());
    let exact = if small.saturating_mul(outputs) <= EXACT {
        say("solving exactly".into());
        let compared: Vec<&[f64]> = descents.iter().map(|(_, _, d)| d.weights.as_slice()).collect();
        Some(exactly(data, weights, &compared).map_err(refused())?)
    } else {
        None
    };

    let singular = factor.singular_values();
    let record = LinearRecord {
        sample: data.raw.text.clone(),
        test_sample: data.raw_test.as_ref().map(|test| test.text.clone()),
        condition: arguments.labels.to_string(),
        seed: arguments.common.seed(),
        changed_labels: prepared.changed.iter().filter(|changed| **changed).count(),
        points: design.rows(),
        coordinates: design.inputs(),
        outputs,
        bias: design.has_bias(),
        duplicates: DuplicatesRecord {
            equal_labels: duplicates.equal,
            different_labels: duplicates.different,
            first: duplicates.first,
        },
        constant_coordinates: design.constant().len(),
        rank: factor.rank(),
        resolution: factor.resolution(),
        largest_singular_value: singular.first().copied(),
        smallest_singular_value: singular.last().copied(),
        condition_number: factor.condition(),
        fits: minimum.fits,
        misfits: minimum.misfits.len(),
        first_misfits: minimum.misfits.iter().take(LISTED).copied().collect(),
        largest_residual: largest(minimum.residuals.iter().copied()),
        norm: norm(weights),
        train: measure(&data.train, weights),
        test: on_test(weights),
        descents: descents
            .iter()
            .filter_map(|(learning_rate, momentum, descent)| {
                Some(DescentRecord {
                    momentum: *momentum,
                    learning_rate: *learning_rate,
                    last: *descent.epochs.last()?,
                    train: measure(&data.train, &descent.weights),
                    test: on_test(&descent.weights),
                })
            })
            .collect(),
        decay: decay.collect(),
        interpolants,
        exact,
        network: super::files::network(arguments).into(),
    };
    let descents = descents.into_iter().map(|(_, momentum, descent)| (momentum, descent));
    Ok(Found { record, descents: descents.collect(), minimum })
}

/// The descents that were asked for.
fn momenta(arguments: &Arguments) -> Vec<f64> {
    match (arguments.epochs, arguments.momentum) {
        (0, _) => Vec::new(),
        (_, 0.0) => vec![0.0],
        (_, momentum) => vec![0.0, momentum],
    }
}

/// Errors against the exact solution.
fn exactly(
    data: &Data,
    closed: &[f64],
    descents: &[&[f64]],
) -> Result<ExactRecord, RegressionError> {
    let Set { design, targets, .. } = &data.train;
    let (x, outputs) = (exact::points(design), targets.outputs());
    let mut squares = vec![0.0; 1 + descents.len()];
    let (mut size, mut rank, mut fits) = (0.0, 0, true);
    for o in 0..outputs {
        let found = minimum_norm(&x, &exact::targets(targets, o))?;
        rank = found.rank;
        fits &= found.misfits.is_empty();
        size += exact::norm(&found.weights).powi(2);
        for (square, weights) in squares.iter_mut().zip([&[closed], descents].concat()) {
            let column: Vec<f64> = weights.iter().skip(o).step_by(outputs).copied().collect();
            *square += exact::distance(&column, &found.weights).powi(2);
        }
    }
    let size: f64 = if size == 0.0 { 1.0 } else { size };
    let errors: Vec<f64> = squares.iter().map(|square| (square / size).sqrt()).collect();
    Ok(ExactRecord {
        rank,
        fits,
        closed_form_error: errors[0],
        descent_errors: errors[1..].to_vec(),
    })
}
