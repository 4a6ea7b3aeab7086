//! Pages and context in, candidates and fields out. Pure: no I/O, no async, no clock.
//!
//! The way through: [`layout`] puts words into segments and rows; [`money`], [`dates`] and [`words`] say what they are;
//! one `find_*` file per field proposes values with features; [`rank`] turns features into probabilities;
//! [`assemble`] makes fields of them.

mod agreement;
mod arithmetic;
mod assemble;
mod brand;
mod capitals;
mod check_digits;
mod cursor;
mod cut_names;
pub mod dates;
mod find_code;
mod find_contact;
mod find_date;
mod find_kind;
mod find_merchant;
mod find_number;
mod find_occurred;
mod find_payment;
mod find_seller;
mod find_structured;
mod find_tax;
mod find_total;
pub mod fold;
mod items;
mod judge_merchant;
pub mod layout;
pub mod learn;
mod legal_names;
mod lexicon;
pub mod model;
mod money;
mod name_context;
mod name_words;
pub mod numbers;
pub mod payloads;
pub mod rank;
mod rates;
mod region;
mod structured_lines;
mod times;
mod upright;
pub mod words;

pub use capitals::parse as capital_amount;

use arithmetic::Sums;
use layout::Layout;
use model::Model;
use money::Mention;
use rank::{Proposal, Ranker};
use region::Region;

use crate::domain::{
    breakdown::Breakdown,
    field::{Candidate, FieldKey, Fields},
    money::Currency,
    page::{Code, Page},
    structured::StructuredValue,
    time::CivilDate,
};

/// What the extractor knows besides the paper.
#[derive(Debug, Clone, PartialEq)]
pub struct Context {
    /// The day the paper was handed in, in the organisation's time zone; dates after it are unlikely.
    pub today: CivilDate,
    /// The organisation's home currency; evidence only, never a silent default.
    pub home_currency: Option<Currency>,
    /// BCP 47 tags in order of preference, e.g. `zh-CN`, `en-GB`; decides 03/04.
    pub locales: Vec<String>,
    /// Merchants the organisation has confirmed, as additional candidates.
    pub known_merchants: Vec<String>,
}

/// What was read of one receipt.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Material {
    /// The pages (or regions of pages) of this receipt.
    pub pages: Vec<Page>,
    /// Codes found on them.
    pub codes: Vec<Code>,
    /// Exact values out of structured data.
    pub values: Vec<StructuredValue>,
}

/// Everything the extractor has to say about one receipt.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Extraction {
    /// The chosen fields with probabilities.
    pub fields: Fields,
    /// All candidates, for pages, statistics and training.
    pub candidates: Vec<Candidate>,
    /// Lines of what was bought and tax per rate.
    pub breakdown: Breakdown,
    /// Probability that total and date are both right, 0 to 1.
    pub p_total_and_date: f32,
}

/// Reads one receipt: the fields with probabilities, evidence and reasons.
pub fn extract(material: &Material, context: &Context) -> Extraction {
    extract_with(Model::embedded(), material, context)
}

/// [`extract`] with another ranker.
pub fn extract_with(ranker: &dyn Ranker, material: &Material, context: &Context) -> Extraction {
    let material = &*find_structured::without_echo(material);
    match upright::view(material) {
        Some((view, turned)) => turned.back(extract_upright(ranker, &view, context)),
        None => extract_upright(ranker, material, context),
    }
}

fn extract_upright(ranker: &dyn Ranker, material: &Material, context: &Context) -> Extraction {
    let sheet = Sheet::new(material, context);
    let mut proposals = sheet.propose(material, context);
    // Tax and net are what add up to the total, so the total is chosen first.
    let total = sure_total(ranker, &proposals);
    let p_total = total.map_or(0.0, |(p, _)| p);
    let total = total.map(|(_, amount)| amount);
    if let Some(total) = total {
        sheet.region.hear_total(&mut proposals, &sheet.layout, &sheet.mentions, total);
    }
    let rates = rates::rows(&sheet.layout, &sheet.mentions, total);
    proposals.extend(find_tax::propose(&sheet.layout, &sheet.mentions, &rates, total, p_total));
    let issued = assemble::most_probable(ranker, FieldKey::Date, &proposals).and_then(|v| v.as_date());
    proposals.extend(find_occurred::propose(&sheet.layout, issued, context.today, sheet.region.day_first));
    if let Some(merchant) = assemble::most_probable(ranker, FieldKey::Merchant, &proposals) {
        proposals.extend(legal_names::legal_name(&merchant.to_string(), &proposals));
    }
    find_structured::keep_silence(&mut proposals, material);
    agreement::mark_print(&mut proposals, material);
    let mut extraction = assemble::assemble(ranker, proposals);
    let total = extraction.fields.get(&FieldKey::Total).and_then(|f| f.value.as_amount());
    // What a document states as data is not read off its print once more.
    extraction.breakdown = structured_lines::breakdown(&material.values);
    if extraction.breakdown.items.is_empty() {
        extraction.breakdown.items = items::find(&sheet.layout, &sheet.mentions, total);
    }
    if extraction.breakdown.taxes.is_empty() {
        extraction.breakdown.taxes = rates::lines(&rates, total);
    }
    extraction
}

/// The total that `ranker` believes in, with its probability.
fn sure_total(ranker: &dyn Ranker, proposals: &[Proposal]) -> Option<(f32, rust_decimal::Decimal)> {
    let (p, value) = assemble::most_probable_with_p(ranker, FieldKey::Total, proposals)?;
    Some((p, value.as_amount()?))
}

/// The proposals for tax, net and tip that follow from the total `ranker` believes in; for training. `proposals` are those
/// of the same material.
pub fn propose_taxes(
    ranker: &dyn Ranker,
    proposals: &[Proposal],
    material: &Material,
    context: &Context,
) -> Vec<Proposal> {
    let total = sure_total(ranker, proposals);
    let of = |material: &Material| {
        let sheet = Sheet::new(material, context);
        let amount = total.map(|(_, amount)| amount);
        let rates = rates::rows(&sheet.layout, &sheet.mentions, amount);
        find_tax::propose(&sheet.layout, &sheet.mentions, &rates, amount, total.map_or(0.0, |(p, _)| p))
    };
    match upright::view(material) {
        Some((view, _)) => of(&view),
        None => of(material),
    }
}

/// Every proposal for the ranked fields with the features a ranker sees; for training and statistics.
pub fn propose(material: &Material, context: &Context) -> Vec<Proposal> {
    match upright::view(material) {
        Some((view, _)) => Sheet::new(&view, context).propose(&view, context),
        None => Sheet::new(material, context).propose(material, context),
    }
}

/// The receipt laid out, with its amounts labelled.
struct Sheet<'a> {
    layout: Layout<'a>,
    mentions: Vec<Mention>,
    sums: Sums,
    region: Region,
}

impl<'a> Sheet<'a> {
    fn new(material: &'a Material, context: &Context) -> Self {
        let layout = Layout::new(&material.pages);
        let mentions = money::collect(&layout);
        let sums = Sums::new(&layout, &mentions);
        let region = Region::new(&layout, context);
        Self { layout, mentions, sums, region }
    }

    fn propose(&self, material: &Material, context: &Context) -> Vec<Proposal> {
        let Self { layout, mentions, sums, region } = self;
        let mut proposals = find_merchant::propose(layout, context.today, &context.known_merchants);
        let dated = find_date::propose(layout, region, context.today);
        proposals.extend(dated.dates);
        proposals.extend(dated.times);
        proposals.extend(find_total::propose(layout, mentions, sums, region));
        proposals.extend(region.currencies.iter().cloned());
        proposals.extend(find_number::propose(layout, context.today));
        proposals.extend(find_seller::buyers(layout));
        proposals.extend(find_payment::propose(layout, mentions));
        proposals.extend(find_kind::propose(layout, mentions, region, &material.pages, context));
        proposals.extend(find_code::propose(&material.codes, mentions, sums));
        proposals.extend(find_structured::propose(&material.values, layout, mentions, context.today));
        if !find_structured::is_all_echo(material) {
            agreement::hear_capitals(&mut proposals, &sums.capitals);
        }
        proposals
    }
}

#[cfg(test)]
mod full_page_tests;
#[cfg(test)]
mod merchant_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod total_tests;
