-- How unusual a login is for its account. Values are keyed hashes: no address and no browser is here.
-- One row for each login that succeeded, kept for six months; `folded` once it is in the counts.
CREATE TABLE risk_logins (
    id         TEXT   NOT NULL PRIMARY KEY,
    subject_id TEXT   NOT NULL,
    at         BIGINT NOT NULL,
    features   BYTEA  NOT NULL,
    device     BIGINT NOT NULL,
    place      BYTEA  NOT NULL,
    folded     BIGINT NOT NULL
);
CREATE INDEX risk_logins_subject ON risk_logins (subject_id, at);
CREATE INDEX risk_logins_folded ON risk_logins (folded, id);
CREATE INDEX risk_logins_age ON risk_logins (at);

-- Logins of everybody by value; level -1 holds totals.
CREATE TABLE risk_values (
    level     BIGINT NOT NULL,
    value     BIGINT NOT NULL,
    logins    BIGINT NOT NULL,
    seen_with BIGINT NOT NULL,
    PRIMARY KEY (level, value)
);

-- Logins by a finest value together with a coarser one of the same feature.
CREATE TABLE risk_pairs (
    level  BIGINT NOT NULL,
    finest BIGINT NOT NULL,
    coarse BIGINT NOT NULL,
    logins BIGINT NOT NULL,
    PRIMARY KEY (level, finest, coarse)
);

-- Counted logins of each account.
CREATE TABLE risk_accounts (
    subject_id TEXT   NOT NULL PRIMARY KEY,
    logins     BIGINT NOT NULL
);
