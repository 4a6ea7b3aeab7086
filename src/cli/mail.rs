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
        session::Dialect,
        webhook::Keys,
    },
    config::{Config, ImapAccount, ImapTls},
    domain::mail::Way,
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
        };
        let local = listen(address, "mail.lmtp.listen", office, settings, stop, tasks).await?;
        println!("  mail by LMTP on {local}");
    }
    for account in &config.mail.imap.accounts {
        let account = account_of(account, Duration::from_secs(config.mail.imap.poll_seconds.into()));
        tasks.spawn(imap::watch(office.clone(), account, stop.clone()));
    }
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
pub fn hook_keys(config: &Config) -> Keys {
    let hooks = &config.mail.webhooks;
    let reveal = |secret: &Option<crate::config::Secret>| secret.as_ref().map(|secret| secret.reveal().to_owned());
    Keys {
        mailgun: reveal(&hooks.mailgun_key),
        postmark: reveal(&hooks.postmark_credentials),
        sendgrid: hooks.sendgrid_key.clone(),
        ses_topics: hooks.ses_topics.clone(),
    }
}

/// Ways in that are open, and where.
pub fn doors(config: &Config) -> Vec<(Way, String)> {
    let mail = &config.mail;
    let hooks = &mail.webhooks;
    let listening = [(Way::Smtp, mail.smtp.listen), (Way::Lmtp, mail.lmtp.listen)];
    let mut doors: Vec<(Way, String)> =
        listening.into_iter().filter_map(|(way, at)| Some((way, at?.to_string()))).collect();
    doors.extend(mail.imap.accounts.iter().map(|a| (Way::Imap, format!("{}: {} at {}", a.name, a.mailbox, a.host))));
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
