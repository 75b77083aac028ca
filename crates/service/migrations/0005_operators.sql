-- People of the organisation who sign in to a console. Rows are never deleted: the audit log names them.
CREATE TABLE operator (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    role TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    disabled_at BIGINT
);
-- public_key is a COSE_Key. backup_eligible never changes (WebAuthn Level 3, section 7.2).
CREATE TABLE operator_passkey (
    id TEXT PRIMARY KEY,
    operator_id TEXT NOT NULL,
    credential_id BYTEA NOT NULL UNIQUE,
    public_key BYTEA NOT NULL,
    sign_count BIGINT NOT NULL,
    backup_eligible BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    used_at BIGINT
);
CREATE INDEX operator_passkey_operator ON operator_passkey (operator_id);
-- secret_hash: SHA-256 of the cookie. seen_at moves while the session is used.
CREATE TABLE operator_session (
    id TEXT PRIMARY KEY,
    operator_id TEXT NOT NULL,
    secret_hash TEXT NOT NULL UNIQUE,
    method TEXT NOT NULL,
    signed_in_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    ended_at BIGINT
);
CREATE INDEX operator_session_operator ON operator_session (operator_id);
CREATE INDEX operator_session_expires ON operator_session (expires_at);
-- Single-use objects, of the same shape as in 0001: links of invitations, challenges of passkeys.
CREATE TABLE operator_invitation (
    secret_hash TEXT PRIMARY KEY,
    payload BYTEA NOT NULL,
    family TEXT NOT NULL,
    failures BIGINT NOT NULL DEFAULT 0,
    expires_at BIGINT NOT NULL,
    used_at BIGINT
);
CREATE INDEX operator_invitation_expires ON operator_invitation (expires_at);
CREATE INDEX operator_invitation_family ON operator_invitation (family);
CREATE TABLE operator_challenge (
    secret_hash TEXT PRIMARY KEY,
    payload BYTEA NOT NULL,
    family TEXT NOT NULL,
    failures BIGINT NOT NULL DEFAULT 0,
    expires_at BIGINT NOT NULL,
    used_at BIGINT
);
CREATE INDEX operator_challenge_expires ON operator_challenge (expires_at);
CREATE INDEX operator_challenge_family ON operator_challenge (family);
