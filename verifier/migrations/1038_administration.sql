-- Applications that administrators keep over REST. `settings` is what holds, as JSON, without a secret.
CREATE TABLE managed_clients (
    id            TEXT   NOT NULL PRIMARY KEY,
    settings      TEXT   NOT NULL,
    secret_hash   TEXT,
    -- The secret before the last one, for as long as it counts beside it.
    previous_hash TEXT,
    previous_until BIGINT,
    -- Another one with every change: the entity tag.
    revision      TEXT   NOT NULL,
    created_at    BIGINT NOT NULL,
    updated_at    BIGINT NOT NULL,
    -- It is gone; the row stays until its logout tokens are sent.
    removed_at    BIGINT
);
