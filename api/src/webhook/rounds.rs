//! Looks each second which webhooks are due and delivers to each on its own: whoever answers slowly holds up nobody but
//! himself. So many are delivered to at once, and few of them of one client.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use entity::enums::WebhookState;
use entity::webhook::{self, Column, Entity};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter};
use tokio::sync::Semaphore;

use super::deliver::follow;
use super::send::Post;
use crate::clients::{Held, Hold};
use crate::error::ApiError;
use crate::feed::{Place, tail};
use crate::graphql::Engine;
use crate::limits;

/// How often the feed is looked at for each webhook.
const EVERY: Duration = Duration::from_secs(1);

/// The deliveries of an instance.
struct Rounds {
    engine: Arc<Engine>,
    post: Post,
    at_once: Semaphore,
    /// By client. Those who wait have their turns in the order in which they came.
    of_client: Mutex<HashMap<String, Arc<Semaphore>>>,
    /// Webhooks that are delivered to or wait for it.
    under_way: Held,
}

/// Delivers from now on, in the background. A failure is logged and tried again.
pub fn in_background(engine: Arc<Engine>) -> reqwest::Result<()> {
    let post = Post::new(engine.is_development)?;
    let at_once = Semaphore::new(limits::WEBHOOKS_AT_ONCE);
    let (of_client, under_way) = (Mutex::default(), Held::default());
    let rounds = Arc::new(Rounds { engine, post, at_once, of_client, under_way });
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(EVERY).await;
            if let Err(error) = rounds.begin().await {
                tracing::warn!(%error, "webhooks could not be looked at; it will be tried again");
            }
        }
    });
    Ok(())
}

impl Rounds {
    /// Begins what is due and not under way.
    async fn begin(self: &Arc<Self>) -> Result<(), ApiError> {
        let engine = &self.engine;
        let due = Condition::any()
            .add(Column::NextAttemptAt.is_null())
            .add(Column::NextAttemptAt.lte(engine.now()));
        let hooks = active().filter(due).all(&engine.db.readers).await?;
        if hooks.is_empty() {
            return Ok(());
        }
        // before the changes are looked at: what is settled later comes after it
        engine.load_identity().await?;
        let end = tail::end(&engine.db.readers, engine.db.backend).await?.map(Arc::new);
        for hook in hooks {
            // the end of its id is chance
            let Some(hold) = self.under_way.take(hook.id.as_u64_pair().1, 1) else { continue };
            tokio::spawn(Arc::clone(self).turn(hook, end.clone(), hold));
        }
        // of those who have no webhook any more nothing is kept
        self.clients(|clients| clients.retain(|_, places| Arc::strong_count(places) > 1));
        Ok(())
    }

    /// Waits for a place and delivers what there is for one webhook.
    async fn turn(self: Arc<Self>, hook: webhook::Model, end: Option<Arc<Place>>, _hold: Hold) {
        let (id, begun) = (hook.id, Instant::now());
        let most = || Arc::new(Semaphore::new(limits::WEBHOOKS_OF_CLIENT_AT_ONCE));
        let of_client =
            self.clients(|clients| Arc::clone(clients.entry(hook.client_id.clone()).or_insert_with(most)));
        // its client's first: whoever waits for that keeps no place from others
        let (Ok(_of_client), Ok(_place)) = (of_client.acquire().await, self.at_once.acquire().await) else {
            return;
        };
        let followed = async {
            let waited = begun.elapsed() > EVERY;
            // its owner may have changed it meanwhile
            let hook = if waited {
                active().filter(Column::Id.eq(id)).one(&self.engine.db.readers).await?
            } else {
                Some(hook)
            };
            match hook {
                Some(hook) => follow(&self.engine, &self.post, hook, end.as_deref()).await,
                None => Ok(()),
            }
        };
        if let Err(error) = followed.await {
            tracing::warn!(webhook = %id, %error, "a webhook could not be followed; it will be tried again");
        }
    }

    fn clients<T>(&self, change: impl FnOnce(&mut HashMap<String, Arc<Semaphore>>) -> T) -> T {
        change(&mut self.of_client.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn active() -> sea_orm::Select<Entity> {
    Entity::find().filter(Column::State.eq(WebhookState::Active)).filter(Column::DeletedAt.is_null())
}
