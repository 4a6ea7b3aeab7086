//! The text of a message that waits and the names of what is attached, so that its owner can look before they decide. It is
//! taken apart in the sandboxed child like any other; nothing is kept, nothing is fetched, no part of it is rendered as HTML.

use std::time::Duration;

use crate::{
    app::App,
    domain::{media::MediaType, page::Line, trip::Trip},
    reader::{ReadRequest, ReaderPool},
    store::{
        StoreError, Tx, captures,
        mail_messages::MailMessage,
        readings::{self, ReadingRow},
    },
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
    /// The trips it tells of in data.
    pub trips: Vec<Trip>,
}

/// The latest reading of the message itself; what it brought has readings of its own.
pub async fn reading(tx: &mut Tx, message: &MailMessage) -> Result<Option<ReadingRow>, StoreError> {
    let Some(document) = captures::documents(tx, &message.capture_id).await?.into_iter().next() else {
        return Ok(None);
    };
    readings::find_latest(tx, &message.capture_id, &document.id).await
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
    let trips = Trip::all(&reading.values);
    let attached =
        reading.parts.into_iter().map(|part| if part.name.is_empty() { part.declared_type } else { part.name });
    Some(Preview { text, attached: attached.filter(|name| !name.is_empty()).take(MAX_ATTACHED).collect(), trips })
}
