//! The files of a fit.

use std::path::Path;

use serde::Serialize;

use crate::CliError;
use crate::manifest::{MANIFEST, Manifest};
use shatter_certify::{write_certificate, write_network};
use shatter_network::{Network, Reading};
use shatter_record::{AtomicFile, atomic};
use shatter_sample::{Sample, Target};

const CERTIFICATE: &str = "certificate.txt";

/// What is said where [`Files::commit`] took the place of an earlier fit.
pub const REPLACED: &str = "in place of an earlier fit's (--out keeps both)";

/// The files of a fit, written beside their places but not moved there yet.
pub struct Files {
    network: AtomicFile,
    certificate: Option<AtomicFile>,
    /// SHA-256 of the certificate.
    pub digest: Option<String>,
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
        let path = out.join("network.txt");
        let file = || -> std::io::Result<AtomicFile> {
            let mut file = AtomicFile::create(&path)?;
            write_network(&mut file, network, construction, Some(reading))?;
            Ok(file)
        };
        let network_file = file().map_err(CliError::at(&path))?;
        if !fits {
            return Ok(Files { network: network_file, certificate: None, digest: None });
        }
        let path = out.join(CERTIFICATE);
        let file = || -> std::io::Result<(AtomicFile, String)> {
            let mut file = AtomicFile::create(&path)?;
            let digest = write_certificate(&mut file, network, construction, sample, target)?;
            Ok((file, digest))
        };
        let (certificate, digest) = file().map_err(CliError::at(&path))?;
        Ok(Files { network: network_file, certificate: Some(certificate), digest: Some(digest) })
    }

    /// Moves everything to its place. The certificate of an earlier run goes first and the new one
    /// comes last: whenever a certificate is there, the other files belong to it. Whether there was one.
    pub fn commit(
        self,
        out: &Path,
        report: &str,
        manifest: &Manifest<impl Serialize>,
    ) -> Result<bool, CliError> {
        let path = out.join(CERTIFICATE);
        let replaced = match std::fs::remove_file(&path) {
            Ok(()) => true,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => false,
            Err(error) => return Err(CliError::at(&path)(error)),
        };
        let at = out.join("network.txt");
        self.network.commit().map_err(CliError::at(&at))?;
        let at = out.join("fit.json");
        atomic::write(&at, report).map_err(CliError::at(&at))?;
        manifest.write(&out.join(MANIFEST))?;
        self.certificate.map_or(Ok(()), AtomicFile::commit).map_err(CliError::at(&path))?;
        Ok(replaced)
    }
}
