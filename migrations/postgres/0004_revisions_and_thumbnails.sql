-- Edits of people, customers and visits name the revision they were made from; one made from an older one is refused.
ALTER TABLE person ADD COLUMN revision BIGINT NOT NULL DEFAULT 1;
ALTER TABLE customer ADD COLUMN revision BIGINT NOT NULL DEFAULT 1;
ALTER TABLE visit ADD COLUMN revision BIGINT NOT NULL DEFAULT 1;

-- A small picture of the page for lists; unset in readings made before there were any.
ALTER TABLE preview ADD COLUMN thumbnail_key TEXT;
CREATE INDEX preview_thumbnail_key ON preview (thumbnail_key);

-- Pages of stuck captures and dead jobs, newest first.
CREATE INDEX capture_state_created ON capture (state, created_at, id);
CREATE INDEX job_state_finished ON job (state, finished_at, id);
