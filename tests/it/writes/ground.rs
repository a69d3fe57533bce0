//! Fresh rows for writes to act upon: copies of rows of the small world under new ids, on the first site.

use cites::ids;
use entity::enums::{
    ActionStatus, FigureStatus, GovernanceBodyKind, GovernanceStatus, GrantStatus, Indicator, MeetingStatus,
    PartnerKind, RoadmapStatus, SeatKind, SiteStatus, WebhookPauseReason, WebhookState,
};
use entity::{StringList, client_grant, figure, seat, site_departement, webhook};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, Statement};
use tests::TestApp;
use tests::world::{self, Kind, World, id};
use uuid::Uuid;

/// The first site, on which everybody stands: a préfecture that steers (69) and one that does not (38), a
/// collectivity that steers (200046977) and one that is a member (200040715).
pub struct Ground<'a> {
    app: &'a TestApp,
    world: World,
}

/// A copy of a row under a new id, hung on the first site where it has one, with these changes.
macro_rules! copy {
    ($ground:ident.$list:ident, $prefix:literal, |$row:ident| $change:expr) => {{
        let mut $row = $ground.world.$list[0].clone();
        $row.id = Uuid::now_v7();
        $row.deleted_at = None;
        let () = $change;
        let id = $row.id;
        $ground.app.insert([$row]).await;
        ids::encode($prefix, id)
    }};
}

impl<'a> Ground<'a> {
    /// Lays the ground.
    pub async fn of(app: &'a TestApp) -> Self {
        let world = world::small();
        let site = id(Kind::Site, 1);
        app.insert([departement(site, "38", false)]).await;
        app.insert([Self::place(&world, site, 4, SeatKind::Membre)]).await;
        Self { app, world }
    }

    fn place(world: &World, site: Uuid, partner: u16, kind: SeatKind) -> seat::Model {
        let mut row = world.seats[0].clone();
        row.id = Uuid::now_v7();
        (row.site_id, row.partner_id, row.kind) = (site, id(Kind::Partner, partner), kind);
        row
    }

    /// A candidate with the same people around it as the first site.
    pub async fn candidate(&self) -> String {
        self.site(SiteStatus::Candidate).await
    }

    /// The same in another status.
    pub async fn site(&self, status: SiteStatus) -> String {
        let mut site = self.world.sites[0].clone();
        site.id = Uuid::now_v7();
        (site.code, site.status) = (None, status);
        let key = site.id;
        self.app.insert([site]).await;
        self.app.insert([departement(key, "69", true), departement(key, "38", false)]).await;
        let mut link = self.world.site_communes[0].clone();
        link.site_id = key;
        self.app.insert([link]).await;
        let mut link = self.world.site_qpvs[0].clone();
        (link.id, link.site_id) = (Uuid::now_v7(), key);
        self.app.insert([link]).await;
        let seats = [(2, SeatKind::Copilote), (4, SeatKind::Membre)];
        self.app.insert(seats.map(|(partner, kind)| Self::place(&self.world, key, partner, kind))).await;
        ids::encode("site", key)
    }

    /// A milestone of the first site; gives its start.
    pub async fn milestone(&self) -> String {
        let mut row = self.world.milestones[0].clone();
        row.id = Uuid::now_v7();
        row.kind = entity::enums::MilestoneKind::ActionPlan;
        self.app.insert([row]).await;
        "2021-Q3".to_owned()
    }

    /// A partner without seats.
    pub async fn partner(&self) -> String {
        copy!(self.partners, "partner", |row| {
            row.kind = PartnerKind::Association;
            row.siret = None;
        })
    }

    /// A seat of a new partner.
    pub async fn seat(&self, kind: SeatKind) -> String {
        let partner = decode(&self.partner().await);
        copy!(self.seats, "seat", |row| (row.partner_id, row.kind) = (partner, kind))
    }

    /// A referent.
    pub async fn referent(&self) -> String {
        copy!(self.referents, "referent", |_row| ())
    }

    /// A committee.
    pub async fn body(&self) -> String {
        copy!(self.bodies, "body", |row| {
            row.kind = GovernanceBodyKind::Cotech;
            row.status = GovernanceStatus::Planned;
        })
    }

    /// A meeting of the first site's committee.
    pub async fn meeting(&self, status: MeetingStatus) -> String {
        copy!(self.meetings, "meeting", |row| row.status = status)
    }

    /// A draft of a roadmap.
    pub async fn roadmap(&self) -> String {
        let number = i32::from(u16::from_be_bytes([rand_byte(), rand_byte()])) + 100;
        copy!(self.roadmaps, "roadmap", |row| {
            row.status = RoadmapStatus::Draft;
            row.number = number;
            (row.adopted_on, row.adopted_by_meeting_id) = (None, None);
        })
    }

    /// An action that nobody published, by hand or of a source.
    pub async fn action(&self, status: ActionStatus, source: Option<&str>) -> String {
        copy!(self.actions, "action", |row| {
            row.status = status;
            row.published = false;
            row.source_system = source.map(str::to_owned);
            row.source_external_id = source.map(|_| row.id.to_string());
        })
    }

    /// A figure of the first site.
    pub async fn figure(&self, status: FigureStatus) -> String {
        let site = id(Kind::Site, 1);
        let at = self.world.figures.iter().position(|row| row.site_id == Some(site)).expect("a figure");
        let mut row = self.world.figures[at].clone();
        row.id = Uuid::now_v7();
        row.status = status;
        row.indicator = Indicator::Population;
        row.natural_key = row.id.to_string();
        let key = row.id;
        self.app.insert([row]).await;
        ids::encode("figure", key)
    }

    /// Withdraws what was declared so far, so that a figure of another source can be revised again.
    pub async fn withdraw_declared(&self) {
        let change = figure::Entity::update_many()
            .col_expr(figure::Column::Status, Expr::value(FigureStatus::Withdrawn.as_str()))
            .filter(figure::Column::Origin.eq("DECLARED"));
        change.exec(&self.app.db.writer).await.expect("figures are written");
    }

    /// A line of funding.
    pub async fn funding(&self) -> String {
        copy!(self.funding, "funding", |_row| ())
    }

    /// A webhook of the client of France Travail, which stands still.
    pub async fn webhook(&self) -> String {
        let now = cites::clock::Clock::now(&*self.app.clock);
        let key = Uuid::now_v7();
        let row = webhook::Model {
            id: key,
            client_id: "client-FRANCE_TRAVAIL".to_owned(),
            role: "partner_system".to_owned(),
            actor_sub: None,
            source_system: Some("FRANCE_TRAVAIL".to_owned()),
            scopes: StringList::default(),
            token_jti: None,
            token_issued_at: None,
            url: "https://example.fr/hook".to_owned(),
            entities: StringList::default(),
            secret: "whsec_".to_owned(),
            state: WebhookState::Paused,
            pause_reason: Some(WebhookPauseReason::Owner),
            after_cursor: None,
            delivered_at: None,
            attempts: 0,
            failing_since: None,
            next_attempt_at: None,
            last_error: None,
            lease: None,
            leased_until: None,
            version: 1,
            created_at: now,
            updated_at: now,
            deleted_at: None,
        };
        self.app.insert([row]).await;
        ids::encode("webhook", key)
    }

    /// The grant of a client that nobody uses.
    pub async fn grant(&self) -> String {
        let now = cites::clock::Clock::now(&*self.app.clock);
        let key = Uuid::now_v7();
        let row = client_grant::Model {
            id: key,
            client_id: key.to_string(),
            label: "Un client".to_owned(),
            role: "partner_system".to_owned(),
            source_system: Some("FRANCE_TRAVAIL".to_owned()),
            site_codes: StringList::default(),
            all_sites: false,
            indicators: StringList::default(),
            departements: StringList::default(),
            sirens: StringList::default(),
            scopes: StringList::default(),
            rate_class: None,
            valid_from: None,
            valid_to: None,
            status: GrantStatus::Active,
            version: 1,
            created_at: now,
            updated_at: now,
        };
        self.app.insert([row]).await;
        ids::encode("grant", key)
    }
}

fn departement(site_id: Uuid, code: &str, pilot: bool) -> site_departement::Model {
    let (departement_code, region_code) = (code.to_owned(), "84".to_owned());
    site_departement::Model { site_id, departement_code, region_code, pilot }
}

fn rand_byte() -> u8 {
    Uuid::now_v7().as_bytes()[15]
}

fn decode(id: &str) -> Uuid {
    ids::decode(id).expect("an id").1
}

/// What writes may change: how many rows each table has, and the sum of their versions.
pub async fn traces(app: &TestApp) -> Vec<(String, i64, i64)> {
    const ROWS: [&str; 13] = [
        "site",
        "partner",
        "seat",
        "referent",
        "governance_body",
        "meeting",
        "roadmap",
        "axis",
        "action",
        "figure",
        "funding_line",
        "client_grant",
        "webhook",
    ];
    const LINKS: [&str; 7] = [
        "site_qpv",
        "site_milestone",
        "site_commune",
        "governance_member",
        "action_qpv",
        "action_partner",
        "idempotency_key",
    ];
    let count = |table: &str, versions: &str| format!("SELECT '{table}', COUNT(*), {versions} FROM {table}");
    let rows = ROWS.map(|table| count(table, "CAST(SUM(version) AS bigint)"));
    let links = LINKS.map(|table| count(table, "CAST(0 AS bigint)"));
    let text = rows.into_iter().chain(links).collect::<Vec<_>>().join(" UNION ALL ");
    let backend = app.db.writer.get_database_backend();
    let statement = Statement::from_string(backend, text);
    let found = app.db.writer.query_all_raw(statement).await.expect("traces are read");
    found
        .iter()
        .map(|row| {
            let text: String = row.try_get_by_index(0).expect("a table");
            let (count, versions): (i64, Option<i64>) =
                (row.try_get_by_index(1).expect("a count"), row.try_get_by_index(2).expect("a sum"));
            (text, count, versions.unwrap_or_default())
        })
        .collect()
}
