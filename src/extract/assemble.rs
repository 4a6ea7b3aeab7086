//! From proposals to fields: the ranker's choice, its alternatives, and one number for total and date together.

use std::collections::BTreeMap;

use super::{
    Extraction, agreement,
    rank::{Proposal, Ranker},
};
use crate::domain::field::{Alternative, Candidate, Field, FieldKey, FieldValue, Fields, MAX_ALTERNATIVES};

/// Candidates kept per field for pages and statistics.
const MAX_CANDIDATES_PER_KEY: usize = 20;
/// A field less probable than this is left empty: the reviewer sees "not found" rather than noise.
const MIN_P: f32 = 0.05;
/// Alternatives less probable than this are not worth a line.
const MIN_ALTERNATIVE_P: f32 = 0.002;

/// Ranks the proposals of every field and chooses.
pub fn assemble(ranker: &dyn Ranker, proposals: Vec<Proposal>) -> Extraction {
    let mut by_key: BTreeMap<FieldKey, Vec<Proposal>> = BTreeMap::new();
    for proposal in proposals {
        by_key.entry(proposal.key).or_default().push(proposal);
    }
    let mut fields = Fields::new();
    let mut candidates = Vec::new();
    for (key, proposals) in by_key {
        let ranked = rank_one(ranker, key, proposals);
        candidates.extend(ranked.iter().take(MAX_CANDIDATES_PER_KEY).map(|(p, proposal)| candidate(proposal, *p)));
        if let Some(field) = choose(key, ranked) {
            fields.insert(key, field);
        }
    }
    let p = |key| fields.get(&key).map(|f: &Field| f.p);
    let p_total_and_date = ranker.joint(p(FieldKey::Total), p(FieldKey::Date));
    Extraction { fields, candidates, p_total_and_date, ..Extraction::default() }
}

/// The value `ranker` thinks most probable for `key`, when it is chosen at all.
pub fn most_probable(ranker: &dyn Ranker, key: FieldKey, proposals: &[Proposal]) -> Option<FieldValue> {
    most_probable_with_p(ranker, key, proposals).map(|(_, value)| value)
}

/// [`most_probable`] with its probability.
pub fn most_probable_with_p(ranker: &dyn Ranker, key: FieldKey, proposals: &[Proposal]) -> Option<(f32, FieldValue)> {
    let own: Vec<Proposal> = proposals.iter().filter(|p| p.key == key).cloned().collect();
    rank_one(ranker, key, own).into_iter().next().filter(|(p, _)| *p >= MIN_P).map(|(p, best)| (p, best.value))
}

/// Proposals with calibrated probabilities, most probable first.
fn rank_one(ranker: &dyn Ranker, key: FieldKey, proposals: Vec<Proposal>) -> Vec<(f32, Proposal)> {
    let mut ranked = rank_raw(ranker, key, proposals);
    ranker.calibrate(key, &mut ranked);
    agreement::settle(key, &mut ranked);
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
    ranked
}

/// Proposals with the ranker's own probabilities, most probable first. Fields without a trained ranker carry theirs as
/// feature `p`.
pub(super) fn rank_raw(ranker: &dyn Ranker, key: FieldKey, proposals: Vec<Proposal>) -> Vec<(f32, Proposal)> {
    // Exact sources do not compete with what is printed; they overrule it afterwards.
    let (exact, proposals): (Vec<Proposal>, Vec<Proposal>) = proposals.into_iter().partition(is_exact);
    let ps: Vec<f32> = match key {
        FieldKey::Total | FieldKey::Date | FieldKey::Merchant => ranker.rank(key, &proposals),
        _ => proposals.iter().map(|p| p.features.get("p")).collect(),
    };
    let mut ranked: Vec<(f32, Proposal)> =
        ps.into_iter().map(|p| if p.is_finite() { p.clamp(0.0, 1.0) } else { 0.0 }).zip(proposals).collect();
    ranked.extend(exact.into_iter().map(|p| (0.0, p)));
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
    ranked
}

/// Whether the proposal comes from a source that knows its value, such as a code.
pub(super) fn is_exact(proposal: &Proposal) -> bool {
    proposal.features.get("exact") > 0.0
}

fn candidate(proposal: &Proposal, p: f32) -> Candidate {
    Candidate {
        key: proposal.key,
        value: proposal.value.clone(),
        evidence: proposal.evidence.clone(),
        finder: proposal.finder,
        score: p,
        reasons: proposal.reasons.clone(),
    }
}

fn choose(key: FieldKey, ranked: Vec<(f32, Proposal)>) -> Option<Field> {
    let mut ranked = ranked.into_iter();
    let (p, best) = ranked.next().filter(|(p, _)| *p >= MIN_P)?;
    let alternatives = ranked
        .take(MAX_ALTERNATIVES)
        .filter(|(p, _)| *p >= MIN_ALTERNATIVE_P)
        .map(|(p, other)| Alternative {
            value: other.value.to_string(),
            p,
            evidence: other.evidence.into_iter().next(),
        })
        .collect();
    Some(Field {
        key,
        value: best.value,
        p,
        evidence: best.evidence.into_iter().next(),
        source: best.finder.to_owned(),
        reasons: best.reasons,
        alternatives,
    })
}
