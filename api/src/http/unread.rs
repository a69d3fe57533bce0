//! Long answers to the public on their way. Who reads slowly keeps his in memory: each address, and all together, have so
//! much of it. Those with a token are known, and may be told apart and revoked.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, MessageBody};
use actix_web::web::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::refusal::Refusal;
use crate::clients::{Client, Held, Hold};
use crate::limits;

/// What is handed to a connection at a time: it keeps as much beside what its client has not read.
const PIECE: usize = 64 * 1_024;

const KIB: usize = 1_024;

/// The memory for long answers, in KiB.
#[derive(Debug)]
pub(super) struct Unread {
    all: Arc<Semaphore>,
    held: Held,
}

impl Default for Unread {
    fn default() -> Self {
        Self { all: Arc::new(Semaphore::new(limits::UNREAD / KIB)), held: Held::default() }
    }
}

/// An answer that is sent in pieces. What it keeps of the memory is given back once the last is handed over.
#[derive(Debug)]
pub(super) struct Long {
    left: Bytes,
    _permit: OwnedSemaphorePermit,
    _hold: Hold,
}

impl Unread {
    /// Takes the memory for an answer.
    pub fn take(&self, answer: Vec<u8>, client: Client) -> Result<Long, Refusal> {
        let kib = (answer.len() / KIB).min(limits::UNREAD / KIB);
        let hold = self.held.take_many(client.key, kib, limits::UNREAD_OF_ADDRESS / KIB);
        let hold = hold.ok_or_else(Refusal::too_much_unread)?;
        let permits = u32::try_from(kib).unwrap_or(u32::MAX);
        let permit = Arc::clone(&self.all).try_acquire_many_owned(permits);
        let permit = permit.map_err(|_| Refusal::too_much_unread())?;
        Ok(Long { left: answer.into(), _permit: permit, _hold: hold })
    }
}

impl MessageBody for Long {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.left.len() as u64)
    }

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, Infallible>>> {
        if self.left.is_empty() {
            return Poll::Ready(None);
        }
        let piece = self.left.len().min(PIECE);
        Poll::Ready(Some(Ok(self.left.split_to(piece))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = KIB * KIB;

    fn long(unread: &Unread, key: u64) -> Option<Long> {
        unread.take(vec![0; 16 * MIB], Client { key, is_public: true }).ok()
    }

    #[test]
    fn each_has_so_much_and_all_together() {
        let unread = Unread::default();
        let mut kept = Vec::new();
        while let Some(answer) = long(&unread, 1) {
            kept.push(answer);
        }
        assert_eq!(kept.len() * 16 * MIB, limits::UNREAD_OF_ADDRESS);
        kept.extend((2..100).filter_map(|key| long(&unread, key)));
        assert_eq!(kept.len() * 16 * MIB, limits::UNREAD);
        kept.clear();
        assert!(long(&unread, 1).is_some(), "what was sent is given back");
    }
}
