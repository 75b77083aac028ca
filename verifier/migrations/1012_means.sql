-- What leads to an account: a card, a passkey, an account at another provider. All of them are rows of
-- one table; `claim_mac` is a keyed hash of what stays the same about it, never the value.
CREATE TABLE subject_means (
    id              TEXT   NOT NULL PRIMARY KEY,
    kind            TEXT   NOT NULL CHECK (kind IN ('credential', 'passkey', 'upstream')),
    framework       TEXT   NOT NULL,
    issuer          TEXT   NOT NULL,
    credential_type TEXT   NOT NULL,
    claim_mac       TEXT   NOT NULL,
    subject_id      TEXT   NOT NULL,
    created_at      BIGINT NOT NULL,
    UNIQUE (kind, framework, issuer, credential_type, claim_mac)
);
CREATE INDEX subject_means_subject ON subject_means (subject_id);
-- The hash covers all of the other columns, so it is unique by itself.
INSERT INTO subject_means (id, kind, framework, issuer, credential_type, claim_mac, subject_id, created_at)
    SELECT claim_mac, 'credential', framework, issuer, credential_type, claim_mac, subject_id, created_at
    FROM subject_bindings;
DROP TABLE subject_bindings;

-- Accounts that the organisation knew before: by its own id, which people also type to say who they
-- are. `identifier_mac` is its keyed hash; `external_id` is sealed.
CREATE TABLE account_identifiers (
    subject_id     TEXT   NOT NULL PRIMARY KEY,
    identifier_mac TEXT   NOT NULL UNIQUE,
    external_id    BYTEA  NOT NULL,
    locale         TEXT,
    created_at     BIGINT NOT NULL
);

-- Links that let somebody add a card to an account without being logged in, once.
CREATE TABLE account_invitations (
    code_hash  TEXT   NOT NULL PRIMARY KEY,
    subject_id TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at    BIGINT
);
CREATE INDEX account_invitations_subject ON account_invitations (subject_id);
CREATE INDEX account_invitations_expiry ON account_invitations (expires_at);
