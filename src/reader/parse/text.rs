//! Plain text: a receipt typed, exported or saved from a mail.

use super::{Ended, charset, context, links, send_values, warn};
use crate::{
    domain::{capture::Reason, page::TextSource},
    reader::{
        output::{Output, Stopped, failed},
        paper::{self, MAX_TEXT_LINES},
        protocol::Request,
    },
};

/// Bytes that are read; a receipt has a few thousand.
const MAX_BYTES: usize = 2 * 1024 * 1024;

/// Characters a line of base64 has at least once: RFC 2045, section 6.8, wraps at 76, RFC 7468 at 64; the words of a receipt
/// are shorter.
const BASE64_LINE: usize = 60;

/// Sends the text as pages. A file that somebody saved in base64 is no text and is refused.
pub fn read(request: &Request, document: &[u8], out: &mut impl Output) -> Result<Ended, Stopped> {
    if context::is_calendar(document) {
        send_values(out, &context::calendar(document))?;
    }
    let text = charset::decode(&document[..document.len().min(MAX_BYTES)], None);
    let mut lines: Vec<String> = text.lines().take(MAX_TEXT_LINES + 1).map(str::to_owned).collect();
    if document.len() > MAX_BYTES || lines.len() > MAX_TEXT_LINES {
        lines.truncate(MAX_TEXT_LINES);
        warn(out, "truncated")?;
    }
    if is_base64(&lines) {
        return Err(failed(Reason::UnsupportedType, "a file written in base64 is no text; hand in the file itself"));
    }
    let mut values = Vec::new();
    links::keep(&links::written(&lines), &mut values);
    send_values(out, &values)?;
    Ok(Ended::Pages(paper::send_text(&lines, TextSource::TextLayer, &request.limits, out)?))
}

/// Whether the lines are a file in base64: nothing but its letters, in lines without a word's end. The first may say so
/// (`data:image/png;base64,`), and armour (`-----BEGIN PKCS7-----`) may stand around it.
fn is_base64(lines: &[String]) -> bool {
    let is_letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=' | '-' | '_');
    let mut written = lines.iter().map(|line| line.trim()).filter(|l| !l.is_empty() && !l.starts_with("-----"));
    let Some(first) = written.next() else { return false };
    let first = first.split_once(";base64,").map_or(first, |(_, rest)| rest);
    // A line of hyphens rules off a receipt; a file has digits and letters of both cases.
    let is_mixed = first.chars().any(|c| c.is_ascii_lowercase()) && first.chars().any(|c| c.is_ascii_uppercase());
    is_mixed && first.len() >= BASE64_LINE && std::iter::once(first).chain(written).all(|l| l.chars().all(is_letter))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::media::MediaType,
        reader::parse::tests::{Sent, request},
    };

    #[test]
    fn a_receipt_in_chinese_bytes_comes_out_in_rows() {
        let (bytes, _, _) = encoding_rs::GB18030.encode("川味小馆\n\n宫保鸡丁    38.00\n合计    38.00\n");
        let mut out = Sent::default();
        assert_eq!(read(&request(MediaType::Text), &bytes, &mut out).unwrap(), Ended::Pages(1));
        assert_eq!(out.pages[0].text(), "川味小馆\n宫保鸡丁 38.00\n合计 38.00");
    }

    #[test]
    fn a_file_in_base64_is_refused_and_a_receipt_with_a_long_reference_is_not() {
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        let encoded = STANDARD.encode((0..300_u32).map(|n| (n * n) as u8).collect::<Vec<_>>());
        let wrapped: String = encoded
            .as_bytes()
            .chunks(76)
            .flat_map(|l| [&String::from_utf8_lossy(l), "\r\n"].concat().into_bytes())
            .map(char::from)
            .collect();
        let armoured = format!("-----BEGIN PKCS7-----\n{wrapped}-----END PKCS7-----\n");
        for file in [encoded.clone(), wrapped.clone(), armoured, format!("data:image/png;base64,{encoded}")] {
            let Err(Stopped::Failed(failure)) = read(&request(MediaType::Text), file.as_bytes(), &mut Sent::default())
            else {
                panic!("`{file}` is read as text");
            };
            assert_eq!(failure.reason, Reason::UnsupportedType);
        }
        for receipt in [
            format!("HARBOUR CAFE\nReference\n{encoded}\nTOTAL EUR 12.80\n"),
            format!("{encoded}\nTOTAL\n12.80\n"),
            format!("{}\nCafe\nTotal\n12\n", "-".repeat(80)),
            "Cafe\nTotal\n12\n".to_owned(),
        ] {
            assert!(read(&request(MediaType::Text), receipt.as_bytes(), &mut Sent::default()).is_ok(), "{receipt}");
        }
    }
}
