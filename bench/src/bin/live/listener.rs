//! Bare clients of PostgreSQL: one that writes as another instance would, one that listens as the product does.

use std::future::poll_fn;
use std::time::Instant;

use anyhow::Context;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio_postgres::{AsyncMessage, Client, NoTls, Statement};
use uuid::Uuid;

/// The channel on which instances tell each other of commits.
const CHANNEL: &str = "cites_journal";

/// Locks an action and counts its version up.
const UPDATE: &str = "UPDATE action SET version = version + 1, innovative = NOT innovative, updated_at = now() WHERE id = $1 \
                      RETURNING version, innovative";

/// The entry that the product would write.
const JOURNAL: &str = "
    INSERT INTO journal (entity_id, version, verb, at, site_id, was_site_id, source_system, public, was_public,
                         changed_fields, lost_departements, lost_sirens, lost_clients, entity, op, actor_sub, client_id,
                         role, outcome)
    SELECT t.id, $2, 'update', date_trunc('microseconds', now()), t.site_id, t.site_id, t.source_system, TRUE, TRUE,
           '[\"innovative\"]', '[]', '[]', '[]', 'Action', 'UPSERT', 'dev-anct', 'dev-anct', 'anct', 'OK'
    FROM action t WHERE t.id = $1";

/// What has changed since an entry, with what a mirror keeps of it.
const CHANGES: &str = "
    SELECT j.xid, j.seq, j.op, j.entity_id, j.version, t.title, t.status, t.innovative
    FROM journal j JOIN action t ON t.id = j.entity_id AND t.deleted_at IS NULL
    WHERE (j.xid, j.seq) > ($1, $2) AND j.entity = 'Action' AND j.outcome = 'OK'
      AND j.xid < pg_snapshot_xmin(pg_current_snapshot())::text::bigint
    ORDER BY j.xid, j.seq LIMIT 51";

/// A connection, with the notifications that come over it.
pub async fn connect(url: &str) -> anyhow::Result<(Client, UnboundedReceiver<Instant>)> {
    let (client, mut connection) = tokio_postgres::connect(url, NoTls).await?;
    let (heard, words) = unbounded_channel();
    tokio::spawn(async move {
        while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await {
            if matches!(message, AsyncMessage::Notification(_)) {
                let _ = heard.send(Instant::now());
            }
        }
    });
    Ok((client, words))
}

/// Writes an action as another instance would.
pub struct Writer {
    client: Client,
    update: Statement,
    journal: Statement,
    notify: Statement,
    /// The action.
    pub id: Uuid,
}

impl Writer {
    /// A writer of some action.
    pub async fn connect(url: &str) -> anyhow::Result<Self> {
        let (client, _) = connect(url).await?;
        let any =
            "SELECT id FROM action WHERE deleted_at IS NULL AND status = 'IN_PROGRESS' ORDER BY id LIMIT 1";
        let id = client.query_one(any, &[]).await.context("an action is needed")?.try_get(0)?;
        let update = client.prepare(UPDATE).await?;
        let journal = client.prepare(JOURNAL).await?;
        let notify = client.prepare("SELECT pg_notify($1, 'bench')").await?;
        Ok(Self { client, update, journal, notify, id })
    }

    /// Commits a change, and gives its version, whether the action is innovative now, and when that was done.
    pub async fn commit(&self) -> anyhow::Result<(i64, bool, Instant)> {
        self.client.batch_execute("BEGIN").await?;
        let row = self.client.query_one(&self.update, &[&self.id]).await?;
        let (version, innovative): (i32, bool) = (row.try_get(0)?, row.try_get(1)?);
        self.client.execute(&self.journal, &[&self.id, &version]).await?;
        self.client.batch_execute("COMMIT").await?;
        Ok((version.into(), innovative, Instant::now()))
    }

    /// Tells those who listen.
    pub async fn tell(&self) -> anyhow::Result<()> {
        self.client.execute(&self.notify, &[&CHANNEL]).await?;
        Ok(())
    }
}

/// Listens, and reads what has changed.
pub struct Listener {
    client: Client,
    words: UnboundedReceiver<Instant>,
    changes: Statement,
    place: (i64, i64),
}

impl Listener {
    /// Listens from now on.
    pub async fn connect(url: &str) -> anyhow::Result<Self> {
        let (client, words) = connect(url).await?;
        client.batch_execute(&format!("LISTEN {CHANNEL}")).await?;
        let changes = client.prepare(CHANGES).await?;
        Ok(Self { client, words, changes, place: (0, 0) })
    }

    /// Begins after what there is.
    pub async fn begin(&mut self) -> anyhow::Result<()> {
        let last = "SELECT xid, seq FROM journal ORDER BY xid DESC, seq DESC LIMIT 1";
        if let Some(row) = self.client.query_opt(last, &[]).await? {
            self.place = (row.try_get(0)?, row.try_get(1)?);
        }
        while self.words.try_recv().is_ok() {}
        Ok(())
    }

    /// When a change of this version was heard of, and when it was read.
    pub async fn change(&mut self, version: i64) -> anyhow::Result<(Instant, Instant)> {
        loop {
            let heard = self.words.recv().await.context("the connection is gone")?;
            for row in self.client.query(&self.changes, &[&self.place.0, &self.place.1]).await? {
                self.place = (row.try_get(0)?, row.try_get(1)?);
                if i64::from(row.try_get::<_, i32>(4)?) == version {
                    return Ok((heard, Instant::now()));
                }
            }
        }
    }
}
