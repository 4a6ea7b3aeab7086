//! The trip around a receipt: from what a mail says in data to what its people see.

use axum::http::{Method, StatusCode};
use mail_builder::MessageBuilder;
use serde_json::{Value, json};
use vouch::{
    domain::person::{Language, Role},
    people,
};

use crate::{
    parts::{archive, hand_in},
    review::{as_if_told, furnish, submitted},
    support::{Api, Caller, Server, actor, app, on_both, site},
};

/// Two legs for two travellers, as an airline puts them into its mail, and what the mail prints.
const BOOKING: &str = r#"<html><body><script type="application/ld+json">[
    {"@context":"http://schema.org","@type":"FlightReservation","reservationNumber":"XYZ7Q2","underName":{"@type":"Person","name":"Ann Rep"},
     "reservationFor":{"@type":"Flight","flightNumber":"188","airline":{"name":"Example Air","iataCode":"XA"},
     "departureAirport":{"name":"Zurich"},"arrivalAirport":{"name":"Shanghai"},
     "departureTime":"2026-12-01T13:05:00+01:00","arrivalTime":"2026-12-02T06:20:00+08:00"}},
    {"@context":"http://schema.org","@type":"FlightReservation","reservationNumber":"XYZ7Q2","underName":{"@type":"Person","name":"Bo Rep"},
     "reservationFor":{"@type":"Flight","flightNumber":"188","airline":{"name":"Example Air","iataCode":"XA"},
     "departureAirport":{"name":"Zurich"},"arrivalAirport":{"name":"Shanghai"},
     "departureTime":"2026-12-01T13:05:00+01:00","arrivalTime":"2026-12-02T06:20:00+08:00"}}]</script>
    <p>EXAMPLE AIR</p><p>Booking confirmation of 20 November 2026</p><table><tr><td>Total</td><td>EUR 540.00</td></tr></table></body></html>"#;
const EVENT: &str = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20261202\r\nDTEND;VALUE=DATE:20261205\r\nSUMMARY:Stay at the Harbour Inn\r\nLOCATION:Quay 1\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
const PASS: &str = r#"{"organizationName":"Example Rail","relevantDate":"2026-12-05T09:30:00+08:00","boardingPass":{
    "transitType":"PKTransitTypeTrain","primaryFields":[{"key":"from","value":"Shanghai"},{"key":"to","value":"Suzhou"}]}}"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_mails_data_calendar_and_pass_tell_of_the_trip_in_the_draft() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path(), &[], &[]);
    let api = Api::new(&server, &server.token("rep", "rep"));
    let mail = MessageBuilder::new()
        .from(("Example Air", "booking@air.example"))
        .subject("Your booking")
        .html_body(BOOKING)
        .attachment("text/calendar", "stay.ics", EVENT)
        .attachment("application/vnd.apple.pkpass", "train.pkpass", archive(&[("pass.json", PASS.as_bytes())], None));
    let capture = hand_in(&api, mail.write_to_vec().unwrap()).await;
    let receipts = capture["receipts"].as_array().unwrap();
    assert_eq!((receipts.len(), &receipts[0]["total"]), (1, &json!("540.00")), "{capture}");
    let draft = api.get(&format!("/drafts/{}", receipts[0]["id"].as_str().unwrap())).await;
    let nothing = Value::Null;
    let trip = |kind, source, name: &str, from: &str, to: &str, start: &str| {
        let text = |text: &str| if text.is_empty() { nothing.clone() } else { json!(text) };
        (json!(kind), json!(source), text(name), text(from), text(to), json!(start))
    };
    let told = draft["trips"].as_array().unwrap().clone();
    let short = |t: &Value| {
        let of = |key: &str| t[key].clone();
        (of("kind"), of("source"), of("name"), of("from"), of("to"), of("starts_at"))
    };
    assert_eq!(
        told.iter().map(short).collect::<Vec<_>>(),
        [
            trip("flight", "json_ld", "", "Zurich", "Shanghai", "2026-12-01T13:05:00+01:00"),
            trip("event", "calendar", "Stay at the Harbour Inn", "", "Quay 1", "2026-12-02"),
            trip("train", "pass", "", "Shanghai", "Suzhou", "2026-12-05T09:30:00+08:00"),
        ],
        "{draft}"
    );
    let more = (&told[0]["number"], &told[0]["carrier"], &told[0]["reservation"], &told[0]["passengers"]);
    assert_eq!(more, (&json!("XA188"), &json!("Example Air"), &json!("XYZ7Q2"), &json!(["Ann Rep", "Bo Rep"])));
    let day = &draft["fields"]["occurred_on"]["proposed"];
    assert_eq!(day["value"], "2026-12-01", "{draft}");
    assert!(
        !day["reasons"].to_string().contains("conflict"),
        "what else is in the calendar contradicts nothing: {day}"
    );
}

#[tokio::test]
async fn the_trip_is_on_the_page_of_the_draft_in_the_language_of_the_page_and_is_nothing_but_text() {
    on_both(async |db| {
        let world = app(&db).await;
        furnish(&world).await;
        let rep = actor(&world, "rep", &[Role::Rep]).await;
        let caller = Caller::session(&world, &rep).await;
        let (told, untold) = (submitted(&world, &rep, "told").await, submitted(&world, &rep, "untold").await);
        let value = |name: &str, text: &str| json!({ "source": "pass", "name": name, "text": text });
        let values = [
            value("trip", "train"),
            value("departure_place", "Suzhou"),
            value("arrival_place", "<b>Shanghai</b>"),
            value("pass_date", "2026-12-05T09:30:00+08:00"),
            value("passenger", "李薇"),
        ];
        as_if_told(&world, &told, json!(values)).await;
        let site = site(&world);
        for (language, words) in [
            (Language::En, ["Trip", "Train", "Sat 5 Dec 2026 09:30", "from the wallet pass"]),
            (Language::Zh, ["行程", "火车", "2026年12月5日 周六 09:30", "来自电子票卡"]),
        ] {
            people::set_language(&world.app, &rep, language).await.unwrap();
            let page = site.send(&caller, Method::GET, &format!("/drafts/{}", told.id), "", Vec::new()).await;
            assert_eq!(page.status, StatusCode::OK);
            let page = page.text();
            let (_, trips) = page.split_once("data-testid=\"trips\"").expect("the trips");
            let (trips, _) = trips.split_once("</section>").unwrap();
            for word in words.into_iter().chain(["Suzhou → &#60;b&#62;Shanghai", "李薇"]) {
                assert!(trips.contains(word), "{word}: {trips}");
            }
        }
        let page = site.send(&caller, Method::GET, &format!("/drafts/{}", untold.id), "", Vec::new()).await;
        assert!(!page.text().contains("data-testid=\"trips\""), "nothing to say");
    })
    .await;
}
