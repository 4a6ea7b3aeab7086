//! The trip around a receipt, as mails, calendars and wallet passes say it in data.

use super::{
    field::text_enum,
    structured::{StructuredSource, StructuredValue},
};

/// Trips of one receipt.
pub const MAX_TRIPS: usize = 20;
/// Travellers of one trip that are named.
const MAX_PASSENGERS: usize = 20;
/// Name of the value that begins a trip: what kind it is. The values of its source after it, up to the next one, are of that
/// trip; a kind nobody knows only ends the one before.
pub const TRIP: &str = "trip";

text_enum! {
    /// What was booked.
    TripKind {
        /// A flight.
        Flight = "flight",
        /// A train.
        Train = "train",
        /// A bus.
        Bus = "bus",
        /// A ship.
        Boat = "boat",
        /// Nights in a house.
        Lodging = "lodging",
        /// A rented car.
        Car = "car",
        /// A ride.
        Taxi = "taxi",
        /// A place for a car.
        Parking = "parking",
        /// A table.
        Meal = "meal",
        /// Something that takes place.
        Event = "event",
        /// Anything else.
        Other = "other",
    }
}

/// One leg, stay or event. Texts are as the source says them; moments are ISO 8601 local to their place, of which zone and
/// time may be left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trip {
    /// What was booked.
    pub kind: TripKind,
    /// Which structure says it.
    pub source: StructuredSource,
    /// The house, the restaurant, the event.
    pub name: Option<String>,
    /// Who carries.
    pub carrier: Option<String>,
    /// Number of the flight or train.
    pub number: Option<String>,
    /// Where it begins.
    pub from: Option<String>,
    /// Where it ends; where it is, when it goes nowhere.
    pub to: Option<String>,
    /// When it begins.
    pub starts_at: Option<String>,
    /// When it ends.
    pub ends_at: Option<String>,
    /// Number of the reservation.
    pub reservation: Option<String>,
    /// Who travels.
    pub passengers: Vec<String>,
}

impl Trip {
    fn new(kind: TripKind, source: StructuredSource) -> Self {
        Self {
            kind,
            source,
            name: None,
            carrier: None,
            number: None,
            from: None,
            to: None,
            starts_at: None,
            ends_at: None,
            reservation: None,
            passengers: Vec::new(),
        }
    }

    /// The trips among a receipt's values, by their beginning. What several travellers booked together is one trip, and so
    /// is one that two structures describe alike.
    pub fn all(values: &[StructuredValue]) -> Vec<Self> {
        let mut trips: Vec<Self> = Vec::new();
        let mut present: Option<Self> = None;
        for value in values {
            if value.name == TRIP {
                keep(&mut trips, present.take());
                present = value.text.parse().ok().map(|kind| Self::new(kind, value.source));
            } else if let Some(trip) = present.as_mut().filter(|trip| trip.source == value.source) {
                trip.set(value);
            }
        }
        keep(&mut trips, present);
        trips.sort_by(|a, b| a.starts_at.cmp(&b.starts_at));
        trips
    }

    fn set(&mut self, value: &StructuredValue) {
        let place = match value.name.as_str() {
            "trip_name" | "event" => &mut self.name,
            "merchant" | "pass_organization" => &mut self.carrier,
            "flight_number" | "train_number" => &mut self.number,
            "departure_place" | "pickup_place" => &mut self.from,
            "arrival_place" | "address" | "event_place" => &mut self.to,
            "departs_at" | "checks_in_at" | "starts_at" | "event_starts_at" | "pass_date" => &mut self.starts_at,
            "arrives_at" | "checks_out_at" | "ends_at" | "event_ends_at" => &mut self.ends_at,
            "reservation_number" => &mut self.reservation,
            "passenger" => {
                if self.passengers.len() < MAX_PASSENGERS && !self.passengers.contains(&value.text) {
                    self.passengers.push(value.text.clone());
                }
                return;
            }
            _ => return,
        };
        // The first that says it: an address after the airport it is of is no other place.
        place.get_or_insert_with(|| value.text.clone());
    }

    fn is_same(&self, other: &Self) -> bool {
        let bare = |trip: &Self| Self { passengers: Vec::new(), source: StructuredSource::JsonLd, ..trip.clone() };
        bare(self) == bare(other)
    }

    fn says_anything(&self) -> bool {
        let said = [&self.name, &self.number, &self.from, &self.to, &self.starts_at, &self.reservation];
        said.iter().any(|text| text.is_some())
    }
}

fn keep(trips: &mut Vec<Trip>, trip: Option<Trip>) {
    let Some(trip) = trip.filter(Trip::says_anything) else { return };
    if let Some(known) = trips.iter_mut().find(|known| known.is_same(&trip)) {
        for name in trip.passengers {
            if known.passengers.len() < MAX_PASSENGERS && !known.passengers.contains(&name) {
                known.passengers.push(name);
            }
        }
    } else if trips.len() < MAX_TRIPS {
        trips.push(trip);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(source: StructuredSource, name: &str, text: &str) -> StructuredValue {
        StructuredValue { source, name: name.to_owned(), text: text.to_owned(), page: None, quad: None }
    }

    #[test]
    fn values_after_the_beginning_of_a_trip_are_of_that_trip() {
        let data = |name, text| value(StructuredSource::JsonLd, name, text);
        let said = [
            data("total", "540.00"),
            data(TRIP, "flight"),
            data("reservation_number", "XYZ"),
            data("passenger", "Ann Rep"),
            data("departure_place", "Zurich"),
            data("departs_at", "2026-12-05T13:05:00+01:00"),
            data(TRIP, "flight"),
            data("reservation_number", "XYZ"),
            data("departs_at", "2026-12-01T09:00:00+01:00"),
            value(StructuredSource::Mail, "merchant", "Example Travel"),
            data(TRIP, "flight"),
            data("reservation_number", "XYZ"),
            data("passenger", "Bo Rep"),
            data("departure_place", "Zurich"),
            data("departs_at", "2026-12-05T13:05:00+01:00"),
            data("departure_place", "Zurich Airport, 8058 Zurich"),
            data(TRIP, "nonsense"),
            data("arrival_place", "nowhere"),
            data(TRIP, "event"),
            value(StructuredSource::Microdata, TRIP, "flight"),
            value(StructuredSource::Microdata, "reservation_number", "XYZ"),
            value(StructuredSource::Microdata, "departs_at", "2026-12-01T09:00:00+01:00"),
        ];
        let trips = Trip::all(&said);
        assert_eq!(trips.len(), 2, "{trips:?}");
        assert_eq!(trips[0].starts_at.as_deref(), Some("2026-12-01T09:00:00+01:00"), "the first first");
        assert_eq!(trips[0].carrier, None, "another structure's merchant is not who carries");
        assert_eq!((trips[1].from.as_deref(), trips[1].kind), (Some("Zurich"), TripKind::Flight));
        assert_eq!(trips[1].to, None, "what follows a kind nobody knows is of no trip");
        assert_eq!(trips[1].passengers, ["Ann Rep", "Bo Rep"]);
    }

    #[test]
    fn trips_and_travellers_are_bounded() {
        let data = |name, text: &str| value(StructuredSource::Calendar, name, text);
        let many = (0..500).flat_map(|n| [data(TRIP, "event"), data("event", &n.to_string())]);
        assert_eq!(Trip::all(&many.collect::<Vec<_>>()).len(), MAX_TRIPS);
        let mut one = vec![data(TRIP, "flight"), data("event", "x")];
        one.extend((0..500).map(|n| data("passenger", &n.to_string())));
        assert_eq!(Trip::all(&one)[0].passengers.len(), MAX_PASSENGERS);
        let booked = |n: i32| [data(TRIP, "flight"), data("event", "x"), data("passenger", &n.to_string())];
        let together = Trip::all(&(0..500).flat_map(booked).collect::<Vec<_>>());
        assert_eq!((together.len(), together[0].passengers.len()), (1, MAX_PASSENGERS));
    }
}
