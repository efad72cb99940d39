//! Windows of convolutions and pools, as attributes say them: along one side or two.

use super::super::call::Call;
use super::super::named::Side;
use crate::InterchangeError;
use shatter_network::graph::SlidingWindow;

type Result<T> = std::result::Result<T, InterchangeError>;

/// A window along one side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Along {
    /// Numbers that it takes.
    pub size: usize,
    /// How far apart they are.
    pub dilation: usize,
    pub stride: usize,
    pub before: usize,
    pub after: usize,
    /// How far the last place goes beyond the padding, where places are rounded up.
    pub beyond: usize,
    /// How many places there are.
    pub places: usize,
}

impl Along {
    /// How far it reaches.
    pub fn reach(&self) -> usize {
        (self.size - 1) * self.dilation + 1
    }
}

/// The window of a node over these sides, along each of them.
pub fn window(call: &Call, size: &[usize], sides: &[usize]) -> Result<Vec<Along>> {
    let dims = sides.len();
    let strides = call.sizes("strides", dims, 1)?;
    let dilations = call.sizes("dilations", dims, 1)?;
    let pads = call.sizes("pads", 2 * dims, 0)?;
    let up = match call.int("ceil_mode", 0)? {
        0 => false,
        1 => true,
        other => return call.refuse(format!("ceil_mode = {other}")),
    };
    let auto = call.text("auto_pad")?;
    if !matches!(auto, b"" | b"NOTSET") && pads.iter().any(|&pad| pad != 0) {
        return call.refuse("auto_pad does not go with pads, by ONNX's own rules");
    }
    let mut along = Vec::with_capacity(dims);
    for k in 0..dims {
        let (side, size, stride, dilation) = (sides[k], size[k], strides[k], dilations[k]);
        let padded = (pads[k], pads[dims + k]);
        let Some(one) = one(auto, up, (side, size, stride, dilation), padded) else {
            return call.refuse(format!("its window does not fit sides of {sides:?}"));
        };
        let one = match one {
            Ok(one) => one,
            Err(reason) => return call.refuse(reason),
        };
        along.push(one);
    }
    Ok(along)
}

/// Along one side; `None` if there is no place, or the window is senseless.
fn one(
    auto: &[u8],
    up: bool,
    (side, size, stride, dilation): (usize, usize, usize, usize),
    (mut before, mut after): (usize, usize),
) -> Option<std::result::Result<Along, &'static str>> {
    if size == 0 || stride == 0 || dilation == 0 {
        return None;
    }
    let reach = (size - 1).checked_mul(dilation)?.checked_add(1)?;
    match auto {
        b"" | b"NOTSET" | b"VALID" => {}
        b"SAME_UPPER" | b"SAME_LOWER" => {
            let places = side.div_ceil(stride);
            let padding = (places.checked_sub(1)? * stride + reach).saturating_sub(side);
            let less = padding / 2;
            (before, after) = (less, padding - less);
            if auto == b"SAME_LOWER" {
                (before, after) = (after, before);
            }
        }
        _ => return Some(Err("its auto_pad is not one of ONNX's")),
    }
    let padded = side.checked_add(before)?.checked_add(after)?;
    let room = padded.checked_sub(reach)?;
    let mut places = room / stride + 1;
    let mut beyond = 0;
    if up && room % stride != 0 {
        // The next place begins in the image, or nowhere: otherwise versions differ in whether there is one.
        let start = places.checked_mul(stride)?;
        if start >= side + before {
            return Some(Err(
                "with ceil_mode its last window begins in the padding: versions of ONNX differ in what that is",
            ));
        }
        places += 1;
        beyond = start + reach - padded;
    }
    // Padding as wide as the window makes places that see nothing.
    (before < reach && after < reach).then_some(Ok(Along {
        size,
        dilation,
        stride,
        before,
        after,
        beyond,
        places,
    }))
}

/// One side as two, the second of 1; two as they are.
pub fn plane(along: &[Along]) -> Option<[Along; 2]> {
    let nothing =
        Along { size: 1, dilation: 1, stride: 1, before: 0, after: 0, beyond: 0, places: 1 };
    match *along {
        [one] => Some([one, nothing]),
        [one, two] => Some([one, two]),
        _ => None,
    }
}

/// As a window of a graph, whose numbers stand side by side: as far as it reaches, and beyond the padding.
pub fn of_graph([rows, columns]: &[Along; 2]) -> SlidingWindow {
    SlidingWindow {
        size: (rows.reach(), columns.reach()),
        stride: (rows.stride, columns.stride),
        before: (rows.before, columns.before),
        after: (rows.after + rows.beyond, columns.after + columns.beyond),
    }
}

/// The sides of an image, or of a signal, which is an image of one column.
pub fn image(sides: &[usize]) -> Vec<usize> {
    let mut image = sides.to_vec();
    if image.len() == 1 {
        image.push(1);
    }
    image
}

/// The sides of what a window makes of a batch.
pub fn made(batch: Side, channels: usize, along: &[Along]) -> Vec<Side> {
    let places = along.iter().map(|one| Side::Of(one.places));
    [batch, Side::Of(channels)].into_iter().chain(places).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Places are those whose window begins in the image or its padding, one by one.
        #[test]
        fn places_are_counted_one_by_one(
            side in 1usize..9,
            size in 1usize..5,
            stride in 1usize..4,
            dilation in 1usize..4,
            before in 0usize..4,
            after in 0usize..4,
            up in any::<bool>(),
        ) {
            let found = one(b"", up, (side, size, stride, dilation), (before, after));
            let reach = (size - 1) * dilation + 1;
            let padded = side + before + after;
            let Some(Ok(found)) = found else { return Ok(()) };
            let fits = (0..padded).step_by(stride).filter(|start| start + reach <= padded).count();
            let begins = (0..side + before).step_by(stride).count();
            let last = (found.places - 1) * stride;
            if found.places == fits {
                prop_assert_eq!(found.beyond, 0);
                prop_assert!(!up || (padded - reach) % stride == 0);
            } else {
                prop_assert!(up && found.places == fits + 1 && found.places <= begins);
                prop_assert_eq!(found.beyond, last + reach - padded);
            }
            let window = of_graph(&plane(&[found]).unwrap());
            prop_assert_eq!(window.places(side, 1), Some((found.places, 1)));
        }

        /// As many places as the stride says, and padding that differs by at most one.
        #[test]
        fn padding_that_is_the_same_is_ceil_of_side_by_stride(
            side in 1usize..20, size in 1usize..6, stride in 1usize..5, dilation in 1usize..3,
        ) {
            for auto in [&b"SAME_UPPER"[..], b"SAME_LOWER"] {
                let Some(Ok(found)) = one(auto, false, (side, size, stride, dilation), (0, 0)) else {
                    continue;
                };
                let (less, more) = match auto {
                    b"SAME_UPPER" => (found.before, found.after),
                    _ => (found.after, found.before),
                };
                prop_assert!(more == less || more == less + 1);
                prop_assert_eq!(found.places, side.div_ceil(stride));
            }
        }
    }
}
