//! Categories and the memory of merchants.

use std::time::Duration;

use vouch::{
    domain::{category::DEFAULTS, ids::CategoryId},
    store::{
        categories::{self, Category},
        memory,
    },
};

use crate::support::{NOW, app, on_both};

#[tokio::test]
async fn the_default_categories_come_once_and_the_list_is_the_organisations_own_from_then_on() {
    on_both(async |db| {
        let world = app(&db).await;
        let mut tx = db.write().await.unwrap();
        let seed = || world.app.id::<CategoryId>();
        assert_eq!(categories::seed_defaults(&mut tx, seed, NOW).await.unwrap(), DEFAULTS.len() as u64);
        assert_eq!(categories::seed_defaults(&mut tx, seed, NOW).await.unwrap(), 0);
        let codes = |list: &[Category]| list.iter().map(|c| c.code.clone()).collect::<Vec<_>>();
        let expected: Vec<_> = DEFAULTS.iter().map(|c| c.code.to_owned()).collect();
        assert_eq!(codes(&categories::list(&mut tx, false).await.unwrap()), expected);

        categories::reorder(&mut tx, &["other".to_owned(), "taxi".to_owned()]).await.unwrap();
        let moved = codes(&categories::list(&mut tx, false).await.unwrap());
        assert_eq!(moved[..3], ["other", "taxi", "meals"]);
        assert_eq!(moved.len(), expected.len());

        assert!(categories::set_active(&mut tx, "medical", false).await.unwrap());
        assert!(!categories::set_active(&mut tx, "no_such", false).await.unwrap());
        assert!(!codes(&categories::list(&mut tx, true).await.unwrap()).contains(&"medical".to_owned()));
        assert!(codes(&categories::list(&mut tx, false).await.unwrap()).contains(&"medical".to_owned()));

        let mut samples = categories::find_by_code(&mut tx, "meals").await.unwrap().unwrap();
        samples.name_en = "Food".to_owned();
        categories::put(&mut tx, &Category { id: seed(), ..samples.clone() }).await.unwrap();
        assert_eq!(
            categories::find_by_code(&mut tx, "meals").await.unwrap(),
            Some(samples.clone()),
            "same id, new name"
        );
        categories::put(&mut tx, &Category { id: seed(), code: "samples".to_owned(), ..samples }).await.unwrap();
        assert_eq!(categories::list(&mut tx, false).await.unwrap().len(), expected.len() + 1);
    })
    .await;
}

#[tokio::test]
async fn the_last_confirmation_of_a_merchant_wins_even_in_the_same_instant() {
    on_both(async |db| {
        let mut tx = db.write().await.unwrap();
        assert_eq!(memory::lookup(&mut tx, "didi").await.unwrap(), None);
        for category in ["taxi", "taxi", "meals"] {
            memory::remember(&mut tx, "didi", "DiDi", category, NOW).await.unwrap();
        }
        let found = memory::lookup(&mut tx, "didi").await.unwrap().unwrap();
        assert_eq!((found.category_code.as_str(), found.times), ("meals", 1));
        memory::remember(&mut tx, "didi", "滴滴", "taxi", NOW.plus(Duration::from_secs(1))).await.unwrap();
        let found = memory::lookup(&mut tx, "didi").await.unwrap().unwrap();
        assert_eq!((found.category_code.as_str(), found.times, found.merchant.as_str()), ("taxi", 3, "滴滴"));
        assert_eq!(memory::list_of(&mut tx, "didi", 10).await.unwrap().len(), 2);

        memory::remember(&mut tx, "coop", "Coop", "meals", NOW.plus(Duration::from_secs(9))).await.unwrap();
        assert_eq!(memory::known_merchants(&mut tx, 10).await.unwrap(), ["Coop", "滴滴"]);
        assert_eq!(memory::known_merchants(&mut tx, 1).await.unwrap(), ["Coop"]);
    })
    .await;
}
