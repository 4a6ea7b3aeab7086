//! One child process as the service sees it: started bare, spoken to with deadlines, killed as a group.

use std::{path::Path, process::Stdio, time::Duration};

use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    process::{Child, ChildStderr, ChildStdin, ChildStdout, Command},
    task::JoinHandle,
};

use crate::{domain::capture::Reason, kill_points};

use super::{
    checked::{Collector, Progress, Reading},
    child::ChildSettings,
    failure::{ReadFailure, first_complaint, of_death},
    protocol::{
        self, CannotStart, Frame, Hello, Kind, MAX_BODY_BYTES, MAX_FRAMES, MAX_OUTPUT_BYTES, PREFIX_BYTES, Request,
        Role,
    },
};

/// Bytes of stderr that are kept; the rest is read and dropped.
const MAX_STDERR_BYTES: usize = 64 * 1024;
/// Bytes of stderr after which the child is cut off: its pipe closes and it dies writing.
const MAX_STDERR_FLOOD: u64 = 4 * 1024 * 1024;
/// How long a child that has said everything may take to exit.
const EXIT_PATIENCE: Duration = Duration::from_secs(5);

/// What came of sending a document to a child.
pub enum Outcome {
    /// It was read.
    Read(Reading),
    /// It belongs to the other role.
    Handover(Role),
}

/// How glibc 2.35 and later hands out memory in a child; others ignore it. Pictures of megabytes are touched once, in
/// pages of 4 KB with a fault for each (docs/adr/0015). Large pages help only buffers that lie in them whole:
/// so the heap grows by eight of them at a time, and buffers up to 32 MiB (the most glibc allows) come from it, are
/// given back to it, and serve again.
const TUNABLES: &str = "glibc.malloc.hugetlb=1:glibc.malloc.top_pad=16777216:glibc.malloc.mmap_threshold=33554432:\
                        glibc.malloc.trim_threshold=268435456";

/// A started child that has not been given a document yet.
pub struct Process {
    child: Group,
    stdin: ChildStdin,
    stdout: Counted,
    stderr: JoinHandle<String>,
    hello: Option<Hello>,
}

impl Process {
    /// Starts a child. Must be called within a tokio runtime and from a thread that outlives the child, because
    /// the kernel kills a child when the thread that started it ends (`PR_SET_PDEATHSIG`).
    pub fn start(program: &Path, role: Role, settings: &ChildSettings) -> std::io::Result<Self> {
        let mut command = Command::new(program);
        command
            .args(arguments(role, settings))
            .env_clear()
            // Measured: OpenMP's default threads triple Tesseract's time on a busy machine.
            .env("OMP_THREAD_LIMIT", "1")
            .env("RAYON_NUM_THREADS", "1")
            .env("RTEN_NUM_THREADS", "1")
            // Each further arena reserves 64 MB of the address space limit.
            .env("MALLOC_ARENA_MAX", "1")
            .env("GLIBC_TUNABLES", TUNABLES)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true);
        if let Some(place) = std::env::var_os("TESSDATA_PREFIX") {
            command.env("TESSDATA_PREFIX", place);
        }
        let mut child = command.spawn()?;
        let missing = || std::io::Error::from(std::io::ErrorKind::BrokenPipe);
        let stdin = child.stdin.take().ok_or_else(missing)?;
        let stdout = child.stdout.take().ok_or_else(missing)?;
        let stderr = child.stderr.take().ok_or_else(missing)?;
        Ok(Self {
            child: Group(child),
            stdin,
            stdout: Counted { pipe: stdout, bytes: 0, frames: 0 },
            stderr: tokio::spawn(collect_stderr(stderr)),
            hello: None,
        })
    }

    /// Whether the child is still there.
    pub fn is_alive(&mut self) -> bool {
        matches!(self.child.0.try_wait(), Ok(None))
    }

    /// Waits for the greeting. Cancel-safe only in the sense that a cancelled child must be thrown away.
    pub async fn greet(&mut self, role: Role, patience: Duration) -> Result<&Hello, ReadFailure> {
        if self.hello.is_none() {
            let hello = match tokio::time::timeout(patience, self.receive_hello(role)).await {
                Ok(hello) => hello?,
                Err(_) => return Err(ReadFailure::new(Reason::ReaderTimeout, "the reader did not get ready in time")),
            };
            self.hello = Some(hello);
        }
        self.hello.as_ref().ok_or_else(|| ReadFailure::new(Reason::ReaderCrashed, "the reader has not greeted"))
    }

    async fn receive_hello(&mut self, role: Role) -> Result<Hello, ReadFailure> {
        let Some(frame) = self.stdout.next().await? else {
            return Err(self.died().await);
        };
        match frame.kind {
            Kind::Hello => {
                let hello: Hello = frame.decode()?;
                let clean = protocol::is_clean(&hello.engine) && hello.engine.len() <= protocol::MAX_NAME_CHARS;
                if hello.version != protocol::VERSION || hello.role != role || !clean {
                    return Err(ReadFailure::new(Reason::ProtocolViolation, "the reader greets as something else"));
                }
                Ok(hello)
            }
            Kind::CannotStart => {
                let said: CannotStart = frame.decode()?;
                Err(ReadFailure::new(Reason::RecognitionFailed, format!("the reader cannot start: {}", said.detail)))
            }
            Kind::Request
            | Kind::Page
            | Kind::Preview
            | Kind::Thumbnail
            | Kind::Receipt
            | Kind::Part
            | Kind::Code
            | Kind::Value
            | Kind::Warning
            | Kind::Handover
            | Kind::Failed
            | Kind::End => Err(ReadFailure::new(Reason::ProtocolViolation, "the reader speaks before greeting")),
        }
    }

    /// Sends the document and collects the answer; the child is gone afterwards, whatever happened.
    pub async fn read(
        mut self,
        role: Role,
        request: &Request,
        document: &[u8],
        patience: Patience,
    ) -> Result<Outcome, ReadFailure> {
        let hello = self.greet(role, patience.start).await?.clone();
        match tokio::time::timeout(patience.read, self.converse(hello, request, document)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(ReadFailure::new(
                Reason::ReaderTimeout,
                format!("the reader took longer than {} s", patience.read.as_secs()),
            )),
        }
        // Dropping `self` kills the group.
    }

    async fn converse(&mut self, hello: Hello, request: &Request, document: &[u8]) -> Result<Outcome, ReadFailure> {
        let head = protocol::encode_head(Kind::Request, request, document.len())
            .map_err(|error| ReadFailure::new(Reason::TooLarge, error.to_string()))?;
        let mut collector = Collector::new(request.limits, hello.engine, hello.posture);
        let received = exchange(&mut self.stdin, &mut self.stdout, &head, document, &mut collector).await?;
        let outcome = match received {
            Some(Progress::Handover(role)) => Outcome::Handover(role),
            Some(Progress::Complete) => Outcome::Read(collector.finish()),
            Some(Progress::More) | None => return Err(self.died().await),
        };
        self.leave_taking().await?;
        Ok(outcome)
    }

    /// After the last frame: nothing more on stdout, a clean exit, no complaint on stderr.
    async fn leave_taking(&mut self) -> Result<(), ReadFailure> {
        if self.stdout.next().await?.is_some() {
            return Err(ReadFailure::new(Reason::ProtocolViolation, "the reader went on after its end"));
        }
        let status = match tokio::time::timeout(EXIT_PATIENCE, self.child.0.wait()).await {
            Ok(Ok(status)) => status,
            Ok(Err(error)) => return Err(ReadFailure::new(Reason::ReaderCrashed, error.to_string())),
            Err(_) => return Err(ReadFailure::new(Reason::ReaderTimeout, "the reader did not exit")),
        };
        let stderr = self.stderr_text().await;
        if !status.success() {
            return Err(of_death(status, &stderr));
        }
        match first_complaint(&stderr) {
            Some(line) => Err(ReadFailure::new(Reason::RecognitionFailed, line)),
            None => Ok(()),
        }
    }

    async fn died(&mut self) -> ReadFailure {
        match tokio::time::timeout(EXIT_PATIENCE, self.child.0.wait()).await {
            Ok(Ok(status)) => of_death(status, &self.stderr_text().await),
            Ok(Err(error)) => ReadFailure::new(Reason::ReaderCrashed, error.to_string()),
            Err(_) => ReadFailure::new(Reason::ReaderTimeout, "the reader closed its output and stayed"),
        }
    }

    async fn stderr_text(&mut self) -> String {
        // A grandchild could hold the pipe open; there are none, but waiting needs an end.
        match tokio::time::timeout(EXIT_PATIENCE, &mut self.stderr).await {
            Ok(Ok(text)) => text,
            Ok(Err(_)) | Err(_) => String::new(),
        }
    }
}

/// Sends and receives at the same time, until the answer is complete, wrong or cut off (`None`). Not one after the
/// other and not `join`: a child that talks nonsense without listening must not hold the request until the watchdog.
async fn exchange(
    stdin: &mut ChildStdin,
    stdout: &mut Counted,
    head: &[u8],
    document: &[u8],
    collector: &mut Collector,
) -> Result<Option<Progress>, ReadFailure> {
    let send = async {
        // A child may refuse by the header and exit before it has read everything: what it said counts.
        if stdin.write_all(head).await.is_ok() && stdin.write_all(document).await.is_ok() {
            let _ = stdin.flush().await;
        }
    };
    let receive = async {
        loop {
            match stdout.next().await? {
                None => return Ok(None),
                Some(frame) => match collector.take(frame)? {
                    Progress::More => {}
                    done @ (Progress::Complete | Progress::Handover(_)) => return Ok(Some(done)),
                },
            }
        }
    };
    tokio::pin!(send, receive);
    let mut sent = false;
    loop {
        tokio::select! {
            received = &mut receive => return received,
            () = &mut send, if !sent => {
                kill_points::reached("w04");
                sent = true;
            }
        }
    }
}

/// How long the service waits for a child.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// From start to greeting.
    pub start: Duration,
    /// From request to end. Processor limits do not count a child that sleeps or is stopped; this does.
    pub read: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { start: Duration::from_secs(30), read: Duration::from_secs(90) }
    }
}

fn arguments(role: Role, settings: &ChildSettings) -> Vec<std::ffi::OsString> {
    let ChildSettings { engine, ceilings } = settings;
    let mut arguments: Vec<std::ffi::OsString> = vec!["reader".into()];
    for (name, value) in [
        ("--role", role.to_string()),
        ("--engine", engine.kind.to_string()),
        ("--languages", engine.languages.join("+")),
        ("--max-side", engine.max_side.to_string()),
        ("--page-deadline-ms", engine.page_deadline_ms.to_string()),
        ("--memory-bytes", ceilings.memory_bytes.to_string()),
        ("--cpu-seconds", ceilings.cpu_seconds.to_string()),
    ] {
        arguments.push(name.into());
        arguments.push(value.into());
    }
    if let Some(models) = &engine.models {
        arguments.push("--models".into());
        arguments.push(models.into());
    }
    arguments
}

/// Stdout with its limits.
struct Counted {
    pipe: ChildStdout,
    bytes: u64,
    frames: u32,
}

impl Counted {
    /// The next frame; `None` at a clean end.
    async fn next(&mut self) -> Result<Option<Frame>, ReadFailure> {
        let broken = |error: std::io::Error| ReadFailure::new(Reason::ProtocolViolation, error.to_string());
        let mut prefix = [0; PREFIX_BYTES];
        let first = self.pipe.read(&mut prefix[..1]).await.map_err(broken)?;
        if first == 0 {
            return Ok(None);
        }
        if !self.fill(&mut prefix[1..]).await? {
            return Ok(None);
        }
        let (kind, header_length, body_length) = protocol::decode_prefix(prefix, MAX_BODY_BYTES)?;
        self.bytes += PREFIX_BYTES as u64 + u64::from(header_length) + u64::from(body_length);
        self.frames += 1;
        if self.bytes > MAX_OUTPUT_BYTES || self.frames > MAX_FRAMES {
            return Err(ReadFailure::new(Reason::ProtocolViolation, "the reader writes without end"));
        }
        let mut header = Vec::new();
        let mut body = Vec::new();
        let whole = self.take(&mut header, header_length).await? && self.take(&mut body, body_length).await?;
        Ok(whole.then_some(Frame { kind, header, body }))
    }

    /// Whether the pipe had that many bytes; a child that dies inside a frame is judged by how it died.
    async fn fill(&mut self, buffer: &mut [u8]) -> Result<bool, ReadFailure> {
        match self.pipe.read_exact(buffer).await {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Ok(false),
            Err(error) => Err(ReadFailure::new(Reason::ProtocolViolation, error.to_string())),
        }
    }

    /// Takes memory as bytes arrive, not as they are announced.
    async fn take(&mut self, buffer: &mut Vec<u8>, length: u32) -> Result<bool, ReadFailure> {
        let taken = (&mut self.pipe).take(u64::from(length)).read_to_end(buffer).await;
        let taken = taken.map_err(|error| ReadFailure::new(Reason::ProtocolViolation, error.to_string()))?;
        Ok(taken == length as usize)
    }
}

async fn collect_stderr(mut pipe: ChildStderr) -> String {
    let mut kept = Vec::new();
    let mut total: u64 = 0;
    let mut buffer = [0; 4096];
    while total < MAX_STDERR_FLOOD {
        let Ok(count @ 1..) = pipe.read(&mut buffer).await else { break };
        total += count as u64;
        let room = MAX_STDERR_BYTES.saturating_sub(kept.len());
        kept.extend_from_slice(&buffer[..count.min(room)]);
    }
    String::from_utf8_lossy(&kept).into_owned()
}

/// A child that leads its own process group; the whole group dies with the value.
struct Group(Child);

impl Drop for Group {
    fn drop(&mut self) {
        // `id` is `None` once the child has been waited for, so a reused number is never signalled.
        if let Some(id) = self.0.id().and_then(|id| i32::try_from(id).ok()) {
            let _ = killpg(Pid::from_raw(id), Signal::SIGKILL);
        }
    }
}
