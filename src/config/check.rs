//! What types cannot say: secrets in files, values out of range, settings that do not go together.

use std::path::Path;

use super::{Config, ObjectsStore, Problem, Secret, Sources, TlsMode};

/// A secret file is a line; anything larger is the wrong file.
const MAX_SECRET_BYTES: u64 = 64 * 1024;

/// Puts the content of every `*_file` beside its secret.
pub(super) fn read_secrets(config: &mut Config, sources: &Sources, problems: &mut Vec<Problem>) {
    let s3 = &mut config.objects.s3;
    let hooks = &mut config.mail.webhooks;
    let mut secrets = vec![
        ("database.url", &mut config.database.url, &config.database.url_file),
        ("objects.s3.secret_access_key", &mut s3.secret_access_key, &s3.secret_access_key_file),
        ("objects.s3.session_token", &mut s3.session_token, &s3.session_token_file),
        ("mail.webhooks.mailgun_key", &mut hooks.mailgun_key, &hooks.mailgun_key_file),
        ("mail.webhooks.postmark_credentials", &mut hooks.postmark_credentials, &hooks.postmark_credentials_file),
        ("mail.webhooks.ses_secret_access_key", &mut hooks.ses_secret_access_key, &hooks.ses_secret_access_key_file),
    ];
    for account in &mut config.mail.imap.accounts {
        secrets.push(("mail.imap.accounts.password", &mut account.password, &account.password_file));
    }
    for (key, secret, file) in secrets {
        let Some(path) = file else { continue };
        if secret.is_some() {
            let message = format!("`{key}` and `{key}_file` are both set");
            problems.push(Problem::new(key, message, "keep one of them"));
            continue;
        }
        match read_secret(path) {
            Ok(found) => *secret = Some(found),
            Err(reason) => {
                let message = format!("`{}` {reason}", path.display());
                let hint = "put the secret alone into the file and let the user who runs vouch read it";
                problems.push(Problem::new(&format!("{key}_file"), message, hint));
            }
        }
    }
    if config.objects.store == ObjectsStore::S3 && config.objects.s3.access_key_id.is_none() {
        credentials_from_environment(config, sources, problems);
    }
    let hooks = &mut config.mail.webhooks;
    if !hooks.ses_buckets.is_empty()
        && hooks.ses_access_key_id.is_none()
        && let Some(found) = crate::objects::S3Credentials::from_environment(|name| sources.variable(name))
    {
        hooks.ses_access_key_id = Some(found.access_key_id);
        hooks.ses_secret_access_key = Some(Secret::new(found.secret_access_key));
        hooks.ses_session_token = found.session_token.map(Secret::new);
    }
}

fn read_secret(path: &Path) -> Result<Secret, String> {
    let size = std::fs::metadata(path).map_err(|error| format!("cannot be read: {error}"))?.len();
    if size > MAX_SECRET_BYTES {
        return Err(format!("has {size} bytes, too many for a secret"));
    }
    let text = std::fs::read_to_string(path).map_err(|error| format!("cannot be read: {error}"))?;
    let text = text.trim_end_matches(['\r', '\n']);
    if text.is_empty() { Err("is empty".to_owned()) } else { Ok(Secret::new(text)) }
}

fn credentials_from_environment(config: &mut Config, sources: &Sources, problems: &mut Vec<Problem>) {
    let s3 = &mut config.objects.s3;
    if s3.secret_access_key.is_some() {
        let message = "there is a secret and no access key it belongs to";
        problems.push(Problem::new("objects.s3.access_key_id", message, "set it"));
        return;
    }
    match crate::objects::S3Credentials::from_environment(|name| sources.variable(name)) {
        Some(found) => {
            s3.access_key_id = Some(found.access_key_id);
            s3.secret_access_key = Some(Secret::new(found.secret_access_key));
            s3.session_token = s3.session_token.take().or(found.session_token.map(Secret::new));
        }
        None => problems.push(Problem::new(
            "objects.s3.access_key_id",
            "store `s3` has no credentials",
            "set `access_key_id` and `secret_access_key_file`, or `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`",
        )),
    }
}

/// Adds a problem for everything that cannot work, whatever the command; see [`check_server`] for those that listen.
pub(super) fn check(config: &Config, problems: &mut Vec<Problem>) {
    check_storage(config, problems);
    check_numbers(config, problems);
    check_organisation(config, problems);
    check_mail(config, problems);
    if let Err(error) = tracing_subscriber::EnvFilter::try_new(&config.log.level) {
        let hint = "write `info`, `debug`, or a filter such as `info,vouch::queue=debug`";
        problems.push(Problem::new("log.level", error.to_string(), hint));
    }
}

/// Adds a problem for everything about listening that cannot work or is not safe.
pub(super) fn check_server(config: &Config, problems: &mut Vec<Problem>) {
    let server = &config.server;
    if let Some(url) = &server.external_url
        && !is_base_url(url)
    {
        let hint = "write scheme and host without a path, such as `https://vouch.example.org`";
        problems.push(Problem::new("server.external_url", format!("`{url}` is not an address"), hint));
    }
    match server.tls.mode {
        TlsMode::Files => {
            for (key, file) in [("certificate", &server.tls.certificate), ("key", &server.tls.key)] {
                let key = format!("server.tls.{key}");
                match file {
                    None => {
                        problems.push(Problem::new(
                            &key,
                            "mode `files` needs it",
                            "name the PEM file, or use mode `local-ca`",
                        ));
                    }
                    Some(path) if !path.is_file() => {
                        let message = format!("`{}` is not a file", path.display());
                        problems.push(Problem::new(&key, message, "name the PEM file"));
                    }
                    Some(_) => {}
                }
            }
        }
        TlsMode::LocalCa => {
            for name in &server.tls.names {
                let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || ".-:".contains(c));
                if !is_name {
                    let hint = "write host names such as `vouch.lan` or addresses, without scheme and port";
                    problems.push(Problem::new(
                        "server.tls.names",
                        format!("`{name}` is no host name or address"),
                        hint,
                    ));
                }
            }
        }
        TlsMode::Off => {
            let behind_proxy = server.external_url.is_some() && !server.trusted_proxies.is_empty();
            if !behind_proxy && !server.listen.ip().is_loopback() {
                let message = format!("mode `off` would send passwords and receipts in the clear on {}", server.listen);
                let hint = "behind a proxy set `server.external_url` and `server.trusted_proxies`; for this machine only \
                            listen on `127.0.0.1`; otherwise use mode `local-ca`";
                problems.push(Problem::new("server.tls.mode", message, hint));
            }
        }
    }
}

/// `http[s]://host[:port]` and nothing after it but one slash.
fn is_base_url(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://")) else { return false };
    let host = rest.strip_suffix('/').unwrap_or(rest);
    !host.is_empty() && host.chars().all(|c| c.is_alphanumeric() || ".-:[]_".contains(c))
}

fn check_storage(config: &Config, problems: &mut Vec<Problem>) {
    if let Some(url) = &config.database.url {
        let known = ["sqlite:", "postgres://", "postgresql://"];
        if !known.iter().any(|scheme| url.reveal().starts_with(scheme)) {
            let hint = "write `sqlite:PATH` or `postgres://user:password@host/database`";
            problems.push(Problem::new("database.url", "is neither SQLite nor PostgreSQL", hint));
        }
    }
    if config.objects.store == ObjectsStore::S3 {
        let s3 = &config.objects.s3;
        if s3.bucket.as_ref().is_none_or(String::is_empty) {
            problems.push(Problem::new("objects.s3.bucket", "store `s3` needs it", "name a bucket that exists"));
        }
        if s3.access_key_id.is_some() && s3.secret_access_key.is_none() {
            let hint = "set it, or better `secret_access_key_file`";
            problems.push(Problem::new("objects.s3.secret_access_key", "the access key has no secret", hint));
        }
        if s3.connect_timeout_ms.min(s3.read_timeout_ms).min(s3.attempt_timeout_ms).min(s3.operation_timeout_ms) == 0 {
            problems.push(Problem::new("objects.s3", "a time-out of 0 lets nothing through", "raise it"));
        }
    }
}

fn check_numbers(config: &Config, problems: &mut Vec<Problem>) {
    let (capture, reader, workers) = (&config.capture, &config.reader, &config.workers);
    for (key, value, least, most) in [
        ("capture.max_bytes", capture.max_bytes, 1024, 1 << 30),
        ("capture.max_pixels", capture.max_pixels, 10_000, 1_000_000_000),
        ("capture.max_side", capture.max_side.into(), 100, 65_535),
        ("capture.max_pages", capture.max_pages.into(), 1, 10_000),
        ("capture.max_files", capture.max_files.into(), 1, 1000),
        ("mail.smtp.max_connections", config.mail.smtp.max_connections.into(), 1, 10_000),
        ("mail.smtp.max_connections_per_address", config.mail.smtp.max_connections_per_address.into(), 1, 10_000),
        ("mail.smtp.timeout_seconds", config.mail.smtp.timeout_seconds.into(), 5, 3600),
        ("mail.lmtp.max_connections", config.mail.lmtp.max_connections.into(), 1, 10_000),
        ("mail.lmtp.timeout_seconds", config.mail.lmtp.timeout_seconds.into(), 5, 3600),
        ("mail.imap.poll_seconds", config.mail.imap.poll_seconds.into(), 1, 86_400),
        ("capture.reserve_mb", capture.reserve_mb, 0, 1 << 30),
        ("database.max_connections", config.database.max_connections.into(), 1, 1000),
        ("reader.children", reader.children.into(), 0, 256),
        ("reader.memory_mb", reader.memory_mb.into(), 256, 65_536),
        ("reader.timeout_seconds", reader.timeout_seconds.into(), 5, 3600),
        ("reader.max_side", reader.max_side.into(), 500, 10_000),
        ("workers.count", workers.count.into(), 0, 256),
        ("workers.lease_seconds", workers.lease_seconds.into(), 10, 86_400),
        ("workers.max_attempts", workers.max_attempts.into(), 1, 100),
    ] {
        if !(least..=most).contains(&value) {
            let hint = format!("write a number from {least} to {most}");
            problems.push(Problem::new(key, format!("{value} is out of range"), hint));
        }
    }
    if reader.languages.is_empty() {
        problems.push(Problem::new("reader.languages", "the list is empty", "write at least `[\"eng\"]`"));
    }
    for language in &reader.languages {
        let is_name = !language.is_empty() && language.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !is_name {
            let hint = "`tesseract --list-langs` prints those installed, such as `eng`, `chi_sim`, `deu`";
            problems.push(Problem::new("reader.languages", format!("`{language}` is no language name"), hint));
        }
    }
}

fn check_organisation(config: &Config, problems: &mut Vec<Problem>) {
    let organisation = &config.organisation;
    if organisation.name.trim().is_empty() {
        problems.push(Problem::new("organisation.name", "is empty", "name your organisation"));
    }
    if jiff::tz::TimeZone::get(&organisation.time_zone).is_err() {
        let message = format!("`{}` is not a time zone of this machine", organisation.time_zone);
        let hint = "write an IANA name such as `Asia/Shanghai` or `Europe/Berlin`";
        problems.push(Problem::new("organisation.time_zone", message, hint));
    }
    if organisation.language.parse::<crate::domain::person::Language>().is_err() {
        let message = format!("there are no pages in `{}`", organisation.language);
        problems.push(Problem::new("organisation.language", message, "write `en` or `zh`"));
    }
    for locale in &organisation.locales {
        let is_tag = locale.len() >= 2 && locale.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        if !is_tag {
            let hint = "write language and country such as `en-GB`, `en-US`, `zh-CN`";
            problems.push(Problem::new("organisation.locales", format!("`{locale}` is no locale"), hint));
        }
    }
}

fn check_mail(config: &Config, problems: &mut Vec<Problem>) {
    let mail = &config.mail;
    let is_name = |name: &str| {
        !name.is_empty() && name.len() <= 253 && name.chars().all(|c| c.is_ascii_alphanumeric() || ".-".contains(c))
    };
    for name in mail.domains.iter().chain(&mail.host_name) {
        if !is_name(name) {
            let hint = "write a name such as `in.example.org`, without `@`";
            problems.push(Problem::new("mail.domains", format!("`{name}` is no domain"), hint));
        }
    }
    if mail.smtp.listen.is_some() && mail.domains.is_empty() {
        let hint = "name the domain of the addresses, such as `[\"in.example.org\"]`; mail to others is refused";
        problems.push(Problem::new("mail.domains", "is empty, and `mail.smtp.listen` is set", hint));
    }
    for host in &mail.links.hosts {
        if !is_name(host.strip_prefix("*.").unwrap_or(host)) || !host.contains('.') {
            let hint = "write a host such as `inv.example.org` or `*.example.org`, without scheme and path";
            problems.push(Problem::new("mail.links.hosts", format!("`{host}` is no host"), hint));
        }
    }
    let mut names = std::collections::BTreeSet::new();
    for account in &mail.imap.accounts {
        let key = "mail.imap.accounts";
        if account.name.is_empty() || !names.insert(&account.name) {
            let message = format!("the name `{}` is empty or used twice", account.name);
            problems.push(Problem::new(key, message, "give every mailbox a name of its own"));
        }
        if account.password.is_none() {
            let message = format!("mailbox `{}` has no password", account.name);
            problems.push(Problem::new(key, message, "set `password_file`"));
        }
        if account.handed_in && account.owner.is_none() {
            let message = format!("mailbox `{}` is `handed_in` and nobody's", account.name);
            problems.push(Problem::new(key, message, "name its `owner`"));
        }
    }
    let hooks = &mail.webhooks;
    if !hooks.ses_buckets.is_empty() && (hooks.ses_access_key_id.is_none() || hooks.ses_secret_access_key.is_none()) {
        let message = "mail in `ses_buckets` cannot be read without credentials";
        let hint = "set `ses_access_key_id` and `ses_secret_access_key_file`, or `AWS_ACCESS_KEY_ID` and \
            `AWS_SECRET_ACCESS_KEY`";
        problems.push(Problem::new("mail.webhooks.ses_access_key_id", message, hint));
    }
    if !hooks.ses_buckets.is_empty() && hooks.ses_topics.is_empty() {
        let hint = "name the SNS topic that announces the mail in `ses_topics`";
        problems.push(Problem::new("mail.webhooks.ses_buckets", "are announced by nobody", hint));
    }
    if let Some(credentials) = &mail.webhooks.postmark_credentials
        && credentials.reveal().split_once(':').is_none_or(|(_, password)| password.len() < 16)
    {
        let hint = "write `postmark:` and at least 16 random characters, and the same into Postmark's inbound URL";
        problems.push(Problem::new("mail.webhooks.postmark_credentials", "are too short to be a secret", hint));
    }
}
