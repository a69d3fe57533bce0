//! One operation: its variables coerced, its root fields planned, their statements run in one snapshot, the
//! answer written.

use std::net::IpAddr;
use std::sync::Arc;

use async_graphql::parser::types::{
    ExecutableDocument, OperationDefinition, OperationType, Selection, SelectionSet,
};
use async_graphql::{Positioned, Variables};
use sha2::{Digest, Sha256};

use super::causality::Needs;
use super::document::Found;
use super::introspect::{is_introspection, may_introspect};
use super::mutate::Given;
use super::response::Cost;
use super::watch::Watch;
use super::{Engine, check, document, response};
use crate::admission::Class;
use crate::auth::{Actor, Role};
use crate::budget::Account;
use crate::error::{ApiError, Code};
use crate::limits::{self, DocumentLimits};
use crate::policy::Viewer;
use crate::read::coerce::{self, Formats};
use crate::read::cost::{self, Tally};
use crate::read::plan::Planner;
use crate::read::select::{Document, Selected};
use crate::read::shape::{Out, json_key, json_string};
use crate::read::write::Writer;
use crate::telemetry::Serving;

/// One request, its document not yet looked at.
#[derive(Debug, Default)]
pub struct Operation {
    /// The document, unless it is only named.
    pub query: Option<String>,
    /// The identifier of the document.
    pub document_id: Option<String>,
    /// Which of its operations to run.
    pub name: Option<String>,
    /// Variables as sent.
    pub variables: Variables,
    /// Only reads are taken.
    pub read_only: bool,
    /// Bytes that were read to have it.
    pub bytes: usize,
    /// Id of the request, for the journal.
    pub request_id: String,
    /// Where it comes from, which tells anonymous clients apart.
    pub address: Option<IpAddr>,
    /// What a write gave its client to name it: what is read is not older.
    pub causality: Option<String>,
    /// The server's own document: it costs its owner no points, and nobody asks whether it is trusted.
    pub is_ours: bool,
}

/// An answer: the whole response as JSON, and whether the request was executed at all.
#[derive(Debug)]
pub struct Answer {
    /// The response.
    pub body: Vec<u8>,
    /// What it holds.
    pub outcome: Outcome,
    /// A hash of the data, where everybody gets the same: what the public reads of others than itself.
    pub shared: Option<String>,
    /// Codes of its errors.
    pub(super) codes: Vec<Code>,
    /// What it came to.
    pub(super) tally: Tally,
}

impl Answer {
    /// An answer without data.
    pub(super) fn refused(errors: &[ApiError], outcome: Outcome) -> Self {
        let (body, codes) = (response::refused(errors), codes(errors));
        Self { body, outcome, shared: None, codes, tally: Tally::default() }
    }
}

/// What an answer holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Data, perhaps with errors.
    Executed,
    /// Errors only: document, operation name or variables were refused.
    Refused,
    /// A mutation was sent where only reads are taken; nothing was done.
    ReadOnly,
    /// The database was out of reach.
    Unavailable,
    /// The client has asked for too much of late.
    RateLimited {
        /// After how many seconds the same may be asked again.
        retry_after: u32,
    },
}

impl Engine {
    /// The answer to a caller who cannot pay for a request at all, if that is so; nothing is taken of who can.
    pub fn affords(&self, actor: &Actor, address: Option<IpAddr>) -> Result<(), Answer> {
        let account = self.budget.account(actor, address, self.clock.now());
        account.affords(limits::REQUEST_POINTS).map_err(|error| {
            let watch = Watch::new(&self.metrics);
            let answer = unexecuted(vec![error], &account);
            watch.end(Some(&answer), 0);
            answer
        })
    }

    /// Answers one request of a caller.
    pub async fn execute(&self, operation: Operation, actor: Actor) -> Answer {
        self.execute_found(operation, None, actor).await
    }

    /// The same, where what its document holds was found already.
    pub(super) async fn execute_found(
        &self,
        operation: Operation,
        found: Option<Found>,
        actor: Actor,
    ) -> Answer {
        let traced = if operation.is_ours { None } else { Serving::operation(&operation.request_id) };
        match traced {
            // on the heap: what is not traced need not carry it twice
            Some(traced) => Box::pin(traced.scope(self.watched(operation, found, actor))).await,
            None => self.watched(operation, found, actor).await,
        }
    }

    async fn watched(&self, operation: Operation, found: Option<Found>, actor: Actor) -> Answer {
        let viewer = self.viewer(Arc::new(actor));
        let mut account = if operation.is_ours {
            self.budget.uncounted(&viewer.actor, viewer.now)
        } else {
            self.budget.account(&viewer.actor, operation.address, viewer.now)
        };
        let is_ours = operation.is_ours;
        let mut watch = Watch::new(&self.metrics);
        let answer = match self.try_execute(operation, found, &viewer, &mut account, &mut watch).await {
            Ok(answer) => answer,
            Err(errors) => unexecuted(errors, &account),
        };
        if !is_ours {
            watch.end(Some(&answer), account.requested());
        }
        answer
    }

    /// A caller as checks see him, now.
    pub(crate) fn viewer(&self, actor: Arc<Actor>) -> Viewer {
        Viewer::new(actor, self.clock.now(), self.policy)
    }

    async fn try_execute(
        &self,
        asked: Operation,
        found: Option<Found>,
        viewer: &Viewer,
        account: &mut Account,
        watch: &mut Watch<'_>,
    ) -> Result<Answer, Vec<ApiError>> {
        let one = |error| vec![error];
        let points = cost::of_request(asked.bytes);
        account.take(points).map_err(one)?;
        account.cost_at_least(points);
        let limits = account.allowance().document;
        let checked = match found {
            Some(found) => found?,
            None => self.checked(&asked, viewer.actor.role, &limits).await?,
        };
        self.persisted.remember(asked.query.as_deref(), asked.document_id.as_deref());
        let parsed = &checked.document;
        let (name, operation) = document::operation(parsed, asked.name.as_deref()).map_err(one)?;
        watch.found(name, operation.node.ty, &viewer.actor);
        check::check_variables(&asked.variables, &limits).map_err(one)?;
        let definitions = &operation.node.variable_definitions;
        let (variables, has_malformed) =
            coerce::variables(&self.model, definitions, asked.variables, Formats::of(operation.node.ty))
                .map_err(one)?;
        check::check_conditions(parsed, &operation.node, &variables).map_err(one)?;
        // what points and outlines need is read before planning, which is not asynchronous
        if mentions(parsed, crate::qpv::needs_outlines) {
            self.load_outlines().await.map_err(one)?;
        }
        if mentions(parsed, |field| field == crate::feed::ROOT) {
            self.load_identity().await.map_err(one)?;
        }
        match operation.node.ty {
            OperationType::Mutation if asked.read_only => {
                let error =
                    ApiError::new(Code::BadUserInput, "a mutation cannot be sent by GET").expected("POST");
                Ok(Answer::refused(&[error], Outcome::ReadOnly))
            }
            OperationType::Mutation => {
                let variables = Given { values: &variables, has_malformed };
                self.mutate(parsed, operation, variables, viewer, account, &asked.request_id).await
            }
            OperationType::Subscription => {
                let error = ApiError::new(Code::BadUserInput, "a subscription is not answered here")
                    .expected("WebSocket at /graphql/ws, or Accept: text/event-stream at /graphql/stream");
                Err(vec![error])
            }
            OperationType::Query => {
                let terms = Terms { may_be_shared: asked.read_only, causality: asked.causality.as_deref() };
                self.answer(parsed, operation, &variables, viewer, account, terms).await
            }
        }
    }

    /// What the document of an operation holds, or everything that is wrong with it.
    pub(super) async fn checked(&self, asked: &Operation, role: Role, limits: &DocumentLimits) -> Found {
        let text = match asked.query.as_deref() {
            Some(query) if asked.is_ours => query.into(),
            query => {
                let text = self.persisted.text(query, asked.document_id.as_deref(), role);
                text.map_err(|error| vec![error])?
            }
        };
        self.documents.checked(&self.model, &text, limits).await
    }

    async fn answer(
        &self,
        parsed: &ExecutableDocument,
        operation: &Positioned<OperationDefinition>,
        variables: &Variables,
        viewer: &Viewer,
        account: &mut Account,
        terms: Terms<'_>,
    ) -> Result<Answer, Vec<ApiError>> {
        let one = |error| vec![error];
        let document = Document { fragments: &parsed.fragments, variables };
        let sets: [&SelectionSet; 1] = [&operation.node.selection_set.node];
        let roots = document.fields(&sets, &|on| on == "Query");
        check::check_roots(roots.len(), &account.allowance().document).map_err(one)?;
        if roots.iter().any(is_introspection) {
            may_introspect(account).map_err(one)?;
        }
        let known = account.requested();
        let mut planner = Planner::new(&self.model, viewer, document, &self.services, self.db.backend);
        planner.standing = account.standing();
        let mut errors = Vec::new();
        let mut outs: Vec<(Vec<u8>, Option<Out>)> = Vec::new();
        for root in &roots {
            let out = match root.name {
                "__typename" => Some(Out::Text(json_string("Query"))),
                // written when the operation has its turn
                "__schema" | "__type" => Some(Out::null()),
                _ => self.planned(&mut planner, root, &mut errors),
            };
            outs.push((json_key(root.key), out));
        }
        if outs.iter().any(|(_, out)| out.is_none()) {
            return Ok(executed(b"null", &errors, account, Tally::of(known), None));
        }
        let levels = planner.levels;
        account.take(cost::requested(&levels)).map_err(one)?;
        let points = account.requested().saturating_sub(limits::REQUEST_POINTS);
        let _place = self.admission.enter(Class::of_read(viewer.actor.role, points)).await.map_err(one)?;
        let most = account.allowance().answer;
        if let Err(error) = self.introspect(document, &roots, &mut outs, most).await {
            account.cost_at_least(known.saturating_add(cost::of_bytes(most)));
            return Err(one(error));
        }
        let needs = Needs::of(viewer, terms.causality, &roots);
        let fetched = account.working(self.fetch(&levels, &needs)).await.map_err(one)?;
        let shape = outs.into_iter().filter_map(|(key, out)| out.map(|out| (key, out))).collect();
        let opened = response::open(&errors);
        let opening = opened.len();
        let mut tally = Tally::of(known);
        tally.add(&levels, &fetched);
        let written = Writer::within(most, opened, &levels, &fetched).root(&Out::Fields(shape));
        // an answer that became too long was written too
        account.cost_at_least(cost::of_bytes(written.as_ref().map_or(most, Vec::len)));
        if written.is_err() {
            account.cost_at_least(tally.points);
        }
        let written = written.map_err(one)?;
        let is_shared = terms.may_be_shared && errors.is_empty() && is_everybodys(viewer, &roots);
        let shared = is_shared.then(|| hex::encode(&Sha256::digest(&written[opening..])[..16]));
        Ok(Answer { shared, ..closed(written, &errors, account, tally, None) })
    }

    /// Plans a root field; an error makes a nullable field null, and the whole data null otherwise (`None`).
    fn planned<'p>(
        &self,
        planner: &mut Planner<'p>,
        root: &Selected<'p>,
        errors: &mut Vec<ApiError>,
    ) -> Option<Out> {
        let before = planner.levels.len();
        match planner.root(root) {
            Ok(out) => Some(out),
            Err(error) => {
                planner.levels.truncate(before);
                errors.push(error.at(root.position).under(root.key));
                let declared = self.model.roots.get(root.name);
                let nullable = declared
                    .is_some_and(|root| !matches!(root.ty, async_graphql::dynamic::TypeRef::NonNull(_)));
                nullable.then(Out::null)
            }
        }
    }
}

/// How a query is answered.
#[derive(Clone, Copy, Debug)]
struct Terms<'a> {
    /// Caches may keep the answer.
    may_be_shared: bool,
    /// What a write gave the client to name it.
    causality: Option<&'a str>,
}

/// An answer with data; points that were taken for more than was read are given back.
pub(super) fn executed(
    data: &[u8],
    errors: &[ApiError],
    account: &Account,
    tally: Tally,
    causality: Option<&str>,
) -> Answer {
    let mut written = response::open(errors);
    written.extend_from_slice(data);
    closed(written, errors, account, tally, causality)
}

/// The same, of a response whose data are written already.
fn closed(
    written: Vec<u8>,
    errors: &[ApiError],
    account: &Account,
    tally: Tally,
    causality: Option<&str>,
) -> Answer {
    let actual = account.settle(tally.points);
    let cost = Cost { requested: account.requested(), actual, left: account.standing() };
    let body = response::close(written, Some(cost), causality);
    Answer { body, outcome: Outcome::Executed, shared: None, codes: codes(errors), tally }
}

/// The answer to an operation that came to no data.
fn unexecuted(mut errors: Vec<ApiError>, account: &Account) -> Answer {
    errors.truncate(limits::ERRORS);
    let has = |code| errors.iter().any(|error| error.code == code);
    if has(Code::Internal) || has(Code::DeadlineExceeded) {
        // the request was right: it is no fault of its form that an answer failed
        return executed(b"null", &errors, account, Tally::of(limits::REQUEST_POINTS), None);
    }
    account.settle(0);
    let outcome = match errors.iter().find_map(|error| error.retry_after) {
        Some(retry_after) => Outcome::RateLimited { retry_after },
        None if has(Code::Unavailable) => Outcome::Unavailable,
        None => Outcome::Refused,
    };
    Answer::refused(&errors, outcome)
}

fn codes(errors: &[ApiError]) -> Vec<Code> {
    errors.iter().map(|error| error.code).collect()
}

/// Whether everybody without a token gets the same.
fn is_everybodys(viewer: &Viewer, roots: &[Selected<'_>]) -> bool {
    viewer.actor.role == Role::Public && roots.iter().all(|root| root.name != "viewer")
}

/// Whether a document may ask for a root field.
fn mentions(parsed: &ExecutableDocument, is_it: impl Fn(&str) -> bool) -> bool {
    let named = |set: &SelectionSet| {
        set.items.iter().any(|item| match &item.node {
            Selection::Field(field) => is_it(&field.node.name.node),
            Selection::InlineFragment(_) | Selection::FragmentSpread(_) => true,
        })
    };
    parsed.operations.iter().any(|(_, operation)| {
        operation.node.ty == OperationType::Query && named(&operation.node.selection_set.node)
    })
}
