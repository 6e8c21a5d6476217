-- Calendars: secret addresses from which people subscribe to shifts, and when people are away.

-- +goose Up
CREATE TABLE feeds (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    secret_hash bytea       NOT NULL UNIQUE,       -- SHA-256; the secret itself is shown once and never kept
    user_id     text        REFERENCES users,      -- this person's shifts, or else
    schedule_id bigint      REFERENCES schedules,  -- those of this schedule
    created_by  text        NOT NULL REFERENCES users,
    created_at  timestamptz NOT NULL,
    revoked_at  timestamptz,
    CHECK (num_nonnulls(user_id, schedule_id) = 1)
);
CREATE INDEX feeds_creator ON feeds (created_by) WHERE revoked_at IS NULL;

CREATE TABLE time_off (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id      text        NOT NULL REFERENCES users,
    start_at     timestamptz NOT NULL,
    end_at       timestamptz NOT NULL CHECK (end_at > start_at),
    note         text        NOT NULL,
    source       text        NOT NULL, -- where it was imported from; empty: a person said so
    uid          text        NOT NULL, -- the event there
    created_at   timestamptz NOT NULL,
    cancelled_at timestamptz
);
CREATE INDEX time_off_end ON time_off (end_at) WHERE cancelled_at IS NULL;
CREATE INDEX time_off_source ON time_off (user_id, source) WHERE cancelled_at IS NULL;
