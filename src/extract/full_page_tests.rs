//! Invoices on whole pages, drawn up for the tests: letterheads, labels above and beside their values, other dates and
//! other amounts around, tables per tax rate.

use super::tests::read;
use crate::domain::field::FieldKey;

fn value(rows: &[&str], key: FieldKey) -> String {
    read(rows).fields.get(&key).map_or("nothing".to_owned(), |f| f.value.to_string())
}

fn assert_read(rows: &[&str], total: &str, date: &str) {
    assert_eq!(value(rows, FieldKey::Total), total, "{rows:?}");
    assert_eq!(value(rows, FieldKey::Date), date, "{rows:?}");
}

#[test]
fn a_german_letter_gives_its_sum_and_the_day_it_was_written() {
    let rows = [
        "Nordtor Hosting AG - Uferweg 4 - D-24103 Kiel",
        "Kranichhof Handels GmbH",
        "Am Deich 7",
        "26122 Oldenburg",
        "Rechnung                                                       Seite 1",
        "Rechnungsnr.  88120117                            Kundennr.  61209",
        "Rechnungsdatum  12. Juni 2025              Leistungszeitraum  01.05.25 - 31.05.25",
        "Pos.  Menge  Beschreibung                                   Einzelpreis  Betrag",
        "1  3  Speicher je Monat                                           3,90  11,70",
        "2  1  Adresse im Netz                                               9,50  9,50",
        "Nettobetrag                                                               21,20",
        "MwSt. 19 %                                                                  4,03",
        "Gesamtbetrag EUR                                                      25,23",
        "Zahlbar bis 26.06.2025 ohne Abzug",
    ];
    assert_read(&rows, "25.23", "2025-06-12");
    let merchant = &read(&rows).fields[&FieldKey::Merchant];
    let mut names = std::iter::once(merchant.value.to_string())
        .chain(merchant.alternatives.iter().map(|other| other.value.clone()));
    assert!(names.any(|name| name == "Nordtor Hosting AG"), "cut out of the sender's line: {merchant:?}");
}

#[test]
fn a_printed_currency_counts_more_than_the_buyers_country() {
    let rows = [
        "Nordtor Hosting AG - Uferweg 4 - D-24103 Kiel",
        "Three Oaks Trading Ltd.",
        "5 Quarry Bay Street",
        "Hong Kong",
        "Rechnung                                                       Seite 1",
        "Rechnungsdatum  12. Juni 2025",
        "1  3  Speicher je Monat                                           3,90  11,70",
        "MwSt. 0 %                                                                  0,00",
        "Gesamtbetrag EUR                                                      11,70",
    ];
    assert_eq!(value(&rows, FieldKey::Currency), "EUR");
    let here = ["Harbour Noodle House", "Nathan Road, Hong Kong", "12/06/2025", "Noodles  $58.00", "Total  $58.00"];
    assert_eq!(value(&here, FieldKey::Currency), "HKD", "a place speaks where nothing is printed");
    let discounted = [
        "Retail Invoice",
        "Sold By : Kaveri Traders Pvt. Ltd.",
        "Invoice Date: 20-10-2025",
        "Desk lamp, brass   1   610.50   89.50   700.00",
        "Festival offer applied: Rs -75.00",
        "Amount due   700.00",
    ];
    assert_eq!(value(&discounted, FieldKey::Currency), "INR");
}

#[test]
fn a_title_on_the_left_is_no_part_of_the_name_on_the_right() {
    let rows = [
        "FACTUUR                                                                        Kranenburg Techniek B.V.",
        "Bedankt voor uw order                                                           Havenkade 12",
        "Factuurnummer: 880417253                                            4311 AB Zierikzee",
        "Factuurdatum: 19 april 2025                                           BTW NL001234567B01",
        "Kabel 2 m   1   € 21,00   21%   € 21,00",
        "Totaal                                                                                € 21,00",
    ];
    let merchant = &read(&rows).fields[&FieldKey::Merchant];
    let names: Vec<String> = std::iter::once(merchant.value.to_string())
        .chain(merchant.alternatives.iter().map(|other| other.value.clone()))
        .collect();
    assert!(names.iter().any(|name| name.starts_with("Kranenburg Techniek")), "{names:?}");
    assert!(names.iter().all(|name| !(name.contains("FACTUUR") && name.contains("Kranenburg"))), "{names:?}");
    assert_eq!(value(&rows, FieldKey::InvoiceNumber), "880417253");
}

#[test]
fn invoice_numbers_are_found_under_their_names_in_other_languages() {
    for label in
        ["Factuurnummer:", "Factuur nr.", "Numer faktury:", "Faktura VAT nr", "Fakturanummer:", "Número de factura:"]
    {
        let rows = ["Kranenburg Techniek", &format!("{label} 880417253"), "2025-06-12", "EUR 21,00"];
        assert_eq!(value(&rows, FieldKey::InvoiceNumber), "880417253", "{label}");
    }
    let rows = ["Kranenburg Techniek", "Ordernummer: 30417255", "2025-06-12", "EUR 21,00"];
    assert_eq!(value(&rows, FieldKey::InvoiceNumber), "nothing", "another number");
}

#[test]
fn thousands_set_apart_by_a_space_belong_to_the_total() {
    let rows = [
        "Björkvik Konferens AB",
        "Faktura 2025-118",
        "Datum 2025-06-12",
        "Sal, heldag     2 100 kr",
        "Lunch, 12 personer     2 221 kr",
        "Summa att betala     4\u{a0}321 SEK",
    ];
    assert_eq!(value(&rows, FieldKey::Total), "4321");
}

#[test]
fn labels_above_their_values_and_a_due_date_beside_lead_to_the_right_ones() {
    let rows = [
        "Lindenquay Supplies Ltd",
        "14 Harbour Row, Bristol",
        "INVOICE",
        "Bill to                              Invoice no            Invoice date          Due date",
        "Three Oaks Ltd                   INV-20417            14 March 2024       13 April 2024",
        "Description                      Qty      Unit price      Amount",
        "Oak shelf, 90 cm                   2           45.00           90.00",
        "Delivery                               1           12.00           12.00",
        "Subtotal                                                            102.00",
        "VAT 20%                                                              20.40",
        "Amount due                                                     122.40",
    ];
    assert_read(&rows, "122.40", "2024-03-14");
}

#[test]
fn a_french_bill_is_dated_by_its_day_and_not_by_the_last_day_to_pay() {
    let rows = [
        "Atelier du Port SAS",
        "8 quai des Cordiers",
        "44100 Nantes",
        "Facture n° 20418733 du 09 Octobre 2025",
        "Date limite de paiement le 23 Octobre 2025",
        "Reliures                       36,00       7,20       43,20",
        "Total facture                  36,00       7,20       43,20",
        "TVA 20 %                                                      7,20",
        "Somme à payer                                         43,20 € TTC",
    ];
    assert_read(&rows, "43.20", "2025-10-09");
}

#[test]
fn a_total_per_tax_rate_is_not_the_whole() {
    let rows = [
        "KEDAI KERTAS LIMA SDN BHD (481205-W)",
        "18, Lorong Cempaka 7",
        "31400 Ipoh, Perak",
        "TAX INVOICE",
        "Date: 14/11/2016",
        "PICTURE BOOK           9.20     2        18.40",
        "EXERCISE BOOK         3.10     1          3.10",
        "Total 0% supplies:                         21.50",
        "DESK LAMP              25.00     2        50.00",
        "Total 6% supplies (excl. GST):       50.00",
        "GST:                                                 3.00",
        "Total 6% supplies (Inc. GST):        53.00",
        "Total 0% supplies:                         21.50",
        "Total Payable:                               74.50",
    ];
    assert_read(&rows, "74.50", "2016-11-14");
    let reasons = &read(&rows).fields[&FieldKey::Total].reasons;
    assert!(reasons.iter().any(|reason| reason == "sum:totals"), "its parts add up to it: {reasons:?}");
}
