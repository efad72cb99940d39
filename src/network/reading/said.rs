//! Labels in the numbers of a network's outputs.

use crate::ExactLabels;
use shatter_exact::Rational;
use shatter_sample::Labels;

use super::How;

/// Labels in the numbers of a network's outputs, and how these say them: class k is the one that output k, or
/// the value k, stands for, whatever its number in the sample. Made by
/// [`Reading::bind`](super::Reading::bind) alone, so that no number of a sample meets an output untranslated.
#[derive(Clone, Debug, PartialEq)]
pub struct BoundLabels {
    how: How,
    labels: Labels,
}

impl BoundLabels {
    pub(super) fn new(how: How, labels: Labels) -> BoundLabels {
        BoundLabels { how, labels }
    }

    /// Returns the encoding.
    pub fn how(&self) -> How {
        self.how
    }

    /// The labels, classes without names: they are numbers of outputs.
    pub fn labels(&self) -> &Labels {
        &self.labels
    }

    /// The class of point `i` as the outputs number it; `None` for labels that are real numbers.
    ///
    /// # Panics
    /// If `i` is out of range.
    pub fn class(&self, i: usize) -> Option<u32> {
        match &self.labels {
            Labels::Classes { of, .. } => Some(of[i]),
            Labels::Real { .. } => None,
        }
    }

    /// The numbers that outputs are to equal at point `i`; `None` where the reading says none.
    ///
    /// # Panics
    /// If `i` is out of range.
    pub fn target(&self, i: usize) -> Option<Vec<Rational>> {
        self.how.target().map(|target| self.labels.exact_target(target, i))
    }

    /// Returns true if outputs say the label of point `i`: the definition of every reading, in exact numbers.
    ///
    /// # Panics
    /// If `i` is out of range.
    pub fn says(&self, outputs: &[Rational], i: usize) -> bool {
        let half = || Rational::from_parts(1.into(), 2u8.into());
        let near = |target: Vec<Rational>| {
            let apart = |(x, y): (&Rational, &Rational)| if x < y { y - x } else { x - y };
            target.len() == outputs.len()
                && outputs.iter().zip(&target).map(apart).all(|apart| apart < half())
        };
        let beyond = |threshold: Rational, second: bool| match outputs {
            [output] if second => *output > threshold,
            [output] => *output < threshold,
            _ => false,
        };
        let Some(class) = self.class(i) else {
            return self.target(i).is_some_and(|target| target == outputs);
        };
        match self.how {
            How::Value | How::OneHot | How::Bits => self.target(i).is_some_and(near),
            How::Largest => {
                let own = outputs.get(class as usize);
                let others = outputs.iter().enumerate().filter(|(k, _)| *k != class as usize);
                own.is_some_and(|own| others.map(|(_, other)| other).all(|other| own > other))
            }
            How::Sign => beyond(Rational::ZERO, class == 1),
            How::Half => beyond(half(), class == 1),
        }
    }
}
