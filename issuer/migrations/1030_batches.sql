-- Tables of persons that were uploaded: how far their offers are.
CREATE TABLE issuer_batches (
    id              TEXT   NOT NULL PRIMARY KEY,
    credential_type TEXT   NOT NULL,
    size            BIGINT NOT NULL,
    author          TEXT   NOT NULL,
    created_at      BIGINT NOT NULL
);
CREATE TABLE issuer_batch_offers (
    batch_id TEXT NOT NULL REFERENCES issuer_batches (id),
    offer_id TEXT NOT NULL REFERENCES issuer_offers (id),
    PRIMARY KEY (batch_id, offer_id)
);
