//! Exact values out of structured data, each with its source, and located on the page where the page prints them.

use std::{borrow::Cow, collections::BTreeSet};

use super::{
    Material, dates,
    fold::Folded,
    layout::Layout,
    money::Mention,
    rank::{Features, Proposal},
};
use crate::domain::{
    field::{Evidence, FieldKey, FieldValue},
    page::{Page, TextSource},
    receipt::EvidenceKind,
    structured::{StructuredSource, StructuredValue},
    time::CivilDate,
};

/// Values of one receipt that are looked at.
const MAX_VALUES: usize = 5_000;
/// Folded characters a text needs to be looked for on the page.
const MIN_LOCATED_CHARS: usize = 4;
/// Parts of one text that are looked for: a name, street, postcode, town and country.
const MAX_PARTS: usize = 8;
/// Places of one part that are compared.
const MAX_PLACES: usize = 20;
/// Text heights from the first part within which lines of one address stand, and how far to the side.
const NEXT_LINES: f32 = 4.5;
const NEXT_COLUMN: f32 = 12.0;

/// How far a source is believed that it speaks of this receipt and says what its issuer meant.
const fn belief(source: StructuredSource) -> f32 {
    match source {
        // The signed document itself.
        StructuredSource::EInvoiceXml
        | StructuredSource::OfdInvoice
        | StructuredSource::Xbrl
        | StructuredSource::Cii
        | StructuredSource::Ubl => 0.995,
        StructuredSource::OfdTag => 0.99,
        // Lists beside the document, written by the same machine.
        StructuredSource::OfdInfo | StructuredSource::PdfInfo => 0.985,
        // Shops fill these in for search engines, less carefully than invoices.
        StructuredSource::JsonLd | StructuredSource::Microdata => 0.93,
        // The sender of a mail is often the platform, its date the day of sending.
        StructuredSource::Mail => 0.6,
        // They tell of the trip, not of the receipt.
        StructuredSource::Calendar | StructuredSource::Pass => 0.3,
    }
}

/// The name of a source in finder names; the reason carries the same word.
const fn finder(source: StructuredSource) -> &'static str {
    match source {
        StructuredSource::EInvoiceXml => "structured:einvoice_xml",
        StructuredSource::OfdInvoice => "structured:ofd_invoice",
        StructuredSource::OfdTag => "structured:ofd_tag",
        StructuredSource::OfdInfo => "structured:ofd_info",
        StructuredSource::Xbrl => "structured:xbrl",
        StructuredSource::Cii => "structured:cii",
        StructuredSource::Ubl => "structured:ubl",
        StructuredSource::PdfInfo => "structured:pdf_info",
        StructuredSource::JsonLd => "structured:json_ld",
        StructuredSource::Microdata => "structured:microdata",
        StructuredSource::Mail => "structured:mail",
        StructuredSource::Calendar => "structured:calendar",
        StructuredSource::Pass => "structured:pass",
    }
}

/// The material with the pages silenced that only repeat its structured values, when there are others; their lines would
/// be a second voice saying the same.
pub fn without_echo(material: &Material) -> Cow<'_, Material> {
    let is_echo = |page: &Page| page.source == TextSource::Structured;
    if material.values.is_empty() || !material.pages.iter().any(is_echo) || material.pages.iter().all(is_echo) {
        return Cow::Borrowed(material);
    }
    let mut quiet = material.clone();
    for page in quiet.pages.iter_mut().filter(|page| is_echo(page)) {
        page.lines.clear();
    }
    Cow::Owned(quiet)
}

/// Whether everything printed is only the structured values once more.
pub fn is_all_echo(material: &Material) -> bool {
    !material.values.is_empty() && material.pages.iter().all(|page| page.source == TextSource::Structured)
}

/// Takes out what was read off pages that only show a whole invoice's data, of fields the data says nothing of: its
/// issuer left them out, and a time or a card found there is part of something else.
pub fn keep_silence(proposals: &mut Vec<Proposal>, material: &Material) {
    if !is_all_echo(material) || !material.values.iter().any(|value| is_whole_invoice(value.source)) {
        return;
    }
    let stated: BTreeSet<FieldKey> =
        proposals.iter().filter(|p| p.features.get("exact") > 0.0).map(|proposal| proposal.key).collect();
    proposals.retain(|proposal| stated.contains(&proposal.key));
}

/// Whether the source is the signed document itself and not data about it.
const fn is_whole_invoice(source: StructuredSource) -> bool {
    match source {
        StructuredSource::EInvoiceXml
        | StructuredSource::OfdInvoice
        | StructuredSource::Xbrl
        | StructuredSource::Cii
        | StructuredSource::Ubl => true,
        StructuredSource::OfdTag
        | StructuredSource::OfdInfo
        | StructuredSource::PdfInfo
        | StructuredSource::JsonLd
        | StructuredSource::Microdata
        | StructuredSource::Mail
        | StructuredSource::Calendar
        | StructuredSource::Pass => false,
    }
}

/// Every value that is a field, as an exact proposal.
pub fn propose(
    values: &[StructuredValue],
    layout: &Layout<'_>,
    mentions: &[Mention],
    today: CivilDate,
) -> Vec<Proposal> {
    let mut out: Vec<Proposal> = Vec::new();
    let first_day = first_day_of_trip(values);
    for value in values.iter().take(MAX_VALUES) {
        let Some((key, typed)) = field_of(value) else { continue };
        // Later legs, and what else a calendar holds, are of the same trip and contradict nothing.
        if key == FieldKey::OccurredOn && tells_of_trips(value.source) && typed.as_date() != first_day {
            continue;
        }
        let source = finder(value.source);
        if out.iter().any(|known| known.key == key && known.finder == source) {
            continue;
        }
        let given = value.quad.map(|quad| Evidence {
            page: value.page.unwrap_or(0),
            quad: Some(quad),
            text: value.text.clone(),
        });
        let evidence = given.or_else(|| locate(&typed, layout, mentions, today)).unwrap_or_else(|| Evidence {
            page: value.page.unwrap_or(0),
            quad: None,
            text: value.text.clone(),
        });
        let p = belief(value.source);
        out.push(Proposal {
            key,
            value: typed,
            evidence: vec![evidence],
            finder: source,
            reasons: vec![format!("source:{}", value.source)],
            features: Features(vec![("exact", p), ("p", p)]),
        });
    }
    out.extend(railway(values, &out));
    out
}

/// Whether several days a source says are those of a trip.
const fn tells_of_trips(source: StructuredSource) -> bool {
    source.is_of_the_trip() || matches!(source, StructuredSource::JsonLd | StructuredSource::Microdata)
}

/// The first day of the trip: of the mail's own data, else of what lies beside it.
fn first_day_of_trip(values: &[StructuredValue]) -> Option<CivilDate> {
    let first = |is_wanted: fn(StructuredSource) -> bool| {
        let said = values.iter().take(MAX_VALUES).filter(|value| is_wanted(value.source)).filter_map(field_of);
        said.filter(|(key, _)| *key == FieldKey::OccurredOn).filter_map(|(_, day)| day.as_date()).min()
    };
    first(|source| tells_of_trips(source) && !source.is_of_the_trip())
        .or_else(|| first(StructuredSource::is_of_the_trip))
}

/// Rail tickets name no seller: there is one railway in China.
fn railway(values: &[StructuredValue], found: &[Proposal]) -> Option<Proposal> {
    const P: f32 = 0.9;
    let is_rail =
        values.iter().any(|v| v.name == FieldKey::EvidenceKind.as_str() && v.text == EvidenceKind::RailTicket.as_str());
    if !is_rail || found.iter().any(|p| p.key == FieldKey::Merchant) {
        return None;
    }
    Some(Proposal {
        key: FieldKey::Merchant,
        value: FieldValue::Text("中国铁路".to_owned()),
        evidence: Vec::new(),
        finder: "structured:rail_ticket",
        reasons: vec![format!("kind:{}", EvidenceKind::RailTicket)],
        features: Features(vec![("exact", P), ("p", P)]),
    })
}

fn field_of(value: &StructuredValue) -> Option<(FieldKey, FieldValue)> {
    let (name, text) = match (value.source, value.name.as_str()) {
        // A journey's day is the expense's, if the mail's calendar or pass is about it.
        (StructuredSource::Calendar, "event_starts_at") | (StructuredSource::Pass, "pass_date") => {
            (FieldKey::OccurredOn.as_str(), value.text.get(..10)?)
        }
        // A ticket has the time it is for, as a slip has the time of its sale.
        (_, "departure_time") => (FieldKey::Time.as_str(), value.text.as_str()),
        (_, name) => (name, value.text.as_str()),
    };
    let key: FieldKey = name.parse().ok()?;
    let typed = FieldValue::parse(key, text).ok()?;
    Some((key, typed))
}

/// Where the page prints a value, in whatever form it prints it.
fn locate(value: &FieldValue, layout: &Layout<'_>, mentions: &[Mention], today: CivilDate) -> Option<Evidence> {
    match value {
        FieldValue::Amount(amount) => {
            let same = |m: &&Mention| !m.amount.percent && m.amount.value.abs() == amount.abs();
            let best = mentions.iter().filter(same).max_by_key(|m| (m.label.is_some(), m.amount.decimals))?;
            Some(layout.evidence(best.segment, &best.amount.range))
        }
        FieldValue::Date(date) => layout.segments.iter().enumerate().find_map(|(at, segment)| {
            let printed =
                dates::find(&segment.text, today).into_iter().find(|p| p.readings.iter().any(|r| r.date == *date))?;
            Some(layout.evidence(at, &printed.range))
        }),
        FieldValue::Text(text) => places(text, layout).next().or_else(|| locate_parts(text, layout)),
        // Read off the paper by finders of their own, which lend their box where they say the same.
        FieldValue::Time(_) | FieldValue::Currency(_) => None,
    }
}

/// Every place where the page prints a text within one segment, first to last; none for texts too short to be told apart.
fn places<'a>(text: &str, layout: &'a Layout<'a>) -> impl Iterator<Item = Evidence> + use<'a> {
    let wanted: Vec<char> = Folded::new(text, false).chars;
    let segments = if wanted.len() < MIN_LOCATED_CHARS { &[][..] } else { layout.segments.as_slice() };
    segments.iter().enumerate().filter_map(move |(at, segment)| {
        let printed = Folded::new(&segment.text, false);
        let from = printed.chars.windows(wanted.len()).position(|window| window == wanted)?;
        let start = *printed.origin.get(from)?;
        let last = *printed.origin.get(from + wanted.len() - 1)?;
        let end = last + segment.text.get(last..)?.chars().next()?.len_utf8();
        Some(layout.evidence(at, &(start..end)))
    })
}

/// Where the page breaks a text over lines, as it does addresses: around the first part and what of the others stands
/// with it.
fn locate_parts(text: &str, layout: &Layout<'_>) -> Option<Evidence> {
    let mut parts = text.split([',', ';', '\n']).map(str::trim).take(MAX_PARTS);
    let first = parts.next().filter(|part| part.len() < text.len())?;
    let mut whole = places(first, layout).next()?;
    let quad = whole.quad?;
    let ([x, y], height) = (quad.centre(), quad.text_height());
    for part in parts {
        let off = |seen: &Evidence| {
            let [other_x, other_y] = seen.quad.filter(|_| seen.page == whole.page)?.centre();
            Some(((other_y - y).abs() / height, (other_x - x).abs() / height))
        };
        let near = places(part, layout).take(MAX_PLACES).filter_map(|seen| Some((off(&seen)?, seen)));
        let nearest = near.min_by(|((one, _), _), ((other, _), _)| one.total_cmp(other));
        if let Some(((down, across), seen)) = nearest
            && down < NEXT_LINES
            && across < NEXT_COLUMN
        {
            whole.quad = whole.quad.zip(seen.quad).map(|(own, other)| own.union(&other));
            whole.text = format!("{}, {}", whole.text, seen.text);
        }
    }
    Some(whole)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::{
        extract,
        tests::{context, page},
    };

    /// Where the page shows what the invoice's data states: the text seen there.
    fn seen(rows: &[&str], name: &str, text: &str) -> Option<Evidence> {
        let value = StructuredValue {
            source: StructuredSource::Cii,
            name: name.to_owned(),
            text: text.to_owned(),
            page: None,
            quad: None,
        };
        let mut paper = page(rows, 0.0);
        paper.source = TextSource::TextLayer;
        let material = Material { pages: vec![paper], codes: Vec::new(), values: vec![value] };
        let key = name.parse().unwrap();
        extract(&material, &context()).fields.remove(&key)?.evidence.filter(|evidence| evidence.quad.is_some())
    }

    #[test]
    fn an_address_is_located_though_the_page_breaks_it_over_lines_and_its_parts_elsewhere_are_left_alone() {
        let rows = [
            "12345 Musterstadt, the buyer's town",
            "Rechnung",
            "Positionen",
            "Summe  119.00",
            "Beispiel GmbH",
            "Musterweg 1",
            "12345 Musterstadt",
        ];
        let stated = "Musterweg 1, 12345, Musterstadt, DE";
        let found = seen(&rows, "address", stated).expect("it is on the page");
        assert_eq!(found.text, "Musterweg 1, 12345, Musterstadt");
        let quad = found.quad.unwrap();
        // Two rows of 20 pixels, 32 apart, and nothing of the first row.
        assert!((quad.bottom() - quad.top() - 52.0).abs() < 1.0, "{quad:?}");
        assert!(seen(&rows[..4], "address", stated).is_none(), "its postcode alone is somebody else's");
    }
}
