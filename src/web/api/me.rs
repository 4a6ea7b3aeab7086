//! `GET /api/v1/me`: who the caller is.

use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{domain::person::Role, web::auth::Signed};

/// The caller.
#[derive(Debug, Serialize, ToSchema)]
pub struct MeBody {
    /// Person id.
    pub id: String,
    /// Roles.
    #[schema(value_type = Vec<String>)]
    pub roles: Vec<Role>,
}

/// Tells who the caller is and what they may do.
#[utoipa::path(get, path = "/api/v1/me", tag = "people", responses((status = 200, body = MeBody)))]
pub async fn me(signed: Signed) -> Json<MeBody> {
    Json(MeBody { id: signed.actor.id.to_string(), roles: signed.actor.roles.iter().copied().collect() })
}
