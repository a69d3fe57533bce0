//! Live changes, through real sockets and event streams: every change once, by the rights of the moment, to the letter of
//! the protocols.

mod budget;
mod events;
mod far;
mod instances;
mod protocol;
mod rights;
mod seam;
mod slow;

use serde_json::{Value, json};
use tests::world::Kind;
use tests::{EventStream, Persona, Socket, TestApp};

use crate::writes::{known, write};

/// A document as a partner's system follows with it.
pub(crate) const LIVE: &str = "subscription ($after: String, $filter: ChangeFilter) { changes(after: $after, filter: $filter) { \
    cursor operation entity entityId version node { __typename id } } }";

/// Opens a socket and follows everything from now on.
pub(crate) async fn following(persona: &Persona<'_>) -> Socket {
    let mut socket = Socket::of(persona).await;
    socket.subscribe("1", LIVE, json!({})).await;
    begun(&mut socket).await;
    socket
}

/// Waits until what was sent before is under way: a query is executed once the subscriptions sent before it have begun.
/// A ping would be answered at once.
async fn begun(socket: &mut Socket) {
    socket.subscribe("begun", "{ changes(last: 1) { pageInfo { endCursor } } }", json!({})).await;
    let mut kinds = Vec::new();
    while kinds.len() < 2 {
        let message = socket.message().await;
        assert_eq!(message["id"], "begun", "{message}");
        kinds.push(message["type"].clone());
    }
    assert_eq!(kinds, ["next", "complete"]);
}

/// Gives a site of the small world another name.
pub(crate) async fn rename(app: &TestApp, site: u16, name: &str) {
    write(&app.anct(), "updateSite", json!({ "id": known(Kind::Site, site), "name": name })).await.done();
}

/// `OPERATION ENTITY version`, with a star where the object is shown.
pub(crate) fn line(change: &Value) -> String {
    let shown = if change["node"].is_null() { "" } else { " *" };
    let text = |name: &str| change[name].as_str().expect("a text").to_owned();
    format!("{} {} {}{shown}", text("operation"), text("entity"), change["version"])
}

/// The next so many changes, as lines.
async fn lines(socket: &mut Socket, count: usize) -> Vec<String> {
    let mut lines = Vec::new();
    while lines.len() < count {
        lines.push(line(&socket.change().await));
    }
    lines
}

/// The next so many changes of an event stream.
async fn changes(events: &mut EventStream, count: usize) -> Vec<Value> {
    let mut changes = Vec::new();
    while changes.len() < count {
        changes.push(events.change().await);
    }
    changes
}
