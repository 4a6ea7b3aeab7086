//! Accounts, signing in, tokens, the first run: as a person or an attacker would see them, on both databases.

use std::{collections::BTreeSet, net::IpAddr, time::Duration};

use vouch::{
    domain::{
        category::DEFAULTS,
        ids::PersonId,
        person::{Actor, Language, Role},
    },
    people::{
        self, Attempt, NewPerson, OrganisationDefaults, PeopleError, PersonChange, SESSION_ABSOLUTE, SESSION_IDLE,
        SignedIn,
    },
    store::{categories, organisation},
};

use crate::support::{TestApp, actor, app, journal_kinds, on_both};

const MINUTE: Duration = Duration::from_mins(1);
const HOME: &str = "192.0.2.1";
const NEW_PASSWORD: &str = "a long enough one";

pub fn defaults() -> OrganisationDefaults {
    OrganisationDefaults {
        name: "Example".to_owned(),
        time_zone: "Europe/Zurich".to_owned(),
        home_currency: "CHF".parse().unwrap(),
        languages: vec!["en-GB".to_owned()],
        page_language: Language::En,
    }
}

fn new_person(user_name: &str, roles: &[Role]) -> NewPerson {
    NewPerson {
        user_name: user_name.parse().unwrap(),
        display_name: user_name.to_owned(),
        email: None,
        roles: roles.iter().copied().collect(),
        units: BTreeSet::new(),
        language: Language::En,
    }
}

async fn sign_in(world: &TestApp, user_name: &str, password: &str, from: &str) -> Result<SignedIn, PeopleError> {
    let address: IpAddr = from.parse().unwrap();
    people::sign_in(&world.app, Attempt { user_name, password, address, previous: None }).await
}

/// Creates a rep `mei` with [`NEW_PASSWORD`] and a session.
async fn mei(world: &TestApp) -> SignedIn {
    let created = people::create(&world.app, None, new_person("mei", &[Role::Rep])).await.unwrap();
    let first = sign_in(world, "mei", created.one_time_password.reveal(), HOME).await.unwrap();
    assert!(first.user.person.must_change_password);
    let one_time = created.one_time_password.reveal();
    people::change_password(&world.app, &first.user.actor, one_time, NEW_PASSWORD).await.unwrap()
}

#[tokio::test]
async fn the_first_run_makes_an_organisation_and_an_admin_once_even_when_two_processes_start_together() {
    on_both(async |db| {
        let world = app(&db).await;
        let settings = defaults();
        let (one, two) =
            tokio::join!(people::first_run(&world.app, &settings), people::first_run(&world.app, &settings));
        let made: Vec<_> = [one.unwrap(), two.unwrap()].into_iter().flatten().collect();
        assert_eq!(made.len(), 1);
        assert_eq!(people::first_run(&world.app, &settings).await.unwrap(), None);
        let signed_in = sign_in(&world, "Admin", made[0].one_time_password.reveal(), HOME).await.unwrap();
        assert_eq!(signed_in.user.actor.roles, BTreeSet::from([Role::Admin, Role::Reviewer, Role::Rep]));
        assert!(signed_in.user.person.must_change_password);
        let mut tx = db.read().await.unwrap();
        assert_eq!(organisation::find(&mut tx).await.unwrap().unwrap().home_currency.code(), "CHF");
        assert_eq!(categories::list(&mut tx, true).await.unwrap().len(), DEFAULTS.len());
        drop(tx);
        let mut kinds = journal_kinds(&db).await;
        kinds.sort();
        assert_eq!(kinds, ["organisation.created", "person.created", "person.signed_in"]);
    })
    .await;
}

#[tokio::test]
async fn unknown_disabled_and_wrong_look_the_same() {
    on_both(async |db| {
        let world = app(&db).await;
        let signed_in = mei(&world).await;
        people::disable(&world.app, None, &signed_in.user.actor.id).await.unwrap();
        for (name, password) in [("mei", NEW_PASSWORD), ("nobody", NEW_PASSWORD), ("", ""), ("m/e", "x")] {
            let refused = sign_in(&world, name, password, HOME).await.unwrap_err();
            assert!(matches!(refused, PeopleError::Refused), "{name}: {refused}");
        }
        people::enable(&world.app, None, &signed_in.user.actor.id).await.unwrap();
        assert!(matches!(sign_in(&world, "mei", "wrong password", HOME).await, Err(PeopleError::Refused)));
        sign_in(&world, " ＭＥＩ ", NEW_PASSWORD, HOME).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn guessing_is_stopped_for_the_guesser_but_never_locks_the_person_out() {
    on_both(async |db| {
        let world = app(&db).await;
        mei(&world).await;
        for _ in 0..10 {
            assert!(matches!(sign_in(&world, "mei", "guess", "203.0.113.9").await, Err(PeopleError::Refused)));
        }
        let stopped = sign_in(&world, "mei", NEW_PASSWORD, "203.0.113.9").await.unwrap_err();
        assert!(matches!(stopped, PeopleError::Throttled { .. }), "even the right password: {stopped}");
        sign_in(&world, "mei", NEW_PASSWORD, HOME).await.expect("from elsewhere she signs in");
        world.clock.advance(16 * MINUTE);
        sign_in(&world, "mei", NEW_PASSWORD, "203.0.113.9").await.expect("after the window");
        assert!(people::tidy(&world.app).await.unwrap() >= 10);
    })
    .await;
}

#[tokio::test]
async fn one_address_cannot_try_many_names_and_signing_in_right_uses_up_nothing() {
    on_both(async |db| {
        let world = app(&db).await;
        let created = people::create(&world.app, None, new_person("mei", &[Role::Rep])).await.unwrap();
        let password = created.one_time_password.reveal();
        for _ in 0..3 {
            sign_in(&world, "mei", password, HOME).await.unwrap();
        }
        let mut tx = db.write().await.unwrap();
        assert_eq!(vouch::store::sign_in::purge(&mut tx, world.app.now().plus(MINUTE)).await.unwrap(), 0);
        tx.commit().await.unwrap();
        // Passwords too long to hash: refused as cheaply as they are counted.
        let long = "x".repeat(2000);
        for n in 0..100 {
            assert!(matches!(sign_in(&world, &format!("user{n}"), &long, HOME).await, Err(PeopleError::Refused)));
        }
        assert!(matches!(sign_in(&world, "mei", password, HOME).await, Err(PeopleError::Throttled { .. })));
    })
    .await;
}

#[tokio::test]
async fn a_session_ends_when_idle_and_after_seven_days_even_in_use() {
    on_both(async |db| {
        let world = app(&db).await;
        let session = mei(&world).await;
        let secret = session.secret.reveal();
        let other = sign_in(&world, "mei", NEW_PASSWORD, HOME).await.unwrap();
        let is_in = async |secret: &str| people::authenticate_session(&world.app, secret).await.unwrap().is_some();
        assert!(!is_in("unknown").await);
        let step = SESSION_IDLE.saturating_sub(MINUTE);
        let mut used = Duration::ZERO;
        while used + step < SESSION_ABSOLUTE {
            world.clock.advance(step);
            used += step;
            assert!(is_in(secret).await, "after {used:?}");
        }
        assert!(!is_in(other.secret.reveal()).await, "the idle one has ended");
        world.clock.advance(step);
        assert!(!is_in(secret).await);
        assert_eq!(people::tidy(&world.app).await.unwrap(), 2);
    })
    .await;
}

#[tokio::test]
async fn sessions_rotate_on_sign_in_and_end_on_sign_out_and_password_change() {
    on_both(async |db| {
        let world = app(&db).await;
        let first = mei(&world).await;
        let is_in = async |session: &SignedIn| {
            people::authenticate_session(&world.app, session.secret.reveal()).await.unwrap().is_some()
        };
        let again = Attempt {
            user_name: "mei",
            password: NEW_PASSWORD,
            address: HOME.parse().unwrap(),
            previous: Some(first.secret.reveal()),
        };
        let second = people::sign_in(&world.app, again).await.unwrap();
        assert_ne!(first.secret, second.secret);
        assert!(!is_in(&first).await, "the session the browser came with has ended");
        assert!(people::is_csrf_token(&second.user.session, &second.user.session.csrf.clone()));
        assert!(!people::is_csrf_token(&second.user.session, &first.user.session.csrf));

        let elsewhere = sign_in(&world, "mei", NEW_PASSWORD, "192.0.2.2").await.unwrap();
        let actor = &second.user.actor;
        for (current, new) in
            [("wrong one!", "another long one"), (NEW_PASSWORD, "short"), (NEW_PASSWORD, NEW_PASSWORD)]
        {
            assert!(people::change_password(&world.app, actor, current, new).await.is_err(), "{current} {new}");
        }
        let third = people::change_password(&world.app, actor, NEW_PASSWORD, "another long one").await.unwrap();
        assert!(!is_in(&second).await && !is_in(&elsewhere).await, "all others have ended");
        assert!(!third.user.person.must_change_password);
        assert!(is_in(&third).await);
        people::sign_out(&world.app, &third.user).await.unwrap();
        assert!(!is_in(&third).await);
        assert!(matches!(sign_in(&world, "mei", NEW_PASSWORD, HOME).await, Err(PeopleError::Refused)));
        sign_in(&world, "mei", "another long one", HOME).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn disabling_and_changed_roles_take_effect_with_the_next_request() {
    on_both(async |db| {
        let world = app(&db).await;
        let session = mei(&world).await;
        let id = session.user.actor.id.clone();
        let token = people::create_token(&world.app, Some(&session.user.actor), &id, "phone", None).await.unwrap();
        people::set_roles(&world.app, None, &id, &BTreeSet::from([Role::Auditor])).await.unwrap();
        let roles = async || {
            let page = people::authenticate_session(&world.app, session.secret.reveal()).await.unwrap();
            let api = people::authenticate_token(&world.app, token.text.reveal()).await.unwrap();
            (page.map(|user| user.actor.roles), api.map(|actor| actor.roles))
        };
        let auditor = Some(BTreeSet::from([Role::Auditor]));
        assert_eq!(roles().await, (auditor.clone(), auditor));
        people::disable(&world.app, None, &id).await.unwrap();
        assert_eq!(roles().await, (None, None));
        people::enable(&world.app, None, &id).await.unwrap();
        assert_eq!(roles().await, (None, None), "what was ended stays ended");
    })
    .await;
}

#[tokio::test]
async fn tokens_are_ones_own_expire_and_are_revoked() {
    on_both(async |db| {
        let world = app(&db).await;
        let (mei, tom) = (actor(&world, "mei", &[Role::Rep]).await, actor(&world, "tom", &[Role::Rep]).await);
        let boss = actor(&world, "boss", &[Role::Admin]).await;
        let now = world.app.now();
        let issue = async |by: &Actor, whose: &PersonId, name: &str, expires_at| {
            people::create_token(&world.app, Some(by), whose, name, expires_at).await
        };
        let token = issue(&mei, &mei.id, "phone", Some(now.plus(10 * MINUTE))).await.unwrap();
        assert!(token.text.reveal().starts_with("vch_"));
        assert!(!format!("{token:?}").contains(token.text.reveal()), "no secret in debug output");
        assert!(matches!(issue(&boss, &mei.id, "x", None).await, Err(PeopleError::NotAllowed)), "not even admins");
        assert!(matches!(issue(&mei, &mei.id, " ", None).await, Err(PeopleError::Invalid { .. })));
        assert!(matches!(issue(&mei, &mei.id, "old", Some(now)).await, Err(PeopleError::Invalid { .. })));

        let who = async || people::authenticate_token(&world.app, token.text.reveal()).await.unwrap().map(|a| a.id);
        assert_eq!(who().await, Some(mei.id.clone()));
        let listed = people::list_tokens(&world.app, Some(&mei), &mei.id).await.unwrap();
        assert_eq!(listed[0].last_used_at, Some(now));
        assert!(matches!(people::list_tokens(&world.app, Some(&tom), &mei.id).await, Err(PeopleError::NotAllowed)));
        let id = &token.token.id;
        assert!(matches!(people::revoke_token(&world.app, Some(&tom), id).await, Err(PeopleError::NoSuchToken(_))));
        assert_eq!(who().await, Some(mei.id.clone()));
        people::revoke_token(&world.app, Some(&boss), id).await.unwrap();
        assert_eq!(who().await, None);

        let short = issue(&mei, &mei.id, "short", Some(now.plus(MINUTE))).await.unwrap();
        world.clock.advance(MINUTE);
        assert_eq!(people::authenticate_token(&world.app, short.text.reveal()).await.unwrap(), None);
        for junk in ["", "vch_", "Bearer", &"x".repeat(47), &format!("vch_{}", "A".repeat(43))] {
            assert_eq!(people::authenticate_token(&world.app, junk).await.unwrap(), None, "{junk}");
        }
    })
    .await;
}

#[tokio::test]
async fn the_last_admin_stays_even_when_two_admins_remove_each_other_at_once() {
    on_both(async |db| {
        let world = app(&db).await;
        let (ann, bob) = (actor(&world, "ann", &[Role::Admin]).await, actor(&world, "bob", &[Role::Admin]).await);
        let rep = BTreeSet::from([Role::Rep]);
        let (one, two) = tokio::join!(
            people::disable(&world.app, Some(&ann), &bob.id),
            people::set_roles(&world.app, Some(&bob), &ann.id, &rep)
        );
        assert!(one.is_ok() ^ two.is_ok(), "exactly one succeeds: {one:?} {two:?}");
        let refused = one.err().or(two.err()).unwrap();
        assert!(matches!(refused, PeopleError::LastAdmin(_)), "{refused}");
        let mut tx = db.read().await.unwrap();
        assert_eq!(vouch::store::people::count_active(&mut tx, Role::Admin).await.unwrap(), 1);
    })
    .await;
}

#[tokio::test]
async fn only_admins_and_the_console_change_accounts_and_every_change_is_journalled() {
    on_both(async |db| {
        let world = app(&db).await;
        let (boss, tom) = (actor(&world, "boss", &[Role::Admin]).await, actor(&world, "tom", &[Role::Reviewer]).await);
        let by_rep = people::create(&world.app, Some(&tom), new_person("mei", &[Role::Rep])).await;
        assert!(matches!(by_rep, Err(PeopleError::NotAllowed)));
        let no_role = people::create(&world.app, Some(&boss), new_person("mei", &[])).await;
        assert!(matches!(no_role, Err(PeopleError::NoRole)));
        let created = people::create(&world.app, Some(&boss), new_person("mei", &[Role::Rep])).await.unwrap();
        let taken = people::create(&world.app, Some(&boss), new_person("MEI", &[Role::Rep])).await;
        assert!(matches!(taken, Err(PeopleError::UserNameTaken(_))));
        let id = &created.person.id;
        people::set_roles(&world.app, Some(&boss), id, &BTreeSet::from([Role::Reviewer])).await.unwrap();
        let profile = |email: &str| PersonChange {
            display_name: Some("梅".to_owned()),
            email: Some(Some(email.to_owned())),
            language: Some(Language::Zh),
            ..PersonChange::default()
        };
        people::change(&world.app, Some(&boss), id, None, profile("M@Example.com ")).await.unwrap();
        let bad = people::change(&world.app, Some(&boss), id, None, profile("nowhere")).await;
        assert!(matches!(bad, Err(PeopleError::Invalid { .. })));
        let reset = people::reset_password(&world.app, Some(&boss), id).await.unwrap();
        let old = sign_in(&world, "mei", created.one_time_password.reveal(), HOME).await;
        assert!(matches!(old, Err(PeopleError::Refused)));
        let mei = sign_in(&world, "mei", reset.one_time_password.reveal(), HOME).await.unwrap();
        assert_eq!(mei.user.person.email.as_deref(), Some("m@example.com"));
        people::set_language(&world.app, &mei.user.actor, Language::En).await.unwrap();
        people::disable(&world.app, Some(&boss), id).await.unwrap();
        assert_eq!(
            journal_kinds(&db).await,
            [
                "person.created",
                "person.roles_changed",
                "person.profile_changed",
                "person.password_reset",
                "person.signed_in",
                "person.language_changed",
                "person.disabled",
            ]
        );
    })
    .await;
}

#[tokio::test]
async fn an_edit_of_a_person_is_everything_or_nothing_and_from_the_revision_that_was_seen() {
    on_both(async |db| {
        let world = app(&db).await;
        let boss = actor(&world, "boss", &[Role::Admin]).await;
        let id = people::create(&world.app, Some(&boss), new_person("mei", &[Role::Rep])).await.unwrap().person.id;
        let find = async || vouch::store::people::find(&mut db.read().await.unwrap(), &id).await.unwrap().unwrap();
        let before = find().await;
        assert_eq!(before.revision, 1);
        let everything = PersonChange {
            roles: Some(BTreeSet::from([Role::Reviewer])),
            display_name: Some("梅".to_owned()),
            disabled: Some(true),
            ..PersonChange::default()
        };
        let half_wrong = PersonChange { email: Some(Some("nowhere".to_owned())), ..everything.clone() };
        let refused = people::change(&world.app, Some(&boss), &id, Some(1), half_wrong).await;
        assert!(matches!(refused, Err(PeopleError::Invalid { .. })));
        assert_eq!(find().await, before, "nothing of a refused edit stays");
        let same = PersonChange { roles: Some(before.roles.clone()), disabled: Some(false), ..PersonChange::default() };
        assert_eq!(people::change(&world.app, Some(&boss), &id, Some(1), same).await.unwrap(), before, "no change");
        assert_eq!(journal_kinds(&db).await, ["person.created"]);

        // Two admins save the page they both loaded at revision 1.
        let renamed = PersonChange { display_name: Some("Mei".to_owned()), ..PersonChange::default() };
        let (one, two) = tokio::join!(
            people::change(&world.app, Some(&boss), &id, Some(1), everything),
            people::change(&world.app, Some(&boss), &id, Some(1), renamed)
        );
        assert!(one.is_ok() ^ two.is_ok(), "exactly one succeeds: {one:?} {two:?}");
        let (stored, refused) = (one.as_ref().or(two.as_ref()).unwrap().clone(), one.err().or(two.err()).unwrap());
        assert_eq!(stored.revision, 2);
        assert_eq!(find().await, stored);
        let PeopleError::Changed(current) = refused else { panic!("{refused}") };
        assert_eq!(*current, stored, "the refusal shows the current state");
    })
    .await;
}
