//! OpenStreetMap kinds and merchant category codes as expense categories.
//!
//! The policy for the unclear: food to eat now (bakeries, cafés, bars) is meals, groceries are other; florists, gift and
//! liquor shops are gifts; books, computers and electronics are office; drugstores that dispense are medical; renting a
//! car or bicycle is local transport; charging is fuel; washing and repairing a car is other.

/// The category of an OSM kind such as `amenity/fuel`; `None` where the kind says nothing about an expense.
pub fn of_osm(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "amenity/fast_food" | "amenity/restaurant" | "amenity/cafe" | "amenity/ice_cream" | "amenity/pub"
        | "amenity/bar" | "shop/bakery" | "shop/pastry" | "shop/confectionery" | "shop/coffee" | "shop/deli" => "meals",
        "tourism/hotel" | "tourism/hostel" | "tourism/motel" | "tourism/caravan_site" => "lodging",
        "amenity/bicycle_rental" | "amenity/car_rental" | "amenity/car_sharing" | "amenity/motorcycle_rental" => {
            "local_transport"
        }
        "amenity/fuel" | "amenity/charging_station" | "waterway/fuel" => "fuel",
        "amenity/parking" => "parking_tolls",
        "amenity/cinema"
        | "amenity/casino"
        | "amenity/karaoke_box"
        | "tourism/theme_park"
        | "leisure/amusement_arcade"
        | "leisure/adult_gaming_centre"
        | "leisure/bowling_alley"
        | "leisure/trampoline_park"
        | "leisure/indoor_play"
        | "leisure/escape_game"
        | "leisure/miniature_golf"
        | "leisure/high_ropes_course"
        | "leisure/sauna"
        | "shop/massage"
        | "shop/gift"
        | "shop/florist"
        | "shop/alcohol"
        | "shop/wine"
        | "shop/chocolate"
        | "shop/tea"
        | "shop/ticket" => "entertainment",
        "shop/stationery" | "shop/copyshop" | "shop/printer_ink" | "shop/computer" | "shop/electronics"
        | "shop/books" | "office/it" => "office",
        "shop/mobile_phone"
        | "shop/telecommunication"
        | "office/telecommunication"
        | "shop/mobile_phone_accessories"
        | "amenity/telephone" => "telecom",
        "amenity/prep_school"
        | "amenity/language_school"
        | "amenity/training"
        | "amenity/driving_school"
        | "amenity/university"
        | "amenity/college"
        | "amenity/conference_centre"
        | "amenity/music_school" => "training",
        "amenity/post_office"
        | "amenity/parcel_locker"
        | "amenity/post_depot"
        | "shop/outpost"
        | "office/logistics" => "shipping",
        "amenity/pharmacy"
        | "amenity/clinic"
        | "amenity/doctors"
        | "amenity/dentist"
        | "amenity/hospital"
        | "shop/optician"
        | "shop/hearing_aids"
        | "shop/medical_supply"
        | "healthcare/laboratory"
        | "healthcare/physiotherapist"
        | "healthcare/alternative"
        | "healthcare/audiologist"
        | "healthcare/dialysis"
        | "healthcare/rehabilitation"
        | "healthcare/sample_collection" => "medical",
        // Sells anything, or nothing a receipt would be for.
        "shop/travel_agency"
        | "highway/services"
        | "amenity/vending_machine"
        | "shop/kiosk"
        | "amenity/payment_terminal"
        | "amenity/public_bookcase"
        | "amenity/waste_basket"
        | "amenity/trolley_bay"
        | "amenity/bicycle_parking"
        | "landuse/residential"
        | "landuse/industrial"
        | "emergency/ambulance_station" => return None,
        _ => "other",
    })
}

/// The category of a merchant category code (ISO 18245); `None` for numbers it does not define.
pub fn of_mcc(code: u32) -> Option<&'static str> {
    Some(match code {
        3000..=3350 | 4511 | 4582 => "air",
        3351..=3500 | 7512 | 7513 | 7519 | 4111 | 4131 => "local_transport",
        3501..=3999 | 7011 | 7012 | 7032 | 7033 => "lodging",
        4112 | 4011 => "rail",
        4121 => "taxi",
        4214 | 4215 | 9402 => "shipping",
        4784 | 7523 => "parking_tolls",
        4812..=4816 | 4821 => "telecom",
        5541 | 5542 | 5172 | 5552 => "fuel",
        5811..=5814 | 5462 | 5441 => "meals",
        5111 | 5943 | 5942 | 5732 | 5734 | 5045 | 5044 | 7338 | 2741 | 7372 | 5192 => "office",
        5912 | 5122 | 5047 | 8011..=8099 | 5975 | 5976 => "medical",
        5992 | 5947 | 5921 | 7832 | 7829 | 7841 | 7911 | 7922 | 7929 | 7932 | 7933 | 7941 | 7991..=7999 | 5193 => {
            "entertainment"
        }
        8211..=8299 => "training",
        742..=9999 => "other",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::category::DEFAULTS;

    #[test]
    fn every_kind_maps_to_a_default_category() {
        let known = |code: &str| DEFAULTS.iter().any(|c| c.code == code);
        for kind in ["amenity/fuel", "tourism/hotel", "shop/clothes", "amenity/parking", "shop/unheard_of"] {
            assert!(of_osm(kind).is_some_and(known), "{kind}");
        }
        assert!((0..10_000).filter_map(of_mcc).all(known));
        assert_eq!((of_mcc(3012), of_mcc(4121), of_mcc(5541)), (Some("air"), Some("taxi"), Some("fuel")));
    }
}
