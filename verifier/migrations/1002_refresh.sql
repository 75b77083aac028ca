-- What an application may go on with while the person is away. The session behind it is one of
-- its own without a cookie: it rests on the same cards, and it ends as any other.
CREATE TABLE refresh_grants (
    family        TEXT   NOT NULL PRIMARY KEY,
    session_id    TEXT   NOT NULL UNIQUE,
    -- The session of the login that it comes from, which may be over.
    login_session TEXT   NOT NULL,
    client_id     TEXT   NOT NULL,
    -- The login as the application knows it: its logout tokens name it.
    sid           TEXT   NOT NULL,
    sub           TEXT   NOT NULL,
    created_at    BIGINT NOT NULL
);
CREATE INDEX refresh_grants_login ON refresh_grants (login_session);
