//! The header of an NPY file: a Python dictionary literal of three entries.
//!
//! `{'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }`. Refused: other versions than 1
//! to 3, more than 64 KiB, other entries, and types that are not one string (records).

use super::SampleError;
use super::files::Source;

/// NumPy itself refuses more than 10000 bytes.
const LONGEST: u32 = 1 << 16;
const MAGIC: [u8; 6] = *b"\x93NUMPY";

/// The contents of a header.
#[derive(Debug, PartialEq)]
pub(crate) struct Header {
    /// The type, such as `<f8`.
    pub(crate) descr: String,
    /// True if the first index runs fastest.
    pub(crate) fortran_order: bool,
    /// The sides.
    pub(crate) shape: Vec<usize>,
}

/// Reads magic number, version and header.
pub(crate) fn read(source: &mut Source<'_>) -> Result<Header, SampleError> {
    let magic: [u8; 6] = source.header("the six bytes of the magic number")?;
    if magic != MAGIC {
        let found = magic.escape_ascii();
        let hint = if magic.starts_with(b"PK") { " (an NPZ archive?)" } else { "" };
        return Err(source.format(format!(
            "it is not an NPY file: it begins with '{found}'{hint}, not with '\\x93NUMPY'"
        )));
    }
    let [major, minor]: [u8; 2] = source.header("its version")?;
    let length = match major {
        1 => u16::from_le_bytes(source.header("the length of its header")?).into(),
        2 | 3 => u32::from_le_bytes(source.header("the length of its header")?),
        _ => {
            let reason = format!("it is of version {major}.{minor} of NPY; expected 1, 2 or 3");
            return Err(source.format(reason));
        }
    };
    if length > LONGEST {
        let reason = format!("its header of {length} bytes is longer than {LONGEST}");
        return Err(source.format(reason));
    }
    let text = source.exactly(length.into())?;
    let text = std::str::from_utf8(&text).map_err(|_| source.format("its header is not text"))?;
    parse(text).map_err(|reason| source.format(reason))
}

fn parse(text: &str) -> Result<Header, String> {
    let mut scanner = Scanner { rest: text };
    let (mut descr, mut fortran_order, mut shape) = (None, None, None);
    scanner.expect('{')?;
    while !scanner.eat('}') {
        let key = scanner.string()?;
        scanner.expect(':')?;
        let fresh = match key {
            "descr" => descr.replace(scanner.descr()?.to_string()).is_none(),
            "fortran_order" => fortran_order.replace(scanner.truth()?).is_none(),
            "shape" => shape.replace(scanner.sides()?).is_none(),
            _ => return Err(format!("its header has an unknown entry '{key}'")),
        };
        if !fresh {
            return Err(format!("its header has two entries '{key}'"));
        }
        if !scanner.eat(',') {
            scanner.expect('}')?;
            break;
        }
    }
    if !scanner.rest.trim().is_empty() {
        return Err("its header continues after the dictionary".into());
    }
    match (descr, fortran_order, shape) {
        (Some(descr), Some(fortran_order), Some(shape)) => {
            Ok(Header { descr, fortran_order, shape })
        }
        _ => Err("its header lacks one of descr, fortran_order and shape".into()),
    }
}

struct Scanner<'a> {
    rest: &'a str,
}

impl<'a> Scanner<'a> {
    fn eat(&mut self, wanted: char) -> bool {
        let rest = self.rest.trim_start();
        let after = rest.strip_prefix(wanted);
        self.rest = after.unwrap_or(rest);
        after.is_some()
    }

    fn expect(&mut self, wanted: char) -> Result<(), String> {
        if self.eat(wanted) { Ok(()) } else { Err(self.unexpected(&format!("'{wanted}'"))) }
    }

    fn unexpected(&self, wanted: &str) -> String {
        let found: String = self.rest.chars().take(20).collect();
        format!("its header has '{}'; expected {wanted}", found.escape_debug())
    }

    fn string(&mut self) -> Result<&'a str, String> {
        let quote = ['\'', '"'].into_iter().find(|&quote| self.eat(quote));
        match quote.and_then(|quote| self.rest.split_once(quote)) {
            Some((string, rest)) => {
                self.rest = rest;
                Ok(string)
            }
            None => Err(self.unexpected("a string")),
        }
    }

    fn descr(&mut self) -> Result<&'a str, String> {
        if self.eat('[') || self.eat('(') {
            return Err("it contains records (a structured type): save one array of numbers".into());
        }
        self.string()
    }

    fn truth(&mut self) -> Result<bool, String> {
        let rest = self.rest.trim_start();
        let (value, after) = match (rest.strip_prefix("True"), rest.strip_prefix("False")) {
            (Some(after), _) => (true, after),
            (_, Some(after)) => (false, after),
            _ => return Err(self.unexpected("True or False")),
        };
        self.rest = after;
        Ok(value)
    }

    fn sides(&mut self) -> Result<Vec<usize>, String> {
        let mut sides = Vec::new();
        self.expect('(')?;
        while !self.eat(')') {
            let rest = self.rest.trim_start();
            let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            let (digits, after) = rest.split_at_checked(end).unwrap_or_default();
            let side = digits.parse().map_err(|_| self.unexpected("a side of the shape"))?;
            sides.push(side);
            // Python 2 wrote long integers with an L.
            self.rest = after.strip_prefix('L').unwrap_or(after);
            if !self.eat(',') {
                self.expect(')')?;
                break;
            }
        }
        Ok(sides)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_read() {
        let text = "{'descr': '<f8', 'fortran_order': False, 'shape': (3L, 4), }  \n";
        let header = Header { descr: "<f8".into(), fortran_order: false, shape: vec![3, 4] };
        assert_eq!(parse(text), Ok(header));
        let scalar = parse("{\"shape\":(),\"descr\":\"|u1\",\"fortran_order\":True}");
        assert_eq!(scalar.map(|header| header.shape), Ok(vec![]));
    }

    #[test]
    fn a_wrong_header_is_refused() {
        for text in [
            "",
            "{",
            "{}",
            "{'descr': '<f8'",
            "{'descr': '<f8', 'fortran_order': 0, 'shape': (1,)}",
            "{'descr': '<f8', 'fortran_order': True, 'shape': (-1,)}",
            "{'descr': '<f8', 'fortran_order': True, 'shape': (99999999999999999999,)}",
            "{'descr': '<f8', 'descr': '<f8', 'fortran_order': True, 'shape': (1,)}",
            "{'descr': [('a', '<f8')], 'fortran_order': True, 'shape': (1,)}",
            "{'descr': '<f8', 'fortran_order': True, 'shape': (1,)} x",
            "{'descr': '<f8', 'fortran_order': True, 'shape': (1,), 'x': 1}",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
