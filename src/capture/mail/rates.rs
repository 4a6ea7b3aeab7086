//! How many messages one sender may bring and one address takes in an hour: a loop, or somebody who found an address out,
//! fills no disk. What is more is told to come later; nothing is lost.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

const HOUR: Duration = Duration::from_secs(3600);
/// Senders and addresses counted at once. Beyond, those that sent least are forgotten first: they had most room left.
const MAX_COUNTED: usize = 20_000;

/// Counts by sender and by address of ours. Cheap to clone; clones count together.
#[derive(Clone)]
pub struct Rates {
    /// What one message costs of an hour; `None`: nothing is counted.
    cost: Option<Duration>,
    /// When each has its whole hour again.
    paid_until: Arc<Mutex<HashMap<String, Instant>>>,
}

impl Rates {
    /// At most `messages` an hour from each sender and to each address, at once or spread; 0: no limit.
    pub fn per_hour(messages: u32) -> Self {
        Self { cost: HOUR.checked_div(messages), paid_until: Arc::default() }
    }

    /// Counts a message from `sender` to `address`, unless either has had its share: then `false`. Bounces have no sender
    /// to count.
    pub fn admits(&self, sender: &str, address: &str, now: Instant) -> bool {
        let Some(cost) = self.cost else { return true };
        let keys = [("to:", address), ("from:", sender)].map(|(side, who)| format!("{side}{}", who.to_lowercase()));
        let counted = if sender.is_empty() { &keys[..1] } else { &keys[..] };
        let mut paid_until = self.paid_until.lock().unwrap_or_else(PoisonError::into_inner);
        let then = |known: Option<&Instant>| known.copied().unwrap_or(now).max(now) + cost;
        if counted.iter().any(|key| then(paid_until.get(key)) > now + HOUR) {
            return false;
        }
        if paid_until.len() + counted.len() > MAX_COUNTED {
            make_room(&mut paid_until, now);
        }
        for key in counted {
            let until = then(paid_until.get(key));
            paid_until.insert(key.clone(), until);
        }
        true
    }
}

/// Forgets who has nothing to pay, and if need be the half that owes least.
fn make_room(paid_until: &mut HashMap<String, Instant>, now: Instant) {
    paid_until.retain(|_, until| *until > now);
    if paid_until.len() > MAX_COUNTED / 2 {
        let mut all: Vec<Instant> = paid_until.values().copied().collect();
        all.sort_unstable();
        let median = all[all.len() / 2];
        paid_until.retain(|_, until| *until > median);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_holds_so_many_messages_of_a_sender_and_for_an_address_and_no_more() {
        let rates = Rates::per_hour(3);
        let now = Instant::now();
        for n in 0..3 {
            assert!(rates.admits("a@b.example", &format!("r-{n}@in.example"), now), "{n}");
        }
        assert!(!rates.admits("A@b.example", "r-9@in.example", now), "the sender had three");
        assert!(rates.admits("c@b.example", "r-9@in.example", now));
        assert!(rates.admits("", "r-9@in.example", now), "a bounce has no sender");
        assert!(rates.admits("", "r-9@in.example", now));
        assert!(!rates.admits("d@b.example", "r-9@in.example", now), "the address had three");
        // A third of an hour later there is room for one.
        let later = now + HOUR / 3;
        assert!(rates.admits("a@b.example", "r-8@in.example", later));
        assert!(!rates.admits("a@b.example", "r-8@in.example", later));
        assert!(rates.admits("a@b.example", "r-8@in.example", now + 2 * HOUR));
    }

    #[test]
    fn many_senders_stay_within_bounds_and_a_busy_one_is_remembered() {
        let rates = Rates::per_hour(2);
        let now = Instant::now();
        assert!(rates.admits("", "busy", now) && rates.admits("", "busy", now));
        for n in 0..3 * MAX_COUNTED {
            rates.admits("", &n.to_string(), now);
        }
        assert!(rates.paid_until.lock().unwrap().len() <= MAX_COUNTED);
        assert!(!rates.admits("", "busy", now));
    }

    #[test]
    fn without_a_limit_nothing_is_counted() {
        let rates = Rates::per_hour(0);
        assert!((0..10).all(|_| rates.admits("a", "b", Instant::now())));
        assert!(rates.paid_until.lock().unwrap().is_empty());
    }
}
