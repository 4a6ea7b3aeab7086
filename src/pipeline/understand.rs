//! Pure understanding of one receipt: extraction, then the category, with what the organisation knows.

use super::split::Group;
use crate::{
    app::App,
    classify,
    domain::{
        field::{FieldKey, FieldValue},
        finding::InvoiceFacts,
        money::Currency,
        page::Line,
        policy,
        time::{CapturedAt, CivilDate},
    },
    extract::{self, Context, Extraction},
    findings,
    store::{
        StoreError, Tx,
        captures::CaptureRow,
        categories, memory,
        organisation::{self, Organisation},
    },
};

/// Merchants handed to the extractor as candidates; the most recently confirmed ones.
const MAX_KNOWN_MERCHANTS: i64 = 5_000;

/// What the organisation knows, loaded once per capture.
#[derive(Debug, Clone)]
pub struct Knowledge {
    /// For the extractor.
    pub context: Context,
    /// Confirmed merchants and their categories.
    pub memory: classify::Memory,
    /// Codes of the active categories.
    pub categories: Vec<String>,
    /// Drafts go to the reviewers by themselves once required fields are there.
    pub submits_automatically: bool,
}

/// A receipt understood.
#[derive(Debug, Clone)]
pub struct Understood {
    /// Where it stands and what was read.
    pub group: Group,
    /// Its fields, category included.
    pub extraction: Extraction,
    /// What the invoice says of itself beyond its fields.
    pub facts: InvoiceFacts,
    /// All fields that reviewers need are there.
    pub is_complete: bool,
}

impl Knowledge {
    /// What an organisation that knows nothing yet would have; for `vouch read` and `vouch eval`.
    pub fn bare(today: CivilDate, locales: Vec<String>, home_currency: Option<Currency>) -> Self {
        Self {
            context: Context { today, home_currency, locales, known_merchants: Vec::new() },
            memory: classify::Memory::default(),
            categories: crate::domain::category::DEFAULTS.iter().map(|c| c.code.to_owned()).collect(),
            submits_automatically: true,
        }
    }

    /// Loads what bears on this capture.
    pub async fn load(app: &App, capture: &CaptureRow) -> Result<Self, StoreError> {
        let mut tx = app.db.read().await?;
        let organisation = organisation::find(&mut tx).await?;
        let zone = organisation.as_ref().map_or("UTC", |o| o.time_zone.as_str()).to_owned();
        let today = match (capture.captured_at, capture.captured_offset_minutes) {
            (Some(at), Some(offset)) => {
                CapturedAt { at, offset_minutes: i32::try_from(offset).unwrap_or(0) }.local_date()
            }
            _ => capture.created_at.date_in(&zone),
        };
        Self::load_for(&mut tx, organisation.as_ref(), today).await
    }

    async fn load_for(tx: &mut Tx, organisation: Option<&Organisation>, today: CivilDate) -> Result<Self, StoreError> {
        let known_merchants = memory::known_merchants(tx, MAX_KNOWN_MERCHANTS).await?;
        let remembered = memory::list_latest(tx, MAX_KNOWN_MERCHANTS).await?;
        let categories = categories::list(tx, true).await?.into_iter().map(|c| c.code).collect();
        Ok(Self {
            context: Context {
                today,
                home_currency: organisation.map(|o| o.home_currency),
                locales: organisation.map(|o| o.languages.0.clone()).unwrap_or_default(),
                known_merchants,
            },
            memory: recall(remembered),
            categories,
            submits_automatically: organisation.is_none_or(|o| o.submits_automatically),
        })
    }
}

/// Rows come latest first; memory wants the latest confirmation added last, so that it is the one that counts.
fn recall(rows: Vec<memory::Remembered>) -> classify::Memory {
    let mut memory = classify::Memory::new();
    for row in rows.into_iter().rev() {
        memory.add(row.merchant_key, &row.category_code, u32::try_from(row.times).unwrap_or(u32::MAX));
    }
    memory
}

/// Pages in, fields out. No I/O.
pub fn understand(knowledge: &Knowledge, group: &Group) -> Understood {
    let mut extraction = extract::extract(&group.material, &knowledge.context);
    let input = classify_input(group, &extraction);
    let proposal = classify::classify(&input, &knowledge.memory, classify::Model::embedded(), &knowledge.categories);
    extraction.fields.insert(FieldKey::Category, proposal.into_field());
    // A blank picture has a category of nothing; it says nothing and would look like a finding.
    if extraction.fields.len() == 1 {
        extraction.fields.clear();
    }
    let is_complete =
        policy::missing(policy::REQUIRED_TO_SUBMIT, |key| extraction.fields.contains_key(&key)).is_empty();
    let facts = findings::facts_of(&group.material);
    Understood { group: group.clone(), extraction, facts, is_complete }
}

fn classify_input(group: &Group, extraction: &Extraction) -> classify::Input {
    let value = |key| extraction.fields.get(&key).map(|f| &f.value);
    classify::Input {
        merchant: value(FieldKey::Merchant).map(ToString::to_string),
        lines: group.material.pages.iter().flat_map(|page| page.lines.iter().map(Line::text)).collect(),
        time: match value(FieldKey::Time) {
            Some(FieldValue::Time(time)) => Some(*time),
            _ => None,
        },
        amount: value(FieldKey::Total).and_then(FieldValue::as_amount),
        currency: match value(FieldKey::Currency) {
            Some(FieldValue::Currency(currency)) => Some(*currency),
            _ => None,
        },
        kind: extraction
            .fields
            .get(&FieldKey::EvidenceKind)
            .and_then(|field| Some((field.value.to_string().parse().ok()?, field.p))),
    }
}
