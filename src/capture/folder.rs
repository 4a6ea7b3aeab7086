//! A watched folder: files that stop growing are handed in through the one door.
//!
//! `DIR/<user name>/file` belongs to that person; a file directly in `DIR` to the folder's default owner. What was accepted
//! moves to `accepted/` beside it, what was refused to `refused/` with the reason in a text file; what could not be
//! taken just now stays and is tried again. Polling, because change notices do not cross network shares.

use std::{
    collections::HashMap,
    io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use tokio_util::{io::ReaderStream, sync::CancellationToken};

use super::{Accepted, CaptureError, Handover, accept, spool};
use crate::{
    app::App,
    domain::{capture::Channel, person::Actor, visit::VisitChoice},
    store::people,
};

/// Files looked at in one round; more wait for the next.
const MAX_FILES_PER_ROUND: usize = 1_000;
/// A file is taken when size and time have not changed for this long: scanners and network copies write in bursts.
const STABLE_FOR: Duration = Duration::from_secs(3);
/// How often the folder is looked at.
const POLL: Duration = Duration::from_secs(1);

const ACCEPTED: &str = "accepted";
const REFUSED: &str = "refused";

/// What to watch.
#[derive(Debug, Clone)]
pub struct FolderSettings {
    /// The folder.
    pub dir: PathBuf,
    /// User name of the owner of files that are not in a person's subfolder.
    pub owner: Option<String>,
}

/// Hands in the file at `path` for `actor`, through the one door.
pub async fn accept_file(app: &App, actor: &Actor, handover: &Handover, path: &Path) -> Result<Accepted, CaptureError> {
    let file = tokio::fs::File::open(path).await.map_err(CaptureError::Spool)?;
    let spooled = spool(&app.spool, &app.limits, ReaderStream::with_capacity(file, 64 * 1024)).await?;
    accept(app, actor, handover, &spooled).await
}

/// A handover of a file that says nothing but its name.
pub fn plain_handover(actor: &Actor, channel: Channel, path: &Path) -> Handover {
    Handover {
        owner: actor.id.clone(),
        channel,
        client_id: None,
        captured_at: None,
        place: None,
        note: None,
        visit: VisitChoice::Undecided,
        file_name: path.file_name().map(|name| name.to_string_lossy().chars().take(255).collect()),
    }
}

/// Watches until `stop` is cancelled. One bad file or round is logged and does not end the watch.
pub async fn watch(app: App, settings: FolderSettings, stop: CancellationToken) {
    let mut seen = Seen::default();
    while !stop.is_cancelled() {
        if let Err(error) = round(&app, &settings, &mut seen).await {
            tracing::warn!("The watched folder `{}` could not be read: {error}", settings.dir.display());
        }
        tokio::select! {
            () = tokio::time::sleep(POLL) => {}
            () = stop.cancelled() => {}
        }
    }
}

/// Size and time of each waiting file, and since when they have been so.
#[derive(Debug, Default)]
struct Seen(HashMap<PathBuf, (u64, SystemTime, tokio::time::Instant)>);

impl Seen {
    /// Whether the file has stopped changing.
    fn is_stable(&mut self, path: &Path, size: u64, modified: SystemTime) -> bool {
        let now = tokio::time::Instant::now();
        match self.0.get(path) {
            Some((s, m, since)) if *s == size && *m == modified => now.duration_since(*since) >= STABLE_FOR,
            _ => {
                self.0.insert(path.to_owned(), (size, modified, now));
                false
            }
        }
    }
}

async fn round(app: &App, settings: &FolderSettings, seen: &mut Seen) -> io::Result<()> {
    let files = list(&settings.dir).await?;
    seen.0.retain(|path, _| files.iter().any(|(found, ..)| found == path));
    for (path, size, modified) in files {
        if size == 0 || !seen.is_stable(&path, size, modified) {
            continue;
        }
        let in_folder = path.parent().filter(|parent| *parent != settings.dir).and_then(Path::file_name);
        let owner = in_folder.map(|name| name.to_string_lossy().into_owned()).or_else(|| settings.owner.clone());
        take(app, &path, owner.as_deref()).await?;
        seen.0.remove(&path);
    }
    Ok(())
}

/// Regular files in the folder and in people's subfolders; links and hidden files are left alone.
async fn list(dir: &Path) -> io::Result<Vec<(PathBuf, u64, SystemTime)>> {
    let mut files = Vec::new();
    let mut folders = vec![(dir.to_owned(), true)];
    while let Some((folder, is_top)) = folders.pop() {
        let mut entries = tokio::fs::read_dir(&folder).await?;
        while let Some(entry) = entries.next_entry().await? {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let meta = match tokio::fs::symlink_metadata(entry.path()).await {
                Ok(meta) => meta,
                // Moved away meanwhile.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            if name.starts_with('.') || name == ACCEPTED || name == REFUSED {
                continue;
            }
            if meta.is_dir() && is_top {
                folders.push((entry.path(), false));
            } else if meta.is_file() {
                files.push((entry.path(), meta.len(), meta.modified()?));
                if files.len() >= MAX_FILES_PER_ROUND {
                    return Ok(files);
                }
            }
        }
    }
    files.sort();
    Ok(files)
}

async fn take(app: &App, path: &Path, owner: Option<&str>) -> io::Result<()> {
    let shown = path.display();
    let Some(owner) = owner else {
        return refuse(path, "no owner: put the file into a folder named after a user, or set --watch-owner").await;
    };
    let actor = match find_actor(app, owner).await {
        Ok(Some(actor)) => actor,
        Ok(None) => return refuse(path, &format!("there is no active user `{owner}`")).await,
        Err(error) => {
            tracing::warn!("`{shown}` waits: {error}");
            return Ok(());
        }
    };
    match accept_file(app, &actor, &plain_handover(&actor, Channel::Folder, path), path).await {
        Ok(_) => move_into(path, ACCEPTED).await.map(drop),
        Err(error) if error.is_transient() => {
            tracing::warn!("`{shown}` waits: {error}");
            Ok(())
        }
        Err(error) => refuse(path, &error.to_string()).await,
    }
}

/// The active person with this user name, as an actor.
pub async fn find_actor(app: &App, user_name: &str) -> Result<Option<Actor>, crate::store::StoreError> {
    let mut tx = app.db.read().await?;
    let Some(person) = people::find_by_user_name(&mut tx, user_name).await? else { return Ok(None) };
    people::find_actor(&mut tx, &person.id).await
}

async fn refuse(path: &Path, why: &str) -> io::Result<()> {
    let moved = move_into(path, REFUSED).await?;
    let mut note = moved.into_os_string();
    note.push(".reason.txt");
    tokio::fs::write(note, format!("{why}\n")).await
}

/// Moves the file into a folder beside it, never over another.
async fn move_into(path: &Path, folder: &str) -> io::Result<PathBuf> {
    /// Names tried before giving up; a folder with that many files of one name needs a person.
    const MAX_NAMES: u32 = 10_000;
    let dir = path.parent().unwrap_or(Path::new(".")).join(folder);
    tokio::fs::create_dir_all(&dir).await?;
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    for number in 0..MAX_NAMES {
        let target = if number == 0 { dir.join(&name) } else { dir.join(format!("{number}-{name}")) };
        // A hard link fails when the name is taken, where a rename would replace; shares without links get the check alone.
        match tokio::fs::hard_link(path, &target).await {
            Ok(()) => {
                tokio::fs::remove_file(path).await?;
                return Ok(target);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(_) if !tokio::fs::try_exists(&target).await? => {
                tokio::fs::rename(path, &target).await?;
                return Ok(target);
            }
            Err(_) => {}
        }
    }
    Err(io::Error::new(io::ErrorKind::AlreadyExists, format!("too many files named `{name}` in `{}`", dir.display())))
}
