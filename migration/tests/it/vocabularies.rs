//! Migrations spell out the allowed values, since released ones never change; the enums may not know others.

use entity::enums::{
    ActionStatus, AudiencePolicy, CadenceUnit, FigureStatus, FigureSubject, FigureUnit, FundingKind,
    GovernanceBodyKind, GovernanceOrigin, GovernanceStatus, GrantStatus, IdempotencyState, ImportErrorPolicy,
    ImportMode, ImportOutcome, ImportStatus, Indicator, IngestState, JournalOp, LineageKind, MeetingStatus,
    MemberSeat, MilestoneKind, PartnerKind, PartnerStatus, Perimeter, Pillar, Provenance, QpvGeneration,
    RoadmapStatus, SeatKind, SiteQpvStatus, SiteScale, SiteStatus, WebhookPauseReason, WebhookState,
};
use migration::{Migrator, MigratorTrait};
use sea_orm::DbBackend;

use crate::support::{lines, on_each_database};

type Names = &'static [(&'static str, &'static str)];

/// Every column of a closed vocabulary.
const COLUMNS: &[(&str, &str, Names)] = &[
    ("site", "scale", SiteScale::ALL),
    ("site", "status", SiteStatus::ALL),
    ("site", "wave_status", Provenance::ALL),
    ("site", "audience_policy", AudiencePolicy::ALL),
    ("site_milestone", "kind", MilestoneKind::ALL),
    ("qpv", "generation", QpvGeneration::ALL),
    ("qpv_lineage", "kind", LineageKind::ALL),
    ("qpv_lineage", "provenance", Provenance::ALL),
    ("site_qpv", "status", SiteQpvStatus::ALL),
    ("site_qpv", "provenance", Provenance::ALL),
    ("partner", "kind", PartnerKind::ALL),
    ("partner", "status", PartnerStatus::ALL),
    ("seat", "kind", SeatKind::ALL),
    ("governance_body", "kind", GovernanceBodyKind::ALL),
    ("governance_body", "origin", GovernanceOrigin::ALL),
    ("governance_body", "cadence_unit", CadenceUnit::ALL),
    ("governance_body", "status", GovernanceStatus::ALL),
    ("governance_member", "seat", MemberSeat::ALL),
    ("meeting", "status", MeetingStatus::ALL),
    ("roadmap", "status", RoadmapStatus::ALL),
    ("axis", "pillar", Pillar::ALL),
    ("action", "pillar", Pillar::ALL),
    ("action", "status", ActionStatus::ALL),
    ("funding_line", "kind", FundingKind::ALL),
    ("figure", "subject", FigureSubject::ALL),
    ("figure", "indicator", Indicator::ALL),
    ("figure", "unit", FigureUnit::ALL),
    ("figure", "perimeter", Perimeter::ALL),
    ("figure", "pillar", Pillar::ALL),
    ("figure", "status", FigureStatus::ALL),
    ("ingest_run", "state", IngestState::ALL),
    ("journal", "op", JournalOp::ALL),
    ("idempotency_key", "state", IdempotencyState::ALL),
    ("client_grant", "status", GrantStatus::ALL),
    ("import_batch", "mode", ImportMode::ALL),
    ("import_batch", "on_error", ImportErrorPolicy::ALL),
    ("import_batch", "status", ImportStatus::ALL),
    ("import_item", "outcome", ImportOutcome::ALL),
    ("webhook", "state", WebhookState::ALL),
    ("webhook", "pause_reason", WebhookPauseReason::ALL),
];

#[tokio::test]
async fn the_database_allows_exactly_the_values_of_the_enums() {
    on_each_database(async |db| {
        if db.get_database_backend() == DbBackend::Postgres {
            return;
        }
        Migrator::up(db, None).await.unwrap();
        let tables =
            lines(db, "SELECT sql AS line FROM sqlite_master WHERE type = 'table'", "").await.join("\n");
        for (table, column, names) in COLUMNS {
            let names: Vec<&str> = names.iter().map(|(name, _)| *name).collect();
            let check = format!(
                "CONSTRAINT \"ck_{table}_{column}\" CHECK (\"{column}\" IN ('{}'))",
                names.join("', '")
            );
            assert!(tables.contains(&check), "no {check} in the schema: add a migration");
        }
        assert_eq!(tables.matches(" IN ('").count(), COLUMNS.len(), "a closed column is not listed here");
    })
    .await;
}
