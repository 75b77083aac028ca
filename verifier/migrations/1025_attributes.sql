-- What the service knows about a person who wants it to. `body` is sealed: value, issuer, purpose.
CREATE TABLE account_attributes (
    id          TEXT   NOT NULL PRIMARY KEY,
    subject_id  TEXT   NOT NULL,
    name        TEXT   NOT NULL,
    source      TEXT   NOT NULL CHECK (source IN ('self', 'upstream', 'wallet')),
    rank        BIGINT NOT NULL,
    body        BYTEA  NOT NULL,
    verified_at BIGINT NOT NULL,
    agreed_at   BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL,
    UNIQUE (subject_id, name)
);
CREATE INDEX account_attributes_expiry ON account_attributes (expires_at);

-- What a person did not want to say, and when.
CREATE TABLE account_refusals (
    subject_id TEXT   NOT NULL,
    name       TEXT   NOT NULL,
    refused_at BIGINT NOT NULL,
    PRIMARY KEY (subject_id, name)
);

-- How often a person logged in.
CREATE TABLE account_logins (
    subject_id TEXT   NOT NULL PRIMARY KEY,
    logins     BIGINT NOT NULL
);
