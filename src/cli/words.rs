//! What several commands say in the same words.

use shatter_judge::Runtime;
use shatter_network::evaluate::ExactResidual;
use shatter_network::{FloatExactness, Sizes};
use shatter_sample::{LabelRule, Sample};

use super::output::grouped;

/// "0", or the largest error and where it is.
pub fn residual_text(residual: &ExactResidual) -> String {
    match residual.at {
        None => "0".to_owned(),
        Some(at) => format!("{:.3e} at point {at}", residual.largest.to_f64().value()),
    }
}

/// "0 duplicates", or what happened to them.
pub fn merged_text(sample: &Sample) -> String {
    let merged = &sample.merged;
    match merged.dropped.as_slice() {
        [] => "no duplicates".to_owned(),
        [(later, first), rest @ ..] => {
            let more =
                if rest.is_empty() { "".to_owned() } else { format!(" and {} more", rest.len()) };
            let labels = match merged.conflicts {
                0 => "with equal labels".to_owned(),
                conflicts => format!("{conflicts} with another label, which was redrawn"),
            };
            let s = if rest.is_empty() { "" } else { "s" };
            let count = merged.dropped.len();
            format!("{count} duplicate{s} merged ({later} = {first}{more}; {labels})")
        }
    }
}

/// "random (seed 1), 53,983 of 60,000 changed".
pub fn labels_text(sample: &Sample) -> String {
    let seed = match sample.recipe.rule {
        LabelRule::True | LabelRule::Alternating => "".to_owned(),
        LabelRule::Random | LabelRule::Corrupted(_) => format!(" (seed {})", sample.recipe.seed),
    };
    let changed = match sample.recipe.rule {
        LabelRule::True => "".to_owned(),
        _ => format!(
            ", {} of {} differ from the sample's own",
            grouped(sample.changed as u64),
            grouped(sample.points.n() as u64)
        ),
    };
    format!("{}{seed}{changed}", sample.recipe.rule)
}

/// The three float-exactness bounds in words.
pub fn floats_text(floats: &FloatExactness) -> String {
    let sum = floats.sum_bits.map_or("-".to_owned(), |bits| format!("{bits:.1}"));
    let bits = format!(
        "project {:.1}, subtract {:.1}, sum {sum} of 53 bits",
        floats.projection_bits, floats.threshold_bits
    );
    match (floats.binary64, floats.binary32) {
        (true, true) => {
            format!(
                "float-exact under {}, in binary32 too ({bits}; 24 for binary32)",
                Runtime::Ieee
            )
        }
        (true, false) => {
            let under = Runtime::Ieee;
            format!("float-exact under {under}: no rounding in any order of evaluation ({bits})")
        }
        (false, _) => match floats.obstacle {
            Some(obstacle) => format!("may round: {obstacle} ({bits})"),
            None => format!("may round ({bits})"),
        },
    }
}

/// Depth, units, width, weights and bits.
pub fn sizes_text(sizes: &Sizes) -> String {
    format!(
        "depth {}, units {}, width {}, nonzero {}; {} bits in all, {} in the largest number",
        grouped(sizes.depth),
        grouped(sizes.units),
        grouped(sizes.width),
        grouped(sizes.nonzero),
        grouped(sizes.bits),
        grouped(sizes.max_bits)
    )
}
