//! Every construction, in the order of the tables.

use super::baum::Baum;
use super::bubeck::{Bubeck, Units};
use super::depth_k::DepthK;
use super::depth_two::DepthTwo;
use super::hull_peeling::HullPeeling;
use super::moment_curve::MomentCurve;
use super::width_two::WidthTwo;
use super::{Construction, ThresholdRule};

/// All constructions, those with a parameter at its default.
///
/// ```
/// use shatter::construct::catalogue;
/// assert!(catalogue::all().iter().any(|construction| construction.name() == "width-two"));
/// ```
pub fn all() -> Vec<Box<dyn Construction>> {
    vec![
        Box::new(DepthTwo { threshold: ThresholdRule::Zigzag }),
        Box::new(DepthTwo { threshold: ThresholdRule::Data }),
        Box::new(DepthTwo { threshold: ThresholdRule::Midpoint }),
        Box::new(DepthK { depth: 3 }),
        Box::new(DepthK { depth: 10 }),
        Box::new(Baum),
        Box::new(MomentCurve),
        Box::new(Bubeck { units: Units::Four }),
        Box::new(Bubeck { units: Units::Three }),
        Box::new(HullPeeling),
        Box::new(WidthTwo),
    ]
}

/// The construction of this name.
pub fn find(name: &str) -> Option<Box<dyn Construction>> {
    all().into_iter().find(|construction| construction.name() == name)
}
