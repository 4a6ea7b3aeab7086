//! Rich text (RTF 1.9.1) as text, and the HTML that Outlook hides in it (MS-OXRTFEX).

use std::collections::BTreeMap;

use encoding_rs::{Encoding, WINDOWS_1252};

/// Groups inside each other; deeper ones are read as if they were not opened.
const MAX_DEPTH: usize = 256;
/// Bytes of text that come out.
const MAX_TEXT: usize = 2 * 1024 * 1024;
/// Fonts whose charset is remembered.
const MAX_FONTS: usize = 1_000;
/// Bytes of one control word.
const MAX_WORD: usize = 32;
/// Groups that are no text.
const ASIDE: [&str; 22] = [
    "fonttbl",
    "colortbl",
    "stylesheet",
    "info",
    "pict",
    "object",
    "header",
    "headerl",
    "headerr",
    "headerf",
    "footer",
    "footerl",
    "footerr",
    "footerf",
    "footnote",
    "listtable",
    "listoverridetable",
    "revtbl",
    "rsidtbl",
    "generator",
    "themedata",
    "filetbl",
];

/// What a rich text says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Written {
    /// The HTML it was made from.
    Html(String),
    /// Its text; cells of a table are apart by tabs.
    Plain(String),
}

/// Reads a rich text; `None` when it is none. Never fails: what is broken is left out.
pub(super) fn read(rtf: &[u8]) -> Option<Written> {
    if !rtf.starts_with(b"{\\rtf") {
        return None;
    }
    let mut reader = Reader::default();
    reader.read(rtf);
    reader.flush();
    let text = reader.out;
    Some(if reader.is_html { Written::Html(text) } else { Written::Plain(text) })
}

/// What a group holds.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Group {
    #[default]
    Text,
    Fonts,
    Aside,
}

/// What holds until the end of a group.
#[derive(Clone, Default)]
struct State {
    group: Group,
    /// The group holds markup of the HTML it was made from.
    is_markup: bool,
    /// Text that the HTML says in its own way.
    is_hidden: bool,
    /// Characters that stand for a Unicode one in programs that know none.
    fallback: Option<usize>,
    font: i32,
}

#[derive(Default)]
struct Reader {
    state: State,
    above: Vec<State>,
    /// Groups opened beyond the deepest that is kept.
    too_deep: usize,
    is_html: bool,
    codepage: i32,
    fonts: BTreeMap<i32, i32>,
    /// Bytes of the present font's charset that are not yet decoded: its characters may take two.
    bytes: Vec<u8>,
    /// Half of a character beyond the basic plane.
    half: Option<u16>,
    /// Characters that are still to be passed over after a Unicode one.
    passing: usize,
    out: String,
}

impl Reader {
    fn read(&mut self, rtf: &[u8]) {
        let mut rest = rtf;
        // Ends: each turn takes at least a byte.
        while let [first, after @ ..] = rest {
            rest = after;
            if self.out.len() + self.bytes.len() >= MAX_TEXT {
                return;
            }
            match first {
                b'{' => self.open(),
                b'}' => self.close(),
                b'\\' => rest = self.control(after),
                b'\r' | b'\n' | 0 => {}
                byte => self.byte(*byte),
            }
        }
    }

    fn open(&mut self) {
        self.flush();
        self.passing = 0;
        if self.above.len() < MAX_DEPTH {
            self.above.push(self.state.clone());
        } else {
            self.too_deep += 1;
        }
    }

    fn close(&mut self) {
        self.flush();
        self.passing = 0;
        if self.too_deep > 0 {
            self.too_deep -= 1;
        } else if let Some(state) = self.above.pop() {
            self.state = state;
        }
    }

    /// What follows a backslash; the rest after it.
    fn control<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let [first, after @ ..] = bytes else { return bytes };
        match first {
            b'\'' => {
                let Some((digits, after)) = after.split_at_checked(2) else { return &[] };
                let byte = std::str::from_utf8(digits).ok().and_then(|hex| u8::from_str_radix(hex, 16).ok());
                if let Some(byte) = byte {
                    self.byte(byte);
                }
                return after;
            }
            b'*' => {
                // A group that may be left out, unless it is the markup.
                let is_markup = after.starts_with(b"\\htmltag");
                if !is_markup {
                    self.state.group = Group::Aside;
                }
                return after;
            }
            b'~' => self.written(' '),
            b'_' => self.written('-'),
            b'\\' | b'{' | b'}' => self.byte(*first),
            b'\r' | b'\n' => self.written('\n'),
            _ => {}
        }
        if !first.is_ascii_alphabetic() {
            return after;
        }
        let letters = bytes.iter().take(MAX_WORD).take_while(|b| b.is_ascii_alphabetic()).count();
        let (word, rest) = bytes.split_at(letters);
        let digits = rest.iter().enumerate().take(11);
        let digits = digits.take_while(|(i, b)| b.is_ascii_digit() || (*i == 0 && **b == b'-')).count();
        let (number, rest) = rest.split_at(digits);
        let number = std::str::from_utf8(number).ok().and_then(|digits| digits.parse::<i32>().ok());
        let rest = rest.strip_prefix(b" ").unwrap_or(rest);
        let word = std::str::from_utf8(word).unwrap_or_default();
        if word == "bin" {
            return rest.get(usize::try_from(number.unwrap_or(0)).unwrap_or(0)..).unwrap_or(&[]);
        }
        self.word(word, number);
        rest
    }

    fn word(&mut self, word: &str, number: Option<i32>) {
        match word {
            "ansicpg" => self.codepage = number.unwrap_or(0),
            "fromhtml" => self.is_html = number != Some(0),
            "htmltag" => self.state.is_markup = true,
            "htmlrtf" => {
                self.flush();
                self.state.is_hidden = number != Some(0);
            }
            "f" => {
                self.flush();
                self.state.font = number.unwrap_or(0);
            }
            "fcharset" if self.state.group == Group::Fonts && self.fonts.len() < MAX_FONTS => {
                self.fonts.extend(codepage_of(number.unwrap_or(0)).map(|page| (self.state.font, page)));
            }
            "uc" => self.state.fallback = number.and_then(|count| usize::try_from(count).ok()),
            "u" => self.unicode(number.unwrap_or(0)),
            "par" | "line" | "row" | "sect" | "page" => self.written('\n'),
            "tab" | "cell" => self.written('\t'),
            "emdash" | "endash" => self.written('–'),
            "lquote" | "rquote" => self.written('\''),
            "ldblquote" | "rdblquote" => self.written('"'),
            "bullet" => self.written('•'),
            _ if ASIDE.contains(&word) => {
                self.state.group = if word == "fonttbl" { Group::Fonts } else { Group::Aside };
            }
            _ => {}
        }
    }

    fn is_silent(&self) -> bool {
        self.state.group != Group::Text || (self.state.is_hidden && self.is_html && !self.state.is_markup)
    }

    /// A byte in the charset of the present font.
    fn byte(&mut self, byte: u8) {
        if self.passing > 0 {
            self.passing -= 1;
        } else if !self.is_silent() {
            self.bytes.push(byte);
        }
    }

    /// A character by its UTF-16 unit, negative above 32767; programs that know none show what follows it instead.
    fn unicode(&mut self, unit: i32) {
        self.flush();
        self.passing = self.state.fallback.unwrap_or(1);
        let unit = u16::try_from(unit.rem_euclid(0x1_0000)).unwrap_or(0);
        let units = self.half.take().into_iter().chain([unit]);
        for read in char::decode_utf16(units) {
            match read {
                Ok(c) => self.written(c),
                Err(half) if (0xD800..0xDC00).contains(&half.unpaired_surrogate()) => {
                    self.half = Some(half.unpaired_surrogate());
                }
                Err(_) => {}
            }
        }
    }

    fn written(&mut self, c: char) {
        self.flush();
        if !self.is_silent() {
            self.push(c);
        }
    }

    /// Decodes what waits.
    fn flush(&mut self) {
        if self.bytes.is_empty() {
            return;
        }
        let page = self.fonts.get(&self.state.font).copied().unwrap_or(self.codepage);
        // Nobody guesses here: a run may be one letter, and rich text says what it is in.
        let bytes = std::mem::take(&mut self.bytes);
        let encoding = Encoding::for_label(label(page).as_bytes()).unwrap_or(WINDOWS_1252);
        let text = encoding.decode_without_bom_handling(&bytes).0;
        text.chars().for_each(|c| self.push(c));
    }

    fn push(&mut self, c: char) {
        match c {
            '<' if self.is_html && !self.state.is_markup => self.out.push_str("&lt;"),
            '>' if self.is_html && !self.state.is_markup => self.out.push_str("&gt;"),
            '&' if self.is_html && !self.state.is_markup => self.out.push_str("&amp;"),
            c => self.out.push(c),
        }
    }
}

/// The code page of a font's charset.
const fn codepage_of(charset: i32) -> Option<i32> {
    Some(match charset {
        0 => 1252,
        128 => 932,
        129 => 949,
        134 => 936,
        136 => 950,
        161 => 1253,
        162 => 1254,
        177 => 1255,
        178 => 1256,
        186 => 1257,
        204 => 1251,
        222 => 874,
        238 => 1250,
        _ => return None,
    })
}

/// The name of a code page among charsets.
fn label(codepage: i32) -> String {
    match codepage {
        932 => "shift_jis".to_owned(),
        936 => "gbk".to_owned(),
        949 => "euc-kr".to_owned(),
        950 => "big5".to_owned(),
        65001 => "utf-8".to_owned(),
        0 => "windows-1252".to_owned(),
        page => format!("windows-{page}"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn plain(rtf: &[u8]) -> String {
        match read(rtf) {
            Some(Written::Plain(text)) => text,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn text_comes_out_with_its_lines_columns_and_letters() {
        let rtf = b"{\\rtf1\\ansi\\ansicpg1252\\deff0{\\fonttbl{\\f0\\fnil Arial;}{\\f1\\fcharset134 SimSun;}}{\\*\\generator X;}\
            \\pard Caf\\'e9 \\{Z\\u252 ?rich\\}\\par Total\\tab\\u8364\\'80 12.80\\line {\\f1 \\'ba\\'cf\\'bc\\'c6 120}\\par\
            {\\pict\\bin4 }}{{x}{\\uc2\\u-10179 ab\\u-8704 cd!}{\\u8364{A}}{{\\u8364}B}}";
        assert_eq!(plain(rtf), "Café {Zürich}\nTotal\t€ 12.80\n合计 120\n😀!€A€B");
        assert_eq!(read(b"{\\not rtf}"), None);
    }

    #[test]
    fn the_html_it_was_made_from_comes_out_instead() {
        let rtf = b"{\\rtf1\\ansi\\ansicpg1252\\fromhtml1 {\\fonttbl{\\f0 Arial;}}{\\*\\htmltag64 <table><tr><td>}\\htmlrtf {\\htmlrtf0 \
            Fish & chips <3>\\htmlrtf \\par }\\htmlrtf0 {\\*\\htmltag72 </td>}{\\*\\mhtmltag72 <no>}{\\*\\htmltag64 <td>\\'80}4.50}";
        let expected = "<table><tr><td>Fish &amp; chips &lt;3&gt;</td><td>€4.50";
        assert_eq!(read(rtf), Some(Written::Html(expected.to_owned())));
    }

    #[test]
    fn groups_without_end_are_bounded() {
        let (open, close) = ("{".repeat(100_000), "}".repeat(100_001));
        let deep = format!("{{\\rtf1 {open}deep{close}after");
        assert_eq!(plain(deep.as_bytes()), "deepafter");
        // Ten too many are read as if they were not opened: what begins there holds until the deepest that is kept ends.
        let open = "{".repeat(MAX_DEPTH + 9);
        let rtf = format!("{{\\rtf1 {open}\\pict no{}no}}yes", "}".repeat(10));
        assert_eq!(plain(rtf.as_bytes()), "yes");
        let long = format!("{{\\rtf1 {}", "x".repeat(MAX_TEXT + 9));
        assert_eq!(plain(long.as_bytes()).len(), MAX_TEXT);
    }

    proptest! {
        #[test]
        fn any_rich_text_is_survived(text in "([{}]|\\\\[a-z]{1,8}-?[0-9]{0,6} ?|\\\\'[0-9a-f]{0,2}|\\\\\\*|\\\\bin[0-9]{1,9} |\\\\u-?[0-9]{1,6}|\\PC){0,60}") {
            let _ = read(format!("{{\\rtf1{text}").as_bytes());
        }

        #[test]
        fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = read(&[b"{\\rtf".as_slice(), &bytes].concat());
        }
    }
}
