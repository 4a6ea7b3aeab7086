//! The capture page, and handing in without scripts.

use axum::{
    extract::{FromRequest as _, FromRequestParts as _, Multipart, Request, State},
    response::{IntoResponse, Redirect, Response},
};
use futures_util::TryStreamExt as _;

use super::{frame::Frame, names};
use crate::{
    capture::{self, Handover},
    domain::{capture::Channel, person::Role, visit::VisitChoice},
    people,
    web::{
        pages::{capture::CapturePage, shell::Choice},
        problem::ApiError,
        state::AppState,
    },
};

/// `GET /capture`.
pub async fn page(State(state): State<AppState>, frame: Frame) -> Response {
    match fill(&state, &frame).await {
        Ok(page) => frame.render(&page),
        Err(error) => frame.fail(error).await,
    }
}

async fn fill(state: &AppState, frame: &Frame) -> Result<CapturePage, ApiError> {
    let mut tx = state.app.db.read().await?;
    let actor = frame.actor();
    let visits = names::visit_options(&mut tx, &actor.id, &frame.shell.zone).await?;
    let categories = names::category_choices(&mut tx, frame.shell.lang).await?;
    let may_act_for_others = actor.is(Role::Reviewer) || actor.is(Role::Admin);
    let on_behalf_of: Vec<Choice> = if may_act_for_others {
        names::people_choices(&mut tx).await?.into_iter().filter(|c| c.value != actor.id.as_str()).collect()
    } else {
        Vec::new()
    };
    Ok(CapturePage {
        shell: frame.shell.clone(),
        visits,
        visit: String::new(),
        categories,
        on_behalf_of,
        secure: state.web.is_secure || state.web.external_url.starts_with("http://localhost"),
        max_megabytes: state.app.limits.max_bytes / (1024 * 1024),
        max_files: state.app.limits.max_files,
    })
}

/// `POST /capture`: the form without scripts. Files are spooled as they come; fields may stand before or after them.
pub async fn hand_in(State(state): State<AppState>, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    let frame = match Frame::from_request_parts(&mut parts, &state).await {
        Ok(frame) => frame,
        Err(response) => return response,
    };
    match take(&state, &frame, Request::from_parts(parts, body)).await {
        Ok(()) => Redirect::to("/receipts").into_response(),
        Err(error) => frame.fail(error).await,
    }
}

async fn take(state: &AppState, frame: &Frame, request: Request) -> Result<(), ApiError> {
    let mut form =
        Multipart::from_request(request, &()).await.map_err(|error| ApiError::bad_request(error.body_text()))?;
    let mut handover = Handover {
        owner: frame.actor().id.clone(),
        channel: Channel::Page,
        client_id: None,
        captured_at: None,
        place: None,
        note: None,
        visit: VisitChoice::Undecided,
        file_name: None,
    };
    let (mut is_checked, mut files) = (false, Vec::new());
    // Ends: the form ends, or the limit of files is passed; other fields are bounded by the body limit.
    while let Some(field) = form.next_field().await.map_err(|error| ApiError::bad_request(error.body_text()))? {
        if let Some(name) = field.file_name().map(str::to_owned) {
            if name.is_empty() {
                continue;
            }
            if files.len() >= state.app.limits.max_files as usize {
                return Err(ApiError::unprocessable("too_many_files", "send the other files in another form"));
            }
            let body = Box::pin(field.map_err(std::io::Error::other));
            files.push((name, capture::spool(&state.app.spool, &state.app.limits, body).await?));
            continue;
        }
        let name = field.name().unwrap_or_default().to_owned();
        let value = field.text().await.map_err(|error| ApiError::bad_request(error.body_text()))?;
        match name.as_str() {
            "csrf" => is_checked = people::is_csrf_token(&frame.user.session, &value),
            "note" => handover.note = Some(value).filter(|note| !note.trim().is_empty()),
            "visit" => {
                handover.visit = names::parse_visit(&value).ok_or_else(|| ApiError::bad_request("that is no visit"))?;
            }
            "on_behalf_of" if !value.is_empty() => {
                handover.owner = value.parse().map_err(|_| ApiError::bad_request("that is nobody"))?;
            }
            _ => {}
        }
    }
    if !is_checked {
        return Err(ApiError::forbidden("the form is too old: reload the page and try again"));
    }
    if files.is_empty() {
        return Err(ApiError::unprocessable("empty_document", "choose at least one picture"));
    }
    for (name, spooled) in files {
        handover.file_name = Some(name);
        capture::accept(&state.app, frame.actor(), &handover, &spooled).await?;
    }
    Ok(())
}
