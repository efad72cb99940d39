//! How the outputs of a trained network say labels, as its checkpoint has it.

use serde_json::Value;

use shatter_network::Reading;
use shatter_network::reading::{How, ReadingError};
use shatter_sample::Labels;

use super::compile::Loss;

/// The entry of the data's description that holds the names of the classes.
const CLASSES: &str = "classes";

/// Adds the names of the classes to what a run says of its data, where they have any.
pub(super) fn describe(description: &mut Value, labels: &Labels) {
    if !labels.class_names().is_empty() {
        description[CLASSES] = serde_json::json!(labels.class_names());
    }
}

/// Whether an entry of a description was not written once, so that its absence says nothing.
pub(super) fn is_new(key: &str) -> bool {
    key == CLASSES
}

/// The reading that the settings of a checkpoint say: the largest output, with the names of the classes where the
/// training sample had them, of a network that was trained to classify; `None` of squared losses, which real labels
/// have too.
///
/// # Errors
/// [`ReadingError::Lost`] of a network that was trained on the classes of a table before their names were kept;
/// [`ReadingError::File`] for names that are none.
pub fn reading(settings: &Value) -> Result<Option<Reading>, ReadingError> {
    let data = &settings["data"];
    let classes: Vec<String> = match &data[CLASSES] {
        Value::Null => Vec::new(),
        names => serde_json::from_value(names.clone())
            .map_err(|error| ReadingError::File(format!("names of classes: {error}")))?,
    };
    let loss = serde_json::from_value::<Loss>(settings["settings"]["loss"].clone()).ok();
    if loss != Some(Loss::CrossEntropy) && classes.is_empty() {
        return Ok(None);
    }
    // Classes of tables have names, always.
    if classes.is_empty() && data["sample"].as_str().is_some_and(|text| text.starts_with("csv:")) {
        return Err(ReadingError::Lost);
    }
    Ok(Some(Reading { how: How::Largest, classes }))
}
