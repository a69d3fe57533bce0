//! Frames of a WebSocket (RFC 6455), put together to whole messages.

use actix_http::ws::{Codec, Frame, Item, ProtocolError};
use actix_web::web::Payload;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use tokio_util::codec::Decoder;

use super::close::{BAD_MESSAGE, Close, TOO_LARGE};
use crate::limits;

/// What a client sent.
#[derive(Debug)]
pub(super) enum Received {
    /// A message.
    Text(Vec<u8>),
    /// A ping of the WebSocket itself, to be answered with its bytes.
    Ping(Bytes),
    /// The answer to one.
    Pong,
    /// The client closes, or is gone.
    Closed,
}

/// The frames of a client.
pub(super) struct Frames {
    payload: Payload,
    codec: Codec,
    read: BytesMut,
    /// The parts of a message that is not complete.
    begun: Option<Vec<u8>>,
}

impl Frames {
    /// The frames of a request that was upgraded.
    pub fn of(payload: Payload) -> Self {
        let codec = Codec::new().max_size(limits::SOCKET_MESSAGE_BYTES);
        Self { payload, codec, read: BytesMut::new(), begun: None }
    }

    /// What comes next. Nothing is lost when it is not waited for to the end.
    pub async fn next(&mut self) -> Result<Received, Close> {
        loop {
            while let Some(frame) = self.codec.decode(&mut self.read).map_err(|error| wrong(&error))? {
                if let Some(received) = self.take(frame)? {
                    return Ok(received);
                }
            }
            // a socket is quiet for most of its life
            if self.read.is_empty() {
                self.read = BytesMut::new();
            }
            match self.payload.next().await {
                Some(Ok(bytes)) => self.read.extend_from_slice(&bytes),
                Some(Err(_)) | None => return Ok(Received::Closed),
            }
        }
    }

    fn take(&mut self, frame: Frame) -> Result<Option<Received>, Close> {
        Ok(Some(match frame {
            Frame::Text(text) => Received::Text(text.to_vec()),
            Frame::Ping(bytes) => Received::Ping(bytes),
            Frame::Pong(_) => Received::Pong,
            Frame::Close(_) => Received::Closed,
            Frame::Continuation(Item::FirstText(part)) => {
                self.begun = Some(part.to_vec());
                return Ok(None);
            }
            Frame::Continuation(Item::Continue(part)) => {
                self.add(&part)?;
                return Ok(None);
            }
            Frame::Continuation(Item::Last(part)) => {
                self.add(&part)?;
                Received::Text(self.begun.take().unwrap_or_default())
            }
            Frame::Binary(_) | Frame::Continuation(Item::FirstBinary(_)) => return Err(BAD_MESSAGE),
        }))
    }

    fn add(&mut self, part: &[u8]) -> Result<(), Close> {
        let begun = self.begun.get_or_insert_default();
        if begun.len() + part.len() > limits::SOCKET_MESSAGE_BYTES {
            return Err(TOO_LARGE);
        }
        begun.extend_from_slice(part);
        Ok(())
    }
}

fn wrong(error: &ProtocolError) -> Close {
    if matches!(error, ProtocolError::Overflow) {
        TOO_LARGE
    } else {
        Close::new(1002, "not a WebSocket frame")
    }
}
