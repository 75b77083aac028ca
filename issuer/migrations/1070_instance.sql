-- Whose database this is. One row: the issuer's public address since first use, how often the
-- database was restored, what was drawn when it was (keys follow from it: one copy can be restored
-- twice), and when it was taken where it is a copy that nobody made fit for use yet.
CREATE TABLE issuer_instance (
    id          BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    url         TEXT,
    epoch       BIGINT NOT NULL,
    salt        TEXT,
    snapshot_at BIGINT,
    CHECK (epoch = 0 OR salt IS NOT NULL)
);
INSERT INTO issuer_instance (id, url, epoch, snapshot_at) VALUES (1, NULL, 0, NULL);
-- When a list came back from a copy. What was issued into it afterwards is not known any more: it
-- takes no new credentials, and places without a credential count as revoked.
ALTER TABLE issuer_status_lists ADD COLUMN restored_at BIGINT;
