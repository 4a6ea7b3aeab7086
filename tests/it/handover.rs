//! What is said with a capture (when, where, for whom) through the API, on both databases.

use axum::http::{Method, StatusCode};
use vouch::{
    domain::{ids::CaptureId, person::Role},
    store::captures,
};

use crate::support::{Answer, Caller, Site, actor, app, on_both, site};

const BOUNDARY: &str = "----vouch";

/// A picture as far as the door looks, with text fields before it.
async fn send(site: &Site, caller: &Caller, own: &str, fields: &[(&str, &str)]) -> Answer {
    let mut body = Vec::new();
    for (name, value) in fields {
        body.extend(
            format!("--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n").bytes(),
        );
    }
    let head = "content-disposition: form-data; name=\"file\"; filename=\"a.jpg\"";
    body.extend(format!("--{BOUNDARY}\r\n{head}\r\n\r\n").bytes());
    body.extend([b"\xFF\xD8\xFF\xE0".as_slice(), own.as_bytes()].concat());
    body.extend(format!("\r\n--{BOUNDARY}--\r\n").bytes());
    let kind = format!("multipart/form-data; boundary={BOUNDARY}");
    site.send(caller, Method::POST, "/api/v1/receipts", &kind, body).await
}

#[tokio::test]
async fn a_reviewer_hands_in_for_a_rep_who_then_owns_it_and_nobody_else_may() {
    on_both(async |db| {
        let world = app(&db).await;
        let site = site(&world);
        let mei = actor(&world, "mei", &[Role::Rep]).await;
        let jonas = actor(&world, "jonas", &[Role::Rep]).await;
        let vera = actor(&world, "vera", &[Role::Reviewer]).await;
        let fields = [
            ("on_behalf_of", mei.id.as_str()),
            ("captured_at", "2026-11-20T12:30:00+08:00"),
            ("place", "深圳南山"),
            ("note", "lunch with the buyer"),
        ];
        let answer = send(&site, &Caller::token(&world, &vera).await, "one", &fields).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
        let id: CaptureId = answer.json()["results"][0]["capture"]["id"].as_str().unwrap().parse().unwrap();
        let mut tx = world.app.db.read().await.unwrap();
        let row = captures::find(&mut tx, &id).await.unwrap().unwrap();
        drop(tx);
        assert_eq!((&row.owner_id, &row.captured_by), (&mei.id, &vera.id));
        assert_eq!((row.place.as_deref(), row.note.as_deref()), (Some("深圳南山"), Some("lunch with the buyer")));
        assert_eq!(row.captured_at.unwrap().to_string(), "2026-11-20T04:30:00Z");
        assert_eq!(row.captured_offset_minutes, Some(480));

        // The rep sees it among their own; another rep does not, and may not hand in for others.
        let jonas_calls = Caller::token(&world, &jonas).await;
        let path = format!("/api/v1/captures/{id}");
        let own = site.send(&Caller::token(&world, &mei).await, Method::GET, &path, "", Vec::new()).await;
        assert_eq!(own.status, StatusCode::OK, "{}", own.text());
        let others = site.send(&jonas_calls, Method::GET, &path, "", Vec::new()).await;
        assert_eq!(others.status, StatusCode::NOT_FOUND, "{}", others.text());
        let refused = send(&site, &jonas_calls, "two", &[("on_behalf_of", mei.id.as_str())]).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{}", refused.text());
    })
    .await;
}
