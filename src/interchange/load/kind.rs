//! What kind of file it is, by its first bytes; its name says nothing that they do not.

use std::path::Path;

/// A kind of file that holds a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// An explicit network as text.
    Network,
    /// An explicit network as text, with the sample that it fits.
    Certificate,
    /// The state needed to resume training.
    Checkpoint,
    /// Arrays in safetensors.
    Safetensors,
    /// A graph in ONNX.
    Onnx,
    /// Arrays in JSON.
    Json,
    /// Arrays in NPZ.
    Npz,
}

impl FileKind {
    /// Returns the name of the kind.
    pub fn name(self) -> &'static str {
        match self {
            FileKind::Network => "network",
            FileKind::Certificate => "certificate",
            FileKind::Checkpoint => "checkpoint",
            FileKind::Safetensors => "safetensors",
            FileKind::Onnx => "ONNX",
            FileKind::Json => "JSON",
            FileKind::Npz => "NPZ",
        }
    }
}

/// How a file is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Line by line: a network file or a certificate, which may be larger than the memory.
    Lines,
    /// As a whole.
    Whole(Container),
}

/// A format that is read as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Container {
    Safetensors,
    Onnx,
    Json,
    Npz,
}

/// Bytes that are enough to tell.
pub(super) const HEAD: usize = 512;

/// The form of a file that begins so and has so many bytes; what it seems to be, if none.
pub(super) fn form(path: &Path, head: &[u8], bytes: u64) -> Result<Form, String> {
    let length = head.first_chunk().map(|length| u64::from_le_bytes(*length));
    let described = |length: u64| bytes.checked_sub(8).is_some_and(|rest| length <= rest);
    if head.get(8) == Some(&b'{') && length.is_some_and(described) {
        return Ok(Form::Whole(Container::Safetensors));
    }
    if head.starts_with(b"PK") {
        return Ok(Form::Whole(Container::Npz));
    }
    if head.starts_with(b"shatter network certificate ") {
        return Err(
            "it is a certificate about a network in another file: give that file".to_owned()
        );
    }
    if head.starts_with(b"shatter ") {
        return Ok(Form::Lines);
    }
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    if text.starts_with(b"{") {
        return Ok(Form::Whole(Container::Json));
    }
    // A message of ONNX has no magic number: it begins with the field of its version, as a rule.
    match extension(path).as_deref() {
        Some("onnx") => Ok(Form::Whole(Container::Onnx)),
        Some("safetensors") => Ok(Form::Whole(Container::Safetensors)),
        Some("npz") => Ok(Form::Whole(Container::Npz)),
        Some("json") => Ok(Form::Whole(Container::Json)),
        Some("txt") => Ok(Form::Lines),
        _ if head.starts_with(&[8]) => Ok(Form::Whole(Container::Onnx)),
        _ => Err(unknown(head)),
    }
}

fn extension(path: &Path) -> Option<String> {
    path.extension().and_then(|extension| extension.to_str()).map(str::to_ascii_lowercase)
}

fn unknown(head: &[u8]) -> String {
    const READ: &str =
        "network files and certificates, checkpoints, safetensors, ONNX, JSON and NPZ are read";
    let seems = match head {
        [] => "it is empty",
        [0x80, ..] => "it seems to be pickled, which only Python reads",
        [0x89, b'H', b'D', b'F', ..] => "it seems to be HDF5",
        [0x1f, 0x8b, ..] => "it is packed with gzip: unpack it first",
        [0x93, b'N', b'U', b'M', ..] => "it is a single array (NPY)",
        _ => "its first bytes match no known format",
    };
    format!("{seems}; {READ}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_comes_before_names() {
        let form = |name: &str, head: &[u8]| form(Path::new(name), head, 100);
        let header = [&[20, 0, 0, 0, 0, 0, 0, 0][..], b"{\"a\":"].concat();
        assert_eq!(form("net.onnx", &header), Ok(Form::Whole(Container::Safetensors)));
        assert_eq!(form("net.safetensors", b"shatter layered network 1\n"), Ok(Form::Lines));
        assert_eq!(form("net.txt", b"PK\x03\x04"), Ok(Form::Whole(Container::Npz)));
        assert_eq!(form("net.npz", b" \n{\"metadata\""), Ok(Form::Whole(Container::Json)));
        // A length beyond the file is that of no header, and text is never one.
        let lying = [&[200, 0, 0, 0, 0, 0, 0, 0][..], b"{\"a\":"].concat();
        assert!(form("net", &lying).is_err());
        assert_eq!(form("net", b"{234567\"{"), Ok(Form::Whole(Container::Json)));
        assert_eq!(form("net", &[8, 10, 18]), Ok(Form::Whole(Container::Onnx)));
        assert!(form("net", b"").unwrap_err().contains("empty"));
        assert!(
            form("c.txt", b"shatter network certificate 1").unwrap_err().contains("another file")
        );
    }
}
