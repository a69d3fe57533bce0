//! `/graphql/ws`: GraphQL over WebSocket, by the protocol graphql-transport-ws, for operations of every kind.
//!
//! The token comes with the handshake or in `connection_init`, and never in a cookie: a page of another origin that
//! opens a socket is the public, so origins are not looked at.
//!
//! What the server sends is a stream of bytes that actix asks for while the client reads. One task works on a socket,
//! and only when it is asked: nothing piles up behind a slow client.

mod close;
mod frames;
mod message;
mod operations;

use std::net::IpAddr;
use std::time::{Duration, Instant};

use actix_http::ws::{self, CloseReason, Codec};
use actix_web::http::StatusCode;
use actix_web::http::header::{AUTHORIZATION, SEC_WEBSOCKET_PROTOCOL};
use actix_web::web::{self, Bytes, Data, Payload};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, Resource};
use bytes::BytesMut;
use futures_util::stream;
use tokio_util::codec::Encoder;

use self::close::{
    Close, GOING_AWAY, IDLE, INTERNAL, NO_INIT, NO_ROOM, NORMAL, TOO_SLOW, TRY_LATER, TWO_INITS, UNAUTHORIZED,
};
use self::frames::{Frames, Received};
use self::message::Message;
use self::operations::Operations;
use super::Endpoint;
use super::envelope::request_id;
use super::executor::{AuthRefusal, Executor, GraphqlRequest};
use super::graphql::authenticate;
use super::negotiate::MediaType;
use super::params::Params;
use super::refusal::Refusal;
use super::streams::{Owner, Stream};
use crate::limits;

/// The one subprotocol that is spoken.
const PROTOCOL: &str = "graphql-transport-ws";

/// How long a client has to answer a close.
const FAREWELL: Duration = Duration::from_secs(2);

pub(super) fn resource<E: Executor>(path: &str) -> Resource {
    web::resource(path).route(web::get().to(open::<E>)).default_service(web::to(other_method))
}

async fn other_method() -> HttpResponse {
    Refusal::method("GET").response(MediaType::Json)
}

async fn open<E: Executor>(http: HttpRequest, payload: Payload, endpoint: Data<Endpoint<E>>) -> HttpResponse {
    match begin(&http, payload, endpoint).await {
        Ok(response) => response,
        Err(refusal) => refusal.response(MediaType::Json),
    }
}

async fn begin<E: Executor>(
    http: &HttpRequest,
    payload: Payload,
    endpoint: Data<Endpoint<E>>,
) -> Result<HttpResponse, Refusal> {
    let offered = http.headers().get_all(SEC_WEBSOCKET_PROTOCOL);
    let mut offered = offered.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    if ws::verify_handshake(http.head()).is_err() || !offered.any(|name| name.trim() == PROTOCOL) {
        let message = format!("A WebSocket is expected here, with the subprotocol {PROTOCOL}.");
        return Err(Refusal::bad_request(message));
    }
    let given = if http.headers().contains_key(AUTHORIZATION) {
        Some(authenticate(&endpoint.executor, http.headers()).await?)
    } else {
        None
    };
    let address = endpoint.settings.proxies.client(http);
    let client = endpoint.executor.client(given.as_ref(), address);
    let owner = if given.is_some() { Owner::Known(client) } else { Owner::Waiting(client) };
    let stream = endpoint.streams.begin(owner, endpoint.settings.stall_timeout)?;
    let deadline = Instant::now() + endpoint.settings.init_timeout;
    let socket = Socket {
        frames: Frames::of(payload),
        state: State::New { given, deadline },
        operations: Operations::default(),
        heard: Instant::now(),
        busy: Instant::now(),
        is_asked: false,
        request_id: request_id(http),
        address,
        stream,
        endpoint,
    };
    let sent = stream::unfold(socket, async |mut socket| {
        let bytes = socket.turn().await?;
        Some((Ok::<_, actix_web::Error>(bytes), socket))
    });
    let agreed = ws::handshake_response(http.head()).finish();
    let mut response = HttpResponseBuilder::new(StatusCode::SWITCHING_PROTOCOLS);
    // a response of actix-http, whose type is another
    for header in agreed.headers() {
        response.insert_header(header);
    }
    Ok(response.upgrade("websocket").insert_header((SEC_WEBSOCKET_PROTOCOL, PROTOCOL)).streaming(sent))
}

/// How far a socket is.
enum State<A> {
    /// It waits for `connection_init`; a token that came with the handshake is known.
    New { given: Option<A>, deadline: Instant },
    /// Operations are taken.
    Open { actor: A, is_public: bool },
    /// The close was sent; the client's is waited for.
    Closing { deadline: Instant },
}

struct Socket<E: Executor> {
    frames: Frames,
    state: State<E::Actor>,
    operations: Operations,
    /// When the client was last heard.
    heard: Instant,
    /// When an operation was last under way.
    busy: Instant,
    /// It was asked since whether it is there.
    is_asked: bool,
    request_id: String,
    address: Option<IpAddr>,
    stream: Stream,
    endpoint: Data<Endpoint<E>>,
}

/// What a turn is about.
enum Event {
    Received(Result<Received, Close>),
    Said(Result<Vec<u8>, Close>),
    Elapsed,
    Stopped,
}

impl<E: Executor> Socket<E> {
    /// The next bytes to send; none when the socket is done.
    async fn turn(&mut self) -> Option<Bytes> {
        let mut told = if self.stream.is_stalled() { Some(Err(TOO_SLOW)) } else { None };
        loop {
            let sent = match told.take() {
                Some(Ok(frame)) => frame,
                Some(Err(close)) => self.close(close)?,
                None => {
                    told = match self.event().await {
                        Event::Received(received) => self.received(received).await?,
                        Event::Said(said) => Some(said.map(text)),
                        Event::Elapsed => self.elapsed()?,
                        Event::Stopped => Some(Err(GOING_AWAY)),
                    };
                    continue;
                }
            };
            self.stream.give();
            return encode(sent);
        }
    }

    async fn event(&mut self) -> Event {
        let is_closing = matches!(self.state, State::Closing { .. });
        let wait = match &self.state {
            State::New { deadline, .. } | State::Closing { deadline } => {
                deadline.saturating_duration_since(Instant::now())
            }
            State::Open { .. } => {
                let silence = self.silence_left();
                self.idle_left().map_or(silence, |left| left.min(silence))
            }
        };
        let is_busy = self.operations.are_under_way();
        let event = tokio::select! {
            received = self.frames.next() => Event::Received(received),
            said = self.operations.next(), if !is_closing => Event::Said(said),
            () = self.stream.ended(), if !is_closing => Event::Stopped,
            () = tokio::time::sleep(wait) => Event::Elapsed,
        };
        if is_busy {
            self.busy = Instant::now();
        }
        event
    }

    /// How long the client may yet be silent; asked whether it is there, it has as long again.
    fn silence_left(&self) -> Duration {
        (limits::SOCKET_SILENCE * (1 + u32::from(self.is_asked))).saturating_sub(self.heard.elapsed())
    }

    /// How long it may go on with nothing under way: without a token a place is not kept for nothing.
    fn idle_left(&self) -> Option<Duration> {
        let is_idle = matches!(self.state, State::Open { is_public: true, .. });
        let is_idle = is_idle && !self.operations.are_under_way();
        is_idle.then(|| self.endpoint.settings.idle_timeout.saturating_sub(self.busy.elapsed()))
    }

    /// Takes what the client sent; gives what to send, and `None` when it is gone.
    async fn received(&mut self, received: Result<Received, Close>) -> Option<Option<Told>> {
        (self.heard, self.is_asked) = (Instant::now(), false);
        if matches!(self.state, State::Closing { .. }) {
            // only the end counts
            return if matches!(received, Ok(Received::Closed) | Err(_)) { None } else { Some(None) };
        }
        Some(match received {
            Ok(Received::Text(text)) => match Message::read(&text) {
                Ok(message) => self.message(message, text.len()).await,
                Err(close) => Some(Err(close)),
            },
            Ok(Received::Ping(bytes)) => Some(Ok(ws::Message::Pong(bytes))),
            Ok(Received::Pong) => None,
            Ok(Received::Closed) => Some(Err(NORMAL)),
            Err(close) => Some(Err(close)),
        })
    }

    /// Does what a message of so many bytes asks.
    async fn message(&mut self, message: Message, bytes: usize) -> Option<Told> {
        match message {
            Message::Init { authorization } => Some(self.init(authorization).await),
            Message::Ping { payload } => Some(Ok(text(message::pong(payload)))),
            Message::Pong => None,
            Message::Complete { id } => {
                self.operations.drop(&id);
                None
            }
            Message::Subscribe { id, params } => self.subscribe(id, params, bytes).err().map(Err),
        }
    }

    /// The token of the message counts, else that of the handshake; without any it is the public.
    async fn init(&mut self, authorization: Option<String>) -> Told {
        let State::New { given, .. } = &mut self.state else { return Err(TWO_INITS) };
        let given = given.take().filter(|_| authorization.is_none());
        let is_new = given.is_none();
        let executor = &self.endpoint.executor;
        let actor = match given {
            Some(actor) => actor,
            None => match executor.authenticate(authorization.as_deref()).await {
                Ok(actor) => actor,
                Err(AuthRefusal::Invalid { message, .. }) => return Err(UNAUTHORIZED.because(&message)),
                Err(AuthRefusal::Unavailable) => return Err(TRY_LATER),
            },
        };
        let client = executor.client(Some(&actor), self.address);
        if is_new && let Err(refusal) = self.stream.becomes(client, &self.endpoint.streams) {
            return Err(NO_ROOM.because(refusal.message()));
        }
        (self.state, self.busy) = (State::Open { actor, is_public: client.is_public }, Instant::now());
        Ok(text(message::ACK.to_vec()))
    }

    fn subscribe(&mut self, id: String, params: Params, bytes: usize) -> Result<(), Close> {
        let State::Open { actor, .. } = &self.state else { return Err(UNAUTHORIZED) };
        if let Some(ending) = self.endpoint.executor.ending(actor) {
            return Err(Close::of(&ending));
        }
        let Params { query, document_id, operation_name, variables, extensions } = params;
        let request = GraphqlRequest {
            query,
            document_id,
            operation_name,
            variables,
            extensions,
            read_only: false,
            bytes,
            request_id: self.request_id.clone(),
            address: self.address,
            is_ours: false,
        };
        self.operations.begin(id, request, &self.endpoint, actor)
    }

    /// What follows from silence: `None` when the client is taken for gone.
    #[expect(clippy::option_option, reason = "the socket is done, or there is nothing to send")]
    fn elapsed(&mut self) -> Option<Option<Told>> {
        match &self.state {
            State::New { .. } => Some(Some(Err(NO_INIT))),
            State::Closing { .. } => None,
            State::Open { actor, .. } => {
                if let Some(ending) = self.endpoint.executor.ending(actor) {
                    return Some(Some(Err(Close::of(&ending))));
                }
                if self.idle_left().is_some_and(|left| left.is_zero()) {
                    return Some(Some(Err(IDLE)));
                }
                if !self.silence_left().is_zero() {
                    return Some(None);
                }
                if self.is_asked {
                    return None;
                }
                self.is_asked = true;
                Some(Some(Ok(text(message::PING.to_vec()))))
            }
        }
    }

    /// Ends everything and says why; then the client's own close is waited for, so that ours reaches it.
    fn close(&mut self, close: Close) -> Option<ws::Message> {
        if matches!(self.state, State::Closing { .. }) {
            return None;
        }
        let is_answer = close == NORMAL;
        self.operations = Operations::default();
        let wait = if is_answer { Duration::ZERO } else { FAREWELL };
        self.state = State::Closing { deadline: Instant::now() + wait };
        let description = Some(close.reason.into_owned()).filter(|reason| !reason.is_empty());
        Some(ws::Message::Close(Some(CloseReason { code: close.code.into(), description })))
    }
}

/// A frame to send, or why the socket is closed.
type Told = Result<ws::Message, Close>;

fn text(message: Vec<u8>) -> ws::Message {
    match String::from_utf8(message) {
        Ok(text) => ws::Message::Text(text.into()),
        Err(_) => ws::Message::Close(Some(CloseReason { code: INTERNAL.code.into(), description: None })),
    }
}

fn encode(frame: ws::Message) -> Option<Bytes> {
    let mut bytes = BytesMut::new();
    Codec::new().encode(frame, &mut bytes).ok()?;
    Some(bytes.freeze())
}

#[cfg(test)]
mod tests;
