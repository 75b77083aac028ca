-- Passkeys of people. Each is a row of `subject_means`, which says whose it is; what is verified with it
-- stands here. `name` is what its owner calls it, sealed.
CREATE TABLE passkeys (
    means_id        TEXT    NOT NULL PRIMARY KEY,
    credential_id   BYTEA   NOT NULL UNIQUE,
    public_key      BYTEA   NOT NULL,
    sign_count      BIGINT  NOT NULL,
    backup_eligible BOOLEAN NOT NULL,
    backed_up       BOOLEAN NOT NULL,
    name            BYTEA   NOT NULL,
    used_at         BIGINT
);

-- What an account is called where its passkeys lie: random, and known to nobody else.
CREATE TABLE passkey_handles (
    subject_id  TEXT NOT NULL PRIMARY KEY,
    user_handle TEXT NOT NULL UNIQUE
);

-- What a passkey is to sign: one open challenge for each login and each session that adds one.
CREATE TABLE passkey_challenges (
    owner          TEXT   NOT NULL PRIMARY KEY,
    challenge_hash TEXT   NOT NULL,
    expires_at     BIGINT NOT NULL
);
CREATE INDEX passkey_challenges_expiry ON passkey_challenges (expires_at);

-- The cards that an account showed last, for each question: a passkey stands for them as long as they hold.
CREATE TABLE account_cards (
    subject_id      TEXT   NOT NULL,
    query_id        TEXT   NOT NULL,
    position        BIGINT NOT NULL,
    issuer          TEXT   NOT NULL,
    credential_type TEXT   NOT NULL,
    status_uri      TEXT,
    status_idx      BIGINT,
    expires_at      BIGINT,
    shown_at        BIGINT NOT NULL,
    PRIMARY KEY (subject_id, query_id, position)
);
CREATE INDEX account_cards_age ON account_cards (shown_at);
