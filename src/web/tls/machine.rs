//! How this machine is called by others.

use std::{
    collections::BTreeSet,
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

/// Addresses kept; a container host may have hundreds, of which nobody types the last.
const MAX_ADDRESSES: usize = 64;

/// Name and addresses of a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// Host name, with or without a domain.
    pub hostname: String,
    /// Addresses of its network interfaces.
    pub addresses: Vec<IpAddr>,
}

impl Machine {
    /// This machine, now.
    pub fn look() -> io::Result<Self> {
        let hostname = nix::unistd::gethostname()?.into_string().unwrap_or_default();
        let mut addresses = BTreeSet::new();
        for interface in nix::ifaddrs::getifaddrs()? {
            let Some(address) = interface.address else { continue };
            let address = match (address.as_sockaddr_in(), address.as_sockaddr_in6()) {
                (Some(v4), _) => IpAddr::V4(v4.ip()),
                (None, Some(v6)) => IpAddr::V6(v6.ip()),
                (None, None) => continue,
            };
            if !is_link_local(address) && addresses.len() < MAX_ADDRESSES {
                addresses.insert(address);
            }
        }
        Ok(Self { hostname, addresses: addresses.into_iter().collect() })
    }

    /// Every name under which browsers may reach this machine without further configuration: DNS names in lower
    /// case, and addresses.
    pub(super) fn names(&self) -> BTreeSet<String> {
        let mut names: BTreeSet<String> = self.addresses.iter().map(ToString::to_string).collect();
        names.extend([IpAddr::from(Ipv4Addr::LOCALHOST), Ipv6Addr::LOCALHOST.into()].map(|ip| ip.to_string()));
        names.insert("localhost".to_owned());
        let hostname = self.hostname.to_ascii_lowercase();
        if is_dns_name(&hostname) {
            let label = hostname.split('.').next().unwrap_or_default().to_owned();
            // What multicast DNS calls it, as Apple and Linux machines and many routers do.
            names.insert(format!("{label}.local"));
            names.insert(label);
            names.insert(hostname);
        }
        names
    }
}

/// Link-local IPv6 addresses need an interface behind a `%`, which no URL may hold.
fn is_link_local(address: IpAddr) -> bool {
    matches!(address, IpAddr::V6(v6) if v6.is_unicast_link_local())
}

/// Letters, digits and hyphens between dots, as certificates want them.
pub(super) fn is_dns_name(name: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    name.len() <= 253 && name.split('.').all(is_label) && name.parse::<IpAddr>().is_err()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_has_a_name_and_an_address() {
        let machine = Machine::look().unwrap();
        assert!(machine.names().contains("127.0.0.1") && machine.names().contains("localhost"));
        assert!(!machine.hostname.is_empty());
        assert!(machine.addresses.iter().any(IpAddr::is_loopback));
    }

    #[test]
    fn a_machine_is_called_by_its_label_its_domain_and_multicast_dns() {
        let machine = Machine { hostname: "NAS.example.lan".into(), addresses: vec!["192.168.1.20".parse().unwrap()] };
        let names: Vec<String> = machine.names().into_iter().collect();
        let expected = ["127.0.0.1", "192.168.1.20", "::1", "localhost", "nas", "nas.example.lan", "nas.local"];
        assert_eq!(names, expected);
        let odd = Machine { hostname: "my_pc".into(), addresses: vec![] };
        assert!(!odd.names().iter().any(|name| name.contains("my_pc")));
    }
}
