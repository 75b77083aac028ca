-- What a status list is made of, and nothing else: a list is published from this index alone, and
-- a credential that is valid has no entry in it.
DROP INDEX issuer_credentials_not_valid;
CREATE INDEX issuer_credentials_not_valid ON issuer_credentials (list_id, status, idx)
    WHERE status IN ('suspended', 'revoked');
-- The lists that are to be signed again, found without a look at the others.
CREATE INDEX issuer_status_lists_dirty ON issuer_status_lists (seq)
    WHERE published_version < version;
CREATE INDEX issuer_status_lists_expiry ON issuer_status_lists (expires_at);
