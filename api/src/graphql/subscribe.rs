//! Subscriptions: checked once, then planned anew for each page, so that rights are those of the moment. Each page takes
//! its points before it is read, and gives back those of what was not there.

use std::net::IpAddr;
use std::sync::Arc;

use async_graphql::Variables;
use async_graphql::parser::types::{OperationType, SelectionSet};

use super::document::Checked;
use super::execute::{Answer, Operation, Outcome};
use super::watch::Watch;
use super::{Engine, check, document, outputs, response};
use crate::auth::Actor;
use crate::budget::Account;
use crate::error::{ApiError, Code};
use crate::feed::{self, Place, Stretch, tail};
use crate::limits;
use crate::live::Subscription;
use crate::policy::Viewer;
use crate::read::coerce::{self, Arguments, Formats};
use crate::read::cost::{self, Tally};
use crate::read::level::Level;
use crate::read::plan::{Planner, internal};
use crate::read::run;
use crate::read::select::{Document, Selected};
use crate::read::shape::json_key;
use crate::read::write::Writer;
use crate::telemetry::Serving;

/// What became of an operation.
#[derive(Debug)]
pub enum Operated {
    /// It is done.
    Answered(Answer),
    /// It goes on.
    Live(Box<Subscription>),
}

/// A subscription that was found right.
#[derive(Debug)]
pub(crate) struct Followed {
    parsed: Arc<Checked>,
    name: Option<Box<str>>,
    variables: Variables,
    /// Who follows.
    pub actor: Arc<Actor>,
    /// From where, which tells anonymous clients apart.
    address: Option<IpAddr>,
}

/// What a subscription asks, before it is read for the first time.
#[derive(Debug)]
pub(crate) struct Begun {
    /// What is followed.
    pub followed: Followed,
    /// Nouns whose changes are asked for.
    pub nouns: Vec<&'static str>,
    /// Cursor to begin after.
    pub after: Option<String>,
}

/// An event: its cursor, and the response that tells it.
pub(crate) type Event = (String, Vec<u8>);

/// Events that were read together.
#[derive(Debug, Default)]
pub(crate) struct Events {
    /// In their order.
    pub events: Vec<Event>,
    /// Nothing is left behind them in their stretch.
    pub is_last: bool,
}

impl Engine {
    /// Answers one operation of a caller, or begins to follow what it subscribes to. `turn` is dropped when those that
    /// were sent after it may begin.
    pub async fn operate(self: &Arc<Self>, asked: Operation, actor: Actor, turn: impl Send) -> Operated {
        let mut account = self.budget.account(&actor, asked.address, self.clock.now());
        let watch = Watch::new(&self.metrics);
        // before its document is looked at, as in `execute`
        let points = cost::of_request(asked.bytes);
        if let Err(error) = account.take(points) {
            return Operated::Answered(Self::unanswered(&[error], watch));
        }
        let found = self.checked(&asked, actor.role, &account.allowance().document).await;
        let parsed = match found {
            Ok(parsed) if subscribes(&parsed, asked.name.as_deref()) => parsed,
            found => {
                // paid there, and what is wrong with it is told there
                account.settle(0);
                drop(turn);
                return Operated::Answered(self.execute_found(asked, Some(found), actor).await);
            }
        };
        account.cost_at_least(points);
        let traced = Serving::operation(&asked.request_id);
        let followed = self.watched_follow(parsed, asked, actor, account, watch);
        match traced {
            Some(traced) => Box::pin(traced.scope(followed)).await,
            None => followed.await,
        }
    }

    async fn watched_follow(
        self: &Arc<Self>,
        parsed: Arc<Checked>,
        asked: Operation,
        actor: Actor,
        account: Account,
        mut watch: Watch<'_>,
    ) -> Operated {
        if let Ok((name, operation)) = document::operation(&parsed.document, asked.name.as_deref()) {
            watch.found(name, operation.node.ty, &actor);
        }
        let points = account.requested();
        match self.follow(parsed, asked, actor, account).await {
            Ok(live) => {
                watch.end(None, points);
                Operated::Live(Box::new(live))
            }
            Err(errors) => Operated::Answered(Self::unanswered(&errors, watch)),
        }
    }

    async fn follow(
        self: &Arc<Self>,
        parsed: Arc<Checked>,
        asked: Operation,
        actor: Actor,
        account: Account,
    ) -> Result<Subscription, Vec<ApiError>> {
        let one = |error| vec![error];
        check::check_variables(&asked.variables, &account.allowance().document).map_err(one)?;
        let begun = self.begin(parsed, asked, actor, account)?;
        self.load_identity().await.map_err(one)?;
        let viewer = self.viewer(Arc::clone(&begun.followed.actor));
        if let Some(grant) = feed::grant(&viewer, self.db.backend) {
            run::require(&self.db.readers, &self.db, &grant).await.map_err(one)?;
        }
        if let Some(cursor) = &begun.after {
            self.known(cursor).await.map_err(one)?;
        }
        Subscription::new(Arc::clone(self), begun).await.map_err(one)
    }

    /// Looks at everything that can be wrong before something is read.
    fn begin(
        &self,
        parsed: Arc<Checked>,
        asked: Operation,
        actor: Actor,
        mut account: Account,
    ) -> Result<Begun, Vec<ApiError>> {
        let one = |error| vec![error];
        let (_, operation) = document::operation(&parsed.document, asked.name.as_deref()).map_err(one)?;
        let definitions = &operation.node.variable_definitions;
        let formats = Formats::of(operation.node.ty);
        let (variables, _) =
            coerce::variables(&self.model, definitions, asked.variables, formats).map_err(one)?;
        check::check_conditions(&parsed.document, &operation.node, &variables).map_err(one)?;
        let name = asked.name.as_deref().map(Box::from);
        let followed = Followed { parsed, name, variables, actor: Arc::new(actor), address: asked.address };
        let viewer = self.viewer(Arc::clone(&followed.actor));
        if !feed::is_followed(&viewer, self.db.backend) {
            return Err(vec![ApiError::new(Code::Forbidden, "this token gives no right to follow changes")]);
        }
        // planned for nothing, to find what is wrong with the fields asked of an event
        let (nouns, after) = self.with_root(&followed, &viewer, |planner, root, arguments| {
            let after = arguments.get("after").and_then(|after| match after {
                async_graphql::Value::String(cursor) => Some(cursor.clone()),
                _ => None,
            });
            feed::live(planner, root, arguments, Stretch { after: None, until: None })?;
            // a page may be read as an operation may: nothing is read yet, and nothing paid
            account.take(cost::requested(&planner.levels))?;
            account.settle(0);
            Ok((feed::entities(arguments)?, after))
        })?;
        Ok(Begun { followed, nouns, after })
    }

    /// Makes sure that a cursor is one of this database.
    async fn known(&self, cursor: &str) -> Result<(), ApiError> {
        let sql = crate::db::Sql::new(self.db.backend);
        let place = Place::read(cursor, self.services.identity(), &sql)?;
        run::require(&self.db.readers, &self.db, &place.required(sql)).await
    }

    /// The next events of a stretch, paid by whoever follows; what he cannot pay yet is not read.
    pub(crate) async fn events(
        &self,
        followed: &Followed,
        stretch: Stretch<'_>,
    ) -> Result<Events, Vec<ApiError>> {
        let viewer = self.viewer(Arc::clone(&followed.actor));
        let (levels, page, key) = self.with_root(followed, &viewer, |planner, root, arguments| {
            let page = feed::live(planner, root, arguments, stretch)?;
            Ok((std::mem::take(&mut planner.levels), page, json_key(root.key)))
        })?;
        let one = |error| vec![error];
        let mut account = self.budget.account(&followed.actor, followed.address, viewer.now);
        account.take(cost::requested(&levels)).map_err(one)?;
        let read = self.read(&levels, &page, account.allowance().answer).await;
        account.settle(read.as_ref().map_or(0, |(_, points)| *points));
        let (read, _) = read.map_err(one)?;
        if !read.events.is_empty() {
            self.told(&followed.actor);
        }
        let event = |(cursor, change): (String, Vec<u8>)| {
            let data = [b"{".as_slice(), &key, &change, b"}"].concat();
            (cursor, response::executed(&data, &[], None))
        };
        Ok(Events { events: read.events.into_iter().map(event).collect(), is_last: read.is_last })
    }

    /// How far of a stretch is looked at once; none where that is the whole.
    pub(crate) async fn reach(&self, after: Option<&str>, until: &str) -> Result<Option<Arc<str>>, ApiError> {
        let (sql, tag) = (crate::db::Sql::new(self.db.backend), self.services.identity());
        let after = after.map(|after| Place::read(after, tag, &sql)).transpose()?;
        let until = Place::read(until, tag, &sql)?;
        Ok(tail::reach(&self.db, after.as_ref(), &until).await?.map(|place| place.cursor(tag)))
    }

    /// The changes of a page, and what they came to in points.
    async fn read(
        &self,
        levels: &[Level<'_>],
        page: &feed::Page,
        most: usize,
    ) -> Result<(Events, u64), ApiError> {
        let fetched = run::run(&self.db, levels).await?;
        let found = fetched[page.level].group(None).map_or(0, |group| group.rows.len());
        let writer = Writer::within(most, Vec::with_capacity(8192), levels, &fetched);
        let events = writer.each(page.level, &page.shape, &page.cursor, limits::LIVE_PAGE_BYTES)?;
        let mut tally = Tally::default();
        tally.add(levels, &fetched);
        let bytes = events.iter().map(|(_, change)| change.len()).sum();
        let points = tally.points.max(cost::of_bytes(bytes));
        // what was found and is not among them is read again after them
        let is_last = events.len() == found && found < limits::LIVE_PAGE;
        Ok((Events { events, is_last }, points))
    }

    /// Does something with the field that is followed.
    fn with_root<'f, T>(
        &'f self,
        followed: &'f Followed,
        viewer: &'f Viewer,
        work: impl FnOnce(&mut Planner<'f>, &Selected<'f>, &Arguments) -> Result<T, ApiError>,
    ) -> Result<T, Vec<ApiError>> {
        let one = |error| vec![error];
        let parsed = &followed.parsed.document;
        let (_, operation) = document::operation(parsed, followed.name.as_deref()).map_err(one)?;
        let document = Document { fragments: &parsed.fragments, variables: &followed.variables };
        let sets: [&SelectionSet; 1] = [&operation.node.selection_set.node];
        let roots = document.fields(&sets, &|on| on == outputs::SUBSCRIPTION);
        let declared =
            |root: &Selected<'_>| self.model.subscriptions.iter().find(|live| live.name == root.name);
        let Some((root, live)) = roots.first().and_then(|root| Some((root, declared(root)?))) else {
            return Err(one(internal("a subscription without field")));
        };
        let in_root = |error: ApiError| vec![error.at(root.position).under(root.key)];
        let given = coerce::arguments(&self.model, &live.arguments, root.arguments, document.variables);
        let arguments = given.map_err(in_root)?;
        let mut planner = Planner::new(&self.model, viewer, document, &self.services, self.db.backend);
        work(&mut planner, root, &arguments).map_err(in_root)
    }

    /// The response to an operation that was not executed.
    fn unanswered(errors: &[ApiError], watch: Watch<'_>) -> Answer {
        let is_away = errors.iter().any(|error| error.code == Code::Unavailable);
        let outcome = match errors.iter().find_map(|error| error.retry_after) {
            Some(retry_after) => Outcome::RateLimited { retry_after },
            None if is_away => Outcome::Unavailable,
            None => Outcome::Refused,
        };
        let answer = Answer::refused(errors, outcome);
        watch.end(Some(&answer), 0);
        answer
    }
}

/// Whether the operation to run is a subscription.
fn subscribes(checked: &Checked, name: Option<&str>) -> bool {
    document::operation(&checked.document, name)
        .is_ok_and(|(_, operation)| operation.node.ty == OperationType::Subscription)
}
