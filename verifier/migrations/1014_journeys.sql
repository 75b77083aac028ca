-- A login that a journey leads is written at each of its turns: `turn` lets one writer win. `journey` names
-- it for the counters.
ALTER TABLE login_transactions ADD COLUMN turn BIGINT NOT NULL DEFAULT 0;
ALTER TABLE login_transactions ADD COLUMN journey TEXT;

-- The texts that runs belong to, by their SHA-256.
CREATE TABLE journey_texts (
    hash    TEXT   NOT NULL PRIMARY KEY,
    body    TEXT   NOT NULL,
    used_at BIGINT NOT NULL
);

-- What runs did, by the reference that people are told: rules and outcomes, no values.
CREATE TABLE journey_traces (
    login_id  TEXT   NOT NULL PRIMARY KEY,
    reference TEXT   NOT NULL,
    journey   TEXT   NOT NULL,
    hash      TEXT   NOT NULL,
    outcome   TEXT   NOT NULL,
    trace     TEXT   NOT NULL,
    ended_at  BIGINT NOT NULL
);
CREATE INDEX journey_traces_reference ON journey_traces (reference);
CREATE INDEX journey_traces_ended ON journey_traces (ended_at);
