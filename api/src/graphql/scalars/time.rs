//! Days, periods and instants.

use async_graphql::Value;
use chrono::{DateTime, Datelike, NaiveDate, Utc};

use super::code::{compact, number};
use super::{Parsed, PartialDate, Spec};

/// Where RFC 3339 is published.
const RFC_3339: Option<&str> = Some("https://www.rfc-editor.org/rfc/rfc3339");

pub(super) static DATE: Spec = Spec {
    name: "Date",
    description: "Day (« date ») YYYY-MM-DD, for example \"2022-03-14\", from 2000 to 2099, read in \
                  Europe/Paris. The full-date of RFC 3339.",
    specified_by: RFC_3339,
    expected: "a day YYYY-MM-DD from 2000 to 2099, for example 2022-03-14",
    read: |value| {
        let date = day(compact(value)?.as_bytes())?;
        (2000..=2099).contains(&date.year()).then_some(Parsed::Date(date))
    },
};

pub(super) static PARTIAL_DATE: Spec = Spec {
    name: "PartialDate",
    description: "Year, quarter, month or day (« date partielle »), as precise as it is known: \"2022\", \
                  \"2022-Q1\", \"2022-03\", \"2022-03-14\", from 2000 to 2099. The French quarter \"T4 \
                  2023\" is read too. Compared as an interval: \"2022\" is neither before nor after \
                  \"2022-03\".",
    specified_by: None,
    expected: "a year, quarter, month or day from 2000 to 2099, for example 2022, 2022-Q1, 2022-03, \
               2022-03-14 or T1 2022",
    read: |value| {
        let Value::String(text) = value else { return None };
        text.parse::<PartialDate>().ok().map(Parsed::Period)
    },
};

pub(super) static DATE_TIME: Spec = Spec {
    name: "DateTime",
    description: "Instant (« horodatage ») of RFC 3339, written in UTC, to the microsecond, for example \
                  \"2023-06-12T08:30:00Z\". Input: any offset; finer fractions are cut.",
    specified_by: RFC_3339,
    expected: "an instant with its offset, for example 2023-06-12T08:30:00Z",
    read: |value| match value {
        Value::String(text) => instant(text.trim()).map(Parsed::Instant),
        _ => None,
    },
};

/// A day written YYYY-MM-DD, of any year.
pub(super) fn day(text: &[u8]) -> Option<NaiveDate> {
    let [year @ .., b'-', m1, m2, b'-', d1, d2] = text else { return None };
    let year = i32::try_from(number(year, 4)?).ok()?;
    NaiveDate::from_ymd_opt(year, number(&[*m1, *m2], 2)?, number(&[*d1, *d2], 2)?)
}

/// The microsecond is what both databases keep. The offset may push the first or last day of RFC 3339's range
/// out of four-digit years: such an instant could not be written back.
fn instant(text: &str) -> Option<DateTime<Utc>> {
    let given = DateTime::parse_from_rfc3339(text).ok()?;
    let instant = DateTime::from_timestamp_micros(given.timestamp_micros())?;
    (1..=9999).contains(&instant.year()).then_some(instant)
}
