//! The perimeter of a site: its links to QPV, past ones included, and their mutations.

use entity::enums::{Provenance, SiteQpvStatus};
use entity::{qpv, qpv_commune, site, site_qpv};
use sea_orm::ActiveValue::Set;
use sea_orm::{ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};
use uuid::Uuid;

use super::mutations::{TARGET, save};
use crate::db::Sql;
use crate::graphql::scalars::Scalar;
use crate::policy::{Resource, Verb};
use crate::read::common::enumeration;
use crate::read::declare::{Noun, column, one};
use crate::write::declare::{expected_version, id_of, optional, required};
use crate::write::input::Patch;
use crate::write::row::next_row;
use crate::write::{
    Change, Failure, Input, Mutation, Place, Problem, ProblemCode, Resources, Target, Writing,
};

/// The noun of this file.
pub(super) fn noun() -> Noun {
    use site_qpv::Column;
    Noun::new(
        "SiteQpv",
        site_qpv::Entity,
        Resource::SiteQpv,
        "The link of a site to a « QPV » of its perimeter (« périmètre »), for a period.",
    )
    .fields([
        column(
            "status",
            Column::Status,
            enumeration!(SiteQpvStatus),
            "How the « QPV » belongs to the site (« statut »).",
        ),
        column("from", Column::StartsOn, Scalar::Date, "First day (« début »); null if not known."),
        column("to", Column::EndsOn, Scalar::Date, "Last day (« fin »); null while it lasts."),
        column(
            "provenance",
            Column::Provenance,
            enumeration!(Provenance),
            "How sure the link is (« provenance »): told by a source, or derived from the communes.",
        ),
        one("site", "Site", Column::SiteId, "The site."),
        one("qpv", "Qpv", Column::QpvId, "The « QPV »."),
    ])
}

/// The mutations of this file.
pub fn mutations() -> Vec<Mutation> {
    let qpv = || required("qpv", "QpvCode", "The « QPV ».");
    let target: Target = TARGET;
    vec![
        Mutation::new(
            "addSiteQpv",
            target,
            "Adds a QPV to the perimeter of a site. ANCT adds any; a préfecture those that lie in a commune of the site and \
             of its own « départements ».",
            [
                id_of("site"),
                expected_version(),
                qpv(),
                optional("status", "SiteQpvStatus", "LABELLED unless told."),
                optional("from", "Date", "First day, never later than today; not known if left out."),
            ],
            |writing, input| Box::pin(add(writing, input)),
        ),
        Mutation::new(
            "endSiteQpv",
            target,
            "Ends the link of a site to a QPV; the past link stays known.",
            [
                id_of("site"),
                expected_version(),
                qpv(),
                optional("to", "Date", "Last day; today unless told, never later."),
            ],
            |writing, input| Box::pin(end(writing, input)),
        ),
    ]
}

/// What an input is about.
struct Named {
    site: site::Model,
    /// None when it names none that is known, which is noted.
    qpv: Option<Uuid>,
    /// Between the two.
    links: Vec<site_qpv::Model>,
}

/// The site of the input, its QPV, and the links between the two.
async fn named(writing: Writing<'_>, input: &Input<'_>) -> Result<Named, Failure> {
    let id = input.subject("id", "site")?;
    let site = writing.readable::<site::Entity>("site", Resource::Site, "id", id).await?;
    if let Some(expected) = input.expected_version().filter(|expected| *expected != site.version) {
        let message = format!("the current version is {}, not {expected}; read it again", site.version);
        return Err(Problem::at(ProblemCode::Conflict, "expectedVersion", message).into());
    }
    let rights = Resources { table: "site_qpv", resource: Resource::SiteQpv, verb: Verb::Write, group: "" };
    writing.place(rights, "id", Place::of_site(id).with("status", site.status.as_str())).await?;
    let Patch::Set(code) = input.code("qpv", Scalar::QpvCode) else {
        return Ok(Named { site, qpv: None, links: Vec::new() });
    };
    let found = qpv::Entity::find()
        .filter(qpv::Column::Code.eq(code.as_str()))
        .filter(qpv::Column::DeletedAt.is_null())
        .one(writing.tx)
        .await?;
    let Some(found) = found else {
        input.wrong(ProblemCode::UnknownCode, "qpv", format!("no QPV has the code {code}"));
        return Ok(Named { site, qpv: None, links: Vec::new() });
    };
    let links = site_qpv::Entity::find()
        .filter(site_qpv::Column::SiteId.eq(id))
        .filter(site_qpv::Column::QpvId.eq(found.id))
        .all(writing.tx)
        .await?;
    Ok(Named { site, qpv: Some(found.id), links })
}

fn no_qpv() -> Failure {
    Problem::at(ProblemCode::Required, "qpv", "a QPV is needed").into()
}

async fn add(writing: Writing<'_>, input: &Input<'_>) -> Result<Change, Failure> {
    let Named { site: current, qpv, links } = named(writing, input).await?;
    if let Some(qpv) = qpv {
        check_territory(writing, input, current.id, qpv).await?;
    }
    let from = input.date("from").or(None);
    if from.is_some_and(|day| day > writing.today()) {
        input.wrong(ProblemCode::OutOfBounds, "from", "the first day cannot be in the future");
    }
    // two periods of one pair do not overlap: every earlier one has ended before this one begins
    let overlaps = links.iter().any(|link| match (link.ends_on, from) {
        (Some(to), Some(from)) => to >= from,
        _ => true,
    });
    if overlaps {
        let message =
            "the site has or had this QPV in that period; give a `from` after the end of the former link";
        input.wrong(
            ProblemCode::Duplicate,
            if links.iter().any(|link| link.ends_on.is_none()) { "qpv" } else { "from" },
            message,
        );
    }
    input.check()?;
    let qpv_id = qpv.ok_or_else(no_qpv)?;
    let status = input.choice("status", SiteQpvStatus::parse).or(Some(SiteQpvStatus::Labelled));
    let link = site_qpv::ActiveModel {
        id: Set(Uuid::now_v7()),
        site_id: Set(current.id),
        qpv_id: Set(qpv_id),
        status: Set(status.unwrap_or(SiteQpvStatus::Labelled)),
        starts_on: Set(from),
        ends_on: Set(None),
        provenance: Set(Provenance::Confirmed),
    };
    link.insert(writing.tx).await?;
    crate::figure::tell_of_qpv(writing, current.id, qpv_id).await?;
    save(writing, &current, next_row!(writing, site, current), Verb::Update, vec!["qpvs"]).await
}

async fn end(writing: Writing<'_>, input: &Input<'_>) -> Result<Change, Failure> {
    let Named { site: current, qpv, links } = named(writing, input).await?;
    let link = links.into_iter().find(|link| link.ends_on.is_none());
    if qpv.is_some() && link.is_none() {
        input.wrong(ProblemCode::NotFound, "qpv", "the QPV is not in the perimeter of the site");
    }
    let to = input.date("to").or(Some(writing.today())).unwrap_or(writing.today());
    let from = link.as_ref().and_then(|link| link.starts_on);
    if to > writing.today() || from.is_some_and(|from| to < from) {
        input.wrong(ProblemCode::OutOfBounds, "to", "the last day lies between the first day and today");
    }
    input.check()?;
    let link = link.ok_or_else(no_qpv)?;
    let qpv_id = link.qpv_id;
    let mut link: site_qpv::ActiveModel = link.into();
    link.ends_on = Set(Some(to));
    link.update(writing.tx).await?;
    crate::figure::tell_of_qpv(writing, current.id, qpv_id).await?;
    save(writing, &current, next_row!(writing, site, current), Verb::Update, vec!["qpvs"]).await
}

/// Nobody makes a QPV his own by a site that he files: it lies in a commune of the site, and of the caller's territory.
async fn check_territory(
    writing: Writing<'_>,
    input: &Input<'_>,
    site: Uuid,
    qpv: Uuid,
) -> Result<(), Failure> {
    if writing.viewer.takes_any_qpv() {
        return Ok(());
    }
    let mut sql = Sql::new(writing.backend);
    sql.push("SELECT 1 FROM qpv_commune q JOIN site_commune s ON s.commune_code = q.commune_code ")
        .push("JOIN commune c ON c.code = q.commune_code WHERE q.qpv_id = ")
        .bind(qpv.into())
        .push(" AND s.site_id = ")
        .bind(site.into())
        .push(" AND ");
    writing.viewer.own_commune(&mut sql, "c");
    if writing.tx.query_one_raw(sql.into_statement()).await?.is_none() {
        let message = "the QPV lies in no commune of the site within your départements; ANCT adds others";
        input.wrong(ProblemCode::Rule, "qpv", message);
    }
    Ok(())
}

/// Notes that a site would leave the communes by which a QPV came into its perimeter.
pub(super) async fn check_communes(
    writing: Writing<'_>,
    input: &Input<'_>,
    site: Uuid,
    (before, after): (&[String], &[String]),
) -> Result<(), Failure> {
    if writing.viewer.takes_any_qpv() {
        return Ok(());
    }
    let links = site_qpv::Entity::find()
        .filter(site_qpv::Column::SiteId.eq(site))
        .filter(site_qpv::Column::EndsOn.is_null());
    let ids: Vec<Uuid> = links.all(writing.tx).await?.into_iter().map(|link| link.qpv_id).collect();
    let places = qpv_commune::Entity::find()
        .filter(qpv_commune::Column::QpvId.is_in(ids.iter().copied()))
        .all(writing.tx)
        .await?;
    let lies_in = |qpv: Uuid, communes: &[String]| {
        places.iter().any(|place| place.qpv_id == qpv && communes.contains(&place.commune_code))
    };
    let left = ids.into_iter().filter(|qpv| lies_in(*qpv, before) && !lies_in(*qpv, after));
    let left = qpv::Entity::find().filter(qpv::Column::Id.is_in(left)).order_by_asc(qpv::Column::Code);
    let codes: Vec<String> = left.all(writing.tx).await?.into_iter().map(|qpv| qpv.code).collect();
    if !codes.is_empty() {
        let message = format!(
            "{} of its perimeter would lie in none of its communes; end that first (`endSiteQpv`)",
            codes.join(", ")
        );
        input.wrong(ProblemCode::Rule, "communes", message);
    }
    Ok(())
}
