//! Which documents of a capture form one receipt. Pure.
//!
//! A mail with PDF, XML and OFD of one invoice is one receipt of three documents; a ZIP with five invoices is five
//! receipts. Two documents are the same receipt when they say so themselves: the same invoice number, or another
//! rendition (PDF beside HTML) with the same total, date and merchant. The one invoice embedded in a PDF is the PDF's own,
//! however its page reads. A trip sheet goes with the invoice of the same
//! total, the text of a mail with the receipt it speaks of. What is no receipt and belongs to none stays a document of
//! the capture.

use super::{
    Knowledge, Understood,
    alike::{self, Form},
    split::{Group, Member, receipts_of},
    understand,
    walk::{Ending, Node, Tree},
};
use crate::domain::{
    capture::Relation,
    field::FieldKey,
    media::MediaType,
    page::TextSource,
    receipt::{EvidenceKind, PartRole},
    structured::StructuredSource,
};
use crate::extract::Material;

/// A total less probable than this is some number on the page, and the page no receipt for having it.
const LEAST_TOTAL: f32 = 0.3;

/// One receipt as one document tells it, before documents are brought together.
struct Unit {
    node: usize,
    form: Form,
    standing: Standing,
    understood: Understood,
}

/// Whether a document is a receipt by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// It is.
    Own,
    /// It speaks of one: a trip sheet, or the text of a mail beside its attachments.
    Companion,
    /// Only when nothing else in the capture is.
    Weak,
    /// A picture inside the text of a mail on which no receipt was found: a logo.
    Ornament,
}

/// The receipts of a capture's documents.
pub fn receipts(knowledge: &Knowledge, tree: &Tree) -> Vec<Understood> {
    let mut units: Vec<Unit> = Vec::new();
    for (node, known) in tree.nodes.iter().enumerate() {
        let Some(reading) = known.reading() else { continue };
        for group in receipts_of(node, reading) {
            let understood = understand(knowledge, &group);
            let standing = standing(tree, node, &understood);
            units.push(Unit { node, form: form_of(known, &understood.group.material), standing, understood });
        }
    }
    for index in 0..units.len() {
        if (0..units.len()).any(|data| is_its_data(tree, &units, index, data)) {
            units[index].standing = Standing::Own;
        }
    }
    let clusters = cluster(tree, &units);
    clusters.into_iter().map(|members| bring_together(knowledge, &units, &members)).collect()
}

fn form_of(node: &Node, material: &Material) -> Form {
    let exact = material.values.iter().any(|value| is_invoice_data(value.source));
    match node.source.media_type {
        _ if exact => Form::Data,
        MediaType::Pdf => Form::Pdf,
        MediaType::Ofd => Form::Ofd,
        MediaType::Xml => Form::Data,
        MediaType::Html => Form::Html,
        MediaType::Mail => Form::Mail,
        MediaType::Text | MediaType::Zip => Form::Text,
        MediaType::Jpeg
        | MediaType::Png
        | MediaType::WebP
        | MediaType::Tiff
        | MediaType::Gif
        | MediaType::Bmp
        | MediaType::Heic => Form::Picture,
    }
}

/// Structures that are the invoice, not data about it.
const fn is_invoice_data(source: StructuredSource) -> bool {
    matches!(
        source,
        StructuredSource::EInvoiceXml
            | StructuredSource::OfdInvoice
            | StructuredSource::Xbrl
            | StructuredSource::Cii
            | StructuredSource::Ubl
    )
}

fn standing(tree: &Tree, node: usize, understood: &Understood) -> Standing {
    let fields = &understood.extraction.fields;
    let has_total = fields.get(&FieldKey::Total).is_some_and(|total| total.p >= LEAST_TOTAL);
    let known = &tree.nodes[node];
    if kind(understood) == Some(EvidenceKind::TripSheet) {
        return Standing::Companion;
    }
    // A logo says a name; a receipt pasted into the text says a total or at least a date.
    if known.relation == Some(Relation::Inline) && !has_total && !fields.contains_key(&FieldKey::Date) {
        return Standing::Ornament;
    }
    let says_its_total = understood.group.material.values.iter().any(|value| value.name == FieldKey::Total.as_str());
    if known.source.media_type == MediaType::Mail {
        let has_parts = tree.nodes.iter().any(|other| other.parent == Some(node));
        return match (has_parts, says_its_total, has_total) {
            // An order confirmation that says its total as data is a receipt whatever is attached to it.
            (_, true, _) | (false, _, true) => Standing::Own,
            (true, false, true) => Standing::Companion,
            (_, false, false) => Standing::Weak,
        };
    }
    // A part with exact text and no total: terms and conditions, a calendar, a note. Or the cover sheet of a portfolio.
    let is_exact = understood.group.material.pages.iter().all(|page| page.source != TextSource::Recognition);
    let is_cover = || tree.nodes.iter().any(|other| other.parent == Some(node) && other.reading().is_some());
    if is_exact && !has_total && (known.parent.is_some() || is_cover()) { Standing::Weak } else { Standing::Own }
}

/// Whether `data` is the invoice that the PDF `page` carries as data: ZUGFeRD, Factur-X and China's rail and air tickets
/// define the one embedded file as the same invoice as the page. A portfolio of several says nothing of the kind.
fn is_its_data(tree: &Tree, units: &[Unit], page: usize, data: usize) -> bool {
    let pdf = units[page].node;
    let is_inside = |unit: &Unit| unit.form == Form::Data && tree.nodes[unit.node].parent == Some(pdf);
    tree.nodes[pdf].source.media_type == MediaType::Pdf
        && is_inside(&units[data])
        && units.iter().filter(|unit| is_inside(unit)).count() == 1
}

fn kind(understood: &Understood) -> Option<EvidenceKind> {
    understood.extraction.fields.get(&FieldKey::EvidenceKind)?.value.to_string().parse().ok()
}

/// A unit of a receipt, and whether its text is read for the receipt's fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Belongs {
    unit: usize,
    speaks: bool,
}

/// Units that form one receipt each, in the order they were found.
fn cluster(tree: &Tree, units: &[Unit]) -> Vec<Vec<Belongs>> {
    let mut clusters: Vec<Vec<Belongs>> = Vec::new();
    let of_standing = |standing| units.iter().enumerate().filter(move |(_, u)| u.standing == standing).map(|(i, _)| i);
    for index in of_standing(Standing::Own) {
        let unit = &units[index];
        let same = |member: &Belongs| {
            let other = &units[member.unit];
            let is_alike = || alike::same_receipt((unit.form, &unit.understood), (other.form, &other.understood));
            is_its_data(tree, units, member.unit, index) || (other.node != unit.node && is_alike())
        };
        match clusters.iter_mut().find(|members| members.iter().any(same)) {
            Some(members) => members.push(Belongs { unit: index, speaks: true }),
            None => clusters.push(vec![Belongs { unit: index, speaks: true }]),
        }
    }
    let owned = clusters.len();
    for index in of_standing(Standing::Companion).chain(of_standing(Standing::Weak)) {
        let silent = Belongs { unit: index, speaks: false };
        let found = partner(tree, units, &clusters[..owned], index);
        match found {
            Some(at) => clusters[at].push(silent),
            // The text of a mail says again what its attachments say; a trip sheet alone is all there is of a ride.
            None if units[index].standing == Standing::Companion
                && (owned == 0 || units[index].form != Form::Mail)
                && !beside_filed(tree, units[index].node) =>
            {
                clusters.push(vec![Belongs { speaks: true, ..silent }]);
            }
            None => {}
        }
    }
    if clusters.is_empty() && !tree.nodes.iter().any(|node| matches!(node.ending, Ending::FiledElsewhere(_))) {
        clusters.extend(last_resort(units));
    }
    clusters
}

/// Whether something attached to the mail `node` was filed before: then its text speaks of that.
fn beside_filed(tree: &Tree, node: usize) -> bool {
    tree.nodes.iter().any(|other| other.parent == Some(node) && matches!(other.ending, Ending::FiledElsewhere(_)))
}

/// The receipt a companion goes with: the one of its mail with the same total, the first of those it adds up, or the only
/// one.
fn partner(tree: &Tree, units: &[Unit], clusters: &[Vec<Belongs>], index: usize) -> Option<usize> {
    let unit = &units[index];
    // The text of a mail speaks of what is inside the mail; anything else of what came beside it.
    let scope = if unit.form == Form::Mail { Some(unit.node) } else { tree.nodes[unit.node].parent };
    let near: Vec<usize> = (0..clusters.len())
        .filter(|at| {
            let first = units[clusters[*at][0].unit].node;
            scope.is_some_and(|scope| tree.is_within(first, scope))
        })
        .collect();
    let equal = |at: &&usize| {
        clusters[**at].iter().any(|member| alike::same_total(&unit.understood, &units[member.unit].understood))
    };
    match near.iter().filter(equal).collect::<Vec<_>>()[..] {
        [only] => return Some(*only),
        [_, _, ..] => return None,
        [] => {}
    }
    // A toll list goes with the bills it adds up.
    if unit.standing == Standing::Companion && unit.form != Form::Mail && near.len() > 1 {
        let leading: Vec<&Understood> = near.iter().map(|at| &units[clusters[*at][0].unit].understood).collect();
        if alike::adds_up(&unit.understood, &leading) {
            return near.first().copied();
        }
    }
    match near[..] {
        // A trip sheet of another amount is another ride.
        [only] if unit.standing == Standing::Weak || unit.form == Form::Mail => Some(only),
        _ => None,
    }
}

/// Something came in, so a person gets a draft: the first document that might be it, with the others beside it.
fn last_resort(units: &[Unit]) -> Option<Vec<Belongs>> {
    let mail = units.iter().position(|unit| unit.form == Form::Mail);
    let lead = mail.or(if units.is_empty() { None } else { Some(0) })?;
    let mut members = vec![Belongs { unit: lead, speaks: true }];
    let others = units.iter().enumerate().filter(|(i, unit)| *i != lead && unit.standing != Standing::Ornament);
    members.extend(others.map(|(unit, _)| Belongs { unit, speaks: false }));
    Some(members)
}

/// Makes one receipt of its units: pages numbered through, the most exact document leading.
fn bring_together(knowledge: &Knowledge, units: &[Unit], members: &[Belongs]) -> Understood {
    if let [only] = members {
        return units[only.unit].understood.clone();
    }
    let leading = members.iter().filter(|m| m.speaks).min_by_key(|m| units[m.unit].form.exactness()).map(|m| m.unit);
    let mut ordered: Vec<&Belongs> = members.iter().collect();
    // What looks like a receipt first, so that a reviewer sees it first; the silent ones last.
    ordered.sort_by_key(|m| (!m.speaks, units[m.unit].form.looks(), m.unit));
    let mut group = Group { material: Material::default(), members: Vec::new(), is_region_of_many: false };
    for belongs in ordered {
        let own = &units[belongs.unit].understood.group;
        group.is_region_of_many |= own.is_region_of_many;
        let role = if Some(belongs.unit) == leading { PartRole::Leading } else { PartRole::Supporting };
        let first = u32::try_from(group.members.len()).unwrap_or(u32::MAX);
        let place = |page: u32| {
            let at = own.members.iter().position(|m| m.page == page)?;
            Some(first.saturating_add(u32::try_from(at).ok()?))
        };
        let renumbered = own.members.iter().filter_map(|m| Some(Member { position: place(m.page)?, role, ..*m }));
        group.members.extend(renumbered);
        if !belongs.speaks {
            // Of a mail beside its receipt only what its calendar or pass tells of the trip.
            let of_the_trip = own.material.values.iter().filter(|value| value.source.is_of_the_trip());
            group.material.values.extend(of_the_trip.cloned());
            continue;
        }
        for page in &own.material.pages {
            if let Some(index) = place(page.index) {
                group.material.pages.push(crate::domain::page::Page { index, ..page.clone() });
            }
        }
        for code in &own.material.codes {
            if let Some(page) = place(code.page) {
                group.material.codes.push(crate::domain::page::Code { page, ..code.clone() });
            }
        }
        for value in &own.material.values {
            let page = value.page.and_then(place);
            let quad = value.quad.filter(|_| page.is_some());
            group.material.values.push(crate::domain::structured::StructuredValue { page, quad, ..value.clone() });
        }
    }
    understand(knowledge, &group)
}
