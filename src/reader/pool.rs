//! Keeps reader children ready, so that loading models costs no one any waiting, and gives each one document.

use std::{
    collections::VecDeque,
    path::PathBuf,
    sync::{Arc, Mutex, mpsc},
    thread,
};

use bytes::Bytes;
use tokio::sync::{Semaphore, oneshot};

use crate::{
    domain::{
        capture::{Limits, Reason},
        media::MediaType,
    },
    kill_points,
};

pub use super::checked::{Part, Preview, Reading};
use super::{
    child::ChildSettings,
    failure::ReadFailure,
    process::{Outcome, Patience, Process},
    protocol::{self, Hello, MAX_DOCUMENT_BYTES, Password, ReceiptRegion, Request, Role, Rotation},
};

/// How a pool works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolSettings {
    /// The `vouch` binary: `std::env::current_exe()` in production.
    pub program: PathBuf,
    /// How each child is set up.
    pub child: ChildSettings,
    /// Idle `see` children kept ready, each about 45 MB with Tesseract and one language.
    pub idle_see: usize,
    /// Idle `parse` children kept ready.
    pub idle_parse: usize,
    /// Documents read at the same time, over both roles.
    pub max_running: usize,
    /// Wall-clock limits.
    pub patience: Patience,
}

impl PoolSettings {
    /// One child ready and `max_running` documents at a time.
    pub fn new(program: PathBuf, child: ChildSettings, max_running: usize) -> Self {
        Self {
            program,
            child,
            idle_see: 1,
            idle_parse: 0,
            max_running: max_running.max(1),
            patience: Patience::default(),
        }
    }

    const fn idle(&self, role: Role) -> usize {
        match role {
            Role::Parse => self.idle_parse,
            Role::See => self.idle_see,
        }
    }
}

/// One document to read.
#[derive(Debug, Clone)]
pub struct ReadRequest {
    /// Which role reads first.
    pub role: Role,
    /// Told by the door from the content.
    pub media_type: MediaType,
    /// Enforced again in the child and on what it answers.
    pub limits: Limits,
    /// Languages wished for; empty means those the engine was loaded with.
    pub languages: Vec<String>,
    /// Password for encrypted documents.
    pub password: Option<Password>,
    /// Turn before recognition.
    pub rotation: Rotation,
    /// Recognise only this part of this page.
    pub region: Option<ReceiptRegion>,
    /// The bytes.
    pub document: Bytes,
}

impl ReadRequest {
    /// The usual request: the whole document, as it is, by the role its type belongs to.
    pub fn new(media_type: MediaType, limits: Limits, document: Bytes) -> Self {
        Self {
            role: Role::for_media(media_type),
            media_type,
            limits,
            languages: Vec::new(),
            password: None,
            rotation: Rotation::None,
            region: None,
            document,
        }
    }
}

/// The pool. Cheap to clone; children die when the last clone goes.
#[derive(Clone)]
pub struct ReaderPool {
    settings: Arc<PoolSettings>,
    idle: Arc<Idle>,
    running: Arc<Semaphore>,
    starter: mpsc::Sender<Order>,
}

#[derive(Default)]
struct Idle {
    parse: Mutex<VecDeque<Process>>,
    see: Mutex<VecDeque<Process>>,
}

impl Idle {
    fn of(&self, role: Role) -> &Mutex<VecDeque<Process>> {
        match role {
            Role::Parse => &self.parse,
            Role::See => &self.see,
        }
    }

    fn pop(&self, role: Role) -> Option<Process> {
        self.of(role).lock().ok()?.pop_front()
    }

    fn push(&self, role: Role, process: Process) {
        if let Ok(mut idle) = self.of(role).lock() {
            idle.push_back(process);
        }
    }

    fn len(&self, role: Role) -> usize {
        self.of(role).lock().map_or(0, |idle| idle.len())
    }
}

/// What the starting thread is asked for.
enum Order {
    /// A child for a document that waits.
    Now(Role, oneshot::Sender<std::io::Result<Process>>),
    /// Children up to the idle number.
    Refill(Role),
}

/// A role hands a document over at most this often: parse → see.
const MAX_HANDOVERS: usize = 2;

impl ReaderPool {
    /// Starts the idle children. Must be called within a tokio runtime, which must outlive the pool.
    pub fn start(settings: PoolSettings) -> Self {
        let settings = Arc::new(settings);
        let idle = Arc::new(Idle::default());
        let (starter, orders) = mpsc::channel();
        let runtime = tokio::runtime::Handle::current();
        let (thread_settings, thread_idle) = (Arc::clone(&settings), Arc::downgrade(&idle));
        // One thread starts all children and lives as long as the pool: the kernel kills a child when the thread
        // that started it ends, and runtime threads come and go.
        let thread = thread::Builder::new().name("reader-start".into()).spawn(move || {
            let _inside = runtime.enter();
            for order in orders {
                match order {
                    Order::Now(role, answer) => {
                        let _ = answer.send(Process::start(&thread_settings.program, role, &thread_settings.child));
                    }
                    Order::Refill(role) => {
                        let Some(idle) = thread_idle.upgrade() else { return };
                        refill(&thread_settings, &idle, role);
                    }
                }
            }
        });
        if let Err(error) = thread {
            // Without the thread every read answers with a typed failure, and that is where people will look.
            tracing::error!(%error, "The reader pool could not start its thread");
        }
        let running = Arc::new(Semaphore::new(settings.max_running));
        let pool = Self { settings, idle, running, starter };
        pool.refill(Role::Parse);
        pool.refill(Role::See);
        pool
    }

    /// Reads one document. Waits for its turn, then at most the pool's patience.
    pub async fn read(&self, request: ReadRequest) -> Result<Reading, ReadFailure> {
        if request.document.is_empty() {
            return Err(ReadFailure::new(Reason::Empty, "the document has no bytes"));
        }
        if request.document.len() > MAX_DOCUMENT_BYTES as usize {
            return Err(ReadFailure::new(Reason::TooLarge, "the document is larger than the reader takes"));
        }
        let closed = |_| ReadFailure::new(Reason::ReaderCrashed, "the reader pool is closed");
        let _turn = self.running.acquire().await.map_err(closed)?;
        let ReadRequest { mut role, media_type, limits, languages, password, rotation, region, document } = request;
        let version = protocol::VERSION;
        let request = Request { version, media_type, limits, languages, password, rotation, region };
        for _ in 0..MAX_HANDOVERS {
            let process = self.ready(role).await?;
            self.refill(role);
            kill_points::reached("w03");
            match process.read(role, &request, &document, self.settings.patience).await? {
                Outcome::Read(reading) => return Ok(reading),
                Outcome::Handover(other) => role = other,
            }
        }
        Err(ReadFailure::new(Reason::ProtocolViolation, "the readers hand the document back and forth"))
    }

    /// Makes sure a child of this role gets ready, and says what engine and sandbox it has. For `doctor`,
    /// `/readyz` and start-up; the child stays in the pool.
    pub async fn check(&self, role: Role) -> Result<Hello, ReadFailure> {
        let mut process = self.ready(role).await?;
        let hello = process.greet(role, self.settings.patience.start).await?.clone();
        if self.idle.len(role) < self.settings.idle(role) {
            self.idle.push(role, process);
        }
        Ok(hello)
    }

    /// Idle children of a role right now.
    pub fn idle(&self, role: Role) -> usize {
        self.idle.len(role)
    }

    /// A child that has greeted. An idle one may have died while it waited (an operator, the memory killer); that
    /// is no document's fault, so a fresh one takes its place.
    async fn ready(&self, role: Role) -> Result<Process, ReadFailure> {
        let patience = self.settings.patience.start;
        while let Some(mut process) = self.idle.pop(role) {
            let greeted = process.is_alive() && process.greet(role, patience).await.is_ok();
            if greeted {
                return Ok(process);
            }
        }
        let mut process = self.start_one(role).await?;
        process.greet(role, patience).await?;
        Ok(process)
    }

    async fn start_one(&self, role: Role) -> Result<Process, ReadFailure> {
        let failed =
            |what: &str| ReadFailure::new(Reason::ReaderCrashed, format!("no reader could be started: {what}"));
        let (answer, started) = oneshot::channel();
        self.starter.send(Order::Now(role, answer)).map_err(|_| failed("the starting thread is gone"))?;
        let started = started.await.map_err(|_| failed("the starting thread is gone"))?;
        started.map_err(|error| failed(&error.to_string()))
    }

    fn refill(&self, role: Role) {
        // A dead thread shows in `take`, where someone waits for the answer.
        let _ = self.starter.send(Order::Refill(role));
    }
}

fn refill(settings: &PoolSettings, idle: &Idle, role: Role) {
    for _ in idle.len(role)..settings.idle(role) {
        match Process::start(&settings.program, role, &settings.child) {
            Ok(process) => idle.push(role, process),
            Err(error) => {
                // The next read tries again itself and reports to its own capture.
                tracing::warn!(%error, role = %role, "No reader child could be kept ready");
                return;
            }
        }
    }
}
