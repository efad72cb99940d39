//! A factorisation on disk: the block columns that are done, in a file that grows at its end.
//!
//! ```text
//! offset  bytes
//! 0       16      "shatter-factor-1"
//! 16      8       n: rows of the matrix
//! 24      8       b: columns of a block column
//! 32      8       bytes of a number: 4 or 8
//! 40      32      digest of what is factored, as the caller says
//! 72      32      SHA-256 of the bytes before
//! 104     8       k: block columns that are in the file, whole
//! 112             k times: the numbers of a block column (`Packed::column`), and the SHA-256 of the 32 bytes at 72, the
//!                 number of the block column (8 bytes), and these numbers
//! ```
//!
//! All numbers are little-endian. Block columns are written behind those that k counts and reach the disk before k
//! does, so that a process that is killed leaves a file that is right: bytes beyond the counted ones are
//! written again. The reader refuses a file of another matrix, and one with a byte changed before its end. It
//! allocates nothing by the numbers of the file.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use shatter_exact::Element;

use crate::packed::Packed;

/// The first bytes of a file, but for its version.
const MAGIC: &[u8; 15] = b"shatter-factor-";
/// The version that is written.
const VERSION: u8 = b'1';
/// Bytes before the number of block columns.
const HEADER: usize = 104;
/// Where the first block column begins.
const START: u64 = HEADER as u64 + 8;
/// Bytes of a digest.
const DIGEST: usize = 32;
/// Numbers that are converted at a time.
const CHUNK: usize = 1 << 16;

/// Reason why a factorisation cannot be continued or kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The operating system refused.
    #[error("{file}: {source}", file = .file.display())]
    Io {
        /// The file.
        file: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The file is something else.
    #[error("{file} is not a checkpoint of a factorisation", file = .0.display())]
    NotOne(PathBuf),
    /// The file is of another version of the format.
    #[error("{file} is a checkpoint of a later version of the format", file = .0.display())]
    Version(PathBuf),
    /// The file belongs to another matrix.
    #[error("{file} is a checkpoint of another factorisation: its {what} is {found}, expected {expected}; remove it, or keep this one elsewhere", file = .file.display())]
    Other {
        /// The file.
        file: PathBuf,
        /// The property in which they differ.
        what: &'static str,
        /// The property of the file.
        found: String,
        /// The property of the matrix.
        expected: String,
    },
    /// The file ends before the block columns that it counts.
    #[error("{file} is truncated: it counts {counted} block columns, which take {expected} bytes; it has {found}; remove it to begin anew", file = .file.display())]
    Truncated {
        /// The file.
        file: PathBuf,
        /// Block columns that it counts.
        counted: u64,
        /// Bytes that these take.
        expected: u64,
        /// Bytes of the file.
        found: u64,
    },
    /// Bytes of the file have changed.
    #[error("{file} is damaged: {place} does not have the digest that was written with it; remove it to begin anew", file = .file.display())]
    Damaged {
        /// The file.
        file: PathBuf,
        /// The part with another digest.
        place: String,
    },
    /// The disk is too full for the whole factor.
    #[error("{file} will take {needed} more bytes, and its disk has {free} free", file = .file.display())]
    NoSpace {
        /// The file.
        file: PathBuf,
        /// Bytes still to be written.
        needed: u64,
        /// Bytes that are free.
        free: u64,
    },
    /// Another process writes the file.
    #[error("{file} is in use by another process", file = .0.display())]
    InUse(PathBuf),
}

/// A file of finished block columns, open and locked.
///
/// ```
/// use std::ops::ControlFlow;
/// use shatter_linear::checkpoint::Checkpoint;
/// use shatter_linear::cholesky::factor;
/// use shatter_linear::packed::Packed;
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("factor.bin");
/// let entry = |i: usize, j: usize| if i == j { 2.0 } else { 1.0 };
/// let digest = [7; 32]; // of what gives the entries
///
/// // A run that ends after its first block column.
/// let mut a = Packed::<f64>::with_block(5, 2)?;
/// let mut checkpoint = Checkpoint::open(&path, &mut a, digest)?;
/// a.fill_from(checkpoint.columns(), entry);
/// let mut kept = Ok(());
/// factor(&mut a, checkpoint.columns(), |l, progress| {
///     kept = checkpoint.append(l, progress.columns);
///     ControlFlow::Break(())
/// })?;
/// kept?;
/// drop(checkpoint);
///
/// // The next run has it, and computes the others alone.
/// let mut b = Packed::<f64>::with_block(5, 2)?;
/// let checkpoint = Checkpoint::open(&path, &mut b, digest)?;
/// assert_eq!(checkpoint.columns(), 1);
/// b.fill_from(1, entry);
/// factor(&mut b, 1, |_, _| ControlFlow::Continue(()))?;
/// # let mut whole = Packed::<f64>::with_block(5, 2)?;
/// # whole.fill(entry);
/// # factor(&mut whole, 0, |_, _| ControlFlow::Continue(()))?;
/// # assert!(b == whole);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Checkpoint {
    file: File,
    path: PathBuf,
    /// The digest of the header.
    header: [u8; DIGEST],
    columns: usize,
}

impl Checkpoint {
    /// Opens the file for the factorisation of a matrix that is given by what has the digest `of`, and reads the block
    /// columns that it holds into `matrix`; makes a file of none if there is none. The disk must have the bytes of the
    /// others.
    ///
    /// # Errors
    /// [`CheckpointError`]; `matrix` may then have been written to.
    pub fn open<E: Element>(
        path: &Path,
        matrix: &mut Packed<E>,
        of: [u8; DIGEST],
    ) -> Result<Checkpoint, CheckpointError> {
        let io = |source| CheckpointError::Io { file: path.to_owned(), source };
        let header = header(matrix, of);
        let mut options = OpenOptions::new();
        let open = options.read(true).write(true);
        let mut file = match open.open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                space(path, START + bytes(matrix, 0))?;
                let mut empty = header.to_vec();
                empty.extend([0; 8]);
                shatter_record::atomic::write(path, empty).map_err(io)?;
                open.open(path).map_err(io)?
            }
            found => found.map_err(io)?,
        };
        // Where the file system has no locks, nobody is kept away.
        if let Err(TryLockError::WouldBlock) = file.try_lock() {
            return Err(CheckpointError::InUse(path.to_owned()));
        }
        if holds_none(&mut file).map_err(io)? {
            // Of whatever it was to be, nothing is lost.
            file.set_len(0).map_err(io)?;
            file.rewind().map_err(io)?;
            file.write_all(&header).and_then(|()| file.write_all(&[0; 8])).map_err(io)?;
        }
        file.rewind().map_err(io)?;
        let columns = restore(&mut file, path, &header, matrix)?;
        space(path, bytes(matrix, columns))?;
        let mut digest = [0; DIGEST];
        digest.copy_from_slice(&header[HEADER - DIGEST..]);
        Ok(Checkpoint { file, path: path.to_owned(), header: digest, columns })
    }

    /// Block columns in the file.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Appends the block columns from those in the file to `columns`, which must be done, and waits until they are on the
    /// disk.
    ///
    /// # Errors
    /// [`CheckpointError::Io`]; the file is then as it was.
    ///
    /// # Panics
    /// If `matrix` has fewer block columns: a defect of the caller.
    pub fn append<E: Element>(
        &mut self,
        matrix: &Packed<E>,
        columns: usize,
    ) -> Result<(), CheckpointError> {
        assert!(columns <= matrix.blocks(), "block columns that a matrix does not have");
        if columns <= self.columns {
            return Ok(());
        }
        if let Err(source) = self.write(matrix, columns) {
            // What was written behind the counted columns would keep a full disk full.
            let counted = bytes(matrix, 0) - bytes(matrix, self.columns);
            let _ = self.file.set_len(START + counted);
            return Err(CheckpointError::Io { file: self.path.clone(), source });
        }
        self.columns = columns;
        Ok(())
    }

    fn write<E: Element>(&mut self, matrix: &Packed<E>, columns: usize) -> io::Result<()> {
        let written = bytes(matrix, 0) - bytes(matrix, self.columns);
        self.file.seek(SeekFrom::Start(START + written))?;
        let mut buffer = Vec::with_capacity(CHUNK * size_of::<E>());
        for k in self.columns..columns {
            let mut digest = digest(&self.header, k);
            for numbers in matrix.column(k).chunks(CHUNK) {
                buffer.clear();
                put(numbers, &mut buffer);
                digest.update(&buffer);
                self.file.write_all(&buffer)?;
            }
            self.file.write_all(&digest.finalize())?;
        }
        self.file.sync_data()?;
        self.file.seek(SeekFrom::Start(HEADER as u64))?;
        self.file.write_all(&(columns as u64).to_le_bytes())?;
        self.file.sync_data()
    }
}

/// Bytes of the file of the factor of `matrix`, all block columns in it.
#[must_use]
pub fn file_bytes<E: Element>(matrix: &Packed<E>) -> u64 {
    START + bytes(matrix, 0)
}

/// Bytes that the block columns from k on take.
fn bytes<E: Element>(matrix: &Packed<E>, k: usize) -> u64 {
    let each = |k: usize| size_of_val(matrix.column(k)) as u64 + DIGEST as u64;
    (k..matrix.blocks()).map(each).sum()
}

fn header<E: Element>(matrix: &Packed<E>, of: [u8; DIGEST]) -> [u8; HEADER] {
    let mut header = [0; HEADER];
    header[..15].copy_from_slice(MAGIC);
    header[15] = VERSION;
    let numbers = [matrix.n(), matrix.block(), size_of::<E>()];
    for (place, number) in header[16..40].chunks_exact_mut(8).zip(numbers) {
        place.copy_from_slice(&(number as u64).to_le_bytes());
    }
    header[40..72].copy_from_slice(&of);
    let digest = Sha256::digest(&header[..72]);
    header[72..].copy_from_slice(&digest);
    header
}

/// The digest of block column k, before its numbers.
fn digest(header: &[u8; DIGEST], k: usize) -> Sha256 {
    let mut digest = Sha256::new();
    digest.update(header);
    digest.update((k as u64).to_le_bytes());
    digest
}

fn put<E: Element>(numbers: &[E], to: &mut Vec<u8>) {
    if size_of::<E>() == 4 {
        // An f32 is its own nearest f32.
        numbers.iter().for_each(|&x| to.extend((x.to_f64() as f32).to_le_bytes()));
    } else {
        numbers.iter().for_each(|&x| to.extend(x.to_f64().to_le_bytes()));
    }
}

fn take<E: Element>(from: &[u8], numbers: &mut [E]) {
    let pairs = numbers.iter_mut().zip(from.chunks_exact(size_of::<E>()));
    for (number, bytes) in pairs {
        *number = E::of(match <[u8; 4]>::try_from(bytes) {
            Ok(bytes) => f64::from(f32::from_le_bytes(bytes)),
            Err(_) => <[u8; 8]>::try_from(bytes).map_or(f64::NAN, f64::from_le_bytes),
        });
    }
}

/// Returns whether a file is a checkpoint of this version with no block column.
fn holds_none(file: &mut File) -> io::Result<bool> {
    let mut found = Vec::new();
    Read::by_ref(file).take(START).read_to_end(&mut found)?;
    let begins = found.len() as u64 == START && found[..15] == *MAGIC && found[15] == VERSION;
    Ok(begins && found[HEADER..].iter().all(|&byte| byte == 0))
}

/// Reads the block columns of a file into `matrix`, and returns how many these are.
fn restore<E: Element>(
    file: &mut File,
    path: &Path,
    expected: &[u8; HEADER],
    matrix: &mut Packed<E>,
) -> Result<usize, CheckpointError> {
    let io = |source| CheckpointError::Io { file: path.to_owned(), source };
    let mut found = Vec::new();
    Read::by_ref(file).take(START).read_to_end(&mut found).map_err(io)?;
    if found.len() < 16 || found[..15] != *MAGIC {
        return Err(CheckpointError::NotOne(path.to_owned()));
    }
    if found[15] != VERSION {
        return Err(CheckpointError::Version(path.to_owned()));
    }
    let length = file.metadata().map_err(io)?.len();
    let (head, Some(count)) =
        (&found[..found.len().min(HEADER)], found.get(HEADER..START as usize))
    else {
        let file = path.to_owned();
        return Err(CheckpointError::Truncated {
            file,
            counted: 0,
            expected: START,
            found: length,
        });
    };
    let damaged = |place: String| CheckpointError::Damaged { file: path.to_owned(), place };
    if Sha256::digest(&head[..72])[..] != head[72..] {
        return Err(damaged("its header".to_owned()));
    }
    let number = |bytes: &[u8]| bytes.iter().rev().fold(0, |sum, &byte| sum << 8 | u64::from(byte));
    let other = |what, found: String, expected: String| {
        Err(CheckpointError::Other { file: path.to_owned(), what, found, expected })
    };
    for (at, what) in ["number of rows", "width of blocks", "size of numbers"].iter().enumerate() {
        let place = 16 + 8 * at..24 + 8 * at;
        let (found, expected) = (number(&head[place.clone()]), number(&expected[place]));
        if found != expected {
            return other(what, found.to_string(), expected.to_string());
        }
    }
    if head[40..72] != expected[40..72] {
        let hexadecimal = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let (found, expected) = (hexadecimal(&head[40..72]), hexadecimal(&expected[40..72]));
        return other("digest", found, expected);
    }
    let counted = number(count);
    let columns = usize::try_from(counted).ok().filter(|columns| *columns <= matrix.blocks());
    let columns = columns.ok_or_else(|| damaged("the number of block columns".to_owned()))?;
    let expected_length = START + bytes(matrix, 0) - bytes(matrix, columns);
    if length < expected_length {
        let (file, expected) = (path.to_owned(), expected_length);
        return Err(CheckpointError::Truncated { file, counted, expected, found: length });
    }
    let mut own = [0; DIGEST];
    own.copy_from_slice(&head[72..]);
    let mut buffer = vec![0; CHUNK * size_of::<E>()];
    for k in 0..columns {
        let mut digest = digest(&own, k);
        for numbers in matrix.column_mut(k).chunks_mut(CHUNK) {
            let bytes = &mut buffer[..size_of_val(numbers)];
            file.read_exact(bytes).map_err(io)?;
            digest.update(&*bytes);
            take(bytes, numbers);
        }
        let mut found = [0; DIGEST];
        file.read_exact(&mut found).map_err(io)?;
        if digest.finalize()[..] != found {
            return Err(damaged(format!("block column {k}")));
        }
    }
    Ok(columns)
}

/// Refuses a disk that has not so many bytes free, where that is known.
fn space(path: &Path, needed: u64) -> Result<(), CheckpointError> {
    match free(path) {
        Some(free) if free < needed => {
            Err(CheckpointError::NoSpace { file: path.to_owned(), needed, free })
        }
        _ => Ok(()),
    }
}

/// Bytes that this user may still write where `path` is, or will be; `None` where that is not known.
#[must_use]
pub fn free(path: &Path) -> Option<u64> {
    #[cfg(unix)]
    {
        let there = path.ancestors().map(|folder| match folder.as_os_str().is_empty() {
            true => Path::new("."),
            false => folder,
        });
        let found =
            there.filter(|folder| folder.exists()).find_map(|f| rustix::fs::statvfs(f).ok())?;
        Some(found.f_bavail.saturating_mul(found.f_frsize))
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        None
    }
}
