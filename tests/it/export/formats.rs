//! Each format holds what the list of GraphQL answers to the same caller under the same filter.

use std::collections::BTreeMap;

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Decimal128Type, Float64Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType, TimeUnit};
use chrono::{DateTime, Days, NaiveDate, SecondsFormat};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::{Value, json};
use tests::world::Kind;
use tests::{GrantedSites, Persona, TestApp, on_both};

use super::{Download, file, filtered};
use crate::writes::known;

/// Each list with its columns, as GraphQL selects them.
const LISTS: [(&str, &str, &str); 5] = [
    (
        "actions",
        "ActionFilter",
        "id title description pillar categories innovative status startsOn endsOn audiences romeCodes published \
         cancelReason reopenReason sourceUpdatedAt classification site { id code name } axis { id label } \
         lead { id name siret } qpvs(first: 100) { nodes { code } } source { system externalId } version createdAt \
         updatedAt",
    ),
    (
        "sites",
        "SiteFilter",
        "id code name scale wave waveProvenance status statusReason programme audiencePolicy audiences audienceNote \
         contratVilleCodes successorNote recordedActionCount declaredActionCount communes { code } epcis { siren } \
         departements { code } pilotDepartements { code } qpvs(first: 100) { nodes { code } } \
         source { system externalId } version createdAt updatedAt",
    ),
    (
        "qpvs",
        "QpvFilter",
        "id code name generation validFrom validTo areaHa centroid { lon lat } departement { code } region { code } \
         communes { code } source { system externalId } version createdAt updatedAt",
    ),
    (
        "partners",
        "PartnerFilter",
        "id name kind website siret siren rna safirCode nafCode status commune { code name } departement { code } \
         mergedInto { id } source { system externalId } version createdAt updatedAt",
    ),
    (
        "figures",
        "FigureFilter",
        "id subject indicator value unit period perimeter pillar source asOf status approximate note \
         site { id code } qpv { code } commune { code } epci { siren } action { id } version createdAt updatedAt",
    ),
];

/// What a caller lists, page by page, in the order of ids.
async fn listed(persona: &Persona<'_>, list: &str, filter: &Value) -> Vec<Value> {
    let (_, ty, columns) = LISTS.iter().find(|(name, ..)| *name == list).expect("a list");
    let document = format!(
        "query ($filter: {ty}, $after: String) {{ list: {list}(first: 100, after: $after, filter: $filter) {{ \
         pageInfo {{ hasNextPage endCursor }} nodes {{ {columns} }} }} }}"
    );
    let (mut nodes, mut after) = (Vec::new(), Value::Null);
    loop {
        let page = persona.query(&document, json!({ "filter": filter, "after": after })).await;
        nodes.extend_from_slice(page.list("/list/nodes"));
        if page.data("/list/pageInfo/hasNextPage") == &json!(false) {
            break;
        }
        after = page.data("/list/pageInfo/endCursor").clone();
    }
    for node in &mut nodes {
        if let Some(qpvs) = node.get_mut("qpvs") {
            *qpvs = qpvs["nodes"].take();
        }
    }
    nodes.sort_by_key(|node| node["id"].as_str().expect("an id").to_owned());
    nodes
}

/// What a node holds under the name of a column: `siteCode` is `code` of `site`.
fn held(node: &Value, column: &str) -> Value {
    let plain = |value: &Value| match value {
        Value::Array(items) => items
            .iter()
            .map(|item| item.as_object().and_then(|item| item.values().next()).unwrap_or(item).clone())
            .collect(),
        value => value.clone(),
    };
    if let Some(value) = node.get(column) {
        return plain(value);
    }
    let fields = node.as_object().expect("an object");
    let found = fields.iter().find_map(|(name, value)| Some((value, column.strip_prefix(name.as_str())?)));
    let (inner, rest) = found.unwrap_or_else(|| panic!("no field for {column}"));
    let rest = format!("{}{}", rest[..1].to_lowercase(), &rest[1..]);
    inner.get(&rest).cloned().unwrap_or(Value::Null)
}

type Rows = Vec<BTreeMap<String, Value>>;

/// The nodes laid out in columns.
fn laid_out(nodes: &[Value], columns: &[String]) -> Rows {
    let row = |node| columns.iter().map(|column| (column.clone(), held(node, column))).collect();
    nodes.iter().map(row).collect()
}

fn csv_of(download: &Download) -> (Vec<String>, Vec<Vec<String>>) {
    let mut reader = csv::Reader::from_reader(download.bytes.as_ref());
    let names = reader.headers().expect("a head").iter().map(str::to_owned).collect();
    let rows = reader.records().map(|row| row.expect("a row").iter().map(str::to_owned).collect());
    (names, rows.collect())
}

/// A value as a cell of CSV shows it.
fn as_cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Number(number) if number.is_f64() => number.as_f64().expect("a number").to_string(),
        Value::Array(items) => items.iter().map(as_cell).collect::<Vec<_>>().join("|"),
        value => value.to_string(),
    }
}

fn parquet_of(download: &Download) -> (Vec<(String, DataType)>, Rows) {
    let builder = ParquetRecordBatchReaderBuilder::try_new(download.bytes.clone()).expect("Parquet");
    let fields = builder.schema().fields().iter();
    let fields: Vec<_> = fields.map(|field| (field.name().clone(), field.data_type().clone())).collect();
    let mut rows = Rows::new();
    for batch in builder.build().expect("a reader") {
        let batch = batch.expect("rows");
        let row =
            |row| fields.iter().map(|(name, _)| (name.clone(), arrow_value(&batch, name, row))).collect();
        rows.extend((0..batch.num_rows()).map(row));
    }
    (fields, rows)
}

fn arrow_value(batch: &RecordBatch, name: &str, row: usize) -> Value {
    let array = batch.column_by_name(name).expect("a column");
    if array.is_null(row) {
        return Value::Null;
    }
    match array.data_type() {
        DataType::Utf8 => json!(array.as_string::<i32>().value(row)),
        DataType::Int64 => json!(array.as_primitive::<Int64Type>().value(row)),
        DataType::Float64 => json!(array.as_primitive::<Float64Type>().value(row)),
        DataType::Boolean => json!(array.as_boolean().value(row)),
        DataType::Decimal128(20, 4) => {
            let value = array.as_primitive::<Decimal128Type>().value(row);
            json!(rust_decimal::Decimal::from_i128_with_scale(value, 4).normalize().to_string())
        }
        DataType::Date32 => {
            let days = u64::try_from(array.as_primitive::<Date32Type>().value(row)).expect("after 1970");
            json!((NaiveDate::default() + Days::new(days)).to_string())
        }
        DataType::Timestamp(TimeUnit::Microsecond, Some(zone)) => {
            assert_eq!(zone.as_ref(), "UTC");
            let at =
                DateTime::from_timestamp_micros(array.as_primitive::<TimestampMicrosecondType>().value(row));
            json!(at.expect("an instant").to_rfc3339_opts(SecondsFormat::AutoSi, true))
        }
        DataType::List(_) => {
            let texts = array.as_list::<i32>().value(row);
            texts.as_string::<i32>().iter().map(|text| json!(text)).collect()
        }
        other => panic!("{name} is {other}"),
    }
}

/// Compares every format of a list with the nodes.
async fn compare(app: &TestApp, persona: &Persona<'_>, list: &str, filter: &Value) -> usize {
    let nodes = listed(persona, list, filter).await;
    let path = |format: &str| filtered(&format!("{list}.{format}"), filter);
    let ndjson = file(app, persona, &path("ndjson")).await;
    let lines: Vec<Value> =
        ndjson.text().lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(lines, nodes, "{list}.ndjson");

    let (columns, rows) = csv_of(&file(app, persona, &path("csv")).await);
    let expected = laid_out(&nodes, &columns);
    let cells = expected.iter().map(|row| columns.iter().map(|name| as_cell(&row[name])).collect::<Vec<_>>());
    assert_eq!(rows, cells.collect::<Vec<_>>(), "{list}.csv");

    let (fields, rows) = parquet_of(&file(app, persona, &path("parquet")).await);
    assert_eq!(fields.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>(), columns);
    assert_eq!(rows, emptied(expected.clone(), &fields), "{list}.parquet");

    if ["sites", "qpvs"].contains(&list) {
        let geojson = file(app, persona, &path("geojson")).await;
        let collection: geojson::FeatureCollection = geojson.text().parse().expect("a FeatureCollection");
        let properties = collection.features.iter().map(|feature| {
            feature.properties.clone().expect("properties").into_iter().collect::<BTreeMap<_, _>>()
        });
        assert_eq!(properties.collect::<Rows>(), emptied(expected, &fields), "{list}.geojson");
    }
    nodes.len()
}

/// A relation to many that is not read is an empty list.
fn emptied(mut rows: Rows, fields: &[(String, DataType)]) -> Rows {
    let lists: Vec<_> = fields.iter().filter(|(_, ty)| matches!(ty, DataType::List(_))).collect();
    for row in &mut rows {
        for (name, _) in &lists {
            if row[name].is_null() {
                row.insert(name.clone(), json!([]));
            }
        }
    }
    rows
}

on_both!(every_file_holds_what_the_list_answers, Small, async |app| {
    let partner = app.partner("FRANCE_TRAVAIL", GrantedSites::Codes(&["cde-901", "cde-902"])).await;
    let personas = [
        app.public(),
        app.prefecture(&["69", "59"]),
        app.collectivite(&["200046977"]),
        partner.clone(),
        partner.scopes(&[]),
        app.anct(),
    ];
    let mut counts = BTreeMap::new();
    for persona in &personas {
        for (list, ..) in LISTS {
            let count = compare(app, persona, list, &Value::Null).await;
            counts.entry(list).or_insert_with(Vec::new).push(count);
        }
    }
    assert!(counts["actions"][0] < counts["actions"][5] && counts["actions"][0] > 0, "{counts:?}");
    assert!(counts["sites"][3] > 0 && counts["qpvs"][0] == 4, "{counts:?}");
});

on_both!(a_filter_narrows_a_file_as_it_does_the_list, Small, async |app| {
    let anct = app.anct();
    let all = compare(app, &anct, "actions", &Value::Null).await;
    let filters = [
        (
            "actions",
            json!({ "status": { "in": ["PLANNED", "COMPLETED"] }, "title": { "contains": "ATELIER" } }),
        ),
        (
            "actions",
            json!({ "site": { "code": { "eq": "CDE-901" } }, "not": { "published": { "eq": true } } }),
        ),
        ("sites", json!({ "departement": { "eq": "69" } })),
        ("qpvs", json!({ "generation": { "eq": "QPV_2024" } })),
        ("partners", json!({ "siren": { "eq": "200046977" } })),
        ("figures", json!({ "indicator": { "eq": "BENEFICIARY_COUNT" } })),
    ];
    for (list, filter) in filters {
        let found = compare(app, &anct, list, &filter).await;
        assert!(found > 0 && found < all, "{list} {filter}: {found}");
    }
    // what the public may not read is no value to compare with
    assert_eq!(compare(app, &app.public(), "partners", &json!({ "siren": { "eq": "200046977" } })).await, 0);
    assert_eq!(
        compare(app, &anct, "actions", &json!({ "id": { "in": [] } })).await,
        0,
        "a file without rows"
    );
});

on_both!(what_was_deleted_is_in_no_file, Small, async |app| {
    let deleted = [
        ("sites", known(Kind::Site, 5)),
        ("qpvs", known(Kind::Qpv, 5)),
        ("partners", known(Kind::Partner, 8)),
        ("actions", known(Kind::Action, 145)),
    ];
    for (list, id) in deleted {
        let text = file(app, &app.anct(), &format!("{list}.ndjson")).await;
        assert!(!text.text().contains(&id), "{list}");
        assert!(text.text().contains(id.split_once('_').expect("an id").0), "{list} has other rows");
    }
});

on_both!(no_person_is_in_any_file, Small, async |app| {
    let names = app.anct().ask("{ referents { nodes { firstName lastName email phone } } }").await;
    let people: Vec<String> = names
        .list("/referents/nodes")
        .iter()
        .flat_map(|node| node.as_object().expect("an object").values())
        .filter_map(|value| value.as_str().map(str::to_owned))
        .collect();
    assert!(people.len() >= 4, "{names}");
    for (list, ..) in LISTS {
        let text = file(app, &app.anct(), &format!("{list}.ndjson")).await;
        for person in &people {
            assert!(!text.text().contains(person.as_str()), "{list}: {person}");
        }
    }
});

on_both!(the_map_shows_outlines_of_qpvs_and_where_sites_work, Small, async |app| {
    let qpvs: geojson::FeatureCollection =
        file(app, &app.public(), "qpvs.geojson").await.text().parse().expect("a FeatureCollection");
    let listed = app.public().ask("{ qpvs { nodes { id geometry } } }").await;
    let mut outlines = 0;
    for feature in &qpvs.features {
        let id = feature.property("id").expect("an id");
        let node = listed.list("/qpvs/nodes").iter().find(|node| &node["id"] == id).expect("a node");
        assert_eq!(json!(feature.geometry), node["geometry"]);
        outlines += usize::from(feature.geometry.is_some());
    }
    assert!(outlines > 0 && outlines < qpvs.features.len(), "with and without outline: {outlines}");
    let sites: geojson::FeatureCollection =
        file(app, &app.public(), "sites.geojson").await.text().parse().expect("a FeatureCollection");
    let asked = "{ sites { nodes { id qpvs(first: 100) { nodes { centroid { lon lat } } } } } }";
    let listed = app.public().ask(asked).await;
    for feature in &sites.features {
        let id = feature.property("id").expect("an id");
        let node = listed.list("/sites/nodes").iter().find(|node| &node["id"] == id).expect("a node");
        let points = node["qpvs"]["nodes"].as_array().expect("a list").iter();
        let points: Vec<Value> = points
            .filter(|qpv| !qpv["centroid"].is_null())
            .map(|qpv| json!([qpv["centroid"]["lon"], qpv["centroid"]["lat"]]))
            .collect();
        let expected = match points.len() {
            0 => Value::Null,
            _ => json!({ "type": "MultiPoint", "coordinates": points }),
        };
        assert_eq!(json!(feature.geometry), expected);
    }
    assert!(sites.features.iter().any(|feature| feature.geometry.is_some()));
});

on_both!(a_file_says_what_it_is, Small, async |app| {
    for (name, media_type) in [
        ("actions.csv", "text/csv; charset=utf-8; header=present"),
        ("actions.ndjson", "application/x-ndjson"),
        ("actions.parquet", "application/vnd.apache.parquet"),
        ("qpvs.geojson", "application/geo+json"),
    ] {
        let download = file(app, &app.public(), name).await;
        assert_eq!(download.header("content-type"), media_type);
        let saved = format!("attachment; filename=\"2023-06-12-{name}\"");
        assert_eq!(download.header("content-disposition"), saved);
        assert_eq!(download.header("cache-control"), "private, no-cache");
        assert_eq!(download.header("x-content-type-options"), "nosniff");
    }
});
