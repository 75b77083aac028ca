-- Applications that registered by themselves (RFC 7591). `metadata` is what holds, as JSON.
CREATE TABLE registered_clients (
    id           TEXT    NOT NULL PRIMARY KEY,
    metadata     TEXT    NOT NULL,
    secret_hash  TEXT,
    -- The registration access token (RFC 7592).
    token_hash   TEXT    NOT NULL UNIQUE,
    -- The initial access token that it came with; NULL: it came without one.
    initial_token TEXT,
    created_at   BIGINT  NOT NULL,
    updated_at   BIGINT  NOT NULL
);
CREATE INDEX registered_clients_age ON registered_clients (created_at);
-- Of an application that is removed everything is ended by its id.
CREATE INDEX access_tokens_client ON access_tokens (client_id);
CREATE INDEX refresh_grants_client ON refresh_grants (client_id);
CREATE INDEX session_clients_client ON session_clients (client_id);

-- Initial access tokens.
CREATE TABLE registration_tokens (
    id         TEXT   NOT NULL PRIMARY KEY,
    name       TEXT   NOT NULL,
    token_hash TEXT   NOT NULL UNIQUE,
    uses_left  BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX registration_tokens_expiry ON registration_tokens (expires_at);

-- Applications that the operator stopped: registered ones and those that a document describes.
CREATE TABLE disabled_clients (
    client_id   TEXT   NOT NULL PRIMARY KEY,
    disabled_at BIGINT NOT NULL
);
