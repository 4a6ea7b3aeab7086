//! Who is really calling, when a proxy stands in between.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, header};

use crate::config::Network;

/// Entries of `X-Forwarded-For` looked at, from the nearest; a longer chain is no chain of proxies.
const MAX_HOPS: usize = 32;

/// A caller as far as it can be trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Where the request came from: the connection's other end, or what trusted proxies say.
    pub address: IpAddr,
    /// Whether the caller used HTTPS up to us or to the first trusted proxy.
    pub is_https: bool,
    /// The host the caller asked for, with its port when given; `None` when absent or not a plausible host.
    pub host: Option<String>,
}

/// Tells the caller from the connection and, only when the connection comes from a trusted proxy, from its
/// `X-Forwarded-For`, `-Proto` and `-Host`. `is_tls` says whether this connection itself is HTTPS.
///
/// Proxies append, so lists are read from the right: the first address that is not a trusted proxy's is the caller's.
/// What stands further left was written by the caller and is worth nothing.
pub fn caller(peer: IpAddr, is_tls: bool, headers: &HeaderMap, trusted: &[Network]) -> Caller {
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(address));
    let own_host = || headers.get(header::HOST).and_then(|value| plausible_host(value.to_str().ok()?));
    let peer = peer.to_canonical();
    if !is_trusted(peer) {
        return Caller { address: peer, is_https: is_tls, host: own_host() };
    }
    let mut address = peer;
    for entry in from_the_right(headers, "x-forwarded-for").take(MAX_HOPS) {
        // Something unreadable ends the chain at the last address that is sure.
        let Some(hop) = entry.and_then(parse_address) else { break };
        address = hop;
        if !is_trusted(hop) {
            break;
        }
    }
    let is_https = match from_the_right(headers, "x-forwarded-proto").next() {
        Some(scheme) => scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case("https")),
        None => is_tls,
    };
    let host = match from_the_right(headers, "x-forwarded-host").next() {
        Some(host) => host.and_then(plausible_host),
        None => own_host(),
    };
    Caller { address, is_https, host }
}

/// The entries of a list header, nearest proxy first, over all its lines; `None` for one that is not text.
fn from_the_right<'a>(headers: &'a HeaderMap, name: &'static str) -> impl Iterator<Item = Option<&'a str>> {
    let lines: Vec<_> = headers.get_all(name).iter().collect();
    lines.into_iter().rev().flat_map(|line| match line.to_str() {
        Ok(text) => text.rsplit(',').map(|entry| Some(entry.trim())).collect::<Vec<_>>(),
        Err(_) => vec![None],
    })
}

/// `192.0.2.1`, `192.0.2.1:443`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:443`.
fn parse_address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse().or_else(|_| text.parse::<SocketAddr>().map(|socket| socket.ip())).ok()?;
    Some(IpAddr::to_canonical(&address))
}

/// A host name or address with an optional port, as it may stand in a URL.
fn plausible_host(text: &str) -> Option<String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || ".-_:[]".contains(c);
    ((1..=255).contains(&text.len()) && text.chars().all(is_plain)).then(|| text.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn called(peer: &str, headers: &[(&str, &str)]) -> Caller {
        let trusted = ["10.0.0.0/8".parse().unwrap(), "::1".parse().unwrap()];
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap());
        }
        caller(peer.parse().unwrap(), false, &map, &trusted)
    }

    #[test]
    fn forwarded_headers_of_strangers_are_not_believed() {
        let forged = [
            ("host", "vouch.lan:8443"),
            ("x-forwarded-for", "127.0.0.1"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "evil.example"),
        ];
        let caller = called("203.0.113.9", &forged);
        assert_eq!(caller.address.to_string(), "203.0.113.9");
        assert!(!caller.is_https);
        assert_eq!(caller.host.as_deref(), Some("vouch.lan:8443"));
    }

    #[test]
    fn the_first_untrusted_address_from_the_right_is_the_caller() {
        for (lines, expected) in [
            (&["203.0.113.9"][..], "203.0.113.9"),
            (&["127.0.0.1, 203.0.113.9"], "203.0.113.9"),
            (&["1.1.1.1, 203.0.113.9, 10.0.0.5"], "203.0.113.9"),
            (&["1.1.1.1", "203.0.113.9, 10.0.0.5"], "203.0.113.9"),
            (&["203.0.113.9:51234"], "203.0.113.9"),
            (&["[2001:db8::7]:51234"], "2001:db8::7"),
            (&["[2001:db8::7]"], "2001:db8::7"),
            (&["::ffff:203.0.113.9"], "203.0.113.9"),
            (&["10.0.0.7, 10.0.0.5"], "10.0.0.7"),
            (&["203.0.113.9, unknown, 10.0.0.5"], "10.0.0.5"),
            (&["unknown"], "10.0.0.1"),
            (&[""], "10.0.0.1"),
            (&[], "10.0.0.1"),
        ] {
            let headers: Vec<_> = lines.iter().map(|line| ("x-forwarded-for", *line)).collect();
            assert_eq!(called("10.0.0.1", &headers).address.to_string(), expected, "{lines:?}");
        }
        let endless = vec!["10.0.0.2"; 10_000].join(",");
        assert_eq!(called("::ffff:10.0.0.1", &[("x-forwarded-for", &endless)]).address.to_string(), "10.0.0.2");
    }

    #[test]
    fn a_trusted_proxy_tells_scheme_and_host_and_its_own_word_counts() {
        let caller = called("::1", &[("x-forwarded-proto", "http, https"), ("x-forwarded-host", "Vouch.example.org")]);
        assert!(caller.is_https);
        assert_eq!(caller.host.as_deref(), Some("vouch.example.org"));
        assert!(!called("::1", &[("x-forwarded-proto", "https, http")]).is_https);
        assert_eq!(called("::1", &[("x-forwarded-host", "a/b?\"")]).host, None);
        assert_eq!(called("::1", &[("host", "vouch.lan")]).host.as_deref(), Some("vouch.lan"));
    }
}
