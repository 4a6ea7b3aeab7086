//! Every sample of every page, in both languages: rendered, checked, and written to `target/pages` to be looked at.

use std::{collections::BTreeSet, fmt::Write as _, fs, path::Path};

use askama::Template;
use regex::Regex;

use super::samples;
use crate::{
    domain::{person::Language, structured::StructuredSource},
    web::i18n,
};

fn rendered(lang: Language) -> Vec<(&'static str, String)> {
    fn add<T: Template>(all: &mut Vec<(&'static str, String)>, pages: Vec<(&'static str, T)>) {
        all.extend(pages.into_iter().map(|(name, page)| (name, page.render().unwrap())));
    }
    let mut all = Vec::new();
    add(&mut all, samples::sign_in(lang));
    add(&mut all, samples::password(lang));
    add(&mut all, samples::capture(lang));
    add(&mut all, samples::receipts(lang));
    add(&mut all, samples::queue(lang));
    add(&mut all, samples::draft(lang));
    add(&mut all, samples::people(lang));
    add(&mut all, samples::categories(lang));
    add(&mut all, samples::visits_page(lang));
    add(&mut all, samples::failed(lang));
    add(&mut all, samples::status(lang));
    add(&mut all, samples::tokens(lang));
    add(&mut all, samples::mail(lang));
    add(&mut all, samples::message(lang));
    add(&mut all, samples::admin_mail(lang));
    add(&mut all, samples::https_help(lang));
    add(&mut all, samples::errors(lang));
    all
}

fn each(mut check: impl FnMut(&str, Language, &str)) {
    for lang in Language::ALL {
        for (name, html) in rendered(*lang) {
            check(name, *lang, &html);
        }
    }
}

#[test]
fn samples_render_in_both_languages_with_every_word_translated() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/pages");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("receipt.svg"), picture()).unwrap();
    each(|name, lang, html| {
        fs::write(folder.join(format!("{name}.{lang}.html")), html).unwrap();
        let missing = html.find(i18n::MISSING).map(|at| html[at..].chars().take(40).collect::<String>());
        assert_eq!(missing, None, "{name} {lang}");
    });
}

#[test]
fn pages_hold_nothing_inline_and_ask_nobody_else() {
    let inline = Regex::new(r#"<style|<script(?:[^>]*)>[^<]|\sstyle="|\son[a-z]+="|javascript:"#).unwrap();
    let elsewhere = Regex::new(r#"(?:src|action|srcset)="(?:https?:)?//|<link[^>]+href="(?:https?:)?//"#).unwrap();
    each(|name, lang, html| {
        assert_eq!(inline.find(html).map(|m| m.as_str()), None, "{name} {lang}");
        assert_eq!(elsewhere.find(html).map(|m| m.as_str()), None, "{name} {lang}");
    });
}

#[test]
fn every_form_that_changes_something_carries_the_token() {
    let form = Regex::new(r#"(?s)<form[^>]*method="post".*?</form>"#).unwrap();
    each(|name, lang, html| {
        for form in form.find_iter(html) {
            assert!(form.as_str().contains(r#"name="csrf" value="b3f1c2d4""#), "{name} {lang}: {}", form.as_str());
        }
    });
}

#[test]
fn ids_are_unique_and_labels_point_at_something() {
    let id = Regex::new(r#"\sid="([^"]+)""#).unwrap();
    let label = Regex::new(r#"<label[^>]* for="([^"]+)""#).unwrap();
    each(|name, lang, html| {
        let mut ids = BTreeSet::new();
        for found in id.captures_iter(html) {
            assert!(ids.insert(found[1].to_owned()), "{name} {lang}: id {} twice", &found[1]);
        }
        for found in label.captures_iter(html) {
            assert!(ids.contains(&found[1]), "{name} {lang}: label for {}", &found[1]);
        }
    });
}

#[test]
fn text_from_outside_is_escaped_everywhere() {
    each(|name, lang, html| assert!(!html.contains("<b>bold</b>"), "{name} {lang}"));
    let (_, page) = samples::capture(Language::En).remove(0);
    assert!(page.render().unwrap().contains("&#60;b&#62;bold"));
}

#[test]
fn words_in_the_catalog_are_used_somewhere() {
    let mut sources = String::new();
    for folder in ["src/web/templates", "src/web/pages", "src/web/handlers", "src/web/assets/js"] {
        for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                sources.push_str(&fs::read_to_string(path).unwrap());
            }
        }
    }
    // Tables looked up by a code that comes with data.
    let by_code = [
        "state",
        "reason",
        "doubt",
        "doubt_why",
        "way",
        "check",
        "mail_check",
        "error",
        "field",
        "role",
        "purpose",
        "customer",
        "channel",
        "evidence",
        "payment",
        "warning",
        "flag",
        "finding",
        "finding_word",
        "trip_kind",
        "trip_source",
        "why",
        "why_source",
        "why_code",
        "why_sign",
        "why_shop",
        "journal",
        "status",
        "health",
        "health_hint",
        "tone",
        "decline",
        "item",
        "error_page",
        "https",
    ];
    for key in i18n::keys() {
        let table = key.split('.').next().unwrap();
        assert!(by_code.contains(&table) || sources.contains(&format!("\"{key}\"")), "{key} is never used");
    }
}

#[test]
fn every_code_of_a_check_has_words() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let sources: String = ["health.rs", "cli/doctor.rs", "web/handlers/admin/status.rs"]
        .map(|file| fs::read_to_string(root.join(file)).unwrap())
        .concat();
    for (table, pattern) in [
        ("check", r#"Finding::(?:good|warning|bad)\(\s*"(\w+)""#),
        ("health", r#"Found::(?:with|plain)\(\s*"(\w+)""#),
        ("health_hint", r#"Hint\("(\w+)"\)"#),
    ] {
        let pattern = Regex::new(pattern).unwrap();
        let said: BTreeSet<&str> = pattern.captures_iter(&sources).map(|c| c.extract::<1>().1[0]).collect();
        assert!(said.len() > 7, "{table}: {said:?}");
        for code in said {
            assert!(i18n::find(Language::En, &format!("{table}.{code}")).is_some(), "{table}.{code}");
        }
        for key in i18n::keys() {
            let Some(code) = key.strip_prefix(table).and_then(|rest| rest.strip_prefix('.')) else { continue };
            assert!(sources.contains(&format!("\"{code}\"")), "{key} is never used");
        }
    }
}

#[test]
fn every_reason_of_a_proposal_has_words_in_both_languages() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let given = Regex::new(
        r#"(?:\breasons(?:: vec!\[|\.push\(|\.insert\(0, )|\bentry\.1\.push\(|\bout\.push\()(?:format!\()?"([a-z_ ]+)[:"]"#,
    )
    .unwrap();
    let mut said = BTreeSet::new();
    for folder in ["extract", "extract/items", "classify"] {
        for entry in fs::read_dir(root.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() && !path.ends_with("tests.rs") {
                let source = fs::read_to_string(path).unwrap();
                said.extend(given.captures_iter(&source).map(|c| c.extract::<1>().1[0].to_owned()));
            }
        }
    }
    assert!(said.len() > 15 && said.contains("home") && said.contains("words"), "{said:?}");
    for code in said {
        for lang in Language::ALL {
            assert!(i18n::find(*lang, &format!("why.{code}")).is_some(), "why.{code} in {lang}");
        }
    }
}

#[test]
fn every_structured_source_has_a_name_in_both_languages() {
    for source in StructuredSource::ALL {
        for lang in [Language::En, Language::Zh] {
            assert!(i18n::find(lang, &format!("why_source.{source}")).is_some(), "{source} {lang:?}");
        }
    }
}

#[test]
fn a_draft_shows_the_box_of_every_field_in_page_pixels() {
    let (_, page) = samples::draft(Language::En).remove(0);
    let html = page.render().unwrap();
    let (width, height) = samples::PICTURE;
    assert!(html.contains(&format!(r#"viewBox="0 0 {width} {height}""#)));
    assert!(html.contains(r#"<polygon data-box="total" points="790.0,1140.0 960.0,1140.0 960.0,1190.0 790.0,1190.0""#));
    assert!(html.contains(r#"data-testid="draft-confirm""#) && html.contains(r#"name="revision" value="3""#));
    assert!(html.contains("107.90"), "the alternative is offered");
}

#[test]
fn kinds_ways_to_pay_and_warnings_are_in_words() {
    for (lang, words) in [
        (Language::En, ["Till slip", "Alipay", "The file ends early", "The reader noticed: zodiac"]),
        (Language::Zh, ["收银小票", "支付宝", "文件不完整", "识别提示：zodiac"]),
    ] {
        let (_, page) = samples::draft(lang).remove(0);
        let html = page.render().unwrap();
        for word in words {
            assert!(html.contains(word), "{word}");
        }
        assert!(
            html.contains(r#"<option value="till_slip" selected>"#)
                && html.contains(r#"<option value="cash" selected>"#)
        );
        let (_, list) = samples::receipts(lang).remove(0);
        assert!(list.render().unwrap().contains(words[2]), "the list says so, too");
    }
}

#[test]
fn a_confirmed_draft_offers_no_change_but_reopening() {
    let (_, page) = samples::draft(Language::En).into_iter().find(|(name, _)| *name == "draft_confirmed").unwrap();
    let html = page.render().unwrap();
    for testid in ["draft-confirm", "draft-save", "draft-return", "chip-total"] {
        assert!(!html.contains(&format!("data-testid=\"{testid}\"")), "{testid}");
    }
    assert!(html.contains(r#"data-testid="draft-reopen""#) && html.contains(r#"data-testid="was-total""#));
}

/// A synthetic slip whose lines stand where the sample's boxes say.
fn picture() -> String {
    let (width, height) = samples::PICTURE;
    let mut text = String::new();
    let mut line = |x: u32, y: u32, size: u32, words: &str, anchor: &str| {
        write!(text, r#"<text x="{x}" y="{y}" font-size="{size}" text-anchor="{anchor}">{words}</text>"#).unwrap();
    };
    line(540, 136, 44, "GOLDEN LION GUESTHOUSE", "middle");
    line(540, 180, 34, "Old Bridge Hospitality Ltd", "middle");
    line(540, 226, 30, "Bridge Lane 4 · 69117 Heidelberg", "middle");
    line(110, 360, 34, "20.11.2026", "start");
    line(410, 360, 34, "19:42", "start");
    for (row, (item, price)) in [
        ("2 Schnitzel", "45.80"),
        ("1 Trout", "24.50"),
        ("3 Beer 0.5", "16.20"),
        ("2 Coffee", "8.40"),
        ("1 Dessert", "13.00"),
    ]
    .iter()
    .enumerate()
    {
        let y = 480 + 70 * row as u32;
        line(110, y, 34, item, "start");
        line(960, y, 34, price, "end");
    }
    line(110, 1_060, 34, "Net", "start");
    line(960, 1_060, 34, "107.90", "end");
    line(110, 1_112, 34, "VAT 19%", "start");
    line(960, 1_112, 34, "20.50", "end");
    line(110, 1_184, 48, "TOTAL", "start");
    line(780, 1_184, 48, "EUR", "end");
    line(960, 1_184, 48, "128.40", "end");
    line(110, 1_290, 34, "Cash", "start");
    line(960, 1_290, 34, "150.00", "end");
    line(110, 1_530, 34, "02.11.2026", "start");
    format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"><rect width="100%" height="100%" fill="#8a7f72"/><path d="M60 40h960v1590l-40-18-40 18-40-18-40 18-40-18-40 18-40-18-40 18-40-18-40 18-40-18-40 18-40-18-40 18-40-18-40 18-40-18-40 18-40-18-40 18-40-18-40 18-40-18-40 18z" fill="#f7f4ec"/><g font-family="DejaVu Sans Mono, monospace" fill="#2a2a2e">{text}</g></svg>"##
    )
}
