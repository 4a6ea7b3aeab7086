-- The whole data model of the house. Columns use the portable vocabulary only: TEXT ids (UUIDv7), BIGINT microseconds UTC,
-- TEXT `YYYY-MM-DD`, BIGINT minor units beside a currency, TEXT decimals, BIGINT 0/1, TEXT JSON, DOUBLE PRECISION probabilities.
-- migrations/sqlite and migrations/postgres hold the same tables; a test compares them.

-- Organisation, entities, units, people ------------------------------------------------------------------------------

CREATE TABLE organisation (
    id TEXT PRIMARY KEY NOT NULL,
    name TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    home_currency TEXT NOT NULL,
    languages TEXT NOT NULL,
    submits_automatically BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE legal_entity (
    id TEXT PRIMARY KEY NOT NULL,
    name TEXT NOT NULL,
    tax_id TEXT,
    country TEXT,
    home_currency TEXT,
    created_at BIGINT NOT NULL
);

CREATE TABLE unit (
    id TEXT PRIMARY KEY NOT NULL,
    legal_entity_id TEXT REFERENCES legal_entity (id),
    parent_id TEXT REFERENCES unit (id),
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE person (
    id TEXT PRIMARY KEY NOT NULL,
    user_name TEXT NOT NULL,
    display_name TEXT NOT NULL,
    email TEXT,
    password_hash TEXT NOT NULL,
    must_change_password BIGINT NOT NULL,
    language TEXT NOT NULL,
    disabled_at BIGINT,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX person_user_name ON person (user_name);

CREATE TABLE person_role (
    person_id TEXT NOT NULL REFERENCES person (id),
    role TEXT NOT NULL,
    PRIMARY KEY (person_id, role)
);

CREATE TABLE person_unit (
    person_id TEXT NOT NULL REFERENCES person (id),
    unit_id TEXT NOT NULL REFERENCES unit (id),
    PRIMARY KEY (person_id, unit_id)
);
CREATE INDEX person_unit_unit ON person_unit (unit_id);

CREATE TABLE token (
    id TEXT PRIMARY KEY NOT NULL,
    person_id TEXT NOT NULL REFERENCES person (id),
    name TEXT NOT NULL,
    hash TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    last_used_at BIGINT,
    revoked_at BIGINT
);
CREATE UNIQUE INDEX token_hash ON token (hash);
CREATE INDEX token_person ON token (person_id);

CREATE TABLE session (
    id TEXT PRIMARY KEY NOT NULL,
    person_id TEXT NOT NULL REFERENCES person (id),
    hash TEXT NOT NULL,
    csrf TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX session_hash ON session (hash);
CREATE INDEX session_person ON session (person_id);
CREATE INDEX session_expires_at ON session (expires_at);

-- Failed sign-ins per name and per address, for throttling.
CREATE TABLE sign_in_failure (
    id TEXT PRIMARY KEY NOT NULL,
    bucket TEXT NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX sign_in_failure_bucket ON sign_in_failure (bucket, at);

-- Customers and visits -----------------------------------------------------------------------------------------------

CREATE TABLE customer (
    id TEXT PRIMARY KEY NOT NULL,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    customer_type TEXT NOT NULL,
    external_id TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX customer_name_key ON customer (name_key);
CREATE UNIQUE INDEX customer_external_id ON customer (external_id);

CREATE TABLE visit (
    id TEXT PRIMARY KEY NOT NULL,
    customer_id TEXT NOT NULL REFERENCES customer (id),
    owner_id TEXT NOT NULL REFERENCES person (id),
    purpose TEXT NOT NULL,
    starts_at BIGINT NOT NULL,
    ends_at BIGINT,
    place TEXT,
    attendees TEXT NOT NULL,
    note TEXT,
    external_id TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX visit_owner ON visit (owner_id, starts_at);
CREATE INDEX visit_customer ON visit (customer_id, starts_at);
CREATE UNIQUE INDEX visit_external_id ON visit (external_id);

-- Documents, captures, readings --------------------------------------------------------------------------------------

CREATE TABLE document (
    id TEXT PRIMARY KEY NOT NULL,
    owner_id TEXT NOT NULL REFERENCES person (id),
    sha256 TEXT NOT NULL,
    size BIGINT NOT NULL,
    media_type TEXT NOT NULL,
    object_key TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    erased_at BIGINT
);
CREATE UNIQUE INDEX document_owner_sha256 ON document (owner_id, sha256);
CREATE UNIQUE INDEX document_object_key ON document (object_key);

CREATE TABLE capture (
    id TEXT PRIMARY KEY NOT NULL,
    owner_id TEXT NOT NULL REFERENCES person (id),
    captured_by TEXT NOT NULL REFERENCES person (id),
    channel TEXT NOT NULL,
    client_id TEXT,
    captured_at BIGINT,
    captured_offset_minutes BIGINT,
    place TEXT,
    note TEXT,
    visit_id TEXT REFERENCES visit (id),
    no_visit BIGINT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT,
    reason_detail TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX capture_client_id ON capture (owner_id, client_id);
CREATE INDEX capture_owner ON capture (owner_id, created_at);
CREATE INDEX capture_state ON capture (state, created_at);

CREATE TABLE capture_document (
    capture_id TEXT NOT NULL REFERENCES capture (id),
    document_id TEXT NOT NULL REFERENCES document (id),
    ordinal BIGINT NOT NULL,
    file_name TEXT,
    parent_document_id TEXT REFERENCES document (id),
    PRIMARY KEY (capture_id, document_id)
);
CREATE INDEX capture_document_document ON capture_document (document_id);

-- Replays of the API's Idempotency-Key.
CREATE TABLE idempotency (
    person_id TEXT NOT NULL REFERENCES person (id),
    idempotency_key TEXT NOT NULL,
    request_hash TEXT NOT NULL,
    response TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (person_id, idempotency_key)
);
CREATE INDEX idempotency_created_at ON idempotency (created_at);

CREATE TABLE reading (
    id TEXT PRIMARY KEY NOT NULL,
    capture_id TEXT NOT NULL REFERENCES capture (id),
    document_id TEXT NOT NULL REFERENCES document (id),
    engine TEXT NOT NULL,
    versions TEXT NOT NULL,
    pages TEXT NOT NULL,
    codes TEXT NOT NULL,
    structured TEXT NOT NULL,
    warnings TEXT NOT NULL,
    duration_ms BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX reading_capture ON reading (capture_id, created_at);

CREATE TABLE preview (
    reading_id TEXT NOT NULL REFERENCES reading (id),
    page BIGINT NOT NULL,
    document_id TEXT NOT NULL REFERENCES document (id),
    width BIGINT NOT NULL,
    height BIGINT NOT NULL,
    page_width BIGINT NOT NULL,
    page_height BIGINT NOT NULL,
    object_key TEXT NOT NULL,
    PRIMARY KEY (reading_id, page)
);
CREATE UNIQUE INDEX preview_object_key ON preview (object_key);

-- Receipts: what the paper says (field) apart from what people decide (decision) ---------------------------------------

CREATE TABLE submission (
    id TEXT PRIMARY KEY NOT NULL,
    owner_id TEXT NOT NULL REFERENCES person (id),
    title TEXT NOT NULL,
    from_on TEXT,
    to_on TEXT,
    created_at BIGINT NOT NULL
);
CREATE INDEX submission_owner ON submission (owner_id, created_at);

CREATE TABLE category (
    id TEXT PRIMARY KEY NOT NULL,
    code TEXT NOT NULL,
    name_en TEXT NOT NULL,
    name_zh TEXT NOT NULL,
    position BIGINT NOT NULL,
    is_active BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX category_code ON category (code);

CREATE TABLE receipt (
    id TEXT PRIMARY KEY NOT NULL,
    owner_id TEXT NOT NULL REFERENCES person (id),
    capture_id TEXT NOT NULL REFERENCES capture (id),
    reading_id TEXT REFERENCES reading (id),
    ordinal BIGINT NOT NULL,
    unit_id TEXT REFERENCES unit (id),
    submission_id TEXT REFERENCES submission (id),
    state TEXT NOT NULL,
    revision BIGINT NOT NULL,
    touched BIGINT NOT NULL,
    submitted_at BIGINT,
    decided_by TEXT REFERENCES person (id),
    decided_at BIGINT,
    reason TEXT,
    merged_into TEXT REFERENCES receipt (id),
    visit_id TEXT REFERENCES visit (id),
    no_visit BIGINT NOT NULL,
    evidence_kind TEXT,
    -- The current values (decided, else proposed), kept beside for lists, filters and duplicate findings.
    merchant TEXT,
    merchant_key TEXT,
    issued_on TEXT,
    total TEXT,
    total_minor BIGINT,
    currency TEXT,
    category_code TEXT,
    invoice_number TEXT,
    p_total_and_date DOUBLE PRECISION,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX receipt_capture_ordinal ON receipt (capture_id, ordinal);
CREATE INDEX receipt_owner ON receipt (owner_id, created_at);
CREATE INDEX receipt_queue ON receipt (state, submitted_at, id);
CREATE INDEX receipt_state_created ON receipt (state, created_at, id);
CREATE INDEX receipt_visit ON receipt (visit_id);
CREATE INDEX receipt_invoice_number ON receipt (invoice_number);
CREATE INDEX receipt_same_expense ON receipt (issued_on, total_minor, currency);

CREATE TABLE receipt_part (
    receipt_id TEXT NOT NULL REFERENCES receipt (id),
    document_id TEXT NOT NULL REFERENCES document (id),
    page BIGINT NOT NULL,
    region TEXT,
    role TEXT NOT NULL,
    PRIMARY KEY (receipt_id, document_id, page)
);
CREATE INDEX receipt_part_document ON receipt_part (document_id);

CREATE TABLE field (
    receipt_id TEXT NOT NULL REFERENCES receipt (id),
    reading_id TEXT NOT NULL REFERENCES reading (id),
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    p DOUBLE PRECISION NOT NULL,
    page BIGINT,
    box TEXT,
    evidence_text TEXT,
    source TEXT NOT NULL,
    reasons TEXT NOT NULL,
    alternatives TEXT NOT NULL,
    PRIMARY KEY (receipt_id, reading_id, key)
);

CREATE TABLE decision (
    id TEXT PRIMARY KEY NOT NULL,
    receipt_id TEXT NOT NULL REFERENCES receipt (id),
    revision BIGINT NOT NULL,
    key TEXT NOT NULL,
    value TEXT,
    decided_by TEXT NOT NULL REFERENCES person (id),
    decided_at BIGINT NOT NULL,
    manner TEXT NOT NULL,
    reading_id TEXT REFERENCES reading (id),
    proposed_value TEXT,
    proposed_p DOUBLE PRECISION
);
CREATE INDEX decision_receipt ON decision (receipt_id, revision);

-- Expenses -----------------------------------------------------------------------------------------------------------

CREATE TABLE export_batch (
    id TEXT PRIMARY KEY NOT NULL,
    format TEXT NOT NULL,
    created_by TEXT NOT NULL REFERENCES person (id),
    created_at BIGINT NOT NULL,
    object_key TEXT
);

CREATE TABLE expense (
    id TEXT PRIMARY KEY NOT NULL,
    receipt_id TEXT NOT NULL REFERENCES receipt (id),
    receipt_revision BIGINT NOT NULL,
    owner_id TEXT NOT NULL REFERENCES person (id),
    legal_entity_id TEXT REFERENCES legal_entity (id),
    unit_id TEXT REFERENCES unit (id),
    visit_id TEXT REFERENCES visit (id),
    merchant TEXT,
    issued_on TEXT,
    occurred_on TEXT,
    currency TEXT NOT NULL,
    total_minor BIGINT NOT NULL,
    approved_minor BIGINT NOT NULL,
    home_currency TEXT,
    home_minor BIGINT,
    rate TEXT,
    rate_on TEXT,
    rate_source TEXT,
    confirmed_by TEXT NOT NULL REFERENCES person (id),
    confirmed_at BIGINT NOT NULL,
    voided_at BIGINT,
    export_batch_id TEXT REFERENCES export_batch (id)
);
CREATE INDEX expense_receipt ON expense (receipt_id);
CREATE INDEX expense_owner ON expense (owner_id, issued_on);
CREATE INDEX expense_visit ON expense (visit_id);
CREATE INDEX expense_issued_on ON expense (issued_on);

CREATE TABLE expense_line (
    id TEXT PRIMARY KEY NOT NULL,
    expense_id TEXT NOT NULL REFERENCES expense (id),
    ordinal BIGINT NOT NULL,
    category_code TEXT NOT NULL,
    visit_id TEXT REFERENCES visit (id),
    description TEXT,
    quantity TEXT,
    unit_price TEXT,
    amount_minor BIGINT NOT NULL,
    tax_minor BIGINT
);
CREATE INDEX expense_line_expense ON expense_line (expense_id, ordinal);

CREATE TABLE expense_evidence (
    expense_id TEXT NOT NULL REFERENCES expense (id),
    receipt_id TEXT NOT NULL REFERENCES receipt (id),
    role TEXT NOT NULL,
    added_by TEXT NOT NULL REFERENCES person (id),
    added_at BIGINT NOT NULL,
    PRIMARY KEY (expense_id, receipt_id)
);
CREATE INDEX expense_evidence_receipt ON expense_evidence (receipt_id);

CREATE TABLE merchant_memory (
    merchant_key TEXT NOT NULL,
    category_code TEXT NOT NULL,
    merchant TEXT NOT NULL,
    times BIGINT NOT NULL,
    last_confirmed_at BIGINT NOT NULL,
    PRIMARY KEY (merchant_key, category_code)
);

-- Queue, journal, outbox ---------------------------------------------------------------------------------------------

CREATE TABLE job (
    id TEXT PRIMARY KEY NOT NULL,
    kind TEXT NOT NULL,
    payload TEXT NOT NULL,
    subject_id TEXT NOT NULL,
    owner_id TEXT,
    state TEXT NOT NULL,
    fair_order BIGINT NOT NULL,
    run_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    max_attempts BIGINT NOT NULL,
    fence BIGINT NOT NULL,
    lease_until BIGINT,
    lease_holder TEXT,
    last_reason TEXT,
    last_error TEXT,
    created_at BIGINT NOT NULL,
    finished_at BIGINT
);
CREATE INDEX job_claim ON job (state, fair_order, id);
CREATE INDEX job_lease ON job (state, lease_until);
CREATE INDEX job_subject ON job (subject_id, kind);

-- The last fair order given to each owner.
CREATE TABLE job_owner (
    owner_id TEXT PRIMARY KEY NOT NULL,
    last_order BIGINT NOT NULL
);
CREATE INDEX job_owner_last_order ON job_owner (last_order);

-- Leases of things only one process does at a time (sealing the journal, collecting objects).
CREATE TABLE lease (
    name TEXT PRIMARY KEY NOT NULL,
    holder TEXT NOT NULL,
    until BIGINT NOT NULL
);

CREATE TABLE journal (
    id TEXT PRIMARY KEY NOT NULL,
    at BIGINT NOT NULL,
    actor_id TEXT,
    manner TEXT NOT NULL,
    kind TEXT NOT NULL,
    subject_type TEXT NOT NULL,
    subject_id TEXT NOT NULL,
    body TEXT,
    salt TEXT,
    body_hash TEXT NOT NULL,
    seq BIGINT,
    hash TEXT
);
CREATE UNIQUE INDEX journal_seq ON journal (seq);
CREATE INDEX journal_subject ON journal (subject_id, id);

CREATE TABLE checkpoint (
    seq BIGINT PRIMARY KEY NOT NULL,
    hash TEXT NOT NULL,
    at BIGINT NOT NULL,
    public_key TEXT NOT NULL,
    signature TEXT NOT NULL
);

CREATE TABLE outbox (
    id TEXT PRIMARY KEY NOT NULL,
    kind TEXT NOT NULL,
    destination TEXT NOT NULL,
    payload TEXT NOT NULL,
    dedupe_key TEXT,
    state TEXT NOT NULL,
    attempts BIGINT NOT NULL,
    run_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    sent_at BIGINT
);
CREATE UNIQUE INDEX outbox_dedupe_key ON outbox (dedupe_key);
CREATE INDEX outbox_state ON outbox (state, run_at);
