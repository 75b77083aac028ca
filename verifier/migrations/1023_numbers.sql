-- What was counted, by the hour: one row for each combination of labels. No label is of a person.
CREATE TABLE login_numbers (
    at_hour BIGINT NOT NULL,
    what    TEXT   NOT NULL,
    journey TEXT   NOT NULL,
    stage   TEXT   NOT NULL,
    step    TEXT   NOT NULL,
    outcome TEXT   NOT NULL,
    channel TEXT   NOT NULL,
    method  TEXT   NOT NULL,
    client  TEXT   NOT NULL,
    seconds BIGINT NOT NULL,
    n       BIGINT NOT NULL,
    PRIMARY KEY (at_hour, what, journey, stage, step, outcome, channel, method, client, seconds)
);

-- Events, as the log has them, where that is configured.
CREATE TABLE login_events (
    id   TEXT   NOT NULL PRIMARY KEY,
    at   BIGINT NOT NULL,
    body TEXT   NOT NULL
);
CREATE INDEX login_events_at ON login_events (at);

-- Why logins failed, by the reference that people are told. No value of a person.
CREATE TABLE login_failures (
    login_id    TEXT   NOT NULL PRIMARY KEY,
    reference   TEXT   NOT NULL,
    code        TEXT   NOT NULL,
    explanation TEXT   NOT NULL,
    failed_at   BIGINT NOT NULL
);
CREATE INDEX login_failures_reference ON login_failures (reference);
CREATE INDEX login_failures_at ON login_failures (failed_at);
