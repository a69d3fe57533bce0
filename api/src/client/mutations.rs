//! Mutations of grants.

use std::collections::BTreeSet;

use async_graphql::Value;
use entity::enums::GrantStatus;
use entity::{StringList, client_grant, client_grant_site, site};
use sea_orm::ActiveValue::{Set, Unchanged};
use sea_orm::sea_query::Query;
use sea_orm::{ActiveModelTrait, ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use crate::auth::{Role, is_source_system};
use crate::graphql::scalars::{Parsed, Scalar};
use crate::journal::{Rescoped, Seen};
use crate::policy::{Resource, Verb};
use crate::read::model::Argument;
use crate::write::declare::{expected_version, id_of, optional, required, several};
use crate::write::input::Patch;
use crate::write::row::take;
use crate::write::{
    Change, Failure, Input, Mutation, Place, Problem, ProblemCode, Resources, Target, Writing,
};

const TARGET: Target = Target { field: "clientGrant", noun: "ClientGrant" };

/// The mutations of this noun.
pub fn mutations() -> Vec<Mutation> {
    vec![
        Mutation::new(
            "createClientGrant",
            TARGET,
            "Grants the client of a partner's system sites, and the source system under which it syncs.",
            [
                vec![required(
                    "clientId",
                    "String",
                    "The client, as its tokens name it, 1 to 255 characters.",
                )],
                fields(true),
            ]
            .concat(),
            |writing, input| Box::pin(create(writing, input)),
        ),
        Mutation::new(
            "updateClientGrant",
            TARGET,
            "Changes a grant; it holds from the next request of the client on. One that was revoked is given again by \
             status ACTIVE, and changes in no other way.",
            [
                vec![id_of("grant"), expected_version()],
                fields(false),
                vec![optional("status", "GrantStatus", "ACTIVE gives a revoked grant again.")],
            ]
            .concat(),
            |writing, input| Box::pin(update(writing, input)),
        ),
        Mutation::new(
            "revokeClientGrant",
            TARGET,
            "Revokes a grant; it ends with the next request of the client.",
            [id_of("grant"), expected_version()],
            |writing, input| Box::pin(revoke(writing, input)),
        ),
    ]
}

fn fields(create: bool) -> Vec<Argument> {
    let field = if create { required } else { optional };
    vec![
        field("label", "String", "Name for people, 2 to 200 characters."),
        field(
            "sourceSystem",
            "String",
            "System whose rows it writes: A-Z, 0-9 and _, such as FRANCE_TRAVAIL.",
        ),
        optional("allSites", "Boolean", "It has every site; false unless told."),
        several("sites", "SiteCode", "Its sites, by code."),
        several("indicators", "Indicator", "Indicators it may write; none unless told."),
        optional(
            "role",
            "String",
            "Role it is meant for: partner_system, and no other. What others may do is told by their tokens alone.",
        ),
        optional(
            "rateClass",
            "String",
            "Class of rate limits it falls under at the gateway, 1 to 50 characters.",
        ),
        optional("validFrom", "DateTime", "Start."),
        optional("validTo", "DateTime", "End."),
    ]
}

fn rights() -> Resources {
    Resources { table: "client_grant", resource: Resource::ApiClient, verb: Verb::Write, group: "" }
}

async fn create(writing: Writing<'_>, input: &Input<'_>) -> Result<Change, Failure> {
    writing.place(rights(), "", Place { columns: vec![("id", Uuid::nil().into())] }).await?;
    let client_id = match input.needed_text("clientId", 1..=255) {
        Patch::Set(client) => client,
        _ => String::new(),
    };
    let known = client_grant::Entity::find().filter(client_grant::Column::ClientId.eq(client_id.as_str()));
    if known.one(writing.tx).await?.is_some() {
        input.wrong(
            ProblemCode::Duplicate,
            "clientId",
            "the client has a grant; update it, with status ACTIVE if it was revoked",
        );
    }
    let empty = client_grant::Model {
        id: Uuid::now_v7(),
        client_id,
        label: String::new(),
        role: "partner_system".to_owned(),
        source_system: None,
        site_codes: StringList::default(),
        all_sites: false,
        indicators: StringList::default(),
        departements: StringList::default(),
        sirens: StringList::default(),
        scopes: StringList::default(),
        rate_class: None,
        valid_from: None,
        valid_to: None,
        status: GrantStatus::Active,
        version: 1,
        created_at: writing.now,
        updated_at: writing.now,
    };
    let mut row: client_grant::ActiveModel = empty.clone().into();
    row = row.reset_all();
    let (sites, mut changed) = apply(writing, input, &empty, &mut row).await?;
    input.check()?;
    changed.push("clientId");
    let row = row.insert(writing.tx).await?;
    link(writing, row.id, sites).await?;
    record(writing, &row, Verb::Create, changed).await
}

async fn update(writing: Writing<'_>, input: &Input<'_>) -> Result<Change, Failure> {
    let id = input.subject("id", "grant")?;
    let current = writing.row::<client_grant::Entity>(rights(), "id", id, input.expected_version()).await?;
    let status =
        input.needed("status", GrantStatus::parse).or(Some(current.status)).unwrap_or(current.status);
    if current.status == GrantStatus::Revoked && status == GrantStatus::Revoked {
        input.wrong(ProblemCode::Frozen, "id", "the grant is revoked; give it again with status ACTIVE");
    }
    let mut row = next(writing, &current);
    let (sites, mut changed) = apply(writing, input, &current, &mut row).await?;
    take!(changed, row, current, "status", status, status);
    input.check()?;
    if changed.is_empty() {
        return Ok(Change { id });
    }
    let before = of_grant(writing, &current).await?;
    let row = writing.change(&current, row).await?;
    link(writing, id, sites).await?;
    tell(writing, &row, &before).await?;
    record(writing, &row, Verb::Update, changed).await
}

async fn revoke(writing: Writing<'_>, input: &Input<'_>) -> Result<Change, Failure> {
    let id = input.subject("id", "grant")?;
    let current = writing.row::<client_grant::Entity>(rights(), "id", id, input.expected_version()).await?;
    if current.status == GrantStatus::Revoked {
        return Ok(Change { id });
    }
    let mut row = next(writing, &current);
    row.status = Set(GrantStatus::Revoked);
    let row = writing.change(&current, row).await?;
    record(writing, &row, Verb::Write, vec!["status"]).await
}

fn next(writing: Writing<'_>, current: &client_grant::Model) -> client_grant::ActiveModel {
    client_grant::ActiveModel {
        id: Unchanged(current.id),
        version: Set(current.version + 1),
        updated_at: Set(writing.now),
        ..Default::default()
    }
}

async fn record(
    writing: Writing<'_>,
    row: &client_grant::Model,
    verb: Verb,
    changed: Vec<&'static str>,
) -> Result<Change, Failure> {
    let seen = (Seen::default(), Seen::default());
    writing.record("ClientGrant", (row.id, row.version), verb, changed, seen).await
}

/// Tells the client of the sites that it has by a grant and did not have `before`, or the other way round. Whether the
/// grant holds does not matter: while it does not, the client follows nothing, and goes on later from where it stood.
async fn tell(
    writing: Writing<'_>,
    grant: &client_grant::Model,
    before: &BTreeSet<Uuid>,
) -> Result<(), Failure> {
    let now = of_grant(writing, grant).await?;
    let who = Rescoped { clients: vec![grant.client_id.clone()], ..Rescoped::default() };
    let changed = before.symmetric_difference(&now).map(|site| (*site, who.clone()));
    writing.rescope(changed.collect::<Vec<_>>()).await
}

/// The sites of a grant.
async fn of_grant(writing: Writing<'_>, grant: &client_grant::Model) -> Result<BTreeSet<Uuid>, Failure> {
    let sites: Vec<Uuid> = if grant.all_sites {
        // one that is deleted too: its client may not have read that yet
        site::Entity::find().select_only().column(site::Column::Id).into_tuple().all(writing.tx).await?
    } else {
        let links = client_grant_site::Entity::find();
        let links = links.filter(client_grant_site::Column::GrantId.eq(grant.id));
        links.select_only().column(client_grant_site::Column::SiteId).into_tuple().all(writing.tx).await?
    };
    Ok(sites.into_iter().collect())
}

/// The clients that have a site by their grants, whether these hold now or not.
pub(crate) async fn granted(writing: Writing<'_>, site: Uuid) -> Result<Vec<String>, Failure> {
    let listed = Query::select()
        .column(client_grant_site::Column::GrantId)
        .from(client_grant_site::Entity)
        .and_where(client_grant_site::Column::SiteId.eq(site))
        .to_owned();
    let has = Condition::any()
        .add(client_grant::Column::AllSites.eq(true))
        .add(client_grant::Column::Id.in_subquery(listed));
    let grants = client_grant::Entity::find().filter(has).order_by_asc(client_grant::Column::ClientId);
    Ok(grants.select_only().column(client_grant::Column::ClientId).into_tuple().all(writing.tx).await?)
}

/// Takes the given fields over; the sites, if they were given, are linked after the row.
async fn apply(
    writing: Writing<'_>,
    input: &Input<'_>,
    current: &client_grant::Model,
    row: &mut client_grant::ActiveModel,
) -> Result<(Option<Vec<Uuid>>, Vec<&'static str>), Failure> {
    let mut changed = Vec::new();
    if let Patch::Set(label) = input.needed_text("label", 2..=200) {
        take!(changed, row, current, "label", label, label);
    }
    if let Patch::Set(source) = input.needed_text("sourceSystem", 2..=64) {
        if !is_source_system(&source) {
            input.wrong(
                ProblemCode::InvalidText,
                "sourceSystem",
                "expected A-Z, 0-9 and _, such as FRANCE_TRAVAIL",
            );
        }
        take!(changed, row, current, "sourceSystem", source_system, Some(source));
    }
    if let Patch::Set(role) = input.needed_text("role", 1..=50) {
        match Role::from_name(&role) {
            Some(Role::PartnerSystem) => {}
            // nothing would come of it: to end it would end nobody's access
            Some(_) => {
                let message =
                    "grants are for partner_system; what others may do is told by their tokens alone";
                input.wrong(ProblemCode::Rule, "role", message);
            }
            None => input.wrong(ProblemCode::UnknownCode, "role", "expected partner_system"),
        }
        take!(changed, row, current, "role", role, role);
    }
    let rate_class = input.text("rateClass", 1..=50).or(current.rate_class.clone());
    take!(changed, row, current, "rateClass", rate_class, rate_class);
    if let Patch::Set(all) = input.flag("allSites") {
        take!(changed, row, current, "allSites", all_sites, all);
    }
    if let Patch::Set(indicators) = input.list("indicators", None) {
        take!(changed, row, current, "indicators", indicators, indicators);
    }
    let from = instant(input, "validFrom").or(current.valid_from);
    let to = instant(input, "validTo").or(current.valid_to);
    if from.zip(to).is_some_and(|(from, to)| to <= from) {
        input.wrong(ProblemCode::Rule, "validTo", "the end is not after the start");
    }
    take!(changed, row, current, "validFrom", valid_from, from);
    take!(changed, row, current, "validTo", valid_to, to);
    let Patch::Set(codes) = input.list("sites", Some(Scalar::SiteCode)) else { return Ok((None, changed)) };
    let known =
        site::Entity::find().filter(site::Column::Code.is_in(codes.0.clone())).all(writing.tx).await?;
    for (index, code) in codes.0.iter().enumerate() {
        if !known.iter().any(|site| site.code.as_ref() == Some(code)) {
            let message = format!("no site has the code {code}");
            input.problem(Problem::at(ProblemCode::UnknownCode, "sites", message).then(index));
        }
    }
    take!(changed, row, current, "sites", site_codes, codes);
    Ok((Some(known.into_iter().map(|site| site.id).collect()), changed))
}

fn instant(input: &Input<'_>, name: &str) -> Patch<chrono::DateTime<chrono::Utc>> {
    match input.given(name) {
        None => Patch::Keep,
        Some(Value::Null) => Patch::Clear,
        Some(value) => match Scalar::DateTime.parse(value) {
            Ok(Parsed::Instant(instant)) => Patch::Set(instant),
            _ => Patch::Keep,
        },
    }
}

async fn link(writing: Writing<'_>, grant: Uuid, sites: Option<Vec<Uuid>>) -> Result<(), Failure> {
    let Some(sites) = sites else { return Ok(()) };
    let old = client_grant_site::Entity::delete_many().filter(client_grant_site::Column::GrantId.eq(grant));
    old.exec(writing.tx).await?;
    for site_id in sites {
        client_grant_site::ActiveModel { grant_id: Set(grant), site_id: Set(site_id) }
            .insert(writing.tx)
            .await?;
    }
    Ok(())
}
