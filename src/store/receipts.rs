//! Receipts: the draft's state beside its current values, so that lists need no joins over fields.

use super::{Json, StoreError, Tx, on, record};
use crate::domain::{
    draft::{Draft, DraftState},
    ids::{CaptureId, DocumentId, PersonId, ReadingId, ReceiptId, UnitId, VisitId},
    money::Currency,
    page::Quad,
    receipt::{EvidenceKind, PartRole},
    time::{CivilDate, Timestamp},
    visit::VisitChoice,
};

record! {
    /// A receipt as stored.
    pub struct ReceiptRow {
        /// Id.
        pub id: ReceiptId,
        /// Whose it is.
        pub owner_id: PersonId,
        /// The capture that brought it.
        pub capture_id: CaptureId,
        /// The reading its proposals come from; `None` when filled in by hand.
        pub reading_id: Option<ReadingId>,
        /// 0-based place among the receipts of its capture.
        pub ordinal: i64,
        /// State.
        pub state: DraftState,
        /// Revision.
        pub revision: i64,
        /// A person has acted on it.
        pub touched: bool,
        /// When it entered the reviewers' queue.
        pub submitted_at: Option<Timestamp>,
        /// Who decided last.
        pub decided_by: Option<PersonId>,
        /// When.
        pub decided_at: Option<Timestamp>,
        /// Why it was returned or rejected.
        pub reason: Option<String>,
        /// The receipt it became part of.
        pub merged_into: Option<ReceiptId>,
        /// The visit it is for.
        pub visit_id: Option<VisitId>,
        /// Explicitly for no visit.
        pub no_visit: bool,
        /// What kind of evidence it is.
        pub evidence_kind: Option<EvidenceKind>,
        /// Current merchant.
        pub merchant: Option<String>,
        /// Current merchant, folded for memory and duplicates.
        pub merchant_key: Option<String>,
        /// Current date of issue.
        pub issued_on: Option<CivilDate>,
        /// Current total as decimal text.
        pub total: Option<String>,
        /// Current total in minor units, when the currency is known.
        pub total_minor: Option<i64>,
        /// Current currency.
        pub currency: Option<Currency>,
        /// Current category code.
        pub category_code: Option<String>,
        /// Current invoice number.
        pub invoice_number: Option<String>,
        /// Probability that total and date are both right, as proposed.
        pub p_total_and_date: Option<f64>,
        /// When it was made.
        pub created_at: Timestamp,
        /// When it last changed.
        pub updated_at: Timestamp,
    }
}

record! {
    /// A document's part in a receipt: one page of it, or no more than the document's name when it has no pages.
    pub struct PartRow {
        /// The receipt.
        pub receipt_id: ReceiptId,
        /// The document.
        pub document_id: DocumentId,
        /// 0-based page.
        pub page: i64,
        /// The region of the page, when the picture holds several receipts.
        pub region: Option<Json<Quad>>,
        /// Leading or supporting.
        pub role: PartRole,
        /// 0-based page of the receipt: what a field's page means.
        pub position: i64,
        /// The reading whose preview shows it; `None` when nothing read it.
        pub reading_id: Option<ReadingId>,
    }
}

/// The current values of a draft: decided where someone decided, else proposed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Current {
    /// Merchant.
    pub merchant: Option<String>,
    /// Merchant, folded.
    pub merchant_key: Option<String>,
    /// Date of issue.
    pub issued_on: Option<CivilDate>,
    /// Total as decimal text.
    pub total: Option<String>,
    /// Total in minor units, when the currency is known.
    pub total_minor: Option<i64>,
    /// Currency.
    pub currency: Option<Currency>,
    /// Category code.
    pub category_code: Option<String>,
    /// Invoice number.
    pub invoice_number: Option<String>,
    /// Kind of evidence.
    pub evidence_kind: Option<EvidenceKind>,
}

impl ReceiptRow {
    /// The part the draft machine decides about.
    pub fn draft(&self) -> Draft {
        Draft {
            id: self.id.clone(),
            owner: self.owner_id.clone(),
            state: self.state,
            revision: self.revision,
            touched: self.touched,
            submitted_at: self.submitted_at,
            decided_by: self.decided_by.clone(),
            decided_at: self.decided_at,
            reason: self.reason.clone(),
            merged_into: self.merged_into.clone(),
        }
    }

    /// Which visit it is for.
    pub fn visit(&self) -> VisitChoice {
        match &self.visit_id {
            Some(id) => VisitChoice::Visit(id.clone()),
            None if self.no_visit => VisitChoice::NoVisit,
            None => VisitChoice::Undecided,
        }
    }
}

/// Inserts a new draft. `false` means the capture already has a receipt at this place (an earlier attempt made it).
pub async fn insert(
    tx: &mut Tx,
    draft: &Draft,
    capture: &CaptureId,
    ordinal: i64,
    visit: &VisitChoice,
    now: Timestamp,
) -> Result<bool, StoreError> {
    const SQL: &str = "INSERT INTO receipt (id, owner_id, capture_id, ordinal, state, revision, touched, visit_id,
            no_visit, created_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10)
        ON CONFLICT (capture_id, ordinal) DO NOTHING";
    let (visit_id, no_visit) = visit_columns(visit);
    on!(tx, |c| sqlx::query(SQL)
        .bind(draft.id.as_str())
        .bind(draft.owner.as_str())
        .bind(capture.as_str())
        .bind(ordinal)
        .bind(draft.state.as_str())
        .bind(draft.revision)
        .bind(i64::from(draft.touched))
        .bind(visit_id)
        .bind(no_visit)
        .bind(now.as_micros())
        .execute(c)
        .await
        .map(|done| done.rows_affected() == 1))
    .map_err(|e| StoreError::from_sqlx("receipts::insert", e))
}

fn visit_columns(visit: &VisitChoice) -> (Option<&str>, i64) {
    match visit {
        VisitChoice::Undecided => (None, 0),
        VisitChoice::NoVisit => (None, 1),
        VisitChoice::Visit(id) => (Some(id.as_str()), 0),
    }
}

/// A receipt by id.
pub async fn find(tx: &mut Tx, id: &ReceiptId) -> Result<Option<ReceiptRow>, StoreError> {
    const SQL: &str = "SELECT * FROM receipt WHERE id = $1";
    on!(tx, |c| sqlx::query_as(SQL).bind(id.as_str()).fetch_optional(c).await)
        .map_err(|e| StoreError::from_sqlx("receipts::find", e))
}

/// The receipts of a capture, in order.
pub async fn list_by_capture(tx: &mut Tx, capture: &CaptureId) -> Result<Vec<ReceiptRow>, StoreError> {
    const SQL: &str = "SELECT * FROM receipt WHERE capture_id = $1 ORDER BY ordinal";
    on!(tx, |c| sqlx::query_as(SQL).bind(capture.as_str()).fetch_all(c).await)
        .map_err(|e| StoreError::from_sqlx("receipts::list_by_capture", e))
}

/// Stores the draft if the row still has `expected_revision`. `false` means someone was faster.
pub async fn update(tx: &mut Tx, draft: &Draft, expected_revision: i64, now: Timestamp) -> Result<bool, StoreError> {
    const SQL: &str = "UPDATE receipt SET state = $3, revision = $4, touched = $5, submitted_at = $6, decided_by = $7,
            decided_at = $8, reason = $9, merged_into = $10, updated_at = $11
        WHERE id = $1 AND revision = $2";
    on!(tx, |c| sqlx::query(SQL)
        .bind(draft.id.as_str())
        .bind(expected_revision)
        .bind(draft.state.as_str())
        .bind(draft.revision)
        .bind(i64::from(draft.touched))
        .bind(draft.submitted_at.map(Timestamp::as_micros))
        .bind(draft.decided_by.as_ref().map(PersonId::as_str))
        .bind(draft.decided_at.map(Timestamp::as_micros))
        .bind(&draft.reason)
        .bind(draft.merged_into.as_ref().map(ReceiptId::as_str))
        .bind(now.as_micros())
        .execute(c)
        .await
        .map(|done| done.rows_affected() == 1))
    .map_err(|e| StoreError::from_sqlx("receipts::update", e))
}

/// Stores the current values beside the state.
pub async fn set_current(tx: &mut Tx, id: &ReceiptId, current: &Current) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE receipt SET merchant = $2, merchant_key = $3, issued_on = $4, total = $5,
            total_minor = $6, currency = $7, category_code = $8, invoice_number = $9, evidence_kind = $10
        WHERE id = $1";
    on!(tx, |c| sqlx::query(SQL)
        .bind(id.as_str())
        .bind(&current.merchant)
        .bind(&current.merchant_key)
        .bind(current.issued_on.map(|d| d.to_string()))
        .bind(&current.total)
        .bind(current.total_minor)
        .bind(current.currency.map(Currency::code))
        .bind(&current.category_code)
        .bind(&current.invoice_number)
        .bind(current.evidence_kind.map(EvidenceKind::as_str))
        .execute(c)
        .await
        .map(drop))
    .map_err(|e| StoreError::from_sqlx("receipts::set_current", e))
}

/// Names the reading the proposals come from.
pub async fn set_reading(
    tx: &mut Tx,
    id: &ReceiptId,
    reading: &ReadingId,
    p_total_and_date: f64,
) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE receipt SET reading_id = $2, p_total_and_date = $3 WHERE id = $1";
    on!(tx, |c| sqlx::query(SQL)
        .bind(id.as_str())
        .bind(reading.as_str())
        .bind(p_total_and_date)
        .execute(c)
        .await
        .map(drop))
    .map_err(|e| StoreError::from_sqlx("receipts::set_reading", e))
}

/// Sets which visit the receipt is for.
pub async fn set_visit(tx: &mut Tx, id: &ReceiptId, visit: &VisitChoice) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE receipt SET visit_id = $2, no_visit = $3 WHERE id = $1";
    let (visit_id, no_visit) = visit_columns(visit);
    on!(tx, |c| sqlx::query(SQL).bind(id.as_str()).bind(visit_id).bind(no_visit).execute(c).await.map(drop))
        .map_err(|e| StoreError::from_sqlx("receipts::set_visit", e))
}

/// Adds a document's part; one that is there takes the new place, role and reading.
pub async fn add_part(tx: &mut Tx, part: &PartRow) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO receipt_part (receipt_id, document_id, page, region, role, position, reading_id)
        VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (receipt_id, document_id, page) DO UPDATE SET
            region = excluded.region, role = excluded.role, position = excluded.position,
            reading_id = excluded.reading_id";
    on!(tx, |c| sqlx::query(SQL)
        .bind(part.receipt_id.as_str())
        .bind(part.document_id.as_str())
        .bind(part.page)
        .bind(part.region.as_ref().map(|r| Json::text(&r.0)))
        .bind(part.role.as_str())
        .bind(part.position)
        .bind(part.reading_id.as_ref().map(ReadingId::as_str))
        .execute(c)
        .await
        .map(drop))
    .map_err(|e| StoreError::from_sqlx("receipts::add_part", e))
}

/// Takes a receipt's parts away, before a new reading says which they are.
pub async fn clear_parts(tx: &mut Tx, receipt: &ReceiptId) -> Result<(), StoreError> {
    const SQL: &str = "DELETE FROM receipt_part WHERE receipt_id = $1";
    on!(tx, |c| sqlx::query(SQL).bind(receipt.as_str()).execute(c).await.map(drop))
        .map_err(|e| StoreError::from_sqlx("receipts::clear_parts", e))
}

/// The parts of a receipt in the order of its pages.
pub async fn parts(tx: &mut Tx, receipt: &ReceiptId) -> Result<Vec<PartRow>, StoreError> {
    const SQL: &str = "SELECT * FROM receipt_part WHERE receipt_id = $1 ORDER BY position, document_id, page";
    on!(tx, |c| sqlx::query_as(SQL).bind(receipt.as_str()).fetch_all(c).await)
        .map_err(|e| StoreError::from_sqlx("receipts::parts", e))
}

/// What a list of receipts asks for; `None` asks for everything.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only this person's.
    pub owner: Option<PersonId>,
    /// Only people of these units.
    pub units: Option<Vec<UnitId>>,
    /// Only in these states.
    pub states: Vec<DraftState>,
    /// Only with this category.
    pub category_code: Option<String>,
    /// Only for this visit.
    pub visit: Option<VisitId>,
    /// Only with this text in merchant, invoice number or total.
    pub text: Option<String>,
}

/// Where the next page of a list starts: after this instant and id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// `submitted_at` of the queue, `created_at` of other lists, in microseconds.
    pub at: i64,
    /// The receipt.
    pub id: String,
}

/// What a [`Filter`] asks for, with its values in `$3` to `$7`.
macro_rules! fits_filter {
    () => {
        "(CAST($3 AS TEXT) IS NULL OR owner_id = $3)
        AND (CAST($4 AS TEXT) IS NULL OR EXISTS (SELECT 1 FROM person_unit WHERE person_unit.person_id = receipt.owner_id
            AND ',' || $4 || ',' LIKE '%,' || person_unit.unit_id || ',%'))
        AND (CAST($5 AS TEXT) IS NULL OR category_code = $5)
        AND (CAST($6 AS TEXT) IS NULL OR visit_id = $6)
        AND (CAST($7 AS TEXT) IS NULL OR LOWER(merchant) LIKE $7 ESCAPE '!' OR LOWER(invoice_number) LIKE $7 ESCAPE '!'
            OR total LIKE $7 ESCAPE '!')"
    };
}

/// Binds where a list begins (`$1` and `$2`) and the values of [`fits_filter`].
macro_rules! bind_filter {
    ($query:expr, $at:expr, $id:expr, $filter:expr) => {
        $query
            .bind($at)
            .bind($id)
            .bind($filter.owner.as_ref().map(PersonId::as_str))
            .bind(unit_list($filter))
            .bind(&$filter.category_code)
            .bind($filter.visit.as_ref().map(VisitId::as_str))
            .bind($filter.text.as_deref().map(like_pattern))
    };
}

/// The reviewers' queue: submitted receipts, longest waiting first, after `after`; at most `limit`.
pub async fn list_queue(
    tx: &mut Tx,
    filter: &Filter,
    after: Option<&Cursor>,
    limit: i64,
) -> Result<Vec<ReceiptRow>, StoreError> {
    const SQL: &str = concat!(
        "SELECT * FROM receipt WHERE state = 'submitted' AND (submitted_at > $1 OR (submitted_at = $1 AND id > $2)) AND ",
        fits_filter!(),
        " ORDER BY submitted_at, id LIMIT $8"
    );
    on!(tx, |c| bind_filter!(
        sqlx::query_as(SQL),
        after.map_or(i64::MIN, |a| a.at),
        after.map_or("", |a| a.id.as_str()),
        filter
    )
    .bind(limit)
    .fetch_all(c)
    .await)
    .map_err(|e| StoreError::from_sqlx("receipts::list_queue", e))
}

/// The receipt before `before` in the queue.
pub async fn previous_in_queue(
    tx: &mut Tx,
    filter: &Filter,
    before: &Cursor,
) -> Result<Option<ReceiptRow>, StoreError> {
    const SQL: &str = concat!(
        "SELECT * FROM receipt WHERE state = 'submitted' AND (submitted_at < $1 OR (submitted_at = $1 AND id < $2)) AND ",
        fits_filter!(),
        " ORDER BY submitted_at DESC, id DESC LIMIT 1"
    );
    on!(tx, |c| bind_filter!(sqlx::query_as(SQL), before.at, &before.id, filter).fetch_optional(c).await)
        .map_err(|e| StoreError::from_sqlx("receipts::previous_in_queue", e))
}

/// How many receipts the queue holds; `most` and not one more are counted.
pub async fn count_queue(tx: &mut Tx, filter: &Filter, most: i64) -> Result<i64, StoreError> {
    // The cursor's places are bound for the sake of one filter text: every receipt is after the beginning.
    const SQL: &str = concat!(
        "SELECT CAST(COUNT(*) AS BIGINT) FROM (SELECT 1 AS one FROM receipt WHERE state = 'submitted'
            AND (submitted_at > $1 OR (submitted_at = $1 AND id > $2)) AND ",
        fits_filter!(),
        " LIMIT $8) AS waiting"
    );
    on!(tx, |c| bind_filter!(sqlx::query_scalar(SQL), i64::MIN, "", filter).bind(most).fetch_one(c).await)
        .map_err(|e| StoreError::from_sqlx("receipts::count_queue", e))
}

/// Receipts newest first, before `before`; at most `limit`.
pub async fn list_newest(
    tx: &mut Tx,
    filter: &Filter,
    before: Option<&Cursor>,
    limit: i64,
) -> Result<Vec<ReceiptRow>, StoreError> {
    const SQL: &str = concat!(
        "SELECT * FROM receipt WHERE (created_at < $1 OR (created_at = $1 AND id < $2)) AND ",
        fits_filter!(),
        "
        AND (CAST($8 AS TEXT) IS NULL OR ',' || $8 || ',' LIKE '%,' || state || ',%')
        ORDER BY created_at DESC, id DESC LIMIT $9"
    );
    let states = filter.states.iter().map(|s| s.as_str()).collect::<Vec<_>>().join(",");
    on!(tx, |c| bind_filter!(
        sqlx::query_as(SQL),
        before.map_or(i64::MAX, |b| b.at),
        before.map_or("", |b| b.id.as_str()),
        filter
    )
    .bind(if states.is_empty() { None } else { Some(states.as_str()) })
    .bind(limit)
    .fetch_all(c)
    .await)
    .map_err(|e| StoreError::from_sqlx("receipts::list_newest", e))
}

fn unit_list(filter: &Filter) -> Option<String> {
    filter.units.as_ref().map(|units| units.iter().map(UnitId::as_str).collect::<Vec<_>>().join(","))
}

/// `text` anywhere, its own wildcards taken literally (`!` escapes: backslash means different things to both databases).
fn like_pattern(text: &str) -> String {
    let mut pattern = String::from("%");
    for letter in text.trim().to_lowercase().chars() {
        if matches!(letter, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    pattern
}

/// How many receipts are in each state, for metrics.
pub async fn count_by_state(tx: &mut Tx) -> Result<Vec<(String, i64)>, StoreError> {
    const SQL: &str = "SELECT state, CAST(COUNT(*) AS BIGINT) FROM receipt GROUP BY state ORDER BY state";
    on!(tx, |c| sqlx::query_as(SQL).fetch_all(c).await)
        .map_err(|e| StoreError::from_sqlx("receipts::count_by_state", e))
}

/// How many receipts are filed under each category code.
pub async fn count_by_category(tx: &mut Tx) -> Result<Vec<(String, i64)>, StoreError> {
    const SQL: &str = "SELECT category_code, CAST(COUNT(*) AS BIGINT) FROM receipt
        WHERE category_code IS NOT NULL GROUP BY category_code ORDER BY category_code";
    on!(tx, |c| sqlx::query_as(SQL).fetch_all(c).await)
        .map_err(|e| StoreError::from_sqlx("receipts::count_by_category", e))
}

/// How many receipts name the visit.
pub async fn count_of_visit(tx: &mut Tx, visit: &VisitId) -> Result<i64, StoreError> {
    const SQL: &str = "SELECT CAST(COUNT(*) AS BIGINT) FROM receipt WHERE visit_id = $1";
    on!(tx, |c| sqlx::query_scalar(SQL).bind(visit.as_str()).fetch_one(c).await)
        .map_err(|e| StoreError::from_sqlx("receipts::count_of_visit", e))
}
