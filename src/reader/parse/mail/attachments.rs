//! What a mail carries besides its text.

use std::borrow::Cow;

use mail_parser::{Message, MessageParser, MessagePart, MimeHeaders as _, PartType};

use super::{
    cms, decoded,
    head::{MAX_HEAD, legible},
    parameters, tnef, uuencode,
};
use crate::{
    domain::{capture::Relation, media::MediaType, structured::StructuredValue},
    imaging::header,
    reader::parse::context,
};

/// Attachments of one mail that go out.
const MAX_ATTACHMENTS: usize = 100;
/// Sides below which a picture shown in the text is a logo or an icon, and bytes below which it holds no print.
const LEAST_SIDE: u32 = 200;
const LEAST_BYTES: usize = 3_000;
/// Longer to shorter side from which a picture shown in the text is a banner; slips reach 5.
const MOST_STRETCHED: u32 = 7;

/// Types that are never documents: signatures, visiting cards, delivery reports, AMP renditions of the text.
const NEVER: [&str; 12] = [
    "application/pkcs7-signature",
    "application/x-pkcs7-signature",
    "application/pgp-signature",
    "application/pgp-keys",
    "application/pgp-encrypted",
    "text/x-amp-html",
    "text/vcard",
    "text/x-vcard",
    "text/directory",
    "message/delivery-status",
    "message/disposition-notification",
    "text/rfc822-headers",
];

/// Something carried.
pub struct Carried<'a> {
    /// Its name for people.
    pub name: String,
    /// Its declared type.
    pub kind: String,
    /// What it is to the mail.
    pub relation: Relation,
    /// Its bytes.
    pub bytes: Cow<'a, [u8]>,
}

impl From<uuencode::File> for Carried<'_> {
    fn from(file: uuencode::File) -> Self {
        let uuencode::File { name, bytes } = file;
        Self { name, kind: String::new(), relation: Relation::Attachment, bytes: Cow::Owned(bytes) }
    }
}

/// Everything carried, wrappers opened, ornaments of the text left out. `is_silent` is a mail without text of its own.
pub fn of<'a>(
    message: &'a Message<'_>,
    raw: &'a [u8],
    cited: &[String],
    is_silent: bool,
    is_cut: &mut bool,
) -> Vec<Carried<'a>> {
    let mut carried = Vec::new();
    for part in message.attachments.iter().filter_map(|id| message.parts.get(*id as usize)) {
        // The text itself is not carried.
        let kind = kind(part);
        if NEVER.contains(&kind.as_str()) {
            continue;
        }
        if carried.len() >= MAX_ATTACHMENTS {
            *is_cut = true;
            break;
        }
        let Some(bytes) = bytes(part, raw) else { continue };
        if bytes.is_empty() {
            continue;
        }
        if let Some(contents) = tnef::unwrap(&bytes) {
            // A mail that says something itself says it in the wrapper once more.
            let body = if is_silent { contents.body() } else { contents.html.clone().map(|html| ("text/html", html)) };
            let room = MAX_ATTACHMENTS - carried.len();
            let inside = contents.attachments.into_iter().map(|inner| Carried {
                name: inner.name,
                kind: inner.kind,
                relation: Relation::Attachment,
                bytes: Cow::Owned(inner.bytes),
            });
            carried.extend(inside.take(room));
            if let Some((kind, bytes)) = body.filter(|(_, bytes)| !bytes.is_empty()) {
                let name = if kind == "text/html" { "message.html" } else { "message.txt" };
                let (name, kind, bytes) = (name.to_owned(), kind.to_owned(), Cow::Owned(bytes));
                carried.push(Carried { name, kind, relation: Relation::Inline, bytes });
            }
            continue;
        }
        if kind.ends_with("pkcs7-mime")
            && let Some(content) = cms::signed_content(&bytes)
        {
            let bytes = Cow::Owned([envelope(raw), content].concat());
            let (name, kind) = ("message.eml".to_owned(), "message/rfc822".to_owned());
            carried.push(Carried { name, kind, relation: Relation::Message, bytes });
            continue;
        }
        let is_shown =
            part.content_id().is_some_and(|id| cited.iter().any(|cited| cited == id.trim_matches(['<', '>'])));
        if is_shown && is_ornament(&bytes) {
            continue;
        }
        let relation = match &part.body {
            PartType::Message(_) => Relation::Message,
            _ if is_shown => Relation::Inline,
            _ => Relation::Attachment,
        };
        let name = name(part, raw);
        carried.push(Carried { name, kind, relation, bytes });
    }
    carried
}

/// Calendars and passes: read here for their context, and no documents.
pub fn context(part: &Carried<'_>) -> Option<Vec<StructuredValue>> {
    if part.kind == "text/calendar" || context::is_calendar(&part.bytes) {
        return Some(context::calendar(&part.bytes));
    }
    if part.kind == "application/vnd.apple.pkpass" || part.bytes.starts_with(b"PK\x03\x04") {
        return context::pass(&part.bytes);
    }
    None
}

/// The headers of a mail that say from whom, when and about what it is: what is signed has only those of its type.
fn envelope(mail: &[u8]) -> Vec<u8> {
    const WANTED: [&[u8]; 3] = [b"from:", b"subject:", b"date:"];
    let mut out = Vec::new();
    let mut is_wanted = false;
    for line in mail[..mail.len().min(MAX_HEAD)].split_inclusive(|byte| *byte == b'\n') {
        if line.trim_ascii().is_empty() {
            break;
        }
        if !line.starts_with(b" ") && !line.starts_with(b"\t") {
            let starts = |name: &&[u8]| line.get(..name.len()).is_some_and(|head| head.eq_ignore_ascii_case(name));
            is_wanted = WANTED.iter().any(starts);
        }
        if is_wanted {
            out.extend(line);
        }
    }
    out
}

/// The name of a part; read once more from its headers when it is packed, or in bytes of no stated charset: the parser
/// believes every label.
fn name(part: &MessagePart<'_>, raw: &[u8]) -> String {
    let name = part.attachment_name().unwrap_or_default();
    let is_packed = |all: &[u8]| !all.is_ascii() || all.windows(2).any(|two| matches!(two, b"=?" | b"*=" | b"*0"));
    let headers = raw.get(part.offset_header as usize..part.offset_body as usize);
    let Some(headers) = headers.filter(|all| all.len() <= MAX_HEAD && is_packed(all)) else { return name.to_owned() };
    let headers = legible(headers);
    let legible = parameters::legible(&headers);
    let parsed = MessageParser::default().parse_headers(legible.as_bytes());
    let parsed = parsed.and_then(|message| Some(message.parts.first()?.attachment_name()?.to_owned()));
    parsed.unwrap_or_else(|| name.to_owned())
}

fn kind(part: &MessagePart<'_>) -> String {
    let Some(kind) = part.content_type() else { return String::new() };
    match kind.subtype() {
        Some(subtype) => format!("{}/{subtype}", kind.ctype()).to_ascii_lowercase(),
        None => kind.ctype().to_ascii_lowercase(),
    }
}

fn bytes<'a>(part: &'a MessagePart<'_>, raw: &'a [u8]) -> Option<Cow<'a, [u8]>> {
    match &part.body {
        PartType::Binary(bytes) | PartType::InlineBinary(bytes) => Some(Cow::Borrowed(bytes)),
        PartType::Text(text) | PartType::Html(text) => {
            Some(decoded(part, raw).unwrap_or(Cow::Borrowed(text.as_bytes())))
        }
        // As it came: from the mail when it was not encoded, else as the parser decoded it.
        PartType::Message(inner) => decoded(part, raw).or(Some(Cow::Borrowed(&inner.raw_message))),
        PartType::Multipart(_) => None,
    }
}

/// Whether a picture shown in the text is there for looks: an icon, a logo, a banner.
fn is_ornament(bytes: &[u8]) -> bool {
    let Some(media_type) = MediaType::sniff(bytes) else { return false };
    if !media_type.is_picture() {
        return false;
    }
    if bytes.len() < LEAST_BYTES {
        return true;
    }
    header::probe_bytes(bytes, media_type).is_some_and(|picture| {
        let (short, long) = (picture.width.min(picture.height), picture.width.max(picture.height));
        short < LEAST_SIDE || long / short.max(1) >= MOST_STRETCHED
    })
}
