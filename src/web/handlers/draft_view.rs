//! Fills the draft page's struct from a loaded draft.

use std::collections::HashMap;

use serde_json::Value;

use super::{frame::Frame, names, review::Address};
use crate::{
    capture::mail::quarantine,
    domain::{
        draft::DraftState,
        field::{Field, FieldKey, FieldValue},
        finding::FindingKind,
        ids::{PersonId, ReceiptId},
        person::{Actor, Role},
        policy,
        receipt::PartRole,
        visit::VisitChoice,
    },
    extract::payloads,
    review::{self, DraftField, DraftView, FindingView},
    store::{Tx, fields::FieldRow, journal, receipts::ReceiptRow},
    web::{
        pages::{
            draft::{
                Change, CodeLine, DocumentView, DraftPage, FindingLine, HistoryLine, May, PageView, QueuePlace, SHOWN,
                in_list,
            },
            field::{DecidedView, FieldView, Step},
            shell::VisitView,
            trips::TripLine,
        },
        problem::ApiError,
        state::AppState,
    },
};

/// Journal entries shown.
const MAX_HISTORY: i64 = 200;

/// The page of a draft, as `frame`'s person sees it coming from the list at `address`.
pub async fn fill(state: &AppState, frame: &Frame, id: &ReceiptId, address: &Address) -> Result<DraftPage, ApiError> {
    let actor = frame.actor();
    let view = review::view(&state.app, actor, id).await?;
    let queue = queue_place(state, actor, &view.receipt, address).await?;
    let message = quarantine::behind(&state.app, actor, &view.capture.id).await?;
    let mut tx = state.app.db.read().await?;
    let zone = &frame.shell.zone;
    let history = journal::list_for_subject(&mut tx, id.as_str(), MAX_HISTORY).await?;
    let people = view
        .fields
        .values()
        .filter_map(|field| field.decided.as_ref().map(|d| &d.decided_by))
        .chain(history.iter().filter_map(|entry| entry.actor_id.as_ref()))
        .chain([&view.receipt.owner_id, &view.capture.captured_by]);
    let people = names::of_people(&mut tx, people).await?;
    let name = |id: &PersonId| people.get(id).cloned().unwrap_or_default();

    let mut visits = names::visit_options_about(&mut tx, &view.receipt.owner_id, view.receipt.issued_on, zone).await?;
    let visit = names::visit_view(&mut tx, &view.receipt.visit(), zone, &mut HashMap::new()).await?;
    if let VisitView::Visit(chosen) = &visit
        && !visits.iter().any(|v| v.id == chosen.id)
    {
        visits.insert(0, chosen.clone());
    }
    let keys = SHOWN.iter().copied().chain(view.fields.keys().copied().filter(|key| !SHOWN.contains(key)));
    let fields = keys.filter(|key| *key != FieldKey::Category).map(|key| field_view(&view, key, &name)).collect();
    Ok(DraftPage {
        shell: frame.shell.clone(),
        id: id.clone(),
        state: view.receipt.state,
        revision: view.receipt.revision,
        reason: view.receipt.reason.clone(),
        owner: name(&view.receipt.owner_id),
        captured_by: (view.capture.captured_by != view.receipt.owner_id).then(|| name(&view.capture.captured_by)),
        captured_at: view.capture.captured_at.unwrap_or(view.capture.created_at),
        channel: view.capture.channel,
        mail_url: message.map(|message| format!("/mail/{}", message.id)),
        note: view.capture.note.clone(),
        pages: view
            .pages
            .iter()
            .map(|page| PageView {
                index: page.index as u32,
                width: page.width as u32,
                height: page.height as u32,
                preview_url: format!("/api/v1/drafts/{id}/pages/{}/preview", page.index),
            })
            .collect(),
        documents: documents(&view),
        fields,
        breakdown: view.breakdown.clone(),
        category: field_view(&view, FieldKey::Category, &name),
        categories: names::category_choices(&mut tx, frame.shell.lang).await?,
        visit,
        visits,
        p: view.receipt.p_total_and_date.map(|p| p as f32).filter(|_| !view.receipt.touched),
        flags: flags(&view),
        warnings: view.warnings.clone(),
        findings: view
            .findings
            .iter()
            .map(|finding| finding_line(frame, &view.receipt.id, finding, &queue.query))
            .collect(),
        codes: codes(&view),
        trips: view.trips.iter().map(|trip| TripLine::new(&frame.shell, trip)).collect(),
        may: may(&mut tx, actor, &view).await?,
        queue,
        history: history
            .iter()
            .map(|entry| HistoryLine {
                at: entry.at,
                by: entry.actor_id.as_ref().map(&name),
                kind: entry.kind.clone(),
                changes: entry.body.as_ref().map(|body| changes(&body.0)).unwrap_or_default(),
                reason: entry.body.as_ref().and_then(|body| body.0["reason"].as_str()).map(str::to_owned),
            })
            .collect(),
        conflict: false,
        problem: None,
    })
}

fn documents(view: &DraftView) -> Vec<DocumentView> {
    let id = &view.receipt.id;
    let shown = |(number, document): (usize, &review::DocumentView)| DocumentView {
        name: document.file_name.clone().unwrap_or_default(),
        kind: document.media_type.extension().to_uppercase(),
        is_supporting: document.role == PartRole::Supporting,
        first_page: document.pages.first().map(|page| *page as u32),
        original_url: format!("/api/v1/drafts/{id}/documents/{number}/original"),
    };
    view.made_of.iter().enumerate().map(shown).collect()
}

fn field_view(view: &DraftView, key: FieldKey, name: &impl Fn(&PersonId) -> String) -> FieldView {
    let field = view.fields.get(&key);
    FieldView {
        key,
        proposed: field.and_then(|f| f.proposed.as_ref()).and_then(proposed),
        decided: field.and_then(|f: &DraftField| f.decided.as_ref()).map(|decision| DecidedView {
            value: decision.value.clone(),
            by: name(&decision.decided_by),
            at: decision.decided_at,
        }),
        refused: None,
        needed_for: Step::needing(key),
    }
}

/// The stored proposal as a domain value; one that no longer parses is left out rather than shown wrongly.
fn proposed(row: &FieldRow) -> Option<Field> {
    Some(Field {
        key: row.key,
        value: FieldValue::parse(row.key, &row.value).ok()?,
        p: row.p as f32,
        evidence: row.evidence(),
        source: row.source.clone(),
        reasons: row.reasons.0.clone(),
        alternatives: row.alternatives.0.clone(),
    })
}

/// A finding as a sentence: `finding.{kind}`, the kind's details in the order the sentence names them.
fn finding_line(frame: &Frame, id: &ReceiptId, finding: &FindingView, query: &str) -> FindingLine {
    let shell = &frame.shell;
    let mut text = shell.t(&format!("finding.{}", finding.kind));
    for (place, name) in details_of(finding.kind).iter().enumerate() {
        let mut value = finding.text(name).unwrap_or_default();
        // What has words of its own is said in them.
        if *name == "field" {
            value = shell.t(&format!("field.{value}"));
        } else if matches!(*name, "outcome" | "reason" | "whose") {
            value = shell.t(&format!("finding_word.{value}"));
        }
        text = text.replace(&format!("{{{place}}}"), &value);
    }
    let other = finding.other.as_ref().map(|receipt| {
        let name = [receipt.merchant.clone(), receipt.issued_on.map(|d| d.to_string()), receipt.total.clone()];
        (in_list(&format!("/drafts/{}", receipt.id), query), name.into_iter().flatten().collect::<Vec<_>>().join(" · "))
    });
    let named = |is_named: bool| finding.other.as_ref().filter(|_| is_named).map(|receipt| receipt.id.to_string());
    FindingLine {
        kind: finding.kind.as_str(),
        severity: finding.severity.as_str(),
        text,
        attach: named(finding.attachment(id).is_some()),
        kept_apart: named(finding.kind == FindingKind::KeptApart),
        other,
    }
}

/// The details a kind's sentence names, in order.
const fn details_of(kind: FindingKind) -> &'static [&'static str] {
    use FindingKind as K;
    match kind {
        K::SourcesDisagree => &["field", "chosen", "others"],
        K::SumsDoNotAddUp => &["net", "tax", "total"],
        K::ItemsDoNotAddUp => &["items", "stated"],
        K::CapitalsDiffer => &["capitals", "total"],
        K::TaxRateUnusual => &["rate"],
        K::BuyerIsPerson | K::BuyerNameDiffers => &["buyer"],
        K::BuyerTaxIdDiffers => &["stated", "expected"],
        K::TaxIdInvalid => &["whose", "number"],
        K::OverAge | K::FutureDate => &["days"],
        K::CrossYear => &["year"],
        K::SameExpense => &["reason"],
        K::Verified | K::VerificationFailed => &["outcome", "on"],
        K::DuplicateInvoice
        | K::PossibleDuplicate
        | K::BuyerMissing
        | K::ConsecutiveNumbers
        | K::RedUnpaired
        | K::RedPaired
        | K::CancelledByRed
        | K::KeptApart
        | K::SupportingAlone
        | K::NotVerified => &[],
    }
}

/// Codes as they were read; what nobody understands is shown all the same.
fn codes(view: &DraftView) -> Vec<CodeLine> {
    const MAX_SHOWN: usize = 20;
    const MAX_CHARS: usize = 300;
    let shown = view.codes.iter().take(MAX_SHOWN);
    shown
        .map(|code| CodeLine {
            format: payloads::parse(&code.text).map(|payload| payload.format),
            text: code.text.chars().take(MAX_CHARS).collect(),
        })
        .collect()
}

fn flags(view: &DraftView) -> Vec<String> {
    match view.receipt.visit() {
        VisitChoice::Undecided => vec!["no_visit".to_owned()],
        VisitChoice::NoVisit | VisitChoice::Visit(_) => Vec::new(),
    }
}

async fn may(tx: &mut Tx, actor: &Actor, view: &DraftView) -> Result<May, ApiError> {
    let row = &view.receipt;
    let is_own = row.owner_id == actor.id;
    let is_reviewer = policy::is_reviewer(actor);
    let with_rep = matches!(row.state, DraftState::Draft | DraftState::Returned);
    let in_queue = row.state == DraftState::Submitted;
    let reviewers = crate::store::people::count_active(tx, Role::Reviewer).await?;
    Ok(May {
        edit: (with_rep && (is_own || is_reviewer)) || (in_queue && is_reviewer),
        confirm: in_queue && policy::may_judge(actor, is_own, reviewers),
        decide: in_queue && is_reviewer,
        reopen: match row.state {
            DraftState::Confirmed | DraftState::Rejected => is_reviewer,
            DraftState::Withdrawn => is_own || is_reviewer,
            DraftState::Draft | DraftState::Submitted | DraftState::Returned | DraftState::Merged => false,
        },
        submit: with_rep && (is_own || is_reviewer),
        withdraw: is_own && (with_rep || in_queue),
        pair: policy::may_judge(actor, is_own, reviewers),
        verify: crate::findings::may_record_of(actor, &row.owner_id, reviewers)
            && view.findings.iter().any(|finding| is_about_bureau(finding.kind)),
    })
}

/// Whether a finding says what the tax bureau said, or that nobody has asked: only invoices have one.
const fn is_about_bureau(kind: FindingKind) -> bool {
    matches!(kind, FindingKind::NotVerified | FindingKind::Verified | FindingKind::VerificationFailed)
}

/// The drafts before and after in the list one came from; reps come from their own list.
async fn queue_place(
    state: &AppState,
    actor: &Actor,
    row: &ReceiptRow,
    address: &Address,
) -> Result<QueuePlace, ApiError> {
    let query = address.query();
    if !policy::is_reviewer(actor) {
        return Ok(QueuePlace { list_url: "/receipts".to_owned(), ..QueuePlace::default() });
    }
    let list_url = in_list("/review", &query);
    let mut place = QueuePlace { list_url, query: query.clone(), ..QueuePlace::default() };
    if !address.is_queue() {
        return Ok(place);
    }
    let url = |id: &ReceiptId| in_list(&format!("/drafts/{id}"), &query);
    let found = review::place_in_queue(&state.app, actor, address.filter()?, row).await?;
    place.previous_url = found.previous.map(|previous| url(&previous.id));
    place.next_url = found.next.as_ref().map(|next| url(&next.id));
    place.next_preview_url = found.next.as_ref().and_then(super::receipts::first_preview);
    place.waiting = Some(found.waiting);
    Ok(place)
}

/// Changed fields of a `draft.edited` entry.
fn changes(body: &Value) -> Vec<Change> {
    let Some(changes) = body["changes"].as_object() else { return Vec::new() };
    let text = |value: &Value| value.as_str().map(str::to_owned);
    changes
        .iter()
        .filter_map(|(key, change)| {
            Some(Change { key: key.parse().ok()?, from: text(&change["from"]), to: text(&change["to"]) })
        })
        .collect()
}
