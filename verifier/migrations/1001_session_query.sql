-- The question that the person answered. A session answers no other one; one from before this
-- column answers none.
ALTER TABLE login_sessions ADD COLUMN query_id TEXT NOT NULL DEFAULT '';
