//! Compressed rich text (MS-OXRTFCP), as Outlook keeps the body of a mail in `winmail.dat`.

/// Sizes, type and checksum before the content.
const HEADER: usize = 16;
/// Marks of compressed and of plain content.
const COMPRESSED: &[u8] = b"LZFu";
const PLAIN: &[u8] = b"MELA";
/// Bytes of the window references point into.
const WINDOW: usize = 4096;
/// Most bytes that come out; a letter has a few hundred thousand with all its formats.
pub(super) const MAX_BYTES: usize = 4 * 1024 * 1024;

/// What the window holds before anything is read (MS-OXRTFCP 2.1.2.1).
const PRESET: &[u8] = b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript \\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx";

/// The rich text; `None` when the bytes are no such thing. What is cut off ends where it was cut; the checksum is not
/// asked, as half a letter is more than none.
pub(super) fn unpack(bytes: &[u8]) -> Option<Vec<u8>> {
    let size = u32::from_le_bytes(bytes.get(4..8)?.try_into().ok()?) as usize;
    let size = size.min(MAX_BYTES);
    let content = bytes.get(HEADER..)?;
    match bytes.get(8..12)? {
        PLAIN => Some(content[..content.len().min(size)].to_vec()),
        COMPRESSED => Some(inflate(content, size)),
        _ => None,
    }
}

fn inflate(content: &[u8], size: usize) -> Vec<u8> {
    let mut window = [0_u8; WINDOW];
    window[..PRESET.len()].copy_from_slice(PRESET);
    let mut at = PRESET.len();
    let mut out = Vec::new();
    let mut rest = content;
    let mut put = |byte: u8, at: &mut usize, window: &mut [u8; WINDOW]| {
        out.push(byte);
        window[*at] = byte;
        *at = (*at + 1) % WINDOW;
        out.len() < size
    };
    // Ends: each turn takes a byte of the content.
    'content: while let [flags, tokens @ ..] = rest {
        rest = tokens;
        for bit in 0..8 {
            if (flags >> bit) & 1 == 0 {
                let [byte, after @ ..] = rest else { break 'content };
                rest = after;
                if !put(*byte, &mut at, &mut window) {
                    break 'content;
                }
                continue;
            }
            let [high, low, after @ ..] = rest else { break 'content };
            rest = after;
            let from = (usize::from(*high) << 4) | usize::from(low >> 4);
            // A reference to the place that is written next ends the content.
            if from == at {
                break 'content;
            }
            for step in 0..usize::from(low & 0x0F) + 2 {
                if !put(window[(from + step) % WINDOW], &mut at, &mut window) {
                    break 'content;
                }
            }
        }
    }
    out
}

#[cfg(test)]
pub(super) mod tests_support {
    use super::*;

    /// `rtf` compressed as badly as the format allows: every byte stands for itself.
    pub(in super::super) fn packed(rtf: &[u8]) -> Vec<u8> {
        let mut content = Vec::new();
        for eight in rtf.chunks(8) {
            content.push(0);
            content.extend(eight);
        }
        // The last group may be open; what is missing of it is cut off at its end.
        let sizes = [content.len() as u32 + 12, rtf.len() as u32];
        [&sizes[0].to_le_bytes()[..], &sizes[1].to_le_bytes(), COMPRESSED, &[0; 4], &content].concat()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{tests_support::packed, *};

    #[test]
    fn the_examples_of_the_specification_come_out() {
        let simple =
            "2d0000002b0000004c5a4675f1c5c7a703000a007263706731323542320af32068656c090020627705b06c647d0a800fa0";
        let crossing = "1a0000001c0000004c5a4675e2d44b51410004205758595a0d6e7d010eb0";
        for (packed, expected) in
            [(simple, "{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n"), (crossing, "{\\rtf1 WXYZWXYZWXYZWXYZWXYZ}")]
        {
            let rtf = unpack(&hex::decode(packed).unwrap()).unwrap();
            assert_eq!(String::from_utf8(rtf).unwrap(), expected);
        }
        // Whatever size is claimed, it ends where it says so.
        let mut longer = hex::decode(simple).unwrap();
        longer[4] = 0xFF;
        assert_eq!(unpack(&longer).unwrap(), b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n");
        let plain = [&[0; 4][..], &5_u32.to_le_bytes(), PLAIN, &[0; 4], b"{\\rtf and more"].concat();
        assert_eq!(unpack(&plain).unwrap(), b"{\\rtf");
        assert_eq!(unpack(b"nothing of the kind"), None);
        assert_eq!(unpack(&packed(&vec![b'x'; MAX_BYTES + 9])).map(|rtf| rtf.len()), Some(MAX_BYTES));
    }

    #[test]
    fn what_lies_behind_is_said_again_after_the_window_was_filled_once() {
        const TEXT: usize = WINDOW + 104;
        let text: Vec<u8> = (0..TEXT).map(|at| (at % 251) as u8).collect();
        let mut bytes = packed(&text);
        let from = (PRESET.len() + TEXT - 10) % WINDOW;
        // One reference to the last ten bytes.
        bytes.extend([1, (from >> 4) as u8, ((from & 0x0F) << 4 | 8) as u8]);
        bytes[4..8].copy_from_slice(&(TEXT as u32 + 10).to_le_bytes());
        assert_eq!(unpack(&bytes).unwrap(), [&text[..], &text[TEXT - 10..]].concat());
    }

    proptest! {
        #[test]
        fn what_was_packed_comes_out(text in prop::collection::vec(any::<u8>(), 0..600)) {
            prop_assert_eq!(unpack(&packed(&text)).unwrap(), text);
        }

        #[test]
        fn any_content_is_survived_and_bounded(size: u32, content in prop::collection::vec(any::<u8>(), 0..400)) {
            let bytes = [&[0; 4][..], &size.to_le_bytes(), COMPRESSED, &[0; 4], &content].concat();
            // Seventeen bytes out of two and an eighth at most.
            prop_assert!(unpack(&bytes).unwrap().len() <= content.len() * 9);
        }
    }
}
