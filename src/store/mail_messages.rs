//! Messages that came in: one row per owner and content, beside the capture that holds the bytes.

use super::{Json, StoreError, Tx, on, record};
use crate::domain::{
    ids::{CaptureId, MailAddressId, MailMessageId, PersonId},
    mail::{Decision, Doubt, Evidence, Way},
    sha256::Sha256,
    time::Timestamp,
};

record! {
    /// A message as stored.
    pub struct MailMessage {
        /// Its id.
        pub id: MailMessageId,
        /// The capture that holds its bytes.
        pub capture_id: CaptureId,
        /// Whose it is.
        pub owner_id: PersonId,
        /// The secret address it was sent to.
        pub address_id: Option<MailAddressId>,
        /// Which way it came.
        pub way: Way,
        /// SHA-256 of the message without trace headers.
        pub content_hash: Sha256,
        /// The sender in the envelope; empty for bounces.
        pub envelope_sender: Option<String>,
        /// The address in `From`.
        pub header_from: Option<String>,
        /// The subject, decoded and cut.
        pub subject: Option<String>,
        /// `Message-ID`: a hint, the sender chose it.
        pub message_id: Option<String>,
        /// `Date`.
        pub sent_at: Option<Timestamp>,
        /// The server that brought it.
        pub peer: Option<String>,
        /// How that server called itself.
        pub hello: Option<String>,
        /// Whether it came over TLS.
        pub is_encrypted: bool,
        /// What speaks for its sender.
        pub evidence: Json<Evidence>,
        /// Why it waited; `None` when it was believed.
        pub doubt: Option<Doubt>,
        /// When it came in.
        pub received_at: Timestamp,
        /// What its owner said.
        pub decision: Option<Decision>,
        /// Who said it.
        pub decided_by: Option<PersonId>,
        /// When.
        pub decided_at: Option<Timestamp>,
    }
}

/// Inserts the message unless its owner has one with the same content. `false` means they do.
pub async fn insert(tx: &mut Tx, row: &MailMessage) -> Result<bool, StoreError> {
    const SQL: &str = "INSERT INTO mail_message (id, capture_id, owner_id, address_id, way, content_hash,
            envelope_sender, header_from, subject, message_id, sent_at, peer, hello, is_encrypted, evidence, doubt,
            received_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
        ON CONFLICT (owner_id, content_hash) DO NOTHING";
    on!(tx, |c| sqlx::query(SQL)
        .bind(row.id.as_str())
        .bind(row.capture_id.as_str())
        .bind(row.owner_id.as_str())
        .bind(row.address_id.as_ref().map(MailAddressId::as_str))
        .bind(row.way.as_str())
        .bind(row.content_hash.to_string())
        .bind(&row.envelope_sender)
        .bind(&row.header_from)
        .bind(&row.subject)
        .bind(&row.message_id)
        .bind(row.sent_at.map(Timestamp::as_micros))
        .bind(&row.peer)
        .bind(&row.hello)
        .bind(i64::from(row.is_encrypted))
        .bind(Json::text(&row.evidence.0))
        .bind(row.doubt.map(Doubt::as_str))
        .bind(row.received_at.as_micros())
        .execute(c)
        .await
        .map(|done| done.rows_affected() == 1))
    .map_err(|e| StoreError::from_sqlx("mail_messages::insert", e))
}

/// A message by id.
pub async fn find(tx: &mut Tx, id: &MailMessageId) -> Result<Option<MailMessage>, StoreError> {
    const SQL: &str = "SELECT * FROM mail_message WHERE id = $1";
    on!(tx, |c| sqlx::query_as(SQL).bind(id.as_str()).fetch_optional(c).await)
        .map_err(|e| StoreError::from_sqlx("mail_messages::find", e))
}

/// The owner's message with this content.
pub async fn find_by_content(
    tx: &mut Tx,
    owner: &PersonId,
    content_hash: &Sha256,
) -> Result<Option<MailMessage>, StoreError> {
    const SQL: &str = "SELECT * FROM mail_message WHERE owner_id = $1 AND content_hash = $2";
    on!(tx, |c| sqlx::query_as(SQL).bind(owner.as_str()).bind(content_hash.to_string()).fetch_optional(c).await)
        .map_err(|e| StoreError::from_sqlx("mail_messages::find_by_content", e))
}

/// The message a capture came with.
pub async fn find_by_capture(tx: &mut Tx, capture: &CaptureId) -> Result<Option<MailMessage>, StoreError> {
    const SQL: &str = "SELECT * FROM mail_message WHERE capture_id = $1 ORDER BY id LIMIT 1";
    on!(tx, |c| sqlx::query_as(SQL).bind(capture.as_str()).fetch_optional(c).await)
        .map_err(|e| StoreError::from_sqlx("mail_messages::find_by_capture", e))
}

/// Messages of `owner` that were doubted and have this decision (`None`: none yet), newest first.
pub async fn list_doubted(
    tx: &mut Tx,
    owner: &PersonId,
    decision: Option<Decision>,
    limit: i64,
) -> Result<Vec<MailMessage>, StoreError> {
    const SQL: &str = "SELECT * FROM mail_message
        WHERE owner_id = $1 AND doubt IS NOT NULL AND COALESCE(decision, '') = $2
        ORDER BY received_at DESC, id DESC LIMIT $3";
    on!(tx, |c| sqlx::query_as(SQL)
        .bind(owner.as_str())
        .bind(decision.map_or("", Decision::as_str))
        .bind(limit)
        .fetch_all(c)
        .await)
    .map_err(|e| StoreError::from_sqlx("mail_messages::list_doubted", e))
}

/// Messages of `owner` that were believed or accepted, newest first.
pub async fn list_believed(tx: &mut Tx, owner: &PersonId, limit: i64) -> Result<Vec<MailMessage>, StoreError> {
    const SQL: &str = "SELECT * FROM mail_message
        WHERE owner_id = $1 AND (doubt IS NULL OR decision = 'accepted') ORDER BY received_at DESC, id DESC LIMIT $2";
    on!(tx, |c| sqlx::query_as(SQL).bind(owner.as_str()).bind(limit).fetch_all(c).await)
        .map_err(|e| StoreError::from_sqlx("mail_messages::list_believed", e))
}

/// How many messages of `owner` wait for a decision, quiet ones left out.
pub async fn count_waiting(tx: &mut Tx, owner: &PersonId) -> Result<i64, StoreError> {
    const SQL: &str = "SELECT CAST(COUNT(*) AS BIGINT) FROM mail_message
        WHERE owner_id = $1 AND decision IS NULL AND doubt IS NOT NULL
        AND doubt NOT IN ('bounce', 'auto_reply', 'list_mail', 'own_mail', 'mail_loop')";
    on!(tx, |c| sqlx::query_scalar(SQL).bind(owner.as_str()).fetch_one(c).await)
        .map_err(|e| StoreError::from_sqlx("mail_messages::count_waiting", e))
}

/// Notes a decision, unless `Accepted` was said before. `false` when there is nothing to decide.
pub async fn decide(
    tx: &mut Tx,
    id: &MailMessageId,
    decision: Decision,
    by: &PersonId,
    at: Timestamp,
) -> Result<bool, StoreError> {
    const SQL: &str = "UPDATE mail_message SET decision = $2, decided_by = $3, decided_at = $4
        WHERE id = $1 AND doubt IS NOT NULL AND COALESCE(decision, '') <> 'accepted' AND COALESCE(decision, '') <> $2";
    on!(tx, |c| sqlx::query(SQL)
        .bind(id.as_str())
        .bind(decision.as_str())
        .bind(by.as_str())
        .bind(at.as_micros())
        .execute(c)
        .await
        .map(|done| done.rows_affected() > 0))
    .map_err(|e| StoreError::from_sqlx("mail_messages::decide", e))
}

/// Messages whose sender could not be checked and that nobody decided on, from `since` on and after the message `after`,
/// in the order of their ids.
pub async fn list_unchecked(
    tx: &mut Tx,
    since: Timestamp,
    after: Option<&MailMessageId>,
    limit: i64,
) -> Result<Vec<MailMessage>, StoreError> {
    const SQL: &str = "SELECT * FROM mail_message
        WHERE doubt = 'sender_unchecked' AND decision IS NULL AND received_at >= $1 AND id > $2 ORDER BY id LIMIT $3";
    on!(tx, |c| sqlx::query_as(SQL)
        .bind(since.as_micros())
        .bind(after.map_or("", MailMessageId::as_str))
        .bind(limit)
        .fetch_all(c)
        .await)
    .map_err(|e| StoreError::from_sqlx("mail_messages::list_unchecked", e))
}

/// Replaces evidence and doubt of a message whose sender had not been checked. `false` when it was meanwhile, or when
/// somebody decided.
pub async fn set_checked(
    tx: &mut Tx,
    id: &MailMessageId,
    evidence: &Evidence,
    doubt: Option<Doubt>,
) -> Result<bool, StoreError> {
    const SQL: &str = "UPDATE mail_message SET evidence = $2, doubt = $3
        WHERE id = $1 AND doubt = 'sender_unchecked' AND decision IS NULL";
    on!(tx, |c| sqlx::query(SQL)
        .bind(id.as_str())
        .bind(Json::text(evidence))
        .bind(doubt.map(Doubt::as_str))
        .execute(c)
        .await
        .map(|done| done.rows_affected() > 0))
    .map_err(|e| StoreError::from_sqlx("mail_messages::set_checked", e))
}

/// Messages by way since `since`, for the admin page: way, how many, how many doubted, the last.
pub async fn count_by_way(tx: &mut Tx, since: Timestamp) -> Result<Vec<(String, i64, i64, i64)>, StoreError> {
    const SQL: &str = "SELECT way, CAST(COUNT(*) AS BIGINT), CAST(COUNT(doubt) AS BIGINT),
            CAST(MAX(received_at) AS BIGINT)
        FROM mail_message WHERE received_at >= $1 GROUP BY way ORDER BY way";
    on!(tx, |c| sqlx::query_as(SQL).bind(since.as_micros()).fetch_all(c).await)
        .map_err(|e| StoreError::from_sqlx("mail_messages::count_by_way", e))
}

/// Notes a webhook delivery. `false` when it was seen before.
pub async fn note_nonce(tx: &mut Tx, provider: &str, nonce: &str, at: Timestamp) -> Result<bool, StoreError> {
    const SQL: &str = "INSERT INTO webhook_nonce (provider, nonce, at) VALUES ($1, $2, $3)
        ON CONFLICT (provider, nonce) DO NOTHING";
    on!(tx, |c| sqlx::query(SQL)
        .bind(provider)
        .bind(nonce)
        .bind(at.as_micros())
        .execute(c)
        .await
        .map(|done| done.rows_affected() > 0))
    .map_err(|e| StoreError::from_sqlx("mail_messages::note_nonce", e))
}

/// Whether a webhook delivery was noted.
pub async fn knows_nonce(tx: &mut Tx, provider: &str, nonce: &str) -> Result<bool, StoreError> {
    const SQL: &str = "SELECT CAST(COUNT(*) AS BIGINT) FROM webhook_nonce WHERE provider = $1 AND nonce = $2";
    on!(tx, |c| sqlx::query_scalar::<_, i64>(SQL).bind(provider).bind(nonce).fetch_one(c).await)
        .map(|count| count > 0)
        .map_err(|e| StoreError::from_sqlx("mail_messages::knows_nonce", e))
}

/// Forgets webhook deliveries from before `before`.
pub async fn purge_nonces(tx: &mut Tx, before: Timestamp) -> Result<(), StoreError> {
    const SQL: &str = "DELETE FROM webhook_nonce WHERE at < $1";
    on!(tx, |c| sqlx::query(SQL).bind(before.as_micros()).execute(c).await.map(drop))
        .map_err(|e| StoreError::from_sqlx("mail_messages::purge_nonces", e))
}
