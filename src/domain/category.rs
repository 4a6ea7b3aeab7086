//! The default categories. The organisation's own list is data and starts as a copy of these.

/// A category a new organisation starts with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DefaultCategory {
    /// Stable code; models and memory refer to it.
    pub code: &'static str,
    /// English name.
    pub name_en: &'static str,
    /// Chinese name.
    pub name_zh: &'static str,
}

/// The code drafts fall back to.
pub const OTHER: &str = "other";

macro_rules! categories {
    ($($code:literal, $en:literal, $zh:literal;)+) => {
        &[$(DefaultCategory { code: $code, name_en: $en, name_zh: $zh }),+]
    };
}

/// The default set, in the order people see it.
pub const DEFAULTS: &[DefaultCategory] = categories! {
    "meals", "Meals", "餐饮";
    "lodging", "Lodging", "住宿";
    "air", "Air travel", "机票";
    "rail", "Rail", "火车票";
    "taxi", "Taxi and ride-hailing", "出租车与网约车";
    "local_transport", "Local transport", "市内交通";
    "fuel", "Fuel", "加油";
    "parking_tolls", "Parking and tolls", "停车与过路费";
    "entertainment", "Entertainment and gifts", "招待与礼品";
    "office", "Office supplies", "办公用品";
    "telecom", "Telecom", "通讯";
    "training", "Training and conferences", "培训与会议";
    "shipping", "Shipping", "快递";
    "medical", "Medical", "医疗";
    "other", "Other", "其他";
};

/// A merchant's name folded for memory and comparison: without case, width, spaces and punctuation.
/// `Café  Zürich, GmbH` and `CAFÉ ZÜRICH GMBH` are one merchant.
pub fn merchant_key(name: &str) -> String {
    use unicode_normalization::UnicodeNormalization as _;
    name.nfkc().flat_map(char::to_lowercase).filter(|c| c.is_alphanumeric()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_merchant_has_one_key_however_it_is_written() {
        assert_eq!(merchant_key("Café  Zürich, GmbH"), merchant_key("CAFÉ ZÜRICH GMBH"));
        assert_eq!(merchant_key("ＡＢＣ 餐厅（北京）"), merchant_key("abc餐厅(北京)"));
    }

    #[test]
    fn codes_are_unique_and_other_is_among_them() {
        let codes: std::collections::BTreeSet<_> = DEFAULTS.iter().map(|c| c.code).collect();
        assert_eq!(codes.len(), DEFAULTS.len());
        assert!(codes.contains(OTHER));
    }
}
