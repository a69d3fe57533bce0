//! The scalars of the schema: each checks its input once, at the edge, and gives the form that is stored.
//!
//! A family of scalars has a file; there a scalar is one `Spec`: name, description, rule.

mod builtin;
mod code;
mod geojson;
mod nomenclature;
mod number;
mod organisation;
mod partial_date;
mod territory;
#[cfg(test)]
mod tests;
mod time;

use async_graphql::Value;
use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;

pub use partial_date::PartialDate;

/// A scalar type of the schema. [`Scalar::description`] says what each holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scalar {
    /// Built in: opaque identifier.
    Id,
    /// Built in: 32-bit integer.
    Int,
    /// Built in: double-precision number.
    Float,
    /// Built in: true or false.
    Boolean,
    /// Built in: text.
    String,
    /// Legal unit in the Sirene register.
    Siren,
    /// Establishment in the Sirene register.
    Siret,
    /// Association in the national register.
    Rna,
    /// Commune in the official geographic code.
    CommuneCode,
    /// Département in the official geographic code.
    DepartementCode,
    /// Region in the official geographic code.
    RegionCode,
    /// Group of communes, by its SIREN.
    EpciSiren,
    /// Priority district, of 2015 or 2024.
    QpvCode,
    /// Cité de l'emploi.
    SiteCode,
    /// City contract.
    ContratVilleCode,
    /// Occupation.
    RomeCode,
    /// Economic activity.
    NafCode,
    /// France Travail agency.
    SafirCode,
    /// Telephone number, international form.
    Phone,
    /// Year, quarter, month or day.
    PartialDate,
    /// Day.
    Date,
    /// Instant, UTC.
    DateTime,
    /// 64-bit integer, written as a string.
    BigInt,
    /// Exact decimal number, written as a string.
    Decimal,
    /// Geometry or feature.
    GeoJson,
}

/// An input value, checked and in canonical form.
#[derive(Clone, Debug, PartialEq)]
pub enum Parsed {
    /// A string, an id, or a code in canonical spelling.
    Text(String),
    /// An `Int` or a `BigInt`.
    Int(i64),
    /// A finite number.
    Float(f64),
    /// A Boolean.
    Bool(bool),
    /// A day, read in Europe/Paris by convention.
    Date(NaiveDate),
    /// An instant, truncated to microseconds.
    Instant(DateTime<Utc>),
    /// An exact decimal without trailing zeros.
    Decimal(Decimal),
    /// A year, quarter, month or day, as an interval.
    Period(PartialDate),
    /// `GeoJSON`, structure checked.
    Json(serde_json::Value),
}

/// The value is not of the scalar's form. It says what was expected and never repeats the value, which may be
/// personal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{scalar}: expected {expected}")]
pub struct FormatError {
    /// GraphQL name of the scalar.
    pub scalar: &'static str,
    /// What the scalar expects, with an example.
    pub expected: &'static str,
}

impl FormatError {
    /// The stable code that clients see.
    pub const CODE: &'static str = "INVALID_FORMAT";
}

/// All that is to know of one scalar.
struct Spec {
    name: &'static str,
    description: &'static str,
    specified_by: Option<&'static str>,
    expected: &'static str,
    /// The canonical form of an input value, or nothing when it is not of the form.
    read: fn(&Value) -> Option<Parsed>,
}

impl Scalar {
    /// The scalars to register: all but the five that GraphQL builds in.
    pub const CUSTOM: &[Scalar] = &[
        Self::Siren,
        Self::Siret,
        Self::Rna,
        Self::CommuneCode,
        Self::DepartementCode,
        Self::RegionCode,
        Self::EpciSiren,
        Self::QpvCode,
        Self::SiteCode,
        Self::ContratVilleCode,
        Self::RomeCode,
        Self::NafCode,
        Self::SafirCode,
        Self::Phone,
        Self::PartialDate,
        Self::Date,
        Self::DateTime,
        Self::BigInt,
        Self::Decimal,
        Self::GeoJson,
    ];

    /// Its name in the schema.
    pub const fn name(self) -> &'static str {
        self.spec().name
    }

    /// Its description in the schema: meaning, French term in « », shape, example, source of the rule.
    pub const fn description(self) -> &'static str {
        self.spec().description
    }

    /// The page of the standard or of the producer that specifies it, where a stable one exists.
    pub const fn specified_by(self) -> Option<&'static str> {
        self.spec().specified_by
    }

    /// What it expects, as a phrase for error messages.
    pub const fn expected(self) -> &'static str {
        self.spec().expected
    }

    /// Checks an input value and gives its canonical form. Codes are read with spaces removed, in any
    /// case. Whether a code is in its referential is not asked here.
    ///
    /// # Errors
    /// [`FormatError`] if the value is not of the form; `null` never is, nullability is the caller's.
    pub fn parse(self, value: &Value) -> Result<Parsed, FormatError> {
        (self.spec().read)(value).ok_or(self.refusal())
    }

    const fn refusal(self) -> FormatError {
        FormatError { scalar: self.name(), expected: self.expected() }
    }

    const fn spec(self) -> &'static Spec {
        match self {
            Self::Id => &builtin::ID,
            Self::Int => &builtin::INT,
            Self::Float => &builtin::FLOAT,
            Self::Boolean => &builtin::BOOLEAN,
            Self::String => &builtin::STRING,
            Self::Siren => &organisation::SIREN,
            Self::Siret => &organisation::SIRET,
            Self::Rna => &organisation::RNA,
            Self::CommuneCode => &territory::COMMUNE_CODE,
            Self::DepartementCode => &territory::DEPARTEMENT_CODE,
            Self::RegionCode => &territory::REGION_CODE,
            Self::EpciSiren => &organisation::EPCI_SIREN,
            Self::QpvCode => &territory::QPV_CODE,
            Self::SiteCode => &territory::SITE_CODE,
            Self::ContratVilleCode => &territory::CONTRAT_VILLE_CODE,
            Self::RomeCode => &nomenclature::ROME_CODE,
            Self::NafCode => &nomenclature::NAF_CODE,
            Self::SafirCode => &organisation::SAFIR_CODE,
            Self::Phone => &organisation::PHONE,
            Self::PartialDate => &time::PARTIAL_DATE,
            Self::Date => &time::DATE,
            Self::DateTime => &time::DATE_TIME,
            Self::BigInt => &number::BIG_INT,
            Self::Decimal => &number::DECIMAL,
            Self::GeoJson => &geojson::GEO_JSON,
        }
    }
}
