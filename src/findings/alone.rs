//! What one receipt says about itself: sums, capitals, buyer, age. Pure.

use rust_decimal::Decimal;

use super::{
    subject::Subject,
    tax_id::{is_person, is_valid, name_key, normal},
};
use crate::{
    domain::{
        field::FieldKey as F,
        finding::{Finding, FindingKind as K, VerificationOutcome},
        receipt::EvidenceKind,
    },
    extract::fold::similarity,
    store::{findings::VerificationRow, organisation::LegalEntity},
};

/// What rounding per article may add up to.
const CENT: Decimal = Decimal::from_parts(1, 0, 0, false, 2);
/// Articles round one by one.
const ITEMS_TOLERANCE: Decimal = Decimal::from_parts(5, 0, 0, false, 2);
/// Rates Chinese value-added tax has had since 2009, in tenths of a per cent.
const LEGAL_RATES: [i64; 13] = [0, 5, 10, 15, 30, 40, 50, 60, 90, 100, 110, 130, 160];
/// 17 % until April 2018.
const OLD_RATE: i64 = 170;
/// Days after which organisations no longer pay.
const MAX_AGE_DAYS: i64 = 365;
/// Clocks and time zones differ by a day.
const FUTURE_DAYS: i64 = 1;
/// Names this similar are the entity's, misread or misspelt.
const NEAR_NAME: f32 = 0.8;

/// Every check that needs no other receipt.
pub fn check(subject: &Subject, entities: &[LegalEntity], verified: Option<&VerificationRow>) -> Vec<Finding> {
    let mut out = Vec::new();
    conflicts(subject, &mut out);
    sums(subject, &mut out);
    capitals(subject, &mut out);
    rates(subject, &mut out);
    if subject.is_chinese_invoice() {
        buyer(subject, entities, &mut out);
        tax_ids(subject, &mut out);
        verification(subject, verified, &mut out);
    }
    age(subject, &mut out);
    out
}

fn conflicts(subject: &Subject, out: &mut Vec<Finding>) {
    let mut keys: Vec<F> = subject.conflicts.iter().map(|(key, _)| *key).collect();
    keys.dedup();
    for key in keys {
        let said: Vec<serde_json::Value> =
            subject.conflicts.iter().filter(|(k, _)| *k == key).map(|(_, what)| what.as_str().into()).collect();
        let chosen = subject.value(key).unwrap_or("");
        out.push(
            Finding::new(K::SourcesDisagree).with("field", key.as_str()).with("chosen", chosen).with("others", said),
        );
    }
}

fn sums(subject: &Subject, out: &mut Vec<Finding>) {
    let (total, net, tax) = (subject.total, subject.amount(F::Net), subject.amount(F::Tax));
    // An air ticket's total holds levies that are neither net nor tax; abroad a tip or a deposit may be in it.
    let is_fapiao = matches!(
        subject.kind,
        Some(EvidenceKind::SpecialFapiao | EvidenceKind::OrdinaryFapiao | EvidenceKind::RailTicket)
    );
    if let (true, Some(total), Some(net), Some(tax)) = (is_fapiao, total, net, tax) {
        let difference = total - net - tax;
        if difference.abs() > CENT {
            out.push(
                Finding::new(K::SumsDoNotAddUp)
                    .with("net", net.to_string())
                    .with("tax", tax.to_string())
                    .with("total", total.to_string())
                    .with("difference", difference.to_string()),
            );
        }
    }
    let parse = |text: &Option<String>| text.as_deref().and_then(|t| Decimal::from_str_exact(t).ok());
    for (items, stated, what) in
        [(parse(&subject.facts.items_net), net, "net"), (parse(&subject.facts.items_tax), tax, "tax")]
    {
        if let (Some(items), Some(stated)) = (items, stated)
            && (items - stated).abs() > ITEMS_TOLERANCE
            && is_fapiao
        {
            let finding = Finding::new(K::ItemsDoNotAddUp);
            out.push(finding.with("of", what).with("items", items.to_string()).with("stated", stated.to_string()));
        }
    }
}

fn capitals(subject: &Subject, out: &mut Vec<Finding>) {
    let capitals = subject.facts.capitals.as_deref().and_then(|t| Decimal::from_str_exact(t).ok());
    if let (Some(capitals), Some(total)) = (capitals, subject.total)
        && capitals.abs() != total.abs()
    {
        out.push(
            Finding::new(K::CapitalsDiffer).with("capitals", capitals.to_string()).with("total", total.to_string()),
        );
    }
}

fn rates(subject: &Subject, out: &mut Vec<Finding>) {
    if !subject.is_chinese_invoice() {
        return;
    }
    for rate in &subject.facts.rates {
        // 免税, 不征税 and *** are no numbers.
        let Some(percent) = rate.strip_suffix('%').and_then(|t| Decimal::from_str_exact(t).ok()) else { continue };
        let tenths = percent * Decimal::from(10);
        let legal = LEGAL_RATES.iter().chain([&OLD_RATE]).any(|known| Decimal::from(*known) == tenths);
        if !legal {
            out.push(Finding::new(K::TaxRateUnusual).with("rate", rate.as_str()));
        }
    }
}

fn buyer(subject: &Subject, entities: &[LegalEntity], out: &mut Vec<Finding>) {
    let Some(name) = subject.value(F::BuyerName) else {
        // Tickets are often bought without naming a company; invoices are not.
        if matches!(subject.kind, Some(EvidenceKind::SpecialFapiao)) {
            out.push(Finding::new(K::BuyerMissing));
        }
        return;
    };
    if is_person(name) {
        out.push(Finding::new(K::BuyerIsPerson).with("buyer", name));
        return;
    }
    if entities.is_empty() {
        return;
    }
    let key = name_key(name);
    let number = subject.value(F::BuyerTaxId).map(normal);
    let Some(entity) = entities.iter().find(|entity| name_key(&entity.name) == key) else {
        let score = |entity: &LegalEntity| similarity(&name_key(&entity.name), &key);
        let nearest = entities.iter().max_by(|a, b| score(a).total_cmp(&score(b)));
        let mut finding = Finding::new(K::BuyerNameDiffers).with("buyer", name);
        if let Some(near) = nearest.filter(|near| score(near) >= NEAR_NAME) {
            finding = finding.with("expected", near.name.as_str());
        }
        out.push(finding);
        return;
    };
    if let (Some(expected), Some(stated)) = (entity.tax_id.as_deref().map(normal), number)
        && expected != stated
    {
        out.push(Finding::new(K::BuyerTaxIdDiffers).with("stated", stated).with("expected", expected));
    }
}

fn tax_ids(subject: &Subject, out: &mut Vec<Finding>) {
    for (key, who) in [(F::BuyerTaxId, "buyer"), (F::SellerTaxId, "seller")] {
        if let Some(number) = subject.value(key)
            && is_valid(number) == Some(false)
        {
            out.push(Finding::new(K::TaxIdInvalid).with("whose", who).with("number", number));
        }
    }
}

fn age(subject: &Subject, out: &mut Vec<Finding>) {
    let Some(issued) = subject.issued_on else { return };
    let handed_in = subject.handed_in_on;
    let days = issued.until(handed_in).map_or(0, |span| i64::from(span.get_days()));
    if days < -FUTURE_DAYS {
        out.push(Finding::new(K::FutureDate).with("days", -days));
    } else if days > MAX_AGE_DAYS {
        out.push(Finding::new(K::OverAge).with("days", days));
    } else if issued.year() < handed_in.year() {
        out.push(Finding::new(K::CrossYear).with("year", i64::from(issued.year())));
    }
}

/// What the tax bureau said. Without an answer an invoice is not verified, however well it reads.
fn verification(subject: &Subject, verified: Option<&VerificationRow>, out: &mut Vec<Finding>) {
    let Some(row) = verified else {
        out.push(Finding::new(K::NotVerified));
        return;
    };
    let kind = match row.outcome {
        VerificationOutcome::Genuine => K::Verified,
        // That a red invoice cancelled it is expected of a pair that both were filed.
        VerificationOutcome::Cancelled if subject.facts.is_red => K::Verified,
        VerificationOutcome::Cancelled
        | VerificationOutcome::Mismatched
        | VerificationOutcome::Voided
        | VerificationOutcome::NotFound => K::VerificationFailed,
    };
    let finding = Finding::new(kind).with("outcome", row.outcome.as_str()).with("on", row.checked_on.to_string());
    out.push(finding.with("source", row.source.as_str()));
}
