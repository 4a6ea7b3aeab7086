//! Who was paid: the name at the head of the paper, after `销售方`, or a known one.

use std::{ops::Range, sync::LazyLock};

use regex::Regex;

use super::{
    brand, cut_names, find_seller,
    fold::{Folded, fold_name, similarity},
    judge_merchant::{ADDRESS, CONTACT, DOMAIN, Head, LEGAL, LEGAL_MALAYSIA, REGISTRATION, judge, matches},
    layout::Layout,
    legal_names,
    name_context::{self, Surroundings},
    name_words::Wording,
    rank::{Features, Proposal},
    words::{self, Label as L},
};
use crate::domain::{
    field::{Evidence, FieldKey, FieldValue, MAX_TEXT_CHARS},
    page::mail_line,
    time::CivilDate,
};

/// Rows from the top that may hold the name.
pub const HEAD_ROWS: usize = 14;
/// Proposals kept.
const MAX_PROPOSALS: usize = 90;
/// A name printed more often than this is not more likely for it.
const MOST_TIMES: f32 = 4.0;
/// Rows at the head where a logo may begin.
pub const LOGO_ROWS: usize = 3;
/// Rows in which web addresses are looked for.
const DOMAIN_ROWS: usize = 200;
/// Web addresses of one receipt that are considered.
const MAX_DOMAINS: usize = 6;
/// Mail providers, survey hosts and the like: nobody was paid there.
const PROVIDERS: &[&str] =
    &["gmail", "yahoo", "hotmail", "outlook", "gmx", "bluewin", "facebook", "instagram", "qq", "163"];
/// Rows in which known merchants are looked for.
const KNOWN_ROWS: usize = 40;
/// Known merchants that are looked for.
pub const MAX_KNOWN: usize = 20_000;
/// Similarity from which a known name counts as printed.
const KNOWN_SIMILARITY: f32 = 0.85;

/// `Owned by: …`, `Dimiliki: …`, `Lieferant: …` before the owner's name.
static OWNER: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?i)^\s*(?:own(?:ed)?|operated|managed|dimiliki|diusahakan|lieferant|betreiber|inhaber|inh\.?)\b\s*(?:by|oleh)?\s*[:.]*\s*").ok()
});

/// A name as printed, before judgement.
#[derive(Clone)]
pub struct Printed {
    /// The text, not yet cleaned.
    pub text: String,
    /// First row it stands on.
    pub row: usize,
    /// Rows it spans.
    pub rows: usize,
    /// Where it was seen.
    pub evidence: Evidence,
    /// Text height in pixels.
    pub height: f32,
    /// Lowest recogniser score of its characters.
    pub legibility: f32,
    /// After a label of the seller such as `单位名称`.
    pub seller: bool,
    /// After a label of the buyer.
    pub buyer: bool,
    /// A part of a row with more on it.
    pub piece: bool,
    /// The legal form was taken off; it is not printed like this.
    pub stripped: bool,
    /// A letter was mended to make a brand of it; it was not read like this.
    pub is_mended: bool,
    /// How many names it could have been mended to; 1 for what was read.
    pub ways: usize,
}

impl Printed {
    /// A part of segment `at` of the layout: `range` in bytes of its text, and `text` what is made of it.
    pub fn piece(layout: &Layout<'_>, at: usize, range: &Range<usize>, text: String) -> Self {
        let segment = &layout.segments[at];
        Self {
            text,
            row: segment.row,
            rows: 1,
            evidence: layout.evidence(at, range),
            height: segment.bounds.height(),
            legibility: segment.score_of(range),
            seller: false,
            buyer: false,
            piece: true,
            stripped: false,
            is_mended: false,
            ways: 1,
        }
    }
}

/// Every name the receipt may be from.
pub fn propose(layout: &Layout<'_>, today: CivilDate, known: &[String]) -> Vec<Proposal> {
    let mut printed = head_names(layout);
    printed.extend(find_seller::find(layout));
    printed.extend(domain_names(layout));
    printed.extend(brand::find(layout));
    printed.extend(cut_names::find(layout));
    printed.extend(name_context::find(layout));
    let wording = Wording::new(layout);
    printed.extend(wording.composed(layout));
    printed.extend(brand::mend_joined(&printed));
    // Nobody's name ends inside a bracket: where a longer line closes it, the cut one is no name.
    let closed: Vec<(usize, usize)> =
        printed.iter().filter(|n| is_balanced(&n.text)).map(|n| (n.row, n.row + n.rows)).collect();
    printed.retain(|n| {
        let covers = |(from, to): &(usize, usize)| *from <= n.row && n.row + n.rows <= *to && to - from > n.rows;
        is_balanced(&n.text) || !(n.piece || closed.iter().any(covers))
    });
    let head = Head::new(layout, today);
    let surroundings = Surroundings::new(layout);
    let mut proposals: Vec<Proposal> = Vec::new();
    let mut folds: Vec<String> = Vec::new();
    let stripped: Vec<Printed> = printed
        .iter()
        .flat_map(|name| [legal_names::without_legal_form(name), legal_names::around_legal_form(name)])
        .flatten()
        .collect();
    let legal = legal_names::take(&mut printed);
    printed.extend(stripped);
    for name in printed {
        let Some(text) = clean(&name.text).map(|text| name_context::with_letters(&text)) else { continue };
        let folded = fold_name(&text);
        if folded.is_empty() || folded.chars().all(|c| c.is_ascii_digit()) {
            continue;
        }
        let mut features = judge(layout, &name, &text, &folded, &head);
        seams(layout, &name, &mut features);
        surroundings.judge(layout, &name, &text, &folded, &mut features);
        wording.judge(layout, &name, &text, &folded, &mut features);
        // Case and spacing make no other name: the one printed first is shown.
        let same = folds.iter().position(|f| *f == folded).and_then(|at| proposals.get_mut(at));
        if let Some(same) = same {
            if features.get("seller") > same.features.get("seller") {
                same.features = features;
                same.finder = finder_of(&name);
            }
            same.features.update("times", (same.evidence.len() as f32).min(MOST_TIMES));
            for (feature, now) in [
                ("also_in_head", name.row < LOGO_ROWS),
                ("also_whole_row", !name.piece),
                ("also_stripped", name.stripped),
            ] {
                if now {
                    same.features.update(feature, 1.0);
                }
            }
            same.evidence.push(name.evidence);
            continue;
        }
        if proposals.len() < MAX_PROPOSALS {
            let mut reasons = Vec::new();
            if name.seller {
                reasons.push("label:seller".to_owned());
            }
            if features.get("legal") > 0.0 {
                reasons.push("legal form".to_owned());
            }
            folds.push(folded);
            proposals.push(Proposal {
                key: FieldKey::Merchant,
                value: FieldValue::Text(text),
                finder: finder_of(&name),
                evidence: vec![name.evidence],
                reasons,
                features,
            });
        }
    }
    legal_names::mark_twins(&folds, &mut proposals);
    proposals.extend(legal);
    add_known(layout, known, &head, &mut proposals);
    proposals
}

fn is_balanced(text: &str) -> bool {
    text.matches(['(', '（']).count() == text.matches([')', '）']).count()
}

fn finder_of(name: &Printed) -> &'static str {
    match (name.seller, name.rows) {
        (true, _) => "merchant:label",
        (false, 1) if name.is_mended => "merchant:brand",
        (false, 1) => "merchant:head",
        (false, _) => "merchant:head_joined",
    }
}

/// Rows at the head, alone and joined with the next.
fn head_names(layout: &Layout<'_>) -> Vec<Printed> {
    let mut out: Vec<Printed> = Vec::new();
    for at in 0..layout.rows.len().min(HEAD_ROWS) {
        let Some(one) = row_name(layout, at, at) else { continue };
        // A title on the left and the letterhead's name on the right are no name together.
        let is_whole = !is_columns(layout, at);
        out.extend(is_whole.then_some(one));
        out.extend(without_strays(layout, at, at).filter(|_| is_whole));
        let next = at + 1;
        if is_whole && next < layout.rows.len().min(HEAD_ROWS) && joinable(layout, at, next) {
            out.extend(row_name(layout, at, next));
            out.extend(without_strays(layout, at, next));
            // A long name may take three rows: its legal form ends it, or it is a logo of single words.
            let third = next + 1;
            let is_logo = || (at..=third).all(|r| layout.rows[r].text.split_whitespace().count() <= 2);
            if layout.rows.get(third).is_some_and(|r| {
                matches(&LEGAL_MALAYSIA, &r.text) || matches(&LEGAL, &r.text) || (at < LOGO_ROWS && is_logo())
            }) && joinable(layout, next, third)
            {
                out.extend(row_name(layout, at, third));
            }
        }
        // Segments of a row that stand far apart are two things.
        let row = &layout.rows[at];
        if row.segments.len() > 1 {
            for i in &row.segments {
                let segment = &layout.segments[*i];
                let whole: Range<usize> = 0..segment.text.len();
                out.push(Printed::piece(layout, *i, &whole, segment.text.clone()));
            }
        }
    }
    out
}

/// Heights of its letters that two columns of a page stand apart at least; words of a logo stand closer.
const COLUMN_GAP: f32 = 15.0;

/// Whether a row goes across columns of its page.
fn is_columns(layout: &Layout<'_>, at: usize) -> bool {
    let row = &layout.rows[at];
    let bounds = |i: usize| layout.segments[i].bounds;
    row.segments.windows(2).any(|pair| bounds(pair[1]).left - bounds(pair[0]).right > COLUMN_GAP * row.height)
}

/// The names in web and mail addresses: `shop` for `www.shop.de` and `info@shop.de`, and the address without `www.`.
fn domain_names(layout: &Layout<'_>) -> Vec<Printed> {
    let Some(pattern) = DOMAIN.as_ref() else { return Vec::new() };
    let mut out: Vec<Printed> = Vec::new();
    for (at, segment) in layout.segments.iter().enumerate().filter(|(_, s)| s.row < DOMAIN_ROWS) {
        for found in pattern.captures_iter(&segment.text) {
            let Some(name) = found.get(1) else { continue };
            if out.len() >= MAX_DOMAINS || PROVIDERS.contains(&fold_name(name.as_str()).as_str()) {
                continue;
            }
            let printed = Printed::piece(layout, at, &name.range(), name.as_str().to_owned());
            out.push(Printed { stripped: true, ..printed });
        }
    }
    out
}

/// Whether segment `at` is a single letter or less beside longer text: a speck, a part of a logo, the margin of another row.
fn is_stray(layout: &Layout<'_>, at: usize) -> bool {
    layout.segments[at].text.chars().filter(|c| c.is_alphanumeric()).count() <= 1
}

/// Rows `from` to `to` at the very head without strays; `None` when none of them has any, or where digits say that it is no
/// name: the letters of tax codes stand behind articles.
fn without_strays(layout: &Layout<'_>, from: usize, to: usize) -> Option<Printed> {
    let rows = layout.rows.get(from..=to)?;
    let segments = || rows.iter().flat_map(|r| r.segments.iter().copied());
    let (strays, names): (Vec<usize>, Vec<usize>) = segments().partition(|i| is_stray(layout, *i));
    let rest_in_each_row = rows.iter().all(|r| r.segments.iter().any(|i| !is_stray(layout, *i)));
    let is_head = from < LOGO_ROWS && rows.iter().all(|r| !r.text.chars().any(|c| c.is_ascii_digit()));
    (is_head && !strays.is_empty() && rest_in_each_row).then(|| named_by(layout, from, to, &names)).flatten()
}

/// The name that rows `from` to `to` make.
fn row_name(layout: &Layout<'_>, from: usize, to: usize) -> Option<Printed> {
    let rows = layout.rows.get(from..=to)?;
    let all: Vec<usize> = rows.iter().flat_map(|r| r.segments.iter().copied()).collect();
    named_by(layout, from, to, &all)
}

/// The name that `segments` of rows `from` to `to` make.
fn named_by(layout: &Layout<'_>, from: usize, to: usize, segments: &[usize]) -> Option<Printed> {
    let rows = layout.rows.get(from..=to)?;
    let evidence = (from..=to).filter_map(|r| layout.row_evidence(r)).reduce(|a, b| Evidence {
        page: a.page,
        quad: a.quad.and_then(|q| b.quad.map(|o| q.union(&o))).or(a.quad),
        text: format!("{} {}", a.text, b.text),
    })?;
    let text = segments.iter().map(|i| layout.segments[*i].text.as_str()).collect::<Vec<_>>().join(" ");
    let legibility =
        segments.iter().map(|i| layout.segments[*i].score_of(&(0..layout.segments[*i].text.len()))).fold(1.0, f32::min);
    let height = rows.iter().map(|r| r.height).fold(0.0, f32::max);
    Some(Printed {
        text,
        row: from,
        rows: to - from + 1,
        evidence,
        height,
        legibility,
        seller: false,
        buyer: false,
        piece: false,
        stripped: false,
        is_mended: false,
        ways: 1,
    })
}

/// What the rows say about where a name begins and ends: whether the rows above and below look like more of it, and how
/// alike the rows of a joined one are.
fn seams(layout: &Layout<'_>, name: &Printed, f: &mut Features) {
    let last = name.row + name.rows - 1;
    let (Some(first_row), Some(last_row)) = (layout.rows.get(name.row), layout.rows.get(last)) else { return };
    let alike = |a: f32, b: f32| a.min(b) / a.max(b).max(1.0);
    let gap = |above: usize, below: usize| {
        let (above, below) = (&layout.rows[above], &layout.rows[below]);
        (below.bounds.top - above.bounds.bottom) / above.height.max(1.0)
    };
    if let Some(above) = name.row.checked_sub(1).filter(|a| joinable(layout, *a, name.row)) {
        f.set("above_alike", alike(layout.rows[above].height, first_row.height));
        f.set("above_gap", gap(above, name.row).clamp(-1.0, 2.0));
    }
    if last + 1 < layout.rows.len() && joinable(layout, last, last + 1) {
        f.set("below_alike", alike(layout.rows[last + 1].height, last_row.height));
        f.set("below_gap", gap(last, last + 1).clamp(-1.0, 2.0));
    }
    if name.rows > 1 {
        f.set("rows_alike", alike(first_row.height, last_row.height));
        f.set("rows_gap", gap(name.row, name.row + 1).clamp(-1.0, 2.0));
        let width = |row: &super::layout::Row| row.bounds.right - row.bounds.left;
        f.set("rows_widths", alike(width(first_row), width(last_row)));
        f.flag("rows_centred", (first_row.bounds.centre() - last_row.bounds.centre()).abs() < first_row.height);
    }
}

/// Two rows that look like one name: close, of like height (a logo's second line is often half as tall), not obviously
/// something else.
fn joinable(layout: &Layout<'_>, a: usize, b: usize) -> bool {
    let (a, b) = (&layout.rows[a], &layout.rows[b]);
    // What the paper is called is no part of its issuer's name, nor is a code.
    let is_title = |text: &str| {
        words::find(text).iter().any(|h| h.label == L::Title) || words::is_nearly_title(text) || has_code(text)
    };
    let ratio = a.height / b.height.max(1.0);
    let gap = (b.bounds.top - a.bounds.bottom) / a.height.max(1.0);
    a.page == b.page
        && ![mail_line::SUBJECT, mail_line::SENT, mail_line::FROM].iter().any(|line| b.text.starts_with(line))
        && (0.45..2.6).contains(&ratio)
        && gap < 1.2
        && !matches(&ADDRESS, &b.text)
        && !matches(&CONTACT, &b.text)
        && !matches(&CONTACT, &a.text)
        && !is_title(&a.text)
        && !is_title(&b.text)
}

/// Letters and digits of a word from which one that mixes them is a code rather than a word.
const CODE_CHARS: usize = 8;

/// Whether a code stands on the row: `ID #:7K2MMA41P0X`, `A1B2C3D4`.
pub fn has_code(text: &str) -> bool {
    let is_code = |word: &str| {
        let count = |test: &dyn Fn(char) -> bool| word.chars().filter(|c| test(*c)).count();
        let (letters, digits) = (count(&char::is_alphabetic), count(&|c| c.is_ascii_digit()));
        letters >= 2 && digits >= 2 && letters + digits >= CODE_CHARS
    };
    text.split(|c: char| !c.is_alphanumeric()).any(is_code)
}

/// The name without registration number, leading labels and stray punctuation; `None` when nothing is left.
pub fn clean(text: &str) -> Option<String> {
    let mut text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.starts_with(mail_line::SUBJECT) || text.starts_with(mail_line::SENT) {
        return None;
    }
    if let Some(sender) = text.strip_prefix(mail_line::FROM) {
        // The name without the address.
        text = sender.split(' ').filter(|word| !word.contains('@')).collect::<Vec<_>>().join(" ");
    }
    if let Some(pattern) = REGISTRATION.as_ref()
        && let Some(found) = pattern.find(&text)
        && found.start() > 2
    {
        text.truncate(found.start());
    }
    text = legal_names::with_legal_form(&text);
    let hits = words::find(&text);
    if let Some(first) = hits.first().filter(|h| h.start == 0 && h.label == L::Seller)
        && first.end < text.len()
    {
        text = text[first.end..].to_owned();
    }
    if let Some(owner) = OWNER.as_ref().and_then(|p| p.find(&text)) {
        text = text[owner.end()..].to_owned();
    }
    let text = text.trim_matches(|c: char| {
        matches!(
            c,
            '*' | '-'
                | '='
                | '_'
                | ':'
                | '：'
                | '.'
                | ','
                | '#'
                | '~'
                | '|'
                | '<'
                | '>'
                | '"'
                | '\''
                | ' '
                | '+'
                | '/'
                | '\\'
        )
    });
    let text: String = text.chars().take(MAX_TEXT_CHARS).collect();
    (text.chars().filter(|c| c.is_alphanumeric()).count() >= 2).then_some(text)
}

/// Known names that are printed, exactly or nearly: letters that recognition confuses count as equal.
fn add_known(layout: &Layout<'_>, known: &[String], head: &Head, proposals: &mut Vec<Proposal>) {
    if known.is_empty() {
        return;
    }
    let lookalike = |text: &str| Folded::new(text, true).text();
    let rows: Vec<String> = layout.rows.iter().take(KNOWN_ROWS).map(|r| lookalike(&r.text)).collect();
    for name in known.iter().take(MAX_KNOWN) {
        let folded = lookalike(name);
        if folded.chars().count() < 3 {
            continue;
        }
        let alike = |row: &String| {
            if row.contains(&folded) {
                1.0
            } else if row.len().abs_diff(folded.len()) * 4 <= folded.len() {
                similarity(row, &folded)
            } else {
                0.0
            }
        };
        let best = rows.iter().map(alike).enumerate().max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)));
        let Some((row, score)) = best.filter(|(_, s)| *s >= KNOWN_SIMILARITY) else { continue };
        let own = fold_name(name);
        if let Some(same) = proposals.iter_mut().find(|p| fold_name(&p.value.to_string()) == own) {
            same.features.set("known", score);
            same.reasons.push("known".to_owned());
            continue;
        }
        let Some(printed) = row_name(layout, row, row).filter(|_| proposals.len() < MAX_PROPOSALS * 2) else {
            continue;
        };
        // Judged like the row it stands on, and known besides.
        let mut features = judge(layout, &printed, name, &own, head);
        features.set("known", score);
        proposals.push(Proposal {
            key: FieldKey::Merchant,
            value: FieldValue::Text(name.chars().take(MAX_TEXT_CHARS).collect()),
            evidence: vec![printed.evidence],
            finder: "merchant:known",
            reasons: vec!["known".to_owned()],
            features,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::tests::page;

    #[test]
    fn of_the_lines_below_a_mails_text_only_the_senders_name_is_one() {
        let rows =
            ["Hello", "thank you", "Subject: Your order", "From: Harbour Cafe r@cafe.example", "Sent: 2026-11-20"];
        let pages = [page(&rows, 0.0)];
        let proposals = propose(&Layout::new(&pages), jiff::civil::date(2026, 11, 30), &[]);
        let names: Vec<String> = proposals.iter().map(|proposal| proposal.value.to_string()).collect();
        assert!(names.contains(&"Harbour Cafe".to_owned()), "{names:?}");
        for part in ["Subject", "Your order", "From", "Sent", "@"] {
            assert!(names.iter().all(|name| !name.contains(part)), "{part}: {names:?}");
        }
        assert_eq!(clean("From: r@cafe.example"), None);
    }
}
