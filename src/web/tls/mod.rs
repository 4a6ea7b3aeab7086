//! HTTPS from the first day: certificate files, or a certificate authority of our own for a local network, or plain
//! HTTP behind a proxy.

mod authority;
mod machine;

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
    sync::{Arc, RwLock},
};

use rustls::{
    ServerConfig,
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};

use self::authority::{Authority, wanted};
pub use self::machine::Machine;
use crate::{
    config::{Config, TlsMode},
    domain::{sha256::Sha256, time::Timestamp},
};

/// A chain of certificates is a few KiB.
const MAX_PEM_BYTES: u64 = 1024 * 1024;

/// Why HTTPS cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file could not be read or written.
    #[error("`{path}`: {source}\nhint: let the user who runs vouch read it, and write the data directory")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file has the wrong content.
    #[error("`{path}` cannot be used: {reason}\nhint: {hint}")]
    Unusable {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
        /// What to do.
        hint: &'static str,
    },
    /// A configured name came after the authority was made, and browsers would refuse it.
    #[error(
        "the authority in `{dir}` may not sign for `{name}`\n\
         hint: remove `authority.json` there to make a new one; phones must install it again"
    )]
    OutsideAuthority {
        /// The name.
        name: String,
        /// Where the authority is kept.
        dir: PathBuf,
    },
    /// The authority's ten years are over.
    #[error(
        "the authority in `{dir}` expired on {not_after}\n\
         hint: remove `authority.json` there to make a new one; phones must install it again"
    )]
    AuthorityExpired {
        /// Where the authority is kept.
        dir: PathBuf,
        /// When.
        not_after: Timestamp,
    },
    /// A key or certificate could not be made.
    #[error("a certificate could not be made: {0}")]
    Make(#[from] rcgen::Error),
    /// The TLS library refused the settings.
    #[error("TLS could not be set up: {0}")]
    Rustls(#[from] rustls::Error),
}

impl TlsError {
    fn file(path: &Path, source: io::Error) -> Self {
        Self::File { path: path.to_path_buf(), source }
    }
}

/// The authority's certificate, for people to install.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorityCertificate {
    /// As text, for `ca.pem`.
    pub pem: String,
    /// As bytes, for `ca.crt` (`application/x-x509-ca-cert`).
    pub der: Vec<u8>,
    /// SHA-256 of `der` as phones show it: `AB:CD:…`, 32 pairs.
    pub fingerprint: String,
}

/// HTTPS as configured. Cloning shares the certificate.
#[derive(Clone)]
pub struct Tls {
    server: Option<Arc<ServerConfig>>,
    current: Arc<Current>,
    settings: Arc<Settings>,
    authority: Option<Arc<AuthorityCertificate>>,
}

/// What [`Tls::refresh`] looks at again.
#[derive(Debug)]
struct Settings {
    mode: TlsMode,
    dir: PathBuf,
    wanted: Vec<String>,
    certificate: PathBuf,
    key: PathBuf,
}

/// A certificate with its key, and what is known about it.
#[derive(Debug)]
struct Loaded {
    certified: Arc<CertifiedKey>,
    names: Vec<String>,
    left_out: Vec<String>,
}

/// The certificate in use; replaced while the server runs.
#[derive(Debug, Default)]
struct Current(RwLock<Option<Loaded>>);

impl Current {
    fn read<T>(&self, look: impl FnOnce(&Loaded) -> T) -> Option<T> {
        // A poisoned lock still holds a whole certificate.
        self.0.read().unwrap_or_else(std::sync::PoisonError::into_inner).as_ref().map(look)
    }

    fn replace(&self, loaded: Loaded) {
        *self.0.write().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(loaded);
    }
}

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.read(|loaded| Arc::clone(&loaded.certified))
    }
}

/// Sets HTTPS up as configured. `local-ca` makes the authority on the first run and issues a certificate for the
/// names of `machine` and the configured ones; it is valid for 397 days from `now` and renewed 30 days before the end.
pub async fn prepare(config: &Config, machine: &Machine, now: Timestamp) -> Result<Tls, TlsError> {
    let tls = &config.server.tls;
    let settings = Arc::new(Settings {
        mode: tls.mode,
        dir: config.tls_dir(),
        wanted: wanted(&tls.names, config.server.external_url.as_deref()),
        certificate: tls.certificate.clone().unwrap_or_default(),
        key: tls.key.clone().unwrap_or_default(),
    });
    let current = Arc::new(Current::default());
    let authority = match load(&settings, machine, now).await? {
        None => return Ok(Tls { server: None, current, settings, authority: None }),
        Some((loaded, authority)) => {
            current.replace(loaded);
            authority.map(Arc::new)
        }
    };
    // Named here, never taken from a process-wide default that another crate might set.
    let mut server = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(Arc::clone(&current) as Arc<dyn ResolvesServerCert>);
    server.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Tls { server: Some(Arc::new(server)), current, settings, authority })
}

impl Tls {
    /// For `axum_server::bind_rustls` through `RustlsConfig::from_config`; `None` in mode `off`.
    pub fn server_config(&self) -> Option<Arc<ServerConfig>> {
        self.server.clone()
    }

    /// Mode `local-ca`: what people install on their phones.
    pub fn authority(&self) -> Option<&AuthorityCertificate> {
        self.authority.as_deref()
    }

    /// Mode `local-ca`: names and addresses the certificate is for.
    pub fn names(&self) -> Vec<String> {
        self.current.read(|loaded| loaded.names.clone()).unwrap_or_default()
    }

    /// Mode `local-ca`: names of this machine that the authority may not sign for, such as a public address it got
    /// later. Configure them and make a new authority when people use them.
    pub fn left_out(&self) -> Vec<String> {
        self.current.read(|loaded| loaded.left_out.clone()).unwrap_or_default()
    }

    /// Looks again: reads certificate files that changed, renews a certificate that ends or lacks a new name of
    /// `machine`. New connections get it; the server goes on. Whether anything changed. To be called every hour and
    /// on SIGHUP; after an error the old certificate stays in use.
    pub async fn refresh(&self, machine: &Machine, now: Timestamp) -> Result<bool, TlsError> {
        let Some((loaded, _)) = load(&self.settings, machine, now).await? else { return Ok(false) };
        let changed = self.current.read(|current| current.certified.cert != loaded.certified.cert) != Some(false);
        self.current.replace(loaded);
        Ok(changed)
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("mode", &self.settings.mode).field("names", &self.names()).finish_non_exhaustive()
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

type Found = Option<(Loaded, Option<AuthorityCertificate>)>;

async fn load(settings: &Arc<Settings>, machine: &Machine, now: Timestamp) -> Result<Found, TlsError> {
    let (settings, machine) = (Arc::clone(settings), machine.clone());
    let task = tokio::task::spawn_blocking(move || match settings.mode {
        TlsMode::Off => Ok(None),
        TlsMode::Files => load_files(&settings).map(|loaded| Some((loaded, None))),
        TlsMode::LocalCa => {
            load_local(&settings, &machine, now).map(|(loaded, authority)| Some((loaded, Some(authority))))
        }
    });
    task.await.unwrap_or_else(|error| Err(TlsError::Rustls(rustls::Error::General(error.to_string()))))
}

fn load_local(
    settings: &Settings,
    machine: &Machine,
    now: Timestamp,
) -> Result<(Loaded, AuthorityCertificate), TlsError> {
    let dir = &settings.dir;
    let authority = Authority::open(dir, machine, &settings.wanted, now)?;
    let (issued, left_out) = authority.server_certificate(dir, machine, &settings.wanted, now)?;
    let path = dir.join("server.json");
    let certified = certified(&path, issued.certificate_pem.as_bytes(), &path, issued.key_pem.as_bytes())?;
    let pem = authority.certificate_pem().to_owned();
    let der = certificates(&dir.join("authority.json"), pem.as_bytes())?[0].to_vec();
    let fingerprint = Sha256::of(&der).as_bytes().map(|byte| format!("{byte:02X}")).join(":");
    let names = issued.names.into_iter().collect();
    Ok((Loaded { certified, names, left_out }, AuthorityCertificate { pem, der, fingerprint }))
}

fn load_files(settings: &Settings) -> Result<Loaded, TlsError> {
    let (chain, key) = (read_bounded(&settings.certificate)?, read_bounded(&settings.key)?);
    let certified = certified(&settings.certificate, &chain, &settings.key, &key)?;
    Ok(Loaded { certified, names: Vec::new(), left_out: Vec::new() })
}

fn read_bounded(path: &Path) -> Result<Vec<u8>, TlsError> {
    let size = fs::metadata(path).map_err(|error| TlsError::file(path, error))?.len();
    if size > MAX_PEM_BYTES {
        let (path, reason) = (path.to_path_buf(), format!("it has {size} bytes"));
        return Err(TlsError::Unusable { path, reason, hint: "name a PEM file" });
    }
    fs::read(path).map_err(|error| TlsError::file(path, error))
}

/// The certificates of a PEM file; at least one.
fn certificates(path: &Path, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let unusable = |reason: String| TlsError::Unusable {
        path: path.to_path_buf(),
        reason,
        hint: "it must hold `-----BEGIN CERTIFICATE-----` blocks, this server's first",
    };
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let chain = chain.map_err(|error| unusable(error.to_string()))?;
    if chain.is_empty() { Err(unusable("there is no certificate in it".into())) } else { Ok(chain) }
}

fn certified(chain_path: &Path, chain: &[u8], key_path: &Path, key: &[u8]) -> Result<Arc<CertifiedKey>, TlsError> {
    let chain = certificates(chain_path, chain)?;
    let unusable = |reason: String, hint| TlsError::Unusable { path: key_path.to_path_buf(), reason, hint };
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| {
        unusable(error.to_string(), "it must hold one unencrypted `-----BEGIN PRIVATE KEY-----` block")
    })?;
    let certified = CertifiedKey::from_der(chain, key, &provider())
        .map_err(|error| unusable(error.to_string(), "certificate and key must belong together"))?;
    Ok(Arc::new(certified))
}
