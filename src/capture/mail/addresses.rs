//! Secret addresses: `r-` and 80 random bits for a person, `v-` for one of their visits. Whoever knows one may send to it;
//! a new one can be had at any time, and the old one is dead from then on.

use serde_json::json;
use subtle::ConstantTimeEq as _;

use crate::{
    app::App,
    domain::{
        ids::{MailAddressId, PersonId, VisitId},
        journal::Manner,
        person::Actor,
    },
    store::{
        StoreError, Tx,
        mail_addresses::{self, MailAddress},
        visits,
    },
};

/// Characters after the prefix: 16 × 5 bits.
const SECRET_CHARS: usize = 16;
/// RFC 4648 base32 in lower case: mail servers may fold capitals.
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
/// Addresses a person sees.
const MAX_ADDRESSES: i64 = 200;

/// Why an address could not be made.
#[derive(Debug, thiserror::Error)]
pub enum AddressError {
    /// The visit does not exist or is somebody else's.
    #[error("there is no visit `{0}` of yours")]
    NoSuchVisit(VisitId),
    /// No such address of theirs.
    #[error("there is no mail address `{0}` of yours")]
    NoSuchAddress(MailAddressId),
    /// Database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The secret in a local part: the whole of it, or what follows a `+` (`receipts+r-…@company.example`).
pub fn secret_of(address: &str) -> Option<String> {
    let local = address.rsplit_once('@').map_or(address, |(local, _)| local);
    let secret = local.rsplit_once('+').map_or(local, |(_, detail)| detail).to_ascii_lowercase();
    is_secret(&secret).then_some(secret)
}

/// Whether the text has the shape of a secret local part.
pub fn is_secret(text: &str) -> bool {
    let Some(secret) = text.strip_prefix("r-").or_else(|| text.strip_prefix("v-")) else { return false };
    secret.len() == SECRET_CHARS && secret.bytes().all(|octet| ALPHABET.contains(&octet))
}

/// The owner of the address, when it takes mail.
pub async fn find(tx: &mut Tx, address: &str) -> Result<Option<MailAddress>, StoreError> {
    let Some(secret) = secret_of(address) else { return Ok(None) };
    // The index is over hashes, so the time it takes says nothing about the secret; nor does this comparison.
    let found = mail_addresses::find_active(tx, &secret).await?;
    Ok(found.filter(|found| bool::from(found.local_part.as_bytes().ct_eq(secret.as_bytes()))))
}

/// The addresses of the actor; their own is made when there is none yet.
pub async fn of_person(app: &App, actor: &Actor) -> Result<Vec<MailAddress>, AddressError> {
    let mut tx = app.db.read().await?;
    let has_own = mail_addresses::find_for(&mut tx, &actor.id, None).await?.is_some();
    if has_own {
        return Ok(mail_addresses::list(&mut tx, &actor.id, MAX_ADDRESSES).await?);
    }
    drop(tx);
    let mut tx = app.db.write().await?;
    if mail_addresses::find_for(&mut tx, &actor.id, None).await?.is_none() {
        make(app, &mut tx, actor, None).await?;
    }
    let list = mail_addresses::list(&mut tx, &actor.id, MAX_ADDRESSES).await?;
    tx.commit().await?;
    Ok(list)
}

/// The address for a visit of the actor's; made when there is none.
pub async fn of_visit(app: &App, actor: &Actor, visit: &VisitId) -> Result<MailAddress, AddressError> {
    let mut tx = app.db.write().await?;
    let is_theirs = visits::find(&mut tx, visit).await?.is_some_and(|found| found.owner_id == actor.id);
    if !is_theirs {
        return Err(AddressError::NoSuchVisit(visit.clone()));
    }
    let address = match mail_addresses::find_for(&mut tx, &actor.id, Some(visit)).await? {
        Some(address) => address,
        None => make(app, &mut tx, actor, Some(visit)).await?,
    };
    tx.commit().await?;
    Ok(address)
}

/// A new secret in place of an address; the old one is dead from now on.
pub async fn rotate(app: &App, actor: &Actor, id: &MailAddressId) -> Result<MailAddress, AddressError> {
    let mut tx = app.db.write().await?;
    let no_such = || AddressError::NoSuchAddress(id.clone());
    let old = mail_addresses::find(&mut tx, id).await?.filter(|old| old.person_id == actor.id).ok_or_else(no_such)?;
    if !mail_addresses::retire(&mut tx, &actor.id, id, app.now()).await? {
        return Err(no_such());
    }
    let new = make(app, &mut tx, actor, old.visit_id.as_ref()).await?;
    let body = json!({ "retired": id, "address": new.id });
    let subject = ("person", actor.id.as_str());
    let entry = app.entry(Some(&actor.id), Manner::Singly, "mail_address.rotated", subject, body);
    app.record(&mut tx, &entry).await?;
    tx.commit().await?;
    Ok(new)
}

/// Retires the address of a visit.
pub async fn retire(app: &App, actor: &Actor, id: &MailAddressId) -> Result<(), AddressError> {
    let mut tx = app.db.write().await?;
    if !mail_addresses::retire(&mut tx, &actor.id, id, app.now()).await? {
        return Err(AddressError::NoSuchAddress(id.clone()));
    }
    let subject = ("person", actor.id.as_str());
    let entry = app.entry(Some(&actor.id), Manner::Singly, "mail_address.retired", subject, json!({ "retired": id }));
    app.record(&mut tx, &entry).await?;
    tx.commit().await?;
    Ok(())
}

async fn make(app: &App, tx: &mut Tx, actor: &Actor, visit: Option<&VisitId>) -> Result<MailAddress, StoreError> {
    let address = MailAddress {
        id: app.id(),
        person_id: PersonId::clone(&actor.id),
        visit_id: visit.cloned(),
        local_part: secret(if visit.is_some() { "v-" } else { "r-" }, app.random.bytes()),
        created_at: app.now(),
        retired_at: None,
    };
    mail_addresses::create(tx, &address).await?;
    Ok(address)
}

/// The prefix and 80 bits in base32.
fn secret(prefix: &str, bits: [u8; 10]) -> String {
    let mut text = prefix.to_owned();
    for chunk in bits.chunks_exact(5) {
        let word = chunk.iter().fold(0_u64, |word, octet| word << 8 | u64::from(*octet));
        for place in (0..8).rev() {
            text.push(char::from(ALPHABET[(word >> (place * 5) & 31) as usize]));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_has_80_bits_in_16_letters_and_is_found_in_addresses() {
        let text = secret("r-", [0, 0, 0, 0, 0, 255, 255, 255, 255, 255]);
        assert_eq!(text, "r-aaaaaaaa77777777");
        for address in [
            "r-aaaaaaaa77777777@in.example",
            "R-AAAAAAAA77777777@IN.EXAMPLE",
            "box+r-aaaaaaaa77777777@x",
            "r-aaaaaaaa77777777",
        ] {
            assert_eq!(secret_of(address).as_deref(), Some("r-aaaaaaaa77777777"), "{address}");
        }
        for address in ["r-aaaaaaaa7777777@x", "x-aaaaaaaa77777777@x", "r-aaaaaaaa7777777!@x", "", "@", "r-@x"] {
            assert_eq!(secret_of(address), None, "{address}");
        }
    }
}
