//! CSV as spreadsheets read it.

use serde_json::json;
use tests::world::Kind;
use tests::{TestApp, on_both};

use super::{file, filtered};
use crate::writes::{known, write};

async fn titled(app: &TestApp, title: &str) -> String {
    let action = json!({ "site": known(Kind::Site, 1), "title": title });
    write(&app.anct(), "createAction", action).await.id()
}

on_both!(a_cell_that_would_be_computed_is_a_text, Small, async |app| {
    let titles = [
        "=HYPERLINK(\"http://x\")",
        "+33 1",
        "-2 jours",
        "@SUM(A1)",
        "-12,5",
        "sans = formule",
        "a;\"b\",c",
        "a;\"=cmd|' /C calc'!A0;b",
    ];
    for title in titles {
        titled(app, title).await;
    }
    let path = filtered("actions.csv", &json!({ "title": { "in": titles } }));
    let download = file(app, &app.anct(), &path).await;
    let mut reader = csv::Reader::from_reader(download.bytes.as_ref());
    let shown: Vec<String> = reader.records().map(|row| row.expect("a row")[1].to_owned()).collect();
    let expected = [
        "'=HYPERLINK(\"http://x\")",
        "'+33 1",
        "'-2 jours",
        "'@SUM(A1)",
        "-12,5",
        "sans = formule",
        "a;\"b\",c",
        "a;'\"=cmd|' /C calc'!A0;b",
    ];
    assert_eq!(shown, expected);
    assert!(download.text().contains(",\"a;\"\"b\"\",c\","), "quoted as RFC 4180 says");
    assert_eq!(download.text().matches("\r\n").count(), titles.len() + 1);
    assert_eq!(download.text().matches('\n').count(), titles.len() + 1);
});

on_both!(a_french_spreadsheet_gets_what_it_expects, Small, async |app| {
    let plain = file(app, &app.public(), "qpvs.csv").await;
    assert!(plain.text().starts_with("id,code,name,generation,"));
    let french = file(app, &app.public(), "qpvs.csv?bom=true&separator=%3B&decimal=,").await;
    assert!(french.text().starts_with("\u{feff}id;code;name;generation;"));
    let mut reader = csv::ReaderBuilder::new().delimiter(b';').from_reader(&french.bytes[3..]);
    let lon =
        reader.headers().expect("a head").iter().position(|name| name == "centroidLat").expect("a column");
    let french: Vec<String> = reader.records().map(|row| row.expect("a row")[lon].to_owned()).collect();
    let mut reader = csv::Reader::from_reader(plain.bytes.as_ref());
    let plain: Vec<String> = reader.records().map(|row| row.expect("a row")[lon].to_owned()).collect();
    assert!(plain.iter().any(|number| number.contains('.')), "{plain:?}");
    assert_eq!(french, plain.iter().map(|number| number.replace('.', ",")).collect::<Vec<_>>());
    let tabs = file(app, &app.public(), "qpvs.csv?separator=tab").await;
    assert!(tabs.text().starts_with("id\tcode\t"));
});
