-- +goose Up

-- What the status page says, in words that somebody has written for it. It names no person and no alert, and stays when
-- its incident is no longer kept.
CREATE TABLE status_posts (
    incident_id bigint      PRIMARY KEY,
    title       text        NOT NULL,
    opened_at   timestamptz NOT NULL,
    ended_at    timestamptz -- null: it goes on
);
CREATE INDEX status_posts_opened ON status_posts (opened_at);

CREATE TABLE status_updates (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    incident_id bigint      NOT NULL REFERENCES status_posts ON DELETE CASCADE,
    at          timestamptz NOT NULL,
    state       text        NOT NULL,
    text        text        NOT NULL
);
CREATE INDEX status_updates_of ON status_updates (incident_id, id);
