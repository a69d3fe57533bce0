//! Bodies that may come compressed. They are read in pieces of a bounded size, whatever they swell to, so that who reads
//! them can stop in time.

use std::io;
use std::pin::Pin;

use actix_web::http::header::{CONTENT_ENCODING, HeaderMap};
use actix_web::web::Payload;
use async_compression::tokio::bufread::{GzipDecoder, ZstdDecoder};
use async_compression::zstd::DParameter;
use futures_util::TryStreamExt as _;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio_util::io::StreamReader;

use super::refusal::Refusal;

/// Most that is read at once, in bytes.
const PIECE: u64 = 64 * 1_024;

/// Most that a zstd body may ask us to keep while it is read, as a power of two: 8 MiB, what RFC 9659 allows.
const ZSTD_WINDOW: u32 = 23;

/// How a body is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    /// As it is.
    Plain,
    /// Compressed by gzip.
    Gzip,
    /// Compressed by Zstandard.
    Zstd,
}

impl Encoding {
    /// What the header says; nothing for what is not read here, or for several one over the other.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let mut values = headers.get_all(CONTENT_ENCODING);
        let value = values.next().map_or(Some(""), |value| value.to_str().ok())?.trim();
        if values.next().is_some() {
            return None;
        }
        match value.to_ascii_lowercase().as_str() {
            "" | "identity" => Some(Self::Plain),
            "gzip" | "x-gzip" => Some(Self::Gzip),
            "zstd" => Some(Self::Zstd),
            _ => None,
        }
    }
}

/// A body as it was before it was compressed.
pub(super) struct Inflated(Pin<Box<dyn AsyncRead>>);

impl Inflated {
    pub(super) fn new(body: Payload, encoding: Encoding) -> Self {
        let arrived = StreamReader::new(body.map_err(io::Error::other));
        Self(match encoding {
            Encoding::Plain => Box::pin(arrived),
            Encoding::Gzip => {
                let mut decoder = GzipDecoder::new(arrived);
                // what was compressed in parts and put together is one file
                decoder.multiple_members(true);
                Box::pin(decoder)
            }
            Encoding::Zstd => {
                let mut decoder =
                    ZstdDecoder::with_params(arrived, &[DParameter::window_log_max(ZSTD_WINDOW)]);
                decoder.multiple_members(true);
                Box::pin(decoder)
            }
        })
    }

    /// Appends what comes next; says whether there was more.
    ///
    /// # Errors
    /// When the body does not arrive whole, or is not compressed as it says.
    pub(super) async fn read(&mut self, out: &mut Vec<u8>) -> io::Result<bool> {
        out.reserve(16 * 1_024);
        Ok((&mut self.0).take(PIECE).read_buf(out).await? > 0)
    }

    /// The whole of it, if it has no more than so many bytes.
    pub(super) async fn whole(mut self, most: usize) -> Result<Vec<u8>, Refusal> {
        let mut whole = Vec::new();
        let broken =
            |_| Refusal::bad_request("The body did not arrive whole, or is not compressed as it says.");
        while self.read(&mut whole).await.map_err(broken)? {
            if whole.len() > most {
                return Err(Refusal::too_large(most));
            }
        }
        Ok(whole)
    }
}
