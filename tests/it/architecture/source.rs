//! Rust source as tokens: enough to find paths and calls, without comments, strings and test code.
//!
//! A parser crate would do it too; this reads what the rules need and compiles in no time.

/// One token with the line (1-based) it stands on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    pub text: String,
    pub line: usize,
}

/// A path as written, groups of `use` trees expanded: `use a::{b, c::d}` gives `a::b` and `a::c::d`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    pub segments: Vec<String>,
    pub line: usize,
    /// How many inline modules (`mod name { … }`) enclose it in its file.
    pub inline_depth: usize,
}

/// A file without its test code.
pub struct Source {
    pub tokens: Vec<Token>,
    pub paths: Vec<Path>,
    /// Modules declared as `#[cfg(test)] mod name;`: their files are test code.
    pub test_modules: Vec<String>,
    /// Lines before the first `#[cfg(test)]`, or all lines; those with nothing but a literal (a table of words) left out.
    pub lines_before_tests: usize,
}

impl Source {
    /// Reads a file's text. Text that is not Rust gives nonsense, never a panic.
    pub fn parse(text: &str) -> Self {
        let all = tokenize(text);
        let (tokens, test_modules, first_test_line) = without_test_code(&all);
        let paths = paths(&tokens);
        let until_tests = first_test_line.map_or(usize::MAX, |line| line - 1);
        let lines_before_tests = text.lines().take(until_tests).filter(|line| !is_entry_of_a_table(line)).count();
        Self { tokens, paths, test_modules, lines_before_tests }
    }

    /// Lines where these tokens follow each other.
    pub fn lines_with(&self, sequence: &[&str]) -> Vec<usize> {
        self.tokens
            .windows(sequence.len())
            .filter(|window| window.iter().zip(sequence).all(|(token, wanted)| token.text == *wanted))
            .map(|window| window[0].line)
            .collect()
    }
}

/// A line that is one string and a comma: rustfmt gives each entry of a long list its own.
fn is_entry_of_a_table(line: &str) -> bool {
    line.trim().strip_suffix(',').is_some_and(|entry| entry.len() > 1 && entry.starts_with('"') && entry.ends_with('"'))
}

/// Splits into identifiers, numbers, `::` and single characters; comments, strings, characters and lifetimes vanish.
fn tokenize(text: &str) -> Vec<Token> {
    let characters: Vec<char> = text.chars().collect();
    let at = |index: usize| characters.get(index).copied().unwrap_or('\0');
    let mut tokens = Vec::new();
    let mut line = 1;
    let mut index = 0;
    while index < characters.len() {
        let start = index;
        match at(index) {
            '/' if at(index + 1) == '/' => {
                while index < characters.len() && at(index) != '\n' {
                    index += 1;
                }
            }
            '/' if at(index + 1) == '*' => index = end_of_block_comment(&characters, index),
            '"' => index = end_of_string(&characters, index),
            '\'' => index = end_of_quote(&characters, index),
            character if is_word(character) => {
                if let Some(end) = end_of_prefixed_literal(&characters, index) {
                    index = end;
                } else {
                    while is_word(at(index)) {
                        index += 1;
                    }
                    let mut word: String = characters[start..index].iter().collect();
                    // A raw identifier: `r#type` is the word `type`.
                    if word == "r" && at(index) == '#' && is_word(at(index + 1)) {
                        index += 1;
                        let from = index;
                        while is_word(at(index)) {
                            index += 1;
                        }
                        word = characters[from..index].iter().collect();
                    }
                    tokens.push(Token { text: word, line });
                }
            }
            ':' if at(index + 1) == ':' => {
                tokens.push(Token { text: "::".to_owned(), line });
                index += 2;
            }
            character => {
                if !character.is_whitespace() {
                    tokens.push(Token { text: character.to_string(), line });
                }
                index += 1;
            }
        }
        let end = index.min(characters.len());
        line += characters[start..end].iter().filter(|character| **character == '\n').count();
    }
    tokens
}

fn is_word(character: char) -> bool {
    character == '_' || character.is_alphanumeric()
}

/// Rust's block comments nest.
fn end_of_block_comment(characters: &[char], start: usize) -> usize {
    let mut depth = 0;
    let mut index = start;
    while index < characters.len() {
        match (characters[index], characters.get(index + 1)) {
            ('/', Some('*')) => {
                depth += 1;
                index += 2;
            }
            ('*', Some('/')) => {
                depth -= 1;
                index += 2;
                if depth == 0 {
                    return index;
                }
            }
            _ => index += 1,
        }
    }
    index
}

fn end_of_string(characters: &[char], quote: usize) -> usize {
    let mut index = quote + 1;
    while index < characters.len() {
        match characters[index] {
            '\\' => index += 2,
            '"' => return index + 1,
            _ => index += 1,
        }
    }
    index
}

/// A character literal, or the lifetime `'name`.
fn end_of_quote(characters: &[char], quote: usize) -> usize {
    let at = |index: usize| characters.get(index).copied().unwrap_or('\0');
    if at(quote + 1) == '\\' {
        let mut index = quote + 3;
        while index < characters.len() && at(index) != '\'' {
            index += 1;
        }
        return index + 1;
    }
    if at(quote + 2) == '\'' {
        return quote + 3;
    }
    let mut index = quote + 1;
    while is_word(at(index)) {
        index += 1;
    }
    index
}

/// `b"…"`, `c"…"`, `b'…'`, `r"…"`, `br#"…"#` and their kin, when one starts here.
fn end_of_prefixed_literal(characters: &[char], start: usize) -> Option<usize> {
    let at = |index: usize| characters.get(index).copied().unwrap_or('\0');
    let mut index = start;
    if matches!(at(index), 'b' | 'c') {
        index += 1;
        match at(index) {
            '"' => return Some(end_of_string(characters, index)),
            '\'' if at(start) == 'b' => return Some(end_of_quote(characters, index)),
            _ => {}
        }
    }
    if at(index) != 'r' {
        return None;
    }
    index += 1;
    let mut hashes = 0;
    while at(index) == '#' {
        hashes += 1;
        index += 1;
    }
    if at(index) != '"' {
        return None;
    }
    index += 1;
    while index < characters.len() {
        if at(index) == '"' && (1..=hashes).all(|offset| at(index + offset) == '#') {
            return Some(index + 1 + hashes);
        }
        index += 1;
    }
    Some(index)
}

/// Leaves out every item under `#[cfg(test)]`; also gives the modules so declared and the line of the first.
fn without_test_code(tokens: &[Token]) -> (Vec<Token>, Vec<String>, Option<usize>) {
    let text = |index: usize| tokens.get(index).map_or("", |token| token.text.as_str());
    let mut kept = Vec::new();
    let mut modules = Vec::new();
    let mut first = None;
    let mut index = 0;
    while index < tokens.len() {
        let inner = text(index) == "#" && text(index + 1) == "!" && text(index + 2) == "[";
        let outer = text(index) == "#" && text(index + 1) == "[";
        if !inner && !outer {
            kept.push(tokens[index].clone());
            index += 1;
            continue;
        }
        let end = end_of_group(tokens, index + if inner { 2 } else { 1 });
        if !is_test_condition(&tokens[index..end]) {
            kept.extend_from_slice(&tokens[index..end]);
            index = end;
            continue;
        }
        first.get_or_insert(tokens[index].line);
        if inner {
            // `#![cfg(test)]`: the whole file.
            return (Vec::new(), modules, first);
        }
        index = end;
        while text(index) == "#" && text(index + 1) == "[" {
            index = end_of_group(tokens, index + 1);
        }
        let item = index;
        while index < tokens.len() && text(index) != ";" && text(index) != "{" {
            // `fn f(x: [u8; 3])`: a semicolon in brackets ends nothing.
            index = if matches!(text(index), "(" | "[") { end_of_group(tokens, index) } else { index + 1 };
        }
        if text(index) == ";"
            && let Some(module) = tokens[item..index].windows(2).find(|pair| pair[0].text == "mod")
        {
            modules.push(module[1].text.clone());
        }
        index = if text(index) == "{" { end_of_group(tokens, index) } else { index + 1 };
    }
    (kept, modules, first)
}

/// The index after the bracket that closes the one at `open`.
fn end_of_group(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0_usize;
    for (index, token) in tokens.iter().enumerate().skip(open) {
        match token.text.as_str() {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return index + 1;
                }
            }
            _ => {}
        }
    }
    tokens.len()
}

/// `cfg(test)` or `cfg(all(test, …))`, but not `cfg(not(test))` and not `cfg(feature = "test")` (strings are gone).
fn is_test_condition(attribute: &[Token]) -> bool {
    let words: Vec<&str> = attribute.iter().map(|token| token.text.as_str()).collect();
    words.contains(&"cfg") && words.contains(&"test") && !words.contains(&"not") && !words.contains(&"any")
}

/// All paths, with what they name in full.
fn paths(tokens: &[Token]) -> Vec<Path> {
    let text = |index: usize| tokens.get(index).map_or("", |token| token.text.as_str());
    let is_name = |index: usize| text(index).chars().next().is_some_and(|first| first == '_' || first.is_alphabetic());
    let mut found = Vec::new();
    // For every open brace: whether it opened an inline module.
    let mut braces: Vec<bool> = Vec::new();
    let mut index = 0;
    while index < tokens.len() {
        match text(index) {
            "{" => braces.push(index >= 2 && text(index - 2) == "mod"),
            "}" => {
                braces.pop();
            }
            _ if is_name(index)
                && text(index + 1) == "::"
                && !KEYWORDS.contains(&text(index))
                && (index == 0 || !continues_a_path(tokens, index)) =>
            {
                let inline_depth = braces.iter().filter(|is_module| **is_module).count();
                index = read_path(tokens, index, &mut Vec::new(), inline_depth, &mut found);
                continue;
            }
            _ => {}
        }
        index += 1;
    }
    found
}

/// Whether the word at `index` comes after `something::`; a leading `::name` starts a path.
fn continues_a_path(tokens: &[Token], index: usize) -> bool {
    if tokens[index - 1].text != "::" || index < 2 {
        return false;
    }
    let before = tokens[index - 2].text.as_str();
    before == ">" || (before.chars().all(is_word) && !KEYWORDS.contains(&before))
}

/// Words that may stand before a path with a leading `::` without being part of it.
const KEYWORDS: &[&str] = &[
    "use", "pub", "as", "for", "in", "impl", "dyn", "where", "mut", "ref", "return", "match", "if", "else", "let",
    "move",
];

/// Reads one path or `use` tree from `index` and gives the index after it.
fn read_path(
    tokens: &[Token],
    mut index: usize,
    prefix: &mut Vec<String>,
    inline_depth: usize,
    found: &mut Vec<Path>,
) -> usize {
    let text = |index: usize| tokens.get(index).map_or("", |token| token.text.as_str());
    let before = prefix.len();
    let line = tokens.get(index).map_or(0, |token| token.line);
    loop {
        if text(index) == "{" {
            let end = end_of_group(tokens, index);
            index += 1;
            while index + 1 < end {
                if text(index) == "," {
                    index += 1;
                } else {
                    index = read_path(tokens, index, prefix, inline_depth, found).max(index + 1);
                }
            }
            prefix.truncate(before);
            return end;
        }
        let is_segment = text(index) == "*" || (!text(index).is_empty() && text(index).chars().all(is_word));
        if !is_segment {
            break;
        }
        prefix.push(text(index).to_owned());
        index += 1;
        if text(index) != "::" {
            break;
        }
        index += 1;
    }
    if text(index) == "as" {
        index += 2;
    }
    if prefix.len() > before {
        found.push(Path { segments: prefix.clone(), line, inline_depth });
    }
    prefix.truncate(before);
    index
}

#[cfg(test)]
mod tests {
    use super::Source;

    fn paths(text: &str) -> Vec<String> {
        Source::parse(text).paths.iter().map(|path| path.segments.join("::")).collect()
    }

    #[test]
    fn use_trees_are_expanded() {
        assert_eq!(
            paths("use crate::{store::{Db, drafts::{self, find}}, web as w, domain};\nfn f() { std::fs::read(p) }"),
            [
                "crate::store::Db",
                "crate::store::drafts::self",
                "crate::store::drafts::find",
                "crate::web",
                "crate::domain",
                "std::fs::read"
            ]
        );
        assert_eq!(paths("use ::tokio::fs; pub(in crate::review) fn g() {}"), ["tokio::fs", "crate::review"]);
        assert_eq!(paths("Vec::<crate::web::Page>::new()"), ["Vec", "crate::web::Page"]);
        assert_eq!(paths("use crate::web::*;"), ["crate::web::*"]);
    }

    #[test]
    fn comments_strings_and_test_code_name_nothing() {
        let text = r##"
            //! crate::web
            /* crate::web /* nested */ crate::web */
            const A: &str = "crate::web \" crate::web";
            const B: &str = r#"crate::web " crate::web"#;
            const C: &[u8] = b"crate::web";
            const D: char = '"'; const E: char = '\''; fn life<'a>(x: &'a str) -> &'a str { x }
            #[cfg(test)]
            mod tests { use crate::web; fn f() { { crate::web::x() } } }
            #[cfg(test)] #[expect(dead_code)] fn helper(x: [u8; 2]) { crate::web::y() }
            #[cfg(all(test, unix))] use crate::web;
            #[cfg(not(test))] use crate::cli;
            fn after() { crate::store::z() }
        "##;
        assert_eq!(paths(text), ["crate::cli", "crate::store::z"]);
    }

    #[test]
    fn lines_modules_and_lengths_are_known() {
        let source =
            Source::parse("use a::b;\n\nmod inner {\n  use super::c;\n}\n#[cfg(test)]\nmod checks;\nfn f() {}\n");
        assert_eq!(source.paths[1].line, 4);
        assert_eq!((source.paths[0].inline_depth, source.paths[1].inline_depth), (0, 1));
        assert_eq!(source.test_modules, ["checks"]);
        assert_eq!(source.lines_before_tests, 5);
        assert_eq!(source.lines_with(&["fn", "f"]), [8]);
        assert_eq!(Source::parse("const W: &[&str] = &[\n    \"total\",\n    \"summe\",\n];\n").lines_before_tests, 2);
    }

    #[test]
    fn broken_text_does_not_panic() {
        for text in
            ["\"", "'", "r#\"", "/*", "use a::{b", "#[cfg(test)]", "b'", "mod", "use a::{{", "::", "#![cfg(test)"]
        {
            Source::parse(text);
        }
    }
}
