//! What one connection may ask at once. HTTP/2 has many requests on one connection, and the library takes as many as come:
//! each would be read, wait and be answered beside all others.

use std::any::Any;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::body::{BodySize, MessageBody};
use actix_web::dev::{Extensions, ServiceRequest};
use actix_web::web::Bytes;

use super::streams::give_up_unread;
use crate::limits;

/// Requests in progress on one connection.
#[derive(Clone, Debug, Default)]
struct Connection(Arc<AtomicUsize>);

/// Prepares a new connection: its requests are counted, and it is given up when its client reads nothing any more.
pub fn connected(connection: &dyn Any, data: &mut Extensions, stall: Duration) {
    data.insert(Connection::default());
    give_up_unread(connection, stall);
}

/// A place among the requests of a connection, given up when it is dropped.
#[derive(Debug)]
pub(super) struct InProgress(Connection);

impl InProgress {
    /// A place for a request; none when the connection has as many as it may.
    pub(super) fn begin(request: &ServiceRequest) -> Option<Self> {
        // in tests of handlers alone there is no connection
        let place = Self(request.conn_data::<Connection>().cloned().unwrap_or_default());
        let others = place.0.0.fetch_add(1, Ordering::Relaxed);
        (others < limits::CONNECTION_REQUESTS).then_some(place)
    }
}

impl Drop for InProgress {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A body that keeps the place of its request until it is sent or given up.
pub(super) struct Held<B> {
    pub(super) body: Pin<Box<B>>,
    pub(super) _place: InProgress,
}

impl<B: MessageBody> MessageBody for Held<B> {
    type Error = B::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        self.get_mut().body.as_mut().poll_next(context)
    }
}
