//! Exact values out of structured data: what a document says of itself, not what was recognised from its picture.

use serde::{Deserialize, Serialize};

use super::{field::text_enum, page::Quad};

text_enum! {
    /// Which kind of structure a value comes from.
    StructuredSource {
        /// 数电票 XML (root `EInvoice`).
        EInvoiceXml = "einvoice_xml",
        /// `original_invoice.xml` inside an OFD.
        OfdInvoice = "ofd_invoice",
        /// Custom tags of an OFD that point at text on its pages.
        OfdTag = "ofd_tag",
        /// The list of custom data in an OFD's entry document.
        OfdInfo = "ofd_info",
        /// Rail or air XBRL inside a PDF or OFD.
        Xbrl = "xbrl",
        /// UN/CEFACT Cross Industry Invoice (ZUGFeRD, Factur-X, XRechnung).
        Cii = "cii",
        /// OASIS UBL invoice (XRechnung, Peppol).
        Ubl = "ubl",
        /// Custom keys of a PDF's information dictionary.
        PdfInfo = "pdf_info",
        /// schema.org JSON-LD in HTML.
        JsonLd = "json_ld",
        /// schema.org microdata in HTML.
        Microdata = "microdata",
        /// Headers of a mail, and links in its text or in HTML (name `link`; kept and shown, never followed by the reader).
        Mail = "mail",
        /// Events of a calendar attachment: the trip around the receipt.
        Calendar = "calendar",
        /// A wallet pass: boarding pass, ticket, card.
        Pass = "pass",
    }
}

impl StructuredSource {
    /// Whether it tells of the trip around a receipt, and not of the receipt.
    pub const fn is_of_the_trip(self) -> bool {
        matches!(self, Self::Calendar | Self::Pass)
    }
}

/// One exact value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StructuredValue {
    /// Which structure said it.
    pub source: StructuredSource,
    /// The field it fills, by the text of [`FieldKey`](super::field::FieldKey) (`total`, `issued_on` …), or the
    /// structure's own name for what is no field (`train_number`).
    pub name: String,
    /// Its text; canonical (ISO date, decimal with a point) when `name` is a field.
    pub text: String,
    /// 0-based page the value is also printed on, when that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<u32>,
    /// Where it is printed there, in page pixels.
    #[serde(rename = "box", default, skip_serializing_if = "Option::is_none")]
    pub quad: Option<Quad>,
}
