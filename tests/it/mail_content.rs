//! What is inside mails, through the real server: HTML receipts, several receipts, renditions of one, mails in mails, bombs.

use mail_builder::MessageBuilder;
use serde_json::{Value, json};

use vouch_fixtures::pdf::{Pdf, PdfPage};

use crate::{
    parts::{CAFE, TAXI, archive, hand_in},
    process::einvoice,
    support::{Api, Server},
};

const HTML: &str = "<html><body><p>Hello Ann,</p><table><tr><td>HARBOUR CAFE</td></tr><tr><td>Invoice number</td><td>HC-2026-1147</td></tr>
    <tr><td>Date</td><td>20 November 2026</td></tr><tr><td>Coffee</td><td>€ 4.50</td></tr><tr><td>Sandwich</td><td>€ 8.30</td></tr>
    <tr><td>Total</td><td>€ 12.80</td></tr></table></body></html>";
const TEXT: &str = "HARBOUR CAFE\nInvoice number: HC-2026-1147\nDate: 20 November 2026\nCoffee  4.50\nSandwich  8.30\nTotal  EUR 12.80\n";

fn mail(subject: &str) -> MessageBuilder<'_> {
    MessageBuilder::new().from(("Ann Rep", "ann@corp.example")).to("receipts@in.example").subject(subject)
}

fn totals(capture: &Value) -> Vec<&str> {
    let mut totals: Vec<&str> =
        capture["receipts"].as_array().unwrap().iter().filter_map(|r| r["total"].as_str()).collect();
    totals.sort_unstable();
    totals
}

async fn documents(api: &Api, receipt: &Value) -> Vec<(String, String)> {
    let draft = api.get(&format!("/drafts/{}", receipt["id"].as_str().unwrap())).await;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    draft["documents"].as_array().unwrap().iter().map(|d| (text(&d["media_type"]), text(&d["role"]))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn mails_bring_the_receipts_that_are_in_them() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path(), &[], &[]);
    let api = Api::new(&server, &server.token("rep", "rep"));

    // The mail itself is the receipt.
    let html_only = mail("Your receipt").html_body(HTML).write_to_vec().unwrap();
    let capture = hand_in(&api, html_only).await;
    assert_eq!((&capture["state"], totals(&capture)), (&json!("read"), vec!["12.80"]), "{capture}");
    assert_eq!(capture["receipts"][0]["issued_on"], "2026-11-20");
    assert_eq!(documents(&api, &capture["receipts"][0]).await, [("message/rfc822".to_owned(), "leading".to_owned())]);

    // Two receipts attached, and a text that is none.
    let two = mail("two receipts")
        .text_body("Please reimburse these, thanks. Ann")
        .attachment("text/plain", "taxi.txt", TAXI)
        .attachment("text/plain", "cafe.txt", CAFE);
    let capture = hand_in(&api, two.write_to_vec().unwrap()).await;
    assert_eq!(totals(&capture), ["12.80", "31.50"], "{capture}");

    // HTML and text of one invoice are one receipt, the mail is beside them.
    let renditions = mail("invoice")
        .text_body("Your invoice is attached.")
        .attachment("text/html", "invoice.html", HTML)
        .attachment("text/plain", "invoice.txt", TEXT);
    let capture = hand_in(&api, renditions.write_to_vec().unwrap()).await;
    assert_eq!(totals(&capture), ["12.80"], "{capture}");
    let made_of = documents(&api, &capture["receipts"][0]).await;
    let part = |kind: &str, role: &str| (kind.to_owned(), role.to_owned());
    assert_eq!(
        made_of,
        [part("text/html", "leading"), part("text/plain", "supporting"), part("message/rfc822", "supporting")]
    );

    // So are the PDF, the page and the data of an electronic invoice, and the data leads.
    let rows = ["Gasthof Beispiel", "Rechnung 2026-0815", "14.02.2026", "Gesamt 114,20 EUR"];
    let page =
        (0..).zip(rows).fold(PdfPage::a4(), |page, (row, text)| page.text(80.0, 100.0 + row as f32 * 20.0, 11.0, text));
    let html = rows.map(|row| format!("<p>{row}</p>")).concat();
    let of_three = mail("Ihre Rechnung")
        .text_body("Ihre Rechnung im Anhang.")
        .attachment("application/pdf", "rechnung.pdf", Pdf::new().page(page).bytes())
        .attachment("text/html", "rechnung.html", html)
        .attachment("application/xml", "rechnung.xml", einvoice("ubl.xml"));
    let capture = hand_in(&api, of_three.write_to_vec().unwrap()).await;
    assert_eq!(totals(&capture), ["114.20"], "{capture}");
    let mut made_of = documents(&api, &capture["receipts"][0]).await;
    made_of.sort();
    let part = |kind: &str, role: &str| (kind.to_owned(), role.to_owned());
    assert_eq!(
        made_of,
        [
            part("application/pdf", "supporting"),
            part("application/xml", "leading"),
            part("message/rfc822", "supporting"),
            part("text/html", "supporting")
        ]
    );

    // A message attached to a message, its receipt attached to it.
    let inner = mail("Your ride")
        .text_body("Thank you for riding")
        .attachment("text/plain", "ride.txt", TAXI.replace("31.50", "18.20"))
        .write_to_vec()
        .unwrap();
    let outer = mail("Fwd: Your ride").text_body("see attached").attachment("message/rfc822", "ride.eml", inner);
    let capture = hand_in(&api, outer.write_to_vec().unwrap()).await;
    assert_eq!(totals(&capture), ["18.20"], "{capture}");
    assert_eq!(capture["documents"].as_array().unwrap().len(), 3, "{capture}");

    // A bomb costs itself a reason; the original stays, and the service goes on.
    let bomb = format!("Subject: bomb\r\n{}", "Content-Type: message/rfc822\r\n\r\n".repeat(5_000));
    let capture = hand_in(&api, bomb.into_bytes()).await;
    assert_eq!((&capture["state"], &capture["reason"]), (&json!("failed"), &json!("mime_limits")));
    let original = format!("{}/api/v1/captures/{}/original", api.address, capture["id"].as_str().unwrap());
    assert!(api.client.get(original).bearer_auth(&api.token).send().await.unwrap().status().is_success());

    // Nothing a person can act on: still a draft, to be filled in.
    let note = mail("lunch").text_body("Lunch with the customer yesterday, receipt follows.").write_to_vec().unwrap();
    let capture = hand_in(&api, note).await;
    assert_eq!(capture["receipts"].as_array().unwrap().len(), 1, "{capture}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_html_receipt_is_shown_as_a_picture_of_its_text_and_nothing_remote_is_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path(), &[], &[]);
    let api = Api::new(&server, &server.token("rep", "rep"));
    // Whoever is named in the mail as the place of its pictures would learn that it was opened.
    let tracker = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    tracker.set_nonblocking(true).unwrap();
    let at = format!("http://{}", tracker.local_addr().unwrap());
    let remote = format!(
        "<link rel=stylesheet href='{at}/s.css'><script src='{at}/s.js'></script><img src='{at}/pixel.gif' width=1 height=1>
         <iframe src='{at}/frame'></iframe><object data='{at}/o'></object><div style=\"background:url('{at}/b.png')\">x</div>
         <meta http-equiv=refresh content='0;url={at}/away'><svg><image href='{at}/v.svg'/></svg>"
    );
    let body = HTML.replace("<body>", &format!("<body background='{at}/back.png'>{remote}"));
    let capture = hand_in(&api, mail("Your receipt").html_body(body).write_to_vec().unwrap()).await;
    assert_eq!(totals(&capture), ["12.80"], "{capture}");

    let draft = api.get(&format!("/drafts/{}", capture["receipts"][0]["id"].as_str().unwrap())).await;
    let preview = format!("{}{}", api.address, draft["pages"][0]["preview_url"].as_str().unwrap());
    let answer = api.client.get(preview).bearer_auth(&api.token).send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "image/jpeg");
    let picture = image::load_from_memory(&answer.bytes().await.unwrap()).unwrap().into_luma8();
    let ink = picture.pixels().filter(|pixel| pixel.0[0] < 128).count();
    assert!(ink > 500, "the text is on the picture: {ink} dark pixels");
    assert!(tracker.accept().is_err(), "somebody asked for what the mail names");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_calendar_or_a_pass_in_the_mail_says_the_day_of_the_journey() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path(), &[], &[]);
    let api = Api::new(&server, &server.token("rep", "rep"));
    let event = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:Dinner\r\nDTSTART:20261205T190000Z\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
    let pass = archive(
        &[("pass.json", br#"{"organizationName":"Example Air","relevantDate":"2026-12-01T13:05:00+01:00"}"#)],
        None,
    );
    let receipt = "EXAMPLE AIR\nInvoice number: EA-2026-118\nDate: 20 November 2026\nFare  212.40\nTotal  EUR 212.40\n";
    let in_its_text = mail("Your table").html_body(HTML).attachment("text/calendar", "event.ics", event);
    let beside = mail("Your flight")
        .text_body("Your receipt and your boarding pass are attached.")
        .attachment("text/plain", "receipt.txt", receipt)
        .attachment("application/vnd.apple.pkpass", "boarding.pkpass", pass);
    for (mail, day) in [(in_its_text, "2026-12-05"), (beside, "2026-12-01")] {
        let capture = hand_in(&api, mail.write_to_vec().unwrap()).await;
        assert_eq!(capture["receipts"].as_array().unwrap().len(), 1, "{capture}");
        assert_eq!(capture["receipts"][0]["issued_on"], "2026-11-20", "{capture}");
        let draft = api.get(&format!("/drafts/{}", capture["receipts"][0]["id"].as_str().unwrap())).await;
        assert_eq!(draft["fields"]["occurred_on"]["proposed"]["value"], day, "{draft}");
        assert!(draft["trips"][0]["starts_at"].as_str().unwrap().starts_with(day), "{draft}");
    }
}
