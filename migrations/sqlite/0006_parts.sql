-- Documents found inside others (mail attachments, ZIP entries, PDF attachments), receipts of several documents, passwords.

ALTER TABLE capture_document ADD COLUMN relation TEXT;
ALTER TABLE capture_document ADD COLUMN reason TEXT;
ALTER TABLE capture_document ADD COLUMN reason_detail TEXT;
-- The capture that filed the same bytes before; this one drafts nothing from them.
ALTER TABLE capture_document ADD COLUMN filed_capture_id TEXT REFERENCES capture (id);

-- `position` is the page of the receipt: what a field's `page` means. A receipt of one document keeps the document's pages.
ALTER TABLE receipt_part ADD COLUMN position BIGINT NOT NULL DEFAULT 0;
ALTER TABLE receipt_part ADD COLUMN reading_id TEXT REFERENCES reading (id);
UPDATE receipt_part SET position = page;
UPDATE receipt_part SET reading_id = (SELECT receipt.reading_id FROM receipt WHERE receipt.id = receipt_part.receipt_id);

-- Parts that never became documents: of no type Vouch reads, or over a limit. Their bytes stay inside their parent.
CREATE TABLE refused_part (
    capture_id TEXT NOT NULL REFERENCES capture (id),
    ordinal BIGINT NOT NULL,
    parent_document_id TEXT NOT NULL REFERENCES document (id),
    file_name TEXT,
    reason TEXT NOT NULL,
    reason_detail TEXT,
    PRIMARY KEY (capture_id, ordinal)
);

-- What a person typed to open a document. The row goes in the transaction that ends the job, or after an hour.
CREATE TABLE document_password (
    capture_id TEXT NOT NULL REFERENCES capture (id),
    document_id TEXT NOT NULL REFERENCES document (id),
    password TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (capture_id, document_id)
);
CREATE INDEX document_password_created_at ON document_password (created_at);
