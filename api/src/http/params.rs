//! The parameters of a GraphQL request, from a JSON body or from a query string.

use std::borrow::Cow;

use actix_web::web::Query;
use async_graphql::{Value as GraphqlValue, Variables};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use serde_json::{Map, Value};

use super::refusal::Refusal;

/// What a client may send; unknown parameters are left out, as the specification asks.
#[derive(Debug, PartialEq)]
pub(super) struct Params {
    pub query: Option<String>,
    pub document_id: Option<String>,
    pub operation_name: Option<String>,
    pub variables: Variables,
    pub extensions: Map<String, Value>,
}

/// The parameters before their types are checked.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Raw {
    query: Option<Value>,
    document_id: Option<Value>,
    operation_name: Option<Value>,
    /// Read as what they become: they may be large.
    variables: Option<GraphqlValue>,
    extensions: Option<Value>,
}

const BODY_EXPECTED: &str = "The body must be one JSON object with the text \"query\" or \"documentId\" and, if needed, \
     \"operationName\", \"variables\" and \"extensions\", each given once; a list of requests is not served.";

impl Params {
    /// Reads the body of a POST.
    pub(super) fn from_body(body: &[u8]) -> Result<Self, Refusal> {
        // Serde would also read a list into a struct.
        if body.trim_ascii_start().first().is_some_and(|&first| first != b'{') {
            return Err(Refusal::bad_request(BODY_EXPECTED));
        }
        let raw: Raw = serde_json::from_slice(body).map_err(|error| match error.classify() {
            Category::Data => Refusal::bad_request(BODY_EXPECTED),
            _ => Refusal::bad_request(format!(
                "The body is not well-formed JSON in UTF-8: see line {}, column {}. {BODY_EXPECTED}",
                error.line(),
                error.column()
            )),
        })?;
        raw.checked()
    }

    /// Reads the payload of a message.
    pub(super) fn from_value(payload: Value) -> Result<Self, Refusal> {
        let raw: Raw = match payload {
            Value::Object(_) => serde_json::from_value(payload).unwrap_or_default(),
            _ => Raw::default(),
        };
        raw.checked()
    }

    /// Reads the query string of a GET, where `variables` and `extensions` are JSON.
    ///
    /// An empty value other than the document's is an absent one.
    pub(super) fn from_query_string(query_string: &str) -> Result<Self, Refusal> {
        let Query(pairs) = Query::<Vec<(Cow<'_, str>, String)>>::from_query(query_string)
            .map_err(|_| Refusal::bad_request("The query string is not form-urlencoded UTF-8."))?;
        let mut raw = Raw::default();
        for (name, value) in pairs {
            raw.set(&name, value)?;
        }
        raw.checked()
    }
}

impl Raw {
    /// Takes one pair of the query string.
    fn set(&mut self, name: &str, value: String) -> Result<(), Refusal> {
        let is_given = match name {
            "query" => self.query.replace(Value::String(value)).is_some(),
            "documentId" => self.document_id.replace(unless_empty(value)).is_some(),
            "operationName" => self.operation_name.replace(unless_empty(value)).is_some(),
            "variables" => self.variables.replace(read(name, &value)?).is_some(),
            "extensions" => self.extensions.replace(read(name, &value)?).is_some(),
            _ => false,
        };
        if is_given {
            return Err(Refusal::bad_request(format!("The parameter \"{name}\" is given more than once.")));
        }
        Ok(())
    }

    fn checked(self) -> Result<Params, Refusal> {
        let query = text("query", self.query)?;
        let extensions = map("extensions", self.extensions)?;
        let document_id = text("documentId", self.document_id)?.or_else(|| automatic(&extensions));
        if query.is_none() && document_id.is_none() {
            return Err(Refusal::bad_request(
                "The parameter \"query\" is required and must be a text: the GraphQL document; or \"documentId\", \
                 which names it.",
            ));
        }
        Ok(Params {
            query,
            document_id,
            operation_name: text("operationName", self.operation_name)?,
            variables: match self.variables {
                None | Some(GraphqlValue::Null) => Variables::default(),
                Some(object @ GraphqlValue::Object(_)) => Variables::from_value(object),
                Some(_) => return Err(no_object("variables")),
            },
            extensions,
        })
    }
}

fn unless_empty(value: String) -> Value {
    if value.is_empty() { Value::Null } else { Value::String(value) }
}

/// Reads a parameter that is JSON.
fn read<T: Default + DeserializeOwned>(name: &str, value: &str) -> Result<T, Refusal> {
    if value.is_empty() {
        return Ok(T::default());
    }
    serde_json::from_str(value).map_err(|_| {
        Refusal::bad_request(format!("The parameter \"{name}\" must be a JSON object, URL-encoded."))
    })
}

/// The identifier of automatic persisted queries.
fn automatic(extensions: &Map<String, Value>) -> Option<String> {
    let hash = extensions.get("persistedQuery")?.get("sha256Hash")?.as_str()?;
    Some(format!("sha256:{hash}"))
}

fn text(name: &str, value: Option<Value>) -> Result<Option<String>, Refusal> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Refusal::bad_request(format!("The parameter \"{name}\" must be a text or null."))),
    }
}

fn map(name: &str, value: Option<Value>) -> Result<Map<String, Value>, Refusal> {
    match value {
        None | Some(Value::Null) => Ok(Map::new()),
        Some(Value::Object(map)) => Ok(map),
        Some(_) => Err(no_object(name)),
    }
}

fn no_object(name: &str) -> Refusal {
    Refusal::bad_request(format!("The parameter \"{name}\" must be a JSON object or null."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_gives_its_four_parameters() {
        let body =
            br#" {"query":"{a}","operationName":"A","variables":{"x":1},"extensions":{"y":null},"z":0}"#;
        let params = Params::from_body(body).unwrap();
        assert_eq!(params.query.as_deref(), Some("{a}"));
        assert_eq!(params.operation_name.as_deref(), Some("A"));
        assert_eq!(params.variables.into_value().into_json().unwrap(), serde_json::json!({ "x": 1 }));
        assert_eq!(Value::Object(params.extensions), serde_json::json!({ "y": null }));
    }

    #[test]
    fn a_document_may_be_named() {
        let id = |params: Result<Params, Refusal>| params.unwrap().document_id;
        assert_eq!(id(Params::from_body(br#"{"documentId":"a"}"#)).as_deref(), Some("a"));
        assert_eq!(id(Params::from_query_string("documentId=a")).as_deref(), Some("a"));
        let automatic = br#"{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"ab"}}}"#;
        assert_eq!(id(Params::from_body(automatic)).as_deref(), Some("sha256:ab"));
        assert!(Params::from_body(br#"{"documentId":1}"#).is_err());
        assert!(Params::from_query_string("documentId=").is_err());
    }

    #[test]
    fn null_and_absent_are_the_same() {
        let with = br#"{"query":"{a}","operationName":null,"variables":null,"extensions":null}"#;
        assert_eq!(Params::from_body(with), Params::from_body(br#"{"query":"{a}"}"#));
    }

    #[test]
    fn other_bodies_are_refused() {
        for body in [
            "",
            "  ",
            "null",
            "\"{a}\"",
            "[]",
            r#"["{a}"]"#,
            r#"[{"query":"{a}"}]"#,
            r#"{"query":"{a}""#,
            r#"{"query":"{a}"} {}"#,
            r#"{"query":"{a}","query":"{b}"}"#,
            r#"{"query":null}"#,
            r#"{"query":["{a}"]}"#,
            r#"{"qeury":"{a}"}"#,
            r#"{"query":"{a}","operationName":1}"#,
            r#"{"query":"{a}","variables":"{}"}"#,
            r#"{"query":"{a}","variables":[]}"#,
            r#"{"query":"{a}","extensions":false}"#,
        ] {
            assert!(Params::from_body(body.as_bytes()).is_err(), "{body}");
        }
        assert!(Params::from_body(b"{\"query\":\"\xff\"}").is_err());
        assert!(Params::from_body(format!("{{\"query\":{}", "[".repeat(100_000)).as_bytes()).is_err());
    }

    #[test]
    fn a_query_string_gives_its_four_parameters() {
        let params = Params::from_query_string(
            "query=%7Ba%7D&operationName=A&variables=%7B%22x%22%3A1%7D&extensions=",
        )
        .unwrap();
        assert_eq!(params.query.as_deref(), Some("{a}"));
        assert_eq!(params.operation_name.as_deref(), Some("A"));
        assert_eq!(params.variables.into_value().into_json().unwrap(), serde_json::json!({ "x": 1 }));
        assert!(params.extensions.is_empty());
    }

    #[test]
    fn other_query_strings_are_refused() {
        for text in ["", "qeury=a", "query=a&query=b", "query=a&variables=x", "query=a&variables=[]"] {
            assert!(Params::from_query_string(text).is_err(), "{text}");
        }
    }
}
