//! Documents behind links, which some issuers send instead of files: fetched only from hosts that an admin named, only when
//! asked to, and never from inside our own network.

use std::{
    error::Error,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use futures_util::StreamExt as _;
use reqwest::{
    Url,
    dns::{Addrs, Name, Resolve, Resolving},
    header,
};

use super::{
    super::{Accepted, CaptureError, Handover, accept, spool},
    PostOffice, preview, quarantine,
};
use crate::{
    domain::{
        capture::Channel, ids::MailMessageId, media::MediaType, person::Actor, sha256::Sha256, visit::VisitChoice,
    },
    store::{StoreError, captures},
};

/// Redirects followed, each to a host on the list.
const MAX_REDIRECTS: usize = 3;
/// How long one request may take, its body included.
const REQUEST_TIME: Duration = Duration::from_secs(30);
/// How long the connection may take.
const CONNECT_TIME: Duration = Duration::from_secs(10);
/// The name under which a reading keeps links.
const LINK: &str = "link";

/// Which links are followed. The default follows none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LinkPolicy {
    /// Hosts: `inv.example.org`, or `*.example.org` for everything below it.
    pub hosts: Vec<String>,
    /// For tests on this machine: plain HTTP to its own addresses, any port.
    pub permits_local: bool,
}

/// Why a link was not followed.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// Not on the list, not HTTPS, with a port or credentials.
    #[error("links to `{0}` are not followed: an admin can add the host to `mail.links.hosts`")]
    NotAllowed(String),
    /// The message has no such link.
    #[error("the message has no such link")]
    NoSuchLink,
    /// The host did not give a document.
    #[error("the link gave no document: {0}")]
    Failed(String),
    /// What came is nothing a receipt is.
    #[error("the link leads to {0}, not to a document")]
    NotADocument(MediaType),
    /// The message.
    #[error(transparent)]
    Message(#[from] quarantine::QuarantineError),
    /// The door.
    #[error(transparent)]
    Capture(#[from] CaptureError),
    /// Database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl LinkPolicy {
    /// Whether the address may be asked for: HTTPS to a named host on its own port, without credentials.
    pub fn allows(&self, url: &Url) -> bool {
        let Some(host) = url.host_str() else { return false };
        let host = host.to_ascii_lowercase();
        let is_named = self.hosts.iter().any(|allowed| {
            let allowed = allowed.to_ascii_lowercase();
            match allowed.strip_prefix("*.") {
                Some(above) => host.strip_suffix(above).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.')),
                None => host == allowed,
            }
        });
        // A number is no name an admin would mean, and it would go round the check of resolved addresses.
        let is_number = matches!(url.host(), Some(url::Host::Ipv4(_) | url::Host::Ipv6(_)));
        let has_credentials = !url.username().is_empty() || url.password().is_some();
        if has_credentials || !is_named {
            return false;
        }
        self.permits_local || url.scheme() == "https" && url.port().is_none() && !is_number
    }

    fn check(&self, text: &str) -> Result<Url, LinkError> {
        let shown = || text.chars().take(100).collect::<String>();
        let url = Url::parse(text).map_err(|_| LinkError::NotAllowed(shown()))?;
        if self.allows(&url) {
            Ok(url)
        } else {
            Err(LinkError::NotAllowed(url.host_str().map_or_else(shown, str::to_owned)))
        }
    }
}

/// Gives addresses out in the world only, so that a name on the list cannot be pointed into our network.
struct OutsideOnly {
    permits_local: bool,
}

impl Resolve for OutsideOnly {
    fn resolve(&self, name: Name) -> Resolving {
        let permits_local = self.permits_local;
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            if !permits_local && found.iter().any(|address| !is_outside(address.ip())) {
                let refusal: Box<dyn Error + Send + Sync> = "the name leads into a private network".into();
                return Err(refusal);
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// Whether the address is one of the public Internet (the special-purpose registries of IANA, RFC 6890).
pub fn is_outside(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => is_outside_v4(ip),
        IpAddr::V6(ip) => is_outside_v6(ip),
    }
}

fn is_outside_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    let is_special = a == 0
        || ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_documentation()
        || a >= 224
        // Shared by carriers (RFC 6598), protocol assignments, benchmarks, 6to4 relays.
        || a == 100 && (64..128).contains(&b)
        || a == 192 && b == 0 && c == 0
        || a == 198 && (18..20).contains(&b)
        || a == 192 && b == 88 && c == 99;
    !is_special
}

fn is_outside_v6(ip: Ipv6Addr) -> bool {
    let [first, second, ..] = ip.segments();
    // Global unicast is 2000::/3; what tunnels to IPv4 inside it could tunnel home (Teredo, 6to4), as could NAT64 outside.
    first & 0xE000 == 0x2000
        && !(first == 0x2001 && second < 0x0200)
        && first != 0x2002
        && !(first == 0x2001 && second == 0x0DB8)
}

/// Asks for the document behind `text`, following redirects on the list only.
async fn ask(policy: &LinkPolicy, text: &str) -> Result<reqwest::Response, LinkError> {
    let failed = |error: reqwest::Error| LinkError::Failed(without_address(error));
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .dns_resolver(Arc::new(OutsideOnly { permits_local: policy.permits_local }))
        // A proxy would resolve names itself.
        .no_proxy()
        .referer(false)
        .connect_timeout(CONNECT_TIME)
        .timeout(REQUEST_TIME)
        .user_agent("Vouch")
        .build()
        .map_err(failed)?;
    let mut url = policy.check(text)?;
    for _ in 0..=MAX_REDIRECTS {
        let answer = client.get(url.clone()).send().await.map_err(failed)?;
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        if !status.is_redirection() {
            return Err(LinkError::Failed(format!("the host answered {}", status.as_u16())));
        }
        let target = answer.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
        let target = target.and_then(|target| url.join(target).ok());
        let target = target.ok_or_else(|| LinkError::Failed("a redirect leads nowhere".to_owned()))?;
        url = policy.check(target.as_str())?;
    }
    Err(LinkError::Failed("it redirects too often".to_owned()))
}

/// Addresses hold secrets: they stay out of messages and logs.
fn without_address(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut source = error.source();
    // Ends: an error has finitely many causes.
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

/// Whether receipts come as this type. A page of HTML is a page to click on.
const fn is_document(media_type: MediaType) -> bool {
    match media_type {
        MediaType::Html | MediaType::Text | MediaType::Mail => false,
        MediaType::Jpeg
        | MediaType::Png
        | MediaType::WebP
        | MediaType::Tiff
        | MediaType::Gif
        | MediaType::Bmp
        | MediaType::Heic
        | MediaType::Pdf
        | MediaType::Ofd
        | MediaType::Zip
        | MediaType::Xml => true,
    }
}

/// Links that the reader found in a message, and whether each may be followed.
pub async fn of_message(
    office: &PostOffice,
    actor: &Actor,
    id: &MailMessageId,
) -> Result<Vec<(String, bool)>, LinkError> {
    let message = quarantine::find(&office.app, actor, id).await?;
    let mut tx = office.app.db.read().await?;
    let Some(reading) = preview::reading(&mut tx, &message).await? else { return Ok(Vec::new()) };
    let values = reading.structured.0.as_array().cloned().unwrap_or_default();
    let policy = &office.settings.links;
    let links = values.iter().filter(|value| value["name"] == LINK).filter_map(|value| value["text"].as_str());
    Ok(links.map(|link| (link.to_owned(), policy.check(link).is_ok())).collect())
}

/// Hands in the document behind a link of a message, for the message's owner and visit.
pub async fn follow(office: &PostOffice, actor: &Actor, id: &MailMessageId, link: &str) -> Result<Accepted, LinkError> {
    if !of_message(office, actor, id).await?.iter().any(|(found, _)| found == link) {
        return Err(LinkError::NoSuchLink);
    }
    let message = quarantine::find(&office.app, actor, id).await?;
    let mut tx = office.app.db.read().await?;
    let capture = captures::find(&mut tx, &message.capture_id).await?.ok_or(LinkError::NoSuchLink)?;
    drop(tx);
    let answer = ask(&office.settings.links, link).await?;
    let app = &office.app;
    let body = answer.bytes_stream().map(|chunk| chunk.map_err(without_address));
    let spooled = spool(&app.spool, &app.limits, Box::pin(body)).await?;
    if !is_document(spooled.media_type) {
        return Err(LinkError::NotADocument(spooled.media_type));
    }
    let handover = Handover {
        owner: message.owner_id,
        channel: Channel::Mail,
        client_id: Some(format!("link:{}", Sha256::of(format!("{id} {link}").as_bytes()))),
        captured_at: None,
        place: None,
        note: None,
        visit: capture.visit_id.map_or(VisitChoice::Undecided, VisitChoice::Visit),
        file_name: None,
    };
    Ok(accept(app, actor, &handover, &spooled).await?)
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
    };

    use super::*;

    fn policy(hosts: &[&str]) -> LinkPolicy {
        LinkPolicy { hosts: hosts.iter().map(|host| (*host).to_owned()).collect(), permits_local: false }
    }

    #[test]
    fn only_https_to_named_hosts_is_followed() {
        let policy = policy(&["inv.example.org", "*.tax.example", "10.0.0.1"]);
        for (url, expected) in [
            ("https://inv.example.org/a?b=c", true),
            ("https://INV.example.org/", true),
            ("https://a.tax.example/", true),
            ("https://tax.example/", false),
            ("https://eviltax.example/", false),
            ("https://inv.example.org.evil.example/", false),
            ("http://inv.example.org/", false),
            ("https://inv.example.org:8443/", false),
            ("https://user@inv.example.org/", false),
            ("https://inv.example.org@evil.example/", false),
            ("https://10.0.0.1/", false),
            ("https://0x0a000001/", false),
            ("file:///etc/passwd", false),
            ("https://other.example/", false),
        ] {
            assert_eq!(policy.allows(&Url::parse(url).unwrap()), expected, "{url}");
        }
        assert!(!LinkPolicy::default().allows(&Url::parse("https://inv.example.org/").unwrap()));
    }

    #[test]
    fn addresses_of_our_own_network_are_not_outside() {
        for inside in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "255.255.255.255",
            "224.0.0.1",
            "198.18.0.1",
            "::1",
            "::",
            "fe80::1",
            "fd00::1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "2002:a00:1::1",
            "2001::1",
            "ff02::1",
        ] {
            assert!(!is_outside(inside.parse().unwrap()), "{inside}");
        }
        for outside in ["8.8.8.8", "110.75.1.1", "2606:4700::1111", "2400:3200::1"] {
            assert!(is_outside(outside.parse().unwrap()), "{outside}");
        }
    }

    #[tokio::test]
    async fn a_name_that_leads_home_is_not_asked() {
        let resolver = OutsideOnly { permits_local: false };
        let error = resolver.resolve("localhost".parse().unwrap()).await.err().expect("a refusal");
        assert!(error.to_string().contains("private network"));
    }

    /// Answers every request with the same head and body, and counts requests.
    async fn server(answer: String) -> (u16, Arc<std::sync::atomic::AtomicUsize>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let count = Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let counted = count.clone();
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                counted.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                let mut request = [0; 2048];
                let _ = stream.read(&mut request).await;
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        (port, count)
    }

    #[tokio::test]
    async fn documents_come_and_redirects_off_the_list_do_not() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let local = LinkPolicy { hosts: vec!["localhost".to_owned()], permits_local: true };
        let (good, _) =
            server("HTTP/1.1 200 OK\r\nContent-Length: 8\r\nConnection: close\r\n\r\n%PDF-1.4".to_owned()).await;
        let answer = ask(&local, &format!("http://localhost:{good}/r")).await.unwrap();
        assert_eq!(answer.bytes().await.unwrap().as_ref(), b"%PDF-1.4");
        let (secret, asked) =
            server("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx".to_owned()).await;
        let away = format!(
            "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:{secret}/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        );
        let (redirecting, _) = server(away).await;
        let refused = ask(&local, &format!("http://localhost:{redirecting}/")).await;
        assert!(matches!(refused, Err(LinkError::NotAllowed(_))));
        assert_eq!(asked.load(std::sync::atomic::Ordering::SeqCst), 0);
        let (round, _) = server(
            "HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_owned(),
        )
        .await;
        assert!(matches!(ask(&local, &format!("http://localhost:{round}/")).await, Err(LinkError::Failed(_))));
    }
}
