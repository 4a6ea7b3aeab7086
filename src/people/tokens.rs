//! API tokens: `vch_` and 32 random bytes in base64url. Shown once; only the hash is stored.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::json;

use super::{PeopleError, Secret, manner};
use crate::{
    app::App,
    domain::{
        ids::{PersonId, TokenId},
        person::{Actor, Role},
        sha256::Sha256,
        time::Timestamp,
    },
    store::{
        people,
        tokens::{self, Token},
    },
};

/// Lets people and secret scanners tell what the text is.
const PREFIX: &str = "vch_";
/// The prefix and 32 bytes in base64url.
const TOKEN_CHARS: usize = 4 + 43;
/// Most characters of a token's name.
const MAX_NAME_CHARS: usize = 100;
/// Most working tokens of a person: more is a script that makes one per run.
const MAX_TOKENS: i64 = 50;
/// Most tokens shown, revoked and expired ones among them.
const LIST_LIMIT: i64 = 200;

/// A token that has just been made.
#[derive(Debug, Clone)]
pub struct IssuedToken {
    /// To be shown once; stored nowhere.
    pub text: Secret,
    /// What is stored about it.
    pub token: Token,
}

/// Makes a token that acts as `person`. People make their own; the console makes any.
pub async fn create_token(
    app: &App,
    by: Option<&Actor>,
    person: &PersonId,
    name: &str,
    expires_at: Option<Timestamp>,
) -> Result<IssuedToken, PeopleError> {
    // Not even admins: whoever makes the token sees it, and could act in the other's name.
    if by.is_some_and(|actor| actor.id != *person) {
        return Err(PeopleError::NotAllowed);
    }
    let name = name.trim();
    if !(1..=MAX_NAME_CHARS).contains(&name.chars().count()) || name.contains(char::is_control) {
        return Err(PeopleError::Invalid { what: "a token's name", rule: "1 to 100 characters on one line" });
    }
    let now = app.now();
    if expires_at.is_some_and(|at| at <= now) {
        return Err(PeopleError::Invalid { what: "a token's expiry", rule: "in the future" });
    }
    let text = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(app.random.bytes::<32>()));
    let token = Token {
        id: app.id::<TokenId>(),
        person_id: person.clone(),
        name: name.to_owned(),
        created_at: now,
        expires_at,
        last_used_at: None,
        revoked_at: None,
    };
    let mut tx = app.db.write().await?;
    if people::find(&mut tx, person).await?.is_none() {
        return Err(PeopleError::NoSuchPerson(person.clone()));
    }
    let active = tokens::count_active(&mut tx, person, now).await?;
    if active >= MAX_TOKENS {
        return Err(PeopleError::TooManyTokens(active));
    }
    tokens::create(&mut tx, &token, Sha256::of(text.as_bytes())).await?;
    let body = json!({"name": token.name, "person": person, "expires_at": expires_at});
    let subject = ("token", token.id.as_str());
    let entry = app.entry(by.map(|a| &a.id), manner(by), "token.created", subject, body);
    app.record(&mut tx, &entry).await?;
    tx.commit().await?;
    Ok(IssuedToken { text: Secret(text), token })
}

/// Tokens of a person, the newest first. People see their own; admins and the console see any.
pub async fn list_tokens(app: &App, by: Option<&Actor>, person: &PersonId) -> Result<Vec<Token>, PeopleError> {
    if !may_see(by, person) {
        return Err(PeopleError::NotAllowed);
    }
    Ok(tokens::list(&mut app.db.read().await?, person, LIST_LIMIT).await?)
}

/// Revokes a token; it is refused from now on. People revoke their own; admins and the console any. Revoking twice is fine.
pub async fn revoke_token(app: &App, by: Option<&Actor>, id: &TokenId) -> Result<(), PeopleError> {
    let mut tx = app.db.write().await?;
    let token = tokens::find(&mut tx, id).await?.filter(|token| may_see(by, &token.person_id));
    let token = token.ok_or_else(|| PeopleError::NoSuchToken(id.clone()))?;
    if tokens::revoke(&mut tx, id, app.now()).await? {
        let body = json!({"name": token.name, "person": token.person_id});
        let entry = app.entry(by.map(|a| &a.id), manner(by), "token.revoked", ("token", id.as_str()), body);
        app.record(&mut tx, &entry).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Who acts with a token; `None` when it is unknown, revoked or expired, or the person may no longer act.
pub async fn authenticate_token(app: &App, text: &str) -> Result<Option<Actor>, PeopleError> {
    if text.len() != TOKEN_CHARS || !text.starts_with(PREFIX) {
        return Ok(None);
    }
    let now = app.now();
    let mut tx = app.db.read().await?;
    let Some(token) = tokens::find_active(&mut tx, Sha256::of(text.as_bytes()), now).await? else { return Ok(None) };
    let actor = people::find_actor(&mut tx, &token.person_id).await?;
    drop(tx);
    if actor.is_some() && token.last_used_at.is_none_or(|at| at.plus(tokens::TOUCH_EVERY) <= now) {
        let mut tx = app.db.write().await?;
        tokens::touch(&mut tx, &token.id, now).await?;
        tx.commit().await?;
    }
    Ok(actor)
}

fn may_see(by: Option<&Actor>, person: &PersonId) -> bool {
    by.is_none_or(|actor| actor.id == *person || actor.is(Role::Admin))
}
