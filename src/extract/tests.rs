//! Whole receipts, drawn up for the tests: what comes out, with which reasons, and that nothing makes it panic.

use proptest::prelude::*;
use rust_decimal::Decimal;

use super::{Context, Extraction, Material, extract};
use crate::domain::{
    field::{FieldKey, FieldValue},
    page::{Code, Line, Page, Quad, TextSource, Word},
    time::CivilDate,
};

const TODAY: CivilDate = jiff::civil::date(2026, 11, 30);
/// Text height of the drawn receipts, in pixels.
const HEIGHT: f32 = 20.0;
/// Width of one drawn character.
const ADVANCE: f32 = 11.0;

pub(super) fn context() -> Context {
    Context { today: TODAY, home_currency: None, locales: Vec::new(), known_merchants: Vec::new() }
}

/// A page from rows of text; two spaces or more separate columns, each becoming a line of its own as detectors return them.
/// `skew` is the slope of the rows.
pub(super) fn page(rows: &[&str], skew: f32) -> Page {
    let mut lines = Vec::new();
    for (at, row) in rows.iter().enumerate() {
        let mut column = 0_usize;
        for part in row.split("  ") {
            let lead = part.chars().take_while(|c| *c == ' ').count();
            let text = part.trim();
            let left = 20.0 + (column + lead) as f32 * ADVANCE;
            let wide = text.chars().map(|c| if c.is_ascii() { ADVANCE } else { 2.0 * ADVANCE }).sum::<f32>();
            column += part.chars().count() + 2;
            if text.is_empty() {
                continue;
            }
            let y = |x: f32| 40.0 + at as f32 * HEIGHT * 1.6 + x * skew;
            let (right, top_left, top_right) = (left + wide, y(left), y(left + wide));
            let quad =
                Quad([[left, top_left], [right, top_right], [right, top_right + HEIGHT], [left, top_left + HEIGHT]]);
            let word = Word { text: text.to_owned(), quad, score: 0.99, char_scores: Vec::new() };
            lines.extend(Line::from_words(vec![word]));
        }
    }
    Page { index: 0, width: 800, height: 1600, lines, source: TextSource::Recognition }
}

pub(super) fn read(rows: &[&str]) -> Extraction {
    extract(&Material { pages: vec![page(rows, 0.0)], codes: Vec::new(), values: Vec::new() }, &context())
}

fn value(extraction: &Extraction, key: FieldKey) -> String {
    extraction.fields.get(&key).map_or("nothing".to_owned(), |f| f.value.to_string())
}

fn assert_fields(rows: &[&str], expected: &[(FieldKey, &str)]) {
    for skew in [0.0, 0.03, -0.03] {
        let extraction =
            extract(&Material { pages: vec![page(rows, skew)], codes: Vec::new(), values: Vec::new() }, &context());
        for (key, text) in expected {
            assert_eq!(value(&extraction, *key), *text, "{key} at skew {skew}: {:?}", extraction.fields.get(key));
        }
    }
}

const MALAYSIAN: &[&str] = &[
    "KEDAI BUKU SERI MAWAR SDN BHD",
    "(123456-X)",
    "NO. 5, JALAN BUNGA 2, TAMAN MELATI",
    "53100 KUALA LUMPUR",
    "TEL: 03-41234567",
    "TAX INVOICE",
    "Invoice No: INV-20931",
    "Date: 03/04/2018  10:22 AM",
    "PENSIL 2B  2 x 1.20  2.40",
    "BUKU LATIHAN  7.53",
    "Sub Total  9.93",
    "GST @6%  0.60",
    "Rounding Adj  0.02",
    "TOTAL  10.55",
    "CASH  20.00",
    "CHANGE  9.45",
    "THANK YOU",
];

#[test]
fn a_malaysian_slip_gives_the_total_after_rounding_and_the_day_before_the_month() {
    assert_fields(
        MALAYSIAN,
        &[
            (FieldKey::Merchant, "KEDAI BUKU SERI MAWAR SDN BHD"),
            (FieldKey::Date, "2018-04-03"),
            (FieldKey::Time, "10:22"),
            (FieldKey::Total, "10.55"),
            (FieldKey::Currency, "MYR"),
            (FieldKey::Tax, "0.60"),
            (FieldKey::InvoiceNumber, "INV-20931"),
            (FieldKey::Payment, "cash"),
        ],
    );
}

#[test]
fn a_german_slip_gives_decimal_commas_and_the_tax_inside() {
    assert_fields(
        &[
            "Backhaus Linde GmbH",
            "Lindenstraße 12",
            "33100 Paderborn",
            "Roggenbrot  3,45 A",
            "2 x 1,10",
            "Brezel  2,20 A",
            "Summe EUR  5,65",
            "Gegeben BAR  10,00",
            "Rückgeld  4,35",
            "MwSt 7,0%  5,28  0,37",
            "Bon-Nr. 4711",
            "12.03.2020  16:17 Uhr",
        ],
        &[
            (FieldKey::Date, "2020-03-12"),
            (FieldKey::Time, "16:17"),
            (FieldKey::Total, "5.65"),
            (FieldKey::Currency, "EUR"),
            (FieldKey::Tax, "0.37"),
            (FieldKey::Net, "5.28"),
        ],
    );
}

#[test]
fn a_swiss_slip_is_not_read_in_the_currency_of_its_conversion() {
    assert_fields(
        &[
            "Gasthaus Rössli",
            "Dorfplatz 3  6006 Luzern",
            "Rechnung Nr. 1680",
            "02.09.2022  19:31",
            "1 Cordon bleu  30.00",
            "2 Mineral  8.60",
            "Total CHF  38.60",
            "Total in EUR  40.63",
            "MwSt 7.7%  2.76",
            "CHE-116.281.710 MWST",
        ],
        &[
            (FieldKey::Total, "38.60"),
            (FieldKey::Currency, "CHF"),
            (FieldKey::Date, "2022-09-02"),
            (FieldKey::SellerTaxId, "CHE-116.281.710"),
        ],
    );
}

#[test]
fn an_american_slip_puts_the_month_first() {
    assert_fields(
        &[
            "BLUE HERON DINER",
            "410 MAIN STREET",
            "AUSTIN TX 78701",
            "(512) 555-0142",
            "05/04/2017  7:54 PM",
            "BURGER  $9.50",
            "SODA  $2.25",
            "SUBTOTAL  $11.75",
            "TAX  $0.97",
            "TOTAL  $12.72",
            "VISA ************1234",
        ],
        &[
            (FieldKey::Date, "2017-05-04"),
            (FieldKey::Time, "19:54"),
            (FieldKey::Total, "12.72"),
            (FieldKey::Tax, "0.97"),
            (FieldKey::Currency, "USD"),
            (FieldKey::Payment, "visa"),
            (FieldKey::CardLast4, "1234"),
        ],
    );
}

const FAPIAO: &[&str] = &[
    "天津增值税电子普通发票  发票代码：012000000000",
    "发票号码：18760000",
    "开票日期：2022年03月10日",
    "名  称：张三",
    "纳税人识别号：",
    "货物或应税劳务、服务名称  规格型号  单位  数量  单价  金额  税率  税额",
    "*运输服务*客运服务费  次  14.08  14.08  3%  0.42",
    "合  计  ￥14.08  ￥0.42",
    "价税合计（大写）  壹拾肆圆伍角整  (小写)￥14.50",
    "名  称:天津远山科技有限公司",
    "纳税人识别号:91120116340983330X",
];

#[test]
fn a_fapiao_gives_the_gross_total_and_the_seller_not_the_buyer() {
    assert_fields(
        FAPIAO,
        &[
            (FieldKey::Merchant, "天津远山科技有限公司"),
            (FieldKey::Date, "2022-03-10"),
            (FieldKey::Total, "14.50"),
            (FieldKey::Tax, "0.42"),
            (FieldKey::Net, "14.08"),
            (FieldKey::Currency, "CNY"),
            (FieldKey::InvoiceNumber, "18760000"),
            (FieldKey::SellerTaxId, "91120116340983330X"),
            (FieldKey::EvidenceKind, "ordinary_fapiao"),
        ],
    );
}

#[test]
fn a_code_overrules_a_misread_date_and_an_old_kinds_amount_is_net() {
    let mut rows = FAPIAO.to_vec();
    rows[2] = "开票日期：2022年03月19日";
    let code = Code {
        symbology: "qr_code".to_owned(),
        text: "01,10,012000000000,18760000,14.08,20220310,01234567890123456789,819C,".to_owned(),
        page: 0,
        quad: Quad::from_edges(0.0, 0.0, 50.0, 50.0),
    };
    let extraction =
        extract(&Material { pages: vec![page(&rows, 0.0)], codes: vec![code], values: Vec::new() }, &context());
    assert_eq!(value(&extraction, FieldKey::Date), "2022-03-10");
    assert_eq!(value(&extraction, FieldKey::Total), "14.50");
    assert_eq!(value(&extraction, FieldKey::Net), "14.08");
    let date = &extraction.fields[&FieldKey::Date];
    assert!(date.alternatives.iter().any(|a| a.value == "2022-03-19"), "what is printed stays visible");
    assert!(date.p > 0.95);
}

#[test]
fn without_a_sign_of_it_there_is_no_currency() {
    let mut context = context();
    context.home_currency = Some("EUR".parse().unwrap());
    let rows = ["CORNER SHOP", "BREAD  2.00", "TOTAL  2.00", "2024-03-02"];
    let extraction =
        extract(&Material { pages: vec![page(&rows, 0.0)], codes: Vec::new(), values: Vec::new() }, &context);
    assert_eq!(value(&extraction, FieldKey::Currency), "nothing", "the home currency is no default");
    assert_eq!(value(&extraction, FieldKey::Total), "2.00");
}

#[test]
fn the_locale_decides_a_date_nothing_else_decides() {
    let rows = ["CORNER SHOP", "BREAD  2.00", "TOTAL  2.00", "03/04/2024  10:15"];
    for (locale, expected) in [("en-US", "2024-03-04"), ("en-GB", "2024-04-03"), ("de-CH", "2024-04-03")] {
        let context = Context { locales: vec![locale.to_owned()], ..context() };
        let extraction =
            extract(&Material { pages: vec![page(&rows, 0.0)], codes: Vec::new(), values: Vec::new() }, &context);
        assert_eq!(value(&extraction, FieldKey::Date), expected, "{locale}");
        let date = &extraction.fields[&FieldKey::Date];
        assert!(date.p < 0.95, "a locale is a weak reason: {}", date.p);
        assert_eq!(date.alternatives.len(), 1);
    }
}

#[test]
fn a_known_merchant_is_recognised_through_a_misread_letter() {
    let rows = ["MARl0S TAVERNA", "12 HARBOUR ROAD", "SOUP  4.00", "TOTAL  4.00", "2024-03-02"];
    let context = Context { known_merchants: vec!["Marios Taverna".to_owned()], ..context() };
    let extraction =
        extract(&Material { pages: vec![page(&rows, 0.0)], codes: Vec::new(), values: Vec::new() }, &context);
    let merchant = &extraction.fields[&FieldKey::Merchant];
    assert_eq!((merchant.value.to_string().as_str(), merchant.source.as_str()), ("Marios Taverna", "merchant:known"));
}

#[test]
fn every_value_says_where_it_stands_and_why() {
    let extraction = read(MALAYSIAN);
    let total = &extraction.fields[&FieldKey::Total];
    let evidence = total.evidence.as_ref().unwrap();
    assert_eq!(evidence.text, "10.55");
    let quad = evidence.quad.unwrap();
    let row = 40.0 + 13.0 * HEIGHT * 1.6;
    assert!((quad.top() - row).abs() < 1.0 && quad.left() > 90.0, "{quad:?}");
    assert!(total.reasons.iter().any(|r| r == "label:total"), "{:?}", total.reasons);
    assert!(total.reasons.iter().any(|r| r == "sum:cash-change"), "{:?}", total.reasons);
    assert!(extraction.p_total_and_date > 0.8 && extraction.p_total_and_date <= total.p);
}

#[test]
fn an_empty_page_gives_nothing_rather_than_a_guess() {
    let extraction = read(&[]);
    for key in [FieldKey::Merchant, FieldKey::Date, FieldKey::Total, FieldKey::Currency] {
        assert_eq!(value(&extraction, key), "nothing");
    }
    assert!(extraction.p_total_and_date.abs() < f32::EPSILON);
}

fn any_number() -> impl Strategy<Value = f32> {
    prop_oneof![4 => -100.0..5000.0_f32, 1 => prop::num::f32::ANY]
}

fn any_word() -> impl Strategy<Value = Word> {
    let text = prop_oneof![
        "\\PC{1,20}",
        "(TOTAL|RM|合计|价税合计|Date:|名 称:|GST 6%|CASH|01,32,,1) ?[0-9.,/:-]{0,12}",
        "[0-9]{1,3}[./,-][0-9]{1,2}[./,-][0-9]{1,4}",
        "-?[0-9]{1,12}[.,][0-9]{0,3}[-A-Z%]?",
    ];
    (text, prop::array::uniform8(any_number()), any_number(), prop::collection::vec(any_number(), 0..5)).prop_map(
        |(text, c, score, char_scores)| Word {
            text,
            quad: Quad([[c[0], c[1]], [c[2], c[3]], [c[4], c[5]], [c[6], c[7]]]),
            score,
            char_scores,
        },
    )
}

fn any_page() -> impl Strategy<Value = Page> {
    prop::collection::vec(prop::collection::vec(any_word(), 1..5), 0..14).prop_map(|lines| Page {
        index: 0,
        width: 800,
        height: 600,
        lines: lines.into_iter().filter_map(Line::from_words).collect(),
        source: TextSource::Recognition,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn no_page_makes_it_panic_and_probabilities_are_probabilities(pages in prop::collection::vec(any_page(), 0..3)) {
        let extraction = extract(&Material { pages, codes: Vec::new(), values: Vec::new() }, &context());
        for field in extraction.fields.values() {
            prop_assert!((0.0..=1.0).contains(&field.p));
            if let FieldValue::Text(text) = &field.value {
                prop_assert!(!text.trim().is_empty());
            }
            prop_assert_eq!(&FieldValue::parse(field.key, &field.value.to_string()).unwrap().to_string(), &field.value.to_string());
        }
        prop_assert!((0.0..=1.0).contains(&extraction.p_total_and_date));
    }

    #[test]
    fn the_total_is_found_whatever_it_is(cents in 100..2_000_000_i64) {
        let total = Decimal::new(cents, 2);
        let paid = Decimal::new((cents / 5000 + 1) * 5000, 2);
        let rows = [
            "KEDAI BUKU SERI MAWAR SDN BHD".to_owned(),
            "Date: 13/04/2018".to_owned(),
            format!("BUKU  {total}"),
            format!("TOTAL RM  {total}"),
            format!("CASH  {paid}"),
            format!("CHANGE  {}", paid - total),
        ];
        let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
        prop_assert_eq!(value(&read(&rows), FieldKey::Total), total.to_string());
    }
}

#[test]
fn what_the_data_of_an_invoice_leaves_out_is_not_read_off_its_picture() {
    use crate::domain::structured::{StructuredSource, StructuredValue};
    let stated = |name: &str, text: &str| StructuredValue {
        source: StructuredSource::Xbrl,
        name: name.to_owned(),
        text: text.to_owned(),
        page: None,
        quad: None,
    };
    let values = vec![stated("total", "91.00"), stated("buyer_tax_id", "91310000MA1AAAAA0P")];
    let rows = [
        "Buyer tax ID  91310000MA1AAAAA0P",
        "ID number  1101**********1234",
        "VAT 01:19",
        "Time  08:12",
        "Total  91.00",
    ];
    let read = |values: &[StructuredValue], source| {
        let page = Page { source, ..page(&rows, 0.0) };
        extract(&Material { pages: vec![page], codes: Vec::new(), values: values.to_vec() }, &context())
    };
    let drawn = read(&values, TextSource::Structured);
    for key in [FieldKey::Time, FieldKey::CardLast4, FieldKey::SellerTaxId, FieldKey::MerchantLegal] {
        assert_eq!(value(&drawn, key), "nothing", "{key}");
    }
    let total = &drawn.fields[&FieldKey::Total];
    assert!(total.evidence.iter().any(|e| e.quad.is_some()), "what it does state is shown where it stands");
    // Printed by its issuer beside the data, it counts.
    assert_eq!(value(&read(&values, TextSource::TextLayer), FieldKey::Time), "08:12");
    // The time a ticket is for is stated.
    let with_time = [values, vec![stated("departure_time", "09:30")]].concat();
    assert_eq!(value(&read(&with_time, TextSource::Structured), FieldKey::Time), "09:30");
}
