-- Single-use objects. One table for each kind, all of the same shape:
-- the key is SHA-256 of the secret, the payload is sealed by the owner,
-- family names what must be revoked when the secret is used twice.
CREATE TABLE authorization_code (
    secret_hash TEXT PRIMARY KEY,
    payload BYTEA NOT NULL,
    family TEXT NOT NULL,
    failures BIGINT NOT NULL DEFAULT 0,
    expires_at BIGINT NOT NULL,
    used_at BIGINT
);
CREATE INDEX authorization_code_expires ON authorization_code (expires_at);
CREATE INDEX authorization_code_family ON authorization_code (family);
CREATE TABLE pre_authorized_code (
    secret_hash TEXT PRIMARY KEY,
    payload BYTEA NOT NULL,
    family TEXT NOT NULL,
    failures BIGINT NOT NULL DEFAULT 0,
    expires_at BIGINT NOT NULL,
    used_at BIGINT
);
CREATE INDEX pre_authorized_code_expires ON pre_authorized_code (expires_at);
CREATE INDEX pre_authorized_code_family ON pre_authorized_code (family);
CREATE TABLE pushed_request (
    secret_hash TEXT PRIMARY KEY,
    payload BYTEA NOT NULL,
    family TEXT NOT NULL,
    failures BIGINT NOT NULL DEFAULT 0,
    expires_at BIGINT NOT NULL,
    used_at BIGINT
);
CREATE INDEX pushed_request_expires ON pushed_request (expires_at);
CREATE INDEX pushed_request_family ON pushed_request (family);
CREATE TABLE response_code (
    secret_hash TEXT PRIMARY KEY,
    payload BYTEA NOT NULL,
    family TEXT NOT NULL,
    failures BIGINT NOT NULL DEFAULT 0,
    expires_at BIGINT NOT NULL,
    used_at BIGINT
);
CREATE INDEX response_code_expires ON response_code (expires_at);
CREATE INDEX response_code_family ON response_code (family);
CREATE TABLE refresh_token (
    secret_hash TEXT PRIMARY KEY,
    payload BYTEA NOT NULL,
    family TEXT NOT NULL,
    failures BIGINT NOT NULL DEFAULT 0,
    expires_at BIGINT NOT NULL,
    used_at BIGINT
);
CREATE INDEX refresh_token_expires ON refresh_token (expires_at);
CREATE INDEX refresh_token_family ON refresh_token (family);
CREATE TABLE browser_return (
    secret_hash TEXT PRIMARY KEY,
    payload BYTEA NOT NULL,
    family TEXT NOT NULL,
    failures BIGINT NOT NULL DEFAULT 0,
    expires_at BIGINT NOT NULL,
    used_at BIGINT
);
CREATE INDEX browser_return_expires ON browser_return (expires_at);
CREATE INDEX browser_return_family ON browser_return (family);

-- Identifiers that may be seen once: jti of proofs and assertions, hashes of consumed nonces.
CREATE TABLE seen_identifier (
    kind TEXT NOT NULL,
    hash TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (kind, hash)
);
CREATE INDEX seen_identifier_expires ON seen_identifier (expires_at);

-- Keys of the administration interfaces. The secret itself is shown once and not stored.
CREATE TABLE api_key (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    secret_hash TEXT NOT NULL UNIQUE,
    scopes TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    revoked_at BIGINT
);

-- Answers to requests that carried an idempotency key, sealed.
CREATE TABLE idempotency (
    owner TEXT NOT NULL,
    key_hash TEXT NOT NULL,
    request_hash TEXT NOT NULL,
    status BIGINT,
    response BYTEA,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (owner, key_hash)
);
CREATE INDEX idempotency_expires ON idempotency (expires_at);
