//! Trains the category model: Adagrad on a softmax, deterministic, seconds on one core.

use std::collections::BTreeMap;

use crate::classify::Input;
use crate::classify::brands::Brands;
use crate::classify::chance::Chance;
use crate::classify::features::{self, BRAND_END, BRAND_WHOLE, BUCKETS, CLASSES, Features, hash};
use crate::classify::lexicon;
use crate::classify::model::{Model, softmax};
use crate::classify::score::Confusion;
use crate::classify::text::merchant_key;

/// One labelled receipt (or what is known of one).
#[derive(Debug, Clone, PartialEq)]
pub struct Example {
    /// What is known.
    pub input: Input,
    /// The right category, an index into [`lexicon::WORDS`].
    pub category: usize,
    /// Examples of one group are trained on together or not at all.
    pub group: String,
    /// A real brand's name rather than a written example; held-out figures count these.
    pub is_brand: bool,
}

/// A brand and its OSM kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brand {
    /// The name.
    pub name: String,
    /// The kind's value, e.g. `hotel`.
    pub kind: String,
    /// Category index.
    pub category: usize,
}

/// How to train.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Seeds order and drop-out.
    pub seed: u64,
    /// Passes over the examples.
    pub epochs: u32,
    /// Adagrad's step.
    pub rate: f32,
    /// L2 penalty on every touched weight.
    pub l2: f32,
    /// How often brand knowledge is hidden from an example.
    pub hide_brand: f32,
    /// Share of each category among receipts, in the order of the classes.
    pub prior: [f32; CLASSES],
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            seed: 1,
            epochs: 4,
            rate: 0.25,
            l2: 2e-6,
            hide_brand: 0.5,
            // What reps hand in, by judgement: no data of theirs was used.
            prior: [0.30, 0.06, 0.03, 0.03, 0.05, 0.03, 0.06, 0.05, 0.03, 0.06, 0.02, 0.02, 0.02, 0.04, 0.20],
        }
    }
}

/// A model and what it does with brands it has not seen.
#[derive(Debug, Clone, PartialEq)]
pub struct Trained {
    /// The model, trained on everything.
    pub model: Model,
    /// Held-out brand names, judged by a model trained without them.
    pub held_out: Confusion,
}

/// One group in this many is held out.
const HOLD_OUT: u64 = 5;

/// Trains on four fifths, fits the temperature and measures on the rest, then trains on all.
pub fn train(examples: &[Example], brands: &[Brand], settings: &Settings) -> Trained {
    let is_held_out = |group: &str| hash(b'H', &[group]).is_multiple_of(HOLD_OUT);
    let known: Vec<Brand> = brands.iter().filter(|b| !is_held_out(&merchant_key(&b.name))).cloned().collect();
    let table = brand_table(&known);
    let (kept, held): (Vec<&Example>, Vec<&Example>) = examples.iter().partition(|e| !is_held_out(&e.group));
    let first = fit(&kept, &table, settings);
    let judged: Vec<(Vec<f32>, &Example)> =
        held.iter().filter(|e| e.is_brand).map(|e| (first.logits(&features::of(&e.input, &table)), *e)).collect();
    let temperature = fit_temperature(&judged, &settings.prior);
    let mut held_out = Confusion::new();
    for (logits, example) in &judged {
        let p = softmax(logits, temperature);
        let (code, p) = crate::classify::decide(&p, crate::classify::MIN_P);
        held_out.add(lexicon::WORDS[example.category].0, lexicon::WORDS[code].0, p);
    }
    let table = brand_table(brands);
    let weights = fit(&examples.iter().collect::<Vec<_>>(), &table, settings);
    Trained {
        model: Model::from_weights(weights.0.as_flattened(), temperature, examples.len() as u32, table),
        held_out,
    }
}

fn brand_table(brands: &[Brand]) -> Brands {
    let kinds: BTreeMap<(&str, usize), u16> = brands.iter().map(|b| ((b.kind.as_str(), b.category), 0)).collect();
    let kinds: BTreeMap<_, u16> = kinds.into_keys().zip(0..).collect();
    let listed = kinds.keys().map(|(kind, category)| ((*kind).to_owned(), *category)).collect();
    Brands::new(listed, brands.iter().map(|b| (b.name.as_str(), kinds[&(b.kind.as_str(), b.category)])))
}

/// One row of class weights per feature.
struct Weights(Vec<[f32; CLASSES]>);

impl Weights {
    fn logits(&self, features: &Features) -> Vec<f32> {
        let mut out = vec![0.0; CLASSES];
        self.add_logits(features.values.iter().copied(), &mut out);
        out
    }

    fn add_logits(&self, values: impl Iterator<Item = (u32, f32)>, out: &mut [f32]) {
        for (index, value) in values {
            for (sum, w) in out.iter_mut().zip(&self.0[index as usize]) {
                *sum += value * w;
            }
        }
    }
}

/// Rare categories count more and common ones less, part of the way towards the prior.
const TOWARDS_PRIOR: f32 = 1.0;

fn class_weights(categories: impl Iterator<Item = usize>, prior: &[f32; CLASSES]) -> [f32; CLASSES] {
    let mut counts = [1.0_f32; CLASSES];
    for category in categories {
        counts[category] += 1.0;
    }
    let all: f32 = counts.iter().sum();
    std::array::from_fn(|i| (prior[i] / (counts[i] / all)).powf(TOWARDS_PRIOR).clamp(0.02, 8.0))
}

fn fit(examples: &[&Example], brands: &Brands, settings: &Settings) -> Weights {
    let rows: Vec<Features> = examples.iter().map(|e| features::of(&e.input, brands)).collect();
    let importance = class_weights(examples.iter().map(|e| e.category), &settings.prior);
    let mut weights = Weights(vec![[0.0; CLASSES]; BUCKETS]);
    let mut squares = vec![[1e-3_f32; CLASSES]; BUCKETS];
    let mut chance = Chance::new(settings.seed);
    let mut order: Vec<usize> = (0..rows.len()).collect();
    for _ in 0..settings.epochs {
        chance.shuffle(&mut order);
        for &at in &order {
            let hidden = chance.share() < settings.hide_brand;
            let shown = |&&(index, _): &&(u32, f32)| !(hidden && (BRAND_WHOLE..BRAND_END).contains(&(index as usize)));
            let mut p = vec![0.0; CLASSES];
            weights.add_logits(rows[at].values.iter().filter(shown).copied(), &mut p);
            let mut slope = softmax(&p, 1.0);
            slope[examples[at].category] -= 1.0;
            let importance = importance[examples[at].category];
            for &(index, value) in rows[at].values.iter().filter(shown) {
                let (row, squares) = (&mut weights.0[index as usize], &mut squares[index as usize]);
                for ((w, square), d) in row.iter_mut().zip(squares).zip(&slope) {
                    let g = importance * d * value + settings.l2 * *w;
                    *square += g * g;
                    *w -= settings.rate * g / square.sqrt();
                }
            }
        }
    }
    weights
}

/// The temperature with the least weighted log loss, by golden-section search.
fn fit_temperature(judged: &[(Vec<f32>, &Example)], prior: &[f32; CLASSES]) -> f32 {
    let importance = class_weights(judged.iter().map(|(_, e)| e.category), prior);
    let loss = |t: f32| -> f32 {
        judged.iter().map(|(l, e)| -importance[e.category] * softmax(l, t)[e.category].max(1e-6).ln()).sum()
    };
    let ratio = 0.618_034;
    let (mut low, mut high) = (0.4_f32, 6.0_f32);
    for _ in 0..24 {
        let (a, b) = (high - ratio * (high - low), low + ratio * (high - low));
        if loss(a) < loss(b) {
            high = b;
        } else {
            low = a;
        }
    }
    f32::midpoint(low, high)
}
