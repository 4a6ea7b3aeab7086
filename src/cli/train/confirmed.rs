//! What reviewers confirmed, as labelled documents.

use anyhow::Context as _;

use crate::{
    app::App,
    cli::eval::{document::Document, labels::Label},
    extract::Material,
    store::{learning, readings, receipts::ReceiptRow},
};

/// Receipts taken from the database at a time.
const PAGE: i64 = 200;
/// Receipts learned from; the newest are the last by id and all fit in memory.
const MOST: usize = 20_000;

/// Every confirmed receipt that was seen singly, with what was read of it. Values are what stands on the paper (fields),
/// never what was approved of it (decisions).
pub async fn documents(app: &App) -> anyhow::Result<Vec<Document>> {
    let mut tx = app.db.read().await?;
    let mut out = Vec::new();
    let mut after = String::new();
    while out.len() < MOST {
        let rows = learning::list_confirmed(&mut tx, &after, PAGE).await?;
        let Some(last) = rows.last() else { break };
        after = last.id.as_str().to_owned();
        for row in rows {
            let Some(reading_id) = &row.reading_id else { continue };
            let reading = readings::find(&mut tx, reading_id)
                .await?
                .with_context(|| format!("reading `{reading_id}` of receipt `{}` is missing", row.id))?;
            let material = Material { pages: reading.pages.0, codes: reading.codes.0, ..Material::default() };
            out.push(document(&row, material));
        }
    }
    Ok(out)
}

fn document(row: &ReceiptRow, material: Material) -> Document {
    let label = Label {
        file: Some(row.id.as_str().to_owned()),
        merchant: row.merchant.clone(),
        date: row.issued_on,
        total: row.total.as_deref().and_then(|text| text.parse().ok()),
        currency: row.currency,
        invoice_number: row.invoice_number.clone(),
        ..Label::default()
    };
    Document {
        source: "confirmed".to_owned(),
        label,
        shown: Vec::new(),
        receipts: vec![material],
        seconds: 0.0,
        is_transcript: false,
        engine: None,
    }
}
