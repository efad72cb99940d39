//! The lines of a file, one by one and within limits, hashed as they are read.

use std::io::{BufRead, Read};

use sha2::{Digest, Sha256};

use shatter_sample::fingerprint::hex;

use crate::ReadError;

/// Longest line in bytes, without its newline: a number of 64 million bits.
const LONGEST: u64 = 1 << 24;

/// Reads lines, and the digest that ends them.
pub struct Lines<R> {
    reader: R,
    hasher: Sha256,
    number: u64,
    /// The current line with its newline.
    buffer: Vec<u8>,
    /// Hand out the current line once more.
    unread: bool,
}

/// A line without its newline, printable ASCII.
#[derive(Clone, Copy)]
pub struct Line<'a> {
    /// Its number, from 1.
    pub number: u64,
    pub text: &'a str,
}

impl<'a> Line<'a> {
    /// The rest of the line, if it starts with `keyword` and a blank.
    pub fn after(self, keyword: &str) -> Option<&'a str> {
        self.text.strip_prefix(keyword)?.strip_prefix(' ')
    }

    /// The error of a line on which something else is expected.
    pub fn refuse(self, expected: impl Into<String>) -> ReadError {
        let found = excerpt(self.text);
        ReadError::Line { line: self.number, expected: expected.into(), found }
    }
}

impl<R: BufRead> Lines<R> {
    pub fn new(reader: R) -> Lines<R> {
        Lines { reader, hasher: Sha256::new(), number: 0, buffer: Vec::new(), unread: false }
    }

    /// The next line.
    pub fn next(&mut self, expected: &str) -> Result<Line<'_>, ReadError> {
        if !std::mem::take(&mut self.unread) {
            self.advance(expected)?;
        }
        let text = self.buffer.strip_suffix(b"\n").unwrap_or_default();
        match std::str::from_utf8(text) {
            Ok(text) if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) => {
                Ok(Line { number: self.number, text })
            }
            _ => {
                let text = &String::from_utf8_lossy(text);
                Err(Line { number: self.number, text }.refuse("printable ASCII"))
            }
        }
    }

    /// The next line, and what follows `keyword` on it.
    pub fn keyword(&mut self, keyword: &str) -> Result<(Line<'_>, &str), ReadError> {
        let expected = format!("'{keyword} …'");
        let line = self.next(&expected)?;
        let rest = line.after(keyword).ok_or_else(|| line.refuse(expected))?;
        Ok((line, rest))
    }

    /// Like [`keyword`](Self::keyword) if the next line starts with it; otherwise leaves the line to be read.
    pub fn optional(&mut self, keyword: &str) -> Result<Option<(Line<'_>, &str)>, ReadError> {
        let found = self.next("another line")?.after(keyword).is_some();
        self.unread = true;
        if found { self.keyword(keyword).map(Some) } else { Ok(None) }
    }

    fn advance(&mut self, expected: &str) -> Result<(), ReadError> {
        // The digest is of all lines before its own, which is the last.
        self.hasher.update(&self.buffer);
        self.buffer.clear();
        self.number += 1;
        let line = self.number;
        let read = self.reader.by_ref().take(LONGEST + 1).read_until(b'\n', &mut self.buffer);
        read.map_err(|source| ReadError::Io { line, source })?;
        match self.buffer.last() {
            Some(b'\n') => Ok(()),
            _ if self.buffer.len() as u64 > LONGEST => {
                Err(ReadError::LongLine { line, limit: LONGEST })
            }
            _ => Err(ReadError::Truncated { line, expected: expected.to_owned() }),
        }
    }

    /// Reads the digest and the end of the file; returns the digest.
    pub fn finish(mut self) -> Result<String, ReadError> {
        let claimed = self.keyword("digest")?.1.to_owned();
        if claimed != hex(&self.hasher.finalize()) {
            return Err(ReadError::Digest);
        }
        let line = self.number + 1;
        match self.reader.read(&mut [0]) {
            Ok(0) => Ok(claimed),
            Ok(_) => Err(ReadError::Trailing { line }),
            Err(source) => Err(ReadError::Io { line, source }),
        }
    }
}

/// At most 100 characters of a text, those that do not print replaced.
pub fn excerpt(text: &str) -> String {
    let visible = |c: char| if c.is_control() { '?' } else { c };
    let start: String = text.chars().take(100).map(visible).collect();
    if start.len() < text.len() { format!("{start}…") } else { start }
}
