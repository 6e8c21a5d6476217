-- Who has changed what of the set-up, of access and of how people are reached. It says nothing of incidents,
-- which have their events.

-- +goose Up
CREATE TABLE audit_log (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at      timestamptz NOT NULL,
    actor   jsonb       NOT NULL,
    kind    text        NOT NULL, -- of what it is about
    name    text        NOT NULL, -- what it was called then; '' where it is a person
    about   text        NOT NULL, -- the person; '' where it is about none
    teams   bigint[]    NOT NULL, -- whose managers may read it; none: the managers of the person
    act     text        NOT NULL,
    changes jsonb       NOT NULL  -- what, before, after; no secrets
);
CREATE INDEX audit_log_at ON audit_log (at);

-- Nobody changes what was written. Retention will need one function of its own that may delete what is
-- older than its term.
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
