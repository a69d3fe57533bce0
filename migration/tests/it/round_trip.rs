//! What is written through an entity is read back the same, and what the rules forbid is refused.

use chrono::{DateTime, NaiveDate, Utc};
use entity::enums::{
    ActionStatus, AudiencePolicy, FigureStatus, FigureSubject, FigureUnit, Indicator, JournalOp, PartnerKind,
    PartnerStatus, Pillar, Provenance, QpvGeneration, SeatKind, SiteScale, SiteStatus,
};
use entity::{StringList, action, figure, journal, partner, qpv, seat, site};
use migration::{Migrator, MigratorTrait};
use sea_orm::{
    ActiveModelTrait, ActiveValue, DatabaseConnection, DbErr, EntityTrait, IntoActiveModel, Set, SqlErr,
};
use uuid::Uuid;

use crate::support::on_each_database;

fn moment() -> DateTime<Utc> {
    "2023-06-12T08:30:00.123456Z".parse().unwrap()
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn a_site() -> site::Model {
    site::Model {
        id: Uuid::now_v7(),
        version: 1,
        created_at: moment(),
        updated_at: moment(),
        deleted_at: None,
        source_system: None,
        source_external_id: None,
        code: Some("cde-026".into()),
        name: "Échirolles".into(),
        name_search: "echirolles".into(),
        scale: Some(SiteScale::MultiCommune),
        wave: Some(2021),
        wave_status: Some(Provenance::Derived),
        wave_source: None,
        status: SiteStatus::Active,
        audience_policy: AudiencePolicy::Targeted,
        audiences: ["FEMMES", "JEUNES"].into_iter().collect(),
        audience_note: None,
        contrat_ville_codes: StringList::default(),
        programme: "CITES_EMPLOI".into(),
        successor_note: None,
        status_reason: None,
    }
}

fn a_partner() -> partner::Model {
    partner::Model {
        id: Uuid::now_v7(),
        version: 1,
        created_at: moment(),
        updated_at: moment(),
        deleted_at: None,
        source_system: Some("FRANCE_TRAVAIL".into()),
        source_external_id: Some("38052".into()),
        name: "France Travail Grenoble".into(),
        name_search: "france travail grenoble".into(),
        kind: PartnerKind::FranceTravail,
        siret: None,
        siren: None,
        rna: None,
        safir_code: Some("38052".into()),
        naf_code: None,
        naf_version: None,
        commune_code: None,
        departement_code: None,
        website: None,
        status: PartnerStatus::Active,
        merged_into_id: None,
    }
}

fn a_qpv() -> qpv::Model {
    qpv::Model {
        id: Uuid::now_v7(),
        version: 1,
        created_at: moment(),
        updated_at: moment(),
        deleted_at: None,
        source_system: None,
        source_external_id: None,
        code: "QN03807M".into(),
        generation: QpvGeneration::Qpv2024,
        name: "Village Olympique".into(),
        name_search: "village olympique".into(),
        departement_code: None,
        region_code: None,
        centroid_lon: Some(5.734_21),
        centroid_lat: Some(45.157_3),
        valid_from: day("2024-01-01"),
        valid_to: None,
        area_ha: Some(61.5),
    }
}

fn an_action(site: &site::Model, lead: &partner::Model) -> action::Model {
    action::Model {
        id: Uuid::now_v7(),
        version: 1,
        created_at: moment(),
        updated_at: moment(),
        deleted_at: Some(moment()),
        source_system: None,
        source_external_id: None,
        source_updated_at: Some("2023-06-12T08:30:00Z".parse().unwrap()),
        site_id: site.id,
        title: "Job dating".into(),
        title_search: "job dating".into(),
        description: None,
        pillar: Some(Pillar::AllerVersRaccrocher),
        axis_id: None,
        categories: ["JOB_DATING"].into_iter().collect(),
        audiences: StringList::default(),
        rome_codes: ["M1502"].into_iter().collect(),
        innovative: true,
        status: ActionStatus::InProgress,
        starts_on: Some("2023-Q1".into()),
        starts_from: Some(day("2023-01-01")),
        starts_to: Some(day("2023-03-31")),
        ends_on: None,
        ends_from: None,
        ends_to: None,
        lead_partner_id: Some(lead.id),
        published: false,
        cancel_reason: None,
        reopen_reason: None,
    }
}

fn a_figure(site: &site::Model, value: &str) -> figure::Model {
    figure::Model {
        id: Uuid::now_v7(),
        version: 1,
        created_at: moment(),
        updated_at: moment(),
        deleted_at: None,
        source_system: None,
        source_external_id: None,
        subject: FigureSubject::Site,
        site_id: Some(site.id),
        qpv_id: None,
        commune_code: None,
        epci_siren: None,
        action_id: None,
        indicator: Indicator::BeneficiaryCount,
        value: Some(value.parse().unwrap()),
        unit: FigureUnit::Count,
        period: Some("2023".into()),
        period_from: Some(day("2023-01-01")),
        period_to: Some(day("2023-12-31")),
        perimeter: None,
        pillar: None,
        origin: "deck".into(),
        as_of: None,
        status: FigureStatus::Validated,
        approximate: false,
        note: None,
        natural_key: value.into(),
    }
}

fn a_porteur(site: &site::Model, partner: &partner::Model) -> seat::Model {
    seat::Model {
        id: Uuid::now_v7(),
        version: 1,
        created_at: moment(),
        updated_at: moment(),
        deleted_at: None,
        source_system: None,
        source_external_id: None,
        site_id: site.id,
        partner_id: partner.id,
        kind: SeatKind::Porteur,
        starts_on: Some(day("2021-07-01")),
        ends_on: None,
    }
}

/// Inserts the row and reads it back.
async fn round_trip<M>(db: &DatabaseConnection, row: M)
where
    M: sea_orm::ModelTrait
        + Clone
        + PartialEq
        + std::fmt::Debug
        + IntoActiveModel<<M::Entity as EntityTrait>::ActiveModel>,
    M::Entity: EntityTrait<Model = M>,
    <M::Entity as EntityTrait>::ActiveModel:
        ActiveModelTrait<Entity = M::Entity> + sea_orm::ActiveModelBehavior + Send,
{
    M::Entity::insert(row.clone().into_active_model()).exec(db).await.unwrap();
    let rows = M::Entity::find().all(db).await.unwrap();
    assert!(rows.contains(&row), "wrote {row:?}\nread {rows:?}");
}

#[tokio::test]
async fn rows_are_read_back_as_written() {
    on_each_database(async |db| {
        Migrator::up(db, None).await.unwrap();
        let (site, lead) = (a_site(), a_partner());
        round_trip(db, site.clone()).await;
        round_trip(db, lead.clone()).await;
        round_trip(db, a_qpv()).await;
        round_trip(db, a_porteur(&site, &lead)).await;
        round_trip(db, an_action(&site, &lead)).await;
        for value in ["22.3", "0", "0.0001", "99999999999.9999", "-12345678901.2345"] {
            round_trip(db, a_figure(&site, value)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn the_journal_numbers_its_entries() {
    on_each_database(async |db| {
        Migrator::up(db, None).await.unwrap();
        let mut numbers = Vec::new();
        for _ in 0..3 {
            let entry = journal::ActiveModel {
                seq: ActiveValue::NotSet,
                xid: ActiveValue::NotSet,
                entity: Set("site".into()),
                entity_id: Set(Some(Uuid::now_v7())),
                version: Set(1),
                op: Set(JournalOp::Upsert),
                verb: Set("create".into()),
                at: Set(moment()),
                public: Set(false),
                was_public: Set(false),
                changed_fields: Set(["name"].into_iter().collect()),
                ..Default::default()
            };
            numbers.push(entry.insert(db).await.unwrap().seq);
        }
        assert_eq!(numbers, [1, 2, 3]);
    })
    .await;
}

#[tokio::test]
async fn rules_in_the_database_refuse_what_they_forbid() {
    on_each_database(async |db| {
        Migrator::up(db, None).await.unwrap();
        let (site, partner) = (a_site(), a_partner());
        round_trip(db, site.clone()).await;
        round_trip(db, partner.clone()).await;
        round_trip(db, a_porteur(&site, &partner)).await;

        let twin = site::Model { id: Uuid::now_v7(), ..site.clone() };
        let error = site::Entity::insert(twin.into_active_model()).exec(db).await.unwrap_err();
        assert!(matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_))), "{error}");

        let second =
            partner::Model { id: Uuid::now_v7(), source_external_id: Some("2".into()), ..a_partner() };
        round_trip(db, second.clone()).await;
        let seat = a_porteur(&site, &second).into_active_model();
        let error = seat::Entity::insert(seat).exec(db).await.unwrap_err();
        assert!(matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_))), "{error}");

        let nowhere = site::Model { id: Uuid::now_v7(), ..a_site() };
        let orphan = an_action(&nowhere, &partner).into_active_model();
        let error = action::Entity::insert(orphan).exec(db).await.unwrap_err();
        assert!(matches!(error.sql_err(), Some(SqlErr::ForeignKeyConstraintViolation(_))), "{error}");

        let no_subject = figure::Model { site_id: None, ..a_figure(&site, "1") };
        refused(
            figure::Entity::insert(no_subject.into_active_model()).exec(db).await,
            "ck_figure_site_id_of_subject",
        );
        let too_large = a_figure(&site, "100000000000");
        refused(figure::Entity::insert(too_large.into_active_model()).exec(db).await, "ck_figure_value");
    })
    .await;
}

fn refused<T: std::fmt::Debug>(outcome: Result<T, DbErr>, constraint: &str) {
    let error = outcome.unwrap_err().to_string();
    assert!(error.contains(constraint), "{error}");
}
