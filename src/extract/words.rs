//! What labels say, in English, Malay, German, French, Italian and Chinese.

use std::{collections::BTreeMap, sync::LazyLock};

use super::{
    fold::{Folded, distance, is_cjk},
    lexicon::LEXICON,
};

/// What a printed label announces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Label {
    /// What is to be paid in the end, said unmistakably.
    GrandTotal,
    /// A total.
    Total,
    /// An amount of some kind; often the total of slips with one amount.
    Amount,
    /// Before tax, service or discount.
    Subtotal,
    /// Without tax.
    Net,
    /// A tax or its rate.
    Tax,
    /// Service charge.
    Service,
    /// Tip.
    Tip,
    /// A discount, coupon or saving.
    Discount,
    /// Rounding to what coins allow.
    Rounding,
    /// Cash or another means handed over.
    Tendered,
    /// Money back.
    Change,
    /// A card, wallet or transfer.
    Card,
    /// A number of things, not of money.
    Count,
    /// Price of one.
    UnitPrice,
    /// Points, balances, deposits: money beside the bill.
    Aside,
    /// Tax is contained (`incl.`).
    Including,
    /// Tax is not contained (`excl.`).
    Excluding,
    /// Date of the paper.
    Date,
    /// Date of something else: due, expiry, birth, delivery.
    OtherDate,
    /// Time of day.
    Time,
    /// Number of the invoice or receipt.
    InvoiceNumber,
    /// Another number: order, table, till, transaction.
    OtherNumber,
    /// Tax id of a company.
    TaxId,
    /// Telephone or fax.
    Phone,
    /// The seller's name follows.
    Seller,
    /// The buyer's name follows.
    Buyer,
    /// The title of the paper.
    Title,
    /// A bank account.
    Bank,
}

/// A label found in a text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hit {
    /// What it announces.
    pub label: Label,
    /// First byte of the text it covers.
    pub start: usize,
    /// First byte after it.
    pub end: usize,
    /// The phrase of the lexicon.
    pub phrase: &'static str,
    /// Found only by allowing a wrong letter.
    pub fuzzy: bool,
}

use Label as L;

struct Phrase {
    folded: Vec<char>,
    label: Label,
    source: &'static str,
    /// Too short to be looked for inside other words.
    bounded: bool,
    /// Position when longer phrases come first; of equal length the earlier of the lexicon.
    rank: usize,
}

/// The lexicon by first letter, and the single words that are worth a wrong letter.
struct Phrases {
    by_first: BTreeMap<char, Vec<Phrase>>,
    fuzzy: Vec<(Vec<char>, Label, &'static str)>,
}

impl Phrases {
    fn starting_with(&self, first: char) -> &[Phrase] {
        self.by_first.get(&first).map_or(&[], Vec::as_slice)
    }
}

static PHRASES: LazyLock<Phrases> = LazyLock::new(|| {
    let mut all: Vec<Phrase> = LEXICON
        .iter()
        .flat_map(|(label, phrases)| {
            phrases.split('|').map(|source| {
                let folded = Folded::new(source, true).chars;
                let wide = folded.iter().any(|c| is_cjk(*c));
                let bounded = !wide
                    && (folded.len() <= 5 || matches!(label, L::Count | L::OtherNumber | L::OtherDate | L::Title));
                Phrase { bounded: bounded && source != "total", folded, label: *label, source, rank: 0 }
            })
        })
        .filter(|p| !p.folded.is_empty())
        .collect();
    // Longest first; the sort is stable, so an earlier label wins a tie.
    all.sort_by_key(|p| std::cmp::Reverse(p.folded.len()));
    let fuzzy = all
        .iter()
        .filter(|p| worth_fuzzy(p.label) && p.folded.len() >= 5 && !p.source.contains(' ') && !is_cjk(p.folded[0]))
        .map(|p| (p.folded.clone(), p.label, p.source))
        .collect();
    let mut by_first: BTreeMap<char, Vec<Phrase>> = BTreeMap::new();
    for (rank, phrase) in all.into_iter().enumerate() {
        by_first.entry(phrase.folded[0]).or_default().push(Phrase { rank, ..phrase });
    }
    Phrases { by_first, fuzzy }
});

/// Shorter titles are a wrong letter away from too many names.
const MIN_TITLE_CHARS: usize = 7;

/// Whether the whole text is a title of a paper with up to a quarter of its letters wrong: `Tax Invoise`.
pub fn is_nearly_title(text: &str) -> bool {
    static TITLES: LazyLock<Vec<Vec<char>>> = LazyLock::new(|| {
        let phrases = LEXICON.iter().filter(|(label, _)| *label == L::Title).flat_map(|(_, p)| p.split('|'));
        phrases.map(|p| Folded::new(p, true).chars).filter(|p| p.len() >= MIN_TITLE_CHARS).collect()
    });
    let own = Folded::new(text, true).chars;
    own.len() >= MIN_TITLE_CHARS - 1
        && TITLES.iter().any(|t| t.len().abs_diff(own.len()) <= t.len() / 4 && distance(t, &own) <= t.len() / 4)
}

/// Every label in `text`, left to right. Where phrases overlap the longest wins.
pub fn find(text: &str) -> Vec<Hit> {
    let folded = Folded::new(text, true);
    let chars = &folded.chars;
    let mut taken = vec![false; chars.len()];
    let mut hits: Vec<Hit> = Vec::new();
    let byte_at = |i: usize| folded.origin.get(i).copied();
    let end_of = |last: usize| {
        let at = folded.origin.get(last).copied().unwrap_or(0);
        at + text.get(at..).and_then(|t| t.chars().next()).map_or(0, char::len_utf8)
    };
    let mut matches: Vec<(usize, &'static Phrase)> = Vec::new();
    for (at, first) in chars.iter().enumerate() {
        for phrase in PHRASES.starting_with(*first) {
            let length = phrase.folded.len();
            if chars.get(at..at + length) != Some(phrase.folded.as_slice()) {
                continue;
            }
            let ends = at + length == chars.len() || folded.is_boundary(at + length);
            // A digit may follow a short word directly: `TAX6%`, `TEL03-1234`.
            let digit_follows =
                || byte_at(at + length).and_then(|b| text[b..].chars().next()).is_some_and(|c| c.is_ascii_digit());
            if !phrase.bounded || (folded.is_boundary(at) && (ends || digit_follows())) {
                matches.push((at, phrase));
            }
        }
    }
    matches.sort_by_key(|(at, phrase)| (phrase.rank, *at));
    for (at, phrase) in matches {
        let span = at..at + phrase.folded.len();
        if taken[span.clone()].contains(&true) {
            continue;
        }
        taken[span.clone()].fill(true);
        hits.push(Hit {
            label: phrase.label,
            start: byte_at(at).unwrap_or(0),
            end: end_of(span.end - 1),
            phrase: phrase.source,
            fuzzy: false,
        });
    }
    fuzzy_words(&folded, &taken, |from, to, label, phrase| {
        let (start, end) = (byte_at(from).unwrap_or(0), end_of(to - 1));
        hits.push(Hit { label, start, end, phrase, fuzzy: true });
    });
    hits.sort_by_key(|h| h.start);
    hits
}

/// Labels worth a wrong letter: the ones that decide the total and the date.
fn worth_fuzzy(label: Label) -> bool {
    matches!(
        label,
        L::GrandTotal | L::Total | L::Subtotal | L::Rounding | L::Change | L::Tendered | L::Discount | L::Date
    )
}

/// Whole words one letter away from a phrase of at least five letters.
fn fuzzy_words(folded: &Folded, taken: &[bool], mut found: impl FnMut(usize, usize, Label, &'static str)) {
    let mut from = 0;
    while from < folded.chars.len() {
        let mut to = from + 1;
        while to < folded.chars.len() && !folded.starts[to] {
            to += 1;
        }
        let word = &folded.chars[from..to];
        if (5..=14).contains(&word.len()) && !taken[from..to].contains(&true) {
            let near = PHRASES
                .fuzzy
                .iter()
                .find(|(phrase, ..)| phrase.len().abs_diff(word.len()) <= 1 && distance(phrase, word) == 1);
            if let Some((_, label, source)) = near {
                found(from, to, *label, source);
            }
        }
        from = to;
    }
}

/// What a text in front of an amount announces, all hits considered: `Total (incl. GST 6%)` is a total.
pub fn money_label(hits: &[Hit]) -> Option<Hit> {
    let of = |labels: &[Label]| hits.iter().rev().find(|h| labels.contains(&h.label)).copied();
    let has = |label: Label| hits.iter().any(|h| h.label == label);
    // Sure of what it is not, before sure of what it is.
    if let Some(hit) = of(&[L::Count, L::Change, L::Rounding, L::Aside, L::UnitPrice, L::Subtotal]) {
        // `CHANGE RM` after `TOTAL`: the nearest wins.
        let later = hits
            .iter()
            .rev()
            .find(|h| matches!(h.label, L::GrandTotal | L::Total))
            .is_some_and(|t| t.start > hit.start);
        if !later {
            return Some(hit);
        }
    }
    if let Some(total) = of(&[L::GrandTotal, L::Total]) {
        let after = |label: Label| hits.iter().any(|h| h.label == label && h.start > total.start);
        let before = |label: Label| hits.iter().any(|h| h.label == label && h.start < total.start);
        // `GST INCLUDED IN TOTAL` is the tax.
        let included = hits.iter().find(|h| h.label == L::Including).is_some_and(|h| h.start < total.start);
        if before(L::Tax) && included {
            return of(&[L::Tax]);
        }
        if has(L::Excluding) {
            return Some(Hit { label: L::Subtotal, ..total });
        }
        if !has(L::Including) && (before(L::Tax) || (after(L::Tax) && total.label == L::Total)) {
            return of(&[L::Tax]);
        }
        if before(L::Discount) || (after(L::Discount) && total.label == L::Total) {
            return of(&[L::Discount]);
        }
        if after(L::Tendered) && total.label == L::Total {
            return of(&[L::Tendered]);
        }
        return Some(total);
    }
    of(&[L::Discount, L::Tip, L::Service])
        .or_else(|| of(&[L::Tax]))
        .or_else(|| of(&[L::Tendered, L::Card, L::Net]))
        .or_else(|| of(&[L::Amount]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn label(text: &str) -> Option<Label> {
        money_label(&find(text)).map(|h| h.label)
    }

    #[test]
    fn labels_say_what_they_mean_in_every_language() {
        for (text, expected) in [
            ("TOTAL", L::Total),
            ("T0TAL:", L::Total),
            ("TQTAL", L::Total),
            ("SUBTOTAL", L::Subtotal),
            ("Sub-Total", L::Subtotal),
            ("GRAND TOTAL (RM)", L::GrandTotal),
            ("TOTAL INCL. GST @6%", L::GrandTotal),
            ("Total (Excluding GST)", L::Subtotal),
            ("TOTAL QTY", L::Count),
            ("GST @ 6%", L::Tax),
            ("TOTAL GST", L::Tax),
            ("CASH", L::Tendered),
            ("TOTAL CHANGE", L::Change),
            ("Rounding Adj", L::Rounding),
            ("JUMLAH", L::Total),
            ("Summe EUR", L::GrandTotal),
            ("Zu zahlen", L::GrandTotal),
            ("Zwischensumme", L::Subtotal),
            ("Rückgeld", L::Change),
            ("Gegeben BAR", L::Tendered),
            ("MwSt 19%", L::Tax),
            ("Montant total", L::GrandTotal),
            ("Totale", L::Total),
            ("合计", L::Total),
            ("价税合计（大写）", L::GrandTotal),
            ("税额", L::Tax),
            ("找零", L::Change),
            ("單價", L::UnitPrice),
        ] {
            assert_eq!(label(text), Some(expected), "{text}");
        }
        assert_eq!(label("NASI LEMAK"), None);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,60}") {
            for hit in find(&text) {
                prop_assert!(text.get(hit.start..hit.end).is_some());
            }
        }
    }
}
