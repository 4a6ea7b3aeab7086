//! How it was paid, the card's last digits, and what kind of evidence the paper is.

use std::sync::LazyLock;

use regex::Regex;

use super::{
    Context,
    layout::Layout,
    money::Mention,
    rank::{Features, Proposal},
    region::Region,
    words::Label as L,
};
use crate::domain::{
    field::{Evidence, FieldKey, FieldValue},
    receipt::EvidenceKind,
};

/// Rows searched.
const MAX_ROWS: usize = 800;

/// Payment method, pattern, probability. Earlier ones win on one row.
static METHODS: LazyLock<Vec<(&'static str, Regex, f32)>> = LazyLock::new(|| {
    [
        ("visa", r"(?i)\bvisa\b", 0.85),
        ("mastercard", r"(?i)\bmaster\s?card\b|\bmcard\b|\bmastercard\b", 0.85),
        ("amex", r"(?i)\bamex\b|american express", 0.85),
        ("maestro", r"(?i)\bmaestro\b", 0.85),
        ("girocard", r"(?i)girocard|ec-?karte|ec-?cash|\bkartenzahlung\b", 0.85),
        ("twint", r"(?i)\btwint\b", 0.85),
        ("postcard", r"(?i)postcard|postfinance", 0.8),
        ("alipay", r"(?i)alipay|支付宝|支付寶", 0.85),
        ("wechat", r"(?i)wechat|微信", 0.85),
        ("unionpay", r"(?i)union\s?pay|银联", 0.85),
        ("nets", r"\bNETS\b", 0.8),
        ("ewallet", r"(?i)touch.?n.?go|grabpay|boost|apple pay|google pay|e-?wallet|悠遊卡|一卡通", 0.75),
        (
            "card",
            r"(?i)\b(?:credit|debit)(?:\s?card|\s?tend)?\b|\bcard\b|kreditkarte|\bkarte\b|carte\b|信用卡|刷卡|bancomat",
            0.6,
        ),
        ("cash", r"(?i)\bcash\b|\btunai\b|\bbar\b|bargeld|esp[eè]ces|contanti|现金|現金", 0.6),
    ]
    .into_iter()
    .filter_map(|(name, pattern, p)| Regex::new(pattern).ok().map(|r| (name, r, p)))
    .collect()
});
static LAST4: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?i)(?:[*x•·#]{2,}[\s-]*)+(\d{4})\b|(?:ending(?: in)?|acct\.?|account)\s*[:#]*\s*(\d{4})\b").ok()
});

/// Proposals for payment, last four digits and kind.
pub fn propose(layout: &Layout<'_>, mentions: &[Mention], region: &Region, context: &Context) -> Vec<Proposal> {
    let mut out = Vec::new();
    let last4 = last_four(layout, &mut out);
    methods(layout, mentions, last4, &mut out);
    out.push(kind(layout, mentions, region, context));
    out
}

fn proposal(key: FieldKey, value: &str, p: f32, evidence: Option<Evidence>, finder: &'static str) -> Proposal {
    Proposal {
        key,
        value: FieldValue::Text(value.to_owned()),
        evidence: evidence.into_iter().collect(),
        finder,
        reasons: Vec::new(),
        features: Features(vec![("p", p)]),
    }
}

fn last_four(layout: &Layout<'_>, out: &mut Vec<Proposal>) -> bool {
    let Some(pattern) = LAST4.as_ref() else { return false };
    for (at, segment) in layout.segments.iter().enumerate() {
        let Some(found) = pattern.captures(&segment.text).and_then(|c| c.get(1).or_else(|| c.get(2))) else { continue };
        out.push(proposal(
            FieldKey::CardLast4,
            found.as_str(),
            0.85,
            Some(layout.evidence(at, &found.range())),
            "card:masked",
        ));
        return true;
    }
    false
}

fn methods(layout: &Layout<'_>, mentions: &[Mention], last4: bool, out: &mut Vec<Proposal>) {
    let changed = mentions.iter().any(|m| m.is(&[L::Change]) && !m.amount.value.is_zero());
    for (name, pattern, p) in METHODS.iter() {
        let cash = *name == "cash";
        let row = layout.rows.iter().take(MAX_ROWS).position(|r| {
            // `Cash sale`, `cash bill` and `cashier` are titles and people.
            let lower = r.text.to_lowercase();
            pattern.is_match(&r.text)
                && !(cash
                    && ["cash sale", "cash bill", "cash memo", "cash receipt", "cash invoice"]
                        .iter()
                        .any(|t| lower.contains(t)))
        });
        let Some(row) = row else { continue };
        let with_amount = mentions.iter().any(|m| m.row == row);
        let mut p = p + if with_amount { 0.1 } else { -0.25 };
        if cash && changed {
            p = p.max(0.9);
        } else if !cash && last4 {
            p += 0.05;
        }
        out.push(proposal(FieldKey::Payment, name, p.clamp(0.05, 0.95), layout.row_evidence(row), "payment:words"));
    }
}

/// Phrases of a kind; all rows together are searched, the first kind that matches wins.
const KINDS: &[(EvidenceKind, &[&str], f32)] = &[
    (EvidenceKind::SpecialFapiao, &["增值税专用发票", "电子发票(增值税专用发票)", "专用发票发票联"], 0.95),
    (EvidenceKind::TaxiSlip, &["出租汽车", "出租车", "的士", "上车", "taxi receipt"], 0.93),
    (EvidenceKind::RailTicket, &["铁路电子客票", "中国铁路", "高鐵", "高铁", "动车", "车次", "rail ticket"], 0.9),
    (EvidenceKind::AirTicket, &["航空运输电子客票", "电子客票行程单", "boarding pass", "e-ticket itinerary"], 0.9),
    (EvidenceKind::TripSheet, &["行程单", "行程报销单", "trip summary"], 0.88),
    (EvidenceKind::OrdinaryFapiao, &["普通发票", "普通发", "增值税", "电子发票", "通用机打发票", "定额发票"], 0.92),
    (EvidenceKind::PaymentScreenshot, &["支付成功", "交易成功", "账单详情", "当前状态", "转账成功", "全部账单"], 0.9),
];

fn kind(layout: &Layout<'_>, mentions: &[Mention], region: &Region, context: &Context) -> Proposal {
    let text: String = layout.rows.iter().take(MAX_ROWS).map(|r| r.text.to_lowercase()).collect::<Vec<_>>().join("\n");
    let packed: String = text.chars().filter(|c| *c != ' ').collect();
    let all = |phrases: &'static [&'static str]| phrases.iter().find(|p| packed.contains(&p.replace(' ', ""))).copied();
    for (kind, phrases, p) in KINDS {
        if let Some(phrase) = all(phrases) {
            let mut found = proposal(FieldKey::EvidenceKind, kind.as_str(), *p, None, "kind:words");
            found.reasons.push(format!("label:{phrase}"));
            return found;
        }
    }
    let foreign = context.home_currency.is_some_and(|home| region.currency().is_some_and(|c| c != home.code()));
    let terminal = [
        "aid:",
        "tvr",
        "merchant copy",
        "cardholder copy",
        "händlerbeleg",
        "approval code",
        "pos签购单",
        "持卡人存根",
        "签购单",
    ]
    .iter()
    .filter(|t| text.contains(*t))
    .count();
    let articles = mentions.iter().filter(|m| m.named && m.amount.decimals == 2).count();
    let (kind, p) = if terminal >= 1 && articles == 0 {
        (EvidenceKind::CardSlip, 0.75)
    } else if foreign {
        (EvidenceKind::ForeignReceipt, 0.8)
    } else if ["bill to", "invoice to", "rechnungsnummer", "iban", "due date", "zahlbar"]
        .iter()
        .any(|t| text.contains(t))
    {
        (EvidenceKind::Invoice, 0.6)
    } else if mentions.is_empty() {
        (EvidenceKind::Other, 0.4)
    } else {
        (EvidenceKind::TillSlip, 0.75)
    };
    proposal(FieldKey::EvidenceKind, kind.as_str(), p, None, "kind:shape")
}
