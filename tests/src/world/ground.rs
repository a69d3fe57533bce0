//! Territories and neighbourhoods.

use cites::text::fold;
use entity::enums::{LineageKind, Provenance, QpvGeneration, SiteQpvStatus};
use entity::{
    commune, contrat_ville, departement, epci, qpv, qpv_commune, qpv_lineage, qpv_outline, region, site_qpv,
};

use super::{Kind, World, day, id, row};

pub(super) fn add(world: &mut World) {
    territories(world);
    qpvs(world);
    links(world);
}

fn territories(world: &mut World) {
    let regions = [("84", "Auvergne-Rhône-Alpes"), ("32", "Hauts-de-France"), ("11", "Île-de-France")];
    world.regions.extend(regions.map(|(code, name)| region::Model {
        code: code.to_owned(),
        name: name.to_owned(),
        name_search: fold(name),
    }));
    let departements = [
        ("69", "Rhône", "84"),
        ("38", "Isère", "84"),
        ("02", "Aisne", "32"),
        ("59", "Nord", "32"),
        ("93", "Seine-Saint-Denis", "11"),
    ];
    world.departements.extend(departements.map(|(code, name, region)| departement::Model {
        code: code.to_owned(),
        name: name.to_owned(),
        name_search: fold(name),
        region_code: region.to_owned(),
    }));
    let epcis = [("200046977", "Métropole de Lyon", "69"), ("200040715", "Grenoble-Alpes-Métropole", "38")];
    world.epcis.extend(epcis.map(|(siren, name, departement)| epci::Model {
        siren: siren.to_owned(),
        name: name.to_owned(),
        name_search: fold(name),
        kind: "METRO".to_owned(),
        departement_code: Some(departement.to_owned()),
        population: None,
    }));
    let communes = [
        ("69256", "Vaulx-en-Velin", "69", "84", Some("200046977")),
        ("38151", "Échirolles", "38", "84", Some("200040715")),
        ("02691", "Saint-Quentin", "02", "32", None),
        ("59350", "Lille", "59", "32", None),
        ("93008", "Bobigny", "93", "11", None),
    ];
    world.communes.extend(communes.map(|(code, name, departement, region, epci)| commune::Model {
        code: code.to_owned(),
        name: name.to_owned(),
        name_search: fold(name),
        kind: "COM".to_owned(),
        parent_code: None,
        departement_code: Some(departement.to_owned()),
        region_code: Some(region.to_owned()),
        epci_siren: epci.map(str::to_owned),
        population: Some(10_000),
        successor_code: None,
        valid_to: None,
    }));
    world.contrats.push(contrat_ville::Model {
        code: "CV125".to_owned(),
        name: "Grenoble".to_owned(),
        name_search: fold("Grenoble"),
        territory_code: Some("200040715".to_owned()),
        departement_code: Some("38".to_owned()),
        generation: 2015,
    });
}

/// Number, code, generation, name, département, region, commune, and whether it is a tombstone.
type Neighbourhood =
    (u16, &'static str, QpvGeneration, &'static str, &'static str, &'static str, &'static str, bool);

const QPVS: [Neighbourhood; 5] = [
    (1, "QP069018", QpvGeneration::Qpv2015, "Grande Île", "69", "84", "69256", false),
    (2, "QP059001", QpvGeneration::Qpv2015, "Bois Blancs", "59", "32", "59350", false),
    (3, "QN06916M", QpvGeneration::Qpv2024, "Grande Île", "69", "84", "69256", false),
    (4, "QN05901I", QpvGeneration::Qpv2024, "Bois Blancs", "59", "32", "59350", false),
    (5, "QN06999N", QpvGeneration::Qpv2024, "Effacé", "69", "84", "69256", true),
];

fn qpvs(world: &mut World) {
    for (n, code, generation, name, departement, region, commune, is_deleted) in QPVS {
        let is_old = generation == QpvGeneration::Qpv2015;
        let mut row = row!(qpv, id(Kind::Qpv, n), {
            code: code.to_owned(),
            generation: generation,
            name: name.to_owned(),
            name_search: fold(name),
            departement_code: Some(departement.to_owned()),
            region_code: Some(region.to_owned()),
            centroid_lon: (!is_old).then(|| f64::from(n)),
            centroid_lat: (!is_old).then_some(45.5),
            valid_from: day(if is_old { "2015-01-01" } else { "2024-01-01" }),
            valid_to: is_old.then(|| day("2023-12-31")),
            area_ha: (!is_old).then(|| f64::from(n) * 10.0),
        });
        row.deleted_at = is_deleted.then_some(row.updated_at);
        world.qpv_communes.push(qpv_commune::Model { qpv_id: row.id, commune_code: commune.to_owned() });
        if !is_old {
            world.outlines.push(qpv_outline::Model { qpv_id: row.id, geojson: square(n) });
        }
        world.qpvs.push(row);
    }
}

/// A square of one degree around the centroid.
fn square(n: u16) -> String {
    let (west, east) = (f64::from(n) - 0.4, f64::from(n) + 0.4);
    format!(
        r#"{{"type":"Polygon","coordinates":[[[{west},45.1],[{east},45.1],[{east},45.9],[{west},45.9],[{west},45.1]]]}}"#
    )
}

fn links(world: &mut World) {
    let lineage = [(1, 3, LineageKind::Modified), (2, 4, LineageKind::Unchanged), (2, 3, LineageKind::Split)];
    world.lineage.extend((1..).zip(lineage).map(|(n, (from, to, kind))| qpv_lineage::Model {
        id: id(Kind::Link, n),
        from_qpv_id: id(Kind::Qpv, from),
        to_qpv_id: id(Kind::Qpv, to),
        kind,
        provenance: Provenance::Derived,
    }));
    // the third lies in two sites
    let of_sites = [(1, 1), (1, 3), (1, 5), (2, 2), (2, 3), (2, 4), (4, 3)];
    world.site_qpvs.extend((100..).zip(of_sites).map(|(n, (site, qpv))| site_qpv::Model {
        id: id(Kind::Link, n),
        site_id: id(Kind::Site, site),
        qpv_id: id(Kind::Qpv, qpv),
        status: SiteQpvStatus::Labelled,
        starts_on: None,
        ends_on: None,
        provenance: Provenance::Derived,
    }));
}
