//! Findings as a person may see them, and papers of one expense put together with one click.

use super::{ReviewError, access, decide::merge, edit::load};
use crate::{
    app::App,
    domain::{
        finding::{FindingKind, Severity},
        ids::ReceiptId,
        person::Actor,
        time::Timestamp,
    },
    store::{
        Tx, findings,
        receipts::{self, ReceiptRow},
    },
};

/// A finding as it is shown: a rep learns that an invoice is filed already, not by whom or as which receipt.
#[derive(Debug, Clone, PartialEq)]
pub struct FindingView {
    /// What was noticed.
    pub kind: FindingKind,
    /// How much it matters.
    pub severity: Severity,
    /// The other receipt, when the viewer may see it.
    pub other: Option<ReceiptRow>,
    /// What the sentence names; nothing of receipts the viewer may not see.
    pub detail: serde_json::Map<String, serde_json::Value>,
    /// When it was found.
    pub created_at: Timestamp,
}

impl FindingView {
    /// A detail as text.
    pub fn text(&self, name: &str) -> Option<String> {
        match self.detail.get(name)? {
            serde_json::Value::String(text) => Some(text.clone()),
            serde_json::Value::Array(many) => {
                Some(many.iter().filter_map(|one| one.as_str()).collect::<Vec<_>>().join(", "))
            }
            other => Some(other.to_string()),
        }
    }

    /// Which receipt would become part of which, when the finding proposes it.
    pub fn attachment<'a>(&'a self, subject: &'a ReceiptId) -> Option<(&'a ReceiptId, &'a ReceiptId)> {
        let other = &self.other.as_ref().filter(|_| self.kind == FindingKind::SameExpense)?.id;
        let supporting = self.detail.get("supporting")?.as_str()?;
        if supporting == subject.as_str() { Some((subject, other)) } else { Some((other, subject)) }
    }
}

/// Details that speak of the other receipt.
const OF_OTHER: [&str; 2] = ["number", "supporting"];

/// The findings of a receipt the actor may see.
pub(super) async fn list(tx: &mut Tx, actor: &Actor, id: &ReceiptId) -> Result<Vec<FindingView>, ReviewError> {
    let mut out = Vec::new();
    for row in findings::list(tx, id).await? {
        let mut other = None;
        if let Some(named) = &row.other_receipt_id
            && let Some(receipt) = receipts::find(tx, named).await?
            && access::may_see(tx, actor, &receipt).await?
        {
            other = Some(receipt);
        }
        let mut detail = row.detail.0;
        if other.is_none() && row.other_receipt_id.is_some() {
            for name in OF_OTHER {
                detail.remove(name);
            }
        }
        let severity = row.kind.severity();
        out.push(FindingView { kind: row.kind, severity, other, detail, created_at: row.created_at });
    }
    Ok(out)
}

/// The findings of a draft the actor sees.
pub async fn findings(app: &App, actor: &Actor, id: &ReceiptId) -> Result<Vec<FindingView>, ReviewError> {
    let mut tx = app.db.read().await?;
    load(&mut tx, actor, id, None).await?;
    list(&mut tx, actor, id).await
}

/// The receipt, when the actor sees it.
pub async fn receipt(app: &App, actor: &Actor, id: &ReceiptId) -> Result<ReceiptRow, ReviewError> {
    let mut tx = app.db.read().await?;
    load(&mut tx, actor, id, None).await
}

/// Attaches the paper a finding proposes: the supporting one becomes part of the other. Returns the one that stays.
pub async fn attach(app: &App, actor: &Actor, id: &ReceiptId, other: &ReceiptId) -> Result<ReceiptId, ReviewError> {
    let found = findings(app, actor, id).await?;
    let proposed = found
        .iter()
        .filter(|finding| finding.other.as_ref().is_some_and(|receipt| receipt.id == *other))
        .find_map(|finding| finding.attachment(id));
    let Some((supporting, leading)) = proposed else {
        return Err(ReviewError::Forbidden("these two receipts are not proposed as papers of one expense any more"));
    };
    let revision = receipt(app, actor, supporting).await?.revision;
    merge(app, actor, supporting, revision, leading).await?;
    Ok(leading.clone())
}
