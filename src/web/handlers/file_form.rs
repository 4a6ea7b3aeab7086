//! A form with one file: its form token checked, the file bounded.

use axum::{
    extract::{FromRequest as _, Multipart, Request, multipart::Field},
    http::StatusCode,
};

use super::frame::Frame;
use crate::{people, web::problem::ApiError};

/// The bytes of the form's `file`, at most `most` of them; one byte more is `413`.
pub async fn file(frame: &Frame, request: Request, most: usize) -> Result<Vec<u8>, ApiError> {
    let bad = |error: axum::extract::multipart::MultipartError| ApiError::bad_request(error.body_text());
    let mut form =
        Multipart::from_request(request, &()).await.map_err(|error| ApiError::bad_request(error.body_text()))?;
    let (mut is_checked, mut file) = (false, None);
    // Ends: the form ends; its size is bounded by the body limit.
    while let Some(field) = form.next_field().await.map_err(bad)? {
        match field.name() {
            Some("csrf") => {
                let token = field.text().await.map_err(bad)?;
                is_checked = people::is_csrf_token(&frame.user.session, &token);
            }
            Some("file") => file = Some(bounded(field, most).await?),
            _ => {}
        }
    }
    if !is_checked {
        return Err(ApiError::new(StatusCode::FORBIDDEN, "csrf", "the form is too old: reload the page and try again"));
    }
    file.ok_or_else(|| ApiError::bad_request("choose a CSV file"))
}

async fn bounded(mut field: Field<'_>, most: usize) -> Result<Vec<u8>, ApiError> {
    let mut bytes = Vec::new();
    while let Some(chunk) = field.chunk().await.map_err(|error| ApiError::bad_request(error.body_text()))? {
        if bytes.len() + chunk.len() > most {
            let detail = format!("the file has more than {} KiB: split it", most / 1024);
            return Err(ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}
