-- Whether the person agreed that the application goes on while they are away.
ALTER TABLE consents ADD COLUMN offline BOOLEAN NOT NULL DEFAULT FALSE;
