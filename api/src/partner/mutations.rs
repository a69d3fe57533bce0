//! Mutations of partners.

use std::collections::BTreeSet;

use entity::enums::{PartnerKind, PartnerStatus};
use entity::{commune, departement, partner, seat};
use sea_orm::ActiveValue::Set;
use sea_orm::{ActiveModelTrait, ColumnTrait, Condition, EntityTrait, PaginatorTrait, QueryFilter};
use uuid::Uuid;

use super::gone;
use super::merge::merge;

use crate::auth::Role;
use crate::graphql::scalars::Scalar;
use crate::policy::{Resource, Verb};
use crate::read::model::Argument;
use crate::write::declare::{expected_version, id_of, optional, required};
use crate::write::input::Patch;
use crate::write::row::{next_row, shared, take};
use crate::write::source::external_id;
use crate::write::{
    Change, Failure, Input, Mutation, Place, Problem, ProblemCode, Resources, Target, Writing,
};

const TARGET: Target = Target { field: "partner", noun: "Partner" };

/// The mutations of this noun.
pub fn mutations() -> Vec<Mutation> {
    vec![
        Mutation::new(
            "createPartner",
            TARGET,
            "Creates a partner. Look for it first: `partnerDuplicates` lists those that exist twice.",
            [fields(true), vec![external_id()]].concat(),
            |writing, input| Box::pin(create(writing, input)),
        ),
        Mutation::new(
            "updatePartner",
            TARGET,
            "Changes a partner. SIREN and SIRET of one that has a seat are ANCT's to change, since rights come from them.",
            [vec![id_of("partner"), expected_version()], fields(false)].concat(),
            |writing, input| Box::pin(update(writing, input)),
        ),
        Mutation::new(
            "closePartner",
            TARGET,
            "Closes a partner that no longer exists; its active seats must be ended first.",
            [id_of("partner"), expected_version()],
            |writing, input| Box::pin(close(writing, input)),
        ),
        Mutation::new(
            "mergePartner",
            TARGET,
            "Merges a partner into another: its seats, leads, participations, memberships, referents and lines of funding \
             move, and the payload shows the other.",
            [
                id_of("partner that disappears"),
                expected_version(),
                required("into", "ID", "The partner that stays."),
            ],
            |writing, input| Box::pin(merge(writing, input)),
        ),
    ]
}

fn fields(create: bool) -> Vec<Argument> {
    let field = if create { required } else { optional };
    vec![
        field("name", "String", "Name, 2 to 200 characters."),
        field("kind", "PartnerKind", "Its nature."),
        optional("siret", "Siret", "SIRET of the establishment; begins with the SIREN."),
        optional("siren", "Siren", "SIREN of the legal unit."),
        optional("rna", "Rna", "Number in the register of associations (« RNA »)."),
        optional("safirCode", "SafirCode", "France Travail agency (« code SAFIR »)."),
        optional("nafCode", "NafCode", "Main activity (« code NAF »)."),
        optional("communeCode", "CommuneCode", "Commune of its seat."),
        optional("departementCode", "DepartementCode", "« Département » it works in."),
        optional("website", "String", "Web site, beginning with https:// or http://."),
    ]
}

pub(super) fn rights(verb: Verb) -> Resources {
    Resources { table: "partner", resource: Resource::Partner, verb, group: "" }
}

async fn create(writing: Writing<'_>, input: &Input<'_>) -> Result<Change, Failure> {
    let system = writing.source_system();
    let place = Place { columns: vec![("source_system", system.clone().into())] };
    writing.place(rights(Verb::Create), "", place).await?;
    let empty = blank(writing);
    let mut row: partner::ActiveModel = empty.clone().into();
    row = row.reset_all();
    row.source_system = Set(system);
    row.source_external_id = Set(writing.external_id(input, "partner").await?);
    let changed = apply(writing, input, &empty, &mut row).await?;
    input.check()?;
    let row = row.insert(writing.tx).await?;
    writing.record("Partner", (row.id, row.version), Verb::Create, changed, shared()).await
}

async fn update(writing: Writing<'_>, input: &Input<'_>) -> Result<Change, Failure> {
    let id = input.subject("id", "partner")?;
    let current =
        writing.row::<partner::Entity>(rights(Verb::Update), "id", id, input.expected_version()).await?;
    if let Some(message) = gone(&current) {
        return Err(Problem::at(ProblemCode::Rule, "id", message).into());
    }
    let mut row = next_row!(writing, partner, current);
    let changed = apply(writing, input, &current, &mut row).await?;
    if let Some(kind) = row.kind.try_as_ref().filter(|_| changed.contains(&"kind")) {
        keep_within_rights(writing, &current, *kind).await?;
    }
    guard_identity(writing, input, &current, &changed).await?;
    input.check()?;
    if changed.is_empty() {
        return Ok(Change { id });
    }
    // whose rights come from its numbers has its sites by them
    let seats = if changed.iter().any(|field| ["siret", "siren"].contains(field)) {
        seat::Entity::find().filter(seat::Column::PartnerId.eq(id)).all(writing.tx).await?
    } else {
        Vec::new()
    };
    let sites: BTreeSet<Uuid> = seats.into_iter().map(|seat| seat.site_id).collect();
    for site in &sites {
        // another seat of the same number may end at this moment
        writing.lock_site(*site).await?;
    }
    let seated = writing.seated(sites).await?;
    let row = writing.change(&current, row).await?;
    writing.rescope_seats(seated).await?;
    writing.record("Partner", (id, row.version), Verb::Update, changed, shared()).await
}

/// Who may not change a partner of a kind does not turn another into one of that kind.
async fn keep_within_rights(
    writing: Writing<'_>,
    current: &partner::Model,
    kind: PartnerKind,
) -> Result<(), Failure> {
    let columns = vec![
        ("id", current.id.into()),
        ("kind", kind.as_str().into()),
        ("source_system", current.source_system.clone().into()),
    ];
    writing.place(rights(Verb::Update), "kind", Place { columns }).await
}

/// Nobody but ANCT changes the numbers from which a right over a site comes: a seat of any kind gives one to read.
async fn guard_identity(
    writing: Writing<'_>,
    input: &Input<'_>,
    current: &partner::Model,
    changed: &[&'static str],
) -> Result<(), Failure> {
    let Some(field) = changed.iter().find(|field| ["siret", "siren"].contains(field)) else { return Ok(()) };
    if writing.viewer.actor.role == Role::Anct {
        return Ok(());
    }
    let lasts = Condition::any().add(seat::Column::EndsOn.is_null());
    let seats = seat::Entity::find()
        .filter(seat::Column::PartnerId.eq(current.id))
        .filter(lasts.add(seat::Column::EndsOn.gt(writing.today())))
        .filter(seat::Column::DeletedAt.is_null());
    if seats.count(writing.tx).await? > 0 {
        let message = "the partner has a seat in a site; its SIREN and SIRET are ANCT's to change";
        input.wrong(ProblemCode::Forbidden, field, message);
    }
    Ok(())
}

/// Seats of a partner that nobody ended.
pub(super) fn active_seats(partner: Uuid) -> sea_orm::Select<seat::Entity> {
    seat::Entity::find()
        .filter(seat::Column::PartnerId.eq(partner))
        .filter(seat::Column::EndsOn.is_null())
        .filter(seat::Column::DeletedAt.is_null())
}

fn blank(writing: Writing<'_>) -> partner::Model {
    partner::Model {
        id: Uuid::now_v7(),
        version: 1,
        created_at: writing.now,
        updated_at: writing.now,
        deleted_at: None,
        source_system: None,
        source_external_id: None,
        name: String::new(),
        name_search: String::new(),
        kind: PartnerKind::Autre,
        siret: None,
        siren: None,
        rna: None,
        safir_code: None,
        naf_code: None,
        naf_version: None,
        commune_code: None,
        departement_code: None,
        website: None,
        status: PartnerStatus::Active,
        merged_into_id: None,
    }
}

async fn apply(
    writing: Writing<'_>,
    input: &Input<'_>,
    current: &partner::Model,
    row: &mut partner::ActiveModel,
) -> Result<Vec<&'static str>, Failure> {
    let mut changed = Vec::new();
    if let Patch::Set(name) = input.needed_text("name", 2..=200) {
        row.name_search = Set(crate::text::fold(&name));
        take!(changed, row, current, "name", name, name);
    }
    if let Patch::Set(kind) = input.needed("kind", PartnerKind::parse) {
        take!(changed, row, current, "kind", kind, kind);
    }
    let siren = input.code("siren", Scalar::Siren).or(current.siren.clone());
    let establishment = input.code("siret", Scalar::Siret).or(current.siret.clone());
    if let (Some(siren), Some(establishment)) = (&siren, &establishment)
        && !establishment.starts_with(siren.as_str())
    {
        input.wrong(ProblemCode::Rule, "siret", format!("the SIRET does not begin with the SIREN {siren}"));
    }
    take!(changed, row, current, "siren", siren, siren);
    take!(changed, row, current, "siret", siret, establishment);
    take!(changed, row, current, "rna", rna, input.code("rna", Scalar::Rna).or(current.rna.clone()));
    take!(
        changed,
        row,
        current,
        "safirCode",
        safir_code,
        input.code("safirCode", Scalar::SafirCode).or(current.safir_code.clone())
    );
    take!(
        changed,
        row,
        current,
        "nafCode",
        naf_code,
        input.code("nafCode", Scalar::NafCode).or(current.naf_code.clone())
    );
    take!(changed, row, current, "website", website, website(input).or(current.website.clone()));
    let code = input.code("communeCode", Scalar::CommuneCode);
    if let Patch::Set(code) = &code
        && commune::Entity::find_by_id(code.clone()).one(writing.tx).await?.is_none()
    {
        input.wrong(ProblemCode::UnknownCode, "communeCode", format!("no commune has the code {code}"));
    }
    take!(changed, row, current, "communeCode", commune_code, code.or(current.commune_code.clone()));
    let code = input.code("departementCode", Scalar::DepartementCode);
    if let Patch::Set(code) = &code
        && departement::Entity::find_by_id(code.clone()).one(writing.tx).await?.is_none()
    {
        input.wrong(
            ProblemCode::UnknownCode,
            "departementCode",
            format!("no département has the code {code}"),
        );
    }
    take!(
        changed,
        row,
        current,
        "departementCode",
        departement_code,
        code.or(current.departement_code.clone())
    );
    Ok(changed)
}

fn website(input: &Input<'_>) -> Patch<String> {
    let website = input.text("website", 8..=500);
    if let Patch::Set(address) = &website
        && !(address.starts_with("https://") || address.starts_with("http://"))
    {
        input.wrong(
            ProblemCode::OutOfBounds,
            "website",
            "expected an address that begins with https:// or http://",
        );
    }
    website
}

async fn close(writing: Writing<'_>, input: &Input<'_>) -> Result<Change, Failure> {
    let id = input.subject("id", "partner")?;
    let current =
        writing.row::<partner::Entity>(rights(Verb::Close), "id", id, input.expected_version()).await?;
    if current.status == PartnerStatus::Closed {
        return Ok(Change { id });
    }
    if let Some(message) = gone(&current) {
        return Err(Problem::at(ProblemCode::InvalidTransition, "id", message).into());
    }
    let seats = active_seats(id).count(writing.tx).await?;
    if seats > 0 {
        let message = format!("the partner has {seats} active seats; end them first");
        return Err(Problem::at(ProblemCode::Rule, "id", message).into());
    }
    let mut row = next_row!(writing, partner, current);
    row.status = Set(PartnerStatus::Closed);
    let row = writing.change(&current, row).await?;
    writing.record("Partner", (id, row.version), Verb::Close, vec!["status"], shared()).await
}
