//! `mergePartner`: what hangs on one partner moves to another, each object with its next version and its journal entry.

use std::collections::BTreeSet;

use entity::enums::PartnerStatus;
use entity::{action, action_partner, funding_line, governance_body, partner, referent, seat};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, LockType, Query, SelectStatement};
use sea_orm::{ActiveModelTrait, ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use super::gone;
use super::mutations::{active_seats, rights};
use super::seats::journal_scope;
use crate::policy::Verb;
use crate::write::row::{in_site, next_row, shared};
use crate::write::{Change, Failure, Input, ProblemCode, Writing};

pub(super) async fn merge(writing: Writing<'_>, input: &Input<'_>) -> Result<Change, Failure> {
    let (from, to) = Failure::both(input.subject("id", "partner"), input.subject("into", "partner"))?;
    let (gone, stays) = both(writing, input, from, to).await?;
    check(input, &gone, &stays);
    input.check()?;
    let sites = sites_of(writing, from, to).await?;
    let seated = writing.seated(sites).await?;
    move_seats(writing, from, to).await?;
    writing.rescope_seats(seated).await?;
    move_actions(writing, from, to).await?;
    crate::governance::hand_over(writing, from, to).await?;
    move_rows(writing, from, to).await?;
    let mut row = next_row!(writing, partner, gone);
    row.status = Set(PartnerStatus::Merged);
    row.merged_into_id = Set(Some(to));
    let row = writing.change(&gone, row).await?;
    writing
        .record("Partner", (from, row.version), Verb::Merge, vec!["status", "mergedInto"], shared())
        .await?;
    let row = writing.change(&stays, next_row!(writing, partner, stays)).await?;
    let fields = vec!["seats", "leads", "actions"];
    writing.record("Partner", (to, row.version), Verb::Merge, fields, shared()).await
}

/// Both partners, locked after the sites that either has to do with: who seats partners, seats a committee or labels
/// a site locks in the same order. Sites and partners each go by their keys, so that merges that cross each other do
/// not wait for ever.
async fn both(
    writing: Writing<'_>,
    input: &Input<'_>,
    from: Uuid,
    to: Uuid,
) -> Result<(partner::Model, partner::Model), Failure> {
    let sites = sites_of(writing, from, to).await?;
    for site in &sites {
        writing.lock_site(*site).await?;
    }
    for one in if from < to { [from, to] } else { [to, from] } {
        let field = if one == from { "id" } else { "into" };
        writing.row::<partner::Entity>(rights(Verb::Merge), field, one, None).await?;
    }
    // a seat may have been given meanwhile; from here on none is
    for site in sites_of(writing, from, to).await?.difference(&sites) {
        writing.lock_site(*site).await?;
    }
    let gone =
        writing.row::<partner::Entity>(rights(Verb::Merge), "id", from, input.expected_version()).await?;
    let stays = writing.row::<partner::Entity>(rights(Verb::Merge), "into", to, None).await?;
    Ok((gone, stays))
}

async fn sites_of(writing: Writing<'_>, from: Uuid, to: Uuid) -> Result<BTreeSet<Uuid>, Failure> {
    let seats =
        seat::Entity::find().filter(seat::Column::PartnerId.is_in([from, to])).all(writing.tx).await?;
    let sits = |partner| governance_body::Column::Id.in_subquery(crate::governance::committees(partner));
    let bodies = governance_body::Entity::find()
        .filter(Condition::any().add(sits(from)).add(sits(to)))
        .all(writing.tx)
        .await?;
    Ok(seats
        .into_iter()
        .map(|seat| seat.site_id)
        .chain(bodies.into_iter().map(|body| body.site_id))
        .collect())
}

fn check(input: &Input<'_>, gone_one: &partner::Model, stays: &partner::Model) {
    if gone_one.id == stays.id {
        input.wrong(ProblemCode::Rule, "into", "a partner is not merged into itself");
    }
    // that the one that stays is ACTIVE also keeps chains without loop
    if let Some(message) = gone(stays) {
        input.wrong(ProblemCode::Rule, "into", message);
    }
    if let Some(message) = gone(gone_one) {
        input.wrong(ProblemCode::InvalidTransition, "id", message);
    }
}

/// Seats move; one that the other partner holds too in the same site and kind is ended instead.
async fn move_seats(writing: Writing<'_>, from: Uuid, to: Uuid) -> Result<(), Failure> {
    let held = active_seats(to).all(writing.tx).await?;
    let all = seat::Entity::find()
        .filter(seat::Column::PartnerId.eq(from))
        .filter(seat::Column::DeletedAt.is_null())
        .order_by_asc(seat::Column::Id)
        .lock(LockType::Update)
        .all(writing.tx)
        .await?;
    for current in all {
        let twice = current.ends_on.is_none()
            && held.iter().any(|other| other.site_id == current.site_id && other.kind == current.kind);
        let mut row = next_row!(writing, seat, current);
        let field = if twice {
            // one that has not begun yet ends on its first day
            row.ends_on = Set(Some(current.starts_on.unwrap_or_default().max(writing.today())));
            "to"
        } else {
            row.partner_id = Set(to);
            "partner"
        };
        let row = writing.change(&current, row).await?;
        let scope = journal_scope(Some(&current), &row);
        writing.record("Seat", (row.id, row.version), Verb::Merge, vec![field], scope).await?;
    }
    Ok(())
}

fn taken_part_in(partner: Uuid) -> SelectStatement {
    Query::select()
        .column(action_partner::Column::ActionId)
        .from(action_partner::Entity)
        .and_where(action_partner::Column::PartnerId.eq(partner))
        .to_owned()
}

/// Actions that the partner leads or takes part in, each once.
async fn move_actions(writing: Writing<'_>, from: Uuid, to: Uuid) -> Result<(), Failure> {
    let with_it = Condition::any()
        .add(action::Column::LeadPartnerId.eq(from))
        .add(action::Column::Id.in_subquery(taken_part_in(from)));
    let all = action::Entity::find()
        .filter(with_it)
        .filter(action::Column::DeletedAt.is_null())
        .order_by_asc(action::Column::Id)
        .lock(LockType::Update)
        .all(writing.tx)
        .await?;
    let links = action_partner::Entity::find().filter(action_partner::Column::PartnerId.eq(from));
    let links: BTreeSet<Uuid> = links.all(writing.tx).await?.into_iter().map(|link| link.action_id).collect();
    for current in all {
        let mut row = next_row!(writing, action, current);
        let mut fields = Vec::new();
        if current.lead_partner_id == Some(from) {
            row.lead_partner_id = Set(Some(to));
            fields.push("lead");
        }
        if links.contains(&current.id) {
            fields.push("partners");
        }
        let row = writing.change(&current, row).await?;
        let scope = crate::action::journal_scope(Some(&current), &row);
        writing.record("Action", (row.id, row.version), Verb::Merge, fields, scope).await?;
    }
    action_partner::Entity::delete_many()
        .filter(action_partner::Column::PartnerId.eq(from))
        .filter(action_partner::Column::ActionId.in_subquery(taken_part_in(to)))
        .exec(writing.tx)
        .await?;
    action_partner::Entity::update_many()
        .col_expr(action_partner::Column::PartnerId, Expr::value(to))
        .filter(action_partner::Column::PartnerId.eq(from))
        .exec(writing.tx)
        .await?;
    Ok(())
}

/// Rows whose column names the one partner name the other.
macro_rules! renamed {
    ($writing:ident, $module:ident.$column:ident = $value:expr, $key:ident, $from:ident, $noun:literal, $field:literal, $seen:expr) => {
        let all = $module::Entity::find()
            .filter($module::Column::$key.eq($from))
            .filter($module::Column::DeletedAt.is_null())
            .order_by_asc($module::Column::Id)
            .lock(LockType::Update)
            .all($writing.tx)
            .await?;
        for current in all {
            let mut row = next_row!($writing, $module, current);
            row.$column = Set($value);
            let row = row.update($writing.tx).await?;
            let seen = $seen(&row);
            $writing.record($noun, (row.id, row.version), Verb::Merge, vec![$field], seen).await?;
        }
    };
}

/// Referents, lines of funding, and partners that were merged into the one that disappears: what they lead to is
/// always the end of the chain.
async fn move_rows(writing: Writing<'_>, from: Uuid, to: Uuid) -> Result<(), Failure> {
    renamed!(
        writing,
        referent.partner_id = to,
        PartnerId,
        from,
        "Referent",
        "partner",
        |row: &referent::Model| { in_site(row.site_id) }
    );
    renamed!(
        writing,
        funding_line.funder_partner_id = Some(to),
        FunderPartnerId,
        from,
        "FundingLine",
        "funder",
        |row: &funding_line::Model| in_site(row.site_id)
    );
    renamed!(
        writing,
        partner.merged_into_id = Some(to),
        MergedIntoId,
        from,
        "Partner",
        "mergedInto",
        |_: &_| { shared() }
    );
    Ok(())
}
