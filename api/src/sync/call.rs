//! One call of `syncActions`: its items read, looked up, decided on and written in one transaction.

use std::collections::HashSet;

use async_graphql::Value;
use entity::enums::{ImportErrorPolicy, ImportMode, ImportOutcome, ImportStatus};
use entity::{StringList, import_batch};
use uuid::Uuid;

use super::decide::Moment;
use super::ground::Ground;
use super::input::{self, Item, SiteRef};
use super::outcome::Outcomes;
use super::report::{self, Absent, Told};
use super::{deletions, snapshot, store};
use crate::db::{Backend, Sql};
use crate::limits;
use crate::policy::{Reach, Resource, Verb, Viewer};
use crate::write::input::Patch;
use crate::write::{Done, Failure, Input, Problem, ProblemCode, Writing};

/// What the caller chose for the call as a whole.
struct Call {
    source: String,
    mode: ImportMode,
    on_error: ImportErrorPolicy,
    dry: bool,
}

/// Brings the actions of the caller's source system up to date.
pub(super) async fn sync(writing: Writing<'_>, input: &Input<'_>) -> Result<Done, Failure> {
    let mut items = input::items(input, writing.now);
    let call = call(writing, input)?;
    let snapshot_of = input::site(input.given("site"));
    for item in items.iter_mut().filter(|item| item.site.is_none() && !item.deleted) {
        item.site.clone_from(&snapshot_of);
    }
    let ground = Ground::load(writing, &call.source, &items, snapshot_of.as_ref()).await?;
    let moment = Moment { now: writing.now, today: writing.today(), source: &call.source };
    let site = match snapshot_of.filter(|_| call.mode == ImportMode::FullSnapshot) {
        Some(named) => Some(snapshot_site(writing, &ground, &named)?),
        None => None,
    };
    if let Some(id) = site {
        snapshot::refuse_strangers(&mut items, &ground, id);
    }
    let Outcomes { told, mut written, newer, deletions } = Outcomes::of(&items, &ground, moment);
    let mut problems = Vec::new();
    let mut absent: Vec<Absent> = Vec::new();
    if let Some(id) = site {
        let missing = snapshot::absent(writing, input, moment, id, &items).await?;
        absent.extend(missing.gone.iter().map(|one| Absent::of(&one.after)));
        problems.extend(missing.problem);
        written.extend(missing.gone);
    }
    if call.on_error == ImportErrorPolicy::Abort
        && told.iter().any(|one| matches!(one.outcome, ImportOutcome::Rejected | ImportOutcome::Conflict))
    {
        let text = "at least one item is wrong, and onError is ABORT: nothing was written; see results";
        problems.push(Problem::at(ProblemCode::Rule, "items", text));
    }
    if call.dry || !problems.is_empty() {
        return Ok(Done { id: None, report: Some(report::kept(&told, &absent)), problems });
    }
    let used: HashSet<Uuid> = written
        .iter()
        .flat_map(|one| one.after.lead_partner_id.into_iter().chain(one.partners.iter().flatten().copied()))
        .collect();
    let made = ground.partners.made(|id| used.contains(id));
    store::write(writing, written, made, &ground.partners.seats).await?;
    store::instants(writing, newer).await?;
    deletions::keep(writing, &call.source, deletions).await?;
    let batch = batch(writing, input, &call, site, &items, &told, &absent);
    let id = batch.id;
    store::history(writing, batch, &items, &told, &absent).await?;
    // a tombstone is not read
    for one in &mut absent {
        one.action = None;
    }
    Ok(Done { id: Some(id), report: Some(report::kept(&told, &absent)), problems: Vec::new() })
}

/// Checks what concerns the call as a whole.
fn call(writing: Writing<'_>, input: &Input<'_>) -> Result<Call, Failure> {
    allowed(writing, Verb::Create)?;
    let Some(source) = writing.viewer.actor.source.clone() else {
        let text = "your token names no source system, whose actions these would be";
        return Err(Problem::at(ProblemCode::Forbidden, "", text).into());
    };
    let count = if let Some(Value::List(items)) = input.given("items") { items.len() } else { 0 };
    if !(1..=limits::IMPORT_ITEMS).contains(&count) {
        let text = format!("{count} items; expected 1 to {}", limits::IMPORT_ITEMS);
        input.wrong(ProblemCode::OutOfBounds, "items", text);
    }
    let mode = input.choice("mode", ImportMode::parse).or(None).unwrap_or(ImportMode::Upsert);
    let on_error = input.choice("onError", ImportErrorPolicy::parse).or(None);
    let dry = matches!(input.flag("dryRun"), Patch::Set(true));
    let has_site = matches!(input.given("site"), Some(Value::Object(_)));
    if mode == ImportMode::FullSnapshot && !has_site {
        input.wrong(ProblemCode::Required, "site", "a FULL_SNAPSHOT is of one site");
    }
    if mode == ImportMode::Upsert && has_site {
        input.wrong(ProblemCode::Rule, "site", "only a FULL_SNAPSHOT is of one site; items name theirs");
    }
    input.check()?;
    Ok(Call { source, mode, on_error: on_error.unwrap_or(ImportErrorPolicy::Continue), dry })
}

/// Whether the caller's role and token let him import at all; into which sites is asked of each item.
fn allowed(writing: Writing<'_>, verb: Verb) -> Result<(), Failure> {
    if is_allowed(writing.viewer, writing.backend, verb) {
        return Ok(());
    }
    let field = if verb == Verb::Snapshot { "mode" } else { "" };
    Err(Problem::at(ProblemCode::Forbidden, field, NOT_ALLOWED).into())
}

/// What a caller is told who may not.
pub(super) const NOT_ALLOWED: &str =
    "your rights do not allow this; `cites rights` and docs/rights.md say whose do";

/// Whether a caller may import anywhere.
pub(super) fn is_allowed(viewer: &Viewer, backend: Backend, verb: Verb) -> bool {
    let access = viewer.authorize(Resource::ImportBatch, verb, "");
    !matches!(access.reach(&mut Sql::new(backend), "t"), Reach::Nothing)
}

/// The site of a snapshot, of which the caller may send one.
fn snapshot_site(writing: Writing<'_>, ground: &Ground, named: &SiteRef) -> Result<Uuid, Failure> {
    let id = ground.site(named).map_err(in_input)?;
    allowed(writing, Verb::Snapshot)?;
    Ok(id)
}

/// A problem of the call's own site, with the way to it.
fn in_input(mut problem: Problem) -> Problem {
    problem.path.insert(0, "input".to_owned());
    problem
}

fn batch(
    writing: Writing<'_>,
    input: &Input<'_>,
    call: &Call,
    site_id: Option<Uuid>,
    items: &[Item],
    told: &[Told],
    absent: &[Absent],
) -> import_batch::Model {
    let counts = store::counts(told);
    let count = |outcome| counts.get(&outcome).copied().unwrap_or_default();
    let key =
        if let Some(Value::String(key)) = input.given("idempotencyKey") { Some(key.clone()) } else { None };
    import_batch::Model {
        id: Uuid::now_v7(),
        client_id: writing.client(),
        idempotency_key: key,
        source_system: call.source.clone(),
        mode: call.mode,
        on_error: call.on_error,
        status: ImportStatus::Completed,
        site_id,
        created_at: writing.now,
        completed_at: Some(writing.now),
        created: count(ImportOutcome::Created),
        updated: count(ImportOutcome::Updated),
        unchanged: count(ImportOutcome::Unchanged),
        conflict: count(ImportOutcome::Conflict),
        rejected: count(ImportOutcome::Rejected),
        absent: i32::try_from(absent.len()).unwrap_or(i32::MAX),
        external_ids: items
            .iter()
            .map(|item| &item.external_id)
            .chain(absent.iter().map(|one| &one.external_id))
            .cloned()
            .collect::<StringList>(),
    }
}
