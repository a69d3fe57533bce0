use crate::column::{date, instant, text, uuid};
use crate::table::Table;

/// Partners, their seats in sites and their contact persons.
pub fn tables() -> Vec<Table> {
    vec![partner(), seat(), referent()]
}

fn partner() -> Table {
    let columns = [
        text("name"),
        text("name_search"),
        text("kind").one_of(&[
            "PREFECTURE",
            "DDETS",
            "DREETS",
            "ANCT",
            "COMMUNE",
            "EPCI",
            "METROPOLE",
            "DEPARTEMENT",
            "REGION",
            "FRANCE_TRAVAIL",
            "MISSION_LOCALE",
            "CAP_EMPLOI",
            "MAISON_EMPLOI_PLIE",
            "SIAE",
            "ASSOCIATION",
            "ENTREPRISE",
            "CAF",
            "FORMATION",
            "BAILLEUR",
            "CHAMBRE",
            "AUTRE",
        ]),
        text("siret").check("length(siret) = 14").null(),
        text("siren").check("length(siren) = 9").null(),
        text("rna").null(),
        text("safir_code").null(),
        text("naf_code").null(),
        text("naf_version").null(),
        text("commune_code").to("commune", "code").null(),
        text("departement_code").to("departement", "code").null(),
        text("website").null(),
        text("status").one_of(&["ACTIVE", "CLOSED", "MERGED"]),
        uuid("merged_into_id").to("partner", "id").null(),
    ];
    Table::row("partner", columns)
        .check("merged", "(status = 'MERGED') = (merged_into_id IS NOT NULL) AND merged_into_id <> id")
        .check("siren_of_siret", "substr(siret, 1, 9) = siren")
        .index(&["created_at", "id"])
        .index(&["name_search", "id"])
        .index(&["kind", "id"])
        .index(&["status", "id"])
        .index(&["siret"])
        .index(&["siren"])
        .index(&["rna"])
        .index(&["safir_code"])
        .index(&["naf_code"])
        .search(&["name_search"])
}

fn seat() -> Table {
    let columns = [
        uuid("site_id").to("site", "id"),
        uuid("partner_id").to("partner", "id"),
        text("kind").one_of(&["COPILOTE", "PORTEUR", "ANIMATEUR", "MEMBRE", "FINANCEUR", "OPERATEUR"]),
        date("starts_on").null(),
        date("ends_on").null(),
    ];
    Table::row("seat", columns)
        .check("period", "starts_on <= ends_on")
        .unique_where(&["site_id", "partner_id", "kind"], "ends_on IS NULL AND deleted_at IS NULL")
        .unique_where(&["site_id"], "kind = 'PORTEUR' AND ends_on IS NULL AND deleted_at IS NULL")
        .index(&["site_id", "kind", "id"])
        .index(&["partner_id", "site_id"])
        .index(&["kind", "site_id"])
        .index(&["created_at", "id"])
        .index(&["starts_on", "id"])
        .index(&["ends_on", "id"])
}

fn referent() -> Table {
    let columns = [
        uuid("site_id").to("site", "id"),
        uuid("partner_id").to("partner", "id"),
        text("function"),
        text("first_name").null(),
        text("last_name").null(),
        text("email").null(),
        text("phone").null(),
        date("starts_on").null(),
        date("ends_on").null(),
        date("erase_after").null(),
        instant("erased_at").null(),
    ];
    Table::row("referent", columns)
        .check("period", "starts_on <= ends_on")
        .check("erased", "erased_at IS NULL OR COALESCE(first_name, last_name, email, phone) IS NULL")
        .index(&["site_id", "id"])
        .index(&["partner_id", "site_id"])
        .index(&["erase_after"])
        .index(&["created_at", "id"])
        .index(&["starts_on", "id"])
        .index(&["ends_on", "id"])
}
