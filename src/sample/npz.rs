//! Points and labels from NumPy: two arrays in an NPZ (a zip archive, its members stored or deflated).

use std::io::BufReader;
use std::path::Path;

use zip::ZipArchive;
use zip::result::ZipError;

use super::array;
use super::files::{self, Source};
use super::npy::{ArrayOptions, pair, to_labels, to_points};
use super::{Labels, Points, SampleError};

/// Points and labels from the arrays of these names in an NPZ file.
///
/// # Errors
/// Those of [`npy::read`](super::npy::read); [`SampleError::NoSuchFile`] if there is no array of that name.
pub fn read(
    file: &Path,
    points: &str,
    labels: &str,
    options: &ArrayOptions,
) -> Result<(Points, Labels), SampleError> {
    let (opened, limit) = files::open_plain(file)?;
    let not_zip = |e: ZipError| SampleError::Format {
        file: file.into(),
        reason: format!("cannot be read as an NPZ (zip) archive: {e}"),
    };
    let mut archive = ZipArchive::new(BufReader::new(opened)).map_err(not_zip)?;
    let mut member = |name: &str| {
        let inside = format!("{name}.npy");
        let Some(position) = archive.index_for_name(&inside) else {
            let names = archive.file_names().take(20).flatten();
            let names: Vec<String> = names.map(|name| name.escape_debug().to_string()).collect();
            let wanted = format!("{inside} (the archive holds {})", names.join(", "));
            return Err(SampleError::NoSuchFile { folder: file.into(), wanted });
        };
        let member = archive.by_index(position).map_err(not_zip)?;
        let name = file.join(inside);
        Ok((array::read(&mut Source::member(name.clone(), member, limit))?, name))
    };
    let (points, points_name) = member(points)?;
    let (labels, labels_name) = member(labels)?;
    pair(to_points(points, &points_name, options)?, to_labels(labels, &labels_name, options)?)
}
