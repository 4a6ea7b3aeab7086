//! What every use case is handed: the adapters, the clock and the source of chance.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rand::{RngCore, SeedableRng, rngs::StdRng};

use crate::{
    domain::{
        capture::Limits,
        ids::{Id, JournalId, PersonId},
        journal::{Entry, Manner},
        time::{Clock, Timestamp},
    },
    kill_points,
    objects::ObjectStore,
    store::{Db, StoreError, Tx, journal},
};

/// The running instance, cheap to clone.
#[derive(Clone)]
pub struct App {
    /// The database.
    pub db: Db,
    /// Where document bytes are.
    pub objects: ObjectStore,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Ids, salts and secrets.
    pub random: Random,
    /// How long leases last and how often a job is tried.
    pub queue: QueueSettings,
    /// Limits of the door.
    pub limits: Limits,
    /// Where uploads are spooled while they are hashed; on a disk with room for [`Limits::max_bytes`] per upload.
    pub spool: Arc<std::path::Path>,
    /// Rung when a job was enqueued, so that workers of this process need not poll to be quick.
    pub wake: Arc<tokio::sync::Notify>,
}

impl App {
    /// The current instant.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A new id of any kind.
    pub fn id<T: Id>(&self) -> T {
        self.random.id(self.now())
    }

    /// Appends an entry to the journal, in the transaction of the change it records.
    pub async fn record(&self, tx: &mut Tx, entry: &Entry) -> Result<(), StoreError> {
        journal::append(tx, entry, self.random.bytes()).await?;
        kill_points::reached("a01");
        Ok(())
    }

    /// A journal entry of now with a new id.
    pub fn entry(
        &self,
        actor: Option<&PersonId>,
        manner: Manner,
        kind: &str,
        subject: (&'static str, &str),
        body: serde_json::Value,
    ) -> Entry {
        let at = self.now();
        Entry {
            id: self.random.id::<JournalId>(at),
            at,
            actor: actor.cloned(),
            manner,
            kind: kind.to_owned(),
            subject_type: subject.0,
            subject_id: subject.1.to_owned(),
            body,
        }
    }
}

/// How jobs are leased and retried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueSettings {
    /// How long a worker may go without a sign of life before another takes the job.
    pub lease: Duration,
    /// Claims a job may use before it is a dead letter, crashes included.
    pub max_attempts: i64,
}

impl Default for QueueSettings {
    fn default() -> Self {
        // Recognition of a page takes seconds; a stopped machine is noticed within a minute.
        Self { lease: Duration::from_secs(60), max_attempts: 3 }
    }
}

impl QueueSettings {
    /// A third of the lease, so that two missed beats do not lose the job.
    pub fn heartbeat(self) -> Duration {
        self.lease / 3
    }
}

/// A cryptographically secure source of chance: the operating system's in production, a seed in tests.
#[derive(Clone)]
pub struct Random(Arc<Mutex<Source>>);

struct Source {
    rng: StdRng,
    /// The instant of the last id.
    last: Timestamp,
}

/// Ids run ahead of the clock by no more than this; a clock set further back is followed.
const AHEAD: Duration = Duration::from_secs(1);

impl Random {
    /// Seeded by the operating system.
    pub fn from_system() -> Self {
        Self::new(StdRng::from_os_rng())
    }

    /// The same sequence every time; for tests only.
    pub fn from_seed(seed: u64) -> Self {
        Self::new(StdRng::seed_from_u64(seed))
    }

    fn new(rng: StdRng) -> Self {
        Self(Arc::new(Mutex::new(Source { rng, last: Timestamp::from_micros(0) })))
    }

    /// A new id for the instant `now`. Ids of one process sort in the order they were asked for: the journal and
    /// lists order by them, and two entries of one transaction often share a microsecond.
    pub fn id<T: Id>(&self, now: Timestamp) -> T {
        let mut source = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_repeated = source.last >= now && source.last < now.plus(AHEAD);
        source.last = if is_repeated { source.last.plus(Duration::from_micros(1)) } else { now };
        let at = source.last;
        T::generate(at, &mut source.rng)
    }

    /// `N` random bytes: salts, session and token secrets.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.0.lock().unwrap_or_else(PoisonError::into_inner).rng.fill_bytes(&mut bytes);
        bytes
    }
}

/// So that it can be handed to whatever asks for a generator.
impl RngCore for Random {
    fn next_u32(&mut self) -> u32 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).rng.next_u32()
    }

    fn next_u64(&mut self) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).rng.next_u64()
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).rng.fill_bytes(bytes);
    }
}

/// The system's clock: the one place that asks for the time.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that asks for the time")]
    fn now(&self) -> Timestamp {
        jiff::Timestamp::now().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_in_the_order_they_were_asked_for_and_follow_a_clock_set_back() {
        let random = Random::from_seed(1);
        let now = Timestamp::from_micros(1_795_428_000_000_000);
        let ids: Vec<JournalId> = (0..1000).map(|_| random.id(now)).collect();
        assert!(ids.is_sorted());
        let earlier: JournalId = random.id(now.minus(Duration::from_secs(3600)));
        assert!(earlier < ids[0]);
    }
}
