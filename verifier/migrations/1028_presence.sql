-- The days, since 1970, on which somebody of an account last logged in and the time before. They say how
-- many people came back, and are emptied when nobody has logged in for a month.
ALTER TABLE subjects ADD COLUMN last_day BIGINT;
ALTER TABLE subjects ADD COLUMN day_before BIGINT;
CREATE INDEX subjects_last_day ON subjects (last_day);

-- Failures of one code, so that their number can be kept within bounds.
CREATE INDEX login_failures_code ON login_failures (code, failed_at);
