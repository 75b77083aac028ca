-- When the organisation ends a credential before its signed end, and what replaced it.
ALTER TABLE issuer_credentials ADD COLUMN ends_at BIGINT;
ALTER TABLE issuer_credentials ADD COLUMN superseded_by TEXT;
CREATE INDEX issuer_credentials_ends ON issuer_credentials (ends_at) WHERE ends_at IS NOT NULL;
-- The credential in whose place an offer was made.
ALTER TABLE issuer_offers ADD COLUMN renews TEXT;
CREATE INDEX issuer_offers_renews ON issuer_offers (renews) WHERE renews IS NOT NULL;
-- What a status list is made of: with the new ways to end, everything that is not valid.
DROP INDEX issuer_credentials_not_valid;
CREATE INDEX issuer_credentials_not_valid ON issuer_credentials (list_id, status, idx)
    WHERE status <> 'valid';
