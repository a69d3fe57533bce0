//! Priority neighbourhoods (« QPV ») of two generations, what became of them, and which one holds a point.

mod kept;
pub mod outline;
mod point;

use entity::{figure, qpv, qpv_commune, qpv_lineage, site_qpv};

use crate::db::Kind;
use crate::graphql::scalars::Scalar;
use crate::policy::Resource::Referential;
use crate::read::common::{enumeration, row_fields};
use crate::read::declare::{
    Field, Filter, Noun, by, column, computed, group, list, many, one, related, through,
};

pub use kept::KeptOutlines;
pub use point::{extras, needs_outlines};

/// The nouns of this folder.
pub fn nouns() -> Vec<Noun> {
    vec![
        noun(),
        lineage(
            "QpvPredecessor",
            "A « QPV » of 2015 that this one comes from.",
            qpv_lineage::Column::FromQpvId,
        ),
        lineage("QpvSuccessor", "A « QPV » of 2024 that comes from this one.", qpv_lineage::Column::ToQpvId),
    ]
}

fn noun() -> Noun {
    Noun::new(
        "Qpv",
        qpv::Entity,
        Referential,
        "A priority neighbourhood (« quartier prioritaire de la politique de la ville »), fixed by decree.",
    )
    .node("qpv")
    .root("qpvs", "Priority neighbourhoods (« QPV ») of both generations, by code.")
    .lookup("qpv", &["id", "code"])
    .fields(own_fields())
    .fields(row_fields!(qpv))
    .fields(related_fields())
    .filters([Filter {
        name: "commune",
        description: "One of its communes.",
        leaf: Scalar::CommuneCode.into(),
        exists: ("SELECT 1 FROM qpv_commune x WHERE x.qpv_id = {t}.id", "x.commune_code"),
    }])
    .ordered_by(&["code"])
}

fn own_fields() -> Vec<Field> {
    use qpv::Column;
    vec![
        column("code", Column::Code, Scalar::QpvCode, "Official code: QP… (2015) or QN… (2024).").sorted(),
        column("name", Column::Name, Scalar::String, "Name (« nom »); a label, never a key.")
            .searched(Column::NameSearch),
        column(
            "generation",
            Column::Generation,
            enumeration!(QpvGeneration),
            "Generation (« géographie prioritaire »).",
        )
        .sorted(),
        column(
            "validFrom",
            Column::ValidFrom,
            Scalar::Date,
            "First day of its legal life (« entrée en vigueur »).",
        ),
        column(
            "validTo",
            Column::ValidTo,
            Scalar::Date,
            "Last day of its legal life (« fin de validité »); null while in force.",
        ),
        column(
            "areaHa",
            Column::AreaHa,
            Scalar::Float,
            "Area in hectares (« superficie »), computed from the outline.",
        )
        .sorted(),
        group(
            "centroid",
            "GeoPoint",
            Some("centroid_lon"),
            vec![
                column("lon", Column::CentroidLon, Scalar::Float, "Longitude, WGS 84, decimal degrees."),
                column("lat", Column::CentroidLat, Scalar::Float, "Latitude, WGS 84, decimal degrees."),
            ],
            "A point inside it (« centroïde »); null where no outline is published.",
        ),
        computed(
            "geometry",
            Kind::Text,
            Scalar::GeoJson,
            |sql, _, alias| {
                sql.push("(SELECT o.geojson FROM qpv_outline o WHERE o.qpv_id = ").push(alias).push(".id)");
            },
            "Outline (« contour »), WGS 84; null where none is published. Without legal force.",
        )
        .raw_json()
        .nullable(),
    ]
}

fn related_fields() -> Vec<Field> {
    use qpv::Column;
    vec![
        one("departement", "Departement", Column::DepartementCode, "Its « département »."),
        one("region", "Region", Column::RegionCode, "Its region (« région »)."),
        list(
            "communes",
            through("Commune", qpv_commune::Column::QpvId, qpv_commune::Column::CommuneCode, true),
            "Communes (« communes ») it lies in.",
        ),
        list(
            "predecessors",
            by("QpvPredecessor", qpv_lineage::Column::ToQpvId),
            "Where it comes from, in 2015.",
        ),
        list("successors", by("QpvSuccessor", qpv_lineage::Column::FromQpvId), "What became of it, in 2024."),
        many(
            "sites",
            through("Site", site_qpv::Column::QpvId, site_qpv::Column::SiteId, false)
                .only("{l}.ends_on IS NULL"),
            "Sites (« cités de l'emploi ») that work there.",
        ),
        many(
            "perimeters",
            by("SiteQpv", site_qpv::Column::QpvId),
            "Links to the sites whose perimeter it is or was part of.",
        ),
        many(
            "actions",
            related("Action", |sql, action, key| {
                // an action without QPV is for all QPV of its site
                sql.push("(")
                    .push(action)
                    .push(".id IN (SELECT y.action_id FROM action_qpv y WHERE y.qpv_id = ");
                sql.push(key).push(") OR (").push(action);
                sql.push(".site_id IN (SELECT y.site_id FROM site_qpv y WHERE y.qpv_id = ").push(key);
                sql.push(
                    " AND y.ends_on IS NULL) AND NOT EXISTS (SELECT 1 FROM action_qpv y WHERE y.action_id = ",
                );
                sql.push(action).push(".id)))");
            }),
            "Actions for it; an action that names no « QPV » is for all of its site's, and listed under each of them, while \
             `actionStatistics` by QPV counts it under none.",
        ),
        many("figures", by("Figure", figure::Column::QpvId), "Figures about it (« chiffres »)."),
    ]
}

fn lineage(name: &'static str, description: &'static str, other: qpv_lineage::Column) -> Noun {
    use qpv_lineage::Column;
    Noun::new(name, qpv_lineage::Entity, Referential, description).fields([
        column("kind", Column::Kind, enumeration!(LineageKind), "What happened (« filiation »)."),
        column(
            "provenance",
            Column::Provenance,
            enumeration!(Provenance),
            "How sure the link is (« provenance »).",
        ),
        one("qpv", "Qpv", other, "The « QPV » at the other end."),
    ])
}
