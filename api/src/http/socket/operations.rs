//! The operations under way on one socket.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use actix_web::web::Data;
use futures_util::stream::{self, LocalBoxStream, StreamExt};
use tokio::sync::Mutex;

use super::close::{Close, INTERNAL, TOO_MANY, TWICE};
use super::message;
use crate::http::Endpoint;
use crate::http::executor::{AnswerKind, Ending, Executor, GraphqlRequest, Operated};
use crate::limits;

/// What an operation says.
enum Said {
    /// A response.
    Next(Vec<u8>),
    /// It was refused, by this response.
    Refused(Vec<u8>),
    /// Its stream ends.
    Ended(Ending),
}

struct Operation {
    id: Box<str>,
    says: LocalBoxStream<'static, Said>,
}

/// Operations under way.
#[derive(Default)]
pub(super) struct Operations {
    /// Those that have waited longest first.
    all: VecDeque<Operation>,
    /// They begin in the order in which they were sent.
    turns: Arc<Mutex<()>>,
}

impl Operations {
    /// Begins one.
    pub fn begin<E: Executor>(
        &mut self,
        id: String,
        request: GraphqlRequest,
        endpoint: &Data<Endpoint<E>>,
        actor: &E::Actor,
    ) -> Result<(), Close> {
        if self.all.iter().any(|known| *known.id == *id) {
            return Err(TWICE.because(&format!("Subscriber for {id} already exists")));
        }
        if self.all.len() >= limits::SOCKET_OPERATIONS {
            return Err(TOO_MANY);
        }
        let (endpoint, actor) = (endpoint.clone(), actor.clone());
        let turns = Arc::clone(&self.turns);
        let operated = async move {
            let turn = turns.lock_owned().await;
            endpoint.executor.operate(request, actor, Some(turn)).await
        };
        let says = stream::once(operated).flat_map(said).boxed_local();
        self.all.push_back(Operation { id: id.into_boxed_str(), says });
        Ok(())
    }

    /// Whether there are any.
    pub fn are_under_way(&self) -> bool {
        !self.all.is_empty()
    }

    /// Drops one whose client wants no more of it.
    pub fn drop(&mut self, id: &str) {
        self.all.retain(|operation| *operation.id != *id);
    }

    /// The next message of any; waits for ever when there is none. An ending closes the socket.
    pub async fn next(&mut self) -> Result<Vec<u8>, Close> {
        let (index, said) = poll_fn(|context| {
            for (index, operation) in self.all.iter_mut().enumerate() {
                if let Poll::Ready(said) = operation.says.poll_next_unpin(context) {
                    return Poll::Ready((index, said));
                }
            }
            Poll::Pending
        })
        .await;
        // each in its turn
        let Some(operation) = self.all.remove(index) else { return Err(INTERNAL) };
        match said {
            Some(Said::Next(response)) => {
                let told = message::next(&operation.id, &response);
                self.all.push_back(operation);
                Ok(told)
            }
            None => Ok(message::complete(&operation.id)),
            Some(Said::Refused(response) | Said::Ended(Ending::Failed(response))) => {
                Ok(message::error(&operation.id, &response))
            }
            Some(Said::Ended(ending)) => Err(Close::of(&ending)),
        }
    }
}

fn said(operated: Operated) -> LocalBoxStream<'static, Said> {
    match operated {
        Operated::Events(events) => {
            events.map(|event| event.map_or_else(Said::Ended, Said::Next)).boxed_local()
        }
        Operated::Answer(answer) => {
            let said = match answer.kind {
                AnswerKind::Data => Said::Next(answer.body),
                _ => Said::Refused(answer.body),
            };
            stream::iter([said]).boxed_local()
        }
    }
}
