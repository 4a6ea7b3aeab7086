-- What a reading proposes for a receipt beyond single values: lines of what was bought, and tax per rate. TEXT JSON: they are
-- shown and compared as a whole, never searched by column.

CREATE TABLE breakdown (
    receipt_id TEXT NOT NULL REFERENCES receipt (id),
    reading_id TEXT NOT NULL REFERENCES reading (id),
    items TEXT NOT NULL,
    taxes TEXT NOT NULL,
    PRIMARY KEY (receipt_id, reading_id)
);
