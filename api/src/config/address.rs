//! Which addresses keys may be fetched from.

use std::net::IpAddr;

use reqwest::Url;

/// Whether keys may be fetched from `url`: https, or http on a loopback address, where nobody is between.
/// An address that holds a user or password is refused: addresses are logged.
pub fn is_fetchable(url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| {
        let is_private = match url.scheme() {
            "https" => url.has_host(),
            "http" => is_loopback(&url),
            _ => false,
        };
        is_private && url.username().is_empty() && url.password().is_none()
    })
}

/// Whether `text` is the origin of a page, as browsers write it.
pub fn is_origin(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| url.origin().is_tuple() && url.origin().ascii_serialization() == text)
}

/// Whether the host of `url` is this machine.
pub fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::{is_fetchable, is_origin};

    #[test]
    fn an_origin_has_a_scheme_a_host_and_nothing_else() {
        for origin in ["https://carte.example.fr", "http://localhost:5173"] {
            assert!(is_origin(origin), "{origin}");
        }
        for other in
            ["https://carte.example.fr/", "https://carte.example.fr:443", "carte.example.fr", "null", ""]
        {
            assert!(!is_origin(other), "{other}");
        }
    }

    #[test]
    fn keys_are_fetched_over_https_or_from_this_machine() {
        for url in
            ["https://sso.example.fr/certs", "http://127.0.0.1:9/a", "http://[::1]/a", "http://localhost/a"]
        {
            assert!(is_fetchable(url), "{url}");
        }
        for url in [
            "http://sso.example.fr/certs",
            "http://127.0.0.1.example.fr/",
            "http://localhost@sso.example.fr/",
            "https://user:password@sso.example.fr/",
            "file:///etc/passwd",
            "",
            "sso",
        ] {
            assert!(!is_fetchable(url), "{url}");
        }
    }
}
