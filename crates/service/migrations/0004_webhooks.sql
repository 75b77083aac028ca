-- Who is told of events. `secrets` is sealed: the signing secret, and the one before it while it
-- still signs. `events` holds names separated by spaces; empty means all.
CREATE TABLE webhook_endpoint (
    id TEXT PRIMARY KEY,
    url TEXT NOT NULL,
    events TEXT NOT NULL,
    secrets BYTEA NOT NULL,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    disabled_at BIGINT
);
-- What happened: ids and words, no claims. Written in the transaction in which it happened.
CREATE TABLE webhook_message (
    id TEXT PRIMARY KEY,
    event TEXT NOT NULL,
    body TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX webhook_message_created ON webhook_message (created_at);
-- A message on its way to one endpoint. `next_at` is NULL once it arrived or was given up.
CREATE TABLE webhook_delivery (
    message_id TEXT NOT NULL,
    endpoint_id TEXT NOT NULL,
    attempts BIGINT NOT NULL,
    next_at BIGINT,
    delivered_at BIGINT,
    last_result TEXT,
    PRIMARY KEY (message_id, endpoint_id)
);
CREATE INDEX webhook_delivery_due ON webhook_delivery (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX webhook_delivery_endpoint ON webhook_delivery (endpoint_id, message_id);
