//! Mutations of lines of funding.

use entity::enums::FundingKind;
use entity::{action, funding_line, partner, site};
use sea_orm::ActiveModelTrait;
use sea_orm::ActiveValue::Set;

use crate::policy::{Resource, Verb};
use crate::read::model::Argument;
use crate::write::declare::{expected_version, id_of, optional, required};
use crate::write::input::Patch;
use crate::write::row::{in_site, new_row, next_row, take};
use crate::write::{Change, Failure, Input, Mutation, Place, ProblemCode, Resources, Target, Writing};

const TARGET: Target = Target { field: "fundingLine", noun: "FundingLine" };

/// The mutations of this file.
pub fn mutations() -> Vec<Mutation> {
    vec![
        Mutation::new(
            "createFundingLine",
            TARGET,
            "Notes a sum asked, granted or paid for a site.",
            [vec![required("site", "ID", "The site.")], fields(true)].concat(),
            |writing, input| Box::pin(create(writing, input)),
        ),
        Mutation::new(
            "updateFundingLine",
            TARGET,
            "Changes a line of funding.",
            [vec![id_of("line"), expected_version()], fields(false)].concat(),
            |writing, input| Box::pin(update(writing, input)),
        ),
        Mutation::new(
            "deleteFundingLine",
            TARGET,
            "Deletes a line of funding. The payload shows null.",
            [id_of("line"), expected_version()],
            |writing, input| Box::pin(delete(writing, input)),
        ),
    ]
}

fn fields(create: bool) -> Vec<Argument> {
    let field = if create { required } else { optional };
    vec![
        field("year", "Int", "Budget year, 2000 to 2099."),
        field("programmeLabel", "String", "Programme, 2 to 200 characters."),
        field("amountCents", "BigInt", "Amount in euro cents, zero or more."),
        field("kind", "FundingKind", "Asked, granted or paid."),
        optional("funder", "ID", "The partner that pays."),
        optional("action", "ID", "The action of the same site it is for."),
    ]
}

fn rights() -> Resources {
    Resources { table: "funding_line", resource: Resource::FundingLine, verb: Verb::Write, group: "" }
}

async fn create(writing: Writing<'_>, input: &Input<'_>) -> Result<Change, Failure> {
    let site_id = input.subject("site", "site")?;
    writing.readable::<site::Entity>("site", Resource::Site, "site", site_id).await?;
    writing.place(rights(), "site", Place::of_site(site_id)).await?;
    let mut row = new_row!(
        writing,
        funding_line {
            site_id: site_id,
            action_id: None,
            year: 2000,
            funder_partner_id: None,
            programme_label: String::new(),
            amount_cents: 0,
            kind: FundingKind::Requested,
        }
    );
    let empty = funding_line::Model::try_from(row.clone())?;
    let changed = [vec!["site"], apply(writing, input, &empty, &mut row).await?].concat();
    input.check()?;
    let row = row.insert(writing.tx).await?;
    writing.record("FundingLine", (row.id, row.version), Verb::Create, changed, in_site(site_id)).await
}

async fn update(writing: Writing<'_>, input: &Input<'_>) -> Result<Change, Failure> {
    let id = input.subject("id", "funding")?;
    let current = writing.row::<funding_line::Entity>(rights(), "id", id, input.expected_version()).await?;
    let mut row = next_row!(writing, funding_line, current);
    let changed = apply(writing, input, &current, &mut row).await?;
    input.check()?;
    if changed.is_empty() {
        return Ok(Change { id });
    }
    let row = writing.change(&current, row).await?;
    writing.record("FundingLine", (id, row.version), Verb::Update, changed, in_site(row.site_id)).await
}

async fn apply(
    writing: Writing<'_>,
    input: &Input<'_>,
    current: &funding_line::Model,
    row: &mut funding_line::ActiveModel,
) -> Result<Vec<&'static str>, Failure> {
    let mut changed = Vec::new();
    if let Patch::Set(year) = input.not_null("year", input.integer("year", 2000..=2099)) {
        take!(changed, row, current, "year", year, year);
    }
    if let Patch::Set(label) = input.needed_text("programmeLabel", 2..=200) {
        take!(changed, row, current, "programmeLabel", programme_label, label);
    }
    if let Patch::Set(amount) = input.not_null("amountCents", input.amount("amountCents")) {
        take!(changed, row, current, "amountCents", amount_cents, amount);
    }
    if let Patch::Set(kind) = input.needed("kind", FundingKind::parse) {
        take!(changed, row, current, "kind", kind, kind);
    }
    let funder = input.id("funder", "partner");
    if let Patch::Set(id) = funder {
        let body = writing.readable::<partner::Entity>("partner", Resource::Partner, "funder", id).await;
        // a line of the past may name one that is closed
        let merged = input.found(body)?.filter(|body| body.merged_into_id.is_some());
        if let Some(message) = merged.as_ref().and_then(crate::partner::gone) {
            input.wrong(ProblemCode::Rule, "funder", message);
        }
    }
    take!(changed, row, current, "funder", funder_partner_id, funder.or(current.funder_partner_id));
    let action = input.id("action", "action");
    if let Patch::Set(id) = action {
        let found = writing.readable::<action::Entity>("action", Resource::Action, "action", id).await;
        if input.found(found)?.is_some_and(|action| action.site_id != current.site_id) {
            input.wrong(ProblemCode::Rule, "action", "the action is of another site");
        }
    }
    take!(changed, row, current, "action", action_id, action.or(current.action_id));
    Ok(changed)
}

async fn delete(writing: Writing<'_>, input: &Input<'_>) -> Result<Change, Failure> {
    let id = input.subject("id", "funding")?;
    let current = writing.row::<funding_line::Entity>(rights(), "id", id, input.expected_version()).await?;
    let mut row = next_row!(writing, funding_line, current);
    row.deleted_at = Set(Some(writing.now));
    let row = writing.change(&current, row).await?;
    writing
        .record("FundingLine", (id, row.version), Verb::Delete, vec!["deletedAt"], in_site(row.site_id))
        .await
}
