//! Mutations of referents: personal data, which is emptied on request or when its time is over.

use chrono::{Months, NaiveDate};
use entity::{idempotency_key, referent};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::LockType;
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use super::{gone, seats};
use crate::graphql::scalars::Scalar;
use crate::policy::{Resource, Verb};
use crate::read::model::Argument;
use crate::write::declare::{expected_version, id_of, optional, required};
use crate::write::input::Patch;
use crate::write::row::{in_site, new_row, next_row, take};
use crate::write::{Change, Failure, Input, Mutation, Problem, ProblemCode, Resources, Target, Writing};

const TARGET: Target = Target { field: "referent", noun: "Referent" };

/// What an erasure empties.
const ERASED: [&str; 5] = ["firstName", "lastName", "email", "phone", "erasedAt"];

/// Tables that hold what an erasure empties or forgets.
pub(crate) const PERSONAL: &[&str] = &["referent", "idempotency_key"];

/// Persons that one transaction erases: other writers wait for no more than that.
const BATCH: u64 = 100;

/// The mutations of this noun.
pub fn mutations() -> Vec<Mutation> {
    vec![
        Mutation::new(
            "createReferent",
            TARGET,
            "Names a person of a partner for a site. Personal data: erased two years after the last day unless told otherwise.",
            [
                vec![required("site", "ID", "The site."), required("partner", "ID", "The partner; it must be ACTIVE.")],
                fields(true),
            ]
            .concat(),
            |writing, input| Box::pin(create(writing, input)),
        ),
        Mutation::new(
            "updateReferent",
            TARGET,
            "Changes what is known of a person.",
            [vec![id_of("referent"), expected_version()], fields(false)].concat(),
            |writing, input| Box::pin(update(writing, input)),
        ),
        Mutation::new(
            "endReferent",
            TARGET,
            "Says when a person's time in the site ended; personal data is erased two years later unless told otherwise.",
            [
                id_of("referent"),
                expected_version(),
                required("to", "Date", "Last day."),
                optional("eraseAfter", "Date", "Day after which personal data is erased."),
            ],
            |writing, input| Box::pin(end(writing, input)),
        ),
        Mutation::new(
            "eraseReferent",
            TARGET,
            "Empties names, mail and telephone of a person at once and for good; the row stays, so that counts do not move.",
            [id_of("referent"), expected_version()],
            |writing, input| Box::pin(erase(writing, input)),
        )
        .scrubs(PERSONAL),
    ]
}

fn fields(create: bool) -> Vec<Argument> {
    let field = if create { required } else { optional };
    vec![
        field("function", "String", "Function (« fonction »), 2 to 120 characters; not personal."),
        optional("firstName", "String", "First name, up to 100 characters."),
        optional("lastName", "String", "Last name, up to 100 characters."),
        optional("email", "String", "Electronic mail, up to 254 characters."),
        optional("phone", "Phone", "Telephone, in international form."),
        optional("from", "Date", "First day."),
    ]
}

fn rights(verb: Verb) -> Resources {
    Resources { table: "referent", resource: Resource::Referent, verb, group: "" }
}

async fn create(writing: Writing<'_>, input: &Input<'_>) -> Result<Change, Failure> {
    let placed = input.found(seats::place(writing, input, rights(Verb::Write)).await)?;
    if let Some(message) = placed.as_ref().and_then(|(_, body)| gone(body)) {
        input.wrong(ProblemCode::Rule, "partner", message);
    }
    // without a place it is not written, but looked at
    let (site_id, partner_id) = placed.map(|(site, body)| (site, body.id)).unwrap_or_default();
    let mut row = new_row!(
        writing,
        referent {
            site_id: site_id,
            partner_id: partner_id,
            function: String::new(),
            first_name: None,
            last_name: None,
            email: None,
            phone: None,
            starts_on: None,
            ends_on: None,
            erase_after: None,
            erased_at: None,
        }
    );
    let empty = referent::Model::try_from(row.clone())?;
    let changed = [vec!["site", "partner"], apply(input, &empty, &mut row)].concat();
    input.check()?;
    let row = row.insert(writing.tx).await?;
    writing.record("Referent", (row.id, row.version), Verb::Create, changed, in_site(site_id)).await
}

async fn update(writing: Writing<'_>, input: &Input<'_>) -> Result<Change, Failure> {
    let current = current(writing, input, Verb::Write).await?;
    let mut row = next_row!(writing, referent, current);
    let changed = apply(input, &current, &mut row);
    input.check()?;
    if changed.is_empty() {
        return Ok(Change { id: current.id });
    }
    let row = writing.change(&current, row).await?;
    writing.record("Referent", (row.id, row.version), Verb::Update, changed, in_site(row.site_id)).await
}

async fn current(writing: Writing<'_>, input: &Input<'_>, verb: Verb) -> Result<referent::Model, Failure> {
    let id = input.subject("id", "referent")?;
    let current = writing.row::<referent::Entity>(rights(verb), "id", id, input.expected_version()).await?;
    if current.erased_at.is_some() && verb != Verb::Erase {
        return Err(Problem::at(
            ProblemCode::Frozen,
            "id",
            "the person's data was erased; create another referent",
        )
        .into());
    }
    Ok(current)
}

fn apply(input: &Input<'_>, current: &referent::Model, row: &mut referent::ActiveModel) -> Vec<&'static str> {
    let mut changed = Vec::new();
    if let Patch::Set(function) = input.needed_text("function", 2..=120) {
        take!(changed, row, current, "function", function, function);
    }
    take!(
        changed,
        row,
        current,
        "firstName",
        first_name,
        input.text("firstName", 1..=100).or(current.first_name.clone())
    );
    take!(
        changed,
        row,
        current,
        "lastName",
        last_name,
        input.text("lastName", 1..=100).or(current.last_name.clone())
    );
    let email = input.text("email", 3..=254);
    if let Patch::Set(address) = &email
        && !address
            .split_once('@')
            .is_some_and(|(name, host)| !name.is_empty() && host.contains('.') && !host.contains('@'))
    {
        input.wrong(ProblemCode::OutOfBounds, "email", "expected an address such as prenom.nom@exemple.fr");
    }
    take!(changed, row, current, "email", email, email.or(current.email.clone()));
    take!(
        changed,
        row,
        current,
        "phone",
        phone,
        input.code("phone", Scalar::Phone).or(current.phone.clone())
    );
    let from = input.date("from").or(current.starts_on);
    if from.zip(current.ends_on).is_some_and(|(from, to)| to < from) {
        input.wrong(ProblemCode::Rule, "from", "the first day is after the last");
    }
    take!(changed, row, current, "from", starts_on, from);
    changed
}

async fn end(writing: Writing<'_>, input: &Input<'_>) -> Result<Change, Failure> {
    let current = current(writing, input, Verb::Write).await?;
    let Some(to) = input.date("to").or(None) else {
        return Err(Problem::at(ProblemCode::Required, "to", "a last day is needed").into());
    };
    if current.starts_on.is_some_and(|from| to < from) {
        input.wrong(ProblemCode::Rule, "to", "the last day is before the first");
    }
    // null stands for the usual time: nothing personal is kept for ever
    let erase = match input.date("eraseAfter") {
        Patch::Set(day) => Some(day),
        Patch::Keep => agreed(&current).filter(|day| *day >= to).or_else(|| usual(to)),
        Patch::Clear => usual(to),
    };
    if erase.is_some_and(|day| day < to) {
        input.wrong(
            ProblemCode::Rule,
            "eraseAfter",
            "personal data is not erased before the last day; use eraseReferent",
        );
    }
    input.check()?;
    let mut row = next_row!(writing, referent, current);
    row.ends_on = Set(Some(to));
    row.erase_after = Set(erase);
    let row = writing.change(&current, row).await?;
    writing
        .record(
            "Referent",
            (row.id, row.version),
            Verb::Write,
            vec!["to", "eraseAfter"],
            in_site(row.site_id),
        )
        .await
}

/// When personal data is erased unless told otherwise.
fn usual(to: NaiveDate) -> Option<NaiveDate> {
    to.checked_add_months(Months::new(24))
}

/// The day of erasure that somebody chose; the usual one follows the last day.
fn agreed(current: &referent::Model) -> Option<NaiveDate> {
    current.erase_after.filter(|day| current.ends_on.and_then(usual) != Some(*day))
}

async fn erase(writing: Writing<'_>, input: &Input<'_>) -> Result<Change, Failure> {
    let current = current(writing, input, Verb::Erase).await?;
    if current.erased_at.is_some() {
        return Ok(Change { id: current.id });
    }
    erase_row(writing, &current).await
}

/// Erases some of those whose time is over, and says how many; none when nobody is left.
pub(crate) async fn erase_due(writing: Writing<'_>) -> Result<Option<usize>, Failure> {
    let due = || {
        let due = referent::Entity::find().filter(referent::Column::EraseAfter.lt(writing.today()));
        due.filter(referent::Column::ErasedAt.is_null()).order_by_asc(referent::Column::Id)
    };
    let found = due().limit(BATCH).all(writing.tx).await?;
    if found.is_empty() {
        return Ok(None);
    }
    // of whom somebody writes at this moment another day may be told: he is looked at again once he is locked
    let ids = found.into_iter().map(|row| row.id);
    let locked = due().filter(referent::Column::Id.is_in(ids)).lock(LockType::Update).all(writing.tx).await?;
    for row in &locked {
        erase_row(writing, row).await?;
    }
    Ok(Some(locked.len()))
}

/// Deletes the referents of a site that goes, with their data.
pub(crate) async fn delete_in_site(writing: Writing<'_>, site: Uuid) -> Result<(), Failure> {
    let all = referent::Entity::find()
        .filter(referent::Column::SiteId.eq(site))
        .filter(referent::Column::DeletedAt.is_null())
        .order_by_asc(referent::Column::Id)
        .lock(LockType::Update)
        .all(writing.tx)
        .await?;
    for current in all {
        let mut row = emptied(writing, &current);
        row.deleted_at = Set(Some(writing.now));
        let row = writing.change(&current, row).await?;
        forget_sent(writing, row.id).await?;
        let fields = [&ERASED[..], &["deletedAt"]].concat();
        writing.record("Referent", (row.id, row.version), Verb::Delete, fields, in_site(site)).await?;
    }
    Ok(())
}

/// Empties the personal fields of a row.
async fn erase_row(writing: Writing<'_>, current: &referent::Model) -> Result<Change, Failure> {
    let row = writing.change(current, emptied(writing, current)).await?;
    forget_sent(writing, row.id).await?;
    let scope = in_site(row.site_id);
    writing.record("Referent", (row.id, row.version), Verb::Erase, ERASED.to_vec(), scope).await
}

fn emptied(writing: Writing<'_>, current: &referent::Model) -> referent::ActiveModel {
    let mut row = next_row!(writing, referent, current);
    row.first_name = Set(None);
    row.last_name = Set(None);
    row.email = Set(None);
    row.phone = Set(None);
    row.erased_at = Set(current.erased_at.or(Some(writing.now)));
    row
}

/// Forgets the keys under which a person's data was sent: beside them stands a hash of it, by which a guess could be
/// proved right.
async fn forget_sent(writing: Writing<'_>, referent: Uuid) -> Result<(), Failure> {
    idempotency_key::Entity::delete_many()
        .filter(idempotency_key::Column::Operation.is_in(["createReferent", "updateReferent"]))
        .filter(idempotency_key::Column::Answer.contains(referent.to_string()))
        .exec(writing.tx)
        .await?;
    Ok(())
}
