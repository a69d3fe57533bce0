//! The real files, loaded into a fresh database of each kind that is at hand.

mod presentation;

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use chrono::DateTime;
use entity::enums::{FigureSubject, Indicator, IngestState, JournalOp, QpvGeneration, SiteStatus};
use entity::{
    StringList, action, commune, departement, figure, journal, qpv, qpv_lineage, qpv_outline, region, site,
    site_commune, site_departement, site_qpv,
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait,
    IntoActiveModel, PaginatorTrait, QueryFilter,
};
use uuid::Uuid;

use super::{DataSource, Report, run};
use crate::clock::FixedClock;
use crate::db::{Bounds, Db};

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../data");

/// A folder of its own, removed at the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("cites-ingest-{}", Uuid::now_v7()));
        std::fs::create_dir(&folder).unwrap();
        Self(folder)
    }

    /// An empty database.
    async fn database(&self) -> Db {
        let db = self.open().await;
        db.migrate().await.unwrap();
        db
    }

    /// A database that holds the whole of `data/`.
    async fn loaded(&self) -> Db {
        std::fs::write(self.file(), LOADED.get_or_init(loaded)).unwrap();
        self.open().await
    }

    async fn open(&self) -> Db {
        open(&format!("sqlite://{}?mode=rwc", self.file().display())).await
    }

    fn file(&self) -> PathBuf {
        self.0.join("cites.db")
    }

    /// A copy of `data/`, to be damaged.
    fn data(&self) -> PathBuf {
        let copy = self.0.join("data");
        std::fs::create_dir(&copy).unwrap();
        for file in std::fs::read_dir(DATA).unwrap() {
            let file = file.unwrap();
            std::fs::copy(file.path(), copy.join(file.file_name())).unwrap();
        }
        copy
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Loaded once for all tests that start from there.
static LOADED: OnceLock<Vec<u8>> = OnceLock::new();

/// On a thread of its own: a test that waits here has a runtime already.
fn loaded() -> Vec<u8> {
    let make = async {
        let scratch = Scratch::new();
        let db = scratch.database().await;
        let report = load(&db, DataSource::Embedded).await;
        assert_eq!(report.rejected(), 0, "{report}");
        db.close().await;
        std::fs::read(scratch.file()).unwrap()
    };
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    std::thread::scope(|scope| scope.spawn(|| runtime().block_on(make)).join()).unwrap()
}

async fn open(url: &str) -> Db {
    Db::open(url, Bounds::default()).await.unwrap()
}

fn clock() -> FixedClock {
    FixedClock::new(DateTime::from_timestamp(1_700_000_000, 0).unwrap())
}

async fn load(db: &Db, data: DataSource) -> Report {
    run(db, &clock(), data, true).await.unwrap()
}

async fn count<E: EntityTrait>(db: &impl ConnectionTrait) -> u64
where
    E::Model: Sync,
{
    E::find().count(db).await.unwrap()
}

async fn site_by_code(db: &Db, code: &str) -> site::Model {
    site::Entity::find().filter(site::Column::Code.eq(code)).one(&db.readers).await.unwrap().unwrap()
}

fn edit(dir: &Path, file: &str, edit: impl Fn(String) -> String) {
    let path = dir.join(file);
    std::fs::write(&path, edit(std::fs::read_to_string(&path).unwrap())).unwrap();
}

#[tokio::test]
async fn everything_is_loaded_once_and_the_second_time_nothing() {
    let scratch = Scratch::new();
    everything_once(&scratch.database().await).await;
}

#[tokio::test]
async fn everything_is_loaded_once_on_a_server_too() {
    let Ok(url) = std::env::var("TEST_POSTGRES_URL") else { return };
    let server = open(&url).await;
    let name = format!("ingest_{}", Uuid::now_v7().simple());
    server.writer.execute_unprepared(&format!("CREATE DATABASE {name}")).await.unwrap();
    let (address, query) = url.split_once('?').unwrap_or((&url, ""));
    let address = address.rsplit_once('/').unwrap().0;
    let db = open(&format!("{address}/{name}?{query}")).await;
    db.migrate().await.unwrap();
    everything_once(&db).await;
    let scratch = Scratch::new();
    correct_later(&db, scratch.data()).await;
    db.close().await;
    server.writer.execute_unprepared(&format!("DROP DATABASE {name}")).await.unwrap();
}

async fn everything_once(db: &Db) {
    let first = load(db, DataSource::Embedded).await;
    assert_eq!(first.rejected(), 0, "{first}");
    assert!(first.files.iter().all(|file| file.state == IngestState::Done));

    let readers = &db.readers;
    let counts = [
        ("region", count::<region::Entity>(readers).await, 18),
        ("departement", count::<departement::Entity>(readers).await, 101),
        ("commune", count::<commune::Entity>(readers).await, 35_074),
        ("site", count::<site::Entity>(readers).await, 84),
        ("site_commune", count::<site_commune::Entity>(readers).await, 306),
        ("qpv", count::<qpv::Entity>(readers).await, 1_584 + 1_514),
        ("qpv_outline", count::<qpv_outline::Entity>(readers).await, 1_584),
        ("qpv_lineage", count::<qpv_lineage::Entity>(readers).await, 1_096 + 2),
        ("action", count::<action::Entity>(readers).await, 41),
    ];
    for (table, found, expected) in counts {
        assert_eq!(found, expected, "{table}");
    }
    let of_2024 = qpv::Entity::find().filter(qpv::Column::Generation.eq(QpvGeneration::Qpv2024));
    assert_eq!(of_2024.count(readers).await.unwrap(), 1_584);
    let poverty = figure::Column::Indicator
        .eq(Indicator::PovertyRate)
        .and(figure::Column::Subject.eq(FigureSubject::Qpv));
    assert_eq!(figure::Entity::find().filter(poverty).count(readers).await.unwrap(), 12_958 - 335);
    assert_eq!(first.of("qpv-poverty").unwrap().skipped, 335, "statistical secrecy");

    let second = load(db, DataSource::Embedded).await;
    assert!(second.is_unchanged(), "{second}");
    assert_eq!(count::<commune::Entity>(readers).await, 35_074);
}

#[tokio::test]
async fn a_bad_line_is_reported_and_the_rest_goes_on() {
    let scratch = Scratch::new();
    let (db, dir) = (scratch.loaded().await, scratch.data());
    edit(&dir, "cog2024_epci_ept.csv", |text| {
        let renamed = text.replace("CC Faucigny - Glières", "CC  Faucigny-Glières");
        renamed + "200034582,Clé fausse,CC,69,1,1\n200000172,Encore,CC,74,1,1\n200046977,Trop,CC\n"
    });
    edit(&dir, "demonstration_actions.csv", |text| text.replace("INNOVER", "INOVER"));
    edit(&dir, "demonstration_partenaires.csv", |text| text.replace(",SIAE,", ",SIEA,"));
    edit(&dir, "cites_presentation_2023.json", |text| {
        text.replace("\"EMPLOYMENT_RATE\"", "\"EMPLOI\"")
            .replace("\"start\": \"2021-09\"", "\"start\": \"2021-19\"")
    });
    let report = load(&db, DataSource::Dir(dir)).await;

    let epci = report.of("cog-epci").unwrap();
    assert_eq!((epci.created, epci.updated, epci.unchanged, epci.rejected), (0, 1, 1_265, 3));
    assert_eq!(epci.lines, 1_269);
    let expected = [
        "cog2024_epci_ept.csv:1268: EpciSiren \"200034582\", expected ",
        "cog2024_epci_ept.csv:1269: code 200000172 again, first at line 2, expected each once",
        "cog2024_epci_ept.csv:1270: 3 values, expected 6, as in the header",
    ];
    for (error, expected) in epci.errors.iter().zip(expected) {
        assert!(error.starts_with(expected), "{error}");
    }
    let demo = report.of("demonstration").unwrap();
    assert_eq!((demo.created, demo.updated, demo.rejected), (0, 0, 11));
    let expected = [
        "demonstration_partenaires.csv:4: kind SIEA, expected ",
        "demonstration_actions.csv:4: pillar INOVER, expected ",
    ];
    for (error, expected) in demo.errors.iter().zip(expected) {
        assert!(error.starts_with(expected), "{error}");
    }
    let sites = report.of("sites").unwrap();
    assert_eq!(sites.errors.len(), 1, "{sites}");
    let expected = "cites_presentation_2023.json:84: date \"2021-19\", expected ";
    assert!(sites.errors[0].starts_with(expected), "{sites}");
    let facts = report.of("presentation").unwrap();
    assert_eq!((facts.created, facts.updated, facts.rejected), (0, 0, 1));
    let line = 1 + include_str!("../../../../data/cites_presentation_2023.json")
        .lines()
        .position(|line| line.contains("\"EMPLOYMENT_RATE\""))
        .unwrap();
    assert!(facts.errors[0].starts_with(&format!("cites_presentation_2023.json:{line}: indicator EMPLOI")));
    assert_eq!(report.of("qpv-outlines").unwrap().state, IngestState::Unchanged);
}

#[tokio::test]
async fn what_a_later_load_changes_is_journaled_and_the_first_is_not() {
    let scratch = Scratch::new();
    correct_later(&scratch.loaded().await, scratch.data()).await;
}

/// One value of a series is corrected.
async fn correct_later(db: &Db, dir: PathBuf) {
    assert_eq!(count::<journal::Entity>(&db.readers).await, 0, "nobody can have followed it");
    let file = "qpv2015_liste.csv";
    let corrected = std::cell::Cell::new(0);
    edit(&dir, file, |text| {
        let line = text.lines().nth(1).unwrap();
        let (rest, last) = line.rsplit_once(',').unwrap();
        corrected.set(last.trim().parse::<i64>().unwrap() + 1);
        text.replacen(line, &format!("{rest},{}", corrected.get()), 1)
    });
    let later = FixedClock::new(DateTime::from_timestamp(1_700_000_100, 0).unwrap());
    let report = run(db, &later, DataSource::Dir(dir), true).await.unwrap();
    assert_eq!(report.of("qpv-populations").unwrap().updated, 1, "{report}");
    let told = journal::Entity::find().all(&db.readers).await.unwrap();
    let [told] = &told[..] else { panic!("one entry: {told:?}") };
    assert_eq!((told.entity.as_str(), told.version, told.verb.as_str()), ("Figure", 2, "load"));
    let row = figure::Entity::find_by_id(told.entity_id.unwrap()).one(&db.readers).await.unwrap().unwrap();
    assert_eq!(row.value, Some(corrected.get().into()));
}

#[tokio::test]
async fn a_file_that_cannot_be_read_stops_there_and_is_taken_up_again() {
    let scratch = Scratch::new();
    let (db, dir) = (scratch.database().await, scratch.data());
    edit(&dir, "cites_emploi.csv", |text| text.replacen("vague,", "onde,", 1));
    let error = run(&db, &clock(), DataSource::Dir(dir), true).await.unwrap_err().to_string();
    assert!(error.starts_with("cites_emploi.csv:1: no column vague, expected columns id_cde"), "{error}");
    assert_eq!(count::<commune::Entity>(&db.readers).await, 35_074);
    assert_eq!(count::<site::Entity>(&db.readers).await, 0);
    let report = run(&db, &clock(), DataSource::Embedded, false).await.unwrap();
    assert_eq!(report.of("cog-communes").unwrap().state, IngestState::Unchanged);
    assert_eq!(
        (count::<site::Entity>(&db.readers).await, count::<action::Entity>(&db.readers).await),
        (84, 0)
    );
}

#[tokio::test]
async fn what_people_have_changed_stays() {
    let scratch = Scratch::new();
    let (db, dir) = (scratch.loaded().await, scratch.data());
    let before = site_by_code(&db, "cde-024").await;
    site::Entity::update_many()
        .col_expr(site::Column::Status, "CLOSED".into())
        .col_expr(site::Column::Name, "Vaulx".into())
        .filter(site::Column::Code.eq("cde-024"))
        .exec(&db.writer)
        .await
        .unwrap();
    for file in
        ["cites_emploi.csv", "cites_emploi_communes.csv", "qpv2024_liste.csv", "demonstration_actions.csv"]
    {
        edit(&dir, file, |text| text + "\n");
    }
    edit(&dir, "cites_presentation_2023.json", |text| text + "\n");
    let report = load(&db, DataSource::Dir(dir)).await;
    assert!(report.files.iter().all(|file| (file.created, file.updated) == (0, 0)), "{report}");
    let after = site_by_code(&db, "cde-024").await;
    assert_eq!((after.status, after.name.as_str()), (SiteStatus::Closed, "Vaulx"));
    assert_eq!((after.id, after.version, after.updated_at), (before.id, 1, before.updated_at));
}

#[tokio::test]
async fn what_was_set_by_the_api_follows_no_file() {
    let scratch = Scratch::new();
    let (db, dir) = (scratch.loaded().await, scratch.data());
    let presented = std::fs::read_to_string(dir.join("cites_presentation_2023.json")).unwrap();
    let listed =
        site::Entity::find().filter(site::Column::Code.is_not_null()).all(&db.readers).await.unwrap();
    let mut site =
        listed.into_iter().find(|site| !presented.contains(site.code.as_deref().unwrap())).unwrap();
    // as `setSiteLabel` and `updateSite` leave it
    let changed = ["wave", "contratVilleCodes", "communes", "pilotDepartements"].map(str::to_owned);
    let entry = journal::ActiveModel {
        entity: Set("Site".to_owned()),
        entity_id: Set(Some(site.id)),
        version: Set(2),
        op: Set(JournalOp::Upsert),
        verb: Set("update".to_owned()),
        at: Set(site.updated_at),
        changed_fields: Set(StringList(changed.to_vec())),
        ..Default::default()
    };
    entry.insert(&db.writer).await.unwrap();
    (site.wave, site.contrat_ville_codes) = (Some(2021 + 2020 - site.wave.unwrap()), StringList::default());
    site.clone().into_active_model().reset_all().update(&db.writer).await.unwrap();
    let communes = site_commune::Entity::delete_many().filter(site_commune::Column::SiteId.eq(site.id));
    assert!(communes.exec(&db.writer).await.unwrap().rows_affected > 0);
    let steered =
        site_departement::Entity::delete_many().filter(site_departement::Column::SiteId.eq(site.id));
    assert!(steered.exec(&db.writer).await.unwrap().rows_affected > 0);
    let links = site_qpv::Entity::delete_many().filter(site_qpv::Column::SiteId.eq(site.id));
    assert!(links.exec(&db.writer).await.unwrap().rows_affected > 0);
    let withdrawn = figure::Entity::update_many()
        .col_expr(figure::Column::Status, "WITHDRAWN".into())
        .filter(figure::Column::Indicator.eq(Indicator::Population))
        .filter(figure::Column::Subject.eq(FigureSubject::Qpv));
    assert!(withdrawn.exec(&db.writer).await.unwrap().rows_affected > 0);
    let figures = count::<figure::Entity>(&db.readers).await;
    for file in ["cites_emploi.csv", "cites_emploi_communes.csv", "qpv2015_liste.csv"] {
        edit(&dir, file, |text| text + "\n");
    }
    edit(&dir, "cites_presentation_2023.json", |text| text + "\n");
    load(&db, DataSource::Dir(dir)).await;
    assert_eq!(site_by_code(&db, site.code.as_deref().unwrap()).await, site);
    let of_site = |communes: Vec<Uuid>| communes.into_iter().filter(|id| *id == site.id).count();
    let communes = site_commune::Entity::find().all(&db.readers).await.unwrap();
    assert_eq!(of_site(communes.iter().map(|link| link.site_id).collect()), 0);
    let steered = site_departement::Entity::find().all(&db.readers).await.unwrap();
    assert_eq!(of_site(steered.iter().map(|link| link.site_id).collect()), 0);
    let links = site_qpv::Entity::find().all(&db.readers).await.unwrap();
    assert_eq!(of_site(links.iter().map(|link| link.site_id).collect()), 0);
    assert_eq!(count::<figure::Entity>(&db.readers).await, figures);
}
