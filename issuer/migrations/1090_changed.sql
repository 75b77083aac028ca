-- The credentials that are not valid, by status and newest first: what the console counts and lists.
CREATE INDEX issuer_credentials_status ON issuer_credentials (status, id) WHERE status <> 'valid';
