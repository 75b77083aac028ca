-- Who operators are at an OpenID Provider. A pair of issuer and subject is one person for good
-- (OpenID Connect Core 1.0, section 2).
CREATE TABLE operator_identity (
    issuer TEXT NOT NULL,
    subject TEXT NOT NULL,
    operator_id TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (issuer, subject)
);
CREATE INDEX operator_identity_operator ON operator_identity (operator_id);
