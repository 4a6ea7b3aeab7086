//! Assigns the expense category: the organisation's memory first, then a model. Pure.

pub mod brands;
pub mod chance;
pub mod examples;
pub mod features;
pub mod kinds;
pub mod lexicon;
pub mod memory;
pub mod model;
pub mod score;
pub mod text;
pub mod train;

pub use memory::Memory;
pub use model::Model;
pub use text::merchant_key;

use rust_decimal::Decimal;

use crate::domain::category::OTHER;
use crate::domain::field::{Alternative, Field, FieldKey, FieldValue, MAX_ALTERNATIVES};
use crate::domain::money::Currency;
use crate::domain::receipt::EvidenceKind;
use crate::domain::time::CivilTime;
use features::{DAY_PARTS, Features, time_feature};

/// What is known of a receipt when its category is proposed. Everything may be missing.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Input {
    /// The merchant as read or corrected.
    pub merchant: Option<String>,
    /// The recognised lines, top to bottom (items included).
    pub lines: Vec<String>,
    /// Wall-clock time on the paper.
    pub time: Option<CivilTime>,
    /// The total.
    pub amount: Option<Decimal>,
    /// Its currency.
    pub currency: Option<Currency>,
    /// What kind of evidence the paper is, with the probability that it is that, 0 to 1.
    pub kind: Option<(EvidenceKind, f32)>,
}

/// A category with its probability and reasons.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal {
    /// The category's code.
    pub code: String,
    /// Probability that it is right, 0 to 1.
    pub p: f32,
    /// Who proposed it: `memory`, `kind` (what the paper is leaves one category), `model`, or `none` when nothing was known.
    pub source: &'static str,
    /// Reason codes: `memory:12`, `kind:taxi_slip`, `brand_kind:hotel`, `words:diesel,tankstelle`, `time:night`, `unsure`.
    pub reasons: Vec<String>,
    /// Other codes, most probable first, at most [`MAX_ALTERNATIVES`].
    pub alternatives: Vec<(String, f32)>,
}

impl Proposal {
    /// The same as a field of a draft.
    pub fn into_field(self) -> Field {
        let alternative = |(value, p)| Alternative { value, p, evidence: None };
        Field {
            key: FieldKey::Category,
            value: FieldValue::Text(self.code),
            p: self.p,
            evidence: None,
            source: format!("category:{}", self.source),
            reasons: self.reasons,
            alternatives: self.alternatives.into_iter().map(alternative).collect(),
        }
    }
}

/// Below this the model's favourite is not proposed; "other" is, with its own low probability.
pub const MIN_P: f32 = 0.33;
/// The same where only letters speak for the favourite, before [`NAME_ONLY_TRUST`] is applied.
const MIN_P_NAME_ONLY: f32 = 0.58;
/// Probability of "other" where it is proposed for want of anything better: its share among receipts (`Settings::default`).
const OTHER_AT_LEAST: f32 = 0.2;
/// Share of trust in a proposal that only the letters of a name speak for: no known brand, no word. On receipts the
/// model alone was right about this often when it was sure (`models/category/CARD.md`).
const NAME_ONLY_TRUST: f32 = 0.75;
/// The same where the letters of lines speak as well.
const LETTERS_TRUST: f32 = 0.9;
/// A paper less surely of its kind than this says nothing about the category.
const LEAST_KIND: f32 = 0.7;
/// An alternative less likely than this is not worth a reviewer's glance.
const MIN_ALTERNATIVE: f32 = 0.02;
/// Words named in one reason.
const MAX_REASON_WORDS: usize = 4;

/// The class to propose from the model's probabilities, and the probability to state: the favourite, or "other"
/// when the favourite is less likely than `least`.
pub fn decide(p: &[f32], least: f32) -> (usize, f32) {
    let other = lexicon::WORDS.iter().position(|(code, _)| *code == OTHER).unwrap_or(0);
    let best = (0..p.len()).max_by(|a, b| p[*a].total_cmp(&p[*b])).unwrap_or(other);
    if p[best] >= least { (best, p[best]) } else { (other, p[other]) }
}

/// Proposes one of `categories` (the organisation's codes): what its people confirmed for this merchant, else the
/// model's favourite, else "other" with low probability. A class the organisation does not have counts as "other".
pub fn classify(input: &Input, memory: &Memory, model: &Model, categories: &[impl AsRef<str>]) -> Proposal {
    let has = |code: &str| categories.iter().any(|c| c.as_ref() == code);
    let features = features::of(input, model.brands());
    let trust = if input.lines.is_empty() { NAME_ONLY_TRUST } else { LETTERS_TRUST };
    let p = within(&tempered(model.predict(&features), &features, trust), &has);
    let ranked = |without: &str, scale: f32| -> Vec<(String, f32)> {
        let mut rest: Vec<_> = lexicon::WORDS.iter().map(|(code, _)| *code).zip(p.iter().map(|p| p * scale)).collect();
        rest.retain(|(code, p)| *code != without && *p >= MIN_ALTERNATIVE && has(code));
        rest.sort_by(|a, b| b.1.total_cmp(&a.1));
        rest.truncate(MAX_ALTERNATIVES);
        rest.into_iter().map(|(code, p)| (code.to_owned(), p)).collect()
    };

    let remembered = input.merchant.as_deref().and_then(|name| memory.find(name)).filter(|r| has(&r.latest));
    if let Some(known) = remembered {
        let p = known.p();
        let mut alternatives: Vec<(String, f32)> = known
            .counts
            .iter()
            .filter(|(code, _)| **code != known.latest && has(code))
            .map(|(code, n)| (code.clone(), (1.0 - p) * *n as f32 / (n + 1) as f32))
            .collect();
        alternatives.sort_by(|a, b| b.1.total_cmp(&a.1));
        for (code, p) in ranked(&known.latest, 1.0 - p) {
            if !alternatives.iter().any(|(have, _)| *have == code) {
                alternatives.push((code, p));
            }
        }
        alternatives.truncate(MAX_ALTERNATIVES);
        let reasons = vec![format!("memory:{}", known.count(&known.latest))];
        return Proposal { code: known.latest.clone(), p, source: "memory", reasons, alternatives };
    }

    if let Some((kind, p_kind)) = input.kind
        && let Some(code) = category_of(kind).filter(|code| p_kind >= LEAST_KIND && has(code))
    {
        let by_model = lexicon::WORDS.iter().zip(&p).find(|((word, _), _)| *word == code).map_or(0.0, |(_, p)| *p);
        let p = p_kind + (1.0 - p_kind) * by_model;
        let reasons = vec![format!("kind:{kind}")];
        return Proposal { code: code.to_owned(), p, source: "kind", reasons, alternatives: ranked(code, 1.0 - p) };
    }

    let name_only = MIN_P_NAME_ONLY * trust + (1.0 - trust) / p.len() as f32;
    let least = if is_spoken_for(&p, &features) { MIN_P } else { name_only };
    let (mut class, mut p_class) = decide(&p, least);
    if !has(lexicon::WORDS[class].0) {
        // An organisation without "other": the likeliest of what it has.
        let own = (0..p.len()).filter(|i| has(lexicon::WORDS[*i].0)).max_by(|a, b| p[*a].total_cmp(&p[*b]));
        (class, p_class) = own.map_or((class, p_class), |own| (own, p[own]));
    }
    let code = lexicon::WORDS[class].0.to_owned();
    let own = p[class];
    // What nobody knows is "other" at least as often as receipts are.
    if code == OTHER && input_says_something(input) {
        p_class = p_class.max(OTHER_AT_LEAST);
    }
    let scale = if own < 1.0 { (1.0 - p_class) / (1.0 - own) } else { 1.0 };
    let reasons = reasons(&features, model, class, p_class);
    let source = if input_says_something(input) { "model" } else { "none" };
    Proposal { alternatives: ranked(&code, scale), code, p: p_class, source, reasons }
}

fn input_says_something(input: &Input) -> bool {
    input.merchant.is_some() || !input.lines.is_empty()
}

/// The category that such a paper can only be of, whoever issued it: a taxi slip of a bus company is for a taxi.
const fn category_of(kind: EvidenceKind) -> Option<&'static str> {
    match kind {
        EvidenceKind::TaxiSlip | EvidenceKind::TripSheet => Some("taxi"),
        EvidenceKind::RailTicket => Some("rail"),
        EvidenceKind::AirTicket => Some("air"),
        _ => None,
    }
}

/// Without a brand or a word for the favourite, what `trust` leaves of its probability goes to all classes alike.
fn tempered(mut p: Vec<f32>, features: &Features, trust: f32) -> Vec<f32> {
    if !is_spoken_for(&p, features) {
        let flat = (1.0 - trust) / p.len() as f32;
        for p in &mut p {
            *p = *p * trust + flat;
        }
    }
    p
}

/// Whether a brand or a word speaks for the favourite.
fn is_spoken_for(p: &[f32], features: &Features) -> bool {
    let best = (0..p.len()).max_by(|a, b| p[*a].total_cmp(&p[*b])).unwrap_or(0);
    let noticed = &features.noticed;
    let by_brand = noticed.brand.iter().any(|(category, _)| *category == best);
    by_brand || noticed.name_words.iter().chain(&noticed.text_words).any(|hit| hit.category == best)
}

/// Moves the probability of classes the organisation does not have to "other".
fn within(p: &[f32], has: &impl Fn(&str) -> bool) -> Vec<f32> {
    let mut out = p.to_vec();
    let missing: Vec<usize> = (0..out.len()).filter(|i| !has(lexicon::WORDS[*i].0)).collect();
    let moved: f32 = missing.iter().map(|i| std::mem::take(&mut out[*i])).sum();
    if let Some(other) = lexicon::WORDS.iter().position(|(code, _)| *code == OTHER) {
        out[other] += moved;
    }
    out
}

fn reasons(features: &Features, model: &Model, class: usize, p: f32) -> Vec<String> {
    let noticed = &features.noticed;
    let mut out = Vec::new();
    if let Some((_, kind)) = noticed.brand.iter().find(|(category, _)| *category == class) {
        out.push(format!("brand_kind:{kind}"));
    }
    let mut words: Vec<&str> = Vec::new();
    for hit in noticed.name_words.iter().chain(&noticed.text_words) {
        if hit.category == class && !words.contains(&hit.word) {
            words.push(hit.word);
        }
    }
    words.truncate(MAX_REASON_WORDS);
    if !words.is_empty() {
        out.push(format!("words:{}", words.join(",")));
    }
    if let Some(part) = noticed.day_part {
        // Worth naming only when it speaks for this class against the average one.
        let weight = |c: usize| model.weight(time_feature(part), c);
        let mean = (0..lexicon::WORDS.len()).map(weight).sum::<f32>() / lexicon::WORDS.len() as f32;
        if weight(class) - mean > 0.3 {
            out.push(format!("time:{}", DAY_PARTS[part].1));
        }
    }
    if p < MIN_P {
        out.push("unsure".to_owned());
    } else if out.is_empty() {
        out.push("name".to_owned());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::category::DEFAULTS;

    fn codes() -> Vec<&'static str> {
        DEFAULTS.iter().map(|c| c.code).collect()
    }

    fn input(merchant: &str, lines: &[&str]) -> Input {
        let merchant = (!merchant.is_empty()).then(|| merchant.to_owned());
        Input { merchant, lines: lines.iter().map(|line| (*line).to_owned()).collect(), ..Input::default() }
    }

    fn propose(merchant: &str, lines: &[&str]) -> Proposal {
        classify(&input(merchant, lines), &Memory::new(), Model::embedded(), &codes())
    }

    #[test]
    fn plain_cases_in_three_languages_are_recognised_with_their_words() {
        for (merchant, lines, code, word) in [
            ("Gasthaus Kranichhof", vec!["1 x Tagessuppe 5,90", "Tisch 4", "Summe 18,40"], "meals", "gasthaus"),
            ("Lindenquay Hotel", vec!["Accommodation, double room", "City tax", "Nights: 2"], "lodging", "hotel"),
            ("Tankstelle Nordtor", vec!["Zapfsäule 3 Diesel", "41,20 l"], "fuel", "tankstelle"),
            ("", vec!["停车费", "入场 09:10", "出场 11:45", "合计 12.00"], "parking_tolls", "停车"),
            ("云栖里面馆", vec!["桌号: 24", "米饭 3.00"], "meals", "面馆"),
            ("白鹭湾出租汽车有限公司", vec!["上车 08:01", "里程 7.2公里"], "taxi", "出租汽车"),
            ("Three Oaks Pharmacy", vec!["IBUPROFEN 200MG", "COUGH SYRUP"], "medical", "pharmacy"),
        ] {
            let got = propose(merchant, &lines);
            assert_eq!(got.code, code, "{merchant} {lines:?}: {got:?}");
            assert!(got.p > 0.5 && got.reasons.iter().any(|r| r.starts_with("words:") && r.contains(word)), "{got:?}");
        }
    }

    #[test]
    fn what_nothing_is_known_of_stays_other_with_low_probability() {
        for name in ["", "Qorvent Zashi", "Bratinmi"] {
            let got = propose(name, &["TOTAL 12.00", "CASH 20.00", "CHANGE 8.00"]);
            assert!(got.p < 0.7, "{name}: {got:?}");
            assert!(got.code == OTHER || got.p > MIN_P, "{got:?}");
        }
        let empty = propose("", &[]);
        assert_eq!((empty.code.as_str(), empty.source), (OTHER, "none"));
        assert!(empty.p < 0.5 && empty.reasons == ["unsure"], "{empty:?}");
    }

    #[test]
    fn memory_comes_before_the_model_and_one_correction_is_enough() {
        let mut memory = Memory::new();
        let hotel = input("Lindenquay Hotel", &["Breakfast"]);
        memory.confirm("LINDENQUAY HOTEL GmbH", "training");
        let got = classify(&hotel, &memory, Model::embedded(), &codes());
        assert_eq!((got.code.as_str(), got.source), ("training", "memory"));
        assert_eq!(got.reasons, ["memory:1"]);
        assert!(got.alternatives.iter().any(|(code, _)| code == "lodging"), "{got:?}");
        memory.confirm("Lindenquay Hotel", "lodging");
        let got = classify(&hotel, &memory, Model::embedded(), &codes());
        assert_eq!((got.code.as_str(), got.alternatives[0].0.as_str()), ("lodging", "training"));
    }

    #[test]
    fn what_the_paper_is_comes_before_its_issuers_name_and_after_memory() {
        let lines = ["深圳市出租汽车专用发票", "单位名称: 深圳巴士集团公共汽车有限公司", "里程 19.05KM"];
        let mut slip = input("深圳巴士集团公共汽车有限公司", &lines);
        slip.kind = Some((EvidenceKind::TaxiSlip, 0.97));
        let got = classify(&slip, &Memory::new(), Model::embedded(), &codes());
        assert_eq!((got.code.as_str(), got.source), ("taxi", "kind"));
        assert!(got.p >= 0.97 && got.reasons == ["kind:taxi_slip"], "{got:?}");
        let mut memory = Memory::new();
        memory.confirm("深圳巴士集团公共汽车有限公司", "local_transport");
        assert_eq!(classify(&slip, &memory, Model::embedded(), &codes()).source, "memory");
        slip.kind = Some((EvidenceKind::TaxiSlip, 0.4));
        assert_eq!(classify(&slip, &Memory::new(), Model::embedded(), &codes()).source, "model");
    }

    #[test]
    fn only_the_organisations_own_categories_are_proposed() {
        let got =
            classify(&input("Tankstelle Nordtor", &["Diesel"]), &Memory::new(), Model::embedded(), &["meals", OTHER]);
        assert_eq!(got.code, OTHER);
        let got = classify(
            &input("Tankstelle Nordtor", &["Diesel"]),
            &Memory::new(),
            Model::embedded(),
            &["meals", "travel"],
        );
        assert_eq!(got.code, "meals");
        assert!(got.p < 0.5, "{got:?}");
    }

    #[test]
    fn probabilities_are_at_most_one_together() {
        for name in ["Gasthaus Kranichhof", "Qorvent", "滴水出行"] {
            let got = propose(name, &[]);
            let sum = got.p + got.alternatives.iter().map(|(_, p)| p).sum::<f32>();
            assert!((0.0..=1.001).contains(&sum), "{got:?}");
        }
    }
}
