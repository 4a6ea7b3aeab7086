//! The queue on both databases: fairness, fencing, attempts, dead letters.

use std::time::Duration;

use vouch::{
    app::App,
    domain::{
        ids::{JobId, PersonId},
        time::Timestamp,
    },
    store::{
        Tx,
        jobs::{self, JobRow, JobState, Lease, NewJob},
    },
};

use crate::support::{NOW, app, on_both, rep};

const MINUTE: Duration = Duration::from_secs(60);

async fn enqueue(app: &App, tx: &mut Tx, owner: &PersonId, subject: &str, now: Timestamp) {
    let job = NewJob {
        id: app.id::<JobId>(),
        kind: "read",
        payload: "{}".to_owned(),
        subject_id: subject,
        owner: Some(owner),
        max_attempts: 3,
    };
    jobs::enqueue(tx, &job, now).await.unwrap();
}

async fn claim(tx: &mut Tx, now: Timestamp) -> Option<JobRow> {
    jobs::claim(tx, "read", "worker", MINUTE, now).await.unwrap()
}

fn lease(job: &JobRow) -> Lease {
    Lease { job: job.id.clone(), fence: job.fence }
}

#[tokio::test]
async fn five_hundred_uploads_of_one_rep_do_not_delay_the_single_one_of_another() {
    on_both(async |db| {
        let world = app(&db).await;
        let (busy, other) = (rep(&world, "busy").await, rep(&world, "other").await);
        let mut tx = db.write().await.unwrap();
        for number in 0..500 {
            enqueue(&world.app, &mut tx, &busy.id, &format!("busy-{number}"), NOW).await;
        }
        assert_eq!(claim(&mut tx, NOW).await.unwrap().subject_id, "busy-0");
        enqueue(&world.app, &mut tx, &other.id, "other-0", NOW).await;
        enqueue(&world.app, &mut tx, &busy.id, "busy-500", NOW).await;
        let mut served = Vec::new();
        for _ in 0..2 {
            served.push(claim(&mut tx, NOW).await.unwrap().subject_id);
        }
        assert!(served.contains(&"other-0".to_owned()), "served {served:?} first");
        // The rest comes in the order it was handed in.
        assert_eq!(claim(&mut tx, NOW).await.unwrap().subject_id, "busy-2");
    })
    .await;
}

#[tokio::test]
async fn two_busy_reps_take_turns() {
    on_both(async |db| {
        let world = app(&db).await;
        let (a, b) = (rep(&world, "a").await, rep(&world, "b").await);
        let mut tx = db.write().await.unwrap();
        for number in 0..5 {
            enqueue(&world.app, &mut tx, &a.id, &format!("a{number}"), NOW).await;
        }
        for number in 0..5 {
            enqueue(&world.app, &mut tx, &b.id, &format!("b{number}"), NOW).await;
        }
        let mut first_six = Vec::new();
        for _ in 0..6 {
            first_six.push(claim(&mut tx, NOW).await.unwrap().subject_id);
        }
        first_six.sort();
        assert_eq!(first_six, ["a0", "a1", "a2", "b0", "b1", "b2"]);
    })
    .await;
}

#[tokio::test]
async fn a_worker_that_lost_its_lease_can_neither_finish_nor_fail_the_job() {
    on_both(async |db| {
        let world = app(&db).await;
        let owner = rep(&world, "owner").await;
        let mut tx = db.write().await.unwrap();
        enqueue(&world.app, &mut tx, &owner.id, "one", NOW).await;
        let stale = claim(&mut tx, NOW).await.unwrap();
        assert_eq!(claim(&mut tx, NOW).await, None, "a leased job is not claimed twice");

        let later = NOW.plus(2 * MINUTE);
        assert!(jobs::reclaim_expired(&mut tx, later).await.unwrap().is_empty());
        let fresh = claim(&mut tx, later).await.unwrap();
        assert_eq!((fresh.id.clone(), fresh.attempts), (stale.id.clone(), 2));

        assert!(!jobs::finish(&mut tx, &lease(&stale), later).await.unwrap());
        assert!(!jobs::heartbeat(&mut tx, &lease(&stale), MINUTE, later).await.unwrap());
        assert!(!jobs::retry_at(&mut tx, &lease(&stale), later, "r", "e").await.unwrap());
        assert!(!jobs::bury(&mut tx, &lease(&stale), "r", "e", later).await.unwrap());
        assert!(jobs::heartbeat(&mut tx, &lease(&fresh), MINUTE, later).await.unwrap());
        assert!(jobs::finish(&mut tx, &lease(&fresh), later).await.unwrap());
        assert!(!jobs::finish(&mut tx, &lease(&fresh), later).await.unwrap(), "done only once");
    })
    .await;
}

#[tokio::test]
async fn a_job_whose_worker_dies_every_time_becomes_a_dead_letter_that_can_be_revived() {
    on_both(async |db| {
        let world = app(&db).await;
        let owner = rep(&world, "owner").await;
        let mut tx = db.write().await.unwrap();
        enqueue(&world.app, &mut tx, &owner.id, "poison", NOW).await;
        let mut now = NOW;
        let mut dead = Vec::new();
        for attempt in 1..=3 {
            assert_eq!(claim(&mut tx, now).await.unwrap().attempts, attempt);
            now = now.plus(2 * MINUTE);
            dead = jobs::reclaim_expired(&mut tx, now).await.unwrap();
            assert_eq!(dead.len(), usize::from(attempt == 3));
        }
        assert_eq!(claim(&mut tx, now).await, None);
        assert_eq!(dead[0].state, JobState::Dead);
        assert_eq!(dead[0].last_reason.as_deref(), Some("attempts_exhausted"));
        assert_eq!(jobs::list_dead(&mut tx, None, 10).await.unwrap().len(), 1);
        assert!(jobs::revive(&mut tx, &dead[0].id, now).await.unwrap());
        assert_eq!(claim(&mut tx, now).await.unwrap().attempts, 1);
    })
    .await;
}

#[tokio::test]
async fn a_job_put_back_waits_for_its_time_and_one_released_keeps_its_attempts() {
    on_both(async |db| {
        let world = app(&db).await;
        let owner = rep(&world, "owner").await;
        let mut tx = db.write().await.unwrap();
        enqueue(&world.app, &mut tx, &owner.id, "one", NOW).await;
        let job = claim(&mut tx, NOW).await.unwrap();
        assert!(jobs::retry_at(&mut tx, &lease(&job), NOW.plus(MINUTE), "reader_timeout", "slow").await.unwrap());
        assert_eq!(claim(&mut tx, NOW).await, None);
        let job = claim(&mut tx, NOW.plus(MINUTE)).await.unwrap();
        assert_eq!(job.attempts, 2);
        assert!(jobs::release(&mut tx, &lease(&job), NOW, "storage away").await.unwrap());
        assert_eq!(claim(&mut tx, NOW.plus(MINUTE)).await.unwrap().attempts, 2);
        let counts = jobs::count_by_state(&mut tx).await.unwrap();
        assert_eq!(counts, [("running".to_owned(), 1)]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_workers_claim_every_job_exactly_once() {
    on_both(async |db| {
        let world = app(&db).await;
        let owner = rep(&world, "owner").await;
        let mut tx = db.write().await.unwrap();
        for number in 0..40 {
            enqueue(&world.app, &mut tx, &owner.id, &format!("s{number}"), NOW).await;
        }
        tx.commit().await.unwrap();
        let workers: Vec<_> = (0..4)
            .map(|number| {
                let db = db.clone();
                tokio::spawn(async move {
                    let mut mine = Vec::new();
                    loop {
                        let mut tx = db.write().await.unwrap();
                        let job = jobs::claim(&mut tx, "read", &format!("w{number}"), MINUTE, NOW).await.unwrap();
                        tx.commit().await.unwrap();
                        match job {
                            Some(job) => mine.push(job.subject_id),
                            None => return mine,
                        }
                    }
                })
            })
            .collect();
        let mut all = Vec::new();
        for worker in workers {
            all.extend(worker.await.unwrap());
        }
        all.sort();
        let claimed = all.len();
        all.dedup();
        assert_eq!((claimed, all.len()), (40, 40));
    })
    .await;
}
