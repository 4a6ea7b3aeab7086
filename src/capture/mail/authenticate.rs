//! What speaks for a sender: SPF, DKIM, DMARC and ARC, over DNS, in bounded time. Evidence, never a verdict.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use mail_auth::{
    AuthenticatedMessage, DkimResult, DmarcResult, MessageAuthenticator, SpfResult,
    dmarc::{Policy, verify::DmarcParameters},
    hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig, ResolverOpts},
    spf::verify::SpfParameters,
};
use tokio::sync::Semaphore;

use super::headers::Head;
use crate::domain::mail::{Check, Evidence};

/// How long all look-ups for one message may take; then its sender counts as unchecked.
const MAX_TIME: Duration = Duration::from_secs(15);
/// How long one look-up may take.
const LOOKUP_TIME: Duration = Duration::from_secs(3);
/// Signatures looked at; more are a way to make us ask DNS (RFC 6376, section 6.1, allows a limit).
const MAX_SIGNATURES: usize = 10;
/// Messages held in memory at once, in MiB: signatures need the whole message.
const MEMORY_MIB: u32 = 96;

/// Checks senders with DNS.
#[derive(Clone)]
pub struct Authenticator {
    /// `None`: DNS is not asked, every sender is unchecked.
    dns: Option<MessageAuthenticator>,
    memory: Arc<Semaphore>,
}

/// What is known about a message besides its content.
#[derive(Debug, Clone, Default)]
pub struct Route {
    /// The server that brought it, unless that one is ours.
    pub ip: Option<IpAddr>,
    /// How it called itself.
    pub hello: String,
    /// The sender in the envelope; `None` when there was no envelope.
    pub sender: Option<String>,
}

/// The resolver cannot be set up.
#[derive(Debug, thiserror::Error)]
#[error("the DNS resolver cannot be set up: {0}\nhint: set mail.resolver to the address of a DNS server")]
pub struct ResolverError(String);

impl Authenticator {
    /// Asks the DNS servers of this machine.
    pub fn with_system_dns() -> Result<Self, ResolverError> {
        let dns = MessageAuthenticator::new_system_conf().map_err(|error| ResolverError(error.to_string()))?;
        Ok(Self::over(Some(dns)))
    }

    /// Asks one DNS server.
    pub fn with_dns(server: SocketAddr) -> Result<Self, ResolverError> {
        let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut connection| {
            connection.port = server.port();
            connection
        });
        let name_server = NameServerConfig::new(server.ip(), true, connections.into());
        let config = ResolverConfig::from_parts(None, Vec::new(), vec![name_server]);
        let mut options = ResolverOpts::default();
        options.timeout = LOOKUP_TIME;
        options.attempts = 1;
        let dns = MessageAuthenticator::new(config, options).map_err(|error| ResolverError(error.to_string()))?;
        Ok(Self::over(Some(dns)))
    }

    /// Asks nobody: every sender stays unchecked, so all mail waits for its owner.
    pub fn without_dns() -> Self {
        Self::over(None)
    }

    fn over(dns: Option<MessageAuthenticator>) -> Self {
        Self { dns, memory: Arc::new(Semaphore::new(MEMORY_MIB as usize)) }
    }

    /// Whether anybody is asked about senders at all.
    pub fn asks_dns(&self) -> bool {
        self.dns.is_some()
    }

    /// Waits until a message of `size` bytes may be held in memory.
    pub async fn room_for(&self, size: u64) -> Option<tokio::sync::OwnedSemaphorePermit> {
        let mib = u32::try_from(size / (1024 * 1024) + 1).unwrap_or(MEMORY_MIB).min(MEMORY_MIB);
        self.memory.clone().acquire_many_owned(mib).await.ok()
    }

    /// Collects the evidence about the message `raw`, whose header block is `head`.
    pub async fn check(&self, raw: Arc<[u8]>, head: &Head<'_>, route: Route) -> Evidence {
        let unchecked = Evidence {
            spf: Check::Unavailable,
            dkim: Check::Unavailable,
            dmarc: Check::Unavailable,
            ..Evidence::default()
        };
        let Some(dns) = self.dns.clone() else { return unchecked };
        let from = head.from();
        let signatures = head.count("dkim-signature");
        let seals = head.count("arc-seal");
        // A header with several authors proves none (RFC 9989, section 4.8), and hides one from whoever shows the first.
        let [from] = from.as_slice() else { return Evidence::default() };
        let from = from.clone();
        // A task of its own: a panic in a library costs this message its evidence and nothing else.
        let task = tokio::spawn(async move {
            let checks = evidence(&dns, &raw, &from, &route, signatures <= MAX_SIGNATURES, seals <= MAX_SIGNATURES);
            tokio::time::timeout(MAX_TIME, checks).await
        });
        match task.await {
            Ok(Ok(Some(evidence))) => evidence,
            Ok(Ok(None)) => Evidence::default(),
            Ok(Err(_)) => unchecked,
            Err(error) => {
                tracing::warn!("The sender of a message could not be checked: {error}");
                unchecked
            }
        }
    }
}

async fn evidence(
    dns: &MessageAuthenticator,
    raw: &[u8],
    from: &str,
    route: &Route,
    has_sane_signatures: bool,
    has_sane_seals: bool,
) -> Option<Evidence> {
    let message = AuthenticatedMessage::parse(raw)?;
    let sender = route.sender.as_deref().unwrap_or_default();
    let spf_domain = sender.rsplit_once('@').map_or(route.hello.as_str(), |(_, domain)| domain);
    let spf = match route.ip {
        Some(ip) if !spf_domain.is_empty() => {
            let parameters = if sender.is_empty() {
                SpfParameters::verify_ehlo(ip, &route.hello, &route.hello)
            } else {
                SpfParameters::verify_mail_from(ip, &route.hello, &route.hello, sender)
            };
            dns.verify_spf(parameters).await
        }
        _ => mail_auth::SpfOutput::new(spf_domain.to_owned()).with_result(SpfResult::None),
    };
    let dkim = if has_sane_signatures { dns.verify_dkim(&message).await } else { Vec::new() };
    let dmarc = dns.verify_dmarc(DmarcParameters::new(&message, &dkim, spf_domain, &spf)).await;
    let arc = if has_sane_seals { check_of_dkim(dns.verify_arc(&message).await.result()) } else { Check::Broken };

    let from_domain = from.rsplit_once('@').map_or("", |(_, domain)| domain);
    let mut dkim_domains: Vec<String> = dkim
        .iter()
        .filter(|output| *output.result() == DkimResult::Pass)
        .filter_map(|output| output.signature().map(|signature| signature.d.to_lowercase()))
        .collect();
    dkim_domains.dedup();
    dkim_domains.truncate(MAX_SIGNATURES);
    let is_aligned = dkim_domains.iter().any(|domain| speaks_for(domain, from_domain))
        || spf.result() == SpfResult::Pass && speaks_for(&spf_domain.to_lowercase(), from_domain);
    Some(Evidence {
        spf: match spf.result() {
            SpfResult::Pass => Check::Pass,
            SpfResult::Fail | SpfResult::SoftFail => Check::Fail,
            SpfResult::Neutral | SpfResult::None => Check::None,
            SpfResult::TempError => Check::Unavailable,
            SpfResult::PermError => Check::Broken,
        },
        dkim: best(dkim.iter().map(|output| check_of_dkim(output.result()))),
        dkim_domains,
        dmarc: match dmarc.result() {
            DmarcResult::Pass => Check::Pass,
            DmarcResult::Fail(_) => Check::Fail,
            DmarcResult::TempError(_) => Check::Unavailable,
            // No record is reported as a broken one by some servers' answers; neither proves anything.
            DmarcResult::PermError(_) => Check::Broken,
            DmarcResult::None => Check::None,
        },
        dmarc_is_enforced: matches!(dmarc.policy(), Policy::Quarantine | Policy::Reject),
        arc,
        is_aligned,
    })
}

/// Whether what is proved for `domain` is proved for `from`: the same, or a domain above it with at least two labels.
fn speaks_for(domain: &str, from: &str) -> bool {
    !from.is_empty()
        && domain.contains('.')
        && (domain == from || from.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.')))
}

fn check_of_dkim(result: &DkimResult) -> Check {
    match result {
        DkimResult::Pass => Check::Pass,
        DkimResult::Fail(_) => Check::Fail,
        // A signature that does not match the body, or is expired.
        DkimResult::Neutral(_) => Check::Fail,
        DkimResult::PermError(_) => Check::Broken,
        DkimResult::TempError(_) => Check::Unavailable,
        DkimResult::None => Check::None,
    }
}

/// One good signature is enough; else the most telling of the others.
fn best(checks: impl Iterator<Item = Check>) -> Check {
    let rank = |check: &Check| match check {
        Check::Pass => 0,
        Check::Unavailable => 1,
        Check::Fail => 2,
        Check::Broken => 3,
        Check::None => 4,
    };
    checks.min_by_key(rank).unwrap_or(Check::None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_speaks_for_itself_and_what_is_below_it() {
        for (domain, from, expected) in [
            ("shop.example", "shop.example", true),
            ("shop.example", "mail.shop.example", true),
            ("mail.shop.example", "shop.example", false),
            ("hop.example", "shop.example", false),
            ("example", "shop.example", false),
            ("shop.example", "", false),
        ] {
            assert_eq!(speaks_for(domain, from), expected, "{domain} {from}");
        }
    }
}
