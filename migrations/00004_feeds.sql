-- Calendars: secret addresses for subscribing to shifts, and people's time off.

-- +goose Up
CREATE TABLE feeds (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    secret_hash bytea       NOT NULL UNIQUE,       -- SHA-256; the secret itself is shown once and never stored
    user_id     text        REFERENCES users,      -- either this person's shifts
    schedule_id bigint      REFERENCES schedules,  -- or those of this schedule
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
    source       text        NOT NULL, -- where it was imported from; empty: entered by hand
    uid          text        NOT NULL, -- the event's id in the source
    created_at   timestamptz NOT NULL,
    cancelled_at timestamptz
);
CREATE INDEX time_off_end ON time_off (end_at) WHERE cancelled_at IS NULL;
CREATE INDEX time_off_source ON time_off (user_id, source) WHERE cancelled_at IS NULL;
