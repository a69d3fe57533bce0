//! How a file of the binary is answered: with its tag, compressed if the client takes that, or not at all if
//! the client has it.

use std::io::Read;
use std::sync::OnceLock;

use actix_web::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, ETAG, EntityTag, Header,
    IfNoneMatch, VARY,
};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse};
use flate2::read::GzDecoder;
use sha2::{Digest, Sha256};

/// Asked for again each time, and sent only if it changed.
const CHECKED: &str = "no-cache";
/// Kept for a minute.
pub(super) const MINUTE: &str = "public, max-age=60";
/// Kept for a day.
pub(super) const DAY: &str = "public, max-age=86400";
/// Kept for ever: the name changes with the content.
pub(super) const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// What a file holds, with the tag that names it: made once where it stays the same.
pub(in crate::http) struct Content {
    bytes: Bytes,
    tag: EntityTag,
    gzip: bool,
    /// The same not compressed, for clients that do not take it; made when the first comes.
    plain: OnceLock<Bytes>,
}

impl Content {
    /// A text.
    pub(super) fn text(text: impl Into<Bytes>) -> Self {
        Self::new(text.into(), false)
    }

    /// Bytes that are compressed by gzip.
    pub(super) fn gzip(bytes: &'static [u8]) -> Self {
        Self::new(Bytes::from_static(bytes), true)
    }

    fn new(bytes: Bytes, gzip: bool) -> Self {
        // weak, since the same tag goes with the compressed and the plain bytes
        let tag = EntityTag::new_weak(hex::encode(&Sha256::digest(&bytes)[..12]));
        Self { bytes, tag, gzip, plain: OnceLock::new() }
    }

    fn plain(&self) -> Bytes {
        self.plain.get_or_init(|| plain(&self.bytes)).clone()
    }
}

/// What to answer, and under which rules.
pub(super) struct File<'c> {
    media_type: &'static str,
    content: &'c Content,
    keep: &'static str,
    policy: Option<&'static str>,
}

impl<'c> File<'c> {
    /// A content of this media type.
    pub(super) const fn of(media_type: &'static str, content: &'c Content) -> Self {
        Self { media_type, content, keep: CHECKED, policy: None }
    }

    /// How long it may be kept, as a `Cache-Control`; otherwise it is asked for each time.
    pub(super) const fn keep(mut self, keep: &'static str) -> Self {
        self.keep = keep;
        self
    }

    /// What the page may load, as a `Content-Security-Policy`; otherwise nothing.
    pub(super) const fn policy(mut self, policy: &'static str) -> Self {
        self.policy = Some(policy);
        self
    }

    /// The answer to a request for it; of a HEAD the server leaves out the bytes, and tells how many there are.
    pub(super) fn answer(self, http: &HttpRequest) -> HttpResponse {
        let Self { content, .. } = self;
        let is_known = known(http, &content.tag);
        let mut response = if is_known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
        response.insert_header((ETAG, content.tag.to_string())).insert_header((CACHE_CONTROL, self.keep));
        if let Some(policy) = self.policy {
            response.insert_header((CONTENT_SECURITY_POLICY, policy));
        }
        if content.gzip {
            response.insert_header((VARY, "Accept-Encoding"));
        }
        if is_known {
            return response.finish();
        }
        response.content_type(self.media_type);
        if content.gzip && !takes_gzip(http) {
            return response.body(content.plain());
        }
        if content.gzip {
            response.insert_header((CONTENT_ENCODING, "gzip"));
        }
        response.body(content.bytes.clone())
    }
}

/// Whether the client says that it has it.
fn known(http: &HttpRequest, tag: &EntityTag) -> bool {
    match IfNoneMatch::parse(http) {
        Ok(IfNoneMatch::Any) => http.headers().contains_key("if-none-match"),
        Ok(IfNoneMatch::Items(tags)) => tags.iter().any(|known| known.weak_eq(tag)),
        Err(_) => false,
    }
}

fn takes_gzip(http: &HttpRequest) -> bool {
    let mut values = http.headers().get_all(ACCEPT_ENCODING).filter_map(|value| value.to_str().ok());
    values.any(|value| value.split(',').any(|coding| coding.trim() == "gzip"))
}

/// What was compressed when the binary was built.
fn plain(bytes: &[u8]) -> Bytes {
    let mut plain = Vec::new();
    if let Err(error) = GzDecoder::new(bytes).read_to_end(&mut plain) {
        tracing::error!(%error, "an embedded file is not gzip");
    }
    plain.into()
}
