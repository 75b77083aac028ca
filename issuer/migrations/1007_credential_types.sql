-- Credential types that came over REST. A version is never changed: offers refer to it.
CREATE TABLE issuer_credential_types (
    id         TEXT   NOT NULL,
    version    BIGINT NOT NULL,
    definition TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (id, version)
);
-- The version of its type that an offer was made with; 0 is that of a file.
ALTER TABLE issuer_offers ADD COLUMN type_version BIGINT NOT NULL DEFAULT 0;
