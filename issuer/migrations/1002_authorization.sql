-- What belongs to one authorization: an access token, a refresh token and what follows from it.
-- A code or a refresh token that is used twice revokes its family.
ALTER TABLE issuer_access_tokens ADD COLUMN family TEXT;
CREATE INDEX issuer_access_tokens_family ON issuer_access_tokens (family);
-- The credential configurations that were granted with `authorization_details`, separated by a
-- space; none: the token goes without credential identifiers.
ALTER TABLE issuer_access_tokens ADD COLUMN details TEXT;

-- Refresh tokens, 30 days however often they are used. One that is bound to a key stays the same,
-- any other is used once. The claims are sealed under a key derived from the token.
CREATE TABLE issuer_refresh_tokens (
    token_hash      BYTEA  NOT NULL PRIMARY KEY,
    family          TEXT   NOT NULL,
    offer_id        TEXT   NOT NULL REFERENCES issuer_offers (id),
    credential_type TEXT   NOT NULL,
    record_id       TEXT   NOT NULL,
    client_id       TEXT,
    dpop_jkt        TEXT,
    instance        TEXT,
    details         TEXT,
    claims_sealed   BYTEA  NOT NULL,
    expires_at      BIGINT NOT NULL,
    used_at         BIGINT,
    revoked_at      BIGINT
);
CREATE INDEX issuer_refresh_tokens_expiry ON issuer_refresh_tokens (expires_at);
CREATE INDEX issuer_refresh_tokens_family ON issuer_refresh_tokens (family);
CREATE INDEX issuer_refresh_tokens_offer ON issuer_refresh_tokens (offer_id);

-- An offer may be redeemed more than once.
ALTER TABLE issuer_offers ADD COLUMN redemptions BIGINT NOT NULL DEFAULT 1;
ALTER TABLE issuer_offers ADD COLUMN redeemed BIGINT NOT NULL DEFAULT 0;
UPDATE issuer_offers SET redeemed = 1 WHERE redeemed_at IS NOT NULL;
-- A keyed hash of a long one-time code: who types it finds the offer without a link.
ALTER TABLE issuer_offers ADD COLUMN code_lookup BYTEA;
CREATE UNIQUE INDEX issuer_offers_code_lookup ON issuer_offers (code_lookup);
