-- What a device without a browser waits for (RFC 8628). `body` is sealed: what was asked for, and
-- once the person has logged in the code that brings the tokens.
CREATE TABLE device_grants (
    id          TEXT   NOT NULL PRIMARY KEY,
    device_hash TEXT   NOT NULL UNIQUE,
    user_hash   TEXT   NOT NULL UNIQUE,
    client_id   TEXT   NOT NULL,
    state       TEXT   NOT NULL CHECK (state IN ('waiting', 'claimed', 'approved', 'denied', 'redeemed')),
    body        BYTEA  NOT NULL,
    interval_s  BIGINT NOT NULL,
    polled_at   BIGINT,
    expires_at  BIGINT NOT NULL
);
CREATE INDEX device_grants_expiry ON device_grants (expires_at);

-- Codes that were typed from one network without being one of ours.
CREATE TABLE device_code_tries (
    network    TEXT   NOT NULL PRIMARY KEY,
    tries      BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX device_code_tries_expiry ON device_code_tries (expires_at);
