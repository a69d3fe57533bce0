//! What a load changed of the objects that are followed, for the journal: in its own transaction, as any write.

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DbErr};

use crate::db::{Sql, Transaction};
use crate::journal::RESCOPE;

/// Tables of followed objects, their nouns, and where a row at `t` holds its site.
const FOLLOWED: [(&str, &str, &str); 10] = [
    ("site", "Site", "t.id"),
    ("partner", "Partner", "NULL"),
    ("seat", "Seat", "t.site_id"),
    ("governance_body", "GovernanceBody", "t.site_id"),
    ("meeting", "Meeting", "NULL"),
    ("roadmap", "Roadmap", "t.site_id"),
    ("axis", "Axis", "t.site_id"),
    ("action", "Action", "t.site_id"),
    ("figure", "Figure", "t.site_id"),
    ("funding_line", "FundingLine", "t.site_id"),
];

/// An entry: kind of object, operation, verb, site.
type Told<'t> = (&'t str, &'t str, &'t str, &'t str);

/// Journals the rows of a table that were made or changed at an instant. A load takes nothing out of anybody's sight.
pub(super) async fn tell(tx: &Transaction, table: &str, now: DateTime<Utc>) -> Result<(), DbErr> {
    let Some((_, noun, site)) = FOLLOWED.iter().find(|(known, ..)| *known == table) else { return Ok(()) };
    if table == "seat" {
        // a seat gives those whose number its partner has the sight of its site
        for op in ["DELETE", "UPSERT"] {
            let mut sql = Sql::on(tx);
            let siren = "coalesce(xp.siren, substr(xp.siret, 1, 9))";
            let sirens = sql.list_of(siren);
            entries(&mut sql, ("Site", op, RESCOPE, "NULL"), "xs.id, xs.version", &sirens, now);
            sql.push(
                "seat t JOIN partner xp ON xp.id = t.partner_id JOIN site xs ON xs.id = t.site_id WHERE ",
            );
            sql.push(siren).push(" IS NOT NULL AND t.created_at = ").bind(now.into());
            tx.execute_raw(sql.into_statement()).await?;
        }
    }
    let mut sql = Sql::on(tx);
    let none = sql.json("'[]'");
    entries(&mut sql, (noun, "UPSERT", "load", site), "t.id, t.version", &none, now);
    sql.push(table).push(" t WHERE t.updated_at = ").bind(now.into()).push(" ORDER BY t.id");
    tx.execute_raw(sql.into_statement()).await.map(drop)
}

/// Appends an insertion of entries, up to the rows that they are about.
fn entries(
    sql: &mut Sql,
    (entity, op, verb, site): Told<'_>,
    object: &str,
    sirens: &str,
    now: DateTime<Utc>,
) {
    let (none, empty) = (if site == "NULL" { "NULL" } else { "t.source_system" }, sql.json("'[]'"));
    sql.push("INSERT INTO journal (entity, op, verb, entity_id, version, at, site_id, source_system, public, was_public, ");
    sql.push("outcome, changed_fields, lost_departements, lost_sirens, lost_clients) SELECT ");
    sql.push(&format!("'{entity}', '{op}', '{verb}', {object}, ")).bind(now.into());
    if site == "NULL" {
        sql.push(", ").null_uuid();
    } else {
        sql.push(", ").push(site);
    }
    sql.push(", ").push(none).push(", FALSE, FALSE, 'OK'");
    for list in [&empty, &empty, sirens, &empty] {
        sql.push(", ").push(list);
    }
    sql.push(" FROM ");
}
