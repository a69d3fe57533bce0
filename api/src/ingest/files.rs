//! The files of `data/`: embedded in the binary, or read from a directory.

use std::borrow::Cow;
use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use sha2::{Digest, Sha256};

use super::IngestError;

/// Part of every fingerprint: a higher number makes each file load again after the way it is read has changed.
const READING: u32 = 1;

/// Where the data is read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DataSource {
    /// The files embedded in the binary.
    Embedded,
    /// A directory that holds files of the same names.
    Dir(PathBuf),
}

/// Embeds files of `data/` by name.
macro_rules! embedded {
    ($($name:literal),+ $(,)?) => {
        const EMBEDDED: &[(&str, &[u8])] = &[$(($name, include_bytes!(concat!("../../../data/", $name)))),+];
    };
}

embedded![
    "cites_emploi.csv",
    "cites_emploi_communes.csv",
    "cites_presentation_2023.json",
    "cog2024_communes.csv.gz",
    "cog2024_departements.csv",
    "cog2024_epci_ept.csv",
    "cog2024_regions.csv",
    "contrats_ville_2015_2023.csv",
    "contrats_ville_2024.csv",
    "demonstration_actions.csv",
    "demonstration_partenaires.csv",
    "qpv2015_liste.csv",
    "qpv2015_taux_pauvrete_2012_2021.csv.gz",
    "qpv2024_contours.geojson.gz",
    "qpv2024_liste.csv",
    "qpv_correspondance_2024_2015_deduite.csv",
];

impl DataSource {
    /// The stored bytes of a file.
    fn bytes(&self, name: &'static str) -> Result<Cow<'static, [u8]>, IngestError> {
        match self {
            Self::Embedded => EMBEDDED
                .iter()
                .find(|(embedded, _)| *embedded == name)
                .map(|(_, bytes)| Cow::Borrowed(*bytes))
                .ok_or_else(|| IngestError::file(name, "the file is not embedded", "a file of data/")),
            Self::Dir(dir) => std::fs::read(dir.join(name)).map(Cow::Owned).map_err(|error| {
                IngestError::file(name, error.to_string(), format!("a readable file in {}", dir.display()))
            }),
        }
    }

    /// A file as a stream of text, decompressed as its name says.
    pub(super) fn open(&self, name: &'static str) -> Result<Box<dyn Read + Send>, IngestError> {
        let bytes = std::io::Cursor::new(self.bytes(name)?);
        let is_packed = Path::new(name).extension().is_some_and(|extension| extension == "gz");
        Ok(if is_packed { Box::new(GzDecoder::new(bytes)) } else { Box::new(bytes) })
    }

    /// The whole text of a file.
    pub(super) fn text(&self, name: &'static str) -> Result<String, IngestError> {
        let mut text = String::new();
        self.open(name)?
            .read_to_string(&mut text)
            .map_err(|error| IngestError::file(name, error.to_string(), "UTF-8 text"))?;
        Ok(text)
    }

    /// SHA-256, in hexadecimal, of the way of reading and of the content of these files.
    pub(super) fn fingerprint(&self, names: &[&'static str]) -> Result<String, IngestError> {
        let mut hash = Sha256::new_with_prefix(READING.to_be_bytes());
        for name in names {
            let bytes = self.bytes(name)?;
            hash.update((bytes.len() as u64).to_be_bytes());
            hash.update(&bytes);
        }
        Ok(hex::encode(hash.finalize()))
    }
}
