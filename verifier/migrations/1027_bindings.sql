-- Keyed hashes of what cards said at enrolment, with consent: who lost everything else is known again by
-- them. They rest on what was agreed to with `client_id` about the question `about`.
CREATE TABLE account_bindings (
    subject_id TEXT   NOT NULL,
    name       TEXT   NOT NULL,
    value_mac  TEXT   NOT NULL,
    client_id  TEXT   NOT NULL,
    about      TEXT   NOT NULL,
    bound_at   BIGINT NOT NULL,
    PRIMARY KEY (subject_id, name)
);
