//! Feature maps in words: `none`, `gabor`, `random-conv:N`, each with options after commas.
//!
//! ```text
//! none                        the pixels
//! gabor                       gabor:wavelength=6,scales=1,orientations=8,cell=4
//! random-conv:N               random-conv:N,patch=6,filters=patches,threshold=0.25,pool=2
//! ```

use std::fmt;
use std::str::FromStr;

use shatter_sample::Shape;

use crate::gabor::GaborSettings;
use crate::random_conv::{Filters, RandomConvSettings};

/// Which features a method sees.
///
/// ```
/// use shatter_feature::FeatureChoice;
/// let choice: FeatureChoice = "random-conv:1000,patch=5".parse()?;
/// assert_eq!(choice.to_string().parse(), Ok(choice));
/// assert_eq!("none".parse(), Ok(FeatureChoice::None));
/// assert!("random-conv:0".parse::<FeatureChoice>().is_err());
/// # Ok::<(), String>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum FeatureChoice {
    /// The pixels themselves.
    #[default]
    None,
    /// A Gabor filter bank.
    Gabor(GaborSettings),
    /// Random convolutional features.
    RandomConv(RandomConvSettings),
}

impl FeatureChoice {
    /// The name, without options.
    ///
    /// ```
    /// use shatter_feature::FeatureChoice;
    /// assert_eq!("random-conv:9".parse::<FeatureChoice>()?.name(), "random-conv");
    /// # Ok::<(), String>(())
    /// ```
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            FeatureChoice::None => "none",
            FeatureChoice::Gabor(_) => "gabor",
            FeatureChoice::RandomConv(_) => "random-conv",
        }
    }

    /// Number of features of an image of a shape; as many as a map will have that is learned for it.
    ///
    /// ```
    /// use shatter_feature::FeatureChoice;
    /// use shatter_sample::Shape;
    /// let shape = Shape { channels: 3, height: 32, width: 32 };
    /// assert_eq!("random-conv:32000".parse::<FeatureChoice>()?.columns(shape), 256_000);
    /// # Ok::<(), String>(())
    /// ```
    #[must_use]
    pub fn columns(&self, shape: Shape) -> usize {
        let Shape { channels, height, width } = shape;
        match self {
            FeatureChoice::None => shape.len(),
            FeatureChoice::Gabor(GaborSettings { scales, orientations, cell, .. }) => {
                let cells = height.div_ceil(*cell) * width.div_ceil(*cell);
                channels.saturating_mul(scales * orientations).saturating_mul(cells)
            }
            FeatureChoice::RandomConv(RandomConvSettings { count, patch, pool, .. }) => {
                // Positions of a patch along a side.
                let across = |side: usize| (side + 1).saturating_sub(*patch).max(1);
                let cells = (*pool).clamp(1, across(height)) * (*pool).clamp(1, across(width));
                (2 * cells).saturating_mul(*count)
            }
        }
    }
}

impl fmt::Display for FeatureChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FeatureChoice::None => f.write_str("none"),
            FeatureChoice::Gabor(GaborSettings { wavelength, scales, orientations, cell }) => {
                write!(
                    f,
                    "gabor:wavelength={wavelength},scales={scales},orientations={orientations},cell={cell}"
                )
            }
            FeatureChoice::RandomConv(settings) => {
                let RandomConvSettings { count, patch, filters, threshold, pool } = settings;
                write!(
                    f,
                    "random-conv:{count},patch={patch},filters={filters},threshold={threshold},pool={pool}"
                )
            }
        }
    }
}

impl FromStr for FeatureChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<FeatureChoice, String> {
        let refused = |reason: String| {
            format!(
                "'{text}' is not a choice of features: {reason}; expected none, gabor or random-conv:N"
            )
        };
        let (kind, rest) = text.split_once(':').unwrap_or((text, ""));
        let parts = rest.split(',').filter(|part| !part.is_empty());
        match kind {
            "none" if rest.is_empty() => Ok(FeatureChoice::None),
            "gabor" => gabor(parts).map(FeatureChoice::Gabor).map_err(refused),
            "random-conv" => random_conv(parts).map(FeatureChoice::RandomConv).map_err(refused),
            "none" => Err(refused("none has no options".to_owned())),
            _ => Err(refused(format!("'{kind}' is not known"))),
        }
    }
}

/// A whole number within bounds.
fn whole(key: &str, value: &str, least: usize, most: usize) -> Result<usize, String> {
    let number = value.parse().ok().filter(|number| (least..=most).contains(number));
    number.ok_or_else(|| format!("{key}={value} is not a whole number from {least} to {most}"))
}

/// A number above, or from, 0 to `most`.
fn real(key: &str, value: &str, least: f64, most: f64) -> Result<f64, String> {
    let number = value.parse().ok().filter(|number| (least..=most).contains(number));
    number.ok_or_else(|| format!("{key}={value} is not a number from {least} to {most}"))
}

/// KEY=VALUE, with a key that is not among those that were `seen`.
fn option<'a>(part: &'a str, seen: &mut Vec<&'a str>) -> Result<(&'a str, &'a str), String> {
    let (key, value) = part.split_once('=').ok_or_else(|| format!("'{part}' is not KEY=VALUE"))?;
    if seen.contains(&key) {
        return Err(format!("{key} is given twice"));
    }
    seen.push(key);
    Ok((key, value))
}

fn gabor<'a>(parts: impl Iterator<Item = &'a str>) -> Result<GaborSettings, String> {
    let mut settings = GaborSettings::default();
    let mut seen = Vec::new();
    for part in parts {
        match option(part, &mut seen)? {
            ("wavelength", value) => settings.wavelength = real("wavelength", value, 2.0, 64.0)?,
            ("orientations", value) => settings.orientations = whole("orientations", value, 1, 64)?,
            ("scales", value) => settings.scales = whole("scales", value, 1, 6)?,
            ("cell", value) => settings.cell = whole("cell", value, 1, 1024)?,
            (key, _) => {
                return Err(format!(
                    "gabor has wavelength, scales, orientations and cell, and no '{key}'"
                ));
            }
        }
    }
    Ok(settings)
}

fn random_conv<'a>(mut parts: impl Iterator<Item = &'a str>) -> Result<RandomConvSettings, String> {
    let count = parts.next().ok_or_else(|| "random-conv needs a number of filters".to_owned())?;
    let mut settings = RandomConvSettings::new(whole("N", count, 1, 1 << 20)?);
    let mut seen = Vec::new();
    for part in parts {
        match option(part, &mut seen)? {
            ("patch", value) => settings.patch = whole("patch", value, 1, 64)?,
            ("pool", value) => settings.pool = whole("pool", value, 1, 64)?,
            ("threshold", value) => settings.threshold = real("threshold", value, 0.0, 1e6)?,
            ("filters", "patches") => settings.filters = Filters::Patches,
            ("filters", "gaussian") => settings.filters = Filters::Gaussian,
            ("filters", value) => {
                return Err(format!("filters={value} is neither patches nor gaussian"));
            }
            (key, _) => {
                return Err(format!(
                    "random-conv has patch, filters, threshold and pool, and no '{key}'"
                ));
            }
        }
    }
    Ok(settings)
}
