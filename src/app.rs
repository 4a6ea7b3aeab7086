//! What every use case is handed: the adapters, the clock and the source of chance.

use std::sync::{Arc, Mutex, PoisonError};

use rand::{RngCore, SeedableRng, rngs::StdRng};

use crate::{
    domain::{
        capture::Limits,
        ids::{Id, JournalId, PersonId},
        journal::{Entry, Manner},
        time::{Clock, Timestamp},
    },
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
    /// Limits of the door.
    pub limits: Limits,
    /// Where uploads are spooled while they are hashed; on a disk with room for [`Limits::max_bytes`] per upload.
    pub spool: Arc<std::path::Path>,
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
        journal::append(tx, entry, self.random.bytes()).await
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

/// A cryptographically secure source of chance: the operating system's in production, a seed in tests.
#[derive(Clone)]
pub struct Random(Arc<Mutex<StdRng>>);

impl Random {
    /// Seeded by the operating system.
    pub fn from_system() -> Self {
        Self(Arc::new(Mutex::new(StdRng::from_os_rng())))
    }

    /// The same sequence every time; for tests only.
    pub fn from_seed(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(StdRng::seed_from_u64(seed))))
    }

    /// A new id for the instant `now`.
    pub fn id<T: Id>(&self, now: Timestamp) -> T {
        let mut rng = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        T::generate(now, &mut *rng)
    }

    /// `N` random bytes: salts, session and token secrets.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.0.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(&mut bytes);
        bytes
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
