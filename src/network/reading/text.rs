//! Readings in words, and in the metadata of files.

use super::classes::{shown, visible};
use super::{How, Reading, ReadingError, counted};

/// Keys of the metadata.
const READING: &str = "reading";
const CLASSES: &str = "classes";

impl Reading {
    /// Describes the reading for a network of so many outputs: `largest of 3 outputs: setosa, versicolor, virginica`.
    pub fn describe(&self, outputs: usize) -> String {
        let Reading { how, classes } = self;
        let text = format!("{how} of {}", counted(outputs));
        match how {
            _ if classes.is_empty() => text,
            How::Largest | How::OneHot => format!("{text}: {}", shown(classes)),
            How::Sign | How::Half => {
                let name = |k: usize| classes.get(k).map_or(String::new(), |name| visible(name));
                let threshold = if *how == How::Sign { "0" } else { "1/2" };
                format!("{text}: {} below {threshold}, {} above", name(0), name(1))
            }
            How::Value | How::Bits => {
                const MOST: usize = 6;
                let one = |(k, name): (usize, &String)| format!("{k} = {}", visible(name));
                let first: Vec<String> = classes.iter().take(MOST).enumerate().map(one).collect();
                let more = if classes.len() > MOST { ", …" } else { "" };
                format!("{text}: {}{more}", first.join(", "))
            }
        }
    }

    /// Texts for the metadata of files: the rule, and the names of classes as a JSON array where there are any.
    pub fn metadata(&self) -> Vec<(String, String)> {
        let mut texts = vec![(READING.to_owned(), self.how.name().to_owned())];
        if !self.classes.is_empty() {
            texts.push((CLASSES.to_owned(), serde_json::json!(self.classes).to_string()));
        }
        texts
    }

    /// The reading in the metadata of a file; `None` where it has none, which of files of other programs may be a
    /// text that is no reading.
    ///
    /// ```
    /// use shatter_network::{Reading, reading::How};
    /// let reading = Reading { how: How::Sign, classes: vec!["no".into(), "yes, \"x\"".into()] };
    /// assert_eq!(Reading::from_metadata(&reading.metadata())?, Some(reading));
    /// assert_eq!(Reading::from_metadata(&[])?, None);
    /// # Ok::<(), shatter_network::reading::ReadingError>(())
    /// ```
    ///
    /// # Errors
    /// [`ReadingError::File`] for names of classes that are no JSON array of texts.
    pub fn from_metadata(texts: &[(String, String)]) -> Result<Option<Reading>, ReadingError> {
        let text = |key: &str| texts.iter().find(|(name, _)| name == key).map(|(_, text)| text);
        let Some(how) = text(READING).and_then(|text| text.parse().ok()) else { return Ok(None) };
        let classes = match text(CLASSES) {
            None => Vec::new(),
            Some(text) => serde_json::from_str(text)
                .map_err(|error| ReadingError::File(format!("names of classes: {error}")))?,
        };
        Ok(Some(Reading { how, classes }))
    }
}
