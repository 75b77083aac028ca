-- When a wallet or a browser first looked at an offer.
ALTER TABLE issuer_offers ADD COLUMN opened_at BIGINT;
