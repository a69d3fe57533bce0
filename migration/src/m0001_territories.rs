use crate::column::{Column, date, int, text};
use crate::table::Table;

/// Regions, départements, groups of communes, communes and local contracts.
pub fn tables() -> Vec<Table> {
    vec![
        named("region", &["code"], [text("code")]),
        named("departement", &["code"], [text("code"), text("region_code").to("region", "code")]),
        named(
            "epci",
            &["siren"],
            [
                text("siren"),
                text("kind"),
                text("departement_code").to("departement", "code").null(),
                int("population").null(),
            ],
        )
        .index(&["population", "siren"]),
        commune(),
        named(
            "contrat_ville",
            &["code"],
            [
                text("code"),
                text("territory_code").null(),
                text("departement_code").to("departement", "code").null(),
                int("generation"),
            ],
        )
        .index(&["generation", "code"])
        .index(&["territory_code"]),
    ]
}

fn commune() -> Table {
    let columns = [
        text("code"),
        text("kind"),
        text("parent_code").to("commune", "code").null(),
        text("departement_code").to("departement", "code").null(),
        text("region_code").to("region", "code").null(),
        text("epci_siren").to("epci", "siren").null(),
        int("population").null(),
        text("successor_code").to("commune", "code").null(),
        date("valid_to").null(),
    ];
    named("commune", &["code"], columns).index(&["population", "code"])
}

/// A table of things with an official name, sorted and searched by its folded form.
fn named(name: &'static str, key: &'static [&'static str; 1], columns: impl Into<Vec<Column>>) -> Table {
    let mut all = columns.into();
    all.splice(1..1, [text("name"), text("name_search")]);
    // The key breaks ties between equal names, hence an index per kind of key.
    let order: &[&str] = if key[0] == "siren" { &["name_search", "siren"] } else { &["name_search", "code"] };
    Table::new(name, key, all).index(order).search(&["name_search"])
}
