//! The one type of labels: classes, or real vectors.

use std::borrow::Cow;

use super::{SampleError, class_name};

/// One label a point.
#[derive(Clone, Debug, PartialEq)]
pub enum Labels {
    /// Classes 0, …, count − 1, in this sample. What outputs say of them is a matter of their own numbers
    /// ([`Labels::number`]) and names, and of the network's `Reading` (`shatter-network`).
    Classes {
        /// The class of each point.
        of: Vec<u32>,
        /// Number of classes.
        count: u32,
        /// Their names, if they have any: empty, or `count` of them.
        names: Vec<String>,
        /// True if the source counts classes by these numbers itself (IDX, NPY, CIFAR-10, classes that are
        /// drawn), and not by names alone, as tables do, whose classes are ranks of names.
        numbered: bool,
    },
    /// Real vectors, row-major.
    Real {
        /// The numbers.
        values: Vec<f64>,
        /// Numbers a label.
        outputs: usize,
    },
}

impl Labels {
    /// Classes, checked to be below `count`.
    ///
    /// # Errors
    /// [`SampleError::NoSuchClass`].
    pub fn classes(of: Vec<u32>, count: u32) -> Result<Labels, SampleError> {
        match of.iter().position(|&class| class >= count) {
            Some(index) => Err(SampleError::NoSuchClass { index, class: of[index], count }),
            None => Ok(Labels::Classes { of, count, names: Vec::new(), numbered: true }),
        }
    }

    /// Real labels of one output, checked to be finite.
    ///
    /// ```
    /// use shatter_sample::Labels;
    /// assert_eq!(Labels::real(vec![1.5, -2.0], 1)?.len(), 2);
    /// # Ok::<(), shatter_sample::SampleError>(())
    /// ```
    ///
    /// # Errors
    /// [`SampleError::LabelNotFinite`], [`SampleError::Ragged`].
    pub fn real(mut values: Vec<f64>, outputs: usize) -> Result<Labels, SampleError> {
        if outputs == 0 || !values.len().is_multiple_of(outputs) {
            return Err(SampleError::Ragged { values: values.len(), d: outputs });
        }
        for (i, value) in values.iter_mut().enumerate() {
            if !value.is_finite() {
                return Err(SampleError::LabelNotFinite { index: i / outputs, value: *value });
            }
            *value += 0.0;
        }
        Ok(Labels::Real { values, outputs })
    }

    /// Number of labels.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Labels::Classes { of, .. } => of.len(),
            Labels::Real { values, outputs } => values.len() / outputs,
        }
    }

    /// Returns whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Numbers a label: 1 for classes.
    #[must_use]
    pub fn outputs(&self) -> usize {
        match self {
            Labels::Classes { .. } => 1,
            Labels::Real { outputs, .. } => *outputs,
        }
    }

    /// The label of point `i` as binary64: the number of its class, or the first output.
    ///
    /// # Panics
    /// If `i` is out of range.
    #[must_use]
    pub fn f64_at(&self, i: usize) -> f64 {
        match self {
            Labels::Classes { of, .. } => f64::from(of[i]),
            Labels::Real { values, outputs } => values[i * outputs],
        }
    }

    /// Returns whether points `i` and `j` have the same label.
    ///
    /// # Panics
    /// If `i` or `j` is out of range.
    #[must_use]
    pub fn agree(&self, i: usize, j: usize) -> bool {
        match self {
            Labels::Classes { of, .. } => of[i] == of[j],
            Labels::Real { values, outputs: k } => {
                values[i * k..(i + 1) * k] == values[j * k..(j + 1) * k]
            }
        }
    }

    /// Returns whether `other` gives point `i` the same label.
    ///
    /// # Panics
    /// If `i` is out of range in either.
    #[must_use]
    pub fn agrees_with(&self, other: &Labels, i: usize) -> bool {
        match (self, other) {
            (Labels::Classes { of, .. }, Labels::Classes { of: others, .. }) => of[i] == others[i],
            (Labels::Real { values, outputs: k }, Labels::Real { values: others, outputs }) => {
                k == outputs && values[i * k..(i + 1) * k] == others[i * k..(i + 1) * k]
            }
            _ => self.outputs() == other.outputs() && self.f64_at(i) == other.f64_at(i),
        }
    }

    /// The label of point `i` in words.
    ///
    /// # Panics
    /// If `i` is out of range.
    #[must_use]
    pub fn describe(&self, i: usize) -> String {
        match self {
            Labels::Classes { of, names, .. } => match names.get(of[i] as usize) {
                Some(name) => name.clone(),
                None => of[i].to_string(),
            },
            Labels::Real { values, outputs: 1 } => values[i].to_string(),
            Labels::Real { values, outputs: k } => format!("{:?}", &values[i * k..(i + 1) * k]),
        }
    }

    /// The name of a class: its number in the sample where classes have no names. Real labels have no
    /// classes, and their numbers are their names.
    pub fn name(&self, class: u32) -> Cow<'_, str> {
        match self {
            Labels::Classes { names, .. } if !names.is_empty() => {
                Cow::Borrowed(names.get(class as usize).map_or("", String::as_str))
            }
            _ => Cow::Owned(class.to_string()),
        }
    }

    /// The number that a class has by itself, whatever the other classes of the sample are: that of the
    /// source, or the name of the class where it is a non-negative whole number.
    ///
    /// ```
    /// use shatter_sample::Labels;
    /// let names = ["3", "7.0", "setosa"].map(String::from).to_vec();
    /// let table = Labels::Classes { of: vec![2, 0, 1], count: 3, names, numbered: false };
    /// assert_eq!([0, 1, 2].map(|class| table.number(class)), [Some(3), Some(7), None]);
    /// assert_eq!(Labels::classes(vec![2], 3)?.number(2), Some(2));
    /// # Ok::<(), shatter_sample::SampleError>(())
    /// ```
    #[must_use]
    pub fn number(&self, class: u32) -> Option<u32> {
        match self {
            Labels::Classes { names, numbered: false, .. } if !names.is_empty() => {
                names.get(class as usize).and_then(|name| class_name::number(name))
            }
            Labels::Classes { .. } => Some(class),
            Labels::Real { .. } => None,
        }
    }

    /// The names of all classes, or none where they are the numbers 0, 1, … without names, and for real labels.
    #[must_use]
    pub fn class_names(&self) -> &[String] {
        match self {
            Labels::Classes { names, .. } => names,
            Labels::Real { .. } => &[],
        }
    }

    /// The labels of the points that `rows` lists, in that order.
    ///
    /// # Panics
    /// If an entry of `rows` is out of range.
    #[must_use]
    pub fn select(&self, rows: &[u32]) -> Labels {
        match self {
            Labels::Classes { of, count, names, numbered } => Labels::Classes {
                of: rows.iter().map(|&i| of[i as usize]).collect(),
                count: *count,
                names: names.clone(),
                numbered: *numbered,
            },
            Labels::Real { values, outputs: k } => Labels::Real {
                values: rows
                    .iter()
                    .flat_map(|&i| &values[i as usize * k..(i as usize + 1) * k])
                    .copied()
                    .collect(),
                outputs: *k,
            },
        }
    }
}
