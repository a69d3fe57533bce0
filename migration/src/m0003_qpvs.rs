use crate::column::{date, double, text, uuid};
use crate::table::Table;

/// Priority neighbourhoods of both generations, their lineage and the sites that work in them.
pub fn tables() -> Vec<Table> {
    vec![qpv(), commune_link(), outline(), lineage(), site_link()]
}

fn qpv() -> Table {
    let columns = [
        text("code"),
        text("generation").one_of(&["QPV_2015", "QPV_2024"]),
        text("name"),
        text("name_search"),
        text("departement_code").to("departement", "code").null(),
        text("region_code").to("region", "code").null(),
        double("centroid_lon").check("centroid_lon BETWEEN -180 AND 180").null(),
        double("centroid_lat").check("centroid_lat BETWEEN -90 AND 90").null(),
        date("valid_from"),
        date("valid_to").null(),
        double("area_ha").null(),
    ];
    Table::row("qpv", columns)
        .check("centroid", "(centroid_lon IS NULL) = (centroid_lat IS NULL)")
        .check("period", "valid_from <= valid_to")
        .unique(&["code"])
        .index(&["generation", "code"])
        .index(&["created_at", "id"])
        .index(&["name_search", "id"])
        .index(&["area_ha", "id"])
        .index(&["centroid_lon", "centroid_lat"])
        .index(&["centroid_lat"])
        .index(&["departement_code", "generation"])
        .index(&["region_code", "generation"])
        .search(&["name_search"])
}

fn commune_link() -> Table {
    let columns = [uuid("qpv_id").to("qpv", "id").cascade(), text("commune_code").to("commune", "code")];
    Table::new("qpv_commune", &["qpv_id", "commune_code"], columns).index(&["commune_code", "qpv_id"])
}

fn outline() -> Table {
    Table::new("qpv_outline", &["qpv_id"], [uuid("qpv_id").to("qpv", "id").cascade(), text("geojson")])
}

fn lineage() -> Table {
    let columns = [
        uuid("id"),
        uuid("from_qpv_id").to("qpv", "id"),
        uuid("to_qpv_id").to("qpv", "id"),
        text("kind").one_of(&["UNCHANGED", "MODIFIED", "SPLIT", "MERGED"]),
        text("provenance").one_of(&["CONFIRMED", "DERIVED"]),
    ];
    Table::new("qpv_lineage", &["id"], columns)
        .unique(&["from_qpv_id", "to_qpv_id"])
        .index(&["to_qpv_id", "from_qpv_id"])
}

fn site_link() -> Table {
    let columns = [
        uuid("id"),
        uuid("site_id").to("site", "id"),
        uuid("qpv_id").to("qpv", "id"),
        text("status").one_of(&["LABELLED", "ASSOCIATED"]),
        date("starts_on").null(),
        date("ends_on").null(),
        text("provenance").one_of(&["CONFIRMED", "DERIVED"]),
    ];
    Table::new("site_qpv", &["id"], columns)
        .check("period", "starts_on <= ends_on")
        .unique_where(&["site_id", "qpv_id"], "ends_on IS NULL")
        .index(&["site_id", "qpv_id"])
        .index(&["qpv_id", "site_id"])
}
