//! The perimeter of a site: its links to QPV, past ones included, and their mutations.

use entity::enums::{Provenance, SiteQpvStatus};
use entity::{qpv, site, site_qpv};
use sea_orm::ActiveValue::Set;
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter};
use uuid::Uuid;

use super::mutations::{TARGET, save};
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
            "Adds a QPV to the perimeter of a site.",
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

/// The site of the input, its QPV, and the links between the two.
async fn links(
    writing: Writing<'_>,
    input: &Input<'_>,
) -> Result<(site::Model, Uuid, Vec<site_qpv::Model>), Failure> {
    let id = input.subject("id", "site")?;
    let known = writing.readable::<site::Entity>("site", Resource::Site, "id", id).await?;
    if let Some(expected) = input.expected_version().filter(|expected| *expected != known.version) {
        let message = format!("the current version is {}, not {expected}; read it again", known.version);
        return Err(Problem::at(ProblemCode::Conflict, "expectedVersion", message).into());
    }
    let rights = Resources { table: "site_qpv", resource: Resource::SiteQpv, verb: Verb::Write, group: "" };
    writing.place(rights, "id", Place::of_site(id).with("status", known.status.as_str())).await?;
    let Patch::Set(code) = input.code("qpv", Scalar::QpvCode) else {
        return Err(Problem::at(ProblemCode::Required, "qpv", "a QPV is needed").into());
    };
    let found = qpv::Entity::find()
        .filter(qpv::Column::Code.eq(code.as_str()))
        .filter(qpv::Column::DeletedAt.is_null())
        .one(writing.tx)
        .await?;
    let Some(found) = found else {
        return Err(
            Problem::at(ProblemCode::UnknownCode, "qpv", format!("no QPV has the code {code}")).into()
        );
    };
    let links = site_qpv::Entity::find()
        .filter(site_qpv::Column::SiteId.eq(id))
        .filter(site_qpv::Column::QpvId.eq(found.id))
        .all(writing.tx)
        .await?;
    Ok((known, found.id, links))
}

async fn add(writing: Writing<'_>, input: &Input<'_>) -> Result<Change, Failure> {
    let (current, qpv_id, links) = links(writing, input).await?;
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
    let (current, qpv_id, links) = links(writing, input).await?;
    let Some(link) = links.into_iter().find(|link| link.ends_on.is_none()) else {
        return Err(
            Problem::at(ProblemCode::NotFound, "qpv", "the QPV is not in the perimeter of the site").into()
        );
    };
    let to = input.date("to").or(Some(writing.today())).unwrap_or(writing.today());
    if to > writing.today() || link.starts_on.is_some_and(|from| to < from) {
        input.wrong(ProblemCode::OutOfBounds, "to", "the last day lies between the first day and today");
    }
    input.check()?;
    let mut link: site_qpv::ActiveModel = link.into();
    link.ends_on = Set(Some(to));
    link.update(writing.tx).await?;
    crate::figure::tell_of_qpv(writing, current.id, qpv_id).await?;
    save(writing, &current, next_row!(writing, site, current), Verb::Update, vec!["qpvs"]).await
}
