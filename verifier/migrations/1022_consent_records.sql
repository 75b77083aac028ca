-- What was shown and agreed to, sealed: an altered record does not open. Consents of before have none.
ALTER TABLE consents ADD COLUMN record BYTEA;
-- The question or step that asked, and the hash of what was shown.
ALTER TABLE consents ADD COLUMN about TEXT;
ALTER TABLE consents ADD COLUMN notice_hash TEXT;
ALTER TABLE consents ADD COLUMN expires_at BIGINT;
-- Whether it was given on a page of ours, and not with a card.
ALTER TABLE consents ADD COLUMN by_page BOOLEAN NOT NULL DEFAULT FALSE;
-- The epoch of the database in which it was given.
ALTER TABLE consents ADD COLUMN epoch BIGINT NOT NULL DEFAULT 0;
-- When it was withdrawn, ran out or was replaced.
ALTER TABLE consents ADD COLUMN over_at BIGINT;
UPDATE consents SET over_at = withdrawn_at WHERE withdrawn_at IS NOT NULL;
CREATE INDEX consents_ends ON consents (over_at, expires_at);
CREATE INDEX consents_same ON consents (subject_id, client_id, about, over_at);

-- The life of a consent; rows are only appended, and deleted with it.
CREATE TABLE consent_events (
    consent_id TEXT   NOT NULL,
    state      TEXT   NOT NULL,
    at         BIGINT NOT NULL,
    PRIMARY KEY (consent_id, state)
);
INSERT INTO consent_events (consent_id, state, at) SELECT id, 'given', given_at FROM consents;
INSERT INTO consent_events (consent_id, state, at) SELECT id, 'withdrawn', withdrawn_at FROM consents WHERE withdrawn_at IS NOT NULL;
