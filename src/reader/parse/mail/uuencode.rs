//! Files written into the text of a mail as `uuencode` does it (POSIX.1-2017, uuencode): `begin 644 name`, lines of six-bit
//! letters that each begin with their length, `end`. Old gateways and machines send attachments so, without MIME.

use std::borrow::Cow;

/// Files of one text.
const MAX_FILES: usize = 20;
/// Beginnings of one text that are looked at: what looks like one and is none is read once more as text.
const MAX_BEGINS: usize = 100;
/// Characters of a name.
const MAX_NAME: usize = 200;
/// Characters beyond its bytes that a line may have: some programs add a checksum.
const MAX_EXTRA: usize = 2;

/// A file written into the text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct File {
    /// Its name.
    pub name: String,
    /// Its bytes, never none.
    pub bytes: Vec<u8>,
}

/// The files in a text, and the text without them. What is no whole file, with every line of it and its end, stays text.
pub(super) fn take(text: &str) -> (Cow<'_, str>, Vec<File>) {
    let mut files = Vec::new();
    if !text.contains("begin ") {
        return (Cow::Borrowed(text), files);
    }
    let mut kept = String::new();
    let (mut rest, mut begins) = (text, 0);
    // Ends: each turn takes a line.
    while !rest.is_empty() {
        let (line, after) = next_line(rest);
        if let Some(name) = begin(line).filter(|_| begins < MAX_BEGINS && files.len() < MAX_FILES) {
            begins += 1;
            if let Some((bytes, after)) = content(after) {
                files.push(File { name: name.chars().take(MAX_NAME).collect(), bytes });
                rest = after;
                continue;
            }
        }
        kept.push_str(&rest[..rest.len() - after.len()]);
        rest = after;
    }
    if files.is_empty() { (Cow::Borrowed(text), files) } else { (Cow::Owned(kept), files) }
}

/// The line without its end, and what comes after it.
fn next_line(text: &str) -> (&str, &str) {
    let (line, after) = text.split_once('\n').unwrap_or((text, ""));
    (line.strip_suffix('\r').unwrap_or(line), after)
}

/// The name in `begin 644 name`.
fn begin(line: &str) -> Option<&str> {
    let (mode, name) = line.strip_prefix("begin ")?.split_once(' ')?;
    let is_mode = (3..=4).contains(&mode.len()) && mode.bytes().all(|digit| (b'0'..=b'7').contains(&digit));
    Some(name.trim()).filter(|name| is_mode && !name.is_empty())
}

/// The bytes up to the line `end`, and what comes after it.
fn content(text: &str) -> Option<(Vec<u8>, &str)> {
    let mut bytes = Vec::new();
    let mut rest = text;
    // Ends: each turn takes a line.
    while !rest.is_empty() {
        let (line, after) = next_line(rest);
        rest = after;
        if line == "end" {
            return Some((bytes, rest)).filter(|(bytes, _)| !bytes.is_empty());
        }
        decode(line.as_bytes(), &mut bytes)?;
    }
    None
}

/// Adds the bytes of one line; `None` when it is none of a file. Blanks at its end may be lost on the way: each is a zero.
fn decode(line: &[u8], bytes: &mut Vec<u8>) -> Option<()> {
    let six = |letter: &u8| (0x20..=0x60).contains(letter).then(|| (letter - 0x20) & 0x3F);
    let Some((length, letters)) = line.split_first() else {
        // The last line, whose length is nothing, with its blank lost.
        return Some(());
    };
    let length = usize::from(six(length)?);
    let wanted = length.div_ceil(3) * 4;
    if letters.len() > wanted + MAX_EXTRA {
        return None;
    }
    let values = letters.iter().map(six).collect::<Option<Vec<u8>>>()?;
    let at = |index: usize| values.get(index).copied().unwrap_or(0);
    for place in 0..length {
        let (four, third) = (place / 3 * 4, place % 3);
        let (high, low) = (at(four + third), at(four + third + 1));
        bytes.push(match third {
            0 => high << 2 | low >> 4,
            1 => high << 4 | low >> 2,
            _ => high << 6 | low,
        });
    }
    Some(())
}

#[cfg(test)]
pub(super) mod tests_support {
    /// `bytes` as a file in a text; with blanks for zeros, which old programs write, or with grave accents.
    pub(in super::super) fn encoded(name: &str, bytes: &[u8], zero: char) -> String {
        let letter = |six: u8| if six == 0 { zero } else { char::from(six + 0x20) };
        let mut out = format!("begin 644 {name}\r\n");
        for line in bytes.chunks(45) {
            out.push(letter(line.len() as u8));
            for three in line.chunks(3) {
                let at = |index: usize| three.get(index).copied().unwrap_or(0);
                let fours = [at(0) >> 2, at(0) << 4 | at(1) >> 4, at(1) << 2 | at(2) >> 6, at(2)];
                out.extend(fours.map(|four| letter(four & 0x3F)));
            }
            out.push_str("\r\n");
        }
        out.push(zero);
        out + "\r\nend\r\n"
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{tests_support::encoded, *};

    fn file(name: &str, bytes: &[u8]) -> File {
        File { name: name.to_owned(), bytes: bytes.to_vec() }
    }

    #[test]
    fn files_come_out_of_the_text_and_the_text_stays() {
        // As `uuencode` of the GNU sharutils writes it.
        let text = "Dear Ann,\n\nbegin 644 cat.txt\n#0V%T\n`\nend\n\nregards\n";
        assert_eq!(take(text), (Cow::from("Dear Ann,\n\n\nregards\n"), vec![file("cat.txt", b"Cat")]));
        let two = encoded("a 1.pdf", &[0; 90], '`') + "between\r\n" + &encoded("b.pdf", b"%PDF-1.4 x", ' ');
        let (rest, files) = take(&two);
        assert_eq!((&*rest, files), ("between\r\n", vec![file("a 1.pdf", &[0; 90]), file("b.pdf", b"%PDF-1.4 x")]));
    }

    #[test]
    fn blanks_lost_at_the_ends_of_lines_were_zeros() {
        let bytes = [&[1; 40][..], &[0; 50]].concat();
        let text = encoded("x.bin", &bytes, ' ');
        let cut: Vec<&str> = text.lines().map(str::trim_end).collect();
        assert_eq!(take(&cut.join("\n")).1, [file("x.bin", &bytes)]);
    }

    #[test]
    fn what_is_no_whole_file_stays_text() {
        for text in [
            "begin 644 words of a sentence\nthat goes on\nend\n",
            "begin 644 x.pdf\n#0V%T\n`\n",
            "begin 644 x.pdf\n`\nend\n",
            "begin 988 x.pdf\n#0V%T\n`\nend\n",
            "begin 644 \n#0V%T\n`\nend\n",
            "we begin 644 x.pdf\n#0V%T\n`\nend\n",
            "begin 644 x.pdf\n#0V%T AND MORE THAN THERE MAY BE\n`\nend\n",
        ] {
            assert_eq!(take(text), (Cow::from(text), vec![]), "{text}");
        }
    }

    #[test]
    fn files_and_what_only_begins_like_one_are_bounded() {
        let many = "begin 644 x\n#0V%T\n`\nend\n".repeat(MAX_FILES + 5);
        assert_eq!(take(&many).1.len(), MAX_FILES);
        // Each would be looked at to the end of the text, were nobody counting.
        let open = "begin 644 x\n".repeat(MAX_BEGINS) + "begin 644 x\n#0V%T\n`\nend\n";
        assert_eq!(take(&open).1, []);
        let long = format!("begin 644 {}\n#0V%T\n`\nend\n", "n".repeat(MAX_NAME + 1));
        assert_eq!(take(&long).1[0].name.len(), MAX_NAME);
    }

    proptest! {
        #[test]
        fn what_was_written_comes_out(bytes in prop::collection::vec(any::<u8>(), 1..400), is_blank: bool) {
            let text = encoded("x.bin", &bytes, if is_blank { ' ' } else { '`' });
            prop_assert_eq!(take(&text), (Cow::from(""), vec![file("x.bin", &bytes)]));
        }

        #[test]
        fn any_text_is_survived_and_its_lines_stay(text in "(begin 644 x\r?\n|#0V%T\n|`\n|end\n|[ -`]{0,9}\n|\\PC){0,40}") {
            let (rest, files) = take(&text);
            prop_assert!(files.iter().all(|file| !file.bytes.is_empty()));
            prop_assert!(rest.len() <= text.len());
        }
    }
}
