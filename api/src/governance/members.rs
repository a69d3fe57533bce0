//! Who sits on a committee.

use async_graphql::Value;
use entity::enums::{GovernanceStatus, MemberSeat};
use entity::{governance_body, governance_member, partner, seat};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, LockType, Query, SelectStatement};
use sea_orm::{ActiveModelTrait, ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use super::mutations::body;
use crate::ids;
use crate::policy::Verb;
use crate::write::row::{in_site, next_row};
use crate::write::{Change, Failure, Input, Problem, ProblemCode, Writing};

/// Replaces the members of a committee.
pub(super) async fn members(writing: Writing<'_>, input: &Input<'_>) -> Result<Change, Failure> {
    let current = body(writing, input, "id").await?;
    if current.status == GovernanceStatus::Dissolved {
        input.wrong(ProblemCode::Frozen, "id", "a DISSOLVED body is final");
    }
    let wanted = wanted(writing, input, current.site_id).await?;
    input.check()?;
    governance_member::Entity::delete_many()
        .filter(governance_member::Column::BodyId.eq(current.id))
        .exec(writing.tx)
        .await?;
    for (partner_id, place) in wanted {
        let member = governance_member::ActiveModel {
            id: Set(Uuid::now_v7()),
            body_id: Set(current.id),
            partner_id: Set(partner_id),
            seat: Set(place),
        };
        member.insert(writing.tx).await?;
    }
    let row = writing.change(&current, next_row!(writing, governance_body, current)).await?;
    writing
        .record("GovernanceBody", (row.id, row.version), Verb::Update, vec!["members"], in_site(row.site_id))
        .await
}

/// The members of the input; each has an active seat in the site, whose seats do not end while it is locked.
async fn wanted(
    writing: Writing<'_>,
    input: &Input<'_>,
    site: Uuid,
) -> Result<Vec<(Uuid, MemberSeat)>, Failure> {
    let seated = seat::Entity::find()
        .filter(seat::Column::SiteId.eq(site))
        .filter(seat::Column::EndsOn.is_null())
        .filter(seat::Column::DeletedAt.is_null())
        .all(writing.tx)
        .await?;
    let mut wanted: Vec<(Uuid, MemberSeat)> = Vec::new();
    let Some(Value::List(given)) = input.given("members") else { return Ok(wanted) };
    for (index, member) in given.iter().enumerate() {
        let wrong = |code, message: &str| input.problem(Problem::at(code, "members", message).then(index));
        let Some((partner, place)) = member_of(member) else {
            wrong(ProblemCode::NotFound, "expected an id that begins with partner_");
            continue;
        };
        if !seated.iter().any(|seat| seat.partner_id == partner) {
            let found = partner::Entity::find_by_id(partner).one(writing.tx).await?;
            let message = found.as_ref().and_then(crate::partner::gone);
            wrong(
                ProblemCode::Rule,
                message.as_deref().unwrap_or("the partner has no active seat in the site"),
            );
        } else if wanted.iter().any(|(other, _)| *other == partner) {
            wrong(ProblemCode::Duplicate, "the partner stands twice in the list");
        } else {
            wanted.push((partner, place));
        }
    }
    Ok(wanted)
}

fn member_of(member: &Value) -> Option<(Uuid, MemberSeat)> {
    let Value::Object(member) = member else { return None };
    let (Some(Value::String(id)), Some(Value::Enum(place))) = (member.get("partner"), member.get("seat"))
    else {
        return None;
    };
    let partner = ids::decode(id).ok().filter(|(prefix, _)| *prefix == "partner").map(|(_, id)| id)?;
    Some((partner, MemberSeat::parse(place)?))
}

/// A partner without seat in a site leaves its committees.
pub(crate) async fn leave(writing: Writing<'_>, partner: Uuid, site: Uuid) -> Result<(), Failure> {
    let of_site = Condition::all().add(governance_body::Column::SiteId.eq(site));
    let bodies = with_member(writing, partner, of_site).await?;
    governance_member::Entity::delete_many()
        .filter(governance_member::Column::PartnerId.eq(partner))
        .filter(governance_member::Column::BodyId.is_in(bodies.iter().map(|body| body.id)))
        .exec(writing.tx)
        .await?;
    changed(writing, bodies, Verb::Update).await
}

/// A partner takes the places of another; where both sit, it keeps its own.
pub(crate) async fn hand_over(writing: Writing<'_>, from: Uuid, to: Uuid) -> Result<(), Failure> {
    let bodies = with_member(writing, from, Condition::all()).await?;
    governance_member::Entity::delete_many()
        .filter(governance_member::Column::PartnerId.eq(from))
        .filter(governance_member::Column::BodyId.in_subquery(committees(to)))
        .exec(writing.tx)
        .await?;
    governance_member::Entity::update_many()
        .col_expr(governance_member::Column::PartnerId, Expr::value(to))
        .filter(governance_member::Column::PartnerId.eq(from))
        .exec(writing.tx)
        .await?;
    changed(writing, bodies, Verb::Merge).await
}

/// Ids of the committees on which a partner sits.
pub(crate) fn committees(partner: Uuid) -> SelectStatement {
    Query::select()
        .column(governance_member::Column::BodyId)
        .from(governance_member::Entity)
        .and_where(governance_member::Column::PartnerId.eq(partner))
        .to_owned()
}

async fn with_member(
    writing: Writing<'_>,
    partner: Uuid,
    among: Condition,
) -> Result<Vec<governance_body::Model>, Failure> {
    let bodies = governance_body::Entity::find()
        .filter(among)
        .filter(governance_body::Column::Id.in_subquery(committees(partner)))
        .filter(governance_body::Column::DeletedAt.is_null())
        .order_by_asc(governance_body::Column::Id)
        .lock(LockType::Update)
        .all(writing.tx);
    Ok(bodies.await?)
}

async fn changed(
    writing: Writing<'_>,
    bodies: Vec<governance_body::Model>,
    verb: Verb,
) -> Result<(), Failure> {
    for body in bodies {
        let row = writing.change(&body, next_row!(writing, governance_body, body)).await?;
        let scope = in_site(row.site_id);
        writing.record("GovernanceBody", (row.id, row.version), verb, vec!["members"], scope).await?;
    }
    Ok(())
}
