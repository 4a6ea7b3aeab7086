//! The text of a message that waits, so that its owner can look before they decide. It is taken apart in the sandboxed
//! child like any other; nothing is kept, nothing is fetched, no part of it is rendered as HTML.

use std::time::Duration;

use crate::{
    app::App,
    domain::{media::MediaType, page::Line},
    reader::{ReadRequest, ReaderPool},
    store::{captures, mail_messages::MailMessage},
};

/// How long a person waits for the text; after that the page comes without it, and the original can be downloaded.
const MAX_WAIT: Duration = Duration::from_secs(8);

/// At most `max_lines` lines of the message; none when it cannot be taken apart now, whatever the reason: the page says
/// so, and the message stays as it is.
pub async fn text(app: &App, pool: &ReaderPool, message: &MailMessage, max_lines: usize) -> Vec<String> {
    let lines = tokio::time::timeout(MAX_WAIT, read(app, pool, message, max_lines)).await;
    lines.ok().flatten().unwrap_or_default()
}

async fn read(app: &App, pool: &ReaderPool, message: &MailMessage, max_lines: usize) -> Option<Vec<String>> {
    let document = {
        let mut tx = app.db.read().await.ok()?;
        captures::documents(&mut tx, &message.capture_id).await.ok()?.into_iter().next()?
    };
    let key = document.object_key.parse().ok()?;
    let raw = app.objects.get_verified(&key, app.limits.max_bytes, &document.sha256).await.ok()?;
    let request = ReadRequest::new(MediaType::Mail, app.limits, raw);
    let reading = pool.read(request).await.ok()?;
    Some(reading.pages.iter().flat_map(|page| &page.lines).map(Line::text).take(max_lines).collect())
}
