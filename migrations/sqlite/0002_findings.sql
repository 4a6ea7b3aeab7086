-- What a receipt says of itself beyond its fields, for the checks of invoices: number in comparable form, seller, facts.
-- Duplicate numbers are indexes, never unique constraints: two people may file the same invoice, and that is a finding.
CREATE TABLE invoice (
    receipt_id TEXT PRIMARY KEY NOT NULL REFERENCES receipt (id),
    number_key TEXT,
    seller_key TEXT,
    original_key TEXT,
    facts TEXT NOT NULL
);
CREATE INDEX invoice_number_key ON invoice (number_key);
CREATE INDEX invoice_seller_key ON invoice (seller_key, number_key);
CREATE INDEX invoice_original_key ON invoice (original_key);

-- Findings stand for the receipt as it is now: they are replaced whenever it changes.
CREATE TABLE finding (
    receipt_id TEXT NOT NULL REFERENCES receipt (id),
    ordinal BIGINT NOT NULL,
    kind TEXT NOT NULL,
    severity TEXT NOT NULL,
    other_receipt_id TEXT REFERENCES receipt (id),
    detail TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (receipt_id, ordinal)
);
CREATE INDEX finding_other_receipt ON finding (other_receipt_id);

-- What the tax bureau said of an invoice; the latest counts.
CREATE TABLE verification (
    id TEXT PRIMARY KEY NOT NULL,
    number_key TEXT NOT NULL,
    invoice_code TEXT,
    outcome TEXT NOT NULL,
    checked_on TEXT NOT NULL,
    source TEXT NOT NULL,
    note TEXT,
    recorded_by TEXT REFERENCES person (id),
    recorded_at BIGINT NOT NULL
);
CREATE INDEX verification_number_key ON verification (number_key, recorded_at);
