//! Files that are there whole or not at all: written beside their place, then renamed into it.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use tempfile::{Builder, NamedTempFile};

/// How names of files begin that are being written.
const PREFIX: &str = ".unfinished-";

/// Files being written, so that an interrupt can take them away.
static UNFINISHED: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

fn unfinished() -> std::sync::MutexGuard<'static, BTreeSet<PathBuf>> {
    // A set of paths is usable whatever happened to the thread that held it.
    UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Removes what is half-written; for the handler of an interrupt, just before it exits.
pub fn remove_unfinished() {
    for path in unfinished().iter() {
        // It may have been renamed a moment ago; there is nobody left to tell.
        let _ = fs::remove_file(path);
    }
}

/// A file that appears under its name when it is [committed](AtomicFile::commit), replacing what
/// stood there, and leaves nothing behind when it is dropped before that.
///
/// ```
/// use std::io::Write;
/// use shatter_record::AtomicFile;
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("result.txt");
/// let mut file = AtomicFile::create(&path)?;
/// file.write_all(b"done\n")?;
/// assert!(!path.exists());
/// file.commit()?;
/// assert_eq!(std::fs::read(&path)?, b"done\n");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct AtomicFile {
    /// Present until it is committed.
    writer: Option<BufWriter<NamedTempFile>>,
    /// Where it is being written.
    unfinished: PathBuf,
    path: PathBuf,
}

impl Drop for AtomicFile {
    fn drop(&mut self) {
        self.writer.take(); // removes the file, if it has not been moved away
        unfinished().remove(&self.unfinished);
    }
}

impl AtomicFile {
    /// Starts writing what will be `path`; makes its folder if there is none.
    ///
    /// # Errors
    /// Those of the operating system.
    pub fn create(path: &Path) -> io::Result<AtomicFile> {
        let folder = folder_of(path);
        fs::create_dir_all(folder)?;
        let mut builder = Builder::new();
        builder.prefix(PREFIX);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            // As an ordinary new file; the umask applies.
            builder.permissions(fs::Permissions::from_mode(0o666));
        }
        // Made and registered under one lock: an interrupt waits, then finds it.
        let mut registered = unfinished();
        let file = builder.tempfile_in(folder)?;
        registered.insert(file.path().to_owned());
        drop(registered);
        let unfinished = file.path().to_owned();
        Ok(AtomicFile { writer: Some(BufWriter::new(file)), unfinished, path: path.to_owned() })
    }

    /// Moves the file to its place.
    ///
    /// # Errors
    /// Those of the operating system; the place is then as it was.
    pub fn commit(mut self) -> io::Result<()> {
        self.flush()?;
        let Some(writer) = self.writer.take() else { return Ok(()) };
        let (file, _) = writer.into_parts();
        file.as_file().sync_all()?;
        file.persist(&self.path).map_err(|error| error.error)?;
        sync_folder(folder_of(&self.path))
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.as_mut().map_or(Ok(0), |writer| writer.write(bytes))
    }
    fn flush(&mut self) -> io::Result<()> {
        self.writer.as_mut().map_or(Ok(()), BufWriter::flush)
    }
}

fn folder_of(path: &Path) -> &Path {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}

/// Makes a new name last, where folders can be synchronized.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { fs::File::open(folder)?.sync_all() } else { Ok(()) }
}

/// Removes what processes that were killed left half-written in a folder. Nobody else may be
/// writing there.
///
/// # Errors
/// Those of the operating system.
pub fn remove_leftovers(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        let left = entry.file_name().to_string_lossy().starts_with(PREFIX);
        if left && entry.file_type()?.is_file() && !unfinished().contains(&path) {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

/// Writes `bytes` to `path`, whole or not at all.
///
/// # Errors
/// Those of the operating system.
pub fn write(path: &Path, bytes: impl AsRef<[u8]>) -> io::Result<()> {
    let mut file = AtomicFile::create(path)?;
    file.write_all(bytes.as_ref())?;
    file.commit()
}
