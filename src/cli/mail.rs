//! What `vouch serve` starts for mail: the listeners, and the pollers of mailboxes.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Context as _;
use tokio::{net::TcpListener, task::JoinSet};
use tokio_util::sync::CancellationToken;

use crate::{
    app::App,
    capture::mail::{
        PostOffice,
        authenticate::Authenticator,
        imap::{self, Account, Transport},
        listener::{self, ListenerSettings},
        rates::Rates,
        recheck,
        session::Dialect,
        webhook::{Certificates, Keys},
    },
    config::{Config, ImapAccount, ImapTls},
    domain::mail::Way,
    objects::{ForeignBuckets, S3Credentials, S3Settings, S3Timeouts},
};

/// The post office over the running instance.
pub fn office(app: &App, config: &Config) -> anyhow::Result<PostOffice> {
    let authenticator = match config.mail.resolver {
        Some(server) => Authenticator::with_dns(server)?,
        None => Authenticator::with_system_dns().unwrap_or_else(|error| {
            tracing::warn!("All mail will wait for its owner, because senders cannot be checked: {error}");
            Authenticator::without_dns()
        }),
    };
    Ok(PostOffice { app: app.clone(), settings: Arc::new(config.mail_settings()), authenticator })
}

/// Starts the configured listeners and says where they are; scripts read these lines.
pub async fn start(
    office: &PostOffice,
    config: &Config,
    tls: Option<Arc<rustls::ServerConfig>>,
    stop: &CancellationToken,
    tasks: &mut JoinSet<()>,
) -> anyhow::Result<()> {
    // A certificate for pages serves mail as well; the protocols it may be used for do not.
    let tls = tls.map(|tls| {
        let mut tls = (*tls).clone();
        tls.alpn_protocols.clear();
        Arc::new(tls)
    });
    let (smtp, lmtp) = (&config.mail.smtp, &config.mail.lmtp);
    if let Some(address) = smtp.listen {
        let settings = ListenerSettings {
            dialect: Dialect::Smtp,
            max_connections: smtp.max_connections as usize,
            max_per_address: smtp.max_connections_per_address as usize,
            greeting_pause: listener::GREETING_PAUSE,
            silence: Duration::from_secs(smtp.timeout_seconds.into()),
            tls: tls.clone(),
            rates: Rates::per_hour(smtp.max_messages_per_hour),
        };
        let local = listen(address, "mail.smtp.listen", office, settings, stop, tasks).await?;
        println!("  mail by SMTP on {local}");
    }
    if let Some(address) = lmtp.listen {
        let settings = ListenerSettings {
            dialect: Dialect::Lmtp,
            max_connections: lmtp.max_connections as usize,
            // They all come from one server.
            max_per_address: lmtp.max_connections as usize,
            greeting_pause: listener::GREETING_PAUSE,
            silence: Duration::from_secs(lmtp.timeout_seconds.into()),
            tls,
            // The server in front has its own.
            rates: Rates::per_hour(0),
        };
        let local = listen(address, "mail.lmtp.listen", office, settings, stop, tasks).await?;
        println!("  mail by LMTP on {local}");
    }
    for account in &config.mail.imap.accounts {
        let account = account_of(account, Duration::from_secs(config.mail.imap.poll_seconds.into()));
        tasks.spawn(imap::watch(office.clone(), account, stop.clone()));
    }
    tasks.spawn(recheck::watch(office.clone(), stop.clone()));
    Ok(())
}

fn account_of(account: &ImapAccount, every: Duration) -> Account {
    let transport = match account.tls {
        ImapTls::Implicit => Transport::Tls,
        ImapTls::Starttls => Transport::StartTls,
        ImapTls::None => Transport::Plain,
    };
    Account {
        name: account.name.clone(),
        host: account.host.clone(),
        port: account.port.unwrap_or(if transport == Transport::Tls { 993 } else { 143 }),
        transport,
        user: account.user.clone(),
        password: account.password.as_ref().map(|password| password.reveal().to_owned()).unwrap_or_default(),
        mailbox: account.mailbox.clone(),
        owner: account.owner.clone(),
        is_handed_in: account.handed_in,
        move_to: account.move_to.clone(),
        ca_file: account.ca_file.clone(),
        every,
    }
}

/// Keys of the providers that post mail.
///
/// # Errors
/// When the buckets of SES cannot be used as configured.
pub fn hook_keys(config: &Config) -> anyhow::Result<Keys> {
    let hooks = &config.mail.webhooks;
    let reveal = |secret: &Option<crate::config::Secret>| secret.as_ref().map(|secret| secret.reveal().to_owned());
    let ses_buckets = match hooks.ses_buckets.first() {
        None => None,
        Some(first) => {
            let settings = S3Settings {
                bucket: first.clone(),
                prefix: String::new(),
                region: hooks.ses_region.clone(),
                path_style: hooks.ses_endpoint.is_some(),
                endpoint: hooks.ses_endpoint.clone(),
                credentials: S3Credentials {
                    access_key_id: hooks.ses_access_key_id.clone().unwrap_or_default(),
                    secret_access_key: reveal(&hooks.ses_secret_access_key).unwrap_or_default(),
                    session_token: reveal(&hooks.ses_session_token),
                },
                ca_pem: None,
                timeouts: S3Timeouts::default(),
            };
            Some(ForeignBuckets::new(&settings, &hooks.ses_buckets)?)
        }
    };
    Ok(Keys {
        mailgun: reveal(&hooks.mailgun_key),
        postmark: reveal(&hooks.postmark_credentials),
        sendgrid: hooks.sendgrid_key.clone(),
        ses_topics: hooks.ses_topics.clone(),
        ses_buckets,
        certificates: Certificates::default(),
    })
}

/// Ways in that are open, and where.
pub fn doors(config: &Config) -> Vec<(Way, String)> {
    let mail = &config.mail;
    let hooks = &mail.webhooks;
    let listening = [(Way::Smtp, mail.smtp.listen), (Way::Lmtp, mail.lmtp.listen)];
    let mut doors: Vec<(Way, String)> =
        listening.into_iter().filter_map(|(way, at)| Some((way, at?.to_string()))).collect();
    doors.extend(mail.imap.accounts.iter().map(|a| (Way::Imap, format!("{} · {} · {}", a.name, a.mailbox, a.host))));
    for (way, is_open, path) in [
        (Way::Mailgun, hooks.mailgun_key.is_some(), "/hooks/mail/mailgun/mime"),
        (Way::Postmark, hooks.postmark_credentials.is_some(), "/hooks/mail/postmark"),
        (Way::Sendgrid, hooks.sendgrid_key.is_some(), "/hooks/mail/sendgrid"),
        (Way::Ses, !hooks.ses_topics.is_empty(), "/hooks/mail/ses"),
    ] {
        if is_open {
            doors.push((way, path.to_owned()));
        }
    }
    doors
}

async fn listen(
    address: SocketAddr,
    key: &str,
    office: &PostOffice,
    settings: ListenerSettings,
    stop: &CancellationToken,
    tasks: &mut JoinSet<()>,
) -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind(address).await.with_context(|| {
        format!("cannot listen on {address} for mail: choose another address with {key}; ports below 1024 need a right")
    })?;
    let local = listener.local_addr()?;
    tasks.spawn(listener::listen(listener, office.clone(), settings, stop.clone()));
    Ok(local)
}
