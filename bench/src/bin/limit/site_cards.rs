//! Twenty sites with what belongs on their cards: two waves of pipelined statements in one snapshot.

mod card;

use actix_web::HttpResponse;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use tokio::try_join;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Error, Row, Statement};
use uuid::Uuid;

use crate::{Database, Failure, PageInfo, json};
use card::Card;

/// Sites on a page.
const FIRST: usize = 20;

const TOTAL: &str = "SELECT count(*) FROM site WHERE deleted_at IS NULL";

const SITES: &str = "
    SELECT id, code, name, wave, status, scale, name_search FROM site
    WHERE deleted_at IS NULL ORDER BY name_search, id LIMIT 21";

/// Counts of all QPV and actions of each site.
const COUNTS: &str = "
    SELECT (SELECT count(DISTINCT q.id) FROM site_qpv l JOIN qpv q ON q.id = l.qpv_id AND q.deleted_at IS NULL
            WHERE l.site_id = k.id),
           (SELECT count(*) FROM action a WHERE a.site_id = k.id AND a.deleted_at IS NULL), k.ord::int
    FROM unnest($1::uuid[]) WITH ORDINALITY k(id, ord)";

const DEPARTEMENTS: &str = "
    SELECT k.ord::int, d.code, d.name, r.code, r.name
    FROM unnest($1::uuid[]) WITH ORDINALITY k(id, ord)
    JOIN site_departement l ON l.site_id = k.id
    JOIN departement d ON d.code = l.departement_code
    JOIN region r ON r.code = d.region_code
    ORDER BY k.ord, d.code";

const QPVS: &str = "
    SELECT k.ord::int, c.code, c.name, c.generation
    FROM unnest($1::uuid[]) WITH ORDINALITY k(id, ord)
    CROSS JOIN LATERAL (
        SELECT DISTINCT q.code, q.name, q.generation FROM site_qpv l
        JOIN qpv q ON q.id = l.qpv_id AND q.deleted_at IS NULL
        WHERE l.site_id = k.id ORDER BY q.code LIMIT 50
    ) c";

const SEATS: &str = "
    SELECT k.ord::int, c.kind, c.name, c.partner_kind
    FROM unnest($1::uuid[]) WITH ORDINALITY k(id, ord)
    CROSS JOIN LATERAL (
        SELECT e.kind, p.name, p.kind AS partner_kind FROM seat e
        JOIN partner p ON p.id = e.partner_id AND p.deleted_at IS NULL
        WHERE e.site_id = k.id AND e.kind IN ('COPILOTE', 'PORTEUR') AND e.deleted_at IS NULL
        ORDER BY e.kind, e.id LIMIT 20
    ) c";

const BODIES: &str = "
    SELECT k.ord::int, c.kind, c.origin, c.attached_to, c.cadence_every, c.cadence_unit
    FROM unnest($1::uuid[]) WITH ORDINALITY k(id, ord)
    CROSS JOIN LATERAL (
        SELECT kind, origin, attached_to, cadence_every, cadence_unit FROM governance_body
        WHERE site_id = k.id AND deleted_at IS NULL ORDER BY kind, id LIMIT 20
    ) c";

/// The last actions of each site, with the QPV of each as an array.
const ACTIONS: &str = "
    SELECT k.ord::int, c.id, c.title, c.status, c.innovative, c.starts_on, c.ends_on, p.name, p.kind,
           ARRAY(SELECT q.code FROM action_qpv l JOIN qpv q ON q.id = l.qpv_id
                 WHERE l.action_id = c.id AND q.deleted_at IS NULL ORDER BY q.code LIMIT 20)
    FROM unnest($1::uuid[]) WITH ORDINALITY k(id, ord)
    CROSS JOIN LATERAL (
        SELECT * FROM action WHERE site_id = k.id AND deleted_at IS NULL ORDER BY updated_at DESC, id DESC LIMIT 10
    ) c
    LEFT JOIN partner p ON p.id = c.lead_partner_id AND p.deleted_at IS NULL
    ORDER BY k.ord, c.updated_at DESC, c.id DESC";

/// The statements of the document.
pub struct Statements {
    total: Statement,
    sites: Statement,
    counts: Statement,
    departements: Statement,
    qpvs: Statement,
    seats: Statement,
    bodies: Statement,
    actions: Statement,
}

impl Statements {
    /// Prepares them.
    pub async fn prepare(client: &Client) -> Result<Self, Error> {
        Ok(Self {
            total: client.prepare(TOTAL).await?,
            sites: client.prepare(SITES).await?,
            counts: client.prepare(COUNTS).await?,
            departements: client.prepare(DEPARTEMENTS).await?,
            qpvs: client.prepare(QPVS).await?,
            seats: client.prepare(SEATS).await?,
            bodies: client.prepare(BODIES).await?,
            actions: client.prepare(ACTIONS).await?,
        })
    }
}

#[derive(Serialize)]
struct Data<'r> {
    sites: Sites<'r>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Sites<'r> {
    total_count: i64,
    page_info: PageInfo,
    nodes: Vec<Card<'r>>,
}

/// Twenty cards.
pub async fn get(database: Database) -> Result<HttpResponse, Failure> {
    let connection = database.lend().await?;
    let (client, statements) = (&connection.client, &connection.site_cards);
    let ((), total, sites) = try_join!(
        biased;
        client.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"),
        client.query_one(&statements.total, &[]),
        client.query(&statements.sites, &[]),
    )?;
    let shown = &sites[..sites.len().min(FIRST)];
    let ids = shown.iter().map(|row| row.try_get(0)).collect::<Result<Vec<Uuid>, _>>()?;
    let of_sites: [&(dyn ToSql + Sync); 1] = [&ids];
    let (counts, departements, qpvs, seats, bodies, actions, ()) = try_join!(
        biased;
        client.query(&statements.counts, &of_sites),
        client.query(&statements.departements, &of_sites),
        client.query(&statements.qpvs, &of_sites),
        client.query(&statements.seats, &of_sites),
        client.query(&statements.bodies, &of_sites),
        client.query(&statements.actions, &of_sites),
        client.batch_execute("COMMIT"),
    )?;
    let mut nodes = shown.iter().map(Card::new).collect::<Result<Vec<_>, _>>()?;
    card::put_counts(&mut nodes, &counts)?;
    card::put(&mut nodes, &departements, Card::departement)?;
    card::put(&mut nodes, &qpvs, Card::qpv)?;
    card::put(&mut nodes, &seats, Card::seat)?;
    card::put(&mut nodes, &bodies, Card::body)?;
    card::put(&mut nodes, &actions, Card::action)?;
    let page_info = PageInfo {
        has_next_page: sites.len() > shown.len(),
        end_cursor: shown.last().map(cursor).transpose()?,
    };
    json(Data { sites: Sites { total_count: total.try_get(0)?, page_info, nodes } })
}

/// Folded name and id of the last row, as the order has them.
fn cursor(row: &Row) -> Result<String, Error> {
    let mut place = row.try_get::<_, Uuid>(0)?.as_bytes().to_vec();
    place.extend_from_slice(row.try_get::<_, &str>(6)?.as_bytes());
    Ok(URL_SAFE_NO_PAD.encode(place))
}
