//! A real IMAP server on a port of its own.

use std::{
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use vouch::capture::mail::imap::{Account, Transport};

const PATIENCE: Duration = Duration::from_secs(60);

/// With what a careless client would send as syntax.
const PASSWORD: &str = "secret \"quoted\" \\";

/// A running dovecot, ended when dropped.
pub struct Dovecot {
    child: Child,
    dir: tempfile::TempDir,
    pub port: u16,
}

impl Drop for Dovecot {
    fn drop(&mut self) {
        let pid = nix::unistd::Pid::from_raw(i32::try_from(self.child.id()).unwrap());
        let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM);
        let _ = self.child.wait();
    }
}

impl Dovecot {
    /// Starts one with an empty mailbox of `anna`; `None`, and a word, when it is not installed.
    pub fn start() -> Option<Self> {
        let program =
            ["/usr/sbin/dovecot", "/usr/local/sbin/dovecot"].map(PathBuf::from).into_iter().find(|p| p.is_file());
        let Some(program) = program else {
            let is_required = std::env::var("VOUCH_TEST_REQUIRE_ALL").is_ok_and(|v| v == "1");
            assert!(!is_required, "dovecot is not installed, and all peers are required");
            eprintln!("skipped: dovecot is not installed; scripts/install-deps.sh test installs it");
            return None;
        };
        let dir = tempfile::Builder::new().prefix("dovecot-").tempdir_in("/tmp").unwrap();
        // Dovecot's own processes may run as another user than the one that made the directory.
        std::fs::set_permissions(dir.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        for part in ["mail", "mail/cur", "mail/new", "mail/tmp", "home"] {
            let part = dir.path().join(part);
            std::fs::create_dir_all(&part).unwrap();
            std::fs::set_permissions(&part, std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
        }
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let config = dir.path().join("dovecot.conf");
        std::fs::write(&config, configuration(dir.path(), port)).unwrap();
        std::fs::write(dir.path().join("users"), format!("anna:{{PLAIN}}{PASSWORD}\n")).unwrap();
        let child = Command::new(program)
            .args(["-F", "-c"])
            .arg(&config)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("dovecot starts");
        let started = Self { child, dir, port };
        let until = Instant::now() + PATIENCE;
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < until, "dovecot listens: {}", started.log());
            std::thread::yield_now();
        }
        Some(started)
    }

    /// The account of `anna`.
    pub fn account(&self, owner: Option<&str>) -> Account {
        Account {
            name: "test".to_owned(),
            host: "127.0.0.1".to_owned(),
            port: self.port,
            transport: Transport::Plain,
            user: "anna".to_owned(),
            password: PASSWORD.to_owned(),
            mailbox: "INBOX".to_owned(),
            owner: owner.map(str::to_owned),
            is_handed_in: false,
            move_to: None,
            ca_file: None,
            every: Duration::from_secs(60),
        }
    }

    fn maildir(&self) -> PathBuf {
        self.dir.path().join("mail")
    }

    /// Puts a message into the mailbox, as another server would.
    pub fn deliver(&self, name: &str, raw: &str) {
        std::fs::write(self.maildir().join("new").join(name), raw).unwrap();
    }

    /// Puts a message there that somebody has read.
    pub fn deliver_read(&self, name: &str, raw: &str) {
        std::fs::write(self.maildir().join("cur").join(format!("{name}:2,S")), raw).unwrap();
    }

    /// Forgets all UIDs and UIDVALIDITY, as after a server was restored.
    pub fn forget_uids(&self, validity: u32) {
        for entry in std::fs::read_dir(self.maildir()).unwrap().flatten() {
            if entry.file_name().to_string_lossy().starts_with("dovecot") {
                std::fs::remove_file(entry.path()).ok();
            }
        }
        // Version, UIDVALIDITY, next UID: the UIDs begin again.
        let list = self.maildir().join("dovecot-uidlist");
        std::fs::write(&list, format!("3 V{validity} N1\n")).unwrap();
        std::fs::set_permissions(&list, std::os::unix::fs::PermissionsExt::from_mode(0o666)).unwrap();
    }

    /// Message files whose flags contain `flag`.
    pub fn flagged(&self, flag: char) -> usize {
        let Ok(entries) = std::fs::read_dir(self.maildir().join("cur")) else { return 0 };
        entries
            .flatten()
            .filter(|entry| {
                let name = entry.file_name().to_string_lossy().into_owned();
                name.split_once(":2,").is_some_and(|(_, flags)| flags.contains(flag))
            })
            .count()
    }

    /// Messages in another folder.
    pub fn count_in(&self, folder: &str) -> usize {
        ["cur", "new"]
            .iter()
            .filter_map(|part| std::fs::read_dir(self.maildir().join(format!(".{folder}")).join(part)).ok())
            .map(|entries| entries.flatten().count())
            .sum()
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
    }
}

fn configuration(dir: &Path, port: u16) -> String {
    let dir = dir.display();
    let me = nix::unistd::User::from_uid(nix::unistd::getuid()).unwrap().expect("a user name");
    // As root the package's own accounts serve, and mail is nobody's; else everything is ours.
    let (accounts, uid, gid) = if me.uid.is_root() {
        (String::new(), 65_534, 65_534)
    } else {
        let group = nix::unistd::Group::from_gid(me.gid).unwrap().expect("a group").name;
        let name = me.name;
        let accounts =
            format!("default_internal_user = {name}\ndefault_internal_group = {group}\ndefault_login_user = {name}\n");
        (accounts, me.uid.as_raw(), me.gid.as_raw())
    };
    format!(
        r"
base_dir = {dir}/run
state_dir = {dir}/state
log_path = {dir}/log
imap_id_log = *
protocols = imap
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
{accounts}mail_location = maildir:{dir}/mail
mail_uid = {uid}
mail_gid = {gid}
first_valid_uid = 0
first_valid_gid = 0
passdb {{
  driver = passwd-file
  args = {dir}/users
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={dir}/home
}}
namespace inbox {{
  inbox = yes
  separator = /
  mailbox Done {{
    auto = create
  }}
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
"
    )
}
