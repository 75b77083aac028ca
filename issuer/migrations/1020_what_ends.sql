-- An offer whose credential was revoked by hand is redeemed no more.
ALTER TABLE issuer_offers ADD COLUMN closed_at BIGINT;
-- Which redemption of its offer brought a credential: limits, suspension and revocation go by it.
ALTER TABLE issuer_credentials ADD COLUMN family TEXT;
-- Until when an access token brings what waits for a decision, where there are no refresh tokens;
-- for anything else it ends with `expires_at`.
ALTER TABLE issuer_access_tokens ADD COLUMN deferred_until BIGINT;
