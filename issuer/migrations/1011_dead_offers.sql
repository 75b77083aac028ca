-- The offers whose claims are to be forgotten, found without a look at the others: those whose time
-- is over, and those whose typed code was wrong too often.
CREATE INDEX issuer_offers_to_forget ON issuer_offers (expires_at)
    WHERE claims_sealed IS NOT NULL;
CREATE INDEX issuer_offers_tried ON issuer_offers (tries)
    WHERE claims_sealed IS NOT NULL AND code_hash IS NOT NULL;
