//! What was missed, then what comes: every change once, in the order of the feed, wherever a subscriber joins.

use std::collections::HashSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use tests::{GrantedSites, Socket, TestApp, on_both};

use super::LIVE;
use crate::writes::all;

const SYNC: &str =
    "mutation ($input: SyncActionsInput!) { syncActions(input: $input) { results { outcome } } }";
const WRITERS: usize = 8;
const CALLS: usize = 10;

/// How many items a call has: calls of unequal length end in another order than they begin.
const fn size(writer: usize, call: usize) -> usize {
    1 + (writer * 7 + call * 5) % 31
}

/// The feed from its beginning, as the query gives it: entity, id, version, cursor.
async fn feed(app: &TestApp) -> Vec<Value> {
    let page = "query ($after: String) { changes(after: $after) { pageInfo { hasNextPage endCursor } nodes { entityId \
                version cursor } } }";
    let (mut all, mut after) = (Vec::new(), Value::Null);
    loop {
        let read = app.anct().query(page, json!({ "after": after })).await;
        all.extend_from_slice(read.list("/changes/nodes"));
        after = read.data("/changes/pageInfo/endCursor").clone();
        if read.data("/changes/pageInfo/hasNextPage") == &json!(false) {
            return all;
        }
    }
}

/// Takes changes from a socket until the last one that is written came.
async fn follow(app: &TestApp, after: Value, last: &str) -> Vec<Value> {
    let mut socket = Socket::of(&app.anct()).await;
    let brief = LIVE.replace("node { __typename id }", "");
    socket.subscribe("1", &brief, json!({ "after": after })).await;
    let mut told = Vec::new();
    loop {
        let mut change = socket.change().await;
        let is_last = change["entity"] == last;
        let of = change.as_object_mut().expect("an object");
        of.retain(|name, _| ["entityId", "version", "cursor"].contains(&name.as_str()));
        told.push(change);
        if is_last {
            return told;
        }
    }
}

on_both!(subscribers_who_join_at_any_cursor_get_each_change_once_and_in_order, Small, async |app| {
    let partner = app.partner("FRANCE_TRAVAIL", GrantedSites::All).await;
    // there is something before everybody's cursor
    super::rename(app, 1, "Premier changement").await;
    let (written, cursors) = (AtomicUsize::new(0), Mutex::new(Vec::<Value>::new()));
    let writer = async |writer: usize| {
        for call in 0..CALLS {
            let item = |n: usize| {
                json!({ "externalId": format!("{writer}-{call}-{n}"), "title": "Permanence",
                    "sourceUpdatedAt": "2023-06-12T10:00:00Z", "site": { "code": "cde-901" } })
            };
            let items: Vec<Value> = (0..size(writer, call)).map(item).collect();
            loop {
                let sent = partner.query(SYNC, json!({ "input": { "items": items } })).await;
                // a writer that finds no connection free in time sends the same again
                if sent.errors().iter().any(|error| error["extensions"]["code"] == "UNAVAILABLE") {
                    continue;
                }
                assert_eq!(sent.list("/syncActions/results").len(), items.len(), "{sent}");
                break;
            }
            written.fetch_add(items.len(), Ordering::SeqCst);
        }
    };
    // joins while the others write, each at the last cursor that one before has seen
    let joiner = async |number: usize| {
        while written.load(Ordering::SeqCst) < 100 * number {
            tokio::task::yield_now().await;
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
        let last = app.anct().ask("{ changes(last: 1) { pageInfo { endCursor } } }").await;
        let after = if number == 0 {
            known_first(app).await
        } else {
            last.data("/changes/pageInfo/endCursor").clone()
        };
        cursors.lock().expect("cursors").push(after.clone());
        (after.clone(), follow(app, after, "GOVERNANCE_BODY").await)
    };
    let write = async {
        all((0..WRITERS).map(writer)).await;
        end(app).await;
    };
    let (joined, ()) = tokio::join!(
        async { tokio::join!(joiner(0), joiner(1), joiner(3), joiner(5), joiner(7), joiner(9)) },
        write
    );
    let expected: usize =
        (0..WRITERS).flat_map(|writer| (0..CALLS).map(move |call| size(writer, call))).sum();
    assert!(expected > 1_200, "{expected}");
    let feed = feed(app).await;
    assert_eq!(feed.len(), expected + 2, "the feed itself");
    let (a, b, c, d, e, f) = joined;
    for (after, told) in [a, b, c, d, e, f] {
        let from =
            feed.iter().position(|change| change["cursor"] == after).expect("a cursor of the feed") + 1;
        let once: HashSet<String> = told.iter().map(Value::to_string).collect();
        assert_eq!(once.len(), told.len(), "twice");
        assert_eq!(told, feed[from..], "from {from}");
    }
});

/// Cursor of the first change.
async fn known_first(app: &TestApp) -> Value {
    loop {
        let first = app.anct().ask("{ changes(first: 1) { nodes { cursor } } }").await;
        if let Some(change) = first.list("/changes/nodes").first() {
            return change["cursor"].clone();
        }
    }
}

/// Writes what nothing else in the test does: whoever gets it has got everything.
async fn end(app: &TestApp) {
    let input = json!({ "site": crate::writes::known(tests::world::Kind::Site, 1), "kind": "GROUPE_TRAVAIL",
        "name": "Fin", "origin": "AD_HOC" });
    crate::writes::write(&app.prefecture(&["69"]), "createGovernanceBody", input).await.done();
}
