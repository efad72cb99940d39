//! Files that are there whole or not at all: written beside their place, then renamed into it.
//!
//! Each file is locked while it is being written, so that what a dead process left can be told from what another one
//! is writing.

use std::collections::BTreeSet;
use std::fs::{self, File, TryLockError};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use tempfile::{Builder, NamedTempFile};

/// How names of files begin that are being written. [`RANDOM`] letters and digits follow.
const PREFIX: &str = ".shatter-unfinished-";

/// How they began once.
const OLD_PREFIX: &str = ".unfinished-";

/// Letters and digits after the prefix.
const RANDOM: usize = 6;

/// How often a new file is made again because another process took it for a leftover.
const TRIES: usize = 100;

/// What this process writes.
struct Unfinished {
    /// Files being written, so that an interrupt can take them away.
    files: BTreeSet<PathBuf>,
    /// Folders from which leftovers were removed.
    swept: BTreeSet<PathBuf>,
}

static UNFINISHED: Mutex<Unfinished> =
    Mutex::new(Unfinished { files: BTreeSet::new(), swept: BTreeSet::new() });

fn unfinished() -> std::sync::MutexGuard<'static, Unfinished> {
    // Sets of paths are usable whatever happened to the thread that held them.
    UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Removes the files that this process is writing, and keeps it from starting others: whoever does waits for the end
/// of the process. For the handler of an interrupt, just before it exits.
pub fn abandon() {
    let unfinished = unfinished();
    for path in &unfinished.files {
        // It may have been renamed a moment ago; there is nobody left to tell.
        let _ = fs::remove_file(path);
    }
    std::mem::forget(unfinished); // the lock is never released
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
        unfinished().files.remove(&self.unfinished);
    }
}

impl AtomicFile {
    /// Starts writing what will be `path`; makes its folder if there is none. The first file in a folder removes
    /// what dead processes left half-written there.
    ///
    /// # Errors
    /// Those of the operating system.
    pub fn create(path: &Path) -> io::Result<AtomicFile> {
        let folder = folder_of(path);
        fs::create_dir_all(folder)?;
        let mut builder = Builder::new();
        builder.prefix(PREFIX).rand_bytes(RANDOM);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            // As an ordinary new file; the umask applies.
            builder.permissions(fs::Permissions::from_mode(0o666));
        }
        // Made and registered under one lock: an interrupt waits, then finds it.
        let mut registered = unfinished();
        if registered.swept.insert(folder.to_owned()) {
            // A leftover that cannot be removed is in nobody's way.
            let _ = sweep(folder, &[PREFIX], &registered.files);
        }
        let file = locked(&builder, folder)?;
        registered.files.insert(file.path().to_owned());
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

/// A new file, locked where the file system can.
fn locked(builder: &Builder, folder: &Path) -> io::Result<NamedTempFile> {
    for _ in 0..TRIES {
        let file = builder.tempfile_in(folder)?;
        match file.as_file().try_lock() {
            // Between its making and its lock another process may have removed it.
            Ok(()) if is_at(file.as_file(), file.path())? => return Ok(file),
            Ok(()) | Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(_)) => return Ok(file),
        }
    }
    Err(io::Error::other("another process removes each new file"))
}

/// Removes what dead processes left half-written in a folder of a run: files that nobody has locked, and that can be
/// removed. Takes the names that earlier versions gave them, too, which are nobody else's there.
///
/// # Errors
/// Those of listing the folder.
pub fn remove_leftovers(folder: &Path) -> io::Result<()> {
    sweep(folder, &[PREFIX, OLD_PREFIX], &unfinished().files)
}

fn sweep(folder: &Path, prefixes: &[&str], own: &BTreeSet<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let (name, path) = (entry.file_name(), entry.path());
        let ours = |prefix: &&str| {
            let rest = name.to_str().and_then(|name| name.strip_prefix(prefix));
            rest.is_some_and(|rest| {
                rest.len() == RANDOM && rest.bytes().all(|byte| byte.is_ascii_alphanumeric())
            })
        };
        let file = entry.file_type().is_ok_and(|kind| kind.is_file());
        if !file || !prefixes.iter().any(ours) || own.contains(&path) {
            continue;
        }
        // A lock needs no right to write. What another user's process left, or writes, is in nobody's way.
        let unlocked = |file: File| file.try_lock().is_ok();
        if File::open(&path).is_ok_and(unlocked) {
            let _ = fs::remove_file(path);
        }
    }
    Ok(())
}

/// Tells whether `path` still names the open `file`, which may have been removed or replaced.
///
/// # Errors
/// Those of the operating system.
pub fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let found = match fs::metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let held = file.metadata()?;
        Ok((held.dev(), held.ino()) == (found.dev(), found.ino()))
    }
    #[cfg(not(unix))]
    {
        // A file that is open cannot be removed there.
        let _ = (file, found);
        Ok(true)
    }
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
