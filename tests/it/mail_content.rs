//! What is inside mails, through the real server: HTML receipts, several receipts, renditions of one, mails in mails, bombs.

use mail_builder::MessageBuilder;
use serde_json::{Value, json};

use crate::{
    parts::{CAFE, TAXI, hand_in},
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
