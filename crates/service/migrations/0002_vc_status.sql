-- Bitstring Status Lists of the VC API. A list belongs to one issuer and one purpose; version
-- counts its changes, so that what was signed for an older one is not served again.
CREATE TABLE vc_status_list (
    id TEXT PRIMARY KEY,
    issuer TEXT NOT NULL,
    purpose TEXT NOT NULL,
    seq BIGINT NOT NULL,
    size BIGINT NOT NULL,
    version BIGINT NOT NULL DEFAULT 1,
    UNIQUE (issuer, purpose, seq)
);
-- credential_hash: SHA-256 of the credential's id; NULL where it has none and so cannot be found.
CREATE TABLE vc_status_entry (
    list_id TEXT NOT NULL,
    idx BIGINT NOT NULL,
    credential_hash TEXT,
    set_at BIGINT,
    PRIMARY KEY (list_id, idx)
);
CREATE UNIQUE INDEX vc_status_entry_credential ON vc_status_entry (credential_hash);
