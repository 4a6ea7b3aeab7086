//! Signing in, sessions, and changing one's own password.

use std::{net::IpAddr, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::json;
use subtle::ConstantTimeEq as _;

use super::{PasswordError, PeopleError, Secret, UserName, accounts::note, password};
use crate::{
    app::App,
    domain::{
        ids::{PersonId, SessionId},
        person::Actor,
        sha256::Sha256,
        time::Timestamp,
    },
    store::{
        Tx, organisation, people,
        people::Person,
        sessions::{self, Session},
        sign_in as attempts,
    },
};

/// A session not used for this long ends (OWASP Session Management: hours for low-risk, and a rep's working day fits).
pub const SESSION_IDLE: Duration = Duration::from_hours(12);
/// A session ends after this long whatever happens.
pub const SESSION_ABSOLUTE: Duration = Duration::from_hours(7 * 24);
/// Use is noted at most this often: a write per request would cost the one writer of SQLite.
const TOUCH_EVERY: Duration = Duration::from_mins(1);

/// Attempts are counted over this long.
const WINDOW: Duration = Duration::from_mins(15);
/// Wrong attempts at one name from one address. A stranger elsewhere cannot lock anybody out with it.
const ATTEMPTS_PER_PAIR: i64 = 10;
/// Wrong attempts at any names from one address; an office behind one address has a few people who mistype.
const ATTEMPTS_PER_ADDRESS: i64 = 100;

/// Somebody trying to sign in.
#[derive(Clone, Copy)]
pub struct Attempt<'a> {
    /// As typed.
    pub user_name: &'a str,
    /// As typed.
    pub password: &'a str,
    /// Where from: the client's address as told by a trusted proxy, else the peer's.
    pub address: IpAddr,
    /// The secret of the session the browser came with; ends with success.
    pub previous: Option<&'a str>,
}

/// A session that has just begun.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// For the cookie; stored nowhere.
    pub secret: Secret,
    /// Whose session it is, and which.
    pub user: SessionUser,
}

/// Who is behind a session.
#[derive(Debug, Clone)]
pub struct SessionUser {
    /// As use cases see them.
    pub actor: Actor,
    /// The account; when `must_change_password`, let them do nothing else.
    pub person: Person,
    /// The session, with the token forms must carry.
    pub session: Session,
}

/// Signs in with a password. Unknown, disabled and wrong look the same and take as long.
pub async fn sign_in(app: &App, attempt: Attempt<'_>) -> Result<SignedIn, PeopleError> {
    let user_name = attempt.user_name.parse::<UserName>().ok();
    let name = user_name.as_ref().map_or("", UserName::as_str);
    let address = address_block(attempt.address);
    let (pair, single) = (bucket(&["pair", name, &address]), bucket(&["address", &address]));
    let limits = [(pair.as_str(), ATTEMPTS_PER_PAIR), (single.as_str(), ATTEMPTS_PER_ADDRESS)];

    // Counted before the password is looked at, so many attempts at once are counted too.
    let mut tx = app.db.write().await?;
    let counted = count(app, &mut tx, limits).await?;
    let before = people::find_credentials(&mut tx, name).await?;
    tx.commit().await?;

    let hash = before.as_ref().map(|c| c.password_hash.as_str());
    if !password::is_right(attempt.password, hash).await? {
        return Err(PeopleError::Refused);
    }

    let mut tx = app.db.write().await?;
    // Looked at again: the account may have been disabled or its password changed while the hash was computed.
    let now = people::find_credentials(&mut tx, name).await?;
    let person = match (before, now) {
        (Some(before), Some(now)) if before == now => people::find(&mut tx, &now.person_id).await?,
        _ => None,
    };
    let (person, actor) = person.and_then(|p| p.actor().map(|actor| (p, actor))).ok_or(PeopleError::Refused)?;
    attempts::clear(&mut tx, &pair).await?;
    for id in counted {
        attempts::forget(&mut tx, &id).await?;
    }
    if let Some(old) = attempt.previous.and_then(secret_hash)
        && let Some(session) = sessions::find_active(&mut tx, old, app.now()).await?
    {
        sessions::delete(&mut tx, &session.id).await?;
    }
    let signed_in = begin(app, &mut tx, person, actor).await?;
    let (actor, session) = (&signed_in.user.actor, &signed_in.user.session);
    note(app, &mut tx, Some(actor), "person.signed_in", &actor.id, json!({"session": session.id})).await?;
    tx.commit().await?;
    Ok(signed_in)
}

/// Who is behind the secret of a cookie; `None` when it is unknown or expired, or the person may no longer act.
pub async fn authenticate_session(app: &App, secret: &str) -> Result<Option<SessionUser>, PeopleError> {
    let Some(hash) = secret_hash(secret) else { return Ok(None) };
    let now = app.now();
    let mut tx = app.db.read().await?;
    let Some(mut session) = sessions::find_active(&mut tx, hash, now).await? else { return Ok(None) };
    let Some(person) = people::find(&mut tx, &session.person_id).await? else { return Ok(None) };
    let Some(mut actor) = person.actor() else { return Ok(None) };
    actor.units = organisation::units_in_reach(&mut tx, &person.id).await?;
    drop(tx);
    if session.last_seen_at.plus(TOUCH_EVERY) <= now {
        session.last_seen_at = now;
        session.expires_at = expiry(session.created_at, now);
        let mut tx = app.db.write().await?;
        let is_there = sessions::touch(&mut tx, &session.id, now, session.expires_at).await?;
        tx.commit().await?;
        if !is_there {
            return Ok(None);
        }
    }
    Ok(Some(SessionUser { actor, person, session }))
}

/// Ends a session.
pub async fn sign_out(app: &App, user: &SessionUser) -> Result<(), PeopleError> {
    let mut tx = app.db.write().await?;
    if sessions::delete(&mut tx, &user.session.id).await? {
        let body = json!({"session": user.session.id});
        note(app, &mut tx, Some(&user.actor), "person.signed_out", &user.actor.id, body).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Whether a form carries the token of its session; compared in constant time.
pub fn is_csrf_token(session: &Session, presented: &str) -> bool {
    session.csrf.as_bytes().ct_eq(presented.as_bytes()).into()
}

/// Changes one's own password. All sessions of the person end; the one returned takes the place of the current one.
pub async fn change_password(app: &App, actor: &Actor, current: &str, new: &str) -> Result<SignedIn, PeopleError> {
    let tries = bucket(&["change", actor.id.as_str()]);
    let mut tx = app.db.write().await?;
    count(app, &mut tx, [(tries.as_str(), ATTEMPTS_PER_PAIR)]).await?;
    let person = found(&mut tx, &actor.id).await?;
    let before = people::find_credentials(&mut tx, &person.user_name).await?;
    tx.commit().await?;

    let user_name: UserName = person.user_name.parse()?;
    if !password::is_right(current, before.as_ref().map(|c| c.password_hash.as_str())).await? {
        return Err(PeopleError::Refused);
    }
    password::check(new, &user_name)?;
    if new == current {
        return Err(PasswordError::Unchanged.into());
    }
    let hash = password::hash(new, &app.random).await?;

    let mut tx = app.db.write().await?;
    if people::find_credentials(&mut tx, &person.user_name).await? != before {
        return Err(PeopleError::Refused);
    }
    let person = found(&mut tx, &actor.id).await?;
    let actor = person.actor().ok_or(PeopleError::Refused)?;
    people::set_password(&mut tx, &actor.id, &hash, false).await?;
    attempts::clear(&mut tx, &tries).await?;
    let ended = sessions::delete_all(&mut tx, &actor.id).await?;
    let body = json!({"sessions_ended": ended});
    note(app, &mut tx, Some(&actor), "person.password_changed", &actor.id, body).await?;
    let person = Person { must_change_password: false, ..person };
    let signed_in = begin(app, &mut tx, person, actor).await?;
    tx.commit().await?;
    Ok(signed_in)
}

/// Removes expired sessions and attempts no longer counted; to be called now and then.
pub async fn tidy(app: &App) -> Result<u64, PeopleError> {
    let now = app.now();
    let mut tx = app.db.write().await?;
    let removed = sessions::delete_expired(&mut tx, now).await? + attempts::purge(&mut tx, now.minus(WINDOW)).await?;
    tx.commit().await?;
    Ok(removed)
}

/// Stores a new session. Its secret and form token are 32 random bytes each.
async fn begin(app: &App, tx: &mut Tx, person: Person, actor: Actor) -> Result<SignedIn, PeopleError> {
    let now = app.now();
    let secret = URL_SAFE_NO_PAD.encode(app.random.bytes::<32>());
    let session = Session {
        id: app.id::<SessionId>(),
        person_id: person.id.clone(),
        csrf: URL_SAFE_NO_PAD.encode(app.random.bytes::<32>()),
        created_at: now,
        last_seen_at: now,
        expires_at: expiry(now, now),
    };
    sessions::create(tx, &session, Sha256::of(secret.as_bytes())).await?;
    Ok(SignedIn { secret: Secret(secret), user: SessionUser { actor, person, session } })
}

fn expiry(created_at: Timestamp, seen_at: Timestamp) -> Timestamp {
    created_at.plus(SESSION_ABSOLUTE).min(seen_at.plus(SESSION_IDLE))
}

/// The hash a secret is stored under; `None` for text that was never one of ours.
fn secret_hash(secret: &str) -> Option<Sha256> {
    (secret.len() == 43).then(|| Sha256::of(secret.as_bytes()))
}

/// Counts an attempt in every bucket, unless one is full. Gives the ids, to take the attempt back.
async fn count<const N: usize>(app: &App, tx: &mut Tx, limits: [(&str, i64); N]) -> Result<Vec<String>, PeopleError> {
    let now = app.now();
    for (bucket, limit) in limits {
        if attempts::count_since(tx, bucket, now.minus(WINDOW)).await? >= limit {
            return Err(PeopleError::Throttled { retry_after: WINDOW });
        }
    }
    let mut ids = Vec::with_capacity(N);
    for (bucket, _) in limits {
        let id = hex::encode(app.random.bytes::<16>());
        attempts::record(tx, &id, bucket, now).await?;
        ids.push(id);
    }
    Ok(ids)
}

/// Names and addresses are counted under a hash: what people type into the name field may be a password.
fn bucket(parts: &[&str]) -> String {
    Sha256::of(parts.join("\0").as_bytes()).to_string()
}

/// The address, or for IPv6 its /64: one customer of a provider has 2^64 of them.
fn address_block(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => format!("{:x}", u128::from(v6) >> 64),
    }
}

async fn found(tx: &mut Tx, id: &PersonId) -> Result<Person, PeopleError> {
    people::find(tx, id).await?.ok_or_else(|| PeopleError::NoSuchPerson(id.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_one_ipv6_customer_are_one_block_and_mapped_ipv4_is_ipv4() {
        let block = |text: &str| address_block(text.parse().unwrap());
        assert_eq!(block("2001:db8:1:2::1"), block("2001:db8:1:2:ffff::9"));
        assert_ne!(block("2001:db8:1:2::1"), block("2001:db8:1:3::1"));
        assert_eq!(block("::ffff:192.0.2.7"), block("192.0.2.7"));
    }

    #[test]
    fn a_session_ends_after_idle_time_or_seven_days_whichever_is_first() {
        let start = Timestamp::from_micros(0);
        assert_eq!(expiry(start, start), start.plus(SESSION_IDLE));
        let late = start.plus(SESSION_ABSOLUTE).minus(Duration::from_secs(1));
        assert_eq!(expiry(start, late), start.plus(SESSION_ABSOLUTE));
    }
}
