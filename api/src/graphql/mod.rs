//! The engine: from a GraphQL request to its answer.
//!
//! `persisted` finds documents by their names, `document` has the library parse (with `block`) and validate, `check` looks at what the
//! library passes over, `execute` plans, runs and writes, `response` puts the answer together; `subscribe` does so for
//! each page of what is followed; `introspect` tells what the library says of the schema; `causality` chooses the server
//! that is read from; `watch` tells the operator.

mod atomic;
mod block;
mod causality;
mod check;
mod document;
mod execute;
mod introspect;
mod mutate;
mod outputs;
mod persisted;
mod response;
pub mod scalars;
mod schema;
mod subscribe;
mod viewer;
mod watch;

use std::sync::{Arc, OnceLock};

use async_graphql::dynamic::Schema;
use chrono::{DateTime, Utc};
use tokio::sync::OnceCell;

use self::document::Documents;
pub use self::execute::{Answer, Operation, Outcome};
pub(crate) use self::mutate::user_errors;
pub use self::persisted::Persisted;
pub(crate) use self::response::refused;
pub use self::subscribe::Operated;
pub(crate) use self::subscribe::{Begun, Event, Events, Followed};
use crate::admission::Admission;
use crate::auth::Revocations;
use crate::budget::Budget;
use crate::clients::Clients;
use crate::clock::Clock;
use crate::db::{self, Db};
use crate::error::ApiError;
use crate::export::Places;
use crate::limits::DocumentLimits;
use crate::live::Hub;
use crate::metrics::Metrics;
use crate::policy::Policy;
use crate::qpv::KeptOutlines;
use crate::read::declare::Noun;
use crate::read::model::{Extras, Model};
use crate::write::{Mutation, Refusals};

/// What root fields of their own kind need beside the database.
#[derive(Debug, Default)]
pub struct Services {
    /// Outlines of the QPV.
    pub outlines: KeptOutlines,
    /// What names the database in cursors of the change feed, read at first use.
    identity: OnceCell<u32>,
}

impl Services {
    /// What names the database in cursors that outlive it; the engine reads it before planning.
    pub fn identity(&self) -> u32 {
        self.identity.get().copied().unwrap_or_default()
    }
}

/// Answers GraphQL requests.
pub struct Engine {
    /// The declarations.
    pub model: Model,
    /// The database.
    pub db: Arc<Db>,
    policy: &'static Policy,
    clock: Arc<dyn Clock>,
    documents: Documents,
    persisted: Persisted,
    sdl: OnceLock<String>,
    introspection: Schema,
    /// The schema as introspection tells it, from the first question on.
    described: OnceCell<introspect::Described>,
    pub(crate) services: Services,
    pub(crate) budget: Budget,
    pub(crate) admission: Admission,
    refusals: Refusals,
    pub(crate) hub: Hub,
    pub(crate) exports: Places,
    /// Tells clients apart.
    pub clients: Clients,
    /// What the operator watches.
    pub metrics: Arc<Metrics>,
    pub(crate) revocations: Revocations,
    /// The server is one for development: addresses of this machine are taken.
    pub(crate) is_development: bool,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("documents", &self.documents).finish_non_exhaustive()
    }
}

impl Engine {
    /// An engine over a database. The declarations and the rights table are checked whole; an error names the
    /// line at fault.
    pub fn new(db: Arc<Db>, clock: Arc<dyn Clock>) -> anyhow::Result<Self> {
        let policy: &'static Policy = Box::leak(Box::new(Policy::load()?));
        let model = model(policy)?;
        let documents = Documents::new(&model, schema::build(&model, document::extend)?);
        // introspection alone is left to run to its end
        let introspection =
            schema::build(&model, |builder| builder.validation_mode(async_graphql::ValidationMode::Fast))?;
        let services = Services::default();
        Ok(Self {
            admission: Admission::new(&db),
            model,
            db,
            policy,
            clock,
            documents,
            persisted: Persisted::default(),
            sdl: OnceLock::new(),
            introspection,
            described: OnceCell::new(),
            services,
            budget: Budget::default(),
            refusals: Refusals::default(),
            hub: Hub::default(),
            exports: Places::default(),
            clients: Clients::default(),
            metrics: Arc::new(Metrics::new()?),
            revocations: Revocations::default(),
            is_development: false,
        })
    }
}

impl Engine {
    /// The same engine under another budget.
    #[must_use]
    pub fn within(self, budget: Budget) -> Self {
        Self { budget, ..self }
    }

    /// The same engine with documents that have names.
    #[must_use]
    pub fn with_documents(self, persisted: Persisted) -> Self {
        for (name, ty) in &persisted.operations {
            self.metrics.operations.of(Some(name), *ty, true);
        }
        Self { persisted, ..self }
    }

    /// Makes sure that the trusted documents fit the schema.
    pub async fn check_trusted(&self, limits: &[DocumentLimits]) -> anyhow::Result<()> {
        self.persisted.check(&self.model, &self.documents, limits).await.map(drop)
    }

    /// The same engine that ends what goes on under tokens of a list.
    #[must_use]
    pub fn heeding(self, revocations: Revocations) -> Self {
        Self { revocations, ..self }
    }

    /// Says whether the server is one for development.
    #[must_use]
    pub const fn in_development(mut self, is_development: bool) -> Self {
        self.is_development = is_development;
        self
    }

    /// The clock of this engine.
    pub(crate) fn clock(&self) -> &dyn Clock {
        self.clock.as_ref()
    }

    /// Reads what names the database.
    pub(crate) async fn load_identity(&self) -> Result<(), ApiError> {
        self.services.identity.get_or_try_init(async || db::identity(&self.db.readers).await).await?;
        Ok(())
    }

    /// Follows the journal for those who subscribe, as long as it is polled.
    pub async fn follow_journal(&self) {
        tokio::join!(self.db.exchange_news(), self.hub.follow(&self.db, || self.services.identity()));
    }

    /// The schema as `cites schema` prints it, written at the first call.
    pub fn sdl(&self) -> &str {
        self.sdl.get_or_init(|| self.documents.sdl())
    }

    /// The time.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// Whether the database answers, and has what this program needs.
    pub async fn ready(&self) -> Result<(), sea_orm::DbErr> {
        self.db.ready().await
    }
}

/// The schema as `cites schema` prints it.
pub fn sdl() -> anyhow::Result<String> {
    let model = model(&Policy::load()?)?;
    let schema = schema::build(&model, |builder| builder)?;
    Ok(Documents::new(&model, schema).sdl())
}

/// Makes sure that trusted documents fit the schema, without a database; tells how many there are.
pub async fn check_trusted(persisted: &Persisted, limits: &[DocumentLimits]) -> anyhow::Result<usize> {
    let model = model(&Policy::load()?)?;
    let documents = Documents::new(&model, schema::build(&model, document::extend)?);
    persisted.check(&model, &documents, limits).await
}

/// Every noun of the schema.
pub fn nouns() -> Vec<Noun> {
    let mut nouns = crate::territory::nouns();
    nouns.extend(crate::site::nouns());
    nouns.extend(crate::qpv::nouns());
    nouns.extend(crate::partner::nouns());
    nouns.extend(crate::governance::nouns());
    nouns.extend(crate::action::nouns());
    nouns.extend(crate::figure::nouns());
    nouns.extend(crate::client::nouns());
    nouns.extend(crate::audit::nouns());
    nouns.extend(crate::sync::nouns());
    nouns.extend(crate::webhook::nouns());
    nouns
}

fn mutations() -> Vec<Mutation> {
    [
        crate::site::mutations(),
        crate::partner::mutations(),
        crate::governance::mutations(),
        crate::action::mutations(),
        crate::figure::mutations(),
        crate::client::mutations(),
        crate::sync::mutations(),
        crate::webhook::mutations(),
    ]
    .concat()
}

fn model(policy: &Policy) -> anyhow::Result<Model> {
    let mut extras = Extras::default();
    extras.add(viewer::extras());
    extras.add(crate::qpv::extras());
    extras.add(crate::action::extras());
    extras.add(crate::governance::extras());
    extras.add(crate::figure::extras());
    extras.add(crate::partner::extras());
    extras.add(crate::sync::extras());
    extras.add(crate::feed::extras());
    extras.add(crate::webhook::extras());
    Model::build(nouns(), mutations(), extras, policy).map_err(anyhow::Error::msg)
}
