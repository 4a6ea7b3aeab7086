//! What kind of evidence the paper is: words and shape speak for kinds with log-odds, and the kinds share one whole.

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
    page::Page,
    receipt::EvidenceKind::{self, self as K},
};

/// Rows searched.
const MAX_ROWS: usize = 800;
/// Kinds proposed: the likeliest and what else it could be.
const MAX_KINDS: usize = 4;
/// Softens the shares: words of one kind are seldom independent of each other.
const TEMPERATURE: f32 = 1.0;
/// Height over width from which a page is a slip; A4 has 1.41.
const SLIP_SHAPE: f32 = 1.7;

/// What speaks for a kind: log-odds by judgement; 5 settles it, 2 is strong, 1 a hint.
struct Sign {
    kind: EvidenceKind,
    weight: f32,
    pattern: Regex,
}

/// Patterns over the rows without spaces (Chinese) or in lower case (others).
static SIGNS: LazyLock<Vec<Sign>> = LazyLock::new(|| {
    let all: &[(EvidenceKind, f32, &str)] = &[
        (K::SpecialFapiao, 7.5, r"增值税专用发票"),
        (K::SpecialFapiao, 4.0, r"专用发票"),
        (K::SpecialFapiao, 2.0, r"抵扣联"),
        (K::OrdinaryFapiao, 6.5, r"普通发票|增值税电子普通"),
        (K::OrdinaryFapiao, 4.0, r"通用机打发票|定额发票|通用定额|卷票|电子发票"),
        // The form of a VAT invoice whose title was not read: either kind.
        (K::SpecialFapiao, 2.5, r"货物或应税劳务|开户行及[帐账]号"),
        (K::OrdinaryFapiao, 3.0, r"货物或应税劳务|开户行及[帐账]号"),
        (K::OrdinaryFapiao, 2.0, r"价税合计"),
        (K::OrdinaryFapiao, 1.5, r"发票代码|发票号码|发票联"),
        (K::TaxiSlip, 5.0, r"出租汽车|出租车|出租小汽车|汽车出租|的士"),
        (K::TaxiSlip, 2.0, r"上车"),
        (K::TaxiSlip, 2.0, r"下车"),
        (K::TaxiSlip, 1.5, r"里程|等候|电召"),
        (K::TaxiSlip, 1.0, r"车号|证号|单价"),
        (K::TaxiSlip, 3.0, r"\btaxi\b"),
        (
            K::TaxiSlip,
            2.5,
            r"\btaxi\b.*(?:receipt|quittung|beleg|fare)|taxameter|taximeter|\bcab\s?(?:no|number)|meter fare|fahrpreis",
        ),
        (K::RailTicket, 9.0, r"铁路电子客票"),
        (K::RailTicket, 4.0, r"中国铁路|铁路客票|12306|台灣高鐵|台湾高铁"),
        (K::RailTicket, 2.5, r"车次|車次|检票|改签|单程票|單程票"),
        (K::RailTicket, 2.0, r"二等座|一等座|商务座|硬座|软卧|硬卧|標準廂|標准廂"),
        (K::RailTicket, 1.5, r"高铁|高鐵|动车|[一-龥]{2,4}站.*[一-龥]{2,4}站"),
        (
            K::RailTicket,
            3.0,
            r"\bfahrkarte\b|online-ticket|sparpreis|flexpreis|\bbahncard\b|\bbillet\b.*(?:sbb|cff)|trenitalia|\bsncf\b|\brail ticket\b|eurostar",
        ),
        (K::RailTicket, 1.5, r"\btrain\s?(?:no)?\s?\d+|\bcoach\b.*\bseat\b|\bwagen\b.*\bsitz|\bplatform\b"),
        (K::AirTicket, 9.0, r"航空运输电子客票"),
        (K::AirTicket, 5.0, r"电子客票行程单|航空.*行程单"),
        (K::AirTicket, 3.0, r"民航发展基金|登机牌|航班号"),
        (
            K::AirTicket,
            3.5,
            r"boarding pass|e-?ticket\s(?:receipt|itinerary|number)|passenger itinerary|electronic ticket",
        ),
        (
            K::AirTicket,
            2.0,
            r"\bflight\s?(?:no|number)?\b|\bflug(?:nr|nummer)\b|airport tax|\bairlines?\b|fluggesellschaft",
        ),
        (K::TripSheet, 6.0, r"行程报销单|行程起止日期|共\d+笔行程|出行行程"),
        // The list that comes with the toll bills of a trip; it names their codes and numbers.
        (K::TripSheet, 9.0, r"通行费.{0,8}汇总单|通行费.{0,4}明细"),
        (K::TripSheet, 4.0, r"\btoll (?:statement|summary|transactions?|history)\b"),
        (K::TripSheet, 2.5, r"行程单"),
        (K::TripSheet, 2.5, r"上车时间.*(?:起点|城市)|起点.*终点"),
        (K::TripSheet, 4.0, r"trip summary|trip details|ride summary"),
        (K::CardSlip, 6.0, r"签购单|簽購單"),
        (K::CardSlip, 3.0, r"持卡人存根|商户存根|持卡人签名"),
        (K::CardSlip, 2.0, r"merchant copy|cardholder copy|händlerbeleg|haendlerbeleg"),
        // Till slips print a terminal's words below their articles: each counts a little, and all of them only without articles.
        (K::CardSlip, 1.0, r"\baid\b|\btvr\b|\bpan seq"),
        (K::CardSlip, 1.0, r"terminal[- ]?id|\btid\b|merchant id"),
        (K::CardSlip, 1.0, r"approval code|auth(?:\.|orization)? ?code|\bauth:|genehmigungs"),
        (K::CardSlip, 1.0, r"kundenbeleg|customer copy"),
        (K::CardSlip, 1.0, r"no signature|signature verified|pin verified|contactless"),
        (K::PaymentScreenshot, 5.0, r"支付成功|交易成功|转账成功|付款成功|账单详情"),
        (K::PaymentScreenshot, 3.0, r"当前状态|收单机构|全部账单|对此订单有疑"),
        (K::PaymentScreenshot, 2.5, r"商户单号|交易单号|转账单号|付款方式|收款方全称"),
        (K::TillSlip, 2.0, r"小票|收银|结账单|结算单|桌号|台号"),
        (
            K::TillSlip,
            1.2,
            r"\bcashier\b|\bkasse\b|\btill\b|\bpos\b|\bregister\b|\bcaisse\b|\bcassa\b|kassenbon|\bbon\b",
        ),
        (K::TillSlip, 1.0, r"thank you|vielen dank|danke|merci|grazie|come again|terima kasih|谢谢|歡迎|欢迎"),
        (K::TillSlip, 1.0, r"\bchange\b|rückgeld|rueckgeld|wechselgeld|找零|找赎|\bbaki\b"),
        (K::TillSlip, 0.7, r"\btable\b|\btisch\b|\bserver\b|\bguests?\b"),
        (K::Invoice, 2.0, r"\biban\b|\bbic\b|swift"),
        (K::Invoice, 2.0, r"due date|payment terms|zahlbar|zahlungsziel|fällig|net 30|échéance|scadenza"),
        (
            K::Invoice,
            1.5,
            r"\bbill(?:ed)? to\b|\binvoice to\b|\bship to\b|rechnungsempfänger|kundennummer|customer (?:no|number|id)|purchase order",
        ),
        (
            K::Invoice,
            1.2,
            r"rechnungsnummer|rechnung nr|rechnungsdatum|invoice (?:date|number)|numéro de facture|facture n",
        ),
        (
            K::Invoice,
            1.0,
            r"\bsubtotal\b.*\btax\b|einzelpreis|unit price|leistungszeitraum|billing period|subscription",
        ),
    ];
    all.iter()
        .filter_map(|(kind, weight, pattern)| {
            Regex::new(pattern).ok().map(|pattern| Sign { kind: *kind, weight: *weight, pattern })
        })
        .collect()
});

/// Score of a kind nothing speaks for: a slip of a till is what people hand in.
fn prior(kind: EvidenceKind) -> f32 {
    match kind {
        K::TillSlip => 1.5,
        K::Invoice => 0.0,
        K::Other => -0.5,
        _ => -1.5,
    }
}

/// What has been seen for a kind.
#[derive(Default, Clone)]
struct Case {
    score: f32,
    reasons: Vec<String>,
    evidence: Option<Evidence>,
}

/// The likeliest kinds, most probable first, each with its reasons.
pub fn propose(
    layout: &Layout<'_>,
    mentions: &[Mention],
    region: &Region,
    pages: &[Page],
    context: &Context,
) -> Vec<Proposal> {
    let mut cases: Vec<(EvidenceKind, Case)> =
        EvidenceKind::ALL.iter().map(|kind| (*kind, Case { score: prior(*kind), ..Case::default() })).collect();
    for sign in SIGNS.iter() {
        let seen = layout.rows.iter().take(MAX_ROWS).enumerate().find_map(|(at, row)| {
            let lower = row.text.to_lowercase();
            let packed: String = lower.chars().filter(|c| !c.is_whitespace()).collect();
            sign.pattern
                .find(&lower)
                .map(|m| m.as_str().to_owned())
                .or_else(|| {
                    sign.pattern
                        .find(&packed)
                        .filter(|m| m.as_str().chars().any(super::fold::is_cjk))
                        .map(|m| m.as_str().to_owned())
                })
                .map(|text| (at, text))
        });
        let Some((row, text)) = seen else { continue };
        if let Some((_, case)) = cases.iter_mut().find(|(kind, _)| *kind == sign.kind) {
            case.score += sign.weight;
            if case.reasons.len() < 3 {
                case.reasons.push(format!("label:{}", text.chars().take(24).collect::<String>()));
            }
            case.evidence = case.evidence.take().or_else(|| layout.row_evidence(row));
        }
    }
    shape(mentions, pages, &mut cases);
    let top = cases.iter().map(|(_, c)| c.score).fold(f32::NEG_INFINITY, f32::max);
    let whole: f32 = cases.iter().map(|(_, c)| ((c.score - top) / TEMPERATURE).exp()).sum();
    cases.sort_by(|a, b| b.1.score.total_cmp(&a.1.score));
    let foreign = foreign_share(region, context);
    let mut out: Vec<(EvidenceKind, f32, Case)> = Vec::new();
    for (kind, case) in cases.into_iter().take(MAX_KINDS) {
        let p = ((case.score - top) / TEMPERATURE).exp() / whole;
        // A slip in another currency than the organisation's is a receipt from abroad.
        let share = if matches!(kind, K::TillSlip | K::Invoice) { foreign } else { 0.0 };
        for (kind, p) in [(kind, p * (1.0 - share)), (K::ForeignReceipt, p * share)] {
            match out.iter_mut().find(|(k, ..)| *k == kind) {
                Some((_, sum, _)) => *sum += p,
                None if p > 0.0 => out.push((kind, p, case.clone())),
                None => {}
            }
        }
    }
    out.sort_by(|a, b| b.1.total_cmp(&a.1));
    out.into_iter().map(|(kind, p, case)| proposal(kind, p, case)).collect()
}

fn proposal(kind: EvidenceKind, p: f32, case: Case) -> Proposal {
    let mut reasons = case.reasons;
    if kind == K::ForeignReceipt {
        reasons.insert(0, "foreign_currency".to_owned());
    } else if reasons.is_empty() {
        reasons.push("shape".to_owned());
    }
    Proposal {
        key: FieldKey::EvidenceKind,
        value: FieldValue::Text(kind.as_str().to_owned()),
        evidence: case.evidence.into_iter().collect(),
        finder: "kind:signs",
        reasons,
        // Signs missed by recognition, kinds nobody thought of.
        features: Features(vec![("p", p.min(0.985))]),
    }
}

/// What the layout says: articles, money given and returned, the proportions of the page.
fn shape(mentions: &[Mention], pages: &[Page], cases: &mut [(EvidenceKind, Case)]) {
    let mut add = |kind: EvidenceKind, weight: f32| {
        if let Some((_, case)) = cases.iter_mut().find(|(k, _)| *k == kind) {
            case.score += weight;
        }
    };
    let articles = mentions.iter().filter(|m| m.named && m.amount.decimals == 2).count();
    if mentions.is_empty() {
        add(K::Other, 2.0);
        add(K::TillSlip, -1.0);
    }
    // A terminal's slip lists no articles.
    add(K::CardSlip, if articles == 0 { 1.0 } else { -2.5 });
    if articles > 0 {
        add(K::TillSlip, 0.8);
    }
    if mentions.iter().any(|m| m.is(&[L::Tendered, L::Change])) {
        add(K::TillSlip, 1.0);
        add(K::Invoice, -1.5);
    }
    if let Some(page) = pages.first().filter(|p| p.width > 0) {
        let shape = page.height as f32 / page.width as f32;
        if shape >= SLIP_SHAPE {
            add(K::TillSlip, 0.5);
        } else if (1.35..1.48).contains(&shape) && page.lines.len() > 20 {
            add(K::Invoice, 0.7);
        }
    }
    if pages.iter().any(|p| p.source != crate::domain::page::TextSource::Recognition) {
        // Documents made by machines are seldom slips.
        add(K::Invoice, 1.5);
    }
}

/// Probability that the paper's currency is not the organisation's; 0 when the organisation's is not known.
fn foreign_share(region: &Region, context: &Context) -> f32 {
    let Some(home) = context.home_currency else { return 0.0 };
    region
        .currencies
        .iter()
        .filter(|c| c.value != FieldValue::Currency(home))
        .map(|c| c.features.get("p"))
        .sum::<f32>()
        .clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::tests::read;

    fn kind(rows: &[&str]) -> String {
        read(rows).fields[&FieldKey::EvidenceKind].value.to_string()
    }

    /// What a terminal prints of a payment.
    const TERMINAL: [&str; 8] = [
        "TID: 70012345",
        "VISA DEBIT",
        "AID: A0000000031010",
        "AMOUNT",
        "EUR 50.50",
        "PIN VERIFIED",
        "AUTH CODE: B00417",
        "CUSTOMER COPY",
    ];

    #[test]
    fn a_slip_of_a_terminal_is_a_card_slip_whoever_keeps_it_and_a_till_slip_paid_by_card_is_none() {
        let head = ["HARBOUR CAFE", "20/11/2026 20:31"];
        let slip = [&head[..], &TERMINAL].concat();
        assert_eq!(kind(&slip), "card_slip");
        let polite = [&head[..], &TERMINAL, &["Thank you"]].concat();
        assert_eq!(kind(&polite), "card_slip");
        let articles = ["Steak with potatoes  32.00", "House wine  18.50", "TOTAL EUR  50.50"];
        let till = [&head[..], &articles, &TERMINAL, &["Thank you"]].concat();
        assert_eq!(kind(&till), "till_slip");
        let copy = [&head[..], &articles, &["CUSTOMER COPY"]].concat();
        assert_eq!(kind(&copy), "till_slip");
    }

    #[test]
    fn a_list_of_tolls_is_no_slip_and_a_toll_bill_no_list() {
        let list =
            ["收费公路通行费电子票据汇总单", "车牌号码：沪A00000", "票据代码 票据号码 金额", "合计金额：38.00 元"];
        assert_eq!(kind(&list), "trip_sheet");
        let bill = ["浙江增值税电子普通发票", "通行费", "发票代码：033000000011", "价税合计（小写）¥18.00"];
        assert_eq!(kind(&bill), "ordinary_fapiao");
    }
}
