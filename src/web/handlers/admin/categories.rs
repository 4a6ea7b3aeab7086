//! The list of categories.

use std::collections::HashMap;

use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};

use super::require_admin;
use crate::{
    domain::ids::CategoryId,
    organisation::{self, CategoryChange, NewCategory},
    store::{categories, receipts},
    web::{
        handlers::frame::{self, Frame, PageForm, shown},
        pages::categories::{CategoriesPage, CategoryRow},
        problem::ApiError,
        state::AppState,
    },
};

/// `GET /admin/categories`.
pub async fn page(State(state): State<AppState>, frame: Frame) -> Response {
    show(&state, &frame, None).await
}

/// `POST /admin/categories`.
pub async fn add(State(state): State<AppState>, form: PageForm) -> Response {
    let new = NewCategory {
        code: form.get("code").to_owned(),
        name_en: form.get("name_en").to_owned(),
        name_zh: form.get("name_zh").to_owned(),
    };
    match organisation::add_category(&state.app, form.frame.actor(), new).await {
        Ok(_) => Redirect::to("/admin/categories").into_response(),
        Err(error) => show(&state, &form.frame, Some(error.into())).await,
    }
}

/// `POST /admin/categories/{id}`: names, place and whether it is offered.
pub async fn change(State(state): State<AppState>, Path(id): Path<CategoryId>, form: PageForm) -> Response {
    match save(&state, &id, &form).await {
        Ok(()) => Redirect::to("/admin/categories").into_response(),
        Err(error) => show(&state, &form.frame, Some(error)).await,
    }
}

async fn save(state: &AppState, id: &CategoryId, form: &PageForm) -> Result<(), ApiError> {
    let all = categories::list(&mut state.app.db.read().await?, false).await?;
    let at = all.iter().position(|category| category.id == *id).ok_or_else(|| ApiError::not_found("category"))?;
    // People count from 1.
    let wanted = form.get("position").parse::<usize>().map_err(|_| ApiError::bad_request("the order is a number"))?;
    let change = CategoryChange {
        name_en: Some(form.get("name_en").to_owned()),
        name_zh: Some(form.get("name_zh").to_owned()),
        is_active: Some(form.has("active")),
        position: Some(wanted.saturating_sub(1)).filter(|wanted| *wanted != at),
    };
    organisation::change_category(&state.app, form.frame.actor(), &all[at].code, change).await?;
    Ok(())
}

async fn show(state: &AppState, frame: &Frame, error: Option<ApiError>) -> Response {
    match fill(state, frame, error.as_ref()).await {
        Ok(page) => frame::render(error.map_or(StatusCode::OK, |error| error.status()), &page),
        Err(error) => frame.fail(error).await,
    }
}

async fn fill(state: &AppState, frame: &Frame, error: Option<&ApiError>) -> Result<CategoriesPage, ApiError> {
    require_admin(frame.actor())?;
    let mut tx = state.app.db.read().await?;
    let used: HashMap<String, i64> = receipts::count_by_category(&mut tx).await?.into_iter().collect();
    let list = categories::list(&mut tx, false).await?.into_iter().zip(1_i64..);
    let categories = list.map(|(category, position)| CategoryRow {
        receipts: used.get(&category.code).map_or(0, |count| count.unsigned_abs()),
        id: category.id,
        code: category.code,
        name_en: category.name_en,
        name_zh: category.name_zh,
        position,
        active: category.is_active,
    });
    Ok(CategoriesPage { shell: frame.shell.clone(), categories: categories.collect(), problem: error.map(shown) })
}
