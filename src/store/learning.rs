//! What training may learn from: receipts a reviewer saw singly and confirmed.

use super::{StoreError, Tx, on, receipts::ReceiptRow};

/// Confirmed receipts that came from a reading and were seen singly, by id after `after`; at most `limit`. What was
/// confirmed in bulk teaches nothing, and neither does what was filled in by hand.
pub async fn list_confirmed(tx: &mut Tx, after: &str, limit: i64) -> Result<Vec<ReceiptRow>, StoreError> {
    const SQL: &str = "SELECT * FROM receipt WHERE state = 'confirmed' AND reading_id IS NOT NULL AND id > $1
        AND EXISTS (SELECT 1 FROM journal WHERE journal.subject_type = 'receipt' AND journal.subject_id = receipt.id
            AND journal.kind = 'draft.confirmed' AND journal.manner = 'singly')
        AND NOT EXISTS (SELECT 1 FROM receipt_part WHERE receipt_part.receipt_id = receipt.id
            AND receipt_part.region IS NOT NULL)
        ORDER BY id LIMIT $2";
    on!(tx, |c| sqlx::query_as(SQL).bind(after).bind(limit).fetch_all(c).await)
        .map_err(|e| StoreError::from_sqlx("learning::list_confirmed", e))
}
