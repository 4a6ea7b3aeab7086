//! TIFF as faxes, scanners and printers' programs write it: every kind is decoded, or refused as a type that is not read.

use proptest::prelude::*;

use super::{tests::decode_first, *};

/// Sides of the pictures below.
const WIDTH: u32 = 24;
const HEIGHT: u32 = 6;
/// Columns of the dark bar in the pictures below; the rest is light.
const BAR: std::ops::Range<u32> = 8..16;

const BITS: u16 = 258;
const COMPRESSION: u16 = 259;
const PHOTOMETRIC: u16 = 262;
const SAMPLES: u16 = 277;
const SAMPLE_FORMAT: u16 = 339;
const ORIENTATION: u16 = 274;
const COLOUR_MAP: u16 = 320;
const SUBSAMPLING: u16 = 530;

/// A TIFF of one strip (TIFF 6.0, sections 2 and 3), little endian, every value a SHORT but the sizes.
fn tiff(values: &[(u16, &[u16])], strip: &[u8]) -> Vec<u8> {
    const SHORT: u16 = 3;
    const LONG: u16 = 4;
    let mut entries: Vec<(u16, u16, Vec<u8>)> = vec![
        (256, LONG, WIDTH.to_le_bytes().to_vec()),
        (257, LONG, HEIGHT.to_le_bytes().to_vec()),
        (273, LONG, Vec::new()),
        (278, LONG, HEIGHT.to_le_bytes().to_vec()),
        (279, LONG, (strip.len() as u32).to_le_bytes().to_vec()),
    ];
    entries.extend(values.iter().map(|(tag, all)| (*tag, SHORT, all.iter().flat_map(|v| v.to_le_bytes()).collect())));
    entries.sort_by_key(|(tag, ..)| *tag);
    let mut after = 8 + 2 + 12 * entries.len() as u32 + 4;
    let mut outside = Vec::new();
    let mut bytes = b"II*\0\x08\0\0\0".to_vec();
    bytes.extend((entries.len() as u16).to_le_bytes());
    let strip_at = after + entries.iter().map(|(.., v)| if v.len() > 4 { v.len() as u32 } else { 0 }).sum::<u32>();
    for (tag, kind, value) in entries {
        let value = if tag == 273 { strip_at.to_le_bytes().to_vec() } else { value };
        bytes.extend(tag.to_le_bytes());
        bytes.extend(kind.to_le_bytes());
        bytes.extend((value.len() as u32 / if kind == SHORT { 2 } else { 4 }).to_le_bytes());
        if value.len() > 4 {
            bytes.extend(after.to_le_bytes());
            after += value.len() as u32;
            outside.extend(value);
        } else {
            bytes.extend(value.iter().copied().chain(std::iter::repeat(0)).take(4));
        }
    }
    bytes.extend([0; 4]);
    bytes.extend(outside);
    bytes.extend(strip);
    bytes
}

/// Samples of the picture, `dark` in the bar and `light` elsewhere.
fn samples(dark: &[u8], light: &[u8]) -> Vec<u8> {
    let pixel = |x: u32| if BAR.contains(&x) { dark } else { light }.to_vec();
    (0..WIDTH * HEIGHT).flat_map(|at| pixel(at % WIDTH)).collect()
}

fn inverted(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().map(|byte| !byte).collect()
}

/// Bits, most significant first, in whole bytes.
fn packed(bits: &str) -> Vec<u8> {
    let bits: Vec<u8> = bits.bytes().filter(u8::is_ascii_digit).map(|b| b - b'0').collect();
    bits.chunks(8).map(|eight| eight.iter().enumerate().fold(0, |byte, (at, bit)| byte | bit << (7 - at))).collect()
}

/// Codes of ITU-T T.4: eight white, eight black, eight white.
const ROW: &str = "10011 000101 10011";
const END_OF_LINE: &str = "000000000001";

#[test]
fn faxes_scans_and_prints_are_decoded_to_the_same_picture() {
    let rows = HEIGHT as usize;
    // T.6: the first row horizontally, then "as above" three times a row, then the end of the block.
    let group_4 = packed(&format!("001{}1 {} {END_OF_LINE}{END_OF_LINE}", &ROW[..12], "111".repeat(rows - 1)));
    let jpeg = {
        let pixels = samples(&[10], &[240]);
        let mut bytes = Vec::new();
        image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, 95)
            .encode(&pixels, WIDTH, HEIGHT, image::ExtendedColorType::L8)
            .unwrap();
        bytes
    };
    let bilevel = packed(&"000000001111111100000000".repeat(rows));
    let packbits: Vec<u8> = [0xF9_u8, 240, 0xF9, 10, 0xF9, 240].repeat(rows);
    let deflated = {
        let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
        std::io::Write::write_all(&mut zlib, &samples(&[10], &[240])).unwrap();
        zlib.finish().unwrap()
    };
    // The colour of number 7 is dark and every other light: what is told apart is not the number.
    let palette: Vec<u16> = (0..3 * 256).map(|at| if at % 256 == 7 { 10 << 8 } else { 240 << 8 }).collect();
    let coloured_jpeg = {
        let pixels = samples(&[10, 10, 10], &[240, 240, 240]);
        let mut bytes = Vec::new();
        image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, 95)
            .encode(&pixels, WIDTH, HEIGHT, image::ExtendedColorType::Rgb8)
            .unwrap();
        bytes
    };
    // Each row of modified Huffman begins a byte.
    let huffman = packed(ROW).repeat(rows);
    let nibbles = [[0xEE; 4], [0x11; 4], [0xEE; 4]].concat().repeat(rows);
    let (half, one) = (0.1_f32.to_le_bytes(), 0.95_f32.to_le_bytes());
    let doubles = samples(&(-3.0_f64).to_le_bytes(), &40.0_f64.to_le_bytes());
    let float_rgb = samples(&[half, half, half].concat(), &[one, one, one].concat());
    for (name, bytes) in [
        ("grey", tiff(&[(BITS, &[8]), (PHOTOMETRIC, &[1])], &samples(&[10], &[240]))),
        ("grey of 16 bits", tiff(&[(BITS, &[16]), (PHOTOMETRIC, &[1])], &samples(&[0, 10], &[0, 240]))),
        ("bilevel, white is zero", tiff(&[(BITS, &[1]), (PHOTOMETRIC, &[0])], &bilevel)),
        (
            "CMYK",
            tiff(&[(BITS, &[8; 4]), (PHOTOMETRIC, &[5]), (SAMPLES, &[4])], &samples(&[0, 0, 0, 245], &[0, 0, 0, 10])),
        ),
        (
            "RGB in floating point",
            tiff(&[(BITS, &[32; 3]), (PHOTOMETRIC, &[2]), (SAMPLES, &[3]), (SAMPLE_FORMAT, &[3; 3])], &float_rgb),
        ),
        ("PackBits", tiff(&[(BITS, &[8]), (PHOTOMETRIC, &[1]), (COMPRESSION, &[32_773])], &packbits)),
        ("Deflate", tiff(&[(BITS, &[8]), (PHOTOMETRIC, &[1]), (COMPRESSION, &[8])], &deflated)),
        ("JPEG", tiff(&[(BITS, &[8]), (PHOTOMETRIC, &[1]), (COMPRESSION, &[7])], &jpeg)),
        ("fax, group 4", tiff(&[(BITS, &[1]), (PHOTOMETRIC, &[0]), (COMPRESSION, &[4])], &group_4)),
        ("modified Huffman", tiff(&[(BITS, &[1]), (PHOTOMETRIC, &[0]), (COMPRESSION, &[2])], &huffman)),
        ("grey of 4 bits", tiff(&[(BITS, &[4]), (PHOTOMETRIC, &[1])], &nibbles)),
        ("grey of 4 bits, white is zero", tiff(&[(BITS, &[4]), (PHOTOMETRIC, &[0])], &inverted(&nibbles))),
        (
            "grey in floating point beyond 0 and 1",
            tiff(&[(BITS, &[64]), (PHOTOMETRIC, &[1]), (SAMPLE_FORMAT, &[3])], &doubles),
        ),
        ("a palette", tiff(&[(BITS, &[8]), (PHOTOMETRIC, &[3]), (COLOUR_MAP, &palette)], &samples(&[7], &[200]))),
        (
            "YCbCr",
            tiff(
                &[(BITS, &[8; 3]), (PHOTOMETRIC, &[6]), (SAMPLES, &[3]), (SUBSAMPLING, &[1, 1])],
                &samples(&[10, 128, 128], &[240, 128, 128]),
            ),
        ),
        (
            "JPEG of a copier",
            tiff(&[(BITS, &[8; 3]), (PHOTOMETRIC, &[6]), (SAMPLES, &[3]), (COMPRESSION, &[7])], &coloured_jpeg),
        ),
    ] {
        let decoded = decode_first(bytes, MediaType::Tiff);
        let decoded = decoded.unwrap_or_else(|reason| panic!("{name}: {reason}"));
        assert_eq!(decoded.picture.dimensions(), (WIDTH, HEIGHT), "{name}");
        for (x, _, pixel) in decoded.picture.enumerate_pixels() {
            let is_right =
                if BAR.contains(&x) { pixel.0.iter().all(|v| *v < 60) } else { pixel.0.iter().all(|v| *v > 200) };
            assert!(is_right, "{name}: column {x} is {pixel:?}");
        }
    }
}

#[test]
fn colours_of_a_palette_and_of_chromas_are_the_colours_of_the_paper_whenever_a_page_is_decoded() {
    // Number 1 is red, 2 is green.
    let mut palette = vec![0_u16; 3 * 256];
    palette[1] = 0xFFFF;
    palette[256 + 2] = 0xFFFF;
    let numbers = tiff(&[(BITS, &[8]), (PHOTOMETRIC, &[3]), (COLOUR_MAP, &palette)], &samples(&[1], &[2]));
    let chromas = tiff(
        &[(BITS, &[8; 3]), (PHOTOMETRIC, &[6]), (SAMPLES, &[3]), (SUBSAMPLING, &[1, 1])],
        &samples(&[76, 85, 255], &[150, 44, 21]),
    );
    for bytes in [numbers, chromas] {
        let mut source = Source::open(bytes, MediaType::Tiff, &Limits::default()).map_err(|_| "refused").unwrap();
        for _ in 0..2 {
            let picture = source.decode(0).map_err(|_| "refused").unwrap().picture;
            for (x, expected) in [(BAR.start, [255_i16, 0, 0]), (0, [0, 255, 0])] {
                let found = picture.get_pixel(x, 0).0.map(i16::from);
                assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 4), "{found:?} is not {expected:?}");
            }
        }
    }
}

#[test]
fn what_is_not_decoded_is_refused_as_a_type_that_is_not_read() {
    let value = 0.5_f32.to_le_bytes();
    let old_jpeg = tiff(&[(BITS, &[8]), (PHOTOMETRIC, &[1]), (COMPRESSION, &[6])], &[0; 40]);
    let unknown = tiff(&[(BITS, &[8]), (PHOTOMETRIC, &[1]), (COMPRESSION, &[34_712])], &[0; 40]);
    let lab = tiff(&[(BITS, &[8; 3]), (PHOTOMETRIC, &[8]), (SAMPLES, &[3])], &samples(&[1, 2, 3], &[4, 5, 6]));
    let whole = tiff(&[(BITS, &[32]), (PHOTOMETRIC, &[1]), (SAMPLE_FORMAT, &[2])], &samples(&value, &value));
    for (name, bytes) in [
        ("old JPEG", old_jpeg),
        ("JPEG 2000", unknown),
        ("Lab", lab),
        ("grey of 32 bits with a sign", whole),
        ("16 colours without a palette", tiff(&[(BITS, &[4]), (PHOTOMETRIC, &[3])], &[0; 80])),
        ("YCbCr, four pixels a chroma", tiff(&[(BITS, &[8; 3]), (PHOTOMETRIC, &[6]), (SAMPLES, &[3])], &[0; 300])),
    ] {
        let refused = decode_first(bytes, MediaType::Tiff).map(|decoded| decoded.picture.dimensions());
        assert_eq!(refused, Err(Reason::UnsupportedType), "{name}");
    }
}

/// A name, a file, and the colours of what is dark and light in it.
type Written = (&'static str, &'static [u8], [u8; 3], [u8; 3]);

/// Files that libtiff's `tiffcp` wrote of one picture of the project's: `fixtures/README.md` says how.
const WRITTEN_BY_LIBTIFF: [Written; 6] = [
    ("fax, group 3", include_bytes!("../../../../fixtures/tiff/group-3.tif"), [0; 3], [255; 3]),
    (
        "fax, group 3, two-dimensional, ends of lines at ends of bytes",
        include_bytes!("../../../../fixtures/tiff/group-3-two-dimensional.tif"),
        [0; 3],
        [255; 3],
    ),
    (
        "fax, group 3, two-dimensional, least significant bit first, in strips",
        include_bytes!("../../../../fixtures/tiff/group-3-least-first.tif"),
        [0; 3],
        [255; 3],
    ),
    (
        "fax, group 4, least significant bit first",
        include_bytes!("../../../../fixtures/tiff/group-4-least-first.tif"),
        [0; 3],
        [255; 3],
    ),
    (
        "a palette of 16 colours, LZW, big-endian",
        include_bytes!("../../../../fixtures/tiff/palette-of-16.tif"),
        [40, 10, 20],
        [250, 240, 230],
    ),
    (
        "grey in floating point, Deflate of differences",
        include_bytes!("../../../../fixtures/tiff/grey-in-floating-point.tif"),
        [26; 3],
        [242; 3],
    ),
];

/// Whether the picture behind [`WRITTEN_BY_LIBTIFF`] is dark at a place.
fn is_dark(x: u32, y: u32) -> bool {
    ((x / 7 + y / 5).is_multiple_of(3)) != ((x * y).is_multiple_of(11) && 20 < y && y < 40)
}

#[test]
fn files_of_libtiff_are_decoded_to_the_picture_they_were_made_of() {
    for (name, bytes, dark, light) in WRITTEN_BY_LIBTIFF {
        let decoded = decode_first(bytes.to_vec(), MediaType::Tiff);
        let decoded = decoded.unwrap_or_else(|reason| panic!("{name}: {reason}"));
        assert_eq!(decoded.picture.dimensions(), (203, 64), "{name}");
        assert_eq!(decoded.warnings, Vec::<&str>::new(), "{name}");
        for (x, y, pixel) in decoded.picture.enumerate_pixels() {
            assert_eq!(pixel.0, if is_dark(x, y) { dark } else { light }, "{name}: {x}, {y}");
        }
    }
}

#[test]
fn a_fax_that_is_cut_off_is_flagged_and_one_without_a_row_refused() {
    let whole = WRITTEN_BY_LIBTIFF[1].1;
    // Of the one strip, which begins after the header and ends before the directory, a part is there.
    let mut cut = whole.to_vec();
    cut[300..800].fill(0);
    let decoded = decode_first(cut, MediaType::Tiff).unwrap_or_else(|reason| panic!("{reason}"));
    assert_eq!(decoded.warnings, ["truncated"]);
    let nothing = tiff(&[(BITS, &[1]), (PHOTOMETRIC, &[0]), (COMPRESSION, &[3])], &[0; 40]);
    assert_eq!(decode_first(nothing, MediaType::Tiff).err(), Some(Reason::Undecodable));
}

#[test]
fn faxes_and_greys_stand_as_their_orientation_says() {
    let row = packed(ROW).repeat(HEIGHT as usize);
    let turned = [(ORIENTATION, &[6_u16] as &[u16]), (BITS, &[1]), (PHOTOMETRIC, &[0]), (COMPRESSION, &[2])];
    let fax = tiff(&turned, &row);
    let nibbles = [0xEE; 12].repeat(HEIGHT as usize);
    let grey = tiff(&[(ORIENTATION, &[6]), (BITS, &[4]), (PHOTOMETRIC, &[1])], &nibbles);
    for bytes in [fax, grey] {
        let decoded = decode_first(bytes, MediaType::Tiff).unwrap_or_else(|reason| panic!("{reason}"));
        assert_eq!(decoded.picture.dimensions(), (HEIGHT, WIDTH));
    }
}

proptest! {
    #[test]
    fn no_damage_to_a_file_of_libtiff_makes_it_panic(
        which in 0..WRITTEN_BY_LIBTIFF.len(),
        changes in prop::collection::vec((0_usize..2_000, any::<u8>()), 1..16),
        cut in 0_usize..400,
    ) {
        let mut bytes = WRITTEN_BY_LIBTIFF[which].1.to_vec();
        let length = bytes.len();
        for (at, byte) in changes {
            bytes[at % length] = byte;
        }
        bytes.truncate(length - cut);
        let _ = decode_first(bytes, MediaType::Tiff);
    }

    #[test]
    fn no_damage_to_a_page_with_colours_of_its_own_makes_it_panic(
        changes in prop::collection::vec((0_usize..2_000, any::<u8>()), 1..16),
        cut in 0_usize..2_000,
        has_palette: bool,
    ) {
        let palette = vec![0x4000_u16; 3 * 256];
        let mut bytes = if has_palette {
            tiff(&[(BITS, &[8]), (PHOTOMETRIC, &[3]), (COLOUR_MAP, &palette)], &samples(&[1], &[2]))
        } else {
            let values: &[(u16, &[u16])] = &[(BITS, &[8; 3]), (PHOTOMETRIC, &[6]), (SAMPLES, &[3]), (SUBSAMPLING, &[1, 1])];
            tiff(values, &samples(&[76, 85, 255], &[150, 44, 21]))
        };
        let length = bytes.len();
        for (at, byte) in changes {
            bytes[at % length] = byte;
        }
        bytes.truncate(length - cut % 64);
        let _ = decode_first(bytes, MediaType::Tiff);
    }
}
