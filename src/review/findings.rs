//! Findings as a person may see them, and papers of one expense put together with one click.

use serde_json::json;

use super::{ReviewError, access, decide::merge, edit::load};
use crate::{
    app::App,
    domain::{
        finding::{FindingKind, Severity},
        ids::ReceiptId,
        journal::Manner,
        person::{Actor, Role},
        policy,
        time::Timestamp,
    },
    findings::refresh,
    store::{
        Tx, findings, people,
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
    let Some((supporting, leading)) = proposed else { return Err(ReviewError::NotProposed) };
    let revision = receipt(app, actor, supporting).await?.revision;
    merge(app, actor, supporting, revision, leading).await?;
    Ok(leading.clone())
}

/// Whether two receipts are proposed as papers of one expense, or a reviewer said that they are not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pairing {
    /// They are two expenses: what was proposed is proposed no more.
    KeptApart,
    /// They may be one after all: what speaks for it is proposed again.
    Proposed,
}

/// A reviewer's answer to the proposal that `id` and `other` are papers of one expense, or its taking back. It binds until
/// it is taken back, whatever changes on the receipts. Reps do not answer it about themselves: whoever may keep slip and
/// receipt apart could be paid twice.
pub async fn pair(
    app: &App,
    actor: &Actor,
    id: &ReceiptId,
    other: &ReceiptId,
    pairing: Pairing,
) -> Result<(), ReviewError> {
    let now = app.now();
    let mut tx = app.db.write().await?;
    let row = load(&mut tx, actor, id, None).await?;
    load(&mut tx, actor, other, None).await?;
    let reviewers = people::count_active(&mut tx, Role::Reviewer).await?;
    if !policy::may_judge(actor, row.owner_id == actor.id, reviewers) {
        return Err(ReviewError::Forbidden("only a reviewer, and not its owner, says that papers are two expenses"));
    }
    let (answered, kind) = match pairing {
        Pairing::KeptApart => (FindingKind::SameExpense, "draft.kept_apart"),
        Pairing::Proposed => (FindingKind::KeptApart, "draft.proposed_again"),
    };
    let found = findings::list(&mut tx, id).await?;
    if !found.iter().any(|finding| finding.kind == answered && finding.other_receipt_id.as_ref() == Some(other)) {
        return Err(ReviewError::NotProposed);
    }
    match pairing {
        Pairing::KeptApart => findings::keep_apart(&mut tx, id, other, &actor.id, now).await?,
        Pairing::Proposed => findings::propose_again(&mut tx, id, other).await?,
    };
    // The history of either tells of it.
    for (subject, about) in [(id, other), (other, id)] {
        let entry =
            app.entry(Some(&actor.id), Manner::Singly, kind, ("receipt", subject.as_str()), json!({ "other": about }));
        app.record(&mut tx, &entry).await?;
    }
    // Refreshes the other one as well: each names the other.
    refresh(app, &mut tx, id).await?;
    tx.commit().await?;
    Ok(())
}
