//! What checks notice, from handing in to the answer of the tax bureau, at the level of use cases, on both databases.

use std::collections::BTreeMap;

use vouch::{
    capture::{self, Handover},
    domain::{
        capture::{CaptureState, Channel, Reason},
        draft::DraftState,
        field::FieldKey,
        finding::{FindingKind, InvoiceFacts, VerificationOutcome},
        ids::{OrganisationId, ReceiptId},
        person::{Actor, Role},
        visit::VisitChoice,
    },
    findings::{self, Invoice, Provider, ProviderError, RecordError, Verdict},
    organisation::{self, EntityInput},
    review::{self, Edit, FindingView, Pairing, ReviewError, Verb},
    store::{Json, captures, categories, journal, organisation as stored, receipts},
};

use axum::http::{Method, StatusCode};

use crate::support::{Caller, NOW, TestApp, actor, app, on_both, site};

const NUMBER: &str = "26440000000000000017";

/// An organisation in Shanghai with one legal entity.
async fn furnish(world: &TestApp) {
    let mut tx = world.app.db.write().await.unwrap();
    let organisation = stored::Organisation {
        id: world.app.id::<OrganisationId>(),
        name: "Example".to_owned(),
        time_zone: "Asia/Shanghai".to_owned(),
        home_currency: "CNY".parse().unwrap(),
        languages: Json(vec!["zh-CN".to_owned()]),
        submits_automatically: true,
        created_at: NOW,
    };
    stored::create(&mut tx, &organisation).await.unwrap();
    categories::seed_defaults(&mut tx, || world.app.id(), NOW).await.unwrap();
    tx.commit().await.unwrap();
    let admin = actor(world, "admin", &[Role::Admin]).await;
    let input = EntityInput {
        name: "示例科技（上海）有限公司".to_owned(),
        tax_id: Some("91310000MA1AAAAA0P".to_owned()),
        country: Some("CN".to_owned()),
        home_currency: None,
    };
    organisation::add_entity(&world.app, &admin, input).await.unwrap();
}

/// A draft with these fields, typed in by its owner.
async fn draft(world: &TestApp, who: &Actor, own: &str, fields: &[(FieldKey, &str)]) -> ReceiptId {
    let bytes = [b"\xFF\xD8\xFF\xE0".as_slice(), own.as_bytes()].concat();
    let body = futures_util::stream::iter([Ok::<_, std::io::Error>(bytes::Bytes::from(bytes))]);
    let spooled = capture::spool(&world.app.spool, &world.app.limits, body).await.unwrap();
    let handover = Handover {
        owner: who.id.clone(),
        channel: Channel::Api,
        client_id: None,
        captured_at: None,
        place: None,
        note: None,
        visit: VisitChoice::NoVisit,
        file_name: None,
    };
    let accepted = capture::accept(&world.app, who, &handover, &spooled).await.unwrap();
    let mut tx = world.app.db.write().await.unwrap();
    let why = Some((Reason::Undecodable, "broken"));
    captures::set_state(&mut tx, &accepted.capture.id, CaptureState::Failed, why, NOW).await.unwrap();
    tx.commit().await.unwrap();
    let row = review::fill_by_hand(&world.app, who, &accepted.capture.id).await.unwrap();
    let fields: BTreeMap<_, _> = fields.iter().map(|(key, text)| (*key, Some((*text).to_owned()))).collect();
    let change = Edit { fields, visit: None };
    review::edit(&world.app, who, &row.id, row.revision, &change).await.unwrap();
    row.id
}

/// An invoice made out as it should be, with some fields otherwise.
fn invoice(other: &[(FieldKey, &'static str)]) -> Vec<(FieldKey, &'static str)> {
    let mut fields = vec![
        (FieldKey::EvidenceKind, "ordinary_fapiao"),
        (FieldKey::Merchant, "广州示例酒店管理有限公司"),
        (FieldKey::SellerTaxId, "91440101MA5AAAAA07"),
        (FieldKey::BuyerName, "示例科技(上海)有限公司"),
        (FieldKey::BuyerTaxId, "９１３１００００ＭＡ１ＡＡＡＡＡ０Ｐ"),
        (FieldKey::Date, "2026-11-05"),
        (FieldKey::Net, "1132.08"),
        (FieldKey::Tax, "67.92"),
        (FieldKey::Total, "1200.00"),
        (FieldKey::Currency, "CNY"),
        (FieldKey::InvoiceNumber, NUMBER),
    ];
    for (key, text) in other {
        fields.retain(|(known, _)| known != key);
        fields.push((*key, text));
    }
    fields
}

async fn found(world: &TestApp, who: &Actor, id: &ReceiptId) -> Vec<FindingView> {
    review::findings(&world.app, who, id).await.unwrap()
}

fn kinds(found: &[FindingView]) -> Vec<FindingKind> {
    found.iter().map(|f| f.kind).collect()
}

#[tokio::test]
async fn a_sound_invoice_is_only_not_verified_however_it_is_written() {
    on_both(async |db| {
        let world = app(&db).await;
        furnish(&world).await;
        let rep = actor(&world, "rep", &[Role::Rep]).await;
        let id = draft(&world, &rep, "a", &invoice(&[])).await;
        assert_eq!(kinds(&found(&world, &rep, &id).await), [FindingKind::NotVerified]);
    })
    .await;
}

#[tokio::test]
async fn the_same_invoice_of_two_people_is_found_on_both_and_a_rep_learns_no_more() {
    on_both(async |db| {
        let world = app(&db).await;
        furnish(&world).await;
        let first = actor(&world, "first", &[Role::Rep]).await;
        let second = actor(&world, "second", &[Role::Rep]).await;
        let reviewer = actor(&world, "reviewer", &[Role::Reviewer]).await;
        let one = draft(&world, &first, "pdf", &invoice(&[])).await;
        // A photo of the print-out: the number is written with spaces.
        let spaced = invoice(&[(FieldKey::InvoiceNumber, "2644 0000 0000 0000 0017")]);
        let two = draft(&world, &second, "photo", &spaced).await;
        for (who, id) in [(&first, &one), (&second, &two)] {
            let found = found(&world, who, id).await;
            let duplicate = found.iter().find(|f| f.kind == FindingKind::DuplicateInvoice).expect("found on both");
            assert!(duplicate.other.is_none(), "whose it is stays between the reviewers");
            assert!(!serde_json::to_string(&duplicate.detail).unwrap().contains("0000"), "{:?}", duplicate.detail);
        }
        let seen = found(&world, &reviewer, &two).await;
        assert_eq!(seen[0].kind, FindingKind::DuplicateInvoice);
        assert_eq!(seen[0].other.as_ref().map(|r| r.id.clone()), Some(one.clone()));
        // What is withdrawn is nobody's duplicate any more.
        let revision = revision(&world, &one).await;
        review::decide(&world.app, &first, &one, revision, Verb::Withdraw).await.unwrap();
        assert!(!kinds(&found(&world, &second, &two).await).contains(&FindingKind::DuplicateInvoice));
    })
    .await;
}

async fn revision(world: &TestApp, id: &ReceiptId) -> i64 {
    let mut tx = world.app.db.read().await.unwrap();
    receipts::find(&mut tx, id).await.unwrap().unwrap().revision
}

#[tokio::test]
async fn every_fault_of_an_invoice_has_its_finding_and_none_of_the_others() {
    on_both(async |db| {
        let world = app(&db).await;
        furnish(&world).await;
        let rep = actor(&world, "rep", &[Role::Rep]).await;
        let cases: Vec<(FindingKind, Vec<(FieldKey, &'static str)>)> = vec![
            (FindingKind::BuyerNameDiffers, vec![(FieldKey::BuyerName, "另一家有限公司")]),
            (FindingKind::BuyerIsPerson, vec![(FieldKey::BuyerName, "个人")]),
            (FindingKind::BuyerTaxIdDiffers, vec![(FieldKey::BuyerTaxId, "91110000MA0AAAAA04")]),
            (FindingKind::SumsDoNotAddUp, vec![(FieldKey::Tax, "67.00")]),
            (FindingKind::TaxIdInvalid, vec![(FieldKey::SellerTaxId, "91440101MA5AAAAA08")]),
            (FindingKind::OverAge, vec![(FieldKey::Date, "2025-10-05")]),
            (FindingKind::CrossYear, vec![(FieldKey::Date, "2025-12-30")]),
            (FindingKind::FutureDate, vec![(FieldKey::Date, "2026-12-30")]),
        ];
        for (index, (kind, fault)) in cases.into_iter().enumerate() {
            // Numbers far apart, so that no invoice is another's neighbour; amounts of their own.
            let number: &'static str = format!("264400000000000{index:02}000").leak();
            let mut fields = invoice(&fault);
            fields.retain(|(key, _)| *key != FieldKey::InvoiceNumber);
            fields.push((FieldKey::InvoiceNumber, number));
            let id = draft(&world, &rep, number, &fields).await;
            let mut kinds = kinds(&found(&world, &rep, &id).await);
            kinds.retain(|k| *k != FindingKind::NotVerified);
            assert_eq!(kinds, [kind]);
        }
    })
    .await;
}

#[tokio::test]
async fn neighbouring_numbers_of_one_seller_are_noticed() {
    on_both(async |db| {
        let world = app(&db).await;
        furnish(&world).await;
        let rep = actor(&world, "rep", &[Role::Rep]).await;
        draft(&world, &rep, "a", &invoice(&[])).await;
        let next = invoice(&[
            (FieldKey::InvoiceNumber, "26440000000000000018"),
            (FieldKey::Net, "943.40"),
            (FieldKey::Tax, "56.60"),
            (FieldKey::Total, "1000.00"),
        ]);
        let id = draft(&world, &rep, "b", &next).await;
        assert!(kinds(&found(&world, &rep, &id).await).contains(&FindingKind::ConsecutiveNumbers));
    })
    .await;
}

#[tokio::test]
async fn a_red_invoice_waits_for_its_blue_one_and_marks_it() {
    on_both(async |db| {
        let world = app(&db).await;
        furnish(&world).await;
        let rep = actor(&world, "rep", &[Role::Rep]).await;
        let red = invoice(&[
            (FieldKey::InvoiceNumber, "26440000000000009999"),
            (FieldKey::Net, "-1132.08"),
            (FieldKey::Tax, "-67.92"),
            (FieldKey::Total, "-1200.00"),
        ]);
        let red = draft(&world, &rep, "red", &red).await;
        let facts = InvoiceFacts { is_red: true, original_number: Some(NUMBER.to_owned()), ..InvoiceFacts::default() };
        let mut tx = world.app.db.write().await.unwrap();
        findings::set_facts(&mut tx, &red, &facts).await.unwrap();
        findings::refresh(&world.app, &mut tx, &red).await.unwrap();
        tx.commit().await.unwrap();
        assert!(kinds(&found(&world, &rep, &red).await).contains(&FindingKind::RedUnpaired));
        let blue = draft(&world, &rep, "blue", &invoice(&[])).await;
        assert_eq!(found(&world, &rep, &blue).await[0].kind, FindingKind::CancelledByRed);
        assert!(kinds(&found(&world, &rep, &red).await).contains(&FindingKind::RedPaired));
    })
    .await;
}

/// A bill of a toll road, typed in with what its reading says of it.
fn toll_bill(number: &'static str, total: &'static str, day: &'static str) -> Vec<(FieldKey, &'static str)> {
    vec![
        (FieldKey::EvidenceKind, "ordinary_fapiao"),
        (FieldKey::Merchant, "示例高速公路有限公司"),
        (FieldKey::Date, day),
        (FieldKey::Total, total),
        (FieldKey::Currency, "CNY"),
        (FieldKey::InvoiceNumber, number),
    ]
}

/// Which receipts a receipt is proposed to as a toll list or its bill, and which one supports the other.
async fn toll_proposals(world: &TestApp, who: &Actor, id: &ReceiptId) -> Vec<(ReceiptId, String)> {
    let all = found(world, who, id).await.into_iter();
    let mut proposals: Vec<_> = all
        .filter(|f| f.text("reason").as_deref() == Some("toll_list_and_bill"))
        .map(|f| (f.other.as_ref().unwrap().id.clone(), f.text("supporting").unwrap()))
        .collect();
    proposals.sort();
    proposals
}

#[tokio::test]
async fn a_toll_list_is_proposed_to_its_bills_as_they_come_and_go() {
    on_both(async |db| {
        let world = app(&db).await;
        furnish(&world).await;
        let rep = actor(&world, "rep", &[Role::Rep]).await;
        let other = actor(&world, "other", &[Role::Rep]).await;
        let list = [
            (FieldKey::EvidenceKind, "trip_sheet"),
            (FieldKey::Date, "2026-03-05"),
            (FieldKey::Total, "38.00"),
            (FieldKey::Currency, "CNY"),
        ];
        let list = draft(&world, &rep, "list", &list).await;
        let facts = InvoiceFacts { of_tolls: true, ..InvoiceFacts::default() };
        let mut tx = world.app.db.write().await.unwrap();
        findings::set_facts(&mut tx, &list, &facts).await.unwrap();
        findings::refresh(&world.app, &mut tx, &list).await.unwrap();
        tx.commit().await.unwrap();
        let bill_of =
            async |who: &Actor, number, total, day| draft(&world, who, number, &toll_bill(number, total, day)).await;
        // One bill of two does not make the sum, nor does somebody else's second one.
        let first = bill_of(&rep, "26440000000000000017", "18.00", "2026-03-01").await;
        bill_of(&other, "26440000000000000099", "20.00", "2026-03-05").await;
        assert_eq!(toll_proposals(&world, &rep, &list).await, []);
        assert!(kinds(&found(&world, &rep, &list).await).contains(&FindingKind::SupportingAlone));
        // The second, days later: the list is proposed to both, and the first learns of it.
        let second = bill_of(&rep, "26440000000000000083", "20.00", "2026-04-02").await;
        let supporting = list.as_str().to_owned();
        let mut both = vec![(first.clone(), supporting.clone()), (second.clone(), supporting.clone())];
        both.sort();
        assert_eq!(toll_proposals(&world, &rep, &list).await, both);
        for bill in [&first, &second] {
            assert_eq!(toll_proposals(&world, &rep, bill).await, [(list.clone(), supporting.clone())]);
        }
        assert!(!kinds(&found(&world, &rep, &list).await).contains(&FindingKind::SupportingAlone));
        // A third that would do as well: nobody guesses, and the bills are told.
        let third = bill_of(&rep, "26440000000000000171", "20.00", "2026-03-07").await;
        for id in [&list, &first, &second, &third] {
            assert_eq!(toll_proposals(&world, &rep, id).await, []);
        }
        let mut tx = world.app.db.read().await.unwrap();
        let revision = receipts::find(&mut tx, &third).await.unwrap().unwrap().revision;
        drop(tx);
        review::decide(&world.app, &rep, &third, revision, Verb::Withdraw).await.unwrap();
        for bill in [&first, &second] {
            assert_eq!(toll_proposals(&world, &rep, bill).await, [(list.clone(), supporting.clone())]);
        }
        // With one bill the list is evidence of it, and no more proposed to the other.
        assert_eq!(review::attach(&world.app, &rep, &first, &list).await.unwrap(), first);
        for bill in [&first, &second] {
            assert_eq!(toll_proposals(&world, &rep, bill).await, []);
        }
    })
    .await;
}

#[tokio::test]
async fn a_card_slip_is_proposed_as_evidence_of_its_receipt_and_one_click_attaches_it() {
    on_both(async |db| {
        let world = app(&db).await;
        furnish(&world).await;
        let rep = actor(&world, "rep", &[Role::Rep]).await;
        let of = |kind: &'static str| {
            vec![
                (FieldKey::EvidenceKind, kind),
                (FieldKey::Merchant, "Golden Lion"),
                (FieldKey::Date, "2026-11-20"),
                (FieldKey::Total, "128.40"),
                (FieldKey::Currency, "EUR"),
            ]
        };
        let slip = draft(&world, &rep, "slip", &of("card_slip")).await;
        assert!(kinds(&found(&world, &rep, &slip).await).contains(&FindingKind::SupportingAlone));
        let receipt = draft(&world, &rep, "receipt", &of("till_slip")).await;
        let proposed = found(&world, &rep, &receipt).await;
        assert_eq!(kinds(&proposed), [FindingKind::SameExpense]);
        assert_eq!(proposed[0].text("reason").as_deref(), Some("payment_and_receipt"));
        // From either side the slip becomes part of the receipt.
        let stays = review::attach(&world.app, &rep, &slip, &receipt).await.unwrap();
        assert_eq!(stays, receipt);
        let mut tx = world.app.db.read().await.unwrap();
        assert_eq!(receipts::find(&mut tx, &slip).await.unwrap().unwrap().state, DraftState::Merged);
        assert_eq!(receipts::parts(&mut tx, &receipt).await.unwrap().len(), 2);
        drop(tx);
        assert!(found(&world, &rep, &receipt).await.is_empty(), "nothing is proposed twice");
        // Twice the same slip is no pair but a suspicion.
        let twin = draft(&world, &rep, "twin", &of("till_slip")).await;
        assert_eq!(kinds(&found(&world, &rep, &twin).await), [FindingKind::PossibleDuplicate]);
    })
    .await;
}

/// An evening on a card: the slip of the terminal and the receipt of the house.
async fn evening(world: &TestApp, who: &Actor, own: &str, kind: &'static str) -> ReceiptId {
    let fields = [
        (FieldKey::EvidenceKind, kind),
        (FieldKey::Merchant, "Golden Lion"),
        (FieldKey::Date, "2026-11-20"),
        (FieldKey::Total, "128.40"),
        (FieldKey::Currency, "EUR"),
    ];
    draft(world, who, own, &fields).await
}

#[tokio::test]
async fn a_reviewer_who_says_that_two_papers_are_two_expenses_is_not_asked_again_until_they_take_it_back() {
    on_both(async |db| {
        let world = app(&db).await;
        furnish(&world).await;
        let rep = actor(&world, "rep", &[Role::Rep]).await;
        let stranger = actor(&world, "stranger", &[Role::Rep]).await;
        let reviewer = actor(&world, "reviewer", &[Role::Reviewer]).await;
        let slip = evening(&world, &rep, "slip", "card_slip").await;
        let receipt = evening(&world, &rep, "receipt", "till_slip").await;
        let pair = async |who: &Actor, one: &ReceiptId, other: &ReceiptId, pairing| {
            review::pair(&world.app, who, one, other, pairing).await
        };
        let apart = Pairing::KeptApart;
        let by_rep = pair(&rep, &receipt, &slip, apart).await;
        assert!(matches!(by_rep, Err(ReviewError::Forbidden(_))), "who is paid does not say so: {by_rep:?}");
        let by_stranger = pair(&stranger, &receipt, &slip, apart).await;
        assert!(matches!(by_stranger, Err(ReviewError::NoSuchDraft(_))), "{by_stranger:?}");
        let back = pair(&reviewer, &receipt, &slip, Pairing::Proposed).await;
        assert!(matches!(back, Err(ReviewError::NotProposed)), "nothing is to be taken back yet: {back:?}");
        assert_eq!(kinds(&found(&world, &reviewer, &receipt).await), [FindingKind::SameExpense]);

        pair(&reviewer, &receipt, &slip, apart).await.unwrap();
        let is_settled = async || {
            assert_eq!(kinds(&found(&world, &reviewer, &receipt).await), [FindingKind::KeptApart]);
            // A slip whose receipt is none stands alone, and that is said.
            let of_slip = kinds(&found(&world, &reviewer, &slip).await);
            assert_eq!(of_slip, [FindingKind::SupportingAlone, FindingKind::KeptApart]);
        };
        is_settled().await;
        for (one, other) in [(&receipt, &slip), (&slip, &receipt)] {
            let again = pair(&reviewer, one, other, apart).await;
            assert!(matches!(again, Err(ReviewError::NotProposed)), "{again:?}");
            let attached = review::attach(&world.app, &reviewer, one, other).await;
            assert!(matches!(attached, Err(ReviewError::NotProposed)), "{attached:?}");
            let mut tx = world.app.db.read().await.unwrap();
            let told = journal::list_for_subject(&mut tx, one.as_str(), 50).await.unwrap();
            let told: Vec<_> = told.iter().filter(|entry| entry.kind == "draft.kept_apart").collect();
            let [entry] = told.as_slice() else { panic!("one entry in the history of either") };
            assert_eq!(entry.actor_id.as_ref(), Some(&reviewer.id));
            assert_eq!(entry.body.as_ref().unwrap().0["other"], other.as_str());
        }
        // What changes on the receipts asks nobody again.
        let at = revision(&world, &slip).await;
        let fields = BTreeMap::from([(FieldKey::Payment, Some("card".to_owned()))]);
        review::edit(&world.app, &rep, &slip, at, &Edit { fields, visit: None }).await.unwrap();
        is_settled().await;
        // Another slip is another question.
        let second = evening(&world, &rep, "second slip", "card_slip").await;
        let proposed = found(&world, &reviewer, &receipt).await;
        let same: Vec<_> = proposed.iter().filter(|f| f.kind == FindingKind::SameExpense).collect();
        assert_eq!(same.len(), 1);
        assert_eq!(same[0].other.as_ref().map(|other| &other.id), Some(&second));

        pair(&reviewer, &slip, &receipt, Pairing::Proposed).await.unwrap();
        let again = kinds(&found(&world, &reviewer, &slip).await);
        assert!(again.contains(&FindingKind::SameExpense) && !again.contains(&FindingKind::KeptApart), "{again:?}");
        let stays = review::attach(&world.app, &reviewer, &slip, &receipt).await.unwrap();
        assert_eq!(stays, receipt);

        let own_slip = evening(&world, &reviewer, "own slip", "card_slip").await;
        let own = evening(&world, &reviewer, "own receipt", "till_slip").await;
        actor(&world, "colleague", &[Role::Reviewer]).await;
        let by_owner = pair(&reviewer, &own, &own_slip, apart).await;
        assert!(matches!(by_owner, Err(ReviewError::Forbidden(_))), "a colleague is there for it: {by_owner:?}");
    })
    .await;
}

#[tokio::test]
async fn the_page_and_the_api_of_a_draft_take_a_reviewers_no_to_a_proposal() {
    on_both(async |db| {
        let world = app(&db).await;
        furnish(&world).await;
        let rep = actor(&world, "rep", &[Role::Rep]).await;
        let reviewer = actor(&world, "reviewer", &[Role::Reviewer]).await;
        let slip = evening(&world, &rep, "slip", "card_slip").await;
        let receipt = evening(&world, &rep, "receipt", "till_slip").await;
        let (site, reps, reviewers) =
            (site(&world), Caller::session(&world, &rep).await, Caller::session(&world, &reviewer).await);
        let open = async |caller: &Caller, id: &ReceiptId| {
            site.send(caller, Method::GET, &format!("/drafts/{id}"), "", Vec::new()).await.text()
        };
        let post = async |caller: &Caller, act: &str, other: &str| {
            let Caller::Session { csrf, .. } = caller else { panic!("a session") };
            let form = format!("csrf={csrf}&other={other}").into_bytes();
            let path = format!("/drafts/{receipt}/{act}");
            site.send(caller, Method::POST, &path, "application/x-www-form-urlencoded", form).await
        };
        let has = |page: &str, test_id: &str| page.contains(&format!("data-testid=\"{test_id}\""));
        let page = open(&reps, &receipt).await;
        assert!(has(&page, "attach") && !has(&page, "keep-apart"), "reps attach and do not say no");
        assert!(has(&open(&reviewers, &receipt).await, "keep-apart"));
        assert_eq!(post(&reviewers, "keep-apart", "nothing").await.status, StatusCode::BAD_REQUEST);
        assert_eq!(post(&reps, "keep-apart", slip.as_str()).await.status, StatusCode::FORBIDDEN);
        let answer = post(&reviewers, "keep-apart", slip.as_str()).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
        let page = open(&reviewers, &receipt).await;
        assert!(has(&page, "finding-kept_apart") && has(&page, "propose-again") && !has(&page, "attach"), "{page}");
        assert!(!has(&open(&reps, &receipt).await, "propose-again"));
        let late = post(&reviewers, "keep-apart", slip.as_str()).await;
        assert_eq!(late.status, StatusCode::CONFLICT);
        assert!(has(&late.text(), "draft-conflict"), "the page as it is now says that somebody was faster");
        assert_eq!(post(&reviewers, "propose-again", slip.as_str()).await.status, StatusCode::SEE_OTHER);
        assert!(has(&open(&reviewers, &receipt).await, "attach"));

        let token = Caller::token(&world, &reviewer).await;
        let call = async |act: &str| {
            let path = format!("/api/v1/drafts/{receipt}/{act}");
            let body = serde_json::json!({ "other": slip }).to_string().into_bytes();
            site.send(&token, Method::POST, &path, "application/json", body).await
        };
        for (act, kind) in [("keep-apart", "kept_apart"), ("propose-again", "same_expense")] {
            let answer = call(act).await;
            assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
            assert_eq!(answer.json()[0]["kind"], kind);
            assert_eq!(answer.json()[0]["other_draft_id"], slip.as_str());
            let late = call(act).await;
            assert_eq!((late.status, &late.json()["code"]), (StatusCode::CONFLICT, &"not_proposed".into()));
        }
    })
    .await;
}

/// A bureau that knows one number.
struct Bureau;

impl Provider for Bureau {
    fn name(&self) -> &'static str {
        "fake_bureau"
    }

    async fn ask(&self, invoice: &Invoice) -> Result<Verdict, ProviderError> {
        if invoice.total.is_none() {
            return Err(ProviderError("the total is needed".to_owned()));
        }
        let outcome =
            if invoice.number == NUMBER { VerificationOutcome::Genuine } else { VerificationOutcome::NotFound };
        Ok(Verdict { outcome, note: None })
    }
}

#[tokio::test]
async fn only_an_answer_of_the_tax_bureau_verifies_an_invoice() {
    on_both(async |db| {
        let world = app(&db).await;
        furnish(&world).await;
        let rep = actor(&world, "rep", &[Role::Rep]).await;
        let reviewer = actor(&world, "reviewer", &[Role::Reviewer]).await;
        let id = draft(&world, &rep, "a", &invoice(&[])).await;
        let row = review::receipt(&world.app, &rep, &id).await.unwrap();
        let by_rep = findings::record_by_hand(&world.app, &rep, &row, VerificationOutcome::Genuine, None, None).await;
        assert!(matches!(by_rep, Err(RecordError::Forbidden)), "nobody verifies their own");

        let outcome = VerificationOutcome::Voided;
        findings::record_by_hand(&world.app, &reviewer, &row, outcome, None, Some("voided today".into()))
            .await
            .unwrap();
        assert_eq!(found(&world, &rep, &id).await[0].kind, FindingKind::VerificationFailed);

        let broken = findings::import(&world.app, &reviewer, "number,code,outcome\n26440000000000000017,,fine").await;
        assert!(matches!(broken, Err(RecordError::Line { line: 2, .. })));
        let batch = "number,code,outcome,checked_on\n26440000000000000017,,genuine,2026-11-19\n";
        assert_eq!(findings::import(&world.app, &reviewer, batch).await.unwrap(), 1);
        assert_eq!(kinds(&found(&world, &rep, &id).await), [FindingKind::Verified]);

        let other = invoice(&[(FieldKey::InvoiceNumber, "26440000000000005555"), (FieldKey::Date, "2026-11-06")]);
        let other = draft(&world, &rep, "b", &other).await;
        let row = review::receipt(&world.app, &rep, &other).await.unwrap();
        let answer = findings::ask(&world.app, &Bureau, &row).await.unwrap();
        assert_eq!(answer, Some(Ok(VerificationOutcome::NotFound)));
        assert_eq!(found(&world, &rep, &other).await[0].kind, FindingKind::VerificationFailed);

        let own = invoice(&[(FieldKey::InvoiceNumber, "26440000000000007777")]);
        let own = draft(&world, &reviewer, "c", &own).await;
        let row = review::receipt(&world.app, &reviewer, &own).await.unwrap();
        let record = async || {
            findings::record_by_hand(&world.app, &reviewer, &row, VerificationOutcome::Genuine, None, None).await
        };
        record().await.expect("an only reviewer has nobody to leave it to");
        actor(&world, "second", &[Role::Reviewer]).await;
        assert!(matches!(record().await, Err(RecordError::Own)), "another reviewer is there for it");
    })
    .await;
}

#[tokio::test]
async fn reviewers_record_the_bureaus_answer_on_the_page_and_import_many_at_once() {
    on_both(async |db| {
        let world = app(&db).await;
        furnish(&world).await;
        let rep = actor(&world, "rep", &[Role::Rep]).await;
        let reviewer = actor(&world, "reviewer", &[Role::Reviewer]).await;
        let id = draft(&world, &rep, "a", &invoice(&[])).await;
        let (site, reps, reviewers) =
            (site(&world), Caller::session(&world, &rep).await, Caller::session(&world, &reviewer).await);
        let open = async |caller: &Caller| {
            site.send(caller, Method::GET, &format!("/drafts/{id}"), "", Vec::new()).await.text()
        };
        assert!(!open(&reps).await.contains("data-testid=\"verify\""), "nobody verifies their own");
        assert!(open(&reviewers).await.contains("data-testid=\"verify\""));

        let path = format!("/drafts/{id}/verification");
        let form = |caller: &Caller, fields: &str| {
            let Caller::Session { csrf, .. } = caller else { panic!("a session") };
            format!("csrf={csrf}&{fields}").into_bytes()
        };
        let kind = "application/x-www-form-urlencoded";
        let post = async |caller: &Caller, fields: &str| {
            site.send(caller, Method::POST, &path, kind, form(caller, fields)).await
        };
        assert_eq!(post(&reps, "outcome=genuine").await.status, StatusCode::FORBIDDEN);
        assert_eq!(post(&reviewers, "outcome=lovely").await.status, StatusCode::BAD_REQUEST);
        assert_eq!(post(&reviewers, "outcome=genuine&checked_on=yesterday").await.status, StatusCode::BAD_REQUEST);
        assert_eq!(found(&world, &rep, &id).await[0].kind, FindingKind::NotVerified, "nothing was recorded");
        let recorded = post(&reviewers, "outcome=voided&checked_on=2026-11-18&note=seen+today").await;
        assert_eq!(recorded.status, StatusCode::SEE_OTHER, "{}", recorded.text());
        let failed = &found(&world, &rep, &id).await[0];
        assert_eq!(failed.kind, FindingKind::VerificationFailed);
        assert_eq!(failed.text("on").as_deref(), Some("2026-11-18"));

        let Caller::Session { csrf, .. } = &reviewers else { panic!("a session") };
        let upload = async |csv: &str| {
            let body = format!(
                "--x\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\n{csrf}\r\n--x\r\n\
                 Content-Disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\n\r\n{csv}\r\n--x--\r\n"
            );
            let kind = "multipart/form-data; boundary=x";
            site.send(&reviewers, Method::POST, "/review/verifications", kind, body.into_bytes()).await
        };
        let refused = upload("number,code,outcome\n26440000000000000017,,fine\n").await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(refused.text().contains("data-testid=\"problem\""));
        let imported = upload("number,code,outcome,checked_on\n26440000000000000017,,genuine,2026-11-19\n").await;
        assert_eq!(imported.status, StatusCode::OK);
        assert!(imported.text().contains("data-testid=\"verifications-imported\""));
        assert_eq!(kinds(&found(&world, &rep, &id).await), [FindingKind::Verified]);
    })
    .await;
}
