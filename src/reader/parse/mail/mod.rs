//! Mails: what they say becomes a page, what they carry becomes parts.
//!
//! [`scan`] counts before anything is parsed. The text a person would read is laid out (HTML as text with layout), cut to
//! the original when it is a forward ([`forward`]); attachments go out as parts, those inside `winmail.dat` ([`tnef`]) or
//! written into the text ([`uuencode`]) and whole messages as well. Calendars and wallet passes become values. Nothing remote is ever asked for.

mod attachments;
mod cms;
pub(super) mod forward;
mod head;
mod lzfu;
mod merchant;
mod parameters;
mod rtf;
mod scan;
pub(super) mod tnef;
mod uuencode;

use std::borrow::Cow;

use mail_parser::{
    Address, DateTime, Encoding, Message, MessageParser, MessagePart, MimeHeaders as _, PartType,
    decoders::{base64::base64_decode, quoted_printable::quoted_printable_decode},
};

use super::{Ended, charset, html, links, send_part, send_values, warn};
use crate::{
    domain::{
        capture::{Reason, Relation},
        page::{TextSource, mail_line},
        structured::{StructuredSource, StructuredValue},
        time::CivilDate,
    },
    extract::dates,
    reader::{
        output::{Output, Stopped, failed},
        paper,
        protocol::{MAX_VALUE_CHARS, Request, clean},
    },
};
pub(crate) use head::legible;

use attachments::Carried;
use forward::Original;

/// Text parts of one mail whose texts are put together.
const MAX_TEXT_PARTS: usize = 20;
/// Lines of one mail that are laid out; the rest is warned about.
const MAX_LINES: usize = 4_000;
/// Lines of text that are kept before a forward is unwrapped: those laid out come after the forwarder's own.
const MAX_WRITTEN: usize = 2 * MAX_LINES;
/// Characters below which an HTML text says nothing and the plain one is taken.
const LEAST_HTML: usize = 20;

/// Reads one mail.
pub fn read(request: &Request, document: &[u8], out: &mut impl Output) -> Result<Ended, Stopped> {
    scan::check(document)?;
    let document = &*head::with_legible_head(document);
    let message = MessageParser::default()
        .parse(document)
        .ok_or_else(|| failed(Reason::Undecodable, "the mail has no headers"))?;
    let mut body = body(&message, document)?;
    let is_silent = body.lines.iter().all(|line| line.trim().is_empty());
    let original = forward::find(&body.lines);
    let mut values = header_values(&message, original.as_ref(), &body.lines);
    let lines = lines(&message, original.as_ref(), std::mem::take(&mut body.lines));
    values.extend(merchant::of(&values, &lines));
    if !body.links.is_empty() {
        links::keep(&body.links, &mut values);
    }
    values.append(&mut body.values);
    let mut is_cut = body.is_cut || lines.len() > MAX_LINES;
    let written = std::mem::take(&mut body.files).into_iter().map(Carried::from);
    for part in attachments::of(&message, document, &body.cited, is_silent, &mut is_cut).into_iter().chain(written) {
        if part.bytes.len() as u64 > request.limits.max_bytes {
            warn(out, "part_too_large")?;
            continue;
        }
        if let Some(said) = attachments::context(&part) {
            values.extend(said);
            continue;
        }
        send_part(out, &part.name, &part.kind, part.relation, &part.bytes)?;
    }
    for picture in &body.pictures {
        send_part(out, "", "", Relation::Inline, picture)?;
    }
    send_values(out, &values)?;
    if is_cut {
        warn(out, "truncated")?;
    }
    Ok(Ended::Pages(paper::send_text(&lines, TextSource::TextLayer, &request.limits, out)?))
}

/// The text of a mail.
#[derive(Default)]
struct Body {
    lines: Vec<String>,
    values: Vec<StructuredValue>,
    links: Vec<links::Link>,
    pictures: Vec<Vec<u8>>,
    /// Files written into the text.
    files: Vec<uuencode::File>,
    /// Content ids the HTML shows as pictures.
    cited: Vec<String>,
    is_cut: bool,
}

impl Body {
    /// Adds plain text, what is no file in it; format=flowed's soft breaks stay breaks, which keeps rows apart.
    fn add_plain(&mut self, text: &str) {
        let (text, mut files) = uuencode::take(text);
        let room = MAX_WRITTEN.saturating_sub(self.lines.len());
        self.lines.extend(text.lines().take(room).map(|line| line.trim_end().to_owned()));
        self.is_cut |= text.lines().nth(room).is_some();
        self.files.append(&mut files);
    }

    /// Letters and other characters, without the blanks around them.
    fn written(&self) -> usize {
        self.lines.iter().map(|line| line.trim().len()).sum()
    }
}

fn body(message: &Message<'_>, raw: &[u8]) -> Result<Body, Stopped> {
    let (mut body, mut has_html) = (Body::default(), false);
    let patience = html::Patience::new();
    for id in message.html_body.iter().take(MAX_TEXT_PARTS) {
        let Some(part) = message.parts.get(*id as usize) else { continue };
        if let PartType::Html(fallback) = &part.body {
            has_html = true;
            let text = text_of(part, raw, fallback);
            body.cited.extend(cited(&text));
            let mut digest = html::digest(&text, &patience)?;
            body.lines.append(&mut digest.lines);
            body.values.append(&mut digest.values);
            body.pictures.append(&mut digest.pictures);
            body.is_cut |= digest.is_cut;
        } else if let PartType::Text(fallback) = &part.body {
            body.add_plain(&text_of(part, raw, fallback));
        }
    }
    if has_html && body.written() < LEAST_HTML {
        let mut plain = Body::default();
        for id in message.text_body.iter().take(MAX_TEXT_PARTS) {
            let Some(part) = message.parts.get(*id as usize) else { continue };
            if let PartType::Text(fallback) = &part.body {
                plain.add_plain(&text_of(part, raw, fallback));
            }
        }
        // What is plain beside the HTML is plain in both.
        if plain.files.len() > body.files.len() {
            body.files = std::mem::take(&mut plain.files);
        }
        if plain.written() > body.written() {
            body.lines = plain.lines;
            body.is_cut |= plain.is_cut;
        }
    }
    body.links = links::written(&body.lines);
    Ok(body)
}

/// The text of a part, decoded by us: the parser believes every label.
fn text_of<'a>(part: &'a MessagePart<'_>, raw: &[u8], fallback: &'a str) -> Cow<'a, str> {
    let label = part.content_type().and_then(|kind| kind.attribute("charset"));
    match decoded(part, raw) {
        Some(bytes) => Cow::Owned(charset::decode(&bytes, label)),
        None => Cow::Borrowed(fallback),
    }
}

/// A part's bytes with its transfer encoding undone; `None` when that fails.
fn decoded<'a>(part: &MessagePart<'_>, raw: &'a [u8]) -> Option<Cow<'a, [u8]>> {
    if part.is_encoding_problem {
        return None;
    }
    let bytes = raw.get(part.offset_body as usize..part.offset_end as usize)?;
    match part.encoding {
        Encoding::None => Some(Cow::Borrowed(bytes)),
        Encoding::Base64 => base64_decode(bytes).map(Cow::Owned),
        Encoding::QuotedPrintable => quoted_printable_decode(bytes).map(Cow::Owned),
    }
}

/// Content ids that the HTML shows as pictures.
fn cited(html: &str) -> Vec<String> {
    let mut cited = Vec::new();
    for piece in html.split("cid:").skip(1).take(200) {
        let end = piece.find(['"', '\'', ')', '>', ' ', '&']).unwrap_or(piece.len());
        cited.push(piece[..end].to_owned());
    }
    cited
}

fn first<'a>(address: Option<&'a Address<'_>>) -> (Option<&'a str>, Option<&'a str>) {
    let Some(address) = address.and_then(Address::first) else { return (None, None) };
    (address.name(), address.address())
}

/// Who sent the mail, when and about what: of the original when it is a forward.
fn header_values(message: &Message<'_>, original: Option<&Original>, lines: &[String]) -> Vec<StructuredValue> {
    let mut values = Vec::new();
    let mut push = |name: &str, text: &str| {
        let text: String = clean(text).split_whitespace().collect::<Vec<_>>().join(" ");
        let text: String = text.chars().take(MAX_VALUE_CHARS).collect();
        if !text.is_empty() {
            let source = StructuredSource::Mail;
            values.push(StructuredValue { source, name: name.to_owned(), text, page: None, quad: None });
        }
    };
    let (name, address) = first(message.from());
    let subject = forward::without_prefixes(message.subject().unwrap_or_default());
    let date = message.date().map(written);
    match original {
        None => {
            push("sender_name", name.unwrap_or_default());
            push("sender_address", address.unwrap_or_default());
            push("sent", date.as_deref().unwrap_or_default());
            push("subject", subject);
        }
        Some(original) => {
            push("sender_name", original.name.as_deref().unwrap_or_default());
            push("sender_address", original.address.as_deref().unwrap_or_default());
            push("sent", original.date.as_deref().unwrap_or_default());
            push("subject", original.subject.as_deref().map_or(subject, forward::without_prefixes));
            push("forwarder_name", name.unwrap_or_default());
            push("forwarder_address", address.unwrap_or_default());
            push("forwarded", date.as_deref().unwrap_or_default());
            push("forwarder_note", &lines[..original.note_to.min(lines.len())].join(" "));
        }
    }
    values
}

fn written(date: &DateTime) -> String {
    format!("{:04}-{:02}-{:02} {:02}:{:02}", date.year, date.month, date.day, date.hour, date.minute)
}

/// What the page shows: the original's own text, then the headers that matter: a receipt begins with its merchant, and so
/// does what is looked for it. What the forwarder wrote above it (a greeting, a signature with a company and telephone
/// numbers) is no part of the receipt; it is kept as a value.
fn lines(message: &Message<'_>, original: Option<&Original>, mut body: Vec<String>) -> Vec<String> {
    let (name, address) = first(message.from());
    let own = |text: Option<&str>| text.unwrap_or_default().to_owned();
    let subject = message.subject().unwrap_or_default();
    let (name, address, date, subject) = match original {
        None => (own(name), own(address), message.date().map(written), subject),
        Some(original) => (
            own(original.name.as_deref()),
            own(original.address.as_deref()),
            original.date.clone(),
            original.subject.as_deref().unwrap_or(subject),
        ),
    };
    let mut headers = Vec::new();
    let mut header = |label: &str, text: &str| {
        if !text.trim().is_empty() {
            headers.push(format!("{label} {}", text.split_whitespace().collect::<Vec<_>>().join(" ")));
        }
    };
    header(mail_line::SUBJECT, forward::without_prefixes(subject));
    header(mail_line::FROM, &format!("{name} {address}"));
    // When a mail was sent is the date of its receipt only when that says none itself: days after it are those of a trip.
    let sent_on = message.date().and_then(|d| CivilDate::new(d.year as i16, d.month as i8, d.day as i8).ok());
    let is_until = |line: &String, on: CivilDate| {
        dates::find(line, on).iter().flat_map(|found| &found.readings).any(|reading| reading.date <= on)
    };
    let says_its_date = sent_on.is_some_and(|on| body.iter().any(|line| is_until(line, on)));
    if !says_its_date {
        header(mail_line::SENT, date.as_deref().unwrap_or_default());
    }
    if let Some(original) = original {
        body.drain(..original.body_from.min(body.len()));
    }
    let body = body.into_iter().map(|line| match line.strip_prefix('>') {
        Some(quoted) if original.is_some() => quoted.trim_start_matches(['>', ' ']).to_owned(),
        _ => line,
    });
    let mut lines: Vec<String> = body.skip_while(|line| line.trim().is_empty()).take(MAX_LINES).collect();
    lines.push(String::new());
    lines.append(&mut headers);
    lines
}

#[cfg(test)]
mod tests {
    use mail_builder::MessageBuilder;
    use proptest::prelude::*;

    use super::*;
    use crate::{
        domain::media::MediaType,
        reader::parse::tests::{Sent, request},
    };

    fn sent(mail: &[u8]) -> Sent {
        let mut out = Sent::default();
        match read(&request(MediaType::Mail), mail, &mut out) {
            Ok(_) => out,
            Err(error) => panic!("{error:?}"),
        }
    }

    fn value<'a>(sent: &'a Sent, name: &str) -> &'a str {
        sent.values.iter().find(|v| v.name == name).map_or("", |v| v.text.as_str())
    }

    /// A PNG that says its size, as far as anybody looks before decoding.
    fn png(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = std::io::Cursor::new(Vec::new());
        image::RgbImage::new(width, height).write_to(&mut bytes, image::ImageFormat::Png).unwrap();
        let mut bytes = bytes.into_inner();
        bytes.resize(bytes.len().max(4_000), 0);
        bytes
    }

    #[test]
    fn an_html_receipt_with_logo_and_pdf() {
        let mail = MessageBuilder::new()
            .from(("Harbour Cafe", "r@cafe.example"))
            .to("me@example.com")
            .subject("Fwd: Your receipt")
            .text_body("see HTML")
            .html_body("<img src=cid:logo><table><tr><td>Total</td><td>€ 12.80</td></tr></table><a href='https://cafe.example/receipt/7'>receipt</a>")
            .inline("image/png", "logo", png(120, 40))
            .inline("image/jpeg", "photo", png(900, 1200))
            .attachment("application/octet-stream", "发票.pdf", b"%PDF-1.4 x".as_slice())
            .write_to_vec()
            .unwrap();
        let sent = sent(&mail);
        assert!(sent.pages[0].text().contains("Total € 12.80"), "{}", sent.pages[0].text());
        assert_eq!(value(&sent, "sender_name"), "Harbour Cafe");
        assert_eq!(value(&sent, "subject"), "Your receipt");
        assert_eq!(value(&sent, "link"), "https://cafe.example/receipt/7");
        let parts: Vec<(&str, Relation)> = sent.parts.iter().map(|(h, _)| (h.name.as_str(), h.relation)).collect();
        assert!(parts.contains(&("发票.pdf", Relation::Attachment)), "{parts:?}");
        assert_eq!(parts.len(), 2, "the logo stays out, the photo does not: {parts:?}");
    }

    #[test]
    fn a_forward_is_unwrapped_and_the_forwarders_signature_is_no_part_of_it() {
        let text = "please book\n\nAnn Rep\nBig Corp Ltd, Tel 123\n\n---------- Forwarded message ---------\nFrom: Cafe <r@cafe.example>\nDate: 20 Nov 2026 09:14\nSubject: Your receipt\nTo: Ann\n\nCoffee 4.50\nTotal EUR 4.50\n";
        let mail = MessageBuilder::new().from(("Ann", "ann@corp.example")).subject("Fwd: Your receipt").text_body(text);
        let sent = sent(&mail.write_to_vec().unwrap());
        let page = sent.pages[0].text();
        assert!(page.contains("Total EUR 4.50") && !page.contains("Big Corp"), "{page}");
        assert_eq!((value(&sent, "sender_address"), value(&sent, "sent")), ("r@cafe.example", "20 Nov 2026 09:14"));
        assert_eq!(value(&sent, "forwarder_address"), "ann@corp.example");
        assert!(value(&sent, "forwarder_note").starts_with("please book"));
    }

    #[test]
    fn messages_wrappers_calendars_and_mislabelled_text_inside_a_mail() {
        let inner = MessageBuilder::new()
            .from("r@cafe.example")
            .subject("Inner")
            .text_body("Total 4.50")
            .write_to_vec()
            .unwrap();
        let wrapper = tnef::tests_support::wrapper("bill.pdf", b"%PDF-1.4 y");
        let (gbk, _, _) = encoding_rs::GB18030.encode("合计 12.00 元 谢谢惠顾");
        let mut mail = MessageBuilder::new()
            .from("a@example.com")
            .subject("Several")
            .text_body("BODY")
            .attachment("message/rfc822", "inner.eml", inner)
            .attachment("application/ms-tnef", "winmail.dat", wrapper)
            .attachment(
                "text/calendar",
                "trip.ics",
                b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:Trip\r\nEND:VEVENT\r\nEND:VCALENDAR".as_slice(),
            )
            .attachment("application/pkcs7-signature", "smime.p7s", b"\x30\x80".as_slice())
            .write_to_vec()
            .unwrap();
        // The body in Chinese bytes under a label that lies.
        let at = mail.windows(4).position(|w| w == b"BODY").unwrap();
        mail.splice(at..at + 4, gbk.iter().copied());
        let sent = sent(&mail);
        assert!(sent.pages[0].text().contains("合计 12.00 元"), "{}", sent.pages[0].text());
        let parts: Vec<(&str, Relation)> = sent.parts.iter().map(|(h, _)| (h.name.as_str(), h.relation)).collect();
        assert_eq!(parts, [("inner.eml", Relation::Message), ("bill.pdf", Relation::Attachment)]);
        assert!(sent.parts[0].1.windows(14).any(|w| w == b"Subject: Inner"));
        assert_eq!(value(&sent, "event"), "Trip");
    }

    /// `Subject` and sender as RFC 2047 words of the charset, the text as it is or packed.
    fn in_charset(encoding: &'static encoding_rs::Encoding, label: &str, is_packed: bool, text: &str) -> Vec<u8> {
        use base64::{Engine as _, prelude::BASE64_STANDARD};
        let word = |text: &str| format!("=?{label}?B?{}?=", BASE64_STANDARD.encode(encoding.encode(text).0));
        let body = encoding.encode(text).0;
        let (transfer, body) =
            if is_packed { ("base64", BASE64_STANDARD.encode(body).into_bytes()) } else { ("8bit", body.into_owned()) };
        let (subject, name) = (word("住宿发票"), word("港湾酒店"));
        let head = format!(
            "From: {name} <a@b.example>\r\nSubject: {subject}\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset={label}\r\nContent-Transfer-Encoding: {transfer}\r\n\r\n"
        );
        [head.into_bytes(), body].concat()
    }

    #[test]
    fn mails_in_charsets_of_east_asia_are_read_with_their_headers_whatever_their_label() {
        use encoding_rs::{BIG5, EUC_JP, EUC_KR, GB18030, ISO_2022_JP, SHIFT_JIS, UTF_8};
        let chinese = "港湾酒店 住宿费 合计 人民币 壹佰贰拾元整 120.00 开票日期 2026年11月20日";
        for (encoding, label) in [
            (GB18030, "GB2312"),
            (GB18030, "gb18030"),
            (GB18030, "GBK"),
            (GB18030, "x-gbk"),
            (GB18030, "utf-8"),
            (GB18030, "iso-8859-1"),
            (UTF_8, "gb2312"),
            (UTF_8, "us-ascii"),
            (UTF_8, "iso-8859-1"),
        ] {
            for is_packed in [true, false] {
                let sent = sent(&in_charset(encoding, label, is_packed, chinese));
                let page = sent.pages[0].text();
                assert!(
                    page.contains("住宿费 合计 人民币 壹佰贰拾元整 120.00"),
                    "{} as {label}: {page}",
                    encoding.name()
                );
                assert_eq!(value(&sent, "subject"), "住宿发票", "{} as {label}", encoding.name());
                assert_eq!(value(&sent, "sender_name"), "港湾酒店", "{} as {label}", encoding.name());
            }
        }
        for (encoding, label, text) in [
            (ISO_2022_JP, "ISO-2022-JP", "領収書 合計 1,200円 ありがとうございました"),
            (SHIFT_JIS, "Shift_JIS", "領収書 合計 1,200円 ありがとうございました"),
            (EUC_JP, "EUC-JP", "領収書 合計 1,200円 ありがとうございました"),
            (BIG5, "Big5", "電子發票證明聯 總計 120 元 謝謝惠顧"),
            (EUC_KR, "EUC-KR", "영수증 합계 12,000원 감사합니다"),
        ] {
            for is_packed in [true, false] {
                let sent = sent(&in_charset(encoding, label, is_packed, text));
                let page = sent.pages[0].text();
                assert!(page.contains(text), "{label}: {page}");
            }
        }
    }

    #[test]
    fn names_of_attachments_are_read_however_their_packing_is_labelled() {
        use base64::{Engine as _, prelude::BASE64_STANDARD};
        let gb = encoding_rs::GB18030.encode("电子发票.pdf").0.into_owned();
        for (bytes, label) in
            [(&gb[..], "gb2312"), (&gb, "utf-8"), (&gb, "iso-8859-1"), ("电子发票.pdf".as_bytes(), "gbk")]
        {
            let word = format!("=?{label}?B?{}?=", BASE64_STANDARD.encode(bytes));
            let percent = bytes.iter().fold(String::new(), |text, byte| text + &format!("%{byte:02X}"));
            for disposition in [format!("filename=\"{word}\""), format!("filename*={label}''{percent}")] {
                let mail = format!(
                    "From: a@b.example\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\nsee there\r\n--x\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; {disposition}\r\n\r\n%PDF-1.4 x\r\n--x--\r\n"
                );
                let sent = sent(mail.as_bytes());
                assert_eq!(sent.parts[0].0.name, "电子发票.pdf", "{disposition}");
            }
        }
    }

    #[test]
    fn a_mail_whose_text_is_only_in_winmail_dat_gives_it_as_a_part() {
        let rich = tnef::tests_support::rich(b"{\\rtf1\\ansi HARBOUR CAFE\\par Total\\tab EUR 12.80}");
        let mail = |text: &'static str| {
            let mail = MessageBuilder::new().from("a@example.com").subject("Receipt").text_body(text);
            mail.attachment("application/ms-tnef", "winmail.dat", rich.clone()).write_to_vec().unwrap()
        };
        let silent = sent(&mail(" "));
        let (head, bytes) = &silent.parts[0];
        assert_eq!(
            (head.name.as_str(), bytes.as_slice()),
            ("message.txt", b"HARBOUR CAFE\nTotal\tEUR 12.80".as_slice())
        );
        assert!(sent(&mail("HARBOUR CAFE Total EUR 12.80")).parts.is_empty(), "what the mail says itself");
    }

    #[test]
    fn files_written_into_the_text_are_parts_and_no_text() {
        let pdf = uuencode::tests_support::encoded("bill.pdf", b"%PDF-1.4 x", '`');
        let trip = b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:Trip\r\nEND:VEVENT\r\nEND:VCALENDAR";
        let trip = uuencode::tests_support::encoded("trip.ics", trip, ' ');
        for text in ["", "Please find our bill below.\r\n"] {
            let mail = format!("From: a@b.example\r\nSubject: Bill\r\n\r\n{text}{pdf}\r\n{trip}");
            let sent = sent(mail.as_bytes());
            let parts: Vec<(&str, &[u8])> = sent.parts.iter().map(|(h, bytes)| (h.name.as_str(), &bytes[..])).collect();
            assert_eq!(parts, [("bill.pdf", &b"%PDF-1.4 x"[..])]);
            assert_eq!(value(&sent, "event"), "Trip");
            let page = sent.pages[0].text();
            assert!(page.contains(text.trim()) && !page.contains("begin") && !page.contains("end"), "{page}");
        }
        // Beside an HTML text that says nothing.
        let html = "--x\r\nContent-Type: text/html\r\n\r\n<p>\r\n--x--\r\n";
        let mail = format!("Content-Type: multipart/alternative; boundary=x\r\n\r\n--x\r\n\r\n{pdf}\r\n{html}");
        assert_eq!(sent(mail.as_bytes()).parts[0].0.name, "bill.pdf");
    }

    #[test]
    fn a_mail_inside_its_signature_is_a_message_with_the_headers_around_it() {
        use base64::{Engine as _, prelude::BASE64_STANDARD};
        for is_streamed in [false, true] {
            let inner = b"Content-Type: text/plain\r\n\r\nHARBOUR CAFE\r\nTotal EUR 4.50\r\n";
            let packed = BASE64_STANDARD.encode(cms::tests_support::signed(inner, is_streamed));
            let mail = format!(
                "Received: x\r\nFrom: Harbour Cafe\r\n <r@cafe.example>\r\nSubject: Your receipt\r\nContent-Type: application/pkcs7-mime; smime-type=signed-data; name=smime.p7m\r\nContent-Transfer-Encoding: base64\r\n\r\n{packed}\r\n"
            );
            let outer = sent(mail.as_bytes());
            let (head, bytes) = &outer.parts[0];
            assert_eq!(head.relation, Relation::Message);
            assert!(
                !bytes.windows(8).any(|window| window == b"Received"),
                "only what says from whom, when and about what"
            );
            let inner = sent(bytes);
            assert_eq!((value(&inner, "sender_address"), value(&inner, "subject")), ("r@cafe.example", "Your receipt"));
            assert!(inner.pages[0].text().contains("Total EUR 4.50"), "{}", inner.pages[0].text());
        }
    }

    #[test]
    fn a_mail_with_days_of_a_trip_only_is_of_the_day_it_was_sent() {
        let page = |text: &str| {
            let mail = format!("From: a@b.example\r\nDate: Fri, 20 Nov 2026 09:14:00 +0100\r\n\r\n{text}\r\n");
            sent(mail.as_bytes()).pages[0].text()
        };
        assert!(page("Departure 1 December 2026").contains("Sent: 2026-11-20"));
        assert!(!page("Departure 1 December 2026, booked on 19 November 2026").contains("Sent:"));
    }

    #[test]
    fn bytes_without_a_label_are_read_in_headers_in_names_and_in_the_text() {
        let mail = "From: 港湾酒店 <a@b.example>\r\nSubject: 住宿发票\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\n合计 人民币 壹佰贰拾元整 120.00\r\n--x\r\nContent-Type: application/pdf; name=\"电子发票.pdf\"\r\nContent-Disposition: attachment; filename=\"电子发票.pdf\"\r\n\r\n%PDF-1.4 x\r\n--x--\r\n";
        for encoding in [encoding_rs::GB18030, encoding_rs::UTF_8] {
            let sent = sent(&encoding.encode(mail).0);
            let said = (value(&sent, "sender_name"), value(&sent, "subject"), sent.parts[0].0.name.as_str());
            assert_eq!(said, ("港湾酒店", "住宿发票", "电子发票.pdf"), "{}", encoding.name());
            assert!(sent.pages[0].text().contains("壹佰贰拾元整 120.00"), "{}", encoding.name());
        }
    }

    #[test]
    fn a_mail_cut_off_inside_a_message_inside_a_message_is_read() {
        let inner = "Content-Type: message/rfc822\r\n\r\n";
        let head = "Subject: cut\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n";
        let text = "--b\r\n\r\nTotal 4.50\r\n";
        let sent = sent(format!("{head}{text}--b\r\n{inner}{inner}\r\n--b--\r\n").as_bytes());
        assert!(sent.pages[0].text().contains("Total 4.50"), "{}", sent.pages[0].text());
    }

    #[test]
    fn a_bomb_is_refused() {
        let bomb = "Content-Type: message/rfc822\r\n\r\n".repeat(5_000);
        let outcome = read(&request(MediaType::Mail), bomb.as_bytes(), &mut Sent::default());
        assert!(matches!(outcome, Err(Stopped::Failed(failed)) if failed.reason == Reason::MimeLimits));
    }

    proptest! {
        #[test]
        fn any_mail_is_survived(text in "(Content-Type: (multipart/mixed; boundary=b|message/rfc822|text/html)\r\n|Content-Transfer-Encoding: base64\r\n|\r\n|--b(--)?\r\n|From: a@b\\.c\r\n|<td>|[a-zA-Z0-9+/=]{0,9}|\\PC){0,40}") {
            let _ = read(&request(MediaType::Mail), text.as_bytes(), &mut Sent::default());
        }
    }
}
