//! What handlers share.

use std::sync::Arc;

use metrics_exporter_prometheus::PrometheusHandle;

use crate::{
    app::App,
    capture::mail::{PostOffice, webhook::Keys},
    domain::mail::Way,
    reader::ReaderPool,
};

/// Cheap to clone.
#[derive(Clone)]
pub struct AppState {
    /// The running instance.
    pub app: App,
    /// The reader, when this process runs workers; tells readiness.
    pub pool: Option<ReaderPool>,
    /// How the outside reaches us.
    pub web: Arc<WebSettings>,
    /// Takes mail in.
    pub office: PostOffice,
    /// Renders `/metrics`.
    pub metrics: PrometheusHandle,
}

/// How the outside reaches us.
#[derive(Clone)]
pub struct WebSettings {
    /// The address people use, without a slash at the end.
    pub external_url: String,
    /// Served over HTTPS, here or at a trusted proxy: cookies are `Secure`, cameras and offline capture work.
    pub is_secure: bool,
    /// Proxies whose `X-Forwarded-*` headers are believed, as configured.
    pub trusted_proxies: Vec<crate::config::Network>,
    /// PEM of the local certificate authority and its fingerprint, when we made one.
    pub local_ca: Option<LocalCa>,
    /// IANA time zone for pages.
    pub time_zone: String,
    /// Keys of the providers that post mail.
    pub hooks: Keys,
    /// Ways in for mail that are open, for the admin page: the way, and where.
    pub mail_doors: Vec<(Way, String)>,
}

/// The local certificate authority people install on their phones.
#[derive(Debug, Clone)]
pub struct LocalCa {
    /// PEM.
    pub pem: String,
    /// DER, as phones take it.
    pub der: Vec<u8>,
    /// SHA-256 fingerprint as people compare it, `AB:CD:…`.
    pub fingerprint: String,
}
