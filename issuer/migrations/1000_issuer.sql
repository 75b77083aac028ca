-- The issuer's tables, one text for SQLite and PostgreSQL. Times are UNIX seconds.
-- Bearer secrets are kept as SHA-256 under a label of their kind; short codes that a
-- person types are hashed together with a 256-bit secret that is not in the database.

-- A subject record of the organisation. `record_hash` is a keyed hash, `record_sealed`
-- the organisation's own identifier under the service's key.
CREATE TABLE issuer_records (
    id            TEXT   NOT NULL PRIMARY KEY,
    record_hash   BYTEA  NOT NULL UNIQUE,
    record_sealed BYTEA  NOT NULL,
    created_at    BIGINT NOT NULL
);

-- What an organisation prepared for one person. `claims_sealed` is emptied when the
-- offer is redeemed or expires.
CREATE TABLE issuer_offers (
    id              TEXT   NOT NULL PRIMARY KEY,
    record_id       TEXT   NOT NULL REFERENCES issuer_records (id),
    credential_type TEXT   NOT NULL,
    grant_kind      TEXT   NOT NULL,
    reference_hash  BYTEA  NOT NULL UNIQUE,
    grant_hash      BYTEA  NOT NULL UNIQUE,
    code_hash       BYTEA,
    tries           BIGINT NOT NULL,
    claims_sealed   BYTEA,
    created_at      BIGINT NOT NULL,
    expires_at      BIGINT NOT NULL,
    redeemed_at     BIGINT
);
CREATE INDEX issuer_offers_expiry ON issuer_offers (expires_at);
CREATE INDEX issuer_offers_record ON issuer_offers (record_id);

-- Access tokens, five minutes. The claims are sealed under a key derived from the
-- token, so the database and the service's key together cannot read them.
CREATE TABLE issuer_access_tokens (
    token_hash      BYTEA  NOT NULL PRIMARY KEY,
    offer_id        TEXT   NOT NULL REFERENCES issuer_offers (id),
    credential_type TEXT   NOT NULL,
    record_id       TEXT   NOT NULL,
    client_id       TEXT,
    dpop_jkt        TEXT,
    claims_sealed   BYTEA  NOT NULL,
    expires_at      BIGINT NOT NULL,
    revoked_at      BIGINT
);
CREATE INDEX issuer_access_tokens_expiry ON issuer_access_tokens (expires_at);
CREATE INDEX issuer_access_tokens_offer ON issuer_access_tokens (offer_id);

-- Status lists. A list is dirty while `version` is ahead of `published_version`.
CREATE TABLE issuer_status_lists (
    id                TEXT   NOT NULL PRIMARY KEY,
    seq               BIGINT NOT NULL UNIQUE,
    size              BIGINT NOT NULL,
    version           BIGINT NOT NULL,
    published_version BIGINT NOT NULL,
    token             TEXT   NOT NULL,
    issued_at         BIGINT NOT NULL,
    expires_at        BIGINT NOT NULL
);

-- Issued credentials: no claim value, no credential. Rows are never deleted: the
-- unique index is what keeps a status index from being used twice, ever.
CREATE TABLE issuer_credentials (
    id                TEXT   NOT NULL PRIMARY KEY,
    offer_id          TEXT   NOT NULL,
    record_id         TEXT   NOT NULL REFERENCES issuer_records (id),
    credential_type   TEXT   NOT NULL,
    holder_key        TEXT   NOT NULL,
    list_id           TEXT   NOT NULL REFERENCES issuer_status_lists (id),
    idx               BIGINT NOT NULL,
    status            TEXT   NOT NULL,
    version           BIGINT NOT NULL,
    issued_at         BIGINT NOT NULL,
    expires_at        BIGINT NOT NULL,
    status_changed_at BIGINT NOT NULL,
    UNIQUE (list_id, idx)
);
CREATE INDEX issuer_credentials_record ON issuer_credentials (record_id, id);
CREATE INDEX issuer_credentials_offer ON issuer_credentials (offer_id, holder_key);
CREATE INDEX issuer_credentials_not_valid ON issuer_credentials (list_id, status);
