//! graphql-transport-ws: messages both ways, and each code with which the server closes.

use serde_json::{Value, json};
use tests::world::Kind;
use tests::{Backend, Persona, Socket, Template, TestApp, block_on, on_both};
use tokio_tungstenite::tungstenite::{Bytes, Message};

use super::{LIVE, following, line, rename};
use crate::writes::known;

on_both!(the_contract_document_tells_changes_as_they_come, Small, async |app| {
    let contract = include_str!("../contract/sync.graphql");
    let mut socket = Socket::of(&app.anct()).await;
    let payload = json!({ "query": contract, "operationName": "Live", "variables": { "after": null } });
    socket.send(&json!({ "type": "subscribe", "id": "live", "payload": payload })).await;
    super::begun(&mut socket).await;
    rename(app, 1, "Un site n'est pas demandé").await;
    let input = json!({ "site": known(Kind::Site, 1), "title": "Permanence" });
    let id = crate::writes::write(&app.prefecture(&["69"]), "createAction", input).await.id();
    let mut message = socket.message().await;
    assert_eq!((&message["type"], &message["id"]), (&json!("next"), &json!("live")));
    let mut change = message["payload"]["data"]["changes"].take();
    assert!(change["cursor"].take().is_string());
    let node = json!({ "title": "Permanence", "status": "DRAFT" });
    let expected = json!({ "cursor": null, "operation": "UPSERT", "entity": "ACTION", "entityId": id, "version": 1,
        "node": node });
    assert_eq!(change, expected);
});

on_both!(operations_of_every_kind_are_answered, Small, async |app| {
    let mut socket = Socket::of(&app.anct()).await;
    socket.subscribe("q", "{ viewer { role } }", json!({})).await;
    let next = socket.message().await;
    assert_eq!((&next["type"], &next["id"]), (&json!("next"), &json!("q")));
    assert_eq!(next["payload"]["data"], json!({ "viewer": { "role": "anct" } }));
    assert_eq!(socket.message().await, json!({ "type": "complete", "id": "q" }));
    let rename =
        "mutation ($id: ID!) { updateSite(input: { id: $id, name: \"Par la prise\" }) { site { name } } }";
    socket.subscribe("m", rename, json!({ "id": known(Kind::Site, 1) })).await;
    let renamed = socket.next().await;
    assert_eq!(renamed["data"], json!({ "updateSite": { "site": { "name": "Par la prise" } } }));
    assert_eq!(socket.message().await, json!({ "type": "complete", "id": "m" }));
});

on_both!(what_is_refused_is_an_error_and_not_a_response, Small, async |app| {
    let mut socket = Socket::of(&app.anct()).await;
    let wrong = "subscription { changes(after: \"abc\") { cursor } }";
    let args = "subscription { changes(filter: { entity: { eq: NOTHING } }) { cursor } }";
    let two = "subscription { changes { cursor } b: changes { cursor } }";
    for (document, code) in [
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("{", "GRAPHQL_PARSE_FAILED"),
        (args, "GRAPHQL_VALIDATION_FAILED"),
        (two, "GRAPHQL_VALIDATION_FAILED"),
        (
            "subscription { ...F } fragment F on Subscription { changes { at } b: changes { at } }",
            "GRAPHQL_VALIDATION_FAILED",
        ),
        ("subscription { __typename }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { changes { at } __typename }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { changes @include(if: true) { at } }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { changes { nothing } }", "GRAPHQL_VALIDATION_FAILED"),
        (wrong, "CURSOR_EXPIRED"),
    ] {
        socket.subscribe("x", document, json!({})).await;
        let message = socket.message().await;
        assert_eq!(
            (&message["type"], &message["id"]),
            (&json!("error"), &json!("x")),
            "{document}: {message}"
        );
        assert_eq!(message["payload"][0]["extensions"]["code"], code, "{document}: {message}");
        assert!(message["payload"][0]["message"].is_string());
    }
    // the id is free again, and the socket as good as before
    socket
        .subscribe("x", "subscription { changes { ...C } } fragment C on Change { version }", json!({}))
        .await;
    super::begun(&mut socket).await;
    rename(app, 1, "Après les erreurs").await;
    assert_eq!(socket.change().await, json!({ "version": 2 }));
});

on_both!(who_may_not_follow_is_told_so, Small, async |app| {
    for persona in [app.public(), app.anct().scopes(&[])] {
        let mut socket = Socket::of(&persona).await;
        socket.subscribe("x", LIVE, json!({})).await;
        let message = socket.message().await;
        assert_eq!(message["type"], "error", "{message}");
        assert_eq!(message["payload"][0]["extensions"]["code"], "FORBIDDEN");
    }
});

on_both!(a_subscription_by_plain_http_is_refused_with_the_way_to_go, Small, async |app| {
    let answer = app.anct().ask("subscription { changes { cursor } }").await;
    assert_eq!((answer.status, answer.code()), (400, "BAD_USER_INPUT"));
    assert!(answer.body.to_string().contains("/graphql/ws"), "{answer}");
});

on_both!(pings_are_answered_and_a_client_may_stop_one_stream, Small, async |app| {
    let mut socket = Socket::open(app).await;
    // before it begins, too
    socket.send(&json!({ "type": "ping" })).await;
    assert_eq!(socket.message().await, json!({ "type": "pong" }));
    socket.begin(app.anct().authorization().as_deref()).await;
    socket.send(&json!({ "type": "ping", "payload": { "a": 1 } })).await;
    assert_eq!(socket.message().await, json!({ "type": "pong", "payload": { "a": 1 } }));
    socket.send(&json!({ "type": "pong" })).await;
    socket.send_frame(Message::Ping(Bytes::from_static(b"x"))).await;
    assert_eq!(socket.frame().await, Some(Message::Pong(Bytes::from_static(b"x"))));
    for id in ["stopped", "kept"] {
        socket.subscribe(id, LIVE, json!({})).await;
    }
    super::begun(&mut socket).await;
    socket.send(&json!({ "type": "complete", "id": "stopped" })).await;
    socket.send(&json!({ "type": "complete", "id": "never was" })).await;
    super::begun(&mut socket).await;
    for name in ["Un", "Deux"] {
        rename(app, 1, &format!("Nom {name}")).await;
        let message = socket.message().await;
        assert_eq!(message["id"], "kept");
    }
    // its id is free
    socket.subscribe("stopped", "{ viewer { role } }", json!({})).await;
    assert_eq!(socket.message().await["id"], "stopped");
});

on_both!(what_is_sent_after_a_subscription_is_told_by_it, Small, async |app| {
    let rename = "mutation ($id: ID!, $name: String!) { updateSite(input: { id: $id, name: $name }) { site { version } } }";
    for round in 0..10 {
        let mut socket = Socket::of(&app.anct()).await;
        socket.subscribe("live", LIVE, json!({})).await;
        let variables = json!({ "id": known(Kind::Site, 1), "name": format!("Nom {round}") });
        socket.subscribe("write", rename, variables).await;
        let mut told = Vec::new();
        while told.len() < 3 {
            told.push(socket.message().await);
        }
        let events: Vec<&Value> = told.iter().filter(|message| message["id"] == "live").collect();
        assert_eq!(events.len(), 1, "{told:?}");
        assert_eq!(line(&events[0]["payload"]["data"]["changes"]), format!("UPSERT SITE {} *", round + 2));
    }
});

on_both!(a_message_may_come_in_pieces, Small, async |app| {
    use tokio_tungstenite::tungstenite::protocol::frame::Frame;
    use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
    let mut socket = Socket::of(&app.anct()).await;
    let message = json!({ "type": "subscribe", "id": "q", "payload": { "query": "{ viewer { role } }" } });
    let text = message.to_string();
    let (first, rest) = text.split_at(20);
    let (second, third) = rest.split_at(10);
    for (part, code, last) in
        [(first, Data::Text, false), (second, Data::Continue, false), (third, Data::Continue, true)]
    {
        let frame = Frame::message(part.to_owned(), OpCode::Data(code), last);
        socket.send_frame(Message::Frame(frame)).await;
    }
    assert_eq!(socket.next().await["data"]["viewer"]["role"], "anct");
});

/// Closes a socket, and gives the code with its reason.
async fn closed_by(app: &TestApp, authorization: Option<&str>, texts: &[Value]) -> (u16, String) {
    let mut socket = Socket::open(app).await;
    if let Some(value) = authorization {
        socket.begin(Some(value)).await;
    }
    for text in texts {
        socket.send(text).await;
    }
    socket.closed().await
}

on_both!(each_breach_of_the_protocol_has_its_code, Small, async |app| {
    let good = app.anct().authorization();
    let live = |id: &str| json!({ "type": "subscribe", "id": id, "payload": { "query": LIVE } });
    let init = |token: &str| json!({ "type": "connection_init", "payload": { "authorization": token } });
    let many: Vec<Value> = (0..=cites::limits::SOCKET_OPERATIONS).map(|n| live(&n.to_string())).collect();
    let cases: Vec<(u16, bool, Vec<Value>)> = vec![
        (4400, false, vec![json!([])]),
        (4400, false, vec![json!({ "type": "start" })]),
        (4400, false, vec![json!({ "id": "1" })]),
        (4400, false, vec![json!({ "type": "connection_init", "payload": "Bearer x" })]),
        (4400, false, vec![json!({ "type": "connection_init", "payload": { "Authorization": 1 } })]),
        (4400, true, vec![json!({ "type": "connection_ack" })]),
        (4400, true, vec![json!({ "type": "subscribe", "payload": { "query": LIVE } })]),
        (4400, true, vec![json!({ "type": "subscribe", "id": "", "payload": { "query": LIVE } })]),
        (4400, true, vec![json!({ "type": "subscribe", "id": "1" })]),
        (4400, true, vec![json!({ "type": "subscribe", "id": "1", "payload": { "query": 1 } })]),
        (
            4400,
            true,
            vec![json!({ "type": "subscribe", "id": "1", "payload": { "query": LIVE, "variables": [] } })],
        ),
        (4400, true, vec![json!({ "type": "complete" })]),
        (4401, false, vec![live("1")]),
        (4401, false, vec![init("Bearer nothing")]),
        (4401, false, vec![init("Basic eDp5")]),
        (4409, true, vec![live("1"), live("1")]),
        (4429, false, vec![init(good.as_deref().expect("a token")), init("Bearer nothing")]),
        (4429, true, many),
    ];
    for (code, begins, texts) in cases {
        let authorization = good.as_deref().filter(|_| begins);
        let (closed, reason) = closed_by(app, authorization, &texts).await;
        assert_eq!(closed, code, "{reason}: {texts:?}");
        assert!(!reason.is_empty());
    }
    let mut socket = Socket::of(&app.anct()).await;
    socket.send_text("{").await;
    assert_eq!(socket.closed().await.0, 4400);
    let mut socket = Socket::of(&app.anct()).await;
    socket.send_frame(Message::Binary(Bytes::from_static(b"{}"))).await;
    assert_eq!(socket.closed().await.0, 4400);
    let mut socket = Socket::of(&app.anct()).await;
    socket.send_text(&" ".repeat(cites::limits::SOCKET_MESSAGE_BYTES + 1)).await;
    assert_eq!(socket.closed().await.0, 1009);
    let mut socket = following(&app.anct()).await;
    socket.send_frame(Message::Close(None)).await;
    assert_eq!(socket.closed().await.0, 1000, "the client ends it");
});

#[test]
fn who_does_not_begin_in_time_is_closed() {
    block_on(async || {
        let settings = [("CITES_LIVE__INIT_TIMEOUT_MS", "100")];
        let app = TestApp::start_with(Backend::Sqlite, Template::Empty, &settings).await;
        let mut socket = Socket::open(&app).await;
        assert_eq!(socket.closed().await, (4408, "Connection initialisation timeout".to_owned()));
        // one that has begun may be silent for longer
        let mut socket = Socket::of(&app.anct()).await;
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        socket.send(&json!({ "type": "ping" })).await;
        assert_eq!(socket.message().await, json!({ "type": "pong" }));
        app.stop().await;
    });
}

#[test]
fn there_is_room_for_so_many_streams() {
    block_on(async || {
        let settings = [("CITES_LIVE__MAX_STREAMS", "2")];
        let app = TestApp::start_with(Backend::Sqlite, Template::Small, &settings).await;
        let body = json!({ "query": LIVE });
        let authorization = app.anct().authorization();
        let socket = Socket::of(&app.anct()).await;
        let events = app.anct().stream(LIVE, json!({})).await;
        let refused = app.stream(authorization.as_deref(), &body).await;
        assert_eq!(
            (refused.status().as_u16(), refused.headers()["retry-after"].as_bytes()),
            (503, b"5".as_slice())
        );
        drop((socket, events));
        // the place of one that has gone is free once the server notices
        while app.stream(authorization.as_deref(), &body).await.status() != 200 {
            tokio::task::yield_now().await;
        }
        app.stop().await;
    });
}

#[test]
fn sockets_without_token_leave_room_for_others() {
    block_on(async || {
        let settings = [("CITES_LIVE__MAX_STREAMS", "5")];
        let app = TestApp::start_with(Backend::Sqlite, Template::Small, &settings).await;
        let mut held = Vec::new();
        let mut refused = 0;
        for _ in 0..5 {
            let mut socket = Socket::open(&app).await;
            socket.send(&json!({ "type": "connection_init" })).await;
            match socket.frame().await {
                Some(Message::Text(_)) => held.push(socket),
                Some(Message::Close(Some(close))) => {
                    assert_eq!(u16::from(close.code), 1013, "{}", close.reason);
                    refused += 1;
                }
                other => panic!("{other:?}"),
            }
        }
        assert_eq!((held.len(), refused), (3, 2));
        let body = json!({ "query": "{ viewer { role } }" });
        assert_eq!(app.stream(None, &body).await.status(), 503, "the public's share is taken");
        let mut socket = following(&app.anct()).await;
        rename(&app, 1, "Autre nom").await;
        assert_eq!(line(&socket.change().await), "UPSERT SITE 2 *");
        app.stop().await;
    });
}

#[test]
fn an_address_has_so_many_streams_without_a_token() {
    block_on(async || {
        let app = TestApp::start_with(Backend::Sqlite, Template::Small, &[]).await;
        let mut held = Vec::new();
        for _ in 0..cites::limits::STREAMS_OF_ADDRESS {
            held.push(Socket::of(&app.public()).await);
        }
        let refused = app.stream(None, &json!({ "query": "{ viewer { role } }" })).await;
        let retry_after = refused.headers()["retry-after"].to_str().map(str::to_owned);
        assert_eq!((refused.status().as_u16(), retry_after.expect("a text").as_str()), (429, "5"));
        assert!(refused.text().await.expect("a body").contains("RATE_LIMITED"));
        let authorization = app.anct().authorization();
        assert_eq!(app.stream(authorization.as_deref(), &json!({ "query": LIVE })).await.status(), 200);
        app.stop().await;
    });
}

on_both!(the_token_may_come_with_the_handshake, Small, async |app| {
    let role = async |socket: &mut Socket| {
        socket.subscribe("q", "{ viewer { role } }", json!({})).await;
        socket.next().await["data"]["viewer"]["role"].clone()
    };
    let connect = async || tokio::net::TcpStream::connect(app.address).await.expect("a connection");
    let token = |persona: &Persona<'_>| persona.authorization();
    let mut socket = Socket::over(app, connect().await, token(&app.anct()).as_deref()).await;
    socket.begin(None).await;
    assert_eq!(role(&mut socket).await, "anct");
    // what is said later counts
    let mut socket = Socket::over(app, connect().await, token(&app.anct()).as_deref()).await;
    socket.begin(token(&app.prefecture(&["69"])).as_deref()).await;
    assert_eq!(role(&mut socket).await, "prefecture");
});

on_both!(a_handshake_without_the_subprotocol_is_refused, Small, async |app| {
    let plain = app.get("/graphql/ws").await;
    assert_eq!((plain.status, plain.code()), (400, "BAD_REQUEST"));
    assert!(plain.body.to_string().contains("graphql-transport-ws"), "{plain}");
    for (protocol, status) in [("graphql-ws", 400), ("graphql-ws, graphql-transport-ws", 101)] {
        let request = reqwest::Client::new().get(format!("http://{}/graphql/ws", app.address));
        let request = request.header("connection", "upgrade").header("upgrade", "websocket");
        let request =
            request.header("sec-websocket-version", "13").header("sec-websocket-protocol", protocol);
        let answer = request.header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==").send().await;
        let answer = answer.expect("an answer");
        assert_eq!(answer.status().as_u16(), status, "{protocol}");
        let chosen = answer.headers().get("sec-websocket-protocol").map(|name| name.as_bytes().to_vec());
        assert_eq!(chosen, (status == 101).then(|| b"graphql-transport-ws".to_vec()));
    }
});

on_both!(a_server_that_stops_sends_its_clients_elsewhere, Small, async |app| {
    let (mut socket, mut idle) = (following(&app.anct()).await, Socket::of(&app.anct()).await);
    let mut events = app.anct().stream(LIVE, json!({})).await;
    rename(app, 1, "Avant la fin").await;
    assert_eq!(line(&socket.change().await), "UPSERT SITE 2 *");
    assert_eq!(line(&events.change().await), "UPSERT SITE 2 *");
    app.end_streams();
    assert_eq!(socket.closed().await.0, 1001);
    assert_eq!(idle.closed().await.0, 1001);
    assert_eq!(events.event().await, None, "no `complete`: there is more to come");
});
