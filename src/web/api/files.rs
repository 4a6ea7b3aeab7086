//! The pictures and original bytes of a draft.

use axum::{
    body::Body,
    extract::{Path, State},
    http::{HeaderName, HeaderValue, header},
    response::{IntoResponse, Response},
};

use crate::{
    domain::ids::{CaptureId, DocumentId, ReceiptId},
    objects::ObjectKey,
    review,
    store::{captures, documents},
    web::{
        api::extract::PathId,
        auth::{Signed, encode},
        problem::{ApiError, Problem},
        state::AppState,
    },
};

/// The preview of a page: our own pixels, no metadata. It never changes under its address.
#[utoipa::path(get, path = "/api/v1/drafts/{id}/pages/{page}/preview", operation_id = "draft_preview", tag = "drafts",
    params(("id" = String, Path), ("page" = i64, Path, description = "0-based")),
    responses((status = 200, content_type = "image/jpeg"), (status = 404, body = Problem)))]
pub async fn preview(
    State(state): State<AppState>,
    signed: Signed,
    Path((id, page)): Path<(ReceiptId, i64)>,
) -> Result<Response, ApiError> {
    let found = review::page_picture(&state.app, &signed.actor, &id, Some(page)).await?;
    let found = found.ok_or_else(|| ApiError::not_found("page"))?;
    picture(&state, &found.object_key).await
}

/// A small picture of the top of the draft's first page, for lists; the preview where there is no small one.
#[utoipa::path(get, path = "/api/v1/drafts/{id}/thumbnail", operation_id = "draft_thumbnail", tag = "drafts",
    params(("id" = String, Path)),
    responses((status = 200, content_type = "image/jpeg"), (status = 404, body = Problem)))]
pub async fn thumbnail(
    State(state): State<AppState>,
    signed: Signed,
    PathId(id): PathId<ReceiptId>,
) -> Result<Response, ApiError> {
    let found = review::page_picture(&state.app, &signed.actor, &id, None).await?;
    let found = found.ok_or_else(|| ApiError::not_found("page"))?;
    picture(&state, found.thumbnail_key.as_ref().unwrap_or(&found.object_key)).await
}

/// Streams one of our own JPEGs.
async fn picture(state: &AppState, key: &str) -> Result<Response, ApiError> {
    let key: ObjectKey = key.parse().map_err(|_| ApiError::not_found("page"))?;
    let body = state.app.objects.get(&key).await?;
    Ok((
        [
            (header::CONTENT_TYPE, HeaderValue::from_static("image/jpeg")),
            (header::CONTENT_LENGTH, HeaderValue::from(body.size())),
            // Private: it shows somebody's purchase. A new reading makes a new address only with a new page load, so keep it short.
            (header::CACHE_CONTROL, HeaderValue::from_static("private, max-age=300")),
        ],
        Body::from_stream(body.into_stream()),
    )
        .into_response())
}

/// The original bytes of the leading document, as an attachment: never shown inline, whatever they are.
#[utoipa::path(get, path = "/api/v1/drafts/{id}/original", operation_id = "draft_original", tag = "drafts", params(("id" = String, Path)),
    responses((status = 200, content_type = "application/octet-stream"), (status = 404, body = Problem)))]
pub async fn original(
    State(state): State<AppState>,
    signed: Signed,
    PathId(id): PathId<ReceiptId>,
) -> Result<Response, ApiError> {
    let view = review::view(&state.app, &signed.actor, &id).await?;
    let document = view.leading_document().ok_or_else(|| ApiError::not_found("document"))?;
    attachment(&state, &view.capture.id, document).await
}

/// The original bytes of one of the draft's documents, as an attachment.
#[utoipa::path(get, path = "/api/v1/drafts/{id}/documents/{number}/original", operation_id = "draft_document_original",
    tag = "drafts", params(("id" = String, Path), ("number" = usize, Path, description = "0-based place among the draft's documents")),
    responses((status = 200, content_type = "application/octet-stream"), (status = 404, body = Problem)))]
pub async fn document_original(
    State(state): State<AppState>,
    signed: Signed,
    Path((id, number)): Path<(ReceiptId, usize)>,
) -> Result<Response, ApiError> {
    let view = review::view(&state.app, &signed.actor, &id).await?;
    let document = view.made_of.get(number).ok_or_else(|| ApiError::not_found("document"))?;
    attachment(&state, &view.capture.id, &document.id).await
}

/// Streams a document's bytes as an attachment.
pub async fn attachment(state: &AppState, capture: &CaptureId, id: &DocumentId) -> Result<Response, ApiError> {
    let mut tx = state.app.db.read().await?;
    let document = documents::find(&mut tx, id).await?.ok_or_else(|| ApiError::not_found("document"))?;
    let name = captures::file_name(&mut tx, capture, id).await?;
    drop(tx);
    if document.erased_at.is_some() {
        return Err(ApiError::not_found("document"));
    }
    let key: ObjectKey = document.object_key.parse().map_err(|_| ApiError::not_found("document"))?;
    let body = state.app.objects.get(&key).await?;
    let fallback = format!("receipt.{}", document.media_type.extension());
    let disposition = content_disposition(name.as_deref().unwrap_or(&fallback), &fallback);
    Ok((
        [
            (header::CONTENT_TYPE, HeaderValue::from_static(document.media_type.as_str())),
            (header::CONTENT_LENGTH, HeaderValue::from(body.size())),
            (header::CONTENT_DISPOSITION, disposition),
            (header::CACHE_CONTROL, HeaderValue::from_static("private, no-store")),
            (
                HeaderName::from_static("content-security-policy"),
                HeaderValue::from_static("sandbox; default-src 'none'"),
            ),
        ],
        Body::from_stream(body.into_stream()),
    )
        .into_response())
}

/// RFC 6266: an ASCII name for old clients and the real one percent-encoded. Control characters, quotes and path
/// separators never get through.
fn content_disposition(name: &str, fallback: &str) -> HeaderValue {
    let clean: String =
        name.chars().filter(|c| !c.is_control() && !matches!(c, '/' | '\\' | '"' | '\u{202A}'..='\u{202E}')).collect();
    let clean = clean.trim_matches(['.', ' ']);
    let clean = if clean.is_empty() { fallback } else { clean };
    let encoded = encode(clean).replace('/', "%2F");
    HeaderValue::from_str(&format!("attachment; filename=\"{fallback}\"; filename*=UTF-8''{encoded}"))
        .unwrap_or_else(|_| HeaderValue::from_static("attachment"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_file_names_cannot_break_out_of_the_header() {
        for name in ["../../etc/x", "a\"; filename=b.exe", "x\r\nSet-Cookie: a=b", "\u{202E}gpj.exe", "..", "小票.jpg"]
        {
            let value = content_disposition(name, "receipt.jpg");
            let text = value.to_str().unwrap();
            assert!(text.starts_with("attachment; filename=\"receipt.jpg\"; filename*=UTF-8''"), "{text}");
            assert!(!text.contains(['\r', '\n']) && text.matches('"').count() == 2, "{text}");
        }
        assert!(content_disposition("小票.jpg", "r.jpg").to_str().unwrap().ends_with("%E5%B0%8F%E7%A5%A8.jpg"));
    }
}
