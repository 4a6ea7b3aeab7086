//! Several sources speak of one field: structure, codes, the printed text, the amount in capital numerals.
//!
//! Each source's probability is its odds of speaking of this receipt and being read right. Sources that say the same
//! multiply their odds; sources that say different things share one whole, so that a conflict lowers the probability of
//! every side. Nothing is averaged. The chosen value's reasons name who agrees and who does not.

use rust_decimal::Decimal;

use super::{
    Material, find_structured,
    fold::{fold_name, similarity},
    rank::Proposal,
};
use crate::domain::{
    field::{FieldKey, FieldValue},
    page::TextSource,
};

/// Agreement is never certainty: the same machine wrote most of what agrees.
const MOST: f32 = 0.998;
/// A printed value the ranker believes so far contradicts an exact one.
const CONTRADICTS: f32 = 0.8;
/// Below this the ranker does not believe that the exact value's printed twin is this field.
const DISBELIEVED: f32 = 0.1;
/// How far the print is believed at most against a structure.
const PRINT_MOST: f32 = 0.97;
/// How far a recognised print is believed against a code or a structure: recognition takes one digit for another more
/// often than an issuer's machine contradicts its own paper.
const RECOGNISED_MOST: f32 = 0.6;
/// How far the print is believed at least when it shows the same value.
const PRINT_LEAST: f32 = 0.6;
/// How far the capital numerals are believed.
const CAPITALS: f32 = 0.95;
/// Names this similar are one name, read or written twice.
const SAME_NAME: f32 = 0.85;
/// Characters of the other value a reason quotes.
const MAX_QUOTED: usize = 40;

/// What the capital numerals on the paper say of the exact totals.
pub fn hear_capitals(proposals: &mut [Proposal], capitals: &[Decimal]) {
    let Some(first) = capitals.first() else { return };
    let totals = proposals.iter_mut().filter(|p| p.key == FieldKey::Total && is_exact(p));
    for proposal in totals {
        let Some(total) = proposal.value.as_amount() else { continue };
        // A red invoice's capitals say (负数) before the amount, which is not read.
        if capitals.iter().any(|capital| capital.abs() == total.abs()) {
            proposal.features.set("capitals_agree", 1.0);
        } else {
            proposal.features.set("capitals_contradict", 1.0);
            proposal.reasons.push(format!("conflict:capitals={first}"));
        }
    }
}

/// Says of what is printed how it got there: `echo` when it only repeats the structured values and so agrees with nothing,
/// `recognised` when it was read off a picture.
pub fn mark_print(proposals: &mut [Proposal], material: &Material) {
    let echo = find_structured::is_all_echo(material);
    let recognised = material.pages.iter().any(|page| page.source == TextSource::Recognition);
    for proposal in proposals.iter_mut().filter(|p| !is_exact(p)) {
        proposal.features.flag("echo", echo);
        proposal.features.flag("recognised", recognised);
    }
}

/// Whether the proposal comes from a source that knows its value.
fn is_exact(proposal: &Proposal) -> bool {
    proposal.features.get("exact") > 0.0
}

/// A value and everybody who says it.
struct Claim {
    proposal: Proposal,
    /// Who says it: the word after `source:`, or the whole reason of a code.
    sources: Vec<String>,
    /// Natural logarithm of the odds.
    odds: f32,
}

/// Lets exact proposals overrule the ranked ones, by how far their sources agree. `ranked` holds probability and proposal.
pub fn settle(key: FieldKey, ranked: &mut Vec<(f32, Proposal)>) {
    if !ranked.iter().any(|(_, p)| is_exact(p)) {
        return;
    }
    let (exact, mut printed): (Vec<_>, Vec<_>) = std::mem::take(ranked).into_iter().partition(|(_, p)| is_exact(p));
    printed.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut claims = claims_of(key, exact);
    for claim in &mut claims {
        hear_print(key, claim, &mut printed);
    }
    let rival = contradiction(key, &claims, &printed);
    share(key, &mut claims, rival);
    let taken: f32 = claims.iter().map(|c| c.odds).sum::<f32>().min(1.0);
    ranked.extend(printed.into_iter().map(|(p, proposal)| (p * (1.0 - taken), proposal)));
    ranked.extend(claims.into_iter().map(|claim| (claim.odds, claim.proposal)));
}

fn claims_of(key: FieldKey, mut exact: Vec<(f32, Proposal)>) -> Vec<Claim> {
    let belief = |proposal: &Proposal| proposal.features.get("exact");
    exact.sort_by(|a, b| belief(&b.1).total_cmp(&belief(&a.1)));
    let mut claims: Vec<Claim> = Vec::new();
    for (_, proposal) in exact {
        let source = source_of(&proposal);
        let odds = odds(belief(&proposal));
        match claims.iter_mut().find(|claim| is_same(key, &claim.proposal.value, &proposal.value)) {
            Some(claim) if claim.sources.contains(&source) => {}
            Some(claim) => {
                claim.odds += odds;
                claim.proposal.reasons.push(format!("agree:{source}"));
                claim.sources.push(source);
                let has_box = claim.proposal.evidence.iter().any(|e| e.quad.is_some());
                if has_box {
                    claim.proposal.evidence.extend(proposal.evidence);
                } else {
                    claim.proposal.evidence.splice(0..0, proposal.evidence);
                }
            }
            None => claims.push(Claim { sources: vec![source], odds, proposal }),
        }
    }
    for claim in &mut claims {
        if claim.proposal.features.get("capitals_agree") > 0.0 {
            claim.odds += odds(CAPITALS);
            claim.proposal.reasons.push("agree:capitals".to_owned());
        }
    }
    claims
}

fn source_of(proposal: &Proposal) -> String {
    let first = proposal.reasons.first().map_or(proposal.finder, String::as_str);
    first.strip_prefix("source:").unwrap_or(first).to_owned()
}

/// The same value printed on the paper agrees, and lends its box.
fn hear_print(key: FieldKey, claim: &mut Claim, printed: &mut Vec<(f32, Proposal)>) {
    let Some(twin) = printed.iter().position(|(_, p)| is_same(key, &p.value, &claim.proposal.value)) else { return };
    let (p, proposal) = printed.remove(twin);
    if proposal.features.get("echo") == 0.0 {
        claim.odds += odds(p.clamp(PRINT_LEAST, PRINT_MOST));
        claim.proposal.reasons.push("agree:print".to_owned());
    }
    claim.proposal.features.set("print", p);
    claim.proposal.evidence.splice(0..0, proposal.evidence);
    if !matches!(claim.proposal.value, FieldValue::Text(_)) {
        claim.proposal.value = proposal.value;
    }
    let known = claim.proposal.reasons.clone();
    claim.proposal.reasons.extend(proposal.reasons.into_iter().filter(|reason| !known.contains(reason)));
}

/// A printed value that is believed although no exact source says it.
fn contradiction(key: FieldKey, claims: &[Claim], printed: &[(f32, Proposal)]) -> Option<(f32, String)> {
    match key {
        FieldKey::Total
        | FieldKey::Date
        | FieldKey::Currency
        | FieldKey::Tax
        | FieldKey::Net
        | FieldKey::InvoiceNumber => {}
        // A trade name beside the registered one, a second telephone: different is no contradiction.
        FieldKey::Merchant
        | FieldKey::MerchantLegal
        | FieldKey::OccurredOn
        | FieldKey::Time
        | FieldKey::Tip
        | FieldKey::SellerTaxId
        | FieldKey::BuyerTaxId
        | FieldKey::BuyerName
        | FieldKey::Payment
        | FieldKey::CardLast4
        | FieldKey::EvidenceKind
        | FieldKey::Address
        | FieldKey::Phone
        | FieldKey::Category => return None,
    }
    let believed = claims.iter().map(|c| c.proposal.features.get("print")).fold(0.0, f32::max) >= DISBELIEVED;
    let (p, rival) = printed.first().filter(|(p, rival)| *p >= CONTRADICTS && rival.features.get("echo") == 0.0)?;
    let most = if rival.features.get("recognised") > 0.0 { RECOGNISED_MOST } else { PRINT_MOST };
    (!believed).then(|| (odds(p.min(most)), rival.value.to_string()))
}

/// Turns odds into probabilities of one whole that claims, contradictions and "none" share, and names the conflicts.
fn share(key: FieldKey, claims: &mut [Claim], rival: Option<(f32, String)>) {
    let values: Vec<(String, String)> =
        claims.iter().map(|c| (c.sources.first().cloned().unwrap_or_default(), c.proposal.value.to_string())).collect();
    let capitals = claims.iter().any(|c| c.proposal.features.get("capitals_contradict") > 0.0)
        && claims.iter().all(|c| c.proposal.features.get("capitals_agree") == 0.0);
    let capitals_odds = if capitals { Some(odds(CAPITALS)) } else { None };
    let mut all: Vec<f32> = claims.iter().map(|c| c.odds).collect();
    all.extend(rival.as_ref().map(|(odds, _)| *odds));
    all.extend(capitals_odds);
    // Against "none of them", whose odds are one to one.
    let top = all.iter().copied().fold(0.0, f32::max);
    let sum = all.iter().map(|odds| (odds - top).exp()).sum::<f32>() + (-top).exp();
    for (at, claim) in claims.iter_mut().enumerate() {
        claim.odds = ((claim.odds - top).exp() / sum).min(MOST);
        let is_name = matches!(key, FieldKey::Merchant | FieldKey::MerchantLegal | FieldKey::Address | FieldKey::Phone);
        for (_, (source, value)) in values.iter().enumerate().filter(|(other, _)| *other != at && !is_name) {
            claim.proposal.reasons.push(conflict(source, value));
        }
        if let Some((_, value)) = &rival {
            claim.proposal.reasons.push(conflict("print", value));
        }
    }
}

fn conflict(source: &str, value: &str) -> String {
    format!("conflict:{source}={}", value.chars().take(MAX_QUOTED).collect::<String>())
}

fn odds(p: f32) -> f32 {
    let p = p.clamp(0.01, MOST);
    (p / (1.0 - p)).ln()
}

/// Whether two values are one, written differently.
fn is_same(key: FieldKey, a: &FieldValue, b: &FieldValue) -> bool {
    match (a, b) {
        (FieldValue::Amount(a), FieldValue::Amount(b)) => a == b,
        (FieldValue::Text(a), FieldValue::Text(b)) => {
            let (a, b) = (fold_name(a), fold_name(b));
            let is_name = matches!(key, FieldKey::Merchant | FieldKey::MerchantLegal | FieldKey::BuyerName);
            a == b || (is_name && similarity(&a, &b) >= SAME_NAME)
        }
        (a, b) => a == b,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{
            field::Evidence,
            page::{Page, Quad},
            structured::{StructuredSource, StructuredValue},
        },
        extract::rank::Features,
    };

    fn amount(text: &str) -> FieldValue {
        FieldValue::Amount(Decimal::from_str_exact(text).unwrap())
    }

    fn proposal(value: FieldValue, reason: &str, exact: f32) -> Proposal {
        let quad = (exact == 0.0).then(|| Quad::from_edges(0.0, 0.0, 9.0, 9.0));
        Proposal {
            key: FieldKey::Total,
            value,
            evidence: vec![Evidence { page: 0, quad, text: String::new() }],
            finder: "test",
            reasons: vec![reason.to_owned()],
            features: if exact > 0.0 { Features(vec![("exact", exact)]) } else { Features::default() },
        }
    }

    fn stated() -> StructuredValue {
        let (name, text) = ("total".to_owned(), "112.00".to_owned());
        StructuredValue { source: StructuredSource::Cii, name, text, page: None, quad: None }
    }

    #[test]
    fn a_misread_print_weighs_less_than_one_from_a_text_layer() {
        let mut read = vec![proposal(amount("212.00"), "label:合计", 0.0)];
        let page = Page { index: 0, width: 9, height: 9, lines: Vec::new(), source: TextSource::Recognition };
        mark_print(&mut read, &Material { pages: vec![page], ..Material::default() });
        let (p, chosen) =
            settled(vec![(0.0, proposal(amount("112.00"), "code:fapiao", 0.985)), (0.95, read.remove(0))]);
        assert!((0.95..0.98).contains(&p), "{p}");
        assert!(chosen.reasons.contains(&"conflict:print=212.00".to_owned()), "but it is named all the same");
    }

    /// The chosen probability and reasons.
    fn settled(proposals: Vec<(f32, Proposal)>) -> (f32, Proposal) {
        let mut ranked = proposals;
        settle(FieldKey::Total, &mut ranked);
        ranked.into_iter().max_by(|a, b| a.0.total_cmp(&b.0)).unwrap()
    }

    #[test]
    fn one_exact_source_is_believed_as_far_as_it_deserves() {
        let (p, _) = settled(vec![(0.0, proposal(amount("112.00"), "code:fapiao", 0.985))]);
        assert!((p - 0.985).abs() < 1e-3, "{p}");
    }

    #[test]
    fn agreement_raises_the_probability_and_names_everybody() {
        let (p, chosen) = settled(vec![
            (0.0, proposal(amount("112.00"), "source:einvoice_xml", 0.995)),
            (0.0, proposal(amount("112"), "code:fapiao", 0.985)),
            (0.7, proposal(amount("112.00"), "label:合计", 0.0)),
        ]);
        assert!(p > 0.997, "{p}");
        for reason in ["source:einvoice_xml", "agree:code:fapiao", "agree:print"] {
            assert!(chosen.reasons.iter().any(|r| r == reason), "{reason} is not in {:?}", chosen.reasons);
        }
        assert!(chosen.evidence[0].quad.is_some(), "the print lends its box");
    }

    #[test]
    fn a_conflict_lowers_the_probability_is_named_and_never_averaged() {
        let (p, chosen) = settled(vec![
            (0.0, proposal(amount("112.00"), "source:einvoice_xml", 0.985)),
            (0.0, proposal(amount("212.00"), "code:fapiao", 0.985)),
        ]);
        assert!(p < 0.6, "{p}");
        assert!(matches!(chosen.value, FieldValue::Amount(a) if a == Decimal::from(112) || a == Decimal::from(212)));
        assert!(chosen.reasons.iter().any(|r| r.starts_with("conflict:")), "{:?}", chosen.reasons);
    }

    #[test]
    fn a_print_that_is_believed_contradicts_and_one_that_is_not_does_not() {
        let exact = || (0.0, proposal(amount("112.00"), "code:fapiao", 0.985));
        let (p, chosen) = settled(vec![exact(), (0.95, proposal(amount("212.00"), "label:合计", 0.0))]);
        assert!(p < 0.85 && chosen.reasons.contains(&"conflict:print=212.00".to_owned()), "{p} {:?}", chosen.reasons);
        let (p, chosen) = settled(vec![exact(), (0.4, proposal(amount("212.00"), "label:合计", 0.0))]);
        assert!(p > 0.98 && chosen.reasons.len() == 1, "{p} {:?}", chosen.reasons);
    }

    #[test]
    fn capitals_agree_or_contradict() {
        let mut proposals = vec![proposal(amount("112.00"), "code:fapiao", 0.985)];
        hear_capitals(&mut proposals, &[Decimal::from(112)]);
        assert!(settled(vec![(0.0, proposals.remove(0))]).0 > 0.997);
        let mut proposals = vec![proposal(amount("112.00"), "code:fapiao", 0.985)];
        hear_capitals(&mut proposals, &[Decimal::from(212)]);
        let (p, chosen) = settled(vec![(0.0, proposals.remove(0))]);
        assert!(p < 0.8 && chosen.reasons.contains(&"conflict:capitals=212".to_owned()), "{p} {:?}", chosen.reasons);
    }

    #[test]
    fn what_only_repeats_the_structure_does_not_agree_with_it() {
        let mut echo = vec![proposal(amount("112.00"), "label:合计", 0.0)];
        let structured = Material { values: vec![stated()], ..Material::default() };
        mark_print(&mut echo, &structured);
        let (p, chosen) = settled(vec![(0.0, proposal(amount("112.00"), "source:cii", 0.985)), (0.9, echo.remove(0))]);
        assert!(p < 0.99 && !chosen.reasons.contains(&"agree:print".to_owned()));
        assert!(chosen.evidence[0].quad.is_some(), "but it shows where it is written");
    }
}
