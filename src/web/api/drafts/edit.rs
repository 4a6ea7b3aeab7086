//! `PATCH /api/v1/drafts/{id}`.

use std::collections::BTreeMap;

use axum::{Json, extract::State};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::{
    domain::{
        field::FieldKey,
        ids::{ReceiptId, VisitId},
        visit::VisitChoice,
    },
    review::{self, Edit},
    web::{
        api::{
            bodies::{DraftBody, present},
            extract::{JsonBody, PathId},
        },
        auth::Signed,
        problem::{ApiError, Problem},
        state::AppState,
    },
};

/// What to change; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EditBody {
    /// The revision the caller saw.
    pub revision: i64,
    /// New canonical values by field; `null` clears one.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub fields: BTreeMap<FieldKey, Option<String>>,
    /// The visit; `null` makes it undecided again.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    pub visit_id: Option<Option<VisitId>>,
    /// `true`: explicitly for no visit.
    #[serde(default)]
    pub no_visit: Option<bool>,
}

impl EditBody {
    fn visit(&self) -> Option<VisitChoice> {
        match (&self.visit_id, self.no_visit) {
            (Some(Some(id)), _) => Some(VisitChoice::Visit(id.clone())),
            (_, Some(true)) => Some(VisitChoice::NoVisit),
            (Some(None), _) | (None, Some(false)) => Some(VisitChoice::Undecided),
            (None, None) => None,
        }
    }
}

/// Corrects fields or the visit of a draft. What was proposed stays beside what was decided.
#[utoipa::path(patch, path = "/api/v1/drafts/{id}", operation_id = "edit_draft", tag = "drafts", params(("id" = String, Path)),
    request_body = EditBody,
    responses((status = 200, body = DraftBody), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn edit(
    State(state): State<AppState>,
    signed: Signed,
    PathId(id): PathId<ReceiptId>,
    JsonBody(body): JsonBody<EditBody>,
) -> Result<Json<DraftBody>, ApiError> {
    let visit = body.visit();
    let change = Edit { fields: body.fields, visit };
    review::edit(&state.app, &signed.actor, &id, body.revision, &change).await?;
    let view = review::view(&state.app, &signed.actor, &id).await?;
    Ok(Json(DraftBody::from(&view)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visit(json: &str) -> Option<VisitChoice> {
        serde_json::from_str::<EditBody>(json).unwrap().visit()
    }

    #[test]
    fn an_absent_visit_stays_and_null_takes_it_away() {
        assert_eq!(visit(r#"{"revision":1}"#), None);
        assert_eq!(visit(r#"{"revision":1,"visit_id":null}"#), Some(VisitChoice::Undecided));
        assert_eq!(visit(r#"{"revision":1,"no_visit":true}"#), Some(VisitChoice::NoVisit));
        assert_eq!(visit(r#"{"revision":1,"visit_id":null,"no_visit":true}"#), Some(VisitChoice::NoVisit));
    }
}
