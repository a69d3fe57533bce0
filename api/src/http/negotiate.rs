//! Content negotiation: which media type answers, and which one a body may have.
//!
//! `application/graphql-response+json` tells by its status whether the request was sound. `application/json`
//! is the older form, 200 for every well-formed request; it answers clients that name no preference.

use actix_web::http::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, TryIntoHeaderValue};

use super::inflate::Encoding;
use super::refusal::Refusal;

/// The media types that answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MediaType {
    /// `application/graphql-response+json`
    GraphqlResponse,
    /// `application/json`
    Json,
}

impl MediaType {
    const fn subtype(self) -> &'static str {
        match self {
            Self::GraphqlResponse => "graphql-response+json",
            Self::Json => "json",
        }
    }
}

impl TryIntoHeaderValue for MediaType {
    type Error = std::convert::Infallible;

    fn try_into_value(self) -> Result<HeaderValue, Self::Error> {
        Ok(HeaderValue::from_static(match self {
            Self::GraphqlResponse => "application/graphql-response+json; charset=utf-8",
            Self::Json => "application/json; charset=utf-8",
        }))
    }
}

/// The media type that the `Accept` header prefers.
///
/// Without a header, or with wildcards alone, it is `application/json`; at equal quality, a type named in the
/// header wins over one reached by a wildcard, then `application/graphql-response+json` over the older one.
pub(super) fn accepted(headers: &HeaderMap) -> Result<MediaType, Refusal> {
    let Some(accept) = joined(headers, &ACCEPT)? else { return Ok(MediaType::Json) };
    let ranges: Vec<Range> = accept.split(',').filter_map(Range::parse).collect();
    [MediaType::GraphqlResponse, MediaType::Json]
        .into_iter()
        .filter_map(|media_type| Some((media_type, best(&ranges, media_type)?)))
        .filter(|(_, range)| range.quality > 0)
        .max_by_key(|(media_type, range)| {
            let named = range.precision == NAMED;
            // The newer type for who knows it, the older one for who asks for anything.
            let preferred = if named { MediaType::GraphqlResponse } else { MediaType::Json };
            (range.quality, named, *media_type == preferred)
        })
        .map(|(media_type, _)| media_type)
        .ok_or_else(Refusal::not_acceptable)
}

/// Refuses a body that is not said to be JSON in UTF-8, plain or compressed in a way that is read.
///
/// A browser sends the three form types to another origin without asking; refusing all but JSON is what keeps
/// a foreign page from acting in a user's name.
pub(super) fn check_body_type(headers: &HeaderMap) -> Result<(), Refusal> {
    let content_type = joined(headers, &CONTENT_TYPE)?.ok_or_else(Refusal::media_type)?;
    let (essence, mut parameters) = split(&content_type);
    if Encoding::of(headers).is_none()
        || !essence.eq_ignore_ascii_case("application/json")
        || !parameters.all(is_utf8)
    {
        return Err(Refusal::media_type());
    }
    Ok(())
}

/// All the values of a header as one list; `None` when there is none or it is empty.
fn joined(headers: &HeaderMap, name: &HeaderName) -> Result<Option<String>, Refusal> {
    let mut all = String::new();
    for value in headers.get_all(name) {
        let text = value.to_str().map_err(|_| {
            Refusal::bad_request(format!("The header {name} holds bytes that are not visible ASCII."))
        })?;
        if !all.is_empty() {
            all.push(',');
        }
        all.push_str(text.trim());
    }
    Ok(Some(all).filter(|all| !all.is_empty()))
}

/// Precision of a range that names its type and subtype; `application/*` is 1, `*/*` is 0.
const NAMED: u8 = 2;

/// One media range of an `Accept` header.
struct Range {
    subtype: String,
    precision: u8,
    /// In thousandths, 0 to 1000.
    quality: u16,
}

impl Range {
    /// `None` for what this server never answers with, or what is not a media range.
    fn parse(text: &str) -> Option<Self> {
        let (essence, parameters) = split(text);
        let essence = essence.to_ascii_lowercase();
        let (kind, subtype) = essence.split_once('/')?;
        let precision = match (kind, subtype) {
            ("*", "*") => 0,
            ("application", "*") => 1,
            ("application", _) => NAMED,
            _ => return None,
        };
        let mut quality = 1000;
        for (name, value) in parameters {
            if name.eq_ignore_ascii_case("q") {
                quality = thousandths(value)?;
            } else if !is_utf8((name, value)) {
                return None;
            }
        }
        Some(Self { subtype: subtype.to_owned(), precision, quality })
    }

    fn covers(&self, media_type: MediaType) -> bool {
        self.precision < NAMED || self.subtype == media_type.subtype()
    }
}

/// The most precise range that covers a media type: it alone decides the quality.
fn best(ranges: &[Range], media_type: MediaType) -> Option<&Range> {
    ranges
        .iter()
        .filter(|range| range.covers(media_type))
        .max_by_key(|range| (range.precision, range.quality))
}

/// The type and subtype, then the parameters, quotes taken off.
fn split(text: &str) -> (&str, impl Iterator<Item = (&str, &str)>) {
    let mut parts = text.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default();
    let parameters = parts.filter(|part| !part.is_empty()).map(|part| {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        (name.trim_end(), value.trim_start().trim_matches('"'))
    });
    (essence, parameters)
}

/// Whether a parameter leaves the charset at UTF-8; other parameters mean nothing to JSON.
fn is_utf8((name, value): (&str, &str)) -> bool {
    !name.eq_ignore_ascii_case("charset") || value.eq_ignore_ascii_case("utf-8")
}

/// A quality between 0 and 1, of three decimals at most, in thousandths.
fn thousandths(value: &str) -> Option<u16> {
    let (whole, decimals) = value.split_once('.').unwrap_or((value, ""));
    if decimals.len() > 3 || !decimals.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    match whole {
        "1" if decimals.bytes().all(|byte| byte == b'0') => Some(1000),
        "0" => format!("{decimals:0<3}").parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::CONTENT_ENCODING;

    use super::*;

    fn accept(value: &str) -> Option<MediaType> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_str(value).unwrap());
        accepted(&headers).ok()
    }

    fn body_type(value: &str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_str(value).unwrap());
        check_body_type(&headers).is_ok()
    }

    #[test]
    fn no_preference_is_answered_in_json() {
        assert_eq!(accepted(&HeaderMap::new()), Ok(MediaType::Json));
        for value in ["", "*/*", "application/*", "text/html, */*;q=0.8", "*/*, image/png"] {
            assert_eq!(accept(value), Some(MediaType::Json), "{value}");
        }
    }

    #[test]
    fn a_named_type_wins_over_wildcards() {
        for value in [
            "application/graphql-response+json",
            "APPLICATION/GraphQL-Response+JSON; charset=\"UTF-8\"",
            "application/graphql-response+json, application/json",
            "application/json, application/graphql-response+json",
            "application/graphql-response+json, */*",
            "application/json;q=0.9, application/graphql-response+json",
            "*/*, application/json;q=0",
            "multipart/mixed, application/graphql-response+json;q=0.001",
        ] {
            assert_eq!(accept(value), Some(MediaType::GraphqlResponse), "{value}");
        }
        for value in [
            "application/json",
            "application/json, */*",
            "application/json, application/graphql-response+json;q=0.9",
            "application/graphql-response+json;q=0, */*;q=0.1",
        ] {
            assert_eq!(accept(value), Some(MediaType::Json), "{value}");
        }
    }

    #[test]
    fn what_is_not_served_is_refused() {
        for value in [
            "text/html",
            "application/json;q=0",
            "*/*;q=0",
            "application/json;charset=utf-16",
            "application/json;q=2",
            "application/json;q=0.1234",
            "nonsense",
        ] {
            assert_eq!(accept(value), None, "{value}");
        }
    }

    #[test]
    fn accept_may_come_in_several_headers() {
        let mut headers = HeaderMap::new();
        headers.append(ACCEPT, HeaderValue::from_static("text/html"));
        headers.append(ACCEPT, HeaderValue::from_static("application/graphql-response+json"));
        assert_eq!(accepted(&headers), Ok(MediaType::GraphqlResponse));
    }

    #[test]
    fn only_plain_json_is_read() {
        for value in ["application/json", "Application/JSON; Charset=\"utf-8\"", "application/json;"] {
            assert!(body_type(value), "{value}");
        }
        for value in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "application/json; charset=latin1",
            "application/json, text/plain",
            "application/graphql",
            "",
        ] {
            assert!(!body_type(value), "{value}");
        }
        assert!(check_body_type(&HeaderMap::new()).is_err());
    }

    #[test]
    fn a_body_may_be_compressed_by_what_is_read() {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        for (encoding, is_read) in
            [("identity", true), ("gzip", true), ("ZSTD", true), ("br", false), ("gzip, gzip", false)]
        {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
            assert_eq!(check_body_type(&headers).is_ok(), is_read, "{encoding}");
        }
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        headers.append(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        assert!(check_body_type(&headers).is_err());
    }
}
