-- OAuth clients of the administration interfaces: with a secret, of which a hash is kept, or with
-- public keys.
CREATE TABLE api_client (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    secret_hash TEXT,
    jwks TEXT,
    scopes TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    revoked_at BIGINT
);
-- Their access tokens, ten minutes.
CREATE TABLE api_token (
    token_hash TEXT PRIMARY KEY,
    client_id TEXT NOT NULL,
    scopes TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX api_token_expires ON api_token (expires_at);
