//! Which lines belong to which receipt, when one picture holds several.

use crate::{
    domain::{
        page::{Code, Page, Quad},
        receipt::PartRole,
    },
    extract::Material,
    reader::{Reading, ReceiptRegion},
};

/// What was read of one receipt, and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// Its pages, with only its own lines. A page's index is its place in the receipt, as in [`Member::position`].
    pub material: Material,
    /// The pages of documents it is made of, in the order of the receipt's pages.
    pub members: Vec<Member>,
    /// Several receipts share the picture, so the region says something.
    pub is_region_of_many: bool,
}

/// One page of one document, as part of a receipt.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Member {
    /// Which document of the capture.
    pub document: usize,
    /// 0-based page of the document.
    pub page: u32,
    /// 0-based page of the receipt. A receipt of one document keeps the document's numbers.
    pub position: u32,
    /// Its region on the page.
    pub quad: Quad,
    /// Leading or supporting.
    pub role: PartRole,
}

/// The receipts of a reading of the capture's `document`. Pages with one region each are pages of one receipt (a two-page
/// invoice); every region of a page with several is a receipt by itself.
pub fn receipts_of(document: usize, reading: &Reading) -> Vec<Group> {
    let read = Material { pages: reading.pages.clone(), codes: reading.codes.clone(), values: reading.values.clone() };
    divide(document, &read, &reading.receipts)
}

/// The receipts of what was read of a document, by the regions where receipts stand.
pub fn divide(document: usize, read: &Material, receipts: &[ReceiptRegion]) -> Vec<Group> {
    let mut joined = Group { material: Material::default(), members: Vec::new(), is_region_of_many: false };
    let mut groups = Vec::new();
    for page in &read.pages {
        let regions: Vec<&ReceiptRegion> = receipts.iter().filter(|r| r.page == page.index).collect();
        if regions.len() > 1 {
            groups.extend(regions.into_iter().map(|region| region_group(document, &read.codes, page, region)));
        } else {
            let whole = Quad::from_edges(0.0, 0.0, page.width as f32, page.height as f32);
            let quad = regions.first().map_or(whole, |region| region.quad);
            joined.material.pages.push(page.clone());
            joined.material.codes.extend(read.codes.iter().filter(|c| c.page == page.index).cloned());
            joined.members.push(member(document, page.index, quad));
        }
    }
    // Structured values are of the whole document; a picture of many slips has none.
    joined.material.values.clone_from(&read.values);
    if !joined.material.pages.is_empty() || !joined.material.values.is_empty() {
        if joined.members.is_empty() {
            // Values without a page to show: the document is part of the receipt all the same.
            joined.members.push(member(document, 0, Quad::from_edges(0.0, 0.0, 0.0, 0.0)));
        }
        groups.insert(0, joined);
    }
    groups
}

fn member(document: usize, page: u32, quad: Quad) -> Member {
    Member { document, page, position: page, quad, role: PartRole::Leading }
}

fn region_group(document: usize, codes: &[Code], page: &Page, region: &ReceiptRegion) -> Group {
    let mut own = page.clone();
    own.lines.retain(|line| region.quad.contains(line.quad.centre()));
    let codes: Vec<Code> = codes
        .iter()
        .filter(|code| code.page == page.index && region.quad.contains(code.quad.centre()))
        .cloned()
        .collect();
    Group {
        material: Material { pages: vec![own], codes, values: Vec::new() },
        members: vec![member(document, page.index, region.quad)],
        is_region_of_many: true,
    }
}
