//! The four labellings, as pure functions of a sample's own labels and a seed.
//!
//! *Random* and *corrupted* are the paper's (Zhang et al. 2017, section 2): with probability p a
//! label is redrawn uniformly among all C classes, the old one included, so that about
//! (1 − 1/C)·p of the labels change.

use std::fmt;
use std::str::FromStr;

use rand_distr::{Distribution, StandardNormal};

use shatter_random::stream::{Purpose, below, chance, stream};

use super::{Labels, SampleError};

/// Which labels a sample gets.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum LabelRule {
    /// Its own.
    True,
    /// All redrawn: uniform classes, or standard normal numbers where labels are real.
    Random,
    /// Each redrawn with this probability.
    Corrupted(f64),
    /// 0, 1, 0, 1, … in the order of the points.
    Alternating,
}

/// A labelling that can be repeated: the rule, the seed and the number of classes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Recipe {
    /// The rule.
    pub rule: LabelRule,
    /// The seed that draws it; 0 where nothing is drawn.
    pub seed: u64,
    /// Classes to draw from; 0 for real labels.
    pub classes: u32,
}

impl Recipe {
    /// The recipe that applies `rule` to labels like `own`.
    ///
    /// # Errors
    /// [`SampleError::Rule`] if it does not apply to them.
    pub fn new(rule: LabelRule, own: &Labels, seed: u64) -> Result<Recipe, SampleError> {
        let classes = match own {
            Labels::Classes { count, .. } => *count,
            Labels::Real { .. } => 0,
        };
        let refuse =
            |reason: &str| SampleError::Rule { rule: rule.to_string(), reason: reason.to_owned() };
        Ok(match rule {
            LabelRule::True => Recipe { rule, seed: 0, classes },
            LabelRule::Alternating => Recipe { rule, seed: 0, classes: 2 },
            LabelRule::Random => Recipe { rule, seed, classes },
            LabelRule::Corrupted(p) if !(0.0..=1.0).contains(&p) => {
                return Err(refuse("expected a probability from 0 to 1"));
            }
            LabelRule::Corrupted(_) if classes == 0 => {
                return Err(refuse("they are real numbers, and only classes can be corrupted"));
            }
            LabelRule::Corrupted(_) => Recipe { rule, seed, classes },
        })
    }

    /// Returns whether the result depends on the sample's own labels.
    #[must_use]
    pub fn uses_own_labels(&self) -> bool {
        matches!(self.rule, LabelRule::True | LabelRule::Corrupted(_))
    }

    /// The labels that the recipe gives to points whose own labels are `own`.
    ///
    /// ```
    /// use shatter_sample::{LabelRule, Labels, Recipe};
    /// let own = Labels::classes(vec![3; 1000], 10)?;
    /// let recipe = Recipe::new(LabelRule::Corrupted(0.5), &own, 1)?;
    /// let Labels::Classes { of, .. } = recipe.apply(&own) else { unreachable!() };
    /// let changed = of.iter().filter(|&&class| class != 3).count();
    /// assert!((400..500).contains(&changed)); // about 0.9 · 0.5 · 1000
    /// # Ok::<(), shatter_sample::SampleError>(())
    /// ```
    #[must_use]
    pub fn apply(&self, own: &Labels) -> Labels {
        let mut rng = stream(self.seed, Purpose::Labels);
        let mut draw = || below(&mut rng, u64::from(self.classes)) as u32;
        match (self.rule, own) {
            (LabelRule::True, _) => own.clone(),
            (LabelRule::Alternating, _) => Labels::Classes {
                of: (0..own.len()).map(|i| (i % 2) as u32).collect(),
                count: 2,
                names: Vec::new(),
                numbered: true,
            },
            (LabelRule::Random, Labels::Classes { of, count, names, numbered }) => {
                Labels::Classes {
                    of: of.iter().map(|_| draw()).collect(),
                    count: *count,
                    names: names.clone(),
                    numbered: *numbered,
                }
            }
            (LabelRule::Random, Labels::Real { values, outputs }) => Labels::Real {
                values: values.iter().map(|_| StandardNormal.sample(&mut rng)).collect(),
                outputs: *outputs,
            },
            (LabelRule::Corrupted(p), Labels::Classes { of, count, names, numbered }) => {
                let mut redraw = |&class: &u32| {
                    // Both are drawn whatever the outcome: larger p then corrupts a superset.
                    let hit = chance(&mut rng, p);
                    let other = below(&mut rng, u64::from(self.classes)) as u32;
                    if hit { other } else { class }
                };
                Labels::Classes {
                    of: of.iter().map(&mut redraw).collect(),
                    count: *count,
                    names: names.clone(),
                    numbered: *numbered,
                }
            }
            (LabelRule::Corrupted(_), Labels::Real { .. }) => own.clone(), // refused by `new`
        }
    }
}

impl fmt::Display for LabelRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LabelRule::True => f.write_str("true"),
            LabelRule::Random => f.write_str("random"),
            LabelRule::Corrupted(p) => write!(f, "corrupted:{p}"),
            LabelRule::Alternating => f.write_str("alternating"),
        }
    }
}

impl FromStr for LabelRule {
    type Err = String;

    fn from_str(text: &str) -> Result<LabelRule, String> {
        let unknown = || {
            format!(
                "'{text}' is not a labelling; expected one of: true, random, corrupted:P (0 <= P <= 1), alternating"
            )
        };
        match text {
            "true" => Ok(LabelRule::True),
            "random" => Ok(LabelRule::Random),
            "alternating" => Ok(LabelRule::Alternating),
            _ => {
                let p = text.strip_prefix("corrupted:").ok_or_else(unknown)?;
                let p: f64 = p.parse().map_err(|_| unknown())?;
                if (0.0..=1.0).contains(&p) { Ok(LabelRule::Corrupted(p)) } else { Err(unknown()) }
            }
        }
    }
}
