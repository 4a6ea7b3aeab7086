//! Where a page of a list ended. Opaque to callers, so that the content may change.

use std::{fmt::Display, str::FromStr};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::{domain::time::Timestamp, web::problem::ApiError};

/// The cursor that continues after the row with this instant and id.
pub fn encode<I: Display>((at, id): &(Timestamp, I)) -> String {
    URL_SAFE_NO_PAD.encode(format!("{}:{id}", at.as_micros()))
}

/// What [`encode`] made, for rows of the same kind.
pub fn decode<I: FromStr>(text: &str) -> Result<(Timestamp, I), ApiError> {
    let parse = || {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let text = String::from_utf8(bytes).ok()?;
        let (at, id) = text.split_once(':')?;
        Some((Timestamp::from_micros(at.parse().ok()?), id.parse().ok()?))
    };
    parse().ok_or_else(|| ApiError::bad_request("`after` is no cursor of this list"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::{CaptureId, JobId};

    #[test]
    fn cursors_survive_the_round_trip_and_those_of_other_lists_are_refused() {
        let row = (Timestamp::from_micros(-5), "cap_0192f0c1-0000-7000-8000-000000000001".to_owned());
        assert_eq!(decode::<String>(&encode(&row)).unwrap(), row);
        assert!(decode::<String>("%%%").is_err());
        assert!(decode::<CaptureId>(&encode(&(row.0, "zodiac"))).is_err());
        assert!(decode::<JobId>("").is_err());
    }
}
