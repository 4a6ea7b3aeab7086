//! Where the paper comes from, as evidence: currency, script, tax ids, telephone and address patterns.

use std::{cmp::Ordering, collections::BTreeMap, ops::Range, sync::LazyLock};

use regex::Regex;
use rust_decimal::Decimal;

use super::{
    Context,
    fold::is_cjk,
    layout::Layout,
    money::Mention,
    rank::{Features, Proposal},
};
use crate::domain::{
    field::{Evidence, FieldKey, FieldValue},
    money::Currency,
};

/// Rows of text searched for signs of a country.
const MAX_ROWS: usize = 800;

/// What is known about the paper's origin.
#[derive(Debug, Clone)]
pub struct Region {
    /// Proposals for [`FieldKey::Currency`], most probable first, feature `p` holding the probability.
    pub currencies: Vec<Proposal>,
    /// Probability that ambiguous dates put the day before the month.
    pub day_first: f32,
    /// Why, one or two words.
    pub order_reason: &'static str,
}

struct Sign {
    pattern: Regex,
    /// Currency codes it speaks for, with log-odds.
    speaks: &'static [(&'static str, f32)],
    name: &'static str,
}

macro_rules! signs {
    ($($name:literal, $pattern:literal => $($code:literal $weight:literal),+;)+) => {
        vec![$(Regex::new($pattern).ok().map(|pattern| Sign { pattern, speaks: &[$(($code, $weight)),+], name: $name })),+]
    };
}

/// Each sign counts twice at most. Weights are log-odds by judgement: 4 settles it, 2 is strong, 1 is a hint.
static SIGNS: LazyLock<Vec<Sign>> = LazyLock::new(|| {
    let all: Vec<Option<Sign>> = signs! {
        "RM", r"(?:^|[^\p{L}])RM\s?\d|\(RM\)|\bRM\b" => "MYR" 4.0;
        "MYR", r"\bMYR\b" => "MYR" 4.0;
        "Sdn Bhd", r"(?i)\bS[DO0]N\.?\s?\.?BH?[DO0]\b|\bBERHAD\b|\(\d{5,7}-[A-Z]\)|\b\d{6,7}-[A-Z]\b" => "MYR" 2.5;
        "Malay words", r"(?i)\b(jalan|taman|johor|selangor|kuala lumpur|penang|melaka|tunai|jumlah|tarikh|terima kasih|malaysia)\b" => "MYR" 2.0;
        "S$", r"S\$\s?\d|\bSGD\b" => "SGD" 4.0;
        "Singapore", r"(?i)\bsingapore\b|\bPte\.?\s?Ltd" => "SGD" 2.5;
        "CHF", r"(?i)\bCHF\b|\bSFr\.?\s?\d" => "CHF" 4.0;
        "Fr.", r"\bFr\.\s?\d" => "CHF" 2.5;
        "Swiss id", r"(?i)CHE[-\s.]?\d{3}|\+41\b|\bCH-\d{4}\b|\bRappen\b" => "CHF" 2.5;
        // The rates since 2011 beside the tax's name; nobody else has them.
        "Swiss rate", r"(?i)\b(?:m\.?w\.?st|tva|iva)\b.*?[^\d.,](?:8[.,]1|7[.,]7|2[.,][56]|3[.,][78])0?\s?%|(?:^|[^\d.,])(?:8[.,]1|7[.,]7|2[.,][56]|3[.,][78])0?\s?%.*\b(?:m\.?w\.?st|tva|iva)\b" => "CHF" 2.5;
        // Written with small letters and large in Germany, Austria and Switzerland alike.
        "MwSt", r"(?i)\bm\.?w\.?st\b|mehrwertsteuer" => "EUR" 1.0, "CHF" 1.0;
        "Swiss words", r"(?i)\b(schweiz|suisse|svizzera|switzerland|zürich|zurich|luzern|bern|basel|genève|twint|postcard|postfinance)\b|\.ch\b" => "CHF" 2.0;
        "€", r"€" => "EUR" 4.0;
        "EUR", r"\bEUR(?:O|OS)?\b" => "EUR" 3.0;
        "euro words", r"(?i)\b(euro|gmbh|ust|steuernr|umsatzsteuer|deutschland|österreich|summe|tva|siret|p\.?\s?iva|partita iva|btw|italia|france|españa|nif|cif)\b|\bDE\d{9}\b|\bATU\d{8}\b" => "EUR" 1.5;
        "£", r"£\s?\d|\bGBP\b" => "GBP" 4.0;
        "UK", r"(?i)\bVAT\s?(?:reg|no)|\b(london|united kingdom|england|scotland)\b|\b[A-Z]{1,2}\d{1,2}[A-Z]?\s\d[A-Z]{2}\b|\.co\.uk" => "GBP" 1.5;
        "USD", r"\bUSD\b|US\$" => "USD" 4.0;
        "$", r"(?:^|[^\p{L}])\$\s?-?\d" => "USD" 2.0, "CAD" 0.6, "AUD" 0.6, "SGD" 0.6, "HKD" 0.3, "TWD" 0.3, "NZD" 0.2, "MXN" 0.2;
        "US address", r"\b(?:A[KLRZ]|C[AOT]|D[CE]|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|PA|RI|S[CD]|T[NX]|UT|V[AT]|W[AIVY])\.?,?\s*\d{5}(?:-\d{4})?\b" => "USD" 3.0;
        "US phone", r"\(\s?\d{3}\s?\)\s?[-.]?\s?\d{3}\s?[-.]\s?\d{4}|\b\d{3}-\d{3}-\d{4}\b|\b\d{3}\.\d{3}\.\d{4}\b" => "USD" 1.8, "CAD" 0.8;
        "US words", r"(?i)\bsales tax\b|\bgratuity\b|\bdebit tend\b|\bus debit\b|\b(walmart|wal\*mart|costco|trader joe)|\bsuite\b|\bblvd\b|\bmcard tend\b" => "USD" 1.2;
        "food stamps", r"\bEBT\b|\d \.?FS\b|(?i)\bfood ?stamps?\b" => "USD" 2.0;
        "no nought", r"(?:^|\s)-?\.\d\d\b" => "USD" 0.8, "CAD" 0.3;
        "Canada", r"(?i)\bCAD\b|\bHST\b|\bcanada\b|\bQST\b|\bTVQ\b|\b[A-Z]\d[A-Z]\s?\d[A-Z]\d\b" => "CAD" 2.5;
        "Australia", r"(?i)\bAUD\b|\bABN\b|\baustralia\b|\bNSW\b|\bQLD\b|\.com\.au|\bEFTPOS\b" => "AUD" 2.8;
        "New Zealand", r"(?i)\bNZD\b|\bnew zealand\b|\bauckland\b" => "NZD" 2.8;
        "元", r"\d\s?元|人民币|人民幣|\bRMB\b|\bCNY\b" => "CNY" 3.5;
        "fapiao", r"发票|税务局|增值税|纳税人识别号|价税合计|微信支付|支付宝|有限公司" => "CNY" 2.5;
        "simplified", r"[总额计实费车贰陆]" => "CNY" 1.5;
        "¥", r"[¥￥]" => "CNY" 1.0, "JPY" 1.0;
        "yen", r"\d\s?円|\bJPY\b|[ァ-ヺぁ-ゖ]{2}" => "JPY" 3.5;
        "NT$", r"(?i)NT\$|\bTWD\b|新台幣|統一編號|電子發票證明聯|\bNTD\b|台[北中南灣湾]|臺[北中南灣]" => "TWD" 4.0;
        "Republic year", r"1[01]\d\s?年\s?\d{1,2}\s?[-—~月]" => "TWD" 2.0;
        "HK$", r"(?i)HK\$|\bHKD\b|港幣|港币" => "HKD" 4.0;
        // A place may be the buyer's: it does not outweigh a printed code.
        "Hong Kong", r"(?i)hong kong|香港|九龍" => "HKD" 2.5;
        "Macau", r"(?i)\bMOP\b|澳門|澳门" => "MOP" 4.0;
        "rupiah", r"(?i)\bRp\.?\s?\d|\bIDR\b|\bindonesia\b|\bNPWP\b|\bPPN\b|\bjakarta\b|\bPT\.\s" => "IDR" 3.0;
        "rupee", r"(?i)₹|\bRs\.?\s?-?\s?\d|\brupees?\b|\bINR\b|\bGSTIN\b|\bCGST\b|\bSGST\b" => "INR" 3.0;
        "baht", r"(?i)฿|\bTHB\b|\bbaht\b|\bthailand\b" => "THB" 3.5;
        "won", r"₩|\bKRW\b|\d\s?원" => "KRW" 3.5;
        "dong", r"₫|\bVND\b" => "VND" 3.5;
        "peso", r"₱|\bPHP\b|(?i)philippines" => "PHP" 3.5;
        "rand", r"(?i)\bZAR\b|south africa|\bSPAR\b|\bR\s?\d+\.\d\d\b" => "ZAR" 1.5;
        "zloty", r"(?i)\bPLN\b|\bzł\b|\bNIP\b|paragon" => "PLN" 3.5;
        "koruna", r"(?i)\bCZK\b|\bKč\b|\bIČO\b" => "CZK" 3.5;
        "krona", r"(?i)\bSEK\b|\bmoms\b|\bsverige\b" => "SEK" 2.0;
        "Norway", r"\bNOK\b" => "NOK" 3.5;
        "Denmark", r"\bDKK\b" => "DKK" 3.5;
        "dirham", r"(?i)\bAED\b|\bdubai\b|\bTRN\b" => "AED" 3.0;
        "lira", r"₺|\bTRY\b|\bKDV\b" => "TRY" 3.0;
        "real", r"R\$\s?\d|\bBRL\b|\bCNPJ\b" => "BRL" 4.0;
    };
    all.into_iter().flatten().collect()
});

/// Base score of a currency nothing speaks for; with it one strong sign gives about 0.9.
const UNSEEN: f32 = 1.0;
/// Characters before and after an amount in which its currency stands.
const BESIDE: usize = 5;
/// Signs of currencies: letters of their words, unlike other punctuation.
const MONEY_SIGNS: &str = "$€£¥￥₹₩₫₱฿₺";
/// Weight from which a sign is the name of its currency, but for a few names that several share.
const NAMING: f32 = 3.0;
/// Weight of a sign that names a currency and does not only hint at a country.
const STRONG: f32 = 2.0;
/// A sign of several currencies, as `$`, must leave the one it usually means this probable by all other signs.
const HARDLY: f32 = 0.15;
/// Probability of the currency that stands beside the total.
const SURE: f32 = 0.95;
/// The finder of all proposals made here.
const FINDER: &str = "currency:signs";

/// What speaks for a currency: log-odds together, the signs' names, and the loudest sign where it stands.
type Case = (f32, Vec<String>, Option<(f32, Evidence)>);

impl Region {
    /// Reads the signs of origin off the paper.
    pub fn new(layout: &Layout<'_>, context: &Context) -> Self {
        let mut odds: BTreeMap<&'static str, Case> = BTreeMap::new();
        for sign in SIGNS.iter() {
            let mut times = 0_u8;
            for (row_at, row) in layout.rows.iter().enumerate().take(MAX_ROWS) {
                if !sign.pattern.is_match(&row.text) {
                    continue;
                }
                for (code, weight) in sign.speaks {
                    let entry = odds.entry(code).or_default();
                    entry.0 += if times == 0 { *weight } else { weight * 0.25 };
                    if times == 0 {
                        entry.1.push(format!("sign:{}", sign.name));
                        // What says it loudest is what a reviewer wants to see.
                        let is_louder = entry.2.as_ref().map_or(*weight >= STRONG, |(shown, _)| weight > shown);
                        if is_louder && let Some(evidence) = evidence_of(sign, layout, row_at) {
                            entry.2 = Some((*weight, evidence));
                        }
                    }
                }
                times += 1;
                if times == 2 {
                    break;
                }
            }
        }
        if let Some(home) = context.home_currency
            && let Some(entry) = odds.get_mut(home.code())
        {
            // Tips the scale between currencies that are seen (`$`, `¥`); never adds one.
            entry.0 += 0.5;
            entry.1.push("home".to_owned());
        }
        let sum: f32 = odds.values().map(|(w, _, _)| w.min(20.0).exp()).sum::<f32>() + UNSEEN.exp();
        let mut currencies: Vec<Proposal> = odds
            .into_iter()
            .filter_map(|(code, (weight, reasons, evidence))| {
                let currency: Currency = code.parse().ok()?;
                let p = (weight.min(20.0).exp() / sum).min(0.995);
                Some(Proposal {
                    key: FieldKey::Currency,
                    value: FieldValue::Currency(currency),
                    evidence: evidence.into_iter().map(|(_, evidence)| evidence).collect(),
                    finder: FINDER,
                    reasons,
                    features: Features(vec![("p", p)]),
                })
            })
            .collect();
        currencies.sort_by(|a, b| b.features.get("p").total_cmp(&a.features.get("p")));
        let (day_first, order_reason) = order(&currencies, context);
        Self { currencies, day_first, order_reason }
    }
}

/// The words of a row that the sign covers.
fn evidence_of(sign: &Sign, layout: &Layout<'_>, row: usize) -> Option<Evidence> {
    let row = layout.rows.get(row)?;
    let within = |at: &usize| words_of(sign, &layout.segments[*at].text, 0).map(|range| layout.evidence(*at, &range));
    // A sign may reach over the gap between two segments, as a place and its postcode: then the first is shown.
    row.segments.iter().find_map(within).or_else(|| {
        let start = sign.pattern.find(&row.text)?.start();
        let mut offset = 0;
        row.segments.iter().find_map(|at| {
            let text = &layout.segments[*at].text;
            let from = offset;
            offset += text.len() + 2;
            (start < from + text.len()).then(|| layout.evidence(*at, &(0..text.len())))
        })
    })
}

/// Bytes of the whole words the sign covers in `text`; of several places the one nearest to byte `to`.
fn words_of(sign: &Sign, text: &str, to: usize) -> Option<Range<usize>> {
    let found = sign.pattern.find_iter(text).take(MAX_ROWS);
    let nearest = found.min_by_key(|m| m.start().abs_diff(to).min(m.end().abs_diff(to)))?;
    // Patterns look at what stands before a sign; that is not part of it.
    let is_own = |c: char| c.is_alphanumeric() || MONEY_SIGNS.contains(c) || c == '+';
    let own = nearest.as_str().trim_start_matches(|c| !is_own(c));
    let (start, end) = (nearest.end() - own.len(), nearest.start() + nearest.as_str().trim_end().len());
    let is_edge = |c: char| c.is_whitespace() || is_cjk(c) || !(c.is_ascii() || is_own(c));
    let start = text[..start].char_indices().rev().find(|(_, c)| is_edge(*c)).map_or(0, |(at, c)| at + c.len_utf8());
    let end = text[end..].find(is_edge).map_or(text.len(), |at| end + at);
    (start < end).then_some(start..end)
}

/// Where the currency `code` is named on the row of the total, nearest to it.
fn named_beside(code: &str, layout: &Layout<'_>, mentions: &[Mention], total: Decimal) -> Option<Evidence> {
    let names = |sign: &&Sign| {
        let is_name = matches!(sign.name, "$" | "¥" | "Fr." | "krona");
        sign.speaks.iter().any(|(spoken, weight)| *spoken == code && (*weight >= NAMING || is_name))
    };
    let mut totals: Vec<&Mention> = mentions.iter().filter(|m| !m.amount.percent && m.amount.value == total).collect();
    totals.sort_by_key(|m| m.label.is_none());
    totals.into_iter().find_map(|mention| {
        let mut near = layout.rows.get(mention.row)?.segments.clone();
        near.sort_by_key(|at| at.abs_diff(mention.segment));
        near.into_iter().find_map(|at| {
            let text = &layout.segments[at].text;
            // What stands before the total ends beside it, what stands behind begins there.
            let to = match at.cmp(&mention.segment) {
                Ordering::Less => text.len(),
                Ordering::Equal => mention.amount.range.start,
                Ordering::Greater => 0,
            };
            let ranges = SIGNS.iter().filter(names).filter_map(|sign| words_of(sign, text, to));
            let range = ranges.min_by_key(|range| range.start.abs_diff(to).min(range.end.abs_diff(to)))?;
            Some(layout.evidence(at, &range))
        })
    })
}

/// What the one sign or code that touches an amount may mean, likeliest first.
fn beside(text: &str, amount: &Range<usize>) -> Option<&'static [(&'static str, f32)]> {
    let start = text.get(..amount.start)?.char_indices().rev().take(BESIDE).last().map_or(amount.start, |(at, _)| at);
    let after = text.get(amount.end..)?;
    let end = amount.end + after.char_indices().nth(BESIDE).map_or(after.len(), |(at, _)| at);
    let near = text.get(start..end)?;
    let mut spoken: Vec<&[(&str, f32)]> = SIGNS
        .iter()
        .filter(|sign| sign.pattern.is_match(near) && sign.speaks.first().is_some_and(|(_, weight)| *weight >= STRONG))
        .map(|sign| sign.speaks)
        .collect();
    spoken.dedup_by_key(|speaks| speaks.first().map(|(code, _)| *code));
    match spoken.as_slice() {
        [speaks] => Some(speaks),
        _ => None,
    }
}

/// Codes and signs that name a currency beyond doubt; whole words in rows.
const NAMES: &[(&str, &str)] = &[
    ("eur", "EUR"),
    ("euro", "EUR"),
    ("€", "EUR"),
    ("chf", "CHF"),
    ("usd", "USD"),
    ("gbp", "GBP"),
    ("£", "GBP"),
    ("sgd", "SGD"),
    ("hkd", "HKD"),
    ("jpy", "JPY"),
    ("cny", "CNY"),
    ("myr", "MYR"),
    ("rm", "MYR"),
];

impl Region {
    /// The most probable currency's code, when one is likely.
    pub fn currency(&self) -> Option<String> {
        self.currencies.first().filter(|c| c.features.get("p") > 0.5).map(|c| c.value.to_string())
    }

    /// Shows each currency where it is named beside the total, and believes the one that stands right beside it where several
    /// are named: fees and prices elsewhere on the paper may be in others.
    pub fn hear_total(&self, proposals: &mut [Proposal], layout: &Layout<'_>, mentions: &[Mention], total: Decimal) {
        for proposal in proposals.iter_mut().filter(|p| p.key == FieldKey::Currency && p.finder == FINDER) {
            if let Some(seen) = named_beside(&proposal.value.to_string(), layout, mentions, total) {
                proposal.evidence = vec![seen];
            }
        }
        if self.currencies.first().is_none_or(|best| best.features.get("p") >= SURE) {
            return;
        }
        let mut beside: Vec<&[(&str, f32)]> = mentions
            .iter()
            .filter(|m| !m.amount.percent && m.amount.value == total)
            .filter_map(|m| beside(&layout.segments.get(m.segment)?.text, &m.amount.range))
            .collect();
        beside.dedup_by_key(|speaks| speaks.first().map(|(code, _)| *code));
        let [speaks] = beside.as_slice() else { return };
        let Some((code, _)) = speaks.first() else { return };
        // A sign of several currencies agrees with a place that has one of them.
        let is_shared = speaks.len() > 1;
        let leads = self.currencies.first().map(|best| best.value.to_string());
        if is_shared && speaks.iter().any(|(other, _)| Some(*other) == leads.as_deref()) {
            return;
        }
        let is_own =
            |p: &&mut Proposal| p.key == FieldKey::Currency && p.finder == FINDER && p.value.to_string() == *code;
        let Some(heard) = proposals.iter_mut().find(is_own) else { return };
        if is_shared && heard.features.get("p") < HARDLY {
            return;
        }
        // What it gains the others lose.
        let left = (1.0 - SURE) / (1.0 - heard.features.get("p")).max(1.0 - SURE);
        heard.features = Features(vec![("p", SURE)]);
        heard.reasons.push("beside:total".to_owned());
        let others = proposals.iter_mut().filter(|p| p.key == FieldKey::Currency && p.finder == FINDER);
        for other in others.filter(|p| p.value.to_string() != *code) {
            other.features = Features(vec![("p", other.features.get("p") * left)]);
        }
    }

    /// Rows that name only another currency than the paper's own: a conversion for tourists.
    pub fn foreign_rows(&self, layout: &Layout<'_>) -> Vec<usize> {
        let Some(own) = self.currency() else { return Vec::new() };
        let named = |text: &str| {
            let lower = text.to_lowercase();
            let words: Vec<&str> = lower.split(|c: char| !c.is_alphabetic() && !matches!(c, '€' | '£')).collect();
            NAMES.iter().filter(|(n, _)| words.contains(n)).map(|(_, code)| *code).collect::<Vec<_>>()
        };
        let rows: Vec<(usize, Vec<&str>)> =
            layout.rows.iter().enumerate().take(MAX_ROWS).map(|(i, r)| (i, named(&r.text))).collect();
        rows.into_iter().filter(|(_, n)| !n.is_empty() && !n.contains(&own.as_str())).map(|(i, _)| i).collect()
    }
}

/// Whether the day comes first, from the country the currency speaks for, else from the locale.
fn order(currencies: &[Proposal], context: &Context) -> (f32, &'static str) {
    let p = |code: &str| currencies.iter().find(|c| c.value.to_string() == code).map_or(0.0, |c| c.features.get("p"));
    let american = p("USD") + 0.5 * p("CAD") + p("PHP");
    let known: f32 = currencies.iter().map(|c| c.features.get("p")).sum();
    let unknown = (1.0 - known).max(0.0);
    let by_locale = match context.locales.first().map(String::as_str) {
        Some("en-US") => 0.15,
        Some(_) => 0.85,
        None => 0.7,
    };
    let day_first = (known - american).max(0.0) * 0.97 + american * 0.04 + unknown * by_locale;
    (day_first.clamp(0.02, 0.98), if unknown > 0.6 { "locale" } else { "country" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::tests::read;

    #[test]
    fn a_currency_is_shown_where_it_is_named_beside_the_total_and_only_its_words() {
        for (rows, expected) in [
            (["NORDTOR GMBH", "Kaffee  4,50 EUR", "Summe  EUR  12,80"], "EUR"),
            (["NORDTOR GMBH", "Kaffee  4,50 €", "Summe  12,80 €"], "€"),
            (["HARBOUR CAFE", "Coffee €4.50", "TOTAL €12.80"], "€12.80"),
            (["示例餐饮有限公司", "咖啡 ¥4.50", "价税合计（小写）¥12.80"], "¥12.80"),
            (["示例餐饮有限公司 增值税发票", "币种: CNY", "价税合计（小写）: 12.80"], "CNY"),
            // Nothing on the row of the total: what says it loudest.
            (["Nordtor AG, 8001 Zürich", "Alle Preise in CHF", "Total  12.80"], "CHF"),
            (["Nordtor AG", "Tel. +41 44 000 00 00", "Total  12.80"], "+41"),
        ] {
            let currency = &read(&rows).fields[&FieldKey::Currency];
            let seen = currency.evidence.as_ref().expect("it is seen somewhere");
            assert_eq!(seen.text, expected, "{rows:?}");
            assert!(seen.quad.is_some_and(|quad| quad.text_width() > 1.0), "{rows:?}");
        }
    }

    #[test]
    fn the_name_of_a_tax_is_no_country_but_its_rate_may_be_one() {
        let of = |rows: &[&str]| {
            let fields = read(rows).fields;
            fields.get(&FieldKey::Currency).map(|currency| (currency.value.to_string(), currency.p))
        };
        let invoice = ["Nordtor GmbH", "Beratung  100.00", "zzgl. 19% MwSt.  19.00", "Gesamtbetrag  119.00"];
        assert!(
            of(&invoice).is_some_and(|(code, p)| code == "EUR" && p < 0.9),
            "likely, not certain: {:?}",
            of(&invoice)
        );
        let priced = ["Nordtor GmbH", "Beratung  100,00 EUR", "zzgl. 19% MWST  19,00", "Gesamtbetrag  119,00 EUR"];
        assert!(of(&priced).is_some_and(|(code, p)| code == "EUR" && p > 0.9), "{:?}", of(&priced));
        let swiss = ["Nordtor", "Kaffee  4.50", "inkl. 8.1% MWST  0.34", "Total  4.50"];
        assert!(of(&swiss).is_some_and(|(code, p)| code == "CHF" && p > 0.6), "{:?}", of(&swiss));
        // A slip's discount is no rate of a tax.
        let discount = ["HARBOUR CAFE", "Coffee  4.50", "Discount 2.5 %  -0.11", "TOTAL GBP  4.39"];
        assert!(of(&discount).is_some_and(|(code, _)| code == "GBP"), "{:?}", of(&discount));
    }

    #[test]
    fn where_several_currencies_are_named_the_one_beside_the_total_counts() {
        let fees = ["Luggage  100 CZK / 4 €", "in cash  50 CZK / 2 €", "by card  60 CZK / 3 €"];
        for (total, expected) in [("Total  1 340 CZK", "CZK"), ("Total  € 54.00", "EUR")] {
            let rows: Vec<&str> = ["EXAMPLE BUS", total].into_iter().chain(fees).collect();
            let currency = &read(&rows).fields[&FieldKey::Currency];
            assert_eq!(currency.value.to_string(), expected, "{currency:?}");
            assert!(currency.reasons.contains(&"beside:total".to_owned()), "{currency:?}");
        }
        // What the one gains the others lose.
        let fields = read(&["EXAMPLE BUS", "Total  1 340 CZK", fees[0], fees[1], fees[2]]).fields;
        let others: f32 = fields[&FieldKey::Currency].alternatives.iter().map(|other| other.p).sum();
        assert!(others < 0.1, "{:?}", fields[&FieldKey::Currency]);
        // Beside the total stand two: nothing is concluded.
        assert!(beside("EUR 12.00 CZK", &(4..9)).is_none());
        // A dollar sign is many countries', and the rest of the paper says which.
        assert!(beside("Total $12.00", &(7..12)).is_some_and(|speaks| speaks.len() > 1 && speaks[0].0 == "USD"));
        let rows =
            ["NORDTOR SDN BHD", "12 Jalan Bunga, Johor", "GST No 000417283950", "Kopi O  RM 4.00", "Total  $12.00"];
        assert_eq!(read(&rows).fields[&FieldKey::Currency].value.to_string(), "MYR");
    }
}
