-- A type is issued in several formats. What there is is SD-JWT VC.
ALTER TABLE issuer_credentials ADD COLUMN format TEXT NOT NULL DEFAULT 'dc+sd-jwt';
-- The same list as CWT, signed with it; none while no mdocs are issued.
ALTER TABLE issuer_status_lists ADD COLUMN cwt BYTEA;
