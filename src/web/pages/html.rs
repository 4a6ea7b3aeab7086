//! Small pieces of HTML that several templates draw, built here because they need arithmetic.

use std::fmt;

use crate::{domain::page::Quad, web::i18n::format};

/// HTML that is already escaped. Everything that goes into one is a number, a word of ours or passed through [`escape`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Html(pub(super) String);

impl fmt::Display for Html {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl askama::filters::HtmlSafe for Html {}

/// Escapes text for an element or a quoted attribute.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&#38;"),
            '<' => escaped.push_str("&#60;"),
            '>' => escaped.push_str("&#62;"),
            '"' => escaped.push_str("&#34;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

/// How much a probability is worth to a reviewer. The steps are those of the review page's colours:
/// from 0.95 a glance is enough, below 0.8 the field must be read.
pub const fn level(p: f32) -> &'static str {
    if p >= 0.95 {
        "high"
    } else if p >= 0.8 {
        "mid"
    } else {
        "low"
    }
}

/// A bar and a number for a probability; `words` names it for screen readers, e.g. "Probability".
pub fn meter(p: f32, words: &str) -> Html {
    let percent = format::percent(p);
    let width = p.clamp(0.0, 1.0) * 36.0;
    Html(format!(
        r#"<span class="meter {level}" title="{words}: {percent}"><svg viewBox="0 0 36 6" width="36" height="6" aria-hidden="true"><rect class="track" width="36" height="6" rx="3"/><rect class="fill" width="{width:.1}" height="6" rx="3"/></svg><span class="visually-hidden">{words}: </span><span class="number">{percent}</span></span>"#,
        level = level(p),
        words = escape(words),
    ))
}

/// The corners of a quad for an SVG `points` attribute.
pub fn points(quad: &Quad) -> String {
    quad.0.iter().map(|[x, y]| format!("{x:.1},{y:.1}")).collect::<Vec<_>>().join(" ")
}

/// A cut-out of the page around `quad`, turned upright, as an SVG that shows the preview through a window: the reviewer
/// reads the very pixels beside the value, the evidence itself marked. The window is at most 12 times as wide as high so that it stays legible.
pub fn snippet(quad: &Quad, preview_url: &str, page_width: u32, page_height: u32) -> Option<Html> {
    if !quad.is_finite() {
        return None;
    }
    let [a, b, ..] = quad.0;
    let (width, height) = (quad.text_width(), quad.text_height());
    if width < 1.0 || height < 1.0 {
        return None;
    }
    let angle = (b[1] - a[1]).atan2(b[0] - a[0]).to_degrees();
    let [x, y] = quad.centre();
    let window_height = height * 1.5;
    let window_width = (width + height * 1.5).clamp(window_height, window_height * 12.0);
    Some(Html(format!(
        r#"<svg class="snippet" viewBox="{left:.1} {top:.1} {window_width:.1} {window_height:.1}" preserveAspectRatio="xMinYMid meet" aria-hidden="true"><image href="{href}" width="{page_width}" height="{page_height}" preserveAspectRatio="none" transform="rotate({turn:.2} {x:.1} {y:.1})"/><rect class="mark" x="{mark_left:.1}" y="{mark_top:.1}" width="{width:.1}" height="{height:.1}"/></svg>"#,
        left = x - window_width / 2.0,
        top = y - window_height / 2.0,
        href = escape(preview_url),
        turn = -angle,
        mark_left = x - width / 2.0,
        mark_top = y - height / 2.0,
    )))
}

/// A QR code of `text` as SVG, dark on light whatever the colour scheme; `None` when the text is too long for one.
pub fn qr(text: &str) -> Option<Html> {
    let code = qrcode::QrCode::new(text.as_bytes()).ok()?;
    let svg = code.render::<qrcode::render::svg::Color<'_>>().min_dimensions(200, 200).build();
    // Only the element: an XML declaration does not belong inside HTML.
    svg.find("<svg").map(|start| Html(svg[start..].to_owned()))
}

/// A line icon of 24 x 24 units in the text's colour; unknown names give an empty one.
pub fn icon(name: &str) -> Html {
    let path = match name {
        "camera" => {
            "M4 8h3.2l1.6-2.5h6.4L16.8 8H20a1.5 1.5 0 0 1 1.5 1.5v9A1.5 1.5 0 0 1 20 20H4a1.5 1.5 0 0 1-1.5-1.5v-9A1.5 1.5 0 0 1 4 8Zm8 2.2a3.6 3.6 0 1 0 0 7.2 3.6 3.6 0 0 0 0-7.2Z"
        }
        "list" => "M8 6h12M8 12h12M8 18h12M4 6h.01M4 12h.01M4 18h.01",
        "check" => "M5 12.5 10 17.5 19.5 7",
        "menu" => "M4 7h16M4 12h16M4 17h16",
        "warning" => "M12 4 2.8 20h18.4L12 4Zm0 6v5m0 2.5v.01",
        "file" => "M7 3.5h7l4.5 4.5v12.5H7V3.5ZM14 3.5V8h4.5",
        "left" => "M14.5 6 8.5 12l6 6",
        "right" => "M9.5 6l6 6-6 6",
        _ => "",
    };
    Html(format!(
        r#"<svg class="icon" viewBox="0 0 24 24" width="24" height="24" fill="none" stroke="currentColor" stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true"><path d="{path}"/></svg>"#
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snippet_of_turned_text_is_turned_back() {
        // 100 x 20 text turned by 90 degrees clockwise.
        let quad = Quad([[20.0, 0.0], [20.0, 100.0], [0.0, 100.0], [0.0, 0.0]]);
        let html = snippet(&quad, "/p?a=1&b=\"", 400, 800).unwrap().0;
        assert!(html.contains("rotate(-90.00 10.0 50.0)"), "{html}");
        assert!(html.contains("viewBox=\"-55.0 35.0 130.0 30.0\""), "{html}");
        assert!(html.contains("&#38;b=&#34;"), "{html}");
    }

    #[test]
    fn a_box_that_is_no_box_has_no_snippet() {
        assert!(snippet(&Quad::from_edges(1.0, 1.0, 1.0, 5.0), "/p", 10, 10).is_none());
        assert!(snippet(&Quad::from_edges(f32::NAN, 1.0, 2.0, 5.0), "/p", 10, 10).is_none());
    }

    #[test]
    fn a_meter_says_its_number_in_words_too() {
        let html = meter(0.87, "Probability").0;
        assert!(html.contains("meter mid") && html.contains("Probability: 87 %"), "{html}");
    }

    #[test]
    fn the_qr_code_of_an_address_is_an_svg_element() {
        assert!(qr("https://192.168.1.20:8443").unwrap().0.starts_with("<svg"));
        assert!(qr(&"x".repeat(5_000)).is_none());
    }
}
