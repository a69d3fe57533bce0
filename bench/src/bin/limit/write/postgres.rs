//! Writes on PostgreSQL: prepared statements, one after the other, as the product sends them.

use actix_web::{HttpResponse, web};
use tokio_postgres::{Client, Error, Statement};
use uuid::Uuid;

use super::{
    ACTION, Action, Create, Entry, INSERT, JOURNAL, Options, SHOWN, SITE, UPDATE, Update, answer, now,
};
use crate::action::parse;
use crate::form::{ActionId, Instant};
use crate::{Database, Failure};

/// The statements of writes.
pub struct Statements {
    action: Statement,
    site: Statement,
    update: Statement,
    insert: Statement,
    journal: Statement,
    shown: Statement,
}

impl Statements {
    /// Prepares them.
    pub async fn prepare(client: &Client) -> Result<Self, Error> {
        Ok(Self {
            action: client.prepare(&locking(ACTION)).await?,
            site: client.prepare(&locking(SITE)).await?,
            update: client.prepare(UPDATE).await?,
            insert: client.prepare(INSERT).await?,
            journal: client.prepare(JOURNAL).await?,
            shown: client.prepare(SHOWN).await?,
        })
    }
}

fn locking(select: &str) -> String {
    format!("{select} FOR UPDATE OF t")
}

/// Changes one field of an action.
pub async fn update(
    database: Database,
    id: web::Path<String>,
    asked: web::Json<Update>,
    options: web::Query<Options>,
) -> Result<HttpResponse, Failure> {
    let (id, at) = (parse(&id)?.0, now());
    let connection = database.lend().await?;
    let (client, statements) = (&connection.client, &connection.write);
    client.batch_execute("BEGIN").await?;
    let row = client.query_one(&statements.action, &[&id]).await?;
    let version = row.try_get::<_, i32>(0)? + 1;
    client.query_one(&statements.update, &[&version, &at, &asked.innovative, &id]).await?;
    if options.journal {
        let site = row.try_get(1)?;
        let (source, public) = (row.try_get(2)?, row.try_get(3)?);
        let (verb, fields) = ("update", ["innovative"].as_slice());
        let entry = Entry { id, version, verb, at, site, was_site: Some(site), source, public, fields };
        journal(client, statements, &entry).await?;
    }
    client.batch_execute("COMMIT").await?;
    show(client, statements, id).await
}

/// Makes an action of a site.
pub async fn create(
    database: Database,
    asked: web::Json<Create>,
    options: web::Query<Options>,
) -> Result<HttpResponse, Failure> {
    let (id, at, site) = (Uuid::now_v7(), now(), asked.site()?);
    let connection = database.lend().await?;
    let (client, statements) = (&connection.client, &connection.write);
    client.batch_execute("BEGIN").await?;
    client.query_one(&statements.site, &[&site]).await?;
    let folded = asked.title.to_lowercase();
    client.query_one(&statements.insert, &[&id, &at, &at, &site, &asked.title, &folded]).await?;
    if options.journal {
        journal(client, statements, &Entry::created(id, at, site)).await?;
    }
    client.batch_execute("COMMIT").await?;
    show(client, statements, id).await
}

async fn journal(client: &Client, statements: &Statements, entry: &Entry) -> Result<(), Error> {
    let Entry { id, version, verb, at, site, was_site, source, public, .. } = entry;
    let (fields, request) = (entry.fields(), Entry::request_id());
    client
        .execute(
            &statements.journal,
            &[id, version, verb, at, site, was_site, source, public, public, &fields, &request],
        )
        .await
        .map(|_| ())
}

async fn show(client: &Client, statements: &Statements, id: Uuid) -> Result<HttpResponse, Failure> {
    let row = client.query_one(&statements.shown, &[&id]).await?;
    answer(Action {
        id: ActionId(id),
        version: row.try_get(0)?,
        title: row.try_get(1)?,
        innovative: row.try_get(2)?,
        updated_at: Instant(row.try_get(3)?),
    })
}
