//! What speaks for and against a printed name being the merchant.

use std::sync::LazyLock;

use regex::Regex;

use super::{
    dates,
    find_merchant::{HEAD_ROWS, LOGO_ROWS, Printed},
    fold::{fold_name, is_cjk},
    layout::Layout,
    numbers,
    rank::Features,
    times,
    words::{self, Label as L},
};
use crate::domain::time::CivilDate;

/// Rows looked at as a whole.
const MAX_ROWS: usize = 400;
/// Width of the text in text heights from which a page is no slip: an A4 letter has about 40 to 60, a slip 15 to 25.
const FULL_PAGE: f32 = 32.0;

fn regex(pattern: &str) -> Option<Regex> {
    Regex::new(pattern).ok()
}

pub static LEGAL: LazyLock<Option<Regex>> = LazyLock::new(|| {
    regex(
        r"(?i)\b(?:gmbh|mbh|ag|kg|ohg|ug|e\.?k|gbr|sarl|s\.?à\.?r\.?l|s\.?a\.?s|sas|sa|s\.p\.a|spa|s\.?r\.?l|srl|snc|s\.a|b\.?v|n\.?v|ltd|limited|llc|l\.l\.c|llp|inc|corp|co|plc|pte|pty|ab|oy|a/s|aps|enterprise|enterprises|trading|holdings|company|genossenschaft)\b\.?",
    )
});
pub static LEGAL_MALAYSIA: LazyLock<Option<Regex>> = LazyLock::new(|| {
    regex(
        r"(?i)s[do0]n\.?\s?,?\.?\s?bh?[do0n]\b|\bs[diou0b]?n\.?\s?,?\.?\s?[b83]h[dino0]\b|\bberhad\b|\bsdn\b|\bbhd\b|\bs\s?/\s?[bd]\b|\bplt\b|\benterprise\b",
    )
});
static LEGAL_CHINA: LazyLock<Option<Regex>> = LazyLock::new(|| {
    regex(
        "有限公司|有限责任公司|股份|公司|集团|商店|商行|酒店|餐厅|饭店|超市|便利店|药房|医院|学校|出版社|銀行|银行|株式会社|合作社|经营部|服务部",
    )
});
/// Legal forms that everyday use leaves out: `Nordtor` for `Nordtor GmbH`.
pub static LEGAL_LEFT_OUT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    regex(
        r"(?i)\b(?:gmbh|mbh|ag|kg|ohg|ug|e\.?k|gbr|sarl|s\.?à\.?r\.?l|s\.?a\.?s|sas|s\.p\.a|spa|s\.?r\.?l|srl|snc|inc)\b",
    )
});
/// A street with its number, or a town with its code: an address and no name, while `ADDRESS` also meets names.
static STREET: LazyLock<Option<Regex>> = LazyLock::new(|| {
    regex(concat!(
        r"(?i)^\W*(?:no\.?\s?)?\d{1,5}[a-z]?[,.]?\s+(?:[\p{L}\d'.]+\s+){1,4}(?:street|st|road|rd|avenue|ave|blvd|boulevard|lane|ln|drive|dr|hwy|highway|parkway|pkwy|way|court|ct|plaza|square|sq|place|pl|row|village|bldg|building)\b",
        r"|(?:stra(?:ss|ß)e|str\.?|gasse|platz|weg|allee|ring|damm|ufer)\s*\d+",
        r"|^\W*(?:no\.?\s?)?[a-z]{0,2}\d[\w/-]*\s?,?\s*(?:jalan|jln|jl|lorong|lot|taman|tmn|persiaran|lebuh)\b",
        r"|\b(?:rue|via|viale|piazza|corso|chemin|route|avenue|calle|jalan|jln|jl|lorong|lot|hwy|broadway)\b.*\d",
        r"|^\W*(?:[A-Z]{1,2}-)?\d{4,6}\s+\p{L}{3}|^[\p{L} .]+,?\s+(?-i:A[KLRZ]|C[AOT]|D[CE]|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|PA|RI|S[CD]|T[NX]|UT|V[AT]|W[AIVY])\.?(?:\s+\d{5}(?:-\d{4})?)?\W*$",
    ))
});
/// Begins with a word that only places begin with.
static PLACE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    regex(
        r"(?i)^\W*(?:jalan|jln|jl|lorong|lrg|lot|taman|tmn|kawasan|persiaran|lebuh|lebuhraya|kampung|kg|bandar|seksyen|pusat perniagaan|off jalan|ground floor|\d(?:st|nd|rd|th) (?:floor|flr))\b",
    )
});
/// A number under which a company is registered, alone on its row: `(654321-W)`, `CO. NO. AB0123456-C`, `987654-P`.
static ONLY_REGISTRATION: LazyLock<Option<Regex>> = LazyLock::new(|| {
    regex(
        r"(?i)^\W*(?:(?:co(?:mpany)?|roc|reg(?:istration)?|business)\W{0,2}\s?(?:reg\w*\W{0,2}\s?)?(?:no)?\W{0,3}\s?)?(?:[a-z]{1,3}\s?)?\d{4,12}\s?[-–·~.]?\s?[a-z]{0,2}\W*$",
    )
});
/// Nothing but a legal form.
static ONLY_LEGAL: LazyLock<Option<Regex>> =
    LazyLock::new(|| regex(r"(?i)^\W*(?:s[do0]n\.?\s?bh?[do0]|bhd|gmbh|ag|ltd|inc|llc|s/b|sa|co)\W*$"));
pub static TRADE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    regex(
        r"(?i)restaurant|restoran|ristorante|pizzeria|cafe|café|coffee|kopitiam|bakery|bäckerei|konditorei|confiserie|boulangerie|hotel|gasthaus|gasthof|bistro|bar\b|grill|kitchen|market|mart\b|supermarket|pharmacy|apotheke|farmasi|store|shop|station|hardware|books?|gift|boutique|salon|clinic|klinik|parking|petrol|fuel|mini ?market|foods?|noodle|sushi|steak|\bburger|pizza|deli\b|diner|tavern|pub\b|house|garden|center|centre|餐|饭|酒|茶|咖啡|超市|店|馆|館|楼|坊|堂|屋",
    )
});
pub static ADDRESS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    regex(concat!(
        r"(?i)\b(?:jalan|jln|jin|lorong|lot|taman|tmn|kawasan|persiaran|lebuh|kampung|bandar|seksyen|section|street|st\.|road|rd|avenue|ave|blvd|boulevard|lane|drive|dr\.|highway|hwy|suite|floor|level|block|blk|unit|plaza|mall|no\.?\s?\d+|p\.?o\.?\s?box|johor|selangor|kuala|penang|malaysia|singapore)\b",
        r"|(?:stra(?:ss|ß)e|str\.|gasse|platz|weg|allee|rue|via|viale|piazza|corso|chemin|route|quai)\b|\b\d{5}\b|\bCH-?\d{4}\b|^\s*\d{4}\s+\p{L}{3}|\b[A-Z]{2}\s+\d{5}|[省市区县區縣]\S*[路街道号號弄巷]|地址"
    ))
});
pub static CONTACT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    regex(
        r"(?i)\b(?:tel|fax|phone|hotline|e-?mail|www|http|gst|sst|vat|abn|uid|mwst|ust|che-)\b|@\w|www\.|\.(?:com|ch|de|net|org)\b|\+?\d[\d\s()/.-]{7,}\d|电话|電話|网址|税号|识别号",
    )
});
/// A company registration number and whatever follows it.
pub static REGISTRATION: LazyLock<Option<Regex>> = LazyLock::new(|| {
    regex(concat!(
        r"(?i)[\s,]*(?:[\(\[{]\s*)?(?:co(?:mpany)?[-.\s]*reg|reg(?:istration)?\.?\s*no|co(?:mpany)?\.?\s*no|roc)\b.*$",
        r"|[\s,]*[\(\[{]\s*(?:[A-Z]{1,3}\s?)?\d{4,9}\s*[-·~.]?\s*[A-Z]{0,2}\s*[\)\]}].*$",
        r"|[\s,]*\b\d{5,7}\s*-\s*[A-Z]\b.*$|[\s,]*\b[A-Z]{2}\d{7}-[A-Z]\b.*$|[\s,]*\(?20\d{10}\b.*$"
    ))
});
/// A web or mail address; the first group is the name in it.
pub static DOMAIN: LazyLock<Option<Regex>> = LazyLock::new(|| {
    regex(
        r"(?i)(?:www\.|@|https?://)?\b(?:[a-z]{3,12}\.)?([\p{L}\d-]{3,40})\.(?:(?:co|com|org|gov)\.)?(?:com|net|org|de|ch|at|fr|it|my|uk|us|cn|eu|sg|ca|au|info)\b",
    )
});
/// The owner's name follows.
static OWNED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    regex(r"(?i)\b(?:own(?:ed)?|operated|managed)\s?by\b|\b(?:dimiliki|diusahakan)\b|\b(?:inhaber|inh\.|betreiber)")
});
/// Words of sentences rather than names, in the languages receipts thank in.
pub static SENTENCE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    regex(
        r"(?i)\b(?:thanks?|tq|with|shopping|manager|operator|welcome|please|you|your|our|us|we|it's|save|saving|savings|better|feedback|survey|visit|again|come|open|hours?|daily|online|call|contact|give|get|for|returns?|refund|exchange|goods|sold|customer|copy|guest|cashier|served|server|order|table|dine|take|sale|date|time|price|item|items|description|qty|amount|bedient|ihr|ihre|unser|unsere|mein|meine|dein|wir|sie|danke|dank|besuch|einkauf|öffnungszeiten|uhr|willkommen|bitte|selber|macht|freude|merci|bienvenue|votre|vous|nous|visite|grazie|vostra|arrivederci|benvenuti|terima|kasih|sila|datang|selamat)\b|谢谢|欢迎|光临|惠顾|多谢",
    )
});

pub fn matches(pattern: &LazyLock<Option<Regex>>, text: &str) -> bool {
    pattern.as_ref().is_some_and(|p| p.is_match(text))
}

/// What the head of the paper looks like as a whole.
pub struct Head {
    today: CivilDate,
    /// First row that could be a name.
    first_name: usize,
    first_amount: usize,
    first_address: usize,
    tallest: f32,
    /// Folded rows below the first four.
    later: Vec<String>,
    /// A Malaysian legal form stands on the paper.
    is_malaysian: bool,
    /// A page of an office rather than the slip of a till: lines are long against the height of their letters.
    is_full_page: bool,
    /// All folded rows.
    all: Vec<String>,
    domains: Vec<String>,
}

impl Head {
    pub fn new(layout: &Layout<'_>, today: CivilDate) -> Self {
        let rows = || layout.rows.iter().enumerate().take(MAX_ROWS);
        let first = |test: &dyn Fn(&str) -> bool| rows().find(|(_, r)| test(&r.text)).map_or(usize::MAX, |(i, _)| i);
        let has_amount = |text: &str| numbers::find(text).iter().any(|a| a.decimals == 2 && !a.percent);
        let named = |text: &str| {
            let letters = text.chars().filter(|c| c.is_alphabetic()).count();
            let digits = text.chars().filter(char::is_ascii_digit).count();
            let covered: usize = words::find(text).iter().map(|h| h.end - h.start).sum();
            let enough = letters >= 3 || text.chars().filter(|c| is_cjk(*c)).count() >= 2;
            enough
                && digits * 3 < letters
                && covered * 2 < text.len()
                && !matches(&ADDRESS, text)
                && !matches(&CONTACT, text)
                && !has_amount(text)
                && dates::find(text, today).is_empty()
        };
        Self {
            today,
            first_name: first(&named),
            first_amount: first(&has_amount),
            first_address: first(&|text| matches(&ADDRESS, text) || matches(&CONTACT, text)),
            tallest: layout.rows.iter().take(HEAD_ROWS).map(|r| r.height).fold(1.0, f32::max),
            all: rows().map(|(_, r)| fold_name(&r.text)).collect(),
            later: rows().skip(4).map(|(_, r)| fold_name(&r.text)).collect(),
            domains: domains(layout),
            is_malaysian: rows().any(|(_, r)| matches(&LEGAL_MALAYSIA, &r.text)),
            is_full_page: layout.frame.is_some_and(|f| f.right - f.left > FULL_PAGE * layout.median_height),
        }
    }
}

pub fn judge(layout: &Layout<'_>, name: &Printed, text: &str, folded: &str, head: &Head) -> Features {
    let mut f = Features::default();
    f.flag("base", true);
    let below_first = layout.rows.get(name.row + name.rows - 1).map_or("", |r| r.text.as_str());
    for (row, feature) in ["row_0", "row_1", "row_2", "row_3", "row_4"].into_iter().enumerate() {
        f.flag(feature, name.row == row);
    }
    f.flag("deep", name.row >= HEAD_ROWS);
    f.flag("legal", matches(&LEGAL, text));
    f.flag("legal_malaysia", matches(&LEGAL_MALAYSIA, text));
    f.flag("legal_china", matches(&LEGAL_CHINA, text));
    f.flag("legal_left_out", matches(&LEGAL_LEFT_OUT, text));
    f.flag("street", matches(&STREET, text));
    f.flag("place", matches(&PLACE, text));
    f.flag("paper_malaysia", head.is_malaysian);
    f.flag("full_page", head.is_full_page);
    // `STATIONERY SDN BHD` is the end of a name, `KEDAI LIMA SDN BHD` a whole one.
    f.set("words_before_legal", words_before_legal(below_first));
    f.flag(
        "owner_inside",
        name.rows > 1 && OWNED.as_ref().is_some_and(|p| p.find(text).is_some_and(|m| m.start() > 0)),
    );
    f.flag("exclaims", text.ends_with(['!', '?']));
    f.flag("numbered", text.contains('#'));
    f.flag("only_legal", matches(&ONLY_LEGAL, text));
    f.flag("piece", name.piece);
    f.flag("stripped", name.stripped);
    f.flag("three_rows", name.rows > 2);
    f.flag("unbalanced", text.matches(['(', '（']).count() != text.matches([')', '）']).count());
    f.flag("small_logo", name.row < 5 && text.chars().count() < 12 && text.chars().all(char::is_lowercase));
    f.flag("first_name", name.row == head.first_name && !name.piece);
    f.flag("after_amounts", name.row > head.first_amount);
    f.flag("after_address", name.row > head.first_address);
    f.flag("before_address", name.row < head.first_address && head.first_address < usize::MAX);
    f.flag("ends_legal", name.rows > 1 && (matches(&LEGAL, below_first) || matches(&LEGAL_MALAYSIA, below_first)));
    f.flag("trade", matches(&TRADE, text));
    f.flag("address", matches(&ADDRESS, text));
    f.flag("contact", matches(&CONTACT, text));
    f.flag("date", !dates::find(text, head.today).is_empty() || !times::find(text).is_empty());
    f.flag("amount", numbers::find(text).iter().any(|a| a.decimals == 2));
    f.flag("seller", name.seller);
    f.flag("mended", name.is_mended);
    f.flag("mendable", !name.is_mended && name.row < LOGO_ROWS && super::brand::is_mendable(text));
    if name.is_mended {
        // Of one brand a letter away it is more likely that it was meant than of one of five.
        f.set("mended_ways", 1.0 / name.ways.max(1) as f32);
        let read = fold_name(&name.evidence.text);
        f.flag("mended_shorter", folded.chars().count() < read.chars().count());
        f.flag("mended_longer", folded.chars().count() > read.chars().count());
        f.flag("mended_first", folded.chars().next() != read.chars().next());
    }
    super::brand::judge(text, &mut f);
    f.flag("sentence", matches(&SENTENCE, text));
    f.flag("sentence_row", matches(&SENTENCE, &name.evidence.text));
    f.set("height", (name.height / head.tallest.max(1.0)).clamp(0.0, 1.5));
    f.set("row", (name.row as f32).min(30.0));
    f.set("from_first", (name.row as f32 - head.first_name.min(30) as f32).clamp(-5.0, 10.0));
    f.set("to_address", (head.first_address.min(60) as f32 - name.row as f32).clamp(-10.0, 10.0));
    f.set("letters", (text.chars().filter(|c| c.is_alphabetic()).count() as f32).min(60.0));
    f.set(
        "capital",
        text.chars().filter(|c| c.is_uppercase()).count() as f32
            / text.chars().filter(|c| c.is_alphabetic()).count().max(1) as f32,
    );
    let echoes = head.all.iter().filter(|row| folded.chars().count() > 3 && row.contains(folded)).count();
    f.set("echoes", (echoes as f32).min(4.0));
    f.flag("buyer", name.buyer);
    f.flag("joined", name.rows > 1);
    let hits = words::find(text);
    let covered: usize = hits.iter().map(|h| h.end - h.start).sum();
    f.set("title", (covered as f32 / text.len().max(1) as f32).min(1.0));
    f.flag("has_title", hits.iter().any(|h| h.label == L::Title));
    let letters = text.chars().filter(|c| c.is_alphabetic()).count();
    let digits = text.chars().filter(char::is_ascii_digit).count();
    f.set("digits", digits as f32 / (letters + digits).max(1) as f32);
    let wide = text.chars().any(is_cjk);
    f.flag("short", folded.chars().count() < if wide { 3 } else { 4 });
    f.flag("long", folded.chars().count() > 40);
    f.set("words", (text.split_whitespace().count() as f32 / 6.0).min(1.5));
    f.flag("lower", text.chars().any(char::is_lowercase) && !text.chars().any(char::is_uppercase));
    f.set("tall", (name.height / layout.median_height.max(1.0) - 1.0).clamp(-0.5, 2.5));
    f.flag("tallest", name.height >= head.tallest * 0.98);
    f.set("illegible", 1.0 - name.legibility);
    f.flag(
        "domain",
        head.domains
            .iter()
            .any(|d| d.len() > 3 && (folded.contains(d.as_str()) || (folded.len() > 3 && d.contains(folded)))),
    );
    f.flag("repeated", name.row < 4 && folded.chars().count() > 3 && head.later.iter().any(|l| l.contains(folded)));
    let brand = f.get("brand") > 0.0;
    f.flag("brand_head", brand && name.row < 4);
    f.flag("brand_tallest", brand && f.get("tallest") > 0.0);
    f.flag("brand_echoed", brand && echoes >= 2);
    // What follows the name: registration number, address, telephone.
    let below = layout.rows.get(name.row + name.rows).map_or("", |r| r.text.as_str());
    f.flag("above_address", matches(&ADDRESS, below) || matches(&REGISTRATION, below));
    f.flag("above_registration", matches(&ONLY_REGISTRATION, below));
    f.flag("above_legal", matches(&LEGAL, below));
    f.flag("above_legal_malaysia", matches(&LEGAL_MALAYSIA, below));
    f.flag("above_street", matches(&STREET, below));
    let above = name.row.checked_sub(1).and_then(|r| layout.rows.get(r)).map_or("", |r| r.text.as_str());
    f.flag("below_legal", matches(&LEGAL, above));
    f.flag("below_address", matches(&ADDRESS, above));
    f.flag("in_address", matches(&ADDRESS, below) && matches(&ADDRESS, above));
    f.flag("registered", name.evidence.text.len() > text.len() + 5);
    f.flag("bracketed", text.starts_with('(') || text.starts_with('（'));
    if let Some(frame) = layout.frame
        && let Some(row) = layout.rows.get(name.row)
    {
        let width = (frame.right - frame.left).max(1.0);
        f.flag("centred", (row.bounds.centre() - frame.left - width / 2.0).abs() < 0.12 * width);
        f.set("wide", ((row.bounds.right - row.bounds.left) / width).min(1.0));
    }
    f
}

/// Words before the legal form of a row, in quarters of four; 0 without a legal form or without words.
fn words_before_legal(row: &str) -> f32 {
    let start = |pattern: &LazyLock<Option<Regex>>| pattern.as_ref()?.find(row).map(|m| m.start());
    let Some(end) = start(&LEGAL_MALAYSIA).or_else(|| start(&LEGAL)) else { return 0.0 };
    let named = |word: &&str| word.chars().any(char::is_alphabetic) && !word.starts_with('(');
    (row[..end].split_whitespace().filter(named).count() as f32 / 4.0).min(1.5)
}

fn domains(layout: &Layout<'_>) -> Vec<String> {
    let Some(pattern) = DOMAIN.as_ref() else { return Vec::new() };
    let mut out: Vec<String> = layout
        .rows
        .iter()
        .take(400)
        .flat_map(|r| {
            pattern.captures_iter(&r.text).filter_map(|c| c.get(1).map(|m| fold_name(m.as_str()))).collect::<Vec<_>>()
        })
        .take(8)
        .collect();
    out.dedup();
    out
}
