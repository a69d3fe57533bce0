//! Messages of graphql-transport-ws, read and written.

use serde::Deserialize;
use serde_json::{Value, json};

use super::close::{BAD_MESSAGE, Close};
use crate::http::params::Params;

/// What a client says.
#[derive(Debug, PartialEq)]
pub(super) enum Message {
    /// Begins, perhaps with an `Authorization`.
    Init { authorization: Option<String> },
    /// Asks whether the server is there; the payload comes back.
    Ping { payload: Option<Value> },
    /// Is there.
    Pong,
    /// Sends an operation.
    Subscribe { id: String, params: Params },
    /// Wants no more of one.
    Complete { id: String },
}

#[derive(Deserialize)]
struct Raw {
    r#type: String,
    id: Option<String>,
    payload: Option<Value>,
}

impl Message {
    /// Reads a message; what is none closes the socket.
    pub fn read(text: &[u8]) -> Result<Self, Close> {
        let Raw { r#type, id, payload } = serde_json::from_slice(text).map_err(|_| BAD_MESSAGE)?;
        let payload = payload.filter(|payload| !payload.is_null());
        let id = || id.filter(|id| !id.is_empty()).ok_or(BAD_MESSAGE.because("the message needs an id"));
        match r#type.as_str() {
            "connection_init" => Ok(Self::Init { authorization: authorization(payload.as_ref())? }),
            "ping" => Ok(Self::Ping { payload }),
            "pong" => Ok(Self::Pong),
            "complete" => Ok(Self::Complete { id: id()? }),
            "subscribe" => {
                let params = Params::from_value(payload.unwrap_or_default());
                let params = params.map_err(|refusal| BAD_MESSAGE.because(refusal.message()))?;
                Ok(Self::Subscribe { id: id()?, params })
            }
            _ => Err(BAD_MESSAGE.because("a message of this type is not known")),
        }
    }
}

/// A browser cannot send headers with a WebSocket: the token comes in the payload then.
fn authorization(payload: Option<&Value>) -> Result<Option<String>, Close> {
    let Some(payload) = payload else { return Ok(None) };
    let fields = payload.as_object().ok_or(BAD_MESSAGE.because("the payload must be an object"))?;
    let mut given = fields.iter().filter(|(name, _)| name.eq_ignore_ascii_case("authorization"));
    let Some((_, value)) = given.next() else { return Ok(None) };
    match value {
        Value::String(text) if given.next().is_none() => Ok(Some(text.clone())),
        _ => Err(BAD_MESSAGE.because("Authorization must be one text")),
    }
}

/// The answer to `connection_init`.
pub(super) const ACK: &[u8] = br#"{"type":"connection_ack"}"#;
/// The server asks whether the client is there.
pub(super) const PING: &[u8] = br#"{"type":"ping"}"#;

/// The answer to a ping.
pub(super) fn pong(payload: Option<Value>) -> Vec<u8> {
    let message = match payload {
        Some(payload) => json!({ "type": "pong", "payload": payload }),
        None => json!({ "type": "pong" }),
    };
    message.to_string().into_bytes()
}

/// A response of an operation.
pub(super) fn next(id: &str, response: &[u8]) -> Vec<u8> {
    let head = format!("{{\"type\":\"next\",\"id\":{},\"payload\":", Value::from(id));
    [head.as_bytes(), response, b"}"].concat()
}

/// An operation was refused: the errors of its response.
pub(super) fn error(id: &str, response: &[u8]) -> Vec<u8> {
    let mut response: Value = serde_json::from_slice(response).unwrap_or_default();
    let errors = response.get_mut("errors").map_or_else(|| json!([]), Value::take);
    json!({ "type": "error", "id": id, "payload": errors }).to_string().into_bytes()
}

/// An operation is done.
pub(super) fn complete(id: &str) -> Vec<u8> {
    json!({ "type": "complete", "id": id }).to_string().into_bytes()
}
