-- Changes of many credentials, carried out in the background in steps. A step is one transaction
-- that moves `cursor`: it happens once, whoever carries it out. `plan` is what is looked for, in
-- our own ids. `total` was counted when the job was made, `done` counts what it changed.
CREATE TABLE issuer_status_jobs (
    id          TEXT   NOT NULL PRIMARY KEY,
    action      TEXT   NOT NULL,
    plan        TEXT   NOT NULL,
    reason      TEXT   NOT NULL,
    tell_each   BOOLEAN NOT NULL,
    actor       TEXT   NOT NULL,
    state       TEXT   NOT NULL,
    cursor      TEXT   NOT NULL,
    total       BIGINT NOT NULL,
    done        BIGINT NOT NULL,
    created_at  BIGINT NOT NULL,
    started_at  BIGINT,
    finished_at BIGINT
);
CREATE INDEX issuer_status_jobs_open ON issuer_status_jobs (id)
    WHERE state IN ('waiting', 'running');
-- The job that changed the status of a credential last.
ALTER TABLE issuer_credentials ADD COLUMN job_id TEXT;
-- What a step changed, to stop the issuing of it.
CREATE INDEX issuer_credentials_job ON issuer_credentials (job_id, id) WHERE job_id IS NOT NULL;
-- What a job of one credential type walks along.
CREATE INDEX issuer_credentials_type ON issuer_credentials (credential_type, id);
