//! `vouch openapi`: the OpenAPI document, as served under `/api/v1/openapi.json`.

use std::process::ExitCode;

/// Prints the document.
pub fn run() -> anyhow::Result<ExitCode> {
    println!("{}", crate::web::openapi_json()?);
    Ok(ExitCode::SUCCESS)
}
