-- Shifts that change hands by agreement. What was agreed changes the schedules by overrides; these
-- rows say who asked whom, and what became of it.

-- +goose Up
CREATE TABLE swaps (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    state      text        NOT NULL,
    give       jsonb       NOT NULL, -- the shift of the one who offers
    take       jsonb       NOT NULL, -- the shift of the one who is asked
    note       text        NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    ended_at   timestamptz,          -- NULL: still open
    overrides  bigint[]    NOT NULL  -- while accepted
);

CREATE TABLE covers (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    state      text        NOT NULL,
    stint      jsonb       NOT NULL, -- the shift that wants to be taken
    note       text        NOT NULL,
    everyone   boolean     NOT NULL,
    created_by text        NOT NULL,
    created_at timestamptz NOT NULL,
    ended_at   timestamptz,          -- NULL: still open
    next_at    timestamptz,          -- when the timer is due; an earlier timer does nothing
    asked      jsonb       NOT NULL,
    takes      jsonb       NOT NULL
);
CREATE INDEX covers_open ON covers (id) WHERE state = 'open';
