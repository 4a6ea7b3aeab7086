//! The text of a message that waits and the names of what is attached, so that its owner can look before they decide. It is
//! taken apart in the sandboxed child like any other; nothing is kept, nothing is fetched, no part of it is rendered as HTML.

use std::time::Duration;

use crate::{
    app::App,
    domain::{media::MediaType, page::Line},
    reader::{ReadRequest, ReaderPool},
    store::{captures, mail_messages::MailMessage},
};

/// How long a person waits for the text; after that the page comes without it, and the original can be downloaded.
const MAX_WAIT: Duration = Duration::from_secs(8);

/// Names of attachments that are shown.
const MAX_ATTACHED: usize = 20;

/// What a person sees of a message before they decide.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Preview {
    /// Lines of its text.
    pub text: Vec<String>,
    /// Names of what is attached; of what has none, the type it was declared with.
    pub attached: Vec<String>,
}

/// The message, with at most `max_lines` lines; nothing when it cannot be taken apart now, whatever the reason: the page
/// says so, and the message stays as it is.
pub async fn of(app: &App, pool: &ReaderPool, message: &MailMessage, max_lines: usize) -> Preview {
    let preview = tokio::time::timeout(MAX_WAIT, read(app, pool, message, max_lines)).await;
    preview.ok().flatten().unwrap_or_default()
}

async fn read(app: &App, pool: &ReaderPool, message: &MailMessage, max_lines: usize) -> Option<Preview> {
    let document = {
        let mut tx = app.db.read().await.ok()?;
        captures::documents(&mut tx, &message.capture_id).await.ok()?.into_iter().next()?
    };
    let key = document.object_key.parse().ok()?;
    let raw = app.objects.get_verified(&key, app.limits.max_bytes, &document.sha256).await.ok()?;
    let request = ReadRequest::new(MediaType::Mail, app.limits, raw);
    let reading = pool.read(request).await.ok()?;
    let text = reading.pages.iter().flat_map(|page| &page.lines).map(Line::text).take(max_lines).collect();
    let attached =
        reading.parts.into_iter().map(|part| if part.name.is_empty() { part.declared_type } else { part.name });
    Some(Preview { text, attached: attached.filter(|name| !name.is_empty()).take(MAX_ATTACHED).collect() })
}
