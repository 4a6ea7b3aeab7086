//! Amazon SES: received mail inside a notification (SNS action), or in a bucket that the notification names (S3 action).

use base64::Engine as _;
use serde::Deserialize;

use super::{HookError, Keys, Posted};
use crate::{
    capture::CaptureError,
    domain::{capture::Reason, mail::Way},
    objects::ForeignObject,
};

/// Characters of a bucket's name and of an object's, by S3's own limits.
const MAX_BUCKET: usize = 63;
const MAX_OBJECT: usize = 1024;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Message {
    notification_type: String,
    content: Option<String>,
    mail: Mail,
    receipt: Option<Receipt>,
}

#[derive(Deserialize)]
struct Mail {
    source: Option<String>,
}

#[derive(Deserialize)]
struct Receipt {
    #[serde(default)]
    recipients: Vec<String>,
    action: Option<Action>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Action {
    encoding: Option<String>,
    bucket_name: Option<String>,
    object_key: Option<String>,
}

/// Where SES left a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SesObject {
    /// The bucket.
    pub bucket: String,
    /// The object's name in it.
    pub name: String,
}

/// What a notification of SES brings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SesDelivery {
    /// The message itself.
    Inside(Posted),
    /// Envelope and place; the message is still to be fetched with [`SesDelivery::complete`].
    Stored(Posted, SesObject),
}

/// What a notification of SES brings, after [`super::verify_sns`].
///
/// # Errors
/// [`HookError::Unusable`] when it announces no received mail, or brings neither content nor a place.
pub fn ses(notification: &str) -> Result<SesDelivery, HookError> {
    let message: Message =
        serde_json::from_str(notification).map_err(|_| HookError::Unusable("it is not a notification of SES"))?;
    if message.notification_type != "Received" {
        return Err(HookError::Unusable("it announces no received mail"));
    }
    let receipt = message.receipt.ok_or(HookError::Unusable("it has no receipt"))?;
    let mut posted =
        Posted { way: Way::Ses, recipients: receipt.recipients, sender: message.mail.source, raw: Vec::new() };
    let Some(content) = message.content else {
        let action = receipt.action.ok_or(HookError::Unusable("it has no content and names no place"))?;
        let (Some(bucket), Some(name)) = (action.bucket_name, action.object_key) else {
            return Err(HookError::Unusable("it has no content: use the SNS or the S3 action of SES"));
        };
        if bucket.len() > MAX_BUCKET || name.is_empty() || name.len() > MAX_OBJECT {
            return Err(HookError::Unusable("it names an impossible place"));
        }
        return Ok(SesDelivery::Stored(posted, SesObject { bucket, name }));
    };
    let is_base64 =
        receipt.action.and_then(|action| action.encoding).is_some_and(|word| word.eq_ignore_ascii_case("base64"));
    posted.raw = if is_base64 {
        base64::engine::general_purpose::STANDARD
            .decode(content.as_bytes())
            .map_err(|_| HookError::Unusable("its content is not base64"))?
    } else {
        content.into_bytes()
    };
    Ok(SesDelivery::Inside(posted))
}

impl SesDelivery {
    /// The message with its bytes, of at most `max_bytes`, fetched where needed and from buckets of ours only.
    ///
    /// # Errors
    /// [`HookError::Unusable`] for other buckets; [`HookError::Capture`] when the message is too large, or when it is not
    /// there (yet) or the server is away, and another attempt may help.
    pub async fn complete(self, keys: &Keys, max_bytes: u64) -> Result<Posted, HookError> {
        let (mut posted, place) = match self {
            Self::Inside(posted) => return Ok(posted),
            Self::Stored(posted, place) => (posted, place),
        };
        let buckets = keys.ses_buckets.as_ref().filter(|buckets| buckets.holds(&place.bucket));
        let buckets = buckets.ok_or(HookError::Unusable("its bucket is not among `mail.webhooks.ses_buckets`"))?;
        let found = buckets.read(&place.bucket, &place.name, max_bytes).await.map_err(CaptureError::from)?;
        posted.raw = match found {
            ForeignObject::Here(bytes) => bytes,
            ForeignObject::Missing => {
                let text = format!("SES announced `{}`, and bucket `{}` has no such object", place.name, place.bucket);
                return Err(CaptureError::Interrupted(text).into());
            }
            ForeignObject::TooLarge(size) => {
                let text = format!("the message has {size} bytes, over the limit of {max_bytes}");
                return Err(CaptureError::refused(Reason::TooLarge, text).into());
            }
        };
        Ok(posted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_is_taken_in_both_encodings() {
        for (encoding, content) in
            [("UTF-8", "From: a@b.example\\r\\n\\r\\nx"), ("BASE64", "RnJvbTogYUBiLmV4YW1wbGUNCg0KeA==")]
        {
            let notification = format!(
                r#"{{"notificationType":"Received","mail":{{"source":"a@b.example"}},"receipt":{{"recipients":["r-x@in.example"],"action":{{"type":"SNS","encoding":"{encoding}"}}}},"content":"{content}"}}"#
            );
            let SesDelivery::Inside(posted) = ses(&notification).unwrap() else { panic!("{notification}") };
            assert_eq!(posted.raw, b"From: a@b.example\r\n\r\nx");
        }
        assert!(ses(r#"{"notificationType":"Bounce","mail":{}}"#).is_err());
    }

    /// The example in "Contents of notifications for Amazon SES email receiving", its S3 action, cut to what is read.
    #[tokio::test]
    async fn a_stored_message_is_fetched_from_buckets_of_ours_only() {
        let notification = r#"{"notificationType":"Received","receipt":{"timestamp":"2015-09-11T20:32:33.936Z",
            "processingTimeMillis":406,"recipients":["recipient@example.com"],"action":{"type":"S3",
            "topicArn":"arn:aws:sns:us-east-1:012345678912:example-topic","bucketName":"amzn-s3-demo-bucket",
            "objectKey":"email"}},"mail":{"timestamp":"2015-09-11T20:32:33.936Z","source":"0000014fbe1c09cf@example.com",
            "messageId":"d6iitobk75ur44p8kdnnp7g2n800","destination":["recipient@example.com"]}}"#;
        let delivery = ses(notification).unwrap();
        let SesDelivery::Stored(posted, place) = &delivery else { panic!("{delivery:?}") };
        assert_eq!(posted.recipients, ["recipient@example.com"]);
        assert_eq!((place.bucket.as_str(), place.name.as_str()), ("amzn-s3-demo-bucket", "email"));
        assert!(matches!(delivery.complete(&Keys::default(), 1_000).await, Err(HookError::Unusable(_))));
    }
}
