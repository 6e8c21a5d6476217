-- Calendars of people that are read every hour as their time off.

-- +goose Up
CREATE TABLE away_calendars (
    user_id    text        PRIMARY KEY REFERENCES users,
    url        text        NOT NULL,             -- sealed with WATCHBILL_SECRET
    host       text        NOT NULL,             -- of the address, which people may see
    rule       text        NOT NULL,             -- which events count
    words      text[]      NOT NULL,             -- those that count by their titles; empty: the usual ones
    made_at    timestamptz NOT NULL,
    next_at    timestamptz NOT NULL,             -- when it is read again
    tag        text        NOT NULL DEFAULT '',  -- what the server calls what was read
    read_at    timestamptz,                      -- when that last went well
    events     integer     NOT NULL DEFAULT 0,   -- that counted then
    tries      integer     NOT NULL DEFAULT 0,   -- that have failed since
    trouble    text        NOT NULL DEFAULT '',  -- why the last one failed
    trouble_at timestamptz                       -- since when it fails
);
