//! From a handed-in picture to an expense, at the level of use cases, on both databases. The reader is not here: readings
//! are stored as the pipeline would store them; `process.rs` drives the real one.

use std::collections::BTreeMap;

use vouch::{
    capture::{self, Accepted, CaptureError, Handover, Outcome},
    domain::{
        capture::{CaptureState, Channel, Reason},
        draft::{DraftState, TransitionError},
        field::FieldKey,
        ids::{OrganisationId, ReadingId},
        person::{Actor, Role},
        policy::ConfirmRefusal,
        time::Timestamp,
        visit::VisitChoice,
    },
    review::{self, Edit, ReviewError, Verb},
    store::{
        Json, captures, categories, expenses, journal, learning, memory,
        organisation::{self, Organisation},
        readings::{self, ReadingRow},
        receipts,
    },
};

use crate::support::{NOW, TestApp, actor, app, on_both};

/// A JPEG as far as the door looks: magic and something of its own.
fn picture(own: &str) -> Vec<u8> {
    [b"\xFF\xD8\xFF\xE0".as_slice(), own.as_bytes()].concat()
}

async fn hand_in(
    world: &TestApp,
    who: &Actor,
    bytes: &[u8],
    client_id: Option<&str>,
) -> Result<Accepted, CaptureError> {
    let body = futures_util::stream::iter([Ok::<_, std::io::Error>(bytes::Bytes::copy_from_slice(bytes))]);
    let spooled = capture::spool(&world.app.spool, &world.app.limits, body).await?;
    let handover = Handover {
        owner: who.id.clone(),
        channel: Channel::Api,
        client_id: client_id.map(str::to_owned),
        captured_at: None,
        place: None,
        note: None,
        visit: VisitChoice::NoVisit,
        file_name: Some("小票.jpg".to_owned()),
    };
    capture::accept(&world.app, who, &handover, &spooled).await
}

/// An organisation with categories.
pub async fn furnish(world: &TestApp) {
    let mut tx = world.app.db.write().await.unwrap();
    let organisation = Organisation {
        id: world.app.id::<OrganisationId>(),
        name: "Example".to_owned(),
        time_zone: "Asia/Shanghai".to_owned(),
        home_currency: "CNY".parse().unwrap(),
        languages: Json(vec!["zh-CN".to_owned()]),
        submits_automatically: true,
        created_at: NOW,
    };
    organisation::create(&mut tx, &organisation).await.unwrap();
    categories::seed_defaults(&mut tx, || world.app.id(), NOW).await.unwrap();
    tx.commit().await.unwrap();
}

/// A draft filled in by hand for a capture that could not be read.
async fn draft(world: &TestApp, who: &Actor, own: &str) -> receipts::ReceiptRow {
    let accepted = hand_in(world, who, &picture(own), None).await.unwrap();
    let mut tx = world.app.db.write().await.unwrap();
    let why = Some((Reason::Undecodable, "broken"));
    captures::set_state(&mut tx, &accepted.capture.id, CaptureState::Failed, why, NOW).await.unwrap();
    tx.commit().await.unwrap();
    review::fill_by_hand(&world.app, who, &accepted.capture.id).await.unwrap()
}

fn values(pairs: &[(FieldKey, &str)]) -> Edit {
    let fields = pairs.iter().map(|(key, value)| (*key, Some((*value).to_owned()))).collect::<BTreeMap<_, _>>();
    Edit { fields, visit: None }
}

fn dinner() -> Edit {
    values(&[
        (FieldKey::Merchant, "川味小馆"),
        (FieldKey::Date, "2026-11-20"),
        (FieldKey::Total, "188.50"),
        (FieldKey::Currency, "CNY"),
        (FieldKey::Category, "meals"),
    ])
}

pub async fn submitted(world: &TestApp, who: &Actor, own: &str) -> receipts::ReceiptRow {
    let row = draft(world, who, own).await;
    fill_in_and_submit(world, who, &row).await
}

/// A draft with everything that is required, before reviewers.
pub async fn fill_in_and_submit(world: &TestApp, who: &Actor, row: &receipts::ReceiptRow) -> receipts::ReceiptRow {
    let row = review::edit(&world.app, who, &row.id, row.revision, &dinner()).await.unwrap();
    review::decide(&world.app, who, &row.id, row.revision, Verb::Submit).await.unwrap()
}

#[tokio::test]
async fn the_same_bytes_or_client_id_give_the_earlier_capture_and_other_bytes_under_it_a_conflict() {
    on_both(async |db| {
        let world = app(&db).await;
        let (one, two) = (actor(&world, "one", &[Role::Rep]).await, actor(&world, "two", &[Role::Rep]).await);
        let first = hand_in(&world, &one, &picture("a"), Some("c1")).await.unwrap();
        assert_eq!(first.outcome, Outcome::Created);
        let again = hand_in(&world, &one, &picture("a"), None).await.unwrap();
        assert_eq!((again.outcome, &again.capture.id), (Outcome::AlreadyHere, &first.capture.id));
        let same_id = hand_in(&world, &one, &picture("a"), Some("c1")).await.unwrap();
        assert_eq!(same_id.capture.id, first.capture.id);
        let conflict = hand_in(&world, &one, &picture("b"), Some("c1")).await.unwrap_err();
        assert!(matches!(conflict, CaptureError::Refused { reason: Reason::IdempotencyConflict, .. }));
        // Another person's same bytes are their own document.
        let others = hand_in(&world, &two, &picture("a"), Some("c1")).await.unwrap();
        assert_eq!(others.outcome, Outcome::Created);
        assert_ne!(others.capture.id, first.capture.id);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_photo_sent_many_times_at_once_is_one_capture_and_one_job() {
    on_both(async |db| {
        let world = std::sync::Arc::new(app(&db).await);
        let who = actor(&world, "rep", &[Role::Rep]).await;
        let sends: Vec<_> = (0..12)
            .map(|_| {
                let (world, who) = (world.clone(), who.clone());
                tokio::spawn(async move { hand_in(&world, &who, &picture("storm"), None).await.unwrap() })
            })
            .collect();
        let mut ids = std::collections::BTreeSet::new();
        let mut created = 0;
        for send in sends {
            let accepted = send.await.unwrap();
            created += usize::from(accepted.outcome == Outcome::Created);
            ids.insert(accepted.capture.id);
        }
        assert_eq!((created, ids.len()), (1, 1));
        let mut tx = db.read().await.unwrap();
        assert_eq!(vouch::store::jobs::count_by_state(&mut tx).await.unwrap(), [("ready".to_owned(), 1)]);
    })
    .await;
}

#[tokio::test]
async fn a_corrected_and_confirmed_draft_is_an_expense_is_remembered_and_is_in_the_journal() {
    on_both(async |db| {
        let world = app(&db).await;
        furnish(&world).await;
        let rep = actor(&world, "rep", &[Role::Rep]).await;
        let reviewer = actor(&world, "reviewer", &[Role::Reviewer]).await;
        let row = submitted(&world, &rep, "dinner").await;
        assert_eq!((row.state, row.total_minor), (DraftState::Submitted, Some(18850)));

        let row = review::confirm(&world.app, &reviewer, &row.id, row.revision).await.unwrap();
        assert_eq!(row.state, DraftState::Confirmed);
        let mut tx = db.read().await.unwrap();
        let expense = expenses::find_by_receipt(&mut tx, &row.id).await.unwrap().unwrap();
        assert_eq!((expense.approved_minor, expense.home_minor), (18850, Some(18850)));
        assert_eq!(expenses::lines(&mut tx, &expense.id).await.unwrap()[0].category_code, "meals");
        let key = vouch::classify::merchant_key("川味小馆");
        assert_eq!(memory::lookup(&mut tx, &key).await.unwrap().unwrap().category_code, "meals");
        let kinds: Vec<String> = journal::list_for_subject(&mut tx, row.id.as_str(), 50)
            .await
            .unwrap()
            .into_iter()
            .map(|e| e.kind)
            .collect();
        assert_eq!(kinds, ["draft.started_by_hand", "draft.edited", "draft.submitted", "draft.confirmed"]);
    })
    .await;
}

/// Says that the draft's proposals came from a reading.
async fn as_if_read(world: &TestApp, row: &receipts::ReceiptRow) {
    as_if_told(world, row, serde_json::json!({})).await;
}

/// Says that the draft's proposals came from a reading that found these values.
pub async fn as_if_told(world: &TestApp, row: &receipts::ReceiptRow, values: serde_json::Value) {
    let mut tx = world.app.db.write().await.unwrap();
    let document = captures::documents(&mut tx, &row.capture_id).await.unwrap().remove(0);
    let reading = ReadingRow {
        id: world.app.id::<ReadingId>(),
        capture_id: row.capture_id.clone(),
        document_id: document.id,
        engine: "none".to_owned(),
        versions: Json(serde_json::json!({})),
        pages: Json(Vec::new()),
        codes: Json(Vec::new()),
        structured: Json(values),
        warnings: Json(Vec::new()),
        duration_ms: 1,
        created_at: NOW,
    };
    readings::insert(&mut tx, &reading).await.unwrap();
    receipts::set_reading(&mut tx, &row.id, &reading.id, 0.5).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn training_learns_from_what_was_read_and_confirmed_and_from_nothing_else() {
    on_both(async |db| {
        let world = app(&db).await;
        furnish(&world).await;
        let rep = actor(&world, "rep", &[Role::Rep]).await;
        let reviewer = actor(&world, "reviewer", &[Role::Reviewer]).await;
        let confirmed = submitted(&world, &rep, "dinner").await;
        let waiting = submitted(&world, &rep, "lunch").await;
        review::confirm(&world.app, &reviewer, &confirmed.id, confirmed.revision).await.unwrap();
        let learned = async |after: &str| {
            let mut tx = db.read().await.unwrap();
            learning::list_confirmed(&mut tx, after, 10).await.unwrap().into_iter().map(|r| r.id).collect::<Vec<_>>()
        };
        assert!(learned("").await.is_empty(), "filled in by hand: there is nothing to learn from");
        as_if_read(&world, &confirmed).await;
        as_if_read(&world, &waiting).await;
        assert_eq!(learned("").await, std::slice::from_ref(&confirmed.id));
        assert!(learned(confirmed.id.as_str()).await.is_empty(), "the next page");
    })
    .await;
}

#[tokio::test]
async fn one_corrected_category_is_what_the_next_receipt_of_that_merchant_is_proposed_as() {
    on_both(async |db| {
        let world = app(&db).await;
        furnish(&world).await;
        let rep = actor(&world, "rep", &[Role::Rep]).await;
        let reviewer = actor(&world, "reviewer", &[Role::Reviewer]).await;
        let next = async |own: &str| {
            let accepted = hand_in(&world, &rep, &picture(own), None).await.unwrap();
            let knowledge = vouch::pipeline::Knowledge::load(&world.app, &accepted.capture).await.unwrap();
            let input = vouch::classify::Input { merchant: Some("川味小馆".to_owned()), ..Default::default() };
            let model = vouch::classify::Model::embedded();
            let got = vouch::classify::classify(&input, &knowledge.memory, model, &knowledge.categories);
            (got.code, got.source)
        };
        assert_eq!(next("before").await, ("meals".to_owned(), "model"));
        for (own, code) in [("first", "meals"), ("second", "entertainment")] {
            let row = submitted(&world, &rep, own).await;
            let change = values(&[(FieldKey::Category, code)]);
            let row = review::edit(&world.app, &reviewer, &row.id, row.revision, &change).await.unwrap();
            review::confirm(&world.app, &reviewer, &row.id, row.revision).await.unwrap();
        }
        assert_eq!(next("after").await, ("entertainment".to_owned(), "memory"));
    })
    .await;
}

#[tokio::test]
async fn who_was_slower_is_told_the_current_state_instead_of_overwriting_it() {
    on_both(async |db| {
        let world = app(&db).await;
        furnish(&world).await;
        let rep = actor(&world, "rep", &[Role::Rep]).await;
        let row = draft(&world, &rep, "race").await;
        review::edit(&world.app, &rep, &row.id, row.revision, &dinner()).await.unwrap();
        let slower = review::edit(&world.app, &rep, &row.id, row.revision, &dinner()).await.unwrap_err();
        let ReviewError::Conflict { state, revision } = slower else { panic!("{slower:?}") };
        assert_eq!((state, revision), (DraftState::Draft, row.revision + 1));
    })
    .await;
}

#[tokio::test]
async fn roles_decide_who_sees_and_who_confirms() {
    on_both(async |db| {
        let world = app(&db).await;
        furnish(&world).await;
        let rep = actor(&world, "rep", &[Role::Rep]).await;
        let other = actor(&world, "other", &[Role::Rep]).await;
        let both = actor(&world, "both", &[Role::Rep, Role::Reviewer]).await;
        let row = submitted(&world, &rep, "private").await;

        let unseen = review::view(&world.app, &other, &row.id).await.unwrap_err();
        assert!(matches!(unseen, ReviewError::NoSuchDraft(_)));
        let refused = review::confirm(&world.app, &rep, &row.id, row.revision).await.unwrap_err();
        assert!(matches!(refused, ReviewError::Forbidden(_)));

        // A lone reviewer may confirm their own; with a colleague around they leave it to them.
        let own = submitted(&world, &both, "own").await;
        actor(&world, "colleague", &[Role::Reviewer]).await;
        let refused = review::confirm(&world.app, &both, &own.id, own.revision).await.unwrap_err();
        assert!(matches!(refused, ReviewError::Refused(ConfirmRefusal::Own)));
        review::confirm(&world.app, &both, &row.id, row.revision).await.unwrap();

        let queue = review::list_queue(&world.app, &both, receipts::Filter::default(), None, 10).await.unwrap();
        assert_eq!(queue.receipts.iter().map(|r| &r.id).collect::<Vec<_>>(), [&own.id]);
        let mine = review::list_mine(&world.app, &other, receipts::Filter::default(), None, 10).await.unwrap();
        assert!(mine.receipts.is_empty(), "a rep sees only what is theirs");
    })
    .await;
}

#[tokio::test]
async fn incomplete_or_unclear_drafts_do_not_get_past_the_gates() {
    on_both(async |db| {
        let world = app(&db).await;
        furnish(&world).await;
        let rep = actor(&world, "rep", &[Role::Rep]).await;
        let reviewer = actor(&world, "reviewer", &[Role::Reviewer]).await;
        let row = draft(&world, &rep, "gates").await;
        let refused = review::decide(&world.app, &rep, &row.id, row.revision, Verb::Submit).await.unwrap_err();
        let ReviewError::Missing(keys) = refused else { panic!("{refused:?}") };
        assert_eq!(keys, [FieldKey::Merchant, FieldKey::Date, FieldKey::Total, FieldKey::Currency]);

        for (key, value) in [(FieldKey::Date, "20.11.2026"), (FieldKey::Total, "1,5"), (FieldKey::Category, "fun")] {
            let refused = review::edit(&world.app, &rep, &row.id, row.revision, &values(&[(key, value)])).await;
            assert!(matches!(refused, Err(ReviewError::Field(_) | ReviewError::UnknownCategory(_))), "{key} {value}");
        }
        let too_precise = values(&[(FieldKey::Total, "1.005"), (FieldKey::Currency, "CNY")]);
        let refused = review::edit(&world.app, &rep, &row.id, row.revision, &too_precise).await.unwrap_err();
        assert!(matches!(refused, ReviewError::Money(_)));

        let undecided = Edit { visit: Some(VisitChoice::Undecided), ..dinner() };
        let row = review::edit(&world.app, &rep, &row.id, row.revision, &undecided).await.unwrap();
        let row = review::decide(&world.app, &rep, &row.id, row.revision, Verb::Submit).await.unwrap();
        let refused = review::confirm(&world.app, &reviewer, &row.id, row.revision).await.unwrap_err();
        assert!(matches!(refused, ReviewError::Refused(ConfirmRefusal::VisitUndecided)));
        let silent = Verb::Return { reason: "  ".to_owned() };
        let refused = review::decide(&world.app, &reviewer, &row.id, row.revision, silent).await.unwrap_err();
        assert!(matches!(refused, ReviewError::Transition(TransitionError::ReasonMissing { .. })));

        let returned = Verb::Return { reason: "which visit?".to_owned() };
        let row = review::decide(&world.app, &reviewer, &row.id, row.revision, returned).await.unwrap();
        assert_eq!((row.state, row.reason.as_deref()), (DraftState::Returned, Some("which visit?")));
        assert_eq!(
            review::set_visit_of_many(&world.app, &rep, std::slice::from_ref(&row.id), &VisitChoice::NoVisit)
                .await
                .unwrap(),
            1
        );
        let row = review::view(&world.app, &rep, &row.id).await.unwrap().receipt;
        let row = review::decide(&world.app, &rep, &row.id, row.revision, Verb::Submit).await.unwrap();
        let row = review::confirm(&world.app, &reviewer, &row.id, row.revision).await.unwrap();
        let row = review::decide(&world.app, &reviewer, &row.id, row.revision, Verb::Reopen).await.unwrap();
        assert_eq!(row.state, DraftState::Draft);
        let mut tx = db.read().await.unwrap();
        assert_eq!(expenses::find_by_receipt(&mut tx, &row.id).await.unwrap(), None, "reopening voids the expense");
    })
    .await;
}

#[tokio::test]
async fn a_merged_draft_leaves_its_documents_with_the_other() {
    on_both(async |db| {
        let world = app(&db).await;
        furnish(&world).await;
        let rep = actor(&world, "rep", &[Role::Rep]).await;
        let (slip, receipt) = (draft(&world, &rep, "card slip").await, draft(&world, &rep, "receipt").await);
        let merged = review::merge(&world.app, &rep, &slip.id, slip.revision, &receipt.id).await.unwrap();
        assert_eq!((merged.state, merged.merged_into.as_ref()), (DraftState::Merged, Some(&receipt.id)));
        let mut tx = db.read().await.unwrap();
        assert_eq!(receipts::parts(&mut tx, &receipt.id).await.unwrap().len(), 2);
    })
    .await;
}

#[tokio::test]
async fn the_queue_is_paged_without_gaps_or_repeats_and_searched_literally() {
    on_both(async |db| {
        let world = app(&db).await;
        furnish(&world).await;
        let rep = actor(&world, "rep", &[Role::Rep]).await;
        let reviewer = actor(&world, "reviewer", &[Role::Reviewer]).await;
        let mut all = Vec::new();
        for number in 0..5 {
            all.push(submitted(&world, &rep, &format!("page {number}")).await.id);
            // Two share an instant: the id decides.
            if number % 2 == 1 {
                world.clock.advance(std::time::Duration::from_secs(1));
            }
        }
        let (mut seen, mut after) = (Vec::new(), None);
        for _ in 0..3 {
            let page = review::list_queue(&world.app, &reviewer, receipts::Filter::default(), after.as_ref(), 2)
                .await
                .unwrap();
            seen.extend(page.receipts.into_iter().map(|r| r.id));
            after = page.next;
        }
        assert_eq!((&seen, after), (&all, None));
        // Each draft knows its neighbours and how many wait, wherever it stands; after the last comes the first.
        for (at, id) in all.iter().enumerate() {
            let current = review::receipt(&world.app, &reviewer, id).await.unwrap();
            let filter = receipts::Filter::default();
            let place = review::place_in_queue(&world.app, &reviewer, filter, &current).await.unwrap();
            let previous = at.checked_sub(1).map(|before| all[before].clone());
            assert_eq!(place.previous.map(|row| row.id), previous, "{at}");
            assert_eq!(place.next.map(|row| row.id), Some(all[(at + 1) % all.len()].clone()), "{at}");
            assert_eq!(place.waiting, 5);
        }
        for (text, found) in [("川味", 5), ("188.5", 5), ("%", 0), ("_", 0)] {
            let filter = receipts::Filter { text: Some(text.to_owned()), ..receipts::Filter::default() };
            let page = review::list_queue(&world.app, &reviewer, filter, None, 10).await.unwrap();
            assert_eq!(page.receipts.len(), found, "{text}");
            let filter = receipts::Filter { text: Some(text.to_owned()), ..receipts::Filter::default() };
            assert_eq!(review::count_queue(&world.app, &reviewer, filter).await.unwrap(), found as u64, "{text}");
        }
        assert!(Timestamp::from_micros(0) < NOW);
    })
    .await;
}
