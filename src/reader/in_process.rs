//! The role `parse` without its child: for fuzzing and for property tests. The service never reads a stranger's bytes this
//! way; nothing here is sandboxed.

use std::io;

use super::{
    checked::{Collector, Progress, Reading},
    child::NO_ENGINE,
    failure::ReadFailure,
    output::{Output, Stopped},
    parse::{self, Ended},
    protocol::{self, End, Kind, Request, Role, Rotation, read_frame, write_frame},
    sandbox::Posture,
};
use crate::domain::{
    capture::{Limits, Reason},
    media::MediaType,
};

/// What became of a document.
#[derive(Debug)]
pub enum Parsed {
    /// It was read.
    Read(Box<Reading>),
    /// The other role should read it.
    Handover(Role),
    /// It was refused with a reason.
    Refused(Reason),
}

/// Takes one document apart as a child does, and checks every frame as the parent does.
///
/// # Errors
/// A frame the parent would not have believed: a defect of the parser, whatever the document.
pub fn parse(media_type: MediaType, limits: Limits, document: &[u8]) -> Result<Parsed, ReadFailure> {
    match send(media_type, limits, document) {
        Ok((Ended::Pages(_), wire)) => check(&wire.0, limits),
        Ok((Ended::Handover(role), _)) => Ok(Parsed::Handover(role)),
        Err(Stopped::Failed(failed)) => Ok(Parsed::Refused(failed.reason)),
        Err(Stopped::Pipe(error)) => Err(ReadFailure::new(Reason::ProtocolViolation, error.to_string())),
    }
}

/// The frames a child would send of a document, as bytes; empty when it is refused. What [`check`] is exercised with.
pub fn frames(media_type: MediaType, limits: Limits, document: &[u8]) -> Vec<u8> {
    send(media_type, limits, document).map(|(_, wire)| wire.0).unwrap_or_default()
}

fn send(media_type: MediaType, limits: Limits, document: &[u8]) -> Result<(Ended, Wire), Stopped> {
    let request = Request {
        version: protocol::VERSION,
        media_type,
        limits,
        languages: Vec::new(),
        password: None,
        rotation: Rotation::None,
        region: None,
    };
    let mut wire = Wire(Vec::new());
    let ended = parse::read(&request, document, &mut wire)?;
    if let Ended::Pages(pages) = ended {
        wire.send(Kind::End, &End { engine: NO_ENGINE.to_owned(), pages }, &[])?;
    }
    Ok((ended, wire))
}

/// Reads frames as the parent reads them off the pipe of a child that may say anything.
///
/// # Errors
/// The first rule they break.
pub fn check(frames: &[u8], limits: Limits) -> Result<Parsed, ReadFailure> {
    let posture = Posture { resource_limits: true, seccomp: true, landlock_abi: 0, landlock_full: false };
    let mut collector = Collector::new(limits, NO_ENGINE.to_owned(), posture);
    let mut rest = frames;
    // Ends: each turn takes a frame off the slice.
    while let Some(frame) = read_frame(&mut rest, protocol::MAX_BODY_BYTES)? {
        match collector.take(frame)? {
            Progress::More => {}
            Progress::Complete => return Ok(Parsed::Read(Box::new(collector.finish()))),
            Progress::Handover(role) => return Ok(Parsed::Handover(role)),
        }
    }
    Err(ReadFailure::new(Reason::ProtocolViolation, "the frames end before the reading"))
}

/// Frames as they would be on the pipe.
struct Wire(Vec<u8>);

impl Output for Wire {
    fn send(&mut self, kind: Kind, header: &impl serde::Serialize, body: &[u8]) -> io::Result<()> {
        write_frame(&mut self.0, kind, header, body)
    }
}
