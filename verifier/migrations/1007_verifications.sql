-- A question that an organisation puts over REST, without a login. `body` is sealed: the question,
-- its secrets, and once it was answered what the answer said. The row is deleted at `forget_at`.
CREATE TABLE verifications (
    id         TEXT   NOT NULL PRIMARY KEY,
    -- What stands in the QR code. Not the id: whoever sees the code learns nothing to ask with.
    request_id TEXT   NOT NULL UNIQUE,
    caller     TEXT   NOT NULL,
    state      TEXT   NOT NULL CHECK (state IN ('pending', 'answered', 'verified', 'failed')),
    body       BYTEA  NOT NULL,
    created_at BIGINT NOT NULL,
    fetched_at BIGINT,
    expires_at BIGINT NOT NULL,
    -- What the browser brings back to the organisation, and until when it counts.
    code_hash  TEXT,
    code_until BIGINT,
    forget_at  BIGINT NOT NULL
);
CREATE INDEX verifications_caller ON verifications (caller, state, expires_at);
CREATE INDEX verifications_forget ON verifications (forget_at);
