//! The document inside a package: which pages, which templates, which resources, which tags and attachments.

use super::{
    super::xml::tree::Element,
    content::Collector,
    geometry::{Matrix, numbers},
    package::Package,
    resources::Resources,
};
use crate::{
    domain::capture::Reason,
    reader::output::{Stopped, failed},
};

/// Documents in one package; more than one has not been seen.
const MAX_DOCUMENTS: usize = 8;
/// Tag files, attachments and page resources of one document.
const MAX_LISTED: usize = 200;
/// Millimetres of a page that does not say: A4.
const A4: [f32; 4] = [0.0, 0.0, 210.0, 297.0];

/// A page: where its content is and how large it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Sheet {
    id: String,
    entry: String,
    /// Left, top, width, height in millimetres, when the page does not say itself.
    area: [f32; 4],
}

/// What a package's documents consist of.
#[derive(Debug, Default)]
pub struct Book {
    /// Pages in order.
    pub sheets: Vec<Sheet>,
    /// Colours, pictures, …
    pub resources: Resources,
    /// Entry names of tag files.
    pub tags: Vec<String>,
    /// Label and entry name of attachments.
    pub attachments: Vec<(String, String)>,
    /// The `DocInfo` of the first document.
    pub info: Element,
    /// Id and entry name of page templates.
    templates: Vec<(String, String)>,
    /// Page id and entry name of annotation files.
    annotations: Vec<(String, String)>,
}

impl Book {
    /// Reads the entry document and everything it names, except the pages' content.
    pub fn open(package: &mut Package<'_>) -> Result<Self, Stopped> {
        let entry = package.find("", "OFD.xml").ok_or_else(|| failed(Reason::Undecodable, "the ZIP has no OFD.xml"))?;
        let root = package.xml(&entry)?;
        let mut book = Self::default();
        for body in root.all("DocBody").take(MAX_DOCUMENTS) {
            let location = body.text_at(&["DocRoot"]).unwrap_or("Doc_0/Document.xml");
            if let Some(name) = package.find(&entry, location) {
                let document = package.xml(&name)?;
                book.document(package, &name, &document)?;
            }
            if let Some(info) = body.child("DocInfo").filter(|_| book.info.name.is_empty()) {
                book.info = info.clone();
            }
        }
        // Some issuers attach the invoice without listing it.
        for name in package.names_with("/attachs/").into_iter().take(MAX_LISTED) {
            let is_list = name.to_ascii_lowercase().ends_with("attachments.xml");
            if !is_list && book.attachments.iter().all(|(_, known)| *known != name) {
                let label = name.rsplit('/').next().unwrap_or("").to_owned();
                book.attachments.push((label, name));
            }
        }
        Ok(book)
    }

    fn document(&mut self, package: &mut Package<'_>, name: &str, document: &Element) -> Result<(), Stopped> {
        let empty = Element::default();
        let common = document.child("CommonData").unwrap_or(&empty);
        for resource in common.all("PublicRes").chain(common.all("DocumentRes")).take(MAX_LISTED) {
            self.resources.load(package, name, &resource.text)?;
        }
        for template in common.all("TemplatePage").take(MAX_LISTED) {
            if let (Some(id), Some(location)) = (template.attribute("ID"), template.attribute("BaseLoc"))
                && let Some(found) = package.find(name, location)
            {
                self.templates.push((id.to_owned(), found));
            }
        }
        let area = common.child("PageArea").and_then(area_of).unwrap_or(A4);
        for page in document.child("Pages").unwrap_or(&empty).all("Page") {
            let Some(entry) = page.attribute("BaseLoc").and_then(|location| package.find(name, location)) else {
                continue;
            };
            let id = page.attribute("ID").unwrap_or("").to_owned();
            self.sheets.push(Sheet { id, entry, area });
        }
        self.lists(package, name, document)
    }

    fn lists(&mut self, package: &mut Package<'_>, name: &str, document: &Element) -> Result<(), Stopped> {
        if let Some(location) = document.text_at(&["CustomTags"])
            && let Some((list, root)) = package.optional_xml(name, location)?
        {
            let files = root.all("CustomTag").filter_map(|tag| tag.text_at(&["FileLoc"]));
            self.tags.extend(files.take(MAX_LISTED).filter_map(|file| package.find(&list, file)));
        }
        if let Some(location) = document.text_at(&["Attachments"])
            && let Some((list, root)) = package.optional_xml(name, location)?
        {
            for attachment in root.all("Attachment").take(MAX_LISTED) {
                let file = attachment.text_at(&["FileLoc"]).or_else(|| attachment.content());
                if let Some(found) = file.and_then(|file| package.find(&list, file)) {
                    let label = attachment.attribute("Name").unwrap_or("").to_owned();
                    self.attachments.push((label, found));
                }
            }
        }
        if let Some(location) = document.text_at(&["Annotations"])
            && let Some((list, root)) = package.optional_xml(name, location)?
        {
            for page in root.all("Page").take(MAX_LISTED) {
                let file = page.text_at(&["FileLoc"]).and_then(|file| package.find(&list, file));
                if let (Some(id), Some(file)) = (page.attribute("PageID"), file) {
                    self.annotations.push((id.to_owned(), file));
                }
            }
        }
        Ok(())
    }

    /// The XML of a page and its left, top, width and height in millimetres.
    pub fn page(package: &mut Package<'_>, sheet: &Sheet) -> Result<(Element, [f32; 4]), Stopped> {
        let page = package.xml(&sheet.entry)?;
        let area = page.child("Area").and_then(area_of).unwrap_or(sheet.area);
        Ok((page, area))
    }

    /// Collects what a page shows: templates behind, content, templates in front.
    pub fn collect(&self, package: &mut Package<'_>, page: &Element, out: &mut Collector<'_>) -> Result<(), Stopped> {
        let templates: Vec<(&str, bool)> = page
            .all("Template")
            .filter_map(|t| Some((t.attribute("TemplateID")?, t.attribute("ZOrder") == Some("Foreground"))))
            .take(MAX_LISTED)
            .collect();
        let mut place = |front: bool, out: &mut Collector<'_>| -> Result<(), Stopped> {
            for (id, _) in templates.iter().filter(|(_, is_front)| *is_front == front) {
                let Some((_, entry)) = self.templates.iter().find(|(known, _)| known == id) else { continue };
                let template = package.xml(entry)?;
                if let Some(content) = template.child("Content") {
                    out.content(content);
                }
            }
            Ok(())
        };
        place(false, out)?;
        if let Some(content) = page.child("Content") {
            out.content(content);
        }
        place(true, out)
    }

    /// Collects what is laid over a page: watermarks and remarks, not seals.
    pub fn collect_annotations(
        &self,
        package: &mut Package<'_>,
        sheet: &Sheet,
        out: &mut Collector<'_>,
    ) -> Result<(), Stopped> {
        for (_, entry) in self.annotations.iter().filter(|(page, _)| *page == sheet.id) {
            let Some((_, root)) = package.optional_xml("", entry)? else { continue };
            for annotation in root.all("Annot").filter(|a| a.attribute("Visible") != Some("false")) {
                let Some(appearance) = annotation.child("Appearance") else { continue };
                let [x, y, ..] = appearance.attribute("Boundary").and_then(numbers::<4>).unwrap_or_default();
                out.block(appearance, None, &Matrix::shift(x, y), 0);
            }
        }
        Ok(())
    }
}

/// A physical box with a width and a height.
fn area_of(area: &Element) -> Option<[f32; 4]> {
    let boxed = area.text_at(&["PhysicalBox"]).and_then(numbers::<4>)?;
    (boxed[2] > 1.0 && boxed[3] > 1.0).then_some(boxed)
}
