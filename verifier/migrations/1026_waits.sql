-- Runs that wait until a time, and whom they can be cancelled by until they go on: once one or the other.
CREATE TABLE journey_holds (
    login_id     TEXT   NOT NULL PRIMARY KEY,
    subject_id   TEXT   NOT NULL,
    client_id    TEXT   NOT NULL,
    ends_at      BIGINT NOT NULL,
    resumed_at   BIGINT,
    cancelled_at BIGINT
);
CREATE INDEX journey_holds_subject ON journey_holds (subject_id, ends_at);
CREATE INDEX journey_holds_ends ON journey_holds (ends_at);
