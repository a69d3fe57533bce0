//! What only time brings about, with less of it than a server takes.

use std::pin::Pin;
use std::task::Poll;

use actix_http::ws::Frame;
use actix_web::App;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::Payload as Body;
use actix_web::test::{TestRequest, call_service, init_service};
use futures_util::StreamExt;
use serde_json::json;
use tokio_util::codec::Decoder;

use super::*;
use crate::http::tests::Engine;
use crate::http::{HttpSettings, routes};

/// A socket that has begun, with or without a token.
struct Begun(Pin<Box<BoxBody>>, BytesMut);

impl Begun {
    async fn of(authorization: Option<&str>) -> Self {
        let settings = HttpSettings { idle_timeout: Duration::from_millis(50), ..HttpSettings::default() };
        let endpoint = Data::new(Endpoint::new(Engine::new(true), settings));
        let app = init_service(App::new().configure(|app| routes(app, &endpoint))).await;
        let mut request = TestRequest::get().uri("/graphql/ws");
        for (name, value) in [
            ("connection", "upgrade"),
            ("upgrade", "websocket"),
            ("sec-websocket-version", "13"),
            ("sec-websocket-protocol", PROTOCOL),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ] {
            request = request.insert_header((name, value));
        }
        let mut request = request.to_request();
        let init = json!({ "type": "connection_init", "payload": { "Authorization": authorization } });
        let init = if authorization.is_some() { init } else { json!({ "type": "connection_init" }) };
        let mut sent = BytesMut::new();
        let message = ws::Message::Text(init.to_string().into());
        Codec::new().client_mode().encode(message, &mut sent).unwrap();
        // then nothing, for ever
        let sent = stream::iter([Ok(sent.freeze())]).chain(stream::pending());
        *request.payload() = Body::Stream { payload: Box::pin(sent) };
        let response = call_service(&app, request).await;
        assert_eq!(response.status(), StatusCode::SWITCHING_PROTOCOLS);
        let mut begun = Self(Box::pin(response.into_body().boxed()), BytesMut::new());
        assert!(matches!(begun.frame().await, Frame::Text(text) if text == message::ACK));
        begun
    }

    async fn frame(&mut self) -> Frame {
        let mut codec = Codec::new().client_mode();
        loop {
            if let Some(frame) = codec.decode(&mut self.1).unwrap() {
                return frame;
            }
            let bytes = std::future::poll_fn(|context| self.0.as_mut().poll_next(context)).await;
            self.1.extend_from_slice(&bytes.unwrap().unwrap());
        }
    }
}

#[actix_web::test]
async fn a_socket_without_token_that_does_nothing_is_closed() {
    let mut known = Begun::of(Some("Bearer good")).await;
    let mut public = Begun::of(None).await;
    let Frame::Close(Some(close)) = public.frame().await else { panic!("no close") };
    assert_eq!(u16::from(close.code), IDLE.code);
    assert!(close.description.unwrap().contains("nothing was under way"));
    let mut other = std::pin::pin!(known.frame());
    let told = std::future::poll_fn(|context| Poll::Ready(other.as_mut().poll(context).is_ready())).await;
    assert!(!told, "with a token it may stay");
}
