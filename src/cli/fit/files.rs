//! The files of a fit.

use std::path::Path;

use serde::Serialize;

use crate::CliError;
use crate::manifest::{self, Manifest};
use shatter_certify::{write_certificate, write_network};
use shatter_network::{Network, Reading};
use shatter_record::{AtomicFile, atomic};
use shatter_sample::{Sample, Target};

const NETWORK: &str = "network.txt";
const RECORD: &str = "fit.json";
pub const CERTIFICATE: &str = "certificate.txt";

/// What is said where files were [replaced](Files::replaced).
pub const REPLACED: &str = "in place of earlier ones (--out keeps both)";

/// The files of a fit, written beside their places but not moved there yet.
pub struct Files {
    network: AtomicFile,
    certificate: Option<AtomicFile>,
    /// SHA-256 of the certificate.
    pub digest: Option<String>,
    /// Whether one of them was there.
    pub replaced: bool,
    /// The name of the manifest.
    pub manifest: String,
}

impl Files {
    /// Writes the network, and the certificate if the network fits.
    pub fn write(
        out: &Path,
        fits: bool,
        network: &Network,
        construction: &str,
        sample: &Sample,
        target: Target,
        reading: &Reading,
    ) -> Result<Files, CliError> {
        let manifest = manifest::place(out, "fit");
        let replaced = [NETWORK, RECORD, CERTIFICATE, manifest.as_str()]
            .iter()
            .any(|name| out.join(name).exists());
        let path = out.join(NETWORK);
        let file = || -> std::io::Result<AtomicFile> {
            let mut file = AtomicFile::create(&path)?;
            write_network(&mut file, network, construction, Some(reading))?;
            Ok(file)
        };
        let network_file = file().map_err(CliError::at(&path))?;
        let mut files =
            Files { network: network_file, certificate: None, digest: None, replaced, manifest };
        if !fits {
            return Ok(files);
        }
        let path = out.join(CERTIFICATE);
        let file = || -> std::io::Result<(AtomicFile, String)> {
            let mut file = AtomicFile::create(&path)?;
            let digest = write_certificate(&mut file, network, construction, sample, target)?;
            Ok((file, digest))
        };
        let (certificate, digest) = file().map_err(CliError::at(&path))?;
        (files.certificate, files.digest) = (Some(certificate), Some(digest));
        Ok(files)
    }

    /// Moves everything to its place. The certificate of an earlier run goes first and the new one
    /// comes last: whenever a certificate is there, the other files belong to it.
    pub fn commit(
        self,
        out: &Path,
        report: &str,
        manifest: &Manifest<impl Serialize>,
    ) -> Result<(), CliError> {
        let path = out.join(CERTIFICATE);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(CliError::at(&path)(error));
            }
            _ => {}
        }
        let at = out.join(NETWORK);
        self.network.commit().map_err(CliError::at(&at))?;
        let at = out.join(RECORD);
        atomic::write(&at, report).map_err(CliError::at(&at))?;
        manifest.write(&out.join(&self.manifest))?;
        self.certificate.map_or(Ok(()), AtomicFile::commit).map_err(CliError::at(&path))
    }
}
