//! Every example of the format rules, valid and invalid, and the borders between them.

use async_graphql::Value;
use serde_json::json;

use super::*;

fn value(json: serde_json::Value) -> Value {
    Value::from_json(json).unwrap()
}

fn read(scalar: Scalar, text: &str) -> Result<Parsed, FormatError> {
    scalar.parse(&Value::from(text))
}

fn assert_reads(scalar: Scalar, given: &str, canonical: &str) {
    assert_eq!(read(scalar, given), Ok(Parsed::Text(canonical.to_owned())), "{scalar:?} {given:?}");
}

fn assert_refuses(scalar: Scalar, given: &[serde_json::Value]) {
    let refusal = FormatError { scalar: scalar.name(), expected: scalar.expected() };
    for json in given {
        assert_eq!(scalar.parse(&value(json.clone())), Err(refusal), "{scalar:?} {json}");
    }
}

const CANONICAL: &[(Scalar, &[&str])] = &[
    (Scalar::Siren, &["200046977", "356000000"]),
    (Scalar::Siret, &["73282932000074", "35600000009075", "35600000000048", "20004071500019"]),
    (Scalar::Rna, &["W691234567", "W2A1000119", "W9R1000088"]),
    (
        Scalar::CommuneCode,
        &["69256", "2A004", "97411", "69123", "13055", "75056", "95680", "98735", "01001", "2B033"],
    ),
    (
        Scalar::DepartementCode,
        &["01", "2A", "69", "974", "19", "21", "2B", "95", "971", "978", "984", "986", "989"],
    ),
    (
        Scalar::RegionCode,
        &[
            "84", "01", "02", "03", "04", "06", "11", "24", "27", "28", "32", "44", "52", "53", "75", "76",
            "93", "94",
        ],
    ),
    (Scalar::EpciSiren, &["200040715", "244200770"]),
    (
        Scalar::QpvCode,
        &[
            "QP093028", "QP02A001", "QP971001", "QP987001", "QN06916M", "QN02A02M", "QN97651C", "QN98701N",
            "QN06917I",
        ],
    ),
    (Scalar::SiteCode, &["cde-024"]),
    (Scalar::ContratVilleCode, &["CV125", "CN03805M", "CN02A01M", "CN97401M"]),
    (Scalar::RomeCode, &["M1607", "A1101", "N4403"]),
    (Scalar::NafCode, &["7810Z"]),
    (Scalar::SafirCode, &["69050"]),
    (Scalar::Phone, &["+33199001234", "+3319900", "+123456789012345"]),
];

#[test]
fn canonical_codes_read_as_themselves() {
    for (scalar, codes) in CANONICAL {
        for code in *codes {
            assert_reads(*scalar, code, code);
        }
    }
}

#[test]
fn spaces_and_case_are_free() {
    for (scalar, codes) in CANONICAL {
        for code in *codes {
            let spaced: String = code.chars().flat_map(|c| [c, ' ']).collect();
            for given in [code.to_lowercase(), code.to_uppercase(), format!("\t {spaced}\u{A0}\n")] {
                assert_reads(*scalar, &given, code);
            }
        }
    }
}

#[test]
fn other_spellings_become_canonical() {
    assert_reads(Scalar::SiteCode, "CDE-024", "cde-024");
    assert_reads(Scalar::NafCode, "78.10Z", "7810Z");
    assert_reads(Scalar::NafCode, "78.10 z", "7810Z");
    assert_reads(Scalar::Phone, "01 99 00 12 34", "+33199001234");
    assert_reads(Scalar::Siret, "732 829 320\u{202F}00074", "73282932000074");
}

#[test]
fn malformed_codes_are_refused() {
    let cases: &[(Scalar, &[&str])] = &[
        (Scalar::Siren, &["200034582", "000000000", "20004697", "2000469770", "20004697A"]),
        (
            Scalar::Siret,
            &[
                "20003452800041",
                "35600000009076",
                "00000000000000",
                "73282932000075",
                "732829320",
                "7328293200007A",
            ],
        ),
        (Scalar::Rna, &["691234567", "WA91234567", "W6-1234567", "W69123456", "W6912345678", "W69123456A"]),
        (
            Scalar::CommuneCode,
            &["20004", "96001", "1053", "00001", "2C004", "97901", "98501", "692566", "6925A", "6925"],
        ),
        // The municipal arrondissements of Lyon, Marseille and Paris.
        (Scalar::CommuneCode, &["69381", "69389", "13201", "13216", "75101", "75120"]),
        (Scalar::DepartementCode, &["1", "20", "96", "00", "97", "979", "985", "069", "2C"]),
        (Scalar::RegionCode, &["05", "1", "00", "084", "82"]),
        (Scalar::EpciSiren, &["200040716"]),
        (
            Scalar::QpvCode,
            &["QP2A0001", "QN06916", "QN6916M", "QP09302", "QP020001", "QP986001", "QN069160", "QP093028M"],
        ),
        (Scalar::SiteCode, &["CDE-24", "cde024", "cde-0240", "cde-02A", "024"]),
        (Scalar::ContratVilleCode, &["CV12", "CV1250", "CN3805M", "CN03805", "CP03805M"]),
        (Scalar::RomeCode, &["O1101", "M160", "M16070", "1607M"]),
        (Scalar::NafCode, &["781Z", "7810", "78.1.0Z", "7.810Z", "78..10Z", "78100Z"]),
        (Scalar::SafirCode, &["9050", "690500", "6905A"]),
        (
            Scalar::Phone,
            &[
                "3949",
                "0099001234",
                "019900123",
                "01990012345",
                "+0199001234",
                "+331990",
                "+1234567890123456",
            ],
        ),
        (Scalar::Phone, &["01.99.00.12.34", "0033199001234", "+33 1 99 00 12 3a"]),
    ];
    for (scalar, codes) in cases {
        for code in *codes {
            assert_refuses(*scalar, &[json!(code)]);
        }
    }
}

#[test]
fn a_code_is_a_string_in_ascii_on_one_line() {
    for (scalar, codes) in CANONICAL {
        assert_refuses(
            *scalar,
            &[json!(null), json!(""), json!(" "), json!(69050), json!(true), json!([codes[0]]), json!({})],
        );
        let (head, tail) = codes[0].split_at(1);
        assert_refuses(*scalar, &[json!(format!("{head}\n{tail}")), json!(format!("{}é", codes[0]))]);
    }
    assert_refuses(Scalar::SafirCode, &[json!("６９０５０")]);
}

#[test]
fn one_key_in_ten_is_right() {
    for start in 1..1000 {
        let legal_unit = |key: u32| format!("{start:08}{key}");
        let keys: Vec<u32> = (0..10).filter(|key| read(Scalar::Siren, &legal_unit(*key)).is_ok()).collect();
        assert_eq!(keys.len(), 1, "{start}");
        let siret = |key: u32| format!("{}0001{key}", legal_unit(keys[0]));
        assert_eq!((0..10).filter(|key| read(Scalar::Siret, &siret(*key)).is_ok()).count(), 1, "{start}");
    }
}

#[test]
fn dates_are_days_of_the_calendar() {
    let day = |text: &str| Parsed::Date(text.parse().unwrap());
    for text in ["2022-03-14", "2024-02-29", "2000-01-01", "2099-12-31"] {
        assert_eq!(read(Scalar::Date, text), Ok(day(text)));
    }
    assert_eq!(read(Scalar::Date, " 2022-03-14 "), Ok(day("2022-03-14")));
    let refused = [
        "2022",
        "2022-Q1",
        "2022-03",
        "2023-02-29",
        "2022-3-14",
        "1999-12-31",
        "2100-01-01",
        "14/03/2022",
        "",
    ];
    assert_refuses(Scalar::Date, &refused.map(|text| json!(text)));
    assert_refuses(Scalar::Date, &[json!(20_220_314), json!(null)]);
}

#[test]
fn partial_dates_are_intervals() {
    for text in ["2022", "2022-Q1", "2022-03", "2022-03-14", "T4 2023", "T4-2023"] {
        let period = text.parse().unwrap();
        assert_eq!(read(Scalar::PartialDate, text), Ok(Parsed::Period(period)));
    }
    assert_refuses(
        Scalar::PartialDate,
        &[json!(2022), json!("été 2021"), json!("1999"), json!("2100"), json!(null)],
    );
}

#[test]
fn instants_are_utc_to_the_microsecond() {
    let cases = [
        ("2023-06-12T08:30:00Z", "2023-06-12T08:30:00.000000Z"),
        (" 2023-06-12T10:30:00+02:00 ", "2023-06-12T08:30:00.000000Z"),
        ("2023-06-12t08:30:00.1234569z", "2023-06-12T08:30:00.123456Z"),
        ("1969-12-31T23:59:59.9999999Z", "1969-12-31T23:59:59.999999Z"),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00.000000Z"),
        ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59.000000Z"),
    ];
    for (given, written) in cases {
        let Ok(Parsed::Instant(instant)) = read(Scalar::DateTime, given) else { panic!("{given}") };
        assert_eq!(instant.to_rfc3339_opts(chrono::SecondsFormat::Micros, true), written);
    }
    let refused =
        ["2023-06-12", "2023-06-12T08:30:00", "2023-06-12T08:30Z", "2023-06-12T25:00:00Z", "12/06/2023", ""];
    assert_refuses(Scalar::DateTime, &refused.map(|text| json!(text)));
    assert_refuses(
        Scalar::DateTime,
        &[json!("9999-12-31T23:59:59-01:00"), json!("0001-01-01T00:00:00+01:00")],
    );
    assert_refuses(Scalar::DateTime, &[json!(1_686_558_600), json!(null)]);
}

#[test]
fn big_integers_are_digits_or_a_number() {
    let max = i64::MAX.to_string();
    let cases = [(json!("1500000"), 1_500_000), (json!(" -1 "), -1), (json!(12), 12), (json!(max), i64::MAX)];
    for (given, int) in cases {
        assert_eq!(Scalar::BigInt.parse(&value(given)), Ok(Parsed::Int(int)));
    }
    let refused = ["", "-", "+1", "1.5", "1e3", "1 000", "1_000", "9223372036854775808", "--1"];
    assert_refuses(Scalar::BigInt, &refused.map(|text| json!(text)));
    assert_refuses(Scalar::BigInt, &[json!(1.5), json!(u64::MAX), json!(true), json!(null)]);
}

#[test]
fn decimals_are_exact() {
    let cases = [
        (json!("22.3"), "22.3"),
        (json!(22.3), "22.3"),
        (json!(31), "31"),
        (json!("31.00"), "31"),
        (json!("-0.50"), "-0.5"),
        (json!("-0"), "0"),
        (json!(0.000_000_1), "0.0000001"),
        (json!("0.1234567890123456789012345678"), "0.1234567890123456789012345678"),
    ];
    for (given, written) in cases {
        let Ok(Parsed::Decimal(decimal)) = Scalar::Decimal.parse(&value(given.clone())) else {
            panic!("{given}")
        };
        assert_eq!(decimal.to_string(), written);
    }
    let refused = ["", "-", "22,3", "1e3", ".5", "5.", "+1", "1_000", "1 000", "NaN", "1.2.3", "--1"];
    assert_refuses(Scalar::Decimal, &refused.map(|text| json!(text)));
    assert_refuses(
        Scalar::Decimal,
        &[json!("0.12345678901234567890123456789"), json!("99999999999999999999999999999")],
    );
    assert_refuses(Scalar::Decimal, &[json!(1e30), json!(true), json!(null)]);
}

#[test]
fn built_in_scalars_convert_nothing_but_integers() {
    let reads = [
        (Scalar::Id, json!("site_01"), Parsed::Text("site_01".to_owned())),
        (Scalar::Id, json!(4), Parsed::Text("4".to_owned())),
        (Scalar::Int, json!(2_147_483_647), Parsed::Int(2_147_483_647)),
        (Scalar::Int, json!(-2_147_483_648_i64), Parsed::Int(-2_147_483_648)),
        (Scalar::Float, json!(4.5), Parsed::Float(4.5)),
        (Scalar::Float, json!(4), Parsed::Float(4.0)),
        (Scalar::Boolean, json!(false), Parsed::Bool(false)),
        (Scalar::String, json!(" deux\nlignes "), Parsed::Text(" deux\nlignes ".to_owned())),
    ];
    for (scalar, given, parsed) in reads {
        assert_eq!(scalar.parse(&value(given)), Ok(parsed));
    }
    assert_refuses(Scalar::Id, &[json!(4.5), json!(true), json!("a\0b"), json!(null), json!(["a"])]);
    assert_refuses(
        Scalar::Int,
        &[json!(2_147_483_648_i64), json!(1.0), json!("1"), json!(true), json!(null)],
    );
    assert_refuses(Scalar::Float, &[json!("4.5"), json!(true), json!(null)]);
    assert_refuses(Scalar::Boolean, &[json!(0), json!("true"), json!(null)]);
    assert_refuses(Scalar::String, &[json!(1), json!(true), json!("a\0b"), json!(null), json!({})]);
    let name = Value::Enum(async_graphql::Name::new("ACTIVE"));
    assert!(Scalar::String.parse(&name).is_err() && Scalar::Boolean.parse(&name).is_err());
}

#[test]
fn geojson_is_checked_to_the_positions() {
    let square = json!([[[4.9, 45.7], [5.0, 45.7], [5.0, 45.8], [4.9, 45.7]]]);
    let reads = [
        json!({"type": "Point", "coordinates": [4.9267, 45.7796]}),
        json!({"type": "Point", "coordinates": [-180, 90, 162.5]}),
        json!({"type": "Polygon", "coordinates": square}),
        json!({"type": "Feature", "geometry": null, "properties": {"coordinates": 1}}),
        json!({"type": "Feature", "geometry": {"type": "Point", "coordinates": [0, 90]}, "properties": {}}),
        json!({"type": "FeatureCollection", "features": []}),
    ];
    for given in reads {
        assert_eq!(Scalar::GeoJson.parse(&value(given.clone())), Ok(Parsed::Json(given)));
    }
    let refused = [
        json!(null),
        json!("Point"),
        json!({}),
        json!({"type": "Circle", "coordinates": [4.9, 45.7]}),
        json!({"type": "Point"}),
        json!({"type": "Point", "coordinates": [4.9]}),
        json!({"type": "Point", "coordinates": []}),
        json!({"type": "Point", "coordinates": ["4.9", "45.7"]}),
        json!({"type": "Point", "coordinates": [45.7, 94.9]}),
        json!({"type": "Point", "coordinates": [180.1, 0]}),
        json!({"type": "Polygon", "coordinates": [4.9, 45.7]}),
        json!({"type": "GeometryCollection", "geometries": [{"type": "Point", "coordinates": [0, 91]}]}),
        json!({"type": "Feature", "geometry": {"type": "Point", "coordinates": [0, 91]}, "properties": null}),
    ];
    assert_refuses(Scalar::GeoJson, &refused);
}

#[test]
fn every_custom_scalar_is_described_once() {
    let mut names: Vec<&str> = Scalar::CUSTOM.iter().map(|scalar| scalar.name()).collect();
    assert_eq!(names.len(), 20);
    for scalar in Scalar::CUSTOM {
        let same = format!("{scalar:?}").eq_ignore_ascii_case(scalar.name());
        assert!(
            same && !scalar.description().contains("  ") && !scalar.expected().contains("  "),
            "{scalar:?}"
        );
        assert!(scalar.specified_by().is_none_or(|url| url.starts_with("https://")));
    }
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 20);
}

#[test]
fn a_refusal_says_what_is_expected_and_not_what_was_given() {
    let error = read(Scalar::Siret, "20003452800041").unwrap_err();
    assert_eq!(
        error.to_string(),
        "Siret: expected 14 digits with a valid Luhn key, for example 73282932000074"
    );
    assert_eq!(FormatError::CODE, "INVALID_FORMAT");
}
