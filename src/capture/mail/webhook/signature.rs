//! Signatures of providers, compared in constant time.

use base64::Engine as _;
use hmac::{Hmac, KeyInit as _, Mac as _};
use ring::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};

/// Bytes of an uncompressed P-256 point, with which its `SubjectPublicKeyInfo` of 91 bytes ends.
const POINT_BYTES: usize = 65;
const SPKI_BYTES: usize = 91;

/// Whether `sent` is the HMAC-SHA256 of `message` in hexadecimal.
pub(super) fn is_hmac_sha256(key: &[u8], message: &[u8], sent: &str) -> bool {
    let Ok(sent) = hex::decode(sent.trim()) else { return false };
    let Ok(mut mac) = Hmac::<sha2::Sha256>::new_from_slice(key) else { return false };
    mac.update(message);
    mac.verify_slice(&sent).is_ok()
}

/// The HMAC-SHA256 of `message`.
#[cfg(test)]
pub(super) fn hmac_sha256(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(key).unwrap();
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

/// Whether `sent` (base64) signs `message` under the P-256 key (base64 of its `SubjectPublicKeyInfo`).
pub(super) fn is_ecdsa_p256(key: &str, message: &[u8], sent: &str) -> bool {
    let base64 = base64::engine::general_purpose::STANDARD;
    let (Ok(key), Ok(sent)) = (base64.decode(key.trim()), base64.decode(sent.trim())) else { return false };
    if key.len() != SPKI_BYTES {
        return false;
    }
    let point = &key[SPKI_BYTES - POINT_BYTES..];
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point).verify(message, &sent).is_ok()
}

#[cfg(test)]
mod tests {
    use ring::{
        rand::SystemRandom,
        signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _},
    };

    use super::*;

    /// The fixed start of a P-256 `SubjectPublicKeyInfo` (RFC 5480).
    const SPKI_START: &str = "3059301306072a8648ce3d020106082a8648ce3d030107034200";

    #[test]
    fn an_ecdsa_signature_counts_for_its_message_and_key_only() {
        let random = SystemRandom::new();
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, document.as_ref(), &random).unwrap();
        let base64 = base64::engine::general_purpose::STANDARD;
        let key = base64.encode([&hex::decode(SPKI_START).unwrap(), pair.public_key().as_ref()].concat());
        let signature = base64.encode(pair.sign(&random, b"1795428000body").unwrap().as_ref());
        assert!(is_ecdsa_p256(&key, b"1795428000body", &signature));
        assert!(!is_ecdsa_p256(&key, b"1795428000bodY", &signature));
        assert!(!is_ecdsa_p256(&key, b"1795428000body", "AAAA"));
        assert!(!is_ecdsa_p256("AAAA", b"1795428000body", &signature));
        // Key, time and signature that SendGrid's own libraries are tested with (sendgrid-python, test_eventwebhook.py).
        let key = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe62gw+2fNNRaINXvVpiglSI8eNEc6wEA3F+g==";
        let signature =
            "MEUCIGHQVtGj+Y3LkG9fLcxf3qfI10QysgDWmMOVmxG0u6ZUAiEAyBiXDWzM+uOe5W0JuG+luQAbPIqHh89M15TluLtEZtM=";
        let body = concat!(
            r#"[{"email":"hello@world.com","event":"dropped","reason":"Bounced Address","#,
            r#""sg_event_id":"ZHJvcC0xMDk5NDkxOS1MUnpYbF9OSFN0T0doUTRrb2ZTbV9BLTA","#,
            r#""sg_message_id":"LRzXl_NHStOGhQ4kofSm_A.filterdrecv-p3mdw1-756b745b58-kmzbl-18-5F5FC76C-9.0","#,
            r#""smtp-id":"<LRzXl_NHStOGhQ4kofSm_A@ismtpd0039p1iad1.sendgrid.net>","timestamp":1600112492}]"#,
            "\r\n"
        );
        assert!(is_ecdsa_p256(key, format!("1600112502{body}").as_bytes(), signature));
        assert!(!is_ecdsa_p256(key, format!("1600112503{body}").as_bytes(), signature));
        // The key in Twilio's documentation has this form.
        let documented = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEmgmjvPAR/Lmwn2teL2WJUDIx35PqsnLKjPhPbrKkfMg6vK4NZQB1VeFSKbV7whQbEJRFHjF8+1zJxsXRP1GbWw==";
        assert_eq!(base64.decode(documented).unwrap().len(), SPKI_BYTES);
    }
}
