-- Calendars of holidays that are read every hour, by the address that rotations name.

-- +goose Up
CREATE TABLE holiday_calendars (
    url        text        PRIMARY KEY,
    days       jsonb       NOT NULL DEFAULT '[]', -- the holidays that were read, in order
    next_at    timestamptz NOT NULL,              -- when it is read again
    tag        text        NOT NULL DEFAULT '',   -- what the server calls what was read
    read_at    timestamptz,                       -- when that last went well
    tries      integer     NOT NULL DEFAULT 0,    -- that have failed since
    trouble    text        NOT NULL DEFAULT '',   -- why the last one failed
    trouble_at timestamptz                        -- since when it fails
);
