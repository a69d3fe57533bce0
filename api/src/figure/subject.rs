//! What a figure is about, as an input names it.

use async_graphql::Value;
use entity::enums::{FigureStatus, FigureSubject};
use entity::{action, qpv, site};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use uuid::Uuid;

use crate::graphql::scalars::{Parsed, Scalar};
use crate::ids;
use crate::ingest::figures::Subject;
use crate::journal::Seen;
use crate::policy::Resource;
use crate::write::{Failure, Input, Place, Problem, ProblemCode, Writing};

/// A subject as the input names it: its row, the code that stands in the natural key, its site.
pub(super) struct About {
    pub kind: FigureSubject,
    pub id: Uuid,
    pub key: String,
    pub site: Option<Uuid>,
}

impl About {
    pub fn subject(&self) -> Subject<'_> {
        match self.kind {
            FigureSubject::Qpv => Subject::Qpv(self.id, &self.key),
            FigureSubject::Action => Subject::Action(self.id, &self.key),
            _ => Subject::Site(self.id, &self.key),
        }
    }

    pub fn place(&self) -> Place {
        let id = |kind: FigureSubject| (self.kind == kind).then_some(self.id);
        Place::of_site(Uuid::nil())
            .replace("site_id", id(FigureSubject::Site))
            .with("qpv_id", id(FigureSubject::Qpv))
            .with("action_id", id(FigureSubject::Action))
            .with("source_system", None::<String>)
    }

    pub fn scope(&self, status: FigureStatus) -> (Seen, Seen) {
        (Seen::default(), Seen { site: self.site, source: None, public: status == FigureStatus::Validated })
    }
}

/// The subject that the input names.
pub(super) async fn about(writing: Writing<'_>, input: &Input<'_>) -> Result<About, Failure> {
    let Some(Value::Object(given)) = input.given("subject") else {
        return Err(Problem::at(ProblemCode::Required, "subject", "a subject is needed").into());
    };
    let id = |name: &str, prefix: &str| match given.get(name) {
        Some(Value::String(text)) => {
            ids::decode(text).ok().filter(|(kind, _)| *kind == prefix).map(|(_, id)| id)
        }
        _ => None,
    };
    if let Some(id) = id("site", "site") {
        return site_about(writing, id, "subject").await;
    }
    if let Some(id) = id("action", "action") {
        let row = writing.readable::<action::Entity>("action", Resource::Action, "subject", id).await?;
        return Ok(About { kind: FigureSubject::Action, id, key: id.to_string(), site: Some(row.site_id) });
    }
    if let Some(code) = given.get("qpv")
        && let Ok(Parsed::Text(code)) = Scalar::QpvCode.parse(code)
    {
        let row = qpv::Entity::find().filter(qpv::Column::Code.eq(code.as_str())).one(writing.tx).await?;
        let unknown =
            || Problem::at(ProblemCode::UnknownCode, "subject", format!("no QPV has the code {code}"));
        let row = row.ok_or_else(unknown)?;
        return Ok(About { kind: FigureSubject::Qpv, id: row.id, key: row.code, site: None });
    }
    Err(Problem::at(
        ProblemCode::NotFound,
        "subject",
        "expected the id of a site or an action, or a QPV code",
    )
    .into())
}

/// A site as a subject.
pub(super) async fn site_about(writing: Writing<'_>, id: Uuid, field: &str) -> Result<About, Failure> {
    let row = writing.readable::<site::Entity>("site", Resource::Site, field, id).await?;
    let key = row.code.clone().unwrap_or_else(|| id.to_string());
    Ok(About { kind: FigureSubject::Site, id, key, site: Some(id) })
}
