//! CSV (RFC 4180): CRLF between rows, quotes where they are needed, and no cell that a spreadsheet would compute.

use std::borrow::Cow;

use csv::{Terminator, Writer, WriterBuilder};

use super::CsvOptions;
use super::columns::{Column, Content, Page, instant};
use super::run::FileWriter;
use crate::error::ApiError;
use crate::read::plan::internal;

/// Between the elements of a list in one cell.
const BETWEEN: &str = "|";

#[derive(Debug)]
pub(super) struct Csv {
    options: CsvOptions,
}

impl Csv {
    pub const fn new(options: CsvOptions) -> Self {
        Self { options }
    }

    fn writer(&self, out: Vec<u8>) -> Writer<Vec<u8>> {
        let mut builder = WriterBuilder::new();
        builder.delimiter(self.options.separator).terminator(Terminator::CRLF).from_writer(out)
    }

    fn cell<'c>(&self, content: &'c Content<'_>) -> Cow<'c, str> {
        match content {
            Content::Nothing => Cow::Borrowed(""),
            Content::Text(text) => inert(text),
            Content::Int(number) => Cow::Owned(number.to_string()),
            Content::Float(number) => Cow::Owned(self.number(&number.to_string())),
            Content::Decimal(number) => Cow::Owned(self.number(&number.to_string())),
            Content::Bool(is) => Cow::Borrowed(if *is { "true" } else { "false" }),
            Content::Date(date) => Cow::Owned(date.to_string()),
            Content::Instant(at) => Cow::Owned(instant(*at)),
            Content::List(texts) => Cow::Owned(inert(&texts.join(BETWEEN)).into_owned()),
        }
    }

    fn number(&self, text: &str) -> String {
        if self.options.decimal == '.' { text.to_owned() } else { text.replace('.', ",") }
    }
}

impl FileWriter for Csv {
    fn head(&mut self, columns: &[Column]) -> Result<Vec<u8>, ApiError> {
        let begin = if self.options.bom { "\u{feff}".as_bytes().to_vec() } else { Vec::new() };
        let mut writer = self.writer(begin);
        let names = columns.iter().map(|column| &column.name);
        writer.write_record(names).map_err(|_| internal("a head could not be written"))?;
        writer.into_inner().map_err(|_| internal("a head could not be written"))
    }

    fn page(&mut self, page: &Page<'_>) -> Result<Vec<u8>, ApiError> {
        let mut writer = self.writer(Vec::new());
        let failed = || internal("a row could not be written");
        for row in page.rows() {
            for column in page.columns {
                let content = page.content(row, column)?;
                writer.write_field(self.cell(&content).as_bytes()).map_err(|_| failed())?;
            }
            writer.write_record(None::<&[u8]>).map_err(|_| failed())?;
        }
        writer.into_inner().map_err(|_| failed())
    }

    fn end(&mut self) -> Result<Vec<u8>, ApiError> {
        Ok(Vec::new())
    }
}

/// A text that a spreadsheet takes for a text: an apostrophe goes before what would begin a formula, also behind a
/// separator, at which a spreadsheet of another country begins a cell, and the quotes that it takes off there.
fn inert(text: &str) -> Cow<'_, str> {
    const SEPARATORS: [char; 2] = [';', ','];
    if !text.split(SEPARATORS).any(is_formula) {
        return Cow::Borrowed(text);
    }
    let parts = text.split_inclusive(SEPARATORS).map(|part| {
        if is_formula(part.trim_end_matches(SEPARATORS)) { format!("'{part}") } else { part.to_owned() }
    });
    Cow::Owned(parts.collect())
}

/// Whether a spreadsheet would work a text out. A plain negative number is no formula.
fn is_formula(text: &str) -> bool {
    let text = text.trim_start_matches('"');
    let begins = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
    begins && !is_negative_number(text)
}

fn is_negative_number(text: &str) -> bool {
    let Some(number) = text.strip_prefix('-') else { return false };
    let (whole, decimals) = number.split_once(['.', ',']).unwrap_or((number, "0"));
    let are_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    are_digits(whole) && are_digits(decimals)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_begins_a_formula_is_made_a_text() {
        for text in ["=1+1", "+33", "-x", "@SUM(A1)", "\t=1", "\r=1", "-", "-1-1", "-1.", "=", "＝1", "-1e3"]
        {
            assert_eq!(inert(text), format!("'{text}"));
        }
        for (text, inert_one) in [("a;=1", "a;'=1"), ("a,+1;-b;-2", "a,'+1;'-b;-2"), ("=1;=2", "'=1;'=2")] {
            assert_eq!(inert(text), inert_one);
        }
        for (text, inert_one) in [("a;\"=1;b", "a;'\"=1;b"), ("\"\"+1", "'\"\"+1"), ("a,\"-1\"", "a,'\"-1\"")]
        {
            assert_eq!(inert(text), inert_one);
        }
        for text in ["a;\"b\"", "\"-1", "a; =1", "1,-2", "-1", "-12.5", "-0,25", "1=1", "a+b", "", "'=1"] {
            assert_eq!(inert(text), text);
        }
    }
}
