//! Several papers of one expense, through the real server: what comes together is one draft, what comes apart is proposed
//! to the reviewer as one expense with the reason.

use mail_builder::MessageBuilder;
use reqwest::Method;
use serde_json::{Value, json};
use vouch::{
    domain::{capture::Limits, page::TextSource},
    reader::paper,
};
use vouch_fixtures::pdf::{Pdf, PdfPage};

use crate::{
    parts::{archive, hand_in},
    process::einvoice,
    support::{Api, Server, fresh_postgres},
};

const RESTAURANT: [&str; 6] = [
    "GOLDEN LION RESTAURANT",
    "12 Market Street, Example Town",
    "Date: 20/11/2026 19:42    Table 7",
    "Steak with potatoes    32.00",
    "House wine    18.50",
    "TOTAL EUR    50.50",
];
const CARD_SLIP: [&str; 10] = [
    "GOLDEN LION RESTAURANT",
    "CARDHOLDER COPY",
    "Date: 20/11/2026 20:31",
    "Terminal ID: 70012345",
    "AID: A0000000031010",
    "VISA DEBIT ************1234",
    "Auth code: 004417",
    "CONTACTLESS",
    "No signature required",
    "AMOUNT EUR    50.50",
];
/// A ride on the evening the invoice below was asked for.
const TRIP_SHEET: &str = "示例出行 行程报销单\n申请日期：2026-03-05\n行程起止日期：2026-03-05 至 2026-03-05\n\
    序号 上车时间 城市 起点 终点 金额[元]\n1 03-05 18:02 广州市 样本路 示例大厦 38.00\n共1笔行程，合计38.00元\n";

/// What the toll office adds up for a trip of two bills.
const TOLL_LIST: &str = "收费公路通行费电子票据汇总单\n汇总单号：1234567890\n车牌号码：沪A00000\n\
    交易日期：2026-03-01 至 2026-03-05\n序号 票据代码 票据号码 入口站 出口站 通行时间 金额(元)\n\
    1 031001900112 00000017 示例东 样本西 2026-03-01 10:12 18.00\n\
    2 031001900112 00000018 样本西 示例东 2026-03-05 18:40 20.00\n合计金额：38.00 元\n";
/// What the reception prints; the invoice calls the house by its company's name and bears the day of departure.
const FOLIO: &str = "广州示例酒店\n宾客账单 GUEST FOLIO\n姓名：李薇   房号：1208\n入住日期：2026-03-03   离店日期：2026-03-05\n\
    日期 项目 金额\n2026-03-03 房费 600.00\n2026-03-04 房费 600.00\n合计 1200.00\n谢谢惠顾\n";

fn pdf(lines: &[&str]) -> Vec<u8> {
    let rows = lines.iter().enumerate();
    Pdf::new()
        .page(rows.fold(PdfPage::a4(), |page, (row, line)| {
            let (left, right) = line.rsplit_once("    ").unwrap_or((line, ""));
            let top = 100.0 + 24.0 * row as f32;
            page.text(72.0, top, 12.0, left).text(400.0, top, 12.0, right)
        }))
        .bytes()
}

/// The lines as a picture of a slip, to be recognised.
fn picture(lines: &[&str]) -> Vec<u8> {
    let lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
    let pages = paper::text_pages(&lines, TextSource::Structured, &Limits::default()).map_err(|_| "no page").unwrap();
    pages[0].preview.jpeg.clone()
}

/// The invoice of the trip sheet's ride.
fn ride_invoice() -> Vec<u8> {
    invoice(["36.89", "1.11", "38.00", "叁拾捌圆整"], "000017")
}

/// An invoice over `net`, `tax` and `total`, the total in capitals besides, whose number ends in `ending`.
fn invoice([net, tax, total, capitals]: [&str; 4], ending: &str) -> Vec<u8> {
    let xml = String::from_utf8(einvoice("digital-special.xml")).unwrap();
    [("1132.08", net), ("67.92", tax), ("1200.00", total), ("壹仟贰佰圆整", capitals), ("000017", ending)]
        .into_iter()
        .fold(xml, |xml, (from, to)| xml.replace(from, to))
        .into_bytes()
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// The id of the one draft of what is handed in.
async fn drafted(api: &Api, bytes: Vec<u8>) -> String {
    let capture = hand_in(api, bytes).await;
    let receipts = capture["receipts"].as_array().expect("receipts");
    assert_eq!((&capture["state"], receipts.len()), (&json!("read"), 1), "{capture}");
    text(&receipts[0], "/id").to_owned()
}

/// Names of the documents of a draft with their roles, in order.
async fn documents(api: &Api, draft: &str) -> Vec<(String, String)> {
    let draft = api.get(&format!("/drafts/{draft}")).await;
    let of = |document: &Value| (text(document, "/media_type").to_owned(), text(document, "/role").to_owned());
    draft["documents"].as_array().unwrap().iter().map(of).collect()
}

/// Both drafts name each other as one expense, for `reason`, and say which of them supports the other; nobody has to be
/// told that a slip stands alone or came twice.
async fn is_proposed(api: &Api, leading: &str, supporting: &str, reason: &str) {
    for (own, other) in [(leading, supporting), (supporting, leading)] {
        let findings = api.get(&format!("/drafts/{own}/findings")).await;
        let all = findings.as_array().unwrap();
        let proposal = all.iter().find(|finding| finding["kind"] == "same_expense");
        let Some(proposal) = proposal else {
            panic!("nothing is proposed: {findings}; {}", api.get(&format!("/drafts/{own}")).await["fields"]);
        };
        assert_eq!(
            (text(proposal, "/other_draft_id"), text(proposal, "/detail/reason"), text(proposal, "/detail/supporting")),
            (other, reason, supporting),
            "{findings}"
        );
        for kind in ["supporting_alone", "possible_duplicate", "duplicate_invoice"] {
            assert!(all.iter().all(|finding| finding["kind"] != kind), "{kind}: {findings}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_slip_and_the_restaurants_receipt_are_proposed_as_one_expense() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path(), &[], &[]);
    let api = Api::new(&server, &server.token("rep", "rep"));
    let slip = drafted(&api, picture(&CARD_SLIP)).await;
    let alone = api.get(&format!("/drafts/{slip}/findings")).await;
    assert!(alone.as_array().unwrap().iter().any(|f| f["kind"] == "supporting_alone"), "{alone}");
    let receipt = drafted(&api, pdf(&RESTAURANT)).await;
    is_proposed(&api, &receipt, &slip, "payment_and_receipt").await;
    // Somebody else's slip over the same amount is nobody's business here.
    let other = Api::new(&server, &server.token("other", "rep"));
    let lines: Vec<String> = CARD_SLIP.iter().map(|line| line.replace("1234", "9876")).collect();
    let theirs = drafted(&other, picture(&lines.iter().map(String::as_str).collect::<Vec<_>>())).await;
    let findings = other.get(&format!("/drafts/{theirs}/findings")).await;
    assert!(findings.as_array().unwrap().iter().all(|f| f["kind"] != "same_expense"), "{findings}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_accepted_slip_is_evidence_of_its_receipt_and_a_refused_one_an_expense_of_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path(), &[], &[]);
    let api = Api::new(&server, &server.token("rep", "rep"));
    let stranger = Api::new(&server, &server.token("stranger", "rep"));
    let slip = drafted(&api, picture(&CARD_SLIP)).await;
    let receipt = drafted(&api, pdf(&RESTAURANT)).await;
    is_proposed(&api, &receipt, &slip, "payment_and_receipt").await;
    let revision = api.get(&format!("/drafts/{slip}")).await["revision"].clone();
    // Neither somebody else nor a page that is out of date accepts it.
    let accept = |revision: &Value| json!({ "revision": revision, "into": receipt });
    let merge = format!("/drafts/{slip}/merge");
    assert_eq!(stranger.send(Method::POST, &merge, &accept(&revision)).await.0, 404);
    assert_eq!(api.send(Method::POST, &merge, &accept(&json!(99))).await.0, 409);
    is_proposed(&api, &receipt, &slip, "payment_and_receipt").await;

    let (status, merged) = api.send(Method::POST, &merge, &accept(&revision)).await;
    assert_eq!((status, &merged["state"]), (200, &json!("merged")), "{merged}");
    let part = |kind: &str, role: &str| (kind.to_owned(), role.to_owned());
    assert_eq!(documents(&api, &receipt).await, [part("application/pdf", "leading"), part("image/jpeg", "supporting")]);
    let draft = api.get(&format!("/drafts/{receipt}")).await;
    assert_eq!(draft["total"], "50.50", "the evening is counted once");
    let findings = api.get(&format!("/drafts/{receipt}/findings")).await;
    assert!(findings.as_array().unwrap().iter().all(|f| f["kind"] != "same_expense"), "{findings}");
    assert_eq!(api.send(Method::POST, &merge, &accept(&merged["revision"])).await.0, 409, "it is merged once");

    // Another evening: who leaves the proposal alone has two expenses, and nothing joins them behind their back.
    let later = |line: &&str| line.replace("20/11/2026", "21/11/2026").replace("50.50", "61.20");
    let [slip, receipt] = [&CARD_SLIP[..], &RESTAURANT[..]].map(|lines| lines.iter().map(later).collect::<Vec<_>>());
    let slip = drafted(&api, picture(&slip.iter().map(String::as_str).collect::<Vec<_>>())).await;
    let receipt = drafted(&api, pdf(&receipt.iter().map(String::as_str).collect::<Vec<_>>())).await;
    is_proposed(&api, &receipt, &slip, "payment_and_receipt").await;
    let reviewer = Api::new(&server, &server.token("reviewer", "reviewer"));
    for id in [&slip, &receipt] {
        let draft = api.get(&format!("/drafts/{id}")).await;
        let fields = json!({ "category": "meals" });
        let body = json!({ "revision": draft["revision"], "fields": fields });
        let editor = if draft["state"] == "submitted" { &reviewer } else { &api };
        let (status, mut draft) = editor.send(Method::PATCH, &format!("/drafts/{id}"), &body).await;
        assert_eq!(status, 200, "{draft}");
        if draft["state"] == "draft" {
            let at = json!({ "revision": draft["revision"] });
            draft = api.send(Method::POST, &format!("/drafts/{id}/submit"), &at).await.1;
        }
        let at = json!({ "revision": draft["revision"] });
        let (status, body) = reviewer.send(Method::POST, &format!("/drafts/{id}/confirm"), &at).await;
        assert_eq!((status, &body["receipt"]["state"]), (200, &json!("confirmed")), "{body}");
        assert_eq!(documents(&api, id).await.len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trip_sheet_goes_with_its_invoice_and_is_proposed_when_it_comes_apart() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path(), &[], &[]);
    let api = Api::new(&server, &server.token("rep", "rep"));
    let files: &[(&str, &[u8])] = &[("行程单.txt", TRIP_SHEET.as_bytes()), ("发票.xml", &ride_invoice())];
    let draft = drafted(&api, archive(files, None)).await;
    let part = |kind: &str, role: &str| (kind.to_owned(), role.to_owned());
    let mut made_of = documents(&api, &draft).await;
    made_of.sort_unstable();
    assert_eq!(made_of, [part("application/xml", "leading"), part("text/plain", "supporting")]);
    assert_eq!(api.get(&format!("/drafts/{draft}")).await["total"], "38.00", "the ride is not counted twice");

    let other = Api::new(&server, &server.token("other", "rep"));
    let sheet = drafted(&other, TRIP_SHEET.as_bytes().to_vec()).await;
    let invoice = drafted(&other, String::from_utf8(ride_invoice()).unwrap().replace("000017", "000099").into()).await;
    is_proposed(&other, &invoice, &sheet, "trip_sheet_and_invoice").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_toll_list_goes_with_the_bills_it_adds_up_and_is_never_an_expense_of_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path(), &[], &[]);
    let api = Api::new(&server, &server.token("rep", "rep"));
    let bills = [
        invoice(["17.48", "0.52", "18.00", "壹拾捌圆整"], "000017"),
        invoice(["19.42", "0.58", "20.00", "贰拾圆整"], "000083"),
    ];
    let files: &[(&str, &[u8])] = &[("汇总单.txt", TOLL_LIST.as_bytes()), ("1.xml", &bills[0]), ("2.xml", &bills[1])];
    let capture = hand_in(&api, archive(files, None)).await;
    let receipts = capture["receipts"].as_array().unwrap();
    let mut totals: Vec<&str> = receipts.iter().map(|receipt| text(receipt, "/total")).collect();
    totals.sort_unstable();
    assert_eq!(totals, ["18.00", "20.00"], "the sum is not counted again: {capture}");
    let mut made_of = Vec::new();
    for receipt in receipts {
        made_of.extend(documents(&api, text(receipt, "/id")).await);
    }
    let list = ("text/plain".to_owned(), "supporting".to_owned());
    assert_eq!(made_of.iter().filter(|part| **part == list).count(), 1, "it lies with one of them: {made_of:?}");

    // Apart from its bills it is no expense, and says so.
    let other = Api::new(&server, &server.token("other", "rep"));
    let reviewer = Api::new(&server, &server.token("reviewer", "reviewer"));
    let alone = drafted(&other, TOLL_LIST.as_bytes().to_vec()).await;
    let findings = other.get(&format!("/drafts/{alone}/findings")).await;
    assert!(findings.as_array().unwrap().iter().any(|f| f["kind"] == "supporting_alone"), "{findings}");
    let draft = other.get(&format!("/drafts/{alone}")).await;
    let edit = json!({ "revision": draft["revision"], "fields": { "category": "parking_tolls" } });
    let (status, mut draft) = reviewer.send(Method::PATCH, &format!("/drafts/{alone}"), &edit).await;
    assert_eq!(status, 200, "{draft}");
    if draft["state"] == "draft" {
        let at = json!({ "revision": draft["revision"] });
        draft = other.send(Method::POST, &format!("/drafts/{alone}/submit"), &at).await.1;
    }
    let at = json!({ "revision": draft["revision"] });
    let (status, refused) = reviewer.send(Method::POST, &format!("/drafts/{alone}/confirm"), &at).await;
    assert_eq!((status, &refused["code"]), (422, &json!("only_supports")), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_toll_list_that_comes_apart_is_proposed_to_the_bills_it_adds_up() {
    toll_list_comes_apart(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_toll_list_that_comes_apart_is_proposed_to_the_bills_it_adds_up_on_postgresql() {
    let Some(fresh) = fresh_postgres().await else { return };
    toll_list_comes_apart(&[("VOUCH_DATABASE__URL".to_owned(), fresh.url())]).await;
    fresh.remove().await;
}

async fn toll_list_comes_apart(env: &[(String, String)]) {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path(), env, &[]);
    let bills = [
        invoice(["17.48", "0.52", "18.00", "壹拾捌圆整"], "000017"),
        invoice(["19.42", "0.58", "20.00", "贰拾圆整"], "000083"),
    ];
    // Whether the list comes first, in the middle or last, and whether it names its bills or only their sum.
    let naming = TOLL_LIST
        .replace("031001900112 00000017", "26440000000000000017")
        .replace("031001900112 00000018", "26440000000000000083");
    for (place, (at, said)) in [(0, TOLL_LIST), (1, TOLL_LIST), (2, naming.as_str())].into_iter().enumerate() {
        let api = Api::new(&server, &server.token(&format!("rep{place}"), "rep"));
        let mut papers: Vec<Vec<u8>> = bills.to_vec();
        papers.insert(at, said.as_bytes().to_vec());
        let mut drafts = Vec::new();
        for paper in papers {
            drafts.push(drafted(&api, paper).await);
        }
        let list = drafts.remove(at);
        let proposed = async |id: &str| -> Vec<(String, String, String)> {
            let findings = api.get(&format!("/drafts/{id}/findings")).await;
            let all = findings.as_array().unwrap();
            assert!(all.iter().all(|finding| finding["kind"] != "supporting_alone"), "{findings}");
            let proposals = all.iter().filter(|finding| finding["kind"] == "same_expense");
            let of = |finding: &Value, pointer: &str| text(finding, pointer).to_owned();
            let parts = ["/other_draft_id", "/detail/reason", "/detail/supporting"];
            let mut out: Vec<_> = proposals.map(|f| parts.map(|part| of(f, part)).into()).collect();
            out.sort();
            out
        };
        let row = |other: &String| (other.clone(), "toll_list_and_bill".to_owned(), list.clone());
        let mut of_list: Vec<_> = drafts.iter().map(row).collect();
        of_list.sort();
        assert_eq!(proposed(&list).await, of_list);
        for bill in &drafts {
            assert_eq!(proposed(bill).await, [row(&list)]);
        }
        // Accepted, it lies with one bill, and the trip costs what its bills say.
        let revision = api.get(&format!("/drafts/{list}")).await["revision"].clone();
        let body = json!({ "revision": revision, "into": drafts[0] });
        let (status, merged) = api.send(Method::POST, &format!("/drafts/{list}/merge"), &body).await;
        assert_eq!((status, &merged["state"]), (200, &json!("merged")), "{merged}");
        let part = |kind: &str, role: &str| (kind.to_owned(), role.to_owned());
        let made_of = [part("application/xml", "leading"), part("text/plain", "supporting")];
        assert_eq!(documents(&api, &drafts[0]).await, made_of);
        for (bill, total) in drafts.iter().zip(["18.00", "20.00"]) {
            assert_eq!(api.get(&format!("/drafts/{bill}")).await["total"], total);
            assert_eq!(proposed(bill).await, [], "it is attached once");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hotels_folio_is_proposed_beside_the_invoice_of_the_stay() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path(), &[], &[]);
    let api = Api::new(&server, &server.token("rep", "rep"));
    let folio = drafted(&api, FOLIO.as_bytes().to_vec()).await;
    let xml = String::from_utf8(einvoice("digital-special.xml")).unwrap();
    let invoice = drafted(&api, xml.into_bytes()).await;
    is_proposed(&api, &invoice, &folio, "slip_and_invoice").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_goes_with_the_pdf_it_brings_and_is_proposed_when_the_pdf_comes_apart() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path(), &[], &[]);
    let api = Api::new(&server, &server.token("rep", "rep"));
    let said = "Dear Ann,\n\nthank you for your order.\n\nGOLDEN LION RESTAURANT\nDate: 20/11/2026\nTOTAL EUR 50.50\n";
    let mail = || {
        let from = ("Golden Lion Restaurant", "orders@golden-lion.example");
        MessageBuilder::new().from(from).to("ann@corp.example").subject("Your order").text_body(said)
    };
    let invoice: Vec<&str> = [&RESTAURANT[..], &INVOICE[..]].concat();
    let whole = mail().attachment("application/pdf", "invoice.pdf", pdf(&invoice)).write_to_vec().unwrap();
    let draft = drafted(&api, whole).await;
    let part = |kind: &str, role: &str| (kind.to_owned(), role.to_owned());
    assert_eq!(
        documents(&api, &draft).await,
        [part("application/pdf", "leading"), part("message/rfc822", "supporting")]
    );

    let other = Api::new(&server, &server.token("other", "rep"));
    let told = drafted(&other, mail().write_to_vec().unwrap()).await;
    let next: Vec<String> = invoice.iter().map(|line| line.replace("4471", "5118")).collect();
    let invoice = drafted(&other, pdf(&next.iter().map(String::as_str).collect::<Vec<_>>())).await;
    is_proposed(&other, &invoice, &told, "slip_and_invoice").await;
}

/// What makes a bill an invoice.
const INVOICE: [&str; 4] = [
    "Invoice number: GL-2026-4471",
    "Bill to: Example Ltd",
    "Payment terms: net 30",
    "IBAN DE00 1234 5678 9012 3456 00",
];
