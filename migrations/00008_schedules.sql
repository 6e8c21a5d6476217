-- Shifts entered by hand.

-- +goose Up
ALTER TABLE schedules ADD apart boolean NOT NULL DEFAULT false; -- whether overlapping shifts are refused

CREATE TABLE manual_shifts (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    schedule_id bigint      NOT NULL REFERENCES schedules,
    role        text        NOT NULL,
    start_at    timestamptz NOT NULL,
    end_at      timestamptz NOT NULL CHECK (end_at > start_at),
    users       text[]      NOT NULL,
    created_by  text        NOT NULL,
    created_at  timestamptz NOT NULL
);
CREATE INDEX manual_shifts_schedule ON manual_shifts (schedule_id, end_at);
