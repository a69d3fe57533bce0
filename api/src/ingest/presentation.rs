//! The national presentation of 12 June 2023, as `cites_presentation_2023.json` holds it.
//!
//! An absent key is not stated by the source and stays null; a fact without `source` is from the deck.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::report::{FileReport, Wrong};
use super::{DataSource, IngestError};

/// The file.
pub(super) const FILE: &str = "cites_presentation_2023.json";

/// Source of the facts that name none.
pub(super) const DECK: &str = "deck";

/// The facts, and the text they were read from, to tell lines.
pub(super) struct Presentation {
    pub facts: Facts,
    text: String,
}

#[derive(Deserialize)]
pub(super) struct Facts {
    pub about: About,
    pub national: Vec<FigureFact>,
    pub closure: MilestoneFact,
    pub partners: Vec<PartnerFact>,
    pub sites: Vec<SiteFact>,
    pub lineage: Vec<LineageFact>,
}

#[derive(Deserialize)]
pub(super) struct About {
    pub date: chrono::NaiveDate,
}

#[derive(Deserialize)]
pub(super) struct PartnerFact {
    pub id: String,
    pub name: String,
    pub kind: String,
    pub departement: Option<String>,
    pub commune: Option<String>,
    pub siren: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SiteFact {
    pub code: String,
    pub name: String,
    pub scale: Option<String>,
    pub status: String,
    pub wave_source: Option<String>,
    pub audience: Option<AudienceFact>,
    pub milestones: Vec<MilestoneFact>,
    pub seats: Vec<SeatFact>,
    pub governance: Vec<BodyFact>,
    pub roadmap: Option<RoadmapFact>,
    pub qpvs: Vec<QpvFact>,
    pub figures: Vec<FigureFact>,
}

#[derive(Deserialize)]
pub(super) struct AudienceFact {
    pub policy: String,
    #[serde(default)]
    pub audiences: Vec<String>,
    pub note: Option<String>,
}

#[derive(Clone, Deserialize)]
pub(super) struct MilestoneFact {
    pub kind: String,
    pub start: String,
    pub end: Option<String>,
    pub label: Option<String>,
    pub source: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct SeatFact {
    pub kind: String,
    pub partner: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct BodyFact {
    pub kind: String,
    pub name: Option<String>,
    pub origin: Option<String>,
    pub attached_to: Option<String>,
    pub cadence: Option<CadenceFact>,
    pub scale_label: Option<String>,
    #[serde(default)]
    pub members: Vec<String>,
}

#[derive(Deserialize)]
pub(super) struct CadenceFact {
    pub every: i32,
    pub unit: String,
}

#[derive(Deserialize)]
pub(super) struct RoadmapFact {
    pub status: String,
    pub axes: Vec<String>,
}

#[derive(Deserialize)]
pub(super) struct QpvFact {
    pub source: String,
    pub codes: Vec<String>,
}

#[derive(Deserialize)]
pub(super) struct FigureFact {
    pub indicator: String,
    pub value: serde_json::Number,
    pub period: Option<String>,
    pub perimeter: Option<String>,
    pub generation: Option<String>,
    pub pillar: Option<String>,
    pub source: Option<String>,
    pub note: Option<String>,
    #[serde(default)]
    pub approximate: bool,
}

#[derive(Deserialize)]
pub(super) struct LineageFact {
    pub from: String,
    pub to: String,
    pub kind: String,
}

impl Presentation {
    /// Reads the file whole: it is one document.
    pub fn read(data: &DataSource) -> Result<Self, IngestError> {
        let text = data.text(FILE)?;
        Ok(Self { facts: json(&text)?, text })
    }

    /// What the presentation says of a site.
    pub fn site(&self, code: &str) -> Option<&SiteFact> {
        self.facts.sites.iter().find(|site| site.code == code)
    }

    /// Counts a fact; a wrong one is refused at the first line that holds `mark`, after that of its owner.
    pub fn keep<T>(
        &self,
        report: &mut FileReport,
        owner: &str,
        mark: &str,
        fact: Result<T, Wrong>,
    ) -> Option<T> {
        report.lines += 1;
        fact.map_err(|wrong| self.refuse(report, owner, mark, &wrong)).ok()
    }

    /// Refuses a fact at the first line that holds `mark`, after that of its owner.
    pub fn refuse(&self, report: &mut FileReport, owner: &str, mark: &str, wrong: &Wrong) {
        report.reject(FILE, self.line_of(owner, mark), wrong);
    }

    fn line_of(&self, owner: &str, mark: &str) -> u64 {
        let from = self.text.find(&format!("\"{owner}\"")).unwrap_or_default();
        let at = from + self.text[from..].find(&format!("\"{mark}\"")).unwrap_or_default();
        1 + self.text[..at].matches('\n').count() as u64
    }
}

fn json<T: DeserializeOwned>(text: &str) -> Result<T, IngestError> {
    serde_json::from_str(text).map_err(|error| {
        let line = u64::try_from(error.line()).unwrap_or_default();
        IngestError::at(FILE, line, error.to_string(), "the keys and types of the published file")
    })
}

/// One of the named values of an enum.
pub(super) fn one_of<T>(what: &str, raw: &str, parse: impl Fn(&str) -> Option<T>) -> Result<T, Wrong> {
    parse(raw).ok_or_else(|| Wrong::new(format!("{what} {raw}"), "a value of its list"))
}

/// [`one_of`], of a value that may be absent.
pub(super) fn maybe_one_of<T>(
    what: &str,
    raw: Option<&str>,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>, Wrong> {
    raw.map(|raw| one_of(what, raw, parse)).transpose()
}
