//! Weights of the linear ranker, fitted by conditional maximum likelihood; see [`super::rank`].

use super::rank::Linear;
use crate::domain::field::FieldKey;

/// The model of a field; `None` when the field has no ranker.
pub fn of(key: FieldKey) -> Option<&'static Linear> {
    match key {
        FieldKey::Total => Some(&TOTAL),
        FieldKey::Date => Some(&DATE),
        FieldKey::Merchant => Some(&MERCHANT),
        _ => None,
    }
}

static TOTAL: Linear = Linear {
    none: 0.0,
    weights: &[
        ("label_grand_total", 4.0),
        ("label_total", 3.0),
        ("label_amount", 1.0),
        ("label_subtotal", -1.0),
        ("label_net", -1.0),
        ("label_tax", -3.0),
        ("label_change", -3.0),
        ("label_tendered", -0.5),
        ("label_card", 0.5),
        ("label_count", -2.0),
        ("label_rounding", -3.0),
        ("label_discount", -2.0),
        ("label_unit_price", -2.0),
        ("label_aside", -2.0),
        ("article", -1.0),
        ("largest", 1.5),
        ("second", 0.7),
        ("twice", 0.5),
        ("thrice", 0.5),
        ("sum_paid", 2.0),
        ("sum_built", 1.5),
        ("sum_rounded", 2.0),
        ("sum_unrounded", -2.0),
        ("sum_items", 0.7),
        ("capitals", 4.0),
        ("money_sign", 0.5),
        ("tall", 0.7),
        ("whole", -1.0),
        ("factor", -1.5),
        ("alone", 2.0),
        ("illegible", -2.0),
    ],
};

static DATE: Linear = Linear {
    none: 0.0,
    weights: &[
        ("label_date", 2.0),
        ("label_other", -3.0),
        ("with_time", 1.5),
        ("near_time", 0.7),
        ("order", 1.0),
        ("short_year_first", -1.5),
        ("compact", -3.0),
        ("future", -3.0),
        ("twice", 1.0),
        ("first", 0.5),
        ("base", 3.0),
        ("illegible", -2.0),
    ],
};

static MERCHANT: Linear = Linear {
    none: 0.0,
    weights: &[
        ("row_0", 2.0),
        ("row_1", 1.5),
        ("row_2", 0.7),
        ("legal", 2.5),
        ("tall", 1.0),
        ("title", -4.0),
        ("address", -3.0),
        ("contact", -4.0),
        ("amount", -3.0),
        ("date", -4.0),
        ("digits", -3.0),
        ("seller", 4.0),
        ("buyer", -4.0),
        ("short", -3.0),
        ("joined", -0.7),
        ("illegible", -2.0),
        ("known", 3.0),
        ("repeated", 1.0),
        ("domain", 1.0),
    ],
};
