//! Seals the journal: numbers and chains what was appended, and signs checkpoints that can be kept off the host.
//!
//! Every process may call [`seal_once`] every few seconds; a lease lets one of them work.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use ed25519_dalek::{
    SigningKey, VerifyingKey,
    pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _, spki::der::pem::LineEnding},
};

use crate::{
    app::{App, Random},
    domain::journal::Checkpoint,
    kill_points,
    store::{
        StoreError,
        journal::{self, Head, SealLease},
        organisation,
    },
};

/// Name of the key file in the data directory.
pub const KEY_FILE: &str = "journal.key";
/// Entries sealed per transaction: some tens of milliseconds during which SQLite's one writer is taken.
const BATCH: i64 = 500;
/// Batches per call; what is left waits for the next call.
const MAX_BATCHES: u32 = 40;
/// Longer than the pause between two calls, short enough that another process takes over soon.
const LEASE: Duration = Duration::from_secs(30);
/// A checkpoint at the latest after this many entries …
const CHECKPOINT_ENTRIES: i64 = 1000;
/// … or this long.
const CHECKPOINT_EVERY: Duration = Duration::from_mins(1);

/// Why the key could not be loaded or made.
#[derive(Debug, thiserror::Error)]
pub enum SealerError {
    /// Reading or writing the file.
    #[error("the journal's key `{}` could not be {doing}: {source}", .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What was tried.
        doing: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// Others than the service may read it, and could sign checkpoints.
    #[error("the journal's key `{}` may be read by others (mode {mode:o}): run `chmod 600` on it", .path.display())]
    Exposed {
        /// Which.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Not a key.
    #[error("`{}` is not an Ed25519 key in PKCS#8 PEM: restore it from the backup, or move it away to start a new one", .0.display())]
    NotAKey(PathBuf),
}

/// Who seals: the signing key and the name in the lease.
#[derive(Clone)]
pub struct Sealer {
    key: SigningKey,
    holder: String,
}

/// What one call did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// Entries sealed.
    pub entries: u64,
    /// The checkpoint signed, when one was due.
    pub checkpoint: Option<Checkpoint>,
}

impl Sealer {
    /// Loads the key from `data_dir`, or makes it (mode 0600) when there is none.
    pub fn load(data_dir: &Path, random: &Random) -> Result<Self, SealerError> {
        let path = data_dir.join(KEY_FILE);
        let key = match read(&path) {
            Err(SealerError::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                create(data_dir, &path, random)?;
                // Read back what is there: another process may have been faster.
                read(&path)?
            }
            other => other?,
        };
        Ok(Self { key, holder: hex::encode(random.bytes::<16>()) })
    }

    /// The key checkpoints of this installation are checked with.
    pub fn public_key(&self) -> VerifyingKey {
        self.key.verifying_key()
    }
}

/// Seals what is unsealed and signs a checkpoint when one is due. Does nothing, and writes nothing, when there is
/// nothing to do or another process has the lease.
pub async fn seal_once(app: &App, sealer: &Sealer) -> Result<Sealed, StoreError> {
    let mut entries = 0;
    if journal::has_tail(&mut app.db.read().await?).await? {
        for _ in 0..MAX_BATCHES {
            let lease = SealLease { holder: &sealer.holder, time: LEASE, clock: &*app.clock };
            let mut tx = app.db.write().await?;
            let Some(sealed) = journal::seal(&mut tx, BATCH, lease).await? else { break };
            tx.commit().await?;
            entries += sealed;
            if sealed < BATCH as u64 {
                break;
            }
        }
    }
    Ok(Sealed { entries, checkpoint: checkpoint_if_due(app, sealer).await? })
}

async fn checkpoint_if_due(app: &App, sealer: &Sealer) -> Result<Option<Checkpoint>, StoreError> {
    let now = app.now();
    let mut tx = app.db.read().await?;
    let Some(organisation) = organisation::find(&mut tx).await? else { return Ok(None) };
    let Head { seq, .. } = journal::head(&mut tx).await?;
    let is_due = match journal::latest_checkpoint(&mut tx, &organisation.id).await? {
        None => seq > 0,
        // A clock that was set back must not stop checkpoints until it has caught up.
        Some(last) => {
            seq > last.seq
                && (seq - last.seq >= CHECKPOINT_ENTRIES || now < last.at || now >= last.at.plus(CHECKPOINT_EVERY))
        }
    };
    drop(tx);
    if !is_due {
        return Ok(None);
    }
    let mut tx = app.db.write().await?;
    let checkpoint = journal::create_checkpoint(&mut tx, &organisation.id, &sealer.key, now).await?;
    if checkpoint.is_some() {
        kill_points::reached("a02");
    }
    tx.commit().await?;
    Ok(checkpoint)
}

fn read(path: &Path) -> Result<SigningKey, SealerError> {
    let failed = |source| SealerError::File { path: path.to_owned(), doing: "read", source };
    let mode = fs::metadata(path).map_err(failed)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(SealerError::Exposed { path: path.to_owned(), mode });
    }
    let pem = fs::read_to_string(path).map_err(failed)?;
    SigningKey::from_pkcs8_pem(&pem).map_err(|_| SealerError::NotAKey(path.to_owned()))
}

/// Writes a new key beside and links it into place: never half a key, never over another one.
fn create(data_dir: &Path, path: &Path, random: &Random) -> Result<(), SealerError> {
    let failed = |source| SealerError::File { path: path.to_owned(), doing: "written", source };
    let key = SigningKey::from_bytes(&random.bytes());
    let pem = key.to_pkcs8_pem(LineEnding::LF).map_err(|e| failed(io::Error::other(e)))?;
    // tempfile makes files of mode 0600.
    let mut file = tempfile::NamedTempFile::new_in(data_dir).map_err(failed)?;
    file.write_all(pem.as_bytes()).and_then(|()| file.as_file().sync_all()).map_err(failed)?;
    match file.persist_noclobber(path) {
        Ok(_) => File::open(data_dir).and_then(|dir| dir.sync_all()).map_err(failed),
        Err(e) if e.error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(e) => Err(failed(e.error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_made_once_readable_by_the_service_only() {
        let dir = tempfile::tempdir().unwrap();
        let (one, two) = (Random::from_seed(1), Random::from_seed(2));
        let first = Sealer::load(dir.path(), &one).unwrap();
        let second = Sealer::load(dir.path(), &two).unwrap();
        assert_eq!(first.public_key(), second.public_key());
        assert_ne!(first.holder, second.holder);
        let path = dir.path().join(KEY_FILE);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn an_exposed_or_broken_key_is_named_with_what_to_do_and_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let random = Random::from_seed(1);
        Sealer::load(dir.path(), &random).unwrap();
        let path = dir.path().join(KEY_FILE);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let exposed = Sealer::load(dir.path(), &random).err().unwrap();
        assert!(exposed.to_string().contains("chmod 600"), "{exposed}");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&path, "").unwrap();
        assert!(matches!(Sealer::load(dir.path(), &random), Err(SealerError::NotAKey(_))));
        assert_eq!(fs::read(&path).unwrap(), b"");
        let nowhere = Sealer::load(&dir.path().join("gone"), &random).err().unwrap();
        assert!(matches!(nowhere, SealerError::File { doing: "written", .. }), "{nowhere}");
    }
}
