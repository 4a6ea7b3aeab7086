use std::path::Path;

use proptest::prelude::*;

use super::*;

/// A payload's field as canonical text.
fn field(payload: &Payload, key: FieldKey) -> Option<String> {
    payload.get(key).map(ToString::to_string)
}

/// Format, then fields that must be stated.
type Case = (&'static str, &'static str, &'static [(FieldKey, &'static str)]);

const CASES: &[Case] = &[
    (
        "01,32,,23000000000000000001,112,20230215,,74AE",
        "fapiao",
        &[
            (FieldKey::InvoiceNumber, "23000000000000000001"),
            (FieldKey::Total, "112.00"),
            (FieldKey::Date, "2023-02-15"),
            (FieldKey::EvidenceKind, "ordinary_fapiao"),
            (FieldKey::Currency, "CNY"),
        ],
    ),
    ("01,31, ,23000000000000000002,-30.50,20230215, ,0DF8", "fapiao", &[(FieldKey::Total, "-30.50")]),
    (
        "01,10,050000000000,29000001,104.72,20180613,02418567008427471889,1774,",
        "fapiao",
        &[(FieldKey::Net, "104.72"), (FieldKey::InvoiceNumber, "29000001")],
    ),
    ("01,01,1200000000,03000024,94339.62,20160621,,9335,", "fapiao", &[(FieldKey::Net, "94339.62")]),
    (
        "01,51,,26000000000000000582,56.00,20260423,,219a",
        "fapiao",
        &[(FieldKey::Total, "56.00"), (FieldKey::EvidenceKind, "rail_ticket")],
    ),
    (
        "http://einvoice.jsczt.cn/page/00000001/0000000002/AbCdEf",
        "fapiao_url",
        &[(FieldKey::InvoiceNumber, "0000000002")],
    ),
    ("https://nnfp.jss.com.cn/AbCdEf-1", "fapiao_url", &[]),
    (
        "AB123456781150312123400000064000000690000000012345675AAAAAAAAAAAAAAAAAAAAAA==:**********:1:1:1:咖啡:1:105",
        "taiwan_left",
        &[
            (FieldKey::InvoiceNumber, "AB12345678"),
            (FieldKey::Date, "2026-03-12"),
            (FieldKey::Net, "100.00"),
            (FieldKey::Total, "105.00"),
            (FieldKey::Tax, "5.00"),
            (FieldKey::SellerTaxId, "12345675"),
        ],
    ),
    (
        "AB123456781150312123400000000000000690000000012345675AAAAAAAAAAAAAAAAAAAAAA==:**********:1:1:1:咖啡:1:105",
        "taiwan_left",
        &[(FieldKey::Total, "105.00")],
    ),
    ("**:咖啡:1:105:茶:2:30", "taiwan_right", &[]),
    (
        "A:500000000*B:999999990*C:PT*D:FS*E:N*F:20260314*G:FS 1/2*H:ABCD1234-2*I1:PT*I7:100.00*I8:23.00*N:23.00*O:123.00*Q:AbCd*R:0001",
        "atcud",
        &[
            (FieldKey::Total, "123.00"),
            (FieldKey::Tax, "23.00"),
            (FieldKey::Net, "100.00"),
            (FieldKey::Date, "2026-03-14"),
            (FieldKey::InvoiceNumber, "FS 1/2"),
        ],
    ),
    (
        "A:500000000*B:500000001*C:PT*D:NC*E:N*F:20260314*G:NC 1/2*H:ABCD1234-2*I1:PT*N:2.30*O:12.30*Q:AbCd*R:0001",
        "atcud",
        &[(FieldKey::Total, "-12.30"), (FieldKey::BuyerTaxId, "500000001")],
    ),
    (
        "_R1-AT0_KASSE-1_4711_2026-04-15T16:28:54_12,00_11,00_0,00_0,00_0,00_AAAA=_U:ATU12345678-01_AAAA=_AAAA==",
        "rksv",
        &[
            (FieldKey::Total, "23.00"),
            (FieldKey::Tax, "3.00"),
            (FieldKey::Net, "20.00"),
            (FieldKey::Date, "2026-04-15"),
            (FieldKey::Time, "16:28:54"),
            (FieldKey::SellerTaxId, "ATU12345678"),
        ],
    ),
    (
        "V0;kasse-1;Kassenbeleg-V1;Beleg^11.90_10.70_0.00_0.00_0.00^22.60:Bar;18;112;2026-03-02T10:52:42.000Z;2026-03-02T10:53:02.000Z;ecdsa-plain-SHA256;unixTime;AAAA==;AAAA==",
        "tse",
        &[(FieldKey::Total, "22.60"), (FieldKey::Tax, "2.60"), (FieldKey::Date, "2026-03-02")],
    ),
    (
        "t=20260418T2116&s=943.26&fn=9000000000000000&i=64&fp=2900000000&n=2",
        "fns",
        &[(FieldKey::Total, "-943.26"), (FieldKey::Time, "21:16"), (FieldKey::Currency, "RUB")],
    ),
    (
        // 示例 · 300000000000003 · 2026-07-12T14:25:09Z · 115.00 · 15.00
        "AQbnpLrkvosCDzMwMDAwMDAwMDAwMDAwMwMUMjAyNi0wNy0xMlQxNDoyNTowOVoEBjExNS4wMAUFMTUuMDA=",
        "zatca",
        &[
            (FieldKey::Merchant, "示例"),
            (FieldKey::Total, "115.00"),
            (FieldKey::Net, "100.00"),
            (FieldKey::Date, "2026-07-12"),
        ],
    ),
    (
        "SPC\r\n0200\r\n1\r\nCH0000000000000000000\r\nS\r\nMuster Hotel AG\r\nMusterweg\r\n1\r\n8000\r\nZürich\r\nCH\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n1949.75\r\nCHF\r\nS\r\nBeispiel SA\r\n\r\n\r\n1000\r\nLausanne\r\nCH\r\nQRR\r\n210000000003139471430009017\r\n\r\nEPD\r\n//S1/10/10201409/11/260512/30/106017086/32/7.7",
        "swiss_qr_bill",
        &[
            (FieldKey::Merchant, "Muster Hotel AG"),
            (FieldKey::Total, "1949.75"),
            (FieldKey::Currency, "CHF"),
            (FieldKey::InvoiceNumber, "10201409"),
            (FieldKey::Date, "2026-05-12"),
            (FieldKey::SellerTaxId, "CHE106017086"),
            (FieldKey::BuyerName, "Beispiel SA"),
            (FieldKey::Address, "Musterweg 1, 8000 Zürich"),
        ],
    ),
    (
        "BCD\n002\n1\nSCT\n\nBeispiel GmbH\nDE00000000000000000000\nEUR12.3\n\n\nRechnung 7",
        "epc",
        &[(FieldKey::Merchant, "Beispiel GmbH"), (FieldKey::Total, "12.30"), (FieldKey::Currency, "EUR")],
    ),
    ("SPD*1.0*ACC:CZ0000000000000000000000*AM:480.50*CC:CZK*RN:PRIKLAD", "spayd", &[(FieldKey::Total, "480.50")]),
    (
        "https://www2.agenciatributaria.gob.es/wlpl/TIKE-CONT/ValidarQR?nif=B00000000&numserie=12%26A&fecha=01-09-2026&importe=241.4",
        "verifactu",
        &[(FieldKey::Total, "241.40"), (FieldKey::Date, "2026-09-01"), (FieldKey::InvoiceNumber, "12&A")],
    ),
    (
        "https://batuz.eus/QRTBAI/?id=TBAI-00000006Y-251019-btFpwP8dcLGAF-237&s=T&nf=27174&i=4.70&cr=007",
        "ticketbai",
        &[(FieldKey::Total, "4.70"), (FieldKey::Date, "2019-10-25"), (FieldKey::InvoiceNumber, "T27174")],
    ),
    (
        "https://porezna.gov.hr/rn?jir=00000000-0000-0000-0000-000000000000&datv=20260512_1234&izn=123,45",
        "croatia",
        &[(FieldKey::Total, "123.45"), (FieldKey::Currency, "EUR"), (FieldKey::Date, "2026-05-12")],
    ),
    (
        "https://mapr.tax.gov.me/ic/#/verify?iic=00&tin=12345678&crtd=2026-07-01T12:34:56+02:00&ord=7&prc=12.34",
        "montenegro",
        &[(FieldKey::Total, "12.34"), (FieldKey::Date, "2026-07-01"), (FieldKey::Time, "12:34:56")],
    ),
];

#[test]
fn every_country_says_what_its_rules_say() {
    for (text, format, expected) in CASES {
        let payload = parse(text).unwrap_or_else(|| panic!("nobody reads {text}"));
        assert_eq!(payload.format, *format, "{text}");
        for (key, value) in *expected {
            assert_eq!(field(&payload, *key).as_deref(), Some(*value), "{format} {key}");
        }
    }
}

#[test]
fn an_indian_token_says_what_was_invoiced() {
    let claims = r#"{"data":"{\"SellerGstin\":\"29AAAAA0000A1Z5\",\"DocNo\":\"S/26/7\",\"DocTyp\":\"INV\",\"DocDt\":\"05/03/2026\",\"TotInvVal\":118.5,\"Irn\":\"ab12\"}"}"#;
    use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
    let payload = parse(&format!("eyJhbGciOiJSUzI1NiJ9.{}.c2ln", BASE64.encode(claims))).unwrap();
    assert_eq!(field(&payload, FieldKey::Total).as_deref(), Some("118.50"));
    assert_eq!(field(&payload, FieldKey::Date).as_deref(), Some("2026-03-05"));
}

#[test]
fn other_payloads_are_nobodys() {
    for text in [
        "https://example.org/1,2",
        "01,32",
        "02,10,1,12345678,1,20200101,,",
        "01,xx,,12345678,1,20200101,,",
        "",
        "WIFI:T:WPA;S:guest;;",
        "A:1*B:2",
        "t=1&s=2",
        "SPC\n0100",
        "BCD\n001\n1\nXXX",
        "4006381333931",
        "AQVT",
        "eyJ.eyJ.x",
        "V0;a;Bestellung-V1;x;1;1;;;",
    ] {
        assert_eq!(parse(text), None, "{text}");
    }
}

#[test]
fn every_payload_of_the_corpus_is_right() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus/fiscal_qr/payloads.jsonl");
    let Ok(lines) = std::fs::read_to_string(&path) else {
        eprintln!("skipped: no corpus at {}", path.display());
        return;
    };
    let mut seen = 0;
    for line in lines.lines() {
        let case: serde_json::Value = serde_json::from_str(line).unwrap();
        let text = case["payload"].as_str().unwrap();
        let expected = case["expected"].as_object().unwrap();
        let payload = parse(text).unwrap_or_else(|| panic!("nobody reads {}", case["format"]));
        for (name, value) in expected {
            let value = value.as_str().unwrap();
            let extra =
                |name: &str| payload.extra.iter().find(|(known, _)| known == name).map(|(_, text)| text.clone());
            let stated = match name.as_str() {
                "date" => field(&payload, FieldKey::Date),
                "total" if payload.needs_gross.is_some() => {
                    // The payload knows the net amount; the total is cross-checked with the paper (`find_code`).
                    let total = Decimal::from_str_exact(value).unwrap();
                    let net = payload.needs_gross.unwrap();
                    assert!(total >= net && total <= net * Decimal::new(113, 2), "{text}");
                    continue;
                }
                "total" => field(&payload, FieldKey::Total),
                "net" => field(&payload, FieldKey::Net),
                "tax" => field(&payload, FieldKey::Tax),
                "merchant" => field(&payload, FieldKey::Merchant),
                "invoice_number" => field(&payload, FieldKey::InvoiceNumber),
                "seller_id" => field(&payload, FieldKey::SellerTaxId),
                other => extra(other),
            };
            let same = |a: &str, b: &str| match (Decimal::from_str_exact(a), Decimal::from_str_exact(b)) {
                (Ok(a), Ok(b)) => a == b,
                _ => a == b,
            };
            assert!(
                stated.as_deref().is_some_and(|s| same(s, value)),
                "{} {name}: {stated:?} is not {value}",
                case["format"]
            );
        }
        seen += 1;
    }
    assert_eq!(seen, 35);
}

proptest! {
    #[test]
    fn no_text_makes_a_reader_panic(text in "\\PC{0,120}") {
        let _ = parse(&text);
    }

    #[test]
    fn no_damage_makes_a_reader_panic(case in 0_usize..CASES.len(), at in 0_usize..400, letters in "[0-9A-Za-z,;:_*&=\n.-]{0,5}") {
        let mut text = CASES[case].0.to_owned();
        let mut at = at % text.len();
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        text.replace_range(at..at, &letters);
        let _ = parse(&text);
        text.truncate(at);
        let _ = parse(&text);
    }
}
