//! Opening the files of a sample: gzip (RFC 1952) is recognised by its first two bytes, not by
//! its name, and unpacked on the way; xz and folders are refused.
//!
//! No length that a file announces is believed before that many bytes have been read: buffers
//! grow with what has arrived. What a packed file unpacks to is limited as well, to 1 GiB or a
//! hundred times its own size, whichever is more, so that a small file cannot fill the memory.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, BufReader, Cursor, Read};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;

use super::SampleError;

/// Which part of a data set that comes in two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Split {
    /// The part to learn from.
    Train,
    /// The part to test on.
    Test,
}

impl fmt::Display for Split {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Split::Train => "train",
            Split::Test => "test",
        })
    }
}

const GZIP: &[u8] = &[0x1f, 0x8b];
const XZ: &[u8] = &[0xfd, b'7', b'z', b'X', b'Z', 0];
/// Unpacked bytes that every file may have.
const ALWAYS: u64 = 1 << 30;
/// Unpacked bytes for each packed byte that a file may have beyond that.
const EXPANSION: u64 = 100;
/// Bytes that are read at a time: a multiple of the size of every number.
const PIECE: usize = 1 << 16;

/// An open file, or a member of an archive, with the name that errors give it.
pub struct Source<'a> {
    name: PathBuf,
    reader: Box<dyn Read + 'a>,
    /// Bytes that may still be read.
    left: u64,
}

impl fmt::Debug for Source<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source")
            .field("name", &self.name)
            .field("left", &self.left)
            .finish_non_exhaustive()
    }
}

impl<'a> Source<'a> {
    /// Opens a file; gzip is unpacked.
    pub fn open(path: &Path) -> Result<Source<'static>, SampleError> {
        let (file, limit) = open_plain(path)?;
        let mut file = BufReader::with_capacity(PIECE, file);
        let mut head = Vec::with_capacity(XZ.len());
        (&mut file)
            .take(XZ.len() as u64)
            .read_to_end(&mut head)
            .map_err(|source| SampleError::Io { file: path.into(), source })?;
        if head == XZ {
            let reason = format!(
                "it is packed with xz, which is not read here; unpack it first: \
                 tar -xJf {path} for an archive (.tar.xz), xz -dk {path} for one file",
                path = path.display()
            );
            return Err(SampleError::Format { file: path.into(), reason });
        }
        let packed = head.starts_with(GZIP);
        let whole = Cursor::new(head).chain(file);
        let reader: Box<dyn Read> =
            if packed { Box::new(MultiGzDecoder::new(whole)) } else { Box::new(whole) };
        Ok(Source { name: path.into(), reader, left: limit })
    }

    /// A member of an archive.
    pub fn member(name: PathBuf, reader: impl Read + 'a, limit: u64) -> Source<'a> {
        Source { name, reader: Box::new(reader), left: limit }
    }

    /// The name for errors.
    #[must_use]
    pub fn name(&self) -> &Path {
        &self.name
    }

    /// The error of this file with the given reason.
    pub fn format(&self, reason: impl Into<String>) -> SampleError {
        SampleError::Format { file: self.name.clone(), reason: reason.into() }
    }

    /// Turns an error of reading into one that names this file.
    #[must_use]
    pub fn io(&self, source: io::Error) -> SampleError {
        use io::ErrorKind::{InvalidData, InvalidInput, Other, UnexpectedEof};
        match source.kind() {
            UnexpectedEof => self.format("it is truncated: its compressed data end too early"),
            InvalidData | InvalidInput | Other => self.format(format!("cannot unpack: {source}")),
            _ => SampleError::Io { file: self.name.clone(), source },
        }
    }

    /// The next `N` bytes; `what` names them if they are not there.
    pub fn header<const N: usize>(&mut self, what: &str) -> Result<[u8; N], SampleError> {
        let mut bytes = [0; N];
        let found = fill(self, &mut bytes).map_err(|(_, e)| self.io(e))?;
        if found < N {
            let reason = format!("it ends within {what}: expected {N} bytes, found {found}");
            return Err(self.format(reason));
        }
        Ok(bytes)
    }

    /// Hands over exactly `bytes` bytes in pieces, whose lengths are multiples of 8 but for the last.
    pub fn pieces(
        &mut self,
        bytes: u64,
        mut take: impl FnMut(&[u8]) -> Result<(), SampleError>,
    ) -> Result<(), SampleError> {
        let mut piece = vec![0; PIECE];
        let mut done = 0;
        while done < bytes {
            let size = usize::try_from(bytes - done).map_or(PIECE, |rest| rest.min(PIECE));
            let part = piece.get_mut(..size).unwrap_or_default();
            let found = match fill(&mut *self, part) {
                Ok(found) => found,
                Err((found, e)) if e.kind() == io::ErrorKind::UnexpectedEof => found,
                Err((_, e)) => return Err(self.io(e)),
            };
            if found < size {
                let found = done + found as u64;
                return Err(SampleError::Truncated {
                    file: self.name.clone(),
                    expected: bytes,
                    found,
                });
            }
            take(part)?;
            done += size as u64;
        }
        Ok(())
    }

    /// Exactly `bytes` bytes.
    pub fn exactly(&mut self, bytes: u64) -> Result<Vec<u8>, SampleError> {
        let mut all = Vec::new();
        let name = self.name.clone();
        self.pieces(bytes, |piece| {
            reserve(&mut all, piece.len(), bytes, &name)?;
            all.extend_from_slice(piece);
            Ok(())
        })?;
        Ok(all)
    }

    /// Everything up to the end.
    pub fn rest(&mut self) -> Result<Vec<u8>, SampleError> {
        let mut all = Vec::new();
        match self.read_to_end(&mut all) {
            Ok(_) => Ok(all),
            Err(e) => Err(self.io(e)),
        }
    }

    /// Checks that nothing follows the `bytes` bytes of data (and, in gzip, that the checksum holds).
    pub fn end(&mut self, bytes: u64) -> Result<(), SampleError> {
        const MOST: u64 = 1 << 20;
        match io::copy(&mut (&mut *self).take(MOST), &mut io::sink()) {
            Ok(0) => Ok(()),
            Ok(extra) => {
                let least = if extra == MOST { "at least " } else { "" };
                Err(self.format(format!(
                    "its header announces {bytes} bytes of data, but {least}{extra} more follow"
                )))
            }
            Err(e) => Err(self.io(e)),
        }
    }
}

impl Read for Source<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let size = usize::try_from(self.left).map_or(buffer.len(), |left| left.min(buffer.len()));
        if size == 0 && !buffer.is_empty() {
            return match self.reader.read(&mut [0])? {
                0 => Ok(0),
                _ => Err(io::Error::other(
                    "it unpacks to more than a file of its size may unpack to",
                )),
            };
        }
        let read = self.reader.read(buffer.get_mut(..size).unwrap_or_default())?;
        self.left = self.left.saturating_sub(read as u64);
        Ok(read)
    }
}

/// Opens a file as it is, with the number of bytes that it may unpack to.
pub fn open_plain(path: &Path) -> Result<(File, u64), SampleError> {
    let io = |source| SampleError::Io { file: path.into(), source };
    let about = fs::metadata(path).map_err(io)?;
    if about.is_dir() {
        return Err(SampleError::IsFolder(path.into()));
    }
    let limit = about.len().saturating_mul(EXPANSION).max(ALWAYS);
    Ok((File::open(path).map_err(io)?, limit))
}

/// Checks that the path is a folder.
pub fn expect_folder(path: &Path, wanted: &str) -> Result<(), SampleError> {
    let about =
        fs::metadata(path).map_err(|source| SampleError::Io { file: path.into(), source })?;
    if about.is_dir() {
        return Ok(());
    }
    let reason = format!("it is a file; expected {wanted}");
    Err(SampleError::Format { file: path.into(), reason })
}

/// Room for `more` elements: at most twice what is there already, and never beyond `total`.
pub fn reserve<T>(
    values: &mut Vec<T>,
    more: usize,
    total: u64,
    file: &Path,
) -> Result<(), SampleError> {
    if values.capacity() - values.len() >= more {
        return Ok(());
    }
    let missing = total.saturating_sub(values.len() as u64);
    let room = usize::try_from(missing).map_or(values.len(), |missing| missing.min(values.len()));
    values.try_reserve_exact(room.max(more)).map_err(|_| SampleError::Io {
        file: file.into(),
        source: io::Error::from(io::ErrorKind::OutOfMemory),
    })
}

/// Fills the buffer as far as the reader goes: how many bytes there were, also beside an error.
fn fill(reader: &mut impl Read, buffer: &mut [u8]) -> Result<usize, (usize, io::Error)> {
    let mut found = 0;
    while let Some(rest @ [_, ..]) = buffer.get_mut(found..) {
        match reader.read(rest) {
            Ok(0) => break,
            Ok(read) => found += read,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err((found, e)),
        }
    }
    Ok(found)
}
