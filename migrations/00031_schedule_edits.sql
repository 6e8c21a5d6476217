-- Schedules that people are editing: what follows from it is told when they have finished.

-- +goose Up
CREATE TABLE schedule_edits (
    schedule_id bigint      PRIMARY KEY REFERENCES schedules,
    baseline    bigint      NOT NULL, -- the latest version before the first edit; 0: there was none
    editors     text[]      NOT NULL,
    first_at    timestamptz NOT NULL,
    last_at     timestamptz NOT NULL
);
