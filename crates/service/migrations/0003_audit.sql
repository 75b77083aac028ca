-- What operators and systems of the organisation did, in a chain: `hash` is a MAC over the row and
-- the MAC before it. Rows are never changed and never deleted.
CREATE TABLE audit_event (
    seq BIGINT PRIMARY KEY,
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    target TEXT NOT NULL,
    detail TEXT NOT NULL,
    hash BYTEA NOT NULL
);
CREATE INDEX audit_event_target ON audit_event (target, seq);
