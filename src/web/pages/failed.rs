//! Failed captures and dead jobs, for admins.

use askama::Template;

use super::shell::Shell;
use crate::domain::{
    capture::{CaptureState, Reason},
    ids::{CaptureId, JobId},
    time::Timestamp,
};

/// `GET /admin/failed?captures=&jobs=`. Retrying posts `csrf` to `/captures/{id}/retry` or `/admin/jobs/{id}/retry`.
#[derive(Debug, Clone, Template)]
#[template(path = "failed.html")]
pub struct FailedPage {
    /// The frame.
    pub shell: Shell,
    /// Captures that could not be read, newest first.
    pub captures: Vec<FailedCapture>,
    /// Jobs whose attempts are used up, newest first.
    pub jobs: Vec<DeadJob>,
    /// Address of the next page of captures.
    pub more_captures: Option<String>,
    /// Address of the next page of jobs.
    pub more_jobs: Option<String>,
}

/// A capture that could not be read.
#[derive(Debug, Clone)]
pub struct FailedCapture {
    /// The capture.
    pub id: CaptureId,
    /// Failed, quarantined or waiting for a password.
    pub state: CaptureState,
    /// Why.
    pub reason: Option<Reason>,
    /// Whose it is.
    pub owner: String,
    /// Name of the first file.
    pub file_name: Option<String>,
    /// When it came in.
    pub captured_at: Timestamp,
}

/// A job that was given up.
#[derive(Debug, Clone)]
pub struct DeadJob {
    /// The job.
    pub id: JobId,
    /// What it was to do, e.g. `read_capture`.
    pub kind: String,
    /// Attempts made.
    pub attempts: i64,
    /// The last error.
    pub error: String,
    /// When it was given up.
    pub died_at: Timestamp,
}
