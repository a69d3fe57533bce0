use crate::column::{Column, boolean, date, decimal, text, uuid};
use crate::table::Table;

/// Values of indicators.
pub fn tables() -> Vec<Table> {
    vec![figure()]
}

fn figure() -> Table {
    let mut columns = subject();
    columns.extend(measure());
    Table::row("figure", columns)
        // Exactly the one key that the subject names is filled; a national figure has none.
        .check("site_id_of_subject", "(subject = 'SITE') = (site_id IS NOT NULL)")
        .check("qpv_id_of_subject", "(subject = 'QPV') = (qpv_id IS NOT NULL)")
        .check("commune_code_of_subject", "(subject = 'COMMUNE') = (commune_code IS NOT NULL)")
        .check("epci_siren_of_subject", "(subject = 'EPCI') = (epci_siren IS NOT NULL)")
        .check("action_id_of_subject", "(subject = 'ACTION') = (action_id IS NOT NULL)")
        .check("percent", "unit <> 'PERCENT' OR value BETWEEN 0 AND 100")
        .check("period_order", "period_from <= period_to")
        .unique_where(&["natural_key"], "status NOT IN ('REVISED', 'WITHDRAWN')")
        .index(&["site_id", "indicator"])
        .index(&["qpv_id", "indicator"])
        .index(&["commune_code", "indicator"])
        .index(&["epci_siren", "indicator"])
        .index(&["action_id", "indicator"])
        .index(&["subject", "indicator"])
        .index(&["indicator", "period_from", "id"])
        .index(&["period_from", "id"])
        .index(&["as_of", "id"])
        .index(&["created_at", "id"])
        .index(&["status", "id"])
        .index(&["origin", "id"])
}

fn subject() -> Vec<Column> {
    vec![
        text("subject").one_of(&["NATIONAL", "SITE", "QPV", "COMMUNE", "EPCI", "ACTION"]),
        uuid("site_id").to("site", "id").null(),
        uuid("qpv_id").to("qpv", "id").null(),
        text("commune_code").to("commune", "code").null(),
        text("epci_siren").to("epci", "siren").null(),
        uuid("action_id").to("action", "id").null(),
    ]
}

fn measure() -> [Column; 14] {
    [
        text("indicator").one_of(INDICATORS),
        decimal("value").null(),
        text("unit").one_of(&["COUNT", "PERCENT", "CENTS"]),
        text("period").null(),
        date("period_from").null(),
        date("period_to").null(),
        text("perimeter")
            .one_of(&["SITE", "COMMUNE", "EPCI", "QPV", "QPV_STATE", "QPV_COLLECTIVITY", "NATIONAL"])
            .null(),
        text("pillar").one_of(&["RECENSER_FEDERER", "ALLER_VERS_RACCROCHER", "INNOVER"]).null(),
        text("origin"),
        date("as_of").null(),
        text("status").one_of(&["PROVISIONAL", "VALIDATED", "REVISED", "WITHDRAWN"]),
        boolean("approximate"),
        text("note").null(),
        text("natural_key"),
    ]
}

const INDICATORS: &[&str] = &[
    "SITE_COUNT",
    "PARTNER_COUNT",
    "PARTNER_COUNT_AVG",
    "REFERENT_COUNT",
    "ACTION_COUNT",
    "INNOVATIVE_ACTION_COUNT",
    "BENEFICIARY_COUNT",
    "POPULATION",
    "QPV_POPULATION",
    "QPV_COUNT",
    "UNEMPLOYMENT_RATE_CENSUS",
    "UNEMPLOYMENT_RATE_LOCALISED",
    "UNEMPLOYMENT_RATE_UNSPECIFIED",
    "EMPLOYMENT_RATE",
    "ACTIVITY_RATE",
    "POVERTY_RATE",
    "DEFM_A",
    "DEFM_ABC",
    "JOB_SEEKERS_UNSPECIFIED",
    "JOB_SEEKERS_QPV_SHARE",
];
