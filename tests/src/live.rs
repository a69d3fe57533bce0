//! Those who follow changes: over a WebSocket, or over Server-Sent Events.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::{Persona, TestApp};

/// Longer than anything that a test waits for.
const PATIENCE: Duration = Duration::from_secs(30);

/// A WebSocket of graphql-transport-ws.
#[derive(Debug)]
pub struct Socket(WebSocketStream<TcpStream>);

impl Socket {
    /// Opens a socket, and says nothing on it.
    pub async fn open(app: &TestApp) -> Self {
        let stream = TcpStream::connect(app.address).await.expect("the server listens");
        Self::over(app, stream, None).await
    }

    /// The same over a connection that is made already, with a token in the handshake.
    pub async fn over(app: &TestApp, stream: TcpStream, authorization: Option<&str>) -> Self {
        let mut request =
            format!("ws://{}/graphql/ws", app.address).into_client_request().expect("a request");
        let headers = request.headers_mut();
        headers.insert("sec-websocket-protocol", "graphql-transport-ws".parse().expect("a value"));
        if let Some(value) = authorization {
            headers.insert("authorization", value.parse().expect("a value"));
        }
        let (socket, _) =
            tokio_tungstenite::client_async(request, stream).await.expect("the handshake succeeds");
        Self(socket)
    }

    /// A socket on which a persona has begun.
    pub async fn of(persona: &Persona<'_>) -> Self {
        let mut socket = Self::open(persona.app()).await;
        socket.begin(persona.authorization().as_deref()).await;
        socket
    }

    /// Begins, with a token in the message.
    pub async fn begin(&mut self, authorization: Option<&str>) {
        let payload = authorization.map_or(Value::Null, |value| json!({ "Authorization": value }));
        self.send(&json!({ "type": "connection_init", "payload": payload })).await;
        assert_eq!(self.message().await, json!({ "type": "connection_ack" }));
    }

    /// Sends a message.
    pub async fn send(&mut self, message: &Value) {
        self.send_text(&message.to_string()).await;
    }

    /// Sends any text.
    pub async fn send_text(&mut self, text: &str) {
        self.0.send(Message::text(text)).await.expect("the socket is open");
    }

    /// Sends any frame.
    pub async fn send_frame(&mut self, frame: Message) {
        self.0.send(frame).await.expect("the socket is open");
    }

    /// Sends an operation under an id.
    pub async fn subscribe(&mut self, id: &str, document: &str, variables: Value) {
        let payload = json!({ "query": document, "variables": variables });
        self.send(&json!({ "type": "subscribe", "id": id, "payload": payload })).await;
    }

    /// The next frame; none when the connection is gone.
    pub async fn frame(&mut self) -> Option<Message> {
        let next = tokio::time::timeout(PATIENCE, self.0.next()).await.expect("something comes");
        next.and_then(Result::ok)
    }

    /// The next message of the protocol.
    pub async fn message(&mut self) -> Value {
        match self.frame().await {
            Some(Message::Text(text)) => serde_json::from_str(&text).expect("JSON"),
            other => panic!("no message: {other:?}"),
        }
    }

    /// The payload of the next message, which is a `next`.
    pub async fn next(&mut self) -> Value {
        let mut message = self.message().await;
        assert_eq!(message["type"], "next", "{message}");
        message["payload"].take()
    }

    /// The next change that is told.
    pub async fn change(&mut self) -> Value {
        let mut response = self.next().await;
        assert!(response["errors"].is_null(), "{response}");
        response["data"]["changes"].take()
    }

    /// Code and reason with which the server closes; what comes before is passed over.
    pub async fn closed(&mut self) -> (u16, String) {
        loop {
            match self.frame().await {
                Some(Message::Close(Some(close))) => return (close.code.into(), close.reason.to_string()),
                Some(Message::Text(_)) => {}
                other => panic!("no close: {other:?}"),
            }
        }
    }
}

/// An event stream.
#[derive(Debug)]
pub struct EventStream {
    response: reqwest::Response,
    text: String,
}

impl EventStream {
    /// The events of an answer.
    pub fn of(response: reqwest::Response) -> Self {
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { response, text: String::new() }
    }

    /// Name and data of the next event; comments are passed over. None when the stream has ended.
    pub async fn event(&mut self) -> Option<(String, Value)> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let field =
                    |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
                let told = field("event:").map(|name| {
                    let data = field("data:").filter(|data| !data.is_empty());
                    (
                        name.to_owned(),
                        data.map_or(Value::Null, |data| serde_json::from_str(data).expect("JSON")),
                    )
                });
                self.text = self.text.split_off(self.text.len() - rest.len());
                if told.is_some() {
                    return told;
                }
                continue;
            }
            let chunk = tokio::time::timeout(PATIENCE, self.response.chunk()).await.expect("something comes");
            self.text.push_str(std::str::from_utf8(&chunk.ok()??).expect("UTF-8"));
        }
    }

    /// The next change that is told.
    pub async fn change(&mut self) -> Value {
        let (name, mut response) = self.event().await.expect("an event");
        assert_eq!((name.as_str(), &response["errors"]), ("next", &Value::Null), "{response}");
        response["data"]["changes"].take()
    }
}
