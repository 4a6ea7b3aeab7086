//! A receipt: one piece of expense evidence.

use super::field::text_enum;

text_enum! {
    /// What kind of evidence a receipt is.
    EvidenceKind {
        /// 增值税专用发票, on paper or 数电.
        SpecialFapiao = "special_fapiao",
        /// 增值税普通发票, on paper, electronic or 数电.
        OrdinaryFapiao = "ordinary_fapiao",
        /// 铁路电子客票 or a paper rail ticket.
        RailTicket = "rail_ticket",
        /// 航空运输电子客票行程单 or another air ticket.
        AirTicket = "air_ticket",
        /// A taxi slip.
        TaxiSlip = "taxi_slip",
        /// A list of journeys: the trip sheet of a ride, the toll list of a road; supports invoices.
        TripSheet = "trip_sheet",
        /// A till slip.
        TillSlip = "till_slip",
        /// A card terminal slip; supports a receipt.
        CardSlip = "card_slip",
        /// A screenshot of a payment; supports a receipt.
        PaymentScreenshot = "payment_screenshot",
        /// An invoice that is no fapiao.
        Invoice = "invoice",
        /// A receipt from abroad.
        ForeignReceipt = "foreign_receipt",
        /// Anything else.
        Other = "other",
    }
}

text_enum! {
    /// How a receipt was paid, as far as papers say it. A field may hold another word: papers name more than we know.
    PaymentMethod {
        /// Notes and coins.
        Cash = "cash",
        /// A card of a brand the paper does not name.
        Card = "card",
        /// Visa.
        Visa = "visa",
        /// Mastercard.
        Mastercard = "mastercard",
        /// American Express.
        Amex = "amex",
        /// Maestro.
        Maestro = "maestro",
        /// Girocard, EC-Karte.
        Girocard = "girocard",
        /// `PostFinance` Card.
        Postcard = "postcard",
        /// TWINT.
        Twint = "twint",
        /// 支付宝.
        Alipay = "alipay",
        /// 微信支付.
        Wechat = "wechat",
        /// 银联.
        Unionpay = "unionpay",
        /// NETS.
        Nets = "nets",
        /// Another wallet on a phone.
        Ewallet = "ewallet",
    }
}

text_enum! {
    /// What a document is to a receipt.
    PartRole {
        /// The document the receipt is read from.
        Leading = "leading",
        /// Another document of the same receipt (PDF beside XML).
        Supporting = "supporting",
    }
}
