//! Keys of mail: addresses, listeners, mailboxes, webhooks.

use std::{net::SocketAddr, path::PathBuf};

use serde::{Deserialize, Serialize};

use super::{secret::Secret, section::section};
use crate::domain::mail::SenderPolicy;

section! {
    /// Receipts that come by mail, to a secret address of each person. Off until `domains` and one way in are set.
    Mail {
        /// Domains of the addresses; the first is the one people see. Their MX record names this machine, or a mail
        /// server that passes mail on to it.
        domains: Vec<String> = Vec::new(), such as r#"["in.example.org"]"#;
        /// The name in greetings. Unset: the first domain.
        host_name: Option<String> = None, such as r#""mx.example.org""#;
        /// Whose mail to a secret address is read without asking. `proved`: anybody's whose domain proves it (DMARC), and
        /// known senders'. `known`: only of people themselves and of senders they accepted. Anything else waits.
        senders: SenderPolicy = SenderPolicy::Proved;
        /// DNS server that is asked about senders, as `address:port`. Unset: those of this machine.
        resolver: Option<SocketAddr> = None, such as r#""127.0.0.1:53""#;
    }
    inside {
        smtp: Smtp,
        lmtp: Lmtp,
        imap: Imap,
        webhooks: Webhooks,
        links: Links,
    }
}

section! {
    /// Mail from mail servers of the world. It takes mail for our addresses and relays nothing.
    Smtp {
        /// Address and port. Unset: off.
        listen: Option<SocketAddr> = None, such as r#""0.0.0.0:25""#;
        /// Connections at once.
        max_connections: u32 = 200;
        /// Connections at once from one address.
        max_connections_per_address: u32 = 20;
        /// Seconds a client may take for a command.
        timeout_seconds: u32 = 300;
        /// Messages an hour that one sender may send us, and that one of our addresses takes. What is more is asked to come
        /// later. 0: no limit.
        max_messages_per_hour: u32 = 1000;
    }
}

section! {
    /// Mail from a mail server in front of Vouch (Postfix, Exim …), which has checked nothing and passes everything on.
    Lmtp {
        /// Address and port. Unset: off. Let nobody but that server reach it.
        listen: Option<SocketAddr> = None, such as r#""127.0.0.1:2424""#;
        /// Connections at once.
        max_connections: u32 = 100;
        /// Seconds the server may take for a command.
        timeout_seconds: u32 = 300;
    }
}

section! {
    /// Mailboxes elsewhere that are looked into.
    Imap {
        /// Mailboxes. `owner` is the user name whose mail it is; without one, the secret address in `Delivered-To` or `To`
        /// says whose. With `handed_in` whatever lies in the folder was put there by its owner and is read without asking.
        /// After a message is safe it is marked as read, or moved to `move_to`. `tls`: `implicit`, `starttls` or `none`.
        accounts: Vec<ImapAccount> = Vec::new(), such as r#"[{ name = "receipts", host = "imap.example.org", user = "receipts@example.org", password_file = "/run/secrets/imap", owner = "anna" }]"#;
        /// Seconds between two looks at a mailbox whose server does not announce new mail.
        poll_seconds: u32 = 60;
    }
}

/// A mailbox elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImapAccount {
    /// What it is called here; unique.
    pub name: String,
    /// The server.
    pub host: String,
    /// Its port; unset: 993, or 143 without implicit TLS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// How the connection is protected.
    #[serde(default)]
    pub tls: ImapTls,
    /// Who signs in.
    pub user: String,
    /// Their password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<Secret>,
    /// File that holds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_file: Option<PathBuf>,
    /// The folder.
    #[serde(default = "inbox")]
    pub mailbox: String,
    /// User name of the person whose mail it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Whether its owner puts messages there to hand them in.
    #[serde(default)]
    pub handed_in: bool,
    /// Folder to move messages to once they are safe.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub move_to: Option<String>,
    /// PEM file with a certificate authority to trust besides the public ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
}

fn inbox() -> String {
    "INBOX".to_owned()
}

/// How a connection to a mailbox is protected.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ImapTls {
    /// From the first octet.
    #[default]
    Implicit,
    /// After `STARTTLS`.
    Starttls,
    /// Not at all; for servers on this machine.
    None,
}

section! {
    /// Services that post mail to `/hooks/mail/…`. Each is off until its key is set.
    Webhooks {
        /// Mailgun: the HTTP webhook signing key; forward to `/hooks/mail/mailgun` with `store` or `forward` as raw MIME.
        mailgun_key: Option<Secret> = None, such as r#""…""#;
        /// File that holds it.
        mailgun_key_file: Option<PathBuf> = None, such as r#""/run/secrets/mailgun""#;
        /// Postmark signs nothing: a `user:password` that its inbound URL carries (`https://user:password@…`). Include the
        /// raw mail in its JSON.
        postmark_credentials: Option<Secret> = None, such as r#""postmark:…""#;
        /// File that holds it.
        postmark_credentials_file: Option<PathBuf> = None, such as r#""/run/secrets/postmark""#;
        /// SendGrid: the verification key of a security policy with signature (base64, P-256). Post the raw, full MIME message.
        sendgrid_key: Option<String> = None, such as r#""MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE…""#;
        /// Amazon SES: ARNs of the SNS topics that may bring mail.
        ses_topics: Vec<String> = Vec::new(), such as r#"["arn:aws:sns:eu-west-1:123456789012:receipts"]"#;
        /// Buckets in which SES leaves mail (its S3 action, for messages over 150 KiB). Nothing else is read from S3 for mail.
        ses_buckets: Vec<String> = Vec::new(), such as r#"["receipts-mail"]"#;
        /// The region of these buckets.
        ses_region: String = "us-east-1".into();
        /// The server, when it is not AWS.
        ses_endpoint: Option<String> = None, such as r#""https://s3.example.org""#;
        /// The access key, with the right `s3:GetObject`. Unset: `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY` from the
        /// environment.
        ses_access_key_id: Option<String> = None, such as r#""AKIA…""#;
        /// Its secret.
        ses_secret_access_key: Option<Secret> = None, such as r#""…""#;
        /// File that holds the secret.
        ses_secret_access_key_file: Option<PathBuf> = None, such as r#""/run/secrets/ses""#;
        /// Session token of temporary credentials.
        ses_session_token: Option<Secret> = None, such as r#""…""#;
    }
}

section! {
    /// Links in mail that lead to documents, as some issuers send them. Shown always, followed when a person asks.
    Links {
        /// Hosts that may be asked: names, or `*.` and a name for all below it. HTTPS only; what leads into a private
        /// network is refused.
        hosts: Vec<String> = Vec::new(), such as r#"["inv.example.org", "*.einvoice.example"]"#;
    }
}
