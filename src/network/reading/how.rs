//! The ways in which outputs say labels.

use std::fmt;
use std::str::FromStr;

use shatter_sample::Target;

/// The encoding of a label in outputs. The *margin* of a point is positive where they say its label: by how much the
/// outputs, each of them, may be off and still say it (of `Largest`, their differences).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum How {
    /// Outputs are the numbers of the label. A class is the number nearest to the one output, with margin
    /// 1/2 − |output − number|; real labels are equal to the outputs or not, and have no margin.
    Value,
    /// The largest of the outputs, one a class; the margin is what it is above all others. A tie says nothing.
    Largest,
    /// One output, of two classes: the first below 0, the second above; 0 says nothing.
    Sign,
    /// One output, of two classes: the first below 1/2, the second above; 1/2 says nothing.
    Half,
    /// An output a class, near 1 for the point's own and near 0 for the others: the least of
    /// 1/2 − |output − target| is the margin.
    OneHot,
    /// The number of the class in binary, lowest bit first, each output near 0 or 1: margins as of `OneHot`.
    Bits,
}

impl How {
    /// All encodings.
    pub const ALL: [How; 6] =
        [How::Value, How::Largest, How::Sign, How::Half, How::OneHot, How::Bits];

    /// Returns the name in files and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            How::Value => "value",
            How::Largest => "largest",
            How::Sign => "sign",
            How::Half => "half",
            How::OneHot => "one-hot",
            How::Bits => "bits",
        }
    }

    /// The numbers that outputs are to equal, where the reading says them.
    pub const fn target(self) -> Option<Target> {
        match self {
            How::Value => Some(Target::Value),
            How::OneHot => Some(Target::OneHot),
            How::Bits => Some(Target::Bits),
            How::Largest | How::Sign | How::Half => None,
        }
    }
}

impl From<Target> for How {
    fn from(target: Target) -> How {
        match target {
            Target::Value => How::Value,
            Target::OneHot => How::OneHot,
            Target::Bits => How::Bits,
        }
    }
}

impl fmt::Display for How {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for How {
    type Err = String;

    fn from_str(text: &str) -> Result<How, String> {
        How::ALL.into_iter().find(|how| how.name() == text).ok_or_else(|| {
            let names: Vec<&str> = How::ALL.iter().map(|how| how.name()).collect();
            format!("'{text}' is none of: {}", names.join(", "))
        })
    }
}
