-- Two papers that were proposed as one expense and that a reviewer said are two: asked once, not again at every change.
-- The smaller id stands first, so a pair has one row from whichever side it was decided.
CREATE TABLE kept_apart (
    first_receipt_id TEXT NOT NULL REFERENCES receipt (id),
    second_receipt_id TEXT NOT NULL REFERENCES receipt (id),
    decided_by TEXT NOT NULL REFERENCES person (id),
    decided_at BIGINT NOT NULL,
    PRIMARY KEY (first_receipt_id, second_receipt_id)
);
CREATE INDEX kept_apart_second_receipt ON kept_apart (second_receipt_id);
