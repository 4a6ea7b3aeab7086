-- Mail: secret addresses of people and visits, whose mail is believed, what came in, how far mailboxes were read.

CREATE TABLE mail_address (
    id TEXT PRIMARY KEY NOT NULL,
    person_id TEXT NOT NULL REFERENCES person (id),
    visit_id TEXT REFERENCES visit (id),
    local_part TEXT NOT NULL,
    -- SHA-256 of the local part: looked up by, so that no comparison of secrets stops at the first wrong letter.
    hash TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    retired_at BIGINT
);
CREATE UNIQUE INDEX mail_address_hash ON mail_address (hash);
CREATE INDEX mail_address_person ON mail_address (person_id, created_at);

-- Senders a person's mail may come from, besides person.email.
CREATE TABLE mail_sender (
    person_id TEXT NOT NULL REFERENCES person (id),
    address TEXT NOT NULL,
    added_by TEXT NOT NULL REFERENCES person (id),
    added_at BIGINT NOT NULL,
    PRIMARY KEY (person_id, address)
);

CREATE TABLE mail_message (
    id TEXT PRIMARY KEY NOT NULL,
    capture_id TEXT NOT NULL REFERENCES capture (id),
    owner_id TEXT NOT NULL REFERENCES person (id),
    address_id TEXT REFERENCES mail_address (id),
    way TEXT NOT NULL,
    -- SHA-256 of the message without trace headers: the same for every copy of it, whichever way each took.
    content_hash TEXT NOT NULL,
    envelope_sender TEXT,
    header_from TEXT,
    subject TEXT,
    message_id TEXT,
    sent_at BIGINT,
    peer TEXT,
    hello TEXT,
    is_encrypted BIGINT NOT NULL,
    evidence TEXT NOT NULL,
    -- Why it waits, or NULL when it was believed.
    doubt TEXT,
    received_at BIGINT NOT NULL,
    decision TEXT,
    decided_by TEXT REFERENCES person (id),
    decided_at BIGINT
);
CREATE UNIQUE INDEX mail_message_owner_content ON mail_message (owner_id, content_hash);
CREATE INDEX mail_message_capture ON mail_message (capture_id);
CREATE INDEX mail_message_waiting ON mail_message (owner_id, decision, received_at);

-- How far each configured mailbox was read.
CREATE TABLE mail_account (
    name TEXT PRIMARY KEY NOT NULL,
    mailbox TEXT NOT NULL,
    uid_validity BIGINT,
    -- Every UID below was dealt with.
    uid_next BIGINT,
    taken BIGINT NOT NULL,
    polled_at BIGINT,
    error TEXT,
    error_at BIGINT
);

-- Webhook deliveries seen within the replay window.
CREATE TABLE webhook_nonce (
    provider TEXT NOT NULL,
    nonce TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (provider, nonce)
);
CREATE INDEX webhook_nonce_at ON webhook_nonce (at);
