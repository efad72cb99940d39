//! Every construction, in the order of the tables.

use super::{
    Construction, ThresholdRule, depth_k::DepthK, depth_two::DepthTwo, width_two::WidthTwo,
};

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
        Box::new(WidthTwo),
    ]
}

/// The construction of this name.
pub fn find(name: &str) -> Option<Box<dyn Construction>> {
    all().into_iter().find(|construction| construction.name() == name)
}
