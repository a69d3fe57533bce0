//! What a figure is about, as an input names it, and who may write about it.

use async_graphql::{Name, Value, indexmap::IndexMap};
use entity::enums::{FigureSubject, Indicator, SiteStatus};
use entity::{action, commune, epci, qpv, site, site_qpv};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};
use uuid::Uuid;

use crate::db::Sql;
use crate::graphql::scalars::{Parsed, Scalar};
use crate::ids;
use crate::ingest::figures::Subject;
use crate::policy::{Resource, Verb};
use crate::write::{Failure, Input, Place, Problem, ProblemCode, Resources, Writing};

/// A subject: its row, if it has an id, the code that stands in the natural key, the site by which it is followed.
pub(super) struct About {
    pub kind: FigureSubject,
    pub id: Uuid,
    pub key: String,
    pub site: Option<Uuid>,
}

impl About {
    pub fn subject(&self) -> Subject<'_> {
        match self.kind {
            FigureSubject::National => Subject::National,
            FigureSubject::Commune => Subject::Commune(&self.key),
            FigureSubject::Epci => Subject::Epci(&self.key),
            FigureSubject::Qpv => Subject::Qpv(self.id, &self.key),
            FigureSubject::Action => Subject::Action(self.id, &self.key),
            FigureSubject::Site => Subject::Site(self.id, &self.key),
        }
    }

    fn place(&self, writing: Writing<'_>) -> Place {
        let id = |kind: FigureSubject| (self.kind == kind).then_some(self.id);
        Place::of_site(Uuid::nil())
            .replace("site_id", id(FigureSubject::Site))
            .with("qpv_id", id(FigureSubject::Qpv))
            .with("action_id", id(FigureSubject::Action))
            .with("source_system", writing.source_system())
    }

    /// A partner's system writes the indicators that its client was granted, and no others.
    pub async fn allow_indicator(&self, writing: Writing<'_>, indicator: Indicator) -> Result<(), Failure> {
        let rights = rights(self.kind, Verb::Write);
        if rights.resource == Resource::NationalFigure {
            return Ok(());
        }
        let place = self.place(writing).with("indicator", indicator.as_str());
        writing.place(Resources { group: "indicator", ..rights }, "indicator", place).await
    }
}

/// The right over figures about a kind of subject: those of the whole programme or of a territory are ANCT's.
pub(super) fn rights(kind: FigureSubject, verb: Verb) -> Resources {
    let (resource, verb) = match kind {
        FigureSubject::National | FigureSubject::Commune | FigureSubject::Epci => {
            (Resource::NationalFigure, Verb::Write)
        }
        FigureSubject::Site | FigureSubject::Qpv | FigureSubject::Action => (Resource::Figure, verb),
    };
    Resources { table: "figure", resource, verb, group: "" }
}

/// Whether the caller may write about a subject; gives the site by which the figure is followed.
pub(super) async fn allow(writing: Writing<'_>, verb: Verb, about: &About) -> Result<Option<Uuid>, Failure> {
    if about.kind == FigureSubject::Qpv {
        return site_of_qpv(writing, verb, about.id).await;
    }
    writing.place(rights(about.kind, verb), "subject", about.place(writing)).await?;
    Ok(about.site)
}

/// A QPV is no row of a site: those who steer one that works there write about it. Gives that site, one that is not
/// closed rather than one that is; none to whom needs none.
pub(super) async fn site_of_qpv(
    writing: Writing<'_>,
    verb: Verb,
    qpv: Uuid,
) -> Result<Option<Uuid>, Failure> {
    let may = async |site: Option<Uuid>| {
        let place = Place::of_figure(Uuid::nil())
            .replace("site_id", site)
            .replace("source_system", writing.source_system());
        writing.place(rights(FigureSubject::Qpv, verb), "subject", place).await
    };
    let Err(refused) = may(None).await else { return Ok(None) };
    let lasts = Condition::any()
        .add(site_qpv::Column::EndsOn.is_null())
        .add(site_qpv::Column::EndsOn.gt(writing.today()));
    let links = site_qpv::Entity::find()
        .filter(site_qpv::Column::QpvId.eq(qpv))
        .filter(lasts)
        .order_by_asc(site_qpv::Column::SiteId);
    let sites: Vec<Uuid> = links.all(writing.tx).await?.into_iter().map(|link| link.site_id).collect();
    let closed = site::Entity::find()
        .filter(site::Column::Id.is_in(sites.iter().copied()))
        .filter(site::Column::Status.eq(SiteStatus::Closed));
    let closed: Vec<Uuid> = closed.all(writing.tx).await?.into_iter().map(|site| site.id).collect();
    let (closed, open): (Vec<Uuid>, Vec<Uuid>) = sites.into_iter().partition(|site| closed.contains(site));
    for site in open.into_iter().chain(closed) {
        match may(Some(site)).await {
            Ok(()) => return Ok(Some(site)),
            Err(Failure::Problems(_)) => {}
            Err(fault) => return Err(fault),
        }
    }
    Err(refused)
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
    if given.get("national") == Some(&Value::Boolean(true)) {
        let key = String::new();
        return Ok(About { kind: FigureSubject::National, id: Uuid::nil(), key, site: None });
    }
    by_code(writing, given).await
}

/// A subject of the reference data.
async fn by_code(writing: Writing<'_>, given: &IndexMap<Name, Value>) -> Result<About, Failure> {
    let code = |name: &str, scalar: Scalar| match given.get(name).map(|code| scalar.parse(code)) {
        Some(Ok(Parsed::Text(code))) => Some(code),
        _ => None,
    };
    let (kind, key, id) = if let Some(code) = code("qpv", Scalar::QpvCode) {
        let row = qpv::Entity::find().filter(qpv::Column::Code.eq(code.as_str())).one(writing.tx).await?;
        (FigureSubject::Qpv, code, row.map(|row| row.id))
    } else if let Some(code) = code("commune", Scalar::CommuneCode) {
        let row = commune::Entity::find_by_id(code.clone()).one(writing.tx).await?;
        (FigureSubject::Commune, code, row.map(|_| Uuid::nil()))
    } else if let Some(code) = code("epci", Scalar::EpciSiren) {
        let row = epci::Entity::find_by_id(code.clone()).one(writing.tx).await?;
        (FigureSubject::Epci, code, row.map(|_| Uuid::nil()))
    } else {
        let message = "expected the id of a site or an action, the code of a QPV, a commune or an EPCI, or `national: true`";
        return Err(Problem::at(ProblemCode::NotFound, "subject", message).into());
    };
    let unknown =
        || Problem::at(ProblemCode::UnknownCode, "subject", format!("the referential has no {key}"));
    let id = id.ok_or_else(unknown)?;
    Ok(About { kind, id, key, site: None })
}

/// A site as a subject.
pub(super) async fn site_about(writing: Writing<'_>, id: Uuid, field: &str) -> Result<About, Failure> {
    let row = writing.readable::<site::Entity>("site", Resource::Site, field, id).await?;
    let key = row.code.clone().unwrap_or_else(|| id.to_string());
    Ok(About { kind: FigureSubject::Site, id, key, site: Some(id) })
}

/// Puts the code that a site is given into the natural keys of its figures, in place of its id: what is submitted or
/// loaded from then on is named by the code, and must meet them.
pub(crate) async fn name_by_code(writing: Writing<'_>, site: Uuid, code: &str) -> Result<(), Failure> {
    let kind = FigureSubject::Site.as_str();
    let former = format!("{kind}|{site}|");
    let begin = former.len().to_string();
    let rest = (former.len() + 1).to_string();
    let mut sql = Sql::new(writing.backend);
    sql.push("UPDATE figure SET natural_key = ").bind_typed(format!("{kind}|{code}|").into());
    sql.push(" || substr(natural_key, ").push(&rest).push(") WHERE site_id = ").bind(site.into());
    sql.push(" AND substr(natural_key, 1, ").push(&begin).push(") = ").bind(former.into());
    writing.tx.execute_raw(sql.into_statement()).await?;
    Ok(())
}
