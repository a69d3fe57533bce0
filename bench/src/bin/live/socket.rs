//! A client of graphql-transport-ws that takes little memory.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

/// A change of an action, with what a mirror keeps of it.
const LIVE: &str = "subscription ($entity: ChangeEntity!) { changes(filter: { entity: { eq: $entity } }) { cursor \
                    operation entityId version node { ... on Action { title status innovative } } } }";

/// Longer than the server is ever silent.
const PATIENCE: Duration = Duration::from_mins(1);

/// A socket that has begun.
pub struct Socket(WebSocketStream<TcpStream>);

impl Socket {
    /// Connects and begins.
    pub async fn begin(address: SocketAddr, token: &str) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let mut request = format!("ws://{address}/graphql/ws").into_client_request()?;
        request.headers_mut().insert("sec-websocket-protocol", "graphql-transport-ws".parse()?);
        let small = WebSocketConfig::default().read_buffer_size(4_096).write_buffer_size(0);
        let (socket, _) = tokio_tungstenite::client_async_with_config(request, stream, Some(small)).await?;
        let mut socket = Self(socket);
        let token = format!("Bearer {token}");
        socket.send(&json!({ "type": "connection_init", "payload": { "Authorization": token } })).await?;
        let answer = socket.message().await?;
        ensure!(answer["type"] == "connection_ack", "{answer}");
        Ok(socket)
    }

    /// Follows one kind of objects, and waits until that is under way.
    pub async fn follow(&mut self, entity: &str) -> anyhow::Result<()> {
        let payload = json!({ "query": LIVE, "variables": { "entity": entity } });
        self.send(&json!({ "type": "subscribe", "id": "live", "payload": payload })).await?;
        // operations begin in their order, and this one has to be read
        let payload = json!({ "query": "{ changes(last: 1) { pageInfo { endCursor } } }" });
        self.send(&json!({ "type": "subscribe", "id": "begun", "payload": payload })).await?;
        loop {
            let message = self.message().await?;
            match message["type"].as_str() {
                Some("complete") if message["id"] == "begun" => return Ok(()),
                Some("next") => {}
                _ => bail!("{message}"),
            }
        }
    }

    /// Version of the next change.
    pub async fn version(&mut self) -> anyhow::Result<i64> {
        let message = self.message().await?;
        let version = message.pointer("/payload/data/changes/version").and_then(Value::as_i64);
        version.with_context(|| message.to_string())
    }

    async fn send(&mut self, message: &Value) -> anyhow::Result<()> {
        Ok(self.0.send(Message::text(message.to_string())).await?)
    }

    /// The next message; pings are answered.
    async fn message(&mut self) -> anyhow::Result<Value> {
        loop {
            let frame = tokio::time::timeout(PATIENCE, self.0.next()).await.context("nothing comes")?;
            let frame = frame.context("the server is gone")??;
            let Message::Text(text) = frame else { bail!("{frame:?}") };
            let message: Value = serde_json::from_str(&text)?;
            if message["type"] != "ping" {
                return Ok(message);
            }
            self.send(&json!({ "type": "pong" })).await?;
        }
    }
}
