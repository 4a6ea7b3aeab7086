//! HTTPS as phones see it: real handshakes against what [`vouch::web::tls`] prepares.

#![expect(clippy::unwrap_used, reason = "a failed step ends the test")]

use std::{
    net::{Ipv4Addr, SocketAddr},
    os::unix::fs::PermissionsExt as _,
    path::Path,
    sync::Arc,
    time::Duration,
};

use axum_server::tls_rustls::RustlsConfig;
use rustls::{
    CertificateError, ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject as _},
    time_provider::TimeProvider,
};
use tempfile::TempDir;
use vouch::{
    config::{Config, TlsMode},
    domain::{sha256::Sha256, time::Timestamp},
    web::tls::{Machine, Tls, TlsError, prepare},
};

const NOW: Timestamp = Timestamp::from_micros(1_795_000_000_000_000);
const DAY: Duration = Duration::from_hours(24);

fn machine() -> Machine {
    let addresses = ["127.0.0.1", "192.168.1.20", "fd00::20"].map(|ip| ip.parse().unwrap()).to_vec();
    Machine { hostname: "nas".into(), addresses }
}

fn config(dir: &TempDir) -> Config {
    let mut config = Config { data_dir: dir.path().to_path_buf(), ..Config::default() };
    config.server.tls.names = vec!["receipts.example.org".into()];
    config
}

#[derive(Debug)]
struct At(Timestamp);

impl TimeProvider for At {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(Duration::from_micros(self.0.as_micros().unsigned_abs())))
    }
}

/// A phone that has installed `ca_pem` connects to `name` at `now`; the protocol agreed on.
fn connect(
    server: Arc<ServerConfig>,
    ca_pem: &str,
    name: &str,
    now: Timestamp,
) -> Result<Option<Vec<u8>>, rustls::Error> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(ca_pem.as_bytes()).unwrap()).unwrap();
    let mut client = ClientConfig::builder_with_details(Arc::new(ring::default_provider()), Arc::new(At(now)))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    client.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let mut client = ClientConnection::new(Arc::new(client), ServerName::try_from(name.to_owned()).unwrap()).unwrap();
    let mut server = ServerConnection::new(server).unwrap();
    // A handshake takes three flights; ten would be a loop.
    for _ in 0..10 {
        let mut flight = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut flight).unwrap();
        }
        let mut rest = flight.as_slice();
        while !rest.is_empty() {
            server.read_tls(&mut rest).unwrap();
            server.process_new_packets()?;
        }
        let mut flight = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut flight).unwrap();
        }
        let mut rest = flight.as_slice();
        while !rest.is_empty() {
            client.read_tls(&mut rest).unwrap();
            client.process_new_packets()?;
        }
        if !client.is_handshaking() && !server.is_handshaking() {
            return Ok(client.alpn_protocol().map(<[u8]>::to_vec));
        }
    }
    panic!("the handshake does not end");
}

fn reaches(tls: &Tls, name: &str, now: Timestamp) -> Result<(), rustls::Error> {
    let ca = &tls.authority().unwrap().pem;
    connect(tls.server_config().unwrap(), ca, name, now).map(|protocol| assert_eq!(protocol.unwrap(), b"h2"))
}

#[tokio::test]
async fn a_phone_that_installed_the_authority_reaches_every_name_of_the_machine() {
    let dir = tempfile::tempdir().unwrap();
    let tls = prepare(&config(&dir), &machine(), NOW).await.unwrap();
    for name in ["nas", "nas.local", "localhost", "127.0.0.1", "192.168.1.20", "fd00::20", "receipts.example.org"] {
        reaches(&tls, name, NOW).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
    let error = reaches(&tls, "other.local", NOW).unwrap_err();
    assert!(
        matches!(error, rustls::Error::InvalidCertificate(CertificateError::NotValidForNameContext { .. })),
        "{error}"
    );
    assert_eq!(tls.left_out(), [""; 0]);

    let authority = tls.authority().unwrap();
    assert_eq!(authority.fingerprint.replace(':', "").to_lowercase(), Sha256::of(&authority.der).to_string());
    assert_eq!(std::fs::read_to_string(dir.path().join("tls/ca.pem")).unwrap(), authority.pem);
    for private in ["authority.json", "server.json"] {
        let mode = dir.path().join("tls").join(private).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{private}");
    }
}

#[tokio::test]
async fn the_server_answers_over_tcp_to_a_client_that_trusts_the_authority_and_to_no_other() {
    let _ = ring::default_provider().install_default();
    let dir = tempfile::tempdir().unwrap();
    #[expect(clippy::disallowed_methods, reason = "the client checks the certificate against the real clock")]
    let now = jiff::Timestamp::now().into();
    let tls = prepare(&config(&dir), &Machine::look().unwrap(), now).await.unwrap();
    let handle = axum_server::Handle::new();
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let server = axum_server::bind_rustls(address, RustlsConfig::from_config(tls.server_config().unwrap()));
    let app = axum::Router::new().route("/", axum::routing::get(|| async { "here" }));
    tokio::spawn(server.handle(handle.clone()).serve(app.into_make_service()));
    let port = handle.listening().await.unwrap().port();

    let trusted = reqwest::Certificate::from_pem(tls.authority().unwrap().pem.as_bytes()).unwrap();
    let client = reqwest::Client::builder().tls_certs_only([trusted]).build().unwrap();
    for host in ["127.0.0.1", "localhost"] {
        let answer = client.get(format!("https://{host}:{port}/")).send().await.unwrap();
        assert_eq!(answer.text().await.unwrap(), "here");
    }
    let other = tempfile::tempdir().unwrap();
    let stranger = prepare(&config(&other), &machine(), now).await.unwrap();
    let other = reqwest::Certificate::from_pem(stranger.authority().unwrap().pem.as_bytes()).unwrap();
    let client = reqwest::Client::builder().tls_certs_only([other]).build().unwrap();
    client.get(format!("https://127.0.0.1:{port}/")).send().await.unwrap_err();
    handle.shutdown();
}

#[tokio::test]
async fn the_authority_outlives_restarts_and_the_certificate_is_renewed_in_time() {
    let dir = tempfile::tempdir().unwrap();
    let first = prepare(&config(&dir), &machine(), NOW).await.unwrap();
    let certificate = || std::fs::read_to_string(dir.path().join("tls/server.json")).unwrap();
    let issued = certificate();

    let later = NOW.plus(DAY * 366);
    let again = prepare(&config(&dir), &machine(), later).await.unwrap();
    assert_eq!(again.authority(), first.authority());
    assert_eq!(certificate(), issued, "31 days are left");
    let later = NOW.plus(DAY * 368);
    assert!(first.refresh(&machine(), later).await.unwrap(), "29 days are left");
    assert_ne!(certificate(), issued);
    assert!(!first.refresh(&machine(), later).await.unwrap());
    let error = reaches(&again, "nas", NOW.plus(DAY * 398)).unwrap_err();
    assert!(error.to_string().contains("xpired"), "{error}");
    reaches(&first, "nas", NOW.plus(DAY * 398)).unwrap();

    let error = prepare(&config(&dir), &machine(), NOW.plus(DAY * 3651)).await.unwrap_err();
    assert!(matches!(error, TlsError::AuthorityExpired { .. }), "{error}");
}

#[tokio::test]
async fn a_machine_that_moves_gets_a_certificate_for_its_new_address_under_the_same_authority() {
    let dir = tempfile::tempdir().unwrap();
    let tls = prepare(&config(&dir), &machine(), NOW).await.unwrap();
    let mut moved = machine();
    moved.addresses = vec!["10.1.2.3".parse().unwrap(), "203.0.113.9".parse().unwrap()];
    reaches(&tls, "10.1.2.3", NOW).unwrap_err();
    assert!(tls.refresh(&moved, NOW).await.unwrap());
    reaches(&tls, "10.1.2.3", NOW).unwrap();
    assert_eq!(tls.left_out(), ["203.0.113.9"], "a public address was not known when the authority was made");

    // The old address comes back: the name was lost with the new certificate, so there is another one.
    assert!(tls.refresh(&machine(), NOW).await.unwrap());
    // An interface that is only down needs none.
    let mut fewer = machine();
    fewer.addresses.pop();
    assert!(!tls.refresh(&fewer, NOW).await.unwrap());

    let mut config = config(&dir);
    config.server.tls.names.push("elsewhere.example.com".into());
    let error = prepare(&config, &machine(), NOW).await.unwrap_err();
    assert!(matches!(error, TlsError::OutsideAuthority { .. }) && error.to_string().contains("hint: "), "{error}");
}

#[tokio::test]
async fn what_a_thief_of_the_authority_signs_for_other_sites_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let tls = prepare(&config(&dir), &machine(), NOW).await.unwrap();
    let text = std::fs::read_to_string(dir.path().join("tls/authority.json")).unwrap();
    let stolen: serde_json::Value = serde_json::from_str(&text).unwrap();
    let field = |name: &str| stolen[name].as_str().unwrap();
    let mut subject = rcgen::CertificateParams::default();
    subject.distinguished_name = rcgen::DistinguishedName::new();
    subject.distinguished_name.push(rcgen::DnType::CommonName, field("subject"));
    subject.key_usages = vec![rcgen::KeyUsagePurpose::KeyCertSign];
    let issuer = rcgen::Issuer::new(subject, rcgen::KeyPair::from_pem(field("key_pem")).unwrap());
    for (name, accepted) in [("bank.example.com", false), ("8.8.8.8", false), ("other.local", true)] {
        let key = rcgen::KeyPair::generate().unwrap();
        let forged = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
        let server = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![forged.der().clone()], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
            .unwrap();
        let result = connect(Arc::new(server), &tls.authority().unwrap().pem, name, NOW);
        assert_eq!(result.is_ok(), accepted, "{name}: {result:?}");
    }
}

#[tokio::test]
async fn certificate_files_are_read_again_when_they_change_and_kept_when_they_break() {
    let dir = tempfile::tempdir().unwrap();
    let (chain, key) = (dir.path().join("chain.pem"), dir.path().join("key.pem"));
    let write = |name: &str| {
        let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
        std::fs::write(&chain, made.cert.pem()).unwrap();
        std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        made.cert.pem()
    };
    let mut config = Config::default();
    config.server.tls.mode = TlsMode::Files;
    config.server.tls.certificate = Some(chain.clone());
    config.server.tls.key = Some(key.clone());
    let first = write("one.example.org");
    let tls = prepare(&config, &machine(), NOW).await.unwrap();
    assert_eq!(tls.authority(), None);
    let server = tls.server_config().unwrap();
    connect(Arc::clone(&server), &first, "one.example.org", NOW).unwrap();
    assert!(!tls.refresh(&machine(), NOW).await.unwrap());
    let second = write("two.example.org");
    assert!(tls.refresh(&machine(), NOW).await.unwrap());
    connect(Arc::clone(&server), &second, "two.example.org", NOW).unwrap();

    // Half-way through a renewal the files do not belong together.
    std::fs::write(&chain, &first).unwrap();
    let error = tls.refresh(&machine(), NOW).await.unwrap_err().to_string();
    assert!(error.contains("belong together") && error.contains("key.pem"), "{error}");
    connect(server, &second, "two.example.org", NOW).unwrap();
    for (path, content) in [(&chain, "no certificate"), (&key, "no key")] {
        std::fs::write(path, content).unwrap();
        let error = prepare(&config, &machine(), NOW).await.unwrap_err();
        assert!(matches!(&error, TlsError::Unusable { .. }) && error.to_string().contains("hint: "), "{error}");
        write("one.example.org");
    }
    std::fs::remove_file(Path::new(&chain)).unwrap();
    assert!(matches!(prepare(&config, &machine(), NOW).await.unwrap_err(), TlsError::File { .. }));
}

#[tokio::test]
async fn without_https_there_is_nothing_to_prepare() {
    let mut config = Config::default();
    config.server.tls.mode = TlsMode::Off;
    let tls = prepare(&config, &machine(), NOW).await.unwrap();
    assert!(tls.server_config().is_none() && tls.authority().is_none() && tls.names().is_empty());
    assert!(!tls.refresh(&machine(), NOW).await.unwrap());
}
