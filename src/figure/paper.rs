//! Values of Zhang et al. (ICLR 2017) on CIFAR-10, to stand beside ours. Table 1 is printed in the
//! paper; the values of the figures were measured on the vector curves of arXiv 1611.03530v2
//! (to 0.003 on the axis). Models are named as in `network::architecture`.

/// The label corruptions of figures 1b and 1c.
pub(super) const CORRUPTION: [f64; 11] = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0];

/// Figure 1b: time to overfit at each [`CORRUPTION`], relative to true labels. The values are
/// ratios of whole epochs over 10 (`inception`), 31 (`alexnet`), 28 (`mlp1x512`), to 0.005.
pub(super) fn relative_time(model: &str) -> Option<&'static [f64; 11]> {
    match model {
        "inception" => Some(&[1.0, 1.6, 1.9, 2.2, 2.4, 2.5, 2.7, 2.9, 3.1, 3.6, 3.6]),
        "alexnet" => Some(&[1.0, 1.06, 1.10, 1.16, 1.23, 1.26, 1.32, 1.35, 1.42, 1.52, 1.55]),
        "mlp1x512" => Some(&[1.0, 1.29, 1.43, 1.57, 1.68, 1.79, 1.93, 1.93, 1.96, 2.00, 1.96]),
        _ => None,
    }
}

/// Figure 1c: test error at convergence (a share) at each [`CORRUPTION`].
pub(super) fn test_error(model: &str) -> Option<&'static [f64; 11]> {
    match model {
        "inception" => {
            Some(&[0.128, 0.278, 0.406, 0.524, 0.629, 0.710, 0.785, 0.841, 0.879, 0.902, 0.902])
        }
        "alexnet" => {
            Some(&[0.301, 0.412, 0.522, 0.619, 0.692, 0.763, 0.820, 0.858, 0.881, 0.890, 0.901])
        }
        "mlp1x512" => {
            Some(&[0.495, 0.585, 0.657, 0.719, 0.757, 0.796, 0.865, 0.865, 0.883, 0.894, 0.898])
        }
        _ => None,
    }
}

/// Figure 1a, `inception`: (thousand steps, average training loss) at the first plotted step, and
/// the first step with a loss of at most 0.1. Conditions are named as in `sample`; the figure has
/// no partial corruption.
pub(super) fn loss_points(condition: &str) -> Option<[(f64, f64); 2]> {
    let (first, fitted) = match condition {
        "true" => (0.84, 3.1),
        "shuffled-pixels" => (1.47, 5.1),
        "gaussian" => (2.31, 7.8),
        "random-pixels" => (2.31, 8.2),
        "random" => (2.30, 13.7),
        _ => return None,
    };
    Some([(0.391, first), (fitted, 0.1)])
}

/// Where the curves of a network end in figure 2b.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct End {
    /// `inception` or `inception-nobn`.
    pub model: &'static str,
    /// Epochs at the last point.
    pub epochs: f64,
    /// Training accuracy there, a share.
    pub train: f64,
    /// Test accuracy there, a share.
    pub test: f64,
}

/// Figure 2b: with and without batch normalization, no regularizers.
pub(super) fn batch_normalization_ends() -> [End; 2] {
    let end = |model, test| End { model, epochs: 51.0, train: 1.0, test };
    [end("inception", 0.865), end("inception-nobn", 0.849)]
}

/// A row of Table 1, accuracies in per cent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Table1Row {
    /// The network.
    pub model: &'static str,
    /// Whether training images were cropped at random.
    pub crop: bool,
    /// Whether weights decayed.
    pub weight_decay: bool,
    /// Whether all training labels were random.
    pub random_labels: bool,
    /// Training accuracy.
    pub train: f64,
    /// Test accuracy.
    pub test: f64,
}

/// Table 1, in the paper's order.
pub const TABLE_1: [Table1Row; 19] = [
    row("inception", "cw", 100.0, 89.05),
    row("inception", "c", 100.0, 89.31),
    row("inception", "w", 100.0, 86.03),
    row("inception", "", 100.0, 85.75),
    row("inception", "r", 100.0, 9.78),
    row("inception-nobn", "w", 100.0, 83.00),
    row("inception-nobn", "", 100.0, 82.00),
    row("inception-nobn", "r", 100.0, 10.12),
    row("alexnet", "cw", 99.90, 81.22),
    row("alexnet", "c", 99.82, 79.66),
    row("alexnet", "w", 100.0, 77.36),
    row("alexnet", "", 100.0, 76.07),
    row("alexnet", "r", 99.82, 9.86),
    row("mlp3x512", "w", 100.0, 53.35),
    row("mlp3x512", "", 100.0, 52.39),
    row("mlp3x512", "r", 100.0, 10.48),
    row("mlp1x512", "w", 99.80, 50.39),
    row("mlp1x512", "", 100.0, 50.51),
    row("mlp1x512", "r", 99.34, 10.61),
];

/// `set`: c for random crops, w for weight decay, r for random labels.
const fn row(model: &'static str, set: &str, train: f64, test: f64) -> Table1Row {
    let (mut crop, mut weight_decay, mut random_labels, mut i) = (false, false, false, 0);
    while i < set.len() {
        match set.as_bytes()[i] {
            b'c' => crop = true,
            b'w' => weight_decay = true,
            _ => random_labels = true,
        }
        i += 1;
    }
    Table1Row { model, crop, weight_decay, random_labels, train, test }
}

/// The row of Table 1 for a setting, if the paper has one.
///
/// ```
/// use shatter_figure::paper;
/// let row = paper::table_1("mlp1x512", false, false, true);
/// assert_eq!(row.map(|row| (row.train, row.test)), Some((99.34, 10.61)));
/// assert_eq!(paper::table_1("mlp1x512", true, false, false), None);
/// ```
#[must_use]
pub fn table_1(
    model: &str,
    crop: bool,
    weight_decay: bool,
    random_labels: bool,
) -> Option<&'static Table1Row> {
    let setting = (model, crop, weight_decay, random_labels);
    TABLE_1.iter().find(|r| (r.model, r.crop, r.weight_decay, r.random_labels) == setting)
}

/// A row of Table 4: training accuracy on random labels with a regularizer, in per cent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Table4Row {
    /// The network.
    pub model: &'static str,
    /// `decay` of weights, `crop` at random, or `augmentation`: flips and rotations.
    pub regularizer: &'static str,
    /// Training accuracy; that of the batches as they were trained on, but for weight decay.
    /// `None` where training failed to converge.
    pub train: Option<f64>,
}

/// Table 4, in the paper's order. Its test accuracies are not given.
///
/// ```
/// use shatter_figure::paper::TABLE_4;
/// assert_eq!(TABLE_4.iter().filter(|row| row.train.is_none()).count(), 1);
/// ```
pub const TABLE_4: [Table4Row; 6] = [
    Table4Row { model: "inception", regularizer: "decay", train: Some(100.0) },
    Table4Row { model: "alexnet", regularizer: "decay", train: None },
    Table4Row { model: "mlp3x512", regularizer: "decay", train: Some(100.0) },
    Table4Row { model: "mlp1x512", regularizer: "decay", train: Some(99.21) },
    Table4Row { model: "inception", regularizer: "crop", train: Some(99.93) },
    Table4Row { model: "inception", regularizer: "augmentation", train: Some(99.28) },
];

/// A row of Table 3, and its norm where the text has it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interpolant {
    /// `mnist` or `cifar10`.
    pub data: &'static str,
    /// What the kernel sees: `none`, `gabor` or `random-conv`.
    pub features: &'static str,
    /// With ℓ2 regularization.
    pub ridge: bool,
    /// A share.
    pub test_error: f64,
    /// "The ℓ2-norm of the minimum norm solution", by the text.
    pub norm: Option<f64>,
}

const fn interpolant(
    data: &'static str,
    features: &'static str,
    ridge: bool,
    test_error: f64,
    norm: Option<f64>,
) -> Interpolant {
    Interpolant { data, features, ridge, test_error, norm }
}

/// Table 3, kernels that interpolate, and the fit with ℓ2 regularization that the text adds.
pub const TABLE_3: [Interpolant; 5] = [
    interpolant("mnist", "none", false, 0.012, Some(220.0)),
    interpolant("mnist", "gabor", false, 0.006, Some(390.0)),
    interpolant("cifar10", "none", false, 0.46, None),
    interpolant("cifar10", "random-conv", false, 0.17, None),
    interpolant("cifar10", "random-conv", true, 0.15, None),
];

/// The row of Table 3 for a data set, features, and whether there is regularization.
///
/// ```
/// use shatter_figure::paper::table_3;
/// assert_eq!(table_3("mnist", "gabor", false).map(|row| row.norm), Some(Some(390.0)));
/// assert_eq!(table_3("mnist", "gabor", true), None);
/// ```
#[must_use]
pub fn table_3(data: &str, features: &str, ridge: bool) -> Option<&'static Interpolant> {
    TABLE_3.iter().find(|row| row.data == data && row.features == features && row.ridge == ridge)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Some values of each figure, as they were measured.
    #[test]
    fn values_of_the_figures_are_those_that_were_measured() {
        assert_eq!(relative_time("alexnet").map(|time| time[10]), Some(1.55));
        assert_eq!(relative_time("mlp3x512"), None);
        assert_eq!(test_error("mlp1x512").map(|error| error[0]), Some(0.495));
        assert_eq!(loss_points("random"), Some([(0.391, 2.30), (13.7, 0.1)]));
        assert_eq!(batch_normalization_ends()[0].test, 0.865);
    }

    #[test]
    fn relative_times_are_ratios_of_whole_epochs() {
        for (model, epochs) in [("inception", 10.0), ("alexnet", 31.0), ("mlp1x512", 28.0)] {
            for time in relative_time(model).unwrap() {
                let nearest = (time * epochs).round() / epochs;
                assert!((time - nearest).abs() <= 0.005 + 1e-12, "{model} {time}");
            }
        }
    }

    #[test]
    fn test_errors_grow_to_chance_and_are_near_table_1() {
        for model in ["inception", "alexnet", "mlp1x512"] {
            let error = test_error(model).unwrap();
            assert!(error.is_sorted(), "{model}");
            assert!((error[10] - 0.9).abs() < 0.003, "{model}");
            let table = 1.0 - table_1(model, false, false, false).unwrap().test / 100.0;
            // Different runs of the authors; AlexNet differs most, by 0.062.
            assert!((error[0] - table).abs() < 0.065, "{model}");
        }
    }

    #[test]
    fn rows_of_table_1_are_distinct_and_random_labels_test_at_chance() {
        for (i, row) in TABLE_1.iter().enumerate() {
            let found = table_1(row.model, row.crop, row.weight_decay, row.random_labels);
            assert_eq!(found, Some(&TABLE_1[i]));
            assert!(row.train > 99.0 && row.train <= 100.0, "{row:?}");
            assert_eq!(row.random_labels, (row.test - 10.0).abs() < 1.0, "{row:?}");
        }
        assert_eq!(TABLE_1.iter().filter(|row| row.random_labels).count(), 5);
        assert_eq!(TABLE_1.iter().filter(|row| row.crop).count(), 4);
        assert_eq!(TABLE_1.iter().filter(|row| row.weight_decay).count(), 7);
    }
}
