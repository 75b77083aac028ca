-- Authenticator apps of people (RFC 6238): one for each account. The secret is sealed. `last_step` is the time step
-- of the last code that was accepted: neither it nor one before it is accepted again.
CREATE TABLE account_authenticators (
    subject_id TEXT   NOT NULL PRIMARY KEY,
    id         TEXT   NOT NULL UNIQUE,
    secret     BYTEA  NOT NULL,
    last_step  BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    used_at    BIGINT
);

-- Wrong codes in a row, for any account, with an app or without one, and until when no more are looked at.
CREATE TABLE authenticator_guesses (
    subject_id TEXT   NOT NULL PRIMARY KEY,
    wrong      BIGINT NOT NULL,
    last_at    BIGINT NOT NULL,
    wait_until BIGINT NOT NULL
);
CREATE INDEX authenticator_guesses_age ON authenticator_guesses (last_at);
