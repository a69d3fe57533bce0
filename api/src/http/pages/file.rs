//! How a file of the binary is answered: with its tag, compressed if the client takes that, or not at all if
//! the client has it.

use std::borrow::Cow;
use std::io::Read;

use actix_web::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, ETAG, EntityTag, Header,
    IfNoneMatch, VARY,
};
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

/// What to answer, and under which rules.
pub(super) struct File {
    media_type: &'static str,
    bytes: Cow<'static, [u8]>,
    gzip: bool,
    keep: &'static str,
    policy: Option<&'static str>,
}

impl File {
    /// A text of this media type.
    pub(super) fn text(media_type: &'static str, text: impl Into<Cow<'static, str>>) -> Self {
        let bytes = match text.into() {
            Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
            Cow::Owned(text) => Cow::Owned(text.into_bytes()),
        };
        Self { media_type, bytes, gzip: false, keep: CHECKED, policy: None }
    }

    /// Bytes of this media type, compressed by gzip.
    pub(super) const fn gzip(media_type: &'static str, bytes: &'static [u8]) -> Self {
        Self { media_type, bytes: Cow::Borrowed(bytes), gzip: true, keep: CHECKED, policy: None }
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

    /// The answer to a request for it.
    pub(super) fn answer(self, http: &HttpRequest) -> HttpResponse {
        // weak, since the same tag goes with the compressed and the plain bytes
        let tag = EntityTag::new_weak(hex::encode(&Sha256::digest(&self.bytes)[..12]));
        let mut response = if known(http, &tag) { HttpResponse::NotModified() } else { HttpResponse::Ok() };
        response.insert_header((ETAG, tag.to_string())).insert_header((CACHE_CONTROL, self.keep));
        if let Some(policy) = self.policy {
            response.insert_header((CONTENT_SECURITY_POLICY, policy));
        }
        if self.gzip {
            response.insert_header((VARY, "Accept-Encoding"));
        }
        if known(http, &tag) {
            return response.finish();
        }
        response.content_type(self.media_type);
        if self.gzip && !takes_gzip(http) {
            return response.body(plain(&self.bytes));
        }
        if self.gzip {
            response.insert_header((CONTENT_ENCODING, "gzip"));
        }
        response.body(self.bytes.into_owned())
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
fn plain(bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    if let Err(error) = GzDecoder::new(bytes).read_to_end(&mut plain) {
        tracing::error!(%error, "an embedded file is not gzip");
    }
    plain
}
