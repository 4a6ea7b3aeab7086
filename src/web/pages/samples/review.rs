//! Samples of the pages reviewers see.

use super::{PICTURE, ago, category_choices, choices, id, receipt, shell, visits};
use crate::{
    domain::{
        breakdown::{Breakdown, ItemKind, LineItem, TaxLine},
        capture::Channel,
        draft::DraftState,
        field::{Alternative, Evidence, Field, FieldKey, FieldValue},
        page::Quad,
        person::Language,
        structured::StructuredSource,
        trip::{Trip, TripKind},
    },
    web::{
        i18n::text,
        pages::{
            draft::{Change, CodeLine, DocumentView, DraftPage, FindingLine, HistoryLine, May, PageView, QueuePlace},
            field::{DecidedView, FieldView, Step},
            queue::{QueueFilter, QueuePage, QueueRow},
            shell::{Problem, VisitView},
            trips::TripLine,
        },
    },
};

pub fn queue(lang: Language) -> Vec<(&'static str, QueuePage)> {
    let row = |n: u32, merchant: &str, total: &str, code: &str, p: Option<f32>, flags: &[&str]| {
        let row = receipt(lang, n, DraftState::Submitted, merchant, total, code);
        QueueRow {
            url: format!("/drafts/{}?state=submitted", row.id),
            id: row.id,
            state: row.state,
            thumbnail_url: row.thumbnail_url,
            owner: ["李薇", "Jonas Weber", "王强"][n as usize % 3].into(),
            merchant: p.is_some().then_some(merchant.to_owned()),
            total: p.is_some().then_some(total.parse().unwrap()),
            currency: row.currency,
            issued_on: row.issued_on.filter(|_| p.is_some()),
            category: row.category,
            visit: [VisitView::Undecided, VisitView::NoVisit, row.visit][n as usize % 3].clone(),
            p,
            flags: flags.iter().map(|f| (*f).to_owned()).collect(),
            submitted_at: Some(ago(u64::from(40 - n) * 97)),
        }
    };
    let full = QueuePage {
        shell: shell(lang, "/review"),
        rows: vec![
            row(1, "川味小馆(苏州园区店)", "268", "CNY", Some(0.998), &[]),
            row(2, "Gasthof zum Goldenen Löwen an der Alten Brücke", "1284.50", "EUR", Some(0.87), &["duplicate"]),
            row(3, "Blue Bottle Coffee", "12.8", "USD", Some(0.42), &["weekend", "conflicting"]),
            row(4, "", "0", "CNY", None, &[]),
            row(5, "上海虹桥国际机场停车场", "1240", "CNY", Some(0.96), &[]),
            row(6, "滴滴出行", "41.3", "CNY", Some(0.93), &["never_translated_flag"]),
        ],
        total: Some(214),
        filter: QueueFilter { state: "submitted".into(), ..QueueFilter::default() },
        people: choices(&[("p1", "李薇"), ("p2", "Jonas Weber")]),
        units: choices(&[("u1", "华东 East"), ("u2", "DACH")]),
        categories: category_choices(lang),
        more: Some("/review?state=submitted&after=0192".into()),
        may_import: true,
        imported: Some(12),
        problem: None,
    };
    let empty = QueuePage { rows: vec![], total: Some(0), more: None, units: vec![], ..full.clone() };
    vec![("queue", full), ("queue_empty", empty)]
}

fn proposed(
    key: FieldKey,
    text: &str,
    p: f32,
    edges: [f32; 4],
    reasons: &[&str],
    others: &[(&str, f32, [f32; 4])],
) -> FieldView {
    let evidence = |text: &str, [left, top, right, bottom]: [f32; 4]| {
        Some(Evidence { page: 0, quad: Some(Quad::from_edges(left, top, right, bottom)), text: text.into() })
    };
    let alternatives = others
        .iter()
        .map(|(value, p, edges)| Alternative { value: (*value).into(), p: *p, evidence: evidence(value, *edges) })
        .collect();
    let field = Field {
        key,
        value: FieldValue::parse(key, text).unwrap(),
        p,
        evidence: if key == FieldKey::Category { None } else { evidence(text, edges) },
        source: format!("{key}:sample"),
        reasons: reasons.iter().map(|r| (*r).to_owned()).collect(),
        alternatives,
    };
    FieldView { proposed: Some(field), ..FieldView::empty(key) }
}

fn breakdown() -> Breakdown {
    let item = |kind, name: &str, quantity: Option<&str>, unit: Option<&str>, amount: &str, p, top: f32| LineItem {
        kind,
        name: name.into(),
        quantity: quantity.map(|q| q.parse().unwrap()),
        unit_price: unit.map(|u| u.parse().unwrap()),
        amount: amount.parse().unwrap(),
        p,
        evidence: Some(Evidence {
            page: 0,
            quad: Some(Quad::from_edges(110., top, 960., top + 36.)),
            text: name.into(),
        }),
        reasons: vec!["sum:items".into()],
    };
    let article = ItemKind::Article;
    Breakdown {
        items: vec![
            item(
                article,
                "Wiener Schnitzel with a name that goes on and on",
                Some("2"),
                Some("24.50"),
                "49.00",
                0.97,
                460.,
            ),
            item(article, "红烧肉", Some("0.596"), Some("15.9900"), "9.53", 0.93, 510.),
            item(ItemKind::Discount, "Stammgast", None, None, "-5.00", 0.78, 560.),
            item(ItemKind::Charge, "Service", None, None, "74.87", 0.55, 610.),
        ],
        taxes: vec![TaxLine {
            rate: "19.0".parse().unwrap(),
            net: Some("107.90".parse().unwrap()),
            tax: Some("20.50".parse().unwrap()),
            p: 0.97,
            evidence: None,
            reasons: vec![],
        }],
    }
}

pub fn trips(lang: Language) -> Vec<TripLine> {
    let trip =
        |kind, source, name: Option<&str>, number: Option<&str>, way: [&str; 2], starts: &str, ends: &str| Trip {
            kind,
            source,
            name: name.map(str::to_owned),
            carrier: Some("Example Air International".to_owned()),
            number: number.map(str::to_owned),
            from: Some(way[0].to_owned()).filter(|text| !text.is_empty()),
            to: Some(way[1].to_owned()),
            starts_at: Some(starts.to_owned()),
            ends_at: Some(ends.to_owned()),
            reservation: Some("XYZ7Q2".to_owned()),
            passengers: vec!["李薇".to_owned(), "Jonas Weber".to_owned()],
        };
    let way = ["Zürich Flughafen (ZRH)", "上海浦东国际机场 (PVG)"];
    let flight = (StructuredSource::JsonLd, Some("XA188"), "2026-12-01T13:05:00+01:00", "2026-12-02T06:20:00+08:00");
    let house = Some("Gasthof zum Goldenen Löwen an der Alten Brücke");
    let mut all = [
        trip(TripKind::Flight, flight.0, None, flight.1, way, flight.2, flight.3),
        trip(
            TripKind::Lodging,
            StructuredSource::Calendar,
            house,
            None,
            ["", "Brückengasse 1"],
            "2026-12-02",
            "2026-12-05",
        ),
    ];
    (all[1].carrier, all[1].passengers) = (None, Vec::new());
    all.iter().map(|trip| TripLine::new(&shell(lang, "/review"), trip)).collect()
}

pub fn draft(lang: Language) -> Vec<(&'static str, DraftPage)> {
    let required = |field: FieldView| FieldView { needed_for: Step::needing(field.key), ..field };
    let fields = vec![
        proposed(
            FieldKey::Merchant,
            "GOLDEN LION GUESTHOUSE",
            0.97,
            [250., 96., 830., 140.],
            &["label:seller", "known"],
            &[("Old Bridge Hospitality Ltd", 0.02, [300., 150., 780., 186.])],
        ),
        required(proposed(
            FieldKey::Date,
            "2026-11-20",
            0.91,
            [110., 330., 360., 366.],
            &["label:Date"],
            &[("2026-11-02", 0.06, [110., 1_500., 360., 1_536.])],
        )),
        proposed(FieldKey::Time, "19:42", 0.99, [400., 330., 520., 366.], &[], &[]),
        required(proposed(
            FieldKey::Total,
            "128.40",
            0.78,
            [790., 1_140., 960., 1_190.],
            &["label:TOTAL", "sum:items"],
            &[("107.90", 0.14, [800., 1_030., 960., 1_066.]), ("150.00", 0.05, [800., 1_260., 960., 1_296.])],
        )),
        required(proposed(FieldKey::Currency, "EUR", 0.995, [700., 1_140., 780., 1_190.], &["sign:EUR"], &[])),
        proposed(FieldKey::Tax, "20.50", 0.88, [800., 1_082., 960., 1_118.], &["label:VAT 19%"], &[]),
        FieldView::empty(FieldKey::InvoiceNumber),
        proposed(FieldKey::Payment, "cash", 0.9, [110., 1_256., 220., 1_296.], &[], &[]),
        proposed(FieldKey::EvidenceKind, "till_slip", 0.75, [110., 1_140., 700., 1_190.], &[], &[]),
    ];
    let meals = proposed(
        FieldKey::Category,
        "meals",
        0.94,
        [0.; 4],
        &["memory:12", "words:Schnitzel"],
        &[("lodging", 0.04, [0.; 4])],
    );
    let line = |minutes, by: Option<&str>, kind: &str| HistoryLine {
        at: ago(minutes),
        by: by.map(str::to_owned),
        kind: kind.into(),
        changes: vec![],
        reason: None,
    };
    let fresh = DraftPage {
        shell: shell(lang, "/drafts/0192f0c1"),
        id: id(2),
        state: DraftState::Submitted,
        revision: 3,
        reason: None,
        owner: "Jonas Weber".into(),
        captured_by: Some("李薇".into()),
        captured_at: ago(190),
        channel: Channel::Mail,
        mail_url: Some("/mail/x".into()),
        note: Some("Dinner with the Müller team".into()),
        pages: vec![PageView {
            index: 0,
            width: PICTURE.0,
            height: PICTURE.1,
            preview_url: "/sample/receipt.svg".into(),
        }],
        documents: vec![],
        fields,
        breakdown: breakdown(),
        category: required(meals),
        categories: category_choices(lang),
        visit: VisitView::Visit(visits()[1].clone()),
        visits: visits(),
        p: Some(0.71),
        flags: vec!["duplicate".into()],
        warnings: vec!["truncated".into(), "zodiac".into()],
        findings: vec![
            FindingLine {
                kind: "duplicate_invoice",
                severity: "error",
                text: text(lang, "finding.duplicate_invoice"),
                other: Some(("/drafts/7".into(), "Golden Lion Guesthouse · 2026-11-20 · 128.40".into())),
                attach: None,
                kept_apart: None,
            },
            FindingLine {
                kind: "same_expense",
                severity: "info",
                text: text(lang, "finding.same_expense")
                    .replace("{0}", &text(lang, "finding_word.payment_and_receipt")),
                other: Some(("/drafts/8".into(), "Golden Lion Guesthouse · 2026-11-20 · 128.40".into())),
                attach: Some("0192f0c1-7d3a-7c44-9a51-6f1e2b3c4d5e".into()),
                kept_apart: None,
            },
            FindingLine {
                kind: "kept_apart",
                severity: "info",
                text: text(lang, "finding.kept_apart"),
                other: Some(("/drafts/9".into(), "Golden Lion Guesthouse · 2026-11-21 · 128.40".into())),
                attach: None,
                kept_apart: Some("0192f0c1-7d3a-7c44-9a51-6f1e2b3c4d5f".into()),
            },
            FindingLine {
                kind: "not_verified",
                severity: "info",
                text: text(lang, "finding.not_verified"),
                other: None,
                attach: None,
                kept_apart: None,
            },
        ],
        codes: vec![
            CodeLine {
                format: Some("tse"),
                text: "V0;kasse-1;Kassenbeleg-V1;Beleg^128.40_0.00_0.00_0.00_0.00^".into(),
            },
            CodeLine { format: None, text: "WIFI:S:guest;;".into() },
        ],
        trips: trips(lang),
        may: May { edit: true, confirm: true, decide: true, verify: true, pair: true, ..May::default() },
        queue: QueuePlace {
            list_url: "/review?state=submitted".into(),
            query: "state=submitted".into(),
            previous_url: Some("/drafts/1?state=submitted".into()),
            next_url: Some("/drafts/3?state=submitted".into()),
            next_preview_url: Some("/sample/receipt.svg".into()),
            waiting: Some(214),
        },
        history: vec![
            line(190, Some("李薇"), "capture.received"),
            line(189, None, "draft.filled"),
            line(120, None, "a.new.kind"),
        ],
        conflict: false,
        problem: None,
    };
    let mut corrected = fresh.clone();
    corrected.fields[3].decided = Some(DecidedView { value: Some("107.90".into()), by: "李薇".into(), at: ago(3) });
    corrected.fields[1].refused = Some((
        "20.11.26".into(),
        Problem { code: "invalid_value".into(), detail: "write a date as YYYY-MM-DD".into() },
    ));
    corrected.conflict = true;
    corrected.visit = VisitView::Undecided;
    corrected.history.push(HistoryLine {
        changes: vec![
            Change { key: FieldKey::Total, from: Some("1128.40".into()), to: Some("107.90".into()) },
            Change { key: FieldKey::Tax, from: Some("20.50".into()), to: None },
        ],
        ..line(3, Some("李薇"), "draft.edited")
    });
    let document = |name: &str, kind: &str, is_supporting, first_page| DocumentView {
        name: name.into(),
        kind: kind.into(),
        is_supporting,
        first_page,
        original_url: "/sample/receipt.svg".into(),
    };
    corrected.documents = vec![
        document("dzfp_24512000000123456789_苏州恒瑞精密机械有限公司_20261120.xml", "XML", false, None),
        document("dzfp_24512000000123456789.pdf", "PDF", true, Some(0)),
        document("", "EML", true, Some(0)),
    ];
    let mut confirmed = corrected.clone();
    (confirmed.state, confirmed.may, confirmed.conflict) =
        (DraftState::Confirmed, May { reopen: true, ..May::default() }, false);
    confirmed.fields[1].refused = None;
    confirmed.queue = QueuePlace { list_url: "/receipts".into(), ..QueuePlace::default() };
    let mut returned = fresh.clone();
    (returned.state, returned.reason) = (DraftState::Returned, Some("Which visit is this for?".into()));
    returned.may = May { edit: true, submit: true, withdraw: true, ..May::default() };
    returned.queue = confirmed.queue.clone();
    let mut unread = returned.clone();
    (unread.state, unread.reason, unread.p, unread.flags) = (DraftState::Draft, None, None, vec![]);
    unread.fields.iter_mut().for_each(|field| field.proposed = None);
    unread.category.proposed = None;
    unread.breakdown = Breakdown::default();
    unread.pages = vec![];
    vec![
        ("draft", fresh),
        ("draft_corrected", corrected),
        ("draft_confirmed", confirmed),
        ("draft_returned", returned),
        ("draft_unread", unread),
    ]
}
