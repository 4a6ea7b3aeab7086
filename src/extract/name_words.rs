//! What the words of a name say: generic words that need another beside them, the web address they make up, letters that
//! stand alone, and whether the rows of a joined name belong together.

use std::{ops::Range, sync::LazyLock};

use regex::Regex;

use super::{
    find_merchant::{Printed, has_code},
    fold::fold_name,
    judge_merchant::{DOMAIN, matches},
    layout::Layout,
    rank::Features,
    words,
};

/// Rows that are compared with a name.
const MAX_ROWS: usize = 80;
/// Web and mail addresses of one paper that are compared.
const MAX_DOMAINS: usize = 12;
/// Words of one name that are looked at.
const MAX_WORDS: usize = 12;
/// Letters from which a word counts.
const MIN_WORD_CHARS: usize = 3;
/// Composed names of one paper.
const MAX_COMPOSED: usize = 4;
/// Rows at the head whose generic names are completed.
const COMPOSED_ROWS: usize = 4;

/// Words that say what kind of place it is and never which.
static GENERIC: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?i)^(?:restaurants?|restoran|ristorante|restaurante|pizzeria|trattoria|osteria|taqueria|brasserie|cafeteria|cafe|café|caffe|caffè|coffee|",
        r"kopitiam|bakery|bäckerei|baeckerei|konditorei|confiserie|boulangerie|creperie|crêperie|patisserie|pâtisserie|metzgerei|drogerie|imbiss|hotel|gasthaus|gasthof|",
        r"landgasthof|bistro|bar|grill|kitchen|market|markt|mart|supermarket|supermarkt|pharmacy|apotheke|pharmacie|farmacia|farmasi|",
        r"store|shop|station|tankstelle|service|hardware|baumarkt|books?|bookshop|bookstore|gifts?|boutique|salon|clinic|klinik|parking|parkhaus|",
        r"petrol|fuel|gas|foods?|noodles?|sushi|steakhouse|steak|burgers?|pizza|deli|diner|tavern|pub|house|garden|center|centre|",
        r"wholesale|express|neighborhood|neighbourhood|italian|chinese|japanese|thai|indian|mexican|cuisine|lounge|club|wine|beer|",
        r"tea|dining|catering|takeaway|and|und|et|e|y|of|the|de|la|le|di|da)$"
    ))
    .ok()
});
/// How something is eaten: `Dine in`, `Zum Mitnehmen`, `Sur place`.
static EATEN: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?i)\b(?:dine[- ]?in|eat[- ]?in|take[- ]?(?:away|out)|to go|for here|drive[- ]?thr(?:u|ough)|hier essen|zum mitnehmen|im haus|au(?:ß|ss)er haus|(?:service )?en salle|sur place|à emporter|da asporto|al tavolo|para llevar|bungkus)\b|堂食|外带|外卖|打包|內用|外帶",
    )
    .ok()
});
/// Parts of buildings, which stand in addresses.
static PREMISES: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?i)\b(?:building|bldg|gebäude|space|terminal|concourse|gate|level|floor|etage|unit|lot|store\s?#|shop\s?\d)\b",
    )
    .ok()
});
/// The mailbox of a mail address.
static MAILBOX: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"([\p{L}\d._-]{3,40})\s?@").ok());

/// Whether a word, or each part of a hyphenated one, says what kind of place it is and never which.
fn is_generic(word: &str) -> bool {
    word.split('-')
        .map(|part| part.trim_matches(|c: char| !c.is_alphanumeric()))
        .all(|p| p.is_empty() || matches(&GENERIC, p))
}

fn all_generic(text: &str) -> bool {
    !text.trim().is_empty() && text.split_whitespace().take(MAX_WORDS).all(is_generic)
}

/// Share of capitals among the letters of `text`, 0 to 1.
fn capitals(text: &str) -> f32 {
    let count = |test: fn(&char) -> bool| text.chars().filter(test).count() as f32;
    count(|c| c.is_uppercase()) / count(|c| c.is_alphabetic()).max(1.0)
}

/// The paper as far as words of names are compared with it, gathered once.
pub struct Wording {
    /// Folded rows.
    rows: Vec<String>,
    /// Positions in the folded rows where a word begins or ends.
    seams: Vec<Vec<usize>>,
    /// Names of web addresses as printed, with the mailbox before them.
    domain_names: Vec<String>,
    /// The same, folded.
    domains: Vec<String>,
}

impl Wording {
    /// Reads the paper.
    pub fn new(layout: &Layout<'_>) -> Self {
        let texts = || layout.rows.iter().take(MAX_ROWS).map(|r| r.text.as_str());
        let domain_names = domains(layout);
        Self {
            rows: texts().map(fold_name).collect(),
            seams: texts().map(seams_of).collect(),
            domains: domain_names.iter().map(|d| fold_name(d)).filter(|d| !d.is_empty()).collect(),
            domain_names,
        }
    }

    /// Generic names with the word that the paper's web address adds: `RISTORANTE PIZZERIA` and `www.pizzeria-nordtor.ch`
    /// make `RISTORANTE PIZZERIA Nordtor`.
    pub fn composed(&self, layout: &Layout<'_>) -> Vec<Printed> {
        let added: Vec<String> = self.domain_names.iter().filter_map(|domain| added_word(domain)).collect();
        let generic = layout.segments.iter().enumerate().filter(|(_, s)| s.row < COMPOSED_ROWS && all_generic(&s.text));
        let composed = generic.flat_map(|(at, segment)| {
            let whole = 0..segment.text.len();
            added.iter().map(move |word| {
                let text = format!("{} {word}", segment.text.trim());
                Printed { stripped: true, ..Printed::piece(layout, at, &whole, text) }
            })
        });
        composed.take(MAX_COMPOSED).collect()
    }

    /// Adds what the words of `name` say, which reads `text`, folded `folded`.
    pub fn judge(&self, layout: &Layout<'_>, name: &Printed, text: &str, folded: &str, f: &mut Features) {
        let own = name.row..name.row + name.rows;
        let words: Vec<&str> = text.split_whitespace().take(MAX_WORDS).collect();
        let is_lone = |word: &&str| fold_name(word).chars().count() == 1 && !word.contains(['&', '+']);
        let ends = [words.first(), words.last()];
        f.flag("lone_letter", words.len() > 1 && folded.len() > 3 && ends.into_iter().flatten().any(is_lone));
        f.flag("only_trade", words.iter().all(|w| is_generic(w)));
        self.judge_echoes(folded, &own, f);
        if name.rows > 1 {
            self.judge_rows(layout, &own, f);
        } else {
            f.flag("eaten", matches(&EATEN, text));
            f.flag("code", has_code(text));
            f.flag("nearly_title", words::is_nearly_title(text));
            f.flag("premises", matches(&PREMISES, text));
        }
    }

    /// Whether other rows say the name only inside a longer word, `mia's` in `Emmia's`: a logo that lost its first letter.
    fn judge_echoes(&self, folded: &str, own: &Range<usize>, f: &mut Features) {
        if folded.chars().count() < MIN_WORD_CHARS {
            return;
        }
        let (mut as_words, mut inside) = (false, false);
        for (_, (row, seams)) in self.rows.iter().zip(&self.seams).enumerate().filter(|(at, _)| !own.contains(at)) {
            if let Some(at) = row.find(folded) {
                let whole = seams.contains(&at) && seams.contains(&(at + folded.len()));
                as_words |= whole;
                inside |= !whole;
            }
        }
        f.flag("echo_inside", inside && !as_words);
    }

    /// Whether the rows of a joined name belong together.
    fn judge_rows(&self, layout: &Layout<'_>, own: &Range<usize>, f: &mut Features) {
        let texts: Vec<&str> = own.clone().filter_map(|at| layout.rows.get(at)).map(|r| r.text.trim()).collect();
        let Some((first, rest)) = texts.split_first() else { return };
        let one_word = |text: &&str| text.split_whitespace().count() == 1;
        f.flag("first_row_only_trade", all_generic(first));
        f.flag("rest_only_trade", rest.iter().all(|r| all_generic(r)));
        f.flag("rows_one_word", texts.iter().all(one_word));
        f.set("rows_case", 1.0 - rest.iter().map(|r| (capitals(first) - capitals(r)).abs()).fold(0.0, f32::max));
        let rest: Vec<String> = rest.iter().map(|r| fold_name(r)).filter(|r| r.chars().count() > 3).collect();
        let elsewhere = |text: &String| {
            self.rows.iter().enumerate().any(|(at, row)| !own.contains(&at) && row.contains(text.as_str()))
        };
        f.flag("rest_elsewhere", rest.iter().any(elsewhere));
        f.flag("rest_in_domain", rest.iter().any(|r| self.domains.iter().any(|d| d.contains(r.as_str()))));
    }
}

/// Byte positions in the folded text of `row` where its words begin and end.
fn seams_of(row: &str) -> Vec<usize> {
    let ends = row.split(|c: char| !c.is_alphanumeric() && !matches!(c, '\'' | '’')).scan(0, |at, word| {
        *at += fold_name(word).len();
        Some(*at)
    });
    std::iter::once(0).chain(ends).collect()
}

/// Names in web addresses and mailboxes, as printed.
fn domains(layout: &Layout<'_>) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for row in layout.rows.iter().take(MAX_ROWS) {
        let mailbox =
            MAILBOX.as_ref().and_then(|p| p.captures(&row.text)).and_then(|c| c.get(1)).map_or("", |m| m.as_str());
        let names = DOMAIN.as_ref().map(|p| p.captures_iter(&row.text).filter_map(|c| c.get(1)).collect::<Vec<_>>());
        for name in names.unwrap_or_default() {
            if out.len() >= MAX_DOMAINS {
                return out;
            }
            out.push(name.as_str().to_owned());
            if !mailbox.is_empty() {
                out.push(format!("{mailbox} {}", name.as_str()));
            }
        }
    }
    out
}

/// `Nordtor` of `pizzeria-nordtor` and `restaurantnordtor`; `None` when the address has no generic word, or nothing else.
fn added_word(domain: &str) -> Option<String> {
    let parts: Vec<&str> = domain.split(['-', '_', '.', ' ']).filter(|p| !p.is_empty()).collect();
    let (generic, own): (Vec<&str>, Vec<&str>) = parts.iter().partition(|p| is_generic(p));
    let word = match (generic.as_slice(), own.as_slice()) {
        ([_, ..], [word]) => (*word).to_owned(),
        ([], [glued]) => {
            let glued = glued.to_lowercase();
            let cut = |at: usize| {
                let (head, tail) = (glued.get(..at)?, glued.get(at..)?);
                let longer = |a: &str, b: &str| a.len() >= 5 && b.len() >= 4 && is_generic(a) && !is_generic(b);
                if longer(head, tail) { Some(tail) } else { longer(tail, head).then_some(head) }
            };
            (1..glued.len()).find_map(cut)?.to_owned()
        }
        _ => return None,
    };
    let mut chars = word.chars();
    let first = chars.next()?;
    (word.chars().filter(|c| c.is_alphabetic()).count() >= MIN_WORD_CHARS)
        .then(|| first.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::tests;

    #[test]
    fn a_web_address_adds_the_word_that_tells_one_place_from_another() {
        assert_eq!(added_word("pizzeria-nordtor").as_deref(), Some("Nordtor"));
        assert_eq!(added_word("restaurantnordtor").as_deref(), Some("Nordtor"));
        assert_eq!(added_word("nordtor"), None);
        assert_eq!(added_word("pizzeria"), None);
        let page = tests::page(&["RISTORANTE PIZZERIA", "Hafenstr. 3", "www.pizzeria-nordtor.ch"], 0.0);
        let layout = Layout::new(std::slice::from_ref(&page));
        let names: Vec<String> = Wording::new(&layout).composed(&layout).into_iter().map(|n| n.text).collect();
        assert_eq!(names, ["RISTORANTE PIZZERIA Nordtor"]);
    }

    #[test]
    fn words_of_a_name_are_set_against_the_rest_of_the_paper() {
        let rows = ["mia's", "Emmia's Stube", "Gasthof Nordtor", "Kielau", "Nordtor Kielau", "www.nordtor-kielau.de"];
        let page = tests::page(&rows, 0.0);
        let layout = Layout::new(std::slice::from_ref(&page));
        let wording = Wording::new(&layout);
        let judged = |text: &str, row: usize, rows: usize| {
            let own = Printed::piece(&layout, row, &(0..layout.segments[row].text.len()), text.to_owned());
            let mut f = Features::default();
            wording.judge(&layout, &Printed { rows, piece: false, ..own }, text, &fold_name(text), &mut f);
            f
        };
        assert!(judged("mia's", 0, 1).get("echo_inside") > 0.0, "only inside another word");
        let joined = judged("Gasthof Nordtor Kielau", 2, 2);
        assert!(joined.get("rest_elsewhere") > 0.0 && joined.get("rest_in_domain") > 0.0);
        assert!(judged("Hotel Restaurant", 2, 1).get("only_trade") > 0.0);
        assert!(judged("O Nordtor", 2, 1).get("lone_letter") > 0.0);
    }
}
