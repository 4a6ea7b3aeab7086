//! Dialogues: what is offered, what is refused, and that no cutting of the octets changes anything.

use proptest::prelude::*;

use super::*;

const KNOWN: &str = "r-aaaaaaaaaaaaaaaa@in.example";

fn terms(dialect: Dialect) -> Terms {
    Terms { dialect, host_name: "in.example".to_owned(), max_bytes: 1_000, has_tls: true }
}

/// What came of a dialogue.
#[derive(Debug, Default, PartialEq, Eq)]
struct Outcome {
    /// Everything sent.
    said: String,
    /// Messages delivered: envelope and content.
    messages: Vec<(Envelope, Vec<u8>)>,
    is_closed: bool,
    has_started_tls: bool,
}

impl Outcome {
    /// The codes of all replies; of a reply of several lines the last.
    fn codes(&self) -> Vec<u16> {
        self.said
            .lines()
            .filter(|line| line.as_bytes().get(3) == Some(&b' '))
            .map(|line| line[..3].parse().unwrap())
            .collect()
    }
}

/// Plays `wire` in pieces of the given lengths (the last one goes on for ever).
fn play(dialect: Dialect, wire: &[u8], pieces: &[usize], fate: Fate) -> Outcome {
    let mut session = Session::new(terms(dialect));
    let mut outcome = Outcome::default();
    let mut content = Vec::new();
    let mut lengths = pieces.iter().copied().chain(std::iter::repeat(*pieces.last().unwrap_or(&usize::MAX)));
    let mut rest = wire;
    loop {
        while let Some(action) = session.next_action() {
            match action {
                Action::Send(reply) => outcome.said.push_str(std::str::from_utf8(&reply).unwrap()),
                Action::Lookup(address) => session.recipient(match address.as_str() {
                    KNOWN => Answer::Known,
                    other if other.ends_with("@in.example") => Answer::Unknown,
                    _ => Answer::Foreign,
                }),
                Action::Content(octets) => content.extend_from_slice(&octets),
                Action::Deliver(envelope) => {
                    let count = envelope.recipients.len();
                    outcome.messages.push((envelope, std::mem::take(&mut content)));
                    session.delivered(&vec![fate; count]);
                }
                Action::Abandon => content.clear(),
                Action::StartTls => {
                    outcome.has_started_tls = true;
                    return outcome;
                }
                Action::Close => outcome.is_closed = true,
            }
        }
        assert!(session.waiting() <= MAX_COMMAND + wire.len());
        if rest.is_empty() || outcome.is_closed {
            return outcome;
        }
        let length = lengths.next().unwrap_or(usize::MAX).clamp(1, rest.len());
        session.feed(&rest[..length]);
        rest = &rest[length..];
    }
}

fn smtp(wire: &str) -> Outcome {
    play(Dialect::Smtp, wire.as_bytes(), &[], Fate::Kept)
}

fn opening() -> String {
    format!("EHLO mx.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<{KNOWN}>\r\n")
}

#[test]
fn a_message_is_taken_with_its_envelope() {
    let outcome = smtp(&format!("{}DATA\r\nSubject: x\r\n\r\n..dot\r\n.\r\nQUIT\r\n", opening()));
    assert_eq!(outcome.codes(), [220, 250, 250, 250, 354, 250, 221]);
    let envelope = Envelope {
        hello: "mx.example".to_owned(),
        sender: "a@b.example".to_owned(),
        recipients: vec![KNOWN.to_owned()],
        is_encrypted: false,
    };
    assert_eq!(outcome.messages, [(envelope, b"Subject: x\r\n\r\n.dot\r\n".to_vec())]);
    assert!(outcome.is_closed);
    for offer in ["PIPELINING", "8BITMIME", "SMTPUTF8", "SIZE 1000", "CHUNKING", "ENHANCEDSTATUSCODES", "STARTTLS"] {
        assert!(outcome.said.contains(offer), "{offer}");
    }
    assert!(!outcome.said.contains("AUTH") && !outcome.said.contains("VRFY"));
}

#[test]
fn chunks_make_one_message_octet_for_octet() {
    let outcome = smtp(&format!("{}BDAT 7\r\nA: b\r\n\rBDAT 4 LAST\r\n\n.\r\n", opening()));
    assert_eq!(outcome.codes(), [220, 250, 250, 250, 250, 250]);
    assert_eq!(outcome.messages[0].1, b"A: b\r\n\r\n.\r\n");
    let empty_end = smtp(&format!("{}BDAT 6\r\nA: b\r\nBDAT 0 LAST\r\n", opening()));
    assert_eq!(empty_end.messages[0].1, b"A: b\r\n");
}

#[test]
fn lmtp_answers_for_each_recipient_and_smtp_once() {
    let wire =
        format!("LHLO mx.example\r\nMAIL FROM:<>\r\nRCPT TO:<{KNOWN}>\r\nRCPT TO:<{KNOWN}>\r\nDATA\r\nx\r\n.\r\n");
    let outcome = play(Dialect::Lmtp, wire.as_bytes(), &[], Fate::Kept);
    assert_eq!(outcome.codes(), [220, 250, 250, 250, 250, 354, 250, 250]);
    assert_eq!(play(Dialect::Lmtp, b"EHLO x\r\n", &[], Fate::Kept).codes(), [220, 500]);
    assert_eq!(smtp("LHLO x\r\n").codes(), [220, 500]);
}

#[test]
fn what_cannot_be_kept_is_never_acknowledged() {
    for (fate, code) in [
        (Fate::TryAgain, 451),
        (Fate::DiskFull, 452),
        (Fate::TooLarge, 552),
        (Fate::Looping, 554),
        (Fate::Refused, 554),
    ] {
        let wire = format!("{}DATA\r\nx\r\n.\r\n", opening());
        assert_eq!(play(Dialect::Smtp, wire.as_bytes(), &[], fate).codes().last(), Some(&code));
    }
}

#[test]
fn limits_are_named_before_and_after_the_content() {
    let big = "x".repeat(1_200);
    for (wire, code) in [
        ("EHLO x\r\nMAIL FROM:<a@b.example> SIZE=1001\r\n".to_owned(), 552),
        (format!("{}DATA\r\n{big}\r\n.\r\n", opening()), 552),
        (format!("{}BDAT 1200 LAST\r\n{big}", opening()), 552),
        (format!("{}BDAT 1000\r\n{}BDAT 1 LAST\r\nx", opening(), "x".repeat(1_000)), 552),
        (format!("EHLO {}\r\n", "x".repeat(3_000)), 500),
    ] {
        let outcome = smtp(&wire);
        assert_eq!(outcome.codes().last(), Some(&code), "{}", &wire[..60]);
        assert!(outcome.messages.is_empty());
    }
    // After a message that was too large the next one is taken.
    let both = smtp(&format!("{}DATA\r\n{big}\r\n.\r\n{}DATA\r\nok\r\n.\r\n", opening(), opening()));
    assert_eq!(both.messages.len(), 1);
    // Who sends without end is not listened to without end.
    assert!(smtp(&format!("{}DATA\r\n{}\r\n", opening(), "x".repeat(3_000))).is_closed);
    let many = format!("EHLO x\r\nMAIL FROM:<>\r\n{}", format!("RCPT TO:<{KNOWN}>\r\n").repeat(101));
    assert_eq!(smtp(&many).codes().last(), Some(&452));
}

#[test]
fn addresses_that_are_not_ours_are_refused_and_guessers_sent_away() {
    let wire = |to: &str| format!("EHLO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<{to}>\r\n");
    assert_eq!(smtp(&wire("r-bbbbbbbbbbbbbbbb@in.example")).codes().last(), Some(&550));
    let relay = smtp(&wire("victim@elsewhere.example"));
    assert!(relay.said.contains("550 5.7.1"));
    for relay in [
        "@in.example:victim@elsewhere.example",
        "victim%elsewhere.example@in.example",
        "\"victim@elsewhere.example\"@in.example",
    ] {
        assert!(smtp(&wire(relay)).codes().last() >= Some(&500), "{relay}");
    }
    let guesses = format!("EHLO x\r\nMAIL FROM:<>\r\n{}", "RCPT TO:<r-x@in.example>\r\n".repeat(40));
    let outcome = smtp(&guesses);
    assert_eq!(outcome.codes().last(), Some(&421));
    assert!(outcome.is_closed);
}

#[test]
fn what_follows_starttls_in_the_clear_is_never_read() {
    let mut session = Session::new(terms(Dialect::Smtp));
    session.feed(format!("EHLO x\r\nSTARTTLS\r\n{}", opening()).as_bytes());
    while let Some(action) = session.next_action() {
        if action == Action::StartTls {
            break;
        }
    }
    session.feed(b"MAIL FROM:<more@injected.example>\r\n");
    let mut session = session.encrypted();
    assert_eq!(session.next_action(), None);
    session.feed(b"MAIL FROM:<a@b.example>\r\n");
    // Nothing said before counts: not even the greeting.
    assert_eq!(session.next_action(), Some(Action::Send(reply::HELLO_FIRST.line())));
    session.feed(b"EHLO x\r\n");
    let Some(Action::Send(offers)) = session.next_action() else { panic!("an answer") };
    assert!(!String::from_utf8(offers).unwrap().contains("STARTTLS"));
}

/// Dialogues that try to smuggle a second message, to inject commands or to get more than is offered. Each ends with
/// fewer messages than it tries for, and with an error.
fn hostile() -> Vec<(&'static str, String, usize)> {
    let o = opening();
    let inner = "MAIL FROM:<ceo@b.example>\r\nRCPT TO:<r-aaaaaaaaaaaaaaaa@in.example>\r\nDATA\r\nevil\r\n.\r\n";
    let data = |end: &str| format!("{o}DATA\r\nA: b\r\n\r\nfirst{end}{inner}");
    let bdat = |content: &str| format!("{o}BDAT {} LAST\r\n{content}{inner}", content.len());
    vec![
        ("LF.LF", data("\n.\n"), 0),
        ("LF.CRLF", data("\n.\r\n"), 0),
        ("CRLF.LF", data("\r\n.\n"), 0),
        ("CR.CR", data("\r.\r"), 0),
        ("CR.LF", data("\r.\n"), 0),
        ("CR.CRLF", data("\r.\r\n"), 0),
        ("CRLF.CR", data("\r\n.\r"), 0),
        ("CRLF.CR then CRLF", data("\r\n.\r\r\n"), 0),
        ("LF.CR", data("\n.\r"), 0),
        ("LFCR.LFCR", data("\n\r.\n\r"), 0),
        ("CRCRLF.CRLF", data("\r\r\n.\r\n"), 0),
        ("CRLF NUL .CRLF", data("\r\n\0.\r\n"), 0),
        ("CRLF.NUL CRLF", data("\r\n.\0\r\n"), 0),
        ("LF alone in a line", data("a\nb\r\n.\r\n"), 0),
        ("CR alone in a line", data("a\rb\r\n.\r\n"), 0),
        ("NUL in a line", data("a\0b\r\n.\r\n"), 0),
        ("LF in the header", format!("{o}DATA\r\nA: b\nBcc: c\r\n\r\n.\r\n{inner}"), 0),
        ("CR in the header", format!("{o}DATA\r\nA: b\rBcc: c\r\n\r\n.\r\n{inner}"), 0),
        ("chunk LF.LF", bdat("A: b\r\n\r\nfirst\n.\n"), 0),
        ("chunk CR.CR", bdat("A: b\r\n\r\nfirst\r.\r"), 0),
        ("chunk NUL", bdat("A: b\r\n\0\r\n"), 0),
        ("chunk ends in CR", bdat("A: b\r\n\r"), 0),
        ("CRLF over the edge of chunks, then bare LF", format!("{o}BDAT 5\r\nA: b\rBDAT 2 LAST\r\n\n\n{inner}"), 0),
        ("CR at the edge of chunks, no LF", format!("{o}BDAT 5\r\nA: b\rBDAT 2 LAST\r\nxx{inner}"), 0),
        ("chunk of 2^63", format!("{o}BDAT 9223372036854775808 LAST\r\n{inner}"), 0),
        ("chunk of 2^64", format!("{o}BDAT 18446744073709551616 LAST\r\n{inner}"), 0),
        ("chunk of 10^30", format!("{o}BDAT 1000000000000000000000000000000 LAST\r\n{inner}"), 0),
        ("negative chunk", format!("{o}BDAT -1 LAST\r\n{inner}"), 0),
        ("chunk without length", format!("{o}BDAT LAST\r\n{inner}"), 0),
        ("chunk that is longer than it says", format!("{o}BDAT 2 LAST\r\nA:{}", " b\r\n"), 1),
        ("DATA between chunks", format!("{o}BDAT 6\r\nA: b\r\nDATA\r\n"), 0),
        ("RCPT between chunks", format!("{o}BDAT 6\r\nA: b\r\nRCPT TO:<{KNOWN}>\r\n"), 0),
        ("command with LF only", format!("EHLO x\nMAIL FROM:<a@b.example>\n{inner}"), 0),
        ("command with CR only", format!("EHLO x\rMAIL FROM:<a@b.example>\r{inner}"), 0),
        ("command with NUL", format!("EHLO x\0y\r\n{inner}"), 0),
        ("LF inside MAIL", format!("EHLO x\r\nMAIL FROM:<a@b.example>\nRCPT TO:<{KNOWN}>\r\n{inner}"), 0),
        (
            "line ends in an address",
            format!("EHLO x\r\nMAIL FROM:<a@b.example\r\nRCPT TO:<{KNOWN}>\r\nDATA\r\nx\r\n.\r\n"),
            0,
        ),
        ("1 MB command", format!("NOOP {}\r\n", "x".repeat(1_000_000)), 0),
        ("MAIL inside a transaction", format!("{o}MAIL FROM:<b@b.example>\r\n"), 0),
        ("DATA without recipient", "EHLO x\r\nMAIL FROM:<a@b.example>\r\nDATA\r\n".to_owned(), 0),
        ("DATA before hello", "DATA\r\n".to_owned(), 0),
        (
            "UTF-8 sender without SMTPUTF8",
            format!("EHLO x\r\nMAIL FROM:<\u{fc}@b.example>\r\nRCPT TO:<{KNOWN}>\r\nDATA\r\n"),
            0,
        ),
        ("BINARYMIME", "EHLO x\r\nMAIL FROM:<a@b.example> BODY=BINARYMIME\r\n".to_owned(), 0),
        ("AUTH", "EHLO x\r\nAUTH PLAIN AGEAYg==\r\n".to_owned(), 0),
        ("HTTP", "POST / HTTP/1.1\r\nHost: in.example\r\n\r\n".to_owned(), 0),
    ]
}

#[test]
fn hostile_dialogues_smuggle_nothing() {
    let dialogues = hostile();
    assert!(dialogues.len() >= 40);
    for (name, wire, allowed) in dialogues {
        for pieces in [&[][..], &[1], &[2], &[7, 3]] {
            let outcome = play(Dialect::Smtp, wire.as_bytes(), pieces, Fate::Kept);
            assert_eq!(outcome.messages.len(), allowed, "{name}: {}", outcome.said);
            assert!(outcome.codes().last() >= Some(&400), "{name}: {}", outcome.said);
            assert!(!outcome.messages.iter().any(|(e, _)| e.sender.starts_with("ceo")), "{name}");
        }
    }
}

/// Lines from which dialogues are made: sensible ones often enough to reach deep states.
fn piece_of_dialogue() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => Just("EHLO mx.example\r\n".to_owned()),
        4 => Just("MAIL FROM:<a@b.example>\r\n".to_owned()),
        4 => Just(format!("RCPT TO:<{KNOWN}>\r\n")),
        4 => Just("DATA\r\nSubject: x\r\n\r\n..body\r\n.\r\n".to_owned()),
        2 => Just("DATA\r\n".to_owned()),
        2 => Just("BDAT 6\r\nA: b\r\n".to_owned()),
        2 => Just("BDAT 4 LAST\r\nx\r\n.".to_owned()),
        1 => Just("BDAT 0 LAST\r\n".to_owned()),
        1 => Just("RCPT TO:<r-bbbbbbbbbbbbbbbb@in.example>\r\n".to_owned()),
        1 => Just("RSET\r\nNOOP\r\nVRFY x\r\n".to_owned()),
        1 => Just(".\r\n".to_owned()),
        1 => Just("a\nb".to_owned()),
        1 => Just("\r".to_owned()),
        1 => "[A-Z :<>@.\r\n\\x00]{0,20}",
        1 => Just("x".repeat(2_100)),
        1 => Just("QUIT\r\n".to_owned()),
        1 => Just("STARTTLS\r\n".to_owned()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_cutting_of_a_dialogue_gives_the_same(
        lines in prop::collection::vec(piece_of_dialogue(), 0..14),
        pieces in prop::collection::vec(1_usize..40, 1..8),
        is_lmtp in any::<bool>(),
    ) {
        let dialect = if is_lmtp { Dialect::Lmtp } else { Dialect::Smtp };
        let wire = lines.concat().replace("EHLO", if is_lmtp { "LHLO" } else { "EHLO" });
        let whole = play(dialect, wire.as_bytes(), &[], Fate::Kept);
        prop_assert_eq!(&play(dialect, wire.as_bytes(), &pieces, Fate::Kept), &whole);
        prop_assert_eq!(&play(dialect, wire.as_bytes(), &[1], Fate::Kept), &whole);
    }
}
