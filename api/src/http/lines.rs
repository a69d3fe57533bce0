//! The lines of a body that has any length, gathered into chunks as they arrive.

use std::mem;
use std::time::Duration;

use super::executor::{ImportFailure, ImportLine};
use super::inflate::Inflated;
use crate::limits;

/// The lines of a body.
pub(super) struct Lines {
    body: Inflated,
    /// What was read and is no line yet.
    buffer: Vec<u8>,
    /// The rest of a line that is too long is not kept.
    is_passing: bool,
    ended: bool,
    gathered: Vec<ImportLine>,
    bytes: usize,
}

impl Lines {
    pub(super) const fn new(body: Inflated) -> Self {
        Self { body, buffer: Vec::new(), is_passing: false, ended: false, gathered: Vec::new(), bytes: 0 }
    }

    /// The next lines, as many as a chunk has; fewer at the end, none after it. Who stops waiting loses none. `patience` is
    /// how long the client may send nothing.
    pub(super) async fn take(
        &mut self,
        patience: Option<Duration>,
    ) -> Result<Vec<ImportLine>, ImportFailure> {
        loop {
            self.gather();
            if self.ended || self.is_full() {
                self.bytes = 0;
                return Ok(mem::take(&mut self.gathered));
            }
            if self.is_passing {
                // what swells may be passed over for long without waiting for the client
                tokio::task::yield_now().await;
            }
            self.read(patience).await?;
        }
    }

    const fn is_full(&self) -> bool {
        self.gathered.len() >= limits::IMPORT_CHUNK || self.bytes >= limits::IMPORT_CHUNK_BYTES
    }

    /// Makes lines of what was read.
    fn gather(&mut self) {
        let mut taken = 0;
        while !self.is_full() {
            let waiting = &self.buffer[taken..];
            let end = waiting.iter().position(|byte| *byte == b'\n');
            let is_last = self.ended && (self.is_passing || !waiting.is_empty());
            let Some(length) = end.or(is_last.then_some(waiting.len())) else { break };
            let line = line(&waiting[..length], mem::take(&mut self.is_passing));
            if line != ImportLine::TooLong {
                self.bytes += length + 1;
            }
            self.gathered.push(line);
            taken += length + usize::from(end.is_some());
        }
        self.buffer.drain(..taken);
        // a chunk that is full has yet to look at the rest
        if !self.is_full() && self.buffer.len() > limits::IMPORT_LINE_BYTES {
            self.is_passing = true;
        }
        if self.is_passing {
            self.buffer.clear();
        }
    }

    async fn read(&mut self, patience: Option<Duration>) -> Result<(), ImportFailure> {
        let reading = self.body.read(&mut self.buffer);
        let read = match patience {
            Some(patience) => tokio::time::timeout(patience, reading)
                .await
                .map_err(|_| ImportFailure::passing("REQUEST_TIMEOUT", "no more lines arrived in time"))?,
            None => reading.await,
        };
        let more = read.map_err(|_| {
            let text = "the body did not arrive whole, or is not compressed as it says";
            ImportFailure::new("BAD_REQUEST", text)
        })?;
        self.ended = !more;
        Ok(())
    }
}

fn line(bytes: &[u8], has_begun_before: bool) -> ImportLine {
    if has_begun_before || bytes.len() > limits::IMPORT_LINE_BYTES {
        return ImportLine::TooLong;
    }
    std::str::from_utf8(bytes).map_or(ImportLine::NotText, |text| ImportLine::Text(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use actix_web::dev::Payload;
    use actix_web::test::TestRequest;
    use actix_web::{FromRequest as _, web};
    use futures_util::stream;

    use super::*;
    use crate::http::inflate::Encoding;

    #[actix_web::test]
    async fn who_sends_nothing_for_long_may_go_on_later() {
        let mut nothing: Payload = Payload::Stream { payload: Box::pin(stream::pending()) };
        let request = TestRequest::default().to_http_request();
        let body = web::Payload::from_request(&request, &mut nothing).await.unwrap();
        let mut lines = Lines::new(Inflated::new(body, Encoding::Plain));
        let failure = lines.take(Some(Duration::ZERO)).await.unwrap_err();
        assert_eq!((failure.code, failure.retry_after), ("REQUEST_TIMEOUT", Some(5)));
    }
}
