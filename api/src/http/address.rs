//! Where a request comes from, behind proxies that the operator trusts and nobody else.

use std::net::{IpAddr, SocketAddr};

use actix_web::HttpRequest;
use actix_web::http::header::{FORWARDED, HeaderMap, HeaderName, X_FORWARDED_FOR};

pub use ipnet::IpNet;

/// The header in which proxies name those they send for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
pub enum ForwardedHeader {
    /// `X-Forwarded-For: client, proxy`.
    #[default]
    #[serde(rename = "X-Forwarded-For")]
    XForwardedFor,
    /// `Forwarded: for=client, for=proxy` (RFC 7239).
    Forwarded,
}

/// The proxies before this server. Only one header is read: one that a proxy passes on unread is its client's own.
#[derive(Clone, Debug, Default)]
pub struct Proxies {
    /// Networks of trusted proxies.
    pub trusted: Vec<IpNet>,
    /// The header that they write.
    pub header: ForwardedHeader,
}

impl Proxies {
    /// The address of the client: the last one on the way that is no trusted proxy.
    pub(super) fn client(&self, http: &HttpRequest) -> Option<IpAddr> {
        let peer = http.peer_addr()?.ip().to_canonical();
        Some(self.behind(peer, http.headers()))
    }

    fn behind(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer;
        if !self.trusts(client) {
            return client;
        }
        for named in self.way(headers).into_iter().rev() {
            // what a trusted proxy could not name is unknown: the proxy stands for it
            let Some(address) = named else { break };
            client = address;
            if !self.trusts(client) {
                break;
            }
        }
        client
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.trusted.iter().any(|network| network.contains(&address))
    }

    /// Those on the way as the header names them, the client first.
    fn way(&self, headers: &HeaderMap) -> Vec<Option<IpAddr>> {
        let name: HeaderName = match self.header {
            ForwardedHeader::XForwardedFor => X_FORWARDED_FOR,
            ForwardedHeader::Forwarded => FORWARDED,
        };
        let values = headers.get_all(name).map(|value| value.to_str().unwrap_or_default());
        let steps = values.flat_map(|value| value.split(','));
        steps
            .map(|step| match self.header {
                ForwardedHeader::XForwardedFor => address(step),
                ForwardedHeader::Forwarded => step.split(';').find_map(|pair| {
                    let (name, value) = pair.split_once('=')?;
                    if name.trim().eq_ignore_ascii_case("for") { address(value) } else { None }
                }),
            })
            .collect()
    }
}

/// An address with or without port, quotes and brackets.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim().trim_matches('"');
    let bare = text.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    let found = bare.or_else(|_| text.parse::<SocketAddr>().map(|socket| socket.ip()));
    found.ok().map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    fn client(header: ForwardedHeader, peer: &str, name: &HeaderName, values: &[&'static str]) -> String {
        let trusted = vec!["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()];
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(name.clone(), HeaderValue::from_static(value));
        }
        Proxies { trusted, header }.behind(peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn only_what_trusted_proxies_say_is_believed() {
        let of = |peer, values: &[&'static str]| {
            client(ForwardedHeader::XForwardedFor, peer, &X_FORWARDED_FOR, values)
        };
        assert_eq!(of("192.0.2.9", &["198.51.100.1"]), "192.0.2.9", "a stranger says what he wants");
        assert_eq!(of("10.0.0.1", &["198.51.100.1"]), "198.51.100.1");
        assert_eq!(of("10.0.0.1", &["203.0.113.7, 198.51.100.1"]), "198.51.100.1", "the client's own claim");
        assert_eq!(of("10.0.0.1", &["203.0.113.7", "198.51.100.1, 10.0.0.2"]), "198.51.100.1");
        assert_eq!(of("10.0.0.1", &["198.51.100.1:4711"]), "198.51.100.1");
        assert_eq!(of("fd00::1", &["2001:db8::1"]), "2001:db8::1");
        assert_eq!(of("10.0.0.1", &["198.51.100.1, unknown"]), "10.0.0.1");
        assert_eq!(of("10.0.0.1", &[]), "10.0.0.1");
    }

    #[test]
    fn the_standard_header_is_read_where_it_is_configured_and_no_other_beside() {
        let of = |values: &[&'static str]| client(ForwardedHeader::Forwarded, "10.0.0.1", &FORWARDED, values);
        assert_eq!(of(&["for=203.0.113.7, for=\"[2001:db8::1]:4711\";proto=https"]), "2001:db8::1");
        assert_eq!(of(&["proto=https;For=198.51.100.1", "for=10.0.0.2"]), "198.51.100.1");
        assert_eq!(of(&["for=_hidden"]), "10.0.0.1");
        let other = client(ForwardedHeader::XForwardedFor, "10.0.0.1", &FORWARDED, &["for=198.51.100.1"]);
        assert_eq!(other, "10.0.0.1");
    }
}
