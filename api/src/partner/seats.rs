//! Mutations of seats.

use entity::enums::SeatKind;
use entity::{partner, seat, site};
use sea_orm::ActiveValue::Set;
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter};
use uuid::Uuid;

use super::gone;
use super::mutations::active_seats;
use crate::db::Sql;
use crate::journal::Seen;
use crate::policy::{Resource, Verb, Viewer};
use crate::write::declare::{expected_version, id_of, optional, required};
use crate::write::input::Patch;
use crate::write::row::{new_row, next_row};
use crate::write::{
    Change, Failure, Input, Mutation, Place, Problem, ProblemCode, Resources, Target, Writing,
};

const TARGET: Target = Target { field: "seat", noun: "Seat" };

/// Seats that give rights to write in a site.
const STEERING: [SeatKind; 3] = [SeatKind::Copilote, SeatKind::Porteur, SeatKind::Animateur];

/// The mutations of this noun.
pub fn mutations() -> Vec<Mutation> {
    vec![
        Mutation::new(
            "giveSeat",
            TARGET,
            "Gives a partner a seat in a site. Seats as COPILOTE, PORTEUR or ANIMATEUR are for préfectures and ANCT to give.",
            [
                required("site", "ID", "The site."),
                required("partner", "ID", "The partner; it must be ACTIVE."),
                required("kind", "SeatKind", "What it does there."),
                optional("from", "Date", "First day; today unless told."),
            ],
            |writing, input| Box::pin(give(writing, input)),
        ),
        Mutation::new(
            "endSeat",
            TARGET,
            "Ends a seat, and with it the rights and committee places that hang on it.",
            [
                id_of("seat"),
                expected_version(),
                optional("to", "Date", "Last day; today unless told, never later."),
            ],
            |writing, input| Box::pin(end(writing, input)),
        ),
    ]
}

/// Appends whether a viewer may end a seat.
pub(super) fn viewer_can_end(sql: &mut Sql, viewer: &Viewer, alias: &str) {
    let steering: Vec<String> = STEERING.iter().map(|kind| format!("'{}'", kind.as_str())).collect();
    sql.push(alias).push(".ends_on IS NULL AND CASE WHEN ").push(alias).push(".kind IN (");
    sql.push(&steering.join(", ")).push(") THEN ");
    viewer.authorize(Resource::Seat, Verb::Write, "steering").expression(sql, alias);
    sql.push(" ELSE ");
    viewer.authorize(Resource::Seat, Verb::Write, "member").expression(sql, alias);
    sql.push(" END AND NOT EXISTS (SELECT 1 FROM partner vp WHERE vp.id = ")
        .push(alias)
        .push(".partner_id AND ");
    viewer.rests_on_expression(sql, "vp");
    sql.push(")");
}

fn rights(kind: SeatKind) -> Resources {
    let group = if STEERING.contains(&kind) { "steering" } else { "member" };
    Resources { table: "seat", resource: Resource::Seat, verb: Verb::Write, group }
}

async fn give(writing: Writing<'_>, input: &Input<'_>) -> Result<Change, Failure> {
    let Patch::Set(kind) = input.choice("kind", SeatKind::parse) else {
        return Err(Problem::at(ProblemCode::Required, "kind", "a kind is needed").into());
    };
    let from = input.date("from").or(Some(writing.today()));
    if from.is_some_and(|day| day > writing.today()) {
        input.wrong(ProblemCode::OutOfBounds, "from", "the first day cannot be in the future");
    }
    let Some((site_id, body)) = input.found(place(writing, input, rights(kind)).await)? else {
        return Err(input.noted());
    };
    let partner_id = body.id;
    if let Some(message) = gone(&body) {
        input.wrong(ProblemCode::Rule, "partner", message);
    }
    refuse_own(writing, input, "partner", &body);
    let active = seat::Entity::find()
        .filter(seat::Column::SiteId.eq(site_id))
        .filter(seat::Column::Kind.eq(kind))
        .filter(seat::Column::EndsOn.is_null())
        .filter(seat::Column::DeletedAt.is_null())
        .all(writing.tx)
        .await?;
    if active.iter().any(|other| other.partner_id == partner_id) {
        input.wrong(ProblemCode::Duplicate, "kind", "the partner holds this seat already");
    } else if kind == SeatKind::Porteur && !active.is_empty() {
        input.wrong(ProblemCode::Rule, "kind", "the site has a PORTEUR already; end that seat first");
    }
    input.check()?;
    let seated = writing.seated([site_id]).await?;
    let row = new_row!(
        writing,
        seat { site_id: site_id, partner_id: partner_id, kind: kind, starts_on: from, ends_on: None }
    );
    let row = row.insert(writing.tx).await?;
    writing.rescope_seats(seated).await?;
    let fields = vec!["site", "partner", "kind", "from"];
    writing.record("Seat", (row.id, row.version), Verb::Create, fields, journal_scope(None, &row)).await
}

/// The site in which something of a partner is to be, by which the caller's right is judged, and that partner.
pub(super) async fn place(
    writing: Writing<'_>,
    input: &Input<'_>,
    rights: Resources,
) -> Result<(Uuid, partner::Model), Failure> {
    let (site, partner) = Failure::both(input.subject("site", "site"), input.subject("partner", "partner"))?;
    let placed = match writing.readable::<site::Entity>("site", Resource::Site, "site", site).await {
        Ok(_) => writing.place(rights, "site", Place::of_site(site)).await,
        Err(failure) => Err(failure),
    };
    let body = writing.readable::<partner::Entity>("partner", Resource::Partner, "partner", partner).await;
    let ((), body) = Failure::both(placed, body)?;
    Ok((site, body))
}

async fn end(writing: Writing<'_>, input: &Input<'_>) -> Result<Change, Failure> {
    let id = input.subject("id", "seat")?;
    // the site before its seat: who looks at all seats of a site, to label it or to seat a committee, waits for this
    if let Some(seat) = seat::Entity::find_by_id(id).one(writing.tx).await? {
        writing.lock_site(seat.site_id).await?;
    }
    let known = writing.readable::<seat::Entity>("seat", Resource::Seat, "id", id).await?;
    let current = writing.row::<seat::Entity>(rights(known.kind), "id", id, input.expected_version()).await?;
    if let Some(ended) = current.ends_on {
        if input.date("to").or(Some(ended)) != Some(ended) {
            input.wrong(ProblemCode::Frozen, "to", format!("the seat ended on {ended}"));
        }
        input.check()?;
        return Ok(Change { id });
    }
    if let Some(body) = partner::Entity::find_by_id(current.partner_id).one(writing.tx).await? {
        refuse_own(writing, input, "id", &body);
    }
    let to = input.date("to").or(Some(writing.today())).unwrap_or(writing.today());
    if to > writing.today() || current.starts_on.is_some_and(|from| to < from) {
        input.wrong(ProblemCode::OutOfBounds, "to", "the last day lies between the first day and today");
    }
    input.check()?;
    let seated = writing.seated([current.site_id]).await?;
    let mut row = next_row!(writing, seat, current);
    row.ends_on = Set(Some(to));
    let row = writing.change(&current, row).await?;
    leave_committees(writing, &row).await?;
    writing.rescope_seats(seated).await?;
    let scope = journal_scope(Some(&current), &row);
    writing.record("Seat", (id, row.version), Verb::Write, vec!["to"], scope).await
}

/// Who saw a seat before, and sees it now: the public, until it ends.
pub(crate) fn journal_scope(before: Option<&seat::Model>, after: &seat::Model) -> (Seen, Seen) {
    let seen = |row: &seat::Model| Seen {
        public: row.ends_on.is_none() && row.deleted_at.is_none(),
        ..Seen::in_site(row.site_id)
    };
    (before.map(seen).unwrap_or_default(), seen(after))
}

const OWN: &str = "your own rights come from the seats of this partner";

/// Nobody gives or ends a seat from which his own right comes.
fn refuse_own(writing: Writing<'_>, input: &Input<'_>, field: &str, body: &partner::Model) {
    if writing.viewer.rests_on(body.siren.as_deref(), body.siret.as_deref()) {
        input.wrong(ProblemCode::Forbidden, field, OWN);
    }
}

/// Who takes part in an action gets a seat in its site; nobody gives himself one that way either.
pub(crate) async fn own_seat(
    writing: Writing<'_>,
    site: Uuid,
    partner: Uuid,
) -> Result<Option<Problem>, Failure> {
    let Some(body) = partner::Entity::find_by_id(partner).one(writing.tx).await? else { return Ok(None) };
    let own = writing.viewer.rests_on(body.siren.as_deref(), body.siret.as_deref());
    let refused = own && !has_seat(writing, site, partner).await?;
    Ok(refused.then(|| Problem::at(ProblemCode::Forbidden, "partners", OWN)))
}

async fn has_seat(writing: Writing<'_>, site: Uuid, partner: Uuid) -> Result<bool, Failure> {
    let seats = active_seats(partner).filter(seat::Column::SiteId.eq(site));
    Ok(seats.one(writing.tx).await?.is_some())
}

/// A member of a committee has an active seat in its site.
async fn leave_committees(writing: Writing<'_>, ended: &seat::Model) -> Result<(), Failure> {
    if has_seat(writing, ended.site_id, ended.partner_id).await? {
        return Ok(());
    }
    crate::governance::leave(writing, ended.partner_id, ended.site_id).await
}
