-- What happens after a credential was asked for.

-- An offer that the organisation looks at once more before it issues: waiting, approved, denied.
-- Nothing where there is nothing to decide.
ALTER TABLE issuer_offers ADD COLUMN decision TEXT;

-- Credentials of one response share a notification_id (OpenID4VCI 1.0, section 11). `event` is
-- what the wallet last said it did with them.
ALTER TABLE issuer_credentials ADD COLUMN notification_id TEXT;
ALTER TABLE issuer_credentials ADD COLUMN event TEXT;
ALTER TABLE issuer_credentials ADD COLUMN event_at BIGINT;
CREATE INDEX issuer_credentials_notification ON issuer_credentials (notification_id)
    WHERE notification_id IS NOT NULL;

-- Requests that wait for a decision (section 9). Keys and claims are sealed under a key derived
-- from the transaction_id, so the database and the service's key together cannot read them. They
-- are emptied when the credentials are issued or the offer is denied.
CREATE TABLE issuer_transactions (
    transaction_hash BYTEA  NOT NULL PRIMARY KEY,
    offer_id         TEXT   NOT NULL REFERENCES issuer_offers (id),
    credential_type  TEXT   NOT NULL,
    order_sealed     BYTEA,
    next_poll_at     BIGINT NOT NULL,
    expires_at       BIGINT NOT NULL,
    done_at          BIGINT
);
CREATE INDEX issuer_transactions_offer ON issuer_transactions (offer_id);
CREATE INDEX issuer_transactions_expiry ON issuer_transactions (expires_at);
