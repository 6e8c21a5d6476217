-- Addresses outside that are told what happens to incidents.

-- +goose Up
CREATE TABLE hooks (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name           text        NOT NULL,
    team_id        bigint      REFERENCES teams, -- NULL: of all teams but private ones
    host           text        NOT NULL,         -- of the address, which people may see
    url            text        NOT NULL,         -- sealed with WATCHBILL_SECRET, as are the next three
    headers        text        NOT NULL,         -- one a line
    secret         text        NOT NULL,
    secret_before  text        NOT NULL DEFAULT '',
    before_ends_at timestamptz,                  -- until when that signs as well
    kinds          text[]      NOT NULL,         -- of events; empty: all
    template       text        NOT NULL,
    options        jsonb       NOT NULL,
    made_at        timestamptz NOT NULL,
    made_by        jsonb       NOT NULL,
    position       bigint      NOT NULL,         -- the last event that is done with
    tries          integer     NOT NULL DEFAULT 0,  -- of the next one
    next_at        timestamptz,                  -- when it is tried again; NULL: at once
    leased_until   timestamptz,                  -- a job calls it
    told_at        timestamptz,
    trouble        text        NOT NULL DEFAULT '', -- why the last call failed
    stopped_at     timestamptz,                  -- the receiver wants no more
    removed_at     timestamptz
);
CREATE UNIQUE INDEX hooks_name ON hooks (name) WHERE removed_at IS NULL;
