use crate::column::{boolean, date, int, list, text, uuid};
use crate::table::Table;

/// Sites with their communes, groups of communes, départements and milestones.
pub fn tables() -> Vec<Table> {
    vec![site(), commune_link(), epci_link(), departement_link(), milestone()]
}

fn site() -> Table {
    let columns = [
        text("code").null(),
        text("name"),
        text("name_search"),
        text("scale").one_of(&["QUARTIER", "COMMUNE", "MULTI_COMMUNE", "EPCI", "DEPARTEMENT"]).null(),
        int("wave").check("wave IN (2020, 2021)").null(),
        text("wave_status").one_of(&["CONFIRMED", "DERIVED"]).null(),
        text("wave_source").null(),
        text("status").one_of(&[
            "CANDIDATE",
            "SUBMITTED",
            "LABELLED",
            "ACTIVE",
            "CLOSED",
            "REJECTED",
            "WITHDRAWN",
        ]),
        text("audience_policy").one_of(&["TARGETED", "NONE_SPECIFIC", "UNKNOWN"]).default("'UNKNOWN'"),
        list("audiences"),
        text("audience_note").null(),
        list("contrat_ville_codes"),
        text("programme").default("'CITES_EMPLOI'"),
        text("successor_note").null(),
        text("status_reason").null(),
    ];
    Table::row("site", columns)
        .unique(&["code"])
        .index(&["created_at", "id"])
        .index(&["name_search", "id"])
        .index(&["status", "id"])
        .index(&["scale", "id"])
        .index(&["wave", "id"])
        .search(&["name_search"])
        .elements(&["audiences"])
        .elements(&["contrat_ville_codes"])
}

fn commune_link() -> Table {
    let columns = [
        uuid("site_id").to("site", "id").cascade(),
        text("commune_code").to("commune", "code"),
        boolean("shared"),
    ];
    Table::new("site_commune", &["site_id", "commune_code"], columns).index(&["commune_code", "site_id"])
}

fn epci_link() -> Table {
    let columns = [uuid("site_id").to("site", "id").cascade(), text("epci_siren").to("epci", "siren")];
    Table::new("site_epci", &["site_id", "epci_siren"], columns).index(&["epci_siren", "site_id"])
}

fn departement_link() -> Table {
    let columns = [
        uuid("site_id").to("site", "id").cascade(),
        text("departement_code").to("departement", "code"),
        text("region_code").to("region", "code"),
        boolean("pilot"),
    ];
    Table::new("site_departement", &["site_id", "departement_code"], columns)
        .index(&["departement_code", "site_id"])
        .index(&["region_code", "site_id"])
}

fn milestone() -> Table {
    let columns = [
        uuid("id"),
        uuid("site_id").to("site", "id").cascade(),
        text("kind").one_of(&[
            "APPLICATION",
            "LABEL",
            "FIRST_COPIL",
            "INAUGURATION",
            "ROADMAP_WRITING",
            "ACTION_PLAN",
            "GOVERNANCE_SETUP",
            "ACTIONS_START",
            "CLOSURE",
        ]),
        text("starts"),
        date("starts_from"),
        date("starts_to"),
        text("ends").null(),
        date("ends_from").null(),
        date("ends_to").null(),
        text("label").null(),
        text("source").null(),
    ];
    Table::new("site_milestone", &["id"], columns)
        .check("start", "starts_from <= starts_to")
        .check("end", "(ends IS NULL) = (ends_from IS NULL) AND (ends IS NULL) = (ends_to IS NULL)")
        .check("end_order", "ends_from <= ends_to")
        .index(&["site_id", "starts_from"])
}
