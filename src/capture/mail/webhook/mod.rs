//! Mail that a provider posts: whose signature it carries, whether it is a replay, and the message inside. What HTTP says
//! is left to the caller; what is believed here is only what the provider's key covers.

mod ses;
mod signature;
mod sns;

use std::collections::BTreeMap;

use base64::Engine as _;
use serde::Deserialize;

pub use ses::{SesDelivery, SesObject, ses};
pub use sns::{Certificates, Sns, certificate_of, is_certificate_url, is_subscribe_url, verify_sns};

use super::{Delivered, Origin, PostOffice, deliver::Recipient};
use crate::{
    capture::{CaptureError, Spooler},
    domain::{mail::Way, sha256::Sha256, time::Timestamp},
    kill_points,
    objects::ForeignBuckets,
    store::{StoreError, mail_messages},
};

/// How far a delivery's time may be from ours.
const WINDOW_SECONDS: i64 = 300;
/// Recipients of one posted message.
const MAX_RECIPIENTS: usize = 100;

/// Keys of the providers; a provider without one is off.
#[derive(Clone, Default)]
pub struct Keys {
    /// Mailgun's HTTP webhook signing key.
    pub mailgun: Option<String>,
    /// `user:password` in the URL Postmark posts to.
    pub postmark: Option<String>,
    /// SendGrid's verification key, base64 of a P-256 key.
    pub sendgrid: Option<String>,
    /// SNS topics that may bring mail.
    pub ses_topics: Vec<String>,
    /// Buckets in which SES leaves mail too large for a notification; `None`: none.
    pub ses_buckets: Option<ForeignBuckets>,
    /// Certificates of SNS that were fetched.
    pub certificates: Certificates,
}

/// Why a delivery was not taken.
#[derive(Debug, thiserror::Error)]
pub enum HookError {
    /// The provider is not configured.
    #[error("this provider is not configured")]
    Off,
    /// The signature or password is wrong, or missing.
    #[error("the signature does not match")]
    Forged,
    /// Too old, or seen before with other content.
    #[error("the delivery is a replay, or the clocks differ by more than five minutes")]
    Replayed,
    /// Not what the provider documents, or without the raw message.
    #[error("the delivery cannot be used: {0}")]
    Unusable(&'static str),
    /// No recipient is anybody's here.
    #[error("no recipient is known here")]
    NoSuchAddress,
    /// The door did not take it.
    #[error(transparent)]
    Capture(#[from] CaptureError),
    /// Database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A message as a provider gives it, believed to come from that provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posted {
    /// Which provider.
    pub way: Way,
    /// Addresses in the envelope.
    pub recipients: Vec<String>,
    /// The sender in the envelope.
    pub sender: Option<String>,
    /// The raw message.
    pub raw: Vec<u8>,
}

/// Mailgun's form (`…/mime` routes): fields and their signature. The signature covers timestamp and token only: the caller
/// must [`remember`] the token together with the content.
pub fn mailgun(keys: &Keys, fields: &BTreeMap<String, Vec<u8>>, now: Timestamp) -> Result<(Posted, String), HookError> {
    let key = keys.mailgun.as_deref().ok_or(HookError::Off)?;
    let text = |name: &str| fields.get(name).and_then(|value| std::str::from_utf8(value).ok());
    let (Some(timestamp), Some(token), Some(sent)) = (text("timestamp"), text("token"), text("signature")) else {
        return Err(HookError::Forged);
    };
    if !signature::is_hmac_sha256(key.as_bytes(), format!("{timestamp}{token}").as_bytes(), sent) {
        return Err(HookError::Forged);
    }
    check_time(timestamp, now)?;
    let raw = fields.get("body-mime").ok_or(HookError::Unusable("no `body-mime`: let the route end in `/mime`"))?;
    let recipients = text("recipient").unwrap_or_default().split(',').map(|one| one.trim().to_owned()).collect();
    let sender = text("sender").map(str::to_owned);
    Ok((Posted { way: Way::Mailgun, recipients, sender, raw: raw.clone() }, token.to_owned()))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PostmarkBody {
    raw_email: Option<String>,
    original_recipient: Option<String>,
    #[serde(default)]
    mailbox_hash: String,
}

/// Postmark's JSON, posted to a URL that carries a password: it signs nothing.
pub fn postmark(keys: &Keys, authorization: Option<&str>, body: &[u8]) -> Result<Posted, HookError> {
    let credentials = keys.postmark.as_deref().ok_or(HookError::Off)?;
    let sent = authorization.and_then(|value| value.strip_prefix("Basic "));
    let sent = sent.and_then(|value| base64::engine::general_purpose::STANDARD.decode(value.trim()).ok());
    let is_right = sent.is_some_and(|sent| bool::from(subtle::ConstantTimeEq::ct_eq(&*sent, credentials.as_bytes())));
    if !is_right {
        return Err(HookError::Forged);
    }
    let body: PostmarkBody =
        serde_json::from_slice(body).map_err(|_| HookError::Unusable("it is not Postmark's JSON"))?;
    let raw =
        body.raw_email.ok_or(HookError::Unusable("no `RawEmail`: include the raw content in the JSON payload"))?;
    let recipients = body.original_recipient.into_iter().chain([body.mailbox_hash]).collect();
    Ok(Posted { way: Way::Postmark, recipients, sender: None, raw: raw.into_bytes() })
}

/// Whether the body is SendGrid's: an ECDSA signature over timestamp and body.
pub fn check_sendgrid(
    keys: &Keys,
    timestamp: Option<&str>,
    sent: Option<&str>,
    body: &[u8],
    now: Timestamp,
) -> Result<(), HookError> {
    let key = keys.sendgrid.as_deref().ok_or(HookError::Off)?;
    let (Some(timestamp), Some(sent)) = (timestamp, sent) else { return Err(HookError::Forged) };
    let message = [timestamp.as_bytes(), body].concat();
    if !signature::is_ecdsa_p256(key, &message, sent) {
        return Err(HookError::Forged);
    }
    check_time(timestamp, now)
}

#[derive(Deserialize)]
struct SendgridEnvelope {
    #[serde(default)]
    to: Vec<String>,
    from: Option<String>,
}

/// SendGrid's form with the raw message, after [`check_sendgrid`].
pub fn sendgrid(fields: &BTreeMap<String, Vec<u8>>) -> Result<Posted, HookError> {
    let raw = fields.get("email").ok_or(HookError::Unusable("no `email`: post the raw, full MIME message"))?;
    let envelope = fields.get("envelope").ok_or(HookError::Unusable("no `envelope`"))?;
    let envelope: SendgridEnvelope =
        serde_json::from_slice(envelope).map_err(|_| HookError::Unusable("`envelope` is not JSON"))?;
    Ok(Posted { way: Way::Sendgrid, recipients: envelope.to, sender: envelope.from, raw: raw.clone() })
}

/// A delivery's time in seconds since 1970 must be near ours.
fn check_time(timestamp: &str, now: Timestamp) -> Result<(), HookError> {
    let then: i64 = timestamp.trim().parse().map_err(|_| HookError::Forged)?;
    let now = now.as_micros() / 1_000_000;
    if now.abs_diff(then) > WINDOW_SECONDS.unsigned_abs() { Err(HookError::Replayed) } else { Ok(()) }
}

impl PostOffice {
    /// Notes a token that a provider uses once. The same one again is believed with the same content only: then our answer
    /// was lost on the way.
    pub async fn remember(&self, provider: &str, token: &str, content: &[u8]) -> Result<(), HookError> {
        let with_content = format!("{token}:{}", Sha256::of(content));
        let mut tx = self.app.db.write().await?;
        let now = self.app.now();
        if mail_messages::note_nonce(&mut tx, provider, token, now).await? {
            mail_messages::note_nonce(&mut tx, provider, &with_content, now).await?;
        } else if !mail_messages::knows_nonce(&mut tx, provider, &with_content).await? {
            return Err(HookError::Replayed);
        }
        mail_messages::purge_nonces(&mut tx, now.minus(std::time::Duration::from_secs(24 * 3600))).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Takes a posted message in for everybody it is for. When this returns `Ok`, it is durable.
    pub async fn take_posted(&self, posted: &Posted) -> Result<usize, HookError> {
        kill_points::reached("h01");
        let mut recipients: Vec<Recipient> = Vec::new();
        for address in posted.recipients.iter().take(MAX_RECIPIENTS) {
            if let Some(found) = self.find(address).await?
                && recipients.iter().all(|known| known.person != found.person_id)
            {
                recipients.push(found.into());
            }
        }
        if recipients.is_empty() {
            return Err(HookError::NoSuchAddress);
        }
        let mut spooler = Spooler::begin(&self.app.spool, &self.app.limits).await?;
        spooler.push(&posted.raw).await?;
        let spooled = spooler.finish_mail().await?;
        let origin = Origin {
            way: posted.way,
            ip: None,
            peer: Some(posted.way.as_str().to_owned()),
            hello: None,
            sender: posted.sender.clone(),
            is_encrypted: true,
            is_handed_in: false,
        };
        let delivered: Vec<Delivered> = self.deliver(&spooled, &origin, &recipients).await;
        let count = delivered.len();
        for one in delivered {
            one?;
        }
        kill_points::reached("h03");
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(1_795_428_000_000_000);

    fn form(fields: &[(&str, &str)]) -> BTreeMap<String, Vec<u8>> {
        fields.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect()
    }

    #[test]
    fn mailgun_is_believed_with_its_key_and_in_time_only() {
        let keys = Keys { mailgun: Some("key-test".to_owned()), ..Keys::default() };
        let signed = |timestamp: &str, key: &str| {
            let signature = signature::hmac_sha256(key.as_bytes(), format!("{timestamp}token").as_bytes());
            form(&[
                ("timestamp", timestamp),
                ("token", "token"),
                ("signature", &hex::encode(signature)),
                ("recipient", "r-x@in.example"),
                ("sender", "a@b.example"),
                ("body-mime", "From: a@b.example\r\n\r\nx"),
            ])
        };
        let (posted, token) = mailgun(&keys, &signed("1795428100", "key-test"), NOW).unwrap();
        assert_eq!((posted.recipients.as_slice(), token.as_str()), (&["r-x@in.example".to_owned()][..], "token"));
        assert!(matches!(mailgun(&keys, &signed("1795428000", "other"), NOW), Err(HookError::Forged)));
        assert!(matches!(mailgun(&keys, &signed("1795427000", "key-test"), NOW), Err(HookError::Replayed)));
        assert!(matches!(mailgun(&Keys::default(), &signed("1795428000", ""), NOW), Err(HookError::Off)));
        assert!(matches!(mailgun(&keys, &form(&[]), NOW), Err(HookError::Forged)));
    }

    #[test]
    fn postmark_needs_the_password_of_its_url() {
        let keys = Keys { postmark: Some("postmark:0123456789abcdef".to_owned()), ..Keys::default() };
        let body =
            br#"{"RawEmail":"From: a@b.example\r\n\r\nx","OriginalRecipient":"r-x@in.example","MailboxHash":""}"#;
        let header = |text: &str| format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(text));
        let posted = postmark(&keys, Some(&header("postmark:0123456789abcdef")), body).unwrap();
        assert_eq!(posted.recipients[0], "r-x@in.example");
        for wrong in [None, Some(header("postmark:0123456789abcdeX")), Some(header("")), Some("Bearer x".to_owned())] {
            assert!(matches!(postmark(&keys, wrong.as_deref(), body), Err(HookError::Forged)));
        }
    }
}
