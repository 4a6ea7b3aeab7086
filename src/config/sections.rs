//! Every key of the configuration, with its default and what it does.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
};

use serde::{Deserialize, Serialize};

use super::{mail::Mail, network::Network, secret::Secret, section::section};
use crate::{
    domain::{capture::Limits, money::Currency},
    objects::S3Timeouts,
};

section! {
    /// Vouch reads this file with `vouch serve --config FILE` or from `VOUCH_CONFIG`. Each key can also be set in the
    /// environment: `VOUCH_` and the key in capitals, with `__` between section and key, such as
    /// `VOUCH_SERVER__LISTEN=0.0.0.0:8443`. Flags come before the environment, the environment before this file.
    /// A key ending in `_file` names a file that holds the secret.
    Config {
        /// Where Vouch keeps what it must not lose: database, objects, certificates.
        /// Relative paths in this file start at the working directory.
        data_dir: PathBuf = "data".into();
    }
    inside {
        server: Server,
        database: Database,
        objects: Objects,
        capture: Capture,
        mail: Mail,
        reader: Reader,
        workers: Workers,
        organisation: Organisation,
        log: Log,
    }
}

section! {
    /// Where browsers, phones and programs reach Vouch.
    Server {
        /// Address and port to listen on. `127.0.0.1:8443` for this machine only.
        listen: SocketAddr = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 8443));
        /// The address people type, when it is not the name of this machine: behind a proxy, or a DNS name.
        external_url: Option<String> = None, such as r#""https://vouch.example.org""#;
        /// Proxies whose `X-Forwarded-For`, `-Proto` and `-Host` are believed; nobody else's are. Addresses or networks.
        trusted_proxies: Vec<Network> = Vec::new(), such as r#"["127.0.0.1", "10.0.0.0/8"]"#;
    }
    inside { tls: Tls, }
}

section! {
    /// HTTPS. Cameras and offline capture in browsers work only over HTTPS (or on `localhost`).
    Tls {
        /// `local-ca`: Vouch makes its own certificate authority and certificate; phones install the authority once
        /// (docs/https.md). `files`: your certificate. `off`: plain HTTP, for a proxy in front or this machine only.
        mode: TlsMode = TlsMode::LocalCa;
        /// PEM file with the certificate and its chain, for mode `files`. Read again when it changes.
        certificate: Option<PathBuf> = None, such as r#""/etc/vouch/fullchain.pem""#;
        /// PEM file with the private key, for mode `files`.
        key: Option<PathBuf> = None, such as r#""/etc/vouch/privkey.pem""#;
        /// More names and addresses for the certificate of mode `local-ca`, besides this machine's own.
        names: Vec<String> = Vec::new(), such as r#"["vouch.lan", "192.168.1.20"]"#;
    }
}

/// How connections are protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TlsMode {
    /// A certificate of our own authority.
    LocalCa,
    /// A certificate from files.
    Files,
    /// Plain HTTP.
    Off,
}

section! {
    /// SQLite on this machine, or PostgreSQL for more than one.
    Database {
        /// `sqlite:PATH` or `postgres://user:password@host/database`. Unset: `vouch.db` in `data_dir`.
        url: Option<Secret> = None, such as r#""postgres://vouch@db.example.org/vouch""#;
        /// File that holds the URL, because the URL may hold a password.
        url_file: Option<PathBuf> = None, such as r#""/run/secrets/database-url""#;
        /// Connections kept to PostgreSQL, or readers of SQLite.
        max_connections: u32 = 10;
    }
}

section! {
    /// Where the original documents are kept.
    Objects {
        /// `local`: a directory. `s3`: a bucket, needed when several machines work together.
        store: ObjectsStore = ObjectsStore::Local;
        /// The directory of store `local`. Unset: `objects` in `data_dir`.
        dir: Option<PathBuf> = None, such as r#""/srv/vouch/objects""#;
    }
    inside { s3: S3, }
}

/// Which object store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ObjectsStore {
    /// A directory on this machine.
    Local,
    /// A bucket.
    S3,
}

section! {
    /// The bucket of store `s3`: AWS, MinIO, Garage, R2 …
    S3 {
        /// The bucket; it must exist.
        bucket: Option<String> = None, such as r#""receipts""#;
        /// In front of every key, ending in `/`.
        prefix: String = String::new();
        /// The server, when it is not AWS.
        endpoint: Option<String> = None, such as r#""https://s3.example.org""#;
        /// The region in signatures. Garage wants `garage`, R2 `auto`.
        region: String = "us-east-1".into();
        /// Bucket in the path instead of the host name. Unset: yes with an endpoint, no with AWS.
        path_style: Option<bool> = None, such as "true";
        /// The access key. Unset: `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY` from the environment.
        access_key_id: Option<String> = None, such as r#""AKIA…""#;
        /// Its secret.
        secret_access_key: Option<Secret> = None, such as r#""…""#;
        /// File that holds the secret.
        secret_access_key_file: Option<PathBuf> = None, such as r#""/run/secrets/s3-secret""#;
        /// Session token of temporary credentials.
        session_token: Option<Secret> = None, such as r#""…""#;
        /// File that holds the session token.
        session_token_file: Option<PathBuf> = None, such as r#""/run/secrets/s3-token""#;
        /// PEM file with a certificate authority to trust besides the system's.
        ca_file: Option<PathBuf> = None, such as r#""/etc/vouch/s3-ca.pem""#;
        /// Milliseconds until a connection must stand.
        connect_timeout_ms: u64 = millis(S3Timeouts::default().connect);
        /// Milliseconds an answer may be silent.
        read_timeout_ms: u64 = millis(S3Timeouts::default().read);
        /// Milliseconds one try may take. An upload sends up to 8 MiB at once: raise it on a slow line.
        attempt_timeout_ms: u64 = millis(S3Timeouts::default().attempt);
        /// Milliseconds all tries of one request may take together.
        operation_timeout_ms: u64 = millis(S3Timeouts::default().operation);
    }
}

section! {
    /// What is taken in. What is over a limit is refused with a reason, before it is decoded.
    Capture {
        /// Bytes of one document.
        max_bytes: u64 = Limits::default().max_bytes;
        /// Pixels (width × height) of one page.
        max_pixels: u64 = Limits::default().max_pixels;
        /// Longest side of one page in pixels.
        max_side: u32 = Limits::default().max_side;
        /// Pages of one document.
        max_pages: u32 = Limits::default().max_pages;
        /// Files of one request.
        max_files: u32 = Limits::default().max_files;
        /// MiB that uploads leave free on the disk of `data_dir`; below, they are refused and everything else goes on.
        reserve_mb: u64 = Limits::default().reserve_bytes / (1024 * 1024);
    }
}

section! {
    /// Reading documents, in child processes.
    Reader {
        /// `tesseract`, `paddle`, or `auto`: paddle when its weights are installed, otherwise tesseract.
        engine: Engine = Engine::Auto;
        /// Languages of the receipts by Tesseract's names, most frequent first. Each one costs time.
        languages: Vec<String> = vec!["eng".into(), "chi_sim".into(), "deu".into()];
        /// Documents read at the same time. 0: one for each processor.
        children: u32 = 0;
        /// MiB of memory a child may use.
        memory_mb: u32 = 1024;
        /// Seconds a document may take before its child is ended.
        timeout_seconds: u32 = 120;
        /// Tesseract sees pictures scaled down to this longest side in pixels.
        max_side: u32 = 2000;
        /// Directory with the weights of engine `paddle`.
        weights_dir: PathBuf = "models/weights".into();
    }
}

/// Which recogniser.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Engine {
    /// The best one that is installed.
    Auto,
    /// Tesseract.
    Tesseract,
    /// PP-OCRv6.
    Paddle,
}

section! {
    /// The queue and those who work on it.
    Workers {
        /// Workers of `vouch serve` and `vouch worker`. 0: as many as the reader has children.
        count: u32 = 0;
        /// Seconds after which the job of a worker that fell silent goes to another.
        lease_seconds: u32 = 120;
        /// Tries before a job is put aside for a person to look at.
        max_attempts: u32 = 5;
    }
}

section! {
    /// The organisation, as it is set up at the first start. Later it is changed in the pages.
    Organisation {
        /// Its name.
        name: String = "My organisation".into();
        /// IANA time zone: which day a receipt handed in at midnight belongs to.
        time_zone: String = "UTC".into();
        /// ISO 4217 code of the currency expenses are kept in.
        home_currency: Currency = "EUR".parse().expect("ISO 4217 has EUR");
        /// How dates and numbers on receipts are usually written, most frequent first (BCP 47): decides 03/04.
        locales: Vec<String> = vec!["en-GB".into(), "zh-CN".into(), "de-DE".into()];
        /// Language of the pages for people who have not chosen: `en` or `zh`.
        language: String = "en".into();
    }
}

section! {
    /// What Vouch writes about its work. Never the text of a receipt.
    Log {
        /// `text` for people, `json` for log collectors.
        format: LogFormat = LogFormat::Text;
        /// `error`, `warn`, `info`, `debug`, `trace`, or a filter such as `info,vouch::queue=debug`.
        level: String = "info".into();
    }
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object a line.
    Json,
}

fn millis(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
