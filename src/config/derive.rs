//! What follows from the configuration: paths under the data directory and settings of other rooms.

use std::{path::PathBuf, time::Duration};

use super::{Capture, Config, ConfigError, ObjectsStore, Problem, S3, Secret};
use crate::{
    capture::mail::{MailSettings, links::LinkPolicy},
    domain::{capture::Limits, time::Timestamp},
    objects::{ObjectSettings, S3Credentials, S3Settings, S3Timeouts},
};

impl Config {
    /// The database: as configured, or SQLite in the data directory.
    pub fn database_url(&self) -> Secret {
        self.database.url.clone().unwrap_or_else(|| {
            let path = self.data_dir.join("vouch.db");
            Secret::new(format!("sqlite:{}", path.display()))
        })
    }

    /// Where objects are kept.
    pub fn object_settings(&self) -> Result<ObjectSettings, ConfigError> {
        Ok(match self.objects.store {
            ObjectsStore::Local => {
                ObjectSettings::Local { dir: self.objects.dir.clone().unwrap_or_else(|| self.data_dir.join("objects")) }
            }
            ObjectsStore::S3 => ObjectSettings::S3(Box::new(self.objects.s3.settings()?)),
        })
    }

    /// Where certificates of mode `local-ca` are kept.
    pub fn tls_dir(&self) -> PathBuf {
        self.data_dir.join("tls")
    }

    /// Documents read at the same time: as configured, or one for each of `processors`.
    pub fn reader_children(&self, processors: usize) -> usize {
        match self.reader.children {
            0 => processors.max(1),
            children => children as usize,
        }
    }

    /// Workers: as configured, or as many as the reader has children.
    pub fn worker_count(&self, processors: usize) -> usize {
        match self.workers.count {
            0 => self.reader_children(processors),
            count => count as usize,
        }
    }

    /// How long a worker may be silent.
    pub fn lease(&self) -> Duration {
        Duration::from_secs(self.workers.lease_seconds.into())
    }

    /// What use cases need to know about mail.
    pub fn mail_settings(&self) -> MailSettings {
        let domains: Vec<String> = self.mail.domains.iter().map(|domain| domain.to_ascii_lowercase()).collect();
        let host_name = self.mail.host_name.clone().or_else(|| domains.first().cloned());
        MailSettings {
            host_name: host_name.unwrap_or_else(|| "localhost".to_owned()),
            domains,
            policy: self.mail.senders,
            links: LinkPolicy { hosts: self.mail.links.hosts.clone(), permits_local: false },
        }
    }

    /// The calendar date in the organisation's time zone at `now`.
    pub fn today(&self, now: Timestamp) -> crate::domain::time::CivilDate {
        now.date_in(&self.organisation.time_zone)
    }
}

impl Capture {
    /// As the door and the reader take them.
    pub fn limits(&self) -> Limits {
        let Self { max_bytes, max_pixels, max_side, max_pages, max_files, reserve_mb } = *self;
        let reserve_bytes = reserve_mb.saturating_mul(1024 * 1024);
        Limits { max_bytes, max_pixels, max_side, max_pages, max_files, reserve_bytes }
    }
}

impl S3 {
    fn settings(&self) -> Result<S3Settings, ConfigError> {
        let ca_pem = match &self.ca_file {
            None => None,
            Some(path) => Some(std::fs::read_to_string(path).map_err(|error| {
                let message = format!("`{}` cannot be read: {error}", path.display());
                let problem = Problem::new("objects.s3.ca_file", message, "name a PEM file");
                ConfigError { problems: vec![problem] }
            })?),
        };
        let reveal = |secret: &Option<Secret>| secret.as_ref().map(|secret| secret.reveal().to_owned());
        Ok(S3Settings {
            bucket: self.bucket.clone().unwrap_or_default(),
            prefix: self.prefix.clone(),
            region: self.region.clone(),
            path_style: self.path_style.unwrap_or(self.endpoint.is_some()),
            endpoint: self.endpoint.clone(),
            credentials: S3Credentials {
                access_key_id: self.access_key_id.clone().unwrap_or_default(),
                secret_access_key: reveal(&self.secret_access_key).unwrap_or_default(),
                session_token: reveal(&self.session_token),
            },
            ca_pem,
            timeouts: S3Timeouts {
                connect: Duration::from_millis(self.connect_timeout_ms),
                read: Duration::from_millis(self.read_timeout_ms),
                attempt: Duration::from_millis(self.attempt_timeout_ms),
                operation: Duration::from_millis(self.operation_timeout_ms),
            },
        })
    }
}
