-- Signals that were kept in a spool, outside the database, while it was away.

-- +goose Up
ALTER TABLE inbox ADD COLUMN replayed boolean NOT NULL DEFAULT false; -- it was in a spool meanwhile

-- How far each spool has got, so that nothing of it is taken twice: there is a new one at each start of an
-- instance. And how far an instance has got that stores without its spool, in each period in which it can.
CREATE TABLE spools (
    id        text PRIMARY KEY,
    replayed  bigint NOT NULL DEFAULT 0, -- of a spool: the last entry that is in the inbox
    committed bigint NOT NULL DEFAULT 0, -- of a period: the last commit
    fenced    bigint NOT NULL DEFAULT 0, -- of a period: the last that must not happen any more, as its signals were replayed
    seen_at   timestamptz NOT NULL
);
