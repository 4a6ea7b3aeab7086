//! schema.org things as values: orders, invoices and reservations of flights, trains, buses, rooms, cars, taxis, parking,
//! tables and events, as senders put them into mails for calendars and trackers.

use rust_decimal::Decimal;
use serde_json::Value;

use crate::domain::{
    structured::{StructuredSource, StructuredValue},
    trip::{TRIP, TripKind},
};

/// Things inside things that are looked through for one that is known (`@graph`, lists).
const MAX_DEPTH: usize = 4;
/// Things of one document.
const MAX_THINGS: usize = 50;

/// Puts what `thing` says among `values`.
pub fn values(thing: &Value, source: StructuredSource, values: &mut Vec<StructuredValue>) {
    let mut found = Vec::new();
    collect(thing, 0, &mut found);
    for thing in found.into_iter().take(MAX_THINGS) {
        Said { source, values, from: 0 }.thing(thing);
    }
}

/// The known things inside `value`.
fn collect<'a>(value: &'a Value, depth: usize, found: &mut Vec<&'a Value>) {
    if depth > MAX_DEPTH {
        return;
    }
    match value {
        Value::Array(values) => values.iter().for_each(|value| collect(value, depth + 1, found)),
        Value::Object(map) => {
            if Kind::of(value).is_some() {
                found.push(value);
            } else if let Some(graph) = map.get("@graph") {
                collect(graph, depth + 1, found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Things that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Order,
    Invoice,
    Reservation,
}

impl Kind {
    fn of(thing: &Value) -> Option<Self> {
        let name = match thing.get("@type")? {
            Value::Array(names) => names.first()?.as_str()?,
            other => other.as_str()?,
        };
        match name.rsplit(['/', '#', ':']).next().unwrap_or(name) {
            "Order" => Some(Self::Order),
            "Invoice" => Some(Self::Invoice),
            name if name.ends_with("Reservation") => Some(Self::Reservation),
            _ => None,
        }
    }
}

/// Where values go.
struct Said<'a> {
    source: StructuredSource,
    values: &'a mut Vec<StructuredValue>,
    /// Where the values of the present trip begin: what another trip says is said again.
    from: usize,
}

impl Said<'_> {
    fn thing(&mut self, thing: &Value) {
        match Kind::of(thing) {
            Some(kind @ (Kind::Order | Kind::Invoice)) => {
                // What follows a trip and is none must not be taken for more of it.
                if self.values.iter().any(|v| v.source == self.source && v.name == TRIP) {
                    self.push(TRIP, "end".to_owned());
                }
                if kind == Kind::Order { self.order(thing) } else { self.invoice(thing) }
            }
            Some(Kind::Reservation) => self.reservation(thing),
            None => {}
        }
    }

    fn order(&mut self, order: &Value) {
        self.text("order_number", first(order, &["orderNumber", "confirmationNumber"]));
        self.text("merchant", name(first(order, &["merchant", "seller", "broker", "provider"])));
        self.date("issued_on", first(order, &["orderDate"]));
        self.text("payment", name(first(order, &["paymentMethod"])));
        let lists = ["priceSpecification", "totalPaymentDue", "acceptedOffer", "partOfInvoice"];
        if !self.money(order, &["price", "totalPrice"]) {
            // Several offers have a price each; only one alone is the whole.
            for holder in lists.iter().filter_map(|key| order.get(*key)) {
                let alone = match holder {
                    Value::Array(all) if all.len() == 1 => &all[0],
                    other => other,
                };
                let specification = alone.get("priceSpecification").unwrap_or(alone);
                if self.money(specification, &["price", "totalPrice", "value"])
                    || self.money(alone, &["price", "totalPaymentDue"])
                {
                    break;
                }
            }
        }
    }

    fn invoice(&mut self, invoice: &Value) {
        self.text("invoice_number", first(invoice, &["identifier", "confirmationNumber", "invoiceNumber"]));
        self.text("account", first(invoice, &["accountId"]));
        self.text("merchant", name(first(invoice, &["provider", "broker", "seller"])));
        self.text("buyer_name", name(first(invoice, &["customer"])));
        self.date("issued_on", first(invoice, &["dateCreated", "invoiceDate", "datePublished"]));
        self.date("due_on", first(invoice, &["paymentDueDate", "paymentDue"]));
        self.money(invoice, &["totalPaymentDue", "minimumPaymentDue", "price"]);
        for order in list(invoice.get("referencesOrder")) {
            self.text("order_number", first(order, &["orderNumber"]));
        }
    }

    fn reservation(&mut self, reservation: &Value) {
        let subject = reservation.get("reservationFor").unwrap_or(&Value::Null);
        let subject = list(Some(subject)).next().unwrap_or(&Value::Null);
        self.from = self.values.len();
        self.push(TRIP, kind_of_trip(type_name(reservation)).to_string());
        self.text("reservation_number", first(reservation, &["reservationNumber", "reservationId"]));
        self.text("passenger", name(first(reservation, &["underName"])));
        self.date("issued_on", first(reservation, &["bookingTime", "bookingDate"]));
        let carrier = first(subject, &["airline", "provider", "rentalCompany", "organizer"]);
        let merchant = name(carrier).or_else(|| name(first(reservation, &["provider", "broker", "bookingAgent"])));
        let own = match type_name(subject) {
            "LodgingBusiness" | "Hotel" | "Hostel" | "Motel" | "BedAndBreakfast" | "FoodEstablishment"
            | "Restaurant" | "ParkingFacility" => name(Some(subject)),
            _ => None,
        };
        let is_named = own.is_some() || type_name(subject).ends_with("Event");
        self.text("trip_name", name(Some(subject)).filter(|_| is_named));
        self.text("merchant", own.or(merchant));
        let airline = first(subject, &["airline"]).and_then(|airline| plain(airline.get("iataCode")));
        let flight = plain(subject.get("flightNumber")).map(|number| match airline {
            Some(code) if !number.starts_with(&code) => format!("{code}{number}"),
            _ => number,
        });
        self.text("flight_number", flight);
        self.text("train_number", first(subject, &["trainNumber", "busNumber"]));
        self.text(
            "departure_place",
            name(first(subject, &["departureAirport", "departureStation", "departureBusStop"])),
        );
        self.text("arrival_place", name(first(subject, &["arrivalAirport", "arrivalStation", "arrivalBusStop"])));
        self.text("pickup_place", name(first(reservation, &["pickupLocation"])));
        self.moment("departs_at", first(subject, &["departureTime"]));
        self.moment("arrives_at", first(subject, &["arrivalTime"]));
        self.moment("checks_in_at", first(reservation, &["checkinTime", "checkinDate"]));
        self.moment("checks_out_at", first(reservation, &["checkoutTime", "checkoutDate"]));
        self.moment("starts_at", first(reservation, &["pickupTime", "startTime"]).or_else(|| subject.get("startDate")));
        self.moment("ends_at", first(reservation, &["dropoffTime", "endTime"]).or_else(|| subject.get("endDate")));
        let begins = first(subject, &["departureTime"])
            .or_else(|| first(reservation, &["checkinTime", "checkinDate", "pickupTime", "startTime"]));
        self.date("occurred_on", begins);
        self.text("address", first(subject, &["address"]).and_then(address));
        let is_said = self.money(reservation, &["totalPrice", "price"]);
        for ticket in list(reservation.get("reservedTicket")) {
            self.text("ticket_number", first(ticket, &["ticketNumber"]));
            if !is_said {
                self.money(ticket, &["totalPrice", "price"]);
            }
        }
    }

    fn push(&mut self, name: &str, text: String) {
        let said = self.values.get(self.from..).unwrap_or_default();
        let is_there = said.iter().any(|v| v.source == self.source && v.name == name && v.text == text);
        if !text.is_empty() && !is_there {
            self.values.push(StructuredValue {
                source: self.source,
                name: name.to_owned(),
                text,
                page: None,
                quad: None,
            });
        }
    }

    fn text(&mut self, name: &str, value: impl Plain) {
        if let Some(text) = value.plain() {
            self.push(name, text);
        }
    }

    /// An ISO date; times and zones are left out: it is the local date that counts.
    fn date(&mut self, name: &str, value: Option<&Value>) {
        let Some(text) = moment_of(value) else { return };
        if let Some(date) = text.get(..10).filter(|date| date.parse::<crate::domain::time::CivilDate>().is_ok()) {
            self.push(name, date.to_owned());
        }
    }

    fn moment(&mut self, name: &str, value: Option<&Value>) {
        if let Some(text) = moment_of(value) {
            self.push(name, text);
        }
    }

    /// The first of `keys` that is an amount, as total with its currency.
    fn money(&mut self, thing: &Value, keys: &[&str]) -> bool {
        for value in keys.iter().filter_map(|key| thing.get(*key)) {
            let inner = value.as_object().map(|_| value);
            let amount = inner
                .and_then(|inner| first(inner, &["price", "value", "totalPrice"]))
                .map_or_else(|| plain(Some(value)), |amount| plain(Some(amount)));
            let currencies = ["priceCurrency", "currency", "totalPriceCurrency"];
            let currency = inner
                .and_then(|inner| first(inner, &currencies))
                .or_else(|| first(thing, &currencies))
                .and_then(|code| plain(Some(code)));
            let Some(amount) = amount.as_deref().and_then(amount_of) else { continue };
            self.push("total", amount.to_string());
            let code = currency.map(|code| code.to_uppercase());
            if let Some(code) = code.filter(|code| code.parse::<crate::domain::money::Currency>().is_ok()) {
                self.push("currency", code);
            }
            return true;
        }
        false
    }
}

/// What a reservation is of, by its type.
fn kind_of_trip(type_name: &str) -> TripKind {
    match type_name {
        "FlightReservation" => TripKind::Flight,
        "TrainReservation" => TripKind::Train,
        "BusReservation" => TripKind::Bus,
        "BoatReservation" => TripKind::Boat,
        "LodgingReservation" => TripKind::Lodging,
        "RentalCarReservation" => TripKind::Car,
        "TaxiReservation" => TripKind::Taxi,
        "ParkingReservation" => TripKind::Parking,
        "FoodEstablishmentReservation" => TripKind::Meal,
        "EventReservation" => TripKind::Event,
        _ => TripKind::Other,
    }
}

/// What can be a text.
trait Plain {
    fn plain(self) -> Option<String>;
}

impl Plain for Option<String> {
    fn plain(self) -> Option<String> {
        self
    }
}

impl Plain for Option<&Value> {
    fn plain(self) -> Option<String> {
        plain(self)
    }
}

/// The value of the first key that is there and says something.
fn first<'a>(thing: &'a Value, keys: &[&str]) -> Option<&'a Value> {
    keys.iter().filter_map(|key| thing.get(*key)).find(|value| !value.is_null())
}

fn list(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    let many = value.and_then(Value::as_array).map(Vec::as_slice);
    let one = value.filter(|value| value.is_object());
    many.unwrap_or_default().iter().take(MAX_THINGS).chain(one)
}

fn type_name(thing: &Value) -> &str {
    let name = thing.get("@type").and_then(Value::as_str).unwrap_or_default();
    name.rsplit(['/', '#', ':']).next().unwrap_or(name)
}

/// A name: of a thing, or the text that stands for it.
fn name(thing: Option<&Value>) -> Option<String> {
    match thing? {
        Value::Object(map) => plain(map.get("name")).or_else(|| plain(map.get("iataCode"))),
        Value::Array(all) => name(all.first()),
        other => plain(Some(other)),
    }
}

fn address(value: &Value) -> Option<String> {
    let Value::Object(map) = value else { return plain(Some(value)) };
    let keys = ["streetAddress", "postalCode", "addressLocality", "addressRegion", "addressCountry"];
    let parts: Vec<String> = keys.iter().filter_map(|key| name(map.get(*key))).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

fn plain(value: Option<&Value>) -> Option<String> {
    let text = match value? {
        Value::String(text) => text.split_whitespace().collect::<Vec<_>>().join(" "),
        Value::Number(number) => number.to_string(),
        Value::Object(map) => return plain(map.get("@value")),
        Value::Array(all) => return plain(all.first()),
        Value::Null | Value::Bool(_) => return None,
    };
    (!text.is_empty()).then_some(text)
}

fn moment_of(value: Option<&Value>) -> Option<String> {
    let text = plain(value)?;
    let starts_like_a_date = text.len() >= 10 && text.is_char_boundary(10) && text.as_bytes()[4] == b'-';
    starts_like_a_date.then_some(text)
}

/// An amount as senders write it: `12.8`, `1.234,50`, `USD 12.80`, `€12,80`.
fn amount_of(text: &str) -> Option<Decimal> {
    let digits: String = text.chars().filter(|c| c.is_ascii_digit() || matches!(c, '.' | ',' | '-')).collect();
    let digits = digits.trim_matches(['.', ',']);
    let decimal = digits.rfind(['.', ',']).filter(|at| {
        let after = digits.len() - at - 1;
        let other = if digits.as_bytes()[*at] == b'.' { ',' } else { '.' };
        // One mark with three digits after it is a thousands mark only when it is a comma or there are more of them.
        after != 3 || digits.contains(other) || (digits.as_bytes()[*at] == b'.' && digits.matches('.').count() == 1)
    });
    let plain: String = match decimal {
        Some(at) => {
            let whole = digits[..at].chars().filter(|c| *c != '.' && *c != ',').collect::<String>();
            format!("{whole}.{}", &digits[at + 1..])
        }
        None => digits.chars().filter(|c| *c != '.' && *c != ',').collect(),
    };
    plain.parse().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn said(thing: &Value) -> Vec<(String, String)> {
        let mut out = Vec::new();
        values(thing, StructuredSource::JsonLd, &mut out);
        out.into_iter().map(|v| (v.name, v.text)).collect()
    }

    fn has(said: &[(String, String)], name: &str, text: &str) {
        assert!(said.contains(&(name.to_owned(), text.to_owned())), "{name}={text} in {said:?}");
    }

    #[test]
    fn an_order_says_its_total_and_who_was_paid() {
        let order = json!({ "@context": "http://schema.org", "@graph": [{ "@type": "http://schema.org/Order",
            "orderNumber": 1234, "merchant": { "@type": "Organization", "name": "Harbour  Cafe" },
            "orderDate": "2026-11-20T09:14:00+08:00", "priceCurrency": "eur", "price": "1.234,50" }] });
        let said = said(&order);
        for (name, text) in [
            ("order_number", "1234"),
            ("merchant", "Harbour Cafe"),
            ("issued_on", "2026-11-20"),
            ("total", "1234.50"),
            ("currency", "EUR"),
        ] {
            has(&said, name, text);
        }
    }

    #[test]
    fn an_order_of_several_offers_has_no_total_of_its_own() {
        let offer = |price| json!({ "@type": "Offer", "price": price, "priceCurrency": "USD" });
        let order = json!({ "@type": "Order", "acceptedOffer": [offer("1.00"), offer("2.00")] });
        assert!(!said(&order).iter().any(|(name, _)| name == "total"));
        let order = json!({ "@type": "Order", "acceptedOffer": [offer("2.00")] });
        has(&said(&order), "total", "2.00");
    }

    #[test]
    fn an_invoice_and_reservations_say_what_trip_and_how_much() {
        let invoice = json!({ "@type": "Invoice", "confirmationNumber": "R-1",
            "totalPaymentDue": { "@type": "MonetaryAmount", "value": 99.5, "currency": "USD" } });
        has(&said(&invoice), "total", "99.5");
        has(&said(&invoice), "currency", "USD");
        let flight = json!([{ "@type": "FlightReservation", "reservationNumber": "XYZ", "totalPrice": "540.00",
            "priceCurrency": "CHF", "reservationFor": { "@type": "Flight", "flightNumber": "188",
            "airline": { "name": "Swiss", "iataCode": "LX" }, "departureAirport": { "iataCode": "ZRH" },
            "arrivalAirport": { "name": "Shanghai Pudong" }, "departureTime": "2026-12-01T13:05:00+01:00" } }]);
        let flight = said(&flight);
        for (name, text) in [
            ("merchant", "Swiss"),
            ("flight_number", "LX188"),
            ("departure_place", "ZRH"),
            ("arrival_place", "Shanghai Pudong"),
            ("occurred_on", "2026-12-01"),
            ("total", "540.00"),
        ] {
            has(&flight, name, text);
        }
        let room = json!({ "@type": "LodgingReservation", "checkinDate": "2026-11-20",
            "reservationFor": { "@type": "LodgingBusiness", "name": "Löwen",
            "address": { "streetAddress": "Markt 1", "addressLocality": "Bern" } } });
        has(&said(&room), "merchant", "Löwen");
        has(&said(&room), "address", "Markt 1, Bern");
    }

    #[test]
    fn amounts_are_read_as_senders_write_them() {
        for (text, expected) in [
            ("12.8", "12.8"),
            ("1,234.50", "1234.50"),
            ("1.234,50", "1234.50"),
            ("USD 12.80", "12.80"),
            ("€12,80", "12.80"),
            ("1,234", "1234"),
            ("1.234.567", "1234567"),
            ("12", "12"),
            ("0.125", "0.125"),
            ("-3.00", "-3.00"),
        ] {
            assert_eq!(amount_of(text).map(|d| d.to_string()).as_deref(), Some(expected), "{text}");
        }
        assert_eq!(amount_of("free"), None);
    }
}
