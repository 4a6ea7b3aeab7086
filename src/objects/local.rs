//! Objects in a local directory: temporary file in the same file system → fsync → hard link → fsync of every
//! directory that changed. The link fails when the name exists, so nothing is ever overwritten.

use std::{
    fs, io,
    io::Read as _,
    os::unix::fs::{DirBuilderExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, UNIX_EPOCH},
};

use bytes::Bytes;

use super::{KeyKind, ListCursor, ObjectBody, ObjectError, ObjectInfo, ObjectKey, ObjectPage};
use crate::{
    domain::{
        sha256::{Sha256, Sha256Stream},
        time::Timestamp,
    },
    kill_points,
};

/// Temporary files older than this belong to a process that died.
const STALE: Duration = Duration::from_hours(24);

/// A local read that takes longer hangs on a dead network mount.
const STALL: Duration = Duration::from_secs(30);

/// Linking races with the removal of an empty directory at most this often before it is reported.
const LINK_ATTEMPTS: usize = 5;

/// A directory of objects.
#[derive(Debug, Clone)]
pub struct LocalStore {
    root: Arc<Path>,
}

impl LocalStore {
    /// Makes the directory (readable by its owner only) and sweeps old temporary files.
    pub(super) async fn open(dir: &Path, now: Timestamp) -> Result<Self, ObjectError> {
        let store = Self { root: dir.into() };
        let operation = format!("open object directory `{}`", dir.display());
        store
            .blocking(operation, move |store| {
                create_durably(&store.temporary())?;
                sweep(&store.temporary(), now)
            })
            .await?;
        Ok(store)
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Temporary files live beside the objects: linking needs the same file system.
    fn temporary(&self) -> PathBuf {
        self.root.join("tmp")
    }

    fn path(&self, key: &ObjectKey) -> PathBuf {
        key.disk_segments().into_iter().fold(self.root.to_path_buf(), |path, segment| path.join(segment))
    }

    pub(super) async fn put_file(
        &self,
        key: &ObjectKey,
        path: &Path,
        size: u64,
        sha256: &Sha256,
    ) -> Result<(), ObjectError> {
        let source = path.to_path_buf();
        let opened = tokio::task::spawn_blocking(move || fs::File::open(&source).map_err(|e| (source, e)));
        let file = match opened.await {
            Ok(Ok(file)) => file,
            Ok(Err((path, error))) => return Err(ObjectError::Source { path, reason: error.to_string() }),
            Err(error) => return Err(unavailable("read the file to store", &io::Error::other(error))),
        };
        match self.put(key, file, size, *sha256).await? {
            Written::Yes => Ok(()),
            Written::SourceDiffers { size: found } => Err(ObjectError::Source {
                path: path.to_path_buf(),
                reason: format!("it is not the file that was hashed: {size} bytes expected, {found} read"),
            }),
        }
    }

    pub(super) async fn put_bytes(&self, key: &ObjectKey, bytes: Bytes) -> Result<(), ObjectError> {
        let (size, sha256) = (bytes.len() as u64, Sha256::of(&bytes));
        self.put(key, io::Cursor::new(bytes), size, sha256).await.map(|_| ())
    }

    async fn put(
        &self,
        key: &ObjectKey,
        source: impl io::Read + Send + 'static,
        size: u64,
        sha256: Sha256,
    ) -> Result<Written, ObjectError> {
        let target = self.path(key);
        let existing = target.clone();
        let outcome = self
            .blocking(format!("write object `{key}`"), move |store| {
                let temporary = tempfile::NamedTempFile::new_in(store.temporary())?;
                let (found, written) = copy_hashed(source, temporary.as_file(), size)?;
                if found != sha256 || written != size {
                    return Ok(Put::Differs(written));
                }
                kill_points::reached("u03");
                temporary.as_file().sync_all()?;
                kill_points::reached("u04");
                link_durably(temporary.path(), &target, &store.root)
            })
            .await?;
        match outcome {
            Put::Linked => Ok(Written::Yes),
            Put::Differs(size) => Ok(Written::SourceDiffers { size }),
            Put::Exists => {
                let found = self
                    .blocking(format!("read object `{key}`"), move |_| {
                        Ok(copy_hashed(fs::File::open(existing)?, io::sink(), u64::MAX - 1)?.0)
                    })
                    .await?;
                if found == sha256 { Ok(Written::Yes) } else { Err(ObjectError::AlreadyExists { key: key.clone() }) }
            }
        }
    }

    pub(super) async fn get(&self, key: &ObjectKey) -> Result<ObjectBody, ObjectError> {
        let file = match tokio::fs::File::open(self.path(key)).await {
            Ok(file) => file,
            Err(error) if is_absent(&error) => return Err(ObjectError::Missing { key: key.clone() }),
            Err(error) => return Err(ObjectError::reading(key, &error)),
        };
        let size = file.metadata().await.map_err(|error| ObjectError::reading(key, &error))?.len();
        Ok(ObjectBody::new(file, size, STALL))
    }

    pub(super) async fn head(&self, key: &ObjectKey) -> Result<Option<ObjectInfo>, ObjectError> {
        let (path, found) = (self.path(key), key.clone());
        self.blocking(format!("look at object `{key}`"), move |_| match fs::metadata(path) {
            Ok(metadata) => Ok(Some(info(found, &metadata))),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(error),
        })
        .await
    }

    pub(super) async fn delete(&self, key: &ObjectKey) -> Result<(), ObjectError> {
        let path = self.path(key);
        self.blocking(format!("delete object `{key}`"), move |_| {
            match fs::remove_file(&path) {
                Ok(()) => {}
                Err(error) if is_absent(&error) => return Ok(()),
                Err(error) => return Err(error),
            }
            let Some(directory) = path.parent() else { return Ok(()) };
            sync_directory(directory)?;
            // An empty leaf goes too; one that is not empty, or that a writer needs just now, stays.
            let _ = fs::remove_dir(directory);
            Ok(())
        })
        .await
    }

    pub(super) async fn list(
        &self,
        kind: KeyKind,
        after: Option<&ListCursor>,
        limit: usize,
    ) -> Result<ObjectPage, ObjectError> {
        let after = after.and_then(|cursor| cursor.0.parse::<ObjectKey>().ok());
        self.blocking(format!("list {}", kind.directory()), move |store| {
            let bound: Option<Vec<String>> =
                after.map(|key| key.disk_segments().into_iter().map(str::to_owned).collect());
            let bound = bound.filter(|bound| bound[0] == kind.directory());
            let mut objects = Vec::new();
            let mut segments = vec![kind.directory().to_owned()];
            // One more than asked for tells whether there is a next page.
            walk(&store.root, &mut segments, bound.as_deref(), limit + 1, &mut objects)?;
            let next = (objects.len() > limit).then(|| ListCursor::from(&objects[limit - 1].key));
            objects.truncate(limit);
            Ok(ObjectPage { objects, next })
        })
        .await
    }

    async fn blocking<T: Send + 'static>(
        &self,
        operation: String,
        work: impl FnOnce(&Self) -> io::Result<T> + Send + 'static,
    ) -> Result<T, ObjectError> {
        let store = self.clone();
        let result = tokio::task::spawn_blocking(move || work(&store)).await;
        result.unwrap_or_else(|error| Err(io::Error::other(error))).map_err(|error| unavailable(&operation, &error))
    }
}

enum Written {
    Yes,
    SourceDiffers { size: u64 },
}

enum Put {
    Linked,
    Exists,
    Differs(u64),
}

impl ObjectError {
    /// A body or file could not be read to its end.
    pub(super) fn reading(key: &ObjectKey, error: &io::Error) -> Self {
        unavailable(&format!("read object `{key}`"), error)
    }
}

fn unavailable(operation: &str, error: &io::Error) -> ObjectError {
    let (operation, reason) = (operation.to_owned(), error.to_string());
    let hint = match error.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::NotADirectory => {
            let hint = "make the object directory writable for the user who runs vouch";
            return ObjectError::Refused { operation, reason, hint };
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "free disk space or move the object directory",
        io::ErrorKind::NotFound => "the object directory is gone: is its volume mounted?",
        io::ErrorKind::TimedOut | io::ErrorKind::UnexpectedEof => "it is tried again; check disk and network",
        _ => "check the disk (`dmesg`, `smartctl`) and its mount",
    };
    ObjectError::Unavailable { operation, reason, hint }
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound)
}

fn info(key: ObjectKey, metadata: &fs::Metadata) -> ObjectInfo {
    let age = metadata.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
    ObjectInfo { key, size: metadata.len(), modified_at: Timestamp::from_micros(0).plus(age) }
}

/// Copies until the end or one byte past `limit`, whichever comes first.
fn copy_hashed(source: impl io::Read, mut sink: impl io::Write, limit: u64) -> io::Result<(Sha256, u64)> {
    let mut source = source.take(limit.saturating_add(1));
    let (mut hash, mut size) = (Sha256Stream::default(), 0_u64);
    let mut buffer = vec![0; 128 * 1024];
    loop {
        let count = source.read(&mut buffer)?;
        if count == 0 {
            return Ok((hash.finish(), size));
        }
        hash.update(&buffer[..count]);
        sink.write_all(&buffer[..count])?;
        size += count as u64;
    }
}

fn link_durably(temporary: &Path, target: &Path, root: &Path) -> io::Result<Put> {
    let directory = target.parent().ok_or_else(|| io::Error::other("an object has a directory"))?;
    for _ in 0..LINK_ATTEMPTS {
        create_durably(directory)?;
        match fs::hard_link(temporary, target) {
            Ok(()) => {
                kill_points::reached("u05");
                // Up to the root even when the directories existed: whoever made them may have died before its
                // fsync. Syncing a clean directory costs next to nothing.
                for changed in directory.ancestors().take_while(|ancestor| ancestor.starts_with(root)) {
                    sync_directory(changed)?;
                }
                kill_points::reached("u06");
                return Ok(Put::Linked);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(Put::Exists),
            // A delete removed the empty directory between the two calls.
            Err(error) if is_absent(&error) => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::other("the object's directory disappears as soon as it is made"))
}

/// Makes a directory and its missing parents, each with mode 0700 and an entry that survives a power cut.
fn create_durably(directory: &Path) -> io::Result<()> {
    if directory.is_dir() {
        return Ok(());
    }
    let parent = directory.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    create_durably(parent)?;
    match fs::DirBuilder::new().mode(0o700).create(directory) {
        // Whoever made it first may not have reached the fsync yet, so both do it.
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    if !directory.is_dir() {
        return Err(io::ErrorKind::NotADirectory.into());
    }
    sync_directory(parent)
}

fn sync_directory(directory: &Path) -> io::Result<()> {
    fs::File::open(directory)?.sync_all()
}

fn sweep(directory: &Path, now: Timestamp) -> io::Result<()> {
    fs::set_permissions(directory, fs::Permissions::from_mode(0o700))?;
    let oldest = UNIX_EPOCH + Duration::from_micros(u64::try_from(now.minus(STALE).as_micros()).unwrap_or(0));
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        if metadata.is_file() && metadata.modified()? < oldest {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Depth first in name order, leaving out everything up to `bound`. At most `limit` objects are collected.
fn walk(
    root: &Path,
    segments: &mut Vec<String>,
    bound: Option<&[String]>,
    limit: usize,
    found: &mut Vec<ObjectInfo>,
) -> io::Result<()> {
    /// Kind, two levels of fan-out, owner, name.
    const DEEPEST: usize = 5;
    let directory = segments.iter().fold(root.to_path_buf(), |path, segment| path.join(segment));
    let entries = match fs::read_dir(&directory) {
        Ok(entries) => entries,
        Err(error) if is_absent(&error) => return Ok(()),
        Err(error) => return Err(error),
    };
    let depth = segments.len();
    let floor = bound.and_then(|bound| bound.get(depth));
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry?;
        // A name that is not UTF-8 is none of ours.
        let Ok(name) = entry.file_name().into_string() else { continue };
        if floor.is_none_or(|floor| name >= *floor) {
            names.push((name, entry.file_type()?));
        }
    }
    names.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    for (name, file_type) in names {
        if found.len() >= limit {
            return Ok(());
        }
        let on_bound = floor == Some(&name);
        segments.push(name);
        if file_type.is_dir() && depth + 1 < DEEPEST {
            walk(root, segments, bound.filter(|_| on_bound), limit, found)?;
        } else if file_type.is_file()
            && !on_bound
            && let Some(key) = ObjectKey::from_disk_segments(segments)
        {
            match fs::metadata(directory.join(&segments[depth])) {
                Ok(metadata) => found.push(info(key, &metadata)),
                // Deleted since the directory was read.
                Err(error) if is_absent(&error) => {}
                Err(error) => return Err(error),
            }
        }
        segments.pop();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_or_failing_disk_asks_for_another_try_and_a_forbidden_one_for_a_person() {
        // Linux errno numbers: ENOSPC, EDQUOT, EIO.
        for code in [28, 122, 5] {
            let error = unavailable("write object `x`", &io::Error::from_raw_os_error(code));
            assert!(matches!(error, ObjectError::Unavailable { .. }), "errno {code}: {error}");
            assert!(error.is_worth_retrying());
        }
        // EACCES, EROFS, ENOTDIR.
        for code in [13, 30, 20] {
            let error = unavailable("write object `x`", &io::Error::from_raw_os_error(code));
            assert!(matches!(error, ObjectError::Refused { .. }), "errno {code}: {error}");
        }
    }
}
