//! Plain text: a receipt typed, exported or saved from a mail.

use super::{Ended, charset, context, links, send_values, warn};
use crate::{
    domain::page::TextSource,
    reader::{
        output::{Output, Stopped},
        paper::{self, MAX_TEXT_LINES},
        protocol::Request,
    },
};

/// Bytes that are read; a receipt has a few thousand.
const MAX_BYTES: usize = 2 * 1024 * 1024;

/// Sends the text as pages.
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
    let mut values = Vec::new();
    links::keep(&links::written(&lines), &mut values);
    send_values(out, &values)?;
    Ok(Ended::Pages(paper::send_text(&lines, TextSource::TextLayer, &request.limits, out)?))
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
}
