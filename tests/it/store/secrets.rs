//! Tokens, sessions, sign-in attempts, idempotency, leases.

use std::{sync::Arc, time::Duration};

use vouch::{
    domain::{
        ids::{SessionId, TokenId},
        sha256::Sha256,
        time::FixedClock,
    },
    store::{
        idempotency::{self, Answered},
        lease,
        sessions::{self, Session},
        sign_in,
        tokens::{self, Token},
    },
};

use crate::support::{NOW, app, on_both, rep};

const MINUTE: Duration = Duration::from_mins(1);

#[tokio::test]
async fn a_token_works_until_it_expires_or_is_revoked_and_its_use_is_noted_once_a_minute() {
    on_both(async |db| {
        let world = app(&db).await;
        let mei = rep(&world, "mei").await;
        let mut tx = db.write().await.unwrap();
        let hash = Sha256::of(b"secret");
        let token = Token {
            id: world.app.id::<TokenId>(),
            person_id: mei.id.clone(),
            name: "phone".to_owned(),
            created_at: NOW,
            expires_at: Some(NOW.plus(10 * MINUTE)),
            last_used_at: None,
            revoked_at: None,
        };
        tokens::create(&mut tx, &token, hash).await.unwrap();
        assert_eq!(tokens::find_active(&mut tx, hash, NOW).await.unwrap().as_ref(), Some(&token));
        assert_eq!(tokens::find_active(&mut tx, Sha256::of(b"other"), NOW).await.unwrap(), None);
        assert_eq!(tokens::find_active(&mut tx, hash, NOW.plus(10 * MINUTE)).await.unwrap(), None);

        assert!(tokens::touch(&mut tx, &token.id, NOW).await.unwrap());
        assert!(!tokens::touch(&mut tx, &token.id, NOW.plus(MINUTE / 2)).await.unwrap());
        assert!(tokens::touch(&mut tx, &token.id, NOW.plus(MINUTE)).await.unwrap());
        assert_eq!(tokens::find(&mut tx, &token.id).await.unwrap().unwrap().last_used_at, Some(NOW.plus(MINUTE)));

        assert_eq!(tokens::count_active(&mut tx, &mei.id, NOW).await.unwrap(), 1);
        assert!(tokens::revoke(&mut tx, &token.id, NOW).await.unwrap());
        assert!(!tokens::revoke(&mut tx, &token.id, NOW).await.unwrap());
        assert_eq!(tokens::find_active(&mut tx, hash, NOW).await.unwrap(), None);
        assert_eq!(tokens::count_active(&mut tx, &mei.id, NOW).await.unwrap(), 0);
        assert_eq!(tokens::list(&mut tx, &mei.id, 10).await.unwrap()[0].revoked_at, Some(NOW));

        let never = Token { id: world.app.id::<TokenId>(), expires_at: None, ..token };
        tokens::create(&mut tx, &never, Sha256::of(b"never")).await.unwrap();
        assert_eq!(tokens::revoke_all(&mut tx, &mei.id, NOW).await.unwrap(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_session_lives_while_it_is_used_and_ends_for_one_for_all_or_by_time() {
    on_both(async |db| {
        let world = app(&db).await;
        let mei = rep(&world, "mei").await;
        let mut tx = db.write().await.unwrap();
        let mut sessions_of_mei = Vec::new();
        for name in [&b"a"[..], b"b", b"c"] {
            let session = Session {
                id: world.app.id::<SessionId>(),
                person_id: mei.id.clone(),
                csrf: "csrf".to_owned(),
                created_at: NOW,
                last_seen_at: NOW,
                expires_at: NOW.plus(MINUTE),
            };
            sessions::create(&mut tx, &session, Sha256::of(name)).await.unwrap();
            sessions_of_mei.push(session);
        }
        let hash = Sha256::of(b"a");
        assert_eq!(sessions::find_active(&mut tx, hash, NOW).await.unwrap().as_ref(), Some(&sessions_of_mei[0]));
        assert_eq!(sessions::find_active(&mut tx, hash, NOW.plus(MINUTE)).await.unwrap(), None);
        let later = NOW.plus(3 * MINUTE);
        assert!(sessions::touch(&mut tx, &sessions_of_mei[0].id, NOW, later).await.unwrap());
        assert!(sessions::find_active(&mut tx, hash, NOW.plus(2 * MINUTE)).await.unwrap().is_some());

        assert!(sessions::delete(&mut tx, &sessions_of_mei[1].id).await.unwrap());
        assert!(!sessions::delete(&mut tx, &sessions_of_mei[1].id).await.unwrap());
        assert_eq!(sessions::delete_expired(&mut tx, NOW.plus(MINUTE)).await.unwrap(), 1, "c");
        assert_eq!(sessions::delete_all(&mut tx, &mei.id).await.unwrap(), 1, "a");
    })
    .await;
}

#[tokio::test]
async fn attempts_are_counted_per_bucket_and_window_and_forgotten() {
    on_both(async |db| {
        let mut tx = db.write().await.unwrap();
        for (id, bucket, at) in [("1", "a", NOW), ("2", "a", NOW.plus(MINUTE)), ("3", "b", NOW)] {
            sign_in::record(&mut tx, id, bucket, at).await.unwrap();
        }
        assert_eq!(sign_in::count_since(&mut tx, "a", NOW).await.unwrap(), 2);
        assert_eq!(sign_in::count_since(&mut tx, "a", NOW.plus(MINUTE)).await.unwrap(), 1);
        sign_in::forget(&mut tx, "2").await.unwrap();
        assert_eq!(sign_in::count_since(&mut tx, "a", NOW).await.unwrap(), 1);
        assert_eq!(sign_in::clear(&mut tx, "a").await.unwrap(), 1);
        assert_eq!(sign_in::purge(&mut tx, NOW.plus(MINUTE)).await.unwrap(), 1);
    })
    .await;
}

#[tokio::test]
async fn an_answer_is_kept_once_per_person_and_key_and_purged_by_age() {
    on_both(async |db| {
        let world = app(&db).await;
        let (mei, tom) = (rep(&world, "mei").await, rep(&world, "tom").await);
        let mut tx = db.write().await.unwrap();
        let answered = Answered { request_hash: Sha256::of(b"r"), response: "{}".to_owned(), created_at: NOW };
        assert!(idempotency::put(&mut tx, &mei.id, "k", &answered).await.unwrap());
        let other = Answered { response: "other".to_owned(), ..answered.clone() };
        assert!(!idempotency::put(&mut tx, &mei.id, "k", &other).await.unwrap());
        assert_eq!(idempotency::find(&mut tx, &mei.id, "k").await.unwrap(), Some(answered));
        assert_eq!(idempotency::find(&mut tx, &tom.id, "k").await.unwrap(), None);
        assert!(idempotency::put(&mut tx, &tom.id, "k", &other).await.unwrap());
        assert_eq!(idempotency::purge(&mut tx, NOW).await.unwrap(), 0);
        assert_eq!(idempotency::purge(&mut tx, NOW.plus(MINUTE)).await.unwrap(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_lease_has_one_holder_until_it_runs_out_or_is_given_back() {
    on_both(async |db| {
        // PostgreSQL measures leases with its own clock, so time is moved by asking for leases of no length.
        let clock = Arc::new(FixedClock::new(NOW));
        let mut tx = db.write().await.unwrap();
        assert!(lease::acquire(&mut tx, "seal", "a", MINUTE, &*clock).await.unwrap());
        assert!(!lease::acquire(&mut tx, "seal", "b", MINUTE, &*clock).await.unwrap());
        assert!(lease::acquire(&mut tx, "other", "b", MINUTE, &*clock).await.unwrap());
        assert!(lease::renew(&mut tx, "seal", "a", MINUTE, &*clock).await.unwrap());
        assert!(!lease::renew(&mut tx, "seal", "b", MINUTE, &*clock).await.unwrap());
        assert!(!lease::release(&mut tx, "seal", "b").await.unwrap());
        assert!(lease::release(&mut tx, "seal", "a").await.unwrap());
        assert!(lease::acquire(&mut tx, "seal", "b", Duration::ZERO, &*clock).await.unwrap());
        assert!(!lease::renew(&mut tx, "seal", "b", MINUTE, &*clock).await.unwrap(), "it has run out");
        assert!(lease::acquire(&mut tx, "seal", "a", MINUTE, &*clock).await.unwrap());
        lease::queue_up(&mut tx, "admins").await.unwrap();
        lease::queue_up(&mut tx, "admins").await.unwrap();
    })
    .await;
}
