//! The trip around a draft, as JSON.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::trip::Trip;

/// A leg of a journey, a stay, an event. Texts are as the source says them.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct TripBody {
    /// `flight`, `train`, `bus`, `boat`, `lodging`, `car`, `taxi`, `parking`, `meal`, `event` or `other`.
    pub kind: String,
    /// Which structure says it: `json_ld`, `microdata`, `calendar` or `pass`.
    pub source: String,
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
    /// When it begins: ISO 8601 local to its place, of which zone and time may be left out.
    pub starts_at: Option<String>,
    /// When it ends, likewise.
    pub ends_at: Option<String>,
    /// Number of the reservation.
    pub reservation: Option<String>,
    /// Who travels.
    pub passengers: Vec<String>,
}

impl From<&Trip> for TripBody {
    fn from(trip: &Trip) -> Self {
        let trip = trip.clone();
        Self {
            kind: trip.kind.to_string(),
            source: trip.source.to_string(),
            name: trip.name,
            carrier: trip.carrier,
            number: trip.number,
            from: trip.from,
            to: trip.to,
            starts_at: trip.starts_at,
            ends_at: trip.ends_at,
            reservation: trip.reservation,
            passengers: trip.passengers,
        }
    }
}
