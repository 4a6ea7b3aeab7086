//! People to act in tests, made straight in the store: no test waits for a password to be hashed unless it is about passwords.

use std::collections::BTreeSet;

use vouch::{
    domain::{
        ids::PersonId,
        person::{Actor, Language, Role},
    },
    store::{Db, people, people::Person},
};

use super::{NOW, TestApp};

/// A person row with these roles, not stored.
pub fn person(world: &TestApp, user_name: &str, roles: &[Role]) -> Person {
    Person {
        id: world.app.id::<PersonId>(),
        user_name: user_name.to_owned(),
        display_name: user_name.to_owned(),
        email: None,
        must_change_password: false,
        language: Language::En,
        disabled_at: None,
        created_at: NOW,
        roles: roles.iter().copied().collect(),
        units: BTreeSet::new(),
        revision: 1,
    }
}

/// Stores a person with these roles (at least one) and gives them as an actor.
pub async fn actor(world: &TestApp, user_name: &str, roles: &[Role]) -> Actor {
    store(&world.app.db, &person(world, user_name, roles)).await.actor().expect("a person with a role")
}

/// Stores a rep and gives their row.
pub async fn rep(world: &TestApp, user_name: &str) -> Person {
    store(&world.app.db, &person(world, user_name, &[Role::Rep])).await
}

async fn store(db: &Db, person: &Person) -> Person {
    let mut tx = db.write().await.expect("a transaction");
    // Not a hash of any password: nobody signs in as this person.
    assert!(people::create(&mut tx, person, "!").await.expect("storing a person"), "user name taken");
    tx.commit().await.expect("commit");
    person.clone()
}
