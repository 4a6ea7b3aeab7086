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
        "Rechnungsnr.  30064443                            Kundennr.  47774",
        "Rechnungsdatum  7. Mai 2024              Leistungszeitraum  01.04.24 - 30.04.24",
        "Pos.  Menge  Beschreibung                                   Einzelpreis  Betrag",
        "1  3  Speicher je Monat                                           3,90  11,70",
        "2  1  Adresse im Netz                                               9,50  9,50",
        "Nettobetrag                                                               21,20",
        "MwSt. 19 %                                                                  4,03",
        "Gesamtbetrag EUR                                                      25,23",
        "Zahlbar bis 21.05.2024 ohne Abzug",
    ];
    assert_read(&rows, "25.23", "2024-05-07");
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
        "Fibre du Marais SAS",
        "12 rue des Tanneurs",
        "75003 Paris",
        "Facture n° 562044387 du 02 Juillet 2024",
        "Date limite de paiement le 05 Juillet 2024",
        "Abonnements                    24,99       5,00       29,99",
        "Total facture                    24,99       5,00       29,99",
        "TVA 20 %                                                      5,00",
        "Somme à payer                                         29,99 € TTC",
    ];
    assert_read(&rows, "29.99", "2024-07-02");
}

#[test]
fn a_total_per_tax_rate_is_not_the_whole() {
    let rows = [
        "HARTINI BAKERIES SDN BHD (139386 X)",
        "Lot 3, Jalan Pelabur 23/1",
        "40300 Shah Alam, Selangor",
        "TAX INVOICE",
        "Date: 28/08/2017",
        "WHITE LOAF                2.13     5        10.65",
        "BUN                               0.74     5          3.70",
        "Total 0% supplies:                         14.35",
        "SCOTCH ROLL             5.112    5       25.56",
        "Total 6% supplies (excl. GST):       25.56",
        "GST:                                                 1.53",
        "Total 6% supplies (Inc. GST):        27.09",
        "Total 0% supplies:                         14.35",
        "Total Payable:                               41.44",
    ];
    assert_read(&rows, "41.44", "2017-08-28");
}
