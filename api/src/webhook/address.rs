//! Where changes may be posted: https, to an address that everybody reaches. Whoever chooses a URL must not make the
//! server knock at doors that only it can reach.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::config::{is_fetchable, is_loopback};

/// Whether a URL may be given: https, or http on this machine where `allow_loopback` says so; without user, password or
/// fragment.
pub(super) fn is_usable(url: &str, allow_loopback: bool) -> bool {
    let Ok(parsed) = Url::parse(url) else { return false };
    let loopback = is_loopback(&parsed);
    is_fetchable(url)
        && parsed.fragment().is_none()
        && if loopback { allow_loopback } else { is_literal_public(&parsed) }
}

/// A name says nothing yet; what is written as an address must be public.
fn is_literal_public(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let literal = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    literal.map_or(!host.is_empty(), is_public)
}

/// IPv4 that is not on the public internet (IANA's special-purpose registry): network, bits.
const SPECIAL_V4: [(Ipv4Addr, u32); 15] = [
    (Ipv4Addr::UNSPECIFIED, 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::new(240, 0, 0, 0), 4),
];

/// Of the IPv6 that is given out (`2000::/3`), what is not on the public internet, or leads to an IPv4 unseen.
const SPECIAL_V6: [(Ipv6Addr, u32); 4] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

/// Whether an address is one of the public internet.
pub(super) fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let bits = address.to_bits();
            !SPECIAL_V4.iter().any(|(network, length)| (bits ^ network.to_bits()) >> (32 - length) == 0)
        }
        IpAddr::V6(address) => {
            let bits = address.to_bits();
            let special =
                SPECIAL_V6.iter().any(|(network, length)| (bits ^ network.to_bits()) >> (128 - length) == 0);
            bits >> 125 == 1 && !special
        }
    }
}

/// Resolves names to public addresses alone. What it gives is what is connected to: no second look-up can say otherwise.
#[derive(Clone, Copy, Debug)]
pub(super) struct PublicNames {
    /// This machine is allowed too.
    pub allow_loopback: bool,
}

/// A name leads nowhere that may be reached.
#[derive(Debug, thiserror::Error)]
#[error("the name leads to an address that is not public")]
pub(super) struct NotAllowed;

impl Resolve for PublicNames {
    fn resolve(&self, name: Name) -> Resolving {
        let allow_loopback = self.allow_loopback && name.as_str() == "localhost";
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let is_allowed = |address: &SocketAddr| {
                is_public(address.ip()) || (allow_loopback && address.ip().is_loopback())
            };
            // one that is not public spoils the rest: the name is not its owner's word alone
            if found.is_empty() || !found.iter().all(is_allowed) {
                return Err(NotAllowed.into());
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_the_public_internet_are_reached() {
        for address in [
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "100.63.0.1",
            "100.128.0.0",
            "223.255.255.255",
            "2606:4700::1111",
            "2a01:e0a::1",
            "2001:200::1",
        ] {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
        for address in [
            "0.0.0.0",
            "10.0.0.1",
            "100.64.0.1",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.168.1.1",
            "198.19.0.1",
            "198.51.100.1",
            "203.0.113.9",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:10.0.0.1",
            "::ffff:127.0.0.1",
            "::7f00:1",
            "64:ff9b::a00:1",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "2001::1",
            "2001:db8::1",
            "2002:a00:1::",
            "3fff::1",
            "5f00::1",
            "4000::1",
        ] {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn a_url_is_https_and_no_address_of_ours() {
        for url in [
            "https://example.fr/hook",
            "https://example.fr:8443/",
            "https://1.1.1.1/",
            "https://[2606:4700::1111]/",
        ] {
            assert!(is_usable(url, false), "{url}");
        }
        for url in ["http://localhost:9/", "http://127.0.0.1:9/hook", "http://[::1]/", "https://localhost/"] {
            assert!(is_usable(url, true) && !is_usable(url, false), "{url}");
        }
        for url in [
            "http://example.fr/",
            "ftp://example.fr/",
            "https://user:pw@example.fr/",
            "https://example.fr/#a",
            "example.fr",
            "https://10.0.0.1/",
            "https://169.254.169.254/latest",
            "https://[fd00::1]/",
            "https://[::ffff:10.0.0.1]/",
            // the URL standard reads these as addresses too
            "https://0x0a000001/",
            "https://167772161/",
            "https://012.0.0.1/",
            "https://10.1/",
            "",
        ] {
            assert!(!is_usable(url, true), "{url}");
        }
    }

    #[tokio::test]
    async fn a_name_is_resolved_to_what_may_be_reached() {
        let resolve = async |name: &str, allow_loopback| {
            PublicNames { allow_loopback }.resolve(name.parse().unwrap()).await.is_ok()
        };
        assert!(resolve("localhost", true).await);
        assert!(!resolve("localhost", false).await);
        // a resolver takes an address for a name
        for name in ["127.0.0.1", "10.0.0.1", "169.254.169.254"] {
            assert!(!resolve(name, true).await, "{name}");
        }
    }
}
