//! Organisation, units, people.

use std::collections::BTreeSet;

use vouch::{
    domain::{
        ids::{LegalEntityId, OrganisationId, UnitId},
        person::{Language, Role},
    },
    store::{
        Json, Tx,
        organisation::{self, LegalEntity, Organisation, Unit},
        people,
    },
};

use crate::support::{NOW, TestApp, app, on_both, person, rep};

#[tokio::test]
async fn the_organisation_is_found_as_it_was_created_and_can_be_changed() {
    on_both(async |db| {
        let world = app(&db).await;
        let mut tx = db.write().await.unwrap();
        assert_eq!(organisation::find(&mut tx).await.unwrap(), None);
        let mut vouch = Organisation {
            id: world.app.id::<OrganisationId>(),
            name: "Example 有限公司".to_owned(),
            time_zone: "Asia/Shanghai".to_owned(),
            home_currency: "CNY".parse().unwrap(),
            languages: Json(vec!["zh-CN".to_owned(), "en-GB".to_owned()]),
            submits_automatically: true,
            created_at: NOW,
        };
        organisation::create(&mut tx, &vouch).await.unwrap();
        assert_eq!(organisation::find(&mut tx).await.unwrap().as_ref(), Some(&vouch));
        vouch.submits_automatically = false;
        vouch.home_currency = "JPY".parse().unwrap();
        assert!(organisation::update(&mut tx, &vouch).await.unwrap());
        assert_eq!(organisation::find(&mut tx).await.unwrap(), Some(vouch));
    })
    .await;
}

#[tokio::test]
async fn legal_entities_are_listed_in_the_order_they_came_and_change_by_id() {
    on_both(async |db| {
        let world = app(&db).await;
        let mut tx = db.write().await.unwrap();
        let mut entity = LegalEntity {
            id: world.app.id::<LegalEntityId>(),
            name: "Example GmbH".to_owned(),
            tax_id: Some("DE123456789".to_owned()),
            country: Some("DE".to_owned()),
            home_currency: Some("EUR".parse().unwrap()),
            created_at: NOW,
        };
        organisation::put_legal_entity(&mut tx, &entity).await.unwrap();
        entity.tax_id = None;
        organisation::put_legal_entity(&mut tx, &entity).await.unwrap();
        assert_eq!(organisation::list_legal_entities(&mut tx, 10).await.unwrap(), [entity]);
    })
    .await;
}

async fn unit(world: &TestApp, tx: &mut Tx, name: &str, parent: Option<&Unit>) -> Unit {
    let unit = Unit {
        id: world.app.id::<UnitId>(),
        legal_entity_id: None,
        parent_id: parent.map(|p| p.id.clone()),
        name: name.to_owned(),
        created_at: NOW,
    };
    organisation::put_unit(tx, &unit).await.unwrap();
    unit
}

#[tokio::test]
async fn units_below_reach_any_depth_and_a_circle_of_parents_ends() {
    on_both(async |db| {
        let world = app(&db).await;
        let boss = rep(&world, "boss").await;
        let mut tx = db.write().await.unwrap();
        let mut sales = unit(&world, &mut tx, "sales", None).await;
        let east = unit(&world, &mut tx, "east", Some(&sales)).await;
        let shanghai = unit(&world, &mut tx, "shanghai", Some(&east)).await;
        let service = unit(&world, &mut tx, "service", None).await;
        let all = |units: &[&Unit]| units.iter().map(|u| u.id.clone()).collect::<BTreeSet<_>>();
        assert_eq!(organisation::units_below(&mut tx, &sales.id).await.unwrap(), all(&[&sales, &east, &shanghai]));
        assert_eq!(organisation::units_below(&mut tx, &shanghai.id).await.unwrap(), all(&[&shanghai]));

        people::set_units(&mut tx, &boss.id, &all(&[&east, &service])).await.unwrap();
        let reach = organisation::units_in_reach(&mut tx, &boss.id).await.unwrap();
        assert_eq!(reach, all(&[&east, &shanghai, &service]));
        assert_eq!(people::find(&mut tx, &boss.id).await.unwrap().unwrap().units, all(&[&east, &service]));

        sales.parent_id = Some(shanghai.id.clone());
        organisation::put_unit(&mut tx, &sales).await.unwrap();
        assert_eq!(organisation::units_below(&mut tx, &east.id).await.unwrap(), all(&[&sales, &east, &shanghai]));
        assert_eq!(organisation::list_units(&mut tx, 10).await.unwrap().len(), 4);
    })
    .await;
}

#[tokio::test]
async fn a_person_is_found_by_id_and_name_with_roles_and_a_taken_name_stores_nothing() {
    on_both(async |db| {
        let world = app(&db).await;
        let mut tx = db.write().await.unwrap();
        let mut mei = person(&world, "mei", &[Role::Rep, Role::Reviewer]);
        mei.email = Some("mei@example.com".to_owned());
        assert!(people::create(&mut tx, &mei, "hash").await.unwrap());
        assert_eq!(people::find(&mut tx, &mei.id).await.unwrap().as_ref(), Some(&mei));
        assert_eq!(people::find_by_user_name(&mut tx, "mei").await.unwrap().as_ref(), Some(&mei));
        let credentials = people::find_credentials(&mut tx, "mei").await.unwrap().unwrap();
        assert_eq!((credentials.person_id, credentials.password_hash.as_str()), (mei.id.clone(), "hash"));

        let other = person(&world, "mei", &[Role::Admin]);
        assert!(!people::create(&mut tx, &other, "other").await.unwrap());
        assert_eq!(people::find(&mut tx, &other.id).await.unwrap(), None);
        assert_eq!(people::count_active(&mut tx, Role::Admin).await.unwrap(), 0);
        assert_eq!(people::find_by_user_name(&mut tx, "nobody").await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn roles_language_password_and_disabling_change_what_is_found() {
    on_both(async |db| {
        let world = app(&db).await;
        let mei = rep(&world, "mei").await;
        let mut tx = db.write().await.unwrap();
        people::set_roles(&mut tx, &mei.id, &BTreeSet::from([Role::Admin, Role::Reviewer])).await.unwrap();
        assert!(people::set_language(&mut tx, &mei.id, Language::Zh).await.unwrap());
        assert!(people::set_password(&mut tx, &mei.id, "new", true).await.unwrap());
        assert!(people::set_profile(&mut tx, &mei.id, "梅", Some("m@example.com"), Language::Zh).await.unwrap());
        assert_eq!(people::count_active(&mut tx, Role::Reviewer).await.unwrap(), 1);
        let found = people::find(&mut tx, &mei.id).await.unwrap().unwrap();
        assert_eq!(found.roles, BTreeSet::from([Role::Admin, Role::Reviewer]));
        assert_eq!(
            (found.language, found.must_change_password, found.display_name.as_str()),
            (Language::Zh, true, "梅")
        );
        assert!(found.actor().unwrap().is(Role::Admin));

        assert!(people::set_disabled(&mut tx, &mei.id, Some(NOW)).await.unwrap());
        assert_eq!(people::count_active(&mut tx, Role::Reviewer).await.unwrap(), 0);
        assert_eq!(people::find(&mut tx, &mei.id).await.unwrap().unwrap().actor(), None);
        assert!(people::find_credentials(&mut tx, "mei").await.unwrap().unwrap().disabled_at.is_some());
        people::set_disabled(&mut tx, &mei.id, None).await.unwrap();
        people::set_roles(&mut tx, &mei.id, &BTreeSet::new()).await.unwrap();
        assert_eq!(people::find(&mut tx, &mei.id).await.unwrap().unwrap().actor(), None, "no role, no actor");
    })
    .await;
}

#[tokio::test]
async fn people_are_listed_in_pages_without_gaps_or_repeats() {
    on_both(async |db| {
        let world = app(&db).await;
        for name in ["dora", "anna", "chen", "bob"] {
            rep(&world, name).await;
        }
        let mut tx = db.read().await.unwrap();
        let first = people::list(&mut tx, None, 3).await.unwrap();
        let rest = people::list(&mut tx, first.last().map(|p| p.user_name.as_str()), 3).await.unwrap();
        let names: Vec<_> = first.iter().chain(&rest).map(|p| p.user_name.as_str()).collect();
        assert_eq!(names, ["anna", "bob", "chen", "dora"]);
    })
    .await;
}
