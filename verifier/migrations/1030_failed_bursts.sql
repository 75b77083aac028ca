-- Logins that were refused a moment ago: the keyed hash of where they came from, and the account that
-- the browser had shown to be its own, where there was one. Kept for ten minutes.
CREATE TABLE risk_failures (
    login_id   TEXT   NOT NULL PRIMARY KEY,
    at         BIGINT NOT NULL,
    address    BIGINT NOT NULL,
    subject_id TEXT
);
CREATE INDEX risk_failures_address ON risk_failures (address, at);
CREATE INDEX risk_failures_subject ON risk_failures (subject_id, at);
CREATE INDEX risk_failures_age ON risk_failures (at);
