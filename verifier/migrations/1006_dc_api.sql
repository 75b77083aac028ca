-- A question may go out over the Digital Credentials API. The list of channels stands in a check of
-- the column, so the table is made anew; its rows live for minutes and come along.
CREATE TABLE presentation_requests_1006 (
    id             TEXT   NOT NULL PRIMARY KEY,
    transaction_id TEXT   NOT NULL,
    channel        TEXT   NOT NULL CHECK (channel IN ('same_device', 'qr', 'dc_api')),
    secrets        BYTEA  NOT NULL,
    created_at     BIGINT NOT NULL,
    fetch_until    BIGINT NOT NULL,
    fetched_at     BIGINT,
    expires_at     BIGINT NOT NULL
);
INSERT INTO presentation_requests_1006 (id, transaction_id, channel, secrets, created_at, fetch_until, fetched_at, expires_at)
    SELECT id, transaction_id, channel, secrets, created_at, fetch_until, fetched_at, expires_at FROM presentation_requests;
DROP TABLE presentation_requests;
ALTER TABLE presentation_requests_1006 RENAME TO presentation_requests;
CREATE INDEX presentation_requests_transaction ON presentation_requests (transaction_id, channel, created_at);
CREATE INDEX presentation_requests_expiry ON presentation_requests (expires_at);
