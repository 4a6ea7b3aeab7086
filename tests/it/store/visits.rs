//! Customers and visits.

use std::time::Duration;

use vouch::{
    domain::{
        ids::{CustomerId, VisitId},
        time::Timestamp,
        visit::{CustomerType, VisitPurpose},
    },
    store::{
        Json,
        customers::{self, Customer},
        people::Person,
        visits::{self, Visit, VisitFilter},
    },
};

use crate::support::{NOW, TestApp, app, on_both, rep};

const HOUR: Duration = Duration::from_hours(1);

fn customer(world: &TestApp, name: &str, external_id: Option<&str>) -> Customer {
    Customer {
        id: world.app.id::<CustomerId>(),
        name: name.to_owned(),
        name_key: name.to_lowercase(),
        customer_type: CustomerType::Potential,
        external_id: external_id.map(str::to_owned),
        revision: 1,
        created_at: NOW,
        updated_at: NOW,
    }
}

fn visit(world: &TestApp, customer: &Customer, owner: &Person, starts_at: Timestamp) -> Visit {
    Visit {
        id: world.app.id::<VisitId>(),
        customer_id: customer.id.clone(),
        customer_name: customer.name.clone(),
        customer_type: customer.customer_type,
        owner_id: owner.id.clone(),
        purpose: VisitPurpose::Sales,
        starts_at,
        ends_at: Some(starts_at.plus(HOUR)),
        place: Some("Zürich".to_owned()),
        attendees: Json(vec!["王芳".to_owned(), "Tom".to_owned()]),
        note: None,
        external_id: None,
        revision: 1,
        created_at: NOW,
        updated_at: NOW,
    }
}

#[tokio::test]
async fn a_customer_known_by_its_external_id_is_changed_not_doubled() {
    on_both(async |db| {
        let world = app(&db).await;
        let mut tx = db.write().await.unwrap();
        let acme = customer(&world, "Acme", Some("crm-1"));
        assert_eq!(customers::upsert(&mut tx, &acme).await.unwrap(), acme.id);
        let again = Customer { customer_type: CustomerType::Existing, ..customer(&world, "Acme AG", Some("crm-1")) };
        assert_eq!(customers::upsert(&mut tx, &again).await.unwrap(), acme.id, "kept under the first id");
        let found = customers::find_by_external_id(&mut tx, "crm-1").await.unwrap().unwrap();
        assert_eq!(
            (found.id.clone(), found.name.as_str(), found.customer_type),
            (acme.id.clone(), "Acme AG", CustomerType::Existing)
        );
        let renamed = Customer { name: "Acme SE".to_owned(), name_key: "acme se".to_owned(), ..found };
        assert_eq!(renamed.revision, 2, "the second upsert counts");
        assert!(customers::update(&mut tx, &renamed).await.unwrap());
        assert!(!customers::update(&mut tx, &renamed).await.unwrap(), "that was from an older revision");
        let renamed = Customer { revision: 3, ..renamed };
        assert_eq!(customers::find(&mut tx, &acme.id).await.unwrap(), Some(renamed.clone()));
        assert_eq!(customers::find_by_name_key(&mut tx, "acme se").await.unwrap(), Some(renamed));
        assert_eq!(customers::find_by_name_key(&mut tx, "acme").await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn customers_are_searched_in_pages_and_wildcards_are_only_letters() {
    on_both(async |db| {
        let world = app(&db).await;
        let mut tx = db.write().await.unwrap();
        for name in ["100% Tea", "100 Teas", "上海茶叶", "上海茶叶", "a_b!c"] {
            customers::upsert(&mut tx, &customer(&world, name, None)).await.unwrap();
        }
        let mut names = async |part: &str| -> Vec<String> {
            customers::search(&mut tx, part, None, 10).await.unwrap().into_iter().map(|c| c.name).collect()
        };
        assert_eq!(names("100%").await, ["100% Tea"]);
        assert_eq!(names("_").await, ["a_b!c"]);
        assert_eq!(names("!").await, ["a_b!c"]);
        assert_eq!(names("茶").await, ["上海茶叶", "上海茶叶"]);
        let first = customers::search(&mut tx, "", None, 3).await.unwrap();
        let last = first.last().unwrap();
        let rest = customers::search(&mut tx, "", Some((&last.name_key, &last.id)), 3).await.unwrap();
        let mut seen: Vec<_> = first.iter().chain(&rest).map(|c| c.id.clone()).collect();
        seen.sort();
        seen.dedup();
        assert_eq!((first.len(), rest.len(), seen.len()), (3, 2, 5));
    })
    .await;
}

#[tokio::test]
async fn a_visit_is_found_with_its_customer_and_changed_by_id_or_external_id() {
    on_both(async |db| {
        let world = app(&db).await;
        let mei = rep(&world, "mei").await;
        let mut tx = db.write().await.unwrap();
        let acme = customer(&world, "Acme", None);
        customers::upsert(&mut tx, &acme).await.unwrap();
        let first = Visit { external_id: Some("v-1".to_owned()), ..visit(&world, &acme, &mei, NOW) };
        assert_eq!(visits::upsert(&mut tx, &first).await.unwrap(), first.id);
        assert_eq!(visits::find(&mut tx, &first.id).await.unwrap().as_ref(), Some(&first));
        let again = Visit { id: world.app.id::<VisitId>(), place: None, ..first.clone() };
        assert_eq!(visits::upsert(&mut tx, &again).await.unwrap(), first.id);
        assert_eq!(visits::find_by_external_id(&mut tx, "v-1").await.unwrap().unwrap().place, None);
        let moved = Visit { purpose: VisitPurpose::Service, ends_at: None, note: Some("late".to_owned()), ..first };
        assert!(!visits::update(&mut tx, &moved).await.unwrap(), "the second upsert has counted");
        assert!(visits::update(&mut tx, &Visit { revision: 2, ..moved.clone() }).await.unwrap());
        let moved = Visit { revision: 3, ..moved };
        assert_eq!(visits::find(&mut tx, &moved.id).await.unwrap(), Some(moved));
    })
    .await;
}

#[tokio::test]
async fn visits_are_searched_by_owner_customer_and_time_the_latest_first_in_pages() {
    on_both(async |db| {
        let world = app(&db).await;
        let (mei, tom) = (rep(&world, "mei").await, rep(&world, "tom").await);
        let mut tx = db.write().await.unwrap();
        let (acme, brot) = (customer(&world, "Acme", None), customer(&world, "Brot", None));
        customers::upsert(&mut tx, &acme).await.unwrap();
        customers::upsert(&mut tx, &brot).await.unwrap();
        let mut ids = Vec::new();
        for hour in 0..4 {
            let made = visit(&world, &acme, &mei, NOW.plus(hour * HOUR));
            ids.push(visits::upsert(&mut tx, &made).await.unwrap());
        }
        ids.push(visits::upsert(&mut tx, &visit(&world, &brot, &tom, NOW)).await.unwrap());
        let recent = visits::list_recent(&mut tx, &mei.id, 2).await.unwrap();
        assert_eq!(recent.iter().map(|v| v.id.clone()).collect::<Vec<_>>(), [ids[3].clone(), ids[2].clone()]);

        let mine = VisitFilter { owner: Some(&mei.id), ..VisitFilter::default() };
        let last = recent.last().unwrap();
        let rest = visits::search(&mut tx, mine, Some((last.starts_at, &last.id)), 9).await.unwrap();
        assert_eq!(rest.iter().map(|v| v.id.clone()).collect::<Vec<_>>(), [ids[1].clone(), ids[0].clone()]);
        let of = |found: Vec<Visit>| found.len();
        let brots = VisitFilter { customer_part: "bro", ..VisitFilter::default() };
        assert_eq!(of(visits::search(&mut tx, brots, None, 9).await.unwrap()), 1);
        let window =
            VisitFilter { from: Some(NOW.plus(HOUR)), until: Some(NOW.plus(3 * HOUR)), ..VisitFilter::default() };
        assert_eq!(of(visits::search(&mut tx, window, None, 9).await.unwrap()), 2);
        let acmes = VisitFilter { customer: Some(&acme.id), ..VisitFilter::default() };
        assert_eq!(of(visits::search(&mut tx, acmes, None, 9).await.unwrap()), 4);
    })
    .await;
}
