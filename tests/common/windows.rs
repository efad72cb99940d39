//! Windows on images, at odd shapes.
#![allow(dead_code)] // each test file uses a part

use proptest::prelude::*;
use shatter_network::architecture::Window;
use shatter_sample::Shape;

pub fn shape(channels: usize, height: usize, width: usize) -> Shape {
    Shape { channels, height, width }
}

/// A window on images, of which a view sees the channels from `first` on.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    pub input: Shape,
    pub window: Window,
    pub rows: usize,
    pub outputs: usize,
    pub first: usize,
    pub accumulate: bool,
    pub relu: bool,
    /// Whether to hold replicas on tensor cores against runs by themselves, too.
    pub replicas: bool,
}

impl Default for Case {
    fn default() -> Case {
        Case {
            input: shape(1, 1, 1),
            window: Window { size: 1, stride: 1, padding: 0 },
            rows: 1,
            outputs: 1,
            first: 0,
            accumulate: false,
            relu: false,
            replicas: false,
        }
    }
}

impl Case {
    /// The shape of what comes out, if it has so many channels.
    pub fn output(&self, channels: usize) -> Shape {
        let places = |side| self.window.places(side).expect("a window that fits");
        shape(channels, places(self.input.height), places(self.input.width))
    }
}

/// Windows that fit their images; up to `channels` channels.
pub fn cases(channels: usize) -> impl Strategy<Value = Case> {
    let sides = (1_usize..=channels, 1_usize..10, 1_usize..10);
    let window = (1_usize..6, 1_usize..4, 0_usize..5);
    let more = (1_usize..4, 1_usize..=channels, 0_usize..3, any::<bool>(), any::<bool>());
    (sides, window, more).prop_filter_map("a window that fits", |(sides, window, more)| {
        let input = shape(sides.0, sides.1, sides.2);
        let (size, stride, padding) = window;
        let window = Window { size, stride, padding };
        let fits = padding < size
            && window.places(input.height).is_some()
            && window.places(input.width).is_some();
        let (rows, outputs, first, accumulate, relu) = more;
        fits.then_some(Case {
            input,
            window,
            rows,
            outputs,
            first,
            accumulate,
            relu,
            replicas: false,
        })
    })
}
