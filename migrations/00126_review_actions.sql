-- What is to be done after an incident, and by whom. The release before doesn't know of it.

-- +goose Up
CREATE TABLE review_actions (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    incident_id bigint NOT NULL REFERENCES incidents (id) ON DELETE CASCADE,
    user_id     text NOT NULL, -- who is to do it
    text        text NOT NULL,
    by          text NOT NULL, -- who wants it done
    made_at     timestamptz NOT NULL,
    due_at      timestamptz NOT NULL, -- the end of its last day
    ask_at      timestamptz,          -- when the person is asked next; NULL: it is done
    done_at     timestamptz,
    done_by     text NOT NULL DEFAULT ''
);
CREATE INDEX review_actions_incident ON review_actions (incident_id);
CREATE INDEX review_actions_ask ON review_actions (ask_at) WHERE ask_at IS NOT NULL;
CREATE INDEX review_actions_user ON review_actions (user_id) WHERE ask_at IS NOT NULL;
