//! Where operations are read from, and what their clients are to find again: what they wrote, and what they were told of.

use crate::auth::{Actor, Role};
use crate::db::Replica;
use crate::db::replica::{Known, Position, Source};
use crate::error::ApiError;
use crate::feed;
use crate::policy::Viewer;
use crate::read::level::Level;
use crate::read::run::{self, Fetched};
use crate::read::select::Selected;

use super::Engine;

/// What names everything that there is: any text that is no token does.
const LATEST: &str = "latest";

/// What a query may not be behind.
#[derive(Debug)]
pub(super) struct Needs<'a> {
    /// Who asks.
    pub viewer: &'a Viewer,
    /// What a write gave him to name it.
    pub causality: Option<&'a str>,
    /// It asks for the change feed.
    pub feed: bool,
}

impl<'a> Needs<'a> {
    /// Those of a query. A cursor of the feed is known where its entry is: a server that is behind would say that it has
    /// expired.
    pub fn of(viewer: &'a Viewer, causality: Option<&'a str>, roots: &[Selected<'_>]) -> Self {
        Self { viewer, causality, feed: roots.iter().any(|root| root.name == feed::ROOT) }
    }
}

impl Engine {
    /// Reads from the replica if it has what the caller is to find, else from the primary. What fails on the replica is
    /// read from the primary, within the same time.
    pub(super) async fn fetch(
        &self,
        levels: &[Level<'_>],
        needs: &Needs<'_>,
    ) -> Result<Vec<Fetched>, ApiError> {
        let Some(replica) = self.db.replica.as_deref().filter(|_| !levels.is_empty()) else {
            return run::run(&self.db, levels).await;
        };
        let work = async {
            let mut source = self.source(replica, needs).await?;
            if source == Source::Replica {
                match run::run_on_replica(&self.db, replica, levels).await {
                    Some(done) => {
                        self.metrics.read(source);
                        return done;
                    }
                    None => source = Source::Failed,
                }
            }
            self.metrics.read(source);
            run::run(&self.db, levels).await
        };
        let fetched = tokio::time::timeout(self.db.deadline, work).await;
        let fetched = fetched.unwrap_or_else(|_| Err(ApiError::too_long()))?;
        let mut told = levels.iter().zip(&fetched).filter(|(level, _)| !level.is_place);
        if needs.feed && told.any(|(_, found)| !found.rows.is_empty()) {
            self.told(&needs.viewer.actor);
        }
        Ok(fetched)
    }

    async fn source(&self, replica: &Replica, needs: &Needs<'_>) -> Result<Source, ApiError> {
        let position = match needs.causality {
            Some(token) => {
                self.load_identity().await?;
                Some(Position::named(token, self.services.identity()))
            }
            None => None,
        };
        let client = client(replica, &needs.viewer.actor);
        Ok(replica.source(Known { position, client, everything: needs.feed }, self.clock.now()))
    }

    /// A client has written, or was told of changes: its next reads here find them.
    pub(crate) fn told(&self, actor: &Actor) {
        if let Some(replica) = &self.db.replica
            && let Some(client) = client(replica, actor)
        {
            replica.note(client);
        }
    }

    /// The same, and what names it at other instances; none without a replica.
    pub(super) async fn written(&self, actor: &Actor) -> Option<String> {
        self.db.replica.as_ref()?;
        self.told(actor);
        let position = async {
            self.load_identity().await?;
            Ok::<_, ApiError>(Position::of_primary(&self.db.readers).await?)
        };
        let token = match tokio::time::timeout(self.db.deadline, position).await {
            Ok(Ok(position)) => position.token(self.services.identity()),
            // no position: who sends it is read for from the primary
            Ok(Err(_)) | Err(_) => LATEST.to_owned(),
        };
        Some(token)
    }
}

/// Who a client is to the replica's memory. The public writes nothing and follows nothing.
fn client(replica: &Replica, actor: &Actor) -> Option<u64> {
    (actor.role != Role::Public).then(|| replica.client((actor.role.name(), &actor.client_id, &actor.sub)))
}
