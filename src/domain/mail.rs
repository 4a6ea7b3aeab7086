//! Mail that came in: which way, what speaks for its sender, and why it may have to wait for a person.

use serde::{Deserialize, Serialize};

use super::field::text_enum;

text_enum! {
    /// Which way a message came in.
    Way {
        /// The SMTP listener.
        Smtp = "smtp",
        /// The LMTP listener.
        Lmtp = "lmtp",
        /// A mailbox that is polled.
        Imap = "imap",
        /// Mailgun's webhook.
        Mailgun = "mailgun",
        /// Postmark's webhook.
        Postmark = "postmark",
        /// SendGrid's webhook.
        Sendgrid = "sendgrid",
        /// Amazon SES through SNS.
        Ses = "ses",
    }
}

text_enum! {
    /// Why a message waits for its owner instead of being read.
    Doubt {
        /// The domain it claims to come from says it does not (DMARC, policy quarantine or reject).
        Forged = "sender_forged",
        /// Nothing proves the sender.
        Unauthenticated = "sender_unauthenticated",
        /// The sender is proved, and nobody the owner gets receipts from.
        Unknown = "sender_unknown",
        /// DNS gave no answer when the sender was to be checked.
        Unchecked = "sender_unchecked",
        /// A bounce: some mail server reports about another message.
        Bounce = "bounce",
        /// An answer nobody typed: out of office and the like.
        AutoReply = "auto_reply",
        /// A message to a discussion list.
        List = "list_mail",
        /// Ours: it was sent by this installation or one of its addresses.
        Own = "own_mail",
        /// It went through too many servers.
        Loop = "mail_loop",
        /// Its headers are over the limits.
        Limits = "header_limits",
    }
}

impl Doubt {
    /// Whether nobody wrote it to hand in a receipt: it is kept, and shown apart from what waits for a decision.
    pub const fn is_quiet(self) -> bool {
        match self {
            Self::Bounce | Self::AutoReply | Self::List | Self::Own | Self::Loop => true,
            Self::Forged | Self::Unauthenticated | Self::Unknown | Self::Unchecked | Self::Limits => false,
        }
    }
}

text_enum! {
    /// What the owner said about a message that waited.
    Decision {
        /// Read it.
        Accepted = "accepted",
        /// Keep it and make nothing of it.
        Rejected = "rejected",
    }
}

text_enum! {
    /// How a check of the sender ended.
    Check {
        /// It proves what it can prove.
        Pass = "pass",
        /// It proves the contrary.
        Fail = "fail",
        /// It says nothing, or there is nothing to check.
        None = "none",
        /// The record or signature is broken.
        Broken = "broken",
        /// DNS gave no answer.
        Unavailable = "unavailable",
    }
}

/// What speaks for and against the sender of a message. Shown to people, and what [`judge`] decides by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// Whether the server that brought it may send for the envelope's domain.
    pub spf: Check,
    /// Whether a signature holds.
    pub dkim: Check,
    /// Domains whose signatures hold.
    pub dkim_domains: Vec<String>,
    /// Whether either speaks for the domain in `From`, by that domain's own policy.
    pub dmarc: Check,
    /// Whether that policy asks receivers to refuse or set apart what fails.
    pub dmarc_is_enforced: bool,
    /// Whether earlier servers vouch for it. Evidence for people only: anyone may seal.
    pub arc: Check,
    /// Whether SPF or DKIM passed for the domain in `From` or one above it, policy or not.
    pub is_aligned: bool,
}

impl Default for Evidence {
    fn default() -> Self {
        Self {
            spf: Check::None,
            dkim: Check::None,
            dkim_domains: Vec::new(),
            dmarc: Check::None,
            dmarc_is_enforced: false,
            arc: Check::None,
            is_aligned: false,
        }
    }
}

/// Whose mail to a secret address is read without asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SenderPolicy {
    /// Anybody's whose domain proves it (DMARC), and known senders'.
    Proved,
    /// Known senders' only.
    Known,
}

/// Whether a message to a secret address is read, or why not. `is_known`: `From` is one address the owner gets mail from.
///
/// The address in `From` alone never counts: whoever sends mail writes there what they like.
pub fn judge(evidence: &Evidence, is_known: bool, policy: SenderPolicy) -> Option<Doubt> {
    match evidence.dmarc {
        Check::Pass if is_known || policy == SenderPolicy::Proved => None,
        Check::Pass => Some(Doubt::Unknown),
        Check::Fail if evidence.dmarc_is_enforced => Some(Doubt::Forged),
        Check::Fail => Some(Doubt::Unauthenticated),
        Check::Unavailable => Some(Doubt::Unchecked),
        // The domain has no policy: a sender known before may be proved by SPF or DKIM alone.
        Check::None | Check::Broken if evidence.is_aligned && is_known => None,
        Check::None | Check::Broken if evidence.is_aligned => Some(Doubt::Unknown),
        Check::None | Check::Broken if evidence.spf == Check::Unavailable || evidence.dkim == Check::Unavailable => {
            Some(Doubt::Unchecked)
        }
        Check::None | Check::Broken => Some(Doubt::Unauthenticated),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evidence(dmarc: Check, is_enforced: bool, is_aligned: bool) -> Evidence {
        Evidence { dmarc, dmarc_is_enforced: is_enforced, is_aligned, ..Evidence::default() }
    }

    #[test]
    fn only_a_proved_sender_is_read_without_asking() {
        use SenderPolicy::{Known, Proved};
        for (evidence, is_known, policy, expected) in [
            (evidence(Check::Pass, true, true), true, Known, None),
            (evidence(Check::Pass, true, true), false, Proved, None),
            (evidence(Check::Pass, true, true), false, Known, Some(Doubt::Unknown)),
            // A known name in `From` proves nothing.
            (evidence(Check::Fail, true, false), true, Proved, Some(Doubt::Forged)),
            (evidence(Check::Fail, false, false), true, Proved, Some(Doubt::Unauthenticated)),
            (evidence(Check::None, false, false), true, Proved, Some(Doubt::Unauthenticated)),
            (evidence(Check::None, false, true), true, Known, None),
            (evidence(Check::None, false, true), false, Proved, Some(Doubt::Unknown)),
            (evidence(Check::Unavailable, false, true), true, Proved, Some(Doubt::Unchecked)),
        ] {
            assert_eq!(judge(&evidence, is_known, policy), expected, "{evidence:?} {is_known} {policy:?}");
        }
    }

    #[test]
    fn silence_of_dns_is_told_from_a_sender_without_proof() {
        let silent = Evidence { dkim: Check::Unavailable, ..Evidence::default() };
        assert_eq!(judge(&silent, true, SenderPolicy::Proved), Some(Doubt::Unchecked));
    }
}
