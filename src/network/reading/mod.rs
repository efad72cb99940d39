//! How outputs say labels: one reading for every network, in its files and on the command line.
//!
//! A [`Reading`] is a rule ([`How`]) and the names of the classes as the outputs number them: output k, or the
//! value k, says class `classes[k]`. [`Reading::bind`] translates the labels of a sample into these numbers, and
//! nothing else does:
//!
//! * a network with names has a class of the sample where it has its name (numbers are compared by value, so that
//!   `3`, `03` and `3.0` are one class);
//! * without names, output k is the class that has the number k by itself: whose name is a non-negative whole
//!   number, or which the source of the sample numbers (IDX, NPY, CIFAR-10);
//! * labels that are one real number, all of them non-negative whole numbers, are classes of these numbers
//!   wherever outputs say classes, and rows of one 1 and zeros are the class of their 1;
//! * everything else is refused, by the name of the class.
//!
//! Where a file says no reading, the number of outputs does ([`Reading::by_outputs`]).

mod classes;
mod error;
mod found;
mod how;
mod said;
mod text;

use shatter_sample::class_name::key;
use shatter_sample::target::class_bits;
use shatter_sample::{Labels, Target};

use classes::{Class, Names, own_number, second_of_two, shown, visible};
pub use error::ReadingError;
use found::{Found, one_hot};
pub use how::How;
pub use said::BoundLabels;

/// The encoding of labels in outputs, with the names of the classes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The rule.
    pub how: How,
    /// The class that output k, or the value k, stands for; empty where these are the numbers 0, 1, ….
    pub classes: Vec<String>,
}

impl Reading {
    /// A rule without names of classes.
    pub fn new(how: How) -> Reading {
        Reading { how, classes: Vec::new() }
    }

    /// A rule with the names of the classes of a sample, in the sample's numbers: the reading of what is built
    /// or trained on it.
    pub fn built_on(how: How, labels: &Labels) -> Reading {
        Reading { how, classes: labels.class_names().to_vec() }
    }

    /// The reading of a network of so many outputs whose file says none.
    ///
    /// | labels | outputs | reading |
    /// |---|---|---|
    /// | k real numbers | k | `value` |
    /// | 1 real number | several | `largest` |
    /// | classes | several | `largest` |
    /// | classes, one of them −1 | 1 | `sign` |
    /// | classes | 1 | `value` |
    ///
    /// # Errors
    /// [`ReadingError::Misfit`] for k real numbers and another number of outputs.
    pub fn by_outputs(outputs: usize, labels: &Labels) -> Result<Reading, ReadingError> {
        let how = match labels {
            Labels::Real { outputs: k, .. } if *k == outputs => How::Value,
            Labels::Real { outputs: k @ 2.., .. } => {
                return Err(ReadingError::misfit(format!(
                    "the network has {outputs} outputs, and the labels {k} numbers"
                )));
            }
            Labels::Real { .. } => How::Largest,
            Labels::Classes { .. } if outputs > 1 => How::Largest,
            Labels::Classes { names, .. } if names.iter().any(|name| is_minus_one(name)) => {
                How::Sign
            }
            Labels::Classes { .. } => How::Value,
        };
        Ok(Reading::new(how))
    }

    /// The reading of a construction of so many outputs whose file says none, as files had none once: `value` for
    /// as many outputs as the label has numbers, `one-hot` for as many as there are classes (`named` of them, or
    /// else those up to the largest number of one), `bits` for as many as their numbers have bits.
    ///
    /// # Errors
    /// [`ReadingError::Misfit`] for any other number; [`ReadingError::Unnamed`] for classes without numbers.
    pub fn of_construction(
        outputs: usize,
        labels: &Labels,
        named: Option<usize>,
    ) -> Result<Reading, ReadingError> {
        if labels.outputs() == outputs {
            return Ok(Reading::new(How::Value));
        }
        let count = match labels {
            Labels::Real { outputs: k, .. } => {
                return Err(ReadingError::misfit(format!(
                    "the network has {outputs} outputs, and the labels {k} numbers"
                )));
            }
            _ if named.is_some() => {
                named.and_then(|named| u32::try_from(named).ok()).unwrap_or(u32::MAX)
            }
            Labels::Classes { count, numbered: true, .. } => *count,
            Labels::Classes { count, .. } => (0..*count).try_fold(0, |most, class| {
                let name = labels.name(class);
                let number = own_number(&Class { name: &name, number: labels.number(class) })?;
                Ok(most.max(number + 1))
            })?,
        };
        let bits = class_bits(count);
        match u32::try_from(outputs) {
            Ok(outputs) if outputs == count => Ok(Reading::new(How::OneHot)),
            Ok(outputs) if outputs == bits => Ok(Reading::new(How::Bits)),
            _ => Err(ReadingError::misfit(format!(
                "the network has {outputs} outputs, the labels take 1 as value, {count} as one-hot, {bits} as bits"
            ))),
        }
    }

    /// The labels of a sample in the numbers of `outputs` outputs.
    ///
    /// ```
    /// use shatter_network::{Reading, reading::How};
    /// use shatter_sample::Labels;
    /// let names = ["3", "7"].map(String::from).to_vec();
    /// let table = Labels::Classes { of: vec![0, 1], count: 2, names, numbered: false };
    /// let said = Reading::new(How::Largest).bind(&table, 10)?;
    /// assert_eq!((said.class(0), said.class(1)), (Some(3), Some(7)));
    /// let named = Reading { how: How::Largest, classes: vec!["7".into(), "3.0".into()] };
    /// assert_eq!(named.bind(&table, 2)?.class(0), Some(1));
    /// assert!(Reading::new(How::Largest).bind(&table, 2).is_err());
    /// # Ok::<(), shatter_network::reading::ReadingError>(())
    /// ```
    ///
    /// # Errors
    /// [`ReadingError::Misfit`] with the readings that would fit; [`ReadingError::Unknown`],
    /// [`ReadingError::Twice`], [`ReadingError::Unnamed`], [`ReadingError::Beyond`], [`ReadingError::NotTwo`] with
    /// the class that the outputs do not have.
    pub fn bind(&self, labels: &Labels, outputs: usize) -> Result<BoundLabels, ReadingError> {
        self.bound(labels, outputs).map_err(|error| match error {
            ReadingError::Misfit { reason, .. } => {
                let fits = |how: &How| {
                    let other = Reading { how: *how, classes: self.classes.clone() };
                    *how != self.how && other.bound(labels, outputs).is_ok()
                };
                ReadingError::Misfit {
                    reason,
                    fitting: How::ALL.into_iter().filter(fits).collect(),
                }
            }
            other => other,
        })
    }

    fn bound(&self, labels: &Labels, outputs: usize) -> Result<BoundLabels, ReadingError> {
        let how = self.how;
        self.shape(outputs)?;
        if let Labels::Real { outputs: k, .. } = labels {
            let as_numbers = how == How::Value && (*k > 1 || self.classes.is_empty());
            if as_numbers && *k == outputs {
                return Ok(BoundLabels::new(how, labels.clone()));
            }
            if *k > 1 && *k == outputs && matches!(how, How::Largest | How::OneHot) {
                return one_hot(labels, *k).map(|of| said(how, of, outputs));
            }
            if *k > 1 {
                return Err(ReadingError::misfit(format!(
                    "labels of {k} numbers are not read as {how} of {}",
                    counted(outputs)
                )));
            }
        }
        if how == How::Value && outputs != 1 {
            return Err(ReadingError::misfit(format!(
                "a class is one value, and the network has {outputs} outputs"
            )));
        }
        let found = Found::of(labels)?;
        let codes = self.codes(&found, outputs)?;
        Ok(said(how, found.of.iter().map(|&class| codes[class as usize]).collect(), outputs))
    }

    /// Refuses to go on training a network of this reading on a sample, where its outputs stand for other classes
    /// than the sample's, or for these in another order. Without names there is nothing to compare.
    ///
    /// # Errors
    /// Those of [`bind`](Reading::bind), and [`ReadingError::Order`].
    pub fn trains(&self, labels: &Labels, outputs: usize) -> Result<(), ReadingError> {
        let Labels::Classes { count, names, numbered, .. } = labels else { return Ok(()) };
        if self.classes.is_empty() {
            return Ok(());
        }
        let (of, names, numbered) = ((0..*count).collect(), names.clone(), *numbered);
        let said = self.bind(&Labels::Classes { of, count: *count, names, numbered }, outputs)?;
        let own = |class: u32| said.class(class as usize).unwrap_or(class);
        match (0..*count).find(|&class| own(class) != class) {
            None => Ok(()),
            Some(class) => Err(ReadingError::Order {
                class: visible(&labels.name(class)),
                own: own(class),
                trained: class,
                known: shown(&self.classes),
            }),
        }
    }

    /// Whether so many outputs can say anything in this way.
    fn shape(&self, outputs: usize) -> Result<(), ReadingError> {
        let (how, names) = (self.how, self.classes.len());
        let named = |wanted: usize| match names == 0 || names == wanted {
            true => Ok(()),
            false => Err(ReadingError::misfit(format!(
                "{} say {wanted} classes as {how}, and {names} are named",
                counted(outputs)
            ))),
        };
        match how {
            How::Value => Ok(()),
            How::Largest | How::OneHot => named(outputs),
            How::Sign | How::Half if outputs == 1 => named(2),
            How::Sign | How::Half => Err(ReadingError::misfit(format!(
                "{how} is read of one output, and the network has {outputs}"
            ))),
            How::Bits if !(1..=32).contains(&outputs) || names as u64 > 1 << outputs => {
                let reason = format!("{} are not the bits of {names} classes", counted(outputs));
                Err(ReadingError::misfit(reason))
            }
            How::Bits => Ok(()),
        }
    }

    /// The number that outputs give each class that was found.
    fn codes(&self, found: &Found, outputs: usize) -> Result<Vec<u32>, ReadingError> {
        let each = found.names.iter().zip(&found.numbers);
        let classes: Vec<Class> =
            each.map(|(name, &number)| Class { name: name.as_ref(), number }).collect();
        if !self.classes.is_empty() {
            let names = Names::new(&self.classes);
            return classes.iter().map(|class| names.find(class)).collect();
        }
        if matches!(self.how, How::Sign | How::Half) {
            return Ok(second_of_two(&classes)?.into_iter().map(u32::from).collect());
        }
        let most = match self.how {
            How::Bits => 1u64 << outputs,
            How::Value => u64::MAX,
            _ => outputs as u64,
        };
        let own = |class: &Class| match own_number(class)? {
            number if u64::from(number) < most => Ok(number),
            number => {
                Err(ReadingError::Beyond { class: number, outputs, last: most.saturating_sub(1) })
            }
        };
        classes.iter().map(own).collect()
    }
}

fn said(how: How, of: Vec<u32>, outputs: usize) -> BoundLabels {
    let count = match how {
        How::Largest | How::OneHot => u32::try_from(outputs).unwrap_or(u32::MAX),
        How::Sign | How::Half => 2,
        How::Bits => 1u32.checked_shl(outputs as u32).unwrap_or(u32::MAX),
        How::Value => of.iter().max().map_or(1, |most| most.saturating_add(1)),
    };
    BoundLabels::new(how, Labels::Classes { of, count, names: Vec::new(), numbered: true })
}

fn is_minus_one(name: &str) -> bool {
    key(name) == "-1"
}

/// `1 output`, `3 outputs`.
pub fn counted(outputs: usize) -> String {
    format!("{outputs} output{}", if outputs == 1 { "" } else { "s" })
}

impl From<Target> for Reading {
    fn from(target: Target) -> Reading {
        Reading::new(target.into())
    }
}
