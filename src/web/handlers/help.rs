//! HTTPS on a phone: the certificate and how to install it.

use axum::{
    extract::{Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

use super::frame;
use crate::web::{auth::session_user, pages::https_help::HttpsHelpPage, problem::ApiError, state::AppState};

/// `GET /https`; nobody needs to be signed in to get their phone ready.
pub async fn page(State(state): State<AppState>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let user = session_user(&parts, &state).await.ok().flatten();
    let page = HttpsHelpPage {
        shell: frame::shell(&state, &parts, user.as_ref()),
        addresses: vec![state.web.external_url.clone()],
        ca_fingerprint: state.web.local_ca.as_ref().map(|ca| ca.fingerprint.clone()),
        secure: state.web.is_secure,
    };
    frame::render(StatusCode::OK, &page)
}

/// `GET /https/ca.crt`: the certificate as phones take it.
pub async fn certificate(State(state): State<AppState>) -> Response {
    match &state.web.local_ca {
        Some(ca) => (
            [
                (header::CONTENT_TYPE, "application/x-x509-ca-cert"),
                (header::CONTENT_DISPOSITION, "attachment; filename=\"vouch-ca.crt\""),
            ],
            ca.der.clone(),
        )
            .into_response(),
        None => ApiError::not_found("certificate").into_response(),
    }
}
