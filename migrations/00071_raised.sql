-- Incidents that people open by hand.

-- +goose Up
ALTER TABLE teams ADD policy_id bigint REFERENCES policies; -- which paging the team runs; NULL: its only one

ALTER TABLE incidents ADD raised_by jsonb NOT NULL DEFAULT '{}'; -- oncall.Actor

-- What was raised by hand is of no integration: 0, which the release before takes for one without a name.
ALTER TABLE incidents DROP CONSTRAINT IF EXISTS incidents_integration_id_fkey;

-- Who raised an incident, and the message in which they see what becomes of it. Only the job that holds the
-- lease of the incident's drawing posts or edits it.
CREATE TABLE raised (
    incident_id bigint      NOT NULL REFERENCES incidents ON DELETE CASCADE,
    user_id     text        NOT NULL,
    key         text        NOT NULL, -- names what asked for it: a repetition has the same
    opened      boolean     NOT NULL, -- false: somebody else had raised it already
    raised_at   timestamptz NOT NULL,
    channel     text        NOT NULL, -- of the message; before it is posted a person's id is their direct messages
    thread      text        NOT NULL, -- the message to which it replies, or empty
    ts          text        NOT NULL, -- empty: it is not posted
    drawn       bigint      NOT NULL,
    tried_at    timestamptz,          -- it may have been posted without our knowing
    ended       boolean     NOT NULL DEFAULT false, -- it can't be shown, or was deleted
    PRIMARY KEY (incident_id, user_id)
);
CREATE INDEX raised_key ON raised (key);
CREATE INDEX raised_at ON raised (raised_at);
CREATE INDEX raised_message ON raised (channel, ts) WHERE ts <> '';

-- Whoever folds signals in the release before numbers incidents without asking who else does. Where both take one
-- number at the same moment, its signals are folded again rather than written over what somebody has raised.
-- +goose StatementBegin
CREATE FUNCTION refuse_taken_number() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'incident % was raised by hand meanwhile', OLD.id USING ERRCODE = 'serialization_failure';
END
$$;
-- +goose StatementEnd
CREATE TRIGGER taken_number BEFORE UPDATE ON incidents FOR EACH ROW
    WHEN (OLD.integration_id = 0 AND NEW.version <= OLD.version AND NEW.title IS DISTINCT FROM OLD.title)
    EXECUTE FUNCTION refuse_taken_number();
