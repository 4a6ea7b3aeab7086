//! How to reach Vouch over HTTPS from a phone.

use askama::Template;

use super::{
    html::{self, Html},
    shell::Shell,
};

/// `GET /https`; open to everyone, over plain HTTP too. The certificate is at `/https/ca.crt`.
#[derive(Debug, Clone, Template)]
#[template(path = "https_help.html")]
pub struct HttpsHelpPage {
    /// The frame.
    pub shell: Shell,
    /// HTTPS addresses to try, best first.
    pub addresses: Vec<String>,
    /// SHA-256 fingerprint of the local CA's certificate; `None` when the certificate is not ours.
    pub ca_fingerprint: Option<String>,
    /// Whether this very page came over HTTPS.
    pub secure: bool,
}

impl HttpsHelpPage {
    /// The QR code of an address; empty when it is too long for one.
    pub fn qr(&self, address: &str) -> Html {
        html::qr(address).unwrap_or_else(|| Html(String::new()))
    }
}
