//! Amazon SNS: messages signed with RSA by a certificate that Amazon serves (signature version 2).

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use base64::Engine as _;
use serde::Deserialize;
use webpki::{EndEntityCert, ring::RSA_PKCS1_2048_8192_SHA256};

use super::{HookError, Keys};
use crate::domain::time::Timestamp;

/// SNS repeats for hours; what is older is no repetition.
const MAX_AGE_SECONDS: i64 = 24 * 3600;

/// Certificates remembered; Amazon changes its certificate about once a year.
const MAX_CERTIFICATES: usize = 16;

/// Certificates of SNS by the address they came from, so that Amazon is not asked for every message. Cheap to clone.
#[derive(Clone, Default)]
pub struct Certificates(Arc<Mutex<BTreeMap<String, Vec<u8>>>>);

impl Certificates {
    /// DER of the certificate that came from `url`.
    pub fn get(&self, url: &str) -> Option<Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(url).cloned()
    }

    /// Remembers DER that came from `url`, which [`is_certificate_url`] approved.
    pub fn keep(&self, url: &str, der: &[u8]) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MAX_CERTIFICATES {
            known.clear();
        }
        known.insert(url.to_owned(), der.to_vec());
    }
}

/// An SNS message as posted.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Sns {
    /// `Notification` or `SubscriptionConfirmation`.
    #[serde(rename = "Type")]
    pub kind: String,
    /// Its id.
    pub message_id: String,
    /// The topic.
    pub topic_arn: String,
    /// What it brings.
    pub message: String,
    /// When it was published, RFC 3339.
    pub timestamp: String,
    /// `2` for SHA-256.
    pub signature_version: String,
    /// Base64.
    pub signature: String,
    /// Where the certificate is.
    #[serde(rename = "SigningCertURL")]
    pub signing_cert_url: String,
    /// A subject, which some publishers add.
    pub subject: Option<String>,
    /// Of a confirmation.
    pub token: Option<String>,
    /// Of a confirmation: to be fetched to confirm.
    #[serde(rename = "SubscribeURL")]
    pub subscribe_url: Option<String>,
}

impl Sns {
    /// Reads a posted body.
    pub fn parse(body: &[u8]) -> Result<Self, HookError> {
        serde_json::from_slice(body).map_err(|_| HookError::Unusable("it is not an SNS message"))
    }

    /// The text that is signed: names and values, a line each, in byte order of the names.
    fn signed_text(&self) -> Option<String> {
        let mut lines: Vec<(&str, &str)> = vec![("Message", &self.message), ("MessageId", &self.message_id)];
        match self.kind.as_str() {
            "Notification" => lines.extend(self.subject.as_deref().map(|subject| ("Subject", subject))),
            "SubscriptionConfirmation" => lines.push(("SubscribeURL", self.subscribe_url.as_deref()?)),
            _ => return None,
        }
        lines.push(("Timestamp", &self.timestamp));
        if self.kind == "SubscriptionConfirmation" {
            lines.push(("Token", self.token.as_deref()?));
        }
        lines.push(("TopicArn", &self.topic_arn));
        lines.push(("Type", &self.kind));
        Some(lines.iter().flat_map(|(name, value)| [*name, "\n", *value, "\n"]).collect())
    }
}

/// The first certificate of a PEM file, as DER.
pub fn certificate_of(pem: &[u8]) -> Option<Vec<u8>> {
    use rustls::pki_types::{CertificateDer, pem::PemObject as _};
    CertificateDer::from_pem_slice(pem).ok().map(|der| der.to_vec())
}

/// Whether Amazon serves certificates of SNS there: HTTPS, a host of SNS, a PEM file.
pub fn is_certificate_url(url: &str) -> bool {
    is_sns_host(url)
        .is_some_and(|path| path.starts_with("/SimpleNotificationService-") && path.rsplit('.').next() == Some("pem"))
}

/// Whether fetching the URL confirms a subscription with Amazon and does nothing else.
pub fn is_subscribe_url(url: &str) -> bool {
    is_sns_host(url).is_some_and(|path| path.starts_with("/?Action=ConfirmSubscription&"))
}

/// The path of a URL of `sns.REGION.amazonaws.com[.cn]`.
fn is_sns_host(url: &str) -> Option<&str> {
    let rest = url.strip_prefix("https://sns.")?;
    let slash = rest.find('/')?;
    let (host, path) = rest.split_at(slash);
    let region = host.strip_suffix(".amazonaws.com").or_else(|| host.strip_suffix(".amazonaws.com.cn"))?;
    let is_region =
        !region.is_empty() && region.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-');
    is_region.then_some(path)
}

/// Whether the message is Amazon's, from a topic of ours and not an old one. `certificate`: DER of what
/// [`Sns::signing_cert_url`] gives, fetched over TLS from an address that [`is_certificate_url`] approved.
pub fn verify_sns(keys: &Keys, sns: &Sns, certificate: &[u8], now: Timestamp) -> Result<(), HookError> {
    if keys.ses_topics.is_empty() {
        return Err(HookError::Off);
    }
    if !keys.ses_topics.contains(&sns.topic_arn) || !is_certificate_url(&sns.signing_cert_url) {
        return Err(HookError::Forged);
    }
    if sns.signature_version != "2" {
        return Err(HookError::Unusable("signature version 1 (SHA-1): set SignatureVersion of the topic to 2"));
    }
    let text = sns.signed_text().ok_or(HookError::Unusable("an SNS message of a kind that is not used"))?;
    let signature = base64::engine::general_purpose::STANDARD.decode(&sns.signature).map_err(|_| HookError::Forged)?;
    let der = certificate.into();
    let certificate = EndEntityCert::try_from(&der).map_err(|_| HookError::Forged)?;
    certificate
        .verify_signature(RSA_PKCS1_2048_8192_SHA256, text.as_bytes(), &signature)
        .map_err(|_| HookError::Forged)?;
    let published: jiff::Timestamp = sns.timestamp.parse().map_err(|_| HookError::Forged)?;
    let age = now.as_micros() / 1_000_000 - published.as_second();
    if (-300..=MAX_AGE_SECONDS).contains(&age) { Ok(()) } else { Err(HookError::Replayed) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_and_confirmations_come_from_amazon_only() {
        for (url, expected) in [
            ("https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123abc.pem", true),
            ("https://sns.cn-north-1.amazonaws.com.cn/SimpleNotificationService-0123abc.pem", true),
            ("http://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123abc.pem", false),
            ("https://sns.eu-west-1.amazonaws.com.evil.example/SimpleNotificationService-x.pem", false),
            ("https://sns.evil.example/x/.amazonaws.com/SimpleNotificationService-x.pem", false),
            ("https://sns.x@evil.example/.amazonaws.com/SimpleNotificationService-x.pem", false),
            ("https://sns..amazonaws.com/SimpleNotificationService-x.pem", false),
            ("https://s3.eu-west-1.amazonaws.com/bucket/SimpleNotificationService-x.pem", false),
        ] {
            assert_eq!(is_certificate_url(url), expected, "{url}");
        }
        assert!(is_subscribe_url(
            "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=arn&Token=1"
        ));
        assert!(!is_subscribe_url("https://sns.eu-west-1.amazonaws.com/?Action=DeleteTopic&TopicArn=arn"));
    }

    #[test]
    fn the_signed_text_is_the_documented_one() {
        let sns = Sns::parse(br#"{"Type":"Notification","MessageId":"22b80b92","TopicArn":"arn:t","Subject":"My First Message","Message":"Hello","Timestamp":"2012-05-02T00:54:06.655Z","SignatureVersion":"2","Signature":"x","SigningCertURL":"https://sns.us-west-2.amazonaws.com/SimpleNotificationService-f3.pem"}"#).unwrap();
        assert_eq!(
            sns.signed_text().unwrap(),
            "Message\nHello\nMessageId\n22b80b92\nSubject\nMy First Message\nTimestamp\n2012-05-02T00:54:06.655Z\nTopicArn\narn:t\nType\nNotification\n"
        );
    }
}
