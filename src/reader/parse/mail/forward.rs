//! Forwarded mails: who sent the original, when and about what.
//!
//! Clients write the original's headers as text, each with its own labels in the language of whoever forwards. A block of
//! such labels in a row is recognised by the labels alone, so that a client nobody thought of is understood as well.

/// Lines that are looked through for a block.
const MAX_LINES: usize = 2_000;
/// Lines of one block: a client writes six, long recipient lists wrap.
const MAX_BLOCK: usize = 40;
/// Blocks directly after each other: a forward of a forward of a forward.
const MAX_FORWARDS: usize = 5;
/// Lines between a block and the next one inside it: separators, a greeting.
const MAX_BETWEEN: usize = 6;

/// The original of a forwarded mail.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Original {
    /// Name of its sender.
    pub name: Option<String>,
    /// Address of its sender.
    pub address: Option<String>,
    /// When it was sent, as the client wrote it.
    pub date: Option<String>,
    /// What it was about.
    pub subject: Option<String>,
    /// The first line of its own text.
    pub body_from: usize,
    /// Lines before it: what the forwarder wrote.
    pub note_to: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Label {
    From,
    Date,
    Subject,
    /// To, Cc, Reply-To and what else stands in a block.
    Other,
}

/// Labels in lower case, without colon.
const LABELS: &[(Label, &[&str])] = &[
    (
        Label::From,
        &[
            "from",
            "expeditorul",
            "отправитель",
            "від кого",
            "von",
            "de",
            "da",
            "van",
            "od",
            "от",
            "от кого",
            "fra",
            "från",
            "lähettäjä",
            "feladó",
            "küldő",
            "kimden",
            "gönderen",
            "expéditeur",
            "expediteur",
            "remitente",
            "mittente",
            "afzender",
            "nadawca",
            "odesílatel",
            "odosielateľ",
            "pošiljatelj",
            "šalje",
            "saatja",
            "від",
            "de la",
            "από",
            "发件人",
            "发信人",
            "寄件者",
            "寄件人",
            "發件人",
            "差出人",
            "送信元",
            "送信者",
            "보낸사람",
            "보낸 사람",
            "발신",
            "مِن",
            "من",
            "מאת",
            "จาก",
            "từ",
            "dari",
            "expedidor",
            "remetente",
        ],
    ),
    (
        Label::Date,
        &[
            "date",
            "dată",
            "sent",
            "datum",
            "gesendet",
            "gesendet am",
            "envoyé",
            "envoyé le",
            "date d'envoi",
            "fecha",
            "enviado",
            "enviado el",
            "enviada em",
            "enviado em",
            "data",
            "inviato",
            "data invio",
            "verzonden",
            "verstuurd",
            "wysłano",
            "дата",
            "отправлено",
            "sendt",
            "dato",
            "skickat",
            "päivämäärä",
            "päiväys",
            "lähetetty",
            "dátum",
            "küldve",
            "elküldve",
            "tarih",
            "gönderildi",
            "gönderme tarihi",
            "odesláno",
            "odoslané",
            "poslano",
            "saadetud",
            "kuupäev",
            "trimis",
            "data trimiterii",
            "надіслано",
            "дата відправлення",
            "στάλθηκε",
            "ημερομηνία",
            "发送时间",
            "发送日期",
            "日期",
            "时间",
            "寄件日期",
            "傳送時間",
            "發送時間",
            "送信日時",
            "日付",
            "日時",
            "날짜",
            "보낸 날짜",
            "보낸시간",
            "发件时间",
            "تاريخ",
            "תאריך",
            "ngày",
        ],
    ),
    (
        Label::Subject,
        &[
            "subject",
            "subiectul",
            "betreff",
            "objet",
            "sujet",
            "asunto",
            "oggetto",
            "onderwerp",
            "temat",
            "тема",
            "emne",
            "ämne",
            "aihe",
            "tárgy",
            "konu",
            "předmět",
            "predmet",
            "assunto",
            "subiect",
            "naslov",
            "zadeva",
            "teema",
            "θέμα",
            "主题",
            "主旨",
            "标题",
            "件名",
            "제목",
            "الموضوع",
            "נושא",
            "chủ đề",
            "perihal",
        ],
    ),
    (
        Label::Other,
        &[
            "to",
            "destinatarul",
            "cc",
            "bcc",
            "reply-to",
            "reply to",
            "an",
            "kopie",
            "antwort an",
            "à",
            "a",
            "pour",
            "para",
            "aan",
            "do",
            "кому",
            "til",
            "till",
            "vastaanottaja",
            "címzett",
            "kime",
            "alıcı",
            "komu",
            "prima",
            "pre",
            "saaja",
            "către",
            "copie à",
            "copie",
            "con copia",
            "copia",
            "copia a",
            "dw",
            "копия",
            "копія",
            "kopi",
            "kopia",
            "kopio",
            "másolatot kap",
            "másolat",
            "bilgi",
            "kópia",
            "pro",
            "répondre à",
            "responder a",
            "rispondi a",
            "antwoord aan",
            "svar til",
            "svar till",
            "收件人",
            "抄送",
            "收件者",
            "副本",
            "宛先",
            "送信先",
            "받는사람",
            "받는 사람",
            "참조",
            "密送",
            "回复",
            "importance",
            "priority",
            "wichtigkeit",
            "attachments",
            "anlagen",
            "附件",
            "message-id",
            "mailed-by",
            "signed-by",
            "cópia",
            "kk",
            "komu",
            "na vědomí",
            "gửi",
            "kepada",
        ],
    ),
];

/// Finds the original of a forwarded mail in its lines: the innermost of blocks that follow each other.
pub fn find(lines: &[String]) -> Option<Original> {
    let end = lines.len().min(MAX_LINES);
    let mut at = (0..end).find(|at| block(lines, *at).is_some());
    if let Some(written) = (0..at.unwrap_or(end)).find_map(|at| sentence(lines, at)) {
        return Some(written);
    }
    let note_to = note_end(lines, at?);
    let mut found = None;
    for _ in 0..MAX_FORWARDS {
        let Some(start) = at else { break };
        let Some(original) = block(lines, start) else { break };
        let from = original.body_from;
        found = Some(Original { note_to, ..original });
        at = (from..lines.len().min(from + MAX_BETWEEN))
            .find(|at| block(lines, *at).is_some())
            .filter(|at| lines[from..*at].iter().all(|line| is_separator(line)));
    }
    found
}

/// Where the forwarder's own words end: before separators such as `---------- Forwarded message ---------`.
fn note_end(lines: &[String], block: usize) -> usize {
    let mut end = block;
    while end > 0 && is_separator(&lines[end - 1]) {
        end -= 1;
    }
    end
}

/// A line that only leads to the next block.
fn is_separator(line: &str) -> bool {
    let line = bare(line);
    let marks = line.chars().filter(|c| matches!(c, '-' | '_' | '=' | '*' | '─' | '—')).count();
    line.is_empty() || marks >= 5 || (line.ends_with([':', '：']) && line.chars().count() < 60)
}

/// A line without quote marks, emphasis and blanks around it.
fn bare(line: &str) -> &str {
    line.trim_matches(|c: char| {
        c.is_whitespace() || matches!(c, '>' | '*' | '|' | '\u{feff}' | '\u{200e}' | '\u{200f}')
    })
}

/// The label a line begins with, and what follows it.
fn labelled(line: &str) -> Option<(Label, &str)> {
    let line = bare(line);
    let colon = line.find([':', '：'])?;
    let written = line[..colon].trim_matches(|c: char| c.is_whitespace() || matches!(c, '*' | '\u{a0}' | '|'));
    if written.is_empty() || written.chars().count() > 20 {
        return None;
    }
    let word = written.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ");
    // `主 题` and `发件 人` are spread out by some clients.
    let joined: String = word.chars().filter(|c| !c.is_whitespace()).collect();
    let label = LABELS.iter().find(|(_, words)| words.contains(&word.as_str()) || words.contains(&joined.as_str()))?.0;
    let rest = line[colon..].trim_start_matches([':', '：']);
    Some((label, bare(rest)))
}

/// The block that begins at a line: a sender, and a date or subject.
fn block(lines: &[String], start: usize) -> Option<Original> {
    let Some(_) = labelled(lines.get(start)?) else {
        let pieces = unglued(&lines[start])?;
        return block(&pieces, 0).map(|original| Original { body_from: start + 1, ..original });
    };
    let mut original = Original::default();
    let (mut has_from, mut last, mut end) = (false, None, start);
    // A date or subject that is only a line of a receipt (`Date: 20/11/2026`) must not begin a block, so what counts is
    // labels in unbroken order with at most one blank line between.
    let mut blanks = 0;
    for (at, line) in lines.iter().enumerate().skip(start).take(MAX_BLOCK) {
        let text = bare(line);
        if text.is_empty() {
            blanks += 1;
            if blanks > 1 {
                break;
            }
            continue;
        }
        if let Some((label, value)) = labelled(line) {
            let is_again = match label {
                Label::From => has_from,
                Label::Date => original.date.is_some(),
                Label::Subject => original.subject.is_some(),
                Label::Other => false,
            };
            if is_again {
                break;
            }
            has_from |= label == Label::From;
            fill(&mut original, label, value);
            last = Some((label, value.is_empty() || value.ends_with([',', ';'])));
            (blanks, end) = (0, at + 1);
            continue;
        }
        match last {
            // A value on the line after its label, or a list of people that goes on.
            Some((label, true)) if blanks == 0 => {
                fill(&mut original, label, text);
                last = Some((label, label == Label::Other && text.ends_with([',', ';'])));
                end = at + 1;
            }
            // Foxmail breaks between a name and its address.
            Some((Label::From, _)) if blanks == 0 && original.address.is_none() && sender(text).1.is_some() => {
                original.address = sender(text).1;
                end = at + 1;
            }
            // Long subjects wrap in plain text: an indented line before the next label.
            Some((label, _)) if blanks == 0 && goes_on(lines, at) => {
                if label == Label::Subject
                    && let Some(subject) = &mut original.subject
                {
                    subject.push(' ');
                    subject.push_str(text);
                }
                end = at + 1;
            }
            _ => break,
        }
    }
    // Without an address it takes everything else: a receipt says `Date:` and `From:` as well.
    let (has_date, has_subject) = (original.date.is_some(), original.subject.is_some());
    let is_sender = match (&original.address, &original.name) {
        (Some(_), _) => has_date || has_subject,
        (None, Some(_)) => has_date && has_subject,
        (None, None) => false,
    };
    original.body_from = end;
    (has_from && is_sender).then_some(original)
}

/// Whether a line without label stands between two lines of a block.
fn goes_on(lines: &[String], at: usize) -> bool {
    lines.get(at + 1).is_some_and(|next| labelled(next).is_some()) && lines[at].starts_with([' ', '\t'])
}

fn fill(original: &mut Original, label: Label, value: &str) {
    if value.is_empty() {
        return;
    }
    match label {
        Label::From => (original.name, original.address) = sender(value),
        Label::Date => original.date = Some(value.to_owned()),
        Label::Subject => original.subject = Some(value.to_owned()),
        Label::Other => {}
    }
}

/// Yahoo's plain text has the whole block on one line, label after value without a space:
/// `----- Forwarded Message ----- From: A <a@b.example>To: C <c@d.example>Sent: …CESTSubject: …`.
fn unglued(line: &str) -> Option<Vec<String>> {
    let line = bare(line);
    let start = line.starts_with("-----").then(|| line.trim_start_matches('-').find("-----"))??;
    let rest = line.trim_start_matches('-')[start..].trim_start_matches('-').trim_start();
    let mut pieces: Vec<String> = Vec::new();
    let mut piece_from = 0;
    for (colon, _) in rest.match_indices(':') {
        let before = rest[piece_from..colon].trim_end();
        // The longest label that ends here, begins with a capital and does not go on a word.
        let words = LABELS.iter().flat_map(|(_, words)| words.iter());
        let begins = words.filter_map(|word| {
            let length = word.chars().count();
            let at = before.char_indices().rev().nth(length - 1)?.0;
            let (head, label) = before.split_at(at);
            let is_label = label.to_lowercase() == **word && label.chars().next().is_some_and(|c| !c.is_lowercase());
            let is_apart = !head.chars().next_back().is_some_and(char::is_lowercase);
            (is_label && is_apart).then_some(at)
        });
        if let Some(at) = begins.min() {
            if at > 0 {
                pieces.push(before[..at].to_owned());
            }
            piece_from += at;
        }
    }
    pieces.push(rest[piece_from..].to_owned());
    (pieces.len() > 2).then_some(pieces)
}

/// Digits of the shortest date with its time.
const LEAST_DATE_DIGITS: usize = 6;
/// Lines in which the sentence that stands instead of a block must come.
const MAX_SENTENCE_LINE: usize = 4;

/// `On 28/10/2021 12:46, "John Doe" <john@example.com> wrote:` at the very top, in any language: a date, a name, an address
/// and a colon at the end, over one or two lines.
fn sentence(lines: &[String], at: usize) -> Option<Original> {
    let before = lines[..at].iter().filter(|line| !bare(line).is_empty()).count();
    if before >= MAX_SENTENCE_LINE {
        return None;
    }
    let one = bare(&lines[at]);
    let two = lines.get(at + 1).map(|next| format!("{one} {}", bare(next))).unwrap_or_default();
    let (text, length) = if one.ends_with([':', '：']) { (one, 1) } else { (two.as_str(), 2) };
    if !text.ends_with([':', '：']) || text.chars().count() > 300 {
        return None;
    }
    let open = text.find(['<', '('])?;
    let close = open + text[open..].find(['>', ')'])?;
    let address = clean_address(&text[open + 1..close])?;
    let head = text[..open].trim_end_matches(|c: char| c.is_whitespace() || c == '"' || c == '”');
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).count();
    let (date, name) = if digits(head) >= LEAST_DATE_DIGITS {
        // The name begins after the last quote mark or comma, or after the last digit of the time.
        let cut = head.rfind(['"', '“']).or_else(|| head.rfind(|c: char| c.is_ascii_digit()))?;
        let (date, name) = head.split_at(cut);
        (date.to_owned() + name.get(..1).filter(|c| c.as_bytes()[0].is_ascii_digit()).unwrap_or_default(), name)
    } else if digits(&text[close..]) >= LEAST_DATE_DIGITS {
        (text[close + 1..].to_owned(), head)
    } else {
        return None;
    };
    let name = name.trim_matches(|c: char| !c.is_alphabetic());
    let name = name.strip_prefix("AM ").or_else(|| name.strip_prefix("PM ")).unwrap_or(name);
    Some(Original {
        name: Some(name.to_owned()).filter(|name| !name.is_empty()),
        address: Some(address),
        date: Some(date.trim_matches(|c: char| matches!(c, ',' | '"' | '“' | ':') || c.is_whitespace()).to_owned()),
        subject: None,
        body_from: at + length,
        note_to: at,
    })
}

/// A sender as written in a block: `John <john@example.com>`, `john@example.com`, `John [mailto:john@example.com]`.
fn sender(written: &str) -> (Option<String>, Option<String>) {
    let address = written
        .split(|c: char| {
            c.is_whitespace() || matches!(c, '<' | '>' | '[' | ']' | '(' | ')' | '"' | ',' | ';' | '“' | '”')
        })
        .find_map(clean_address);
    let end = written.find(['<', '[', '(']).unwrap_or(written.len());
    let name = written[..end].trim_matches(|c: char| {
        c.is_whitespace() || matches!(c, '"' | '\'' | '“' | '”' | '*' | '\u{200e}' | '\u{200f}')
    });
    let is_address = clean_address(name).is_some();
    (Some(name.to_owned()).filter(|name| !name.is_empty() && !is_address), address)
}

fn clean_address(text: &str) -> Option<String> {
    let text = text.trim().trim_start_matches("mailto:").trim_matches(['<', '>', '\'', '"']);
    let (local, domain) = text.rsplit_once('@')?;
    let is_address = !local.is_empty() && domain.contains('.') && !text.contains(char::is_whitespace);
    is_address.then(|| text.to_owned())
}

/// Marks of forwarding and replying that clients put before a subject.
const PREFIXES: [&str; 30] = [
    "fwd",
    "fw",
    "wg",
    "tr",
    "rv",
    "enc",
    "i",
    "doorst",
    "vs",
    "vb",
    "pd",
    "ilt",
    "továbbítás",
    "yml",
    "转发",
    "轉寄",
    "re",
    "aw",
    "sv",
    "antw",
    "ynt",
    "回复",
    "答复",
    "回覆",
    "fs",
    "res",
    "továbbítva",
    "přeposláno",
    "пересл",
    "förd",
];

/// A subject without the marks of forwarding.
pub fn without_prefixes(subject: &str) -> &str {
    let mut rest = subject.trim();
    // Ends: each turn takes a mark away.
    while let Some((head, tail)) = rest.split_once([':', '：']) {
        let mark = head.trim().trim_matches(['[', ']']).to_lowercase();
        if !PREFIXES.contains(&mark.as_str()) {
            break;
        }
        rest = tail.trim();
    }
    rest
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn found(text: &str) -> Option<Original> {
        find(&text.lines().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn forwards_of_many_clients_say_who_sent_the_original() {
        let blocks = [
            (
                "gmail",
                "---------- Forwarded message ---------\nFrom: Harbour Cafe <r@cafe.example>\nDate: Fri, Nov 20, 2026 at 9:14 AM\nSubject: Your receipt\nTo: <me@example.com>\n",
            ),
            (
                "gmail zh",
                "---------- Forwarded message ---------\n发件人： Harbour Cafe <r@cafe.example>\nDate: 2026年11月20日周五 09:14\nSubject: Your receipt\nTo: <me@example.com>\n",
            ),
            (
                "outlook de",
                "________________________________\nVon: Harbour Cafe <r@cafe.example>\nGesendet: Freitag, 20. November 2026 09:14\nAn: Ich <me@example.com>\nBetreff: Your receipt\n",
            ),
            (
                "outlook fr",
                "De : Harbour Cafe <r@cafe.example>\nEnvoyé : vendredi 20 novembre 2026 09:14\nÀ : Moi\nObjet : Your receipt\n",
            ),
            (
                "outlook zh",
                "-----邮件原件-----\n发件人: Harbour Cafe [mailto:r@cafe.example]\n发送时间: 2026年11月20日 9:14\n收件人: 李薇\n主题: Your receipt\n",
            ),
            (
                "apple",
                "> Begin forwarded message:\n>\n> From: Harbour Cafe <r@cafe.example>\n> Subject: Your receipt\n> Date: 20 November 2026 at 09:14:00 GMT\n> To: me@example.com\n",
            ),
            (
                "thunderbird",
                "-------- Forwarded Message --------\nSubject: \tYour receipt\nDate: \tFri, 20 Nov 2026 09:14:00 +0000\nFrom: \tHarbour Cafe <r@cafe.example>\nTo: \tme@example.com\n",
            ),
            (
                "qq",
                "------------------ 原始邮件 ------------------\n发件人: \"Harbour Cafe\" <r@cafe.example>;\n发送时间: 2026年11月20日(星期五) 上午9:14\n收件人: \"me\"<me@qq.com>;\n\n主题: Your receipt\n",
            ),
            (
                "foxmail",
                "发件人： Harbour Cafe\n<r@cafe.example>\n发送时间： 2026-11-20 09:14\n收件人： me\n主题： Your receipt\n",
            ),
            (
                "163",
                "---- 转发的邮件 ----\n发件人：Harbour Cafe <r@cafe.example>\n发送日期：2026-11-20 09:14:00\n收件人：me@163.com\n主题：Your receipt\n",
            ),
            (
                "yahoo",
                "----- Forwarded Message -----\nFrom: Harbour Cafe <r@cafe.example>\nTo: me@yahoo.com\nSent: Friday, November 20, 2026, 09:14:00 AM GMT\nSubject: Your receipt\n",
            ),
            (
                "bold",
                "*From:* Harbour Cafe <r@cafe.example>\n*Sent:* 20 November 2026 09:14\n*To:* me\n*Subject:* Your receipt\n",
            ),
        ];
        for (client, block) in blocks {
            let text = format!("please reimburse\n\nAnn\n\n{block}\nTotal 12.80\n");
            let original = found(&text).unwrap_or_else(|| panic!("{client}"));
            assert_eq!(original.address.as_deref(), Some("r@cafe.example"), "{client}");
            assert_eq!(original.subject.as_deref(), Some("Your receipt"), "{client}");
            assert!(original.date.as_deref().is_some_and(|d| d.contains("20")), "{client}: {:?}", original.date);
            let lines: Vec<&str> = text.lines().collect();
            assert!(lines[original.body_from..].iter().any(|line| line.contains("12.80")), "{client}");
            assert!(lines[..original.note_to].join("\n").trim().ends_with("Ann"), "{client}");
        }
        assert_eq!(
            found("On 20/11/2026 09:14, \"Harbour Cafe\" <r@cafe.example> wrote:\n\n> Total 12.80")
                .unwrap()
                .name
                .unwrap(),
            "Harbour Cafe"
        );
    }

    #[test]
    fn a_forward_of_a_forward_is_unwrapped_to_the_first_sender() {
        let text = "fyi\nFrom: Colleague <c@example.com>\nDate: 21 Nov 2026\nSubject: FW: Your receipt\n\n---- Original ----\nFrom: Cafe <r@cafe.example>\nDate: 20 Nov 2026\nSubject: Your receipt\n\nTotal 12.80";
        let original = found(text).unwrap();
        assert_eq!((original.address.as_deref(), original.note_to), (Some("r@cafe.example"), 1));
    }

    #[test]
    fn receipts_with_labels_of_their_own_are_no_forwards() {
        for text in [
            "Date: 20/11/2026\nFrom: Airport\nTo: Hotel\nTotal: 31.50",
            "RECEIPT\nDate: 20/11/2026\nSubject: Taxi",
            "From: Zürich\n\n\nDate: 20.11.2026",
        ] {
            let original = found(text);
            assert!(original.as_ref().is_none_or(|o| o.address.is_none()), "{text}: {original:?}");
        }
    }

    #[test]
    fn marks_of_forwarding_leave_the_subject() {
        for (subject, expected) in
            [("Fwd: WG: 转发：Your receipt", "Your receipt"), ("Order: 17", "Order: 17"), ("[Fwd: x", "x")]
        {
            assert_eq!(without_prefixes(subject), expected);
        }
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in "(From|Date|发件人|Subject|To|>|<a@b\\.c>|[:：\\n\\t \"]|\\PC){0,80}") {
            let lines: Vec<String> = text.lines().map(str::to_owned).collect();
            if let Some(original) = find(&lines) {
                prop_assert!(original.note_to <= original.body_from && original.body_from <= lines.len());
            }
        }
    }
}
