//! What the rest of the paper says about a name: whether it is repeated, thanked for, a web address, and where a name
//! that takes several rows should have ended.

use std::sync::LazyLock;

use regex::Regex;

use super::{
    brand,
    find_merchant::Printed,
    fold::fold_name,
    judge_merchant::{DOMAIN, LEGAL, LEGAL_MALAYSIA, SENTENCE, TRADE, matches},
    layout::Layout,
    rank::Features,
};

/// Rows looked at; a metre of slip has about 300.
const MAX_ROWS: usize = 400;
/// Shorter names are inside other words by chance.
const MIN_ECHO_CHARS: usize = 4;
/// Web addresses of one receipt that are compared.
const MAX_DOMAINS: usize = 12;
/// Names in thanks that are kept.
const MAX_THANKED: usize = 4;
/// What is counted at most: the fifth repetition says no more than the fourth.
const MOST: f32 = 4.0;

/// `Thank you for shopping at …`, `Welcome to …`, `Danke für Ihren Einkauf bei …`: what follows is a name.
static THANKS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?i)\b(?:(?:thanks?(?: you)?|tq)\b.{0,40}?\b(?:at|with|to|from)|(?:welcome|welcomes you|bienvenue|benvenuti|willkommen)\s*(?:to|at|chez|da|bei|im|in)|(?:dank|einkauf|besuch)\b.{0,30}?\b(?:bei|im)|(?:visite|achat)\b.{0,20}?\bchez|choosing|visiting)\s+(?:the\s+)?",
    )
    .ok()
});
/// Thanks end on one row and the name follows on the next: `Thank you for shopping` / `at …`.
static GIVER: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?i)^\W*(?:at|with|to|bei|chez)\s+(?:the\s+)?").ok());
static THANKING: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?i)\b(?:thanks?|tq|welcome|danke?|merci)\b").ok());
/// What shops say of themselves.
static SLOGAN: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?i)\b(?:always|low(?:est)? prices?|everyday|since|est\.?\s?\d{4}|established|more|less|saving|doing|feed|love|fresh|quality|best|finest|fine food|taste|better|world'?s|home of|the way|family|feedback|survey|expires?|free|buy one|get|go to|offer|win|für sie|immer|einfach|günstig)\b|[.!]$",
    )
    .ok()
});
/// What tells one branch from another.
static BRANCH: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?i)#\s?\d|\b(?:branch|outlet|cawangan|filiale|succursale|store\s?(?:no|#|\d)|shop\s?\d|cafe \d|unit|mall|plaza|airport|terminal|centre|center|central|supercent(?:er|re)|station)\b|\d{3,}",
    )
    .ok()
});
/// Codes and numbers that no name begins with.
static MANY_DIGITS: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\d{3,}|#\s?:").ok());
/// Towns and countries that stand alone under a name: `NORDTOR` / `MADRID`.
static TOWN: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?i)^\W*(?:new york|nyc|los angeles|chicago|houston|dallas|austin|boston|seattle|denver|miami|atlanta|phoenix|las vegas|san [a-z]+|santa [a-z]+|portland|orlando|washington|philadelphia|honolulu|toronto|vancouver|montreal|ottawa|calgary|",
        r"london|manchester|birmingham|dublin|edinburgh|glasgow|paris|lyon|marseille|nice|bruxelles|brussels|amsterdam|rotterdam|madrid|barcelona|sevilla|valencia|lisboa|porto|roma|rome|milano|firenze|venezia|napoli|",
        r"berlin|hamburg|münchen|munich|köln|frankfurt|stuttgart|düsseldorf|leipzig|dresden|hannover|bremen|wien|vienna|graz|salzburg|zürich|zurich|luzern|bern|basel|genève|geneva|lausanne|lugano|prague|praha|budapest|warszawa|",
        r"dubai|abu dhabi|doha|istanbul|athens|moscow|singapore|hong kong|macau|taipei|tokyo|osaka|seoul|bangkok|phuket|jakarta|bali|manila|hanoi|sydney|melbourne|brisbane|perth|auckland|",
        r"kuala lumpur|kl|johor(?: bahru)?|penang|ipoh|melaka|malacca|shah alam|petaling jaya|pj|klang|subang(?: jaya)?|cheras|ampang|puchong|seremban|kuching|kota kinabalu|kajang|malaysia|",
        r"beijing|shanghai|shenzhen|guangzhou|deutschland|germany|schweiz|suisse|switzerland|österreich|austria|france|italia|italy|españa|spain|usa|u\.s\.a|united states|canada|uk|united kingdom|ireland|nederland|the netherlands|netherlands|belgië|belgique|belgium|luxembourg|polska|poland|česko|danmark|denmark|sverige|sweden|norge|norway|suomi|finland|portugal|india|thailand|indonesia|philippines|vietnam|qatar|uae|australia|new zealand|japan|korea|taiwan|china)\W*$"
    ))
    .ok()
});
/// Ends as no name does.
static OPEN_END: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?i)(?:&|\+|-|,|\b(?:and|und|et|e|y|of|de|du|la|le|the|der|die|das|zum|zur|am|al|el|di|da|dan))$").ok()
});

/// What is said about names anywhere on the paper, gathered once.
pub struct Surroundings {
    /// Folded rows.
    rows: Vec<String>,
    /// Rows with a legal form.
    legal: Vec<bool>,
    domains: Vec<String>,
    thanked: Vec<String>,
}

impl Surroundings {
    /// Reads the paper.
    pub fn new(layout: &Layout<'_>) -> Self {
        let texts = || layout.rows.iter().take(MAX_ROWS).map(|r| r.text.as_str());
        let in_domain = |text: &str| -> Vec<String> {
            let names = DOMAIN.as_ref().map(|p| p.captures_iter(text).filter_map(|c| c.get(1)).collect::<Vec<_>>());
            names.unwrap_or_default().into_iter().map(|m| fold_name(m.as_str())).collect()
        };
        Self {
            rows: texts().map(fold_name).collect(),
            legal: texts().map(|t| matches(&LEGAL, t) || matches(&LEGAL_MALAYSIA, t)).collect(),
            domains: texts().flat_map(in_domain).take(MAX_DOMAINS).collect(),
            thanked: thanked(layout)
                .into_iter()
                .map(|(at, from)| fold_name(&layout.segments[at].text[from..]))
                .collect(),
        }
    }

    /// Rows outside of `own` that contain `folded`, counted up to [`MOST`].
    fn elsewhere(&self, folded: &str, own: &std::ops::Range<usize>) -> f32 {
        if folded.chars().count() < MIN_ECHO_CHARS {
            return 0.0;
        }
        let others = self.rows.iter().enumerate().filter(|(at, row)| !own.contains(at) && row.contains(folded));
        (others.count() as f32).min(MOST)
    }

    /// Adds what speaks for and against `name`, which reads `text`, folded `folded`.
    pub fn judge(&self, layout: &Layout<'_>, name: &Printed, text: &str, folded: &str, f: &mut Features) {
        let own = name.row..name.row + name.rows;
        let row_text = |at: usize| layout.rows.get(at).map_or("", |r| r.text.as_str());
        f.set("elsewhere", self.elsewhere(folded, &own));
        f.flag("domain_is", folded.len() >= MIN_ECHO_CHARS && self.domains.iter().any(|d| d == folded));
        f.flag("thanked", self.is_thanked(folded));
        f.flag("slogan", matches(&SLOGAN, text));
        f.flag("branch", matches(&BRANCH, text));
        f.flag("town", matches(&TOWN, text));
        f.flag("open_end", matches(&OPEN_END, text.trim_end()));
        f.flag("bracket_follows", row_text(own.end).trim_start().starts_with(['(', '（']));
        f.flag("town_follows", matches(&TOWN, row_text(own.end)));
        f.flag("slogan_follows", matches(&SLOGAN, row_text(own.end)));
        self.judge_bare(text, folded, name.stripped, f);
        if name.rows > 1 {
            let first = row_text(name.row);
            let first_folded = self.rows.get(name.row).map_or("", String::as_str);
            let rest = (own.start + 1..own.end).map(row_text);
            f.flag("first_row_brand", brand::is_brand(first));
            f.flag("first_row_domain", self.domains.iter().any(|d| d == first_folded));
            f.flag("first_row_trade", matches(&TRADE, first));
            f.flag("first_row_legal", matches(&LEGAL, first) || matches(&LEGAL_MALAYSIA, first));
            f.set("first_row_words", (first.split_whitespace().count() as f32 / 4.0).min(1.5));
            f.set("first_row_elsewhere", self.elsewhere(first_folded, &own));
            f.flag("first_row_open", matches(&OPEN_END, first.trim_end()));
            f.flag("first_row_sentence", matches(&SENTENCE, first) || matches(&SLOGAN, first));
            f.flag("first_row_number", matches(&MANY_DIGITS, first));
            let again = folded.strip_prefix(first_folded).is_some_and(|rest| rest.contains(first_folded));
            f.flag("rest_repeats", first_folded.len() >= MIN_ECHO_CHARS && again);
            f.flag("rest_slogan", rest.clone().any(|r| matches(&SLOGAN, r)));
            f.flag("rest_branch", rest.clone().any(|r| matches(&BRANCH, r)));
            f.flag("rest_town", rest.clone().any(|r| matches(&TOWN, r)));
            f.flag("rest_trade", rest.clone().any(|r| matches(&TRADE, r)));
            f.flag("rest_bracket", rest.clone().any(|r| r.trim_start().starts_with(['(', '（'])));
            f.set("rest_words", (rest.map(|r| r.split_whitespace().count()).sum::<usize>() as f32 / 4.0).min(1.5));
        }
    }

    /// How often the name stands without its legal form: `Nordtor GmbH` once and `Nordtor` three times.
    fn judge_bare(&self, text: &str, folded: &str, stripped: bool, f: &mut Features) {
        let cut = LEGAL.as_ref().and_then(|p| p.find_iter(text).last()).map(|m| fold_name(&text[..m.start()]));
        let Some(core) = cut.or_else(|| stripped.then(|| folded.to_owned())).filter(|c| c.chars().count() >= 3) else {
            return;
        };
        let bare = self.rows.iter().zip(&self.legal).filter(|(row, legal)| !**legal && row.contains(&core)).count();
        f.set("bare_rows", (bare as f32).min(MOST));
        f.flag("bare_row", self.rows.contains(&core));
        f.flag("bare_domain", self.domains.contains(&core));
    }

    fn is_thanked(&self, folded: &str) -> bool {
        folded.chars().count() >= MIN_ECHO_CHARS
            && self
                .thanked
                .iter()
                .any(|t| t.len() >= MIN_ECHO_CHARS && (t.starts_with(folded) || folded.starts_with(t.as_str())))
    }
}

/// Segments in which somebody is thanked for coming to a name, and the byte at which it begins.
fn thanked(layout: &Layout<'_>) -> Vec<(usize, usize)> {
    let mut out: Vec<(usize, usize)> = Vec::new();
    for (at, segment) in layout.segments.iter().enumerate().filter(|(_, s)| s.row < MAX_ROWS) {
        let text = segment.text.as_str();
        let same_row = THANKS.as_ref().and_then(|p| p.find(text)).map(|m| m.end());
        let thanked_above = || {
            let above = segment.row.checked_sub(1).and_then(|r| layout.rows.get(r)).map_or("", |r| r.text.as_str());
            matches(&THANKING, above).then(|| GIVER.as_ref()?.find(text).map(|m| m.end())).flatten()
        };
        if let Some(from) = same_row.or_else(thanked_above)
            && text[from..].chars().filter(|c| c.is_alphabetic()).count() >= 3
            && out.len() < MAX_THANKED
        {
            out.push((at, from));
        }
    }
    out
}

/// Names in thanks and welcomes, as printed.
pub fn find(layout: &Layout<'_>) -> Vec<Printed> {
    let piece = |(at, from): (usize, usize)| {
        let range = from..layout.segments[at].text.len();
        let text = layout.segments[at].text[range.clone()].to_owned();
        Printed::piece(layout, at, &range, text)
    };
    thanked(layout).into_iter().map(piece).collect()
}

/// The text with letters where recognition saw a digit inside a word: `Mi1ler 0'Neill` → `Miller O'Neill`. Numbers, codes
/// and words that end in digits stay as they are.
pub fn with_letters(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let letter = |at: Option<usize>| at.and_then(|a| chars.get(a)).is_some_and(|c| c.is_alphabetic());
    let lower = |at: Option<usize>| at.and_then(|a| chars.get(a)).is_some_and(|c| c.is_lowercase());
    let mended = chars.iter().enumerate().map(|(at, c)| {
        let (before, after) = (at.checked_sub(1), Some(at + 1));
        let inside = letter(before) && letter(after);
        let opens_name = || {
            let starts = before.is_none_or(|b| chars[b].is_whitespace());
            let apostrophe = chars.get(at + 1).is_some_and(|c| matches!(c, '\'' | '’')) && letter(Some(at + 2));
            starts && (apostrophe || (lower(after) && lower(Some(at + 2)) && lower(Some(at + 3))))
        };
        match c {
            '1' if inside && (lower(before) || lower(after)) => 'l',
            '0' if inside && lower(before) => 'o',
            '0' if inside || opens_name() => 'O',
            other => *other,
        }
    });
    mended.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_inside_words_become_the_letters_they_look_like() {
        for (read, meant) in [
            ("Mi1ler 0'Neill", "Miller O'Neill"),
            ("N0RDTOR", "NORDTOR"),
            ("Nordt0r", "Nordtor"),
            ("0akfield Inn", "Oakfield Inn"),
            ("SECTOR B1A", "SECTOR B1A"),
            ("24 Hours, Gate 10, A1 Garage, 1st Floor", "24 Hours, Gate 10, A1 Garage, 1st Floor"),
            ("Cafe 1001", "Cafe 1001"),
        ] {
            assert_eq!(with_letters(read), meant);
        }
    }

    #[test]
    fn towns_and_slogans_are_told_from_names() {
        for town in ["MADRID", "Kuala Lumpur.", "San Telmo"] {
            assert!(matches(&TOWN, town), "{town}");
        }
        for name in ["Bistro Madrid", "Nordtor", "The London Stationer"] {
            assert!(!matches(&TOWN, name), "{name}");
        }
        assert!(matches(&SLOGAN, "ALWAYS LOW PRICES"));
        assert!(!matches(&SLOGAN, "Nordtor Handels"));
    }
}
