//! Mutations of partners.

use entity::enums::{PartnerKind, PartnerStatus, SeatKind};
use entity::{action, action_partner, commune, departement, governance_member, partner, referent, seat};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use uuid::Uuid;

use crate::auth::Role;
use crate::graphql::scalars::Scalar;
use crate::journal::Lost;
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

/// Seats that give rights over a site.
pub(super) const STEERING: [SeatKind; 3] = [SeatKind::Copilote, SeatKind::Porteur, SeatKind::Animateur];

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
            "Changes a partner. SIREN and SIRET of one that steers a site are ANCT's to change, since rights come from them.",
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
            "Merges a partner into another: its seats, leads, participations, memberships and referents move, and the \
             payload shows the other.",
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

fn rights(verb: Verb) -> Resources {
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
    if current.status != PartnerStatus::Active {
        return Err(Problem::at(
            ProblemCode::Rule,
            "id",
            "a closed or merged partner is not changed any more",
        )
        .into());
    }
    let mut row = next_row!(writing, partner, current);
    let changed = apply(writing, input, &current, &mut row).await?;
    guard_identity(writing, input, &current, &changed).await?;
    input.check()?;
    if changed.is_empty() {
        return Ok(Change { id });
    }
    let row = row.update(writing.tx).await?;
    writing.record("Partner", (id, row.version), Verb::Update, changed, shared()).await
}

/// Nobody but ANCT changes the numbers from which a right over a site comes.
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
    if active_seats(current.id).filter(seat::Column::Kind.is_in(STEERING)).count(writing.tx).await? > 0 {
        let message = "the partner steers a site; its SIREN and SIRET are ANCT's to change";
        input.wrong(ProblemCode::Forbidden, field, message);
    }
    Ok(())
}

fn active_seats(partner: Uuid) -> sea_orm::Select<seat::Entity> {
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
    if current.status == PartnerStatus::Merged {
        return Err(Problem::at(ProblemCode::InvalidTransition, "id", "a MERGED partner is final").into());
    }
    let seats = active_seats(id).count(writing.tx).await?;
    if seats > 0 {
        let message = format!("the partner has {seats} active seats; end them first");
        return Err(Problem::at(ProblemCode::Rule, "id", message).into());
    }
    let mut row = next_row!(writing, partner, current);
    row.status = Set(PartnerStatus::Closed);
    let row = row.update(writing.tx).await?;
    writing.record("Partner", (id, row.version), Verb::Close, vec!["status"], shared()).await
}

async fn merge(writing: Writing<'_>, input: &Input<'_>) -> Result<Change, Failure> {
    let id = input.subject("id", "partner")?;
    let into = input.subject("into", "partner")?;
    // two merges that cross each other lock in one order, so that neither waits for ever
    for one in if id < into { [id, into] } else { [into, id] } {
        writing
            .row::<partner::Entity>(rights(Verb::Merge), if one == id { "id" } else { "into" }, one, None)
            .await?;
    }
    let gone =
        writing.row::<partner::Entity>(rights(Verb::Merge), "id", id, input.expected_version()).await?;
    let stays = writing.row::<partner::Entity>(rights(Verb::Merge), "into", into, None).await?;
    if id == into {
        input.wrong(ProblemCode::Rule, "into", "a partner is not merged into itself");
    }
    if stays.status != PartnerStatus::Active {
        input.wrong(
            ProblemCode::Rule,
            "into",
            "the partner that stays must be ACTIVE; this also keeps chains without loop",
        );
    }
    if gone.status != PartnerStatus::Active {
        let message = format!("a {} partner is not merged any more", gone.status.as_str());
        input.wrong(ProblemCode::InvalidTransition, "id", message);
    }
    input.check()?;
    move_seats(writing, id, into).await?;
    move_links(writing, id, into).await?;
    let mut row = next_row!(writing, partner, gone);
    row.status = Set(PartnerStatus::Merged);
    row.merged_into_id = Set(Some(into));
    let row = row.update(writing.tx).await?;
    writing.record("Partner", (id, row.version), Verb::Merge, vec!["status", "mergedInto"], shared()).await?;
    let row = next_row!(writing, partner, stays).update(writing.tx).await?;
    writing.record("Partner", (into, row.version), Verb::Merge, vec!["seats", "leads"], shared()).await
}

/// Seats move; one that the other partner holds too in the same site and kind is ended instead.
async fn move_seats(writing: Writing<'_>, from: Uuid, to: Uuid) -> Result<(), Failure> {
    let held = active_seats(to).all(writing.tx).await?;
    let all = seat::Entity::find().filter(seat::Column::PartnerId.eq(from)).all(writing.tx).await?;
    for current in all {
        let twice = current.ends_on.is_none()
            && held.iter().any(|other| other.site_id == current.site_id && other.kind == current.kind);
        let mut row = next_row!(writing, seat, current);
        if twice {
            row.ends_on = Set(Some(writing.today()));
        } else {
            row.partner_id = Set(to);
        }
        let row = row.update(writing.tx).await?;
        let scope = crate::write::row::in_site(row.site_id);
        let lost = if current.ends_on.is_none() {
            writing.lost_siren(row.site_id, from).await?
        } else {
            Lost::default()
        };
        writing
            .record_losing("Seat", (row.id, row.version), Verb::Merge, vec!["partner"], scope, lost)
            .await?;
    }
    Ok(())
}

async fn move_links(writing: Writing<'_>, from: Uuid, to: Uuid) -> Result<(), Failure> {
    for current in
        action::Entity::find().filter(action::Column::LeadPartnerId.eq(from)).all(writing.tx).await?
    {
        let mut row = next_row!(writing, action, current);
        row.lead_partner_id = Set(Some(to));
        let row = row.update(writing.tx).await?;
        let scope = crate::action::journal_scope(Some(&current), &row);
        writing.record("Action", (row.id, row.version), Verb::Merge, vec!["lead"], scope).await?;
    }
    for current in
        referent::Entity::find().filter(referent::Column::PartnerId.eq(from)).all(writing.tx).await?
    {
        let mut row = next_row!(writing, referent, current);
        row.partner_id = Set(to);
        let row = row.update(writing.tx).await?;
        let scope = crate::write::row::in_site(row.site_id);
        writing.record("Referent", (row.id, row.version), Verb::Merge, vec!["partner"], scope).await?;
    }
    let taking_part =
        action_partner::Entity::find().filter(action_partner::Column::PartnerId.eq(to)).all(writing.tx);
    let known: Vec<Uuid> = taking_part.await?.into_iter().map(|link| link.action_id).collect();
    action_partner::Entity::delete_many()
        .filter(action_partner::Column::PartnerId.eq(from))
        .filter(action_partner::Column::ActionId.is_in(known))
        .exec(writing.tx)
        .await?;
    action_partner::Entity::update_many()
        .col_expr(action_partner::Column::PartnerId, Expr::value(to))
        .filter(action_partner::Column::PartnerId.eq(from))
        .exec(writing.tx)
        .await?;
    let sitting =
        governance_member::Entity::find().filter(governance_member::Column::PartnerId.eq(to)).all(writing.tx);
    let known: Vec<Uuid> = sitting.await?.into_iter().map(|member| member.body_id).collect();
    governance_member::Entity::delete_many()
        .filter(governance_member::Column::PartnerId.eq(from))
        .filter(governance_member::Column::BodyId.is_in(known))
        .exec(writing.tx)
        .await?;
    governance_member::Entity::update_many()
        .col_expr(governance_member::Column::PartnerId, Expr::value(to))
        .filter(governance_member::Column::PartnerId.eq(from))
        .exec(writing.tx)
        .await?;
    Ok(())
}
