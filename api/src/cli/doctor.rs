//! `cites doctor`.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::bail;
use entity::{commune, qpv, site};
use sea_orm::{EntityTrait, PaginatorTrait};

use crate::audit::seal::{self, Chain};
use crate::db::{Db, Replica};
use crate::{auth, clock::Clock, config::Config, graphql, startup};

/// Check that the server can run: settings, database, migrations, keys, data
///
/// Prints each check, what is wrong and how to mend it. Changes nothing. The exit code is 1 if a check fails.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "Examples:\n  cites doctor\n  cites doctor --config /etc/cites.toml")]
pub struct DoctorArgs {
    /// Follow the chain of hashes over the whole journal too
    #[arg(long)]
    pub audit: bool,
}

/// What one check found: fine, or what is wrong and how to mend it.
type Finding = Result<String, String>;

/// Runs every check; fails if one does.
pub(super) async fn run(args: &DoctorArgs, config: &Config, clock: Arc<dyn Clock>) -> anyhow::Result<()> {
    let mut failed = 0;
    let mut say = |name: &str, finding: Finding| match finding {
        Ok(text) => println!("ok    {name}: {text}"),
        Err(text) => {
            failed += 1;
            println!("WRONG {name}: {text}");
        }
    };
    say("settings", Ok("read without error".to_owned()));
    say(
        "rights and schema",
        graphql::sdl().map(|_| "consistent".to_owned()).map_err(|error| error.to_string()),
    );
    let trusted =
        startup::check_trusted(config).await.map(|count| format!("{count} trusted")).map_err(|error| {
            format!(
                "{error:#}; mend the manifest (documents.manifest), which clients and server must agree on"
            )
        });
    say("documents", trusted);
    say("keys", keys(config, Arc::clone(&clock)).await);
    match existing(config).await {
        Err(error) => say("database", Err(error)),
        Ok(db) => {
            say("database", Ok("reachable".to_owned()));
            say("migrations", migrations(&db).await);
            say("data", data(&db).await);
            if let Some(replica) = &db.replica {
                say("replica", examined(replica, clock.as_ref()).await);
            }
            if args.audit {
                say("audit", audit(&db).await);
            }
        }
    }
    if failed > 0 {
        bail!("{failed} checks failed");
    }
    Ok(())
}

/// Opens the database, without making one.
async fn existing(config: &Config) -> Result<Db, String> {
    if let Some(file) = config.database.sqlite_file().filter(|file| !file.exists()) {
        return Err(format!("{} is not there; `cites migrate` or `cites serve` makes it", file.display()));
    }
    startup::open(config)
        .await
        .map_err(|error| format!("{error:#}; check database.url and that the server runs"))
}

async fn keys(config: &Config, clock: Arc<dyn Clock>) -> Finding {
    if let Some(path) = missing_dev_key(config) {
        return Ok(format!(
            "development tokens are accepted; {} will be made at the first start",
            path.display()
        ));
    }
    let auth = auth::from_config(config, clock).map_err(|error| error.to_string())?;
    auth.refresh_keys().await;
    let without = auth.issuers_without_keys();
    if !without.is_empty() {
        let names: Vec<String> = without.iter().map(ToString::to_string).collect();
        return Err(format!("no keys from {}; check its address and that it answers", names.join(", ")));
    }
    Ok(if auth::dev::is_accepted(config) {
        "development tokens are accepted".to_owned()
    } else {
        format!("{} issuers", config.auth.issuers.len())
    })
}

/// Where the development key will be, if it is needed and not there: opening it would make it.
fn missing_dev_key(config: &Config) -> Option<PathBuf> {
    let path = auth::dev::is_accepted(config).then(|| auth::dev::key_path(&config.database))?;
    matches!(path.try_exists(), Ok(false)).then_some(path)
}

async fn migrations(db: &Db) -> Finding {
    let all = db.migrations().await.map_err(|error| error.to_string())?;
    let pending = all.iter().filter(|(_, applied)| !applied).count();
    if pending > 0 {
        return Err(format!("{pending} of {} are not applied; run `cites migrate`", all.len()));
    }
    Ok(format!("all {} applied", all.len()))
}

async fn audit(db: &Db) -> Finding {
    if let Some(gap) = seal::gap(db).await.map_err(|error| error.to_string())? {
        return Err(gap.to_string());
    }
    match seal::verify(db).await.map_err(|error| error.to_string())? {
        Ok(Chain { seals: 0, .. }) => Ok("nothing is sealed yet".to_owned()),
        Ok(Chain { seals, entries, hash }) => Ok(format!(
            "{entries} entries under {seals} seals, none changed; note elsewhere: seal {seals} is {hash}"
        )),
        Err(broken) => Err(format!("{broken}; compare with a backup from before that moment")),
    }
}

async fn examined(replica: &Replica, clock: &dyn Clock) -> Finding {
    let mend =
        |why| format!("{why}; check database.replica_url and the replication; all is read from database.url");
    let lag = replica.examine(clock).await.map_err(mend)?;
    Ok(format!("a standby of this database, {} ms behind at most", lag.num_milliseconds()))
}

async fn data(db: &Db) -> Finding {
    let counted = async {
        let sites = site::Entity::find().count(&db.readers).await?;
        let qpvs = qpv::Entity::find().count(&db.readers).await?;
        let communes = commune::Entity::find().count(&db.readers).await?;
        Ok::<_, sea_orm::DbErr>((sites, qpvs, communes))
    };
    let (sites, qpvs, communes) =
        counted.await.map_err(|_| "cannot be read; run `cites migrate`".to_owned())?;
    if sites == 0 || qpvs == 0 || communes == 0 {
        return Err(format!("{sites} sites, {qpvs} QPV, {communes} communes; run `cites ingest`"));
    }
    Ok(format!("{sites} sites, {qpvs} QPV, {communes} communes"))
}
