//! A date known to the year, the quarter, the month or the day.

use std::cmp::Ordering;
use std::str::FromStr;

use chrono::{Months, NaiveDate};

use super::code::{compact_text, number};
use super::{FormatError, Scalar, time};

/// A date as precise as it is known, and the days it may mean.
///
/// The order is that of intervals: one is less than another if its last day is before the other's first day.
/// Overlapping ones, such as `2022` and `2022-03`, are neither less, equal nor greater; so `end < start` is
/// true only of dates that are reversed for certain.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PartialDate {
    /// Canonical text: `2022`, `2022-Q1`, `2022-03` or `2022-03-14`.
    pub text: String,
    /// First day.
    pub from: NaiveDate,
    /// Last day, included.
    pub to: NaiveDate,
}

impl FromStr for PartialDate {
    type Err = FormatError;

    /// Reads the canonical text, and the French quarter `T4 2023` or `T4-2023`, with spaces and in any case.
    fn from_str(text: &str) -> Result<Self, FormatError> {
        read(compact_text(text)).ok_or(Scalar::PartialDate.refusal())
    }
}

impl PartialOrd for PartialDate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        if self == other {
            Some(Ordering::Equal)
        } else if self.to < other.from {
            Some(Ordering::Less)
        } else if other.to < self.from {
            Some(Ordering::Greater)
        } else {
            None
        }
    }
}

fn read(text: String) -> Option<PartialDate> {
    match text.as_bytes() {
        [b'T', quarter, b'-', year @ ..] | [b'T', quarter, year @ ..] | [year @ .., b'-', b'Q', quarter] => {
            read_quarter(year_of(year)?, *quarter)
        }
        [year @ .., b'-', _, _, b'-', _, _] => {
            year_of(year)?;
            let day = time::day(text.as_bytes())?;
            Some(PartialDate { text, from: day, to: day })
        }
        [year @ .., b'-', m1, m2] => {
            let (year, month) = (year_of(year)?, number(&[*m1, *m2], 2)?);
            span(text, year, month, 1)
        }
        year => {
            let year = year_of(year)?;
            span(text, year, 1, 12)
        }
    }
}

fn year_of(digits: &[u8]) -> Option<i32> {
    let year = i32::try_from(number(digits, 4)?).ok()?;
    (2000..=2099).contains(&year).then_some(year)
}

/// Quarter n is months 3n-2 to 3n.
fn read_quarter(year: i32, digit: u8) -> Option<PartialDate> {
    let quarter = number(&[digit], 1).filter(|quarter| (1..=4).contains(quarter))?;
    span(format!("{year}-Q{quarter}"), year, 3 * quarter - 2, 3)
}

fn span(text: String, year: i32, first_month: u32, months: u32) -> Option<PartialDate> {
    let from = NaiveDate::from_ymd_opt(year, first_month, 1)?;
    let to = from.checked_add_months(Months::new(months))?.pred_opt()?;
    Some(PartialDate { text, from, to })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partial(text: &str) -> PartialDate {
        text.parse().unwrap()
    }

    #[test]
    fn each_precision_has_its_interval() {
        let cases = [
            ("2022", "2022", "2022-01-01", "2022-12-31"),
            ("2022-Q1", "2022-Q1", "2022-01-01", "2022-03-31"),
            ("2021-q3", "2021-Q3", "2021-07-01", "2021-09-30"),
            ("T4 2023", "2023-Q4", "2023-10-01", "2023-12-31"),
            ("t4-2023", "2023-Q4", "2023-10-01", "2023-12-31"),
            (" T2\u{A0}2024 ", "2024-Q2", "2024-04-01", "2024-06-30"),
            ("2022-03", "2022-03", "2022-03-01", "2022-03-31"),
            ("2024-02", "2024-02", "2024-02-01", "2024-02-29"),
            ("2022-03-14", "2022-03-14", "2022-03-14", "2022-03-14"),
            ("2000", "2000", "2000-01-01", "2000-12-31"),
            ("2099-12", "2099-12", "2099-12-01", "2099-12-31"),
        ];
        for (given, text, from, to) in cases {
            let date = partial(given);
            let (from, to) = (from.parse().unwrap(), to.parse().unwrap());
            assert_eq!(date, PartialDate { text: text.to_owned(), from, to }, "{given}");
            assert_eq!(partial(&date.text), date, "canonical text reads as itself");
        }
    }

    #[test]
    fn other_forms_are_refused() {
        let cases = [
            "",
            "22",
            "20221",
            "1999",
            "2100",
            "2022-Q0",
            "2022-Q5",
            "2022-T1",
            "2022-13",
            "2022-00",
            "2022-3",
            "2022-02-29",
            "2022-3-14",
            "2022/03",
            "14/03/2022",
            "T5 2023",
            "T4 23",
            "T4--2023",
            "4T2023",
            "T 2023",
            "Q4-2023",
            "T4 1999",
            "1999-12-31",
            "été 2021",
            "２０２２",
            "2022-",
            "-2022",
            "2022-03-14T00:00:00Z",
        ];
        for given in cases {
            assert_eq!(given.parse::<PartialDate>(), Err(Scalar::PartialDate.refusal()), "{given:?}");
        }
    }

    #[test]
    fn order_is_that_of_intervals() {
        let cases = [
            ("2021", "2022", Some(Ordering::Less)),
            ("2022-Q1", "2022-04", Some(Ordering::Less)),
            ("2022-03-14", "2022-02", Some(Ordering::Greater)),
            ("2022-Q1", "T1 2022", Some(Ordering::Equal)),
            ("2022", "2022-03", None),
            ("2022-Q1", "2022-03-14", None),
        ];
        for (left, right, order) in cases {
            assert_eq!(partial(left).partial_cmp(&partial(right)), order, "{left} {right}");
            assert_eq!(
                partial(right).partial_cmp(&partial(left)),
                order.map(Ordering::reverse),
                "{right} {left}"
            );
        }
    }
}
