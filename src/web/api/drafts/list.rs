//! `GET /api/v1/drafts`: the review queue, or everything the caller sees.

use axum::{Json, extract::State};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    domain::{
        draft::DraftState,
        ids::{PersonId, UnitId, VisitId},
    },
    review,
    store::receipts::{Cursor, Filter},
    web::{
        api::{bodies::ReceiptBody, extract::Parameters},
        auth::Signed,
        problem::{ApiError, Problem},
        state::AppState,
    },
};

/// Receipts on a page unless the caller says otherwise.
const DEFAULT_LIMIT: u32 = 50;

/// What to list.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct ListParameters {
    /// `queue` (submitted, longest waiting first; the default for reviewers) or `all` (newest first).
    pub scope: Option<String>,
    /// Comma-separated states; only with `scope=all`.
    pub state: Option<String>,
    /// Only this person's.
    #[param(value_type = Option<String>)]
    pub owner_id: Option<PersonId>,
    /// Only people of this unit.
    #[param(value_type = Option<String>)]
    pub unit_id: Option<UnitId>,
    /// Only this category.
    pub category: Option<String>,
    /// Only this visit.
    #[param(value_type = Option<String>)]
    pub visit_id: Option<VisitId>,
    /// Text in merchant, invoice number or total.
    pub text: Option<String>,
    /// Continue after this cursor.
    pub after: Option<String>,
    /// 1 to 200.
    pub limit: Option<u32>,
}

/// One page of receipts.
#[derive(Debug, Serialize, ToSchema)]
pub struct DraftListBody {
    /// The receipts.
    pub receipts: Vec<ReceiptBody>,
    /// Cursor of the next page; `null` on the last.
    pub next: Option<String>,
}

impl ListParameters {
    /// As the store understands it.
    pub fn filter(&self) -> Result<Filter, ApiError> {
        let states = self
            .state
            .iter()
            .flat_map(|list| list.split(','))
            .filter(|word| !word.is_empty())
            .map(|word| word.parse::<DraftState>().map_err(|error| ApiError::bad_request(error.to_string())))
            .collect::<Result<_, _>>()?;
        Ok(Filter {
            owner: self.owner_id.clone(),
            units: self.unit_id.clone().map(|unit| vec![unit]),
            states,
            category_code: self.category.clone().filter(|c| !c.is_empty()),
            visit: self.visit_id.clone(),
            text: self.text.clone().filter(|t| !t.trim().is_empty()),
        })
    }

    /// The cursor to continue after.
    pub fn cursor(&self) -> Result<Option<Cursor>, ApiError> {
        self.after.as_deref().map(decode_cursor).transpose()
    }
}

/// Cursors are opaque to callers, so that their content may change.
pub fn encode_cursor(cursor: &Cursor) -> String {
    URL_SAFE_NO_PAD.encode(format!("{}:{}", cursor.at, cursor.id))
}

/// What [`encode_cursor`] made.
pub fn decode_cursor(text: &str) -> Result<Cursor, ApiError> {
    let parse = || {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let text = String::from_utf8(bytes).ok()?;
        let (at, id) = text.split_once(':')?;
        Some(Cursor { at: at.parse().ok()?, id: id.to_owned() })
    };
    parse().ok_or_else(|| ApiError::bad_request("`after` is no cursor of this list"))
}

/// Lists drafts: the reviewers' queue or all the caller sees.
#[utoipa::path(get, path = "/api/v1/drafts", operation_id = "list_drafts", tag = "drafts", params(ListParameters),
    responses((status = 200, body = DraftListBody), (status = 403, body = Problem)))]
pub async fn list(
    State(state): State<AppState>,
    signed: Signed,
    Parameters(parameters): Parameters<ListParameters>,
) -> Result<Json<DraftListBody>, ApiError> {
    let filter = parameters.filter()?;
    let after = parameters.cursor()?;
    let limit = parameters.limit.unwrap_or(DEFAULT_LIMIT);
    let default_scope = if signed.actor.sees_others() { "queue" } else { "all" };
    let listed = match parameters.scope.as_deref().unwrap_or(default_scope) {
        "queue" => review::list_queue(&state.app, &signed.actor, filter, after.as_ref(), limit).await?,
        "all" => review::list_mine(&state.app, &signed.actor, filter, after.as_ref(), limit).await?,
        other => return Err(ApiError::bad_request(format!("`scope` is `queue` or `all`, not `{other}`"))),
    };
    Ok(Json(DraftListBody {
        receipts: listed.receipts.iter().map(ReceiptBody::from).collect(),
        next: listed.next.as_ref().map(encode_cursor),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_survive_the_round_trip_and_rubbish_is_refused() {
        let cursor = Cursor { at: -5, id: "0192f0c1".to_owned() };
        assert_eq!(decode_cursor(&encode_cursor(&cursor)).unwrap(), cursor);
        assert!(decode_cursor("%%%").is_err());
    }
}
