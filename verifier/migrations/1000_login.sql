-- The login service. One text for SQLite and PostgreSQL.
-- Times are seconds since 1970. Columns named `*_hash` hold SHA-256 digests of
-- random values; `body`, `claims` and `secrets` are sealed (AEAD) and unreadable from here.

-- One login of one browser at one application.
CREATE TABLE login_transactions (
    id           TEXT   NOT NULL PRIMARY KEY,
    browser_hash TEXT   NOT NULL,
    client_id    TEXT   NOT NULL,
    state        TEXT   NOT NULL CHECK (state IN ('pending', 'answered', 'finished', 'failed')),
    tries_left   BIGINT NOT NULL,
    body         BYTEA  NOT NULL,
    expires_at   BIGINT NOT NULL
);
CREATE INDEX login_transactions_expiry ON login_transactions (expires_at);

-- A question put to a wallet: one per channel, and a new one for each QR code shown.
CREATE TABLE presentation_requests (
    id             TEXT   NOT NULL PRIMARY KEY,
    transaction_id TEXT   NOT NULL,
    channel        TEXT   NOT NULL CHECK (channel IN ('same_device', 'qr')),
    secrets        BYTEA  NOT NULL,
    created_at     BIGINT NOT NULL,
    fetch_until    BIGINT NOT NULL,
    fetched_at     BIGINT,
    expires_at     BIGINT NOT NULL
);
CREATE INDEX presentation_requests_transaction ON presentation_requests (transaction_id, channel, created_at);
CREATE INDEX presentation_requests_expiry ON presentation_requests (expires_at);

CREATE TABLE access_tokens (
    token_hash TEXT   NOT NULL PRIMARY KEY,
    family     TEXT   NOT NULL,
    client_id  TEXT   NOT NULL,
    session_id TEXT   NOT NULL,
    claims     BYTEA  NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX access_tokens_expiry ON access_tokens (expires_at);
CREATE INDEX access_tokens_family ON access_tokens (family);
CREATE INDEX access_tokens_session ON access_tokens (session_id);

-- An account. Nothing about the person: bindings point here.
CREATE TABLE subjects (
    id         TEXT   NOT NULL PRIMARY KEY,
    created_at BIGINT NOT NULL
);

CREATE TABLE subject_bindings (
    framework       TEXT   NOT NULL,
    issuer          TEXT   NOT NULL,
    credential_type TEXT   NOT NULL,
    claim_mac       TEXT   NOT NULL,
    subject_id      TEXT   NOT NULL,
    created_at      BIGINT NOT NULL,
    PRIMARY KEY (framework, issuer, credential_type, claim_mac)
);
CREATE INDEX subject_bindings_subject ON subject_bindings (subject_id);

-- A live login. A guest's session has neither a subject nor a cookie.
CREATE TABLE login_sessions (
    id           TEXT   NOT NULL PRIMARY KEY,
    cookie_hash  TEXT   UNIQUE,
    subject_id   TEXT,
    auth_time    BIGINT NOT NULL,
    acr          TEXT   NOT NULL,
    amr          TEXT   NOT NULL,
    created_at   BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL,
    ended_at     BIGINT,
    ended_reason TEXT
);
CREATE INDEX login_sessions_subject ON login_sessions (subject_id);
CREATE INDEX login_sessions_expiry ON login_sessions (expires_at);

-- An application within a session; `sid` is what the application sees.
CREATE TABLE session_clients (
    sid        TEXT   NOT NULL PRIMARY KEY,
    session_id TEXT   NOT NULL,
    client_id  TEXT   NOT NULL,
    sub        TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (session_id, client_id)
);

-- Where the status of a card behind a session is published.
CREATE TABLE session_credentials (
    session_id      TEXT   NOT NULL,
    issuer          TEXT   NOT NULL,
    credential_type TEXT   NOT NULL,
    status_uri      TEXT   NOT NULL,
    status_idx      BIGINT NOT NULL,
    checked_at      BIGINT NOT NULL,
    PRIMARY KEY (session_id, status_uri, status_idx)
);
CREATE INDEX session_credentials_uri ON session_credentials (status_uri, session_id);

-- What a person agreed to: names of facts, never their values.
CREATE TABLE consents (
    id             TEXT   NOT NULL PRIMARY KEY,
    token_hash     TEXT   NOT NULL UNIQUE,
    transaction_id TEXT   NOT NULL,
    client_id      TEXT   NOT NULL,
    subject_id     TEXT,
    session_id     TEXT,
    claims         TEXT   NOT NULL,
    purpose        TEXT   NOT NULL,
    given_at       BIGINT NOT NULL,
    withdrawn_at   BIGINT
);
CREATE INDEX consents_subject ON consents (subject_id, given_at);
CREATE INDEX consents_session ON consents (session_id);
CREATE INDEX consents_transaction ON consents (transaction_id);

-- Back-channel logout tokens still to be delivered.
CREATE TABLE logout_deliveries (
    id         TEXT   NOT NULL PRIMARY KEY,
    client_id  TEXT   NOT NULL,
    sid        TEXT   NOT NULL,
    sub        TEXT   NOT NULL,
    attempts   BIGINT NOT NULL,
    due_at     BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX logout_deliveries_due ON logout_deliveries (due_at);
