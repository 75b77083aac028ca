-- Wrong answers of persons, counted under a keyed hash of whom they are about or which browser gave
-- them.
CREATE TABLE issuer_tries (
    key BYTEA PRIMARY KEY,
    tries BIGINT NOT NULL,
    ends_at BIGINT NOT NULL
);
CREATE INDEX issuer_tries_ends ON issuer_tries (ends_at);
