//! Reading a file line by line, within limits, and hashing what was read.

use std::io::{BufRead, Read};

use sha2::{Digest, Sha256};

use shatter_sample::fingerprint::hex;

use super::Rejection;

/// Longest line: a number of 64 million bits.
const LIMIT: u64 = 1 << 24;

/// The lines of a file.
pub struct Lines<R> {
    reader: R,
    hasher: Sha256,
    line: u64,
    buffer: Vec<u8>,
    /// True if the line in the buffer is to be read once more.
    again: bool,
}

impl<R: BufRead> Lines<R> {
    /// Starts at the first line.
    pub fn new(reader: R) -> Lines<R> {
        Lines { reader, hasher: Sha256::new(), line: 0, buffer: Vec::new(), again: false }
    }

    /// The number of the line read last.
    pub fn number(&self) -> u64 {
        self.line
    }

    /// The next line without its newline; it must be ASCII and end with one.
    ///
    /// # Errors
    /// [`Rejection::Truncated`], [`Rejection::LongLine`], [`Rejection::Line`], [`Rejection::Io`].
    pub fn next(&mut self, expected: &str) -> Result<&str, Rejection> {
        if std::mem::take(&mut self.again) {
            return Ok(self.text());
        }
        self.line += 1;
        let line = self.line;
        // The digest is of all lines before its own, which is the last: a line is hashed when another one follows.
        self.hasher.update(&self.buffer);
        self.buffer.clear();
        let read = self.reader.by_ref().take(LIMIT + 1).read_until(b'\n', &mut self.buffer);
        read.map_err(|source| Rejection::Io { line, source })?;
        if self.buffer.last() != Some(&b'\n') {
            return Err(if self.buffer.len() as u64 > LIMIT {
                Rejection::LongLine { line, limit: LIMIT }
            } else {
                Rejection::Truncated { line, expected: expected.to_owned() }
            });
        }
        let text = &self.buffer[..self.buffer.len() - 1];
        match std::str::from_utf8(text) {
            Ok(text) if text.chars().all(|c| c == ' ' || c.is_ascii_graphic()) => Ok(text),
            _ => Err(Rejection::Line {
                line,
                expected: "printable ASCII".to_owned(),
                found: excerpt(&String::from_utf8_lossy(text)),
            }),
        }
    }

    /// The rest of the next line, which must start with `keyword` and a space.
    ///
    /// # Errors
    /// As [`next`](Self::next).
    pub fn keyword(&mut self, keyword: &str) -> Result<String, Rejection> {
        let expected = format!("'{keyword} …'");
        let text = self.next(&expected)?;
        match text.strip_prefix(keyword).and_then(|rest| rest.strip_prefix(' ')) {
            Some(rest) => Ok(rest.to_owned()),
            None => {
                let found = excerpt(text);
                Err(Rejection::Line { line: self.line, expected, found })
            }
        }
    }

    /// The rest of the next line, if it starts with `keyword` and a space; otherwise the line is left to be read.
    ///
    /// # Errors
    /// As [`next`](Self::next).
    pub fn optional(&mut self, keyword: &str) -> Result<Option<String>, Rejection> {
        let text = self.next("another line")?;
        let rest = text.strip_prefix(keyword).and_then(|rest| rest.strip_prefix(' '));
        let rest = rest.map(str::to_owned);
        self.again = rest.is_none();
        Ok(rest)
    }

    /// The line that [`next`](Self::next) returned last.
    pub fn text(&self) -> &str {
        let line = self.buffer.strip_suffix(b"\n").unwrap_or(&self.buffer);
        std::str::from_utf8(line).unwrap_or("")
    }

    /// A rejection of the line read last.
    pub fn refuse(&self, expected: impl Into<String>) -> Rejection {
        let found = excerpt(&String::from_utf8_lossy(&self.buffer));
        Rejection::Line { line: self.line, expected: expected.into(), found }
    }

    /// Reads the digest line and the end of the file.
    ///
    /// # Errors
    /// [`Rejection::Digest`], [`Rejection::Trailing`], and those of [`next`](Self::next).
    pub fn finish(mut self) -> Result<String, Rejection> {
        let claimed = self.keyword("digest")?;
        if claimed != hex(&self.hasher.finalize()) {
            return Err(Rejection::Digest);
        }
        let mut rest = [0];
        match self.reader.read(&mut rest) {
            Ok(0) => Ok(claimed),
            Ok(_) => Err(Rejection::Trailing { line: self.line + 1 }),
            Err(source) => Err(Rejection::Io { line: self.line + 1, source }),
        }
    }
}

/// At most 100 characters of a line, printable.
pub fn excerpt(text: &str) -> String {
    let visible = |c: char| if c.is_control() { '?' } else { c };
    let text = text.trim_end_matches('\n');
    let start: String = text.chars().take(100).map(visible).collect();
    if start.len() < text.len() { format!("{start}…") } else { start }
}
