-- What people were sent while the database was away.

-- +goose Up
CREATE TABLE outage_pages (
    key       text PRIMARY KEY, -- of the message
    team_id   bigint NOT NULL,
    user_id   text NOT NULL,
    method    text NOT NULL,
    outage_at timestamptz NOT NULL, -- when the database went away
    waiting   int NOT NULL,         -- alerts of the team
    title     text NOT NULL,        -- as it was sent
    attempts  int NOT NULL,
    tried_at  timestamptz NOT NULL,
    outcome   text NOT NULL,        -- accepted, rejected …; empty: the instance ended before it knew
    reference text NOT NULL,
    error     text NOT NULL
);
CREATE INDEX ON outage_pages (outage_at);
