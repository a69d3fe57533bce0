//! What files there are, and that no field is forgotten in them.

use std::collections::BTreeSet;

use super::*;
use crate::graphql::nouns;
use crate::read::declare::FieldKind;

/// Values that no column shows, and why.
const LEFT_OUT: [(&str, &str, &str); 2] = [
    ("Site", "completeness", "what is missing, which follows from the rest"),
    ("Qpv", "geometry", "the outline, which GeoJSON shows"),
];

#[test]
fn every_value_of_a_noun_is_a_column_or_left_out_for_a_reason() {
    let nouns = nouns();
    for list in &lists::ALL {
        let noun = nouns.iter().find(|noun| noun.name == list.noun).unwrap();
        let (document, set) = list.columns();
        let shown: BTreeSet<&str> =
            document.fields(&[set], &|_| true).iter().map(|field| field.name).collect();
        let is_value = |kind: &FieldKind| matches!(kind, FieldKind::Value(_) | FieldKind::Group { .. });
        let declared = noun.fields.iter().filter(|field| is_value(&field.kind)).map(|field| field.name);
        let missing: Vec<&str> = declared
            .filter(|name| !shown.contains(name) && !name.starts_with("viewerCan"))
            .filter(|name| !LEFT_OUT.iter().any(|(noun, field, _)| *noun == list.noun && field == name))
            .collect();
        assert_eq!(missing, [""; 0], "{}", list.name);
    }
}

#[test]
fn files_are_named_by_list_and_format() {
    for name in ["actions.csv", "sites.geojson", "qpvs.geojson", "figures.parquet", "partners.ndjson"] {
        assert_eq!(File::named(name).map(|file| file.name()).as_deref(), Some(name));
    }
    for name in ["actions.geojson", "referents.csv", "actions", "actions.CSV", "actions.csv.gz", ".csv", ""] {
        assert!(File::named(name).is_none(), "{name}");
    }
}

#[test]
fn parameters_are_read_or_refused_with_what_is_expected() {
    let read = |format, pairs: &[(&str, &str)]| {
        let pairs: Vec<(String, String)> =
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Options::read(format, &pairs)
    };
    let options = read(Format::Csv, &[("bom", "true"), ("separator", ";"), ("decimal", ",")]).unwrap();
    assert_eq!(options.csv, CsvOptions { bom: true, separator: b';', decimal: ',' });
    assert!(read(Format::Parquet, &[("filter", "{}")]).is_ok());
    for (format, pairs) in [
        (Format::Csv, vec![("bom", "1")]),
        (Format::Csv, vec![("separator", "|")]),
        (Format::Csv, vec![("decimal", "x")]),
        (Format::Csv, vec![("bom", "true"), ("bom", "true")]),
        (Format::Csv, vec![("filtre", "{}")]),
        (Format::Ndjson, vec![("bom", "true")]),
    ] {
        assert!(read(format, &pairs).unwrap_err().expected.is_some(), "{pairs:?}");
    }
}
