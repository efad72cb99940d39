//! Every construction, in the order of the tables: three relatives at a time.

use super::baum::Baum;
use super::bit_extraction::BitExtraction;
use super::bubeck::{Bubeck, Units};
use super::depth_k::DepthK;
use super::depth_two::DepthTwo;
use super::hull_peeling::HullPeeling;
use super::lagrange::Lagrange;
use super::min_norm::MinNorm;
use super::moment_curve::MomentCurve;
use super::random_features::RandomFeatures;
use super::rational_kernel::RationalKernel;
use super::residual::ResNet;
use super::sine::Sine;
use super::softsign::Softsign;
use super::two_hidden::TwoHidden;
use super::width_two::WidthTwo;
use super::{Construction, ThresholdRule};

/// All constructions, those with a parameter at its default.
///
/// ```
/// use shatter_construct::catalogue;
/// assert!(catalogue::all().iter().any(|construction| construction.name() == "width-two"));
/// ```
pub fn all() -> Vec<Box<dyn Construction>> {
    vec![
        Box::new(DepthTwo { threshold: ThresholdRule::Zigzag }),
        Box::new(DepthTwo { threshold: ThresholdRule::Data }),
        Box::new(DepthTwo { threshold: ThresholdRule::Midpoint }),
        Box::new(DepthK { depth: 3 }),
        Box::new(DepthK { depth: 10 }),
        Box::new(WidthTwo),
        Box::new(TwoHidden { group: None, classes: false }),
        Box::new(TwoHidden { group: None, classes: true }),
        Box::new(BitExtraction::default()),
        Box::new(Bubeck { units: Units::Four }),
        Box::new(Bubeck { units: Units::Three }),
        Box::new(HullPeeling),
        Box::new(Baum),
        Box::new(MomentCurve),
        Box::new(Sine),
        Box::new(Softsign),
        Box::new(RandomFeatures { width: None }),
        Box::new(ResNet),
        Box::new(RationalKernel),
        Box::new(Lagrange),
        Box::new(MinNorm { bias: true }),
        Box::new(MinNorm { bias: false }),
    ]
}

/// The construction of this name; `depth-K` for every K, `random-features-M` for every M.
///
/// ```
/// use shatter_construct::catalogue::find;
/// assert_eq!(find("depth-17").map(|found| found.name()).as_deref(), Some("depth-17"));
/// assert!(find("depth-017").is_none() && find("deep").is_none());
/// ```
pub fn find(name: &str) -> Option<Box<dyn Construction>> {
    let listed = all().into_iter().find(|construction| construction.name() == name);
    listed.or_else(|| {
        let number = |prefix: &str| name.strip_prefix(prefix)?.parse().ok();
        let found: Box<dyn Construction> = match (number("depth-"), number("random-features-")) {
            (Some(depth), _) => Box::new(DepthK { depth }),
            (None, width) => Box::new(RandomFeatures { width: Some(width?) }),
        };
        // One spelling a number.
        (found.name() == name).then_some(found)
    })
}
