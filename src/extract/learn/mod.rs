//! Training of the ranker and of its calibration, from receipts of which people said what is on them.
//!
//! Pure and deterministic: the same receipts in the same order give the same model. What a model says about a receipt
//! it was trained on means nothing, so everything that is measured or calibrated comes from [`cross_validate`].

pub mod boost;
pub mod linear;
pub mod truth;

use std::collections::{BTreeMap, BTreeSet};

pub use super::brand::is_brand;
use boost::{Query, Table};
pub use truth::Truth;

use super::{
    Context, Material, assemble,
    model::{
        self, Model, Scorer,
        calibrate::{Calibration, joint_signs, signs},
    },
    propose,
    rank::{Features, Proposal, Ranker as _},
};
use crate::domain::field::FieldKey;

/// Fields whose proposals compete in a trained ranker.
pub const RANKED: [FieldKey; 3] = [FieldKey::Total, FieldKey::Date, FieldKey::Merchant];
/// Fields that state a finder's own probability; it is calibrated where enough labels are there.
const RATED: [FieldKey; 5] =
    [FieldKey::Currency, FieldKey::Tax, FieldKey::Net, FieldKey::InvoiceNumber, FieldKey::Time];
/// Fields whose finders ask more of arithmetic and labels than of the very characters: typed text shows as well as recognised
/// text how often they are right.
pub const TYPED_TOO: [FieldKey; 3] = [FieldKey::Tax, FieldKey::Net, FieldKey::InvoiceNumber];
/// A column is kept when it is set on proposals of this many receipts; fewer say nothing about other receipts.
const MIN_RECEIPTS: usize = 6;
/// L2 penalty of the linear part.
const PENALTY: f32 = 2.0;
/// L2 penalty of a calibration.
const CALIBRATION_PENALTY: f32 = 1.0;
/// Answers needed to calibrate a field: two or three weights, held by a penalty, are fitted to them.
const MIN_ANSWERS: usize = 60;

/// A receipt with what people say is on it.
#[derive(Debug, Clone)]
pub struct Example {
    /// What was read.
    pub material: Material,
    /// What is right.
    pub truth: Truth,
    /// How much it counts in training, 1 for an ordinary receipt.
    pub weight: f32,
    /// Its characters were recognised from pixels: only these show how sure recognition is, so only these calibrate.
    pub is_recognised: bool,
}

/// An example with its proposals, made once and used in every fold.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// Proposals per field.
    pub proposals: BTreeMap<FieldKey, Vec<Proposal>>,
    /// The merchant's proposals when names of other receipts are known besides; empty when none is printed here.
    pub with_known: Vec<Proposal>,
    /// What is right.
    pub truth: Truth,
    weight: f32,
    is_recognised: bool,
    /// What was read and what was known of it, where tax or net are labelled: they follow from the total a model chooses.
    taxed: Option<Box<(Material, Context)>>,
}

/// Settings of a training.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Trees, per ranked field; the usual ones unless named.
    pub trees: BTreeMap<FieldKey, boost::Settings>,
}

/// Makes the proposals of an example. `known` are merchants of other receipts.
pub fn prepare(example: &Example, context: &Context, known: &[String]) -> Prepared {
    let mut proposals: BTreeMap<FieldKey, Vec<Proposal>> = BTreeMap::new();
    // Exact sources do not compete, so there is nothing to learn from them.
    for proposal in propose(&example.material, context).into_iter().filter(|p| !assemble::is_exact(p)) {
        proposals.entry(proposal.key).or_default().push(proposal);
    }
    let is_taxed = [FieldKey::Tax, FieldKey::Net].iter().any(|key| example.truth.is_labelled(*key));
    let taxed = is_taxed.then(|| Box::new((example.material.clone(), context.clone())));
    let context = Context { known_merchants: known.to_vec(), ..context.clone() };
    let mut with_known: Vec<Proposal> = if known.is_empty() {
        Vec::new()
    } else {
        propose(&example.material, &context).into_iter().filter(|p| p.key == FieldKey::Merchant).collect()
    };
    if with_known.iter().all(|p| p.features.get("known") <= 0.0) {
        with_known.clear();
    }
    Prepared {
        proposals,
        with_known,
        truth: example.truth.clone(),
        weight: example.weight,
        is_recognised: example.is_recognised,
        taxed,
    }
}

impl Prepared {
    /// The proposals for `key` when `model` reads the receipt.
    fn proposals_of(&self, model: &Model, key: FieldKey) -> Option<Vec<Proposal>> {
        if !matches!(key, FieldKey::Tax | FieldKey::Net) {
            return self.proposals.get(&key).cloned();
        }
        let (material, context) = &**self.taxed.as_ref()?;
        let totals = self.proposals.get(&FieldKey::Total).map_or(&[][..], Vec::as_slice);
        let all = super::propose_taxes(model, totals, material, context);
        Some(all.into_iter().filter(|p| p.key == key).collect())
    }
}

/// Fits scorers, without calibration.
pub fn fit(examples: &[&Prepared], settings: &Settings) -> Model {
    let mut model = Model { version: model::VERSION, ..Model::default() };
    for key in RANKED {
        let table = table(examples, key);
        let (weights, none) = linear::fit(&table, PENALTY);
        let mut scorer = Scorer { columns: table.columns.clone(), weights, none, trees: Vec::new() };
        let scores: Vec<f32> = table.rows.iter().map(|row| scorer.score(row)).collect();
        let usual = boost::Settings::default();
        scorer.trees = boost::grow(&table, &scores, none, settings.trees.get(&key).unwrap_or(&usual));
        model.fields.insert(key, scorer);
    }
    model
}

fn table(examples: &[&Prepared], key: FieldKey) -> Table {
    let empty = Vec::new();
    let mut groups: Vec<(&Prepared, &[Proposal], f32)> = Vec::new();
    for example in examples.iter().filter(|e| e.truth.is_labelled(key)) {
        let own = example.proposals.get(&key).unwrap_or(&empty).as_slice();
        if key == FieldKey::Merchant && !example.with_known.is_empty() {
            groups.push((example, own, example.weight / 2.0));
            groups.push((example, &example.with_known, example.weight / 2.0));
        } else {
            groups.push((example, own, example.weight));
        }
    }
    let mut counts: BTreeMap<&'static str, usize> = BTreeMap::new();
    for (_, proposals, _) in &groups {
        let names: BTreeSet<&'static str> =
            proposals.iter().flat_map(|p| p.features.0.iter().map(|(name, _)| *name)).collect();
        for name in names {
            *counts.entry(name).or_default() += 1;
        }
    }
    let columns: Vec<String> =
        counts.into_iter().filter(|(_, n)| *n >= MIN_RECEIPTS).map(|(name, _)| name.to_owned()).collect();
    let mut out = Table { columns, ..Table::default() };
    let layout = Scorer { columns: out.columns.clone(), ..Scorer::default() };
    for (example, proposals, weight) in groups {
        let start = out.rows.len();
        // Of several right ones (a name with and without its branch) the one most alike is wanted.
        let marks = example.truth.marks(key, proposals);
        for (proposal, right) in proposals.iter().zip(marks) {
            out.rows.push(layout.row(&proposal.features));
            out.right.push(right);
        }
        out.queries.push(Query { rows: start..out.rows.len(), weight });
    }
    out
}

/// What a model that was not trained on a receipt answers for one of its fields.
#[derive(Debug, Clone)]
struct Answer {
    example: usize,
    signs: Features,
    right: bool,
}

fn answers(model: &Model, examples: &[Prepared], at: usize, key: FieldKey) -> Option<Answer> {
    let example = &examples[at];
    if !example.is_recognised && !TYPED_TOO.contains(&key) {
        return None;
    }
    let ranked = assemble::rank_raw(model, key, example.proposals_of(model, key)?);
    let right = example.truth.judge(key, &ranked.first()?.1.value)?;
    Some(Answer { example: at, signs: signs(key, &ranked)?, right })
}

fn calibrate(answers: &[&Answer]) -> Option<Calibration> {
    if answers.len() < MIN_ANSWERS {
        return None;
    }
    let names: BTreeSet<&'static str> = answers.iter().flat_map(|a| a.signs.0.iter().map(|(name, _)| *name)).collect();
    let rows: Vec<Vec<f32>> = answers.iter().map(|a| names.iter().map(|name| a.signs.get(name)).collect()).collect();
    let right: Vec<bool> = answers.iter().map(|a| a.right).collect();
    let (base, weights) = linear::logistic(&rows, &right, CALIBRATION_PENALTY);
    let weights = names.into_iter().map(ToOwned::to_owned).zip(weights).collect();
    Some(Calibration { base, weights })
}

/// Models for receipts they were not trained on.
#[derive(Debug, Clone)]
pub struct CrossValidated {
    /// One model per fold, trained and calibrated on the other folds.
    pub models: Vec<Model>,
    /// Calibrations from all folds, for a model trained on everything.
    calibrations: BTreeMap<FieldKey, Calibration>,
    joint: Calibration,
}

/// Trains one model per fold on the other folds. `fold` says which one each example is in; receipts that know each other
/// (the same paper, or the same merchant) must share theirs.
pub fn cross_validate(examples: &[Prepared], fold: &[usize], settings: &Settings) -> CrossValidated {
    let folds = fold.iter().max().map_or(0, |most| most + 1);
    let mut models: Vec<Model> = (0..folds)
        .map(|own| {
            let others: Vec<&Prepared> =
                examples.iter().zip(fold).filter(|(_, f)| **f != own).map(|(e, _)| e).collect();
            fit(&others, settings)
        })
        .collect();
    let mut calibrations = BTreeMap::new();
    for key in RANKED.into_iter().chain(RATED) {
        let all: Vec<Answer> =
            (0..examples.len()).filter_map(|at| answers(&models[fold[at]], examples, at, key)).collect();
        for (own, model) in models.iter_mut().enumerate() {
            let others: Vec<&Answer> = all.iter().filter(|a| fold[a.example] != own).collect();
            if let Some(calibration) = calibrate(&others) {
                model.calibrations.insert(key, calibration);
            }
        }
        if let Some(calibration) = calibrate(&all.iter().collect::<Vec<_>>()) {
            calibrations.insert(key, calibration);
        }
    }
    let both: Vec<Answer> =
        (0..examples.len()).filter_map(|at| joint_answer(&models[fold[at]], examples, at)).collect();
    let fallback = || Calibration { base: 0.0, weights: vec![("logit".to_owned(), 1.0)] };
    for (own, model) in models.iter_mut().enumerate() {
        let others: Vec<&Answer> = both.iter().filter(|a| fold[a.example] != own).collect();
        model.joint = calibrate(&others).unwrap_or_else(fallback);
    }
    let joint = calibrate(&both.iter().collect::<Vec<_>>()).unwrap_or_else(fallback);
    CrossValidated { models, calibrations, joint }
}

fn joint_answer(model: &Model, examples: &[Prepared], at: usize) -> Option<Answer> {
    let example = &examples[at];
    if !example.is_recognised {
        return None;
    }
    let best = |key: FieldKey| {
        let mut ranked = assemble::rank_raw(model, key, example.proposals.get(&key)?.clone());
        model.calibrate(key, &mut ranked);
        let (p, first) = ranked.into_iter().next()?;
        Some((p, example.truth.judge(key, &first.value)?))
    };
    let (total, date) = (best(FieldKey::Total)?, best(FieldKey::Date)?);
    Some(Answer { example: at, signs: joint_signs(total.0, date.0), right: total.1 && date.1 })
}

/// The model to ship: trained on everything, calibrated on what the folds' models said of receipts they did not know.
pub fn finish(examples: &[Prepared], validated: &CrossValidated, settings: &Settings) -> Model {
    let all: Vec<&Prepared> = examples.iter().collect();
    let mut model = fit(&all, settings);
    model.calibrations.clone_from(&validated.calibrations);
    model.joint = validated.joint.clone();
    model
}

#[cfg(test)]
mod tests;
