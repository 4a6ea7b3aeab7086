//! Every kind of schema.org thing that mails carry, once as JSON-LD and once as microdata, with the same values out of both.

use serde_json::{Map, Value, json};

use super::{Patience, digest};
use crate::domain::structured::StructuredSource;

/// The thing as microdata: nested items, their texts in elements as templates put them.
fn microdata(thing: &Value, property: &str) -> String {
    let Value::Object(map) = thing else { unreachable!("a thing is an object") };
    let kind = map["@type"].as_str().unwrap();
    let own = if property.is_empty() { String::new() } else { format!(" itemprop=\"{property}\"") };
    let properties: String =
        map.iter().filter(|(name, _)| *name != "@type").map(|(name, value)| said(name, value)).collect();
    format!("<div{own} itemscope itemtype=\"http://schema.org/{kind}\">{properties}</div>")
}

fn said(name: &str, value: &Value) -> String {
    match value {
        Value::Object(_) => microdata(value, name),
        Value::Array(all) => all.iter().map(|one| said(name, one)).collect(),
        // Times are in `time` elements, numbers hidden beside what people read, names in the text.
        Value::String(text) if name.ends_with("Time") || name.ends_with("Date") => {
            format!("<time itemprop=\"{name}\" datetime=\"{text}\">soon</time>")
        }
        Value::String(text) if name.ends_with("Number") => format!("<meta itemprop=\"{name}\" content=\"{text}\">"),
        Value::String(text) => format!("<span itemprop=\"{name}\">{text}</span>"),
        other => format!("<span itemprop=\"{name}\">{other}</span>"),
    }
}

fn reservation(kind: &str, more: Value, subject: Value) -> Value {
    let Value::Object(more) = more else { unreachable!("more is an object") };
    let mut thing = Map::from_iter([
        ("@type".to_owned(), json!(kind)),
        ("reservationNumber".to_owned(), json!("QX7-19")),
        ("underName".to_owned(), json!({ "@type": "Person", "name": "Ann Rep" })),
        ("reservationFor".to_owned(), subject),
    ]);
    thing.extend(more);
    Value::Object(thing)
}

/// A kind, a thing of it, and names and texts of values that must come out.
type Case = (&'static str, Value, Vec<(&'static str, &'static str)>);

fn kinds() -> Vec<Case> {
    let paid = |price: &str, currency: &str| json!({ "totalPrice": price, "priceCurrency": currency });
    vec![
        (
            "order",
            json!({ "@type": "Order", "orderNumber": "A-17", "orderDate": "2026-11-20T09:14:00+08:00", "price": "1,234.50",
                "priceCurrency": "USD", "merchant": { "@type": "Organization", "name": "Harbour Cafe" } }),
            vec![
                ("order_number", "A-17"),
                ("merchant", "Harbour Cafe"),
                ("issued_on", "2026-11-20"),
                ("total", "1234.50"),
                ("currency", "USD"),
            ],
        ),
        (
            "invoice",
            json!({ "@type": "Invoice", "confirmationNumber": "R-9", "accountId": "4711", "paymentDueDate": "2026-12-04",
                "provider": { "@type": "Organization", "name": "Stadtwerke Beispiel" },
                "customer": { "@type": "Person", "name": "Big Corp" },
                "totalPaymentDue": { "@type": "PriceSpecification", "price": "99.50", "priceCurrency": "EUR" } }),
            vec![
                ("invoice_number", "R-9"),
                ("account", "4711"),
                ("merchant", "Stadtwerke Beispiel"),
                ("buyer_name", "Big Corp"),
                ("due_on", "2026-12-04"),
                ("total", "99.50"),
                ("currency", "EUR"),
            ],
        ),
        (
            "flight",
            reservation(
                "FlightReservation",
                paid("540.00", "CHF"),
                json!({ "@type": "Flight", "flightNumber": "188", "departureTime": "2026-12-01T13:05:00+01:00",
                    "arrivalTime": "2026-12-02T07:20:00+08:00",
                    "airline": { "@type": "Airline", "name": "Example Air", "iataCode": "EX" },
                    "departureAirport": { "@type": "Airport", "iataCode": "ZRH" },
                    "arrivalAirport": { "@type": "Airport", "name": "Shanghai Pudong", "iataCode": "PVG" } }),
            ),
            vec![
                ("reservation_number", "QX7-19"),
                ("passenger", "Ann Rep"),
                ("merchant", "Example Air"),
                ("flight_number", "EX188"),
                ("departure_place", "ZRH"),
                ("arrival_place", "Shanghai Pudong"),
                ("departs_at", "2026-12-01T13:05:00+01:00"),
                ("arrives_at", "2026-12-02T07:20:00+08:00"),
                ("occurred_on", "2026-12-01"),
                ("total", "540.00"),
                ("currency", "CHF"),
            ],
        ),
        (
            "train",
            reservation(
                "TrainReservation",
                json!({ "reservedTicket": { "@type": "Ticket", "ticketNumber": "T-1", "totalPrice": "89,90",
                    "priceCurrency": "EUR" } }),
                json!({ "@type": "TrainTrip", "trainNumber": "ICE 73", "departureTime": "2026-12-03T07:31:00",
                    "provider": { "@type": "Organization", "name": "Example Rail" },
                    "departureStation": { "@type": "TrainStation", "name": "Freiburg" },
                    "arrivalStation": { "@type": "TrainStation", "name": "Basel" } }),
            ),
            vec![
                ("merchant", "Example Rail"),
                ("train_number", "ICE 73"),
                ("departure_place", "Freiburg"),
                ("arrival_place", "Basel"),
                ("occurred_on", "2026-12-03"),
                ("ticket_number", "T-1"),
                ("total", "89.90"),
                ("currency", "EUR"),
            ],
        ),
        (
            "lodging",
            reservation(
                "LodgingReservation",
                json!({ "checkinDate": "2026-11-20", "checkoutDate": "2026-11-22", "totalPrice": "312.00",
                    "priceCurrency": "CHF" }),
                json!({ "@type": "LodgingBusiness", "name": "Gasthaus Beispiel", "address": { "@type": "PostalAddress",
                    "streetAddress": "Am Markt 1", "addressLocality": "Bern" } }),
            ),
            vec![
                ("merchant", "Gasthaus Beispiel"),
                ("address", "Am Markt 1, Bern"),
                ("checks_in_at", "2026-11-20"),
                ("checks_out_at", "2026-11-22"),
                ("occurred_on", "2026-11-20"),
                ("total", "312.00"),
            ],
        ),
        (
            "taxi",
            reservation(
                "TaxiReservation",
                json!({ "pickupTime": "2026-11-20T18:05:00", "price": "31.50", "priceCurrency": "EUR",
                    "pickupLocation": { "@type": "Place", "name": "Hauptbahnhof" },
                    "provider": { "@type": "Organization", "name": "Taxi Beispiel" } }),
                json!({ "@type": "Taxi" }),
            ),
            vec![
                ("merchant", "Taxi Beispiel"),
                ("pickup_place", "Hauptbahnhof"),
                ("starts_at", "2026-11-20T18:05:00"),
                ("occurred_on", "2026-11-20"),
                ("total", "31.50"),
                ("currency", "EUR"),
            ],
        ),
        (
            "parking",
            reservation(
                "Reservation",
                json!({ "startTime": "2026-11-20T08:00:00", "endTime": "2026-11-21T18:30:00", "totalPrice": "24.00",
                    "priceCurrency": "GBP" }),
                json!({ "@type": "ParkingFacility", "name": "Car Park North", "address": "Airport Road 2" }),
            ),
            vec![
                ("merchant", "Car Park North"),
                ("address", "Airport Road 2"),
                ("starts_at", "2026-11-20T08:00:00"),
                ("ends_at", "2026-11-21T18:30:00"),
                ("occurred_on", "2026-11-20"),
                ("total", "24.00"),
                ("currency", "GBP"),
            ],
        ),
    ]
}

#[test]
fn every_kind_of_thing_says_the_same_as_json_ld_and_as_microdata() {
    for (kind, thing, expected) in kinds() {
        let data = format!("<script type=\"application/ld+json\">{thing}</script>");
        for (source, html) in [(StructuredSource::JsonLd, data), (StructuredSource::Microdata, microdata(&thing, ""))] {
            let page = format!("<html><body><h1>Thank you</h1>{html}</body></html>");
            let values = digest(&page, &Patience::new()).unwrap().values;
            for (name, text) in &expected {
                let found: Vec<&str> = values.iter().filter(|v| v.name == *name).map(|v| v.text.as_str()).collect();
                assert_eq!(found, [*text], "{kind} as {source:?}: {name}");
            }
            assert!(values.iter().all(|value| value.source == source), "{kind} as {source:?}: {values:?}");
        }
    }
}
