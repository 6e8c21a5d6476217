-- Shifts that change hands by agreement. Schedules change only through overrides; these rows record
-- who asked whom, and what became of it.

-- +goose Up
CREATE TABLE swaps (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    state      text        NOT NULL,
    give       jsonb       NOT NULL, -- the shift of the person who offers
    take       jsonb       NOT NULL, -- the shift of the person who is asked
    note       text        NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    ended_at   timestamptz,          -- NULL: still open
    overrides  bigint[]    NOT NULL  -- those in force while it is accepted
);

CREATE TABLE covers (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    state      text        NOT NULL,
    stint      jsonb       NOT NULL, -- the shift that needs cover
    note       text        NOT NULL,
    everyone   boolean     NOT NULL,
    created_by text        NOT NULL,
    created_at timestamptz NOT NULL,
    ended_at   timestamptz,          -- NULL: still open
    next_at    timestamptz,          -- when the timer is due; one that fires earlier does nothing
    asked      jsonb       NOT NULL,
    takes      jsonb       NOT NULL
);
CREATE INDEX covers_open ON covers (id) WHERE state = 'open';
