//! The content of a message on the wire: strict `CRLF` lines, with or without dot stuffing.
//!
//! Servers that end a message at `LF.LF` or pass a bare `LF` on let a second message be smuggled inside the first
//! (CVE-2023-51764 and its siblings). Here a line ends in `CRLF` and nothing else: a `CR` or `LF` on its own and `NUL`
//! end the conversation.

/// How a message is framed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Framing {
    /// `DATA`: ends at `CRLF . CRLF`, dots at line starts are doubled.
    Dotted,
    /// `BDAT`: so many more octets.
    Counted(u64),
}

/// Where in a line we are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// At the start of a line.
    Start,
    /// After a dot at the start of a line (`DATA` only).
    Dot,
    /// After that dot and `CR`: `LF` ends the message.
    DotCr,
    /// Inside a line.
    Inside,
    /// After `CR`.
    Cr,
}

/// What became of some octets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// All of them belong to the message, which goes on.
    More,
    /// The message, or the chunk of it, ended after so many octets.
    Done(usize),
    /// A bare `CR`, a bare `LF` or `NUL`.
    Malformed,
}

/// Takes the content of one message, however it is cut into pieces.
#[derive(Debug)]
pub(super) struct Content {
    framing: Framing,
    place: Place,
}

impl Content {
    /// The content after `DATA`.
    pub(super) fn dotted() -> Self {
        Self { framing: Framing::Dotted, place: Place::Start }
    }

    /// The content of chunks; [`Content::expect`] says how long each is.
    pub(super) fn counted() -> Self {
        Self { framing: Framing::Counted(0), place: Place::Start }
    }

    /// Another chunk of `octets` follows. A line may cross the edge of chunks, so its state stays.
    pub(super) fn expect(&mut self, octets: u64) {
        self.framing = Framing::Counted(octets);
    }

    /// Whether the content ended in the middle of a `CRLF`: no message ends so.
    pub(super) fn is_cut(&self) -> bool {
        self.place == Place::Cr
    }

    /// Takes octets, appending what belongs to the message to `out`.
    pub(super) fn take(&mut self, octets: &[u8], out: &mut Vec<u8>) -> Progress {
        match self.framing {
            Framing::Dotted => self.take_dotted(octets, out),
            Framing::Counted(left) => {
                let here = usize::try_from(left).unwrap_or(usize::MAX).min(octets.len());
                for octet in &octets[..here] {
                    if !self.step(*octet) {
                        return Progress::Malformed;
                    }
                }
                out.extend_from_slice(&octets[..here]);
                let left = left - here as u64;
                self.framing = Framing::Counted(left);
                if left == 0 { Progress::Done(here) } else { Progress::More }
            }
        }
    }

    fn take_dotted(&mut self, octets: &[u8], out: &mut Vec<u8>) -> Progress {
        // What of `octets` is part of the message and not yet in `out` starts here.
        let mut from = 0;
        for (index, octet) in octets.iter().enumerate() {
            match (self.place, octet) {
                (Place::Start, b'.') => {
                    out.extend_from_slice(&octets[from..index]);
                    from = index + 1;
                    self.place = Place::Dot;
                }
                (Place::Dot, b'\r') => {
                    // Held back: it is content only when no `LF` follows, and then it is malformed anyway.
                    from = index + 1;
                    self.place = Place::DotCr;
                }
                (Place::DotCr, b'\n') => return Progress::Done(index + 1),
                (Place::DotCr, _) => return Progress::Malformed,
                (Place::Dot, _) => {
                    self.place = Place::Inside;
                    if !self.step(*octet) {
                        return Progress::Malformed;
                    }
                }
                (Place::Start | Place::Inside | Place::Cr, _) => {
                    if !self.step(*octet) {
                        return Progress::Malformed;
                    }
                }
            }
        }
        out.extend_from_slice(&octets[from..]);
        Progress::More
    }

    /// Moves by one octet of a line; `false` when it may not stand there.
    fn step(&mut self, octet: u8) -> bool {
        self.place = match (self.place, octet) {
            (Place::Cr, b'\n') => Place::Start,
            (Place::Cr, _) | (_, b'\n' | 0) => return false,
            (_, b'\r') => Place::Cr,
            _ => Place::Inside,
        };
        true
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The whole input in pieces: what came out, and whether it ended, and where.
    fn run(mut content: Content, input: &[u8], piece: usize) -> (Vec<u8>, Option<usize>, bool) {
        let (mut out, mut taken) = (Vec::new(), 0);
        for chunk in input.chunks(piece.max(1)) {
            match content.take(chunk, &mut out) {
                Progress::More => taken += chunk.len(),
                Progress::Done(here) => return (out, Some(taken + here), true),
                Progress::Malformed => return (Vec::new(), None, false),
            }
        }
        (out, None, true)
    }

    #[test]
    fn only_crlf_dot_crlf_ends_a_message_and_doubled_dots_are_single_again() {
        for (wire, message) in [
            (&b"hi\r\n.\r\n"[..], &b"hi\r\n"[..]),
            (b".\r\n", b""),
            (b"..\r\n.\r\n", b".\r\n"),
            (b".a\r\n.\r\n", b"a\r\n"),
            (b"a.\r\n..b\r\n.\r\n", b"a.\r\n.b\r\n"),
            (b"\r\n\r\n.\r\nQUIT\r\n", b"\r\n\r\n"),
        ] {
            for piece in 1..=wire.len() {
                let (out, end, _) = run(Content::dotted(), wire, piece);
                assert_eq!(out, message, "{}", wire.escape_ascii());
                assert!(end.is_some());
            }
        }
    }

    #[test]
    fn bare_line_ends_and_nul_are_malformed_however_they_are_cut() {
        for wire in [
            &b"a\n.\n"[..],
            b"a\n.\r\n",
            b"a\r\n.\n",
            b"a\r.\r",
            b"a\r\n.\r.\r\n",
            b"a\r.\r\n",
            b"\n",
            b"a\0b\r\n",
            b"a\r\r\n.\r\n",
            b"..\n",
            b".\n",
            b".\rx",
            b"a\r\n.\rMAIL",
        ] {
            for piece in 1..=wire.len() {
                assert!(!run(Content::dotted(), wire, piece).2, "{} by {piece}", wire.escape_ascii());
            }
        }
    }

    proptest! {
        #[test]
        fn every_cutting_gives_the_same(lines in prop::collection::vec("[.a\r\n\0 ]{0,8}", 0..6), piece in 1_usize..9) {
            let wire = lines.join("\r\n").into_bytes();
            prop_assert_eq!(run(Content::dotted(), &wire, piece), run(Content::dotted(), &wire, usize::MAX));
        }

        #[test]
        fn what_is_stuffed_comes_out_as_it_was(lines in prop::collection::vec("[.a ]{0,6}", 0..8), piece in 1_usize..9) {
            let message: String = lines.iter().flat_map(|line| [line.as_str(), "\r\n"]).collect();
            let doubled = |line: &str| if line.starts_with('.') { "." } else { "" };
            let stuffed: String = lines.iter().flat_map(|line| [doubled(line), line.as_str(), "\r\n"]).collect();
            let stuffed = stuffed + ".\r\n";
            let (out, end, _) = run(Content::dotted(), stuffed.as_bytes(), piece);
            prop_assert_eq!(out, message.into_bytes());
            prop_assert_eq!(end, Some(stuffed.len()));
        }
    }
}
