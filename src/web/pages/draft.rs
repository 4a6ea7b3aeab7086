//! The draft page: the picture with the evidence beside the fields. Reviewers live here.

use askama::Template;
use rust_decimal::Decimal;

use super::{
    field::{FieldView, Step},
    html::{self, Html},
    shell::{Choice, Problem, Shell, VisitOption, VisitView},
    trips::TripLine,
};
use crate::{
    domain::{
        breakdown::{Breakdown, LineItem, TaxLine},
        capture::Channel,
        draft::DraftState,
        field::{FieldKey, FieldValue},
        finding::VerificationOutcome,
        ids::ReceiptId,
        money::Currency,
        page::Quad,
        receipt::{EvidenceKind, PaymentMethod},
        time::Timestamp,
    },
    web::i18n::format,
};

/// `GET /drafts/{id}`. Without scripts the form posts `csrf`, `revision`, `next`, one input per field named by its key,
/// `visit` and `action` (`save`, `confirm`, `return`, `reject`, `submit`, `withdraw`, `reopen`) with `reason` to the same address.
/// With scripts: `PATCH /api/v1/drafts/{id}` and `POST /api/v1/drafts/{id}/{action}`.
#[derive(Debug, Clone, Template)]
#[template(path = "draft.html")]
pub struct DraftPage {
    /// The frame.
    pub shell: Shell,
    /// The receipt.
    pub id: ReceiptId,
    /// Where it stands.
    pub state: DraftState,
    /// The revision this page shows.
    pub revision: i64,
    /// Why it was returned or rejected.
    pub reason: Option<String>,
    /// Whose it is.
    pub owner: String,
    /// Who handed it in, when that was someone else.
    pub captured_by: Option<String>,
    /// When it came in.
    pub captured_at: Timestamp,
    /// How it came in.
    pub channel: Channel,
    /// The message it came with, when the viewer may read that.
    pub mail_url: Option<String>,
    /// The rep's note.
    pub note: Option<String>,
    /// Pictures of its pages.
    pub pages: Vec<PageView>,
    /// The documents it is made of; worth showing when there are several.
    pub documents: Vec<DocumentView>,
    /// Fields in the order people read them, category not among them; see [`SHOWN`].
    pub fields: Vec<FieldView>,
    /// Lines of what was bought and tax per rate, as read.
    pub breakdown: Breakdown,
    /// The category.
    pub category: FieldView,
    /// Categories to choose from (value: code, label: name in the page's language).
    pub categories: Vec<Choice>,
    /// The visit.
    pub visit: VisitView,
    /// Visits of the owner to choose from; must contain the chosen one.
    pub visits: Vec<VisitOption>,
    /// Probability that total and date are both right, while it is a proposal.
    pub p: Option<f32>,
    /// Codes of what to look out for: `flag.{code}`.
    pub flags: Vec<String>,
    /// Codes of what the reader noticed: sentences by [`Shell::warning`].
    pub warnings: Vec<String>,
    /// What checks noticed, most important first.
    pub findings: Vec<FindingLine>,
    /// Machine-readable codes on the paper: what kind, and the payload as it was read.
    pub codes: Vec<CodeLine>,
    /// The trip around it, by its beginning.
    pub trips: Vec<TripLine>,
    /// What the viewer may do now.
    pub may: May,
    /// Where this draft stands in the queue.
    pub queue: QueuePlace,
    /// What happened to it, oldest first.
    pub history: Vec<HistoryLine>,
    /// Someone else was faster: shown above the fields with the current values already in them.
    pub conflict: bool,
    /// Why the last act did not work.
    pub problem: Option<Problem>,
}

/// Something a check noticed, as a sentence.
#[derive(Debug, Clone)]
pub struct FindingLine {
    /// Its kind, for tests and styles.
    pub kind: &'static str,
    /// `info`, `warning` or `error`.
    pub severity: &'static str,
    /// The sentence in the page's language.
    pub text: String,
    /// Where the other receipt is, when the viewer may see it, and what it is called.
    pub other: Option<(String, String)>,
    /// Id of the receipt that one click attaches.
    pub attach: Option<String>,
    /// Id of the receipt that was kept apart, which one click takes back.
    pub kept_apart: Option<String>,
}

/// A code found on the paper.
#[derive(Debug, Clone)]
pub struct CodeLine {
    /// What kind of payload it is; `None` when nobody knows it.
    pub format: Option<&'static str>,
    /// The payload as it was read, cut.
    pub text: String,
}

/// The fields a draft always shows, in order; others appear when proposed or decided.
pub const SHOWN: &[FieldKey] = &[
    FieldKey::Merchant,
    FieldKey::Date,
    FieldKey::Time,
    FieldKey::Total,
    FieldKey::Currency,
    FieldKey::Tax,
    FieldKey::InvoiceNumber,
];

/// A picture of a page.
#[derive(Debug, Clone)]
pub struct PageView {
    /// 0-based.
    pub index: u32,
    /// Width in full-resolution pixels: what boxes refer to, whatever the preview's own size.
    pub width: u32,
    /// Height in full-resolution pixels.
    pub height: u32,
    /// The picture.
    pub preview_url: String,
}

/// A document of the draft.
#[derive(Debug, Clone)]
pub struct DocumentView {
    /// Its name; empty when it came without one.
    pub name: String,
    /// Its type in a word: `PDF`, `XML`.
    pub kind: String,
    /// Not the one the receipt is read from.
    pub is_supporting: bool,
    /// Index of its first page, when it has one to show.
    pub first_page: Option<u32>,
    /// Where its bytes are.
    pub original_url: String,
}

/// What the viewer may do with the draft in its state; the machine and the roles decided that.
#[derive(Debug, Clone, Copy, Default)]
pub struct May {
    /// Change fields, category and visit.
    pub edit: bool,
    /// Vouch for it.
    pub confirm: bool,
    /// Send it back or refuse it.
    pub decide: bool,
    /// Make it a draft again.
    pub reopen: bool,
    /// Hand it to the reviewers.
    pub submit: bool,
    /// Take it back.
    pub withdraw: bool,
    /// Record what the tax bureau said of its invoice.
    pub verify: bool,
    /// Say that a paper proposed for attaching is another expense, or take that back.
    pub pair: bool,
}

/// Where a draft stands in the queue one came from.
#[derive(Debug, Clone, Default)]
pub struct QueuePlace {
    /// The list with its filter.
    pub list_url: String,
    /// The filter as a query string: addresses of drafts carry it, so that one stays in the list one came from.
    pub query: String,
    /// The draft before.
    pub previous_url: Option<String>,
    /// The draft after; also where "confirm and next" goes. `None` at the end: then it goes to the list.
    pub next_url: Option<String>,
    /// First picture of the next draft, loaded ahead.
    pub next_preview_url: Option<String>,
    /// How many wait, this one included.
    pub waiting: Option<u64>,
}

/// A line of the history.
#[derive(Debug, Clone)]
pub struct HistoryLine {
    /// When.
    pub at: Timestamp,
    /// Who; `None` for Vouch itself.
    pub by: Option<String>,
    /// What: the journal entry's kind, e.g. `draft.confirmed`.
    pub kind: String,
    /// Fields that changed.
    pub changes: Vec<Change>,
    /// The reason given.
    pub reason: Option<String>,
}

/// A changed field.
#[derive(Debug, Clone)]
pub struct Change {
    /// Which.
    pub key: FieldKey,
    /// Before.
    pub from: Option<String>,
    /// After.
    pub to: Option<String>,
}

/// The address with the query of the list one came from.
pub fn in_list(path: &str, query: &str) -> String {
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}

impl DraftPage {
    /// The fields and the category, as drawn.
    pub fn all_fields(&self) -> impl Iterator<Item = &FieldView> {
        self.fields.iter().chain(std::iter::once(&self.category))
    }

    /// What the tax bureau may have said.
    pub fn outcomes(&self) -> &'static [VerificationOutcome] {
        VerificationOutcome::ALL
    }

    /// Address of what `part` names of this draft (`/attach`; empty: the draft itself), in the list one came from.
    pub fn address(&self, part: &str) -> String {
        in_list(&format!("/drafts/{}{part}", self.id), &self.queue.query)
    }

    /// What the mark of a needed field says.
    pub fn needed(&self, step: &Step) -> String {
        self.shell.t(match step {
            Step::Submit => "draft.needed_submit",
            Step::Confirm => "draft.needed_confirm",
        })
    }

    /// Fields with a box on the page `index`, with the box's corners for SVG.
    pub fn boxes(&self, index: &u32) -> Vec<(FieldKey, String)> {
        self.all_fields()
            .filter_map(|field| {
                let seen = field.seen()?;
                let quad = seen.quad.filter(|quad| seen.page == *index && quad.is_finite())?;
                Some((field.key, html::points(&quad)))
            })
            .collect()
    }

    /// Lines with a box on the page `index`: their number and the box's corners for SVG.
    pub fn item_boxes(&self, index: &u32) -> Vec<(usize, String)> {
        let evidence = |item: &LineItem| item.evidence.as_ref().filter(|e| e.page == *index).and_then(|e| e.quad);
        let items = self.breakdown.items.iter().enumerate();
        items.filter_map(|(at, item)| Some((at, html::points(&evidence(item).filter(Quad::is_finite)?)))).collect()
    }

    /// What the lines add up to.
    pub fn items_sum(&self) -> Option<String> {
        self.breakdown.items_sum().map(|sum| format::amount(sum, self.currency()))
    }

    /// An amount of a line as people write it.
    pub fn money_of(&self, amount: &Decimal) -> String {
        format::amount(*amount, self.currency())
    }

    /// A price of one as people write it; it may have more decimals than the currency.
    pub fn unit_price(&self, item: &LineItem) -> String {
        item.unit_price
            .map(|u| if u.scale() > 2 { u.normalize().to_string() } else { self.money_of(&u) })
            .unwrap_or_default()
    }

    /// `19 %: 3.19 of 16.81`.
    pub fn tax_line(&self, line: &TaxLine) -> String {
        let of = line.net.map(|net| format!(" / {}", self.money_of(&net))).unwrap_or_default();
        let tax = line.tax.map_or_else(|| "–".to_owned(), |tax| self.money_of(&tax));
        format!("{} %: {tax}{of}", line.rate.normalize())
    }

    /// The pixels of the field's evidence, cut out of the page.
    pub fn snippet(&self, field: &FieldView) -> Option<Html> {
        let seen = field.seen()?;
        let page = self.pages.iter().find(|page| page.index == seen.page)?;
        html::snippet(seen.quad.as_ref()?, &page.preview_url, page.width, page.height)
    }

    /// Name of a category by its code.
    pub fn category_name(&self, code: &str) -> String {
        self.categories.iter().find(|c| c.value == code).map_or_else(|| code.to_owned(), |c| c.label.clone())
    }

    /// Values to choose one from, in words; `None` for fields one types into. A value outside the list stays among them.
    pub fn options(&self, field: &FieldView) -> Option<Vec<Choice>> {
        let worded = |table: &str, codes: Vec<&str>| -> Vec<Choice> {
            let choice = |code: &str| Choice { value: code.to_owned(), label: self.shell.word(table, code) };
            codes.into_iter().map(choice).collect()
        };
        let mut options = match field.key {
            FieldKey::Category => self.categories.clone(),
            FieldKey::EvidenceKind => worded("evidence", EvidenceKind::ALL.iter().map(|kind| kind.as_str()).collect()),
            FieldKey::Payment => worded("payment", PaymentMethod::ALL.iter().map(|way| way.as_str()).collect()),
            _ => return None,
        };
        let value = field.value();
        if !value.is_empty() && options.iter().all(|option| option.value != value) {
            options.push(Choice { label: value.clone(), value });
        }
        Some(options)
    }

    /// A value as people write it: amounts grouped, categories by name.
    pub fn shown(&self, key: &FieldKey, value: &str) -> String {
        match FieldValue::parse(*key, value) {
            Ok(FieldValue::Amount(amount)) => format::amount(amount, self.currency()),
            Ok(_) if *key == FieldKey::Category => self.category_name(value),
            Ok(_) if *key == FieldKey::EvidenceKind => self.shell.word("evidence", value),
            Ok(_) if *key == FieldKey::Payment => self.shell.word("payment", value),
            Ok(FieldValue::Text(_) | FieldValue::Date(_) | FieldValue::Time(_) | FieldValue::Currency(_)) | Err(_) => {
                value.to_owned()
            }
        }
    }

    /// The amount for the heading.
    pub fn money(&self) -> String {
        let total: Option<Decimal> = self.field(FieldKey::Total).and_then(|f| f.value().parse().ok());
        self.shell.money(&total, &self.currency())
    }

    fn currency(&self) -> Option<Currency> {
        self.field(FieldKey::Currency)?.value().parse().ok()
    }

    /// Whom it was paid to, for the heading.
    pub fn merchant(&self) -> String {
        self.field(FieldKey::Merchant)
            .map(FieldView::value)
            .filter(|v| !v.is_empty())
            .unwrap_or_else(|| self.shell.t("receipts.no_merchant"))
    }

    /// Where "confirm and next" goes.
    pub fn after(&self) -> &str {
        self.queue.next_url.as_deref().unwrap_or(&self.queue.list_url)
    }

    fn field(&self, key: FieldKey) -> Option<&FieldView> {
        self.fields.iter().find(|field| field.key == key)
    }
}
