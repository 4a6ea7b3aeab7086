//! Documents found inside others, in the database: one row per owner and bytes, linked to the capture that brought them.

use super::{
    JobError,
    outcome::Done,
    walk::{Ending, Node},
};
use crate::{
    app::App,
    domain::{
        ids::{DocumentId, PersonId},
        sha256::Sha256,
        time::Timestamp,
    },
    store::{
        StoreError, Tx,
        documents::{self, DocumentRow},
        parts::{self, Link, RefusedRow},
    },
};

/// Whether the owner has a document with these bytes.
pub(super) async fn is_kept(app: &App, owner: &PersonId, sha256: &Sha256) -> Result<bool, StoreError> {
    let mut tx = app.db.read().await?;
    Ok(documents::find_by_hash(&mut tx, owner, sha256).await?.is_some())
}

/// Stores the documents of the walk and what became of each. Returns their ids, by node.
///
/// The walk looked whether a document had been filed before; when that has changed since, the job is done again.
pub(super) async fn store(app: &App, tx: &mut Tx, done: &Done, now: Timestamp) -> Result<Vec<DocumentId>, JobError> {
    let mut ids: Vec<DocumentId> = Vec::with_capacity(done.tree.nodes.len());
    for (index, node) in done.tree.nodes.iter().enumerate() {
        let id = match done.roots.get(index) {
            Some(root) => root.id.clone(),
            None => document(app, tx, done, index, now).await?,
        };
        let filed = match &node.ending {
            Ending::FiledElsewhere(capture) => Some(capture),
            Ending::Read(_) | Ending::Failed(_) => None,
        };
        let link = Link {
            document: &id,
            ordinal: i64::try_from(index).unwrap_or(i64::MAX),
            file_name: node.source.name.as_deref(),
            parent: node.parent.and_then(|parent| ids.get(parent)),
            relation: node.relation,
            reason: node.failure().map(|failure| (failure.reason, failure.detail.as_str())),
            filed,
        };
        parts::link(tx, &done.capture.id, &link).await?;
        ids.push(id);
    }
    let refused: Vec<RefusedRow> = done
        .tree
        .refused
        .iter()
        .enumerate()
        .filter_map(|(ordinal, part)| {
            Some(RefusedRow {
                ordinal: i64::try_from(ordinal).ok()?,
                parent_document_id: ids.get(part.parent)?.clone(),
                file_name: Some(part.name.clone()).filter(|name| !name.is_empty()),
                reason: part.failure.reason,
                reason_detail: Some(part.failure.detail.clone()),
            })
        })
        .collect();
    parts::set_refused(tx, &done.capture.id, &refused).await?;
    Ok(ids)
}

/// The row of a document found inside another one: a new one, or the owner's own of the same bytes.
async fn document(app: &App, tx: &mut Tx, done: &Done, index: usize, now: Timestamp) -> Result<DocumentId, JobError> {
    let node: &Node = &done.tree.nodes[index];
    let owner = &done.capture.owner_id;
    if let Some(known) = documents::find_by_hash(tx, owner, &node.source.sha256).await? {
        let filed = parts::filed_elsewhere(tx, &known.id, &done.capture.id).await?;
        let was_filed = matches!(node.ending, Ending::FiledElsewhere(_));
        return if filed.is_some() == was_filed { Ok(known.id) } else { Err(JobError::Contended) };
    }
    let Some(key) = &done.kept[index].object else { return Err(JobError::Contended) };
    let row = DocumentRow {
        id: app.id::<DocumentId>(),
        owner_id: owner.clone(),
        sha256: node.source.sha256,
        size: i64::try_from(node.source.bytes.len()).unwrap_or(i64::MAX),
        media_type: node.source.media_type,
        object_key: key.to_string(),
        created_at: now,
        erased_at: None,
    };
    // PostgreSQL: another transaction may have inserted the same bytes since the look above.
    if documents::insert(tx, &row).await? { Ok(row.id) } else { Err(JobError::Contended) }
}
