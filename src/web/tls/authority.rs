//! Our own certificate authority, for a local network without public names.
//!
//! Phones and computers install it once, so its key must not be worth stealing: the authority is constrained to
//! private addresses, local names and the names configured when it was made. Browsers refuse anything else it signs.

use std::{
    collections::BTreeSet,
    fs, io,
    io::Write as _,
    net::IpAddr,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    time::Duration,
};

use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DistinguishedName, DnType, ExtendedKeyUsagePurpose,
    GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose, NameConstraints,
};
use serde::{Deserialize, Serialize};

use super::{Machine, TlsError, machine::is_dns_name};
use crate::{config::Network, domain::time::Timestamp};

const DAY: Duration = Duration::from_hours(24);

/// How long people keep an authority installed.
const AUTHORITY_LIFE: Duration = Duration::from_hours(24 * 3650);

/// Apple refuses certificates valid for longer than 825 days, and 398 is what public ones may have.
const CERTIFICATE_LIFE: Duration = Duration::from_hours(24 * 397);

/// A certificate with less time left is replaced.
const RENEW_BEFORE: Duration = Duration::from_hours(24 * 30);

/// Names only local networks use: RFC 6762, RFC 8375, RFC 6761, and what routers give out.
const LOCAL_DOMAINS: [&str; 6] = ["localhost", "local", "home.arpa", "internal", "lan", "home"];

/// Private, shared (also Tailscale), link-local and loopback networks.
const LOCAL_NETWORKS: [&str; 8] = [
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "100.64.0.0/10",
    "169.254.0.0/16",
    "127.0.0.0/8",
    "fc00::/7",
    "::1/128",
];

/// The authority as kept in `authority.json`, readable by its owner only.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Authority {
    subject: String,
    not_after: Timestamp,
    /// Domains it may sign for, with everything below them.
    domains: Vec<String>,
    /// Networks it may sign for.
    networks: Vec<Network>,
    certificate_pem: String,
    key_pem: String,
}

/// A server certificate as kept in `server.json`, readable by its owner only.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Issued {
    /// Whose certificate it is: the authority's, so a new authority means a new certificate.
    authority: String,
    /// Sorted.
    pub names: BTreeSet<String>,
    not_after: Timestamp,
    pub certificate_pem: String,
    pub key_pem: String,
}

impl Authority {
    /// Loads the authority, or makes one on the first run. Keys come from the system's randomness.
    pub(super) fn open(dir: &Path, machine: &Machine, wanted: &[String], now: Timestamp) -> Result<Self, TlsError> {
        let path = dir.join("authority.json");
        let authority = if let Some(authority) = load(&path)? {
            authority
        } else {
            let made = Self::make(machine, wanted, now)?;
            fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(|e| TlsError::file(dir, e))?;
            match store_new(&path, &made) {
                Ok(()) => made,
                // Another process was faster; there must be only one.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    load(&path)?.ok_or_else(|| TlsError::file(&path, error))?
                }
                Err(error) => return Err(TlsError::file(&path, error)),
            }
        };
        // Also as a file to hand out by other means.
        let public = dir.join("ca.pem");
        if fs::read_to_string(&public).ok().as_ref() != Some(&authority.certificate_pem) {
            fs::write(&public, &authority.certificate_pem).map_err(|e| TlsError::file(&public, e))?;
        }
        if now >= authority.not_after {
            return Err(TlsError::AuthorityExpired { dir: dir.to_path_buf(), not_after: authority.not_after });
        }
        Ok(authority)
    }

    fn make(machine: &Machine, wanted: &[String], now: Timestamp) -> Result<Self, TlsError> {
        let mut domains: BTreeSet<String> = LOCAL_DOMAINS.map(str::to_owned).into();
        let mut networks: Vec<Network> = LOCAL_NETWORKS.iter().filter_map(|text| text.parse().ok()).collect();
        for name in machine.names().into_iter().chain(wanted.iter().cloned()) {
            match name.parse::<IpAddr>() {
                Ok(ip) if networks.iter().any(|network| network.contains(ip)) => {}
                Ok(_) => networks.extend(name.parse::<Network>().ok()),
                Err(_) if domains.iter().any(|domain| is_below(&name, domain)) => {}
                Err(_) => {
                    domains.insert(name);
                }
            }
        }
        let subject = format!("Vouch on {} ({})", machine.hostname, now.date_in("UTC"));
        let key = KeyPair::generate()?;
        let mut params = authority_params(&subject);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        let not_after = now.plus(AUTHORITY_LIFE);
        set_validity(&mut params, now, not_after);
        let subnet = |network: &Network| CidrSubnet::from_addr_prefix(network.address(), network.length());
        params.name_constraints = Some(NameConstraints {
            permitted_subtrees: domains
                .iter()
                .map(|domain| GeneralSubtree::DnsName(domain.clone()))
                .chain(networks.iter().map(|network| GeneralSubtree::IpAddress(subnet(network))))
                .collect(),
            excluded_subtrees: Vec::new(),
        });
        let certificate_pem = params.self_signed(&key)?.pem();
        let domains = domains.into_iter().collect();
        Ok(Self { subject, not_after, domains, networks, certificate_pem, key_pem: key.serialize_pem() })
    }

    pub(super) fn certificate_pem(&self) -> &str {
        &self.certificate_pem
    }

    /// Whether browsers accept a certificate for this name from this authority.
    fn permits(&self, name: &str) -> bool {
        match name.parse::<IpAddr>() {
            Ok(ip) => self.networks.iter().any(|network| network.contains(ip)),
            Err(_) => self.domains.iter().any(|domain| is_below(name, domain)),
        }
    }

    /// The certificate in `dir` when it still serves, otherwise a new one. Names of the machine that the authority
    /// may not sign for are left out and returned; a configured one is an error.
    pub(super) fn server_certificate(
        &self,
        dir: &Path,
        machine: &Machine,
        wanted: &[String],
        now: Timestamp,
    ) -> Result<(Issued, Vec<String>), TlsError> {
        if let Some(name) = wanted.iter().find(|name| !self.permits(name)) {
            return Err(TlsError::OutsideAuthority { name: name.clone(), dir: dir.to_path_buf() });
        }
        let (mut names, left_out): (BTreeSet<String>, BTreeSet<String>) =
            machine.names().into_iter().partition(|name| self.permits(name));
        names.extend(wanted.iter().cloned());
        let path = dir.join("server.json");
        let known: Option<Issued> = load(&path)?;
        let serves = |issued: &Issued| {
            // A name more than needed does no harm: an interface that is down just now comes back.
            issued.authority == self.certificate_pem
                && issued.names.is_superset(&names)
                && now.plus(RENEW_BEFORE) < issued.not_after
        };
        let issued = match known {
            Some(issued) if serves(&issued) => issued,
            _ => {
                let issued = self.issue(names, now)?;
                store(&path, &issued).map_err(|e| TlsError::file(&path, e))?;
                tracing::info!(names = issued.names.len(), until = %issued.not_after, "Issued a new server certificate");
                issued
            }
        };
        Ok((issued, left_out.into_iter().collect()))
    }

    fn issue(&self, names: BTreeSet<String>, now: Timestamp) -> Result<Issued, TlsError> {
        let issuer = Issuer::new(authority_params(&self.subject), KeyPair::from_pem(&self.key_pem)?);
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(names.iter().cloned().collect::<Vec<_>>())?;
        params.distinguished_name = common_name("Vouch");
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let not_after = now.plus(CERTIFICATE_LIFE).min(self.not_after);
        set_validity(&mut params, now, not_after);
        let certificate_pem = params.signed_by(&key, &issuer)?.pem();
        let authority = self.certificate_pem.clone();
        Ok(Issued { authority, names, not_after, certificate_pem, key_pem: key.serialize_pem() })
    }
}

/// Issuer name, key identifier and usages must come out the same whenever the authority signs.
fn authority_params(subject: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = common_name(subject);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn common_name(name: &str) -> DistinguishedName {
    let mut distinguished_name = DistinguishedName::new();
    distinguished_name.push(DnType::CommonName, name);
    distinguished_name
}

/// From midnight UTC of the day before, since a phone's clock may be behind, to midnight of the last day.
fn set_validity(params: &mut CertificateParams, now: Timestamp, not_after: Timestamp) {
    let midnight = |at: Timestamp| {
        let date = at.date_in("UTC");
        rcgen::date_time_ymd(date.year().into(), date.month().unsigned_abs(), date.day().unsigned_abs())
    };
    params.not_before = midnight(now.minus(DAY));
    params.not_after = midnight(not_after);
}

fn is_below(name: &str, domain: &str) -> bool {
    name == domain || name.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'))
}

/// Names from the configuration, in lower case; the ones that cannot stand in a certificate are left to its check.
pub(super) fn wanted(names: &[String], external_url: Option<&str>) -> Vec<String> {
    let host = external_url.and_then(|url| url.split_once("://")).map(|(_, rest)| {
        let rest = rest.trim_end_matches('/');
        match rest.strip_prefix('[').and_then(|v6| v6.split_once(']')) {
            Some((v6, _)) => v6.to_owned(),
            None => rest.split(':').next().unwrap_or_default().to_owned(),
        }
    });
    let all = names.iter().cloned().chain(host).map(|name| name.to_ascii_lowercase());
    let all: BTreeSet<String> = all.filter(|name| is_dns_name(name) || name.parse::<IpAddr>().is_ok()).collect();
    all.into_iter().collect()
}

fn load<T: serde::de::DeserializeOwned>(path: &Path) -> Result<Option<T>, TlsError> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(TlsError::file(path, error)),
    };
    serde_json::from_str(&text).map(Some).map_err(|error| TlsError::Unusable {
        path: path.to_path_buf(),
        reason: error.to_string(),
        hint: "restore it from a backup, or remove it and a new one is made; after a new authority phones install it again",
    })
}

/// Replaces the file in one step.
fn store(path: &Path, value: &impl Serialize) -> io::Result<()> {
    let temporary = write_private(path, value)?;
    fs::rename(&temporary, path)?;
    sync_parent(path)
}

/// Fails with `AlreadyExists` rather than replacing a file.
fn store_new(path: &Path, value: &impl Serialize) -> io::Result<()> {
    let temporary = write_private(path, value)?;
    let linked = fs::hard_link(&temporary, path);
    fs::remove_file(&temporary)?;
    linked?;
    sync_parent(path)
}

fn write_private(path: &Path, value: &impl Serialize) -> io::Result<PathBuf> {
    let temporary = path.with_extension(format!("{}.tmp", std::process::id()));
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
    file.write_all(&serde_json::to_vec_pretty(value)?)?;
    file.sync_all()?;
    Ok(temporary)
}

fn sync_parent(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), |parent| fs::File::open(parent)?.sync_all())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_below_a_domain_are_told_from_names_that_only_end_like_it() {
        assert!(is_below("vouch.lan", "lan"));
        assert!(is_below("lan", "lan"));
        assert!(!is_below("evillan", "lan"));
        assert!(!is_below("lan.example", "lan"));
    }

    #[test]
    fn the_host_of_the_external_url_is_a_wanted_name() {
        let names = ["Vouch.LAN".to_owned(), "10.0.0.7".to_owned()];
        assert_eq!(
            wanted(&names, Some("https://books.example.org:8443/")),
            ["10.0.0.7", "books.example.org", "vouch.lan"]
        );
        assert_eq!(wanted(&[], Some("https://[fd00::1]:8443")), ["fd00::1"]);
        assert!(wanted(&[], None).is_empty());
    }
}
