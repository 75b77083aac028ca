-- Logins that somebody has said of how they were, under a key, for as long as the session can last. What was
-- said is not kept here.
CREATE TABLE satisfaction_answers (
    login      TEXT   NOT NULL PRIMARY KEY,
    expires_at BIGINT NOT NULL
);
CREATE INDEX satisfaction_answers_expires ON satisfaction_answers (expires_at);

-- Failures are kept within bounds by their number alone: nothing reads them by code.
DROP INDEX login_failures_code;
