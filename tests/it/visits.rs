//! Customers and visits as people enter and import them, on both databases.

use vouch::{
    domain::{
        person::{Actor, Role},
        visit::{CustomerType, VisitPurpose},
    },
    people,
    store::{customers, visits as rows},
    visits::{
        self, CustomerInput, ImportError, MAX_IMPORT_ROWS, RowOutcome, RowProblem, RowResult, VisitError, VisitInput,
    },
};

use crate::support::{NOW, TestApp, actor, app, journal_kinds, on_both};

fn acme() -> CustomerInput {
    CustomerInput { name: "ACME 上海".to_owned(), customer_type: CustomerType::Potential, external_id: None }
}

async fn visit_input(world: &TestApp, by: &Actor) -> VisitInput {
    let customer = visits::create_customer(&world.app, by, acme()).await.unwrap();
    VisitInput {
        customer_id: customer.id,
        owner_id: None,
        purpose: VisitPurpose::Sales,
        starts_at: NOW,
        ends_at: None,
        place: Some(" Zürich ".to_owned()),
        attendees: vec!["王芳".to_owned()],
        note: None,
        external_id: None,
    }
}

#[tokio::test]
async fn a_rep_enters_and_changes_their_own_visits_and_each_change_is_journalled() {
    on_both(async |db| {
        let world = app(&db).await;
        let mei = actor(&world, "mei", &[Role::Rep]).await;
        let input = visit_input(&world, &mei).await;
        let visit = visits::create_visit(&world.app, &mei, input.clone()).await.unwrap();
        assert_eq!((visit.owner_id.clone(), visit.place.as_deref()), (mei.id.clone(), Some("Zürich")));
        assert_eq!(visit.customer_name, "ACME 上海");
        let same = visits::update_visit(&world.app, &mei, &visit.id, 1, input.clone()).await.unwrap();
        assert_eq!(same, visit, "nothing changed, nothing journalled");
        let later = VisitInput { note: Some("sample".to_owned()), ..input };
        let changed = visits::update_visit(&world.app, &mei, &visit.id, 1, later).await.unwrap();
        assert_eq!((visit.revision, changed.revision), (1, 2));
        let stale = visits::update_visit(&world.app, &mei, &visit.id, 1, visit_input(&world, &mei).await).await;
        let Err(VisitError::VisitChanged(current)) = stale else { panic!("{stale:?}") };
        assert_eq!(*current, changed, "the refusal shows the current state");
        let mut tx = db.read().await.unwrap();
        assert_eq!(rows::find(&mut tx, &visit.id).await.unwrap(), Some(changed));
        drop(tx);
        let won = CustomerInput { customer_type: CustomerType::New, ..acme() };
        visits::update_customer(&world.app, &mei, &visit.customer_id, 1, won.clone()).await.unwrap();
        let same = visits::update_customer(&world.app, &mei, &visit.customer_id, 2, won.clone()).await.unwrap();
        assert_eq!(same.revision, 2, "nothing changed, nothing counted");
        let stale = visits::update_customer(&world.app, &mei, &visit.customer_id, 1, won).await;
        assert!(matches!(stale, Err(VisitError::CustomerChanged(current)) if *current == same));
        assert_eq!(
            journal_kinds(&db).await,
            // The second customer came with the input of the refused change.
            ["customer.created", "visit.created", "visit.updated", "customer.created", "customer.updated"]
        );
    })
    .await;
}

#[tokio::test]
async fn others_visits_are_admins_business_and_auditors_only_look() {
    on_both(async |db| {
        let world = app(&db).await;
        let (mei, tom) = (actor(&world, "mei", &[Role::Rep]).await, actor(&world, "tom", &[Role::Rep]).await);
        let (boss, audit) = (actor(&world, "boss", &[Role::Admin]).await, actor(&world, "au", &[Role::Auditor]).await);
        let input = visit_input(&world, &mei).await;
        let visit = visits::create_visit(&world.app, &mei, input.clone()).await.unwrap();
        let by_tom = visits::update_visit(&world.app, &tom, &visit.id, 1, input.clone()).await;
        assert!(matches!(by_tom, Err(VisitError::NoSuchVisit(_))), "tom does not learn that it exists");
        let for_mei = VisitInput { owner_id: Some(mei.id.clone()), ..input.clone() };
        let forged = visits::create_visit(&world.app, &tom, for_mei.clone()).await;
        assert!(matches!(forged, Err(VisitError::NotAllowed)));
        assert_eq!(visits::create_visit(&world.app, &boss, for_mei.clone()).await.unwrap().owner_id, mei.id);
        let looked = visits::create_visit(&world.app, &audit, input.clone()).await;
        assert!(matches!(looked, Err(VisitError::NotAllowed)));
        people::disable(&world.app, None, &mei.id).await.unwrap();
        let gone = visits::create_visit(&world.app, &boss, for_mei).await;
        assert!(matches!(gone, Err(VisitError::NoSuchOwner(_))));
    })
    .await;
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_with_its_reason() {
    on_both(async |db| {
        let world = app(&db).await;
        let mei = actor(&world, "mei", &[Role::Rep]).await;
        let input = visit_input(&world, &mei).await;
        let before = NOW.minus(std::time::Duration::from_secs(1));
        let backwards = VisitInput { ends_at: Some(before), ..input.clone() };
        assert!(matches!(visits::create_visit(&world.app, &mei, backwards).await, Err(VisitError::EndsFirst)));
        let crowd = VisitInput { attendees: vec!["x".to_owned(); 51], ..input.clone() };
        assert!(matches!(visits::create_visit(&world.app, &mei, crowd).await, Err(VisitError::Invalid { .. })));
        let nobody = VisitInput { customer_id: world.app.id(), ..input };
        assert!(matches!(visits::create_visit(&world.app, &mei, nobody).await, Err(VisitError::NoSuchCustomer(_))));
        for name in ["", " ", "...", "a\nb", &"x".repeat(201)] {
            let input = CustomerInput { name: name.to_owned(), ..acme() };
            let refused = visits::create_customer(&world.app, &mei, input).await;
            assert!(matches!(refused, Err(VisitError::Invalid { .. })), "{name:?}");
        }
    })
    .await;
}

const FILE: &str = "\u{feff}external_id,customer,customer_type,purpose,starts_at,ends_at,place,attendees,owner\n\
    v-1,上海茶叶,potential,introduction,2026-11-23 09:30,2026-11-23T18:00:00+08:00,Shanghai,王芳、Tom; Ann,mei\n\
    v-2,上海茶叶,,Sales,2026/11/24,,,,MEI\n\
    v-3,Brot AG,existing,service,2026-11-25 10:00,,\"Bern, West\",,\n\
    v-4,Unknown,,service,2026-11-25 10:00,,,,mei\n\
    v-5,Brot AG,,lunch,2026-11-25 10:00,,,,mei\n\
    v-6,Brot AG,,service,25.11.2026,,,,mei\n\
    v-7,Brot AG,,service,2026-11-25 10:00,,,,nobody\n\
    ,Brot AG,,service,2026-11-25 10:00,,,,mei\n\
    v-9,Brot AG,,service\n\
    v-10,Brot AG,,service,2026-11-25 10:00,2026-11-25 09:00,,,mei\n";

fn words(results: &[RowResult]) -> Vec<String> {
    let word = |row: &RowResult| match &row.outcome {
        RowOutcome::Created(_) => "created".to_owned(),
        RowOutcome::Updated(_) => "updated".to_owned(),
        RowOutcome::Unchanged(_) => "unchanged".to_owned(),
        RowOutcome::Refused(problem) => match problem {
            RowProblem::Malformed(_) => "malformed".to_owned(),
            other => other.to_string(),
        },
    };
    results
        .iter()
        .map(|row| format!("{} {}: {}", row.line, row.external_id.as_deref().unwrap_or("-"), word(row)))
        .collect()
}

#[tokio::test]
async fn a_file_is_imported_row_by_row_and_a_second_time_changes_only_what_changed() {
    on_both(async |db| {
        let world = app(&db).await;
        people::first_run(&world.app, &crate::people::defaults()).await.unwrap();
        let boss = actor(&world, "boss", &[Role::Admin]).await;
        let mei = actor(&world, "mei", &[Role::Rep]).await;
        let first = visits::import_csv(&world.app, &boss, FILE.as_bytes()).await.unwrap();
        // On both databases, so the same snapshot twice.
        insta::allow_duplicates! {
            insta::assert_snapshot!(words(&first).join("\n"), @r"
            2 v-1: created
            3 v-2: created
            4 v-3: created
            5 v-4: the customer is new: say in `customer_type` whether it is new, existing or potential
            6 v-5: `lunch` is not one of introduction, sales, demonstration, delivery, service, relationship, event, other
            7 v-6: `25.11.2026` in `starts_at` is not a date and time: write `2026-11-23 09:30`
            8 v-7: there is no active person with user name `nobody`
            9 -: `external_id` is empty
            10 -: malformed
            11 v-10: the visit ends before it begins
            ");
        }
        let mut tx = db.write().await.unwrap();
        let tea = rows::find_by_external_id(&mut tx, "v-1").await.unwrap().unwrap();
        assert_eq!(tea.owner_id, mei.id);
        assert_eq!(tea.starts_at.to_string(), "2026-11-23T08:30:00Z", "Zürich is the organisation's zone");
        assert_eq!(tea.ends_at.unwrap().to_string(), "2026-11-23T10:00:00Z");
        assert_eq!(tea.attendees.0, ["王芳", "Tom", "Ann"]);
        tx.commit().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn importing_again_updates_by_external_id_and_keeps_notes_people_wrote() {
    on_both(async |db| {
        let world = app(&db).await;
        let mei = actor(&world, "mei", &[Role::Rep]).await;
        let file =
            "customer;starts_at;purpose;external_id;customer_type\nBrot AG;2026-11-25 10:00;service;b-1;existing\n";
        let import = async |file: &str| visits::import_csv(&world.app, &mei, file.as_bytes()).await.unwrap();
        let RowOutcome::Created(id) = import(file).await.remove(0).outcome else { panic!("not created") };
        assert_eq!(import(file).await[0].outcome, RowOutcome::Unchanged(id.clone()));
        let entries = journal_kinds(&db).await.len();

        let mut tx = db.write().await.unwrap();
        let mut visit = rows::find(&mut tx, &id).await.unwrap().unwrap();
        visit.note = Some("bring samples".to_owned());
        rows::update(&mut tx, &visit).await.unwrap();
        tx.commit().await.unwrap();
        let moved = file.replace("10:00", "11:00").replace("existing", "new");
        assert_eq!(import(&moved).await[0].outcome, RowOutcome::Updated(id.clone()));
        let mut tx = db.read().await.unwrap();
        let visit = rows::find(&mut tx, &id).await.unwrap().unwrap();
        assert_eq!((visit.note.as_deref(), visit.customer_type), (Some("bring samples"), CustomerType::New));
        assert_eq!(customers::search(&mut tx, "", None, 9).await.unwrap().len(), 1, "no second customer");
        drop(tx);
        assert_eq!(journal_kinds(&db).await[entries..], ["customer.updated", "visit.updated"]);
        let other = actor(&world, "tom", &[Role::Rep]).await;
        let theirs = visits::import_csv(&world.app, &other, file.as_bytes()).await.unwrap();
        assert!(matches!(theirs[0].outcome, RowOutcome::Refused(RowProblem::Refused(_))));
    })
    .await;
}

#[tokio::test]
async fn a_file_that_cannot_be_a_list_of_visits_is_refused_as_a_whole() {
    on_both(async |db| {
        let world = app(&db).await;
        let mei = actor(&world, "mei", &[Role::Rep]).await;
        let import = async |bytes: &[u8]| visits::import_csv(&world.app, &mei, bytes).await;
        let header = "external_id,customer,purpose,starts_at\n";
        assert_eq!(import(header.as_bytes()).await.unwrap(), []);
        assert!(matches!(import(b"").await, Err(ImportError::MissingColumn("external_id"))));
        assert!(matches!(
            import(b"external_id,customer,purpose\n").await,
            Err(ImportError::MissingColumn("starts_at"))
        ));
        assert!(matches!(import(b"external_id,surprise\n").await, Err(ImportError::UnknownColumn(_))));
        assert!(matches!(import(b"purpose,purpose\n").await, Err(ImportError::UnknownColumn(_))));
        assert!(matches!(import(b"external_id\xff\n").await, Err(ImportError::NotUtf8)));
        let many = format!("{header}{}", "x,y,other,2026-01-01\n".repeat(MAX_IMPORT_ROWS + 1));
        assert!(matches!(import(many.as_bytes()).await, Err(ImportError::TooManyRows)));
        let big = vec![b'a'; visits::MAX_IMPORT_BYTES + 1];
        assert!(matches!(import(&big).await, Err(ImportError::TooLarge)));
        assert_eq!(journal_kinds(&db).await, Vec::<String>::new());
    })
    .await;
}
