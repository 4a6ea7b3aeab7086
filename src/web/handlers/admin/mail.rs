//! Ways in for mail, what came through them, and how mailboxes fare.

use std::time::Duration;

use axum::{extract::State, response::Response};

use super::require_admin;
use crate::{
    domain::time::Timestamp,
    store::{mail_accounts, mail_messages},
    web::{
        handlers::frame::Frame,
        pages::mail::{AccountRow, AdminMailPage, DoorRow},
        problem::ApiError,
        state::AppState,
    },
};

const WEEK: Duration = Duration::from_secs(7 * 24 * 3600);

/// `GET /admin/mail`.
pub async fn page(State(state): State<AppState>, frame: Frame) -> Response {
    match fill(&state, &frame).await {
        Ok(page) => frame.render(&page),
        Err(error) => frame.fail(error).await,
    }
}

async fn fill(state: &AppState, frame: &Frame) -> Result<AdminMailPage, ApiError> {
    require_admin(frame.actor())?;
    let mut tx = state.app.db.read().await?;
    let counts = mail_messages::count_by_way(&mut tx, state.app.now().minus(WEEK)).await?;
    let doors = state.web.mail_doors.iter().map(|(way, at)| {
        let count = counts.iter().find(|(word, ..)| word == way.as_str());
        DoorRow {
            way: *way,
            at: at.clone(),
            count: count.map_or(0, |count| count.1),
            doubted: count.map_or(0, |count| count.2),
            last_at: count.map(|count| Timestamp::from_micros(count.3)),
        }
    });
    let accounts = mail_accounts::list(&mut tx).await?.into_iter().map(|account| AccountRow {
        name: format!("{} · {}", account.name, account.mailbox),
        taken: account.taken,
        polled_at: account.polled_at,
        error: account.error,
        error_at: account.error_at,
    });
    Ok(AdminMailPage { shell: frame.shell.clone(), doors: doors.collect(), accounts: accounts.collect() })
}
