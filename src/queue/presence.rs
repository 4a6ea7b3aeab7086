//! Which workers of this machine are alive: each process holds a lock on a file of its own for as long as it lives, and
//! the kernel lets go of it however it ends. On the embedded database, which serves one machine, a job whose worker is
//! dead is thus read again at the next start, and not only when its lease runs out.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::Path,
};

use crate::{
    app::App,
    store::{Dialect, StoreError, jobs},
};

/// Below the data directory.
const FOLDER: &str = "workers";
/// Processes looked at; more files than that were not made by us.
const MAX_PROCESSES: usize = 1_000;

/// A worker process that is alive as long as this is.
#[derive(Debug)]
pub struct Presence {
    _file: File,
}

/// Why presence could not be shown or looked at. The leases still run out by themselves.
#[derive(Debug, thiserror::Error)]
pub enum PresenceError {
    /// The folder of locks.
    #[error("the folder of workers: {0}")]
    Folder(#[from] io::Error),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Presence {
    /// Shows that `process`, which names its leases `{process}-…`, is alive.
    pub fn show(data_dir: &Path, process: &str) -> io::Result<Self> {
        let folder = data_dir.join(FOLDER);
        fs::create_dir_all(&folder)?;
        let file = File::create(folder.join(process))?;
        file.lock()?;
        Ok(Self { _file: file })
    }
}

/// Ends the leases of workers that died, so that the next sweep gives their jobs to others; how many. Only on SQLite: on
/// PostgreSQL workers may be on other machines, and nothing here tells whether they are alive.
pub async fn release_the_dead(app: &App, data_dir: &Path) -> Result<u64, PresenceError> {
    if app.db.dialect() != Dialect::Sqlite {
        return Ok(0);
    }
    let folder = data_dir.join(FOLDER);
    let dead = tokio::task::spawn_blocking(move || dead_processes(&folder)).await.map_err(io::Error::other)??;
    let mut released = 0;
    let mut tx = app.db.write().await?;
    for process in &dead {
        released += jobs::end_leases_of(&mut tx, process, app.now()).await?;
    }
    tx.commit().await?;
    // Only now: whoever dies in between finds the file again.
    for process in &dead {
        let _ = fs::remove_file(data_dir.join(FOLDER).join(process));
    }
    Ok(released)
}

/// Names of files nobody holds.
fn dead_processes(folder: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut dead = Vec::new();
    for entry in entries.take(MAX_PROCESSES) {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        let is_ours = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        match File::open(entry.path()).map(|file| file.try_lock()) {
            Ok(Ok(())) if is_ours => dead.push(name),
            Ok(Ok(()) | Err(TryLockError::WouldBlock)) => {}
            Ok(Err(TryLockError::Error(error))) => return Err(error),
            // Gone meanwhile: somebody else has looked after it.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(dead)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_alive_as_long_as_it_holds_its_file() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join(FOLDER);
        assert_eq!(dead_processes(&folder).unwrap(), Vec::<String>::new());
        let one = Presence::show(dir.path(), "1-aa").unwrap();
        let _two = Presence::show(dir.path(), "2-bb").unwrap();
        assert_eq!(dead_processes(&folder).unwrap(), Vec::<String>::new());
        drop(one);
        assert_eq!(dead_processes(&folder).unwrap(), ["1-aa"]);
    }
}
