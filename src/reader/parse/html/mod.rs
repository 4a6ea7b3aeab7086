//! HTML: mails, saved pages, renditions of invoices. Read as text with layout, never shown or fetched.
//!
//! [`dom`] parses within limits, [`flow`] lays what a person would see out as lines (tables as rows), [`markup`] takes
//! schema.org data out as values. Scripts and styles are never looked at; nothing remote is ever asked for.

mod dom;
mod flow;
#[cfg(test)]
mod kinds_tests;
mod markup;
mod table;

pub use dom::Patience;

use super::{Ended, charset, links, schema_org, send_part, send_values, warn};
use crate::{
    domain::{
        capture::Relation,
        page::TextSource,
        structured::{StructuredSource, StructuredValue},
    },
    reader::{
        output::{Output, Stopped},
        paper::{self, MAX_TEXT_LINES},
        protocol::Request,
    },
};

/// What is in an HTML text.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Digest {
    /// What a person would see, line by line; several spaces keep columns apart.
    pub lines: Vec<String>,
    /// Exact values out of schema.org data, and links worth keeping.
    pub values: Vec<StructuredValue>,
    /// Pictures written into the text itself.
    pub pictures: Vec<Vec<u8>>,
    /// Not everything was read.
    pub is_cut: bool,
}

/// Reads an HTML document by itself.
pub fn read(request: &Request, document: &[u8], out: &mut impl Output) -> Result<Ended, Stopped> {
    let text = charset::decode(document, declared_charset(document).as_deref());
    let digest = digest(&text, &Patience::new())?;
    send_values(out, &digest.values)?;
    for picture in &digest.pictures {
        send_part(out, "", "", Relation::Inline, picture)?;
    }
    if digest.is_cut {
        warn(out, "truncated")?;
    }
    Ok(Ended::Pages(paper::send_text(&digest.lines, TextSource::TextLayer, &request.limits, out)?))
}

/// Takes an HTML text apart, one of perhaps several of its document.
///
/// # Errors
/// `mime_limits` when the text is over the limits, or the document's `patience` is over.
pub fn digest(text: &str, patience: &Patience) -> Result<Digest, Stopped> {
    let dom = dom::parse(text, patience)?;
    let seen = flow::lines(&dom.document);
    let mut values = Vec::new();
    for thing in markup::json_ld(&dom.document) {
        schema_org::values(&thing, StructuredSource::JsonLd, &mut values);
    }
    for thing in markup::microdata(&dom.document) {
        schema_org::values(&thing, StructuredSource::Microdata, &mut values);
    }
    links::keep(&seen.links, &mut values);
    let mut lines = seen.lines;
    let is_cut = dom.is_cut || lines.len() > MAX_TEXT_LINES;
    lines.truncate(MAX_TEXT_LINES);
    Ok(Digest { lines, values, pictures: seen.pictures, is_cut })
}

/// Bytes in which a page says its charset (HTML standard, 13.2.3.2: the first 1024).
const CHARSET_BYTES: usize = 1024;

fn declared_charset(document: &[u8]) -> Option<String> {
    let head = String::from_utf8_lossy(&document[..document.len().min(CHARSET_BYTES)]).to_ascii_lowercase();
    let after = head.split_once("charset=").map(|(_, after)| after.trim_start_matches(['"', '\'', ' ']))?;
    let end = after.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | ':' | '.')))?;
    Some(after[..end].to_owned()).filter(|label| !label.is_empty())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lines(html: &str) -> Vec<String> {
        digest(html, &Patience::new()).unwrap().lines.into_iter().filter(|line| !line.trim().is_empty()).collect()
    }

    #[test]
    fn what_a_person_sees_comes_out_and_nothing_else() {
        let html = r#"<html><head><title>T</title><style>p{color:red}</style><script>var total = 99;</script></head>
            <body><div style="display:none;font-size:0">preheader 1.00</div><h1>HARBOUR&nbsp;CAFE</h1>
            <p>Thank   you,<br>Ann</p><noscript>no script</noscript><p hidden>secret</p>
            <img src="http://169.254.169.254/x.png" width="1" height="1" alt="pixel"><!-- 5.00 -->
            <template>7.00</template><svg><text>8.00</text></svg></body></html>"#;
        assert_eq!(lines(html), ["HARBOUR CAFE", "Thank you,", "Ann", "no script"]);
    }

    #[test]
    fn rows_of_a_table_are_lines_and_their_columns_line_up() {
        let html = "<table><tr><th>Item</th><th>Price</th></tr><tr><td>Coffee, large</td><td>4.50</td></tr>
            <tr><td colspan=2>with oat milk</td></tr><tr><td>Total</td><td>4.50</td></tr></table>";
        assert_eq!(
            lines(html),
            ["Item             Price", "Coffee, large    4.50", "with oat milk", "Total            4.50"]
        );
        // Layout tables: one column of content beside spacers, tables inside cells.
        let html = "<table><tr><td>&nbsp;</td><td><table><tr><td><p>咖啡</p></td><td>¥ 32.00</td></tr>
            <tr><td>合计</td><td>¥ 32.00</td></tr></table><p>谢谢惠顾</p></td><td></td></tr></table>";
        assert_eq!(lines(html), ["咖啡    ¥ 32.00", "合计    ¥ 32.00", "谢谢惠顾"]);
        // Cells of several lines stand side by side, as they do on the screen.
        let html = "<table><tr><td>Ride<br>20 Nov</td><td>£12.00<br>Visa</td></tr></table>";
        assert_eq!(lines(html), ["Ride      £12.00", "20 Nov    Visa"]);
    }

    #[test]
    fn boxes_side_by_side_do_not_run_into_each_other() {
        let html = r#"<div style="display:flex"><span>Total</span><span>$18.90</span></div>
            <p><span style="float:left">Tip</span><span style="float:right">$2.00</span></p><p><b>1</b>23</p>"#;
        assert_eq!(lines(html), ["Total    $18.90", "Tip    $2.00", "123"]);
    }

    #[test]
    fn the_charset_is_the_pages_own_or_found_out() {
        assert_eq!(declared_charset(b"<meta charset=\"GBK\">").as_deref(), Some("gbk"));
        let http = b"<meta http-equiv=Content-Type content='text/html; charset=iso-2022-jp'>";
        assert_eq!(declared_charset(http).as_deref(), Some("iso-2022-jp"));
        assert_eq!(declared_charset(b"<p>none</p>"), None);
    }

    /// Attributes of different names.
    fn attributes(count: usize) -> String {
        (0..count).fold(String::new(), |text, n| text + "a" + &n.to_string() + " ")
    }

    #[test]
    fn nesting_that_would_cost_the_reader_its_time_is_refused() {
        for (name, html) in [
            ("deep", "<div>".repeat(200_000)),
            ("tables in tables", "<table><tr><td>".repeat(20_000)),
            ("no end of a tag", "<".repeat(4_000_000)),
            ("no end of many tags", "<a".repeat(2_000_000)),
            ("blanks", "< ".repeat(2_000_000)),
            ("attributes", format!("<p {}>", "a=1 ".repeat(300_000))),
            // What counting cannot see, the clock does: after the quoted `>` the tag goes on.
            ("attributes after a quoted end", format!("<p x='>' {}>", attributes(600_000))),
        ] {
            assert!(digest(&html, &Patience::new()).is_err(), "{name}");
        }
        // Deep but within the limits: what is deepest is left out, not the rest.
        let deep = format!("{}inside{}after", "<div>".repeat(3_000), "</div>".repeat(3_000));
        assert!(lines(&deep).contains(&"after".to_owned()));
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in "(<[a-z/!]{0,8}( [a-z]{1,6}=\"[^\"]{0,8}\")?>|[a-z0-9 ]{0,6}|\\PC){0,60}") {
            let _ = digest(&text, &Patience::new());
        }
    }
}
