//! Named places where a test ends the whole process without warning, as the memory killer or an operator's `kill -9`
//! would: `FAILPOINTS="u07=return" vouch serve`.
//!
//! They exist only where the crate `fail` has its feature `failpoints`, which the development dependencies switch on:
//! in test builds. In a release build every call is empty, and `FAILPOINTS` is not read
//! (`tests/it/kill_points.rs` checks how a release build would be resolved).

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, stream};

/// Whether this build has them.
pub const ARE_THERE: bool = fail::has_failpoints();

/// Every place and what has happened when it is reached. A test kills the real binary at each of them.
pub const ALL: &[(&str, &str)] = &[
    ("u01", "upload: the first bytes are in the spool file"),
    ("u02", "upload: more bytes are in the spool file, not all"),
    ("u03", "local object: written, not synced"),
    ("u04", "local object: synced, under its temporary name"),
    ("u05", "local object: linked, its directory not synced"),
    ("u06", "local object: durable"),
    ("u07", "upload: the transaction has begun"),
    ("u08", "upload: document and capture are inserted"),
    ("u09", "upload: the job is inserted"),
    ("u10", "upload: everything is inserted, not committed"),
    ("u11", "upload: committed"),
    ("u12", "upload: the spool file is still there, nothing is answered"),
    ("u13", "upload: half of the answer is given to the connection"),
    ("o01", "S3: nothing sent yet"),
    ("o04", "S3: the server has the object, it is not read back"),
    ("o05", "any store: the object is durable, the transaction has not begun"),
    ("o07", "S3: one part of several is sent"),
    ("o08", "S3: an upload in parts failed, its parts are still there"),
    ("w01", "worker: a job is claimed"),
    ("w02", "worker: the document is loaded"),
    ("w03", "worker: a reader child is ready"),
    ("w04", "worker: the child has the document"),
    ("w05", "worker: the result is there, nothing is stored"),
    ("w06", "worker: receipts are inserted, not committed"),
    ("w07", "worker: committed"),
    ("m01", "SMTP: a recipient is known, no content yet"),
    ("m02", "SMTP: content is being received"),
    ("m03", "SMTP: the message is complete, nothing is stored"),
    ("m04", "SMTP: stored and committed, nothing is answered"),
    ("m05", "SMTP: acknowledged, the client has not said goodbye"),
    ("i01", "IMAP: a message is fetched, nothing is stored"),
    ("i03", "IMAP: stored and committed, not marked in the mailbox"),
    ("i04", "IMAP: marked in the mailbox, how far it was read is not stored"),
    ("h01", "webhook: verified, nothing is stored"),
    ("h03", "webhook: stored and committed, nothing is answered"),
    ("c01", "confirmation: expense inserted, not committed"),
    ("a01", "journal: an entry is appended, not committed"),
    ("a02", "journal: a checkpoint is signed, not committed"),
];

/// Ends the process here when `FAILPOINTS` says so.
#[inline]
pub fn reached(name: &'static str) {
    debug_assert!(ALL.iter().any(|(known, _)| *known == name), "kill point `{name}` is not in the list");
    fail::fail_point!(name, |_| die());
}

/// Reads `FAILPOINTS`, once, at the start of the process.
pub fn arm() {
    if ARE_THERE && std::env::var_os("FAILPOINTS").is_some() {
        // For the rest of the process: dropping a scenario disarms it.
        std::mem::forget(fail::FailScenario::setup());
    }
}

/// Whether answers are to be given in two halves, for `u13`.
pub fn halves_answers() -> bool {
    ARE_THERE && std::env::var("FAILPOINTS").is_ok_and(|armed| armed.contains("u13"))
}

/// An answer that is given to the connection in two halves, the process ending at `u13` between them; test builds only.
pub fn in_two_halves(answer: Bytes) -> impl Stream<Item = Result<Bytes, std::io::Error>> {
    let middle = answer.len() / 2;
    let (first, second) = (answer.slice(..middle), answer.slice(middle..));
    stream::iter([Ok(first)]).chain(stream::once(async {
        // Lets the connection write the first half.
        tokio::task::yield_now().await;
        reached("u13");
        Ok(second)
    }))
}

#[allow(dead_code, reason = "a release build has no places where it is called")]
fn die() {
    use nix::{sys::signal, unistd::Pid};
    let _ = signal::kill(Pid::this(), signal::Signal::SIGKILL);
    // The signal is on its way; nothing more may happen on this thread.
    std::process::abort();
}
