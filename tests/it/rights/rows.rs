//! Rows: through each list, its count, its look-up, `node`, `nodes`, and as related rows.

use std::collections::BTreeSet;

use cites::ids;
use entity::enums::{ActionStatus, RoadmapStatus};
use serde_json::json;
use tests::{Persona, on_both};
use uuid::Uuid;

use super::oracle::{EVERYBODY, Oracle};

/// A noun that has a list at the root: its list, its look-up, the prefix of its ids.
struct Noun {
    list: &'static str,
    lookup: &'static str,
    prefix: &'static str,
}

const fn noun(list: &'static str, lookup: &'static str, prefix: &'static str) -> Noun {
    Noun { list, lookup, prefix }
}

const SITE: Noun = noun("sites", "site", "site");
const SEAT: Noun = noun("seats", "seat", "seat");
const REFERENT: Noun = noun("referents", "referent", "referent");
const BODY: Noun = noun("governanceBodies", "governanceBody", "body");
const MEETING: Noun = noun("meetings", "meeting", "meeting");
const ROADMAP: Noun = noun("roadmaps", "roadmap", "roadmap");
const AXIS: Noun = noun("", "axis", "axis");
const ACTION: Noun = noun("actions", "action", "action");
const FIGURE: Noun = noun("figures", "figure", "figure");
const FUNDING: Noun = noun("fundingLines", "fundingLine", "funding");
const PARTNER: Noun = noun("partners", "partner", "partner");
const QPV: Noun = noun("qpvs", "qpv", "qpv");

impl Noun {
    fn id(&self, key: Uuid) -> String {
        ids::encode(self.prefix, key)
    }

    /// Every way to a row gives exactly what `expected` holds of all rows.
    async fn check(&self, persona: &Persona<'_>, rows: &[(Uuid, bool)]) {
        let all: Vec<String> = rows.iter().map(|(key, _)| self.id(*key)).collect();
        let expected: BTreeSet<String> =
            rows.iter().filter(|(_, visible)| *visible).map(|(key, _)| self.id(*key)).collect();
        if !self.list.is_empty() {
            assert_eq!(self.listed(persona).await, expected, "{}", self.list);
        }
        assert_eq!(self.by_ids(persona, &all).await, expected, "nodes, {}", self.list);
        // one of each kind suffices: the same plan serves all
        for wanted in [true, false] {
            let Some(id) = all.iter().find(|id| expected.contains(*id) == wanted) else { continue };
            let document = format!(
                "query ($id: ID!) {{ found: {}(by: {{ id: $id }}) {{ id }} node(id: $id) {{ id }} }}",
                self.lookup
            );
            let answer = persona.query(&document, json!({ "id": id })).await;
            assert_eq!(answer.data("/found").is_object(), wanted, "{answer}");
            assert_eq!(answer.data("/node").is_object(), wanted, "{answer}");
        }
    }

    /// The whole list, page by page; its count agrees on each.
    async fn listed(&self, persona: &Persona<'_>) -> BTreeSet<String> {
        let document = format!(
            "query ($after: String) {{ list: {}(first: 100, after: $after) {{ totalCount nodes {{ id }} pageInfo {{ \
             hasNextPage endCursor }} }} }}",
            self.list
        );
        let (mut found, mut after) = (BTreeSet::new(), json!(null));
        loop {
            let answer = persona.query(&document, json!({ "after": after })).await;
            found.extend(answer.column("/list/nodes", "id"));
            after = answer.data("/list/pageInfo/endCursor").clone();
            if answer.data("/list/pageInfo/hasNextPage") == false {
                assert_eq!(answer.count("/list/totalCount"), found.len(), "{} counted", self.list);
                return found;
            }
        }
    }

    async fn by_ids(&self, persona: &Persona<'_>, all: &[String]) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for some in all.chunks(100) {
            let answer = persona
                .query("query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", json!({ "ids": some }))
                .await;
            let nodes = answer.list("/nodes");
            assert_eq!(nodes.len(), some.len());
            found.extend(nodes.iter().filter_map(|node| node["id"].as_str()).map(str::to_owned));
        }
        found
    }
}

/// The rows of a list, and whether the oracle shows each as a row of a type.
macro_rules! rows {
    ($oracle:ident, $rows:ident, $type:literal) => {
        $oracle.world.$rows.iter().enumerate().map(|(at, row)| (row, $oracle.sees($type, at)))
    };
}

/// Declares a test: the rows of a list of the world, seen as the oracle says.
macro_rules! rows_are_those_of_the_matrix {
    ($name:ident, $noun:ident, $rows:ident, $type:literal) => {
        on_both!($name, Small, async |app| {
            for who in EVERYBODY {
                let persona = who.of(app).await;
                let oracle = Oracle::new(who, &persona);
                let rows: Vec<(Uuid, bool)> =
                    rows!(oracle, $rows, $type).map(|(row, seen)| (row.id, seen)).collect();
                eprintln!("{who:?}");
                $noun.check(&persona, &rows).await;
            }
        });
    };
}

rows_are_those_of_the_matrix!(sites_are_seen_as_the_matrix_says, SITE, sites, "Site");
rows_are_those_of_the_matrix!(seats_are_seen_as_the_matrix_says, SEAT, seats, "Seat");
rows_are_those_of_the_matrix!(referents_are_seen_as_the_matrix_says, REFERENT, referents, "Referent");
rows_are_those_of_the_matrix!(committees_are_seen_as_the_matrix_says, BODY, bodies, "GovernanceBody");
rows_are_those_of_the_matrix!(meetings_are_seen_as_the_matrix_says, MEETING, meetings, "Meeting");
rows_are_those_of_the_matrix!(roadmaps_are_seen_as_the_matrix_says, ROADMAP, roadmaps, "Roadmap");
rows_are_those_of_the_matrix!(axes_are_seen_as_the_matrix_says, AXIS, axes, "Axis");
rows_are_those_of_the_matrix!(actions_are_seen_as_the_matrix_says, ACTION, actions, "Action");
rows_are_those_of_the_matrix!(figures_are_seen_as_the_matrix_says, FIGURE, figures, "Figure");
rows_are_those_of_the_matrix!(funding_is_seen_as_the_matrix_says, FUNDING, funding, "FundingLine");
rows_are_those_of_the_matrix!(partners_are_seen_by_all, PARTNER, partners, "Partner");
rows_are_those_of_the_matrix!(qpvs_are_seen_by_all, QPV, qpvs, "Qpv");

/// The ids of a related list below each node of a list, with the counts given beside them.
async fn related(persona: &Persona<'_>, list: &str, field: &str) -> Vec<(String, Vec<String>)> {
    let document = format!(
        "{{ list: {list}(first: 100) {{ nodes {{ id rows: {field}(first: 100) {{ totalCount nodes {{ id }} }} }} }} }}"
    );
    let answer = persona.ask(&document).await;
    let of = |node: &serde_json::Value| {
        let ids: Vec<String> = node["rows"]["nodes"]
            .as_array()
            .expect("rows")
            .iter()
            .map(|row| row["id"].as_str().expect("an id").to_owned())
            .collect();
        assert_eq!(node["rows"]["totalCount"], ids.len(), "{list}.{field}");
        (node["id"].as_str().expect("an id").to_owned(), ids)
    };
    answer.list("/list/nodes").iter().map(of).collect()
}

/// What hangs on each parent: key of the parent, id of the row, whether it is visible.
type Links = Vec<(Uuid, String, bool)>;

async fn check_related(persona: &Persona<'_>, parent: &Noun, field: &str, links: Links) {
    for (id, mut found) in related(persona, parent.list, field).await {
        let mut expected: Vec<String> = links
            .iter()
            .filter(|(key, _, visible)| *visible && parent.id(*key) == id)
            .map(|(_, row, _)| row.clone())
            .collect();
        found.sort();
        expected.sort();
        assert_eq!(found, expected, "{}.{field} of {id}", parent.list);
    }
}

on_both!(what_hangs_on_a_row_is_seen_as_in_its_own_list, Small, async |app| {
    for who in EVERYBODY {
        eprintln!("{who:?}");
        let persona = who.of(app).await;
        let oracle = Oracle::new(who, &persona);
        macro_rules! check {
            ($parent:ident, $field:literal, $noun:ident, $type:literal, $rows:ident, |$row:ident| $key:expr) => {
                let links = rows!(oracle, $rows, $type).filter_map(|($row, seen)| {
                    Option::<Uuid>::from($key).map(|parent| (parent, $noun.id($row.id), seen))
                });
                check_related(&persona, &$parent, $field, links.collect()).await;
            };
        }
        check!(SITE, "seats", SEAT, "Seat", seats, |row| row.site_id);
        check!(SITE, "referents", REFERENT, "Referent", referents, |row| row.site_id);
        check!(SITE, "governanceBodies", BODY, "GovernanceBody", bodies, |row| row.site_id);
        check!(SITE, "roadmaps", ROADMAP, "Roadmap", roadmaps, |row| row.site_id);
        check!(SITE, "actions", ACTION, "Action", actions, |row| row.site_id);
        check!(SITE, "fundingLines", FUNDING, "FundingLine", funding, |row| row.site_id);
        check!(SITE, "figures", FIGURE, "Figure", figures, |row| row.site_id);
        check!(BODY, "meetings", MEETING, "Meeting", meetings, |row| row.body_id);
        check!(PARTNER, "seats", SEAT, "Seat", seats, |row| row.partner_id);
        check!(PARTNER, "leads", ACTION, "Action", actions, |row| row.lead_partner_id);
        let sites = oracle.world.site_qpvs.iter().map(|link| {
            let at = oracle.world.sites.iter().position(|site| site.id == link.site_id).expect("a site");
            (link.qpv_id, SITE.id(link.site_id), oracle.sees("Site", at))
        });
        check_related(&persona, &QPV, "sites", sites.collect()).await;
    }
});

/// What a field of each node of a list points to, where it shows anything.
async fn pointed_to(persona: &Persona<'_>, list: &str, field: &str) -> BTreeSet<String> {
    let document = format!(
        "{{ a: {list}(first: 100) {{ nodes {{ to: {field} {{ id }} }} }} b: {list}(last: 100) {{ nodes {{ to: {field} {{ \
         id }} }} }} }}"
    );
    let answer = persona.ask(&document).await;
    let nodes = answer.list("/a/nodes").iter().chain(answer.list("/b/nodes"));
    nodes.filter_map(|node| node["to"]["id"].as_str()).map(str::to_owned).collect()
}

on_both!(what_a_row_points_to_shows_only_if_its_own_list_has_it, Small, async |app| {
    for who in EVERYBODY {
        eprintln!("{who:?}");
        let persona = who.of(app).await;
        for (list, field, target) in [
            ("actions", "site", &SITE),
            ("actions", "lead", &PARTNER),
            ("seats", "site", &SITE),
            ("seats", "partner", &PARTNER),
            ("governanceBodies", "site", &SITE),
            ("meetings", "body", &BODY),
            ("roadmaps", "site", &SITE),
            ("roadmaps", "adoptedByMeeting", &MEETING),
            ("figures", "site", &SITE),
            ("figures", "qpv", &QPV),
            ("figures", "action", &ACTION),
            ("fundingLines", "funder", &PARTNER),
        ] {
            let (shown, listed) = (pointed_to(&persona, list, field).await, target.listed(&persona).await);
            assert!(shown.is_subset(&listed), "{list}.{field}: {:?}", shown.difference(&listed));
        }
    }
});

/// The ids of the sites that a filter finds; their count agrees.
async fn sites_found(persona: &Persona<'_>, filter: &str) -> BTreeSet<String> {
    let answer =
        persona.ask(&format!("{{ sites(filter: {{ {filter} }}) {{ nodes {{ id }} totalCount }} }}")).await;
    let ids: BTreeSet<String> = answer.column("/sites/nodes", "id").into_iter().collect();
    assert_eq!(answer.count("/sites/totalCount"), ids.len(), "{filter}");
    ids
}

/// A filter over a relation (`?` stands for `some` or `none`) finds the sites, and not the others, that have a row
/// which the caller reads and which meets it.
async fn check_filter(persona: &Persona<'_>, oracle: &Oracle, filter: &str, has: &dyn Fn(Uuid) -> bool) {
    let sites = |wanted: bool| -> BTreeSet<String> {
        let of = rows!(oracle, sites, "Site").filter(|(site, seen)| *seen && has(site.id) == wanted);
        of.map(|(site, _)| SITE.id(site.id)).collect()
    };
    let (some, none) = (filter.replace('?', "some"), filter.replace('?', "none"));
    assert_eq!(sites_found(persona, &some).await, sites(true), "{some}");
    assert_eq!(sites_found(persona, &none).await, sites(false), "{none}");
    assert_eq!(sites_found(persona, &format!("not: {{ {some} }}")).await, sites(false), "not {some}");
}

/// Whether a site has a row in a list of the world that the oracle shows and that meets a condition.
macro_rules! has {
    ($oracle:ident, $rows:ident, $type:literal, $meets:expr) => {
        &|site| rows!($oracle, $rows, $type).any(|(row, seen)| seen && row.site_id == site && $meets(row))
    };
}

on_both!(a_filter_finds_a_site_only_by_what_the_caller_reads_there, Small, async |app| {
    for who in EVERYBODY {
        eprintln!("{who:?}");
        let persona = who.of(app).await;
        let oracle = Oracle::new(who, &persona);
        let draft = |row: &entity::action::Model| row.status == ActionStatus::Draft;
        let has = has!(oracle, actions, "Action", draft);
        check_filter(&persona, &oracle, "actions: { ?: { status: { eq: DRAFT } } }", has).await;
        let unpublished = |row: &entity::action::Model| {
            row.source_system.as_deref() == Some("OTHER") && !draft(row) && !row.published
        };
        let filter = "actions: { ?: { sourceSystem: { eq: \"OTHER\" }, status: { ne: DRAFT }, published: { eq: false } } }";
        check_filter(&persona, &oracle, filter, has!(oracle, actions, "Action", unpublished)).await;
        let draft = |row: &entity::roadmap::Model| row.status == RoadmapStatus::Draft;
        let has = has!(oracle, roadmaps, "Roadmap", draft);
        check_filter(&persona, &oracle, "roadmaps: { ?: { status: { eq: DRAFT } } }", has).await;
        let has = has!(oracle, funding, "FundingLine", |_| true);
        check_filter(&persona, &oracle, "fundingLines: { ?: {} }", has).await;
        let has = has!(oracle, referents, "Referent", |_| true);
        check_filter(&persona, &oracle, "referents: { ?: {} }", has).await;
        let ended = |row: &entity::seat::Model| row.ends_on.is_some();
        let has = has!(oracle, seats, "Seat", ended);
        check_filter(&persona, &oracle, "seats: { ?: { to: { isNull: false } } }", has).await;
        // a name is found only where it is read
        let mut bodies = Vec::new();
        for (at, row) in oracle.world.bodies.iter().enumerate() {
            bodies.extend(oracle.sees_whole("GovernanceBody", at).then_some(row.site_id));
        }
        let has = &|site| bodies.contains(&site);
        check_filter(&persona, &oracle, "governanceBodies: { ?: { name: { isNull: false } } }", has).await;
    }
});
