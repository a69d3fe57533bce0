//! What a site still lacks: ANCT's to-do list. The invariants of a label, and what a full description has.

use crate::db::Sql;
use crate::read::declare::EnumType;

/// Names of what may be missing.
pub const REQUIREMENT: EnumType = EnumType {
    name: "SiteRequirement",
    description: "Something that a fully described site has (« élément attendu »).",
    values: &[
        ("CODE", "Official code (« code »)."),
        ("LABEL_MILESTONE", "Milestone of its label (« labellisation »)."),
        ("PILOT_DEPARTEMENT", "A « département » that steers it."),
        ("QPV", "At least one « QPV » in its perimeter."),
        ("STATE_COPILOTE", "A State body as co-pilot (« copilote »)."),
        ("COLLECTIVITY_COPILOTE", "A local authority as co-pilot (« copilote »)."),
        ("PORTEUR", "The body that receives the money (« porteur »)."),
        ("COPIL", "A steering committee (« COPIL »)."),
        ("ROADMAP", "An adopted roadmap (« feuille de route »)."),
    ],
};

const COPILOTE: &str = "EXISTS (SELECT 1 FROM seat cs JOIN partner cp ON cp.id = cs.partner_id WHERE cs.site_id = {t}.id \
     AND cs.kind = 'COPILOTE' AND cs.ends_on IS NULL AND cs.deleted_at IS NULL AND cp.kind IN ({kinds}))";

/// Each requirement with the condition under which it is met.
fn conditions() -> [(&'static str, String); 9] {
    let copilote = |kinds: &str| COPILOTE.replace("{kinds}", kinds);
    [
        ("CODE", "{t}.code IS NOT NULL".to_owned()),
        (
            "LABEL_MILESTONE",
            "EXISTS (SELECT 1 FROM site_milestone cm WHERE cm.site_id = {t}.id AND cm.kind = 'LABEL')".to_owned(),
        ),
        (
            "PILOT_DEPARTEMENT",
            "EXISTS (SELECT 1 FROM site_departement cd WHERE cd.site_id = {t}.id AND cd.pilot)".to_owned(),
        ),
        ("QPV", "EXISTS (SELECT 1 FROM site_qpv cq WHERE cq.site_id = {t}.id AND cq.ends_on IS NULL)".to_owned()),
        ("STATE_COPILOTE", copilote("'PREFECTURE', 'DDETS', 'DREETS', 'ANCT'")),
        ("COLLECTIVITY_COPILOTE", copilote("'COMMUNE', 'EPCI', 'METROPOLE', 'DEPARTEMENT', 'REGION'")),
        (
            "PORTEUR",
            "EXISTS (SELECT 1 FROM seat cs WHERE cs.site_id = {t}.id AND cs.kind = 'PORTEUR' AND cs.ends_on IS NULL \
             AND cs.deleted_at IS NULL)"
                .to_owned(),
        ),
        (
            "COPIL",
            "EXISTS (SELECT 1 FROM governance_body cb WHERE cb.site_id = {t}.id AND cb.kind = 'COPIL' \
             AND cb.deleted_at IS NULL)"
                .to_owned(),
        ),
        (
            "ROADMAP",
            "EXISTS (SELECT 1 FROM roadmap cr WHERE cr.site_id = {t}.id AND cr.status = 'ADOPTED' \
             AND cr.deleted_at IS NULL)"
                .to_owned(),
        ),
    ]
}

/// Appends a JSON list of what is missing.
pub fn missing(sql: &mut Sql, alias: &str) {
    let parts: Vec<String> = conditions()
        .iter()
        .map(|(name, met)| format!("CASE WHEN {} THEN '' ELSE ',\"{name}\"' END", met.replace("{t}", alias)))
        .collect();
    sql.push("('[' || ltrim(").push(&parts.join(" || ")).push(", ',') || ']')");
}
