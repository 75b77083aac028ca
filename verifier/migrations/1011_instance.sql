-- One row: how often the database was restored, what was drawn when it was (keys follow from it: one
-- copy can be restored twice), and when it was taken where it is a copy that nobody made fit for use yet.
CREATE TABLE verifier_instance (
    id          BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    epoch       BIGINT NOT NULL,
    salt        TEXT,
    snapshot_at BIGINT,
    CHECK (epoch = 0 OR salt IS NOT NULL)
);
INSERT INTO verifier_instance (id, epoch, snapshot_at) VALUES (1, 0, NULL);

-- Keys that came with an import and do not follow from the master secret of this instance, sealed
-- under it: every `sub`, every binding and the audit log go on under them.
CREATE TABLE verifier_keys (
    purpose TEXT  NOT NULL PRIMARY KEY,
    sealed  BYTEA NOT NULL
);
