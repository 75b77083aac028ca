-- Streams of security events (Shared Signals Framework 1.0): one for each application that takes them.
-- `delivery` is sealed: the endpoint of the application and the secret that opens it.
CREATE TABLE event_streams (
    id          TEXT   NOT NULL PRIMARY KEY,
    client_id   TEXT   NOT NULL UNIQUE,
    events      TEXT   NOT NULL,
    pushed      BIGINT NOT NULL,
    delivery    BYTEA  NOT NULL,
    description TEXT,
    status      TEXT   NOT NULL CHECK (status IN ('enabled', 'paused', 'disabled')),
    reason      TEXT,
    verified_at BIGINT NOT NULL,
    created_at  BIGINT NOT NULL
);

-- Events that an application has not taken yet; the id is the `jti` of the token.
CREATE TABLE stream_events (
    id         TEXT   NOT NULL PRIMARY KEY,
    stream_id  TEXT   NOT NULL,
    event      TEXT   NOT NULL,
    attempts   BIGINT NOT NULL,
    due_at     BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX stream_events_order ON stream_events (stream_id, created_at, id);
CREATE INDEX stream_events_due ON stream_events (stream_id, due_at);
CREATE INDEX stream_events_age ON stream_events (created_at);

-- Access tokens of applications that manage their stream; nobody logged in for them.
CREATE TABLE receiver_tokens (
    token_hash TEXT   NOT NULL PRIMARY KEY,
    client_id  TEXT   NOT NULL,
    manage     BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX receiver_tokens_expiry ON receiver_tokens (expires_at);
