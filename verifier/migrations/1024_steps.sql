-- What a run asks systems outside, once for each visit of a step: written before it is asked. `result` is
-- what came of it, without any value of a person.
CREATE TABLE journey_calls (
    login_id  TEXT   NOT NULL,
    step      TEXT   NOT NULL,
    visit     BIGINT NOT NULL,
    called_at BIGINT NOT NULL,
    result    TEXT,
    PRIMARY KEY (login_id, step, visit)
);
CREATE INDEX journey_calls_called ON journey_calls (called_at);

-- How often journeys were begun for an account today. `account` is a keyed hash of what names it, whether or
-- not there is such an account.
CREATE TABLE journey_starts (
    journey TEXT   NOT NULL,
    account TEXT   NOT NULL,
    day     BIGINT NOT NULL,
    starts  BIGINT NOT NULL,
    PRIMARY KEY (journey, account, day)
);
CREATE INDEX journey_starts_day ON journey_starts (day);

-- What people are told on their account page: what happened, where, and the reference of its login.
CREATE TABLE account_notices (
    id         TEXT   NOT NULL PRIMARY KEY,
    subject_id TEXT   NOT NULL,
    kind       TEXT   NOT NULL,
    client_id  TEXT   NOT NULL,
    reference  TEXT   NOT NULL,
    told_at    BIGINT NOT NULL
);
CREATE INDEX account_notices_subject ON account_notices (subject_id, told_at);
CREATE INDEX account_notices_told ON account_notices (told_at);

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
