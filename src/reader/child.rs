//! The life of one reader child: harden, load, close, greet, read one document, exit.

use std::{
    io::{self, Read as _, StdinLock, StdoutLock, Write as _},
    process::ExitCode,
};

use super::{
    fonts,
    ocr::{self, Engine, EngineSettings},
    output::{Output, Stopped},
    parse::{self, Ended},
    protocol::{
        self, CannotStart, End, Failed, Handover, Hello, Kind, MAX_DOCUMENT_BYTES, Request, Role, Warning, clean,
    },
    sandbox::{self, Ceilings, Posture},
    see,
};
use crate::domain::capture::Reason;

/// How a child is set up; every child of a pool alike.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChildSettings {
    /// Which engine, loaded how.
    pub engine: EngineSettings,
    /// What the child may use.
    pub ceilings: Ceilings,
}

/// `EX_UNAVAILABLE`: the child could not get ready and has said why.
pub const EXIT_CANNOT_START: u8 = 69;

/// Engine name of children that recognise nothing.
pub const NO_ENGINE: &str = "none";

/// Runs a child over stdin and stdout: the hidden command `vouch reader`.
pub fn run(role: Role, settings: &ChildSettings) -> ExitCode {
    let mut out = Pipe(io::stdout().lock());
    match prepare(role, settings) {
        Ok((engine, posture)) => serve(role, settings, engine, posture, &mut out),
        Err(detail) => {
            // If this cannot be written either, the exit code still tells.
            let _ = out.send(Kind::CannotStart, &CannotStart { detail: clean(&detail) }, &[]);
            ExitCode::from(EXIT_CANNOT_START)
        }
    }
}

/// Everything before the first hostile byte. Engines open all their files between the two steps of the sandbox.
pub(super) fn prepare(role: Role, settings: &ChildSettings) -> Result<(Option<Box<dyn Engine>>, Posture), String> {
    // A panic message may quote what was being parsed; the place alone is enough to find it.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let _ = writeln!(io::stderr(), "panicked at {place}");
    }));
    sandbox::harden(&settings.ceilings).map_err(|error| error.to_string())?;
    fonts::open();
    // The HEIC decoder works through rayon, whose pool would start a thread later: this thread is the pool. It fails
    // only where a pool exists already, in tests that run inside one process.
    let _ = rayon::ThreadPoolBuilder::new().num_threads(1).use_current_thread().build_global();
    let engine = match role {
        Role::Parse => None,
        Role::See => Some(ocr::load(&settings.engine).map_err(|error| error.to_string())?),
    };
    let posture = sandbox::close().map_err(|error| error.to_string())?;
    Ok((engine, posture))
}

fn serve(
    role: Role,
    settings: &ChildSettings,
    mut engine: Option<Box<dyn Engine>>,
    posture: Posture,
    out: &mut Pipe<'_>,
) -> ExitCode {
    let name = engine.as_ref().map_or_else(|| NO_ENGINE.to_owned(), |engine| engine.version());
    let hello = Hello { version: protocol::VERSION, role, engine: name.clone(), posture };
    if out.send(Kind::Hello, &hello, &[]).is_err() {
        return ExitCode::FAILURE;
    }
    let outcome = match receive(&mut io::stdin().lock()) {
        // The pool closed an idle child: the usual end.
        Ok(None) => return ExitCode::SUCCESS,
        Ok(Some((request, document))) => match engine.as_deref_mut() {
            Some(engine) => {
                warn_about_languages(&request, settings, out).and_then(|()| see::read(&request, document, engine, out))
            }
            None => match parse::read(&request, &document, out) {
                Ok(Ended::Pages(pages)) => Ok(pages),
                Ok(Ended::Handover(role)) => return finish(out.send(Kind::Handover, &Handover { role }, &[])),
                Err(stopped) => Err(stopped),
            },
        },
        Err(failed) => Err(Stopped::Failed(failed)),
    };
    let code = finish(match outcome {
        Ok(pages) => out.send(Kind::End, &End { engine: name, pages }, &[]),
        Err(Stopped::Failed(failed)) => out.send(Kind::Failed, &failed, &[]),
        Err(Stopped::Pipe(error)) => Err(error),
    });
    // Not forgotten to save the time: Tesseract complains on stderr about models still in use at exit.
    drop(engine);
    code
}

fn finish(sent: io::Result<()>) -> ExitCode {
    if sent.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn receive(input: &mut StdinLock<'_>) -> Result<Option<(Request, Vec<u8>)>, Failed> {
    let broken = |detail: String| Failed { reason: Reason::Undecodable, detail: clean(&detail) };
    let frame = protocol::read_frame(&mut input.by_ref(), MAX_DOCUMENT_BYTES).map_err(|e| broken(e.to_string()))?;
    let Some(frame) = frame else { return Ok(None) };
    let request: Request = frame.decode().map_err(|e| broken(e.to_string()))?;
    if frame.kind != Kind::Request || request.version != protocol::VERSION {
        return Err(broken("the request is of another version of Vouch; restart the service".into()));
    }
    Ok(Some((request, frame.body)))
}

fn warn_about_languages(request: &Request, settings: &ChildSettings, out: &mut Pipe<'_>) -> Result<(), Stopped> {
    let loaded = &settings.engine.languages;
    if request.languages.iter().any(|wished| !loaded.contains(wished)) {
        out.send(Kind::Warning, &Warning { code: "languages_unavailable".into(), page: None }, &[])?;
    }
    Ok(())
}

struct Pipe<'a>(StdoutLock<'a>);

impl Output for Pipe<'_> {
    fn send(&mut self, kind: Kind, header: &impl serde::Serialize, body: &[u8]) -> io::Result<()> {
        protocol::write_frame(&mut self.0, kind, header, body)
    }
}
